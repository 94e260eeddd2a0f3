//! A number is erased: nothing here names it any more, Twilio is told, and
//! nobody else has lost anything.

use crate::engines::over_each_engine;
use crate::instance::{Instance, Setup, answer, binary, poll};
use crate::support::{Engine, PERSON, Say, World, eventually, proof, report, request};
use dialback::app::events::{self, EndpointChange};
use dialback::app::fault::Fault;
use dialback::app::privacy::{self, EraseOptions, PrivacyError};
use dialback::app::verification::{self, Ask, Idempotency, StartRequest};
use dialback::app::{admission, messaging, services};
use dialback::gateway::SendError;
use dialback::model::audit::Actor;
use dialback::model::channel::Channel;
use dialback::model::compat::{Bucket, Compat, RateLimit};
use dialback::model::delivery::{Fact, Report, Source};
use dialback::model::erasure::{Erasure, State};
use dialback::model::event::EventFilter;
use dialback::model::lists::{Effect, Target};
use dialback::model::opt_out::Keyword;
use dialback::model::session::Session;
use dialback::model::status::Status;
use dialback::model::verification::Details;
use dialback::store::Kind;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;

const OTHER: &str = "+14155550124";
const SENDER: &str = "+15005550006";

type Records = BTreeMap<(Kind, String), String>;

async fn records(world: &World) -> Records {
    let mut records = BTreeMap::new();
    for kind in Kind::ALL {
        for (id, stored) in world.store.walk(kind, None, 10_000).await.unwrap() {
            records.insert((kind, id), String::from_utf8(stored.body.to_vec()).unwrap());
        }
    }
    records
}

/// What there is that names a number, in its id or in its body.
fn naming(records: &Records, number: &str) -> Records {
    let digits = number.trim_start_matches('+');
    let names = |((_, id), body): &(&(Kind, String), &String)| id.contains(digits) || body.contains(digits);
    records.iter().filter(names).map(|(key, body)| (key.clone(), body.clone())).collect()
}

/// Everything that can be kept about a number.
async fn live(world: &World, number: &str, n: u32) {
    let app = &world.app;
    let key = Idempotency { caller: "shop".into(), key: format!("{n}") };
    let begun = verification::start(&app.verifying, request(number, Channel::Sms), Some(key))
        .await
        .unwrap()
        .view
        .verification;
    let limits = vec![("phone".to_owned(), number.to_owned())];
    let ask = Ask { request: request(number, Channel::Call), limits, skip_risk_check: false };
    let asked = verification::ask(&app.verifying, &ask).await.unwrap().verification.id;
    world.until_accepted(&begun.id, 1).await;
    world.until_accepted(&asked, 1).await;
    let session = json!({
        "id": format!("PS{n:032x}"),
        "to": number,
        "return_url": "https://example.com/back",
        "created_at": world.now(),
        "expires_at": world.later(1800),
    });
    let session: Session = serde_json::from_value(session).unwrap();
    dialback::store::records::save(&*world.store, None, &session).await.unwrap();
    let whatsapp = format!("whatsapp:{number}");
    messaging::wrote(&app.messaging, &proof(), &whatsapp, &["whatsapp:+15005550006"]).await.unwrap();
    messaging::keyword(&app.messaging, &proof(), number, &[SENDER], Keyword::Stop).await.unwrap();
    admission::add_safe_number(&app.admission, &Actor::operator(), number).await.unwrap();
    // Blocked, and the same number named where another is meant.
    for (whom, reason) in [(number, "pumping"), (&*format!("+1415666{n}*"), number)] {
        let target = admission::NamedTarget::of_text(whom, None).target(&app.admission).unwrap();
        let reason = Some(format!("as {reason}"));
        let new = admission::NewEntry { effect: Effect::Block, target, service: None, reason, ends_at: None };
        admission::add_entry(&app.admission, &Actor::operator(), &new).await.unwrap();
    }
    // Somebody else's message on the account, and one from the person.
    let foreign = report(&format!("SM{:032x}", 0xf00 + n), Status::Delivered, None, Some(number));
    messaging::record(&app.messaging, &proof(), foreign).await.unwrap();
    let mut inbound = report(&format!("SM{:032x}", 0xb00 + n), Status::Received, None, Some(SENDER));
    inbound.about.from = Some(number.to_owned());
    inbound.about.direction = Some("inbound".into());
    inbound.fact.source = Source::Inbound;
    messaging::record(&app.messaging, &proof(), inbound).await.unwrap();
}

