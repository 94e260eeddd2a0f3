//! The real binary as a child process, with ports and a directory of its own.
//!
//! Whatever a test learns that may not be logged (codes, tokens, whole numbers,
//! signatures that would have been right) the app remembers, and at its end its
//! output is searched for it. The banner shows the sandbox's API key on
//! purpose; nothing else may.

pub use crate::wire::{Answer, answer, code_in, form, poll, sign, text, try_answer, with_json, wrong};

use crate::output::{Collected, tells};
use crate::wire::PATIENCE;
use reqwest::{Method, RequestBuilder};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The account and token of apps without a sandbox.
pub const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
pub const TOKEN: &str = "7f3c2a91be5d4c06a8e1f20b9d6475ce";
/// The key of the application that the tests are.
pub const KEY: &str = "dbk_tests_3b1f0c7ad2e94586";

/// What an app is started with.
#[derive(Clone)]
pub struct Setup {
    env: BTreeMap<String, String>,
    dir: Option<PathBuf>,
    is_sandboxed: bool,
}

impl Setup {
    /// With the sandbox, in which nothing takes time.
    pub fn sandbox() -> Self {
        let setup = Self { env: BTreeMap::new(), dir: None, is_sandboxed: true };
        setup
            .set("SERVER__LISTEN", "127.0.0.1:0")
            .set("SANDBOX__LISTEN", "127.0.0.1:0")
            .set("SANDBOX__PACE", "0")
    }

    /// Without the sandbox: webhooks come from the test, and sending finds nobody.
    pub fn live() -> Self {
        let setup = Self { is_sandboxed: false, ..Self::sandbox() };
        setup
            .set("SANDBOX__ENABLED", "false")
            .set("PUBLIC_URL", PUBLIC_URL)
            .set("TWILIO__ACCOUNT_SID", ACCOUNT)
            .set("TWILIO__AUTH_TOKEN", TOKEN)
            .set("TWILIO__FROM", "+15017122661")
            .set("TWILIO__BASE_URL", "http://127.0.0.1:9")
    }

    /// Sets a key, written as in `SERVER__LISTEN`.
    pub fn set(mut self, key: &str, value: &str) -> Self {
        self.env.insert(format!("DIALBACK_{key}"), value.to_owned());
        self
    }

    /// Lets nothing go by the next channel by itself, for stories about something else.
    pub fn without_failover(self) -> Self {
        self.set("SERVICES", "{ default = { failover = \"off\" } }")
    }

    /// Sets a variable that is none of Dialback's own.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Keeps the store in a directory that outlives the app.
    pub fn dir(mut self, dir: &Path) -> Self {
        self.dir = Some(dir.to_owned());
        self
    }

    /// Starts it and waits until it serves.
    pub async fn start(self) -> Instance {
        let own = self.dir.is_none().then(|| TempDir::new().unwrap());
        let dir = self.dir.clone().unwrap_or_else(|| own.as_ref().unwrap().path().to_owned());
        let ready_file = dir.join("ready.json");
        let _ = std::fs::remove_file(&ready_file);
        let store = format!("sled:{}", dir.join("data").display());
        let mut child = binary(&dir)
            .env("DIALBACK_STORE__URL", &store)
            .env("DIALBACK_API_KEY", KEY)
            .envs(&self.env)
            .args(["serve", "--ready-file"])
            .arg(&ready_file)
            .spawn()
            .unwrap();
        let out = Collected::from(child.stdout.take().unwrap());
        let err = Collected::from(child.stderr.take().unwrap());
        let ready = wait_ready(&mut child, &ready_file, &err).await;
        let url = |name: &str| ready[name].as_str().map(|addr| format!("http://{addr}")).unwrap_or_default();
        let local = std::fs::read(dir.join("data/local.json")).unwrap();
        let local: Value = serde_json::from_slice(&local).unwrap();
        let (account, token) = match self.is_sandboxed {
            true => (text(&local["account_sid"]), text(&local["auth_token"])),
            false => (ACCOUNT.to_owned(), TOKEN.to_owned()),
        };
        let server = url("server");
        let public_url = match self.env.get("DIALBACK_PUBLIC_URL") {
            Some(url) => url.clone(),
            None => server.clone(),
        };
        let secrets = [KEY.to_owned(), token.clone(), text(&local["code_key"]), text(&local["auth_token"])];
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        Instance {
            child: Some(child),
            _own: own,
            store,
            server,
            admin: url("admin"),
            sandbox: url("sandbox"),
            public_url,
            account,
            token,
            sandbox_key: text(&local["api_key"]),
            http,
            out,
            err,
            secrets: Mutex::new(secrets.into()),
        }
    }
}

