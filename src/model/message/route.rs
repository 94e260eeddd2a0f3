//! By whom a message or call leaves.

use serde::{Deserialize, Serialize};

/// Who a message or call comes from, and whose account makes it: chosen when it is made, and
/// written with it before it leaves.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Route {
    /// A number, a short code, a name or a messaging service; of WhatsApp an address, which
    /// begins with `whatsapp:`.
    pub sender: String,
    /// The account, which goes by another name tomorrow where somebody makes another one the
    /// main one; nothing where none is configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
}

impl Route {
    /// From that sender, of whichever account is the main one.
    pub fn of(sender: impl Into<String>) -> Self {
        Self { sender: sender.into(), account: None }
    }
}
