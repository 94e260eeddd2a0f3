//! What this process has taken ahead of limits that nearly every start counts, and what
//! one commit takes of it.
//!
//! A start takes one ticket for each of those limits. Most are of a block that was
//! counted before, and write nothing. What becomes of the commit is told to each, also
//! when nobody waits for its end. It refuses to know what is limited, and why.

use crate::model::counter::{End, Limit, QuotaLease, Ticket};
use crate::store::{Commit, CommitError, CountedError, Counting, Limited};
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Of so many limits blocks are held at most; what is beyond is counted one by one.
const MOST: usize = 4096;

/// The blocks of this process.
#[derive(Default)]
pub(in crate::app) struct Leases(Mutex<All>);

/// Those of each counter, by its id: a few.
#[derive(Default)]
struct All(HashMap<String, Vec<Held>>);

/// A block of one counter.
struct Held {
    of: String,
    bounds: Vec<Bound>,
    lease: QuotaLease,
}

/// How much there may be within so many seconds.
pub(in crate::app) type Bound = (u32, u64);

/// What is taken of a counter.
#[derive(Clone, Copy)]
pub(in crate::app) struct Wanted<'w> {
    /// The word of what is counted.
    pub(in crate::app) of: &'w str,
    /// The limits that count it. A service may have others of the same counter.
    pub(in crate::app) bounds: &'w [Bound],
    /// How much of it; more than zero.
    pub(in crate::app) amount: u64,
    /// When it is counted, by the clock of this process.
    pub(in crate::app) at: Timestamp,
}

/// What one commit takes.
#[derive(Default)]
pub(in crate::app) struct Tickets(Vec<Taken>);

struct Taken {
    counter: String,
    at: Timestamp,
    ticket: Ticket,
}

impl Leases {
    /// Takes what is wanted of a counter, whose limits are made where nothing of them is
    /// held yet. False where it has to be counted by itself.
    pub(in crate::app) fn take(
        &self,
        tickets: &mut Tickets,
        counter: &str,
        Wanted { of, bounds, amount, at }: Wanted<'_>,
        limits: impl FnOnce() -> Vec<Limit>,
    ) -> bool {
        let mut all = self.all();
        if all.find(counter, of, bounds).is_none() && !all.hold(counter, (of, bounds), limits, at) {
            return false;
        }
        let Some(held) = all.find(counter, of, bounds) else { return false };
        tickets.0.push(Taken { counter: counter.to_owned(), at, ticket: held.lease.take(amount, at) });
        true
    }

    /// What is left of all blocks, to be given back by a process that ends.
    pub(in crate::app) fn rest(&self, now: Timestamp) -> Vec<Counting> {
        let all = self.all();
        let each = all.0.iter().flat_map(|(counter, held)| held.iter().map(move |held| (counter, held)));
        let rest = |(counter, Held { lease, .. }): (&String, &Held)| {
            let additions = vec![lease.rest()?];
            Some(Counting { counter: counter.clone(), now, additions, limits: lease.limits().to_vec() })
        };
        each.filter_map(rest).collect()
    }

    fn all(&self) -> MutexGuard<'_, All> {
        // Nothing is ever half-changed under this lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl All {
    fn find(&self, counter: &str, of: &str, bounds: &[Bound]) -> Option<&Held> {
        self.0.get(counter)?.iter().find(|held| held.of == of && held.bounds == bounds)
    }

    /// Holds what these limits count from now on, unless too many are held that are in use.
    fn hold(
        &mut self,
        counter: &str,
        (of, bounds): (&str, &[Bound]),
        limits: impl FnOnce() -> Vec<Limit>,
        at: Timestamp,
    ) -> bool {
        if self.count() >= MOST {
            self.0.retain(|_, held| {
                held.retain(|held| !held.lease.is_idle(at));
                !held.is_empty()
            });
            if self.count() >= MOST {
                return false;
            }
        }
        let lease = QuotaLease::new(of.to_owned(), limits());
        let held = Held { of: of.to_owned(), bounds: bounds.to_vec(), lease };
        self.0.entry(counter.to_owned()).or_default().push(held);
        true
    }

