//! Values that cannot be printed by accident.
//!
//! This module refuses to know what the secret is for. It has no `Display`,
//! its `Debug` shows nothing of the value, and it compares in constant time.

use serde::Deserialize;
use std::fmt;
use subtle::ConstantTimeEq;

/// A secret text: an auth token, an API key, a code key.
///
/// Read it with [`Secret::expose`], which is the one word to search for when
/// reviewing where secrets go.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value in clear. Never log, store or return it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// True when there is nothing in it; an empty secret proves nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "Secret(empty)" } else { "Secret(***)" })
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        // Overwriting is best effort: moves may have left copies behind.
        let mut bytes = std::mem::take(&mut self.0).into_bytes();
        bytes.fill(0);
        std::hint::black_box(&bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_show_in_debug_output() {
        let shown = format!("{:?}", Some(Secret::new("0af657d0e70acabaf35ab0f0f84481e5")));
        assert_eq!(shown, "Some(Secret(***))");
    }
}
