//! What every operation stands on: records, the time, chance, and what wakes those who
//! do the work. It refuses to know what is kept, and for whom.

use crate::app::board::Board;
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::store::{Maintenance, Store, StoreError};
use jiff::Timestamp;
use std::sync::Arc;

/// Records, time and chance.
pub struct Base {
    store: Arc<dyn Maintenance>,
    /// The clock that everything goes by; beside a sandbox it may be moved.
    pub clock: Clock,
    /// Where ids and seeds of what somebody asks for are drawn from.
    pub entropy: Entropy,
    /// Where everything is drawn from that depends on who was faster: the names of events
    /// and the waits of lost races. So it changes nothing of what is drawn for a request.
    pub aside: Entropy,
    /// What those who do the work have in common.
    pub board: Board,
}

impl Base {
    /// What all operations stand on; the board is the one that the jobs share.
    pub(in crate::app) fn new(
        store: Arc<dyn Maintenance>,
        clock: Clock,
        entropy: Entropy,
        board: Board,
    ) -> Self {
        let aside = entropy.apart("aside");
        Self { store, clock, entropy, aside, board }
    }

    /// Where records are.
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// The same as a whole.
    pub fn whole_store(&self) -> &dyn Maintenance {
        &*self.store
    }

    /// The time, to the millisecond.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Whether the store would take a write now.
    ///
    /// # Errors
    /// Why not.
    pub async fn ready(&self) -> Result<(), StoreError> {
        self.store.probe().await
    }

    /// Why nothing will be written any more, if that is so: the process is to end.
    pub fn failure(&self) -> Option<StoreError> {
        self.store.failure()
    }

    /// Waits until nothing will be written any more.
    pub async fn failed(&self) -> StoreError {
        self.store.failed().await
    }
}
