//! Getting TwiML from the application: redirects, content types, sizes, and
//! the error code of everything that can go wrong.

use super::fields::web_url;
use super::outgoing::send;
use super::resource::Hook;
use super::script::{self, Script};
use super::verb::{Reply, Say, Verb};
use super::webhook::{Answer, Webhook};
use super::world::World;
use reqwest::Url;

/// The most redirects that are followed.
const REDIRECTS: usize = 10;
/// The longest document, in bytes.
const DOCUMENT: usize = 64 * 1024;

/// Why there is nothing to execute: Twilio's code and what happened.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Fault {
    /// Twilio's error code.
    pub code: u32,
    /// What happened, in words for an alert.
    pub message: String,
}

impl Fault {
    /// A fault with a code of Twilio's.
    pub fn new(code: u32, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// Asks for a document, following redirects, and reads it. Gives it with the
/// URL it came from in the end, against which relative URLs are read.
pub(super) async fn document(world: &World, webhook: &Webhook) -> Result<(Script, Url), Fault> {
    // Twilio's own ceiling for the whole, redirects included.
    let ceiling = std::time::Duration::from_secs(15);
    let asked = tokio::time::timeout(ceiling, ask(world, webhook));
    let (answer, url) = asked.await.map_err(|_| Fault::new(11205, "no answer within 15 seconds"))??;
    let script = interpret(&answer, webhook.voice)?;
    Ok((script, url))
}

async fn ask(world: &World, webhook: &Webhook) -> Result<(Answer, Url), Fault> {
    let mut webhook = webhook.clone();
    for _ in 0..=REDIRECTS {
        let answer =
            send(world, &webhook).await.map_err(|trouble| Fault::new(trouble.code(), trouble.words()))?;
        let url = webhook.hook.url.clone();
        match answer.status {
            301 | 302 | 303 | 307 | 308 => redirect(&mut webhook, &answer)?,
            200..=299 => return Ok((answer, url)),
            status => return Err(Fault::new(11200, format!("answered with status {status}"))),
        }
    }
    Err(Fault::new(11215, format!("more than {REDIRECTS} redirects")))
}

/// Points the request at its new place. As browsers do it, 301, 302 and 303
/// make a GET of it and lose the parameters.
fn redirect(webhook: &mut Webhook, answer: &Answer) -> Result<(), Fault> {
    let location = answer.location.as_deref().unwrap_or_default();
    let joined = webhook
        .hook
        .url
        .join(location)
        .ok()
        .filter(|url| !location.is_empty() && web_url(url.as_str()).is_some());
    let url = joined.ok_or_else(|| Fault::new(11216, format!("invalid redirect to '{location}'")))?;
    if !matches!(answer.status, 307 | 308) {
        webhook.params.clear();
        webhook.hook.get = true;
    }
    webhook.hook.url = url;
    Ok(())
}

fn interpret(answer: &Answer, voice: bool) -> Result<Script, Fault> {
    if answer.body.len() > DOCUMENT {
        return Err(Fault::new(11750, "the document is larger than 64 kB"));
    }
    let text = String::from_utf8_lossy(&answer.body);
    if text.trim().is_empty() {
        // Silence is a fine answer to a message, but leaves a caller alone.
        return if voice { Err(Fault::new(11770, "empty response body")) } else { Ok(Script::default()) };
    }
    let content_type = answer.content_type.as_deref().unwrap_or_default().to_ascii_lowercase();
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    match kind {
        "text/xml" | "application/xml" | "text/html" => read(&text),
        "text/plain" if text.trim_start().starts_with('<') => read(&text),
        "text/plain" => Ok(plain(text.trim(), voice)),
        kind if voice && kind.starts_with("audio/") => Ok(audio()),
        "" => Err(Fault::new(12300, "the answer has no content type")),
        kind => Err(Fault::new(12300, format!("invalid content type {kind}"))),
    }
}

/// Reads TwiML that is at hand.
pub(super) fn read(text: &str) -> Result<Script, Fault> {
    script::read(text).map_err(|(code, message)| Fault { code, message })
}

fn plain(text: &str, voice: bool) -> Script {
    let text = text.to_owned();
    let verb = if voice {
        Verb::Say(Say { text, loops: 1, ..Say::default() })
    } else {
        Verb::Message(Reply { body: text, ..Reply::default() })
    };
    Script { verbs: vec![verb], warnings: Vec::new() }
}

fn audio() -> Script {
    let verbs = vec![Verb::Play { name: "[sound]".to_owned(), loops: 1 }, Verb::Hangup];
    Script { verbs, warnings: Vec::new() }
}

/// A URL in a document, read against the document's own. Without one (TwiML
/// that came with the request) it must be absolute.
pub(super) fn resolve(base: Option<&Url>, text: &str, get: bool) -> Result<Hook, Fault> {
    let joined = match base {
        Some(base) => base.join(text).ok(),
        None => web_url(text),
    };
    let url = joined.filter(|url| matches!(url.scheme(), "http" | "https"));
    url.map(|url| Hook { url, get }).ok_or_else(|| Fault::new(11100, format!("invalid URL '{text}'")))
}
