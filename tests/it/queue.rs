//! What goes wrong with due work, as the operator of a real server sees it: what
//! fails for ever is set aside and shown, tried again or dropped; and a process
//! whose store takes no more writes ends, and says so.

use crate::instance::{Answer, Instance, Setup, answer, binary, poll, text};
use dialback::store::sled::{Options, Sled};
use dialback::store::{Change, Due, Key, Kind, Lane, Store, Stored, kinds};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A record of no kind, with a number that nobody may be shown.
const UNREADABLE: &[u8] = br#"{"format":1,"record":{"to":"+15551230811"}}"#;

/// What the command line said: its exit code, and both outputs.
fn run(dir: &Path, args: &[&str]) -> (i32, String, String) {
    let store = format!("sled:{}", dir.join("data").display());
    let done = binary(dir).env("DIALBACK_STORE__URL", store).args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (done.status.code().unwrap(), text(done.stdout), text(done.stderr))
}

async fn operator(app: &Instance, method: Method, path: &str) -> Answer {
    let request = app.http.request(method, format!("{}/operator/queue{path}", app.admin));
    answer(request.bearer_auth(app.operator())).await
}

/// The queue, once so many are set aside.
async fn aside(app: &Instance, count: usize) -> Value {
    let look = || async {
        let queue = operator(app, Method::GET, "").await.json();
        Some(queue).filter(|queue| queue["aside"].as_array().is_some_and(|them| them.len() == count))
    };
    poll(look).await.unwrap_or_else(|| panic!("{count} were not set aside:\n{}", app.end_of_log()))
}

fn names(queue: &Value) -> Vec<String> {
    queue["aside"].as_array().unwrap().iter().map(|one| text(&one["key"])).collect()
}

/// A change of a record and of when it is due, and of nothing else.
fn moved(key: &Key, stored: &Stored, body: &[u8], before: Option<Due>, after: Due) -> Change {
    Change {
        key: key.clone(),
        expected: stored.version,
        body: Some(body.to_vec()),
        due_before: before,
        due_after: Some(after),
        entries_added: Vec::new(),
        entries_removed: Vec::new(),
    }
}

fn open(dir: &Path) -> Sled {
    Sled::open(&dir.join("data"), Options::default()).unwrap()
}

/// Makes records of verifications unreadable and overdue, and gives what they were.
async fn damage(dir: &Path, ids: &[String], at: Timestamp) -> BTreeMap<String, Stored> {
    let (store, mut good) = (open(dir), BTreeMap::new());
    for id in ids {
        let key = Key::new(Kind::Verification, id);
        let stored = store.read(&key).await.unwrap().unwrap();
        let due = kinds::facts(&key, &stored.body).unwrap().due;
        let after = Due { at, lane: Lane::Person };
        store.commit(vec![moved(&key, &stored, UNREADABLE, due, after)]).await.unwrap();
        good.insert(id.clone(), stored);
    }
    let (key, none) = (Key::new(Kind::Counter, "+15551230811|hour"), Stored { version: 0, body: "".into() });
    let due = Due { at, lane: Lane::Chore };
    store.commit(vec![moved(&key, &none, UNREADABLE, None, due)]).await.unwrap();
    store.close().await;
    good
}

