//! Codes that the provider makes, sends and compares: what is counted before it is asked,
//! and what its answer does.
//!
//! A check is counted by one write and settled by another, between which the provider is
//! asked. So whoever guesses at once with others has no more checks than one after the
//! other, and an answer settles what was counted and nothing else. This module refuses to
//! know who is asked, and how.

use super::open_check::{Answer, OpenCheck};
use super::{Outcome, SendState, Status, Verification};
use crate::model::plain::after;
use crate::model::policy::Policy;
use jiff::Timestamp;

impl Verification {
    /// Checks whose outcome is known.
    pub fn settled_checks(&self) -> u32 {
        self.checks.saturating_sub(u32::try_from(self.open_checks.len()).unwrap_or(u32::MAX))
    }

    /// Whether a message or call was begun that may have brought a code.
    pub fn has_begun(&self) -> bool {
        self.sends.iter().any(|send| send.attempts.made > 0 || send.sid.is_some())
    }

    /// Whether a send is to be made, under way, or not known to have been made.
    fn is_sending(&self) -> bool {
        self.sends.iter().any(|send| matches!(send.state, SendState::Waiting | SendState::Sending))
    }

    /// Takes the provider's name for it. What never left was given one that is made up, by
    /// which nothing is there; and one that makes no codes has none, whose own one is good
    /// from then on.
    pub(super) fn name(&mut self, number: u8, reference: Option<String>) -> Outcome {
        if self.send(number).is_some_and(|send| !send.shadow) {
            self.reference = reference;
        }
        Outcome::Done
    }

    /// Counts a check whose code the provider is to compare.
    pub(super) fn offer(&mut self, policy: &Policy, now: Timestamp) -> Outcome {
        if self.status != Status::Pending {
            return Outcome::Ended(self.status);
        }
        // Whoever asked about them has died, or hears nothing any more.
        let longest = policy.longest_send + policy.lease;
        self.open_checks.retain(|open| now < after(open.at, longest));
        if self.checks >= policy.max_checks {
            // Of those that are open one may be right, and others be given back.
            if !self.open_checks.is_empty() {
                return Outcome::NotMine;
            }
            self.end(Status::MaxAttemptsReached, now);
            return Outcome::Ended(Status::MaxAttemptsReached);
        }
        let others = self.open_checks.iter().map(|open| open.number);
        let number = others.fold(self.checks, u32::max).saturating_add(1);
        let (generation, reference) = (self.code.generation, self.reference.clone());
        self.checks += 1;
        let open = OpenCheck { number, at: now, generation, reference };
        self.open_checks.push(open.clone());
        Outcome::Counted(open)
    }

    /// Settles a check that was counted, by what the provider says.
    pub(super) fn told(
        &mut self,
        policy: &Policy,
        open: &OpenCheck,
        answer: Answer,
        now: Timestamp,
    ) -> Outcome {
        let Some(at) = self.open_checks.iter().position(|own| own == open) else {
            return if self.status == Status::Pending {
                Outcome::NotMine
            } else {
                Outcome::Ended(self.status)
            };
        };
        self.open_checks.remove(at);
        // Who offers the right code too late has not guessed.
        let is_late = answer == Answer::Right && self.status != Status::Pending;
        if is_late || matches!(answer, Answer::NotAsked | Answer::Over | Answer::UsedUp) {
            self.checks = self.checks.saturating_sub(1);
        }
        if self.status != Status::Pending {
            return Outcome::Ended(self.status);
        }
        let (is_of_this_code, is_of_this_name) =
            (open.generation == self.code.generation, open.reference == self.reference);
        match answer {
            Answer::Right if is_of_this_code => {
                self.end(Status::Approved, now);
                Outcome::Approved
            }
            Answer::Right | Answer::Wrong => self.was_wrong(policy, Outcome::Wrong, now),
            Answer::Lost => self.was_wrong(policy, Outcome::NotMine, now),
            Answer::NotAsked => Outcome::NotMine,
            // One that is still open may be why it is over: the right code, offered twice. And
            // what is being sent may have begun another one.
            Answer::Over | Answer::UsedUp
                if !is_of_this_name || !self.open_checks.is_empty() || self.is_sending() =>
            {
                Outcome::NotMine
            }
            Answer::Over => self.stop_as(Status::Expired, now),
            Answer::UsedUp => self.stop_as(Status::MaxAttemptsReached, now),
        }
    }

    fn was_wrong(&mut self, policy: &Policy, outcome: Outcome, now: Timestamp) -> Outcome {
        if self.checks >= policy.max_checks && self.open_checks.is_empty() {
            self.end(Status::MaxAttemptsReached, now);
        }
        outcome
    }

    fn stop_as(&mut self, status: Status, now: Timestamp) -> Outcome {
        self.end(status, now);
        Outcome::Ended(status)
    }
}
