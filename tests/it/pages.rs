//! The pages for people without a script: every way through them, as a browser
//! that keeps cookies and sends forms.

mod codes;
mod faces;
mod numbers;
mod proofs;
mod short;
mod ways;

use crate::wire::{Answer, answer, form, with_json, wrong};
use crate::world::{API_KEY, World};
use dialback::model::channel::Channel;
use dialback::model::service;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

const RETURN: &str = "https://shop.example/back";
const NUMBER: &str = "+15005550006";

/// A service whose pages lead to the shop.
fn shop(settings: &mut service::Settings) {
    settings.name = "Shop".into();
    settings.pages.return_urls = vec![RETURN.into()];
}

async fn world() -> World {
    World::with_service(shop).await
}

/// An application.
async fn create(world: &World, body: Value) -> Answer {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut body = body;
    body.as_object_mut().unwrap().entry("return_url").or_insert(json!(RETURN));
    answer(with_json(client.post(format!("{}/v1/sessions", world.base_url)).bearer_auth(API_KEY), &body))
        .await
}

async fn exchange(world: &World, id: &str, result: &str) -> Answer {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/v1/sessions/{id}/result", world.base_url);
    answer(with_json(client.post(url).bearer_auth(API_KEY), &json!({ "result": result }))).await
}

/// A browser without a script.
struct Browser {
    http: reqwest::Client,
    cookies: Mutex<BTreeMap<String, String>>,
    url: String,
}

impl Browser {
    fn at(url: &str) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self { http, cookies: Mutex::default(), url: url.to_owned() }
    }

    async fn send(&self, method: Method, path: &str, body: Option<&[(&str, &str)]>) -> Answer {
        let cookies: Vec<String> =
            self.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        request = request.header("cookie", cookies.join("; ")).header("accept-language", "en-US,en;q=0.9");
        if let Some(body) = body {
            request = request.header("content-type", "application/x-www-form-urlencoded").body(form(body));
        }
        let answer = answer(request).await;
        for line in answer.headers.get_all("set-cookie") {
            let line = line.to_str().unwrap();
            assert!(line.contains("; HttpOnly; SameSite=Lax"), "{line}");
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            match line.contains("Max-Age=0") {
                true => drop(self.cookies.lock().unwrap().remove(name)),
                false => drop(self.cookies.lock().unwrap().insert(name.to_owned(), value.to_owned())),
            }
        }
        answer
    }

    async fn look(&self) -> Answer {
        self.send(Method::GET, "", None).await
    }

    /// Sends a form of the page that is shown, and looks at where it leads.
    async fn go(&self, step: &str, fields: &[(&str, &str)]) -> Answer {
        let sent = self.post(step, fields).await;
        assert_eq!(sent.status, 303, "{}", sent.text);
        assert!(self.url.ends_with(sent.header("location")), "{}", sent.header("location"));
        self.look().await
    }

    async fn post(&self, step: &str, fields: &[(&str, &str)]) -> Answer {
        let page = self.look().await;
        let token = between(&page.text, "name=\"token\" value=\"", "\"").unwrap_or_default();
        let mut fields = fields.to_vec();
        fields.push(("token", &token));
        self.send(Method::POST, &format!("/{step}"), Some(&fields)).await
    }

    /// The way back: what the application's address is called with.
    async fn leave(&self, step: &str) -> BTreeMap<String, String> {
        let sent = self.post(step, &[]).await;
        let place = sent.header("location").to_owned();
        assert!(place.starts_with(RETURN), "{} {place}", sent.status);
        serde_urlencoded::from_str(place.split_once('?').unwrap().1).unwrap()
    }
}

fn between(text: &str, before: &str, after: &str) -> Option<String> {
    Some(text.split_once(before)?.1.split_once(after)?.0.to_owned())
}

fn heading(page: &Answer) -> String {
    between(&page.text, "<h1>", "</h1>").unwrap_or_else(|| panic!("no heading in {}", page.text))
}

