//! Which route takes a request, and what is told where none does.

use super::*;
use crate::gateway::Carried;
use crate::model::code::{CodeKey, CodeKeys};
use crate::model::delivery::{About, Fact};
use crate::model::id::{ServiceId, VerificationId};
use crate::model::service::{self, Origin, Service};
use crate::model::verification::Details;
use crate::secret::Secret;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};

type Scripted = Result<(), SendError>;

fn request_by(channel: Channel) -> SendRequest {
    let id = VerificationId::from_random([7; 15]);
    let key = CodeKey { id: "a".into(), secret: Secret::new("k".repeat(32)) };
    let codes = CodeKeys::new(vec![key]).unwrap();
    let service = Service {
        id: ServiceId::from_name("acme"),
        settings: service::Settings::default(),
        origin: Origin::Api,
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
    };
    SendRequest {
        id: id.delivery(1),
        channel,
        to: "+14155550123".parse().unwrap(),
        content: Carried::Code {
            code: codes.derive(&id, &codes.seed([1; 16], 6)).unwrap(),
            details: Details::default(),
        },
        locale: None,
        valid_for: Duration::from_secs(400),
        begin_by: Instant::now() + Duration::from_secs(60),
        service: Arc::new(service),
        window_open: false,
        route: None,
    }
}

fn report_of(request: &SendRequest) -> Report {
    let sid = format!("SM{:032x}", 1).parse().unwrap();
    Report { sid, id: Some(request.id.clone()), about: About::default(), fact: Fact::default() }
}

/// A route that answers by script, and then takes everything.
#[derive(Default)]
struct Fake {
    script: Mutex<VecDeque<Scripted>>,
    asked: AtomicU32,
    found: Mutex<Option<Result<bool, SendError>>>,
    redacts: Mutex<Option<Result<Redaction, SendError>>>,
    only_texts: bool,
}

