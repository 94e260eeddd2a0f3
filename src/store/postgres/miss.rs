//! Why there is no connection, in words for the operator: what is wrong, and the
//! mend where it can be known.
//!
//! A server that cannot be reached, one that is full, one that does not prove who
//! it is and one that does not let us in are mended in four places. It refuses to
//! know how connections are made.

use super::fault::words;
use rustls::{AlertDescription, CertificateError, Error as TlsError};
use std::error::Error as Cause;
use std::io;
use std::time::Duration;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

/// What kind of reason it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// Nobody is there, or somebody who cannot be talked to: it may be over soon.
    Away,
    /// All connections that there may be are taken: it is over when one is given back.
    Full,
    /// It takes no writes.
    ReadOnly,
}

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Miss {
    pub reason: Reason,
    /// In a line, with the mend; without the place.
    pub why: String,
}

/// How far one who became silent had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Not even its name was looked up.
    Name,
    /// The connection, TLS and the login.
    Login,
    /// The first question.
    Question,
}

const RUNS: &str =
    "see whether the server runs, and that store.url names it, the database and a user who may use it";

/// What to do where there are too few connections.
pub(super) const FULL: &str = "a process has store.connections of them, 2 at least: lower that, or raise what \
    is there (max_connections, ALTER ROLE … CONNECTION LIMIT, PgBouncer's default_pool_size and max_client_conn)";

impl Miss {
    pub(super) fn away(why: String) -> Self {
        Self { reason: Reason::Away, why }
    }

    /// It answers, and takes no writes.
    pub(super) fn read_only() -> Self {
        Self { reason: Reason::ReadOnly, why: "takes no writes (it is a standby, or set so)".into() }
    }

    /// It said nothing for so long.
    pub(super) fn silent(step: Step, after: Duration) -> Self {
        match step {
            Step::Name => Self::away(format!("its name was not found in {after:?}: {RUNS}")),
            Step::Login => Self::away(format!(
                "takes connections and did not log us in within {after:?}: see whether the server is stopped or \
                 hangs, and whether there is one behind the balancer"
            )),
            Step::Question => Self {
                reason: Reason::Full,
                why: format!(
                    "logs in and did not answer in {after:?}, as a pooler does whose connections are all in use: {FULL}"
                ),
            },
        }
    }

    /// What an error while connecting means.
    pub(super) fn of(error: &Error) -> Self {
        let said = words(error);
        if let Some(tls) = tls_error(error) {
            return Self::away(format!("{said}: {}", of_tls(tls)));
        }
        if let Some(answer) = error.as_db_error() {
            let (code, text) = (answer.code(), answer.message());
            let is_full = *code == SqlState::TOO_MANY_CONNECTIONS
                || POOLER_IS_FULL.iter().any(|words| text.contains(words));
            let reason = if is_full { Reason::Full } else { Reason::Away };
            let mend = if is_full { Some(FULL) } else { of_answer(code, text) };
            return Self { reason, why: mend.map_or(said.clone(), |mend| format!("{said}: {mend}")) };
        }
        let mend = match () {
            () if said.contains("does not support TLS") => {
                "turn ssl on in postgresql.conf, or write sslmode=disable on a network that nobody else is on"
            }
            () if said.contains("password missing") => {
                "write postgres://USER:PASSWORD@HOST/DATABASE, or name a password file with passfile=FILE"
            }
            () if said.contains("channel binding") => "drop channel_binding from the address",
            () => RUNS,
        };
        Self::away(format!("{said}: {mend}"))
    }
}

/// PgBouncer's words where it has no more.
const POOLER_IS_FULL: [&str; 3] = ["no more connections allowed", "query_wait_timeout", "too many clients"];

