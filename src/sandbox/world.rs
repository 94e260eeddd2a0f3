//! What the sandbox knows, behind one lock that is never held while waiting.

use super::account::Accounts;
use super::alert::Alert;
use super::application::Application;
use super::behaviour::Behaviour;
use super::channel::Channel;
use super::cookies::Cookies;
use super::directory::Directory;
use super::exchanges::Exchanges;
use super::key::Key;
use super::limits::Limits;
use super::lookups::Lookups;
use super::media::Album;
use super::next::Next;
use super::numbers::Numbers;
use super::opt_outs::OptOuts;
use super::permissions::Permissions;
use super::phone::Phone;
use super::prices::Prices;
use super::pumping::Pumping;
use super::recording::Recording;
use super::resource::{Bill, Call, Message};
use super::safe::Safe;
use super::service::Service;
use super::settings::{DialbackApi, Inbound, Keep, Settings};
use super::shelf::Shelf;
use super::shown::{call_view, message_view};
use super::sinks::Streams;
use super::templates::Templates;
use super::usage::{Ledger, Unpaid, Use};
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::secret::Secret;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::future::Future;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{Semaphore, broadcast, mpsc, oneshot, watch};
use tokio::task::JoinSet;

mod phones;

/// How long it takes until it is known what a message or call costs.
const PRICED_AFTER: SignedDuration = SignedDuration::from_secs(5);
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
    /// Who begins afresh with it.
    pub afresh: OnceLock<mpsc::Sender<oneshot::Sender<String>>>,
    state: Mutex<State>,
    moved: watch::Sender<u64>,
    events: broadcast::Sender<Event>,
    tasks: Weak<Mutex<JoinSet<()>>>,
}

/// The state behind the lock.
pub(super) struct State {
    /// The main account and its sub-accounts.
    pub accounts: Accounts,
    /// The API keys that were made here.
    pub keys: Shelf<Key>,
    /// What accounts own: numbers, short codes, and those verified to call from.
    pub numbers: Numbers,
    /// What was said of the WhatsApp channels of numbers, by `XE…`.
    pub channels: Shelf<Channel>,
    /// The TwiML applications.
    pub applications: Shelf<Application>,
    /// The messages of all accounts, out and in.
    pub messages: Shelf<Message>,
    /// The calls of all accounts, out and in.
    pub calls: Shelf<Call>,
    /// What was used and what it cost.
    pub ledger: Ledger,
    /// The messaging services.
    pub services: Shelf<Service>,
    /// Where accounts may write to and call.
    pub permissions: Permissions,
    /// The numbers that accounts called safe.
    pub safe: Directory<Safe>,
    /// How much accounts and senders may do.
    pub limits: Limits,
    /// The protection against SMS pumping.
    pub pumping: Pumping,
    /// What was used and has no price yet, oldest first.
    unpaid: VecDeque<Unpaid>,
    /// What things cost.
    pub prices: Prices,
    /// What is told of numbers.
    pub lookups: Lookups,
    /// The media of messages.
    pub album: Album,
    /// The recordings of calls.
    pub recordings: Shelf<Recording>,
    /// Where events go.
    pub streams: Streams,
    /// The telephones by number.
    pub phones: BTreeMap<String, Phone>,
    /// The phones in the order in which they were made, and how many there were.
    made: (VecDeque<(u64, String)>, u64),
    /// The texts on all phones, oldest first: whose, and the message's SID.
    shown: VecDeque<(String, String)>,
    keep: Keep,
    /// Who does not want to hear from whom: sender and phone.
    pub opted_out: OptOuts,
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
    /// Who answers for Verify v2, by its base URL.
    pub verify: Option<String>,
    /// True once the sandbox is stopping.
    pub closing: bool,
}

/// What a live call can be told.
#[derive(Clone, Eq, PartialEq)]
pub(super) enum Control {
    /// Pick up by hand, as a person does.
    Answer,
    /// Push it away.
    Decline,
    /// Press these keys.
    Press(String),
    /// Put down, which declines it while it still rings.
    HangUp,
    /// End it from the API's side.
    Complete,
    /// Go on with other TwiML.
    Redirect(Next),
}

