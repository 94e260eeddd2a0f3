//! How often a request asks the store: with a database behind a network each time is a
//! round trip, and what is asked for at the same time is one.

use crate::support::eventually;
use crate::wire::{Answer, answer, form, with_json};
use crate::world::{ACCOUNT_SID, API_KEY, OPERATOR_KEY, START, World};
use async_trait::async_trait;
use dialback::app::verification::{self, StartRequest};
use dialback::app::{admin, admission, messaging, privacy};
use dialback::model::audit::Actor;
use dialback::model::channel::Channel;
use dialback::model::compat::{Compat, RateLimit};
use dialback::model::counter::Counter;
use dialback::model::dispatch::Dispatch;
use dialback::model::id::{EndpointId, EventId};
use dialback::model::key::Scope;
use dialback::store::memory::Memory;
use dialback::store::{
    Absent, Arrivals, CheckReport, Commit, CommitHook, CountedError, Depth, Due, Entry, Key, Kind, Lane,
    Listed, Maintenance, Mark, Scan, Stats, Store, StoreError, Stored, records,
};
use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
use tokio::sync::Notify;

/// More than a page.
const MANY: usize = 120;

/// A store that counts how often it was asked one time after another.
pub struct Counted {
    inner: Arc<dyn Maintenance>,
    trips: Arc<Trips>,
}

/// What was asked.
#[derive(Default)]
pub struct Trips {
    under_way: AtomicUsize,
    asked: Mutex<Vec<Vec<&'static str>>>,
}

impl Trips {
    /// Asks for something; what is asked for meanwhile is of the same trip.
    async fn make<T>(&self, what: &'static str, asked: impl Future<Output = T>) -> T {
        if self.under_way.fetch_add(1, Ordering::SeqCst) == 0 {
            self.asked.lock().unwrap().push(Vec::new());
        }
        self.asked.lock().unwrap().last_mut().unwrap().push(what);
        // Whoever asks at the same time does so before this is answered.
        tokio::task::yield_now().await;
        let answer = asked.await;
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        answer
    }

    fn take(&self) -> Vec<Vec<&'static str>> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

#[async_trait]
impl Store for Counted {
    async fn read(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        self.trips.make("read", self.inner.read(key)).await
    }

    async fn read_many(&self, keys: &[Key]) -> Result<Vec<Option<Stored>>, StoreError> {
        self.trips.make("read_many", self.inner.read_many(keys)).await
    }

    async fn scan(&self, scan: &Scan) -> Result<Vec<Entry>, StoreError> {
        self.trips.make("scan", self.inner.scan(scan)).await
    }

    async fn list(&self, scans: &[Scan]) -> Result<Vec<Vec<Listed>>, StoreError> {
        self.trips.make("list", self.inner.list(scans)).await
    }

    async fn commit_counted(&self, commit: Commit) -> Result<(), CountedError> {
        self.trips.make("commit", self.inner.commit_counted(commit)).await
    }

    async fn due_after(
        &self,
        lane: Lane,
        after: Option<&(Key, Timestamp)>,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Key, Timestamp)>, StoreError> {
        self.inner.due_after(lane, after, until, limit).await
    }

    async fn depths(&self, until: Timestamp) -> Result<Vec<Depth>, StoreError> {
        self.trips.make("depths", self.inner.depths(until)).await
    }

    async fn arrivals(
        &self,
        mark: Option<&Mark>,
        since: Timestamp,
        limit: usize,
    ) -> Result<Option<Arrivals>, StoreError> {
        self.trips.make("arrivals", self.inner.arrivals(mark, since, limit)).await
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.inner.probe().await
    }

