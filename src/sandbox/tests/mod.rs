//! The sandbox from outside: over HTTP, with an application beside it that
//! notes what it is told and answers what it was told to.

mod accounts;
mod applications;
mod bounds;
mod callbacks;
mod calls;
mod channels;
mod contents;
mod controls;
mod cookies;
mod expect;
mod failures;
mod geography;
mod limits;
mod lookups;
mod messages;
mod number_rules;
mod numbers;
mod operations;
mod permissions;
mod recordings;
mod records;
mod redirects;
mod sending;
mod services;
mod streams;
mod sub_accounts;
mod usage;
mod verbs;
mod whatsapp;

use super::incoming::collect;
use super::{DialbackApi, Sandbox, Settings};
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::secret::Secret;
use crate::server::{self, Limits};
use crate::twilio::form;
use crate::twilio::signature::{Signed, Token, Verifier};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use warp::Filter;
use warp::http::HeaderMap;
use warp::reply::Response;

pub(super) const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
pub(super) const TOKEN: &str = "8f0e6c2d4b1a39587766554433221100";
pub(super) const SENDER: &str = "+15005550006";
pub(super) const PHONE: &str = "+15551230001";

/// A sandbox with its application; both end with it.
pub(super) struct Stage {
    pub sandbox: Sandbox,
    pub clock: Clock,
    pub base: String,
    pub app: Application,
    http: Client,
    _ends: Vec<tokio::sync::oneshot::Sender<()>>,
}

/// What the application was asked, and what it answers.
#[derive(Clone, Default)]
pub(super) struct Application {
    pub base: String,
    told: Arc<Mutex<Vec<Told>>>,
    /// By path, and by the cookies that a request has to bring.
    answers: Arc<Mutex<Answers>>,
}

type Answers = HashMap<(String, Option<String>), Reply>;

