//! What leaves by a sender of another account is asked of that account alone.

use super::*;
use crate::gateway::{ListPage, Listing};
use crate::model::message::Route;

const OTHER: &str = "ACbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const THIRD: &str = "ACcccccccccccccccccccccccccccccccc";
/// Nothing leaves by it any more.
const FOURTH: &str = "ACdddddddddddddddddddddddddddddddd";

fn of_four() -> Settings {
    let account = |sid: &str, user: &str| Account {
        sid: sid.into(),
        auth: (user.into(), Secret::new(TOKEN)),
        sends: sid != FOURTH,
    };
    Settings {
        others: vec![account(OTHER, OTHER), account(THIRD, "SKcc"), account(FOURTH, FOURTH)],
        ..settings()
    }
}

fn by(route: Route, channel: Channel) -> SendRequest {
    SendRequest { route: Some(route), ..send_request(channel) }
}

fn of_other(sender: &str) -> Route {
    Route { sender: sender.into(), account: Some(OTHER.into()) }
}

fn said(request: &Outgoing, name: &str) -> Option<String> {
    request.form.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
}

#[tokio::test]
async fn a_route_says_whose_request_it_is_and_who_sends() {
    let pool = format!("MG{:032x}", 7);
    for (channel, sender, name) in [
        (Channel::Sms, "+15005550007", "From"),
        (Channel::Sms, pool.as_str(), "MessagingServiceSid"),
        (Channel::Whatsapp, "whatsapp:+15005550007", "From"),
        (Channel::Call, "+15005550007", "From"),
    ] {
        let fake = fake(created(channel));
        let request = SendRequest { window_open: true, ..by(of_other(sender), channel) };
        Twilio::new(of_four(), fake).send(&request).await.unwrap();
        let asked = fake.asked.lock().unwrap()[0].clone();
        assert!(asked.url.contains(OTHER) && asked.auth.0 == OTHER, "{}", asked.url);
        assert_eq!(said(&asked, name).as_deref(), Some(sender), "{channel}");
    }
}

#[tokio::test]
async fn it_is_looked_up_fetched_and_taken_away_there() {
    let empty = answer(200, &json!({ "messages": [], "recordings": [] }));
    let (fake, sid) = (fake(empty), format!("SM{:032x}", 1).parse::<Sid>().unwrap());
    let twilio = Twilio::new(of_four(), fake);
    let request = by(of_other("+15005550007"), Channel::Sms);
    twilio.look_up(&request, Timestamp::UNIX_EPOCH, &[]).await.unwrap();
    let _ = twilio.fetch(&sid, Some(OTHER)).await;
    twilio.redact(&sid, Some(THIRD), false).await.unwrap();
    twilio.redact(&sid, None, false).await.unwrap();
    let asked = fake.asked.lock().unwrap();
    let users: Vec<&str> = asked.iter().map(|asked| asked.auth.0.as_str()).collect();
    assert_eq!(users, [OTHER, OTHER, "SKcc", "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]);
}

#[tokio::test]
async fn an_account_that_is_not_known_is_asked_nothing() {
    let fake = fake(created(Channel::Sms));
    let twilio = Twilio::new(settings(), fake);
    let sid = format!("SM{:032x}", 1).parse::<Sid>().unwrap();
    let refused = |error| matches!(error, SendError::Refused { code: None, .. });
    assert!(refused(twilio.send(&by(of_other("+15005550007"), Channel::Sms)).await.unwrap_err()));
    assert!(refused(twilio.fetch(&sid, Some(OTHER)).await.unwrap_err()));
    assert!(refused(twilio.redact(&sid, Some(OTHER), false).await.unwrap_err()));
    assert!(fake.asked.lock().unwrap().is_empty() && !twilio.reaches(Some(OTHER)));
    assert!(twilio.reaches(None) && twilio.reaches(Some("ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")));
}

async fn all_pages(said: Scripted) -> (Vec<Result<ListPage, SendError>>, Vec<String>) {
    let fake = fake(said);
    let twilio = Twilio::new(of_four(), fake);
    let (mut pages, mut next) = (Vec::new(), None);
    for _ in 0..5 {
        let page = twilio.list(Listing::Messages, Timestamp::UNIX_EPOCH, next.as_deref()).await;
        next = page.as_ref().ok().and_then(|page| page.as_ref()?.next.clone());
        pages.push(page.map(Option::unwrap));
        if next.is_none() {
            break;
        }
    }
    let asked = fake.asked.lock().unwrap();
    let accounts = asked.iter().map(|asked| asked.url.split('/').nth(5).unwrap_or_default().to_owned());
    (pages, accounts.collect())
}

#[tokio::test]
async fn the_lists_of_all_accounts_are_read_one_after_the_other() {
    const MAIN: &str = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    let (pages, accounts) = all_pages(answer(200, &json!({ "messages": [] }))).await;
    assert_eq!(accounts, [OTHER, THIRD, MAIN]);
    assert!(pages.iter().all(Result::is_ok));
    // What others refuse keeps nobody from the next; what the main one refuses is told.
    let (pages, accounts) = all_pages(answer(401, &json!({ "code": 20003 }))).await;
    assert!(matches!(pages[..], [Ok(_), Ok(_), Err(SendError::Refused { .. })]));
    assert_eq!(accounts, [OTHER, THIRD, MAIN]);
}
