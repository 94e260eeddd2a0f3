//! A block of consecutive numbers, said by its first and its last. It refuses to know what
//! stands before it.

use super::bad_target::BadTarget;

/// What the numbers of a block begin with, where a text without spaces names its first and
/// its last; nothing where it is no such text.
///
/// # Errors
/// Two numbers that are not the ends of a block.
pub(super) fn block_of(text: &str) -> Result<Option<String>, BadTarget> {
    let Some((first, last)) = text.split_once("-+") else { return Ok(None) };
    let (first, last) = (first.replace('-', ""), format!("+{}", last.replace('-', "")));
    let alike = first.bytes().zip(last.bytes()).take_while(|(one, other)| one == other).count();
    let (begins, from) = first.split_at(alike.min(first.len()));
    let to = &last[alike.min(last.len())..];
    let is_block = first.len() == last.len()
        && from.bytes().all(|digit| digit == b'0')
        && to.bytes().all(|digit| digit == b'9');
    match is_block {
        true => Ok(Some(begins.to_owned())),
        false => Err(BadTarget::new(
            "range: its ends are not those of ten, a hundred or a thousand consecutive numbers, like \
             +14155550000-+14155550999; name several ranges",
        )),
    }
}
