//! `[gateway.http]`: where it may stand, and what cannot work with it.

use super::*;
use crate::model::channel::Channel;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A configuration that sends by a service of one's own, and nothing by Twilio.
fn relayed(more: &str) -> String {
    format!(
        "public_url = \"https://otp.example.com\"\n[sandbox]\nenabled = false\n[codes]\n{CODE_KEY}\n\
         [gateway]\nkind = \"http\"\n[gateway.http]\nurl = \"https://sms.example.com/messages\"\n\
         secret = \"{SECRET}\"\n{more}\n"
    )
}

#[test]
fn a_service_of_ones_own_is_complete_without_an_account_at_twilio() {
    let config = good(&relayed("secrets = [\"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX\"]"), &[]);
    let http = &config.gateway.http;
    assert_eq!(http.url.as_deref(), Some("https://sms.example.com/messages"));
    assert_eq!((http.secrets.len(), http.secrets[0].expose()), (2, SECRET));
    assert_eq!(config.services.default.channels, [Channel::Sms], "what it carries is what there is");
    assert!(config.twilio.account_sid.is_none());
}

#[test]
fn its_keys_have_variables_and_are_shown_without_secrets() {
    let text = relayed("").replace("kind = \"http\"\n", "");
    let pairs = [
        ("DIALBACK_GATEWAY__KIND", "http"),
        ("DIALBACK_GATEWAY__HTTP__CHANNELS", "whatsapp,sms"),
        ("DIALBACK_GATEWAY__HTTP__REQUEST_TIMEOUT_SECONDS", "7"),
    ];
    let loaded = load(&text, &pairs).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(loaded.config.services.default.channels, [Channel::Whatsapp, Channel::Sms]);
    assert_eq!(loaded.config.gateway.http.request_timeout.as_secs(), 7);
    let shown = loaded.show();
    assert!(!shown.contains(&SECRET[6..]) && shown.contains("http.secret = \"***\""), "{shown}");
    // What is shown is the file again.
    let again = shown.replace("\"***\"", &format!("\"{SECRET}\""));
    let again: toml::Table = toml::from_str(&again).unwrap();
    assert_eq!(again["gateway"]["http"]["request_timeout_seconds"].as_integer(), Some(7));
    // A table on one line is the same part.
    let text = relayed("").replace("[gateway.http]\nurl = \"https://sms.example.com/messages\"\n", "");
    let text = text.replace(&format!("secret = \"{SECRET}\"\n"), "");
    let line = format!("http = {{ url = \"https://sms.example.com/\", secret = \"{SECRET}\" }}\n");
    assert!(good(&format!("{text}{line}"), &[]).gateway.http.url.is_some());
}

#[test]
fn what_cannot_work_is_refused_where_it_stands() {
    let cases = [
        (relayed("").replace(&format!("secret = \"{SECRET}\""), ""), "gateway.http.secret: is missing"),
        (
            relayed("").replace("url = \"https://sms.example.com/messages\"", ""),
            "gateway.http.url: is missing",
        ),
        (
            relayed("").replace("public_url = \"https://otp.example.com\"\n", ""),
            "public_url: is missing, and needed without the sandbox; set it to where the gateway",
        ),
        (relayed("").replace("https://sms", "ftp://sms"), "gateway.http.url: is no http or https address"),
        (relayed("").replace("https://sms", "https://u:p@sms"), "gateway.http.url: has a user or password"),
        (
            relayed("").replace(SECRET, "whsec_c2hvcnQ="),
            "gateway.http.secret: is too short: a key of 5 bytes",
        ),
        (relayed("").replace(SECRET, "whsec_no,base64"), "gateway.http.secret: is no base64 behind whsec_"),
        (relayed("secrets = [\"c2hvcnQ=\"]"), "gateway.http.secrets[0]: is too short"),
        (relayed("secrets = [5]"), "gateway.http.secrets[0]: is no text"),
        (relayed("channels = []"), "gateway.http.channels: is empty"),
        (relayed("channels = [\"call\"]"), "gateway.http.channels[0]: \"call\" is none of its words"),
        (
            relayed("chanels = []"),
            "gateway.http.chanels: there is no such key; did you mean gateway.http.channels",
        ),
        (
            relayed("[services.shop]\nchannels = [\"sms\", \"call\"]"),
            "services.shop.channels: cannot all be had; it has no call, which the gateway does not carry",
        ),
        (relayed("").replace("enabled = false", "enabled = true"), "gateway.kind: leaves the sandbox"),
        (relayed("[gateway.http.more]\nx = 1"), "gateway.http.more: there is no such key"),
    ];
    for (text, what) in cases {
        let found = problems(&text, &[]);
        assert!(found.iter().any(|problem| problem.contains(what)), "{what}: {found:#?}");
        assert!(!found.iter().any(|problem| problem.contains("c2hvcnQ")), "{found:?}");
    }
    let found = problems("[gateway]\nhttp = 5\n", &[]);
    assert!(found[0].contains("gateway.http: is a section, not a key; write [gateway.http]"), "{found:?}");
}