    fn count(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }
}

impl Tickets {
    /// Puts what has to be counted into the commit that is about to be done.
    pub(in crate::app) fn begin(&mut self, commit: &mut Commit) {
        for Taken { counter, at, ticket } in &mut self.0 {
            let additions = ticket.begin();
            if additions.is_empty() {
                continue;
            }
            let limits = ticket.limits().to_vec();
            // A counter stands in a commit once, whatever of it is counted.
            match commit.additions.iter_mut().find(|counting| counting.counter == *counter) {
                Some(counting) => {
                    counting.additions.extend(additions);
                    counting.limits.extend(limits);
                }
                None => {
                    let counter = counter.clone();
                    commit.additions.push(Counting { counter, now: *at, additions, limits });
                }
            }
        }
    }

    /// Says what has become of it. True where a whole block had no room and one still may
    /// have: the same is to be tried again.
    pub(in crate::app) fn settle(self, result: &Result<(), CountedError>) -> bool {
        let mut may_have_room = false;
        for Taken { counter, ticket, .. } in self.0 {
            let is_of = |name: &str| ticket.limits().iter().any(|limit| limit.name == name);
            let end = match result {
                Ok(()) => End::Done,
                Err(CountedError::Limited(Limited { counter: full, reached }))
                    if *full == counter && is_of(&reached.limit) =>
                {
                    may_have_room |= ticket.is_of_a_block();
                    End::Undone(Some(reached))
                }
                Err(CountedError::Limited(_) | CountedError::Commit(CommitError::Conflict)) => {
                    End::Undone(None)
                }
                Err(CountedError::Commit(CommitError::Store(_))) => End::Unknown,
            };
            ticket.settle(&end);
        }
        may_have_room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_795_000_000;

    /// Takes one of so many a minute; what the commit adds, or nothing where it is to be
    /// counted by itself.
    fn take(leases: &Leases, counter: &str, max: u64, second: i64) -> Option<Vec<Counting>> {
        let (mut tickets, at) = (Tickets::default(), Timestamp::from_second(NOON + second).unwrap());
        let wanted = Wanted { of: "sends", bounds: &[(60, max)], amount: 1, at };
        let limits = || vec![Limit::new(format!("{max}:60"), "sends".to_owned(), 60, max)];
        let is_taken = leases.take(&mut tickets, counter, wanted, limits);
        let mut commit = Commit { changes: Vec::new(), additions: Vec::new() };
        tickets.begin(&mut commit);
        assert!(!tickets.settle(&Ok(())));
        is_taken.then_some(commit.additions)
    }

    #[test]
    fn one_in_a_hundred_writes_and_other_bounds_have_a_block_of_their_own() {
        let leases = Leases::default();
        for (counter, max, blocks) in [("a", 1000, 2), ("b", 1000, 2), ("a", 2000, 1)] {
            let added: Vec<Counting> =
                (0..20).filter_map(|_| take(&leases, counter, max, 0)).flatten().collect();
            assert_eq!(added.len(), blocks, "{counter} {max}: ten or twenty are a block");
            assert!(
                added.iter().all(|counting| counting.counter == counter && counting.limits[0].max == max)
            );
        }
        assert_eq!(leases.rest(Timestamp::from_second(NOON).unwrap()).len(), 0, "all of it was used");
    }

    #[test]
    fn what_is_too_much_to_be_held_is_counted_by_itself_until_something_is_over() {
        let leases = Leases::default();
        for n in 0..MOST {
            assert!(take(&leases, &n.to_string(), 1000, 0).is_some());
        }
        assert!(take(&leases, "more", 1000, 0).is_none());
        assert_eq!(leases.all().count(), MOST);
        assert!(take(&leases, "0", 1000, 0).is_some(), "what is held goes on");
        assert!(take(&leases, "more", 1000, 600).is_some());
        assert_eq!(leases.all().count(), 1);
    }
}
