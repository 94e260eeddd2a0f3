//! `dialback serve`: the service, and the sandbox beside it when enabled.

mod account;
#[cfg(not(feature = "sandbox"))]
mod alone;
mod assemble;
mod banner;
#[cfg(feature = "sandbox")]
mod beside;
mod built;
pub(super) mod parts;
mod ports;
pub(super) mod preflight;
mod room;
mod running;
mod stop;
mod stores;
#[cfg(feature = "sandbox")]
pub mod verify;

#[cfg(not(feature = "sandbox"))]
use alone as beside;
pub use assemble::{offline, verify_base_url};
#[cfg(feature = "sandbox")]
pub use beside::{keep, rules};
#[cfg(not(feature = "sandbox"))]
pub use built::Lacking;
#[cfg(feature = "sandbox")]
pub use ports::bind;
pub use ports::reachable;
#[cfg(feature = "sandbox")]
pub use room::fit;
pub use stores::{open_existing, open_store};

use super::Global;
use crate::clock::Clock;
use crate::config::Loaded;
use crate::telemetry;
use anyhow::Context;
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// Arguments of `dialback serve`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Write {"server":"ADDRESS","admin":"ADDRESS","sandbox":"ADDRESS","account_sid":"AC…"} to this file
    /// once all accept; the account is the sandbox's
    #[arg(long, value_name = "PATH")]
    pub ready_file: Option<PathBuf>,
}

/// Runs until SIGTERM or SIGINT, then finishes what is under way.
///
/// # Errors
/// What stopped it, in words for the person at the terminal.
pub async fn run(global: &Global, args: Args) -> anyhow::Result<ExitCode> {
    let mut loaded = super::configured::look(global)?;
    preflight::look(&mut loaded);
    let loaded = log(loaded.fit_to_serve()?)?;
    // Before anybody can know that we are there, so that whoever starts us can
    // also stop us in order.
    let stopped = stopped()?;
    let settings = loaded.settings();
    let running = running::Running::open(loaded.config, Clock::real()).await?;
    running.note_configuration(&settings).await?;
    running.announce()?;
    if let Some(path) = &args.ready_file {
        let mut ready = serde_json::json!({
            "server": running.server_addr(),
            "admin": running.admin_addr(),
            "sandbox": running.sandbox_addr(),
        });
        if let Some(sid) = running.sandbox_account() {
            ready["account_sid"] = sid.into();
        }
        super::whole_file::write_private(path, ready.to_string().as_bytes())
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    let needs_key = (!running.has_a_key().await?).then(|| banner::how_to_make_a_key(&running, global));
    if let Some(how) = &needs_key {
        tracing::warn!("there is no API key, so no application is let in: {how}");
    }
    if let (Some(addr), Some(account_sid)) = (running.sandbox_addr(), running.sandbox_account()) {
        tracing::info!(account_sid, base_url = format!("http://{addr}"), "the sandbox speaks as twilio");
    }
    banner::print(&running, needs_key.as_deref());
    let Some(failure) = running.run(stopped).await else {
        return Ok(ExitCode::SUCCESS);
    };
    tracing::error!(%failure, "ended: mend that, and start again");
    Ok(ExitCode::FAILURE)
}

/// Reads the configuration and starts the log, for the other command that stays;
/// quietly, unless somebody has set a level, be it the usual one.
///
/// # Errors
/// What is wrong with the configuration.
#[cfg(feature = "sandbox")]
pub fn begin(global: &Global, is_quiet: bool) -> anyhow::Result<Loaded> {
    let loaded = super::configured::load(global)?;
    log(if is_quiet { quieted(loaded) } else { loaded })
}

/// With a log of warnings alone, where nobody said which log they want.
#[cfg(feature = "sandbox")]
fn quieted(mut loaded: Loaded) -> Loaded {
    if !loaded.is_set("log.level") {
        "warn".clone_into(&mut loaded.config.log.level);
    }
    loaded
}

/// Starts the log, with what the configuration warns of.
fn log(loaded: Loaded) -> anyhow::Result<Loaded> {
    telemetry::init(loaded.config.log.format.into(), &loaded.config.log.level)?;
    for warning in &loaded.warnings {
        tracing::warn!(%warning, "configuration");
    }
    Ok(loaded)
}

/// Resolves at the first SIGTERM or SIGINT.
///
/// # Errors
/// When the process cannot listen for signals.
pub fn stopped() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    // A file that may grow no more is then an error of the write, which says so. By
    // default it ends the process without a word. Once listened to, it never does.
    let too_large = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
    let _ = signal(too_large).context("cannot listen for SIGXFSZ")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(test)]
mod tests {
    #[cfg(feature = "sandbox")]
    #[test]
    fn what_somebody_set_is_not_made_quiet_though_it_is_the_usual() {
        use crate::config::{Env, parse};
        let level = |file: &str, env: &[(&str, &str)]| {
            let env: Env = env.iter().copied().collect();
            super::quieted(parse(Some(("a.toml", file)), &env).unwrap()).config.log.level
        };
        assert_eq!(level("", &[]), "warn");
        assert_eq!(level("", &[("DIALBACK_LOG__LEVEL", "info")]), "info");
        assert_eq!(level("[log]\nlevel = \"info\"", &[]), "info");
        assert_eq!(level("[log]\nlevel = \"debug\"", &[("DIALBACK_LOG__LEVEL", "info")]), "info");
        assert_eq!(level("[log]\nlevel = \"\"", &[]), "warn", "that says nothing");
    }
}
