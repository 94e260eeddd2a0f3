//! A sandbox, servers on one store, and a balancer in front of them: each a
//! process of the real binary that can be killed and started again.

use super::proxy::Proxy;
use crate::instance::{ACCOUNT, KEY, TOKEN, binary, wait_ready};
use crate::output::Collected;
use crate::wire::{Answer, PATIENCE, poll, try_answer};
use reqwest::{Client, Method, RequestBuilder};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Whom the servers send as.
const FROM: &str = "+15017122661";
/// The key that all servers derive codes from.
const CODE_KEY: &str = r#"[{ id = "faults", secret = "5d1c0e9fa7b3486282d6f05b7c4a19e3aa01" }]"#;
/// How long a request to Twilio takes at most, connecting and waiting each.
const REQUEST_SECONDS: u64 = 1;
/// How long after its claim a send may be taken over: twice what it takes at
/// most, its turn among the account's requests (5 s) included.
pub const LEASE: Duration = Duration::from_secs(2 * (5 + 2 * REQUEST_SECONDS));
/// Lines of a log that are shown of a run that failed.
const LAST_LINES: usize = 200;
/// The longest that a client waits for an answer.
const CLIENT_PATIENCE: Duration = Duration::from_secs(6);

/// A process of the real binary.
struct Process {
    child: Child,
    out: Collected,
    err: Collected,
}

impl Process {
    fn spawn(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let out = Collected::from(child.stdout.take().unwrap());
        let err = Collected::from(child.stderr.take().unwrap());
        Self { child, out, err }
    }

    /// Kills it where it stands and gives its log.
    fn kill(mut self) -> String {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.out.whole();
        self.err.whole()
    }

