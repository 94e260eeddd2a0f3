//! Whose word counts for what: accounts beside the one that sends, and requests
//! that nothing proves.

use crate::instance::{ACCOUNT, Answer, Instance, PUBLIC_URL, Setup, TOKEN, answer, form, sign, text};
use crate::support::{Script, eventually, parts, report, request};
use dialback::app::messaging::{self, MessagingError};
use dialback::app::{App, Parts, verification};
use dialback::clock::Clock;
use dialback::jobs;
use dialback::model::account::{Accounts, Proof};
use dialback::model::channel::Channel;
use dialback::model::session_window::SessionWindow;
use dialback::model::status::Status;
use dialback::store::memory::Memory;
use dialback::store::{Maintenance, records};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// An account with a token and nothing else, and one with a sender of its own.
const SUB: &str = "AC22222222222222222222222222222222";
const SUBS: &str = "2c9d41f07b6e4a83951fd0e7c28b3a64";
const BRANCH: &str = "AC33333333333333333333333333333333";
const BRANCHS: &str = "3e70b5c1942f4d68a7039ce1f5d28b46";
const MAINS_SENDER: &str = "+15017122661";
const BRANCHS_SENDER: &str = "+15005550007";
const PERSON: &str = "+14155550190";
const SIGNATURE: &str = "x-twilio-signature";

fn with_accounts(setup: Setup) -> Setup {
    let sub = format!("{{ account_sid = \"{SUB}\", token = \"{SUBS}\" }}");
    let branch =
        format!("{{ {BRANCH} = {{ auth_token = \"{BRANCHS}\", senders = [\"{BRANCHS_SENDER}\"] }} }}");
    setup.set("TWILIO__AUTH_TOKENS", &format!("[{sub}]")).set("TWILIO__ACCOUNTS", &branch)
}

async fn live() -> Instance {
    let app = with_accounts(Setup::live()).start().await;
    for token in [SUBS, BRANCHS, PERSON] {
        app.learn(token);
    }
    app
}

/// A form, signed with a token of one's choice.
async fn signed(app: &Instance, token: &str, path: &str, params: &[(&str, &str)]) -> Answer {
    let signature = sign(token, &format!("{}{path}", app.public_url), params);
    app.forged(path, params, &[(SIGNATURE, &signature)]).await
}

async fn events(app: &Instance, token: &str, batch: &Value) -> u16 {
    let body = batch.to_string();
    let path = format!("/twilio/events?bodySHA256={}", hex::encode(Sha256::digest(&body)));
    let signature = sign(token, &format!("{}{path}", app.public_url), &[]);
    let request = app.http.post(format!("{}{path}", app.server)).header(SIGNATURE, signature);
    answer(request.header("content-type", "application/json").body(body)).await.status
}

fn sid(n: u32) -> String {
    format!("SM{n:032x}")
}

fn status<'a>(sid: &'a str, status: &'a str, account: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![("MessageSid", sid), ("MessageStatus", status), ("AccountSid", account)]
}

fn inbound<'a>(word: &'a str, to: &'a str, account: &'a str) -> Vec<(&'a str, &'a str)> {
    let sid = "SM00000000000000000000000000000b01";
    vec![("MessageSid", sid), ("From", PERSON), ("To", to), ("Body", word), ("AccountSid", account)]
}

async fn opt_outs(app: &Instance) -> Vec<String> {
    let all = app.ask(&app.operator(), Method::GET, "/v1/opt-outs", None).await.json();
    let all = all["opt_outs"].as_array().unwrap().clone();
    all.iter().filter(|wish| wish["opted_out"] == true).map(|wish| text(&wish["sender"])).collect()
}

async fn stored(app: &Instance, sid: &str) -> Option<Value> {
    let answer = app.get(&format!("/v1/deliveries/{sid}")).await;
    (answer.status == 200).then(|| answer.json())
}

