//! Recordings of calls as they are kept. The words of a call are in its captions; a
//! recording has its length, and is silent.

use super::callbacks::Params;
use super::cookies::Pair;
use super::resource::{Call, Hook, rfc2822};
use super::shelf::Owned;
use super::webhook::Webhook;
use super::world::World;
use bytes::Bytes;
use jiff::Timestamp;

/// The most recordings that are kept; the oldest go first.
pub(super) const RECORDINGS: usize = 10_000;
/// The most seconds that a recording's sound has.
const SECONDS: u32 = 600;
/// Samples in a second, each of a byte.
const RATE: u32 = 8_000;

/// What is to be recorded of a call.
#[derive(Clone, Default)]
pub(super) struct Wish {
    /// Where it is told that the recording is there.
    pub callback: Option<Hook>,
    /// One or two.
    pub channels: u16,
}

/// The recording of a call.
#[derive(Clone)]
pub(super) struct Recording {
    /// `RE…`.
    pub sid: String,
    /// The account it is of.
    pub account: String,
    /// The call.
    pub call: String,
    /// When it began.
    pub start: Timestamp,
    /// When it was there.
    pub created: Timestamp,
    /// How long it is.
    pub seconds: i64,
    /// One or two.
    pub channels: u16,
}

impl Owned for Recording {
    fn account(&self) -> &str {
        &self.account
    }
}

impl Recording {
    /// The sound: a WAV file that is silent as long as the call was.
    pub fn wav(&self) -> Bytes {
        let seconds = u32::try_from(self.seconds).unwrap_or(0).min(SECONDS);
        let channels = self.channels.clamp(1, 2);
        let length = seconds * RATE * u32::from(channels);
        let mut file = Vec::with_capacity(44 + length as usize);
        file.extend_from_slice(b"RIFF");
        file.extend_from_slice(&(36 + length).to_le_bytes());
        file.extend_from_slice(b"WAVEfmt ");
        file.extend_from_slice(&16u32.to_le_bytes());
        file.extend_from_slice(&1u16.to_le_bytes());
        file.extend_from_slice(&channels.to_le_bytes());
        file.extend_from_slice(&RATE.to_le_bytes());
        file.extend_from_slice(&(RATE * u32::from(channels)).to_le_bytes());
        file.extend_from_slice(&channels.to_le_bytes());
        file.extend_from_slice(&8u16.to_le_bytes());
        file.extend_from_slice(b"data");
        file.extend_from_slice(&length.to_le_bytes());
        // Eight bits have no sign: the middle is silence.
        file.resize(file.len() + length as usize, 0x80);
        file.into()
    }
}

/// Keeps the recording of a call that has ended, if one was wished and somebody
/// answered; gives what is told of it.
pub(super) fn keep(world: &World, call: &Call) -> Option<Webhook> {
    let wish = call.order.record.as_ref()?;
    let recording = Recording {
        sid: world.sid("RE"),
        account: call.account.clone(),
        call: call.sid.clone(),
        start: call.start?,
        created: world.clock.now(),
        seconds: call.seconds(),
        channels: wish.channels,
    };
    let webhook = wish.callback.clone().map(|hook| told(world, call, &recording, hook));
    world.change(|state| state.recordings.push(recording.sid.clone(), recording));
    webhook
}

fn told(world: &World, call: &Call, recording: &Recording, hook: Hook) -> Webhook {
    let Recording { account, sid, .. } = recording;
    let mut params = Params::default();
    params.add("RecordingSource", "OutboundAPI").add("RecordingTrack", "both").add("RecordingSid", sid);
    params.add(
        "RecordingUrl",
        format!("https://api.twilio.com/2010-04-01/Accounts/{account}/Recordings/{sid}"),
    );
    params.add("RecordingStatus", "completed").add("RecordingChannels", recording.channels.to_string());
    params.add("ErrorCode", "0").add("CallSid", &call.sid);
    params.add("RecordingStartTime", rfc2822(recording.start)).add("AccountSid", account);
    params.add("RecordingDuration", recording.seconds.to_string());
    Webhook {
        kind: "recording-callback",
        sid: call.sid.clone(),
        account: account.clone(),
        pair: Pair::new(&call.from, &call.to),
        hook,
        params: params.0,
        token: world.token(),
        voice: true,
        bad_signature: false,
        port: None,
    }
}
