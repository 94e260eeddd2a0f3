//! What was read of a lane and is still to be begun, in the order in which it is
//! begun: groups take turns, and within one the most overdue comes first.
//!
//! It is read ahead so that the store is not asked before each beginning. What has
//! been done meanwhile is found out when it is begun. What others leave to this
//! process stays through further readings, for nobody is given it again meanwhile;
//! once they leave it no more it is let go.

use super::all::job_for;
use super::job::Job;
use crate::store::{Key, Lane};
use jiff::Timestamp;
use std::collections::{HashSet, VecDeque};
use std::time::Instant;

/// Records of one group.
struct Group {
    job: &'static dyn Job,
    name: String,
    waiting: VecDeque<Waiting>,
}

/// One record that waits, and when it is due.
struct Waiting {
    key: Key,
    at: Timestamp,
    /// Until when others leave it to this process; nothing where nobody else works.
    claimed: Option<Instant>,
}

impl Waiting {
    fn into_due(self) -> (Key, Timestamp) {
        (self.key, self.at)
    }
}

/// What is still to be begun.
#[derive(Default)]
pub(super) struct Buffer(VecDeque<Group>);

/// What is begun together.
pub(super) struct Batch {
    pub job: &'static dyn Job,
    pub group: String,
    pub due: Vec<(Key, Timestamp)>,
}

impl Buffer {
    /// What was read of a lane, the most overdue first: in place of what there is, or,
    /// where it is `claimed` until then, behind it. Answers what nobody takes care of.
    pub(super) fn fill(
        &mut self,
        lane: Lane,
        due: Vec<(Key, Timestamp)>,
        claimed: Option<Instant>,
    ) -> Vec<Key> {
        if claimed.is_none() {
            self.0.clear();
        }
        let mut strange = Vec::new();
        for (key, at) in due {
            let Some(job) = job_for(lane, key.kind) else {
                strange.push(key);
                continue;
            };
            let name = job.group(&key).to_owned();
            let one = Waiting { key, at, claimed };
            match self.0.iter_mut().find(|group| group.job.name() == job.name() && group.name == name) {
                Some(group) => group.waiting.push_back(one),
                None => self.0.push_back(Group { job, name, waiting: [one].into() }),
            }
        }
        strange
    }

    /// Lets go what others leave to this process no more; true where there was any.
    pub(super) fn lapse(&mut self, now: Instant) -> bool {
        let before = self.len();
        for group in &mut self.0 {
            // What was claimed earlier stands in front.
            while group.waiting.front().is_some_and(|one| one.claimed.is_some_and(|until| until <= now)) {
                group.waiting.pop_front();
            }
        }
        self.0.retain(|group| !group.waiting.is_empty());
        self.len() < before
    }

    /// Lets these go: they are done in another way.
    pub(super) fn forget(&mut self, keys: &HashSet<Key>) {
        for group in &mut self.0 {
            group.waiting.retain(|one| !keys.contains(&one.key));
        }
        self.0.retain(|group| !group.waiting.is_empty());
    }

    /// Takes what comes next of a group that has room. `is_alone` says of a record
    /// that it is begun by itself.
    pub(super) fn next(
        &mut self,
        has_room: impl Fn(&dyn Job, &str) -> bool,
        is_alone: impl Fn(&Key) -> bool,
    ) -> Option<Batch> {
        let nth = self.0.iter().position(|group| has_room(group.job, &group.name))?;
        let mut group = self.0.remove(nth)?;
        let mut due = Vec::new();
        while due.len() < group.job.most() {
            let Some(one) = group.waiting.front() else { break };
            let alone = is_alone(&one.key);
            if alone && !due.is_empty() {
                break;
            }
            due.extend(group.waiting.pop_front().map(Waiting::into_due));
            if alone {
                break;
            }
        }
        let (job, name) = (group.job, group.name.clone());
        if !group.waiting.is_empty() {
            self.0.push_back(group);
        }
        Some(Batch { job, group: name, due })
    }

    /// Whether all of it was begun.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How much is still to be begun.
    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|group| group.waiting.len()).sum()
    }

    /// The most overdue of the group that has most of what is to be begun.
    pub(super) fn largest(&self, most: usize) -> Option<Batch> {
        let group = self.0.iter().max_by_key(|group| group.waiting.len())?;
        let due = group.waiting.iter().take(most).map(|one| (one.key.clone(), one.at)).collect();
        Some(Batch { job: group.job, group: group.name.clone(), due })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Kind;
    use std::time::Duration;

    fn due(kind: Kind, ids: &[&str]) -> Vec<(Key, Timestamp)> {
        ids.iter().map(|id| (Key::new(kind, *id), Timestamp::UNIX_EPOCH)).collect()
    }

    fn ids(batch: Option<Batch>) -> Vec<String> {
        batch.into_iter().flat_map(|batch| batch.due).map(|(key, _)| key.id).collect()
    }

    #[test]
    fn endpoints_take_turns_and_one_without_room_hides_no_other() {
        let mut buffer = Buffer::default();
        let strange =
            buffer.fill(Lane::Webhook, due(Kind::Dispatch, &["1.slow", "2.slow", "3.slow", "4.quick"]), None);
        assert!(strange.is_empty());
        let quick = |_: &dyn Job, group: &str| group == "quick";
        assert_eq!(ids(buffer.next(|_, _| true, |_| false)), ["1.slow"]);
        assert_eq!(ids(buffer.next(|_, _| true, |_| false)), ["4.quick"]);
        assert_eq!(ids(buffer.next(quick, |_| false)), Vec::<String>::new());
        assert_eq!((buffer.is_empty(), buffer.len()), (false, 2));
        assert_eq!(ids(buffer.largest(9)), ["2.slow", "3.slow"]);
    }

    #[test]
    fn chores_go_together_and_what_panicked_goes_alone() {
        let mut buffer = Buffer::default();
        buffer.fill(Lane::Chore, due(Kind::Counter, &["a", "b", "bad", "c", "d"]), None);
        let alone = |key: &Key| key.id == "bad";
        let mut all = Vec::new();
        while let Some(batch) = buffer.next(|_, _| true, alone) {
            all.push(ids(Some(batch)).join(""));
        }
        assert_eq!(all, ["ab", "bad", "cd"]);
        let strange = buffer.fill(Lane::Chore, due(Kind::ApiKey, &["x"]), None);
        assert_eq!((strange.len(), buffer.is_empty()), (1, true));
    }

    #[test]
    fn what_is_claimed_stays_until_the_claim_is_over() {
        let (mut buffer, now) = (Buffer::default(), Instant::now());
        let until = |seconds| Some(now + Duration::from_secs(seconds));
        buffer.fill(Lane::Webhook, due(Kind::Dispatch, &["1.slow", "2.slow"]), until(1));
        buffer.fill(Lane::Webhook, due(Kind::Dispatch, &["3.slow", "4.quick"]), until(2));
        assert_eq!((buffer.lapse(now), buffer.len()), (false, 4), "another reading keeps the first");
        assert!(buffer.lapse(now + Duration::from_secs(1)));
        assert_eq!(buffer.len(), 2);
        buffer.forget(&HashSet::from([Key::new(Kind::Dispatch, "3.slow")]));
        assert_eq!(ids(buffer.next(|_, _| true, |_| false)), ["4.quick"]);
        assert!(buffer.is_empty() && !buffer.lapse(now + Duration::from_secs(9)));
    }
}
