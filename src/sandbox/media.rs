//! Pictures and other media of messages: fetched from the application when a
//! message leaves, or sent in by a telephone, and kept within a bound of bytes.

use super::fields::web_url;
use super::resource::Message;
use super::shelf::{Owned, Shelf};
use super::trouble::{Trouble, keeps_to_this_machine};
use super::world::World;
use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, LOCATION};
use serde_json::{Value, json};
use std::time::Duration;

/// The largest of one message, in bytes.
pub(super) const LARGEST: usize = 5 * 1024 * 1024;
/// The most bytes that are kept of all; the oldest go first.
const KEPT: usize = 64 * 1024 * 1024;
/// The most media that are kept.
const COUNT: usize = 10_000;
/// How long fetching one may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// The most redirects that are followed.
const REDIRECTS: usize = 5;

/// One of a message's media.
#[derive(Clone)]
pub(super) struct Media {
    /// `ME…`.
    pub sid: String,
    /// The account it is of.
    pub account: String,
    /// The message it belongs to.
    pub message: String,
    /// What it is: `image/png`.
    pub content_type: String,
    /// The content.
    pub bytes: Bytes,
    /// When it was kept.
    pub created: Timestamp,
}

impl Owned for Media {
    fn account(&self) -> &str {
        &self.account
    }
}

/// All media, within their bound.
pub(super) struct Album {
    shelf: Shelf<Media>,
    bytes: usize,
}

impl Default for Album {
    fn default() -> Self {
        Self { shelf: Shelf::new(COUNT), bytes: 0 }
    }
}

impl Album {
    /// Keeps one; the oldest go when there is no room.
    pub fn push(&mut self, media: Media) {
        self.bytes += media.bytes.len();
        self.shelf.push(media.sid.clone(), media);
        // What the shelf itself dropped counts no longer either.
        while self.bytes > KEPT {
            self.bytes = self.shelf.newest_first().map(|media| media.bytes.len()).sum();
            let oldest = self.shelf.newest_first().last().map(|media| media.sid.clone());
            match oldest.filter(|_| self.bytes > KEPT) {
                Some(sid) => drop(self.remove(&sid)),
                None => return,
            }
        }
    }

    /// One of them.
    pub fn get(&self, sid: &str) -> Option<&Media> {
        self.shelf.get(sid)
    }

    /// An account's of one message, newest first.
    pub fn of<'a>(&'a self, account: &'a str, message: &'a str) -> impl Iterator<Item = &'a Media> {
        self.shelf.of(account).filter(move |media| media.message == message)
    }

    /// Takes one away.
    pub fn remove(&mut self, sid: &str) -> Option<Media> {
        let media = self.shelf.remove(sid)?;
        self.bytes = self.bytes.saturating_sub(media.bytes.len());
        Some(media)
    }
}

impl Media {
    /// The media as the telephone shows it.
    pub fn view(&self) -> Value {
        json!({
            "sid": self.sid,
            "content_type": self.content_type,
            "url": format!("/sandbox/media/{}", self.sid),
        })
    }
}

/// The types that a carrier takes.
pub(super) fn is_carried(content_type: &str) -> bool {
    let (kind, _) = content_type.split_once('/').unwrap_or_default();
    let documents = ["application/pdf", "application/vcard", "text/vcard", "text/x-vcard", "text/calendar"];
    matches!(kind, "image" | "audio" | "video") || documents.contains(&content_type)
}

/// Fetches what a message that leaves brings with it, and keeps it. What is elsewhere
/// and may not be called is not fetched, and the message goes without it.
///
/// # Errors
/// Twilio's code for why the message cannot leave.
pub(super) async fn collect(world: &World, message: &Message) -> Result<Vec<Value>, u32> {
    let mut views = Vec::new();
    for text in &message.media {
        let Some(url) = web_url(text) else { continue };
        let (content_type, bytes) = match fetch(world, url).await {
            Ok(found) => found,
            Err(Failure::Trouble(Trouble::Remote)) => {
                let why = "media not fetched: not on this machine, and remote callbacks are not allowed";
                world.alert(Trouble::Remote.code(), &message.sid, Some(text), why);
                continue;
            }
            Err(failure) => {
                let (code, why) = failure.says(message.to.whatsapp);
                world.alert(code, &message.sid, Some(text), why);
                return Err(code);
            }
        };
        let media = Media {
            sid: world.sid("ME"),
            account: message.account.clone(),
            message: message.sid.clone(),
            content_type,
            bytes,
            created: world.clock.now(),
        };
        views.push(media.view());
        world.change(|state| state.album.push(media));
    }
    Ok(views)
}

enum Failure {
    Trouble(Trouble),
    Status(u16),
    Size,
    Type(String),
}

impl Failure {
    /// On WhatsApp there is one code for all that cannot be had.
    fn says(&self, whatsapp: bool) -> (u32, String) {
        let (code, why) = match self {
            Self::Trouble(trouble) => (trouble.code(), format!("media: {}", trouble.words())),
            Self::Status(status) => (11200, format!("the media's URL answered with {status}")),
            Self::Size => (30019, format!("the media is larger than {LARGEST} bytes")),
            Self::Type(kind) => (12300, format!("media of the type '{kind}' is not carried")),
        };
        let code = match self {
            Self::Type(_) if whatsapp => 63021,
            _ if whatsapp => 63019,
            _ => code,
        };
        (code, why)
    }
}

async fn fetch(world: &World, url: Url) -> Result<(String, Bytes), Failure> {
    let whole = async {
        let mut url = url;
        for _ in 0..=REDIRECTS {
            if !world.settings.allow_remote_callbacks && !keeps_to_this_machine(&url) {
                return Err(Failure::Trouble(Trouble::Remote));
            }
            // The semaphore is never closed.
            let _room = world.outgoing.acquire().await;
            let request = world.http.get(url.clone()).header("User-Agent", "TwilioProxy/1.1");
            let answer = request.send().await.map_err(|error| Failure::Trouble(Trouble::of(&error)))?;
            let status = answer.status().as_u16();
            if matches!(status, 301 | 302 | 303 | 307 | 308) {
                let to = answer.headers().get(LOCATION).and_then(|to| to.to_str().ok());
                url = to.and_then(|to| url.join(to).ok()).ok_or(Failure::Status(status))?;
                continue;
            }
            if !answer.status().is_success() {
                return Err(Failure::Status(status));
            }
            return content(answer).await;
        }
        Err(Failure::Status(310))
    };
    tokio::time::timeout(PATIENCE, whole).await.unwrap_or(Err(Failure::Trouble(Trouble::Timeout)))
}

async fn content(mut answer: reqwest::Response) -> Result<(String, Bytes), Failure> {
    let kind = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !is_carried(&kind) {
        return Err(Failure::Type(kind));
    }
    let mut bytes = BytesMut::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| Failure::Trouble(Trouble::of(&error)))? {
        if bytes.len() + chunk.len() > LARGEST {
            return Err(Failure::Size);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok((kind, bytes.freeze()))
}
