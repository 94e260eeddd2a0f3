//! Whom a database lets in, and who it is: roles, passwords, certificates. What is
//! wrong is named, with the mend.

use crate::postgres::{Server, connect};
use crate::store_contract::{Thing, thing};
use dialback::store::postgres::{Options, Postgres};
use dialback::store::{Index, Maintenance, Scan, Store, records};
use jiff::Timestamp;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use tempfile::TempDir;

async fn refused(url: &str) -> String {
    Postgres::open(url, Options::default()).await.err().expect("a refusal").to_string()
}

/// Opens, writes, reads and closes.
async fn used(url: &str, id: &str) {
    let store = Postgres::open(url, Options::default()).await.unwrap();
    let listed = Some((1, Timestamp::now().as_millisecond()));
    records::save(&store, None, &thing(id, 1, Some(1), listed)).await.unwrap();
    assert!(records::get::<Thing>(&store, id).await.unwrap().is_some());
    store.probe().await.unwrap();
    store.claim(dialback::store::Lane::Person, Timestamp::now(), 1, std::time::Duration::ZERO).await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn a_role_that_may_make_nothing_is_told_what_it_needs() {
    let Some(server) = Server::start("roles").await else { return };
    let client = connect(&server.url()).await;
    client.batch_execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC; CREATE ROLE bare LOGIN").await.unwrap();
    let url = server.url_of("bare");
    let why = refused(&url).await;
    assert!(why.contains("GRANT USAGE, CREATE ON SCHEMA public TO bare"), "{why}");
    used(&server.url(), "owner").await;
    let why = refused(&url).await;
    assert!(why.contains("lacks SELECT on dialback_record"), "{why}");
    // The mend as it is said.
    let mend = why.rsplit_once(": ").unwrap().1;
    client.batch_execute(mend).await.unwrap();
    used(&url, "bare").await;
}

#[tokio::test]
async fn a_month_without_a_table_gets_one_later_with_its_lines() {
    let Some(server) = Server::start("months made late").await else { return };
    used(&server.url(), "first").await;
    let client = connect(&server.url()).await;
    client
        .batch_execute(
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC; CREATE ROLE bare LOGIN;
             GRANT SELECT, INSERT, UPDATE, DELETE ON dialback_record, dialback_entry, dialback_probe TO bare;
             GRANT SELECT ON dialback_schema TO bare;
             DO $$ DECLARE t text; BEGIN
               FOR t IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'dialback_entry'::regclass
                 AND inhrelid <> 'dialback_entry_default'::regclass
               LOOP EXECUTE 'DROP TABLE ' || t; END LOOP; END $$",
        )
        .await
        .unwrap();
    for id in ["one", "two"] {
        used(&server.url_of("bare"), id).await;
    }
    let counts = async || {
        let sql = "SELECT (SELECT count(*) FROM dialback_entry_default), \
            (SELECT count(*) FROM pg_inherits WHERE inhparent = 'dialback_entry'::regclass)";
        let row = client.query_one(sql, &[]).await.unwrap();
        (row.get::<_, i64>(0), row.get::<_, i64>(1))
    };
    assert_eq!(counts().await, (4, 1), "two lines each");
    // Whoever owns the tables makes the months, and the lines go over.
    let store = Postgres::open(&server.url(), Options::default()).await.unwrap();
    assert_eq!(counts().await, (0, 4));
    let (scope, limit) = (String::new(), 9);
    let all = Scan { index: Index::Verifications, scope, since: None, until: None, after: None, limit };
    assert_eq!(store.scan(&all).await.unwrap().len(), 2);
    store.compact().await.unwrap();
    assert_eq!(counts().await, (0, 4));
    store.close().await;
}

/// Certificates, and the files of them.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    dir: TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem, dir: tempfile::tempdir().unwrap() }
    }

    /// A certificate and its key, in PEM.
    fn issue(&self, name: &str, has_expired: bool) -> (String, String) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        if has_expired {
            params.not_after = date_time_ymd(2020, 1, 1);
        }
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    /// A file that is its owner's alone.
    fn file(&self, name: &str, text: &str) -> String {
        let path = self.dir.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path.display().to_string()
    }
}