#[tokio::test]
async fn a_token_proves_only_what_names_its_own_account_and_no_other() {
    let app = live().await;
    let twice = |first: &'static str, second: &'static str| {
        vec![
            ("MessageSid", "SM00000000000000000000000000000001"),
            ("MessageStatus", "sent"),
            ("AccountSid", first),
            ("AccountSid", second),
        ]
    };
    let one = sid(1);
    let beside = format!("/twilio/status?AccountSid={SUB}");
    let cases = [
        (SUBS, "/twilio/status", status(&one, "sent", ACCOUNT), "mismatch"),
        (BRANCHS, "/twilio/status", status(&one, "sent", SUB), "mismatch"),
        (TOKEN, "/twilio/status", status(&one, "sent", SUB), "mismatch"),
        (TOKEN, "/twilio/status", status(&one, "sent", "AC4"), "unknown_account"),
        (TOKEN, "/twilio/status", status(&one, "sent", ACCOUNT)[..2].to_vec(), "no_account"),
        (SUBS, "/twilio/status", status(&one, "sent", ACCOUNT)[..2].to_vec(), "no_account"),
        (SUBS, beside.as_str(), status(&one, "sent", ACCOUNT)[..2].to_vec(), "no_account"),
        (SUBS, beside.as_str(), status(&one, "sent", ACCOUNT), "many_accounts"),
        (SUBS, "/twilio/status", twice(SUB, ACCOUNT), "many_accounts"),
        (SUBS, "/twilio/status", twice(ACCOUNT, SUB), "many_accounts"),
        (TOKEN, "/twilio/status", twice(ACCOUNT, ACCOUNT), "many_accounts"),
    ];
    let mut counted = std::collections::BTreeMap::<&str, u64>::new();
    for (token, path, params, cause) in &cases {
        signed(&app, token, path, params).await.problem(403, "signature_rejected");
        *counted.entry(cause).or_default() += 1;
        assert_eq!(app.rejected().await, json!(counted), "{params:?}");
    }
    // By GET everything is in the URL.
    for query in [
        form(&status(&one, "sent", ACCOUNT)[..2]),
        format!("{}&AccountSid={SUB}", form(&status(&one, "sent", ACCOUNT))),
    ] {
        let path = format!("/twilio/sms?{query}");
        let signature = sign(SUBS, &format!("{PUBLIC_URL}{path}"), &[]);
        let get = app.http.get(format!("{}{path}", app.server)).header(SIGNATURE, signature);
        answer(get).await.problem(403, "signature_rejected");
    }
    assert_eq!(stored(&app, &one).await, None);
    assert_eq!(signed(&app, SUBS, "/twilio/status", &status(&one, "sent", SUB)).await.status, 204);
    assert_eq!(stored(&app, &one).await.unwrap()["account_sid"], SUB);
    app.stop().await;
}

#[tokio::test]
async fn a_delivery_stays_with_the_account_that_spoke_of_it_first() {
    let app = live().await;
    let (mains, subs) = (sid(1), sid(2));
    assert_eq!(signed(&app, TOKEN, "/twilio/status", &status(&mains, "sent", ACCOUNT)).await.status, 204);
    assert_eq!(signed(&app, SUBS, "/twilio/status", &status(&subs, "sent", SUB)).await.status, 204);
    let before = [stored(&app, &mains).await.unwrap(), stored(&app, &subs).await.unwrap()];
    for path in ["/twilio/status", "/twilio/sms"] {
        let (foreign, own) = (status(&mains, "delivered", SUB), status(&subs, "delivered", ACCOUNT));
        assert!(signed(&app, SUBS, path, &foreign).await.status < 300);
        assert!(signed(&app, TOKEN, path, &own).await.status < 300);
    }
    app.logged("a report about another account's message or call was dropped").await;
    assert_eq!([stored(&app, &mains).await.unwrap(), stored(&app, &subs).await.unwrap()], before);
    assert_eq!(signed(&app, SUBS, "/twilio/status", &status(&subs, "delivered", SUB)).await.status, 204);
    assert_eq!(stored(&app, &subs).await.unwrap()["status"], "delivered");
}

