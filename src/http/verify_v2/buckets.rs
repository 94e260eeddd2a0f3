//! `/v2/Services/{service}/RateLimits/{limit}/Buckets`

use super::call::Call;
use super::call::time;
use super::failure::Failure;
use super::paging;
use super::rate_limits;
use crate::http::reply;
use crate::model::compat::Bucket;
use crate::model::compat::Compat;
use crate::model::compat::RateLimit;
use crate::model::service::Service;
use serde_json::Value;
use serde_json::json;
use warp::http::StatusCode;
use warp::reply::Response;

/// Lists a rate limit's buckets.
pub async fn list(call: Call) -> Result<Response, Failure> {
    let (service, mut compat) = call.kept().await?;
    let limit = rate_limits::find(&call, &mut compat)?;
    let items = limit.buckets.iter().map(|bucket| shown(&call, &service, &limit.sid, bucket)).collect();
    paging::cut(&call, "buckets", items)
}

/// Makes a bucket of a rate limit.
pub async fn create(call: Call) -> Result<Response, Failure> {
    let service = call.service().await?;
    let max = max(&call)?.ok_or_else(|| Failure::missing("Max"))?;
    let interval = interval(&call)?.ok_or_else(|| Failure::missing("Interval"))?;
    let sid = call.context.app.new_sid("BL");
    let change = |compat: &mut Compat, now| {
        let limit = rate_limits::find(&call, compat)?;
        refuse_twice(limit, interval, None)?;
        if limit.buckets.len() >= Compat::MOST_BUCKETS {
            return Err(Failure::new(400, 60210, "Max Buckets per Rate limit reached"));
        }
        let bucket = Bucket { sid: sid.clone(), max, interval, created_at: now, updated_at: now };
        limit.buckets.push(bucket.clone());
        Ok(bucket)
    };
    let bucket = call.change_compat(&service.id, change).await?;
    Ok(reply::json(StatusCode::CREATED, &shown(&call, &service, call.param(1), &bucket)))
}

/// Shows a bucket of a rate limit.
pub async fn fetch(call: Call) -> Result<Response, Failure> {
    let (service, mut compat) = call.kept().await?;
    let bucket = find(&call, rate_limits::find(&call, &mut compat)?)?;
    Ok(reply::json(StatusCode::OK, &shown(&call, &service, call.param(1), bucket)))
}

/// Changes the fields of a bucket that are named.
pub async fn update(call: Call) -> Result<Response, Failure> {
    let service = call.service().await?;
    let (max, interval) = (max(&call)?, interval(&call)?);
    let change = |compat: &mut Compat, now| {
        let limit = rate_limits::find(&call, compat)?;
        if let Some(interval) = interval {
            refuse_twice(limit, interval, Some(call.param(2)))?;
        }
        let bucket = find(&call, limit)?;
        bucket.max = max.unwrap_or(bucket.max);
        bucket.interval = interval.unwrap_or(bucket.interval);
        bucket.updated_at = now;
        Ok::<_, Failure>(bucket.clone())
    };
    let bucket = call.change_compat(&service.id, change).await?;
    Ok(reply::json(StatusCode::OK, &shown(&call, &service, call.param(1), &bucket)))
}

/// Deletes a bucket; what it counted stays behind.
pub async fn delete(call: Call) -> Result<Response, Failure> {
    let take = |compat: &mut Compat| {
        let limit = rate_limits::find(&call, compat)?;
        let sid = find(&call, limit)?.sid.clone();
        limit.buckets.retain(|bucket| bucket.sid != sid);
        Ok(())
    };
    call.take_out(take).await
}

fn find<'l>(call: &Call, limit: &'l mut RateLimit) -> Result<&'l mut Bucket, Failure> {
    let sid = call.param(2);
    limit.buckets.iter_mut().find(|bucket| bucket.sid == sid).ok_or_else(|| call.not_found())
}

/// Two buckets of one interval would say the same thing twice.
fn refuse_twice(limit: &RateLimit, interval: u32, but: Option<&str>) -> Result<(), Failure> {
    let is_same = |bucket: &Bucket| bucket.interval == interval && Some(bucket.sid.as_str()) != but;
    match limit.buckets.iter().any(is_same) {
        true => Err(Failure::new(400, 60211, "Bucket with the given Interval already exists")),
        false => Ok(()),
    }
}

fn max(call: &Call) -> Result<Option<u32>, Failure> {
    call.parsed("Max")
}

fn interval(call: &Call) -> Result<Option<u32>, Failure> {
    match call.parsed("Interval")? {
        Some(seconds) if !(1..=Bucket::LONGEST).contains(&seconds) => {
            Err(Failure::invalid_because("Interval", format!("1 to {} seconds", Bucket::LONGEST)))
        }
        seconds => Ok(seconds),
    }
}

fn shown(call: &Call, service: &Service, limit: &str, bucket: &Bucket) -> Value {
    json!({
        "sid": bucket.sid,
        "rate_limit_sid": limit,
        "service_sid": service.id,
        "account_sid": call.caller.account,
        "max": bucket.max,
        "interval": bucket.interval,
        "date_created": time(bucket.created_at),
        "date_updated": time(bucket.updated_at),
        "url": call.url(&format!("/v2/Services/{}/RateLimits/{limit}/Buckets/{}", service.id, bucket.sid)),
    })
}
