//! What is asked of Verify, and what its answers mean, over a transport that answers by
//! script.

use super::*;
use crate::gateway::Redaction;
use crate::gateway::tests::{Fake, Scripted};
use crate::model::code::{CodeKey, CodeKeys};
use crate::model::id::{ServiceId, VerificationId};
use crate::model::message::Content;
use crate::model::service::{self, Origin, Service};
use crate::model::verification::Details;
use serde_json::{Value, json};
use std::sync::Mutex;

const TO: &str = "+14155550123";
const TOKEN: &str = "0af657d0e70acabaf35ab0f0f84481e5";
const SERVICE: &str = "VAbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const THEIRS: &str = "VEcccccccccccccccccccccccccccccccc";

fn answer(status: u16, body: &Value) -> Scripted {
    Ok(Answer { status, retry_after: None, body: body.to_string().into_bytes() })
}

fn error(status: u16, code: u32) -> Scripted {
    answer(status, &json!({ "code": code, "message": "in words", "status": status }))
}

/// A gateway that hears this, and what it will have asked.
fn hearing(answer: Scripted) -> (Verify<&'static Fake>, &'static Fake) {
    let fake: &'static Fake = Box::leak(Box::new(Fake { answer, asked: Mutex::default() }));
    let settings = Settings {
        base_url: "https://verify.twilio.com/".into(),
        service_sid: SERVICE.into(),
        account_sid: "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".into(),
        auth: ("ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".into(), Secret::new(TOKEN)),
        concurrency: 2,
    };
    (Verify::new(settings, fake), fake)
}

fn request(channel: Channel, details: Details) -> SendRequest {
    let id = VerificationId::from_random([7; 15]);
    let codes = CodeKeys::new(vec![CodeKey { id: "a".into(), secret: Secret::new("k".repeat(32)) }]).unwrap();
    let service = Service {
        id: ServiceId::from_name("acme"),
        settings: service::Settings { name: "Acme".into(), ..service::Settings::default() },
        origin: Origin::Api,
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
    };
    SendRequest {
        id: id.delivery(2),
        channel,
        to: TO.parse().unwrap(),
        content: Carried::Code { code: codes.derive(&id, &codes.seed([1; 16], 6)).unwrap(), details },
        locale: Some("de-AT".into()),
        valid_for: Duration::from_secs(421),
        begin_by: Instant::now() + Duration::from_secs(60),
        service: Arc::new(service),
        window_open: false,
        route: None,
    }
}

fn text() -> SendRequest {
    request(Channel::Sms, Details::default())
}

/// What was asked: the request line, and the form.
fn line(asked: &Outgoing) -> String {
    let form: Vec<String> = asked.form.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!(
        "{} {} {}",
        asked.method,
        asked.url.trim_start_matches("https://verify.twilio.com"),
        form.join("&")
    )
}

fn pending(attempts: Value) -> Scripted {
    answer(
        201,
        &json!({ "sid": THEIRS, "status": "pending", "valid": false, "send_code_attempts": attempts }),
    )
}

async fn sent(answer: Scripted, request: SendRequest) -> (Result<Report, SendError>, Vec<String>) {
    let (verify, fake) = hearing(answer);
    let verdict = verify.send(&request).await;
    let asked = fake.asked.lock().unwrap().iter().map(line).collect();
    (verdict, asked)
}

#[tokio::test]
async fn a_verification_is_asked_for_and_named() {
    let details = Details {
        friendly_name: Some("Shop".into()),
        amount: Some("39.99 €".into()),
        payee: Some("Acme".into()),
        app_hash: Some("He42w354ol9".into()),
        send_digits: Some("12".into()),
        ..Details::default()
    };
    let payment = "Locale=de&CustomFriendlyName=Shop&Amount=39.99 €&Payee=Acme";
    for (channel, said, sid, to) in [
        (Channel::Sms, format!("sms&{payment}&AppHash=He42w354ol9"), "SM", TO.to_owned()),
        (Channel::Whatsapp, format!("whatsapp&{payment}"), "SM", format!("whatsapp:{TO}")),
        (Channel::Call, format!("call&{payment}&SendDigits=12"), "CA", TO.to_owned()),
    ] {
        let request = request(channel, details.clone());
        let digits = request.id.as_str()[2..].to_owned();
        let (report, asked) = sent(pending(json!([])), request.clone()).await;
        let url = format!("/v2/Services/{SERVICE}/Verifications");
        assert_eq!(asked, [format!("POST {url} To={TO}&Channel={said}")]);
        let report = report.unwrap();
        assert_eq!(
            (report.sid.as_str(), report.id.clone()),
            (&*format!("{sid}{digits}"), Some(request.id.clone()))
        );
        assert_eq!((report.about.reference.as_deref(), report.about.to), (Some(THEIRS), Some(to)));
        assert_eq!(report.fact.status, Some(Status::Queued));
        // The code that could be derived here is nobody's.
        let code = request.code().unwrap().expose().to_owned();
        assert!(!asked[0].contains(&code), "{asked:?}");
    }
    let plain = sent(pending(json!([])), SendRequest { locale: Some("sw".into()), ..text() }).await.1;
    assert_eq!(plain, [format!("POST /v2/Services/{SERVICE}/Verifications To={TO}&Channel=sms")]);
}

