//! Turns at one value of a rate limit.

use crate::app::fault::Fault;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard};

/// Requests of this process that count the same value go one after the other:
/// each would make all others lose their race, again and again. Processes on
/// the same store still meet in the commit, which decides.
pub struct Turns([Mutex<()>; TURNS]);

/// How many turns there are: values share them by their hash.
const TURNS: usize = 64;
/// How long to wait for a turn.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

impl Default for Turns {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::default()))
    }
}

impl Turns {
    /// Waits for the turns at these values.
    ///
    /// # Errors
    /// [`Fault::Contended`] after five seconds.
    pub(in crate::app) async fn take(
        &self,
        values: impl Iterator<Item = String>,
    ) -> Result<Vec<MutexGuard<'_, ()>>, Fault> {
        let place = |value: String| value.bytes().fold(0, |sum, byte| (sum * 31 + usize::from(byte)) % TURNS);
        // Each once, and in one order for all, or two would wait for each other.
        let places: BTreeSet<usize> = values.map(place).collect();
        let all = async {
            let mut turns = Vec::with_capacity(places.len());
            for place in places {
                turns.push(self.0[place].lock().await);
            }
            turns
        };
        tokio::time::timeout(LONGEST_WAIT, all).await.map_err(|_| Fault::Contended)
    }
}
