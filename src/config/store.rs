//! The store's section: which engine, and where.

use super::reader::Reader;
use std::path::PathBuf;
use std::str::FromStr;

/// Where records are kept.
#[derive(Clone, Debug)]
pub struct Store {
    /// The engine and its place.
    pub url: StoreUrl,
    /// Bytes of the engine's page cache.
    pub cache_bytes: u64,
}

impl Store {
    pub(super) fn read(r: &mut Reader<'_>) -> Option<Self> {
        let text = r.text("store.url").unwrap_or_default();
        let url = StoreUrl::from_str(&text);
        if let Err((what, mend)) = url {
            r.note("store.url", what, mend);
        }
        let cache_bytes = r.number("store.cache_bytes", 1_048_576..=u64::MAX / 2);
        Some(Self { url: url.ok()?, cache_bytes })
    }
}

/// An engine and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreUrl {
    /// In memory, gone with the process.
    Memory,
    /// sled in this directory.
    Sled(PathBuf),
}

impl FromStr for StoreUrl {
    type Err = (&'static str, &'static str);

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORMS: &str = "write \"sled:DIRECTORY\" or \"memory:\"";
        match text.split_once(':') {
            Some(("memory", "")) => Ok(Self::Memory),
            Some(("sled", "")) => Err(("names no directory", FORMS)),
            Some(("sled", directory)) => Ok(Self::Sled(directory.into())),
            Some(("postgres" | "postgresql", _)) => Err(("postgresql is not in this version", FORMS)),
            _ => Err(("is no store that there is", FORMS)),
        }
    }
}
