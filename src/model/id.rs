//! Names of things. A value of one of these types is well-formed.

use crate::model::channel::Channel;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;

/// Why a text is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid id: expected {expected} followed by 32 hexadecimal digits")]
pub struct BadId {
    expected: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefixes:expr, $expected:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                if well_formed(text, $prefixes) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(BadId { expected: $expected })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;
            fn try_from(text: String) -> Result<Self, BadId> {
                if well_formed(&text, $prefixes) { Ok(Self(text)) } else { Err(BadId { expected: $expected }) }
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A verification of ours: `VE`, 30 random hexadecimal digits, and `00`,
    /// the place where its deliveries carry their number.
    VerificationId,
    &["VE"],
    "VE"
);

id!(
    /// A message of its own, which is no verification's: `OM`, 30 random hexadecimal
    /// digits, and `00`, the place where its deliveries carry their number.
    MessageId,
    &["OM"],
    "OM"
);

/// What stands before the deliveries of verifications.
const OF_VERIFICATION: &str = "DL";
/// What stands before those of messages of their own.
const OF_MESSAGE: &str = "DM";

/// Prefixes of the names that the provider gives, and that records and settings hold
/// as they were given.
pub mod given {
    /// A message in words.
    pub const TEXT: &str = "SM";
    /// A message with a picture.
    pub const MEDIA: &str = "MM";
    /// A telephone call.
    pub const CALL: &str = "CA";
    /// A messaging service: a set of senders.
    pub const MESSAGING_SERVICE: &str = "MG";
    /// A template of messages.
    pub const CONTENT: &str = "HX";
}

id!(
    /// A message or call as we name it before the provider does: the 30 random digits of
    /// its verification behind `DL`, or of its message behind `DM`, and its number there in
    /// two hexadecimal digits.
    DeliveryId,
    &[OF_VERIFICATION, OF_MESSAGE],
    "DL or DM"
);

id!(
    /// A message or call as the provider names it: `SM…`, `MM…` or `CA…`.
    Sid,
    &[given::TEXT, given::MEDIA, given::CALL],
    "SM, MM or CA"
);

id!(
    /// A service: `VA` and 32 hexadecimal digits.
    ServiceId,
    &["VA"],
    "VA"
);

id!(
    /// Somebody's way through the hosted pages: `PS` and 32 random hexadecimal
    /// digits. Who knows it may open the first page, so it is never logged.
    SessionId,
    &["PS"],
    "PS"
);

impl SessionId {
    /// An id from 16 random bytes.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(format!("PS{}", hex::encode(bytes)))
    }
}

id!(
    /// An event: `EV`, its time in twelve hexadecimal
    /// digits of milliseconds, and 20 that are random or one step after those
    /// of the event before. Ids sort by time.
    EventId,
    &["EV"],
    "EV"
);

id!(
    /// An endpoint: where events are sent to.
    EndpointId,
    &["EP"],
    "EP"
);

id!(
    /// A line of the audit log: `AU`, its time in twelve hexadecimal digits of
    /// milliseconds, and 20 random ones. Ids sort by time.
    AuditId,
    &["AU"],
    "AU"
);

id!(
    /// The erasing of a number: `ER` and 32 random hexadecimal digits.
    ErasureId,
    &["ER"],
    "ER"
);

id!(
    /// An entry of a list of who is allowed or blocked: `LE` and 32 random hexadecimal
    /// digits.
    ListEntryId,
    &["LE"],
    "LE"
);

impl ListEntryId {
    /// An id from 16 random bytes.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(format!("LE{}", hex::encode(bytes)))
    }
}

impl AuditId {
    /// The id of that time and the lowest 80 bits of a number.
    pub fn new(at: Timestamp, low: u128) -> Self {
        Self(EventId::new(at, low).0.replacen("EV", "AU", 1))
    }
}

impl ErasureId {
    /// An id from 16 random bytes.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(format!("ER{}", hex::encode(bytes)))
    }
}

impl EventId {
    /// The id of that time and the lowest 80 bits of a number.
    pub fn new(at: Timestamp, low: u128) -> Self {
        let millis = u64::try_from(at.as_millisecond()).unwrap_or(0) & ((1 << 48) - 1);
        Self(format!("EV{millis:012x}{:020x}", low & ((1 << 80) - 1)))
    }

