//! The telephones page, at `/`: plain files inside the binary.
//!
//! This module refuses to know what the page does. It serves fixed bytes to
//! this machine's own browser and lets the page load nothing from elsewhere.

use super::incoming::{Request, complaint, not_allowed, typed};
use super::world::World;
use crate::server::is_local;
use warp::http::header::{
    CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use warp::http::{HeaderValue, Method};
use warp::reply::Response;

const HTML: &str = "text/html;charset=utf-8";
const CSS: &str = "text/css;charset=utf-8";
const SCRIPT: &str = "text/javascript;charset=utf-8";

/// Every file there is.
const FILES: [(&str, &str, &str); 16] = [
    ("/", HTML, include_str!("page/index.html")),
    ("/telephones.css", CSS, include_str!("page/telephones.css")),
    ("/phone.css", CSS, include_str!("page/phone.css")),
    ("/whatsapp.css", CSS, include_str!("page/whatsapp.css")),
    ("/attach.css", CSS, include_str!("page/attach.css")),
    ("/attach.js", SCRIPT, include_str!("page/attach.js")),
    ("/telephones.js", SCRIPT, include_str!("page/telephones.js")),
    ("/telephone.js", SCRIPT, include_str!("page/telephone.js")),
    ("/whatsapp.js", SCRIPT, include_str!("page/whatsapp.js")),
    ("/numbers.js", SCRIPT, include_str!("page/numbers.js")),
    ("/form.js", SCRIPT, include_str!("page/form.js")),
    ("/bench.js", SCRIPT, include_str!("page/bench.js")),
    ("/world.js", SCRIPT, include_str!("page/world.js")),
    ("/sound.js", SCRIPT, include_str!("page/sound.js")),
    ("/dom.js", SCRIPT, include_str!("page/dom.js")),
    ("/icon.svg", "image/svg+xml", include_str!("page/icon.svg")),
];

/// The page shows text that anybody can send to a phone, so the browser is told
/// to run and load nothing but these files, and to let nobody frame them.
const GUARDS: [(HeaderName, &str); 4] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
];

/// Whether a path is one of the page's files.
pub(super) fn has(path: &str) -> bool {
    FILES.iter().any(|(file, ..)| *file == path)
}

/// Answers with one of the page's files.
pub(super) fn answer(world: &World, request: &Request) -> Response {
    if !is_local(request.header("host").unwrap_or_default(), &world.settings.hosts) {
        let hint = "call it by 127.0.0.1, localhost or the address it listens on";
        return complaint(403, "the sandbox does not answer to this name", hint);
    }
    let Some((_, kind, body)) = FILES.into_iter().find(|(path, ..)| *path == request.path) else {
        let hint = "the telephones are at /, the controls at /sandbox/, and the rest is the REST API";
        return complaint(404, "no such page", hint);
    };
    if !matches!(request.method, Method::GET | Method::HEAD) {
        return not_allowed("GET, HEAD");
    }
    let mut response = typed(200, kind, body.to_owned());
    for (name, value) in GUARDS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_the_files_name_is_there() {
        let known = |path: &str| FILES.iter().any(|(file, ..)| *file == path);
        for (file, _, text) in FILES {
            for mark in ["src=\"/", "href=\"/", "from \"./"] {
                for rest in text.split(mark).skip(1) {
                    let name = rest.split('"').next().unwrap_or_default();
                    assert!(known(&format!("/{name}")), "{file} names {name}");
                }
            }
        }
    }

    #[test]
    fn data_never_becomes_markup() {
        for (file, kind, text) in FILES {
            for way in
                ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"]
            {
                assert!(!text.contains(way), "{file} uses {way}");
            }
            let inline = kind == HTML && (text.contains(" style=\"") || text.contains(" onclick="));
            assert!(!inline, "{file} has what its own policy forbids");
        }
    }
}
