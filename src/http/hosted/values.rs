//! What the page of each step says: read off the session and its verification.
//!
//! It refuses to know cookies, headers and how a page is put together.

use super::locale;
use super::note::{clock, joined};
use super::now::{behind_calls, is_opted_out, now, stop, ways};
use super::page_request::PageRequest;
use super::widget::Widget;
use crate::app::verification::{SessionView, captcha_of};
use crate::http::context::Context;
use crate::http::pages::regions;
use crate::http::pages::words::{Words, fill};
use crate::model::channel::Channel;
use crate::model::code::CodeKind;
use crate::model::service::DIGITS;
use crate::model::session::{End, MOST_NUMBERS, MOST_STARTS, Session, Step};
use crate::model::verification::Status;
use jiff::Timestamp;
use minijinja::{Value, context};
use std::collections::BTreeMap;

/// Below this many seconds of life a page says how long the code is valid.
const SOON: i64 = 150;
/// A number between countries, to go by where no country is chosen. Ofcom keeps
/// its kind for drama, so that nobody has it.
const ANYWHERE: &str = "+44 7700 900123";
/// Below this many attempts it says how many are left.
const FEW: u32 = 2;

/// What the page of a step says besides.
pub fn values(context: &Context, page_request: &PageRequest, view: &SessionView, words: &Words) -> Value {
    match view.step {
        Step::Start => start_values(context, page_request, view, words),
        Step::Number => entry_values(context, page_request, view, words),
        Step::Channel => context! {
            channels => channels(page_request, view),
            labels => labels(view, words),
        },
        Step::Code => code_values(page_request, view, words, context.app.base.now()),
        Step::Done(end) => done_values(view, words, end),
        Step::Over => context! { end => "over", may_retry => false, may_leave => false, told => () },
    }
}

/// The proof that a page asks for before a code goes, where the step before found that one
/// is needed and the session still stands there: the widget, and what the page says of it.
/// A word of the application's is only handed on, once it is here.
pub fn proof(
    context: &Context,
    page_request: &PageRequest,
    view: &SessionView,
    words: &Words,
) -> Option<(Widget, Value)> {
    let channel = page_request.note.as_ref()?.proof_by?;
    let step = match view.step {
        Step::Channel => "channel",
        Step::Code => "resend",
        _ => return None,
    };
    let demand = captcha_of(&context.app.verifying, &view.session)?;
    let (widget, word) = match Widget::of(demand.provider) {
        Some(widget) => (widget, None),
        None => (Widget::default(), Some(page_request.word.as_ref()?)),
    };
    let values = context! {
        step, channel, word, bound_to => demand.bound_to, kind => demand.provider,
        class => widget.class, script => widget.script_in(&words.locale),
        site_key => demand.site_key, action => demand.action,
    };
    Some((widget, values))
}

/// What the first page says besides: it asks for the number, or, where the
/// application gave it, by which way the code is to come.
pub fn start_values(
    context: &Context,
    page_request: &PageRequest,
    view: &SessionView,
    words: &Words,
) -> Value {
    let enters = view.session.to.is_none();
    let own = context! { enters, channels => channels(page_request, view) };
    match enters {
        true => context! { ..own, ..entry_values(context, page_request, view, words) },
        false => context! { go => go(words, view), ..own },
    }
}

/// The ways that a page offers, in the order in which it does.
fn channels(page_request: &PageRequest, view: &SessionView) -> Vec<Channel> {
    let channels = view.channels.clone();
    if refuses_messages(page_request) { behind_calls(channels) } else { channels }
}

/// What each channel is called.
fn labels(view: &SessionView, words: &Words) -> BTreeMap<Channel, String> {
    let label =
        |channel| (channel, words.label_of(&view.service.settings.channel_labels, channel).to_owned());
    Channel::ALL.map(label).into()
}

/// Whether the step before was refused because the number wants no messages.
fn refuses_messages(page_request: &PageRequest) -> bool {
    page_request.note.as_ref().is_some_and(|note| note.name == "opted_out")
}

/// The fields for a number: what was typed before stands in them.
fn entry_values(context: &Context, page_request: &PageRequest, view: &SessionView, words: &Words) -> Value {
    let region = entry_region(page_request, view);
    let line = regions::lines(&words.locale).iter().find(|line| Some(&line.id) == region.as_ref());
    context! {
        regions => context.pages.regions.get(words.locale.as_str()),
        region, go => go(words, view), anywhere => ANYWHERE,
        example => line.map_or(ANYWHERE, |line| line.example),
        input => page_request.note.as_ref().map_or("", |note| note.input.as_str()),
    }
}

/// The country that is chosen when a number is asked for: the one of the form
/// that was sent, or a guess.
pub fn entry_region(page_request: &PageRequest, view: &SessionView) -> Option<String> {
    let note = page_request.note.as_ref().filter(|note| !note.region.is_empty());
    let guess = || locale::region_for(view.session.locale.as_deref(), page_request.accepts.as_deref());
    let service = || view.service.settings.locale.as_deref().and_then(locale::region_of);
    note.map(|note| note.region.clone()).or_else(guess).or_else(service)
}

