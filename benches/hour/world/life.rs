//! The hour under one policy: who comes when, what they read, type and ask for again, and
//! the clock that goes from one thing that happens to the next.

use super::far::Far;
use super::house::{ACCOUNT, Commits, House, Ports, TOKEN};
use super::parameters::World;
use super::people::Person;
use super::policy::Policy;
use super::stage::Stage;
use super::wire::{Made, Wire};
use dialback::app::admission::AdmissionError;
use dialback::app::verification::{self, Again, Offer, StartRequest, VerificationError};
use dialback::clock::Clock;
use dialback::entropy::Entropy;
use dialback::gateway::http::Client;
use dialback::model::channel::Channel;
use dialback::model::id::VerificationId;
use dialback::model::limits::Limits;
use dialback::model::verification::{Status, Verification};
use dialback::sandbox::{AUTHENTICATION_TEMPLATE, Keep, Sandbox, Settings};
use dialback::secret::Secret;
use dialback::server;
use dialback::trust::Trust;
use jiff::{SignedDuration, Timestamp};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// For how long it goes on after the last person came: as long as a code lives, and more.
const REST: i64 = 11 * 60_000;
/// How long who was told to wait does so, and how often.
const WAIT: u64 = 30_000;
const WAITS: u32 = 4;
/// How long it takes to see that a digit was wrong, and to type the code again.
const CORRECTS: u64 = 4_000;
/// The transport's deadlines. They are real time, which hardly passes.
const DEADLINE: Duration = Duration::from_secs(60);

/// What became of somebody.
#[derive(Debug, Clone, Default)]
pub struct Story {
    /// How long after they came they could read or hear a code that was still worth
    /// something, in milliseconds.
    pub reached: Option<u64>,
    pub approved: bool,
    /// Each verification of theirs, and how often they asked for its code again and were
    /// heard.
    pub begun: Vec<(VerificationId, usize)>,
}

/// What became of everybody, and what was found at both sides at the end.
pub struct Lived {
    pub policy: Policy,
    pub stories: Vec<Story>,
    pub made: Vec<Made>,
    pub records: Vec<Verification>,
    /// Why something was not begun or not sent again, and how often.
    pub refused: BTreeMap<String, usize>,
    pub limits: Limits,
}

/// What happens next.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Happens {
    Comes,
    Looks { verification: VerificationId, sid: String, number: String },
    Types { verification: VerificationId, mistyped: bool },
    AsksAgain { left: u32, waits: u32 },
    BeginsAnew,
    Template { paused: bool },
}

struct Life<'w> {
    world: &'w World,
    people: &'w [Person],
    stage: Stage,
    house: House,
    wire: Wire,
    far: Far,
    next: BinaryHeap<Reverse<(Timestamp, u64, usize, Happens)>>,
    count: u64,
    whose: BTreeMap<VerificationId, usize>,
    stories: Vec<Story>,
    refused: BTreeMap<String, usize>,
}

/// Lets everybody live through the hour under a policy.
pub fn live(world: &Arc<World>, people: &[Person], policy: Policy, seed: u64) -> Result<Lived, String> {
    let mut stage = Stage::new(Clock::stopped(world.start))?;
    let set_up = set_up(world.clone(), people.to_vec(), policy, seed, stage.clock.clone());
    let (house, wire, far) = stage.play(set_up)?;
    stage.watch(Commits(house.store.clone()));
    let stories = vec![Story::default(); people.len()];
    let (whose, refused) = Default::default();
    let next = BinaryHeap::new();
    let mut life = Life { world, people, stage, house, wire, far, next, count: 0, whose, stories, refused };
    life.plan();
    life.run();
    Ok(life.end(policy))
}

