//! The wire between the service and the sandbox: every request goes over it, as the
//! network lets it, and what came to be at the far side is written down.

use super::far::Far;
use super::network::{Asked, Befalls, Met, befalls, is_away};
use super::parameters::World;
use super::people::Person;
use async_trait::async_trait;
use dialback::clock::Clock;
use dialback::gateway::http::{Answer, Client, Outgoing, Transport, TransportError};
use dialback::model::channel::Channel;
use dialback::model::id::DeliveryId;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long the service waits for an answer that never comes.
const PATIENCE: Duration = Duration::from_secs(10);

/// A message or call that came to be at the far side.
#[derive(Debug, Clone)]
pub struct Made {
    pub at: Timestamp,
    pub delivery: DeliveryId,
    pub channel: Channel,
    pub number: String,
    pub sid: String,
    /// When a person may have read or heard it.
    pub looks_at: Timestamp,
}

/// The wire. Clones are the same.
#[derive(Clone)]
pub struct Wire(Arc<Inner>);

struct Inner {
    client: Client,
    far: Far,
    world: Arc<World>,
    seed: u64,
    people: BTreeMap<String, Person>,
    clock: Clock,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    asked: BTreeMap<(String, Channel), u64>,
    made: Vec<Made>,
    /// How many of them were looked at.
    told: usize,
}

impl Wire {
    /// A wire to that sandbox.
    pub fn new(
        client: Client,
        far: Far,
        world: Arc<World>,
        seed: u64,
        people: &[Person],
        clock: Clock,
    ) -> Self {
        let people = people.iter().map(|person| (person.number.clone(), person.clone())).collect();
        Self(Arc::new(Inner { client, far, world, seed, people, clock, log: Mutex::default() }))
    }

    /// What came to be since this was last asked.
    pub fn news(&self) -> Vec<Made> {
        let mut log = self.0.log();
        let count = log.made.len();
        let told = std::mem::replace(&mut log.told, count);
        log.made[told..].to_vec()
    }

    /// Everything that came to be, in order.
    pub fn made(&self) -> Vec<Made> {
        self.0.log().made.clone()
    }
}

impl Inner {
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        let since = self.clock.now().duration_since(self.world.start);
        u64::try_from(since.as_millis()).unwrap_or(0)
    }

    fn nth(&self, number: &str, channel: Channel) -> u64 {
        let mut log = self.log();
        let count = log.asked.entry((number.to_owned(), channel)).or_default();
        *count += 1;
        *count
    }

    /// Hands a request on, to a telephone that behaves so.
    async fn hand_on(
        &self,
        request: Outgoing,
        to: (&str, Channel),
        met: &Met,
    ) -> Result<Answer, TransportError> {
        self.far.behave(to.0, &met.behaviour).await;
        let delivery = delivery(&request);
        let answer = self.client.call(request).await?;
        if let (201, Some(delivery)) = (answer.status, delivery) {
            self.note(&answer, delivery, to, met.after);
        }
        Ok(answer)
    }

    fn note(&self, answer: &Answer, delivery: DeliveryId, (number, channel): (&str, Channel), after: u64) {
        let resource: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let at = self.clock.now();
        let after = SignedDuration::from_millis(i64::try_from(after).unwrap_or(i64::MAX));
        self.log().made.push(Made {
            at,
            delivery,
            channel,
            number: number.to_owned(),
            sid: resource["sid"].as_str().unwrap_or_default().to_owned(),
            looks_at: at.checked_add(after).unwrap_or(Timestamp::MAX),
        });
    }
}

#[async_trait]
impl Transport for Wire {
    async fn call(&self, request: Outgoing) -> Result<Answer, TransportError> {
        let inner = &self.0;
        let nobody = || TransportError::NotConnected("connection refused".to_owned());
        let Some((number, channel)) = makes(&request) else {
            return if is_away(&inner.world, inner.now()) {
                Err(nobody())
            } else {
                inner.client.call(request).await
            };
        };
        let Some(person) = inner.people.get(&number) else { return inner.client.call(request).await };
        let asked = Asked { at: inner.now(), person, channel, nth: inner.nth(&number, channel) };
        match befalls(&inner.world, inner.seed, &asked) {
            Befalls::Away => Err(nobody()),
            Befalls::Met(met) => inner.hand_on(request, (&number, channel), &met).await,
            Befalls::Unanswered { done } => {
                if let Some(met) = done {
                    inner.hand_on(request, (&number, channel), &met).await?;
                }
                inner.clock.sleep(PATIENCE).await;
                Err(TransportError::Broken("no answer in time".to_owned()))
            }
        }
    }
}

/// To whom and how, where a request makes a message or a call.
fn makes(request: &Outgoing) -> Option<(String, Channel)> {
    let is_call = request.url.ends_with("/Calls.json");
    if request.method != "POST" || !(is_call || request.url.ends_with("/Messages.json")) {
        return None;
    }
    let to = value(request, "To")?;
    Some(match to.strip_prefix("whatsapp:") {
        Some(number) => (number.to_owned(), Channel::Whatsapp),
        None => (to.to_owned(), if is_call { Channel::Call } else { Channel::Sms }),
    })
}

/// Our name for it, which its callback's URL has.
fn delivery(request: &Outgoing) -> Option<DeliveryId> {
    let (_, rest) = value(request, "StatusCallback")?.split_once("delivery=")?;
    rest.split(['&', '#']).next()?.parse().ok()
}

fn value<'r>(request: &'r Outgoing, name: &str) -> Option<&'r str> {
    request.form.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
}
