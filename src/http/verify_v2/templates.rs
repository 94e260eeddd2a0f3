//! `/v2/Templates`: the sets of texts.

use super::call::{Call, time};
use super::failure::Failure;
use super::paging;
use crate::model::channel::Channel;
use crate::texts::{Kind, Set};
use serde_json::{Map, Value, json};
use warp::reply::Response;

/// Lists the sets of texts that messages are written from.
pub async fn list(call: Call) -> Result<Response, Failure> {
    let sets = call.sets.iter();
    let wanted = call.text("FriendlyName");
    let sets = sets.filter(|set| wanted.is_none_or(|wanted| set.name() == wanted));
    let items = sets.map(|set| shown(&call, set)).collect();
    paging::cut(&call, "templates", items)
}

fn shown(call: &Call, set: &Set) -> Value {
    // Texts are files: they are there since the process started.
    let since = time(call.context.app.since());
    let translations = set.translations(Kind::Sms).into_iter().map(|translation| {
        let shown = json!({
            "is_default_translation": translation.is_default,
            "status": "approved",
            "locale": translation.locale,
            "text": translation.text,
            "date_created": since,
            "date_updated": since,
        });
        (translation.locale.to_owned(), shown)
    });
    let channels = set.channels().into_iter().map(|channel| match channel {
        Channel::Call => "voice",
        channel => channel.as_str(),
    });
    json!({
        "sid": set.sid(),
        "account_sid": call.caller.account,
        "friendly_name": set.name(),
        "channels": channels.collect::<Vec<_>>(),
        "translations": translations.collect::<Map<_, _>>(),
    })
}