async fn set_up(
    world: Arc<World>,
    people: Vec<Person>,
    policy: Policy,
    seed: u64,
    clock: Clock,
) -> Result<(House, Wire, Far), String> {
    let bind = async || TcpListener::bind("127.0.0.1:0").await.map_err(|wrong| wrong.to_string());
    let (listener, own) = (bind().await?, bind().await?);
    let sandbox_url = format!("http://{}", listener.local_addr().map_err(|wrong| wrong.to_string())?);
    let much = people.len() * 8 + 1000;
    let keep = Keep { messages: much, phones: people.len() + 1000, ..Keep::default() };
    let settings = Settings { seed, pace: 0.0, keep, ..Settings::new(ACCOUNT, Secret::new(TOKEN)) };
    let sandbox = Sandbox::new(settings, clock.clone(), Entropy::seeded(seed ^ 1))
        .map_err(|wrong| wrong.to_string())?;
    let service = warp::service(sandbox.filter());
    tokio::spawn(server::serve(listener, service, Sandbox::limits(), std::future::pending()));
    let client = Client::new(DEADLINE, DEADLINE, &Trust::compiled_in()).map_err(|wrong| wrong.to_string())?;
    let far = Far::new(sandbox);
    let wire = Wire::new(client, far.clone(), world.clone(), seed, &people, clock.clone());
    let house = House::open(&world, policy, seed, &clock, wire.clone(), Ports { sandbox_url, own }).await?;
    Ok((house, wire, far))
}

