//! Keys of some services: what belongs to another service is not there to them,
//! in no list, by no name, by no deed, in no stream.

use crate::instance::{Setup, binary, text};
use crate::support::proof;
use crate::verify_v2::{Verify, failed};
use crate::wire::{Answer, answer, with_json};
use crate::world::World;
use dialback::app::events::{self, EventQuery};
use dialback::app::fault::Fault;
use dialback::app::messaging::{self, DeliveryFilter};
use dialback::app::verification::{self, AttemptFilter, NewSession, StartRequest, VerificationFilter};
use dialback::app::{Window, admin, admission, keyed};
use dialback::model::audit::Actor;
use dialback::model::channel::Channel;
use dialback::model::delivery::{About, Fact, Report, Source};
use dialback::model::event::EventType;
use dialback::model::id::VerificationId;
use dialback::model::key::{Access, Scope, ServiceSet};
use dialback::model::status::Status;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashSet};

/// A service and what there is of it.
struct Shop {
    service: String,
    number: String,
    verification: String,
    code: String,
    sid: String,
    session: String,
    result: String,
    limit: String,
}

impl Shop {
    /// Everything that a service can have, to one number.
    async fn open(world: &World, service: String, number: &str) -> Self {
        let verify = Verify::of(world);
        let path = format!("/Services/{service}");
        let limit = verify.post(&format!("{path}/RateLimits"), &[("UniqueName", "ip")]).await;
        assert_eq!(limit.status, 201, "{}", limit.text);
        // One by each face, and one by the pages, whose result is not yet exchanged.
        let orders = world.post.count();
        let begun =
            verify.post(&format!("{path}/Verifications"), &[("To", number), ("Channel", "sms")]).await;
        let verification = text(&begun.json()["sid"]);
        let (order, sid) = world.post.nth(orders + 1).await;
        let new = NewSession {
            to: Some(number.to_owned()),
            service: Some(service.parse().unwrap()),
            channels: vec![Channel::Sms],
            return_url: Some("https://shop.example/back".into()),
            ..NewSession::default()
        };
        let session = verification::create_session(&world.app.admission, new).await.unwrap().id;
        let browser = verification::new_browser(&world.app.base);
        verification::session_begin(&world.app.verifying, &session, &browser, Default::default())
            .await
            .unwrap();
        let typed = world.post.nth(orders + 2).await.0.code().unwrap().clone();
        verification::session_check(&world.app.verifying, &session, &browser, typed.expose()).await.unwrap();
        let back = verification::session_leave(&world.app.admission, &session, &browser, false)
            .await
            .unwrap()
            .unwrap();
        let result = back.expose().split_once("result=").unwrap().1.to_owned();
        Self {
            service,
            number: number.to_owned(),
            verification,
            code: order.code().unwrap().expose().to_owned(),
            sid: sid.to_string(),
            session: session.to_string(),
            result,
            limit: text(&limit.json()["sid"]),
        }
    }

    /// What gives it away, wherever it stands.
    fn traces(&self) -> [&str; 6] {
        // Attempts and deliveries have the verification's digits.
        let digits = &self.verification[2..32];
        [&self.service, &self.number, digits, &self.sid, &self.session, &self.limit]
    }
}

/// Three services, the last one the configuration's, and what is nobody's.
async fn street(world: &World) -> [Shop; 3] {
    let verify = Verify::of(world);
    let mut made = Vec::new();
    for name in ["Shop", "Bank"] {
        let settings = json!({ "name": name, "pages": { "return_urls": ["https://shop.example/back"] } });
        made.push(
            admin::create_service(
                &world.app.directory,
                &Actor::operator(),
                settings.as_object().unwrap().clone(),
            )
            .await
            .unwrap()
            .id
            .to_string(),
        );
    }
    let own = text(&verify.get("/Services").await.json()["services"][2]["sid"]);
    let [shop, bank] = made.try_into().unwrap();
    let shops = [
        Shop::open(world, shop, "+15005550301").await,
        Shop::open(world, bank, "+15005550302").await,
        Shop::open(world, own, "+15005550303").await,
    ];
    let fact = Fact { status: Some(Status::Sent), source: Source::StatusCallback, ..Fact::default() };
    let about = About { to: Some("+15005550309".into()), ..About::default() };
    let sid = format!("SM{}", "f".repeat(32)).parse().unwrap();
    messaging::record(&world.app.messaging, &proof(), Report { sid, id: None, about, fact }).await.unwrap();
    admission::set_opt_out(&world.app.admission, &Actor::operator(), "+15005550309", None, true)
        .await
        .unwrap();
    shops
}

