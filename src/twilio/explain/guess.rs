//! What is guessed at, and what it is called.

use crate::twilio::signature::Rejection;

/// What explains a rejection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// Nothing to explain.
    Valid,
    /// Longer than is explained.
    TooLong,
    /// What the verifier said, and no guess fitted.
    Rejected(Rejection),
    /// The header was rewritten.
    HeaderSpelling,
    /// The settings header and the signature ask for different keys or hashes.
    Algorithm,
    /// The token of another configured account.
    OtherAccount,
    /// A token that is known and not accepted.
    OtherToken,
    /// White space, quotes or case of the token.
    TokenSpelling,
    /// Signed with nothing.
    EmptyToken,
    /// http for https or the other way round.
    Scheme,
    /// Another host name.
    Host,
    /// Another port, or none.
    Port,
    /// A slash at the path's end.
    TrailingSlash,
    /// A prefix of the path stripped or added.
    PathPrefix,
    /// The path decoded, tidied or in another case.
    PathSpelling,
    /// User name and password, or a fragment, in the URL.
    UrlExtras,
    /// The query lost or shortened.
    QueryDropped,
    /// A query, or a part of one, that was not signed.
    QueryAdded,
    /// The query encoded otherwise.
    QueryEncoding,
    /// The query in another order.
    QueryOrder,
    /// Query and body taken for one another.
    QueryAsBody,
    /// The body not signed, or not read as a form.
    BodyIgnored,
    /// The body decoded never or twice.
    BodyEncoding,
    /// Repeated names merged.
    RepeatedNames,
    /// Values trimmed, emptied or with other newlines.
    ValueAltered,
    /// Pairs in another order.
    BodyOrder,
    /// A parameter that was not signed.
    ParameterAdded,
    /// A parameter that was signed and is not there.
    ParameterMissing,
    /// Hashed body bytes that were changed.
    BodyRewritten,
    /// The hash written otherwise.
    HashSpelling,
}

impl Cause {
    /// A short stable name, for counting.
    pub fn code(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::TooLong => "too_long",
            Self::Rejected(rejection) => rejection.cause(),
            Self::HeaderSpelling => "header_spelling",
            Self::Algorithm => "algorithm",
            Self::OtherAccount => "other_account",
            Self::OtherToken => "other_token",
            Self::TokenSpelling => "token_spelling",
            Self::EmptyToken => "empty_token",
            Self::Scheme => "scheme",
            Self::Host => "host",
            Self::Port => "port",
            Self::TrailingSlash => "trailing_slash",
            Self::PathPrefix => "path_prefix",
            Self::PathSpelling => "path_spelling",
            Self::UrlExtras => "url_extras",
            Self::QueryDropped => "query_dropped",
            Self::QueryAdded => "query_added",
            Self::QueryEncoding => "query_encoding",
            Self::QueryOrder => "query_order",
            Self::QueryAsBody => "query_as_body",
            Self::BodyIgnored => "body_ignored",
            Self::BodyEncoding => "body_encoding",
            Self::RepeatedNames => "repeated_names",
            Self::ValueAltered => "value_altered",
            Self::BodyOrder => "body_order",
            Self::ParameterAdded => "parameter_added",
            Self::ParameterMissing => "parameter_missing",
            Self::BodyRewritten => "body_rewritten",
            Self::HashSpelling => "hash_spelling",
        }
    }

    /// What to do about it.
    pub(super) fn mend(self) -> &'static str {
        match self {
            Self::Scheme | Self::Port => "set public_url to what twilio calls",
            Self::Host => {
                "set public_url to what twilio calls, or, where a proxy of signature.trusted_proxies names it, \
                 list it in signature.hosts"
            }
            Self::TrailingSlash => {
                "make the url in twilio's console and public_url agree, and keep proxies from rewriting it"
            }
            Self::PathPrefix => "put the path prefix that twilio uses into public_url",
            Self::PathSpelling => "a proxy rewrites the path: pass it on as it came",
            Self::UrlExtras => "leave user name, password and fragment out of the url",
            Self::QueryAdded => "something adds to the query on the way: pass it on as it came",
            Self::QueryDropped => "a proxy drops the query: pass it on as it came",
            Self::QueryEncoding | Self::QueryOrder => "something rewrites the query: pass it on as it came",
            Self::QueryAsBody => "something moves parameters between query and body",
            Self::BodyIgnored => "something changes method or content-type, or signs without the body",
            Self::BodyEncoding => "decode the body exactly once before it is signed or checked",
            Self::RepeatedNames => "every distinct value of a repeated name is signed: do not merge them",
            Self::ValueAltered => "something tidies values before they are signed or checked",
            Self::BodyOrder => "sort by name alone, in order of bytes",
            Self::ParameterAdded => "somebody added it on the way",
            Self::ParameterMissing => "something removes it on the way",
            _ => "nothing",
        }
    }
}

/// A text that may have been signed instead.
pub(super) struct Guess {
    pub cause: Cause,
    pub text: String,
    pub url: String,
    pub tail: String,
    /// Whether the other spelling of the port is worth an HMAC too.
    pub either_port: bool,
}

impl Guess {
    /// `what` completes "would have matched …".
    pub fn new(cause: Cause, what: &str, url: &str, tail: &str) -> Self {
        Self {
            cause,
            text: format!("would have matched {what}: {}", cause.mend()),
            url: url.to_owned(),
            tail: tail.to_owned(),
            either_port: true,
        }
    }
}
