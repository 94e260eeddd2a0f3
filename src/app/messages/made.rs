//! What a message says, made of a template and what the application says for its variables,
//! or of a text.

use crate::app::admission::AdmissionError;
use crate::app::messages::{MessageError, MessageRequest};
use crate::gateway::closest_language;
use crate::model::message::{Approved, Content, MOST_TEXT};
use crate::model::phone::PhoneNumber;
use crate::model::service::{
    BadSetting, ContentSids, MessageTemplate, MessageType, Piece, Service, USUAL_TYPE, pieces,
};
use crate::model::wording;
use std::collections::BTreeMap;

/// The words of a message, and what sort of message it is.
///
/// # Errors
/// A template or a type that there is not; a variable without a value, or a value without a
/// variable; a text where the service takes none.
pub(super) fn made(
    service: &Service,
    request: &MessageRequest,
    to: &PhoneNumber,
) -> Result<(Content, String, MessageType), MessageError> {
    let settings = &service.settings;
    let (content, own_type) = match (&request.template, &request.text) {
        (Some(name), None) => {
            let template = settings.message_templates.get(name).ok_or_else(|| {
                let known: Vec<&str> = settings.message_templates.keys().map(String::as_str).collect();
                let known = match known.is_empty() {
                    true => "it has none yet: message_templates sets them".to_owned(),
                    false => format!("there are {}", known.join(", ")),
                };
                wrong("template", format!("the service has no such template; {known}"))
            })?;
            (filled(service, (name, template), request, to)?, template.message_type.clone())
        }
        (None, Some(text)) => (plain(service, request, text)?, None),
        (None, None) => return Err(wrong("template", "or text is needed: what the message says").into()),
        (Some(_), Some(_)) => {
            return Err(wrong("text", "stands in the place of a template: give one of them").into());
        }
    };
    let mut types = settings.message_types();
    let is_security =
        |name: Option<&str>| types.get(name.unwrap_or(USUAL_TYPE)).is_some_and(|one| one.security);
    let is_raised = is_security(request.message_type.as_deref()) && !is_security(own_type.as_deref());
    if request.template.is_some() && request.message_type.is_some() && is_raised {
        let what = "the template is of a type that people may opt out of, and is not sent as one of security";
        return Err(AdmissionError::NotAllowed { field: "type", what }.into());
    }
    let name = request.message_type.clone().or(own_type).unwrap_or_else(|| USUAL_TYPE.to_owned());
    match types.remove(&name) {
        Some(message_type) => Ok((content, name, message_type)),
        None => {
            let known = types.keys().cloned().collect::<Vec<_>>().join(", ");
            Err(wrong("type", format!("the service has no such type; there are {known}")).into())
        }
    }
}

fn plain(service: &Service, request: &MessageRequest, text: &str) -> Result<Content, MessageError> {
    if !service.settings.free_text {
        let what = "this service takes templates only: its setting free_text allows any text";
        return Err(AdmissionError::NotAllowed { field: "text", what }.into());
    }
    if !request.variables.is_empty() {
        return Err(wrong("variables", "belong to a template, and a text has none").into());
    }
    Ok(Content {
        template: None,
        variables: BTreeMap::new(),
        text: fitting("text", text)?,
        language: request.locale.clone(),
        approved: None,
    })
}

fn filled(
    service: &Service,
    (name, template): (&str, &MessageTemplate),
    request: &MessageRequest,
    to: &PhoneNumber,
) -> Result<Content, MessageError> {
    let values = values(service, template, request)?;
    let country = to.region();
    let wanted = (request.locale.as_deref(), country.as_deref(), service.settings.locale.as_deref());
    // A tag that nobody knows is better than no text.
    let tag = closest_language(template.texts.keys().map(String::as_str), wanted);
    let (language, text) = tag
        .and_then(|tag| template.texts.get_key_value(tag))
        .or_else(|| template.texts.iter().next())
        .ok_or_else(|| wrong("template", "the template has no text in any language".to_owned()))?;
    let value = |name: &str| values.get(name).cloned().unwrap_or_default();
    // It was read when it was set.
    let pieces = pieces(text).unwrap_or_default();
    let piece = |piece: &Piece| match piece {
        Piece::Words(words) => words.clone(),
        Piece::Variable(name) => value(name),
    };
    let text: String = pieces.iter().map(piece).collect();
    if !service.settings.allow_links && makes_link(&pieces, &value) {
        return Err(wrong("variables", LINK).into());
    }
    let approved = template.whatsapp_content_sid.as_ref().and_then(|sids| {
        let sid = match sids {
            ContentSids::One(sid) => sid,
            ContentSids::ByLanguage(sids) => {
                let tag = closest_language(sids.keys().map(String::as_str), wanted);
                tag.and_then(|tag| sids.get(tag)).or(sids.values().next())?
            }
        };
        let own = template.whatsapp_variables.iter();
        let variables = own.map(|(theirs, ours)| (theirs.clone(), value(ours))).collect();
        Some(Approved { sid: sid.clone(), variables })
    });
    Ok(Content {
        template: Some(name.to_owned()),
        text: fitting("variables", &text)?,
        language: Some(language.clone()),
        variables: values,
        approved,
    })
}

