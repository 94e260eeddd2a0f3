//! `dialback fraud`: what was decided about requests for codes, in words: as a report, as
//! another policy would have had it, and one by one.
//!
//! A running server is asked; where none runs, its store is read.

mod ask;
mod explain;
mod figures;
mod replay;
mod report;

use self::ask::{Asked, Times};
use super::Global;
use super::client::Target;
use super::moment::{Moment, moment};
use super::out::{errln, out, outln};
use crate::config::fraud_policy;
use crate::model::fraud::Dimension;
use crate::model::fraud::FraudChanges;
use crate::model::phone::mask;
use anyhow::Context;
use jiff::Timestamp;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `dialback fraud`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show what was sent and what not, by rule, country, range and more, with its cost
    Report {
        #[command(flatten)]
        stretch: Stretch,
        /// One table alone: rule, country, range, address, service, channel or face
        #[arg(long)]
        by: Option<Dimension>,
        /// Rows of each table
        #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
        rows: u16,
        /// Print JSON, as the API answers
        #[arg(long)]
        json: bool,
    },
    /// Try another policy over recorded traffic, and show what would have been otherwise
    Replay {
        /// A file of TOML with [fraud], as in the configuration
        #[arg(long, value_name = "FILE")]
        policy: PathBuf,
        #[command(flatten)]
        stretch: Stretch,
        /// Print JSON, as the API answers
        #[arg(long)]
        json: bool,
    },
    /// Say what was decided, why, what became of it, and what can be done
    Explain {
        /// A verification (VE…), a number in international form, or a decision's id
        #[arg(value_name = "VE…|NUMBER|DECISION")]
        name: String,
        /// How many at most, the newest first
        #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=100))]
        limit: u16,
        /// Print JSON, as the API answers
        #[arg(long)]
        json: bool,
    },
}

/// Which time.
#[derive(Debug, clap::Args)]
struct Stretch {
    /// From when on: so long ago, as 7d, 12h or 30m, or a time [default: 7d]
    #[arg(long, value_name = "SPAN|TIME", value_parser = moment)]
    since: Option<Moment>,
    /// Until when, written likewise [default: now]
    #[arg(long, value_name = "SPAN|TIME", value_parser = moment)]
    until: Option<Moment>,
}

impl Stretch {
    /// From when until when; nothing where the server knows better.
    fn times(&self) -> anyhow::Result<Times> {
        let now = Timestamp::now();
        let at = |moment: Moment| moment.at(now);
        let times = Times { since: self.since.map(at), until: self.until.map(at) };
        let is_backwards = times.since.is_some_and(|since| since >= times.until.unwrap_or(now));
        anyhow::ensure!(
            !is_backwards,
            "--since is not before --until: write a time before it, as in --since 7d"
        );
        Ok(times)
    }
}

/// Runs the command.
///
/// # Errors
/// What stopped it, in words for the person at the terminal.
pub async fn run(global: &Global, args: Args) -> anyhow::Result<ExitCode> {
    let config = super::configured::load(global)?.config;
    match args.command {
        Command::Report { stretch, by, rows, json } => {
            let times = stretch.times()?;
            let found = Asked::Report { times, rows }.answer(&args.target, &config).await?;
            match json {
                true => outln!("{found:#}"),
                false => out!("{}", report::text(&found, by)),
            }
        }
        Command::Replay { policy, stretch, json } => {
            let times = stretch.times()?;
            let changes = read(&policy)?;
            let found = Asked::Replay { times, changes }.answer(&args.target, &config).await?;
            match json {
                true => outln!("{found:#}"),
                false => out!("{}", replay::text(&found, &policy.display().to_string())),
            }
        }
        Command::Explain { name, limit, json } => {
            return explained(&args.target, &config, &name, limit, json).await;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn explained(
    target: &Target,
    config: &crate::config::Config,
    name: &str,
    limit: u16,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let found = Asked::of(name, limit)?.answer(target, config).await?;
    let decisions = match found["decisions"].as_array() {
        Some(decisions) => decisions.clone(),
        None => vec![found.clone()],
    };
    let is_more = found["next_cursor"].is_string();
    if decisions.is_empty() && !json {
        errln!(
            "nothing is known to have been decided about {}: a decision is there some seconds after it was taken, \
             and for retention.decisions_days",
            shown(name)
        );
        return Ok(ExitCode::FAILURE);
    }
    match json {
        true => outln!("{:#}", json!({ "decisions": decisions })),
        false => {
            if decisions.len() > 1 || is_more {
                outln!("{}, the newest first\n", shown(name));
            }
            out!("{}", explain::text(&decisions, is_more));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A policy to be tried.
fn read(path: &Path) -> anyhow::Result<FraudChanges> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(fraud_policy(&path.display().to_string(), &text)?)
}

/// What was asked for, as it may be shown.
fn shown(name: &str) -> String {
    if name.starts_with("VE") { name.to_owned() } else { mask(name) }
}
