//! The Types resource: the events that there are.

use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome};
use crate::sandbox::api::paging;
use crate::sandbox::resource::iso8601;
use crate::sandbox::streams::{TYPES, schema};
use serde_json::{Value, json};

/// `GET Types`: the types of events that are sent here, all or those of one `SchemaId`.
pub(super) fn list(ask: &Ask<'_>) -> Outcome {
    let query = ask.query();
    let wanted = |kind: &&&str| query.get("SchemaId").is_none_or(|id| id == schema(kind));
    let rows: Vec<&&str> = TYPES.iter().filter(wanted).collect();
    paging::list(ask.request, "types", &rows, |kind| (*kind).to_owned(), |kind| document(ask, kind))
        .map(Done::Found)
}

/// `GET Types/{Type}`: one type with its schema; 20404 for what is not sent here.
pub(super) fn fetch(ask: &Ask<'_>) -> Outcome {
    let kind = TYPES.iter().find(|kind| **kind == ask.part("Type")).ok_or_else(|| ask.missing())?;
    Ok(Done::Found(document(ask, kind)))
}

fn document(ask: &Ask<'_>, kind: &str) -> Value {
    let born = iso8601(ask.world.born);
    json!({
        "type": kind,
        "schema_id": schema(kind),
        "date_created": born,
        "date_updated": born,
        "description": kind.trim_start_matches("com.twilio."),
        "status": "public",
        "documentation_url": "https://www.twilio.com/docs/events/event-types",
        "url": format!("{}/v1/Types/{kind}", ask.request.base()),
        "links": { "schema": format!("{}/v1/Schemas/{}", ask.request.base(), schema(kind)) },
    })
}
