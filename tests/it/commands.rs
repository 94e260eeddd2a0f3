//! Commands that read the configuration, and those that work beside a server or on a
//! store that none has open.

use crate::instance::{KEY, Setup, binary, text};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

fn run(command: &mut Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

fn on(dir: &Path, store: &str, args: &[&str]) -> (i32, String, String) {
    run(binary(dir).env("DIALBACK_STORE__URL", store).args(args))
}

const LIVE: &str = "public_url = \"https://verify.example.com\"\nsandbox.enabled = false\n\
                    codes.keys = [{ id = \"a\", secret = \"3b1f0c7ad2e94586f10c27b59d8ea364\" }]\n[twilio]\n\
                    account_sid = \"AC0123456789abcdef0123456789abcdef\"\nauth_token = \"3b1f0c7ad2e94586f10c27b59d8ea364\"\n\
                    from = \"+15017122661\"\n[server]\nlisten = \"127.0.0.1:0\"\n";

#[test]
fn what_serve_refuses_config_check_refuses_in_the_same_words() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("config.toml");
    let both = |text: &str| {
        std::fs::write(&path, text).unwrap();
        let (checked, said, wrong) = run(binary(dir.path()).args(["config", "check"]));
        assert_eq!((checked, said.as_str()), (1, ""), "{text}: {wrong}");
        let (served, _, refused) = run(binary(dir.path()).arg("serve"));
        assert_eq!((served, &refused), (1, &wrong), "{text}");
        wrong
    };
    std::fs::write(&path, LIVE).unwrap();
    let (checked, said, wrong) = run(binary(dir.path()).args(["config", "check"]));
    assert!(checked == 0 && said.starts_with("ok: config.toml is complete\n"), "{said}{wrong}");
    assert!(!dir.path().join("data").exists(), "looking made something");

    std::fs::create_dir(dir.path().join("shared")).unwrap();
    std::fs::write(dir.path().join("shared/other.txt"), "").unwrap();
    std::fs::create_dir(dir.path().join("pages")).unwrap();
    std::fs::write(dir.path().join("pages/done.html"), "{{ oops").unwrap();
    for (text, expected) in [
        (
            "[store]\nurl = \"postgres://u@db.example.com/d?sslmode=require\"\n",
            "config.toml:2:7: store.url: the address has an sslmode",
        ),
        ("[store]\nurl = \"postgres://\"\n", "config.toml:2:7: store.url: the address names no"),
        (
            "[store]\nurl = \"postgres:///?host=/run\"\n",
            "config.toml:2:7: store.url: the address names no database",
        ),
        ("[store]\nurl = \"sled:config.toml\"\n", "config.toml:2:7: store.url: config.toml is a file"),
        ("[store]\nurl = \"sled:config.toml/data\"\n", "config.toml:2:7: store.url: "),
        ("[store]\nurl = \"sled:shared\"\n", "config.toml:2:7: store.url: shared can be read by others"),
        (
            "[server]\nlisten = \"192.0.2.1:8000\"\n[sandbox]\nallow_public = true\n",
            "config.toml:2:10: server.listen: 192.0.2.1:8000 is no address of this machine",
        ),
        (
            "[services.shop]\n\nlocale = \"de_DEE_\"\ntemplate = \"none\"\n",
            "config.toml:3:10: services.shop.locale: ",
        ),
        (
            "[services.shop]\ntemplate = \"none\"\n",
            "config.toml:2:12: services.shop.template: \"none\" is no set of texts; there are default",
        ),
        ("[pages]\ntemplates = \"pages\"\n", "config.toml:2:13: pages.templates: pages/done.html"),
        (
            "[services.shop.countries.sms]\nallow = [\"UK\"]\n",
            "config.toml:2:10: services.shop.countries.sms.allow[0]: \"UK\"",
        ),
        ("public_url = \"https://verify example.com\"\n", "config.toml:1:14: public_url: "),
    ] {
        let wrong = both(text);
        assert!(wrong.contains(expected), "{text}: {wrong}");
    }
    // All at once, and what is wrong beside what only its user could know.
    let wrong = both(
        "[store]\nurl = \"sled:config.toml\"\n[services.shop]\nlocale = \"?\"\ncode_length = 99\n[log]\nlevel = \"loud\"\n",
    );
    let lines: Vec<&str> = wrong.lines().map(|line| line.split(": ").nth(1).unwrap()).collect();
    assert_eq!(
        lines,
        ["store.url", "services.shop.locale", "services.shop.code_length", "log.level"],
        "{wrong}"
    );
}

