//! Twilio Verify's face without Twilio's libraries: what they never send, what
//! they do not look at, and the life of a verification by the clock.

use crate::wire::{Answer, answer, form, text};
use crate::world::{ACCOUNT_SID, API_KEY, World};
use dialback::app::admin;
use dialback::model::audit::Actor;
use dialback::model::key::Scope;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use std::time::Duration;

pub const TO: &str = "+15005550123";

/// A client of Verify as Twilio's libraries are one.
pub struct Verify<'w> {
    pub world: &'w World,
    http: Client,
    token: String,
}

impl<'w> Verify<'w> {
    pub fn of(world: &'w World) -> Self {
        Self::with(world, API_KEY)
    }

    /// One that shows this key.
    pub fn with(world: &'w World, key: &str) -> Self {
        Self { world, http: Client::builder().no_proxy().build().unwrap(), token: key.to_owned() }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}/v2{path}", self.world.base_url)
        };
        self.http.request(method, url).basic_auth(ACCOUNT_SID, Some(&self.token))
    }

    pub async fn get(&self, path: &str) -> Answer {
        answer(self.request(Method::GET, path)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        answer(self.request(Method::DELETE, path)).await
    }

    pub async fn post(&self, path: &str, params: &[(&str, &str)]) -> Answer {
        let request = self.request(Method::POST, path).body(form(params));
        answer(request.header("content-type", "application/x-www-form-urlencoded")).await
    }

    /// A service with these parameters besides its name.
    pub async fn service(&self, params: &[(&str, &str)]) -> String {
        let params = [&[("FriendlyName", "Shop")], params].concat();
        let made = self.post("/Services", &params).await;
        assert_eq!(made.status, 201, "{}", made.text);
        text(&made.json()["sid"])
    }

    pub async fn start(&self, service: &str, params: &[(&str, &str)]) -> Answer {
        let params = [&[("To", TO), ("Channel", "sms")], params].concat();
        self.post(&format!("/Services/{service}/Verifications"), &params).await
    }

    pub async fn check(&self, service: &str, code: &str) -> Answer {
        self.post(&format!("/Services/{service}/VerificationCheck"), &[("To", TO), ("Code", code)]).await
    }

    /// The code of the request of that number.
    pub async fn code(&self, number: usize) -> String {
        self.world.post.nth(number).await.0.code().unwrap().expose().to_owned()
    }

    fn advance(&self, seconds: u64) {
        self.world.clock.advance(Duration::from_secs(seconds));
    }
}

/// Asserts that this is Twilio's error document, and gives its message.
#[track_caller]
pub fn failed(answer: &Answer, status: u16, code: u32) -> String {
    assert_eq!(answer.status, status, "{}", answer.text);
    let document = answer.json();
    assert_eq!((&document["status"], &document["code"]), (&json!(status), &json!(code)), "{document}");
    assert_eq!(document["more_info"], format!("https://www.twilio.com/docs/errors/{code}"));
    text(&document["message"])
}

#[tokio::test]
async fn a_verification_has_the_shape_of_twilios() {
    let world = World::start().await;
    let verify = Verify::of(&world);
    let service = verify.service(&[]).await;
    let started = verify.start(&service, &[]).await;
    assert_eq!(started.status, 201, "{}", started.text);
    let started = started.json();
    let sid = text(&started["sid"]);
    let attempt = format!("VL{}01", &sid[2..32]);
    assert_eq!(
        started,
        json!({
            "sid": sid, "service_sid": service, "account_sid": ACCOUNT_SID, "to": TO, "channel": "sms",
            "status": "pending", "valid": false, "lookup": {}, "amount": null, "payee": null, "sna": null,
            "date_created": "2026-11-20T09:30:00Z", "date_updated": "2026-11-20T09:30:00Z",
            "send_code_attempts": [{ "time": "2026-11-20T09:30:00Z", "channel": "SMS", "attempt_sid": attempt }],
            "url": format!("{}/v2/Services/{service}/Verifications/{sid}", world.base_url),
        })
    );
    for name in [sid.as_str(), TO, "%2B15005550123"] {
        let fetched = verify.get(&format!("/Services/{service}/Verifications/{name}")).await;
        assert_eq!((fetched.status, fetched.json()), (200, started.clone()), "{name}");
    }
    let code = verify.code(1).await;
    let checked = verify.check(&service, &code).await;
    assert_eq!(checked.status, 201);
    assert_eq!(
        checked.json(),
        json!({
            "sid": sid, "service_sid": service, "account_sid": ACCOUNT_SID, "to": TO, "channel": "sms",
            "status": "approved", "valid": true, "amount": null, "payee": null, "sna_attempts_error_codes": [],
            "date_created": "2026-11-20T09:30:00Z", "date_updated": "2026-11-20T09:30:00Z",
        })
    );
}

