//! The parameters of a voice request in their exact form.
//!
//! What is signed has nothing between names and values, so whoever has a copy of a
//! request can cut it into other pairs under the same signature: a status, or what
//! answered, would then stand where nobody looks for it. So of what a call hears a
//! secret for, each name stands where it can stand, once, and each value is of its
//! exact form; whatever else is there is no request of Twilio's.
//! This module refuses to know which calls are ours.

use super::callback::{first, is_machine};
use super::mac::tail;
use super::status;
use crate::model::id::Sid;
use std::collections::BTreeSet;

/// What a call says of itself.
#[derive(Clone, PartialEq, Eq)]
pub struct VoiceParams {
    /// The call's SID, as Twilio names it.
    pub sid: Sid,
    /// Whether a machine answered, as far as this request says.
    pub machine: bool,
    /// Who calls, where it says so.
    pub from: Option<String>,
    /// Who is called, where it says so.
    pub to: Option<String>,
    /// Keys that were pressed; empty for none.
    pub digits: String,
}

/// The longest name of a parameter, in bytes. Twilio's own have 30 at most.
const LONGEST_NAME: usize = 64;
/// The most keys in one answer.
const MOST_DIGITS: usize = 32;

/// Names on which it depends what a call hears, each with the names of Twilio's
/// that contain it.
const GUARDED: [(&str, &[&str]); 5] = [
    ("AccountSid", &["ParentAccountSid"]),
    ("AnsweredBy", &[]),
    ("CallSid", &["ParentCallSid", "DialCallSid"]),
    ("CallStatus", &["DialCallStatus"]),
    ("Digits", &[]),
];

/// Reads the parameters of a call that goes on; `None` for whatever is not of the
/// exact form, and for a call that has ended.
pub fn exact(pairs: &[(String, String)]) -> Option<VoiceParams> {
    read(pairs, false)
}

/// Whether this is the exact form of what is said of a call that has ended: a
/// request's last word, after which nothing is read out.
pub fn is_end(pairs: &[(String, String)]) -> bool {
    read(pairs, true).is_some()
}

fn read(pairs: &[(String, String)], has_ended: bool) -> Option<VoiceParams> {
    let names: BTreeSet<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
    if names.len() != pairs.len() || !names.iter().all(|name| is_name(name)) || !is_uncut(pairs) {
        return None;
    }
    let every = |name: &str, is_form: &dyn Fn(&str) -> bool| first(pairs, name).is_none_or(is_form);
    let has_forms = every("AccountSid", &is_account)
        && first(pairs, "CallStatus").map_or(!has_ended, |status| is_status(status, has_ended))
        && every("AnsweredBy", &is_word)
        && every("Digits", &is_keys)
        && every("Direction", &|direction| direction == "outbound-api")
        && every("ApiVersion", &|version| version.len() == 10 && version.starts_with("20"))
        && ["From", "To", "Caller", "Called"].iter().all(|name| every(name, &is_address));
    let same = |one: &str, other: &str| {
        let (one, other) = (first(pairs, one), first(pairs, other));
        one.zip(other).is_none_or(|(one, other)| one == other)
    };
    if !has_forms || !same("From", "Caller") || !same("To", "Called") {
        return None;
    }
    Some(VoiceParams {
        sid: first(pairs, "CallSid")?.parse().ok().filter(Sid::is_call)?,
        machine: is_machine(pairs),
        from: first(pairs, "From").map(str::to_owned),
        to: first(pairs, "To").map(str::to_owned),
        digits: first(pairs, "Digits").unwrap_or_default().to_owned(),
    })
}

/// Whether each guarded name stands in the text that is signed as often as it is
/// the name of a parameter: elsewhere it was cut into something else.
fn is_uncut(pairs: &[(String, String)]) -> bool {
    let signed = tail(pairs);
    GUARDED.iter().all(|(guarded, longer)| {
        let stands = pairs.iter().filter(|(name, _)| name == guarded || longer.contains(&name.as_str()));
        signed.matches(guarded).count() == stands.count()
    })
}

fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(is_plain)
}

