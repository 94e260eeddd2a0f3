//! Requests from the sandbox to the application: signed, each on a connection
//! of its own, with Twilio's headers and Twilio's patience.
//!
//! This module refuses to know what a request is about and what its answer
//! means: it sends, notes the exchange and hands the answer back.

use super::behaviour::Port;
use super::cookies::Setting;
use super::exchanges::Exchange;
use super::overrides::Overrides;
use super::trouble::{Names, Trouble, keeps_to_this_machine};
use super::webhook::{Answer, Webhook};
use super::world::World;
use crate::secret::Secret;
use crate::trust::Trust;
use crate::twilio::form::{Space, append_to_query, encode};
use crate::twilio::signature::{Algorithm, sign};
use bytes::BytesMut;
use jiff::fmt::rfc2822;
use reqwest::header::{CONTENT_TYPE, DATE, HOST, LOCATION, SET_COOKIE, WWW_AUTHENTICATE};
use reqwest::{Method, RequestBuilder, Url};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The most of an answer that is read, in bytes: one more than TwiML may have.
const ANSWER_LIMIT: usize = 64 * 1024 + 1;
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);

/// The client for webhooks: nothing pooled, nothing followed, no proxy.
///
/// # Errors
/// When the TLS library cannot be set up.
pub(super) fn client(trust: &Trust) -> anyhow::Result<reqwest::Client> {
    let mut builder = reqwest::Client::builder()
        .http1_only()
        .no_proxy()
        .pool_max_idle_per_host(0)
        .redirect(reqwest::redirect::Policy::none())
        .dns_resolver(Arc::new(Names))
        .connect_timeout(CONNECT);
    if let Some(tls) = trust.tls(&["http/1.1"])? {
        builder = builder.use_preconfigured_tls(tls);
    }
    Ok(builder.build()?)
}

/// Sends a webhook, again if its URL's fragment says so, and notes each try.
pub(super) async fn send(world: &World, webhook: &Webhook) -> Result<Answer, Trouble> {
    let wishes = Overrides::read(&webhook.hook.url);
    let deadline = Instant::now() + wishes.total;
    let mut tries_left = wishes.retries;
    loop {
        let outcome = attempt(world, webhook, &wishes, deadline, false).await;
        let again = tries_left > 0 && wishes.repeats(&outcome) && Instant::now() < deadline;
        if !again {
            return outcome;
        }
        tries_left -= 1;
    }
}

/// One try; a second with name and password where the answer asks for them and
/// the URL has them, as Twilio does it.
async fn attempt(
    world: &World,
    webhook: &Webhook,
    wishes: &Overrides,
    deadline: Instant,
    with_password: bool,
) -> Result<Answer, Trouble> {
    // The semaphore is never closed.
    let _room = world.outgoing.acquire().await;
    let url = &webhook.hook.url;
    let prepared = Prepared::new(world, webhook);
    let (at, begun) = (world.clock.now(), Instant::now());
    let outcome = if world.settings.allow_remote_callbacks || keeps_to_this_machine(url) {
        let mut request = prepared.request(&world.http);
        if with_password {
            request = request.basic_auth(url.username(), url.password());
        }
        let until = deadline.min(begun + wishes.read);
        match tokio::time::timeout_at(until, exchange(request)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Trouble::Timeout),
        }
    } else {
        Err(Trouble::Remote)
    };
    let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    if let Ok(answer) = &outcome {
        prepared.keep_cookies(world, webhook, answer);
    }
    note(world, prepared.exchange(webhook, at, ms, &outcome));
    match outcome {
        Ok(answer) if answer.challenge && !with_password && !url.username().is_empty() => {
            Box::pin(attempt(world, webhook, wishes, deadline, true)).await
        }
        outcome => outcome,
    }
}

async fn exchange(request: RequestBuilder) -> Result<Answer, Trouble> {
    let mut response = request.send().await.map_err(|error| Trouble::of(&error))?;
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (content_type, location) = (header(CONTENT_TYPE), header(LOCATION));
    let date = header(DATE).and_then(|text| rfc2822::parse(&text).ok()).map(|date| date.timestamp());
    let cookies = response.headers().get_all(SET_COOKIE).iter();
    let cookies = cookies.filter_map(|line| line.to_str().ok()).map(str::to_owned).collect();
    let challenge = response.status() == 401 && header(WWW_AUTHENTICATE).is_some();
    let status = response.status().as_u16();
    let mut body = BytesMut::new();
    while body.len() < ANSWER_LIMIT {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk[..chunk.len().min(ANSWER_LIMIT - body.len())]),
            Ok(None) => break,
            Err(error) => return Err(Trouble::of(&error)),
        }
    }
    Ok(Answer { status, content_type, location, cookies, date, body: body.freeze(), challenge })
}

/// Puts an exchange into the log and tells the page.
pub(super) fn note(world: &World, exchange: Exchange) -> u64 {
    // The verdict stays out of the log: it may name a number.
    tracing::debug!(
        kind = exchange.kind,
        sid = exchange.sid,
        status = exchange.status,
        ms = exchange.ms,
        "sandbox exchange"
    );
    let brief = serde_json::json!({
        "kind": exchange.kind,
        "sid": exchange.sid,
        "method": exchange.method,
        "status": exchange.status,
        "verdict": exchange.verdict,
    });
    let id = world.change(|state| state.exchanges.push(exchange));
    world.tell("exchange", brief);
    id
}

/// A request with everything that goes on the wire.
struct Prepared {
    method: Method,
    url: Url,
    headers: Vec<(String, String)>,
    body: String,
    brings_cookies: bool,
}

