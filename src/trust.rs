//! Whom TLS believes when this program calls others.
//!
//! Mozilla's certificate authorities are compiled in. Where `SSL_CERT_FILE` or
//! `SSL_CERT_DIR` is set, those that they name are believed *instead*, as OpenSSL
//! and curl have it: whoever wants both names a file that has both. This module
//! refuses to know who is called, and what is said.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[cfg(test)]
#[path = "trust/tests/stage.rs"]
pub(crate) mod stage;

const FILE: &str = "SSL_CERT_FILE";
const DIR: &str = "SSL_CERT_DIR";

/// The certificate authorities that are believed. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Trust(Option<Arc<[CertificateDer<'static>]>>);

/// Why what the environment names cannot be believed.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// It is not there, or is none of ours to read.
    #[error("{variable}: cannot read {}: {why}", path.display())]
    Unreadable {
        /// Which variable names it.
        variable: &'static str,
        /// What it names.
        path: PathBuf,
        /// What was in the way.
        why: String,
    },
    /// There is nothing to believe in it: nothing at all could be called.
    #[error("{variable}: no certificate in {}: {mend}", path.display())]
    Empty {
        /// Which variable names it.
        variable: &'static str,
        /// What it names.
        path: PathBuf,
        /// What to do.
        mend: &'static str,
    },
}

impl Trust {
    /// The authorities that are compiled in.
    pub fn compiled_in() -> Self {
        Self(None)
    }

    /// These alone, in DER.
    pub fn of(certificates: impl IntoIterator<Item = CertificateDer<'static>>) -> Self {
        Self(Some(certificates.into_iter().collect()))
    }

    /// What `SSL_CERT_FILE` and `SSL_CERT_DIR` say; without them, what is
    /// compiled in.
    ///
    /// # Errors
    /// The variable, what it names, and what to do about it.
    pub fn from_env() -> Result<Self, TrustError> {
        Self::read(std::env::var_os(FILE), std::env::var_os(DIR))
    }

    /// What a file in PEM and a list of directories, parted by colons, hold
    /// together. As for OpenSSL, a certificate in a directory has a name of eight
    /// hexadecimal digits, a point and a number, which `openssl rehash` gives it.
    fn read(file: Option<OsString>, dirs: Option<OsString>) -> Result<Self, TrustError> {
        let (file, dirs) = (file.filter(|text| !text.is_empty()), dirs.filter(|text| !text.is_empty()));
        if file.is_none() && dirs.is_none() {
            return Ok(Self::compiled_in());
        }
        let mut all = Vec::new();
        if let Some(path) = file.map(PathBuf::from) {
            let text = std::fs::read(&path).map_err(|error| unreadable(FILE, &path, &error))?;
            let found = certificates(&text).map_err(|error| unreadable(FILE, &path, &error))?;
            if found.is_empty() {
                let mend = "it has to hold certificates in PEM that can be read";
                return Err(TrustError::Empty { variable: FILE, path, mend });
            }
            all.extend(found);
        }
        if let Some(dirs) = dirs {
            let found = in_dirs(&dirs)?;
            if found.is_empty() && all.is_empty() {
                let mend = "they are found by their hashes: run `openssl rehash` on it";
                return Err(TrustError::Empty { variable: DIR, path: dirs.into(), mend });
            }
            all.extend(found);
        }
        Ok(Self::of(all))
    }

    /// How TLS is spoken to a server that has to prove itself to these; nothing
    /// where the client's own, compiled in, do. `protocols` are offered by ALPN,
    /// the dearest first.
    ///
    /// # Errors
    /// rustls's.
    pub fn tls(&self, protocols: &[&str]) -> Result<Option<ClientConfig>, Error> {
        let Some(own) = &self.0 else { return Ok(None) };
        let provider = Arc::new(ring::default_provider());
        let verifier = Arc::new(Verifier::new(own.clone(), &provider)?);
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Ok(Some(config))
    }
}

fn unreadable(variable: &'static str, path: &Path, why: &dyn std::fmt::Display) -> TrustError {
    TrustError::Unreadable { variable, path: path.to_owned(), why: why.to_string() }
}

/// The certificates of a file that can be authorities. Bundles of systems hold a
/// few that no library of today reads, and that is no reason to refuse the rest.
fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, rustls::pki_types::pem::Error> {
    let all = CertificateDer::pem_slice_iter(text).collect::<Result<Vec<_>, _>>()?;
    Ok(all.into_iter().filter(|one| RootCertStore::empty().add(one.clone()).is_ok()).collect())
}

fn in_dirs(dirs: &OsString) -> Result<Vec<CertificateDer<'static>>, TrustError> {
    let mut all = Vec::new();
    for dir in std::env::split_paths(dirs).filter(|dir| !dir.as_os_str().is_empty()) {
        for entry in std::fs::read_dir(&dir).map_err(|error| unreadable(DIR, &dir, &error))?.flatten() {
            if !is_hash(&entry.file_name().to_string_lossy()) {
                continue;
            }
            // A link that leads nowhere is one certificate less, as for OpenSSL.
            let text = std::fs::read(entry.path()).unwrap_or_default();
            all.extend(certificates(&text).unwrap_or_default());
        }
    }
    Ok(all)
}

