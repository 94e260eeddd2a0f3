//! The store's section: which engine, and where.

use super::reader::Reader;
use crate::secret::Secret;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

/// Where records are kept.
#[derive(Clone, Debug)]
pub struct Store {
    /// The engine and its place.
    pub url: StoreUrl,
    /// Bytes of sled's page cache.
    pub cache_bytes: u64,
    /// Connections for reading a database.
    pub connections: usize,
    /// In which a database answers.
    pub deadline: Duration,
    /// What belongs to this machine, where the store is not on it.
    pub state_dir: PathBuf,
}

impl Store {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        let text = r.text("store.url").unwrap_or_default();
        let url = StoreUrl::from_str(&text);
        if let Err((what, mend)) = url {
            r.note("store.url", what, mend);
        }
        let cache_bytes = r.number("store.cache_bytes", 1_048_576..=u64::MAX / 2);
        let connections = r.number("store.connections", 1..=1000);
        let deadline = r.seconds("store.deadline_seconds", 1..=60);
        let state_dir = "data".into();
        let state_dir = r.required("store.state_dir", "name a directory, such as \"data\"", state_dir);
        Self { url: url.unwrap_or(StoreUrl::Memory), cache_bytes, connections, deadline, state_dir }
    }

    /// The directory for what belongs to this machine: the store's own, or the
    /// one that is named for it; `None` where nothing is kept.
    pub fn dir(&self) -> Option<&Path> {
        match &self.url {
            StoreUrl::Memory => None,
            StoreUrl::Sled(dir) => Some(dir),
            StoreUrl::Postgres(_) => Some(&self.state_dir),
        }
    }
}

/// An engine and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreUrl {
    /// In memory, gone with the process.
    Memory,
    /// sled in this directory.
    Sled(PathBuf),
    /// A database at this address, which may hold a password.
    Postgres(Secret),
}

impl FromStr for StoreUrl {
    type Err = (&'static str, &'static str);

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORMS: &str = "write \"sled:DIRECTORY\", \"postgres://USER@HOST/DATABASE\" or \"memory:\"";
        match text.split_once(':') {
            Some(("memory", "")) => Ok(Self::Memory),
            Some(("sled", "")) => Err(("names no directory", FORMS)),
            Some(("sled", directory)) => Ok(Self::Sled(directory.into())),
            Some(("postgres" | "postgresql", rest)) if rest.starts_with("//") => {
                Ok(Self::Postgres(Secret::new(text)))
            }
            _ => Err(("is no store that there is", FORMS)),
        }
    }
}
