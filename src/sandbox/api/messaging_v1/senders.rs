//! The senders in a messaging service's pool: numbers, short codes, names, names for
//! one country, and senders of channels. They differ in what they are made of.

use crate::sandbox::address::{Address, is_name, is_short_code};
use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome};
use crate::sandbox::api::paging::list as newer;
use crate::sandbox::countries::{country_of, find};
use crate::sandbox::number_rules;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::resource::iso8601;
use crate::sandbox::service::{Kind, POOL, Sender, Service};
use serde_json::{Value, json};

/// The service's part of the path: the channels' is called otherwise.
fn service_sid<'a>(ask: &'a Ask<'_>) -> &'a str {
    match ask.part("ServiceSid") {
        "" => ask.part("MessagingServiceSid"),
        sid => sid,
    }
}

/// `GET` of the list
pub(super) fn list(ask: &Ask<'_>, kind: Kind) -> Outcome {
    let (query, base) = (ask.query(), ask.request.base());
    let country = query.get("IsoCountryCode").filter(|_| kind == Kind::CountryName);
    ask.world.with(|state| {
        let service = state.services.its(ask.account, service_sid(ask)).ok_or_else(|| ask.missing())?;
        let of_kind = service.pool.iter().rev().filter(|sender| sender.kind == kind);
        let here =
            |sender: &&Sender| country.is_none_or(|country| sender.country.eq_ignore_ascii_case(country));
        let rows: Vec<&Sender> = of_kind.filter(here).collect();
        let shown = |sender: &Sender| document(&base, service, sender);
        newer(ask.request, key(kind), &rows, |row| row.sid.clone(), shown).map(Done::Found)
    })
}

/// `GET` of one
pub(super) fn fetch(ask: &Ask<'_>, kind: Kind) -> Outcome {
    let base = ask.request.base();
    let found = ask.world.with(|state| {
        let service = state.services.its(ask.account, service_sid(ask))?;
        let mut senders = service.pool.iter();
        let sender = senders.find(|sender| sender.kind == kind && sender.sid == ask.sid())?;
        Some(document(&base, service, sender))
    });
    found.map(Done::Found).ok_or_else(|| ask.missing())
}

/// `DELETE` of one
pub(super) fn delete(ask: &Ask<'_>, kind: Kind) -> Outcome {
    let now = ask.world.clock.now();
    let gone = ask.world.change(|state| {
        let service = state.services.its_mut(ask.account, service_sid(ask))?;
        let place = service.pool.iter().position(|sender| sender.kind == kind && sender.sid == ask.sid())?;
        service.updated = now;
        Some(service.pool.remove(place))
    });
    gone.map(|_| Done::Gone).ok_or_else(|| ask.missing())
}

/// `POST` to the list
pub(super) fn create(ask: &Ask<'_>, kind: Kind) -> Outcome {
    let sid = service_sid(ask);
    if ask.world.with(|state| state.services.its(ask.account, sid).is_none()) {
        return Err(ask.missing());
    }
    let (sender, base) = (read(ask, kind)?, ask.request.base());
    ask.world.change(|state| {
        let elsewhere = state.services.of(ask.account).any(|other| other.sid != sid && has(other, &sender));
        let service = state.services.its_mut(ask.account, sid).ok_or_else(|| ask.missing())?;
        // The codes, their texts and statuses: <https://www.twilio.com/docs/api/errors/21710>,
        // 21712 and 21714, and what clients of the real service expect of them (409, 409 and
        // 412, in mozilla/fx-private-relay and dixahq/twilio-client).
        if has(service, &sender) {
            let why = "Phone Number or Short Code is already in the Messaging Service.";
            return Err(Refusal::new(409, 21710, why));
        }
        // A name is nobody's, and may be in several.
        if elsewhere && !matches!(kind, Kind::Name | Kind::CountryName) {
            let why = "Phone Number or Short Code is associated with another Messaging Service.";
            return Err(Refusal::new(409, 21712, why));
        }
        if service.pool.iter().filter(|other| other.kind.counts_with(kind)).count() >= POOL {
            return Err(Refusal::new(412, 21714, "Messaging Service Number Pool size limit reached"));
        }
        let document = document(&base, service, &sender);
        service.updated = sender.created;
        service.pool.push(sender);
        Ok(Done::Created(document))
    })
}

/// The parameter that names a sender.
fn field(kind: Kind) -> &'static str {
    match kind {
        Kind::Number => "PhoneNumberSid",
        Kind::ShortCode => "ShortCodeSid",
        Kind::Name | Kind::CountryName => "AlphaSender",
        Kind::Channel => "Sid",
    }
}

fn has(service: &Service, sender: &Sender) -> bool {
    let same = |other: &Sender| {
        other.kind == sender.kind && other.address == sender.address && other.country == sender.country
    };
    service.pool.iter().any(same)
}

