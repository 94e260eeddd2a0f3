//! `dialback policy`: the table of what is done about failures, and one of them in words.

use crate::instance::{Setup, binary, text};
use serde_json::Value;
use std::path::Path;
use tempfile::TempDir;

const SHOP: &str = "[services.shop]\nname = \"Shop\"\n\
                    remedies = { \"30003\" = \"stop\", \"21610\" = \"next-channel\", \"39999\" = \"again\" }\n";

fn run(dir: &Path, args: &[&str]) -> (i32, String, String) {
    let output = binary(dir).arg("policy").args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn said(dir: &Path, args: &[&str]) -> String {
    let (code, out, wrong) = run(dir, args);
    assert_eq!((code, wrong.as_str()), (0, ""), "{args:?}: {out}");
    out
}

fn shop() -> TempDir {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("config.toml"), SHOP).unwrap();
    dir
}

#[test]
fn the_table_is_shown_with_what_a_service_does_otherwise() {
    let dir = shop();
    let usual = said(dir.path(), &["show"]);
    for remedy in [
        "again: ",
        "next-sender: ",
        "next-sender-and-alert: ",
        "next-channel: ",
        "next-channel-and-alert: ",
        "opt-out: ",
    ] {
        assert!(usual.lines().any(|line| line.starts_with(remedy)), "{remedy}: {usual}");
    }
    assert!(
        usual.contains("  30007  Message filtered\n") && !usual.contains("the service says so"),
        "{usual}"
    );
    let own = said(dir.path(), &["show", "--service", "shop"]);
    let line = "  30003  Unreachable destination handset (the service says so; else next-channel)\n";
    assert!(own.contains(line), "{own}");
    let table: Value =
        serde_json::from_str(&said(dir.path(), &["show", "--service", "Shop", "--json"])).unwrap();
    let codes = table["codes"].as_array().unwrap();
    let of = |code: u64| codes.iter().find(|row| row["code"] == code).unwrap();
    assert_eq!(codes.len(), 227, "all that are known, and the service's own");
    assert_eq!((&of(30003)["remedy"], &of(30003)["of_table"]), (&"stop".into(), &"next-channel".into()));
    assert_eq!((&of(30003)["overridden"], &of(30007)["overridden"]), (&true.into(), &false.into()));
    assert_eq!((&of(21610)["remedy"], &of(21610)["overridden"]), (&"opt-out".into(), &false.into()));
    assert_eq!((&of(39999)["remedy"], &of(39999)["known"]), (&"again".into(), &false.into()));
}

#[test]
fn a_code_or_a_status_is_explained() {
    let dir = shop();
    for (args, parts) in [
        (
            &["explain", "30007"][..],
            &["30007: Message filtered", "next channel, and the operator is told, because", "/errors/30007"]
                [..],
        ),
        (&["explain", "20429"], &["sent again by the same way", "doubles from 2 to 30 s (full jitter)"]),
        (&["explain", "30999"], &["does not know the code; judged by its range 30000–30999"]),
        (&["explain", "99999"], &["does not know the code, nor others of its range"]),
        (&["explain", "503"], &["It is an HTTP status", "500–599"]),
        (&["explain", "undelivered"], &["undelivered, without a code", "by the next channel"]),
        (&["explain", "NO_ANSWER"], &["no-answer, without a code"]),
        (
            &["explain", "30003", "--service", "shop"],
            &[
                "It is not sent again, and the person is told why.",
                "The service Shop says so",
                "without that",
            ],
        ),
        (&["explain", "39999", "--service", "shop"], &["The service Shop says so", "full jitter"]),
        (&["explain", "21610", "--service", "shop"], &["counts as opted out", "is not heeded"]),
    ] {
        let text = said(dir.path(), args);
        assert!(parts.iter().all(|part| text.contains(part)), "{args:?}: {text}");
    }
    assert!(!said(dir.path(), &["explain", "503"]).contains("https://"), "Twilio has no page about it");
}

#[test]
fn what_cannot_be_asked_or_set_is_refused_with_its_mend() {
    let dir = shop();
    for (args, mend) in [
        (&["explain", "melted"][..], "write a number above 0, such as 30007 or 429, or one of not-connected"),
        (&["explain", "0"], "write a number above 0"),
        (&["show", "--service", "nobody"], "there is no service \"nobody\""),
        (&["explain", "30007", "--service", "nobody"], "by its key in the configuration: default, shop"),
    ] {
        let (code, out, wrong) = run(dir.path(), args);
        assert!(code == 1 && out.is_empty() && wrong.contains(mend), "{args:?}: {out}{wrong}");
    }
    for (remedies, place) in [
        ("{ \"30003\" = \"hope\" }", "services.shop.remedies.30003: \"hope\" does not fit here"),
        ("{ \"30x\" = \"stop\" }", "services.shop.remedies.30x: "),
        ("{ \"300030\" = \"stop\" }", "services.shop.remedies.300030: "),
        ("{ \"0\" = \"stop\" }", "services.shop.remedies.0: "),
        ("[\"30003\"]", "services.shop.remedies: "),
    ] {
        std::fs::write(dir.path().join("config.toml"), format!("[services.shop]\nremedies = {remedies}\n"))
            .unwrap();
        let (code, _, wrong) = run(dir.path(), &["show"]);
        assert!(code == 1 && wrong.contains(place), "{remedies}: {wrong}");
    }
}

#[tokio::test]
async fn for_how_long_a_server_waits_for_news_it_alone_knows() {
    let dir = TempDir::new().unwrap();
    let app = Setup::sandbox()
        .dir(dir.path())
        .set("SERVICES", "{ default = { failover = \"on-silence\", channels = [\"sms\"] } }")
        .start()
        .await;
    let ask = |args: &'static [&str]| {
        let (store, dir) = (app.store.clone(), dir.path().to_owned());
        move || binary(&dir).env("DIALBACK_STORE__URL", &store).arg("policy").args(args).output().unwrap()
    };
    let (plain, json) = (ask(&["silence"]), ask(&["silence", "--json"]));
    let nothing = String::from_utf8(plain().stdout).unwrap();
    assert_eq!(nothing, "everywhere       45 s   never below 20 s or above 120 s\n");
    for number in ["+14155550181", "+14155550182"] {
        let id = text(&app.begin(number, "sms").await["id"]);
        app.verification(&id, |one| one["deliveries"][0]["status"] == "delivered").await;
    }
    let told: Value = serde_json::from_slice(&json().stdout).unwrap();
    let line = &told["learned"][0];
    assert_eq!((&line["country"], &line["channel"]), (&serde_json::json!("US"), &serde_json::json!("sms")));
    assert_eq!((line["silence_seconds"].as_f64(), line["arrived_seconds"].is_null()), (Some(45.0), true));
    let lines = String::from_utf8(plain().stdout).unwrap();
    assert!(lines.starts_with("US  sms") && lines.contains("too few to go by"), "{lines}");
    let url = format!("{}/operator/silence", app.admin);
    assert_eq!(app.http.get(&url).send().await.unwrap().status(), 401);
    app.stop().await;
    let gone = plain();
    let wrong = String::from_utf8(gone.stderr).unwrap();
    assert!(gone.status.code() == Some(1) && wrong.contains("no server is running"), "{wrong}");
}
