//! Requests to Twilio's REST API, 2010-04-01, as form parameters.
//!
//! Only what a verification needs; names and limits are those of the Messages
//! and Calls resources' documentation.

use std::collections::BTreeMap;
use std::time::Duration;

/// Who a message comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sender {
    /// A number, short code or name of the account.
    From(String),
    /// A messaging service, which picks the number.
    MessagingService(String),
}

/// What a message says.
#[derive(Clone, Copy)]
pub enum Content<'a> {
    /// Text, at most 1600 characters.
    Body(&'a str),
    /// A template that is kept at Twilio, which WhatsApp has approved.
    Template {
        /// Its SID: `HX` and 32 hexadecimal digits.
        sid: &'a str,
        /// The values of its variables, by name.
        variables: &'a BTreeMap<String, String>,
    },
}

/// Parameters of `POST …/Messages.json`.
#[derive(Clone)]
pub struct CreateMessage<'a> {
    /// Recipient: E.164, or a channel's address, `whatsapp:+…`.
    pub to: &'a str,
    /// Who it is from: a number, a channel's address or a messaging service.
    pub sender: &'a Sender,
    /// What it says.
    pub content: Content<'a>,
    /// Where statuses are reported.
    pub status_callback: &'a str,
    /// How long it may wait in Twilio's queue: 1 to 36,000 seconds.
    pub validity: Duration,
}

impl CreateMessage<'_> {
    /// The form parameters.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let sender = match self.sender {
            Sender::From(from) => ("From", from.clone()),
            Sender::MessagingService(sid) => ("MessagingServiceSid", sid.clone()),
        };
        let mut pairs = vec![("To", self.to.to_owned()), sender];
        match self.content {
            Content::Body(body) => pairs.push(("Body", body.to_owned())),
            Content::Template { sid, variables } => {
                pairs.push(("ContentSid", sid.to_owned()));
                pairs.push(("ContentVariables", serde_json::json!(variables).to_string()));
            }
        }
        pairs.push(("StatusCallback", self.status_callback.to_owned()));
        pairs.push(("ValidityPeriod", self.validity.as_secs().clamp(1, 36_000).to_string()));
        pairs
    }
}

/// Answering machine detection, by Twilio's names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MachineDetection {
    /// No detection: whoever answers hears it.
    #[default]
    Off,
    /// `Enable`: says who answered as soon as it is known.
    Enable,
    /// `DetectMessageEnd`: waits for the end of a machine's greeting.
    DetectMessageEnd,
}

/// Parameters of `POST …/Calls.json`.
#[derive(Clone)]
pub struct CreateCall<'a> {
    /// Whom to call, E.164.
    pub to: &'a str,
    /// A number of the account.
    pub from: &'a str,
    /// Where the TwiML is.
    pub url: &'a str,
    /// What is asked for TwiML where the URL fails, or what it says does.
    pub fallback_url: Option<&'a str>,
    /// Where statuses are reported.
    pub status_callback: &'a str,
    /// How long it may ring: up to 600 seconds.
    pub ring: Duration,
    /// Whether to find out who answered.
    pub machine_detection: MachineDetection,
    /// Digits to dial once it is answered, at most 32 of `0-9 # * w`.
    pub send_digits: Option<&'a str>,
}

impl CreateCall<'_> {
    /// The form parameters.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = vec![
            ("To", self.to.to_owned()),
            ("From", self.from.to_owned()),
            ("Url", self.url.to_owned()),
            ("Method", "POST".to_owned()),
            ("StatusCallback", self.status_callback.to_owned()),
            ("StatusCallbackMethod", "POST".to_owned()),
            ("Timeout", self.ring.as_secs().clamp(5, 600).to_string()),
        ];
        pairs.extend(
            ["initiated", "ringing", "answered", "completed"]
                .map(|event| ("StatusCallbackEvent", event.to_owned())),
        );
        if let Some(url) = self.fallback_url {
            pairs.extend([("FallbackUrl", url.to_owned()), ("FallbackMethod", "POST".to_owned())]);
        }
        pairs.extend(self.send_digits.map(|digits| ("SendDigits", digits.to_owned())));
        match self.machine_detection {
            MachineDetection::Off => {}
            MachineDetection::Enable => pairs.push(("MachineDetection", "Enable".to_owned())),
            MachineDetection::DetectMessageEnd => {
                pairs.push(("MachineDetection", "DetectMessageEnd".to_owned()))
            }
        }
        pairs
    }
}
