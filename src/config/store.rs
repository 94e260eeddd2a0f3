//! The store's section: which engine, and where.

use super::networks;
use super::reader::Reader;
use crate::secret::Secret;
use percent_encoding::percent_decode_str;
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
    /// Connections to a database at most.
    pub connections: usize,
    /// In which a database answers.
    pub deadline: Duration,
    /// Why a database elsewhere may be talked to in clear.
    pub allow_unencrypted: Option<String>,
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
        let connections = r.number("store.connections", 2..=1000);
        let deadline = r.seconds("store.deadline_seconds", 1..=60);
        let state_dir = "data".into();
        let state_dir = r.required("store.state_dir", "name a directory, such as \"data\"", state_dir);
        let allow_unencrypted = r.reason("store.allow_unencrypted");
        let url = url.unwrap_or(StoreUrl::Memory);
        Self { url, cache_bytes, connections, deadline, allow_unencrypted, state_dir }
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

impl StoreUrl {
    /// The host outside one's own networks that is talked to without TLS.
    pub(super) fn in_clear(&self) -> Option<String> {
        let Self::Postgres(url) = self else { return None };
        // Read as the client reads it: what stands before the first @ is who asks,
        // slashes and question marks of a password among it.
        let rest = url.expose().split_once("//").map_or("", |(_, rest)| rest);
        let rest = rest.split_once('@').map_or(rest, |(_, rest)| rest);
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let query = rest.split_once('?').map_or("", |(_, query)| query);
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let pairs: Vec<_> = pairs.map(|(name, value)| (decoded(name), decoded(value))).collect();
        let all = |wanted: &'static str| {
            pairs.iter().filter(move |(name, _)| name == wanted).map(|(_, value)| value.as_str())
        };
        if all("sslmode").next_back() != Some("disable") {
            return None;
        }
        let authority: Vec<String> = authority.split(',').map(decoded).collect();
        let named = authority.iter().map(|host| without_port(host));
        // Where there are addresses they are what is connected to.
        let addresses: Vec<&str> = all("hostaddr").flat_map(|list| list.split(',')).collect();
        let others = all("host").flat_map(|list| list.split(','));
        let hosts: Vec<&str> = if addresses.is_empty() { named.chain(others).collect() } else { addresses };
        // A socket is a path.
        let is_far = |host: &&str| {
            let is_path = host.starts_with('/') || host.starts_with('@');
            !host.is_empty() && !is_path && !networks::is_own(host)
        };
        hosts.into_iter().find(is_far).map(str::to_owned)
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// A host of a list, as it stands in an address.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
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
