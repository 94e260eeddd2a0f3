//! The steps: forms that people send. Whatever comes of one, its answer leads
//! to the page that the session is at then (or back to the application), so
//! that nothing is sent by looking at a page again.

use super::guard;
use super::note::Note;
use super::page_request::PageRequest;
use super::show::{base, gone, known, noted};
use super::widget;
use crate::app::admission::AdmissionError;
use crate::app::fault::Fault;
use crate::app::verification::{self, CaptchaOffer, SessionError, VerificationError, Visitor};
use crate::http::context::Context;
use crate::http::error::Error;
use crate::http::refusal::Refusal;
use crate::http::request::Request;
use crate::model::captcha::CaptchaProvider;
use crate::model::channel::Channel;
use crate::model::code::CodeKind;
use crate::model::id::SessionId;
use crate::model::phone::PhoneError;
use crate::model::region::{self, Region};
use crate::model::session::Step;
use crate::model::typed;
use crate::model::verification::Status;
use crate::secret::Secret;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use warp::http::header::LOCATION;
use warp::http::{HeaderValue, StatusCode};
use warp::reply::Response;

/// Bytes of a form; ours have a few hundred.
const MOST_FORM: usize = 4096;
/// The same where a form may bring a proof, some of which have thousands.
const MOST_WITH_PROOF: usize = 16 * 1024;
/// The answer to a code takes a whole number of these, whatever came of it: the
/// time of an answer would tell a wrong code from one that is too old.
const CODE_TIME: Duration = Duration::from_millis(300);

/// What a form asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The first step.
    Begin,
    /// This is my number.
    Number,
    /// By this channel.
    Channel,
    /// This is the code.
    Code,
    /// Send it again, by this channel.
    Resend,
    /// Send me nothing that I do not ask for.
    Stay,
    /// Take another number instead.
    Change,
    /// Once more, after a failure.
    Again,
    /// I do not want to.
    Cancel,
    /// Back to the application.
    Return,
}

impl Action {
    /// Bytes of its form at most.
    fn most_bytes(self) -> usize {
        if matches!(self, Self::Channel | Self::Resend) { MOST_WITH_PROOF } else { MOST_FORM }
    }
}

/// Where a step leads.
enum Next {
    /// To the page that the session is at, with something to say.
    Page(Option<Note>),
    /// Back to the application.
    Away(Secret),
    /// To the application for its word that a person is there, with something to say once
    /// they are back.
    ForWord(String, Note),
}

/// `POST /verify/{session}/…`: takes a step, and answers by 303 to the session's page.
pub async fn take(context: Arc<Context>, mut request: Request, action: Action) -> Result<Response, Error> {
    let began = Instant::now();
    let page_request = PageRequest::of(&context, &request);
    let Some(id) = page_request.id.clone() else {
        return gone(&context, &page_request, None);
    };
    // Nobody waits for a form that cannot be one of ours.
    let body = match known(&page_request) {
        None => Ok(Bytes::new()),
        Some(_) => request.body(action.most_bytes(), context.settings.body_timeout).await,
    };
    let form = match body {
        Ok(body) => Form(serde_urlencoded::from_bytes(&body).unwrap_or_default()),
        Err(error) => {
            tracing::debug!(%error, "a form did not arrive");
            return gone(&context, &page_request, None);
        }
    };
    let next = match known(&page_request) {
        None => Next::Page(Some(Note::new("cookies"))),
        Some((_, browser))
            if guard::is_foreign(&context, &request) || !guard::is_ours(browser, form.get("token")) =>
        {
            Next::Page(Some(Note::new("form")))
        }
        Some((id, browser)) => match step(&context, &page_request, id, browser, action, &form).await {
            Ok(next) => next,
            Err(error) => failed(&context, (id, browser), error, &form).await,
        },
    };
    if action == Action::Code {
        tokio::time::sleep_until(began + even(began.elapsed())).await;
    }
    Ok(answer(&context, &id, next))
}

/// How long an answer takes whose work took so long: the next whole number of times.
fn even(work: Duration) -> Duration {
    let whole = work.as_millis() / CODE_TIME.as_millis() + 1;
    // A request is given up long before there are that many.
    CODE_TIME * u32::try_from(whole).unwrap_or(1)
}

