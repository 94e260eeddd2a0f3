//! Another way when one does not work, and what people are told meanwhile.

use super::*;
use crate::lookups;
use crate::wire::poll;
use async_trait::async_trait;
use dialback::app::verification;
use dialback::gateway::http::{Answer as Served, Outgoing, Transport, TransportError};
use dialback::model::delivery::Fact;
use dialback::model::lookup::LookupField;
use dialback::model::policy::Failover;
use dialback::model::status::Status;
use std::sync::Arc;

/// Where people choose another way themselves.
async fn by_hand() -> World {
    World::with_service(|settings| {
        shop(settings);
        settings.failover = Failover::Off;
    })
    .await
}

#[tokio::test]
async fn who_is_called_because_a_text_did_not_arrive_is_told_so() {
    let world = world().await;
    let (_, browser) = session(&world, json!({ "to": NUMBER })).await;
    browser.go("begin", &[("channel", "sms")]).await;
    let (order, sid) = world.post.first().await;
    world.tell_failed_with(&order, &sid, Some(30003)).await;
    let (second, _) = world.post.nth(2).await;
    assert_eq!(
        (second.channel, second.code().unwrap().expose()),
        (Channel::Call, order.code().unwrap().expose())
    );
    let told = poll(async || {
        Some(browser.look().await).filter(|page| page.text.contains("could not be delivered. We"))
    })
    .await;
    let page = told.expect("it is said").text;
    assert!(page.contains("The message could not be delivered. We are about to call you."), "{page}");
    assert!(page.contains("Call to"), "{page}");
}

/// The one verification, as the application sees it.
async fn listed(world: &World) -> Value {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let list = answer(client.get(format!("{}/v1/verifications", world.base_url)).bearer_auth(API_KEY)).await;
    list.json()["verifications"][0].clone()
}

/// The button that calls off what is about to follow, as a page shows it.
fn offers_to_stay(page: &Answer, words: &str) -> bool {
    let form = page.text.split("id=\"stay\"").nth(1).unwrap_or_default();
    !form.starts_with(" hidden") && form.contains(&format!(">{words}</button>"))
}

#[tokio::test]
async fn who_does_not_want_the_call_that_is_about_to_come_is_not_called() {
    let world = world().await;
    let (_, browser) = session(&world, json!({ "to": NUMBER })).await;
    let page = browser.go("begin", &[("channel", "sms")]).await;
    assert!(!offers_to_stay(&page, "Do not call me"), "nothing is about to follow: {}", page.text);
    let (order, sid) = world.post.first().await;
    world.post.fail(true);
    world.tell_failed_with(&order, &sid, Some(30003)).await;
    let told = poll(async || {
        Some(browser.look().await).filter(|page| page.text.contains("We cannot call you right now."))
    });
    assert!(offers_to_stay(&told.await.expect("the call is about to leave"), "Do not call me"));
    let page = browser.go("stay", &[]).await;
    assert_eq!(problem(&page), None);
    assert!(!offers_to_stay(&page, "Do not call me"), "{}", page.text);
    assert!(
        page.text.contains("<span id=\"now-text\">The message could not be delivered.</span>"),
        "{}",
        page.text
    );
    assert!(page.text.contains("value=\"call\">Call me instead"), "the person may ask for it: {}", page.text);
    let seen = listed(&world).await;
    assert_eq!(seen["failover_stopped"], true, "{seen}");
    let dropped = &seen["deliveries"][1];
    assert_eq!(
        (&dropped["status"], &dropped["error"]["detail"]),
        (&json!("canceled"), &json!("who waits for the code did not want it")),
        "{seen}"
    );
    // What is asked for is sent, with the same code.
    world.post.fail(false);
    browser.go("resend", &[("channel", "call")]).await;
    let (second, _) = world.post.nth(2).await;
    assert_eq!(second.code().unwrap().expose(), order.code().unwrap().expose());
}

#[tokio::test]
async fn a_call_that_follows_silence_is_announced_and_can_be_declined() {
    let world = World::with_service(|settings| {
        shop(settings);
        settings.failover = Failover::OnSilence;
    })
    .await;
    let (_, browser) = session(&world, json!({ "to": NUMBER })).await;
    browser.go("begin", &[("channel", "sms")]).await;
    world.post.first().await;
    let said = "If it does not arrive, we will call you.";
    let told = poll(async || Some(browser.look().await).filter(|page| page.text.contains(said)));
    assert!(offers_to_stay(&told.await.expect("it is said"), "Do not call me"));
    let page = browser.go("stay", &[]).await;
    assert!(!page.text.contains(said) && !offers_to_stay(&page, "Do not call me"), "{}", page.text);
    let sent = &listed(&world).await["deliveries"][0];
    assert!(sent["fails_over_at"].is_null() && sent["not_followed"].is_string(), "{sent}");
    // Of what arrived nothing of the kind is said.
    let (_, arrived) = session(&world, json!({ "to": "+15005550007" })).await;
    arrived.go("begin", &[("channel", "sms")]).await;
    let (order, sid) = world.post.nth(2).await;
    let fact = Fact { status: Some(Status::Delivered), ..Fact::default() };
    world.tell(&order, &sid, fact).await;
    let page = arrived.look().await;
    assert!(page.text.contains("Delivered") && !page.text.contains(said), "{}", page.text);
    assert!(!offers_to_stay(&page, "Do not call me"), "{}", page.text);
    assert!(listed(&world).await["deliveries"][0]["fails_over_at"].is_null());
}

