//! Each mistake is named with its line and its mend, and all of them at once.

use super::*;
use crate::model::limits::Limits;
use crate::model::price::Prices;

mod complaints;
mod dangers;
mod fraud;
mod gateway;
mod prices;
mod senders;

fn env(pairs: &[(&str, &str)]) -> Env {
    pairs.iter().copied().collect()
}

fn load(text: &str, pairs: &[(&str, &str)]) -> Result<Loaded, Problems> {
    parse(Some(("config.toml", text)), &env(pairs))
}

fn good(text: &str, pairs: &[(&str, &str)]) -> Config {
    load(text, pairs).unwrap_or_else(|problems| panic!("{problems}")).config
}

fn problems(text: &str, pairs: &[(&str, &str)]) -> Vec<String> {
    let problems = load(text, pairs).and_then(Loaded::fit_to_serve).map(|loaded| loaded.config);
    let problems = problems.expect_err("a problem").0;
    problems.iter().map(by_line).collect()
}

/// A problem by its line alone: columns are looked at in `complaints`.
fn by_line(problem: &Problem) -> String {
    let text = problem.to_string();
    match &problem.origin {
        Origin::File { at: Some(at), .. } => text.replacen(&format!(":{}: ", at.column), ": ", 1),
        _ => text,
    }
}

const CODE_KEY: &str = "keys = [{ id = \"a\", secret = \"3b1f0c7ad2e94586f10c27b59d8ea364\" }]";

/// A configuration that is complete without the sandbox.
fn live(more: &str) -> String {
    format!(
        "public_url = \"https://example.com/\"\n[sandbox]\nenabled = false\n[codes]\n{CODE_KEY}\n{more}\n\
         [twilio]\naccount_sid = \"AC00000000000000000000000000000000\"\nauth_token = \"3b1f0c7ad2e94586f10c27b59d8ea364\"\nfrom = \"+15017122661\"\n"
    )
}

#[test]
fn the_embedded_file_is_whole_and_right() {
    let loaded = parse(None, &Env::default()).unwrap();
    assert_eq!(loaded.warnings, []);
    let config = loaded.config;
    assert!(config.sandbox.enabled && config.public_url.is_none() && config.twilio.account_sid.is_none());
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8000");
    assert_eq!(config.store.url, StoreUrl::Sled("data".into()));
    assert_eq!(config.numbers.refuse.len(), 4);
    assert_eq!((&config.limits, &config.prices), (&Limits::default(), &Prices::default()));
    // The file as a file says the same as the embedded one.
    assert_eq!(format!("{config:?}"), format!("{:?}", good(DEFAULT, &[])));
}

#[test]
fn a_whole_number_is_a_number_too() {
    for (text, pairs) in [("[sandbox]\npace = 0", &[][..]), ("", &[("DIALBACK_SANDBOX__PACE", "0")][..])] {
        assert_eq!(good(text, pairs).sandbox.pace, 0.0);
    }
    assert_eq!(good("[sandbox]\npace = 0.25", &[]).sandbox.pace, 0.25);
    for wrong in ["-1", "101", "nan"] {
        let found = problems(&format!("[sandbox]\npace = {wrong}"), &[]);
        assert!(found[0].contains("sandbox.pace") && found[0].contains("from 0 to 100"), "{found:?}");
    }
}

