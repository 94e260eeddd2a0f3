//! How senders and accounts answered lately, as far as this process knows: who fails, or asks
//! to be left alone, is, where another one can do it.
//!
//! It refuses to know what is sent, and who may send it.

use crate::gateway::breaker::{Breaker, Change, Ended, FIRST_REST};
use crate::gateway::{self, SendError};
use crate::model::message::Route;
use crate::model::phone::mask;
use crate::model::remedy::Remedy;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Senders and accounts that are remembered; of more, all are forgotten once.
const MOST: usize = 10_000;

/// What stands before the name of an account that is remembered.
const OF_ACCOUNT: &str = "account ";

/// How senders and accounts answered lately.
#[derive(Debug, Default)]
pub struct Health(Mutex<HashMap<String, Breaker>>);

impl Health {
    /// These routes, those that are not left alone before the others.
    pub(in crate::app) fn in_order(&self, routes: Vec<Route>) -> Vec<Route> {
        let (mut first, others): (Vec<Route>, Vec<Route>) =
            routes.into_iter().partition(|route| self.answers(route));
        first.extend(others);
        first
    }

    /// Says that a route is asked now: where it was left alone, nobody else finds out
    /// meanwhile whether it is back.
    pub(in crate::app) fn asked(&self, route: &Route) {
        let now = Instant::now();
        self.with(|breakers| {
            for name in names(route) {
                let _ = breakers.get_mut(&name).map(|breaker| breaker.ask(now));
            }
        });
    }

    /// Whether a route is not left alone.
    pub(in crate::app) fn answers(&self, route: &Route) -> bool {
        let now = Instant::now();
        self.with(|breakers| {
            names(route).all(|name| breakers.get(&name).is_none_or(|breaker| !breaker.is_open(now)))
        })
    }

    /// Takes down how a request by a route ended.
    pub(in crate::app) fn note(&self, route: &Route, sent: Result<(), &SendError>) {
        let [sender, account] = both(route);
        match sent {
            Ok(()) => [sender, account].iter().for_each(|name| self.ended(name, Ended::Answered)),
            // What is wrong with one number says nothing of who sends.
            Err(SendError::Refused { code, .. }) => match code {
                Some(code) if gateway::is_of_account(*code) => self.ended(&account, Ended::Failed),
                Some(code) if gateway::remedy(*code) == Remedy::NextSenderAndAlert => {
                    self.ended(&sender, Ended::Failed);
                }
                // It may be our own word: nobody was asked.
                None => {}
                Some(code) if gateway::is_own_word(*code) => {}
                Some(_) => [sender, account].iter().for_each(|name| self.ended(name, Ended::Answered)),
            },
            Err(error @ SendError::NotProcessed { code, .. }) => {
                let rest = error.after().max(FIRST_REST);
                match code {
                    Some(code) if gateway::is_of_sender(*code) => self.ended(&sender, Ended::Busy(rest)),
                    None if error.after().is_zero() => self.ended(&account, Ended::Failed),
                    _ => self.ended(&account, Ended::Busy(rest)),
                }
            }
            Err(SendError::Unknown { .. }) => self.ended(&account, Ended::Failed),
        }
    }

    fn ended(&self, name: &str, ended: Ended) {
        let change = self.with(|breakers| {
            if breakers.len() >= MOST && !breakers.contains_key(name) {
                breakers.clear();
            }
            match (ended, breakers.contains_key(name)) {
                // Of whom nothing is known nothing need be.
                (Ended::Answered, false) => None,
                _ => breakers.entry(name.to_owned()).or_default().note(ended, Instant::now()),
            }
        });
        // An account's name is nobody's number.
        let route = if name.starts_with(OF_ACCOUNT) { name.to_owned() } else { mask(name) };
        match change {
            Some(Change::Opened(rest)) => {
                tracing::warn!(
                    route,
                    seconds = rest.as_secs(),
                    "a sender or account fails: it is left alone where another one is"
                );
            }
            Some(Change::Closed) => tracing::info!(route, "a sender or account is back"),
            None => {}
        }
    }

    fn with<T>(&self, change: impl FnOnce(&mut HashMap<String, Breaker>) -> T) -> T {
        // Nothing is ever half-changed under this lock.
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Under which names a route is remembered: its sender, and its account.
fn both(route: &Route) -> [String; 2] {
    let account = route.account.as_deref().unwrap_or("of the configuration");
    [route.sender.clone(), format!("{OF_ACCOUNT}{account}")]
}

fn names(route: &Route) -> impl Iterator<Item = String> {
    both(route).into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn of(sender: &str, account: Option<&str>) -> Route {
        Route { sender: sender.into(), account: account.map(str::to_owned) }
    }

    fn three() -> Vec<Route> {
        vec![of("A", None), of("B", None), of("C", Some("other"))]
    }

    fn order(health: &Health) -> String {
        health.in_order(three()).into_iter().map(|route| route.sender).collect()
    }

    fn busy(code: Option<u32>) -> SendError {
        SendError::NotProcessed { code, reason: "busy".into(), after: Duration::from_secs(30) }
    }

    #[test]
    fn who_answers_comes_first_and_the_others_keep_their_order() {
        let health = Health::default();
        assert_eq!(order(&health), "ABC");
        // Its queue is full: it rests alone.
        health.note(&three()[0], Err(&busy(Some(21611))));
        assert_eq!(order(&health), "BCA");
        // Its account has too much to do: all of it rests.
        health.note(&three()[1], Err(&busy(Some(20429))));
        assert_eq!(order(&health), "CAB");
        health.note(&three()[2], Err(&busy(None)));
        assert_eq!(order(&health), "ABC", "with nobody left all are as good");
        assert!(three().iter().all(|route| !health.answers(route)));
        // They asked for it: what was under way before ends no rest.
        health.note(&three()[2], Ok(()));
        assert!(!health.answers(&three()[2]));
    }

    #[test]
    fn what_is_wrong_with_numbers_says_nothing_of_a_sender() {
        let health = Health::default();
        let refused = |code| SendError::Refused { code: Some(code), reason: "no".into() };
        for code in [21211, 21612, 21608, 30007] {
            for _ in 0..20 {
                health.note(&three()[0], Err(&refused(code)));
            }
            assert!(health.answers(&three()[0]), "{code}");
        }
        for _ in 0..5 {
            health.note(&three()[0], Err(&refused(21606)));
        }
        assert!(!health.answers(&three()[0]) && health.answers(&three()[1]));
        // A revoked token is all its senders'.
        for _ in 0..5 {
            health.note(&three()[0], Err(&refused(20003)));
        }
        assert!(!health.answers(&three()[1]) && health.answers(&three()[2]));
    }

    #[test]
    fn what_is_not_answered_counts_against_the_account() {
        let health = Health::default();
        for _ in 0..5 {
            health.note(&three()[2], Err(&SendError::unknown("no answer")));
        }
        assert_eq!((health.answers(&three()[2]), health.answers(&three()[0])), (false, true));
    }
}
