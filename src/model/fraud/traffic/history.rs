//! What happened in something wide: a country, a range, a service, a sender, a key. It
//! refuses to know which, and whether it is good.

use super::delays::Delays;

/// What happened, by when it was asked for: by half a minute for twenty minutes, by hour
/// for a day and more, by day for four weeks.
#[derive(Debug, Clone)]
pub struct History {
    fine: Ring<FINE>,
    hours: Ring<HOURS>,
    days: Ring<DAYS>,
}

const FINE: usize = 40;
const HOURS: usize = 30;
const DAYS: usize = 28;
const HALF_MINUTE: u32 = 30;
const HOUR: u32 = 3_600;
/// A day, in seconds.
pub const DAY: u32 = 86_400;

/// Of those who asked in each of the last half minutes, the share that has verified of
/// those who will: the same for every history at a moment.
pub struct Shares([f64; FINE]);

impl Shares {
    pub fn new(now: u32, delays: &Delays) -> Self {
        // As old as the youngest of each may be.
        let into = now % HALF_MINUTE;
        let age = |place: usize| (place as u32 * HALF_MINUTE + into).saturating_sub(HALF_MINUTE);
        Self(std::array::from_fn(|place| delays.share(age(place))))
    }
}

/// What happened to requests of one stretch of time.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bucket {
    id: u32,
    /// Different numbers that a code was sent to.
    pub asked: u32,
    /// Of those, the ones that were verified since.
    pub verified: u32,
    /// Different numbers that were refused for their own sake.
    pub refused: u32,
    /// Different numbers that were refused for the sake of this.
    pub doubted: u32,
}

/// What there is within a window up to now.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Seen {
    /// Different numbers that a code was sent to.
    pub asked: f64,
    /// Of those, what would be verified by now if all ever were: the young count in part.
    pub ripe: f64,
    /// Of those, the ones that were verified.
    pub verified: f64,
    /// Different numbers that were refused for their own sake.
    pub refused: f64,
    /// Different numbers that were refused for the sake of something wide.
    pub doubted: f64,
}

/// What is usual, by whole days before today.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Habit {
    /// The share that verifies.
    pub conversion: f64,
    /// How many that is told by.
    pub samples: f64,
    /// How many verify on a day.
    pub day: f64,
    /// The most that verified on a day of the last fourteen.
    pub most: f64,
}

/// What may happen to a request in a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A code was sent.
    Asked,
    /// It was not sent after all.
    Unsent,
    /// It was verified.
    Verified,
    /// It was refused for its own sake.
    Refused,
    /// It was refused for the sake of something wide.
    Doubted,
}

impl Default for History {
    fn default() -> Self {
        Self { fine: Ring::new(HALF_MINUTE), hours: Ring::new(HOUR), days: Ring::new(DAY) }
    }
}

impl History {
    /// Writes down what happened to a request of this time.
    pub fn note(&mut self, asked_at: u32, event: Event) {
        self.fine.note(asked_at, event);
        self.hours.note(asked_at, event);
        self.days.note(asked_at, event);
    }

    /// What there is within the last twenty minutes, by how many of each age have verified.
    pub fn minutes(&self, now: u32, shares: &Shares) -> Seen {
        let mut seen = Seen::default();
        for bucket in self.fine.since(now, FINE) {
            seen.add(bucket, shares.0[(now / HALF_MINUTE - bucket.id) as usize % FINE]);
        }
        seen
    }

    /// What there is within the current hour and so many whole ones before, for each of
    /// these, the fewest first.
    pub fn hours<const N: usize>(&self, now: u32, hours: [u32; N], young: &Seen) -> [Seen; N] {
        let mut windows = [Seen::default(); N];
        for bucket in self.hours.since(now, HOURS) {
            let age = now / HOUR - bucket.id;
            if let Some(place) = hours.iter().position(|hours| age <= *hours) {
                windows[place].add(bucket, 1.0);
            }
        }
        for place in 1..N {
            let before = windows[place - 1];
            windows[place].join(&before);
        }
        windows.map(|seen| seen.ripened(young))
    }

    /// What there is today and on the six days before.
    pub fn week(&self, now: u32, young: &Seen) -> Seen {
        let mut seen = Seen::default();
        for bucket in self.days.since(now, 7) {
            seen.add(bucket, 1.0);
        }
        seen.ripened(young)
    }

