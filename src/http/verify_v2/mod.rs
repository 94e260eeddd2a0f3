//! Twilio Verify, version 2, so that Twilio's own libraries work against it
//! unmodified: forms in, Twilio's JSON and Twilio's error documents out.
//!
//! What Dialback does not have (factors, challenges, e-mail, silent network
//! authentication) answers as Twilio does where a feature is off. This folder
//! refuses to know how a verification is decided and where it is kept.

mod attempts;
mod auth;
mod buckets;
mod call;
mod checks;
mod failure;
mod messaging;
mod off;
mod paging;
mod parameter;
mod prefix;
mod rate_limits;
mod request;
mod resource;
mod safe_list;
mod services;
mod settings;
mod templates;
mod verifications;
mod views;
mod webhooks;

pub use failure::{nowhere, wrong_method};
pub use prefix::PREFIX;

use super::route::PathRoute;
use crate::model::key::Scope::{Admin, Check, Read, Send};
use resource::{Need, at};

/// Every path of Verify that there is, on one screen.
pub fn table() -> Vec<PathRoute> {
    let mut table = vec![
        at("/v2/Services").get(Read, services::list).post(Admin, services::create),
        at("/v2/Services/{service}")
            .get(Read, services::fetch)
            .post(Admin, services::update)
            .delete(Admin, services::delete),
        at("/v2/Services/{service}/Verifications").post(Send, verifications::create),
        at("/v2/Services/{service}/Verifications/{sid}")
            .get(Read, verifications::fetch)
            .post(Need::Said(verifications::needed), verifications::update),
        at("/v2/Services/{service}/VerificationCheck").post(Check, checks::create),
        at("/v2/Services/{service}/RateLimits").get(Read, rate_limits::list).post(Admin, rate_limits::create),
        at("/v2/Services/{service}/RateLimits/{sid}")
            .get(Read, rate_limits::fetch)
            .post(Admin, rate_limits::update)
            .delete(Admin, rate_limits::delete),
        at("/v2/Services/{service}/RateLimits/{limit}/Buckets")
            .get(Read, buckets::list)
            .post(Admin, buckets::create),
        at("/v2/Services/{service}/RateLimits/{limit}/Buckets/{sid}")
            .get(Read, buckets::fetch)
            .post(Admin, buckets::update)
            .delete(Admin, buckets::delete),
        at("/v2/Services/{service}/MessagingConfigurations")
            .get(Read, messaging::list)
            .post(Admin, messaging::create),
        at("/v2/Services/{service}/MessagingConfigurations/{country}")
            .get(Read, messaging::fetch)
            .post(Admin, messaging::update)
            .delete(Admin, messaging::delete),
        at("/v2/Services/{service}/Webhooks").get(Read, webhooks::list).post(Admin, webhooks::create),
        at("/v2/Services/{service}/Webhooks/{sid}")
            .get(Read, webhooks::fetch)
            .post(Admin, webhooks::update)
            .delete(Admin, webhooks::delete),
        at("/v2/Attempts").get(Read, attempts::list),
        at("/v2/Attempts/Summary").get(Read, attempts::summary),
        at("/v2/Attempts/{sid}").get(Read, attempts::fetch),
        at("/v2/Templates").get(Read, templates::list),
        at("/v2/SafeList/Numbers").post(Admin, safe_list::create),
        at("/v2/SafeList/Numbers/{number}").get(Read, safe_list::fetch).delete(Admin, safe_list::delete),
    ];
    table.extend(
        off::PATHS.map(|path| at(path).get(Read, off::any).post(Read, off::any).delete(Read, off::any)),
    );
    table.into_iter().map(resource::Resource::into_route).collect()
}
