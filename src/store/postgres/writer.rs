//! Group commit: two connections take turns at what waits, and one statement
//! answers all of a group.
//!
//! While one waits for the server's disk the other takes what has come since. But where
//! that is little it waits for the first to end, and then for as long as that took, a moment
//! at most: a group costs the server more than what is in it, and where several processes
//! write each has little.
//! A group that met others is tried again, for nothing of it was done, and is in conflict
//! where that goes on; one whose connection is lost is not, for nobody knows. Without a connection all
//! that waits is refused at once, and a new one is looked for until there is
//! one. It refuses to know SQL and what records mean.

use super::super::{CommitError, CountedError, StoreError};
use super::fault::Fault;
use super::gate::Gate;
use super::group::{Arrays, Group, Limits, Refused, Verdict, Work, changes, is_late};
use super::link::{Connected, Link, SERVERS_SHARE};
use super::miss::Reason;
use super::neighbours;
use super::statement::{self, Lines};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::Receiver;
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_postgres::{Client, Row, Statement};

/// Fewer commits than this wait for company while a group is under way.
const FEW: usize = 16;
/// The longest that they do.
const LONGEST_WAIT: Duration = Duration::from_millis(5);

/// How often a group is tried where others are in its way: several processes that begin
/// the same counters at one moment meet at each of them.
const MOST_TRIES: u32 = 10;

/// The wait before the second try; the next are twice as long each.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
/// The share of the deadline in which a further try may begin. A deadlock is found after a
/// second of waiting, and of a try that our deadline ends nobody knows whether it was done.
const TRIES_SHARE: f64 = 0.5;

/// From a failed connect to the next: the first time, and then.
const RECONNECT_FIRST: Duration = Duration::from_millis(100);
const RECONNECT_LEAST: Duration = Duration::from_millis(500);
const RECONNECT_MOST: Duration = Duration::from_millis(1000);
/// The same where another writes and there is no further connection to be had.
const RECONNECT_FULL: Duration = Duration::from_secs(10);

/// One of those who write.
pub(super) struct Writer {
    pub link: Link,
    /// The connection that it begins with.
    pub first: Option<Connected>,
    pub gate: Arc<Gate>,
    /// Whether the server has what only PostgreSQL itself has.
    pub is_postgres: bool,
    pub queue: Arc<Mutex<Receiver<Work>>>,
    pub limits: Limits,
    /// Which row of the probes is its own.
    pub probe: i16,
    /// Set when no more work comes.
    pub closing: watch::Receiver<bool>,
    /// Called where this server is not the one to ask any more.
    pub forget: Arc<dyn Fn() + Send + Sync>,
    /// What did not fit into the last group.
    pub aside: VecDeque<Work>,
}

/// A connection with the statements that it knows.
pub(super) struct Session {
    pub connected: Connected,
    /// Tells when all connections are of no more use.
    turns: watch::Receiver<u64>,
    groups: Vec<(Lines, Statement)>,
    probe: Option<Statement>,
    pub lock: Option<Statement>,
    pub counters: Option<Statement>,
    /// When a limit refused something last.
    pub limited_at: Option<Instant>,
}

