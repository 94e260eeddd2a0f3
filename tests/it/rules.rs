//! The rules about who may be sent what, each tried through every face: the
//! application's API, Twilio Verify, and the hosted pages.

use crate::verify_v2::Verify;
use crate::wire::{Answer, answer, text, with_json};
use crate::world::{API_KEY, World};
use dialback::app::admin;
use dialback::app::admission::{self, AdmissionError};
use dialback::app::verification::{self, NewSession, SessionError, SessionView, VerificationError, Visitor};
use dialback::model::audit::Actor;
use dialback::model::channel::Channel;
use dialback::model::service::{Countries, Settings};
use serde_json::{Value, json};

const BACK: &str = "https://shop.example/back";
const OWN_SENDER: &str = "+15005550006";
const GERMANYS_SENDER: &str = "MG0123456789abcdef0123456789abcdef";
const MOBILE: &str = "+4915123456789";
const LANDLINE: &str = "+4930123456";

/// What comes of asking: the channel that is used, or why none is.
type Outcome = Result<Channel, String>;

async fn v1(world: &World, to: &str, channel: Option<Channel>, more: &Value) -> Outcome {
    let mut body = more.clone();
    body["to"] = to.into();
    body["channel"] = json!(channel);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = http.post(format!("{}/v1/verifications", world.base_url)).bearer_auth(API_KEY);
    let told: Answer = answer(with_json(request, &body)).await;
    match told.status {
        201 => Ok(text(&told.json()["channel"]).parse().unwrap()),
        _ => Err(text(&told.json()["code"])),
    }
}

async fn v2(world: &World, to: &str, channel: Option<Channel>, more: &[(&str, &str)]) -> Outcome {
    let verify = Verify::of(world);
    let service = world.app.directory.services.default_service().id.to_string();
    let channel = channel.map_or("auto", Channel::as_str);
    let params = [&[("To", to), ("Channel", channel)], more].concat();
    let told = verify.post(&format!("/Services/{service}/Verifications"), &params).await;
    match told.status {
        201 => Ok(text(&told.json()["channel"]).parse().unwrap()),
        _ => Err(match told.json()["code"].as_u64().unwrap() {
            21610 => "recipient_opted_out".to_owned(),
            60605 => "country_not_offered".to_owned(),
            60205 => "channel_not_offered".to_owned(),
            60200 => "not_allowed".to_owned(),
            other => other.to_string(),
        }),
    }
}

/// By the pages, where the person types the number and then presses the button
/// of a channel, or none.
async fn pages(world: &World, to: &str, channel: Option<Channel>) -> Outcome {
    let (app, browser) = (&world.app, verification::new_browser(&world.app.base));
    let new = NewSession { return_url: Some(BACK.to_owned()), ..NewSession::default() };
    let id = verification::create_session(&app.admission, new).await.unwrap().id;
    let said = |told: Result<SessionView, SessionError>| match told {
        Ok(view) => match view.verification {
            Some(verification) => Ok(verification.verification.channel()),
            None => Err("asks".to_owned()),
        },
        Err(SessionError::Verification(VerificationError::Admission(AdmissionError::OptedOut))) => {
            Err("recipient_opted_out".to_owned())
        }
        Err(SessionError::Verification(VerificationError::Admission(AdmissionError::CountryOff {
            ..
        }))) => Err("country_not_offered".to_owned()),
        Err(SessionError::Verification(VerificationError::Admission(AdmissionError::ChannelOff(_)))) => {
            Err("channel_not_offered".to_owned())
        }
        Err(error) => Err(error.to_string()),
    };
    verification::session_begin(&app.verifying, &id, &browser, Visitor::default()).await.unwrap();
    let entered =
        said(verification::session_number(&app.verifying, &id, &browser, to, None, Visitor::default()).await);
    match channel {
        Some(channel) if entered == Err("asks".to_owned()) => said(
            verification::session_start(&app.verifying, &id, &browser, channel, Visitor::default()).await,
        ),
        _ => entered,
    }
}

