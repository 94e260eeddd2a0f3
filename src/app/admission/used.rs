//! What is used of the limits of a number, an address, a key or a budget, and forgetting it.
//!
//! It is read as it stands, so what a process has taken ahead of a key's limits counts
//! as used. Forgetting is for operators: it stands in the audit log.

use crate::app::admission::limits::budgets::told_counter;
use crate::app::admission::limits::checks;
use crate::app::admission::limits::counters::{block_counter, named, number_counter};
use crate::app::admission::{Admission, AdmissionError, Limiting, numbers};
use crate::app::audit;
use crate::app::fault::Fault;
use crate::app::transact::{self, Draft, transact};
use crate::model::audit::{Action, Actor};
use crate::model::counter::{Addition, Counter};
use crate::model::id::ServiceId;
use crate::model::limits::{self, Allowance, Dollars, LimitRule, Limits, Subject, Used};
use crate::model::phone::PhoneNumber;
use crate::model::price::dollars;
use crate::model::region;
use crate::store::{CommitError, Kind, records};
use jiff::Timestamp;
use std::net::IpAddr;

/// Whose limits are looked at, or forgotten.
#[derive(Clone, PartialEq, Eq)]
pub enum Whose {
    /// A person's number, and its neighbours' that hold for it.
    Number(PhoneNumber),
    /// An address, and its network.
    Address(IpAddr),
    /// An API key, by its id.
    Key(String),
    /// A country, by its ISO 3166 code: its sends, calls and money.
    Country(String),
    /// A service, by its id.
    Service(String),
    /// All that leaves here.
    Whole,
}

