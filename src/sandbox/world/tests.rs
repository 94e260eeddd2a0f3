//! Everything of the state that grows is bounded, and of each the oldest go first. What
//! is new in the state has to be named here: the compiler, and then the test, asks how
//! one more of it comes.

use super::*;
use crate::sandbox::account::Account;
use crate::sandbox::address::Address;
use crate::sandbox::call::queued;
use crate::sandbox::cookies::{Pair, Setting};
use crate::sandbox::countries::countries;
use crate::sandbox::exchanges::Exchange;
use crate::sandbox::limits::Profile;
use crate::sandbox::line_types::Override;
use crate::sandbox::media::Media;
use crate::sandbox::number::Number;
use crate::sandbox::numbers::{CallerId, Numbers, Validation};
use crate::sandbox::permissions::Dialing;
use crate::sandbox::phone::Text;
use crate::sandbox::recording::RecordingStatus;
use crate::sandbox::resource::{CallOrder, MessageStatus, RecordingRequest, Turn};
use crate::sandbox::service::Options;
use crate::sandbox::sinks::{Sink, Subscription};
use crate::sandbox::templates::Template;
use serde_json::json;
use std::collections::BTreeMap;

/// So many of each in these tests.
const MOST: usize = 8;
const AC: &str = "AC0";

