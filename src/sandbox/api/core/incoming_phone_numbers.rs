//! The IncomingPhoneNumbers resource: numbers are bought, told where what comes in
//! goes, moved between accounts and released.

use super::accounts::name;
use crate::sandbox::account::Account;
use crate::sandbox::address::e164;
use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome};
use crate::sandbox::api::paging::page;
use crate::sandbox::geography::{Locality, is_area};
use crate::sandbox::incoming::Form;
use crate::sandbox::number::{Capabilities, FACTS, Number};
use crate::sandbox::number_views::tell_numbers;
use crate::sandbox::numbering::available::{Kind, Search, search};
use crate::sandbox::numbering::pattern::Pattern;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::resource::rfc2822;
use crate::sandbox::settings::Inbound;
use crate::sandbox::target::{SMS, STATUS, VOICE};
use crate::sandbox::world::World;
use serde_json::{Map, Value, json};

/// How many numbers of an area are looked at for a free one, beyond those that are owned.
const LOOK: usize = 8;
/// The longest text of what nobody here goes by, in characters.
const FACT: usize = 64;

/// `GET IncomingPhoneNumbers.json`: the account's numbers, youngest first, each with its `type`.
pub(super) fn list(ask: &Ask<'_>) -> Outcome {
    rows(ask, None)
}

/// `GET IncomingPhoneNumbers/Local.json`: the account's local numbers, and those that no plan knows.
pub(super) fn list_local(ask: &Ask<'_>) -> Outcome {
    rows(ask, Some(Kind::Local))
}

/// `GET IncomingPhoneNumbers/Mobile.json`: the account's mobile numbers; those of North America are local.
pub(super) fn list_mobile(ask: &Ask<'_>) -> Outcome {
    rows(ask, Some(Kind::Mobile))
}

/// `GET IncomingPhoneNumbers/TollFree.json`: the account's toll-free numbers, without a `type`.
pub(super) fn list_toll_free(ask: &Ask<'_>) -> Outcome {
    rows(ask, Some(Kind::TollFree))
}

/// Every number here is Twilio's own and none is new to Twilio: `Origin=hosted` finds
/// nothing, and `Beta` leaves nothing out.
fn rows(ask: &Ask<'_>, kind: Option<Kind>) -> Outcome {
    let query = ask.query();
    let number = query.get("PhoneNumber");
    let wanted = |own: &&Number| {
        kind.is_none_or(|kind| own.kind == kind)
            && query.get("Origin").is_none_or(|origin| origin == "twilio")
            && query.get("FriendlyName").is_none_or(|name| own.name == name)
            && number.is_none_or(|text| contains(&own.number, text))
    };
    ask.world.with(|state| {
        let rows: Vec<&Number> = state.numbers.owned.of(ask.account).filter(wanted).collect();
        let shown = |row: &Number| document(row, &state.inbound, kind.is_none());
        page(ask.request, "incoming_phone_numbers", &rows, |row| row.sid.clone(), shown).map(Done::Found)
    })
}

/// Whether a number has what a filter says: digits, letters of the keys, `*` for any.
pub(super) fn contains(number: &str, text: &str) -> bool {
    let text: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')')).collect();
    match Pattern::read(&text) {
        Some(pattern) => pattern.is_in(number),
        None => number.contains(&text),
    }
}

/// `POST IncomingPhoneNumbers.json`: buys the `PhoneNumber`, or a free one of the `AreaCode`.
pub(super) fn create(ask: &Ask<'_>) -> Outcome {
    buy(ask, None)
}

/// `POST IncomingPhoneNumbers/Local.json`: buys the `PhoneNumber`; 21421 when it is not local.
pub(super) fn create_local(ask: &Ask<'_>) -> Outcome {
    buy(ask, Some(Kind::Local))
}

/// `POST IncomingPhoneNumbers/Mobile.json`: buys the `PhoneNumber`; 21421 when it is no mobile.
pub(super) fn create_mobile(ask: &Ask<'_>) -> Outcome {
    buy(ask, Some(Kind::Mobile))
}

