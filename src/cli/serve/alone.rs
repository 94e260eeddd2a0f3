//! `beside.rs` for a build that has no sandbox: there is none, and nothing is given.
//!
//! It refuses to know what a sandbox is.

use super::Lacking;
use crate::cli::local::Local;
use crate::clock::Clock;
use crate::config::Config;
use crate::http::OpensAccount;
use crate::server::Limits;
use crate::trust::Trust;
use crate::twilio::url::PublicUrl;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// A sandbox, of which this build has none: no value of this type exists.
pub enum Beside {}

impl Beside {
    /// Never one.
    ///
    /// # Errors
    /// That this build has no sandbox, and what to do.
    pub fn new(
        _: TcpListener,
        _: &Config,
        _: &Local,
        _: (&str, &PublicUrl),
        _: Clock,
        _: &Trust,
    ) -> anyhow::Result<Self> {
        anyhow::bail!("{}", Lacking::SANDBOX)
    }

    /// Where it listens.
    pub fn addr(&self) -> Option<SocketAddr> {
        match *self {}
    }

    /// Who has its account.
    pub fn opens_account(&self) -> OpensAccount {
        match *self {}
    }

    /// Never called: a build without a sandbox has none to serve.
    pub async fn run(self, _: Limits, _: watch::Receiver<()>) {
        match self {}
    }
}

/// What would bound its listener: as little as can be, for nobody comes.
pub fn limits() -> Limits {
    Limits { max_connections: 1, ..Limits::default() }
}

/// Nothing is sent from a number of its own.
pub fn sender() -> Option<String> {
    None
}

/// There is no template of its own.
pub fn whatsapp_template() -> Option<String> {
    None
}
