//! The Schemas resource: what the data of events look like. Each has one version here.

use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome};
use crate::sandbox::api::paging;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::resource::iso8601;
use crate::sandbox::streams::{TEST_SCHEMA, TYPES, schema};
use serde_json::{Value, json};

/// The only version of each.
const VERSION: u32 = 1;

/// `GET Schemas/{Id}`: one schema, whose latest version is always 1.
pub(super) fn fetch(ask: &Ask<'_>) -> Outcome {
    let id = known(ask)?;
    let url = format!("{}/v1/Schemas/{id}", ask.request.base());
    Ok(Done::Found(json!({
        "id": id,
        "latest_version": VERSION,
        "latest_version_date_created": iso8601(ask.world.born),
        "links": { "versions": format!("{url}/Versions") },
        "url": url,
    })))
}

/// `GET Schemas/{Id}/Versions`: a list of its one version.
pub(super) fn versions(ask: &Ask<'_>) -> Outcome {
    let id = known(ask)?;
    let shown = |_: &u32| version_of(ask, id);
    paging::list(ask.request, "schema_versions", &[&VERSION], u32::to_string, shown).map(Done::Found)
}

/// `GET Schemas/{Id}/Versions/{SchemaVersion}`: version 1 with where Twilio has it; 20404 for any other.
pub(super) fn version(ask: &Ask<'_>) -> Outcome {
    let id = known(ask)?;
    let is_there = ask.part("SchemaVersion").parse() == Ok(VERSION);
    if is_there { Ok(Done::Found(version_of(ask, id))) } else { Err(ask.missing()) }
}

fn known(ask: &Ask<'_>) -> Result<&'static str, Refusal> {
    let mut all = TYPES.iter().map(|kind| schema(kind)).chain([TEST_SCHEMA]);
    all.find(|id| *id == ask.part("Id")).ok_or_else(|| ask.missing())
}

fn version_of(ask: &Ask<'_>, id: &str) -> Value {
    json!({
        "id": id,
        "schema_version": VERSION,
        "date_created": iso8601(ask.world.born),
        // As the events name it.
        "raw": format!("https://events-schemas.twilio.com/{id}/{VERSION}"),
        "url": format!("{}/v1/Schemas/{id}/Versions/{VERSION}", ask.request.base()),
    })
}
