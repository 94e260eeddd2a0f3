//! Reading, deciding and writing until nobody was faster: the one loop that does.
//!
//! Whoever changes a record says how to look at it, and what that comes to; what was
//! read in one look decides about the write of that look alone. The loop refuses to
//! know what is read, decided and written.

use crate::app::base::Base;
use crate::app::fault::{Failing, Fault};
use crate::app::fraud::lines::Lines;
use crate::app::leases::Tickets;
use crate::store::{Change, Commit, CommitError, CountedError, Limited};
use crate::telemetry::metrics::{Meter, Outcome, Place, meter};
use futures_util::future::join;
use std::future::Future;
use std::sync::LazyLock;
use std::time::Duration;

/// How many looks there are before the caller is told to come back. With one writer
/// per record at a time a second one is rare; sixteen lost races in a row are an
/// overload.
pub(in crate::app) const TRIES: usize = 16;
/// The longest wait after the first race that was lost, in microseconds; each further
/// one may be longer by as much.
const LONGEST_WAIT: u64 = 400;

/// What is written in a loop, as its meter and its span name it.
pub(in crate::app) struct Subject {
    name: &'static str,
    meter: LazyLock<&'static Meter>,
}

macro_rules! subjects {
    ($($(#[$doc:meta])* $subject:ident = $name:literal;)*) => {
        $($(#[$doc])* pub(in crate::app) static $subject: Subject =
            Subject { name: $name, meter: LazyLock::new(|| meter(Place::Transact, $name)) };)*
    };
}

subjects! {
    /// Verifications, with what others are told of them.
    VERIFICATION = "verification";
    /// Verifications that begin, with the answer that is kept.
    START = "start";
    /// Messages of their own, with what others are told of them.
    MESSAGE = "message";
    /// What is known of messages and calls.
    DELIVERY = "delivery";
    /// Ways through the pages.
    SESSION = "session";
    /// Services, and what is kept with them.
    SERVICE = "service";
    /// Where events are sent to.
    ENDPOINT = "endpoint";
    /// Who wants no messages.
    OPT_OUT = "opt_out";
    /// The audit log.
    AUDIT = "audit";
    /// What is used of limits.
    LIMITS = "limits";
    /// Who is allowed or blocked.
    LIST = "list";
    /// What was set aside.
    JOB = "job";
}

/// What one look at the records came to.
pub(in crate::app) enum Draft<T> {
    /// Nothing is to be written.
    Settled(T),
    /// These changes, all or none; then it is that.
    Write(Vec<Change>, T),
    /// The same with additions to counters that no limit refuses, for what they count has
    /// happened; and what the log is told once they are done.
    Tracked(Commit, Lines, T),
    /// The same with additions to counters, which are no race for anybody. Where a limit
    /// has no room nothing is written, and it is what `refused` makes of that.
    Counted {
        /// The changes and the additions.
        commit: Commit,
        /// What it takes of this process's own blocks of limits.
        tickets: Tickets,
        /// What the log is told once they are written.
        lines: Lines,
        /// What it is when they are written.
        done: T,
        /// What it is when a limit refused them.
        refused: Box<dyn FnOnce(&Limited) -> T + Send>,
    },
    /// What was seen is outdated already: look again.
    Again,
    /// Something is in the way that goes by itself: look again so much later.
    Later(Duration),
}

/// Looks, and writes what that came to against the versions that were seen, as
/// often as it takes to be first. Between two looks lies a wait, longer each time
/// and never the same as the others who lost.
///
/// # Errors
/// The look's; the store's; [`Fault::Contended`] after [`TRIES`] looks.
pub(in crate::app) async fn transact<T, E, F>(
    base: &Base,
    subject: &'static Subject,
    look: impl Fn() -> F,
) -> Result<T, E>
where
    E: Failing,
    F: Future<Output = Result<Draft<T>, E>>,
{
    let nothing = |_: &T| std::future::ready(Ok(()));
    transact_beside(base, subject, look, nothing).await.map(|(done, ())| done)
}

/// The same, and what is found out `beside` the write, or after a look that wants none:
/// what an answer says of other records need not wait for the write.
pub(in crate::app) async fn transact_beside<T, E, F, U, G>(
    base: &Base,
    subject: &'static Subject,
    look: impl Fn() -> F,
    beside: impl Fn(&T) -> G,
) -> Result<(T, U), E>
where
    E: Failing,
    F: Future<Output = Result<Draft<T>, E>>,
    G: Future<Output = Result<U, E>>,
{
    let span = tracing::debug_span!("transact", what = subject.name);
    // Where it stands: with all that a look holds it is long, and would be copied.
    let work = std::pin::pin!(transact_unmeasured(base, &subject.meter, look, beside));
    subject.meter.observe(span, outcome, work).await
}

async fn transact_unmeasured<T, E, F, U, G>(
    base: &Base,
    meter: &Meter,
    look: impl Fn() -> F,
    beside: impl Fn(&T) -> G,
) -> Result<(T, U), E>
where
    E: Failing,
    F: Future<Output = Result<Draft<T>, E>>,
    G: Future<Output = Result<U, E>>,
{
    for lost in 1..=TRIES as u64 {
        match look().await? {
            Draft::Settled(done) => {
                let known = beside(&done).await?;
                return Ok((done, known));
            }
            Draft::Write(changes, done) => match join(base.store().commit(changes), beside(&done)).await {
                (Ok(()), known) => return Ok((done, known?)),
                (Err(error), _) => give_way(base, error, lost).await?,
            },
            Draft::Tracked(commit, mut lines, done) => {
                lines.begin();
                let (result, known) = join(base.store().commit_counted(commit), beside(&done)).await;
                lines.settle(result.is_ok());
                match (result, known) {
                    (Ok(()), known) => return Ok((done, known?)),
                    (Err(error), _) => give_way(base, error.of_changes(), lost).await?,
                }
            }
            Draft::Counted { mut commit, mut tickets, mut lines, done, refused } => {
                tickets.begin(&mut commit);
                lines.begin();
                let (result, known) = join(base.store().commit_counted(commit), beside(&done)).await;
                lines.settle(result.is_ok());
                // A whole block had no room: one alone may have.
                let is_again = tickets.settle(&result);
                match (result, known) {
                    (Err(CountedError::Limited(_)), _) if is_again => {}
                    (Ok(()), known) => return Ok((done, known?)),
                    (Err(CountedError::Limited(limited)), _) => {
                        let done = refused(&limited);
                        let known = beside(&done).await?;
                        return Ok((done, known));
                    }
                    (Err(CountedError::Commit(error)), _) => give_way(base, error, lost).await?,
                }
            }
            Draft::Again => step_back(base, lost).await,
            Draft::Later(wait) => tokio::time::sleep(wait).await,
        }
        meter.again.add(1);
    }
    Err(Fault::Contended.into())
}

/// Waits a moment where a commit came too late.
///
/// # Errors
/// The store's.
async fn give_way(base: &Base, error: CommitError, lost: u64) -> Result<(), Fault> {
    match error {
        CommitError::Conflict => step_back(base, lost).await,
        CommitError::Store(error) => return Err(error.into()),
    }
    Ok(())
}

/// Waits a moment after so many lost races in a row.
pub(in crate::app) async fn step_back(base: &Base, lost: u64) {
    let micros = base.aside.below(LONGEST_WAIT * lost);
    tokio::time::sleep(Duration::from_micros(micros)).await;
}

/// What the end of a loop counts as: a no of the rules is an end like others; the
/// store fails, and who has lost every race was in an overload.
fn outcome<T, E: Failing>(result: &Result<T, E>) -> Outcome {
    match result.as_ref().map_err(Failing::fault) {
        Ok(_) => Outcome::Done,
        Err(Some(Fault::Store(_) | Fault::Contended)) => Outcome::Failed,
        Err(_) => Outcome::Refused,
    }
}
