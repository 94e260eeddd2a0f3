//! Recordings of calls as they are kept. The words of a call are in its captions; a
//! recording has its length, and is silent.

use super::resource::{RecordingRequest, Turn};
use super::shelf::Owned;
use super::sound;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

/// How long a deleted one is still shown to who asks for that, in seconds.
const SHOWN_DELETED: i64 = 40 * 86_400;

/// How far a recording is, in Twilio's words.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum RecordingStatus {
    InProgress,
    Paused,
    Completed,
    /// Nothing was recorded.
    Absent,
}

impl RecordingStatus {
    /// The word that Twilio writes for it, such as `in-progress`.
    pub fn word(self) -> &'static str {
        match self {
            Self::InProgress => "in-progress",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Absent => "absent",
        }
    }

    /// True until it is ended.
    pub fn is_under_way(self) -> bool {
        matches!(self, Self::InProgress | Self::Paused)
    }
}

/// The recording of a call.
#[derive(Clone)]
pub(super) struct Recording {
    /// `RE…`, the last part of its URL.
    pub sid: String,
    /// The account it is of.
    pub account: String,
    /// The SID of the call that is recorded.
    pub call: String,
    /// The beginning of its URL: where the call was asked for.
    pub base: String,
    /// How it was begun, in Twilio's words.
    pub source: &'static str,
    /// How it is made, and what is told of it.
    pub wish: RecordingRequest,
    /// When it began.
    pub start: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// How far it is.
    pub status: RecordingStatus,
    /// How long it was before `since`.
    pub recorded: SignedDuration,
    /// Since when it goes on; nothing while it does not.
    pub since: Option<Timestamp>,
    /// When it was deleted.
    pub deleted: Option<Timestamp>,
    /// Whose turn it is to tell of it.
    pub turn: Turn,
}

impl Owned for Recording {
    fn account(&self) -> &str {
        &self.account
    }
}

impl Recording {
    /// Stops for a while; unless it skips that, it is silent meanwhile.
    pub fn pause(&mut self, now: Timestamp, skips: bool) {
        (self.status, self.updated) = (RecordingStatus::Paused, now);
        if skips {
            self.hold(now);
        }
    }

    /// Goes on; a pause that was not skipped counts as part of it.
    pub fn resume(&mut self, now: Timestamp) {
        (self.status, self.updated) = (RecordingStatus::InProgress, now);
        self.since.get_or_insert(now);
    }

    /// Ends, with so much of it as was heard, if anything.
    pub fn end(&mut self, now: Timestamp, heard: Option<SignedDuration>) {
        self.hold(now);
        self.updated = now;
        (self.status, self.recorded) = match heard {
            Some(heard) => (RecordingStatus::Completed, self.recorded.min(heard)),
            None => (RecordingStatus::Absent, SignedDuration::ZERO),
        };
    }

    fn hold(&mut self, now: Timestamp) {
        if let Some(since) = self.since.take() {
            self.recorded += now.duration_since(since);
        }
    }

    /// How long it is, in seconds, each begun one counted; nothing before it is there.
    pub fn seconds(&self) -> Option<i64> {
        let whole =
            || (i64::try_from(self.recorded.as_millis()).unwrap_or(i64::MAX).saturating_add(999)) / 1000;
        (self.status == RecordingStatus::Completed).then(|| whole().max(1))
    }

    /// Where its sound is.
    pub fn url(&self) -> String {
        let base = if self.base.is_empty() { "https://api.twilio.com" } else { &self.base };
        format!("{base}/2010-04-01/Accounts/{}/Recordings/{}", self.account, self.sid)
    }

    /// Whether it is shown; `deleted` shows what was deleted not too long ago, too.
    pub fn is_shown(&self, now: Timestamp, deleted: bool) -> bool {
        self.deleted.is_none_or(|at| deleted && now.duration_since(at).as_secs() < SHOWN_DELETED)
    }

    /// The sound as WAV, as long as it is; nothing where there is none.
    pub fn wav(&self) -> Option<Bytes> {
        self.length().map(|seconds| sound::wav(seconds, self.wish.channels))
    }

    /// The sound as MP3.
    pub fn mp3(&self) -> Option<Bytes> {
        self.length().map(|seconds| sound::mp3(seconds, self.wish.channels))
    }

    fn length(&self) -> Option<u32> {
        self.seconds().map(|seconds| u32::try_from(seconds).unwrap_or(u32::MAX))
    }
}
