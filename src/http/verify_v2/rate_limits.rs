//! `/v2/Services/{service}/RateLimits`

use super::call::Call;
use super::call::time;
use super::failure::Failure;
use super::paging;
use crate::http::reply;
use crate::model::compat::Compat;
use crate::model::compat::RateLimit;
use crate::model::service::Service;
use serde_json::Value;
use serde_json::json;
use warp::http::StatusCode;
use warp::reply::Response;

/// Lists them, the newest first.
pub async fn list(call: Call) -> Result<Response, Failure> {
    let (service, compat) = call.kept().await?;
    let items = compat.rate_limits.iter().rev().map(|limit| shown(&call, &service, limit)).collect();
    paging::cut(&call, "rate_limits", items)
}

/// Makes a rate limit of a service.
pub async fn create(call: Call) -> Result<Response, Failure> {
    let service = call.service().await?;
    let unique_name = call.needed("UniqueName")?;
    if !is_name(unique_name) {
        return Err(Failure::new(
            400,
            60209,
            "UniqueName format is invalid: 1 to 64 letters, digits, '_', '-' and '.'",
        ));
    }
    let (sid, description) = (call.context.app.new_sid("RK"), description(&call)?.unwrap_or_default());
    let change = |compat: &mut Compat, now| {
        if compat.rate_limits.iter().any(|limit| limit.unique_name == unique_name) {
            return Err(Failure::new(400, 60208, "Rate limit with that UniqueName already exists"));
        }
        if compat.rate_limits.len() >= Compat::MOST_RATE_LIMITS {
            return Err(Failure::new(400, 60207, "Max rate limits per service reached"));
        }
        let limit = RateLimit {
            sid: sid.clone(),
            unique_name: unique_name.to_owned(),
            description: description.clone(),
            buckets: Vec::new(),
            created_at: now,
            updated_at: now,
        };
        compat.rate_limits.push(limit.clone());
        Ok(limit)
    };
    let limit = call.change_compat(&service.id, change).await?;
    Ok(reply::json(StatusCode::CREATED, &shown(&call, &service, &limit)))
}

/// Shows a rate limit of a service.
pub async fn fetch(call: Call) -> Result<Response, Failure> {
    let (service, mut compat) = call.kept().await?;
    let limit = find(&call, &mut compat)?;
    Ok(reply::json(StatusCode::OK, &shown(&call, &service, limit)))
}

/// Describes one anew.
pub async fn update(call: Call) -> Result<Response, Failure> {
    let service = call.service().await?;
    let description = description(&call)?;
    let change = |compat: &mut Compat, now| {
        let limit = find(&call, compat)?;
        if let Some(description) = &description {
            limit.description.clone_from(description);
            limit.updated_at = now;
        }
        Ok::<_, Failure>(limit.clone())
    };
    let limit = call.change_compat(&service.id, change).await?;
    Ok(reply::json(StatusCode::OK, &shown(&call, &service, &limit)))
}

/// Deletes one with its buckets.
pub async fn delete(call: Call) -> Result<Response, Failure> {
    let take = |compat: &mut Compat| {
        let sid = find(&call, compat)?.sid.clone();
        compat.rate_limits.retain(|limit| limit.sid != sid);
        Ok(())
    };
    call.take_out(take).await
}

/// The rate limit that the path names.
///
/// # Errors
/// 20404.
pub fn find<'c>(call: &Call, compat: &'c mut Compat) -> Result<&'c mut RateLimit, Failure> {
    let sid = call.param(1);
    compat.rate_limits.iter_mut().find(|limit| limit.sid == sid).ok_or_else(|| call.not_found())
}

fn description(call: &Call) -> Result<Option<String>, Failure> {
    match call.given("Description") {
        Some(text) if text.chars().count() > 256 => {
            Err(Failure::invalid_because("Description", "at most 256 characters"))
        }
        text => Ok(text.map(str::to_owned)),
    }
}

/// It goes into a header.
fn is_name(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

fn shown(call: &Call, service: &Service, limit: &RateLimit) -> Value {
    let url = call.url(&format!("/v2/Services/{}/RateLimits/{}", service.id, limit.sid));
    json!({
        "sid": limit.sid,
        "service_sid": service.id,
        "account_sid": call.caller.account,
        "unique_name": limit.unique_name,
        "description": limit.description,
        "date_created": time(limit.created_at),
        "date_updated": time(limit.updated_at),
        "url": url,
        "links": { "buckets": format!("{url}/Buckets") },
    })
}
