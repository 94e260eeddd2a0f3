//! What admission stands on.

use crate::app::admission::known_lists::Lists;
use crate::app::admission::{Limiting, NumberLookup};
use crate::app::alerts::Alerts;
use crate::app::base::Base;
use crate::app::events::Telling;
use crate::app::fraud::Watch;
use crate::app::services::Directory;
use crate::model::phone::NumberPolicy;
use crate::model::senders::Senders;
use crate::model::test_number::TestNumber;
use std::sync::Arc;

/// What decides whether a start may be, and by which way.
pub struct Admission {
    /// What every operation stands on.
    pub base: Arc<Base>,
    /// The services, by whose settings it is judged.
    pub directory: Arc<Directory>,
    /// Who tells of wishes that change.
    pub telling: Arc<Telling>,
    /// The rules of numbers.
    pub numbers: NumberPolicy,
    /// Numbers to which nothing is sent.
    pub test_numbers: Vec<TestNumber>,
    /// Who messages and calls may come from.
    pub senders: Arc<Senders>,
    /// How often something may happen to whom.
    pub limiting: Limiting,
    /// Who is asked about numbers; nothing where nobody is.
    pub lookups: Option<NumberLookup>,
    /// Who is allowed or blocked.
    pub(in crate::app) lists: Lists,
    /// What is known of traffic, and speaks against requests.
    pub fraud: Arc<Watch>,
    /// What applications are to be told of decisions.
    pub alerts: Alerts,
}
