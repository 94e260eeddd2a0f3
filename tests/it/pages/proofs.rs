//! The page that asks for a proof that a person is there, before a code goes.

use super::{Browser, RETURN, between, heading, problem, session};
use crate::captcha::{Provider, asking, number, warmed, word, world, world_of};
use crate::wire::Answer;
use crate::world::World;
use dialback::model::captcha::CaptchaProvider;
use dialback::model::fraud::Action;
use reqwest::Method;
use serde_json::json;

const TITLE: &str = "Show that you are a person";

/// What a form of the page holds under a name.
fn held(text: &str, name: &str) -> String {
    between(text, &format!("name=\"{name}\" value=\""), "\"").unwrap_or_default()
}

#[tokio::test]
async fn a_widget_is_shown_and_what_it_gives_lets_the_code_go() {
    let provider = Provider::start().await;
    let world = world(&provider).await;
    let sent = world.post.count();
    let (_, browser) = session(&world, json!({ "to": number(10), "channels": ["sms"] })).await;
    let first = browser.look().await;
    assert!(!first.header("content-security-policy").contains("cloudflare"));
    let page = browser.go("begin", &[]).await;
    assert_eq!(heading(&page), TITLE);
    assert_eq!(problem(&page), None);
    assert!(page.text.contains("class=\"cf-turnstile\" data-sitekey=\"site-key\" data-size=\"compact\""));
    assert!(page.text.contains("<noscript>") && page.text.contains("needs JavaScript"), "{}", page.text);
    let policy = page.header("content-security-policy");
    assert!(policy.contains("script-src 'self' https://challenges.cloudflare.com;"), "{policy}");
    assert!(policy.ends_with("; frame-src https://challenges.cloudflare.com"), "{policy}");
    assert!(policy.contains("default-src 'none'; style-src 'self';"), "{policy}");
    let bound_to = held(&page.text, "bound_to");
    assert!(page.text.contains(&format!("data-cdata=\"{bound_to}\"")) && bound_to.len() == 32);
    // A reload asks for nothing, and nothing more is let in.
    let again = browser.look().await;
    assert_eq!(heading(&again), "How do you want to get the code?");
    assert!(!again.header("content-security-policy").contains("cloudflare"));
    let give = async |token: &str, bound_to: &str| {
        let field = ("cf-turnstile-response", token);
        browser.go("channel", &[("channel", "sms"), ("bound_to", bound_to), field]).await
    };
    let none = browser.go("channel", &[("channel", "sms")]).await;
    assert_eq!((heading(&none).as_str(), problem(&none)), (TITLE, None));
    let wrong = Some("The check did not succeed. Please try again.");
    for (token, bound_to) in
        [("bad", bound_to.as_str()), ("good-1", &"0".repeat(32)), ("for:another", &bound_to)]
    {
        let page = give(token, bound_to).await;
        assert_eq!((heading(&page).as_str(), problem(&page).as_deref()), (TITLE, wrong), "{token}");
    }
    let away = give("away", &bound_to).await;
    assert!(problem(&away).unwrap().contains("not available right now"), "{}", away.text);
    assert_eq!(world.post.count(), sent);
    let long = format!("for:{bound_to}");
    assert_eq!(heading(&give(&long, &bound_to).await), "Enter your code");
    world.post.nth(sent + 1).await;
    // Another message asks for another proof.
    world.clock.advance(std::time::Duration::from_secs(60));
    let page = browser.go("resend", &[("channel", "sms")]).await;
    assert_eq!(heading(&page), TITLE);
    assert!(page.text.contains("/resend\">"), "{}", page.text);
    let field = ("cf-turnstile-response", "good-2");
    let page = browser.go("resend", &[("channel", "sms"), ("bound_to", &bound_to), field]).await;
    assert_eq!((heading(&page).as_str(), problem(&page)), ("Enter your code", None));
    world.post.nth(sent + 2).await;
}

#[tokio::test]
async fn each_provider_s_widget_is_let_in_with_its_own_sources() {
    let provider = Provider::start().await;
    for (kind, class, source) in [
        (CaptchaProvider::Hcaptcha, "h-captcha", "https://*.hcaptcha.com"),
        (CaptchaProvider::Recaptcha, "g-recaptcha", "https://www.google.com/recaptcha/"),
    ] {
        let world = world_of(&provider, kind).await;
        let (_, browser) = session(&world, json!({ "to": number(10), "channels": ["sms"] })).await;
        let page = browser.go("begin", &[]).await;
        assert!(page.text.contains(&format!("<div class=\"{class}\"")), "{}", page.text);
        assert!(page.text.contains("api.js?hl=en\""), "{}", page.text);
        let policy = page.header("content-security-policy");
        assert!(policy.contains(source) && !policy.contains("cloudflare"), "{policy}");
        let fields = [
            ("channel", "sms"),
            (if class == "h-captcha" { "h-captcha-response" } else { "g-recaptcha-response" }, "good-1"),
        ];
        assert_eq!(heading(&browser.go("channel", &fields).await), "Enter your code");
    }
}

