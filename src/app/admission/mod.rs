//! Whether something may be: what a number is, which way may lead to it, what people
//! wish, and the terms of a service.

pub(in crate::app) mod admit;
pub(in crate::app) mod budget_told;
pub(in crate::app) mod error;
pub(in crate::app) mod finding;
pub(in crate::app) mod known_lists;
pub(in crate::app) mod limits;
pub(in crate::app) mod listed;
pub(in crate::app) mod lists;
pub(in crate::app) mod number_lookup;
pub(in crate::app) mod numbers;
pub(in crate::app) mod offers;
pub(in crate::app) mod opt_outs;
pub(in crate::app) mod parts;
pub(in crate::app) mod profile;
pub(in crate::app) mod request;
pub(in crate::app) mod rule;
pub(in crate::app) mod rules;
pub(in crate::app) mod safe_list;
pub(in crate::app) mod sent;
pub(in crate::app) mod terms;
pub(in crate::app) mod used;
pub(in crate::app) mod way;
pub(in crate::app) mod ways;

pub use self::error::AdmissionError;
pub use self::limits::{BudgetOf, BudgetReached, Limiting};
pub use self::lists::{
    ListFilter, NamedTarget, NewEntry, add_entry, hold_lists, keep_lists, list_entries, list_entry,
    remove_entry, remove_entry_of, service_called,
};
pub use self::number_lookup::NumberLookup;
pub use self::numbers::number_of_form;
pub use self::offers::{ChannelOffer, OfferQuery, Offers};
pub use self::opt_outs::{delete_opt_out, opt_outs, opt_outs_of, set_opt_out};
pub use self::parts::Admission;
pub use self::safe_list::{add_safe_number, remove_safe_number, safe_number};
pub use self::used::{Named, Whose, forget_limits, limits_of, named_by, reset as reset_limits, whose};
