//! One request for a code on its way through the rules, as the log will tell it: made of
//! what is known of it once, judged in each look, and recorded once, by the last of them.
//!
//! What was answered before, what concerns a test number, and what names no number at all
//! is not told. It refuses to know the rules.

use crate::app::admission::Admission;
use crate::app::admission::finding::{Admitted as Found, Verdict};
use crate::app::fraud::about::{Told, about, sender_of};
use crate::app::fraud::watch::{Seat, Taken, by};
use crate::app::verification::code_request::CodeRequest;
use crate::app::verification::seen::Seen;
use crate::model::channel::Channel;
use crate::model::fraud::{About, Outcome, Reason, Signal};
use crate::model::limits::Admitted;
use crate::model::lookup::LineType;
use crate::model::phone::{PhoneNumber, Standing};
use jiff::Timestamp;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// A request on its way.
pub(in crate::app) struct Trial<'w> {
    admission: &'w Admission,
    asked: &'w CodeRequest<'w>,
    /// Who asks, and where the number stands: found once, for both take their time.
    asker: OnceLock<Admitted>,
    standing: OnceLock<Standing>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    seat: Option<Seat>,
    /// What this look came to, with the time; nothing where it is not told.
    taken: Option<(Taken, Timestamp)>,
    /// Whether a commit may be under way that makes it so.
    is_written: bool,
    /// The number in full: applications are told of it, the log is not.
    to: Option<PhoneNumber>,
}

impl<'w> Trial<'w> {
    /// One that begins.
    pub(in crate::app) fn new(admission: &'w Admission, asked: &'w CodeRequest<'w>) -> Self {
        Self { admission, asked, asker: OnceLock::new(), standing: OnceLock::new(), state: Mutex::default() }
    }

    /// Who asks, by names that are nobody's.
    pub(in crate::app) fn asker(&self) -> &Admitted {
        let find = || Admitted::of(&self.asked.target.who().asker(), &self.admission.limiting.names);
        self.asker.get_or_init(find)
    }

    /// The same, and where the number stands.
    pub(in crate::app) fn known(&self, seen: &Seen<'_>) -> (Admitted, Standing) {
        let find = || {
            let unknown = Standing { region: "??".to_owned(), range: String::new(), is_voip: false };
            seen.number.as_ref().map_or(unknown, |(number, _)| number.standing())
        };
        (self.asker().clone(), self.standing.get_or_init(find).clone())
    }

    /// A look begins: what another came to is forgotten.
    pub(in crate::app) fn begin(&self) {
        let mut state = self.state();
        (state.taken, state.is_written) = (None, false);
    }

    /// Whom this look is about; nothing for what is not told.
    pub(in crate::app) fn about(&self, seen: &Seen<'_>, is_resend: bool) -> Option<About> {
        let (number, test) = seen.number.as_ref().ok()?;
        let last = seen.last.as_ref().map(|last| &last.record);
        if test.is_some() || last.is_some_and(|last| is_resend && last.test) {
            return None;
        }
        self.state().to = Some(number.clone());
        let (mut admitted, standing) = self.known(seen);
        let mut session = self.asked.target.who().session;
        if let Some(last) = last.filter(|_| is_resend) {
            admitted = last.admitted.clone().unwrap_or_default().asked_by(admitted);
            session = session.or(last.session.as_ref());
        }
        let channels = &seen.service.settings.channels;
        let channel = seen.channel.or(channels.first().copied()).unwrap_or(Channel::Sms);
        let sender = sender_of(&self.admission.senders, (&seen.service, channel), number);
        let about = about(
            &self.admission.fraud.names,
            &Told {
                number,
                standing: &standing,
                admitted: &admitted,
                session,
                service: &seen.service.id,
                sender: sender.as_deref(),
                channel,
                face: self.asked.profile.name,
                is_resend,
            },
        );
        Some(About { micros: self.price(&about), ..about })
    }

    /// What the send costs by the price table.
    fn price(&self, about: &About) -> u64 {
        self.admission.limiting.prices.of_send(&about.country, about.channel)
    }

    /// Whom the last look was about.
    pub(in crate::app) fn subject(&self) -> Option<About> {
        self.state().taken.as_ref().map(|(taken, _)| taken.about.clone())
    }

