//! The log of decisions: each request stands in it once, whatever it came to; processes
//! see each other's; and what is lost where one is killed is the log's last second.

use crate::engines::over_each_engine;
use crate::instance::{Instance, Setup};
use crate::support::{Engine, Find, PERSON, Say, Script, World, eventually, parts, request, resend};
use dialback::app::admission::AdmissionError;
use dialback::app::verification::{self, Ask, Idempotency, StartRequest, VerificationError};
use dialback::app::{App, Parts, fraud, privacy};
use dialback::jobs;
use dialback::model::audit::Actor;
use dialback::model::channel::Channel;
use dialback::model::fraud::{Decision, Entry, FraudPolicy, Outcome, Page};
use dialback::model::test_number::TestNumber;
use dialback::model::verification::Verification;
use dialback::store::{Index, Kind, Maintenance, Scan, records};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

over_each_engine![
    each_request_stands_in_the_log_once_with_what_it_came_to,
    what_became_of_a_verification_is_a_line_of_its_own,
    of_those_who_race_each_stands_there_once,
    processes_see_each_others_signals_within_ten_seconds,
    who_begins_learns_what_was_before,
    an_erasure_takes_the_person_out_of_the_log,
];

/// Writes what an app has decided so far, and reads the whole log.
async fn lines(app: &App) -> Vec<Entry> {
    fraud::close(&app.base, &app.fraud).await;
    let (mut log, mut lines) = (fraud::Log::new(&app.base, Timestamp::MIN, Timestamp::MAX), Vec::new());
    while let Some(page) = log.next().await.unwrap() {
        lines.extend(page);
    }
    lines
}

async fn decisions(app: &App) -> Vec<Decision> {
    let decision = |line| match line {
        Entry::Decision(decision) => Some(*decision),
        _ => None,
    };
    lines(app).await.into_iter().filter_map(decision).collect()
}

/// What each decision came to, with its face and the code of its rule.
async fn told(app: &App) -> Vec<(String, Outcome, Option<String>)> {
    let told = |one: Decision| (one.about.face, one.outcome, one.code);
    decisions(app).await.into_iter().map(told).collect()
}

fn by(to: &str, channel: Channel) -> StartRequest {
    StartRequest { caller: Some("ba9876543210".into()), ..request(to, channel) }
}

fn row(face: &str, outcome: Outcome, code: &str) -> (String, Outcome, Option<String>) {
    (face.to_owned(), outcome, Some(code.to_owned()).filter(|code| !code.is_empty()))
}

async fn each_request_stands_in_the_log_once_with_what_it_came_to(engine: Engine) {
    let world = World::new(engine);
    let (app, verifying) = (&world.app, &world.app.verifying);
    let again = || Some(Idempotency { caller: "k".into(), key: "one".into() });
    let begun = verification::start(verifying, by(PERSON, Channel::Sms), again()).await.unwrap();
    verification::start(verifying, by(PERSON, Channel::Sms), again()).await.unwrap();
    let id = &begun.view.verification.id;
    let mut expected = vec![row("api", Outcome::Taken, "")];
    assert_eq!(told(app).await, expected, "what was answered before is not told again");
    let [first] = &decisions(app).await[..] else { panic!("one decision") };
    let kept = world.record(id).await.admitted.unwrap();
    assert_eq!((kept.decision.as_ref(), first.verification.as_deref()), (Some(&first.id), Some(id.as_str())));
    assert_eq!((&*first.about.country, first.about.is_resend), ("US", false));
    assert_eq!(fraud::decision(&app.base, &first.id).await.unwrap().as_ref(), Some(first));
    // Too soon: what stands open is shown, and nothing sent.
    verification::start(verifying, by(PERSON, Channel::Sms), None).await.unwrap();
    expected.push(row("api", Outcome::Slowed, "resend_too_soon"));
    resend(app, id, None).await.unwrap_err();
    expected.push(row("again", Outcome::Slowed, "resend_too_soon"));
    world.pass(40);
    resend(app, id, None).await.unwrap();
    expected.push(row("again", Outcome::Taken, ""));
    assert_eq!(told(app).await, expected);
    assert!(decisions(app).await[3].about.is_resend);
    // A limit refuses in the commit, and no rule before.
    for _ in 0..4 {
        world.pass(1);
        let asked = Ask { request: by(PERSON, Channel::Sms), limits: Vec::new(), skip_risk_check: false };
        let _ = verification::ask(verifying, &asked).await;
    }
    expected.extend((0..3).map(|_| row("verify", Outcome::Taken, "")));
    expected.push(row("verify", Outcome::Refused, "limit_reached"));
    assert_eq!(told(app).await, expected);
    let last = decisions(app).await.pop().unwrap();
    assert_eq!((&*last.reasons[0].rule, last.until.is_some()), ("number_sends", true));
    // What is no number is about nobody.
    verification::start(verifying, request("+1415555", Channel::Sms), None).await.unwrap_err();
    assert_eq!(told(app).await.len(), expected.len());
    let of_number = fraud::lines_of(&app.base, &app.fraud, &PERSON.parse().unwrap()).await.unwrap();
    assert_eq!(of_number.len(), expected.len());
}

