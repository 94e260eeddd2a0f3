//! `/openapi.json`: OpenAPI 3.1 made of the table of routes, of the fields
//! that requests are read by, of the types that answers are written from, and
//! of the table of problems. Nothing in it is written down twice.

use super::api::fields::{self, Field};
use super::api::operation::{Answer, Body, Operation};
use super::problem::{self, Kind, Problem};
use super::route::PathRoute;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const ABOUT: &str = "\
Verify telephone numbers: start a verification, and check what the person typed.\n\n\
Every request carries an API key, `Authorization: Bearer KEY`, that has the scope which the operation \
names. Bodies are JSON. Whatever goes wrong is a problem document (RFC 9457); rely on its `code`, and \
show people its `detail`. Where `Retry-After` comes along, ask again after so many seconds.\n\n\
A **key** may be bound to services: other services' things are not found by it, and what belongs to no \
service is `key_bound`.\n\n\
**Lists** are newest first. `next_cursor`, or the `Link` header, leads to the next page.\n\n\
**Repeating**: where an operation takes an `Idempotency-Key`, the same request with the same key gets the \
same answer for 24 hours, with `Idempotent-Replayed: true`, and is not done again. Only success is kept.\n\n\
**Reads** have an `ETag`, and answer 304 to an `If-None-Match` that names it.\n\n\
**Limits**: `RateLimit-Policy` and `RateLimit` tell how many requests a key may send and has left.";

const TAGS: [(&str, &str); 15] = [
    ("Verifications", "One person proving one number."),
    ("Messages", "Messages of their own, which carry no code."),
    ("Deliveries", "What became of each message and call."),
    ("Sessions", "The hosted pages: a person proves a number there and comes back."),
    ("Services", "Brands with their names, rules and channels."),
    ("Opt-outs", "Who asked not to be texted."),
    ("Endpoints", "Where events are sent to, as signed webhooks."),
    ("Events", "What happened, as a list or as it happens."),
    ("Limits", "How often something was asked for, of a number, an address or a key."),
    ("Blocks", "Who gets no codes, and whom nothing that looks like fraud keeps from them."),
    ("Decisions", "What was decided about requests for codes, and what became of it."),
    ("Keys", "API keys and what they may do."),
    ("Audit", "Who did what to keys, settings and people's data."),
    ("Erasures", "Erasing a person's data, with a receipt."),
    ("Test numbers", "Numbers with a fixed code that nothing is sent to."),
];

/// The document for these routes.
pub(super) fn of(table: &[PathRoute]) -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut schemas = settings.into_generator();
    let problem = schemas.subschema_for::<Problem>();
    let mut paths = Map::new();
    for route in table {
        let operations: Map<String, Value> = route
            .operations()
            .map(|operation| (operation.method.to_lowercase(), described(operation, &mut schemas)))
            .collect();
        if !operations.is_empty() {
            paths.insert(route.pattern().to_owned(), Value::Object(operations));
        }
    }
    let tags = TAGS.map(|(name, description)| json!({ "name": name, "description": description }));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Dialback",
            "version": env!("CARGO_PKG_VERSION"),
            "description": format!("{ABOUT}\n\n{}", table_of_problems()),
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "key": [] }],
        "tags": tags,
        "paths": paths,
        "components": {
            "securitySchemes": {
                "key": { "type": "http", "scheme": "bearer", "description": "An API key, `dbk_…`." },
            },
            "headers": headers(),
            "responses": { "Problem": {
                "description": "A problem",
                "content": { "application/problem+json": { "schema": problem } },
            } },
            "schemas": schemas.take_definitions(true),
        },
    })
}

fn table_of_problems() -> String {
    let mut text = String::from("## Problems\n\n| code | status | what it means |\n|---|---|---|\n");
    for Kind { code, status, title, meaning } in problem::ALL {
        text += &format!("| `{code}` | {status} | {title}. {meaning} |\n");
    }
    text
}

