//! What is written together: which commits go into one statement, and the
//! arrays that it is given.
//!
//! No record comes twice in a group. A commit that touches one that is in it
//! already waits for the next, and is then mostly known to come too late. A
//! counter may be added to by all of them: it is written once (`counted.rs`). It
//! refuses to know connections and errors.

use super::super::hook::Answer;
use super::super::{Change, Commit, CountedError, Counting, Entry, Key, Kind, Version, millis};
use super::body::{Escaped, escape};
use super::statement::Lines;
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use tokio_postgres::types::ToSql;

pub(super) type Verdict = Result<(), CountedError>;

/// Which commits of a group were not done, by their numbers in it, and why.
pub(super) type Refused = HashMap<i32, CountedError>;

/// A commit that waits. One that does nothing is a probe.
pub(super) struct Work {
    pub commit: Commit,
    pub answer: Answer,
}

/// How much goes into one group; a single commit may have more bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub changes: usize,
    pub bytes: usize,
}

/// Commits that are written together.
pub(super) struct Group {
    pub works: Vec<Work>,
    keys: HashSet<Key>,
    counters: HashSet<Key>,
    bytes: usize,
    limits: Limits,
}

impl Group {
    pub(super) fn new(limits: Limits) -> Self {
        Self { works: Vec::new(), keys: HashSet::new(), counters: HashSet::new(), bytes: 0, limits }
    }

    /// Takes a commit in, or gives it back: it is too much, or touches a record
    /// of another.
    pub(super) fn admit(&mut self, work: Work) -> Option<Work> {
        let Commit { changes, additions } = &work.commit;
        let bytes: usize = changes.iter().filter_map(|change| change.body.as_ref()).map(Vec::len).sum();
        let added: Vec<Key> = additions.iter().map(Counting::key).collect();
        let new = added.iter().filter(|key| !self.counters.contains(key)).count();
        let is_much = self.records() + changes.len() + new > self.limits.changes
            || self.bytes + bytes > self.limits.bytes;
        let is_in = |key: &Key| self.keys.contains(key);
        let meets = changes.iter().any(|change| is_in(&change.key) || self.counters.contains(&change.key));
        if !self.works.is_empty() && is_much || meets || added.iter().any(is_in) {
            return Some(work);
        }
        self.keys.extend(changes.iter().map(|change| change.key.clone()));
        self.counters.extend(added);
        self.bytes += bytes;
        self.works.push(work);
        None
    }

    fn records(&self) -> usize {
        self.keys.len() + self.counters.len()
    }

    /// Whether no more fits, with so many works put aside.
    pub(super) fn is_full(&self, aside: usize) -> bool {
        self.records() + aside >= self.limits.changes || self.bytes >= self.limits.bytes
    }
}

/// A group as a statement takes it.
#[derive(Default)]
pub(super) struct Arrays<'a> {
    nth: Vec<i32>,
    id: Vec<&'a str>,
    kind: Vec<i16>,
    expected: Vec<i64>,
    version: Vec<i64>,
    body: Vec<Option<Escaped<'a>>>,
    due: Vec<Option<i64>>,
    lane: Vec<Option<i16>>,
    go: LineArrays<'a>,
    come: LineArrays<'a>,
}

#[derive(Default)]
struct LineArrays<'a> {
    nth: Vec<i32>,
    index: Vec<i16>,
    scope: Vec<&'a str>,
    at: Vec<i64>,
    id: Vec<&'a str>,
}

