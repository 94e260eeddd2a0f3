//! Crowds at the door of the real binary: connections that say nothing, bodies
//! that do not end. Sending, `/healthz` and Twilio's webhooks go on.

use crate::instance::{Instance, Setup, TOKEN, answer, form, poll, sign, skipped, text, wait_ready};
use crate::output::Collected;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::net::SocketAddr;
use std::process::Stdio;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// As many as a crowd is, where this process may have them.
fn crowd(wished: u64) -> usize {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let there = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    // The other tests of this process need theirs.
    usize::try_from(wished.min(there.saturating_sub(512) / 2).max(64)).unwrap()
}

/// As many as one peer may have, however few descriptors the server has: it lowers its
/// limits with them, and refuses a peer's further ones while all others are busy.
fn crowd_of_one_peer(wished: u64) -> usize {
    let most = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
    crowd(wished.min(most / 5))
}

fn address(app: &Instance) -> SocketAddr {
    app.server.strip_prefix("http://").unwrap().parse().unwrap()
}

/// So many connections that each say this and then nothing.
async fn gather(app: &Instance, count: usize, said: &str) -> Vec<TcpStream> {
    gather_said(app, count, said).await.into_iter().map(|(stream, _)| stream).collect()
}

/// The same, with what came of saying it: who was cut meanwhile has had its say, and by
/// its error alone one knows that it was, for reading tells it but once.
async fn gather_said(app: &Instance, count: usize, said: &str) -> Vec<(TcpStream, std::io::Result<()>)> {
    let address = address(app);
    let mut there = Vec::with_capacity(count);
    for _ in 0..count {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let told = stream.write_all(said.as_bytes()).await;
        there.push((stream, told));
    }
    there
}

