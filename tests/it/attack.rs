//! Somebody who wants into one number, by every face at once, for a day of the test clock.
//!
//! They begin, check, send again and call off by `/v1`, by Verify's face and by the pages,
//! in any mixture that the seed says, as fast as they are let. Counted is what each answer
//! gives away, and beside it what the records say: a code was compared where the answer
//! would have been another one had it been right.

use crate::support::eventually;
use crate::wire::{Answer, answer, form, text, with_json};
use crate::world::{ACCOUNT_SID, API_KEY, OPERATOR_KEY, World};
use dialback::app::verification::{self, NewSession, Visitor};
use dialback::entropy::Entropy;
use dialback::model::channel::Channel;
use dialback::model::id::SessionId;
use dialback::model::verification::{SendState, Verification};
use dialback::secret::Secret;
use dialback::store::memory::Memory;
use dialback::store::{Kind, Maintenance, records};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const TO: &str = "+15005550123";
/// In a day, as docs/locks.md and docs/limits.md promise them.
const MOST_COMPARED: usize = 100;
const MOST_TEXTS: usize = 10;
const DAY: u64 = 86_400;

/// What the attacker has begun and not seen the end of.
enum Open {
    Api(String),
    Verify { service: String, sid: String },
    Pages { session: SessionId, browser: Secret },
}

/// The attacker, with what they have learned.
struct Attacker<'w> {
    world: &'w World,
    http: Client,
    moves: Entropy,
    services: Vec<String>,
    open: Vec<Open>,
    /// Answers that told whether a code was right.
    compared: usize,
    /// Seconds since they began.
    elapsed: u64,
    purposes: usize,
    is_greedy: bool,
}

