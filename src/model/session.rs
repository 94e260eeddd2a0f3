//! A session: somebody's way through the hosted pages, from an application and
//! back to it.
//!
//! It changes only by [`decide`], which is pure and total, as a verification
//! does. What the code is, whether it was right and what was sent is the
//! verification's story; the session knows which one it is. This module refuses
//! to know pages, cookies and how secrets are made: it sees their hashes.
//!
//! What an event says of a verification it brings along as a [`Standing`], by
//! name and number, and [`decide`] refuses it when the record knows another one:
//! between reading and writing the person may have gone on in another tab.

use crate::model::channel::Channel;
use crate::model::id::{ServiceId, SessionId, VerificationId};
use crate::model::phone::PhoneNumber;
use crate::model::service::Pages;
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
/// The longest state, in bytes.
pub const MOST_STATE: usize = 1024;

/// Somebody's way through the pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its id, which stands in the page's address.
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
    /// Where the person goes in the end; nothing where the service's own page is
    /// meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_url: Option<String>,
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
    /// The number to be proved now; from the end on, the one that it is about.
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
    /// The application ended it.
    CalledOff,
}

impl End {
    /// The end as it is told to applications.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Failed => "failed",
            Self::Canceled | Self::CalledOff => "canceled",
        }
    }
}

/// The page that a session is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// What will happen.
    Start,
    /// The person says which number is theirs.
    Number,
    /// The person says by which channel the code is to come.
    Channel,
    /// Type the code.
    Code,
    /// Proved, failed or called off; the way back is open.
    Done(End),
    /// The application has been told.
    Over,
}

/// A verification as it was seen when something was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The verification that the step knows of.
    pub verification: VerificationId,
    /// The number that it proves.
    pub to: PhoneNumber,
    /// Where it stood. Only [`Status::Pending`] may be another one by now.
    pub status: Status,
}

