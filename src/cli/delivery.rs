//! `dialback delivery`: what became of a message or call, or of all to a number
//! or of a verification, for a person.

mod list;
mod timeline;

use super::Global;
use super::client::{Client, Target};
use super::out::{out, outln};
use super::serve::{open_existing, parts};
use crate::app::Window;
use crate::app::fault::Fault;
use crate::app::messaging::{DeliveryFilter, MessagingError, find_delivery, is_shadow, list_deliveries};
use crate::config::Config;
use crate::http::delivery_view;
use crate::model::id::{DeliveryId, Sid, VerificationId};
use crate::model::phone::mask;
use crate::store::Maintenance;
use anyhow::bail;
use serde_json::{Value, json};
use std::process::ExitCode;
use std::sync::Arc;

/// Arguments of `dialback delivery`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Twilio's SID (SM…, MM…, CA…), the delivery's id (DL…), a verification
    /// (VE…), or a telephone number in any writing
    #[arg(value_name = "SID|ID|NUMBER")]
    name: String,
    /// How many to list at most, the newest first
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=100))]
    limit: u16,
    /// Print JSON, as the API answers
    #[arg(long)]
    json: bool,
    /// Show numbers in full
    #[arg(long)]
    full_numbers: bool,
    #[command(flatten)]
    target: Target,
}

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    /// One message or call.
    One(String),
    /// Those of a verification.
    Of(VerificationId),
    /// Those to a number or an address.
    To(String),
}

/// Runs the command.
///
/// # Errors
/// What stopped it, in words for the person at the terminal.
pub async fn run(global: &Global, args: Args) -> anyhow::Result<ExitCode> {
    let wanted = Wanted::read(&args.name)?;
    let config = super::configured::load(global)?.config;
    let found = match Client::find(&args.target, &config).await? {
        Some(client) => wanted.ask(&client, args.limit).await?,
        None => wanted.look_up(&config, args.limit).await?,
    };
    let Some(found) = found else { bail!("{}", wanted.nothing()) };
    match (args.json, &wanted) {
        (true, _) => outln!("{found:#}"),
        (false, Wanted::One(_)) => out!("{}", timeline::text(&found, args.full_numbers)),
        (false, _) => out!("{}", list::text(&found, args.full_numbers)),
    }
    Ok(ExitCode::SUCCESS)
}

impl Wanted {
    fn read(name: &str) -> anyhow::Result<Self> {
        let name = name.trim();
        if name.parse::<Sid>().is_ok() || name.parse::<DeliveryId>().is_ok() {
            return Ok(Self::One(name.to_owned()));
        }
        if let Ok(id) = name.parse() {
            return Ok(Self::Of(id));
        }
        // Numbers have digits first, addresses of other channels a colon.
        if name.is_empty() || name.starts_with(|c: char| c.is_alphabetic()) && !name.contains(':') {
            bail!(
                "{name:?} is no message, call, verification or number: give SM, MM, CA, DL or VE and 32 hexadecimal \
                 digits, or a number like +14155550123"
            );
        }
        Ok(Self::To(name.to_owned()))
    }

    /// Asks the server.
    async fn ask(&self, client: &Client, limit: u16) -> anyhow::Result<Option<Value>> {
        // A number stands in the body: what stands in a URL is kept by logs.
        let answer = match self {
            Self::One(name) => client.get(&format!("/v1/deliveries/{name}")).await?,
            Self::Of(id) => client.get(&format!("/v1/deliveries?limit={limit}&verification={id}")).await?,
            Self::To(to) => {
                client.post("/v1/deliveries/search", &json!({ "limit": limit, "to": to })).await?
            }
        };
        if answer.status == 404 {
            return Ok(None);
        }
        let found = answer.done()?;
        Ok(Some(found).filter(|found| !is_empty_page(found)))
    }

    /// Looks into the store, where no server runs.
    async fn look_up(&self, config: &Config, limit: u16) -> anyhow::Result<Option<Value>> {
        let (store, _) = open_existing(config).await?;
        let found = self.look_into(&store, config, limit).await;
        store.close().await;
        match found {
            Ok(found) => Ok(Some(found).filter(|found| !is_empty_page(found))),
            Err(MessagingError::Fault(Fault::NotFound)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn look_into(
        &self,
        store: &Arc<dyn Maintenance>,
        config: &Config,
        limit: u16,
    ) -> Result<Value, MessagingError> {
        let filter = match self {
            Self::One(name) => {
                let found = find_delivery(&**store, name).await?;
                let mut shown = delivery_view(&found);
                if is_shadow(&**store, &found).await? {
                    shown["shadow_blocked"] = json!(true);
                }
                return Ok(shown);
            }
            Self::Of(id) => DeliveryFilter { verification: Some(id.clone()), ..DeliveryFilter::default() },
            Self::To(to) => DeliveryFilter { to: Some(to.clone()), ..DeliveryFilter::default() },
        };
        let window = Window { limit: usize::from(limit), after: None };
        let page = list_deliveries(&**store, &parts::numbers(config), &filter, &window).await?;
        let deliveries: Vec<Value> = page.items.iter().map(delivery_view).collect();
        Ok(json!({ "deliveries": deliveries, "next_cursor": null }))
    }

    /// That nothing was found, and what may be the reason.
    fn nothing(&self) -> String {
        match self {
            Self::One(name) => format!(
                "nothing is known of {name}: no callback came and no send was recorded; \
                 is its StatusCallback one of `dialback urls`?"
            ),
            Self::Of(id) => {
                format!("nothing is known of {id}: it was never begun here, or is no longer kept")
            }
            Self::To(to) => format!(
                "nothing is known to {}: nothing was sent there, and no callback about it came",
                mask(to)
            ),
        }
    }
}

fn is_empty_page(found: &Value) -> bool {
    found["deliveries"].as_array().is_some_and(Vec::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_names_a_delivery_is_understood() {
        let of = |kind: &str| format!("{kind}0123456789abcdef0123456789abcd00");
        for kind in ["SM", "MM", "CA", "DL"] {
            assert_eq!(Wanted::read(&of(kind)).unwrap(), Wanted::One(of(kind)));
        }
        assert_eq!(Wanted::read(&of("VE")).unwrap(), Wanted::Of(of("VE").parse().unwrap()));
        for number in ["+14155550123", "(415) 555-0123", "whatsapp:+14155550123", "٠١٥١", "12345"] {
            assert_eq!(Wanted::read(number).unwrap(), Wanted::To(number.into()));
        }
        for wrong in ["", "SM12", "hello", "VA0123456789abcdef0123456789abcdef"] {
            assert!(Wanted::read(wrong).is_err(), "{wrong}");
        }
    }
}
