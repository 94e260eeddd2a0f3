//! Wrong API keys, by where they come from: whoever tries many is told to wait,
//! longer each time, waits for each answer, and is written up once.
//!
//! A right key is let in whatever came from its address before: the office of
//! somebody who guesses has other people in it. So this refuses to know right
//! keys; it hears of the wrong ones alone.

use super::request::Request;
use crate::app::{App, admin};
use crate::model::audit::Actor;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::Serialize;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Wrong keys of one address that are answered without a wait: a slip of who
/// sets something up.
const FREE: u64 = 10;
/// A burst of wrong keys ends when none came for so long.
const REST: Duration = Duration::from_secs(60);
/// The longest wait that is asked for, in seconds.
const LONGEST_WAIT: u64 = 60;
/// A burst that goes on is written up again after this.
const LINE_EVERY: Duration = Duration::from_secs(3600);
/// Lines of the audit log in that time, whoever they are about.
const MOST_LINES: u32 = 60;
/// Addresses that are remembered.
const MOST_KNOWN: usize = 10_000;

/// How long the first answer is held that tells to wait, and the longest.
const HOLD: Duration = Duration::from_millis(500);
const LONGEST_HOLD: Duration = Duration::from_secs(2);
/// Of all connections, the part whose answers are held at most; and of these, the
/// part of one address. Who is held keeps a connection from somebody else.
const HELD_PART: usize = 4;
const ADDRESS_PART: usize = 4;

/// The wrong keys since the start.
#[derive(Default)]
pub struct Guesses {
    known: Mutex<Known>,
    /// Answers that are held at once; none are, for whoever has no connections.
    most_held: usize,
}

#[derive(Default)]
struct Known {
    bursts: HashMap<IpNet, Burst>,
    /// Answers that are held, by address; bounded by their sum.
    held: HashMap<IpNet, usize>,
    counts: Counts,
    lines: Option<(Instant, u32)>,
}

/// How many there were, of everybody.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Wrong keys.
    refused: u64,
    /// Those of them that were told to wait.
    slowed: u64,
}

/// What came from one address without a rest.
#[derive(Debug)]
struct Burst {
    count: u64,
    last: Instant,
    told: Option<Instant>,
}

/// What is to be done about a wrong key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Verdict {
    /// How long to wait before the next one, in seconds.
    wait: Option<u64>,
    /// Whether it is to be written up.
    is_news: bool,
    /// How many came in this burst.
    count: u64,
}

/// An answer that is held: a place is free again when it is gone, also because its
/// client went.
struct Held<'a> {
    guesses: &'a Guesses,
    from: IpNet,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let mut known = self.guesses.known();
        if let Some(count) = known.held.get_mut(&self.from) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                known.held.remove(&self.from);
            }
        }
    }
}

impl Guesses {
    /// The same for a server of so many connections, which holds answers.
    pub fn holding(connections: usize) -> Self {
        Self { most_held: connections / HELD_PART, ..Self::default() }
    }

    /// A place among those that are held, if there is one.
    fn hold(&self, from: IpNet) -> Option<Held<'_>> {
        let mut known = self.known();
        let (all, own) = (known.held.values().sum::<usize>(), known.held.get(&from).copied());
        let most_own = (self.most_held / ADDRESS_PART).max(1);
        if all >= self.most_held || own.unwrap_or_default() >= most_own {
            return None;
        }
        *known.held.entry(from).or_default() += 1;
        Some(Held { guesses: self, from })
    }

    /// How many there were since the start.
    pub fn counts(&self) -> Counts {
        self.known().counts
    }

    fn take(&self, from: IpNet, now: Instant) -> Verdict {
        let mut known = self.known();
        known.make_room(from, now);
        let burst = known.bursts.entry(from).or_insert(Burst { count: 0, last: now, told: None });
        if now.duration_since(burst.last) >= REST {
            *burst = Burst { count: 0, last: now, told: None };
        }
        burst.count += 1;
        burst.last = now;
        let count = burst.count;
        let over = count.saturating_sub(FREE);
        let wait = (over > 0).then(|| 1 << (over - 1).min(6)).map(|seconds: u64| seconds.min(LONGEST_WAIT));
        let is_due = burst.told.is_none_or(|told| now.duration_since(told) >= LINE_EVERY);
        if wait.is_some() && is_due {
            burst.told = Some(now);
        }
        let is_news = wait.is_some() && is_due && known.may_tell(now);
        known.counts.refused += 1;
        known.counts.slowed += u64::from(wait.is_some());
        Verdict { wait, is_news, count }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Nothing is ever half-changed under this lock.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Forgets whoever rests; and those who tried little, when there are too many.
    fn make_room(&mut self, from: IpNet, now: Instant) {
        if self.bursts.len() < MOST_KNOWN || self.bursts.contains_key(&from) {
            return;
        }
        self.bursts.retain(|_, burst| now.duration_since(burst.last) < REST);
        if self.bursts.len() >= MOST_KNOWN {
            self.bursts.retain(|_, burst| burst.count > FREE);
        }
        if self.bursts.len() >= MOST_KNOWN {
            self.bursts.clear();
        }
    }

    fn may_tell(&mut self, now: Instant) -> bool {
        let lines = self.lines.get_or_insert((now, 0));
        if now.duration_since(lines.0) >= LINE_EVERY {
            *lines = (now, 0);
        }
        lines.1 += 1;
        lines.1 <= MOST_LINES
    }
}