fn of_answer(code: &SqlState, text: &str) -> Option<&'static str> {
    Some(match code.code() {
        "28P01" => "see whether user and password of store.url are right, or its passfile",
        "28000" if text.contains("certificate") => {
            "name the user's certificate and key with sslcert=FILE&sslkey=FILE"
        }
        "28000" => "let the user in, in the server's pg_hba.conf, with TLS or without as store.url has it",
        "3D000" => "make it with CREATE DATABASE, or name another in store.url",
        "42501" => "GRANT CONNECT ON DATABASE … TO the user of store.url",
        _ if text.contains("unsupported startup parameter") => {
            "PgBouncer takes it with ignore_startup_parameters; options=-c search_path=… can be \
             ALTER ROLE … SET search_path instead"
        }
        "57P03" => "it starts or stops: wait until it takes connections",
        "08P01" => "see the log of the pooler, and whether user and database are in its configuration",
        _ => return None,
    })
}

/// What went wrong with TLS, wherever it stands among the causes.
fn tls_error(error: &Error) -> Option<&TlsError> {
    let mut cause: Option<&(dyn Cause + 'static)> = error.source();
    while let Some(error) = cause {
        if let Some(tls) = error.downcast_ref() {
            return Some(tls);
        }
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        cause = match inner {
            Some(inner) => Some(inner as &(dyn Cause + 'static)),
            None => error.source(),
        };
    }
    None
}

fn of_tls(error: &TlsError) -> &'static str {
    use CertificateError as C;
    match error {
        TlsError::InvalidCertificate(C::UnknownIssuer | C::BadSignature) => {
            "its certificate is by an authority that is not known here: name that authority's certificate with \
             sslrootcert=FILE"
        }
        TlsError::InvalidCertificate(C::NotValidForName | C::NotValidForNameContext { .. }) => {
            "its certificate is for another name: write a name that it has in store.url (hostaddr=ADDRESS says \
             where that is), or give it one for this name"
        }
        TlsError::InvalidCertificate(C::Expired | C::ExpiredContext { .. }) => {
            "its certificate has expired: renew it, or set this machine's clock"
        }
        TlsError::InvalidCertificate(C::NotValidYet | C::NotValidYetContext { .. }) => {
            "its certificate is not valid yet: set this machine's clock"
        }
        TlsError::InvalidCertificate(C::Other(other)) if other.to_string().contains("CaUsedAsEndEntity") => {
            "its certificate is an authority's own: let that authority sign one for the server (basicConstraints \
             CA:FALSE, subjectAltName), and name the authority's with sslrootcert=FILE"
        }
        TlsError::InvalidCertificate(_) => "its certificate is not one of a server: issue it anew",
        TlsError::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::DecryptError
            | AlertDescription::AccessDenied,
        ) => {
            "it does not take our certificate: name one with sslcert=FILE&sslkey=FILE that its ssl_ca_file stands \
             behind"
        }
        _ => "it does not speak TLS as it should: TLS 1.2 and 1.3 are spoken here (ssl_min_protocol_version)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_certificate_is_named_with_its_mend() {
        let mend = |error| of_tls(&TlsError::InvalidCertificate(error));
        assert!(mend(CertificateError::UnknownIssuer).contains("sslrootcert"));
        assert!(mend(CertificateError::NotValidForName).contains("another name"));
        assert!(mend(CertificateError::Expired).contains("expired"));
        assert!(mend(CertificateError::NotValidYet).contains("clock"));
        assert!(of_tls(&TlsError::AlertReceived(AlertDescription::UnknownCA)).contains("sslcert"));
    }

    #[test]
    fn what_keeps_us_out_is_mended_where_it_is() {
        let mend = |code, text| of_answer(&SqlState::from_code(code), text).unwrap_or_default();
        assert!(mend("28P01", "password authentication failed").contains("passfile"));
        assert!(mend("28000", "connection requires a valid client certificate").contains("sslcert"));
        assert!(mend("28000", "no pg_hba.conf entry for host").contains("pg_hba.conf"));
        assert!(mend("3D000", "database \"x\" does not exist").contains("CREATE DATABASE"));
        assert!(
            mend("08P01", "unsupported startup parameter: options").contains("ignore_startup_parameters")
        );
        assert_eq!(mend("XX000", "something else"), "");
    }

    #[test]
    fn who_logs_in_and_then_says_nothing_is_full_and_else_hangs() {
        let after = Duration::from_secs(2);
        assert_eq!(Miss::silent(Step::Question, after).reason, Reason::Full);
        assert_eq!(Miss::silent(Step::Login, after).reason, Reason::Away);
    }
}
