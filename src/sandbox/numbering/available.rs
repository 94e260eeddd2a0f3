//! Numbers that are free: made up of the plan, the same for the same question and
//! seed. Each is valid, of the kind and place that were asked for, and no other's.

use super::super::geography::{self, Locality};
use super::lookup::why_invalid;
use super::pattern::Pattern;
use crate::entropy::Entropy;
use rlibphonenumber::enums::Region;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, PhoneNumberType};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// How many digits differ from the plan's own example of a number, at least and at
/// most: many where a kind has room, few where its plan is narrow.
const FREE: [u64; 2] = [2, 6];
/// How often a number is made up before there are no more.
const TRIES: usize = 60;

/// A kind of number, as the resource is called that lists it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(in super::super) enum Kind {
    Local,
    Mobile,
    TollFree,
    National,
    SharedCost,
    Voip,
}

impl Kind {
    /// Every kind; `kinds` gives those that a country has.
    pub const ALL: [Self; 6] =
        [Self::Local, Self::Mobile, Self::TollFree, Self::National, Self::SharedCost, Self::Voip];

    /// Which kind a number is by its plan. What no plan knows, as numbers that were
    /// invented, is local.
    pub fn of(number: &str) -> Self {
        match PHONE_NUMBER_UTIL.parse(number, None).map(|parsed| parsed.get_type()) {
            Ok(PhoneNumberType::TollFree) => Self::TollFree,
            Ok(PhoneNumberType::Mobile) => Self::Mobile,
            _ => Self::Local,
        }
    }

    /// Twilio's word, as the document of an owned number has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Mobile => "mobile",
            Self::TollFree => "toll-free",
            Self::National => "national",
            Self::SharedCost => "shared-cost",
            Self::Voip => "voip",
        }
    }

    /// The library's word, in whose examples it is looked for.
    fn plan(self) -> PhoneNumberType {
        match self {
            Self::Local => PhoneNumberType::FixedLine,
            Self::Mobile => PhoneNumberType::Mobile,
            Self::TollFree => PhoneNumberType::TollFree,
            Self::National => PhoneNumberType::UAN,
            Self::SharedCost => PhoneNumberType::SharedCost,
            Self::Voip => PhoneNumberType::VoIP,
        }
    }

    /// Where landlines and mobiles look alike they are local.
    fn is_of(self, number: &PhoneNumber) -> bool {
        let found = number.get_type();
        found == self.plan() || self == Self::Local && found == PhoneNumberType::FixedLineOrMobile
    }
}

/// What is looked for.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Search {
    /// The country's ISO 3166 code.
    pub country: String,
    /// How the number begins, without the country's code: `415`.
    pub area_code: Option<String>,
    /// What it contains.
    pub contains: Option<Pattern>,
    /// The state, in the United States and Canada: `CA`.
    pub region: Option<String>,
    /// The city there, in any case.
    pub locality: Option<String>,
}

/// A number that is free.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in super::super) struct Available {
    /// The number itself in E.164, with its plus.
    pub phone_number: String,
    /// As people there write it.
    pub friendly_name: String,
    /// Where it is from.
    pub locality: Locality,
}

/// The kinds of numbers that a country has; none of a country that there is not.
pub(in super::super) fn kinds(country: &str) -> Vec<Kind> {
    let Ok(region) = country.parse::<Region>() else { return Vec::new() };
    Kind::ALL.into_iter().filter(|kind| example(region, *kind).is_some()).collect()
}

/// The plan's example of a kind. One that the plan itself takes for another kind, as
/// North America's mobiles, or for another country's, as its shared toll-free numbers,
/// is none; nor is one that can be dialled in its country alone.
fn example(region: Region, kind: Kind) -> Option<PhoneNumber> {
    let example = PHONE_NUMBER_UTIL.get_example_number_for_type_and_region(region, kind.plan()).ok()?;
    is_right(&example, region, kind).then_some(example)
}

/// Whether a number is a valid one of the country's and of the kind.
fn is_right(number: &PhoneNumber, region: Region, kind: Kind) -> bool {
    why_invalid(number).is_none() && number.get_region_code() == Some(region) && kind.is_of(number)
}

/// As many free numbers of a kind as there are, up to `count`: fewer where the
/// question is narrow, none where no number answers it.
pub(in super::super) fn search(search: &Search, kind: Kind, count: usize, seed: u64) -> Vec<Available> {
    let Ok(region) = search.country.parse::<Region>() else { return Vec::new() };
    let Some(example) = example(region, kind) else { return Vec::new() };
    let Some(areas) = areas(search, kind) else { return Vec::new() };
    let maker = Maker {
        search,
        kind,
        region,
        code: example.country_code,
        example: example.get_national_significant_number().into_bytes(),
        areas,
        chance: chance(search, kind, seed),
    };
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    for _ in 0..TRIES.saturating_mul(count.max(1)) {
        if found.len() >= count {
            break;
        }
        let made = maker.make().filter(|made| seen.insert(made.phone_number.clone()));
        found.extend(made);
    }
    found
}

