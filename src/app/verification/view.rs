//! A verification as it is shown: with what is known of its deliveries, and what may
//! still be done.

use crate::app::admission::Admission;
use crate::app::admission::ways::{self, ways};
use crate::app::services::{Directory, find};
use crate::app::verification::VerificationError;
use crate::model::channel::Channel;
use crate::model::delivery::Delivery;
use crate::model::lookup::LineType;
use crate::model::owner::{Owned, Owner};
use crate::model::phone::Line;
use crate::model::policy::Policy;
use crate::model::service::Service;
use crate::model::verification::{Send, Status, Verification};
use crate::store::records::Ahead;
use jiff::Timestamp;
use std::sync::Arc;

/// A verification with what is known of its deliveries.
#[derive(Debug, Clone)]
pub struct View {
    /// The service it belongs to.
    pub service: Arc<Service>,
    /// The record, as it stands at this moment.
    pub verification: Verification,
    /// The status as of now.
    pub status: Status,
    /// Codes that may still be offered.
    pub checks_left: u32,
    /// Sends that are left.
    pub sends_left: u8,
    /// From when on the next send is allowed.
    pub resend_at: Option<Timestamp>,
    /// The channels by which it may be sent again, the preferred one first.
    pub channels_left: Vec<Channel>,
    /// Each send, and what became of it.
    pub deliveries: Vec<(Send, Option<Delivery>)>,
}

impl Owned for View {
    fn owner(&self) -> Owner {
        self.verification.owner()
    }
}

impl View {
    /// The last message or call that was wanted, and what became of it.
    pub fn last_delivery(&self) -> Option<&(Send, Option<Delivery>)> {
        let last = self.verification.last_send()?.number;
        self.deliveries.iter().find(|(send, _)| send.number == last)
    }

    /// Whether the last message or call arrived, as far as anybody said.
    pub fn has_arrived(&self) -> bool {
        self.last_delivery().and_then(|(_, delivery)| delivery.as_ref()?.is_delivered()) == Some(true)
    }

    /// The last send's number, if it did not arrive by Twilio's word.
    pub fn failed_send(&self) -> Option<u8> {
        let (send, delivery) = self.last_delivery()?;
        let status = delivery.as_ref().and_then(Delivery::status)?;
        status.is_failure().then_some(send.number)
    }

    /// The channels that are open at once, though the next send by the way of
    /// the last one has to wait.
    pub fn ways_out(&self) -> Vec<Channel> {
        let failed = self.failed_send();
        let is_open = |channel: &&Channel| self.verification.is_way_out(**channel, failed);
        self.channels_left.iter().filter(is_open).copied().collect()
    }

    fn new(
        service: Arc<Service>,
        base: &Policy,
        verification: Verification,
        status: Status,
        deliveries: Vec<(Send, Option<Delivery>)>,
    ) -> Self {
        let policy = service.policy(base);
        let pending = status == Status::Pending;
        let sends_left = if pending { verification.sends_left(&policy) } else { 0 };
        Self {
            status,
            checks_left: if pending { verification.checks_left(&policy) } else { 0 },
            sends_left,
            resend_at: verification.resend_at(&policy).filter(|_| pending),
            channels_left: if sends_left > 0 { service.channels_for(&verification.to) } else { Vec::new() },
            deliveries,
            verification,
            service,
        }
    }
}

/// A verification as it is shown.
pub(in crate::app) async fn view(
    admission: &Admission,
    verification: Verification,
) -> Result<View, VerificationError> {
    let ahead = around(admission, &[&verification]).await?;
    view_from(admission, verification, &ahead).await
}

/// Many at once.
pub(in crate::app) async fn views(
    admission: &Admission,
    verifications: Vec<Verification>,
) -> Result<Vec<View>, VerificationError> {
    let ahead = around(admission, &verifications.iter().collect::<Vec<_>>()).await?;
    let mut views = Vec::with_capacity(verifications.len());
    for verification in verifications {
        views.push(view_from(admission, verification, &ahead).await?);
    }
    Ok(views)
}

/// What is shown of verifications beside themselves, read at once: their deliveries, and
/// what says by which ways they may be sent again. Where a service is not known, what
/// that says is asked for once it is.
pub(in crate::app) async fn around(
    admission: &Admission,
    verifications: &[&Verification],
) -> Result<Ahead, VerificationError> {
    let mut ahead = Ahead::default();
    around_into(admission, verifications, &mut ahead).await?;
    Ok(ahead)
}