/// A way to make a rule hold.
struct Rule {
    what: &'static str,
    settings: fn(&mut Settings),
    /// Germany's texts go through a messaging service of their own.
    own_sender: bool,
    stopped: Option<&'static str>,
    safe: bool,
    to: &'static str,
    asked: Option<Channel>,
    /// In every face; a page that refuses a button does not say why.
    expected: Result<Channel, &'static str>,
    /// On a page, where it is something else.
    page: Option<Result<Channel, &'static str>>,
}

fn no_texts_to_germany(settings: &mut Settings) {
    let refuse = Countries { refuse: vec!["DE".into()], ..Countries::default() };
    settings.countries = [(Channel::Sms, refuse)].into();
}

fn calls_to_landlines(settings: &mut Settings) {
    settings.skip_sms_to_landlines = true;
}

const PLAIN: Rule = Rule {
    what: "",
    settings: |_| (),
    own_sender: false,
    stopped: None,
    safe: false,
    to: MOBILE,
    asked: None,
    expected: Ok(Channel::Sms),
    page: None,
};

#[tokio::test]
async fn a_rule_holds_in_every_face() {
    let (sms, call) = (Channel::Sms, Channel::Call);
    let asks = Some(Err("asks"));
    let rules = [
        Rule { what: "none", page: asks, ..PLAIN },
        Rule { what: "none, a call", asked: Some(call), expected: Ok(call), ..PLAIN },
        Rule {
            what: "a country without texts, a text",
            settings: no_texts_to_germany,
            asked: Some(sms),
            expected: Err("country_not_offered"),
            page: Some(Err("channel_not_offered")),
            ..PLAIN
        },
        Rule {
            what: "a country without texts, nothing asked for, no call",
            settings: no_texts_to_germany,
            expected: Err("country_not_offered"),
            page: asks,
            ..PLAIN
        },
        Rule {
            what: "a country without texts, a call asked for",
            settings: no_texts_to_germany,
            asked: Some(call),
            expected: Ok(call),
            ..PLAIN
        },
        Rule {
            what: "a service that calls first",
            settings: |settings| {
                no_texts_to_germany(settings);
                settings.channels = vec![Channel::Call, Channel::Sms];
            },
            expected: Ok(call),
            ..PLAIN
        },
        Rule {
            what: "a country without texts, a safe number",
            settings: no_texts_to_germany,
            safe: true,
            page: asks,
            ..PLAIN
        },
        Rule {
            what: "a country without texts, a safe number, a text",
            settings: no_texts_to_germany,
            safe: true,
            asked: Some(sms),
            ..PLAIN
        },
        Rule {
            what: "a landline, a text",
            settings: calls_to_landlines,
            to: LANDLINE,
            asked: Some(sms),
            expected: Err("channel_not_offered"),
            // One way is left, and it is what the service does with landlines.
            page: Some(Ok(call)),
            ..PLAIN
        },
        Rule { what: "a landline", settings: calls_to_landlines, to: LANDLINE, expected: Ok(call), ..PLAIN },
        Rule {
            what: "STOP, nothing asked for, no call",
            stopped: Some(OWN_SENDER),
            expected: Err("recipient_opted_out"),
            page: asks,
            ..PLAIN
        },
        Rule {
            what: "STOP to the sender of the country, a text",
            own_sender: true,
            stopped: Some(GERMANYS_SENDER),
            asked: Some(sms),
            expected: Err("recipient_opted_out"),
            ..PLAIN
        },
        Rule {
            what: "STOP to the sender of the country, nothing asked for",
            own_sender: true,
            stopped: Some(GERMANYS_SENDER),
            expected: Err("recipient_opted_out"),
            page: asks,
            ..PLAIN
        },
        Rule {
            what: "STOP to a sender that does not send there",
            own_sender: true,
            stopped: Some(OWN_SENDER),
            asked: Some(sms),
            ..PLAIN
        },
        Rule {
            what: "STOP to the sender of the country, a call asked for",
            own_sender: true,
            stopped: Some(GERMANYS_SENDER),
            asked: Some(call),
            expected: Ok(call),
            ..PLAIN
        },
    ];
    for rule in rules {
        let expected = rule.expected.map_err(str::to_owned);
        let page = rule.page.unwrap_or(rule.expected).map_err(str::to_owned);
        assert_eq!(v1(&ruled(&rule).await, rule.to, rule.asked, &json!({})).await, expected, "{}", rule.what);
        assert_eq!(v2(&ruled(&rule).await, rule.to, rule.asked, &[]).await, expected, "{}, /v2", rule.what);
        assert_eq!(pages(&ruled(&rule).await, rule.to, rule.asked).await, page, "{}, pages", rule.what);
    }
}

