//! The pages for people without a script: every way through them, as a browser
//! that keeps cookies and sends forms.

use crate::wire::{Answer, answer, form, with_json, wrong};
use crate::world::{API_KEY, World};
use dialback::model::brand;
use dialback::model::channel::Channel;
use dialback::model::id::VerificationId;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

const RETURN: &str = "https://shop.example/back";
const NUMBER: &str = "+15005550006";

/// A service whose pages lead to the shop.
fn shop(settings: &mut brand::Settings) {
    settings.name = "Shop".into();
    settings.pages.return_urls = vec![RETURN.into()];
}

async fn world() -> World {
    World::with_brand(shop).await
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

fn problem(page: &Answer) -> Option<String> {
    let text = between(&page.text, "id=\"problem\"", "</div>")?;
    let text = text.rsplit_once("<p>")?.1.replace("</p>", "");
    Some(between(&text, "\">", "</a>").unwrap_or(text).trim().to_owned())
}

async fn session(world: &World, body: Value) -> (String, Browser) {
    let made = create(world, body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let made = made.json();
    (made["id"].as_str().unwrap().to_owned(), Browser::at(made["url"].as_str().unwrap()))
}

async fn sent_code(world: &World) -> String {
    world.post.first().await.0.code.expose().to_owned()
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
    assert!(channel.text.contains("+15•••••••06") && !channel.text.contains("5550006"), "{}", channel.text);
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
async fn a_number_that_is_none_is_explained_and_kept() {
    let world = World::with_brand(|settings| {
        shop(settings);
        settings.channels = vec![Channel::Sms];
        settings
            .countries
            .insert(Channel::Sms, brand::Countries { refuse: vec!["KP".into()], ..Default::default() });
    })
    .await;
    let (_, browser) = session(&world, json!({ "locale": "de-AT" })).await;
    let page = browser.go("begin", &[]).await;
    assert!(page.text.contains("<html lang=\"de\" dir=\"ltr\">"), "{}", page.text);
    assert!(
        page.text
            .contains("<option value=\"AT\" data-example=\"0664 123456\" selected>Österreich &#x2066;+43&#x2069;</option>"),
        "{}",
        page.text
    );
    let rows = [
        ("DE", "hallo", "Das ist keine Telefonnummer."),
        ("DE", "+49 3", "Diese Nummer ist zu kurz für +49."),
        ("CH", "+41 52 420 42 42 42 42", "Diese Nummer ist zu lang für +41."),
        ("US", "+999 123456", "Kein Land hat diese Ländervorwahl."),
        (
            "US",
            "+1 900 234 5678",
            "Diese Art von Nummer kann nicht verwendet werden. Bitte nehmen Sie eine Mobilnummer.",
        ),
        ("US", "+1 205 555 1234 ext. 7", "Eine Nummer mit Durchwahl kann nicht verwendet werden."),
        ("KP", "0192 123 4567", "Dorthin senden wir keine Codes: Nordkorea."),
        (
            "XX",
            "030 123456",
            "Die Ländervorwahl fehlt. Wählen Sie Ihr Land oder Ihre Region, oder beginnen Sie mit + und der Ländervorwahl.",
        ),
    ];
    for (region, number, expected) in rows {
        let page = browser.go("number", &[("region", region), ("number", number)]).await;
        assert_eq!(problem(&page).as_deref(), Some(expected), "{number}");
        assert!(page.text.contains(&format!("value=\"{number}\"")), "{number} is not kept: {}", page.text);
        assert!(page.text.contains("aria-invalid=\"true\"") && page.text.contains("<a href=\"#number\">"));
        assert_eq!(browser.go("number", &[("number", "<b>\"&;")]).await.text.matches("<b>").count(), 0);
    }
    assert_eq!(
        heading(&browser.go("number", &[("region", "DE"), ("number", "٠٣٠ 123456")]).await),
        "Geben Sie Ihren Code ein"
    );
    assert_eq!(world.post.first().await.0.to.in_full(), "+4930123456");
}

#[tokio::test]
async fn wrong_codes_of_every_kind_look_alike() {
    let world = world().await;
    let same = "This code is not right or no longer valid.";
    let (_, browser) = session(&world, json!({ "to": NUMBER, "channels": ["sms"] })).await;
    browser.go("begin", &[]).await;
    let code = sent_code(&world).await;
    let page = browser.go("code", &[("code", "12")]).await;
    assert!(problem(&page).unwrap().starts_with("This is not a whole code."));
    for left in [4, 3, 2, 1] {
        let page = browser.go("code", &[("code", &wrong(&code))]).await;
        assert_eq!(problem(&page).as_deref(), Some(same));
        assert_eq!(page.text.contains(&format!("Attempts left: {left}")), left <= 2, "{left}");
    }
    let used_up = browser.go("code", &[("code", &wrong(&code))]).await;
    assert_eq!(heading(&used_up), "Your number is not confirmed");
    assert!(used_up.text.contains(same) && used_up.text.contains("Try again"));
    // Once more: a new code, and then too late.
    assert_eq!(heading(&browser.go("again", &[]).await), "Enter your code");
    world.clock.advance(Duration::from_secs(460));
    assert!(browser.look().await.text.contains("This code is valid for 2:20 more."));
    world.clock.advance(Duration::from_secs(141));
    let late = browser.go("code", &[("code", &code)]).await;
    assert_eq!((heading(&late), late.text.contains(same)), (heading(&used_up), true));
}

#[tokio::test]
async fn answers_to_codes_take_the_same_time() {
    let world = world().await;
    let (_, browser) = session(&world, json!({ "to": NUMBER, "channels": ["sms"] })).await;
    browser.go("begin", &[]).await;
    let code = sent_code(&world).await;
    let spent = async |code: &str| {
        let page = browser.look().await;
        let token = between(&page.text, "name=\"token\" value=\"", "\"").unwrap();
        let began = std::time::Instant::now();
        browser.send(Method::POST, "/code", Some(&[("token", &token), ("code", code)])).await;
        began.elapsed().as_millis()
    };
    let wrong_one = spent(&wrong(&code)).await;
    world.clock.advance(Duration::from_secs(660));
    let late_one = spent(&code).await;
    assert!(wrong_one >= 300 && late_one >= 300, "{wrong_one} {late_one}");
}

#[tokio::test]
async fn sending_again_waits_and_offers_a_call_from_the_third_try() {
    let world = world().await;
    let (_, browser) = session(&world, json!({ "to": NUMBER })).await;
    browser.go("begin", &[]).await;
    let page = browser.go("channel", &[("channel", "sms")]).await;
    assert!(page.text.contains("You can ask for another in 0:30."), "{}", page.text);
    let too_soon = browser.go("resend", &[("channel", "sms")]).await;
    assert_eq!(problem(&too_soon).as_deref(), Some("Please wait 0:30 before you ask for another."));
    let offers_call = |page: &Answer| page.text.contains("value=\"call\">Call me instead");
    assert!(!offers_call(&page) && page.text.contains("value=\"call\" hidden>"));
    world.clock.advance(Duration::from_secs(31));
    let second = browser.go("resend", &[("channel", "sms")]).await;
    assert_eq!(problem(&second), None);
    assert!(offers_call(&second), "{}", second.text);
    world.clock.advance(Duration::from_secs(61));
    let third = browser.go("resend", &[("channel", "call")]).await;
    assert!(third.text.contains("We are calling"), "{}", third.text);
    for channel in ["whatsapp", "fax", ""] {
        let refused = browser.go("resend", &[("channel", channel)]).await;
        assert!(problem(&refused).unwrap().starts_with("This way is not available"), "{channel}");
    }
    assert_eq!(world.post.count(), 3);
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
async fn a_number_may_be_changed_three_times_and_a_given_one_never() {
    let world = world().await;
    let (_, browser) = session(&world, json!({})).await;
    browser.go("begin", &[]).await;
    for n in 1..=3 {
        let number = format!("+1 500 555 000{n}");
        let page = browser.go("number", &[("region", "US"), ("number", &number)]).await;
        assert_eq!(heading(&page), "How do you want to get the code?");
        assert_eq!(page.text.contains("Use another number"), n < 3);
        let page = browser.go("change", &[]).await;
        assert_eq!(heading(&page) == "What is your phone number?", n < 3);
        assert_eq!(problem(&page).is_some(), n == 3);
    }
    let (_, given) = session(&world, json!({ "to": NUMBER })).await;
    let page = given.go("begin", &[]).await;
    assert!(!page.text.contains("Use another number"), "{}", page.text);
    assert_eq!(heading(&given.go("change", &[]).await), heading(&page));
    given.go("number", &[("region", "US"), ("number", "+15005550001")]).await;
    given.go("channel", &[("channel", "sms")]).await;
    assert_eq!(world.post.first().await.0.to.in_full(), NUMBER);
}

#[tokio::test]
async fn canceling_and_failing_go_back_too() {
    let world = World::with_brand(|settings| {
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
    let world = World::with_brand(|settings| {
        shop(settings);
        settings.channels = vec![Channel::Sms];
        settings.pages.register = false;
        settings
            .countries
            .insert(Channel::Sms, brand::Countries { refuse: vec!["KP".into()], ..Default::default() });
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
    let world = World::with_brand(|settings| {
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
    let brand = between(&text, "/verify/static/brand-", "\"").unwrap();
    let sheet = answer(browser.http.get(format!("{}/verify/static/brand-{brand}", world.base_url))).await;
    assert!(sheet.text.contains("--accent:#1a6f4e") && sheet.header("cache-control").contains("immutable"));
    let nothing = answer(browser.http.get(format!("{}/verify/static/x.css", world.base_url))).await;
    assert_eq!(nothing.status, 404);
}

#[tokio::test]
async fn what_happens_with_the_message_is_told_live() {
    let world = world().await;
    let (_, browser) = session(&world, json!({ "to": NUMBER })).await;
    assert_eq!(browser.send(Method::GET, "/events", None).await.status, 404);
    browser.go("begin", &[]).await;
    browser.go("channel", &[("channel", "sms")]).await;
    let (order, sid) = world.post.first().await;
    let cookies: Vec<String> =
        browser.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
    let request = browser.http.get(format!("{}/events", browser.url)).header("cookie", cookies.join("; "));
    let mut stream = request.send().await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let mut heard = String::new();
    let mut told_failed = false;
    while !heard.contains("\"over\":true") {
        let chunk = stream.chunk().await.unwrap().expect("the stream ends with the last word");
        heard.push_str(std::str::from_utf8(&chunk).unwrap());
        if heard.contains("\"state\":\"queued\"") && !told_failed {
            told_failed = true;
            world.tell_failed(&order, &sid).await;
        }
        if heard.contains("\"state\":\"failed\"") && heard.contains("\"ways\":[\"sms\",\"call\"]") {
            let id: VerificationId = order.id.parts().0;
            let _ = world.service.cancel(&id).await;
        }
    }
    assert!(heard.contains("Your carrier did not deliver the message."), "{heard}");
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
