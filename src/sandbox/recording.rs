//! Recordings of calls as they are kept. The words of a call are in its captions; a
//! recording has its length, and is silent.

use super::shelf::Owned;
use bytes::Bytes;
use jiff::Timestamp;

/// The most seconds that a recording's sound has.
const SECONDS: u32 = 600;
/// Samples in a second, each of a byte.
const RATE: u32 = 8_000;

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
