//! Connections: how one is made, and what is said on each before its first
//! statement.
//!
//! Every statement here looks rows up by their keys, many at once out of
//! arrays, and is planned once for its connection. A planner that knows only an
//! empty table would choose to read it whole, and keep to that while it grows;
//! so it is told not to. It refuses to know statements.

use super::fault::words;
use super::url::Address;
use deadpool_postgres::Connect;
use futures_util::future::BoxFuture;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::config::TargetSessionAttrs;
use tokio_postgres::{Client, Config, Error};
use tokio_postgres_rustls::MakeRustlsConnect;

/// The share of a deadline after which the server gives up by itself, so that
/// its answer, that nothing was done, comes before ours, that nobody knows.
const SERVERS_SHARE: f64 = 0.9;

/// Makes connections.
#[derive(Clone)]
pub(super) struct Link {
    config: Config,
    tls: MakeRustlsConnect,
    /// Hosts and database, for errors and logs.
    pub place: Arc<str>,
    /// In this time a connection is made, and a statement answered.
    pub deadline: Duration,
    session: Arc<OnceLock<String>>,
    /// Whether a server that takes no writes is better than none.
    reads_only: bool,
}

impl Link {
    pub(super) fn new(address: Address, deadline: Duration) -> Self {
        let Address { config, tls, place } = address;
        Self { config, tls, place: place.into(), deadline, session: Arc::default(), reads_only: false }
    }

    /// The same for the pool that reads: where none of several hosts takes writes,
    /// one that is behind them answers what it knows. Claims of due work go over it,
    /// too, and are refused by such a host.
    pub(super) fn for_reads(&self) -> Self {
        Self { reads_only: self.config.get_hosts().len() > 1, ..self.clone() }
    }

    /// Says from now on, on each new connection, what fits this server.
    pub(super) fn settle(&self, is_postgres: bool) {
        let limit = self.deadline.mul_f64(SERVERS_SHARE).as_millis();
        let mut session = format!("SET statement_timeout = {limit};");
        if is_postgres {
            session += "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; \
                        SET enable_bitmapscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; \
                        SET jit = off;";
        }
        // Whoever was first has said the same.
        let _ = self.session.set(session);
    }

    /// A connection, and the task that ends with it.
    ///
    /// # Errors
    /// Why there is none, in words for the operator.
    pub(super) async fn connect(&self) -> Result<(Client, JoinHandle<()>), String> {
        match timeout(self.deadline, self.dial()).await {
            Ok(Ok(connected)) => Ok(connected),
            Ok(Err(error)) => Err(format!("{}: {}", self.place, words(&error))),
            Err(_) => Err(format!("{}: no answer in {:?}", self.place, self.deadline)),
        }
    }

    async fn dial(&self) -> Result<(Client, JoinHandle<()>), Error> {
        let (client, connection) = match self.config.connect(self.tls.clone()).await {
            Err(_) if self.reads_only => {
                let mut any = self.config.clone();
                any.target_session_attrs(TargetSessionAttrs::Any);
                any.connect(self.tls.clone()).await?
            }
            connected => connected?,
        };
        let task = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = words(&error), "a connection to the database ended");
            }
        });
        if let Some(session) = self.session.get() {
            client.batch_execute(session).await?;
        }
        Ok((client, task))
    }
}

/// For the pool, which has deadlines of its own.
impl Connect for Link {
    fn connect(&self, _: &Config) -> BoxFuture<'_, Result<(Client, JoinHandle<()>), Error>> {
        Box::pin(self.dial())
    }
}
