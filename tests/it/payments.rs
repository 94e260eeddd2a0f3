//! A service whose codes are bound to payments: none begins without amount and
//! payee, and none is sent again, by whichever face it is asked for.

use crate::instance::{KEY, Setup, binary, text};
use crate::verify_v2::{TO, Verify, failed};
use crate::world::World;
use dialback::app::admin;
use dialback::app::admission::AdmissionError;
use dialback::app::verification::{self, NewSession, SessionError, StartRequest, VerificationError};
use dialback::model::audit::Actor;
use serde_json::{Value, json};

fn paying(mut request: Value) -> Value {
    request["amount"] = json!("39.99 EUR");
    request["payee"] = json!("Acme");
    request
}

#[tokio::test]
async fn no_face_begins_without_a_payment_and_all_begin_with_one() {
    let dir = tempfile::TempDir::new().unwrap();
    std::fs::write(dir.path().join("config.toml"), "[services.default]\npsd2 = true\n").unwrap();
    let app = Setup::sandbox().dir(dir.path()).start().await;
    let to = "+15551230710";
    let begin = async |body: &Value| app.post("/v1/verifications", body).await;
    let session = async |body: &Value| app.post("/v1/sessions", body).await;
    let way = json!({ "return_url": "http://127.0.0.1:5000/back" });
    for (request, field) in [
        (json!({ "to": to }), "amount"),
        (json!({ "to": to, "amount": "39.99 EUR" }), "payee"),
        (json!({ "to": to, "payee": "Acme" }), "amount"),
        (json!({ "to": to, "amount": " ", "payee": "Acme" }), "amount"),
    ] {
        assert_eq!(begin(&request).await.problem(422, "payment_missing")["field"], field, "{request}");
        let mut visit = request.clone();
        visit["return_url"] = way["return_url"].clone();
        assert_eq!(session(&visit).await.problem(422, "payment_missing")["field"], field, "{visit}");
    }
    session(&way).await.problem(422, "payment_missing");
    assert_eq!(app.texts(to, 0).await.len(), 0);

    let begun = begin(&paying(json!({ "to": to }))).await;
    assert_eq!(begun.status, 201, "{}", begun.text);
    let id = text(&begun.json()["id"]);
    let code = app.texted_code(to, 1).await;
    // The code alone proves nothing.
    assert_eq!(app.check(&id, &code).await.json()["valid"], false);
    let path = format!("/v1/verifications/{id}/check");
    let paid = app.post(&path, &paying(json!({ "code": code }))).await;
    assert_eq!(paid.json()["valid"], true, "{}", paid.text);
    assert_eq!(session(&paying(way)).await.status, 201);

    let command = |more: &[&str]| {
        let mut command = binary(dir.path());
        command.args(["verify", "+15551230711", "--url", &app.server]).args(more);
        command.env("DIALBACK_API_KEY", KEY).stdin(std::process::Stdio::null());
        let output = command.output().unwrap();
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat()
    };
    assert!(command(&[]).contains("amount and payee are both needed"));
    let told = command(&["--amount", "39.99 EUR", "--payee", "Acme"]);
    assert!(told.contains("sms to +15551230711"), "{told}");
    app.stop().await;
}

#[tokio::test]
async fn what_began_before_payments_were_needed_is_not_sent_again() {
    let world = World::start().await;
    let verify = Verify::of(&world);
    let service = verify.service(&[]).await;
    let sid = text(&verify.start(&service, &[]).await.json()["sid"]);
    let id = service.parse().unwrap();
    let session = NewSession {
        to: Some(TO.into()),
        service: Some(service.parse().unwrap()),
        return_url: Some("https://shop.example/back".into()),
        ..NewSession::default()
    };
    let pages = json!({ "return_urls": ["https://shop.example/back"] });
    let set = async |name: &str, value: Value| {
        admin::change_service(
            &world.app.directory,
            &Actor::operator(),
            &id,
            [(name.to_owned(), value)].into_iter().collect(),
        )
        .await
        .unwrap();
    };
    set("pages", pages).await;
    set("channels", json!(["sms"])).await;
    let begun = verification::create_session(&world.app.admission, session.clone()).await.unwrap();
    set("psd2", json!(true)).await;
    let is_missing = |error: SessionError| {
        assert!(
            matches!(
                error,
                SessionError::Verification(VerificationError::Admission(AdmissionError::PaymentMissing {
                    field: "amount"
                }))
            ),
            "{error}"
        );
    };
    is_missing(crate::support::resend(&world.app, &sid.parse().unwrap(), None).await.unwrap_err().into());
    is_missing(verification::create_session(&world.app.admission, session).await.unwrap_err());
    let browser = verification::new_browser(&world.app.base);
    let began =
        verification::session_begin(&world.app.verifying, &begun.id, &browser, Default::default()).await;
    is_missing(began.unwrap_err());
    let request = StartRequest { service: Some(id.clone()), ..StartRequest::to(TO) };
    is_missing(verification::start(&world.app.verifying, request, None).await.unwrap_err().into());
    // Verify has Twilio's words for it, for beginning and for sending again.
    failed(&verify.start(&service, &[]).await, 400, 60206);
    let path = format!("/Services/{service}/Verifications/{sid}");
    assert_eq!(verify.get(&path).await.json()["send_code_attempts"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn half_of_a_payment_is_refused_where_none_is_needed_too() {
    let app = Setup::sandbox().start().await;
    for (half, missing) in [("amount", "payee"), ("payee", "amount")] {
        let mut request = json!({ "to": "+15551230712" });
        request[half] = json!("39.99");
        let refused = app.post("/v1/verifications", &request).await;
        assert_eq!(refused.problem(422, "not_allowed")["field"], missing);
        request["return_url"] = json!("http://127.0.0.1:5000/back");
        let refused = app.post("/v1/sessions", &request).await;
        assert_eq!(refused.problem(422, "not_allowed")["field"], missing);
    }
    app.stop().await;
}
