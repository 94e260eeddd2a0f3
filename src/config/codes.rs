//! `[codes]`: the keys that codes are derived from.
//!
//! It refuses to know how a code comes of a key.

use super::reader::Reader;
use crate::secret::Secret;

/// What codes are derived from.
#[derive(Clone, Debug)]
pub struct Codes {
    /// The first is the current one; empty only with the sandbox, or a stand-in
    /// for Twilio on this machine.
    pub keys: Vec<CodeKey>,
}

/// A key that codes are derived from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeKey {
    /// What verifications remember it by.
    pub id: String,
    /// At least 32 bytes of text.
    pub secret: Secret,
}

impl Codes {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        Self { keys: r.list("codes.keys", CodeKey::read) }
    }
}

/// Bytes a code key needs; `openssl rand -hex 32` gives twice as many.
const SHORTEST: usize = 32;

impl CodeKey {
    fn read(r: &mut Reader<'_>, path: &str, item: &toml::Value) -> Option<Self> {
        let table = item.as_table();
        let id = table.and_then(|table| table.get("id")?.as_str()).filter(|id| !id.is_empty());
        let (Some(table), Some(id)) = (table, id) else {
            r.note(path, "has no id", "write { id = \"2026-11\", secret = \"…\" }");
            return None;
        };
        r.only(path, table, &["id", "secret", "secret_file"]);
        let (of, secret) = r.secret_in(path, table, "secret")?;
        let secret = r.checked_secret(&of, secret)?;
        if secret.expose().len() < SHORTEST {
            let what = format!("{id:?} has fewer than {SHORTEST} bytes");
            r.note(&of, what, "make one with `openssl rand -hex 32`");
            return None;
        }
        Some(Self { id: id.to_owned(), secret })
    }
}
