//! A verification that is due: a send, a look-up, or its end.

use super::job::{Job, Ran};
use crate::app::{App, AppError};
use crate::store::{Key, Kind, Lane};
use async_trait::async_trait;

/// A panic between claim and settlement leaves the send in doubt, as a kill does:
/// whoever comes after its lease looks it up.
pub(super) struct Send;

#[async_trait]
impl Job for Send {
    fn name(&self) -> &'static str {
        "send"
    }

    fn lane(&self) -> Lane {
        Lane::Person
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Verification]
    }

    async fn run(&self, app: &App, keys: &[Key]) -> Result<Ran, AppError> {
        for key in keys {
            app.tend_verification(&key.id).await?;
        }
        Ok(Ran::default())
    }
}