/// Where apps without a sandbox say that Twilio reaches them.
pub const PUBLIC_URL: &str = "https://otp.example.com";

/// Says that a test was skipped and how to turn it on. Written past the
/// harness, which keeps what passing tests print to itself.
pub fn skipped(what: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "skipped: {what}");
}

/// The binary, in a directory and an environment where it finds nothing.
pub fn binary(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dialback"));
    command.current_dir(dir).env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Waits until a process has written that it serves, and gives what it wrote.
pub async fn wait_ready(child: &mut Child, file: &Path, err: &Collected) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Ok(text) = std::fs::read(file) {
            return serde_json::from_slice(&text).unwrap();
        }
        let ended = child.try_wait().unwrap();
        if ended.is_some() || Instant::now() > deadline {
            let _ = child.kill();
            let _ = child.wait();
            panic!("the server did not start ({ended:?}): {}", err.text());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A running app. It is killed when it is dropped, and its output searched.
pub struct Instance {
    child: Option<Child>,
    _own: Option<TempDir>,
    /// The store's URL, by which the command line finds the server.
    pub store: String,
    pub server: String,
    /// The listener for this machine's own.
    pub admin: String,
    pub sandbox: String,
    pub public_url: String,
    pub account: String,
    pub token: String,
    pub sandbox_key: String,
    pub http: reqwest::Client,
    out: Collected,
    err: Collected,
    secrets: Mutex<BTreeSet<String>>,
}

/// How an app ended, and what it had said.
pub struct Ended {
    pub status: ExitStatus,
    pub err: String,
}

impl Instance {
    /// Remembers something that may never be logged.
    pub fn learn(&self, secret: impl Into<String>) {
        let secret = secret.into();
        self.secrets.lock().unwrap().insert(secret.trim_start_matches('+').to_owned());
    }

    /// The operator's key, which the server leaves beside its store.
    pub fn operator(&self) -> String {
        let dir = self.store.strip_prefix("sled:").unwrap();
        let left = std::fs::read(Path::new(dir).join("operator.json")).unwrap();
        let key = text(&serde_json::from_slice::<Value>(&left).unwrap()["key"]);
        self.learn(&key);
        key
    }

    /// Makes an API key that may do this.
    pub async fn key(&self, scopes: &[&str]) -> String {
        let body = json!({ "name": "a test's", "scopes": scopes });
        let request = self.http.post(format!("{}/v1/keys", self.server)).bearer_auth(self.operator());
        let made = answer(with_json(request, &body)).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let key = text(&made.json()["key"]);
        self.learn(&key);
        key
    }

    /// A request with that key and, where there is one, that body.
    pub async fn ask(&self, key: &str, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let request = self.http.request(method, format!("{}{path}", self.server)).bearer_auth(key);
        answer(match body {
            Some(body) => with_json(request, body),
            None => request,
        })
        .await
    }

    /// What `/readyz` of the admin listener counts of rejected webhooks.
    pub async fn rejected(&self) -> Value {
        let ready = answer(self.http.get(format!("{}/readyz", self.admin))).await;
        assert_eq!(ready.status, 200, "{}", ready.text);
        ready.json()["rejected_webhooks"].clone()
    }

    /// The process, as the system calls it.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    /// What was printed so far.
    pub fn printed(&self) -> String {
        self.out.text()
    }

    /// The log so far.
    pub fn log(&self) -> String {
        self.err.text()
    }

    /// Its last lines, for who must find out why.
    pub fn end_of_log(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    /// Waits until the log has this text.
    pub async fn logged(&self, text: &str) -> String {
        let found = poll(|| async { Some(self.log()).filter(|log| log.contains(text)) }).await;
        found.unwrap_or_else(|| panic!("{text:?} was not logged:\n{}", self.end_of_log()))
    }

    /// A request to the API with the tests' key.
    pub fn api(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.server)).bearer_auth(KEY)
    }

    pub async fn get(&self, path: &str) -> Answer {
        answer(self.api(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        if let Some(to) = body["to"].as_str() {
            self.learn(to);
        }
        answer(with_json(self.api(Method::POST, path), body)).await
    }

    /// Starts a verification that must be accepted.
    pub async fn begin(&self, to: &str, channel: &str) -> Value {
        let started = self.post("/v1/verifications", &json!({ "to": to, "channel": channel })).await;
        assert_eq!(started.status, 201, "{}", started.text);
        started.json()
    }

    pub async fn check(&self, id: &str, code: &str) -> Answer {
        self.post(&format!("/v1/verifications/{id}/check"), &json!({ "code": code })).await
    }

    /// A verification, once it looks as wished.
    pub async fn verification(&self, id: &str, wished: impl Fn(&Value) -> bool) -> Value {
        self.eventually(&format!("/v1/verifications/{id}"), wished).await
    }

    /// A delivery, once it looks as wished.
    pub async fn delivery(&self, sid: &str, wished: impl Fn(&Value) -> bool) -> Value {
        self.eventually(&format!("/v1/deliveries/{sid}"), wished).await
    }

    async fn eventually(&self, path: &str, wished: impl Fn(&Value) -> bool) -> Value {
        let last = Mutex::new(String::new());
        let found = poll(|| async {
            let answer = self.get(path).await;
            last.lock().unwrap().clone_from(&answer.text);
            Some(answer).filter(|answer| answer.status == 200).map(|answer| answer.json()).filter(&wished)
        });
        found.await.unwrap_or_else(|| panic!("{path} stayed {}\n{}", last.lock().unwrap(), self.end_of_log()))
    }

    /// A control of the sandbox that must be accepted.
    pub async fn control(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        let request = self.http.request(method, format!("{}/sandbox{path}", self.sandbox));
        let answer = answer(match body {
            Some(body) => with_json(request, body),
            None => request,
        });
        let answer = answer.await;
        assert!((200..300).contains(&answer.status), "{path}: {}", answer.text);
        if answer.text.is_empty() { Value::Null } else { answer.json() }
    }

    /// Says how a telephone behaves.
    pub async fn phone(&self, number: &str, behaviour: Value) {
        self.learn(number);
        self.control(Method::PUT, &format!("/phones/{number}"), Some(&behaviour)).await;
    }

    /// Moves the clock that service and sandbox share.
    pub async fn advance(&self, seconds: u32) {
        self.control(Method::POST, "/clock", Some(&json!({ "advance_seconds": seconds }))).await;
    }

    /// The texts on a telephone, once there are so many.
    pub async fn texts(&self, number: &str, count: usize) -> Vec<Value> {
        let path = format!("/phones/{number}/messages?wait=1");
        let found = poll(|| async {
            let texts = self.control(Method::GET, &path, None).await.as_array().cloned()?;
            Some(texts).filter(|texts| texts.len() >= count)
        });
        found.await.unwrap_or_else(|| panic!("{count} texts did not come:\n{}", self.end_of_log()))
    }

    /// The code in the newest text on a telephone that has so many texts.
    pub async fn texted_code(&self, number: &str, count: usize) -> String {
        let texts = self.texts(number, count).await;
        let code = code_in(texts.last().unwrap()["body"].as_str().unwrap());
        self.learn(&code);
        code
    }

    /// The newest call of a telephone, once it looks as wished.
    pub async fn call(&self, number: &str, wished: impl Fn(&Value) -> bool) -> Value {
        let path = format!("/phones/{number}/calls");
        let last = Mutex::new(Value::Null);
        let found = poll(|| async {
            let calls = self.control(Method::GET, &path, None).await;
            let call = calls.as_array()?.last()?.clone();
            last.lock().unwrap().clone_from(&call);
            Some(call).filter(&wished)
        });
        found
            .await
            .unwrap_or_else(|| panic!("the call stayed {}\n{}", last.lock().unwrap(), self.end_of_log()))
    }

    pub async fn answer(&self, call: &Value) {
        self.control(Method::POST, &format!("/calls/{}/answer", text(&call["sid"])), Some(&json!({}))).await;
    }

    pub async fn press(&self, call: &Value, digits: &str) {
        let path = format!("/calls/{}/press", text(&call["sid"]));
        self.control(Method::POST, &path, Some(&json!({ "digits": digits }))).await;
    }

    /// The exchanges of a kind about one message or call, oldest first.
    pub async fn exchanges(&self, kind: &str, sid: &str) -> Vec<Value> {
        let list =
            self.control(Method::GET, &format!("/exchanges?kind={kind}&sid={sid}&limit=1000"), None).await;
        list.as_array().unwrap().iter().rev().cloned().collect()
    }

    /// A webhook with these parameters, signed with the account's token.
    pub async fn webhook(&self, path: &str, params: &[(&str, &str)]) -> Answer {
        let signature = sign(&self.token, &format!("{}{path}", self.public_url), params);
        self.forged(path, params, &[("x-twilio-signature", &signature)]).await
    }

    /// The same with whatever headers. The signature that would have been
    /// right may not be logged.
    pub async fn forged(&self, path: &str, params: &[(&str, &str)], headers: &[(&str, &str)]) -> Answer {
        self.learn(sign(&self.token, &format!("{}{path}", self.public_url), params));
        for (name, value) in params {
            if matches!(*name, "From" | "To") {
                self.learn(*value);
            }
        }
        let mut request = self.http.post(format!("{}{path}", self.server)).body(form(params));
        request = request.header("content-type", "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request).await
    }

    /// Asks it to stop, without waiting for it.
    pub fn terminate(&self) {
        kill_process(Pid::from_child(self.child.as_ref().unwrap()), Signal::TERM).unwrap();
    }

    /// Stops it in order. It must end in time, and content.
    pub async fn stop(mut self) -> Ended {
        self.terminate();
        let mut child = self.child.take().unwrap();
        let status = poll(|| std::future::ready(child.try_wait().unwrap())).await;
        if status.is_none() {
            let _ = child.kill();
        }
        let ended = Ended { status: child.wait().unwrap(), err: self.check_output() };
        assert!(ended.status.success(), "ended with {:?}:\n{}", ended.status, ended.err);
        ended
    }

    /// Waits until it ends by itself, which it must in time.
    pub async fn ended(mut self) -> Ended {
        let mut child = self.child.take().unwrap();
        let status = poll(|| std::future::ready(child.try_wait().unwrap())).await;
        if status.is_none() {
            let _ = child.kill();
        }
        let ended = Ended { status: child.wait().unwrap(), err: self.check_output() };
        assert!(status.is_some(), "it did not end:\n{}", ended.err);
        ended
    }

    /// Kills it where it stands.
    pub fn kill(mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        self.check_output();
    }

    /// Waits for the end of the output and searches it; gives the log.
    fn check_output(&mut self) -> String {
        let (out, err) = (self.out.whole(), self.err.whole());
        let secrets = self.secrets.lock().unwrap();
        let out = out.replace(&self.sandbox_key, "…");
        for (secret, text) in secrets.iter().flat_map(|secret| [(secret, &out), (secret, &err)]) {
            if let Some(line) = text.lines().find(|line| tells(line, secret)) {
                panic!("{secret:?} is in the output: {line}");
            }
        }
        assert!(!err.contains(&self.sandbox_key), "the API key is in the log");
        assert!(!err.contains("panicked at"), "something panicked:\n{err}");
        assert!(!err.contains("is not documented"), "the API answered what it does not document:\n{err}");
        err
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let _ = child.kill();
        let _ = child.wait();
        if !std::thread::panicking() {
            self.check_output();
        }
    }
}
