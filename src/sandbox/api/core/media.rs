//! The Media resource: what a message brings, and its content, which whoever knows
//! its URL may have, as at Twilio unless an account asks for more.

use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome};
use crate::sandbox::api::paging::{Span, page};
use crate::sandbox::media::Media;
use crate::sandbox::resource::rfc2822;
use serde_json::{Value, json};

/// `GET Messages/{MessageSid}/Media.json`: what one message brings, newest first, filtered by `DateCreated`.
pub(super) fn list(ask: &Ask<'_>) -> Outcome {
    let created = Span::read(&ask.query(), "DateCreated")?;
    let message = ask.part("MessageSid");
    ask.world.with(|state| {
        if state.messages.its(ask.account, message).is_none() {
            return Err(ask.missing());
        }
        let media = state.album.of(ask.account, message);
        let rows: Vec<&Media> = media.filter(|media| created.holds(Some(media.created))).collect();
        page(ask.request, "media_list", &rows, |media| media.sid.clone(), document).map(Done::Found)
    })
}

/// `GET Messages/{MessageSid}/Media/{Sid}.json`: its type and dates; without `.json` it is the content.
pub(super) fn fetch(ask: &Ask<'_>) -> Outcome {
    its(ask).map(|media| Done::Found(document(&media)))
}

/// `GET Messages/{MessageSid}/Media/{Sid}`: the content.
pub(super) fn content(ask: &Ask<'_>) -> Outcome {
    its(ask).map(|media| Done::Content { content_type: media.content_type, bytes: media.bytes })
}

/// `DELETE Messages/{MessageSid}/Media/{Sid}.json`: takes it away, and its content with it.
pub(super) fn delete(ask: &Ask<'_>) -> Outcome {
    let media = its(ask)?;
    ask.world.change(|state| state.album.remove(&media.sid));
    Ok(Done::Gone)
}

fn its(ask: &Ask<'_>) -> Result<Media, crate::sandbox::refusal::Refusal> {
    let found = ask.world.with(|state| state.album.get(ask.sid()).cloned());
    let is_its = |media: &Media| media.account == ask.account && media.message == ask.part("MessageSid");
    found.filter(is_its).ok_or_else(|| ask.missing())
}

fn document(media: &Media) -> Value {
    let Media { account, message, sid, .. } = media;
    json!({
        "account_sid": account,
        "content_type": media.content_type,
        "date_created": rfc2822(media.created),
        "date_updated": rfc2822(media.created),
        "parent_sid": message,
        "sid": sid,
        "uri": format!("/2010-04-01/Accounts/{account}/Messages/{message}/Media/{sid}.json"),
    })
}
