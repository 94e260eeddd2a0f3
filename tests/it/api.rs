//! The application's API at its edges: problem documents, listing, health.

use crate::instance::{Instance, KEY, Setup, answer, text, with_json};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn everything_that_goes_wrong_is_a_problem_document() {
    let app = Setup::sandbox().start().await;
    for path in ["/", "/v1", "/v1/verifications/", "/V1/verifications", "/v1/verifications//check", "/twilio"]
    {
        app.get(path).await.problem(404, "not_found");
    }
    for id in ["VE0", "VE0123456789abcdef0123456789abcdef", "VE0123456789abcdef0123456789abcdeF", "%00"] {
        app.get(&format!("/v1/verifications/{id}")).await.problem(404, "not_found");
        app.check(id, "123456").await.problem(404, "not_found");
        app.get(&format!("/v1/deliveries/{id}")).await.problem(404, "not_found");
    }
    let methods = [
        (Method::PUT, "/v1/verifications", "GET, HEAD, POST"),
        (Method::POST, "/v1/verifications/VE1", "DELETE, GET, HEAD"),
        (Method::POST, "/v1/deliveries", "GET, HEAD"),
        (Method::DELETE, "/v1/deliveries/SM1", "GET, HEAD"),
        (Method::GET, "/twilio/status", "POST"),
        (Method::DELETE, "/twilio/voice/VE1/1", "GET, POST"),
        (Method::PATCH, "/healthz", "GET, HEAD"),
    ];
    for (method, path, allow) in methods {
        let refused = answer(app.api(method.clone(), path)).await;
        refused.problem(405, "method_not_allowed");
        assert_eq!(refused.header("allow"), allow, "{method} {path}");
    }
    for path in ["/twilio/voice/VE1/1", "/twilio/voice/VE1/1/code", "/twilio/voice", "/twilio/sms"] {
        let refused = answer(app.api(Method::HEAD, path)).await;
        assert_eq!((refused.status, refused.header("allow"), refused.text.as_str()), (405, "GET, POST", ""));
    }
}

#[tokio::test]
async fn a_path_that_is_not_there_is_a_line_in_the_log_without_its_text() {
    let app = Setup::sandbox().start().await;
    app.get("/wp-login/4155550123").await.problem(404, "not_found");
    let log = app.logged("route=\"none\" status=404").await;
    assert!(!log.contains("4155550123"), "{log}");
}

#[tokio::test]
async fn what_cannot_be_understood_is_named() {
    let app = Setup::sandbox().start().await;
    let cases = [
        (json!({ "to": "+15551230401", "channel": "pigeon" }), "invalid_request", json!("channel")),
        (json!({ "channel": "sms" }), "invalid_request", json!("to")),
        (json!({ "to": 5, "channel": "sms" }), "invalid_request", json!("to")),
        (json!({ "to": "+15551230401", "channel": "sms", "locle": "de" }), "invalid_request", Value::Null),
        (
            json!({ "to": "+15551230401", "channel": "sms", "locale": "x".repeat(36) }),
            "invalid_request",
            json!("locale"),
        ),
        (json!([]), "invalid_request", Value::Null),
        (json!({ "to": "", "channel": "sms" }), "invalid_number", json!("to")),
        (json!({ "to": "5551230401", "channel": "sms" }), "invalid_number", json!("to")),
        (json!({ "to": "+3110123456", "channel": "sms" }), "invalid_number", json!("to")),
        (json!({ "to": "+123", "channel": "sms" }), "invalid_number", json!("to")),
        (json!({ "to": "+19005550123", "channel": "call" }), "invalid_number", json!("to")),
    ];
    for (body, code, field) in cases {
        let problem =
            answer(with_json(app.api(Method::POST, "/v1/verifications"), &body)).await.problem(422, code);
        assert_eq!(problem["field"], field, "{body}: {problem}");
    }
    let start = |text: &'static str| answer(app.api(Method::POST, "/v1/verifications").body(text));
    for broken in ["", "{", "{\"to\":", "\u{feff}{}", "nonsense"] {
        start(broken).await.problem(422, "invalid_request");
    }
    let long = "x".repeat(256);
    for key in ["", &long] {
        let request = app.api(Method::POST, "/v1/verifications").header("idempotency-key", key);
        let problem = answer(with_json(request, &json!({ "to": "+15551230401", "channel": "sms" }))).await;
        assert_eq!(problem.problem(422, "invalid_request")["field"], "Idempotency-Key");
    }
    // The reason with a number, for programs.
    let short = app.post("/v1/verifications", &json!({ "to": "+3110123", "channel": "sms" })).await;
    assert_eq!(short.problem(422, "invalid_number")["reason"], "too_short");
}