fn described(operation: &Operation, schemas: &mut SchemaGenerator) -> Value {
    let scope = operation.scope.as_str();
    let mut description = operation.about.to_owned();
    description += &format!("\n\nScope: `{scope}`.");
    let mut described = json!({
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": description.trim_start(),
        "x-scope": scope,
        "parameters": parameters(operation),
    });
    if let Some(fields) = operation.body.fields() {
        let is_needed = matches!(operation.body, Body::Needed(_));
        described["requestBody"] = json!({
            "required": is_needed,
            "content": { "application/json": { "schema": fields::object(fields) } },
        });
    }
    described["responses"] = responses(operation, schemas);
    described
}

fn parameters(operation: &Operation) -> Vec<Value> {
    let one = |place: &str, field: &Field| {
        let mut schema = field.shape.schema();
        if let Ok(example) = serde_json::from_str::<Value>(field.example) {
            schema["examples"] = json!([example]);
        }
        json!({
            "name": field.name, "in": place, "description": field.about,
            "required": field.needed || place == "path", "schema": schema,
        })
    };
    let mut parameters: Vec<Value> = operation.path.iter().map(|field| one("path", field)).collect();
    parameters.extend(operation.query.iter().map(|field| one("query", field)));
    if operation.repeats.is_kept() {
        parameters.push(one("header", &super::api::repeats::KEY));
    }
    if operation.method == "GET" {
        parameters.push(json!({
            "name": "If-None-Match", "in": "header", "required": false,
            "description": "The `ETag` of an answer that you have.", "schema": { "type": "string" },
        }));
    }
    parameters
}

fn responses(operation: &Operation, schemas: &mut SchemaGenerator) -> Value {
    let mut responses = BTreeMap::new();
    let Answer { status, about, also, .. } = operation.answer;
    responses.insert(status, success(operation, (status, about), schemas));
    if let Some((status, about)) = also {
        let mut response = success(operation, (status, about), schemas);
        response["headers"]["Retry-After"] = json!({ "$ref": "#/components/headers/Retry-After" });
        responses.insert(status, response);
    }
    if operation.method == "GET" {
        let unchanged = json!({
            "description": "You have it already.",
            "headers": { "ETag": { "$ref": "#/components/headers/ETag" } },
        });
        responses.insert(304, unchanged);
    }
    let mut kinds: BTreeMap<u16, Vec<&Kind>> = BTreeMap::new();
    for kind in operation.all_problems() {
        let same = kinds.entry(kind.status).or_default();
        if !same.contains(&kind) {
            same.push(kind);
        }
    }
    for (status, kinds) in kinds {
        let meanings: Vec<String> =
            kinds.iter().map(|kind| format!("`{}`: {}", kind.code, kind.meaning)).collect();
        let codes: Vec<&str> = kinds.iter().map(|kind| kind.code).collect();
        let schema = json!({
            "allOf": [{ "$ref": "#/components/schemas/Problem" }],
            "properties": { "code": { "enum": codes }, "status": { "const": status } },
        });
        let mut response = json!({
            "description": meanings.join("\n\n"),
            "content": { "application/problem+json": { "schema": schema } },
        });
        if matches!(status, 429 | 503) {
            response["headers"] = json!({ "Retry-After": { "$ref": "#/components/headers/Retry-After" } });
        }
        responses.insert(status, response);
    }
    let named = responses.into_iter().map(|(status, response)| (status.to_string(), response));
    Value::Object(named.collect())
}

fn success(operation: &Operation, (status, about): (u16, &str), schemas: &mut SchemaGenerator) -> Value {
    let Answer { media, schema, is_list, links, .. } = &operation.answer;
    let mut headers = vec!["RateLimit", "RateLimit-Policy"];
    headers.extend((operation.method == "GET").then_some("ETag"));
    headers.extend(is_list.then_some("Link"));
    headers.extend((status == 201).then_some("Location"));
    headers.extend((operation.repeats.is_kept()).then_some("Idempotent-Replayed"));
    let headers: Map<String, Value> = headers
        .into_iter()
        .map(|name| (name.to_owned(), json!({ "$ref": format!("#/components/headers/{name}") })))
        .collect();
    let mut response = json!({ "description": about, "headers": headers });
    if let Some(media) = media {
        response["content"] = json!({ *media: { "schema": schema(schemas) } });
    }
    for (to, name, pointer) in *links {
        response["links"][*to] =
            json!({ "operationId": to, "parameters": { *name: format!("$response.body#{pointer}") } });
    }
    response
}

