//! Twilio Lookup, version 2: one request for one number, with the fields that are
//! configured. It refuses to know what a number is looked up for.
//!
//! Source: <https://www.twilio.com/docs/lookup/v2-api>, and `…/line-type-intelligence`,
//! `…/sim-swap`, `…/sms-pumping-risk` beside it.

use super::http::{Answer, Outgoing, Transport, TransportError};
use crate::model::lookup::{LineType, LookedUp, LookupField};
use crate::model::phone::PhoneNumber;
use crate::secret::Secret;
use crate::twilio::response::ErrorDocument;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::value::{Error as NoWord, StrDeserializer};
use serde::de::{IgnoredAny, IntoDeserializer};
use std::sync::Arc;

/// Asks Twilio what it knows of numbers.
pub struct Lookups {
    /// `https://lookups.twilio.com`, or the sandbox.
    base_url: String,
    /// `AC…` and its auth token, or `SK…` and its secret.
    auth: (String, Secret),
    transport: Arc<dyn Transport>,
}

/// Why nothing is known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// Nobody can say now, of any number.
    #[error("{0}")]
    Away(String),
    /// It takes too long for this one; carriers answer in their own time.
    #[error("no answer: {0}")]
    Slow(String),
    /// It is no number that Twilio knows, or one that it does not look up.
    #[error("not looked up: answered with {0}")]
    Unknown(u16),
}

/// The answer, as far as it is read. Of a field that was not asked for, or that could not
/// be had, Twilio says null.
#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    line_type_intelligence: Option<LineTypeIntelligence>,
    #[serde(default)]
    sim_swap: Option<SimSwap>,
    #[serde(default)]
    sms_pumping_risk: Option<PumpingRisk>,
}

#[derive(Deserialize)]
struct LineTypeIntelligence {
    #[serde(default, rename = "type")]
    of: Option<String>,
    /// Of a number whose line could not be had.
    #[serde(default)]
    error_code: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct SimSwap {
    #[serde(default)]
    last_sim_swap: Option<LastSimSwap>,
    #[serde(default)]
    error_code: Option<IgnoredAny>,
}

/// Some carriers tell the time, others whether it was within a period.
#[derive(Deserialize)]
struct LastSimSwap {
    #[serde(default)]
    last_sim_swap_date: Option<String>,
    #[serde(default)]
    swapped_in_period: Option<bool>,
}

#[derive(Deserialize)]
struct PumpingRisk {
    #[serde(default)]
    sms_pumping_risk_score: Option<f64>,
    /// Whether Twilio's own guard blocks the number now.
    #[serde(default)]
    number_blocked: Option<bool>,
    #[serde(default)]
    error_code: Option<IgnoredAny>,
}

impl Lookups {
    /// Asks there, over any transport.
    pub fn new(base_url: &str, auth: (String, Secret), transport: Arc<dyn Transport>) -> Self {
        Self { base_url: base_url.trim_end_matches('/').to_owned(), auth, transport }
    }

