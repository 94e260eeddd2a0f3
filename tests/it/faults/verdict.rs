//! What must hold when the faults are over: all that was acknowledged is
//! stored, all that was promised was sent or is explained, nothing was done
//! twice without cause, and nothing is half there.

use super::clients::{World, is_settled};
use super::cluster::{Cluster, eventually};
use super::ledger::Known;
use crate::wire::code_in;
use dialback::model::delivery::Delivery;
use dialback::model::verification::{SendState, Status, Verification};
use dialback::store::records::{self, Versioned};
use dialback::store::{Kind, Maintenance};
use futures_util::StreamExt;
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Requests of the verdict at a time.
const ABREAST: usize = 8;
/// Checks and sends that the servers allow.
const MAX_CHECKS: u32 = 5;
const MAX_SENDS: u32 = 5;

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Messages that reached the sandbox.
    pub messages: u64,
    /// Messages beyond the first of a send, each of which was in doubt.
    pub repeated: u64,
    /// Sends that were not made, with a reason that stands in the record.
    pub explained: u64,
    /// Codes that were accepted, each once.
    pub approved: u64,
    /// Verifications that ended before anybody could offer their code.
    pub expired: u64,
    /// Statuses of foreign messages, and of our own.
    pub callbacks: u64,
    pub told: u64,
}

impl Found {
    pub fn add(&mut self, other: &Self) {
        self.messages += other.messages;
        self.repeated += other.repeated;
        self.explained += other.explained;
        self.approved += other.approved;
        self.expired += other.expired;
    }
}

/// What a run may do that others may not.
#[derive(Debug, Clone, Copy, Default)]
pub struct Grace {
    /// Clocks jumped: verifications may have expired before their time.
    pub may_expire: bool,
}

/// Waits until no message is under way, and judges all that is known.
pub async fn judge(cluster: &Cluster, world: &World, grace: Grace) -> Found {
    let messages = settle(cluster, world).await;
    let known: Vec<(String, Known)> =
        world.ledger.book().started.iter().map(|(id, known)| (id.clone(), known.clone())).collect();
    let numbers: BTreeSet<&str> = known.iter().map(|(_, known)| known.number.as_str()).collect();
    for number in messages.keys() {
        assert!(numbers.contains(number.as_str()), "a message to {number}, who asked for none");
    }
    let none = Vec::new();
    let judged = known.iter().map(|(id, known)| {
        let messages = messages.get(&known.number).unwrap_or(&none);
        let case = Case { cluster, world, id, known, messages, grace };
        async move { case.judge().await }
    });
    let mut found = Found::default();
    let mut judged = futures_util::stream::iter(judged).buffer_unordered(ABREAST);
    while let Some(one) = judged.next().await {
        found.add(&one);
    }
    drop(judged);
    found.callbacks = foreign(world).await;
    found.told = told(world).await;
    found
}

/// Waits until every send is made or given up; gives the messages that there
/// are, by number.
pub async fn settle(cluster: &Cluster, world: &World) -> BTreeMap<String, Vec<Value>> {
    let mut waiting: Vec<String> = {
        let book = world.ledger.book();
        book.started.iter().filter(|(_, known)| !known.is_judged).map(|(id, _)| id.clone()).collect()
    };
    while let Some(id) = waiting.pop() {
        let last = Mutex::default();
        let is_done = eventually(|| async {
            let answer = world.faces.get(&format!("/v1/verifications/{id}")).await;
            assert_eq!(answer.status, 200, "{id} was acknowledged and is gone: {}", answer.text);
            let view = answer.json();
            let is_settled = is_settled(&view);
            *last.lock().unwrap() = view;
            is_settled
        });
        assert!(
            is_done.await,
            "a send of {id} stays undone: {}\n{}\nthe log's end:\n{}",
            last.lock().unwrap(),
            cluster.about(&id),
            cluster.latest()
        );
    }
    // The callbacks of the last messages.
    tokio::time::sleep(Duration::from_millis(300)).await;
    world.ledger.hear(cluster.told().await);
    let mut messages: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for message in world.faces.messages(None).await {
        messages.entry(message["to"].as_str().unwrap().to_owned()).or_default().push(message);
    }
    messages
}

/// A verification before its judge.
struct Case<'a> {
    cluster: &'a Cluster,
    world: &'a World,
    id: &'a str,
    known: &'a Known,
    /// What the sandbox was asked to send to its number.
    messages: &'a [Value],
    grace: Grace,
}

