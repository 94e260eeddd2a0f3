//! Every command whose reader has left, on standard output or standard error:
//! it ends as programs in a pipe end, and never by a panic.

use crate::instance::{Instance, KEY, Setup, answer, binary, poll, text};
use reqwest::Method;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// How a shell shows a process that SIGPIPE ended.
const READER_LEFT: i32 = 141;

/// A pipe that nobody reads.
fn closed() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

/// What is asked of a running server, so that each command has something to say.
async fn commands(app: &Instance) -> Vec<Vec<String>> {
    let endpoint = json!({ "url": "http://127.0.0.1:9/hooks", "events": ["verification.*"] });
    let operator = app.operator();
    let made = app.ask(&operator, Method::POST, "/v1/endpoints", Some(&endpoint)).await.json();
    let endpoint = text(&made["id"]);
    app.learn(text(&made["secret"]));
    let to = "+15551230801";
    let id = text(&app.begin(to, "sms").await["id"]);
    app.texted_code(to, 1).await;
    app.verification(&id, |view| view["deliveries"][0]["status"] == "delivered").await;
    let list = app.get("/v1/deliveries").await.json();
    let sid = text(&list["deliveries"][0]["sid"]);
    let dispatches = format!("/v1/endpoints/{endpoint}/dispatches");
    let sent = poll(|| async {
        let listed = app.ask(&operator, Method::GET, &dispatches, None).await.json();
        listed["dispatches"].as_array().is_some_and(|them| !them.is_empty()).then_some(())
    });
    sent.await.expect("a dispatch");
    let events = app.get("/v1/events").await.json();
    let event = text(&events["events"].as_array().unwrap().last().unwrap()["id"]);
    let made = app.ask(&operator, Method::POST, "/v1/keys", Some(&json!({ "name": "pipes" }))).await;
    let key = text(&made.json()["key_id"].as_str().map_or(made.json()["id"].clone(), Into::into));
    let vectors = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/signatures/vectors.json");
    let http = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/webhooks");
    let lines = [
        "config check".to_owned(),
        "config show".to_owned(),
        "config default".to_owned(),
        "health".to_owned(),
        "urls".to_owned(),
        "number +15551230801 --json".to_owned(),
        format!("delivery {sid}"),
        format!("delivery {sid} --json"),
        "endpoint list".to_owned(),
        "endpoint list --json".to_owned(),
        "endpoint add http://127.0.0.1:9/others".to_owned(),
        format!("endpoint test {endpoint}"),
        format!("endpoint dispatches {endpoint}"),
        format!("endpoint redrive {endpoint}"),
        format!("endpoint rotate {endpoint}"),
        "event list".to_owned(),
        "event list --json".to_owned(),
        format!("event tail --after {event}"),
        format!("event redrive {event}"),
        "block add +15551230805".to_owned(),
        "block list".to_owned(),
        "block list --json".to_owned(),
        "block remove +15551230805".to_owned(),
        "allow add +15551230806".to_owned(),
        "allow list".to_owned(),
        "allow remove +15551230806".to_owned(),
        "fraud report".to_owned(),
        "policy show".to_owned(),
        "policy explain 30007".to_owned(),
        "policy silence".to_owned(),
        "fraud report --json".to_owned(),
        "limits show +15551230801".to_owned(),
        "limits show +15551230801 --json".to_owned(),
        "key create piped".to_owned(),
        "key list".to_owned(),
        "key list --json".to_owned(),
        format!("key revoke {key}"),
        "audit list".to_owned(),
        "audit list --json".to_owned(),
        "opt-out add +15551230804".to_owned(),
        "opt-out list".to_owned(),
        "opt-out list --json".to_owned(),
        "opt-out remove +15551230804".to_owned(),
        "store check".to_owned(),
        "store check --json".to_owned(),
        "store stats".to_owned(),
        "store stats --json".to_owned(),
        "store compact".to_owned(),
        "export".to_owned(),
        "signature sign https://a.example/ --token 12345 -d A=1".to_owned(),
        format!("signature check --vectors {vectors}"),
        "signature explain https://a.example/ --token 12345 -d A=1 --signature nonsense".to_owned(),
        "import backup.ndjson --dry-run".to_owned(),
        "reconcile".to_owned(),
        "reconcile --json --dry-run".to_owned(),
        format!("replay {http} --to {}", app.server),
        "verify +15551230802".to_owned(),
        "erase +15551230803".to_owned(),
        "erase +15551230803 --json".to_owned(),
        "queue".to_owned(),
        "queue list --json".to_owned(),
        "--help".to_owned(),
    ];
    lines.iter().map(|line| line.split(' ').map(str::to_owned).collect()).collect()
}