/// A world whose own service lets people back, too.
async fn world() -> World {
    World::with_service(|service| service.pages.return_urls = vec!["https://shop.example/back".into()]).await
}

async fn key(world: &World, services: &[&Shop]) -> String {
    let ids: BTreeSet<_> = services.iter().map(|shop| shop.service.parse().unwrap()).collect();
    let access = Access { scopes: BTreeSet::from(Scope::ALL), services: ServiceSet::of(ids) };
    admin::create_key(&world.app.directory, &Actor::operator(), "bound", access)
        .await
        .unwrap()
        .1
        .expose()
        .to_owned()
}

async fn v1(world: &World, key: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
    let http = Client::builder().no_proxy().build().unwrap();
    let request = http.request(method, format!("{}{path}", world.base_url)).bearer_auth(key);
    answer(match body {
        Some(body) => with_json(request, &body),
        None => request,
    })
    .await
}

/// All pages of a list, as text.
async fn whole_list(world: &World, key: &str, path: &str) -> String {
    let (mut told, mut cursor) = (String::new(), String::new());
    loop {
        let joint = if path.contains('?') { '&' } else { '?' };
        let page = v1(world, key, Method::GET, &format!("{path}{joint}limit=2{cursor}"), None).await;
        assert_eq!(page.status, 200, "{path}: {}", page.text);
        told += &page.text;
        match page.json()["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return told,
        }
    }
}

#[tokio::test]
async fn no_list_shows_what_is_anothers_or_nobodys() {
    let world = world().await;
    let shops = street(&world).await;
    let bound = key(&world, &[&shops[0]]).await;
    let both = key(&world, &[&shops[0], &shops[2]]).await;
    let all = key_of_all(&world).await;
    let lists = ["/v1/verifications", "/v1/deliveries", "/v1/services", "/v1/events?numbers=full"];
    let lists_of_verify = ["/Services", "/Attempts", "/Templates"];
    for (key, seen) in [(&bound, vec![0]), (&both, vec![0, 2]), (&all, vec![0, 1, 2])] {
        let mut told = Vec::new();
        for path in lists {
            told.push((path, whole_list(&world, key, path).await));
        }
        for path in lists_of_verify {
            let page = Verify::with(&world, key).get(path).await;
            assert_eq!(page.status, 200, "{path}: {}", page.text);
            told.push((path, page.text));
        }
        for (nth, shop) in shops.iter().enumerate() {
            for trace in shop.traces() {
                let places: Vec<&str> =
                    told.iter().filter(|(_, text)| text.contains(trace)).map(|(path, _)| *path).collect();
                assert!(seen.contains(&nth) || places.is_empty(), "{trace} of {nth} in {places:?}");
            }
            let is_named = told.iter().filter(|(_, text)| text.contains(&shop.verification[2..32])).count();
            assert_eq!(is_named >= 4, seen.contains(&nth), "verifications, deliveries, events, attempts");
        }
        let is_foreign = told.iter().any(|(_, text)| text.contains("15005550309"));
        assert_eq!(is_foreign, seen.len() == 3, "what is nobody's");
        let total = Verify::with(&world, key).get("/Attempts/Summary").await.json()["total_attempts"].clone();
        assert_eq!(total, 2 * seen.len());
        let of_another = format!("/v1/verifications?service={}", shops[1].service);
        let count = v1(&world, key, Method::GET, &of_another, None).await.json()["verifications"].clone();
        assert_eq!(count.as_array().unwrap().is_empty(), seen.len() < 3);
    }
}