impl Prepared {
    fn new(world: &World, webhook: &Webhook) -> Self {
        let (get, space) = (webhook.hook.get, if webhook.voice { Space::Percent } else { Space::Plus });
        let mut url = bare(&webhook.hook.url);
        if get && let Ok(whole) = Url::parse(&append_to_query(url.as_str(), &webhook.params, space)) {
            url = whole;
        }
        let signed_url = signed_url(&url, webhook.voice, webhook.port);
        let params: &[(String, String)] = if get { &[] } else { &webhook.params };
        let wrong = Secret::new("0".repeat(32));
        let token = world.token_of(&webhook.account).filter(|_| !webhook.bad_signature).unwrap_or(wrong);
        let signature = sign(&token, Algorithm::HmacSha1, &signed_url, params);
        let content_type = match (get, webhook.voice) {
            (true, _) => None,
            (false, true) => Some("application/x-www-form-urlencoded; charset=UTF-8"),
            (false, false) => Some("application/x-www-form-urlencoded"),
        };
        let cookie = world.with(|state| state.cookies.bring(&webhook.pair, &url, world.clock.now()));
        let fixed = [
            ("User-Agent", Some("TwilioProxy/1.1")),
            ("Accept", Some("*/*")),
            ("Content-Type", content_type),
            ("X-Twilio-Signature", Some(&signature)),
            ("I-Twilio-Idempotency-Token", Some(&webhook.token)),
            ("X-Home-Region", Some("us1")),
            ("Cookie", cookie.as_deref()),
            ("Connection", Some("close")),
        ];
        let headers =
            fixed.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
        let method = if get { Method::GET } else { Method::POST };
        let (headers, brings_cookies) = (headers.collect(), cookie.is_some());
        Self { method, url, headers, body: encode(params, space), brings_cookies }
    }

    /// A callback that went out before a conversation had its cookies must not
    /// overwrite them with a session that its receiver opened for it alone.
    fn keep_cookies(&self, world: &World, webhook: &Webhook, answer: &Answer) {
        let setting = Setting {
            url: &self.url,
            lines: &answer.cookies,
            date: answer.date,
            adds_only: !webhook.is_dialogue() && !self.brings_cookies,
        };
        world.with(|state| state.cookies.keep(&webhook.pair, &setting, world.clock.now()));
    }

    fn request(&self, http: &reqwest::Client) -> RequestBuilder {
        let mut request = http.request(self.method.clone(), self.url.clone());
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if self.method == Method::POST { request.body(self.body.clone()) } else { request }
    }

    fn exchange(
        &self,
        webhook: &Webhook,
        at: jiff::Timestamp,
        ms: u64,
        outcome: &Result<Answer, Trouble>,
    ) -> Exchange {
        let (host, port) = (self.url.host_str().unwrap_or_default(), self.url.port());
        let host = port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let mut headers = vec![(HOST.to_string(), host)];
        headers.extend(self.headers.iter().cloned());
        let (status, answer, verdict) = match outcome {
            Ok(answer) => {
                let text = String::from_utf8_lossy(&answer.body).into_owned();
                (Some(answer.status), text, verdict(answer.status).to_owned())
            }
            Err(trouble) => (None, String::new(), trouble.words().to_owned()),
        };
        Exchange {
            id: 0,
            kind: webhook.kind,
            sid: Some(webhook.sid.clone()),
            operation: None,
            at,
            ms,
            method: self.method.to_string(),
            url: self.url.to_string(),
            headers,
            body: self.body.clone(),
            status,
            answer,
            verdict,
            webhook: Some(webhook.clone()),
        }
    }
}

fn verdict(status: u16) -> &'static str {
    match status {
        200..=299 => "accepted",
        300..=399 => "redirected",
        401 => "asked for a password",
        403 => "refused: the signature or the account did not convince it",
        404 => "no such route",
        405 => "method not allowed",
        429 => "told to slow down, which Twilio does not do",
        400..=499 => "refused",
        _ => "failed on its side",
    }
}

/// The URL without userinfo and fragment, which are neither sent in it nor
/// signed nor shown.
pub(super) fn bare(url: &Url) -> Url {
    let mut url = url.clone();
    url.set_fragment(None);
    // These fail only for URLs without a host, which a hook never is.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

/// The URL as it is signed: voice over https drops the port, everything else
/// keeps it; `port` overrules that.
fn signed_url(url: &Url, voice: bool, port: Option<Port>) -> String {
    let port = match port {
        Some(Port::With) => url.port_or_known_default(),
        Some(Port::Without) => None,
        None if voice && url.scheme() == "https" => None,
        None => url.port(),
    };
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}://{}{port}{}{query}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn the_signed_url_follows_twilios_rules_for_ports() {
        let signed = |text, voice, port| signed_url(&bare(&url(text)), voice, port);
        let https = "https://user:pw@example.com:8443/a?x=%2b1#rc=2";
        assert_eq!(signed(https, true, None), "https://example.com/a?x=%2b1");
        assert_eq!(signed(https, false, None), "https://example.com:8443/a?x=%2b1");
        let http = "http://user:pw@127.0.0.1:8080/a?";
        assert_eq!(signed(http, true, None), "http://127.0.0.1:8080/a?");
        assert_eq!(signed(http, true, Some(Port::Without)), "http://127.0.0.1/a?");
        assert_eq!(signed("https://example.com/", false, Some(Port::With)), "https://example.com:443/");
    }
}
