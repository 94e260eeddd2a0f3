//! The kinds of records: their letters at rest, names, lanes, and how long they are kept.
//!
//! All that is said of a kind stands in one place, its part of the [`table`]. What its
//! records say of themselves is in [`kinds`](super::kinds), a file for each. It refuses
//! to know records and keys, which are made of kinds.

mod declared;
mod table;

use super::lane::Lane;
pub use declared::Declared;
pub use declared::Kept;
pub use declared::NEVER_DUE;
pub use table::Index;
pub use table::Kind;

impl Kind {
    /// Every kind, in the order of an export.
    pub const IN_EXPORT_ORDER: [Self; Self::ALL.len()] = in_export_order();

    /// The prefix at rest.
    pub fn letter(self) -> u8 {
        self as u8
    }

    /// The kind with that prefix.
    pub fn from_letter(letter: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.letter() == letter)
    }

    /// Whether an id of this kind may be shown.
    pub fn shows_id(self) -> bool {
        self.declared().shows_id
    }

    /// The lanes in which records of this kind may be due, the usual one first.
    pub fn lanes(self) -> &'static [Lane] {
        self.declared().lanes
    }

    /// Where records of this kind were due when there were two lanes.
    pub fn early_lane(self) -> Lane {
        self.declared().early_lane
    }

    /// What the kind is called in an export and towards the operator; it never changes.
    pub fn name(self) -> &'static str {
        self.declared().name
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether records of this kind belong to the data.
    pub fn is_exported(self) -> bool {
        self.declared().is_exported
    }
}

impl Index {
    /// The prefix at rest.
    pub fn letter(self) -> u8 {
        self as u8
    }

    /// The listing with that prefix.
    pub fn from_letter(letter: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|index| index.letter() == letter)
    }
}

const fn in_export_order() -> [Kind; Kind::ALL.len()] {
    let mut kinds = Kind::ALL;
    let mut sorted = 0;
    while sorted < kinds.len() {
        let mut at = sorted;
        while at > 0 && kinds[at].declared().export_place < kinds[at - 1].declared().export_place {
            kinds.swap(at, at - 1);
            at -= 1;
        }
        sorted += 1;
    }
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// What stands at rest, in stores and exports out there, cannot be said otherwise.
    #[test]
    fn letters_names_and_places_are_those_of_what_is_stored() {
        let letters = |letters: &[u8]| String::from_utf8(letters.to_vec()).unwrap();
        assert!(letters(&Kind::ALL.map(Kind::letter)).starts_with("vdkaosplfchnewijuxgbm"));
        let mut of_listings = Index::ALL.map(Index::letter);
        of_listings.sort_unstable();
        assert_eq!(letters(&of_listings), "abceghkmnopqrstuvw");
        let names = Kind::IN_EXPORT_ORDER.map(Kind::name);
        let stored = "service service_compat api_key safe_number opt_out endpoint verification pending delivery \
            answer tally session contact event dispatch audit erasure lease traffic list_entry message";
        assert_eq!(names.join(" "), stored);
        assert!(Kind::ALL.into_iter().all(|kind| Kind::named(kind.name()) == Some(kind)));
    }

    #[test]
    fn no_two_kinds_have_a_letter_a_name_or_a_place_in_common() {
        let declared = Kind::ALL.map(Kind::declared);
        let letters: BTreeSet<u8> = Kind::ALL.map(Kind::letter).into();
        let names: BTreeSet<&str> = declared.iter().map(|declared| declared.name).collect();
        let places: BTreeSet<u8> = declared.iter().map(|declared| declared.export_place).collect();
        let listings: BTreeSet<u8> = Index::ALL.map(Index::letter).into();
        assert_eq!([letters.len(), names.len(), places.len()], [Kind::ALL.len(); 3]);
        assert_eq!(listings.len(), Index::ALL.len());
        assert!(Kind::ALL.iter().all(|kind| Kind::from_letter(kind.letter()) == Some(*kind)));
        assert!(Index::ALL.iter().all(|index| Index::from_letter(index.letter()) == Some(*index)));
    }

    #[test]
    fn what_is_kept_until_it_is_due_expires_as_a_chore_and_everything_has_a_lane() {
        for kind in Kind::ALL {
            let Declared { lanes, kept, .. } = kind.declared();
            if *kept == Kept::UntilDue {
                assert!(lanes.contains(&Lane::Chore), "{kind:?} is kept until it is due, and no chore");
            }
            assert!(!lanes.is_empty() && !lanes.contains(&Lane::Aside), "{kind:?}");
        }
    }
}
