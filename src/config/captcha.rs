//! `[captcha]`: who says that a person is there, where a rule asks for that.
//!
//! It refuses to know which rule asks.

use super::reader::Reader;
use crate::model::captcha::{CaptchaProvider, CaptchaSettings};

const PROVIDERS: &str = "write one of \"turnstile\", \"hcaptcha\", \"recaptcha\" and \"signed\"";
const VERIFY_URL: &str = "write an https address, or one of this machine, or leave it empty";
/// The longest action: Turnstile takes no longer one.
const MOST_ACTION: usize = 32;

/// What is configured; nothing where nobody's proofs count.
pub(super) fn read(r: &mut Reader<'_>) -> Option<CaptchaSettings> {
    let named = r.text("captcha.provider").is_some();
    let provider = r.parsed::<CaptchaProvider>("captcha.provider", PROVIDERS);
    let site_key = r.text("captcha.site_key").unwrap_or_default();
    let secret = r.secret("captcha.secret");
    let verify_url = r.safe_url("captcha.verify_url", VERIFY_URL);
    let hostnames = r.parsed_list("captcha.hostnames", super::sections::HOSTS, super::sections::host);
    let action = action(r);
    let min_score = r.fraction("captcha.min_score", 0.0..=1.0);
    let connect_timeout = r.seconds("captcha.connect_timeout_seconds", 1..=30);
    let request_timeout = r.seconds("captcha.request_timeout_seconds", 1..=30);
    if !named {
        if !site_key.is_empty() || secret.is_some() {
            let what = "is empty, though captcha.site_key or captcha.secret is set";
            r.note("captcha.provider", what, PROVIDERS);
        }
        return None;
    }
    let provider = provider?;
    if site_key.is_empty() && provider != CaptchaProvider::Signed {
        r.note("captcha.site_key", "is missing", "copy the site key from the provider's console");
    }
    let is_at_fault = r.problems.iter().any(|problem| problem.key.starts_with("captcha.secret"));
    if secret.is_none() && !is_at_fault {
        let mend = match provider {
            CaptchaProvider::Signed => "make one with `openssl rand -hex 32`, and give it to the application",
            _ => "copy the secret key from the provider's console",
        };
        r.note("captcha.secret", "is missing", mend);
    }
    Some(CaptchaSettings {
        provider,
        site_key,
        secret: secret?,
        verify_url,
        hostnames,
        action,
        min_score,
        connect_timeout,
        request_timeout,
    })
}

fn action(r: &mut Reader<'_>) -> Option<String> {
    let action = r.text("captcha.action")?;
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let sound = action.len() <= MOST_ACTION && action.bytes().all(is_word);
    if !sound {
        r.note("captcha.action", "is no action", "write up to 32 letters, digits, _ and -");
    }
    sound.then_some(action)
}

#[cfg(test)]
mod tests {
    use crate::config::{Env, examine};
    use crate::model::captcha::CaptchaProvider;

    fn told(section: &str) -> Vec<String> {
        told_of(&format!("[captcha]\n{section}"))
    }

    fn told_of(file: &str) -> Vec<String> {
        let found = examine(Some(("config.toml", file)), &Env::default());
        found.refused.iter().map(|problem| format!("{}: {}", problem.key, problem.what)).collect()
    }

    const SECRET: &str = "secret = \"0x4AAAAAAAd9Jk2mQw7Zt5LpXc8VbN3RfYh\"\n";

