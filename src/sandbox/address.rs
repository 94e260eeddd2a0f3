//! Who a message or call is for and from: telephone numbers, short codes,
//! alphanumeric senders and WhatsApp addresses.
//!
//! Only the shape is judged. Whether a range is assigned to anybody is not the
//! simulator's business: invented numbers are what it is for.

use std::fmt;

/// An address on a channel.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Address {
    /// True for `whatsapp:+…`.
    pub whatsapp: bool,
    /// The number in E.164, the short code or the alphanumeric name.
    pub number: String,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.whatsapp { "whatsapp:" } else { "" })?;
        f.write_str(&self.number)
    }
}

impl Address {
    /// Where a message or call can go: a telephone number, with or without
    /// `whatsapp:`.
    pub fn to(text: &str) -> Option<Self> {
        let (whatsapp, rest) = channel(text);
        e164(rest).map(|number| Self { whatsapp, number })
    }

    /// Where it can come from: also a short code or an alphanumeric sender.
    pub fn from(text: &str) -> Option<Self> {
        let (whatsapp, rest) = channel(text);
        let word = rest.trim_start();
        let plain = || (!whatsapp && (is_short_code(word) || is_name(word))).then(|| word.to_owned());
        let number = plain().or_else(|| e164(rest))?;
        Some(Self { whatsapp, number })
    }
}

fn channel(text: &str) -> (bool, &str) {
    match text.trim().strip_prefix("whatsapp:") {
        Some(rest) => (true, rest),
        // The space before a number was its plus.
        None => (false, text.trim_end()),
    }
}

/// A number in E.164 from what people write; without a plus only North
/// American ones are understood, as Twilio does. A plus that was not encoded arrives
/// as a space.
pub(super) fn e164(text: &str) -> Option<String> {
    let plus = text.trim_start().starts_with('+');
    if text.chars().any(|c| !c.is_ascii_digit() && !matches!(c, '+' | ' ' | '-' | '.' | '(' | ')')) {
        return None;
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    match (plus, digits.len()) {
        (true, 7..=15) if !digits.starts_with('0') => Some(format!("+{digits}")),
        (false, 10) => Some(format!("+1{digits}")),
        (false, 11) if digits.starts_with('1') => Some(format!("+{digits}")),
        (false, 7..=15) if text.starts_with(' ') && !digits.starts_with('0') => Some(format!("+{digits}")),
        _ => None,
    }
}

/// The number in a control's path, where a plus may be missing because a shell
/// or a URL ate it.
pub(super) fn in_path(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.strip_prefix("whatsapp:").unwrap_or(text);
    e164(&format!("+{}", text.trim_start_matches('+').trim_start()))
}

/// Three to six digits.
pub(super) fn is_short_code(text: &str) -> bool {
    (3..=6).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// Up to eleven letters, digits and a few signs, with at least one letter.
pub(super) fn is_name(text: &str) -> bool {
    (1..=11).contains(&text.len())
        && text.bytes().any(|b| b.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b" +-_&".contains(&b))
}

/// How a North American number is shown; others stay as they are.
pub(super) fn formatted(number: &str) -> String {
    match number.strip_prefix("+1") {
        Some(n) if n.len() == 10 => format!("({}) {}-{}", &n[..3], &n[3..6], &n[6..]),
        _ => number.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_twilio_reads_them() {
        let to = |text: &str| Address::to(text).map(|address| address.to_string());
        assert_eq!(to("+1 (555) 123-4567").as_deref(), Some("+15551234567"));
        assert_eq!(to("5551234567").as_deref(), Some("+15551234567"));
        assert_eq!(to("whatsapp:+4915112345678").as_deref(), Some("whatsapp:+4915112345678"));
        for wrong in ["", "1234567", "+0123456789", "+123456", "abc", "+1555123456x", "whatsapp:me"] {
            assert_eq!(to(wrong), None, "{wrong}");
        }
        // A form or a query whose plus was not encoded.
        for (text, wanted) in [
            (" 447700900123", "+447700900123"),
            (" 15551234567", "+15551234567"),
            ("whatsapp: 447700900123", "whatsapp:+447700900123"),
        ] {
            assert_eq!(to(text).as_deref(), Some(wanted), "{text}");
        }
        assert_eq!((to("447700900123"), to(" 0447700900")), (None, Some("+10447700900".to_owned())));
        let from = |text: &str| Address::from(text).map(|address| address.to_string());
        assert_eq!(from("Dialback").as_deref(), Some("Dialback"));
        assert_eq!(from("12345").as_deref(), Some("12345"));
        assert_eq!(from(" 12345 ").as_deref(), Some("12345"));
        assert_eq!(from("1234567"), None);
        assert_eq!(from("whatsapp:Dialback"), None);
    }

    #[test]
    fn a_number_in_a_path_may_have_lost_its_plus() {
        for text in ["+15551234567", "15551234567", " 15551234567"] {
            assert_eq!(in_path(text).as_deref(), Some("+15551234567"), "{text}");
        }
        assert_eq!(in_path("messages"), None);
    }

    #[test]
    fn north_american_numbers_are_shown_with_brackets() {
        assert_eq!(formatted("+13051416799"), "(305) 141-6799");
        assert_eq!(formatted("+442071838750"), "+442071838750");
    }
}
