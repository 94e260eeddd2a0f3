//! What is dangerous, and what is a warning.

use super::*;

#[test]
fn what_makes_proofs_worthless_needs_a_reason() {
    let cases = [
        (
            "[verification]\ncode_length = 4\nmax_checks = 20\n",
            "verification.code_length: 20 checks of a code of 4 characters let one guesser in 500 in",
            "DIALBACK_VERIFICATION__ALLOW_GUESSABLE_CODES",
        ),
        (
            "services = { shop = { code_alphabet = \"01234567\", code_length = 4 } }\n",
            "services.shop.code_length: 5 checks",
            "DIALBACK_VERIFICATION__ALLOW_GUESSABLE_CODES",
        ),
        (
            "[verification]\nlifetime_seconds = 86400\n",
            "verification.lifetime_seconds: a code that lives longer than an hour",
            "DIALBACK_VERIFICATION__ALLOW_LONG_LIFE",
        ),
        (
            "[server]\nadmin_listen = \"0.0.0.0:0\"\n",
            "server.admin_listen: opens the operator's routes",
            "DIALBACK_SERVER__ALLOW_ADMIN_ON_PUBLIC",
        ),
        (
            "[sandbox]\nlisten = \"0.0.0.0:1\"\n",
            "sandbox.listen: shows codes",
            "DIALBACK_SANDBOX__ALLOW_PUBLIC",
        ),
        (
            "[store]\nurl = \"postgres://u:p@db.example.com/d?sslmode=disable\"\n",
            "store.url: sends numbers, codes' keys and its password to db.example.com in clear",
            "DIALBACK_STORE__ALLOW_UNENCRYPTED",
        ),
        (
            "public_url = \"https://verify.example.com\"\n",
            "sandbox.enabled: sends nothing",
            "DIALBACK_SANDBOX__ALLOW_PUBLIC",
        ),
    ];
    let limits = live("[api]\nrequests_per_minute = 0\n");
    let wide_open = live("[signature]\ntrusted_proxies = [\"0.0.0.0/1\", \"128.0.0.0/1\"]\n");
    let numbers = |number| {
        let test = format!("test_numbers = [{number}]\n");
        live("").replace("[sandbox]", &format!("{test}[sandbox]"))
    };
    let wide = numbers("{ number = \"+14155*\", code = \"492817\", until = \"2026-12-31\" }");
    let weak = numbers("{ number = \"+15551230000\", code = \"0000\", until = \"2026-12-31\" }");
    let endless = numbers("{ number = \"+15551230000\", code = \"492817\", until = \"2099-12-31\" }");
    let allowed = "DIALBACK_ALLOW_TEST_NUMBERS";
    let live = [
        (limits.as_str(), "api.requests_per_minute: lets a key try", "DIALBACK_API__ALLOW_UNLIMITED"),
        (
            &wide_open,
            "signature.trusted_proxies: trusts so much of the internet",
            "DIALBACK_SIGNATURE__ALLOW_TRUSTED_PROXIES",
        ),
        (&wide, "test_numbers[0]: stands for more", allowed),
        (&weak, "test_numbers[0]: has a code that everybody", allowed),
        (&endless, "test_numbers[0]: ends later", allowed),
    ];
    for (text, what, allow) in cases.into_iter().chain(live) {
        let found = problems(text, &[]);
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].contains(what) && found[0].contains("allow_"), "{what}: {found:#?}");
        let with = |reason| load(text, &[(allow, reason)]).and_then(Loaded::fit_to_serve);
        assert!(with("").is_err() && with("false").is_err(), "{what}");
        for none in
            ["x", "because", "..........", "xxxxxxxxxxxx", "1234567890", "\u{3164}\u{3164}\u{2800}\u{200b}"]
        {
            assert!(with(none).is_err(), "{what}: {none:?}");
        }
        with("旧应用无法显示六位数").unwrap_or_else(|problems| panic!("{problems}"));
        let said = |loaded: Loaded| loaded.warnings.iter().map(ToString::to_string).collect::<Vec<_>>();
        let warned =
            said(with("the old app cannot show six").unwrap_or_else(|problems| panic!("{problems}")));
        let told = |line: &String| line.contains(what) && line.contains("the old app cannot show six");
        assert!(warned.iter().any(told), "{what}: {warned:#?}");
        let warned = said(with("true").unwrap_or_else(|problems| panic!("{problems}")));
        assert!(warned.iter().any(|line| line.contains("write why, as text")), "{what}: {warned:#?}");
    }
    // As in files of before: true without quotation marks.
    let old = "public_url = \"https://verify.example.com\"\n[sandbox]\nallow_public = true\n";
    load(old, &[]).and_then(Loaded::fit_to_serve).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(load(&old.replace("= true", "= false"), &[]).and_then(Loaded::fit_to_serve).is_err());
    // What Twilio Verify allows, and the defaults, need none.
    for text in ["", "[verification]\ncode_length = 4\n", "[verification]\nmax_checks = 20\n"] {
        load(text, &[]).and_then(Loaded::fit_to_serve).unwrap_or_else(|problems| panic!("{problems}"));
    }
}

#[test]
fn a_weak_shared_key_is_refused_where_others_can_reach_the_server() {
    for key in ["a", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"] {
        let found = problems(&live(""), &[("DIALBACK_API_KEY", key)]);
        assert!(found.len() == 1 && found[0].contains("DIALBACK_API_KEY"), "{found:#?}");
        assert!(!found[0].contains(key) || key == "a", "{found:#?}");
        load("", &[("DIALBACK_API_KEY", key)]).and_then(Loaded::fit_to_serve).unwrap();
    }
}

