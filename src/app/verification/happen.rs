//! The one way in which a stored verification changes.

use crate::app::admission::limits::checks;
use crate::app::admission::request::seconds_between;
use crate::app::admission::{Admission, AdmissionError};
use crate::app::base::Base;
use crate::app::events::{Telling, told};
use crate::app::fault::Fault;
use crate::app::leases::Tickets;
use crate::app::services::find;
use crate::app::transact::{self, Draft, transact_beside};
use crate::app::verification::VerificationError;
use crate::app::verification::settled::{Settled, settled};
use crate::model::channel::Channel;
use crate::model::id::VerificationId;
use crate::model::policy::Gate;
use crate::model::service::Service;
use crate::model::verification::{Decision, Input, Outcome, Verification, decide};
use crate::store::records::{self, Versioned};
use crate::store::{Change, Commit, Key, Kind, Lane};
use futures_util::future::OptionFuture;

pub(in crate::app) async fn verification(
    base: &Base,
    id: &VerificationId,
) -> Result<Versioned<Verification>, VerificationError> {
    records::get(base.store(), id.as_str()).await?.ok_or(Fault::NotFound.into())
}

/// Lets an event happen to a verification, as often as it takes to be
/// first. The event is made anew from what was read each time.
///
/// # Errors
/// What `input` says; a limit of the number's that has no room for a check; the store's.
pub(in crate::app) async fn happen(
    admission: &Admission,
    id: &VerificationId,
    input: impl Fn(&Verification) -> Result<Input, VerificationError>,
) -> Result<Decision, VerificationError> {
    let nothing = |_: &Verification| std::future::ready(Ok(()));
    happen_beside(admission, id, input, nothing).await.map(|(decision, ())| decision)
}

/// The same, with what is found out of the verification as it will be while that is
/// written.
pub(in crate::app) async fn happen_beside<U, G>(
    admission: &Admission,
    id: &VerificationId,
    input: impl Fn(&Verification) -> Result<Input, VerificationError>,
    beside: impl Fn(&Verification) -> G,
) -> Result<(Decision, U), VerificationError>
where
    G: Future<Output = Result<U, VerificationError>>,
{
    let (base, directory) = (&admission.base, &admission.directory);
    let look = || async {
        let old = verification(base, id).await?;
        let service = find::service_of(directory, &old.record).await?;
        let (policy, now) = (service.policy(&directory.policy), base.now());
        let decision = decide(&policy, &old.record, input(&old.record)?, now);
        if decision.verification == old.record {
            return Ok(Draft::Settled(Ok((decision, false))));
        }
        let changes = written(&admission.telling, Some(&old), &decision.verification);
        let Settled { additions, lines } =
            settled(admission, &service, (&old.record, &decision.verification), now);
        Ok(Draft::Counted {
            commit: Commit { changes, additions },
            tickets: Tickets::default(),
            lines,
            done: Ok((decision, true)),
            // Nothing is compared then, as far as anybody can tell.
            refused: Box::new(move |limited| Err(checks::locked(limited, now))),
        })
    };
    let beside = |done: &Result<(Decision, bool), AdmissionError>| {
        let found = done.as_ref().ok().map(|(decision, _)| beside(&decision.verification));
        async move { OptionFuture::from(found).await.transpose() }
    };
    let (done, known) = transact_beside(base, &transact::VERIFICATION, look, beside).await?;
    let (decision, is_written) = done?;
    if is_written && !decision.effects.is_empty() {
        wake_for(base, &decision.verification);
    }
    // Whatever was done was looked at.
    Ok((decision, known.ok_or(Fault::NotFound)?))
}

/// Says that a verification was written which has something to be sent.
pub(in crate::app) fn wake_for(base: &Base, verification: &Verification) {
    match verification.due() {
        _ if verification.is_only_redacting() => base.board.wake_lane(Lane::Long),
        Some(due) if due <= base.now() => {
            base.board.wake_for(Key::new(Kind::Verification, verification.id.to_string()), due);
        }
        // When it is due is for who looks.
        _ => base.board.wake(),
    }
}

/// What has to be written for a verification to become another: it, and
/// what others are told of it.
pub(in crate::app) fn written(
    telling: &Telling,
    old: Option<&Versioned<Verification>>,
    new: &Verification,
) -> Vec<Change> {
    let mut changes = vec![records::put(old, new)];
    changes.extend(told::told_of(telling, old, new));
    changes
}

pub(in crate::app) fn refuse(
    base: &Base,
    verification: &Verification,
    outcome: Outcome,
    channel: Channel,
) -> Result<(), VerificationError> {
    match outcome {
        Outcome::Ended(status) => Err(VerificationError::Ended(status)),
        Outcome::TooSoon { at } => {
            Err(AdmissionError::TooSoon { at, seconds: seconds_between(base.now(), at) }.into())
        }
        Outcome::NoSendsLeft => {
            let seconds = seconds_between(base.now(), verification.expires_at);
            Err(AdmissionError::NoSendsLeft { seconds }.into())
        }
        Outcome::ChannelOff => Err(AdmissionError::ChannelOff(channel).into()),
        Outcome::CodeNotChosen => Err(VerificationError::CodeNotChosen),
        _ => Ok(()),
    }
}

pub(in crate::app) fn gate_key(base: &Base, service: &Service) -> Option<u8> {
    // From 1 to 9: `0` and the signs are hard to find on some phones.
    let digit = || u8::try_from(base.entropy.below(9)).unwrap_or(0) + 1;
    (service.settings.gate == Gate::NamedKey).then(digit)
}
