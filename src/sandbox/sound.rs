//! Silence as files. It refuses to know what is silent.

use bytes::Bytes;

/// The most seconds of sound that a file has.
const SECONDS: u32 = 600;
/// Samples in a second of a WAV file, each of a byte.
const RATE: u32 = 8_000;
/// The head of a frame of MP3: MPEG-2, layer III, without a checksum, 8 kbit/s and 16 kHz;
/// of one channel, and of two.
const FRAME: [[u8; 4]; 2] = [[0xFF, 0xF3, 0x18, 0xC4], [0xFF, 0xF3, 0x18, 0x04]];
/// The bytes of such a frame, and the milliseconds that it lasts.
const FRAME_BYTES: usize = 36;
const FRAME_MS: u32 = 36;

/// A WAV file.
pub(super) fn wav(seconds: u32, channels: u16) -> Bytes {
    let (seconds, channels) = (seconds.min(SECONDS), channels.clamp(1, 2));
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

/// An MP3 file: frames without any data of their own decode to silence.
pub(super) fn mp3(seconds: u32, channels: u16) -> Bytes {
    let frames = (seconds.min(SECONDS) * 1_000).div_ceil(FRAME_MS) as usize;
    let mut frame = [0; FRAME_BYTES];
    frame[..4].copy_from_slice(&FRAME[usize::from(channels > 1)]);
    frame.repeat(frames).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_as_long_as_it_says() {
        let mono = wav(3, 1);
        assert_eq!((&mono[..4], mono.len()), (&b"RIFF"[..], 44 + 24_000));
        assert_eq!(wav(3, 2).len(), 44 + 48_000);
        // The sync word, the version and the layer; 28 frames of 36 ms are the first
        // whole number of frames above a second.
        let mono = mp3(1, 1);
        assert_eq!((&mono[..4], mono.len()), (&[0xFF, 0xF3, 0x18, 0xC4][..], 28 * 36));
        assert_eq!(mp3(1, 2)[3], 0x04);
        assert_eq!(wav(u32::MAX, 9).len(), wav(SECONDS, 2).len());
    }
}