/// What a page says is wrong: in a box above everything, or right at the field.
fn problem(page: &Answer) -> Option<String> {
    let text = page.text.split_once("id=\"problem\"")?.1.split_once('>')?.1;
    let text = match text.trim_start().starts_with("<p class=\"problem-title\"") {
        true => text.split_once("<p>")?.1,
        false => text,
    };
    Some(text.split_once("</p>")?.0.trim().to_owned())
}

async fn session(world: &World, body: Value) -> (String, Browser) {
    let made = create(world, body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let made = made.json();
    (made["id"].as_str().unwrap().to_owned(), Browser::at(made["url"].as_str().unwrap()))
}

async fn sent_code(world: &World) -> String {
    world.post.first().await.0.code().unwrap().expose().to_owned()
}

#[tokio::test]
async fn a_person_enters_a_number_chooses_a_channel_and_types_the_code() {
    let world = world().await;
    let (id, browser) = session(&world, json!({ "state": "a b" })).await;
    let start = browser.look().await;
    assert_eq!((start.status, heading(&start).as_str()), (200, "Confirm your phone number"));
    assert_eq!(heading(&browser.go("begin", &[]).await), "What is your phone number?");
    let channel = browser.go("number", &[("region", "US"), ("number", "001 500 555-0006")]).await;
    assert_eq!(heading(&channel), "How do you want to get the code?");
    assert!(channel.text.contains("+1 500-555-0006"), "{}", channel.text);
    let code = browser.go("channel", &[("channel", "sms")]).await;
    assert_eq!(heading(&code), "Enter your code");
    let digits = sent_code(&world).await;
    let spaced = format!(" {} - {}", &digits[..3], &digits[3..]);
    assert_eq!(heading(&browser.go("code", &[("code", &spaced)]).await), "Your number is confirmed");
    let back = browser.leave("return").await;
    assert_eq!((back["session"].as_str(), back["state"].as_str()), (id.as_str(), "a b"));
    let told = exchange(&world, &id, &back["result"]).await;
    assert_eq!(told.status, 200, "{}", told.text);
    let told = told.json();
    assert_eq!(
        (&told["status"], &told["to"], &told["state"]),
        (&json!("approved"), &json!(NUMBER), &json!("a b"))
    );
    assert_eq!(told["verification"]["status"], "approved");
    exchange(&world, &id, &back["result"]).await.problem(404, "no_such_result");
    assert_eq!(heading(&browser.look().await), "You are done here");
}

#[tokio::test]
async fn looking_again_and_sending_again_sends_nothing() {
    let world = world().await;
    let (_, browser) = session(&world, json!({ "to": NUMBER, "channels": ["sms"] })).await;
    for _ in 0..3 {
        assert_eq!(heading(&browser.look().await), "Confirm your phone number");
    }
    let page = browser.look().await;
    assert!(page.text.contains("Text me a code"), "{}", page.text);
    let token = between(&page.text, "name=\"token\" value=\"", "\"").unwrap();
    // Two clicks at once, and the form sent again from history.
    let fields = [("token", token.as_str())];
    let click = || browser.send(Method::POST, "/begin", Some(&fields));
    let (one, two) = tokio::join!(click(), click());
    assert_eq!((one.status, two.status), (303, 303));
    assert_eq!(click().await.status, 303);
    for _ in 0..3 {
        assert_eq!(heading(&browser.look().await), "Enter your code");
    }
    world.post.first().await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(world.post.count(), 1);
}

#[tokio::test]
async fn a_browser_sees_nothing_of_anothers_session_and_unknown_ones_look_the_same() {
    let world = world().await;
    let (_, browser) = session(&world, json!({ "to": NUMBER, "channels": ["sms"] })).await;
    browser.go("begin", &[]).await;
    let other = Browser::at(&browser.url);
    let (theirs, unknown) =
        (other.look().await, Browser::at(&format!("{}/verify/PS{:032x}", world.base_url, 7)).look().await);
    let malformed = Browser::at(&format!("{}/verify/nonsense", world.base_url)).look().await;
    let (_, expired) = session(&world, json!({})).await;
    world.clock.advance(Duration::from_secs(1860));
    let expired = expired.look().await;
    let same = |page: &Answer| {
        let text = page.text.split("<div class=\"frame\">").nth(1).unwrap();
        let text = text.lines().filter(|line| !line.contains("?lang=")).collect::<Vec<_>>().join("\n");
        (
            page.status,
            text,
            page.header("set-cookie").to_owned(),
            page.header("content-security-policy").to_owned(),
        )
    };
    assert_eq!(heading(&theirs), "This page is not available");
    assert_eq!(theirs.status, 404);
    for page in [&unknown, &malformed, &expired] {
        assert_eq!(same(page), same(&theirs));
    }
}

#[tokio::test]
async fn forms_of_others_are_refused() {
    let world = world().await;
    let (_, browser) = session(&world, json!({ "to": NUMBER, "channels": ["sms"] })).await;
    let blind = Browser::at(&browser.url);
    assert_eq!(blind.send(Method::POST, "/begin", Some(&[])).await.status, 303);
    assert!(problem(&blind.look().await).unwrap().contains("allow cookies"));
    browser.look().await;
    assert_eq!(browser.send(Method::POST, "/begin", Some(&[("token", "0")])).await.status, 303);
    let page = browser.look().await;
    assert_eq!(problem(&page).as_deref(), Some("This page was out of date. Please try again."));
    assert_eq!(problem(&browser.look().await), None, "a reload forgets it");
    let token = between(&page.text, "name=\"token\" value=\"", "\"").unwrap();
    for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        let cookies: Vec<String> =
            browser.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request =
            browser.http.post(format!("{}/begin", browser.url)).header("cookie", cookies.join("; "));
        let request = request.header(name, value).header("content-type", "application/x-www-form-urlencoded");
        assert_eq!(answer(request.body(form(&[("token", &token)]))).await.status, 303);
        assert_eq!(heading(&browser.look().await), "Confirm your phone number", "{name}: {value}");
    }
    assert_eq!(world.post.count(), 0);
}