/// Whether values make a link of words that are none, or another one of a template's: two
/// values, each of them harmless, may be one link, and one behind a host is another host.
/// What stands behind a link's host and a slash leads where the template says.
fn makes_link(pieces: &[Piece], value: &impl Fn(&str) -> String) -> bool {
    // The characters, each with whether a value brings it.
    let mut text: Vec<(char, bool)> = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Words(words) => text.extend(words.chars().map(|char| (char, false))),
            Piece::Variable(name) => text.extend(value(name).chars().map(|char| (char, true))),
        }
    }
    let of = |part: &[(char, bool)]| part.iter().map(|(char, _)| *char).collect::<String>();
    let is_own = |part: &[(char, bool)]| {
        let first = part.iter().position(|(_, is_value)| *is_value).unwrap_or(part.len());
        let before = of(&part[..first]);
        before.split_once("://").is_some_and(|(_, rest)| rest.contains('/'))
    };
    let has_value = |part: &&[(char, bool)]| part.iter().any(|(_, is_value)| *is_value);
    let parts = || text.split(|(char, _)| char.is_whitespace()).filter(has_value);
    if parts().any(|part| wording::has_link(&of(part)) && !is_own(part)) {
        return true;
    }
    // Words around them, but for those that hold a link of the template's own.
    let plain = text.split(|(char, _)| char.is_whitespace());
    let rest: Vec<String> = plain
        .filter(|part| has_value(part) && !is_own(part) || !wording::has_link(&of(part)))
        .map(of)
        .collect();
    wording::has_link(&rest.join(" "))
}

/// The values of a template's variables, as people are to see them: each has one that shows
/// something and leads nowhere.
fn values(
    service: &Service,
    template: &MessageTemplate,
    request: &MessageRequest,
) -> Result<BTreeMap<String, String>, MessageError> {
    let known = template.variables();
    if let Some(strange) = request.variables.keys().find(|name| !known.contains(name)) {
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let what = format!("the template has no such variable; it has {known}");
        return Err(wrong(format!("variables.{strange}"), what).into());
    }
    let mut values = BTreeMap::new();
    for name in known {
        let shown = request.variables.get(&name).map(|value| wording::shown(value)).unwrap_or_default();
        if shown.is_empty() {
            let what = "the template needs a value for it that shows something";
            return Err(wrong(format!("variables.{name}"), what).into());
        }
        if !service.settings.allow_links && wording::has_link(&shown) {
            return Err(wrong(format!("variables.{name}"), LINK).into());
        }
        values.insert(name, shown);
    }
    Ok(values)
}

const LINK: &str = "has a link or an address in it, and people would follow it in the service's name; the service's \
                    allow_links = true allows it";

/// A text that fits into a message, without the marks that show nothing.
fn fitting(field: &str, text: &str) -> Result<String, BadSetting> {
    let shown =
        |line: &str| wording::shown(line).chars().filter(|char| !char.is_control()).collect::<String>();
    let lines: Vec<String> = text.lines().map(shown).collect();
    let text = lines.join("\n").trim().to_owned();
    match text.chars().count() {
        0 => Err(wrong(field, "the message would say nothing")),
        1..=MOST_TEXT => Ok(text),
        length => Err(wrong(
            field,
            format!("the message would have {length} characters, and {MOST_TEXT} are possible"),
        )),
    }
}

pub(super) fn wrong(field: impl Into<String>, what: impl Into<String>) -> BadSetting {
    BadSetting { field: field.into(), what: what.into() }
}
