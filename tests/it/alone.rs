//! `dialback sandbox` by itself: Verify beside it, and a life that ends with whoever
//! started it.

use crate::instance::{ACCOUNT, Answer, TOKEN, answer, binary, poll, skipped, text};
use crate::wire::with_form;
use serde_json::Value;
use std::env;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sdk");
/// How long a process may take to end, or a program to drive it.
const LONGEST: Duration = Duration::from_secs(120);

/// `dialback sandbox --ci`, killed at the end.
struct Alone {
    child: Child,
    _dir: TempDir,
    ready: Value,
}

impl Alone {
    fn start(with: &[(&str, &str)]) -> Self {
        let dir = TempDir::new().unwrap();
        let mut command = binary(dir.path());
        command.envs(with.iter().copied()).args(["sandbox", "--ci", "--speed", "100"]);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).unwrap();
        Self { child, _dir: dir, ready }
    }

    fn said(&self, name: &str) -> String {
        text(&self.ready[name])
    }

    /// Asks as its account does.
    async fn post(&self, http: &reqwest::Client, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = http.post(format!("{}{path}", self.said("url")));
        let request = request.basic_auth(self.said("account_sid"), Some(self.said("auth_token")));
        answer(with_form(request, fields)).await
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ends(child: &mut Child) -> Option<i32> {
    let deadline = Instant::now() + LONGEST;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    None
}

#[tokio::test]
async fn one_line_says_where_it_is_and_a_configured_token_is_not_in_it() {
    let http = reqwest::Client::new();
    let mut alone = Alone::start(&[]);
    let (url, account, token) = (alone.said("url"), alone.said("account_sid"), alone.said("auth_token"));
    assert_eq!(url, format!("http://{}", alone.said("sandbox")));
    let balance = format!("{url}/2010-04-01/Accounts/{account}/Balance.json");
    assert_eq!(answer(http.get(balance).basic_auth(&account, Some(&token))).await.status, 200);
    // The one who held its input lets go of it.
    drop(alone.child.stdin.take());
    assert_eq!(ends(&mut alone.child), Some(0));

    let alone = Alone::start(&[("TWILIO_ACCOUNT_SID", ACCOUNT), ("TWILIO_AUTH_TOKEN", TOKEN)]);
    assert_eq!((alone.said("account_sid").as_str(), &alone.ready["auth_token"]), (ACCOUNT, &Value::Null));
}

#[tokio::test]
async fn it_ends_with_its_parent() {
    let dir = TempDir::new().unwrap();
    let program = env!("CARGO_BIN_EXE_dialback");
    // The shell puts it into the background, where its input is /dev/null, and ends.
    let script = format!(
        "'{program}' sandbox --ci --ready-file ready.json & for n in $(seq 1200); do test -s ready.json && exit 0; sleep 0.05; done; exit 1"
    );
    let mut shell = Command::new("sh");
    shell.env_clear().env("PATH", env::var_os("PATH").unwrap_or_default());
    shell.current_dir(dir.path()).args(["-c", &script]).stdin(Stdio::null()).stdout(Stdio::null());
    assert!(shell.status().unwrap().success());
    let ready: Value =
        serde_json::from_slice(&std::fs::read(dir.path().join("ready.json")).unwrap()).unwrap();
    let url = format!("http://{}/sandbox/clock", text(&ready["sandbox"]));
    let gone = poll(async || reqwest::get(&url).await.is_err().then_some(())).await;
    assert!(gone.is_some(), "it still answers");
}

#[tokio::test]
async fn an_input_that_nobody_holds_says_nothing() {
    let dir = TempDir::new().unwrap();
    let mut command = binary(dir.path());
    let mut child = command.args(["sandbox", "--ci"]).stdin(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    let url = format!("{}/sandbox/expect?within=1", text(&ready["url"]));
    assert_eq!(answer(reqwest::Client::new().get(url)).await.status, 404);
    assert_eq!(child.try_wait().unwrap(), None);
    let _ = child.kill();
    let _ = child.wait();
}

#[tokio::test]
async fn who_starts_afresh_has_a_new_verify_too() {
    let (alone, http) = (Alone::start(&[]), reqwest::Client::new());
    let url = alone.said("url");
    let post = async |path: &str, fields: &[(&str, &str)]| alone.post(&http, path, fields).await;
    let get = async |path: &str| {
        let (account, token) = (alone.said("account_sid"), alone.said("auth_token"));
        answer(http.get(format!("{url}{path}")).basic_auth(account, Some(token))).await
    };
    let services = async || {
        let all = get("/v2/Services").await.json();
        all["services"].as_array().unwrap().iter().map(|one| text(&one["sid"])).collect::<Vec<_>>()
    };
    let configured = services().await;
    assert_eq!(configured.len(), 1, "the one of the configuration");
    // Twice, for the second begins where the first did.
    for _ in 0..2 {
        let made = post("/v2/Services", &[("FriendlyName", "Acme")]).await;
        let made = text(&made.json()["sid"]);
        let limits = format!("/v2/Services/{}/RateLimits", configured[0]);
        assert_eq!(post(&limits, &[("UniqueName", "by_ip")]).await.status, 201);
        let verifications = format!("/v2/Services/{}/Verifications", configured[0]);
        let begun = post(&verifications, &[("To", "+15551230001"), ("Channel", "sms")]).await;
        assert_eq!(begun.status, 201);
        let pending = format!("{verifications}/+15551230001");
        assert_eq!((get(&pending).await.status, services().await.len()), (200, 2));
        assert_eq!(answer(http.delete(format!("{url}/sandbox/state"))).await.status, 204);
        assert_eq!(services().await, configured, "their ids are what they were");
        assert_eq!(get(&format!("/v2/Services/{made}")).await.status, 404);
        assert_eq!(get(&pending).await.status, 404);
        assert_eq!(get(&format!("{verifications}/{}", text(&begun.json()["sid"]))).await.status, 404);
        assert_eq!(get(&limits).await.json()["rate_limits"].as_array().map(Vec::len), Some(0));
        assert_eq!(get("/v2/Attempts").await.json()["attempts"].as_array().map(Vec::len), Some(0));
        // It sends, and what it sends is told to itself.
        let again = post(&verifications, &[("To", "+15551230001"), ("Channel", "sms")]).await;
        assert_eq!((again.status, text(&again.json()["status"])), (201, "pending".to_owned()));
        assert_eq!(again.json()["send_code_attempts"].as_array().map(Vec::len), Some(1));
        let expected = format!("{url}/sandbox/expect?to=+15551230001&within=60");
        let code = text(&answer(http.get(expected)).await.json()["code"]);
        let check = format!("/v2/Services/{}/VerificationCheck", configured[0]);
        let checked = post(&check, &[("To", "+15551230001"), ("Code", &code)]).await;
        assert_eq!(text(&checked.json()["status"]), "approved");
        assert_eq!(answer(http.delete(format!("{url}/sandbox/state"))).await.status, 204);
    }
}

#[tokio::test]
async fn verify_is_beside_it_for_the_same_account() {
    let (alone, http) = (Alone::start(&[]), reqwest::Client::new());
    let (url, account) = (alone.said("url"), alone.said("account_sid"));
    let post = async |path: &str, fields: &[(&str, &str)]| alone.post(&http, path, fields).await;
    let made = post("/v2/Services", &[("FriendlyName", "Acme"), ("CodeLength", "8")]).await;
    assert_eq!(made.status, 201);
    let service = format!("/v2/Services/{}", text(&made.json()["sid"]));
    for (channel, asked) in [("sms", "body~=Acme"), ("call", "said~=Acme")] {
        let to = if channel == "sms" { "+15551230001" } else { "+15551230002" };
        let behaves = http.put(format!("{url}/sandbox/phones/{to}"));
        let person = r#"{"answer_after_ms":0,"press":["1"],"speech":"instant"}"#;
        assert_eq!(answer(behaves.body(person)).await.status, 200);
        let begun = post(&format!("{service}/Verifications"), &[("To", to), ("Channel", channel)]).await;
        assert_eq!((begun.status, text(&begun.json()["status"])), (201, "pending".to_owned()));
        let code = match channel {
            "sms" => {
                let expected = format!("{url}/sandbox/expect?to={to}&{asked}&within=60");
                text(&answer(http.get(expected)).await.json()["code"])
            }
            // A call says the service's name, and then the digits.
            _ => {
                let said = poll(async || {
                    let expected = format!("{url}/sandbox/expect?to={to}&channel=call&within=60");
                    answer(http.get(expected)).await.json()["code"].as_str().map(str::to_owned)
                });
                said.await.expect("a code is said")
            }
        };
        assert_eq!(code.len(), 8, "{code}");
        let checked = post(&format!("{service}/VerificationCheck"), &[("To", to), ("Code", &code)]).await;
        assert_eq!(checked.json()["status"], "approved");
    }
    // Nobody else is let in, and what is not there is not there in Twilio's words.
    let stranger = http.get(format!("{url}/v2/Services")).basic_auth(&account, Some("wrong"));
    let refused = answer(stranger).await;
    assert_eq!((refused.status, &refused.json()["code"]), (401, &Value::from(20003)));
    let missing = post(
        "/v2/Services/VA00000000000000000000000000000000/Verifications",
        &[("To", "+15551230001"), ("Channel", "sms")],
    )
    .await;
    assert_eq!((missing.status, &missing.json()["code"]), (404, &Value::from(20404)));
    let nowhere = post("/v2/Nowhere", &[]).await;
    assert_eq!((nowhere.status, &nowhere.json()["code"]), (404, &Value::from(20404)));
    let log = answer(http.get(format!("{url}/sandbox/exchanges?kind=api"))).await.json();
    let is_named = |one: &Value| one["operation"] == "POST verify.twilio.com/v2/Services";
    assert!(log.as_array().unwrap().iter().any(is_named));
}

#[tokio::test]
async fn twilios_libraries_verify_with_the_sandbox_alone() {
    let python = env::var("DIALBACK_TEST_PYTHON").ok().map(|python| {
        let mut command = Command::new(python);
        command.arg(format!("{SCRIPTS}/python_alone.py"));
        (command, String::new())
    });
    let node = env::var("DIALBACK_TEST_NODE_MODULES").ok().map(|modules| {
        let mut command = Command::new("node");
        command.arg(format!("{SCRIPTS}/node_alone.mjs"));
        (command, modules)
    });
    if python.is_none() && node.is_none() {
        return skipped(
            "Twilio's libraries with the sandbox alone: DIALBACK_TEST_PYTHON, DIALBACK_TEST_NODE_MODULES",
        );
    }
    for (command, modules) in [python, node].into_iter().flatten() {
        drives(command, &modules).await;
    }
}

#[tokio::test]
async fn twilios_go_library_works_against_the_sandbox_alone() {
    let Ok(module) = env::var("DIALBACK_TEST_GO") else {
        return skipped(
            "Twilio's Go library: set DIALBACK_TEST_GO to the directory of a Go module that has github.com/twilio/twilio-go to turn it on",
        );
    };
    let mut command = Command::new("go");
    command.current_dir(module).args(["run", &format!("{SCRIPTS}/go_alone.go")]);
    drives(command, "").await;
}

#[tokio::test]
async fn twilios_ruby_library_works_against_the_sandbox_alone() {
    let Ok(ruby) = env::var("DIALBACK_TEST_RUBY") else {
        return skipped(
            "Twilio's Ruby library: set DIALBACK_TEST_RUBY to a Ruby that has the gem twilio-ruby to turn it on",
        );
    };
    let mut command = Command::new(ruby);
    command.arg(format!("{SCRIPTS}/ruby_alone.rb"));
    drives(command, "").await;
}

/// A program that is told where a sandbox is, and for which account, comes to its end.
async fn drives(mut command: Command, more: &str) {
    let (alone, said) = (Alone::start(&[]), format!("{command:?}"));
    command.args([alone.said("url"), alone.said("account_sid"), alone.said("auth_token"), more.to_owned()]);
    command.stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(output.status.success(), "{said}: {}", text.concat());
}