/// `POST IncomingPhoneNumbers/TollFree.json`: buys the `PhoneNumber`; 21421 when it is not toll-free.
pub(super) fn create_toll_free(ask: &Ask<'_>) -> Outcome {
    buy(ask, Some(Kind::TollFree))
}

fn buy(ask: &Ask<'_>, kind: Option<Kind>) -> Outcome {
    let (world, form, now) = (ask.world, ask.form(), ask.world.clock.now());
    let number = match (form.get("PhoneNumber"), form.get("AreaCode")) {
        (Some(text), _) => plausible(text)?,
        // <https://www.twilio.com/docs/api/errors/21457>
        (None, Some(_)) if kind.is_some() => {
            return Err(Refusal::bad(21457, "AreaCode Parameter not Supported"));
        }
        (None, Some(area)) => free_in(world, area)?,
        (None, None) => return Err(Refusal::bad(21404, "PhoneNumber or AreaCode is required")),
    };
    let mut own = Number::new(world.sid("PN"), ask.account.to_owned(), number, now);
    if kind.is_some_and(|kind| kind != own.kind) {
        return Err(Refusal::bad(
            21421,
            format!("PhoneNumber is invalid: {} is of another kind", own.number),
        ));
    }
    own.capabilities = Capabilities::of(own.kind, &Locality::of(&own.number).country);
    tell(&mut own, &form)?;
    let shown = world.change(|state| {
        // Under one lock with the purchase: of two who want one number one gets it.
        if state.numbers.find(&own.number).is_some() {
            return Err(unavailable(&own.number));
        }
        let shown = document(&own, &state.inbound, kind.is_none());
        state.numbers.owned.push(own);
        Ok(shown)
    })?;
    tell_numbers(world);
    Ok(Done::Created(shown))
}

/// A number that could be bought; what is none is 21421,
/// <https://www.twilio.com/docs/api/errors/21421>. The two are Twilio's own for tests.
fn plausible(text: &str) -> Result<String, Refusal> {
    match e164(text) {
        Some(number) if number == "+15005550000" => Err(unavailable(&number)),
        Some(number) if number != "+15005550001" => Ok(number),
        _ => Err(Refusal::bad(21421, format!("PhoneNumber is invalid: {text}"))),
    }
}

fn unavailable(number: &str) -> Refusal {
    Refusal::bad(21422, format!("{number} is not available"))
}

/// A free number of an area of the United States or Canada, or a toll-free one. What is no
/// area code there is 21451, <https://www.twilio.com/docs/api/errors/21451>, and one
/// without a number 21452.
fn free_in(world: &World, area: &str) -> Result<String, Refusal> {
    let kind = match area.len() {
        3 if is_area(area) => Kind::Local,
        3 if Kind::of(&format!("+1{area}5550123")) == Kind::TollFree => Kind::TollFree,
        _ => return Err(Refusal::bad(21451, format!("Invalid area code: {area}"))),
    };
    let among = LOOK + world.with(|state| state.numbers.owned.shelf().len());
    let found = ["US", "CA"].into_iter().flat_map(|country| {
        let place =
            Search { country: country.to_owned(), area_code: Some(area.to_owned()), ..Search::default() };
        search(&place, kind, among, world.settings.seed)
    });
    let mut free = found.map(|found| found.phone_number);
    let free = world.with(|state| free.find(|number| state.numbers.find(number).is_none()));
    free.ok_or_else(|| Refusal::bad(21452, format!("No phone numbers found in area code {area}")))
}

/// `GET IncomingPhoneNumbers/{sid}.json`: one number, with where its texts and calls go.
pub(super) fn fetch(ask: &Ask<'_>) -> Outcome {
    let found = ask.world.with(|state| {
        let own = state.numbers.owned.its(ask.account, ask.sid())?;
        Some(document(own, &state.inbound, true))
    });
    found.map(Done::Found).ok_or_else(|| ask.missing())
}

