//! Who goes through the pages in several tabs at one moment, and somebody else
//! with them, has no number approved but the one whose telephone they hold.
//!
//! The person holds one telephone and knows the codes that are sent to it, and no
//! other. Every pair and every triple of steps is taken from every place of the
//! way in memory, and a part of them on the other engines. The sends stay in the outbox: nothing here waits for the gateway.

use super::{Task, Turnstile, every_order};
use crate::engines::over_each_engine;
use crate::lengths::length;
use crate::postgres::TestDatabase;
use crate::support::{Engine, Script, open, parts, schema_for};
use dialback::app::admission;
use dialback::app::fault::Fault;
use dialback::app::services::ServiceDirectory;
use dialback::app::verification::{self, NewSession, SessionError, VerificationFilter, Visitor};
use dialback::app::{App, Parts, Window};
use dialback::clock::Clock;
use dialback::model::channel::Channel;
use dialback::model::code::{CodeKey, CodeKeys};
use dialback::model::id::{SessionId, VerificationId};
use dialback::model::limits::Limits;
use dialback::model::service::{self, Pages};
use dialback::model::session::{End, Session};
use dialback::model::verification::{Status, Verification};
use dialback::secret::Secret;
use dialback::store::Maintenance;
use dialback::store::records::{self, Versioned};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// What a person does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Move {
    Begin,
    /// Somebody else opens the same link.
    StrangerBegins,
    /// Somebody else sends a form of theirs.
    StrangerLeaves,
    OwnNumber,
    VictimsNumber,
    Start,
    StartCall,
    /// The code that came to the own telephone.
    Code,
    WrongCode,
    Resend,
    Change,
    Again,
    Return,
    Cancel,
    /// The application ends the session.
    AppEnds,
}

use Move::*;

const ALL: [Move; 15] = [
    Begin,
    StrangerBegins,
    StrangerLeaves,
    OwnNumber,
    VictimsNumber,
    Start,
    StartCall,
    Code,
    WrongCode,
    Resend,
    Change,
    Again,
    Return,
    Cancel,
    AppEnds,
];

/// The moves that change what a session is about: those of which three at once
/// are tried.
const TURNS: [Move; 7] = [OwnNumber, VictimsNumber, Start, Code, Change, Return, Cancel];

/// From where the moves are made, as the moves that lead there.
const PLACES: [&[Move]; 7] = [
    &[],
    &[Begin],
    &[Begin, OwnNumber],
    &[Begin, OwnNumber, Start],
    &[Begin, OwnNumber, Start, Code],
    &[Begin, OwnNumber, Start, WrongCode, WrongCode],
    &[Begin, VictimsNumber, Start],
];

/// The places from which three moves at once are made.
const OPEN_PLACES: [usize; 3] = [2, 3, 4];

/// One way through the pages, and what was handed to the person on it.
struct Way {
    app: App,
    store: Arc<dyn Maintenance>,
    codes: CodeKeys,
    id: SessionId,
    browser: Secret,
    stranger: Secret,
    own: String,
    victims: String,
    /// The ways back that the person was sent.
    results: Mutex<Vec<Secret>>,
}

