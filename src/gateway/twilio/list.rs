//! Reading Twilio's lists of messages and calls, a page at a time.
//!
//! Twilio filters by days of UTC, so a list begins with the day of the time that is asked
//! for. What waits has no time of sending and is not in it. Pages are named by Twilio; one
//! that is not of the list that was asked for is not gone to.

use super::fetch::reconciled;
use super::{Line, Transport, Twilio, refusal};
use crate::gateway::{ListPage, Listed, Listing, SendError};
use crate::model::id::Sid;
use crate::twilio::response::{RawPage, Resource};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

/// Items of a page: so many of the longest messages fit into an answer
/// ([`crate::gateway::http::MAX_BODY`]).
const PAGE: usize = 50;

/// What stands for the first page of an account's list, before its SID: no address of
/// Twilio's begins so.
const FIRST_OF: &str = "account:";

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
    /// The lists of all accounts that send, the main one's last. Another one that refuses is
    /// passed over, or the lists behind it would never be read.
    pub(super) async fn list_at_twilio(
        &self,
        listing: Listing,
        since: Timestamp,
        page: Option<&str>,
    ) -> Result<ListPage, SendError> {
        let others = self.others.iter().filter(|line| line.account.sends);
        let all: Vec<&Line> = others.chain([&self.main]).collect();
        let of = |sid: &str| all.iter().position(|line| line.account.sid == sid);
        let (place, page) = match page {
            None => (Some(0), None),
            Some(page) => match page.strip_prefix(FIRST_OF) {
                Some(sid) => (of(sid), None),
                None => (all.iter().position(|line| self.is_of(line, listing, page)), Some(page)),
            },
        };
        let Some(place) = place else {
            return Err(SendError::unknown("twilio's next page is not one of the list"));
        };
        let next_list = all.get(place + 1).map(|next| format!("{FIRST_OF}{}", next.account.sid));
        let read = match self.page_of(all[place], listing, since, page).await {
            Err(SendError::Refused { code, reason }) if next_list.is_some() => {
                let account = &all[place].account.sid;
                tracing::warn!(account, code, reason, "the list of an account is not read");
                ListPage::default()
            }
            read => read?,
        };
        Ok(ListPage { next: read.next.or(next_list), ..read })
    }

    /// Whether a page is of the account's list.
    fn is_of(&self, line: &Line, listing: Listing, page: &str) -> bool {
        let own = self.url(line, listing.words().0, "");
        let url = format!("{}{page}", self.settings.base_url.trim_end_matches('/'));
        url.strip_prefix(&own).is_some_and(|query| query.starts_with('?'))
    }

    async fn page_of(
        &self,
        line: &Line,
        listing: Listing,
        since: Timestamp,
        page: Option<&str>,
    ) -> Result<ListPage, SendError> {
        self.leave_to_sends(line)?;
        let (resource, filter) = listing.words();
        let url = match page {
            None => {
                let day = since.to_zoned(TimeZone::UTC).date();
                self.url(line, resource, &format!("?{filter}%3E={day}&PageSize={PAGE}"))
            }
            Some(page) if self.is_of(line, listing, page) => {
                format!("{}{page}", self.settings.base_url.trim_end_matches('/'))
            }
            Some(_) => return Err(SendError::unknown("twilio's next page is not one of the list")),
        };
        let answer = self.call(line, "GET", url, Vec::new(), None).await?;
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