/// Whether the person may enter another number.
pub fn may_change(view: &SessionView) -> bool {
    let session = &view.session;
    let is_open = session.to.is_none() && session.end.is_none();
    is_open && session.numbers < MOST_NUMBERS && view.service.settings.pages.register
}

/// What the last page says: what there is, and after a failure why, which the
/// browser that the session belongs to is told, and what can be done.
fn done_values(view: &SessionView, words: &Words, end: End) -> Value {
    let open = view.service.settings.pages.retry && view.session.end.is_none();
    let may_retry = end == End::Failed && open && view.session.starts < MOST_STARTS;
    let (done, service) = (&words.done, view.service.settings.name.as_str());
    let why = view.verification.as_ref().map(|verification| match verification.status {
        Status::Expired => &done.expired,
        Status::MaxAttemptsReached => &done.used_up,
        _ => &done.invalid,
    });
    let next = [(may_retry, &done.next_code), (may_change(view), &done.next_number)];
    let next = next.into_iter().filter(|(may, _)| *may).map(|(_, text)| text.clone());
    let mut next: Vec<String> = next.collect();
    if next.is_empty() {
        next.push(fill(&done.next_back, &[("service", service)]));
    }
    if end == End::CalledOff {
        let lead = if is_payment(&view.session) { &done.payment_canceled_lead } else { &done.canceled_lead };
        next = vec![joined(lead, &done.over_lead)];
    }
    let why = why.filter(|_| end != End::CalledOff);
    let told = why.cloned().into_iter().chain(next).reduce(|one, two| joined(&one, &two));
    context! { end, may_retry, may_leave => way_out(view).is_some(), told }
}

fn code_values(page_request: &PageRequest, view: &SessionView, words: &Words, at: Timestamp) -> Value {
    let Some(verification) = &view.verification else {
        return context! {};
    };
    let record = &verification.verification;
    let now = now(view, words, at);
    let ways = ways(view, refuses_messages(page_request) || is_opted_out(view));
    let until = |then: Timestamp| (then.duration_since(at).as_millis() + 999).div_euclid(1000) as i64;
    let wait = verification.resend_at.map_or(0, until).max(0);
    // A wait ends when it is over, a code's life is told in what there is of it.
    let expires = record.expires_at.duration_since(at).as_secs().max(0);
    let mut waiting = ways.iter().filter(|way| !way.at_once).map(|way| way.channel);
    // One way that waits is named; more of them wait for the same moment.
    let wait_line = match (waiting.next(), waiting.next()) {
        (Some(channel), None) => wait_of(words, channel),
        _ => &words.code.wait,
    };
    let kind = CodeKind::of(record.code.alphabet.as_deref().unwrap_or(DIGITS));
    context! {
        channel => record.channel(), now, stop => stop(view, words), ways, wait, wait_line, wait_one => wait_of(words, record.channel()), wait_text => clock(wait),
        length => record.code.length, kind => kind_of(kind), digits => kind == CodeKind::Digits,
        attempts => Some(verification.checks_left).filter(|left| *left <= FEW),
        expires => clock(expires), expires_seconds => expires, expires_soon => expires <= SOON,
    }
}

/// The words on the button that goes on: where one channel is left it sends at
/// once, and says so.
fn go<'a>(words: &'a Words, view: &SessionView) -> &'a str {
    match view.channels.as_slice() {
        [Channel::Sms] => &words.start.go_sms,
        [Channel::Call] => &words.start.go_call,
        [Channel::Whatsapp] => &words.start.go_whatsapp,
        _ => &words.start.go,
    }
}

/// Where the person may go from the page that the session is at: once there is an
/// end, by that end; and by the approval that is about to be one.
pub fn way_out(view: &SessionView) -> Option<&str> {
    let pages = &view.service.settings.pages;
    let success = || pages.success_url.as_deref().filter(|_| view.step != Step::Done(End::Failed));
    match (&view.session.return_url, view.session.end) {
        (None, None) => success(),
        _ => view.session.way_out(pages),
    }
}

/// The number as a page shows it: in full where the person typed it in this very
/// browser, so that a slip is seen; masked where the application gave it.
pub fn shown_number(session: &Session) -> Option<String> {
    match (&session.to, &session.number) {
        (None, Some(typed)) => Some(typed.in_full_spaced()),
        (None, None) => None,
        (Some(given), _) => {
            let masked = given.masked();
            let code = masked.find('*').unwrap_or(masked.len());
            Some(format!("{} {}", &masked[..code], &masked[code..]).replace('*', "•"))
        }
    }
}

/// Whether a session is about a payment.
pub fn is_payment(session: &Session) -> bool {
    session.details.amount.is_some() || session.details.payee.is_some()
}

/// When another may be asked for by a way that waits alone.
fn wait_of(words: &Words, channel: Channel) -> &str {
    match channel {
        Channel::Sms => &words.code.wait_sms,
        Channel::Call => &words.code.wait_call,
        Channel::Whatsapp => &words.code.wait_whatsapp,
    }
}

/// What a code's characters are, as a key of the words.
fn kind_of(kind: CodeKind) -> &'static str {
    match kind {
        CodeKind::Characters => "characters",
        CodeKind::Letters => "letters",
        CodeKind::Digits => "digits",
    }
}
