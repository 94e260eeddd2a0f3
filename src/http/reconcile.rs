//! `/operator/reconcile`: the account's lists at the provider are compared with what is
//! known. Only the operator's key opens it. It refuses to know how.

use super::auth;
use super::context::Context;
use super::error::Error;
use super::operator::{end, progress, query, streamed};
use super::request::Request;
use crate::app::messaging::{MessagingError, Sweep, SweepPlan};
use jiff::Timestamp;
use serde::Deserialize;
use std::sync::Arc;
use warp::reply::Response;

/// What is to be compared.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct What {
    since: Timestamp,
    #[serde(default)]
    dry_run: bool,
}

/// `POST /operator/reconcile?since=&dry_run=`: a sweep; `progress` tells how many messages
/// and calls were seen.
pub async fn reconcile(context: Arc<Context>, request: Request) -> Result<Response, Error> {
    auth::operator(&context, &request).await?;
    let What { since, dry_run } = query(&request)?;
    Ok(streamed(move |told| async move {
        let (app, seen) = (&context.app, progress(&told));
        let plan = SweepPlan { since, kept: app.privacy.retention.deliveries, is_dry: dry_run };
        let mut sweep = Sweep::new(&app.messaging, plan);
        let steps = async {
            while sweep.step().await? {
                seen(sweep.seen());
            }
            Ok::<_, MessagingError>(())
        };
        let done = tokio::select! {
            () = told.closed() => return,
            done = steps => done,
        };
        end(&told, done.map(|()| sweep.end())).await;
    }))
}
