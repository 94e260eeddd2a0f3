//! A service and a Twilio that is another process, as in production: one of
//! them dies while the other goes on.

use crate::instance::{ACCOUNT, Instance, Setup, TOKEN, answer, binary, code_in, poll, text};
use serde_json::{Value, json};
use std::process::Child;
use tempfile::TempDir;

/// `dialback sandbox` as a child, killed at the end.
struct Twilio {
    child: Child,
    dir: TempDir,
    url: String,
    http: reqwest::Client,
}

impl Twilio {
    async fn start() -> Self {
        let dir = TempDir::new().unwrap();
        let ready = dir.path().join("ready.json");
        let child = binary(dir.path())
            .env("TWILIO_ACCOUNT_SID", ACCOUNT)
            .env("TWILIO_AUTH_TOKEN", TOKEN)
            .args(["sandbox", "--listen", "127.0.0.1:0", "--pace", "0", "--ready-file"])
            .arg(&ready)
            .spawn()
            .unwrap();
        let mut twilio = Self { child, dir, url: String::new(), http: reqwest::Client::new() };
        let ready =
            poll(async || serde_json::from_slice::<Value>(&std::fs::read(&ready).ok()?).ok()).await.unwrap();
        twilio.url = format!("http://{}", text(&ready["sandbox"]));
        twilio
    }

    async fn phone(&self, number: &str, behaviour: Value) {
        let request =
            self.http.put(format!("{}/sandbox/phones/{number}", self.url)).body(behaviour.to_string());
        assert_eq!(answer(request).await.status, 200);
    }

    /// The texts on a phone; waits until there is one.
    async fn texts(&self, number: &str) -> Vec<Value> {
        let url = format!("{}/sandbox/phones/{number}/messages?wait=20", self.url);
        answer(self.http.get(url)).await.json().as_array().unwrap().clone()
    }

    /// The requests that it got, oldest first: method and path.
    async fn requests(&self) -> Vec<String> {
        let list = answer(self.http.get(format!("{}/sandbox/exchanges?kind=api", self.url))).await.json();
        let shown = |one: &Value| {
            let url = text(&one["request"]["url"]);
            format!("{} {}", text(&one["request"]["method"]), url.split('?').next().unwrap())
        };
        list.as_array().unwrap().iter().rev().map(shown).collect()
    }
}

impl Drop for Twilio {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = self.dir.path();
    }
}

/// A service that looks after what a dead one left within a few seconds.
fn service(twilio: &Twilio, dir: &TempDir) -> Setup {
    Setup::live()
        .dir(dir.path())
        .set("TWILIO__BASE_URL", &twilio.url)
        .set("TWILIO__CONNECT_TIMEOUT_SECONDS", "1")
        .set("TWILIO__REQUEST_TIMEOUT_SECONDS", "1")
}

/// Starts a verification and kills the service while Twilio keeps it waiting.
async fn killed_while_sending(twilio: &Twilio, dir: &TempDir, number: &str) -> String {
    let app: Instance = service(twilio, dir).set("TWILIO__REQUEST_TIMEOUT_SECONDS", "3").start().await;
    let id = text(&app.begin(number, "sms").await["id"]);
    let asked = poll(async || (!twilio.requests().await.is_empty()).then_some(()));
    asked.await.unwrap_or_else(|| panic!("nothing was sent:\n{}", app.end_of_log()));
    app.kill();
    id
}

#[tokio::test]
async fn a_message_that_was_made_before_the_kill_is_found_afterwards() {
    let (twilio, dir) = (Twilio::start().await, TempDir::new().unwrap());
    let number = "+4915112345623";
    twilio.phone(number, json!({ "api": { "timeout": "after", "hold_ms": 30_000, "times": 1 } })).await;
    let id = killed_while_sending(&twilio, &dir, number).await;
    let app = service(&twilio, &dir).start().await;
    let view = app.verification(&id, |view| !view["deliveries"][0]["sid"].is_null()).await;
    let texts = twilio.texts(number).await;
    assert_eq!((texts.len(), &texts[0]["sid"]), (1, &view["deliveries"][0]["sid"]));
    let requests = twilio.requests().await;
    assert_eq!(requests.iter().filter(|request| request.starts_with("POST")).count(), 1, "{requests:?}");
    let code = code_in(&text(&texts[0]["body"]));
    app.learn(&code);
    assert_eq!(app.check(&id, &code).await.json()["valid"], true);
}

#[tokio::test]
async fn a_message_that_was_not_made_before_the_kill_is_made_afterwards() {
    let (twilio, dir) = (Twilio::start().await, TempDir::new().unwrap());
    let number = "+4915112345624";
    twilio.phone(number, json!({ "api": { "timeout": "before", "hold_ms": 30_000, "times": 1 } })).await;
    let id = killed_while_sending(&twilio, &dir, number).await;
    let app = service(&twilio, &dir).start().await;
    let texts = twilio.texts(number).await;
    let code = code_in(&text(&texts[0]["body"]));
    app.learn(&code);
    app.verification(&id, |view| !view["deliveries"][0]["sid"].is_null()).await;
    // It was looked for before it was sent again.
    let requests = twilio.requests().await;
    let methods: Vec<&str> = requests.iter().map(|request| request.split(' ').next().unwrap()).collect();
    assert_eq!(methods, ["POST", "GET", "POST"], "{requests:?}");
    assert_eq!(
        (twilio.texts(number).await.len(), app.check(&id, &code).await.json()["valid"].clone()),
        (1, json!(true))
    );
}

#[tokio::test]
async fn a_twilio_that_is_not_there_is_waited_for() {
    let dir = TempDir::new().unwrap();
    let app = Setup::live().dir(dir.path()).start().await;
    let id = text(&app.begin("+4915112345625", "sms").await["id"]);
    app.logged("send not accepted").await;
    // A stop in between loses nothing: the send stands in the store.
    app.stop().await;
    let twilio = Twilio::start().await;
    let app = service(&twilio, &dir).start().await;
    let texts = twilio.texts("+4915112345625").await;
    app.verification(&id, |view| !view["deliveries"][0]["sid"].is_null()).await;
    assert_eq!(texts.len(), 1);
    app.learn(code_in(&text(&texts[0]["body"])));
}
