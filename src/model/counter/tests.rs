//! The rule against a log of every event.

use super::*;
use proptest::prelude::*;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap()
}

fn limit(seconds: u32, max: u64) -> Limit {
    Limit::new("starts", "start", seconds, max)
}

fn some(amount: u64) -> Vec<Addition> {
    vec![Addition::Amount { of: "start".into(), amount }]
}

fn back(amount: u64, added_at: i64) -> Vec<Addition> {
    vec![Addition::GiveBack { of: "start".into(), amount, added_at: at(added_at) }]
}

fn member(of: &str, n: u8) -> Addition {
    Addition::Member { of: of.into(), member: Pseudonym([n; 8]) }
}

fn new() -> Counter {
    Counter::new("x".into())
}

fn reached(limit: &str, millis: i64) -> Reached {
    Reached { limit: limit.into(), passes_at: Some(at(millis)) }
}

#[test]
fn a_window_slides() {
    let limits = [limit(10, 4)];
    let counter = new().add(at(19_000), &some(4), &limits).unwrap();
    assert_eq!(counter.add(at(19_999), &some(1), &limits), Err(reached("starts", 22_500)));
    // A quarter of the second bucket is over: three quarters of four count.
    assert_eq!(counter.add(at(22_499), &some(1), &limits), Err(reached("starts", 22_500)));
    let counter = counter.add(at(22_500), &some(1), &limits).unwrap();
    assert_eq!(counter.counts["starts"], WindowCount { since: 20, taken: 1, before: 4, seconds: 10 });
    assert_eq!(counter.ends_at, at(40_000));
    assert_eq!(counter.add(at(22_500), &some(5), &limits).unwrap_err().passes_at, None, "never");
    let counter = counter.add(at(40_000), &some(4), &limits).unwrap();
    assert_eq!(counter.counts["starts"].before, 0);
}

#[test]
fn every_limit_must_have_room_and_the_longest_wait_is_told() {
    let hour = Limit { name: "hourly".into(), ..limit(3600, 2) };
    let of_others = Limit { name: "cost".into(), of: "cost".into(), ..limit(60, 0) };
    let limits = [limit(60, 1), hour, of_others];
    let counter = new().add(at(0), &some(1), &limits).unwrap();
    assert_eq!(counter.add(at(0), &some(1), &limits), Err(reached("starts", 120_000)));
    assert_eq!(counter.add(at(0), &some(2), &limits).unwrap_err().limit, "starts", "never is longest");
    let counter = counter.add(at(120_000), &some(1), &limits).unwrap();
    assert_eq!(counter.add(at(121_000), &some(1), &limits), Err(reached("hourly", 3_600_000 + 1_800_000)));
    assert_eq!(counter.counts.len(), 2, "what nobody added to is not kept");
    assert_eq!(counter.add(at(121_000), &[], &limits).unwrap().counts, counter.counts);
}

#[test]
fn what_is_given_back_goes_where_it_came_from() {
    let limits = [limit(10, 9)];
    let counter = new().add(at(5_000), &some(3), &limits).unwrap();
    let counter = counter.add(at(15_000), &some(2), &limits).unwrap();
    let count = |counter: &Counter| {
        let WindowCount { taken, before, .. } = counter.counts["starts"];
        (before, taken)
    };
    assert_eq!(count(&counter), (3, 2));
    assert_eq!(count(&counter.add(at(16_000), &back(1, 5_000), &limits).unwrap()), (2, 2));
    assert_eq!(count(&counter.add(at(16_000), &back(1, 15_000), &limits).unwrap()), (3, 1));
    assert_eq!(count(&counter.add(at(21_000), &back(2, 5_000), &limits).unwrap()), (2, 0), "it has gone");
    assert_eq!(count(&counter.add(at(16_000), &back(9, 15_000), &limits).unwrap()), (3, 0), "not below none");
    // Also above a limit that was lowered, and before what the same call adds.
    let none = [limit(10, 0)];
    assert_eq!(count(&counter.add(at(16_000), &back(1, 5_000), &none).unwrap()), (2, 2));
    let full = new().add(at(5_000), &some(9), &limits).unwrap();
    let both = [some(2), back(2, 5_000)].concat();
    assert_eq!(count(&full.add(at(5_500), &both, &limits).unwrap()), (0, 9));
    let gone = new().add(at(5_000), &some(1), &limits).unwrap().add(at(5_001), &back(1, 5_000), &limits);
    let gone = gone.unwrap();
    assert_eq!((gone.counts.len(), gone.ends_at), (0, at(5_001)));
}