#[tokio::test]
async fn what_people_say_to_a_sender_counts_from_the_account_that_has_it() {
    let app = live().await;
    let say = async |token: &str, account: &str, word: &str, to: &str| {
        assert_eq!(signed(&app, token, "/twilio/sms", &inbound(word, to, account)).await.status, 200);
        opt_outs(&app).await
    };
    let none = Vec::<String>::new();
    assert_eq!(say(SUBS, SUB, "STOP", MAINS_SENDER).await, none);
    assert_eq!(say(BRANCHS, BRANCH, "STOP", MAINS_SENDER).await, none);
    assert_eq!(say(TOKEN, ACCOUNT, "STOP", BRANCHS_SENDER).await, none);
    assert_eq!(say(SUBS, SUB, "STOP", BRANCHS_SENDER).await, none);
    assert_eq!(say(BRANCHS, BRANCH, "STOP", BRANCHS_SENDER).await, [BRANCHS_SENDER]);
    assert_eq!(say(TOKEN, ACCOUNT, "STOP", MAINS_SENDER).await, [MAINS_SENDER, BRANCHS_SENDER]);
    let start = json!({ "to": PERSON, "channel": "sms" });
    app.post("/v1/verifications", &start).await.problem(422, "recipient_opted_out");
    // Nor does another account opt them in again.
    say(SUBS, SUB, "START", MAINS_SENDER).await;
    app.post("/v1/verifications", &start).await.problem(422, "recipient_opted_out");
    say(TOKEN, ACCOUNT, "START", MAINS_SENDER).await;
    assert_eq!(app.post("/v1/verifications", &start).await.status, 201);
}

#[tokio::test]
async fn a_batch_speaks_for_the_account_that_signed_it() {
    let app = live().await;
    let event = |n: u32, account: Option<&str>| {
        let mut event = json!({ "specversion": "1.0", "type": "com.twilio.messaging.message.delivered",
            "source": "/", "id": "EZ1", "time": "2026-11-20T10:00:00Z",
            "data": { "messageSid": sid(n), "messageStatus": "delivered" } });
        if let Some(account) = account {
            event["data"]["accountSid"] = account.into();
        }
        event
    };
    assert_eq!(events(&app, TOKEN, &json!([event(1, Some(ACCOUNT))])).await, 204);
    // Another account's token does not even prove a batch that is not about it.
    assert_eq!(events(&app, SUBS, &json!([event(2, Some(ACCOUNT))])).await, 403);
    // In one that is partly about it, its own part counts.
    let mixed = json!([event(3, Some(SUB)), event(4, Some(ACCOUNT)), event(1, None), event(5, None)]);
    assert_eq!(events(&app, SUBS, &mixed).await, 204);
    let account = async |n| Some(text(&stored(&app, &sid(n)).await?["account_sid"]));
    assert_eq!(account(1).await.as_deref(), Some(ACCOUNT));
    assert_eq!(account(2).await, None);
    assert_eq!(account(3).await.as_deref(), Some(SUB));
    assert_eq!(account(4).await, None);
    assert_eq!(account(5).await.as_deref(), Some(SUB));
    // What an event is about stands in its source, too.
    let mut elsewhere = event(6, None);
    elsewhere["source"] = format!("/2010-04-01/Accounts/{ACCOUNT}/Messages/{}.json", sid(6)).into();
    assert_eq!(events(&app, SUBS, &json!([elsewhere, event(7, Some(SUB))])).await, 204);
    assert_eq!((account(6).await, account(7).await.as_deref()), (None, Some(SUB)));
}

#[tokio::test]
async fn another_account_settles_no_send() {
    let app = live().await;
    let id = text(&app.begin(PERSON, "sms").await["id"]);
    let view = app.verification(&id, |_| true).await;
    let path = format!("/twilio/status?delivery={}", text(&view["deliveries"][0]["id"]));
    let foreign = sid(1);
    assert_eq!(signed(&app, SUBS, &path, &status(&foreign, "delivered", SUB)).await.status, 204);
    let delivery = stored(&app, &foreign).await.unwrap();
    assert_eq!((&delivery["account_sid"], &delivery["verification"]), (&json!(SUB), &Value::Null));
    assert_eq!(app.verification(&id, |_| true).await["deliveries"][0]["sid"], Value::Null);
    let own = sid(2);
    assert_eq!(signed(&app, TOKEN, &path, &status(&own, "sent", ACCOUNT)).await.status, 204);
    assert_eq!(app.verification(&id, |_| true).await["deliveries"][0]["sid"], json!(own));
}

