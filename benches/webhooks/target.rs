//! What is driven: processes of their own, so that their processor time and
//! memory are theirs alone.

use crate::requests::{self, ACCOUNT, API_KEY, Kind, PUBLIC_URL, Script, TOKEN};
use dialback::model::limits::Limits;
use dialback::server::{self, listen, serve};
use std::fmt;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use warp::Filter;

/// The argument that makes this program the empty server.
pub const EMPTY: &str = "--serve-empty";

/// The variable that names the binary of [`Target::Before`].
const BEFORE: &str = "DIALBACK_BENCH_BEFORE";

/// How many calls of ours a voice benchmark has.
pub const CALLS: usize = 256;

/// How many sessions a page benchmark has.
const SESSIONS: usize = 64;
/// How many codes each verification takes before it is spent; one is left.
const CHECKS: usize = 19;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The accept loop, answering 204.
    Empty,
    /// `dialback serve` with the log off.
    Off,
    /// `dialback serve` with the log at level info, as JSON, into a file.
    Json,
    /// `dialback serve` with the log off and the store in memory.
    Memory,
    /// As `off`, with every rule of `[limits]` on.
    Limited,
    /// As `off`, by another build: the binary that `DIALBACK_BENCH_BEFORE` names.
    Before,
}

impl Target {
    pub fn named(name: &str) -> Self {
        let all = [Self::Empty, Self::Off, Self::Json, Self::Memory, Self::Limited, Self::Before];
        let named = all.into_iter().find(|target| target.to_string() == name);
        named.expect("empty, off, json, memory, limited or before")
    }

    /// A fresh server with a fresh store, on the disk that holds `target`.
    pub fn start(self) -> Server {
        self.start_on(None)
    }

    /// A server with the store of that URL, or with a fresh one.
    pub fn start_on(self, store: Option<&str>) -> Server {
        self.start_with(store, &[])
    }

    /// The same with more settings.
    pub fn start_with(self, store: Option<&str>, more: &[(&str, &str)]) -> Server {
        let dir = directory();
        let ready = dir.path().join("ready.json");
        let mut command = match self {
            Self::Empty => {
                let mut command = Command::new(std::env::current_exe().expect("this program"));
                command.arg(EMPTY).arg(&ready);
                command
            }
            _ => {
                let mut command = self.dialback(dir.path(), store, more);
                command.arg("serve").arg("--ready-file").arg(&ready);
                command
            }
        };
        let log = File::create(dir.path().join("log")).expect("a file for the log");
        let began = Instant::now();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        let child = child.expect("a server");
        let started_in = Duration::ZERO;
        let addr = ([127, 0, 0, 1], 0).into();
        let store = store.map(str::to_owned);
        let mut server = Server { addr, started_in, child, dir, store };
        server.addr = server.wait(&ready);
        server.started_in = began.elapsed();
        server
    }

    /// The program in a directory, with its settings.
    fn dialback(self, dir: &Path, store: Option<&str>, more: &[(&str, &str)]) -> Command {
        let mut command = Command::new(match self {
            Self::Before => {
                std::env::var(BEFORE).unwrap_or_else(|_| panic!("{BEFORE}: the path of a binary"))
            }
            _ => env!("CARGO_BIN_EXE_dialback").to_owned(),
        });
        let store = match (self, store) {
            (_, Some(store)) => store.to_owned(),
            (Self::Memory, None) => "memory:".to_owned(),
            _ => format!("sled:{}", dir.join("store").display()),
        };
        let level = if self == Self::Json { "info" } else { "off" };
        let settings = [
            ("PUBLIC_URL", PUBLIC_URL),
            ("SERVER__LISTEN", "127.0.0.1:0"),
            ("STORE__URL", &store),
            ("TWILIO__ACCOUNT_SID", ACCOUNT),
            ("TWILIO__AUTH_TOKEN", TOKEN),
            ("TWILIO__FROM", "+15005550006"),
            ("GATEWAY__KIND", "console"),
            ("GATEWAY__ALLOW_CONSOLE_ON_PUBLIC", "a benchmark sends to nobody"),
            ("SANDBOX__ENABLED", "false"),
            ("CODES__KEYS", "[{id=\"bench\",secret=\"0af657d0e70acabaf35ab0f0f84481e50af657d0\"}]"),
            ("LOG__FORMAT", "json"),
            ("LOG__LEVEL", level),
            ("API_KEY", API_KEY),
            // The benchmark is one application that asks more often than any.
            ("API__REQUESTS_PER_MINUTE", "0"),
            ("API__ALLOW_UNLIMITED", "a benchmark"),
            ("VERIFICATION__MAX_CHECKS", "20"),
            ("SERVICES", "{default={pages={return_urls=[\"https://example.net/*\"]}}}"),
        ];
        command.current_dir(dir);
        // Ours are the tests' and no settings, which it would say.
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("DIALBACK_")) {
            command.env_remove(name);
        }
        if self != Self::Before {
            command.envs(limits(self == Self::Limited));
        }
        let settings = settings.iter().chain(more);
        command.envs(settings.map(|(name, value)| (format!("DIALBACK_{name}"), (*value).to_owned())));
        command
    }
}