#[test]
fn a_clock_that_is_behind_finds_the_limit_no_wider() {
    let limits = [limit(10, 2)];
    let counter = new().add(at(19_000), &some(2), &limits).unwrap();
    let counter = counter.add(at(25_000), &some(1), &limits).unwrap();
    assert_eq!(counter.add(at(18_000), &some(1), &limits), Err(reached("starts", 30_000)));
    let late = counter.add(at(18_000), &back(1, 25_000), &limits).unwrap();
    assert_eq!(late.counts["starts"], WindowCount { since: 20, taken: 0, before: 2, seconds: 10 });
    // Added by a clock behind the border, it is in the later bucket, and is found there.
    let next = new().add(at(20_000), &some(1), &limits).unwrap();
    let behind = next.add(at(19_000), &some(1), &limits).unwrap();
    assert_eq!(behind.counts["starts"].taken, 2);
    assert_eq!(behind.add(at(21_000), &back(1, 19_000), &limits).unwrap().counts["starts"].taken, 1);
    // A clock that was wrong by more holds nothing.
    let wrong = new().add(at(10_000_000), &some(2), &limits).unwrap();
    assert_eq!(
        wrong.add(at(9_985_000), &some(1), &limits).unwrap_err().limit,
        "starts",
        "15 s are a window and slack"
    );
    assert_eq!(wrong.add(at(9_984_999), &some(1), &limits).unwrap().counts["starts"].since, 9_980);
}

