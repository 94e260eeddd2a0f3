//! The API against its own description: schemathesis reads `/openapi.json` and
//! drives the server from it. It is not part of this repository:
//! `DIALBACK_TEST_PYTHON` is a Python that has it.

use crate::instance::{Instance, Setup, poll, skipped};
use crate::lengths::length;
use serde_json::json;
use std::env;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/openapi");
/// How long it may look for mistakes, in seconds, and how long it may take beyond
/// that: to start, and to end on a busy machine.
const SEARCH: u64 = 15;
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn no_answer_deviates_from_the_description() {
    let Ok(python) = env::var("DIALBACK_TEST_PYTHON") else {
        return skipped("schemathesis: set DIALBACK_TEST_PYTHON to a Python that has it to turn it on");
    };
    let has_it = Command::new(&python).args(["-c", "import schemathesis"]).stderr(Stdio::null()).status();
    if !has_it.is_ok_and(|status| status.success()) {
        return skipped("schemathesis: the Python of DIALBACK_TEST_PYTHON does not have it");
    }
    let number = "{ number = \"+1415555012?\", code = \"012345\", until = \"2099-12-31\" }";
    let app = Setup::sandbox()
        // So few that nobody is held for a wrong key, of which it tries many.
        .set("SERVER__MAX_CONNECTIONS", "15")
        .set("API__REQUESTS_PER_MINUTE", "0")
        .set("TEST_NUMBERS", &format!("[{number}]"))
        .set("SERVICES", "{ default = { pages = { return_urls = [\"https://example.com/*\"] } } }")
        .start()
        .await;
    furnish(&app).await;
    let dir = tempfile::TempDir::new().unwrap();
    let search = length("DIALBACK_TEST_SEARCH", SEARCH);
    let mut command = Command::new(python);
    command.args(["-m", "schemathesis.cli", "--config-file"]).arg(format!("{HERE}/schemathesis.toml"));
    command.args(["run", &format!("{}/openapi.json", app.server), "--no-color"]);
    command.args(["--max-time", &search.to_string(), "--seed", "1"]);
    // The operator's key, which no request can revoke.
    command.env("DIALBACK_KEY", app.operator());
    command.env("SCHEMATHESIS_HOOKS", format!("{HERE}/hooks.py")).current_dir(dir.path());
    finds_nothing(&app, command, Duration::from_secs(search) + PATIENCE).await;
}

/// Messages and calls of every kind of end, so that there is something to show.
async fn furnish(app: &Instance) {
    let ways = [
        ("+15551230460", json!({ "message": { "outcome": "delivered" } }), "sms"),
        ("+15551230461", json!({ "message": { "outcome": "undelivered", "error_code": 30005 } }), "sms"),
        ("+15551230462", json!({ "message": { "outcome": "failed" } }), "sms"),
        ("+15551230463", json!({ "answers": "busy" }), "call"),
        ("+15551230464", json!({ "answers": "machine" }), "call"),
        ("+15551230465", json!({ "api": { "status": 500 } }), "sms"),
    ];
    for (number, behaviour, channel) in ways {
        app.phone(number, behaviour).await;
        app.begin(number, channel).await;
    }
    let settled = poll(|| async {
        let listed = app.get("/v1/deliveries").await.json();
        let ends = listed["deliveries"].as_array().unwrap().iter().filter(|one| one["final"] == true).count();
        (ends >= 4).then_some(())
    });
    settled.await.expect("four deliveries that ended");
}

async fn finds_nothing(app: &Instance, mut command: Command, patience: Duration) {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let reader = child.stdout.take().map(|mut out| {
        std::thread::spawn(move || {
            let mut text = String::new();
            let _ = std::io::Read::read_to_string(&mut out, &mut text);
            text
        })
    });
    let deadline = Instant::now() + patience;
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break Some(status),
            None if Instant::now() > deadline => break None,
            None => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    };
    if status.is_none() {
        let _ = child.kill();
        let _ = child.wait();
    }
    let said = reader.and_then(|reader| reader.join().ok()).unwrap_or_default();
    assert!(status.is_some_and(|status| status.success()), "{status:?}: {said}\n{}", app.end_of_log());
}
