//! The recorded webhooks: each is understood, proves what it should, and gets
//! the answer that it expects from a real server.

use crate::world::{ACCOUNT_SID, TOKEN, World};
use dialback::app::fault::Fault;
use dialback::app::messaging::{self, Found, MessagingError};
use dialback::app::verification::{self, StartRequest};
use dialback::cli::replay::http_file::HttpFile;
use dialback::cli::replay::prepare::{Prepared, Signer};
use dialback::cli::replay::send::{Answer, Plan};
use dialback::cli::replay::{Loaded, load, send};
use dialback::model::channel::Channel;
use dialback::model::delivery::{Delivery, Source};
use dialback::model::policy::Policy;
use dialback::model::status::Status;
use dialback::secret::Secret;
use dialback::twilio::signature::{Rejection, Signed, Token, Verified, Verifier, body_hash};
use dialback::twilio::url::PublicUrl;
use dialback::twilio::{callback, form};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::TcpSocket;
use tokio::process::Command;

const ONCE: Plan = Plan { repeat: 1, shuffle: None, concurrency: 1 };

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/webhooks")
}

fn signer(public_url: &str) -> Signer {
    Signer {
        public_url: PublicUrl::parse(public_url).unwrap(),
        token: Some(Secret::new(TOKEN)),
        values: BTreeMap::from([("account_sid".to_owned(), ACCOUNT_SID.to_owned())]),
    }
}

fn all(public_url: &str) -> Vec<Loaded> {
    load(&[directory()], &signer(public_url)).unwrap()
}

fn verify(public_url: &str, request: &Prepared) -> Result<Verified, Rejection> {
    let token = Token { label: "token".into(), account: None, secret: Secret::new(TOKEN) };
    let header = |name: &str| {
        let found = request.headers.iter().filter(move |(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| &**value).collect::<Vec<_>>()
    };
    let signatures = header("x-twilio-signature");
    let signatures: Vec<&[u8]> = signatures.iter().map(|value| value.as_bytes()).collect();
    let signed = Signed {
        method: &request.method,
        url: &PublicUrl::parse(public_url).unwrap().join(&request.path_and_query),
        content_type: header("content-type").first().copied(),
        body: request.body.as_bytes(),
        signatures: &signatures,
        settings: header("x-twilio-webhooks-signature-settings").first().copied(),
    };
    Verifier::new(vec![token], vec![]).unwrap().verify(&signed)
}

fn altered(byte: u8) -> char {
    if byte == b'0' { '1' } else { '0' }
}

#[test]
fn a_signature_proves_each_request_that_is_to_be_taken_and_no_other() {
    for public_url in ["http://127.0.0.1:8000", "https://hooks.example.org:8443/otp"] {
        let requests = all(public_url);
        assert!(requests.len() >= 30, "{}", requests.len());
        for Loaded { place, prepared, .. } in &requests {
            let expect = prepared.expect.unwrap_or_else(|| panic!("{place}: expects nothing"));
            assert_eq!(verify(public_url, prepared).is_ok(), expect != 403, "{place}");
        }
    }
}

#[test]
fn a_byte_changed_anywhere_is_noticed() {
    const URL: &str = "https://hooks.example.org";
    let taken = |request: &Loaded| request.prepared.expect != Some(403);
    for Loaded { place, prepared, .. } in all(URL).into_iter().filter(taken) {
        let in_body = !prepared.body.is_empty();
        let text = if in_body { &prepared.body } else { &prepared.path_and_query };
        for at in [text.len() - 1, text.len() / 2, text.len() / 3]
            .into_iter()
            .filter(|at| text.as_bytes()[*at].is_ascii_alphanumeric())
        {
            let mut text = text.clone();
            let new = altered(text.as_bytes()[at]).to_string();
            text.replace_range(at..=at, &new);
            let forged = match in_body {
                true => Prepared { body: text, ..prepared.clone() },
                false => Prepared { path_and_query: text, ..prepared.clone() },
            };
            assert!(verify(URL, &forged).is_err(), "{place}: byte {at}");
        }
    }
}

#[test]
fn every_callback_is_understood_and_every_status_is_there() {
    const URL: &str = "http://127.0.0.1:8000";
    let (mut messages, mut calls) = (BTreeSet::new(), BTreeSet::new());
    for Loaded { place, prepared, .. } in all(URL) {
        let params = form::parse(prepared.body.as_bytes());
        let path = prepared.path_and_query.split('?').next().unwrap();
        let named = params.iter().any(|(name, _)| name == "MessageSid" || name == "CallSid");
        if prepared.expect == Some(403) || !named {
            continue;
        }
        let report = callback::report(&params, Source::StatusCallback, None)
            .unwrap_or_else(|error| panic!("{place}: {error}"));
        assert_eq!(report.about.account_sid.as_deref(), Some(ACCOUNT_SID), "{place}");
        match path {
            "/twilio/status" => messages.extend(report.fact.status),
            "/twilio/call-status" => calls.extend(report.fact.status),
            _ => {}
        }
    }
    use Status::{
        Busy, Canceled, Completed, Delivered, Failed, InProgress, Initiated, NoAnswer, Queued, Read, Ringing,
        Sending, Sent, Undelivered,
    };
    assert_eq!(
        messages,
        BTreeSet::from([Queued, Sending, Sent, Undelivered, Failed, Canceled, Delivered, Read])
    );
    assert_eq!(
        calls,
        BTreeSet::from([Initiated, Ringing, InProgress, Failed, Canceled, NoAnswer, Busy, Completed])
    );
}

/// Tools that cannot hash send the file's own value.
#[test]
fn the_hash_at_the_head_of_a_file_is_that_of_its_body() {
    for name in ["events.http", "altered.http"] {
        let text = std::fs::read_to_string(directory().join(name)).unwrap();
        let file = HttpFile::parse(&text).unwrap();
        let value = |name: &str| {
            file.variables.iter().find(|(other, _)| other == name).map(|(_, value)| value).unwrap()
        };
        let request = file.requests.iter().find(|request| request.url.contains("{{body_sha256}}")).unwrap();
        let signed = request.signed_body.as_ref().unwrap_or(&request.body);
        let body = signed.replace("{{account_sid}}", value("account_sid"));
        assert_eq!(&body_hash(body.as_bytes()), value("body_sha256"), "{name}");
    }
}

async fn delivery(world: &World, sid: &str) -> Option<Delivery> {
    match messaging::delivery(&world.app.base, sid).await {
        Ok(Found::Delivery(delivery, _)) => Some(*delivery),
        Ok(Found::Send(..)) | Err(MessagingError::Fault(Fault::NotFound)) => None,
        Err(error) => panic!("{sid}: {error}"),
    }
}

fn said<'a>(request: &'a Loaded, name: &str) -> Option<&'a str> {
    let pairs = request.prepared.body.split('&');
    pairs.filter_map(|pair| pair.split_once('=')).find(|(other, _)| *other == name).map(|(_, value)| value)
}