fn command(app: &Instance, dir: &Path, args: &[String]) -> Command {
    let mut command = binary(dir);
    command.env("DIALBACK_STORE__URL", &app.store).args(args);
    command
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_whose_reader_has_left_ends_quietly() {
    let (app, dir) = (Setup::sandbox().start().await, TempDir::new().unwrap());
    let backup = ["export".to_owned(), "backup.ndjson".to_owned()];
    assert!(command(&app, dir.path(), &backup).status().unwrap().success());
    let commands = commands(&app).await;
    let help = binary(dir.path()).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let section = help.split("Commands:").nth(1).unwrap().split("Options:").next().unwrap();
    let there: BTreeSet<&str> = section.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let tried: BTreeSet<&str> = commands.iter().map(|args| args[0].as_str()).collect();
    let silent = BTreeSet::from(["help", "serve", "sandbox"]);
    let missing: Vec<_> = there.difference(&tried).filter(|name| !silent.contains(*name)).collect();
    assert!(missing.is_empty(), "these commands are not tried here: {missing:?}");

    for args in &commands {
        let output = command(&app, dir.path(), args).stdout(closed()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let ended = output.status.code();
        // What prints to standard error alone, or nothing, does not notice.
        let is =
            |words: &[&str]| args.iter().zip(words).filter(|(arg, word)| arg == word).count() == words.len();
        let changes_a_list = ["opt-out", "block", "allow"].contains(&args[0].as_str());
        let silent =
            changes_a_list && ["add", "remove"].iter().any(|word| args.contains(&(*word).to_owned()));
        let prints = !(silent || is(&["key", "revoke"]) || is(&["--help"]));
        assert!(!said.contains("panicked") && !said.contains("roken pipe"), "{args:?}: {said}");
        assert!(ended == Some(READER_LEFT) || !prints && ended == Some(0), "{args:?}: {ended:?} {said}");
    }
    for args in &commands {
        // Who follows events ends by its output alone.
        if args.iter().any(|arg| arg == "tail") {
            continue;
        }
        let output = command(&app, dir.path(), args).stderr(closed()).output().unwrap();
        let ended = output.status.code().unwrap_or_default();
        assert!([0, 1].contains(&ended), "{args:?}: {ended}");
    }
    assert_eq!(app.get("/v1/deliveries").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_output_is_told_and_not_panicked_about() {
    let dir = TempDir::new().unwrap();
    for args in [&["config", "default"][..], &["config", "show"], &["config", "check"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = binary(dir.path()).args(args).stdout(full).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("cannot write to standard output: No space left"), "{args:?}: {said}");
        assert_eq!(output.status.code(), Some(1), "{args:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_whose_output_and_log_nobody_reads_serves_on() {
    let dir = TempDir::new().unwrap();
    let ready = dir.path().join("ready.json");
    let mut child = binary(dir.path())
        .env("DIALBACK_STORE__URL", format!("sled:{}", dir.path().join("data").display()))
        .env("DIALBACK_SERVER__LISTEN", "127.0.0.1:0")
        .env("DIALBACK_SANDBOX__LISTEN", "127.0.0.1:0")
        .env("DIALBACK_API_KEY", KEY)
        .args(["serve", "--ready-file"])
        .arg(&ready)
        .stdout(closed())
        .stderr(closed())
        .spawn()
        .unwrap();
    let silence = crate::output::Collected::from(std::io::empty());
    let ready = crate::instance::wait_ready(&mut child, &ready, &silence).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://{}/v1/verifications", ready["server"].as_str().unwrap());
    for n in 0..3 {
        let body = json!({ "to": format!("+1555123081{n}"), "channel": "sms" });
        let request = crate::instance::with_json(http.post(&url).bearer_auth(KEY), &body);
        assert_eq!(answer(request).await.status, 201);
    }
    child.kill().unwrap();
    child.wait().unwrap();
}
