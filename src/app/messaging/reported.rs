//! What is written for a delivery that becomes another, and what the log of decisions is
//! told of it: that the provider takes one of our sends for fraud. It refuses to know who
//! reported it.

use crate::app::admission::Admission;
use crate::app::events::told;
use crate::app::fault::{Failing, Fault};
use crate::app::fraud::became::{about_send, is_fraud};
use crate::app::fraud::lines::Lines;
use crate::app::services::find;
use crate::model::delivery::Delivery;
use crate::model::fraud::Entry;
use crate::model::verification::Verification;
use crate::store::Change;
use crate::store::records::{self, Versioned};

/// What has to be written for a delivery to become another, and what is told then.
///
/// # Errors
/// The store's.
pub(in crate::app) async fn written(
    admission: &Admission,
    old: Option<&Versioned<Delivery>>,
    new: &Delivery,
) -> Result<(Vec<Change>, Lines), Fault> {
    let changes = told::written_delivery(&admission.telling, old, new).await?;
    // Of what was not known to be ours nothing was told.
    let before = old.filter(|old| old.record.id.is_some()).and_then(|old| old.record.error_code());
    let code = new.error_code().filter(|code| before != Some(*code) && is_fraud(*code));
    let line = match code {
        Some(code) => Box::pin(verdict(admission, new, code)).await?,
        None => None,
    };
    Ok((changes, Lines::new(&admission.fraud, line.into_iter().collect())))
}

/// That the provider takes a send of ours for fraud; nothing where it is nobody's that is
/// still known.
async fn verdict(admission: &Admission, delivery: &Delivery, code: u32) -> Result<Option<Entry>, Fault> {
    let Some((id, number)) = delivery.id.as_ref().and_then(|id| id.of_verification()) else {
        return Ok(None);
    };
    let found = records::get::<Verification>(admission.base.store(), id.as_str()).await?;
    let Some(verification) = found.map(|found| found.record) else { return Ok(None) };
    let service = match find::service_of(&admission.directory, &verification).await {
        Ok(service) => service,
        Err(error) => return error.fault().cloned().map_or(Ok(None), Err),
    };
    let by = (&*service, &*admission.senders);
    let about =
        verification.send(number).and_then(|send| about_send(&admission.fraud, by, &verification, send));
    Ok(about.map(|about| Entry::Verdict { at: admission.base.now(), code, about: Box::new(about) }))
}
