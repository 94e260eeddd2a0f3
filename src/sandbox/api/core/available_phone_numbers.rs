//! The AvailablePhoneNumbers resource: numbers that could be bought, made up of the
//! plan, the same for the same question, and never one that is owned.

use super::incoming_phone_numbers::capabilities;
use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome};
use crate::sandbox::countries::countries;
use crate::sandbox::geography::areas;
use crate::sandbox::incoming::Form;
use crate::sandbox::number::Capabilities;
use crate::sandbox::numbering::available::{Available, Kind, Search, kinds, search};
use crate::sandbox::numbering::pattern::Pattern;
use crate::sandbox::refusal::Refusal;
use serde_json::{Map, Value, json};

/// How many numbers a list has when nobody said.
const LISTED: usize = 30;
/// The most numbers that a list has.
const MOST: usize = 100;

/// The countries with numbers: their ISO 3166 codes and names.
fn with_numbers() -> impl Iterator<Item = (&'static str, &'static str)> {
    let with = countries().iter().filter(|country| country.has_numbers);
    with.map(|country| (country.iso, country.name))
}

/// The resource of each kind, by the last part of its path, and its name among a
/// country's.
const KINDS: [(Kind, &str, &str); 6] = [
    (Kind::Local, "Local", "local"),
    (Kind::TollFree, "TollFree", "toll_free"),
    (Kind::Mobile, "Mobile", "mobile"),
    (Kind::National, "National", "national"),
    (Kind::SharedCost, "SharedCost", "shared_cost"),
    (Kind::Voip, "Voip", "voip"),
];

/// `GET AvailablePhoneNumbers.json`: the countries that have numbers, each with the lists of its kinds.
pub(super) fn all(ask: &Ask<'_>) -> Outcome {
    let rows: Vec<Value> = with_numbers().map(|country| document(ask.account, country)).collect();
    let uri = format!("/2010-04-01/Accounts/{}/AvailablePhoneNumbers.json", ask.account);
    Ok(Done::Found(json!({ "countries": rows, "uri": uri })))
}

/// `GET AvailablePhoneNumbers/{country}.json`: one country, with the lists of its kinds.
pub(super) fn country(ask: &Ask<'_>) -> Outcome {
    named(ask).map(|country| Done::Found(document(ask.account, country)))
}

fn named(ask: &Ask<'_>) -> Result<(&'static str, &'static str), Refusal> {
    let code = ask.part("CountryCode");
    with_numbers().find(|(known, _)| *known == code).ok_or_else(|| ask.missing())
}

fn document(account: &str, (code, name): (&str, &str)) -> Value {
    let base = format!("/2010-04-01/Accounts/{account}/AvailablePhoneNumbers/{code}");
    let kinds = kinds(code);
    let has = KINDS.into_iter().filter(|(kind, ..)| kinds.contains(kind));
    let uris = has.map(|(_, path, name)| (name.to_owned(), json!(format!("{base}/{path}.json"))));
    json!({
        "country_code": code,
        "country": name,
        "beta": false,
        "subresource_uris": Map::from_iter(uris),
        "uri": format!("{base}.json"),
    })
}

/// `GET AvailablePhoneNumbers/{country}/Local.json`: free landlines, and what could be a mobile too.
pub(super) fn local(ask: &Ask<'_>) -> Outcome {
    list(ask, Kind::Local)
}

/// `GET AvailablePhoneNumbers/{country}/Mobile.json`: free mobiles; 20404 in the US, whose mobiles are local.
pub(super) fn mobile(ask: &Ask<'_>) -> Outcome {
    list(ask, Kind::Mobile)
}

/// `GET AvailablePhoneNumbers/{country}/TollFree.json`: free numbers that cost their callers nothing.
pub(super) fn toll_free(ask: &Ask<'_>) -> Outcome {
    list(ask, Kind::TollFree)
}

/// `GET AvailablePhoneNumbers/{country}/National.json`: free numbers that belong to no place.
pub(super) fn national(ask: &Ask<'_>) -> Outcome {
    list(ask, Kind::National)
}

/// `GET AvailablePhoneNumbers/{country}/SharedCost.json`: free numbers that both sides pay for.
pub(super) fn shared_cost(ask: &Ask<'_>) -> Outcome {
    list(ask, Kind::SharedCost)
}

/// `GET AvailablePhoneNumbers/{country}/Voip.json`: free numbers that are reached over the Internet.
pub(super) fn voip(ask: &Ask<'_>) -> Outcome {
    list(ask, Kind::Voip)
}

