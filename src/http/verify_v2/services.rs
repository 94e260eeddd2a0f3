//! `/v2/Services`

use super::call::Call;
use super::call::time;
use super::failure::Failure;
use super::paging;
use super::settings;
use crate::app::Window;
use crate::app::admin;
use crate::app::keyed;
use crate::http::reply;
use crate::model::compat::Compat;
use crate::model::policy::Gate;
use crate::model::service::Service;
use crate::texts::Catalog;
use crate::twilio::verify::Features;
use serde_json::Value;
use serde_json::json;
use warp::http::StatusCode;
use warp::reply::Response;

/// Most services that are listed.
const MOST_SERVICES: usize = 1_000;

/// Lists them: those made here, the newest first, then the configuration's.
pub async fn list(call: Call) -> Result<Response, Failure> {
    let app = &call.context.app;
    let window = Window { limit: MOST_SERVICES, after: None };
    let services = keyed::services(app, &window).await?.items;
    let compats =
        keyed::compats(app, &services.iter().map(|service| &service.id).collect::<Vec<_>>()).await?;
    let shown = services.iter().zip(&compats).map(|(service, compat)| shown_with(&call, service, compat));
    let items = shown.collect();
    paging::cut(&call, "services", items)
}

/// Makes a service, with what Verify keeps beside it.
pub async fn create(call: Call) -> Result<Response, Failure> {
    call.needed("FriendlyName")?;
    let app = &call.context.app;
    let mut ours = settings::ours(&call, app.default_gate())?;
    // Twilio knows no wait between two sends.
    ours.insert("resend_cooldown_seconds".into(), json!([0]));
    let kept = settings::kept(&call)?;
    let service =
        admin::create_service(&call.context.app.whole()?.directory, call.context.app.actor(), ours).await?;
    keep(&call, &service, kept).await?;
    Ok(reply::json(StatusCode::CREATED, &shown(&call, &service).await?))
}

/// Shows a service with its settings.
pub async fn fetch(call: Call) -> Result<Response, Failure> {
    let service = call.service().await?;
    Ok(reply::json(StatusCode::OK, &shown(&call, &service).await?))
}

/// Changes the settings of a service that are named.
pub async fn update(call: Call) -> Result<Response, Failure> {
    let service = call.service().await?;
    let ours = settings::ours(&call, service.settings.gate)?;
    let kept = settings::kept(&call)?;
    let service = keyed::change_service(&call.context.app, &service.id, ours).await?;
    keep(&call, &service, kept).await?;
    Ok(reply::json(StatusCode::OK, &shown(&call, &service).await?))
}

/// Deletes a service; its verifications go on by the default one's rules.
pub async fn delete(call: Call) -> Result<Response, Failure> {
    let service = call.service().await?;
    keyed::delete_service(&call.context.app, &service.id).await?;
    Ok(reply::no_content())
}

async fn keep(call: &Call, service: &Service, kept: impl Fn(&mut Features)) -> Result<(), Failure> {
    let change = |compat: &mut Compat, _| {
        let mut features = Features::of(compat);
        kept(&mut features);
        features.keep(compat);
        Ok::<_, Failure>(())
    };
    call.change_compat(&service.id, change).await
}

async fn shown(call: &Call, service: &Service) -> Result<Value, Failure> {
    let compat = keyed::compat(&call.context.app, &service.id).await?.record;
    Ok(shown_with(call, service, &compat))
}

fn shown_with(call: &Call, service: &Service, compat: &Compat) -> Value {
    let (settings, features) = (&service.settings, Features::of(compat));
    let url = call.url(&format!("/v2/Services/{}", service.id));
    let link = |name: &str| format!("{url}/{name}");
    json!({
        "sid": service.id,
        "account_sid": call.caller.account,
        "friendly_name": settings.name,
        "code_length": settings.code_length,
        "lookup_enabled": features.lookup_enabled,
        "psd2_enabled": settings.psd2,
        "skip_sms_to_landlines": settings.skip_sms_to_landlines,
        "dtmf_input_required": settings.gate != Gate::None,
        "tts_name": settings.tts_name,
        "do_not_share_warning_enabled": settings.do_not_share,
        "custom_code_enabled": settings.custom_code,
        "push": {
            "include_date": features.push_include_date,
            "apn_credential_sid": features.push_apn_credential,
            "fcm_credential_sid": features.push_fcm_credential,
        },
        "totp": {
            "issuer": features.totp_issuer,
            "time_step": features.totp_time_step,
            "code_length": features.totp_code_length,
            "skew": features.totp_skew,
        },
        "whatsapp": {
            "msg_service_sid": features.whatsapp_messaging_service,
            "from": settings.whatsapp_from.as_ref().map(|from| format!("whatsapp:{from}")),
        },
        "passkeys": passkeys(&features),
        "default_template_sid": template(&call.context.settings.messages, settings.template.as_deref()),
        "verify_event_subscription_enabled": features.event_subscription_enabled,
        "date_created": time(service.created_at),
        "date_updated": time(service.updated_at),
        "url": url,
        "links": {
            "verification_checks": link("VerificationCheck"),
            "verifications": link("Verifications"),
            "rate_limits": link("RateLimits"),
            "messaging_configurations": link("MessagingConfigurations"),
            "entities": link("Entities"),
            "webhooks": link("Webhooks"),
            "access_tokens": link("AccessTokens"),
        },
    })
}

fn passkeys(features: &Features) -> Value {
    let origins =
        features.passkeys_origins.as_ref().map(|all| all.split(',').map(str::trim).collect::<Vec<_>>());
    json!({
        "relying_party": {
            "id": features.passkeys_id,
            "name": features.passkeys_name,
            "origins": origins,
        },
        "authenticator_attachment": features.passkeys_attachment,
        "discoverable_credentials": features.passkeys_discoverable,
        "user_verification": features.passkeys_user_verification,
    })
}

fn template(catalog: &Catalog, name: Option<&str>) -> Option<String> {
    Some(catalog.find(name?)?.sid().to_owned())
}
