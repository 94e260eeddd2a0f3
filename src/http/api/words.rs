//! The words of lists that the API shows and takes, each list described in
//! `/openapi.json`.

/// A schema of the words of a list.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $title:literal, $all:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(pub &'static str);

        impl $name {
            /// Every word there is.
            pub fn all() -> Vec<&'static str> {
                $all.into_iter().collect()
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $title.into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "enum": Self::all() })
            }
        }
    };
}

use crate::model;

words!(
    /// A way by which a code reaches a person.
    ChannelWord, "Channel", model::channel::Channel::ALL.map(model::channel::Channel::as_str)
);
words!(
    /// The channel of a delivery, which may be one that nothing is sent by here.
    DeliveryChannelWord, "DeliveryChannel",
    model::channel::DeliveryChannel::ALL.map(model::channel::DeliveryChannel::as_str)
);
words!(
    /// Where a verification stands.
    StatusWord, "VerificationStatus", model::verification::Status::ALL.map(model::verification::Status::as_str)
);
words!(
    /// Twilio's word for where a message or call stands.
    TwilioStatus, "TwilioStatus", model::status::Status::all().map(model::status::Status::as_str)
);
words!(
    /// Where a message or call of ours stands: Twilio's word once Twilio knows
    /// it; before, `pending` (waits for us), `sending` (nobody knows yet), `test`
    /// (never sent).
    DeliveryStatus, "DeliveryStatus", delivery_words()
);
words!(
    /// Where a message of its own stands.
    MessageStatusWord, "MessageStatus",
    model::message::MessageStatus::ALL.map(model::message::MessageStatus::as_str)
);
words!(
    /// What a message of its own goes before.
    PriorityWord, "Priority", model::message::Priority::ALL.map(model::message::Priority::as_str)
);
words!(
    /// What a key may do.
    ScopeWord, "Scope", model::key::Scope::ALL.map(model::key::Scope::as_str)
);

words!(
    /// Why a call of ours was not heard.
    UnheardWord, "UnheardReason", model::delivery::Unheard::ALL.map(model::delivery::Unheard::as_str)
);

fn delivery_words() -> Vec<&'static str> {
    let own = ["pending", "sending", "accepted", "failed", "canceled", "test"];
    let twilio = model::status::Status::all().map(model::status::Status::as_str);
    own.into_iter().chain(twilio.filter(|word| !own.contains(word))).collect()
}

impl From<model::channel::Channel> for ChannelWord {
    fn from(channel: model::channel::Channel) -> Self {
        Self(channel.as_str())
    }
}

impl From<model::channel::DeliveryChannel> for DeliveryChannelWord {
    fn from(channel: model::channel::DeliveryChannel) -> Self {
        Self(channel.as_str())
    }
}

impl From<model::verification::Status> for StatusWord {
    fn from(status: model::verification::Status) -> Self {
        Self(status.as_str())
    }
}

impl From<model::status::Status> for TwilioStatus {
    fn from(status: model::status::Status) -> Self {
        Self(status.as_str())
    }
}

impl From<model::key::Scope> for ScopeWord {
    fn from(scope: model::key::Scope) -> Self {
        Self(scope.as_str())
    }
}