impl Attacker<'_> {
    fn v1(&self, method: Method, path: &str, body: Option<&Value>) -> RequestBuilder {
        let request =
            self.http.request(method, format!("{}/v1{path}", self.world.base_url)).bearer_auth(API_KEY);
        match body {
            Some(body) => with_json(request, body),
            None => request,
        }
    }

    async fn v2(&self, service: &str, path: &str, params: &[(&str, &str)]) -> Answer {
        let url = format!("{}/v2/Services/{service}/{path}", self.world.base_url);
        let request = self.http.post(url).basic_auth(ACCOUNT_SID, Some(API_KEY)).body(form(params));
        answer(request.header("content-type", "application/x-www-form-urlencoded")).await
    }

    fn below(&self, most: usize) -> usize {
        usize::try_from(self.moves.below(most as u64)).unwrap()
    }

    async fn begin(&mut self) {
        let service = self.services[self.below(self.services.len())].clone();
        match self.below(3) {
            0 => {
                self.purposes += 1;
                let purpose = format!("to sign in, {}", self.purposes);
                let body = json!({ "to": TO, "channel": "sms", "service": service, "purpose": purpose });
                let begun = answer(self.v1(Method::POST, "/verifications", Some(&body))).await;
                if matches!(begun.status, 200 | 201) {
                    self.open.push(Open::Api(text(&begun.json()["id"])));
                }
            }
            1 => {
                let begun = self.v2(&service, "Verifications", &[("To", TO), ("Channel", "sms")]).await;
                if begun.status == 201 {
                    self.open.push(Open::Verify { service, sid: text(&begun.json()["sid"]) });
                }
            }
            _ => self.begin_at_the_pages(&service).await,
        }
    }

    async fn begin_at_the_pages(&mut self, service: &str) {
        let app = &self.world.app;
        let new = NewSession {
            to: None,
            channels: vec![Channel::Sms],
            service: Some(service.parse().unwrap()),
            return_url: None,
            state: None,
            locale: None,
            details: Default::default(),
        };
        let session = verification::create_session(&app.admission, new).await.unwrap().id;
        let browser = verification::new_browser(&app.base);
        let visitor = Visitor::default();
        let entered =
            verification::session_number(&app.verifying, &session, &browser, TO, None, visitor).await;
        if entered.is_ok_and(|view| view.session.verification.is_some()) {
            self.open.push(Open::Pages { session, browser });
        }
    }

    /// Offers a code that is wrong, and says whether anything came of it.
    async fn offer(&mut self, nth: usize) -> bool {
        let code = loop {
            let code = format!("{:06}", self.below(1_000_000));
            if !self.world.post.codes().contains(&code) {
                break code;
            }
        };
        let is_compared = match &self.open[nth] {
            Open::Api(id) => {
                let path = format!("/verifications/{id}/check");
                let told = answer(self.v1(Method::POST, &path, Some(&json!({ "code": code })))).await;
                assert!(matches!(told.status, 200 | 404 | 409 | 429), "{}", told.text);
                assert!(told.status != 200 || told.json()["valid"] == false, "{}", told.text);
                told.status == 200
            }
            Open::Verify { service, sid } => {
                let named = match self.below(2) {
                    0 => ("VerificationSid", sid.as_str()),
                    _ => ("To", TO),
                };
                let told = self.v2(service, "VerificationCheck", &[named, ("Code", &code)]).await;
                assert!(matches!(told.status, 201 | 404 | 429), "{}", told.text);
                told.status == 201
            }
            Open::Pages { session, browser } => {
                let app = &self.world.app;
                let told = verification::session_check(&app.verifying, session, browser, &code).await;
                matches!(told, Ok(Some(_)))
            }
        };
        self.compared += usize::from(is_compared);
        is_compared
    }

    async fn call_off(&mut self, nth: usize) {
        match self.open.swap_remove(nth) {
            Open::Api(id) => {
                answer(self.v1(Method::DELETE, &format!("/verifications/{id}"), None)).await;
            }
            Open::Verify { service, sid } => {
                self.v2(&service, &format!("Verifications/{sid}"), &[("Status", "canceled")]).await;
            }
            Open::Pages { session, browser } => {
                let left =
                    verification::session_leave(&self.world.app.admission, &session, &browser, true).await;
                drop(left);
            }
        }
    }

    async fn send_again(&mut self, nth: usize) {
        match &self.open[nth] {
            Open::Api(id) => {
                answer(self.v1(Method::POST, &format!("/verifications/{id}/resend"), None)).await;
            }
            Open::Verify { service, .. } => {
                self.v2(service, "Verifications", &[("To", TO), ("Channel", "sms")]).await;
            }
            Open::Pages { session, browser } => {
                let verifying = &self.world.app.verifying;
                drop(
                    verification::session_resend(
                        verifying,
                        session,
                        browser,
                        Channel::Sms,
                        Visitor::default(),
                    )
                    .await,
                );
            }
        }
    }

    /// One move of many; the greedy spend all they have at once.
    async fn step(&mut self) {
        if self.is_greedy {
            self.begin().await;
            let mut nth = 0;
            while nth < self.open.len() {
                match self.offer(nth).await {
                    true => {}
                    // Kept, for there may be room for it later.
                    false => nth += 1,
                }
            }
            return;
        }
        let any = |open: usize, own: &Self| (open > 0).then(|| own.below(open));
        match (self.below(10), any(self.open.len(), self)) {
            (0..=2, _) | (_, None) => self.begin().await,
            (3..=7, Some(nth)) => {
                // As often as it is let, or a little less.
                for _ in 0..=self.below(24) {
                    if !self.offer(nth).await {
                        self.open.swap_remove(nth);
                        break;
                    }
                }
            }
            (8, Some(nth)) => self.send_again(nth).await,
            (_, Some(nth)) => self.call_off(nth).await,
        }
    }

    /// Attacks for so long, with waits of at most so many seconds.
    async fn attack(&mut self, seconds: u64, longest_wait: u64) {
        let end = self.elapsed + seconds;
        loop {
            for _ in 0..6 {
                self.step().await;
            }
            // What was asked for is sent before the time goes on, as it would be.
            self.settle().await;
            let wait = 1 + self.moves.below(longest_wait);
            if self.elapsed + wait >= end {
                return;
            }
            self.elapsed += wait;
            self.world.clock.advance(Duration::from_secs(wait));
        }
    }

    async fn settle(&self) {
        eventually("sends settle", async || {
            all(self.world.app.base.whole_store()).await.iter().all(|one| {
                one.sends.iter().all(|send| !matches!(send.state, SendState::Waiting | SendState::Sending))
            })
        })
        .await;
    }
}

