//! What Twilio's debugger would show is noted, told to the page, and to whoever subscribed
//! to it. It refuses to know what went wrong where.

use super::alert::Alert;
use super::streams;
use super::world::World;

impl World {
    /// Records what Twilio's debugger would show.
    pub fn alert(&self, code: u32, sid: &str, url: Option<&str>, message: impl Into<String>) {
        let url = url.map(str::to_owned);
        let account = self.with(|state| {
            let of_message = state.messages.get(sid).map(|message| &message.account);
            let of_call = || state.calls.get(sid).map(|call| &call.account);
            of_message.or_else(of_call).unwrap_or(&self.settings.account_sid).clone()
        });
        let (id, message, at) = (self.sid("NO"), message.into(), self.clock.now());
        let alert = Alert { id, account, code, message, sid: sid.to_owned(), url, at };
        streams::of_alert(self, &alert.account, alert.log());
        tracing::info!(code, sid, "sandbox alert");
        self.tell("alert", alert.document());
        self.change(|state| state.note(alert));
    }
}
