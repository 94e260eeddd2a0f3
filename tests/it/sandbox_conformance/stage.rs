//! A sandbox to whom Twilio's operations are put by their names, and the ledger of
//! how its answers were. It refuses to know which operations there are.

use super::judge::{faults, faults_of_refusal};
use super::operations::{Is, Operation, Product, Rule, Shape, products};
use dialback::clock::Clock;
use dialback::entropy::Entropy;
use dialback::sandbox::{Sandbox, Settings};
use dialback::secret::Secret;
use dialback::server;
use dialback::twilio::form;
use reqwest::{Client, Method};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// The account that asks.
pub const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
const TOKEN: &str = "8f0e6c2d4b1a39587766554433221100";

/// A sandbox, and what was found out about it.
pub struct Stage {
    /// The product whose operations are asked for by their bare names.
    pub product: &'static str,
    pub ledger: BTreeMap<(String, String), Entry>,
    /// The account's token.
    pub token: String,
    products: Vec<Product>,
    base: String,
    http: Client,
    /// The names of resources that exist, the newest last.
    sids: Vec<String>,
    /// What was advertised and looked for.
    visited: BTreeSet<(String, String)>,
    _end: oneshot::Sender<()>,
}

/// What is known of an operation.
#[derive(Default)]
pub struct Entry {
    /// How often it was asked.
    pub asked: usize,
    /// How often it succeeded.
    pub succeeded: usize,
    /// What was wrong with its answers.
    pub faults: BTreeSet<String>,
}

/// An answer, as far as it matters here.
pub struct Answer {
    pub status: u16,
    pub content_type: String,
    pub document: Value,
}

