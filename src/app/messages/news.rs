//! What a delivery tells whoever sent it: that it did not arrive, and what is done about
//! that. It refuses to know who asks.

use crate::app::admission::Admission;
use crate::app::messages::alert::alert;
use crate::gateway;
use crate::model::channel::Channel;
use crate::model::delivery::Delivery;
use crate::model::remedy::Remedy;
use crate::model::service::Service;

/// Whether it is known by now that it did not arrive, and was not before.
pub(in crate::app) fn has_failed(before: Option<&Delivery>, after: &Delivery) -> bool {
    let is_failure = |delivery: &Delivery| {
        let has_failed = delivery.status().is_some_and(|status| status.is_failure());
        !delivery.unproved && (has_failed || remedy_of_unheard(delivery).is_some())
    };
    is_failure(after) && !before.is_some_and(is_failure)
}

/// What is done about what a delivery came to.
pub(in crate::app) fn remedy_of(service: &Service, delivery: &Delivery) -> Remedy {
    if let Some(code) = delivery.error_code() {
        return service.remedy(code, gateway::remedy(code));
    }
    let of_status = |status| gateway::remedy_of_status(status, delivery.sid.is_call());
    remedy_of_unheard(delivery).or_else(|| delivery.status().map(of_status)).unwrap_or(Remedy::Stop)
}

/// What is done about a call that has ended and reached no person, though it took place.
fn remedy_of_unheard(delivery: &Delivery) -> Option<Remedy> {
    delivery.unheard().and_then(gateway::remedy_of_unheard)
}

/// What is done about a send that the provider refused. What it gave no code for is
/// nothing that the number has to do with.
pub(in crate::app) fn remedy_of_refusal(
    admission: &Admission,
    (service, channel): (&Service, Channel),
    code: Option<u32>,
) -> Remedy {
    let remedy = code.map_or(Remedy::NextChannel, |code| service.remedy(code, gateway::remedy(code)));
    alert(admission, (&service.id, channel), code, remedy);
    remedy
}
