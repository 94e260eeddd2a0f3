//! Whatever is wrong is told with its key, its line and column and its mend, all
//! of it at once and down the file; from the environment with the variable's name.

use super::*;
use crate::config::file;
use std::fmt::Write;

const AC: &str = "AC11111111111111111111111111111111";

fn all(text: &str, pairs: &[(&str, &str)]) -> Vec<Problem> {
    match load(text, pairs).and_then(Loaded::fit_to_serve) {
        Ok(_) => Vec::new(),
        Err(Problems(problems)) => problems,
    }
}

/// The complaints about a configuration without the sandbox that has this, too.
/// `twilio` is at its end, so more of it can follow.
fn about(twilio: &str, more: &str) -> Vec<String> {
    let key = "3b1f0c7ad2e94586f10c27b59d8ea364";
    let text = format!(
        "public_url = \"https://verify.example.com\"\nsandbox.enabled = false\ncodes.{CODE_KEY}\n[twilio]\n{twilio}\n{more}"
    );
    let sid = AC;
    let defaults =
        [("TWILIO_ACCOUNT_SID", sid), ("TWILIO_AUTH_TOKEN", key), ("TWILIO_PHONE_NUMBER", "+15017122661")];
    all(&text, &defaults).iter().map(Problem::to_string).collect()
}

#[test]
fn what_twilio_would_refuse_is_refused() {
    assert_eq!(about("", ""), Vec::<String>::new());
    for (twilio, start, mend) in [
        (
            "from = \"MG11111111111111111111111111111111\"",
            "from: is a messaging service",
            "messaging_service_sid",
        ),
        ("from = \"5017122661\"", "from: is a number without +", "+15017122661"),
        ("from = \"+555\"", "from: is no number: the number is too short", "international form"),
        ("from = \"Nine to Five\"", "from: is no number, no short code", "at most 11"),
        ("account_sid = \"AC1234\"", "account_sid: is not AC and 32", "AC and 32 hexadecimal digits"),
        ("account_sid = \"ACgggggggggggggggggggggggggggggggg\"", "account_sid: is not AC", "copy it"),
        (
            "messaging_service_sid = \"VA11111111111111111111111111111111\"",
            "messaging_service_sid: does not begin with MG",
            "MG and 32",
        ),
        (
            "auth_token = \"0123456789abcdef 0123456789abcde\"",
            "auth_token: is empty or has blanks",
            "copy the secret alone",
        ),
        (
            "auth_token = \"\u{feff}3b1f0c7ad2e94586f10c27b59d8ea364\"",
            "auth_token: is empty or has blanks",
            "copy the secret alone",
        ),
        (
            "auth_token = \"0123456789abcdef\"",
            "auth_token: is no auth token of twilio's: it has 16",
            "the whole of it",
        ),
        (
            "voice_fallback_url = \"handler.twilio.com\"",
            "voice_fallback_url: is no http or https address",
            "TwiML Bin",
        ),
        (
            "voice_fallback_url = \"http://handler.example/twiml\"",
            "voice_fallback_url: is not https",
            "TwiML Bin",
        ),
        (
            "auth_token = \"0123456789abcdef0123456789abcdeg\"",
            "auth_token: is no auth token of twilio's: it has other",
            "the whole of it",
        ),
    ] {
        let found = about(twilio, "");
        let column = twilio.find('=').unwrap() + 3;
        let start = format!("config.toml:5:{column}: twilio.{start}");
        assert!(
            found.len() == 1 && found[0].starts_with(&start) && found[0].contains(mend),
            "{start}: {found:#?}"
        );
        assert!(!found[0].contains("abcdef"), "{found:?}");
    }
    for (more, start) in [
        (
            format!(
                "auth_tokens = [\n  \"short\",\n  {{ account_sid = \"AC1\", token = \"{}\" }}]",
                "3b1f0c7ad2e94586f10c27b59d8ea364"
            ),
            vec![
                "config.toml:7:3: twilio.auth_tokens[0]: is no auth token",
                "config.toml:8:19: twilio.auth_tokens[1].account_sid: is not AC",
            ],
        ),
        (
            format!("[twilio.accounts.AC1]\nauth_token = \"{}\"", "3b1f0c7ad2e94586f10c27b59d8ea364"),
            vec!["config.toml:6:18: twilio.accounts.AC1: is not AC"],
        ),
        (
            "[twilio.accounts.AC22222222222222222222222222222222]\nauth_token = \"x\"\nsenders = [\"+555\", \"5017122661\"]\n".to_owned(),
            vec![
                "config.toml:7:14: twilio.accounts.AC22222222222222222222222222222222.auth_token: is no auth token",
                "config.toml:8:12: twilio.accounts.AC22222222222222222222222222222222.senders[0]: is no number",
                "config.toml:8:20: twilio.accounts.AC22222222222222222222222222222222.senders[1]: is a number without +",
            ],
        ),
    ] {
        let found = about("", &more);
        assert_eq!(found.len(), start.len(), "{more}: {found:#?}");
        assert!(
            found.iter().zip(&start).all(|(found, start)| found.starts_with(start)),
            "{start:?}: {found:#?}"
        );
    }
}