#[test]
fn where_others_reach_the_server_its_address_is_judged_as_endpoints_are() {
    for (url, what) in [
        ("http://sms.example.com/messages", "in clear"),
        ("https://127.0.0.1:9000/messages", "private network"),
        ("https://sms.internal/messages", "private network"),
    ] {
        let text = relayed("").replace("https://sms.example.com/messages", url);
        let found = problems(&text, &[]);
        assert!(
            found.len() == 1 && found[0].contains("gateway.http.url") && found[0].contains(what),
            "{found:?}"
        );
        let why = [("DIALBACK_GATEWAY__HTTP__ALLOW_PRIVATE_ADDRESS", "it runs beside us in the same pod")];
        let allowed =
            load(&text, &why).and_then(Loaded::fit_to_serve).unwrap_or_else(|problems| panic!("{problems}"));
        assert!(allowed.warnings.iter().any(|warning| warning.key == "gateway.http.url"));
        let own = [("DIALBACK_PUBLIC_URL", "http://127.0.0.1:8000")];
        load(&text, &own).and_then(Loaded::fit_to_serve).unwrap_or_else(|problems| panic!("{problems}"));
    }
}

/// Texts by Twilio, and by a service of one's own behind it.
fn behind(more: &str) -> String {
    let twilio = "[twilio]\naccount_sid = \"AC11111111111111111111111111111111\"\n\
                  auth_token = \"3b1f0c7ad2e94586f10c27b59d8ea364\"\nfrom = \"+15017122661\"\n";
    relayed("").replace("kind = \"http\"", "fallback = \"http\"") + twilio + more
}

#[test]
fn one_way_out_behind_the_other_has_the_channels_of_both() {
    let config = good(&behind(""), &[]);
    assert_eq!(config.gateway.kinds().collect::<Vec<_>>(), [GatewayKind::Twilio, GatewayKind::Http]);
    assert_eq!(config.services.default.channels, [Channel::Sms, Channel::Call]);
    assert_eq!(config.gateway.carried(), None);
    let other = behind("").replace("fallback = \"http\"", "kind = \"http\"\nfallback = \"twilio\"");
    let config = good(&other, &[]);
    assert_eq!(config.gateway.kinds().collect::<Vec<_>>(), [GatewayKind::Http, GatewayKind::Twilio]);
    assert_eq!(good("", &[]).gateway.fallback, None);
    // In the sandbox it may lead to this machine, and nowhere else.
    let own = "[gateway]\nfallback = \"http\"\n[gateway.http]\nurl = \"http://127.0.0.1:9/\"\nsecret = ";
    good(&format!("{own}\"{SECRET}\"\n"), &[]);
}

#[test]
fn what_cannot_stand_behind_the_first_is_refused() {
    let sandbox = |more: &str| format!("[gateway]\nfallback = \"http\"\n[gateway.http]\n{more}\n");
    for (text, what) in [
        (
            behind("").replace("fallback = \"http\"", "fallback = \"twilio\""),
            "gateway.fallback: is gateway.kind too",
        ),
        (
            behind("").replace("fallback = \"http\"", "fallback = \"console\""),
            "gateway.fallback: \"console\" is none of its words",
        ),
        (
            behind("").replace("fallback = \"http\"", "kind = \"console\"\nfallback = \"http\""),
            "gateway.fallback: is behind the console",
        ),
        (behind("").replace(&format!("secret = \"{SECRET}\""), ""), "gateway.http.secret: is missing"),
        (
            relayed("").replace("kind = \"http\"", "kind = \"http\"\nfallback = \"twilio\""),
            "twilio.account_sid: is missing",
        ),
        (sandbox(""), "gateway.http.url: is missing, and needed by gateway.fallback"),
        (
            sandbox(&format!("secret = \"{SECRET}\"")),
            "gateway.http.url: is missing, and needed by gateway.fallback",
        ),
        (
            sandbox(&format!("url = \"https://sms.example.com/\"\nsecret = \"{SECRET}\"")),
            "gateway.http.url: leads out of this machine while the sandbox is enabled",
        ),
    ] {
        let found = problems(&text, &[]);
        assert!(found.iter().any(|problem| problem.contains(what)), "{what}: {found:#?}");
    }
}

