//! The records of a store as lines, a page at a time.

use super::super::{Key, Kind, Maintenance, StoreError};
use super::ledger;

/// Records that are read at once: with bodies of at most 64 KiB each this bounds
/// the memory of an export to 16 MiB a page.
const PAGE: usize = 256;

/// Where an export stands: behind this record; `None` at its begin.
pub type Place = Option<Key>;

/// An export under way.
#[derive(Debug, Clone)]
pub struct Export {
    /// The kind that is being read, as a place in [`Kind::IN_EXPORT_ORDER`].
    at: usize,
    after: Option<String>,
}

/// Some lines of records, each with its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The lines as bytes, each with its end.
    pub lines: Vec<u8>,
    /// How many records they are.
    pub records: u64,
}

impl Export {
    /// Begins behind a record.
    pub fn after(place: Place) -> Self {
        match place {
            None => Self { at: 0, after: None },
            Some(Key { kind, id }) => {
                let at = Kind::IN_EXPORT_ORDER.iter().position(|known| *known == kind).unwrap_or(0);
                Self { at, after: Some(id) }
            }
        }
    }

    /// The next records; `None` when there are no more.
    ///
    /// # Errors
    /// The engine's, or [`StoreError::Damaged`] when a record is no JSON.
    pub async fn next(&mut self, store: &dyn Maintenance) -> Result<Option<Page>, StoreError> {
        while let Some(kind) = Kind::IN_EXPORT_ORDER.get(self.at).copied() {
            let found = match kind.is_exported() {
                true => store.walk(kind, self.after.as_deref(), PAGE).await?,
                false => Vec::new(),
            };
            let Some((last, _)) = found.last() else {
                (self.at, self.after) = (self.at + 1, None);
                continue;
            };
            self.after = Some(last.clone());
            let mut page = Page { lines: Vec::new(), records: found.len() as u64 };
            for (id, stored) in &found {
                page.lines.extend(ledger::record(&Key::new(kind, id), &stored.body)?);
            }
            return Ok(Some(page));
        }
        Ok(None)
    }
}
