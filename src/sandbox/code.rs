//! The code in what somebody wrote or said, as a person would copy it. It refuses
//! to know what codes are for and how long this one should be.

/// The fewest and the most digits of a code.
const DIGITS: std::ops::RangeInclusive<usize> = 4..=10;
/// The length that goes before others.
const USUAL: usize = 6;

/// The first code of six digits, else the first of 4 to 10: written in one, in
/// groups of one length (`123-456`), or spoken digit by digit (`4, 8, 1, 5`). What
/// has a plus before it is a telephone number.
pub(super) fn code_in(text: &str) -> Option<String> {
    let codes = runs(text).into_iter().flat_map(|groups| codes_of(&groups)).collect::<Vec<_>>();
    codes.iter().find(|code| code.len() == USUAL).or_else(|| codes.first()).cloned()
}

/// The runs of groups of digits that are no telephone number: between two groups
/// stands a blank, a hyphen, or a comma with or without a blank.
fn runs(text: &str) -> Vec<Vec<String>> {
    let mut runs: Vec<(bool, Vec<String>)> = Vec::new();
    let mut between = String::new();
    for letter in text.chars() {
        if !letter.is_ascii_digit() {
            between.push(letter);
            continue;
        }
        match (runs.last_mut(), between.as_str()) {
            (Some((_, groups)), "") => {
                groups.iter_mut().next_back().into_iter().for_each(|it| it.push(letter))
            }
            (Some((_, groups)), " " | "-" | "," | ", ") => groups.push(letter.to_string()),
            _ => runs.push((between.ends_with('+'), vec![letter.to_string()])),
        }
        between.clear();
    }
    runs.into_iter().filter(|(is_number, _)| !is_number).map(|(_, groups)| groups).collect()
}

fn codes_of(groups: &[String]) -> Vec<String> {
    let first = groups.first().map_or(0, String::len);
    let joined = groups.concat();
    let is_one = groups.len() > 1 && groups.iter().all(|group| group.len() == first) && first <= 4;
    if is_one && DIGITS.contains(&joined.len()) {
        return vec![joined];
    }
    groups.iter().filter(|group| DIGITS.contains(&group.len())).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_as_a_person_finds_it() {
        for (text, code) in [
            ("Your Acme code is 481516.", Some("481516")),
            ("481516", Some("481516")),
            ("G-481516 is your code", Some("481516")),
            ("Your code is 481-516", Some("481516")),
            ("Your code is 481 516, valid 10 minutes", Some("481516")),
            ("Your code is 4 8 1 5 1 6.", Some("481516")),
            ("4, 8, 1, 5", Some("4815")),
            ("Your code is: 6 8 4 1 4 1 5 0 Once more, your code is: 6 8 4 1 4 1 5 0", Some("68414150")),
            ("In 2026 your code is 481516", Some("481516")),
            ("Use 0421 within 10 minutes", Some("0421")),
            ("Call +15551234567 with 4815", Some("4815")),
            ("Your parcel has left", None),
            ("", None),
            ("It costs 12 of 345", None),
        ] {
            assert_eq!(code_in(text).as_deref(), code, "{text}");
        }
    }
}
