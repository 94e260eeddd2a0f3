//! Verifications from the first word to the last, over each engine: what is
//! sent, what is not sent twice, what is counted, and what is never at rest.

use crate::engines::over_each_engine;
use crate::outcomes::pass_slowly;
use crate::support::{Engine, Find, PERSON, Say, World, body, eventually, proof, report, request, word};
use dialback::app::admin;
use dialback::app::admission::AdmissionError;
use dialback::app::fault::Fault;
use dialback::app::messaging::{self, MessagingError, Spoken, Step, VoiceRequest};
use dialback::app::verification::{self, Checked, Idempotency, VerificationError};
use dialback::model::audit::Actor;
use dialback::model::channel::Channel;
use dialback::model::delivery::Source;
use dialback::model::id::VerificationId;
use dialback::model::key::Scope;
use dialback::model::opt_out::Keyword;
use dialback::model::policy::{Gate, Policy};
use dialback::model::status::Status as Delivered;
use dialback::model::verification::{SendState, Status};
use dialback::store::{Key, Kind};
use dialback::twilio::callback;
use futures_util::future::join_all;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

over_each_engine![
    a_code_goes_out_and_is_approved_once,
    ten_right_codes_at_once_are_one_success,
    ten_wrong_codes_at_once_all_count,
    wrong_codes_at_once_stop_at_the_limit,
    what_cannot_be_a_code_costs_nothing,
    fifty_rapid_resends_send_once,
    a_new_code_on_resend_kills_the_old_one,
    an_idempotency_key_does_it_once,
    an_idempotency_key_is_free_again_after_a_day,
    duplicates_at_once_are_one_verification_and_one_order,
    an_expired_verification_sends_nothing,
    who_has_opted_out_gets_no_text,
    a_report_before_the_answer_settles_the_send,
    a_call_that_asks_before_the_answer_settles_the_send,
    repeated_reports_change_nothing,
    large_reports_without_end_are_still_recorded,
    a_stranger_hears_nothing,
    keys_are_kept_as_hashes,
    no_code_is_ever_at_rest,
];

// Codes.

async fn a_code_goes_out_and_is_approved_once(engine: Engine) {
    let mut world = World::new(engine);
    let (id, code) = world.sent().await;
    let order = &world.gateway.orders()[0];
    assert_eq!((order.to.as_str(), order.channel), (PERSON, Channel::Sms));
    assert_eq!(order.valid_for, Duration::from_secs(600));
    let view = verification::fetch(&world.app.admission, &id).await.unwrap();
    assert_eq!((view.status, view.checks_left, view.sends_left), (Status::Pending, 5, 4));
    assert_eq!(view.resend_at, Some(world.later(30)));
    assert_eq!(view.deliveries[0].1.as_ref().unwrap().status(), Some(Delivered::Queued));

    let wrong = wrong(&code);
    assert!(!verification::check(&world.app.verifying, &id, &wrong).await.unwrap().valid);
    let checked = verification::check(&world.app.verifying, &id, &code).await.unwrap();
    assert_eq!((checked.valid, checked.view.status), (true, Status::Approved));
    let again = verification::check(&world.app.verifying, &id, &code).await.unwrap_err();
    assert!(matches!(again, VerificationError::Ended(Status::Approved)));
    let view = verification::fetch(&world.app.admission, &id).await.unwrap();
    assert_eq!((view.checks_left, view.sends_left, view.resend_at), (0, 0, None));
}

async fn ten_right_codes_at_once_are_one_success(engine: Engine) {
    let mut world = World::new(engine);
    let (id, code) = world.sent().await;
    let (valid, refused) = at_once(&world, &id, &code, 10).await;
    assert_eq!((valid.len(), refused), (1, vec!["Ended".to_owned(); 9]));
    assert!(valid[0].valid);
    assert_eq!(world.record(&id).await.checks, 1);
}

