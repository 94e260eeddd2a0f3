//! Decisions one by one: a list, the newest first, and one with what became of it.
//!
//! Those of a number or a verification are found by the number's name. All others are looked
//! for page by page of the log, so a page of the list may be short, or even empty, while there are
//! more.

use super::followed::{DecisionQuery, Followed, may_see};
use crate::app::App;
use crate::app::fault::Fault;
use crate::app::fraud::log;
use crate::app::listing::{self, LONGEST_PAGE, Window, page_of, scan_of};
use crate::model::fraud::{DecisionId, Entry, Page};
use crate::model::key::ServiceSet;
use crate::model::phone::PhoneNumber;
use crate::model::verification::Verification;
use crate::store::records;
use crate::store::{Index, Scan};
use jiff::Timestamp;
use std::cmp::Reverse;
use std::time::Instant;

/// Pages of the log that are read at once, and that one request reads at most.
const AT_ONCE: usize = 8;
const MOST_PAGES: usize = 64;

type Found = listing::Page<Followed>;

/// Lists decisions of these services, the newest first, but for some seconds where several
/// processes decide. A page may be short, or even empty, while `next` says that there is
/// more.
///
/// # Errors
/// The store's.
pub async fn decisions(
    app: &App,
    services: &ServiceSet,
    query: &DecisionQuery,
    window: &Window,
) -> Result<Found, Fault> {
    let number = match (&query.number, &query.verification) {
        (Some(number), _) => Some(number.clone()),
        (None, Some(id)) => records::get::<Verification>(app.base.store(), id.as_str())
            .await?
            .map(|verification| verification.record.to),
        (None, None) => None,
    };
    match number {
        Some(number) => of_number(app, services, query, window, &number).await,
        None => of_all(app, services, query, window).await,
    }
}

/// A decision of these services, with what became of it.
///
/// # Errors
/// Not found, or the store's.
pub async fn decision(app: &App, services: &ServiceSet, id: &str) -> Result<Followed, Fault> {
    let found = log::decision(&app.base, &DecisionId(id.to_owned())).await?;
    let decision = found.filter(|one| may_see(services, &one.about.service)).ok_or(Fault::NotFound)?;
    let lines = log::lines_of_name(&app.base, decision.about.number).await?;
    Ok(Followed::new(decision).with(lines.iter()))
}

async fn of_number(
    app: &App,
    services: &ServiceSet,
    query: &DecisionQuery,
    window: &Window,
    number: &PhoneNumber,
) -> Result<Found, Fault> {
    let lines = log::lines_of(&app.base, &app.fraud, number).await?;
    let found: Vec<Followed> = lines.iter().filter_map(|line| taken(services, query, line)).collect();
    let place = |one: &Followed| (one.decision.at, one.decision.id.to_string());
    let mut page = page_of(found, window, place);
    // Only what is shown is followed.
    page.items = page.items.into_iter().map(|one| one.with(lines.iter())).collect();
    Ok(page)
}

async fn of_all(
    app: &App,
    services: &ServiceSet,
    query: &DecisionQuery,
    window: &Window,
) -> Result<Found, Fault> {
    let (mut items, begun, mut read) = (Vec::new(), Instant::now(), 0);
    let mut place = window.after.as_ref().and_then(|(at, id)| Place::read(*at, id));
    let until = query.until.map(|until| until.checked_add(log::LATE).unwrap_or(Timestamp::MAX));
    let mut scan = Scan { since: query.since, until, limit: AT_ONCE, ..scan_of(Index::Traffic, "") };
    scan.after = place.as_ref().map(|place| (place.at, place.page.clone()));
    loop {
        let (pages, is_last) = match place.take() {
            // First what is left of the page where the last request ended.
            Some(place) => {
                let page = records::get::<Page>(app.base.store(), &place.page).await?;
                (page.map(|page| (page.record, place.passed)).into_iter().collect(), false)
            }
            None => next(app, &mut scan).await?,
        };
        for (page, passed) in pages {
            let mut lines = page.lines;
            lines.sort_by_key(|line| Reverse(line.at()));
            for (nth, line) in lines.iter().enumerate().skip(passed) {
                items.extend(taken(services, query, line));
                if items.len() == window.limit {
                    let next = Some((page.at, format!("{}-{}", page.id, nth + 1)));
                    return Ok(Found { items, next });
                }
            }
            read += 1;
            if read >= MOST_PAGES || begun.elapsed() >= LONGEST_PAGE {
                let next = Some((page.at, format!("{}-{}", page.id, lines.len())));
                return Ok(Found { items, next });
            }
        }
        if is_last {
            return Ok(Found { items, next: None });
        }
    }
}

/// The next pages, and whether they are the last.
async fn next(app: &App, scan: &mut Scan) -> Result<(Vec<(Page, usize)>, bool), Fault> {
    let lines = records::stretch(app.base.store(), scan).await?;
    let mut pages = Vec::new();
    for line in &lines {
        pages.extend(records::listed::<Page>(line)?.map(|page| (page.record, 0)));
    }
    if let Some(last) = lines.last() {
        scan.after = Some(last.entry.place());
    }
    Ok((pages, lines.len() < scan.limit))
}

fn taken(services: &ServiceSet, query: &DecisionQuery, line: &Entry) -> Option<Followed> {
    match line {
        Entry::Decision(one) if query.takes(one) && may_see(services, &one.about.service) => {
            Some(Followed::new((**one).clone()))
        }
        _ => None,
    }
}

/// Where a page of the list ended: so many lines of a page of the log were passed.
struct Place {
    at: Timestamp,
    page: String,
    passed: usize,
}

impl Place {
    fn read(at: Timestamp, id: &str) -> Option<Self> {
        let (page, passed) = id.rsplit_once('-')?;
        Some(Self { at, page: page.to_owned(), passed: passed.parse().ok()? })
    }
}
