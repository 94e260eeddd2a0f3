//! What is said of a kind of records. It refuses to know which kinds there are.

use super::super::lane::Lane;

/// What a kind is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declared {
    /// What it is called in exports and towards the operator; it never changes.
    pub name: &'static str,
    /// Its place in an export, behind the kinds of lower numbers; it never changes, for
    /// an export may be gone on with later.
    pub export_place: u8,
    /// Whether its records belong to the data, and so into an export.
    pub is_exported: bool,
    /// Whether its ids may be shown, in errors and logs and to the operator: no person's
    /// number is ever part of one.
    pub shows_id: bool,
    /// The lanes in which its records may be due, the usual one first.
    pub lanes: &'static [Lane],
    /// Where they were due when there were two lanes; of a newer kind its usual lane.
    pub early_lane: Lane,
    /// How long its records are kept.
    pub kept: Kept,
}

/// How long records are kept, if no person they are about is forgotten before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Until somebody deletes them.
    UntilDeleted,
    /// Until a time of their own, at which they are due as chores.
    UntilDue,
    /// For so long as the configuration says under this key.
    AsSet(&'static str),
}

/// The lanes of a kind that is never due. What is not due is in no lane, but the database
/// wants one of each record.
pub const NEVER_DUE: &[Lane] = &[Lane::Person];
