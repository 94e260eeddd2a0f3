//! The ShortCodes resource. Twilio sells none by its API: the controls bring them.

use super::accounts::name;
use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome};
use crate::sandbox::api::paging::page;
use crate::sandbox::number_views::tell_numbers;
use crate::sandbox::numbers::ShortCode;
use crate::sandbox::resource::rfc2822;
use crate::sandbox::settings::Inbound;
use crate::sandbox::target::SMS;
use serde_json::{Map, Value, json};

/// `GET SMS/ShortCodes.json`: the account's, youngest first, filtered by `ShortCode` and `FriendlyName`.
pub(super) fn list(ask: &Ask<'_>) -> Outcome {
    let query = ask.query();
    let wanted = |code: &&ShortCode| {
        query.get("ShortCode").is_none_or(|text| code.code.contains(text))
            && query.get("FriendlyName").is_none_or(|name| code.name == name)
    };
    ask.world.with(|state| {
        let rows: Vec<&ShortCode> = state.numbers.codes.of(ask.account).filter(wanted).collect();
        let shown = |row: &ShortCode| document(row, &state.inbound);
        page(ask.request, "short_codes", &rows, |row| row.sid.clone(), shown).map(Done::Found)
    })
}

/// `GET SMS/ShortCodes/{sid}.json`: one short code, with where texts to it go.
pub(super) fn fetch(ask: &Ask<'_>) -> Outcome {
    let found = ask.world.with(|state| {
        let code = state.numbers.codes.its(ask.account, ask.sid())?;
        Some(document(code, &state.inbound))
    });
    found.map(Done::Found).ok_or_else(|| ask.missing())
}

/// `POST SMS/ShortCodes/{sid}.json`: its name, and where texts to it go.
pub(super) fn update(ask: &Ask<'_>) -> Outcome {
    let (form, now) = (ask.form(), ask.world.clock.now());
    let name = name(&form)?;
    let shown = ask.world.change(|state| {
        let inbound = state.inbound.clone();
        let code = state.numbers.codes.its_mut(ask.account, ask.sid()).ok_or_else(|| ask.missing())?;
        code.sms = [code.sms[0].read(&form, &SMS[0])?, code.sms[1].read(&form, &SMS[1])?];
        code.name = name.unwrap_or_else(|| code.name.clone());
        code.updated = now;
        Ok(document(code, &inbound))
    })?;
    tell_numbers(ask.world);
    Ok(Done::Found(shown))
}

fn document(code: &ShortCode, inbound: &Inbound) -> Value {
    let uri = format!("/2010-04-01/Accounts/{}/SMS/ShortCodes/{}.json", code.account, code.sid);
    let fields = [
        ("account_sid", json!(code.account)),
        ("api_version", json!("2010-04-01")),
        ("date_created", json!(rfc2822(code.created))),
        ("date_updated", json!(rfc2822(code.updated))),
        ("friendly_name", json!(code.name)),
        ("short_code", json!(code.code)),
        ("sid", json!(code.sid)),
        ("uri", json!(uri)),
    ];
    let mut fields = Map::from_iter(fields.map(|(name, value)| (name.to_owned(), value)));
    code.sms[0].show(&SMS[0], inbound.sms_url.as_deref(), &mut fields);
    code.sms[1].show(&SMS[1], None, &mut fields);
    Value::Object(fields)
}