/// What happens to a session.
#[derive(Debug, Clone)]
pub enum Input {
    /// A browser takes the first step; its secret's hash.
    Begin(String),
    /// A number was entered.
    Number(PhoneNumber),
    /// Another number is wanted. A code that is under way is called off first,
    /// so that it cannot be right any more when its number is forgotten.
    ForgetNumber(Option<Standing>),
    /// A verification was started.
    Started {
        /// Which, and for which number.
        standing: Standing,
        /// How many had been started when it was begun: it belongs to no later
        /// try.
        starts: u8,
    },
    /// Once more, after that failure.
    Again(Standing),
    /// The application ends it. A code that is under way is called off first.
    CallOff(Option<Standing>),
    /// Back to the application.
    Leave {
        /// What the session's verification came to. One that still waits for
        /// its code is called off first.
        standing: Option<Standing>,
        /// Whether the person turns back, whatever there is.
        cancel: bool,
        /// The hash of the result that the application is to exchange.
        result: String,
    },
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
    /// The event was decided on another verification than the session knows:
    /// look again.
    Outdated,
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
pub fn decide(session: &Session, input: Input, now: Timestamp) -> (Session, Outcome) {
    let mut new = session.clone();
    let outcome = if now >= session.expires_at { Outcome::Gone } else { new.happen(input, now) };
    match outcome {
        Outcome::Done => (new, outcome),
        _ => (session.clone(), outcome),
    }
}

impl Session {
    /// The page it is at; `standing` is where the verification stands that it
    /// knows. One that proves another number proves nothing here.
    pub fn step(&self, standing: Option<&Standing>) -> Step {
        match (self.end, standing) {
            _ if self.exchanged_at.is_some() => Step::Over,
            (Some(end), _) => Step::Done(end),
            _ if self.browser.is_none() => Step::Start,
            (None, Some(standing)) if self.number.as_ref() != Some(&standing.to) => Step::Done(End::Failed),
            (None, Some(Standing { status: Status::Pending, .. })) => Step::Code,
            (None, Some(Standing { status: Status::Approved, .. })) => Step::Done(End::Approved),
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

    /// Those of a service's channels that it may use, in the order that the
    /// application gave, or in the service's.
    pub fn allowed(&self, channels: Vec<Channel>) -> Vec<Channel> {
        match self.channels.is_empty() {
            true => channels,
            false => self.channels.iter().copied().filter(|channel| channels.contains(channel)).collect(),
        }
    }

    /// Where the person may go from here: back to the application, or to the
    /// service's own page once the number is proved.
    pub fn way_out<'s>(&'s self, pages: &'s Pages) -> Option<&'s str> {
        let success = || pages.success_url.as_deref().filter(|_| self.end == Some(End::Approved));
        self.return_url.as_deref().or_else(success)
    }

    /// Where the person goes with a result; nowhere without a way out.
    pub fn way_back(&self, pages: &Pages, result: &str) -> Option<String> {
        Some(self.known_at(self.way_out(pages)?) + "&result=" + result)
    }

    /// Where the person goes for a word of the application's that a person is there, for
    /// what it names; nowhere without a way back.
    pub fn way_for_word(&self, bound_to: &str) -> Option<String> {
        let way = self.known_at(self.return_url.as_deref()?);
        Some(way + "&reason=captcha_required&bound_to=" + bound_to)
    }

    /// An address of the application's with what it knows the session by.
    fn known_at(&self, address: &str) -> String {
        let mut way = address.to_owned();
        way.push(if way.contains('?') { '&' } else { '?' });
        way.push_str(&format!("session={}", self.id));
        if let Some(state) = &self.state {
            way.push_str("&state=");
            way.extend(state.bytes().map(escaped));
        }
        way
    }

    fn happen(&mut self, input: Input, now: Timestamp) -> Outcome {
        match input {
            Input::Begin(browser) if self.browser.is_none() => {
                self.browser = Some(browser);
                self.number.clone_from(&self.to);
            }
            Input::Begin(browser) if self.belongs_to(Some(&browser)) => {}
            Input::Begin(_) => return Outcome::Gone,
            Input::Exchange(result) => return self.exchange(&result, now),
            Input::CallOff(standing) => return self.call_off(standing.as_ref()),
            // What the application has ended may be left by whoever looks at it.
            _ if self.browser.is_none() && self.end.is_none() => return Outcome::NotNow,
            _ if self.exchanged_at.is_some() => return Outcome::NotNow,
            Input::Leave { standing, cancel, result } => return self.leave(standing, cancel, result, now),
            _ if self.end.is_some() => return Outcome::NotNow,
            Input::Number(_) | Input::ForgetNumber(_) if self.to.is_some() => return Outcome::NotNow,
            Input::Number(_) if self.number.is_some() => return Outcome::NotNow,
            Input::Number(_) if self.numbers >= MOST_NUMBERS => return Outcome::NoNumbersLeft,
            Input::Number(number) => {
                self.number = Some(number);
                self.numbers += 1;
            }
            Input::ForgetNumber(standing) => return self.forget_number(standing.as_ref()),
            Input::Started { standing, starts } => return self.started(standing, starts),
            Input::Again(standing) => return self.again(&standing),
        }
        Outcome::Done
    }

    /// Whether it is this session's verification that was looked at.
    fn knows(&self, standing: Option<&Standing>) -> bool {
        self.verification.as_ref() == standing.map(|standing| &standing.verification)
    }

    fn forget_number(&mut self, standing: Option<&Standing>) -> Outcome {
        if self.numbers >= MOST_NUMBERS {
            return Outcome::NoNumbersLeft;
        }
        if !self.knows(standing) {
            return Outcome::Outdated;
        }
        // What is proved is not forgotten, and what may yet be proved neither.
        if standing.is_some_and(|it| matches!(it.status, Status::Pending | Status::Approved)) {
            return Outcome::NotNow;
        }
        self.number = None;
        self.verification = None;
        Outcome::Done
    }

    fn started(&mut self, standing: Standing, starts: u8) -> Outcome {
        if self.verification.as_ref() == Some(&standing.verification) {
            return Outcome::Done;
        }
        // A code that went to another number than the one to be proved now
        // proves nothing about this one.
        let is_of_this_number = self.number.as_ref() == Some(&standing.to);
        if self.verification.is_some() || self.starts != starts || !is_of_this_number {
            return Outcome::NotNow;
        }
        if self.starts >= MOST_STARTS {
            return Outcome::NoStartsLeft;
        }
        self.verification = Some(standing.verification);
        self.starts += 1;
        Outcome::Done
    }

    fn again(&mut self, standing: &Standing) -> Outcome {
        if !self.knows(Some(standing)) {
            return Outcome::NotNow;
        }
        if matches!(standing.status, Status::Pending | Status::Approved) {
            return Outcome::NotNow;
        }
        if self.starts >= MOST_STARTS {
            return Outcome::NoStartsLeft;
        }
        self.verification = None;
        Outcome::Done
    }

    /// A number that is proved stays so, and a code that may yet be right keeps
    /// the session open.
    fn call_off(&mut self, standing: Option<&Standing>) -> Outcome {
        match self.end {
            Some(End::Canceled | End::CalledOff) => return Outcome::Done,
            Some(End::Approved | End::Failed) => return Outcome::NotNow,
            None => {}
        }
        if !self.knows(standing) {
            return Outcome::Outdated;
        }
        if standing.is_some_and(|it| matches!(it.status, Status::Pending | Status::Approved)) {
            return Outcome::NotNow;
        }
        self.end = Some(End::CalledOff);
        Outcome::Done
    }

    /// The end is read off the verification that the record itself knows, and
    /// so is the number of an approval; once there is an end it stays, and a
    /// further way back gets a result of its own.
    fn leave(&mut self, standing: Option<Standing>, cancel: bool, result: String, now: Timestamp) -> Outcome {
        if self.end.is_none() {
            if !self.knows(standing.as_ref()) {
                return Outcome::Outdated;
            }
            let end = match (self.step(standing.as_ref()), standing) {
                // Whoever turns back at that very moment is shown it first.
                (Step::Done(End::Approved), _) if cancel => return Outcome::NotNow,
                (Step::Code, _) => return Outcome::NotNow,
                (Step::Done(End::Approved), Some(standing)) => {
                    self.number = Some(standing.to);
                    End::Approved
                }
                // What failed by itself was not called off.
                (Step::Done(end), Some(standing)) if !cancel || standing.status != Status::Canceled => end,
                _ if cancel => End::Canceled,
                _ => return Outcome::NotNow,
            };
            self.end = Some(end);
        }
        self.result = Some(result);
        self.expires_at = self.expires_at.max(now.checked_add(RESULT_LIFETIME).unwrap_or(Timestamp::MAX));
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

/// A byte as it is written in a query (RFC 3986 §2.3: unreserved as it is).
fn escaped(byte: u8) -> String {
    match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    }
}

#[cfg(test)]
mod tests;