async fn key_of_all(world: &World) -> String {
    let made =
        admin::create_key(&world.app.directory, &Actor::operator(), "all", BTreeSet::from(Scope::ALL)).await;
    made.unwrap().1.expose().to_owned()
}

#[tokio::test]
async fn what_is_anothers_answers_like_what_never_was() {
    let world = world().await;
    let shops = street(&world).await;
    let bound = key(&world, &[&shops[0]]).await;
    let all = key_of_all(&world).await;
    let (own, event) = (&shops[0], {
        let listed = v1(&world, &all, Method::GET, "/v1/events?limit=100", None).await.json();
        let of_bank = |event: &&Value| event["data"]["service"] == shops[1].service.as_str();
        text(&listed["events"].as_array().unwrap().iter().find(of_bank).unwrap()["id"])
    });
    let zeros = "0".repeat(32);
    let code = |shop: &Shop| json!({ "code": shop.code });
    for other in &shops[1..] {
        // Each with the name of the other's, and with one of nothing.
        let attempts: [(Method, String, String, Option<Value>); 14] = [
            (Method::GET, "/v1/verifications/".into(), other.verification.clone(), None),
            (Method::DELETE, "/v1/verifications/".into(), other.verification.clone(), None),
            (
                Method::POST,
                "/v1/verifications/".into(),
                other.verification.clone() + "/check",
                Some(code(other)),
            ),
            (Method::POST, "/v1/verifications/".into(), other.verification.clone() + "/resend", None),
            (Method::GET, "/v1/deliveries/".into(), other.sid.clone(), None),
            (Method::GET, "/v1/deliveries/".into(), format!("DL{}01", &other.verification[2..32]), None),
            (Method::GET, "/v1/services/".into(), other.service.clone(), None),
            (Method::PATCH, "/v1/services/".into(), other.service.clone(), Some(json!({ "name": "Mine" }))),
            (Method::DELETE, "/v1/services/".into(), other.service.clone(), None),
            (
                Method::POST,
                "/v1/sessions/".into(),
                other.session.clone() + "/result",
                Some(json!({ "result": other.result })),
            ),
            (Method::GET, "/v1/events/".into(), event.clone(), None),
            (
                Method::POST,
                "/v1/verifications".into(),
                String::new(),
                Some(json!({ "to": other.number, "service": other.service })),
            ),
            (
                Method::POST,
                "/v1/sessions".into(),
                String::new(),
                Some(json!({ "service": other.service, "return_url": "https://shop.example/back" })),
            ),
            (Method::GET, "/v1/deliveries/".into(), format!("SM{}", "f".repeat(32)), None),
        ];
        for (method, path, name, body) in attempts {
            let nothing = |text: &str| {
                [&other.verification, &other.service, &other.session, &other.sid, &event]
                    .into_iter()
                    .fold(text.to_owned(), |text, name| {
                        text.replace(&**name, &format!("{}{zeros}", &name[..2]))
                    })
                    .replace(&format!("DL{}01", &other.verification[2..32]), &format!("DL{zeros}"))
                    .replace(&format!("SM{}", "f".repeat(32)), &format!("SM{zeros}"))
            };
            let never = body.as_ref().map(|body| serde_json::from_str(&nothing(&body.to_string())).unwrap());
            let one = v1(&world, &bound, method.clone(), &format!("{path}{name}"), body).await;
            let none = v1(&world, &bound, method.clone(), &format!("{path}{}", nothing(&name)), never).await;
            assert!([404, 422].contains(&one.status), "{method} {path}{name}: {} {}", one.status, one.text);
            assert_eq!((one.status, one.json()), (none.status, none.json()), "{method} {path}{name}");
        }
        let verify = Verify::with(&world, &bound);
        let path = format!("/Services/{}", other.service);
        failed(&verify.get(&path).await, 404, 20404);
        failed(&verify.post(&path, &[("FriendlyName", "Mine")]).await, 404, 20404);
        failed(&verify.delete(&path).await, 404, 20404);
        for below in ["RateLimits", "Webhooks", "MessagingConfigurations", "Entities"] {
            failed(&verify.get(&format!("{path}/{below}")).await, 404, 20404);
        }
        failed(&verify.get(&format!("{path}/RateLimits/{}", other.limit)).await, 404, 20404);
        let begin = [("To", &*other.number), ("Channel", "sms")];
        failed(&verify.post(&format!("{path}/Verifications"), &begin).await, 404, 20404);
        // By one's own service's path no more than by the other's.
        for service in [&other.service, &own.service] {
            for name in [&other.verification, &other.number] {
                let path = format!("/Services/{service}/Verifications/{name}");
                failed(&verify.get(&path).await, 404, 20404);
                for status in ["canceled", "approved"] {
                    failed(&verify.post(&path, &[("Status", status)]).await, 404, 20404);
                }
            }
            let check = [("VerificationSid", &*other.verification), ("Code", &*other.code)];
            failed(&verify.post(&format!("/Services/{service}/VerificationCheck"), &check).await, 404, 20404);
        }
        failed(&verify.get(&format!("/Attempts/VL{}01", &other.verification[2..32])).await, 404, 20404);
        // It was all in vain: nothing happened to it.
        let shown =
            v1(&world, &all, Method::GET, &format!("/v1/verifications/{}", other.verification), None).await;
        assert_eq!((&shown.json()["status"], &shown.json()["checks_left"]), (&json!("pending"), &json!(5)));
        let path = format!("/v1/sessions/{}/result", other.session);
        let told = v1(&world, &all, Method::POST, &path, Some(json!({ "result": other.result }))).await;
        assert_eq!((told.status, &told.json()["status"]), (200, &json!("approved")));
    }
    // And one's own is all there.
    let path = format!("/v1/verifications/{}", own.verification);
    assert_eq!(v1(&world, &bound, Method::GET, &path, None).await.status, 200);
    let checked = v1(&world, &bound, Method::POST, &format!("{path}/check"), Some(code(own))).await;
    assert_eq!(checked.json()["valid"], true, "{}", checked.text);
    let path = format!("/v1/sessions/{}/result", own.session);
    let told = v1(&world, &bound, Method::POST, &path, Some(json!({ "result": own.result }))).await;
    assert_eq!(told.status, 200, "{}", told.text);
    let path = format!("/v1/services/{}", own.service);
    let changed = v1(&world, &bound, Method::PATCH, &path, Some(json!({ "name": "Mine" }))).await;
    assert_eq!(changed.json()["name"], "Mine", "{}", changed.text);
    // A key of one service means it where it names none; the default one is another's.
    let begun =
        v1(&world, &bound, Method::POST, "/v1/verifications", Some(json!({ "to": "+15005550304" }))).await;
    assert_eq!(begun.json()["service"], own.service, "{}", begun.text);
    let several = key(&world, &[&shops[0], &shops[1]]).await;
    let begun =
        v1(&world, &several, Method::POST, "/v1/verifications", Some(json!({ "to": "+15005550305" }))).await;
    begun.problem(422, "service_not_found");
}

