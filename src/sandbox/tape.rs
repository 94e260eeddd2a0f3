//! A `<Record>` that is under way. A telephone of the sandbox has no sound: it speaks for
//! a time, by the clock, and is silent then, until a key, the silence or the longest time
//! ends the recording. It refuses to know what is done with it afterwards.

use super::line::{Line, Stop};
use super::recorded;
use super::recording::Recording;
use super::resource::{Hook, RecordingRequest};
use super::verb::Record;
use super::world::World;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// How long a telephone speaks when nobody wished otherwise, in milliseconds.
const SPEAKS_MS: u64 = 1_000;
/// How long a recording is that Twilio transcribes, in seconds.
const TRANSCRIBED: std::ops::RangeInclusive<i64> = 3..=119;

/// A `<Record>` that is under way.
pub(super) struct Tape {
    /// Its recording, `RE…`.
    sid: String,
    verb: Record,
    began: Timestamp,
    /// When the telephone has said what it says.
    spoke_until: Timestamp,
}

impl Tape {
    /// Begins to record the call of a line; nothing when there is no such call any more.
    pub fn begin(line: &Line, verb: Record, callback: Option<Hook>) -> Option<Self> {
        let world = &line.world;
        let call = world.with(|state| state.calls.get(&line.sid).cloned())?;
        let began = world.clock.now();
        let wish = RecordingRequest { callback, events: verb.events.clone(), channels: 1, track: "both" };
        let Recording { sid, .. } = recorded::begin(world, &call, "RecordVerb", wish, began);
        let spoke_until = after(began, line.behaviour.speaks_ms.unwrap_or(SPEAKS_MS));
        Some(Self { sid, verb, began, spoke_until })
    }

    /// Where it is told what was recorded, and whether with GET.
    pub fn action(&self) -> (String, bool) {
        (self.verb.action.clone().unwrap_or_default(), self.verb.get)
    }

    /// Waits for its end; gives the key that brought it.
    pub async fn listen(&self, line: &mut Line) -> Result<Option<char>, Stop> {
        let end = self.longest();
        if let Some(key) = self.key_until(line, self.spoke_until.min(end)).await? {
            return Ok(Some(key));
        }
        if self.spoke_until < end
            && let Some(keys) = line.own_keys.pop_front()
        {
            line.typed.extend(keys.chars());
        }
        self.key_until(line, end).await
    }

    /// The first key that ends it, if one comes before a time; others are not kept.
    async fn key_until(&self, line: &mut Line, until: Timestamp) -> Result<Option<char>, Stop> {
        let clock = line.world.clock.clone();
        loop {
            while let Some(key) = line.typed.pop_front() {
                if self.verb.finish_on.contains(key) {
                    return Ok(Some(key));
                }
            }
            if !line.unless_key(clock.sleep_until(until)).await? {
                return Ok(None);
            }
        }
    }

    /// When it ends though no key comes.
    fn longest(&self) -> Timestamp {
        let most = after(self.began, self.verb.max_length.saturating_mul(1_000));
        match self.verb.timeout {
            0 => most,
            seconds => most.min(after(self.spoke_until, seconds.saturating_mul(1_000))),
        }
    }

    /// Ends it: what its action is told, or nothing when nothing was said.
    pub fn end(self, world: &Arc<World>, digits: &str) -> Option<Vec<(String, String)>> {
        let now = world.clock.now().min(self.longest());
        let heard_until = if self.verb.trims { now.min(self.spoke_until) } else { now };
        let heard = heard_until.duration_since(self.began);
        let is_empty = heard_until <= self.began && self.spoke_until <= self.began;
        let recording = recorded::end(world, &self.sid, (!is_empty).then_some(heard))?;
        let seconds = recording.seconds()?;
        if self.verb.transcribes {
            refuse_to_transcribe(world, &recording, seconds);
        }
        let told = [
            ("RecordingUrl", recording.url()),
            ("RecordingSid", recording.sid),
            ("RecordingDuration", seconds.to_string()),
            ("Digits", digits.to_owned()),
        ];
        Some(told.map(|(name, value)| (name.to_owned(), value)).into())
    }
}

/// As where Twilio does not transcribe: its debugger says so, and nothing else.
fn refuse_to_transcribe(world: &World, recording: &Recording, seconds: i64) {
    let (code, why) = if TRANSCRIBED.contains(&seconds) {
        (13619, "recordings have no sound in the sandbox, so none is transcribed")
    } else {
        (13617, "the recording is too short or too long to be transcribed")
    };
    world.alert(code, &recording.call, None, why);
}

fn after(at: Timestamp, ms: u64) -> Timestamp {
    let span = SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX));
    at.checked_add(span).unwrap_or(Timestamp::MAX)
}
