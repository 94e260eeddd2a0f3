//! Pictures and other media of messages, kept within a bound of bytes. It refuses to
//! know where they come from.

use super::shelf::{Owned, Shelf};
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

/// The largest of one message, in bytes.
pub(super) const LARGEST: usize = 5 * 1024 * 1024;
/// The most bytes that are kept of all; the oldest go first.
const KEPT: usize = 64 * 1024 * 1024;
/// One of a message's media.
#[derive(Clone)]
pub(super) struct Media {
    /// `ME…`, the last part of its URL.
    pub sid: String,
    /// The account it is of.
    pub account: String,
    /// The message it belongs to.
    pub message: String,
    /// What it is: `image/png`.
    pub content_type: String,
    /// The content itself, not encoded.
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

impl Album {
    /// An empty album for `limit` media at most.
    pub fn new(limit: usize) -> Self {
        Self { shelf: Shelf::new(limit), bytes: 0 }
    }

    /// Keeps one; the oldest go when there is no room.
    pub fn push(&mut self, media: Media) {
        self.bytes += media.bytes.len();
        let fallen = self.shelf.push(media.sid.clone(), media);
        self.bytes -= fallen.map_or(0, |fallen| fallen.bytes.len());
        while self.bytes > KEPT {
            let oldest = self.shelf.sids().next().map(str::to_owned);
            let Some(sid) = oldest else { return };
            self.remove(&sid);
        }
    }

    /// The SIDs of all that are kept, oldest first.
    #[cfg(test)]
    pub fn sids(&self) -> impl Iterator<Item = &str> {
        self.shelf.sids()
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
