//! Webhooks for events of factors and challenges, which do not happen here.
//!
//! Source: <https://www.twilio.com/docs/verify/api/webhooks>.

use crate::model::compat::OpaqueFields;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A webhook for events that do not happen here: kept, and told back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// `YW` and 32 hexadecimal digits.
    pub sid: String,
    /// The name that people see.
    pub friendly_name: String,
    /// The events that it wants, by Verify's names.
    pub event_types: Vec<String>,
    /// The address that they are sent to.
    pub url: String,
    /// Whether it is to be called.
    pub enabled: bool,
    /// `v1` or `v2`.
    pub version: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Webhook {
    /// Most webhooks of a service.
    pub const MOST: usize = 20;

    /// The webhooks of a service, in the order in which they were made.
    pub fn all(kept: &[OpaqueFields]) -> impl DoubleEndedIterator<Item = Self> {
        kept.iter().filter_map(OpaqueFields::read)
    }

    /// The one of that name, and where it is kept.
    pub fn find<'k>(kept: &'k mut [OpaqueFields], sid: &str) -> Option<(Self, &'k mut OpaqueFields)> {
        kept.iter_mut().find_map(|kept| {
            let webhook: Self = kept.read()?;
            (webhook.sid == sid).then_some((webhook, kept))
        })
    }

    /// Takes away the one of that name.
    pub fn remove(kept: &mut Vec<OpaqueFields>, sid: &str) {
        kept.retain(|kept| kept.read::<Self>().is_none_or(|webhook| webhook.sid != sid));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook(sid: &str) -> Webhook {
        Webhook {
            sid: sid.into(),
            friendly_name: "Shop".into(),
            event_types: vec!["*".into()],
            url: "https://app.example.com/verify".into(),
            enabled: true,
            version: "v2".into(),
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_webhook_is_found_by_its_name_and_changed_where_it_is_kept() {
        let mut kept = ["YW1", "YW2"].map(|sid| OpaqueFields::of(&webhook(sid))).to_vec();
        let (mut second, place) = Webhook::find(&mut kept, "YW2").unwrap();
        second.enabled = false;
        place.set(&second);
        assert_eq!(Webhook::all(&kept).collect::<Vec<_>>(), [webhook("YW1"), second]);
        assert_eq!(Webhook::find(&mut kept, "YW3"), None);
        Webhook::remove(&mut kept, "YW2");
        assert_eq!(Webhook::all(&kept).collect::<Vec<_>>(), [webhook("YW1")]);
    }
}
