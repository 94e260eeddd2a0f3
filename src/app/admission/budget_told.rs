//! That a budget refused something: as an event, once for all processes. It refuses to know
//! what was refused.

use crate::app::admission::limits::budgets;
use crate::app::admission::{Admission, BudgetOf};
use crate::app::events::told;
use crate::model::event::of_budget;
use crate::store::Limited;

/// Where a budget refused a commit for what goes to a country, for a service, who is to know
/// that is told, once for all processes.
pub(in crate::app) async fn tell_of_budget(admission: &Admission, whose: (&str, &str), limited: &Limited) {
    let now = admission.base.now();
    let Some(reached) = budgets::BudgetReached::of(limited, whose, now) else { return };
    let subject = match &reached.of {
        BudgetOf::Country(country) => Some(country.clone()),
        BudgetOf::Service(service) => Some(service.clone()),
        BudgetOf::Whole => None,
    };
    let body = of_budget(&reached.rule, subject, reached.until, now);
    let changes = told::told(&admission.telling, vec![body]);
    budgets::tell(&admission.base, &admission.limiting.told, &reached, changes).await;
}