/// How a group is written.
enum Plan<'w> {
    /// In one statement, which decides.
    Changes(Box<Arrays<'w>>),
    /// With its counters locked before.
    Counted(&'w [Work]),
}

impl Writer {
    /// Writes until nobody can send any more and the queue is empty.
    pub(super) async fn run(mut self) {
        while let Some(session) = self.connect().await {
            if self.gate.connected() {
                // Reading may have gone on at a server that was behind.
                (self.forget)();
            }
            let is_closed = self.serve(session).await;
            self.gate.disconnected();
            if is_closed {
                break;
            }
        }
    }

    /// A connection, or `None` when it is not wanted any more.
    async fn connect(&mut self) -> Option<Session> {
        let (began, mut pause) = (Instant::now(), RECONNECT_FIRST);
        if let Some(connected) = self.first.take() {
            return Some(self.session(connected).await);
        }
        loop {
            let miss = match self.link.connect().await {
                Ok(connected) => return Some(self.session(connected).await),
                Err(miss) => miss,
            };
            let is_full = miss.reason == Reason::Full;
            // Where others have all connections one may soon be given back.
            let is_patient = is_full && !self.gate.is_refusing() && began.elapsed() < self.link.deadline;
            if !is_patient && self.gate.failed(&miss.why) {
                self.refuse_all();
            }
            // Another may be connected; what was put aside here would wait for this one.
            if !is_patient || self.gate.is_connected() {
                for work in self.aside.drain(..) {
                    answer(&self.gate, work, Err(StoreError::Unavailable(miss.why.clone()).into()));
                }
            }
            if is_full && self.gate.is_connected() {
                pause = RECONNECT_FULL;
            }
            if *self.closing.borrow() || self.closing.has_changed().is_err() {
                return None;
            }
            tokio::select! {
                () = sleep(pause) => {}
                // The sender ends with the store: both mean closing.
                _ = self.closing.changed() => {}
            }
            pause = jittered(RECONNECT_LEAST, RECONNECT_MOST);
        }
    }

    async fn session(&self, connected: Connected) -> Session {
        if self.is_postgres {
            neighbours::announce(&connected.client).await;
        }
        Session {
            connected,
            turns: self.link.turns(),
            groups: Vec::new(),
            probe: None,
            lock: None,
            counters: None,
            limited_at: None,
        }
    }

    /// Tells all who wait that nothing will be done, for as long as nobody is connected,
    /// and with the reason of now.
    fn refuse_all(&mut self) {
        // Another who has it does the same, or is connected and does the work.
        let Ok(mut queue) = self.queue.try_lock() else { return };
        while let Err(error) = self.gate.check() {
            let Some(work) = self.aside.pop_front().or_else(|| queue.try_recv().ok()) else { return };
            answer(&self.gate, work, Err(error.into()));
        }
    }

    /// Writes over a connection until it is lost, or nobody can send any more:
    /// then it says true.
    async fn serve(&mut self, mut session: Session) -> bool {
        loop {
            let turn = session.connected.turn;
            let group = tokio::select! {
                biased;
                _ = &mut session.connected.ended => return false,
                // The sender is the link's, which lives as long as this.
                _ = session.turns.wait_for(|now| *now != turn) => return false,
                group = self.gather() => group,
            };
            let Some(group) = group else { return true };
            if session.connected.client.is_closed() {
                self.aside.extend(group.works);
                return false;
            }
            let gate = Arc::clone(&self.gate);
            let _under_way = gate.company.begin(group.works.len());
            if !self.settle(&mut session, group.works).await {
                return false;
            }
        }
    }

    /// What waits and fits into one group; `None` at the end. Nothing is lost
    /// when this is dropped: it waits before it takes anything but the first, which is
    /// put aside.
    async fn gather(&mut self) -> Option<Group> {
        let mut group = Group::new(self.limits);
        if self.aside.is_empty() {
            let mut queue = self.queue.lock().await;
            let first = queue.recv().await?;
            self.aside.push_back(first);
        }
        let waiting = self.aside.len() + self.queue.try_lock().map_or(0, |queue| queue.len());
        if waiting < FEW {
            self.gate.company.until_fewer(1, LONGEST_WAIT).await;
            self.gate.company.rest(LONGEST_WAIT).await;
        }
        let mut again = VecDeque::new();
        while let Some(work) = self.aside.pop_front() {
            again.extend(group.admit(work));
        }
        self.aside = again;
        // Who holds the queue waits for it to have something.
        if let Ok(mut queue) = self.queue.try_lock() {
            while !group.is_full(self.aside.len())
                && let Ok(work) = queue.try_recv()
            {
                self.aside.extend(group.admit(work));
            }
        }
        Some(group)
    }

    /// Writes a group and answers. False when the connection is lost.
    async fn settle(&mut self, session: &mut Session, works: Vec<Work>) -> bool {
        let mut waiting = VecDeque::from([works]);
        while let Some(works) = waiting.pop_front() {
            match self.write(session, &works).await {
                Ok(mut refused) => {
                    for (nth, work) in (0..).zip(works) {
                        let verdict = refused.remove(&nth).map_or(Ok(()), Err);
                        answer(&self.gate, work, verdict);
                    }
                }
                // One of them is to blame, and the others need not suffer.
                Err(Fault::Refused(_)) if works.len() > 1 => {
                    waiting.extend(works.into_iter().map(|work| vec![work]));
                }
                Err(fault) => {
                    let is_lost = fault.ends_the_connection();
                    tracing::warn!(?fault, commits = works.len(), "a group of writes was not done");
                    if matches!(fault, Fault::Elsewhere(_)) {
                        (self.forget)();
                    }
                    for work in works {
                        let verdict = undone(&work, fault.clone());
                        answer(&self.gate, work, Err(verdict));
                    }
                    if is_lost {
                        self.aside.extend(waiting.into_iter().flatten());
                        return false;
                    }
                }
            }
        }
        true
    }

    /// Answers those put aside that expect what this group has changed.
    fn refuse_late(&mut self, arrays: &Arrays<'_>, refused: &Refused) {
        if self.aside.is_empty() {
            return;
        }
        let settled = arrays.settled(refused);
        for work in std::mem::take(&mut self.aside) {
            match is_late(&work, &settled) {
                true => answer(&self.gate, work, Err(CommitError::Conflict.into())),
                false => self.aside.push_back(work),
            }
        }
    }

    /// Does a group, and says which commits were not done.
    async fn write(&mut self, session: &mut Session, works: &[Work]) -> Result<Refused, Fault> {
        let plan = match works.iter().any(|work| !work.commit.additions.is_empty()) {
            true => Plan::Counted(works),
            false => Plan::Changes(Box::new(Arrays::of(changes(works)).map_err(no_randomness)?)),
        };
        let has_probe = works.iter().any(|work| work.commit.is_empty());
        let refused = self.persist(session, &plan, has_probe).await?;
        if let Plan::Changes(arrays) = &plan {
            self.refuse_late(arrays, &refused);
        }
        Ok(refused)
    }

    /// Tries until it is done, or will not be.
    async fn persist(
        &self,
        session: &mut Session,
        plan: &Plan<'_>,
        has_probe: bool,
    ) -> Result<Refused, Fault> {
        let (deadline, mut pause) = (Instant::now() + self.link.deadline, FIRST_PAUSE);
        let last_try = Instant::now() + self.link.deadline.mul_f64(TRIES_SHARE);
        for tries in 1.. {
            let began = Instant::now();
            let attempt = session.attempt(plan, has_probe.then_some(self.probe));
            let fault = match timeout_at(deadline, attempt).await {
                Ok(Ok(refused)) => {
                    self.gate.settled(began.into_std());
                    return Ok(refused);
                }
                Ok(Err(fault)) => fault,
                Err(_) => {
                    // One that had all this time and is alive has given up before.
                    if began.elapsed() >= self.link.deadline.mul_f64(SERVERS_SHARE) {
                        self.link.fell_silent(session.connected.turn);
                    }
                    Fault::Unknown(format!("no answer in {:?}", self.link.deadline))
                }
            };
            if !matches!(fault, Fault::Again(_)) || tries >= MOST_TRIES || Instant::now() + pause > last_try {
                self.gate.doubt();
                return Err(fault);
            }
            tracing::debug!(?fault, tries, "a group of writes met another, and is tried again");
            sleep(jittered(pause / 2, pause)).await;
            pause *= 2;
        }
        Err(Fault::Again("tried too often".to_owned()))
    }
}

impl Session {
    /// One try. The probe comes first: where it fails nothing was done, and behind the
    /// commits its failure would be told as theirs, which are done.
    async fn attempt(&mut self, plan: &Plan<'_>, probe: Option<i16>) -> Result<Refused, Fault> {
        let client = &self.connected.client;
        if let Some(row) = probe {
            let statement = prepared(client, &mut self.probe, statement::PROBE).await?;
            client.execute(&statement, &[&row]).await.map_err(|error| Fault::of(&error))?;
        }
        let refused = match plan {
            Plan::Counted(works) => self.count(works).await?,
            Plan::Changes(arrays) if arrays.is_empty() => Refused::new(),
            Plan::Changes(arrays) => {
                let statement = self.group(arrays.lines()).await?;
                let rows = self.connected.client.query(&statement, &arrays.parameters()).await;
                let rows = rows.map_err(|error| Fault::of(&error))?;
                late(&rows)?.into_iter().map(|nth| (nth, CommitError::Conflict.into())).collect()
            }
        };
        Ok(refused)
    }

    pub(super) async fn group(&mut self, lines: Lines) -> Result<Statement, Fault> {
        if let Some((_, statement)) = self.groups.iter().find(|(known, _)| *known == lines) {
            return Ok(statement.clone());
        }
        let statement = prepare(&self.connected.client, &statement::group(lines)).await?;
        self.groups.push((lines, statement.clone()));
        Ok(statement)
    }
}

/// A statement that a session keeps in this place, prepared when it is first needed.
pub(super) async fn prepared(
    client: &Client,
    place: &mut Option<Statement>,
    sql: &str,
) -> Result<Statement, Fault> {
    if let Some(statement) = place {
        return Ok(statement.clone());
    }
    Ok(place.insert(prepare(client, sql).await?).clone())
}

/// Nothing is done by preparing, whatever becomes of it.
async fn prepare(client: &Client, sql: &str) -> Result<Statement, Fault> {
    client.prepare(sql).await.map_err(|error| match Fault::of(&error) {
        Fault::Unknown(why) => Fault::Elsewhere(why),
        fault => fault,
    })
}

/// The numbers of the commits that came too late, as a group's statement answers them.
pub(super) fn late(rows: &[Row]) -> Result<Vec<i32>, Fault> {
    let late = rows.first().and_then(|row| row.try_get(0).ok());
    late.ok_or_else(|| Fault::Unknown("an answer that does not read".to_owned()))
}

/// What a commit hears of a group's fault. Where others were in the way of every try nothing
/// was done, and whoever looks again may find the way free: that is a conflict.
fn undone(work: &Work, fault: Fault) -> CountedError {
    match fault {
        Fault::Again(_) if !work.commit.is_empty() => CommitError::Conflict.into(),
        fault => StoreError::from(fault).into(),
    }
}

pub(super) fn no_randomness(error: getrandom::Error) -> Fault {
    Fault::Undone(format!("the system has no randomness: {error}"))
}

fn answer(gate: &Gate, work: Work, verdict: Verdict) {
    gate.count(&verdict);
    work.answer.send(verdict);
}

/// At random between the two; the longer one without randomness.
fn jittered(least: Duration, most: Duration) -> Duration {
    let share = getrandom::u32().map_or(1.0, |random| f64::from(random) / f64::from(u32::MAX));
    least + most.saturating_sub(least).mul_f64(share)
}

#[cfg(test)]
mod tests {
    use super::super::super::hook::{Answer, Ending};
    use super::super::super::{Commit, Counting};
    use super::super::url::Address;
    use super::*;
    use tokio::sync::{mpsc, oneshot};

    const DEADLINE: Duration = Duration::from_secs(5);

    fn writer() -> (Writer, mpsc::Sender<Work>) {
        let address = Address::parse("postgres://u@127.0.0.1:1/base", DEADLINE).unwrap();
        let (works, queue) = mpsc::channel(9);
        let writer = Writer {
            link: Link::new(address, DEADLINE),
            first: None,
            gate: Arc::default(),
            is_postgres: true,
            queue: Arc::new(Mutex::new(queue)),
            limits: Limits { changes: 9, bytes: 9 },
            probe: 0,
            closing: watch::channel(false).1,
            forget: Arc::new(|| ()),
            aside: VecDeque::new(),
        };
        (writer, works)
    }

    type Answered = oneshot::Receiver<Verdict>;

    fn work(works: &mpsc::Sender<Work>) -> Answered {
        let (answer, answered) = Answer::to(Ending::default());
        works.try_send(Work { commit: Commit::default(), answer }).unwrap();
        answered
    }

    fn why(mut answered: Answered) -> Option<String> {
        answered.try_recv().ok().map(|verdict| verdict.unwrap_err().to_string())
    }

    #[test]
    fn a_group_that_others_stood_in_the_way_of_is_in_conflict() {
        let (answer, _answered) = Answer::to(Ending::default());
        let mut probe = Work { commit: Commit::default(), answer };
        let again = || Fault::Again("deadlock detected (40P01)".to_owned());
        assert!(matches!(undone(&probe, again()), CountedError::Commit(CommitError::Store(_))));
        probe.commit.additions.push(Counting {
            counter: "n".to_owned(),
            now: jiff::Timestamp::UNIX_EPOCH,
            additions: Vec::new(),
            limits: Vec::new(),
        });
        assert!(matches!(undone(&probe, again()), CountedError::Commit(CommitError::Conflict)));
        let lost = undone(&probe, Fault::Unknown("gone".to_owned()));
        assert!(matches!(lost, CountedError::Commit(CommitError::Store(StoreError::Failed(_)))));
    }

    #[tokio::test]
    async fn who_waits_is_refused_for_the_reason_of_now_or_not_at_all() {
        let (mut writer, works) = writer();
        let first = work(&works);
        assert!(writer.gate.failed("of before") && writer.gate.failed("of now"));
        writer.refuse_all();
        assert!(why(first).unwrap().contains("of now"));
        // Another one is connected meanwhile.
        writer.gate.connected();
        let second = work(&works);
        writer.refuse_all();
        assert_eq!(why(second), None);
        // Nor does it wait for one who holds the queue to have something to do.
        let before = Instant::now().into_std();
        writer.gate.settled(before);
        assert_eq!(writer.gate.settled_at(), Some(before));
        writer.gate.disconnected();
        writer.gate.settled(before);
        assert_eq!(writer.gate.settled_at(), None, "who asks whether it is ready has it tried");
        assert!(writer.gate.failed("again"));
        let held = Arc::clone(&writer.queue).lock_owned().await;
        writer.refuse_all();
        drop(held);
    }
}
