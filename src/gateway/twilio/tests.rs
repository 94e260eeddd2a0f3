//! What is asked of Twilio, and what its answers mean, over a transport that
//! answers by script.

use super::*;
use crate::gateway::tests::{Fake, Scripted};
use crate::model::code::{CodeKey, CodeKeys};
use crate::model::delivery::Source;
use crate::model::id::{ServiceId, VerificationId};
use crate::model::service::{self, Origin, Service};
use crate::model::status::Status;
use crate::model::verification::Details;
use serde_json::{Value, json};
use std::sync::Mutex;

mod accounts;
mod approval;
mod fetch;
mod list;
mod look_up;
mod whatsapp;

const TOKEN: &str = "0af657d0e70acabaf35ab0f0f84481e5";
const TO: &str = "+14155550123";

fn settings() -> Settings {
    Settings {
        base_url: "https://api.twilio.com/".into(),
        content_url: "https://content.twilio.com".into(),
        account_sid: "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".into(),
        auth: ("ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".into(), Secret::new(TOKEN)),
        others: Vec::new(),
        sender: Sender::From("+15005550006".into()),
        call_from: Some("+15005550006".into()),
        messages: Arc::new(Catalog::shipped()),
        public_url: "https://verify.example.com".into(),
        voice_fallback_url: Some("https://handler.twilio.com/twiml/EHaaaa?who=us".into()),
        ring: Duration::from_secs(25),
        machine_detection: MachineDetection::Enable,
        concurrency: 2,
    }
}

fn send_request(channel: Channel) -> SendRequest {
    let id = VerificationId::from_random([7; 15]);
    let key = CodeKey { id: "a".into(), secret: Secret::new("k".repeat(32)) };
    let codes = CodeKeys::new(vec![key]).unwrap();
    SendRequest {
        id: id.delivery(2),
        channel,
        to: TO.parse().unwrap(),
        content: Carried::Code {
            code: codes.derive(&id, &codes.seed([1; 16], 6)).unwrap(),
            details: Details::default(),
        },
        locale: Some("en".into()),
        valid_for: Duration::from_secs(421),
        begin_by: Instant::now() + Duration::from_secs(60),
        service: Arc::new(acme()),
        window_open: false,
        route: None,
    }
}

/// The same for a verification of which the application said that.
fn paid_by(details: Details, request: SendRequest) -> SendRequest {
    let code = request.code().unwrap().clone();
    SendRequest { content: Carried::Code { code, details }, ..request }
}

fn acme() -> Service {
    Service {
        id: ServiceId::from_name("acme"),
        settings: service::Settings { name: "Acme".into(), ..service::Settings::default() },
        origin: Origin::Api,
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
    }
}

fn fake(answer: Scripted) -> &'static Fake {
    Box::leak(Box::new(Fake { answer, asked: Mutex::default() }))
}

fn answer(status: u16, body: &Value) -> Scripted {
    Ok(Answer { status, retry_after: None, body: body.to_string().into_bytes() })
}

fn created(channel: Channel) -> Scripted {
    let sid = if channel == Channel::Call { "CA" } else { "SM" };
    answer(201, &json!({"sid": format!("{sid}{:032x}", 1), "status": "queued", "to": TO, "from": null}))
}

/// Sends a request, and returns the verdict and the one request that was made.
async fn send_with(
    settings: Settings,
    channel: Channel,
    said: Scripted,
) -> (Result<Report, SendError>, Outgoing) {
    let fake = fake(said);
    let verdict = Twilio::new(settings, fake).send(&send_request(channel)).await;
    let mut asked = std::mem::take(&mut *fake.asked.lock().unwrap());
    assert_eq!(asked.len(), 1, "never repeated in here");
    (verdict, asked.remove(0))
}

async fn refused(said: Scripted) -> SendError {
    send_with(settings(), Channel::Sms, said).await.0.unwrap_err()
}

fn value<'a>(request: &'a Outgoing, name: &str) -> Vec<&'a str> {
    request.form.iter().filter(|(other, _)| *other == name).map(|(_, value)| value.as_str()).collect()
}