/// Where a step leads that was not taken: where the application's word is asked for and
/// none was brought, there.
async fn failed(
    context: &Context,
    (id, browser): (&SessionId, &Secret),
    error: SessionError,
    form: &Form,
) -> Next {
    let bound_to = match Refusal::from(error.clone()) {
        Refusal::Admission(AdmissionError::CaptchaRequired { demand: Some(demand), .. })
            if demand.provider == CaptchaProvider::Signed && demand.why.is_none() =>
        {
            Some(demand.bound_to)
        }
        _ => None,
    };
    let note = note_of(error, form);
    let Some(bound_to) = bound_to else { return Next::Page(note) };
    let view = verification::session(&context.app.admission, id, Some(browser)).await;
    match (view.ok().and_then(|view| view.session.way_for_word(&bound_to)), note) {
        (Some(way), Some(note)) => Next::ForWord(way, note),
        // Nobody can be asked for a word.
        _ => Next::Page(Some(Note::new("refused"))),
    }
}

async fn step(
    context: &Context,
    page_request: &PageRequest,
    id: &SessionId,
    browser: &Secret,
    action: Action,
    form: &Form,
) -> Result<Next, SessionError> {
    let app = &context.app;
    let offer = form.proof();
    let visitor = Visitor { captcha: offer.as_ref(), ..page_request.visitor() };
    let leave = |way: Option<Secret>| way.map_or(Next::Page(None), Next::Away);
    match action {
        Action::Begin => {
            let view = verification::session_begin(&app.verifying, id, browser, visitor).await?;
            // The first page has a button for each way.
            if let (Step::Channel, Ok(channel)) = (view.step, form.channel()) {
                drop(verification::session_start(&app.verifying, id, browser, channel, visitor).await?);
            }
        }
        Action::Number => {
            let region = region::find(form.get("region")).map(|region| region.id.as_str());
            drop(
                verification::session_number(
                    &app.verifying,
                    id,
                    browser,
                    form.get("number"),
                    region,
                    visitor,
                )
                .await?,
            );
        }
        Action::Channel => {
            drop(verification::session_start(&app.verifying, id, browser, form.channel()?, visitor).await?)
        }
        Action::Resend => {
            drop(verification::session_resend(&app.verifying, id, browser, form.channel()?, visitor).await?)
        }
        Action::Stay => drop(verification::session_stay(&app.admission, id, browser).await?),
        Action::Change => {
            let old = verification::session(&app.admission, id, Some(browser)).await?.session.number;
            let view = verification::session_change(&app.admission, id, browser).await?;
            let old = old.filter(|_| view.step == Step::Number);
            return Ok(Next::Page(old.map(|number| Note::kept(&number))));
        }
        Action::Again => drop(verification::session_again(&app.verifying, id, browser, visitor).await?),
        Action::Cancel => {
            return Ok(leave(verification::session_leave(&app.admission, id, browser, true).await?));
        }
        Action::Return => {
            return Ok(leave(verification::session_leave(&app.admission, id, browser, false).await?));
        }
        Action::Code => {
            let checked = verification::session_check(&app.verifying, id, browser, form.get("code")).await?;
            // Of a verification that this has ended the page itself tells.
            let is_wrong = checked.is_some_and(|it| !it.valid && it.view.status == Status::Pending);
            return Ok(Next::Page(is_wrong.then(|| Note::new("code"))));
        }
    }
    Ok(Next::Page(None))
}

fn answer(context: &Context, id: &SessionId, next: Next) -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::SEE_OTHER;
    let place = match &next {
        Next::Page(_) => base(context, id),
        Next::Away(way) => way.expose().to_owned(),
        Next::ForWord(way, _) => way.clone(),
    };
    if let Ok(place) = HeaderValue::from_str(&place) {
        response.headers_mut().insert(LOCATION, place);
    }
    guard::dress(&mut response, None, None);
    if let Next::Page(Some(note)) | Next::ForWord(_, note) = &next {
        noted(context, &mut response, id, note);
    }
    response
}