async fn ten_wrong_codes_at_once_all_count(engine: Engine) {
    let mut world = World::with(engine, Policy { max_checks: 20, ..Policy::default() });
    let (id, code) = world.sent().await;
    let (answered, refused) = at_once(&world, &id, &wrong(&code), 10).await;
    assert!(answered.iter().all(|checked| !checked.valid) && refused.is_empty());
    assert_eq!(world.record(&id).await.checks, 10);
}

async fn wrong_codes_at_once_stop_at_the_limit(engine: Engine) {
    let mut world = World::new(engine);
    let (id, code) = world.sent().await;
    let (answered, refused) = at_once(&world, &id, &wrong(&code), 10).await;
    assert_eq!((answered.len(), refused), (5, vec!["Ended".to_owned(); 5]));
    let record = world.record(&id).await;
    assert_eq!((record.checks, record.status), (5, Status::MaxAttemptsReached));
}

async fn what_cannot_be_a_code_costs_nothing(engine: Engine) {
    let mut world = World::new(engine);
    let (id, code) = world.sent().await;
    let long = format!("{code}0");
    for offered in ["-1", "abc", "", "123", "12345O", "12345²", &long] {
        let error = verification::check(&world.app.verifying, &id, offered).await.unwrap_err();
        assert!(matches!(error, VerificationError::NotACode { length: 6, .. }), "{offered:?}");
        assert_eq!(error.to_string(), "a code of this verification is 6 digits");
    }
    assert_eq!(world.record(&id).await.checks, 0);
    let stranger = VerificationId::from_random([9; 15]);
    assert!(matches!(
        verification::check(&world.app.verifying, &stranger, &code).await,
        Err(VerificationError::Fault(Fault::NotFound))
    ));
    // As it was pasted, in the digits of another script.
    let arabic = |c: char| char::from_u32(u32::from(c) - 0x30 + 0x660).unwrap();
    let typed: String = code.chars().map(arabic).collect();
    let typed = format!("\u{200e}{}\u{202f}{}\n", &typed[..6], &typed[6..]);
    assert!(verification::check(&world.app.verifying, &id, &typed).await.unwrap().valid);
}

/// A code that is not this one, with as many digits.
fn wrong(code: &str) -> String {
    code.chars().map(|digit| if digit == '0' { '1' } else { '0' }).collect()
}

async fn at_once(
    world: &World,
    id: &VerificationId,
    code: &str,
    times: usize,
) -> (Vec<Checked>, Vec<String>) {
    let checks = (0..times).map(|_| {
        let (app, id, code) = (world.app.clone(), id.clone(), code.to_owned());
        tokio::spawn(async move { verification::check(&app.verifying, &id, &code).await })
    });
    let (mut answered, mut refused) = (Vec::new(), Vec::new());
    for result in join_all(checks).await {
        match result.unwrap() {
            Ok(checked) => answered.push(checked),
            Err(error) => refused.push(word(&error)),
        }
    }
    (answered, refused)
}

// Sending again.

async fn fifty_rapid_resends_send_once(engine: Engine) {
    let mut world = World::new(engine);
    let (id, _) = world.sent().await;
    let allowed_at = world.later(30);
    for passed in 0..50u64 {
        // Two a second, by the service's own clock.
        world.clock.advance(Duration::from_millis(500 * (passed % 2)));
        let error = verification::resend(&world.app.verifying, &id, None).await.unwrap_err();
        let VerificationError::Admission(AdmissionError::TooSoon { at, seconds }) = error else {
            panic!("{error:?}")
        };
        let left = allowed_at.duration_since(world.now()).as_millis();
        assert_eq!((at, i128::from(seconds)), (allowed_at, (left + 999) / 1000));
    }
    world.pass(30);
    let resends = (0..50).map(|_| {
        let (app, id) = (world.app.clone(), id.clone());
        tokio::spawn(async move { verification::resend(&app.verifying, &id, None).await })
    });
    let results: Vec<_> = join_all(resends).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    world.until_accepted(&id, 2).await;
    world.settle().await;
    assert_eq!(world.gateway.orders().len(), 2);
    assert_eq!(world.gateway.orders()[0].code, world.gateway.orders()[1].code, "the code is the same");
}

