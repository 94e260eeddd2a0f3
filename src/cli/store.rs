//! `dialback store`: whether the data holds together, how much there is, and
//! space given back.

use super::Global;
use super::care::{Absent, Place, progress};
use super::out::{errln, out, outln};
use super::serve::parts;
use crate::app::admin::InspectRules;
use crate::app::admin::inspect_rules;
use crate::config::StoreUrl;
use crate::store::inspect::{self, Census, Findings};
use anyhow::Context;
use indicatif::HumanBytes;
use jiff::Timestamp;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use std::process::ExitCode;

/// Arguments of `dialback store`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Read everything and verify it; exit code 1 when something is damaged
    Check {
        /// Print JSON instead of lines for people
        #[arg(long)]
        json: bool,
    },
    /// Count the records of each kind, and what they take
    Stats {
        /// Print JSON instead of lines for people
        #[arg(long)]
        json: bool,
    },
    /// Give the space of what was deleted back: to the disk, or, of a database's records, to new ones
    Compact,
}

/// What `store compact` did to the files, in bytes.
#[derive(Deserialize)]
struct Sizes {
    before: u64,
    after: u64,
}

/// Runs the command.
///
/// # Errors
/// What stopped it, in words for the person at the terminal.
pub async fn run(global: &Global, args: Args) -> anyhow::Result<ExitCode> {
    let config = super::configured::load(global)?.config;
    let place = Place::find(&config, Absent::Refused).await?;
    let done = match args.command {
        Command::Check { json } => {
            let rules = inspect_rules(&parts::retention(&config), Timestamp::now());
            check(&place, rules, json).await
        }
        Command::Stats { json } => stats(&place, json).await,
        Command::Compact => compact(&place, matches!(config.store.url, StoreUrl::Postgres(_))).await,
    };
    place.close().await;
    done
}

async fn check(place: &Place, rules: InspectRules, json: bool) -> anyhow::Result<ExitCode> {
    let bar = progress("checking", None);
    let told = {
        let bar = bar.clone();
        move |records| bar.set_position(records)
    };
    let findings: Findings = match place {
        Place::Store(store) => inspect::inspect(&**store, rules, &told).await?,
        Place::Server(client) => {
            let done = client.told(Method::POST, "/operator/store/check").await?.done(told).await?;
            serde_json::from_value(done).context("the server's answer")?
        }
    };
    bar.finish_and_clear();
    match json {
        true => outln!("{:#}", json!(findings)),
        false => out!("{}", report(&findings)),
    }
    if findings.damaged == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    errln!(
        "the store is damaged: stop the server, put the damaged store aside, and take the last export into an empty one with `dialback import FILE`"
    );
    Ok(ExitCode::FAILURE)
}

fn report(findings: &Findings) -> String {
    let Findings { records, due, entries, bytes, damaged, damage, notes } = findings;
    let all: u64 = records.values().sum();
    let mut text = format!("{all} records, {due} due, {entries} lines of listings, {}\n", HumanBytes(*bytes));
    notes.iter().for_each(|note| text += &format!("note: {note}\n"));
    damage.iter().for_each(|what| text += &format!("damaged: {what}\n"));
    match damaged.saturating_sub(damage.len() as u64) {
        0 => {}
        more => text += &format!("damaged: {more} more\n"),
    }
    text + if *damaged == 0 { "ok\n" } else { "" }
}

async fn stats(place: &Place, json: bool) -> anyhow::Result<ExitCode> {
    let bar = progress("counting", None);
    let told = {
        let bar = bar.clone();
        move |records| bar.set_position(records)
    };
    let census: Census = match place {
        Place::Store(store) => inspect::census(&**store, &told).await?,
        Place::Server(client) => {
            let done = client.told(Method::POST, "/operator/store/stats").await?.done(told).await?;
            serde_json::from_value(done).context("the server's answer")?
        }
    };
    bar.finish_and_clear();
    match json {
        true => outln!("{:#}", json!(census)),
        false => out!("{}", table(&census)),
    }
    Ok(ExitCode::SUCCESS)
}

fn table(census: &Census) -> String {
    let mut text = format!("{:<16} {:>12} {:>12}  {:<20}  newest\n", "kind", "records", "bytes", "oldest");
    let time = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), |at| format!("{at:.0}"));
    for (name, of) in &census.kinds {
        let bytes = HumanBytes(of.bytes).to_string();
        let (oldest, newest) = (time(of.oldest), time(of.newest));
        text += &format!("{name:<16} {:>12} {bytes:>12}  {oldest:<20}  {newest}\n", of.records);
    }
    let Census { commits, conflicts, groups, bytes_on_disk, .. } = census;
    text += &format!("on disk {}\n", HumanBytes(*bytes_on_disk));
    text + &format!("since it was opened: {commits} commits in {groups} flushes, {conflicts} conflicts\n")
}

async fn compact(place: &Place, in_database: bool) -> anyhow::Result<ExitCode> {
    let bar = progress("compacting", None);
    let Sizes { before, after } = match place {
        Place::Store(store) => {
            let (before, after) = inspect::compact(&**store).await?;
            Sizes { before, after }
        }
        Place::Server(client) => {
            let done = client.told(Method::POST, "/operator/store/compact").await?.done(|_| ()).await?;
            serde_json::from_value(done).context("the server's answer")?
        }
    };
    bar.finish_and_clear();
    outln!("{} before, {} after", HumanBytes(before), HumanBytes(after));
    if in_database {
        errln!(
            "the indexes and the tables of empty months were given back to the disk; what else was deleted is room \
             for new records. PostgreSQL gives that back only by VACUUM FULL dialback_record, which locks the table \
             while it is written anew and needs as much room again (pg_repack does it without the lock)"
        );
    }
    Ok(ExitCode::SUCCESS)
}