/// The rules of limits: all on, or none. The load is that of thousands of teams, so what
/// they share is as wide; what is a person's is as ever.
fn limits(are_on: bool) -> impl Iterator<Item = (String, String)> {
    Limits::default().rules().to_vec().into_iter().map(move |rule| {
        let windows = match (are_on, rule.subject.is_shared()) {
            (false, _) => "[]",
            (true, true) => r#"["10000000/minute","100000000/hour","1000000000/day"]"#,
            (true, false) => r#"["1000/hour","10000/day"]"#,
        };
        (format!("DIALBACK_LIMITS__{}", rule.name.to_uppercase()), windows.to_owned())
    })
}

impl fmt::Display for Target {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Empty => "empty",
            Self::Off => "off",
            Self::Json => "json",
            Self::Memory => "memory",
            Self::Limited => "limited",
            Self::Before => "before",
        })
    }
}

/// The same accept loop and the same runtime, answering 204 to everything.
pub fn serve_empty(ready: &Path) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = listen(([127, 0, 0, 1], 0).into()).expect("a port");
        let addr = listener.local_addr().expect("an address");
        fs::write(ready, format!("{{\"server\":\"{addr}\"}}")).expect("a file");
        let service = warp::service(warp::any().map(|| warp::http::StatusCode::NO_CONTENT));
        serve(listener, service, server::Limits::default(), std::future::pending()).await;
    });
}

/// A server that runs.
pub struct Server {
    pub addr: SocketAddr,
    /// From its start until it accepted.
    pub started_in: Duration,
    child: Child,
    dir: TempDir,
    store: Option<String>,
}

/// What a store has done since its server started.
#[derive(Clone, Copy, Default)]
pub struct Written {
    pub commits: u64,
    pub groups: u64,
    pub conflicts: u64,
}