impl Case<'_> {
    async fn view(&self) -> Value {
        let answer = self.world.faces.get(&format!("/v1/verifications/{}", self.id)).await;
        assert_eq!(answer.status, 200, "{} was acknowledged and is gone: {}", self.id, answer.text);
        answer.json()
    }

    async fn judge(&self) -> Found {
        let view = self.view().await;
        assert_eq!(view["to"], *self.known.number, "{view}");
        if self.known.is_judged {
            // Judged before, and still there: nothing more happens to it.
            assert!(self.known.right == 0 || view["status"] == "approved", "an approval is gone: {view}");
            return Found::default();
        }
        let mut found = self.sends(&view);
        self.checks(&view);
        self.only_one().await;
        let code = self.messages.first().map(|message| code_in(message["body"].as_str().unwrap()));
        if view["status"] == "pending"
            && let Some(code) = &code
        {
            join_all([true, true].map(|is_right| self.world.check(self.id, code, is_right))).await;
        }
        let now = self.view().await;
        let known = self.world.ledger.book().started[self.id].clone();
        assert!(known.right <= 1, "accepted {} times: {now}", known.right);
        match now["status"].as_str().unwrap() {
            "approved" => {
                assert!(known.right + known.right_in_doubt >= 1, "approved by nobody: {now}");
                found.approved += 1;
            }
            status => {
                let lost = known.right > 0;
                assert!(!lost, "an approval is gone: {now}\n{}", self.about());
                // Nobody can offer a code that was never sent; the record says
                // why it was not.
                let is_without = status == "pending" && self.messages.is_empty() && found.explained > 0;
                let may = is_without || status == "expired" && self.grace.may_expire;
                assert!(may, "neither approved nor explained: {now}\n{}", self.about());
                found.expired += u64::from(!is_without);
            }
        }
        self.world.ledger.note(self.id, |known| known.is_judged = true);
        found
    }

    /// Each promised message was sent once, or says why not.
    fn sends(&self, view: &Value) -> Found {
        let deliveries = view["deliveries"].as_array().unwrap();
        let count = u32::try_from(deliveries.len()).unwrap();
        let least = 1 + self.known.sends;
        let may = least..=(least + self.known.sends_in_doubt).min(MAX_SENDS);
        assert!(may.contains(&count), "{may:?} sends were asked for, {count} are there: {view}");
        let made: BTreeSet<&str> = self.messages.iter().map(|one| one["sid"].as_str().unwrap()).collect();
        let mut settled = BTreeSet::new();
        let mut found = Found { messages: made.len() as u64, ..Found::default() };
        for sent in deliveries {
            let Some(sid) = sent["sid"].as_str() else {
                let why = (sent["status"].as_str().unwrap(), sent["error"]["name"].as_str());
                let is_explained = match why {
                    ("failed", Some(_)) => true,
                    // What had ended was not sent any more.
                    ("canceled", Some(_)) => view["status"] != "pending",
                    _ => false,
                };
                assert!(is_explained, "not sent, and nobody says why: {view}\n{}", self.about());
                found.explained += 1;
                continue;
            };
            assert!(made.contains(sid), "{sid} was never sent: {view}\n{}", self.about());
            assert!(settled.insert(sid), "two sends are one message: {view}\n{}", self.about());
        }
        for message in self.messages {
            if !settled.contains(message["sid"].as_str().unwrap()) {
                assert!(
                    self.has_cause(message),
                    "repeated without cause: {message} {view}\n{}",
                    self.about()
                );
                found.repeated += 1;
            }
        }
        found
    }

    /// Whether somebody had looked for a send before this message of it came to
    /// be known, and found nothing: only then may it be one too many.
    fn has_cause(&self, message: &Value) -> bool {
        let made = message["date_created"].as_str().unwrap();
        let made = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(made).unwrap();
        let log = self.about();
        let mut looks = log.lines().filter(|line| line.contains("the other side lists no such send"));
        looks.any(|line| {
            let at: Timestamp = line.split(' ').next().unwrap().parse().unwrap();
            // Twilio's times have whole seconds. A clock that jumps proves nothing.
            self.grace.may_expire || at <= made + SignedDuration::from_secs(1)
        })
    }

    fn checks(&self, view: &Value) {
        let known = self.known;
        assert!(known.right <= 1, "accepted {} times: {view}", known.right);
        assert!(known.right == 0 || view["status"] == "approved", "an approval is gone: {view}");
        if view["status"] == "pending" {
            let left = u32::try_from(view["checks_left"].as_u64().unwrap()).unwrap();
            let most = MAX_CHECKS - known.wrong;
            let may = most.saturating_sub(known.wrong_in_doubt)..=most;
            assert!(may.contains(&left), "{may:?} checks may be left: {view}");
        }
    }

    /// One request, however often it was repeated, is one verification.
    async fn only_one(&self) {
        let number = self.known.number.trim_start_matches('+');
        let list = self.world.faces.get(&format!("/v1/verifications?to=%2B{number}")).await.json();
        let ids: Vec<&str> =
            list["verifications"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
        assert_eq!(ids, [self.id], "one was asked for");
    }

    fn about(&self) -> String {
        self.cluster.about(self.id)
    }
}

