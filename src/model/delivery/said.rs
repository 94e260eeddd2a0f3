//! Words at rest by which a delivery is read again.
//!
//! Who answered a call, who began it, and whatever else was said are kept as
//! words. They are those of the provider that the first records came from, as the
//! words of [`Status`](crate::model::status::Status) are, and they are ours now:
//! whoever reads a provider's report writes these, whatever the provider calls the
//! same thing by then, and no record that was ever written changes.

use super::Fact;

/// Under which name [`Fact::other`] holds the channel of a message that was said
/// beside its addresses.
pub const CHANNEL: &str = "ChannelPrefix";

/// Under which name [`Fact::other`] holds what was said about an error, in words.
pub const ERROR_TEXT: &str = "ErrorMessage";

impl Fact {
    /// The channel that was said beside the addresses.
    pub fn channel_said(&self) -> Option<&str> {
        self.other.get(CHANNEL).map(String::as_str)
    }

    /// What was said about the error, in words.
    pub fn error_text(&self) -> Option<&str> {
        self.other.get(ERROR_TEXT).map(String::as_str)
    }
}

/// Whether what answered a call is certainly no person: what detection could not
/// tell may be one.
pub fn is_machine(answered_by: &str) -> bool {
    answered_by.starts_with("machine") || answered_by == "fax"
}

/// Whether somebody else began it, by the word for its direction.
pub(super) fn is_inbound(direction: &str) -> bool {
    direction.starts_with("inbound")
}
