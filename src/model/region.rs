//! The countries and regions that have telephone numbers: their calling codes,
//! and what a number there looks like. All of it is libphonenumber's data.

use phonenumber::{Mode, country, metadata::DATABASE};
use std::sync::LazyLock;

/// A country or region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// Its ISO 3166 code: `DE`.
    pub id: String,
    /// Its calling code, without plus.
    pub calling_code: u16,
    /// A number as people there write it: `01512 3456789`. Nobody has it.
    pub example: String,
}

/// Every region, by its code.
pub fn all() -> &'static [Region] {
    &ALL
}

/// The region of that ISO 3166 code.
pub fn find(id: &str) -> Option<&'static Region> {
    ALL.iter().find(|region| region.id == id)
}

static ALL: LazyLock<Vec<Region>> = LazyLock::new(|| {
    let mut all: Vec<Region> = DATABASE.iter().filter_map(|metadata| region(metadata.id())).collect();
    all.sort_by(|one, other| one.id.cmp(&other.id));
    all.dedup_by(|one, other| one.id == other.id);
    all
});

/// `None` for what is no place, like satellite networks.
fn region(id: &str) -> Option<Region> {
    let country: country::Id = id.parse().ok()?;
    let metadata = DATABASE.by_id(id)?;
    let descriptors = metadata.descriptors();
    let kinds = [descriptors.mobile(), descriptors.fixed_line()];
    let example = kinds.into_iter().flatten().find_map(|kind| kind.example());
    let calling_code = metadata.country_code();
    let number = phonenumber::parse(Some(country), example?).ok()?;
    let national = number.format().mode(Mode::National).to_string();
    // Where the plan's digits begin like its calling code, as in Kazakhstan, the
    // national writing does not read back.
    let reads = phonenumber::parse(Some(country), &national).is_ok_and(|again| again.is_valid());
    let example = if reads { national } else { format!("+{calling_code} {}", example?) };
    Some(Region { id: id.to_owned(), calling_code, example })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::phone::{NumberPolicy, PhoneNumber};

    #[test]
    fn an_example_reads_as_a_number_of_its_region() {
        let mut wrong = Vec::new();
        for region in all() {
            let policy = NumberPolicy { default_region: Some(region.id.clone()), ..NumberPolicy::default() };
            let read = PhoneNumber::parse(&region.example, &policy);
            let code = format!("+{}", region.calling_code);
            if !read.as_ref().is_ok_and(|number| number.in_full().starts_with(&code)) {
                wrong.push((region.id.clone(), region.example.clone(), read));
            }
        }
        assert!(all().len() > 200, "{}", all().len());
        assert_eq!(wrong, []);
        assert_eq!(find("DE").map(|region| region.calling_code), Some(49));
        assert_eq!(find("XX"), None);
    }
}