#[tokio::test]
async fn steps_out_of_place_change_nothing() {
    let world = world().await;
    let (_, browser) = session(&world, json!({ "to": NUMBER })).await;
    // A code, a resend, a channel before anything was sent.
    for (step, fields) in [
        ("code", ("code", "123456")),
        ("resend", ("channel", "sms")),
        ("again", ("", "")),
        ("return", ("", "")),
    ] {
        let page = browser.go(step, &[fields]).await;
        assert_eq!(heading(&page), "Confirm your phone number", "{step}");
    }
    assert_eq!(heading(&browser.go("begin", &[]).await), "How do you want to get the code?");
    assert_eq!(heading(&browser.go("code", &[("code", "123456")]).await), "How do you want to get the code?");
    browser.go("channel", &[("channel", "sms")]).await;
    let code = sent_code(&world).await;
    let empty = browser.go("code", &[]).await;
    assert!(problem(&empty).unwrap().starts_with("This is not a whole code."));
    // Called off: the code is worth nothing.
    browser.leave("cancel").await;
    assert_eq!(heading(&browser.go("code", &[("code", &code)]).await), "You have canceled");
    assert_eq!(world.post.count(), 1);
}

#[tokio::test]
async fn two_choices_at_once_send_one_message() {
    let world = world().await;
    let (_, browser) = session(&world, json!({ "to": NUMBER })).await;
    browser.go("begin", &[]).await;
    let page = browser.look().await;
    let token = between(&page.text, "name=\"token\" value=\"", "\"").unwrap();
    let (sms, call) =
        ([("token", token.as_str()), ("channel", "sms")], [("token", token.as_str()), ("channel", "call")]);
    let (one, two) = tokio::join!(
        browser.send(Method::POST, "/channel", Some(&sms)),
        browser.send(Method::POST, "/channel", Some(&call))
    );
    assert_eq!((one.status, two.status), (303, 303));
    assert_eq!(heading(&browser.look().await), "Enter your code");
    world.post.first().await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(world.post.count(), 1);
}

