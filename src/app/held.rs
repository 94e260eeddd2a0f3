//! What one process does for all of them, by a lease of the store. It refuses to know what
//! that is.

use crate::app::base::Base;
use crate::app::fault::Fault;
use crate::app::once;
use crate::model::lease::Lease;
use crate::store::records::{self, Versioned};
use jiff::Timestamp;
use std::time::{Duration, Instant};

/// A lease that this process has.
pub(in crate::app) struct Held {
    name: &'static str,
    holder: String,
    /// Until when it may be used, by a clock that nobody sets.
    until: Instant,
}

impl Held {
    /// Takes the lease of that name, or renews it; `None` when another process has it.
    /// `holder` names this process.
    ///
    /// # Errors
    /// The store's.
    pub(in crate::app) async fn take(
        base: &Base,
        name: &'static str,
        holder: &str,
    ) -> Result<Option<Self>, Fault> {
        // From before the write: it may take long.
        let usable = Duration::try_from(Lease::USE).unwrap_or_default();
        let (until, now) = (Instant::now() + usable, base.now());
        let old = last(base, name).await?;
        if old.as_ref().is_some_and(|old| !old.record.is_free_for(holder, now)) {
            return Ok(None);
        }
        let new = Lease::taken(name, holder, now);
        let is_ours = once::commits(base, vec![records::put(old.as_ref(), &new)]).await?;
        Ok(is_ours.then(|| Self { name, holder: holder.to_owned(), until }))
    }

    /// Whether it is still ours, renewed where half of it is used up.
    ///
    /// # Errors
    /// The store's.
    pub(in crate::app) async fn keeps(&mut self, base: &Base) -> Result<bool, Fault> {
        let half = Duration::try_from(Lease::USE).unwrap_or_default() / 2;
        if self.until.saturating_duration_since(Instant::now()) > half {
            return Ok(true);
        }
        match Self::take(base, self.name, &self.holder).await? {
            Some(renewed) => {
                *self = renewed;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Lets nobody take it before then, where it is still ours.
    ///
    /// # Errors
    /// The store's.
    pub(in crate::app) async fn rest(self, base: &Base, until: Timestamp) -> Result<(), Fault> {
        let Some(old) = last(base, self.name).await?.filter(|old| old.record.holder == self.holder) else {
            return Ok(());
        };
        let new = Lease { until, ..old.record.clone() };
        // Whoever was faster has taken it over.
        once::commits(base, vec![records::put(Some(&old), &new)]).await.map(drop)
    }
}

/// The lease of that name as it stands; `None` before anybody has taken it.
///
/// # Errors
/// The store's.
pub(in crate::app) async fn last(base: &Base, name: &str) -> Result<Option<Versioned<Lease>>, Fault> {
    Ok(records::get::<Lease>(base.store(), name).await?)
}

/// A name for this process among those that take leases.
pub(in crate::app) fn new_holder(base: &Base) -> String {
    base.entropy.hex::<16>()
}
