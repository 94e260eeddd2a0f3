//! `dialback policy`: what is done about what did not arrive, as a table and one by one,
//! with what a service of the configuration does otherwise. That needs no server; for how
//! long one waits for news, it alone knows.

mod silence;

use super::Global;
use super::out::{out, outln};
use super::serve::parts::{self, service_id};
use crate::config::Config;
use crate::model::remedy::Remedy;
use crate::model::service::Service;
use crate::model::verification::{FAILOVER_AGAIN_AFTER, SEND_RETRY};
use crate::twilio::errors::{self, Disposition};
use crate::twilio::remedies::{self, Judged};
use anyhow::{anyhow, bail};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::process::ExitCode;
use std::sync::Arc;

/// Arguments of `dialback policy`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show what is done about which code, grouped by what is done
    Show {
        #[command(flatten)]
        of: Of,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Say what is done about a code or a status, and why
    Explain {
        /// A code of Twilio's (30007), an HTTP status (429), a status (undelivered, busy), or
        /// a fault of the network (not-connected, broken)
        #[arg(value_name = "CODE|STATUS")]
        what: String,
        #[command(flatten)]
        of: Of,
    },
    /// Show for how long the running server waits for news of a message, by country and
    /// channel, where a service goes by that (failover = "on-silence")
    Silence {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Whose policy it is.
#[derive(Debug, clap::Args)]
struct Of {
    /// The service of the configuration, by its key there, its name or its id
    /// [default: the one that requests without a service go to]
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// What stopped it, in words for the person at the terminal.
pub async fn run(global: &Global, args: Args) -> anyhow::Result<ExitCode> {
    let config = super::configured::load(global)?.config;
    match args.command {
        Command::Show { of, json } => {
            let service = of.service(&config)?;
            match json {
                true => outln!("{:#}", table(&service)),
                false => out!("{}", shown(&service)),
            }
        }
        Command::Silence { json } => {
            let silence = silence::asked(&config).await?;
            match json {
                true => outln!("{silence:#}"),
                false => out!("{}", silence::shown(&silence)),
            }
        }
        Command::Explain { what, of } => out!("{}", explained(&what, &*of.service(&config)?)?),
    }
    Ok(ExitCode::SUCCESS)
}

impl Of {
    fn service(&self, config: &Config) -> anyhow::Result<Arc<Service>> {
        let directory = parts::directory(config, Timestamp::now());
        let Some(name) = &self.service else {
            return Ok(directory.default_service().clone());
        };
        let id = service_id(config, name)?;
        let Some(service) = directory.of_configuration().find(|service| service.id == id) else {
            bail!(
                "{id} is no service of the configuration: see `services` there; what one of the API does otherwise is shown by `GET /v1/services/{id}`"
            );
        };
        Ok(service.clone())
    }
}

/// One line of the table.
struct Row {
    code: u32,
    name: &'static str,
    judged: Judged,
    /// What is done in the end.
    remedy: Remedy,
    /// Whether the service says so, and is heeded.
    is_own: bool,
}

impl Row {
    fn of(code: u32, service: &Service) -> Self {
        let judged = remedies::judged(code);
        let remedy = service.remedy(code, judged.remedy);
        let is_own = service.settings.remedies.get(&code.to_string()) == Some(&remedy);
        Self { code, name: errors::lookup(code).name, judged, remedy, is_own }
    }
}

/// Every code that is known, and what the service says of others.
fn rows(service: &Service) -> Vec<Row> {
    let own = service.settings.remedies.keys().filter_map(|code| errors::code(code));
    let codes: BTreeSet<u32> = remedies::codes().chain(own).collect();
    codes.into_iter().map(|code| Row::of(code, service)).collect()
}

fn table(service: &Service) -> Value {
    let codes: Vec<Value> = rows(service)
        .iter()
        .map(|row| {
            json!({
                "code": row.code, "name": row.name, "remedy": row.remedy, "of_table": row.judged.remedy,
                "known": row.judged.range.is_none(), "overridden": row.is_own, "why": row.judged.why,
            })
        })
        .collect();
    let words: Vec<Value> = remedies::words()
        .filter_map(|word| Some((word, remedies::judged_word(word)?)))
        .map(|(word, judged)| json!({ "status": word, "remedy": judged.remedy, "why": judged.why }))
        .collect();
    json!({ "service": service.settings.name, "codes": codes, "without_code": words })
}

/// The table as lines.
fn shown(service: &Service) -> String {
    let rows = rows(service);
    let mut out = String::new();
    // Writing to a string cannot fail.
    for remedy in Remedy::ALL {
        let _ = writeln!(out, "{remedy}: {}", done(remedy));
        for word in remedies::words() {
            if remedies::judged_word(word).is_some_and(|judged| judged.remedy == remedy) {
                let _ = writeln!(out, "  {word} (without a code)");
            }
        }
        for row in rows.iter().filter(|row| row.remedy == remedy) {
            let own = if row.is_own {
                format!(" (the service says so; else {})", row.judged.remedy)
            } else {
                String::new()
            };
            let _ = writeln!(out, "  {:<5}  {}{own}", row.code, row.name);
        }
        out.push('\n');
    }
    let _ = writeln!(
        out,
        "Other codes are judged by their range; `dialback policy explain CODE` says how, and why."
    );
    out
}

fn explained(what: &str, service: &Service) -> anyhow::Result<String> {
    if let Some(code) = errors::code(what) {
        return Ok(explained_code(code, service));
    }
    let word = what.trim().to_lowercase().replace('_', "-");
    let judged = remedies::judged_word(&word).ok_or_else(|| {
        let words: Vec<&str> = remedies::words().collect();
        anyhow!(
            "{what:?} is no code and no failure: write a number above 0, such as 30007 or 429, or one of {}",
            words.join(", ")
        )
    })?;
    Ok(format!("{word}, without a code\n{}", verdict(judged.remedy, judged.why)))
}

fn explained_code(code: u32, service: &Service) -> String {
    let row = Row::of(code, service);
    let meaning = errors::lookup(code);
    let mut out = String::new();
    let _ = writeln!(out, "{code}: {}", row.name);
    if let Some(means) = meaning.explanation() {
        let _ = writeln!(out, "{means}");
    }
    if row.is_own {
        let _ = writeln!(out, "{}", sentence(done(row.remedy)));
        let name = &service.settings.name;
        let _ = writeln!(out, "The service {name} says so (`remedies`); without that:");
    }
    out.push_str(&verdict(row.judged.remedy, row.judged.why));
    if row.is_own && row.remedy == Remedy::Again && row.judged.remedy != Remedy::Again {
        let _ = writeln!(out, "{}", schedule());
    }
    if service.settings.remedies.contains_key(&code.to_string()) && !row.is_own {
        let _ =
            writeln!(out, "What the service's `remedies` says is not heeded: nobody undoes a person's wish.");
    }
    match row.judged.range {
        // It is in no range that says anything.
        Some((_, u32::MAX)) => {
            let _ = writeln!(out, "This version does not know the code, nor others of its range.");
        }
        Some((from, to)) if code < 1000 => {
            let _ = writeln!(out, "It is an HTTP status, for where no code came; judged with {from}–{to}.");
        }
        Some((from, to)) => {
            let _ = writeln!(out, "This version does not know the code; judged by its range {from}–{to}.");
        }
        None if meaning.disposition == Disposition::None => {}
        None => {
            let _ = writeln!(out, "What to do: {}", meaning.advice());
        }
    }
    if code >= 1000 {
        let _ = writeln!(out, "{}", errors::docs(code));
    }
    out
}

/// What is done and why, and by which schedule.
fn verdict(remedy: Remedy, why: &str) -> String {
    let mut out = format!("{}, because {why}.\n", sentence(done(remedy)).trim_end_matches('.'));
    if remedy == Remedy::Again {
        let _ = writeln!(out, "{}", schedule());
    }
    out
}

fn schedule() -> String {
    format!(
        "What was not processed: each wait is drawn between {} s and a ceiling that doubles from {} to {} s (full \
         jitter), while the code lives. What did not arrive: once more after {} s, then by the next channel.",
        SEND_RETRY.least.as_secs(),
        SEND_RETRY.first.as_secs(),
        SEND_RETRY.most.as_secs(),
        FAILOVER_AGAIN_AFTER.as_secs()
    )
}

/// What a remedy does, in the words of a sentence.
fn done(remedy: Remedy) -> &'static str {
    match remedy {
        Remedy::Again => "it is sent again by the same way",
        Remedy::NextSender => "it is sent by the next sender of the channel, or else by the next channel",
        Remedy::NextChannel => "it is sent by the next channel",
        Remedy::NextSenderAndAlert => {
            "it is sent by the next sender of the channel, or else by the next channel, and the operator is told"
        }
        Remedy::NextChannelAndAlert => "it is sent by the next channel, and the operator is told",
        Remedy::Stop => "it is not sent again, and the person is told why",
        Remedy::StopAndAlert => "it is not sent again, and the operator is told",
        Remedy::OptOut => "it is not sent again, and the number counts as opted out of this sender",
    }
}

/// The same with a capital and a full stop.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}
