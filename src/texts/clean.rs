//! What is said of a service or a site, fit to stand in a text.

/// Longest value that is put into a message, in characters: a name, an amount,
/// a purpose.
const VALUE_MAX: usize = 120;

/// A value fit for one line of text: no line breaks, which could forge the last
/// line, no marks that turn the direction of what follows, no more than
/// [`VALUE_MAX`] characters.
pub(super) fn clean(value: &str) -> String {
    let turns = |char: char| matches!(char, '\u{200E}' | '\u{200F}' | '\u{061C}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let is_break = |char: char| char.is_control() || matches!(char, '\u{2028}' | '\u{2029}');
    let plain: String = value
        .chars()
        .filter(|char| !turns(*char))
        .map(|char| if is_break(char) { ' ' } else { char })
        .take(VALUE_MAX)
        .collect();
    plain.trim().to_owned()
}
