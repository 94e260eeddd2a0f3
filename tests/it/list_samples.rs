//! A record of each sort of entry of the lists, with everything that may be in one.

use dialback::model::audit::Actor;
use dialback::model::channel::Channel;
use dialback::model::lists::{Effect, ListEntry, Target};
use dialback::model::safe_number::SafeNumber;
use dialback::store::records::{Facts, facts_of};
use jiff::Timestamp;

/// All of them.
pub fn all() -> Vec<Facts> {
    let targets = [
        Target::number(&"+14155550079".parse().unwrap()),
        Target::ErasedNumber("0123456789abcdef".repeat(2)),
        Target::Range("+4479*".parse().unwrap()),
        Target::Network("2001:db8::/32".parse().unwrap()),
        Target::country("GB", Some(Channel::Call)).unwrap(),
    ];
    let entries = (1..).zip(targets).map(|(n, target)| facts_of(&entry(n, target)));
    entries.chain([facts_of(&safe_number())]).collect()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + seconds).unwrap()
}

/// With a reason, as the lists make one.
fn safe_number() -> SafeNumber {
    SafeNumber {
        sid: "GN02".into(),
        number: "+14155550078".parse().unwrap(),
        created_at: at(-4000),
        actor: Some(Actor::operator()),
        reason: Some("a partner's".into()),
    }
}

fn entry(n: u8, target: Target) -> ListEntry {
    ListEntry {
        key: format!("{n:032x}"),
        id: format!("LE{n:032x}").parse().unwrap(),
        effect: Effect::ALL[usize::from(n % 2)],
        target,
        service: (n > 1).then(|| format!("VA{n:032x}").parse().unwrap()),
        reason: (n > 1).then(|| "pumping".to_owned()),
        ends_at: (n > 2).then(|| at(86_400)),
        actor: Actor::operator(),
        created_at: at(-60 * i64::from(n)),
    }
}
