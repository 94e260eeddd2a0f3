//! The cookies that an application gave Twilio: kept for each pair of numbers
//! apart, and for four hours after the pair was last spoken of.
//!
//! What a cookie says, and which requests it belongs to, is the library's
//! (RFC 6265); how long it lives goes by the sandbox's clock, of which the
//! library knows nothing. This module refuses to know what a request is about.

use super::recent::Recent;
use cookie_store::Cookie;
use jiff::{SignedDuration, Timestamp};
use reqwest::Url;

/// How long the cookies of a pair outlive the last request about it.
const PATIENCE: SignedDuration = SignedDuration::from_hours(4);
/// The most cookies of one pair; the oldest go first.
const COOKIES: usize = 50;
/// The most that the names and values of one pair's cookies take, in bytes.
const BYTES: usize = 8 * 1024;

/// Whom a request is about: `From` and `To` as it says them.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(super) struct Pair {
    from: String,
    to: String,
}

impl Pair {
    /// The pair of `From` and `To`.
    pub fn new(from: impl Into<String>, to: impl Into<String>) -> Self {
        Self { from: from.into(), to: to.into() }
    }

    fn names(&self, number: &str) -> bool {
        [&self.from, &self.to].iter().any(|end| end.strip_prefix("whatsapp:").unwrap_or(end) == number)
    }
}

/// The cookies of all pairs; the pair that was silent longest goes first.
pub(super) struct Cookies {
    jars: Recent<Pair, Jar>,
}

struct Jar {
    /// In order of their first setting.
    kept: Vec<Kept>,
    used: Timestamp,
}

struct Kept {
    cookie: Cookie<'static>,
    /// When its own `Max-Age` or `Expires` is over.
    until: Option<Timestamp>,
}

/// An answer that may set cookies.
pub(super) struct Setting<'a> {
    /// Where the request went.
    pub url: &'a Url,
    /// The `Set-Cookie` headers, in order.
    pub lines: &'a [String],
    /// The application's own time, against which its `Expires` is read.
    pub date: Option<Timestamp>,
    /// True for an answer that may add cookies and displace none.
    pub adds_only: bool,
}

impl Cookies {
    /// None yet, of `limit` pairs at most.
    pub fn new(limit: usize) -> Self {
        Self { jars: Recent::new(limit) }
    }

    /// The `Cookie` header of a request, when there is something to bring.
    pub fn bring(&mut self, pair: &Pair, url: &Url, now: Timestamp) -> Option<String> {
        let jar = self.jars.touch(pair)?;
        jar.age(now);
        if jar.kept.is_empty() {
            self.jars.forget(pair);
            return None;
        }
        jar.used = now;
        let mut matching: Vec<&Cookie<'_>> =
            jar.kept.iter().map(|kept| &kept.cookie).filter(|cookie| cookie.matches(url)).collect();
        // The longest path first, and among equals the one that was set first.
        matching.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs: Vec<String> =
            matching.iter().map(|cookie| format!("{}={}", cookie.name(), cookie.value())).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// Keeps what an answer sets, and forgets what it takes back.
    pub fn keep(&mut self, pair: &Pair, setting: &Setting<'_>, now: Timestamp) {
        for line in setting.lines {
            // What is no cookie, or is for another host, is ignored.
            let Ok(cookie) = Cookie::parse(line.as_str(), setting.url) else { continue };
            let kept = Kept { until: until(&cookie, setting.date, now), cookie: cookie.into_owned() };
            if let Some(jar) = self.jar(pair, now) {
                jar.put(kept, setting.adds_only, now);
            }
        }
        if self.jars.get(pair).is_some_and(|jar| jar.kept.is_empty()) {
            self.jars.forget(pair);
        }
    }

    /// Forgets every pair with this number in it.
    pub fn forget(&mut self, number: &str) {
        self.jars.retain(|pair| !pair.names(number));
    }

    /// A pair's jar; none where not one is kept.
    fn jar(&mut self, pair: &Pair, now: Timestamp) -> Option<&mut Jar> {
        if self.jars.get(pair).is_none() {
            self.jars.insert(pair.clone(), Jar { kept: Vec::new(), used: now });
        }
        let jar = self.jars.touch(pair)?;
        jar.age(now);
        jar.used = now;
        Some(jar)
    }

    /// The pairs that have cookies, the one that was silent longest first.
    #[cfg(test)]
    pub fn pairs(&self) -> impl Iterator<Item = &Pair> {
        self.jars.keys()
    }
}

impl Jar {
    /// Drops what is over by now.
    fn age(&mut self, now: Timestamp) {
        if now.duration_since(self.used) >= PATIENCE {
            self.kept.clear();
        }
        self.kept.retain(|kept| kept.is_alive(now));
    }

