//! What a delivery tells whoever sent it: that it did not arrive, and what is done about
//! that. It refuses to know who asks.

use crate::app::admission::Admission;
use crate::app::messages::alert::alert;
use crate::gateway;
use crate::model::delivery::Delivery;
use crate::model::message::{Route, Send};
use crate::model::phone::PhoneNumber;
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

/// What is done about what the delivery of a send came to.
pub(in crate::app) fn remedy_of(
    admission: &Admission,
    service: &Service,
    (to, send): (&PhoneNumber, &Send),
    delivery: &Delivery,
) -> Remedy {
    let of_status = |status| gateway::remedy_of_status(status, delivery.sid.is_call());
    let remedy = match delivery.error_code() {
        Some(code) => service.remedy(code, gateway::remedy(code)),
        None => {
            remedy_of_unheard(delivery).or_else(|| delivery.status().map(of_status)).unwrap_or(Remedy::Stop)
        }
    };
    resolved(admission, service, (to, send), remedy)
}

/// What a remedy is for this send: the next sender is one only where there is another.
fn resolved(
    admission: &Admission,
    service: &Service,
    (to, send): (&PhoneNumber, &Send),
    remedy: Remedy,
) -> Remedy {
    match remedy.is_next_sender() && other_routes(admission, service, (to, send)).is_empty() {
        true => remedy.without_senders(),
        false => remedy,
    }
}

/// By whom else a send may leave, of those that have not failed it; nothing where there was
/// no choice.
pub(in crate::app) fn other_routes(
    admission: &Admission,
    service: &Service,
    (to, send): (&PhoneNumber, &Send),
) -> Vec<Route> {
    if send.route.is_none() {
        return Vec::new();
    }
    let spent = send.spent_senders();
    let mut routes = admission.senders.routes(service, send.channel, to);
    routes.retain(|route| !spent.contains(&route.sender));
    routes
}

/// What is done about a call that has ended and reached no person, though it took place.
fn remedy_of_unheard(delivery: &Delivery) -> Option<Remedy> {
    delivery.unheard().and_then(gateway::remedy_of_unheard)
}

/// What is done about a send that the provider refused. What it gave no code for is
/// nothing that the number has to do with.
pub(in crate::app) fn remedy_of_refusal(
    admission: &Admission,
    service: &Service,
    send: &Send,
    code: Option<u32>,
) -> Remedy {
    let remedy = code.map_or(Remedy::NextChannel, |code| service.remedy(code, gateway::remedy(code)));
    alert(admission, service, send, code, remedy);
    // Another sender would have been asked at once.
    remedy.without_senders()
}
