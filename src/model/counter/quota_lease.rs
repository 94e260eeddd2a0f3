//! A block of a limit that one process takes ahead, for counters that every request
//! adds to: then not every request writes them.
//!
//! A block is one per cent of the narrowest limit. It is added to the counter as a whole,
//! in the commit of the request that finds none left, and used up one by one within the
//! buckets that it was counted in; what is left of it then is given back with the next.
//! So no limit is ever exceeded, and each process keeps at most one per cent from the
//! others. While one request fetches a block, and where there is no room for a whole one,
//! each adds its own one. A process whose clock is behind may use a block for as long
//! beyond the border of a bucket.
//!
//! The module refuses to know the store, and who shares the lease in a process.

use super::limit::{Addition, Limit, Reached, length};
use super::window::bucket;
use jiff::Timestamp;

/// What one process has taken ahead of one counter's limits.
#[derive(Debug)]
pub struct QuotaLease {
    of: String,
    limits: Vec<Limit>,
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
/// the commit.
#[derive(Debug)]
#[must_use = "say what has become of the commit"]
pub struct Ticket {
    /// What the commit has to add to the counter, under [`QuotaLease::limits`]; nothing
    /// where the block had one left.
    pub additions: Vec<Addition>,
    source: Source,
}

#[derive(Debug)]
enum Source {
    /// The block that was added at that time.
    Block(Timestamp),
    /// A block that the commit adds at that time; what was left of the last one is given
    /// back by it.
    Fetched { block: Block, given_back: Option<Block> },
    /// Itself.
    Own,
}

impl Ticket {
    /// Whether the commit adds a whole block. Where that has no room, one may still have.
    pub fn is_of_a_block(&self) -> bool {
        matches!(self.source, Source::Fetched { .. })
    }
}

/// What has become of a commit.
#[derive(Debug)]
pub enum End<'r> {
    /// It was done.
    Done,
    /// Nothing of it was done; a limit may have refused it.
    Undone(Option<&'r Reached>),
    /// Nobody knows.
    Unknown,
}

impl QuotaLease {
    /// A block is one of so many parts of a limit.
    pub const PARTS: u64 = 100;

    /// Nothing taken yet of what these limits count, all of them the same thing.
    pub fn new(of: String, limits: Vec<Limit>) -> Self {
        Self { of, limits, block: None, is_fetching: false, closed_until: i64::MIN }
    }

    /// What the additions are under.
    pub fn limits(&self) -> &[Limit] {
        &self.limits
    }

    /// Takes one.
    pub fn take(&mut self, now: Timestamp) -> Ticket {
        if let Some(block) = self.block.as_mut().filter(|block| block.left > 0)
            && now.as_millisecond() < end_of(&self.limits, block.added_at)
        {
            block.left -= 1;
            return Ticket { additions: Vec::new(), source: Source::Block(block.added_at) };
        }
        let size = self.size();
        if size < 2 || self.is_fetching || now.as_millisecond() < self.closed_until {
            return Ticket { additions: vec![self.amount(1)], source: Source::Own };
        }
        self.is_fetching = true;
        let given_back = self.block.take().filter(|block| block.left > 0);
        let mut additions: Vec<Addition> = given_back.map(|block| self.back(block)).into_iter().collect();
        additions.push(self.amount(size));
        let block = Block { added_at: now, left: size - 1 };
        Ticket { additions, source: Source::Fetched { block, given_back } }
    }

    /// Takes a ticket back. Whoever was refused a block may take again at once: it will be
    /// its own one.
    pub fn settle(&mut self, ticket: Ticket, end: &End<'_>) {
        match (ticket.source, end) {
            (Source::Block(added_at), End::Undone(_)) => {
                if let Some(block) = self.block.as_mut().filter(|block| block.added_at == added_at) {
                    block.left += 1;
                }
            }
            (Source::Fetched { block, .. }, End::Done) => {
                (self.block, self.is_fetching) = (Some(block), false);
            }
            (Source::Fetched { given_back, block }, End::Undone(reached)) => {
                (self.block, self.is_fetching) = (given_back, false);
                if let Some(reached) = reached {
                    let passes_at = reached.passes_at.map(|at| at.as_millisecond());
                    self.closed_until = passes_at.unwrap_or_else(|| end_of(&self.limits, block.added_at));
                }
            }
            // It may be there: then it is nobody's, and passes with its windows.
            (Source::Fetched { .. }, End::Unknown) => self.is_fetching = false,
            (Source::Own, _) | (Source::Block(_), End::Done | End::Unknown) => {}
        }
    }