#[test]
fn every_mistake_is_named_with_its_line_and_its_mend_at_once() {
    let text = "public_ur = \"x\"\n\n[server]\nlisten = \"here\"\nmax_headers = \"many\"\n\n[verification]\n\
                code_length = 3\n[signature]\nmode = \"enfroce\"\n[sever]\nx = 1\n[store]\nurl = \"postgres:u:p@h/d\"\n";
    let found = problems(text, &[]);
    let expected = [
        ("config.toml:1: public_ur: ", "did you mean public_url?"),
        ("config.toml:4: server.listen: ", "write an address and a port"),
        (
            "config.toml:5: server.max_headers: expected an integer, found a string",
            "write it like `max_headers = 64`",
        ),
        ("config.toml:8: verification.code_length: 3 is out of range", "from 4 to 10"),
        ("config.toml:10: signature.mode: ", "\"enforce\", \"report-only\""),
        ("config.toml:11: sever: ", "did you mean server?"),
        ("config.toml:14: store.url: is no store that there is", "sled:DIRECTORY"),
    ];
    for (start, mend) in expected {
        assert!(
            found.iter().any(|it| it.starts_with(start) && it.contains(mend)),
            "{start} {mend}: {found:#?}"
        );
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
}

#[test]
fn a_key_in_the_wrong_place_is_sent_to_the_right_one() {
    let mut found = problems("listen_on = 1\nfrom = \"+15017122661\"\nlog = 5", &[]);
    found.sort();
    assert_eq!(
        found,
        [
            "config.toml:1: listen_on: there is no such key; `dialback config default` lists them all",
            "config.toml:2: from: there is no such key; did you mean twilio.from?",
            "config.toml:3: log: is a section, not a key; write [log] on a line of its own",
        ]
    );
}

#[test]
fn broken_toml_is_named_with_its_lines() {
    let found = problems("[server]\nlisten = \n[log\n", &[]);
    assert!(found.iter().any(|it| it.starts_with("config.toml:2: is not TOML")), "{found:#?}");
    assert!(found.iter().any(|it| it.starts_with("config.toml:3: is not TOML")), "{found:#?}");
}

#[test]
fn a_cooldown_is_set_by_whoever_writes_it_though_it_be_as_usual() {
    let usual = good("", &[]);
    assert!(!usual.services.default.sets_cooldown());
    assert_eq!(usual.services.default.resend_cooldown_seconds, [30, 60, 120, 240]);
    for text in [
        "[verification]\nresend_cooldown_seconds = [30, 60, 120, 240]",
        "[services.default]\nresend_cooldown_seconds = [30, 60, 120, 240]",
    ] {
        let config = good(&format!("{text}\n[services.shop]\nname = \"Shop\""), &[]);
        assert!(config.services.default.sets_cooldown() && config.services.others["shop"].sets_cooldown());
        assert_eq!(config.services.default.all(), usual.services.default.all());
    }
    let one = good("[services.shop]\nresend_cooldown_seconds = [30, 60, 120, 240]", &[]);
    assert!(!one.services.default.sets_cooldown() && one.services.others["shop"].sets_cooldown());
    let none = good("[verification]\nresend_cooldown_seconds = []", &[]);
    assert!(!none.services.default.sets_cooldown());
    let found = problems("[verification]\nresend_cooldown_seconds = [\"30\"]", &[]);
    assert!(found.len() == 1 && found[0].contains("resend_cooldown_seconds[0]"), "{found:#?}");
}

#[test]
fn the_environment_comes_last() {
    let config = good(
        "[server]\nlisten = \"127.0.0.1:1\"\n[log]\nlevel = \"warn\"\n",
        &[
            ("DIALBACK_SERVER__LISTEN", "127.0.0.1:2"),
            ("DIALBACK_PUBLIC_URL", "http://127.0.0.1:2"),
            ("DIALBACK_SANDBOX__SEED", "7"),
            ("DIALBACK_SIGNATURE__TRUSTED_PROXIES", "10.0.0.0/8, ::1"),
            ("DIALBACK_SIGNATURE__SHARED_KEYS", "{ webhooks_sharedkey_1 = \"s\" }"),
            ("DIALBACK_TWILIO__AUTH_TOKENS", "12345,67890"),
            ("DIALBACK_VERIFICATION__RESEND_COOLDOWN_SECONDS", "[1, 2]"),
            ("DIALBACK_API_KEY", "not of this"),
        ],
    );
    assert_eq!(config.server.listen.port(), 2);
    assert_eq!(config.public_url.as_deref(), Some("http://127.0.0.1:2"));
    assert_eq!((config.sandbox.seed, config.log.level.as_str()), (7, "warn"));
    assert_eq!(config.signature.trusted_proxies.len(), 2);
    assert_eq!(config.signature.shared_keys["webhooks_sharedkey_1"].expose(), "s");
    assert_eq!(config.twilio.auth_tokens[1].token.expose(), "67890");
    assert_eq!(config.verification.resend_cooldown.len(), 2);
    let listed = good("", &[("DIALBACK_VERIFICATION__RESEND_COOLDOWN_SECONDS", "1, 2")]);
    assert_eq!(listed.verification.resend_cooldown, config.verification.resend_cooldown);
    let found = problems("", &[("DIALBACK_VERIFICATION__RESEND_COOLDOWN_SECONDS", "1, x")]);
    assert!(found.len() == 1 && found[0].contains("no whole number"), "{found:#?}");

    let found = problems("", &[("DIALBACK_SERVER__LISEN", "x"), ("DIALBACK_SANDBOX__ENABLED", "maybe")]);
    assert!(
        found
            .iter()
            .any(|it| it.contains("DIALBACK_SERVER__LISEN") && it.contains("DIALBACK_SERVER__LISTEN?")),
        "{found:#?}"
    );
    assert!(
        found.iter().any(|it| it.contains("DIALBACK_SANDBOX__ENABLED: sandbox.enabled: is not a boolean")),
        "{found:#?}"
    );
}

#[test]
fn a_word_that_is_no_level_is_not_taken_for_a_module() {
    for level in ["loud", "INFOS", "info,loud", "a=b=c", ""] {
        let found = problems(&format!("[log]\nlevel = \"x{level}\""), &[]);
        assert!(found[0].starts_with("config.toml:2: log.level: is no level"), "{found:#?}");
    }
    for level in ["off", "WARN", "info,dialback::store=debug", "dialback=trace, error"] {
        good(&format!("[log]\nlevel = \"{level}\""), &[]);
    }
}

#[test]
fn variables_in_the_file_are_replaced_or_missed_by_name() {
    let text = "[twilio]\nauth_token = \"${TOKEN}\"\n[log]\nlevel = \"${LEVEL:-debug}\"\n";
    let config = good(text, &[("TOKEN", "12345")]);
    assert_eq!(config.twilio.auth_token.unwrap().expose(), "12345");
    assert_eq!(config.log.level, "debug");
    let found = problems(text, &[]);
    assert!(
        found[0].starts_with("config.toml:2: twilio.auth_token: the environment variable TOKEN is not set"),
        "{found:#?}"
    );
}

#[test]
fn secrets_come_from_files_too() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("token");
    std::fs::write(&path, "12345\n").unwrap();
    let path = path.display();
    let twilio = good(&format!("[twilio]\nauth_token_file = \"{path}\"\nauth_tokens = [{{ account_sid = \"AC11111111111111111111111111111111\", token_file = \"{path}\" }}]"), &[
        ("TWILIO_AUTH_TOKEN", "99999"),
    ])
    .twilio;
    assert_eq!(twilio.auth_token.unwrap().expose(), "12345", "a file goes before twilio's variable");
    assert_eq!(twilio.auth_tokens[0].token.expose(), "12345");
    assert_eq!(twilio.auth_tokens[0].account_sid.as_deref(), Some("AC11111111111111111111111111111111"));

    // A byte-order mark in front is an editor's; elsewhere it is a slip.
    let file = dir.path().join("token");
    std::fs::write(&file, "\u{feff}12345\r\n").unwrap();
    let marked = good(&format!("[twilio]\nauth_token_file = \"{path}\""), &[]).twilio;
    assert_eq!(marked.auth_token.unwrap().expose(), "12345");
    for unseen in ["123\u{feff}45", "12345\u{200b}", "\u{200e}12345", "12\u{ad}345"] {
        std::fs::write(&file, unseen).unwrap();
        let found = problems(&format!("[twilio]\nauth_token_file = \"{path}\""), &[]);
        assert!(found[0].contains("invisible characters"), "{found:#?}");
        assert!(!found.iter().any(|it| it.contains("345")), "{found:#?}");
    }
    std::fs::write(&file, "12345\n").unwrap();

    let both = problems(&format!("[twilio]\nauth_token = \"1\"\nauth_token_file = \"{path}\""), &[]);
    assert!(
        both[0].starts_with("config.toml:3: twilio.auth_token_file: is set beside twilio.auth_token"),
        "{both:#?}"
    );
    let none = problems("[sandbox]\nenabled = false\n[twilio]\nauth_token_file = \"/nowhere/at/all\"", &[]);
    assert!(
        none.iter().any(|it| it.starts_with("config.toml:4: twilio.auth_token_file: cannot read /nowhere")),
        "{none:#?}"
    );
    assert!(!none.iter().any(|it| it.contains("twilio.auth_token: is missing")), "{none:#?}");
}