async fn what_became_of_a_verification_is_a_line_of_its_own(engine: Engine) {
    let mut world = World::unlimited(engine);
    let (id, code) = world.sent().await;
    verification::check(&world.app.verifying, &id, &*code).await.unwrap();
    // A page of it may be on its way to the store.
    eventually("it is written", async || lines(&world.app).await.len() == 2).await;
    let first = decisions(&world.app).await.remove(0);
    let all = lines(&world.app).await;
    let [Entry::Decision(_), Entry::Verified { decision, sends: 1, about, .. }] = &all[..] else {
        panic!("{all:?}")
    };
    assert_eq!((decision, &**about), (&first.id, &first.about));
    let of_it = world.record(&id).await;
    let told = fraud::lines_of_verification(&world.app.base, &world.app.fraud, &of_it).await.unwrap();
    assert_eq!(told, all);
    // The provider says no before it sends, and that it is fraud.
    world.script([Say::Refused(60410)], [Find::Nothing]);
    let started =
        verification::start(&world.app.verifying, request("+14155550199", Channel::Sms), None).await;
    let id = started.unwrap().view.verification.id;
    eventually("it is refused", async || world.record(&id).await.outbox.is_empty()).await;
    // They are told once that is written.
    eventually("it is told", async || lines(&world.app).await.len() == 5).await;
    let new = lines(&world.app).await.split_off(2);
    let about = new[0].about().clone();
    assert!(new.iter().all(|line| *line.about() == about), "{new:?}");
    let is = |what: fn(&Entry) -> bool| new.iter().filter(|line| what(line)).count();
    assert_eq!(is(|line| matches!(line, Entry::Verdict { code: 60410, .. })), 1, "{new:?}");
    assert_eq!(is(|line| matches!(line, Entry::Unsent { .. })), 1, "{new:?}");
    assert_eq!(new.len(), 3, "{new:?}");
}

async fn of_those_who_race_each_stands_there_once(engine: Engine) {
    let world = World::new(engine);
    let mut racing = JoinSet::new();
    for _ in 0..8 {
        let app = world.app.clone();
        racing.spawn(async move {
            verification::start(&app.verifying, by(PERSON, Channel::Sms), None).await.unwrap();
        });
    }
    racing.join_all().await;
    let all = decisions(&world.app).await;
    let sent: Vec<&Decision> = all.iter().filter(|one| one.outcome.is_sent()).collect();
    assert_eq!((all.len(), sent.len()), (8, 1), "{all:?}");
    let ids: BTreeSet<_> = all.iter().map(|one| one.id.clone()).collect();
    assert_eq!(ids.len(), 8);
}

/// An app that refuses codes for more than two numbers of a hundred that nobody verified.
fn strict(world: &World) -> App {
    let changes = json!({ "signals": { "block_burst": { "action": "refuse", "numbers": 2, "hundred": 2 } } });
    let fraud = FraudPolicy::default().with(&serde_json::from_value(changes).unwrap());
    App::new(Parts { fraud, ..parts(&world.store, &Arc::<Script>::default(), &world.clock) })
}

async fn is_refused(app: &App, nth: u32) -> bool {
    match verification::start(&app.verifying, by(&number(nth), Channel::Sms), None).await {
        Ok(_) => false,
        Err(VerificationError::Admission(AdmissionError::FraudSuspected { rule, .. })) => {
            assert_eq!(rule, "block_burst");
            true
        }
        Err(error) => panic!("{error:?}"),
    }
}

fn number(nth: u32) -> String {
    format!("+14155550{nth:03}")
}

