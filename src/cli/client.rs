//! Asking the running server, with the operator's key or an API key.

use super::kept::{IN_MEMORY, store_dir};
use super::operator::Operator;
use super::told::Told;
use crate::config::Config;
use crate::gateway::http::client;
use crate::secret::Secret;
use crate::trust::Trust;
use anyhow::{Context, bail};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::Value;
use std::time::Duration;

/// Where the server is and how to be let in; for commands that ask it.
#[derive(Debug, Default, clap::Args)]
pub struct Target {
    /// The server [default: the one running on the configured store]
    #[arg(long, value_name = "URL", requires = "api_key")]
    url: Option<String>,
    /// An API key for --url
    #[arg(long, value_name = "KEY", env = "DIALBACK_API_KEY", hide_env_values = true)]
    api_key: Option<String>,
}

/// A server that is asked.
pub struct Client {
    base: String,
    /// Where the operator's routes are; `None` where the server has no such listener.
    admin: Option<String>,
    key: Secret,
    http: reqwest::Client,
}

/// A stream's deadline: a heartbeat comes every few seconds for as long as it lives.
const AS_LONG_AS_IT_LASTS: Duration = Duration::from_secs(365 * 86_400);

/// For what may take longer than a look.
const A_WHILE: Duration = Duration::from_secs(60);

/// The server's answer to a request: its status and its JSON.
pub struct Answer {
    /// The HTTP status, such as 404.
    pub status: u16,
    /// The body, `null` when it was no JSON.
    pub body: Value,
}

impl Client {
    /// The server that was named, or the one that runs on the configured
    /// store; `None` when none runs.
    ///
    /// # Errors
    /// When what the server left cannot be read.
    pub async fn find(target: &Target, config: &Config) -> anyhow::Result<Option<Self>> {
        let http = client(&Trust::from_env()?)?.timeout(Duration::from_secs(10)).no_proxy().build()?;
        if let (Some(url), Some(key)) = (&target.url, &target.api_key) {
            let base = url.trim_end_matches('/').to_owned();
            return Ok(Some(Self { base, admin: None, key: Secret::new(key.clone()), http }));
        }
        let Some(dir) = store_dir(config) else {
            return Ok(None);
        };
        let Some(operator) = Operator::read(dir)
            .with_context(|| format!("cannot read what the server left in {}", dir.display()))?
        else {
            return Ok(None);
        };
        let client = Self { base: operator.url, admin: operator.admin, key: operator.key, http };
        // The file outlives a server that was killed.
        Ok(client.get("/healthz").await.is_ok().then_some(client))
    }

    /// The same, when nothing can be done without it.
    ///
    /// # Errors
    /// When no server runs.
    pub async fn need(target: &Target, config: &Config) -> anyhow::Result<Self> {
        match Self::find(target, config).await? {
            Some(client) => Ok(client),
            None => match store_dir(config) {
                None => bail!("{IN_MEMORY}"),
                Some(dir) => bail!(
                    "no server is running on {}: start one with `dialback serve`, or name one with --url and --api-key",
                    dir.display()
                ),
            },
        }
    }

