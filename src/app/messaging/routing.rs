//! By whom a send leaves, where there is a choice: the senders that are for it, without
//! those that the person told to stop, and those that answer before those that are left
//! alone. What one of them did not take leads to the next. It refuses to know what is sent.

use crate::app::admission::{Admission, ways};
use crate::app::messages::alert::alert;
use crate::app::messages::news::other_routes;
use crate::app::messaging::health::leads_on;
use crate::app::messaging::{Messaging, MessagingError};
use crate::app::services::compat;
use crate::gateway::{self, SendError};
use crate::model::channel::Channel;
use crate::model::delivery::Report;
use crate::model::message::{Failure, Route, Send};
use crate::model::phone::PhoneNumber;
use crate::model::service::Service;
use crate::store::records::Ahead;
use jiff::SignedDuration;
use std::sync::Arc;

/// By whom a service's send to a number may leave, the best first; nothing where there is no
/// choice, or nobody whom the person did not tell to stop.
pub(in crate::app) async fn routes_of(
    messaging: &Messaging,
    service: &Arc<Service>,
    (to, channel): (&PhoneNumber, Channel),
) -> Result<Vec<Route>, MessagingError> {
    let admission = &messaging.admission;
    if !admission.senders.is_list() {
        return Ok(Vec::new());
    }
    let mut ahead = Ahead::default();
    ways::want_ways(admission, service.clone(), to, &mut ahead);
    ahead.read(messaging.base.store()).await?;
    let sending = compat::sending_to(&messaging.directory, service.clone(), to, &ahead).await?;
    let mut routes = Vec::new();
    for route in admission.senders.routes(&sending, channel, to) {
        if !ways::has_stopped(admission, (to, channel), &route.sender, &ahead).await? {
            routes.push(route);
        }
    }
    Ok(messaging.health.in_order(routes))
}

/// Why a send cannot leave by anybody, or not by whom it was to; nothing where it can.
pub(in crate::app) async fn refusal(
    admission: &Admission,
    to: &PhoneNumber,
    send: &Send,
    ahead: &Ahead,
) -> Result<Option<SendError>, MessagingError> {
    let Some(route) = &send.route else {
        let reason = "no sender is left that it could come from".to_owned();
        let is_choice = admission.senders.is_list();
        return Ok(is_choice.then_some(SendError::Refused { code: None, reason }));
    };
    let has_stopped = ways::has_stopped(admission, (to, send.channel), &route.sender, ahead).await?;
    Ok(has_stopped.then(gateway::opted_out))
}

/// Takes down how a send ended at its sender.
pub(in crate::app) fn note(messaging: &Messaging, send: &Send, sent: &Result<Report, SendError>) {
    if let Some(route) = &send.route {
        messaging.health.note(route, sent.as_ref().map(|_| ()));
    }
}

/// Whether the next sender is asked for what this one did not take, why, and whether this one
/// is asked again about it; nothing where that is not, or nobody is left.
pub(in crate::app) fn next_after(
    messaging: &Messaging,
    service: &Service,
    (to, send): (&PhoneNumber, &Send),
    error: &SendError,
) -> Option<(Failure, bool)> {
    let (admission, health) = (&messaging.admission, &messaging.health);
    send.route.as_ref()?;
    let others = other_routes(admission, service, (to, send));
    let failure = |code: &Option<u32>, reason: &String| {
        let (code, reason) = (*code, reason.clone());
        Failure { code, reason, after: SignedDuration::ZERO }
    };
    match error {
        SendError::Refused { code: Some(code), reason } => {
            let remedy = service.remedy(*code, gateway::remedy(*code));
            if !leads_on(remedy) || others.is_empty() {
                return None;
            }
            alert(admission, (&service.id, send.channel), Some(*code), remedy);
            Some((failure(&Some(*code), reason), true))
        }
        SendError::NotProcessed { code, reason, .. } => {
            let answers = others.iter().any(|route| health.answers(route));
            answers.then(|| (failure(code, reason), false))
        }
        SendError::Refused { code: None, .. } | SendError::Unknown { .. } => None,
    }
}
