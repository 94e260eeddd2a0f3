//! `GET /verify/{session}`: the page that a session is at.

use super::assets::Assets;
use super::locale;
use super::note::{Note, clock};
use super::now::{now, ways};
use super::start::{self, Kind};
use super::visit::Visit;
use super::words::Words;
use super::{guard, regions};
use crate::http::context::Context;
use crate::http::error::Error;
use crate::http::request::Request;
use crate::model::brand::DIGITS;
use crate::model::channel::Channel;
use crate::model::id::SessionId;
use crate::model::session::{End, MOST_NUMBERS, MOST_STARTS, Session, Step};
use crate::model::verification::Status;
use crate::secret::Secret;
use crate::service::{ServiceError, SessionView};
use jiff::Timestamp;
use minijinja::{Value, context};
use std::sync::Arc;
use warp::http::header::CONTENT_TYPE;
use warp::http::{HeaderValue, StatusCode};
use warp::reply::Response;

/// Below this many seconds of life a page says how long the code is valid.
const SOON: i64 = 150;
/// A number between countries, to go by where no country is chosen. Ofcom keeps
/// its kind for drama, so that nobody has it.
const ANYWHERE: &str = "+44 7700 900123";
/// Below this many attempts it says how many are left.
const FEW: u32 = 2;

/// `GET /verify/{session}`: changes nothing, sends nothing.
pub async fn page(context: Arc<Context>, request: Request) -> Result<Response, Error> {
    let visit = Visit::of(&context, &request);
    let view = match &visit.id {
        Some(id) => context.service.session(id, visit.browser.as_ref()).await,
        None => Err(ServiceError::NotFound),
    };
    match (view, &visit.id) {
        (Ok(view), Some(id)) => shown(&context, &visit, id, &view),
        (Ok(_), None) | (Err(ServiceError::NotFound), _) => gone(&context, &visit, None),
        (Err(error), _) => {
            tracing::error!(%error, "a page could not be shown");
            gone(&context, &visit, Some(&visit.words(None).errors.trouble))
        }
    }
}

/// The page that tells nothing: of a session that is unknown, over, or another
/// browser's. `message` is for what is wrong on our side.
pub fn gone(context: &Context, visit: &Visit, message: Option<&str>) -> Result<Response, Error> {
    let words = visit.words(None);
    let base = visit.id.as_ref().map_or_else(String::new, |id| base(context, id));
    let values = context! {
        lang => words.locale,
        dir => words.direction,
        words => context.pages.words.get(words.locale.as_str()),
        service => "",
        logo => (),
        base,
        assets => Assets::of(context.settings.public_url.prefix(), None),
        languages => context.pages.languages,
        message,
    };
    let status = if message.is_some() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::NOT_FOUND };
    let page = render(context, "gone.html", values)?;
    let mut response = html(status, page);
    guard::dress(&mut response, None, None);
    Ok(response)
}

fn shown(context: &Context, visit: &Visit, id: &SessionId, view: &SessionView) -> Result<Response, Error> {
    let words = visit.words(Some(view));
    let fresh = visit.browser.is_none().then(|| context.service.new_browser());
    let browser = visit.browser.as_ref().or(fresh.as_ref());
    let token = browser.map(guard::token).unwrap_or_default();
    let page = match (view.step, &visit.note) {
        (Step::Start, None) => first(context, visit, view, words, &token)?,
        _ => {
            let values = context! { ..values(context, visit, view, words), ..common(context, visit, view, words, &token) };
            render(context, template(view.step), values)?
        }
    };
    let mut response = html(StatusCode::OK, page);
    let pages = &view.brand.settings.pages;
    guard::dress(&mut response, pages.logo.as_deref(), way_out(view));
    let mut set = |name, value: &str| guard::set_cookie(context, &mut response, id, name, value);
    if let Some(browser) = &fresh {
        set(guard::BROWSER, browser.expose());
    }
    if let Some(chosen) = visit.chosen {
        set(guard::LANGUAGE, &chosen.locale);
    }
    if visit.note.is_some() && !visit.is_ahead {
        set(guard::NOTE, "");
    }
    Ok(response)
}

