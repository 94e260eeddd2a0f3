//! A request beside all that is known of where it comes out of. It refuses to decide.

use crate::model::fraud::About;
use crate::model::fraud::traffic::{Crowd, Habit, Narrow, Number, Seen, Shares, Traffic, Tries, Wide, half};

/// A request beside all that is known of where it comes out of.
pub struct Case<'a> {
    pub traffic: &'a Traffic,
    pub about: &'a About,
    pub now: u32,
    /// The share of people that verifies in its country, where nothing is wrong.
    pub conversion: f64,
    whole: Habit,
    shares: Shares,
}

/// What is usual where nobody has verified anything yet.
const UNKNOWN: f64 = 0.7;

/// What there is in something wide, by windows, and what is usual there.
pub struct Course {
    pub habit: Habit,
    /// Twenty minutes, three hours, a day, a week.
    pub windows: [Seen; 4],
    /// An hour.
    pub hour: Seen,
}

impl<'a> Case<'a> {
    pub fn new(traffic: &'a Traffic, about: &'a About, now: u32) -> Self {
        let whole = traffic.whole.habit(now, UNKNOWN);
        let country = traffic.history(Wide::Country, about);
        let conversion =
            country.map_or(whole.conversion, |country| country.habit(now, whole.conversion).conversion);
        let shares = Shares::new(now, &traffic.delays);
        Self { traffic, about, now, conversion, whole, shares }
    }

    pub fn number(&self) -> Option<&'a Number> {
        self.traffic.number(self.about)
    }

    pub fn tries(&self, kind: Narrow) -> Option<&'a Tries> {
        self.traffic.tries(kind, self.about)
    }

    /// What others came out of the same within so many seconds.
    pub fn crowd(&self, kind: Narrow, seconds: u32) -> Crowd {
        let tries = self.tries(kind);
        tries.map_or(Crowd::default(), |tries| {
            tries.crowd(half(self.about.number), self.now, seconds, &self.traffic.delays)
        })
    }

    /// What there is in something wide; nothing where nothing is known.
    pub fn course(&self, kind: Wide) -> Option<Course> {
        let history = self.traffic.history(kind, self.about)?;
        let above = if matches!(kind, Wide::Range | Wide::Lane | Wide::Market) {
            self.conversion
        } else {
            self.whole.conversion
        };
        let minutes = history.minutes(self.now, &self.shares);
        let [hour, hours, day] = history.hours(self.now, [1, 3, 24], &minutes);
        let week = history.week(self.now, &minutes);
        let habit = history.habit(self.now, above);
        Some(Course { habit, windows: [minutes, hours, day, week], hour })
    }
}