impl Life<'_> {
    /// Writes down what happens whatever becomes of it.
    fn plan(&mut self) {
        for (person, own) in self.people.iter().enumerate() {
            self.after_start(own.at, person, Happens::Comes);
        }
        for paused in &self.world.paused {
            self.after_start(paused.begins(), 0, Happens::Template { paused: true });
            self.after_start(paused.ends(), 0, Happens::Template { paused: false });
        }
    }

    fn after_start(&mut self, ms: u64, person: usize, what: Happens) {
        self.at(self.world.start, ms, person, what);
    }

    fn later(&mut self, ms: u64, person: usize, what: Happens) {
        self.at(self.stage.clock.now(), ms, person, what);
    }

    fn at(&mut self, from: Timestamp, ms: u64, person: usize, what: Happens) {
        let at = from.checked_add(SignedDuration::from_millis(ms as i64)).unwrap_or(Timestamp::MAX);
        self.count += 1;
        self.next.push(Reverse((at, self.count, person, what)));
    }

    /// Goes from one thing that happens to the next, at either side, until all is over.
    fn run(&mut self) {
        let whole = i64::from(self.world.minutes) * 60_000 + REST;
        let end = self.world.start + SignedDuration::from_millis(whole);
        loop {
            let planned = self.next.peek().map(|Reverse((at, ..))| *at);
            let woken = self.stage.clock.next_wake();
            let Some(at) = planned.into_iter().chain(woken).min().filter(|at| *at <= end) else { break };
            if at > self.stage.clock.now() {
                self.stage.move_to(at);
                self.hear();
            }
            while self.next.peek().is_some_and(|Reverse((at, ..))| *at <= self.stage.clock.now()) {
                let Some(Reverse((_, _, person, what))) = self.next.pop() else { break };
                self.happen(person, what);
                self.hear();
            }
        }
    }

    /// Lets people look at what came to their telephones when it has.
    fn hear(&mut self) {
        for made in self.wire.news() {
            let Some((verification, _)) = made.delivery.of_verification() else { continue };
            let Some(person) = self.whose.get(&verification).copied() else { continue };
            let looks = Happens::Looks { verification, sid: made.sid, number: made.number };
            self.at(made.looks_at, 0, person, looks);
        }
    }

    fn happen(&mut self, person: usize, what: Happens) {
        match what {
            Happens::Comes => {
                self.begin(person);
                let own = &self.people[person];
                let (patience, asks, anew) = (own.patience, own.asks, own.begins_anew);
                if asks > 0 {
                    self.later(patience, person, Happens::AsksAgain { left: asks, waits: WAITS });
                }
                if anew {
                    let seconds = self.world.people.begins_anew_seconds;
                    self.later(seconds * 1000, person, Happens::BeginsAnew);
                }
            }
            Happens::BeginsAnew if self.stories[person].reached.is_none() => self.begin(person),
            Happens::AsksAgain { left, waits } if self.stories[person].reached.is_none() => {
                self.ask_again(person, left, waits);
            }
            Happens::BeginsAnew | Happens::AsksAgain { .. } => {}
            Happens::Looks { verification, sid, number } => self.look(person, verification, sid, number),
            Happens::Types { verification, mistyped } => self.type_in(person, verification, mistyped),
            Happens::Template { paused } => {
                let (far, status) = (self.far.clone(), if paused { "paused" } else { "approved" });
                self.stage.play(async move { far.template(AUTHENTICATION_TEMPLATE, status).await });
            }
        }
    }

    fn begin(&mut self, person: usize) {
        let own = &self.people[person];
        let service = Some(self.house.services[own.service].clone());
        let request = StartRequest { service, ..StartRequest::to(own.number.clone()) };
        let app = self.house.app.clone();
        let started =
            self.stage.play(async move { verification::start(&app.verifying, request, None).await });
        match started {
            Ok(started) => {
                let id = started.view.verification.id;
                self.whose.insert(id.clone(), person);
                self.stories[person].begun.push((id, 0));
            }
            Err(error) => self.refuse("start", &error),
        }
    }

    fn ask_again(&mut self, person: usize, left: u32, waits: u32) {
        let own = &self.people[person];
        let (patience, channel) = (own.patience, own.by_call.then_some(Channel::Call));
        let Some((id, _)) = self.stories[person].begun.last().cloned() else { return };
        let app = self.house.app.clone();
        let again = Again { channel, ..Again::default() };
        let asked = self
            .stage
            .play(async move { verification::resend(&app.verifying, &id, &again, &|_| true).await });
        match asked {
            Ok(_) => {
                if let Some((_, heard)) = self.stories[person].begun.last_mut() {
                    *heard += 1;
                }
                if left > 1 {
                    self.later(patience, person, Happens::AsksAgain { left: left - 1, waits: WAITS });
                }
            }
            Err(error) => {
                self.refuse("again", &error);
                if waits > 0 {
                    self.later(WAIT, person, Happens::AsksAgain { left, waits: waits - 1 });
                }
            }
        }
    }

    /// Looks at what may have come: whether it did, and brings a code that is worth
    /// something.
    fn look(&mut self, person: usize, verification: VerificationId, sid: String, number: String) {
        let (far, app, id) = (self.far.clone(), self.house.app.clone(), verification.clone());
        let (words, status) = self.stage.play(async move {
            let words = far.words(&number, &sid).await;
            (words, verification::fetch(&app.admission, &id).await.map(|view| view.status))
        });
        let code = self.house.witness.code(&verification);
        let brings = |words: String| code.is_some_and(|code| spoken(&words).contains(&code));
        if !words.is_some_and(brings) || !matches!(status, Ok(Status::Pending)) {
            return;
        }
        let since = self.stage.clock.now().duration_since(self.world.start).as_millis();
        let own = &self.people[person];
        if self.stories[person].reached.is_none() {
            let (types, mistyped) = (own.types, own.mistypes);
            self.stories[person].reached = Some((since as u64).saturating_sub(own.at));
            self.later(types, person, Happens::Types { verification, mistyped });
        }
    }

    fn type_in(&mut self, person: usize, verification: VerificationId, mistyped: bool) {
        let Some(code) = self.house.witness.code(&verification) else { return };
        let typed = if mistyped { wrong(&code) } else { code };
        let (app, id) = (self.house.app.clone(), verification.clone());
        let checked = self
            .stage
            .play(async move { verification::check(&app.verifying, &id, Offer::from(&typed)).await });
        match checked {
            Ok(checked) if checked.valid => self.stories[person].approved = true,
            Ok(_) => self.later(CORRECTS, person, Happens::Types { verification, mistyped: false }),
            Err(error) => self.refuse("check", &error),
        }
    }

    fn refuse(&mut self, what: &str, error: &VerificationError) {
        let error = match error {
            VerificationError::Admission(AdmissionError::TooSoon { .. }) => "too soon".to_owned(),
            error => error.to_string(),
        };
        *self.refused.entry(format!("{what}: {error}")).or_default() += 1;
    }

    /// Reads what stands in the records, and what came to be at the far side.
    fn end(mut self, policy: Policy) -> Lived {
        let mut records = Vec::new();
        for id in self.whose.keys().cloned().collect::<Vec<_>>() {
            let app = self.house.app.clone();
            let view = self.stage.play(async move { verification::fetch(&app.admission, &id).await });
            records.extend(view.ok().map(|view| view.verification));
        }
        let (made, limits) = (self.wire.made(), self.house.limits.clone());
        Lived { policy, stories: self.stories, made, records, refused: self.refused, limits }
    }
}

/// Words with what is read out digit by digit made whole.
fn spoken(words: &str) -> String {
    words.chars().filter(|char| !char.is_whitespace()).collect()
}

/// Another code of the same length.
fn wrong(code: &str) -> String {
    let first = if code.starts_with('0') { '1' } else { '0' };
    std::iter::once(first).chain(code.chars().skip(1)).collect()
}