#[test]
fn signatures_are_made_and_proved_with_what_is_configured() {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("config.toml"), LIVE).unwrap();
    let url = "https://verify.example.com/twilio/status";
    let (code, signature, note) = run(binary(dir.path()).args(["signature", "sign", url, "-d", "A=1"]));
    assert_eq!(
        (code, note.as_str()),
        (0, "signed with twilio.auth_token of AC0123456789abcdef0123456789abcdef\n")
    );
    let given = ["signature", "sign", url, "-d", "A=1", "--token", "3b1f0c7ad2e94586f10c27b59d8ea364"];
    assert_eq!(run(binary(dir.path()).args(given)).1, signature);
    let checked = ["signature", "check", url, "-d", "A=1", "--signature", signature.trim()];
    let (code, said, note) = run(binary(dir.path()).args(checked));
    assert!(code == 0 && said == "valid\n" && note.contains("twilio.auth_token"), "{said}{note}");
    // Twilio's variable is a part of the configuration, where that is silent.
    let elsewhere = TempDir::new().unwrap();
    let mut command = binary(elsewhere.path());
    command.env("TWILIO_AUTH_TOKEN", "3b1f0c7ad2e94586f10c27b59d8ea364");
    let (code, again, note) = run(command.args(["signature", "sign", url, "-d", "A=1"]));
    assert_eq!((code, &again), (0, &signature), "{note}");
    let (code, said, wrong) = run(binary(elsewhere.path()).args(["signature", "sign", url]));
    assert!(code == 2 && said.is_empty() && wrong.contains("no token"), "{wrong}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_is_what_a_server_says_and_not_what_one_has_left_behind() {
    let (home, kept) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let health = |store: &str| {
        let mut command = binary(home.path());
        run(command
            .env("DIALBACK_STORE__URL", store)
            .env("DIALBACK_SERVER__LISTEN", "127.0.0.1:0")
            .arg("health"))
    };
    let store = format!("sled:{}", kept.path().join("data").display());
    for admin in ["127.0.0.1:0", ""] {
        let app = Setup::sandbox().set("SERVER__ADMIN_LISTEN", admin).dir(kept.path()).start().await;
        let base = if admin.is_empty() { app.server.clone() } else { app.admin.clone() };
        assert_eq!(health(&store), (0, format!("ready: {base}\n"), String::new()));
        // It is killed, and what it has left says that it is there.
        drop(app);
        let (code, said, wrong) = health(&store);
        assert!(code == 1 && said.is_empty(), "{said}{wrong}");
        assert!(wrong.starts_with(&format!("dialback: not ready: nothing answers at {base}")), "{wrong}");
        assert_eq!(wrong.lines().count(), 1, "{wrong}");
    }
    let (code, said, wrong) = health("memory:");
    assert!(code == 1 && said.is_empty() && wrong.contains("start one with `dialback serve`"), "{wrong}");
}

