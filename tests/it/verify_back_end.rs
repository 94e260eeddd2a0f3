//! Codes by way of Twilio Verify (`gateway.kind = "verify"`), with our own `/v2` face as the far
//! side: what reaches whom, what is right, and what becomes of it when the far side is away.

mod lines;
mod live;
mod story;

use crate::captcha::{asking, number};
use crate::wire::{Answer, answer, poll, text, with_json, wrong};
use crate::world::{ACCOUNT_SID, API_KEY, OPERATOR_KEY, World};
use dialback::app::{Parts, admin};
use dialback::gateway::http::Client;
use dialback::gateway::verify::{Settings, Verify};
use dialback::model::account::{AccountSid, Accounts};
use dialback::model::audit::Actor;
use dialback::model::channel::Channel;
use dialback::model::fraud::Action;
use dialback::model::id::ServiceId;
use dialback::model::key::Scope;
use dialback::model::senders::Senders;
use dialback::model::service;
use dialback::model::test_number::TestNumber;
use dialback::secret::Secret;
use dialback::trust::Trust;
use lines::{Break, Line, Way};
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const PERSON: &str = "+15005550001";
/// A test number, and its code.
const TEST: (&str, &str) = ("+15005550099", "492817");

/// A Dialback whose codes are made by another one.
struct Pair {
    near: World,
    far: World,
    line: &'static Line,
}

impl Pair {
    async fn start() -> Self {
        Self::of(|_| (), |_| ()).await
    }

    /// With services that were changed, the near one's and the far one's.
    async fn of(near: impl FnOnce(&mut service::Settings), far: impl FnOnce(&mut service::Settings)) -> Self {
        Self::with(|parts| parts, near, far).await
    }

    /// The same, and with parts of the near one that were changed.
    async fn with(
        change: impl FnOnce(Parts) -> Parts,
        near: impl FnOnce(&mut service::Settings),
        far: impl FnOnce(&mut service::Settings),
    ) -> Self {
        let channels = |settings: &mut service::Settings| {
            settings.channels = vec![Channel::Sms, Channel::Call, Channel::Whatsapp];
        };
        let far = World::with_service(|settings| {
            channels(settings);
            settings.whatsapp_from = Some("+15005550006".to_owned());
            far(settings);
        })
        .await;
        let line: &'static Line = Box::leak(Box::new(Line::to(Client::new(
            Duration::from_secs(20),
            Duration::from_secs(30),
            &Trust::compiled_in(),
        ))));
        let settings = Settings {
            base_url: far.base_url.clone(),
            service_sid: ServiceId::from_name("").to_string(),
            account_sid: ACCOUNT_SID.to_owned(),
            auth: (ACCOUNT_SID.to_owned(), Secret::new(API_KEY)),
            concurrency: 10,
        };
        let gateway = Arc::new(Verify::new(settings, line));
        let accounts = Accounts { main: Some(AccountSid::from(ACCOUNT_SID)), ..Accounts::default() };
        let (pattern, code) = (TEST.0.to_owned(), TEST.1.to_owned());
        let test_numbers = vec![TestNumber { pattern, code, until: jiff::Timestamp::MAX }];
        let senders = Senders::default();
        let own = |parts| change(Parts { gateway, accounts, test_numbers, senders, ..parts });
        let near = World::with_parts(own, |settings| {
            channels(settings);
            near(settings);
        });
        Self { near: near.await, far, line }
    }

    async fn ask(&self, method: Method, path: &str, body: &Value) -> Answer {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = http.request(method, format!("{}{path}", self.near.base_url)).bearer_auth(API_KEY);
        answer(if body.is_null() { request } else { with_json(request, body) }).await
    }

    async fn begin(&self, channel: &str) -> String {
        let body = json!({ "to": PERSON, "channel": channel });
        let started = self.ask(Method::POST, "/v1/verifications", &body).await;
        assert_eq!(started.status, 201, "{}", started.text);
        text(&started.json()["id"])
    }

    /// One whose code has come: its id and the code.
    async fn sent(&self) -> (String, String) {
        let id = self.begin("sms").await;
        self.until(&id, |view| view["deliveries"][0]["status"] == "queued").await;
        let code = self.code(1).await;
        (id, code)
    }

    /// The code that the far side sent by its request of that number.
    async fn code(&self, number: usize) -> String {
        self.far.post.nth(number).await.0.code().unwrap().expose().to_owned()
    }

    async fn resend(&self, id: &str, channel: &str) -> Answer {
        self.ask(Method::POST, &format!("/v1/verifications/{id}/resend"), &json!({ "channel": channel }))
            .await
    }

    async fn check(&self, id: &str, code: &str) -> Answer {
        self.ask(Method::POST, &format!("/v1/verifications/{id}/check"), &json!({ "code": code })).await
    }

    async fn view(&self, id: &str) -> Value {
        self.ask(Method::GET, &format!("/v1/verifications/{id}"), &Value::Null).await.json()
    }

    async fn until(&self, id: &str, wished: impl Fn(&Value) -> bool) -> Value {
        let found = poll(|| async { Some(self.view(id).await).filter(&wished) }).await;
        match found {
            Some(found) => found,
            None => panic!("it stayed {}", self.view(id).await),
        }
    }

    /// Lets the time of both pass.
    fn pass(&self, seconds: u64) {
        for world in [&self.near, &self.far] {
            world.clock.advance(Duration::from_secs(seconds));
        }
    }

    /// The same by small steps, until it is so.
    async fn pass_until(&self, id: &str, wished: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..90 {
            let view = self.view(id).await;
            if wished(&view) {
                return view;
            }
            self.pass(1);
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
        panic!("it stayed {}", self.view(id).await);
    }
}

