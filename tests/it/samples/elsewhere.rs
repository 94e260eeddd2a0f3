//! A verification whose code is the provider's.

use super::{at, id, verification};
use dialback::model::verification::{OpenCheck, Status, Verification};

/// One whose code is the provider's, which has not answered to a check of it.
pub fn elsewhere() -> Verification {
    let reference = Some(format!("VE{:032x}", 5));
    let open = OpenCheck { number: 2, at: at(70), generation: 2, reference: reference.clone() };
    Verification {
        id: id("VE", 5),
        status: Status::Pending,
        ended_at: None,
        reference,
        checks: 2,
        open_checks: vec![open],
        ..verification(2)
    }
}