#[tokio::test]
async fn words_are_not_its_to_send() {
    let words = Content {
        template: None,
        variables: Default::default(),
        text: "It is ready.".into(),
        language: None,
        approved: None,
    };
    let (refused, asked) =
        sent(pending(json!([])), SendRequest { content: Carried::Words(words), ..text() }).await;
    assert!(matches!(refused, Err(SendError::Refused { code: None, .. })), "{refused:?}");
    assert!(asked.is_empty());
}

#[tokio::test]
async fn an_answer_means_one_of_four_things() {
    let not_connected = Err(TransportError::NotConnected("refused".into()));
    let broken = Err(TransportError::Broken("time ran out".into()));
    for (said, meaning, code) in [
        (error(400, 60200), "refused", Some(60200)),
        (error(403, 60410), "refused", Some(60410)),
        (error(403, 60605), "refused", Some(60605)),
        (error(403, 60205), "refused", Some(60205)),
        (error(404, 20404), "refused", Some(20404)),
        (error(401, 20003), "refused", Some(20003)),
        // However it is told, no repetition makes fewer of them.
        (error(429, 60203), "refused", Some(60203)),
        (error(429, 60202), "refused", Some(60202)),
        (error(429, 60212), "not processed", Some(60212)),
        (error(429, 20429), "not processed", Some(20429)),
        (not_connected, "not processed", None),
        (error(503, 20503), "unknown", Some(20503)),
        (error(500, 20500), "unknown", Some(20500)),
        (answer(201, &json!({ "status": "pending" })), "unknown", None),
        (answer(201, &json!({ "sid": "VE1" })), "unknown", None),
        (broken, "unknown", None),
    ] {
        let told = match sent(said.clone(), text()).await.0.unwrap_err() {
            SendError::Refused { code, .. } => ("refused", code),
            SendError::NotProcessed { code, .. } => ("not processed", code),
            SendError::Unknown { code, .. } => ("unknown", code),
        };
        assert_eq!(told, (meaning, code), "{said:?}");
    }
    let late = SendRequest { begin_by: Instant::now() - Duration::from_millis(1), ..text() };
    let (told, asked) = sent(pending(json!([])), late).await;
    assert!(matches!(told, Err(SendError::NotProcessed { .. })) && asked.is_empty(), "{told:?}");
}

#[tokio::test]
async fn a_try_is_found_among_those_of_its_channel_since_then() {
    let since: Timestamp = "2026-11-20T09:30:10Z".parse().unwrap();
    let attempt =
        |time: &str, channel: &str| json!([{ "time": time, "channel": channel, "attempt_sid": "VL1" }]);
    for (attempts, is_found) in [
        (attempt("2026-11-20T09:30:10Z", "SMS"), true),
        (attempt("2026-11-20T09:30:05Z", "sms"), true),
        (attempt("2026-11-20T09:30:04Z", "SMS"), false),
        (attempt("2026-11-20T09:30:11Z", "CALL"), false),
        (attempt("soon", "SMS"), false),
        (json!([]), false),
    ] {
        let (verify, fake) = hearing(pending(attempts.clone()));
        let found = verify.look_up(&text(), since, &[]).await.unwrap();
        assert_eq!(found.is_some(), is_found, "{attempts}");
        assert!(found.is_none_or(|report| report.about.reference.as_deref() == Some(THEIRS)));
        let url = format!("GET /v2/Services/{SERVICE}/Verifications/%2B14155550123 ");
        assert_eq!(line(&fake.asked.lock().unwrap()[0]), url);
    }
    assert_eq!(hearing(error(404, 20404)).0.look_up(&text(), since, &[]).await, Ok(None));
    for said in [answer(404, &json!({})), error(500, 20500), answer(200, &json!([]))] {
        let told = hearing(said.clone()).0.look_up(&text(), since, &[]).await;
        assert!(matches!(told, Err(SendError::Unknown { .. })), "{said:?} is {told:?}");
    }
}

async fn checked(
    answer: Scripted,
    whose: Whose<'_>,
) -> (Result<verification::Answer, NotCompared>, Vec<String>) {
    let (verify, fake) = hearing(answer);
    let offer = CodeOffer { whose, code: "123456", payment: Some(("1 €", "Acme")) };
    let told = verify.codes().unwrap().check(&offer).await;
    let asked = fake.asked.lock().unwrap().iter().map(line).collect();
    (told, asked)
}