    #[test]
    fn a_captcha_is_whole_or_none() {
        assert_eq!(told(""), Vec::<String>::new());
        assert_eq!(told(&format!("provider = \"signed\"\n{SECRET}")), Vec::<String>::new());
        let whole = format!("provider = \"turnstile\"\nsite_key = \"0x4A\"\n{SECRET}");
        assert_eq!(told(&whole), Vec::<String>::new());
        for (section, key) in [
            ("provider = \"recapcha\"", "captcha.provider"),
            (SECRET, "captcha.provider"),
            ("provider = \"hcaptcha\"\nsite_key = \"a\"", "captcha.secret"),
            (&format!("provider = \"hcaptcha\"\n{SECRET}"), "captcha.site_key"),
            (&format!("{whole}verify_url = \"http://verify.example.com/\""), "captcha.verify_url"),
            (&format!("{whole}verify_url = \"https://me:pass@verify.example.com/\""), "captcha.verify_url"),
            (&format!("{whole}hostnames = [\"https://shop.example\"]"), "captcha.hostnames[0]"),
            (&format!("{whole}action = \"to send\""), "captcha.action"),
            (&format!("{whole}min_score = 1.5"), "captcha.min_score"),
            (&format!("{whole}request_timeout_seconds = 0"), "captcha.request_timeout_seconds"),
        ] {
            let told = told(section);
            assert!(told.len() == 1 && told[0].starts_with(&format!("{key}: ")), "{section}: {told:?}");
            assert!(!told[0].contains("Jk2mQw7Z") && !told[0].contains("pass@"), "{told:?}");
        }
    }

    #[test]
    fn a_service_asks_for_no_proofs_that_nobody_gives_and_shadows_no_payments() {
        let services = |key: &str, action: &str, more: &str| {
            format!(
                "[services.{key}]\n{more}\n[services.{key}.fraud.signals.block_burst]\naction = \"{action}\"\n"
            )
        };
        for key in ["default", "shop"] {
            let asks = services(key, "captcha", "");
            let at = format!(
                "services.{key}.fraud.signals.block_burst.action: asks for proofs, and nobody gives them"
            );
            assert_eq!(told_of(&asks), [at]);
            let whole = format!("[captcha]\nprovider = \"signed\"\n{SECRET}{asks}");
            assert_eq!(told_of(&whole), Vec::<String>::new());
            assert_eq!(told_of(&services(key, "shadow_block", "")), Vec::<String>::new());
            let told = told_of(&services(key, "shadow_block", "psd2 = true"));
            let at = format!("services.{key}.fraud.signals.block_burst.action");
            assert!(told.len() == 1 && told[0].starts_with(&at), "{told:?}");
        }
    }

    #[test]
    fn what_the_whole_file_asks_for_is_looked_at_too() {
        let one = "[fraud.signals.block_burst]\naction = ";
        for (file, key) in [
            ("[fraud]\naction = \"captcha\"".to_owned(), "fraud.action"),
            (format!("{one}\"captcha\""), "fraud.signals"),
            ("[fraud]\naction = \"shadow_block\"\n[services.shop]\npsd2 = true".to_owned(), "fraud.action"),
            (format!("{one}\"shadow_block\"\n[services.default]\npsd2 = true"), "fraud.signals"),
        ] {
            let told = told_of(&file);
            assert!(told.len() == 1 && told[0].starts_with(&format!("{key}: ")), "{file}: {told:?}");
        }
        let own = "[fraud]\naction = \"shadow_block\"\n[services.shop]\npsd2 = true\nfraud = { action = \"refuse\" }";
        assert_eq!(told_of(own), Vec::<String>::new());
    }

    #[test]
    fn a_secret_comes_from_the_environment_and_is_shown_to_nobody() {
        let env: Env = [
            ("DIALBACK_CAPTCHA__PROVIDER", "recaptcha"),
            ("DIALBACK_CAPTCHA__SITE_KEY", "6Lc"),
            ("DIALBACK_CAPTCHA__SECRET", "6Lf-hidden-from-all-who-look"),
            ("DIALBACK_CAPTCHA__VERIFY_URL", "http://127.0.0.1:9/siteverify"),
        ]
        .into_iter()
        .collect();
        let loaded = examine(None, &env);
        let captcha = loaded.config.captcha.clone().unwrap();
        assert_eq!(
            (captcha.provider, captcha.secret.expose()),
            (CaptchaProvider::Recaptcha, "6Lf-hidden-from-all-who-look")
        );
        assert!(
            !loaded.show().contains("hidden-from") && loaded.show().contains("captcha"),
            "{}",
            loaded.show()
        );
    }
}