fn is_hash(name: &str) -> bool {
    name.split_once('.').is_some_and(|(hash, number)| {
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        hash.len() == 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) && is_number
    })
}

/// The library's verifier, and one thing that OpenSSL does and it does not: a
/// server may show the very certificate that was named as believed, though
/// it says of itself that it is an authority, as `openssl req -x509` makes them.
#[derive(Debug)]
struct Verifier {
    inner: Arc<WebPkiServerVerifier>,
    own: Arc<[CertificateDer<'static>]>,
}

impl Verifier {
    fn new(own: Arc<[CertificateDer<'static>]>, provider: &Arc<CryptoProvider>) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(own.iter().cloned());
        let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone());
        let inner = inner.build().map_err(|error| Error::General(error.to_string()))?;
        Ok(Self { inner, own })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict =
            self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verdict {
            // Its time was looked at before its kind; left to see is its name.
            Err(error) if is_authority(&error) && self.own.iter().any(|own| own == end_entity) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// The library's refusal of a server that shows an authority's certificate. It
/// has no name in rustls, only that of the crate behind it.
fn is_authority(error: &Error) -> bool {
    let Error::InvalidCertificate(CertificateError::Other(other)) = error else { return false };
    other.0.to_string() == "CaUsedAsEndEntity"
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};

    /// A certificate for `localhost` that signs itself.
    fn own(change: impl FnOnce(&mut CertificateParams)) -> rcgen::Certificate {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        change(&mut params);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap()
    }

    fn authority(params: &mut CertificateParams) {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }

    fn believed(trusted: &rcgen::Certificate, shown: &rcgen::Certificate, name: &str) -> Result<(), Error> {
        let provider = Arc::new(ring::default_provider());
        let verifier = Verifier::new([trusted.der().clone()].into(), &provider).unwrap();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        verifier.verify_server_cert(shown.der(), &[], &name, &[], UnixTime::now()).map(drop)
    }

    #[test]
    fn the_very_certificate_that_was_named_is_believed_for_its_name_and_its_time() {
        for kind in [authority as fn(&mut CertificateParams), |_| {}] {
            let (one, other) = (own(kind), own(kind));
            assert_eq!(believed(&one, &one, "localhost"), Ok(()));
            believed(&one, &one, "example.com").unwrap_err();
            believed(&other, &one, "localhost").unwrap_err();
            let old = own(|params| {
                kind(params);
                (params.not_before, params.not_after) =
                    (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
            });
            believed(&old, &old, "localhost").unwrap_err();
        }
    }

    #[test]
    fn a_file_and_directories_are_read_as_openssl_reads_them() {
        let dir = tempfile::tempdir().unwrap();
        let text = |path: &Path| Some(path.as_os_str().to_owned());
        let count = |trust: Trust| trust.0.map(|all| all.len());
        assert_eq!(count(Trust::read(None, Some(OsString::new())).unwrap()), None, "empty is not set");

        let (file, hashed) = (dir.path().join("ca.pem"), dir.path().join("hashed"));
        std::fs::write(&file, stage::Authority::new().pem() + &own(|_| {}).pem()).unwrap();
        assert_eq!(count(Trust::read(text(&file), None).unwrap()), Some(2));

        std::fs::create_dir(&hashed).unwrap();
        std::fs::write(hashed.join("left-out.pem"), own(authority).pem()).unwrap();
        let none = Trust::read(None, text(&hashed)).unwrap_err().to_string();
        assert!(none.starts_with("SSL_CERT_DIR: no certificate in ") && none.contains("rehash"), "{none}");
        std::fs::write(hashed.join("0a1b2c3d.0"), own(authority).pem()).unwrap();
        std::fs::write(hashed.join("0a1b2c3d.1"), "nothing").unwrap();
        let two = OsString::from(format!("{}:{}", hashed.display(), hashed.display()));
        assert_eq!(count(Trust::read(None, Some(two)).unwrap()), Some(2));
        assert_eq!(count(Trust::read(text(&file), text(&hashed)).unwrap()), Some(3));

        std::fs::write(&file, "no certificate").unwrap();
        let empty = Trust::read(text(&file), None).unwrap_err().to_string();
        assert!(empty.starts_with("SSL_CERT_FILE: no certificate in "), "{empty}");
        let missing = Trust::read(text(&dir.path().join("none")), None).unwrap_err().to_string();
        assert!(missing.starts_with("SSL_CERT_FILE: cannot read "), "{missing}");
        let missing = Trust::read(None, text(&dir.path().join("none"))).unwrap_err().to_string();
        assert!(missing.starts_with("SSL_CERT_DIR: cannot read "), "{missing}");
    }
}
