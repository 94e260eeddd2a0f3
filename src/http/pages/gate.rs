//! How many sessions one key may make: what stands between a slip in an
//! application's loop and a store full of sessions.

use crate::http::error::Error;
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Sessions of one key within [`WINDOW`], on this machine.
const MOST_SESSIONS: u32 = 6000;
const WINDOW: Duration = Duration::from_secs(60);
/// Keys that are counted at once; beyond them counting begins anew.
const MOST_KEYS: usize = 10_000;

/// Counts sessions by key.
#[derive(Default)]
pub struct Gate(Mutex<HashMap<String, (Instant, u32)>>);

impl Gate {
    /// Lets one session of a key pass.
    ///
    /// # Errors
    /// [`Error::TooManySessions`].
    pub fn pass(&self, key: &str) -> Result<(), Error> {
        let now = Instant::now();
        // Nothing is ever half-changed under this lock.
        let mut seen = self.0.lock().unwrap_or_else(|broken| broken.into_inner());
        if seen.len() >= MOST_KEYS {
            seen.clear();
        }
        let (since, count) = seen.entry(key.to_owned()).or_insert((now, 0));
        if now.duration_since(*since) >= WINDOW {
            (*since, *count) = (now, 0);
        }
        if *count >= MOST_SESSIONS {
            let seconds = WINDOW.saturating_sub(now.duration_since(*since)).as_secs() + 1;
            return Err(Error::TooManySessions { most: MOST_SESSIONS, seconds });
        }
        *count += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_runs_wild_is_stopped_and_others_are_not() {
        let gate = Gate::default();
        assert!((0..MOST_SESSIONS).all(|_| gate.pass("wild").is_ok()));
        assert!(matches!(gate.pass("wild"), Err(Error::TooManySessions { seconds: 1..=61, .. })));
        assert!(gate.pass("calm").is_ok());
    }
}