async fn processes_see_each_others_signals_within_ten_seconds(engine: Engine) {
    if engine != Engine::Postgres {
        return;
    }
    let world = World::new(engine);
    let apps: Vec<App> = (0..3).map(|_| strict(&world)).collect();
    let mut work = JoinSet::new();
    for app in &apps {
        work.spawn(jobs::run(app.clone(), jobs::Settings::default(), pending()));
    }
    // What is promised is measured with nothing else in the way, in one of a few hundreds.
    let mut took = Vec::new();
    for hundred in [100, 300, 500] {
        for nth in hundred..hundred + 4 {
            is_refused(&apps[0], nth).await;
        }
        let began = Instant::now();
        for (app, nth) in [(&apps[1], hundred + 50), (&apps[2], hundred + 70)] {
            // Each try is of another hundred's neighbour, but for what the first app did.
            eventually("what the first one saw is known", async || {
                tokio::time::sleep(Duration::from_millis(100)).await;
                is_refused(app, nth).await
            })
            .await;
        }
        took.push(began.elapsed());
        if began.elapsed() < Duration::from_secs(10) {
            return;
        }
    }
    panic!("{took:?} instead of ten seconds");
}

async fn who_begins_learns_what_was_before(engine: Engine) {
    let world = World::new(engine);
    let before = strict(&world);
    for nth in 100..104 {
        is_refused(&before, nth).await;
    }
    fraud::close(&before.base, &before.fraud).await;
    let after = strict(&world);
    let mut work = JoinSet::new();
    work.spawn(jobs::run(after.clone(), jobs::Settings::default(), pending()));
    eventually("what was before is known", async || is_refused(&after, 150).await).await;
}

async fn an_erasure_takes_the_person_out_of_the_log(engine: Engine) {
    let mut world = World::new(engine);
    world.work();
    let number = PERSON.parse().unwrap();
    let asked = StartRequest { address: Some("192.0.2.9".parse().unwrap()), ..request(PERSON, Channel::Sms) };
    let begun = verification::start(&world.app.verifying, asked, None).await.unwrap();
    world.until_accepted(&begun.view.verification.id, 1).await;
    verification::start(&world.app.verifying, request("+14155550199", Channel::Sms), None).await.unwrap();
    eventually("it is written", async || lines(&world.app).await.len() == 2).await;
    let options = privacy::EraseOptions { opt_outs: false, delete_at_twilio: false };
    let erased = privacy::erase(&world.app.privacy, &Actor::operator(), PERSON, options).await.unwrap();
    eventually("it is done", async || {
        let left = privacy::find_erasure(world.app.base.store(), erased.id.as_str()).await.unwrap();
        left.next_at.is_none()
    })
    .await;
    assert_eq!(fraud::lines_of(&world.app.base, &world.app.fraud, &number).await.unwrap(), []);
    let all = lines(&world.app).await;
    assert_eq!(all.len(), 2, "that somebody asked stays");
    let Entry::Decision(one) = &all[0] else { panic!("{all:?}") };
    assert_eq!((&one.verification, one.about.address), (&None, None));
    let other = "+14155550199".parse().unwrap();
    assert_eq!(fraud::lines_of(&world.app.base, &world.app.fraud, &other).await.unwrap().len(), 1);
}

#[tokio::test]
async fn test_numbers_are_in_no_log() {
    let world = World::new(Engine::Memory);
    let until = "2027-12-31T00:00:00Z".parse().unwrap();
    let test = TestNumber { pattern: PERSON.to_owned(), code: "492817".to_owned(), until };
    let parts = parts(&world.store, &Arc::<Script>::default(), &world.clock);
    let app = App::new(Parts { test_numbers: vec![test], ..parts });
    let begun = verification::start(&app.verifying, request(PERSON, Channel::Sms), None).await.unwrap();
    world.pass(40);
    resend(&app, &begun.view.verification.id, None).await.unwrap();
    assert_eq!(lines(&app).await, []);
}

/// Pages expire with the configuration's days.
#[tokio::test]
async fn pages_are_kept_as_long_as_is_set() {
    let world = World::new(Engine::Memory);
    let retention = privacy::Retention {
        decisions: Some(SignedDuration::from_hours(35 * 24)),
        ..privacy::Retention::default()
    };
    let app = App::new(Parts { retention, ..parts(&world.store, &Arc::<Script>::default(), &world.clock) });
    verification::start(&app.verifying, request(PERSON, Channel::Sms), None).await.unwrap();
    assert_eq!(lines(&app).await.len(), 1);
    for (days, left) in [(34, 1), (2, 0)] {
        world.pass(days * 86_400);
        let holder = privacy::new_holder(&app.base);
        privacy::delete_old(&app.privacy, &holder).await.unwrap().unwrap();
        world.pass(3_600);
        assert_eq!(lines(&app).await.len(), left, "{days}");
    }
    let listed =
        Scan { index: Index::Traffic, scope: String::new(), since: None, until: None, after: None, limit: 9 };
    assert_eq!(world.store.scan(&listed).await.unwrap(), []);
}