#[test]
fn a_variable_of_twilio_s_is_named() {
    let found = all("", &[("TWILIO_PHONE_NUMBER", "555")]);
    let [found] = &found[..] else { panic!("{found:#?}") };
    assert_eq!(found.origin, Origin::Env("TWILIO_PHONE_NUMBER".into()));
    assert!(
        found.to_string().starts_with("environment variable TWILIO_PHONE_NUMBER: twilio.from: is no number"),
        "{found}"
    );
    let found = all("", &[("DIALBACK_SERVICES", "{ shop = { from = \"+555\" } }")]);
    assert!(
        found[0].to_string().starts_with("environment variable DIALBACK_SERVICES: services.shop.from: "),
        "{found:#?}"
    );
}

#[test]
fn inside_a_service_every_part_has_its_place() {
    let text = "[services.shop]\nname = \" \"\nfrom = \"MG11111111111111111111111111111111\"\ncode_lenght = 6\n\
                code_length = 99\nlifetime_seconds = \"ten\"\nchannels = [\"sms\", \"cal\"]\n\
                countries.sms = { allow = [\"DE\", \"UK\"],\n  watch = [\"XX\"] }\n\
                pages = { colour = \"red\", colr = \"#123456\", return_urls = [\"https://a.example/\", \"ftp://b\"] }\n\
                locale = \"\"\nwhatsapp_from = \"\"\n[services.other]\nname = \"Other\"\nfrom = \"+555\"\n";
    let found: Vec<String> = all(text, &[]).iter().map(Problem::to_string).collect();
    let expected = [
        ("config.toml:2:8: services.shop.name: ", "it needs 1 to 32 characters"),
        ("config.toml:3:8: services.shop.from: ", "messaging_service_sid"),
        ("config.toml:4:1: services.shop.code_lenght: there is no such setting", "did you mean code_length?"),
        ("config.toml:5:15: services.shop.code_length: 99 does not fit here", "a whole number from 4 to 10"),
        ("config.toml:6:20: services.shop.lifetime_seconds: ", "a whole number"),
        ("config.toml:7:20: services.shop.channels[1]: \"cal\" does not fit here", "did you mean call?"),
        ("config.toml:8:34: services.shop.countries.sms.allow[1]: \"UK\"", "did you mean GB?"),
        ("config.toml:9:12: services.shop.countries.sms.watch[0]: \"XX\"", "ISO 3166"),
        ("config.toml:10:20: services.shop.pages.colour: \"red\"", "#1a6f4e"),
        ("config.toml:10:27: services.shop.pages.colr: there is no such setting", "did you mean colour?"),
        ("config.toml:10:", "https"),
        ("config.toml:15:8: services.other.from: ", "too short"),
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, (start, mend)) in found.iter().zip(expected) {
        assert!(found.starts_with(start) && found.contains(mend), "{start} {mend}: {found}");
    }
    assert!(found[10].contains("services.shop.pages.return_urls"), "{found:#?}");
}

#[test]
fn a_service_has_a_name_of_ones_own_or_a_whole_id() {
    let id = format!("VA{:032x}", 9);
    for key in [
        &id[..33],
        "VAgggggggggggggggggggggggggggggggg",
        "VA0123",
        "va0123456789abcdef0123456789abcdef",
        "\"\"",
    ] {
        let found = all(&format!("[services.{key}]\nname = \"Shop\"\n"), &[]);
        assert!(
            found.len() == 1 && found[0].to_string().starts_with("config.toml:1:11: "),
            "{key}: {found:#?}"
        );
        assert!(found[0].what.contains("names no service"), "{found:#?}");
    }
    for key in [&id, "VAT", "shop", "\"My Shop\""] {
        assert_eq!(all(&format!("[services.{key}]\nname = \"Shop\"\n"), &[]), []);
    }
}

