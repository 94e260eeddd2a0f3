//! The real proxies, each with the sample of `deploy/proxies` as it stands there: only
//! addresses, names of files and the path of `public_url` are set, by the variables and
//! lines that the samples name.

use crate::instance::skipped;
use crate::output::Collected;
use crate::ports::{self, Port};
use crate::wire::poll;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use tempfile::TempDir;

/// The name that the samples are for.
pub const HOST: &str = "verify.example.com";

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/proxies");

/// What of nginx's sample is changed, for it knows no variables: its lines, and what
/// takes their place.
const NGINX_CERTIFICATE: &str = "/etc/ssl/dialback/fullchain.pem";
const NGINX_KEY: &str = "/etc/ssl/dialback/key.pem";
const NGINX_LISTEN: &str = "listen 443 ssl";
const NGINX_PREFIX: &str = "\"~^(/.*)$\" $1;";
const NGINX_UPSTREAM: &str = "server 127.0.0.1:8000;";

/// Which proxy it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Nginx,
    Caddy,
    Haproxy,
}

/// A proxy that runs; it is killed when it is dropped.
pub struct Proxy {
    child: Child,
    port: Port,
    _dir: TempDir,
    trust: Arc<RootCertStore>,
    said: Collected,
}

impl Kind {
    /// Where the program is, or the line that says how to turn the test on.
    pub fn program(self) -> Option<String> {
        let (name, variable) = match self {
            Self::Nginx => ("nginx", "DIALBACK_TEST_NGINX"),
            Self::Caddy => ("Caddy", "DIALBACK_TEST_CADDY"),
            Self::Haproxy => ("HAProxy", "DIALBACK_TEST_HAPROXY"),
        };
        let program = env::var(variable).ok();
        if program.is_none() {
            skipped(&format!("{name}'s sample: set {variable} to the path of the program to turn it on"));
        }
        program
    }

    /// Its command, in a directory that has `cert.pem`, `key.pem` and `both.pem`.
    fn command(self, program: &str, dir: &Path, port: u16, upstream: SocketAddr, prefix: &str) -> Command {
        let mut command = Command::new(program);
        let (at, to) = (format!("127.0.0.1:{port}"), upstream.to_string());
        let path = |name: &str| dir.join(name).display().to_string();
        command.current_dir(dir).env_clear();
        match self {
            Self::Nginx => {
                fs::write(dir.join("dialback.conf"), nginx(dir, port, upstream, prefix)).unwrap();
                fs::write(dir.join("nginx.conf"), NGINX_AROUND.replace("DIR", &dir.display().to_string()))
                    .unwrap();
                command.args(["-e", "stderr", "-p"]).arg(dir).arg("-c").arg(dir.join("nginx.conf"));
            }
            Self::Caddy => {
                let own = [("CADDY_TLS", "own"), ("CADDY_ADMIN", "off"), ("CADDY_HTTP_PORT", "0")];
                command
                    .args(["run", "--adapter", "caddyfile", "--config"])
                    .arg(format!("{SAMPLES}/Caddyfile"));
                command.envs(own).envs([
                    ("HOME", path("home")),
                    ("CADDY_SITE", format!("https://{HOST}:{port}")),
                    ("CADDY_HTTPS_PORT", port.to_string()),
                    ("CADDY_UPSTREAM", to),
                    ("CADDY_CERTIFICATE", path("cert.pem")),
                    ("CADDY_KEY", path("key.pem")),
                    ("CADDY_PREFIX", prefix.to_owned()),
                ]);
            }
            Self::Haproxy => {
                command.args(["-db", "-f"]).arg(format!("{SAMPLES}/haproxy.cfg"));
                command.envs([("PROXY_BIND", at), ("PROXY_CRT", path("both.pem")), ("PROXY_UPSTREAM", to)]);
                command.env("PROXY_PREFIX", prefix);
            }
        }
        command
    }
}

/// What stands around a site in nginx's own configuration: one process, and no
/// directory but this one.
const NGINX_AROUND: &str = "daemon off; master_process off; pid DIR/nginx.pid; error_log stderr notice;\n\
    events {}\nhttp { access_log off; client_body_temp_path DIR/body; proxy_temp_path DIR/proxy;\n\
    fastcgi_temp_path DIR/fastcgi; uwsgi_temp_path DIR/uwsgi; scgi_temp_path DIR/scgi;\n\
    include DIR/dialback.conf; }\n";

fn nginx(dir: &Path, port: u16, upstream: SocketAddr, prefix: &str) -> String {
    let mut text = fs::read_to_string(format!("{SAMPLES}/nginx.conf")).unwrap();
    let path = |name: &str| dir.join(name).display().to_string();
    for (line, place) in [
        (NGINX_CERTIFICATE, path("cert.pem")),
        (NGINX_KEY, path("key.pem")),
        (NGINX_LISTEN, format!("listen 127.0.0.1:{port} ssl")),
        (NGINX_PREFIX, format!("\"~^{prefix}(/.*)$\" $1;")),
        (NGINX_UPSTREAM, format!("server {upstream};")),
    ] {
        assert_eq!(
            text.matches(line).count(),
            if line == NGINX_LISTEN { 2 } else { 1 },
            "{line} in nginx.conf"
        );
        text = text.replace(line, &place);
    }
    text
}

impl Proxy {
    /// Starts one in front of that server, and waits until it takes connections.
    pub async fn start(kind: Kind, program: &str, upstream: SocketAddr, prefix: &str) -> Self {
        let (dir, port) = (TempDir::new().unwrap(), ports::take());
        let trust = certificates(dir.path());
        let mut command = kind.command(program, dir.path(), port.number, upstream, prefix);
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let said = Collected::from(child.stderr.take().unwrap());
        let mut proxy = Self { child, port, _dir: dir, trust, said };
        let listens = poll(|| {
            let ended = proxy.child.try_wait().unwrap();
            assert!(ended.is_none(), "{kind:?} ended ({ended:?}): {}", proxy.said.text());
            let there = std::net::TcpStream::connect(proxy.addr()).is_ok();
            std::future::ready(there.then_some(()))
        });
        listens.await.unwrap_or_else(|| panic!("{kind:?} does not listen: {}", proxy.said.text()));
        proxy
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port.number).into()
    }

    /// What it wrote so far.
    pub fn said(&self) -> String {
        self.said.text()
    }

    /// How to connect to it by this protocol.
    pub fn tls(&self, alpn: &str) -> ClientConfig {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap();
        let mut config = config.with_root_certificates(self.trust.clone()).with_no_client_auth();
        config.alpn_protocols = vec![alpn.into()];
        config
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Leaves a certificate for [`HOST`], and gives who signed it.
fn certificates(dir: &Path) -> Arc<RootCertStore> {
    let (authority, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = params.self_signed(&authority).unwrap();
    let issuer = Issuer::new(params, authority);
    let own = CertificateParams::new(vec![HOST.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let (cert, key) = (own.pem(), key.serialize_pem());
    for (name, text) in [("cert.pem", &cert), ("key.pem", &key), ("both.pem", &format!("{cert}{key}"))] {
        fs::write(dir.join(name), text).unwrap();
    }
    let mut roots = RootCertStore::empty();
    roots.add(root.der().clone()).unwrap();
    Arc::new(roots)
}
