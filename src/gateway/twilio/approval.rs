//! Whether WhatsApp has approved a template, as Twilio's Content API has it.
//!
//! Source: <https://www.twilio.com/docs/content/content-types-overview> and
//! `…/content/content-api-resources#fetch-an-approval-status-request`.

use super::{Line, Transport, Twilio, refusal};
use crate::gateway::{Approval, SendError};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Requests {
    #[serde(default)]
    whatsapp: Option<Request>,
}

#[derive(Deserialize)]
struct Request {
    status: String,
    #[serde(default)]
    rejection_reason: Option<String>,
}

impl<T: Transport> Twilio<T> {
    pub(super) async fn approval_at_twilio(
        &self,
        line: &Line,
        template: &str,
    ) -> Result<Approval, SendError> {
        self.leave_to_sends(line)?;
        let base_url = self.settings.content_url.trim_end_matches('/');
        let url = format!("{base_url}/v1/Content/{template}/ApprovalRequests");
        let answer = self.call(line, "GET", url, Vec::new(), None).await?;
        match answer.status {
            200 => {}
            404 => return Ok(Approval::Missing),
            _ => return Err(refusal(&answer)),
        }
        let said: Option<Value> = serde_json::from_slice(&answer.body).ok();
        let requests = said.filter(Value::is_object).and_then(|said| Requests::deserialize(said).ok());
        let requests = requests.ok_or_else(|| SendError::unknown("the answer of twilio was no approval"))?;
        Ok(requests.whatsapp.map_or_else(|| Approval::other("unsubmitted", None), read))
    }
}

fn read(request: Request) -> Approval {
    match request.status.as_str() {
        "approved" => Approval::Approved,
        status => Approval::other(status, request.rejection_reason.as_deref()),
    }
}

impl Approval {
    /// A status other than approved, in Twilio's word for it, with its reason.
    fn other(status: &str, reason: Option<&str>) -> Self {
        // Both may be shown: words alone, and short.
        let plain = |text: &str| -> String {
            let is_plain = |c: &char| c.is_ascii_alphanumeric() || " _-,.".contains(*c);
            text.chars().filter(is_plain).take(80).collect()
        };
        let reason = reason.map(plain).filter(|reason| !reason.is_empty());
        match reason {
            Some(reason) => Self::Not { status: format!("{}: {reason}", plain(status)) },
            None => Self::Not { status: plain(status) },
        }
    }
}