    /// What is left, to be given back by a process that ends.
    pub fn rest(&mut self) -> Option<Addition> {
        let block = self.block.take().filter(|block| block.left > 0)?;
        Some(self.back(block))
    }

    fn size(&self) -> u64 {
        self.limits.iter().map(|limit| limit.max / Self::PARTS).min().unwrap_or(0)
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
        let limit = |name: &str, seconds, max| Limit { name: name.into(), of: "start".into(), seconds, max };
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
        let mut lease = lease(300);
        let first = lease.take(at(5));
        assert_eq!(first.additions, [amount(3)]);
        let meanwhile = lease.take(at(6));
        assert_eq!(meanwhile.additions, [amount(1)], "nobody waits for the block");
        lease.settle(meanwhile, &End::Done);
        lease.settle(first, &End::Done);
        let second = lease.take(at(7));
        assert_eq!(second.additions, []);
        lease.settle(second, &End::Undone(None));
        for _ in 0..2 {
            let ticket = lease.take(at(8));
            assert_eq!(ticket.additions, [], "the one that was not used is there again");
            lease.settle(ticket, &End::Done);
        }
        let next = lease.take(at(9));
        assert_eq!(next.additions, [amount(3)], "nothing is left to be given back");
        lease.settle(next, &End::Done);
        let beyond = lease.take(at(60_000));
        assert_eq!(beyond.additions, [back(2, 9), amount(3)], "its bucket is over");
        lease.settle(beyond, &End::Done);
        assert_eq!((lease.rest(), lease.rest()), (Some(back(2, 60_000)), None));
    }

    #[test]
    fn without_room_for_a_block_each_adds_its_own() {
        let mut wide = lease(300);
        let first = wide.take(at(0));
        let reached = Reached { limit: "minute".into(), passes_at: Some(at(70_000)) };
        wide.settle(first, &End::Undone(Some(&reached)));
        let own = wide.take(at(69_999));
        assert_eq!(own.additions, [amount(1)]);
        wide.settle(own, &End::Undone(Some(&reached)));
        let block = wide.take(at(70_000));
        assert_eq!(block.additions, [amount(3)]);
        wide.settle(block, &End::Unknown);
        assert_eq!(wide.take(at(70_001)).additions, [amount(3)], "what is in doubt is not used");
        let mut small = lease(199);
        let ticket = small.take(at(0));
        assert_eq!(ticket.additions, [amount(1)]);
        small.settle(ticket, &End::Done);
        assert_eq!(QuotaLease::new("start".into(), Vec::new()).take(at(0)).additions, [amount(1)]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

        /// Three processes, some of whose commits fail for another reason: what was really
        /// used is within the limit as a log is weighed, and who is refused is so at most a
        /// block of each process early.
        #[test]
        fn nothing_is_exceeded_and_little_is_early(
            max in 200..500u64,
            steps in prop::collection::vec((0..400i64, 0..3usize, 0..10u8), 300..900),
        ) {
            const LENGTH: i64 = 60_000;
            let mut leases = [lease(max), lease(max), lease(max)];
            let (mut counter, mut used, mut now) = (Counter::new("x".into()), Vec::new(), 0);
            let weighed = |used: &Vec<i64>, now: i64| {
                let of = now.div_euclid(LENGTH);
                let within = |bucket| used.iter().filter(|at: &&i64| at.div_euclid(LENGTH) == bucket).count() as i64;
                within(of) * LENGTH + within(of - 1) * (LENGTH - now.rem_euclid(LENGTH))
            };
            for (wait, process, luck) in steps {
                now += wait;
                loop {
                    let ticket = leases[process].take(at(now));
                    let is_block = ticket.is_of_a_block();
                    if luck == 0 {
                        leases[process].settle(ticket, &End::Undone(None));
                        break;
                    }
                    match counter.add(at(now), &ticket.additions, leases[process].limits()) {
                        Ok(next) => {
                            counter = next;
                            leases[process].settle(ticket, &End::Done);
                            used.push(now);
                            prop_assert!(weighed(&used, now) <= max as i64 * LENGTH);
                            break;
                        }
                        Err(reached) => {
                            leases[process].settle(ticket, &End::Undone(Some(&reached)));
                            if !is_block {
                                let early = 3 * (max / 100) as i64;
                                prop_assert!(weighed(&used, now) + (1 + early) * LENGTH > max as i64 * LENGTH);
                                break;
                            }
                        }
                    }
                }
            }
        }
    }
}
