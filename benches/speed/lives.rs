//! What the product really commits: verifications that are run through the service over
//! a store in memory, and written down; then others of the same shape under new names.
//!
//! A life is a start, the two commits of its send, three callbacks, a wrong code and the
//! right one. It refuses to know what is done with the commits.

use async_trait::async_trait;
use dialback::app::events::{EventSettings, Events};
use dialback::app::messaging;
use dialback::app::privacy::Retention;
use dialback::app::services::ServiceDirectory;
use dialback::app::verification::{self, StartRequest};
use dialback::app::{App, Parts};
use dialback::clock::Clock;
use dialback::entropy::Entropy;
use dialback::gateway::webhook::Messenger;
use dialback::gateway::{Gateway, Redaction, SendError, SendRequest};
use dialback::model::account::{Accounts, Proof};
use dialback::model::code::{CodeKey, CodeKeys};
use dialback::model::delivery::{About, Fact, Report, Source};
use dialback::model::id::Sid;
use dialback::model::limits::Limits;
use dialback::model::phone::NumberPolicy;
use dialback::model::policy::Policy;
use dialback::model::price::Prices;
use dialback::model::senders::Senders;
use dialback::model::service;
use dialback::model::status::Status;
use dialback::secret::Secret;
use dialback::store::memory::Memory;
use dialback::store::{AtEnd, Change, CommitHook, Entry, Key, Maintenance, Store};
use dialback::trust::Trust;
use jiff::Timestamp;
use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One commit, and what made it.
#[derive(Clone)]
pub struct Step {
    pub name: &'static str,
    pub changes: Vec<Change>,
}

pub type Life = Vec<Step>;

/// Lives as they were written down, from which others are made.
pub struct Lives(Vec<Recorded>);

struct Recorded {
    life: Life,
    /// What is this life's alone in its ids, and is another's elsewhere.
    names: Vec<String>,
    number: String,
}

impl Lives {
    /// Runs so many through the service.
    pub async fn record(count: usize) -> Self {
        let (store, post) = (Arc::new(Memory::new()), Arc::new(Post::default()));
        let pen = Arc::new(Pen::default());
        let hook: Arc<dyn CommitHook> = pen.clone();
        store.watch(Arc::downgrade(&hook));
        let app = App::new(parts(store, Arc::clone(&post) as Arc<dyn Gateway>));
        let mut all = Vec::with_capacity(count);
        let mut before = HashSet::new();
        for n in 0..count {
            let number = format!("+1415{}", 2_000_000 + n);
            let life = live(&app, &post, &pen, &number).await;
            let keys = || life.iter().flat_map(|step| &step.changes).map(|change| &change.key);
            assert!(keys().all(|key| !before.contains(key)), "a record belongs to one life");
            let names: BTreeSet<String> = keys().filter_map(name_in).collect();
            before.extend(keys().cloned());
            all.push(Recorded { life, names: names.into_iter().collect(), number });
        }
        Self(all)
    }

    /// The first, as an example.
    pub fn first(&self) -> &Life {
        &self.0[0].life
    }

    /// Another one, of the shape of one of these.
    pub fn another(&self, n: u64) -> Life {
        let Recorded { life, names, number } = &self.0[n as usize % self.0.len()];
        let mut others: Vec<(String, String)> = names
            .iter()
            .zip(0..)
            .map(|(name, nth)| (name.clone(), format!("{:016x}", mix(n << 8 | nth))))
            .collect();
        others.push((number.clone(), format!("+1{:010}", 2_000_000_000 + n)));
        let renamed =
            |text: &str| others.iter().fold(text.to_owned(), |text, (old, new)| text.replace(old, new));
        let entry =
            |entry: &Entry| Entry { scope: renamed(&entry.scope), id: renamed(&entry.id), ..entry.clone() };
        let change = |change: &Change| Change {
            key: Key::new(change.key.kind, renamed(&change.key.id)),
            body: change
                .body
                .as_ref()
                .map(|body| renamed(std::str::from_utf8(body).expect("JSON")).into_bytes()),
            entries_added: change.entries_added.iter().map(entry).collect(),
            entries_removed: change.entries_removed.iter().map(entry).collect(),
            ..change.clone()
        };
        let step = |step: &Step| Step { name: step.name, changes: step.changes.iter().map(change).collect() };
        life.iter().map(step).collect()
    }
}