/// A page ends also where much was passed over; where it goes on then names
/// nobody else's thing, and nothing is left out.
#[tokio::test]
async fn a_page_that_ends_among_anothers_says_nothing_of_them() {
    let world = World::with_service(|service| {
        service.pages.return_urls = vec!["https://shop.example/back".into()];
        service.limits = crate::world::unlimited();
    })
    .await;
    let shops = street(&world).await;
    let bound = ServiceSet::of(BTreeSet::from([shops[0].service.parse().unwrap()]));
    let start = async |shop: &Shop, to: String| {
        let service = Some(shop.service.parse().unwrap());
        let request = StartRequest { service, ..StartRequest::to(to) };
        verification::start(&world.app.verifying, request, None).await.unwrap().view.verification.id
    };
    // More than one request reads, some at each of a few moments.
    for nth in 0..5_010 {
        if nth % 300 == 0 {
            world.clock.advance(std::time::Duration::from_secs(1));
        }
        start(&shops[1], format!("+1500555{:04}", 1000 + nth)).await;
    }
    let seen = world.app.seen_by(bound, Actor::operator());
    let (mut ids, mut pages) = (HashSet::new(), Vec::new());
    let mut window = Window { limit: 10, after: None };
    loop {
        let page = keyed::verifications(&seen, &VerificationFilter::default(), &window).await.unwrap();
        for view in &page.items {
            assert!(ids.insert(view.verification.id.clone()), "twice");
        }
        pages.push(page.items.len());
        let Some(next) = page.next else { break };
        assert_eq!(next.1, "", "a name of another's");
        window.after = Some(next);
    }
    assert_eq!((ids.len(), pages.first(), pages.last()), (2, Some(&0), Some(&2)));
    let first = keyed::attempts(&seen, &AttemptFilter::default(), None, 10).await.unwrap();
    assert!(first.attempts.is_empty());
    let (at, id, _) = first.next.clone().unwrap();
    assert_eq!(id, VerificationId::from_random([0; 15]), "a name of another's at {at}");
    let second = keyed::attempts(&seen, &AttemptFilter::default(), first.next, 10).await.unwrap();
    let own: HashSet<_> = second.attempts.into_iter().map(|attempt| attempt.verification.id).collect();
    assert_eq!((own, second.next), (ids, None));
}