#[test]
fn an_empty_text_in_a_service_is_not_set() {
    let text = "[services.default]\nfrom = \"+15017122661\"\n[services.shop]\nname = \"\"\nfrom = \"\"\ntemplate = \"\"\nlocale = \"\"\n\
                messaging_service_sid = \"\"\nwhatsapp_content_sid = \"${NONE:-}\"\npages = { colour = \"\", logo = \"\" }\n";
    let shop = &good(text, &[]).services.others["shop"];
    assert_eq!(shop.from.as_deref(), Some("+15017122661"));
    assert_eq!((&shop.template, &shop.locale, &shop.pages.colour), (&None, &None, &None));
}

#[test]
fn everything_is_told_at_once_and_down_the_file() {
    let text = "[log]\nlevel = \"loud\"\n[server]\nlisten = \"here\"\n[store]\nurl = \"mysql://h\"\n[twilio]\nfrom = \"+555\"\n\
                [numbers]\ndefault_region = \"UK\"\n[verification]\ncode_length = 3\nlifetime_seconds = 1\n";
    let found =
        all(text, &[("DIALBACK_SANDBOX__LISTEN", "nowhere"), ("DIALBACK_SERVICE_NAME", "Call 12345")]);
    let keys: Vec<&str> = found.iter().map(|problem| problem.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "log.level",
            "server.listen",
            "store.url",
            "twilio.from",
            "numbers.default_region",
            "verification.code_length",
            "verification.lifetime_seconds",
            "sandbox.listen",
            "service_name",
        ]
    );
    assert!(found[4].mend.contains("did you mean GB?"), "{found:#?}");
}

#[test]
fn a_public_url_is_a_base() {
    for (url, what) in [
        ("verify.example.com", "no http"),
        ("//verify.example.com", "no http"),
        ("https://", "no http"),
        ("ftp://verify.example.com", "no http"),
        ("https://verify.example.com/?a=b", "a query or a fragment"),
        ("https://verify.example.com/#a", "a query or a fragment"),
        ("https://u:p@verify.example.com/", "user or password"),
        ("https://verify.example.com/twilio/status", "ends in /twilio/status"),
        ("https://verify.example.com/base/v1/verifications", "ends in /v1/verifications"),
        ("https://verify.example.com/v2", "ends in /v2"),
    ] {
        let found = all("[sandbox]\nallow_public = true\n", &[("DIALBACK_PUBLIC_URL", url)]);
        assert!(
            found.len() == 1 && found[0].key == "public_url" && found[0].what.contains(what),
            "{url}: {found:#?}"
        );
    }
}

/// Every key of the shipped file, set to everything that it might be taken for.
#[test]
fn whatever_a_key_is_set_to_each_complaint_has_key_line_column_and_mend() {
    const VALUES: [&str; 22] = [
        "true",
        "-1",
        "0",
        "1",
        "99999999999",
        "1.5",
        "nan",
        "\"\"",
        "\" \"",
        "\"nonsense\"",
        "\"ü\\u200b\"",
        "\"${NO_SUCH_VARIABLE}\"",
        "[]",
        "[\"\"]",
        "[\"nonsense\", 5, {}]",
        "[[]]",
        "{}",
        "{ a = 1 }",
        "{ a = { b = [1] } }",
        "{ a = \"\" }",
        "2026-11-27",
        "\"https://u:p@h/?q#f\"",
    ];
    let file = file::File { name: "config.toml", text: DEFAULT };
    let said =
        file::read(&file, |_, table| !table.is_empty()).unwrap_or_else(|problems| panic!("{problems:?}"));
    let (mut tried, mut complained) = (0, 0);
    for (key, _) in &said.flat {
        for value in VALUES {
            let (section, name) = key.split_once('.').unwrap_or(("", key));
            let mut text = "# a comment\n\n".to_owned();
            if !section.is_empty() {
                writeln!(text, "[{section}]").unwrap();
            }
            let line = text.lines().count() + 1;
            writeln!(text, "{name} = {value}").unwrap();
            tried += 1;
            for problem in all(&text, &[]) {
                complained += 1;
                let told = format!("{key} = {value}: {problem}");
                assert!(
                    !problem.key.is_empty() && !problem.what.is_empty() && !problem.mend.is_empty(),
                    "{told}"
                );
                let Origin::File { at, .. } = &problem.origin else { panic!("{told}") };
                // What follows from it elsewhere stands nowhere in the file.
                let is_own = problem.key.starts_with(key.as_str());
                match at {
                    Some(at) if is_own => assert!(at.line == line && at.column >= 1, "{told}"),
                    Some(_) => {}
                    None => assert!(!is_own, "{told}"),
                }
            }
        }
    }
    assert!(tried > 1500 && complained > 1200, "{complained} of {tried}");
}