fn is_taken(view: &Value) -> bool {
    view["deliveries"][0]["status"] == "queued"
}

#[tokio::test]
async fn the_far_sides_code_is_right_and_wrong_ones_are_counted() {
    let pair = Pair::start().await;
    let (id, code) = pair.sent().await;
    for left in [4, 3] {
        let checked = pair.check(&id, &wrong(&code)).await.json();
        assert_eq!((&checked["valid"], &checked["checks_left"]), (&json!(false), &json!(left)));
    }
    pair.check(&id, "12345").await.problem(422, "invalid_code");
    let checked = pair.check(&id, &code).await;
    assert_eq!((&checked.json()["valid"], &checked.json()["status"]), (&json!(true), &json!("approved")));
    let over = pair.check(&id, &code).await.problem(409, "verification_ended");
    assert_eq!(over["verification_status"], "approved");
    // Nobody here has a code of it, and none was ever sent.
    assert_eq!((pair.near.post.count(), pair.far.post.count()), (0, 1));
    assert_eq!(pair.line.count(Way::Check), 3, "what ended or cannot be a code is not passed on");
    let sid = text(&pair.view(&id).await["deliveries"][0]["sid"]);
    assert_eq!(sid[2..32], id[2..32]);
    let delivery = pair.ask(Method::GET, &format!("/v1/deliveries/{sid}"), &Value::Null).await.json();
    assert_eq!((&delivery["status"], &delivery["verification"]), (&json!("queued"), &json!(id)));
}

#[tokio::test]
async fn the_same_code_comes_by_another_channel_until_there_are_five() {
    let pair = Pair::start().await;
    let (id, code) = pair.sent().await;
    for (number, channel, wait) in [(2, "call", 31), (3, "whatsapp", 61), (4, "sms", 121), (5, "call", 241)] {
        pair.pass(wait);
        assert_eq!(pair.resend(&id, channel).await.status, 200);
        pair.until(&id, |view| view["deliveries"][number - 1]["status"] == "queued").await;
        assert_eq!(
            (pair.code(number).await, pair.far.post.nth(number).await.0.channel.as_str()),
            (code.clone(), channel)
        );
    }
    pair.pass(100);
    pair.resend(&id, "sms").await.problem(429, "no_sends_left");
    assert_eq!(pair.check(&id, &code).await.json()["valid"], true);
}

