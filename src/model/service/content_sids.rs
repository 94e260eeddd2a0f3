//! The templates of a service that WhatsApp has approved: one for all languages, or one for
//! each. It refuses to know languages: which of them suits a person is for `texts` to say.

use crate::model::id::{given, is_sid};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most languages that templates are in.
pub const MOST_TEMPLATES: usize = 80;

/// The approved authentication templates, each `HX` and 32 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "is a template's SID, or a table of languages with one each")]
pub enum ContentSids {
    /// The same whatever the language.
    One(String),
    /// By the tag of the language (BCP 47) that a template is written in.
    ByLanguage(BTreeMap<String, String>),
}

impl ContentSids {
    /// All of them, each with its language where it has one, in the order of the languages.
    pub fn all(&self) -> Vec<(Option<&str>, &str)> {
        match self {
            Self::One(sid) => vec![(None, sid)],
            Self::ByLanguage(sids) => {
                sids.iter().map(|(tag, sid)| (Some(tag.as_str()), sid.as_str())).collect()
            }
        }
    }

    /// What cannot be: the language where that stands, empty for none, and what would be
    /// right, never the value.
    pub fn mistake(&self) -> Option<(String, String)> {
        if let Self::ByLanguage(sids) = self
            && !(1..=MOST_TEMPLATES).contains(&sids.len())
        {
            return Some((String::new(), format!("has 1 to {MOST_TEMPLATES} languages")));
        }
        let wrong = self.all().into_iter().find(|(_, sid)| !is_sid(sid, given::CONTENT))?;
        let what = format!("is {} and 32 hexadecimal digits", given::CONTENT);
        Some((wrong.0.unwrap_or_default().to_owned(), what))
    }
}

#[cfg(test)]
mod tests {
    use crate::model::service::Settings;
    use serde_json::{Value, json};

    fn told(sids: Value) -> Result<Settings, String> {
        let changes = [("whatsapp_content_sid".to_owned(), sids)].into_iter().collect();
        Settings::default().with(changes).map_err(|wrong| wrong.to_string())
    }

    #[test]
    fn there_is_one_template_or_one_for_each_language() {
        let [one, other] = [1, 2].map(|n| format!("HX{n:032x}"));
        for sids in [json!(one), json!({ "de": one, "pt-BR": other })] {
            let kept = serde_json::to_value(told(sids.clone()).unwrap()).unwrap();
            assert_eq!(kept["whatsapp_content_sid"], sids, "as it was written");
        }
        assert_eq!(told(Value::Null).unwrap().whatsapp_content_sid, None);
        let too_many: Value = (0..81).map(|n| (format!("x{n}"), json!(one))).collect();
        for (sids, wrong) in [
            (json!("HX1"), "whatsapp_content_sid: is HX and 32"),
            (json!({ "de": one, "fr": "HX1" }), "whatsapp_content_sid.fr: is HX and 32"),
            (json!({}), "whatsapp_content_sid: has 1 to 80 languages"),
            (too_many, "whatsapp_content_sid: has 1 to 80 languages"),
            (json!(7), "whatsapp_content_sid: is a template's SID, or a table"),
            (json!({ "de": 7 }), "whatsapp_content_sid: is a template's SID, or a table"),
        ] {
            let said = told(sids.clone()).unwrap_err();
            assert!(said.starts_with(wrong), "{sids}: {said}");
        }
    }
}