fn list(ask: &Ask<'_>, kind: Kind) -> Outcome {
    let (query, (country, _)) = (ask.query(), named(ask)?);
    if !kinds(country).contains(&kind) {
        return Err(ask.missing());
    }
    let count = match query.get("PageSize").map(str::parse::<usize>) {
        None => LISTED,
        Some(Ok(count @ 1..=1000)) => count.min(MOST),
        Some(_) => return Err(Refusal::bad(20007, "Invalid page size")),
    };
    let able = Capabilities::of(kind, country);
    let numbers =
        if is_able(&query, able) { free(ask, &question(&query, country)?, kind, count) } else { Vec::new() };
    let rows: Vec<Value> = numbers.iter().map(|number| row(number, country, able)).collect();
    Ok(Done::Found(json!({ "available_phone_numbers": rows, "uri": ask.request.path })))
}

/// Whether numbers that can do this are what is looked for.
fn is_able(query: &Form, able: Capabilities) -> bool {
    let wanted = [
        ("SmsEnabled", able.sms),
        ("MmsEnabled", able.mms),
        ("VoiceEnabled", able.voice),
        ("FaxEnabled", false),
    ];
    wanted.into_iter().all(|(name, is)| query.get(name).is_none() || query.is_true(name) == is)
}

/// What is looked for. A number nearby is one of the same area.
fn question(query: &Form, country: &str) -> Result<Search, Refusal> {
    let contains =
        match query.get("Contains") {
            None => None,
            Some(text) => Some(Pattern::read(text).ok_or_else(|| {
                Refusal::bad(20001, format!("Invalid parameter value for Contains: {text}"))
            })?),
        };
    let text = |name: &str| query.get(name).map(str::to_owned);
    let north = matches!(country, "US" | "CA");
    let near = || {
        let digits: String = query.get("NearNumber")?.chars().filter(char::is_ascii_digit).collect();
        let own = digits.strip_prefix('1').filter(|own| own.len() == 10).unwrap_or(&digits);
        own.get(..3).filter(|_| north && own.len() == 10).map(str::to_owned)
    };
    let by_zip = || {
        let zip = query.get("InPostalCode").filter(|_| north)?;
        let found = areas().into_iter().find(|(_, place)| place.country == country && place.zip == zip);
        // A postal code without an area is in none.
        Some(found.map_or_else(|| "000".to_owned(), |(area, _)| area.to_owned()))
    };
    Ok(Search {
        country: country.to_owned(),
        area_code: text("AreaCode").filter(|_| north).or_else(near).or_else(by_zip),
        contains,
        region: text("InRegion"),
        locality: text("InLocality").or_else(|| text("InRateCenter")),
    })
}

/// Numbers that nobody owns. The first of a longer search are those of a shorter one,
/// so that what is bought gives way to one more at the end.
fn free(ask: &Ask<'_>, question: &Search, kind: Kind, count: usize) -> Vec<Available> {
    let seed = ask.world.settings.seed;
    let among = |count: usize| {
        let found = search(question, kind, count, seed);
        let all = found.len();
        let free = ask.world.with(|state| {
            let free = found.into_iter().filter(|one| state.numbers.find(&one.phone_number).is_none());
            free.collect::<Vec<_>>()
        });
        (free, all)
    };
    let (free, all) = among(count);
    let owned = all - free.len();
    if owned == 0 {
        return free;
    }
    let owned = ask.world.with(|state| state.numbers.owned.shelf().len());
    let (mut free, _) = among(count.saturating_add(owned.min(MOST)));
    free.truncate(count);
    free
}

fn row(number: &Available, country: &str, able: Capabilities) -> Value {
    let place = &number.locality;
    let known = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    json!({
        "friendly_name": number.friendly_name,
        "phone_number": number.phone_number,
        "lata": null,
        "locality": known(&titled(place.city)),
        "rate_center": known(place.city),
        "latitude": null,
        "longitude": null,
        "region": known(place.state),
        "postal_code": known(place.zip),
        "iso_country": country,
        "address_requirements": "none",
        "beta": false,
        "capabilities": capabilities(able),
    })
}

/// `San Francisco` of `SAN FRANCISCO`.
fn titled(city: &str) -> String {
    let words = city.split(' ').map(|word| {
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        format!("{first}{}", rest.to_lowercase())
    });
    words.collect::<Vec<_>>().join(" ")
}