async fn a_new_code_on_resend_kills_the_old_one(engine: Engine) {
    let mut world = World::with(engine, Policy { new_code_on_resend: true, ..Policy::default() });
    let (id, old) = world.sent().await;
    world.pass(30);
    verification::resend(&world.app.verifying, &id, Some(Channel::Call)).await.unwrap();
    world.until_accepted(&id, 2).await;
    let order = &world.gateway.orders()[1];
    assert_eq!((order.channel, order.valid_for), (Channel::Call, Duration::from_secs(570)));
    assert_ne!(order.code, old);
    assert!(!verification::check(&world.app.verifying, &id, &old).await.unwrap().valid);
    assert!(verification::check(&world.app.verifying, &id, &order.code).await.unwrap().valid);
}

// Doing a request once.

fn key(caller: &str) -> Option<Idempotency> {
    Some(Idempotency { caller: caller.into(), key: "order-17".into() })
}

async fn an_idempotency_key_does_it_once(engine: Engine) {
    let mut world = World::new(engine);
    world.work();
    let first =
        verification::start(&world.app.verifying, request(PERSON, Channel::Sms), key("shop")).await.unwrap();
    let id = first.view.verification.id.clone();
    world.until_accepted(&id, 1).await;
    verification::cancel(&world.app.admission, &id).await.unwrap();
    let second =
        verification::start(&world.app.verifying, request(PERSON, Channel::Sms), key("shop")).await.unwrap();
    assert_eq!((first.replayed, second.replayed), (false, true));
    assert_eq!(second.view.verification, first.view.verification, "the same answer, whatever happened since");
    assert_eq!(second.view.status, Status::Pending);
    for other in [request(PERSON, Channel::Call), request("+14155550124", Channel::Sms)] {
        let error = verification::start(&world.app.verifying, other, key("shop")).await.unwrap_err();
        assert_eq!(word(&error), "KeyReused");
    }
    let other =
        verification::start(&world.app.verifying, request(PERSON, Channel::Sms), key("bank")).await.unwrap();
    assert_ne!(other.view.verification.id, id, "keys of different callers do not meet");
}

async fn an_idempotency_key_is_free_again_after_a_day(engine: Engine) {
    let mut world = World::new(engine);
    let start = async |world: &World| {
        let started = verification::start(&world.app.verifying, request(PERSON, Channel::Sms), key("shop"))
            .await
            .unwrap();
        (started.view.verification.id, started.replayed)
    };
    let (first, _) = start(&world).await;
    world.pass(24 * 3600 - 1);
    assert_eq!(start(&world).await, (first.clone(), true));
    world.work();
    world.pass(1);
    let (second, replayed) = start(&world).await;
    assert!(second != first && !replayed);
    for day in 0..20 {
        world.pass(24 * 3600);
        // While a job tidies up.
        let starts = (0..3).map(|_| {
            let app = world.app.clone();
            tokio::spawn(async move {
                verification::start(&app.verifying, request(PERSON, Channel::Sms), key("shop")).await
            })
        });
        let started = join_all(starts).await.into_iter().map(|result| result.unwrap().unwrap());
        let ids: BTreeSet<_> = started.map(|started| started.view.verification.id).collect();
        assert_eq!(ids.len(), 1, "on day {day}");
    }
    world.pass(24 * 3600);
    eventually("the answer is forgotten", async || {
        let due = world.store.due(world.now(), 10).await.unwrap();
        due.iter().all(|(key, _)| key.kind != Kind::IdempotencyRecord)
    })
    .await;
}

