//! `dialback queue`: what waits to be done and for how long, and what failed again
//! and again: try it once more, or drop it.

use super::Global;
use super::client::{Client, Target};
use super::out::{errln, out, outln};
use super::serve::offline;
use crate::app::App;
use crate::app::admin::{self, AdminError};
use crate::app::fault::Fault;
use crate::config::Config;
use crate::http::queue_view;
use crate::model::audit::Actor;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use std::process::ExitCode;

/// Arguments of `dialback queue`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Print JSON instead of lines for people
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show how much waits in each lane, since when, and what was set aside (the default)
    List,
    /// Put what was set aside back into its lane, as if it had never failed
    Retry {
        /// As the list calls it
        #[arg(value_name = "KEY")]
        key: String,
    },
    /// Delete what was set aside, with its record
    Drop {
        /// As the list calls it
        #[arg(value_name = "KEY")]
        key: String,
    },
}

/// Runs the command.
///
/// # Errors
/// What stopped it, in words for the person at the terminal.
pub async fn run(global: &Global, args: Args) -> anyhow::Result<ExitCode> {
    let config = super::configured::load(global)?.config;
    let client = Client::find(&Target::default(), &config).await?;
    match args.command.unwrap_or(Command::List) {
        Command::List => {
            let queue = match &client {
                Some(client) => client.admin_get("/operator/queue").await?.done()?,
                None => on_store(&config, async |app| admin::queue(&app.base).await)
                    .await
                    .map(|queue| queue_view(&queue))?,
            };
            match args.json {
                true => outln!("{queue:#}"),
                false => out!("{}", text(&queue)),
            }
        }
        Command::Retry { key } => {
            match &client {
                Some(client) => ask(client, "retry", &key).await?,
                None => {
                    on_store(&config, async |app| {
                        found(&key, admin::retry_job(&app.base, &Actor::operator(), &key).await)
                    })
                    .await??
                }
            }
            told(args.json, "retried", &key, "is tried again");
        }
        Command::Drop { key } => {
            match &client {
                Some(client) => ask(client, "drop", &key).await?,
                None => {
                    on_store(&config, async |app| {
                        found(&key, admin::drop_job(&app.base, &Actor::operator(), &key).await)
                    })
                    .await??
                }
            }
            told(args.json, "dropped", &key, "is dropped, with its record");
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn ask(client: &Client, what: &str, key: &str) -> anyhow::Result<()> {
    let encoded = utf8_percent_encode(key, NON_ALPHANUMERIC);
    let answer = client.admin_post(&format!("/operator/queue/{what}?key={encoded}")).await?;
    anyhow::ensure!(answer.status != 404, "{}", unknown(key));
    answer.done().map(drop)
}

/// Does something on the store that no server has open.
async fn on_store<T>(
    config: &Config,
    does: impl AsyncFnOnce(&App) -> Result<T, AdminError>,
) -> anyhow::Result<T> {
    let (app, store) = offline(config).await?;
    let done = does(&app).await;
    store.close().await;
    Ok(done?)
}

/// What has no such name is no failure of the store's.
fn found(key: &str, done: Result<(), AdminError>) -> Result<anyhow::Result<()>, AdminError> {
    match done {
        Err(AdminError::Fault(Fault::NotFound)) => Ok(Err(anyhow::anyhow!(unknown(key)))),
        done => done.map(Ok),
    }
}

fn unknown(key: &str) -> String {
    format!("nothing was set aside under {key}: `dialback queue` shows what was")
}

fn told(as_json: bool, done: &str, key: &str, words: &str) {
    match as_json {
        true => outln!("{:#}", json!({ done: key })),
        false => errln!("{key} {words}"),
    }
}

fn text(queue: &Value) -> String {
    let of = |value: &Value, name: &str| value[name].as_str().unwrap_or("-").to_owned();
    let items = |name: &str| queue[name].as_array().cloned().unwrap_or_default();
    let mut text = String::new();
    for line in items("lanes") {
        let (waiting, seconds) =
            (line["waiting"].as_u64().unwrap_or(0), line["oldest_seconds"].as_i64().unwrap_or(0));
        text += &format!(
            "{:<8}  {:<14} {waiting:>10} due, the oldest for {seconds} s\n",
            of(&line, "lane"),
            of(&line, "kind")
        );
    }
    if text.is_empty() {
        text += "nothing is due\n";
    }
    for (title, name) in [("failed, and tried again", "troubled"), ("set aside", "aside")] {
        for one in items(name) {
            let trouble = &one["trouble"];
            let why = match trouble["failures"].as_u64() {
                Some(failures) => format!(
                    "failed {failures} times, at {:.19}: {}",
                    of(trouble, "at"),
                    of(trouble, "reason")
                ),
                None => "why, the log of the process says in which it failed".to_owned(),
            };
            text += &format!("{title}: {}  {why}\n", of(&one, "key"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_and_what_was_set_aside_is_said_in_words() {
        let queue = json!({
            "lanes": [{ "lane": "chore", "kind": "tally", "waiting": 7, "oldest_seconds": 61 }],
            "troubled": [],
            "aside": [
                { "key": "verification/VE1", "trouble": { "failures": 5, "reason": "it panicked: no", "at": "2026-11-20T09:30:00Z" } },
                { "key": "tally/~00", "trouble": null },
            ],
        });
        let text = text(&queue);
        assert!(text.contains("chore     tally                   7 due, the oldest for 61 s"), "{text}");
        assert!(
            text.contains(
                "set aside: verification/VE1  failed 5 times, at 2026-11-20T09:30:00: it panicked: no"
            ),
            "{text}"
        );
        assert!(text.contains("set aside: tally/~00  why, the log"), "{text}");
        assert_eq!(super::text(&json!({})), "nothing is due\n");
    }
}
