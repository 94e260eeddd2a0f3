//! The line between the two: it breaks by script.

use async_trait::async_trait;
use dialback::gateway::http::{Answer, Client, Outgoing, TlsError, Transport, TransportError};
use serde_json::json;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    Send,
    LookUp,
    Check,
}

/// How the line breaks for one request.
#[derive(Debug, Clone, Copy)]
pub enum Break {
    /// There is no connection.
    Away,
    /// It arrives, and the answer does not.
    LostAnswer,
    /// It does not arrive, and is answered so: a status, a code and a wait.
    Status(u16, u32, Option<u64>),
    /// It is answered, and the answer waits until it is released.
    Hold,
}

pub struct Line {
    client: Client,
    script: Mutex<BTreeMap<Way, VecDeque<Break>>>,
    asked: Mutex<Vec<Way>>,
    answered: Mutex<Vec<Way>>,
    is_holding: AtomicBool,
    released: Notify,
}

impl Line {
    pub fn to(client: Result<Client, TlsError>) -> Self {
        Self {
            client: client.unwrap(),
            script: Mutex::default(),
            asked: Mutex::default(),
            answered: Mutex::default(),
            is_holding: AtomicBool::new(false),
            released: Notify::new(),
        }
    }

    /// How it breaks for the next requests of a kind.
    pub fn breaks(&self, way: Way, breaks: impl Into<VecDeque<Break>>) {
        self.script.lock().unwrap().insert(way, breaks.into());
    }

    /// How many of a kind were asked.
    pub fn count(&self, way: Way) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| **asked == way).count()
    }

    /// Waits until an answer is held.
    pub async fn holding(&self) {
        let is_so = || std::future::ready(self.is_holding.load(Ordering::SeqCst).then_some(()));
        crate::wire::poll(is_so).await.unwrap();
    }

    /// Waits until so many of a kind were answered by the far side.
    pub async fn answered(&self, way: Way, count: usize) {
        let is_so = || {
            let answered = self.answered.lock().unwrap().iter().filter(|one| **one == way).count();
            std::future::ready((answered >= count).then_some(()))
        };
        crate::wire::poll(is_so).await.unwrap();
    }

    /// Lets the answer go that is held.
    pub fn release(&self) {
        self.released.notify_one();
    }

    async fn through(&self, way: Way, request: Outgoing) -> Result<Answer, TransportError> {
        let answer = self.client.call(request).await;
        self.answered.lock().unwrap().push(way);
        answer
    }
}

fn way_of(request: &Outgoing) -> Way {
    match request.method {
        "GET" => Way::LookUp,
        _ if request.url.ends_with("/VerificationCheck") => Way::Check,
        _ => Way::Send,
    }
}

#[async_trait]
impl Transport for &'static Line {
    async fn call(&self, request: Outgoing) -> Result<Answer, TransportError> {
        let way = way_of(&request);
        self.asked.lock().unwrap().push(way);
        let next = self.script.lock().unwrap().get_mut(&way).and_then(VecDeque::pop_front);
        match next {
            None => self.through(way, request).await,
            Some(Break::Away) => Err(TransportError::NotConnected("connection refused".into())),
            Some(Break::LostAnswer) => {
                drop(self.through(way, request).await);
                Err(TransportError::Broken("time ran out".into()))
            }
            Some(Break::Status(status, code, retry_after)) => {
                let body = json!({ "code": code, "message": "in words", "status": status });
                Ok(Answer { status, retry_after, body: body.to_string().into_bytes() })
            }
            Some(Break::Hold) => {
                let answer = self.through(way, request).await;
                self.is_holding.store(true, Ordering::SeqCst);
                self.released.notified().await;
                answer
            }
        }
    }
}
