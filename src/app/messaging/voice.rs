//! What a call of ours is to hear, and what it has come to with that.

pub use crate::model::verification::Step;

use crate::app::fault::Fault;
use crate::app::fraud::lines::Lines;
use crate::app::messaging::{Messaging, MessagingError, callback, reported};
use crate::app::services::find;
use crate::app::transact::{self, Draft, transact};
use crate::app::verification::settled::settled;
use crate::app::verification::{VerificationError, Verifying, happen};
use crate::model::account::{AccountSid, Proof};
use crate::model::code::Code;
use crate::model::delivery::{About, CallSoFar, Delivery, Fact, Report, Source, Told, is_machine};
use crate::model::id::{Sid, VerificationId};
use crate::model::phone::PhoneNumber;
use crate::model::service::Service;
use crate::model::status::Status;
use crate::model::verification::{Decision, Details, Input, Outcome, Send, Verification, decide};
use crate::store::records::{self, Versioned};
use crate::store::{Change, Commit};
use jiff::Timestamp;
use std::sync::Arc;

/// A call that asks what to say.
#[derive(Debug, Clone)]
pub struct VoiceRequest {
    /// From the path.
    pub verification: VerificationId,
    /// The delivery's number, from the path.
    pub number: u8,
    /// The call's SID, as Twilio names it.
    pub sid: Sid,
    /// Who calls, where the request says so.
    pub from: Option<String>,
    /// Who is called, where it says so.
    pub to: Option<String>,
    /// Whether a machine answered, as far as this request says.
    pub machine: bool,
    /// What the request is for.
    pub step: Step,
}

/// What the call is to hear.
#[derive(Debug, Clone)]
pub enum Spoken {
    /// The invitation to press a key, and which one if it is named.
    Gate {
        /// The key, 1 to 9.
        key: Option<u8>,
        /// True when a wrong one was pressed before.
        wrong: bool,
    },
    /// The code, digit by digit, once. Whoever hears the end of it asks for the
    /// rest, and so says that it was heard.
    Code {
        /// The code that is read out.
        code: Code,
    },
    /// The code once more.
    CodeOnceMore {
        /// The code that is read out.
        code: Code,
        /// Whether it may be asked for again.
        again: bool,
    },
    /// That no key was pressed.
    NoKey,
    /// A goodbye, after which the call ends.
    Goodbye,
    /// That the code is no longer good.
    Ended,
    /// Nothing secret: a machine answered.
    Machine,
}

/// What a call hears, from whom, and in which language.
#[derive(Debug, Clone)]
pub struct Said {
    /// What the call says next.
    pub spoken: Spoken,
    /// The service's name, as it is spoken.
    pub name: String,
    /// The language that was asked for.
    pub locale: Option<String>,
    /// The number's country.
    pub country: Option<String>,
    /// What the application said about the verification.
    pub details: Details,
    /// The service in whose name it speaks.
    pub service: Arc<Service>,
}

/// Decides what a call hears, and writes down what it has come to with that.
///
/// # Errors
/// [`Fault::NotFound`] for whatever is not exactly a call of ours:
/// another verification, number, SID or account gives nothing away.
pub async fn speak(
    messaging: &Messaging,
    proof: &Proof,
    request: VoiceRequest,
) -> Result<Said, MessagingError> {
    speak_noting(messaging, proof, request, None).await
}

/// The same, and what the request reports of its call is kept by the very
/// write that counts a reading: whatever fails, nobody loses a reading that
/// was not heard.
///
/// # Errors
/// As [`messaging::speak`](crate::app::messaging::speak).
pub async fn speak_noting(
    messaging: &Messaging,
    proof: &Proof,
    request: VoiceRequest,
    report: Option<Report>,
) -> Result<Said, MessagingError> {
    if !messaging.accounts.sends(proof) {
        return Err(Fault::NotFound.into());
    }
    let report = report.filter(|report| is_own(proof, report));
    transact(&messaging.base, &transact::VERIFICATION, || async {
        // What is known of the call is written with the decision, against
        // the version that was looked at: an end that comes meanwhile holds.
        let known: Option<Versioned<Delivery>> =
            records::get(messaging.base.store(), request.sid.as_str()).await?;
        if known.as_ref().is_some_and(|known| is_over(&known.record)) {
            return Err(Fault::NotFound.into());
        }
        let old = happen::verification(&messaging.base, &request.verification).await?;
        let account = proof.account().map(AccountSid::as_str);
        let is_its = |send: &Send| messaging.accounts.made(account, send.account());
        if !old.record.send(request.number).is_some_and(is_its)
            || !is_same_call(&request, &old.record, known.as_ref().map(|known| &known.record))
        {
            return Err(Fault::NotFound.into());
        }
        let VoiceRequest { number, sid, step, .. } = request.clone();
        // What was once said of a call holds, whatever a later request leaves out.
        let machine = request.machine || known.as_ref().is_some_and(|known| was_machine(&known.record));
        let input = Input::CallAsks { number, sid, machine, step };
        let service = find::service_of(&messaging.directory, &old.record).await?;
        let now = messaging.base.now();
        let decision = decide(&service.policy(&messaging.directory.policy), &old.record, input, now);
        let (spoken, told) = spoken(&messaging.verifying, &decision, number)?;
        let mut changes = Vec::new();
        if decision.verification != old.record {
            changes.extend(happen::written(&messaging.telling, Some(&old), &decision.verification));
        }
        let so_far = so_far(proof, &decision.verification, &request, told)?;
        let (of_call, mut lines) = kept_of_call(messaging, known, so_far, report.as_ref()).await?;
        changes.extend(of_call);
        let both = (&old.record, &decision.verification);
        let settled = settled(&messaging.admission, &service, both, now);
        lines = lines.and(settled.lines);
        let said = said(spoken, service, decision.verification);
        Ok(match changes.is_empty() {
            true => Draft::Settled(said),
            false => Draft::Tracked(Commit { changes, additions: settled.additions }, lines, said),
        })
    })
    .await
}