impl Verdict {
    /// How long its answer is held.
    fn hold(&self) -> Duration {
        let doublings = u32::try_from(self.count.saturating_sub(FREE + 1)).unwrap_or(u32::MAX);
        (HOLD * 2_u32.pow(doublings.min(4))).min(LONGEST_HOLD)
    }
}

/// Counts a wrong key; how many seconds its sender has to wait, once there are
/// many. Then it comes back late, unless too many wait like this already: who holds
/// ever more connections open gets no more slowness, and no more of the server.
pub async fn wrong_key(guesses: &Guesses, app: &App, proxies: &[IpNet], request: &Request) -> Option<u64> {
    // Unlike for a share, loopback is no proxy by itself: somebody is blamed by this.
    let from = counted(request.person(proxies));
    let verdict = guesses.take(from, Instant::now());
    if verdict.is_news {
        let (app, from, count) = (app.clone(), shown(from), verdict.count);
        tracing::warn!(%from, count, "wrong API keys, one after the other");
        tokio::spawn(async move {
            if let Err(error) =
                admin::note_guesses(&app.base, &Actor::nobody(), &from.to_string(), count).await
            {
                tracing::error!(%error, "wrong API keys could not be written up");
            }
        });
    }
    if verdict.wait.is_some()
        && let Some(_held) = guesses.hold(from)
    {
        tokio::time::sleep(verdict.hold()).await;
    }
    verdict.wait
}

/// What counts as one: an IPv4 address, or what one customer gets of IPv6.
fn counted(address: IpAddr) -> IpNet {
    match address {
        IpAddr::V4(address) => Ipv4Net::from(address).into(),
        IpAddr::V6(address) => cut(Ipv6Net::from(address), 64),
    }
}

/// The same as it is shown: not the very person.
fn shown(from: IpNet) -> IpNet {
    match from {
        IpNet::V4(net) => Ipv4Net::new(net.addr(), 24).map_or(from, |net| net.trunc().into()),
        IpNet::V6(_) => from,
    }
}

