//! The data as a whole, for the operator: out, in, checked, counted, made small.
//!
//! It hands on what the store's parts do, with what only the service knows:
//! which records it has in memory, and how long it keeps what.

pub use crate::store::inspect::Rules as InspectRules;
pub use crate::store::transfer::Rules as ImportRules;

use crate::app::base::Base;
use crate::app::events::{Telling, endpoints};
use crate::app::privacy::{Privacy, Retention};
use crate::store::inspect::{self, Census, Findings, Progress};
use crate::store::transfer::{self, Export, ImportError, Imported, Page, Place};
use crate::store::{Kind, Lane, StoreError};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// An export of a running service.
pub struct Exporting(Arc<Base>, Export);

/// A verification may be looked at while its deliveries are being taken away.
const SWEPT_SOON: SignedDuration = SignedDuration::from_hours(24);

/// What is kept for how long, as far as a check has to know.
pub fn inspect_rules(retention: &Retention, now: Timestamp) -> InspectRules {
    let kept = retention.deliveries.map(|kept| kept.saturating_sub(SWEPT_SOON));
    let since = kept.and_then(|kept| now.checked_sub(kept).ok());
    InspectRules { deliveries_kept_since: since.unwrap_or(Timestamp::MIN) }
}

/// An export that begins behind the record of that kind and id; `None` for
/// all. The kind goes by its name.
///
/// # Errors
/// When no kind has that name.
pub fn export(base: &Arc<Base>, after: Option<(&str, &str)>) -> Result<Exporting, StoreError> {
    let place: Place = match after {
        None => None,
        Some((kind, id)) => match Kind::named(kind) {
            Some(kind) => Some(crate::store::Key::new(kind, id)),
            None => return Err(StoreError::Failed("no kind has this name".to_owned())),
        },
    };
    Ok(Exporting(base.clone(), Export::after(place)))
}

/// Takes lines of records in; `first` is where they begin in their file.
///
/// # Errors
/// As [`transfer::import`]; nothing was done then.
pub async fn import(
    telling: &Telling,
    lines: &[u8],
    first: u64,
    rules: ImportRules,
) -> Result<Imported, ImportError> {
    let records = transfer::lines(lines, first)?;
    let imported = transfer::import(telling.base.store(), &records, first, rules).await?;
    if records.iter().any(|(key, _)| key.kind == Kind::Endpoint)
        && let Err(error) = endpoints::learn_endpoints(telling).await
    {
        tracing::error!(%error, "cannot read the endpoints that were taken in");
    }
    // What was taken in may be due in any of them.
    Lane::WORKED.iter().for_each(|lane| telling.base.board.wake_lane(*lane));
    Ok(imported)
}

/// Reads everything and verifies it.
///
/// # Errors
/// The store's.
pub async fn inspect(privacy: &Privacy, told: Progress<'_>) -> Result<Findings, StoreError> {
    inspect::inspect(privacy.base.whole_store(), inspect_rules(&privacy.retention, privacy.base.now()), told)
        .await
}

/// Counts everything.
///
/// # Errors
/// The store's.
pub async fn census(base: &Base, told: Progress<'_>) -> Result<Census, StoreError> {
    inspect::census(base.whole_store(), told).await
}

/// Gives back the space of what was deleted; bytes before and after.
///
/// # Errors
/// The store's.
pub async fn compact(base: &Base) -> Result<(u64, u64), StoreError> {
    inspect::compact(base.whole_store()).await
}

impl Exporting {
    /// The next records; `None` when there are no more.
    ///
    /// # Errors
    /// The store's.
    pub async fn next(&mut self) -> Result<Option<Page>, StoreError> {
        self.1.next(self.0.whole_store()).await
    }
}
