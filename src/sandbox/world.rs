//! What the sandbox knows, behind one lock that is never held while waiting.

use super::account::Accounts;
use super::address::Address;
use super::behaviour::Behaviour;
use super::cookies::Cookies;
use super::exchanges::Exchanges;
use super::key::{KEYS, Key};
use super::next::Next;
use super::numbers::Numbers;
use super::phone::Phone;
use super::resource::{Call, Message};
use super::settings::{DialbackApi, Inbound, SENDER, Settings};
use super::shelf::Shelf;
use super::shown::{call_view, message_view};
use super::templates::Templates;
use super::usage::{Ledger, Use};
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::secret::Secret;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{Semaphore, broadcast, mpsc, watch};
use tokio::task::JoinSet;

/// The most messages, and the most calls, that are kept.
const RESOURCES: usize = 10_000;
/// The most telephones; the one with the lowest number goes first.
const PHONES: usize = 2_000;
/// The most alerts that are kept.
const ALERTS: usize = 500;
/// The most lives (messages, calls, callbacks) at a time.
const LIVES: usize = 8_192;
/// The most outgoing requests at a time.
const OUTGOING: usize = 256;
/// How many events a slow listener may fall behind.
const EVENTS: usize = 1_024;

/// Everything that the sandbox's parts share.
pub(super) struct World {
    /// What it was made with.
    pub settings: Settings,
    /// The time, shared with whoever gave it.
    pub clock: Clock,
    /// When it was made: the account's date of creation.
    pub born: Timestamp,
    /// Where SIDs come from.
    pub entropy: Entropy,
    /// The client for webhooks.
    pub http: reqwest::Client,
    /// Room for outgoing requests.
    pub outgoing: Semaphore,
    state: Mutex<State>,
    moved: watch::Sender<u64>,
    events: broadcast::Sender<Event>,
    tasks: Weak<Mutex<JoinSet<()>>>,
}

/// The state behind the lock.
pub(super) struct State {
    /// The accounts.
    pub accounts: Accounts,
    /// The API keys that were made here.
    pub keys: Shelf<Key>,
    /// The numbers.
    pub numbers: Numbers,
    /// The messages.
    pub messages: Shelf<Message>,
    /// The calls.
    pub calls: Shelf<Call>,
    /// What was used and what it cost.
    pub ledger: Ledger,
    /// The telephones by number.
    pub phones: BTreeMap<String, Phone>,
    /// Who does not want to hear from whom: sender and phone.
    pub opted_out: HashSet<(String, String)>,
    /// The live calls' ears.
    pub lines: HashMap<String, mpsc::Sender<Control>>,
    /// The wishes for all phones.
    pub behaviour: Behaviour,
    /// The content templates.
    pub templates: Templates,
    /// What the application's answers asked to be sent back.
    pub cookies: Cookies,
    /// What went over the wire.
    pub exchanges: Exchanges,
    /// What Twilio's debugger would show, oldest first.
    pub alerts: VecDeque<Alert>,
    /// Where inbound messages and calls are told.
    pub inbound: Inbound,
    /// The service beside it, for the page's form.
    pub app: Option<DialbackApi>,
    /// True once the sandbox is stopping.
    pub closing: bool,
}

/// What a live call can be told.
#[derive(Clone, Eq, PartialEq)]
pub(super) enum Control {
    /// Pick up.
    Answer,
    /// Push it away.
    Decline,
    /// Press these keys.
    Press(String),
    /// Put down.
    HangUp,
    /// End it from the API's side.
    Complete,
    /// Go on with other TwiML.
    Redirect(Next),
}

/// Something that Twilio's debugger would show.
#[derive(Clone)]
pub(super) struct Alert {
    /// The error code.
    pub code: u32,
    /// What happened, in words.
    pub message: String,
    /// The message or call it happened to.
    pub sid: String,
    /// The URL concerned.
    pub url: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// News for the telephones page.
#[derive(Clone)]
pub(super) struct Event {
    /// Which kind.
    pub kind: &'static str,
    /// Its JSON.
    pub data: Value,
}

impl World {
    /// An empty world.
    pub fn new(
        settings: Settings,
        clock: Clock,
        entropy: Entropy,
        http: reqwest::Client,
        tasks: Weak<Mutex<JoinSet<()>>>,
    ) -> Self {
        let born = clock.now();
        let state = State::new(&settings, born);
        Self {
            settings,
            born,
            clock,
            entropy,
            http,
            outgoing: Semaphore::new(OUTGOING),
            state: Mutex::new(state),
            moved: watch::Sender::new(0),
            events: broadcast::Sender::new(EVENTS),
            tasks,
        }
    }

    /// Reads or changes the state without telling anybody.
    pub fn with<R>(&self, read: impl FnOnce(&mut State) -> R) -> R {
        read(&mut self.lock())
    }

