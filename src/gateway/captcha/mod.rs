//! The way to whoever says that a person is there: one request for one proof, or the
//! look at a word that the application signed.
//!
//! It refuses to know what a proof is needed for, and that one may be used once: it
//! gives each a name by which that can be kept.

mod answer;
mod proof;
mod word;

pub use self::proof::{CaptchaError, Offered};

use self::answer::judge;
use super::http::{TlsError, client};
use crate::model::captcha::{CaptchaFault, CaptchaProvider, CaptchaSettings};
use crate::telemetry::metrics::{Meter, Outcome, Place, meter};
use crate::trust::Trust;
use jiff::Timestamp;
use std::sync::LazyLock;

static POSTS: LazyLock<&Meter> = LazyLock::new(|| meter(Place::Gateway, "captcha POST"));

/// The longest proof that is looked at, in bytes; those of the providers have up to 4096.
pub const MOST_TOKEN: usize = 8192;
/// The longest answer of a provider that is read, in bytes; theirs have a few hundred.
const MOST_ANSWER: usize = 16 * 1024;

/// Looks at proofs.
pub struct Captcha {
    settings: CaptchaSettings,
    client: reqwest::Client,
}

impl Captcha {
    /// Looks at proofs by these settings, over TLS that believes `trust`, without
    /// redirects and proxies.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(settings: CaptchaSettings, trust: &Trust) -> Result<Self, TlsError> {
        let client = client(trust)?
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.request_timeout)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .user_agent(concat!("dialback/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { settings, client })
    }

    /// Whose proofs it looks at.
    pub fn provider(&self) -> CaptchaProvider {
        self.settings.provider
    }

    /// The public key of the widget; nothing for a word that the application signs.
    pub fn site_key(&self) -> Option<&str> {
        Some(self.settings.site_key.as_str()).filter(|key| !key.is_empty())
    }

    /// The action that the widget has to name, where one is wanted.
    pub fn action(&self) -> Option<&str> {
        self.settings.action.as_deref()
    }

    /// What can be said of a proof by looking at it alone: the name under which its use
    /// is kept.
    ///
    /// # Errors
    /// A proof that is none; of a signed word everything that is wrong with it.
    pub fn name_of(&self, offered: &Offered, now: Timestamp) -> Result<String, CaptchaError> {
        let token = offered.token.expose();
        let is_plain = token.bytes().all(|byte| byte.is_ascii_graphic());
        if token.is_empty() || token.len() > MOST_TOKEN || !is_plain {
            return Err(CaptchaError::Wrong(CaptchaFault::Invalid));
        }
        match self.settings.provider {
            CaptchaProvider::Signed => {
                word::read(&self.settings.secret, token, &offered.bound_to, now).map_err(CaptchaError::Wrong)
            }
            _ => Ok(token.to_owned()),
        }
    }

    /// Asks the provider whether it is one. It can be asked once: the provider takes the
    /// proof for used then.
    ///
    /// # Errors
    /// What is wrong with it, or that nobody can say.
    pub async fn ask(&self, offered: &Offered, now: Timestamp) -> Result<(), CaptchaError> {
        if self.settings.provider == CaptchaProvider::Signed {
            return Ok(());
        }
        let to = self.settings.provider.as_str();
        let span = tracing::debug_span!("gateway", to, method = "POST");
        let judged = |result: &Result<Vec<u8>, CaptchaError>| match result {
            Ok(_) => Outcome::of_status(200),
            Err(_) => Outcome::Failed,
        };
        let answer = POSTS.observe(span, judged, self.post(offered)).await?;
        judge(&self.settings, &answer, &offered.bound_to, now)
    }

    /// The provider's answer. Its errors name no address, for that could hold a key.
    async fn post(&self, offered: &Offered) -> Result<Vec<u8>, CaptchaError> {
        let away = |error: reqwest::Error| {
            let what = if error.is_timeout() { "time ran out" } else { "cannot be reached" };
            tracing::debug!(error = %error.without_url(), "a proof could not be looked at");
            CaptchaError::Away(what.to_owned())
        };
        let body = serde_urlencoded::to_string(self.form(offered))
            .map_err(|error| CaptchaError::Away(format!("form: {error}")))?;
        let request = self.client.post(self.url());
        let request = request.header("Content-Type", "application/x-www-form-urlencoded").body(body);
        let mut response = request.send().await.map_err(away)?;
        let status = response.status().as_u16();
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(away)? {
            if answer.len() + chunk.len() > MOST_ANSWER {
                return Err(CaptchaError::Away("answers too much".to_owned()));
            }
            answer.extend_from_slice(&chunk);
        }
        // A proof that is none is answered with 200, by Turnstile with 400 now and then.
        match status {
            200..=299 | 400 => Ok(answer),
            status => Err(CaptchaError::Away(format!("answers with {status}"))),
        }
    }

    /// The form, as all three take it.
    fn form(&self, offered: &Offered) -> Vec<(&'static str, String)> {
        let CaptchaSettings { provider, site_key, secret, .. } = &self.settings;
        let mut form =
            vec![("secret", secret.expose().to_owned()), ("response", offered.token.expose().to_owned())];
        form.extend(offered.address.map(|address| ("remoteip", address.to_canonical().to_string())));
        if *provider == CaptchaProvider::Hcaptcha {
            form.push(("sitekey", site_key.clone()));
        }
        form
    }

    fn url(&self) -> &str {
        let own = match self.settings.provider {
            CaptchaProvider::Turnstile => "https://challenges.cloudflare.com/turnstile/v0/siteverify",
            CaptchaProvider::Hcaptcha => "https://api.hcaptcha.com/siteverify",
            // Of a word nobody is asked.
            CaptchaProvider::Recaptcha | CaptchaProvider::Signed => {
                "https://www.google.com/recaptcha/api/siteverify"
            }
        };
        self.settings.verify_url.as_deref().unwrap_or(own)
    }
}

#[cfg(test)]
mod tests;
