//! Templates of WhatsApp's are looked at at the start and again: an operator knows of one
//! that is not approved before people wait for codes by it.

use crate::instance::{Instance, Setup};
use dialback::sandbox::AUTHENTICATION_TEMPLATE;
use reqwest::Method;
use serde_json::{Value, json};

async fn becomes(app: &Instance, status: &str) {
    let path = format!("/templates/{AUTHENTICATION_TEMPLATE}");
    app.control(Method::PUT, &path, Some(&json!({ "status": status }))).await;
}

/// What operators were told of WhatsApp, by its codes.
async fn alerts(app: &Instance) -> Vec<Value> {
    let events = app.get("/v1/events?type=operator.alert").await.json();
    let told = events["events"].as_array().unwrap().clone();
    told.iter().map(|event| event["data"]["error"]["code"].clone()).collect()
}

#[tokio::test]
async fn a_template_that_is_paused_is_told_and_so_is_that_it_is_back() {
    let app = Setup::sandbox().set("LOG__LEVEL", "debug").start().await;
    app.logged("whatsapp has approved a template").await;
    becomes(&app, "paused").await;
    app.advance(3_700).await;
    let log = app.logged("whatsapp has not approved a template").await;
    assert!(log.contains("paused") && log.contains("Dialback"), "{log}");
    becomes(&app, "approved").await;
    app.advance(310).await;
    app.logged("whatsapp takes a template again").await;
    app.stop().await;
}

#[tokio::test]
async fn a_template_that_is_not_there_is_told_at_the_start() {
    let nowhere = format!("HX{:032x}", 77);
    let services = format!("{{ default = {{ whatsapp_content_sid = \"{nowhere}\" }} }}");
    let app = Setup::sandbox().set("SERVICES", &services).start().await;
    let log = app.logged("there is no such template at twilio").await;
    assert!(log.contains(&nowhere) && log.contains("whatsapp_content_sid"), "{log}");
    app.advance(2).await;
    let told = async || alerts(&app).await == [json!(63027)];
    crate::support::eventually("the operator is told", told).await;
    app.stop().await;
}