    fn watch(&self, hook: Weak<dyn CommitHook>) {
        self.inner.watch(hook);
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

#[async_trait]
impl Maintenance for Counted {
    async fn walk(
        &self,
        kind: Kind,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Stored)>, StoreError> {
        self.trips.make("walk", self.inner.walk(kind, after, limit)).await
    }

    async fn absent(&self, due: &[(Key, Due)], entries: &[Entry]) -> Result<Absent, StoreError> {
        self.inner.absent(due, entries).await
    }

    async fn check(&self) -> Result<CheckReport, StoreError> {
        self.inner.check().await
    }

    async fn stats(&self) -> Result<Stats, StoreError> {
        self.inner.stats().await
    }
}

/// What there is for a listing to list.
struct Full {
    store: Arc<dyn Maintenance>,
    /// Verifications under way, each with its number and its code.
    begun: Vec<(String, String, String)>,
    endpoint: EndpointId,
    /// A key of all services, as the store has it.
    key: String,
    /// One of the default service alone.
    bound: String,
}

/// Brazil's numbers have two spellings, and WhatsApp's addresses have more.
fn number(n: usize) -> String {
    match n % 2 {
        0 => format!("+1415555{n:04}"),
        _ => format!("+55119{:08}", 76_540_000 + n),
    }
}

async fn full() -> Full {
    let store: Arc<dyn Maintenance> = Arc::new(Memory::new());
    let world = World::over_with(store.clone(), |settings| settings.limits = crate::world::unlimited()).await;
    let (app, who) = (&world.app, Actor::caller("a test"));
    let mut begun = Vec::new();
    for n in 0..MANY {
        let request = StartRequest { channel: Some(Channel::Sms), ..StartRequest::to(number(n)) };
        let id = verification::start(&app.verifying, request, None).await.unwrap().view.verification.id;
        begun.push((id.to_string(), number(n), String::new()));
    }
    for n in 1..=MANY {
        let (order, _) = world.post.nth(n).await;
        let own = begun.iter_mut().find(|one| one.1 == order.to.in_full()).unwrap();
        own.2 = order.code().unwrap().expose().to_owned();
    }
    // One person with more than a page of them, of a number that has two spellings.
    for _ in 0..MANY {
        let to = "+5511987654321";
        verification::start(&app.verifying, StartRequest::to(to), None).await.unwrap();
    }
    world.post.nth(2 * MANY).await;
    for n in 0..MANY {
        admission::set_opt_out(&app.admission, &who, &format!("+1212555{n:04}"), None, true).await.unwrap();
        admin::create_service(&app.directory, &who, Default::default()).await.unwrap();
    }
    let (_, key) = admin::create_key(&app.directory, &who, "all", BTreeSet::from(Scope::ALL)).await.unwrap();
    let default = app.directory.services.default_service().id.clone();
    let one = dialback::model::key::Access {
        scopes: Scope::ALL.into(),
        services: dialback::model::key::ServiceSet::of([default].into()),
    };
    let (_, bound) = admin::create_key(&app.directory, &who, "one", one).await.unwrap();
    for _ in 0..MANY {
        admin::create_key(&app.directory, &who, "another", BTreeSet::from(Scope::ALL)).await.unwrap();
    }
    let now: Timestamp = START.parse().unwrap();
    let made = ask(
        Method::POST,
        &world,
        "/v1/endpoints",
        OPERATOR_KEY,
        Some(&json!({ "url": "https://hooks.example/" })),
    );
    let endpoint: EndpointId = answer(made).await.json()["id"].as_str().unwrap().parse().unwrap();
    for n in 0..MANY {
        let dispatch = Dispatch::new(
            EventId::new(now, n as u128),
            endpoint.clone(),
            now,
            now + SignedDuration::from_hours(9),
        );
        records::save(&*store, None, &dispatch).await.unwrap();
    }
    // Until the last send has its name.
    loop {
        let sends = Scan { limit: 1, ..scan_of_sends() };
        if store.scan(&sends).await.unwrap().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Full { store, begun, endpoint, key: key.expose().to_owned(), bound: bound.expose().to_owned() }
}

fn scan_of_sends() -> Scan {
    let (index, scope) = (dialback::store::Index::Sends, String::new());
    Scan { index, scope, since: None, until: None, after: None, limit: 1 }
}

fn ask(method: Method, world: &World, path: &str, key: &str, body: Option<&Value>) -> RequestBuilder {
    let request =
        Client::builder().no_proxy().build().unwrap().request(method, format!("{}{path}", world.base_url));
    let request = if path.starts_with("/v2") {
        request.basic_auth(ACCOUNT_SID, Some(key))
    } else {
        request.bearer_auth(key)
    };
    match body {
        None => request,
        Some(body) if path.starts_with("/v2") => {
            let pairs: Vec<(&str, &str)> = body
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
                .collect();
            request.header("content-type", "application/x-www-form-urlencoded").body(form(&pairs))
        }
        Some(body) => with_json(request, body),
    }
}

/// A server over a store of which every trip is counted.
struct Measured {
    world: World,
    trips: Arc<Trips>,
}

impl Measured {
    async fn over(store: &Arc<dyn Maintenance>) -> Self {
        let trips = Arc::<Trips>::default();
        let world = World::idle(Arc::new(Counted { inner: store.clone(), trips: trips.clone() })).await;
        Self { world, trips }
    }

    /// An answer, and how often the store was asked for it.
    async fn trips(&self, request: RequestBuilder) -> (Answer, Vec<Vec<&'static str>>) {
        self.trips.take();
        let answer = answer(request).await;
        (answer, self.trips.take())
    }
}

#[tokio::test]
async fn a_page_of_a_hundred_asks_three_times_at_most() {
    let full = full().await;
    let measured = Measured::over(&full.store).await;
    let dispatches = format!("/v1/endpoints/{}/dispatches?limit=100", full.endpoint);
    // What is listed, and how many there are on the page.
    let table = [
        ("/v1/verifications?limit=100", "verifications", 100),
        ("/v1/verifications?limit=20", "verifications", 20),
        ("/v1/verifications?limit=100&to=%2B5511987654321", "verifications", 100),
        ("/v1/verifications?limit=100&status=pending", "verifications", 100),
        ("/v1/verifications?limit=100&status=approved", "verifications", 0),
        ("/v1/deliveries?limit=100", "deliveries", 100),
        ("/v1/deliveries?limit=100&to=%2B5511987654321", "deliveries", 100),
        ("/v1/deliveries?limit=100&channel=sms", "deliveries", 100),
        ("/v1/events?limit=100", "events", 100),
        ("/v1/events?limit=100&type=verification.started", "events", 100),
        ("/v1/services?limit=100", "services", 100),
        ("/v1/opt-outs?limit=100", "opt_outs", 100),
        ("/v1/opt-outs/%2B12125550001", "", 0),
        ("/v1/keys?limit=100", "keys", 100),
        ("/v1/audit?limit=100", "entries", 100),
        (&dispatches, "dispatches", 100),
        ("/v1/endpoints", "endpoints", 1),
        ("/v2/Services?PageSize=100", "services", 100),
        ("/v2/Attempts?PageSize=100", "attempts", 100),
        ("/v2/Attempts?PageSize=100&ChannelData.To=%2B5511987654321", "attempts", 100),
        ("/v2/Attempts?PageSize=20&Country=BR", "attempts", 20),
        ("/v2/Attempts/Summary", "", 0),
    ];
    let mut wrong = Vec::new();
    for (path, list, expected) in table {
        // The operator's key stands in no store; the other ones do.
        for key in [OPERATOR_KEY, &full.key, &full.bound] {
            let (page, trips) = measured.trips(ask(Method::GET, &measured.world, path, key, None)).await;
            // What is no service's is not for a key of one.
            if key == full.bound && page.status == 403 {
                continue;
            }
            assert_eq!(page.status, 200, "{path}: {}", page.text);
            // Of the services such a key sees its own.
            let sees_fewer = path.to_lowercase().contains("/services") && key == full.bound;
            if !list.is_empty() && !sees_fewer {
                assert_eq!(
                    page.json()[list].as_array().map(Vec::len),
                    Some(expected),
                    "{path}: {}",
                    page.text
                );
            }
            // No index has the type of an event or the country of a number: what a page passes
            // over is gone through in steps that double.
            let is_walked = ["type=", "Country="].iter().any(|filter| path.contains(filter));
            let most = if is_walked { 5 } else { 3 };
            if trips.len() > most {
                wrong.push(format!("{path}: {trips:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn a_start_and_a_check_ask_twice_and_verifys_check_three_times() {
    let full = full().await;
    let measured = Measured::over(&full.store).await;
    let service = measured.world.app.directory.services.default_service().id.clone();
    let (start, verify_check) =
        ("/v1/verifications".to_owned(), format!("/v2/Services/{service}/VerificationCheck"));
    let check = |n: usize| format!("/v1/verifications/{}/check", full.begun[n].0);
    let view = |n: usize| format!("/v1/verifications/{}", full.begun[n].0);
    let right = |n: usize| json!({ "code": full.begun[n].2 });
    let named = |n: usize| json!({ "To": full.begun[n].1, "Code": full.begun[n].2 });
    let wrong = if full.begun[2].2 == "000000" { "000001" } else { "000000" };
    // Both servers draw from the same seed, and the second must not draw the same ids.
    for _ in 0..100 {
        let _: [u8; 4096] = measured.world.app.base.entropy.bytes();
    }
    // Until a code may be sent again.
    measured.world.clock.advance(Duration::from_secs(60));
    // Verify finds by number what was asked for by number.
    for (_, number, _) in &full.begun[10..14] {
        verification_pointer(&full, &service, number).await;
    }
    let post = Method::POST;
    let table = [
        ("a start", &post, start.clone(), Some(json!({ "to": "+14155559001" })), 201, 2),
        (
            "a start by text",
            &post,
            start.clone(),
            Some(json!({ "to": "+14155559002", "channel": "sms" })),
            201,
            2,
        ),
        ("a start in Brazil", &post, start.clone(), Some(json!({ "to": "+5511998765432" })), 201, 2),
        ("a right code", &post, check(0), Some(right(0)), 200, 2),
        ("a wrong code", &post, check(2), Some(json!({ "code": wrong })), 200, 2),
        ("what cannot be one", &post, check(3), Some(json!({ "code": "1" })), 422, 1),
        ("a code after the end", &post, check(0), Some(right(0)), 409, 2),
        ("a view", &Method::GET, view(4), None, 200, 2),
        ("sent again", &post, format!("{}/resend", view(5)), Some(json!({ "channel": "call" })), 200, 3),
        ("called off", &Method::DELETE, view(6), None, 200, 2),
        ("Verify's right code", &post, verify_check.clone(), Some(named(10)), 201, 3),
        (
            "Verify's wrong code",
            &post,
            verify_check.clone(),
            Some(json!({ "To": full.begun[11].1, "Code": wrong })),
            201,
            3,
        ),
    ];
    let mut over = Vec::new();
    // Once with the environment's key, which stands in no store, and once with one that
    // does, which is read first: what it may do is known to nobody before.
    for (what, method, path, body, status, most) in &table {
        let request = ask((*method).clone(), &measured.world, path, API_KEY, body.as_ref());
        let (done, trips) = measured.trips(request).await;
        assert_eq!(done.status, *status, "{what}: {}", done.text);
        if trips.len() > *most {
            over.push(format!("{what}: {trips:?}"));
        }
    }
    let stored =
        ask(post.clone(), &measured.world, &start, &full.bound, Some(&json!({ "to": "+14155559003" })));
    let (done, trips) = measured.trips(stored).await;
    assert_eq!((done.status, trips.len()), (201, 3), "{}: {trips:?}", done.text);
    let stored = ask(post, &measured.world, &check(7), &full.bound, Some(&right(7)));
    let (done, trips) = measured.trips(stored).await;
    assert_eq!((done.status, trips.len()), (200, 3), "{}: {trips:?}", done.text);
    let repeated =
        ask(Method::POST, &measured.world, &start, API_KEY, Some(&json!({ "to": "+14155559004" })));
    let (done, trips) = measured.trips(repeated.header("idempotency-key", "once")).await;
    assert_eq!((done.status, trips.len()), (201, 2), "{}: {trips:?}", done.text);
    assert!(over.is_empty(), "{over:#?}");
}

/// A person of two spellings, whom the service writes to on WhatsApp if they wrote before.
#[tokio::test]
async fn a_send_asks_at_once_for_all_that_it_goes_by() {
    let trips = Arc::<Trips>::default();
    let store = Arc::new(Counted { inner: Arc::new(Memory::new()), trips: trips.clone() });
    let world = World::idle_with(store, |settings| {
        settings.channels = vec![Channel::Whatsapp, Channel::Sms, Channel::Call];
        settings.whatsapp_from = Some("+15005550006".to_owned());
    })
    .await;
    for channel in [Channel::Whatsapp, Channel::Sms, Channel::Call] {
        let to = format!("+551198765432{}", channel as u8);
        let request = StartRequest { channel: Some(channel), ..StartRequest::to(to) };
        let begun = verification::start(&world.app.verifying, request, None).await.unwrap();
        trips.take();
        let id = begun.view.verification.id.to_string();
        messaging::tend_verification(&world.app.messaging, &id).await.unwrap();
        let made: Vec<Vec<&str>> = trips.take();
        let is_commit = |trip: &Vec<&str>| trip.contains(&"commit");
        let commits: Vec<usize> = (0..made.len()).filter(|nth| is_commit(&made[*nth])).collect();
        // From the claim to the end: what the send goes by, which of a call is known, and
        // what is known of it.
        let most = if channel == Channel::Call { 1 } else { 2 };
        assert_eq!(commits.len(), 2, "{made:?}");
        assert!(commits[1] - commits[0] - 1 <= most, "{channel}: {made:?}");
    }
}

/// Lists are read ahead while codes are asked for, so that no start waits for it.
#[tokio::test]
async fn lists_are_read_though_nobody_waits_for_them() {
    let trips = Arc::<Trips>::default();
    let store = Arc::new(Counted { inner: Arc::new(Memory::new()), trips: trips.clone() });
    let world = World::idle(store).await;
    let (admission, stop) = (world.app.admission.clone(), Arc::new(Notify::new()));
    let stopped = stop.clone();
    let keeping = tokio::spawn(async move { admission::keep_lists(&admission, stopped.notified()).await });
    let walks = AtomicUsize::new(0);
    let walked = || {
        let now = trips.take().iter().flatten().filter(|asked| **asked == "walk").count();
        walks.fetch_add(now, Ordering::SeqCst) + now
    };
    let request = StartRequest { channel: Some(Channel::Sms), ..StartRequest::to("+14155550123".to_owned()) };
    verification::start(&world.app.verifying, request, None).await.unwrap();
    assert!(walked() >= 1, "who comes first reads them");
    eventually("they are read again, and once more", async || walked() >= 4).await;
    stop.notify_one();
    keeping.await.unwrap();
}

/// What an erasure has read it writes by that, and reads nothing again.
#[tokio::test]
async fn an_erasure_reads_a_counter_once() {
    let trips = Arc::<Trips>::default();
    let store: Arc<dyn Maintenance> =
        Arc::new(Counted { inner: Arc::new(Memory::new()), trips: trips.clone() });
    let world = World::idle(store.clone()).await;
    let (app, number) = (&world.app, "+14155550123");
    let service = app.directory.services.default_service().id.clone();
    let mut kept = Compat::new(service.clone());
    let sid = "RK00000000000000000000000000000001";
    kept.rate_limits.push(RateLimit {
        sid: sid.to_owned(),
        unique_name: "numbers".to_owned(),
        description: String::new(),
        created_at: START.parse().unwrap(),
        updated_at: START.parse().unwrap(),
        buckets: Vec::new(),
    });
    records::save(&*store, None, &kept).await.unwrap();
    let mut hash = Sha256::new();
    for part in [service.as_str(), sid, number] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let id = hex::encode(hash.finalize());
    let counting = crate::store_counters::adding(&id, 1, 0, 9);
    store.commit_counted(Commit { changes: Vec::new(), additions: vec![counting] }).await.unwrap();
    let options = privacy::EraseOptions::default();
    let erasure = privacy::erase(&app.privacy, &Actor::caller("a test"), number, options).await.unwrap();
    trips.take();
    privacy::tend_erasure(&app.privacy, erasure.id.as_str()).await.unwrap();
    let made = trips.take();
    // Before it are the counters of the number itself.
    let read = made.iter().rposition(|trip| trip.contains(&"read_many")).unwrap();
    assert_eq!(made[read + 1], ["commit"], "{made:?}");
    assert!(records::get::<Counter>(&*store, &id).await.unwrap().is_none());
}

async fn verification_pointer(full: &Full, service: &dialback::model::id::ServiceId, number: &str) {
    use dialback::model::active_verification::ActiveVerification;
    let id = &full.begun.iter().find(|one| one.1 == number).unwrap().0;
    let now: Timestamp = START.parse().unwrap();
    let pointer = ActiveVerification {
        service: service.clone(),
        number: number.parse().unwrap(),
        caller: None,
        verification: id.parse().unwrap(),
        expires_at: now + SignedDuration::from_mins(10),
    };
    records::save(&*full.store, None, &pointer).await.unwrap();
}
