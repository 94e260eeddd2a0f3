//! Who comes to a session's pages, with what.

use super::guard;
use super::locale::Hints;
use super::note::Note;
use crate::app::verification::{LocaleHints, SessionView, Visitor};
use crate::http::context::Context;
use crate::http::pages::words::{self, Words};
use crate::http::request::Request;
use crate::model::id::SessionId;
use crate::secret::Secret;
use std::net::IpAddr;
use warp::http::Method;

/// A browser at a session's address.
pub struct PageRequest {
    /// The session; an id that is none is one that does not exist.
    pub id: Option<SessionId>,
    /// The browser's secret, if it has one.
    pub browser: Option<Secret>,
    /// The language chosen in this request.
    pub chosen: Option<&'static Words>,
    /// The language chosen before.
    pub kept: Option<&'static Words>,
    /// The word with which the application sent the person back here, where it says that
    /// a person is there.
    pub word: Option<String>,
    /// What the step before has to say.
    pub note: Option<Note>,
    /// The address that it comes from: that of the last hop that is no trusted proxy.
    pub address: IpAddr,
    /// The browser's `Accept-Language`, if it sent one.
    pub accepts: Option<String>,
    /// Sessions whose cookies it is to let go.
    pub surplus: Vec<SessionId>,
    /// Whether it has cookies of this session.
    pub has_cookies: bool,
    /// Whether the browser only looks ahead.
    pub is_ahead: bool,
}

impl PageRequest {
    /// What a request says about who sends it.
    pub fn of(context: &Context, request: &Request) -> Self {
        let headers = &request.headers;
        let query: Vec<(String, String)> = serde_urlencoded::from_str(request.query()).unwrap_or_default();
        let chosen = query.iter().find(|(name, _)| name == "lang").and_then(|(_, tag)| words::find(tag));
        let ahead = |name| request.header(name).is_some_and(|purpose| purpose.contains("prefetch"));
        let id: Option<SessionId> = request.params.first().and_then(|id| id.parse().ok());
        let url = &context.settings.public_url;
        let cookie = |name| Some(guard::name(url, id.as_ref()?, name));
        let kept = |name| cookie(name).and_then(|name| guard::cookie(headers, &name));
        let all = [guard::BROWSER, guard::LANGUAGE, guard::NOTE];
        Self {
            has_cookies: all.into_iter().any(|name| kept(name).is_some()),
            surplus: if url.is_https() { guard::surplus(headers, id.as_ref()) } else { Vec::new() },
            browser: cookie(guard::BROWSER).and_then(|name| guard::browser(headers, &name)),
            chosen,
            kept: kept(guard::LANGUAGE).and_then(words::find),
            word: query.iter().find(|(name, _)| name == "captcha").and_then(|(_, word)| word_of(word)),
            note: kept(guard::NOTE).and_then(Note::from_cookie),
            address: request.person(&context.settings.trusted_proxies),
            accepts: request.header("accept-language").map(str::to_owned),
            id,
            is_ahead: ahead("sec-purpose") || ahead("purpose") || request.method == Method::HEAD,
        }
    }

    /// The words to speak in, when this much is known of the session.
    pub fn words(&self, view: Option<&SessionView>) -> &'static Words {
        let session = view.map(|view| &view.session);
        // Not one that was entered here: the language would change on the way.
        let number = session.and_then(|session| session.to.as_ref());
        let hints = Hints {
            chosen: self.tag(),
            session: session.and_then(|session| session.locale.as_deref()),
            browser: self.accepts.as_deref(),
            number,
            service: view.and_then(|view| view.service.settings.locale.as_deref()),
        };
        hints.words()
    }

    /// Who it is to the steps of a session.
    pub fn visitor(&self) -> Visitor<'_> {
        let guessed = Hints { browser: self.accepts.as_deref(), ..Hints::default() };
        let locale_hints = LocaleHints {
            chosen: self.tag(),
            guessed: self.accepts.as_ref().map(|_| guessed.words().locale.as_str()),
        };
        Visitor { locale_hints, address: Some(self.address), captcha: None }
    }

    fn tag(&self) -> Option<&'static str> {
        self.chosen.or(self.kept).map(|words| words.locale.as_str())
    }
}

/// The longest word that is put into a form, in bytes.
const MOST_WORD: usize = 2048;

/// A word as a form may hold it.
fn word_of(text: &str) -> Option<String> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    ((1..=MOST_WORD).contains(&text.len()) && text.bytes().all(is_word)).then(|| text.to_owned())
}
