//! `/v2/Services/{service}/MessagingConfigurations`: the messaging service that
//! texts to a country go through.

use super::call::Call;
use super::call::time;
use super::failure::Failure;
use super::paging;
use super::settings::is_sid;
use crate::http::reply;
use crate::model::compat::Compat;
use crate::model::compat::CountrySender;
use crate::model::service::Service;
use serde_json::Value;
use serde_json::json;
use warp::http::StatusCode;
use warp::reply::Response;

/// Lists a service's senders by country.
pub async fn list(call: Call) -> Result<Response, Failure> {
    let (service, compat) = call.kept().await?;
    let items = compat.senders.iter().map(|sender| shown(&call, &service, sender)).collect();
    paging::cut(&call, "messaging_configurations", items)
}

/// Sets the messaging service of a country that has none.
pub async fn create(call: Call) -> Result<Response, Failure> {
    let service = call.service().await?;
    let country = call.needed("Country")?;
    let is_country = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
    if country != CountrySender::ALL && !is_country {
        return Err(Failure::invalid_because("Country", "ISO 3166-1, like CA, or all"));
    }
    let messaging_service_sid = messaging_service(&call)?;
    let change = |compat: &mut Compat, now| {
        if compat.senders.iter().any(|sender| sender.country == country) {
            return Err(Failure::new(409, 20409, "The country has a configuration already"));
        }
        if compat.senders.len() >= Compat::MOST_SENDERS {
            return Err(Failure::invalid("Country"));
        }
        let sender = CountrySender {
            country: country.to_owned(),
            messaging_service_sid: messaging_service_sid.clone(),
            created_at: now,
            updated_at: now,
        };
        compat.senders.push(sender.clone());
        Ok(sender)
    };
    let sender = call.change_compat(&service.id, change).await?;
    Ok(reply::json(StatusCode::CREATED, &shown(&call, &service, &sender)))
}

/// Shows the messaging service of a country.
pub async fn fetch(call: Call) -> Result<Response, Failure> {
    let (service, mut compat) = call.kept().await?;
    Ok(reply::json(StatusCode::OK, &shown(&call, &service, find(&call, &mut compat)?)))
}

/// Changes the messaging service of a country.
pub async fn update(call: Call) -> Result<Response, Failure> {
    let service = call.service().await?;
    let messaging_service_sid = messaging_service(&call)?;
    let change = |compat: &mut Compat, now| {
        let sender = find(&call, compat)?;
        sender.messaging_service_sid.clone_from(&messaging_service_sid);
        sender.updated_at = now;
        Ok::<_, Failure>(sender.clone())
    };
    let sender = call.change_compat(&service.id, change).await?;
    Ok(reply::json(StatusCode::OK, &shown(&call, &service, &sender)))
}

/// Takes a country's messaging service away.
pub async fn delete(call: Call) -> Result<Response, Failure> {
    let take = |compat: &mut Compat| {
        let country = find(&call, compat)?.country.clone();
        compat.senders.retain(|sender| sender.country != country);
        Ok(())
    };
    call.take_out(take).await
}

fn find<'c>(call: &Call, compat: &'c mut Compat) -> Result<&'c mut CountrySender, Failure> {
    let country = call.param(1);
    compat.senders.iter_mut().find(|sender| sender.country == country).ok_or_else(|| call.not_found())
}

fn messaging_service(call: &Call) -> Result<String, Failure> {
    let sid = call.needed("MessagingServiceSid")?;
    match is_sid(sid, "MG") {
        true => Ok(sid.to_owned()),
        false => Err(Failure::invalid("MessagingServiceSid")),
    }
}

fn shown(call: &Call, service: &Service, sender: &CountrySender) -> Value {
    json!({
        "account_sid": call.caller.account,
        "service_sid": service.id,
        "country": sender.country,
        "messaging_service_sid": sender.messaging_service_sid,
        "date_created": time(sender.created_at),
        "date_updated": time(sender.updated_at),
        "url": call.url(&format!("/v2/Services/{}/MessagingConfigurations/{}", service.id, sender.country)),
    })
}
