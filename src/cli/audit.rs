//! `dialback audit`: who did what to keys, settings and people's data.

use super::Global;
use super::client::{Client, Target, time};
use super::out::outln;
use super::serve::open_existing;
use crate::app::audit::read_audit;
use crate::http::audit_view;
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use std::process::ExitCode;

/// Arguments of `dialback audit`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the audit log, the newest first
    List {
        /// Only what was written at this time or later, as in 2026-11-20T00:00:00Z
        #[arg(long, value_name = "TIME", value_parser = time)]
        since: Option<Timestamp>,
        /// At most so many lines
        #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=10_000))]
        limit: u16,
        /// Print JSON, as the API answers
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        target: Target,
    },
}

/// Lines shown at once by the server.
const PAGE: usize = 100;

/// Runs the command.
///
/// # Errors
/// What stopped it, in words for the person at the terminal.
pub async fn run(global: &Global, args: Args) -> anyhow::Result<ExitCode> {
    let config = super::configured::load(global)?.config;
    let Command::List { since, limit, json, target } = args.command;
    let limit = usize::from(limit);
    let entries = match Client::find(&target, &config).await? {
        Some(client) => asked(&client, since, limit).await?,
        None => {
            let (store, _) = open_existing(&config).await?;
            let found = read_audit(&*store, since, limit).await;
            store.close().await;
            found?.iter().map(audit_view).collect()
        }
    };
    match json {
        true => outln!("{:#}", json!({ "entries": entries })),
        false => entries.iter().for_each(|entry| outln!("{}", line(entry))),
    }
    Ok(ExitCode::SUCCESS)
}

async fn asked(client: &Client, since: Option<Timestamp>, limit: usize) -> anyhow::Result<Vec<Value>> {
    let since = since.map(|since| {
        let since = since.to_string();
        format!("&since={}", utf8_percent_encode(&since, NON_ALPHANUMERIC))
    });
    let (since, mut entries, mut cursor) = (since.unwrap_or_default(), Vec::new(), String::new());
    while entries.len() < limit {
        let page = client.get(&format!("/v1/audit?limit={PAGE}{since}{cursor}")).await?.done()?;
        entries.extend(page["entries"].as_array().into_iter().flatten().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    entries.truncate(limit);
    Ok(entries)
}

fn line(entry: &Value) -> String {
    let text = |name: &str| entry[name].as_str().unwrap_or_default();
    let details = entry["details"].as_object().into_iter().flatten();
    let details: Vec<String> =
        details.map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default())).collect();
    let line =
        format!("{:.19}  {:<13}  {:<21}  {}", text("at"), text("actor"), text("action"), text("subject"));
    format!("{line}  {}", details.join("  ")).trim_end().to_owned()
}
