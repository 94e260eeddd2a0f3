//! A provider that speaks `docs/gateway.md`: it proves what it is asked, answers by
//! script, sends nothing twice, and tells what became of it.

use crate::wire::{Answer, answer, poll};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::Sha256;
use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;
use warp::Filter;
use warp::http::{HeaderMap, Method, Response};
use warp::path::FullPath;

/// How a message is answered. Where the script has ended, it is taken.
#[derive(Debug, Clone)]
pub enum Say {
    /// It is sent, and the answer is lost.
    TakenInSilence,
    /// Nothing is sent, and there is no answer.
    Silence,
    /// Nothing is sent.
    No(u16, Value, Option<&'static str>),
    /// It is sent, and somebody else's page is the answer.
    TakenWithAPage,
}

/// What was asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub body: Value,
}

#[derive(Default)]
struct State {
    script: VecDeque<Say>,
    asked: Vec<Asked>,
    /// Its names for what it has sent, by the deliveries' own.
    sent: BTreeMap<String, String>,
    is_deaf: bool,
    unproved: usize,
}

pub struct Provider {
    pub url: String,
    secret: String,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

/// A secret in its text form.
pub fn secret(byte: u8) -> String {
    format!("whsec_{}", STANDARD.encode([byte; 32]))
}

/// The signature of Standard Webhooks, written down once more.
pub fn sign(secret: &str, id: &str, seconds: i64, body: &[u8]) -> String {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

impl Provider {
    /// One that believes what this secret signs.
    pub async fn start(secret: &str) -> Self {
        let state: Arc<Mutex<State>> = Arc::default();
        let (shared, own) = (state.clone(), secret.to_owned());
        let all = warp::method()
            .and(warp::path::full())
            .and(warp::header::headers_cloned())
            .and(warp::body::bytes())
            .then(move |method: Method, path: FullPath, headers: HeaderMap, body: Bytes| {
                let (state, secret) = (shared.clone(), own.clone());
                async move { take(&state, &secret, (&method, path.as_str()), &headers, &body).await }
            })
            .map(Ok::<_, Infallible>)
            .then(|response: Result<Response<String>, Infallible>| async move {
                match response {
                    Ok(response) => response,
                    Err(never) => match never {},
                }
            });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/messages", listener.local_addr().unwrap());
        let task = tokio::spawn(warp::serve(all).incoming(listener).run());
        Self { url, secret: secret.to_owned(), state, task }
    }

    /// How the next messages are answered.
    pub fn next(&self, says: impl Into<VecDeque<Say>>) {
        self.state.lock().unwrap().script = says.into();
    }

    /// Whether look-ups are answered with an error.
    pub fn deaf(&self, is_deaf: bool) {
        self.state.lock().unwrap().is_deaf = is_deaf;
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.state.lock().unwrap().asked.clone()
    }

    /// What was asked by one method.
    pub fn asked_by(&self, method: &str) -> Vec<Asked> {
        self.asked().into_iter().filter(|asked| asked.method == method).collect()
    }

    /// How many messages it has sent, and its name for each.
    pub fn sent(&self) -> BTreeMap<String, String> {
        self.state.lock().unwrap().sent.clone()
    }

    /// How much came that the secret does not prove.
    pub fn unproved(&self) -> usize {
        self.state.lock().unwrap().unproved
    }

    /// The messages that it was asked to send, once there are so many.
    pub async fn posts(&self, count: usize) -> Vec<Asked> {
        let found = poll(|| {
            let posts = self.asked_by("POST");
            std::future::ready(Some(posts).filter(|posts| posts.len() >= count))
        });
        found.await.unwrap_or_else(|| panic!("less than {count} messages came: {:?}", self.asked()))
    }

    /// Tells that, signed now with its secret.
    pub async fn tell(&self, url: &str, told: &Value) -> Answer {
        let now = Timestamp::now().as_second();
        tell_as(url, told, &self.secret, now).await
    }

    /// What became of the first message of all, in the form of a callback.
    pub fn of_first(&self, status: &str) -> Value {
        let (delivery, id) = self.sent().into_iter().next().unwrap();
        json!({ "delivery": delivery, "id": id, "status": status })
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Tells that, signed so.
pub async fn tell_as(url: &str, told: &Value, secret: &str, seconds: i64) -> Answer {
    let body = told.to_string();
    let headers = [
        ("webhook-id", "evt_1".to_owned()),
        ("webhook-timestamp", seconds.to_string()),
        ("webhook-signature", sign(secret, "evt_1", seconds, body.as_bytes())),
    ];
    post(url, &headers, body).await
}

/// Posts that with these headers.
pub async fn post(url: &str, headers: &[(&str, String)], body: String) -> Answer {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = http.post(format!("{url}/gateway/status")).body(body);
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    answer(request).await
}

async fn take(
    state: &Mutex<State>,
    secret: &str,
    (method, path): (&Method, &str),
    headers: &HeaderMap,
    body: &[u8],
) -> Response<String> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (id, at) = (header("webhook-id"), header("webhook-timestamp"));
    let delivery = id.rsplit('-').next().unwrap_or_default().to_owned();
    let wanted = match method.as_str() {
        "POST" => (delivery.clone(), "/messages".to_owned()),
        "GET" => (format!("look-up-{delivery}"), format!("/messages/{delivery}")),
        _ => (format!("erase-{delivery}"), format!("/messages/{delivery}")),
    };
    let is_proved = header("webhook-signature") == sign(secret, id, at.parse().unwrap_or(0), body);
    if !is_proved || (id, path) != (&wanted.0, &wanted.1) {
        state.lock().unwrap().unproved += 1;
        return no(401, &json!({ "reason": "the signature is wrong" }));
    }
    let body = serde_json::from_slice(body).unwrap_or_default();
    let asked = Asked { method: method.to_string(), path: path.to_owned(), body };
    state.lock().unwrap().asked.push(asked);
    match method.as_str() {
        "POST" => send(state, &delivery).await,
        "GET" => looked_up(&state.lock().unwrap(), &delivery),
        _ => match state.lock().unwrap().sent.contains_key(&delivery) {
            true => plain(204, String::new()),
            false => no(404, &Value::Null),
        },
    }
}

async fn send(state: &Mutex<State>, delivery: &str) -> Response<String> {
    let say = state.lock().unwrap().script.pop_front();
    match say {
        Some(Say::Silence) => silence().await,
        Some(Say::No(status, body, wait)) => {
            let mut response = no(status, &body);
            if let Some(wait) = wait {
                response.headers_mut().insert("retry-after", wait.parse().unwrap());
            }
            response
        }
        Some(Say::TakenInSilence) => {
            keep(state, delivery);
            silence().await
        }
        Some(Say::TakenWithAPage) => {
            keep(state, delivery);
            plain(200, "<html>Welcome</html>".to_owned())
        }
        None => plain(201, json!({ "id": keep(state, delivery) }).to_string()),
    }
}

fn keep(state: &Mutex<State>, delivery: &str) -> String {
    let mut state = state.lock().unwrap();
    let name = format!("msg_{}", state.sent.len() + 1);
    state.sent.entry(delivery.to_owned()).or_insert(name).clone()
}

fn looked_up(state: &State, delivery: &str) -> Response<String> {
    match state.sent.get(delivery) {
        _ if state.is_deaf => no(500, &Value::Null),
        Some(id) => plain(200, json!({ "id": id }).to_string()),
        None => no(404, &Value::Null),
    }
}

async fn silence() -> Response<String> {
    tokio::time::sleep(Duration::from_secs(60)).await;
    plain(204, String::new())
}

fn no(status: u16, body: &Value) -> Response<String> {
    plain(status, body.to_string())
}

fn plain(status: u16, body: String) -> Response<String> {
    Response::builder().status(status).body(body).unwrap()
}