/// The one HTTP request that a send makes.
async fn asked(send_request: SendRequest) -> Result<Outgoing, SendError> {
    let fake = fake(created(send_request.channel));
    Twilio::new(settings(), fake).send(&send_request).await?;
    Ok(fake.asked.lock().unwrap().remove(0))
}

fn since() -> Timestamp {
    "2026-11-20T09:30:00Z".parse().unwrap()
}

async fn look_up_in(
    channel: Channel,
    since: Timestamp,
    list: &Value,
) -> (Result<Option<Report>, SendError>, String) {
    let fake = fake(answer(200, list));
    let others = [format!("SM{:032x}", 9).parse().unwrap(), format!("CA{:032x}", 9).parse().unwrap()];
    let found = Twilio::new(settings(), fake).look_up(&send_request(channel), since, &others).await;
    let asked = fake.asked.lock().unwrap();
    assert_eq!((asked.len(), asked[0].method), (1, "GET"));
    (found, asked[0].url.clone())
}

// Requests.

#[tokio::test]
async fn a_text_goes_out_from_a_number_and_lives_no_longer_than_its_code() {
    let (report, request) = send_with(settings(), Channel::Sms, created(Channel::Sms)).await;
    let send_request = send_request(Channel::Sms);
    assert_eq!(request.method, "POST");
    assert_eq!(
        request.url,
        "https://api.twilio.com/2010-04-01/Accounts/ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/Messages.json"
    );
    assert_eq!(request.auth.1.expose(), TOKEN);
    assert_eq!(value(&request, "To"), [TO]);
    assert_eq!(value(&request, "From"), ["+15005550006"]);
    assert_eq!(value(&request, "MessagingServiceSid"), [""; 0]);
    assert_eq!(value(&request, "ValidityPeriod"), ["421"]);
    let callback =
        format!("https://verify.example.com/twilio/status?delivery={}{CALLBACK_OVERRIDES}", send_request.id);
    assert_eq!(value(&request, "StatusCallback"), [callback]);
    let body = value(&request, "Body")[0];
    assert!(
        body.contains(send_request.code().unwrap().expose())
            && body.contains("Acme")
            && body.contains("7 minutes"),
        "of 421 seconds"
    );

    let report = report.unwrap();
    assert_eq!(report.id, Some(send_request.id));
    assert_eq!((report.fact.status, report.fact.source), (Some(Status::Queued), Source::Api));
}

#[tokio::test]
async fn a_text_promises_no_minute_that_its_code_has_not() {
    for (seconds, minutes) in [
        (600, "10 minutes"),
        (599, "10 minutes"),
        (590, "9 minutes"),
        (120, "2 minutes"),
        (99, "1 minute"),
        (60, "1 minute"),
        (59, "59 seconds"),
        (20, "20 seconds"),
        (86_400, "24 hours"),
        (86_398, "24 hours"),
        (82_000, "22 hours"),
    ] {
        let send_request =
            SendRequest { valid_for: Duration::from_secs(seconds), ..send_request(Channel::Sms) };
        let request = asked(send_request).await.unwrap();
        let body = value(&request, "Body")[0].to_owned();
        assert!(body.contains(&format!("{minutes}.")), "{seconds} s: {body}");
    }
}

#[tokio::test]
async fn a_messaging_service_goes_without_a_number() {
    let service = "MGaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    let settings = Settings { sender: Sender::MessagingService(service.into()), ..settings() };
    let (_, request) = send_with(settings, Channel::Sms, created(Channel::Sms)).await;
    assert_eq!(value(&request, "MessagingServiceSid"), [service]);
    assert_eq!(value(&request, "From"), [""; 0]);
}

