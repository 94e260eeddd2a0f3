//! How a channel is called and drawn where people choose one, by the service's own words.
//! It refuses to know languages: what a channel is called without these is the pages' to say.

use crate::model::channel::Channel;
use crate::model::wording;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The longest name of a channel, in characters.
pub const MOST_LABEL: usize = 40;
/// The longest name of a picture, in characters.
pub const MOST_ICON: usize = 64;

/// What a service calls a channel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChannelLabel {
    /// Its name, the same in every language; nothing for that of the language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The application's name for its picture, such as a class; nothing for the usual one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
}

/// What a service calls its channels, those alone that it calls otherwise than is usual.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChannelLabels(BTreeMap<Channel, ChannelLabel>);

impl ChannelLabels {
    /// Whether all are called as is usual.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The name of a channel by the service's own words; nothing where it has none.
    pub fn label_of(&self, channel: Channel) -> Option<&str> {
        self.0.get(&channel)?.label.as_deref()
    }

    /// The name of a channel's picture.
    pub fn icon_of(&self, channel: Channel) -> &str {
        let own = self.0.get(&channel).and_then(|own| own.icon.as_deref());
        own.unwrap_or(match channel {
            Channel::Sms => "message",
            Channel::Call => "phone",
            Channel::Whatsapp => "whatsapp",
        })
    }

    /// What cannot be a name of a channel or of its picture: where that stands, as in
    /// `sms.label`, and what would be right, never the value.
    pub fn mistakes(&self) -> Vec<(String, String)> {
        let mut wrong = Vec::new();
        for (channel, own) in &self.0 {
            if let Some(what) = own.label.as_deref().and_then(wrong_label) {
                wrong.push((format!("{channel}.label"), what));
            }
            if own.icon.as_deref().is_some_and(|icon| !is_icon(icon)) {
                let what = format!("has 1 to {MOST_ICON} letters, digits, spaces, _ and -");
                wrong.push((format!("{channel}.icon"), what));
            }
        }
        wrong
    }
}

fn wrong_label(label: &str) -> Option<String> {
    if !(1..=MOST_LABEL).contains(&label.chars().count()) || label.chars().any(char::is_control) {
        return Some(format!("has 1 to {MOST_LABEL} characters"));
    }
    let is_plain = wording::shown(label) == label;
    (!is_plain).then(|| "has no marks that show nothing or turn the direction of writing".to_owned())
}

fn is_icon(icon: &str) -> bool {
    (1..=MOST_ICON).contains(&icon.len())
        && icon.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::service::Settings;
    use serde_json::{Value, json};

    fn told(labels: Value) -> Result<ChannelLabels, String> {
        let changes = [("channel_labels".to_owned(), labels)].into_iter().collect();
        let set = Settings::default().with(changes);
        set.map(|settings| settings.channel_labels).map_err(|wrong| wrong.to_string())
    }

    #[test]
    fn a_channel_is_called_as_the_service_says() {
        let own = told(json!({ "sms": { "label": "SMS", "icon": "fa-solid fa-message" } })).unwrap();
        assert_eq!(own.label_of(Channel::Sms), Some("SMS"));
        assert_eq!(own.icon_of(Channel::Sms), "fa-solid fa-message");
        assert_eq!(own.label_of(Channel::Call), None);
        assert_eq!(own.icon_of(Channel::Call), "phone");
        let half = told(json!({ "call": { "icon": "handset" } })).unwrap();
        assert_eq!((half.label_of(Channel::Call), half.icon_of(Channel::Call)), (None, "handset"));
    }

    #[test]
    fn a_label_is_plain_and_an_icon_a_name() {
        for (labels, field) in [
            (json!({ "sms": { "label": "" } }), "channel_labels.sms.label"),
            (json!({ "sms": { "label": "x".repeat(41) } }), "channel_labels.sms.label"),
            (json!({ "call": { "label": "Ring\nring" } }), "channel_labels.call.label"),
            (json!({ "call": { "label": "\u{202e}gnir" } }), "channel_labels.call.label"),
            (json!({ "whatsapp": { "icon": "" } }), "channel_labels.whatsapp.icon"),
            (json!({ "whatsapp": { "icon": "<svg>" } }), "channel_labels.whatsapp.icon"),
            (json!({ "whatsapp": { "icon": "https://x.example/i.svg" } }), "channel_labels.whatsapp.icon"),
            (json!({ "pigeon": { "label": "Pigeon" } }), "channel_labels"),
            (json!({ "sms": { "colour": "red" } }), "channel_labels"),
        ] {
            let wrong = told(labels.clone()).unwrap_err();
            assert!(wrong.starts_with(&format!("{field}: ")), "{labels}: {wrong}");
        }
    }
}
