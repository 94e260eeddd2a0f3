//! The service with its routes: a store in memory, and a gateway that takes every
//! order. It refuses to know which requests there are.

use crate::requests::Plain;
use async_trait::async_trait;
use dialback::app::events::{EventSettings, Events};
use dialback::app::privacy::Retention;
use dialback::app::services::ServiceDirectory;
use dialback::app::{App, Parts};
use dialback::clock::Clock;
use dialback::entropy::Entropy;
use dialback::gateway::webhook::Messenger;
use dialback::gateway::{Gateway, Redaction, SendError, SendRequest};
use dialback::http::{self, Context as HttpContext, Explainer, Pages, Settings};
use dialback::jobs;
use dialback::model::account::Accounts;
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
use dialback::server::Incoming;
use dialback::store::memory::Memory;
use dialback::telemetry::metrics::{Outcome, Place, meter};
use dialback::texts::Catalog;
use dialback::trust::Trust;
use dialback::twilio::signature::{Token, Verifier};
use dialback::twilio::url::PublicUrl;
use http_body_util::{BodyExt, Full};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, mpsc};
use tower_service::Service as _;
use warp::reply::Response;

pub const TOKEN: &str = "0af657d0e70acabaf35ab0f0f84481e5";
pub const ACCOUNT: &str = "ACd097c097bfa960e81c522ab2518e135c";
pub const API_KEY: &str = "0af657d0e70acabaf35ab0f0f84481e5";
pub const PUBLIC_URL: &str = "https://otp.example.net";

/// The service, whose jobs run when they are told to.
pub struct World {
    app: App,
    filter: warp::filters::BoxedFilter<(Response,)>,
    taken: Mutex<mpsc::UnboundedReceiver<()>>,
}

impl World {
    pub fn new() -> Self {
        let (take, taken) = mpsc::unbounded_channel();
        let app = App::new(parts(Arc::new(Post(take))));
        let filter = http::filter(context(app.clone()));
        Self { app, filter, taken: Mutex::new(taken) }
    }

    /// Handles them one after the other; gives the statuses.
    pub async fn handle_all(&self, requests: Vec<Plain>) -> Vec<u16> {
        let mut statuses = Vec::with_capacity(requests.len());
        for request in requests {
            let answer = self.handle(request).await;
            statuses.push(answer.status().as_u16());
            read(answer).await;
        }
        statuses
    }

    /// A text of the answer to a request that makes something.
    pub async fn made(&self, request: Plain, field: &str) -> String {
        let body = read(self.handle(request).await).await;
        let body: serde_json::Value = serde_json::from_slice(&body).expect("an answer in json");
        body[field].as_str().unwrap_or_else(|| panic!("{field}: {body}")).to_owned()
    }

    /// Lets the jobs send what waits, so many messages and calls.
    pub async fn send_all(&self, count: usize) {
        let mut taken = self.taken.lock().await;
        let enough = async {
            for _ in 0..count {
                taken.recv().await;
            }
        };
        jobs::run(self.app.clone(), jobs::Settings::default(), enough).await;
    }

    /// How many requests the route's own meter has counted as done.
    pub fn measured(&self, route: &'static str) -> u64 {
        meter(Place::Route, route).ended(Outcome::Done)
    }

    async fn handle(&self, request: Plain) -> Response {
        let mut request = request.map(Full::new);
        let incoming = Incoming { peer: ([127, 0, 0, 1], 40_000).into(), uri: request.uri().clone() };
        request.extensions_mut().insert(incoming);
        match warp::service(self.filter.clone()).call(request).await {
            Ok(answer) => answer,
            Err(never) => match never {},
        }
    }
}

/// An answer's body.
async fn read(answer: Response) -> Vec<u8> {
    let Ok(all) = answer.into_body().collect().await else { return Vec::new() };
    all.to_bytes().to_vec()
}

/// A gateway that takes every request, and says so.
struct Post(mpsc::UnboundedSender<()>);

#[async_trait]
impl Gateway for Post {
    async fn send(&self, request: &SendRequest) -> Result<Report, SendError> {
        // A call has the SID by which it will ask.
        let sid = request.id.as_str().replacen("DL", "CA", 1);
        let sid: Sid = sid.parse().map_err(|_| SendError::unknown("no sid"))?;
        let _ = self.0.send(());
        Ok(Report {
            sid,
            id: Some(request.id.clone()),
            about: About { to: Some(request.to.in_full().to_owned()), ..About::default() },
            fact: Fact { status: Some(Status::Queued), source: Source::Api, ..Fact::default() },
        })
    }

    async fn look_up(&self, _: &SendRequest, _: Timestamp, _: &[Sid]) -> Result<Option<Report>, SendError> {
        Ok(None)
    }

    async fn redact(&self, _: &Sid, _: Option<&str>, _: bool) -> Result<Redaction, SendError> {
        Ok(Redaction::Gone)
    }
}

fn parts(gateway: Arc<dyn Gateway>) -> Parts {
    let (policy, clock) = (Policy::default(), Clock::real());
    let mut settings =
        service::Settings { name: "Dialback".to_owned(), ..service::Settings::of_policy(&policy) };
    settings.pages.return_urls = vec!["https://example.net/*".to_owned()];
    let key = CodeKey { id: "own".to_owned(), secret: Secret::new("a key for codes of 32 bytes or more") };
    let deadline = Duration::from_secs(20);
    let courier = Messenger::new(deadline, deadline, false, &Trust::compiled_in()).expect("tls");
    Parts {
        store: Arc::new(Memory::new()),
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

fn context(app: App) -> Arc<HttpContext> {
    let token =
        Token { label: "auth_token".into(), account: Some(ACCOUNT.into()), secret: Secret::new(TOKEN) };
    let verifier = Arc::new(Verifier::new(vec![token], vec![]).expect("one token"));
    let public_url = PublicUrl::parse(PUBLIC_URL).expect("an address");
    let settings = Settings {
        keys: vec![Secret::new(API_KEY)],
        sandboxed: true,
        account_sid: Some(ACCOUNT.to_owned()),
        ..Settings::new(public_url, "Dialback", Arc::new(Catalog::shipped()))
    };
    let explainer = Explainer::start(verifier.clone(), vec![]);
    let pages = Pages::load(None).expect("the shipped pages");
    Arc::new(HttpContext::new(app, verifier, settings, pages, explainer))
}