#[tokio::test]
async fn a_call_fetches_its_code_later_from_a_url_without_it() {
    let (report, request) = send_with(settings(), Channel::Call, created(Channel::Call)).await;
    let send_request = send_request(Channel::Call);
    assert!(request.url.ends_with("/Calls.json"));
    let (verification, _) = send_request.id.of_verification().unwrap();
    let url = format!("https://verify.example.com/twilio/voice/{verification}/2{TWIML_OVERRIDES}");
    assert_eq!(value(&request, "Url"), [url]);
    let callback = format!(
        "https://verify.example.com/twilio/call-status?delivery={}{CALLBACK_OVERRIDES}",
        send_request.id
    );
    assert_eq!(value(&request, "StatusCallback"), [callback]);
    assert_eq!(
        value(&request, "StatusCallbackEvent"),
        ["initiated", "ringing", "answered", "completed"],
        "one by one, not joined"
    );
    assert_eq!(value(&request, "Timeout"), ["25"]);
    assert_eq!(value(&request, "MachineDetection"), ["Enable"]);
    assert_eq!(value(&request, "FallbackUrl"), ["https://handler.twilio.com/twiml/EHaaaa?who=us"]);
    assert_eq!(value(&request, "FallbackMethod"), ["POST"]);
    let code = send_request.code().unwrap().expose();
    assert!(request.form.iter().all(|(_, value)| !value.contains(code)) && !request.url.contains(code));
    assert!(report.unwrap().sid.is_call());
}

#[tokio::test]
async fn a_call_rings_no_longer_than_its_code_lives() {
    let gateway_of =
        |ring| Settings { ring: Duration::from_secs(ring), voice_fallback_url: None, ..settings() };
    let (_, request) = send_with(gateway_of(600), Channel::Call, created(Channel::Call)).await;
    assert_eq!(value(&request, "Timeout"), ["421"]);
    assert!(value(&request, "FallbackUrl").is_empty() && value(&request, "FallbackMethod").is_empty());
}