    /// The time that it was made for, to the millisecond.
    pub fn at(&self) -> Timestamp {
        let millis = i64::from_str_radix(&self.0[2..14], 16).unwrap_or(0);
        Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
    }

    /// The id that is so many steps further.
    pub fn plus(&self, steps: u64) -> Self {
        let number = u128::from_str_radix(&self.0[2..], 16).unwrap_or(0);
        Self(format!("EV{:032x}", number.saturating_add(u128::from(steps))))
    }

    /// The last id that could come before it.
    pub fn previous(&self) -> Self {
        let number = u128::from_str_radix(&self.0[2..], 16).unwrap_or(0);
        Self(format!("EV{:032x}", number.saturating_sub(1)))
    }
}

impl EndpointId {
    /// An id from 16 random bytes.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(format!("EP{}", hex::encode(bytes)))
    }
}

impl ServiceId {
    /// An id from 16 random bytes.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(format!("VA{}", hex::encode(bytes)))
    }

    /// The id of a service of the configuration: always the same for a name,
    /// on every machine.
    pub fn from_name(name: &str) -> Self {
        let hash = Sha256::new().chain_update(b"dialback service v1\0").chain_update(name).finalize();
        Self(format!("VA{}", hex::encode(&hash[..16])))
    }
}

impl VerificationId {
    /// An id from 15 random bytes.
    pub fn from_random(bytes: [u8; 15]) -> Self {
        Self(format!("VE{}00", hex::encode(bytes)))
    }

    /// The id of this verification's delivery of that number.
    pub fn delivery(&self, number: u8) -> DeliveryId {
        DeliveryId(format!("{OF_VERIFICATION}{}{number:02x}", &self.0[2..32]))
    }
}

impl MessageId {
    /// An id from 15 random bytes.
    pub fn from_random(bytes: [u8; 15]) -> Self {
        Self(format!("OM{}00", hex::encode(bytes)))
    }

    /// The id of this message's delivery of that number.
    pub fn delivery(&self, number: u8) -> DeliveryId {
        DeliveryId(format!("{OF_MESSAGE}{}{number:02x}", &self.0[2..32]))
    }
}

/// Whose a delivery is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SentFor {
    /// A verification's: it carries the code.
    Verification(VerificationId),
    /// A message's of its own.
    Message(MessageId),
}

impl DeliveryId {
    /// What the delivery was sent for, and its number there.
    pub fn parts(&self) -> (SentFor, u8) {
        let number = u8::from_str_radix(&self.0[32..], 16).unwrap_or(0);
        let digits = self.0[2..32].to_ascii_lowercase();
        let sent_for = match self.is_of_message() {
            true => SentFor::Message(MessageId(format!("OM{digits}00"))),
            false => SentFor::Verification(VerificationId(format!("VE{digits}00"))),
        };
        (sent_for, number)
    }

    /// The verification that the delivery belongs to, and its number there; nothing for one
    /// of a message's.
    pub fn of_verification(&self) -> Option<(VerificationId, u8)> {
        match self.parts() {
            (SentFor::Verification(id), number) => Some((id, number)),
            (SentFor::Message(_), _) => None,
        }
    }

    /// The message that the delivery belongs to, and its number there; nothing for one of a
    /// verification's.
    pub fn of_message(&self) -> Option<(MessageId, u8)> {
        match self.parts() {
            (SentFor::Message(id), number) => Some((id, number)),
            (SentFor::Verification(_), _) => None,
        }
    }

    /// The same however its digits were written.
    pub fn normalized(&self) -> Self {
        Self(format!("{}{}", &self.0[..2], self.0[2..].to_ascii_lowercase()))
    }

    /// The name of the message where the provider has none in the form of ours: the same
    /// digits, so that whoever names the delivery names the message.
    pub fn message_sid(&self) -> Sid {
        let prefix = if self.is_of_message() { given::MEDIA } else { given::TEXT };
        Sid(format!("{prefix}{}", self.0[2..].to_ascii_lowercase()))
    }