#[tokio::test]
async fn a_server_answers_each_as_it_expects_in_any_order_and_number() {
    let world = World::start().await;
    let requests = all(&world.base_url);
    let plan = Plan { repeat: 3, shuffle: Some(20), concurrency: 8 };
    let counter = send(&world.base_url, &requests, plan, || {}).await.unwrap();
    let wrong: Vec<String> =
        counter.mismatches.keys().map(|(at, answer)| format!("{}: {answer}", requests[*at].place)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(counter.times.len(), requests.len() * 3);
    let answers: Vec<&Answer> = counter.answers.keys().collect();
    assert_eq!(answers, [200, 204, 403, 405].map(Answer::Status).iter().collect::<Vec<_>>());

    for request in requests.iter().filter(|request| request.place.contains("/message-")) {
        let found = delivery(&world, said(request, "MessageSid").unwrap()).await;
        assert!(found.is_some(), "{} was acknowledged and is not there", request.place);
    }
    for request in requests.iter().filter(|request| request.prepared.expect == Some(403)) {
        let sid = said(request, "MessageSid").or(said(request, "CallSid")).unwrap_or("SM");
        assert!(delivery(&world, sid).await.is_none(), "{} was refused and is there", request.place);
    }
}

#[tokio::test]
async fn what_came_out_of_order_adds_up_to_the_truth() {
    let world = World::start().await;
    let replay = async |name: &str, plan: Plan| {
        let requests = load(&[directory().join(name)], &signer(&world.base_url)).unwrap();
        let counter = send(&world.base_url, &requests, plan, || {}).await.unwrap();
        assert!(counter.mismatches.is_empty(), "{:?}", counter.mismatches);
        requests
    };
    let mixed = Plan { repeat: 5, shuffle: Some(3), concurrency: 4 };
    for request in replay("message-out-of-order.http", mixed).await {
        let delivery = delivery(&world, said(&request, "MessageSid").unwrap()).await.unwrap();
        assert_eq!((delivery.status(), delivery.history().len()), (Some(Status::Delivered), 2));
    }
    let requests = replay("call-completed.http", mixed).await;
    let call = delivery(&world, said(&requests[0], "CallSid").unwrap()).await.unwrap();
    let statuses: Vec<_> = call.history().iter().filter_map(|event| event.fact.status).collect();
    assert_eq!(call.status(), Some(Status::Completed));
    assert_eq!(statuses, [Status::Initiated, Status::Ringing, Status::InProgress, Status::Completed]);
}

#[tokio::test]
async fn a_key_pressed_in_a_replayed_call_of_ours_has_its_code_read() {
    let world = World::start().await;
    let request = StartRequest { channel: Some(Channel::Call), ..StartRequest::to("+15005550010") };
    let id = verification::start(&world.app.verifying, request, None).await.unwrap().view.verification.id;
    let (_, sid) = world.post.first().await;
    let mut signer = signer(&world.base_url);
    signer
        .values
        .extend([("verification".to_owned(), id.to_string()), ("call_sid".to_owned(), sid.to_string())]);
    let lifetime = Policy::default().lifetime;
    let stories = [
        ("voice-gate.http", 0, Duration::ZERO),
        ("voice-key.http", 2, lifetime),
        ("voice-key.http", 2, lifetime),
    ];
    for (name, readings, pause) in stories {
        let requests = load(&[directory().join(name)], &signer).unwrap();
        let counter = send(&world.base_url, &requests[..2], ONCE, || {}).await.unwrap();
        assert!(counter.mismatches.is_empty(), "{name}: {:?}", counter.mismatches);
        let view = verification::fetch(&world.app.admission, &id).await.unwrap();
        assert_eq!(view.verification.sends[0].readings, readings, "{name}");
        // The same keys, replayed once the code has died, read nothing.
        world.clock.advance(pause);
    }
}

/// The command itself, away from any configuration: its exit code, and what it
/// prints to standard output and standard error.
async fn command(dir: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_dialback"))
        .env_clear()
        .current_dir(dir)
        .arg("replay")
        .args(arguments)
        .output()
        .await
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (done.status.code(), text(done.stdout), text(done.stderr))
}

#[tokio::test]
async fn the_command_says_how_it_went_and_ends_accordingly() {
    let world = World::start().await;
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (token, other) = (file("token", &format!("{TOKEN}\n")), file("other", "another token"));
    let broken = file("broken.http", "### nothing\nthis is no request\n");
    let fixtures = directory().display().to_string();
    let to = ["--to", &*world.base_url];

    let good = [&*fixtures, to[0], to[1], "--token-file", &token, "--concurrency", "8", "--shuffle", "1"];
    let (code, out, err) = command(dir.path(), &good).await;
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.contains("204 × ") && out.contains("403 × ") && out.contains("p99"), "{out}");
    assert_eq!(err, "", "no bar where there is no terminal");

    let (code, out, err) = command(dir.path(), &[&fixtures, to[0], to[1], "--token-file", &other]).await;
    assert_eq!(code, Some(1), "{out}{err}");
    assert!(out.contains("message-delivered.http:11: expected 204, got 403"), "{out}");

    // Its port is taken, and nobody listens there.
    let deaf = TcpSocket::new_v4().unwrap();
    deaf.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let gone = format!("http://{}", deaf.local_addr().unwrap());
    let misuse: [(&[&str], &str); 4] = [
        (&[&fixtures, "--to", &gone, "--token-file", &token], "is `dialback serve` running?"),
        (&[&fixtures, to[0], to[1]], "TWILIO_AUTH_TOKEN"),
        (&[&broken, to[0], to[1], "--token-file", &token], "broken.http:2: expected a request"),
        (&["nowhere.http", to[0], to[1]], "nowhere.http"),
    ];
    for (arguments, expected) in misuse {
        let (code, out, err) = command(dir.path(), arguments).await;
        assert_eq!((code, &*out), (Some(2), ""), "{arguments:?}");
        assert!(err.contains(expected), "{err}");
    }
}
