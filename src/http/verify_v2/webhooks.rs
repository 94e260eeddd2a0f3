//! `/v2/Services/{service}/Webhooks`: for events of factors and challenges,
//! which do not happen here. They are kept and told back, and never called.

use super::call::Call;
use super::call::time;
use super::failure::Failure;
use super::paging;
use crate::http::reply;
use crate::model::compat::Compat;
use crate::model::compat::OpaqueFields;
use crate::model::service::Service;
use crate::twilio::verify::Webhook;
use serde_json::Value;
use serde_json::json;
use warp::http::StatusCode;
use warp::reply::Response;

const EVENTS: [&str; 6] =
    ["*", "factor.deleted", "factor.created", "factor.verified", "challenge.approved", "challenge.denied"];

/// Lists them, the newest first.
pub async fn list(call: Call) -> Result<Response, Failure> {
    let (service, compat) = call.kept().await?;
    let items =
        Webhook::all(&compat.webhooks).rev().map(|webhook| shown(&call, &service, &webhook)).collect();
    paging::cut(&call, "webhooks", items)
}

/// Makes a webhook of a service.
pub async fn create(call: Call) -> Result<Response, Failure> {
    let service = call.service().await?;
    for name in ["FriendlyName", "EventTypes", "WebhookUrl"] {
        call.needed(name)?;
    }
    let change = change_of(&call)?;
    let sid = call.context.app.new_sid("YW");
    let add = |compat: &mut Compat, now| {
        if compat.webhooks.len() >= Webhook::MOST {
            return Err(Failure::invalid_because(
                "WebhookUrl",
                format!("at most {} webhooks", Webhook::MOST),
            ));
        }
        let mut webhook = Webhook {
            sid: sid.clone(),
            friendly_name: String::new(),
            event_types: Vec::new(),
            url: String::new(),
            enabled: true,
            version: "v2".to_owned(),
            created_at: now,
            updated_at: now,
        };
        change(&mut webhook);
        compat.webhooks.push(OpaqueFields::of(&webhook));
        Ok(webhook)
    };
    let webhook = call.change_compat(&service.id, add).await?;
    Ok(reply::json(StatusCode::CREATED, &shown(&call, &service, &webhook)))
}

/// Shows a webhook of a service.
pub async fn fetch(call: Call) -> Result<Response, Failure> {
    let (service, mut compat) = call.kept().await?;
    Ok(reply::json(StatusCode::OK, &shown(&call, &service, &find(&call, &mut compat)?.0)))
}

/// Changes the fields of a webhook that are named.
pub async fn update(call: Call) -> Result<Response, Failure> {
    let service = call.service().await?;
    let change = change_of(&call)?;
    let update = |compat: &mut Compat, now| {
        let (mut webhook, kept) = find(&call, compat)?;
        change(&mut webhook);
        webhook.updated_at = now;
        kept.set(&webhook);
        Ok::<_, Failure>(webhook)
    };
    let webhook = call.change_compat(&service.id, update).await?;
    Ok(reply::json(StatusCode::OK, &shown(&call, &service, &webhook)))
}

/// Deletes a webhook.
pub async fn delete(call: Call) -> Result<Response, Failure> {
    let take = |compat: &mut Compat| {
        let (webhook, _) = find(&call, compat)?;
        Webhook::remove(&mut compat.webhooks, &webhook.sid);
        Ok(())
    };
    call.take_out(take).await
}

fn find<'c>(call: &Call, compat: &'c mut Compat) -> Result<(Webhook, &'c mut OpaqueFields), Failure> {
    Webhook::find(&mut compat.webhooks, call.param(1)).ok_or_else(|| call.not_found())
}

/// What the form changes.
fn change_of(call: &Call) -> Result<impl Fn(&mut Webhook) + Send + Sync + use<>, Failure> {
    let name = call.text("FriendlyName").map(str::to_owned);
    if name.as_ref().is_some_and(|name| name.chars().count() > 64) {
        return Err(Failure::invalid_because("FriendlyName", "at most 64 characters"));
    }
    let events = call.all("EventTypes");
    if events.len() > EVENTS.len() || events.iter().any(|event| !EVENTS.contains(&event.as_str())) {
        return Err(Failure::invalid_because("EventTypes", EVENTS.join(", ")));
    }
    let url = call.text("WebhookUrl").map(str::to_owned);
    let is_url =
        |url: &String| url.len() <= 2048 && (url.starts_with("https://") || url.starts_with("http://"));
    if url.as_ref().is_some_and(|url| !is_url(url)) {
        return Err(Failure::invalid_because("WebhookUrl", "begins with https:// or http://"));
    }
    let enabled = call.word("Status", &["enabled", "disabled"])?.map(|status| status == "enabled");
    let version = call.word("Version", &["v1", "v2"])?.map(str::to_owned);
    Ok(move |webhook: &mut Webhook| {
        webhook.friendly_name = name.clone().unwrap_or_else(|| webhook.friendly_name.clone());
        webhook.url = url.clone().unwrap_or_else(|| webhook.url.clone());
        webhook.enabled = enabled.unwrap_or(webhook.enabled);
        webhook.version = version.clone().unwrap_or_else(|| webhook.version.clone());
        if !events.is_empty() {
            webhook.event_types.clone_from(&events);
        }
    })
}

fn shown(call: &Call, service: &Service, webhook: &Webhook) -> Value {
    json!({
        "sid": webhook.sid,
        "service_sid": service.id,
        "account_sid": call.caller.account,
        "friendly_name": webhook.friendly_name,
        "event_types": webhook.event_types,
        "webhook_url": webhook.url,
        "webhook_method": "POST",
        "status": if webhook.enabled { "enabled" } else { "disabled" },
        "version": webhook.version,
        "date_created": time(webhook.created_at),
        "date_updated": time(webhook.updated_at),
        "url": call.url(&format!("/v2/Services/{}/Webhooks/{}", service.id, webhook.sid)),
    })
}
