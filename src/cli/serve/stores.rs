//! The store that a configuration names, opened.

#[cfg(not(feature = "postgres"))]
use super::built;
use crate::cli::kept::{IN_MEMORY, store_dir};
use crate::cli::{operator, private};
use crate::config::{self, Config, StoreUrl};
use crate::secret::Secret;
use crate::store::{Maintenance, memory::Memory, sled};
use anyhow::Context;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The store that is configured, which must be there: to look is no reason to
/// make one.
///
/// # Errors
/// When there is none, or the store's, which say what to do.
pub async fn open_existing(config: &Config) -> anyhow::Result<(Arc<dyn Maintenance>, Option<PathBuf>)> {
    match store_dir(config) {
        None => anyhow::bail!("{IN_MEMORY}"),
        Some(dir) if matches!(config.store.url, StoreUrl::Sled(_)) && !dir.exists() => {
            anyhow::bail!(
                "no server is running, and {} is no store: name the server's --config",
                dir.display()
            )
        }
        Some(_) => open_store(config).await,
    }
}

/// The store that is configured, and the directory for what belongs to this
/// machine, when something is kept.
///
/// # Errors
/// The store's, which say what to do.
pub async fn open_store(config: &Config) -> anyhow::Result<(Arc<dyn Maintenance>, Option<PathBuf>)> {
    let settings = &config.store;
    // Before anything is made.
    #[cfg(not(feature = "postgres"))]
    if matches!(settings.url, StoreUrl::Postgres(_)) {
        anyhow::bail!("{}", built::Lacking::POSTGRES);
    }
    if let Some(dir) = settings.dir() {
        let is_own = |name: &str| operator::is_own(name) || sled::is_own(name);
        let key = match settings.url {
            StoreUrl::Postgres(_) => "store.state_dir",
            _ => "store.url",
        };
        private::take(dir, is_own).context(key)?;
    }
    let store: Arc<dyn Maintenance> = match &settings.url {
        StoreUrl::Memory => Arc::new(Memory::new()),
        StoreUrl::Sled(dir) => {
            let options = sled::Options { cache_bytes: settings.cache_bytes, ..sled::Options::default() };
            Arc::new(sled::Sled::open(dir, options).context("store.url")?)
        }
        StoreUrl::Postgres(url) => {
            make_dir(&settings.state_dir)
                .with_context(|| format!("store.state_dir: cannot make {}", settings.state_dir.display()))?;
            postgres(url, settings).await?
        }
    };
    Ok((store, settings.dir().map(Path::to_owned)))
}

#[cfg(feature = "postgres")]
async fn postgres(url: &Secret, settings: &config::Store) -> anyhow::Result<Arc<dyn Maintenance>> {
    use crate::store::postgres::{Options, Postgres};
    let (connections, deadline) = (settings.connections, settings.deadline);
    let options = Options { connections, deadline, ..Options::default() };
    Ok(Arc::new(Postgres::open(url.expose(), options).await.context("store.url")?))
}

#[cfg(not(feature = "postgres"))]
async fn postgres(_: &Secret, _: &config::Store) -> anyhow::Result<Arc<dyn Maintenance>> {
    anyhow::bail!("{}", built::Lacking::POSTGRES)
}

/// Makes a directory for its owner alone.
fn make_dir(dir: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(dir)
}
