//! What Verify has and nothing here goes by: it is kept, told back, and written as it
//! always was.

use crate::verify_v2::{Verify, failed};
use crate::wire::{answer, text};
use crate::world::{OPERATOR_KEY, World};
use dialback::store::memory::Memory;
use dialback::store::{Key, Kind, Store};
use reqwest::Client;
use serde_json::{Value, json};
use std::sync::Arc;

/// The record beside a service, as it is stored, if there is one.
async fn stored(store: &Memory, service: &str) -> Option<Value> {
    let found = store.read(&Key::new(Kind::Compat, service)).await.unwrap()?;
    Some(serde_json::from_slice::<Value>(&found.body).unwrap()["record"].clone())
}

/// What the audit log says was changed beside a service, each in its line.
async fn changed(world: &World, service: &str) -> Vec<String> {
    let http = Client::builder().no_proxy().build().unwrap();
    let log = http.get(format!("{}/v1/audit", world.base_url)).bearer_auth(OPERATOR_KEY);
    let log = answer(log).await.json();
    let lines = log["entries"].as_array().unwrap();
    let of_service =
        lines.iter().filter(|line| line["action"] == "service.changed" && line["subject"] == service);
    let mut changed: Vec<String> = of_service.map(|line| text(&line["details"]["settings"])).collect();
    // Of the service itself nothing was changed.
    changed.retain(|settings| !settings.is_empty());
    changed.sort();
    changed
}

#[tokio::test]
async fn settings_that_nothing_goes_by_are_written_whole_and_told_of_where_they_change() {
    let store = Arc::new(Memory::new());
    let world = World::over(store.clone()).await;
    let verify = Verify::of(&world);
    let service = verify.service(&[]).await;
    assert_eq!(stored(&store, &service).await, None, "nothing was set");

    let limits = format!("/Services/{service}/RateLimits");
    assert_eq!(verify.post(&limits, &[("UniqueName", "ip")]).await.status, 201);
    let bare = json!({
        "lookup_enabled": false, "event_subscription_enabled": false, "push_include_date": false,
        "push_apn_credential": null, "push_fcm_credential": null, "totp_issuer": null,
        "totp_time_step": null, "totp_code_length": null, "totp_skew": null,
        "whatsapp_messaging_service": null, "passkeys_id": null, "passkeys_name": null,
        "passkeys_origins": null, "passkeys_attachment": null, "passkeys_discoverable": null,
        "passkeys_user_verification": null,
    });
    let written = stored(&store, &service).await.unwrap();
    assert_eq!(written["features"].to_string(), bare.to_string(), "all of them, in their order");

    let path = format!("/Services/{service}");
    let same = [("LookupEnabled", "false"), ("Totp.Issuer", "")];
    assert_eq!(verify.post(&path, &same).await.status, 200);
    let set = [("LookupEnabled", "true"), ("Totp.Issuer", "Shop"), ("Totp.Skew", "0")];
    let shown = verify.post(&path, &set).await.json();
    assert_eq!((&shown["lookup_enabled"], &shown["totp"]["issuer"]), (&json!(true), &json!("Shop")));
    assert_eq!((&shown["totp"]["skew"], &shown["totp"]["time_step"]), (&json!(0), &json!(null)));
    assert_eq!(verify.get(&path).await.json(), shown);
    let written = stored(&store, &service).await.unwrap();
    assert_eq!(
        (&written["features"]["totp_issuer"], &written["features"]["totp_skew"]),
        (&json!("Shop"), &json!(0))
    );
    assert_eq!(changed(&world, &service).await, ["features", "rate_limits"]);
}

fn named(name: &str) -> [(&str, &str); 3] {
    [("FriendlyName", name), ("EventTypes", "factor.created"), ("WebhookUrl", "https://example.com/hook")]
}

#[tokio::test]
async fn webhooks_are_kept_changed_and_taken_away_by_their_names() {
    let store = Arc::new(Memory::new());
    let world = World::over(store.clone()).await;
    let verify = Verify::of(&world);
    let service = verify.service(&[]).await;
    let path = format!("/Services/{service}/Webhooks");
    let made = verify.post(&path, &named("one")).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let (one, two) = (made.json(), verify.post(&path, &named("two")).await.json());
    let listed = verify.get(&path).await.json();
    assert_eq!(listed["webhooks"], json!([two, one]), "the newest first");

    let own = |webhook: &Value| format!("{path}/{}", text(&webhook["sid"]));
    let off = verify.post(&own(&one), &[("Status", "disabled")]).await.json();
    assert_eq!((&off["status"], &off["friendly_name"]), (&json!("disabled"), &json!("one")));
    assert_eq!(verify.get(&own(&one)).await.json(), off);
    let written = stored(&store, &service).await.unwrap();
    let fields: Vec<&String> = written["webhooks"][0].as_object().unwrap().keys().collect();
    let names =
        ["sid", "friendly_name", "event_types", "url", "enabled", "version", "created_at", "updated_at"];
    assert_eq!(fields, names);
    assert_eq!(written["webhooks"][0]["enabled"], false);

    assert_eq!(verify.delete(&own(&one)).await.status, 204);
    failed(&verify.get(&own(&one)).await, 404, 20404);
    assert_eq!(verify.get(&path).await.json()["webhooks"], json!([two]));
    for nth in 1..20 {
        let name = nth.to_string();
        assert_eq!(verify.post(&path, &named(&name)).await.status, 201);
    }
    assert!(failed(&verify.post(&path, &named("more")).await, 400, 60200).contains("at most 20 webhooks"));
}
