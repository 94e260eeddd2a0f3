//! A block of a limit that one process takes ahead, for counters that every request
//! adds to: then not every request writes them.
//!
//! A block is one per cent of the narrowest limit. It is added to the counter as a whole,
//! in the commit of the request that finds too little left, and used up by and by within the
//! buckets that it was counted in; what is left of it then is given back with the next.
//! So no limit is ever exceeded, and each process keeps at most one per cent from the
//! others. While one request fetches a block, and where there is no room for a whole one,
//! each adds its own. A process whose clock is behind may use a block for as long
//! beyond the border of a bucket.
//!
//! A request may end anywhere: a client goes away, and what was under way for it is
//! dropped. So a ticket gives itself back: as one that was not used before its commit
//! began, and later as one of which nobody knows, which is not used again.
//!
//! The module refuses to know the store, and for which limits a process shares a lease.

use super::limit::{Addition, Limit, Reached, length};
use super::window::bucket;
use jiff::Timestamp;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What one process has taken ahead of one counter's limits. Clones are the same.
#[derive(Debug, Clone)]
pub struct QuotaLease(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    of: String,
    limits: Vec<Limit>,
    taken: Mutex<Taken>,
}

#[derive(Debug)]
struct Taken {
    block: Option<Block>,
    is_fetching: bool,
    /// Until then there is no room for a block, in milliseconds.
    closed_until: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Block {
    added_at: Timestamp,
    left: u64,
}

/// One that was taken. It goes back to the lease that it is of, by what has become of
/// the commit; one that is dropped goes back by what is known.
#[derive(Debug)]
#[must_use = "say what has become of the commit"]
pub struct Ticket {
    lease: Arc<Shared>,
    additions: Vec<Addition>,
    source: Source,
    stage: Stage,
}

#[derive(Debug, Clone, Copy)]
enum Source {
    /// So much of the block that was added at that time.
    Block { added_at: Timestamp, amount: u64 },
    /// A block that the commit adds at that time; what was left of the last one is given
    /// back by it.
    Fetched { block: Block, given_back: Option<Block> },
    /// Itself: it was added alone, without a block.
    Own,
}

/// How far the commit of a ticket has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    NotBegun,
    UnderWay,
    Settled,
}

/// What has become of a commit.
#[derive(Debug)]
pub enum End<'r> {
    /// It was done.
    Done,
    /// Nothing of it was done; a limit may have refused it.
    Undone(Option<&'r Reached>),
    /// Nobody knows: it counts as done, and is used by nobody else.
    Unknown,
}

impl QuotaLease {
    /// A block is one of so many parts of a limit.
    pub const PARTS: u64 = 100;

    /// Nothing taken yet of what these limits count, all of them the same thing.
    pub fn new(of: String, limits: Vec<Limit>) -> Self {
        let taken = Taken { block: None, is_fetching: false, closed_until: i64::MIN };
        Self(Arc::new(Shared { of, limits, taken: Mutex::new(taken) }))
    }

    /// What the additions are under.
    pub fn limits(&self) -> &[Limit] {
        &self.0.limits
    }

    /// Takes so many, of the block or of the counter itself.
    pub fn take(&self, amount: u64, now: Timestamp) -> Ticket {
        let (additions, source) = self.0.take(amount, now);
        Ticket { lease: Arc::clone(&self.0), additions, source, stage: Stage::NotBegun }
    }

    /// Whether nothing is left of it, or nothing that is good for anything, so that it
    /// may be forgotten.
    pub fn is_idle(&self, now: Timestamp) -> bool {
        let taken = self.0.taken();
        let is_alive = |block: &Block| now.as_millisecond() < end_of(&self.0.limits, block.added_at);
        !taken.is_fetching && !taken.block.as_ref().is_some_and(is_alive)
    }

    /// What is left, to be given back by a process that ends.
    pub fn rest(&self) -> Option<Addition> {
        let block = self.0.taken().block.take().filter(|block| block.left > 0)?;
        Some(self.0.back(block))
    }
}

impl Ticket {
    /// What the commit has to add to the counter, under [`Ticket::limits`]; nothing
    /// where the block had one left. From now on the commit may have been done.
    pub fn begin(&mut self) -> Vec<Addition> {
        self.stage = Stage::UnderWay;
        std::mem::take(&mut self.additions)
    }

    /// What the additions are under.
    pub fn limits(&self) -> &[Limit] {
        &self.lease.limits
    }

    /// Whether the commit adds a whole block. Where that has no room, one may still have.
    pub fn is_of_a_block(&self) -> bool {
        matches!(self.source, Source::Fetched { .. })
    }

    /// Goes back to its lease. Whoever was refused a block may take again at once: it
    /// will be its own one.
    pub fn settle(mut self, end: &End<'_>) {
        self.stage = Stage::Settled;
        self.lease.settle(self.source, end);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        match self.stage {
            Stage::NotBegun => self.lease.settle(self.source, &End::Undone(None)),
            Stage::UnderWay => self.lease.settle(self.source, &End::Unknown),
            Stage::Settled => {}
        }
    }
}

