//! Error documents as Twilio's 2010 API writes them.

use super::incoming::json_reply;
use serde_json::{Map, Value, json};
use warp::http::HeaderValue;
use warp::reply::Response;

/// Why a request was refused: HTTP status, Twilio's code and text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// Twilio's error code.
    pub code: u32,
    /// What was wrong, as `message` of the document says it.
    pub message: String,
    detail: Option<&'static str>,
}

impl Refusal {
    /// A parameter was wrong: status 400.
    pub fn bad(code: u32, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// A refusal with any status, without more detail than its text.
    pub fn new(status: u16, code: u32, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), detail: None }
    }

    /// The credentials were missing or wrong.
    pub fn unauthorized(message: &str) -> Self {
        let detail = Some("Your AccountSid or AuthToken was incorrect.");
        Self { detail, ..Self::new(401, 20003, message) }
    }

    /// There is no such resource; `path` as it was requested.
    pub fn not_found(path: &str) -> Self {
        Self::new(404, 20404, format!("The requested resource {path} was not found"))
    }

    /// The document, in Twilio's order of fields.
    pub fn document(&self) -> Value {
        let mut fields = Map::new();
        fields.insert("code".to_owned(), json!(self.code));
        if let Some(detail) = self.detail {
            fields.insert("detail".to_owned(), json!(detail));
        }
        fields.insert("message".to_owned(), json!(self.message));
        let more = format!("https://www.twilio.com/docs/errors/{}", self.code);
        fields.insert("more_info".to_owned(), json!(more));
        fields.insert("status".to_owned(), json!(self.status));
        Value::Object(fields)
    }

    /// The reply, with the headers that belong to it.
    pub fn reply(&self) -> Response {
        let mut response = json_reply(self.status, &self.document());
        let header = match self.status {
            401 => Some(("www-authenticate", "Basic realm=\"Twilio API\"")),
            429 => Some(("retry-after", "1")),
            _ => None,
        };
        if let Some((name, value)) = header {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_twilios() {
        let document = Refusal::unauthorized("Authenticate").document();
        assert_eq!(
            document,
            json!({
                "code": 20003,
                "detail": "Your AccountSid or AuthToken was incorrect.",
                "message": "Authenticate",
                "more_info": "https://www.twilio.com/docs/errors/20003",
                "status": 401
            })
        );
    }
}