#[tokio::test]
async fn looking_ahead_takes_nothing_away() {
    let world = world().await;
    let (_, browser) = session(&world, json!({})).await;
    browser.go("begin", &[]).await;
    assert_eq!(browser.post("number", &[("number", "x")]).await.status, 303);
    let cookies: Vec<String> =
        browser.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
    let ahead = browser.http.get(&browser.url).header("cookie", cookies.join("; "));
    let ahead = answer(ahead.header("sec-purpose", "prefetch;prerender")).await;
    assert!(problem(&ahead).is_some() && !ahead.headers.contains_key("set-cookie"));
    assert!(problem(&browser.look().await).is_some());
    assert!(problem(&browser.look().await).is_none());
}

#[tokio::test]
async fn fifty_clicks_are_limited() {
    let world = world().await;
    let (_, browser) = session(&world, json!({ "to": NUMBER, "channels": ["sms"] })).await;
    browser.go("begin", &[]).await;
    for _ in 0..50 {
        browser.go("resend", &[("channel", "sms")]).await;
        world.clock.advance(Duration::from_secs(7));
    }
    assert!(world.post.count() <= 5, "{}", world.post.count());
}

#[tokio::test]
async fn canceling_and_failing_go_back_too() {
    let world = World::with_service(|settings| {
        shop(settings);
        settings.max_checks = 1;
        settings.pages.retry = false;
    })
    .await;
    let (id, browser) = session(&world, json!({ "to": NUMBER, "channels": ["sms"] })).await;
    browser.go("begin", &[]).await;
    let back = browser.leave("cancel").await;
    let told = exchange(&world, &id, &back["result"]).await.json();
    assert_eq!((&told["status"], &told["verification"]["status"]), (&json!("canceled"), &json!("canceled")));
    let (id, browser) = session(&world, json!({ "to": NUMBER, "channels": ["sms"] })).await;
    browser.go("begin", &[]).await;
    let page = browser.go("code", &[("code", "000001")]).await;
    // One in a million runs guesses it.
    assert_eq!(heading(&page), "Your number is not confirmed");
    assert!(!page.text.contains("Try again"));
    assert_eq!(heading(&browser.go("again", &[]).await), "Your number is not confirmed");
    let back = browser.leave("return").await;
    assert_eq!(exchange(&world, &id, &back["result"]).await.json()["status"], "failed");
}

#[tokio::test]
async fn success_cannot_be_reached_without_the_code() {
    let world = world().await;
    let (id, browser) = session(&world, json!({ "to": NUMBER, "channels": ["sms"] })).await;
    browser.go("begin", &[]).await;
    for path in ["/success", "/done", "/failed", "?next=https://evil.example", "?done=1", "/code"] {
        let page = browser.send(Method::GET, path, None).await;
        assert!(!page.text.contains("is confirmed") && !page.text.contains("evil.example"), "{path}");
    }
    assert_eq!(heading(&browser.go("return", &[]).await), "Enter your code");
    exchange(&world, &id, "").await.problem(422, "invalid_request");
    exchange(&world, &id, &"0".repeat(64)).await.problem(404, "no_such_result");
    // A result is that of its own session.
    let code = sent_code(&world).await;
    browser.go("code", &[("code", &code)]).await;
    let back = browser.leave("return").await;
    let (other, _) = session(&world, json!({})).await;
    exchange(&world, &other, &back["result"]).await.problem(404, "no_such_result");
    assert_eq!(exchange(&world, &id, &back["result"]).await.status, 200);
}