impl Way {
    async fn take(&self, step: Move) {
        let (app, id, browser, visitor) = (&self.app, &self.id, &self.browser, Visitor::default());
        let taken = match step {
            Begin => verification::session_begin(&app.verifying, id, browser, visitor).await.map(drop),
            StrangerBegins => {
                verification::session_begin(&app.verifying, id, &self.stranger, visitor).await.map(drop)
            }
            StrangerLeaves => self.leave(&self.stranger, true).await,
            OwnNumber => verification::session_number(&app.verifying, id, browser, &self.own, None, visitor)
                .await
                .map(drop),
            VictimsNumber => {
                verification::session_number(&app.verifying, id, browser, &self.victims, None, visitor)
                    .await
                    .map(drop)
            }
            Start => verification::session_start(&app.verifying, id, browser, Channel::Sms, visitor)
                .await
                .map(drop),
            StartCall => verification::session_start(&app.verifying, id, browser, Channel::Call, visitor)
                .await
                .map(drop),
            Code => match self.code_of_own().await {
                Some(code) => verification::session_check(&app.verifying, id, browser, &code).await.map(drop),
                None => Ok(()),
            },
            WrongCode => verification::session_check(&app.verifying, id, browser, "00000000").await.map(drop),
            Resend => verification::session_resend(&app.verifying, id, browser, Channel::Sms, visitor)
                .await
                .map(drop),
            Change => verification::session_change(&app.admission, id, browser).await.map(drop),
            Again => verification::session_again(&app.verifying, id, browser, visitor).await.map(drop),
            Return => self.leave(browser, false).await,
            Cancel => self.leave(browser, true).await,
            AppEnds => self.end().await,
        };
        if let Err(error @ SessionError::Fault(Fault::Store(_) | Fault::Contended)) = taken {
            panic!("{step:?}: {error}");
        }
    }

    /// What the application is told to have ended has ended, and its code is
    /// worth nothing.
    async fn end(&self) -> Result<(), SessionError> {
        let ended = verification::end_session(&self.app.admission, &self.id).await?;
        assert!(matches!(ended.end, Some(End::CalledOff | End::Canceled)), "{ended:?}");
        let verification = self.verification(ended.verification.as_ref()).await;
        let is_open =
            |verification: &Verification| matches!(verification.status, Status::Pending | Status::Approved);
        assert!(!verification.as_ref().is_some_and(is_open), "{ended:?}: {verification:?}");
        Ok(())
    }

    async fn leave(&self, browser: &Secret, cancel: bool) -> Result<(), SessionError> {
        let way = verification::session_leave(&self.app.admission, &self.id, browser, cancel).await?;
        self.results.lock().unwrap().extend(way);
        Ok(())
    }

    /// The code that was sent to the own telephone last, as its owner reads it
    /// there: not by way of the pages.
    async fn code_of_own(&self) -> Option<String> {
        let sent = self.sent_to(&self.own).await;
        let last = sent.into_iter().max_by_key(|verification| verification.sends.len())?;
        self.codes.derive(&last.id, &last.code).map(|code| code.expose().to_owned())
    }

    /// The verifications of this way that go to a number.
    async fn sent_to(&self, number: &str) -> Vec<Verification> {
        let filter = VerificationFilter { to: Some(number.to_owned()), ..VerificationFilter::default() };
        let window = Window { limit: 20, after: None };
        let page = verification::verifications(
            &self.app.admission,
            &dialback::model::key::ServiceSet::all(),
            &filter,
            &window,
        )
        .await
        .unwrap();
        page.items.into_iter().map(|view| view.verification).collect()
    }

    async fn session(&self) -> Session {
        let found: Option<Versioned<Session>> = records::get(&*self.store, self.id.as_str()).await.unwrap();
        found.unwrap().record
    }

    async fn verification(&self, id: Option<&VerificationId>) -> Option<Verification> {
        let found: Option<Versioned<Verification>> = records::get(&*self.store, id?.as_str()).await.unwrap();
        found.map(|found| found.record)
    }

    /// Whether an approval of this session is an approval of the own number, by
    /// its own code.
    async fn is_proved(&self, to: Option<&str>, id: Option<&VerificationId>) -> bool {
        let verification = self.verification(id).await;
        to == Some(self.own.as_str())
            && verification.is_some_and(|verification| {
                verification.to.in_full() == self.own
                    && verification.status == Status::Approved
                    && verification.checks > 0
            })
    }