#[tokio::test]
async fn what_the_far_side_refuses_has_its_code_and_goes_by_the_next_channel() {
    let pair = Pair::of(|_| (), |settings| settings.channels = vec![Channel::Call]).await;
    let id = pair.begin("sms").await;
    let view = pair.until(&id, |view| view["deliveries"][1]["status"] == "queued").await;
    let (first, second) = (&view["deliveries"][0], &view["deliveries"][1]);
    assert_eq!((&first["status"], &first["error"]["code"]), (&json!("failed"), &json!(60223)));
    assert_eq!(second["channel"], "call");
    assert_eq!(pair.check(&id, &pair.code(1).await).await.json()["valid"], true);
}

#[tokio::test]
async fn sends_that_the_far_side_has_used_up_are_refused_for_good() {
    // Five are sent for a verification that is called off here alone.
    let pair = Pair::of(|_| (), |settings| settings.max_sends = 1).await;
    let (id, code) = pair.sent().await;
    pair.ask(Method::DELETE, &format!("/v1/verifications/{id}"), &Value::Null).await;
    assert_eq!(pair.view(&id).await["status"], "canceled");
    let again = pair.begin("sms").await;
    let view = pair.until(&again, |view| view["deliveries"][0]["status"] == "failed").await;
    assert_eq!(view["deliveries"][0]["error"]["code"], 60203);
    assert_eq!((pair.line.count(Way::Send), pair.far.post.count()), (2, 1));
    // It is over here, whatever is right there.
    pair.check(&id, &code).await.problem(409, "verification_ended");
    assert_eq!(pair.line.count(Way::Check), 0);
}

#[tokio::test]
async fn what_has_ended_there_ends_here() {
    // There it has expired.
    let pair = Pair::of(|_| (), |settings| settings.lifetime_seconds = 300).await;
    let (id, code) = pair.sent().await;
    pair.pass(301);
    let over = pair.check(&id, &code).await.problem(409, "verification_ended");
    assert_eq!(
        (&over["verification_status"], &pair.view(&id).await["status"]),
        (&json!("expired"), &json!("expired"))
    );
    // There its checks are used up.
    let pair = Pair::of(|_| (), |settings| settings.max_checks = 2).await;
    let (id, code) = pair.sent().await;
    for _ in 0..2 {
        assert_eq!(pair.check(&id, &wrong(&code)).await.json()["valid"], false);
    }
    let over = pair.check(&id, &code).await.problem(409, "verification_ended");
    assert_eq!(over["verification_status"], "max_attempts_reached");
    assert_eq!(pair.view(&id).await["status"], "max_attempts_reached");
    // Here its time is over, a little later than there.
    let pair = Pair::start().await;
    let (id, code) = pair.sent().await;
    pair.pass(601);
    let over = pair.check(&id, &code).await.problem(409, "verification_ended");
    assert_eq!((&over["verification_status"], pair.line.count(Way::Check)), (&json!("expired"), 0));
}

#[tokio::test]
async fn five_wrong_codes_end_it_on_both_sides() {
    let pair = Pair::start().await;
    let (id, code) = pair.sent().await;
    for left in (0..5).rev() {
        let checked = pair.check(&id, &wrong(&code)).await.json();
        assert_eq!(checked["checks_left"], left, "{checked}");
    }
    let over = pair.check(&id, &code).await.problem(409, "verification_ended");
    assert_eq!(over["verification_status"], "max_attempts_reached");
    assert_eq!(pair.line.count(Way::Check), 5);
}