impl<'a> Arrays<'a> {
    /// The arrays of what some commits change, each with its commit's number, in the
    /// order of [`in_order`].
    ///
    /// # Errors
    /// When the system has no randomness.
    pub(super) fn of(changes: impl Iterator<Item = (i32, &'a Change)>) -> Result<Self, getrandom::Error> {
        let mut changes: Vec<(i32, &Change)> = changes.collect();
        changes.sort_unstable_by(|(_, one), (_, other)| in_order(&one.key, &other.key));
        let mut arrays = Self::default();
        for (nth, change) in changes {
            arrays.push(nth, change)?;
        }
        Ok(arrays)
    }

    fn push(&mut self, nth: i32, change: &'a Change) -> Result<(), getrandom::Error> {
        let kind = change.key.kind;
        self.nth.push(nth);
        self.id.push(&change.key.id);
        self.kind.push(kind.letter().into());
        self.expected.push(change.expected.cast_signed());
        self.version.push(next_version(change)?.cast_signed());
        self.body.push(change.body.as_deref().map(escape));
        self.due.push(change.due_after.map(|due| millis(due.at)));
        // Where it stays due at the same time it stays in its lane: what was set aside
        // does not come back with any write.
        let stays =
            change.expected != 0 && change.due_after.is_some_and(|_| change.due_before == change.due_after);
        let lane = change.due_after.map_or(kind.lane(), |due| due.lane);
        self.lane.push((!stays).then(|| lane.number()));
        // What goes and comes at once stays: both stand in one statement, whose
        // parts have no order.
        let gone = change.entries_removed.iter().filter(|entry| !change.entries_added.contains(entry));
        gone.for_each(|entry| self.go.push(nth, entry));
        change.entries_added.iter().for_each(|entry| self.come.push(nth, entry));
        Ok(())
    }

    /// Which statement they are for.
    pub(super) fn lines(&self) -> Lines {
        Lines { go: !self.go.nth.is_empty(), come: !self.come.nth.is_empty(), is_decided: false }
    }

    /// Whether there is anything to write.
    pub(super) fn is_empty(&self) -> bool {
        self.nth.is_empty()
    }

    /// As the statement for [`Arrays::lines`] has them.
    pub(super) fn parameters(&self) -> Vec<&(dyn ToSql + Sync)> {
        let mut all: Vec<&(dyn ToSql + Sync)> = vec![
            &self.nth,
            &self.id,
            &self.kind,
            &self.expected,
            &self.version,
            &self.body,
            &self.due,
            &self.lane,
        ];
        for lines in [&self.go, &self.come] {
            if !lines.nth.is_empty() {
                all.extend([
                    &lines.nth as &(dyn ToSql + Sync),
                    &lines.index,
                    &lines.scope,
                    &lines.at,
                    &lines.id,
                ]);
            }
        }
        all
    }

    /// The versions that records have once the commits but those of the given
    /// numbers are done.
    pub(super) fn settled(&self, refused: &Refused) -> HashMap<(&'a str, i16), Version> {
        let keys = self.id.iter().zip(&self.kind).zip(&self.version).zip(&self.nth);
        keys.filter(|(_, nth)| !refused.contains_key(nth))
            .map(|(((id, kind), version), _)| ((*id, *kind), version.cast_unsigned()))
            .collect()
    }
}

/// The order in which all groups lock records: counters behind all others, for a group
/// comes to them when it has done everything else.
pub(super) fn in_order(one: &Key, other: &Key) -> Ordering {
    let place = |key: &Key| key.kind == Kind::Counter;
    place(one).cmp(&place(other)).then_with(|| (&one.id, one.kind).cmp(&(&other.id, other.kind)))
}

/// What commits change, each with its number.
pub(super) fn changes(works: &[Work]) -> impl Iterator<Item = (i32, &Change)> {
    (0..).zip(works).flat_map(|(nth, work)| work.commit.changes.iter().map(move |change| (nth, change)))
}

impl<'a> LineArrays<'a> {
    fn push(&mut self, nth: i32, entry: &'a Entry) {
        self.nth.push(nth);
        self.index.push(entry.index.letter().into());
        self.scope.push(&entry.scope);
        self.at.push(millis(entry.at));
        self.id.push(&entry.id);
    }
}

/// Whether a commit expects what one that was just done has changed.
pub(super) fn is_late(work: &Work, settled: &HashMap<(&str, i16), Version>) -> bool {
    work.commit.changes.iter().any(|change| {
        let key = (change.key.id.as_str(), i16::from(change.key.kind.letter()));
        settled.get(&key).is_some_and(|version| *version != change.expected)
    })
}

/// A record begins where no earlier one of its key has been, so that who still
/// holds what it read of that one comes too late: at random, within 2^32 to 2^52.
fn next_version(change: &Change) -> Result<Version, getrandom::Error> {
    match (&change.body, change.expected) {
        (None, _) => Ok(0),
        (Some(_), 0) => Ok((1 << 32) + getrandom::u64()? % ((1 << 52) - (1 << 32))),
        (Some(_), expected) => Ok(expected + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::hook::Ending;
    use super::super::super::{Index, StoreError};
    use super::*;
    use jiff::Timestamp;

    fn change(id: &str, expected: Version, body: &str) -> Change {
        Change {
            key: Key::new(Kind::Delivery, id),
            expected,
            body: Some(body.into()),
            due_before: None,
            due_after: None,
            entries_added: Vec::new(),
            entries_removed: Vec::new(),
        }
    }

    fn work(ids: &[&str]) -> Work {
        let changes: Vec<Change> = ids.iter().map(|id| change(id, 1, "{}")).collect();
        Work { commit: changes.into(), answer: Answer::to(Ending::default()).0 }
    }

    /// One that adds to these counters.
    fn adding(ids: &[&str], counters: &[&str]) -> Work {
        let counting = |id: &&str| Counting {
            counter: (*id).to_owned(),
            now: Timestamp::UNIX_EPOCH,
            additions: Vec::new(),
            limits: Vec::new(),
        };
        let mut work = work(ids);
        work.commit.additions = counters.iter().map(counting).collect();
        work
    }

    const LIMITS: Limits = Limits { changes: 4, bytes: 100 };

    #[test]
    fn a_record_is_in_a_group_once() {
        let mut group = Group::new(LIMITS);
        assert!(group.admit(work(&["a", "b"])).is_none());
        assert!(group.admit(work(&["b", "c"])).is_some());
        assert!(group.admit(work(&["c"])).is_none());
        assert!(group.admit(work(&["d", "e"])).is_some(), "five are too many");
        assert!(!group.is_full(0) && group.is_full(1));
        let mut large = work(&["x"]);
        large.commit.changes[0].body = Some(vec![b' '; 200]);
        assert!(Group::new(LIMITS).admit(large).is_none(), "a single one may have more");
    }

    #[test]
    fn a_counter_is_added_to_by_all_and_changed_by_none_of_them() {
        let mut group = Group::new(LIMITS);
        assert!(group.admit(adding(&["a"], &["n"])).is_none());
        assert!(group.admit(adding(&["b"], &["n"])).is_none());
        assert!(group.is_full(1) && !group.is_full(0), "it is one of three");
        let mut deletes = work(&["n"]);
        deletes.commit.changes[0].key.kind = Kind::Counter;
        let deletes = group.admit(deletes).expect("it waits");
        assert!(group.admit(adding(&[], &["o", "p"])).is_some(), "five are too many");
        let mut group = Group::new(LIMITS);
        assert!(group.admit(deletes).is_none());
        assert!(group.admit(adding(&[], &["n"])).is_some());
    }

    #[test]
    fn arrays_are_in_the_order_of_keys_and_know_what_will_be() {
        let works = [work(&["c", "a"]), work(&["b"])];
        let arrays = Arrays::of(changes(&works)).unwrap();
        assert_eq!((&arrays.id[..], &arrays.nth[..]), (&["a", "b", "c"][..], &[0, 1, 0][..]));
        let settled = arrays.settled(&Refused::from([(0, StoreError::Closed.into())]));
        assert_eq!(settled, HashMap::from([(("b", i16::from(b'd')), 2)]));
        assert!(is_late(&work(&["b"]), &settled) && !is_late(&work(&["a"]), &settled));
    }

    #[test]
    fn counters_are_locked_behind_all_others() {
        let mut keys =
            [Key::new(Kind::Counter, "a"), Key::new(Kind::Delivery, "c"), Key::new(Kind::Delivery, "b")];
        keys.sort_by(in_order);
        assert_eq!(keys.map(|key| key.id), ["b", "c", "a"]);
    }

    #[test]
    fn a_new_record_begins_where_none_has_been() {
        let first = |_| next_version(&change("a", 0, "{}")).unwrap();
        let firsts: HashSet<Version> = (0..100).map(first).collect();
        assert_eq!(firsts.len(), 100);
        assert!(firsts.iter().all(|version| (1 << 32..1 << 52).contains(version)));
        assert_eq!(next_version(&change("a", 7, "{}")).unwrap(), 8);
    }

    #[test]
    fn a_line_that_goes_and_comes_stays() {
        let line = Entry {
            index: Index::Deliveries,
            scope: String::new(),
            at: Timestamp::UNIX_EPOCH,
            id: "a".to_owned(),
        };
        let mut works = [work(&["a"])];
        works[0].commit.changes[0].entries_added = vec![line.clone()];
        works[0].commit.changes[0].entries_removed = vec![line];
        let arrays = Arrays::of(changes(&works)).unwrap();
        assert_eq!(arrays.lines(), Lines { come: true, ..Lines::default() });
        assert_eq!(arrays.parameters().len(), 13);
    }
}
