//! What erasing and retention stand on.

use crate::app::admission::Admission;
use crate::app::base::Base;
use crate::app::events::Telling;
use crate::app::privacy::kept::Retention;
use crate::gateway::Gateway;
use std::sync::Arc;

/// What takes records away.
pub struct Privacy {
    /// What every operation stands on.
    pub base: Arc<Base>,
    /// Who tells of what ends.
    pub telling: Arc<Telling>,
    /// How numbers are read, and which are ours.
    pub admission: Arc<Admission>,
    /// The provider, who is told to forget, too.
    pub gateway: Arc<dyn Gateway>,
    /// How long records are kept.
    pub retention: Retention,
}