#[derive(Clone)]
pub(super) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Reply {
    fn new(status: u16, headers: &[(&'static str, &str)], body: &str) -> Self {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Self { status, headers, body: body.to_owned() }
    }
}

/// A request that the application received.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: HeaderMap,
    pub body: String,
    pub signed: bool,
}

impl Told {
    /// A parameter of the body, or of the query of a GET.
    pub fn get(&self, name: &str) -> Option<String> {
        let source = if self.method == "GET" { &self.query } else { &self.body };
        let pairs = form::parse(source.as_bytes());
        pairs.into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Application {
    /// Answers a path with TwiML.
    pub fn says(&self, path: &str, twiml: &str) {
        self.answers(path, 200, &[("content-type", "text/xml")], twiml);
    }

    pub fn answers(&self, path: &str, status: u16, headers: &[(&'static str, &str)], body: &str) {
        self.replies(path, None, Reply::new(status, headers, body));
    }

    /// Answers a path when these cookies come, or when none that is known comes.
    pub fn answers_cookie(
        &self,
        path: &str,
        cookie: Option<&str>,
        headers: &[(&'static str, &str)],
        body: &str,
    ) {
        self.replies(path, cookie, Reply::new(200, headers, body));
    }

    fn replies(&self, path: &str, cookie: Option<&str>, reply: Reply) {
        self.answers.lock().unwrap().insert((path.to_owned(), cookie.map(str::to_owned)), reply);
    }

    /// What it was told on a path so far.
    pub fn told(&self, path: &str) -> Vec<Told> {
        self.told.lock().unwrap().iter().filter(|told| told.path == path).cloned().collect()
    }

    /// Waits until it was told `count` times on a path.
    pub async fn wait(&self, path: &str, count: usize) -> Vec<Told> {
        for _ in 0..3_000 {
            let told = self.told(path);
            if told.len() >= count {
                return told;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{path} was told {} times of {count}", self.told(path).len());
    }

    /// The values of one parameter on a path, in order of arrival.
    pub fn values(&self, path: &str, name: &str) -> Vec<String> {
        self.told(path).iter().filter_map(|told| told.get(name)).collect()
    }

    fn answer(&self, told: Told) -> Response {
        let reply = {
            let answers = self.answers.lock().unwrap();
            let by = |cookie: Option<&str>| answers.get(&(told.path.clone(), cookie.map(str::to_owned)));
            by(Some(told.header("cookie"))).or_else(|| by(None)).cloned()
        };
        self.told.lock().unwrap().push(told);
        let mut response = Response::new("".into());
        *response.status_mut() = 204.try_into().unwrap();
        if let Some(reply) = reply {
            response = Response::new(reply.body.into());
            *response.status_mut() = reply.status.try_into().unwrap();
            for (name, value) in reply.headers {
                response.headers_mut().append(name, value.parse().unwrap());
            }
        }
        response
    }
}

impl Stage {
    /// A sandbox at pace 0 with a running clock.
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let (app_base, app_listener) = bind().await;
        let app = Application { base: app_base, ..Application::default() };
        let mut settings = Settings { pace: 0.0, ..Settings::new(ACCOUNT, Secret::new(TOKEN)) };
        change(&mut settings);
        let clock = Clock::real();
        let sandbox = Sandbox::new(settings, clock.clone(), Entropy::system()).unwrap();
        let (base, listener) = bind().await;
        let ends = vec![
            serve(listener, sandbox.filter(), Sandbox::limits()),
            serve(app_listener, application(app.clone()), Limits::default()),
        ];
        Self { sandbox, clock, base, app, http: Client::new(), _ends: ends }
    }

    /// A URL of the application.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.app.base)
    }

    /// A request to the REST API, below the account.
    pub fn api(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/2010-04-01/Accounts/{ACCOUNT}/{path}", self.base);
        self.http.request(method, url).basic_auth(ACCOUNT, Some(TOKEN))
    }

    /// Creates a resource: its status and its document.
    pub async fn create(&self, what: &str, fields: &[(&str, &str)]) -> (u16, Value) {
        let body = serde_urlencoded::to_string(fields).unwrap();
        let request =
            self.api(Method::POST, what).header("content-type", "application/x-www-form-urlencoded");
        answer(request.body(body)).await
    }

    /// Sends a text to the phone and gives its SID.
    pub async fn text(&self, more: &[(&str, &str)]) -> String {
        let mut fields = vec![("To", PHONE), ("From", SENDER), ("Body", "hello")];
        fields.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
        fields.extend(more);
        let (status, document) = self.create("Messages.json", &fields).await;
        assert_eq!(status, 201, "{document}");
        document["sid"].as_str().unwrap().to_owned()
    }

    /// Calls the phone and gives the call's SID.
    pub async fn call(&self, more: &[(&str, &str)]) -> String {
        let mut fields = vec![("To", PHONE), ("From", SENDER)];
        fields.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
        fields.extend(more);
        let (status, document) = self.create("Calls.json", &fields).await;
        assert_eq!(status, 201, "{document}");
        document["sid"].as_str().unwrap().to_owned()
    }

    /// A request to a product beside the 2010 API, with a form.
    pub async fn newer(&self, method: Method, path: &str, fields: &[(&str, &str)]) -> (u16, Value) {
        let request = self.http.request(method, format!("{}{path}", self.base));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let body = serde_urlencoded::to_string(fields).unwrap();
        answer(request.basic_auth(ACCOUNT, Some(TOKEN)).body(body)).await
    }

    /// The same with a document.
    pub async fn newer_json(&self, method: Method, path: &str, document: &Value) -> (u16, Value) {
        let request = self.http.request(method, format!("{}{path}", self.base));
        let request = request.header("content-type", "application/json").body(document.to_string());
        answer(request.basic_auth(ACCOUNT, Some(TOKEN))).await
    }

    /// Fetches a resource.
    pub async fn fetch(&self, path: &str) -> (u16, Value) {
        answer(self.api(Method::GET, path)).await
    }

    /// A request to the controls.
    pub fn control(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}/sandbox/{path}", self.base))
    }

    pub async fn look(&self, path: &str) -> Value {
        let (status, document) = answer(self.control(Method::GET, path)).await;
        assert_eq!(status, 200, "{document}");
        document
    }

    pub async fn steer(&self, method: Method, path: &str, body: &str) -> (u16, Value) {
        answer(self.control(method, path).body(body.to_owned())).await
    }

    /// Makes a phone behave.
    pub async fn behave(&self, number: &str, body: &str) {
        let (status, document) = self.steer(Method::PUT, &format!("phones/{number}"), body).await;
        assert_eq!(status, 200, "{document}");
    }

    /// Waits until the phone's newest call has a status, and gives that call.
    pub async fn call_in(&self, status: &str) -> Value {
        let calls = self.look(&format!("phones/{PHONE}/calls?wait=30&status={status}")).await;
        let call = calls.as_array().unwrap().last().cloned().unwrap_or(Value::Null);
        assert_eq!(call["status"], status, "{call}");
        call
    }

    /// Waits until a message has a status.
    pub async fn message_in(&self, sid: &str, status: &str) -> Value {
        let mut seen = Value::Null;
        for _ in 0..3_000 {
            seen = self.fetch(&format!("Messages/{sid}.json")).await.1;
            if seen["status"] == status {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("never {status}: {seen}");
    }

    /// Waits until nothing goes on beside any more.
    pub async fn settle(&self) {
        for _ in 0..3_000 {
            // Who is done is forgotten when somebody begins.
            self.sandbox.world.spawn(async {});
            if self.sandbox.lives() <= 1 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{} lives go on", self.sandbox.lives());
    }

    /// Moves the clock to where every price is said.
    pub async fn settle_prices(&self) {
        self.steer(Method::POST, "clock", r#"{"advance_seconds":5}"#).await;
    }

    /// The codes of the alerts, newest first.
    pub async fn alerts(&self) -> Vec<u64> {
        let alerts = self.look("alerts").await;
        alerts.as_array().unwrap().iter().map(|alert| alert["code"].as_u64().unwrap()).collect()
    }

    pub fn set_app(&self, key: &str) {
        self.sandbox.set_app(DialbackApi { base_url: self.app.base.clone(), api_key: Secret::new(key) });
    }
}

/// A status and the JSON that came with it.
pub(super) async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

async fn bind() -> (String, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    (format!("http://{}", listener.local_addr().unwrap()), listener)
}

fn serve(
    listener: TcpListener,
    filter: warp::filters::BoxedFilter<(Response,)>,
    limits: Limits,
) -> tokio::sync::oneshot::Sender<()> {
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    tokio::spawn(server::serve(listener, warp::service(filter), limits, async move {
        let _ = ended.await;
    }));
    end
}

fn application(app: Application) -> warp::filters::BoxedFilter<(Response,)> {
    warp::any()
        .and(warp::method())
        .and(warp::path::full())
        .and(warp::query::raw().or(warp::any().map(String::new)).unify())
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .and(warp::any().map(move || app.clone()))
        .and_then(
            async |method: warp::http::Method,
                   path: warp::path::FullPath,
                   query: String,
                   headers: HeaderMap,
                   body,
                   app: Application| {
                let body = collect(&headers, body).await.unwrap();
                let (method, path) = (method.to_string(), path.as_str().to_owned());
                let url = match query.as_str() {
                    "" => format!("{}{path}", app.base),
                    query => format!("{}{path}?{query}", app.base),
                };
                let signed = is_signed(&method, &url, &headers, &body);
                let body = String::from_utf8(body.to_vec()).unwrap();
                Ok::<_, Infallible>(app.answer(Told { method, path, query, headers, body, signed }))
            },
        )
        .boxed()
}

fn is_signed(method: &str, url: &str, headers: &HeaderMap, body: &[u8]) -> bool {
    is_signed_with(TOKEN, method, url, headers, body)
}

/// Judged by the product's own verifier.
fn is_signed_with(token: &str, method: &str, url: &str, headers: &HeaderMap, body: &[u8]) -> bool {
    let token = Token { label: "token".to_owned(), account: None, secret: Secret::new(token) };
    let verifier = Verifier::new(vec![token], Vec::new()).unwrap();
    let signatures: Vec<&[u8]> =
        headers.get_all("x-twilio-signature").iter().map(|value| value.as_bytes()).collect();
    let content_type = headers.get("content-type").map(|value| value.to_str().unwrap());
    let request = Signed { method, url, content_type, body, signatures: &signatures, settings: None };
    verifier.verify(&request).is_ok()
}