#[tokio::test]
async fn where_the_application_signs_the_person_goes_there_and_comes_back_with_a_word() {
    let provider = Provider::start().await;
    let world = world_of(&provider, CaptchaProvider::Signed).await;
    let sent = world.post.count();
    let (id, browser) =
        session(&world, json!({ "to": number(10), "channels": ["sms"], "state": "a b" })).await;
    let left = browser.post("begin", &[]).await;
    let place = left.header("location").to_owned();
    let bound_to = place.rsplit_once("bound_to=").unwrap().1.to_owned();
    assert_eq!(
        place,
        format!("{RETURN}?session={id}&state=a%20b&reason=captcha_required&bound_to={bound_to}")
    );
    let back =
        browser.send(Method::GET, &format!("?captcha={}", word(&world, &bound_to, "a", 60)), None).await;
    assert_eq!(heading(&back), TITLE);
    assert!(!back.text.contains("captcha.example") && !back.text.contains("<noscript>"), "{}", back.text);
    let sends = async |browser: &Browser, page: &str| {
        let names = ["token", "channel", "bound_to", "captcha"];
        let fields: Vec<(&str, String)> = names.map(|name| (name, held(page, name))).to_vec();
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        browser.send(Method::POST, "/channel", Some(&fields)).await
    };
    sends(&browser, &back.text).await;
    assert_eq!(heading(&browser.look().await), "Enter your code");
    world.post.nth(sent + 1).await;
    // A word for somebody else, and one that was used.
    let (_, other) = session(&world, json!({ "to": number(11), "channels": ["sms"] })).await;
    other.post("begin", &[]).await;
    let back = other.send(Method::GET, &format!("?captcha={}", word(&world, &bound_to, "b", 60)), None).await;
    sends(&other, &back.text).await;
    let page = other.look().await;
    assert_eq!(
        problem(&page).as_deref(),
        Some("The check did not succeed. Please try again."),
        "{}",
        page.text
    );
    assert_eq!(world.post.count(), sent + 1);
}

#[tokio::test]
async fn a_page_looks_the_same_whether_its_message_left_or_not() {
    let of = async |action: Action| warmed(World::with_service(asking(action)).await).await;
    let (real, shadow) = (of(Action::Record).await, of(Action::ShadowBlock).await);
    let mut pages = Vec::new();
    for world in [&real, &shadow] {
        let (_, browser) = session(world, json!({ "to": number(10), "channels": ["sms"] })).await;
        let code = browser.go("begin", &[]).await;
        assert_eq!(heading(&code), "Enter your code");
        let wrong = browser.go("code", &[("code", "000000")]).await;
        world.clock.advance(std::time::Duration::from_secs(60));
        let again = browser.go("resend", &[("channel", "sms")]).await;
        // Once the message has a name, there is nothing more that another page would show.
        let shown = until(&browser, &["is on its way", "Sent "]).await;
        let canceled = browser.post("cancel", &[]).await;
        let same = |page: &Answer| {
            let text = page.text.split("<div class=\"frame\">").nth(1).unwrap_or_default().to_owned();
            let token = held(&text, "token");
            let path = browser.url.split("/verify/").nth(1).unwrap().to_owned();
            let text = text.replace(&token, "TOKEN").replace(&path, "PS");
            // What a message is about to do depends on the moment.
            let text: Vec<&str> = text.lines().filter(|line| !line.contains("id=\"now\"")).collect();
            (page.status, text.join("\n"), page.header("content-security-policy").to_owned())
        };
        pages.push(([&code, &wrong, &again, &shown].map(same), canceled.status));
    }
    assert_eq!(pages[0], pages[1]);
}

#[tokio::test]
async fn no_page_says_that_what_never_left_has_arrived() {
    let world = warmed(World::with_service(asking(Action::ShadowBlock)).await).await;
    let (_, browser) = session(&world, json!({ "to": number(10), "channels": ["sms"] })).await;
    browser.go("begin", &[]).await;
    until(&browser, &["Sent "]).await;
    // The newest of one moment may be any of them, so it is found by its number.
    let of_number = "/v1/verifications?to=%2B15005550010";
    let is_told = async || crate::shadow::get(&world, of_number).await.text.contains("\"delivered\":true");
    crate::support::eventually("the message is told to have arrived", is_told).await;
    let page = browser.look().await;
    assert!(page.text.contains("Your carrier has not confirmed it yet."), "{}", page.text);
    assert!(!page.text.contains("Delivered"), "{}", page.text);
}

/// The page once it says one of these.
async fn until(browser: &Browser, says: &[&str]) -> Answer {
    for _ in 0..500 {
        let page = browser.look().await;
        if says.iter().any(|says| page.text.contains(says)) {
            return page;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("no page says {says:?} within ten seconds");
}
