//! The address of a database: what of it is ours to read, and the rest for the
//! client's own parser.
//!
//! Of TLS there are two of libpq's modes, the honest ones: none at all, and the one
//! that proves whom it talks to (`tls.rs`). Passwords may be in a file (`passfile.rs`).
//! Each host is made a `Host` of its own, for each is given its own time. It refuses to know tables and records,
//! and prints no more of an address than hosts and database.

use super::super::StoreError;
use super::miss::{Miss, Step};
use super::passfile::{self, Passwords};
use super::tls::{self, Files};
use percent_encoding::percent_decode_str;
use std::net::IpAddr;
use std::time::Duration;
use tokio::net::lookup_host;
use tokio::time::timeout;
use tokio_postgres::Config;
use tokio_postgres::config::{Host as Named, LoadBalanceHosts, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

/// The port of a host that has none.
const PORT: u16 = 5432;

/// For a host to have been connected to and to have answered, where the address does
/// not say.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// An idle connection is asked for a sign of life this often.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// Where a database is and how to talk to it.
pub(super) struct Address {
    /// Where it may be.
    pub hosts: Vec<Host>,
    /// Which of them is asked first.
    pub first: usize,
    /// Proves whom it talks to; unused without TLS.
    pub tls: MakeRustlsConnect,
    /// Hosts and database, for errors and logs.
    pub place: String,
}

/// One of the hosts, with all else that the client knows.
pub(super) struct Host {
    /// Host and port, for errors and logs.
    pub name: String,
    /// How to talk to it, without its address.
    pub config: Config,
    /// In this time it has been connected to and has answered.
    pub deadline: Duration,
    at: At,
}

/// Where a host is.
enum At {
    Name(String, u16),
    Address(IpAddr),
    Socket,
}

impl Host {
    /// Where it may be connected to; nothing for a socket, which has no address.
    pub(super) async fn addresses(&self) -> Result<Vec<Option<IpAddr>>, Miss> {
        let (name, port) = match &self.at {
            At::Name(name, port) => (name.as_str(), *port),
            At::Address(address) => return Ok(vec![Some(*address)]),
            At::Socket => return Ok(vec![None]),
        };
        match timeout(self.deadline, lookup_host((name, port))).await {
            Ok(Ok(found)) => Ok(found.map(|found| Some(found.ip())).collect()),
            Ok(Err(error)) => Err(Miss::away(format!(
                "its name cannot be looked up ({error}): see whether store.url names the right host"
            ))),
            Err(_) => Err(Miss::silent(Step::Name, self.deadline)),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Tls {
    Disabled,
    VerifyFull,
}

impl Address {
    /// Reads an address, and the files that it names.
    pub(super) fn parse(url: &str, deadline: Duration) -> Result<Self, StoreError> {
        let (plain, ours) = Ours::split(url)?;
        let mut config: Config = plain.parse().map_err(|error: tokio_postgres::Error| {
            let why = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            open(format!("the address does not read: {why}"))
        })?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(open("the address names no host: write postgres://USER@HOST/DATABASE".to_owned()));
        }
        // As a client's own default it would be whatever the machine's user is called.
        if config.get_dbname().is_none_or(str::is_empty) && config.get_user().is_none_or(str::is_empty) {
            let what = "the address names no database and no user: write postgres://USER@HOST/DATABASE";
            return Err(open(what.to_owned()));
        }
        let default = match (ours.files.is_empty(), is_near(&config)) {
            (true, true) => Tls::Disabled,
            _ => Tls::VerifyFull,
        };
        config.ssl_mode(match ours.tls.unwrap_or(default) {
            Tls::Disabled => SslMode::Disable,
            Tls::VerifyFull => SslMode::Require,
        });
        defaults(&mut config, deadline);
        let passwords = passfile::find(ours.passfile.as_deref(), &config).map_err(open)?;
        let hosts = hosts(&config, passwords.as_ref())?;
        let first = match config.get_load_balance_hosts() {
            LoadBalanceHosts::Random => getrandom::u32().unwrap_or_default() as usize % hosts.len().max(1),
            _ => 0,
        };
        let place = place(&config, &hosts);
        Ok(Self { hosts, first, tls: tls::connector(&ours.files).map_err(open)?, place })
    }
}

/// What the address leaves open: who answers, and when nobody does.
fn defaults(config: &mut Config, deadline: Duration) {
    if config.get_connect_timeout().is_none_or(Duration::is_zero) {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(deadline);
    }
    if config.get_application_name().is_none() {
        config.application_name("dialback");
    }
    config.keepalives_idle(KEEPALIVE);
}

/// The hosts of an address, each by itself.
fn hosts(config: &Config, passwords: Option<&Passwords>) -> Result<Vec<Host>, StoreError> {
    let (names, addresses, ports) = (config.get_hosts(), config.get_hostaddrs(), config.get_ports());
    let count = names.len().max(addresses.len());
    let fits = |of: usize| of == count || of == 0;
    if !fits(names.len()) || !fits(addresses.len()) || !(fits(ports.len()) || ports.len() == 1) {
        return Err(open("the address has not as many hosts, hostaddrs and ports as each other".to_owned()));
    }
    let host = |nth: usize| {
        let (name, address) = (names.get(nth), addresses.get(nth).copied());
        let port = ports.get(nth).or(ports.first()).copied().unwrap_or(PORT);
        let mut one = alone(config);
        one.port(port);
        let called = match name {
            Some(Named::Tcp(name)) => {
                one.host(name);
                name.clone()
            }
            Some(Named::Unix(path)) => {
                one.host_path(path);
                path.display().to_string()
            }
            None => address.map(|address| address.to_string()).unwrap_or_default(),
        };
        if let Some(password) = passwords.and_then(|passwords| passwords.of(&called, port)) {
            one.password(password);
        }
        let at = match (address, name) {
            (Some(address), _) => At::Address(address),
            (None, Some(Named::Tcp(name))) => At::Name(name.clone(), port),
            (None, _) => At::Socket,
        };
        let deadline = config.get_connect_timeout().copied().unwrap_or(CONNECT_TIMEOUT);
        Host { name: format!("{called}:{port}"), config: one, deadline, at }
    };
    Ok((0..count).map(host).collect())
}

/// All of it but where: whether a host takes writes is asked by ourselves.
fn alone(config: &Config) -> Config {
    let mut one = Config::new();
    if let Some(user) = config.get_user() {
        one.user(user);
    }
    if let Some(password) = config.get_password() {
        one.password(password);
    }
    if let Some(name) = config.get_dbname() {
        one.dbname(name);
    }
    if let Some(options) = config.get_options() {
        one.options(options);
    }
    if let Some(name) = config.get_application_name() {
        one.application_name(name);
    }
    if let Some(timeout) = config.get_tcp_user_timeout() {
        one.tcp_user_timeout(*timeout);
    }
    if let Some(interval) = config.get_keepalives_interval() {
        one.keepalives_interval(interval);
    }
    if let Some(retries) = config.get_keepalives_retries() {
        one.keepalives_retries(retries);
    }
    one.ssl_mode(config.get_ssl_mode())
        .ssl_negotiation(config.get_ssl_negotiation())
        .channel_binding(config.get_channel_binding())
        .keepalives(config.get_keepalives())
        .keepalives_idle(config.get_keepalives_idle());
    one
}

/// What of an address is read here.
#[derive(Default)]
struct Ours {
    tls: Option<Tls>,
    files: Files,
    passfile: Option<String>,
}

impl Ours {
    /// The address without the parameters that are ours, and those.
    fn split(url: &str) -> Result<(String, Self), StoreError> {
        let mut ours = Self::default();
        let Some((before, query)) = url.split_once('?') else {
            return Ok((url.to_owned(), ours));
        };
        let mut rest = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
            match name {
                "sslmode" => ours.tls = Some(mode(&value)?),
                "sslrootcert" => ours.files.roots = (value != "system").then_some(value),
                "sslcert" => ours.files.certificate = Some(value),
                "sslkey" => ours.files.key = Some(value),
                "passfile" => ours.passfile = Some(value),
                _ => rest.push(pair),
            }
        }
        let plain = if rest.is_empty() { before.to_owned() } else { format!("{before}?{}", rest.join("&")) };
        Ok((plain, ours))
    }
}

fn mode(word: &str) -> Result<Tls, StoreError> {
    match word {
        "disable" => Ok(Tls::Disabled),
        "verify-full" => Ok(Tls::VerifyFull),
        _ => Err(open(
            "the address has an sslmode that does not prove whom it talks to: write sslmode=verify-full \
             (with sslrootcert=FILE for an authority of your own), or sslmode=disable on a network that \
             nobody else is on"
                .to_owned(),
        )),
    }
}

/// Whether every host is this machine.
fn is_near(config: &Config) -> bool {
    let near = |host: &Named| match host {
        Named::Tcp(name) => {
            name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        Named::Unix(_) => true,
    };
    // Where there are addresses they are what is connected to.
    match config.get_hostaddrs() {
        [] => config.get_hosts().iter().all(near),
        addresses => addresses.iter().all(IpAddr::is_loopback),
    }
}

fn place(config: &Config, hosts: &[Host]) -> String {
    let names: Vec<&str> = hosts.iter().map(|host| host.name.as_str()).collect();
    let database = config.get_dbname().or(config.get_user()).unwrap_or("postgres");
    format!("{}/{database}", names.join(","))
}

fn open(why: String) -> StoreError {
    StoreError::Open(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Address, String> {
        Address::parse(url, Duration::from_secs(5)).map_err(|error| error.to_string())
    }

    fn refusal(url: &str) -> String {
        parse(url).err().expect("a refusal")
    }

    #[test]
    fn tls_is_all_or_nothing() {
        let mode = |url: &str| parse(url).unwrap().hosts[0].config.get_ssl_mode();
        for near in
            ["postgres://u@127.0.0.1/d", "postgres://u@localhost:1,[::1]:2/d", "postgres:///d?host=/run"]
        {
            assert_eq!(mode(near), SslMode::Disable, "{near}");
        }
        for far in ["postgres://u@db.example.com/d", "postgresql://u@127.0.0.1,10.0.0.1/d"] {
            assert_eq!(mode(far), SslMode::Require, "{far}");
        }
        assert_eq!(mode("postgres://u@db.example.com/d?sslmode=disable"), SslMode::Disable);
        assert_eq!(mode("postgres://u@localhost/d?sslmode=verify-full"), SslMode::Require);
        for weak in ["allow", "prefer", "require", "verify-ca", "", "no"] {
            let refused = refusal(&format!("postgres://u@h/d?sslmode={weak}"));
            assert!(refused.contains("write sslmode=verify-full"), "{weak}: {refused}");
        }
    }

    #[test]
    fn the_rest_is_the_clients_and_passwords_are_nobodys() {
        let address = parse(
            "postgres://user:secret@one:1,two/base?sslmode=verify-full&options=-c%20search_path%3Dx&connect_timeout=7",
        )
        .unwrap();
        assert_eq!(address.place, "one:1,two:5432/base");
        for (host, name) in address.hosts.iter().zip(["one:1", "two:5432"]) {
            assert_eq!(host.config.get_options(), Some("-c search_path=x"));
            assert_eq!((host.name.as_str(), host.deadline), (name, Duration::from_secs(7)));
            assert_eq!(
                (host.config.get_hosts().len(), host.config.get_password()),
                (1, Some(&b"secret"[..]))
            );
            assert!(!format!("{:?}", host.config).contains("secret"));
        }
        for wrong in ["postgres://user:secret@h:port/d", "postgres://u:secret@h/d?sslcert=x", "postgres://"] {
            assert!(!refusal(wrong).contains("secret"), "{wrong}");
        }
    }
}
