//! An honest person's visit: what they do after each answer. Everything that chance decides
//! comes from the visit's own seed, so it is the same under every model.

use super::chance::Chance;
use super::parameters::World;
use super::people;
use super::visits::{HOUR, Stream, Visit};
use dialback::model::channel::Channel;
use dialback::model::fraud::About;

/// What somebody does next, and after how many milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Asks for a code, or for another.
    Ask(i64),
    /// Offers the right code.
    Verify(i64),
    /// Nothing.
    Leave,
}

/// A person who came.
#[derive(Debug, Clone)]
pub struct Guest {
    pub about: About,
    /// Their own number, where the first that they gave is not.
    right: Option<About>,
    verifies: bool,
    resends: u8,
    retried: bool,
    chance: Chance,
}

impl Guest {
    /// Somebody who comes.
    pub fn new(world: &World, stream: &Stream, visit: &Visit) -> Self {
        let mut chance = Chance::of(&[visit.seed, b'g'.into()]);
        let own = people::about(world, visit);
        let verifies = chance.happens(conversion(world, stream, visit, &own));
        let share = if verifies { world.people.resend_verified } else { world.people.resend_abandoned };
        let resends = u8::from(chance.happens(share)) * (1 + u8::from(chance.happens(share)));
        let is_wrong = chance.happens(world.people.wrong_number);
        let (about, right) = if is_wrong { (people::mistaken(world, visit), Some(own)) } else { (own, None) };
        Self { about, right, verifies, resends, retried: false, chance }
    }

    /// Whether a send certainly never leaves.
    pub fn is_unsent(&mut self, world: &World) -> bool {
        self.chance.happens(world.provider.unsent)
    }

    /// After a message was sent to them.
    pub fn sent(&mut self, world: &World) -> Next {
        let people = &world.people;
        if let Some(right) = self.right.take() {
            self.about = right;
            return Next::Ask(people.correct_delay.draw(&mut self.chance));
        }
        if self.resends > 0 {
            self.resends -= 1;
            return self.again(world);
        }
        match self.verifies {
            true => Next::Verify(people.verify_delay.draw(&mut self.chance)),
            false => Next::Leave,
        }
    }

    /// They ask for another message of the same verification.
    pub fn again(&mut self, world: &World) -> Next {
        self.about.is_resend = true;
        if self.chance.happens(world.people.resend_by_call) {
            self.about.channel = Channel::Call;
        }
        Next::Ask(world.people.resend_delay.draw(&mut self.chance))
    }

    /// After they were refused; `wait` is what they were told, in milliseconds.
    pub fn refused(&mut self, world: &World, wait: Option<i64>) -> Next {
        let people = &world.people;
        let seconds = |seconds: u32| i64::from(seconds) * 1000;
        let wait = wait.unwrap_or_else(|| seconds(people.retry_seconds));
        if self.retried || wait > seconds(people.patience_seconds) || !self.chance.happens(people.retry) {
            return Next::Leave;
        }
        self.retried = true;
        Next::Ask(wait.max(1000))
    }
}

/// How likely it is that they verify.
fn conversion(world: &World, stream: &Stream, visit: &Visit, about: &About) -> f64 {
    let outage = world.outages.iter().find(|outage| {
        let begins = Stream::at(stream.start, outage.day, outage.hour);
        let hours = begins..begins + i64::from(outage.hours) * HOUR;
        hours.contains(&visit.at) && outage.country == about.country && outage.ranges.contains(&about.range)
    });
    outage.map_or(world.countries[visit.country()].conversion, |outage| outage.conversion)
}
