//! Who a text comes from: a number, a short code or a name.
//!
//! It knows what networks carry: numbers of E.164, short codes, and names of at most
//! eleven characters (3GPP TS 23.040, 9.1.2.5). Whether anybody has been given one it
//! refuses to know.

use super::id::{given, is_sid};
use super::phone::{NumberPolicy, PhoneError, PhoneNumber};

/// Why a text is no sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoSender {
    /// What is wrong; never the text itself.
    pub what: String,
    /// What to write instead.
    pub mend: String,
}

/// The longest name, in characters.
const LONGEST_NAME: usize = 11;

/// Digits of a short code. Three are an emergency's.
const SHORT_CODE: std::ops::RangeInclusive<usize> = 4..=8;

/// Looks whether a text may come from there.
///
/// # Errors
/// What is wrong, and what to write instead.
pub fn check(text: &str) -> Result<(), NoSender> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty();
    if is_sid(text, given::MESSAGING_SERVICE) {
        return no("is a messaging service", "write it in messaging_service_sid");
    }
    if text
        .strip_prefix(given::MESSAGING_SERVICE)
        .is_some_and(|rest| text.len() > LONGEST_NAME || is_cut(rest))
    {
        let mend =
            format!("write {} and 32 hexadecimal digits in messaging_service_sid", given::MESSAGING_SERVICE);
        return no("is not the whole of a messaging service", &mend);
    }
    if text.contains(':') {
        return no("has a channel in front", "write the number alone; WhatsApp's is whatsapp_from");
    }
    if text.starts_with('+') {
        return check_number(text);
    }
    if digits && SHORT_CODE.contains(&text.len()) {
        return Ok(());
    }
    if digits && text.len() > *SHORT_CODE.end() {
        return no("is a number without + and country code", "write it like +15017122661");
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '+' | '-' | '_' | '&');
    let is_name = text.len() <= LONGEST_NAME
        && text.trim() == text
        && text.chars().all(fits)
        && text.chars().any(|c| c.is_ascii_alphabetic());
    match is_name {
        true => Ok(()),
        false => no(
            "is no number, no short code and no name",
            "write a number like +15017122661, a short code of 4 to 8 digits, or a name of at most 11 letters, \
             digits and spaces",
        ),
    }
}

/// The same for whatever people may write to: messaging services and addresses
/// of WhatsApp too.
///
/// # Errors
/// What is wrong, and what to write instead.
pub fn check_any(text: &str) -> Result<(), NoSender> {
    if is_sid(text, given::MESSAGING_SERVICE) {
        return Ok(());
    }
    match text.split_once(':') {
        Some(("whatsapp" | "rcs" | "messenger", name)) if !name.is_empty() => match name.starts_with('+') {
            true => check_number(name),
            false => Ok(()),
        },
        _ => check(text),
    }
}

/// Looks whether a number in international form could be anybody's. Whether its
/// country has given out such numbers is not asked: plans grow, and providers have
/// numbers for tests that are in none.
///
/// # Errors
/// What is wrong, and what to write instead.
pub fn check_number(text: &str) -> Result<(), NoSender> {
    const MEND: &str = "write the whole number in international form, like +15017122661";
    let digits = text.strip_prefix('+').unwrap_or_default();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return no("is no number in international form", MEND);
    }
    let policy = NumberPolicy { refuse: [].into(), ..NumberPolicy::default() };
    match PhoneNumber::parse(text, &policy) {
        Ok(_) | Err(PhoneError::NoSuchRange { .. } | PhoneError::RefusedKind(_)) => Ok(()),
        Err(error) => no(format!("is no number: {error}"), MEND),
    }
}

/// Whether these look like the first digits of a SID, and not like a word.
fn is_cut(rest: &str) -> bool {
    rest.len() >= 3
        && rest.bytes().all(|byte| byte.is_ascii_hexdigit())
        && rest.bytes().any(|byte| byte.is_ascii_digit())
}

fn no(what: impl Into<String>, mend: &str) -> Result<(), NoSender> {
    Err(NoSender { what: what.into(), mend: mend.to_owned() })
}

/// Whether texts are handed to a messaging service, which finds who they come from.
pub fn is_messaging_service(sender: &str) -> bool {
    is_sid(sender, given::MESSAGING_SERVICE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_networks_send_from_is_a_sender_and_nothing_else_is() {
        for sender in [
            "+15017122661",
            "+15005550006",
            "+4915123456789",
            "+447700900123",
            "12345",
            "894546",
            "Dialback",
            "My Shop 24",
            "A&B-C_D+E",
        ] {
            assert_eq!(check(sender), Ok(()), "{sender}");
        }
        let service = format!("MG{:032x}", 7);
        for (wrong, what) in [
            (service.as_str(), "is a messaging service"),
            (&service[..33], "not the whole of a messaging service"),
            ("MG0123", "not the whole of a messaging service"),
            ("5017122661", "without + and country code"),
            ("15017122661", "without + and country code"),
            ("+555", "too short"),
            ("555", "is no number, no short code"),
            ("+150171226611234", "is no number"),
            ("+1501712266", "too short"),
            ("+999123456789", "is no number"),
            ("+1 (501) 712-2661", "is no number in international form"),
            ("whatsapp:+15017122661", "has a channel"),
            ("TwelveLetter", "is no number, no short code"),
            ("Käse", "is no number, no short code"),
            (" Shop", "is no number, no short code"),
            ("", "is no number, no short code"),
        ] {
            let found = check(wrong).unwrap_err();
            assert!(found.what.contains(what), "{wrong}: {found:?}");
        }
        for sender in [service.as_str(), "whatsapp:+15017122661", "+15017122661", "12345"] {
            assert_eq!(check_any(sender), Ok(()), "{sender}");
        }
        for wrong in ["whatsapp:+555", "MG1", "5017122661"] {
            // What looks like a name is one: a sender may be called MG1.
            assert_eq!(check_any(wrong).is_ok(), wrong == "MG1", "{wrong}");
        }
    }
}