fn template(step: Step) -> &'static str {
    match step {
        Step::Start => "start.html",
        Step::Number => "number.html",
        Step::Channel => "channel.html",
        Step::Code => "code.html",
        Step::Done(_) | Step::Over => "done.html",
    }
}

/// The first page: rendered once for all who see the same.
fn first(
    context: &Context,
    visit: &Visit,
    view: &SessionView,
    words: &'static Words,
    token: &str,
) -> Result<String, Error> {
    let session = &view.session;
    let number = shown_number(session);
    let details = &session.details;
    let texts =
        [number.as_deref(), details.purpose.as_deref(), details.amount.as_deref(), details.payee.as_deref()];
    let entry = session.to.is_none().then(|| entry_region(visit, view));
    let kind = Kind {
        locale: &words.locale,
        brand: (view.brand.id.clone(), view.brand.updated_at),
        has: texts.map(|text| text.is_some()),
        channels: view.channels.clone(),
        region: entry.clone().flatten(),
    };
    let base = base(context, &session.id);
    let frozen = context.pages.starts.page(kind, || {
        let open = |at: usize| texts[at].map(|_| start::place(at + 2));
        let values = context! {
            base => start::place(0), token => start::place(1),
            number => open(0), purpose => open(1), amount => open(2), payee => open(3),
            payment => is_payment(session), problem => (),
        };
        let page = context! { ..values, ..start_values(context, visit, view, words) };
        render(context, "start.html", context! { ..page, ..frame(context, view, words) })
    })?;
    let [number, purpose, amount, payee] = texts.map(Option::unwrap_or_default);
    Ok(frozen.fill([&base, token, number, purpose, amount, payee]))
}

/// What every page of a brand in a language says.
fn frame(context: &Context, view: &SessionView, words: &Words) -> Value {
    let settings = &view.brand.settings;
    context! {
        lang => words.locale,
        dir => words.direction,
        words => context.pages.words.get(words.locale.as_str()),
        languages => context.pages.languages,
        service => settings.name,
        logo => settings.pages.logo,
        assets => Assets::of(context.settings.public_url.prefix(), settings.pages.colour.as_deref()),
    }
}

/// What every page of a session says.
fn common(context: &Context, visit: &Visit, view: &SessionView, words: &Words, token: &str) -> Value {
    let session = &view.session;
    // The last page says that of a code by itself.
    let is_said = |note: &&Note| matches!(view.step, Step::Done(_)) && note.field() == Some("code");
    let note = visit.note.as_ref().filter(|note| !is_said(note));
    let problem = note.and_then(|note| Some((note.text(words)?, note.field())));
    let may_change = session.to.is_none()
        && session.end.is_none()
        && session.numbers < MOST_NUMBERS
        && view.brand.settings.pages.register;
    let details = &session.details;
    let own = context! {
        base => base(context, &session.id),
        token,
        problem => problem.map(|(text, field)| context! { text, field }),
        number => shown_number(session),
        may_change,
        payment => is_payment(session),
        purpose => details.purpose, amount => details.amount, payee => details.payee,
    };
    context! { ..own, ..frame(context, view, words) }
}

/// What the page of a step says besides.
fn values(context: &Context, visit: &Visit, view: &SessionView, words: &Words) -> Value {
    match view.step {
        Step::Start => start_values(context, visit, view, words),
        Step::Number => entry_values(context, visit, view, words),
        Step::Channel => context! { channels => view.channels },
        Step::Code => code_values(view, words, context.service.now()),
        Step::Done(end) => {
            let pages = &view.brand.settings.pages;
            let may_retry = end == End::Failed
                && pages.retry
                && view.session.end.is_none()
                && view.session.starts < MOST_STARTS;
            let may_leave = way_out(view).is_some();
            context! { end, may_retry, may_leave, why => why(view) }
        }
        Step::Over => context! { end => "over", may_retry => false, may_leave => false, why => () },
    }
}

/// What the first page says besides: it asks for the number, or, where the
/// application gave it, by which way the code is to come.
fn start_values(context: &Context, visit: &Visit, view: &SessionView, words: &Words) -> Value {
    let enters = view.session.to.is_none();
    let own = context! { enters, channels => view.channels };
    match enters {
        true => context! { ..own, ..entry_values(context, visit, view, words) },
        false => context! { go => go(words, view), ..own },
    }
}

