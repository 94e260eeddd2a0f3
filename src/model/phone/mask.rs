//! What of an address is shown where nobody has asked for all of it. A calling
//! code is shown whole and nothing behind it but the end: `+12…` would read as
//! a number of another country. It refuses to know who looks.

/// Masks whatever address there may be: `+1********23`. `whatsapp:+…` keeps
/// its channel, names and short codes keep their last two characters.
pub fn mask(address: &str) -> String {
    let (channel, number) = match address.rsplit_once(':') {
        Some((channel, number)) => (format!("{channel}:"), number),
        None => (String::new(), address),
    };
    let length = number.chars().count();
    let head = match number.strip_prefix('+') {
        Some(digits) if length > 5 => 1 + calling_code(digits),
        _ if length > 7 => 3,
        _ => 0,
    };
    let tail = if length >= head + 5 { 2 } else { 0 };
    let shown = |(at, c): (usize, char)| if at < head || at + tail >= length { c } else { '*' };
    format!("{channel}{}", number.chars().enumerate().map(shown).collect::<String>())
}

/// How many of an E.164 number's digits are its calling code (ITU-T E.164,
/// Annex to Operational Bulletin 1114): none is the beginning of another.
fn calling_code(digits: &str) -> usize {
    match digits.as_bytes() {
        [b'1' | b'7', ..] => 1,
        [b'2', b'0' | b'7', ..]
        | [b'3', b'0'..=b'4' | b'6' | b'9', ..]
        | [b'4', b'0' | b'1' | b'3'..=b'9', ..]
        | [b'5', b'1'..=b'8', ..]
        | [b'6', b'0'..=b'6', ..]
        | [b'8', b'1' | b'2' | b'4' | b'6', ..]
        | [b'9', b'0'..=b'5' | b'8', ..] => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::region;

    #[test]
    fn a_mask_keeps_the_calling_code_and_the_end() {
        for (address, masked) in [
            ("+41524204242", "+41*******42"),
            ("+14155550123", "+1********23"),
            ("+420601123456", "+420*******56"),
            ("whatsapp:+41524204242", "whatsapp:+41*******42"),
            ("+6834002", "+683****"),
            ("12345", "***45"),
            ("Acme", "****"),
            ("MessageBird", "Mes******rd"),
        ] {
            assert_eq!(mask(address), masked);
        }
    }

    #[test]
    fn every_calling_code_is_shown_whole() {
        for region in region::all() {
            let code = region.calling_code.to_string();
            assert_eq!(calling_code(&format!("{code}5550123")), code.len(), "{}", region.id);
        }
    }
}