/// Nobody knows whose it was, so it is no service's, and not the default one's.
#[tokio::test]
async fn what_is_told_of_a_verification_that_is_gone_is_nobodys() {
    let world = world().await;
    let own = world.app.directory.services.default_service().id.clone();
    let fact = Fact { status: Some(Status::Delivered), source: Source::StatusCallback, ..Fact::default() };
    let about = About { to: Some("+15005550309".into()), ..About::default() };
    let id = Some(VerificationId::from_random([9; 15]).delivery(1));
    let sid = format!("SM{}", "e".repeat(32)).parse().unwrap();
    messaging::record(&world.app.messaging, &proof(), Report { sid, id, about, fact }).await.unwrap();
    let window = Window { limit: 10, after: None };
    let told = events::events(&world.app.directory, &EventQuery::default(), &window).await.unwrap().items;
    assert_eq!(
        (told.len(), told[0].body.event_type, &told[0].body.service),
        (1, EventType::Delivered, &None)
    );
    let seen = world.app.seen_by(ServiceSet::of(BTreeSet::from([own])), Actor::operator());
    assert!(keyed::events(&seen, &EventQuery::default(), &window).await.unwrap().items.is_empty());
    assert!(keyed::deliveries(&seen, &DeliveryFilter::default(), &window).await.unwrap().items.is_empty());
    assert!(matches!(keyed::event(&seen, &told[0].id).await, Err(Fault::NotFound)));
}

#[tokio::test]
async fn a_stream_tells_of_ones_own_alone() {
    let world = world().await;
    let shops = street(&world).await;
    let bound = ServiceSet::of(BTreeSet::from([shops[0].service.parse().unwrap()]));
    let seen = world.app.seen_by(bound, Actor::operator());
    let mut feed = keyed::feed(&seen, None, BTreeSet::new()).unwrap();
    let mut own = HashSet::new();
    for (shop, to) in
        [(&shops[1], 401), (&shops[2], 402), (&shops[0], 403), (&shops[1], 404), (&shops[0], 405)]
    {
        let request = StartRequest {
            service: Some(shop.service.parse().unwrap()),
            ..StartRequest::to(format!("+15005550{to}"))
        };
        let id = verification::start(&world.app.verifying, request, None).await.unwrap().view.verification.id;
        if shop.service == shops[0].service {
            own.insert(id);
        }
    }
    // The last one's start is the last thing that is certainly told.
    let mut heard = HashSet::new();
    while heard.len() < own.len() {
        for event in feed.next().await.unwrap().unwrap() {
            assert_eq!(event.body.service.as_ref().map(ToString::to_string), Some(shops[0].service.clone()));
            heard.insert(event.body.verification.unwrap());
        }
    }
    assert_eq!(heard, own);
}

