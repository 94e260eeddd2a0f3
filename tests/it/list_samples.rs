//! A record of each sort of entry of the lists, with everything that may be in one.

use dialback::model::audit::Actor;
use dialback::model::channel::Channel;
use dialback::model::id::ServiceId;
use dialback::model::lists::{Effect, ListEntry, Target};
use jiff::Timestamp;

/// All of them.
pub fn all() -> Vec<ListEntry> {
    let targets = [
        Target::number(&"+14155550079".parse().unwrap()),
        Target::ErasedNumber("0123456789abcdef".repeat(2)),
        Target::Range("+4479*".parse().unwrap()),
        Target::Network("2001:db8::/32".parse().unwrap()),
        Target::country("GB", Some(Channel::Call)).unwrap(),
    ];
    (1..).zip(targets).map(|(n, target)| entry(n, target)).collect()
}

fn entry(n: u8, target: Target) -> ListEntry {
    let at = |seconds: i64| Timestamp::from_second(1_790_000_000 + seconds).unwrap();
    ListEntry {
        key: format!("{n:032x}"),
        id: format!("LE{n:032x}").parse().unwrap(),
        effect: Effect::ALL[usize::from(n % 2)],
        target,
        service: (n > 1).then(|| ServiceId::from_name("shop")),
        reason: (n > 1).then(|| "pumping".to_owned()),
        ends_at: (n > 2).then(|| at(86_400)),
        actor: Actor::operator(),
        created_at: at(-60 * i64::from(n)),
    }
}