    /// What must be so whatever the order was.
    async fn judge(&self, moves: &[Move]) {
        let session = self.session().await;
        let number = session.number.as_ref().map(|number| number.in_full().to_owned());
        if session.end == Some(End::Approved) {
            let is_proved = self.is_proved(number.as_deref(), session.verification.as_ref()).await;
            assert!(is_proved, "{moves:?}: an approved end of {session:?}");
        }
        for verification in self.sent_to(&self.victims).await {
            assert_ne!(verification.status, Status::Approved, "{moves:?}: nobody knows this code");
        }
        for number in [&self.own, &self.victims] {
            for verification in self.sent_to(number).await {
                let is_its = session.verification.as_ref() == Some(&verification.id);
                let is_open = verification.status == Status::Pending;
                assert!(is_its || !is_open, "{moves:?}: a code is under way for nobody: {session:?}");
                assert!(!(is_open && session.end.is_some()), "{moves:?}: and goes on after the end");
            }
        }
        // What the application is told, by whichever way back the person took.
        let ways = std::mem::take(&mut *self.results.lock().unwrap());
        let mut told = 0;
        for way in ways {
            let (_, result) = way.expose().rsplit_once("result=").unwrap();
            let Ok(view) = verification::session_result(&self.app.admission, &self.id, result).await else {
                continue;
            };
            told += 1;
            let to = view.session.number.as_ref().map(|number| number.in_full().to_owned());
            let verification = view.verification.as_ref().map(|view| view.verification.id.clone());
            if view.session.end == Some(End::Approved) {
                assert!(self.is_proved(to.as_deref(), verification.as_ref()).await, "{moves:?}: was told");
            }
        }
        assert!(told <= 1, "{moves:?}: a result was exchanged twice");
    }
}

/// A service whose store can be stopped at every access, and ways through it.
struct Stage {
    app: App,
    store: Arc<dyn Maintenance>,
    ways: AtomicU32,
    _kept: (TempDir, Option<TestDatabase>),
}

impl Stage {
    fn new(engine: Engine) -> Self {
        let (dir, schema) = (tempfile::tempdir().unwrap(), schema_for(engine));
        let store: Arc<dyn Maintenance> = Arc::new(Turnstile(open(engine, &dir, schema.as_ref())));
        let clock = Clock::stopped("2026-11-20T09:00:00Z".parse().unwrap());
        let plain = parts(&store, &Arc::<Script>::default(), &clock);
        let settings = service::Settings {
            name: "Dialback".to_owned(),
            channels: vec![Channel::Sms, Channel::Call],
            max_checks: 2,
            code_length: 8,
            pages: Pages { return_urls: vec!["https://shop.example/done".to_owned()], ..Pages::default() },
            ..service::Settings::of_policy(&plain.policy)
        };
        let directory =
            ServiceDirectory::new(ServiceDirectory::of_file(None, settings, clock.now()), Vec::new())
                .looking_always();
        let app = App::new(Parts {
            services: directory,
            codes: codes(),
            // One app plays all ways: what the earlier ones counted is not to change the later.
            limits: Limits::none(),
            fraud: dialback::model::fraud::FraudPolicy::default(),
            ..plain
        });
        Self { app, store, ways: AtomicU32::new(0), _kept: (dir, schema) }
    }

    /// A new session with numbers of its own, moved to a place.
    async fn way(&self, moves: &[Move]) -> Arc<Way> {
        let n = self.ways.fetch_add(2, Ordering::Relaxed);
        if n == 0 {
            admission::hold_lists(&self.app.admission).await.unwrap();
        }
        let return_url = Some("https://shop.example/done".to_owned());
        let request = NewSession { return_url, ..NewSession::default() };
        let way = Way {
            id: verification::create_session(&self.app.admission, request).await.unwrap().id,
            app: self.app.clone(),
            store: self.store.clone(),
            codes: codes(),
            browser: verification::new_browser(&self.app.base),
            stranger: verification::new_browser(&self.app.base),
            own: format!("+491512{n:07}"),
            victims: format!("+491512{:07}", n + 1),
            results: Mutex::default(),
        };
        for step in moves {
            way.take(*step).await;
        }
        way.results.lock().unwrap().clear();
        Arc::new(way)
    }