#[tokio::test]
async fn a_number_and_a_code_are_read_as_they_were_typed() {
    let test = "[{ number = \"+15551230409\", code = \"012345\", until = \"2099-12-31\" }]";
    let app = Setup::sandbox().set("TEST_NUMBERS", test).start().await;
    for (number, to) in [
        ("+31101234567\n", "+31101234567"),
        ("+33\u{202f}6\u{202f}12\u{202f}34\u{202f}56\u{202f}78", "+33612345678"),
        (
            "+\u{664}\u{669}\u{661}\u{665}\u{661}\u{662}\u{663}\u{664}\u{665}\u{666}\u{667}\u{668}\u{669}",
            "+4915123456789",
        ),
    ] {
        let begun = app.post("/v1/verifications", &json!({ "to": number, "channel": "sms" })).await;
        assert_eq!((begun.status, &begun.json()["to"]), (201, &json!(to)), "{}", begun.text);
    }
    let written =
        |plus: &str| json!({ "to": format!("{plus}1 555\u{2011}123\u{2011}0409"), "channel": "sms" });
    app.post("/v1/verifications", &written("\u{feff}")).await.problem(422, "invalid_number");
    let id = text(&app.post("/v1/verifications", &written("\u{ff0b}")).await.json()["id"]);
    let checked = app.check(&id, "\u{200e}012 345\n").await.json();
    assert_eq!(checked["status"], "approved", "{checked}");
    // Two numbers are none, and neither is repeated.
    let both = json!({ "to": "+31101234567\n+31101234568", "channel": "sms" });
    let told = app.post("/v1/verifications", &both).await.problem(422, "invalid_number");
    assert!(!told.to_string().contains("1012345"), "{told}");
}

#[tokio::test]
async fn bodies_have_a_limit() {
    let app = Setup::sandbox().set("SERVER__MAX_BODY_BYTES", "2048").start().await;
    let fits = format!("{}{}", json!({ "to": "+15551230402", "channel": "sms" }), " ".repeat(1900));
    app.learn("+15551230402");
    let started = answer(app.api(Method::POST, "/v1/verifications").body(fits)).await;
    assert_eq!(started.status, 201, "{}", started.text);
    app.texted_code("+15551230402", 1).await;
    for path in ["/v1/verifications", "/twilio/status", "/twilio/events"] {
        // What cannot be signed at all is refused before anybody looks at a body.
        let request = app.api(Method::POST, path).header("X-Twilio-Signature", "A".repeat(27) + "=");
        let refused = answer(request.body("x".repeat(2049))).await;
        refused.problem(413, "body_too_large");
    }
}

#[tokio::test]
async fn without_a_key_nothing_is_told() {
    let app = Setup::sandbox().start().await;
    let headers = ["", "Bearer", "Bearer ", "Bearer nobodys-key-that-is-long", "Basic dGVzdHM6", KEY];
    for header in headers {
        let routes = [
            (Method::POST, "/v1/verifications"),
            (Method::GET, "/v1/verifications/VE0123456789abcdef0123456789abcdef"),
            (Method::GET, "/v1/deliveries"),
            (Method::GET, "/v1/deliveries/SM0123456789abcdef0123456789abcdef"),
            (Method::POST, "/v1/keys"),
        ];
        for (method, path) in routes {
            let request =
                app.http.request(method, format!("{}{path}", app.server)).header("authorization", header);
            let refused = answer(request).await;
            refused.problem(401, "unauthorized");
            assert!(refused.header("www-authenticate").starts_with("Bearer"), "{header:?} {path}");
        }
    }
    // An application's key makes no keys; in the sandbox, where there is nothing
    // to protect, that of the environment does, as at Twilio Verify's paths.
    let own = app.key(&["send", "check", "read"]).await;
    let more = json!({ "name": "more" });
    let refused = app.ask(&own, Method::POST, "/v1/keys", Some(&more)).await;
    assert_eq!(refused.problem(403, "scope_missing")["scope"], "admin");
    let made = app.post("/v1/keys", &more).await;
    assert_eq!(made.status, 201, "{}", made.text);
    app.learn(text(&made.json()["key"]));
    // The sandbox's key works as well as the tests'.
    let request = app.http.get(format!("{}/v1/deliveries", app.server)).bearer_auth(&app.sandbox_key);
    assert_eq!(answer(request).await.status, 200);
}

