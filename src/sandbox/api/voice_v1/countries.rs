//! The voice permissions by country: most numbers, special services, and ranges known
//! for toll fraud.

use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome};
use crate::sandbox::api::paging::list as newer;
use crate::sandbox::countries::{self, Country, find};
use crate::sandbox::permissions::Dialing;
use crate::sandbox::refusal::Refusal;
use serde::Deserialize;
use serde_json::{Value, json};

/// The countries of the voice permissions: Canada is with the United States.
fn all() -> impl Iterator<Item = &'static Country> {
    countries::countries().iter().filter(|country| country.iso != "CA")
}

fn name(country: &Country) -> &'static str {
    if country.iso == "US" { "United States/Canada" } else { country.name }
}

/// A country with what may be called there.
struct Row {
    country: &'static Country,
    dialing: Dialing,
}

/// What of a country shall be called; the SDKs write the flags as texts.
#[derive(Deserialize)]
struct Wanted {
    iso_code: String,
    low_risk_numbers_enabled: Option<Flag>,
    high_risk_special_numbers_enabled: Option<Flag>,
    high_risk_tollfraud_numbers_enabled: Option<Flag>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "Value")]
struct Flag(bool);

impl TryFrom<Value> for Flag {
    type Error = &'static str;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        match value {
            Value::Bool(flag) => Ok(Self(flag)),
            Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(Self(true)),
            Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(Self(false)),
            _ => Err("a flag is true or false"),
        }
    }
}

/// `GET /v1/DialingPermissions/Countries`, with its filters
pub(super) fn list(ask: &Ask<'_>) -> Outcome {
    let (query, base) = (ask.query(), ask.request.base());
    let same = |name: &str, value: &str| query.get(name).is_none_or(|text| text.eq_ignore_ascii_case(value));
    let is = |name: &str, value: bool| same(name, if value { "true" } else { "false" });
    let code = query.get("CountryCode").map(|code| code.trim().trim_start_matches('+'));
    let rows: Vec<Row> = all()
        .filter(|country| same("IsoCode", country.iso) && same("Continent", country.continent))
        .filter(|country| code.is_none_or(|code| code == country.calling_code))
        .map(|country| Row { country, dialing: dialing(ask, country) })
        .filter(|row| is("LowRiskNumbersEnabled", row.dialing.low_risk))
        .filter(|row| is("HighRiskSpecialNumbersEnabled", row.dialing.special))
        .filter(|row| is("HighRiskTollfraudNumbersEnabled", row.dialing.tollfraud))
        .collect();
    let rows: Vec<&Row> = rows.iter().collect();
    let shown = |row: &Row| document(&base, row);
    newer(ask.request, "content", &rows, |row| row.country.iso.to_owned(), shown).map(Done::Found)
}

/// `GET /v1/DialingPermissions/Countries/{IsoCode}`: what the account may call there; of `CA` 404.
pub(super) fn fetch(ask: &Ask<'_>) -> Outcome {
    let country = country(ask)?;
    let row = Row { country, dialing: dialing(ask, country) };
    Ok(Done::Found(document(&ask.request.base(), &row)))
}

/// `GET …/{IsoCode}/HighRiskSpecialPrefixes`: those of its special services, each with a plus.
pub(super) fn special_prefixes(ask: &Ask<'_>) -> Outcome {
    let country = country(ask)?;
    let rows: Vec<&&str> = country.special.iter().collect();
    let shown = |prefix: &&str| json!({ "prefix": format!("+{prefix}") });
    newer(ask.request, "content", &rows, |row| (*row).to_owned(), shown).map(Done::Found)
}

/// `POST /v1/DialingPermissions/BulkCountryUpdates`: `UpdateRequest` is an array in
/// JSON. All of it is done, or nothing.
pub(super) fn update(ask: &Ask<'_>) -> Outcome {
    let form = ask.form();
    let text = form
        .get("UpdateRequest")
        .ok_or_else(|| Refusal::bad(20001, "Missing required parameter UpdateRequest in the post body"))?;
    let wrong =
        |why: String| Refusal::bad(20001, format!("Invalid parameter value for UpdateRequest: {why}"));
    let wanted: Vec<Wanted> = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    let mut changes = Vec::new();
    for one in &wanted {
        let country = find(&one.iso_code).ok_or_else(|| {
            wrong(format!("{} is no country", one.iso_code.chars().take(10).collect::<String>()))
        })?;
        let old = dialing(ask, country);
        let flag = |flag: Option<Flag>, old| flag.map_or(old, |flag| flag.0);
        let new = Dialing {
            low_risk: flag(one.low_risk_numbers_enabled, old.low_risk),
            special: flag(one.high_risk_special_numbers_enabled, old.special),
            tollfraud: flag(one.high_risk_tollfraud_numbers_enabled, old.tollfraud),
        };
        changes.push((country, new));
    }
    let count = changes.len();
    ask.world.change(|state| {
        changes
            .iter()
            .for_each(|(country, dialing)| state.permissions.set_dialing(ask.account, country, *dialing));
    });
    Ok(Done::Created(json!({ "update_count": count, "update_request": "accepted" })))
}

fn country(ask: &Ask<'_>) -> Result<&'static Country, Refusal> {
    find(ask.part("IsoCode")).filter(|country| country.iso != "CA").ok_or_else(|| ask.missing())
}

fn dialing(ask: &Ask<'_>, country: &Country) -> Dialing {
    ask.world.with(|state| {
        let owner = state.accounts.get(ask.account).map_or(ask.account, |account| account.owner.as_str());
        state.permissions.dialing(ask.account, owner, country)
    })
}

fn document(base: &str, row: &Row) -> Value {
    let own = format!("{base}/v1/DialingPermissions/Countries/{}", row.country.iso);
    json!({
        "continent": row.country.continent,
        "country_codes": [format!("+{}", row.country.calling_code)],
        "high_risk_special_numbers_enabled": row.dialing.special,
        "high_risk_tollfraud_numbers_enabled": row.dialing.tollfraud,
        "iso_code": row.country.iso,
        "links": { "highrisk_special_prefixes": format!("{own}/HighRiskSpecialPrefixes") },
        "low_risk_numbers_enabled": row.dialing.low_risk,
        "name": name(row.country),
        "url": own,
    })
}
