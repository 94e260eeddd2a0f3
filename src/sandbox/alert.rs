//! What Twilio's debugger would show: an error or a warning of a message or a call.

use jiff::Timestamp;
use serde_json::{Value, json};

/// Something that Twilio's debugger would show.
#[derive(Clone)]
pub(super) struct Alert {
    /// Its SID, `NO…`, as a notification and as an alert.
    pub id: String,
    /// The account it befell.
    pub account: String,
    /// The error code.
    pub code: u32,
    /// What happened, in words.
    pub message: String,
    /// The message or call it happened to.
    pub sid: String,
    /// The URL concerned.
    pub url: Option<String>,
    /// When it happened, by the sandbox's clock.
    pub at: Timestamp,
}

impl Alert {
    /// Whether it is a warning, such as of what a document had too much of, and no error.
    pub fn is_warning(&self) -> bool {
        matches!(self.code, 12200 | 13300..=13999 | 32019)
    }

    /// The alert as an event of the error log.
    pub fn log(&self) -> Value {
        json!({
            "resource_sid": self.sid,
            "service_sid": null,
            "account_sid": self.account,
            "error_code": self.code.to_string(),
            "level": "ERROR",
            "request_url": self.url,
            "msg": self.message,
            "timestamp": self.at.to_string(),
        })
    }

    /// The alert as the controls show it.
    pub fn document(&self) -> Value {
        json!({
            "code": self.code,
            "message": self.message,
            "sid": self.sid,
            "url": self.url,
            "at": self.at.to_string(),
            "more_info": format!("https://www.twilio.com/docs/errors/{}", self.code),
        })
    }
}