/// The fields for a number: what was typed before stands in them.
fn entry_values(context: &Context, visit: &Visit, view: &SessionView, words: &Words) -> Value {
    let region = entry_region(visit, view);
    let line = regions::lines(&words.locale).iter().find(|line| Some(&line.id) == region.as_ref());
    context! {
        regions => context.pages.regions.get(words.locale.as_str()),
        region, go => go(words, view), anywhere => ANYWHERE,
        example => line.map_or(ANYWHERE, |line| line.example),
        input => visit.note.as_ref().map_or("", |note| note.input.as_str()),
    }
}

/// The country that is chosen when a number is asked for: the one of the form
/// that was sent, or a guess.
fn entry_region(visit: &Visit, view: &SessionView) -> Option<String> {
    let note = visit.note.as_ref().filter(|note| !note.region.is_empty());
    let guess = || locale::region(view.session.locale.as_deref(), visit.accepts.as_deref());
    let service = || view.brand.settings.locale.as_deref().and_then(locale::region_of);
    note.map(|note| note.region.clone()).or_else(guess).or_else(service)
}

/// Why a session has failed: the browser that it belongs to is told.
fn why(view: &SessionView) -> Option<&'static str> {
    Some(match view.verification.as_ref()?.status {
        Status::Expired => "expired",
        Status::MaxAttemptsReached => "used_up",
        _ => "invalid",
    })
}

fn code_values(view: &SessionView, words: &Words, at: Timestamp) -> Value {
    let Some(verification) = &view.verification else {
        return context! {};
    };
    let record = &verification.verification;
    let now = now(view, words, at);
    let ways = ways(view);
    let until = |then: Timestamp| (then.duration_since(at).as_millis() + 999).div_euclid(1000) as i64;
    let wait = verification.resend_at.map_or(0, until).max(0);
    // A wait ends when it is over, a code's life is told in what there is of it.
    let expires = record.expires_at.duration_since(at).as_secs().max(0);
    let alphabet = record.code.alphabet.as_deref().unwrap_or(DIGITS);
    context! {
        channel => record.channel(), now, ways, wait, wait_text => clock(wait),
        length => record.code.length, kind => kind_of(alphabet), digits => alphabet.bytes().all(|byte| byte.is_ascii_digit()),
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
fn way_out(view: &SessionView) -> Option<&str> {
    let pages = &view.brand.settings.pages;
    let success = || pages.success_url.as_deref().filter(|_| view.step != Step::Done(End::Failed));
    match (&view.session.return_url, view.session.end) {
        (None, None) => success(),
        _ => view.session.way_out(pages),
    }
}

/// The number as a page shows it: in full where the person typed it in this very
/// browser, so that a slip is seen; masked where the application gave it.
fn shown_number(session: &Session) -> Option<String> {
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
fn is_payment(session: &Session) -> bool {
    session.details.amount.is_some() || session.details.payee.is_some()
}

/// What a code of these characters is said to be made of, as a key of the words.
fn kind_of(alphabet: &str) -> &'static str {
    match (
        alphabet.bytes().any(|it| it.is_ascii_digit()),
        alphabet.bytes().any(|it| it.is_ascii_alphabetic()),
    ) {
        (true, true) => "characters",
        (false, true) => "letters",
        _ => "digits",
    }
}

/// The path of a session's pages, as browsers see it.
pub fn base(context: &Context, id: &SessionId) -> String {
    format!("{}/verify/{id}", context.settings.public_url.prefix())
}

fn render(context: &Context, name: &str, values: Value) -> Result<String, Error> {
    let told = |error: minijinja::Error| Error::Internal(format!("template {name}: {error:#}"));
    context.pages.templates.render(name, values).map_err(told)
}

fn html(status: StatusCode, page: String) -> Response {
    let mut response = Response::new(page.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

/// What a browser knows itself by, if it may be asked.
pub fn known(visit: &Visit) -> Option<(&SessionId, &Secret)> {
    visit.id.as_ref().zip(visit.browser.as_ref())
}

/// A note as it is given to the next page.
pub fn noted(context: &Context, response: &mut Response, id: &SessionId, note: &Note) {
    guard::set_cookie(context, response, id, guard::NOTE, &note.to_cookie());
}