/// Gives a record that was set aside back what it was.
async fn mend(dir: &Path, id: &str, good: &Stored, at: Timestamp) {
    let (store, key) = (open(dir), Key::new(Kind::Verification, id));
    let stored = store.read(&key).await.unwrap().unwrap();
    let due = kinds::facts(&key, &good.body).unwrap().due.unwrap();
    let (before, after) = (Due { at, lane: Lane::Aside }, Due { at: due.at, lane: Lane::Aside });
    store.commit(vec![moved(&key, &stored, &good.body, Some(before), after)]).await.unwrap();
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_for_ever_is_shown_tried_again_or_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let server = || Setup::sandbox().dir(dir.path()).set("JOBS__SET_ASIDE_AFTER_FAILURES", "2");
    let app = server().start().await;
    let mut ids = Vec::new();
    for number in ["+15551230811", "+15551230812"] {
        ids.push(text(&app.begin(number, "sms").await["id"]));
        app.texts(number, 1).await;
    }
    app.stop().await;
    let hour = SignedDuration::from_hours(1);
    let at = Timestamp::from_millisecond((Timestamp::now() - hour).as_millisecond()).unwrap();
    let good = damage(dir.path(), &ids, at).await;
    let (first, second) = (format!("verification/{}", ids[0]), format!("verification/{}", ids[1]));

    let app = server().start().await;
    app.learn("+15551230811");
    let queue = aside(&app, 3).await;
    let shown = names(&queue);
    let tally = shown.iter().find(|name| name.starts_with("tally/~")).unwrap().clone();
    assert!(shown.contains(&first) && shown.contains(&second), "{queue}");
    for one in queue["aside"].as_array().unwrap() {
        assert_eq!((&one["due"], &one["trouble"]["failures"]), (&json!(at), &json!(2)), "{one}");
        assert!(text(&one["trouble"]["reason"]).contains("does not read"), "{one}");
    }
    assert!(!queue.to_string().contains("5551230811"), "{queue}");
    let lanes = queue["lanes"].as_array().unwrap();
    let of = |kind| lanes.iter().find(|line| line["lane"] == "aside" && line["kind"] == kind).unwrap();
    let depths = (&of("verification")["waiting"], &of("tally")["waiting"]);
    assert_eq!(depths, (&json!(2), &json!(1)), "{queue}");
    assert!(of("tally")["oldest_seconds"].as_i64().unwrap() >= 3600, "{queue}");

    // The same at the terminal, and what is wrong there.
    let (code, said, _) = run(dir.path(), &["queue"]);
    assert!(code == 0 && said.contains(&format!("set aside: {first}  failed 2 times")), "{said}");
    assert!(said.lines().any(|line| line.starts_with("aside") && line.contains("verification")), "{said}");
    let (code, said, _) = run(dir.path(), &["queue", "list", "--json"]);
    let listed: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, names(&listed)), (0, shown));
    for misuse in
        [&["queue", "retry"][..], &["queue", "drop"], &["queue", "look"], &["queue", "drop", "a", "b"]]
    {
        assert_eq!(run(dir.path(), misuse).0, 2, "{misuse:?}");
    }
    for what in ["retry", "drop"] {
        let (code, _, said) = run(dir.path(), &["queue", what, "verification/VE0"]);
        assert!(code == 1 && said.contains("nothing was set aside under verification/VE0"), "{said}");
        assert_eq!(operator(&app, Method::POST, &format!("/{what}?key=tally%2F~0")).await.status, 404);
        assert_eq!(operator(&app, Method::POST, &format!("/{what}")).await.status, 422);
        assert_eq!(operator(&app, Method::POST, &format!("/{what}?key=a&all=1")).await.status, 422);
        assert_eq!(operator(&app, Method::GET, &format!("/{what}?key=a")).await.status, 405);
    }
    let strange = answer(app.http.get(format!("{}/operator/queue", app.admin)).bearer_auth("dbk_x")).await;
    assert_eq!(strange.status, 401, "{}", strange.text);

    // What is still damaged comes back; what is dropped is gone.
    assert_eq!(run(dir.path(), &["queue", "drop", &tally]).0, 0);
    let (code, _, said) = run(dir.path(), &["queue", "retry", &first]);
    assert!(code == 0 && said.contains("is tried again"), "{said}");
    let again =
        || async { Some(()).filter(|()| app.log().matches("set aside: `dialback queue`").count() == 4) };
    poll(again).await.expect("it fails again, and is set aside again");
    assert_eq!(aside(&app, 2).await["aside"][0]["trouble"]["failures"], 2);
    app.stop().await;

    // Without a server the store says the same, but for why; and one can be dropped.
    let (_, said, _) = run(dir.path(), &["queue"]);
    assert!(said.contains(&format!("set aside: {second}  why, the log of the process says")), "{said}");
    let (code, said, _) = run(dir.path(), &["queue", "drop", &second, "--json"]);
    assert_eq!((code, serde_json::from_str::<Value>(&said).unwrap()), (0, json!({ "dropped": second })));
    assert_eq!(run(dir.path(), &["queue", "drop", &second]).0, 1, "it is gone");
    mend(dir.path(), &ids[0], &good[&ids[0]], at).await;
    let (code, said, _) = run(dir.path(), &["queue", "retry", &first]);
    assert_eq!(code, 0, "{said}");
    let (code, said, more) = run(dir.path(), &["store", "check"]);
    assert_eq!(code, 0, "nothing is left of what was dropped, and all else is whole: {said}{more}");
    let app = server().start().await;
    assert_eq!(app.verification(&ids[0], |_| true).await["status"], "pending");
    assert_eq!(app.get(&format!("/v1/verifications/{}", ids[1])).await.status, 404);
    assert_eq!(operator(&app, Method::GET, "").await.json()["aside"], json!([]));
    let entries = app.get("/v1/verifications").await.json();
    assert_eq!(entries["verifications"].as_array().map(Vec::len), Some(1), "{entries}");
    app.stop().await;
}

/// A request without its end, on a connection of its own.
async fn begun(base: &str, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(base.trim_start_matches("http://")).await.unwrap();
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {}\r\n",
        crate::instance::KEY
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

async fn finished(mut stream: TcpStream) -> String {
    stream.write_all(b"Connection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// The store's files may grow no more, as on a disk that is full.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_whose_store_takes_no_more_writes_answers_what_it_can_and_ends() {
    let dir = tempfile::tempdir().unwrap();
    let app = Setup::sandbox().dir(dir.path()).start().await;
    let id = text(&app.begin("+15551230821", "sms").await["id"]);
    app.texts("+15551230821", 1).await;
    let (live, admin) = (begun(&app.server, "/healthz").await, begun(&app.admin, "/healthz").await);
    let reading = begun(&app.server, &format!("/v1/verifications/{id}")).await;
    assert_eq!(app.get("/healthz").await.status, 200, "and so those before were accepted");

    let pid = Pid::from_raw(app.pid().cast_signed());
    prlimit(pid, Resource::Fsize, Rlimit { current: Some(0), maximum: Some(0) }).unwrap();
    let refused = app.post("/v1/verifications", &json!({ "to": "+15551230822", "channel": "sms" })).await;
    assert_eq!(refused.status, 503, "{}", refused.text);
    app.logged("stopping, when what can be answered is").await;
    for answer in [finished(live).await, finished(admin).await] {
        assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("failed"), "{answer}");
    }
    let answer = finished(reading).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(&id), "{answer}");
    let ended = app.ended().await;
    assert_eq!(ended.status.code(), Some(1), "{}", ended.err);
    let last = ended.err.lines().last().unwrap();
    let said = ["start again", "the store takes no more writes", "files may grow no more: raise that limit"];
    assert!(last.contains(" ERROR ") && said.iter().all(|said| last.contains(said)), "{last}");

    // What was acknowledged is there, once it can be written again.
    let app = Setup::sandbox().dir(dir.path()).start().await;
    assert_eq!(app.verification(&id, |_| true).await["status"], "pending");
    app.stop().await;
}
