//! The rate limit of API keys: how often a key may ask, by a token bucket each, in memory.
//! It refills evenly and holds a minute's worth, so a burst is fine and a flood is not.
//! Verify's rate limits are counted in the store (`model::counter`).
//!
//! Each process counts for itself, and forgets at its end: this protects the
//! service from a program that runs wild; it is no accounting.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use warp::http::{HeaderMap, HeaderValue};

/// Callers that are remembered at once. They are keys that exist, so there are
/// hardly ever so many.
const MAX_CALLERS: usize = 10_000;
const MINUTE: f64 = 60.0;

/// A token bucket for each caller, filled again by the minute.
pub struct Limiter {
    per_minute: u32,
    buckets: Mutex<HashMap<String, Bucket>>,
}

struct Bucket {
    tokens: f64,
    at: Instant,
}

/// How a caller stands after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Requests a minute.
    pub per_minute: u32,
    /// Requests that may follow at once.
    pub left: u32,
    /// Seconds until the bucket is full again.
    pub full_in: u64,
    /// Seconds to wait, when the request was one too many.
    pub wait: Option<u64>,
}

impl Limiter {
    /// A limiter that lets so many through each minute; 0 for all.
    pub fn new(per_minute: u32) -> Self {
        Self { per_minute, buckets: Mutex::default() }
    }

    /// Counts a request of a caller; `None` when nothing is counted.
    pub fn take(&self, caller: &str, now: Instant) -> Option<Standing> {
        if self.per_minute == 0 {
            return None;
        }
        let most = f64::from(self.per_minute);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_CALLERS && !buckets.contains_key(caller) {
            // Who rested a minute has a full bucket, as if it were new.
            buckets.retain(|_, bucket| now.duration_since(bucket.at) < Duration::from_secs(60));
            if buckets.len() >= MAX_CALLERS {
                buckets.clear();
            }
        }
        let bucket = buckets.entry(caller.to_owned()).or_insert(Bucket { tokens: most, at: now });
        let rested = now.duration_since(bucket.at).as_secs_f64();
        bucket.tokens = (bucket.tokens + rested * most / MINUTE).min(most);
        bucket.at = now;
        let is_enough = bucket.tokens >= 1.0;
        if is_enough {
            bucket.tokens -= 1.0;
        }
        let seconds = |tokens: f64| (tokens * MINUTE / most).ceil() as u64;
        Some(Standing {
            per_minute: self.per_minute,
            left: bucket.tokens as u32,
            full_in: seconds(most - bucket.tokens),
            wait: (!is_enough).then(|| seconds(1.0 - bucket.tokens).max(1)),
        })
    }
}

impl Standing {
    /// Tells it in headers: draft-ietf-httpapi-ratelimit-headers, §3 and §4.
    pub fn write(&self, headers: &mut HeaderMap) {
        let mut add = |name: &'static str, value: String| {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        };
        add("ratelimit-policy", format!("\"key\";q={};w=60", self.per_minute));
        add("ratelimit", format!("\"key\";r={};t={}", self.left, self.full_in));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_a_flood_waits_and_others_do_not_suffer() {
        let limiter = Limiter::new(60);
        let start = Instant::now();
        for left in (0..60).rev() {
            let standing = limiter.take("one", start).unwrap();
            assert_eq!((standing.left, standing.wait), (left, None));
        }
        let refused = limiter.take("one", start).unwrap();
        assert_eq!((refused.left, refused.full_in, refused.wait), (0, 60, Some(1)));
        assert_eq!(limiter.take("other", start).unwrap().wait, None);
        let later = start + Duration::from_millis(1500);
        assert_eq!(limiter.take("one", later).unwrap().wait, None);
        assert_eq!(limiter.take("one", later).unwrap().wait, Some(1));
        assert_eq!(limiter.take("one", later + Duration::from_secs(600)).unwrap().left, 59);
    }

    #[test]
    fn callers_are_forgotten_before_they_are_too_many() {
        let (limiter, start) = (Limiter::new(1), Instant::now());
        for n in 0..=MAX_CALLERS {
            limiter.take(&n.to_string(), start);
        }
        assert!(limiter.buckets.lock().unwrap().len() <= MAX_CALLERS);
        assert_eq!(Limiter::new(0).take("anybody", start), None);
    }
}
