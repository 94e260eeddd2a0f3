//! `dialback limits`: what is used of the limits of a number, an address, a key or a budget,
//! and forgetting it. It refuses to know the rules.

use super::Global;
use super::client::{Client, Target};
use super::out::{errln, outln};
use super::serve::offline;
use crate::app::admission::{self, Named, Whose};
use crate::model::audit::Actor;
use crate::model::limits::Used;
use crate::model::phone::mask;
use serde_json::{Value, json};
use std::process::ExitCode;

/// Arguments of `dialback limits`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show what is used, until when, by rule
    Show {
        /// A number in international form, an IP address, the id of an API key or service, a
        /// country (DE), or whole
        #[arg(value_name = "NUMBER|IP|KEY|COUNTRY|SERVICE|whole")]
        whose: String,
        /// Print JSON, as the API answers
        #[arg(long)]
        json: bool,
    },
    /// Forget what is used, as if nothing had been
    Reset {
        /// A number in international form, an IP address, the id of an API key or service, a
        /// country (DE), or whole
        #[arg(value_name = "NUMBER|IP|KEY|COUNTRY|SERVICE|whole")]
        whose: String,
    },
}

/// Runs the command.
///
/// # Errors
/// What stopped it, in words for the person at the terminal.
pub async fn run(global: &Global, args: Args) -> anyhow::Result<ExitCode> {
    let config = super::configured::load(global)?.config;
    let client = Client::find(&args.target, &config).await?;
    match args.command {
        Command::Show { whose, json } => {
            let found = match client {
                Some(client) => client.post("/v1/limits/search", &body(&whose)).await?.done()?,
                None => {
                    let (app, store) = offline(&config).await?;
                    let found = show_offline(&app.admission, &whose).await;
                    store.close().await;
                    json!({ "limits": found? })
                }
            };
            let used = found["limits"].as_array().cloned().unwrap_or_default();
            match json {
                true => outln!("{found:#}"),
                false if used.is_empty() => errln!("nothing is used of the limits of {}", shown(&whose)),
                false => used.iter().for_each(|one| outln!("{}", line(one))),
            }
        }
        Command::Reset { whose } => {
            let was_any = match client {
                Some(client) => {
                    client.post("/v1/limits/reset", &body(&whose)).await?.done()?["reset"] == true
                }
                None => {
                    let (app, store) = offline(&config).await?;
                    let was_any = reset_offline(&app.admission, &whose).await;
                    store.close().await;
                    was_any?
                }
            };
            match was_any {
                true => errln!("what was used of the limits of {} is forgotten", shown(&whose)),
                false => errln!("nothing was used of the limits of {}", shown(&whose)),
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn show_offline(admission: &admission::Admission, text: &str) -> anyhow::Result<Vec<Used>> {
    let whose = admission::whose(admission, text)?;
    Ok(admission::limits_of(admission, &whose).await?)
}

async fn reset_offline(admission: &admission::Admission, text: &str) -> anyhow::Result<bool> {
    let whose: Whose = admission::whose(admission, text)?;
    Ok(admission::reset_limits(admission, &Actor::operator(), &whose).await?)
}

/// Whose it is, in the API's words.
fn body(whose: &str) -> Value {
    match admission::named_by(whose) {
        Named::Number(number) => json!({ "number": number }),
        Named::Address(address) => json!({ "ip": address.to_string() }),
        Named::Key(key) => json!({ "key": key }),
        Named::Country(country) => json!({ "country": country }),
        Named::Service(service) => json!({ "service": service }),
        Named::Whole => json!({ "whole": true }),
    }
}

fn shown(whose: &str) -> String {
    if whose.starts_with('+') { mask(whose) } else { whose.to_owned() }
}

fn line(one: &Value) -> String {
    let text = |name: &str| one[name].as_str().unwrap_or("").to_owned();
    let rule = match text("part") {
        part if part.is_empty() => text("rule"),
        part => format!("{} ({part})", text("rule")),
    };
    let dollars = &one["dollars"];
    let of = match (dollars["max"].as_str(), one["max"].as_u64()) {
        (Some(max), _) => format!(" of {max} dollars"),
        (None, Some(max)) => format!(" of {max}"),
        (None, None) => String::new(),
    };
    let used = dollars["used"].as_str().map_or_else(|| one["used"].to_string(), str::to_owned);
    let span = match one["seconds"].as_u64() {
        Some(60) => "minute".to_owned(),
        Some(3600) => "hour".to_owned(),
        Some(86_400) => "day".to_owned(),
        seconds => format!("{} seconds", seconds.unwrap_or(0)),
    };
    let until = match one["retry_at"].as_str() {
        Some(at) => format!("full until {at:.19}"),
        None => format!("forgotten {:.19}", text("until")),
    };
    format!("{rule}: {used}{of} in this {span}, {until}")
}
