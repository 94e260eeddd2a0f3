//! What Twilio calls, or whoever is the gateway. Each handler proves the request, then records, decides
//! and answers; none of them ever calls back.

pub mod events;
pub mod gateway;
pub mod inbound;
mod place;
pub mod status;
pub mod voice;

use super::context::{Context, SignatureMode};
use super::error::Error;
use super::request::Request;
use crate::app::messaging::{self, MessagingError};
use crate::http::explainer::Rejected;
use crate::model::account::Proof;
use crate::model::delivery::Report;
use crate::twilio::form::{self, Pairs};
use crate::twilio::signature::{Rejection, SETTINGS_HEADER, SIGNATURE_HEADER, Signed, Verified};
use bytes::Bytes;

/// The longest batch of events, in bytes. Twilio states no limit, and discards a
/// batch that is refused for its length; `server.max_body_bytes` holds where it is
/// more. Bodies in flight have room for two of them at least.
const LONGEST_BATCH: usize = 4 * 1024 * 1024;

/// A webhook: Twilio's, or in report-only mode perhaps somebody else's.
struct Proved {
    /// Which account it is proved to come from; nothing where nothing is proved,
    /// and then it may change nothing and learn nothing.
    proof: Option<Proof>,
    /// Its parameters, decoded, in wire order.
    params: Pairs,
    /// Its body, as it came.
    body: Bytes,
}

/// Reads a request's form, once, and proves the request.
///
/// # Errors
/// The form's, or [`Error::Unproved`] when signatures are enforced.
async fn prove(context: &Context, request: &mut Request) -> Result<Proved, Error> {
    header_first(context, request)?;
    let body = request.form(context.settings.max_body, context.settings.body_timeout).await?;
    proved(context, request, body)
}

/// The same for a batch of events, which may be longer than a form.
///
/// # Errors
/// The body's, or [`Error::Unproved`] when signatures are enforced.
async fn prove_batch(context: &Context, request: &mut Request) -> Result<Proved, Error> {
    header_first(context, request)?;
    let target = request.raw_path_and_query();
    let others = place::forwarded(&context.settings, request);
    let mut urls = std::iter::once(context.settings.public_url.join(target))
        .chain(others.map(|other| other.join(target)));
    // Its signature covers the URL alone, so it is looked at before the body is
    // let in that only Twilio may make so long.
    let (signatures, settings) = (signatures(request), settings(request));
    let is_announced = urls.any(|url| context.verifier.announces_body(&url, &signatures, settings));
    drop((urls, signatures));
    let most = context.settings.max_body;
    let limit = if is_announced { most.max(LONGEST_BATCH) } else { most };
    match request.body(limit, context.settings.body_timeout).await {
        Err(error @ Error::BodyTooLarge { .. }) if is_announced => {
            tracing::error!(
                limit,
                "a batch of twilio's is too long: twilio does not send it again, its events are lost"
            );
            Err(error)
        }
        body => proved(context, request, body?),
    }
}

/// Refuses what no body could prove, before anybody waits for the body: a crowd
/// that signs nothing costs no memory.
fn header_first(context: &Context, request: &Request) -> Result<(), Error> {
    let signatures = signatures(request);
    match context.verifier.judge_header(&signatures, settings(request)) {
        Err(rejection) if context.settings.mode == SignatureMode::Enforce => {
            let url = context.settings.public_url.join(request.raw_path_and_query());
            reject(context, request, &signed(request, &url, &[], &signatures), rejection);
            Err(Error::Unproved)
        }
        _ => Ok(()),
    }
}

fn signatures(request: &Request) -> Vec<&[u8]> {
    request.headers.get_all(SIGNATURE_HEADER).iter().map(|value| value.as_bytes()).collect()
}

/// Of two settings headers one may be somebody else's; text that names no
/// algorithm is refused like any other.
fn settings(request: &Request) -> Option<&str> {
    match request.headers.get_all(SETTINGS_HEADER).iter().count() {
        0 | 1 => request.header(SETTINGS_HEADER),
        _ => Some("algorithm=ambiguous"),
    }
}

fn signed<'a>(request: &'a Request, url: &'a str, body: &'a [u8], signatures: &'a [&'a [u8]]) -> Signed<'a> {
    Signed {
        method: request.method.as_str(),
        url,
        content_type: request.header("content-type"),
        body,
        signatures,
        settings: settings(request),
    }
}

/// Proves a request whose body is here: over the configured address, and then,
/// where another one may be right, over that.
fn proved(context: &Context, request: &Request, body: Bytes) -> Result<Proved, Error> {
    let target = request.raw_path_and_query();
    let url = context.settings.public_url.join(target);
    let signatures = signatures(request);
    let signed = signed(request, &url, &body, &signatures);
    let verified = context.verifier.verify(&signed).or_else(|rejection| {
        let other = (rejection == Rejection::Mismatch).then(|| place::forwarded(&context.settings, request));
        let other = other.flatten().ok_or(rejection)?.join(target);
        context.verifier.verify(&Signed { url: &other, ..signed })
    });
    match verified {
        Ok(Verified { params, proof }) => {
            tracing::trace!(signer = proof.signer(), "webhook proved");
            Ok(Proved { proof: Some(proof), params, body })
        }
        Err(rejection) => {
            reject(context, request, &signed, rejection);
            match context.settings.mode {
                SignatureMode::Enforce => Err(Error::Unproved),
                SignatureMode::ReportOnly => {
                    Ok(Proved { proof: None, params: params(&signed, request), body })
                }
            }
        }
    }
}

/// Records what a webhook reports. What an account says of another one's message
/// is acknowledged, for nothing else would come of it, and changes nothing. Says
/// whether it was proved and taken.
///
/// # Errors
/// The store's: then it must not be acknowledged.
async fn record(context: &Context, proof: Option<&Proof>, report: Report) -> Result<bool, Error> {
    let sid = report.sid.clone();
    let Some(proof) = proof else {
        messaging::hear(&context.app.base, report).await?;
        return Ok(false);
    };
    match messaging::record(&context.app.messaging, proof, report).await {
        Ok(_) => Ok(true),
        Err(MessagingError::OtherAccount) => {
            let signer = proof.signer();
            tracing::warn!(%sid, signer, "a report about another account's message or call was dropped");
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

fn reject(context: &Context, request: &Request, signed: &Signed<'_>, rejection: Rejection) {
    context.count_rejected(rejection.cause());
    context.explainer.offer(|| Rejected {
        rejection,
        enforced: context.settings.mode == SignatureMode::Enforce,
        peer: request.peer(),
        method: signed.method.to_owned(),
        url: signed.url.to_owned(),
        content_type: signed.content_type.map(str::to_owned),
        body: signed.body.to_vec(),
        signatures: signed.signatures.iter().map(|signature| signature.to_vec()).collect(),
        settings: signed.settings.map(str::to_owned),
        hosts: ["host", "x-forwarded-host"]
            .into_iter()
            .filter_map(|name| request.header(name))
            .map(str::to_owned)
            .collect(),
    });
}

/// The parameters of a request that nothing proves, for report-only mode.
fn params(signed: &Signed<'_>, request: &Request) -> Pairs {
    if signed.method == "GET" { form::parse(request.query().as_bytes()) } else { form::parse(signed.body) }
}

/// One parameter of the query, raw: our own URLs need no decoding.
fn query_value<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.query().split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}
