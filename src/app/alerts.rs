//! What applications are told of decisions: refusals and signs of fraud.
//!
//! There may be thousands a second under attack, and each request is answered before anybody is
//! told: what is to be told waits here for the log's next write, refusals at most so many a
//! minute. What is told once is marked in the store, so that of many processes one tells
//! it. It refuses to know who listens.

use crate::app::events::Telling;
use crate::app::events::told::told;
use crate::model::counter::{Addition, Limit};
use crate::model::event::{EventBody, EventType, Once, of_findings, of_refusal};
use crate::model::fraud::Decision;
use crate::model::phone::PhoneNumber;
use crate::model::pseudonym::Pseudonyms;
use crate::store::{Commit, CommitError, CountedError, Counting};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Refusals that one process tells of in a minute, one by one; of those behind them the
/// last is told when the minute is over, with how many were left out.
const MOST_A_MINUTE: u32 = 60;
/// Findings that one process tells of in a minute; those beyond are found again if they last,
/// and the next one says how many there were.
const MOST_FINDINGS: u32 = 60;
/// Findings whose ends are remembered; beyond them the store's mark alone keeps them from
/// being told twice.
const MOST_KNOWN: usize = 10_000;
/// Refusals told in one commit, each with a dispatch to each endpoint.
const AT_ONCE: usize = 4;

/// How often what waits is told: as often as the log is written.
const EVERY: Duration = Duration::from_secs(1);

/// What waits to be told.
#[derive(Debug)]
pub struct Alerts {
    /// What makes the names of marks.
    names: Pseudonyms,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    refusals: Vec<EventBody>,
    findings: Vec<Once>,
    /// The minute that refusals are counted in, and how many it had.
    minute: i64,
    told: u32,
    /// The last of those that are too many, which tells of the others.
    last: Option<EventBody>,
    /// How many findings the minute had, and how many were too many.
    found: u32,
    unfound: u64,
    /// Until when a finding is not told again.
    known: BTreeMap<String, Timestamp>,
}

impl Alerts {
    /// Nothing waits yet; marks get names that this key makes.
    pub(in crate::app) fn new(names: Pseudonyms) -> Self {
        Self { names, waiting: Mutex::default() }
    }

    /// Tells what waits, until `stop`, and then what is left.
    pub async fn keep(&self, telling: &Telling, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        loop {
            let is_over = tokio::select! {
                () = &mut stop => true,
                () = tokio::time::sleep(EVERY) => false,
            };
            self.flush(telling).await;
            if is_over {
                return;
            }
        }
    }

    /// Takes what there is to tell of a decision about a number, which is given in full.
    pub(in crate::app) fn note(&self, telling: &Telling, decision: &Decision, to: &str) {
        let (events, endpoints) = (&telling.events, telling.events.known());
        let is_told = |event_type| events.is_told(event_type, &endpoints);
        let mut waiting = self.waiting();
        if is_told(EventType::AdmissionRefused)
            && let Some(body) = of_refusal(decision, to)
        {
            waiting.refused(body, decision.at);
        }
        for once in of_findings(decision) {
            if is_told(once.body.event_type) {
                waiting.found(once, decision.at);
            }
        }
    }

    /// Takes something that is to be told once until it is over; false where it was told by
    /// this process already.
    pub(in crate::app) fn note_once(&self, telling: &Telling, once: Once) -> bool {
        self.waiting().found(once, telling.base.now())
    }

    /// Takes a person's number out of what waits here: it is told, and of nobody.
    pub(in crate::app) fn forget(&self, number: &PhoneNumber) {
        self.waiting().forget(number);
    }

