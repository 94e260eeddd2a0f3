//! Lists of what nothing here makes: no document joins a conference and no recording
//! is put into words, and whoever looks for them finds none.

use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome};
use crate::sandbox::api::paging::page;
use serde_json::Value;

/// `GET Conferences.json`: an empty list, as no call joins a conference.
pub(super) fn conferences(ask: &Ask<'_>) -> Outcome {
    none(ask, "conferences")
}

/// `GET Transcriptions.json`, and those of a recording.
pub(super) fn transcriptions(ask: &Ask<'_>) -> Outcome {
    none(ask, "transcriptions")
}

fn none(ask: &Ask<'_>, key: &str) -> Outcome {
    page(ask.request, key, &[], |()| String::new(), |()| Value::Null).map(Done::Found)
}