/// Dice that fall alike for the same question.
fn chance(search: &Search, kind: Kind, seed: u64) -> Entropy {
    let question = format!("{search:?} {kind:?} {seed}");
    let digest = Sha256::digest(question);
    Entropy::seeded(digest[..8].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

/// The area codes to choose from; empty where any beginning is right, and nothing
/// where the place that was asked for has none.
fn areas(search: &Search, kind: Kind) -> Option<Vec<String>> {
    if let Some(area) = &search.area_code {
        return area.bytes().all(|byte| byte.is_ascii_digit()).then(|| vec![area.clone()]);
    }
    let has_places = kind == Kind::Local && matches!(search.country.as_str(), "US" | "CA");
    if !has_places {
        return (search.region.is_none() && search.locality.is_none()).then(Vec::new);
    }
    let same = |asked: &Option<String>, own: &str| {
        asked.as_ref().is_none_or(|asked| asked.eq_ignore_ascii_case(own))
    };
    let codes = geography::areas().into_iter().filter(|(_, place)| {
        place.country == search.country
            && same(&search.region, place.state)
            && same(&search.locality, place.city)
    });
    let codes: Vec<String> = codes.map(|(code, _)| code.to_owned()).collect();
    (!codes.is_empty()).then_some(codes)
}

/// Makes numbers up, one at a time.
struct Maker<'s> {
    search: &'s Search,
    kind: Kind,
    region: Region,
    code: i32,
    /// The digits of the plan's example, behind the country's code.
    example: Vec<u8>,
    areas: Vec<String>,
    chance: Entropy,
}

impl Maker<'_> {
    /// A number that answers the question, or none this time.
    fn make(&self) -> Option<Available> {
        let mut digits = self.example.clone();
        let area = self.pick(&self.areas);
        let [least, most] = FREE;
        let free = usize::try_from(least + self.chance.below(most - least + 1)).unwrap_or_default();
        let kept = area.map_or(digits.len().saturating_sub(free), String::len);
        for digit in digits.iter_mut().skip(kept) {
            *digit = b'0' + u8::try_from(self.chance.below(10)).unwrap_or_default();
        }
        for (digit, own) in digits.iter_mut().zip(area.into_iter().flat_map(|area| area.bytes())) {
            *digit = own;
        }
        if let Some(pattern) = &self.search.contains {
            pattern.engrave(self.code, &mut digits, &self.chance);
        }
        let number = format!("+{}{}", self.code, String::from_utf8(digits).ok()?);
        self.judged(number, area)
    }

    fn pick<'a, T>(&self, among: &'a [T]) -> Option<&'a T> {
        let bound = u64::try_from(among.len()).ok().filter(|bound| *bound > 0)?;
        among.get(usize::try_from(self.chance.below(bound)).ok()?)
    }

    fn judged(&self, number: String, area: Option<&String>) -> Option<Available> {
        let parsed = PHONE_NUMBER_UTIL.parse(&number, None).ok()?;
        // An area that nobody asked for may give way to the pattern.
        let is_asked = [&self.search.area_code, &self.search.region, &self.search.locality];
        let area = area.filter(|_| is_asked.into_iter().any(Option::is_some));
        let own = &number[1 + self.code.to_string().len()..];
        let answers = area.is_none_or(|area| own.starts_with(area.as_str()))
            && self.search.contains.as_ref().is_none_or(|pattern| pattern.is_in(&number))
            && parsed.format_as(PhoneNumberFormat::E164) == number
            && is_right(&parsed, self.region, self.kind);
        answers.then(|| Available {
            friendly_name: parsed.format_as(PhoneNumberFormat::National).into_owned(),
            locality: if self.kind == Kind::Local {
                Locality::of(&number)
            } else {
                Locality { country: self.search.country.clone(), ..Locality::default() }
            },
            phone_number: number,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(kind: Kind, count: usize, change: impl FnOnce(&mut Search)) -> Vec<Available> {
        let mut one = Search { country: "US".to_owned(), ..Search::default() };
        change(&mut one);
        let numbers = search(&one, kind, count, 7);
        for number in &numbers {
            let lookup = super::super::lookup::look_up(&number.phone_number, None);
            assert!(lookup.is_valid(), "{number:?}");
            assert_eq!(lookup.country_code.as_deref(), Some(one.country.as_str()), "{number:?}");
            assert_eq!(lookup.national_format.as_ref(), Some(&number.friendly_name));
        }
        numbers
    }

    #[test]
    fn kinds_are_the_plans() {
        for (number, wanted) in [
            ("+14155550123", Kind::Local),
            ("+18005550123", Kind::TollFree),
            ("+447400123456", Kind::Mobile),
            ("+442071838750", Kind::Local),
            ("+15551230001", Kind::Local),
            ("+15005550006", Kind::Local),
        ] {
            assert_eq!(Kind::of(number), wanted, "{number}");
        }
    }

    #[test]
    fn the_same_question_has_the_same_numbers_and_another_seed_others() {
        let one = Search { country: "US".to_owned(), ..Search::default() };
        let numbers = search(&one, Kind::Local, 30, 7);
        assert_eq!(numbers.len(), 30);
        assert_eq!(numbers, search(&one, Kind::Local, 30, 7));
        assert_eq!(numbers[..3], search(&one, Kind::Local, 3, 7), "however many are asked for");
        assert_ne!(numbers, search(&one, Kind::Local, 30, 8));
        let cities: BTreeSet<&str> = numbers.iter().map(|number| number.locality.city).collect();
        assert!(cities.len() > 10 && !cities.contains(""), "{cities:?}");
    }

    #[test]
    fn every_country_has_numbers_of_the_kinds_that_it_has() {
        let mut without = Vec::new();
        for region in PHONE_NUMBER_UTIL.get_supported_regions() {
            let country = region.to_string();
            for kind in kinds(&country) {
                let numbers = found(kind, 3, |one| one.country = country.clone());
                if numbers.len() < 3 {
                    without.push((country.clone(), kind, numbers.len()));
                }
            }
        }
        // Where a plan has room for so few, few are there.
        assert_eq!(without, [("IR".to_owned(), Kind::National, 1)]);
        assert_eq!(kinds("US"), [Kind::Local, Kind::TollFree]);
        assert!(kinds("GB").contains(&Kind::Mobile) && kinds("XX").is_empty());
        assert_eq!(found(Kind::Mobile, 3, |_| {}), []);
    }

    #[test]
    fn numbers_have_what_was_asked_for() {
        let fresno = found(Kind::Local, 5, |one| one.area_code = Some("559".to_owned()));
        assert!(
            fresno.len() == 5 && fresno.iter().all(|one| one.phone_number.starts_with("+1559")),
            "{fresno:?}"
        );
        assert!(fresno.iter().all(|one| one.locality.city == "FRESNO" && one.locality.state == "CA"));
        let texas = found(Kind::Local, 9, |one| one.region = Some("TX".to_owned()));
        assert!(texas.len() == 9 && texas.iter().all(|one| one.locality.state == "TX"), "{texas:?}");
        let boston = found(Kind::Local, 4, |one| one.locality = Some("Boston".to_owned()));
        assert!(boston.len() == 4 && boston.iter().all(|one| one.locality.city == "BOSTON"), "{boston:?}");
        let free = found(Kind::TollFree, 4, |one| one.area_code = Some("888".to_owned()));
        assert!(free.len() == 4 && free.iter().all(|one| one.phone_number.starts_with("+1888")), "{free:?}");
        let contains = |text: &str| {
            let pattern = Pattern::read(text);
            found(Kind::Local, 4, |one| one.contains = pattern)
        };
        let ends = [("734", "734"), ("CAB", "222"), ("+1212", "+1212")];
        for (text, digits) in ends {
            let numbers = contains(text);
            assert!(
                numbers.len() == 4 && numbers.iter().all(|one| one.phone_number.contains(digits)),
                "{text} {numbers:?}"
            );
        }
        let numbers = contains("415***77");
        assert_eq!(numbers.len(), 4);
        let german = found(Kind::Mobile, 4, |one| {
            one.country = "DE".to_owned();
            one.contains = Pattern::read("4711");
        });
        assert!(
            german.len() == 4 && german.iter().all(|one| one.phone_number.starts_with("+491")),
            "{german:?}"
        );
    }

    #[test]
    fn what_no_number_has_finds_none() {
        for area in ["555", "000", "4155550123999", "x"] {
            assert_eq!(found(Kind::Local, 2, |one| one.area_code = Some(area.to_owned())), [], "{area}");
        }
        assert_eq!(found(Kind::Local, 2, |one| one.region = Some("ZZ".to_owned())), []);
        assert_eq!(found(Kind::Local, 2, |one| one.contains = Pattern::read("+99")), []);
        assert_eq!(found(Kind::Local, 2, |one| one.country = "XX".to_owned()), []);
        assert_eq!(found(Kind::Local, 0, |_| {}), []);
    }
}
