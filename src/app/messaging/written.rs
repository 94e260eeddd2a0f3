//! What has to be written for a delivery to become another.

use crate::app::{App, AppError};
use crate::model::delivery::Delivery;
use crate::store::Change;
use crate::store::records::{self, Versioned};

impl App {
    /// The same for a delivery.
    pub(in crate::app) async fn written_delivery(
        &self,
        old: Option<&Versioned<Delivery>>,
        new: &Delivery,
    ) -> Result<Vec<Change>, AppError> {
        let mut changes = vec![records::put(old, new)];
        // Most callbacks are told to nobody. Those that are have a future of
        // their own, so that the others carry no place for it.
        if self.tells_of(new) {
            // What was unproved was told to nobody.
            let old = old.filter(|old| !old.record.unproved);
            changes.extend(Box::pin(self.told_of_delivery(old, new)).await?);
        }
        Ok(changes)
    }
}
