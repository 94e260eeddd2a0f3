//! `dialback endpoint`: where events are sent to.

use super::Global;
use super::client::{Client, Target, id};
use super::out::{errln, outln};
use anyhow::Context;
use serde_json::{Value, json};
use std::process::ExitCode;

/// Arguments of `dialback endpoint`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Send events to a URL, and show the secret that signs them, this once
    Add {
        /// Where to: https://…
        url: String,
        /// What it wants to hear of, such as verification.approved or "verification.*" [default: verification.*]
        #[arg(long = "event", value_name = "EVENT")]
        events: Vec<String>,
        /// What to call it
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
        /// Tell it telephone numbers in full
        #[arg(long)]
        full_numbers: bool,
    },
    /// List the endpoints
    List {
        /// Print JSON, as the API answers
        #[arg(long)]
        json: bool,
    },
    /// Send nothing more to an endpoint, and forget it
    Remove {
        /// Its id, as `dialback endpoint list` shows it
        #[arg(value_parser = id)]
        id: String,
    },
    /// Send to an endpoint again that was disabled
    Enable {
        /// Its id, as `dialback endpoint list` shows it
        #[arg(value_parser = id)]
        id: String,
    },
    /// Send nothing more to an endpoint until it is enabled
    Disable {
        /// Its id, as `dialback endpoint list` shows it
        #[arg(value_parser = id)]
        id: String,
    },
    /// Make a new secret and show it, this once; the old one signs too for a day
    Rotate {
        /// Its id, as `dialback endpoint list` shows it
        #[arg(value_parser = id)]
        id: String,
    },
    /// Send an event that tells of nothing, and show what comes back
    Test {
        /// Its id, as `dialback endpoint list` shows it
        #[arg(value_parser = id)]
        id: String,
    },
    /// List what was sent to an endpoint, and what came back
    Dispatches {
        /// Its id, as `dialback endpoint list` shows it
        #[arg(value_parser = id)]
        id: String,
        /// Only those that are pending, delivered or failed
        #[arg(long, value_name = "STATUS")]
        status: Option<String>,
    },
    /// Send again what an endpoint did not take
    Redrive {
        /// Its id, as `dialback endpoint list` shows it
        #[arg(value_parser = id)]
        id: String,
        /// Also what was never sent since then, as in 2026-11-20T09:30:00Z
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
    },
}

/// Runs the command.
///
/// # Errors
/// What stopped it, in words for the person at the terminal.
pub async fn run(global: &Global, args: Args) -> anyhow::Result<ExitCode> {
    let config = super::configured::load(global)?.config;
    let client = Client::need(&args.target, &config).await?;
    let path = |id: &str, more: &str| format!("/v1/endpoints/{id}{more}");
    match args.command {
        Command::Add { url, events, description, full_numbers } => {
            let mut said = json!({ "url": url, "description": description, "full_numbers": full_numbers });
            if !events.is_empty() {
                said["events"] = json!(events);
            }
            show_secret(&client.post("/v1/endpoints", &said).await?.done()?)?;
        }
        Command::List { json } => list(&client.get("/v1/endpoints").await?.done()?, json),
        Command::Remove { id } => {
            client.delete(&path(&id, "")).await?.done()?;
        }
        Command::Enable { id } => {
            client.patch(&path(&id, ""), &json!({ "enabled": true })).await?.done()?;
        }
        Command::Disable { id } => {
            client.patch(&path(&id, ""), &json!({ "enabled": false })).await?.done()?;
        }
        Command::Rotate { id } => {
            show_secret(&client.post(&path(&id, "/rotate"), &json!({})).await?.done()?)?;
        }
        Command::Test { id } => {
            let trial = client.post(&path(&id, "/test"), &json!({})).await?.done()?;
            let came = trial["status"].as_u64().map(|status| format!("answered {status}"));
            let came = came.unwrap_or_else(|| super::event::word(&trial, "error"));
            outln!("{came}, after {} ms", trial["millis"]);
            return Ok(if trial["delivered"] == true { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Command::Dispatches { id, status } => {
            let filter = status.map(|status| format!("&status={status}")).unwrap_or_default();
            let page = client.get(&path(&id, &format!("/dispatches?limit=100{filter}"))).await?.done()?;
            for dispatch in page["dispatches"].as_array().into_iter().flatten() {
                outln!("{}", dispatch_line(dispatch));
            }
            if page["next_cursor"].is_string() {
                errln!("there are more");
            }
        }
        Command::Redrive { id, since } => redrive(&client, &path(&id, "/redrive"), since).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Step by step, as far back as events are kept. What a step has asked for stays
/// asked for, so one that is run again goes on where there is something left.
async fn redrive(client: &Client, path: &str, since: Option<String>) -> anyhow::Result<()> {
    let (mut redriven, mut cursor) = (0, Value::Null);
    loop {
        let mut body = json!({ "since": since });
        if cursor.is_string() {
            body["cursor"] = cursor;
        }
        let done = client.post(path, &body).await?.done()?;
        redriven += done["redriven"].as_u64().unwrap_or(0);
        cursor = done["next_cursor"].clone();
        if !cursor.is_string() {
            outln!("{redriven} are sent again");
            return Ok(());
        }
    }
}

fn show_secret(made: &Value) -> anyhow::Result<()> {
    outln!("{}", made["id"].as_str().context("the server's answer holds no id")?);
    outln!("{}", made["secret"].as_str().context("the server's answer holds no secret")?);
    errln!(
        "this is the only time the secret is shown: whoever receives the events checks their signatures with it"
    );
    Ok(())
}

fn list(page: &Value, as_json: bool) {
    if as_json {
        return outln!("{page:#}");
    }
    for endpoint in page["endpoints"].as_array().into_iter().flatten() {
        let events: Vec<&str> =
            endpoint["events"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let state = match (endpoint["disabled_reason"].as_str(), endpoint["failing_since"].as_str()) {
            (Some(why), _) => format!("disabled ({why})"),
            (None, Some(since)) => format!("failing since {since}"),
            (None, None) => "enabled".to_owned(),
        };
        let (id, url) = (super::event::word(endpoint, "id"), super::event::word(endpoint, "url"));
        outln!("{id}  {state}  {url}  {}", events.join(","));
    }
}

fn dispatch_line(dispatch: &Value) -> String {
    let last = &dispatch["last_attempt"];
    let came = match (last["status"].as_u64(), last["error"].as_str()) {
        (Some(status), _) => format!("answered {status}"),
        (None, Some(error)) => error.to_owned(),
        (None, None) => "not tried yet".to_owned(),
    };
    let word = |name| super::event::word(dispatch, name);
    format!(
        "{}  {}  {}  {} tried, {came}",
        word("created_at"),
        word("event"),
        word("status"),
        dispatch["attempts"]
    )
}
