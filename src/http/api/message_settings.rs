//! What a service sets of messages of their own, as the API reads and describes it.

use super::content_sids::CONTENT_SIDS;
use super::fields::{Field, Shape};
use crate::model::message::MOST_TEXT;
use crate::model::service::{MOST_MESSAGE_TEMPLATES, MOST_WORD};

/// The name of a template, a type or a variable.
pub const WORD: Shape = Shape::Chars { class: "a-z0-9_-", least: 1, most: MOST_WORD };

const LANGUAGE: Shape = Shape::Chars { class: "A-Za-z0-9-", least: 2, most: 35 };

const WINDOWS: Shape =
    Shape::List { of: &Shape::Text { least: 5, most: 32 }, least: 0, most: 3, distinct: true };

/// The templates, by name.
pub const MESSAGE_TEMPLATES: Shape = Shape::Map {
    names: &WORD,
    of: &Shape::Object(&[
        Field::new("type", "The type of its messages. Not set: `transactional`.", WORD),
        Field::needed(
            "texts",
            "The text by the tag of its language: `{order}` is the place of a variable, `{{` is a brace. The \
             language closest to the person's goes out, else the English one, else the first.",
            Shape::Map { names: &LANGUAGE, of: &Shape::Typed { least: 1, most: MOST_TEXT }, most: 40 },
        )
        .example("{\"en\": \"Your order {order} is on its way.\"}"),
        Field::new(
            "whatsapp_content_sid",
            "The template that WhatsApp approved, or one for each language. Not set: the text itself, which \
             WhatsApp takes for a day after somebody wrote.",
            Shape::Made(&CONTENT_SIDS),
        ),
        Field::new(
            "whatsapp_variables",
            "Which of the variables fill which of that template's: `{\"1\": \"order\"}`.",
            Shape::Map { names: &Shape::Text { least: 1, most: 64 }, of: &WORD, most: 20 },
        )
        .solid(),
    ]),
    most: MOST_MESSAGE_TEMPLATES,
};

/// The types, by name.
pub const MESSAGE_TYPES: Shape = Shape::Map {
    names: &WORD,
    of: &Shape::Object(&[
        Field::new(
            "per_number",
            "How many of them a number may get: `[\"10/hour\", \"30/day\"]`; an empty list for any number.",
            WINDOWS,
        )
        .solid(),
        Field::new(
            "security",
            "Whether they reach those, too, who want none of this type. Who told a sender to stop is never \
             reached.",
            Shape::Flag,
        )
        .solid(),
    ]),
    most: MOST_MESSAGE_TEMPLATES,
};