    /// The same of a message or a call, by the channel that it takes.
    pub fn sid_by(&self, channel: Channel) -> Sid {
        match channel.is_message() {
            true => self.message_sid(),
            false => Sid(format!("{}{}", given::CALL, self.0[2..].to_ascii_lowercase())),
        }
    }

    fn is_of_message(&self) -> bool {
        self.0.starts_with(OF_MESSAGE)
    }
}

impl Sid {
    /// True for a call, false for a message.
    pub fn is_call(&self) -> bool {
        self.0.starts_with(given::CALL)
    }

    /// The delivery that a message is named after: [`DeliveryId::message_sid`] backwards.
    pub fn named_after(&self) -> DeliveryId {
        let prefix = if self.0.starts_with(given::MEDIA) { OF_MESSAGE } else { OF_VERIFICATION };
        DeliveryId(format!("{prefix}{}", &self.0[2..]))
    }
}

/// Whether a text is a name in the form of all of these: two letters for its kind,
/// and 32 hexadecimal digits.
pub fn is_sid(text: &str, prefix: &str) -> bool {
    well_formed(text, &[prefix])
}

/// Whether a text is the provider's name of a messaging service.
pub fn is_messaging_service(text: &str) -> bool {
    is_sid(text, given::MESSAGING_SERVICE)
}

fn well_formed(text: &str, prefixes: &[&str]) -> bool {
    text.len() == 34
        && prefixes.iter().any(|prefix| text.starts_with(prefix))
        && text.as_bytes()[2..].iter().all(u8::is_ascii_hexdigit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_id_leads_back_to_its_verification() {
        let verification = VerificationId::from_random([0xab; 15]);
        let delivery = verification.delivery(17);
        let delivery = delivery.as_str().parse::<DeliveryId>().unwrap();
        assert_eq!(delivery.of_verification(), Some((verification, 17)));
        assert_eq!(delivery.of_message(), None);
    }

    #[test]
    fn a_delivery_of_a_message_leads_back_to_it_and_to_no_verification() {
        let message = MessageId::from_random([0xab; 15]);
        let delivery = message.delivery(3).as_str().parse::<DeliveryId>().unwrap();
        assert_eq!((delivery.of_message(), delivery.of_verification()), (Some((message, 3)), None));
        assert_eq!(delivery.message_sid().named_after(), delivery);
        assert_ne!(delivery.message_sid(), VerificationId::from_random([0xab; 15]).delivery(3).message_sid());
    }

    #[test]
    fn a_message_that_is_named_after_a_delivery_leads_back_to_it() {
        let delivery = VerificationId::from_random([0xab; 15]).delivery(17);
        let sid = delivery.message_sid();
        assert_eq!(
            (sid.as_str(), sid.named_after()),
            ("SMababababababababababababababab11", delivery.clone())
        );
        let shouted: DeliveryId = format!("DL{}", delivery.as_str()[2..].to_uppercase()).parse().unwrap();
        assert_eq!(shouted.message_sid(), sid, "one delivery has one message, however it is written");
    }

    #[test]
    fn ids_of_events_sort_by_time_and_then_by_steps() {
        let at = |millis| Timestamp::from_millisecond(millis).unwrap();
        let (early, late) = (EventId::new(at(9), u128::MAX), EventId::new(at(10), 0));
        assert!(early < late && late < late.plus(1) && late.as_str().parse() == Ok(late.clone()));
        assert_eq!((early.at(), late.plus(u64::MAX).at()), (at(9), at(10)));
        assert_eq!((late.previous(), late.plus(1).previous()), (early, late));
    }

    #[test]
    fn ids_of_another_kind_length_or_alphabet_are_refused() {
        for text in ["", "VE", "SM0123456789abcdef0123456789abcdef", "VE0123456789abcdef0123456789abcdeg"] {
            assert!(text.parse::<VerificationId>().is_err(), "{text}");
        }
        assert!("VEé123456789abcdef0123456789abcde".parse::<VerificationId>().is_err());
        assert!("CA0123456789abcdef0123456789ABCDEF".parse::<Sid>().unwrap().is_call());
    }
}
