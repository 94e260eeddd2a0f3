//! What has become of a message or call is asked by its name, and only beside sends.

use super::*;

async fn fetched(sid: &str, said: Scripted) -> (Result<Option<Report>, SendError>, Vec<Outgoing>) {
    let fake = fake(said);
    let told = Twilio::new(settings(), fake).fetch(&sid.parse().unwrap(), None).await;
    (told, std::mem::take(&mut *fake.asked.lock().unwrap()))
}

#[tokio::test]
async fn a_resource_is_a_report_that_is_marked_and_404_is_nothing() {
    for (kind, folder, status) in [
        ("SM", "Messages", Status::Undelivered),
        ("MM", "Messages", Status::Sent),
        ("CA", "Calls", Status::Busy),
    ] {
        let sid = format!("{kind}{:032x}", 1);
        let body = json!({"sid": sid, "status": status.as_str(), "error_code": 30003, "to": TO});
        let (told, asked) = fetched(&sid, answer(200, &body)).await;
        let report = told.unwrap().unwrap();
        let fact = &report.fact;
        assert_eq!((fact.status, fact.source), (Some(status), Source::Reconciled));
        assert_eq!((fact.error_code, report.id), (Some(30003), None));
        let path = format!("/2010-04-01/Accounts/ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/{folder}/{sid}.json");
        assert!(asked[0].method == "GET" && asked[0].url.ends_with(&path), "{:?}", asked[0]);
        let gone = answer(404, &json!({"code": 20404, "status": 404}));
        assert_eq!(fetched(&sid, gone).await.0, Ok(None));
    }
}

#[tokio::test]
async fn what_is_no_answer_to_it_is_an_error() {
    let sid = format!("SM{:032x}", 1);
    let other = json!({"sid": format!("SM{:032x}", 2), "status": "delivered"});
    assert!(matches!(fetched(&sid, answer(200, &other)).await.0, Err(SendError::Unknown { .. })));
    assert!(matches!(fetched(&sid, answer(200, &json!([]))).await.0, Err(SendError::Unknown { .. })));
    assert!(matches!(fetched(&sid, answer(500, &json!({}))).await.0, Err(SendError::Unknown { .. })));
    let busy = answer(429, &json!({"code": 20429}));
    assert!(matches!(fetched(&sid, busy).await.0, Err(SendError::NotProcessed { .. })));
}

#[tokio::test]
async fn half_of_the_places_are_the_sends() {
    let fake = fake(created(Channel::Sms));
    let twilio = Twilio::new(Settings { concurrency: 4, ..settings() }, fake);
    let _sends = twilio.main.places.clone().acquire_many_owned(3).await.unwrap();
    let told = twilio.fetch(&format!("SM{:032x}", 1).parse().unwrap(), None).await;
    assert!(matches!(told, Err(SendError::NotProcessed { .. })) && fake.asked.lock().unwrap().is_empty());
}
