//! The pages for people.

pub mod gate;

/// What the pages share.
#[derive(Default)]
pub struct Pages {
    /// How many sessions a key may make.
    pub gate: gate::Gate,
}