    fn put(&mut self, new: Kept, adds_only: bool, now: Timestamp) {
        let place = self.kept.iter().position(|old| old.is_same(&new));
        match place {
            Some(_) if adds_only => {}
            Some(place) if new.is_alive(now) => self.kept[place] = new,
            Some(place) => drop(self.kept.remove(place)),
            None if new.is_alive(now) => self.kept.push(new),
            None => {}
        }
        while self.kept.len() > COOKIES || self.kept.iter().map(Kept::bytes).sum::<usize>() > BYTES {
            self.kept.remove(0);
        }
    }
}

impl Kept {
    fn is_alive(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    fn is_same(&self, other: &Self) -> bool {
        let id = |kept: &Self| (kept.cookie.domain.clone(), kept.cookie.path.to_string());
        self.cookie.name() == other.cookie.name() && id(self) == id(other)
    }

    fn bytes(&self) -> usize {
        self.cookie.name().len() + self.cookie.value().len()
    }
}

/// When a cookie is over by its own words. `Expires` is the application's time,
/// and the sandbox's clock may be far from it: what counts is how long after
/// the answer it is.
fn until(cookie: &Cookie<'_>, date: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    let seconds = match (cookie.max_age(), cookie.expires().and_then(|at| at.datetime())) {
        (Some(age), _) => age.whole_seconds(),
        (None, Some(at)) => at.unix_timestamp().saturating_sub(date.unwrap_or(now).as_second()),
        (None, None) => return None,
    };
    Some(now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAIRS: usize = 20;

    const URL: &str = "http://127.0.0.1:8080/voice/menu";

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn pair() -> Pair {
        Pair::new("+15551230001", "+15005550006")
    }

    fn set(cookies: &mut Cookies, line: &str, now: Timestamp) {
        set_at(cookies, URL, line, now);
    }

    fn set_at(cookies: &mut Cookies, place: &str, line: &str, now: Timestamp) {
        let lines = [line.to_owned()];
        let setting = Setting { url: &url(place), lines: &lines, date: None, adds_only: false };
        cookies.keep(&pair(), &setting, now);
    }

    fn brought(cookies: &mut Cookies, place: &str, now: Timestamp) -> String {
        cookies.bring(&pair(), &url(place), now).unwrap_or_default()
    }

    #[test]
    fn a_cookie_goes_where_it_belongs_and_nowhere_else() {
        let mut cookies = Cookies::new(PAIRS);
        set(&mut cookies, "here=1", at(0));
        set(&mut cookies, "root=2; Path=/; HttpOnly; SameSite=Lax", at(0));
        set(&mut cookies, "deep=3; Path=/voice/menu/deep", at(0));
        set(&mut cookies, "other=4; Domain=example.com", at(0));
        set(&mut cookies, "no cookie at all", at(0));
        for (place, wanted) in [
            (URL, "here=1; root=2"),
            ("http://127.0.0.1:8080/voice/menu/deep", "deep=3; here=1; root=2"),
            ("http://127.0.0.1:8080/voicemail", "root=2"),
            ("http://localhost:8080/voice/menu", ""),
            ("http://example.com/", ""),
        ] {
            assert_eq!(brought(&mut cookies, place, at(1)), wanted, "{place}");
        }
        let stranger = Pair::new("+15005550006", "+15551230001");
        assert_eq!(cookies.bring(&stranger, &url(URL), at(1)), None);
    }

    #[test]
    fn domains_and_secure_cookies_are_heeded() {
        let mut cookies = Cookies::new(PAIRS);
        set_at(&mut cookies, "https://a.example.com/", "wide=1; Domain=example.com", at(0));
        set_at(&mut cookies, "https://a.example.com/", "narrow=2; Secure", at(0));
        assert_eq!(brought(&mut cookies, "https://a.example.com/x", at(0)), "wide=1; narrow=2");
        assert_eq!(brought(&mut cookies, "http://a.example.com/x", at(0)), "wide=1");
        assert_eq!(brought(&mut cookies, "https://b.example.com/x", at(0)), "wide=1");
        // As in browsers, this machine counts as secure.
        set(&mut cookies, "session=3; Secure", at(0));
        assert_eq!(brought(&mut cookies, URL, at(0)), "session=3");
    }

    #[test]
    fn a_pair_is_forgotten_after_four_silent_hours() {
        let mut cookies = Cookies::new(PAIRS);
        set(&mut cookies, "a=1; Max-Age=86400", at(0));
        assert_eq!(brought(&mut cookies, URL, at(3 * 3600)), "a=1");
        assert_eq!(brought(&mut cookies, URL, at(7 * 3600 - 1)), "a=1");
        assert_eq!(brought(&mut cookies, URL, at(11 * 3600)), "");
        assert!(cookies.jars.is_empty());
    }

    #[test]
    fn a_cookies_own_end_comes_first() {
        let mut cookies = Cookies::new(PAIRS);
        set(&mut cookies, "short=1; Max-Age=60", at(0));
        set(&mut cookies, "session=2", at(0));
        assert_eq!(brought(&mut cookies, URL, at(59)), "short=1; session=2");
        assert_eq!(brought(&mut cookies, URL, at(60)), "session=2");
        set(&mut cookies, "session=; Expires=Thu, 01 Jan 1970 00:00:00 GMT", at(61));
        assert_eq!(brought(&mut cookies, URL, at(61)), "");
    }

    #[test]
    fn an_expiry_counts_from_the_applications_own_time() {
        let mut cookies = Cookies::new(PAIRS);
        // The sandbox's clock was moved ten days ahead of the application's.
        let lines = ["a=1; Expires=Fri, 27 Nov 2026 12:10:00 GMT".to_owned()];
        let date = "2026-11-27T12:00:00Z".parse().ok();
        let now: Timestamp = "2026-12-07T12:00:00Z".parse().unwrap();
        cookies.keep(&pair(), &Setting { url: &url(URL), lines: &lines, date, adds_only: false }, now);
        assert_eq!(brought(&mut cookies, URL, now + SignedDuration::from_secs(599)), "a=1");
        assert_eq!(brought(&mut cookies, URL, now + SignedDuration::from_secs(600)), "");
    }

    #[test]
    fn the_same_cookie_is_replaced_where_that_is_allowed() {
        let mut cookies = Cookies::new(PAIRS);
        set(&mut cookies, "a=1", at(0));
        set(&mut cookies, "a=2", at(1));
        let lines = ["a=3".to_owned(), "b=4".to_owned()];
        let late = Setting { url: &url(URL), lines: &lines, date: None, adds_only: true };
        cookies.keep(&pair(), &late, at(2));
        assert_eq!(brought(&mut cookies, URL, at(2)), "a=2; b=4");
    }

    #[test]
    fn pairs_cookies_and_bytes_have_limits() {
        let mut cookies = Cookies::new(PAIRS);
        for n in 0..60 {
            set(&mut cookies, &format!("c{n}=1"), at(0));
        }
        let all = brought(&mut cookies, URL, at(0));
        assert_eq!((all.split("; ").count(), all.starts_with("c10=1;")), (COOKIES, true));
        set(&mut cookies, &format!("big={}", "x".repeat(BYTES - 10)), at(0));
        assert!(brought(&mut cookies, URL, at(0)).len() <= BYTES + COOKIES * 3);
        set(&mut cookies, &format!("huge={}", "x".repeat(BYTES)), at(0));
        assert!(brought(&mut cookies, URL, at(0)).len() <= BYTES + COOKIES * 3);
        let lines = ["a=1".to_owned()];
        for n in 0..PAIRS + 10 {
            let setting = Setting { url: &url(URL), lines: &lines, date: None, adds_only: false };
            cookies.keep(&Pair::new(format!("+1555{n}"), "+15005550006"), &setting, at(1 + n as i64));
        }
        assert_eq!(cookies.pairs().count(), PAIRS);
        assert!(cookies.jars.get(&pair()).is_none());
    }

    #[test]
    fn a_telephone_is_forgotten_in_both_directions() {
        let mut cookies = Cookies::new(PAIRS);
        let lines = ["a=1".to_owned()];
        let setting = Setting { url: &url(URL), lines: &lines, date: None, adds_only: false };
        for (from, to) in [("+1555", "+1500"), ("+1500", "+1555"), ("whatsapp:+1555", "whatsapp:+1500")] {
            cookies.keep(&Pair::new(from, to), &setting, at(0));
        }
        cookies.keep(&Pair::new("+1556", "+1500"), &setting, at(0));
        cookies.forget("+1555");
        assert_eq!(cookies.pairs().count(), 1);
    }
}