impl Fake {
    fn of(script: impl IntoIterator<Item = Scripted>) -> Arc<Self> {
        Arc::new(Self { script: Mutex::new(script.into_iter().collect()), ..Self::default() })
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Gateway for Fake {
    async fn send(&self, request: &SendRequest) -> Result<Report, SendError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let next = self.script.lock().unwrap().pop_front();
        next.unwrap_or(Ok(())).map(|()| report_of(request))
    }

    fn carries(&self, channel: Channel) -> bool {
        !self.only_texts || channel == Channel::Sms
    }

    async fn look_up(
        &self,
        request: &SendRequest,
        _: Timestamp,
        _: &[Sid],
    ) -> Result<Option<Report>, SendError> {
        let found = self.found.lock().unwrap().clone();
        found.unwrap_or(Ok(false)).map(|is_there| is_there.then(|| report_of(request)))
    }

    async fn fetch(&self, _: &Sid, _: Option<&str>) -> Result<Option<Report>, SendError> {
        let found = self.found.lock().unwrap().clone();
        found.unwrap_or(Ok(false)).map(|is_there| is_there.then(|| report_of(&request_by(Channel::Sms))))
    }

    async fn redact(&self, _: &Sid, _: Option<&str>, _: bool) -> Result<Redaction, SendError> {
        self.redacts.lock().unwrap().clone().unwrap_or(Ok(Redaction::Gone))
    }
}

fn away() -> Scripted {
    Err(SendError::NotProcessed { code: None, reason: "no connection".into(), after: Duration::ZERO })
}

fn busy(seconds: u64) -> Scripted {
    let after = Duration::from_secs(seconds);
    Err(SendError::NotProcessed { code: Some(20429), reason: "too many requests".into(), after })
}

fn refused(code: u32) -> Scripted {
    Err(SendError::Refused { code: Some(code), reason: "no".into() })
}

fn routes(first: &Arc<Fake>, second: &Arc<Fake>) -> Routes {
    let (first, second): (Arc<dyn Gateway>, Arc<dyn Gateway>) = (first.clone(), second.clone());
    Routes::new([("first", first), ("second", second)])
}

async fn send(routes: &Routes, channel: Channel) -> Result<Report, SendError> {
    routes.send(&request_by(channel)).await
}

#[tokio::test]
async fn while_the_first_works_the_second_is_never_asked() {
    let (first, second) = (Fake::of([]), Fake::of([]));
    let routes = routes(&first, &second);
    for _ in 0..20 {
        assert!(send(&routes, Channel::Sms).await.is_ok());
    }
    assert_eq!((first.asked(), second.asked()), (20, 0));
}

#[tokio::test]
async fn what_was_certainly_not_taken_goes_by_the_next_at_once() {
    for said in [away(), busy(3), refused(20003), refused(20005), refused(21612)] {
        let (first, second) = (Fake::of([said.clone()]), Fake::of([]));
        assert!(send(&routes(&first, &second), Channel::Sms).await.is_ok(), "{said:?}");
        assert_eq!((first.asked(), second.asked()), (1, 1), "{said:?}");
    }
}

#[tokio::test]
async fn what_may_have_been_taken_or_cannot_be_sent_goes_by_no_other() {
    for said in [Err(SendError::unknown("time ran out")), refused(21610), refused(21614), refused(30034)] {
        let (first, second) = (Fake::of([said.clone()]), Fake::of([]));
        let told = send(&routes(&first, &second), Channel::Sms).await;
        assert_eq!((told.map(drop), second.asked()), (said, 0));
    }
}

#[tokio::test]
async fn a_route_that_fails_in_a_row_is_left_alone() {
    let (first, second) = (Fake::of((0..100).map(|_| away())), Fake::of([]));
    let routes = routes(&first, &second);
    for _ in 0..50 {
        assert!(send(&routes, Channel::Sms).await.is_ok());
    }
    assert_eq!((first.asked(), second.asked()), (crate::gateway::breaker::MOST_FAILURES, 50));
}

#[tokio::test]
async fn where_no_route_takes_it_it_is_tried_again_as_soon_as_one_allows_it() {
    let (first, second) = (Fake::of([busy(40)]), Fake::of([busy(7)]));
    let Err(SendError::NotProcessed { code: Some(20429), after, .. }) =
        send(&routes(&first, &second), Channel::Sms).await
    else {
        panic!()
    };
    assert_eq!(after, Duration::from_secs(7));
    // That one refuses for good says nothing of the other.
    let (first, second) = (Fake::of([away()]), Fake::of([refused(20005)]));
    let told = send(&routes(&first, &second), Channel::Sms).await;
    assert_eq!(told.map(drop), away());
    let (first, second) = (Fake::of([refused(20003)]), Fake::of([refused(21614)]));
    assert_eq!(send(&routes(&first, &second), Channel::Sms).await.map(drop), refused(21614));
}

#[tokio::test]
async fn a_channel_goes_only_by_routes_that_carry_it() {
    let (first, second) = (Fake::of([away()]), Arc::new(Fake { only_texts: true, ..Fake::default() }));
    let routes = routes(&first, &second);
    assert_eq!(send(&routes, Channel::Call).await.map(drop), away());
    assert_eq!(second.asked(), 0);
    assert!(routes.carries(Channel::Call));
    let texts: Arc<dyn Gateway> = second;
    let alone = Routes::new([("texts", texts)]);
    assert!(!alone.carries(Channel::Call));
    assert!(matches!(send(&alone, Channel::Call).await, Err(SendError::Refused { code: None, .. })));
}

#[tokio::test]
async fn a_second_route_begins_nothing_that_another_job_may_have_taken_over() {
    let (first, second) = (Fake::of([away()]), Fake::of([]));
    let late = SendRequest { begin_by: Instant::now(), ..request_by(Channel::Sms) };
    assert_eq!(routes(&first, &second).send(&late).await.map(drop), away());
    assert_eq!((first.asked(), second.asked()), (1, 0));
}

#[tokio::test]
async fn that_nobody_took_it_is_certain_once_all_have_said_so() {
    let away = || SendError::unknown("no answer");
    for (one, other, found) in [
        (Ok(false), Ok(false), Ok(false)),
        (Ok(false), Ok(true), Ok(true)),
        (Ok(true), Err(away()), Ok(true)),
        (Err(away()), Ok(true), Ok(true)),
        (Err(away()), Ok(false), Err(away())),
        (Ok(false), Err(away()), Err(away())),
    ] {
        let (first, second) = (Fake::of([]), Fake::of([]));
        (*first.found.lock().unwrap(), *second.found.lock().unwrap()) = (Some(one), Some(other));
        let routes = routes(&first, &second);
        let told = routes.look_up(&request_by(Channel::Sms), Timestamp::UNIX_EPOCH, &[]).await;
        assert_eq!(told.map(|report| report.is_some()), found);
        let sid = format!("SM{:032x}", 1).parse().unwrap();
        assert_eq!(routes.fetch(&sid, None).await.map(|report| report.is_some()), found);
    }
}

#[tokio::test]
async fn a_text_is_gone_once_no_route_has_it() {
    let away = || SendError::unknown("no answer");
    for (one, other, redacted) in [
        (Ok(Redaction::Gone), Ok(Redaction::Gone), Ok(Redaction::Gone)),
        (Ok(Redaction::Gone), Ok(Redaction::Done), Ok(Redaction::Done)),
        (Err(away()), Ok(Redaction::Done), Ok(Redaction::Done)),
        (Err(away()), Ok(Redaction::Gone), Err(away())),
    ] {
        let (first, second) = (Fake::of([]), Fake::of([]));
        (*first.redacts.lock().unwrap(), *second.redacts.lock().unwrap()) = (Some(one), Some(other));
        let sid = format!("SM{:032x}", 1).parse().unwrap();
        assert_eq!(routes(&first, &second).redact(&sid, None, false).await, redacted);
    }
}