#[tokio::test]
async fn a_code_is_passed_on_and_what_is_said_of_it_read() {
    use verification::Answer::{Over, Right, UsedUp, Wrong};
    let says =
        |status: &str, valid: Value| answer(201, &json!({ "sid": THEIRS, "status": status, "valid": valid }));
    for (said, told) in [
        (says("approved", json!(true)), Right),
        (says("approved", Value::Null), Right),
        (says("approved", json!(false)), Wrong),
        (says("pending", json!(false)), Wrong),
        (says("pending", json!(true)), Wrong),
        (says("max_attempts_reached", json!(false)), Wrong),
        (says("canceled", json!(false)), Over),
        (says("expired", json!(false)), Over),
        (error(404, 20404), Over),
        (error(429, 60202), UsedUp),
        (error(400, 60200), Wrong),
    ] {
        let (heard, asked) = checked(said.clone(), Whose::Named(THEIRS)).await;
        assert_eq!(heard, Ok(told), "{said:?}");
        let form = format!("VerificationSid={THEIRS}&Code=123456&Amount=1 €&Payee=Acme");
        assert_eq!(asked, [format!("POST /v2/Services/{SERVICE}/VerificationCheck {form}")]);
    }
    let to: PhoneNumber = TO.parse().unwrap();
    let (heard, asked) = checked(says("approved", json!(true)), Whose::Of(&to)).await;
    assert!(
        heard == Ok(Right) && asked[0].contains(&format!("VerificationCheck To={TO}&Code=")),
        "{asked:?}"
    );
    // What is said of another one is said of nobody.
    let other = answer(201, &json!({ "sid": SERVICE, "status": "approved", "valid": true }));
    assert!(matches!(checked(other, Whose::Named(THEIRS)).await.0, Err(NotCompared::Perhaps { .. })));
}

#[tokio::test]
async fn a_check_that_was_certainly_not_made_is_told_from_one_that_may_have_been() {
    let not_connected = Err(TransportError::NotConnected("refused".into()));
    let broken = Err(TransportError::Broken("time ran out".into()));
    for (said, is_certain) in [
        (error(429, 20429), true),
        (error(429, 60212), true),
        (error(401, 20003), true),
        (answer(404, &json!({})), true),
        (not_connected, true),
        (error(503, 20503), false),
        (answer(200, &json!({})), false),
        (broken, false),
    ] {
        let (told, _) = checked(said.clone(), Whose::Named(THEIRS)).await;
        let is_unknown = matches!(told, Err(NotCompared::Perhaps { .. }));
        assert!(told.is_err() && is_unknown != is_certain, "{said:?} is {told:?}");
        assert!(!format!("{told:?}").contains("123456"));
    }
}

#[tokio::test]
async fn who_asks_to_be_left_alone_is_not_asked() {
    let mut said = error(429, 20429);
    if let Ok(answer) = &mut said {
        answer.retry_after = Some(7);
    }
    let (verify, fake) = hearing(said);
    for _ in 0..2 {
        let told = verify.codes().unwrap().pretend_to_check(THEIRS).await;
        assert!(matches!(told, Err(NotCompared::Never { after, .. }) if after.as_secs() == 7), "{told:?}");
        let offer = CodeOffer { whose: Whose::Named(THEIRS), code: "123456", payment: None };
        let told = verify.codes().unwrap().check(&offer).await;
        assert!(matches!(told, Err(NotCompared::Never { after, .. }) if after.as_secs() == 7), "{told:?}");
    }
    assert_eq!(fake.asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn any_answer_about_nobodys_code_is_a_no() {
    for (said, is_no) in [
        (error(404, 20404), true),
        (error(400, 60200), true),
        (error(400, 60238), true),
        (pending(json!([])), true),
        (answer(404, &json!({})), false),
        (error(429, 20429), false),
        (error(401, 20003), false),
        (error(503, 20503), false),
    ] {
        let (verify, fake) = hearing(said.clone());
        assert_eq!(verify.codes().unwrap().pretend_to_check(THEIRS).await.is_ok(), is_no, "{said:?}");
        let asked = line(&fake.asked.lock().unwrap()[0]);
        let form = format!("VerificationSid={THEIRS}&Code=000000");
        assert_eq!(asked, format!("POST /v2/Services/{SERVICE}/VerificationCheck {form}"));
    }
}

#[tokio::test]
async fn what_is_pretended_looks_as_what_is_sent() {
    let (verify, fake) = hearing(pending(json!([])));
    let sid: Sid = format!("SM{}", "d".repeat(32)).parse().unwrap();
    let (pretended, real) =
        (verify.pretend(&text(), sid.clone()).unwrap(), verify.send(&text()).await.unwrap());
    assert_eq!(pretended.about.reference, Some(format!("VE{}", "d".repeat(32))));
    assert_eq!(
        (&pretended.sid, &pretended.fact, &pretended.about.to),
        (&real.sid, &real.fact, &real.about.to)
    );
    assert_eq!(fake.asked.lock().unwrap().len(), 1);
    assert_eq!(verify.redact(&sid, None, true).await, Ok(Redaction::Gone));
    assert_eq!(verify.fetch(&sid, None).await, Ok(None));
}
