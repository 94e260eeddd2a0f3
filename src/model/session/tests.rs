//! What may happen to a session, and what of it stays.

use super::*;

fn session() -> Session {
    Session {
        id: SessionId::from_random([1; 16]),
        service: None,
        to: None,
        channels: Vec::new(),
        return_url: "https://shop.example/done?x=1".into(),
        state: Some("a b&c".into()),
        locale: None,
        details: Details::default(),
        created_at: Timestamp::UNIX_EPOCH,
        expires_at: Timestamp::UNIX_EPOCH + LIFETIME,
        browser: None,
        number: None,
        numbers: 0,
        verification: None,
        starts: 0,
        end: None,
        result: None,
        exchanged_at: None,
    }
}

fn after(session: &Session, events: Vec<Event>) -> (Session, Outcome) {
    let mut last = (session.clone(), Outcome::Done);
    for event in events {
        last = decide(&last.0, event, Timestamp::UNIX_EPOCH);
    }
    last
}

fn number(last: u8) -> PhoneNumber {
    format!("+1415555012{last}").parse().unwrap()
}

fn verification(n: u8) -> VerificationId {
    VerificationId::from_random([n; 15])
}

#[test]
fn the_way_goes_step_by_step() {
    let fresh = session();
    assert_eq!(fresh.step(None), Step::Start);
    let (begun, _) = after(&fresh, vec![Event::Begin(hash("b"))]);
    assert_eq!(begun.step(None), Step::Number);
    let (numbered, _) = after(&begun, vec![Event::Number(number(1))]);
    assert_eq!(numbered.step(None), Step::Channel);
    let (started, _) = after(&numbered, vec![Event::Started(verification(1))]);
    assert_eq!(started.step(Some(Status::Pending)), Step::Code);
    assert_eq!(started.step(Some(Status::Approved)), Step::Done(End::Approved));
    for status in [Status::Expired, Status::MaxAttemptsReached, Status::Canceled] {
        assert_eq!(started.step(Some(status)), Step::Done(End::Failed));
    }
}

#[test]
fn it_belongs_to_the_browser_that_came_first() {
    let (begun, _) = after(&session(), vec![Event::Begin(hash("one"))]);
    assert_eq!(after(&begun, vec![Event::Begin(hash("two"))]).1, Outcome::Gone);
    assert_eq!(after(&begun, vec![Event::Begin(hash("one"))]).1, Outcome::Done);
    assert!(begun.belongs_to(Some(&hash("one"))));
    assert!(!begun.belongs_to(Some(&hash("two"))) && !begun.belongs_to(None));
}

#[test]
fn a_given_number_stays() {
    let given = Session { to: Some(number(0)), ..session() };
    let (begun, _) = after(&given, vec![Event::Begin(hash("b"))]);
    assert_eq!(begun.number, Some(number(0)));
    for event in [Event::Number(number(1)), Event::ForgetNumber] {
        assert_eq!(after(&begun, vec![event]), (begun.clone(), Outcome::NotNow));
    }
}

#[test]
fn numbers_and_starts_are_bounded() {
    let (mut session, _) = after(&session(), vec![Event::Begin(hash("b"))]);
    for n in 0..MOST_NUMBERS {
        let (entered, outcome) = after(&session, vec![Event::ForgetNumber, Event::Number(number(n))]);
        assert_eq!(outcome, Outcome::Done);
        session = entered;
    }
    assert_eq!(after(&session, vec![Event::ForgetNumber]).1, Outcome::NoNumbersLeft);
    for n in 0..MOST_STARTS {
        let (started, outcome) = after(&session, vec![Event::Started(verification(n))]);
        assert_eq!(outcome, Outcome::Done);
        assert_eq!(after(&started, vec![Event::Started(verification(99))]).1, Outcome::NotNow);
        session = Session { verification: None, ..started };
    }
    assert_eq!(after(&session, vec![Event::Again]).1, Outcome::NoStartsLeft);
    assert_eq!(after(&session, vec![Event::Started(verification(77))]).1, Outcome::NoStartsLeft);
}

#[test]
fn a_result_is_exchanged_once_in_its_time() {
    let (begun, _) = after(&session(), vec![Event::Begin(hash("b"))]);
    assert_eq!(after(&begun, vec![Event::Exchange(hash(""))]).1, Outcome::NoSuchResult);
    let (left, _) = after(&begun, vec![Event::Leave(End::Approved, hash("r"))]);
    assert_eq!(left.step(None), Step::Done(End::Approved));
    assert_eq!(after(&left, vec![Event::Exchange(hash("other"))]).1, Outcome::NoSuchResult);
    let (told, outcome) = after(&left, vec![Event::Exchange(hash("r"))]);
    assert_eq!((outcome, told.step(None)), (Outcome::Done, Step::Over));
    assert_eq!(after(&told, vec![Event::Exchange(hash("r"))]).1, Outcome::NoSuchResult);
    assert_eq!(after(&told, vec![Event::Leave(End::Failed, hash("x"))]).1, Outcome::NotNow);
    let late = decide(&left, Event::Exchange(hash("r")), left.expires_at);
    assert_eq!(late.1, Outcome::Gone);
}

#[test]
fn the_state_comes_back_as_it_was() {
    let way = session().way_back("abc");
    let id = session().id;
    assert_eq!(way, format!("https://shop.example/done?x=1&session={id}&state=a%20b%26c&result=abc"));
}

#[test]
fn people_are_sent_only_where_the_service_says() {
    let pages = Pages {
        return_urls: vec!["https://a.example/done".into(), "https://b.example/in/*".into()],
        ..Pages::default()
    };
    for url in ["https://a.example/done", "https://b.example/in/", "https://b.example/in/x?y=1"] {
        assert!(may_return(&pages, url), "{url}");
    }
    for url in [
        "https://a.example/done2",
        "https://a.example/done?next=1",
        "https://a.example",
        "http://b.example/in/x",
        "https://b.example/out",
        "https://b.example/in/../out",
        "https://b.example/in/%2E%2e/out",
        "https://b.example/in/x\\..\\..",
        "https://b.example/in/x#y",
        "https://b.example/in/x y",
        "https://b.example/in/\r\nSet-Cookie:x",
        "https://b.example.evil.example/in/x",
        "//evil.example/in/",
        "javascript:alert(1)",
        "",
    ] {
        assert!(!may_return(&pages, url), "{url}");
    }
}

#[test]
fn on_ones_own_machine_any_port_may_do() {
    let pages = Pages {
        return_urls: vec!["http://127.0.0.1:*/*".into(), "http://localhost:*/done".into()],
        ..Pages::default()
    };
    for url in ["http://127.0.0.1:5000/", "http://127.0.0.1:3000/x?y=1:2", "http://localhost:8080/done"] {
        assert!(may_return(&pages, url), "{url}");
    }
    for url in [
        "http://127.0.0.1/",
        "http://127.0.0.1:*/",
        "http://127.0.0.1:5000",
        "http://127.0.0.1:5000@evil.example/",
        "http://127.0.0.1:5000.evil.example/",
        "http://127.0.0.1:@evil.example:80/",
        "http://127.0.0.1.evil.example:5000/",
        "https://127.0.0.1:5000/",
        "http://localhost:8080/other",
    ] {
        assert!(!may_return(&pages, url), "{url}");
    }
}
