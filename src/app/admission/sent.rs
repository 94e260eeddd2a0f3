//! Counting a send: what its commit adds, and the marks that it gets.

use crate::app::admission::Admission;
use crate::app::admission::limits::counted::{Additions, asked};
use crate::app::admission::limits::counters::CountedFor;
use crate::app::admission::limits::flags;
use crate::app::fault::Fault;
use crate::model::limits::Admitted;
use crate::model::phone::Standing;
use crate::model::service::Service;
use crate::model::verification::Verification;

/// What the last send of a verification adds, asked for by somebody, to a number that
/// stands there in its plan; the verification keeps under what that was, and which rules
/// that refuse nobody were full. A test number counts nowhere.
///
/// # Errors
/// The store's.
pub(in crate::app) async fn count(
    admission: &Admission,
    service: &Service,
    (asked_by, standing): (Admitted, Standing),
    verification: &mut Verification,
) -> Result<Additions, Fault> {
    if verification.test {
        return Ok(Additions::default());
    }
    let limiting = &admission.limiting;
    let limits = limiting.of(&service.settings.limits);
    let before = verification.admitted.take().unwrap_or_default();
    let mut admitted = before.asked_by(asked_by);
    let who = CountedFor::new(&limiting.names, &service.id, verification, &admitted).standing_at(standing);
    let full = flags::full(&admission.base, &limiting.seen, &limits, &who, admission.base.now()).await?;
    let additions = asked(limiting, &limits, &service.settings, &who);
    for one in full {
        tracing::warn!(verification = %verification.id, rule = one.rule, is_flag = one.is_flag, "a limit that refuses nobody is full");
        if one.is_flag && !admitted.flags.iter().any(|flag| flag == one.rule) {
            admitted.flags.push(one.rule.to_owned());
        }
    }
    verification.admitted = Some(admitted);
    Ok(additions)
}