#[tokio::test]
async fn an_application_is_told_what_it_may_not_ask() {
    let world = World::with_service(|settings| {
        shop(settings);
        settings.channels = vec![Channel::Sms];
        settings.pages.register = false;
        settings
            .countries
            .insert(Channel::Sms, service::Countries { refuse: vec!["KP".into()], ..Default::default() });
    })
    .await;
    for (body, code) in [
        (json!({ "to": NUMBER, "return_url": "https://evil.example/back" }), "not_allowed"),
        (json!({}), "not_allowed"),
        (json!({ "to": NUMBER, "channels": ["call"] }), "channel_not_offered"),
        (json!({ "to": NUMBER, "channels": ["fax"] }), "invalid_request"),
        (json!({ "to": NUMBER, "channels": "sms" }), "invalid_request"),
        (json!({ "to": "12" }), "invalid_number"),
        (json!({ "to": "+8501921234567" }), "no_channel"),
        (json!({ "to": NUMBER, "state": "x".repeat(2000) }), "invalid_request"),
        (json!({ "to": NUMBER, "purpose": "a\nb" }), "invalid_request"),
    ] {
        let answer = create(&world, body.clone()).await;
        assert_eq!(answer.json()["code"], code, "{body}: {}", answer.text);
    }
    let made = create(&world, json!({ "to": NUMBER, "service": format!("VA{:032}", 1) })).await;
    made.problem(422, "service_not_found");
}

#[tokio::test]
async fn every_page_is_guarded() {
    let world = World::with_service(|settings| {
        shop(settings);
        settings.pages.logo = Some("https://cdn.example/logo.svg".into());
        settings.pages.colour = Some("#1a6f4e".into());
    })
    .await;
    let (_, browser) = session(&world, json!({ "purpose": "<script>alert(1)</script>" })).await;
    let start = browser.look().await;
    assert!(start.text.contains("&lt;script&gt;alert(1)"), "{}", start.text);
    let number = browser.go("begin", &[]).await;
    let sent = browser.post("number", &[("number", "x")]).await;
    let policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' \
                  https://cdn.example; form-action 'self' https://shop.example; frame-ancestors 'none'; base-uri 'none'";
    for page in [&start, &number] {
        assert_eq!(page.header("content-security-policy"), policy);
        assert!(
            !page.text.contains(" style=")
                && !page.text.contains("<style")
                && !page.text.contains(" onclick")
        );
        let text = page.text.replace("&#x2f;", "/");
        let scripts: Vec<&str> = text.split("<script").skip(1).collect();
        assert!(
            scripts.iter().all(|script| script.starts_with(" src=\"/verify/static/pages-")),
            "{scripts:?}"
        );
    }
    for page in [&start, &number, &sent] {
        for (name, value) in [
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-store"),
            ("permissions-policy", "otp-credentials=(self)"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(page.header(name), value, "{name}");
        }
    }
    let text = start.text.replace("&#x2f;", "/");
    let service = between(&text, "/verify/static/brand-", "\"").unwrap();
    let sheet = answer(browser.http.get(format!("{}/verify/static/brand-{service}", world.base_url))).await;
    assert!(sheet.text.contains("--accent:#1a6f4e") && sheet.header("cache-control").contains("immutable"));
    let nothing = answer(browser.http.get(format!("{}/verify/static/x.css", world.base_url))).await;
    assert_eq!(nothing.status, 404);
}

#[tokio::test]
async fn a_language_chosen_on_the_page_stays() {
    let world = world().await;
    let (_, browser) = session(&world, json!({ "locale": "en" })).await;
    let german = browser.send(Method::GET, "?lang=de", None).await;
    assert_eq!(heading(&german), "Bestätigen Sie Ihre Telefonnummer");
    assert_eq!(heading(&browser.go("begin", &[]).await), "Wie lautet Ihre Telefonnummer?");
    browser.go("number", &[("region", "US"), ("number", NUMBER)]).await;
    browser.go("channel", &[("channel", "sms")]).await;
    assert_eq!(world.post.first().await.0.locale.as_deref(), Some("de"));
}