/// Codes by Twilio Verify.
fn verified(more: &str) -> String {
    format!(
        "[sandbox]\nenabled = false\n[codes]\n{CODE_KEY}\n[twilio]\n\
         account_sid = \"AC11111111111111111111111111111111\"\n\
         auth_token = \"3b1f0c7ad2e94586f10c27b59d8ea364\"\n[gateway]\nkind = \"verify\"\n\
         [gateway.verify]\nservice_sid = \"VA22222222222222222222222222222222\"\n{more}\n"
    )
}

#[test]
fn verify_needs_an_account_and_a_service_and_nobody_to_send_as() {
    let config = good(&verified(""), &[]);
    let verify = &config.gateway.verify;
    assert_eq!(verify.service_sid.as_deref(), Some("VA22222222222222222222222222222222"));
    assert_eq!((verify.base_url.as_deref(), verify.lifetime_seconds()), (None, 600));
    assert_eq!(config.services.default.channels, [Channel::Sms, Channel::Call]);
    let key = "api_key_sid = \"SK33333333333333333333333333333333\"\napi_key_secret = \"mXqA9tT0vLw2pZ8cR4yB6nKe1sHd5uGf\"";
    good(&verified("").replace("auth_token = \"3b1f0c7ad2e94586f10c27b59d8ea364\"", key), &[]);
    good(&verified("lifetime_seconds = 300\n[verification]\nlifetime_seconds = 300"), &[]);
    good(&verified("base_url = \"https://otp.example.com\"\n[services.shop]\nmax_checks = 3"), &[]);
}

#[test]
fn what_verify_owns_is_refused_where_it_stands() {
    let owned = |key: &str| format!("{key}: cannot be had with gateway.kind = \"verify\"; it ");
    for (text, what) in [
        (
            verified("").replace("service_sid = \"VA", "# \"VA"),
            "gateway.verify.service_sid: is missing".to_owned(),
        ),
        (
            verified("").replace("\"VA2", "\"VE2"),
            "gateway.verify.service_sid: does not begin with VA".to_owned(),
        ),
        (verified("").replace("account_sid =", "# "), "twilio.account_sid: is missing".to_owned()),
        (verified("").replace("auth_token =", "# "), "twilio.auth_token: is missing".to_owned()),
        (verified("base_url = \"http://otp.example.com\""), "gateway.verify.base_url: ".to_owned()),
        (verified("lifetime_seconds = 119"), "gateway.verify.lifetime_seconds: ".to_owned()),
        (
            verified("").replace("enabled = false", "enabled = true"),
            "gateway.kind: leaves the sandbox".to_owned(),
        ),
        (
            verified("").replace("kind = \"verify\"", "kind = \"verify\"\nfallback = \"http\""),
            "gateway.fallback: is behind verify".to_owned(),
        ),
        (
            verified("").replace("kind = \"verify\"", "kind = \"http\"\nfallback = \"verify\""),
            "gateway.fallback: \"verify\" is none of its words".to_owned(),
        ),
        (
            verified("[messages]\ndir = \"texts\""),
            "messages.dir: has texts that verify does not send".to_owned(),
        ),
        (
            verified("[verification]\nlifetime_seconds = 300"),
            owned("verification.lifetime_seconds") + "has to be 600",
        ),
        (
            verified("[verification]\nmax_checks = 6"),
            owned("verification.max_checks") + "has to be 5 at most",
        ),
        (verified("[verification]\nmax_sends = 6"), owned("verification.max_sends")),
        (verified("[verification]\nnew_code_on_resend = true"), owned("verification.new_code_on_resend")),
        (verified("[voice]\ngate = \"named-key\""), owned("voice.gate")),
        (verified("[services.default]\nmax_checks = 9"), owned("services.default.max_checks")),
        (verified("[services.default]\ncustom_code = true"), owned("services.default.custom_code")),
        (verified("[services.shop]\ncode_alphabet = \"ABCDEFGH\""), owned("services.shop.code_alphabet")),
        (verified("[services.shop]\nredact = true"), owned("services.shop.redact")),
        (verified("[services.shop]\nfree_text = true"), owned("services.shop.free_text")),
        (verified("[services.shop]\nfailover = \"on-silence\""), owned("services.shop.failover")),
        (verified("[services.shop]\npending = \"many\""), owned("services.shop.pending")),
        (verified("[services.shop]\nfrom = \"Acme\""), owned("services.shop.from")),
    ] {
        let found = problems(&text, &[]);
        assert!(found.iter().any(|problem| problem.contains(&what)), "{what}: {found:#?}");
    }
    // What a service has of the default is told once.
    let found = problems(&verified("[verification]\nmax_checks = 6\n[services.shop]\nname = \"Shop\""), &[]);
    assert_eq!(found.len(), 1, "{found:?}");
}