    /// What is usual, where the one above verifies with this share.
    pub fn habit(&self, now: u32, above: f64) -> Habit {
        let today = now / DAY;
        let mut weeks = [(0.0, 0.0); DAYS / 7];
        let mut most = 0.0_f64;
        let mut days = 0.0;
        for bucket in self.days.since(now, DAYS) {
            let age = today - bucket.id;
            if age == 0 {
                continue;
            }
            let week = &mut weeks[((age - 1) as usize / 7).min(DAYS / 7 - 1)];
            week.0 += f64::from(bucket.asked);
            week.1 += f64::from(bucket.verified);
            days = f64::max(days, f64::from(age));
            if age <= 14 {
                most = most.max(f64::from(bucket.verified));
            }
        }
        let (samples, verified) = weeks.iter().fold((0.0, 0.0), |sum, week| (sum.0 + week.0, sum.1 + week.1));
        let day = if days > 0.0 { verified / days } else { 0.0 };
        Habit { conversion: best(&weeks, above), samples, day, most }
    }
}

/// The share that verifies in the best week of those that have their part of the traffic: so
/// an attack of days does not make itself the habit. Few are told by the one above.
fn best(weeks: &[(f64, f64)], above: f64) -> f64 {
    const FEW: f64 = 30.0;
    let largest = weeks.iter().fold(0.0, |largest: f64, week| largest.max(week.0));
    let told = weeks.iter().filter(|week| week.0 > 0.0 && week.0 >= largest / 2.0);
    let share = |week: &(f64, f64)| (week.1 + FEW * above) / (week.0 + FEW);
    told.map(share).reduce(f64::max).unwrap_or(above).clamp(0.02, 0.98)
}

impl Seen {
    fn add(&mut self, bucket: &Bucket, share: f64) {
        let asked = f64::from(bucket.asked);
        let verified = f64::from(bucket.verified).min(asked);
        self.asked += asked;
        self.ripe += asked * share;
        self.verified += verified;
        self.refused += f64::from(bucket.refused);
        self.doubted += f64::from(bucket.doubted);
    }

    /// What was refused. What was refused for the sake of something wide weighs less than
    /// one, so that refusing is not its own reason.
    pub fn kept_back(&self) -> f64 {
        self.refused + 0.7 * self.doubted
    }

    /// The same where those of the last minutes count in part.
    fn ripened(self, young: &Self) -> Self {
        Self { ripe: (self.ripe - young.asked + young.ripe).max(young.ripe), ..self }
    }

    fn join(&mut self, other: &Self) {
        self.asked += other.asked;
        self.ripe += other.ripe;
        self.verified += other.verified;
        self.refused += other.refused;
        self.doubted += other.doubted;
    }

    /// Of those whose time is over, the ones that nobody verified.
    pub fn unverified(&self) -> f64 {
        (self.ripe - self.verified).max(0.0)
    }
}

/// The last so many stretches of one length.
#[derive(Debug, Clone)]
struct Ring<const N: usize> {
    width: u32,
    buckets: Box<[Bucket]>,
}

impl<const N: usize> Ring<N> {
    fn new(width: u32) -> Self {
        Self { width, buckets: vec![Bucket::default(); N].into() }
    }

    fn note(&mut self, at: u32, event: Event) {
        let id = at / self.width;
        let bucket = &mut self.buckets[id as usize % N];
        // One that is further ahead than the ring is long was made by a clock that was
        // wrong.
        let is_ahead = bucket.id > id && ((bucket.id - id) as usize) < 4 * N;
        if is_ahead {
            return;
        }
        if bucket.id != id {
            *bucket = Bucket { id, ..Bucket::default() };
        }
        let count = match event {
            Event::Unsent => {
                bucket.asked = bucket.asked.saturating_sub(1);
                return;
            }
            Event::Asked => &mut bucket.asked,
            Event::Verified => &mut bucket.verified,
            Event::Refused => &mut bucket.refused,
            Event::Doubted => &mut bucket.doubted,
        };
        *count = count.saturating_add(1);
    }

    /// The last so many, the current one among them.
    fn since(&self, now: u32, count: usize) -> impl Iterator<Item = &Bucket> {
        let current = now / self.width;
        self.buckets
            .iter()
            .filter(move |bucket| bucket.id <= current && ((current - bucket.id) as usize) < count)
    }
}
