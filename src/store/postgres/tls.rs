//! The files of TLS: who is believed to be the database, and who we are to it.
//!
//! They are named as libpq names them, and read at the start. It refuses to know
//! addresses and connections.

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use std::fmt::Display;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use tokio_postgres_rustls::MakeRustlsConnect;

/// The files that an address names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Files {
    /// `sslrootcert`: authorities that are believed instead of the public ones.
    pub roots: Option<String>,
    /// `sslcert`: our certificate, with those between it and its authority.
    pub certificate: Option<String>,
    /// `sslkey`: its key.
    pub key: Option<String>,
}

impl Files {
    /// Whether none is named.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What begins TLS with these files.
///
/// # Errors
/// Which file is wrong, why, and what to do.
pub(super) fn connector(files: &Files) -> Result<MakeRustlsConnect, String> {
    let roots = roots(files.roots.as_deref())?;
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be set up: {error}"))?
        .with_root_certificates(roots);
    let config = match (&files.certificate, &files.key) {
        (None, None) => config.with_no_client_auth(),
        (Some(certificate), Some(key)) => {
            let chain = certificates("sslcert", certificate)?;
            config.with_client_auth_cert(chain, private_key(key)?).map_err(|error| {
                format!("sslcert={certificate}, sslkey={key}: {error}: name a certificate and its own key")
            })?
        }
        (Some(_), None) => return Err("sslcert is named without sslkey: name the file of its key".into()),
        (None, Some(_)) => return Err("sslkey is named without sslcert: name its certificate".into()),
    };
    Ok(MakeRustlsConnect::new(config))
}

fn roots(file: Option<&str>) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    match file {
        None => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(file) => {
            for certificate in certificates("sslrootcert", file)? {
                store.add(certificate).map_err(|error| format!("sslrootcert={file}: {error}: {PEM}"))?;
            }
        }
    }
    Ok(store)
}

const PEM: &str = "name a file of certificates in PEM";

fn certificates(parameter: &str, file: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let cannot = |why: &dyn Display| format!("{parameter}={file}: {why}: {PEM}");
    let all = CertificateDer::pem_file_iter(file).map_err(|error| cannot(&said(&error)))?;
    let all: Vec<_> = all.collect::<Result<_, _>>().map_err(|error| cannot(&said(&error)))?;
    if all.is_empty() { Err(cannot(&"it holds no certificate")) } else { Ok(all) }
}

fn private_key(file: &str) -> Result<PrivateKeyDer<'static>, String> {
    const KEY: &str = "name a file with a key in PEM, without a password";
    let cannot = |why: &dyn Display| format!("sslkey={file}: {why}: {KEY}");
    let about = std::fs::metadata(file).map_err(|error| cannot(&error))?;
    // As libpq has it: a key of root's may be read by a group.
    let others = if about.uid() == 0 { 0o027 } else { 0o077 };
    if about.mode() & others != 0 {
        return Err(format!("sslkey={file}: others may read it: chmod 600 {file}"));
    }
    PrivateKeyDer::from_pem_file(file).map_err(|error| match error {
        pem::Error::NoItemsFound => cannot(&"it holds no key that can be read"),
        error => cannot(&said(&error)),
    })
}

/// What is wrong with a file, and nothing of what is in it.
fn said(error: &pem::Error) -> String {
    match error {
        pem::Error::Io(error) => error.to_string(),
        _ => "it does not read".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{Permissions, set_permissions, write};
    use std::os::unix::fs::PermissionsExt;

    fn refusal(files: &Files) -> String {
        connector(files).err().expect("a refusal")
    }

    #[test]
    fn files_that_do_not_do_are_named_with_what_would() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).display().to_string();
        let empty = path("empty");
        write(&empty, "").unwrap();
        let roots = |file: &str| Files { roots: Some(file.to_owned()), ..Files::default() };
        let refused = refusal(&roots("/nowhere"));
        assert!(refused.contains("sslrootcert=/nowhere") && refused.contains("PEM"), "{refused}");
        let refused = refusal(&roots(&empty));
        assert!(refused.contains("holds no certificate"), "{refused}");

        let made = rcgen::generate_simple_self_signed(vec!["dialback".to_owned()]).unwrap();
        let (certificate, key) = (path("own.crt"), path("own.key"));
        write(&certificate, made.cert.pem()).unwrap();
        write(&key, made.signing_key.serialize_pem()).unwrap();
        let own = |certificate: Option<&str>, key: Option<&str>| Files {
            certificate: certificate.map(str::to_owned),
            key: key.map(str::to_owned),
            ..Files::default()
        };
        set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
        let refused = refusal(&own(Some(&certificate), Some(&key)));
        assert!(refused.contains("chmod 600"), "{refused}");
        set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
        assert!(connector(&own(Some(&certificate), Some(&key))).is_ok());
        assert!(refusal(&own(Some(&certificate), None)).contains("without sslkey"));
        assert!(refusal(&own(None, Some(&key))).contains("without sslcert"));
        set_permissions(&empty, Permissions::from_mode(0o600)).unwrap();
        assert!(refusal(&own(Some(&certificate), Some(&empty))).contains("holds no key"));
    }
}