async fn furnish(world: &World) {
    let change = |compat: &mut Compat, now| {
        let bucket = Bucket { sid: "BL1".into(), max: 9, interval: 3600, created_at: now, updated_at: now };
        compat.rate_limits.push(RateLimit {
            sid: "RK1".into(),
            unique_name: "phone".into(),
            description: String::new(),
            buckets: vec![bucket],
            created_at: now,
            updated_at: now,
        });
        Ok::<_, Fault>(())
    };
    services::change_compat(
        &world.app.directory,
        &Actor::operator(),
        &world.app.directory.services.default_service().id,
        change,
    )
    .await
    .unwrap();
    let change = EndpointChange {
        url: Some("http://127.0.0.1:9/hook".into()),
        filters: Some(["*".parse::<EventFilter>().unwrap()].into()),
        ..EndpointChange::default()
    };
    events::create_endpoint(&world.app.telling, &Actor::operator(), change).await.unwrap();
}

async fn finished(world: &World, erasure: &Erasure) -> Erasure {
    eventually("the erasure ends", async || {
        privacy::erasure(&world.app.base, &erasure.id).await.unwrap().state != State::Running
    })
    .await;
    privacy::erasure(&world.app.base, &erasure.id).await.unwrap()
}

async fn a_number_is_erased_and_no_other(engine: Engine) {
    let mut world = World::new(engine);
    world.work();
    furnish(&world).await;
    live(&world, OTHER, 1).await;
    live(&world, PERSON, 2).await;
    // Another person's verification mentions the number.
    let mut details = Details::default();
    details.tags.insert("invited_by".into(), PERSON.into());
    details.tags.insert("plan".into(), "141555501234".into());
    let guest = StartRequest { details, ..request("+14155550199", Channel::Sms) };
    let guest = verification::start(&world.app.verifying, guest, None).await.unwrap().view.verification.id;
    world.until_accepted(&guest, 1).await;
    world.settle().await;
    let before = records(&world).await;
    let theirs = naming(&before, PERSON);
    for kind in [
        Kind::Verification,
        Kind::Delivery,
        Kind::IdempotencyRecord,
        Kind::OptOut,
        Kind::ActiveVerification,
        Kind::SafeNumber,
        Kind::ListEntry,
        Kind::Session,
        Kind::Event,
        Kind::SessionWindow,
    ] {
        assert!(theirs.keys().any(|key| key.0 == kind), "{kind:?} is not put to the test");
    }

    let options = EraseOptions { opt_outs: true, delete_at_twilio: false };
    let begun = privacy::erase(&world.app.privacy, &Actor::operator(), PERSON, options).await.unwrap();
    let done = finished(&world, &begun).await;
    assert_eq!((done.state, done.left.len(), done.number.clone()), (State::Done, 0, None), "{done:?}");
    let after = records(&world).await;
    let traces = naming(&after, PERSON);
    // Tags go along in events, and the number is taken out of them there, too.
    let digits = PERSON.trim_start_matches('+');
    assert!(traces.values().all(|body| !body.replace("141555501234", "").contains(digits)), "{traces:?}");
    let kinds: Vec<Kind> = traces.keys().map(|key| key.0).collect();
    let of_the_guest = [Kind::Verification, Kind::Event];
    assert!(
        kinds.iter().all(|kind| of_the_guest.contains(kind)),
        "whose plan has a longer number: {kinds:?}"
    );
    // Its rate limit and the number's own; others may come meanwhile, as that something
    // was told is one.
    let counters = before.keys().filter(|key| key.0 == Kind::Counter);
    let (kept, gone): (Vec<_>, Vec<_>) = counters.partition(|key| after.contains_key(key));
    assert!(gone.len() == 2 && kept.len() >= 2, "kept: {kept:?}, gone: {gone:?}");
    assert!(world.record(&guest).await.details.tags["invited_by"] == "erased");

    // Dispatches go their own way meanwhile; nothing else of the other is touched.
    let others = |records: &Records| {
        let mut others = naming(records, OTHER);
        others.retain(|key, _| key.0 != Kind::Dispatch);
        others
    };
    assert_eq!(others(&before), others(&after));
    // Two of ours, the foreign one and the inbound one.
    assert_eq!((done.redacted, world.gateway.redacted.lock().unwrap().len()), (4, 4));
    // What is reported late changes nothing, whatever it brings.
    let late: Vec<Report> = done.redacted_sids.iter().map(|sid| late_report(sid.as_str())).collect();
    for report in late {
        assert!(!messaging::record(&world.app.messaging, &proof(), report).await.unwrap().is_new);
    }
    let later = naming(&records(&world).await, PERSON);
    let more: Records = later.into_iter().filter(|(key, _)| !traces.contains_key(key)).collect();
    assert!(more.is_empty(), "{more:?}");

    // The block holds without the number, and nobody learns it from there.
    assert_eq!(done.scrubbed["list_entry"], 2, "{done:?}");
    let kept = done.kept.iter().find(|kept| kept.what == "block").expect("it is said that it stays");
    assert!(kept.count == 1 && kept.why.contains("keyed name"), "{kept:?}");
    let again = verification::start(&world.app.verifying, request(PERSON, Channel::Sms), None).await;
    assert_eq!(crate::support::word(&again.map(drop).unwrap_err()), "Blocked");
    let (admission, person) = (&world.app.admission, Target::number(&PERSON.parse().unwrap()));
    let removed =
        admission::remove_entry_of(admission, &Actor::operator(), Effect::Block, &person, None).await;
    assert!(removed.unwrap(), "who knows the number takes it away");
    assert!(done.scrubbed["verification"] == 1 && done.deleted["verification"] == 2, "{done:?}");
}

