//! The samples of `deploy/proxies` in the real proxies: every request of the signature
//! vectors comes through as it was sent, and so does what else Twilio and people send.
//! The programs are not part of this repository: `DIALBACK_TEST_NGINX`,
//! `DIALBACK_TEST_CADDY` and `DIALBACK_TEST_HAPROXY` are their paths.

mod start;
mod wire;

use crate::instance::{ACCOUNT, Setup, TOKEN, binary, form, sign};
use crate::ports;
use bytes::Bytes;
use futures_util::StreamExt;
use http_body_util::BodyExt;
use hyper::Version;
use serde_json::{Value, json};
use start::{HOST, Kind, Proxy};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use wire::{STREAM, Seen, Sent, WAIT, answer, seen, send, upstream};

const VERSIONS: [Version; 2] = [Version::HTTP_11, Version::HTTP_2];
const VECTORS: &str = include_str!("../../../fixtures/signatures/vectors.json");

/// Longer than Dialback takes for a request at most, in seconds.
const LATE: u64 = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nginx_brings_everything_as_it_was_sent() {
    through(Kind::Nginx).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn caddy_brings_everything_as_it_was_sent() {
    through(Kind::Caddy).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn haproxy_brings_everything_as_it_was_sent() {
    through(Kind::Haproxy).await;
}

async fn through(kind: Kind) {
    let Some(program) = kind.program() else { return };
    let proxy = Proxy::start(kind, &program, upstream().await, "").await;
    let quick = async {
        for version in VERSIONS {
            every_vector_has_its_verdict(&proxy, version).await;
            headers_are_the_proxys_word(&proxy, version).await;
            bodies_arrive_whole(&proxy, version).await;
            a_stream_is_sent_on_at_once(&proxy, version).await;
        }
        a_path_in_front_is_taken_away(kind, &program).await;
        the_real_server_takes_it(kind, &program).await;
        nobody_behind_it_is_said_at_once(kind, &program).await;
    };
    tokio::join!(quick, what_is_late_is_waited_for(&proxy));
}

/// The requests of the vectors, each with its list's entry. Raw characters beyond ASCII
/// are in no request line: who calls such a URL encodes them first.
fn requests(version: Version) -> Vec<(Value, String, Sent)> {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let vectors = vectors["vectors"].as_array().unwrap().clone();
    let requests = vectors.into_iter().map(|vector| {
        let url = vector["url"].as_str().unwrap();
        let after = url.find("://").unwrap() + 3;
        let end = url[after..].find(['/', '?']).map_or(url.len(), |at| after + at);
        let (base, target) = (url[..end].to_owned(), url[end..].to_owned());
        let mut sent = Sent::get(version, &target);
        sent.method = vector["method"].as_str().unwrap().to_owned();
        if let Some(body) = vector["body"].as_str() {
            sent.body.push(Bytes::from(body.to_owned()));
        }
        if let Some(kind) = vector["content_type"].as_str() {
            sent = sent.header("content-type", kind);
        }
        for (name, value) in vector["headers"].as_object().into_iter().flatten() {
            let one = std::slice::from_ref(value);
            for line in value.as_array().map_or(one, Vec::as_slice) {
                sent = sent.header(name, line.as_str().unwrap());
            }
        }
        (vector, base, sent)
    });
    requests.filter(|(_, _, sent)| sent.target.is_ascii()).collect()
}

/// What reached the other side is given to the verifier in place of what was sent.
async fn every_vector_has_its_verdict(proxy: &Proxy, version: Version) {
    let requests = requests(version);
    let all = serde_json::from_str::<Value>(VECTORS).unwrap()["vectors"].as_array().unwrap().len();
    assert_eq!(requests.len(), all - 1, "all but the one that is no request line");
    let arrived = futures_util::stream::iter(&requests).map(|(vector, base, sent)| async move {
        let seen = seen(proxy, sent).await;
        assert_eq!(seen.target, sent.target, "{} by {version:?}", vector["id"]);
        as_vector(vector, base, &seen)
    });
    let arrived: Vec<Value> = arrived.buffered(8).collect().await;
    let expected: Vec<Value> = requests.into_iter().map(|(vector, _, _)| vector).collect();
    assert_eq!(verdicts(&arrived), verdicts(&expected), "by {version:?}");
}

fn as_vector(vector: &Value, base: &str, seen: &Seen) -> Value {
    let mut arrived = vector.clone();
    let names = ["x-twilio-signature", "x-twilio-webhooks-signature-settings"];
    let headers = names.map(|name| (name.to_owned(), json!(seen.all(name))));
    let headers = headers.into_iter().filter(|(_, lines)| *lines != json!([]));
    arrived["url"] = json!(format!("{base}{}", seen.target));
    arrived["method"] = json!(seen.method);
    arrived["body"] = json!(seen.body);
    arrived["content_type"] = json!(seen.all("content-type").first());
    arrived["headers"] = Value::Object(headers.collect());
    arrived
}

/// What `dialback signature check` says of vectors; it must agree with each that counts.
fn verdicts(vectors: &[Value]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("vectors.json");
    std::fs::write(&file, json!({ "vectors": vectors }).to_string()).unwrap();
    let checked = binary(dir.path()).args(["signature", "check", "--vectors"]).arg(&file).output().unwrap();
    let said = [checked.stdout, checked.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    assert!(checked.status.success(), "{said}");
    said
}

async fn headers_are_the_proxys_word(proxy: &Proxy, version: Version) {
    for query in [
        "?q=a+b",
        "?q=a%20b",
        "?to=%2B15005550006",
        "?a=&b&c=3",
        "?x=2&x=1&x=2",
        "?n=Jos%C3%A9",
        "?",
        "?%7e=~;&=",
    ] {
        let seen = seen(proxy, &Sent::get(version, &format!("/a/b{query}"))).await;
        // A question mark without a query is a place where clients differ, too.
        let same = seen.target == format!("/a/b{query}") || query == "?" && seen.target == "/a/b";
        assert!(same, "{query} came as {}", seen.target);
    }
    let forged = [
        ("x-forwarded-for", "203.0.113.9"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-port", "81"),
        ("forwarded", "for=203.0.113.9;host=evil.example"),
        ("idempotency-key", "7"),
    ];
    let sent = forged.iter().fold(Sent::get(version, "/"), |sent, (name, value)| sent.header(name, value));
    let seen = seen(proxy, &sent).await;
    assert_eq!(seen.version, "HTTP/1.1");
    for (name, lines) in [
        ("host", &[HOST][..]),
        ("x-forwarded-for", &["127.0.0.1"]),
        ("x-forwarded-proto", &["https"]),
        ("x-forwarded-host", &[HOST]),
        ("x-forwarded-port", &[]),
        ("forwarded", &[]),
        ("idempotency-key", &["7"]),
    ] {
        assert_eq!(seen.all(name), lines, "{name} by {version:?}");
    }
}

async fn bodies_arrive_whole(proxy: &Proxy, version: Version) {
    let large = form(&[("Body", &"ä+ %".repeat(9000))]);
    for pieces in [vec!["a=1&", "b=%20+", "&c="], vec![large.as_str()], vec![&large[..7], &large[7..]]] {
        let mut sent = Sent::post(version, "/twilio/status?x=%2B", "");
        sent.body = pieces.iter().map(|piece| Bytes::from((*piece).to_owned())).collect();
        let seen = seen(proxy, &sent).await;
        assert_eq!((seen.method.as_str(), seen.body), ("POST", pieces.concat()), "{version:?}");
        assert_eq!(seen.target, sent.target);
    }
}

async fn a_stream_is_sent_on_at_once(proxy: &Proxy, version: Version) {
    let sent = Sent::get(version, "/v1/events").header(STREAM, "1");
    let begun = tokio::time::timeout(Duration::from_secs(LATE), async {
        let mut body = send(proxy, &sent).await.into_body();
        body.frame().await.unwrap().unwrap().into_data().unwrap()
    });
    assert_eq!(begun.await.expect("the first event before the end"), "data: first\n\n");
}

async fn what_is_late_is_waited_for(proxy: &Proxy) {
    let late = Sent::post(Version::HTTP_11, "/late", "a=1").header(WAIT, &LATE.to_string());
    let never = Sent::post(Version::HTTP_2, "/never", "a=1").header(WAIT, "3600");
    let began = Instant::now();
    let (late, never) = tokio::join!(seen(proxy, &late), answer(proxy, &never));
    assert_eq!(late.target, "/late");
    assert!([502, 504].contains(&never.0), "{never:?}");
    assert!(began.elapsed() > Duration::from_secs(LATE), "it gave up before Dialback would");
}

async fn a_path_in_front_is_taken_away(kind: Kind, program: &str) {
    let proxy = Proxy::start(kind, program, upstream().await, "/otp").await;
    for version in VERSIONS {
        for rest in ["/twilio/status?q=a+b%20", "/a%2Fb/c", "/a/./b/../c", "//x", "/"] {
            let seen = seen(&proxy, &Sent::post(version, &format!("/otp{rest}"), "a=1")).await;
            assert_eq!((seen.target.as_str(), seen.body.as_str()), (rest, "a=1"), "{version:?}");
        }
        for other in ["/twilio/status", "/otpx/twilio/status", "/"] {
            assert_eq!(answer(&proxy, &Sent::get(version, other)).await.0, 404, "{other}");
        }
    }
}

async fn the_real_server_takes_it(kind: Kind, program: &str) {
    let public = format!("https://{HOST}/otp");
    let app = Setup::live().set("PUBLIC_URL", &public).start().await;
    let addr: SocketAddr = app.server.strip_prefix("http://").unwrap().parse().unwrap();
    let proxy = Proxy::start(kind, program, addr, "/otp").await;
    let mut number = 0;
    for version in VERSIONS {
        for query in ["", "?q=a+b", "?q=a%20b&e=", "?to=%2B1&x=2&x=1", "?n=Jos%C3%A9&b"] {
            number += 1;
            let sid = format!("SM{number:032x}");
            let params =
                [("MessageSid", sid.as_str()), ("MessageStatus", "delivered"), ("AccountSid", ACCOUNT)];
            let signature = sign(TOKEN, &format!("{public}/twilio/status{query}"), &params);
            app.learn(&*signature);
            let sent = Sent::post(version, &format!("/otp/twilio/status{query}"), &form(&params));
            let mut sent = sent.header("x-twilio-signature", &signature);
            if number % 2 == 0 {
                let whole = sent.body.remove(0);
                sent.body = vec![whole.slice(..9), whole.slice(9..)];
            }
            assert_eq!(answer(&proxy, &sent).await, (204, String::new()), "{query} by {version:?}");
            assert_eq!(app.delivery(&sid, |_| true).await["status"], "delivered");
            sent.target.push_str(if query.is_empty() { "?z" } else { "&z" });
            assert_eq!(answer(&proxy, &sent).await.0, 403, "another query than was signed");
        }
        let ready = answer(&proxy, &Sent::get(version, "/otp/readyz")).await;
        assert_eq!(ready, (200, "{\"status\":\"ready\"}".to_owned()));
    }
    app.stop().await;
}

/// Twilio comes again where it is told so; it must not wait for that.
async fn nobody_behind_it_is_said_at_once(kind: Kind, program: &str) {
    let nobody = ports::take();
    let proxy = Proxy::start(kind, program, ([127, 0, 0, 1], nobody.number).into(), "").await;
    let (status, _) = answer(&proxy, &Sent::post(Version::HTTP_11, "/twilio/status", "a=1")).await;
    assert!([502, 503].contains(&status), "{status}");
}
