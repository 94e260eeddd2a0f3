//! What a call of ours hears that asks what to say, and what it has come to with that. It
//! refuses to know the words.

use super::{Outcome, SendState, Status, Step, Verification};
use crate::model::channel::Channel;
use crate::model::id::Sid;
use crate::model::policy::{Gate, Policy};

impl Verification {
    /// A call asks; it is bound to the send by its name.
    pub(super) fn call_asks(
        &mut self,
        policy: &Policy,
        number: u8,
        sid: Sid,
        machine: bool,
        step: Step,
    ) -> Outcome {
        let (status, generation) = (self.status, self.code.generation);
        let Some(send) = self.sends.iter_mut().find(|send| send.number == number) else {
            return Outcome::NotMine;
        };
        if send.channel != Channel::Call
            || !sid.is_call()
            || send.sid.as_ref().is_some_and(|bound| *bound != sid)
        {
            return Outcome::NotMine;
        }
        // The call itself proves that it was taken, whatever our request's
        // answer was or will be.
        send.sid = Some(sid);
        send.state = SendState::Accepted;
        // It was spoken, whatever has become of the verification meanwhile.
        let was_spoken = step == Step::Read && send.finish();
        let outcome = if was_spoken && status == Status::Approved {
            Outcome::SayGoodbye
        } else if status != Status::Pending || send.generation != generation {
            Outcome::SayEnded
        } else if machine {
            Outcome::SayNothing
        } else {
            send.step(policy, step, was_spoken)
        };
        self.outbox.retain(|step| step.number() != number);
        outcome
    }
}

impl super::Send {
    fn step(&mut self, policy: &Policy, step: Step, was_spoken: bool) -> Outcome {
        match step {
            // A copy of what was answered already: the code was read since.
            Step::Answered | Step::Gate { .. } if self.finished > 0 => Outcome::SayGoodbye,
            Step::Answered if policy.gate == Gate::None => self.read(policy),
            Step::Answered => Outcome::SayGate,
            // A call that was told goodbye is over, whatever is pressed then.
            Step::Gate { .. } if self.is_closed(policy) => Outcome::SayGoodbye,
            // Whoever pressed nothing is not asked a second time.
            Step::Gate { digits } if digits.is_empty() => Outcome::SayNoKey,
            Step::Gate { digits } if self.opens(&digits) => self.read_for_key(policy),
            Step::Gate { .. } => {
                self.wrong_keys = self.wrong_keys.saturating_add(1);
                if self.is_closed(policy) { Outcome::SayGoodbye } else { Outcome::SayGateAgain }
            }
            Step::Read if was_spoken => {
                Outcome::SayCodeOnceMore { again: self.readings <= policy.max_replays }
            }
            // A copy of a request that was answered already.
            Step::Read => Outcome::SayGoodbye,
            // Whoever never passed the gate has nothing to hear again.
            Step::Again { digits } if digits == "1" && self.readings > 0 => self.read_for_key(policy),
            Step::Again { digits } => {
                self.wrong_keys = self.wrong_keys.saturating_add(u8::from(!digits.is_empty()));
                Outcome::SayGoodbye
            }
        }
    }

    /// One wrong key more than is forgiven closes the gate.
    fn is_closed(&self, policy: &Policy) -> bool {
        self.wrong_keys >= policy.max_wrong_keys.saturating_add(1)
    }

    fn opens(&self, digits: &str) -> bool {
        match self.gate_key {
            Some(key) => digits == key.to_string(),
            None => !digits.is_empty(),
        }
    }

    fn read_for_key(&mut self, policy: &Policy) -> Outcome {
        self.right_keys = self.right_keys.saturating_add(1);
        self.read(policy)
    }

    /// Whether a reading that was begun is now finished.
    fn finish(&mut self) -> bool {
        let is_open = self.finished < self.readings;
        self.finished += u8::from(is_open);
        is_open
    }

    fn read(&mut self, policy: &Policy) -> Outcome {
        if self.readings >= policy.max_replays.saturating_add(1) {
            return Outcome::SayGoodbye;
        }
        self.readings += 1;
        Outcome::SayCode { again: self.readings <= policy.max_replays }
    }
}