async fn ruled(rule: &Rule) -> World {
    let settings = |settings: &mut Settings| {
        settings.pages.return_urls = vec![BACK.to_owned()];
        (rule.settings)(settings);
    };
    let world = World::with_service(settings).await;
    if rule.own_sender {
        let service = world.app.directory.services.default_service().id.to_string();
        let params = [("Country", "DE"), ("MessagingServiceSid", GERMANYS_SENDER)];
        let path = format!("/Services/{service}/MessagingConfigurations");
        assert_eq!(Verify::of(&world).post(&path, &params).await.status, 201);
    }
    if let Some(sender) = rule.stopped {
        admission::set_opt_out(&world.app.admission, &Actor::operator(), rule.to, Some(sender), true)
            .await
            .unwrap();
    }
    if rule.safe {
        admission::add_safe_number(&world.app.admission, &Actor::operator(), rule.to).await.unwrap();
    }
    world
}

#[tokio::test]
async fn what_is_offered_again_goes_by_the_sender_of_the_country() {
    let rule = Rule { own_sender: true, ..PLAIN };
    let world = ruled(&rule).await;
    let begun = verification::start(
        &world.app.verifying,
        dialback::app::verification::StartRequest::to(MOBILE),
        None,
    )
    .await
    .unwrap()
    .view;
    assert_eq!(begun.channels_left, [Channel::Sms, Channel::Call]);
    admission::set_opt_out(&world.app.admission, &Actor::operator(), MOBILE, Some(GERMANYS_SENDER), true)
        .await
        .unwrap();
    let id = &begun.verification.id;
    assert_eq!(verification::fetch(&world.app.admission, id).await.unwrap().channels_left, [Channel::Call]);
    let again = crate::support::resend(&world.app, id, None).await;
    assert!(matches!(again, Err(VerificationError::Admission(AdmissionError::OptedOut))), "{again:?}");
}

