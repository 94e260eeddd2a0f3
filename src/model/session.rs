//! A session: somebody's way through the hosted pages, from an application and
//! back to it.
//!
//! It changes only by [`decide`], which is pure and total, as a verification
//! does. What the code is, whether it was right and what was sent is the
//! verification's story; the session knows which one it is. This module refuses
//! to know pages, cookies and how secrets are made: it sees their hashes.

use crate::model::brand::Pages;
use crate::model::channel::Channel;
use crate::model::id::{ServiceId, SessionId, VerificationId};
use crate::model::phone::PhoneNumber;
use crate::model::verification::{Details, Status};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// How long a session lives.
pub const LIFETIME: SignedDuration = SignedDuration::from_mins(30);
/// How long a result may be exchanged, also past the session's own end.
pub const RESULT_LIFETIME: SignedDuration = SignedDuration::from_mins(5);
/// How many numbers may be entered in one session.
pub const MOST_NUMBERS: u8 = 3;
/// How many verifications may be started in one session. With the checks that
/// a verification allows this bounds the codes that may be tried.
pub const MOST_STARTS: u8 = 5;
/// The longest return address, in bytes.
pub const MOST_RETURN_URL: usize = 2048;
/// The longest state, in bytes.
pub const MOST_STATE: usize = 1024;

/// Somebody's way through the pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// The service; nothing for the one of the configuration's top level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceId>,
    /// The number that the application gave: the person cannot change it, or an
    /// application that means one number would be told of another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<PhoneNumber>,
    /// The channels it may use; none for all of the service's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<Channel>,
    /// Where the person goes in the end.
    pub return_url: String,
    /// The application's own word, given back as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The language that the application asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// What pages and messages say about it.
    #[serde(default)]
    pub details: Details,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Hash of the secret of the browser it belongs to, from its first step on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<String>,
    /// The number to be proved now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<PhoneNumber>,
    /// How many numbers were entered.
    #[serde(default)]
    pub numbers: u8,
    /// The verification under way, or the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<VerificationId>,
    /// How many verifications were started.
    #[serde(default)]
    pub starts: u8,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<End>,
    /// Hash of the result that the application may exchange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// When it was exchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchanged_at: Option<Timestamp>,
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The number is proved.
    Approved,
    /// It is not.
    Failed,
    /// The person did not want to.
    Canceled,
}

/// The page that a session is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// What will happen.
    Start,
    /// Which number?
    Number,
    /// By which channel?
    Channel,
    /// Type the code.
    Code,
    /// Proved, failed or called off; the way back is open.
    Done(End),
    /// The application has been told.
    Over,
}

/// What happens to a session.
#[derive(Debug, Clone)]
pub enum Event {
    /// A browser takes the first step; its secret's hash.
    Begin(String),
    /// A number was entered.
    Number(PhoneNumber),
    /// Another number is wanted.
    ForgetNumber,
    /// A verification was started.
    Started(VerificationId),
    /// Once more, after a failure.
    Again,
    /// Back to the application, with a result of that hash.
    Leave(End, String),
    /// The application exchanges a result of that hash.
    Exchange(String),
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It happened, or had happened already.
    Done,
    /// Not from where the session stands.
    NotNow,
    /// It belongs to another browser, or is over.
    Gone,
    /// No further number may be entered.
    NoNumbersLeft,
    /// No further verification may be started.
    NoStartsLeft,
    /// Not the result, or one that was exchanged before.
    NoSuchResult,
}

/// What an event makes of a session.
pub fn decide(session: &Session, event: Event, now: Timestamp) -> (Session, Outcome) {
    let mut new = session.clone();
    let outcome = if now >= session.expires_at { Outcome::Gone } else { new.happen(event, now) };
    match outcome {
        Outcome::Done => (new, outcome),
        _ => (session.clone(), outcome),
    }
}

impl Session {
    /// The page it is at; `verification` is where the verification stands that
    /// it knows.
    pub fn step(&self, verification: Option<Status>) -> Step {
        match (self.end, verification) {
            _ if self.exchanged_at.is_some() => Step::Over,
            (Some(end), _) => Step::Done(end),
            _ if self.browser.is_none() => Step::Start,
            (None, Some(Status::Pending)) => Step::Code,
            (None, Some(Status::Approved)) => Step::Done(End::Approved),
            (None, Some(_)) => Step::Done(End::Failed),
            (None, None) if self.number.is_none() => Step::Number,
            (None, None) => Step::Channel,
        }
    }