#[tokio::test]
async fn keys_of_a_service_are_made_in_the_terminal_and_by_the_api_and_say_so() {
    let dir = tempfile::TempDir::new().unwrap();
    std::fs::write(dir.path().join("config.toml"), "[services.shop]\nname = \"Shop\"\n").unwrap();
    let run = |args: &[&str]| {
        let mut command = binary(dir.path());
        command.env("DIALBACK_STORE__URL", format!("sled:{}", dir.path().join("data").display()));
        let output = command.args(args).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().trim().to_owned();
        (output.status.success(), text(output.stdout), text(output.stderr))
    };
    let life = |unknown: &str| {
        let (made, key, why) = run(&["key", "create", "till", "--service", "shop", "--scope", "read"]);
        assert!(made, "{why}");
        let (_, listed, _) = run(&["key", "list", "--json"]);
        let listed: Value = serde_json::from_str(&listed).unwrap();
        let services = listed["keys"][0]["services"].as_array().unwrap();
        assert_eq!((services.len(), text(&services[0]).len()), (1, 34), "{listed}");
        let (_, table, _) = run(&["key", "list"]);
        assert!(table.contains(&text(&services[0])), "{table}");
        let (_, audit, _) = run(&["audit", "list", "--json"]);
        assert!(audit.contains(&text(&services[0])), "{audit}");
        for wrong in ["nowhere", "VA00000000000000000000000000000000"] {
            let (made, _, why) = run(&["key", "create", "till", "--service", wrong]);
            assert!(!made && why.contains(unknown), "{why}");
        }
        (key, text(&services[0]))
    };
    let (_, service) = life("there is no service");
    let app = Setup::sandbox().dir(dir.path()).start().await;
    let (key, again) = life("service");
    app.learn(&key);
    assert_eq!(service, again);
    let listed = app.ask(&key, Method::GET, "/v1/services", None).await.json();
    assert_eq!(listed["services"].as_array().unwrap().len(), 1);
    assert_eq!(listed["services"][0]["id"], service);
    let operator = app.operator();
    let make = async |services: Value| {
        let body = json!({ "name": "till", "services": services });
        app.ask(&operator, Method::POST, "/v1/keys", Some(&body)).await
    };
    make(json!(["VA00000000000000000000000000000000"])).await.problem(422, "service_not_found");
    make(json!([])).await.problem(422, "invalid_request");
    let made = make(json!([service])).await.json();
    app.learn(text(&made["key"]));
    assert_eq!(made["services"], json!([service]));
    let shown =
        app.ask(&operator, Method::GET, &format!("/v1/keys/{}", text(&made["id"])), None).await.json();
    assert_eq!(shown["services"], json!([service]));
    app.stop().await;
}

/// Texts of other services are not there for a key of some services, not even to
/// be named.
#[tokio::test]
async fn anothers_texts_cannot_be_named() {
    let dir = tempfile::tempdir().unwrap();
    let set = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/messages/good/shop.toml");
    for name in ["shop", "bank"] {
        std::fs::copy(set, dir.path().join(format!("{name}.toml"))).unwrap();
    }
    let app = Setup::sandbox().set("MESSAGES__DIR", &dir.path().display().to_string()).start().await;
    let make = async |name: &str| {
        let made = app.post("/v1/services", &json!({ "name": name, "template": name })).await;
        assert_eq!(made.status, 201, "{}", made.text);
        text(&made.json()["id"])
    };
    let (shop, _) = (make("shop").await, make("bank").await);
    let key = json!({ "name": "bound", "scopes": ["admin"], "services": [shop] });
    let key = text(&app.post("/v1/keys", &key).await.json()["key"]);
    app.learn(key.clone());
    let path = format!("/v1/services/{shop}");
    let change = async |template: &str| {
        let body = json!({ "template": template });
        app.ask(&key, Method::PATCH, &path, Some(&body)).await
    };
    // One that there is and one that there is not are told alike.
    for name in ["bank", "nobody"] {
        let told = change(name).await.problem(422, "invalid_request");
        assert_eq!(told["field"], "template");
        assert_eq!(text(&told["detail"]), format!("template: {name:?} is no set of texts"));
        let body = json!({ "to": "+15005550006", "template": name });
        let told = app.ask(&key, Method::POST, "/v1/verifications", Some(&body)).await;
        assert_eq!(told.problem(422, "not_allowed")["field"], "template");
    }
    assert_eq!(change("shop").await.status, 200);
}
