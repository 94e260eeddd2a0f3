//! SIDs of what was configured: the same in every run with the same seed, so that
//! applications may write them down.

use sha2::{Digest, Sha256};

/// The SID of something by its name, such as a number: two letters and 32 hexadecimal
/// digits, made of the seed.
pub(super) fn lasting_sid(prefix: &str, seed: u64, name: &str) -> String {
    let digest = Sha256::new().chain_update(seed.to_be_bytes()).chain_update(prefix).chain_update(name);
    format!("{prefix}{}", hex::encode(&digest.finalize()[..16]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sid_is_of_its_kind_its_seed_and_its_name() {
        let sid = lasting_sid("PN", 7, "+15005550006");
        assert!(super::super::fields::is_sid(&sid, "PN"), "{sid}");
        assert_eq!(sid, lasting_sid("PN", 7, "+15005550006"));
        let others = [("XE", 7, "+15005550006"), ("PN", 8, "+15005550006"), ("PN", 7, "+15005550007")];
        for (prefix, seed, name) in others {
            assert_ne!(sid[2..], lasting_sid(prefix, seed, name)[2..], "{prefix} {seed} {name}");
        }
    }
}
