//! What keeps the pages safe in a browser: headers, cookies, and the proof that
//! a form is one of ours.

use super::widget::Widget;
use crate::http::context::Context;
use crate::http::request::Request;
use crate::model::id::SessionId;
use crate::secret::Secret;
use crate::twilio::url::PublicUrl;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use warp::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, REFERRER_POLICY, SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
};
use warp::http::{HeaderMap, HeaderName, HeaderValue};
use warp::reply::Response;

/// The browser's secret. Of a session alone, by its path or, over TLS, by its name.
pub const BROWSER: &str = "dialback_browser";
/// The language chosen on a page.
pub const LANGUAGE: &str = "dialback_language";
/// What the next page has to say.
pub const NOTE: &str = "dialback_note";
/// Cookies that are looked at: as many as a browser keeps of a site.
const MOST_COOKIES: usize = 180;
/// Sessions whose cookies a browser is left with, the one that it is at among them.
/// Over TLS it sends all of them with every request to this host.
const MOST_SESSIONS: usize = 8;
/// What the name of a cookie begins with that is our host's alone.
const PREFIX: &str = "__Host-";
/// Seconds that a cookie is kept: as long as a session and its result live.
const KEPT: u32 = 35 * 60;

/// A cookie's value.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).take(MOST_COOKIES);
    pairs.filter_map(|pair| pair.trim().split_once('=')).find(|(own, _)| *own == name).map(|(_, value)| value)
}

/// What a session's cookie is called. Over TLS the name has the prefix by which
/// browsers take it from this very host alone, over TLS and for all paths (RFC
/// 6265bis, §4.1.3.2), so that no other host of the domain can lay one there; the
/// session is in its name then.
pub fn name(url: &PublicUrl, id: &SessionId, name: &str) -> String {
    if url.is_https() { format!("{PREFIX}{name}_{id}") } else { name.to_owned() }
}

/// The sessions whose cookies a browser is to let go: all but the one that it is at
/// and the newest. Browsers name their oldest cookies first (RFC 6265 §5.4).
pub fn surplus(headers: &HeaderMap, own: Option<&SessionId>) -> Vec<SessionId> {
    let lines = headers.get_all(COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let names = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split('=').next());
    let mut sessions: Vec<SessionId> = Vec::new();
    for id in names.filter_map(session_of).filter(|id| Some(id) != own) {
        if !sessions.contains(&id) {
            sessions.push(id);
        }
    }
    sessions.truncate((sessions.len() + 1).saturating_sub(MOST_SESSIONS));
    sessions
}

/// The session that a cookie is of, where its name says it.
fn session_of(name: &str) -> Option<SessionId> {
    let (name, id) = name.strip_prefix(PREFIX)?.rsplit_once('_')?;
    [BROWSER, LANGUAGE, NOTE].contains(&name).then(|| id.parse().ok()).flatten()
}

/// Takes away every cookie of a session's pages.
pub fn forget(context: &Context, response: &mut Response, id: &SessionId) {
    for name in [BROWSER, LANGUAGE, NOTE] {
        set_cookie(context, response, id, name, "");
    }
}

/// The browser's secret, if the cookie may be one of ours.
pub fn browser(headers: &HeaderMap, name: &str) -> Option<Secret> {
    let value = cookie(headers, name)?;
    let is_ours = value.len() == 64 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_ours.then(|| Secret::new(value))
}

/// Sets a cookie of a session's pages; an empty value takes it away.
pub fn set_cookie(context: &Context, response: &mut Response, id: &SessionId, name: &str, value: &str) {
    if let Ok(line) = HeaderValue::from_str(&line(&context.settings.public_url, id, name, value)) {
        response.headers_mut().append(SET_COOKIE, line);
    }
}

fn line(url: &PublicUrl, id: &SessionId, plain: &str, value: &str) -> String {
    let age = if value.is_empty() { 0 } else { KEPT };
    let (path, secure) = match url.is_https() {
        true => ("/".to_owned(), "; Secure"),
        false => (format!("{}/verify/{id}", url.prefix()), ""),
    };
    let name = name(url, id, plain);
    format!("{name}={value}; Path={path}; Max-Age={age}; HttpOnly; SameSite=Lax{secure}")
}

/// What a form of ours proves itself with: nobody who does not know the
/// browser's secret can make it.
pub fn token(browser: &Secret) -> String {
    let hash = Sha256::new().chain_update(b"dialback form v1\0").chain_update(browser.expose()).finalize();
    hex::encode(&hash[..16])
}

/// Whether a form came with the browser's token.
pub fn is_ours(browser: &Secret, offered: &str) -> bool {
    token(browser).as_bytes().ct_eq(offered.as_bytes()).into()
}

/// Whether a browser says that a page of another site sent the form. One that
/// says nothing is known by its token alone. `Origin` is `null` where the
/// referrer policy is as strict as ours.
pub fn is_foreign(context: &Context, request: &Request) -> bool {
    match (request.header("sec-fetch-site"), request.header("origin")) {
        (Some(site), _) => !matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => origin != "null" && origin != own_origin(context),
        (None, None) => false,
    }
}