    /// Tells what waits. What cannot be written now is not told later: the log has it.
    pub async fn flush(&self, telling: &Telling) {
        let (refusals, findings) = self.waiting().take(telling.base.now());
        for some in refusals.chunks(AT_ONCE) {
            if let Err(error) = telling.base.store().commit(told(telling, some.to_vec())).await {
                tracing::warn!(%error, events = some.len(), "refusals were not told");
            }
        }
        for once in findings {
            if let Err(error) = mark_and_tell(telling, &self.names, &once).await {
                self.waiting().known.remove(&once.name);
                tracing::warn!(%error, finding = once.name, "a finding was not told");
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // What waits is whole whoever panicked.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells something, unless any process has told it already.
async fn mark_and_tell(telling: &Telling, names: &Pseudonyms, once: &Once) -> Result<(), CommitError> {
    const TOLD: &str = "told";
    let now = telling.base.now();
    let left = once.until.duration_since(now).as_millis();
    let seconds = u32::try_from((left + 999) / 1000).unwrap_or(1).max(1);
    let mark = Counting {
        counter: names.of("told", &once.name),
        now,
        additions: vec![Addition::Amount { of: TOLD.to_owned(), amount: 1 }],
        limits: vec![Limit::new(TOLD, TOLD, seconds, 1).lasting()],
    };
    let changes = told(telling, vec![once.body.clone()]);
    if changes.is_empty() {
        return Ok(());
    }
    match telling.base.store().commit_counted(Commit { changes, additions: vec![mark] }).await {
        Ok(()) | Err(CountedError::Limited(_)) => Ok(()),
        Err(CountedError::Commit(error)) => Err(error),
    }
}

impl Waiting {
    fn refused(&mut self, body: EventBody, now: Timestamp) {
        self.turn(now);
        if self.told < MOST_A_MINUTE {
            self.told += 1;
            self.refusals.push(body);
            return;
        }
        let before = self.last.take().map_or(0, |last| 1 + left_out(&last));
        self.last = Some(with_left_out(body, before));
    }

    /// False where it was found before and is not over.
    fn found(&mut self, once: Once, now: Timestamp) -> bool {
        self.turn(now);
        if self.known.get(&once.name).is_some_and(|until| *until > now) {
            return false;
        }
        if self.found >= MOST_FINDINGS {
            self.unfound += 1;
            return true;
        }
        if self.known.len() >= MOST_KNOWN {
            self.known.retain(|_, until| *until > now);
        }
        if self.known.len() < MOST_KNOWN {
            self.known.insert(once.name.clone(), once.until);
        }
        self.found += 1;
        let body = with_left_out(once.body, std::mem::take(&mut self.unfound));
        self.findings.push(Once { body, ..once });
        true
    }

    fn forget(&mut self, number: &PhoneNumber) {
        let is_theirs = |to: &str| to.parse::<PhoneNumber>().is_ok_and(|to| to.person() == number.person());
        let waiting = self.refusals.iter_mut().chain(&mut self.last);
        for body in waiting.filter(|body| body.to.as_deref().is_some_and(is_theirs)) {
            body.to = None;
        }
    }

    fn take(&mut self, now: Timestamp) -> (Vec<EventBody>, Vec<Once>) {
        self.turn(now);
        (std::mem::take(&mut self.refusals), std::mem::take(&mut self.findings))
    }

    /// Begins another minute, if it is another one: what the last one left out is told.
    fn turn(&mut self, now: Timestamp) {
        let minute = now.as_second().div_euclid(60);
        if minute != self.minute {
            (self.minute, self.told, self.found) = (minute, 0, 0);
            self.refusals.extend(self.last.take());
        }
    }
}

fn left_out(body: &EventBody) -> u64 {
    body.admission.as_ref().map_or(0, |admission| admission.left_out)
}

fn with_left_out(mut body: EventBody, left_out: u64) -> EventBody {
    if let Some(admission) = &mut body.admission {
        admission.left_out = left_out;
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::Decided;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn refusal() -> EventBody {
        let admission = Some(Box::new(Decided::default()));
        EventBody { admission, ..EventBody::new(EventType::AdmissionRefused, at(0)) }
    }

    #[test]
    fn refusals_are_told_so_many_a_minute_and_then_how_many_more_there_were() {
        let mut waiting = Waiting::default();
        for _ in 0..100 {
            waiting.refused(refusal(), at(1));
        }
        assert_eq!(waiting.take(at(2)).0.len(), 60);
        assert!(waiting.take(at(59)).0.is_empty(), "the minute is not over");
        let told = waiting.take(at(60)).0;
        assert_eq!(told.iter().map(left_out).collect::<Vec<_>>(), [39], "and it itself is the fortieth");
        waiting.refused(refusal(), at(61));
        assert_eq!(waiting.take(at(61)).0.iter().map(left_out).collect::<Vec<_>>(), [0]);
    }

    #[test]
    fn whoever_is_erased_is_told_of_without_a_number() {
        let mut waiting = Waiting::default();
        let of = |to: &str| EventBody { to: Some(to.to_owned()), ..refusal() };
        waiting.refused(of("+14155550123"), at(1));
        waiting.refused(of("+14155550124"), at(1));
        for _ in 0..100 {
            waiting.refused(of("+14155550123"), at(1));
        }
        waiting.forget(&"+14155550123".parse().unwrap());
        let told: Vec<EventBody> = waiting.take(at(60)).0;
        let named: Vec<&str> = told.iter().filter_map(|body| body.to.as_deref()).collect();
        assert_eq!((told.len(), named), (61, vec!["+14155550124"]));
    }

    #[test]
    fn a_finding_is_told_once_until_it_is_over() {
        let mut waiting = Waiting::default();
        let once = |name: &str, until| Once { name: name.into(), until: at(until), body: refusal() };
        let told = |waiting: &mut Waiting, now| waiting.take(at(now)).1.len();
        waiting.found(once("a", 30), at(0));
        waiting.found(once("a", 31), at(1));
        waiting.found(once("b", 31), at(1));
        assert_eq!(told(&mut waiting, 2), 2);
        waiting.found(once("a", 40), at(29));
        assert_eq!(told(&mut waiting, 29), 0);
        waiting.found(once("a", 60), at(30));
        assert_eq!(told(&mut waiting, 30), 1, "it was over");
        assert_eq!(told(&mut waiting, 31), 0);
        for n in 0..100 {
            waiting.found(once(&n.to_string(), 200), at(90));
        }
        assert_eq!(told(&mut waiting, 90), 60, "so many a minute");
        waiting.found(once("99", 200), at(120));
        let (_, findings) = waiting.take(at(120));
        assert_eq!(findings.iter().map(|once| left_out(&once.body)).collect::<Vec<_>>(), [40]);
        for minute in 3..400 {
            for n in 0..60 {
                waiting.found(once(&format!("{minute} {n}"), 60_000), at(60 * minute));
            }
            waiting.take(at(60 * minute));
        }
        assert!(waiting.known.len() <= MOST_KNOWN, "{}", waiting.known.len());
    }
}
