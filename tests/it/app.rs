//! The real binary as a child process, with ports and a directory of its own.
//!
//! Whatever a test learns that may not be logged (codes, tokens, whole numbers,
//! signatures that would have been right) the app remembers, and at its end its
//! output is searched for it. The banner shows the sandbox's API key on
//! purpose; nothing else may.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use sha1::Sha1;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Nothing that a test waits for takes this long on any machine.
pub const PATIENCE: Duration = Duration::from_secs(30);
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

    /// Keeps the store in a directory that outlives the app.
    pub fn dir(mut self, dir: &Path) -> Self {
        self.dir = Some(dir.to_owned());
        self
    }

    /// Starts it and waits until it serves.
    pub async fn start(self) -> App {
        let own = self.dir.is_none().then(|| TempDir::new().unwrap());
        let dir = self.dir.clone().unwrap_or_else(|| own.as_ref().unwrap().path().to_owned());
        let ready_file = dir.join("ready.json");
        let _ = std::fs::remove_file(&ready_file);
        let mut child = binary(&dir)
            .env("DIALBACK_STORE__URL", format!("sled:{}", dir.join("data").display()))
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
        App {
            child: Some(child),
            _own: own,
            server,
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

/// The binary, in a directory and an environment where it finds nothing.
pub fn binary(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dialback"));
    command.current_dir(dir).env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

async fn wait_ready(child: &mut Child, file: &Path, err: &Collected) -> Value {
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
pub struct App {
    child: Option<Child>,
    _own: Option<TempDir>,
    pub server: String,
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

impl App {
    /// Remembers something that may never be logged.
    pub fn learn(&self, secret: impl Into<String>) {
        let secret = secret.into();
        self.secrets.lock().unwrap().insert(secret.trim_start_matches('+').to_owned());
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
        err
    }
}

impl Drop for App {
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let _ = child.kill();
        let _ = child.wait();
        if !std::thread::panicking() {
            self.check_output();
        }
    }
}

/// True when a line has the secret. A code counts only when it stands alone,
/// for six figures are easily a part of something else.
fn tells(line: &str, secret: &str) -> bool {
    let is_code = secret.len() <= 10 && secret.bytes().all(|byte| byte.is_ascii_digit());
    if !is_code {
        return !secret.is_empty() && line.contains(secret);
    }
    let apart = |between: &str| secret.chars().map(String::from).collect::<Vec<_>>().join(between);
    if [" ", ", ", ". ", "-"].iter().any(|between| line.contains(&apart(between))) {
        return true;
    }
    line.match_indices(secret).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + secret.len()..]);
        let joined = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        let is_time = ["micros=", "\"micros\":"].iter().any(|name| before.ends_with(name));
        !is_time && !joined(before.chars().next_back()) && !joined(after.chars().next())
    })
}

/// What a pipe gave so far, read by a thread of its own.
struct Collected {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Collected {
    fn from(mut pipe: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let into = bytes.clone();
        let reader = std::thread::spawn(move || {
            let mut piece = [0; 8192];
            while let Ok(length @ 1..) = pipe.read(&mut piece) {
                into.lock().unwrap().extend_from_slice(&piece[..length]);
            }
        });
        Self { bytes, reader: Some(reader) }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap()).into_owned()
    }

    fn whole(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.text()
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {:?}", self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// Asserts that this is a problem document with everything that belongs to
    /// one, and gives it.
    pub fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!((&problem["status"], &problem["code"]), (&json!(status), &json!(code)), "{problem}");
        assert!(problem["type"].as_str().unwrap().starts_with("https://"), "{problem}");
        for name in ["title", "detail"] {
            assert!(!problem[name].as_str().unwrap().is_empty(), "{name} of {problem}");
        }
        problem
    }
}

/// Sends a request that must be answered.
pub async fn answer(request: RequestBuilder) -> Answer {
    try_answer(request).await.unwrap()
}

/// Sends a request that may find nobody.
pub async fn try_answer(request: RequestBuilder) -> reqwest::Result<Answer> {
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Ok(Answer { status, headers, text: response.text().await? })
}

pub fn with_json(request: RequestBuilder, body: &Value) -> RequestBuilder {
    request.header("content-type", "application/json").body(body.to_string())
}

/// Asks again and again until there is something, or patience ends.
pub async fn poll<T, F: Future<Output = Option<T>>>(mut look: impl FnMut() -> F) -> Option<T> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if let Some(found) = look().await {
            return Some(found);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    None
}

/// A value that is text.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// The first six figures that stand alone.
pub fn code_in(words: &str) -> String {
    let mut parts = words.split(|c: char| !c.is_ascii_digit());
    let code = parts.find(|part| part.len() == 6);
    code.unwrap_or_else(|| panic!("no code in {words:?}")).to_owned()
}

/// A code that is not this one.
pub fn wrong(code: &str) -> String {
    let last = if code.ends_with('0') { '1' } else { '0' };
    format!("{}{last}", &code[..code.len() - 1])
}

/// Parameters as a form.
pub fn form(params: &[(&str, &str)]) -> String {
    serde_urlencoded::to_string(params).unwrap()
}

/// `X-Twilio-Signature` as Twilio's documentation describes it.
pub fn sign(token: &str, url: &str, params: &[(&str, &str)]) -> String {
    let sorted: BTreeSet<_> = params.iter().collect();
    let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).unwrap();
    mac.update(url.as_bytes());
    for (name, value) in sorted {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

#[test]
fn the_search_of_the_output_finds_what_it_looks_for() {
    let code = "042137";
    for line in ["code=042137", "your code is 042137.", "said 0 4 2 1 3 7", "0, 4, 2, 1, 3, 7", "\"042137\""]
    {
        assert!(tells(line, code), "{line}");
    }
    for line in ["sid=SM0421370000", "micros=042137", "2026-11-20T10:00:00.042137Z", "042138", "1042137"] {
        assert!(!tells(line, code), "{line}");
    }
    assert!(tells("to=%2B15551230101 x", "15551230101") && !tells("to=+15*******01", "15551230101"));
    assert!(tells("why=KbWYbtGNBGwzLsvYq6VUs8yUnFM=", "KbWYbtGNBGwzLsvYq6VUs8yUnFM="));
}

#[test]
fn signatures_are_those_of_twilios_documentation() {
    let params = [
        ("To", "+18005551212"),
        ("CallSid", "CA1234567890ABCDE"),
        ("Digits", "1234"),
        ("Caller", "+14158675310"),
        ("From", "+14158675310"),
    ];
    let url = "https://example.com/myapp.php?foo=1&bar=2";
    assert_eq!(sign("12345", url, &params), "L/OH5YylLD5NRKLltdqwSvS0BnU=");
}