fn late_report(sid: &str) -> Report {
    let mut late = report(sid, Status::Read, None, Some(PERSON));
    late.fact = Fact { other: [("ForwardedFrom".to_owned(), PERSON.to_owned())].into(), ..late.fact };
    late
}

over_each_engine![a_number_is_erased_and_no_other];

#[tokio::test]
async fn a_message_under_way_is_waited_for_and_what_twilio_refuses_is_tried_again() {
    let mut world = World::new(Engine::Memory);
    world.script([Say::Silence], []);
    world.always(Say::Taken, crate::support::Find::It);
    world.work();
    let id = world.start(Channel::Sms).await.verification.id;
    eventually("it is being sent", async || world.gateway.orders().len() == 1).await;
    let refused = SendError::Refused { code: Some(20003), reason: "scripted".into() };
    world.gateway.redactions.lock().unwrap().push_back(refused);
    let begun = privacy::erase(&world.app.privacy, &Actor::operator(), PERSON, EraseOptions::default())
        .await
        .unwrap();
    eventually("it is found under way", async || {
        !privacy::erasure(&world.app.base, &begun.id).await.unwrap().left.is_empty()
    })
    .await;
    let waiting = privacy::erasure(&world.app.base, &begun.id).await.unwrap();
    assert!(waiting.left[0].what.contains(id.as_str()) && waiting.number.is_some(), "{waiting:?}");
    let status = world.record(&id).await.status;
    assert_eq!(status.as_str(), "canceled");
    // Nobody knows how it ended; it is looked up, found, and erased.
    world.gateway.release.notify_one();
    for _ in 0..60 {
        if privacy::erasure(&world.app.base, &begun.id).await.unwrap().state != State::Running {
            break;
        }
        world.pass(600);
        world.settle().await;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let done = finished(&world, &begun).await;
    assert_eq!((done.state, done.redacted), (State::Done, 1), "{done:?}");
    assert!(done.attempts >= 2 && world.gateway.redacted.lock().unwrap().len() == 2, "{done:?}");
    assert!(naming(&records(&world).await, PERSON).is_empty());
}

#[tokio::test]
async fn our_own_sender_is_not_erased_and_opt_outs_are_kept_unless_asked() {
    let mut world = World::new(Engine::Memory);
    world.work();
    let refused = privacy::erase(&world.app.privacy, &Actor::operator(), SENDER, EraseOptions::default())
        .await
        .unwrap_err();
    assert!(matches!(refused, PrivacyError::OwnSender));
    messaging::keyword(&world.app.messaging, &proof(), PERSON, &[SENDER], Keyword::Stop).await.unwrap();
    let begun = privacy::erase(&world.app.privacy, &Actor::operator(), PERSON, EraseOptions::default())
        .await
        .unwrap();
    let done = finished(&world, &begun).await;
    assert!(done.kept[0].what == "opt-out" && done.kept[0].why.contains("written to again"), "{done:?}");
    let traces = naming(&records(&world).await, PERSON);
    assert_eq!(traces.keys().map(|key| key.0).collect::<Vec<_>>(), [Kind::OptOut]);
}

fn erase(app: &Instance, dir: &Path, args: &[&str]) -> (Output, Value) {
    let mut run = binary(dir);
    run.env("DIALBACK_STORE__URL", &app.store).args(["erase", "--json"]).args(args);
    let output = run.output().unwrap();
    let receipt = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output, receipt)
}