/// News for the telephones page.
#[derive(Clone)]
pub(super) struct Event {
    /// Which kind, the name of the server-sent event: `message`.
    pub kind: &'static str,
    /// What the page is told, in the form of its kind; `{}` where the kind says all.
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
            afresh: OnceLock::new(),
            state: Mutex::new(state),
            moved: watch::Sender::new(0),
            events: broadcast::Sender::new(EVENTS),
            tasks,
        }
    }

    /// Reads or changes the state without telling anybody.
    pub fn with<R>(&self, read: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.lock();
        state.settle(self.clock.now());
        read(&mut state)
    }

    /// Changes the state and wakes those who wait for a change.
    pub fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let answer = self.with(change);
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

    /// The token with which an account's webhooks are signed; none once the account
    /// is forgotten.
    pub fn token_of(&self, account: &str) -> Option<Secret> {
        self.with(|state| state.accounts.get(account).map(|account| account.token.secret.clone()))
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
            change(call);
            call.updated = now;
            if call.bill == Bill::Open
                && let Some(used) = Use::of_call(call, &state.prices)
            {
                call.bill = Bill::Pending;
                let (account, sid) = (call.account.clone(), sid.to_owned());
                state.unpaid.push_back(Unpaid { due: after(now), at: now, account, sid, used });
            }
            Some(call.clone())
        })?;
        self.tell("call", call_view(&call));
        Some(call)
    }

    /// Changes a message, if it still exists, and tells the page.
    pub fn change_message(&self, sid: &str, change: impl FnOnce(&mut Message)) -> Option<Message> {
        let now = self.clock.now();
        let message = self.change(|state| {
            let message = state.messages.get_mut(sid)?;
            change(message);
            message.updated = now;
            if message.bill == Bill::Open
                && let Some(used) = Use::of_message(message, &state.prices)
            {
                message.bill = Bill::Pending;
                let (account, sid) = (message.account.clone(), sid.to_owned());
                state.unpaid.push_back(Unpaid { due: after(now), at: now, account, sid, used });
            }
            let message = message.clone();
            state.mirror(&message);
            Some(message)
        })?;
        self.tell("message", message_view(&message));
        Some(message)
    }
}

impl State {
    fn new(settings: &Settings, born: Timestamp) -> Self {
        let Keep { messages, exchanges, resources, marks, .. } = settings.keep;
        Self {
            accounts: Accounts::new(settings, born),
            keys: Shelf::new(resources),
            numbers: Numbers::new(settings, born),
            channels: Shelf::new(resources),
            applications: Shelf::new(resources),
            messages: Shelf::new(messages),
            calls: Shelf::new(messages),
            ledger: Ledger::new(2 * marks),
            services: Shelf::new(resources),
            permissions: Permissions::new(marks),
            safe: Directory::new(marks),
            limits: Limits::new(settings.profile, marks),
            pumping: Pumping::new(marks),
            unpaid: VecDeque::new(),
            prices: Prices::default(),
            lookups: Lookups::new(marks),
            album: Album::new(marks),
            recordings: Shelf::new(messages),
            streams: Streams::new(resources),
            phones: BTreeMap::new(),
            made: (VecDeque::new(), 0),
            shown: VecDeque::new(),
            keep: settings.keep,
            opted_out: OptOuts::new(marks),
            lines: HashMap::new(),
            behaviour: settings.behaviour.clone(),
            templates: Templates::new(resources),
            cookies: Cookies::new(resources),
            exchanges: Exchanges::new(exchanges),
            alerts: VecDeque::new(),
            inbound: settings.inbound.clone(),
            app: settings.app.clone(),
            verify: None,
            closing: false,
        }
    }

    /// Forgets everything that happened, and every wish; what was configured stays.
    pub fn start_afresh(&mut self, settings: &Settings, born: Timestamp) {
        let inbound = std::mem::take(&mut self.inbound);
        let (app, verify) = (self.app.take(), self.verify.take());
        // Numbers of exchanges go on, so that an old one never names a new one.
        let exchanges = std::mem::replace(&mut self.exchanges, Exchanges::new(0)).cleared();
        *self = Self { inbound, app, verify, exchanges, ..Self::new(settings, born) };
    }

    /// Keeps an alert; the oldest go first.
    pub fn note(&mut self, alert: Alert) {
        self.alerts.push_back(alert);
        while self.alerts.len() > ALERTS.min(self.keep.resources) {
            self.alerts.pop_front();
        }
    }

    /// Keeps a message that came in.
    pub fn receive(&mut self, mut message: Message) {
        if let Some(used) = Use::of_message(&message, &self.prices) {
            message.bill = Bill::Pending;
            let (at, account, sid) = (message.created, message.account.clone(), message.sid.clone());
            self.unpaid.push_back(Unpaid { due: after(at), at, account, sid, used });
        }
        self.messages.push(message.sid.clone(), message);
    }

    /// Says the prices that are due, and books them. One that waits behind too many
    /// others is said early.
    fn settle(&mut self, now: Timestamp) {
        while let Some(first) = self.unpaid.front()
            && (first.due <= now || self.unpaid.len() > self.keep.messages)
        {
            let Some(unpaid) = self.unpaid.pop_front() else { return };
            let paid = Bill::Paid(unpaid.used.price());
            if let Some(message) = self.messages.get_mut(&unpaid.sid) {
                message.bill = paid;
            } else if let Some(call) = self.calls.get_mut(&unpaid.sid) {
                call.bill = paid;
            }
            self.ledger.book(unpaid.at, &unpaid.account, &unpaid.used);
        }
    }
}

/// When the price of what has just ended is said.
fn after(now: Timestamp) -> Timestamp {
    now.checked_add(PRICED_AFTER).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