/// What is kept of one kind: its name, how many there may be, and which there are, the
/// oldest first.
type Row = (&'static str, usize, Vec<String>);

fn texts<T: ToString>(all: impl Iterator<Item = T>) -> Vec<String> {
    all.map(|one| one.to_string()).collect()
}

/// Everything of a state that grows.
fn rows(state: &State) -> Vec<Row> {
    let State {
        accounts,
        keys,
        channels,
        applications,
        numbers: Numbers { owned, codes, callers, validations },
        messages,
        calls,
        ledger,
        services,
        permissions,
        safe,
        limits,
        pumping,
        unpaid,
        // A country, or all: there are only so many.
        prices: _,
        lookups,
        album,
        recordings,
        streams: Streams { sinks, subscriptions },
        phones,
        made,
        shown,
        keep,
        opted_out,
        // Of the calls that live now, each of which is a task.
        lines: _,
        behaviour: _,
        templates,
        cookies,
        exchanges,
        alerts,
        inbound: _,
        app: _,
        verify: _,
        closing: _,
    } = state;
    let Keep { messages: texts_kept, phones: phones_kept, exchanges: exchanges_kept, resources, marks } =
        *keep;
    let mut below = texts(accounts.newest_first().filter(|one| !one.is_main()).map(|one| &one.sid));
    below.reverse();
    let mut exchanged = texts(exchanges.newest_first().filter_map(|one| one.sid.as_ref()));
    exchanged.reverse();
    let of_phones = made.0.iter().filter(|(_, number)| phones.contains_key(number));
    let [senders, callers_queued, askers] = limits.queues();
    let [silent, dialing, own] = permissions.different();
    let pair = |(one, other): &(String, String)| format!("{one} {other}");
    vec![
        ("accounts", resources, below),
        ("keys", resources, texts(keys.sids())),
        ("channels", resources, texts(channels.sids())),
        ("applications", resources, texts(applications.sids())),
        ("numbers", resources, texts(owned.shelf().sids())),
        ("short codes", resources, texts(codes.shelf().sids())),
        ("caller ids", resources, texts(callers.shelf().sids())),
        ("validations", resources, texts(validations.sids())),
        ("messages", texts_kept, texts(messages.sids())),
        ("calls", texts_kept, texts(calls.sids())),
        ("days", 2 * marks, ledger.days().map(|(day, account)| format!("{day} {account}")).collect()),
        ("services", resources, texts(services.sids())),
        ("countries without messages", marks, silent),
        ("countries with calls of their own", marks, dialing),
        ("accounts with permissions", marks, own),
        ("safe numbers", marks, texts(safe.shelf().sids())),
        ("queues of senders", marks, senders),
        ("queues of calls", marks, callers_queued),
        ("queues of requests", marks, askers),
        ("prefixes", marks, pumping.prefixes().map(pair).collect()),
        ("unpaid", texts_kept, texts(unpaid.iter().map(|one| &one.sid))),
        ("look-ups", marks, texts(lookups.numbers())),
        ("types of lines", marks, lookups.line_types.numbers().map(pair).collect()),
        ("media", marks, texts(album.sids())),
        ("recordings", texts_kept, texts(recordings.sids())),
        ("sinks", resources.min(100), texts(sinks.sids())),
        ("subscriptions", resources.min(100), texts(subscriptions.sids())),
        ("phones", phones_kept, texts(of_phones.map(|(_, number)| number))),
        ("texts", texts_kept, texts(shown.iter().map(|(_, sid)| sid))),
        ("opt-outs", marks, opted_out.all().map(pair).collect()),
        ("templates", resources, texts(templates.sids())),
        ("cookies", resources, cookies.pairs().map(|pair| format!("{pair:?}")).collect()),
        ("exchanges", exchanges_kept, exchanged),
        ("alerts", resources.min(500), texts(alerts.iter().map(|one| &one.id))),
    ]
}

fn world() -> World {
    let keep = Keep { messages: MOST, phones: MOST, exchanges: MOST, resources: MOST, marks: MOST };
    let settings = Settings { keep, profile: Profile::Paid, ..Settings::new(AC, Secret::new("t")) };
    World::new(settings, Clock::real(), Entropy::seeded(1), reqwest::Client::new(), Weak::new())
}

/// Brings one more of a kind, the `n`th, in the way in which it comes; gives how it is
/// called in [`rows`].
fn bring(world: &World, kind: &str, n: usize) -> String {
    // Far ahead, so that no price is due.
    let now =
        "2100-01-01T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(24 * n as i64);
    let (sid, number, account) = (format!("XX{n}"), format!("+1415555{n:04}"), AC.to_owned());
    let named = sid.clone();
    // In no order by name: the oldest is not the lowest.
    let word = format!("{}{n}", ["m", "a", "z"][n % 3]);
    let url = || reqwest::Url::parse("http://127.0.0.1:9/").unwrap();
    let country = &countries()[(n * 7) % countries().len()];
    world.change(|state| match kind {
        "accounts" => {
            state.accounts.add(Account::new(sid, account, word, Secret::new("s"), now));
            named
        }
        "keys" => {
            let (secret, name) = (Secret::new("s"), word);
            let key = Key { sid: sid.clone(), account, secret, name, created: now, updated: now };
            state.keys.push(sid, key);
            named
        }
        "channels" => {
            state.channels.push(sid, Channel::default());
            named
        }
        "applications" => {
            state.applications.push(sid.clone(), Application::new(sid, account, now));
            named
        }
        "numbers" => {
            state.numbers.owned.push(Number::new(sid, account, number, now));
            named
        }
        "short codes" => {
            state.numbers.add_code(sid, account, format!("{}", 10_000 + n), now);
            named
        }
        "caller ids" => {
            let caller = CallerId { sid, account, number, name: word, created: now, updated: now };
            state.numbers.callers.push(caller);
            named
        }
        "validations" => {
            let (call, code) = (sid.clone(), "1".to_owned());
            let validation =
                Validation { call, account, number, name: word, code, callback: None, verified: None };
            state.numbers.validations.push(sid, validation);
            named
        }
        "messages" | "unpaid" => {
            state.receive(message(sid, number, now));
            named
        }
        "days" => {
            let used = Use::of_message(&message(sid, number, now), &Prices::default()).unwrap();
            state.ledger.book(now, AC, &used);
            format!("{} {AC}", crate::sandbox::usage::day(now))
        }
        "services" => {
            state.services.push(sid.clone(), Service::new(sid, account, Options::default(), now));
            named
        }
        "countries without messages" => {
            state.permissions.set_writing(AC, country, false);
            format!("{AC} {}", country.iso)
        }
        "countries with calls of their own" => {
            state.permissions.set_dialing(AC, country, Dialing { low_risk: false, ..Dialing::default() });
            format!("{AC} {}", country.iso)
        }
        "accounts with permissions" => {
            state.permissions.set_inherits(&word, false);
            word
        }
        "safe numbers" => {
            state.safe.push(Safe { sid, account, number });
            named
        }
        "queues of senders" => {
            state.limits.take(&word, false, 1, now);
            word
        }
        "queues of calls" => {
            state.limits.take_call(&word, now);
            word
        }
        "queues of requests" => {
            state.limits.take_request(&word, now);
            word
        }
        "prefixes" => {
            state.pumping.protection.enabled = true;
            state.pumping.blocks(&word, "+14155550100", now);
            format!("{word} +14155550")
        }
        "look-ups" => {
            state.lookups.set(Some(&word), &json!({ "valid": true })).unwrap();
            word
        }
        "types of lines" => {
            let (original, reason) = ("mobile".to_owned(), String::new());
            let said = Override { original, line_type: "landline", reason, at: now };
            state.lookups.line_types.set(&word, &number, said);
            format!("{word} {number}")
        }
        "media" => {
            let (message, content_type) = (word, "image/png".to_owned());
            state.album.push(Media { sid, account, message, content_type, bytes: "x".into(), created: now });
            named
        }
        "recordings" => {
            let call = word;
            let recording = Recording {
                sid: sid.clone(),
                account,
                call,
                base: String::new(),
                source: "RecordVerb",
                wish: RecordingRequest::default(),
                start: now,
                updated: now,
                status: RecordingStatus::Completed,
                recorded: SignedDuration::ZERO,
                since: None,
                deleted: None,
                turn: Turn::default(),
            };
            state.recordings.push(sid, recording);
            named
        }
        "sinks" => {
            state.streams.sinks.push(sid.clone(), Sink::new(sid, account, word, json!({}), url()));
            named
        }
        "subscriptions" => {
            let (sink, types) = (word.clone(), BTreeMap::new());
            let (own, description) = (sid.clone(), word);
            let subscription =
                Subscription { sid: own, account, description, sink, types, created: now, updated: now };
            state.streams.subscriptions.push(sid, subscription);
            named
        }
        "phones" => {
            state.phone(&word, 0);
            word
        }
        "texts" => {
            state.show(&word, 0, text(sid, now));
            named
        }
        "opt-outs" => {
            state.opted_out.insert((word.clone(), number.clone()));
            format!("{word} {number}")
        }
        "templates" => {
            let template: Template = serde_json::from_value(json!({ "body": "x" })).unwrap();
            state.templates.push(word.clone(), template);
            word
        }
        "cookies" => {
            let pair = Pair::new(word, number);
            let lines = ["a=1".to_owned()];
            let setting = Setting { url: &url(), lines: &lines, date: None, adds_only: false };
            state.cookies.keep(&pair, &setting, now);
            format!("{pair:?}")
        }
        "exchanges" => {
            state.exchanges.push(exchange(sid, now));
            named
        }
        "alerts" => {
            let (code, message, of) = (11200, word, number);
            state.note(Alert { id: sid, account, code, message, sid: of, url: None, at: now });
            named
        }
        "calls" => unreachable!("it needs the world"),
        other => panic!("how does one more of {other} come?"),
    })
}

fn message(sid: String, number: String, now: Timestamp) -> Message {
    let address = |number: String| Address { whatsapp: false, number };
    let ends = (Some(address(number)), address("+15005550006".to_owned()));
    Message::new(sid, AC.to_owned(), ends, String::new(), now).received()
}

fn text(sid: String, at: Timestamp) -> Text {
    let (from, to, body) = (String::new(), String::new(), String::new());
    let (received, opened, status) = (true, false, MessageStatus::Sent);
    Text { sid, from, to, body, media: Vec::new(), received, copy_code: None, opened, status, at }
}

fn exchange(sid: String, at: Timestamp) -> Exchange {
    let [method, url, body, answer, verdict] = [const { String::new() }; 5];
    let (kind, operation, headers) = ("api", None, Vec::new());
    let (sid, status, webhook) = (Some(sid), Some(200), None);
    Exchange {
        id: 0,
        kind,
        sid,
        operation,
        at,
        ms: 0,
        method,
        url,
        headers,
        body,
        status,
        answer,
        verdict,
        webhook,
    }
}

/// One more call, as it is made.
fn call(world: &World) -> String {
    let (to, from) = ("+14155550100".to_owned(), "+15005550006".to_owned());
    let call = queued(world, AC.to_owned(), to, from, "outbound-api", CallOrder::default());
    let sid = call.sid.clone();
    world.change(|state| state.calls.push(sid.clone(), call));
    sid
}

#[test]
fn of_everything_that_is_kept_the_oldest_go_first() {
    let kinds: Vec<&str> = world().with(|state| rows(state)).into_iter().map(|(kind, ..)| kind).collect();
    for kind in kinds {
        let world = world();
        let come: Vec<String> = (0..3 * MOST)
            .map(|n| if kind == "calls" { call(&world) } else { bring(&world, kind, n) })
            .collect();
        let rows = world.with(|state| rows(state));
        let (_, most, kept) = rows.into_iter().find(|(other, ..)| *other == kind).unwrap();
        assert!(most < come.len(), "{kind}: more have to come than are kept");
        assert_eq!(kept, come[come.len() - most..], "{kind}");
    }
}