#[tokio::test]
async fn a_message_in_the_sandbox_is_redacted_and_a_late_callback_brings_nothing_back() {
    let dir = tempfile::TempDir::new().unwrap();
    let app = Setup::sandbox().dir(dir.path()).start().await;
    let (number, second) = ("+15551230901", "+15551230902");
    app.phone(number, json!({ "message": { "outcome": "delivered" } })).await;
    let begun = app.begin(number, "sms").await;
    let id = begun["id"].as_str().unwrap().to_owned();
    app.texted_code(number, 1).await;
    let sent = app.verification(&id, |one| one["deliveries"][0]["status"] == "delivered").await;
    let sid = sent["deliveries"][0]["sid"].as_str().unwrap().to_owned();
    let name = sent["deliveries"][0]["id"].as_str().unwrap().to_owned();

    let (output, receipt) = erase(&app, dir.path(), &[number]);
    assert!(output.status.success(), "{receipt} {}", String::from_utf8_lossy(&output.stderr));
    assert_eq!((&receipt["status"], &receipt["redacted_sids"]), (&json!("done"), &json!([sid])));
    assert!(!receipt.to_string().contains(&number[1..]), "{receipt}");
    let url = format!("{}/2010-04-01/Accounts/{}/Messages/{sid}.json", app.sandbox, app.account);
    let message = answer(app.http.get(&url).basic_auth(&app.account, Some(&app.token))).await;
    assert_eq!((message.status, &message.json()["body"]), (200, &json!("")));
    assert_eq!(app.get(&format!("/v1/verifications/{id}")).await.status, 404);

    let params = [
        ("MessageSid", &*sid),
        ("MessageStatus", "read"),
        ("To", number),
        ("From", SENDER),
        ("AccountSid", &*app.account),
    ];
    assert_eq!(app.webhook(&format!("/twilio/status?delivery={name}"), &params).await.status, 204);
    let left = app.get(&format!("/v1/deliveries/{sid}")).await;
    assert!(!left.text.contains(&number[1..]), "{}", left.text);
    let listed = app.get(&format!("/v1/deliveries?to={}", number.replace('+', "%2B"))).await.json();
    assert_eq!(listed["deliveries"], json!([]));

    app.phone(second, json!({ "message": { "outcome": "delivered" } })).await;
    let other = app.begin(second, "sms").await["id"].as_str().unwrap().to_owned();
    app.verification(&other, |one| one["deliveries"][0]["status"] == "delivered").await;
    let operator = app.operator();
    let asked = poll(|| async {
        let body = json!({ "number": second, "delete_at_twilio": true });
        Some(app.ask(&operator, Method::POST, "/v1/erasures", Some(&body)).await)
    });
    let asked = asked.await.unwrap();
    assert_eq!(asked.status, 202, "{}", asked.text);
    let path = format!("/v1/erasures/{}", asked.json()["id"].as_str().unwrap());
    let done = poll(|| async {
        let receipt = app.ask(&operator, Method::GET, &path, None).await.json();
        Some(receipt).filter(|receipt| receipt["status"] == "done")
    });
    let done = done.await.unwrap();
    let gone = done["redacted_sids"][0].as_str().unwrap();
    let url = format!("{}/2010-04-01/Accounts/{}/Messages/{gone}.json", app.sandbox, app.account);
    assert_eq!(answer(app.http.get(&url).basic_auth(&app.account, Some(&app.token))).await.status, 404);
    let store = app.store.clone();
    app.stop().await;

    // Nobody serves: the command does it itself, and finds nothing more.
    let mut run = binary(dir.path());
    run.env("DIALBACK_STORE__URL", &store).args(["erase", number]);
    let output = run.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.contains("status    done"), "{text}");
    assert!(!text.contains("deleted") && !text.contains(&number[1..]), "{text}");
    let store = Path::new(store.strip_prefix("sled:").unwrap()).to_owned();
    let sled = dialback::store::sled::Sled::open(&store, dialback::store::sled::Options::default()).unwrap();
    for kind in Kind::ALL {
        let all = dialback::store::Maintenance::walk(&sled, kind, None, 10_000).await.unwrap();
        let named = |body: &[u8]| String::from_utf8_lossy(body).contains(&number[1..]);
        assert!(
            all.iter().all(|(id, stored)| !id.contains(&number[1..]) && !named(&stored.body)),
            "{kind:?}"
        );
    }
}
