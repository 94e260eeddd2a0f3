//! Texts and calls that people send us.

use super::{Proved, prove, record};
use crate::app::messaging;
use crate::http::context::Context;
use crate::http::error::Error;
use crate::http::reply;
use crate::http::request::Request;
use crate::model::account::Proof;
use crate::model::delivery::Source;
use crate::model::opt_out::Keyword;
use crate::texts::spoken;
use crate::twilio::callback::{self, first};
use crate::twilio::documents;
use crate::twilio::form::Pairs;
use crate::twilio::twiml::Response as Twiml;
use crate::twilio::words;
use std::sync::Arc;
use warp::reply::Response;

/// `/twilio/sms`: opting out and in is recorded; a question for help is
/// answered; nothing else is, for nobody reads it.
pub async fn text(context: Arc<Context>, mut request: Request) -> Result<Response, Error> {
    let Proved { proof, params, .. } = prove(&context, &mut request).await?;
    note(&context, proof.as_ref(), &params).await?;
    let opt_out_type = first(&params, "OptOutType");
    let keyword = keyword(&params);
    match &proof {
        Some(proof) => record_opt_out(&context, proof, &params, keyword).await?,
        // Nobody has opted in again, so nobody is told so.
        None if keyword == Some(Keyword::Start) => return xml(&documents::empty()),
        None => {}
    }
    let Some(keyword) = keyword else {
        return xml(&documents::empty());
    };
    // With Advanced Opt-Out Twilio has answered already; and after STOP it
    // refuses to carry an answer (21610), having sent its own.
    if opt_out_type.is_some() || keyword == Keyword::Stop {
        return xml(&documents::empty());
    }
    let words = spoken(None, first(&params, "FromCountry"), None);
    xml(&documents::inbound_text(words, keyword, &context.settings.service_name))
}

/// A text that somebody has set the wrong URL for: it is taken where it came,
/// and the log says where it belongs.
pub(super) async fn strayed(context: &Context, came_to: &'static str, proved: &Proved) -> Result<(), Error> {
    tracing::warn!(
        wanted = %context.settings.public_url.join("/twilio/sms"),
        "an inbound text came to {came_to}: at Twilio, set this URL as what happens when a message comes in"
    );
    note(context, proved.proof.as_ref(), &proved.params).await?;
    match &proved.proof {
        Some(proof) => record_opt_out(context, proof, &proved.params, keyword(&proved.params)).await,
        None => Ok(()),
    }
}

/// Whether a request tells of a text that came in, and not of one that was sent.
pub(super) fn is_text(params: &Pairs) -> bool {
    let is_received =
        |name| first(params, name).is_some_and(|status| status.eq_ignore_ascii_case("received"));
    (is_received("SmsStatus") || is_received("MessageStatus"))
        && params.iter().any(|(name, _)| name == "Body")
}

/// What a text asks for.
pub(super) fn keyword(params: &Pairs) -> Option<Keyword> {
    words::keyword(first(params, "Body").unwrap_or_default(), first(params, "OptOutType"))
}

/// Records whether a text asks to be sent nothing any more, or to be sent to again.
pub(super) async fn record_opt_out(
    context: &Context,
    proof: &Proof,
    params: &Pairs,
    keyword: Option<Keyword>,
) -> Result<(), Error> {
    let Some(from) = first(params, "From") else { return Ok(()) };
    let senders: Vec<&str> =
        ["To", "MessagingServiceSid"].iter().filter_map(|name| first(params, name)).collect();
    if from.starts_with("whatsapp:") {
        messaging::wrote(&context.app.messaging, proof, from, &senders).await?;
    }
    if let Some(keyword) = keyword {
        messaging::keyword(&context.app.messaging, proof, from, &senders, keyword).await?;
    }
    Ok(())
}

/// `/twilio/voice`: somebody calls our number back.
pub async fn call(context: Arc<Context>, mut request: Request) -> Result<Response, Error> {
    let proved = prove(&context, &mut request).await?;
    if is_text(&proved.params) {
        strayed(&context, "/twilio/voice", &proved).await?;
        return xml(&documents::empty());
    }
    let Proved { proof, params, .. } = proved;
    note(&context, proof.as_ref(), &params).await?;
    xml(&documents::inbound_call(spoken(None, first(&params, "FromCountry"), None)))
}

async fn note(context: &Context, proof: Option<&Proof>, params: &Pairs) -> Result<(), Error> {
    match callback::report(params, Source::Inbound, None) {
        Ok(report) => {
            record(context, proof, report).await?;
        }
        Err(error) => tracing::warn!(%error, "an inbound request names nothing"),
    }
    Ok(())
}

fn xml(document: &Twiml) -> Result<Response, Error> {
    Ok(reply::twiml(document.render().map_err(|error| Error::Internal(error.to_string()))?))
}