/// What has to go on, on connections of its own.
async fn goes_on(app: &Instance, number: &str) {
    let fresh = reqwest::Client::builder().no_proxy().timeout(crate::wire::PATIENCE).build().unwrap();
    let health = answer(fresh.get(format!("{}/healthz", app.server))).await;
    assert_eq!(health.status, 200, "{}", health.text);
    let id = text(&app.begin(number, "sms").await["id"]);
    // Sent, and reported back by callbacks that the sandbox signed.
    app.texted_code(number, 1).await;
    app.verification(&id, |view| view["deliveries"][0]["status"] == "delivered").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_that_says_nothing_keeps_nobody_out() {
    let app = Setup::sandbox().start().await;
    let silent = gather(&app, crowd(4200), "").await;
    goes_on(&app, "+15551230901").await;
    drop(silent);
    let slow = gather(&app, crowd(4200), "POST /twilio/status HTTP/1.1\r\nhost: a\r\ncontent-le").await;
    goes_on(&app, "+15551230902").await;
    drop(slow);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_in_front_of_a_process_with_few_descriptors_keeps_nobody_out() {
    let dir = TempDir::new().unwrap();
    let ready = dir.path().join("ready.json");
    // The hard limit too, so that it cannot be raised again.
    let script = "ulimit -n 300; exec \"$0\" serve --ready-file \"$1\"";
    let mut child = std::process::Command::new("/bin/sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_dialback")])
        .arg(&ready)
        .current_dir(dir.path())
        .env_clear()
        .env("DIALBACK_SERVER__LISTEN", "127.0.0.1:0")
        .env("DIALBACK_SANDBOX__LISTEN", "127.0.0.1:0")
        .env("DIALBACK_API_KEY", crate::instance::KEY)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let err = Collected::from(child.stderr.take().unwrap());
    let told = wait_ready(&mut child, &ready, &err).await;
    let server = told["server"].as_str().unwrap().to_owned();
    let lowered = "too few descriptors for server.max_connections, which is lowered";
    assert_eq!(err.text().matches(lowered).count(), 1, "{}", err.text());

    let address: SocketAddr = server.parse().unwrap();
    let mut silent = Vec::new();
    for _ in 0..600 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    let http = reqwest::Client::builder().no_proxy().timeout(crate::wire::PATIENCE).build().unwrap();
    assert_eq!(answer(http.get(format!("http://{server}/healthz"))).await.status, 200);
    let body = serde_json::json!({ "to": "+15551230903", "channel": "sms" });
    let start = http.post(format!("http://{server}/v1/verifications")).bearer_auth(crate::instance::KEY);
    assert_eq!(answer(crate::instance::with_json(start, &body)).await.status, 201);
    let list = || async {
        let request = http.get(format!("http://{server}/v1/deliveries?status=delivered"));
        let list = answer(request.bearer_auth(crate::instance::KEY)).await.json();
        Some(()).filter(|()| list["deliveries"].as_array().is_some_and(|them| !them.is_empty()))
    };
    poll(list).await.unwrap_or_else(|| panic!("nothing was delivered: {}", err.text()));
    assert!(!err.text().contains("cannot accept connections"), "{}", err.text());
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Memory of its own that the process has, in bytes: what it has read of the binary comes
/// and goes with what it is asked, and is no crowd's.
fn resident(app: &Instance) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", app.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// A webhook that says `said` in its head, and `sent` bytes of the body that it announces.
fn unended(said: &str, sent: usize) -> String {
    let pairs = "Body=0123456789&".repeat(3);
    let body = pairs.repeat(sent / pairs.len());
    let form = "content-type: application/x-www-form-urlencoded\r\ncontent-length: 65000";
    format!("POST /twilio/status HTTP/1.1\r\nhost: a\r\n{form}\r\n{said}\r\n{body}")
}

/// A header that could be a signature: for it the body is read.
fn could_be_signed() -> String {
    format!("x-twilio-signature: {}=\r\n", "A".repeat(27))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_do_not_end_keep_nobody_out() {
    // Why the server ends a connection is in its log at debug alone.
    let app = Setup::sandbox().set("LOG__LEVEL", "info,dialback::server=debug").start().await;
    // Unsigned: answered before the body is here.
    let mut unsigned = gather_said(&app, crowd_of_one_peer(1000), &unended("", 50_000)).await;
    let (mut answered, mut lost) = (0, Vec::new());
    for (nth, (stream, told)) in unsigned.iter_mut().enumerate() {
        let mut status = [0; 12];
        match tokio::time::timeout(crate::wire::PATIENCE, stream.read_exact(&mut status)).await.unwrap() {
            Ok(_) => answered += usize::from(&status == b"HTTP/1.1 403"),
            Err(error) => lost.push(format!("the {nth}th: {error}, after saying it: {told:?}")),
        }
    }
    let log = app.log();
    let why: Vec<&str> = log.lines().filter(|line| line.contains("dialback::server")).collect();
    assert_eq!((answered, &lost), (unsigned.len(), &Vec::new()), "{}", why.join("\n"));
    goes_on(&app, "+15551230911").await;
    let looking = gather(&app, crowd_of_one_peer(1000), &unended(&could_be_signed(), 50_000)).await;
    goes_on(&app, "+15551230912").await;
    drop((unsigned, looking));
}

/// What the server keeps of a crowd's bodies is bounded by its budget, told from what a
/// server keeps that has room for all of them: the buffers of the connections, and what
/// an allocator does not give back, are the same for both.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_do_not_end_cost_a_bounded_memory() {
    const SENT: usize = 60_000;
    let (crowd, said) = (crowd_of_one_peer(2000), unended(&could_be_signed(), SENT));
    if crowd < 1500 {
        skipped("what a crowd's bodies cost: allow 8000 descriptors (`ulimit -n`) to turn it on");
        return;
    }
    let may_keep = async |bytes: usize| {
        Setup::sandbox()
            .set("SERVER__MAX_BODY_BYTES_IN_FLIGHT", &bytes.to_string())
            .set("SERVER__REQUEST_TIMEOUT_SECONDS", "300")
            .start()
            .await
    };
    let budget = 8 * 1024 * 1024;
    let bounded = may_keep(budget).await;
    goes_on(&bounded, "+15551230913").await;
    let before = resident(&bounded);
    let there = gather(&bounded, crowd, &said).await;
    // All of it was read once no more are unanswered than have room.
    let mut unanswered: Vec<&TcpStream> = there.iter().collect();
    let most = budget / SENT;
    let read = poll(|| {
        unanswered.retain(|stream| {
            let mut status = [0; 12];
            let is_answered = stream.try_read(&mut status).is_ok();
            assert!(!is_answered || &status == b"HTTP/1.1 503", "{}", String::from_utf8_lossy(&status));
            !is_answered
        });
        std::future::ready((unanswered.len() <= most).then_some(()))
    });
    assert!(read.await.is_some(), "{} wait, and there is room for {most}", unanswered.len());
    let grown = resident(&bounded).saturating_sub(before);
    drop((there, bounded));

    let roomy = may_keep(1 << 30).await;
    goes_on(&roomy, "+15551230914").await;
    let before = resident(&roomy);
    let there = gather(&roomy, crowd, &said).await;
    let took = poll(|| {
        let took = resident(&roomy).saturating_sub(before);
        std::future::ready((took >= grown + grown / 2).then_some(took))
    });
    let took = took.await;
    eprintln!("{grown} bytes more for a crowd's bodies, {took:?} with room for all of them");
    assert!(took.is_some(), "{grown} bytes where {budget} are allowed, as many as where all are");
    drop((there, roomy));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forms_are_small_whoever_signed_them() {
    let app = Setup::live().start().await;
    let url = format!("{}/twilio/status", app.public_url);
    let post = |pairs: Vec<(String, String)>| {
        let borrowed: Vec<(&str, &str)> = pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let signature = sign(TOKEN, &url, &borrowed);
        let request = app.http.post(format!("{}/twilio/status", app.server));
        request
            .header("content-type", "application/x-www-form-urlencoded")
            .header("x-twilio-signature", signature)
            .body(form(&borrowed))
    };
    let mut pairs: Vec<(String, String)> = (0..199).map(|n| (format!("P{n}"), "1".to_owned())).collect();
    pairs.push(("AccountSid".to_owned(), crate::instance::ACCOUNT.to_owned()));
    assert_eq!(answer(post(pairs.clone())).await.status, 204, "{}", app.end_of_log());
    pairs.push(("One".to_owned(), "more".to_owned()));
    answer(post(pairs.clone())).await.problem(413, "body_too_large");
    let long = vec![("Body".to_owned(), "x".repeat(65_600))];
    answer(post(long)).await.problem(413, "body_too_large");
}
