//! Whole verifications over several processes on one PostgreSQL: an application starts
//! one, its message goes to a gateway in this program, two callbacks come of it, and the
//! right code is offered. Each request goes to the next process, as behind a balancer.
//!
//! Processes, server and clients share the machine, so more of them are not to do more,
//! but no less: what counts is the ratio of each number of processes to the first.
//! Beside it stands what a verification cost: commits, how many went into one group,
//! conflicts, and the processor time of the processes and of the server's backends; with
//! `--targets json`, what it left in the log at level info.

use crate::load::{LONGEST_ANSWER, body, connect, exchange, message};
use crate::requests;
use crate::stored::{median, runtime};
use crate::target::{self, Server, Target};
use crate::{Options, value_of};
use dialback::entropy::Entropy;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::LocalSet;
use tokio_postgres::{Client, NoTls};

/// From a message to its first callback, and on to the second and the code: what is
/// under way elsewhere at that moment has been written by then, as in life.
const PAUSE: Duration = Duration::from_millis(100);
/// The first part of a run is not counted.
const WARMING: Duration = Duration::from_secs(2);
const SCHEMA: &str = "dialback_bench";

/// What a run came to; what is no rate, time or size is for each verification.
struct Figures {
    rate: f64,
    millis: f64,
    commits: f64,
    group: f64,
    conflicts: f64,
    processes: f64,
    backends: f64,
    logged: f64,
}

/// Verifications with each of these numbers of processes, in alternating rounds.
pub fn processes(counts: &[usize], url: &str, options: &Options) {
    println!(
        "processes  clients  verifications/s  ratio  p50 ms  commits  group size  conflicts  \
         cpu ms processes  cpu ms server  log bytes"
    );
    for &clients in &options.connections {
        let mut rounds: Vec<Vec<Figures>> = counts.iter().map(|_| Vec::new()).collect();
        for _ in 0..options.rounds {
            for (nth, &count) in counts.iter().enumerate() {
                rounds[nth].push(round(count, clients, url, options));
            }
        }
        let first: Vec<f64> = rounds[0].iter().map(|figures| figures.rate).collect();
        for (&count, figures) in counts.iter().zip(&rounds) {
            let of = |figure: fn(&Figures) -> f64| median(figures.iter().map(figure));
            let ratio = median(figures.iter().zip(&first).map(|(figures, first)| figures.rate / first));
            println!(
                "{count:<9}  {clients:>7}  {:>15.0}  {ratio:>5.2}  {:>6.1}  {:>7.2}  {:>10.2}  {:>9.2}  {:>16.2}  {:>13.2}  {:>9.0}",
                of(|figures| figures.rate),
                of(|figures| figures.millis),
                of(|figures| figures.commits),
                of(|figures| figures.group),
                of(|figures| figures.conflicts),
                of(|figures| figures.processes),
                of(|figures| figures.backends),
                of(|figures| figures.logged),
            );
        }
    }
}

