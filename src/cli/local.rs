//! What is made once on this machine where nothing is configured: the
//! sandbox's account and the key that derives its codes. Kept in a file of
//! mode 0600 in the store's directory, or in `store.state_dir` where the store is
//! a database; with a store in memory it lives as long.

use super::whole_file::{sync_names, write_private_once};
use crate::entropy::Entropy;
use crate::model::code::{CodeKey, CodeKeys};
use crate::secret::Secret;
use anyhow::Context;
use serde::Deserialize;
use serde_json::json;
use std::fs;
use std::path::Path;

/// The file's name.
pub(super) const NAME: &str = "local.json";

/// Secrets of this machine alone.
#[derive(Debug, Clone, Deserialize)]
pub struct Local {
    /// The sandbox's account SID.
    pub account_sid: String,
    /// Its auth token.
    pub auth_token: Secret,
    /// The API key that the sandbox's page uses, and that is printed at start.
    pub api_key: Secret,
    /// The key that codes are derived with, where none is configured.
    pub code_key: Secret,
}

impl Local {
    /// Reads them, or makes them at the first start.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn load(store_dir: Option<&Path>, entropy: &Entropy) -> anyhow::Result<Self> {
        let Some(path) = store_dir.map(|dir| dir.join(NAME)) else {
            return Ok(Self::make(entropy));
        };
        if path.exists() {
            return Self::read(&path);
        }
        let local = Self::make(entropy);
        let text = json!({
            "account_sid": local.account_sid,
            "auth_token": local.auth_token.expose(),
            "api_key": local.api_key.expose(),
            "code_key": local.code_key.expose(),
        });
        let is_ours = write_private_once(&path, text.to_string().as_bytes())
            .with_context(|| format!("cannot write {}", path.display()))?;
        // Of several processes that start at once all take what the first made.
        if is_ours { Ok(local) } else { Self::read(&path) }
    }

    fn read(path: &Path) -> anyhow::Result<Self> {
        // Whoever wrote it may have died before its name was durable.
        sync_names(path).with_context(|| format!("cannot sync {}", path.display()))?;
        let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_slice(&text)
            .with_context(|| format!("{} is damaged; without it codes that are under way cannot be checked: restore it, or delete it to make new secrets", path.display()))
    }

    /// The key for codes where none is configured.
    ///
    /// # Errors
    /// When the file was altered by hand.
    pub fn code_keys(&self) -> anyhow::Result<CodeKeys> {
        let key = CodeKey { id: "local".to_owned(), secret: self.code_key.clone() };
        Ok(CodeKeys::new(vec![key])?)
    }

    fn make(entropy: &Entropy) -> Self {
        Self {
            account_sid: format!("AC{}", entropy.hex::<16>()),
            auth_token: Secret::new(entropy.hex::<16>()),
            api_key: Secret::new(format!("dbk_sandbox_{}", entropy.hex::<16>())),
            code_key: Secret::new(entropy.hex::<32>()),
        }
    }
}