    /// Asks it to stop and waits until it has; gives its log.
    async fn stop(mut self) -> String {
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let ended = poll(|| std::future::ready(self.child.try_wait().unwrap())).await;
        let log = self.err.text();
        assert!(ended.is_some_and(|status| status.success()), "ended with {ended:?}:\n{}", end_of(&log));
        self.err.whole()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The last lines of a log.
fn end_of(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}

/// Where everybody is reached: what clients know of a cluster.
#[derive(Clone)]
pub struct Faces {
    pub http: Client,
    pub front: String,
    pub sandbox: String,
    nodes: Arc<Mutex<Vec<Option<SocketAddr>>>>,
}

impl Faces {
    /// A server that lives, or `None`.
    pub fn node(&self, nth: usize) -> Option<String> {
        self.nodes.lock().unwrap().get(nth).copied().flatten().map(|addr| format!("http://{addr}"))
    }

    /// How many servers there are, dead or alive.
    pub fn count(&self) -> usize {
        self.nodes.lock().unwrap().len()
    }

    /// A request to the API by way of `base`.
    pub fn api(&self, base: &str, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{base}{path}")).bearer_auth(KEY)
    }

    /// What the API of any living server answers; none may fail.
    pub async fn get(&self, path: &str) -> Answer {
        let found = poll(|| async {
            let base = (0..self.count()).find_map(|nth| self.node(nth))?;
            try_answer(self.api(&base, Method::GET, path)).await.ok().filter(|answer| answer.status < 500)
        });
        found.await.unwrap_or_else(|| panic!("nobody answered {path}"))
    }

    /// Every message that the sandbox was ever asked to send to a number, or to
    /// anybody, the newest first.
    pub async fn messages(&self, to: Option<&str>) -> Vec<Value> {
        let filter = to.map(|to| format!("To=%2B{}&", to.trim_start_matches('+'))).unwrap_or_default();
        let mut next = format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json?{filter}PageSize=1000");
        let mut all = Vec::new();
        loop {
            let request = self.http.get(format!("{}{next}", self.sandbox)).basic_auth(ACCOUNT, Some(TOKEN));
            let page = try_answer(request).await.unwrap().json();
            all.extend(page["messages"].as_array().unwrap().iter().cloned());
            match page["next_page_uri"].as_str() {
                Some(uri) => next = uri.to_owned(),
                None => return all,
            }
        }
    }
}

/// A sandbox with servers on one store.
pub struct Cluster {
    pub faces: Faces,
    pub front: Proxy,
    dir: TempDir,
    env: BTreeMap<String, String>,
    /// The store of each server: the same, by whatever way.
    stores: Vec<String>,
    nodes: Vec<Option<Process>>,
    sandbox: Option<Process>,
    logs: Vec<String>,
    /// The sandbox's exchanges that were looked at.
    heard: Mutex<BTreeSet<String>>,
}

impl Cluster {
    /// A sandbox and one server on a sled of its own.
    pub async fn sled(seed: u64, env: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = format!("sled:{}", dir.path().join("data").display());
        Self::start(dir, vec![store], seed, env).await
    }

    /// A sandbox, and a server on each of these stores, which are one by
    /// different ways.
    pub async fn on(stores: Vec<String>, seed: u64, env: &[(&str, &str)]) -> Self {
        Self::start(tempfile::tempdir().unwrap(), stores, seed, env).await
    }

    async fn start(dir: TempDir, stores: Vec<String>, seed: u64, env: &[(&str, &str)]) -> Self {
        let front = Proxy::balancer(seed).await;
        let (sandbox, address) = start_sandbox(dir.path()).await;
        let http = Client::builder().no_proxy().timeout(CLIENT_PATIENCE).build().unwrap();
        let faces = Faces {
            http,
            front: format!("http://{}", front.addr()),
            sandbox: address,
            nodes: Arc::new(Mutex::new(vec![None; stores.len()])),
        };
        let mut cluster = Self {
            env: settings(&faces, env),
            nodes: stores.iter().map(|_| None).collect(),
            faces,
            front,
            dir,
            stores,
            sandbox: Some(sandbox),
            logs: Vec::new(),
            heard: Mutex::default(),
        };
        for nth in 0..cluster.nodes.len() {
            cluster.run(nth, &[]).await;
        }
        cluster
    }

    /// How many servers there are, dead or alive.
    pub fn count(&self) -> usize {
        self.nodes.len()
    }

    /// Starts a server, with more in its environment, and waits until it serves.
    pub async fn run(&mut self, nth: usize, env: &[(&str, &str)]) {
        let dir = self.dir.path().join(format!("node{nth}"));
        std::fs::create_dir_all(&dir).unwrap();
        let ready_file = dir.join("ready.json");
        let _ = std::fs::remove_file(&ready_file);
        let mut command = binary(&dir);
        command.envs(&self.env).env("DIALBACK_STORE__URL", &self.stores[nth]).envs(env.iter().copied());
        let mut process = Process::spawn(command.args(["serve", "--ready-file"]).arg(&ready_file));
        let ready = wait_ready(&mut process.child, &ready_file, &process.err).await;
        let addr: SocketAddr = ready["server"].as_str().unwrap().parse().unwrap();
        self.nodes[nth] = Some(process);
        let targets = {
            let mut nodes = self.faces.nodes.lock().unwrap();
            nodes[nth] = Some(addr);
            nodes.iter().flatten().copied().collect()
        };
        self.front.aim(targets);
    }

    /// Kills a server where it stands. The balancer does not know it yet.
    pub fn kill(&mut self, nth: usize) {
        // First, so that nobody takes what dies for what lives.
        self.faces.nodes.lock().unwrap()[nth] = None;
        let process = self.nodes[nth].take().unwrap();
        self.logs.push(process.kill());
    }

    /// The operator's key of a server.
    pub fn operator(&self, nth: usize) -> String {
        let folder = match self.stores[nth].strip_prefix("sled:") {
            Some(folder) => Path::new(folder).to_path_buf(),
            None => self.dir.path().join(format!("node{nth}/data")),
        };
        let left = std::fs::read(folder.join("operator.json")).unwrap();
        serde_json::from_slice::<Value>(&left).unwrap()["key"].as_str().unwrap().to_owned()
    }

    /// The log of a server that runs.
    pub fn log(&self, nth: usize) -> String {
        self.nodes[nth].as_ref().map(|process| process.err.text()).unwrap_or_default()
    }

    /// Its last lines.
    pub fn end_of_log(&self, nth: usize) -> String {
        end_of(&self.log(nth))
    }

    /// What all processes ever logged.
    pub fn logs(&self) -> String {
        let running = (0..self.nodes.len()).map(|nth| self.log(nth));
        self.logs.iter().cloned().chain(running).collect::<Vec<_>>().join("\n")
    }

    /// What all processes ever logged of something.
    pub fn about(&self, what: &str) -> String {
        let logs = self.logs();
        logs.lines().filter(|line| line.contains(what)).collect::<Vec<_>>().join("\n")
    }

    /// The last that the servers said, to be read where something went wrong.
    pub fn latest(&self) -> String {
        let logs = self.logs();
        let lines: Vec<&str> = logs.lines().collect();
        lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
    }

    /// Which statuses of which message the servers have acknowledged to the
    /// sandbox, since the last time it was asked.
    pub async fn told(&self) -> BTreeMap<String, BTreeSet<String>> {
        let url = format!("{}/sandbox/exchanges?kind=status-callback&limit=1000", self.faces.sandbox);
        let list = try_answer(self.faces.http.get(url)).await.unwrap().json();
        let mut told: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut heard = self.heard.lock().unwrap();
        for exchange in list.as_array().unwrap() {
            let is_new = heard.insert(exchange["id"].as_str().unwrap().to_owned());
            let is_taken = exchange["status"].as_u64().is_some_and(|status| (200..300).contains(&status));
            if is_new && is_taken {
                let pairs: BTreeMap<String, String> =
                    serde_urlencoded::from_str(exchange["request"]["body"].as_str().unwrap()).unwrap();
                told.entry(pairs["MessageSid"].clone()).or_default().insert(pairs["MessageStatus"].clone());
            }
        }
        told
    }

    /// The faces for clients who may not give up: what is asked again because
    /// nobody answered in time may be done twice.
    pub fn patient_faces(&self) -> Faces {
        let http = Client::builder().no_proxy().timeout(PATIENCE + LEASE).build().unwrap();
        Faces { http, ..self.faces.clone() }
    }

    /// Lets the sandbox forget what was sent: its shelves have an end.
    pub async fn forget(&self) {
        let url = format!("{}/sandbox/state", self.faces.sandbox);
        let answer = try_answer(self.faces.http.delete(url)).await.unwrap();
        assert!(answer.status < 300, "{}", answer.text);
    }

    /// Stops all in order, and looks for what no log may say.
    pub async fn stop(&mut self) {
        for nth in 0..self.nodes.len() {
            if let Some(process) = self.nodes[nth].take() {
                self.logs.push(process.stop().await);
            }
            self.faces.nodes.lock().unwrap()[nth] = None;
        }
        if let Some(sandbox) = self.sandbox.take() {
            sandbox.stop().await;
        }
        for log in &self.logs {
            for bad in ["panicked at", "is not documented", TOKEN, KEY] {
                let line = log.lines().find(|line| line.contains(bad));
                assert!(line.is_none(), "{bad:?} is in a log: {line:?}");
            }
        }
    }

    /// Where the first server's store is.
    pub fn store(&self) -> &str {
        &self.stores[0]
    }
}

async fn start_sandbox(dir: &Path) -> (Process, String) {
    let dir = dir.join("sandbox");
    std::fs::create_dir_all(&dir).unwrap();
    let ready_file = dir.join("ready.json");
    let mut command = binary(&dir);
    command
        .env("DIALBACK_TWILIO__ACCOUNT_SID", ACCOUNT)
        .env("DIALBACK_TWILIO__AUTH_TOKEN", TOKEN)
        .env("DIALBACK_TWILIO__FROM", FROM)
        .args(["sandbox", "--listen", "127.0.0.1:0", "--pace", "0.3", "--ready-file"])
        .arg(&ready_file);
    let mut process = Process::spawn(&mut command);
    let ready = wait_ready(&mut process.child, &ready_file, &process.err).await;
    let address = format!("http://{}", ready["sandbox"].as_str().unwrap());
    (process, address)
}

fn settings(faces: &Faces, more: &[(&str, &str)]) -> BTreeMap<String, String> {
    let seconds = REQUEST_SECONDS.to_string();
    let base = [
        ("SERVER__LISTEN", "127.0.0.1:0"),
        ("SANDBOX__ENABLED", "false"),
        ("PUBLIC_URL", &faces.front),
        ("TWILIO__ACCOUNT_SID", ACCOUNT),
        ("TWILIO__AUTH_TOKEN", TOKEN),
        ("TWILIO__FROM", FROM),
        ("TWILIO__BASE_URL", &faces.sandbox),
        ("TWILIO__CONNECT_TIMEOUT_SECONDS", &seconds),
        ("TWILIO__REQUEST_TIMEOUT_SECONDS", &seconds),
        ("CODES__KEYS", CODE_KEY),
        ("VERIFICATION__RESEND_COOLDOWN_SECONDS", "[0]"),
        ("API__REQUESTS_PER_MINUTE", "0"),
        ("API_KEY", KEY),
    ];
    let all = base.iter().chain(more);
    all.map(|(key, value)| (format!("DIALBACK_{key}"), (*value).to_owned())).collect()
}

/// Waits until it is so, for at most this long.
pub async fn within<F: Future<Output = bool>>(span: Duration, mut is_so: impl FnMut() -> F) -> bool {
    let deadline = Instant::now() + span;
    while Instant::now() < deadline {
        if is_so().await {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    false
}

/// [`within`] for what nothing on any machine takes longer.
pub async fn eventually<F: Future<Output = bool>>(is_so: impl FnMut() -> F) -> bool {
    within(PATIENCE + LEASE, is_so).await
}
