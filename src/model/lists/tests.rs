//! The matcher against what its order says in so many words.

use super::*;
use crate::model::audit::Actor;
use crate::model::channel::Channel;
use crate::model::id::{ListEntryId, ServiceId};
use crate::model::phone::PhoneNumber;
use crate::model::pseudonym::Pseudonyms;
use crate::secret::Secret;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use std::cmp::Reverse;
use std::net::IpAddr;

fn names() -> Pseudonyms {
    Pseudonyms::new(&Secret::new("k".repeat(32)))
}

fn entry(effect: Effect, target: Target, service: Option<&ServiceId>, seconds: Option<i64>) -> ListEntry {
    ListEntry {
        key: ListEntry::key(&names(), effect, &target, service),
        id: ListEntryId::from_random([1; 16]),
        effect,
        target,
        service: service.cloned(),
        reason: None,
        ends_at: seconds.map(|seconds| now() + SignedDuration::from_secs(seconds)),
        actor: Actor::operator(),
        created_at: Timestamp::UNIX_EPOCH,
    }
}

fn now() -> Timestamp {
    Timestamp::from_second(1_000_000).unwrap()
}

fn shop() -> ServiceId {
    ServiceId::from_name("shop")
}

fn effect_on(listed: &Listed, channel: Channel) -> Option<Effect> {
    listed.on(channel).map(|said| said.effect)
}

/// What the lists say to a number of the shop's, from an address, by text and by call.
fn said(entries: &[ListEntry], number: &str, address: Option<&str>) -> [Option<Effect>; 2] {
    let number: PhoneNumber = number.parse().unwrap();
    let (person, service) = (number.person(), shop());
    let matcher = Matcher::new(entries, []);
    let listed = matcher.judge(&Asked {
        person: &person,
        service: &service,
        address: address.map(|address| address.parse().unwrap()),
        now: now(),
        region: &|| number.region(),
        name: &|| ListEntry::name_of(&names(), person.as_str()),
    });
    [Channel::Sms, Channel::Call].map(|channel| effect_on(&listed, channel))
}

#[test]
fn the_narrowest_decides_and_a_block_before_an_allowance() {
    const GB: &str = "+447400123456";
    let (block, allow) = (Effect::Block, Effect::Allow);
    let number = || Target::number(&GB.parse().unwrap());
    let range = |text: &str| Target::Range(text.parse().unwrap());
    let network = |text: &str| Target::Network(text.parse().unwrap());
    let gb = |channel| Target::country("GB", channel).unwrap();
    let of = |effect, target| entry(effect, target, None, None);
    let shops = |effect, target| entry(effect, target, Some(&shop()), None);
    let others = |effect, target| entry(effect, target, Some(&ServiceId::from_name("other")), None);
    let ended = |effect, target, seconds| entry(effect, target, None, Some(seconds));
    let at = Some("203.0.113.7");
    for (what, entries, address, sms, call) in [
        ("nothing", vec![], at, None, None),
        (
            "a range before its country",
            vec![of(allow, range("+4474*")), of(block, gb(None))],
            None,
            Some(allow),
            Some(allow),
        ),
        (
            "the longer range",
            vec![of(allow, range("+4474*")), of(block, range("+44740*"))],
            None,
            Some(block),
            Some(block),
        ),
        (
            "a number before its range",
            vec![of(allow, number()), of(block, range("+44740*"))],
            None,
            Some(allow),
            Some(allow),
        ),
        (
            "a block of the same",
            vec![of(allow, number()), of(block, number())],
            None,
            Some(block),
            Some(block),
        ),
        (
            "a channel's country before all channels'",
            vec![of(allow, gb(None)), of(block, gb(Some(Channel::Call)))],
            None,
            Some(allow),
            Some(block),
        ),
        (
            "a service's before all services'",
            vec![shops(allow, range("+4474")), of(block, range("+4474"))],
            None,
            Some(allow),
            Some(allow),
        ),
        ("another service's", vec![others(block, number())], None, None, None),
        (
            "the width before the service",
            vec![shops(allow, range("+4474")), of(block, range("+44740"))],
            None,
            Some(block),
            Some(block),
        ),
        (
            "the narrower network",
            vec![of(block, network("203.0.0.0/16")), of(allow, network("203.0.113.0/24"))],
            at,
            Some(allow),
            Some(allow),
        ),
        ("a network without an address", vec![of(block, network("203.0.0.0/16"))], None, None, None),
        ("a network beside", vec![of(block, network("203.0.112.0/24"))], at, None, None),
        (
            "a blocked network",
            vec![of(block, network("203.0.0.0/16")), of(allow, range("+44740"))],
            at,
            Some(block),
            Some(block),
        ),
        (
            "a blocked range",
            vec![of(allow, network("203.0.0.0/16")), of(block, range("+44740"))],
            at,
            Some(block),
            Some(block),
        ),
        (
            "a blocked channel",
            vec![of(allow, network("203.0.0.0/16")), of(block, gb(Some(Channel::Call)))],
            at,
            Some(allow),
            Some(block),
        ),
        (
            "a number from a blocked network",
            vec![of(block, network("203.0.0.0/16")), of(allow, number())],
            at,
            Some(allow),
            Some(allow),
        ),
        (
            "one that has ended this second",
            vec![ended(block, number(), 0), of(allow, range("+4474"))],
            None,
            Some(allow),
            Some(allow),
        ),
        (
            "one that ends in a second",
            vec![ended(block, number(), 1), of(allow, range("+4474"))],
            None,
            Some(block),
            Some(block),
        ),
        (
            "one that was erased",
            vec![of(block, number()).erased(&names(), GB)],
            None,
            Some(block),
            Some(block),
        ),
    ] {
        assert_eq!(said(&entries, GB, address), [sms, call], "{what}");
    }
}

