//! Lists are read page by page, and nothing else is taken for one.

use super::*;
use crate::gateway::{ListPage, Listing};
use crate::model::delivery::Charge;

const LISTS: &str = "/2010-04-01/Accounts/ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

async fn page(
    listing: Listing,
    next: Option<&str>,
    said: Scripted,
) -> (Result<ListPage, SendError>, Vec<String>) {
    let fake = fake(said);
    let since = "2026-11-20T09:30:00Z".parse().unwrap();
    let told = Twilio::new(settings(), fake).list(listing, since, next).await;
    let asked = fake.asked.lock().unwrap().iter().map(|asked| asked.url.clone()).collect();
    (told.map(Option::unwrap), asked)
}

#[tokio::test]
async fn a_page_has_reports_and_where_to_go_on() {
    let message = json!({
        "sid": format!("SM{:032x}", 1), "status": "delivered", "to": TO, "price": "-0.00790", "price_unit": "USD",
        "date_created": "Fri, 20 Nov 2026 09:00:00 +0000", "date_sent": "Fri, 20 Nov 2026 09:31:00 +0000",
    });
    let next = format!("{LISTS}/Messages.json?DateSent%3E=2026-11-20&PageSize=50&Page=1&PageToken=PASM1");
    let call = json!({ "sid": format!("CA{:032x}", 1), "status": "completed" });
    let body = json!({ "messages": [message, call, { "sid": 7 }], "next_page_uri": next });
    let (told, asked) = page(Listing::Messages, None, answer(200, &body)).await;
    let first = format!("https://api.twilio.com{LISTS}/Messages.json?DateSent%3E=2026-11-20&PageSize=50");
    assert_eq!(asked, [first]);
    let told = told.unwrap();
    let fact = &told.items[0].report.fact;
    assert_eq!((fact.status, fact.source), (Some(Status::Delivered), Source::Reconciled));
    assert_eq!(told.items[0].report.about.charge, Charge::new(7_900, "USD"));
    assert_eq!(told.items[0].at, Some("2026-11-20T09:31:00Z".parse().unwrap()));
    assert_eq!((told.items.len(), told.unread, told.next.as_ref()), (1, 2, Some(&next)));
    let (told, asked) = page(Listing::Messages, Some(&next), answer(200, &json!({ "messages": [] }))).await;
    assert_eq!((told.unwrap(), asked), (ListPage::default(), vec![format!("https://api.twilio.com{next}")]));
    let calls = answer(200, &json!({ "calls": [call] }));
    let (told, asked) = page(Listing::Calls, None, calls).await;
    assert_eq!(told.unwrap().items.len(), 1);
    assert!(asked[0].ends_with("/Calls.json?StartTime%3E=2026-11-20&PageSize=50"), "{asked:?}");
}

#[tokio::test]
async fn what_is_no_list_is_an_error_and_other_addresses_are_not_gone_to() {
    for body in [json!([]), json!({}), json!({ "calls": [] }), json!("busy")] {
        let told = page(Listing::Messages, None, answer(200, &body)).await.0;
        assert!(matches!(told, Err(SendError::Unknown { .. })), "{body}");
    }
    let busy = page(Listing::Calls, None, answer(429, &json!({ "code": 20429 }))).await.0;
    assert!(matches!(busy, Err(SendError::NotProcessed { .. })));
    for elsewhere in [
        "@evil.example/x?",
        "/2010-04-01/Accounts/ACbb/Messages.json?Page=1",
        &format!("{LISTS}/Calls.json?Page=1"),
    ] {
        let (told, asked) = page(Listing::Messages, Some(elsewhere), answer(200, &json!({}))).await;
        assert!(matches!(told, Err(SendError::Unknown { .. })) && asked.is_empty(), "{elsewhere}");
    }
}
