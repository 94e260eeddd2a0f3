//! The one way in: a verification is begun, or sent again, for every face.
//!
//! What that depends on is read in each look, admitted by the rules, and written against
//! the versions that were read: the verification, what leads to it, the kept answer and
//! what the limits count are one commit. What was read outside that look decides nothing,
//! but for the mark of the first look, which tells whether somebody came between.
//! This module refuses to know faces: they differ by their [`Profile`].

use crate::app::admission::AdmissionError;
use crate::app::admission::admit::admit;
use crate::app::admission::budget_told::tell_of_budget;
use crate::app::admission::finding::{Admitted, Finding, Reason, Verdict};
use crate::app::admission::limits::counted as limits;
use crate::app::admission::listed::Listed;
use crate::app::admission::profile::{Early, Profile};
use crate::app::admission::request::{self, Open, Proof, Request};
use crate::app::admission::sent::count;
use crate::app::admission::way::Countries;
use crate::app::fault::Fault;
use crate::app::fraud::lines::Lines;
use crate::app::fraud::watch::by;
use crate::app::transact::{self, Draft, transact};
use crate::app::verification::brought::Brought;
use crate::app::verification::code_request::{CodeRequest, Target};
use crate::app::verification::limits::counts;
use crate::app::verification::pending::Mark;
use crate::app::verification::request::{StartRequest, Started};
use crate::app::verification::seen::{self, Seen, Sight};
use crate::app::verification::trial::Trial;
use crate::app::verification::{VerificationError, Verifying, brought, happen, made, view};
use crate::model::channel::Channel;
use crate::model::counter::Pseudonym;
use crate::model::fraud::{About, Action, Outcome, Signal};
use crate::model::phone::{Line, PhoneNumber};
use crate::model::policy::Policy;
use crate::model::service::Service;
use crate::model::verification::{Input, Outcome as Done, Verification, decide};
use crate::store::records::{Ahead, Versioned};
use crate::store::{Commit, Limited};
use jiff::{SignedDuration, Timestamp};
use std::sync::OnceLock;
use std::time::Duration;

/// How long to wait before it is looked again for an old answer to have gone.
const SHORTLY: Duration = Duration::from_millis(20);
/// How long who comes at the same moment as another is asked to wait.
const AT_ONCE: SignedDuration = SignedDuration::from_secs(1);

/// What became of a wish.
enum Begun {
    /// It was answered before.
    Replayed(Box<Started>),
    /// A verification was begun or sent again.
    Sent(Box<Sent>),
    /// A limit had no room for it in the commit.
    Limited(Box<(AdmissionError, Limited)>),
    /// It would be sent, and its number is to be looked up before.
    LookUp(Box<(Pseudonym, PhoneNumber)>),
    /// Nothing was sent, for the one that stands open was sent just now.
    Shown(Box<(Verification, Ahead, Option<Timestamp>)>),
}

/// What was begun or sent again.
struct Sent {
    verification: Verification,
    ahead: Ahead,
    is_same: bool,
    /// The rules and signals that mark this send, by name.
    flags: Vec<String>,
}

