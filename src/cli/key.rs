//! `dialback key`: API keys for applications.

use super::Global;
use super::client::{Client, Target};
use super::kept::store_dir;
use super::out::{errln, out, outln};
use super::serve::parts::{directory, service_id};
use super::serve::{open_existing, open_store};
use crate::app::admin::{all_keys, create_key_in, revoke_key_in};
use crate::config::Config;
use crate::entropy::Entropy;
use crate::model::audit::Actor;
use crate::model::id::ServiceId;
use crate::model::key::{Access, ApiKey, Scope, ServiceSet};
use crate::model::service::Service;
use crate::store::{Kind, Maintenance, records};
use anyhow::{Context, bail};
use clap::ValueEnum;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeSet;
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
        /// What it may do; repeat it for more [default: send, check and read]
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<ScopeArg>,
        /// A service that it is for, by its id, its name, or its key in the configuration;
        /// repeat it for more [default: all, those to come too]
        #[arg(long = "service", value_name = "SERVICE")]
        services: Vec<String>,
        #[command(flatten)]
        target: Target,
    },
    /// List the API keys, without their secrets
    List {
        /// Print JSON, as the API answers
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        target: Target,
    },
    /// Take an API key away; the next request that shows it is refused
    Revoke {
        /// Its id: the 12 digits after `dbk_`
        id: String,
        #[command(flatten)]
        target: Target,
    },
}

/// What a key may do.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum ScopeArg {
    /// Start verifications and send again
    Send,
    /// Offer codes that people typed
    Check,
    /// Approve verifications whose code the application chose
    Approve,
    /// Send messages of their own, and see and change these
    Message,
    /// See verifications, deliveries and settings
    Read,
    /// Everything that the other scopes allow, and more: services, keys, erasing
    Admin,
}

/// Keys shown at once by the server, and the most pages that are asked for.
const PAGE: usize = 100;
const MOST_PAGES: usize = 100;

/// Runs the command.
///
/// # Errors
/// What stopped it, in words for the person at the terminal.
pub async fn run(global: &Global, args: Args) -> anyhow::Result<ExitCode> {
    let config = super::configured::load(global)?.config;
    match args.command {
        Command::Create { name, scopes, services, target } => {
            anyhow::ensure!(
                ApiKey::is_name(&name),
                "a key needs a name of 1 to 64 characters, such as the application that will use it"
            );
            outln!("{}", create(&config, &target, &name, scopes_of(&scopes), &services).await?);
            errln!("this is the only time the key is shown: keep it where your application's secrets are");
        }
        Command::List { json, target } => {
            let keys = list(&config, &target).await?;
            if json { outln!("{:#}", json!({ "keys": keys })) } else { out!("{}", table(&keys)) }
        }
        Command::Revoke { id, target } => {
            revoke(&config, &target, &id).await?;
            errln!("{id} is revoked");
        }
    }
    Ok(ExitCode::SUCCESS)
}

// The running server holds the store, so it is asked; without one the store is
// opened here.

async fn create(
    config: &Config,
    target: &Target,
    name: &str,
    scopes: BTreeSet<Scope>,
    services: &[String],
) -> anyhow::Result<String> {
    if let Some(client) = Client::find(target, config).await? {
        let scopes: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
        let mut request = json!({ "name": name, "scopes": scopes });
        if !services.is_empty() {
            // The server knows those that were made through the API by their names.
            request["services"] = json!(services);
        }
        let made = client.post("/v1/keys", &request).await?.done()?;
        return Ok(made["key"].as_str().context("the server's answer holds no key")?.to_owned());
    }
    // It would be shown, and be nobody's.
    if store_dir(config).is_none() {
        bail!("store.url = \"memory:\" forgets a key at once: give the server one in DIALBACK_API_KEY");
    }
    // A name that nobody knows is no reason to make a store.
    if let Some(unknown) = services.iter().find_map(|name| service_id(config, name).err())
        && store_dir(config).is_some_and(|dir| !dir.exists())
    {
        return Err(unknown);
    }
    let (store, _) = open_store(config).await?;
    let made = match services_of(config, &*store, services).await {
        Ok(services) => {
            let access = Access { scopes, services };
            let (entropy, actor) = (Entropy::system(), Actor::operator());
            create_key_in(&*store, &entropy, &actor, name, access, Timestamp::now()).await.map_err(Into::into)
        }
        Err(error) => Err(error),
    };
    store.close().await;
    Ok(made?.1.expose().to_owned())
}

