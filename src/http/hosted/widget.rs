//! The widgets by which providers find out that a person is there: what a page has to
//! name and to let in for each. It refuses to know what a page looks like.
//!
//! Sources: <https://developers.cloudflare.com/turnstile/reference/content-security-policy/>,
//! <https://docs.hcaptcha.com/#content-security-policy-settings>,
//! <https://developers.google.com/recaptcha/docs/faq#im-using-content-security-policy-csp-on-my-website.-how-can-i-configure-it-to-work-with-recaptcha>.

use crate::model::captcha::CaptchaProvider;

/// What a page has to name and to let in for a widget; the lists of sources each begin
/// with a blank, and are empty for none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Widget {
    /// The class of the element that the widget fills.
    pub class: &'static str,
    /// The address of its script.
    pub script: &'static str,
    /// What names the language behind that address; empty where the element does.
    pub language: &'static str,
    /// The name of the form's field that holds the proof.
    pub field: &'static str,
    /// Whose style sheets may be used.
    pub styles: &'static str,
    /// Whose scripts may run.
    pub scripts: &'static str,
    /// With whom the page may talk.
    pub connects: &'static str,
    /// Whose frames may stand there.
    pub frames: &'static str,
}

const TURNSTILE: Widget = Widget {
    class: "cf-turnstile",
    script: "https://challenges.cloudflare.com/turnstile/v0/api.js",
    language: "",
    field: "cf-turnstile-response",
    styles: "",
    scripts: " https://challenges.cloudflare.com",
    connects: "",
    frames: " https://challenges.cloudflare.com",
};

const HCAPTCHA: Widget = Widget {
    class: "h-captcha",
    script: "https://js.hcaptcha.com/1/api.js",
    language: "?hl=",
    field: "h-captcha-response",
    styles: " https://hcaptcha.com https://*.hcaptcha.com",
    scripts: " https://hcaptcha.com https://*.hcaptcha.com",
    connects: " https://hcaptcha.com https://*.hcaptcha.com",
    frames: " https://hcaptcha.com https://*.hcaptcha.com",
};

const RECAPTCHA: Widget = Widget {
    class: "g-recaptcha",
    script: "https://www.google.com/recaptcha/api.js",
    language: "?hl=",
    field: "g-recaptcha-response",
    styles: "",
    scripts: " https://www.google.com/recaptcha/ https://www.gstatic.com/recaptcha/",
    connects: "",
    frames: " https://www.google.com/recaptcha/ https://recaptcha.google.com/recaptcha/",
};

/// The field in which a word comes that the application signed.
const WORD: &str = "captcha";

impl Widget {
    /// That of a provider; nothing where the application signs a word instead.
    pub fn of(provider: CaptchaProvider) -> Option<Self> {
        match provider {
            CaptchaProvider::Turnstile => Some(TURNSTILE),
            CaptchaProvider::Hcaptcha => Some(HCAPTCHA),
            CaptchaProvider::Recaptcha => Some(RECAPTCHA),
            CaptchaProvider::Signed => None,
        }
    }

    /// The address of its script, for a page in that language.
    pub fn script_in(&self, locale: &str) -> String {
        match self.language {
            "" => self.script.to_owned(),
            language => format!("{}{language}{locale}", self.script),
        }
    }
}

/// The proof that a form brings, whoever gave it.
pub fn proof<'f>(get: impl Fn(&str) -> &'f str) -> Option<&'f str> {
    let fields = [TURNSTILE.field, HCAPTCHA.field, RECAPTCHA.field, WORD];
    fields.into_iter().map(get).find(|proof| !proof.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_widget_s_script_is_one_that_the_page_lets_in() {
        for provider in CaptchaProvider::ALL {
            let Some(widget) = Widget::of(provider) else { continue };
            let host = widget.script.split('/').nth(2).unwrap();
            let lets_in = |source: &str| {
                let source = source.strip_prefix("https://").unwrap();
                let (name, path) = source.split_once('/').unwrap_or((source, ""));
                let is_host = name == host || name.strip_prefix('*').is_some_and(|end| host.ends_with(end));
                is_host && widget.script.contains(path)
            };
            assert!(widget.scripts.split_whitespace().any(lets_in), "{provider}");
            assert!(!widget.frames.is_empty(), "{provider}");
        }
    }

    #[test]
    fn a_form_brings_one_proof() {
        let form = |name: &str| match name {
            "h-captcha-response" | "g-recaptcha-response" => "both are hCaptcha's",
            _ => "",
        };
        assert_eq!(proof(form), Some("both are hCaptcha's"));
        assert_eq!(proof(|_| ""), None);
    }
}
