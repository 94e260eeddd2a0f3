//! What a call of ours hears: the gate first, then the code.
//!
//! The path carries the verification's id and the delivery's number, never the
//! code. Whatever is not exactly a call of ours hears the same goodbye as a
//! call whose code is spent.

use super::{Proved, prove, record};
use crate::app::fault::Fault;
use crate::app::messaging::{self, MessagingError, Said, Spoken, Step, VoiceRequest};
use crate::http::context::Context;
use crate::http::error::Error;
use crate::http::reply;
use crate::http::request::Request;
use crate::model::delivery::{Report, Source};
use crate::model::id::VerificationId;
use crate::texts::{Catalog, spoken};
use crate::twilio::documents::{self, Before, GatePolicy};
use crate::twilio::twiml::Response as Twiml;
use crate::twilio::words::Digit;
use crate::twilio::{callback, voice_request};
use std::sync::Arc;
use warp::reply::Response;

/// `/twilio/voice/{verification}/{delivery}`: the call was answered.
pub async fn answered(context: Arc<Context>, mut request: Request) -> Result<Response, Error> {
    let proved = prove(&context, &mut request).await?;
    speak(&context, &request, &proved, Step::Answered).await
}

/// `…/code`: a key was pressed at the gate, or none in time.
pub async fn gate(context: Arc<Context>, mut request: Request) -> Result<Response, Error> {
    let proved = prove(&context, &mut request).await?;
    let digits = digits(&proved);
    speak(&context, &request, &proved, Step::Gate { digits }).await
}

/// `…/read`: the code was read once, to its end.
pub async fn read(context: Arc<Context>, mut request: Request) -> Result<Response, Error> {
    let proved = prove(&context, &mut request).await?;
    speak(&context, &request, &proved, Step::Read).await
}

/// `…/again`: a key was pressed after the code.
pub async fn again(context: Arc<Context>, mut request: Request) -> Result<Response, Error> {
    let proved = prove(&context, &mut request).await?;
    let digits = digits(&proved);
    speak(&context, &request, &proved, Step::Again { digits }).await
}

/// What is not proved is noted like any other report, and hears nothing. What is
/// proved is noted when it was found to be the call that it says it is.
async fn speak(context: &Context, request: &Request, proved: &Proved, step: Step) -> Result<Response, Error> {
    let voice = voice_request(request, proved, step);
    // Kept before anything is answered: after an end nothing is read out any more.
    if voice_request::is_end(&proved.params) {
        keep(context, proved).await?;
    }
    let document = match (voice, &proved.proof) {
        // Cut into other pairs or not: a machine hears nothing.
        (None, _) if callback::is_machine(&proved.params) => documents::machine(),
        (None, _) => documents::not_for_you(),
        (Some(voice), None) => {
            if voice.step == Step::Answered {
                keep(context, proved).await?;
            }
            documents::not_for_you()
        }
        (Some(voice), Some(proof)) => {
            let base = format!(
                "{}/twilio/voice/{}/{}",
                context.settings.public_url, voice.verification, voice.number
            );
            // That the call was answered, and by whom, is delivery state like any other.
            let report = if voice.step == Step::Answered { reported(proved) } else { None };
            match messaging::speak_noting(&context.app.messaging, proof, voice, report).await {
                Ok(said) => document(&said, &context.settings.messages, &base)?,
                Err(MessagingError::Fault(Fault::NotFound)) => documents::not_for_you(),
                Err(error) => return Err(error.into()),
            }
        }
    };
    let xml = document.render().map_err(|error| Error::Internal(error.to_string()))?;
    Ok(reply::twiml(xml))
}

/// What the path and the parameters say, when they can be a call of ours that
/// goes on.
fn voice_request(request: &Request, proved: &Proved, step: Step) -> Option<VoiceRequest> {
    let voice_request::VoiceParams { sid, machine, from, to, .. } = voice_request::exact(&proved.params)?;
    Some(VoiceRequest {
        verification: request.params.first()?.parse::<VerificationId>().ok()?,
        number: request.params.get(1)?.parse().ok().filter(|number| *number > 0)?,
        sid,
        from,
        to,
        machine,
        step,
    })
}

/// Records what a request says of its call, under the call's own name.
async fn keep(context: &Context, proved: &Proved) -> Result<(), Error> {
    match reported(proved) {
        Some(report) => record(context, proved.proof.as_ref(), report).await.map(|_| ()),
        None => Ok(()),
    }
}

/// What a request says of its call. The name in the path is not that of the call:
/// it is only right where it leads to this very call, which the service decides.
fn reported(proved: &Proved) -> Option<Report> {
    callback::report(&proved.params, Source::VoiceRequest, None)
        .inspect_err(|error| tracing::warn!(%error, "a voice request names no call"))
        .ok()
}

fn document(said: &Said, messages: &Catalog, base: &str) -> Result<Twiml, Error> {
    let own = &said.service.settings;
    let words = spoken(said.locale.as_deref(), said.country.as_deref(), own.locale.as_deref());
    Ok(match &said.spoken {
        Spoken::Gate { key, wrong } => {
            let policy = key.and_then(Digit::new).map_or(GatePolicy::AnyKey, GatePolicy::Key);
            let action = format!("{base}/code");
            if *wrong {
                documents::wrong_key(words, policy, &action)
            } else {
                documents::gate(words, policy, &action, &said.name)
            }
        }
        Spoken::Code { code } => {
            let set = said.details.template.as_deref().or(own.template.as_deref());
            let intro = messages.call_intro(set, words.locale(), &said.name);
            let before = Before { payment: said.details.binding(), intro: intro.as_deref() };
            documents::read_code(words, code.expose(), before, &format!("{base}/read"))
                .map_err(|error| Error::Internal(error.to_string()))?
        }
        Spoken::CodeOnceMore { code, again } => {
            let again = again.then(|| format!("{base}/again"));
            documents::read_code_once_more(words, code.expose(), again.as_deref())
                .map_err(|error| Error::Internal(error.to_string()))?
        }
        Spoken::NoKey => documents::no_key(words),
        Spoken::Goodbye => documents::farewell(words),
        Spoken::Ended => documents::not_valid(words),
        Spoken::Machine => documents::machine(),
    })
}

fn digits(proved: &Proved) -> String {
    voice_request::exact(&proved.params).map(|params| params.digits).unwrap_or_default()
}
