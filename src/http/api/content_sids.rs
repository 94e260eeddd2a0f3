//! The approved templates of WhatsApp in a request: one, or one for each language.

use super::fields::Made;
use crate::model::service::{ContentSids, MOST_TEMPLATES};
use serde_json::{Value, json};

/// What may be said of the templates.
pub const CONTENT_SIDS: Made = Made { schema, mistake };

fn schema() -> Value {
    let sid = json!({ "type": "string", "pattern": "^HX[0-9a-fA-F]{32}$" });
    json!({
        "anyOf": [
            sid,
            {
                "type": "object",
                "propertyNames": { "type": "string", "minLength": 2, "maxLength": 35 },
                "additionalProperties": sid,
                "minProperties": 1,
                "maxProperties": MOST_TEMPLATES,
            },
        ],
    })
}

fn mistake(value: &Value) -> Option<(String, String)> {
    match serde_json::from_value::<ContentSids>(value.clone()) {
        Ok(sids) => sids.mistake(),
        Err(_) => {
            let what = "has to be HX and 32 hexadecimal digits, or an object of languages with one each";
            Some((String::new(), what.to_owned()))
        }
    }
}
