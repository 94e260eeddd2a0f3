//! The Channels Senders resource: numbers that write on WhatsApp. Every number of an
//! account's does; it can be told of itself and of its webhooks, and be taken away.

use crate::sandbox::address::Address;
use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome};
use crate::sandbox::api::paging::list as newer;
use crate::sandbox::channel::Channel;
use crate::sandbox::fields::web_url;
use crate::sandbox::lasting::lasting_sid;
use crate::sandbox::refusal::Refusal;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The channels that Twilio has senders of.
const CHANNELS: [&str; 3] = ["whatsapp", "rcs", "messenger"];
/// What a profile is made of; the last three are lists.
const PROFILE: [&str; 13] = [
    "name",
    "about",
    "address",
    "description",
    "logo_url",
    "banner_url",
    "privacy_url",
    "terms_of_service_url",
    "accent_color",
    "vertical",
    "websites",
    "emails",
    "phone_numbers",
];
const CONFIGURATION: [&str; 5] =
    ["waba_id", "verification_method", "verification_code", "voice_application_sid", "account_type"];
const WEBHOOK: [&str; 6] = [
    "callback_url",
    "callback_method",
    "fallback_url",
    "fallback_method",
    "status_callback_url",
    "status_callback_method",
];

/// What a sender is made or changed with.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Wanted {
    sender_id: Option<String>,
    configuration: Option<Map<String, Value>>,
    webhook: Option<Map<String, Value>>,
    profile: Option<Map<String, Value>>,
}

/// A number's channel: its SID, the number, and what was said of it.
struct Row {
    sid: String,
    number: String,
    channel: Channel,
}

/// `GET /v2/Channels/Senders?Channel=`: those of WhatsApp; of other channels there are none.
pub(super) fn list(ask: &Ask<'_>) -> Outcome {
    let (query, base) = (ask.query(), ask.request.base());
    let channel = query.get("Channel").filter(|word| CHANNELS.contains(word));
    let channel = channel.ok_or_else(|| Refusal::bad(20001, "Invalid parameter value for Channel"))?;
    let mut rows = rows(ask);
    rows.retain(|row| channel == "whatsapp" && !row.channel.gone);
    let rows: Vec<&Row> = rows.iter().collect();
    newer(ask.request, "senders", &rows, |row| row.sid.clone(), |row| document(&base, row)).map(Done::Found)
}

/// `POST /v2/Channels/Senders`, in JSON
pub(super) fn create(ask: &Ask<'_>) -> Outcome {
    let wanted = read(ask)?;
    let named = wanted.sender_id.clone().unwrap_or_default();
    let address = Address::to(&named).filter(|address| address.whatsapp);
    let row = address.and_then(|address| rows(ask).into_iter().find(|row| row.number == address.number));
    let shown: String = named.chars().take(60).collect();
    let row = row.ok_or_else(|| {
        let why = "only a number of the account's own, as whatsapp:+15005550006, can be one";
        Refusal::bad(63100, format!("Sender ID validation error: {shown}: {why}"))
    })?;
    keep(ask, Row { channel: Channel::default(), ..row }, wanted)
}

/// `GET /v2/Channels/Senders/{sid}`: one of the account's own, unless it was taken away.
pub(super) fn fetch(ask: &Ask<'_>) -> Outcome {
    its(ask).map(|row| Done::Found(document(&ask.request.base(), &row)))
}

/// `POST /v2/Channels/Senders/{sid}`, in JSON: what is not said stays.
pub(super) fn update(ask: &Ask<'_>) -> Outcome {
    let row = its(ask)?;
    keep(ask, row, read(ask)?)
}

/// `DELETE /v2/Channels/Senders/{sid}`: nothing goes over it any more.
pub(super) fn delete(ask: &Ask<'_>) -> Outcome {
    let row = its(ask)?;
    let gone = Channel { gone: true, ..Channel::default() };
    ask.world.change(|state| {
        state.channels.remove(&row.sid);
        state.channels.push(row.sid, gone);
    });
    Ok(Done::Gone)
}

fn keep(ask: &Ask<'_>, mut row: Row, wanted: Wanted) -> Outcome {
    let channel = &mut row.channel;
    for (place, said, names) in [
        (&mut channel.profile, wanted.profile, &PROFILE[..]),
        (&mut channel.webhook, wanted.webhook, &WEBHOOK[..]),
        (&mut channel.configuration, wanted.configuration, &CONFIGURATION[..]),
    ] {
        let said = said.unwrap_or_default().into_iter();
        place.extend(said.filter(|(name, _)| names.contains(&name.as_str())));
    }
    let document = document(&ask.request.base(), &row);
    ask.world.change(|state| {
        state.channels.remove(&row.sid);
        state.channels.push(row.sid, row.channel);
    });
    Ok(Done::Accepted(document))
}

fn its(ask: &Ask<'_>) -> Result<Row, Refusal> {
    let found = rows(ask).into_iter().find(|row| row.sid == ask.sid() && !row.channel.gone);
    found.ok_or_else(|| ask.missing())
}

/// The channel of every number of the account's.
fn rows(ask: &Ask<'_>) -> Vec<Row> {
    let seed = ask.world.settings.seed;
    ask.world.with(|state| {
        let row = |number: &String| {
            let sid = lasting_sid("XE", seed, number);
            let channel = state.channels.get(&sid).cloned().unwrap_or_default();
            Row { sid, number: number.clone(), channel }
        };
        state.numbers.owned.of(ask.account).map(|own| row(&own.number)).collect()
    })
}

fn read(ask: &Ask<'_>) -> Result<Wanted, Refusal> {
    let wrong = |why: String| Refusal::bad(20001, why);
    let wanted: Wanted =
        ask.request.json().map_err(|error| wrong(format!("The body is not a sender in JSON: {error}")))?;
    for (name, value) in wanted.webhook.iter().flatten() {
        let text = value.as_str().unwrap_or_default();
        let is_right = match name.as_str() {
            _ if value.is_null() || text.is_empty() && value.is_string() => true,
            name if name.ends_with("_url") => web_url(text).is_some(),
            // Twilio can also ask by PUT; nothing here does.
            name if name.ends_with("_method") => text == "POST",
            _ => true,
        };
        if !is_right {
            return Err(wrong(format!("Invalid parameter value for webhook.{name}")));
        }
    }
    Ok(wanted)
}

fn document(base: &str, row: &Row) -> Value {
    let channel = &row.channel;
    let all = |names: &[&str], said: &Map<String, Value>| -> Value {
        names
            .iter()
            .map(|name| ((*name).to_owned(), said.get(*name).cloned().unwrap_or_default()))
            .collect::<Map<_, _>>()
            .into()
    };
    json!({
        "sid": row.sid,
        "sender_id": format!("whatsapp:{}", row.number),
        "status": "ONLINE",
        "profile": all(&PROFILE, &channel.profile),
        "configuration": all(&CONFIGURATION, &channel.configuration),
        "webhook": all(&WEBHOOK, &channel.webhook),
        "properties": { "quality_rating": "HIGH", "messaging_limit": "unlimited" },
        "offline_reasons": null,
        "compliance": null,
        "url": format!("{base}/v2/Channels/Senders/{}", row.sid),
    })
}
