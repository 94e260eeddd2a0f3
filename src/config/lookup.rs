//! `[lookup]`: what a provider is asked about numbers, before a code is sent to them.
//!
//! It refuses to know what follows from its answers.

use super::reader::{Choice, Reader};
use crate::model::lookup::{LookupField, LookupSettings};
use std::time::Duration;

const BASE_URL: &str = "write an https address, or one of this machine, or leave it empty";

/// What is configured; nothing where nobody is asked.
pub(super) fn read(r: &mut Reader<'_>) -> Option<LookupSettings> {
    let fields: Vec<LookupField> = r.choices("lookup.fields");
    let base_url = r.safe_url("lookup.base_url", BASE_URL);
    let request_timeout = r.seconds("lookup.request_timeout_seconds", 1..=10);
    let hours: u64 = r.number("lookup.remembered_hours", 1..=720);
    let most_per_day = r.number("lookup.most_per_day", 1..=10_000_000);
    (!fields.is_empty()).then_some(LookupSettings {
        fields,
        base_url: base_url.map(|url| url.trim_end_matches('/').to_owned()),
        request_timeout,
        remembered: Duration::from_secs(3_600 * hours),
        most_per_day,
    })
}

impl Choice for LookupField {
    const ALL: &'static [(&'static str, Self)] = &[
        (Self::LineType.as_str(), Self::LineType),
        (Self::SimSwap.as_str(), Self::SimSwap),
        (Self::PumpingRisk.as_str(), Self::PumpingRisk),
    ];
}

#[cfg(test)]
mod tests {
    use crate::config::{Env, examine};
    use crate::model::lookup::LookupField;

    fn told(section: &str) -> Vec<String> {
        let file = format!("[lookup]\n{section}");
        let found = examine(Some(("config.toml", &file)), &Env::default());
        found.refused.iter().map(|problem| format!("{}: {}", problem.key, problem.what)).collect()
    }

    #[test]
    fn nobody_is_asked_unless_it_says_for_what() {
        let loaded = examine(None, &Env::default());
        assert!(loaded.config.lookup.is_none());
        let env: Env =
            [("DIALBACK_LOOKUP__FIELDS", r#"["sim_swap", "sms_pumping_risk"]"#)].into_iter().collect();
        let settings = examine(None, &env).config.lookup.clone().unwrap();
        assert_eq!(settings.fields, [LookupField::SimSwap, LookupField::PumpingRisk]);
        assert_eq!(settings.most_per_day, 1000);
    }

    #[test]
    fn nobody_real_is_asked_beside_the_sandbox_or_without_an_account() {
        let real = "fields = [\"sim_swap\"]\nbase_url = \"https://lookups.twilio.com\"";
        assert_eq!(told(real), ["lookup.base_url: leads out of this machine while the sandbox is enabled"]);
        assert_eq!(
            told("fields = [\"sim_swap\"]\nbase_url = \"http://127.0.0.1:8001\""),
            Vec::<String>::new()
        );
        let live = "fields = [\"sim_swap\"]\n[sandbox]\nenabled = false\n[gateway]\nkind = \"console\"\n\
                    [codes]\nkeys = [{ id = \"1\", secret = \"f3a91c07d2b84e6f95a0c1d7e8b2463f\" }]\n";
        let told_of = told(live);
        assert!(told_of.iter().any(|told| told.starts_with("twilio.account_sid: is missing")), "{told_of:?}");
    }

    #[test]
    fn what_cannot_be_is_told_where() {
        assert_eq!(told("fields = [\"line_type_intelligence\"]"), Vec::<String>::new());
        for (section, key) in [
            ("fields = [\"caller_name\"]", "lookup.fields"),
            ("base_url = \"http://lookups.example.com\"", "lookup.base_url"),
            ("base_url = \"https://me:pass@lookups.example.com\"", "lookup.base_url"),
            ("remembered_hours = 0", "lookup.remembered_hours"),
            ("request_timeout_seconds = 11", "lookup.request_timeout_seconds"),
            ("most_per_day = 0", "lookup.most_per_day"),
        ] {
            let told = told(section);
            assert!(told.len() == 1 && told[0].starts_with(key), "{section}: {told:?}");
            assert!(!told[0].contains("pass@"), "{told:?}");
        }
    }
}