impl Shared {
    fn taken(&self) -> MutexGuard<'_, Taken> {
        // Nothing panics between two of its changes.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, amount: u64, now: Timestamp) -> (Vec<Addition>, Source) {
        let mut taken = self.taken();
        if let Some(block) = taken.block.as_mut().filter(|block| block.left >= amount)
            && now.as_millisecond() < end_of(&self.limits, block.added_at)
        {
            block.left -= amount;
            return (Vec::new(), Source::Block { added_at: block.added_at, amount });
        }
        let size = self.size();
        // A block that one request uses up by half and more saves nobody a write.
        let is_small = size / 2 < amount;
        if is_small || taken.is_fetching || now.as_millisecond() < taken.closed_until {
            return (vec![self.amount(amount)], Source::Own);
        }
        taken.is_fetching = true;
        let given_back = taken.block.take().filter(|block| block.left > 0);
        let mut additions: Vec<Addition> = given_back.map(|block| self.back(block)).into_iter().collect();
        additions.push(self.amount(size));
        let block = Block { added_at: now, left: size - amount };
        (additions, Source::Fetched { block, given_back })
    }

    fn settle(&self, source: Source, end: &End<'_>) {
        let mut taken = self.taken();
        match (source, end) {
            (Source::Block { added_at, amount }, End::Undone(_)) => {
                if let Some(block) = taken.block.as_mut().filter(|block| block.added_at == added_at) {
                    block.left += amount;
                }
            }
            (Source::Fetched { block, .. }, End::Done) => {
                (taken.block, taken.is_fetching) = (Some(block), false);
            }
            (Source::Fetched { given_back, block }, End::Undone(reached)) => {
                (taken.block, taken.is_fetching) = (given_back, false);
                if let Some(reached) = reached {
                    let passes_at = reached.passes_at.map(|at| at.as_millisecond());
                    taken.closed_until = passes_at.unwrap_or_else(|| end_of(&self.limits, block.added_at));
                }
            }
            // It may be there: then it is nobody's, and passes with its windows.
            (Source::Fetched { .. }, End::Unknown) => taken.is_fetching = false,
            (Source::Own, _) | (Source::Block { .. }, End::Done | End::Unknown) => {}
        }
    }

    fn size(&self) -> u64 {
        self.limits.iter().map(|limit| limit.max / QuotaLease::PARTS).min().unwrap_or(0)
    }

    fn amount(&self, amount: u64) -> Addition {
        Addition::Amount { of: self.of.clone(), amount }
    }

    fn back(&self, Block { added_at, left }: Block) -> Addition {
        Addition::GiveBack { of: self.of.clone(), amount: left, added_at }
    }
}