#[test]
fn every_spelling_of_a_person_is_the_person() {
    let spellings = ["+525512345678", "+5215512345678"];
    for one in spellings {
        let own = [entry(Effect::Block, Target::number(&one.parse().unwrap()), None, None)];
        let ranges = ["+52551*", "+521551*"]
            .map(|range| entry(Effect::Block, Target::Range(range.parse().unwrap()), None, None));
        for other in spellings {
            assert_eq!(said(&own, other, None)[0], Some(Effect::Block), "{one} {other}");
            for range in &ranges {
                let said = said(std::slice::from_ref(range), other, None)[0];
                assert_eq!(said, Some(Effect::Block), "{} {other}", range.target.shown());
            }
        }
    }
}

/// What the order says, by looking at every entry.
fn naive(entries: &[ListEntry], number: &PhoneNumber, address: Option<IpAddr>) -> [Option<Effect>; 3] {
    let person = number.person();
    let region = number.region();
    let live = entries.iter().filter(|entry| !entry.is_over(now()));
    let live: Vec<_> = live.filter(|entry| entry.service.as_ref().is_none_or(|of| *of == shop())).collect();
    let best = |rank: &dyn Fn(&ListEntry) -> Option<usize>| {
        let ranked = live.iter().filter_map(|entry| Some((rank(entry)?, entry)));
        let first =
            ranked.min_by_key(|(rank, entry)| (Reverse(*rank), entry.service.is_none(), entry.effect));
        first.map(|(_, entry)| entry.effect)
    };
    let own = best(&|entry| match &entry.target {
        Target::Number(one) => (one.person() == person).then_some(1),
        Target::ErasedNumber(name) => (*name == ListEntry::name_of(&names(), person.as_str())).then_some(1),
        _ => None,
    });
    if let Some(own) = own {
        return [Some(own); 3];
    }
    let network = best(&|entry| match &entry.target {
        Target::Network(network) if network.has(address?) => {
            network.to_string().split_once('/').and_then(|(_, bits)| bits.parse().ok())
        }
        _ => None,
    });
    Channel::ALL.map(|channel| {
        let of_number = best(&|entry| match &entry.target {
            Target::Range(range) => person
                .spellings()
                .iter()
                .any(|spelling| spelling.starts_with(range.prefix()))
                .then(|| 10 + range.prefix().len()),
            Target::Country { region: of, channel: None } => (Some(of) == region.as_ref()).then_some(1),
            Target::Country { region: of, channel: Some(one) } => {
                (Some(of) == region.as_ref() && *one == channel).then_some(2)
            }
            _ => None,
        });
        network.into_iter().chain(of_number).min()
    })
}

fn some_entry() -> impl Strategy<Value = ListEntry> {
    let target = prop_oneof![
        "\\+447400[0-3]{6}".prop_map(|number| Target::number(&number.parse().unwrap())),
        "\\+5(2|21)55[0-3]{2}".prop_map(|range| Target::Range(range.parse().unwrap())),
        "\\+447[0-4]{0,3}".prop_map(|range| Target::Range(range.parse().unwrap())),
        (8u32..=32, any::<u32>()).prop_map(|(bits, host)| {
            let first = (0xcb00_0000 | host & 0x00ff_00ff) & u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            Target::Network(format!("{}/{bits}", std::net::Ipv4Addr::from(first)).parse().unwrap())
        }),
        ("GB|MX", proptest::option::of(proptest::sample::select(Channel::ALL.to_vec())))
            .prop_map(|(region, channel)| Target::country(&region, channel).unwrap()),
    ];
    let effect = proptest::sample::select(Effect::ALL.to_vec());
    let service = proptest::option::of(proptest::sample::select(vec!["shop", "other"]));
    let ends = proptest::option::of(-2i64..3);
    (target, effect, service, ends, any::<bool>()).prop_map(|(target, effect, service, ends, is_erased)| {
        let made = entry(effect, target, service.map(ServiceId::from_name).as_ref(), ends);
        match &made.target {
            Target::Number(number) if is_erased => made.erased(&names(), number.in_full()),
            _ => made,
        }
    })
}

proptest! {
    #[test]
    fn it_says_what_a_look_at_every_entry_says(
        entries in proptest::collection::vec(some_entry(), 0..40),
        number in prop_oneof!["\\+4474[0-4]{2}[0-3]{6}", "\\+52(1|)55[0-3]{8}"],
        host in proptest::option::of(any::<u32>()),
    ) {
        let number: PhoneNumber = number.parse().unwrap();
        let address = host.map(|host| IpAddr::from(std::net::Ipv4Addr::from(0xcb00_0000 | host & 0x00ff_00ff)));
        let (person, service) = (number.person(), shop());
        let listed = Matcher::new(&entries, []).judge(&Asked {
            person: &person,
            service: &service,
            address,
            now: now(),
            region: &|| number.region(),
            name: &|| ListEntry::name_of(&names(), person.as_str()),
        });
        let effects = Channel::ALL.map(|channel| effect_on(&listed, channel));
        prop_assert_eq!(effects, naive(&entries, &number, address));
    }
}