    /// Takes these moves at once from that place, in every order.
    async fn at_once(&self, place: &[Move], moves: &[Move], most_stops: usize) -> usize {
        let begin = async || {
            let way = self.way(place).await;
            let task = |step: &Move| -> Task {
                let (way, step) = (way.clone(), *step);
                Box::pin(async move { way.take(step).await })
            };
            let tasks = moves.iter().map(task).collect();
            (way, tasks)
        };
        let tried = [place, moves].concat();
        let judge = |way: Arc<Way>| {
            let tried = tried.clone();
            async move { way.judge(&tried).await }
        };
        every_order(most_stops, begin, judge).await
    }
}

fn codes() -> CodeKeys {
    CodeKeys::new(vec![CodeKey { id: "a".into(), secret: Secret::new("k".repeat(32)) }]).unwrap()
}

/// How often a task is stopped for another one, at most: in files and databases,
/// whose accesses take their time, and by two that choose otherwise, where one
/// waits for the other by the clock, once.
fn most_stops(engine: Engine, moves: &[Move], all: usize) -> usize {
    let wait = moves.contains(&Start) && moves.contains(&StartCall);
    if engine == Engine::Memory && !wait { all } else { 1 }
}

/// Which sets of moves are made on an engine: all in memory, one after the other,
/// and every so many-th of them where each access takes its time. What an engine
/// may do is told by the stores' own tests; the orders are the same on all.
struct Sample {
    every: u64,
    met: u64,
}

/// Has no factor in common with how many sets there are of one place, so that
/// each place is left by others.
const EVERY: u64 = 7;

impl Sample {
    fn of(engine: Engine) -> Self {
        let every = if engine == Engine::Memory { 1 } else { length("DIALBACK_TEST_ORDERS", EVERY) };
        Self { every, met: 0 }
    }

    /// Whether the next set belongs to it.
    fn takes(&mut self) -> bool {
        self.met += 1;
        (self.met - 1).is_multiple_of(self.every)
    }

    /// How many it has taken.
    fn taken(&self) -> usize {
        self.met.div_ceil(self.every) as usize
    }
}

over_each_engine!(two_moves_at_once_approve_nothing_but_the_own_number, three_moves_at_once_do_not_either);

async fn two_moves_at_once_approve_nothing_but_the_own_number(engine: Engine) {
    let (mut orders, mut sample) = (0, Sample::of(engine));
    for place in PLACES {
        let stage = Stage::new(engine);
        for (nth, one) in ALL.iter().enumerate() {
            for other in &ALL[nth..] {
                if !sample.takes() {
                    continue;
                }
                let moves = [*one, *other];
                orders += stage.at_once(place, &moves, most_stops(engine, &moves, usize::MAX)).await;
            }
        }
    }
    let sets = sample.taken();
    assert!(orders > sets, "{orders} orders of {sets} pairs");
}

async fn three_moves_at_once_do_not_either(engine: Engine) {
    let places = if engine == Engine::Memory { &OPEN_PLACES[..] } else { &OPEN_PLACES[1..2] };
    let (mut orders, mut sample) = (0, Sample::of(engine));
    for place in places.iter().map(|place| PLACES[*place]) {
        for (first, one) in TURNS.iter().enumerate() {
            let stage = Stage::new(engine);
            for (second, other) in TURNS.iter().enumerate().skip(first) {
                for third in &TURNS[second..] {
                    if !sample.takes() {
                        continue;
                    }
                    let moves = [*one, *other, *third];
                    orders += stage.at_once(place, &moves, most_stops(engine, &moves, 2)).await;
                }
            }
        }
    }
    let sets = sample.taken();
    assert!(orders > sets + sets / 5, "{orders} orders of {sets} triples");
}
