//! Somebody who is sent events: a small HTTP server that answers by script and
//! keeps what it was sent.

use crate::wire::poll;
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// How a request is answered.
#[derive(Debug, Clone, Copy)]
pub enum Say {
    Status(u16),
    /// A status with a header.
    With(u16, &'static str),
    /// Nothing, ever.
    Silence,
    /// The connection is closed without an answer.
    Close,
    /// A good status, and a body that is announced and never ends.
    Drip,
}

/// A request that came.
#[derive(Debug, Clone)]
pub struct Received {
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Received {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn id(&self) -> String {
        self.headers["webhook-id"].clone()
    }

    pub fn event_type(&self) -> String {
        self.json()["type"].as_str().unwrap().to_owned()
    }
}

pub struct Receiver {
    pub url: String,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    seen: Vec<Received>,
    script: VecDeque<Say>,
}

impl Receiver {
    /// One that answers 204, except where a script says otherwise.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hooks", listener.local_addr().unwrap());
        let state: Arc<Mutex<State>> = Arc::default();
        let shared = state.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, shared.clone()));
            }
        });
        Self { url, state, task }
    }

    /// What the next requests are answered; 204 after that.
    pub fn next(&self, says: &[Say]) {
        self.state.lock().unwrap().script = says.iter().copied().collect();
    }

    pub fn seen(&self) -> Vec<Received> {
        self.state.lock().unwrap().seen.clone()
    }

    /// What came, once it is so much.
    pub async fn wait(&self, count: usize) -> Vec<Received> {
        let found = poll(|| std::future::ready(Some(self.seen()).filter(|seen| seen.len() >= count))).await;
        found.unwrap_or_else(|| panic!("{count} requests did not come, but {:?}", self.seen().len()))
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let Some(received) = read(&mut stream).await else { return };
    let say = {
        let mut state = state.lock().unwrap();
        state.seen.push(received);
        state.script.pop_front().unwrap_or(Say::Status(204))
    };
    let head =
        |status: u16, header: &str| format!("HTTP/1.1 {status} X\r\n{header}\r\nConnection: close\r\n");
    let answer = match say {
        Say::Status(status) => head(status, "X: y") + "Content-Length: 0\r\n\r\n",
        Say::With(status, header) => head(status, header) + "Content-Length: 0\r\n\r\n",
        Say::Close => return,
        Say::Silence => return tokio::time::sleep(Duration::from_secs(60)).await,
        Say::Drip => head(200, "X: y") + "Content-Length: 1000000\r\n\r\nx",
    };
    let _ = stream.write_all(answer.as_bytes()).await;
    if matches!(say, Say::Drip) {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
}

async fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    loop {
        let mut part = [0; 4096];
        let count = stream.read(&mut part).await.ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&part[..count]);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let lines = head.lines().skip(1).filter_map(|line| line.split_once(": "));
        let headers: BTreeMap<String, String> =
            lines.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
        let length: usize = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        if bytes.len() >= end + 4 + length {
            return Some(Received { headers, body: bytes[end + 4..end + 4 + length].to_vec() });
        }
    }
}