    /// Changes the state and wakes those who wait for a change.
    pub fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let answer = change(&mut self.lock());
        self.moved.send_modify(|n| *n += 1);
        answer
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits, at most `patience` of real time, until `look` finds something.
    /// Gives what it found last, found or not.
    pub async fn wait_for<R>(&self, patience: Duration, look: impl Fn(&State) -> (bool, R)) -> R {
        let deadline = tokio::time::Instant::now() + patience;
        let mut moved = self.moved.subscribe();
        loop {
            moved.mark_unchanged();
            let (found, answer) = self.with(|state| {
                let (found, answer) = look(state);
                (found || state.closing, answer)
            });
            if found || tokio::time::timeout_at(deadline, moved.changed()).await.is_err() {
                return answer;
            }
        }
    }

    /// How many wait for a change.
    #[cfg(test)]
    pub fn waiting(&self) -> usize {
        self.moved.receiver_count()
    }

    /// Runs something beside; false when too much runs already or the sandbox
    /// is gone.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> bool {
        let Some(tasks) = self.tasks.upgrade() else { return false };
        let mut tasks = tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        let room = tasks.len() < LIVES;
        if room {
            tasks.spawn(task);
        }
        room
    }

    /// Ends everything that runs beside.
    pub fn abort_all(&self) {
        if let Some(tasks) = self.tasks.upgrade() {
            tasks.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
        }
    }

    /// A wait that only paces the play: a hop of the network, a spoken word, a
    /// pause. It takes no time at pace 0 or while the clock stands, and ends
    /// early when the clock is moved past it.
    pub async fn pace(&self, span: Duration) {
        let span = span.mul_f64(self.settings.pace.clamp(0.0, 100.0));
        if span.is_zero() || self.clock.is_stopped() {
            tokio::task::yield_now().await;
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(span) => {}
            () = self.clock.sleep(span) => {}
        }
    }

    /// A new SID: two letters and 32 hexadecimal digits.
    pub fn sid(&self, prefix: &str) -> String {
        format!("{prefix}{}", self.entropy.hex::<16>())
    }

    /// A token that names one event on all its repetitions (a version 4 UUID).
    pub fn token(&self) -> String {
        uuid::Builder::from_random_bytes(self.entropy.bytes()).into_uuid().to_string()
    }

    /// Tells the page.
    pub fn tell(&self, kind: &'static str, data: Value) {
        // Nobody may be listening, and that is fine.
        let _ = self.events.send(Event { kind, data });
    }

