//! A server for one case: the real binary, with a memory store and the sandbox
//! unless the case says otherwise, and requests to it byte by byte.

use crate::instance::{ACCOUNT, binary, wait_ready};
use crate::output::Collected;
use crate::wire::PATIENCE;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The account's token, which cases have in hexadecimal digits too.
pub const TOKEN: &str = "fedcba9876543210fedcba9876543210";
/// The application's key.
pub const KEY: &str = "field-00000000000000000000000000000000";

pub struct Server {
    child: Child,
    dir: TempDir,
    port: u16,
    pub sandbox: Option<String>,
    /// Where Twilio is told that this server is.
    pub public: String,
    /// The JSON of the last answer.
    pub last: Value,
    env: BTreeMap<String, String>,
    log: Collected,
    _out: Collected,
}

impl Server {
    /// Starts one and waits until it serves.
    pub async fn start(config: &Map<String, Value>) -> Self {
        let dir = TempDir::new().unwrap();
        let env = environment(config, dir.path());
        let ready_file = dir.path().join("ready.json");
        let mut command = binary(dir.path());
        let mut child = command.envs(&env).args(["serve", "--ready-file"]).arg(&ready_file).spawn().unwrap();
        let log = Collected::from(child.stderr.take().unwrap());
        let out = Collected::from(child.stdout.take().unwrap());
        let ready = wait_ready(&mut child, &ready_file, &log).await;
        let port = ready["server"].as_str().unwrap().rsplit(':').next().unwrap().parse().unwrap();
        let own = || format!("http://127.0.0.1:{port}");
        let public = config.get("public_url").and_then(Value::as_str).map_or_else(own, str::to_owned);
        let sandbox = ready["sandbox"].as_str().map(|address| format!("http://{address}"));
        Self { child, dir, port, sandbox, public, last: Value::Null, env, log, _out: out }
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Another command of the binary, in the same environment.
    pub fn command(&self) -> Command {
        let mut command = binary(self.dir.path());
        command.envs(&self.env).stdin(Stdio::null());
        command
    }

    /// Sends a request as it is written here, and gives status and body.
    pub async fn raw(
        &self,
        method: &str,
        target: &str,
        headers: &[(String, String)],
        body: &[u8],
    ) -> (u16, String) {
        let answered = tokio::time::timeout(PATIENCE, self.exchange(method, target, headers, body));
        answered.await.expect("an answer in time").unwrap()
    }

    async fn exchange(
        &self,
        method: &str,
        target: &str,
        headers: &[(String, String)],
        body: &[u8],
    ) -> std::io::Result<(u16, String)> {
        let mut head = format!("{method} {target} HTTP/1.1\r\n");
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            head.push_str("Host: localhost\r\n");
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("Content-Length: {}\r\nConnection: close\r\n\r\n", body.len()));
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        stream.write_all(&[head.as_bytes(), body].concat()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        let answer = String::from_utf8_lossy(&answer);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Ok((status.unwrap_or_else(|| panic!("no status in {head:?}")), body.to_owned()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let log = self.log.whole();
        assert!(std::thread::panicking() || !log.contains("panicked at"), "something panicked:\n{log}");
    }
}

fn environment(config: &Map<String, Value>, dir: &Path) -> BTreeMap<String, String> {
    let dir_text = dir.to_str().unwrap();
    let plain = [
        ("server.listen", "127.0.0.1:0"),
        ("sandbox.listen", "127.0.0.1:0"),
        ("sandbox.pace", "0"),
        ("store.url", "memory:"),
        ("store.state_dir", dir_text),
        ("twilio.account_sid", ACCOUNT),
        ("twilio.auth_token", TOKEN),
        ("twilio.from", "+15005550006"),
    ];
    let mut settings: BTreeMap<String, Option<String>> =
        plain.into_iter().map(|(key, value)| (key.to_owned(), Some(value.to_owned()))).collect();
    for (key, value) in config {
        settings.insert(key.clone(), setting(value, dir));
    }
    let name = |key: &str| format!("DIALBACK_{}", key.replace('.', "__").to_uppercase());
    let set = settings.into_iter().filter_map(|(key, value)| Some((name(&key), value?)));
    set.chain([("DIALBACK_API_KEY".to_owned(), KEY.to_owned())]).collect()
}

/// A setting as text. `bytes:` is a file's content, handed over by its name.
fn setting(value: &Value, dir: &Path) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let Some(bytes) = text.strip_prefix("bytes:") else { return Some(text) };
    let file = dir.join("secret");
    std::fs::write(&file, hex::decode(bytes).unwrap()).unwrap();
    Some(file.to_str().unwrap().to_owned())
}
