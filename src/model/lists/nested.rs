//! Networks, each of which is in another or beside it, and the narrowest that has an
//! address and something to say. It refuses to know what that is.

use super::network::{Network, number_of};
use super::place::Place;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Networks by their first address, the wider before the narrower.
#[derive(Debug, Clone, Default)]
pub(super) struct Nested(Vec<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    first: u128,
    last: u128,
    /// The narrowest that it is in itself.
    around: Option<usize>,
    place: Place,
}

impl Nested {
    pub(super) fn of(places: BTreeMap<Network, Place>) -> Self {
        let mut all: Vec<Inner> = Vec::with_capacity(places.len());
        // Of two that begin alike the order of networks has the wider one first.
        for (network, place) in places {
            let (first, last) = network.span();
            let mut around = all.len().checked_sub(1);
            while let Some(at) = around.filter(|at| all[*at].last < last) {
                around = all[at].around;
            }
            all.push(Inner { first, last, around, place });
        }
        Self(all)
    }

    /// What the narrowest says of an address that says anything.
    pub(super) fn find<T>(&self, address: IpAddr, says: impl Fn(&Place) -> Option<T>) -> Option<T> {
        let address = number_of(address);
        let mut at = self.0.partition_point(|one| one.first <= address).checked_sub(1);
        while let Some(one) = at.map(|at| &self.0[at]) {
            if address <= one.last
                && let Some(said) = says(&one.place)
            {
                return Some(said);
            }
            at = one.around;
        }
        None
    }
}
