//! The far side: the sandbox, what its controls are told, and what its telephones got.

use bytes::Bytes;
use dialback::sandbox::Sandbox;
use http_body_util::{BodyExt, Full};
use serde_json::Value;
use tower_service::Service as _;
use warp::http::{Method, Request};

/// The sandbox, asked in-process. Clones are the same.
#[derive(Clone)]
pub struct Far(Sandbox);

impl Far {
    /// That sandbox.
    pub fn new(sandbox: Sandbox) -> Self {
        Self(sandbox)
    }

    /// Tells a telephone how to behave from now on.
    pub async fn behave(&self, number: &str, behaviour: &Value) {
        self.control(Method::PUT, &format!("phones/{number}"), behaviour.to_string()).await;
    }

    /// Says how a template stands with WhatsApp.
    pub async fn template(&self, sid: &str, status: &str) {
        let body = serde_json::json!({ "status": status }).to_string();
        self.control(Method::PUT, &format!("templates/{sid}"), body).await;
    }

    /// What a message or call of that number says: what stands on the screen, or what was
    /// spoken; nothing where it did not come.
    pub async fn words(&self, number: &str, sid: &str) -> Option<String> {
        let phone = self.control(Method::GET, &format!("phones/{number}"), String::new()).await;
        let own = |list: &str| phone[list].as_array()?.iter().find(|one| one["sid"] == sid).cloned();
        if let Some(text) = own("messages").filter(|text| text["direction"] == "received") {
            return text["body"].as_str().map(str::to_owned);
        }
        let spoken = own("calls")?["spoken"].as_array()?.clone();
        Some(spoken.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n"))
    }

    /// Asks a control, and gives its answer.
    ///
    /// # Panics
    /// When the sandbox does not take it: then the hour is not the one that was described.
    async fn control(&self, method: Method, path: &str, body: String) -> Value {
        let request = Request::builder()
            .method(method)
            .uri(format!("/sandbox/{path}"))
            .header("host", "127.0.0.1")
            .header("content-type", "application/json")
            .body(Full::<Bytes>::from(body))
            .expect("a request of known parts");
        let answer = match warp::service(self.0.filter()).call(request).await {
            Ok(answer) => answer,
            Err(never) => match never {},
        };
        let status = answer.status();
        let body = answer.into_body().collect().await.expect("an answer in memory").to_bytes();
        assert!(status.is_success(), "{path}: {status} {}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).unwrap_or_default()
    }
}
