//! What every event says of itself: when, and of which account.

use serde_json::Value;

/// When an event happened: Twilio's time, by which events are in order; they may
/// come in any other.
pub fn time(event: &Value) -> Option<jiff::Timestamp> {
    event["time"].as_str().and_then(|time| time.parse().ok())
}

/// The account that is named, if any is; nothing when there are two.
pub(super) fn one_account<'a>(named: impl IntoIterator<Item = Option<&'a str>>) -> Option<Option<String>> {
    let mut named = named.into_iter().flatten().filter(|sid| !sid.is_empty());
    let first = named.next();
    named.all(|other| Some(other) == first).then(|| first.map(str::to_owned))
}

/// The account in `/2010-04-01/Accounts/AC…/Messages/SM…`.
pub(super) fn account_in_source(event: &Value) -> Option<&str> {
    let (_, after) = event.get("source")?.as_str()?.split_once("/Accounts/")?;
    after.split(['/', '.', '?', '#']).next()
}
