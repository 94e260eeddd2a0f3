//! Callbacks and requests about messages and calls, read into the model's reports.
//!
//! Every parameter of Twilio's documentation has its place; what is not known
//! is kept as it was said, for it is part of what was signed. This module
//! refuses to know whether a request was proved to be Twilio's: that comes first.

use super::mac::tail;
use super::{errors, status};
use crate::model::delivery::{self, About, Fact, Report, Source};
use crate::model::id::{DeliveryId, Sid};
use jiff::Timestamp;

/// Why parameters are not a report. The texts are for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallbackError {
    /// Neither `MessageSid`, `SmsSid`, `SmsMessageSid` nor `CallSid` is there.
    #[error("the request names no message or call: MessageSid or CallSid is missing")]
    NoSid,
    /// A SID that is none.
    #[error("{name} is not a SID of a message or call")]
    BadSid {
        /// The parameter that holds it.
        name: &'static str,
    },
}

/// The names that only repeat what others say.
const REPEATED: [&str; 10] = [
    "SmsSid",
    "SmsStatus",
    "SmsMessageSid",
    "ApiVersion",
    "Called",
    "Caller",
    "CallbackSource",
    "MessageSid",
    "CallSid",
    "MessageStatus",
];

/// Reads a status callback or a voice request: form parameters, decoded, in
/// any order.
///
/// `id` is our name for the delivery, where the callback's URL carried it.
///
/// # Errors
/// When the parameters do not say which message or call they are about. All
/// else is taken: an unknown status is kept as text.
pub fn report(
    pairs: &[(String, String)],
    source: Source,
    id: Option<DeliveryId>,
) -> Result<Report, CallbackError> {
    let sid = sid(pairs)?;
    let mut about = About::default();
    let mut fact = Fact { source, ..Fact::default() };
    for (name, value) in pairs {
        take(&mut about, &mut fact, name, cut(value));
    }
    Ok(Report { sid, id, about, fact })
}

fn sid(pairs: &[(String, String)]) -> Result<Sid, CallbackError> {
    const NAMES: [&str; 4] = ["CallSid", "MessageSid", "SmsSid", "SmsMessageSid"];
    let (name, value) = NAMES
        .iter()
        .find_map(|name| first(pairs, name).map(|value| (*name, value)))
        .ok_or(CallbackError::NoSid)?;
    value.parse().map_err(|_| CallbackError::BadSid { name })
}

/// The first value of a name, when it is not empty.
pub fn first<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(other, value)| other == name && !value.is_empty()).map(|(_, value)| value.as_str())
}

/// Whether machine detection said that no person answered: any machine, or a fax.
///
/// What is signed has nothing between names and values, so whoever has a copy of
/// a request can cut it into other pairs under the same signature. It is looked
/// for where no cut can hide it: in the text that is signed.
pub fn is_machine(pairs: &[(String, String)]) -> bool {
    let signed = tail(pairs);
    ["AnsweredBymachine", "AnsweredByfax"].iter().any(|said| signed.contains(said))
}

fn take(about: &mut About, fact: &mut Fact, name: &str, value: &str) {
    let text = || Some(value.to_owned());
    let taken = match name {
        _ if value.is_empty() => true,
        "AccountSid" => set(&mut about.account_sid, text()),
        "From" => set(&mut about.from, text()),
        "To" => set(&mut about.to, text()),
        "MessagingServiceSid" => set(&mut about.messaging_service_sid, text()),
        "Direction" => set(&mut about.direction, text()),
        "NumSegments" => set(&mut about.num_segments, value.parse().ok()),
        "MessageStatus" | "SmsStatus" | "CallStatus" => set(&mut fact.status, status::read(value)),
        // 0 says that nothing went wrong.
        "ErrorCode" => value == "0" || set(&mut fact.error_code, errors::code(value)),
        "ErrorMessage" => {
            if let Some(words) = errors::own_words(value) {
                fact.other.entry(delivery::ERROR_TEXT.to_owned()).or_insert(words);
            }
            true
        }
        "ChannelPrefix" => {
            fact.other.entry(delivery::CHANNEL.to_owned()).or_insert_with(|| value.to_owned());
            true
        }
        "SequenceNumber" => set(&mut fact.sequence, value.parse().ok()),
        // As callbacks write it, or as event streams do.
        "Timestamp" => set(&mut fact.carrier_at, rfc2822(value).or_else(|| value.parse().ok())),
        "RawDlrDoneDate" => set(&mut fact.carrier_time, text()),
        "AnsweredBy" => set(&mut fact.answered_by, text()),
        "SipResponseCode" => set(&mut fact.sip_code, value.parse().ok()),
        "CallDuration" => set(&mut fact.duration_seconds, value.parse().ok()),
        "Duration" => set(&mut fact.billed_minutes, value.parse().ok()),
        "MachineDetectionDuration" => set(&mut fact.detection_ms, value.parse().ok()),
        _ => REPEATED.contains(&name),
    };
    if !taken && !is_private(name) {
        // The delivery bounds how much of it there may be.
        fact.other.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    }
}

/// True when there was something to set, or it was set before.
fn set<T>(place: &mut Option<T>, value: Option<T>) -> bool {
    if place.is_none() {
        *place = value;
    }
    place.is_some()
}

/// What a person wrote or said, and keys they pressed, is not delivery state.
fn is_private(name: &str) -> bool {
    matches!(
        name,
        "Body" | "Digits" | "SpeechResult" | "UnstableSpeechResult" | "StableSpeechResult" | "CallToken"
    ) || name.starts_with("MediaUrl")
}