/// Asks for what a call hears, in every way there is.
async fn asked(app: &Instance, id: &str, call: &str, account: &str, token: &str) -> Vec<String> {
    let mut heard = Vec::new();
    for below in ["", "/code", "/again"] {
        let path = format!("/twilio/voice/{id}/1{below}");
        let params =
            [("CallSid", call), ("AccountSid", account), ("CallStatus", "in-progress"), ("Digits", "1")];
        heard.push(signed(app, token, &path, &params).await.text);
        let path = format!("{path}?{}", form(&params));
        let signature = sign(token, &format!("{}{path}", app.public_url), &[]);
        let get = app.http.get(format!("{}{path}", app.server)).header(SIGNATURE, signature);
        heard.push(answer(get).await.text);
    }
    heard
}

const SPENT: &str = "This code is no longer valid. Goodbye.";
const OTHER_CALL: &str = "CA000000000000000000000000000000aa";

/// Starts a call that rings, so that nothing is bound to it or everything.
async fn ringing(app: &Instance, number: &str) -> (String, Value) {
    let id = text(&app.begin(number, "call").await["id"]);
    let call = app.call(number, |call| call["status"] == "ringing").await;
    app.verification(&id, |view| !view["deliveries"][0]["sid"].is_null()).await;
    (id, call)
}

/// The call that was placed is still the one that hears the code.
async fn is_still_heard(app: &Instance, number: &str, call: &Value) {
    app.answer(call).await;
    app.call(number, |call| call["spoken"].as_array().is_some_and(|spoken| !spoken.is_empty())).await;
    app.press(call, "7").await;
    let captions = |call: &Value| call["spoken"].as_array().unwrap().iter().map(text).collect::<Vec<_>>();
    let call = app.call(number, |call| captions(call).iter().any(|said| said.contains("press one"))).await;
    let figures: String = captions(&call).into_iter().filter(|said| said.len() == 1).collect();
    assert_eq!(figures.len(), 12, "the code, twice");
    app.learn(&figures[..6]);
}

#[tokio::test]
async fn another_account_hears_no_code() {
    let app = with_accounts(Setup::sandbox().set("VOICE__GATE", "any-key")).start().await;
    let number = "+15551230901";
    let (id, call) = ringing(&app, number).await;
    for sid in [text(&call["sid"]), OTHER_CALL.to_owned()] {
        for heard in asked(&app, &id, &sid, SUB, SUBS).await {
            assert!(heard.contains(SPENT), "{heard}");
        }
    }
    is_still_heard(&app, number, &call).await;
    app.stop().await;
}

#[tokio::test]
async fn a_copied_request_hears_nothing_once_the_call_has_ended() {
    let app = Setup::sandbox().start().await;
    let number = "+15551230903";
    let (id, call) = ringing(&app, number).await;
    is_still_heard(&app, number, &call).await;
    let sid = text(&call["sid"]);
    app.control(Method::POST, &format!("/calls/{sid}/hang-up"), Some(&json!({}))).await;
    app.delivery(&sid, |delivery| delivery["status"] == "completed").await;
    let (account, token) = (app.account.clone(), app.token.clone());
    for heard in asked(&app, &id, &sid, &account, &token).await {
        assert!(heard.contains(SPENT), "{heard}");
    }
}

#[tokio::test]
async fn a_machine_s_call_cut_into_other_pairs_is_a_machine_s() {
    let app = Setup::sandbox().set("VOICE__GATE", "none").start().await;
    let (id, call) = ringing(&app, "+15551230904").await;
    let sid = text(&call["sid"]);
    let (account, path) = (app.account.clone(), format!("/twilio/voice/{id}/1"));
    let call_sid = ("CallSid", sid.as_str());
    let whole = [("AccountSid", account.as_str()), ("AnsweredBy", "machine_start"), call_sid];
    let signature = sign(&app.token, &format!("{}{path}", app.public_url), &whole);
    let cuts = [
        whole,
        [("AccountSid", account.as_str()), ("AnsweredBymachine_start", ""), call_sid],
        [("AccountSid", account.as_str()), ("An", "sweredBymachine_start"), call_sid],
    ];
    for cut in cuts {
        let heard = app.forged(&path, &cut, &[(SIGNATURE, &signature)]).await;
        assert!(heard.status == 200 && !heard.text.contains("<Say"), "{}", heard.text);
    }
}

