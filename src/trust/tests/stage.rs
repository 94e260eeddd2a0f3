//! An authority of its own, and servers that show its certificates, for tests.
//!
//! Servers are threads, each connection is one more, and all are gone with the
//! process. This module refuses to know who believes whom.

// The tests of the sandbox use all of it.
#![cfg_attr(not(feature = "sandbox"), expect(dead_code))]

use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

/// Who signs certificates.
pub struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

/// When a certificate is valid.
#[derive(Clone, Copy)]
pub enum Valid {
    Now,
    Past,
    Future,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self { certificate: params.self_signed(&key).unwrap(), issuer: Issuer::new(params, key) }
    }

    /// Its own certificate.
    pub fn der(&self) -> CertificateDer<'static> {
        self.certificate.der().clone()
    }

    /// The same as text.
    pub fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// A server on this machine with a certificate for these names, which answers
    /// every request with `answer`; its port.
    pub fn serve(&self, names: &[&str], valid: Valid, answer: &str) -> u16 {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        match valid {
            Valid::Now => {}
            Valid::Past => params.not_after = date_time_ymd(2020, 1, 1),
            Valid::Future => params.not_before = date_time_ymd(4000, 1, 1),
        }
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        serve_tls(certificate.der().clone(), &key, answer)
    }
}

/// A server with a certificate that nobody but itself stands behind: the port,
/// and the certificate.
pub fn serve_self_signed(name: &str, answer: &str) -> (u16, CertificateDer<'static>) {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    // As `openssl req -x509` makes them.
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap().der().clone();
    (serve_tls(certificate.clone(), &key, answer), certificate)
}

/// A server without TLS, which reads a request and says these bytes; its port.
pub fn serve_plain(answer: &'static [u8]) -> u16 {
    listen(move |mut stream| {
        read_request(&mut stream);
        let _ = stream.write_all(answer);
    })
}

fn serve_tls(certificate: CertificateDer<'static>, key: &KeyPair, answer: &str) -> u16 {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let (config, answer) = (Arc::new(config), answer.to_owned());
    listen(move |stream| {
        let connection = ServerConnection::new(config.clone()).unwrap();
        let mut stream = StreamOwned::new(connection, stream);
        if read_request(&mut stream) {
            let _ = stream.write_all(answer.as_bytes());
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    })
}

fn listen(serve: impl Fn(TcpStream) + Clone + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = serve.clone();
            std::thread::spawn(move || serve(stream));
        }
    });
    port
}

/// Reads a request to its end; false when none came.
fn read_request(stream: &mut impl Read) -> bool {
    let mut bytes = Vec::new();
    loop {
        let mut part = [0; 4096];
        match stream.read(&mut part) {
            Ok(count @ 1..) => bytes.extend_from_slice(&part[..count]),
            _ => return false,
        }
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        let Some((head, _)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.map_or(0, |length| length.parse().unwrap());
        if bytes.len() >= head.len() + 4 + length {
            return true;
        }
    }
}