#[tokio::test]
async fn a_far_side_that_is_away_is_waited_for() {
    let pair = Pair::start().await;
    pair.line.breaks(Way::Send, [Break::Away, Break::Status(503, 20503, None)]);
    // What may have been taken is looked up, and is not there.
    let id = pair.begin("sms").await;
    let view = pair.pass_until(&id, is_taken).await;
    assert!(view["deliveries"][0]["attempts"].as_u64().is_none_or(|made| made == 3), "{view}");
    assert_eq!((pair.far.post.count(), pair.line.count(Way::Send)), (1, 3));
    assert!(pair.line.count(Way::LookUp) > 0);
    let code = pair.code(1).await;
    // A check that was certainly not made is not counted.
    pair.line.breaks(Way::Check, [Break::Away, Break::Status(429, 20429, Some(2))]);
    for wait in ["1", "2", "2"] {
        let away = pair.check(&id, &code).await;
        away.problem(503, "check_unavailable");
        assert_eq!(away.header("retry-after"), wait);
        assert_eq!(pair.view(&id).await["checks_left"], 5);
    }
    assert_eq!(pair.line.count(Way::Check), 2, "it is left alone for so long");
    tokio::time::sleep(Duration::from_secs(2)).await;
    // One that may have been is.
    pair.line.breaks(Way::Check, [Break::Status(500, 20500, None)]);
    pair.check(&id, &code).await.problem(503, "check_unavailable");
    assert_eq!(pair.view(&id).await["checks_left"], 4);
    assert_eq!(pair.check(&id, &code).await.json()["valid"], true);
}

#[tokio::test]
async fn what_was_taken_without_a_word_is_found_and_not_sent_again() {
    let pair = Pair::start().await;
    pair.line.breaks(Way::Send, [Break::LostAnswer]);
    let id = pair.begin("sms").await;
    // Whoever has it already need not wait for that.
    let code = pair.code(1).await;
    assert_eq!(pair.check(&id, &wrong(&code)).await.json()["valid"], false);
    pair.pass_until(&id, is_taken).await;
    assert_eq!((pair.far.post.count(), pair.line.count(Way::Send)), (1, 1));
    assert!(pair.line.count(Way::LookUp) > 0);
    assert_eq!(pair.check(&id, &code).await.json()["valid"], true);
}

#[tokio::test]
async fn a_right_code_whose_answer_is_lost_approves_nobody() {
    let pair = Pair::start().await;
    let (id, code) = pair.sent().await;
    pair.line.breaks(Way::Check, [Break::LostAnswer]);
    pair.check(&id, &code).await.problem(503, "check_unavailable");
    // There it is approved and forgotten, which looks as if it had expired.
    let over = pair.check(&id, &code).await.problem(409, "verification_ended");
    assert_eq!(over["verification_status"], "expired");
}

#[tokio::test]
async fn of_two_right_codes_at_once_one_approves() {
    let pair = Pair::start().await;
    let (id, code) = pair.sent().await;
    // The first one's answer comes once the second one's has.
    pair.line.breaks(Way::Check, [Break::Hold]);
    let (first, second) = tokio::join!(pair.check(&id, &code), async {
        pair.line.holding().await;
        let second = pair.check(&id, &code);
        let released = async {
            pair.line.answered(Way::Check, 2).await;
            pair.line.release();
        };
        tokio::join!(second, released).0
    });
    assert_eq!(first.json()["valid"], true, "{}", first.text);
    let over = second.problem(409, "verification_ended");
    assert_eq!(over["verification_status"], "approved");
    assert_eq!(pair.view(&id).await["status"], "approved");
}

#[tokio::test]
async fn many_who_guess_at_once_have_five_checks() {
    let pair = Pair::start().await;
    let (id, code) = pair.sent().await;
    let wrong = wrong(&code);
    let answers = futures_util::future::join_all((0..12).map(|_| pair.check(&id, &wrong))).await;
    let compared = answers.iter().filter(|answer| answer.status == 200).count();
    assert!(compared <= 5 && pair.line.count(Way::Check) <= 5, "{compared}");
    assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 409 | 503)));
    assert_eq!(pair.view(&id).await["status"], "max_attempts_reached");
}