    /// What is known of a number now, of these fields.
    ///
    /// # Errors
    /// Why nothing is; they name no number.
    pub async fn ask(
        &self,
        number: &PhoneNumber,
        fields: &[LookupField],
        now: Timestamp,
    ) -> Result<LookedUp, LookupError> {
        let fields: Vec<&str> = fields.iter().map(|field| field.as_str()).collect();
        let number = number.in_full().replace('+', "%2B");
        let url = format!("{}/v2/PhoneNumbers/{number}?Fields={}", self.base_url, fields.join("%2C"));
        let request = Outgoing { method: "GET", url, auth: self.auth.clone(), form: Vec::new() };
        let answer = self.transport.call(request).await.map_err(|error| match error {
            TransportError::NotConnected(why) => LookupError::Away(format!("cannot connect: {why}")),
            TransportError::Broken(why) => LookupError::Slow(why),
        })?;
        read(&answer, now)
    }
}

/// "The requested resource was not found": of Twilio, and not of whoever else stands there.
const NOT_FOUND: u32 = 20404;

fn read(answer: &Answer, now: Timestamp) -> Result<LookedUp, LookupError> {
    match answer.status {
        200..=299 => {}
        // Of the number and not of us: it is none.
        400 => return Err(LookupError::Unknown(400)),
        404 if serde_json::from_slice::<ErrorDocument>(&answer.body)
            .is_ok_and(|said| said.code == Some(NOT_FOUND)) =>
        {
            return Err(LookupError::Unknown(404));
        }
        status => return Err(LookupError::Away(format!("answers with {status}"))),
    }
    let document: Document = serde_json::from_slice(&answer.body)
        .map_err(|_| LookupError::Away("answers with what is no answer".to_owned()))?;
    let line = document.line_type_intelligence.filter(|line| line.error_code.is_none());
    let swap = document.sim_swap.filter(|swap| swap.error_code.is_none());
    let risk = document.sms_pumping_risk.filter(|risk| risk.error_code.is_none());
    Ok(LookedUp {
        line_type: line.and_then(|line| line.of).and_then(|of| line_type(&of)),
        swapped_at: swap.and_then(|swap| swap.last_sim_swap).and_then(|last| swapped_at(&last, now)),
        risk: risk.and_then(|risk| score(&risk)),
    })
}

/// A line type; nothing for a word that nobody knows yet.
fn line_type(word: &str) -> Option<LineType> {
    let word: StrDeserializer<'_, NoWord> = word.into_deserializer();
    LineType::deserialize(word).ok()
}

fn swapped_at(last: &LastSimSwap, now: Timestamp) -> Option<Timestamp> {
    if let Some(at) = last.last_sim_swap_date.as_deref().and_then(|text| text.parse::<Timestamp>().ok()) {
        return Some(at);
    }
    // Sometime within a period that is the account's: just now, as far as anybody knows.
    (last.swapped_in_period == Some(true)).then_some(now)
}

fn score(risk: &PumpingRisk) -> Option<u8> {
    if risk.number_blocked == Some(true) {
        return Some(100);
    }
    risk.sms_pumping_risk_score.map(|score| score.clamp(0.0, 100.0) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::phone::{Kind, Line};
    use async_trait::async_trait;
    use serde_json::{Value, json};
    use std::sync::Mutex;

    struct Says(u16, Value, Mutex<Vec<String>>);

    #[async_trait]
    impl Transport for Says {
        async fn call(&self, request: Outgoing) -> Result<Answer, TransportError> {
            self.2.lock().unwrap().push(format!("{} {}", request.method, request.url));
            Ok(Answer { status: self.0, retry_after: None, body: self.1.to_string().into_bytes() })
        }
    }

    fn now() -> Timestamp {
        "2026-11-20T09:00:00Z".parse().unwrap()
    }

    async fn asked(status: u16, document: Value) -> (Result<LookedUp, LookupError>, Vec<String>) {
        let says = Arc::new(Says(status, document, Mutex::default()));
        let fields = [LookupField::LineType, LookupField::SimSwap];
        let auth = ("AC1".to_owned(), Secret::new("token"));
        let lookups = Lookups::new("http://127.0.0.1:1/", auth, says.clone());
        let answer = lookups.ask(&"+14155550123".parse().unwrap(), &fields, now()).await;
        let asked = says.2.lock().unwrap().clone();
        (answer, asked)
    }

    #[tokio::test]
    async fn the_fields_are_asked_for_and_read() {
        let (answer, asked) = asked(
            200,
            json!({
                "phone_number": "+14155550123",
                "line_type_intelligence": { "type": "fixedVoip", "carrier_name": "X", "error_code": null },
                "sim_swap": { "last_sim_swap": {
                    "last_sim_swap_date": "2026-11-20T06:30:00Z",
                    "swapped_period": "PT15H33M44S", "swapped_in_period": true } },
                "sms_pumping_risk": { "sms_pumping_risk_score": 88, "number_blocked": false },
            }),
        )
        .await;
        let answer = answer.unwrap();
        assert_eq!((answer.line_type, answer.line()), (Some(LineType::FixedVoip), Line::Special(Kind::Voip)));
        assert_eq!((answer.facts(now()).unwrap().swapped_hours, answer.risk), (Some(2), Some(88)));
        let url =
            "http://127.0.0.1:1/v2/PhoneNumbers/%2B14155550123?Fields=line_type_intelligence%2Csim_swap";
        assert_eq!(asked, [format!("GET {url}")]);
    }

    #[tokio::test]
    async fn what_could_not_be_had_is_not_known() {
        let empty = LookedUp::NOTHING;
        for document in [
            json!({}),
            json!({ "line_type_intelligence": null, "sim_swap": null, "sms_pumping_risk": null }),
            json!({ "line_type_intelligence": { "type": "landline", "error_code": 60600 } }),
            json!({ "sim_swap": { "last_sim_swap": null, "error_code": 60606 } }),
            json!({ "sim_swap": { "last_sim_swap": { "swapped_period": "PT24H", "swapped_in_period": false } } }),
            json!({ "sms_pumping_risk": { "sms_pumping_risk_score": 99, "error_code": 60600 } }),
            json!({ "line_type_intelligence": { "type": "of tomorrow" } }),
        ] {
            assert_eq!(asked(200, document.clone()).await.0.unwrap(), empty, "{document}");
        }
        assert_eq!(empty.facts(now()), None);
    }

    #[tokio::test]
    async fn a_period_counts_as_just_now_and_a_blocked_number_is_the_worst() {
        let swap = json!({ "last_sim_swap": { "swapped_period": "P7D", "swapped_in_period": true } });
        let risk = json!({ "sms_pumping_risk_score": 3, "number_blocked": true });
        let answer = asked(200, json!({ "sim_swap": swap, "sms_pumping_risk": risk })).await.0.unwrap();
        assert_eq!((answer.facts(now()).unwrap().swapped_hours, answer.risk), (Some(0), Some(100)));
    }

    #[tokio::test]
    async fn a_number_that_is_none_is_told_from_a_provider_that_is_away() {
        assert_eq!(asked(404, json!({ "code": 20404 })).await.0, Err(LookupError::Unknown(404)));
        for status in [401, 403, 404, 429, 500, 503] {
            let error = asked(status, json!({})).await.0.unwrap_err();
            assert_eq!(error, LookupError::Away(format!("answers with {status}")));
        }
        assert!(matches!(asked(200, json!("no")).await.0, Err(LookupError::Away(_))));
    }
}