    /// Asks for something.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.send(self.http.get(format!("{}{path}", self.base))).await
    }

    /// Hands something in.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        let request = self.http.post(format!("{}{path}", self.base));
        self.send(request.header("Content-Type", "application/json").body(body.to_string())).await
    }

    /// Asks for something that takes a while.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn get_slowly(&self, path: &str) -> anyhow::Result<Answer> {
        self.send(self.http.get(format!("{}{path}", self.base)).timeout(A_WHILE)).await
    }

    /// Hands in something that takes a while.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn post_slowly(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        let request = self.http.post(format!("{}{path}", self.base)).timeout(A_WHILE);
        self.send(request.header("Content-Type", "application/json").body(body.to_string())).await
    }

    /// Sets something as it is to be.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn put(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        let request = self.http.put(format!("{}{path}", self.base));
        self.send(request.header("Content-Type", "application/json").body(body.to_string())).await
    }

    /// Changes something.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn patch(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        let request = self.http.patch(format!("{}{path}", self.base));
        self.send(request.header("Content-Type", "application/json").body(body.to_string())).await
    }

    /// Takes something away.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn delete(&self, path: &str) -> anyhow::Result<Answer> {
        self.send(self.http.delete(format!("{}{path}", self.base))).await
    }

    /// Begins a stream of events, after the one of that id.
    ///
    /// # Errors
    /// When there is no answer, or another one.
    pub async fn stream(&self, path: &str, last: Option<&str>) -> anyhow::Result<reqwest::Response> {
        let request = self.http.get(format!("{}{path}", self.base));
        self.begin(match last {
            Some(last) => request.header("Last-Event-ID", last),
            None => request,
        })
        .await
    }

    /// Asks the operator's routes for something that is answered bit by bit.
    ///
    /// # Errors
    /// When there is no answer, or another one.
    pub async fn told(&self, method: Method, path: &str) -> anyhow::Result<Told> {
        let response = self.begin(self.http.request(method, format!("{}{path}", self.admin()?))).await?;
        Ok(Told::of(response))
    }

    /// Asks the operator's routes for something.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn admin_get(&self, path: &str) -> anyhow::Result<Answer> {
        self.send(self.http.get(format!("{}{path}", self.admin()?)).timeout(A_WHILE)).await
    }

    /// Has the operator's routes do something.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn admin_post(&self, path: &str) -> anyhow::Result<Answer> {
        self.send(self.http.post(format!("{}{path}", self.admin()?)).timeout(A_WHILE)).await
    }

    /// Where the operator's routes are.
    fn admin(&self) -> anyhow::Result<&str> {
        const NONE: &str =
            "this server has no listener for that: set server.admin_listen, or stop the server";
        self.admin.as_deref().context(NONE)
    }

    /// Hands in lines of JSON, at the operator's routes.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn lines(&self, path: &str, lines: Vec<u8>) -> anyhow::Result<Answer> {
        let request = self.http.post(format!("{}{path}", self.admin()?)).timeout(A_WHILE);
        self.send(request.header("Content-Type", "application/x-ndjson").body(lines)).await
    }

    async fn begin(&self, request: reqwest::RequestBuilder) -> anyhow::Result<reqwest::Response> {
        let request = request.timeout(AS_LONG_AS_IT_LASTS);
        let request = request.header("Accept", "text/event-stream").bearer_auth(self.key.expose());
        let response =
            request.send().await.with_context(|| format!("the server at {} does not answer", self.base))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status().as_u16();
        let body = serde_json::from_slice(&response.bytes().await?).unwrap_or(Value::Null);
        let refused = Answer { status, body }.done();
        refused.and_then(|_| bail!("the server answered {status}"))
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Answer> {
        let response = request
            .bearer_auth(self.key.expose())
            .send()
            .await
            .with_context(|| format!("the server at {} does not answer", self.base))?;
        let status = response.status().as_u16();
        let bytes = response.bytes().await.context("the server's answer broke off")?;
        Ok(Answer { status, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) })
    }
}

impl Answer {
    /// The body, when the server did what was asked.
    ///
    /// # Errors
    /// The server's own words.
    pub fn done(self) -> anyhow::Result<Value> {
        if (200..300).contains(&self.status) {
            return Ok(self.body);
        }
        match self.body["detail"].as_str().or(self.body["title"].as_str()) {
            Some(why) => bail!("{why} ({})", self.body["code"].as_str().unwrap_or("no code")),
            None => bail!("the server answered {}", self.status),
        }
    }
}

/// An id on the command line. It becomes a part of a path, and must not lead
/// elsewhere.
///
/// # Errors
/// When it can be nobody's.
pub fn id(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    match !text.is_empty() && text.chars().all(fits) {
        true => Ok(text.to_owned()),
        false => Err("an id has letters and digits alone".to_owned()),
    }
}

/// A time on the command line.
///
/// # Errors
/// When it is none.
pub fn time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "write a time with its zone, as in 2026-11-20T09:30:00Z".to_owned())
}
