//! What messages and calls stand on.

use crate::app::admission::Admission;
use crate::app::base::Base;
use crate::app::events::Telling;
use crate::app::messages::Messages;
use crate::app::messaging::courtesy::Courtesy;
use crate::app::messaging::health::Health;
use crate::app::messaging::pace::Pace;
use crate::app::messaging::turns::Turns;
use crate::app::services::Directory;
use crate::app::verification::Verifying;
use crate::gateway::Gateway;
use crate::model::account::Accounts;
use std::sync::Arc;

/// What sends, and hears what became of it. Cheap to clone.
#[derive(Clone)]
pub struct Messaging {
    /// What every operation stands on.
    pub base: Arc<Base>,
    /// The services, of the configuration and of the store.
    pub directory: Arc<Directory>,
    /// Who tells of what happens.
    pub telling: Arc<Telling>,
    /// What people wish.
    pub admission: Arc<Admission>,
    /// The verifications whose codes are sent.
    pub verifying: Arc<Verifying>,
    /// The way out.
    pub gateway: Arc<dyn Gateway>,
    /// Whose senders and sends are whose.
    pub accounts: Accounts,
    /// How long what is sent takes.
    pub pace: Arc<Pace>,
    /// The messages of their own that are sent.
    pub messages: Messages,
    /// Whose turn it is to send.
    pub turns: Arc<Turns>,
    /// Which senders answer.
    pub health: Arc<Health>,
    /// When the provider is left alone.
    pub courtesy: Arc<Courtesy>,
}
