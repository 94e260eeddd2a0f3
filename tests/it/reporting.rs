//! Reports as they reach the service, for who tells it of something.

use dialback::model::account::Proof;
use dialback::model::delivery::{About, Fact, Report, Source};
use dialback::model::id::DeliveryId;
use dialback::model::status::Status;

/// That a report comes from the account that sends: here none is configured.
pub fn proof() -> Proof {
    Proof::new(None, "a test's token".into())
}

/// A report as a status callback brings it.
pub fn report(sid: &str, status: Status, id: Option<&DeliveryId>, to: Option<&str>) -> Report {
    Report {
        sid: sid.parse().unwrap(),
        id: id.cloned(),
        about: About { to: to.map(str::to_owned), ..About::default() },
        fact: Fact { status: Some(status), source: Source::StatusCallback, ..Fact::default() },
    }
}
