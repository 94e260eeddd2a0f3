//! Work that falls due: who does it, in which order, and what a failure means.
//!
//! What is due stands in the store, in lanes (`store::Lane`). Each lane has a runner
//! of its own with places of its own, so that nothing in one lane waits for anything
//! in another. A job says of which records it takes care, and how; what is done then
//! is `app`'s to know. What only comes round again and again, without a record
//! that is due, is in `retention`, `sweep` and `templates`.
//!
//! A job that fails is tried again later, after ever longer waits. One that panics,
//! or fails for a reason that lasts, is set aside after a number of times: it is
//! shown by `dialback queue`, and never a loop. It refuses to know HTTP, gateways
//! and what records mean.

mod all;
mod ask;
mod buffer;
mod bulk;
mod end;
mod erase;
mod expire;
mod in_flight;
mod job;
mod redact;
mod retention;
mod run;
mod runner;
mod send;
mod settings;
mod sweep;
mod templates;
mod webhook;

pub use settings::Settings;

use crate::app::{App, admission, events, fraud};
use crate::store::Lane;
use futures_util::FutureExt;

/// Works until `stop`, then finishes what is under way.
pub async fn run(app: App, settings: Settings, stop: impl Future<Output = ()>) {
    let stop = stop.shared();
    let places = [
        (Lane::Person, settings.max_person_in_flight),
        (Lane::Webhook, events::most_dispatches(&app.telling)),
        (Lane::Chore, settings.max_chores_in_flight),
        (Lane::Long, settings.max_long_in_flight),
        (Lane::Bulk, settings.max_bulk_in_flight),
    ];
    let lanes = places
        .map(|(lane, places)| runner::Runner::new(app.clone(), lane, places, settings).run(stop.clone()));
    tokio::join!(
        futures_util::future::join_all(lanes),
        events::keep_endpoints(&app.telling, stop.clone()),
        retention::keep_deleting(&app, stop.clone()),
        sweep::keep_sweeping(&app, settings.sweep_hour, stop.clone()),
        templates::keep_looking(&app, settings.looks_at_templates, stop.clone()),
        fraud::keep(&app.base, &app.fraud, stop.clone()),
        app.admission.alerts.keep(&app.telling, stop.clone()),
        admission::keep_lists(&app.admission, stop.clone()),
    );
}
