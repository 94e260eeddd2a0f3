//! A transport that answers by script, for the tests of what is asked of a provider.

use super::http::{Answer, Outgoing, Transport, TransportError};
use async_trait::async_trait;
use std::sync::Mutex;

/// What is answered to every request.
pub(super) type Scripted = Result<Answer, TransportError>;

/// Answers always the same, and remembers what it was asked.
pub(super) struct Fake {
    /// What it answers.
    pub(super) answer: Scripted,
    /// The requests, in their order.
    pub(super) asked: Mutex<Vec<Outgoing>>,
}

#[async_trait]
impl Transport for &'static Fake {
    async fn call(&self, request: Outgoing) -> Scripted {
        self.asked.lock().unwrap().push(request);
        self.answer.clone()
    }
}