/// `POST IncomingPhoneNumbers/{sid}.json`: what the request names; with `AccountSid` it
/// goes to another account.
pub(super) fn update(ask: &Ask<'_>) -> Outcome {
    let (world, form, now) = (ask.world, ask.form(), ask.world.clock.now());
    let shown = world.change(|state| {
        let mut own = state.numbers.owned.its(ask.account, ask.sid()).ok_or_else(|| ask.missing())?.clone();
        tell(&mut own, &form)?;
        if let Some(sid) = form.get("AccountSid").filter(|sid| *sid != own.account) {
            let seen = state.accounts.seen(&ask.caller.account, sid);
            if !seen.is_some_and(Account::is_active) {
                let why = format!("Parameter 'AccountSid' {sid} is no active account of yours");
                return Err(Refusal::bad(20001, why));
            }
            sid.clone_into(&mut own.account);
        }
        own.updated = now;
        let shown = document(&own, &state.inbound, true);
        if let Some(place) = state.numbers.owned.its_mut(ask.account, ask.sid()) {
            *place = own;
        }
        Ok(shown)
    })?;
    tell_numbers(world);
    Ok(Done::Found(shown))
}

/// `DELETE IncomingPhoneNumbers/{sid}.json`: it is nobody's any more.
pub(super) fn delete(ask: &Ask<'_>) -> Outcome {
    ask.world
        .change(|state| state.numbers.owned.remove_its(ask.account, ask.sid()))
        .ok_or_else(|| ask.missing())?;
    tell_numbers(ask.world);
    Ok(Done::Gone)
}

/// Changes what a request names.
fn tell(own: &mut Number, form: &Form) -> Result<(), Refusal> {
    own.name = name(form)?.unwrap_or_else(|| own.name.clone());
    for (targets, names) in [(&mut own.sms, &SMS), (&mut own.voice, &VOICE)] {
        for (target, names) in targets.iter_mut().zip(names) {
            *target = target.read(form, names)?;
        }
    }
    own.status = own.status.read(form, &STATUS)?;
    for (place, (parameter, _, usual)) in own.facts.iter_mut().zip(FACTS) {
        match form.raw(parameter) {
            None => {}
            Some("") => *place = usual.map(str::to_owned),
            Some(text) if text.chars().count() > FACT => {
                return Err(Refusal::bad(20001, format!("Invalid parameter value for {parameter}")));
            }
            Some(text) => *place = Some(text.to_owned()),
        }
    }
    if form.get("VoiceCallerIdLookup").is_some() {
        own.looks_up_callers = form.is_true("VoiceCallerIdLookup");
    }
    Ok(())
}

/// A number's document; its kind stands only where numbers of all kinds do.
fn document(own: &Number, inbound: &Inbound, has_type: bool) -> Value {
    let mut fields = Map::new();
    let mut add = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    add("sid", json!(own.sid));
    add("account_sid", json!(own.account));
    add("friendly_name", json!(own.name));
    add("phone_number", json!(own.number));
    add("api_version", json!("2010-04-01"));
    add("date_created", json!(rfc2822(own.created)));
    add("date_updated", json!(rfc2822(own.updated)));
    add("address_requirements", json!("none"));
    add("beta", json!(false));
    add("capabilities", capabilities(own.capabilities));
    add("origin", json!("twilio"));
    add("status", json!("in-use"));
    add("emergency_address_status", json!("unregistered"));
    add("voice_caller_id_lookup", json!(own.looks_up_callers));
    let base = format!("/2010-04-01/Accounts/{}/IncomingPhoneNumbers/{}.json", own.account, own.sid);
    add("uri", json!(base));
    if has_type {
        add("type", json!(own.kind.word()));
    }
    for ((_, field, _), value) in FACTS.into_iter().zip(&own.facts) {
        add(field, json!(value));
    }
    own.sms[0].show(&SMS[0], inbound.sms_url.as_deref(), &mut fields);
    own.sms[1].show(&SMS[1], None, &mut fields);
    own.voice[0].show(&VOICE[0], inbound.voice_url.as_deref(), &mut fields);
    own.voice[1].show(&VOICE[1], None, &mut fields);
    let usual = inbound.voice_status_url.as_deref().filter(|_| !own.voice[0].is_said());
    own.status.show(&STATUS, usual, &mut fields);
    Value::Object(fields)
}

/// What a number can do, as documents have it.
pub(super) fn capabilities(able: Capabilities) -> Value {
    json!({ "voice": able.voice, "sms": able.sms, "mms": able.mms, "fax": false })
}
