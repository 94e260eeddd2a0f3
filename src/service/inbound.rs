//! Texts that people send us: opting out, and in again.

use super::{Service, ServiceError, TRIES};
use crate::model::notice;
use crate::model::opt_out::{Keyword, OptOut};
use crate::model::phone::mask;
use crate::store::CommitError;
use crate::store::records;

impl Service {
    /// Records what an inbound text asks for, towards each of the senders that
    /// it reached (our number, and the messaging service it belongs to).
    ///
    /// # Errors
    /// The store's.
    pub async fn keyword(
        &self,
        number: &str,
        senders: &[&str],
        keyword: Keyword,
    ) -> Result<(), ServiceError> {
        let opted_out = match keyword {
            Keyword::Stop => true,
            Keyword::Start => false,
            Keyword::Help => return Ok(()),
        };
        for sender in senders {
            self.wish(number, sender, opted_out).await?;
            tracing::info!(number = mask(number), sender = mask(sender), opted_out, "opt-out changed");
        }
        Ok(())
    }

    async fn wish(&self, number: &str, sender: &str, opted_out: bool) -> Result<(), ServiceError> {
        for attempt in 0..TRIES {
            let old = records::get::<OptOut>(self.store(), &OptOut::key(number, sender)).await?;
            let new =
                OptOut { number: number.to_owned(), sender: sender.to_owned(), opted_out, at: self.now() };
            let mut changes = vec![records::put(old.as_ref(), &new)];
            let news = notice::of_opt_out(old.as_ref().map(|old| &old.record), &new);
            changes.extend(self.told(news.into_iter().collect()));
            match self.store().commit(changes).await {
                Ok(()) => return Ok(()),
                Err(CommitError::Conflict) => self.step_back(attempt).await,
                Err(CommitError::Store(error)) => return Err(error.into()),
            }
        }
        Err(ServiceError::Contended)
    }
}
