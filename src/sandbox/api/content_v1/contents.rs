//! The Content resource: what a template is made of, for each channel.

use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome};
use crate::sandbox::api::paging::list as newer;
use crate::sandbox::content::{Made, problem};
use crate::sandbox::refusal::Refusal;
use crate::sandbox::resource::iso8601;
use crate::sandbox::templates::{Approval, Template};
use crate::sandbox::world::{State, World};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The most characters of a name.
const NAME: usize = 256;
/// The most characters of the words, as in a text.
const WORDS: usize = 1_600;

/// What a content is made or changed with.
#[derive(Deserialize)]
struct Wanted {
    friendly_name: Option<String>,
    language: Option<String>,
    variables: Option<Map<String, Value>>,
    types: Option<Map<String, Value>>,
}

/// A content with its SID and its template's approval.
pub(super) struct Row {
    pub sid: String,
    pub made: Made,
    pub status: Approval,
}

/// `GET /v1/Content`: the account's contents, youngest first.
pub(super) fn list(ask: &Ask<'_>) -> Outcome {
    let (rows, base) = (rows(ask), ask.request.base());
    let rows: Vec<&Row> = rows.iter().collect();
    newer(ask.request, "contents", &rows, |row| row.sid.clone(), |row| document(&base, row)).map(Done::Found)
}

/// `POST /v1/Content`, in JSON
pub(super) fn create(ask: &Ask<'_>) -> Outcome {
    let (world, now) = (ask.world, ask.world.clock.now());
    let empty = Made {
        account: ask.account.to_owned(),
        name: String::new(),
        language: String::new(),
        variables: Map::new(),
        types: Map::new(),
        created: now,
        updated: now,
        submitted: None,
    };
    let made = read(ask, empty)?;
    let row = Row { sid: world.sid("HX"), made, status: Approval::Unapproved };
    let document = document(&ask.request.base(), &row);
    world.change(|state| keep(state, row));
    tell(world);
    Ok(Done::Created(document))
}

/// `GET /v1/Content/{sid}`: one content, with links to its approval.
pub(super) fn fetch(ask: &Ask<'_>) -> Outcome {
    let row = row(ask, ask.sid())?;
    Ok(Done::Found(document(&ask.request.base(), &row)))
}

/// `PUT /v1/Content/{sid}`, in JSON: until it was submitted.
pub(super) fn update(ask: &Ask<'_>) -> Outcome {
    let mut row = row(ask, ask.sid())?;
    if row.status != Approval::Unapproved {
        return Err(Refusal::bad(20001, "A content that was submitted for approval cannot be changed"));
    }
    row.made = read(ask, row.made)?;
    row.made.updated = ask.world.clock.now();
    let document = document(&ask.request.base(), &row);
    ask.world.change(|state| keep(state, row));
    tell(ask.world);
    Ok(Done::Found(document))
}

/// `DELETE /v1/Content/{sid}`: takes it away; no message can be made of it any more.
pub(super) fn delete(ask: &Ask<'_>) -> Outcome {
    row(ask, ask.sid())?;
    ask.world.change(|state| state.templates.remove(ask.sid()));
    tell(ask.world);
    Ok(Done::Gone)
}

/// Tells the page.
pub(super) fn tell(world: &World) {
    world.tell("templates", world.with(|state| state.templates.document()));
}

/// Keeps a content as the template that messages are made of.
pub(super) fn keep(state: &mut State, row: Row) {
    let (body, copy_code) = row.made.words();
    let template = Template { status: row.status, body, copy_code, made: Some(row.made) };
    state.templates.push(row.sid, template);
}

/// One of the account's contents.
pub(super) fn row(ask: &Ask<'_>, sid: &str) -> Result<Row, Refusal> {
    rows(ask).into_iter().find(|row| row.sid == sid).ok_or_else(|| ask.missing())
}

/// The account's contents, youngest first. A template that was set up by a control,
/// or came with the sandbox, is the main account's.
pub(super) fn rows(ask: &Ask<'_>) -> Vec<Row> {
    let world = ask.world;
    world.with(|state| {
        let known = state.templates.youngest_first();
        let rows = known.map(|(sid, template)| Row {
            sid: sid.clone(),
            made: template.made.clone().unwrap_or_else(|| of_template(world, template)),
            status: template.status,
        });
        rows.filter(|row| row.made.account == ask.account).collect()
    })
}

/// What a template would have been made of.
fn of_template(world: &World, template: &Template) -> Made {
    let (name, held) = match &template.copy_code {
        Some(_) => {
            let actions = json!([{ "type": "COPY_CODE", "copy_code_text": "Copy code" }]);
            ("whatsapp/authentication", json!({ "actions": actions, "add_security_recommendation": true }))
        }
        None => ("twilio/text", json!({ "body": template.body.as_deref().unwrap_or_default() })),
    };
    let types = Map::from_iter([(name.to_owned(), held)]);
    Made {
        account: world.settings.account_sid.clone(),
        name: "sandbox".to_owned(),
        language: "en".to_owned(),
        variables: Map::new(),
        types,
        created: world.born,
        updated: world.born,
        submitted: None,
    }
}

fn read(ask: &Ask<'_>, old: Made) -> Result<Made, Refusal> {
    let wrong = |why: String| Refusal::bad(20001, why);
    let wanted: Wanted =
        ask.request.json().map_err(|error| wrong(format!("The body is not a content in JSON: {error}")))?;
    let made = Made {
        name: wanted.friendly_name.unwrap_or(old.name),
        language: wanted.language.unwrap_or(old.language),
        variables: wanted.variables.unwrap_or(old.variables),
        types: wanted.types.unwrap_or(old.types),
        ..old
    };
    if made.name.chars().count() > NAME {
        return Err(wrong(format!("friendly_name has {NAME} characters at most")));
    }
    if !is_language(&made.language) {
        return Err(wrong("language is required, such as en or pt_BR".to_owned()));
    }
    if let Some((name, _)) = made.variables.iter().find(|(_, value)| !value.is_string()) {
        let name: String = name.chars().take(60).collect();
        return Err(wrong(format!("variables.{name} is a text")));
    }
    if let Some(problem) = problem(&made.types) {
        return Err(wrong(problem));
    }
    if made.words().0.is_some_and(|words| words.chars().count() > WORDS) {
        return Err(wrong(format!("the words have {WORDS} characters at most")));
    }
    Ok(made)
}

/// Two or three letters, and perhaps a region.
fn is_language(text: &str) -> bool {
    let mut parts = text.split(['-', '_']);
    let language = parts.next().unwrap_or_default();
    let letters = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (2..=3).contains(&language.len())
        && letters(language)
        && parts.all(|part| !part.is_empty() && letters(part))
}

/// What every document of a content says.
pub(super) fn common(row: &Row) -> Value {
    json!({
        "account_sid": row.made.account,
        "date_created": iso8601(row.made.created),
        "date_updated": iso8601(row.made.updated),
        "friendly_name": row.made.name,
        "language": row.made.language,
        "sid": row.sid,
        "types": row.made.types,
        "variables": row.made.variables,
    })
}

fn document(base: &str, row: &Row) -> Value {
    let (mut document, own) = (common(row), format!("{base}/v1/Content/{}", row.sid));
    document["links"] = json!({
        "approval_create": format!("{own}/ApprovalRequests/whatsapp"),
        "approval_fetch": format!("{own}/ApprovalRequests"),
    });
    document["url"] = json!(own);
    document
}
