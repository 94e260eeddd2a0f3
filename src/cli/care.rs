//! Where the data is, for the commands that care for it: behind the running
//! server, which alone can open its store, or in a store that is opened here.

use super::client::{Client, Target};
use super::kept::store_dir;
use super::serve::open_store;
use crate::config::{Config, StoreUrl};
use crate::store::memory::Memory;
use crate::store::{Maintenance, sled};
use anyhow::bail;
use indicatif::{ProgressBar, ProgressStyle};
use std::fs::DirEntry;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Where the data is.
pub enum Place {
    /// Behind a running server.
    Server(Client),
    /// The store itself, opened by this process.
    Store(Arc<dyn Maintenance>),
}

/// What a store that is not there is to a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// A mistake: to look is no reason to make one.
    Refused,
    /// As good as an empty one, which need not be made to be looked at.
    Empty,
    /// A reason to make it.
    Made,
}

fn holds_a_store(dir: &Path) -> bool {
    let own = |entry: std::io::Result<DirEntry>| {
        entry.is_ok_and(|entry| entry.file_name().to_str().is_some_and(sled::is_own))
    };
    std::fs::read_dir(dir).is_ok_and(|mut entries| entries.any(own))
}

impl Place {
    /// The configured store, or the server that runs on it.
    ///
    /// # Errors
    /// When there is none and that is refused, or it cannot be opened.
    pub async fn find(config: &Config, absent: Absent) -> anyhow::Result<Self> {
        if let Some(client) = Client::find(&Target::default(), config).await? {
            return Ok(Self::Server(client));
        }
        if config.store.url == StoreUrl::Memory {
            bail!(
                "store.url = \"memory:\" is in the server's memory alone: nothing else can read or write it"
            );
        }
        let dir = store_dir(config).filter(|_| matches!(config.store.url, StoreUrl::Sled(_)));
        match (dir.filter(|dir| !holds_a_store(dir)), absent) {
            (Some(dir), Absent::Refused) if !dir.exists() => {
                bail!("no server is running, and {} is no store: name the server's --config", dir.display())
            }
            (Some(_), Absent::Empty) => Ok(Self::Store(Arc::new(Memory::new()))),
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