#[tokio::test]
async fn what_a_call_says_of_itself_it_says_once() {
    let app = Setup::sandbox().start().await;
    let (id, call) = ringing(&app, "+15551230905").await;
    let (sid, account, path) = (text(&call["sid"]), app.account.clone(), format!("/twilio/voice/{id}/1"));
    let own =
        vec![("AccountSid", account.as_str()), ("CallSid", sid.as_str()), ("CallStatus", "in-progress")];
    for more in [("CallSid", OTHER_CALL), ("CallSid", &sid), ("CallStatus", "completed")] {
        let mut params = own.clone();
        params.push(more);
        let heard = app.webhook(&path, &params).await.text;
        assert!(heard.contains(SPENT), "{more:?}: {heard}");
    }
    assert!(app.webhook(&path, &own).await.text.contains("<Gather"));
    let ended = [own[0], own[1], ("CallStatus", "completed")];
    assert!(app.webhook(&path, &ended).await.text.contains(SPENT));
}

#[tokio::test]
async fn what_was_once_said_of_a_call_holds_for_its_later_requests() {
    let app = Setup::sandbox().start().await;
    let number = "+15551230906";
    let (id, call) = ringing(&app, number).await;
    let (sid, account, path) = (text(&call["sid"]), app.account.clone(), format!("/twilio/voice/{id}/1"));
    let own = [
        ("AccountSid", account.as_str()),
        ("CallSid", sid.as_str()),
        ("CallStatus", "in-progress"),
        ("To", number),
    ];
    let with = |more: &[(&'static str, &'static str)]| [&own[..], more].concat();
    // Somebody else's call, or from somebody else, hears nothing.
    for (name, value) in
        [("To", "+15551230999"), ("From", "+15005550001"), ("To", "client:x"), ("Direction", "inbound")]
    {
        let mut params = with(&[]);
        params.retain(|(other, _)| *other != name);
        params.push((name, value));
        let heard = app.webhook(&path, &params).await.text;
        assert!(heard.contains(SPENT), "{name}={value}: {heard}");
    }
    assert!(app.webhook(&path, &with(&[])).await.text.contains("<Gather"));
    let heard = app.webhook(&path, &with(&[("AnsweredBy", "machine_start")])).await.text;
    assert!(!heard.contains("<Say"), "{heard}");
    for (below, step) in [("", vec![]), ("/code", vec![("Digits", "1")]), ("/again", vec![("Digits", "1")])] {
        let heard = app.webhook(&format!("{path}{below}"), &with(&step)).await.text;
        assert!(!heard.contains("<Say"), "{below}: {heard}");
    }
    app.stop().await;
}

/// What a call says of itself after a key was pressed.
fn key_pressed<'a>(account: &'a str, sid: &'a str, status: &'a str) -> [(&'a str, &'a str); 4] {
    [("AccountSid", account), ("CallSid", sid), ("CallStatus", status), ("Digits", "1")]
}

#[tokio::test]
async fn after_an_end_that_came_by_a_stream_a_copy_hears_nothing() {
    let app = Setup::sandbox().start().await;
    let (id, call) = ringing(&app, "+15551230907").await;
    let (sid, account) = (text(&call["sid"]), app.account.clone());
    let own = key_pressed(&account, &sid, "in-progress");
    let path = format!("/twilio/voice/{id}/1");
    assert!(app.webhook(&path, &own).await.text.contains("<Gather"));
    let kind = "com.twilio.voice.insights.call-summary.complete";
    let data = json!({ "call_sid": sid, "account_sid": account, "call_state": "completed" });
    assert_eq!(events(&app, &app.token, &json!([{ "type": kind, "data": data }])).await, 204);
    for below in ["", "/code", "/read", "/again"] {
        let heard = app.webhook(&format!("{path}{below}"), &own).await.text;
        assert!(heard.contains(SPENT), "{below}: {heard}");
    }
    app.stop().await;
}

