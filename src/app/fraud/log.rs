//! Reading the log: a stretch of time page by page, or what is about one number, one
//! verification or one decision. What the last second brought may not be there yet. It
//! refuses to know what is made of it.

use super::about::of_number;
use super::watch::Watch;
use crate::app::base::Base;
use crate::app::fault::Fault;
use crate::app::listing::scan_of;
use crate::model::counter::Pseudonym;
use crate::model::fraud::{Decision, DecisionId, Entry, Page};
use crate::model::phone::PhoneNumber;
use crate::model::verification::Verification;
use crate::store::records::{self, Record};
use crate::store::{Index, Scan, StoreError};
use jiff::{SignedDuration, Timestamp};

/// Pages that are read at once: half a megabyte at most.
const AT_ONCE: usize = 8;
/// A page is written so long after it was begun, at most, where the store takes it; a line
/// that came late is in a later one.
pub(in crate::app) const LATE: SignedDuration = SignedDuration::from_mins(2);
/// Pages of one number that are read at once.
const OF_NUMBER: usize = 64;

/// A stretch of the log, the oldest lines first.
pub struct Log<'b> {
    base: &'b Base,
    since: Timestamp,
    until: Timestamp,
    after: Option<String>,
    pages: Vec<Page>,
}

impl<'b> Log<'b> {
    /// Lines of `since` or later, and before `until`.
    pub fn new(base: &'b Base, since: Timestamp, until: Timestamp) -> Self {
        let begun = since.checked_sub(LATE).unwrap_or(Timestamp::UNIX_EPOCH);
        Self { base, since, until, after: Some(Page::id_at(begun)), pages: Vec::new() }
    }

    /// The lines of the next page, nearly in the order of their times; nothing behind the
    /// last one.
    ///
    /// # Errors
    /// The store's.
    pub async fn next(&mut self) -> Result<Option<Vec<Entry>>, Fault> {
        while let Some(page) = self.page().await? {
            let mut lines = page.lines;
            lines.retain(|line| (self.since..self.until).contains(&line.at()));
            if !lines.is_empty() {
                lines.sort_by_key(Entry::at);
                return Ok(Some(lines));
            }
        }
        Ok(None)
    }

    /// The next page as it is kept.
    pub(super) async fn page(&mut self) -> Result<Option<Page>, Fault> {
        if self.pages.is_empty() {
            self.read().await?;
        }
        Ok(self.pages.pop())
    }

    async fn read(&mut self) -> Result<(), Fault> {
        let Some(after) = self.after.take() else { return Ok(()) };
        let found = self.base.whole_store().walk(Page::KIND, Some(&after), AT_ONCE).await?;
        let last = found.last().filter(|_| found.len() == AT_ONCE).map(|(id, _)| id.clone());
        for (id, stored) in found.into_iter().rev() {
            // One page that cannot be read hides no other; `dialback store check` names it.
            match records::of::<Page>(&id, Some(&stored)) {
                Ok(page) => self.pages.extend(page.map(|page| page.record)),
                Err(StoreError::Damaged(why)) => tracing::error!(why, "a page of the log is passed over"),
                Err(error) => return Err(error.into()),
            }
        }
        let end = self.until.checked_add(LATE).unwrap_or(Timestamp::MAX);
        let is_before_end = |id: &String| Page::began_at(id).is_none_or(|at| at < end);
        self.after = last.filter(is_before_end);
        if self.pages.is_empty() && self.after.is_some() {
            return Box::pin(self.read()).await;
        }
        Ok(())
    }
}

/// The lines about a number, the oldest first.
///
/// # Errors
/// The store's.
pub async fn lines_of(base: &Base, watch: &Watch, number: &PhoneNumber) -> Result<Vec<Entry>, Fault> {
    lines_of_name(base, of_number(&watch.names, number)).await
}

/// The same of a number by its name.
///
/// # Errors
/// The store's.
pub async fn lines_of_name(base: &Base, name: Pseudonym) -> Result<Vec<Entry>, Fault> {
    let scan = Scan { limit: OF_NUMBER, ..scan_of(Index::TrafficOf, name.to_string()) };
    let mut lines = Vec::new();
    for page in listed(base, scan).await? {
        lines.extend(page.lines.into_iter().filter(|line| line.about().number == name));
    }
    lines.sort_by_key(Entry::at);
    Ok(lines)
}

/// The lines about a verification: decisions that began it or sent it again, and what
/// became of it, the oldest first.
///
/// # Errors
/// The store's.
pub async fn lines_of_verification(
    base: &Base,
    watch: &Watch,
    verification: &Verification,
) -> Result<Vec<Entry>, Fault> {
    let mut lines = lines_of(base, watch, &verification.to).await?;
    let began = verification.admitted.as_ref().and_then(|admitted| admitted.decision.as_ref());
    let asked: Vec<Timestamp> = verification.sends.iter().map(|send| send.asked_at).collect();
    lines.retain(|line| match line {
        Entry::Decision(one) => one.verification.as_deref() == Some(verification.id.as_str()),
        Entry::Verified { decision, .. } => Some(decision) == began,
        Entry::Unsent { asked_at, .. } => asked.contains(asked_at),
        Entry::Verdict { at, .. } => asked.first().is_some_and(|first| at >= first),
    });
    Ok(lines)
}

/// The decision of that name; nothing where there is none, or none any more.
///
/// # Errors
/// The store's.
pub async fn decision(base: &Base, id: &DecisionId) -> Result<Option<Decision>, Fault> {
    let Some((page, _)) = id.0.split_once('-') else { return Ok(None) };
    let is_it = |line: Entry| match line {
        Entry::Decision(decision) if decision.id == *id => Some(*decision),
        _ => None,
    };
    if let Some(found) = records::get::<Page>(base.store(), page).await?
        && let Some(decision) = found.record.lines.into_iter().find_map(is_it)
    {
        return Ok(Some(decision));
    }
    // It came so late that its page was written already.
    let Some(began) = Page::began_at(page) else { return Ok(None) };
    let until = began.checked_add(LATE).unwrap_or(Timestamp::MAX);
    let mut log = Log::new(base, began, until);
    while let Some(lines) = log.next().await? {
        if let Some(decision) = lines.into_iter().find_map(is_it) {
            return Ok(Some(decision));
        }
    }
    Ok(None)
}

/// All pages of a listing, the oldest first.
async fn listed(base: &Base, mut scan: Scan) -> Result<Vec<Page>, Fault> {
    let mut pages: Vec<Page> = Vec::new();
    loop {
        let found = records::stretch(base.store(), &scan).await?;
        for line in &found {
            pages.extend(records::listed::<Page>(line)?.map(|page| page.record));
        }
        match found.last().filter(|_| found.len() == scan.limit) {
            Some(last) => scan.after = Some(last.entry.place()),
            None => break,
        }
    }
    // As they were begun: lines of one time are in the order in which they came.
    pages.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(pages)
}
