//! Events as a list and as a stream; and that none is lost to a kill.

use crate::instance::{Instance, KEY, Setup, binary, poll, text, try_answer, with_json};
use crate::lengths::kills;
use crate::receiver::{Receiver, Say};
use dialback::entropy::Entropy;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A stream of events that is read.
struct Reading {
    response: reqwest::Response,
    rest: String,
}

impl Reading {
    async fn begin(app: &Instance, last: Option<&str>) -> Self {
        let mut request = app
            .http
            .get(format!("{}/v1/events", app.server))
            .bearer_auth(KEY)
            .header("accept", "text/event-stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), response.headers()["content-type"].to_str().unwrap()),
            (200, "text/event-stream")
        );
        Self { response, rest: String::new() }
    }

    /// The next event's id and data; `None` at the end.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.rest.split_once("\n\n") {
                let field =
                    |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                let found = field("id:").zip(field("data:"));
                self.rest = rest.to_owned();
                if let Some((id, data)) = found {
                    return Some((id.trim().to_owned(), serde_json::from_str(&data).unwrap()));
                }
                continue;
            }
            let chunk = self.response.chunk().await.ok()??;
            self.rest.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

async fn all(app: &Instance) -> Vec<Value> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = app.get(&format!("/v1/events?limit=37{cursor}")).await.json();
        found.extend(page["events"].as_array().unwrap().iter().cloned());
        let Some(next) = page["next_cursor"].as_str() else { return found };
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_taken_up_again_misses_nothing_and_repeats_nothing() {
    let app = Setup::sandbox().start().await;
    let first = text(&app.begin("+15551240000", "sms").await["id"]);
    let mut reading = Reading::begin(&app, Some("EV00000000000000000000000000000000")).await;
    assert_eq!(reading.next().await.unwrap().1["data"]["verification"], *first, "from the beginning");
    drop(reading);
    let people = async {
        for n in 1..=120 {
            let id = text(&app.begin(&format!("+1555124{n:04}"), "sms").await["id"]);
            if n % 3 == 0 {
                answer_delete(&app, &id).await;
            }
        }
    };
    let (mut seen, mut last) = (Vec::<String>::new(), None::<String>);
    let read = async {
        let mut reading = Reading::begin(&app, Some("EV00000000000000000000000000000000")).await;
        let mut canceled = 0;
        // Whenever nothing comes for a while, what was told is compared with what
        // there is: what is on its way yet only lets it go on.
        let mut quiet = Instant::now();
        loop {
            assert!(quiet.elapsed() < crate::wire::PATIENCE, "nothing more came after {}", seen.len());
            match tokio::time::timeout(Duration::from_millis(500), reading.next()).await {
                Ok(Some((id, event))) => {
                    assert_eq!(event["id"], *id);
                    canceled += u32::from(event["type"] == "verification.canceled");
                    seen.push(id.clone());
                    last = Some(id);
                    quiet = Instant::now();
                    // Cut off now and then, with events on their way.
                    if seen.len().is_multiple_of(17) {
                        reading = Reading::begin(&app, last.as_deref()).await;
                    }
                }
                Ok(None) => panic!("the stream ended:\n{}", app.end_of_log()),
                Err(_) if canceled == 40 => {
                    let listed: Vec<String> =
                        all(&app).await.iter().rev().map(|event| text(&event["id"])).collect();
                    if listed.len() > 300 && seen == listed {
                        return;
                    }
                }
                Err(_) => {}
            }
        }
    };
    tokio::join!(people, read);
    assert!(seen.is_sorted(), "in the order of their ids");
    let sent = app.get("/v1/events?type=verification.canceled&limit=100").await.json();
    assert_eq!(sent["events"].as_array().unwrap().len(), 40);
    let one = app.get(&format!("/v1/events/{}?numbers=full", seen[0])).await.json();
    assert_eq!(one["data"]["to"], "+15551240000");
    for wrong in ["type=fax", "limit=0", "after=x", "numbers=none", "since=now", "x=1"] {
        app.get(&format!("/v1/events?{wrong}")).await.problem(422, "invalid_request");
    }
    app.stop().await;
}