/// A voice request may be the first to say that its call has ended.
#[tokio::test]
async fn after_an_end_that_a_voice_request_told_nothing_is_read() {
    for end in ["completed", "busy", "no-answer", "failed", "canceled"] {
        let app = Setup::sandbox().start().await;
        let (id, call) = ringing(&app, "+15551230909").await;
        let (sid, account) = (text(&call["sid"]), app.account.clone());
        let ask = async |below: &str, status: &str| {
            let own = key_pressed(&account, &sid, status);
            app.webhook(&format!("/twilio/voice/{id}/1{below}"), &own).await.text
        };
        assert!(ask("", "in-progress").await.contains("<Gather"), "{end}");
        assert!(ask("/code", end).await.contains(SPENT), "{end}");
        for below in ["/code", "/read", "/again"] {
            let heard = ask(below, "in-progress").await;
            assert!(heard.contains(SPENT), "{end} {below}: {heard}");
        }
        app.stop().await;
    }
}

#[tokio::test]
async fn a_copy_of_the_key_s_request_hears_nothing_once_the_code_was_read() {
    let app = Setup::sandbox().start().await;
    let (id, call) = ringing(&app, "+15551230908").await;
    let (sid, account) = (text(&call["sid"]), app.account.clone());
    let own = key_pressed(&account, &sid, "in-progress");
    let ask = async |below: &str| app.webhook(&format!("/twilio/voice/{id}/1{below}"), &own).await.text;
    assert!(ask("").await.contains("<Gather"));
    assert!(ask("/code").await.contains("/read</Redirect>"));
    assert!(ask("/read").await.contains("<Say"));
    for below in ["/code", "", "/read"] {
        let heard = ask(below).await;
        assert!(!heard.contains("/read</Redirect>") && !heard.contains("<Gather"), "{below}: {heard}");
    }
    app.stop().await;
}

/// What a service knows of accounts, without its faces.
async fn of_accounts(accounts: Accounts) -> (App, Arc<dyn Maintenance>) {
    let store: Arc<dyn Maintenance> = Arc::new(Memory::new());
    let clock = Clock::stopped("2026-11-20T10:00:00Z".parse().unwrap());
    let parts = parts(&store, &Arc::new(Script::default()), &clock);
    (App::new(Parts { accounts, ..parts }), store)
}

#[tokio::test]
async fn a_window_of_whatsapp_is_opened_by_whom_the_sender_belongs_to() {
    let (app, store) = of_accounts(Accounts {
        main: Some(ACCOUNT.into()),
        sending: Default::default(),
        senders: [(BRANCHS_SENDER.to_owned(), BRANCH.into())].into(),
    })
    .await;
    let proof = |account: &str| Proof::new(Some(account.into()), "a token".into());
    let person = format!("whatsapp:{PERSON}");
    let (own, branchs) = (format!("whatsapp:{MAINS_SENDER}"), format!("whatsapp:{BRANCHS_SENDER}"));
    let open = async |sender: &str| {
        let key = SessionWindow::key(&person, sender);
        records::get::<SessionWindow>(&*store, &key).await.unwrap().is_some()
    };
    for (account, sender, opens) in [
        (SUB, &own, false),
        (BRANCH, &own, false),
        (ACCOUNT, &branchs, false),
        (ACCOUNT, &own, true),
        (BRANCH, &branchs, true),
    ] {
        messaging::wrote(&app.messaging, &proof(account), &person, &[sender]).await.unwrap();
        assert_eq!(open(sender).await, opens, "{account} {sender}");
    }
}