#[test]
fn every_secret_is_judged_by_the_same_rule() {
    let token = "3b1f0c7ad2e94586f10c27b59d8ea364";
    for weak in ["0".repeat(32), "0123".repeat(8), "deadbeef".repeat(4), "abcd0123".repeat(4)] {
        for (text, key) in [
            (
                live("").replace(&format!("auth_token = \"{token}\""), &format!("auth_token = \"{weak}\"")),
                "twilio.auth_token",
            ),
            (
                live("").replace(&format!("secret = \"{token}\""), &format!("secret = \"{weak}\"")),
                "codes.keys[0].secret",
            ),
            (live(&format!("[signature]\nshared_keys = {{ k = \"{weak}\" }}\n")), "signature.shared_keys.k"),
            (format!("{}auth_tokens = [\"{weak}\"]\n", live("")), "twilio.auth_tokens[0]"),
        ] {
            let found = problems(&text, &[]);
            assert!(found.len() == 1 && found[0].contains(&format!(" {key}: ")), "{key}: {found:#?}");
            assert!(!found[0].contains(&weak), "{found:#?}");
        }
    }
}

#[test]
fn a_database_in_clear_is_ones_own() {
    let found = |url: &str| {
        all_of(&format!("[store]\nurl = \"{url}\"\n"), &[]).iter().any(|line| line.contains("in clear"))
    };
    for far in [
        "postgres://u:p@db.example.com/d?sslmode=disable",
        "postgres://u@10.0.0.1,8.8.8.8:5432/d?sslmode=disable",
        "postgres://u@[2606:4700::1]:5432/d?sslmode=disable",
        "postgres://u@localhost/d?hostaddr=8.8.8.8&sslmode=disable",
        "postgres:///d?host=db.example.com&user=u&sslmode=disable",
        "postgresql://u@db.example.com?sslmode=verify-full&sslmode=disable",
        "postgres://u:p/x@8.8.8.8/d?sslmode=disable",
        "postgres://u:p?x@8.8.8.8/d?sslmode=disable",
        "postgres://u:p@%38.8.8.8:5432/d?sslmode=disable",
        "postgres://u:p@db%2eexample%2ecom/d?sslmode=disable",
        "postgres://u:p@db.example.com/d?sslmode=%64isable",
        "postgres://u:p@db.example.com/d?%73slmode=disable",
        "postgres://u:p@134744072/d?sslmode=disable",
        "postgres://u:p@0x08080808/d?sslmode=disable",
    ] {
        assert!(found(far), "{far}");
    }
    for near in [
        "postgres://u@db.example.com/d",
        "postgres://u@db.example.com/d?sslmode=verify-full",
        "postgres://u@db/d?sslmode=disable",
        "postgres://u@127.0.0.1:5432/d?sslmode=disable",
        "postgres://u@[::1]:5432/d?sslmode=disable",
        "postgres://u@192.168.7.1/d?sslmode=disable",
        "postgres://u@%2Frun%2Fpostgresql/d?sslmode=disable",
        "postgres:///d?host=/run/postgresql&user=u&sslmode=disable",
    ] {
        assert!(!found(near), "{near}");
    }
}

fn all_of(text: &str, pairs: &[(&str, &str)]) -> Vec<String> {
    match load(text, pairs).and_then(Loaded::fit_to_serve) {
        Ok(_) => Vec::new(),
        Err(Problems(found)) => found.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn where_twilio_cannot_reach_us_is_a_warning() {
    let warned = |url: &str| {
        let text = live("").replace("https://example.com/", url);
        let warnings = load(&text, &[]).unwrap_or_else(|problems| panic!("{problems}")).warnings;
        warnings.iter().any(|line| line.key == "public_url" && line.what.contains("twilio cannot reach it"))
    };
    for own in [
        "https://10.1.2.3",
        "http://localhost:8000",
        "https://nas.local",
        "https://169.254.1.1",
        "https://[fd00::1]",
        "https://otp",
    ] {
        assert!(warned(own), "{own}");
    }
    assert!(!warned("https://verify.example.com"));
}

#[test]
fn words_for_when_we_are_away_on_our_own_host_are_a_warning() {
    let warned = |url: &str| {
        let text =
            format!("public_url = \"https://verify.example.com\"\n[twilio]\nvoice_fallback_url = {url:?}\n");
        let warnings = load(&text, &[]).unwrap_or_else(|problems| panic!("{problems}")).warnings;
        warnings.iter().any(|line| line.key == "twilio.voice_fallback_url" && line.what.contains("away when"))
    };
    assert!(warned("https://verify.example.com/twiml"));
    assert!(!warned("https://handler.twilio.com/twiml/EH00") && !warned(""));
}

#[test]
fn calls_that_voicemail_hears_are_a_warning() {
    let warned = |text: &str| {
        let warnings = load(text, &[]).unwrap_or_else(|problems| panic!("{problems}")).warnings;
        warnings
            .iter()
            .filter(|line| line.what.contains("voicemail"))
            .map(|line| line.key.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(warned("[voice]\ngate = \"none\"\n"), ["voice.gate"]);
    assert_eq!(warned("[services.shop]\ngate = \"none\"\n"), ["services.shop.gate"]);
    assert!(warned("").is_empty());
}
