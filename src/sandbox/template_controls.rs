//! `/sandbox/templates`: gives a template its words, or takes its approval away.

use super::fields::is_sid;
use super::incoming::{Request, complaint, json_reply, not_allowed};
use super::templates::{Approval, Template, view};
use super::world::World;
use std::collections::BTreeMap;
use std::sync::Arc;
use warp::http::Method;
use warp::reply::Response;

/// The most languages for which WhatsApp's answer is set.
const LANGUAGES: usize = 200;

/// The most characters of a template, as on WhatsApp.
const BODY: usize = 1_024;

/// Answers `/sandbox/templates` and below.
pub(super) fn answer(world: &Arc<World>, request: &Request, rest: &[&str]) -> Response {
    match (&request.method, rest) {
        (&Method::GET, []) => json_reply(200, &world.with(|state| state.templates.document())),
        (&Method::PUT, [sid]) => set(world, request, sid),
        (_, []) => not_allowed("GET"),
        (_, [_]) => not_allowed("PUT"),
        _ => complaint(404, "no such control", "PUT /sandbox/templates/{sid}"),
    }
}

fn set(world: &World, request: &Request, sid: &str) -> Response {
    let hint = "send {\"status\"?: \"approved\", \"unapproved\", \"pending\", \"rejected\", \"paused\", \
                \"disabled\" or \"missing\", \"body\"?, \"copy_code\"?}; the path ends in HX and 32 \
                hexadecimal digits";
    let wanted: Template = match request.json() {
        Ok(template) => template,
        Err(error) => return complaint(400, &error.to_string(), hint),
    };
    if !is_sid(sid, "HX") {
        return complaint(400, "not the SID of a template", hint);
    }
    if wanted.body.as_ref().is_some_and(|body| body.chars().count() > BODY) {
        return complaint(400, "the body is too long", "1024 characters at most, as on WhatsApp");
    }
    let shown = world.change(|state| {
        // Words that a request leaves out stay as they were.
        let old = state.templates.get(sid).cloned();
        let (body, copy_code, made) =
            old.map_or((None, None, None), |old| (old.body, old.copy_code, old.made));
        let template = Template {
            status: wanted.status,
            body: wanted.body.or(body),
            copy_code: wanted.copy_code.or(copy_code),
            made,
        };
        let shown = view(sid, &template);
        state.templates.push(sid.to_owned(), template);
        shown
    });
    world.tell("templates", world.with(|state| state.templates.document()));
    json_reply(200, &shown)
}

/// `GET, PUT /sandbox/approvals`: what WhatsApp says, by language, when it is asked to
/// approve a content.
pub(super) fn approvals(world: &World, request: &Request) -> Response {
    let hint = "send {\"de\": \"rejected\", …}: for each language approved, pending, rejected, paused, \
                disabled or missing";
    match request.method {
        Method::GET => {}
        Method::PUT => {
            let answers: BTreeMap<String, Approval> = match request.json() {
                Ok(answers) => answers,
                Err(error) => return complaint(400, &error.to_string(), hint),
            };
            if answers.len() > LANGUAGES {
                return complaint(400, "too many languages", hint);
            }
            world.change(|state| state.templates.answers = answers);
        }
        _ => return not_allowed("GET, PUT"),
    }
    json_reply(200, &world.with(|state| serde_json::json!(state.templates.answers)))
}
