//! Calls: what is heard, by whom, what is never said, and what they came to.

use crate::instance::{Instance, Setup, text};
use crate::support::proof;
use crate::world::World;
use dialback::app::messaging::{self, Said, Spoken, Step, VoiceRequest};
use dialback::app::verification::{self, StartRequest};
use dialback::model::channel::Channel;
use dialback::model::delivery::{Delivery, Source};
use dialback::model::policy::Gate;
use dialback::store::memory::Memory;
use dialback::store::{Commit, CountedError, Maintenance, StoreError};
use dialback::twilio::callback;
use reqwest::Method;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const INTRO: &str = "Your code is:";
const SPENT: &str = "This code is no longer valid. Goodbye.";

fn heard(call: &Value) -> Vec<String> {
    call["spoken"].as_array().unwrap().iter().map(text).collect()
}

fn says(call: &Value, words: &str) -> bool {
    heard(call).iter().any(|caption| caption.contains(words))
}

/// How often the code was read out.
fn readings(call: &Value) -> usize {
    heard(call).iter().filter(|caption| *caption == INTRO).count()
}

/// The code as it was read out: one caption for each figure.
fn spoken_code(call: &Value) -> String {
    let captions = heard(call);
    let figures = captions.iter().skip_while(|caption| *caption != INTRO).skip(1);
    figures.take_while(|caption| caption.len() == 1).map(String::as_str).collect()
}

