//! Reading Twilio's lists of messages and calls, a page at a time.
//!
//! Twilio filters by days of UTC, so a list begins with the day of the time that is asked
//! for. What waits has no time of sending and is not in it. Pages are named by Twilio; one
//! that is not of the list that was asked for is not gone to.

use super::fetch::reconciled;
use super::{Transport, Twilio, refusal};
use crate::gateway::{ListPage, Listed, Listing, SendError};
use crate::model::id::Sid;
use crate::twilio::response::{RawPage, Resource};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

/// Items of a page: so many of the longest messages fit into an answer
/// ([`crate::gateway::http::MAX_BODY`]).
const PAGE: usize = 50;

impl Listing {
    /// What Twilio calls it, and its filter by time.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Messages => ("Messages", "DateSent"),
            Self::Calls => ("Calls", "StartTime"),
        }
    }

    fn items(self, page: RawPage) -> Option<Vec<Value>> {
        match self {
            Self::Messages => page.messages,
            Self::Calls => page.calls,
        }
    }
}

impl<T: Transport> Twilio<T> {
    pub(super) async fn list_at_twilio(
        &self,
        listing: Listing,
        since: Timestamp,
        page: Option<&str>,
    ) -> Result<ListPage, SendError> {
        self.leave_to_sends()?;
        let (resource, filter) = listing.words();
        let own = self.url(resource, "");
        let url = match page {
            None => {
                let day = since.to_zoned(TimeZone::UTC).date();
                format!("{own}?{filter}%3E={day}&PageSize={PAGE}")
            }
            Some(page) => format!("{}{page}", self.settings.base_url.trim_end_matches('/')),
        };
        if !url.strip_prefix(&own).is_some_and(|query| query.starts_with('?')) {
            return Err(SendError::unknown("twilio's next page is not one of the list"));
        }
        let answer = self.call("GET", url, Vec::new(), None).await?;
        if answer.status != 200 {
            return Err(refusal(&answer));
        }
        read(listing, &answer.body).ok_or_else(|| SendError::unknown("the answer of twilio was no list"))
    }
}

fn read(listing: Listing, body: &[u8]) -> Option<ListPage> {
    let page: RawPage = serde_json::from_slice(body).ok()?;
    let next = page.next_page_uri.clone();
    let found = listing.items(page)?;
    let count = found.len();
    let items: Vec<Listed> = found.into_iter().filter_map(|item| listed(listing, item)).collect();
    Some(ListPage { unread: count - items.len(), items, next })
}

fn listed(listing: Listing, item: Value) -> Option<Listed> {
    let resource: Resource = serde_json::from_value(item).ok()?;
    let is_its = |sid: &Sid| sid.is_call() == (listing == Listing::Calls);
    is_its(&resource.sid).then(|| Listed { report: reconciled(&resource), at: resource.left_at() })
}