/// One run, on new tables.
fn round(count: usize, clients: usize, url: &str, options: &Options) -> Figures {
    let (seconds, target) = match options.targets[..] {
        [Target::Json] => (options.seconds, Target::Json),
        _ => (options.seconds, Target::Off),
    };
    let runtime = runtime();
    let database = runtime.block_on(Database::fresh(url));
    let sign = if url.contains('?') { '&' } else { '?' };
    let store = format!("{url}{sign}options=-c%20search_path%3D{SCHEMA}");
    let gateway = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    gateway.set_nonblocking(true).expect("a socket option");
    let base_url = format!("http://{}", gateway.local_addr().expect("an address"));
    let settings = [("GATEWAY__KIND", "twilio"), ("TWILIO__BASE_URL", base_url.as_str())];
    let servers: Vec<Server> = (0..count).map(|_| target.start_with(Some(&store), &settings)).collect();
    let before = runtime.block_on(database.cpu());
    let processes = || servers.iter().map(Server::cpu).sum::<Duration>();
    let own = processes();
    let addrs = servers.iter().map(|server| server.addr).collect();
    let done = drive(addrs, gateway, clients, Duration::from_secs_f64(seconds));
    let own = processes() - own;
    let after = runtime.block_on(database.cpu());
    let backends: Duration = after
        .iter()
        .map(|(pid, spent)| spent.saturating_sub(before.get(pid).copied().unwrap_or_default()))
        .sum();
    let written: Vec<_> = servers.iter().map(Server::written).collect();
    let logged: u64 = servers.iter().map(Server::logged).sum();
    servers.into_iter().for_each(Server::stop);
    runtime.block_on(database.drop());
    let all = |of: fn(&target::Written) -> u64| written.iter().map(of).sum::<u64>() as f64;
    let (whole, each) = (done.whole as f64, done.spans.len() as f64);
    let mut spans = done.spans;
    spans.sort();
    Figures {
        rate: each / seconds,
        millis: spans.get(spans.len() / 2).map_or(0.0, |span| span.as_secs_f64() * 1000.0),
        commits: all(|written| written.commits) / whole,
        group: all(|written| written.commits + written.conflicts) / all(|written| written.groups),
        conflicts: all(|written| written.conflicts) / whole,
        processes: own.as_secs_f64() * 1000.0 / whole,
        backends: backends.as_secs_f64() * 1000.0 / whole,
        logged: logged as f64 / whole,
    }
}

/// A schema of its own, and who looks after it.
struct Database(Client);

impl Database {
    async fn fresh(url: &str) -> Self {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("the server answers");
        tokio::spawn(connection);
        let fresh = format!("DROP SCHEMA IF EXISTS {SCHEMA} CASCADE; CREATE SCHEMA {SCHEMA}; CHECKPOINT");
        client.batch_execute(&fresh).await.expect("a user who may make schemas");
        Self(client)
    }

    /// The processor time of each of the server's processes, where they are this
    /// machine's.
    async fn cpu(&self) -> HashMap<u32, Duration> {
        let rows = self.0.query("SELECT pid FROM pg_stat_activity", &[]).await.expect("the server answers");
        let pids = rows.iter().map(|row| row.get::<_, i32>(0).cast_unsigned());
        pids.filter_map(|pid| Some((pid, target::cpu(pid)?))).collect()
    }

    async fn drop(self) {
        self.0.batch_execute(&format!("DROP SCHEMA {SCHEMA} CASCADE")).await.expect("what was made");
    }
}

/// What was done.
struct Done {
    /// All verifications.
    whole: u64,
    /// How long those took that ended in the counted time.
    spans: Vec<Duration>,
}

struct Driver {
    addrs: Vec<SocketAddr>,
    /// Who waits for a message, by number.
    waiting: RefCell<HashMap<String, oneshot::Sender<Message>>>,
    /// Of verifications, and of requests.
    begun: Cell<usize>,
    asked: Cell<usize>,
    counted: Instant,
    end: Instant,
    whole: Cell<u64>,
    spans: RefCell<Vec<Duration>>,
    entropy: Entropy,
}

/// What the gateway was given.
struct Message {
    sid: String,
    code: String,
    /// Where its callbacks go, below our address.
    path: String,
}

/// People and a gateway, in one thread.
fn drive(addrs: Vec<SocketAddr>, gateway: std::net::TcpListener, clients: usize, span: Duration) -> Done {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let counted = Instant::now() + WARMING;
    let driver = Rc::new(Driver {
        addrs,
        waiting: RefCell::default(),
        begun: Cell::new(0),
        asked: Cell::new(0),
        counted,
        end: counted + span,
        whole: Cell::new(0),
        spans: RefCell::default(),
        entropy: Entropy::seeded(requests::SEED),
    });
    let tasks = LocalSet::new();
    tasks.block_on(&runtime, async {
        let gateway = TcpListener::from_std(gateway).expect("a listener");
        let gateway = tokio::task::spawn_local(Rc::clone(&driver).gateway(gateway));
        let people: Vec<_> =
            (0..clients).map(|_| tokio::task::spawn_local(Rc::clone(&driver).person())).collect();
        for person in people {
            person.await.expect("a verification comes to its end");
        }
        gateway.abort();
    });
    Done { whole: driver.whole.get(), spans: driver.spans.take() }
}

