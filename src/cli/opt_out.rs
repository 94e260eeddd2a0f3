//! `dialback opt-out`: who does not want to be texted: list it, record it, forget
//! it. It refuses to know what an opt-out does.

use super::Global;
use super::client::{Client, Target};
use super::out::{errln, outln};
use super::serve::offline;
use crate::app::admission::{self, AdmissionError};
use crate::app::fault::Fault;
use crate::app::{App, Window};
use crate::config::Config;
use crate::model::audit::Actor;
use crate::model::opt_out::OptOut;
use crate::model::phone::mask;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use std::process::ExitCode;

/// Arguments of `dialback opt-out`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List what people told our senders, the newest first
    List {
        /// Only what this number said, in any writing
        #[arg(long, value_name = "NUMBER")]
        number: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=10_000))]
        limit: u16,
        /// Print JSON, as the API answers
        #[arg(long)]
        json: bool,
        /// Show numbers in full
        #[arg(long)]
        full_numbers: bool,
    },
    /// Record that somebody wants no more texts, who said so otherwise than by a text to us
    Add {
        /// The number in international form, or an address like whatsapp:+14155550123
        number: String,
        /// Which sender is meant: a number of ours, or a messaging service [default: the one that codes come from]
        #[arg(long, value_name = "SENDER")]
        sender: Option<String>,
    },
    /// Forget what a number said, as if it had never said it
    Remove {
        /// The number in international form, or an address like whatsapp:+14155550123
        number: String,
        /// Towards this sender alone [default: towards all]
        #[arg(long, value_name = "SENDER")]
        sender: Option<String>,
        /// Record that it came back instead [towards the sender that codes come from, if none is named]
        #[arg(long)]
        came_back: bool,
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
    let client = Client::find(&args.target, &config).await?;
    match args.command {
        Command::List { number, limit, json, full_numbers } => {
            let number = number.as_deref();
            let found = match client {
                Some(client) => asked(&client, number, limit.into()).await?,
                None => looked_up(&config, number, limit.into()).await?,
            };
            match json {
                true => outln!("{:#}", json!({ "opt_outs": found })),
                false => found.iter().for_each(|wish| outln!("{}", line(wish, full_numbers))),
            }
        }
        Command::Add { number, sender } => {
            set(&config, client, &number, sender.as_deref(), true).await?;
            errln!("{} gets no more texts", mask(&number));
        }
        Command::Remove { number, sender, came_back: true } => {
            set(&config, client, &number, sender.as_deref(), false).await?;
            errln!("{} gets texts again", mask(&number));
        }
        Command::Remove { number, sender, came_back: false } => {
            forget(&config, client, &number, sender.as_deref()).await?;
            errln!("what {} said is forgotten", mask(&number));
        }
    }
    Ok(ExitCode::SUCCESS)
}

// The running server holds the store, so it is asked; without one the store is
// opened here.

async fn asked(client: &Client, number: Option<&str>, limit: usize) -> anyhow::Result<Vec<Value>> {
    let (mut found, mut cursor) = (Vec::new(), None);
    while found.len() < limit {
        // In the body: what stands in a URL is kept by logs.
        let mut asked = json!({ "limit": PAGE });
        for (name, value) in [("number", number), ("cursor", cursor.as_deref())] {
            if let Some(value) = value {
                asked[name] = value.into();
            }
        }
        let page = client.post("/v1/opt-outs/search", &asked).await?.done()?;
        found.extend(page["opt_outs"].as_array().into_iter().flatten().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
    }
    found.truncate(limit);
    Ok(found)
}

async fn looked_up(config: &Config, number: Option<&str>, limit: usize) -> anyhow::Result<Vec<Value>> {
    on_store(config, async |app| {
        let (mut found, mut after) = (Vec::new(), None);
        while found.len() < limit {
            let window = Window { limit: PAGE, after };
            let page = admission::opt_outs(&app.admission, number, &window).await?;
            found.extend(page.items.iter().map(view));
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        found.truncate(limit);
        Ok(found)
    })
    .await
}

async fn set(
    config: &Config,
    client: Option<Client>,
    number: &str,
    sender: Option<&str>,
    opted_out: bool,
) -> anyhow::Result<()> {
    if let Some(client) = client {
        let body = json!({ "opted_out": opted_out, "sender": sender });
        client.put(&format!("/v1/opt-outs/{}", encoded(number)), &body).await?.done()?;
        return Ok(());
    }
    on_store(config, async |app| {
        admission::set_opt_out(&app.admission, &Actor::operator(), number, sender, opted_out).await
    })
    .await
}

async fn forget(
    config: &Config,
    client: Option<Client>,
    number: &str,
    sender: Option<&str>,
) -> anyhow::Result<()> {
    if let Some(client) = client {
        let sender = sender.map(|sender| format!("?sender={}", encoded(sender))).unwrap_or_default();
        let answer = client.delete(&format!("/v1/opt-outs/{}{sender}", encoded(number))).await?;
        anyhow::ensure!(answer.status != 404, "{}", nothing_said(number));
        answer.done()?;
        return Ok(());
    }
    let forgotten = on_store(config, async |app| {
        match admission::delete_opt_out(&app.admission, &Actor::operator(), number, sender).await {
            Err(AdmissionError::Fault(Fault::NotFound)) => Ok(false),
            done => done.map(|()| true),
        }
    });
    anyhow::ensure!(forgotten.await?, "{}", nothing_said(number));
    Ok(())
}

/// Does something on the store that no server has open, by the service's rules.
async fn on_store<T>(
    config: &Config,
    does: impl AsyncFnOnce(&App) -> Result<T, AdmissionError>,
) -> anyhow::Result<T> {
    let (app, store) = offline(config).await?;
    let done = does(&app).await;
    store.close().await;
    Ok(done?)
}

fn nothing_said(number: &str) -> String {
    format!("{} said nothing to that sender, or to any: `dialback opt-out list` shows who did", mask(number))
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn view(wish: &OptOut) -> Value {
    let OptOut { number, sender, opted_out, at } = wish;
    json!({ "number": number, "sender": sender, "opted_out": opted_out, "at": at })
}

fn line(wish: &Value, full_numbers: bool) -> String {
    let text = |name: &str| wish[name].as_str().unwrap_or("-");
    let number = if full_numbers { text("number").to_owned() } else { mask(text("number")) };
    let state = if wish["opted_out"] == true { "opted out" } else { "came back" };
    format!("{:.19}  {state}  {number:<14}  {}", text("at"), text("sender"))
}
