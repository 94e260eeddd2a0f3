//! Twilio's own libraries against the sandbox and against the server, unmodified. They are not part
//! of this repository: `DIALBACK_TEST_PYTHON` is a Python that has `twilio`,
//! `DIALBACK_TEST_NODE_MODULES` a directory `node_modules` that has it.

use crate::instance::{Instance, KEY, Setup, skipped};
use std::env;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a program may take: hundreds of requests, on a machine that is busy
/// with other tests.
const LONGEST: Duration = Duration::from_secs(180);

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sdk");

#[tokio::test]
async fn twilios_python_library_works_against_the_sandbox() {
    let Ok(python) = env::var("DIALBACK_TEST_PYTHON") else {
        return skipped(
            "Twilio's Python library: set DIALBACK_TEST_PYTHON to a Python that has it to turn it on",
        );
    };
    let app = Setup::sandbox().set("SANDBOX__PACE", "0.2").start().await;
    for script in ["python_sandbox.py", "python_services.py"] {
        let mut command = Command::new(&python);
        command.arg(format!("{SCRIPTS}/{script}")).args([&app.sandbox, &app.account, &app.token]);
        succeeds(&app, command).await;
    }
}

#[tokio::test]
async fn twilios_node_library_works_against_the_sandbox() {
    let Ok(modules) = env::var("DIALBACK_TEST_NODE_MODULES") else {
        return skipped(
            "Twilio's Node library: set DIALBACK_TEST_NODE_MODULES to a node_modules that has it to turn it on",
        );
    };
    let app = Setup::sandbox().set("SANDBOX__PACE", "0.2").start().await;
    let mut command = Command::new("node");
    command.arg(format!("{SCRIPTS}/node_sandbox.mjs")).args([
        &app.sandbox,
        &app.account,
        &app.token,
        &modules,
    ]);
    succeeds(&app, command).await;
}

#[tokio::test]
async fn twilios_python_library_verifies_with_the_server() {
    for script in ["python_verify.py", "python_verify_async.py"] {
        let Ok(python) = env::var("DIALBACK_TEST_PYTHON") else {
            return skipped(
                "Twilio Verify in Python: set DIALBACK_TEST_PYTHON to a Python that has twilio to turn it on",
            );
        };
        let app = Setup::sandbox().start().await;
        let mut command = Command::new(python);
        command
            .arg(format!("{SCRIPTS}/{script}"))
            .args([&app.server, &app.sandbox, &app.account])
            .arg(KEY)
            .arg(&app.token);
        succeeds(&app, command).await;
        app.stop().await;
    }
}

#[tokio::test]
async fn twilios_node_library_verifies_with_the_server() {
    let Ok(modules) = env::var("DIALBACK_TEST_NODE_MODULES") else {
        return skipped(
            "Twilio Verify in Node: set DIALBACK_TEST_NODE_MODULES to a node_modules that has twilio to turn it on",
        );
    };
    let app = Setup::sandbox().start().await;
    let mut command = Command::new("node");
    command.arg(format!("{SCRIPTS}/node_verify.mjs"));
    command.args([&app.server, &app.sandbox, &app.account, KEY, &modules, &app.token]);
    succeeds(&app, command).await;
    app.stop().await;
}

async fn succeeds(app: &Instance, mut command: Command) {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let deadline = Instant::now() + LONGEST;
    let mut ended = child.try_wait().unwrap();
    while ended.is_none() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(50)).await;
        ended = child.try_wait().unwrap();
    }
    if ended.is_none() {
        let _ = child.kill();
    }
    let output = child.wait_with_output().unwrap();
    let said =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(ended.is_some_and(|status| status.success()), "{ended:?}: {said}\n{}", app.end_of_log());
}