#[test]
fn members_are_counted_once_each_while_they_are_within_the_window() {
    let limits = [limit(10, 2)];
    let met = |counter: &Counter, at_: i64, n: u8| counter.add(at(at_), &[member("start", n)], &limits);
    let counter = met(&met(&new(), 1_000, 1).unwrap(), 2_000, 2).unwrap();
    let counter = met(&counter, 5_000, 1).unwrap();
    assert_eq!(met(&counter, 6_000, 3), Err(reached("starts", 12_000)), "2 goes first");
    assert!(met(&counter, 11_999, 3).is_err());
    let counter = met(&counter, 12_000, 3).unwrap();
    assert_eq!(counter.members["starts"].met.keys().map(|member| member.0[0]).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(counter.ends_at, at(22_000));
    let three = [1, 2, 3].map(|n| member("start", n));
    assert_eq!(counter.add(at(12_000), &three, &limits).unwrap_err().passes_at, None);
    // Who is in already may come again under a limit that was lowered.
    let lowered = [limit(10, 1)];
    assert!(counter.add(at(13_000), &[member("start", 3)], &lowered).is_ok());
    assert!(counter.add(at(13_000), &[member("start", 4)], &lowered).is_err());
    assert!(counter.add(at(13_000), &[member("else", 4)], &lowered).is_ok());
}

#[test]
fn no_more_members_are_kept_than_there_is_room_for() {
    let limits = [limit(10, 1000)];
    let all = |n: u8| (0..n).map(|n| member("start", n)).collect::<Vec<_>>();
    let counter = new().add(at(0), &all(16), &limits).unwrap();
    assert_eq!(counter.add(at(1), &[member("start", 16)], &limits), Err(reached("starts", 10_000)));
    assert_eq!(new().add(at(0), &all(17), &limits).unwrap_err().passes_at, None);
    let text = serde_json::to_string(&counter).unwrap();
    assert!(text.contains(r#""0101010101010101":0"#), "{text}");
    assert_eq!(serde_json::from_str::<Counter>(&text).unwrap(), counter);
    assert!(serde_json::from_str::<Pseudonym>("\"01\"").is_err());
}

fn room(of: &str) -> Addition {
    Addition::Room { of: of.into() }
}

#[test]
fn who_asks_for_room_adds_nothing_and_is_refused_where_there_is_none() {
    let limits = [limit(10, 2)];
    let counter = new().add(at(5_000), &some(1), &limits).unwrap();
    assert_eq!(counter.add(at(5_001), &[room("start")], &limits).as_ref(), Ok(&counter));
    let full = counter.add(at(5_000), &some(1), &limits).unwrap();
    assert_eq!(full.add(at(5_001), &[room("start")], &limits), Err(reached("starts", 15_000)));
    assert_eq!(full.add(at(5_001), &[room("else")], &limits).as_ref(), Ok(&full));
    assert_eq!(new().add(at(0), &[room("start")], &limits).unwrap().counted(), 0);
    assert_eq!(new().add(at(0), &[room("start")], &[limit(10, 0)]).unwrap_err().passes_at, None);
    // It is asked of what is left once the same call has given back, and with what it adds.
    let both = [back(1, 5_000), vec![room("start")]].concat();
    assert_eq!(full.add(at(5_001), &both, &limits).unwrap().counts["starts"].taken, 1);
    let more = [some(1), vec![room("start")]].concat();
    assert_eq!(counter.add(at(5_001), &more, &limits).unwrap().counts["starts"].taken, 2);
    // Of members there is room for one who is not among them.
    let met = new().add(at(0), &[member("start", 1), member("start", 2)], &limits).unwrap();
    assert_eq!(met.add(at(1), &[room("start")], &limits), Err(reached("starts", 10_000)));
    assert!(met.add(at(10_000), &[room("start")], &limits).is_ok());
}

#[test]
fn a_limit_that_only_tracks_counts_beyond_itself() {
    let tracked = [limit(10, 2).tracked()];
    let counter = new().add(at(5_000), &some(7), &tracked).unwrap();
    assert_eq!(counter.counts["starts"].taken, 7);
    assert_eq!(counter.add(at(5_000), &[room("start")], &tracked).as_ref(), Ok(&counter));
    // Where it refuses at last, what was tracked counts.
    assert_eq!(counter.add(at(5_000), &some(1), &[limit(10, 8)]).unwrap().counts["starts"].taken, 8);
    assert!(counter.add(at(5_000), &some(1), &[limit(10, 7)]).is_err());
    let all: Vec<Addition> = (0..40).map(|n| member("start", n)).collect();
    let met = new().add(at(0), &all, &tracked).unwrap();
    assert_eq!(met.members["starts"].met.len(), Members::MOST);
    let again = met.add(at(5), &[member("start", 0), member("start", 99)], &tracked).unwrap();
    assert_eq!(again.members["starts"].met[&Pseudonym([0; 8])], 5);
    assert_eq!(again.members["starts"].met.len(), Members::MOST);
}

#[test]
fn what_was_counted_before_windows_slid_goes_on() {
    let stored = r#"{"id":"x","counts":{"starts":{"since":600,"taken":2}},"ends_at":"1970-01-01T00:11:00Z"}"#;
    let old: Counter = serde_json::from_str(stored).unwrap();
    let limits = [limit(60, 3)];
    let counter = old.add(at(601_000), &some(1), &limits).unwrap();
    assert_eq!(counter.counts["starts"], WindowCount { since: 600, taken: 3, before: 0, seconds: 60 });
    assert_eq!(old.add(at(661_000), &some(1), &limits).unwrap().counts["starts"].before, 0, "it had ended");
    let elsewhere = [Limit { name: "else".into(), ..limit(60, 3) }];
    assert_eq!(old.add(at(601_000), &some(1), &elsewhere).unwrap().counts.len(), 2);
    assert_eq!(old.add(at(660_000), &some(1), &elsewhere).unwrap().counts.len(), 1);
    // A limit of another length counts anew.
    assert_eq!(counter.add(at(602_000), &some(1), &[limit(61, 3)]).unwrap().counts["starts"].taken, 1);
    assert_eq!(serde_json::to_string(&old).unwrap(), stored);
}

#[test]
fn a_full_counter_forgets_others_where_these_are_all_its_limits() {
    let named = |n: u32| Limit { name: format!("BL{n:03}"), ..limit(10 + n, 9) };
    let mut counter = new();
    for n in 0..64 {
        counter = counter.add(at(0), &some(1), &[named(n)]).unwrap();
    }
    let all = [some(1), vec![Addition::ForgetOthers]].concat();
    let kept = counter.add(at(0), &all, &[named(63)]).unwrap();
    assert_eq!(kept.counts.len(), 64, "there is room for each");
    let next = counter.add(at(0), &all, &[named(64), named(0)]).unwrap();
    assert_eq!(next.counts.len(), 64);
    let has = |n: u32| next.counts.contains_key(&named(n).name);
    assert!(has(64) && has(0) && !has(1) && has(2), "what ends first goes, and nothing that was asked for");
    assert_eq!(next.counts["BL000"].taken, 2);
    let without = counter.add(at(0), &some(1), &[named(64)]).unwrap();
    assert_eq!(without.counts.len(), 65, "nobody said so");
}

/// Every event, and the weighing of them by definition.
struct Log {
    seconds: i64,
    events: Vec<(i64, u64)>,
}

impl Log {
    fn bucket(&self, at: i64) -> i64 {
        at.div_euclid(self.seconds * 1000)
    }

    fn within(&self, bucket: i64) -> u64 {
        self.events.iter().filter(|(at, _)| self.bucket(*at) == bucket).map(|(_, amount)| amount).sum()
    }

    /// What there is room for must be at least, times the length.
    fn weighed(&self, now: i64) -> i64 {
        let (length, bucket) = (self.seconds * 1000, self.bucket(now));
        let left = length - now.rem_euclid(length);
        self.within(bucket) as i64 * length + self.within(bucket - 1) as i64 * left
    }

    /// How many there really were within the window that ends now.
    fn truly(&self, now: i64) -> i64 {
        let from = now - self.seconds * 1000;
        self.events.iter().filter(|(at, _)| *at > from && *at <= now).map(|(_, amount)| *amount as i64).sum()
    }
}

#[derive(Debug, Clone)]
enum Step {
    Add(u64),
    /// Gives back one of those that were added, if there is any.
    GiveBack(prop::sample::Index),
}

fn steps() -> impl Strategy<Value = Vec<(i64, Step)>> {
    let step = prop_oneof![
        4 => (0..7u64).prop_map(Step::Add),
        1 => any::<prop::sample::Index>().prop_map(Step::GiveBack),
    ];
    // Of a thousandth of a second, up to more than two windows.
    let wait = prop_oneof![0..3i64, 0..1500i64, 0..20_000i64];
    prop::collection::vec((wait, step), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_counts_as_a_log_of_all_events_is_weighed(
        begin in -30_000..30_000i64, seconds in 1..9u32, max in 0..12u64, steps in steps(),
    ) {
        let limits = [limit(seconds, max)];
        let length = i64::from(seconds) * 1000;
        let mut log = Log { seconds: seconds.into(), events: Vec::new() };
        let (mut now, mut counter) = (begin, new());
        for (wait, step) in steps {
            now += wait;
            match step {
                Step::GiveBack(which) if !log.events.is_empty() => {
                    let (added_at, amount) = log.events.swap_remove(which.index(log.events.len()));
                    counter = counter.add(at(now), &back(amount, added_at), &limits).unwrap();
                }
                Step::GiveBack(_) => {}
                Step::Add(amount) => {
                    let has_room = |now: i64| log.weighed(now) + amount as i64 * length <= max as i64 * length;
                    match counter.add(at(now), &some(amount), &limits) {
                        Ok(next) => {
                            prop_assert!(has_room(now));
                            log.events.push((now, amount));
                            counter = next;
                            // The error of the weighing: of the bucket before, the share that has gone.
                            let before = log.within(log.bucket(now) - 1) as i64;
                            let bound = max as i64 * length + before * now.rem_euclid(length);
                            prop_assert!(log.truly(now) * length <= bound);
                            prop_assert!(log.truly(now) < 2 * max.max(1) as i64);
                        }
                        Err(Reached { passes_at: None, .. }) => prop_assert!(amount > max),
                        Err(Reached { passes_at: Some(passes_at), .. }) => {
                            let passes_at = passes_at.as_millisecond();
                            prop_assert!(!has_room(now) && amount <= max && passes_at > now);
                            prop_assert!(passes_at <= now + 2 * length);
                            prop_assert!(has_room(passes_at) && !has_room(passes_at - 1));
                            prop_assert!(counter.add(at(passes_at), &some(amount), &limits).is_ok());
                            let early = counter.add(at(passes_at - 1), &some(amount), &limits);
                            prop_assert_eq!(early.unwrap_err().passes_at, Some(at(passes_at)));
                        }
                    }
                }
            }
            if let Some(count) = counter.counts.get("starts").filter(|count| count.since * 1000 == now - now.rem_euclid(length)) {
                let bucket = log.bucket(now);
                prop_assert_eq!((count.before, count.taken), (log.within(bucket - 1), log.within(bucket)));
            }
            // What is kept says by itself until when it matters.
            let ended = counter.add(counter.ends_at, &[], &limits).unwrap();
            prop_assert_eq!(ended.counts.len(), 0);
        }
    }

    #[test]
    fn clocks_that_differ_exceed_nothing(
        seconds in 5..9u32, max in 1..9u64, steps in prop::collection::vec((0..2500i64, -5000..=0i64, 1..4u64), 1..80),
    ) {
        let limits = [limit(seconds, max)];
        let (mut now, mut counter) = (0, new());
        let mut taken: BTreeMap<i64, u64> = BTreeMap::new();
        for (wait, behind, amount) in steps {
            now += wait;
            if let Ok(next) = counter.add(at(now + behind), &some(amount), &limits) {
                let since = next.counts["starts"].since;
                prop_assert!(counter.counts.get("starts").is_none_or(|count| count.since <= since));
                *taken.entry(since).or_default() += amount;
                prop_assert!(taken[&since] <= max && next.counts["starts"].taken == taken[&since]);
                counter = next;
            }
        }
    }

    #[test]
    fn whatever_the_numbers_are_there_is_an_answer(
        count in (any::<i64>(), any::<u64>(), any::<u64>(), any::<u32>()),
        now in any::<i64>(), added_at in any::<i64>(), ends_at in any::<i64>(),
        amounts in (any::<u64>(), any::<u64>(), any::<u64>()),
        seconds in any::<u32>(), max in prop_oneof![any::<u64>(), Just(u64::MAX), Just(0)],
        met in any::<i64>(),
    ) {
        let anywhen = |millis: i64| timestamp(millis % 300_000_000_000_000);
        let count = WindowCount { since: count.0, taken: count.1, before: count.2, seconds: count.3 };
        for stored_seconds in [count.seconds, seconds, 0] {
            let aligned = count.since - count.since.rem_euclid(i64::from(seconds.max(1))).min(count.since.saturating_sub(i64::MIN));
            for since in [count.since, aligned, anywhen(now).as_second()] {
                let count = WindowCount { seconds: stored_seconds, since, ..count };
                let members = Members { seconds: stored_seconds, met: [(Pseudonym([7; 8]), met)].into() };
                let counter = Counter {
                    counts: [("starts".to_owned(), count)].into(),
                    members: [("starts".to_owned(), members)].into(),
                    ends_at: anywhen(ends_at),
                    ..new()
                };
                let additions = [
                    some(amounts.0),
                    some(amounts.1),
                    vec![Addition::GiveBack { of: "start".into(), amount: amounts.2, added_at: anywhen(added_at) }],
                    vec![member("start", 9)],
                ];
                if let Ok(next) = counter.add(anywhen(now), &additions.concat(), &[limit(seconds, max)]) {
                    prop_assert!(next.counts.get("starts").is_none_or(|count| count.taken <= max));
                }
                let backoff = Backoff { first_seconds: seconds, longest_seconds: count.seconds, anew: met % 2 == 0 };
                let kinds = [limit(seconds, max).tracked(), limit(seconds, max.min(128)).exact(), limit(seconds, max.min(128)).lasting(), limit(seconds, max).streak(backoff)];
                for one in kinds {
                    let counter = Counter {
                        times: [("starts".to_owned(), Times { seconds: stored_seconds, at: [(met, count.before), (since, 1), (added_at, 2)].into() })].into(),
                        streaks: [("starts".to_owned(), Streak { failures: count.taken, last: met, seconds: stored_seconds })].into(),
                        ..counter.clone()
                    };
                    let of = || "start".to_owned();
                    let tries = [Addition::Failure { of: of() }, Addition::Success { of: of() }];
                    for extra in [vec![], vec![room("start")], tries[..1].to_vec(), tries.to_vec()] {
                        let all = [additions.concat(), extra].concat();
                        let _ = counter.add(anywhen(now), &all, std::slice::from_ref(&one));
                    }
                }
            }
        }
    }
}