/// With TLS for all but its own user, and three roles: one with a password, one with a
/// certificate, and none.
async fn guarded(authority: &Authority) -> Option<Server> {
    let server = Server::make("TLS and passwords")?;
    let (certificate, key) = authority.issue("localhost", false);
    server.write("server.crt", &certificate);
    server.write("server.key", &key);
    server.write("ca.crt", &authority.pem);
    server.set("ssl = on\nssl_ca_file = 'ca.crt'\npassword_encryption = 'scram-sha-256'");
    server.write(
        "pg_hba.conf",
        "hostnossl all postgres 127.0.0.1/32 trust\nhostssl all certified 127.0.0.1/32 cert\n\
         hostssl all secret 127.0.0.1/32 scram-sha-256\n",
    );
    server.restart().await;
    let roles = "CREATE ROLE secret LOGIN PASSWORD 'a:long secret'; CREATE ROLE certified LOGIN; \
        CREATE SCHEMA secret AUTHORIZATION secret; CREATE SCHEMA certified AUTHORIZATION certified";
    connect(&server.url()).await.batch_execute(roles).await.unwrap();
    Some(server)
}

#[tokio::test]
async fn a_password_goes_to_a_server_that_proves_who_it_is() {
    let authority = Authority::new();
    let Some(server) = guarded(&authority).await else { return };
    let (port, roots) = (server.port(), authority.file("ca.pem", &authority.pem));
    let at = |user: &str, host: &str, more: &str| {
        format!("postgres://{user}@{host}:{port}/postgres?options=-c%20search_path%3Dsecret{more}")
    };
    let rooted = format!("&sslrootcert={roots}");
    let password = "secret:a%3Along%20secret";
    used(&at(password, "localhost", &rooted), "a").await;

    let why = refused(&at(password, "localhost", "&sslmode=verify-full")).await;
    assert!(why.contains("sslrootcert=FILE") && !why.contains("see whether the server runs"), "{why}");
    let why = refused(&at(password, "127.0.0.1", &rooted)).await;
    assert!(why.contains("for another name"), "{why}");
    let why = refused(&at("secret:wrong", "localhost", &rooted)).await;
    assert!(why.contains("28P01") && why.contains("password") && !why.contains("wrong:"), "{why}");
    let why = refused(&at("secret", "localhost", &rooted)).await;
    assert!(why.contains("passfile=FILE"), "{why}");
    let why = refused(&at("secret:x", "localhost", "&sslmode=disable")).await;
    assert!(why.contains("pg_hba.conf"), "{why}");

    let passwords = authority.file("pgpass", &format!("localhost:{port}:postgres:secret:a\\:long secret\n"));
    used(&at("secret", "localhost", &format!("{rooted}&passfile={passwords}")), "b").await;

    let (certificate, key) = authority.issue("localhost", true);
    server.write("server.crt", &certificate);
    server.write("server.key", &key);
    let client = connect(&server.url()).await;
    client.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    loop {
        // It takes a moment until the new one is shown.
        match Postgres::open(&at(password, "localhost", &rooted), Options::default()).await {
            Ok(store) => store.close().await,
            Err(why) => return assert!(why.to_string().contains("has expired"), "{why}"),
        }
        assert!(std::time::Instant::now() < deadline, "it shows the old certificate");
    }
}

#[tokio::test]
async fn a_certificate_of_our_own_opens_where_one_is_asked_for() {
    let authority = Authority::new();
    let Some(server) = guarded(&authority).await else { return };
    let roots = authority.file("ca.pem", &authority.pem);
    let url = |more: &str| {
        let port = server.port();
        format!(
            "postgres://certified@localhost:{port}/postgres?sslrootcert={roots}\
             &options=-c%20search_path%3Dcertified{more}"
        )
    };
    let (certificate, key) = authority.issue("certified", false);
    let files = |name: &str, certificate: &str, key: &str| {
        let certificate = authority.file(&format!("{name}.crt"), certificate);
        format!("&sslcert={certificate}&sslkey={}", authority.file(&format!("{name}.key"), key))
    };
    used(&url(&files("own", &certificate, &key)), "a").await;
    let why = refused(&url("")).await;
    assert!(why.contains("sslcert=FILE&sslkey=FILE"), "{why}");
    let (certificate, key) = Authority::new().issue("certified", false);
    let why = refused(&url(&files("strange", &certificate, &key))).await;
    assert!(why.contains("ssl_ca_file"), "{why}");
}

#[tokio::test]
async fn a_server_without_tls_is_told_from_one_that_is_not_there() {
    let Some(server) = Server::start("a server without TLS").await else { return };
    let why = refused(&format!("{}?sslmode=verify-full", server.url())).await;
    assert!(why.contains("turn ssl on") && !why.contains("see whether"), "{why}");
}