fn is_account(sid: &str) -> bool {
    sid.strip_prefix("AC")
        .is_some_and(|rest| rest.len() == 32 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn is_status(word: &str, is_final: bool) -> bool {
    status::read(word).is_some_and(|status| status.is_final() == is_final)
}

/// `human`, `machine_end_beep`, and what may come.
fn is_word(word: &str) -> bool {
    word.len() <= 32 && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

fn is_keys(digits: &str) -> bool {
    digits.len() <= MOST_DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit() || b"*#".contains(&byte))
}

/// A number in E.164, or what stands where a number is not known or none: a SIP
/// address, a client's name, `anonymous`.
fn is_address(address: &str) -> bool {
    match address.strip_prefix('+') {
        Some(digits) => (3..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()),
        None => {
            let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\"<>".contains(&byte);
            (1..=256).contains(&address.len()) && address.bytes().all(is_plain)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CALL: &str = "CA5629a724cf3acc3d9dcd56e449ebabde";
    const ACCOUNT: &str = "AC5629a724cf3acc3d9dcd56e449ebabde";

    fn whole() -> Vec<(String, String)> {
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        [
            ("AccountSid", ACCOUNT),
            ("AnsweredBy", "human"),
            ("ApiVersion", "2010-04-01"),
            ("CallSid", CALL),
            ("CallStatus", "in-progress"),
            ("CallToken", "%7B%22parentCallInfoToken%22%7D"),
            ("Called", "+14155550123"),
            ("CalledCity", "SAN FRANCISCO"),
            ("Caller", "+15005550006"),
            ("Digits", "1"),
            ("Direction", "outbound-api"),
            ("From", "+15005550006"),
            ("To", "+14155550123"),
            ("ToZip", ""),
        ]
        .map(own)
        .to_vec()
    }

    fn with(name: &str, value: &str) -> Vec<(String, String)> {
        let mut pairs = whole();
        pairs.retain(|(other, _)| other != name);
        pairs.push((name.to_owned(), value.to_owned()));
        pairs
    }

    #[test]
    fn twilios_own_requests_are_read() {
        let read = exact(&whole()).unwrap();
        assert_eq!((read.sid.as_str(), read.digits.as_str(), read.machine), (CALL, "1", false));
        assert!(exact(&with("AnsweredBy", "machine_end_silence")).unwrap().machine);
        for (name, value) in [
            ("From", "client:alice"),
            ("From", "anonymous"),
            ("ParentCallSid", CALL),
            ("FinishedOnKey", "#"),
            ("msg", "Gather End"),
            ("SipHeader_X-Name", "a b"),
            ("Digits", ""),
        ] {
            let mut pairs = with(name, value);
            pairs.retain(|(name, _)| name != "Caller");
            assert!(exact(&pairs).is_some(), "{name}={value}");
        }
    }

    #[test]
    fn an_end_is_one_in_its_exact_form_alone() {
        for status in ["completed", "busy", "no-answer", "failed", "canceled"] {
            assert!(is_end(&with("CallStatus", status)), "{status}");
        }
        let mut cut = with("CallStatus", "completed");
        cut.retain(|(name, _)| name != "CallSid");
        for pairs in [whole(), with("CallStatus", "Completed"), with("CallStatus", "completedCallSid"), cut] {
            assert!(!is_end(&pairs));
        }
    }

    #[test]
    fn whatever_is_not_exact_is_none() {
        for (name, value) in [
            ("CallSid", "CA5629"),
            ("CallSid", "SM5629a724cf3acc3d9dcd56e449ebabde"),
            ("CallSid", "CA5629a724cf3acc3d9dcd56e449ebabde "),
            ("AccountSid", "AC5629"),
            ("AccountSid", "AC5629a724cf3acc3d9dcd56e449ebabdeA"),
            ("CallStatus", "completed"),
            ("CallStatus", "In-Progress"),
            ("CallStatus", "in-progressCalled"),
            ("AnsweredBy", "human2"),
            ("Digits", "1Direction"),
            ("Direction", "inbound"),
            ("ApiVersion", "x"),
            ("To", "+1415555012x"),
            ("To", "+14155550124"),
            ("From", "+"),
            ("From", "a b"),
            ("CalledCity", "AnsweredBymachine_start"),
            ("Odd name", "1"),
            ("", "1"),
        ] {
            assert!(exact(&with(name, value)).is_none(), "{name}={value}");
        }
        let mut twice = whole();
        twice.push(("CalledCity".into(), "SAN FRANCISCO".into()));
        assert!(exact(&twice).is_none());
    }

    /// All ways to cut the text that is signed into pairs whose order it keeps.
    fn cut(text: &str, at: &[usize]) -> Vec<(String, String)> {
        let mut ends: Vec<usize> = at.iter().map(|at| at % text.len()).collect();
        ends.extend([0, text.len()]);
        ends.sort_unstable();
        let parts: Vec<&str> = ends.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
        parts
            .chunks(2)
            .map(|pair| (pair[0].to_owned(), pair.get(1).copied().unwrap_or_default().to_owned()))
            .collect()
    }

    proptest! {
        /// Of a request that tells of a machine, or of an end, no cut is read as
        /// that of a person's call that goes on.
        #[test]
        fn no_cut_of_a_signed_text_hides_a_machine_or_an_end(
            at in proptest::collection::vec(any::<usize>(), 1..40), is_end in any::<bool>(),
        ) {
            let (name, value) = if is_end { ("CallStatus", "completed") } else { ("AnsweredBy", "machine_start") };
            let signed = tail(&with(name, value));
            if let Some(read) = exact(&cut(&signed, &at)) {
                prop_assert!(read.machine && !is_end);
            }
        }
    }

    #[test]
    fn a_boundary_that_moves_by_any_step_hides_nothing() {
        for (name, value) in [("CallStatus", "completed"), ("AnsweredBy", "machine_start")] {
            let mut pairs = with(name, value);
            pairs.sort();
            for place in 0..pairs.len() {
                let whole = format!("{}{}", pairs[place].0, pairs[place].1);
                for at in 1..=whole.len() {
                    let mut cut = pairs.clone();
                    cut[place] = (whole[..at].to_owned(), whole[at..].to_owned());
                    prop_assert_none_or_machine(&cut, name);
                    // Joined with what comes before it.
                    if place > 0 {
                        let mut joined = pairs.clone();
                        let before = joined.remove(place - 1);
                        joined[place - 1] = (before.0, format!("{}{whole}", before.1));
                        prop_assert_none_or_machine(&joined, name);
                    }
                }
            }
        }
    }

    fn prop_assert_none_or_machine(pairs: &[(String, String)], name: &str) {
        if let Some(read) = exact(pairs) {
            assert!(read.machine && name == "AnsweredBy", "{pairs:?}");
        }
    }
}
