//! `dialback erase`: a person's data, everywhere, with a receipt.

use super::Global;
use super::client::{Client, Target};
use super::out::{out, outln};
use super::serve::{offline, open_existing};
use crate::app::privacy::{self, EraseOptions};
use crate::config::Config;
use crate::http::erasure_view;
use crate::model::audit::Actor;
use crate::model::id::ErasureId;
use anyhow::{Context, ensure};
use serde_json::{Value, json};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Arguments of `dialback erase`.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["number", "receipt"])))]
pub struct Args {
    /// The number, such as +14155550123
    number: Option<String>,
    /// Show the receipt of an erasure that was begun earlier
    #[arg(long, value_name = "ID")]
    receipt: Option<String>,
    /// Erase opt-outs too; else they are kept, so that nobody writes to the person again
    #[arg(long)]
    opt_outs: bool,
    /// Delete Twilio's own records of messages and calls, beyond what was said in them
    #[arg(long)]
    delete_at_twilio: bool,
    /// Seconds to wait until it is done; it goes on without us
    #[arg(long, default_value_t = 60, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(0..=86_400))]
    wait: u64,
    /// Print the receipt as JSON, as the API answers
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

/// How often the running server is asked how far it is.
const POLL: Duration = Duration::from_millis(200);

/// Runs the command. What is left makes it fail, though it is tried again.
///
/// # Errors
/// What stopped it, in words for the person at the terminal.
pub async fn run(global: &Global, args: Args) -> anyhow::Result<ExitCode> {
    let config = super::configured::load(global)?.config;
    let receipt = match Client::find(&args.target, &config).await? {
        Some(client) => by_server(&client, &args).await?,
        None => by_hand(&config, &args).await?,
    };
    match args.json {
        true => outln!("{receipt:#}"),
        false => out!("{}", text(&receipt)),
    }
    Ok(if receipt["status"] == "done" { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn by_server(client: &Client, args: &Args) -> anyhow::Result<Value> {
    let id = match (&args.receipt, &args.number) {
        (Some(id), _) => id.clone(),
        (None, number) => {
            let body = json!({
                "number": number,
                "opt_outs": args.opt_outs,
                "delete_at_twilio": args.delete_at_twilio,
            });
            let begun = client.post("/v1/erasures", &body).await?.done()?;
            begun["id"].as_str().context("the server's answer holds no erasure")?.to_owned()
        }
    };
    ensure!(id.parse::<ErasureId>().is_ok(), "an erasure's id is ER and 32 hexadecimal digits");
    let deadline = Instant::now() + Duration::from_secs(args.wait);
    loop {
        let receipt = client.get(&format!("/v1/erasures/{id}")).await?.done()?;
        let is_asked_only = args.receipt.is_some();
        if receipt["status"] != "running" || is_asked_only || Instant::now() >= deadline {
            return Ok(receipt);
        }
        tokio::time::sleep(POLL).await;
    }
}

/// No server runs, so the store is open to us, and what the job would do is
/// done here.
async fn by_hand(config: &Config, args: &Args) -> anyhow::Result<Value> {
    if let Some(id) = &args.receipt {
        let (store, _) = open_existing(config).await?;
        let found = crate::app::privacy::find_erasure(&*store, id).await;
        store.close().await;
        return Ok(erasure_view(&found.with_context(|| format!("no erasure has the id {id}"))?));
    }
    let (app, store) = offline(config).await?;
    let done = async {
        let options = EraseOptions { opt_outs: args.opt_outs, delete_at_twilio: args.delete_at_twilio };
        let number = args.number.as_deref().unwrap_or_default();
        let begun = privacy::erase(&app.privacy, &Actor::operator(), number, options).await?;
        let deadline = Instant::now() + Duration::from_secs(args.wait);
        loop {
            privacy::tend_erasure(&app.privacy, begun.id.as_str()).await?;
            let erasure = privacy::erasure(&app.base, &begun.id).await?;
            if erasure.next_at.is_none() || Instant::now() >= deadline {
                return Ok::<_, anyhow::Error>(erasure);
            }
            tokio::time::sleep(POLL).await;
        }
    };
    let erasure = done.await;
    store.close().await;
    Ok(erasure_view(&erasure?))
}

fn text(receipt: &Value) -> String {
    let word = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let mut out = format!("erasure   {}\n", word(receipt, "id"));
    let mut line = |name: &str, value: String| out += &format!("{name:<9} {value}\n");
    line("number", word(receipt, "number"));
    line("asked", format!("{:.19}", word(receipt, "asked_at")));
    line("status", word(receipt, "status").replace('_', " "));
    for (name, field) in [("deleted", "deleted"), ("taken out", "scrubbed")] {
        for (kind, count) in receipt[field].as_object().into_iter().flatten() {
            line(name, format!("{count:>6}  {}", kind.replace('_', " ")));
        }
    }
    line("redacted", format!("{:>6}  at twilio", receipt["redacted"]));
    for kept in receipt["kept"].as_array().into_iter().flatten() {
        line("kept", format!("{:>6}  {}: {}", kept["count"], word(kept, "what"), word(kept, "why")));
    }
    for left in receipt["left"].as_array().into_iter().flatten() {
        line("left", format!("{}: {}", word(left, "what"), word(left, "why")));
    }
    if let Some(at) = receipt["next_attempt_at"].as_str() {
        line("next", format!("{at:.19}, by the running server, or by this command"));
    }
    out
}