/// Every verification that there is.
async fn all(store: &dyn Maintenance) -> Vec<Verification> {
    let walked = store.walk(Kind::Verification, None, 9999).await.unwrap();
    let ids: Vec<String> = walked.into_iter().map(|(id, _)| id).collect();
    let found = records::get_many::<Verification>(store, ids.iter().map(String::as_str)).await.unwrap();
    found.into_iter().flatten().map(|found| found.record).collect()
}

async fn services(world: &World) -> Vec<String> {
    let http = Client::builder().no_proxy().build().unwrap();
    let mut ids = Vec::new();
    for settings in [
        json!({ "name": "Shop" }),
        json!({ "name": "Bank", "new_code_on_resend": true }),
        // As much as settings give.
        json!({
            "name": "Loose", "max_checks": 20, "max_sends": 20, "lifetime_seconds": DAY,
            "resend_cooldown_seconds": [0],
        }),
        json!({ "name": "Many", "pending": "many", "resend_cooldown_seconds": [0] }),
    ] {
        let mut settings = settings;
        settings["pages"] = json!({ "success_url": "https://shop.example/done" });
        let request = http.post(format!("{}/v1/services", world.base_url)).bearer_auth(OPERATOR_KEY);
        let made = answer(with_json(request, &settings)).await;
        assert_eq!(made.status, 201, "{}", made.text);
        ids.push(text(&made.json()["id"]));
    }
    ids
}

async fn attack(seed: u64, is_greedy: bool) {
    let world = World::over(Arc::new(Memory::new())).await;
    let services = services(&world).await;
    let http = Client::builder().no_proxy().build().unwrap();
    let mut attacker = Attacker {
        world: &world,
        http,
        moves: Entropy::seeded(seed),
        services,
        open: Vec::new(),
        compared: 0,
        elapsed: 0,
        purposes: 0,
        is_greedy,
    };
    // A person has begun, by another service, and is slow.
    let body = json!({ "to": TO, "channel": "sms" });
    let begun = answer(attacker.v1(Method::POST, "/verifications", Some(&body))).await;
    assert_eq!(begun.status, 201, "{}", begun.text);
    let (own, code) =
        (text(&begun.json()["id"]), world.post.first().await.0.code().unwrap().expose().to_owned());
    attacker.attack(9 * 60, 60).await;
    let path = format!("/verifications/{own}/check");
    let offer =
        async |code: &str| answer(attacker.v1(Method::POST, &path, Some(&json!({ "code": code })))).await;
    let mistyped = offer(&crate::wire::wrong(&code)).await;
    assert_eq!((mistyped.status, &mistyped.json()["valid"]), (200, &json!(false)), "{}", mistyped.text);
    let right = offer(&code).await;
    assert_eq!((right.status, &right.json()["valid"]), (200, &json!(true)), "{}", right.text);
    // And the rest of the day.
    attacker.attack(DAY - attacker.elapsed, 900).await;
    attacker.settle().await;

    let records = all(world.app.base.whole_store()).await;
    let checks: u32 = records.iter().map(|one| one.checks).sum();
    let compared = attacker.compared + 1;
    assert_eq!(checks as usize, compared + 1, "seed {seed}: all were counted, and the right one");
    let texts = world.post.count();
    println!("attack: seed {seed}: {compared} wrong codes compared, {texts} texts");
    assert!(compared <= MOST_COMPARED, "seed {seed}: {compared} wrong codes were compared");
    assert!(texts <= MOST_TEXTS, "seed {seed}: {texts} texts");
    assert!(compared >= 10 && texts == MOST_TEXTS, "seed {seed}: {compared}, {texts}: no attack at all");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_of_attack_on_one_number_is_a_hundred_wrong_codes_and_ten_texts_at_most() {
    for (seed, is_greedy) in [(1, false), (2, false), (3, false), (4, true), (5, true)] {
        attack(seed, is_greedy).await;
    }
}