/// Texts of applications reach people in the brand's name.
#[tokio::test]
async fn words_lead_nowhere_in_every_face() {
    let settings = |settings: &mut Settings| settings.pages.return_urls = vec![BACK.to_owned()];
    let world = World::with_service(settings).await;
    let session = async |more: Value| {
        let mut body = more;
        body["return_url"] = BACK.into();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = http.post(format!("{}/v1/sessions", world.base_url)).bearer_auth(API_KEY);
        answer(with_json(request, &body)).await
    };
    for text in ["win at evil.com/x", "ev\u{200b}il。com", "hxxp://evil", "me@evil.com", "192.0.2.7"] {
        for field in ["purpose", "friendly_name", "payee", "amount"] {
            let told = v1(&world, MOBILE, None, &json!({ field: text })).await;
            assert_eq!(told, Err("not_allowed".into()), "{field} {text}");
            let told = session(json!({ field: text })).await.problem(422, "not_allowed");
            assert_eq!(told["field"], field);
            let detail = crate::wire::text(&told["detail"]);
            assert!(detail.contains("allow_links") && !detail.contains("evil"), "{detail}");
        }
        let substitutions = json!({ "purpose": text }).to_string();
        for param in [("CustomFriendlyName", text), ("TemplateCustomSubstitutions", &substitutions)] {
            let told = v2(&world, MOBILE, None, &[param]).await;
            assert_eq!(told, Err("not_allowed".into()), "{param:?}");
        }
    }
    // A name that looks like a code is none in any face either.
    let code = json!({ "friendly_name": "Code 123456" });
    assert_eq!(v1(&world, MOBILE, None, &code).await, Err("invalid_request".into()));
    session(code).await.problem(422, "invalid_request");
    assert_eq!(world.post.count(), 0);
    // Whose name is a domain says so.
    let settings = |settings: &mut Settings| settings.allow_links = true;
    let allowed = World::with_service(settings).await;
    assert!(v1(&allowed, MOBILE, None, &json!({ "friendly_name": "Booking.com" })).await.is_ok());
    assert_eq!(allowed.post.first().await.0.details().unwrap().friendly_name.as_deref(), Some("Booking.com"));
    // A service made through the API takes no such name by itself.
    let operator = Actor::operator();
    let named = |more: Value| {
        admin::create_service(&world.app.directory, &operator, more.as_object().unwrap().clone())
    };
    let refused = named(json!({ "name": "evil.com" })).await.unwrap_err().to_string();
    assert!(refused.starts_with("name: has a link"), "{refused}");
    let made = named(json!({ "name": "Booking.com", "allow_links": true })).await.unwrap();
    let changed = json!({ "name": "evil.com", "allow_links": false });
    let refused = admin::change_service(
        &world.app.directory,
        &Actor::operator(),
        &made.id,
        changed.as_object().unwrap().clone(),
    )
    .await;
    assert!(refused.is_err());
}

/// What shows nothing is no payment, and no part of one.
#[tokio::test]
async fn a_payment_is_what_is_seen_of_it() {
    let world = World::with_service(|settings| settings.psd2 = true).await;
    let start = |amount: &str| {
        let body = json!({ "amount": amount, "payee": "Acme\u{200b} Ltd" });
        let world = &world;
        async move { v1(world, MOBILE, Some(Channel::Sms), &body).await }
    };
    assert_eq!(start("\u{200b}\u{2060}").await, Err("payment_missing".into()));
    assert!(start("\u{202a}39.99 EUR\u{202c}").await.is_ok());
    let order = world.post.first().await.0;
    assert_eq!(order.details().unwrap().amount.as_deref(), Some("39.99 EUR"));
    assert_eq!(order.details().unwrap().payee.as_deref(), Some("Acme Ltd"));
    let offer = dialback::app::verification::Offer {
        code: order.code().unwrap().expose().to_owned(),
        amount: Some("39.99 EUR".into()),
        payee: Some("Acme\u{feff} Ltd".into()),
    };
    let (id, _) = order.id.of_verification().unwrap();
    assert!(verification::check(&world.app.verifying, &id, offer).await.unwrap().valid);
}

/// A code of the application's own is read as any code is.
#[tokio::test]
async fn a_code_of_ones_own_is_read_in_the_digits_of_any_script() {
    let world = World::with_service(|settings| settings.custom_code = true).await;
    for (nth, code) in ["\u{661}\u{662}\u{663}\u{664}", "12-34", " 12 34 "].into_iter().enumerate() {
        let to = format!("+1500555018{nth}");
        assert!(v2(&world, &to, Some(Channel::Sms), &[("CustomCode", code)]).await.is_ok(), "{code}");
        assert_eq!(world.post.nth(nth + 1).await.0.code().unwrap().expose(), "1234", "{code}");
    }
    assert!(v2(&world, MOBILE, Some(Channel::Sms), &[("CustomCode", "12#4")]).await.is_err());
}
