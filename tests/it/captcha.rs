//! A proof that a person is asking, through every face: asked for where a signal wants
//! one, looked at by whoever gives it, and good once, for one number and one asker.

use crate::wire::{Answer, answer, with_form, with_json};
use crate::world::{ACCOUNT_SID, API_KEY, World};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dialback::gateway::captcha::Captcha;
use dialback::model::captcha::{CaptchaProvider, CaptchaSettings};
use dialback::model::fraud::{Action, RuleChanges};
use dialback::model::service;
use dialback::secret::Secret;
use dialback::trust::Trust;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const SECRET: &str = "a0c1f7e2b58d4c936e1f0a7b2c8d5e94";

/// A stand-in for a provider: says of each proof what its name says, once.
#[derive(Clone)]
pub struct Provider {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Provider {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/siteverify", listener.local_addr().unwrap());
        let provider = Self { url, asked: Arc::default() };
        let own = provider.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let own = own.clone();
                tokio::spawn(async move {
                    let (mut request, mut part) = (Vec::new(), [0; 4096]);
                    loop {
                        let read = stream.read(&mut part).await.unwrap_or(0);
                        request.extend_from_slice(&part[..read]);
                        let text = String::from_utf8_lossy(&request).into_owned();
                        let length = |head: &str| -> Option<usize> {
                            head.lines().find_map(|line| {
                                line.to_lowercase().strip_prefix("content-length: ")?.parse().ok()
                            })
                        };
                        if let Some((head, form)) = text.split_once("\r\n\r\n")
                            && form.len() >= length(head).unwrap_or(0)
                        {
                            let (status, body) = own.said(form);
                            let answer = format!(
                                "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                                body.len()
                            );
                            let _ = stream.write_all(answer.as_bytes()).await;
                            return;
                        }
                        if read == 0 {
                            return;
                        }
                    }
                });
            }
        });
        provider
    }

    fn said(&self, form: &str) -> (&'static str, String) {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(form).unwrap();
        let get = |name: &str| pairs.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value);
        assert_eq!(get("secret"), SECRET);
        let response = get("response").to_owned();
        self.asked.lock().unwrap().push(response.clone());
        match response.as_str() {
            away if away.starts_with("away") => ("503 Service Unavailable", String::new()),
            bound if bound.starts_with("for:") => {
                ("200 OK", json!({ "success": true, "cdata": &bound[4..] }).to_string())
            }
            good if good.starts_with("good") => ("200 OK", json!({ "success": true }).to_string()),
            _ => {
                ("200 OK", json!({ "success": false, "error-codes": ["invalid-input-response"] }).to_string())
            }
        }
    }

    fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

fn captcha(provider: CaptchaProvider, url: Option<&str>) -> Captcha {
    let settings = CaptchaSettings {
        provider,
        site_key: if provider == CaptchaProvider::Signed { String::new() } else { "site-key".to_owned() },
        secret: Secret::new(SECRET),
        verify_url: url.map(str::to_owned),
        hostnames: Vec::new(),
        action: None,
        min_score: 0.5,
        connect_timeout: Duration::from_secs(20),
        request_timeout: Duration::from_secs(20),
    };
    Captcha::new(settings, &Trust::compiled_in()).unwrap()
}

/// Three numbers of one block, and who asks for more of them has to prove to be a person.
pub fn asking(action: Action) -> impl FnOnce(&mut service::Settings) {
    move |settings| {
        let values = [("hundred".to_owned(), 2.0), ("numbers".to_owned(), 2.0)].into_iter().collect();
        let rule = RuleChanges { action: Some(action), seconds: None, values };
        settings.fraud.signals.insert("block_burst".to_owned(), rule);
        settings.pages.return_urls = vec!["https://shop.example/back".to_owned()];
        settings.resend_cooldown_seconds = Vec::new();
        settings.resend_cooldown_is_set = true;
    }
}

/// The number of a block of a hundred that has this end.
pub fn number(end: u8) -> String {
    format!("+150055500{end:02}")
}