impl Stage {
    /// A sandbox that takes no time.
    pub async fn start() -> Self {
        let settings = Settings { pace: 0.0, ..Settings::new(ACCOUNT, Secret::new(TOKEN)) };
        let sandbox = Sandbox::new(settings, Clock::real(), Entropy::system()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (end, ended) = oneshot::channel::<()>();
        let service = warp::service(sandbox.filter());
        tokio::spawn(server::serve(listener, service, Sandbox::limits(), async move {
            let _ = ended.await;
        }));
        Self {
            product: "api_v2010",
            ledger: BTreeMap::new(),
            token: TOKEN.to_owned(),
            products: products(),
            base,
            http: Client::new(),
            sids: vec![ACCOUNT.to_owned()],
            visited: BTreeSet::new(),
            _end: end,
        }
    }

    /// Asks for an operation and judges its answer, which has to be a success.
    /// `fields` are written as a form is: what the operation's path names goes there,
    /// the rest to where the operation has it. SIDs of the path that are not given
    /// are the newest ones of their kind.
    pub async fn ask(&mut self, id: &str, fields: &str) -> Value {
        let (operation, answer) = self.send(id, fields).await;
        let shapes = &self.product(self.product).shapes;
        let mut found = match &operation.answer {
            Some(shape) => faults(&answer.document, shape, shapes),
            None if answer.document.is_null() => Vec::new(),
            None => vec!["a document where there is none".to_owned()],
        };
        let is_done = operation.statuses.contains(&answer.status.into());
        if !is_done {
            found =
                vec![format!("{} instead of {:?}: {}", answer.status, operation.statuses, answer.document)];
        }
        found.extend(self.dead_ends(&operation, &answer.document).await);
        self.note(&operation.id, is_done, found);
        self.learn(&answer.document);
        answer.document
    }

    /// Asks for an operation that has to be refused with this code of Twilio's.
    pub async fn refused(&mut self, id: &str, fields: &str, code: u32) {
        let (operation, answer) = self.send(id, fields).await;
        let mut found = faults_of_refusal(answer.status, &answer.content_type, &answer.document);
        if answer.status < 400 || answer.document["code"] != code {
            let (status, document) = (answer.status, &answer.document);
            found.push(format!("{status} instead of a refusal by {code}: {document}"));
        }
        self.note(&operation.id, false, found);
    }

    /// Asks until a field of the answer has a value.
    pub async fn until(&mut self, id: &str, fields: &str, name: &str, value: &str) -> Value {
        for _ in 0..3_000 {
            let document = self.ask(id, fields).await;
            if document[name] == value {
                return document;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{id}: {name} never is {value}");
    }

    /// Asks until a list has a row.
    pub async fn until_rows(&mut self, id: &str, key: &str) {
        for _ in 0..3_000 {
            if self.ask(id, "").await[key].as_array().is_some_and(|rows| !rows.is_empty()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{id}: no {key}");
    }

    /// The word that the newest test event of a sink brought to nobody: it stands in
    /// the log of exchanges.
    pub async fn sink_word(&self) -> String {
        let url = format!("{}/sandbox/exchanges?kind=event-stream", self.base);
        for _ in 0..3_000 {
            let text = self.http.get(&url).send().await.unwrap().text().await.unwrap();
            let exchanges: Value = serde_json::from_str(&text).unwrap();
            let body = exchanges[0]["request"]["body"].as_str().unwrap_or("[]");
            let events: Value = serde_json::from_str(body).unwrap();
            if let Some(word) = events[0]["data"]["test_id"].as_str() {
                return word.to_owned();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no test event");
    }

    /// Does something with a telephone: `PUT` its behaviour, `POST` what it writes.
    /// The name of what came of it is the newest.
    pub async fn phone(&mut self, method: Method, path: &str, body: Value) {
        let url = format!("{}/sandbox/{path}", self.base);
        let response = self.http.request(method, url).body(body.to_string()).send().await.unwrap();
        assert!(response.status().is_success(), "{path}: {}", response.status());
        self.learn(&serde_json::from_str(&response.text().await.unwrap()).unwrap_or_default());
    }

    /// Asks whatever was not asked so far, with names of resources that exist where
    /// there are some: it is either not here, which Twilio's error document says, or
    /// it has no scenario.
    pub async fn ask_the_rest(&mut self) {
        let all = self.products.iter().flat_map(|product| {
            product.operations.iter().map(|operation| (product.name.clone(), operation.clone()))
        });
        let known: Vec<_> = all.collect();
        let played = self.played().await;
        for (product, operation) in known {
            let here = (self.product(&product).host.clone(), operation.method.clone(), bare(&operation.path));
            let key = (product, operation.id.clone());
            if self.ledger.get(&key).is_some_and(|entry| entry.succeeded > 0) {
                continue;
            }
            let path = self.path(&operation, &mut Vec::new());
            let answer = self.request(&operation, &path, &[]).await;
            let mut found = faults_of_refusal(answer.status, &answer.content_type, &answer.document);
            if played.contains(&here) || !matches!(answer.status, 404 | 405) {
                let how = "it is here and no scenario asks for it: add a line `stage.ask(…)`";
                found = vec![format!("{} to {} {path}: {how}", answer.status, operation.method)];
            }
            self.ledger.entry(key).or_default().faults.extend(found);
        }
    }

    /// What the sandbox says that it plays: host, method, and path.
    async fn played(&self) -> BTreeSet<(String, String, String)> {
        let url = format!("{}/sandbox/operations", self.base);
        let text = self.http.get(url).send().await.unwrap().text().await.unwrap();
        let rows: Vec<BTreeMap<String, String>> = serde_json::from_str(&text).unwrap();
        rows.iter().map(|row| (row["host"].clone(), row["method"].clone(), bare(&row["path"]))).collect()
    }

    /// The operations of every product, by product and name.
    pub fn operations(&self) -> impl Iterator<Item = (&Product, &Operation)> {
        self.products.iter().flat_map(|product| product.operations.iter().map(move |one| (product, one)))
    }

    fn product(&self, name: &str) -> &Product {
        self.products.iter().find(|product| product.name == name).unwrap_or_else(|| panic!("{name}"))
    }

    async fn send(&mut self, id: &str, fields: &str) -> (Operation, Answer) {
        let known = self.product(self.product).operations.iter().find(|one| one.id == id);
        let operation = known.unwrap_or_else(|| panic!("{} has no {id}", self.product)).clone();
        let mut fields = form::parse(fields.as_bytes());
        let path = self.path(&operation, &mut fields);
        let by_query = matches!(operation.method.as_str(), "GET" | "DELETE");
        let names = if by_query { &operation.in_query } else { &operation.in_form };
        for (name, _) in &fields {
            assert!(operation.takes_json || names.contains(name), "{id} has no {name}");
        }
        let answer = self.request(&operation, &path, &fields).await;
        if answer.status == 204 {
            // It is gone; what was named last in the path.
            let last = path.rsplit('/').next().unwrap_or_default();
            let last = last.split(['.', '?']).next().unwrap_or_default().to_owned();
            self.sids.retain(|sid| *sid != last);
        }
        (operation, answer)
    }

    async fn request(&self, operation: &Operation, path: &str, fields: &[(String, String)]) -> Answer {
        let method: Method = operation.method.parse().unwrap();
        let mut url = format!("{}{path}", self.base);
        let mut request_body = None;
        if operation.takes_json {
            let object: Map<String, Value> = fields
                .iter()
                .map(|(name, text)| (name.clone(), serde_json::from_str(text).unwrap_or(json!(text))))
                .collect();
            request_body = Some(("application/json", Value::Object(object).to_string()));
        } else if matches!(method, Method::GET | Method::DELETE) && !fields.is_empty() {
            url = format!("{url}?{}", serde_urlencoded::to_string(fields).unwrap());
        } else if !matches!(method, Method::GET | Method::DELETE) {
            let encoded = serde_urlencoded::to_string(fields).unwrap();
            request_body = Some(("application/x-www-form-urlencoded", encoded));
        }
        let mut request = self.http.request(method, url).basic_auth(ACCOUNT, Some(&self.token));
        if let Some((content_type, body)) = request_body {
            request = request.header("content-type", content_type).body(body);
        }
        let response = request.send().await.unwrap();
        let content_type = response.headers().get("content-type");
        let content_type = content_type.map_or("", |value| value.to_str().unwrap()).to_owned();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        let document = match text.as_str() {
            "" => Value::Null,
            text => serde_json::from_str(text).unwrap_or(Value::String(text.to_owned())),
        };
        Answer { status, content_type, document }
    }

    /// The operation's path, filled with what was given, with what exists, or else
    /// with made-up names. Takes out of the fields what it used.
    fn path(&self, operation: &Operation, fields: &mut Vec<(String, String)>) -> String {
        let mut path = operation.path.clone();
        for (name, shape) in &operation.in_path {
            let given = fields.iter().position(|(other, _)| other == name);
            let value = match given {
                Some(at) => fields.remove(at).1,
                None if name == "AccountSid" => ACCOUNT.to_owned(),
                None => self.newest(shape),
            };
            let value = value.replace('+', "%2B");
            path = path.replace(&format!("{{{name}}}"), &value);
        }
        path
    }

    fn newest(&self, shape: &Shape) -> String {
        match &shape.is {
            Is::Plain(_, Rule::Pattern(pattern)) => {
                let newest = self.sids.iter().rev().find(|sid| pattern.is_match(sid));
                newest.cloned().unwrap_or_else(|| {
                    // `^(SM|MM)[0-9a-fA-F]{32}$` begins with SM.
                    let prefix = pattern.as_str().trim_start_matches(['^', '(']);
                    format!("{}{}", &prefix[..2], "0".repeat(32))
                })
            }
            Is::Plain(_, Rule::Format(name)) if name == "iso-country-code" => "US".to_owned(),
            _ => "14155552671".to_owned(),
        }
    }

    /// Remembers the names in an answer: that of a document as the newest, those of
    /// a list only where none of their kind is known.
    fn learn(&mut self, document: &Value) {
        if let Some(sid) = document["sid"].as_str() {
            self.sids.retain(|known| known != sid);
            self.sids.push(sid.to_owned());
        }
        let rows = document.as_object().into_iter().flat_map(Map::values).filter_map(Value::as_array);
        for sid in rows.flatten().filter_map(|row| row["sid"].as_str()) {
            if self.sids.iter().all(|known| known[..2] != sid[..2]) {
                self.sids.push(sid.to_owned());
            }
        }
    }

    /// What a document says is elsewhere, and is not. Where only POST goes, a GET is
    /// answered by 405.
    async fn dead_ends(&mut self, operation: &Operation, document: &Value) -> Vec<String> {
        let mut found = Vec::new();
        let advertised =
            ["subresource_uris", "links"].into_iter().filter_map(|name| document[name].as_object());
        let advertised: Vec<(String, String)> = advertised
            .flatten()
            .filter_map(|(name, uri)| Some((name.clone(), uri.as_str()?.to_owned())))
            .collect();
        for (name, uri) in advertised {
            if !self.visited.insert((operation.id.clone(), name.clone())) {
                continue;
            }
            let url = if uri.starts_with('/') { format!("{}{uri}", self.base) } else { uri };
            let answer = self.http.get(url).basic_auth(ACCOUNT, Some(&self.token)).send().await.unwrap();
            if answer.status() == 404 {
                found.push(format!("{name} is advertised and not there"));
            }
        }
        found
    }

    fn note(&mut self, id: &str, is_done: bool, faults: Vec<String>) {
        let entry = self.ledger.entry((self.product.to_owned(), id.to_owned())).or_default();
        entry.asked += 1;
        entry.succeeded += usize::from(is_done);
        entry.faults.extend(faults);
    }
}

/// A path's template without the names of its parts.
fn bare(template: &str) -> String {
    let parts = template.split('{').map(|part| part.split_once('}').map_or(part, |(_, rest)| rest));
    parts.collect::<Vec<_>>().join("{}")
}
