//! Applications, people and Twilio, all at once: they start verifications, offer
//! codes, want messages again and report what became of others, and write down
//! what they were told.

use super::cluster::Faces;
use super::ledger::{Known, Ledger};
use crate::instance::{ACCOUNT, TOKEN};
use crate::wire::{Answer, code_in, form, sign, text, try_answer, with_json, wrong};
use dialback::entropy::Entropy;
use futures_util::future::join_all;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// People at a time, and message lives that Twilio reports at a time.
const PEOPLE: usize = 8;
const REPORTERS: usize = 3;
const LIFE: [&str; 4] = ["queued", "sending", "sent", "delivered"];
/// How long a person waits for the code before somebody else comes.
const WAIT: Duration = Duration::from_millis(1500);
/// How long who got no answer waits at most before asking again, in milliseconds.
const LULL: u64 = 200;
/// How long a client asks again for what it is in doubt about.
const RESOLVE: Duration = Duration::from_secs(45);
/// Area codes whose 555 numbers nobody has.
const AREAS: [u32; 12] = [212, 213, 312, 404, 415, 503, 512, 602, 617, 702, 713, 919];

/// What a client heard.
pub enum Heard {
    /// Done.
    Yes(Answer),
    /// Not done: a reason of the request's own.
    No(Answer),
    /// Nobody knows.
    Doubt,
}

/// Everything that clients share.
pub struct World {
    pub faces: Faces,
    pub ledger: Arc<Ledger>,
    entropy: Entropy,
    numbers: AtomicU64,
    stop: AtomicBool,
}

/// Clients at work; they stop when they are told to.
pub struct Workload {
    pub world: Arc<World>,
    /// How many people, and how many lives, may yet come: a verdict looks at
    /// each, and has to come to an end.
    people: Arc<Semaphore>,
    lives: Arc<Semaphore>,
    tasks: JoinSet<()>,
}

/// How many people, and how many lives, come with each fault.
const PEOPLE_A_FAULT: usize = 12;
const LIVES_A_FAULT: usize = 8;

impl World {
    pub fn new(faces: &Faces, ledger: &Arc<Ledger>, seed: u64) -> Arc<Self> {
        Arc::new(Self {
            faces: faces.clone(),
            ledger: ledger.clone(),
            entropy: Entropy::seeded(seed),
            numbers: AtomicU64::new(0),
            stop: AtomicBool::new(false),
        })
    }

    /// A number that nobody was verified by in this run.
    pub fn number(&self) -> String {
        let nth = self.numbers.fetch_add(1, Ordering::SeqCst);
        // Spread: a thousand neighbours get only so many texts in an hour (`[limits]`).
        let areas = AREAS.len() as u64;
        let (area, own) = (AREAS[(nth % areas) as usize], nth / areas * 1237 % 10_000);
        format!("+1{area}555{own:04}")
    }

    pub fn chance(&self, percent: u64) -> bool {
        self.entropy.below(100) < percent
    }

    /// A server's address, or the balancer's.
    fn base(&self) -> String {
        let nth = self.entropy.below(self.faces.count() as u64 + 1) as usize;
        self.faces.node(nth).unwrap_or_else(|| self.faces.front.clone())
    }

    /// Notes what somebody failed to answer who lived all the time.
    fn blame(&self, base: &str, what: String) {
        let lives = (0..self.faces.count()).any(|nth| self.faces.node(nth).as_deref() == Some(base));
        if lives {
            self.ledger.count(|counts| counts.failures.push(what));
        }
    }