#[tokio::test]
async fn a_service_of_before_that_does_not_fit_begins_nothing() {
    let judged = |parts: Parts| Parts { services: parts.services.made_elsewhere(Some(600)), ..parts };
    let pair = Pair::with(judged, |settings| settings.redact = true, |_| ()).await;
    let body = json!({ "to": PERSON, "channel": "sms" });
    let refused = pair.ask(Method::POST, "/v1/verifications", &body).await;
    assert_eq!(refused.problem(422, "invalid_request")["field"], "redact");
    assert_eq!(pair.line.count(Way::Send), 0);
    let pair = Pair::with(judged, |_| (), |_| ()).await;
    pair.sent().await;
}

#[tokio::test]
async fn nothing_has_ended_while_all_checks_are_only_open() {
    let pair = Pair::of(|settings| settings.max_checks = 1, |_| ()).await;
    let (id, code) = pair.sent().await;
    pair.line.breaks(Way::Check, [Break::Hold]);
    let (first, ()) = tokio::join!(pair.check(&id, &code), async {
        pair.line.holding().await;
        let open = pair.check(&id, &code).await;
        open.problem(503, "check_unavailable");
        assert_eq!(open.header("retry-after"), "1");
        pair.line.release();
    });
    assert_eq!(first.json()["valid"], true, "{}", first.text);
    assert_eq!(pair.line.count(Way::Check), 1);
}

#[tokio::test]
async fn a_caller_that_may_check_alone_hears_the_same_no_of_what_there_is_not() {
    let pair = Pair::start().await;
    let (id, code) = pair.sent().await;
    let scopes = std::collections::BTreeSet::from([Scope::Check]);
    let made = admin::create_key(&pair.near.app.directory, &Actor::operator(), "check", scopes).await;
    let key = made.unwrap().1;
    let check = async |id: &str, code: &str| {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("{}/v1/verifications/{id}/check", pair.near.base_url);
        answer(with_json(http.post(url).bearer_auth(key.expose()), &json!({ "code": code }))).await
    };
    let nobody = format!("VE{:032x}", 7);
    for id in [&nobody, &id] {
        assert_eq!(check(id, &wrong(&code)).await.json()["valid"], false);
    }
    assert_eq!(pair.line.count(Way::Check), 2, "the far side is asked about both");
    pair.line.breaks(Way::Check, [Break::Away, Break::Away]);
    for id in [&nobody, &id] {
        check(id, &wrong(&code)).await.problem(503, "check_unavailable");
    }
    // It is asked about nobody's where it would not have been, and once.
    let started = pair.ask(Method::POST, "/v1/verifications", &json!({ "to": TEST.0 })).await;
    let test = text(&started.json()["id"]);
    assert_eq!(check(&test, &wrong(TEST.1)).await.json()["valid"], false);
    assert_eq!(pair.line.count(Way::Check), 5);
    assert_eq!(check(&id, &code).await.json()["valid"], true);
}

#[tokio::test]
async fn a_test_number_and_messages_stay_here() {
    let pair = Pair::of(|settings| settings.free_text = true, |_| ()).await;
    let body = json!({ "to": PERSON, "text": "It is ready." });
    let refused = pair.ask(Method::POST, "/v1/messages", &body).await.problem(422, "not_allowed");
    assert!(text(&refused["detail"]).contains("gateway.kind"), "{refused}");
    let started = pair.ask(Method::POST, "/v1/verifications", &json!({ "to": TEST.0 })).await;
    let id = text(&started.json()["id"]);
    for (code, is_right) in [(wrong(TEST.1), false), (TEST.1.to_owned(), true)] {
        assert_eq!(pair.check(&id, &code).await.json()["valid"], is_right);
    }
    assert_eq!(pair.line.count(Way::Check), 0);
    assert_eq!(pair.line.count(Way::Send), 0);
}