async fn duplicates_at_once_are_one_verification_and_one_order(engine: Engine) {
    let mut world = World::new(engine);
    let starts = (0..10).map(|_| {
        let app = world.app.clone();
        tokio::spawn(async move {
            verification::start(&app.verifying, request(PERSON, Channel::Sms), key("shop")).await
        })
    });
    let started: Vec<_> = join_all(starts).await.into_iter().map(|result| result.unwrap().unwrap()).collect();
    let ids: BTreeSet<_> = started.iter().map(|started| started.view.verification.id.clone()).collect();
    assert_eq!((ids.len(), started.iter().filter(|started| !started.replayed).count()), (1, 1));
    world.work();
    world.until_accepted(ids.first().unwrap(), 1).await;
    world.settle().await;
    assert_eq!(world.gateway.orders().len(), 1);
}

// What is not sent.

async fn an_expired_verification_sends_nothing(engine: Engine) {
    let mut world = World::new(engine);
    let id = world.start(Channel::Sms).await.verification.id;
    world.pass(600);
    assert_eq!(
        verification::fetch(&world.app.admission, &id).await.unwrap().status,
        Status::Expired,
        "before anybody wrote it"
    );
    world.work();
    eventually("it has expired", async || world.record(&id).await.status == Status::Expired).await;
    world.settle().await;
    let record = world.record(&id).await;
    assert_eq!((record.due(), world.gateway.orders().len()), (None, 0));
    assert_eq!(record.sends[0].state, SendState::Dropped);
    let error = verification::check(&world.app.verifying, &id, "123456").await.unwrap_err();
    assert!(matches!(error, VerificationError::Ended(Status::Expired)));
}

async fn who_has_opted_out_gets_no_text(engine: Engine) {
    let world = World::new(engine);
    let id = world.start(Channel::Sms).await.verification.id;
    world.pass(30);
    let say = async |keyword| {
        messaging::keyword(
            &world.app.messaging,
            &proof(),
            PERSON,
            &["+15005550006", "MGaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"],
            keyword,
        )
        .await
    };
    say(Keyword::Stop).await.unwrap();
    say(Keyword::Help).await.unwrap();
    let start =
        async |channel| verification::start(&world.app.verifying, request(PERSON, channel), None).await;
    assert!(matches!(start(Channel::Sms).await, Err(VerificationError::Admission(AdmissionError::OptedOut))));
    assert!(matches!(
        verification::resend(&world.app.verifying, &id, None).await,
        Err(VerificationError::Admission(AdmissionError::OptedOut))
    ));
    let call = start(Channel::Call).await.expect("a call is not a text");
    assert_eq!(call.view.channels_left, [Channel::Call]);
    assert_eq!(verification::fetch(&world.app.admission, &id).await.unwrap().channels_left, [Channel::Call]);
    let other = verification::start(&world.app.verifying, request("+14155550124", Channel::Sms), None).await;
    assert!(other.is_ok(), "nor is one person another");
    say(Keyword::Start).await.unwrap();
    assert!(start(Channel::Sms).await.is_ok());
}

// Reports.

async fn a_report_before_the_answer_settles_the_send(engine: Engine) {
    let mut world = World::new(engine);
    world.script([Say::Silence], []);
    world.work();
    let id = world.start(Channel::Sms).await.verification.id;
    eventually("it is being sent", async || world.gateway.orders().len() == 1).await;
    let sid = "SM00000000000000000000000000000077";
    let sent = report(sid, Delivered::Sent, Some(&id.delivery(1)), Some(PERSON));
    assert!(world.tell(sent).await.is_new);
    assert_eq!(world.state(&id, 1).await, SendState::Accepted);
    world.gateway.release.notify_one();
    pass_slowly(&world, 60).await;
    assert_eq!((world.gateway.orders().len(), world.gateway.look_ups().len()), (1, 0));
    let view = verification::fetch(&world.app.admission, &id).await.unwrap();
    assert_eq!(view.deliveries[0].1.as_ref().unwrap().status(), Some(Delivered::Sent));
}

