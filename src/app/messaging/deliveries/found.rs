//! What is looked for among deliveries, and what is found.

use crate::app::admission::numbers::is_short_code;
use crate::app::messaging::MessagingError;
use crate::model::address;
use crate::model::channel::DeliveryChannel;
use crate::model::delivery::Delivery;
use crate::model::id::VerificationId;
use crate::model::owner::{Owned, Owner};
use crate::model::phone::{NumberPolicy, PhoneNumber};
use crate::model::status::Status;
use crate::model::verification::{Attempts, Send, Verification};
use jiff::Timestamp;

/// Which deliveries to list.
#[derive(Clone, Default)]
pub struct DeliveryFilter {
    /// To this number, in any writing and on any channel; or to this address,
    /// like `whatsapp:+…`.
    pub to: Option<String>,
    /// Of this verification.
    pub verification: Option<VerificationId>,
    /// In this status now, as [`Found::status`] has it.
    pub status: Option<String>,
    /// By this channel.
    pub channel: Option<DeliveryChannel>,
    /// First heard of, or asked for, at this time or later.
    pub since: Option<Timestamp>,
    /// First heard of, or asked for, before this time.
    pub until: Option<Timestamp>,
}

/// What a delivery's name led to.
#[derive(Debug, Clone)]
pub enum Found {
    /// Twilio knows it. One of ours that was asked for by its name, or among those
    /// of its verification, brings along how its tries went, as long as its
    /// verification is kept.
    Delivery(Box<Delivery>, Option<Box<Attempts>>),
    /// It stands in our outbox, or never left.
    Send(Box<Verification>, Box<Send>),
}

impl Owned for Found {
    fn owner(&self) -> Owner {
        match self {
            Self::Delivery(delivery, _) => delivery.owner(),
            Self::Send(verification, _) => verification.owner(),
        }
    }
}

/// Whose deliveries are wanted.
pub(super) enum Wanted {
    /// Those of a number, on all channels or behind one prefix.
    Number { number: PhoneNumber, prefix: Option<String> },
    /// Those to an address that is no number: a short code, a name.
    Address(String),
}

impl Wanted {
    /// Reads a number in any writing, or an address.
    pub(super) fn read(text: &str, numbers: &NumberPolicy) -> Result<Self, MessagingError> {
        let text = text.trim_end();
        let (prefix, bare) = address::split(text);
        // `tel:` is a way to write a number.
        let prefix = prefix.filter(|prefix| !prefix.eq_ignore_ascii_case("tel"));
        let bare = if prefix.is_some() { bare } else { text };
        // In a query, a plus that was meant as itself is a space.
        let plus = bare.strip_prefix(' ').map(|rest| format!("+{}", rest.trim_start_matches(['+', ' '])));
        let bare = plus.as_deref().unwrap_or(bare);
        // On WhatsApp people have their numbers for names.
        let is_of_numbers = prefix.is_none_or(|prefix| prefix.eq_ignore_ascii_case("whatsapp"));
        match PhoneNumber::parse_to_find(bare, numbers) {
            Ok(number) => Ok(Self::Number { number, prefix: prefix.map(str::to_owned) }),
            Err(_) if prefix.is_none() && is_short_code(bare) => Ok(Self::Address(bare.to_owned())),
            Err(_) if !is_of_numbers => Ok(Self::Address(text.to_owned())),
            Err(refused) => Err(refused.into()),
        }
    }
}

impl Wanted {
    /// Whether a send goes to it. What Twilio has named was found by its address.
    pub(super) fn takes(&self, found: &Found) -> bool {
        let Found::Send(verification, send) = found else { return true };
        match self {
            Self::Address(_) => false,
            Self::Number { number, prefix } => {
                let channel = DeliveryChannel::of_prefix(prefix.as_deref());
                address::numbers_of(number).iter().any(|to| to == verification.to.in_full())
                    && (prefix.is_none() || channel == send.channel.into())
            }
        }
    }
}

impl DeliveryFilter {
    pub(super) fn spans(&self, at: Timestamp) -> bool {
        self.since.is_none_or(|since| at >= since) && self.until.is_none_or(|until| at < until)
    }

    pub(super) fn takes(&self, found: &Found) -> bool {
        self.status.as_deref().is_none_or(|status| found.status() == Some(status))
            && self.channel.is_none_or(|channel| found.channel() == channel)
    }
}

impl Found {
    /// Where it stands: Twilio's word once Twilio has said one, ours before.
    pub fn status(&self) -> Option<&'static str> {
        match self {
            Self::Delivery(delivery, _) => delivery.status().map(Status::as_str),
            Self::Send(_, send) => Some(send.state.as_str()),
        }
    }

    /// When it was asked for, or first heard of.
    pub(super) fn asked_at(&self) -> Timestamp {
        match self {
            Self::Delivery(delivery, _) => delivery.first_seen,
            Self::Send(_, send) => send.asked_at,
        }
    }

    /// How it goes.
    pub fn channel(&self) -> DeliveryChannel {
        match self {
            Self::Delivery(delivery, _) => delivery.channel(),
            Self::Send(_, send) => send.channel.into(),
        }
    }
}
