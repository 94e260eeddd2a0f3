//! Every problem that can be answered, in one table: the code that programs
//! may rely on, its status, its title, and what it means. `/openapi.json` is
//! made of the same table, so a code that is answered is a code that is
//! documented. It refuses to know what leads to which problem.

use crate::model::captcha::{CaptchaDemand, CaptchaProvider};
use schemars::JsonSchema;
use serde::Serialize;

/// A kind of problem.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// What programs rely on; never changes its meaning.
    pub code: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The same short sentence each time.
    pub title: &'static str,
    /// What it means and what to do, for who reads the documentation.
    pub meaning: &'static str,
}

macro_rules! kinds {
    ($($name:ident = $code:literal $status:literal $title:literal: $meaning:literal;)*) => {
        $(
            #[doc = concat!("`", $code, "`: ", $meaning)]
            pub const $name: Kind = Kind { code: $code, status: $status, title: $title, meaning: $meaning };
        )*

        /// Every kind there is, in the order of the documentation.
        pub const ALL: &[&Kind] = &[$(&$name),*];
    };
}

kinds! {
    NOT_FOUND = "not_found" 404 "There is nothing here":
        "Nothing has this path or this name, or it is gone.";
    METHOD_NOT_ALLOWED = "method_not_allowed" 405 "Another method is needed":
        "`Allow` lists those that the path knows.";
    UNAUTHORIZED = "unauthorized" 401 "A valid API key is needed":
        "No `Authorization: Bearer KEY` came along, or the key is nobody's or was revoked.";
    SCOPE_MISSING = "scope_missing" 403 "The API key may not do this":
        "It lacks the scope that `scope` names. Make another that has it.";
    KEY_BOUND = "key_bound" 403 "The API key is for some services alone":
        "What is about all services (keys, endpoints, opt-outs, test numbers, lists, limits, trying policies, the audit log, erasures, making services) needs a key that is not bound.";
    SIGNATURE_REJECTED = "signature_rejected" 403 "The signature was rejected":
        "A webhook is not signed with a token that is configured.";
    OTHER_ORIGIN = "other_origin" 403 "This listener is for its own machine":
        "The admin listener was asked by a name that is not this machine's, or by another site's page.";
    INVALID_REQUEST = "invalid_request" 422 "The request cannot be understood":
        "A field, parameter or header is missing, unknown or not what it should be. `field` names it and `detail` says what would be right.";
    INVALID_NUMBER = "invalid_number" 422 "The telephone number cannot be used":
        "It is none, or of a kind that is refused. `reason` is a word for programs.";
    INVALID_CODE = "invalid_code" 422 "This cannot be a code; no check was spent":
        "It has another length or other characters than this verification's. `length` says how many are right.";
    INVALID_CURSOR = "invalid_cursor" 422 "The cursor cannot be used":
        "It is none, or belongs to another list or other filters. Begin at the first page.";
    RECORD_TOO_LARGE = "record_too_large" 422 "This is more than one record can hold":
        "What is kept together (a service's settings, its rate limits, a verification with its tags) has a limit of 65536 bytes, however legal each part is. `detail` says how much it would be.";
    CHANNEL_NOT_OFFERED = "channel_not_offered" 422 "The channel is not offered":
        "The service does not have it, or not for this number.";
    COUNTRY_NOT_OFFERED = "country_not_offered" 422 "The channel is not offered in this country":
        "The service does not use it in the number's country. Try another.";
    NO_CHANNEL = "no_channel" 422 "No channel reaches this number":
        "None of the service's may be used for it.";
    NOT_ALLOWED = "not_allowed" 422 "The service does not allow this":
        "A setting of the service forbids what `field` asks for; `detail` names it.";
    PAYMENT_MISSING = "payment_missing" 422 "The payment is missing":
        "With `psd2`, which binds codes to payments, a verification needs `amount` and `payee`; `field` names the one that is missing. One that began without them cannot be sent again: start anew.";
    SERVICE_NOT_FOUND = "service_not_found" 422 "There is no such service":
        "The request names one that does not exist, or no longer.";
    RECIPIENT_OPTED_OUT = "recipient_opted_out" 422 "The recipient has opted out of messages; a call may still be wanted":
        "The person told our sender to stop. They may text START, or be called.";
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused" 422 "The idempotency key belongs to another request":
        "The same `Idempotency-Key` came with a different request within 24 hours. Use a new key for a new request.";
    IDEMPOTENCY_IN_PROGRESS = "idempotency_in_progress" 409 "The same request is being done":
        "One with this `Idempotency-Key` has not been answered yet.";
    VERIFICATION_ENDED = "verification_ended" 409 "The verification has ended; start a new one":
        "It was approved, canceled, used up or has expired: `verification_status` says which.";
    MESSAGE_STATUS = "message_status" 409 "The message stands otherwise":
        "Its status is `message_status`: one that has left is not called off, and only one that failed or expired is sent again.";
    VERIFICATION_PENDING = "verification_pending" 409 "Another verification of this number is under way":
        "Your key has begun one, for another purpose, amount or payee, and it waits for its code. Call it off, or wait for its end; a service with `pending` = `many` lets you begin many.";
    LIST_FULL = "list_full" 409 "The lists are full":
        "Those of who is allowed or blocked hold 10000 entries. Take some away, or name ranges and networks instead of numbers.";
    SERVICE_READ_ONLY = "service_read_only" 409 "The service comes from the configuration":
        "It is changed there, under the key that `configured_at` names, and not here.";
    TEST_NUMBERS_READ_ONLY = "test_numbers_read_only" 409 "Test numbers come from the configuration":
        "They are listed there under `test_numbers`, and nowhere else, so that nobody can open a door with an API key.";
    SESSION_ENDED = "session_ended" 409 "The session has ended":
        "Its number is proved, or it has failed: `detail` says which. Its result is what there is to know of it.";
    RESEND_TOO_SOON = "resend_too_soon" 429 "The next message or call is not allowed yet":
        "Wait until `resend_at`, in `retry_after` seconds.";
    LIMIT_REACHED = "limit_reached" 429 "A limit is reached":
        "It would be one too many for a number, an address, a key or all together: `rule` is its name under `[limits]`, or `psd2_block` for payments that are blocked, and `retry_at` when there is room again.";
    SLOW_DOWN = "slow_down" 429 "This has to wait a little":
        "The signal that `rule` names (`[fraud.signals]`) speaks for a wait. Ask again at `retry_at`, in `retry_after` seconds.";
    FRAUD_SUSPECTED = "fraud_suspected" 403 "This looks like fraud":
        "The signal that `rule` names (`[fraud.signals]`) speaks against this request: until `retry_at`, where there is one, if nothing more happens.";
    BLOCKED = "blocked" 403 "This is on the block list":
        "The operator has blocked the number, its range, its country or the person's network; until `retry_at`, where there is one.";
    CAPTCHA_REQUIRED = "captcha_required" 403 "A proof is needed first":
        "The signal that `rule` names (`[fraud.signals]`) asks for one: `captcha` says whose proof and for what, and `reason` what was wrong with the one that came along, where one did. Ask again with `captcha_token`.";
    NO_SENDS_LEFT = "no_sends_left" 429 "All messages and calls are used up":
        "This verification may send no more. Call it off, or wait for its end, and start a new one.";
    NO_NUMBERS_LEFT = "no_numbers_left" 429 "All numbers are used up":
        "The person has changed the number as often as a session allows.";
    NO_STARTS_LEFT = "no_starts_left" 429 "All verifications are used up":
        "The person has begun as many as a session allows.";
    NO_SUCH_RESULT = "no_such_result" 404 "There is no such result":
        "The result is not this session's, or it was exchanged before.";
    RATE_LIMITED = "rate_limited" 429 "Too many requests":
        "The API key has used up its requests for now.";
    WRONG_KEYS = "wrong_keys" 429 "Too many wrong API keys":
        "Many keys that are nobody's came from your address. A right one is let in at once.";
    BODY_TOO_LARGE = "body_too_large" 413 "The body is too large":
        "`server.max_body_bytes` is the limit; forms have 65536 bytes and 200 pairs at most.";
    BODY_LATE = "body_late" 408 "The body did not arrive in time":
        "`server.request_timeout_seconds` is the limit.";
    BODY_BROKEN = "body_broken" 400 "The body broke off":
        "The connection ended before the body did.";
    INTERNAL = "internal" 500 "Something failed here; it has been logged":
        "A defect, or a key that is missing on the server.";
    CONTENDED = "contended" 503 "Too many requests for the same thing at once":
        "Others changed the same record again and again.";
    CAPTCHA_UNAVAILABLE = "captcha_unavailable" 503 "Proofs cannot be looked at now":
        "The provider of proofs is away, or does not take the key of `[captcha]`; the log says which. Nothing was sent, and the proof was not used: ask again with the same one.";
    CHECK_UNAVAILABLE = "check_unavailable" 503 "Codes cannot be compared now":
        "The codes are Twilio Verify's (`gateway.kind = \"verify\"`), and it does not answer. Nobody knows whether the code is right; a check is counted only where it may have been compared. Ask again with the same code.";
    NO_STREAM = "no_stream" 503 "No stream of events can be begun now":
        "There are as many as `events.max_streams` allows, the key has its share of them (a quarter), or the server is stopping.";
    STORE_UNAVAILABLE = "store_unavailable" 503 "The store cannot do this now":
        "The store is overloaded, closing or failing.";
}