async fn answer_delete(app: &Instance, id: &str) {
    let canceled = try_answer(app.api(Method::DELETE, &format!("/v1/verifications/{id}"))).await.unwrap();
    assert_eq!(canceled.status, 200, "{}", canceled.text);
}

#[tokio::test]
async fn a_stream_holds_no_stop_and_there_are_only_so_many() {
    let app = Setup::sandbox().set("EVENTS__MAX_STREAMS", "8").start().await;
    let mut one = Reading::begin(&app, None).await;
    let two = Reading::begin(&app, None).await;
    // The key has its share then, and others have theirs.
    let third = app.api(Method::GET, "/v1/events").header("accept", "text/event-stream");
    try_answer(third).await.unwrap().problem(503, "no_stream");
    let other = app.key(&["read"]).await;
    let others = app.http.get(format!("{}/v1/events", app.server)).bearer_auth(other);
    let others = others.header("accept", "text/event-stream").send().await.unwrap();
    assert_eq!(others.status(), 200);
    drop(others);
    // So has the key that the sandbox shows, though the environment has one, too.
    let shown = app.http.get(format!("{}/v1/events", app.server)).bearer_auth(&app.sandbox_key);
    let shown = shown.header("accept", "text/event-stream").send().await.unwrap();
    assert_eq!(shown.status(), 200);
    drop(shown);
    drop(two);
    let free = poll(|| async {
        let third = app.api(Method::GET, "/v1/events").header("accept", "text/event-stream");
        Some(third.send().await.unwrap()).filter(|third| third.status() == 200)
    });
    let _three = free.await.expect("a stream that is left frees its place");
    let began = Instant::now();
    app.terminate();
    assert!(one.next().await.is_none());
    app.stop().await;
    assert!(began.elapsed() < Duration::from_secs(18), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_reaches_its_endpoint_whenever_the_server_dies() {
    let kills = kills(4);
    let dir = tempfile::tempdir().unwrap();
    let setup = || Setup::sandbox().dir(dir.path()).set("EVENTS__REQUEST_TIMEOUT_SECONDS", "1");
    let receiver = Receiver::start().await;
    let moments = Entropy::seeded(31);
    let app = setup().start().await;
    let said = json!({ "url": receiver.url, "events": ["*"] });
    let made = app.ask(&app.operator(), Method::POST, "/v1/endpoints", Some(&said)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    app.kill();
    for round in 0..kills {
        let app = setup().start().await;
        // The last one dies with requests on their way that were never answered.
        // In an earlier round too, one could be met twice and rest for minutes.
        if round + 1 == kills {
            receiver.next(&[Say::Silence; 2]);
        }
        let started = AtomicU64::new(0);
        let people = async {
            for n in 0.. {
                let body = json!({ "to": format!("+1555125{:04}", round * 100 + n), "channel": "sms" });
                app.learn(text(&body["to"]));
                if try_answer(with_json(app.api(Method::POST, "/v1/verifications"), &body)).await.is_err() {
                    return;
                }
                started.fetch_add(1, Ordering::SeqCst);
            }
        };
        // However slow the machine is, something has happened before a kill, and
        // before the last one a request is on its way.
        let heard = receiver.seen().len();
        let kill = async {
            let is_silent = || round + 1 < kills || receiver.seen().len() > heard;
            while started.load(Ordering::SeqCst) < 2 || !is_silent() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            tokio::time::sleep(Duration::from_micros(moments.below(200_000))).await;
        };
        tokio::select! {
            () = people => {}
            () = kill => {}
        }
        app.kill();
    }
    receiver.next(&[]);
    let app = setup().start().await;
    // A lease that outlived its process ends: twice the deadline and fifteen seconds.
    let found = poll(|| async {
        let told: BTreeSet<String> = receiver.seen().iter().map(|one| one.id()).collect();
        let there: BTreeSet<String> = all(&app).await.iter().map(|event| text(&event["id"])).collect();
        (there.len() > kills as usize && there.is_subset(&told)).then_some((there, told))
    });
    let Some((there, told)) = found.await else {
        let id = text(&made.json()["id"]);
        let path = format!("/v1/endpoints/{id}/dispatches?status=pending&limit=5");
        let open = app.ask(&app.operator(), Method::GET, &path, None).await;
        panic!("an event was never sent: {}\n{}", open.text, app.end_of_log());
    };
    assert_eq!(there, told, "nothing was told that did not happen");
    let repeated = receiver.seen().len() - told.len();
    assert!(repeated > 0, "no kill came while an event was on its way");
    app.stop().await;
}

#[tokio::test]
async fn opt_outs_and_failures_are_told_with_their_reasons() {
    let app = Setup::sandbox().start().await;
    let stop = [
        ("From", "+15551240902"),
        ("To", "+15005550006"),
        ("Body", "STOP"),
        ("AccountSid", app.account.as_str()),
        ("MessageSid", "SM00000000000000000000000000000902"),
    ];
    assert_eq!(app.webhook("/twilio/sms", &stop).await.status, 200);
    let mut start = stop;
    start[2].1 = "START";
    start[4].1 = "SM00000000000000000000000000000903";
    app.webhook("/twilio/sms", &start).await;
    let told = poll(|| async {
        let events = all(&app).await;
        let names: Vec<String> = events.iter().rev().map(|event| text(&event["type"])).collect();
        (names == ["opt_out.created", "opt_out.removed"]).then_some(events)
    });
    let told = told.await.unwrap();
    assert_eq!(told[0]["data"]["to"], "+1********02");
    let id = text(&app.begin("+15551240903", "sms").await["id"]);
    let code = app.texted_code("+15551240903", 1).await;
    for _ in 0..5 {
        app.check(&id, &crate::wire::wrong(&code)).await;
    }
    let failed = app.get("/v1/events?type=verification.failed").await.json();
    assert_eq!(failed["events"][0]["data"]["reason"], "too_many_checks", "{failed}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_manages_endpoints_and_follows_events() {
    let app = Setup::sandbox().start().await;
    let receiver = Receiver::start().await;
    let dir = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        let output = binary(dir.path()).env("DIALBACK_STORE__URL", &app.store).args(args).output().unwrap();
        (
            output.status.code().unwrap(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let run = |args: &[&str]| tokio::task::block_in_place(|| run(args));
    let (code, out, err) = run(&["endpoint", "add", &receiver.url, "--event", "verification.started"]);
    assert_eq!(code, 0, "{err}");
    let (id, secret) = out.trim().split_once('\n').unwrap();
    app.learn(secret);
    assert!(id.starts_with("EP") && secret.starts_with("whsec_"));
    assert_eq!(run(&["endpoint", "test", id]).0, 0);
    let (_, listed, _) = run(&["endpoint", "list"]);
    assert!(listed.contains(id) && listed.contains("enabled") && !listed.contains("whsec"), "{listed}");
    let verification = text(&app.begin("+15551240801", "sms").await["id"]);
    receiver.wait(2).await;
    let (_, events, _) = run(&["event", "list", "--type", "verification.started"]);
    assert!(events.contains(&verification) && events.contains("+1********01"), "{events}");
    let event = receiver.seen().last().unwrap().id();
    let (code, said, err) = run(&["event", "redrive", &event]);
    assert!(code == 0 && said.contains("to 1 "), "{said}{err}");
    receiver.wait(3).await;
    assert!(run(&["endpoint", "dispatches", id]).1.contains("answered 204"));
    assert_eq!(run(&["endpoint", "rotate", id]).0, 0);
    assert_eq!(run(&["endpoint", "disable", id]).0, 0);
    assert!(run(&["endpoint", "redrive", id]).2.contains("enable it first"));
    assert_eq!((run(&["endpoint", "remove", id]).0, run(&["endpoint", "remove", id]).0), (0, 1));

    let mut tail = binary(dir.path());
    tail.env("DIALBACK_STORE__URL", &app.store).args([
        "event",
        "tail",
        "--after",
        "EV00000000000000000000000000000000",
    ]);
    let mut tail = tail.spawn().unwrap();
    let followed = crate::output::Collected::from(tail.stdout.take().unwrap());
    let found = poll(|| std::future::ready(followed.text().contains(&verification).then_some(()))).await;
    tail.kill().unwrap();
    tail.wait().unwrap();
    assert!(found.is_some(), "{}", followed.text());
    app.stop().await;
}
