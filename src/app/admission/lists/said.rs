//! What the lists say of a request. It refuses to know what follows.

use crate::app::admission::{Admission, AdmissionError};
use crate::model::id::ServiceId;
use crate::model::lists::{Asked, ListEntry, Listed, Matcher};
use crate::model::phone::PhoneNumber;
use std::net::IpAddr;

/// What the lists say of a code for a number, asked for from an address where one is known.
/// It costs no read of the store while what was read is two seconds old at most.
///
/// # Errors
/// The store's.
pub(in crate::app) async fn listed(
    admission: &Admission,
    number: &PhoneNumber,
    service: &ServiceId,
    address: Option<IpAddr>,
) -> Result<Listed, AdmissionError> {
    let matcher = admission.lists.matcher(&admission.base).await?;
    Ok(said(admission, &matcher, number, (service, address)))
}

/// The same by the lists as they were read.
pub(in crate::app) fn said(
    admission: &Admission,
    matcher: &Matcher,
    number: &PhoneNumber,
    (service, address): (&ServiceId, Option<IpAddr>),
) -> Listed {
    let (person, names) = (number.person(), &admission.limiting.names);
    matcher.judge(&Asked {
        person: &person,
        service,
        address,
        now: admission.base.now(),
        region: &|| number.region(),
        name: &|| ListEntry::name_of(names, person.as_str()),
    })
}
