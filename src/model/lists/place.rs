//! The entries of one target, and what they come to. It refuses to know the target.

use super::listed::Said;
use crate::model::id::ServiceId;
use jiff::Timestamp;

/// One entry of a target.
#[derive(Debug, Clone)]
pub(super) struct Says {
    pub(super) service: Option<ServiceId>,
    pub(super) said: Said,
}

/// The entries of one target.
#[derive(Debug, Clone, Default)]
pub(super) struct Place(Vec<Says>);

impl Place {
    pub(super) fn add(&mut self, says: Says) {
        self.0.push(says);
    }

    /// What they come to now for a service.
    pub(super) fn says(&self, service: &ServiceId, now: Timestamp) -> Option<Said> {
        Self::say([self], service, now)
    }

    /// What the entries of places that count alike come to: what is said of the service
    /// alone counts before what is said of all, and then a block before an allowance.
    pub(super) fn say<'p>(
        places: impl IntoIterator<Item = &'p Self>,
        service: &ServiceId,
        now: Timestamp,
    ) -> Option<Said> {
        let [mut own, mut all] = [None, None];
        let entries = places.into_iter().flat_map(|place| &place.0);
        for Says { service: of, said } in entries.filter(|one| one.said.until.is_none_or(|end| end > now)) {
            match of {
                None => all = Said::of_both(all, Some(said.clone())),
                Some(of) if of == service => own = Said::of_both(own, Some(said.clone())),
                Some(_) => {}
            }
        }
        own.or(all)
    }
}
