//! Where the data is, for the commands that care for it: behind the running
//! server, which alone can open its store, or in a store that is opened here.

use super::client::{Client, Target, store_dir};
use super::serve::open_store;
use crate::config::{Config, StoreUrl};
use crate::store::Store;
use anyhow::bail;
use indicatif::{ProgressBar, ProgressStyle};
use std::sync::Arc;
use std::time::Duration;

/// Where the data is.
pub enum Place {
    /// Behind a running server.
    Server(Client),
    /// Here.
    Store(Arc<dyn Store>),
}

impl Place {
    /// The configured store, or the server that runs on it. Only who brings
    /// data may make a store where there is none.
    ///
    /// # Errors
    /// When there is none, or it cannot be opened.
    pub async fn find(config: &Config, may_make: bool) -> anyhow::Result<Self> {
        if let Some(client) = Client::find(&Target::default(), config).await? {
            return Ok(Self::Server(client));
        }
        if config.store.url == StoreUrl::Memory {
            bail!(
                "store.url = \"memory:\" is in the server's memory alone: nothing else can read or write it"
            );
        }
        match store_dir(config) {
            Some(dir) if !may_make && matches!(config.store.url, StoreUrl::Sled(_)) && !dir.exists() => {
                bail!("no server is running, and {} is no store: name the server's --config", dir.display())
            }
            _ => Ok(Self::Store(open_store(config).await?.0)),
        }
    }

    /// Lets go of it.
    pub async fn close(&self) {
        if let Self::Store(store) = self {
            store.close().await;
        }
    }
}

/// What is shown of the way so far, on a terminal: records, and of how many
/// where that is known.
pub fn progress(what: &'static str, of: Option<u64>) -> ProgressBar {
    let (bar, template) = match of {
        Some(of) => (ProgressBar::new(of), "{msg} {wide_bar} {human_pos}/{human_len}, {per_sec}, {eta}"),
        None => (ProgressBar::new_spinner(), "{msg} {human_pos} records, {per_sec}, {elapsed}"),
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_message(what);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Counts by their names, in words.
pub fn in_words<'n>(counts: impl IntoIterator<Item = (&'n str, u64)>) -> String {
    let words: Vec<String> = counts.into_iter().map(|(name, count)| format!("{count} {name}")).collect();
    if words.is_empty() { "nothing".to_owned() } else { words.join(", ") }
}
