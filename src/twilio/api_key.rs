//! A key of Dialback's in the form of one of Twilio's, `SK…`, which Twilio's clients
//! look at before they show it.
//!
//! It refuses to know which keys there are.

use crate::model::key::{ID_LENGTH, split};
use crate::secret::Secret;

/// Digits of a SID behind the two letters of its kind.
const DIGITS: usize = 32;

/// The key that somebody shows as Twilio's clients do: a SID, in which zeros
/// before the id may be left out, and the secret part, or the key as it was shown.
/// `None` when the two do not go together.
pub fn of_sid(sid: &str, secret: &str) -> Option<Secret> {
    let digits = sid.strip_prefix("SK")?;
    let (zeros, id) = digits.split_at_checked(digits.len().checked_sub(ID_LENGTH)?)?;
    if zeros.len() > DIGITS - ID_LENGTH || zeros.bytes().any(|digit| digit != b'0') {
        return None;
    }
    let shown = match split(secret) {
        Some((named, _)) if named != id => return None,
        Some(_) => secret.to_owned(),
        None => format!("dbk_{id}_{secret}"),
    };
    split(&shown).is_some().then(|| Secret::new(shown))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::key::{ApiKey, Scope};
    use jiff::Timestamp;

    #[test]
    fn a_key_can_be_shown_as_twilios_clients_show_theirs() {
        let access = Scope::of_an_application().into();
        let (key, shown) = ApiKey::generate("shop", access, [0x0a; 6], [0xab; 32], Timestamp::UNIX_EPOCH);
        let secret = split(shown.expose()).unwrap().1;
        let name = format!("SK{:0>32}", key.id);
        for sid in [&*name, "SK0a0a0a0a0a0a", "SK000a0a0a0a0a0a"] {
            assert_eq!(of_sid(sid, secret).as_ref(), Some(&shown), "{sid}");
            assert_eq!(of_sid(sid, shown.expose()).as_ref(), Some(&shown), "{sid}");
        }
        let other = format!("SK{:0>32}", "0b0b0b0b0b0b");
        assert_eq!(of_sid(&other, shown.expose()), None, "another key's secret");
        assert_ne!(of_sid(&other, secret).as_ref(), Some(&shown));
        for sid in
            ["", "SK", "SK0a", "AC0a0a0a0a0a0a", "SK10000000000000000000000a0a0a0a0a0a", "SKé0a0a0a0a0a0"]
        {
            assert_eq!(of_sid(sid, secret), None, "{sid}");
        }
        let long = format!("SK0{}", &name[2..]);
        assert_eq!(of_sid(&long, secret), None);
        assert_eq!(of_sid(&name, "short"), None);
    }
}
