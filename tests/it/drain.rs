//! A stop in order: what is under way is finished, and nothing that was
//! acknowledged is missing afterwards.

use crate::instance::{
    ACCOUNT, Instance, PUBLIC_URL, Setup, TOKEN, binary, form, poll, sign, text, try_answer,
};
use futures_util::future::join_all;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A signed callback about this message, as it goes over the wire.
fn wire(sid: &str) -> String {
    let params = [("MessageSid", sid), ("MessageStatus", "delivered"), ("AccountSid", ACCOUNT)];
    let signature = sign(TOKEN, &format!("{PUBLIC_URL}/twilio/status"), &params);
    let body = form(&params);
    format!(
        "POST /twilio/status HTTP/1.1\r\nHost: otp.example.com\r\nX-Twilio-Signature: {signature}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn connect(app: &Instance) -> TcpStream {
    TcpStream::connect(app.server.trim_start_matches("http://")).await.unwrap()
}

#[tokio::test]
async fn requests_that_had_begun_are_answered_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let app = Setup::live().dir(dir.path()).start().await;
    let sids: Vec<String> = (1..=24).map(|n| format!("SM{n:032x}")).collect();
    let mut begun = Vec::new();
    for (at, sid) in sids.iter().enumerate() {
        let (request, mut stream) = (wire(sid), connect(&app).await);
        // Broken off somewhere: in the head, at its end, or in the body.
        let (first, rest) = request.split_at(20 + at * (request.len() - 40) / sids.len());
        stream.write_all(first.as_bytes()).await.unwrap();
        begun.push((stream, rest.to_owned()));
    }
    // An answer on a later connection: the earlier ones have been accepted.
    assert_eq!(app.get("/healthz").await.status, 200);
    app.terminate();
    app.logged("stopping").await;
    let answers = join_all(begun.into_iter().map(async |(mut stream, rest)| {
        stream.write_all(rest.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }));
    for (sid, answer) in sids.iter().zip(answers.await) {
        assert!(answer.starts_with("HTTP/1.1 204"), "{sid}: {answer:?}");
    }
    app.stop().await;
    let app = Setup::live().dir(dir.path()).start().await;
    for sid in &sids {
        assert_eq!(app.delivery(sid, |_| true).await["status"], "delivered");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_under_load_loses_nothing_that_was_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let app = Setup::live().dir(dir.path()).start().await;
    let acknowledged = Mutex::new(BTreeSet::new());
    let fresh = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap();
    let load = join_all((0..24).map(async |connection: usize| {
        // As Twilio does it, and kept alive as a proxy does.
        let client = if connection.is_multiple_of(2) { &fresh } else { &app.http };
        for n in 0.. {
            let sid = format!("SM{connection:016x}{n:016x}");
            let params = [("MessageSid", sid.as_str()), ("MessageStatus", "sent"), ("AccountSid", ACCOUNT)];
            let signature = sign(TOKEN, &format!("{PUBLIC_URL}/twilio/status"), &params);
            let request = client.post(format!("{}/twilio/status", app.server)).body(form(&params));
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            match try_answer(request.header("x-twilio-signature", signature)).await {
                // Nothing but yes is ever said, also while it stops.
                Ok(answer) => assert_eq!(answer.status, 204, "{}", answer.text),
                Err(error) => {
                    assert!(!error.is_timeout() && !error.is_body(), "{error:?}");
                    return;
                }
            }
            acknowledged.lock().unwrap().insert(sid);
        }
    }));
    let begun = Instant::now();
    let stop = async {
        while acknowledged.lock().unwrap().len() < 300 {
            assert!(begun.elapsed() < Duration::from_secs(30), "no load came about");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        app.terminate();
    };
    let ((), _) = tokio::join!(stop, load);
    let stopped = Instant::now();
    app.stop().await;
    assert!(stopped.elapsed() < Duration::from_secs(18), "{:?}", stopped.elapsed());
    let app = Setup::live().dir(dir.path()).start().await;
    for sid in acknowledged.into_inner().unwrap() {
        assert_eq!(app.delivery(&sid, |_| true).await["status"], "sent");
    }
}

#[tokio::test]
async fn who_never_ends_does_not_hold_up_a_stop() {
    let app = Setup::live().set("SERVER__DRAIN_TIMEOUT_SECONDS", "1").start().await;
    let request = wire("SM00000000000000000000000000000001");
    let mut stuck = connect(&app).await;
    stuck.write_all(&request.as_bytes()[..request.len() - 5]).await.unwrap();
    let _idle = connect(&app).await;
    assert_eq!(app.get("/healthz").await.status, 200);
    let begun = Instant::now();
    let ended = app.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(14), "{:?}", begun.elapsed());
    assert!(ended.err.contains("stopped connections_cut="), "{}", ended.err);
}

#[tokio::test]
async fn long_polls_and_event_streams_do_not_hold_up_a_stop() {
    let app = Setup::sandbox().start().await;
    let mut waiting = Vec::new();
    for path in [
        "/sandbox/events",
        "/sandbox/phones/+15551230801/messages?wait=300",
        "/sandbox/phones/+15551230801/calls?wait=300",
    ] {
        let mut stream = TcpStream::connect(app.sandbox.trim_start_matches("http://")).await.unwrap();
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").as_bytes()).await.unwrap();
        waiting.push(stream);
    }
    // The stream's head is there, so the requests have arrived.
    let mut head = [0; 12];
    waiting[0].read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 200");
    let begun = Instant::now();
    app.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(14), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_stop_right_after_the_start_is_in_order_too() {
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..8 {
        Setup::sandbox().dir(dir.path()).start().await.stop().await;
    }
}

#[tokio::test]
async fn what_is_taken_is_not_shared() {
    let app = Setup::sandbox().start().await;
    let dir = tempfile::tempdir().unwrap();
    let second = |name: &'static str, value: &str| {
        let mut command = binary(dir.path());
        command.env("DIALBACK_SERVER__LISTEN", "127.0.0.1:0").env("DIALBACK_SANDBOX__LISTEN", "127.0.0.1:0");
        let output = command.env(name, value).arg("serve").output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let said = second("DIALBACK_STORE__URL", &app.store);
    assert!(said.contains(app.store.trim_start_matches("sled:")), "{said}");
    let said = second("DIALBACK_SERVER__LISTEN", app.server.trim_start_matches("http://"));
    assert!(said.contains("server.listen"), "{said}");
    // The first goes on as if nothing had happened.
    app.begin("+15551230802", "sms").await;
    app.texted_code("+15551230802", 1).await;
    app.stop().await;
}

#[tokio::test]
async fn nobody_needs_to_read_the_banner() {
    let dir = tempfile::tempdir().unwrap();
    let ready = dir.path().join("ready.json");
    let mut child = binary(dir.path())
        .env("DIALBACK_SERVER__LISTEN", "127.0.0.1:0")
        .env("DIALBACK_SANDBOX__LISTEN", "127.0.0.1:0")
        .args(["serve", "--ready-file"])
        .arg(&ready)
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let server =
        poll(async || serde_json::from_slice::<Value>(&std::fs::read(&ready).ok()?).ok()).await.unwrap();
    let url = format!("http://{}/healthz", text(&server["server"]));
    // Long after the banner: with the first answer the server has begun to serve.
    let health = poll(async || try_answer(reqwest::Client::new().get(&url)).await.ok()).await;
    assert!(child.try_wait().unwrap().is_none(), "it ended");
    assert_eq!(health.unwrap().status, 200);
    child.kill().unwrap();
    child.wait().unwrap();
}
