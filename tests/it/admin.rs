//! What only this machine's own may ask has a listener of its own; what others
//! reach says no more than it must.

use crate::instance::{Instance, KEY, Setup, answer, binary, text};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::path::Path;

fn to(app: &Instance, base: &str, method: Method, path: &str) -> RequestBuilder {
    app.http.request(method, format!("{base}{path}"))
}

#[tokio::test]
async fn the_operators_routes_and_counts_are_on_a_listener_of_their_own() {
    let app = Setup::live().start().await;
    assert!(app.admin.starts_with("http://127.0.0.1:"), "{}", app.admin);
    let operator = app.operator();
    for (method, path) in [
        (Method::GET, "/operator/export"),
        (Method::POST, "/operator/import"),
        (Method::POST, "/operator/store/check"),
        (Method::POST, "/operator/store/stats"),
        (Method::POST, "/operator/store/compact"),
        (Method::GET, "/openapi.json"),
    ] {
        let public = answer(to(&app, &app.server, method.clone(), path).bearer_auth(&operator)).await;
        assert_eq!(public.status, 404, "{path}");
        let own = answer(to(&app, &app.admin, method, path).bearer_auth(&operator)).await;
        assert!(own.status != 404 && own.status != 401, "{path}: {}", own.text);
    }
    app.forged("/twilio/status", &[("MessageSid", "SM1")], &[]).await.problem(403, "signature_rejected");
    assert_eq!(app.rejected().await, json!({ "missing_header": 1 }));
    let word = answer(to(&app, &app.server, Method::GET, "/readyz")).await;
    assert_eq!((word.status, word.json()), (200, json!({ "status": "ready" })));
    // And nothing of the service is here.
    for path in ["/v1/verifications", "/twilio/status", "/verify/x", "/v2/Services"] {
        let own = answer(to(&app, &app.admin, Method::GET, path).bearer_auth(KEY)).await;
        assert_eq!(own.status, 404, "{path}");
    }
    app.stop().await;
}

#[tokio::test]
async fn the_admin_listener_answers_to_this_machines_names_alone() {
    let app = Setup::sandbox().start().await;
    let operator = app.operator();
    let ask = |host: &str, origin: Option<&str>| {
        let asked = to(&app, &app.admin, Method::POST, "/operator/store/stats");
        let asked = asked.bearer_auth(&operator).header("host", host);
        match origin {
            Some(origin) => asked.header("origin", origin),
            None => asked,
        }
    };
    let port = app.admin.rsplit(':').next().unwrap();
    answer(ask("evil.example", None)).await.problem(403, "other_origin");
    answer(ask(&format!("evil.example:{port}"), None)).await.problem(403, "other_origin");
    answer(ask(&format!("localhost:{port}"), Some("https://evil.example")))
        .await
        .problem(403, "other_origin");
    let own = format!("http://localhost:{port}");
    assert_eq!(answer(ask(&format!("localhost:{port}"), Some(&own))).await.status, 200);
    let ready = to(&app, &app.admin, Method::GET, "/readyz").header("host", "evil.example");
    answer(ready).await.problem(403, "other_origin");
    app.stop().await;
}

#[tokio::test]
async fn the_description_is_shown_as_far_as_the_setting_says() {
    for (setup, status) in [
        (Setup::sandbox(), 200),
        (Setup::sandbox().set("SERVER__OPENAPI", "never"), 404),
        (Setup::live(), 404),
        (Setup::live().set("SERVER__OPENAPI", "always"), 200),
    ] {
        let app = setup.start().await;
        assert_eq!(answer(to(&app, &app.server, Method::GET, "/openapi.json")).await.status, status);
        assert_eq!(answer(to(&app, &app.admin, Method::GET, "/openapi.json")).await.status, 200);
        app.stop().await;
    }
}

#[tokio::test]
async fn the_command_line_finds_it_and_says_when_there_is_none() {
    let run = |app: &Instance, dir: &Path| {
        let mut command = binary(dir);
        let command = command.env("DIALBACK_STORE__URL", &app.store).args(["store", "stats", "--json"]);
        command.output().unwrap()
    };
    let dir = tempfile::TempDir::new().unwrap();
    let app = Setup::sandbox().start().await;
    let found = run(&app, dir.path());
    assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
    app.stop().await;

    let app = Setup::sandbox().set("SERVER__ADMIN_LISTEN", "").start().await;
    assert_eq!(app.admin, "");
    let left = Path::new(app.store.strip_prefix("sled:").unwrap()).join("operator.json");
    let left: Value = serde_json::from_slice(&std::fs::read(left).unwrap()).unwrap();
    app.learn(text(&left["key"]));
    assert_eq!(left["admin"], Value::Null);
    let none = run(&app, dir.path());
    assert!(!none.status.success());
    let said = String::from_utf8_lossy(&none.stderr).into_owned();
    assert!(said.contains("server.admin_listen"), "{said}");
    // The rest of the command line needs none.
    assert_eq!(app.get("/v1/verifications").await.status, 200);
    app.stop().await;
}
