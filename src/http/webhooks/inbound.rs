//! Texts and calls that people send us.

use super::prove;
use crate::http::context::Context;
use crate::http::error::Error;
use crate::http::reply;
use crate::http::request::Request;
use crate::messages::spoken;
use crate::model::delivery::Source;
use crate::model::opt_out::Keyword;
use crate::twilio::callback::{self, first};
use crate::twilio::form::Pairs;
use crate::twilio::twiml::{Response as Twiml, documents};
use crate::twilio::words;
use std::sync::Arc;
use warp::reply::Response;

/// `/twilio/sms`: opting out and in is recorded; a question for help is
/// answered; nothing else is, for nobody reads it.
pub async fn text(context: Arc<Context>, mut request: Request) -> Result<Response, Error> {
    let params = prove(&context, &mut request).await?.params;
    note(&context, &params).await?;
    let senders: Vec<&str> =
        ["To", "MessagingServiceSid"].iter().filter_map(|name| first(&params, name)).collect();
    if let Some(from) = first(&params, "From").filter(|from| from.starts_with("whatsapp:")) {
        context.service.wrote(from, &senders).await?;
    }
    let opt_out_type = first(&params, "OptOutType");
    let keyword = words::keyword(first(&params, "Body").unwrap_or_default(), opt_out_type);
    let Some(keyword) = keyword else {
        return xml(&documents::empty());
    };
    if let Some(from) = first(&params, "From") {
        context.service.keyword(from, &senders, keyword).await?;
    }
    // With Advanced Opt-Out Twilio has answered already; and after STOP it
    // refuses to carry an answer (21610), having sent its own.
    if opt_out_type.is_some() || keyword == Keyword::Stop {
        return xml(&documents::empty());
    }
    let words = spoken(None, first(&params, "FromCountry"), None);
    xml(&documents::inbound_text(words, keyword, &context.settings.service_name))
}

/// `/twilio/voice`: somebody calls our number back.
pub async fn call(context: Arc<Context>, mut request: Request) -> Result<Response, Error> {
    let params = prove(&context, &mut request).await?.params;
    note(&context, &params).await?;
    xml(&documents::inbound_call(spoken(None, first(&params, "FromCountry"), None)))
}

async fn note(context: &Context, params: &Pairs) -> Result<(), Error> {
    match callback::report(params, Source::Inbound, None) {
        Ok(report) => {
            context.service.record(report).await?;
        }
        Err(error) => tracing::warn!(%error, "a proved inbound request names nothing"),
    }
    Ok(())
}

fn xml(document: &Twiml) -> Result<Response, Error> {
    Ok(reply::twiml(document.render().map_err(|error| Error::Internal(error.to_string()))?))
}