#[tokio::test]
async fn sending_again_is_the_same_verification_until_five() {
    let world = World::start().await;
    let verify = Verify::of(&world);
    let service = verify.service(&[]).await;
    let first = verify.start(&service, &[]).await.json();
    for count in 2..=5 {
        let channel = if count == 3 { "call" } else { "sms" };
        verify.advance(1);
        let path = format!("/Services/{service}/Verifications");
        let again = verify.post(&path, &[("To", TO), ("Channel", channel)]).await.json();
        assert_eq!((&again["sid"], &again["channel"]), (&first["sid"], &json!(channel)));
        let attempts = again["send_code_attempts"].as_array().unwrap();
        assert_eq!(attempts.len(), count);
        assert_eq!(attempts[count - 1]["channel"], channel.to_uppercase());
        assert_eq!(verify.code(count).await, verify.code(1).await);
    }
    let refused = verify.start(&service, &[]).await;
    assert_eq!(failed(&refused, 429, 60203), "Max send attempts reached");
    assert_eq!(refused.header("retry-after"), "596");
    // Called off, the number may begin anew.
    let path = format!("/Services/{service}/Verifications/{TO}");
    assert_eq!(verify.post(&path, &[("Status", "canceled")]).await.json()["status"], "canceled");
    failed(&verify.post(&path, &[("Status", "canceled")]).await, 404, 20404);
    let anew = verify.start(&service, &[]).await.json();
    assert_ne!(anew["sid"], first["sid"]);
}

#[tokio::test]
async fn what_was_never_there_and_what_has_ended_look_alike() {
    let world = World::start().await;
    let verify = Verify::of(&world);
    let service = verify.service(&[]).await;
    let never = verify.check(&service, "123456").await;
    assert_eq!(
        failed(&never, 404, 20404),
        format!("The requested resource /Services/{service}/VerificationCheck was not found")
    );
    verify.start(&service, &[]).await;
    let code = verify.code(1).await;
    assert_eq!(verify.check(&service, &code).await.json()["valid"], true);
    assert_eq!(verify.check(&service, &code).await.text, never.text);
    let second = verify.start(&service, &[]).await.json();
    verify.advance(600);
    assert_eq!(verify.check(&service, &verify.code(2).await).await.text, never.text);
    let by_sid = [("VerificationSid", second["sid"].as_str().unwrap()), ("Code", "123456")];
    let path = format!("/Services/{service}/VerificationCheck");
    assert_eq!(verify.post(&path, &by_sid).await.text, never.text);
    // Another service's verification is none of this one's.
    let other = verify.service(&[]).await;
    verify.start(&other, &[]).await;
    failed(&verify.check(&service, "123456").await, 404, 20404);
    let sid = text(&verify.get(&format!("/Services/{other}/Verifications/{TO}")).await.json()["sid"]);
    failed(&verify.get(&format!("/Services/{service}/Verifications/{sid}")).await, 404, 20404);
}

#[tokio::test]
async fn five_wrong_codes_close_the_number_until_its_time_is_over() {
    let world = World::start().await;
    let verify = Verify::of(&world);
    let service = verify.service(&[]).await;
    verify.start(&service, &[]).await;
    let code = verify.code(1).await;
    let wrong = crate::wire::wrong(&code);
    // What cannot be this code costs nothing.
    for never in ["1234", "12345678", "abcdef"] {
        assert_eq!(verify.check(&service, never).await.json()["status"], "pending");
    }
    for count in 1..=5 {
        let checked = verify.check(&service, &wrong).await;
        let status = if count == 5 { "max_attempts_reached" } else { "pending" };
        let checked = (checked.status, checked.json());
        assert_eq!(
            (checked.0, &checked.1["status"], &checked.1["valid"]),
            (201, &json!(status), &json!(false))
        );
    }
    let refused = verify.check(&service, &code).await;
    assert_eq!(failed(&refused, 429, 60202), "Max check attempts reached");
    assert_eq!(refused.header("retry-after"), "600");
    failed(&verify.start(&service, &[]).await, 429, 60202);
    verify.advance(601);
    failed(&verify.check(&service, &code).await, 404, 20404);
    assert_eq!(verify.start(&service, &[]).await.status, 201);
}