#[tokio::test]
async fn sending_again_waits_and_offers_a_call_from_the_first_text_on() {
    let world = world().await;
    let (_, browser) = session(&world, json!({ "to": NUMBER })).await;
    browser.go("begin", &[]).await;
    let page = browser.go("channel", &[("channel", "sms")]).await;
    assert!(page.text.contains("You can ask for another in 0:30."), "{}", page.text);
    let too_soon = browser.go("resend", &[("channel", "sms")]).await;
    assert_eq!(problem(&too_soon).as_deref(), Some("Please wait 0:30 before you ask for another."));
    let offers_call = |page: &Answer| page.text.contains("value=\"call\" data-waits>Call me instead");
    assert!(offers_call(&page), "{}", page.text);
    world.clock.advance(Duration::from_secs(31));
    let second = browser.go("resend", &[("channel", "sms")]).await;
    assert_eq!(problem(&second), None);
    assert!(offers_call(&second), "{}", second.text);
    world.clock.advance(Duration::from_secs(61));
    let third = browser.go("resend", &[("channel", "call")]).await;
    assert!(third.text.contains("Call to"), "{}", third.text);
    for channel in ["whatsapp", "fax", ""] {
        let refused = browser.go("resend", &[("channel", channel)]).await;
        assert!(problem(&refused).unwrap().starts_with("This way is not available"), "{channel}");
    }
    assert_eq!(world.post.count(), 3);
}

#[tokio::test]
async fn a_service_names_the_ways_and_what_it_leaves_out_is_as_usual() {
    let labels = json!({ "channel_labels": { "sms": { "label": "Ring <& text>" } } });
    let world = World::with_service(|settings| {
        shop(settings);
        *settings = settings.with(labels.as_object().unwrap().clone()).unwrap();
    })
    .await;
    let (_, browser) = session(&world, json!({ "to": NUMBER })).await;
    let page = browser.go("begin", &[]).await;
    assert!(page.text.contains("<strong>Ring &lt;&amp; text&gt;</strong>"), "{}", page.text);
    assert!(page.text.contains("<strong>Phone call</strong>"), "{}", page.text);
}

#[tokio::test]
async fn what_happens_with_the_message_is_told_live() {
    let world = by_hand().await;
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
        if heard.contains("\"state\":\"failed\"") && heard.contains("\"open\":[\"call\"]") {
            let (id, _) = order.id.of_verification().unwrap();
            let _ = verification::cancel(&world.app.admission, &id).await;
        }
    }
    assert!(heard.contains("The message could not be delivered."), "{heard}");
}

#[tokio::test]
async fn a_way_that_failed_opens_another_at_once() {
    let world = by_hand().await;
    let (_, browser) = session(&world, json!({ "to": NUMBER })).await;
    browser.go("begin", &[("channel", "sms")]).await;
    let (order, sid) = world.post.first().await;
    world.tell_failed(&order, &sid).await;
    let page = browser.look().await;
    assert!(page.text.contains("value=\"sms\" data-waits>") && page.text.contains("value=\"call\">"));
    let again = browser.go("resend", &[("channel", "sms")]).await;
    assert_eq!(problem(&again).as_deref(), Some("Please wait 0:30 before you ask for another."));
    let call = browser.go("resend", &[("channel", "call")]).await;
    assert_eq!(problem(&call), None);
    assert!(call.text.contains("Call to"), "{}", call.text);
    // The next failure opens nothing that was tried.
    let (order, sid) = world.post.nth(2).await;
    world.tell_failed(&order, &sid).await;
    assert!(problem(&browser.go("resend", &[("channel", "sms")]).await).is_some());
    assert_eq!(world.post.count(), 2);
}