/// Reads what is to be added.
fn read(ask: &Ask<'_>, kind: Kind) -> Result<Sender, Refusal> {
    let (form, now) = (ask.form(), ask.world.clock.now());
    let field = field(kind);
    let given = form
        .get(field)
        .ok_or_else(|| Refusal::bad(20001, format!("Missing required parameter {field} in the post body")))?;
    let (sid, address, country) = match kind {
        Kind::Name | Kind::CountryName => {
            let country = country(kind, form.get("IsoCountryCode"))?;
            (ask.world.sid("AI"), name(given)?, country)
        }
        _ => {
            let owned = owned(ask, kind, given)?;
            let country = country_of(&owned.number).map_or("US", |country| country.iso);
            let address = if kind == Kind::Channel { owned.to_string() } else { owned.number };
            (given.to_owned(), address, country.to_owned())
        }
    };
    Ok(Sender { sid, kind, address, country, created: now })
}

/// The number, short code or channel of the account's that a SID names. One that is none
/// is 21421, <https://www.twilio.com/docs/api/errors/21421>, and a number that sends no
/// texts is 21715, <https://www.twilio.com/docs/api/errors/21715>.
fn owned(ask: &Ask<'_>, kind: Kind, sid: &str) -> Result<Address, Refusal> {
    let owned = ask.world.number_of(ask.account, sid);
    if kind == Kind::Channel {
        let missing = || Refusal::new(404, 20404, format!("The requested resource {sid} was not found"));
        return owned.filter(|owned| owned.whatsapp).ok_or_else(missing);
    }
    let is_kind =
        |owned: &Address| !owned.whatsapp && is_short_code(&owned.number) == (kind == Kind::ShortCode);
    let owned = owned
        .filter(is_kind)
        .ok_or_else(|| Refusal::bad(21421, format!("{} is not valid: {sid}", field(kind))))?;
    if ask.world.with(|state| !number_rules::takes_in(&state.numbers, &owned, false)) {
        return Err(Refusal::bad(21715, "Phone Number Does Not Have Correct Messaging Service Capabilities"));
    }
    Ok(owned)
}

/// A name of 2 to 11 letters, digits and so on, at least one a letter:
/// <https://www.twilio.com/docs/api/errors/21709>.
fn name(text: &str) -> Result<String, Refusal> {
    match Address::from(text) {
        Some(address) if is_name(&address.number) && address.number.len() > 1 => Ok(address.number),
        _ => Err(Refusal::bad(
            21709,
            format!("Alpha Sender ID is Invalid or Not Authorized for this Messaging Service: {text}"),
        )),
    }
}

/// The country of a name that is for one; empty for all.
fn country(kind: Kind, iso: Option<&str>) -> Result<String, Refusal> {
    let Some(iso) = iso.filter(|_| kind == Kind::CountryName) else { return Ok(String::new()) };
    let known = find(iso).map(|country| country.iso.to_owned());
    known.ok_or_else(|| Refusal::bad(20001, format!("Invalid parameter value for IsoCountryCode: {iso}")))
}

fn key(kind: Kind) -> &'static str {
    match kind {
        Kind::Number => "phone_numbers",
        Kind::ShortCode => "short_codes",
        Kind::Name | Kind::CountryName => "alpha_senders",
        Kind::Channel => "senders",
    }
}

fn document(base: &str, service: &Service, sender: &Sender) -> Value {
    let list = match sender.kind {
        Kind::Number => "PhoneNumbers",
        Kind::ShortCode => "ShortCodes",
        Kind::Name => "AlphaSenders",
        Kind::CountryName => "DestinationAlphaSenders",
        Kind::Channel => "ChannelSenders",
    };
    let mut document = json!({
        "account_sid": service.account,
        "date_created": iso8601(sender.created),
        "date_updated": iso8601(sender.created),
        "sid": sender.sid,
        "url": format!("{base}/v1/Services/{}/{list}/{}", service.sid, sender.sid),
    });
    let mut set = |field: &str, value: Value| document[field] = value;
    match sender.kind {
        Kind::Number => {
            set("phone_number", json!(sender.address));
            set("country_code", json!(sender.country));
            set("capabilities", json!(["MMS", "SMS", "Voice"]));
        }
        Kind::ShortCode => {
            set("short_code", json!(sender.address));
            set("country_code", json!(sender.country));
            set("capabilities", json!(["SMS"]));
        }
        Kind::Name | Kind::CountryName => {
            set("alpha_sender", json!(sender.address));
            set("capabilities", json!(["SMS"]));
        }
        Kind::Channel => {
            set("sender", json!(sender.address));
            set("sender_type", json!("WhatsApp"));
            set("country_code", json!(sender.country));
            set("messaging_service_sid", json!(service.sid));
            return document;
        }
    }
    if sender.kind == Kind::CountryName {
        set("iso_country_code", json!((!sender.country.is_empty()).then_some(&sender.country)));
    }
    set("service_sid", json!(service.sid));
    document
}