#[test]
fn twilio_s_own_variables_fill_what_is_empty() {
    let pairs = [
        ("TWILIO_ACCOUNT_SID", "AC11111111111111111111111111111111"),
        ("TWILIO_AUTH_TOKEN", "from-env"),
        ("TWILIO_PHONE_NUMBER", "+15005550006"),
        ("TWILIO_API_KEY", "SK11111111111111111111111111111111"),
        ("TWILIO_API_SECRET", "api-secret"),
    ];
    let twilio = good("", &pairs).twilio;
    assert_eq!(twilio.auth_token.unwrap().expose(), "from-env");
    assert_eq!(twilio.from.as_deref(), Some("+15005550006"));
    assert_eq!(twilio.api_key_secret.unwrap().expose(), "api-secret");
    assert_eq!(good("[twilio]\nauth_token = \"own\"", &pairs).twilio.auth_token.unwrap().expose(), "own");
}

#[test]
fn without_the_sandbox_all_that_is_needed_is_asked_for() {
    let found = problems("[twilio]\nfrom = \"\"\n[sandbox]\nenabled = false\n", &[]);
    for start in [
        "config.toml:1: twilio.account_sid: is missing",
        "config.toml:1: twilio.auth_token: is missing",
        "config.toml:2: twilio.from: is missing",
        "config.toml:4: public_url: is missing",
        "config.toml:4: codes.keys: is missing",
    ] {
        assert!(found.iter().any(|it| it.starts_with(start)), "{start}: {found:#?}");
    }
    let stand_in = live("").replace(CODE_KEY, "");
    assert!(good(&stand_in, &[("DIALBACK_TWILIO__BASE_URL", "http://127.0.0.1:9")]).codes.keys.is_empty());
    assert_eq!(problems(&stand_in, &[]).len(), 1);
    let config = good(&live(""), &[]);
    assert_eq!(config.public_url.as_deref(), Some("https://example.com"));
}