    /// Listens to what the page is told.
    pub fn listen(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Records what Twilio's debugger would show.
    pub fn alert(&self, code: u32, sid: &str, url: Option<&str>, message: impl Into<String>) {
        let url = url.map(str::to_owned);
        let alert = Alert { code, message: message.into(), sid: sid.to_owned(), url, at: self.clock.now() };
        tracing::info!(code, sid, "sandbox alert");
        self.tell("alert", alert.document());
        self.change(|state| {
            state.alerts.push_back(alert);
            while state.alerts.len() > ALERTS {
                state.alerts.pop_front();
            }
        });
    }

    /// The token with which an account's webhooks are signed; none once the account
    /// is forgotten.
    pub fn token_of(&self, account: &str) -> Option<Secret> {
        self.with(|state| state.accounts.get(account).map(|account| account.token.secret.clone()))
    }

    /// The account that a number of Twilio's belongs to: what comes in is its. What
    /// nobody owns is the main one's.
    pub fn owner_of(&self, number: &str) -> String {
        let owner = self.with(|state| state.numbers.owner(number).map(str::to_owned));
        owner.unwrap_or_else(|| self.settings.account_sid.clone())
    }

    /// Whether an account may send from a number: it is its own, or nobody's while all
    /// are let pass. The number that is always there is everybody's.
    pub fn owns(&self, account: &str, number: &str) -> bool {
        let own = self.with(|state| state.numbers.owner(number).map(|owner| owner == account));
        let nobodys = || {
            let settings = &self.settings;
            settings.takes_all() || account == settings.account_sid && settings.has_name(number)
        };
        number == SENDER || own.unwrap_or_else(nobodys)
    }

    /// Whether an account may call from a number: one that takes calls and that it may
    /// send from, or one that it has verified.
    pub fn calls_from(&self, account: &str, number: &str) -> bool {
        let (has_voice, is_verified) = self.with(|state| {
            let numbers = &state.numbers;
            let has_voice = numbers.find(number).is_none_or(|own| own.capabilities.voice);
            (has_voice, numbers.caller(account, number).is_some())
        });
        is_verified || has_voice && self.owns(account, number)
    }

    /// Whether an account has a messaging service.
    pub fn has_service(&self, account: &str, sid: &str) -> bool {
        let settings = &self.settings;
        if account == settings.account_sid {
            settings.has_service(sid)
        } else {
            settings.takes_all_services()
        }
    }

    /// The sender that an account's messaging service picks on a channel.
    pub fn sender(&self, account: &str, whatsapp: bool) -> Address {
        if account == self.settings.account_sid {
            return self.settings.sender(whatsapp);
        }
        Address { whatsapp, number: SENDER.to_owned() }
    }

    /// How the phone behaves, its own wishes over those for all.
    pub fn behaviour(&self, number: &str) -> Behaviour {
        self.with(|state| {
            let own = state.phones.get(number).map(|phone| &phone.behaviour);
            own.unwrap_or(&Behaviour::default()).over(&state.behaviour)
        })
    }

    /// Changes a call, if it still exists, and tells the page.
    pub fn change_call(&self, sid: &str, change: impl FnOnce(&mut Call)) -> Option<Call> {
        let now = self.clock.now();
        let call = self.change(|state| {
            let call = state.calls.get_mut(sid)?;
            let paid = call.price().is_some();
            change(call);
            call.updated = now;
            let call = call.clone();
            if let Some(used) = Use::of_call(&call).filter(|_| !paid) {
                state.ledger.book(now, &call.account, &used);
            }
            Some(call)
        })?;
        self.tell("call", call_view(&call));
        Some(call)
    }

    /// Changes a message, if it still exists, and tells the page.
    pub fn change_message(&self, sid: &str, change: impl FnOnce(&mut Message)) -> Option<Message> {
        let now = self.clock.now();
        let message = self.change(|state| {
            let message = state.messages.get_mut(sid)?;
            let paid = message.price().is_some();
            change(message);
            message.updated = now;
            let message = message.clone();
            if let Some(used) = Use::of_message(&message).filter(|_| !paid) {
                state.ledger.book(now, &message.account, &used);
            }
            state.mirror(&message);
            Some(message)
        })?;
        self.tell("message", message_view(&message));
        Some(message)
    }
}

impl State {
    fn new(settings: &Settings, born: Timestamp) -> Self {
        Self {
            accounts: Accounts::new(settings, born),
            keys: Shelf::new(KEYS),
            numbers: Numbers::new(settings, born),
            messages: Shelf::new(RESOURCES),
            calls: Shelf::new(RESOURCES),
            ledger: Ledger::default(),
            phones: BTreeMap::new(),
            opted_out: HashSet::new(),
            lines: HashMap::new(),
            behaviour: settings.behaviour.clone(),
            templates: Templates::default(),
            cookies: Cookies::default(),
            exchanges: Exchanges::default(),
            alerts: VecDeque::new(),
            inbound: settings.inbound.clone(),
            app: settings.app.clone(),
            closing: false,
        }
    }

    /// Forgets everything that happened, and every wish; what was configured stays.
    pub fn start_afresh(&mut self, settings: &Settings, born: Timestamp) {
        let inbound = std::mem::take(&mut self.inbound);
        let app = self.app.take();
        // Numbers of exchanges go on, so that an old one never names a new one.
        let exchanges = std::mem::take(&mut self.exchanges).cleared();
        *self = Self { inbound, app, exchanges, ..Self::new(settings, born) };
    }

    /// Keeps a message that came in.
    pub fn receive(&mut self, message: Message) {
        if let Some(used) = Use::of_message(&message) {
            self.ledger.book(message.created, &message.account, &used);
        }
        self.messages.push(message.sid.clone(), message);
    }

    /// The phone of a number, made if need be.
    pub fn phone(&mut self, number: &str, seed: u64) -> &mut Phone {
        if !self.phones.contains_key(number) && self.phones.len() >= PHONES {
            self.phones.pop_first();
        }
        self.phones.entry(number.to_owned()).or_insert_with(|| Phone::new(number, seed))
    }

    /// Brings a message's status to the phone's screen.
    fn mirror(&mut self, message: &Message) {
        let number = if message.direction == "inbound" {
            message.from.as_ref().map_or("", |from| from.number.as_str())
        } else {
            message.to.number.as_str()
        };
        if let Some(phone) = self.phones.get_mut(number)
            && let Some(text) = phone.texts.iter_mut().rev().find(|text| text.sid == message.sid)
        {
            text.status = message.status;
        }
    }
}

impl Alert {
    /// The alert as the controls show it.
    pub fn document(&self) -> Value {
        json!({
            "code": self.code,
            "message": self.message,
            "sid": self.sid,
            "url": self.url,
            "at": self.at.to_string(),
            "more_info": format!("https://www.twilio.com/docs/errors/{}", self.code),
        })
    }
}
