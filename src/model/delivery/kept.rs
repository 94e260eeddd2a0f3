//! How much is kept of what is said.

/// A text that is no longer than any name, address or date that a provider has.
pub(super) fn cut(mut text: String) -> String {
    const MOST: usize = 256;
    let end = (0..=text.len().min(MOST)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    // What escapes in JSON has no place in a name either.
    text.truncate(end);
    text.retain(|c| !c.is_control());
    text
}
