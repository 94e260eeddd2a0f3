//! Services, opt-outs and test numbers through the application's API.

use crate::instance::{KEY, Setup, text};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_service_lives_through_the_api() {
    let app = Setup::sandbox().start().await;
    let key = app.operator();
    let made =
        app.ask(&key, Method::POST, "/v1/services", Some(&json!({ "name": "Shop", "code_length": 8 }))).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let service = made.json();
    let path = made.header("location").to_owned();
    assert_eq!(path, format!("/v1/services/{}", text(&service["id"])));
    assert_eq!((&service["code_length"], &service["max_checks"]), (&json!(8), &json!(5)));
    assert_eq!(service["configured_at"], Value::Null);
    assert_eq!(app.get(&path).await.json(), service);
    // Its verifications go by its rules, and by the new ones once it is changed.
    let number = "+15551230450";
    let started = app.post("/v1/verifications", &json!({ "to": number, "service": service["id"] })).await;
    assert_eq!((started.status, &started.json()["service"]), (201, &service["id"]), "{}", started.text);
    let texts = app.texts(number, 1).await;
    let is_digit = |c: char| c.is_ascii_digit();
    let body = texts[0]["body"].as_str().unwrap().to_owned();
    let code = body.split(|c| !is_digit(c)).find(|word| word.len() == 8).expect("no code of eight digits");
    app.learn(code);
    let changes = json!({ "max_checks": 2, "domain": "example.com", "channels": ["call", "sms"] });
    let changed = app.ask(&key, Method::PATCH, &path, Some(&changes)).await.json();
    assert_eq!((&changed["max_checks"], &changed["name"]), (&json!(2), &json!("Shop")));
    let id = text(&started.json()["id"]);
    let view = app.get(&format!("/v1/verifications/{id}")).await.json();
    assert_eq!((&view["checks_left"], &view["channels_left"]), (&json!(2), &json!(["call", "sms"])));
    let cleared = app.ask(&key, Method::PATCH, &path, Some(&json!({ "domain": null }))).await.json();
    assert_eq!(cleared["domain"], Value::Null);
    assert_eq!(app.ask(&key, Method::DELETE, &path, None).await.status, 204);
    app.get(&path).await.problem(404, "not_found");
    app.ask(&key, Method::PATCH, &path, Some(&changes)).await.problem(404, "not_found");
    let gone = app.post("/v1/verifications", &json!({ "to": number, "service": service["id"] })).await;
    assert_eq!(gone.problem(422, "service_not_found")["field"], "service");
}

#[tokio::test]
async fn a_setting_that_cannot_be_is_named_with_its_range() {
    let app = Setup::sandbox().start().await;
    let key = app.operator();
    let cases = [
        (json!({}), "name", "missing"),
        (json!({ "name": "" }), "name", "1 to 32"),
        (json!({ "name": "Call 123456" }), "name", "4 digits in a row"),
        (json!({ "name": "x", "code_length": 3 }), "code_length", "from 4 to 10"),
        (json!({ "name": "x", "code_length": "6" }), "code_length", "from 4 to 10"),
        (json!({ "name": "x", "code_length": null }), "code_length", "from 4 to 10"),
        (json!({ "name": "x", "code_alphabet": "00000000" }), "code_alphabet", "different"),
        (json!({ "name": "x", "lifetime_seconds": 59 }), "lifetime_seconds", "from 60 to 86400"),
        (json!({ "name": "x", "max_sends": 21 }), "max_sends", "from 1 to 20"),
        (json!({ "name": "x", "channels": [] }), "channels", "1 to 3"),
        (json!({ "name": "x", "channels": ["fax"] }), "channels[0]", "one of sms, call, whatsapp"),
        (
            json!({ "name": "x", "resend_cooldown_seconds": [3601] }),
            "resend_cooldown_seconds[0]",
            "from 0 to 3600",
        ),
        (
            json!({ "name": "x", "countries": { "sms": { "allow": ["Germany"] } } }),
            "countries.sms.allow[0]",
            "2 to 2",
        ),
        (json!({ "name": "x", "countries": { "sms": { "block": [] } } }), "countries.sms", "unknown field"),
        (json!({ "name": "x", "messaging_service_sid": "MG1" }), "messaging_service_sid", "32 hexadecimal"),
        (json!({ "name": "x", "gate": "open" }), "gate", "any-key"),
        (json!({ "name": "x", "pages": { "colour": "red" } }), "pages.colour", "7 to 7"),
        (json!({ "name": "x", "domain": "https://example.com/" }), "domain", "host name alone"),
    ];
    for (body, field, why) in cases {
        let refused = app.ask(&key, Method::POST, "/v1/services", Some(&body)).await;
        let problem = refused.problem(422, "invalid_request");
        assert_eq!(problem["field"], field, "{body}: {problem}");
        assert!(text(&problem["detail"]).contains(why), "{body}: {problem}");
    }
    let unknown =
        app.ask(&key, Method::POST, "/v1/services", Some(&json!({ "name": "x", "color": 1 }))).await;
    assert!(text(&unknown.problem(422, "invalid_request")["detail"]).contains("unknown field \"color\""));
}

#[tokio::test]
async fn services_of_the_file_are_shown_and_not_changed() {
    let app = Setup::sandbox().set("SERVICES", "{ shop = { name = \"Shop\" } }").start().await;
    let key = app.operator();
    let listed = app.ask(&key, Method::GET, "/v1/services", None).await.json();
    let services = listed["services"].as_array().unwrap();
    assert_eq!(services.len(), 2, "{listed}");
    for service in services {
        let (path, at) = (format!("/v1/services/{}", text(&service["id"])), &service["configured_at"]);
        assert_eq!(service["default"], *at == "services.default");
        for (method, body) in [(Method::PATCH, Some(json!({ "name": "Other" }))), (Method::DELETE, None)] {
            let refused = app.ask(&key, method, &path, body.as_ref()).await;
            let problem = refused.problem(409, "service_read_only");
            assert_eq!(problem["configured_at"], *at);
            assert!(text(&problem["detail"]).contains(at.as_str().unwrap()), "{problem}");
        }
        assert_eq!(app.get(&path).await.json(), *service);
    }
}