/// What the next page says about an error. Nothing is said where the page
/// itself tells: a session that is gone, a verification that has ended.
fn note_of(error: SessionError, form: &Form) -> Option<Note> {
    let input = |note: Note| note.with_input(form.get("number"), form.get("region"));
    Some(match Refusal::from(error) {
        Refusal::Fault(Fault::NotFound) | Refusal::Verification(VerificationError::Ended(_)) => return None,
        Refusal::Verification(VerificationError::NotACode { kind: CodeKind::Digits, .. })
            if has_letters(form.get("code")) =>
        {
            Note::new("code_digits")
        }
        Refusal::Verification(VerificationError::NotACode { length, kind }) => Note::of_code(length, kind),
        Refusal::Verification(VerificationError::SeveralCodes) => Note::new("code_several"),
        Refusal::Admission(AdmissionError::Number(error)) => {
            let note = match error.country_code() {
                Some(code) => Note::about(error.code(), code),
                None => Note::new(error.code()),
            };
            input(note).read_as(judged_by(&error, form))
        }
        Refusal::Admission(AdmissionError::CountryOff { region, .. }) => {
            input(Note::about("country", region))
        }
        Refusal::Admission(AdmissionError::OptedOut) => Note::new("opted_out"),
        Refusal::Admission(AdmissionError::TooSoon { seconds, .. }) => Note::about("too_soon", seconds),
        Refusal::Admission(
            AdmissionError::LimitReached { seconds, .. } | AdmissionError::SlowDown { seconds, .. },
        ) => Note::about("limit", seconds),
        // Whoever asks does not hear why: it would be for them to go round.
        Refusal::Admission(
            AdmissionError::FraudSuspected { .. }
            | AdmissionError::Blocked { .. }
            | AdmissionError::CaptchaRequired { demand: None, .. },
        ) => input(Note::new("refused")),
        Refusal::Admission(AdmissionError::CaptchaRequired { demand: Some(demand), .. }) => {
            let name = if demand.why.is_some() { "captcha" } else { "" };
            Note { proof_by: demand.channel, ..Note::new(name) }
        }
        Refusal::Admission(AdmissionError::CaptchaUnavailable { channel }) => {
            Note { proof_by: channel, ..Note::new("captcha_away") }
        }
        Refusal::Admission(AdmissionError::NoSendsLeft { .. }) => Note::new("sends"),
        Refusal::Session(SessionError::NoNumbersLeft) => Note::new("numbers"),
        Refusal::Session(SessionError::NoStartsLeft) => Note::new("starts"),
        Refusal::Admission(
            AdmissionError::ChannelOff(_)
            | AdmissionError::NoChannel
            | AdmissionError::NoSender(_)
            | AdmissionError::Landline,
        ) => Note::new("channel"),
        // Said in the log by who asked.
        Refusal::Verification(VerificationError::CheckUnavailable { .. } | VerificationError::ChecksOpen) => {
            Note::new("trouble")
        }
        error => {
            tracing::error!(%error, "a step of a session failed");
            Note::new("trouble")
        }
    })
}

/// The country by whose plan a number was judged: the one that was chosen, where
/// it has that calling code. Nobody judged what is no number at all.
fn judged_by(error: &PhoneError, form: &Form) -> Option<&'static Region> {
    let chosen = region::find(form.get("region"));
    if let Some(code) = error.country_code() {
        return chosen.filter(|region| region.calling_code == code).or_else(|| region::of_code(code));
    }
    let is_national = !typed::plain(form.get("number")).contains('+');
    chosen.filter(|_| is_national && matches!(error, PhoneError::Extension | PhoneError::RefusedKind(_)))
}

/// Whether somebody typed letters for a code: a word with some, and no sentence.
fn has_letters(typed: &str) -> bool {
    let typed = typed.trim();
    typed.chars().any(char::is_alphabetic) && !typed.contains(char::is_whitespace)
}

struct Form(Vec<(String, String)>);

impl Form {
    fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value.as_str())
    }

    /// The proof that it brings, and what our page asked for it for.
    fn proof(&self) -> Option<CaptchaOffer> {
        let token = Secret::new(widget::proof(|name| self.get(name))?);
        let made_for = Some(self.get("bound_to").to_owned()).filter(|bound_to| !bound_to.is_empty());
        Some(CaptchaOffer { token, made_for })
    }

    fn channel(&self) -> Result<Channel, SessionError> {
        self.get("channel")
            .parse()
            .map_err(|_| SessionError::Verification(VerificationError::Admission(AdmissionError::NoChannel)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_to_codes_take_the_same_time_whatever_their_work() {
        for (work, takes) in [(0, 300), (7, 300), (299, 300), (300, 600), (310, 600), (1000, 1200)] {
            let (work, takes) = (Duration::from_millis(work), Duration::from_millis(takes));
            assert_eq!(even(work), takes, "{work:?} of work");
        }
    }

    #[test]
    fn a_word_with_letters_is_one_and_a_sentence_is_none() {
        for typed in ["12a456", " ABCDEF ", "O12345", "١٢ب٤٥٦"] {
            assert!(has_letters(typed), "{typed}");
        }
        for typed in ["", "12", "12-34", "Where is my code?", "your code: 12"] {
            assert!(!has_letters(typed), "{typed}");
        }
    }
}