/// Begins a verification or sends one again, if the rules admit it.
///
/// # Errors
/// Why they do not; [`Fault::Contended`] for a face that refuses those who come at the
/// same moment; or the store's. Nothing was written then.
pub(in crate::app) async fn begin(
    verifying: &Verifying,
    asked: &CodeRequest<'_>,
) -> Result<Started, VerificationError> {
    let proof = if verifying.captcha.is_some() { Proof::Missing } else { Proof::Unknown };
    let mut brought = Brought { proof, is_looked_up: false, told: None };
    // The first look of all: whoever comes between it and the writing, while something is
    // found out as well, is somebody else who asks for the same.
    let first_seen = OnceLock::new();
    let (begun, trial) = loop {
        let (begun, trial) = tried(verifying, asked, (&first_seen, brought)).await;
        match bring(verifying, asked, &begun, &mut brought).await {
            None => break (begun, trial),
            Some(Ok(())) => trial.forget(),
            Some(Err(error)) => break (Err(error), trial),
        }
    };
    let about = told(&trial, &begun);
    let (verification, ahead, is_same, until) = match begun?? {
        Begun::Replayed(started) => return Ok(*started),
        // It is never asked for again once it was brought.
        Begun::LookUp(_) => return Err(Fault::Contended.into()),
        Begun::Limited(limited) => {
            if let Some(about) = &about {
                tell_of_budget(&verifying.admission, (&about.country, &about.service), &limited.1).await;
            }
            return Err(limited.0.into());
        }
        Begun::Shown(shown) => (shown.0, shown.1, true, Some(shown.2)),
        Begun::Sent(sent) => {
            tell_of_flags(asked, &sent);
            (sent.verification, sent.ahead, sent.is_same, None)
        }
    };
    let (face, sends) = (asked.profile.name, verification.sends.len());
    if until.is_none() {
        happen::wake_for(&verifying.base, &verification);
        let what = if is_same { "verification sent again" } else { "verification started" };
        let shadow_blocked = verification.sends.last().filter(|send| send.shadow).map(|_| true);
        tracing::info!(verification = %verification.id, to = %verification.to, channel = %verification.channel(), face, sends, shadow_blocked, "{what}");
    }
    let now = verifying.base.now();
    let wait = until.map(|until| until.map_or(1, |until| request::seconds_between(now, until)));
    let view = view::view_from(&verifying.admission, verification, &ahead).await?;
    Ok(Started { view, replayed: false, is_same, wait })
}

/// One line in the log for what is marked and goes on, with all that marks it.
fn tell_of_flags(asked: &CodeRequest<'_>, sent: &Sent) {
    let (who, verification) = (asked.target.who(), &sent.verification);
    if !sent.flags.is_empty() {
        let (face, caller, flags) = (asked.profile.name, who.caller, sent.flags.join(", "));
        tracing::warn!(verification = %verification.id, to = %verification.to, channel = %verification.channel(), face, caller, flags, "a code is sent that rules have flagged");
    }
}

/// What a request comes to, with what was brought for it.
async fn tried<'w>(
    verifying: &'w Verifying,
    asked: &'w CodeRequest<'w>,
    (first_seen, brought): (&OnceLock<Mark>, Brought),
) -> (Result<Result<Begun, VerificationError>, VerificationError>, Trial<'w>) {
    let subject = match asked.target {
        Target::Number { .. } => &transact::START,
        Target::Verification { .. } | Target::Following { .. } => &transact::VERIFICATION,
    };
    let trial = Trial::new(&verifying.admission, asked);
    let look = || look(verifying, asked, (first_seen, &trial, brought));
    let begun = transact(&verifying.base, subject, look).await;
    (begun, trial)
}

/// Finds out what the last look asked for; nothing where it asked for nothing, or that
/// cannot be had. Each of it once.
async fn bring(
    verifying: &Verifying,
    asked: &CodeRequest<'_>,
    begun: &Result<Result<Begun, VerificationError>, VerificationError>,
    brought: &mut Brought,
) -> Option<Result<(), VerificationError>> {
    if let Ok(Ok(Begun::LookUp(whom))) = begun {
        let (name, number) = &**whom;
        if let Some(lookups) = &verifying.admission.lookups {
            brought.told = lookups.ask(&verifying.base, *name, number).await;
        }
        brought.is_looked_up = true;
        return Some(Ok(()));
    }
    let refused = begun.as_ref().err().filter(|_| brought.proof != Proof::Given)?;
    let proved = brought::proved(verifying, asked, refused).await?;
    brought.proof = Proof::Given;
    Some(proved)
}