    /// Whether a browser with that secret's hash may see and move it; one that
    /// belongs to nobody yet may be seen by all.
    pub fn belongs_to(&self, browser: Option<&str>) -> bool {
        match (&self.browser, browser) {
            (None, _) => true,
            (Some(own), Some(other)) => own.as_bytes().ct_eq(other.as_bytes()).into(),
            (Some(_), None) => false,
        }
    }

    /// Those of a service's channels that it may use.
    pub fn allowed(&self, channels: Vec<Channel>) -> Vec<Channel> {
        let allowed = |channel: &Channel| self.channels.is_empty() || self.channels.contains(channel);
        channels.into_iter().filter(allowed).collect()
    }

    /// Where the person goes with a result.
    pub fn way_back(&self, result: &str) -> String {
        let mut way = self.return_url.clone();
        way.push(if way.contains('?') { '&' } else { '?' });
        way.push_str(&format!("session={}", self.id));
        if let Some(state) = &self.state {
            way.push_str("&state=");
            way.extend(state.bytes().map(escaped));
        }
        way + "&result=" + result
    }

    fn happen(&mut self, event: Event, now: Timestamp) -> Outcome {
        match event {
            Event::Begin(browser) if self.browser.is_none() => {
                self.browser = Some(browser);
                self.number.clone_from(&self.to);
            }
            Event::Begin(browser) if self.belongs_to(Some(&browser)) => {}
            Event::Begin(_) => return Outcome::Gone,
            Event::Exchange(result) => return self.exchange(&result, now),
            _ if self.browser.is_none() || self.exchanged_at.is_some() => return Outcome::NotNow,
            Event::Leave(end, result) => {
                self.end = Some(end);
                self.result = Some(result);
                self.expires_at =
                    self.expires_at.max(now.checked_add(RESULT_LIFETIME).unwrap_or(Timestamp::MAX));
            }
            _ if self.end.is_some() => return Outcome::NotNow,
            Event::Number(_) | Event::ForgetNumber if self.to.is_some() => return Outcome::NotNow,
            Event::Number(_) if self.number.is_some() => return Outcome::NotNow,
            Event::Number(_) if self.numbers >= MOST_NUMBERS => return Outcome::NoNumbersLeft,
            Event::Number(number) => {
                self.number = Some(number);
                self.numbers += 1;
            }
            Event::ForgetNumber if self.numbers >= MOST_NUMBERS => return Outcome::NoNumbersLeft,
            Event::ForgetNumber => {
                self.number = None;
                self.verification = None;
            }
            Event::Started(id) if self.verification.as_ref() == Some(&id) => {}
            Event::Started(_) if self.verification.is_some() => return Outcome::NotNow,
            Event::Started(_) if self.starts >= MOST_STARTS => return Outcome::NoStartsLeft,
            Event::Started(id) => {
                self.verification = Some(id);
                self.starts += 1;
            }
            Event::Again if self.starts >= MOST_STARTS => return Outcome::NoStartsLeft,
            Event::Again => self.verification = None,
        }
        Outcome::Done
    }

    fn exchange(&mut self, result: &str, now: Timestamp) -> Outcome {
        let own = self.result.as_deref().unwrap_or_default();
        let is_it: bool = own.as_bytes().ct_eq(result.as_bytes()).into();
        if own.is_empty() || !is_it || self.exchanged_at.is_some() {
            return Outcome::NoSuchResult;
        }
        self.exchanged_at = Some(now);
        Outcome::Done
    }
}

/// The hash by which a secret of the pages is kept. The secrets hold 256 random
/// bits, so there is no dictionary to try.
pub fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

