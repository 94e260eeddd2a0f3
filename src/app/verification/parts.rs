//! What verifications stand on.

use crate::app::admission::Admission;
use crate::app::base::Base;
use crate::app::events::Telling;
use crate::app::services::Directory;
use crate::gateway::Gateway;
use crate::gateway::captcha::Captcha;
use crate::model::code::CodeKeys;
use std::sync::Arc;

/// What begins, checks and ends verifications.
pub struct Verifying {
    /// What every operation stands on.
    pub base: Arc<Base>,
    /// The services, by whose settings verifications live.
    pub directory: Arc<Directory>,
    /// Who tells of what happens.
    pub telling: Arc<Telling>,
    /// What decides whether a start may be, and by which way.
    pub admission: Arc<Admission>,
    /// The keys that derive codes.
    pub codes: CodeKeys,
    /// The way out, which compares the codes that it makes itself.
    pub gateway: Arc<dyn Gateway>,
    /// Who says that a person is there; nothing where nobody's proofs count.
    pub captcha: Option<Arc<Captcha>>,
}
