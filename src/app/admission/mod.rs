//! Whether something may be: what a number is, which way may lead to it, what people
//! wish, and the terms of a service.

pub(in crate::app) mod numbers;
pub(in crate::app) mod opt_outs;
pub(in crate::app) mod safe_list;
pub(in crate::app) mod terms;
pub(in crate::app) mod ways;