/// Whether people may be sent to an address: one of the service's, or one
/// below one that ends in `/*`; `:*` in one of ours is any port. An address that
/// browsers might read otherwise than it is written (`..`, backslashes, a
/// fragment) is none of them.
pub fn may_return(pages: &Pages, url: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&byte);
    let path = url.split('?').next().unwrap_or_default();
    let climbs = path.split('/').any(|part| {
        let part = part.to_ascii_lowercase().replace("%2e", ".");
        part == "." || part == ".."
    });
    // Settings have `:*` after the hosts of one's own machine only.
    let port = url.splitn(3, ':').nth(2).unwrap_or_default();
    let port = &port[..port.bytes().take_while(u8::is_ascii_digit).count()];
    let fits = |allowed: &String| {
        let allowed = allowed.replacen(":*/", &format!(":{port}/"), 1);
        match allowed.strip_suffix('*') {
            Some(below) if below.ends_with('/') => url.starts_with(below),
            _ => url == allowed,
        }
    };
    url.len() <= MOST_RETURN_URL && url.bytes().all(plain) && !climbs && pages.return_urls.iter().any(fits)
}

/// A byte as it is written in a query (RFC 3986 §2.3: unreserved as it is).
fn escaped(byte: u8) -> String {
    match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        Session {
            id: SessionId::from_random([1; 16]),
            service: None,
            to: None,
            channels: Vec::new(),
            return_url: "https://shop.example/done?x=1".into(),
            state: Some("a b&c".into()),
            locale: None,
            details: Details::default(),
            created_at: Timestamp::UNIX_EPOCH,
            expires_at: Timestamp::UNIX_EPOCH + LIFETIME,
            browser: None,
            number: None,
            numbers: 0,
            verification: None,
            starts: 0,
            end: None,
            result: None,
            exchanged_at: None,
        }
    }

    fn after(session: &Session, events: Vec<Event>) -> (Session, Outcome) {
        let mut last = (session.clone(), Outcome::Done);
        for event in events {
            last = decide(&last.0, event, Timestamp::UNIX_EPOCH);
        }
        last
    }

    fn number(last: u8) -> PhoneNumber {
        format!("+1415555012{last}").parse().unwrap()
    }

    fn verification(n: u8) -> VerificationId {
        VerificationId::from_random([n; 15])
    }

    #[test]
    fn the_way_goes_step_by_step() {
        let fresh = session();
        assert_eq!(fresh.step(None), Step::Start);
        let (begun, _) = after(&fresh, vec![Event::Begin(hash("b"))]);
        assert_eq!(begun.step(None), Step::Number);
        let (numbered, _) = after(&begun, vec![Event::Number(number(1))]);
        assert_eq!(numbered.step(None), Step::Channel);
        let (started, _) = after(&numbered, vec![Event::Started(verification(1))]);
        assert_eq!(started.step(Some(Status::Pending)), Step::Code);
        assert_eq!(started.step(Some(Status::Approved)), Step::Done(End::Approved));
        for status in [Status::Expired, Status::MaxAttemptsReached, Status::Canceled] {
            assert_eq!(started.step(Some(status)), Step::Done(End::Failed));
        }
    }

    #[test]
    fn it_belongs_to_the_browser_that_came_first() {
        let (begun, _) = after(&session(), vec![Event::Begin(hash("one"))]);
        assert_eq!(after(&begun, vec![Event::Begin(hash("two"))]).1, Outcome::Gone);
        assert_eq!(after(&begun, vec![Event::Begin(hash("one"))]).1, Outcome::Done);
        assert!(begun.belongs_to(Some(&hash("one"))));
        assert!(!begun.belongs_to(Some(&hash("two"))) && !begun.belongs_to(None));
    }

    #[test]
    fn a_given_number_stays() {
        let given = Session { to: Some(number(0)), ..session() };
        let (begun, _) = after(&given, vec![Event::Begin(hash("b"))]);
        assert_eq!(begun.number, Some(number(0)));
        for event in [Event::Number(number(1)), Event::ForgetNumber] {
            assert_eq!(after(&begun, vec![event]), (begun.clone(), Outcome::NotNow));
        }
    }

    #[test]
    fn numbers_and_starts_are_bounded() {
        let (mut session, _) = after(&session(), vec![Event::Begin(hash("b"))]);
        for n in 0..MOST_NUMBERS {
            let (entered, outcome) = after(&session, vec![Event::ForgetNumber, Event::Number(number(n))]);
            assert_eq!(outcome, Outcome::Done);
            session = entered;
        }
        assert_eq!(after(&session, vec![Event::ForgetNumber]).1, Outcome::NoNumbersLeft);
        for n in 0..MOST_STARTS {
            let (started, outcome) = after(&session, vec![Event::Started(verification(n))]);
            assert_eq!(outcome, Outcome::Done);
            assert_eq!(after(&started, vec![Event::Started(verification(99))]).1, Outcome::NotNow);
            session = Session { verification: None, ..started };
        }
        assert_eq!(after(&session, vec![Event::Again]).1, Outcome::NoStartsLeft);
        assert_eq!(after(&session, vec![Event::Started(verification(77))]).1, Outcome::NoStartsLeft);
    }

    #[test]
    fn a_result_is_exchanged_once_in_its_time() {
        let (begun, _) = after(&session(), vec![Event::Begin(hash("b"))]);
        assert_eq!(after(&begun, vec![Event::Exchange(hash(""))]).1, Outcome::NoSuchResult);
        let (left, _) = after(&begun, vec![Event::Leave(End::Approved, hash("r"))]);
        assert_eq!(left.step(None), Step::Done(End::Approved));
        assert_eq!(after(&left, vec![Event::Exchange(hash("other"))]).1, Outcome::NoSuchResult);
        let (told, outcome) = after(&left, vec![Event::Exchange(hash("r"))]);
        assert_eq!((outcome, told.step(None)), (Outcome::Done, Step::Over));
        assert_eq!(after(&told, vec![Event::Exchange(hash("r"))]).1, Outcome::NoSuchResult);
        assert_eq!(after(&told, vec![Event::Leave(End::Failed, hash("x"))]).1, Outcome::NotNow);
        let late = decide(&left, Event::Exchange(hash("r")), left.expires_at);
        assert_eq!(late.1, Outcome::Gone);
    }

    #[test]
    fn the_state_comes_back_as_it_was() {
        let way = session().way_back("abc");
        let id = session().id;
        assert_eq!(way, format!("https://shop.example/done?x=1&session={id}&state=a%20b%26c&result=abc"));
    }

    #[test]
    fn people_are_sent_only_where_the_service_says() {
        let pages = Pages {
            return_urls: vec!["https://a.example/done".into(), "https://b.example/in/*".into()],
            ..Pages::default()
        };
        for url in ["https://a.example/done", "https://b.example/in/", "https://b.example/in/x?y=1"] {
            assert!(may_return(&pages, url), "{url}");
        }
        for url in [
            "https://a.example/done2",
            "https://a.example/done?next=1",
            "https://a.example",
            "http://b.example/in/x",
            "https://b.example/out",
            "https://b.example/in/../out",
            "https://b.example/in/%2E%2e/out",
            "https://b.example/in/x\\..\\..",
            "https://b.example/in/x#y",
            "https://b.example/in/x y",
            "https://b.example/in/\r\nSet-Cookie:x",
            "https://b.example.evil.example/in/x",
            "//evil.example/in/",
            "javascript:alert(1)",
            "",
        ] {
            assert!(!may_return(&pages, url), "{url}");
        }
    }

    #[test]
    fn on_ones_own_machine_any_port_may_do() {
        let pages = Pages {
            return_urls: vec!["http://127.0.0.1:*/*".into(), "http://localhost:*/done".into()],
            ..Pages::default()
        };
        for url in ["http://127.0.0.1:5000/", "http://127.0.0.1:3000/x?y=1:2", "http://localhost:8080/done"] {
            assert!(may_return(&pages, url), "{url}");
        }
        for url in [
            "http://127.0.0.1/",
            "http://127.0.0.1:*/",
            "http://127.0.0.1:5000",
            "http://127.0.0.1:5000@evil.example/",
            "http://127.0.0.1:5000.evil.example/",
            "http://127.0.0.1:@evil.example:80/",
            "http://127.0.0.1.evil.example:5000/",
            "https://127.0.0.1:5000/",
            "http://localhost:8080/other",
        ] {
            assert!(!may_return(&pages, url), "{url}");
        }
    }
}
