//! Connections: how one is made, and what is said on each before its first
//! statement.
//!
//! Of several hosts each has a deadline of its own, for all of it: its name, the
//! connection, TLS, the login and the first answer. One that is silent is soon
//! joined by the next (`race.rs`), and the one that took writes last is asked first.
//!
//! Every statement here looks rows up by their keys, many at once out of
//! arrays, and is planned once for its connection. A planner that knows only an
//! empty table would choose to read it whole, and keep to that while it grows;
//! so it is told not to. It refuses to know statements.

use super::fault::words;
use super::miss::{Miss, Reason, Step};
use super::race::{self, ALONE};
use super::url::{Address, Host};
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_postgres::{Client, Error, SimpleQueryMessage};
use tokio_postgres_rustls::MakeRustlsConnect;

/// The share of a deadline after which the server gives up by itself, so that
/// its answer, that nothing was done, comes before ours, that nobody knows.
pub(super) const SERVERS_SHARE: f64 = 0.9;

/// The same for a connect that nobody takes, which is then known to be that.
const CONNECTS_SHARE: f64 = 0.9;

/// How often in a row a host answers nobody before what is under way there is given up.
const SILENCES: u32 = 2;

/// Makes connections to the hosts of one database.
#[derive(Clone)]
pub(super) struct Link {
    hosts: Arc<[Host]>,
    tls: MakeRustlsConnect,
    /// Hosts and database, for errors and logs.
    pub place: Arc<str>,
    /// In this time a statement is answered.
    pub deadline: Duration,
    /// What is said on each connection, and what on those of the pool besides.
    session: Arc<OnceLock<(String, &'static str)>>,
    is_pool: bool,
    /// Whether a server that takes no writes is better than none.
    reads_only: bool,
    /// The host that took writes last.
    last: Arc<AtomicUsize>,
    /// Goes up where a connection's host became silent: all that were made before
    /// are then of no use.
    turn: Arc<watch::Sender<u64>>,
}

/// A connection that was greeted, and how long it is of use.
pub(super) struct Connected {
    pub client: Client,
    /// Ends with the connection.
    pub ended: JoinHandle<()>,
    /// The turn in which it was made.
    pub turn: u64,
    takes_writes: bool,
    host: usize,
}

impl Connected {
    /// Which of the hosts it leads to.
    pub(super) fn host(&self) -> usize {
        self.host
    }
}

/// Whatever is under way on it: one whose host is stopped would never come to its end.
impl Drop for Connected {
    fn drop(&mut self) {
        self.ended.abort();
    }
}

/// Why there is no connection, or one that takes no writes.
enum Missed {
    Not(Miss),
    ReadOnly(Connected),
}

impl Link {
    pub(super) fn new(address: Address, deadline: Duration) -> Self {
        let Address { hosts, first, tls, place } = address;
        Self {
            hosts: hosts.into(),
            tls,
            place: place.into(),
            deadline,
            session: Arc::default(),
            is_pool: false,
            reads_only: false,
            last: Arc::new(AtomicUsize::new(first)),
            turn: Arc::new(watch::channel(0).0),
        }
    }

    /// The same for the pool that reads: where none of several hosts takes writes,
    /// one that is behind them answers what it knows. Claims of due work go over it,
    /// too, and are refused by such a host.
    pub(super) fn for_reads(&self) -> Self {
        Self { reads_only: self.hosts.len() > 1, is_pool: true, ..self.clone() }
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
        // Claims are all that is written there, and one that is lost with the server's
        // memory was only a hint: none need wait for the disk.
        let of_pool = if is_postgres { "SET synchronous_commit = off;" } else { "" };
        // Whoever was first has said the same.
        let _ = self.session.set((session, of_pool));
    }

    /// Says the same on one that was made before.
    pub(super) async fn greet(&self, client: &Client) -> Result<(), Error> {
        match self.session.get() {
            Some((all, of_pool)) if self.is_pool => client.batch_execute(&format!("{all}{of_pool}")).await,
            Some((all, _)) => client.batch_execute(all).await,
            None => Ok(()),
        }
    }

    /// Hears of it when the connections that there are become useless.
    pub(super) fn turns(&self) -> watch::Receiver<u64> {
        self.turn.subscribe()
    }

    /// Whether a connection made in that turn is still to be used.
    pub(super) fn is_current(&self, turn: u64) -> bool {
        *self.turn.borrow() == turn
    }

    /// The host of a connection of that turn has said nothing for a whole deadline,
    /// though it gives up before by itself: it is stopped, or out of reach. The
    /// other connections to it are not waited for one after the other.
    pub(super) fn fell_silent(&self, turn: u64) {
        let is_news = self.turn.send_if_modified(|now| {
            let is_news = *now == turn;
            *now += u64::from(is_news);
            is_news
        });
        if is_news {
            let next = self.last.load(Ordering::Relaxed) + 1;
            self.last.store(next % self.hosts.len().max(1), Ordering::Relaxed);
            tracing::warn!(
                place = &*self.place,
                "the database took a statement and says nothing: all connections are made anew"
            );
        }
    }