#[tokio::test]
async fn what_is_sent_is_the_main_account_s_whoever_spoke_of_it_before() {
    let (app, _store) = of_accounts(Accounts { main: Some(ACCOUNT.into()), ..Accounts::default() }).await;
    // The name that the first message will get, guessed by somebody.
    let first: &str = &sid(1);
    let foreign = Proof::new(Some(SUB.into()), "a token".into());
    let told = || report(first, Status::Delivered, None, None);
    messaging::record(&app.messaging, &foreign, told()).await.unwrap();
    let began = verification::start(&app.verifying, request(PERSON, Channel::Sms), None).await.unwrap();
    tokio::spawn(jobs::run(app.clone(), jobs::Settings::default(), std::future::pending()));
    let id = began.view.verification.id;
    eventually("it is sent", async || {
        verification::fetch(&app.admission, &id).await.unwrap().deliveries[0].1.is_some()
    })
    .await;
    let sent = verification::fetch(&app.admission, &id).await.unwrap().deliveries[0].1.clone().unwrap();
    assert_eq!((sent.about.account_sid.as_deref(), sent.status()), (Some(ACCOUNT), Some(Status::Queued)));
    assert!(matches!(
        messaging::record(&app.messaging, &foreign, told()).await,
        Err(MessagingError::OtherAccount)
    ));
}

#[tokio::test]
async fn what_is_not_proved_hears_no_code_and_binds_no_call() {
    let app = Setup::sandbox().set("SIGNATURE__MODE", "report-only").start().await;
    let number = "+15551230902";
    let (id, call) = ringing(&app, number).await;
    let account = app.account.clone();
    for sid in [text(&call["sid"]), OTHER_CALL.to_owned()] {
        for heard in asked(&app, &id, &sid, &account, "11111111111111111111111111111111").await {
            assert!(heard.contains(SPENT), "{heard}");
        }
    }
    is_still_heard(&app, number, &call).await;
    app.logged("enforced=false").await;
}

#[tokio::test]
async fn what_is_not_proved_changes_no_wish_and_settles_no_send() {
    let setup = Setup::live().set("SIGNATURE__MODE", "report-only");
    let app = setup.set("SIGNATURE__ALLOW_REPORT_ONLY_ON_PUBLIC", "true").start().await;
    app.learn(PERSON);
    let forged = async |path: &str, params: &[(&str, &str)]| app.forged(path, params, &[]).await;
    let stop = forged("/twilio/sms", &inbound("STOP", MAINS_SENDER, ACCOUNT)).await;
    assert_eq!((stop.status, opt_outs(&app).await), (200, Vec::new()));
    // Who did opt out stays so, and is told nothing else.
    app.webhook("/twilio/sms", &inbound("STOP", MAINS_SENDER, ACCOUNT)).await;
    let start = forged("/twilio/sms", &inbound("START", MAINS_SENDER, ACCOUNT)).await;
    assert!(start.status == 200 && !start.text.contains("<Message"), "{}", start.text);
    let begin = json!({ "to": PERSON, "channel": "sms" });
    app.post("/v1/verifications", &begin).await.problem(422, "recipient_opted_out");

    let id = text(&app.begin("+14155550191", "sms").await["id"]);
    let view = app.verification(&id, |_| true).await;
    let path = format!("/twilio/status?delivery={}", text(&view["deliveries"][0]["id"]));
    let (forgery, own) = (sid(1), sid(2));
    assert_eq!(forged(&path, &status(&forgery, "delivered", ACCOUNT)).await.status, 204);
    assert_eq!(app.verification(&id, |_| true).await["deliveries"][0]["sid"], Value::Null);
    let said = stored(&app, &forgery).await.unwrap();
    assert_eq!((&said["unproved"], &said["verification"]), (&json!(true), &Value::Null));
    // What is proved takes its place, and is not changed by what is not.
    assert_eq!(app.webhook(&path, &status(&own, "sent", ACCOUNT)).await.status, 204);
    assert_eq!(app.webhook("/twilio/status", &status(&forgery, "sent", ACCOUNT)).await.status, 204);
    for sid in [&own, &forgery] {
        assert_eq!(forged("/twilio/status", &status(sid, "delivered", ACCOUNT)).await.status, 204);
        let told = stored(&app, sid).await.unwrap();
        assert_eq!((&told["status"], &told["unproved"]), (&json!("sent"), &Value::Null));
    }
    let batch = json!([{ "type": "com.twilio.messaging.message.delivered", "data": { "messageSid": own } }]);
    assert_eq!(events(&app, "11111111111111111111111111111111", &batch).await, 204);
    assert_eq!(stored(&app, &own).await.unwrap()["status"], "sent");
}
