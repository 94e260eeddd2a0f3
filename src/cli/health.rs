//! `dialback health`: whether the server of this configuration is ready, for whatever
//! starts and stops it: an image's health check, a unit, a script.
//!
//! It asks the listener that says why it is not, where there is one, and knows of a free
//! port by what the running server left beside its store.

use super::Global;
use super::configured::load;
use super::out::outln;
use super::replay::target::running;
use super::serve::reachable;
use crate::config::Config;
use anyhow::{Context, bail};
use serde_json::Value;
use std::process::ExitCode;
use std::time::Duration;

/// Arguments of `dialback health`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// For how long the server may be silent
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=300))]
    timeout: u64,
}

/// The longest answer that is read, in bytes; a ready server says a few hundred.
const ANSWER_BYTES: usize = 64 * 1024;

/// Runs the command.
///
/// # Errors
/// Why the server is not ready, in words for the person at the terminal.
pub async fn run(global: &Global, args: Args) -> anyhow::Result<ExitCode> {
    let config = load(global)?.config;
    let base = listener(&config)?;
    ask(&base, Duration::from_secs(args.timeout)).await?;
    outln!("ready: {base}");
    Ok(ExitCode::SUCCESS)
}

/// The listener to ask: this machine's own before the one that others reach, which gives
/// no reasons.
fn listener(config: &Config) -> anyhow::Result<String> {
    let server = &config.server;
    let fixed =
        |addr: std::net::SocketAddr| (addr.port() != 0).then(|| format!("http://{}", reachable(addr)));
    if let Some(base) = server.admin_listen.and_then(fixed) {
        return Ok(base);
    }
    // A port that the system gave is in the file alone; without a store that is kept
    // there is none, and what is fixed has to do.
    let left = running(config).context("cannot read what the server left beside its store")?;
    let left = left.map(|operator| operator.admin.unwrap_or(operator.url));
    match left.or_else(|| fixed(server.listen)) {
        Some(base) => Ok(base),
        None => bail!(
            "not ready: no server is running on this store: start one with `dialback serve`, or set a port \
             in server.listen or server.admin_listen"
        ),
    }
}

/// Asks `/readyz` there.
///
/// # Errors
/// When the answer is anything but "ready".
async fn ask(base: &str, timeout: Duration) -> anyhow::Result<()> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(timeout)
        .build()?;
    let silent = |error: reqwest::Error| match error.is_timeout() {
        true => anyhow::anyhow!("not ready: nothing answers at {base} within {} s", timeout.as_secs()),
        false => {
            let why = anyhow::Error::new(error);
            anyhow::anyhow!("not ready: nothing answers at {base}: {}", why.root_cause())
        }
    };
    let mut response = client.get(format!("{base}/readyz")).send().await.map_err(silent)?;
    let (status, mut body) = (response.status(), Vec::new());
    while let Some(chunk) = response.chunk().await.map_err(silent)? {
        anyhow::ensure!(body.len() + chunk.len() <= ANSWER_BYTES, "not ready: {base} is no dialback");
        body.extend_from_slice(&chunk);
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    if status.is_success() && body["status"] == "ready" {
        return Ok(());
    }
    let why = ["detail", "title", "status"].iter().find_map(|name| body[name].as_str());
    match why {
        Some("not ready") => bail!("not ready: {base} answers {}, and the log says why", status.as_u16()),
        Some(why) => bail!("not ready: {why} ({base})"),
        None => bail!("not ready: {base} answers {} and is no dialback", status.as_u16()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Env, parse};
    use crate::server::{Limits, serve};
    use warp::Filter;
    use warp::http::StatusCode;

    fn asked(pairs: &[(&str, &str)]) -> anyhow::Result<String> {
        let memory = [("DIALBACK_STORE__URL", "memory:")];
        listener(&parse(None, &memory.iter().chain(pairs).copied().collect::<Env>()).unwrap().config)
    }

    #[test]
    fn this_machines_own_listener_is_asked_before_the_one_of_others() {
        let (own, others) = ("DIALBACK_SERVER__ADMIN_LISTEN", "DIALBACK_SERVER__LISTEN");
        assert_eq!(asked(&[]).unwrap(), "http://127.0.0.1:8000");
        assert_eq!(asked(&[(own, "127.0.0.1:9000")]).unwrap(), "http://127.0.0.1:9000");
        assert_eq!(asked(&[(own, "[::1]:9000")]).unwrap(), "http://[::1]:9000");
        assert_eq!(asked(&[(own, ""), (others, "127.0.0.1:81")]).unwrap(), "http://127.0.0.1:81");
        let none = asked(&[(others, "127.0.0.1:0")]).unwrap_err().to_string();
        assert!(none.contains("dialback serve"), "{none}");
    }

    async fn answering(status: u16, body: &'static str) -> anyhow::Result<()> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let status = StatusCode::from_u16(status).unwrap();
        let service =
            warp::service(warp::path!("readyz").map(move || warp::reply::with_status(body, status)));
        tokio::spawn(serve(listener, service, Limits::default(), std::future::pending()));
        ask(&base, Duration::from_secs(5)).await
    }

    #[tokio::test]
    async fn who_says_nothing_is_not_waited_for_longer_than_was_said() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let error = ask(&base, Duration::from_secs(1)).await.unwrap_err().to_string();
        assert_eq!(error, format!("not ready: nothing answers at {base} within 1 s"));
    }

    #[tokio::test]
    async fn nothing_but_ready_is_ready_and_what_is_not_says_why() {
        answering(200, r#"{"status":"ready","wrong_keys":{}}"#).await.unwrap();
        for (status, body, said) in [
            (503, r#"{"status":"not ready"}"#, "answers 503, and the log says why"),
            (503, r#"{"title":"Away","detail":"the store is away"}"#, "not ready: the store is away (http"),
            (503, r#"{"status":"ready"}"#, "not ready"),
            (200, "<html>", "answers 200 and is no dialback"),
            (302, "", "answers 302 and is no dialback"),
        ] {
            let error = answering(status, body).await.unwrap_err().to_string();
            assert!(error.contains(said), "{body}: {error}");
        }
    }
}
