//! Whether a message of its own may be, and by which way: the rules of numbers, lists,
//! countries, senders and wishes hold as they do for codes.
//!
//! What only codes have is not asked: waits between them, checks, payments, and signals of
//! people who ask for codes. An application decides to send a message, and nobody at a form.

use crate::app::admission::admit::admit_words;
use crate::app::admission::finding::Verdict;
use crate::app::admission::listed::Listed;
use crate::app::admission::profile::Profile;
use crate::app::admission::request::{Proof, Request, Who};
use crate::app::admission::{Admission, AdmissionError, lists, opt_outs, ways};
use crate::app::messages::MessageError;
use crate::model::channel::Channel;
use crate::model::lists::Listed as Said;
use crate::model::opt_out::{OF_TYPE, OptOut};
use crate::model::phone::{PhoneError, PhoneNumber};
use crate::model::policy::Policy;
use crate::model::service::{MessageType, Service};
use crate::model::verification::Details;
use crate::store::records::Ahead;
use std::sync::Arc;

/// What is asked of a message.
pub(in crate::app) struct Asked<'a> {
    /// For which service.
    pub(in crate::app) service: Arc<Service>,
    /// The number, as it was read.
    pub(in crate::app) number: Result<&'a PhoneNumber, &'a PhoneError>,
    /// The channels that may be taken, the best first.
    pub(in crate::app) plan: &'a [Channel],
    /// What sort of message it is.
    pub(in crate::app) message_type: (&'a str, &'a MessageType),
    /// Whether its number is a test number, of which no list says anything.
    pub(in crate::app) is_test: bool,
}

/// Wants what [`way_of`] goes by.
pub(in crate::app) fn want_way(admission: &Admission, asked: &Asked<'_>, ahead: &mut Ahead) {
    if let Ok(to) = asked.number {
        ways::want_ways(admission, asked.service.clone(), to, ahead);
        opt_outs::want_wishes(to.in_full(), &sender_of(asked), ahead);
    }
}

/// The service as it sends to the number, and the channel that the message takes.
///
/// # Errors
/// Why it may not be, or the store's.
pub(in crate::app) async fn way_of(
    admission: &Admission,
    asked: &Asked<'_>,
    ahead: &Ahead,
) -> Result<(Arc<Service>, Channel), MessageError> {
    let to = asked.number.map_err(Clone::clone)?;
    let ways = ways::ways(admission, asked.service.clone(), to, ahead).await?;
    let lists = match asked.is_test {
        true => Said::default(),
        false => lists::listed(admission, to, &ways.service.id, None).await?,
    };
    if !asked.message_type.1.security && is_type_unwanted(admission, asked, to, ahead).await? {
        return Err(AdmissionError::TypeUnwanted { name: asked.message_type.0.to_owned() }.into());
    }
    // Who told one of the service's senders to stop is not written to by another.
    let unwanted = ways::unwanted(admission, &ways.service, to, ahead).await?;
    if unwanted.iter().any(|channel| channel.is_message()) {
        return Err(AdmissionError::OptedOut.into());
    }
    let details = Ok(Details::default());
    let listed = Listed::of(&lists, None, asked.plan);
    let request = Request {
        profile: &Profile::API,
        who: Who::default(),
        now: admission.base.now(),
        policy: Policy::default(),
        senders: &admission.senders,
        number: Ok(to),
        is_voip: to.standing().is_voip,
        line: crate::model::phone::Line::Unknown,
        refused_kinds: &admission.numbers.refuse,
        channel: None,
        plan: Some(asked.plan),
        countries: ways.countries,
        unwanted,
        service: ways.service.clone(),
        details: &details,
        language: None,
        has_code: false,
        open: None,
        is_key_reused: false,
        rate_limits: Vec::new(),
        known_limits: &[],
        signals: &[],
        proof: Proof::Unknown,
        listed,
        lists: &lists,
    };
    match admit_words(&request).verdict {
        Verdict::Taken(channel) | Verdict::Flagged(channel) | Verdict::ShadowBlocked { channel, .. } => {
            Ok((ways.service, channel))
        }
        Verdict::Slowed { why, .. } | Verdict::CaptchaRequired { why, .. } | Verdict::Refused { why, .. } => {
            Err(why.into())
        }
    }
}

/// Whether the person wants no messages of this type, whoever sends them.
async fn is_type_unwanted(
    admission: &Admission,
    asked: &Asked<'_>,
    to: &PhoneNumber,
    ahead: &Ahead,
) -> Result<bool, AdmissionError> {
    let wishes = opt_outs::opt_outs_towards(&admission.base, to.in_full(), &sender_of(asked), ahead).await?;
    Ok(OptOut::latest(wishes.iter().map(|wish| &wish.record)).is_some_and(|wish| wish.opted_out))
}

fn sender_of(asked: &Asked<'_>) -> String {
    format!("{OF_TYPE}{}", asked.message_type.0)
}