#[tokio::test]
async fn the_application_can_free_a_number_and_approve_its_own_code() {
    let world = World::start().await;
    let verify = Verify::of(&world);
    let service = verify.service(&[("CustomCodeEnabled", "true")]).await;
    let first = verify.start(&service, &[("CustomCode", "Ab12345")]).await.json();
    assert_eq!(verify.code(1).await, "Ab12345");
    for _ in 0..5 {
        verify.check(&service, "Ab99999").await;
    }
    failed(&verify.check(&service, "Ab12345").await, 429, 60202);
    let path = format!("/Services/{service}/Verifications/{TO}");
    assert_eq!(verify.post(&path, &[("Status", "canceled")]).await.status, 200);
    let second = verify.start(&service, &[("CustomCode", "4321")]).await.json();
    assert_ne!(first["sid"], second["sid"]);
    // Another code of the application's kills the one before.
    verify.start(&service, &[("CustomCode", "8765")]).await;
    assert_eq!(verify.code(3).await, "8765");
    assert_eq!(verify.check(&service, "4321").await.json()["valid"], false);
    let approved = verify.post(&path, &[("Status", "approved")]).await.json();
    assert_eq!((&approved["status"], &approved["valid"]), (&json!("approved"), &json!(true)));
    failed(&verify.post(&path, &[("Status", "approved")]).await, 404, 20404);
    failed(&verify.post(&path, &[("Status", "pending")]).await, 400, 60200);
    let plain = verify.service(&[]).await;
    failed(&verify.start(&plain, &[("CustomCode", "4321")]).await, 403, 60204);
}

#[tokio::test]
async fn a_code_for_a_payment_is_good_for_it_alone() {
    let world = World::start().await;
    let verify = Verify::of(&world);
    let service = verify.service(&[("Psd2Enabled", "true")]).await;
    failed(&verify.start(&service, &[("Amount", "39.99 €")]).await, 400, 60206);
    let pay = [("Amount", "39.99 €"), ("Payee", "Acme")];
    let call = [&[("To", TO), ("Channel", "call")], &pay[..]].concat();
    failed(&verify.post(&format!("/Services/{service}/Verifications"), &call).await, 400, 60214);
    let started = verify.start(&service, &pay).await.json();
    assert_eq!((&started["amount"], &started["payee"]), (&json!("39.99 €"), &json!("Acme")));
    let check = async |amount: &str, code: &str| {
        let params = [("To", TO), ("Code", code), ("Amount", amount), ("Payee", "Acme")];
        verify.post(&format!("/Services/{service}/VerificationCheck"), &params).await
    };
    let first = verify.code(1).await;
    assert_eq!(check("99.99 €", &first).await.json()["valid"], false);
    failed(&verify.check(&service, &first).await, 400, 60206);
    // Sent again for the same payment it is the same code; for another, another.
    verify.start(&service, &pay).await;
    assert_eq!(verify.code(2).await, first);
    let dearer = verify.start(&service, &[("Amount", "99.99 €"), ("Payee", "Acme")]).await.json();
    assert_eq!((&dearer["sid"], &dearer["amount"]), (&started["sid"], &json!("99.99 €")));
    let second = verify.code(3).await;
    assert_ne!(first, second);
    assert_eq!(check("39.99 €", &first).await.json()["valid"], false);
    assert_eq!(check("99.99 €", &second).await.json()["valid"], true);
    let plain = verify.service(&[]).await;
    failed(&verify.start(&plain, &pay).await, 403, 60204);
}

#[tokio::test]
async fn a_plus_that_was_not_encoded_is_one_at_the_start_and_at_the_check() {
    let world = World::start().await;
    let verify = Verify::of(&world);
    let service = verify.service(&[]).await;
    let lost = TO.replace('+', " ");
    let path = format!("/Services/{service}/Verifications");
    let started = verify.post(&path, &[("To", &lost), ("Channel", "sms")]).await.json();
    assert_eq!(started["to"], TO);
    let code = verify.code(1).await;
    let typed = format!("{}-{}\u{200e}", &code[..3], &code[3..]);
    let check = format!("/Services/{service}/VerificationCheck");
    let checked = verify.post(&check, &[("To", &lost), ("Code", &typed)]).await.json();
    assert_eq!((&checked["status"], &checked["to"]), (&json!("approved"), &json!(TO)));
    for (to, status, code) in
        [("15", 400, 60200), ("+49151234567O9", 400, 60200), ("+14155550177", 404, 20404)]
    {
        failed(&verify.post(&check, &[("To", to), ("Code", "123456")]).await, status, code);
    }
}