#[tokio::test]
async fn the_api_opens_another_way_at_once_too() {
    let world = by_hand().await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let post = |path: String, body: Value| {
        answer(with_json(client.post(format!("{}{path}", world.base_url)).bearer_auth(API_KEY), &body))
    };
    let made = post("/v1/verifications".into(), json!({ "to": NUMBER })).await.json();
    let path = format!("/v1/verifications/{}/resend", made["id"].as_str().unwrap());
    let (order, sid) = world.post.first().await;
    post(path.clone(), json!({ "channel": "call" })).await.problem(429, "resend_too_soon");
    world.tell_failed(&order, &sid).await;
    post(path.clone(), json!({ "channel": "sms" })).await.problem(429, "resend_too_soon");
    assert_eq!(post(path, json!({ "channel": "call" })).await.status, 200);
}

/// Says of each number that it is a landline.
struct Landlines;

#[async_trait]
impl Transport for Landlines {
    async fn call(&self, _: Outgoing) -> Result<Served, TransportError> {
        let document = json!({ "line_type_intelligence": { "type": "landline" } });
        Ok(Served { status: 200, retry_after: None, body: document.to_string().into_bytes() })
    }
}

#[tokio::test]
async fn what_a_look_up_tells_to_be_a_landline_is_offered_calls_alone_from_then_on() {
    let change = |settings: &mut service::Settings| {
        shop(settings);
        settings.skip_sms_to_landlines = true;
    };
    let lookups = lookups::by(Arc::new(Landlines), LookupField::LineType, 100);
    let world = World::with_lookups(change, lookups).await;
    let (_, browser) = session(&world, json!({})).await;
    browser.go("begin", &[]).await;
    let channels = browser.go("number", &[("region", "US"), ("number", "415 555 0123")]).await;
    let offers = |page: &Answer, channel: &str| page.text.contains(&format!("value=\"{channel}\""));
    assert!(offers(&channels, "sms") && offers(&channels, "call"), "nobody pays for a question yet");
    let refused = browser.go("channel", &[("channel", "sms")]).await;
    assert!(
        problem(&refused).is_some_and(|said| said.starts_with("This way is not available")),
        "{}",
        refused.text
    );
    assert!(!offers(&refused, "sms") && offers(&refused, "call"), "{}", refused.text);
    let called = browser.go("channel", &[("channel", "call")]).await;
    assert_eq!(heading(&called), "Enter your code");
    world.post.first().await;
    assert!(!offers(&browser.look().await, "sms"));
}

#[tokio::test]
async fn who_said_stop_is_told_so() {
    let world = world().await;
    let (_, browser) = session(&world, json!({ "to": NUMBER })).await;
    browser.go("begin", &[("channel", "sms")]).await;
    let (order, sid) = world.post.first().await;
    world.tell_failed_with(&order, &sid, Some(21610)).await;
    let page = browser.look().await;
    assert!(page.text.contains("data-state=\"opted_out\""), "{}", page.text);
    assert!(page.text.contains("This number has answered STOP to our messages. Text START"));
    assert!(!page.text.contains("Your carrier") && page.text.contains("value=\"call\">"));
    let at = |way: &str| page.text.find(&format!("name=\"channel\" value=\"{way}\"")).unwrap();
    assert!(at("call") < at("sms"), "the way that works stands first");
}

#[tokio::test]
async fn while_nothing_can_be_sent_that_is_said_and_another_way_is_open() {
    let world = world().await;
    world.post.fail(true);
    let (_, browser) = session(&world, json!({ "to": NUMBER })).await;
    browser.go("begin", &[("channel", "sms")]).await;
    let delayed =
        poll(async || Some(browser.look().await).filter(|page| page.text.contains("\"delayed\""))).await;
    let page = delayed.expect("it is said");
    assert!(page.text.contains("We cannot send it right now. We keep trying."), "{}", page.text);
    assert!(page.text.contains("value=\"call\">Call me instead"), "{}", page.text);
    world.post.fail(false);
    let page = browser.go("resend", &[("channel", "call")]).await;
    assert_eq!(problem(&page), None);
}

#[tokio::test]
async fn a_number_that_is_not_on_whatsapp_is_said_to_be_none() {
    let world = World::with_service(|settings| {
        shop(settings);
        settings.failover = Failover::Off;
        settings.channels = vec![Channel::Whatsapp, Channel::Sms];
        settings.whatsapp_from = Some("+15005550009".into());
    })
    .await;
    for (n, code) in [63003, 63024].into_iter().enumerate() {
        let (_, browser) = session(&world, json!({ "to": NUMBER })).await;
        browser.go("begin", &[("channel", "whatsapp")]).await;
        let (order, sid) = world.post.nth(n + 1).await;
        world.tell_failed_with(&order, &sid, Some(code)).await;
        let page = browser.look().await;
        assert!(page.text.contains("This number has no WhatsApp account."), "{}", page.text);
        assert!(!page.text.contains("arrier"), "{}", page.text);
    }
}
