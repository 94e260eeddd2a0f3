//! The command line, as a person or a script uses it.

use crate::instance::{Instance, Setup, binary, poll, text};
use serde_json::json;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/signatures/vectors.json");
const URL: &str = "https://otp.example.com/twilio/status";

fn run(dir: &Path, args: &[&str]) -> Output {
    binary(dir).args(args).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

#[test]
fn help_lists_only_commands_that_are_there() {
    let dir = TempDir::new().unwrap();
    let help = run(dir.path(), &["--help"]);
    assert_eq!(code(&help), 0);
    let text = out(&help);
    let section = text.split("Commands:").nth(1).unwrap().split("Options:").next().unwrap();
    let commands: Vec<&str> = section.lines().filter_map(|line| line.split_whitespace().next()).collect();
    for needed in ["serve", "sandbox", "verify", "delivery", "signature", "replay", "urls", "config", "key"] {
        assert!(commands.contains(&needed), "{needed} of {commands:?}");
    }
    for command in commands.iter().filter(|command| **command != "help") {
        let help = run(dir.path(), &[command, "--help"]);
        assert!(code(&help) == 0 && out(&help).contains("Usage:"), "{command}: {}", err(&help));
        if matches!(*command, "serve" | "sandbox") {
            continue;
        }
        // Without arguments it does its work, or says what it needs.
        let bare = run(dir.path(), &[command]);
        let said = format!("{}{}", out(&bare), err(&bare)).to_lowercase();
        assert!(!said.is_empty() && [0, 1, 2].contains(&code(&bare)), "{command}: {said}");
        for excuse in ["not implemented", "not built", "not yet", "todo", "panicked"] {
            assert!(!said.contains(excuse), "{command}: {said}");
        }
    }
    assert_eq!(code(&run(dir.path(), &["no-such-command"])), 2);
    assert_eq!(code(&run(dir.path(), &[])), 2);
}

#[test]
fn numbers_are_read_one_a_line() {
    let dir = TempDir::new().unwrap();
    let shown = run(dir.path(), &["number", "--region", "de", "0151 23456789", "+39 02 1234 5678"]);
    assert_eq!(code(&shown), 0, "{}", err(&shown));
    assert_eq!(
        out(&shown),
        "0151 23456789\t+4915123456789\tDE\tmobile\tsms, call, whatsapp\n\
         +39 02 1234 5678\t+390212345678\tIT\tlandline\tsms, call, whatsapp\n"
    );
    let args = ["number", "--json", "+49151234567O9", "0151 23456789", "+19002345678"];
    let refused = run(dir.path(), &args);
    assert_eq!(code(&refused), 1);
    let lines = out(&refused);
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let codes: Vec<&str> = lines.iter().map(|line| line["refused"]["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["not_a_number", "no_country_code", "refused_kind"]);
    assert_eq!((&lines[2]["number"], &lines[2]["kind"]), (&json!("+19002345678"), &json!("premium-rate")));
    assert!(lines[0]["refused"]["detail"].as_str().unwrap().contains("letter"));
    assert_eq!(code(&run(dir.path(), &["number", "--region", "XX", "1"])), 2);
    let unknown = run(dir.path(), &["number", "--service", "nobody", "+14155552671"]);
    assert!(code(&unknown) == 1 && err(&unknown).contains("nobody"), "{}", err(&unknown));
}

#[test]
fn thousands_of_numbers_are_read_at_once_and_a_closed_pipe_is_no_panic() {
    let dir = TempDir::new().unwrap();
    let mut child = binary(dir.path())
        .args(["number", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        let lines: String = (0..5000).map(|n| format!("\u{feff}+1 415 555 {n:04}\r\n\n")).collect();
        input.write_all(lines.as_bytes()).unwrap();
        input.write_all(b"\xff\x00\x1b[31m\n").unwrap();
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let lines = out(&output);
    assert_eq!((lines.lines().count(), code(&output)), (10_001, 1), "{}", err(&output));
    assert!(lines.lines().nth(9998).unwrap().contains("\t+14155554999\tUS\t"));
    assert!(!lines.contains('\x1b'));

    let mut child = binary(dir.path())
        .args(["number", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Nobody reads any more.
    drop(child.stdout.take());
    // It may be gone before it has read all.
    let _ = child.stdin.take().unwrap().write_all("+14155552671\n".repeat(2000).as_bytes());
    let output = child.wait_with_output().unwrap();
    assert!(output.stderr.is_empty() && output.status.code().is_some(), "{}", err(&output));
}

#[test]
fn vectors_are_checked_and_counted() {
    let dir = TempDir::new().unwrap();
    let checked = run(dir.path(), &["signature", "check", "--vectors", VECTORS]);
    let text = out(&checked);
    let last = text.lines().last().unwrap();
    let agreed: u32 =
        last.strip_suffix(" agreed, 0 disagreed").unwrap_or_else(|| panic!("{text}")).parse().unwrap();
    assert!(agreed > 100 && code(&checked) == 0, "{last}");

    // One right signature made wrong: one disagreement, by name, and exit 1.
    let file = std::fs::read_to_string(VECTORS).unwrap();
    let mut vectors: serde_json::Value = serde_json::from_str(&file).unwrap();
    let list = vectors["vectors"].as_array_mut().unwrap();
    let is_sure =
        |vector: &&mut serde_json::Value| vector["tier"] == "must" && vector["expected_valid"] == true;
    let broken = list.iter_mut().find(is_sure).unwrap_or_else(|| panic!("no vector that must be valid"));
    broken["expected_valid"] = json!(false);
    let id = crate::instance::text(&broken["id"]);
    let path = dir.path().join("broken.json");
    std::fs::write(&path, vectors.to_string()).unwrap();
    let checked = run(dir.path(), &["signature", "check", "--vectors", path.to_str().unwrap()]);
    let text = out(&checked);
    assert_eq!(text.lines().last().unwrap(), format!("{} agreed, 1 disagreed", agreed - 1));
    assert!(text.lines().any(|line| line.contains(&id)), "{id} is not in {text}");
    assert_eq!(code(&checked), 1);

    for nonsense in ["", "[]", "{\"vectors\": 5}", "not json"] {
        std::fs::write(&path, nonsense).unwrap();
        let checked = run(dir.path(), &["signature", "check", "--vectors", path.to_str().unwrap()]);
        assert!(code(&checked) != 0 && !err(&checked).is_empty(), "{nonsense:?}: {}", out(&checked));
    }
    assert_ne!(code(&run(dir.path(), &["signature", "check", "--vectors", "missing.json"])), 0);
}

#[test]
fn a_signature_goes_round() {
    let dir = TempDir::new().unwrap();
    let token = dir.path().join("token");
    std::fs::write(&token, "12345\n").unwrap();
    let token = ["--token-file", token.to_str().unwrap()];
    let data = ["-d", "MessageSid=SM1", "-d", "Body=naïve & 1+1", "-d", "Empty="];
    let signature = |args: &[&str]| {
        let signed = run(dir.path(), &[&["signature", "sign"][..], args, &token].concat());
        assert_eq!(code(&signed), 0, "{}", err(&signed));
        out(&signed).lines().next().unwrap().trim().to_owned()
    };
    let form = signature(&[&[URL][..], &data].concat());
    assert_eq!(form.len(), 28);
    let check = |verb: &str, url: &str, more: &[&str], signature: &str| {
        let signature = ["--signature", signature];
        run(dir.path(), &[&["signature", verb, url][..], more, &token, &signature].concat())
    };
    assert_eq!(code(&check("check", URL, &data, &form)), 0);
    assert_eq!(code(&check("check", URL, &data[..4], &form)), 1);
    assert_eq!(code(&check("check", "https://otp.example.com:443/twilio/status", &data, &form)), 0);
    let explained = check("explain", &URL.replace("https", "http"), &data, &form);
    assert!(out(&explained).contains("with https instead of http"), "{}", out(&explained));
    assert!(!out(&explained).contains(&signature(&[&[&*URL.replace("https", "http")][..], &data].concat())));

    // JSON: the signature covers the URL, which names the body's hash.
    let body = dir.path().join("body.json");
    std::fs::write(&body, "[{\"a\":1}]").unwrap();
    let json = ["--json", "--body-file", body.to_str().unwrap()];
    let signed = run(dir.path(), &[&["signature", "sign", URL][..], &json, &token].concat());
    assert_eq!(code(&signed), 0, "{}", err(&signed));
    let text = format!("{}{}", out(&signed), err(&signed));
    let url =
        text.split_whitespace().find(|word| word.contains("bodySHA256=")).unwrap_or_else(|| panic!("{text}"));
    let signature =
        text.split_whitespace().find(|word| word.len() == 28 && word.ends_with('=')).unwrap().to_owned();
    assert_eq!(code(&check("check", url, &json, &signature)), 0);
    std::fs::write(&body, "[{\"a\":2}]").unwrap();
    assert_eq!(code(&check("check", url, &json, &signature)), 1);

    // An empty token proves nothing, and signs nothing.
    let empty = binary(dir.path()).args(["signature", "sign", URL, "--token", ""]).output().unwrap();
    assert_ne!(code(&empty), 0, "{}", out(&empty));
}

#[test]
fn a_broken_configuration_is_named_with_key_and_line() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("config.toml");
    let check = |text: &str| {
        std::fs::write(&path, text).unwrap();
        run(dir.path(), &["config", "check"])
    };
    assert_eq!(code(&check("")), 0);
    let broken = [
        ("\n\n[server]\nlissten = \"127.0.0.1:0\"\n", vec![":4:", "server.lissten", "server.listen"]),
        ("[sever]\nlisten = \"127.0.0.1:0\"\n", vec![":1:", "sever", "did you mean server"]),
        ("[verification]\n\ncode_length = 3\n", vec![":3:", "verification.code_length", "4 to 10"]),
        ("public_url = 5\n", vec![":1:", "public_url"]),
        ("[server]\nlisten = \n", vec![":2:", "TOML"]),
        ("[twilio]\nauth_token = \"${NOT_SET_ANYWHERE}\"\n", vec![":2:", "NOT_SET_ANYWHERE"]),
        ("[sandbox]\nenabled = false\n", vec!["twilio.account_sid", "codes.keys"]),
        ("[server]\nlisten = \"0.0.0.0:0\"\n[signature]\nmode = \"report-only\"\n", vec![":4:", "signature"]),
        ("[sandbox]\npace = -1\n", vec![":2:", "sandbox.pace", "0 to 100"]),
    ];
    for (text, wanted) in broken {
        let checked = check(text);
        let said = format!("{}{}", out(&checked), err(&checked));
        assert_eq!(code(&checked), 1, "{text}: {said}");
        assert!(wanted.iter().all(|word| said.contains(word)), "{wanted:?} not in {said}");
        // And nothing is served with it.
        let served = run(dir.path(), &["serve"]);
        assert!(code(&served) != 0 && err(&served).contains(wanted[1]), "{}", err(&served));
    }
    let secret = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
    std::fs::write(&path, format!("[twilio]\nauth_token = \"{secret}\"\n")).unwrap();
    let shown = run(dir.path(), &["config", "show"]);
    assert!(code(&shown) == 0 && out(&shown).contains("auth_token") && !out(&shown).contains(secret));
    // The default, written to a file, is a configuration.
    let default = out(&run(dir.path(), &["config", "default"]));
    assert_eq!(code(&check(&default)), 0);
}

#[test]
fn what_is_dangerous_in_public_is_not_served() {
    let dir = TempDir::new().unwrap();
    let serve = |key: &str, pairs: &[(&str, &str)]| {
        let mut command = binary(dir.path());
        command.env("DIALBACK_SERVER__LISTEN", "127.0.0.1:0").env("DIALBACK_SANDBOX__LISTEN", "127.0.0.1:0");
        command.env("DIALBACK_API_KEY", key).envs(pairs.iter().copied()).arg("serve");
        let output = command.output().unwrap();
        assert_ne!(code(&output), 0, "{pairs:?}");
        err(&output)
    };
    let (url, allowed) =
        (("DIALBACK_PUBLIC_URL", "https://otp.example.com"), ("DIALBACK_SANDBOX__ALLOW_PUBLIC", "true"));
    let proxies = ("DIALBACK_SIGNATURE__TRUSTED_PROXIES", "10.0.0.0/8");
    let key = "a key that is long enough";
    for public in [url, proxies] {
        let said = serve(key, &[public]);
        assert!(said.contains("sandbox.enabled") && said.contains("sandbox.allow_public = "), "{said}");
        let said = serve("a", &[public, allowed]);
        assert!(said.contains("DIALBACK_API_KEY: is shorter than 20 characters"), "{said}");
        let said = serve(key, &[public, allowed, ("DIALBACK_TWILIO__AUTH_TOKEN", "S3CRET")]);
        assert!(said.contains("twilio.auth_token: is shorter") && !said.contains("S3CRET"), "{said}");
        let said = serve(key, &[public, allowed, ("DIALBACK_SIGNATURE__MODE", "report-only")]);
        assert!(said.contains("signature.allow_report_only_on_public"), "{said}");
    }
    // A command that serves nobody goes on.
    let urls = binary(dir.path()).envs([url]).arg("urls").output().unwrap();
    assert!(
        code(&urls) == 0 && out(&urls).contains("https://otp.example.com/twilio/status"),
        "{}",
        err(&urls)
    );
}

#[test]
fn texts_of_ones_own_are_checked_and_counted_before_anything_is_served() {
    let dir = TempDir::new().unwrap();
    let texts = dir.path().join("texts");
    std::fs::create_dir(&texts).unwrap();
    let config = "[services.shop]\ntemplate = \"shop\"\n[messages]\ndir = \"texts\"\n";
    std::fs::write(dir.path().join("config.toml"), config).unwrap();
    let check = |text: &str| {
        std::fs::write(texts.join("shop.toml"), text).unwrap();
        run(dir.path(), &["config", "check"])
    };
    let good = check("[sms]\nde = \"{code} ist Ihr Code. {{Nur}} {minutes}.\"\nru = \"Код {code}\"\n");
    let counted = "ok: services.shop: sms: 1 segment in de, ru\n";
    let filled_up = "ok: services.shop: what shop leaves out is in the shipped texts\n";
    assert!(
        code(&good) == 0 && out(&good).contains(counted) && out(&good).contains(filled_up),
        "{}",
        out(&good)
    );
    let dear = check(&format!("[sms]\nde = \"{{code}} {}\"\n", "x".repeat(160)));
    let warning = "warning: services.shop: sms in de: 2 segments: 167 units of GSM-7, 7 too many for one\n";
    assert!(code(&dear) == 0 && out(&dear).contains(warning), "{}", out(&dear));
    let broken = check("[sms]\n# all is well\nde = \"{code} {minuten}\"\n");
    let mistake = "shop.toml:3:14: sms.de: has {minuten}, which is no variable; did you mean {minutes}?";
    assert!(code(&broken) == 1 && err(&broken).contains(mistake), "{}", err(&broken));
    let served = run(dir.path(), &["serve"]);
    assert!(code(&served) != 0 && err(&served).contains(mistake), "{}", err(&served));
    std::fs::remove_file(texts.join("shop.toml")).unwrap();
    let gone = run(dir.path(), &["config", "check"]);
    let missing = "services.shop.template: \"shop\" is no set of texts; there are default";
    assert!(code(&gone) == 1 && err(&gone).contains(missing), "{}", err(&gone));
}

#[test]
fn a_variable_that_is_no_key_stops_every_command_that_reads_the_configuration() {
    let dir = TempDir::new().unwrap();
    let secret = "postgres://dialback:hunter2@db.example.com/dialback";
    let commands = [
        &["serve"][..],
        &["sandbox"],
        &["config", "check"],
        &["config", "show"],
        &["key", "list"],
        &["audit", "list"],
        &["store", "check"],
        &["export"],
        &["event", "list"],
        &["endpoint", "list"],
        &["urls"],
        &["delivery", "SM0123456789abcdef0123456789abcdef"],
        &["verify", "+15551230702"],
    ];
    for args in commands {
        let refused = binary(dir.path()).env("DIALBACK_STORE_URL", secret).args(args).output().unwrap();
        let told = "environment variable DIALBACK_STORE_URL: there is no such key; did you mean DIALBACK_STORE__URL?\n";
        assert_eq!((code(&refused), err(&refused).as_str()), (1, told), "{args:?}");
        assert!(!dir.path().join("data").exists(), "{args:?}");
    }
    use std::os::unix::ffi::OsStrExt;
    let broken = std::ffi::OsStr::from_bytes(b"sled:\xff");
    let refused = binary(dir.path()).env("DIALBACK_STORE__URL", broken).args(["config", "check"]).output();
    let refused = refused.unwrap();
    assert!(code(&refused) == 1 && err(&refused).contains("DIALBACK_STORE__URL: is not UTF-8"));
    std::fs::write(dir.path().join("config.toml"), "service_name = \"${DIALBACK_NAME}\"").unwrap();
    let mut named = binary(dir.path());
    named.env("DIALBACK_API_KEY", "k").env("DIALBACK_NAME", "Shop");
    let fine = named.args(["config", "check"]).output().unwrap();
    assert_eq!(code(&fine), 0, "{}", err(&fine));
}

/// A command that finds the running server by its store.
fn beside(app: &Instance, dir: &TempDir, args: &[&str]) -> Command {
    let mut command = binary(dir.path());
    command.env("DIALBACK_STORE__URL", &app.store).args(args);
    command
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_is_verified_from_the_terminal() {
    let (app, dir) = (Setup::sandbox().start().await, TempDir::new().unwrap());
    let number = "+15551230701";
    app.learn(number);
    let mut verify = beside(&app, &dir, &["verify", number]).stdin(Stdio::piped()).spawn().unwrap();
    let code = app.texted_code(number, 1).await;
    let mut typed = verify.stdin.take().unwrap();
    write!(typed, "12\n{}\n{code}\n", crate::instance::wrong(&code)).unwrap();
    let ended = poll(|| std::future::ready(verify.try_wait().unwrap())).await;
    if ended.is_none() {
        let _ = verify.kill();
    }
    let verified = verify.wait_with_output().unwrap();
    assert_eq!(ended.and_then(|ended| ended.code()), Some(0), "{}{}", out(&verified), err(&verified));
    assert!(out(&verified).contains("approved"), "{}", out(&verified));

    let deliveries = app.get("/v1/deliveries").await.json();
    let sid = text(&deliveries["deliveries"][0]["sid"]);
    let shown = beside(&app, &dir, &["delivery", &sid]).output().unwrap();
    assert!(code_is_zero(&shown) && out(&shown).contains("delivered"), "{}{}", out(&shown), err(&shown));
    assert!(!out(&shown).contains(number), "{}", out(&shown));
    let whole = beside(&app, &dir, &["delivery", &sid, "--full-numbers"]).output().unwrap();
    assert!(out(&whole).contains(number), "{}", out(&whole));
    let unknown = beside(&app, &dir, &["delivery", "SM0123456789abcdef0123456789abcdef"]).output().unwrap();
    assert!(!code_is_zero(&unknown) && err(&unknown).contains("nothing is known"), "{}", err(&unknown));
}

fn code_is_zero(output: &Output) -> bool {
    code(output) == 0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_shown_once_and_opens_the_api() {
    let dir = TempDir::new().unwrap();
    let app = Setup::sandbox().dir(dir.path()).start().await;
    let made = beside(&app, &dir, &["key", "create", "shop"]).output().unwrap();
    assert!(code_is_zero(&made), "{}", err(&made));
    let said = out(&made);
    let key =
        said.split_whitespace().find(|word| word.starts_with("dbk_")).unwrap_or_else(|| panic!("{said}"));
    app.learn(key);
    let list = |key: String| app.http.get(format!("{}/v1/deliveries", app.server)).bearer_auth(key);
    assert_eq!(crate::instance::answer(list(key.to_owned())).await.status, 200);
    crate::instance::answer(list(format!("{key}0"))).await.problem(401, "unauthorized");
    app.stop().await;
    // It is stored hashed: no file of the store has it, and some file has its name.
    let files: Vec<Vec<u8>> = std::fs::read_dir(dir.path().join("data"))
        .unwrap()
        .filter_map(|entry| std::fs::read(entry.unwrap().path()).ok())
        .collect();
    let has = |text: &str| {
        files.iter().any(|file| file.windows(text.len()).any(|window| window == text.as_bytes()))
    };
    assert!(has("shop") && !has(key) && !has(key.trim_start_matches("dbk_")));
}
