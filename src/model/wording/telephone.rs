//! Telephone numbers among words: whoever can put one there has people call it in
//! the brand's name. It refuses to know whose a number is, and whether there is it.

use crate::model::typed;

/// Digits of the shortest number in international form, and of the longest (E.164).
const INTERNATIONAL: std::ops::RangeInclusive<usize> = 8..=15;
/// The same in national form, with its 0.
const NATIONAL: std::ops::RangeInclusive<usize> = 9..=12;

/// Whether there is a telephone number in a text: in international form, in a
/// national one that begins with 0, or in North America's groups of 3, 3 and 4.
/// Dates, amounts, accounts and numbers of orders are none.
pub fn has_telephone(text: &str) -> bool {
    let text = typed::plain(text);
    let (mut rest, mut before) = (text.as_str(), None);
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit() || matches!(c, '+' | '(')) {
        let run = &rest[start..];
        let end = run.find(|c| !is_of_number(c)).unwrap_or(run.len());
        let (run, after) = run.split_at(end);
        let left = rest[..start].chars().next_back().or(before);
        let right = after.chars().next();
        let is_apart =
            |c: Option<char>| !c.is_some_and(|c| c.is_alphanumeric() || matches!(c, '#' | '_' | '-'));
        if is_apart(left)
            && (is_apart(right) || !run.ends_with(|c: char| c.is_ascii_digit()))
            && is_number(run)
        {
            return true;
        }
        (before, rest) = (run.chars().next_back(), after);
    }
    false
}

fn is_of_number(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, ' ' | '+' | '-' | '(' | ')' | '.' | '/')
}

fn is_number(run: &str) -> bool {
    let run = run.trim_matches([' ', '-', '.', '/']);
    let digits: String = run.chars().filter(char::is_ascii_digit).collect();
    let groups: Vec<usize> =
        run.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()).map(str::len).collect();
    let second = digits.as_bytes().get(1).copied().unwrap_or(b'0');
    if run.trim_start_matches('(').starts_with('+') {
        let is_amount = run.contains('.') && groups.iter().skip(1).all(|group| *group == 3);
        return INTERNATIONAL.contains(&digits.len()) && !digits.starts_with('0') && !is_amount;
    }
    if let Some(abroad) = digits.strip_prefix("00") {
        return INTERNATIONAL.contains(&abroad.len()) && !abroad.starts_with('0') && groups[0] > 1;
    }
    if digits.starts_with('0') {
        return NATIONAL.contains(&digits.len()) && second != b'0' && !is_date(&groups) && groups[0] > 1;
    }
    match groups[..] {
        [3, 3, 4] => true,
        [1, 3, 3, 4] => digits.starts_with('1'),
        _ => false,
    }
}

/// Whether a day stands at the beginning: `07.11.2026`, `2026-11-07`.
fn is_date(groups: &[usize]) -> bool {
    matches!(groups, [1..=2, 1..=2, 4, ..] | [4, 1..=2, 1..=2, ..])
}