impl Server {
    fn wait(&mut self, ready: &Path) -> SocketAddr {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(120) {
            let text = fs::read_to_string(ready).unwrap_or_default();
            if let Ok(ready) = serde_json::from_str::<serde_json::Value>(&text) {
                return ready["server"].as_str().and_then(|addr| addr.parse().ok()).expect("an address");
            }
            if let Ok(Some(_)) = self.child.try_wait() {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("no server: {}", fs::read_to_string(self.dir.path().join("log")).unwrap_or_default());
    }

    /// Calls of ours: the path that each asks, and its SID. The empty server
    /// gets some that are nobody's.
    fn calls(&self, target: Target) -> Vec<(String, String)> {
        let id = |n: usize| match target {
            Target::Empty => format!("VE{n:032x}"),
            _ => {
                self.api("POST", "/v1/verifications", "{\"to\":\"+14155552671\",\"channel\":\"call\"}")["id"]
                    .as_str()
                    .expect("an id")
                    .to_owned()
            }
        };
        let ids: Vec<String> = (0..CALLS).map(id).collect();
        let sid = |id: &String| match target {
            Target::Empty => id.replace("VE", "CA"),
            _ => self.sid(id),
        };
        ids.iter().map(|id| (format!("/twilio/voice/{id}/1"), sid(id))).collect()
    }

    /// The script of a kind whose requests are about something that must be
    /// made first.
    pub fn script(&self, target: Target, kind: Kind, kept: bool, most: usize) -> Script {
        let empty = target == Target::Empty;
        let made = |path: &str, body: &str, field: &str, count: usize| -> Vec<String> {
            let one = |n: usize| match empty {
                true => format!("/{n:032x}"),
                false => self.api("POST", path, body)[field].as_str().expect("a text").to_owned(),
            };
            (0..count).map(one).collect()
        };
        match kind {
            Kind::Check => {
                let start = "{\"to\":\"+14155552671\",\"channel\":\"sms\"}";
                let ids = made("/v1/verifications", start, "id", most.div_ceil(CHECKS));
                requests::check(&ids, CHECKS, kept)
            }
            Kind::Page => {
                let session = "{\"return_url\":\"https://example.net/done\"}";
                let urls = made("/v1/sessions", session, "url", SESSIONS);
                let path = |url: &String| url.strip_prefix(PUBLIC_URL).unwrap_or(url).to_owned();
                requests::page(&urls.iter().map(path).collect::<Vec<_>>(), kept, most)
            }
            _ => requests::voice(self.calls(target), kept, most),
        }
    }

    /// A job places the call shortly after.
    fn sid(&self, id: &str) -> String {
        for _ in 0..500 {
            let view = self.api("GET", &format!("/v1/verifications/{id}"), "");
            if let Some(sid) = view["deliveries"][0]["sid"].as_str() {
                return sid.to_owned();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the call was not placed");
    }

    fn api(&self, method: &str, path: &str, body: &str) -> serde_json::Value {
        let mut stream = TcpStream::connect(self.addr).expect("the server accepts");
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {API_KEY}\r\n\
             Content-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("the server takes a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the server answers");
        let body = answer.split("\r\n\r\n").nth(1).unwrap_or_default();
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
    }

    /// What it wrote, as `dialback store stats` tells it.
    pub fn written(&self) -> Written {
        let mut command = Target::Off.dialback(self.dir.path(), self.store.as_deref(), &[]);
        let out = command.args(["store", "stats", "--json"]).output().expect("the program runs");
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        let told: serde_json::Value = serde_json::from_slice(&out.stdout).expect(&said);
        let number = |name: &str| told[name].as_u64().expect("a number");
        Written { commits: number("commits"), groups: number("groups"), conflicts: number("conflicts") }
    }

    /// Processor time, user and system, in steps of 10 ms.
    pub fn cpu(&self) -> Duration {
        cpu(self.child.id()).expect("the server runs")
    }

    /// The most memory it had, in bytes.
    pub fn peak_memory(&self) -> u64 {
        let status = self.proc("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
        kilobytes.unwrap_or(0) * 1024
    }

    fn proc(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).expect("the server runs")
    }

    /// The bytes of its log.
    pub fn logged(&self) -> u64 {
        fs::metadata(self.dir.path().join("log")).map_or(0, |file| file.len())
    }

    /// What the store takes, in bytes.
    pub fn bytes_on_disk(&self) -> u64 {
        size(&self.dir.path().join("store"))
    }

    /// Ends it at once: its store goes with it.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        // It may have ended by itself, and then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// The processor time of a process, while there is one.
pub fn cpu(pid: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    let ticks = after_name.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok());
    Some(Duration::from_millis(ticks.sum::<u64>() * 10))
}

/// A directory on the disk that holds `target`.
pub fn directory() -> TempDir {
    let base = std::env::current_dir().expect("a directory to work in").join("target");
    tempfile::tempdir_in(base).expect("a directory on the disk")
}

/// What is in a directory, in bytes of the disk.
pub fn size(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let Ok(entries) = fs::read_dir(path) else {
        return fs::metadata(path).map_or(0, |file| file.blocks() * 512);
    };
    entries.flatten().map(|entry| size(&entry.path())).sum()
}
