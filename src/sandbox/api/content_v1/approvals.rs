//! The approval of contents by WhatsApp, which answers at once, for each language as
//! the tester said.

use super::contents::{Row, common, keep, row, rows, tell};
use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome};
use crate::sandbox::api::paging::list as newer;
use crate::sandbox::content::Submitted;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::templates::Approval;
use serde::Deserialize;
use serde_json::{Value, json};

/// The categories that there are.
const CATEGORIES: [&str; 3] = ["UTILITY", "MARKETING", "AUTHENTICATION"];
/// Why WhatsApp refuses, when the tester said that it does.
const REJECTED: &str = "REJECTED";

/// What is submitted.
#[derive(Deserialize)]
struct Wanted {
    name: Option<String>,
    category: Option<String>,
    #[serde(default = "yes")]
    allow_category_change: bool,
}

fn yes() -> bool {
    true
}

/// `POST /v1/Content/{sid}/ApprovalRequests/whatsapp`, in JSON. The answer says that
/// it came in; what WhatsApp says is there right after.
pub(super) fn create(ask: &Ask<'_>) -> Outcome {
    let mut row = row(ask, ask.part("ContentSid"))?;
    let wrong = |why: String| Refusal::bad(20001, why);
    let wanted: Wanted =
        ask.request.json().map_err(|error| wrong(format!("The body is not a request in JSON: {error}")))?;
    let name = wanted.name.unwrap_or_default();
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if name.is_empty() || name.len() > 512 || !name.bytes().all(is_part) {
        return Err(wrong("name is required: small letters, digits and underscores".to_owned()));
    }
    let category = wanted.category.unwrap_or_default();
    if !CATEGORIES.contains(&category.as_str()) {
        return Err(wrong(format!("category is one of {}", CATEGORIES.join(", "))));
    }
    if row.status != Approval::Unapproved {
        return Err(Refusal::new(409, 20409, "The content was submitted for approval already"));
    }
    let allow_category_change = wanted.allow_category_change;
    row.made.submitted = Some(Submitted { name, category, allow_category_change });
    let mut document = approval(&row);
    document["status"] = json!("received");
    ask.world.change(|state| {
        row.status = state.templates.answers.get(&row.made.language).copied().unwrap_or_default();
        keep(state, row);
    });
    tell(ask.world);
    Ok(Done::Created(document))
}

/// `GET /v1/Content/{sid}/ApprovalRequests`: how it stands with WhatsApp, under `whatsapp`.
pub(super) fn fetch(ask: &Ask<'_>) -> Outcome {
    let row = row(ask, ask.sid())?;
    let mut whatsapp = approval(&row);
    whatsapp["type"] = json!("whatsapp");
    Ok(Done::Found(json!({
        "account_sid": row.made.account,
        "sid": row.sid,
        "url": format!("{}/v1/Content/{}/ApprovalRequests", ask.request.base(), row.sid),
        "whatsapp": whatsapp,
    })))
}

/// `GET /v1/ContentAndApprovals`: the account's contents, youngest first, each with its `approval_requests`.
pub(super) fn list(ask: &Ask<'_>) -> Outcome {
    let rows = rows(ask);
    let rows: Vec<&Row> = rows.iter().collect();
    let shown = |row: &Row| {
        let mut document = common(row);
        document["approval_requests"] = approval(row);
        document
    };
    newer(ask.request, "contents", &rows, |row| row.sid.clone(), shown).map(Done::Found)
}

fn approval(row: &Row) -> Value {
    let submitted = row.made.submitted.as_ref();
    let word = row.status.word();
    json!({
        "allow_category_change": submitted.is_none_or(|submitted| submitted.allow_category_change),
        "category": submitted.map_or("", |submitted| &submitted.category),
        "content_type": row.made.content_type(),
        "name": submitted.map_or("", |submitted| &submitted.name),
        "rejection_reason": if word == "rejected" { REJECTED } else { "" },
        "status": word,
    })
}