#[tokio::test]
async fn without_a_number_to_call_from_nothing_is_asked() {
    let fake = fake(created(Channel::Call));
    let settings = Settings { call_from: None, ..settings() };
    let refused = Twilio::new(settings, fake).send(&send_request(Channel::Call)).await;
    assert!(matches!(refused, Err(SendError::Refused { code: None, .. })));
    assert!(fake.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_service_sends_and_calls_as_itself() {
    let with = |own: service::Settings| {
        let settings = service::Settings { name: "Shop".into(), ..own };
        Service { settings, ..acme() }
    };
    let own = with(service::Settings { from: Some("+15005550001".into()), ..Default::default() });
    let sms =
        asked(SendRequest { service: Arc::new(own.clone()), ..send_request(Channel::Sms) }).await.unwrap();
    let call = asked(SendRequest { service: Arc::new(own), ..send_request(Channel::Call) }).await.unwrap();
    assert_eq!((value(&sms, "From"), value(&call, "From")), (vec!["+15005550001"], vec!["+15005550001"]));
    assert!(value(&sms, "Body")[0].contains("Shop"));
    let name = with(service::Settings { from: Some("SHOP".into()), ..Default::default() });
    let call = asked(SendRequest { service: Arc::new(name), ..send_request(Channel::Call) }).await.unwrap();
    assert_eq!(value(&call, "From"), ["+15005550006"], "a name cannot call");
}

#[tokio::test]
async fn a_text_is_in_the_words_of_the_service_and_says_what_it_costs() {
    let own = service::Settings {
        name: "Acme".into(),
        domain: Some("acme.example".into()),
        do_not_share: true,
        locale: Some("fr".into()),
        ..Default::default()
    };
    let details = Details {
        friendly_name: Some("Acme Bank".into()),
        amount: Some("12,50 €".into()),
        payee: Some("Shop".into()),
        ..Details::default()
    };
    let service = Arc::new(Service { settings: own, ..acme() });
    let send_request =
        SendRequest { service, locale: Some("de".into()), ..paid_by(details, send_request(Channel::Sms)) };
    let code = send_request.code().unwrap().expose().to_owned();
    let fake = fake(created(Channel::Sms));
    let report = Twilio::new(settings(), fake).send(&send_request).await.unwrap();
    let asked = fake.asked.lock().unwrap();
    assert_eq!(
        value(&asked[0], "Body"),
        [format!(
            "Acme Bank: Mit dem Code {code} bestätigen Sie die Zahlung von 12,50 € an Shop. \
             Er ist 7 Minuten gültig. Geben Sie ihn nie weiter.\n@acme.example #{code}"
        )]
    );
    assert_eq!((report.about.encoding.as_deref(), report.about.counted_segments), (Some("GSM-7"), Some(1)));
}

// Answers.

#[tokio::test]
async fn an_error_document_is_a_refusal_with_its_code() {
    let document =
        json!({"code": 21211, "message": format!("The 'To' number {TO} is not valid."), "status": 400});
    let error = refused(answer(400, &document)).await;
    let SendError::Refused { code: Some(21211), reason } = &error else { panic!("{error:?}") };
    assert_eq!(reason, errors::lookup(21211).name, "in words of ours: Twilio's repeat the number");
    let unauthorized = refused(answer(401, &json!({"code": 20003}))).await;
    assert!(matches!(unauthorized, SendError::Refused { code: Some(20003), .. }));
    let bare = refused(Ok(Answer { status: 404, retry_after: None, body: b"<html>".to_vec() })).await;
    assert!(matches!(bare, SendError::Refused { code: None, .. }));
}

#[tokio::test]
async fn too_many_requests_were_not_processed() {
    for (retry_after, expected) in [(Some(7), 7), (None, 0), (Some(86_400), 86_400), (Some(0), 0)] {
        let body = br#"{"code":20429}"#.to_vec();
        let error = refused(Ok(Answer { status: 429, retry_after, body })).await;
        let SendError::NotProcessed { code: Some(20429), after, reason } = error else { panic!("{error:?}") };
        assert_eq!(after, Duration::from_secs(expected), "as it was asked for: the code's life bounds it");
        assert_eq!(reason, "twilio answered 429 (Too Many Requests)");
    }
    let odd = refused(answer(503, &json!({ "code": 20429 }))).await;
    assert!(matches!(odd, SendError::NotProcessed { .. }), "the code says it, whatever the status: {odd:?}");
    let full = refused(answer(400, &json!({ "code": 21611 }))).await;
    assert!(matches!(full, SendError::NotProcessed { .. }), "the sender's queue empties: {full:?}");
    let for_today = refused(answer(400, &json!({ "code": 14107 }))).await;
    assert!(matches!(for_today, SendError::Refused { .. }), "not on the same channel: {for_today:?}");
}

#[tokio::test]
async fn what_could_not_be_begun_in_time_is_not_begun() {
    let fake = fake(created(Channel::Sms));
    let late =
        SendRequest { begin_by: Instant::now() - Duration::from_millis(1), ..send_request(Channel::Sms) };
    let answer = Twilio::new(settings(), fake).send(&late).await;
    assert!(matches!(answer, Err(SendError::NotProcessed { .. })), "{answer:?}");
    assert!(fake.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_may_have_been_processed_is_unknown() {
    let texts = ["", "{}", "[]", "not json", r#"{"sid":"XX1"}"#, r#"{"sid":"SM1"}"#];
    let mut unknown: Vec<Scripted> = texts
        .map(|text| Ok(Answer { status: 201, retry_after: None, body: text.as_bytes().to_vec() }))
        .to_vec();
    unknown.extend([500, 502, 503, 504, 408, 302].map(|status| answer(status, &json!({"code": 20500}))));
    unknown.push(Err(TransportError::Broken("operation timed out".into())));
    for said in unknown {
        let error = refused(said.clone()).await;
        assert!(matches!(error, SendError::Unknown { .. }), "{said:?} is {error:?}");
    }
    let body = br#"{"code":20503}"#.to_vec();
    let error = refused(Ok(Answer { status: 503, retry_after: Some(9), body })).await;
    let reason = "twilio answered 503 (Service unavailable)".to_owned();
    assert_eq!(error, SendError::Unknown { code: Some(20503), reason, after: Duration::from_secs(9) });
    let error = refused(answer(502, &json!({"code": 20598}))).await;
    assert_eq!(
        error.to_string(),
        "outcome unknown: twilio answered 502 (error 20598)",
        "no meaning is invented"
    );
}

#[tokio::test]
async fn where_no_connection_came_about_nothing_was_taken() {
    let error = refused(Err(TransportError::NotConnected("connection refused".into()))).await;
    assert!(matches!(error, SendError::NotProcessed { code: None, .. }));
    assert_eq!(error.to_string(), "not processed: cannot connect to twilio: connection refused");
}

// Secrets.

#[tokio::test]
async fn nothing_secret_shows_in_what_may_be_logged() {
    let send_request = send_request(Channel::Sms);
    let document = json!({"code": 21211, "message": format!("{TO} {}", send_request.code().unwrap().expose()), "sid": send_request.code().unwrap().expose()});
    let mut said = Vec::new();
    for status in [201, 400, 429, 500] {
        let error = refused(answer(status, &document)).await;
        said.push(format!("{error} {error:?}"));
    }
    let (_, request) = send_with(settings(), Channel::Sms, created(Channel::Sms)).await;
    let (_, call) = send_with(settings(), Channel::Call, created(Channel::Call)).await;
    let (_, url) = look_up_in(Channel::Sms, since(), &json!({"messages": []})).await;
    let look_up = Outgoing { url, ..call.clone() };
    said.push(format!("{request:?} {call:?} {look_up:?} {send_request:?} {:?}", settings()));
    said.push(format!("{:?}", answer(400, &document)));
    said.push(format!("{:?}", serde_json::from_value::<ErrorDocument>(document)));
    for text in said {
        for secret in [TOKEN, send_request.code().unwrap().expose(), TO, "4155550123"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

async fn redacted(answer: Scripted, sid: &str, delete: bool) -> (Result<Redaction, SendError>, Vec<String>) {
    let fake = fake(answer);
    let outcome = Twilio::new(settings(), fake).redact(&sid.parse().unwrap(), None, delete).await;
    let asked = fake.asked.lock().unwrap();
    let line = |asked: &Outgoing| {
        let path = asked.url.split("/Accounts/").last().unwrap_or_default()[35..].to_owned();
        let form: Vec<String> = asked.form.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        format!("{} {path} {}", asked.method, form.join("&")).trim_end().to_owned()
    };
    (outcome, asked.iter().map(line).collect())
}

#[tokio::test]
async fn a_message_is_emptied_and_a_calls_recordings_are_deleted() {
    let (message, call) = (format!("SM{}", "a".repeat(32)), format!("CA{}", "b".repeat(32)));
    let (outcome, asked) = redacted(answer(200, &json!({ "body": "" })), &message, false).await;
    assert_eq!(
        (outcome, asked),
        (Ok(Redaction::Done), vec![format!("POST Messages/{message}.json Body=\"\"")])
    );
    let (_, asked) = redacted(answer(204, &json!({})), &message, true).await;
    assert_eq!(asked[1], format!("DELETE Messages/{message}.json"));
    let none = json!({ "recordings": [] });
    let (outcome, asked) = redacted(answer(200, &none), &call, true).await;
    assert_eq!(outcome, Ok(Redaction::Done));
    let list = format!("GET Calls/{call}/Recordings.json?PageSize=100");
    assert_eq!(asked, [list, format!("DELETE Calls/{call}.json")]);
    let one = json!({ "recordings": [{ "sid": format!("RE{}", "c".repeat(32)) }] });
    let (outcome, asked) = redacted(answer(200, &one), &call, false).await;
    assert!(matches!(outcome, Err(SendError::Unknown { .. })), "the list never ends: {outcome:?}");
    assert_eq!(asked[1], format!("DELETE Recordings/RE{}.json", "c".repeat(32)));
}

#[tokio::test]
async fn what_is_gone_is_done_and_what_is_not_complete_is_tried_again() {
    let sid = format!("SM{}", "a".repeat(32));
    let (outcome, asked) = redacted(answer(404, &json!({ "code": 20404 })), &sid, true).await;
    assert_eq!((outcome, asked.len()), (Ok(Redaction::Gone), 1));
    let refused = json!({ "code": 20009, "message": "Cannot modify this resource before it is complete" });
    let (outcome, _) = redacted(answer(409, &refused), &sid, false).await;
    assert!(matches!(outcome, Err(SendError::NotProcessed { code: Some(20009), .. })), "{outcome:?}");
}