/// The services that are meant. One that is neither in the configuration nor in
/// the store is refused: a key for it would open nothing.
async fn services_of(
    config: &Config,
    store: &dyn Maintenance,
    named: &[String],
) -> anyhow::Result<ServiceSet> {
    if named.is_empty() {
        return Ok(ServiceSet::all());
    }
    let directory = directory(config, Timestamp::now());
    let mut ids = BTreeSet::new();
    for name in named {
        let id = match service_id(config, name) {
            Ok(id) => id,
            Err(unknown) => match stored_named(store, name).await?.as_slice() {
                [id] => id.clone(),
                [] => return Err(unknown),
                _ => bail!("several services are called {name:?}: name one by its id, VA…"),
            },
        };
        let is_configured = directory.of_configuration().any(|service| service.id == id);
        if !is_configured && records::get::<Service>(store, id.as_str()).await?.is_none() {
            bail!("there is no service {id}");
        }
        ids.insert(id);
    }
    Ok(ServiceSet::of(ids))
}

/// The services of a store that have a name.
async fn stored_named(store: &dyn Maintenance, name: &str) -> anyhow::Result<Vec<ServiceId>> {
    let (mut found, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = store.walk(Kind::Service, after.as_deref(), PAGE).await?;
        for (id, _) in &page {
            let service = records::get::<Service>(store, id).await?;
            found.extend(service.filter(|it| it.record.settings.name == name).map(|it| it.record.id));
        }
        match page.into_iter().last() {
            Some((id, _)) => after = Some(id),
            None => return Ok(found),
        }
    }
}

async fn list(config: &Config, target: &Target) -> anyhow::Result<Vec<Value>> {
    let Some(client) = Client::find(target, config).await? else {
        let (store, _) = open_existing(config).await?;
        let found = all_keys(&*store).await;
        store.close().await;
        return Ok(found?.iter().map(line).collect());
    };
    let (mut keys, mut cursor) = (Vec::new(), String::new());
    for _ in 0..MOST_PAGES {
        let page = client.get(&format!("/v1/keys?limit={PAGE}{cursor}")).await?.done()?;
        keys.extend(page["keys"].as_array().into_iter().flatten().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    Ok(keys)
}

async fn revoke(config: &Config, target: &Target, id: &str) -> anyhow::Result<()> {
    let is_id = id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    // A whole key would end up in logs and histories.
    anyhow::ensure!(is_id, "a key's id is the 12 digits after dbk_; `dialback key list` shows them");
    if let Some(client) = Client::find(target, config).await? {
        client.delete(&format!("/v1/keys/{id}")).await?.done()?;
        return Ok(());
    }
    let (store, _) = open_existing(config).await?;
    let revoked = revoke_key_in(&*store, &Entropy::system(), &Actor::operator(), id, Timestamp::now()).await;
    store.close().await;
    revoked.with_context(|| format!("no key has the id {id}"))
}

fn line(key: &ApiKey) -> Value {
    let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.as_str()).collect();
    json!({
        "id": key.id,
        "name": key.name,
        "scopes": scopes,
        "services": key.services.bound(),
        "created_at": key.created_at,
    })
}

fn table(keys: &[Value]) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut lines = String::new();
    for key in keys {
        let words = |field: &str| {
            let words: Vec<String> = key[field].as_array().into_iter().flatten().map(text).collect();
            words.join(",")
        };
        let (id, made, name) = (text(&key["id"]), text(&key["created_at"]), text(&key["name"]));
        let services = if key["services"].is_null() { "all services".to_owned() } else { words("services") };
        lines += &format!("{id}  {made:.19}  {:<30}  {name}  ({services})\n", words("scopes"));
    }
    lines
}

fn scopes_of(named: &[ScopeArg]) -> BTreeSet<Scope> {
    let scope = |arg: &ScopeArg| match arg {
        ScopeArg::Send => Scope::Send,
        ScopeArg::Check => Scope::Check,
        ScopeArg::Approve => Scope::Approve,
        ScopeArg::Message => Scope::Message,
        ScopeArg::Read => Scope::Read,
        ScopeArg::Admin => Scope::Admin,
    };
    if named.is_empty() { Scope::of_an_application() } else { named.iter().map(scope).collect() }
}
