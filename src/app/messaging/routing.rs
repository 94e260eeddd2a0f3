//! By whom a send leaves, where there is a choice: the senders that are for it, without
//! those that failed it and those that the person told to stop, and those that answer before
//! those that are left alone. What one of them did not take leads to the next of the same
//! list. It refuses to know what is sent.

use crate::app::admission::{Admission, opt_outs, ways};
use crate::app::messages::alert::alert;
use crate::app::messaging::{Messaging, MessagingError, inbound};
use crate::app::services::compat;
use crate::gateway::{self, SendError};
use crate::model::address;
use crate::model::channel::Channel;
use crate::model::delivery::Report;
use crate::model::message::{Failure, Route, Send};
use crate::model::phone::PhoneNumber;
use crate::model::remedy::Remedy;
use crate::model::service::Service;
use crate::store::records::Ahead;
use jiff::SignedDuration;
use std::sync::Arc;

/// By whom a service's send to a number may leave, the best first; nothing where there is no
/// choice, or nobody is left. `in_own_words`: of WhatsApp only who was written to within a
/// day may, if there is one.
pub(in crate::app) async fn routes_of(
    messaging: &Messaging,
    service: &Arc<Service>,
    (to, send): (&PhoneNumber, &Send),
    in_own_words: bool,
) -> Result<Vec<Route>, MessagingError> {
    let admission = &messaging.admission;
    if !admission.senders.is_list() {
        return Ok(Vec::new());
    }
    let (channel, mut ahead) = (send.channel, Ahead::default());
    ways::want_ways(admission, service.clone(), to, &mut ahead);
    let by_window = in_own_words && channel == Channel::Whatsapp;
    if by_window {
        inbound::want_window(admission, service, to, &mut ahead);
    }
    ahead.read(messaging.base.store()).await?;
    let sending = compat::sending_to(&messaging.directory, service.clone(), to, &ahead).await?;
    let (mut open, mut others) = (Vec::new(), Vec::new());
    for route in admission.senders.routes(&sending, channel, to) {
        if send.not_by.contains(&route.sender)
            || ways::has_stopped(admission, (to, channel), &route.sender, &ahead).await?
        {
            continue;
        }
        let by = Send { route: Some(route.clone()), ..send.clone() };
        match by_window && inbound::window_open(admission, &sending, (to, &by), &ahead).await? {
            true => open.push(route),
            false => others.push(route),
        }
    }
    // No other may use its own words: it is nobody to go on by.
    if !open.is_empty() || by_window && !send.not_by.is_empty() {
        others.clear();
    }
    let mut routes = messaging.health.in_order(open);
    routes.extend(messaging.health.in_order(others));
    Ok(routes)
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

/// Says that a send's sender is asked now.
pub(in crate::app) fn asked(messaging: &Messaging, send: &Send) {
    if let Some(route) = &send.route {
        messaging.health.asked(route);
    }
}

/// Takes down how a send ended at its sender: how that answers, and that the person has told
/// it to stop, where only the provider knew of it.
///
/// # Errors
/// The store's.
pub(in crate::app) async fn ended(
    messaging: &Messaging,
    (to, send): (&PhoneNumber, &Send),
    sent: &Result<Report, SendError>,
) -> Result<(), MessagingError> {
    let Some(route) = &send.route else { return Ok(()) };
    messaging.health.note(route, sent.as_ref().map(|_| ()));
    if let Err(SendError::Refused { code: Some(code), .. }) = sent
        && gateway::is_opt_out(*code)
    {
        let address = address::of_number(to, send.channel);
        opt_outs::stopped(&messaging.admission, (&address, &route.sender), send.asked_at).await?;
    }
    Ok(())
}

/// Whether the next sender of those that the send could leave by is asked for what this one
/// did not take, why, and who is not asked again about it; nothing where that is not, or
/// nobody is left.
pub(in crate::app) fn next_after(
    messaging: &Messaging,
    service: &Service,
    (send, routes): (&Send, &[Route]),
    error: &SendError,
) -> Option<(Failure, Vec<String>)> {
    let (health, own) = (&messaging.health, send.route.as_ref()?);
    let mut others = routes.iter().filter(|route| route.sender != own.sender);
    let told = |code: &Option<u32>, reason: &String| {
        let (code, reason) = (*code, reason.clone());
        Failure { code, reason, after: SignedDuration::ZERO }
    };
    match error {
        SendError::Refused { code: Some(code), reason } => {
            let remedy = service.remedy(*code, gateway::remedy(*code));
            // What concerns an account concerns all its senders.
            let of_account = remedy == Remedy::StopAndAlert && gateway::is_of_account(*code);
            let is_spent =
                |route: &&Route| route.sender == own.sender || of_account && route.account == own.account;
            let is_left = others.any(|route| !is_spent(&route));
            if !(is_left && (of_account || remedy.is_next_sender())) {
                return None;
            }
            alert(&messaging.admission, service, send, Some(*code), remedy);
            let spent = routes.iter().filter(is_spent).map(|route| route.sender.clone());
            Some((told(&Some(*code), reason), spent.collect()))
        }
        // At once only where somebody else is the next one then.
        SendError::NotProcessed { code, reason, .. } if !health.answers(own) => {
            others.any(|route| health.answers(route)).then(|| (told(code, reason), Vec::new()))
        }
        SendError::Refused { code: None, .. }
        | SendError::NotProcessed { .. }
        | SendError::Unknown { .. } => None,
    }
}
