//! Every rule of admission through every face that begins or sends again: what each says
//! of it, in its own words, and that nothing was sent.

use super::*;
use crate::world::{ACCOUNT_SID, OPERATOR_KEY};
use dialback::app::admission::{self, NamedTarget, NewEntry};
use dialback::model::audit::Actor;
use dialback::model::lists::Effect;

/// What asks for a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Face {
    Start,
    Resend,
    Verify,
    PageStart,
    PageResend,
}

use Face::*;

const FACES: [Face; 5] = [Start, Resend, Verify, PageStart, PageResend];

/// What makes a rule hold, beside the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Nothing,
    /// The person tells the sender to stop.
    Stop,
    /// The number is put on the safe list.
    Safe,
    /// It is put on a list, or what it belongs to.
    Listed(Effect, &'static str),
    /// One is begun by each face that knows one for a number.
    Begun,
    /// The same, and five wrong codes are offered to it.
    WrongCodes,
    /// The idempotency key was used for another number.
    KeyUsed,
}

struct Case {
    rule: &'static str,
    /// Set before the code is asked for, and after what is sent again was begun.
    set: Value,
    then: Then,
    to: &'static str,
    channel: &'static str,
    /// What else is said, at `/v1` and in a form.
    more: (Value, &'static [(&'static str, &'static str)]),
    /// After how many seconds something is sent again.
    after: u64,
    /// `/v1`, and again, Verify, a page and a page again: a problem's code, Verify's, the
    /// beginning of what the page says, nothing where it is taken: a page goes on by
    /// itself where one way is left. `-` where no request
    /// of the face can come to the rule.
    expected: [&'static str; 5],
}

const US: &str = "+14155550123";
const CANNOT: &str = "We cannot send a code to this number now.";
const WAY: &str = "This way is not available for your number.";

fn case(rule: &'static str, set: Value, expected: [&'static str; 5]) -> Case {
    let more = (json!({}), &[][..]);
    Case { rule, set, then: Then::Nothing, to: US, channel: "sms", more, after: 31, expected }
}

fn cases() -> Vec<Case> {
    let no_texts = || json!({ "countries": { "sms": { "allow": [], "refuse": ["US"], "watch": [] } } });
    let said = |more: Value, form: &'static [(&'static str, &'static str)]| (more, form);
    vec![
        case("none", json!({}), ["", "", "", "", ""]),
        Case {
            to: "+1415",
            ..case("number", json!({}), ["invalid_number", "-", "60200", "This number is too short", "-"])
        },
        Case {
            to: "+19002345678",
            ..case("kind", json!({}), ["invalid_number", "-", "60200", "This kind of number cannot", "-"])
        },
        case(
            "channel",
            json!({ "channels": ["call"] }),
            ["channel_not_offered", "channel_not_offered", "60223", "", WAY],
        ),
        case("country", no_texts(), ["country_not_offered", "country_not_offered", "60605", WAY, WAY]),
        Case {
            then: Then::Listed(Effect::Block, US),
            ..case("block list", json!({}), ["blocked", "blocked", "60410", CANNOT, CANNOT])
        },
        Case {
            then: Then::Listed(Effect::Block, "+1415*"),
            ..case("blocked range", no_texts(), ["blocked", "blocked", "60410", WAY, WAY])
        },
        Case {
            then: Then::Listed(Effect::Allow, "US"),
            ..case("allowed country", no_texts(), ["", "", "", "", ""])
        },
        Case { then: Then::Safe, ..case("safe list", no_texts(), ["", "", "", "", ""]) },
        Case {
            to: "+493012345678",
            ..case(
                "landline",
                json!({ "skip_sms_to_landlines": true }),
                ["channel_not_offered", "channel_not_offered", "60205", "", WAY],
            )
        },
        Case {
            channel: "whatsapp",
            ..case(
                "sender",
                json!({ "channels": ["sms", "whatsapp"] }),
                ["channel_not_offered", "channel_not_offered", "60223", "", WAY],
            )
        },
        Case {
            then: Then::Stop,
            ..case(
                "opt-out",
                json!({}),
                ["recipient_opted_out", "recipient_opted_out", "21610", "This number has answered STOP", WAY],
            )
        },
        Case {
            more: said(json!({ "friendly_name": "evil.com" }), &[("CustomFriendlyName", "evil.com")]),
            ..case("words", json!({}), ["not_allowed", "-", "60200", "-", "-"])
        },
        case(
            "payment",
            json!({ "psd2": true }),
            ["payment_missing", "payment_missing", "60206", "Something went wrong", "Something went wrong"],
        ),
        Case {
            more: said(json!({ "custom_code": "123456" }), &[("CustomCode", "123456")]),
            ..case("custom code", json!({}), ["not_allowed", "-", "60204", "-", "-"])
        },
        Case {
            more: said(json!({ "locale": "xx" }), &[("Locale", "xx")]),
            // What texts there are is not known to the services of this server.
            ..case("language", json!({}), ["-", "-", "60229", "-", "-"])
        },
        Case {
            then: Then::Begun,
            more: said(json!({ "purpose": "to sign in" }), &[("CustomFriendlyName", "Shop")]),
            ..case("one per number", json!({}), ["verification_pending", "-", "", "-", "-"])
        },
        Case {
            then: Then::Begun,
            after: 29,
            ..case(
                "cooldown",
                json!({ "resend_cooldown_seconds": [30] }),
                ["shown", "resend_too_soon", "20429", "-", "Please wait 0:01"],
            )
        },
        Case {
            then: Then::Begun,
            ..case("sends", json!({ "max_sends": 1 }), ["no_sends_left", "no_sends_left", "60203", "-", WAY])
        },
        Case { then: Then::WrongCodes, ..case("wrong codes", json!({}), ["", "-", "60202", "-", "-"]) },
        Case {
            more: said(json!({}), &[("RateLimits", "{\"none\":\"1\"}")]),
            ..case("rate limits", json!({}), ["", "-", "60200", "-", "-"])
        },
        Case {
            then: Then::KeyUsed,
            ..case("idempotency", json!({}), ["idempotency_key_reused", "-", "-", "-", "-"])
        },
    ]
}

#[tokio::test]
async fn every_rule_holds_in_every_face_and_each_has_its_words_for_it() {
    let mut wrong = Vec::new();
    for case in cases() {
        for (face, expected) in FACES.into_iter().zip(case.expected) {
            if expected == "-" {
                continue;
            }
            let stage = Stage::new().await;
            let (said, sends) = stage.play(&case, face).await;
            let is_right = if expected.is_empty() { said.is_empty() } else { said.starts_with(expected) };
            let is_sent = expected.is_empty();
            if !is_right || sends != usize::from(is_sent) {
                wrong.push(format!("{} {face:?}: {said:?} after {sends} sends, not {expected:?}", case.rule));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A service of its own, and what asks it.
struct Stage {
    world: World,
    http: reqwest::Client,
    service: String,
}

impl Stage {
    async fn new() -> Self {
        let world = World::start().await;
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let settings =
            json!({ "name": "Shop", "channels": ["sms", "call"], "pages": { "return_urls": [RETURN] } });
        let mut stage = Self { world, http, service: String::new() };
        let made = stage.v1(Method::POST, "/v1/services", &settings, None).await;
        assert_eq!(made.status, 201, "{}", made.text);
        stage.service = made.json()["id"].as_str().unwrap().to_owned();
        stage
    }

    async fn v1(&self, method: Method, path: &str, body: &Value, key: Option<&str>) -> Answer {
        let request = self.http.request(method, format!("{}{path}", self.world.base_url));
        let request = with_json(request.bearer_auth(OPERATOR_KEY), body);
        answer(match key {
            Some(key) => request.header("idempotency-key", key),
            None => request,
        })
        .await
    }

    /// What a face says at last, and how many verifications or sends that made.
    async fn play(&self, case: &Case, face: Face) -> (String, usize) {
        match face {
            Start | Verify => {
                self.before(case, face).await;
                self.hold(case).await;
                let sent = self.sends(case).await;
                let said = if face == Start { self.start(case).await } else { self.verify(case, true).await };
                (said, self.sends(case).await - sent)
            }
            Resend => {
                let begun = self.v1(Method::POST, "/v1/verifications", &self.plain(case), None).await;
                assert_eq!(begun.status, 201, "{}: {}", case.rule, begun.text);
                self.hold(case).await;
                self.world.clock.advance(Duration::from_secs(case.after));
                let sent = self.sends(case).await;
                let path = format!("/v1/verifications/{}/resend", begun.json()["id"].as_str().unwrap());
                let body = json!({ "channel": case.channel });
                let said = said_by_v1(&self.v1(Method::POST, &path, &body, None).await);
                (said, self.sends(case).await - sent)
            }
            PageStart => {
                let browser = self.session(json!({})).await;
                self.hold(case).await;
                browser.go("begin", &[]).await;
                let page = browser.go("number", &[("number", case.to), ("region", "")]).await;
                let said = match problem(&page) {
                    Some(said) => said,
                    None => problem(&browser.go("channel", &[("channel", case.channel)]).await)
                        .unwrap_or_default(),
                };
                (said, self.sends(case).await)
            }
            PageResend => {
                let browser = self.session(json!({ "to": case.to })).await;
                browser.go("begin", &[("channel", "sms")]).await;
                self.hold(case).await;
                self.world.clock.advance(Duration::from_secs(case.after));
                let sent = self.sends(case).await;
                let page = browser.go("resend", &[("channel", case.channel)]).await;
                (problem(&page).unwrap_or_default(), self.sends(case).await - sent)
            }
        }
    }

    /// What has to be there before the rule holds.
    async fn before(&self, case: &Case, face: Face) {
        match case.then {
            Then::Begun | Then::WrongCodes => {
                let begun = match face {
                    Start => {
                        said_by_v1(&self.v1(Method::POST, "/v1/verifications", &self.plain(case), None).await)
                    }
                    _ => self.verify(case, false).await,
                };
                assert_eq!(begun, "", "{}", case.rule);
                self.world.clock.advance(Duration::from_secs(case.after));
            }
            Then::KeyUsed => {
                let other = json!({ "to": "+14155550199", "service": self.service });
                let begun = self.v1(Method::POST, "/v1/verifications", &other, Some("once")).await;
                assert_eq!(begun.status, 201, "{}", begun.text);
            }
            Then::Nothing | Then::Stop | Then::Safe | Then::Listed(..) => {}
        }
        if case.then == Then::WrongCodes {
            let path = format!("/v1/verifications?service={}", self.service);
            let listed = self.v1(Method::GET, &path, &json!({}), None).await.json();
            let id = listed["verifications"][0]["id"].as_str().unwrap().to_owned();
            let code = self.world.post.first().await.0.code().unwrap().expose().to_owned();
            for _ in 0..5 {
                let path = format!("/v1/verifications/{id}/check");
                self.v1(Method::POST, &path, &json!({ "code": wrong(&code) }), None).await;
            }
        }
    }

    /// Makes the rule hold.
    async fn hold(&self, case: &Case) {
        let path = format!("/v1/services/{}", self.service);
        let set = self.v1(Method::PATCH, &path, &case.set, None).await;
        assert_eq!(set.status, 200, "{}: {}", case.rule, set.text);
        let (admission, who) = (&self.world.app.admission, Actor::caller("a test"));
        match case.then {
            Then::Stop => admission::set_opt_out(admission, &who, case.to, None, true).await.unwrap(),
            Then::Listed(effect, whom) => {
                let target = NamedTarget::of_text(whom, None).target(admission).unwrap();
                let new = NewEntry { effect, target, service: None, reason: None, ends_at: None };
                admission::add_entry(admission, &who, &new).await.unwrap();
            }
            Then::Safe => drop(admission::add_safe_number(admission, &who, case.to).await.unwrap()),
            _ => {}
        }
    }

    fn plain(&self, case: &Case) -> Value {
        json!({ "to": case.to, "service": self.service, "channel": "sms" })
    }

    async fn start(&self, case: &Case) -> String {
        let mut body = self.plain(case);
        body["channel"] = json!(case.channel);
        body.as_object_mut().unwrap().extend(case.more.0.as_object().unwrap().clone());
        let key = (case.then == Then::KeyUsed).then_some("once");
        said_by_v1(&self.v1(Method::POST, "/v1/verifications", &body, key).await)
    }

    async fn verify(&self, case: &Case, is_whole: bool) -> String {
        let url = format!("{}/v2/Services/{}/Verifications", self.world.base_url, self.service);
        let mut params = vec![("To", case.to), ("Channel", if is_whole { case.channel } else { "sms" })];
        params.extend(case.more.1.iter().filter(|_| is_whole));
        let request = self.http.post(url).basic_auth(ACCOUNT_SID, Some(API_KEY));
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(form(&params));
        let answer = answer(request).await;
        if answer.status == 201 { String::new() } else { answer.json()["code"].to_string() }
    }

    async fn session(&self, more: Value) -> Browser {
        let mut body = json!({ "service": self.service, "return_url": RETURN });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made = self.v1(Method::POST, "/v1/sessions", &body, None).await;
        assert_eq!(made.status, 201, "{}", made.text);
        Browser::at(made.json()["url"].as_str().unwrap())
    }

    /// How many messages and calls all verifications of the service have.
    async fn sends(&self, case: &Case) -> usize {
        let path = format!("/v1/verifications?service={}", self.service);
        let listed = self.v1(Method::GET, &path, &json!({}), None).await;
        let all =
            listed.json()["verifications"].as_array().unwrap_or_else(|| panic!("{}", case.rule)).clone();
        all.iter().map(|one| one["deliveries"].as_array().unwrap().len()).sum()
    }
}

/// What `/v1` says: a problem's code, that one was shown, or nothing.
fn said_by_v1(answer: &Answer) -> String {
    match answer.status {
        200 if !answer.header("retry-after").is_empty() => "shown".to_owned(),
        200 | 201 => String::new(),
        _ => answer.json()["code"].as_str().unwrap().to_owned(),
    }
}

/// The newest verification, as it is stored.
async fn newest(world: &World) -> dialback::model::verification::Verification {
    let filter = dialback::app::verification::VerificationFilter::default();
    let window = dialback::app::Window { limit: 1, after: None };
    let found = dialback::app::verification::verifications(
        &world.app.admission,
        &dialback::model::key::ServiceSet::all(),
        &filter,
        &window,
    )
    .await;
    found.unwrap().items.remove(0).verification
}

#[tokio::test]
async fn a_persons_address_is_kept_as_a_pseudonym_whoever_says_it() {
    let stage = Stage::new().await;
    let start = async |nth: u32, address: &str| {
        let body = json!({ "to": format!("+1415555010{nth}"), "device_ip": address });
        let made = stage.v1(Method::POST, "/v1/verifications", &body, None).await;
        assert_eq!(made.status, 201, "{}", made.text);
        stage.world.clock.advance(Duration::from_secs(1));
        let newest = newest(&stage.world).await;
        let said = address.parse::<std::net::IpAddr>().unwrap().to_string();
        assert_eq!(newest.details.device_ip, Some(said), "what an application says is kept as it is said");
        newest.admitted.unwrap()
    };
    let (own, mapped) = (start(1, "127.0.0.1").await, start(2, "::ffff:127.0.0.1").await);
    let other = start(3, "192.0.2.7").await;
    let browser = stage.session(json!({ "to": US })).await;
    browser.go("begin", &[("channel", "sms")]).await;
    let paged = newest(&stage.world).await;
    assert_eq!(paged.to.in_full(), US);
    let at_rest = serde_json::to_string(&paged).unwrap();
    assert!(!at_rest.contains("127.0.0.1"), "{at_rest}");
    let paged = paged.admitted.unwrap();
    // The test's own address, as the pages see it and as an application says it.
    assert_eq!((&paged.address, &paged.subnet), (&own.address, &own.subnet));
    assert_eq!(mapped.address, own.address);
    assert_ne!(other.address, own.address);
    assert_eq!((own.key.as_deref(), paged.key), (Some("operator"), None));
}