/// The decisions in a store's log, by their verifications, and the verifications that name one.
async fn in_log(dir: &std::path::Path) -> (BTreeSet<String>, BTreeSet<String>) {
    let store = crate::store_contract::open(dir);
    let (mut logged, mut named) = (BTreeSet::new(), BTreeSet::new());
    for (id, _) in store.walk(Kind::Traffic, None, 9999).await.unwrap() {
        let page = records::get::<Page>(&store, &id).await.unwrap().unwrap().record;
        for line in page.lines {
            if let Entry::Decision(decision) = line {
                logged.extend(decision.verification);
            }
        }
    }
    for (id, _) in store.walk(Kind::Verification, None, 9999).await.unwrap() {
        let found = records::get::<Verification>(&store, &id).await.unwrap().unwrap().record;
        if found.admitted.is_some_and(|admitted| admitted.decision.is_some()) {
            named.insert(id);
        }
    }
    dialback::store::Store::close(&store).await;
    (logged, named)
}

async fn begin(app: &Instance, count: u32, from: u32) {
    for nth in from..from + count {
        let answer = app
            .post("/v1/verifications", &json!({ "to": format!("+1415555{nth:04}"), "channel": "sms" }))
            .await;
        assert_eq!(answer.status, 201, "{}", answer.text);
    }
}

/// Who is told to stop writes every line; who is killed loses those of its last moments,
/// and no verification.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_graceful_end_loses_no_line_and_a_kill_the_last_moments() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let app = Setup::sandbox().dir(dir.path()).start().await;
    begin(&app, 20, 1000).await;
    app.stop().await;
    let (logged, named) = in_log(&data).await;
    assert_eq!((logged.len(), &logged), (20, &named));
    let app = Setup::sandbox().dir(dir.path()).start().await;
    begin(&app, 10, 2000).await;
    // What is a few seconds old is written.
    eventually("it is written", async || {
        let listed = app.get("/v1/decisions?limit=100").await.json();
        listed["decisions"].as_array().unwrap().len() == 30
    })
    .await;
    begin(&app, 10, 3000).await;
    app.kill();
    let (logged, named) = in_log(&data).await;
    assert_eq!(named.len(), 40, "no verification is lost");
    assert!(logged.len() >= 30 && logged.is_subset(&named), "{} are in the log", logged.len());
}

/// Twilio says by a status callback that it takes a text for fraud: the number is refused
/// at once, and its range after five numbers.
#[tokio::test]
async fn what_twilio_takes_for_fraud_speaks_against_the_number_and_then_its_range() {
    let app = Setup::sandbox().start().await;
    let admin = app.key(&["admin"]).await;
    let refuse = json!({ "action": "refuse" });
    let signals = json!({ "provider_number": refuse, "provider_range": refuse });
    let settings = json!({ "name": "Shop", "channels": ["sms"], "fraud": { "signals": signals } });
    let made = app.ask(&admin, Method::POST, "/v1/services", Some(&settings)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let service = made.json()["id"].clone();
    let start = async |to: &str| {
        let answer = app.post("/v1/verifications", &json!({ "to": to, "service": service })).await;
        (answer.status, answer.json())
    };
    let refused_by =
        |(status, body): (u16, Value)| (status, body["rule"].as_str().unwrap_or_default().to_owned());
    for nth in 0..5 {
        let to = format!("+1212555{}{nth}00", nth + 1);
        let code = if nth % 2 == 0 { 30450 } else { 30453 };
        app.phone(&to, json!({ "message": { "outcome": "failed", "error_code": code } })).await;
        let (status, begun) = start(&to).await;
        assert_eq!(status, 201, "{nth}: {begun}");
        let id = begun["id"].as_str().unwrap();
        app.verification(id, |seen| seen["deliveries"][0]["error"]["code"] == code).await;
        assert_eq!(refused_by(start(&to).await), (403, "provider_number".to_owned()), "{nth}");
    }
    assert_eq!(refused_by(start("+12125559999").await), (403, "provider_range".to_owned()));
    assert_eq!(start("+14155559999").await.0, 201, "another range");
    app.stop().await;
}