#[tokio::test]
async fn a_parameter_that_cannot_be_is_named() {
    let world = World::start().await;
    let verify = Verify::of(&world);
    let service = verify.service(&[]).await;
    let path = format!("/Services/{service}/Verifications");
    let missing = verify.post(&path, &[("Channel", "sms")]).await;
    assert_eq!(failed(&missing, 400, 20001), "Missing required parameter To in the post body");
    failed(&verify.post(&path, &[("To", TO)]).await, 400, 20001);
    for (channel, status, code) in [
        ("pigeon", 400, 60200),
        ("email", 403, 60223),
        ("sna", 403, 60223),
        ("rcs", 403, 60223),
        ("whatsapp", 403, 60223),
    ] {
        let refused = verify.post(&path, &[("To", TO), ("Channel", channel)]).await;
        failed(&refused, status, code);
    }
    let rows = [
        ("To", "15"),
        ("Locale", "no such"),
        ("AppHash", "short"),
        ("SendDigits", "12x"),
        ("DeviceIp", "1.2.3"),
        ("RiskCheck", "maybe"),
        ("Tags", "[]"),
        ("Tags", r#"{"a":1}"#),
        ("RateLimits", "x"),
        ("RateLimits", r#"{"nobody":"1"}"#),
        ("ChannelConfiguration", "x"),
        ("TemplateCustomSubstitutions", "x"),
        ("CustomFriendlyName", "call 1234567"),
        ("EnableSnaClientToken", "perhaps"),
    ];
    for (name, value) in rows {
        let mut params = vec![(name, value)];
        params.extend([("To", TO), ("Channel", "sms")].into_iter().filter(|(given, _)| *given != name));
        let refused = verify.post(&path, &params).await;
        assert!(failed(&refused, 400, 60200).contains(&format!("`{name}`")), "{}", refused.text);
    }
    let template = format!("HJ{}", "0".repeat(32));
    failed(&verify.start(&service, &[("TemplateSid", &template)]).await, 404, 60228);
    for locale in ["tlh", "xx", "de_DE", "en-ZZ"] {
        let told = failed(&verify.start(&service, &[("Locale", locale)]).await, 404, 60229);
        assert!(told.starts_with("Template translation was not found: "), "{told}");
    }
    failed(&verify.check(&service, "123").await, 400, 60200);
    let check = format!("/Services/{service}/VerificationCheck");
    failed(&verify.post(&check, &[("Code", "123456")]).await, 400, 60221);
    assert!(!verify.check(&service, "31415926535").await.text.contains("31415"));
    assert_eq!(world.post.count(), 0);
}

#[tokio::test]
async fn who_asks_must_be_known_and_allowed() {
    let world = World::start().await;
    let verify = Verify::of(&world);
    let url = format!("{}/v2/Services", world.base_url);
    let nobody = answer(verify.http.get(&url)).await;
    assert_eq!(failed(&nobody, 401, 20003), "Authenticate");
    for (account, token) in
        [("AC00000000000000000000000000000000", API_KEY), (ACCOUNT_SID, "wrong"), (ACCOUNT_SID, "")]
    {
        let refused = answer(verify.http.get(&url).basic_auth(account, Some(token))).await;
        assert!(failed(&refused, 401, 20003).starts_with("Authentication Error"), "{}", refused.text);
        assert_eq!(refused.json()["detail"], "Your AccountSid or AuthToken was incorrect.");
    }
    failed(&answer(verify.http.get(&url).bearer_auth(API_KEY)).await, 401, 20003);
    failed(&verify.get("/Nowhere").await, 404, 20404);
    let wrong_method = answer(verify.request(Method::PUT, "/Services")).await;
    failed(&wrong_method, 405, 20004);
    assert_eq!(wrong_method.header("allow"), "GET, HEAD, POST");
    failed(&verify.get(&format!("/Services/VA{}", "0".repeat(32))).await, 404, 20404);
    failed(&verify.get("/Services/VE1").await, 404, 20404);
}

#[tokio::test]
async fn a_key_may_do_what_its_scopes_say() {
    let world = World::start().await;
    let service = Verify::of(&world).service(&[]).await;
    let may_do = async |scopes: &[Scope]| {
        let (_, key) = admin::create_key(
            &world.app.directory,
            &Actor::operator(),
            "shop",
            scopes.iter().copied().collect::<std::collections::BTreeSet<_>>(),
        )
        .await
        .unwrap();
        let verify = Verify::with(&world, key.expose());
        let answers = [
            verify.start(&service, &[]).await,
            verify.check(&service, "123456").await,
            verify.get("/Services").await,
            verify.post("/Services", &[("FriendlyName", "x")]).await,
            verify.post(&format!("/Services/{service}/Verifications/{TO}"), &[("Status", "approved")]).await,
        ];
        // Nothing of the service's being approved is a feature that it has not.
        answers.map(|answer| match answer.status {
            403 if answer.json()["code"] == 60204 => 0,
            403 => {
                assert!(failed(&answer, 403, 20003).contains("lacks the scope"), "{}", answer.text);
                403
            }
            status => status,
        })
    };
    assert_eq!(may_do(&[Scope::Send]).await, [201, 403, 403, 403, 403]);
    assert_eq!(may_do(&[Scope::Check]).await, [403, 201, 403, 403, 403]);
    assert_eq!(may_do(&[Scope::Read]).await, [403, 403, 200, 403, 403]);
    // To approve is another scope than to send and to check together; a code of
    // ours nobody approves without it, whatever the scope.
    assert_eq!(may_do(&[Scope::Send, Scope::Check, Scope::Read]).await, [201, 201, 200, 403, 403]);
    assert_eq!(may_do(&[Scope::Approve]).await, [403, 403, 403, 403, 404]);
    assert_eq!(may_do(&[Scope::Admin]).await, [201, 201, 200, 201, 0]);
}

#[tokio::test]
async fn what_is_not_there_yet_answers_like_a_feature_that_is_off() {
    let world = World::start().await;
    let verify = Verify::of(&world);
    let service = verify.service(&[]).await;
    for path in ["Entities", "Entities/abcdefgh/Factors", "AccessTokens", "Passkeys/Factors"] {
        let refused = verify.post(&format!("/Services/{service}/{path}"), &[]).await;
        assert_eq!(failed(&refused, 403, 60204), "Service does not support this feature");
    }
    failed(&verify.get("/Services/VA00000000000000000000000000000000/Entities").await, 404, 20404);
    failed(&verify.get("/Forms/form-push").await, 404, 20404);
}

#[tokio::test]
async fn a_service_of_the_configuration_is_shown_and_may_have_limits() {
    let world = World::start().await;
    let verify = Verify::of(&world);
    let listed = verify.get("/Services").await.json();
    let service = text(&listed["services"][0]["sid"]);
    let path = format!("/Services/{service}");
    let refused = verify.post(&path, &[("FriendlyName", "Other")]).await;
    assert!(failed(&refused, 403, 20006).contains("configuration file"), "{}", refused.text);
    failed(&verify.delete(&path).await, 403, 20006);
    let limit = verify.post(&format!("{path}/RateLimits"), &[("UniqueName", "ip")]).await;
    assert_eq!(limit.status, 201, "{}", limit.text);
    // The cooldown that nobody has set is not Twilio's.
    let first = verify.start(&service, &[]).await.json();
    assert_eq!(verify.start(&service, &[]).await.json()["sid"], first["sid"]);
    assert_eq!(verify.check(&service, &verify.code(1).await).await.json()["valid"], true);
}

#[tokio::test]
async fn a_later_request_may_change_the_words_and_keeps_the_code() {
    let world = World::start().await;
    let verify = Verify::of(&world);
    let service = verify.service(&[]).await;
    verify.start(&service, &[("Tags", r#"{"order":"7"}"#)]).await;
    verify.start(&service, &[("AppHash", "He42w354ol9"), ("CustomFriendlyName", "Shop II")]).await;
    let (first, second) = (world.post.nth(1).await.0, world.post.nth(2).await.0);
    assert_eq!(first.code().unwrap().expose(), second.code().unwrap().expose());
    assert_eq!(first.details().unwrap().tags["order"], "7");
    assert_eq!(second.details().unwrap().app_hash.as_deref(), Some("He42w354ol9"));
    assert_eq!(second.details().unwrap().friendly_name.as_deref(), Some("Shop II"));
    let digits = [("To", TO), ("Channel", "call"), ("SendDigits", "1w2#")];
    verify.post(&format!("/Services/{service}/Verifications"), &digits).await;
    assert_eq!(world.post.nth(3).await.0.details().unwrap().send_digits.as_deref(), Some("1w2#"));
}

#[tokio::test]
async fn attempts_are_walked_forth_and_back() {
    let world = World::start().await;
    let verify = Verify::of(&world);
    let service = verify.service(&[]).await;
    let path = format!("/Services/{service}/Verifications");
    for n in 0..4 {
        let to = format!("+1500555020{n}");
        for channel in ["sms", "call"] {
            verify.advance(1);
            verify.post(&path, &[("To", &to), ("Channel", channel)]).await;
        }
    }
    let code = verify.code(1).await;
    verify
        .post(&format!("/Services/{service}/VerificationCheck"), &[("To", "+15005550200"), ("Code", &code)])
        .await;
    let sids = |page: &Value| -> Vec<String> {
        page["attempts"].as_array().unwrap().iter().map(|attempt| text(&attempt["sid"])).collect()
    };
    let all = sids(&verify.get("/Attempts").await.json());
    assert_eq!(all.len(), 8);
    let (mut seen, mut pages) = (Vec::new(), Vec::new());
    let mut page = verify.get("/Attempts?PageSize=3").await.json();
    loop {
        seen.extend(sids(&page));
        pages.push(sids(&page));
        match page["meta"]["next_page_url"].as_str() {
            Some(next) => page = verify.get(next).await.json(),
            None => break,
        }
    }
    assert_eq!((seen, pages.len()), (all.clone(), 3));
    assert_eq!(page["meta"]["page"], 2);
    for wanted in pages.iter().rev().skip(1) {
        page = verify.get(page["meta"]["previous_page_url"].as_str().unwrap()).await.json();
        assert_eq!(sids(&page), *wanted);
    }
    assert_eq!(page["meta"]["previous_page_url"], Value::Null);
    let count = async |query: &str| sids(&verify.get(&format!("/Attempts?{query}")).await.json()).len();
    assert_eq!(count("Channel=call").await, 4);
    assert_eq!(count("Channel=email").await, 0);
    assert_eq!(count("ChannelData.To=%2B15005550201").await, 2);
    assert_eq!(count("Status=converted").await, 1);
    assert_eq!(count("Country=DE").await, 0);
    assert_eq!(count("DateCreatedAfter=2026-11-20T09:30:07Z").await, 2);
    assert_eq!(count("DateCreatedBefore=2026-11-20T09:30:03Z").await, 2);
    assert_eq!(count(&format!("VerifyServiceSid={service}&PageSize=5")).await, 5);
    let of_one = format!("/Attempts?VerificationSid=VE{}00&PageSize=1", &all[6][2..32]);
    let (mut page, mut seen) = (verify.get(&of_one).await.json(), Vec::new());
    seen.extend(sids(&page));
    page = verify.get(page["meta"]["next_page_url"].as_str().unwrap()).await.json();
    seen.extend(sids(&page));
    assert_eq!((seen.as_slice(), &page["meta"]["next_page_url"]), (&all[6..], &Value::Null));
    failed(&verify.get("/Attempts?Channel=pigeon").await, 400, 60200);
    failed(&verify.get("/Attempts?PageToken=PAx").await, 400, 20001);
    failed(&verify.get("/Attempts?PageSize=1001").await, 400, 20007);
    let summary = verify.get("/Attempts/Summary?Channel=call").await.json();
    let counts = ["total_attempts", "total_converted", "total_unconverted"]
        .map(|name| summary[name].as_u64().unwrap());
    assert_eq!((counts, &summary["conversion_rate_percentage"]), ([4, 1, 3], &json!("25")));
    let one = verify.get(&format!("/Attempts/{}", all[6])).await.json();
    assert_eq!((&one["channel"], &one["conversion_status"]), (&json!("call"), &json!("converted")));
    assert_eq!(one["channel_data"]["status"], "confirmed");
    assert_eq!(one["channel_data"]["code_length"], 6);
    failed(&verify.get(&format!("/Attempts/VL{}", "0".repeat(32))).await, 404, 20404);
}