/// A problem document (RFC 9457). Other members may be there; ignore those
/// that you do not know.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Problem {
    /// `urn:dialback:problem:` and the code, with dashes.
    pub r#type: String,
    /// The same short sentence for each code.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What programs rely on.
    pub code: &'static str,
    /// What happened and what to do, for people.
    pub detail: String,
    /// What else there is to say.
    #[serde(flatten)]
    pub more: Members,
}

impl Problem {
    /// A problem of a kind.
    pub fn new(kind: &Kind, detail: String, more: Members) -> Self {
        Self {
            r#type: format!("urn:dialback:problem:{}", kind.code.replace('_', "-")),
            title: kind.title,
            status: kind.status,
            code: kind.code,
            detail,
            more,
        }
    }
}

/// Whose proof that a person is asking is wanted, and for what.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Captcha {
    /// Who gives it.
    pub provider: CaptchaProvider,
    /// The public key of the provider's widget; null for a word that the application signs.
    pub site_key: Option<String>,
    /// The action that the widget has to name; null for any.
    pub action: Option<String>,
    /// A name for the number and who asks, of 32 hexadecimal digits: the `sub` of a signed
    /// word, and the `cdata` of Turnstile's widget.
    pub bound_to: String,
}

impl From<&CaptchaDemand> for Captcha {
    fn from(demand: &CaptchaDemand) -> Self {
        Self {
            provider: demand.provider,
            site_key: demand.site_key.clone(),
            action: demand.action.clone(),
            bound_to: demand.bound_to.clone(),
        }
    }
}

/// What some problems say besides, each where it is known.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(default)]
pub struct Members {
    /// Which field, parameter or header is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Why a number or a proof is refused, as a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// How a verification ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verification_status: Option<&'static str>,
    /// Where the message stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_status: Option<&'static str>,
    /// From when on the next message or call is allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resend_at: Option<jiff::Timestamp>,
    /// The proof that is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub captcha: Option<Captcha>,
    /// The limit that is reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// From when on there may be room again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<jiff::Timestamp>,
    /// How many seconds to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<i64>,
    /// How many characters a code has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<u8>,
    /// The scope that is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<&'static str>,
    /// Where in the configuration it is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configured_at: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_different_words_and_statuses_are_errors() {
        for (at, kind) in ALL.iter().enumerate() {
            assert!(kind.code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{kind:?}");
            assert!((400..600).contains(&kind.status), "{kind:?}");
            assert!(ALL[..at].iter().all(|other| other.code != kind.code), "{kind:?}");
        }
    }
}