/// The same, beside what was read already.
pub(in crate::app) async fn around_into(
    admission: &Admission,
    verifications: &[&Verification],
    ahead: &mut Ahead,
) -> Result<(), VerificationError> {
    let (directory, mut unknown) = (&admission.directory, Vec::new());
    let services = &directory.services;
    for verification in verifications {
        let sids = verification.sends.iter().filter_map(|send| send.sid.as_ref());
        sids.for_each(|sid| ahead.want::<Delivery>(sid.as_str()));
        let id = verification.service.as_ref();
        match id.map_or_else(|| Some(Some(services.default.clone())), |id| services.known(id)) {
            Some(service) => {
                let service = service.unwrap_or_else(|| services.default.clone());
                want_ways_left(admission, service, verification, ahead);
            }
            None => {
                find::want_service(directory, id, ahead);
                unknown.push(verification);
            }
        }
    }
    ahead.read(directory.base.store()).await?;
    for verification in unknown {
        let service = find::service_of_from(directory, verification, ahead).await?;
        want_ways_left(admission, service, verification, ahead);
    }
    ahead.read(directory.base.store()).await?;
    Ok(())
}

/// The last send's number, if it did not arrive by Twilio's word.
pub(in crate::app) async fn failed_send(
    admission: &Admission,
    verification: &Verification,
    ahead: &Ahead,
) -> Result<Option<u8>, VerificationError> {
    let Some((number, sid)) =
        verification.last_send().and_then(|send| Some((send.number, send.sid.as_ref()?)))
    else {
        return Ok(None);
    };
    let delivery = ahead.get::<Delivery>(admission.base.store(), sid.as_str()).await?;
    Ok(delivery.and_then(|found| found.record.status()?.is_failure().then_some(number)))
}

fn want_ways_left(
    admission: &Admission,
    service: Arc<Service>,
    verification: &Verification,
    ahead: &mut Ahead,
) {
    let policy = service.policy(&admission.directory.policy);
    let is_pending = verification.status_at(admission.base.now()) == Status::Pending;
    if is_pending && verification.sends_left(&policy) > 0 {
        ways::want_ways(admission, service, &verification.to, ahead);
    }
}

/// A verification as it is shown, by what was read around it.
pub(in crate::app) async fn view_from(
    admission: &Admission,
    verification: Verification,
    ahead: &Ahead,
) -> Result<View, VerificationError> {
    let store = admission.base.store();
    let mut deliveries = Vec::with_capacity(verification.sends.len());
    for send in &verification.sends {
        let delivery = match &send.sid {
            Some(sid) => ahead.get::<Delivery>(store, sid.as_str()).await?,
            None => None,
        };
        deliveries.push((send.clone(), delivery.map(|delivery| delivery.record)));
    }
    let service = find::service_of_from(&admission.directory, &verification, ahead).await?;
    let view = bare_view(&admission.directory, service, verification, deliveries);
    wanted(admission, view, ahead).await
}

/// The same view with the channels that go to the number and that the person
/// wants.
async fn wanted(admission: &Admission, mut view: View, ahead: &Ahead) -> Result<View, VerificationError> {
    view.channels_left.clear();
    if view.sends_left == 0 {
        return Ok(view);
    }
    let to = &view.verification.to;
    let line = view.verification.line_type().map_or(Line::Unknown, LineType::line);
    let ways = ways(admission, view.service.clone(), to, ahead).await?.leading_to(line);
    for channel in ways.channels(to) {
        if !ways::is_unwanted(admission, &ways.service, to, channel, ahead).await? {
            view.channels_left.push(channel);
        }
    }
    Ok(view)
}

fn bare_view(
    directory: &Directory,
    service: Arc<Service>,
    verification: Verification,
    deliveries: Vec<(Send, Option<Delivery>)>,
) -> View {
    let status = verification.status_at(directory.base.now());
    View::new(service, &directory.policy, verification, status, deliveries)
}

/// The answer that was given is given again, whatever happened since.
pub(in crate::app) fn view_as_started(
    directory: &Directory,
    service: Arc<Service>,
    verification: Verification,
) -> View {
    let status = verification.status;
    let deliveries = verification.sends.iter().map(|send| (send.clone(), None)).collect();
    View::new(service, &directory.policy, verification, status, deliveries)
}
