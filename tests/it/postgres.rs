//! Databases for tests: a schema of its own on the server that
//! `DIALBACK_TEST_POSTGRES` names, or a server of its own out of the programs in
//! `DIALBACK_TEST_POSTGRES_BIN`, which can be killed.

use crate::instance::skipped;
use crate::ports::{self, Port};
use crate::store_contract::thing;
use dialback::store::postgres::{Options, Postgres};
use dialback::store::{CommitError, records};
use rustix::process::{Pid, Signal, kill_process};
use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

/// How long things may take on a busy machine that take little time on an idle one: a
/// server's start, a loss that is noticed.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A schema of its own, dropped at the end.
pub struct TestDatabase {
    base: String,
    schema: String,
}

/// A database for one test; says that it is skipped where there is none.
pub async fn database(what: &str) -> Option<TestDatabase> {
    let Ok(base) = env::var("DIALBACK_TEST_POSTGRES") else {
        skipped(&format!(
            "{what} on PostgreSQL: set DIALBACK_TEST_POSTGRES to the URL of a server where schemas may be made to turn it on"
        ));
        return None;
    };
    static MADE: AtomicU32 = AtomicU32::new(0);
    let nth = MADE.fetch_add(1, Ordering::SeqCst);
    let schema = format!("dialback_test_{}_{nth}", std::process::id());
    let client = connect(&base).await;
    let fresh = format!("DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}");
    client.batch_execute(&fresh).await.expect("a user who may make schemas");
    Some(TestDatabase { base, schema })
}

impl TestDatabase {
    /// Its URL, for `store.url`.
    pub fn url(&self) -> String {
        let sign = if self.base.contains('?') { '&' } else { '?' };
        format!("{}{sign}options=-c%20search_path%3D{}", self.base, self.schema)
    }

    /// The engine over it.
    pub async fn open(&self) -> Postgres {
        Postgres::open(&self.url(), Options::default()).await.unwrap()
    }

    /// Takes all tables away.
    pub async fn empty(&self) {
        let schema = &self.schema;
        let fresh = format!("DROP SCHEMA {schema} CASCADE; CREATE SCHEMA {schema}");
        connect(&self.base).await.batch_execute(&fresh).await.unwrap();
    }

    /// A connection of the test's own.
    pub async fn client(&self) -> Client {
        connect(&self.url()).await
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (base, drop) =
            (self.base.clone(), format!("SET lock_timeout = '10s'; DROP SCHEMA {} CASCADE", self.schema));
        // A test's runtime may be ending, and one cannot wait inside of it.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let client = connect(&base).await;
                client.batch_execute(&drop).await
            })
        });
        if !matches!(dropped.join(), Ok(Ok(()))) {
            eprintln!("the schema {} was left behind", self.schema);
        }
    }
}

/// A connection to a URL.
pub async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("the test's server");
    tokio::spawn(connection);
    client
}

