//! What the running server leaves for the command line on the same machine:
//! where it is, and a key that only who can read the store's directory has.

use super::whole_file::write_private;
use crate::secret::Secret;
use serde::Deserialize;
use serde_json::json;
use std::fs;
use std::io;
use std::path::Path;

/// The file's name in the store's directory.
const NAME: &str = "operator.json";

/// What the file says.
#[derive(Debug, Clone, Deserialize)]
pub struct Operator {
    /// The server, `http://127.0.0.1:8000`.
    pub url: String,
    /// Its listener for this machine's own, when there is one.
    #[serde(default)]
    pub admin: Option<String>,
    /// The operator's key, good until the server stops.
    pub key: Secret,
    /// Where Twilio reaches the server; webhooks are signed for it.
    pub public_url: String,
    /// The sandbox's account, when there is a sandbox.
    pub account_sid: Option<String>,
    /// The sandbox's token; never a real one.
    pub auth_token: Option<Secret>,
}

/// Whether an entry of the directory is this file, or one half-written.
pub fn is_own(name: &str) -> bool {
    [NAME, super::local::NAME]
        .iter()
        .any(|own| name.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.ends_with(".new")))
}

impl Operator {
    /// What a running server left, `None` when there is nothing.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn read(store_dir: &Path) -> io::Result<Option<Self>> {
        match fs::read(store_dir.join(NAME)) {
            Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Leaves the file, readable by its owner only.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, store_dir: &Path) -> io::Result<()> {
        let text = json!({
            "url": self.url,
            "admin": self.admin,
            "key": self.key.expose(),
            "public_url": self.public_url,
            "account_sid": self.account_sid,
            "auth_token": self.auth_token.as_ref().map(Secret::expose),
        });
        write_private(&store_dir.join(NAME), text.to_string().as_bytes())
    }

    /// Takes the file away, unless another server of this machine has left its
    /// own there since.
    ///
    /// # Errors
    /// When it is there and stays.
    pub fn remove(&self, store_dir: &Path) -> io::Result<()> {
        if Self::read(store_dir)?.is_none_or(|there| there.key != self.key) {
            return Ok(());
        }
        match fs::remove_file(store_dir.join(NAME)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}