    /// Asks once, and says what is known then.
    pub async fn ask(&self, base: &str, request: RequestBuilder) -> Heard {
        let heard = match try_answer(request).await {
            Ok(answer) if matches!(answer.status, 200..=299) => Heard::Yes(answer),
            Ok(answer) if answer.status < 500 => Heard::No(answer),
            Ok(answer) => {
                self.blame(base, format!("{} {}", answer.status, answer.text));
                Heard::Doubt
            }
            Err(error) => {
                self.blame(base, format!("{error:?}"));
                Heard::Doubt
            }
        };
        match &heard {
            Heard::Doubt => self.ledger.count(|counts| counts.doubts += 1),
            Heard::No(answer) => {
                let code = answer.text.split("\"code\":").nth(1).unwrap_or("?").split(',').next();
                let code = format!("{} {}", answer.status, code.unwrap_or("?"));
                self.ledger.count(|counts| *counts.refused.entry(code).or_default() += 1);
            }
            Heard::Yes(_) => {}
        }
        heard
    }

    /// Starts a verification, again under the same key until it is known how
    /// that ended. Gives its id.
    pub async fn start(&self, number: &str) -> Option<String> {
        self.start_at(number, || self.base()).await
    }

    /// The same at an address of one's choice, chosen anew for each try.
    pub async fn start_at(&self, number: &str, base: impl Fn() -> String) -> Option<String> {
        let key = self.entropy.hex::<12>();
        let body = json!({ "to": number, "channel": "sms" });
        let deadline = Instant::now() + RESOLVE;
        let mut tries = 0;
        while Instant::now() < deadline {
            let base = base();
            let request = self.faces.api(&base, Method::POST, "/v1/verifications");
            match self.ask(&base, with_json(request.header("idempotency-key", &key), &body)).await {
                Heard::Yes(answer) => {
                    let id = text(&answer.json()["id"]);
                    let mut book = self.ledger.book();
                    book.counts.starts += 1;
                    book.counts.repeated_starts += u64::from(tries > 0);
                    book.started.insert(id.clone(), Known { number: number.to_owned(), ..Known::default() });
                    return Some(id);
                }
                Heard::No(answer) => panic!("a start was refused: {}", answer.text),
                Heard::Doubt => {
                    tries += 1;
                    self.rest(LULL).await;
                }
            }
        }
        panic!("nobody took a start for {RESOLVE:?}");
    }

    async fn rest(&self, most_millis: u64) {
        tokio::time::sleep(Duration::from_millis(1 + self.entropy.below(most_millis))).await;
    }

    /// The code that was sent to a number, if it came within the time.
    pub async fn code(&self, number: &str, span: Duration) -> Option<String> {
        let deadline = Instant::now() + span;
        loop {
            if let Some(message) = self.faces.messages(Some(number)).await.first() {
                return Some(code_in(message["body"].as_str().unwrap()));
            }
            if Instant::now() > deadline {
                return None;
            }
            self.rest(60).await;
        }
    }

    /// Offers a code, and writes down what came of it.
    pub async fn check(&self, id: &str, code: &str, is_right: bool) -> Heard {
        let base = self.base();
        let request = self.faces.api(&base, Method::POST, &format!("/v1/verifications/{id}/check"));
        let heard = self.ask(&base, with_json(request, &json!({ "code": code }))).await;
        self.ledger.count(|counts| counts.checks += 1);
        let valid = |answer: &Answer| answer.json()["valid"] == true;
        self.ledger.note(id, |known| match (&heard, is_right) {
            (Heard::Yes(answer), true) if valid(answer) => known.right += 1,
            (Heard::Yes(answer), false) if valid(answer) => panic!("a wrong code was right: {}", answer.text),
            (Heard::Yes(answer), true) => panic!("a right code was wrong: {}", answer.text),
            (Heard::Yes(_), false) => known.wrong += 1,
            (Heard::Doubt, true) => known.right_in_doubt += 1,
            (Heard::Doubt, false) => known.wrong_in_doubt += 1,
            (Heard::No(_), _) => {}
        });
        heard
    }

    async fn send_again(&self, id: &str) {
        let base = self.base();
        let request = self.faces.api(&base, Method::POST, &format!("/v1/verifications/{id}/resend"));
        let heard = self.ask(&base, with_json(request, &json!({}))).await;
        self.ledger.note(id, |known| match heard {
            Heard::Yes(_) => known.sends += 1,
            Heard::Doubt => known.sends_in_doubt += 1,
            Heard::No(_) => {}
        });
        self.ledger.count(|counts| counts.sends += 1);
    }