pub async fn start(world: &World, body: Value) -> Answer {
    post(world, "/v1/verifications", body).await
}

pub async fn post(world: &World, path: &str, body: Value) -> Answer {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    answer(with_json(client.post(format!("{}{path}", world.base_url)).bearer_auth(API_KEY), &body)).await
}

/// Asks for codes until a signal fires for what comes next.
pub async fn warmed(world: World) -> World {
    for end in [1, 2, 3] {
        let answer = start(&world, json!({ "to": number(end) })).await;
        if answer.status == 403 {
            return world;
        }
        assert_eq!(answer.status, 201, "{}", answer.text);
    }
    world
}

/// A server that asks for proofs of Turnstile's for what comes next.
pub async fn world(provider: &Provider) -> World {
    world_of(provider, CaptchaProvider::Turnstile).await
}

/// The same with proofs of another kind.
pub async fn world_of(provider: &Provider, kind: CaptchaProvider) -> World {
    let captcha = captcha(kind, Some(&provider.url));
    warmed(World::with_captcha(asking(Action::Captcha), captcha).await).await
}

/// A word that an application signs.
pub fn word(world: &World, bound_to: &str, name: &str, life: i64) -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let exp = world.app.base.now().as_second() + life;
    let signed = format!(
        "{}.{}",
        part(json!({ "alg": "HS256", "typ": "JWT" })),
        part(json!({ "sub": bound_to, "exp": exp, "jti": name }))
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

fn bound_to(problem: &Value) -> String {
    problem["captcha"]["bound_to"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_api_asks_for_a_proof_and_takes_it_once() {
    let provider = Provider::start().await;
    let world = world(&provider).await;
    let asked = start(&world, json!({ "to": number(10) })).await.problem(403, "captcha_required");
    assert_eq!(asked["captcha"]["provider"], "turnstile");
    assert_eq!((&asked["captcha"]["site_key"], &asked["rule"]), (&json!("site-key"), &json!("block_burst")));
    assert_eq!((bound_to(&asked).len(), provider.count()), (32, 0));
    let with = |to: u8, token: &str| json!({ "to": number(to), "captcha_token": token });
    let wrong = start(&world, with(10, "bad-1")).await.problem(403, "captcha_required");
    assert_eq!(wrong["reason"], "captcha_invalid");
    let sent = world.post.count();
    assert_eq!(start(&world, with(10, "good-1")).await.status, 201);
    world.post.nth(sent + 1).await;
    // It was good for that one alone, for whichever number.
    for to in [10, 11] {
        let used = start(&world, with(to, "good-1")).await.problem(403, "captcha_required");
        assert_eq!(used["reason"], "captcha_used");
    }
    assert_eq!(provider.count(), 2, "what was used is not asked about");
    // One that says for whom it was made is good for nobody else.
    let elsewhere = start(&world, with(12, &format!("for:{}", bound_to(&asked)))).await;
    assert_eq!(elsewhere.problem(403, "captcha_required")["reason"], "captcha_elsewhere");
}

#[tokio::test]
async fn a_provider_that_is_away_lets_nobody_through_and_uses_no_proof() {
    let provider = Provider::start().await;
    let world = world(&provider).await;
    let sent = world.post.count();
    for _ in 0..2 {
        let away = start(&world, json!({ "to": number(10), "captcha_token": "away-1" })).await;
        away.problem(503, "captcha_unavailable");
        assert_eq!(away.header("retry-after"), "5");
    }
    assert_eq!((provider.count(), world.post.count()), (2, sent), "the same one is asked about again");
}

#[tokio::test]
async fn of_racing_requests_with_one_proof_one_is_let_through() {
    let provider = Provider::start().await;
    let world = world(&provider).await;
    let one = |end: u8| start(&world, json!({ "to": number(end), "captcha_token": "good-race" }));
    let all = futures_util::future::join_all((20..28).map(one)).await;
    assert_eq!(all.iter().filter(|answer| answer.status == 201).count(), 1);
    assert_eq!(all.iter().filter(|answer| answer.status == 403).count(), 7);
    assert_eq!(provider.count(), 1);
}

#[tokio::test]
async fn sending_again_asks_for_a_proof_too() {
    let provider = Provider::start().await;
    let world = world(&provider).await;
    let begun = start(&world, json!({ "to": number(10), "captcha_token": "good-1" })).await.json();
    let path = format!("/v1/verifications/{}/resend", begun["id"].as_str().unwrap());
    let asked = post(&world, &path, json!({})).await.problem(403, "captcha_required");
    assert_eq!(asked["captcha"]["provider"], "turnstile");
    assert_eq!(post(&world, &path, json!({ "captcha_token": "good-2" })).await.status, 200);
    post(&world, &path, json!({ "captcha_token": "good-2" })).await.problem(403, "captcha_required");
}

#[tokio::test]
async fn a_signed_word_is_for_one_number_one_asker_and_one_time() {
    let captcha = captcha(CaptchaProvider::Signed, None);
    let world = warmed(World::with_captcha(asking(Action::Captcha), captcha).await).await;
    let demand =
        async |to: u8| start(&world, json!({ "to": number(to) })).await.problem(403, "captcha_required");
    let (ten, eleven) = (demand(10).await, demand(11).await);
    assert_eq!((&ten["captcha"]["provider"], &ten["captcha"]["site_key"]), (&json!("signed"), &Value::Null));
    assert_ne!(bound_to(&ten), bound_to(&eleven));
    assert_eq!(bound_to(&ten), bound_to(&demand(10).await));
    let with = |to: u8, word: &str| start(&world, json!({ "to": number(to), "captcha_token": word }));
    for (word, reason) in [
        (word(&world, &bound_to(&eleven), "a", 60), "captcha_elsewhere"),
        (word(&world, &bound_to(&ten), "a", 0), "captcha_expired"),
        (word(&world, &bound_to(&ten), "a", 600), "captcha_expired"),
        (format!("{}x", word(&world, &bound_to(&ten), "a", 60)), "captcha_invalid"),
    ] {
        assert_eq!(with(10, &word).await.problem(403, "captcha_required")["reason"], reason);
    }
    let good = word(&world, &bound_to(&ten), "a", 60);
    assert_eq!(with(10, &good).await.status, 201);
    for again in [good, word(&world, &bound_to(&ten), "a", 90)] {
        assert_eq!(with(10, &again).await.problem(403, "captcha_required")["reason"], "captcha_used");
    }
}

#[tokio::test]
async fn without_anybody_who_gives_proofs_it_is_a_refusal() {
    let world = warmed(World::with_service(asking(Action::Captcha)).await).await;
    let refused = start(&world, json!({ "to": number(10), "captcha_token": "good-1" })).await;
    assert_eq!(refused.problem(403, "fraud_suspected")["rule"], "block_burst");
}

#[tokio::test]
async fn verify_tells_its_clients_of_fraud_and_takes_a_proof_by_a_parameter_of_its_own() {
    let provider = Provider::start().await;
    let world = world(&provider).await;
    let service = world.app.directory.services.default_service().id.clone();
    let ask = async |more: &[(&str, &str)]| {
        let to = number(10);
        let mut params = vec![("To", to.as_str()), ("Channel", "sms")];
        params.extend_from_slice(more);
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("{}/v2/Services/{service}/Verifications", world.base_url);
        answer(with_form(client.post(url).basic_auth(ACCOUNT_SID, Some(API_KEY)), &params)).await
    };
    let refused = ask(&[]).await;
    assert_eq!((refused.status, &refused.json()["code"]), (403, &json!(60410)), "{}", refused.text);
    assert_eq!(refused.json()["captcha"]["site_key"], "site-key");
    assert_eq!(ask(&[("CaptchaToken", "bad")]).await.status, 403);
    let away = ask(&[("CaptchaToken", "away")]).await;
    assert_eq!((away.status, &away.json()["code"]), (503, &json!(20503)), "{}", away.text);
    assert_eq!(ask(&[("CaptchaToken", "good-v")]).await.status, 201);
}
