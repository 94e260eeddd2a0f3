//! What befalls a request to Twilio and the message or call that it makes: drawn for each
//! from its number, its channel and how often that was asked for, so that it depends on
//! nothing that others do.

use super::chance::Chance;
use super::parameters::World;
use super::people::Person;
use dialback::model::channel::Channel;
use serde_json::{Value, json};

/// A request that makes a message or a call.
pub struct Asked<'a> {
    /// When, in milliseconds of the hour.
    pub at: u64,
    pub person: &'a Person,
    pub channel: Channel,
    /// The how many-th it is to this number by this channel.
    pub nth: u64,
}

/// What befalls it.
#[derive(Debug, Clone, PartialEq)]
pub enum Befalls {
    /// Nobody is there.
    Away,
    /// It is not answered; whether it is done all the same.
    Unanswered { done: Option<Met> },
    /// The sandbox answers it.
    Met(Met),
}

/// What the sandbox is told of the telephone before.
#[derive(Debug, Clone, PartialEq)]
pub struct Met {
    /// How it behaves, as `PUT /sandbox/phones/{number}` takes it.
    pub behaviour: Value,
    /// After how many milliseconds a person may read or hear the code.
    pub after: u64,
}

/// Whether nobody is there in that millisecond of the hour.
pub fn is_away(world: &World, at: u64) -> bool {
    world.away.iter().any(|away| away.span().holds(at))
}

/// What befalls a request.
pub fn befalls(world: &World, seed: u64, asked: &Asked<'_>) -> Befalls {
    let number: u64 = asked.person.number.trim_start_matches('+').parse().unwrap_or(0);
    let mut chance = Chance::of(&[seed, 2, number, asked.channel as u64, asked.nth]);
    let met = met(world, asked, &mut chance);
    let (unanswered, is_done) = (chance.share(), chance.happens(0.5));
    match world.away.iter().find(|away| away.span().holds(asked.at)) {
        None => Befalls::Met(met),
        Some(away) if unanswered < away.unanswered => Befalls::Unanswered { done: is_done.then_some(met) },
        Some(_) => Befalls::Away,
    }
}

fn met(world: &World, asked: &Asked<'_>, chance: &mut Chance) -> Met {
    let (network, person) = (&world.network, asked.person);
    let arrives = network.arrives.draw(chance);
    let (receipt, gives_up) = (network.receipt.draw(chance), network.gives_up.draw(chance));
    let is_twice = chance.happens(network.receipts_repeated);
    let given_up = given_up(world, asked, chance);
    let is_busy = chance.share() < busy(world, asked);
    let mut behaviour = json!({
        "answers": if person.answers_calls { "person" } else { "nobody" },
        "press": ["1"],
        "message": {
            "queue_delay_ms": arrives,
            "receipt_delay_ms": if given_up.is_some() { gives_up } else { receipt },
        },
        "whatsapp": { "account": person.has_whatsapp },
        "callbacks": { "lose": network.receipts_lost, "repeat": u8::from(is_twice) },
    });
    if person.answers_calls {
        behaviour["answer_after_ms"] = person.picks_up.into();
    }
    if let Some(code) = given_up {
        behaviour["message"]["outcome"] = "undelivered".into();
        behaviour["message"]["error_code"] = code.into();
    }
    if is_busy {
        behaviour["api"] = json!({ "status": 429, "times": 1 });
    }
    let after = match asked.channel {
        Channel::Call => person.picks_up + world.people.listens_seconds * 1000,
        Channel::Sms | Channel::Whatsapp => arrives,
    };
    Met { behaviour, after }
}

/// By which code a text is given up, if it is.
fn given_up(world: &World, asked: &Asked<'_>, chance: &mut Chance) -> Option<u32> {
    let (by_carrier, by_filter, which) = (chance.share(), chance.share(), chance.any());
    if asked.channel != Channel::Sms {
        return None;
    }
    let (country, service) =
        (&world.countries[asked.person.country].code, &world.services[asked.person.service].name);
    let filters = world.filtered.iter().filter(|one| one.service == *service && one.span().holds(asked.at));
    if let Some(filter) = filters.into_iter().find(|one| by_filter < one.share) {
        return Some(filter.code);
    }
    let mut carriers =
        world.carriers.iter().filter(|one| one.country == *country && one.span().holds(asked.at));
    let carrier = carriers.find(|one| by_carrier < one.share)?;
    carrier.codes.get((which % carrier.codes.len() as u64) as usize).copied()
}

/// Which share of requests is answered with 429 now.
fn busy(world: &World, asked: &Asked<'_>) -> f64 {
    let service = &world.services[asked.person.service].name;
    let now = world.busy.iter().filter(|one| one.service == *service && one.span().holds(asked.at));
    now.map(|one| one.share).fold(0.0, f64::max)
}