/// A setting that is not written where it is as usual is one all the same.
#[test]
fn every_setting_of_a_service_may_stand_in_the_file() {
    fn in_toml(value: serde_json::Value) -> serde_json::Value {
        match value {
            serde_json::Value::Null => "".into(),
            serde_json::Value::Object(inner) => {
                inner.into_iter().map(|(name, value)| (name, in_toml(value))).collect()
            }
            value => value,
        }
    }
    let every = in_toml(crate::model::service::Settings::default().all().into());
    for key in ["shop", "default"] {
        let text = toml::to_string(&serde_json::json!({ "services": { key: every } })).unwrap();
        let told: Vec<String> = all(&text, &[]).iter().map(Problem::to_string).collect();
        assert_eq!(told, Vec::<String>::new(), "{text}");
    }
    assert_eq!(all("services.shop.allow_links = true\n", &[]).len(), 0);
}

#[test]
fn words_of_a_list_are_told_with_the_one_that_was_meant() {
    let text = "[signature]\nmode = \"enfroce\"\n[numbers]\nrefuse = [\"premum\", \"toll\"]\n[store]\ncache_bytes = 1\n";
    let found: Vec<String> = all(text, &[]).iter().map(Problem::to_string).collect();
    let expected = [
        "did you mean \"enforce\"? else write one of \"enforce\", \"report-only\"",
        "did you mean \"premium\"?",
        "write any of \"premium\"",
        "write a whole number of 1048576 or more",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    assert!(found.iter().zip(expected).all(|(found, what)| found.contains(what)), "{found:#?}");
}

#[test]
fn every_mistake_of_pages_and_channels_is_told() {
    let text = "[services.shop]\nchannels = [\"sms\", \"cal\", \"whatsap\", \"sms\"]\n\
                pages = { colour = \"red\", logo = \"javascript:alert(1)\", return_urls = [\"ftp://a\", \"nothing\"], success_url = \"x\", retry = 5 }\n";
    let found: Vec<String> = all(text, &[]).iter().map(Problem::to_string).collect();
    for what in [
        "channels[1]",
        "channels[2]",
        "channels: does not fit here; it has to name each channel once",
        "pages.colour",
        "pages.logo",
        "return_urls[0]",
        "return_urls[1]",
        "success_url",
        "pages.retry",
    ] {
        assert!(found.iter().any(|line| line.contains(what)), "{what}: {found:#?}");
    }
    for logo in
        ["data:image/png;base64,AA", "//evil.example/x", "http://cdn.example/x.png", "logo.png", "/\\\\evil"]
    {
        let found = all(&format!("[services.shop]\npages.logo = \"{logo}\"\n"), &[]);
        assert!(found.len() == 1 && found[0].key == "services.shop.pages.logo", "{logo}: {found:#?}");
    }
    for logo in ["/logo.svg", "https://cdn.example.com/logo.svg", ""] {
        assert_eq!(all(&format!("[services.shop]\npages.logo = \"{logo}\"\n"), &[]), [], "{logo}");
    }
}

/// A part of a template says nothing by itself, so the model's own word for where it is holds.
#[test]
fn what_is_wrong_with_a_template_is_told_where_it_is() {
    let template = |more: &str| {
        format!("[services.default.message_templates.shipped]\ntexts = {{ en = \"{{order}}\" }}\n{more}\n")
    };
    for (text, start, mend) in [
        (
            template("whatsapp_content_sid = \"HX1\""),
            "services.default.message_templates.shipped.whatsapp_content_sid: \"HX1\" does not fit here",
            "HX and 32 hexadecimal digits",
        ),
        (
            template("type = \"marketin\""),
            "services.default.message_templates.shipped.type: \"marketin\" does not fit here",
            "it has to be one of marketing, security, transactional",
        ),
        (
            "[services.default.message_templates.shipped]\ntexts = { en = \"{Order}\" }\n".to_owned(),
            "services.default.message_templates.shipped.texts.en: \"{Order}\" does not fit here",
            "it needs variables like {order}",
        ),
        (
            "[services.default.message_types.news]\nper_number = [\"1/hour\", \"2/hour\"]\n".to_owned(),
            "services.default.message_types.news.per_number: does not fit here",
            "it needs whole numbers",
        ),
    ] {
        let told = problems(&text, &[]);
        let is_told = told.iter().any(|one| one.contains(start) && one.contains(mend));
        assert!(is_told && told.len() == 1, "{text}: {told:?}");
    }
    good(&template(""), &[]);
}