/// What was decided, and what is written down of it.
fn spoken(verifying: &Verifying, decision: &Decision, number: u8) -> Result<(Spoken, Told), MessagingError> {
    let record = &decision.verification;
    let key = record.send(number).and_then(|send| send.gate_key);
    let code = || verifying.codes.derive(&record.id, &record.code).ok_or(VerificationError::CodeKeyGone);
    Ok(match decision.outcome {
        Outcome::SayGate => (Spoken::Gate { key, wrong: false }, Told::Gate),
        Outcome::SayGateAgain => (Spoken::Gate { key, wrong: true }, Told::Gate),
        Outcome::SayCode { .. } => (Spoken::Code { code: code()? }, Told::Code),
        Outcome::SayCodeOnceMore { again } => (Spoken::CodeOnceMore { code: code()?, again }, Told::Code),
        Outcome::SayNoKey => (Spoken::NoKey, Told::NoKey),
        Outcome::SayGoodbye => (Spoken::Goodbye, Told::Goodbye),
        Outcome::SayEnded => (Spoken::Ended, Told::Ended),
        Outcome::SayNothing => (Spoken::Machine, Told::Nothing),
        _ => return Err(Fault::NotFound.into()),
    })
}

/// What is written of the call: it is ours, has come so far, and what else is
/// reported of it.
async fn kept_of_call(
    messaging: &Messaging,
    known: Option<Versioned<Delivery>>,
    (so_far, asked_at): (Report, Timestamp),
    more: Option<&Report>,
) -> Result<(Vec<Change>, Lines), MessagingError> {
    if known.as_ref().is_some_and(|known| callback::is_anothers(messaging, &known.record, &so_far)) {
        return Err(Fault::NotFound.into());
    }
    let reports = std::iter::once(&so_far).chain(more);
    let told = reports.map(|report| Delivery::new(report.clone(), messaging.base.now()));
    let before = known.as_ref().map(|known| known.record.clone());
    let all = before.clone().into_iter().chain(told).reduce(|one, other| one.join(&other));
    match all.filter(|all| before.as_ref() != Some(all)) {
        Some(delivery) => {
            let delivery = delivery.asked_at(asked_at);
            Ok(reported::written(&messaging.admission, known.as_ref(), &delivery).await?)
        }
        None => Ok((Vec::new(), Lines::default())),
    }
}

/// What is reported of a call by what it was told, and when it was asked for.
fn so_far(
    proof: &Proof,
    verification: &Verification,
    request: &VoiceRequest,
    told: Told,
) -> Result<(Report, Timestamp), MessagingError> {
    let send = verification.send(request.number).ok_or(Fault::NotFound)?;
    let Send { right_keys, wrong_keys, readings, finished, .. } = *send;
    let fact = Fact {
        status: Some(Status::InProgress),
        source: Source::VoiceRequest,
        call: Some(CallSoFar { told, right_keys, wrong_keys, readings, finished }),
        ..Fact::default()
    };
    let id = Some(verification.delivery_id(send.number));
    let account_sid = proof.account().map(|account: &AccountSid| account.as_str().to_owned());
    let about = About { account_sid, ..About::default() };
    Ok((Report { sid: request.sid.clone(), id, about, fact }, send.asked_at))
}

fn said(spoken: Spoken, service: Arc<Service>, record: Verification) -> Said {
    let name = record.details.friendly_name.clone().unwrap_or_else(|| service.spoken_name().to_owned());
    let Verification { to, locale, details, .. } = record;
    Said { spoken, name, locale, country: to.region(), details, service }
}

/// Whether a report is of the account that proves it. What names another one is
/// dropped, and what is said to the call is not about that.
fn is_own(proof: &Proof, report: &Report) -> bool {
    let named = report.about.account_sid.as_deref();
    let is_own = proof.account().zip(named).is_none_or(|(own, named)| own.as_str() == named);
    if !is_own {
        tracing::warn!(sid = %report.sid, "a report about another account's call was dropped");
    }
    is_own
}

/// Whether a request is about the call that was placed: to the verification's
/// number, from the sender that Twilio named when it took the call.
fn is_same_call(request: &VoiceRequest, verification: &Verification, known: Option<&Delivery>) -> bool {
    let to = request.to.as_ref().map(|to| to.parse::<PhoneNumber>());
    let is_to = to.is_none_or(|to| to.is_ok_and(|to| to.person() == verification.to.person()));
    let sender = known.filter(|known| !known.unproved).and_then(|known| known.about.from.as_ref());
    is_to && request.from.as_ref().zip(sender).is_none_or(|(from, sender)| from == sender)
}

/// Whether a machine took the call, as far as anything proved said so.
fn was_machine(call: &Delivery) -> bool {
    let was_told_nothing =
        || call.events.iter().any(|event| event.fact.call.is_some_and(|so_far| so_far.told == Told::Nothing));
    !call.unproved && (call.answered_by().is_some_and(is_machine) || was_told_nothing())
}

/// Whether a call has ended, as far as anything proved said so.
fn is_over(call: &Delivery) -> bool {
    !call.unproved && call.status().is_some_and(Status::is_final)
}