    /// One person's way, as far as the faults let it go.
    async fn person(&self) {
        let number = self.number();
        let Some(id) = self.start(&number).await else { return };
        if self.chance(20) {
            return;
        }
        let Some(code) = self.code(&number, WAIT).await else { return };
        self.ledger.note(&id, |known| known.code = Some(code.clone()));
        for _ in 0..self.entropy.below(3) {
            self.check(&id, &wrong(&code), false).await;
        }
        if self.chance(35) {
            self.send_again(&id).await;
        }
        if self.chance(65) {
            // A form that is sent twice, by two ways.
            join_all([self.check(&id, &code, true), self.check(&id, &code, true)]).await;
        }
    }

    /// The life of somebody else's message, as Twilio tells it.
    async fn life(&self) {
        let sid = format!("SM{}", self.entropy.hex::<16>());
        for status in LIFE {
            if self.stop.load(Ordering::SeqCst) {
                return;
            }
            let repeats = 1 + u64::from(self.chance(20));
            for _ in 0..repeats {
                self.ledger.count(|counts| counts.callbacks += 1);
                let base = self.base();
                match self.ask(&base, self.callback(&base, &sid, status)).await {
                    Heard::Yes(_) => {
                        self.ledger.book().callbacks.entry(sid.clone()).or_default().insert(status);
                    }
                    Heard::Doubt => self.rest(LULL).await,
                    Heard::No(answer) => panic!("a callback was refused: {}", answer.text),
                }
            }
        }
    }

    /// A signed status callback.
    pub fn callback(&self, base: &str, sid: &str, status: &str) -> RequestBuilder {
        let params =
            [("MessageSid", sid), ("MessageStatus", status), ("To", "+12025550143"), ("AccountSid", ACCOUNT)];
        let signature = sign(TOKEN, &format!("{}/twilio/status", self.faces.front), &params);
        let request = self.faces.http.post(format!("{base}/twilio/status")).body(form(&params));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.header("x-twilio-signature", signature)
    }
}

impl Workload {
    /// Sets all clients to work.
    pub fn begin(world: Arc<World>) -> Self {
        let mut tasks = JoinSet::new();
        world.stop.store(false, Ordering::SeqCst);
        let (people, lives) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        for _ in 0..PEOPLE {
            let (world, people) = (world.clone(), people.clone());
            tasks.spawn(async move {
                while let Ok(one) = people.acquire().await {
                    one.forget();
                    world.person().await;
                    world.rest(80).await;
                }
            });
        }
        for _ in 0..REPORTERS {
            let (world, lives) = (world.clone(), lives.clone());
            tasks.spawn(async move {
                while let Ok(one) = lives.acquire().await {
                    one.forget();
                    world.life().await;
                    world.rest(20).await;
                }
            });
        }
        let workload = Self { world, people, lives, tasks };
        workload.feed();
        workload
    }

    /// Lets more people and lives come, for the next fault.
    pub fn feed(&self) {
        self.people.add_permits(PEOPLE_A_FAULT);
        self.lives.add_permits(LIVES_A_FAULT);
    }

    /// Lets them end what they are at. What panicked in one panics here.
    pub async fn end(mut self) {
        self.world.stop.store(true, Ordering::SeqCst);
        self.people.close();
        self.lives.close();
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                std::panic::resume_unwind(error.into_panic());
            }
        }
    }
}

/// Whether each message of a verification is made or given up. What Twilio has
/// named may be `sending` for ever, if what it said next was not heard.
pub fn is_settled(view: &Value) -> bool {
    let deliveries = view["deliveries"].as_array().unwrap();
    let is_open = |sent: &Value| matches!(sent["status"].as_str(), Some("pending" | "sending"));
    deliveries.iter().all(|sent| sent["sid"].is_string() || !is_open(sent))
}