#[tokio::test]
async fn who_opted_out_is_not_texted_until_that_is_taken_back() {
    let app = Setup::sandbox().start().await;
    let key = app.operator();
    let number = "+15551230451";
    app.learn(number);
    let path = format!("/v1/opt-outs/{number}");
    let start =
        async || app.post("/v1/verifications", &json!({ "to": "+15551230451", "channel": "sms" })).await;
    app.ask(&key, Method::GET, &path, None).await.problem(404, "not_found");
    let set = app.ask(&key, Method::PUT, &path, None).await.json();
    assert_eq!((&set["number"], &set["opt_outs"][0]["opted_out"]), (&json!(number), &json!(true)));
    start().await.problem(422, "recipient_opted_out");
    let encoded = path.replace('+', "%2B");
    assert_eq!(app.ask(&key, Method::GET, &encoded, None).await.json(), set);
    let back = app.ask(&key, Method::PUT, &path, Some(&json!({ "opted_out": false }))).await.json();
    assert_eq!(back["opt_outs"][0]["opted_out"], false);
    assert_eq!(start().await.status, 201);
    app.texted_code(number, 1).await;
    // Towards another sender, which codes do not come from.
    let other = json!({ "sender": "MG0123456789abcdef0123456789abcdef" });
    let both = app.ask(&key, Method::PUT, &path, Some(&other)).await.json();
    assert_eq!(both["opt_outs"].as_array().unwrap().len(), 2);
    let one = format!("{path}?sender=MG0123456789abcdef0123456789abcdef");
    assert_eq!(app.ask(&key, Method::DELETE, &one, None).await.status, 204);
    app.ask(&key, Method::DELETE, &one, None).await.problem(404, "not_found");
    assert_eq!(app.ask(&key, Method::DELETE, &path, None).await.status, 204);
    app.ask(&key, Method::GET, &path, None).await.problem(404, "not_found");
    let nobody = app.ask(&key, Method::PUT, "/v1/opt-outs/hello-there", None).await;
    nobody.problem(422, "invalid_number");
}

#[tokio::test]
async fn test_numbers_are_shown_without_their_codes_and_made_nowhere() {
    let number = "{ number = \"+1555123910?\", code = \"271828\", until = \"2099-12-31\" }";
    let app = Setup::sandbox().set("TEST_NUMBERS", &format!("[{number}]")).start().await;
    let listed = app.get("/v1/test-numbers").await;
    assert!(!listed.text.contains("271828"));
    let expected = json!([{ "number": "+1555123910?", "until": "2099-12-31T00:00:00Z", "active": true }]);
    assert_eq!(listed.json()["test_numbers"], expected);
    let refused = app.ask(&app.operator(), Method::POST, "/v1/test-numbers", Some(&json!({}))).await;
    assert!(text(&refused.problem(409, "test_numbers_read_only")["detail"]).contains("test_numbers"));
    let started = app.begin("+15551239101", "sms").await;
    assert_eq!((&started["test"], &started["deliveries"][0]["status"]), (&json!(true), &json!("test")));
    let id = text(&started["id"]);
    let delivery = app.get(&format!("/v1/deliveries/{}", text(&started["deliveries"][0]["id"]))).await;
    assert_eq!(delivery.json()["final"], true);
    assert_eq!(
        app.ask(
            KEY,
            Method::POST,
            &format!("/v1/verifications/{id}/check"),
            Some(&json!({ "code": "271828" }))
        )
        .await
        .json()["valid"],
        true
    );
}

#[tokio::test]
async fn a_service_whose_codes_can_be_guessed_is_refused_unless_the_configuration_says_why() {
    let weak = json!({ "name": "Shop", "code_length": 4, "max_checks": 20 });
    let long = json!({ "name": "Shop", "lifetime_seconds": 86_400 });
    let app = Setup::sandbox().start().await;
    let key = app.operator();
    for (body, field, allow) in
        [(&weak, "code_length", "allow_guessable_codes"), (&long, "lifetime_seconds", "allow_long_life")]
    {
        let refused = app.ask(&key, Method::POST, "/v1/services", Some(body)).await;
        let problem = refused.problem(422, "invalid_request");
        assert_eq!(problem["field"], field);
        assert!(text(&problem["detail"]).contains(allow), "{problem}");
    }
    let twilios = json!({ "name": "Shop", "code_length": 4 });
    let made = app.ask(&key, Method::POST, "/v1/services", Some(&twilios)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let path = format!("/v1/services/{}", text(&made.json()["id"]));
    let more = app.ask(&key, Method::PATCH, &path, Some(&json!({ "max_checks": 20 }))).await;
    more.problem(422, "invalid_request");
    app.stop().await;

    let allowed = Setup::sandbox()
        .set("VERIFICATION__ALLOW_GUESSABLE_CODES", "a test of the old hardware")
        .set("VERIFICATION__ALLOW_LONG_LIFE", "letters take a day");
    let app = allowed.start().await;
    let key = app.operator();
    for body in [&weak, &long] {
        let made = app.ask(&key, Method::POST, "/v1/services", Some(body)).await;
        assert_eq!(made.status, 201, "{}", made.text);
    }
    app.stop().await;
}