/// Puts the headers of a page on an answer. `image` is the logo's address,
/// `way_out` the one where the person goes in the end: browsers ask the policy
/// about a form's redirect too.
pub fn dress(response: &mut Response, image: Option<&str>, way_out: Option<&str>) {
    dress_with(response, image, way_out, &Widget::default());
}

/// The same of a page that shows a provider's widget, which takes as much of the provider
/// as its documents say, and no more.
pub fn dress_with(response: &mut Response, image: Option<&str>, way_out: Option<&str>, widget: &Widget) {
    let origin =
        |url: Option<&str>| url.and_then(origin).map(|origin| format!(" {origin}")).unwrap_or_default();
    let Widget { styles, scripts, connects, frames, .. } = widget;
    let mut policy = format!(
        "default-src 'none'; style-src 'self'{styles}; script-src 'self'{scripts}; connect-src 'self'{connects}; \
         img-src 'self'{}; form-action 'self'{}; frame-ancestors 'none'; base-uri 'none'",
        origin(image),
        origin(way_out),
    );
    if !frames.is_empty() {
        policy.push_str("; frame-src");
        policy.push_str(frames);
    }
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    let fixed: [(HeaderName, &'static str); 8] = [
        // A provider has to learn on which host its widget stands, and not on which page.
        (REFERRER_POLICY, if frames.is_empty() { "no-referrer" } else { "strict-origin" }),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("permissions-policy"), "otp-credentials=(self)"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("x-frame-options"), "DENY"),
        (HeaderName::from_static("x-robots-tag"), "noindex"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

fn own_origin(context: &Context) -> String {
    origin(&context.settings.public_url.to_string()).unwrap_or_default().to_owned()
}

/// Scheme, host and port of an address.
fn origin(url: &str) -> Option<&str> {
    let host = url.find("://")? + 3;
    let end = url[host..].find(['/', '?', '#']).map_or(url.len(), |end| host + end);
    let origin = &url[..end];
    // What would begin another rule in a policy is no origin.
    origin.bytes().all(|byte| byte.is_ascii_graphic() && !b";,'\"@".contains(&byte)).then_some(origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_the_beginning_of_an_address() {
        for (url, expected) in [
            ("https://shop.example/done?x", Some("https://shop.example")),
            ("http://127.0.0.1:8000", Some("http://127.0.0.1:8000")),
            ("https://shop.example?x", Some("https://shop.example")),
            ("https://a;script-src *", None),
            ("/logo.svg", None),
        ] {
            assert_eq!(origin(url), expected, "{url}");
        }
    }

    #[test]
    fn a_token_belongs_to_its_browser() {
        let (one, other) = (Secret::new("a".repeat(64)), Secret::new("b".repeat(64)));
        assert!(is_ours(&one, &token(&one)));
        assert!(!is_ours(&one, &token(&other)) && !is_ours(&one, ""));
    }

    #[test]
    fn over_tls_a_cookie_is_its_hosts_alone() {
        let id = SessionId::from_random([1; 16]);
        let url = |text| PublicUrl::parse(text).unwrap();
        let over_tls = line(&url("https://otp.example/door"), &id, NOTE, "n");
        let expected =
            format!("__Host-dialback_note_{id}=n; Path=/; Max-Age=2100; HttpOnly; SameSite=Lax; Secure");
        assert_eq!(over_tls, expected);
        let plain = line(&url("http://127.0.0.1:8000/door"), &id, NOTE, "");
        assert_eq!(
            plain,
            format!("dialback_note=; Path=/door/verify/{id}; Max-Age=0; HttpOnly; SameSite=Lax")
        );
        // One that lacks the prefix may be another host's.
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("dialback_note=theirs"));
        assert_eq!(cookie(&headers, &name(&url("https://otp.example"), &id, NOTE)), None);
    }

    #[test]
    fn a_browser_is_left_with_the_newest_sessions_and_the_one_it_is_at() {
        let id = |n: u8| SessionId::from_random([n; 16]);
        let mut headers = HeaderMap::new();
        let lines: Vec<String> = (0..20)
            .flat_map(|n| [BROWSER, LANGUAGE].map(|name| format!("__Host-{name}_{}=x", id(n))))
            .chain(["session=1".into(), "__Host-dialback_browser_PSx=1".into(), "__Host-other_1=2".into()])
            .collect();
        headers.insert(COOKIE, HeaderValue::from_str(&lines.join("; ")).unwrap());
        let gone = |own: Option<u8>| surplus(&headers, own.map(id).as_ref());
        assert_eq!(gone(None), (0..13).map(id).collect::<Vec<_>>());
        assert_eq!(gone(Some(19)), (0..12).map(id).collect::<Vec<_>>());
        assert_eq!(gone(Some(0)), (1..13).map(id).collect::<Vec<_>>(), "the one that it is at stays");
        assert_eq!(gone(Some(99)).len(), 13, "and it counts before it has a cookie");
        assert!(surplus(&HeaderMap::new(), None).is_empty());
    }

    #[test]
    fn cookies_are_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("x=1; dialback_note=n=code; y"));
        headers.append(COOKIE, HeaderValue::from_static("dialback_browser=short"));
        assert_eq!(cookie(&headers, NOTE), Some("n=code"));
        assert!(browser(&headers, BROWSER).is_none());
    }
}