/// When the first of the buckets ends that something was counted in, in milliseconds.
fn end_of(limits: &[Limit], added_at: Timestamp) -> i64 {
    let at = added_at.as_millisecond();
    let end = |limit: &Limit| bucket(at, length(limit.seconds)) + length(limit.seconds);
    limits.iter().map(end).min().unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::super::Counter;
    use super::*;
    use proptest::prelude::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).unwrap()
    }

    fn limits(max: u64) -> Vec<Limit> {
        let limit = |name: &str, seconds, max| Limit::new(name, "start", seconds, max);
        vec![limit("minute", 60, max), limit("hour", 3600, max * 20)]
    }

    fn lease(max: u64) -> QuotaLease {
        QuotaLease::new("start".into(), limits(max))
    }

    fn amount(amount: u64) -> Addition {
        Addition::Amount { of: "start".into(), amount }
    }

    fn back(amount: u64, added_at: i64) -> Addition {
        Addition::GiveBack { of: "start".into(), amount, added_at: at(added_at) }
    }

    #[test]
    fn one_request_in_a_block_writes() {
        let lease = lease(300);
        let mut first = lease.take(1, at(5));
        assert_eq!(first.begin(), [amount(3)]);
        let mut meanwhile = lease.take(1, at(6));
        assert_eq!(meanwhile.begin(), [amount(1)], "nobody waits for the block");
        meanwhile.settle(&End::Done);
        first.settle(&End::Done);
        let mut second = lease.take(1, at(7));
        assert_eq!(second.begin(), []);
        second.settle(&End::Undone(None));
        for _ in 0..2 {
            let mut ticket = lease.take(1, at(8));
            assert_eq!(ticket.begin(), [], "the one that was not used is there again");
            ticket.settle(&End::Done);
        }
        let mut next = lease.take(1, at(9));
        assert_eq!(next.begin(), [amount(3)], "nothing is left to be given back");
        next.settle(&End::Done);
        let mut beyond = lease.take(1, at(60_000));
        assert_eq!(beyond.begin(), [back(2, 9), amount(3)], "its bucket is over");
        beyond.settle(&End::Done);
        assert_eq!((lease.rest(), lease.rest()), (Some(back(2, 60_000)), None));
    }

    #[test]
    fn without_room_for_a_block_each_adds_its_own() {
        let wide = lease(300);
        let first = wide.take(1, at(0));
        let reached = Reached { limit: "minute".into(), passes_at: Some(at(70_000)) };
        first.settle(&End::Undone(Some(&reached)));
        let mut own = wide.take(1, at(69_999));
        assert_eq!(own.begin(), [amount(1)]);
        own.settle(&End::Undone(Some(&reached)));
        let mut block = wide.take(1, at(70_000));
        assert_eq!(block.begin(), [amount(3)]);
        block.settle(&End::Unknown);
        assert_eq!(wide.take(1, at(70_001)).begin(), [amount(3)], "what is in doubt is not used");
        let small = lease(199);
        let mut ticket = small.take(1, at(0));
        assert_eq!(ticket.begin(), [amount(1)]);
        ticket.settle(&End::Done);
        assert_eq!(QuotaLease::new("start".into(), Vec::new()).take(1, at(0)).begin(), [amount(1)]);
    }

    #[test]
    fn what_is_more_than_is_left_fetches_a_block_and_gives_the_rest_back() {
        let lease = lease(1000);
        let take = |wanted: u64, now: i64| {
            let mut ticket = lease.take(wanted, at(now));
            let additions = ticket.begin();
            ticket.settle(&End::Done);
            additions
        };
        assert_eq!(take(4, 5), [amount(10)]);
        assert_eq!(take(4, 6), []);
        assert_eq!(take(4, 7), [back(2, 5), amount(10)]);
        assert_eq!(take(6, 8), []);
        assert_eq!(take(6, 9), [amount(6)], "more than half a block is its own");
        assert_eq!(take(5, 10), [amount(10)]);
        let undone = lease.take(3, at(11));
        undone.settle(&End::Undone(None));
        assert_eq!(lease.rest(), Some(back(5, 10)));
    }

    /// A client that goes away leaves nothing behind that keeps others from a block.
    #[test]
    fn a_ticket_that_is_dropped_gives_itself_back() {
        let lease = lease(300);
        drop(lease.take(1, at(0)));
        let mut fetches = lease.take(1, at(1));
        assert_eq!(fetches.begin(), [amount(3)], "nobody fetches any more");
        fetches.settle(&End::Done);
        drop(lease.take(1, at(2)));
        let (mut one, mut other) = (lease.take(1, at(3)), lease.clone().take(1, at(3)));
        assert_eq!((one.begin(), other.begin()), (vec![], vec![]), "what was not begun is there again");
        // Whether it was used is not known: it is not used twice.
        drop((one, other));
        let mut fetches = lease.take(1, at(4));
        assert_eq!(fetches.begin(), [amount(3)]);
        drop(fetches);
        let mut again = lease.take(1, at(5));
        assert_eq!(again.begin(), [amount(3)], "what is in doubt is not used, and holds nobody up");
        again.settle(&End::Done);
        // What is left of a block goes along with the next, also where whoever fetched
        // it first went away.
        drop(lease.take(1, at(60_000)));
        let mut next = lease.take(1, at(60_001));
        assert_eq!(next.begin(), [back(2, 5), amount(3)]);
        next.settle(&End::Done);
        assert_eq!(lease.rest(), Some(back(2, 60_001)));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

        /// Three processes, some of whose commits fail for another reason: what was really
        /// used is within the limit as a log is weighed, and who is refused is so at most a
        /// block of each process early.
        #[test]
        fn nothing_is_exceeded_and_little_is_early(
            max in 200..500u64,
            steps in prop::collection::vec((0..400i64, 0..3usize, 0..10u8, 1..4u64), 300..900),
        ) {
            const LENGTH: i64 = 60_000;
            let leases = [lease(max), lease(max), lease(max)];
            let (mut counter, mut used, mut now) = (Counter::new("x".into()), Vec::new(), 0);
            let weighed = |used: &Vec<(i64, u64)>, now: i64| {
                let of = now.div_euclid(LENGTH);
                let within = |bucket| {
                    let within = used.iter().filter(|(at, _)| at.div_euclid(LENGTH) == bucket);
                    within.map(|(_, amount)| *amount as i64).sum::<i64>()
                };
                within(of) * LENGTH + within(of - 1) * (LENGTH - now.rem_euclid(LENGTH))
            };
            for (wait, process, luck, amount) in steps {
                now += wait;
                loop {
                    let mut ticket = leases[process].take(amount, at(now));
                    let is_block = ticket.is_of_a_block();
                    if luck == 0 {
                        ticket.settle(&End::Undone(None));
                        break;
                    }
                    // Whoever asked goes away.
                    if luck == 1 {
                        break;
                    }
                    match counter.add(at(now), &ticket.begin(), leases[process].limits()) {
                        Ok(next) => {
                            counter = next;
                            ticket.settle(&End::Done);
                            used.push((now, amount));
                            prop_assert!(weighed(&used, now) <= max as i64 * LENGTH);
                            break;
                        }
                        Err(reached) => {
                            ticket.settle(&End::Undone(Some(&reached)));
                            if !is_block {
                                let early = 3 * (max / 100) as i64;
                                prop_assert!(weighed(&used, now) + (amount as i64 + early) * LENGTH > max as i64 * LENGTH);
                                break;
                            }
                        }
                    }
                }
            }
        }
    }
}