fn cut(net: Ipv6Net, bits: u8) -> IpNet {
    Ipv6Net::new(net.addr(), bits).unwrap_or(net).trunc().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::Incoming;
    use bytes::Bytes;
    use warp::http::{HeaderMap, Method};

    fn net(text: &str) -> IpNet {
        counted(text.parse().unwrap())
    }

    #[test]
    fn many_wrong_keys_wait_longer_and_longer_and_are_told_once() {
        let (guesses, start) = (Guesses::default(), Instant::now());
        let one = net("192.0.2.7");
        for _ in 0..FREE {
            assert_eq!(guesses.take(one, start).wait, None);
        }
        let verdicts: Vec<Verdict> = (0..9).map(|_| guesses.take(one, start)).collect();
        let waits: Vec<u64> = verdicts.iter().filter_map(|verdict| verdict.wait).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(verdicts.iter().filter(|verdict| verdict.is_news).count(), 1);
        assert!(verdicts[0].is_news && verdicts[0].count == FREE + 1);
        assert_eq!(guesses.take(net("192.0.2.8"), start).wait, None, "somebody else");
        assert_eq!(guesses.counts(), Counts { refused: FREE + 10, slowed: 9 });
        // One that goes on is told again after an hour, and one that rests begins anew.
        let goes_on = (1..=120).map(|n| guesses.take(one, start + n * REST / 2));
        assert_eq!(goes_on.filter(|verdict| verdict.is_news).count(), 1);
        assert_eq!(guesses.take(one, start + 70 * REST).wait, None);
    }

    #[test]
    fn an_answer_is_held_longer_and_longer_and_few_are_at_once() {
        let (guesses, start) = (Guesses::holding(64), Instant::now());
        let (one, other) = (net("192.0.2.7"), net("192.0.2.8"));
        assert!((0..FREE).all(|_| guesses.take(one, start).wait.is_none()));
        let holds: Vec<u128> = (0..5).map(|_| guesses.take(one, start).hold().as_millis()).collect();
        assert_eq!(holds, [500, 1000, 2000, 2000, 2000]);
        let held: Vec<_> = (0..100).filter_map(|_| guesses.hold(one)).collect();
        assert_eq!(held.len(), 4, "a part of a part");
        let others: Vec<_> =
            (0..100_u32).filter_map(|n| guesses.hold(counted(IpAddr::from(n.to_be_bytes())))).collect();
        assert_eq!(held.len() + others.len(), 16, "a part of all connections");
        assert!(guesses.hold(other).is_none());
        drop(held);
        assert!(guesses.hold(other).is_some(), "their places are free again");
        drop(others);
        assert!(guesses.known().held.is_empty(), "nothing is remembered of who is gone");
        assert!(Guesses::default().hold(one).is_none());
    }

    #[test]
    fn a_customers_network_counts_as_one() {
        assert_eq!(net("2001:db8:1:2:3::4"), net("2001:db8:1:2:ffff::1"));
        assert_ne!(net("2001:db8:1:2::1"), net("2001:db8:1:3::1"));
        assert_eq!(shown(net("192.0.2.7")).to_string(), "192.0.2.0/24");
        assert_eq!(shown(net("2001:db8:1:2::9")).to_string(), "2001:db8:1:2::/64");
    }

    #[test]
    fn a_proxy_is_not_who_guesses() {
        let sender = |peer: &str, forwarded: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in forwarded {
                headers.append("x-forwarded-for", line.parse().unwrap());
            }
            let peer = format!("{peer}:9").parse().unwrap();
            let incoming = Incoming { peer, uri: "/".parse().unwrap() };
            let body = futures_util::stream::empty::<Result<Bytes, warp::Error>>();
            let request = Request::new(Vec::new(), Method::GET, incoming, headers, body);
            request.person(&["10.0.0.0/8".parse().unwrap()]).to_string()
        };
        assert_eq!(sender("192.0.2.7", &["198.51.100.1"]), "192.0.2.7", "anybody may write that");
        assert_eq!(sender("10.0.0.1", &["203.0.113.9, 192.0.2.7"]), "192.0.2.7");
        assert_eq!(sender("10.0.0.1", &["203.0.113.9", "192.0.2.7:443, 10.0.0.2"]), "192.0.2.7");
        assert_eq!(sender("10.0.0.1", &["[2001:db8::1]:80"]), "2001:db8::1");
        assert_eq!(sender("10.0.0.1", &["unknown"]), "10.0.0.1");
        assert_eq!(sender("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn memory_is_bounded_and_so_are_the_lines() {
        let (guesses, start) = (Guesses::default(), Instant::now());
        let mut told = 0;
        for n in 0..MOST_KNOWN as u32 + 100 {
            let from = counted(IpAddr::from(n.to_be_bytes()));
            let each = if n < 200 { FREE + 1 } else { 1 };
            told += (0..each).filter(|_| guesses.take(from, start).is_news).count();
        }
        assert!(guesses.known().bursts.len() <= MOST_KNOWN);
        assert_eq!(told, MOST_LINES as usize);
        assert!(guesses.take(counted(IpAddr::from(7_u32.to_be_bytes())), start).wait.is_some(), "kept");
    }
}
