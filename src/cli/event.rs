//! `dialback event`: what happened, for a person.

use super::Global;
use super::client::{Client, Target, id};
use super::out::{errln, outln};
use anyhow::Context;
use serde_json::{Value, json};
use std::process::ExitCode;
use std::time::Duration;

/// Arguments of `dialback event`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List what happened, the newest first
    List {
        #[command(flatten)]
        which: Which,
        /// How many (1 to 100)
        #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=100))]
        limit: u8,
    },
    /// Show what happens as it happens, until interrupted
    Tail {
        #[command(flatten)]
        which: Which,
        /// Begin after this event instead of now
        #[arg(long, value_name = "ID")]
        after: Option<String>,
    },
    /// Send an event to its endpoints again
    Redrive {
        /// Its id, as `dialback event list` shows it
        #[arg(value_parser = id)]
        id: String,
        /// To this endpoint alone
        #[arg(long, value_name = "ID", value_parser = id)]
        endpoint: Option<String>,
    },
}

/// Which events, and how they are shown.
#[derive(Debug, clap::Args)]
struct Which {
    /// Only these, such as verification.failed or "verification.*"
    #[arg(long = "type", value_name = "EVENT")]
    event_type: Option<String>,
    /// Print JSON, an event on each line
    #[arg(long)]
    json: bool,
    /// Show numbers in full
    #[arg(long)]
    full_numbers: bool,
}

/// How long to wait before a stream that ended is begun again.
const AGAIN: Duration = Duration::from_secs(2);
/// The longest line of a stream, in bytes: an event is far smaller.
const MAX_LINE: usize = 1024 * 1024;

/// Runs the command.
///
/// # Errors
/// What stopped it, in words for the person at the terminal.
pub async fn run(global: &Global, args: Args) -> anyhow::Result<ExitCode> {
    let config = super::configured::load(global)?.config;
    let client = Client::need(&args.target, &config).await?;
    match args.command {
        Command::List { which, limit } => {
            let page = client.get(&format!("/v1/events?limit={limit}{}", which.query())).await?.done()?;
            for event in page["events"].as_array().into_iter().flatten() {
                outln!("{}", which.line(event));
            }
        }
        Command::Tail { which, after } => tail(&client, &which, after).await?,
        Command::Redrive { id, endpoint } => {
            let path = format!("/v1/events/{id}/redrive");
            let done = client.post(&path, &json!({ "endpoint": endpoint })).await?.done()?;
            outln!("sent again to {} endpoints", done["redriven"]);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Follows the stream, and takes it up again where it ended.
async fn tail(client: &Client, which: &Which, mut last: Option<String>) -> anyhow::Result<()> {
    let path = format!("/v1/events?{}", which.query().trim_start_matches('&'));
    let mut stream = client.stream(&path, last.as_deref()).await?;
    loop {
        let mut rest = Vec::new();
        while let Ok(Some(chunk)) = stream.chunk().await {
            rest.extend_from_slice(&chunk);
            while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = rest.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line);
                if let Some(data) = line.strip_prefix("data:") {
                    let event: Value = serde_json::from_str(data).context("the stream holds no event")?;
                    outln!("{}", which.line(&event));
                    last = event["id"].as_str().map(str::to_owned);
                }
            }
            anyhow::ensure!(rest.len() < MAX_LINE, "the stream holds no event");
        }
        errln!("the stream ended; taking it up again");
        stream = loop {
            tokio::time::sleep(AGAIN).await;
            if let Ok(stream) = client.stream(&path, last.as_deref()).await {
                break stream;
            }
        };
    }
}

impl Which {
    fn query(&self) -> String {
        let event_type =
            self.event_type.as_ref().map(|event_type| format!("&type={event_type}")).unwrap_or_default();
        format!("{event_type}&numbers={}", if self.full_numbers { "full" } else { "masked" })
    }

    fn line(&self, event: &Value) -> String {
        if self.json {
            return event.to_string();
        }
        let data = &event["data"];
        let mut line = format!("{}  {:<22}", word(event, "timestamp"), word(event, "type"));
        for name in ["verification", "sid", "endpoint", "channel", "to", "status", "reason"] {
            if let Some(value) = data[name].as_str() {
                line.push_str("  ");
                line.push_str(value);
            }
        }
        let error = &data["error"];
        if let Some(name) = error["name"].as_str() {
            let code = error["code"].as_u64().map(|code| format!("{code} ")).unwrap_or_default();
            line.push_str(&format!("  ({code}{name})"));
        }
        line
    }
}

/// A text of an answer.
pub(super) fn word(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or("?").to_owned()
}