/// Until the store takes a write; what it refuses before was not done, or nobody
/// knows.
pub async fn until_written(store: &Postgres, id: &str) {
    let deadline = Instant::now() + PATIENCE;
    while let Err(error) = records::save(store, None, &thing(id, 1, None, None)).await {
        if matches!(error, CommitError::Conflict) {
            return;
        }
        assert!(Instant::now() < deadline, "{error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A server of its own, which ends with the test.
pub struct Server {
    programs: PathBuf,
    dir: TempDir,
    port: Port,
}

impl Server {
    /// Starts one; says that it is skipped where there are no programs for it.
    pub async fn start(what: &str) -> Option<Self> {
        let server = Self::make(what)?;
        server.restart().await;
        Some(server)
    }

    /// The same, not started yet: its files may still be changed.
    pub fn make(what: &str) -> Option<Self> {
        let Ok(programs) = env::var("DIALBACK_TEST_POSTGRES_BIN") else {
            skipped(&format!(
                "{what} on a PostgreSQL of its own: set DIALBACK_TEST_POSTGRES_BIN to the directory of initdb and postgres to turn it on"
            ));
            return None;
        };
        Some(Self::of(Path::new(&programs)))
    }

    /// The same of these programs.
    pub fn of(programs: &Path) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let port = ports::take();
        let server = Self { programs: programs.into(), dir, port };
        server.own();
        let data = server.data();
        server.run("initdb", &["-D", &data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"]);
        server
    }

    /// Its URL, for `store.url`.
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// The same for another user.
    pub fn url_of(&self, user: &str) -> String {
        format!("postgres://{user}@127.0.0.1:{}/postgres", self.port.number)
    }

    /// Where it listens on this machine.
    pub fn port(&self) -> u16 {
        self.port.number
    }

    /// Writes a file into its data, its owner's alone.
    pub fn write(&self, name: &str, text: &str) {
        let file = Path::new(&self.data()).join(name);
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        self.own();
    }

    /// Adds lines to its settings.
    pub fn set(&self, lines: &str) {
        let file = Path::new(&self.data()).join("postgresql.conf");
        let settings = fs::read_to_string(&file).unwrap();
        self.write("postgresql.conf", &format!("{settings}\n{lines}\n"));
    }

    /// Lets it stand still with all it has under way, as a machine that hangs:
    /// its ports still take connections.
    pub fn stand_still(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let file = Path::new(&self.data()).join("postmaster.pid");
        let Ok(text) = fs::read_to_string(file) else { return };
        let main: i32 = text.lines().next().and_then(|line| line.trim().parse().ok()).unwrap();
        // The first makes no others any more once it stands; of the others one may have
        // ended meanwhile.
        let send = |pid| {
            let _ = kill_process(Pid::from_raw(pid).unwrap(), signal);
        };
        send(main);
        children(main).into_iter().for_each(send);
    }

    /// A standby of it, without which nothing is committed any more.
    pub async fn standby(&self) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let port = ports::take();
        let standby = Self { programs: self.programs.clone(), dir, port };
        standby.own();
        let from = format!("host=127.0.0.1 port={} user=postgres", self.port.number);
        standby
            .run("pg_basebackup", &["-D", &standby.data(), "-d", &from, "-R", "-X", "stream", "-c", "fast"]);
        standby.restart().await;
        let client = connect(&self.url()).await;
        client.batch_execute("ALTER SYSTEM SET synchronous_standby_names = '*'").await.unwrap();
        client.batch_execute("SELECT pg_reload_conf()").await.unwrap();
        standby
    }

    /// Makes a standby the one that takes writes.
    pub fn promote(&self) {
        self.run("pg_ctl", &["promote", "-D", &self.data(), "-w", "-t", "60"]);
    }

    /// One URL for both.
    pub fn url_with(&self, standby: &Self) -> String {
        format!(
            "postgres://postgres@127.0.0.1:{},127.0.0.1:{}/postgres",
            self.port.number, standby.port.number
        )
    }

    /// Ends it as a crash does, with `pg_ctl -m immediate`.
    pub fn kill_immediate(&self) {
        self.run("pg_ctl", &["stop", "-D", &self.data(), "-m", "immediate", "-t", "60"]);
    }

    /// Starts it again on its data and port, and waits until it answers.
    pub async fn restart(&self) {
        let log = self.dir.path().join("log").display().to_string();
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=on -c max_connections=100",
            self.port.number
        );
        self.run("pg_ctl", &["start", "-D", &self.data(), "-l", &log, "-o", &options, "-w", "-t", "60"]);
        let deadline = Instant::now() + PATIENCE;
        while tokio_postgres::connect(&self.url(), NoTls).await.is_err() {
            let log = fs::read_to_string(&log).unwrap_or_default();
            assert!(Instant::now() < deadline, "the server does not answer:\n{log}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn data(&self) -> String {
        self.dir.path().join("data").display().to_string()
    }

    /// PostgreSQL does not run as root; then everything is its own user's.
    fn own(&self) {
        if is_root() {
            let done = Command::new("chown").arg("-R").arg("postgres").arg(self.dir.path()).status().unwrap();
            assert!(done.success(), "there is a user postgres");
        }
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let program = find(&self.programs, program);
        let mut command = as_nobody_special(&program);
        let done = command.args(arguments).current_dir("/").stdin(Stdio::null()).stdout(Stdio::null());
        let status = done.stderr(Stdio::null()).status().unwrap();
        assert!(status.success(), "{} {arguments:?}: {status}", program.display());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if Path::new(&self.data()).join("postmaster.pid").exists() {
            self.go_on();
            self.kill_immediate();
        }
    }
}

/// The processes that this one has begun.
fn children(of: i32) -> Vec<i32> {
    let all =
        fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let parent = |pid: &i32| {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // Behind the name, which may have spaces in it: the state, and the parent.
        text.rsplit_once(") ")?.1.split(' ').nth(1)?.parse::<i32>().ok()
    };
    all.filter(|pid| parent(pid) == Some(of)).collect()
}

/// A program that does not run as root.
fn as_nobody_special(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(program);
    command
}

/// PgBouncer in front of a server, which ends with the test.
pub struct Pooler {
    process: Child,
    port: Port,
    // It reads its configuration from there.
    _dir: TempDir,
}

impl Pooler {
    /// Starts one with these settings; says that it is skipped where there is none.
    pub async fn start(server: &Server, settings: &str) -> Option<Self> {
        let Ok(program) = env::var("DIALBACK_TEST_PGBOUNCER") else {
            skipped("poolers: set DIALBACK_TEST_PGBOUNCER to the program pgbouncer to turn it on");
            return None;
        };
        let (dir, port) = (tempfile::tempdir().unwrap(), ports::take());
        let file = dir.path().join("pgbouncer.ini");
        let text = format!(
            "[databases]\npostgres = host=127.0.0.1 port={} user=postgres\n[pgbouncer]\n\
             listen_addr = 127.0.0.1\nlisten_port = {}\nunix_socket_dir =\nauth_type = any\n{settings}\n",
            server.port(),
            port.number
        );
        fs::write(&file, text).unwrap();
        if is_root() {
            let done = Command::new("chown").arg("-R").arg("postgres").arg(dir.path()).status().unwrap();
            assert!(done.success(), "there is a user postgres");
        }
        let mut command = as_nobody_special(Path::new(&program));
        let process = command.arg(&file).current_dir("/").stdin(Stdio::null()).stdout(Stdio::null());
        let pooler = Self { process: process.stderr(Stdio::null()).spawn().unwrap(), port, _dir: dir };
        let deadline = Instant::now() + PATIENCE;
        while tokio::net::TcpStream::connect(("127.0.0.1", pooler.port.number)).await.is_err() {
            assert!(Instant::now() < deadline, "the pooler takes no connections");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Some(pooler)
    }

    /// Its URL, for `store.url`.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port.number)
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The directory may have links to some of its programs only.
fn find(programs: &Path, name: &str) -> PathBuf {
    let here = programs.join(name);
    if here.exists() {
        return here;
    }
    let real = fs::canonicalize(programs.join("postgres")).unwrap();
    real.with_file_name(name)
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
