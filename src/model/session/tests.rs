//! What may happen to a session, and what of it stays.

use super::*;

fn session() -> Session {
    Session {
        id: SessionId::from_random([1; 16]),
        service: None,
        to: None,
        channels: Vec::new(),
        return_url: Some("https://shop.example/done?x=1".into()),
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

fn after(session: &Session, inputs: Vec<Input>) -> (Session, Outcome) {
    let mut last = (session.clone(), Outcome::Done);
    for input in inputs {
        last = decide(&last.0, input, Timestamp::UNIX_EPOCH);
    }
    last
}

fn number(last: u8) -> PhoneNumber {
    format!("+1415555012{last}").parse().unwrap()
}

fn verification(n: u8) -> VerificationId {
    VerificationId::from_random([n; 15])
}

fn seen(n: u8, last: u8, status: Status) -> Standing {
    Standing { verification: verification(n), to: number(last), status }
}

fn started(n: u8, last: u8, starts: u8) -> Input {
    Input::Started { standing: seen(n, last, Status::Pending), starts }
}

fn leave(standing: Option<Standing>, cancel: bool) -> Input {
    Input::Leave { standing, cancel, result: hash("r") }
}

/// Begun, with a number entered and its verification started.
fn under_way() -> Session {
    let inputs = vec![Input::Begin(hash("b")), Input::Number(number(1)), started(1, 1, 0)];
    after(&session(), inputs).0
}

#[test]
fn the_way_goes_step_by_step() {
    let fresh = session();
    assert_eq!(fresh.step(None), Step::Start);
    let (begun, _) = after(&fresh, vec![Input::Begin(hash("b"))]);
    assert_eq!(begun.step(None), Step::Number);
    let (numbered, _) = after(&begun, vec![Input::Number(number(1))]);
    assert_eq!(numbered.step(None), Step::Channel);
    let (started, _) = after(&numbered, vec![started(1, 1, 0)]);
    let at = |status| started.step(Some(&seen(1, 1, status)));
    assert_eq!(at(Status::Pending), Step::Code);
    assert_eq!(at(Status::Approved), Step::Done(End::Approved));
    for status in [Status::Expired, Status::MaxAttemptsReached, Status::Canceled] {
        assert_eq!(at(status), Step::Done(End::Failed));
    }
}

#[test]
fn it_belongs_to_the_browser_that_came_first() {
    let (begun, _) = after(&session(), vec![Input::Begin(hash("one"))]);
    assert_eq!(after(&begun, vec![Input::Begin(hash("two"))]).1, Outcome::Gone);
    assert_eq!(after(&begun, vec![Input::Begin(hash("one"))]).1, Outcome::Done);
    assert!(begun.belongs_to(Some(&hash("one"))));
    assert!(!begun.belongs_to(Some(&hash("two"))) && !begun.belongs_to(None));
}

#[test]
fn a_given_number_stays() {
    let given = Session { to: Some(number(0)), ..session() };
    let (begun, _) = after(&given, vec![Input::Begin(hash("b"))]);
    assert_eq!(begun.number, Some(number(0)));
    for input in [Input::Number(number(1)), Input::ForgetNumber(None)] {
        assert_eq!(after(&begun, vec![input]), (begun.clone(), Outcome::NotNow));
    }
}

#[test]
fn numbers_and_starts_are_bounded() {
    let (mut session, _) = after(&session(), vec![Input::Begin(hash("b"))]);
    for n in 0..MOST_NUMBERS {
        let (entered, outcome) = after(&session, vec![Input::ForgetNumber(None), Input::Number(number(n))]);
        assert_eq!(outcome, Outcome::Done);
        session = entered;
    }
    assert_eq!(after(&session, vec![Input::ForgetNumber(None)]).1, Outcome::NoNumbersLeft);
    let last = MOST_NUMBERS - 1;
    for n in 0..MOST_STARTS {
        let (started_one, outcome) = after(&session, vec![started(n, last, n)]);
        assert_eq!(outcome, Outcome::Done);
        assert_eq!(after(&started_one, vec![started(99, last, n + 1)]).1, Outcome::NotNow);
        session = started_one;
        if n + 1 < MOST_STARTS {
            let (again, outcome) = after(&session, vec![Input::Again(seen(n, last, Status::Expired))]);
            assert_eq!(outcome, Outcome::Done);
            session = again;
        }
    }
    let failed = seen(MOST_STARTS - 1, last, Status::Expired);
    assert_eq!(after(&session, vec![Input::Again(failed)]).1, Outcome::NoStartsLeft);
    let cleared = Session { verification: None, ..session };
    assert_eq!(after(&cleared, vec![started(77, last, MOST_STARTS)]).1, Outcome::NoStartsLeft);
}

#[test]
fn a_verification_of_another_number_is_not_hung_on_a_session() {
    let (numbered, _) = after(&session(), vec![Input::Begin(hash("b")), Input::Number(number(2))]);
    assert_eq!(after(&numbered, vec![started(1, 1, 0)]), (numbered.clone(), Outcome::NotNow));
    let hung = Session { verification: Some(verification(1)), ..numbered };
    let approved = seen(1, 1, Status::Approved);
    assert_eq!(hung.step(Some(&approved)), Step::Done(End::Failed));
    let (left, _) = after(&hung, vec![leave(Some(approved), false)]);
    assert_eq!((left.end, left.number), (Some(End::Failed), Some(number(2))));
}

#[test]
fn a_start_that_comes_late_is_not_taken_for_a_later_try() {
    let (again, _) = after(&under_way(), vec![Input::Again(seen(1, 1, Status::MaxAttemptsReached))]);
    assert_eq!(after(&again, vec![started(1, 1, 0)]), (again.clone(), Outcome::NotNow));
    assert_eq!(after(&again, vec![started(2, 1, 1)]).1, Outcome::Done);
}

#[test]
fn what_was_decided_on_another_verification_is_outdated() {
    let now = under_way();
    let (other, none) = (seen(9, 1, Status::Approved), None);
    assert_eq!(after(&now, vec![leave(Some(other.clone()), false)]), (now.clone(), Outcome::Outdated));
    assert_eq!(after(&now, vec![leave(none, true)]), (now.clone(), Outcome::Outdated));
    assert_eq!(after(&now, vec![Input::ForgetNumber(None)]), (now.clone(), Outcome::Outdated));
    assert_eq!(after(&now, vec![Input::Again(seen(9, 1, Status::Expired))]), (now, Outcome::NotNow));
}

#[test]
fn an_end_is_read_off_the_sessions_own_verification() {
    let rows = [
        (Status::Approved, false, Some(End::Approved)),
        // Whoever turns back at that very moment is shown it first.
        (Status::Approved, true, None),
        (Status::Pending, false, None),
        (Status::Pending, true, None),
        (Status::Canceled, true, Some(End::Canceled)),
        (Status::Canceled, false, Some(End::Failed)),
        (Status::Expired, true, Some(End::Failed)),
        (Status::MaxAttemptsReached, false, Some(End::Failed)),
    ];
    for (status, cancel, end) in rows {
        let (left, _) = after(&under_way(), vec![leave(Some(seen(1, 1, status)), cancel)]);
        assert_eq!(left.end, end, "{status} {cancel}");
    }
    let (begun, _) = after(&session(), vec![Input::Begin(hash("b"))]);
    assert_eq!(after(&begun, vec![leave(None, true)]).0.end, Some(End::Canceled));
    assert_eq!(after(&begun, vec![leave(None, false)]).1, Outcome::NotNow);
}

#[test]
fn an_end_stays_whatever_is_sent_at_the_same_moment() {
    let approved = seen(1, 1, Status::Approved);
    let (left, _) = after(&under_way(), vec![leave(Some(approved.clone()), false)]);
    for input in [
        Input::Number(number(2)),
        Input::ForgetNumber(Some(approved.clone())),
        started(2, 1, 1),
        Input::Again(seen(1, 1, Status::Canceled)),
    ] {
        assert_eq!(after(&left, vec![input]), (left.clone(), Outcome::NotNow));
    }
    let other = Input::Leave { standing: None, cancel: true, result: hash("another tab's") };
    let (again, _) = after(&left, vec![other]);
    assert_eq!((again.end, &again.number), (left.end, &left.number));
}

#[test]
fn a_number_is_not_forgotten_while_it_may_be_proved() {
    for status in [Status::Pending, Status::Approved] {
        let forget = Input::ForgetNumber(Some(seen(1, 1, status)));
        assert_eq!(after(&under_way(), vec![forget]), (under_way(), Outcome::NotNow));
    }
    let (forgotten, _) = after(&under_way(), vec![Input::ForgetNumber(Some(seen(1, 1, Status::Canceled)))]);
    assert_eq!((forgotten.number, forgotten.verification), (None, None));
}

#[test]
fn a_result_is_exchanged_once_in_its_time() {
    let (begun, _) = after(&session(), vec![Input::Begin(hash("b"))]);
    assert_eq!(after(&begun, vec![Input::Exchange(hash(""))]).1, Outcome::NoSuchResult);
    let (left, _) = after(&under_way(), vec![leave(Some(seen(1, 1, Status::Approved)), false)]);
    assert_eq!(left.step(None), Step::Done(End::Approved));
    assert_eq!(after(&left, vec![Input::Exchange(hash("other"))]).1, Outcome::NoSuchResult);
    let (told, outcome) = after(&left, vec![Input::Exchange(hash("r"))]);
    assert_eq!((outcome, told.step(None)), (Outcome::Done, Step::Over));
    assert_eq!(after(&told, vec![Input::Exchange(hash("r"))]).1, Outcome::NoSuchResult);
    assert_eq!(after(&told, vec![leave(None, true)]).1, Outcome::NotNow);
    let late = decide(&left, Input::Exchange(hash("r")), left.expires_at);
    assert_eq!(late.1, Outcome::Gone);
}

#[test]
fn the_state_comes_back_as_it_was() {
    let way = session().way_back(&Pages::default(), "abc");
    let id = session().id;
    let expected = format!("https://shop.example/done?x=1&session={id}&state=a%20b%26c&result=abc");
    assert_eq!(way, Some(expected));
}

#[test]
fn without_a_way_back_who_is_proved_goes_to_the_services_own_page() {
    let own = Pages { success_url: Some("https://shop.example/welcome".into()), ..Pages::default() };
    let ended = |end, return_url: Option<&str>| {
        let return_url = return_url.map(str::to_owned);
        Session { end: Some(end), return_url, ..session() }
    };
    let way = |session: &Session, pages: &Pages| session.way_out(pages).map(str::to_owned);
    let welcome = Some("https://shop.example/welcome".to_owned());
    assert_eq!(way(&ended(End::Approved, None), &own), welcome);
    assert_eq!(way(&ended(End::Approved, None), &Pages::default()), None);
    for end in [End::Failed, End::Canceled, End::CalledOff] {
        assert_eq!(way(&ended(end, None), &own), None, "nobody is congratulated on that");
    }
    let back = "https://shop.example/back";
    assert_eq!(way(&ended(End::Approved, Some(back)), &own).as_deref(), Some(back));
}

#[test]
fn the_application_ends_what_is_not_proved() {
    let off = |standing| vec![Input::CallOff(standing)];
    let (ended, outcome) = after(&session(), off(None));
    assert_eq!((ended.end, outcome), (Some(End::CalledOff), Outcome::Done), "also before anybody came");
    assert_eq!(after(&ended, off(None)), (ended.clone(), Outcome::Done), "twice is once");
    // Whoever looks at it may go back, and nothing else.
    assert_eq!(after(&ended, vec![leave(None, false)]).1, Outcome::Done);
    assert_eq!(after(&ended, vec![Input::Number(number(1))]).1, Outcome::NotNow);
    for (status, expected) in [
        (Status::Pending, Outcome::NotNow),
        (Status::Approved, Outcome::NotNow),
        (Status::Canceled, Outcome::Done),
        (Status::Expired, Outcome::Done),
        (Status::MaxAttemptsReached, Outcome::Done),
    ] {
        assert_eq!(after(&under_way(), off(Some(seen(1, 1, status)))).1, expected, "{status}");
    }
    for other in [None, Some(seen(2, 1, Status::Canceled))] {
        assert_eq!(after(&under_way(), off(other)).1, Outcome::Outdated);
    }
    let ends =
        [(End::Approved, Outcome::NotNow), (End::Failed, Outcome::NotNow), (End::Canceled, Outcome::Done)];
    for (end, outcome) in ends {
        let session = Session { end: Some(end), ..session() };
        assert_eq!(after(&session, off(None)), (session.clone(), outcome));
    }
}