    /// What sort of telephone its number leads to, where a look-up told.
    pub(in crate::app) fn line_type(&self) -> Option<LineType> {
        self.state().taken.as_ref().and_then(|(taken, _)| taken.about.looked_up?.line_type)
    }

    /// What speaks against it.
    pub(in crate::app) fn judge(&self, seen: &Seen<'_>, about: &About, now: Timestamp) -> Vec<Signal> {
        self.admission.fraud.judge(&seen.service.settings.fraud, about, now)
    }

    /// Sets what this look comes to, if nothing comes between.
    pub(in crate::app) fn set(
        &self,
        seen: &Seen<'_>,
        about: Option<About>,
        (found, signals): (&Found, &[Signal]),
        at: Timestamp,
    ) {
        let Some(mut about) = about else { return };
        let asked_channel = about.channel;
        let (mut code, mut until) = (None, None);
        let outcome = match &found.verdict {
            Verdict::Taken(channel) => {
                about.channel = *channel;
                Outcome::Taken
            }
            Verdict::Flagged(channel) => {
                about.channel = *channel;
                Outcome::Flagged
            }
            Verdict::Slowed { code: of, until: at, .. } => {
                (code, until) = (Some(*of), Some(*at));
                Outcome::Slowed
            }
            Verdict::CaptchaRequired { code: of, .. } => {
                code = Some(*of);
                Outcome::CaptchaRequired
            }
            Verdict::ShadowBlocked { channel, code: of, until: at } => {
                about.channel = *channel;
                (code, until) = (Some(*of), Some(*at));
                Outcome::ShadowBlocked
            }
            Verdict::Refused { code: of, until: at, .. } => {
                (code, until) = (Some(*of), *at);
                Outcome::Refused
            }
        };
        if about.channel != asked_channel
            && let Ok((number, _)) = &seen.number
        {
            about.sender = sender_of(&self.admission.senders, (&seen.service, about.channel), number);
        }
        about.micros = self.price(&about);
        let reasons = reasons(found, signals);
        let code = code.map(str::to_owned);
        self.state().taken = Some((Taken { about, outcome, code, until, reasons, verification: None }, at));
    }

    /// Changes what this look comes to.
    pub(in crate::app) fn amend(&self, change: impl FnOnce(&mut Taken)) {
        if let Some((taken, _)) = &mut self.state().taken {
            change(taken);
        }
    }

    /// Marks a verification that begins with the decision's name, by which and by whom it
    /// was sent.
    pub(in crate::app) fn mark(&self, admitted: &mut Admitted, now: Timestamp) {
        let mut state = self.state();
        let Some((taken, _)) = &state.taken else { return };
        (admitted.face, admitted.sender) = (Some(taken.about.face.clone()), taken.about.sender.clone());
        let seat = state.seat.get_or_insert_with(|| self.admission.fraud.next(now));
        admitted.decision = Some(seat.id().clone());
    }

    /// A commit is about to be done that makes so what this look comes to.
    pub(in crate::app) fn is_written(&self) {
        self.state().is_written = true;
    }

    /// Forgets what the last look came to: it came to nothing.
    pub(in crate::app) fn forget(&self) {
        self.begin();
    }

    /// Records what the last look came to, if it came to anything.
    pub(in crate::app) fn record(&self) {
        let mut state = self.state();
        let Some((taken, at)) = state.taken.take() else { return };
        let seat = state.seat.take().unwrap_or_else(|| self.admission.fraud.next(at));
        let to = state.to.take();
        drop(state);
        let decision = taken.decision(seat.id().clone(), at);
        if let Some(to) = to.filter(|_| !decision.outcome.is_sent() || !decision.reasons.is_empty()) {
            self.admission.alerts.note(&self.admission.telling, &decision, to.in_full());
        }
        seat.record(decision);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing is ever half-changed under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who gives up waiting for a commit does not end it: what it was to make so is told.
impl Drop for Trial<'_> {
    fn drop(&mut self) {
        if self.state().is_written {
            self.record();
        }
    }
}

/// What each rule and each signal had to say.
fn reasons(found: &Found, signals: &[Signal]) -> Vec<Reason> {
    let of_signals = signals.iter().map(Reason::from);
    let is_signal = |rule: &str| rule == "fraud";
    let of_rules = found.reasons.iter().filter(|reason| !is_signal(reason.rule));
    of_rules.map(|reason| by(reason.rule)).chain(of_signals).collect()
}
