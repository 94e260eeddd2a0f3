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

/// A limit of one counter: its id, the word of what it counts, and how much there may be
/// within which times. A service may have others of the same counter.
type Key = (String, String, Vec<(u32, u64)>);

/// The blocks of this process.
#[derive(Default)]
pub(in crate::app) struct Leases(Mutex<HashMap<Key, QuotaLease>>);

/// What one commit takes.
#[derive(Default)]
pub(in crate::app) struct Tickets(Vec<Taken>);

struct Taken {
    counter: String,
    at: Timestamp,
    limits: Vec<Limit>,
    ticket: Ticket,
}

impl Leases {
    /// Takes so many of what these limits of a counter count under a word. False where they
    /// have to be counted by themselves.
    pub(in crate::app) fn take(
        &self,
        tickets: &mut Tickets,
        counter: &str,
        (of, amount): (&str, u64),
        limits: Vec<Limit>,
        at: Timestamp,
    ) -> bool {
        let key = (
            counter.to_owned(),
            of.to_owned(),
            limits.iter().map(|limit| (limit.seconds, limit.max)).collect(),
        );
        let mut leases = self.leases();
        if leases.len() >= MOST && !leases.contains_key(&key) {
            leases.retain(|_, lease| !lease.is_idle(at));
            if leases.len() >= MOST {
                return false;
            }
        }
        let lease = leases.entry(key).or_insert_with(|| QuotaLease::new(of.to_owned(), limits.clone()));
        let ticket = lease.take(amount, at);
        tickets.0.push(Taken { counter: counter.to_owned(), at, limits, ticket });
        true
    }

    /// What is left of all blocks, to be given back by a process that ends.
    pub(in crate::app) fn rest(&self, now: Timestamp) -> Vec<Counting> {
        let rest = |((counter, ..), lease): (&Key, &QuotaLease)| {
            let additions = vec![lease.rest()?];
            Some(Counting { counter: counter.clone(), now, additions, limits: lease.limits().to_vec() })
        };
        self.leases().iter().filter_map(rest).collect()
    }

    fn leases(&self) -> MutexGuard<'_, HashMap<Key, QuotaLease>> {
        // Nothing is ever half-changed under this lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tickets {
    /// Puts what has to be counted into the commit that is about to be done.
    pub(in crate::app) fn begin(&mut self, commit: &mut Commit) {
        for Taken { counter, at, limits, ticket } in &mut self.0 {
            let additions = ticket.begin();
            if additions.is_empty() {
                continue;
            }
            let limits = limits.clone();
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
        for Taken { counter, limits, ticket, .. } in self.0 {
            let is_of = |name: &str| limits.iter().any(|limit| limit.name == name);
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