#[tokio::test]
async fn deliveries_are_listed_newest_first_and_filtered() {
    let app = Setup::sandbox().without_failover().start().await;
    let (one, other) = ("+15551230403", "+15551230404");
    app.phone(other, json!({ "message": { "outcome": "undelivered" }, "answers": "busy" })).await;
    let mut sids = Vec::new();
    for (number, channel, end) in [
        (one, "sms", "delivered"),
        (other, "sms", "undelivered"),
        (other, "call", "busy"),
        (one, "sms", "delivered"),
    ] {
        let id = text(&app.begin(number, channel).await["id"]);
        let view = app.verification(&id, |view| view["deliveries"][0]["status"] == end).await;
        sids.insert(0, text(&view["deliveries"][0]["sid"]));
        // Or the next one of the number would be the same verification.
        answer(app.api(Method::DELETE, &format!("/v1/verifications/{id}"))).await;
        app.advance(60).await;
    }
    app.texted_code(one, 2).await;
    let all = list(&app, "").await;
    assert_eq!(all, sids);
    let encoded = one.replace('+', "%2B");
    assert_eq!(list(&app, &format!("?to={encoded}")).await, [&*sids[0], &*sids[3]]);
    assert_eq!(list(&app, &format!("?to={encoded}&status=undelivered")).await, [""; 0]);
    assert_eq!(list(&app, "?status=undelivered").await, [&*sids[2]]);
    assert_eq!(list(&app, "?channel=call").await, [&*sids[1]]);
    assert_eq!(list(&app, "?channel=sms&status=delivered").await, [&*sids[0], &*sids[3]]);
    let middle = text(&app.delivery(&sids[1], |_| true).await["created_at"]);
    assert_eq!(list(&app, &format!("?since={middle}")).await, [&*sids[0], &*sids[1]]);
    assert_eq!(list(&app, &format!("?until={middle}")).await, [&*sids[2], &*sids[3]]);
    // Page by page, with nothing twice and nothing left out.
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    for _ in 0..10 {
        let page = app.get(&format!("/v1/deliveries?limit=1{cursor}")).await.json();
        paged.extend(page["deliveries"].as_array().unwrap().iter().map(|delivery| text(&delivery["sid"])));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(paged, sids);
    for wrong in ["limit=0", "limit=101", "limit=x", "status=gone", "channel=fax", "since=soon", "too=1"] {
        app.get(&format!("/v1/deliveries?{wrong}")).await.problem(422, "invalid_request");
    }
    app.get("/v1/deliveries?to=123456789").await.problem(422, "invalid_number");
}

async fn list(app: &Instance, query: &str) -> Vec<String> {
    let page = app.get(&format!("/v1/deliveries{query}")).await;
    assert_eq!(page.status, 200, "{query}: {}", page.text);
    page.json()["deliveries"].as_array().unwrap().iter().map(|delivery| text(&delivery["sid"])).collect()
}

#[tokio::test]
async fn machines_can_ask_for_health() {
    let app = Setup::sandbox().start().await;
    for (path, status) in [("/healthz", "ok"), ("/readyz", "ready")] {
        let health = answer(app.http.get(format!("{}{path}", app.server))).await;
        assert_eq!((health.status, &health.json()["status"]), (200, &json!(status)));
        assert_eq!(health.header("cache-control"), "no-store");
    }
}