async fn a_call_that_asks_before_the_answer_settles_the_send(engine: Engine) {
    let mut world = World::new(engine);
    world.script([Say::Silence], []);
    world.work();
    let id = world.start(Channel::Call).await.verification.id;
    eventually("it is being placed", async || world.gateway.orders().len() == 1).await;
    let spoken = speak(&world, &id, "CA", Step::Answered).await.unwrap();
    assert!(matches!(spoken, Spoken::Gate { key: None, wrong: false }));
    assert_eq!(world.state(&id, 1).await, SendState::Accepted);
    let spoken = speak(&world, &id, "CA", Step::Gate { digits: "7".into() }).await.unwrap();
    let Spoken::Code { code } = spoken else { panic!("{spoken:?}") };
    assert!(verification::check(&world.app.verifying, &id, code.expose()).await.unwrap().valid);
    let spoken = speak(&world, &id, "CA", Step::Again { digits: "1".into() }).await.unwrap();
    assert!(matches!(spoken, Spoken::Ended), "a spent code is not read again");
}

async fn repeated_reports_change_nothing(engine: Engine) {
    let mut world = World::new(engine);
    let (id, _) = world.sent().await;
    let sid = world.record(&id).await.sends[0].sid.clone().unwrap();
    let tell =
        async |status| world.tell(report(sid.as_str(), status, Some(&id.delivery(1)), Some(PERSON))).await;
    let delivered = tell(Delivered::Delivered).await;
    assert!(delivered.is_new);
    world.pass(5);
    let repeated = tell(Delivered::Delivered).await;
    assert!(!repeated.is_new);
    assert_eq!(repeated.delivery, delivered.delivery);
    let late = tell(Delivered::Sent).await;
    assert_eq!((late.is_new, late.delivery.status()), (true, Some(Delivered::Delivered)), "never backwards");
    let verification = world.record(&id).await;
    tell(Delivered::Sent).await;
    assert_eq!(world.record(&id).await, verification);
}

async fn large_reports_without_end_are_still_recorded(engine: Engine) {
    let world = World::new(engine);
    let tell = async |status: &str, n: u32| {
        let mut pairs = vec![
            ("MessageSid".to_owned(), format!("SM{:032x}", 1)),
            ("MessageStatus".to_owned(), status.to_owned()),
            ("To".to_owned(), "\u{1}".repeat(5000)),
            ("From".to_owned(), "\u{1}".repeat(5000)),
        ];
        pairs.extend((0..50).map(|name| (format!("Odd{name}"), format!("{n}{}", "\u{1}".repeat(5000)))));
        let report = callback::report(&pairs, Source::StatusCallback, None).unwrap();
        world.tell(report).await.delivery
    };
    for n in 0..80 {
        assert_eq!(tell("sent", n).await.status(), Some(Delivered::Sent));
    }
    assert_eq!(tell("delivered", 0).await.status(), Some(Delivered::Delivered));
}

async fn a_stranger_hears_nothing(engine: Engine) {
    let mut world = World::with(engine, Policy { gate: Gate::None, ..Policy::default() });
    world.work();
    let id = world.start(Channel::Call).await.verification.id;
    world.until_accepted(&id, 1).await;
    let ours = world.record(&id).await.sends[0].sid.clone().unwrap();
    let before = world.record(&id).await;
    let other = VerificationId::from_random([9; 15]);
    for (id, number, sid) in [(&id, 1, strange("CA")), (&id, 2, ours.clone()), (&other, 1, ours.clone())] {
        let request = VoiceRequest {
            verification: id.clone(),
            number,
            sid,
            from: None,
            to: None,
            machine: false,
            step: Step::Gate { digits: "1".into() },
        };
        assert!(matches!(
            messaging::speak(&world.app.messaging, &proof(), request).await,
            Err(MessagingError::Fault(Fault::NotFound))
        ));
    }
    assert_eq!(world.record(&id).await, before);
}

fn strange(kind: &str) -> dialback::model::id::Sid {
    format!("{kind}000000000000000000000000000000ff").parse().unwrap()
}

async fn speak(world: &World, id: &VerificationId, kind: &str, step: Step) -> Result<Spoken, MessagingError> {
    let request = VoiceRequest {
        verification: id.clone(),
        number: 1,
        sid: strange(kind),
        from: None,
        to: None,
        machine: false,
        step,
    };
    Ok(messaging::speak(&world.app.messaging, &proof(), request).await?.spoken)
}

