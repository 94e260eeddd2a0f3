//! Whether the body of a request is here yet.

use std::sync::atomic::{AtomicU8, Ordering};
use tokio::sync::Notify;

/// Whether a body arrived whole or was given up: whichever was first, for good.
#[derive(Debug, Default)]
pub(super) struct Arrival {
    state: AtomicU8,
    /// Told when its room is gone.
    pub(super) lost: Notify,
}

/// Nobody has waited for the body yet; the handler may be busy with other things.
const UNREAD: u8 = 0;
const AWAITED: u8 = 1;
const ARRIVED: u8 = 2;
const GIVEN_UP: u8 = 3;

impl Arrival {
    /// The handler waits for more of the body; true the first time.
    pub(super) fn wait(&self) -> bool {
        self.state.compare_exchange(UNREAD, AWAITED, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// True when the last byte is here in time.
    pub(super) fn arrive(&self) -> bool {
        self.state.swap(ARRIVED, Ordering::Relaxed) != GIVEN_UP
    }

    /// True when the handler was waiting for the body, and will in vain.
    pub(super) fn give_up(&self) -> bool {
        self.state.compare_exchange(AWAITED, GIVEN_UP, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Gives it up for want of room, when the handler waits for it.
    pub(super) fn shed(&self) -> bool {
        let is_shed = self.give_up();
        if is_shed {
            self.lost.notify_one();
        }
        is_shed
    }

    /// Gives it up while the handler reads it, for there is no room.
    pub(super) fn refuse(&self) {
        self.state.store(GIVEN_UP, Ordering::Relaxed);
        self.lost.notify_one();
    }
}