/// Records what a request came to: once, and as the last look has it. Whom it was about.
fn told(
    trial: &Trial<'_>,
    begun: &Result<Result<Begun, VerificationError>, VerificationError>,
) -> Option<About> {
    match begun {
        Ok(Ok(Begun::Replayed(_) | Begun::LookUp(_))) => trial.forget(),
        Ok(Ok(Begun::Sent(sent))) => {
            trial.amend(|taken| taken.verification = Some(sent.verification.id.to_string()));
        }
        Ok(Ok(Begun::Shown(shown))) => trial.amend(|taken| {
            taken.verification = Some(shown.0.id.to_string());
            if taken.outcome != Outcome::Slowed {
                // Somebody else was faster.
                (taken.outcome, taken.code) = (Outcome::Slowed, Some("resend_too_soon".to_owned()));
            }
        }),
        // A limit refused the commit.
        Ok(Ok(Begun::Limited(limited))) => trial.amend(|taken| match &limited.0 {
            AdmissionError::LimitReached { rule, retry_at, .. } => {
                taken.refused_by(rule, "limit_reached", Some(*retry_at));
            }
            AdmissionError::Reached { name, .. } => taken.refused_by(name, "rate_limited", None),
            _ => {}
        }),
        Ok(Err(_)) => {}
        Err(VerificationError::Fault(_)) => trial.forget(),
        // A rule refused it, and stands there already.
        Err(_) => {}
    }
    let about = match begun {
        Ok(Ok(Begun::Limited(_))) => trial.subject(),
        _ => None,
    };
    trial.record();
    about
}

/// What has to be written, as it is seen now.
async fn look(
    verifying: &Verifying,
    asked: &CodeRequest<'_>,
    (first_seen, trial, Brought { proof, is_looked_up, told }): (&OnceLock<Mark>, &Trial<'_>, Brought),
) -> Result<Draft<Result<Begun, VerificationError>>, VerificationError> {
    trial.begin();
    let seen = match seen::see(verifying, asked.profile, &asked.target, trial.asker()).await? {
        Sight::Answered(started) => return Ok(Draft::Settled(Ok(Begun::Replayed(started)))),
        Sight::Outdated => return Ok(Draft::Later(SHORTLY)),
        Sight::Seen(seen) => *seen,
    };
    let is_resend = seen.stands_open(verifying.base.now()) || !asked.target.is_number();
    let (about, line) = brought::looked_up(verifying, trial.about(&seen, is_resend), told, &seen);
    // Somebody else asked between our reading and our writing: the person gets
    // one message, not two.
    let is_late = *first_seen.get_or_init(|| seen.mark()) != seen.mark() && asked.target.is_number();
    if is_late && asked.profile.early == Early::Refused {
        trial.set(&seen, about, (&raced(), &[]), verifying.base.now());
        return Ok(Draft::Settled(Err(Fault::Contended.into())));
    }
    let policy = policy(verifying, asked.profile, &seen.service);
    let mut request = request_of(verifying, asked, &policy, &seen);
    let signals = match &about {
        Some(about) if !request.listed.is_allowed() => trial.judge(&seen, about, request.now),
        _ => Vec::new(),
    };
    (request.signals, request.proof) = (&signals, proof);
    (request.line, request.is_voip) = (line, about.as_ref().is_some_and(|about| about.is_voip));
    // What passes all rules unasked is not asked about.
    let is_allowed = request.listed.is_allowed();
    let is_asked_about = !is_looked_up && !is_allowed;
    let unknown =
        about.as_ref().filter(|_| is_asked_about).and_then(|about| brought::unknown(verifying, about));
    let admitted = admit(&request);
    tell(&request, &admitted);
    tell_unheeded(&request);
    trial.set(&seen, about, (&admitted, &signals), request.now);
    if proof == Proof::Given && signals.iter().any(|signal| signal.action == Action::Captcha) {
        trial.amend(|taken| taken.reasons.push(by("captcha_passed")));
    }
    let (channel, is_shadow) = match admitted.verdict {
        Verdict::Taken(channel) | Verdict::Flagged(channel) => (channel, false),
        Verdict::ShadowBlocked { channel, .. } => (channel, true),
        Verdict::Slowed { until, why: AdmissionError::TooSoon { .. }, .. }
            if asked.profile.early == Early::Shown =>
        {
            return Ok(shown(verifying, asked, seen, Some(until)));
        }
        Verdict::Slowed { why, .. } => return Err(why.into()),
        Verdict::CaptchaRequired { why, .. } => {
            return Err(brought::demanded(verifying, asked, &seen, why).into());
        }
        Verdict::Refused { code, until, why } => {
            let until = until.map(tracing::field::display);
            tracing::debug!(face = asked.profile.name, code, until, "a code was refused");
            return Err(why.into());
        }
    };
    if let (Some(name), Ok((number, _))) = (unknown, &seen.number) {
        return Ok(Draft::Settled(Ok(Begun::LookUp(Box::new((name, number.clone()))))));
    }
    match is_late && seen.stands_open(verifying.base.now()) {
        true => Ok(shown(verifying, asked, seen, None)),
        false => {
            let flags = flags_of(&admitted, &signals);
            let way = Way { channel, policy: &policy, is_shadow, flags: &flags };
            let draft = written(verifying, asked, seen, (way, trial)).await;
            if draft.is_err() {
                // It was to be taken, and is not.
                trial.forget();
            }
            draft
        }
    }
}

/// How what is admitted is sent.
#[derive(Clone, Copy)]
struct Way<'w> {
    channel: Channel,
    policy: &'w Policy,
    /// Whether it is answered as usual, and not sent.
    is_shadow: bool,
    /// The rules and signals that speak against it all the same, by name.
    flags: &'w [String],
}