// Secrets.

async fn keys_are_kept_as_hashes(engine: Engine) {
    let world = World::new(engine);
    let (key, shown) =
        admin::create_key(&world.app.directory, &Actor::operator(), "shop", Scope::of_an_application())
            .await
            .unwrap();
    let (_, other) =
        admin::create_key(&world.app.directory, &Actor::operator(), "bank", Scope::of_an_application())
            .await
            .unwrap();
    assert_eq!(admin::key_holder(&world.app.base, shown.expose()).await.unwrap(), Some(key.clone()));
    let secret = shown.expose().rsplit('_').next().unwrap();
    let mixed = format!("dbk_{}_{}", key.id, other.expose().rsplit('_').next().unwrap());
    for wrong in ["", "dbk_", secret, mixed.as_str(), &shown.expose()[1..]] {
        assert_eq!(admin::key_holder(&world.app.base, wrong).await.unwrap(), None);
    }
    for name in ["", "  ", &"x".repeat(65), "a\nb"] {
        let refused =
            admin::create_key(&world.app.directory, &Actor::operator(), name, Scope::of_an_application())
                .await;
        assert_eq!(word(&refused.unwrap_err()), "Malformed");
    }
    let useless = admin::create_key(&world.app.directory, &Actor::operator(), "idle", BTreeSet::new()).await;
    assert_eq!(word(&useless.unwrap_err()), "Malformed");
    let stored = body(&*world.store, &Key::new(Kind::ApiKey, &*key.id)).await;
    let stored = String::from_utf8(stored.to_vec()).unwrap();
    assert!(stored.contains("shop") && !stored.contains(secret));
    admin::revoke_key(&world.app.base, &Actor::operator(), &key.id).await.unwrap();
    assert_eq!(admin::key_holder(&world.app.base, shown.expose()).await.unwrap(), None);
    assert_eq!(
        word(&admin::revoke_key(&world.app.base, &Actor::operator(), &key.id).await.unwrap_err()),
        "NotFound"
    );
}

async fn no_code_is_ever_at_rest(engine: Engine) {
    let policy = Policy { new_code_on_resend: true, cooldown: vec![], ..Policy::default() };
    let mut world = World::with(engine, policy);
    world.script([Say::Unknown, Say::Taken, Say::Refused(30007)], [Find::Nothing]);
    world.work();
    for n in 0..5 {
        let to = format!("+1415555012{n}");
        let started =
            verification::start(&world.app.verifying, request(&to, Channel::Sms), key(&to)).await.unwrap();
        let id = started.view.verification.id;
        pass_slowly(&world, 10).await;
        verification::resend(&world.app.verifying, &id, Some(Channel::Call)).await.unwrap();
        world.settle().await;
        let code = world.gateway.orders().last().unwrap().code.clone();
        verification::check(&world.app.verifying, &id, &wrong(&code)).await.unwrap();
        verification::check(&world.app.verifying, &id, &code).await.unwrap();
    }
    let codes: BTreeSet<String> = world.gateway.orders().into_iter().map(|order| order.code).collect();
    assert!(codes.len() > 5, "{} codes", codes.len());
    let rest = world.at_rest();
    assert!(rest.len() > 30);
    for text in rest {
        let value: Value = serde_json::from_str(&text).unwrap();
        let mut tokens = Vec::new();
        collect(&value, &mut tokens);
        assert!(!tokens.iter().any(|token| codes.contains(token)), "a code is at rest");
    }
}

/// Every number, and every word of every text, of a JSON value.
fn collect(value: &Value, tokens: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            tokens.extend(text.split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_owned));
        }
        Value::Number(number) => tokens.push(number.to_string()),
        Value::Array(values) => values.iter().for_each(|value| collect(value, tokens)),
        Value::Object(object) => object.values().for_each(|value| collect(value, tokens)),
        Value::Null | Value::Bool(_) => {}
    }
}