#[test]
fn a_line_is_answered_with_a_line() {
    let dir = TempDir::new().unwrap();
    let mut child = binary(dir.path()).args(["number", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"+14155552671\n\n \n+4915123456789\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 4, "{said}");
    assert!(
        lines[0].starts_with("+14155552671\t+14155552671") && lines[3].starts_with("+4915123456789\t"),
        "{said}"
    );
    assert_eq!((&lines[1..3], output.status.code()), (&["", ""][..], Some(0)), "{said}");
    let (code, said, _) = run(binary(dir.path()).args(["number", "+14155552671\n+14155552672"]));
    assert!(code == 1 && said.contains("there is a line break in the number"), "{said}");
    let (code, said, wrong) =
        run(binary(dir.path()).args(["number", "--service", "default", "+14155552671"]));
    assert_eq!((code, wrong.as_str()), (0, ""), "{said}");
}

#[test]
fn a_store_in_memory_is_not_said_to_hold_nothing() {
    let dir = TempDir::new().unwrap();
    for args in [
        &["delivery", "+14155552671"][..],
        &["delivery", "SM0123456789abcdef0123456789abcdef"],
        &["audit", "list"],
        &["endpoint", "list"],
        &["event", "list"],
        &["opt-out", "list"],
    ] {
        let (code, said, wrong) = on(dir.path(), "memory:", args);
        assert!(
            code == 1 && said.is_empty() && wrong.contains("the server's memory alone"),
            "{args:?}: {wrong}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opt_outs_are_kept_beside_a_server_and_without_one() {
    let home = TempDir::new().unwrap();
    let app = Setup::sandbox().dir(home.path()).start().await;
    let (store, dir) = (app.store.clone(), TempDir::new().unwrap());
    let on = |args: &[&str]| on(dir.path(), &store, args);
    let works = |args: &[&str]| {
        let (code, said, wrong) = on(args);
        assert_eq!(code, 0, "{args:?}: {wrong}");
        assert!(!wrong.contains("4155550123"), "{wrong}");
        said
    };
    let listed = |number: &[&str]| -> Vec<Value> {
        let said = works(&[&["opt-out", "list", "--json"][..], number].concat());
        let mut page: Value = serde_json::from_str(&said).unwrap();
        serde_json::from_value(page["opt_outs"].take()).unwrap()
    };
    let story = |of: &str| {
        works(&["opt-out", "add", "+14155550123"]);
        works(&["opt-out", "add", "+14155550199", "--sender", "+15017122661"]);
        assert_eq!(listed(&[]).len(), 2, "{of}");
        let one = listed(&["--number", "+1 (415) 555-0123"]);
        assert_eq!(
            (one.len(), &one[0]["number"], &one[0]["opted_out"]),
            (1, &json!("+14155550123"), &json!(true)),
            "{of}"
        );
        assert_eq!(listed(&["--number", "+14155550777"]), Vec::<Value>::new());
        assert!(!works(&["opt-out", "list"]).contains("4155550123"));
        assert!(works(&["opt-out", "list", "--full-numbers"]).contains("+14155550123"));
        works(&["opt-out", "remove", "+14155550123", "--came-back"]);
        assert_eq!(listed(&["--number", "+14155550123"])[0]["opted_out"], false);
        works(&["opt-out", "remove", "+14155550123"]);
        works(&["opt-out", "remove", "+14155550199"]);
        assert_eq!(listed(&[]), Vec::<Value>::new());
        let (code, _, wrong) = on(&["opt-out", "remove", "+14155550123"]);
        assert!(code == 1 && wrong.contains("said nothing"), "{wrong}");
        for nobody in ["+1415555O123", "x", "12345", ""] {
            let (code, _, wrong) = on(&["opt-out", "add", nobody]);
            assert!(code == 1 && !wrong.is_empty(), "{nobody}: {wrong}");
        }
        let audit = works(&["audit", "list"]);
        assert!(audit.contains("opt_out.set") && audit.contains("opt_out.deleted"), "{of}: {audit}");
    };
    story("beside a server");
    // The API has the same filter.
    let set = json!({ "sender": "+15017122661" });
    app.ask(&app.operator(), reqwest::Method::PUT, "/v1/opt-outs/%2B14155550123", Some(&set)).await;
    for (number, count) in [("%2B14155550123", 1), ("%2B14155550124", 0)] {
        let path = format!("/v1/opt-outs?number={number}");
        let page = app.ask(&app.operator(), reqwest::Method::GET, &path, None).await.json();
        assert_eq!(page["opt_outs"].as_array().map(Vec::len), Some(count), "{page}");
    }
    app.ask(&app.operator(), reqwest::Method::DELETE, "/v1/opt-outs/%2B14155550123", None).await;
    drop(app);
    story("on the store");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_are_kept_beside_a_server_and_without_one() {
    let home = TempDir::new().unwrap();
    let app = Setup::sandbox().dir(home.path()).start().await;
    let (store, dir) = (app.store.clone(), TempDir::new().unwrap());
    let on = |args: &[&str]| on(dir.path(), &store, args);
    let works = |args: &[&str]| {
        let (code, said, wrong) = on(args);
        assert_eq!(code, 0, "{args:?}: {wrong}");
        assert!(!wrong.contains("4155550123"), "{wrong}");
        (said, wrong)
    };
    let listed = |list: &str| -> Vec<Value> {
        let (said, _) = works(&[list, "list", "--json", "--full-numbers"]);
        let mut page: Value = serde_json::from_str(&said).unwrap();
        serde_json::from_value(page["blocks"].take()).unwrap()
    };
    let story = |of: &str| {
        works(&["block", "+1 (415) 555-0123", "--reason", "pumping", "--end", "2d"]);
        works(&["block", "add", "+4479*"]);
        works(&["block", "203.0.113.0/24", "--end", "2030-01-01T00:00:00Z"]);
        works(&["block", "GB", "--channel", "call", "--service", "default"]);
        let (_, said) = works(&["allow", "+14155550123"]);
        assert!(said.contains("+1********23 is allowed"), "{said}");
        let blocks = listed("block");
        assert_eq!(blocks.len(), 4, "{of}: {blocks:?}");
        let own = blocks.iter().find(|one| one["kind"] == "number").unwrap();
        assert_eq!((&own["number"], &own["reason"]), (&json!("+14155550123"), &json!("pumping")), "{of}");
        assert!(own["ends_at"].is_string() && own["created_by"].is_string(), "{own}");
        let allowed = listed("allow");
        assert!(allowed.len() == 1 && text(&allowed[0]["id"]).starts_with("GN"), "{of}: {allowed:?}");
        let (lines, _) = works(&["block", "list"]);
        assert!(!lines.contains("4155550123") && lines.contains("+1********23"), "{lines}");
        assert!(lines.contains("+4479*") && lines.contains("(operator)"), "{lines}");
        assert_eq!(works(&["block", "list", "--kind", "range"]).0.lines().count(), 1);
        for whom in ["+14155550123", "+4479", "203.0.113.0/24"] {
            let whom = if whom == "+4479" { "+4479*" } else { whom };
            assert!(works(&["block", "remove", whom]).1.contains("is not blocked any more"), "{whom}");
            // Twice is as well as once.
            assert!(works(&["block", "remove", whom]).1.contains("is not on the list"), "{whom}");
        }
        // Of all services and channels there is none.
        assert!(works(&["block", "remove", "GB"]).1.contains("is not on the list"), "{of}");
        let id = text(&listed("block")[0]["id"]);
        works(&["block", "remove", &id]);
        works(&["allow", "remove", "+14155550123"]);
        assert_eq!((listed("block"), listed("allow")), (vec![], vec![]), "{of}");
        for (args, told) in [
            (&["block", "+44*"][..], "range: +44 is a calling code alone"),
            (&["block", "UK"], "did you mean gb?"),
            (&["block", "203.0.113.7/24"], "write 203.0.113.0/24"),
            (&["block", "+14155550123", "--channel", "sms"], "channel"),
            (&["block", "+1415555O123"], "letter"),
            (&["allow", "DE", "--end", "2020-01-01T00:00:00Z"], "is over already"),
            (&["allow", "DE", "--service", "nobody"], "service"),
        ] {
            let (code, _, wrong) = on(args);
            assert!(code == 1 && wrong.to_lowercase().contains(told), "{of} {args:?}: {wrong}");
        }
        let (code, _, wrong) = on(&["block", "DE", "--end", "soon"]);
        assert!(code == 2 && wrong.contains("30m, 12h or 2d"), "{wrong}");
        let (code, ..) = on(&["block"]);
        assert_eq!(code, 2);
    };
    story("beside a server");
    drop(app);
    story("on the store");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_is_tried_on_a_store_that_is_not_there() {
    let app = Setup::sandbox().start().await;
    app.begin("+15551230901", "sms").await;
    let dir = TempDir::new().unwrap();
    let (code, _, wrong) = on(dir.path(), &app.store, &["export", "all.ndjson"]);
    assert_eq!(code, 0, "{wrong}");
    let new = format!("sled:{}", dir.path().join("new").display());
    let (code, said, wrong) = on(dir.path(), &new, &["import", "all.ndjson", "--dry-run"]);
    assert!(code == 0 && said.starts_with("would be: ") && said.contains(" added"), "{said}{wrong}");
    assert!(!dir.path().join("new").exists());
    std::fs::create_dir(dir.path().join("new")).unwrap();
    let (code, said, wrong) = on(dir.path(), &new, &["import", "all.ndjson", "--dry-run"]);
    assert!(code == 0 && said.contains(" added"), "{said}{wrong}");
    assert_eq!(std::fs::read_dir(dir.path().join("new")).unwrap().count(), 0);
    let (code, said, wrong) = on(dir.path(), &new, &["import", "all.ndjson"]);
    assert!(code == 0 && said.contains(" added"), "{said}{wrong}");
    let (_, said, _) = on(dir.path(), &new, &["import", "all.ndjson", "--dry-run"]);
    assert!(said.contains("there already") && !said.contains("added"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_a_key_says_how_to_make_one() {
    let home = TempDir::new().unwrap();
    let hint = "`dialback key create NAME` makes one";
    let app = Setup::live().dir(home.path()).set("API_KEY", "").start().await;
    assert!(app.logged("there is no API key").await.contains(hint));
    let (code, key, wrong) = on(home.path(), &app.store, &["key", "create", "shop"]);
    assert_eq!(code, 0, "{wrong}");
    let answer = app.ask(key.trim(), reqwest::Method::GET, "/v1/verifications", None).await;
    assert_eq!(answer.status, 200);
    drop(app);
    let app = Setup::live().dir(home.path()).set("API_KEY", "").start().await;
    app.ask(key.trim(), reqwest::Method::GET, "/v1/verifications", None).await;
    assert!(!app.log().contains("there is no API key"), "{}", app.log());
    drop(app);
    let app = Setup::live().set("API_KEY", KEY).start().await;
    assert!(!app.log().contains("there is no API key"), "{}", app.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sandbox_says_which_account_it_is() {
    let home = TempDir::new().unwrap();
    let app = Setup::sandbox().dir(home.path()).start().await;
    let ready: Value =
        serde_json::from_slice(&std::fs::read(home.path().join("ready.json")).unwrap()).unwrap();
    assert_eq!(text(&ready["account_sid"]), app.account);
    assert!(app.logged("speaks as twilio").await.contains(&app.account));
    // What is printed comes after the ready file.
    let said =
        crate::instance::poll(|| async { app.printed().contains(&app.sandbox_key).then(|| app.printed()) });
    let said = said.await.expect("the banner");
    for needed in [&app.account, &app.sandbox, &app.server, "local.json"] {
        assert!(said.contains(needed), "{needed}: {said}");
    }
}

#[test]
fn a_slip_in_an_argument_is_told_by_what_would_be_right_and_makes_nothing() {
    let dir = TempDir::new().unwrap();
    for (args, code, told) in [
        (&["event", "list", "--limit", "300"][..], 2, "1..=100"),
        (&["event", "redrive", "../keys"], 2, "letters and digits"),
        (&["endpoint", "remove", ""], 2, "letters and digits"),
        (&["audit", "list", "--since", "yesterday"], 2, "2026-11-20T09:30:00Z"),
        (&["sandbox", "--listen", "8001"], 2, "127.0.0.1:8001"),
        (&["sandbox", "--pace", "-1"], 1, "0 to 100"),
        (&["key", "create", ""], 1, "1 to 64 characters"),
        (&["key", "create", "x", "--service", "shop"], 1, "there is no service \"shop\""),
        (&["number", "--service", "shop", "+14155550123"], 1, "by its key in the configuration: default"),
        (&["opt-out", "list", "--limit", "0"], 2, "1..=10000"),
        (&["opt-out", "list"], 1, "is no store"),
    ] {
        let (ended, said, wrong) = run(binary(dir.path()).args(args));
        assert!(ended == code && said.is_empty() && wrong.contains(told), "{args:?}: {ended} {said}{wrong}");
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}
