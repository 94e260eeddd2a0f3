//! Why a request is not accepted.

/// Why a request was not accepted, as far as that is known without guessing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Rejection {
    /// No header, or an empty one.
    #[error("the signature header is missing or empty")]
    MissingHeader,
    /// More than one header line: which one counts is anybody's guess.
    #[error("there is more than one signature header")]
    DuplicateHeader,
    /// Nothing is configured that could prove anything.
    #[error("no auth token is configured")]
    NoToken,
    /// `AccountSid` names an account that no accepted token belongs to.
    #[error("no auth token is configured for the account the request names")]
    UnknownAccount,
    /// No `AccountSid`, which everything has that Twilio sends.
    #[error("the request names no account")]
    NoAccount,
    /// More than one `AccountSid`, in the body or in the URL.
    #[error("the request names more than one account")]
    ManyAccounts,
    /// The key is another account's than the one that is named.
    #[error("the request names another account than that of the key it was signed with")]
    OtherAccount,
    /// The settings header names a SharedKey that is not configured.
    #[error("the settings header names a shared key that is not configured")]
    UnknownKey,
    /// The settings header names something else than HMAC_SHA1 or HMAC_SHA256.
    #[error("the settings header names an algorithm that is not known")]
    UnknownAlgorithm,
    /// A body that is no form, and no `bodySHA256` in the URL to cover it.
    #[error("the body is not covered by a signature: neither a form nor bodySHA256")]
    BodyNotCovered,
    /// The URL is Twilio's, the body is not what was hashed.
    #[error("the body is not the one that bodySHA256 is the hash of")]
    BodyHashMismatch,
    /// Another token, another URL or another body.
    #[error("the signature does not match")]
    Mismatch,
}

impl Rejection {
    /// A short stable name, for counting.
    pub fn cause(self) -> &'static str {
        match self {
            Self::MissingHeader => "missing_header",
            Self::DuplicateHeader => "duplicate_header",
            Self::NoToken => "no_token",
            Self::UnknownAccount => "unknown_account",
            Self::NoAccount => "no_account",
            Self::ManyAccounts => "many_accounts",
            Self::OtherAccount => "other_account",
            Self::UnknownKey => "unknown_key",
            Self::UnknownAlgorithm => "unknown_algorithm",
            Self::BodyNotCovered => "body_not_covered",
            Self::BodyHashMismatch => "body_hash_mismatch",
            Self::Mismatch => "mismatch",
        }
    }
}
