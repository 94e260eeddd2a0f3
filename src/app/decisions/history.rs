//! What the log comes to over a stretch of time: a report, and another policy over recorded
//! traffic. Both are folds of the model's; here the lines are read for them.

use super::followed::may_see;
use crate::app::App;
use crate::app::admin::{self, AdminError};
use crate::app::fault::Fault;
use crate::app::fraud::log::Log;
use crate::app::listing::Window;
use crate::model::fraud::{FraudChanges, FraudPolicy, Policies, RUN_UP, Replay, Replayed, Report, Reporting};
use crate::model::key::ServiceSet;
use jiff::{SignedDuration, Timestamp};

/// From when until when; nothing for a week, and for now.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stretch {
    /// From when on.
    pub since: Option<Timestamp>,
    /// Until when, that time not included.
    pub until: Option<Timestamp>,
}

const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How long after a stretch proofs still tell of requests in it.
const A_DAY: SignedDuration = SignedDuration::from_hours(24);
/// Services that are looked through at once.
const PAGE: usize = 100;

impl Stretch {
    fn times(self, now: Timestamp) -> (Timestamp, Timestamp) {
        // What is decided in this very millisecond is among it.
        let until = self.until.unwrap_or_else(|| after(now, SignedDuration::from_millis(1)));
        (self.since.unwrap_or_else(|| before(until, WEEK)), until)
    }
}

/// What decisions of these services come to, with at most so many rows in each table.
///
/// # Errors
/// The store's.
pub async fn report(
    app: &App,
    services: &ServiceSet,
    stretch: Stretch,
    rows: usize,
) -> Result<Report, Fault> {
    let (since, until) = stretch.times(app.base.now());
    let mut reporting = Reporting::new(since, until);
    let mut log = Log::new(&app.base, since, after(until, A_DAY));
    while let Some(lines) = log.next().await? {
        let own = lines.iter().filter(|line| may_see(services, &line.about().service));
        own.for_each(|line| reporting.take(line));
        // A page is a millisecond's work, and others have theirs.
        tokio::task::yield_now().await;
    }
    Ok(reporting.done(rows))
}

/// What a policy would have made of recorded traffic that says this otherwise than the
/// signals' own table, in the place of the configuration's `[fraud]`. What services set
/// of their own stays.
///
/// # Errors
/// The store's.
pub async fn replay(app: &App, stretch: Stretch, changes: &FraudChanges) -> Result<Replayed, AdminError> {
    let (since, until) = stretch.times(app.base.now());
    let set = services_that_set(app).await?;
    let over = |whole: FraudPolicy| {
        let services = set.iter().map(|(id, own)| (id.clone(), whole.with(own))).collect();
        Policies { whole, services }
    };
    let current = over(app.fraud.policy().clone());
    let candidate = over(FraudPolicy::default().with(changes));
    let mut replay = Replay::new(current, candidate, since, until);
    let mut log = Log::new(&app.base, before(since, RUN_UP), after(until, A_DAY));
    while let Some(lines) = log.next().await? {
        lines.iter().for_each(|line| replay.take(line));
        tokio::task::yield_now().await;
    }
    Ok(replay.done())
}

/// The services that say something of signals, with what they say.
async fn services_that_set(app: &App) -> Result<Vec<(String, FraudChanges)>, AdminError> {
    let (mut set, mut window) = (Vec::new(), Window { limit: PAGE, after: None });
    loop {
        let page = admin::services(&app.directory, &ServiceSet::all(), &window).await?;
        let own = page.items.into_iter().filter(|service| !service.settings.fraud.is_empty());
        set.extend(own.map(|service| (service.id.to_string(), service.settings.fraud.clone())));
        match page.next {
            Some(next) => window.after = Some(next),
            None => return Ok(set),
        }
    }
}

fn before(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.checked_sub(span).unwrap_or(Timestamp::MIN)
}

fn after(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.checked_add(span).unwrap_or(Timestamp::MAX)
}