/// What marks what goes on, by names of rules and signals.
fn flags_of(admitted: &Admitted, signals: &[Signal]) -> Vec<String> {
    let is_flag = |reason: &&Reason| matches!(reason.finding, Finding::Flag(_)) && reason.rule != "fraud";
    let rules = admitted.reasons.iter().filter(is_flag).map(|reason| reason.rule.to_owned());
    rules.chain(signals.iter().map(|signal| signal.name.to_owned())).collect()
}

/// That somebody else asked at the same moment.
fn raced() -> Admitted {
    let (until, why) = (None, Fault::Contended.into());
    Admitted { verdict: Verdict::Refused { code: "contended", until, why }, reasons: Vec::new() }
}

/// The request as the rules see it.
fn request_of<'r>(
    verifying: &'r Verifying,
    asked: &'r CodeRequest<'_>,
    policy: &Policy,
    seen: &'r Seen<'_>,
) -> Request<'r> {
    Request {
        profile: asked.profile,
        who: asked.target.who(),
        now: verifying.base.now(),
        service: seen.service.clone(),
        policy: policy.clone(),
        senders: &verifying.admission.senders,
        number: seen.number.as_ref().map(|(to, _)| to),
        is_voip: false,
        line: Line::Unknown,
        refused_kinds: &verifying.admission.numbers.refuse,
        channel: seen.channel,
        plan: seen.plan.as_deref(),
        countries: seen.countries,
        unwanted: seen.unwanted.clone(),
        details: &seen.details,
        language: seen.language.clone(),
        has_code: seen.custom.is_some(),
        open: seen.last.as_ref().map(|last| Open { verification: &last.record, failed: seen.failed }),
        is_key_reused: seen.is_key_reused,
        rate_limits: seen.limits.iter().map(|(name, _)| name.as_str()).collect(),
        known_limits: seen.known_limits(),
        signals: &[],
        proof: Proof::Unknown,
        // A number that is allowed, or a request that asks for no look at its risk.
        listed: match Listed::of(&seen.lists, seen.channel, &seen.service.settings.channels) {
            Listed::Nothing if seen.countries == Countries::All => Listed::Allowed,
            listed => listed,
        },
        lists: &seen.lists,
    }
}

