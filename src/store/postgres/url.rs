//! The address of a database: what of it is ours to read, and the rest for the
//! client's own parser.
//!
//! TLS is read here, because only two of libpq's modes are honest: none at all,
//! and one that proves whom it talks to. It refuses to know tables and records,
//! and prints no more of an address than hosts and database.

use super::super::StoreError;
use percent_encoding::percent_decode_str;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};
use std::fmt::Write;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres_rustls::MakeRustlsConnect;

/// To connect to one host, where the address does not say.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// An idle connection is asked for a sign of life this often.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// Where a database is and how to talk to it.
pub(super) struct Address {
    /// Hosts, database, user, password and all else that the client knows.
    pub config: Config,
    /// Proves whom it talks to; unused without TLS.
    pub tls: MakeRustlsConnect,
    /// Hosts and database, for errors and logs.
    pub place: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Tls {
    Disabled,
    VerifyFull,
}

impl Address {
    /// Reads an address.
    pub(super) fn parse(url: &str, deadline: Duration) -> Result<Self, StoreError> {
        let (plain, tls, roots) = split(url)?;
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
        let default = match (&roots, is_near(&config)) {
            (None, true) => Tls::Disabled,
            _ => Tls::VerifyFull,
        };
        config.ssl_mode(match tls.unwrap_or(default) {
            Tls::Disabled => SslMode::Disable,
            Tls::VerifyFull => SslMode::Require,
        });
        defaults(&mut config, deadline);
        let place = place(&config);
        Ok(Self { config, tls: connector(roots.as_deref())?, place })
    }
}

/// What the address leaves open: who answers, and when nobody does.
fn defaults(config: &mut Config, deadline: Duration) {
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(deadline);
    }
    if config.get_target_session_attrs() == TargetSessionAttrs::Any {
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    }
    if config.get_application_name().is_none() {
        config.application_name("dialback");
    }
    config.keepalives_idle(KEEPALIVE);
}

/// The address without the parameters that are ours, and those.
fn split(url: &str) -> Result<(String, Option<Tls>, Option<String>), StoreError> {
    let Some((before, query)) = url.split_once('?') else {
        return Ok((url.to_owned(), None, None));
    };
    let (mut tls, mut roots, mut rest) = (None, None, Vec::new());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent_decode_str(value).decode_utf8_lossy();
        match name {
            "sslmode" => tls = Some(mode(&value)?),
            "sslrootcert" => roots = Some(value.into_owned()),
            _ => rest.push(pair),
        }
    }
    let plain = if rest.is_empty() { before.to_owned() } else { format!("{before}?{}", rest.join("&")) };
    Ok((plain, tls, roots.filter(|roots| roots != "system")))
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
    let near = |host: &Host| match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        Host::Unix(_) => true,
    };
    // Where there are addresses they are what is connected to.
    match config.get_hostaddrs() {
        [] => config.get_hosts().iter().all(near),
        addresses => addresses.iter().all(IpAddr::is_loopback),
    }
}

fn connector(roots: Option<&str>) -> Result<MakeRustlsConnect, StoreError> {
    let mut store = RootCertStore::empty();
    match roots {
        None => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(file) => {
            let cannot = |why: &dyn std::fmt::Display| {
                open(format!("sslrootcert={file}: {why}: name a file of certificates in PEM"))
            };
            let certificates = CertificateDer::pem_file_iter(file).map_err(|error| cannot(&error))?;
            for certificate in certificates {
                let certificate = certificate.map_err(|error| cannot(&error))?;
                store.add(certificate).map_err(|error| cannot(&error))?;
            }
            if store.is_empty() {
                return Err(cannot(&"it holds no certificate"));
            }
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| open(format!("TLS cannot be set up: {error}")))?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn place(config: &Config) -> String {
    let mut place = String::new();
    let ports = config.get_ports();
    let mut name = |at: usize, host: &dyn std::fmt::Display| {
        let port = ports.get(at).or(ports.first()).copied().unwrap_or(5432);
        let comma = if place.is_empty() { "" } else { "," };
        // Writing to a text cannot fail.
        let _ = write!(place, "{comma}{host}:{port}");
    };
    match config.get_hosts() {
        [] => config.get_hostaddrs().iter().enumerate().for_each(|(at, host)| name(at, host)),
        hosts => hosts.iter().enumerate().for_each(|(at, host)| match host {
            Host::Tcp(host) => name(at, host),
            Host::Unix(path) => name(at, &path.display()),
        }),
    }
    let database = config.get_dbname().or(config.get_user()).unwrap_or("postgres");
    format!("{place}/{database}")
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
        let mode = |url: &str| parse(url).unwrap().config.get_ssl_mode();
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
    fn a_private_authority_is_a_file_of_certificates() {
        let refused = refusal("postgres://u@localhost/d?sslrootcert=/nowhere");
        assert!(refused.contains("/nowhere") && refused.contains("PEM"), "{refused}");
        let empty = tempfile::NamedTempFile::new().unwrap();
        let refused = refusal(&format!("postgres://u@localhost/d?sslrootcert={}", empty.path().display()));
        assert!(refused.contains("holds no certificate"), "{refused}");
    }

    #[test]
    fn the_rest_is_the_clients_and_passwords_are_nobodys() {
        let address = parse(
            "postgres://user:secret@one:1,two/base?sslmode=verify-full&options=-c%20search_path%3Dx&connect_timeout=7",
        )
        .unwrap();
        assert_eq!(address.place, "one:1,two:5432/base");
        assert_eq!(address.config.get_options(), Some("-c search_path=x"));
        assert_eq!(address.config.get_connect_timeout(), Some(&Duration::from_secs(7)));
        assert_eq!(address.config.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
        assert!(!format!("{:?}", address.config).contains("secret"));
        for wrong in ["postgres://user:secret@h:port/d", "postgres://u:secret@h/d?sslcert=x", "postgres://"] {
            assert!(!refusal(wrong).contains("secret"), "{wrong}");
        }
    }
}
