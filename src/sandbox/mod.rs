//! A Twilio of its own: the REST API, the network behind it, and telephones.
//!
//! The sandbox speaks `/2010-04-01/…`, `/v1/…` and so on as Twilio does, lives through messages
//! and calls in memory, signs its webhooks, executes TwiML, misbehaves on
//! request, and is steered under `/sandbox/…`. It refuses to know anything of
//! the service it stands beside but a base URL and an API key for its page,
//! and it is no gateway: nothing leaves this machine.

mod account;
mod address;
mod alert;
mod api;
mod application;
mod behaviour;
mod beside;
mod call;
mod call_text;
mod callbacks;
mod calling;
mod channel;
mod code;
mod content;
mod control;
mod cookies;
mod countries;
mod debugger;
mod directory;
mod events;
mod exchanges;
mod execute;
mod expect;
mod fetch;
mod fields;
mod forward;
mod geography;
mod grounds;
mod inbound;
mod incoming;
mod key;
mod lasting;
mod limit_controls;
mod limits;
mod line;
mod line_types;
mod lookups;
mod media;
mod media_fetch;
mod money;
mod network;
mod next;
mod number;
mod number_controls;
mod number_rules;
mod number_views;
mod numbering;
mod numbers;
mod opt_outs;
mod outgoing;
mod overrides;
mod ownership;
mod page;
mod permissions;
mod phone;
mod prices;
mod pumping;
mod recent;
mod record_controls;
mod recorded;
mod recording;
mod refusal;
mod replies;
mod resource;
mod routes;
mod safe;
mod script;
mod sending;
mod service;
mod settings;
mod shelf;
mod shown;
mod sinks;
mod sound;
mod streams;
mod tape;
mod target;
mod telephones;
mod template_controls;
mod templates;
mod trouble;
mod usage;
mod validation;
mod verb;
mod views;
mod webhook;
mod whatsapp;
mod world;
mod xml;

#[cfg(test)]
mod tests;

pub use behaviour::{
    Answers, ApiFault, Behaviour, CallbackFaults, MessageFate, Outcome, Port, Speech, Timeout, WhatsApp,
};

pub use limits::Profile;
pub use settings::{DialbackApi, Inbound, Keep, OtherAccount, SENDER, Senders, Settings};
pub use templates::AUTHENTICATION as AUTHENTICATION_TEMPLATE;

use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::secret::Secret;
use crate::server::Limits;
use incoming::{Request, collect_up_to, complaint};
use std::convert::Infallible;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::http::{HeaderMap, Method};
use warp::path::FullPath;
use warp::reply::Response;
use world::World;

/// A simulated Twilio. Cheap to clone; clones are the same one. What runs
/// beside (messages on their way, calls, callbacks) ends with the last clone,
/// or when [`Sandbox::run`] is told to stop.
#[derive(Clone)]
pub struct Sandbox {
    world: Arc<World>,
    /// Owned here and only borrowed by the world, so that dropping the last
    /// sandbox ends them all.
    tasks: Arc<Mutex<JoinSet<()>>>,
}

impl Sandbox {
    /// A sandbox in which nothing has happened yet. SIDs come from `entropy`;
    /// mishaps come from the settings' seed alone.
    ///
    /// # Errors
    /// When the HTTP client's TLS library cannot be set up.
    pub fn new(settings: Settings, clock: Clock, entropy: Entropy) -> anyhow::Result<Self> {
        let tasks = Arc::new(Mutex::new(JoinSet::new()));
        let http = outgoing::client(&settings.trust)?;
        if settings.takes_all() {
            tracing::info!(
                "every sender and messaging service passes in the sandbox; sandbox.senders = \"owned\" \
                 lets pass what its account owns, as twilio does"
            );
        }
        let world = Arc::new(World::new(settings, clock, entropy, http, Arc::downgrade(&tasks)));
        Ok(Self { world, tasks })
    }

    /// All its routes: `/sandbox/…`, the page at `/`, and for everything else
    /// Twilio's API.
    pub fn filter(&self) -> BoxedFilter<(Response,)> {
        let sandbox = self.clone();
        warp::any()
            .and(warp::method())
            .and(warp::path::full())
            .and(warp::query::raw().or(warp::any().map(String::new)).unify())
            .and(warp::header::headers_cloned())
            .and(warp::body::stream())
            .and(warp::any().map(move || sandbox.clone()))
            .and_then(
                async |method: Method,
                       path: FullPath,
                       query: String,
                       headers: HeaderMap,
                       body,
                       sandbox: Self| {
                    let limit = incoming::limit(path.as_str());
                    let Some(body) = collect_up_to(limit, &headers, body).await else {
                        return Ok::<_, Infallible>(complaint(
                            413,
                            "the body is too long or too slow",
                            "256 KiB at most; 7 MiB for a text with media",
                        ));
                    };
                    let path = path.as_str().to_owned();
                    // Of the answer to HEAD hyper sends the headers alone.
                    let method = if method == Method::HEAD { Method::GET } else { method };
                    let request = Request { method, path, query, headers, body };
                    Ok(sandbox.answer(&request).await)
                },
            )
            .boxed()
    }

    async fn answer(&self, request: &Request) -> Response {
        match request.path.split('/').nth(1) {
            Some("sandbox") => control::answer(&self.world, request).await,
            _ if page::has(&request.path) => page::answer(&self.world, request),
            _ if beside::takes(&self.world, request) => beside::answer(&self.world, request).await,
            _ => api::answer(&self.world, request).await,
        }
    }

    /// The accept loop's limits for it: an answer may take as long as the
    /// longest poll.
    pub fn limits() -> Limits {
        Limits { request_timeout: telephones::LONGEST_POLL + Duration::from_secs(60), ..Limits::default() }
    }

    /// Waits for `shutdown`, then ends what runs beside, long polls and event
    /// streams.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        shutdown.await;
        self.world.change(|state| state.closing = true);
        self.world.tell("closing", serde_json::json!({}));
        self.world.abort_all();
    }

    /// Sets the service beside it, once its port is known.
    pub fn set_app(&self, app: DialbackApi) {
        self.world.change(|state| state.app = Some(app));
    }

    /// Sets the service that answers for Verify v2, by its base URL.
    pub fn set_verify(&self, base_url: String) {
        self.world.change(|state| state.verify = Some(base_url));
    }

    /// What the service that answers for Verify v2 hears whenever the sandbox begins
    /// afresh, so that it does so too: each time a way to say its base URL from then on.
    /// Until it has, whoever asked for it waits. Only the first who listens hears it.
    pub fn afresh(&self) -> mpsc::Receiver<oneshot::Sender<String>> {
        let (tell, told) = mpsc::channel(1);
        // Whoever comes second gets a channel on which nothing comes.
        let _ = self.world.afresh.set(tell);
        told
    }

    /// Sets where inbound messages and calls are told, once the port is known.
    pub fn set_inbound(&self, inbound: Inbound) {
        self.world.change(|state| state.inbound = inbound);
    }

    /// Whether somebody is the account's: by its SID and token, or by one of its
    /// keys and that one's secret.
    pub fn opens(&self, user: &str, password: &Secret) -> bool {
        api::opens(&self.world, user, password)
    }

    /// How many lives (messages, calls, callbacks) are under way.
    pub fn lives(&self) -> usize {
        self.tasks.lock().unwrap_or_else(std::sync::PoisonError::into_inner).len()
    }
}