#[test]
fn impossible_pairs_are_refused_and_can_be_asked_for_twice() {
    let public = "[server]\nlisten = \"0.0.0.0:8000\"\n";
    let cases = [
        (
            live(&format!("{public}[signature]\nmode = \"report-only\"\n")),
            "config.toml:9: signature.mode: ",
            ("DIALBACK_SIGNATURE__ALLOW_REPORT_ONLY_ON_PUBLIC", "true"),
        ),
        (
            live(&format!("{public}[gateway]\nkind = \"console\"\n")),
            "config.toml:9: gateway.kind: ",
            ("DIALBACK_GATEWAY__ALLOW_CONSOLE_ON_PUBLIC", "true"),
        ),
        (
            live("[signature]\nmode = \"report-only\"\n"),
            "config.toml:7: signature.mode: ",
            ("DIALBACK_SIGNATURE__ALLOW_REPORT_ONLY_ON_PUBLIC", "true"),
        ),
        (
            live("[gateway]\nkind = \"console\"\n"),
            "config.toml:7: gateway.kind: ",
            ("DIALBACK_PUBLIC_URL", "http://127.0.0.1:8000"),
        ),
        (
            "public_url = \"https://verify.example.com\"\n".into(),
            "config.toml:1: sandbox.enabled: sends nothing",
            ("DIALBACK_SANDBOX__ALLOW_PUBLIC", "true"),
        ),
        (
            "[server]\nlisten = \"[::]:8000\"\n".into(),
            "config.toml:2: sandbox.enabled: sends nothing",
            ("DIALBACK_SERVER__LISTEN", "[::1]:8000"),
        ),
        (
            "[signature]\ntrusted_proxies = [\"127.0.0.0/8\"]\n".into(),
            "config.toml:2: sandbox.enabled: sends nothing",
            ("DIALBACK_SANDBOX__ALLOW_PUBLIC", "true"),
        ),
        (
            live("[signature]\nshared_keys = { k = \"short\" }\n"),
            "config.toml:7: signature.shared_keys.k: is shorter than 20",
            ("DIALBACK_PUBLIC_URL", "http://localhost:8000"),
        ),
        (
            live("").replace("3b1f0c7ad2e94586f10c27b59d8ea364\"\nfrom", "a\"\nfrom"),
            "config.toml:9: twilio.auth_token: is no auth token of twilio's: it has 1 characters",
            ("DIALBACK_TWILIO__AUTH_TOKEN", "3b1f0c7ad2e94586f10c27b59d8ea364"),
        ),
        (
            "[sandbox]\nlisten = \"0.0.0.0:1\"\n".into(),
            "config.toml:2: sandbox.listen: ",
            ("DIALBACK_SANDBOX__ALLOW_PUBLIC", "true"),
        ),
        (
            "[gateway]\nkind = \"console\"\n".into(),
            "config.toml:2: gateway.kind: leaves",
            ("DIALBACK_GATEWAY__KIND", "twilio"),
        ),
        (
            "[twilio]\nbase_url = \"https://api.twilio.com\"\n".into(),
            "config.toml:2: twilio.base_url: leads out",
            ("DIALBACK_TWILIO__BASE_URL", "http://127.0.0.1:9"),
        ),
        (
            "[sandbox]\nlisten = \"127.0.0.1:8000\"\n".into(),
            "config.toml:2: sandbox.listen: is server.listen too",
            ("DIALBACK_SERVER__LISTEN", "127.0.0.1:0"),
        ),
        (
            "public_url = \"http://localhost/?a=b\"\n".into(),
            "config.toml:1: public_url: has a query",
            ("DIALBACK_PUBLIC_URL", "http://localhost/a/"),
        ),
        (
            "public_url = \"example.com\"\n".into(),
            "config.toml:1: public_url: is no http",
            ("DIALBACK_PUBLIC_URL", "https://[::1]:8443"),
        ),
        (
            "[twilio]\naccount_sid = \"SK123\"\n".into(),
            "config.toml:2: twilio.account_sid: does not begin with AC",
            ("DIALBACK_TWILIO__ACCOUNT_SID", "AC00000000000000000000000000000000"),
        ),
        (
            "[twilio]\napi_key_sid = \"SK11111111111111111111111111111111\"\n".into(),
            "config.toml:2: twilio.api_key_sid: and its secret",
            ("DIALBACK_TWILIO__API_KEY_SECRET", "s"),
        ),
        (
            "[codes]\nkeys = [{ id = \"a\", secret = \"short\" }]\n".into(),
            "config.toml:2: codes.keys[0].secret: \"a\" has fewer",
            ("DIALBACK_CODES__KEYS", "[]"),
        ),
        (
            "[verification]\nresend_cooldown_seconds = [600]\n".into(),
            "config.toml:2: verification.resend_cooldown_seconds: ",
            ("DIALBACK_VERIFICATION__LIFETIME_SECONDS", "601"),
        ),
        (
            "[log]\nlevel = \"a=b=c\"\n".into(),
            "config.toml:2: log.level: is no level",
            ("DIALBACK_LOG__LEVEL", "info,dialback::store=debug"),
        ),
    ];
    for (text, start, mended) in cases {
        let found = problems(&text, &[]);
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].starts_with(start), "{start}: {found:#?}");
        load(&text, &[mended]).and_then(Loaded::fit_to_serve).unwrap_or_else(|problems| panic!("{problems}"));
    }
}

