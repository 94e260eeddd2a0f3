//! `dialback key`: API keys.

use super::Global;
use super::client::{Client, Target, store_dir};
use super::serve::open_store;
use crate::entropy::Entropy;
use crate::service::create_key;
use anyhow::{Context, bail};
use jiff::Timestamp;
use serde_json::json;
use std::process::ExitCode;

/// Arguments of `dialback key`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make an API key and show it, this once
    Create {
        /// What to call it, such as the application that will use it
        name: String,
        #[command(flatten)]
        target: Target,
    },
}

/// Runs the command.
///
/// # Errors
/// What stopped it, in words for the person at the terminal.
pub async fn run(global: &Global, args: Args) -> anyhow::Result<ExitCode> {
    let Command::Create { name, target } = args.command;
    let config = super::config::load(global)?.config;
    // The running server holds the store; it is asked to make the key.
    let shown = match Client::find(&target, &config).await? {
        Some(client) => {
            let made = client.post("/v1/keys", &json!({ "name": name })).await?.done()?;
            made["key"].as_str().context("the server's answer holds no key")?.to_owned()
        }
        // It would be shown, and be nobody's.
        None if store_dir(&config).is_none() => {
            bail!("store.url = \"memory:\" forgets a key at once: give the server one in DIALBACK_API_KEY")
        }
        None => {
            let (store, _) = open_store(&config)?;
            let made = create_key(&*store, &Entropy::system(), &name, Timestamp::now()).await;
            store.close().await;
            made?.1.expose().to_owned()
        }
    };
    println!("{shown}");
    eprintln!("this is the only time the key is shown: keep it where your application's secrets are");
    Ok(ExitCode::SUCCESS)
}