fn has_figures(call: &Value) -> bool {
    heard(call).iter().any(|caption| caption.len() == 1 && caption.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Starts a call and answers it; gives the verification's id and the call.
async fn answered(app: &Instance, number: &str) -> (String, Value) {
    let id = text(&app.begin(number, "call").await["id"]);
    let call = app.call(number, |call| call["status"] == "ringing").await;
    app.answer(&call).await;
    (id, app.call(number, |call| !heard(call).is_empty()).await)
}

#[tokio::test]
async fn a_call_says_the_code_after_a_key_was_pressed() {
    let app = Setup::sandbox().start().await;
    let number = "+15551230201";
    let (id, call) = answered(&app, number).await;
    assert!(!has_figures(&call), "{:?}", heard(&call));
    app.press(&call, "7").await;
    let call = app.call(number, |call| says(call, "press one")).await;
    let code = spoken_code(&call);
    app.learn(&code);
    assert_eq!(code.len(), 6, "{:?}", heard(&call));
    // Twice, and nothing but figures and words for people.
    let figures: String = heard(&call).into_iter().filter(|caption| caption.len() == 1).collect();
    assert_eq!(figures, code.repeat(2));
    assert_eq!(app.check(&id, &code).await.json()["valid"], true);
    app.control(Method::POST, &format!("/calls/{}/hang-up", text(&call["sid"])), Some(&json!({}))).await;
    let delivery = app.delivery(&text(&call["sid"]), |delivery| delivery["status"] == "completed").await;
    assert_eq!((&delivery["channel"], &delivery["verification"]), (&json!("call"), &json!(id)));
    assert_eq!(
        (&delivery["delivered"], &delivery["heard"], &delivery["unheard"]),
        (&json!(true), &json!(true), &Value::Null)
    );
    let came_to = json!({ "right_keys": 1, "wrong_keys": 0, "readings_begun": 1, "readings_finished": 1 });
    assert_eq!(delivery["call"], came_to);
    let told: Vec<&str> =
        delivery["events"].as_array().unwrap().iter().filter_map(|event| event["told"].as_str()).collect();
    assert_eq!(told, ["gate", "code", "code"]);
    let seen: Vec<_> = delivery["events"].as_array().unwrap().iter().map(|event| &event["status"]).collect();
    for status in ["ringing", "in-progress", "completed"] {
        assert!(seen.contains(&&json!(status)), "{seen:?}");
    }
    // The code is in the document that is read out, and in no request.
    let fetched = app.exchanges("twiml", &text(&call["sid"])).await;
    assert_eq!(fetched.len(), 3, "the gate, the code, and the code once more");
    for exchange in &fetched {
        assert!(
            !text(&exchange["request"]["url"]).contains(&code)
                && !text(&exchange["request"]["body"]).contains(&code)
        );
    }
    app.stop().await;
}

#[tokio::test]
async fn the_code_is_heard_again_as_often_as_is_allowed() {
    let app = Setup::sandbox().set("VOICE__MAX_REPLAYS", "2").start().await;
    let number = "+15551230202";
    let (_, call) = answered(&app, number).await;
    app.press(&call, "5").await;
    for replay in 1..=2 {
        app.call(number, |call| {
            heard(call).iter().filter(|caption| caption.contains("press one")).count() == replay
        })
        .await;
        app.press(&call, "1").await;
    }
    let call = app.call(number, |call| call["status"] == "completed").await;
    app.learn(spoken_code(&call));
    assert_eq!(readings(&call), 3, "{:?}", heard(&call));
    assert_eq!(heard(&call).last().unwrap(), "Thank you. Goodbye.");
}

#[tokio::test]
async fn another_key_than_one_ends_the_call() {
    let app = Setup::sandbox().start().await;
    let number = "+15551230203";
    let (_, call) = answered(&app, number).await;
    app.press(&call, "5").await;
    app.call(number, |call| says(call, "press one")).await;
    app.press(&call, "2").await;
    let call = app.call(number, |call| call["status"] == "completed").await;
    app.learn(spoken_code(&call));
    assert_eq!(readings(&call), 1);
}

#[tokio::test]
async fn a_named_key_opens_the_gate_and_others_do_not() {
    let app = Setup::sandbox().set("VOICE__GATE", "named-key").start().await;
    let number = "+15551230204";
    let (id, call) = answered(&app, number).await;
    let prompt = heard(&call).concat();
    let key =
        prompt.chars().rev().find(char::is_ascii_digit).unwrap_or_else(|| panic!("no key in {prompt:?}"));
    let other = if key == '9' { '8' } else { '9' };
    app.press(&call, &other.to_string()).await;
    let call = app.call(number, |call| says(call, "not the right key")).await;
    assert_eq!(readings(&call), 0);
    app.press(&call, &key.to_string()).await;
    let call = app.call(number, |call| says(call, "press one")).await;
    let code = spoken_code(&call);
    app.learn(&code);
    assert_eq!(app.check(&id, &code).await.json()["valid"], true);

    // Who does not find the key after all tries hears no code.
    let number = "+15551230205";
    let (_, call) = answered(&app, number).await;
    let prompt = heard(&call).concat();
    let other = if prompt.contains('9') { "8" } else { "9" };
    for _ in 0..3 {
        app.press(&call, other).await;
    }
    let call = app.call(number, |call| call["status"] == "completed").await;
    assert_eq!(readings(&call), 0, "{:?}", heard(&call));
}

#[tokio::test]
async fn voicemail_never_hears_a_code() {
    let app = Setup::sandbox().set("VOICE__MACHINE_DETECTION", "enable").start().await;
    let number = "+15551230206";
    app.phone(number, json!({ "answers": "machine", "press": ["1", "1"] })).await;
    let id = text(&app.begin(number, "call").await["id"]);
    let call = app.call(number, |call| call["status"] == "completed").await;
    assert_eq!((readings(&call), has_figures(&call)), (0, false), "{:?}", heard(&call));
    let delivery = app.delivery(&text(&call["sid"]), |delivery| delivery["status"] == "completed").await;
    assert_eq!(delivery["answered_by"], "machine_start");
    // What nobody heard is sent by text.
    let code = app.texted_code(number, 1).await;
    let seen = app.verification(&id, |_| true).await;
    let [called, texted] = [0, 1].map(|at| &seen["deliveries"][at]);
    assert_eq!((&seen["status"], &texted["follows"]), (&json!("pending"), &called["id"]));
    assert_eq!(app.check(&id, &code).await.json()["valid"], true);
    // A person is still let through.
    let (_, call) = answered(&app, "+15551230207").await;
    app.press(&call, "3").await;
    let call = app.call("+15551230207", |call| says(call, "press one")).await;
    app.learn(spoken_code(&call));
}

#[tokio::test]
async fn without_detection_the_gate_keeps_the_code_from_voicemail() {
    let app = Setup::sandbox().start().await;
    let number = "+15551230208";
    app.phone(number, json!({ "answers": "machine" })).await;
    let id = text(&app.begin(number, "call").await["id"]);
    let call = app.call(number, |call| !heard(call).is_empty()).await;
    assert_eq!(call["status"], "in-progress");
    app.advance(20).await;
    let call = app.call(number, |call| call["status"] == "completed").await;
    assert_eq!((readings(&call), has_figures(&call)), (0, false), "{:?}", heard(&call));
    assert_eq!(heard(&call).last().unwrap(), "No key was pressed. Goodbye.");
    let code = app.texted_code(number, 1).await;
    assert_eq!(app.check(&id, &code).await.json()["valid"], true);
}

#[tokio::test]
async fn a_spent_verification_says_so_and_hangs_up() {
    let app = Setup::sandbox().start().await;
    let number = "+15551230209";
    // Canceled before anybody answers.
    let id = text(&app.begin(number, "call").await["id"]);
    let call = app.call(number, |call| call["status"] == "ringing").await;
    app.http
        .delete(format!("{}/v1/verifications/{id}", app.server))
        .bearer_auth(crate::instance::KEY)
        .send()
        .await
        .unwrap();
    app.answer(&call).await;
    let call = app.call(number, |call| call["status"] == "completed").await;
    assert_eq!(heard(&call), [SPENT]);
    // Expired while the gate waits: the key comes too late.
    let number = "+15551230210";
    app.phone(number, json!({})).await;
    let (_, call) = answered(&app, number).await;
    app.control(Method::POST, "/clock", Some(&json!({ "stop": true }))).await;
    app.press(&call, "1").await;
    let call = app.call(number, |call| says(call, "press one")).await;
    app.learn(spoken_code(&call));
    let code = spoken_code(&call);
    let view = app.begin("+15551230211", "sms").await;
    assert_eq!(view["status"], "pending");
    app.texted_code("+15551230211", 1).await;
    // Approved on another device while the call goes on.
    let id = app.delivery(&text(&call["sid"]), |delivery| !delivery["verification"].is_null()).await;
    assert_eq!(app.check(&text(&id["verification"]), &code).await.json()["valid"], true);
    app.press(&call, "1").await;
    let call = app.call(number, |call| call["status"] == "completed").await;
    assert_eq!(heard(&call).last().unwrap(), SPENT);
}

#[tokio::test]
async fn calls_that_nobody_takes_end_in_the_right_status() {
    let app = Setup::sandbox().start().await;
    let ends = [("busy", "busy"), ("declines", "busy"), ("fails", "failed"), ("nobody", "no-answer")];
    for (at, (answers, status)) in ends.into_iter().enumerate() {
        let number = format!("+1555123022{at}");
        app.phone(&number, json!({ "answers": answers, "answer_after_ms": 10 })).await;
        let id = text(&app.begin(&number, "call").await["id"]);
        let view = app.verification(&id, |view| view["deliveries"][0]["status"] == status).await;
        assert_eq!((&view["status"], &view["checks_left"]), (&json!("pending"), &json!(5)));
    }
}

/// The events about a call of a verification, once it has ended: what was told
/// of it, and why.
async fn told(app: &Instance, id: &str) -> Vec<(String, String)> {
    app.verification(id, |view| {
        matches!(
            view["deliveries"][0]["status"].as_str(),
            Some("completed" | "busy" | "no-answer" | "failed")
        )
    })
    .await;
    let events = app.get("/v1/events?limit=100").await.json();
    // A machine is followed by a text, and that arrives.
    let of_call = |event: &&Value| {
        (&event["data"]["verification"], &event["data"]["channel"]) == (&json!(id), &json!("call"))
            && ["verification.delivered", "verification.unheard"].contains(&event["type"].as_str().unwrap())
    };
    let told = events["events"].as_array().unwrap().iter().filter(of_call);
    told.map(|event| (text(&event["type"]), event["data"]["reason"].as_str().unwrap_or_default().to_owned()))
        .collect()
}

fn unheard(reason: &str) -> Vec<(String, String)> {
    vec![("verification.unheard".to_owned(), reason.to_owned())]
}

#[tokio::test]
async fn a_call_is_delivered_when_it_was_heard_and_else_says_why_not() {
    let app = Setup::sandbox()
        .set("VOICE__GATE", "named-key")
        .set("VOICE__MACHINE_DETECTION", "enable")
        .start()
        .await;
    // Nobody presses a key, whoever took the call.
    let number = "+15551230231";
    let (id, call) = answered(&app, number).await;
    app.advance(20).await;
    app.call(number, |call| call["status"] == "completed").await;
    assert_eq!(told(&app, &id).await, unheard("no_key"));
    let delivery = app.delivery(&text(&call["sid"]), |_| true).await;
    assert_eq!(
        (&delivery["delivered"], &delivery["heard"], &delivery["unheard"]["reason"]),
        (&json!(false), &json!(false), &json!("no_key"))
    );
    let sent = app.verification(&id, |_| true).await["deliveries"][0].clone();
    assert_eq!((&sent["delivered"], &sent["heard"]), (&json!(false), &json!(false)));

    // A machine.
    let number = "+15551230232";
    app.phone(number, json!({ "answers": "machine" })).await;
    let id = text(&app.begin(number, "call").await["id"]);
    app.call(number, |call| call["status"] == "completed").await;
    assert_eq!(told(&app, &id).await, unheard("machine"));

    // Somebody who puts down before the code.
    let number = "+15551230233";
    let (id, call) = answered(&app, number).await;
    app.control(Method::POST, &format!("/calls/{}/hang-up", text(&call["sid"])), Some(&json!({}))).await;
    assert_eq!(told(&app, &id).await, unheard("hung_up"));

    // Wrong keys, to the end.
    let number = "+15551230234";
    let (id, call) = answered(&app, number).await;
    let other = if heard(&call).concat().contains('9') { "8" } else { "9" };
    app.press(&call, &other.repeat(3)).await;
    app.call(number, |call| call["status"] == "completed").await;
    assert_eq!(told(&app, &id).await, unheard("wrong_key"));
    let delivery = app.delivery(&text(&call["sid"]), |_| true).await;
    assert_eq!(
        (&delivery["call"]["wrong_keys"], &delivery["call"]["readings_begun"]),
        (&json!(3), &json!(0))
    );

    // The right key, and the code to its end.
    let number = "+15551230235";
    let (id, call) = answered(&app, number).await;
    let key = heard(&call).concat().chars().rev().find(char::is_ascii_digit).unwrap();
    app.press(&call, &key.to_string()).await;
    let call = app.call(number, |call| says(call, "press one")).await;
    app.learn(spoken_code(&call));
    app.control(Method::POST, &format!("/calls/{}/hang-up", text(&call["sid"])), Some(&json!({}))).await;
    assert_eq!(told(&app, &id).await, [("verification.delivered".to_owned(), String::new())]);
    app.stop().await;
}

#[tokio::test]
async fn a_call_that_is_cut_in_the_midst_of_the_code_was_read_it_and_not_heard() {
    let app = Setup::sandbox().start().await;
    let number = "+15551230236";
    let (id, call) = answered(&app, number).await;
    // What Twilio asks when the key was pressed, and nothing after it.
    let (sid, path) = (text(&call["sid"]), format!("/twilio/voice/{id}/1/code"));
    let ask = [
        ("CallSid", sid.as_str()),
        ("AccountSid", app.account.as_str()),
        ("Digits", "5"),
        ("CallStatus", "in-progress"),
        ("From", "+15005550006"),
        ("To", number),
        ("Direction", "outbound-api"),
        ("ApiVersion", "2010-04-01"),
    ];
    let document = app.webhook(&path, &ask).await;
    assert!(document.text.contains(&format!("/twilio/voice/{id}/1/read</Redirect>")), "{}", document.status);
    app.control(Method::POST, &format!("/calls/{sid}/hang-up"), Some(&json!({}))).await;
    assert_eq!(told(&app, &id).await, unheard("cut_short"));
    let delivery = app.delivery(&sid, |_| true).await;
    assert_eq!((&delivery["delivered"], &delivery["heard"]), (&json!(true), &json!(false)));
    app.stop().await;
}

#[tokio::test]
async fn calls_that_nobody_takes_are_unheard_with_their_reason() {
    let app = Setup::sandbox().start().await;
    let ends = [("busy", "busy"), ("declines", "busy"), ("fails", "call_failed"), ("nobody", "no_answer")];
    for (at, (answers, reason)) in ends.into_iter().enumerate() {
        let number = format!("+1555123024{at}");
        app.phone(&number, json!({ "answers": answers, "answer_after_ms": 10 })).await;
        let id = text(&app.begin(&number, "call").await["id"]);
        assert_eq!(told(&app, &id).await, unheard(reason), "{answers}");
    }
    app.stop().await;
}

/// Words at an address that is not the server's, for as long as the test lasts.
fn elsewhere(twiml: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/twiml", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 8192]);
            let length = twiml.len();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: {length}\r\n");
            let _ = write!(stream, "{head}connection: close\r\n\r\n{twiml}");
        }
    });
    url
}