    /// A connection; the reason is that of the one host, or of all of them.
    pub(super) async fn connect(&self) -> Result<Connected, Miss> {
        let (turn, first) = (*self.turn.borrow(), self.last.load(Ordering::Relaxed));
        let order = (0..self.hosts.len()).map(|nth| (first + nth) % self.hosts.len());
        let missed = match race::first(order.map(|nth| self.host(nth, turn)), ALONE).await {
            Ok(connected) => {
                self.last.store(connected.host, Ordering::Relaxed);
                return Ok(connected);
            }
            Err(missed) => missed,
        };
        let (mut misses, mut behind) = (Vec::new(), None);
        for missed in missed {
            match missed {
                (_, Missed::ReadOnly(connected)) if self.reads_only => behind = Some(connected),
                (host, Missed::ReadOnly(_)) => misses.push((host, Miss::read_only())),
                (host, Missed::Not(miss)) => misses.push((host, miss)),
            }
        }
        behind.ok_or_else(|| self.miss(misses))
    }

    /// Does on a connection to that host what takes as long as it takes, for as long as
    /// the host answers those who come anew. One that hangs would else never be done.
    ///
    /// # Errors
    /// Why it was given up; whether anything was done nobody knows.
    pub(super) async fn watched<T>(&self, host: usize, work: impl Future<Output = T>) -> Result<T, String> {
        let silence = async {
            let mut silent = 0;
            loop {
                sleep(self.deadline).await;
                match self.answers(host).await {
                    Ok(()) => silent = 0,
                    Err(_) if silent + 1 < SILENCES => silent += 1,
                    Err(why) => return format!("took a statement and says nothing: {why}"),
                }
            }
        };
        tokio::select! {
            biased;
            done = work => Ok(done),
            why = silence => Err(why),
        }
    }

    /// Whether a host answers; that it lets nobody else in is an answer, too.
    async fn answers(&self, host: usize) -> Result<(), String> {
        let turn = *self.turn.borrow();
        match self.host(host, turn).await {
            Err((_, Missed::Not(miss))) if miss.reason != Reason::Full => Err(miss.why),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// What is done in no time, unless a host hangs: in two deadlines.
    ///
    /// # Errors
    /// That there was no answer.
    pub(super) async fn soon<T>(&self, work: impl Future<Output = T>) -> Result<T, String> {
        let within = 2 * self.deadline;
        timeout(within, work).await.map_err(|_| format!("no answer in {within:?}"))
    }

    /// One reason out of those of all hosts.
    fn miss(&self, mut misses: Vec<(usize, Miss)>) -> Miss {
        misses.sort_by_key(|(host, _)| *host);
        let is_full = misses.iter().any(|(_, miss)| miss.reason == Reason::Full);
        let reason = if is_full { Reason::Full } else { Reason::Away };
        let why: Vec<String> = misses
            .iter()
            .map(|(host, miss)| match (self.hosts.len(), self.hosts.get(*host)) {
                (2.., Some(host)) => format!("{} {}", host.name, miss.why),
                _ => miss.why.clone(),
            })
            .collect();
        Miss { reason, why: format!("{}: {}", self.place, why.join("; ")) }
    }

    /// A connection to one host, at the first of its addresses that takes it.
    async fn host(&self, nth: usize, turn: u64) -> Result<Connected, (usize, Missed)> {
        let miss = |why: String| (nth, Missed::Not(Miss::away(why)));
        let Some(host) = self.hosts.get(nth) else { return Err(miss("there is no such host".into())) };
        let addresses = host.addresses().await.map_err(|missed| (nth, Missed::Not(missed)))?;
        let dials = addresses.into_iter().map(|address| self.dial(nth, host, address, turn));
        race::first(dials, ALONE).await.map_err(|mut missed| {
            // One that answers says more than one that does not.
            let at = missed.iter().position(|missed| matches!(missed, Missed::ReadOnly(_))).unwrap_or(0);
            match missed.get(at) {
                Some(_) => (nth, missed.swap_remove(at)),
                None => miss("its name has no address".into()),
            }
        })
    }

    async fn dial(
        &self,
        nth: usize,
        host: &Host,
        address: Option<IpAddr>,
        turn: u64,
    ) -> Result<Connected, Missed> {
        let end = Instant::now() + host.deadline;
        let mut config = host.config.clone();
        config.connect_timeout(host.deadline.mul_f64(CONNECTS_SHARE));
        if let Some(address) = address {
            config.hostaddr(address);
        }
        let silent = |step| Missed::Not(Miss::silent(step, host.deadline));
        let failed = |error: &Error| Missed::Not(Miss::of(error));
        let login = timeout_at(end, config.connect(self.tls.clone())).await;
        let (client, connection) = login.map_err(|_| silent(Step::Login))?.map_err(|error| failed(&error))?;
        let ended = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = words(&error), "a connection to the database ended");
            }
        });
        let mut connected = Connected { client, ended, turn, takes_writes: false, host: nth };
        let asked = timeout_at(end, async {
            tokio::try_join!(takes_writes(&connected.client), self.greet(&connected.client))
        });
        match asked.await {
            Ok(Ok((takes_writes, ()))) => connected.takes_writes = takes_writes,
            Ok(Err(error)) => return Err(failed(&error)),
            Err(_) => return Err(silent(Step::Question)),
        }
        if connected.takes_writes { Ok(connected) } else { Err(Missed::ReadOnly(connected)) }
    }
}

async fn takes_writes(client: &Client) -> Result<bool, Error> {
    let answers = client.simple_query("SHOW transaction_read_only").await?;
    let is_on = |answer: &SimpleQueryMessage| match answer {
        SimpleQueryMessage::Row(row) => row.get(0) == Some("on"),
        _ => false,
    };
    Ok(!answers.iter().any(is_on))
}