#[test]
fn neither_show_nor_a_problem_has_a_secret() {
    let text = "[twilio]\nauth_token = \"S3CRET1\"\nauth_tokens = [\"S3CRET2\", { account_sid = \"AC55555555555555555555555555555555\", token = \"S3CRET3\" }]\n\
                api_key_sid = \"SK55555555555555555555555555555555\"\napi_key_secret = \"S3CRET4\"\nbase_url = \"http://localhost:1\"\n\
                [signature]\nshared_keys = { k = \"S3CRET5\" }\n[codes]\nkeys = [{ id = \"kid\", secret = \"S3CRET6S3CRET6S3CRET6S3CRET6S3CRET6\" }]\n";
    let loaded = load(text, &[("DIALBACK_LOG__LEVEL", "debug")]).unwrap();
    let shown = loaded.show();
    assert!(!shown.contains("S3CRET"), "{shown}");
    assert!(!format!("{loaded:?}").contains("S3CRET"), "debug output shows secrets");
    for line in [
        "auth_token = \"***\"  # config.toml:2:1",
        "level = \"debug\"  # environment variable DIALBACK_LOG__LEVEL",
        "[codes]",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    assert!(shown.contains("kid") && shown.contains("AC5555"), "{shown}");
    assert!(shown.parse::<toml::Table>().is_ok(), "it is not toml: {shown}");

    let broken = text.replace("\"S3CRET1\"", "\"S3CRET1 \"").replace("6S3CRET6S", "6");
    let broken = problems(
        &broken.replace("{ k = ", "{ k = [], l = "),
        &[("DIALBACK_TWILIO__BASE_URL", "http://u:S3CRET7@h/")],
    )
    .join("\n");
    assert!(broken.lines().count() >= 3 && !broken.contains("S3CRET"), "{broken}");
}
