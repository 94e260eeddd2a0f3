//! A name for what is not to be read in it.

use sha2::{Digest, Sha256};

/// A hash of texts, in which none runs into the next.
pub(in crate::app) fn hash(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex::encode(hash.finalize())
}