#[tokio::test]
async fn a_payment_is_told_and_its_code_is_good_for_nothing_else() {
    let pay = |settings: &mut service::Settings| settings.psd2 = true;
    let pair = Pair::of(pay, pay).await;
    let paid = |amount: &str| json!({ "amount": amount, "payee": "Acme" });
    let mut body = paid("39.99 €");
    (body["to"], body["channel"]) = (PERSON.into(), "sms".into());
    let started = pair.ask(Method::POST, "/v1/verifications", &body).await;
    let id = text(&started.json()["id"]);
    pair.until(&id, is_taken).await;
    let request = pair.far.post.first().await.0;
    let details = request.details().unwrap();
    assert_eq!(details.binding(), Some(("39.99 €", "Acme")));
    let path = format!("/v1/verifications/{id}/check");
    for (amount, is_right) in [("40 €", false), ("39.99 €", true)] {
        let mut offer = paid(amount);
        offer["code"] = request.code().unwrap().expose().into();
        assert_eq!(pair.ask(Method::POST, &path, &offer).await.json()["valid"], is_right, "{amount}");
    }
    assert_eq!(pair.line.count(Way::Check), 1, "what is not paid so is nothing to ask about");
}

#[tokio::test]
async fn wrong_codes_count_for_their_number_before_the_far_side_is_asked() {
    let pay = |settings: &mut service::Settings| settings.psd2 = true;
    let pair = Pair::of(pay, pay).await;
    let body = json!({ "to": PERSON, "channel": "sms", "amount": "1 €", "payee": "Acme" });
    let mut ids = Vec::new();
    for key in [API_KEY, OPERATOR_KEY] {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = http.post(format!("{}/v1/verifications", pair.near.base_url)).bearer_auth(key);
        ids.push(text(&answer(with_json(request, &body)).await.json()["id"]));
        pair.until(ids.last().unwrap(), is_taken).await;
    }
    let check = async |id: &str, code: &str| {
        let offer = json!({ "code": code, "amount": "1 €", "payee": "Acme" });
        pair.ask(Method::POST, &format!("/v1/verifications/{id}/check"), &offer).await
    };
    let code = pair.code(1).await;
    assert_eq!(code, pair.code(2).await, "there they are one");
    for _ in 0..5 {
        assert_eq!(check(&ids[0], &wrong(&code)).await.json()["valid"], false);
    }
    let blocked = check(&ids[1], &code).await.problem(429, "limit_reached");
    assert_eq!((&blocked["rule"], pair.line.count(Way::Check)), (&json!("psd2_block"), 5));
}

#[tokio::test]
async fn what_is_never_sent_is_told_and_checked_as_what_is() {
    let pair = Pair::of(asking(Action::ShadowBlock), |_| ()).await;
    let mut ids = Vec::new();
    for end in 1..=3 {
        let started = pair.ask(Method::POST, "/v1/verifications", &json!({ "to": number(end) })).await;
        ids.push(text(&started.json()["id"]));
        pair.until(&ids[ids.len() - 1], is_taken).await;
    }
    assert_eq!((pair.far.post.count(), pair.line.count(Way::Send)), (2, 2), "the third never left");
    let guess = wrong(&pair.code(2).await);
    for id in &ids[1..] {
        let checked = pair.check(id, &guess).await.json();
        assert_eq!((&checked["valid"], &checked["checks_left"]), (&json!(false), &json!(4)));
    }
    assert_eq!(pair.line.count(Way::Check), 2, "the far side is asked about both");
    pair.line.breaks(Way::Check, [Break::Away, Break::Away]);
    for id in &ids[1..] {
        pair.check(id, &guess).await.problem(503, "check_unavailable");
        let view = pair.view(id).await;
        assert_eq!(
            (&view["status"], &view["deliveries"][0]["status"]),
            (&json!("pending"), &json!("queued"))
        );
    }
}