/// The beginning of a value; none that Twilio documents is longer.
fn cut(value: &str) -> &str {
    const MAX_BYTES: usize = 512;
    let end = (0..=value.len().min(MAX_BYTES)).rev().find(|end| value.is_char_boundary(*end)).unwrap_or(0);
    &value[..end]
}

/// A time as Twilio writes it: `Thu, 24 Aug 2023 05:01:45 +0000`.
pub fn rfc2822(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::status::Status;

    fn read(body: &str) -> Result<Report, CallbackError> {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(body).unwrap();
        report(&pairs, Source::StatusCallback, None)
    }

    const SID: &str = "SM5629a724cf3acc3d9dcd56e449ebabde";

    #[test]
    fn a_message_callback_is_read() {
        let report = read(&format!(
            "ErrorCode=30003&RawDlrDoneDate=2611200931&SmsSid={SID}&SmsStatus=undelivered&MessageStatus=undelivered\
             &To=%2B15005550006&MessageSid={SID}&AccountSid=AC5629a724cf3acc3d9dcd56e449ebabde&From=%2B15005550010\
             &ApiVersion=2010-04-01&ChannelPrefix=whatsapp&NewThing=yes"
        ))
        .unwrap();
        assert_eq!(report.fact.status, Some(Status::Undelivered));
        assert_eq!(report.fact.error_code, Some(30003));
        assert_eq!(report.fact.carrier_time.as_deref(), Some("2611200931"));
        assert_eq!(report.about.to.as_deref(), Some("+15005550006"));
        let other: Vec<_> = report.fact.other.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(other, ["ChannelPrefix=whatsapp", "NewThing=yes"]);
    }

    #[test]
    fn a_call_callback_is_read_with_its_units() {
        let report = read(
            "CallSid=CA5629a724cf3acc3d9dcd56e449ebabde&CallStatus=completed&Timestamp=Thu,%2024%20Aug%202023%2005:01:45%20%2B0000\
             &SequenceNumber=3&CallDuration=15&Duration=1&SipResponseCode=200&AnsweredBy=human&Called=%2B1&CallbackSource=call-progress-events",
        )
        .unwrap();
        let fact = &report.fact;
        assert_eq!((fact.status, fact.sequence), (Some(Status::Completed), Some(3)));
        assert_eq!(
            (fact.duration_seconds, fact.billed_minutes, fact.sip_code),
            (Some(15), Some(1), Some(200))
        );
        assert_eq!(fact.carrier_at.unwrap().to_string(), "2023-08-24T05:01:45Z");
        assert!(fact.other.is_empty(), "{:?}", fact.other);
    }

    #[test]
    fn the_order_of_parameters_does_not_matter() {
        let forth = read(&format!("MessageSid={SID}&MessageStatus=sent&A=1&B=2")).unwrap();
        let back = read(&format!("B=2&A=1&MessageStatus=sent&MessageSid={SID}")).unwrap();
        assert_eq!(forth, back);
    }

    #[test]
    fn an_unknown_status_is_kept_and_nothing_private_is() {
        let report =
            read(&format!("MessageSid={SID}&MessageStatus=teleported&Body=123456&Digits=1")).unwrap();
        assert_eq!(report.fact.status, None);
        assert_eq!(report.fact.other.keys().collect::<Vec<_>>(), ["MessageStatus"]);
        let odd = read(&format!("MessageSid={SID}&CallStatus=odd&ErrorCode=abc")).unwrap();
        assert_eq!(odd.fact.other["ErrorCode"], "abc");
    }

    #[test]
    fn a_long_value_is_cut() {
        let names = ["To", "AnsweredBy", "RawDlrDoneDate", "Odd"];
        let mut pairs: Vec<_> = names.map(|name| (name.to_owned(), "é".repeat(999))).to_vec();
        pairs.push(("MessageSid".to_owned(), SID.to_owned()));
        let Report { about, fact, .. } = report(&pairs, Source::StatusCallback, None).unwrap();
        let texts = [about.to, fact.answered_by, fact.carrier_time, fact.other.get("Odd").cloned()];
        assert_eq!(texts, [(); 4].map(|()| Some("é".repeat(256))));
    }

    #[test]
    fn a_machine_is_one_however_the_request_is_cut() {
        let machine = |body: &str| is_machine(&serde_urlencoded::from_str::<Vec<_>>(body).unwrap());
        for body in [
            "AccountSid=AC1&AnsweredBy=machine_start&ApiVersion=2010-04-01",
            "ApiVersion=2010-04-01&AnsweredBy=machine_end_beep",
            "AccountSid=AC1&AnsweredBymachine_start=&ApiVersion=2010-04-01",
            "AccountSid=AC1&An=sweredBymachine_startApiVersion2010-04-01",
            "AccountSid=AC1AnsweredByfax&ApiVersion=2010-04-01",
        ] {
            assert!(machine(body), "{body}");
        }
        for body in
            ["AccountSid=AC1&AnsweredBy=human", "AnsweredBy=unknown&Machine=machine_start", "AnsweredBy="]
        {
            assert!(!machine(body), "{body}");
        }
    }

    #[test]
    fn a_report_about_nothing_is_an_error() {
        assert_eq!(read("MessageStatus=sent"), Err(CallbackError::NoSid));
        assert_eq!(read("MessageSid=SMx"), Err(CallbackError::BadSid { name: "MessageSid" }));
    }
}