/// The random half of an id.
fn name_in(key: &Key) -> Option<String> {
    let hex =
        key.id.get(2..).filter(|hex| hex.len() == 32 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    Some(hex[14..30].to_owned())
}

/// SIDs are random: spread them as hashes are.
pub fn mix(x: u64) -> u64 {
    let x = (x ^ 0x0123_4567_89ab_cdef).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (x ^ (x >> 31)).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

async fn live(app: &App, post: &Post, pen: &Pen, number: &str) -> Life {
    let mut life = Vec::new();
    let mut wrote = |name| {
        let changes = std::mem::take(&mut *pen.0.lock().expect("no panic"));
        life.extend(changes.into_iter().map(|changes| Step { name, changes }));
    };
    let id = verification::start(&app.verifying, StartRequest::to(number), None).await.expect("a start");
    let id = id.view.verification.id;
    wrote("start");
    messaging::tend_verification(&app.messaging, id.as_str()).await.expect("a send");
    wrote("send");
    let (request, sid) = post.0.lock().expect("no panic").take().expect("a request");
    for status in [Status::Sending, Status::Sent, Status::Delivered] {
        let fact = Fact { status: Some(status), source: Source::StatusCallback, ..Fact::default() };
        let report = Report { sid: sid.clone(), id: Some(request.id.clone()), about: about(&request), fact };
        let proof = Proof::new(None, "auth_token".into());
        messaging::record(&app.messaging, &proof, report).await.expect("a callback");
        wrote("callback");
    }
    let code = request.code().unwrap().expose().to_owned();
    let wrong = if code == "000000" { "111111" } else { "000000" };
    for (code, is_right) in [(wrong, false), (code.as_str(), true)] {
        let checked = verification::check(&app.verifying, &id, code).await.expect("a check");
        assert_eq!(checked.valid, is_right);
        wrote("check");
    }
    life
}

fn about(request: &SendRequest) -> About {
    About {
        account_sid: Some("ACd097c097bfa960e81c522ab2518e135c".to_owned()),
        from: Some("+15005550006".to_owned()),
        to: Some(request.to.in_full().to_owned()),
        messaging_service_sid: Some("MGd097c097bfa960e81c522ab2518e135c".to_owned()),
        ..About::default()
    }
}

/// Writes down what is committed.
#[derive(Default)]
struct Pen(Mutex<Vec<Vec<Change>>>);

impl CommitHook for Pen {
    fn begin(self: Arc<Self>, changes: &[Change]) -> Option<AtEnd> {
        self.0.lock().expect("no panic").push(changes.to_vec());
        None
    }
}

/// Takes every message, and keeps the last.
#[derive(Default)]
struct Post(Mutex<Option<(SendRequest, Sid)>>);

#[async_trait]
impl Gateway for Post {
    async fn send(&self, request: &SendRequest) -> Result<Report, SendError> {
        let sid: Sid = request.id.as_str().replacen("DL", "SM", 1).parse().expect("a SID");
        *self.0.lock().expect("no panic") = Some((request.clone(), sid.clone()));
        let fact = Fact { status: Some(Status::Queued), source: Source::Api, ..Fact::default() };
        Ok(Report { sid, id: Some(request.id.clone()), about: about(request), fact })
    }

    async fn look_up(&self, _: &SendRequest, _: Timestamp, _: &[Sid]) -> Result<Option<Report>, SendError> {
        Ok(None)
    }

    async fn redact(&self, _: &Sid, _: Option<&str>, _: bool) -> Result<Redaction, SendError> {
        Ok(Redaction::Done)
    }
}

fn parts(store: Arc<dyn Maintenance>, gateway: Arc<dyn Gateway>) -> Parts {
    let (policy, clock) = (Policy::default(), Clock::real());
    let settings = service::Settings { name: "Dialback".to_owned(), ..service::Settings::of_policy(&policy) };
    let key = CodeKey { id: "own".to_owned(), secret: Secret::new("a key for codes of 32 bytes or more") };
    let deadline = Duration::from_secs(20);
    let courier = Messenger::new(deadline, deadline, false, &Trust::compiled_in()).expect("tls");
    Parts {
        store,
        gateway,
        services: ServiceDirectory::new(ServiceDirectory::of_file(None, settings, clock.now()), Vec::new()),
        events: Events::new(Arc::new(courier), EventSettings::default()),
        clock,
        entropy: Entropy::seeded(1),
        policy,
        test_numbers: Vec::new(),
        numbers: NumberPolicy::default(),
        // They begin more than any installation may.
        limits: Limits::none(),
        prices: Prices::default(),
        fraud: dialback::model::fraud::FraudPolicy::default(),
        codes: CodeKeys::new(vec![key]).expect("one key"),
        senders: Senders::only(Some("+15005550006".to_owned())),
        accounts: Accounts::default(),
        retention: Retention::default(),
        captcha: None,
        lookups: None,
        rates: std::collections::BTreeMap::new(),
    }
}
