//! `GET /verify/{session}`: the page that a session is at.

use super::guard;
use super::note::Note;
use super::page_request::PageRequest;
use super::values::{
    entry_region, is_payment, may_change, proof, shown_number, start_values, values, way_out,
};
use crate::app::fault::Fault;
use crate::app::verification::{self, SessionError, SessionView};
use crate::http::context::Context;
use crate::http::error::Error;
use crate::http::pages::assets::Assets;
use crate::http::pages::start::{self, Kind};
use crate::http::pages::words::Words;
use crate::http::request::Request;
use crate::model::id::SessionId;
use crate::model::session::Step;
use crate::secret::Secret;
use minijinja::{Value, context};
use std::sync::Arc;
use warp::http::header::CONTENT_TYPE;
use warp::http::{HeaderValue, StatusCode};
use warp::reply::Response;

/// `GET /verify/{session}`: changes nothing, sends nothing.
pub async fn page(context: Arc<Context>, request: Request) -> Result<Response, Error> {
    let page_request = PageRequest::of(&context, &request);
    let view = match &page_request.id {
        Some(id) => verification::session(&context.app.admission, id, page_request.browser.as_ref()).await,
        None => Err(SessionError::Fault(Fault::NotFound)),
    };
    match (view, &page_request.id) {
        (Ok(view), Some(id)) => shown(&context, &page_request, id, &view),
        (Ok(_), None) | (Err(SessionError::Fault(Fault::NotFound)), None) => {
            gone(&context, &page_request, None)
        }
        (Err(SessionError::Fault(Fault::NotFound)), Some(id)) => {
            let mut response = gone(&context, &page_request, None)?;
            if page_request.has_cookies && !page_request.is_ahead {
                guard::forget(&context, &mut response, id);
            }
            Ok(response)
        }
        (Err(error), _) => {
            tracing::error!(%error, "a page could not be shown");
            gone(&context, &page_request, Some(&page_request.words(None).errors.trouble))
        }
    }
}

/// The page that tells nothing: of a session that is unknown, over, or another
/// browser's. `message` is for what is wrong on our side.
pub fn gone(context: &Context, page_request: &PageRequest, message: Option<&str>) -> Result<Response, Error> {
    let words = page_request.words(None);
    let base = page_request.id.as_ref().map_or_else(String::new, |id| base(context, id));
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
    let_go(context, page_request, &mut response);
    Ok(response)
}

fn shown(
    context: &Context,
    page_request: &PageRequest,
    id: &SessionId,
    view: &SessionView,
) -> Result<Response, Error> {
    let words = page_request.words(Some(view));
    let fresh = page_request.browser.is_none().then(|| verification::new_browser(&context.app.base));
    let browser = page_request.browser.as_ref().or(fresh.as_ref());
    let token = browser.map(guard::token).unwrap_or_default();
    let asked = proof(context, page_request, view, words);
    let widget = asked.as_ref().map(|(widget, _)| *widget).unwrap_or_default();
    let page = match (view.step, &page_request.note, asked) {
        (Step::Start, None, _) => first(context, page_request, view, words, &token)?,
        (_, _, Some((_, proof))) => {
            let values = context! { proof, ..common(context, page_request, view, words, &token) };
            render(context, "captcha.html", values)?
        }
        _ => {
            let values = context! { ..values(context, page_request, view, words), ..common(context, page_request, view, words, &token) };
            render(context, template(view.step), values)?
        }
    };
    let mut response = html(StatusCode::OK, page);
    let pages = &view.service.settings.pages;
    guard::dress_with(&mut response, pages.logo.as_deref(), way_out(view), &widget);
    let mut set = |name, value: &str| guard::set_cookie(context, &mut response, id, name, value);
    if let Some(browser) = &fresh {
        set(guard::BROWSER, browser.expose());
    }
    if let Some(chosen) = page_request.chosen {
        set(guard::LANGUAGE, &chosen.locale);
    }
    if page_request.note.is_some() && !page_request.is_ahead {
        set(guard::NOTE, "");
    }
    let_go(context, page_request, &mut response);
    Ok(response)
}

/// Bounds what a browser carries: with the cookies of a hundred sessions its
/// requests would be too long to be taken.
fn let_go(context: &Context, page_request: &PageRequest, response: &mut Response) {
    page_request.surplus.iter().for_each(|id| guard::forget(context, response, id));
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
    page_request: &PageRequest,
    view: &SessionView,
    words: &'static Words,
    token: &str,
) -> Result<String, Error> {
    let session = &view.session;
    let number = shown_number(session);
    let details = &session.details;
    let texts =
        [number.as_deref(), details.purpose.as_deref(), details.amount.as_deref(), details.payee.as_deref()];
    let entry = session.to.is_none().then(|| entry_region(page_request, view));
    let kind = Kind {
        locale: &words.locale,
        service: (view.service.id.clone(), view.service.updated_at),
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
        let page = context! { ..values, ..start_values(context, page_request, view, words) };
        render(context, "start.html", context! { ..page, ..frame(context, view, words) })
    })?;
    let [number, purpose, amount, payee] = texts.map(Option::unwrap_or_default);
    Ok(frozen.fill([&base, token, number, purpose, amount, payee]))
}

/// What every page of a brand in a language says.
fn frame(context: &Context, view: &SessionView, words: &Words) -> Value {
    let settings = &view.service.settings;
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
fn common(
    context: &Context,
    page_request: &PageRequest,
    view: &SessionView,
    words: &Words,
    token: &str,
) -> Value {
    let session = &view.session;
    // The last page says that of a code by itself.
    let is_said = |note: &&Note| matches!(view.step, Step::Done(_)) && note.field() == Some("code");
    let note = page_request.note.as_ref().filter(|note| !is_said(note));
    let problem = note.and_then(|note| Some((note.text(words)?, note.field())));
    let details = &session.details;
    let own = context! {
        base => base(context, &session.id),
        token,
        problem => problem.map(|(text, field)| context! { text, field }),
        number => shown_number(session),
        may_change => may_change(view),
        payment => is_payment(session),
        purpose => details.purpose, amount => details.amount, payee => details.payee,
    };
    context! { ..own, ..frame(context, view, words) }
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
pub fn known(page_request: &PageRequest) -> Option<(&SessionId, &Secret)> {
    page_request.id.as_ref().zip(page_request.browser.as_ref())
}

/// A note as it is given to the next page.
pub fn noted(context: &Context, response: &mut Response, id: &SessionId, note: &Note) {
    guard::set_cookie(context, response, id, guard::NOTE, &note.to_cookie());
}
