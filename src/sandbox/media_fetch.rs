//! What a message that leaves brings with it is fetched from the application, by the
//! rules that its webhooks go out by.

use super::fields::web_url;
use super::media::{LARGEST, Media, is_carried};
use super::resource::Message;
use super::trouble::{Trouble, keeps_to_this_machine};
use super::world::World;
use bytes::{Bytes, BytesMut};
use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, LOCATION};
use serde_json::Value;
use std::time::Duration;

/// How long fetching one may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// The most redirects that are followed.
const REDIRECTS: usize = 5;

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
