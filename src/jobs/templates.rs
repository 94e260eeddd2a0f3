//! Whether WhatsApp's templates are approved is looked at at the start, and then now and
//! then. What is looked at, and who is told, is decided in `app::messaging`.

use crate::app::App;
use crate::app::messaging::Templates;
use jiff::Timestamp;

/// Looks at the templates until `stop`, if anybody does.
pub(super) async fn keep_looking(app: &App, is_wanted: bool, stop: impl Future<Output = ()>) {
    if !is_wanted {
        return;
    }
    let rounds = async {
        let mut templates = Templates::default();
        loop {
            // From its beginning on: whoever moves the clock meanwhile has moved this, too.
            let begun = app.base.now();
            let wait = templates.look(&app.messaging).await;
            let next = begun.checked_add(wait).unwrap_or(Timestamp::MAX);
            app.base.clock.sleep_until(next).await;
        }
    };
    tokio::select! {
        () = stop => {}
        () = rounds => {}
    }
}