/// Says in the log what the rules had to say.
fn tell(request: &Request<'_>, admitted: &Admitted) {
    let (face, to) = (request.profile.name, request.number.ok().map(tracing::field::display));
    let (caller, session) = (request.who.caller, request.who.session.map(tracing::field::display));
    let has_address = request.who.address.is_some();
    for reason in &admitted.reasons {
        let (rule, code, channel) = (reason.rule, reason.code, reason.channel.map(tracing::field::display));
        match &reason.finding {
            // Signals stand in the log of decisions, and may come in thousands.
            Finding::Flag(_) | Finding::Shadow { .. } if rule == "fraud" => {
                tracing::debug!(face, rule, code, channel, to, caller, "a signal of fraud");
            }
            // Whether it is sent is not known yet: then one line names all flags.
            Finding::Flag(what) => tracing::debug!(face, rule, code, channel, to, caller, "{what}"),
            Finding::Shadow { .. } => {}
            Finding::Slow { why, .. } | Finding::Captcha { why } | Finding::Refuse { why, .. } => {
                tracing::debug!(face, rule, code, channel, to, caller, session, has_address, "{why}");
            }
        }
    }
}

/// Says in the log where a signal's action cannot be done, and the request is refused.
fn tell_unheeded(request: &Request<'_>) {
    let (service, face) = (&request.service.id, request.profile.name);
    let has = |action| request.signals.iter().any(|signal| signal.action == action);
    if request.proof == Proof::Unknown && has(Action::Captcha) {
        tracing::debug!(%service, face, "a signal asks for a proof, and [captcha] is empty: refused instead");
    }
    if request.service.settings.psd2 && has(Action::ShadowBlock) {
        tracing::debug!(%service, face, "a signal is to shadow block a payment: refused instead");
    }
}

/// That what stands open is shown, and nothing sent.
fn shown(
    verifying: &Verifying,
    asked: &CodeRequest<'_>,
    seen: Seen<'_>,
    until: Option<Timestamp>,
) -> Draft<Result<Begun, VerificationError>> {
    let Some(last) = seen.last else { return Draft::Again };
    let soon = || verifying.base.now().checked_add(AT_ONCE).ok();
    let kept_until = until.or_else(soon);
    let answer = asked.target.kept().map(|kept| kept.answer(verifying, &last.record, (true, kept_until)));
    let shown = Ok(Begun::Shown(Box::new((last.record, seen.ahead, until))));
    match answer {
        Some(answer) => Draft::Write(vec![answer], shown),
        None => Draft::Settled(shown),
    }
}

/// The commit of a new verification, or of one that is sent again.
async fn written(
    verifying: &Verifying,
    asked: &CodeRequest<'_>,
    seen: Seen<'_>,
    (way, trial): (Way<'_>, &Trial<'_>),
) -> Result<Draft<Result<Begun, VerificationError>>, VerificationError> {
    let is_same = seen.stands_open(verifying.base.now()) || !asked.target.is_number();
    let (old, mut verification) = match (&seen.last, &asked.target) {
        (Some(old), Target::Following { number, .. }) => {
            (Some(old), followed(verifying, &seen, (old, *number), way)?)
        }
        (Some(old), _) if is_same => (Some(old), sent_again(verifying, &seen, old, way)?),
        (_, Target::Number { request, .. }) => (None, begun(verifying, request, &seen, way.channel)?),
        (_, Target::Verification { .. } | Target::Following { .. }) => return Err(Fault::NotFound.into()),
    };
    let is_named = asked.target.names_channel(seen.last.as_ref().and_then(|last| last.record.sends.last()));
    if let Some(send) = verification.sends.last_mut() {
        send.unasked = way.channel == Channel::Call && !is_named;
    }
    let known = trial.known(&seen);
    let counted = count(&verifying.admission, &seen.service, &seen.ahead, known, &mut verification).await?;
    mark(&mut verification, (way, &counted.flags), trial, verifying.base.now());
    let mut flags: Vec<String> = counted.flags.iter().map(|flag| (*flag).to_owned()).collect();
    flags.extend_from_slice(way.flags);
    let mut changes = happen::written(&verifying.telling, old, &verification);
    if old.is_none() {
        changes.extend(seen.place.as_ref().map(|place| place.leading_to(&seen.service, &verification)));
    }
    changes.extend(asked.target.kept().map(|kept| kept.answer(verifying, &verification, (is_same, None))));
    let counts = counts(&verifying.base, &seen.service.id, seen.known_limits(), seen.limits).await?;
    let mut additions = counts.additions();
    additions.extend(counted.countings);
    let now = verifying.base.now();
    trial.is_written();
    Ok(Draft::Counted {
        commit: Commit { changes, additions },
        tickets: counted.tickets,
        // What it is about the request records, however this ends.
        lines: Lines::default(),
        done: Ok(Begun::Sent(Box::new(Sent { verification, ahead: seen.ahead, is_same, flags }))),
        refused: Box::new(move |limited| {
            let why = limits::refused(limited, now).unwrap_or_else(|| counts.reached(limited));
            Ok(Begun::Limited(Box::new((why, limited.clone()))))
        }),
    })
}

