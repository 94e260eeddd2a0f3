//! What never reaches a handler leaves a line that says what to mend: paths
//! that nearly fit, heads that are too large, and what is no HTTP.

use crate::app::{App, Setup};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn raw(app: &App, request: &str) -> String {
    let address = app.server.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_webhooks_path_that_nearly_fits_is_named_with_the_right_one() {
    let app = Setup::live().set("PUBLIC_URL", "https://otp.example.com/door").start().await;
    let missed = app.webhook("/door/twilio/status", &[("MessageSid", "SM1")]).await;
    assert_eq!(missed.status, 404, "it is said, and not forgiven");
    let log = app.logged("nearly fits").await;
    let line = log.lines().find(|line| line.contains("nearly fits")).unwrap();
    assert!(line.contains("/door/twilio/status"), "{line}");
    assert!(line.contains("https://otp.example.com/door/twilio/status"), "{line}");
    app.stop().await;
}

#[tokio::test]
async fn heads_that_are_refused_are_told_with_the_setting() {
    let app = Setup::live().start().await;
    let lines = "X-Mesh: 1\r\n".repeat(65);
    let answer = raw(&app, &format!("GET /healthz HTTP/1.1\r\nHost: h\r\n{lines}\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    app.logged("server.max_headers").await;
    let proxied = "PROXY TCP4 203.0.113.7 203.0.113.9 5000 443\r\nGET /healthz HTTP/1.1\r\nHost: h\r\n\r\n";
    let answer = raw(&app, proxied).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    app.logged("PROXY protocol").await;
    app.stop().await;
}
