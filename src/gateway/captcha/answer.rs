//! What a provider's answer says of a proof. It refuses to know how it was asked.
//!
//! Sources: <https://developers.cloudflare.com/turnstile/get-started/server-side-validation/>,
//! <https://docs.hcaptcha.com/#verify-the-user-response-server-side>,
//! <https://developers.google.com/recaptcha/docs/verify> and `…/v3`.

use super::proof::CaptchaError;
use crate::model::captcha::{CaptchaFault, CaptchaProvider, CaptchaSettings};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

/// How old a proof may be: as old as Turnstile lets one become; the others take none that
/// is older than two minutes.
const LONGEST_LIFE: SignedDuration = SignedDuration::from_mins(5);
/// How far a provider's clock may be before ours.
const SKEW: SignedDuration = SignedDuration::from_mins(1);

/// The answer, as far as anybody gives one.
#[derive(Deserialize)]
struct Answer {
    success: bool,
    #[serde(default)]
    challenge_ts: Option<String>,
    #[serde(default)]
    hostname: Option<String>,
    #[serde(default)]
    action: Option<String>,
    #[serde(default)]
    cdata: Option<String>,
    #[serde(default)]
    score: Option<f64>,
    #[serde(default, rename = "error-codes")]
    error_codes: Vec<String>,
}

/// Errors that are about the proof; all others are about us, or about the provider.
const ABOUT_PROOF: [&str; 6] = [
    "missing-input-response",
    "invalid-input-response",
    "timeout-or-duplicate",
    "expired-input-response",
    "already-seen-response",
    "invalid-or-already-seen-response",
];

/// Whether the answer proves that a person is there, for what it has to be about.
pub(super) fn judge(
    settings: &CaptchaSettings,
    body: &[u8],
    bound_to: &str,
    now: Timestamp,
) -> Result<(), CaptchaError> {
    let wrong = |fault| Err(CaptchaError::Wrong(fault));
    let Ok(answer) = serde_json::from_slice::<Answer>(body) else {
        return Err(CaptchaError::Away("answers with what is no answer".to_owned()));
    };
    if !answer.success {
        return Err(refused(&answer.error_codes));
    }
    let is_other = |said: &Option<String>, wanted: &dyn Fn(&str) -> bool| {
        said.as_deref().is_some_and(|said| !said.is_empty() && !wanted(said))
    };
    let hostnames = &settings.hostnames;
    let is_ours = |host: &str| hostnames.iter().any(|own| own.eq_ignore_ascii_case(host));
    if !hostnames.is_empty() && !answer.hostname.as_deref().is_some_and(is_ours) {
        return wrong(CaptchaFault::Elsewhere);
    }
    if settings.action.as_deref().is_some_and(|own| is_other(&answer.action, &|said| said == own)) {
        return wrong(CaptchaFault::Elsewhere);
    }
    if is_other(&answer.cdata, &|said| said == bound_to) {
        return wrong(CaptchaFault::Elsewhere);
    }
    // hCaptcha's score goes the other way round, and its own rules weigh it.
    let is_low = answer.score.is_some_and(|score| score < settings.min_score);
    if settings.provider == CaptchaProvider::Recaptcha && is_low {
        return wrong(CaptchaFault::Invalid);
    }
    match answer.challenge_ts.as_deref().map(str::parse::<Timestamp>) {
        None => Ok(()),
        Some(Ok(made_at)) => {
            let age = now.duration_since(made_at);
            if age > LONGEST_LIFE || age < -SKEW { wrong(CaptchaFault::Expired) } else { Ok(()) }
        }
        Some(Err(_)) => Err(CaptchaError::Away("tells a time that is none".to_owned())),
    }
}

fn refused(codes: &[String]) -> CaptchaError {
    // Without a code it is just a no.
    if !codes.iter().all(|code| ABOUT_PROOF.contains(&code.as_str())) {
        // They are words of a fixed list; what else comes is not repeated at length.
        let said: String = codes.join(" ").chars().filter(char::is_ascii_graphic).take(100).collect();
        return CaptchaError::Away(format!("refuses to say: {said}"));
    }
    let has = |word: &str| codes.iter().any(|code| code.contains(word));
    CaptchaError::Wrong(match () {
        () if has("already-seen") || has("duplicate") => CaptchaFault::Used,
        () if has("expired") => CaptchaFault::Expired,
        () => CaptchaFault::Invalid,
    })
}