/// Marks a verification with the decision about its send, and what that says.
fn mark(
    verification: &mut Verification,
    (way, full): (Way<'_>, &[&'static str]),
    trial: &Trial<'_>,
    now: Timestamp,
) {
    // What takes the place of something that never left does not leave either.
    let follows = verification.sends.last().and_then(|send| verification.send(send.follows?));
    let is_shadow = way.is_shadow || follows.is_some_and(|followed| followed.shadow);
    if let Some(send) = verification.sends.last_mut() {
        send.shadow = is_shadow;
    }
    let Some(admitted) = &mut verification.admitted else { return };
    trial.amend(|taken| taken.flagged_by(full));
    if admitted.decision.is_none() {
        trial.mark(admitted, now);
    }
    admitted.line_type = trial.line_type().or(admitted.line_type);
    admitted.shadow |= is_shadow;
    admitted.flag(way.flags);
}

fn begun(
    verifying: &Verifying,
    request: &StartRequest,
    seen: &Seen<'_>,
    channel: Channel,
) -> Result<Verification, VerificationError> {
    let ((to, test), details) = (seen.number.clone()?, seen.details.clone()?);
    made::new_verification(verifying, &seen.service, (request, details), channel, (to, test))
}

fn sent_again(
    verifying: &Verifying,
    seen: &Seen<'_>,
    old: &Versioned<Verification>,
    Way { channel, policy, .. }: Way<'_>,
) -> Result<Verification, VerificationError> {
    let (service, details) = (&seen.service, seen.details.clone()?);
    let renewed = made::renewed(verifying, service, &old.record, &details, seen.custom)?;
    let gate_key = happen::gate_key(&verifying.base, service);
    let input = Input::Resend { channel, gate_key, failed: seen.failed, renewed };
    let decision = decide(policy, &old.record, input, verifying.base.now());
    happen::refuse(&verifying.base, &old.record, decision.outcome, channel)?;
    Ok(decision.verification)
}

/// The one whose code goes on by another channel, for a send of it did not arrive.
fn followed(
    verifying: &Verifying,
    seen: &Seen<'_>,
    (old, number): (&Versioned<Verification>, u8),
    Way { channel, policy, .. }: Way<'_>,
) -> Result<Verification, VerificationError> {
    let gate_key = happen::gate_key(&verifying.base, &seen.service);
    let input = Input::Follow { number, channel, gate_key };
    let decision = decide(policy, &old.record, input, verifying.base.now());
    happen::refuse(&verifying.base, &old.record, decision.outcome.clone(), channel)?;
    match decision.outcome {
        Done::Done => Ok(decision.verification),
        // There is nothing to follow any more, or no time for it.
        _ => Err(Fault::NotFound.into()),
    }
}

/// The rules by which a service's verifications live, for a face.
fn policy(verifying: &Verifying, profile: &Profile, service: &Service) -> Policy {
    let policy = service.policy(&verifying.directory.policy);
    match profile.waits_only_if_set && !service.settings.sets_cooldown() {
        true => Policy { cooldown: Vec::new(), ..policy },
        false => policy,
    }
}