impl Driver {
    /// Takes messages at once.
    async fn gateway(self: Rc<Self>, listener: TcpListener) {
        while let Ok((mut stream, _)) = listener.accept().await {
            let driver = Rc::clone(&self);
            tokio::task::spawn_local(async move {
                let mut buffer = vec![0; LONGEST_ANSWER];
                while let Some(whole) = message(&mut stream, &mut buffer).await {
                    let answer = driver.take(body(&buffer[..whole]));
                    if stream.write_all(answer.as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    }

    fn take(&self, form: &str) -> String {
        let pairs: HashMap<String, String> = serde_urlencoded::from_str(form).expect("a form");
        let (to, text) = (&pairs["To"], &pairs["Body"]);
        let code = text.split(|c: char| !c.is_ascii_digit()).find(|digits| digits.len() == 6);
        let url = pairs["StatusCallback"].split('#').next().unwrap_or_default();
        let sid = format!("SM{}", self.entropy.hex::<16>());
        let message = Message {
            sid: sid.clone(),
            code: code.expect("a code").to_owned(),
            path: url.strip_prefix(requests::PUBLIC_URL).expect("our address").to_owned(),
        };
        // Nobody waits for one that is sent twice.
        if let Some(person) = self.waiting.borrow_mut().remove(to) {
            let _ = person.send(message);
        }
        let json = serde_json::json!({
            "sid": sid, "status": "queued", "to": to, "from": pairs.get("From"),
            "account_sid": requests::ACCOUNT, "direction": "outbound-api", "num_segments": "1",
        })
        .to_string();
        format!(
            "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{json}",
            json.len()
        )
    }

    /// One verification after the other.
    async fn person(self: Rc<Self>) {
        let mut streams = Vec::new();
        for &addr in &self.addrs {
            streams.push(connect(addr).await);
        }
        let mut buffer = vec![0; LONGEST_ANSWER];
        while Instant::now() < self.end {
            let began = Instant::now();
            self.verify(&mut streams, &mut buffer).await;
            self.whole.set(self.whole.get() + 1);
            let now = Instant::now();
            if now >= self.counted && now < self.end {
                self.spans.borrow_mut().push(now - began);
            }
        }
    }

    async fn verify(&self, streams: &mut [TcpStream], buffer: &mut [u8]) {
        let to = format!("+1415{}", 2_000_000 + self.begun.replace(self.begun.get() + 1));
        let (sender, sent) = oneshot::channel();
        self.waiting.borrow_mut().insert(to.clone(), sender);
        let start = format!("{{\"to\":\"{to}\",\"channel\":\"sms\"}}");
        let start = requests::ask("POST", "/v1/verifications", &start, true);
        let (status, answer) = exchange(self.next(streams), &start, buffer).await;
        assert_eq!(status, 201, "{answer}");
        let id = value_of(answer, "id");
        let Message { sid, code, path } = sent.await.expect("the gateway goes on");
        for status in ["sent", "delivered"] {
            tokio::time::sleep(PAUSE).await;
            let callback = requests::callback(&path, &sid, &to, status, &self.entropy);
            let (status, answer) = exchange(self.next(streams), &callback, buffer).await;
            assert_eq!(status, 204, "{answer}");
        }
        let check = format!("{{\"code\":\"{code}\"}}");
        let check = requests::ask("POST", &format!("/v1/verifications/{id}/check"), &check, true);
        let (status, answer) = exchange(self.next(streams), &check, buffer).await;
        assert!(status == 200 && value_of(answer, "status") == "approved", "{status} {answer}");
    }

    /// The process whose turn it is.
    fn next<'s>(&self, streams: &'s mut [TcpStream]) -> &'s mut TcpStream {
        let nth = self.asked.replace(self.asked.get() + 1) % streams.len();
        &mut streams[nth]
    }
}
