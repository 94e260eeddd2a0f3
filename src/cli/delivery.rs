//! `dialback delivery`: what became of a message or call, for a person.

mod timeline;

use super::Global;
use super::client::{Client, Target, store_dir};
use super::out::{out, outln};
use super::serve::open_store;
use crate::config::StoreUrl;
use crate::http::delivery_view;
use crate::model::id::{DeliveryId, Sid};
use crate::service::{ServiceError, find_delivery};
use anyhow::{bail, ensure};
use std::process::ExitCode;

/// Arguments of `dialback delivery`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Twilio's SID (SM…, MM…, CA…), or the delivery's id (DL…)
    sid: String,
    /// Print JSON, as the API answers
    #[arg(long)]
    json: bool,
    /// Show numbers in full
    #[arg(long)]
    full_numbers: bool,
    #[command(flatten)]
    target: Target,
}

/// Runs the command.
///
/// # Errors
/// What stopped it, in words for the person at the terminal.
pub async fn run(global: &Global, args: Args) -> anyhow::Result<ExitCode> {
    ensure!(
        args.sid.parse::<Sid>().is_ok() || args.sid.parse::<DeliveryId>().is_ok(),
        "{} is no message or call: SM, MM, CA or DL, and 32 hexadecimal digits",
        args.sid
    );
    let config = super::config::load(global)?.config;
    let found = match Client::find(&args.target, &config).await? {
        Some(client) => {
            let answer = client.get(&format!("/v1/deliveries/{}", args.sid)).await?;
            if answer.status == 404 { None } else { Some(answer.done()?) }
        }
        None => {
            // To look is no reason to make a store.
            if let Some(dir) = store_dir(&config)
                .filter(|dir| matches!(config.store.url, StoreUrl::Sled(_)) && !dir.exists())
            {
                bail!("no server is running, and {} is no store: name the server's --config", dir.display());
            }
            let (store, _) = open_store(&config).await?;
            let found = find_delivery(&*store, &args.sid).await;
            store.close().await;
            match found {
                Ok(found) => Some(delivery_view(&found)),
                Err(ServiceError::NotFound) => None,
                Err(error) => return Err(error.into()),
            }
        }
    };
    let Some(found) = found else {
        bail!(
            "nothing is known of {}: no callback came and no send was recorded; \
             is its StatusCallback one of `dialback urls`?",
            args.sid
        );
    };
    if args.json {
        outln!("{found:#}");
    } else {
        out!("{}", timeline::text(&found, args.full_numbers));
    }
    Ok(ExitCode::SUCCESS)
}
