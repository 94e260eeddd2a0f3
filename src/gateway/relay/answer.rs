//! What an answer of the other side means. It refuses to know how it came.

use crate::gateway::SendError;
use crate::gateway::http::Answer;
use crate::model::delivery::Report;
use crate::twilio::errors::own_words;
use serde::Deserialize;
use std::time::Duration;

/// The longest name that the other side may have for a message, in characters.
const LONGEST_REFERENCE: usize = 128;

/// What every reference is, for whoever gives another one.
pub(super) const REFERENCE: &str = "is a text of 1 to 128 visible ASCII characters";

/// Whether a text can be the other side's name for a message.
pub(super) fn is_reference(text: &str) -> bool {
    (1..=LONGEST_REFERENCE).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// That a message was taken.
#[derive(Deserialize)]
pub(super) struct Taken {
    id: String,
}

impl Taken {
    /// # Errors
    /// [`SendError::Unknown`] where it does not say under which name: it may be anybody's
    /// answer, such as a proxy's.
    pub(super) fn read(answer: &Answer) -> Result<Self, SendError> {
        let taken = serde_json::from_slice::<Self>(&answer.body).ok();
        taken.filter(|taken| is_reference(&taken.id)).ok_or_else(|| {
            let status = answer.status;
            SendError::unknown(format!("the gateway answered {status} without an id, which {REFERENCE}"))
        })
    }

    pub(super) fn tell(self, mut report: Report) -> Report {
        report.about.reference = Some(self.id);
        report
    }
}

/// Why a message was not taken, as far as the answer says.
#[derive(Default, Deserialize)]
struct Said {
    #[serde(default)]
    code: Option<serde_json::Value>,
    #[serde(default)]
    reason: Option<serde_json::Value>,
}

impl Said {
    fn of(answer: &Answer) -> Self {
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }

    fn code(&self) -> Option<u32> {
        self.code.as_ref()?.as_u64().and_then(|code| u32::try_from(code).ok()).filter(|code| *code > 0)
    }

    /// In words, without numbers and codes.
    fn reason(&self) -> Option<String> {
        own_words(self.reason.as_ref()?.as_str()?)
    }
}

/// What an answer without success means for the request: too many requests, and who says
/// when to come again, have processed nothing; any other no to the request is certain, and
/// of all else nobody knows.
pub(super) fn refusal(answer: &Answer) -> SendError {
    let (status, said) = (answer.status, Said::of(answer));
    let reason = match said.reason() {
        Some(words) => format!("the gateway answered {status}: {words}"),
        None => format!("the gateway answered {status}"),
    };
    let (code, after) = (said.code(), Duration::from_secs(answer.retry_after.unwrap_or(0)));
    match status {
        429 => SendError::NotProcessed { code, reason, after },
        503 if answer.retry_after.is_some() => SendError::NotProcessed { code, reason, after },
        400..=407 | 409..=499 => SendError::Refused { code, reason },
        _ => SendError::Unknown { code, reason, after },
    }
}