fn headers() -> Value {
    let header = |about: &str, schema: Value| json!({ "description": about, "schema": schema });
    let text = || json!({ "type": "string" });
    json!({
        "ETag": header("Names this very answer; send it back in `If-None-Match`.", text()),
        "Link": header("The next page, `rel=\"next\"`, when there is one.", text()),
        "Location": header("The path of what was made.", text()),
        "Retry-After": header("Seconds to wait.", json!({ "type": "integer", "minimum": 0 })),
        "Idempotent-Replayed":
            header("`true` when this answer was given before.", json!({ "type": "string", "const": "true" })),
        "RateLimit": header("What is left: `\"key\";r=REQUESTS;t=SECONDS until all are back`.", text()),
        "RateLimit-Policy": header("What is allowed: `\"key\";q=REQUESTS;w=60`.", text()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_of_the_api_is_documented_and_no_other() {
        let (table, document) = (crate::http::table(), of(&crate::http::table()));
        for route in &table {
            let methods: Vec<String> = route.methods().map(str::to_lowercase).collect();
            let described = &document["paths"][route.pattern()];
            let is_api = route.pattern().starts_with("/v1/");
            for method in &methods {
                assert_eq!(described[method].is_object(), is_api, "{method} {}", route.pattern());
            }
            for operation in route.operations() {
                let names: Vec<String> =
                    operation.path.iter().map(|field| format!("{{{}}}", field.name)).collect();
                let in_path: Vec<&str> =
                    route.pattern().split('/').filter(|part| part.starts_with('{')).collect();
                assert_eq!(names, in_path, "{}", operation.id);
                assert!(TAGS.iter().any(|(tag, _)| *tag == operation.tag), "{}", operation.tag);
            }
        }
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_operation_has_its_own_name() {
        let document = of(&crate::http::table());
        let mut waiting = vec![&document];
        let (mut references, mut names) = (0, Vec::new());
        while let Some(value) = waiting.pop() {
            match value {
                Value::Object(map) => {
                    if let Some(Value::String(to)) = map.get("$ref") {
                        references += 1;
                        let pointer = to.strip_prefix('#').unwrap();
                        assert!(document.pointer(pointer).is_some(), "{to} leads nowhere");
                    }
                    names.extend(map.get("operationId").filter(|_| map.contains_key("responses")));
                    waiting.extend(map.values());
                }
                Value::Array(list) => waiting.extend(list),
                _ => {}
            }
        }
        assert!(references > 50, "{references}");
        for (at, name) in names.iter().enumerate() {
            assert!(!names[..at].contains(name), "{name} is there twice");
        }
    }

    #[test]
    fn every_problem_is_in_the_documentation_and_is_answered_by_somebody() {
        let document = of(&crate::http::table());
        let about = document["info"]["description"].as_str().unwrap();
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/problems.md");
        let page = std::fs::read_to_string(page).unwrap();
        assert!(
            page.ends_with(&table_of_problems()),
            "docs/problems.md has to end with:\n{}",
            table_of_problems()
        );
        // Nobody meets these at an operation: they come before one is found, or
        // from elsewhere.
        let elsewhere =
            ["method_not_allowed", "signature_rejected", "other_origin", "no_numbers_left", "no_starts_left"];
        let table = crate::http::table();
        let answered: Vec<&Kind> =
            table.iter().flat_map(PathRoute::operations).flat_map(Operation::all_problems).collect();
        for kind in problem::ALL {
            assert!(about.contains(&format!("| `{}` | {} |", kind.code, kind.status)), "{kind:?}");
            assert!(answered.contains(kind) || elsewhere.contains(&kind.code), "{kind:?} comes from nowhere");
        }
    }
}
