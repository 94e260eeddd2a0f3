//! What was verified of a country or an address, as authgear asks for it: in the last hour,
//! in the last day, and on the best of the last fourteen days. Each answer is kept for five
//! minutes.

use super::{DAY, HOUR};
use std::collections::VecDeque;

/// For how long an answer is kept, in seconds.
const KEPT: i64 = 300;
/// How many days are looked back at, beside today.
const DAYS: i64 = 14;

/// What was verified. Times are in seconds since 1970, and never go backwards.
#[derive(Debug, Default)]
pub struct Verified {
    /// Of the last day, each.
    times: VecDeque<i64>,
    /// Days since 1970, and how many.
    days: VecDeque<(i64, u32)>,
    hour: Answer,
    day: Answer,
    most: Answer,
}

/// An answer, and until when it is kept.
#[derive(Debug, Default, Clone, Copy)]
struct Answer(Option<(i64, u32)>);

impl Answer {
    fn or(&mut self, now: i64, anew: impl FnOnce() -> u32) -> u32 {
        match self.0 {
            Some((until, count)) if now < until => count,
            _ => {
                let count = anew();
                self.0 = Some((now + KEPT, count));
                count
            }
        }
    }
}

impl Verified {
    /// One more.
    pub fn add(&mut self, now: i64) {
        self.times.push_back(now);
        while self.times.front().is_some_and(|at| *at < now - DAY) {
            self.times.pop_front();
        }
        let today = now.div_euclid(DAY);
        match self.days.back_mut() {
            Some((day, count)) if *day == today => *count += 1,
            _ => self.days.push_back((today, 1)),
        }
        while self.days.front().is_some_and(|(day, _)| *day < today - DAYS) {
            self.days.pop_front();
        }
    }

    /// How many within the last hour or day.
    pub fn within(&mut self, seconds: i64, now: i64) -> u32 {
        let times = &self.times;
        let count = || {
            let before = times.partition_point(|at| *at < now - seconds);
            u32::try_from(times.len() - before).unwrap_or(u32::MAX)
        };
        let answer = if seconds == HOUR { &mut self.hour } else { &mut self.day };
        answer.or(now, count)
    }

    /// How many on the best of the last days.
    pub fn most_in_a_day(&mut self, now: i64) -> u32 {
        let first = now.div_euclid(DAY) - DAYS;
        let days = &self.days;
        self.most.or(now, || {
            days.iter().filter(|(day, _)| *day >= first).map(|(_, count)| *count).max().unwrap_or(0)
        })
    }
}