#[tokio::test]
async fn while_nobody_answers_here_a_caller_hears_what_somebody_else_says() {
    let fallback = elsewhere("<Response><Say>Please ask for a text.</Say></Response>");
    // Twilio reaches nobody there, so there are neither words nor callbacks.
    let away = Setup::sandbox().set("PUBLIC_URL", "http://127.0.0.1:9");
    let app = away.set("TWILIO__VOICE_FALLBACK_URL", &fallback).start().await;
    let (_, call) = answered(&app, "+15551230288").await;
    assert_eq!(heard(&call), ["Please ask for a text."]);
    app.stop().await;
}

/// A store that fails at the commit of that number, from 1, among those of calls.
struct Failing {
    inner: Arc<dyn Maintenance>,
    left: AtomicUsize,
}

crate::over::store_over!(Failing, inner, [read due_in scan], {
    async fn commit_counted(&self, commit: Commit) -> Result<(), CountedError> {
        let is_of_a_call = commit.changes.iter().any(|change| change.key.id.starts_with("CA"));
        if is_of_a_call && self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            return Err(StoreError::Failed("on purpose".into()).into());
        }
        self.inner.commit_counted(commit).await
    }
});

/// Whichever write of an answered call fails: a reading is counted when it is
/// spoken, and never else.
#[tokio::test]
async fn a_store_that_fails_costs_no_reading() {
    for fails_at in 1..4 {
        let store = Arc::new(Failing { inner: Arc::new(Memory::new()), left: AtomicUsize::new(usize::MAX) });
        let world = World::over_with(store.clone(), |service| service.gate = Gate::None).await;
        let request = StartRequest { channel: Some(Channel::Call), ..StartRequest::to("+14155550123") };
        let id = verification::start(&world.app.verifying, request, None).await.unwrap().view.verification.id;
        let (_, sid) = world.post.first().await;
        store.left.store(fails_at, Ordering::SeqCst);
        let mut spoken = 0;
        for _ in 0..2 {
            let pairs = [("CallSid", sid.as_str()), ("CallStatus", "in-progress"), ("AnsweredBy", "human")];
            let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
            let report = callback::report(&pairs, Source::VoiceRequest, None).unwrap();
            let request = VoiceRequest {
                verification: id.clone(),
                number: 1,
                sid: sid.clone(),
                from: None,
                to: None,
                machine: false,
                step: Step::Answered,
            };
            let said = messaging::speak_noting(&world.app.messaging, &proof(), request, Some(report)).await;
            spoken += u8::from(matches!(said, Ok(Said { spoken: Spoken::Code { .. }, .. })));
            let view = verification::fetch(&world.app.admission, &id).await.unwrap();
            let (send, delivery) = &view.deliveries[0];
            assert_eq!(send.readings, spoken, "{fails_at}: {said:?}");
            let answered_by = delivery.as_ref().and_then(Delivery::answered_by);
            assert_eq!(answered_by.is_some(), spoken > 0, "{fails_at}");
            if spoken > 0 {
                break;
            }
        }
        assert!(spoken > 0, "{fails_at}");
    }
}