/// Every status of a foreign message that was acknowledged is there.
async fn foreign(world: &World) -> u64 {
    let callbacks: Vec<(String, BTreeSet<String>)> = {
        let book = world.ledger.book();
        let owned = |set: &BTreeSet<&str>| set.iter().map(|status| (*status).to_owned()).collect();
        book.callbacks.iter().map(|(sid, statuses)| (sid.clone(), owned(statuses))).collect()
    };
    reported(world, callbacks).await
}

/// So is every status of our own messages that the sandbox was thanked for.
async fn told(world: &World) -> u64 {
    let told = world.ledger.book().told.clone();
    reported(world, told.into_iter().collect()).await
}

async fn reported(world: &World, all: Vec<(String, BTreeSet<String>)>) -> u64 {
    let looks = all.iter().map(async |(sid, statuses)| {
        let answer = world.faces.get(&format!("/v1/deliveries/{sid}")).await;
        assert_eq!(answer.status, 200, "{sid} with {statuses:?} is gone: {}", answer.text);
        let delivery = answer.json();
        let events = delivery["events"].as_array().unwrap();
        for status in statuses {
            assert!(events.iter().any(|event| event["status"] == **status), "{status} is gone: {delivery}");
        }
        statuses.len() as u64
    });
    let looks: Vec<u64> = futures_util::stream::iter(looks).buffer_unordered(ABREAST).collect().await;
    looks.iter().sum()
}

/// Reads the whole store, which nobody uses any more, and finds nothing half.
pub async fn dissect(store: Arc<dyn Maintenance>, world: &World) {
    let report = store.check().await.unwrap();
    assert_eq!(report.damage, Vec::<String>::new());
    let started: BTreeSet<String> = world.ledger.book().started.keys().cloned().collect();
    let mut seen = BTreeSet::new();
    for id in ids(&*store, Kind::Verification).await {
        let found: Versioned<Verification> = records::get(&*store, &id).await.unwrap().unwrap();
        whole(&*store, &found.record).await;
        seen.insert(id);
    }
    assert_eq!(seen, started, "the store has what was asked for, and nothing else");
    for sid in ids(&*store, Kind::Delivery).await {
        let found: Versioned<Delivery> = records::get(&*store, &sid).await.unwrap().unwrap();
        let Some(id) = &found.record.id else { continue };
        let (verification, number) = id.of_verification().expect("nothing else is sent");
        let owner: Option<Versioned<Verification>> =
            records::get(&*store, verification.as_str()).await.unwrap();
        let owner = owner.unwrap_or_else(|| panic!("{sid} belongs to {verification}, which is not there"));
        let send = owner.record.send(number);
        assert!(send.is_some(), "{sid} is send {number} of {verification}, which has none");
    }
    store.close().await;
}

/// A verification that says the same in all its parts.
async fn whole(store: &dyn Maintenance, one: &Verification) {
    assert_eq!(one.outbox, [], "something stays to be done: {one:?}");
    assert!(one.checks <= MAX_CHECKS && one.sends.len() as u32 <= MAX_SENDS, "{one:?}");
    assert!(one.status != Status::Approved || one.checks > 0, "approved without a check: {one:?}");
    assert_eq!(one.ended_at.is_some(), one.status != Status::Pending, "{one:?}");
    for send in &one.sends {
        match (&send.state, &send.sid) {
            (SendState::Accepted, Some(sid)) => {
                let found: Option<Versioned<Delivery>> = records::get(store, sid.as_str()).await.unwrap();
                let delivery = found.unwrap_or_else(|| panic!("{sid} has no delivery: {one:?}")).record;
                let name = delivery.id.as_ref().map(ToString::to_string);
                assert!(name.is_some(), "{sid} does not know its verification: {one:?}");
            }
            (SendState::Failed { .. } | SendState::Dropped, None) => {}
            _ => panic!("a send that is neither made nor given up: {one:?}"),
        }
    }
}

async fn ids(store: &dyn Maintenance, kind: Kind) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    loop {
        let page = store.walk(kind, ids.last().map(String::as_str), 500).await.unwrap();
        if page.is_empty() {
            return ids;
        }
        ids.extend(page.into_iter().map(|(id, _)| id));
    }
}

/// The line of a run.
pub struct Line<'a> {
    pub what: &'a str,
    pub world: &'a World,
    pub found: &'a Found,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.world.ledger.book().counts.clone();
        let found = self.found;
        write!(
            out,
            "faults: {}: {} starts ({} asked for again), {} further sends, {} checks, {} callbacks, \
             {} requests in doubt; 0 lost: {} messages, {} repeated{}, {} not sent with a reason, \
             {} approved once{}, {} callbacks and {} of our own stored",
            self.what,
            counts.starts,
            counts.repeated_starts,
            counts.sends,
            counts.checks,
            counts.callbacks,
            counts.doubts,
            found.messages,
            found.repeated,
            if found.repeated > 0 { " (each in doubt)" } else { "" },
            found.explained,
            found.approved,
            if found.expired > 0 { format!(", {} expired by a clock", found.expired) } else { String::new() },
            found.callbacks,
            found.told,
        )
    }
}
