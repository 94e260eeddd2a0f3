//! The tokens and keys that sign, when none is given: those of the configuration,
//! and the sandbox's own where it has made one on this machine.
//!
//! It refuses to print any of them; each is spoken of by its label.

use crate::cli::Global;
use crate::cli::kept::store_dir;
use crate::cli::local::{self, Local};
use crate::cli::serve::parts;
use crate::config::Config;
use crate::entropy::Entropy;
use crate::secret::Secret;
use crate::twilio::signature::{SharedKey, Token};
use anyhow::{Context, bail};

/// What may have signed.
#[derive(Default)]
pub struct Known {
    /// Tokens, the main account's own first.
    pub tokens: Vec<Token>,
    /// Shared keys, which have an id and an algorithm of their own.
    pub shared: Vec<SharedKey>,
}

impl Known {
    /// What is configured.
    ///
    /// # Errors
    /// When the configuration is not right, or has nothing that signs.
    pub fn configured(global: &Global) -> anyhow::Result<Self> {
        let config = match crate::cli::configured::load(global) {
            Ok(loaded) => loaded.config,
            // Who has but a token needs no configuration that is whole.
            Err(problems) => match std::env::var(VARIABLE).ok().filter(|token| !token.is_empty()) {
                Some(token) => {
                    let secret = Secret::new(token);
                    let token = Token { label: VARIABLE.to_owned(), account: None, secret };
                    return Ok(Self { tokens: vec![token], shared: Vec::new() });
                }
                None => bail!("no token is given, and the configuration is not right:\n{problems}"),
            },
        };
        let local = made_here(&config)?;
        let tokens = parts::tokens(&config, local.as_ref());
        let tokens =
            tokens.into_iter().map(|token| Token { label: format!("twilio.{}", token.label), ..token });
        let known = Self { tokens: tokens.collect(), shared: parts::shared_keys(&config, local.as_ref()) };
        if known.tokens.is_empty() && known.shared.is_empty() {
            bail!("no token is configured: set twilio.auth_token or TWILIO_AUTH_TOKEN, or give --token-file");
        }
        Ok(known)
    }

    /// The token of an account, or the main one.
    ///
    /// # Errors
    /// When there is none.
    pub fn token(self, account: Option<&str>) -> anyhow::Result<Token> {
        let is_meant = |token: &Token| account.is_none() || token.account.as_deref() == account;
        let found = self.tokens.into_iter().find(is_meant);
        match account {
            Some(account) => found.with_context(|| format!("no token of {account} is configured")),
            None => found.context("no token is configured: set twilio.auth_token, or give --token-file"),
        }
    }

    /// The one shared key.
    ///
    /// # Errors
    /// When there are none or several.
    pub fn shared_key(self) -> anyhow::Result<SharedKey> {
        let several = self.shared.len() > 1;
        match self.shared.into_iter().next() {
            Some(key) if !several => Ok(key),
            Some(_) => bail!("signature.shared_keys has several: give the secret of one with --token-file"),
            None => bail!("signature.shared_keys is empty: set it, or give the secret with --token-file"),
        }
    }
}

/// What the token is called to people: its label, and whose it is.
pub fn in_words(label: &str, account: Option<&str>) -> String {
    account.map_or_else(|| label.to_owned(), |account| format!("{label} of {account}"))
}

/// Twilio's own variable for the token.
const VARIABLE: &str = "TWILIO_AUTH_TOKEN";

/// What the sandbox has made for itself, if it ever ran here.
fn made_here(config: &Config) -> anyhow::Result<Option<Local>> {
    let dir = store_dir(config).filter(|dir| config.sandbox.enabled && dir.join(local::NAME).exists());
    dir.map(|dir| Local::load(Some(dir), &Entropy::system())).transpose()
}