/// Whose limits a text may name, before a number is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named<'t> {
    /// A number in any writing, or nothing that could be read.
    Number(&'t str),
    /// An IPv4 or IPv6 address of a person's device.
    Address(IpAddr),
    /// The id of an API key, or a caller who has none of the store's.
    Key(&'t str),
    /// A country's ISO 3166 code.
    Country(&'t str),
    /// A service's id.
    Service(&'t str),
    /// The word for all that leaves here.
    Whole,
}

/// Whose limits a text names. A number of digits alone is a number, though it may look
/// like the id of a key: `key:` before an id says which.
pub fn named_by(text: &str) -> Named<'_> {
    let text = text.trim();
    let is_id = text.len() == KEY && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    if let Ok(address) = text.parse() {
        return Named::Address(address);
    }
    if let Some(key) = text.strip_prefix("key:") {
        return Named::Key(key);
    }
    match text {
        WHOLE => Named::Whole,
        _ if CALLERS.contains(&text) || (is_id && !is_number) => Named::Key(text),
        _ if region::find(text).is_some() => Named::Country(text),
        _ if text.parse::<ServiceId>().is_ok() => Named::Service(text),
        _ => Named::Number(text),
    }
}

/// Whose limits a text names: a number in any writing, an address, the id of a key or
/// service, a country, or `whole`.
///
/// # Errors
/// A number that is none.
pub fn whose(admission: &Admission, text: &str) -> Result<Whose, AdmissionError> {
    Ok(match named_by(text) {
        Named::Number(text) => Whose::Number(numbers::number_of_form(admission, text)?),
        Named::Address(address) => Whose::Address(address),
        Named::Key(key) => Whose::Key(key.to_owned()),
        Named::Country(country) => Whose::Country(country.to_owned()),
        Named::Service(service) => Whose::Service(service.to_owned()),
        Named::Whole => Whose::Whole,
    })
}

/// Characters of a key's id.
const KEY: usize = 12;
/// The word for all that leaves here.
const WHOLE: &str = "whole";
/// Callers that have no key of the store.
const CALLERS: [&str; 4] = ["operator", "environment", "sandbox", "account"];

/// What is used, rule by rule; nothing of what has room as if nothing had been.
///
/// # Errors
/// The store's.
pub async fn limits_of(admission: &Admission, whose: &Whose) -> Result<Vec<Used>, AdmissionError> {
    let limiting = &admission.limiting;
    let limits = limiting.of(&limits::LimitChanges::default());
    let ids = counters(limiting, whose);
    let found = records::get_many::<Counter>(admission.base.store(), ids.iter().map(|(_, id)| id)).await?;
    let now = admission.base.now();
    let mut used = Vec::new();
    for ((subject, _), found) in ids.iter().zip(found) {
        let Some(found) = found else { continue };
        let hundred = match whose {
            Whose::Number(number) if *subject == Subject::Block1000 => {
                Some(number.person().number().block().1.to_owned())
            }
            _ => None,
        };
        let is_theirs =
            |one: &Used| one.part.is_empty() || hundred.is_none() || hundred.as_deref() == Some(&one.part);
        used.extend(of_counter(&limits, &found.record, now).into_iter().filter(is_theirs));
    }
    Ok(used)
}

/// Forgets what is used of the limits of somebody; false where nothing was.
///
/// # Errors
/// The store's.
pub async fn reset(admission: &Admission, actor: &Actor, whose: &Whose) -> Result<bool, AdmissionError> {
    let ids = counters(&admission.limiting, whose);
    let subject = match whose {
        Whose::Number(number) => number.masked(),
        Whose::Address(_) => "address".to_owned(),
        Whose::Key(name) | Whose::Country(name) | Whose::Service(name) => name.clone(),
        Whose::Whole => WHOLE.to_owned(),
    };
    let entry = audit::entry(&admission.base, actor, Action::LimitsReset, &subject);
    let look = || async {
        // Who reset a budget is told of it anew.
        let told: Vec<String> = ids.iter().map(|(_, id)| told_counter(id)).collect();
        let ids = ids.iter().map(|(_, id)| id).chain(&told);
        let found = records::get_many::<Counter>(admission.base.store(), ids).await?;
        let found: Vec<_> = found.into_iter().flatten().collect();
        if found.is_empty() {
            return Ok::<_, AdmissionError>(Draft::Settled(false));
        }
        let mut changes: Vec<_> = found.iter().map(records::delete).collect();
        changes.push(audit::write(&entry));
        Ok(Draft::Write(changes, true))
    };
    let was_any = transact(&admission.base, &transact::LIMITS, look).await?;
    admission.limiting.seen.forget(ids.iter().map(|(_, id)| id.as_str()));
    admission.limiting.told.forget_all();
    tracing::info!(%subject, was_any, "limits reset by an operator");
    Ok(was_any)
}

/// Forgets every counter that there is, those of rate limits too; false where there was
/// none. For the sandbox: it is no single commit.
///
/// # Errors
/// The store's.
pub async fn forget_limits(admission: &Admission, actor: &Actor) -> Result<bool, AdmissionError> {
    let (store, mut was_any) = (admission.base.whole_store(), false);
    loop {
        let page = store.walk(Kind::Counter, None, PAGE).await?;
        if page.is_empty() {
            break;
        }
        let mut changes = Vec::new();
        for (id, stored) in &page {
            changes.extend(records::of::<Counter>(id, Some(stored))?.as_ref().map(records::delete));
        }
        match admission.base.store().commit(changes).await {
            // Somebody counted meanwhile: it is looked again.
            Ok(()) | Err(CommitError::Conflict) => was_any = true,
            Err(CommitError::Store(error)) => return Err(error.into()),
        }
    }
    admission.limiting.seen.forget_all();
    admission.limiting.told.forget_all();
    if was_any {
        let entry = audit::entry(&admission.base, actor, Action::LimitsReset, "everything");
        admission.base.store().commit(vec![audit::write(&entry)]).await.map_err(Fault::from)?;
    }
    Ok(was_any)
}

/// Counters that are forgotten in one commit.
const PAGE: usize = 32;

/// The counters that hold for somebody alone, or for them and few others.
fn counters(limiting: &Limiting, whose: &Whose) -> Vec<(Subject, String)> {
    let names = &limiting.names;
    match whose {
        Whose::Number(number) => vec![
            (Subject::Number, number_counter(names, number)),
            (Subject::Block1000, block_counter(names, number)),
        ],
        Whose::Address(address) => vec![
            (Subject::Address, named(names, Subject::Address, &limits::address_of(*address))),
            (Subject::Subnet, named(names, Subject::Subnet, &limits::subnet_of(*address))),
        ],
        Whose::Key(key) => vec![(Subject::Key, named(names, Subject::Key, key))],
        Whose::Country(country) => vec![(Subject::Country, named(names, Subject::Country, country))],
        Whose::Service(service) => vec![(Subject::Service, named(names, Subject::Service, service))],
        Whose::Whole => vec![(Subject::Whole, named(names, Subject::Whole, ""))],
    }
}

/// What is used in a counter.
fn of_counter(limits: &Limits, counter: &Counter, now: Timestamp) -> Vec<Used> {
    let amounts = counter.counts.iter().map(|(name, count)| (name, count.weighed(now), count.ends_at()));
    let members = counter.members.iter().map(|(name, met)| (name, met.alive_at(now), met.ends_at()));
    let times = counter.times.iter().map(|(name, times)| (name, times.alive_at(now), times.ends_at()));
    let locks = counter.streaks.iter().map(|(name, streak)| {
        let (max, retry_at) = checks::in_a_row(limits, counter, name, now);
        Used {
            rule: LimitRule::name_of(name).to_owned(),
            part: String::new(),
            used: streak.failures,
            max: Some(max),
            dollars: None,
            seconds: streak.seconds,
            retry_at,
            until: streak.ends_at(),
        }
    });
    let one = |(name, used, until): (&String, u64, Timestamp)| {
        let mut parts = name.splitn(3, ':');
        let rule = limits.rule(parts.next()?)?;
        let seconds: u32 = parts.next()?.parse().ok()?;
        let part = parts.next().unwrap_or_default().to_owned();
        let window = rule.windows.iter().find(|window| window.seconds == seconds);
        (used > 0).then(|| Used {
            retry_at: window.and_then(|window| retry_at(rule, *window, &part, counter, now)),
            rule: rule.name.to_owned(),
            part,
            used,
            max: window.map(|window| rule.most(window)),
            dollars: (rule.counted == limits::Counted::Money).then(|| Dollars {
                used: dollars(used),
                max: window.map(|window| dollars(rule.most(window))),
            }),
            seconds,
            until,
        })
    };
    amounts.chain(members).chain(times).filter_map(one).chain(locks).collect()
}

/// When a window has room for one more, if it has none.
fn retry_at(
    rule: &LimitRule,
    window: Allowance,
    part: &str,
    counter: &Counter,
    now: Timestamp,
) -> Option<Timestamp> {
    let addition = Addition::Room { of: rule.word(part) };
    let alone = LimitRule { windows: vec![window], ..rule.clone() };
    counter.add(now, &[addition], &alone.refusing(part)).err()?.passes_at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_names_whose_limits_are_meant() {
        let service = "VA0123456789abcdef0123456789abcdef";
        for (text, named) in [
            ("+14155550123", Named::Number("+14155550123")),
            ("491511234567", Named::Number("491511234567")),
            ("key:491511234567", Named::Key("491511234567")),
            ("0123456789ab", Named::Key("0123456789ab")),
            (" operator ", Named::Key("operator")),
            ("192.0.2.1", Named::Address("192.0.2.1".parse().unwrap())),
            ("DE", Named::Country("DE")),
            ("XX", Named::Number("XX")),
            (service, Named::Service(service)),
            ("whole", Named::Whole),
            ("", Named::Number("")),
        ] {
            assert_eq!(named_by(text), named, "{text:?}");
        }
    }
}
