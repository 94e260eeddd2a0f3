//! The countries and regions that have telephone numbers: their calling codes,
//! and what a number there looks like. All of it is libphonenumber's data.

use rlibphonenumber::enums::Region as Id;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, PhoneNumberType};
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

/// Looks whether a text is the code of a country or region.
///
/// # Errors
/// What to write instead.
pub fn check(id: &str) -> Result<(), String> {
    if find(id).is_some() {
        return Ok(());
    }
    Err(match meant(id) {
        Some(meant) => format!("did you mean {meant}?"),
        None => "write the two capital letters of ISO 3166, such as DE".to_owned(),
    })
}

/// The code that is meant by one that is in use elsewhere, or written otherwise.
fn meant(id: &str) -> Option<String> {
    /// Codes of languages, of the European Union's offices and of three letters
    /// that are taken for a country's.
    const OTHERWISE: [(&str, &str); 16] = [
        ("UK", "GB"),
        ("EN", "GB"),
        ("EL", "GR"),
        ("JA", "JP"),
        ("KO", "KR"),
        ("ZH", "CN"),
        ("DA", "DK"),
        ("CS", "CZ"),
        ("USA", "US"),
        ("GBR", "GB"),
        ("DEU", "DE"),
        ("GER", "DE"),
        ("AUT", "AT"),
        ("CHE", "CH"),
        ("FRA", "FR"),
        ("ESP", "ES"),
    ];
    let id = id.trim().to_uppercase();
    let other = OTHERWISE.iter().find(|(name, _)| *name == id).map(|(_, meant)| (*meant).to_owned());
    other.or_else(|| find(&id).map(|region| region.id.clone()))
}

/// The region of a calling code, the largest where several share it as one and
/// its neighbours do. None for those of many equals, 1 and 7.
pub fn of_code(calling_code: u16) -> Option<&'static Region> {
    let id = PHONE_NUMBER_UTIL.get_region_for_country_code(calling_code.into())?;
    find(&id.to_string()).filter(|_| !matches!(calling_code, 1 | 7))
}

static ALL: LazyLock<Vec<Region>> = LazyLock::new(|| {
    let mut all: Vec<Region> = PHONE_NUMBER_UTIL.get_supported_regions().filter_map(region).collect();
    all.sort_by(|one, other| one.id.cmp(&other.id));
    all
});

/// `None` for what is no place, like satellite networks.
fn region(id: Id) -> Option<Region> {
    let calling_code = u16::try_from(PHONE_NUMBER_UTIL.get_country_code_for_region(id)?).ok()?;
    let kinds = [PhoneNumberType::Mobile, PhoneNumberType::FixedLine];
    let example = |kind| PHONE_NUMBER_UTIL.get_example_number_for_type_and_region(id, kind).ok();
    let number = kinds.into_iter().find_map(example)?;
    let example = number.format_as(PhoneNumberFormat::National).into_owned();
    Some(Region { id: id.to_string(), calling_code, example })
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
        assert_eq!(check("GB"), Ok(()));
        for (wrong, mend) in
            [("UK", "did you mean GB?"), (" de", "did you mean DE?"), ("XX", "write the two")]
        {
            assert!(check(wrong).unwrap_err().starts_with(mend), "{wrong}");
        }
    }
}
