//! What is answered as usual and never sent cannot be told from what is sent: by status,
//! headers, body or time, in any face, over the whole life of a verification.

use crate::captcha::{asking, number, post, start, warmed};
use crate::instance::{Instance, Setup};
use crate::wire::{Answer, answer, poll, with_form};
use crate::world::{ACCOUNT_SID, API_KEY, OPERATOR_KEY, World};
use dialback::app::messaging;
use dialback::model::delivery::{About, Fact, Report, Source};
use dialback::model::fraud::Action;
use dialback::model::id::{DeliveryId, Sid, VerificationId};
use dialback::model::status::Status;
use regex::Regex;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Two worlds in which the same has happened: in one the signal is written down and what
/// is asked for is sent, in the other that is answered as usual and never sent.
struct Pair {
    real: World,
    shadow: World,
    /// Messages that were sent before the signal fired.
    before: usize,
}

impl Pair {
    async fn new() -> Self {
        let real = warmed(World::with_service(asking(Action::Record)).await).await;
        let shadow = warmed(World::with_service(asking(Action::ShadowBlock)).await).await;
        // The third of a block is the first that it fires for.
        let before = 2;
        shadow.post.nth(before).await;
        Self { real, shadow, before }
    }

    /// The same of both, which has to be answered alike; what was answered by each.
    async fn both<F: Future<Output = Answer>>(
        &self,
        what: &str,
        ask: impl Fn(&'static str) -> F,
    ) -> [Answer; 2] {
        let answers = [ask("real").await, ask("shadow").await];
        let [real, shadow] = answers.each_ref().map(seen);
        assert_eq!(real, shadow, "{what}");
        answers
    }

    fn world(&self, which: &str) -> &World {
        if which == "real" { &self.real } else { &self.shadow }
    }
}

/// What can be seen of an answer, but names that differ from one to the next.
fn seen(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let name = Regex::new("\\b(VE|DL|SM|CA|VL|EV)[0-9a-f]{32}\\b").unwrap();
    let same = |text: &str| name.replace_all(text, "$1").into_owned();
    // The hash of a body differs with the names in it.
    let headers = answer.headers_but_the_time().into_iter().filter(|(name, _)| name != "etag");
    let headers = headers.map(|(name, value)| (name, same(&value)));
    (answer.status, headers.collect(), same(&answer.text))
}

/// What an application is told.
pub async fn get(world: &World, path: &str) -> Answer {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    answer(client.get(format!("{}{path}", world.base_url)).bearer_auth(API_KEY)).await
}

async fn delete(world: &World, path: &str) -> Answer {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    answer(client.delete(format!("{}{path}", world.base_url)).bearer_auth(API_KEY)).await
}

fn id_of(answer: &Answer) -> String {
    answer.json()["id"].as_str().unwrap().to_owned()
}

/// Waits until the last message has this status.
async fn until(world: &World, id: &str, status: &str) {
    let begun = Instant::now();
    loop {
        let shown = get(world, &format!("/v1/verifications/{id}")).await.json();
        let deliveries = shown["deliveries"].as_array().unwrap();
        if deliveries.last().unwrap()["status"] == status {
            return;
        }
        assert!(begun.elapsed() < crate::wire::PATIENCE, "never {status}: {shown}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Twilio tells of a real message.
async fn told(world: &World, id: &str, status: Status) {
    let shown = get(world, &format!("/v1/verifications/{id}")).await.json();
    let last = shown["deliveries"].as_array().unwrap().last().unwrap().clone();
    let is_receipt = status == Status::Delivered;
    let carrier_time = is_receipt.then(|| world.app.base.now().strftime("%y%m%d%H%M").to_string());
    let report = Report {
        sid: last["sid"].as_str().unwrap().parse::<Sid>().unwrap(),
        id: Some(last["id"].as_str().unwrap().parse::<DeliveryId>().unwrap()),
        about: About { to: Some(shown["to"].as_str().unwrap().to_owned()), ..About::default() },
        fact: Fact { status: Some(status), source: Source::StatusCallback, carrier_time, ..Fact::default() },
    };
    messaging::record(&world.app.messaging, &crate::support::proof(), report).await.unwrap();
}

/// What was sent of the two arrives, and what was not is told to have arrived: from then
/// on nothing of them changes by itself.
async fn arrives(pair: &Pair, [real, shadow]: &[String; 2]) {
    until(&pair.real, real, "queued").await;
    for status in [Status::Sending, Status::Sent, Status::Delivered] {
        told(&pair.real, real, status).await;
    }
    until(&pair.shadow, shadow, "delivered").await;
}

/// The code of a verification, by the keys that made it.
async fn code(world: &World, id: &str) -> String {
    let id: VerificationId = id.parse().unwrap();
    let view = dialback::app::verification::fetch(&world.app.admission, &id).await.unwrap();
    let seed = &view.verification.code;
    world.app.verifying.codes.derive(&id, seed).unwrap().expose().to_owned()
}

#[tokio::test]
async fn at_the_api_it_looks_like_any_other_from_its_start_to_its_end() {
    let pair = Pair::new().await;
    let on = |which: &str| pair.world(which);
    let begun = pair.both("start", |which| start(on(which), json!({ "to": number(10) }))).await;
    let ids = begun.each_ref().map(id_of);
    let path = |which: &str| format!("/v1/verifications/{}", ids[usize::from(which == "shadow")]);
    arrives(&pair, &ids).await;
    pair.both("list", |which| get(on(which), "/v1/verifications?to=%2B15005550010")).await;
    let fetched = pair
        .both("fetch once it has arrived", |which| {
            let path = path(which);
            async move { get(on(which), &path).await }
        })
        .await;
    let sids = fetched.each_ref().map(|it| it.json()["deliveries"][0]["sid"].as_str().unwrap().to_owned());
    pair.both("its delivery", |which| {
        let path = format!("/v1/deliveries/{}", sids[usize::from(which == "shadow")]);
        async move { get(on(which), &path).await }
    })
    .await;
    pair.both("send again", |which| {
        let path = format!("{}/resend", path(which));
        async move { post(on(which), &path, json!({})).await }
    })
    .await;
    arrives(&pair, &ids).await;
    pair.both("a wrong code", |which| {
        let path = format!("{}/check", path(which));
        async move {
            let right = code(on(which), path.split('/').nth(3).unwrap()).await;
            let wrong = if right == "000000" { "000001" } else { "000000" };
            post(on(which), &path, json!({ "code": wrong })).await
        }
    })
    .await;
    // Of a code that nobody was sent the right one is a guess like any other.
    let right = code(&pair.shadow, &ids[1]).await;
    let guessed = post(&pair.shadow, &format!("{}/check", path("shadow")), json!({ "code": right })).await;
    let wrong = post(&pair.real, &format!("{}/check", path("real")), json!({ "code": "000000" })).await;
    assert_eq!(seen(&guessed), seen(&wrong));
    assert_eq!((guessed.status, &guessed.json()["valid"]), (200, &json!(false)), "{}", guessed.text);
    pair.both("call off", |which| {
        let path = path(which);
        async move { delete(on(which), &path).await }
    })
    .await;
    // What never left is no more given back than what did.
    pair.both("limits", |which| get(on(which), "/v1/limits?number=%2B15005550010")).await;
    let later = pair.both("another", |which| start(on(which), json!({ "to": number(11) }))).await;
    let ids = later.each_ref().map(id_of);
    arrives(&pair, &ids).await;
    for world in [&pair.real, &pair.shadow] {
        world.clock.advance(Duration::from_secs(601));
    }
    pair.both("after its end", |which| {
        let path = format!("/v1/verifications/{}", ids[usize::from(which == "shadow")]);
        async move {
            let ended = poll(async || {
                Some(get(on(which), &path).await).filter(|shown| shown.json()["ended_at"].is_string())
            });
            ended.await.expect("it ends with its time")
        }
    })
    .await;
    assert_eq!(pair.shadow.post.count(), pair.before, "nothing was sent");
}

#[tokio::test]
async fn at_verify_s_face_it_looks_like_any_other() {
    let pair = Pair::new().await;
    let ask = async |which: &'static str, method: reqwest::Method, path: String, params: &[(&str, &str)]| {
        let world = pair.world(which);
        let service = world.app.directory.services.default_service().id.clone();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("{}/v2/Services/{service}{path}", world.base_url);
        let asked = client.request(method.clone(), url).basic_auth(ACCOUNT_SID, Some(API_KEY));
        let told =
            answer(if method == reqwest::Method::POST { with_form(asked, params) } else { asked }).await;
        // Each server has an address of its own.
        Answer { text: told.text.replace(&world.base_url, ""), ..told }
    };
    let post = reqwest::Method::POST;
    let to = number(10);
    let begun = pair
        .both("create", |which| {
            let (to, post) = (to.clone(), post.clone());
            let ask = &ask;
            async move { ask(which, post, "/Verifications".into(), &[("To", &to), ("Channel", "sms")]).await }
        })
        .await;
    let sids = begun.each_ref().map(|it| it.json()["sid"].as_str().unwrap().to_owned());
    let path = |which: &str| format!("/Verifications/{}", sids[usize::from(which == "shadow")]);
    for _ in 0..2 {
        pair.both("fetch", |which| ask(which, reqwest::Method::GET, path(which), &[])).await;
        let to = to.clone();
        pair.both("check", |which| {
            let (to, post) = (to.clone(), post.clone());
            let ask = &ask;
            async move { ask(which, post, "/VerificationCheck".into(), &[("To", &to), ("Code", "000000")]).await }
        })
        .await;
    }
    pair.both("cancel", |which| ask(which, post.clone(), path(which), &[("Status", "canceled")])).await;
    assert_eq!(pair.shadow.post.count(), pair.before, "nothing was sent");
}

#[tokio::test]
async fn the_operator_sees_it_and_no_event_says_that_it_arrived() {
    let pair = Pair::new().await;
    let id = id_of(&start(&pair.shadow, json!({ "to": number(10) })).await);
    until(&pair.shadow, &id, "delivered").await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let shown = |path: String| {
        answer(client.get(format!("{}{path}", pair.shadow.base_url)).bearer_auth(OPERATOR_KEY))
    };
    let verification = shown(format!("/v1/verifications/{id}")).await.json();
    assert_eq!(verification["shadow_blocked"], true, "{verification}");
    let sid = verification["deliveries"][0]["sid"].as_str().unwrap();
    assert_eq!(shown(format!("/v1/deliveries/{sid}")).await.json()["shadow_blocked"], true);
    let events = get(&pair.shadow, "/v1/events?limit=100").await.json();
    let types: Vec<&Value> = events["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["data"]["verification"] == id.as_str() || event.to_string().contains(&id))
        .map(|event| &event["type"])
        .collect();
    assert!(types.contains(&&json!("verification.sent")), "{events}");
    assert!(!events.to_string().contains("delivered"), "{events}");
}

#[tokio::test]
async fn a_code_that_an_earlier_send_brought_stays_good() {
    let world = World::with_service(asking(Action::ShadowBlock)).await;
    // Begun before anything speaks against it.
    let id = id_of(&start(&world, json!({ "to": number(50) })).await);
    let (order, _) = world.post.first().await;
    let world = warmed(world).await;
    let sent = world.post.count();
    assert_eq!(post(&world, &format!("/v1/verifications/{id}/resend"), json!({})).await.status, 200);
    until(&world, &id, "delivered").await;
    assert_eq!(world.post.count(), sent, "the second message is answered as usual and not sent");
    let path = format!("/v1/verifications/{id}/check");
    let checked = post(&world, &path, json!({ "code": order.code().unwrap().expose() })).await;
    assert_eq!(checked.json()["valid"], true, "{}", checked.text);
}

#[tokio::test]
async fn a_payment_is_refused_instead() {
    let change = |settings: &mut dialback::model::service::Settings| {
        asking(Action::ShadowBlock)(settings);
        settings.psd2 = true;
    };
    let world = World::with_service(change).await;
    let pay = |end: u8| start(&world, json!({ "to": number(end), "amount": "1.00 EUR", "payee": "Shop" }));
    assert_eq!((pay(1).await.status, pay(2).await.status), (201, 201));
    pay(3).await.problem(403, "fraud_suspected");
}

#[tokio::test]
async fn it_takes_as_long_as_any_other() {
    // Of many each, one after the other, so that what else the machine does meets both.
    let median = |mut all: Vec<Duration>| {
        all.sort_unstable();
        all[all.len() / 2].as_micros() as f64
    };
    let mut ratios = Vec::new();
    for _ in 0..5 {
        let pair = Pair::new().await;
        let mut took = [Vec::new(), Vec::new()];
        for end in 10..40 {
            for (world, took) in [&pair.real, &pair.shadow].into_iter().zip(&mut took) {
                let begun = Instant::now();
                assert_eq!(start(world, json!({ "to": number(end) })).await.status, 201);
                took.push(begun.elapsed());
            }
        }
        let [real, shadow] = took.map(median);
        ratios.push(shadow / real);
        if (0.5..2.0).contains(&(shadow / real)) {
            return;
        }
    }
    panic!("{ratios:?}");
}

/// What an application reads of a message or call that is over, but names and times.
async fn read(app: &Instance, to: &str, channel: &str) -> Value {
    let begun = app.begin(to, channel).await;
    let is_over = |shown: &Value| {
        let delivery = shown["deliveries"].as_array().and_then(|deliveries| deliveries.last());
        delivery
            .is_some_and(|delivery| ["delivered", "no-answer"].iter().any(|end| delivery["status"] == *end))
    };
    let shown = app.verification(begun["id"].as_str().unwrap(), is_over).await;
    let sid = shown["deliveries"][0]["sid"].as_str().unwrap();
    // The answer to the request may be written down after the last callback.
    let count = if channel == "whatsapp" { 3 } else { 4 };
    let is_whole = |it: &Value| it["events"].as_array().is_some_and(|events| events.len() == count);
    let delivery = app.delivery(sid, is_whole).await;
    // Twilio's own times are in whole seconds.
    let told = delivery["events"].as_array().unwrap().iter().filter_map(|event| event["carrier_at"].as_str());
    assert!(told.clone().all(|at| !at.contains('.')), "{delivery}");
    assert_eq!(told.count(), if channel == "call" { 3 } else { 0 }, "{delivery}");
    let differs = Regex::new(
        "\\b(VE|DL|SM|CA|VL|EV|VA|AC|MG)[0-9a-f]{32}\\b|\\d{4}-\\d\\d-\\d\\dT[0-9:.]+Z|\\b\\d{10}\\b",
    )
    .unwrap();
    let all = json!({ "begun": begun, "verification": shown, "delivery": delivery }).to_string();
    let mut all: Value = serde_json::from_str(&differs.replace_all(&all, "$1-")).unwrap();
    let events = all["delivery"]["events"].as_array_mut().unwrap();
    for event in events.iter_mut() {
        // What Twilio alone knows, as the towns of a call's numbers.
        event.as_object_mut().unwrap().remove("other");
    }
    // A callback may come before the answer to the request.
    events.sort_by_key(ToString::to_string);
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn on_each_channel_it_reads_as_what_twilio_tells_of_a_real_one() {
    let service = |action: &str| {
        format!(
            "{{ default = {{ name = \"Shop\", channels = [\"sms\", \"call\", \"whatsapp\"], failover = \"off\", \
             fraud = {{ signals = {{ block_burst = {{ action = \"{action}\", hundred = 2, numbers = 2 }} }} }} }} }}"
        )
    };
    let start = async |action: &str| {
        let setup = Setup::sandbox().set("SERVICES", &service(action)).set("VOICE__RING_SECONDS", "5");
        setup.start().await
    };
    let (real, shadow) = (start("record").await, start("shadow_block").await);
    let number = |end: u8| format!("+141555520{end:02}");
    for app in [&real, &shadow] {
        for end in [1, 2] {
            app.begin(&number(end), "sms").await;
        }
        app.texts(&number(2), 1).await;
    }
    for (channel, to) in [("sms", number(10)), ("call", number(11)), ("whatsapp", number(12))] {
        real.phone(&to, json!({ "answers": "nobody" })).await;
        let (sent, not_sent) = (read(&real, &to, channel).await, read(&shadow, &to, channel).await);
        assert_eq!(sent, not_sent, "{channel}");
        let phone = shadow.control(reqwest::Method::GET, &format!("/phones/{to}"), None).await;
        assert_eq!((&phone["messages"], &phone["calls"]), (&json!([]), &json!([])), "nothing came");
    }
}

/// A call that is only pretended is not answered; what follows it is pretended, too.
#[tokio::test(flavor = "multi_thread")]
async fn what_follows_what_never_left_does_not_leave_either() {
    let service = "{ default = { channels = [\"call\", \"sms\"], fraud = { signals = { \
                   block_burst = { action = \"shadow_block\", hundred = 2, numbers = 2 } } } } }";
    let app = Setup::sandbox().set("SERVICES", service).set("VOICE__RING_SECONDS", "5").start().await;
    for end in [1, 2] {
        app.begin(&format!("+141555521{end:02}"), "sms").await;
    }
    let to = "+14155552110";
    let id = app.begin(to, "call").await["id"].as_str().unwrap().to_owned();
    let is_followed = |shown: &Value| shown["deliveries"][1]["status"] == "delivered";
    let shown = app.verification(&id, is_followed).await;
    assert_eq!(shown["deliveries"][0]["status"], "no-answer");
    assert_eq!(shown["deliveries"][1]["follows"], shown["deliveries"][0]["id"]);
    let phone = app.control(reqwest::Method::GET, &format!("/phones/{to}"), None).await;
    assert_eq!((&phone["messages"], &phone["calls"]), (&json!([]), &json!([])), "nothing came");
}
