//! `dialback block` and `dialback allow`: who gets no codes, and whom nothing that looks like
//! fraud keeps from them. It refuses to know what an entry does.

use super::Global;
use super::client::{Client, Target};
use super::out::{errln, outln};
use super::serve::offline;
use super::until::{End, end};
use crate::app::admission::{self, AdmissionError, ListFilter, NamedTarget, NewEntry};
use crate::app::fault::Fault;
use crate::app::{App, Window};
use crate::config::Config;
use crate::model::audit::Actor;
use crate::model::channel::Channel;
use crate::model::lists::{Effect, ListEntry, ListLine};
use crate::model::phone::mask;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::process::ExitCode;

/// Arguments of `dialback block` and `dialback allow`.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    arg_required_else_help = true
)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    new: New,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Put somebody on the list; said again, the reason and the end are the new ones
    Add(New),
    /// List who is on it now, the newest first
    List(List),
    /// Take somebody from it
    Remove(Remove),
}

/// Whom a command is about.
#[derive(Debug, clap::Args)]
struct Whom {
    /// A number, a range like +4479* or +14155550000-+14155550999, a network like
    /// 203.0.113.0/24, or a country like DE
    #[arg(value_name = "NUMBER|RANGE|NETWORK|COUNTRY", required = true)]
    whom: Option<String>,
    /// Of a country: codes by this channel alone [default: by all]
    #[arg(long, value_name = "CHANNEL")]
    channel: Option<Channel>,
    /// Codes of this service alone, by its id, its name or its key in the configuration
    /// [default: of all]
    #[arg(long, value_name = "SERVICE")]
    service: Option<String>,
}

#[derive(Debug, clap::Args)]
struct New {
    #[command(flatten)]
    whom: Whom,
    /// Why, in words for other operators
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// When it stops: a time as in 2026-11-20T00:00:00Z, or how long from now, like 30m or 2d
    /// [default: when somebody takes it away]
    #[arg(long, value_name = "WHEN", value_parser = end)]
    end: Option<End>,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, clap::Args)]
struct List {
    /// Only what names such a thing
    #[arg(long, value_name = "KIND", value_parser = ["number", "range", "network", "country"])]
    kind: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=10_000))]
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

#[derive(Debug, clap::Args)]
struct Remove {
    #[command(flatten)]
    whom: Whom,
    #[command(flatten)]
    target: Target,
}

/// Lines shown at once by the server.
const PAGE: usize = 100;

/// Runs the command for the list of this effect.
///
/// # Errors
/// What stopped it, in words for the person at the terminal.
pub async fn run(global: &Global, effect: Effect, args: Args) -> anyhow::Result<ExitCode> {
    let config = super::configured::load(global)?.config;
    match (args.command, args.new) {
        (Some(Command::List(list)), _) => show(&config, effect, list).await?,
        (Some(Command::Remove(remove)), _) => take(&config, effect, remove).await?,
        (Some(Command::Add(new)), _) | (None, new) => add(&config, effect, new).await?,
    }
    Ok(ExitCode::SUCCESS)
}

// The running server holds the store, so it is asked; without one the store is
// opened here.

async fn add(config: &Config, effect: Effect, new: New) -> anyhow::Result<()> {
    let named = new.whom.named();
    let made = match Client::find(&new.target, config).await? {
        Some(client) => {
            let ends_at = new.end.map(|end| end.after(Timestamp::now())).transpose()?;
            let mut body = fields(&named);
            body["effect"] = effect.as_str().into();
            body["service"] = json!(new.whom.service);
            body["reason"] = json!(new.reason);
            body["ends_at"] = json!(ends_at);
            client.post("/v1/blocks", &body).await?.done()?
        }
        None => {
            let (app, store) = offline(config).await?;
            let made = added(&app, effect, &new, &named).await;
            store.close().await;
            view(&made?)
        }
    };
    let verb = if effect == Effect::Block { "blocked" } else { "allowed" };
    errln!("{} is {verb}{}", shown(&made, false), until(&made));
    Ok(())
}

async fn added(app: &App, effect: Effect, new: &New, named: &NamedTarget) -> anyhow::Result<ListLine> {
    let admission = &app.admission;
    let wanted = NewEntry {
        effect,
        target: named.target(admission)?,
        service: new.whom.service(app).await?,
        reason: new.reason.clone(),
        ends_at: new.end.map(|end| end.after(app.base.now())).transpose()?,
    };
    Ok(admission::add_entry(admission, &Actor::operator(), &wanted).await?)
}

async fn show(config: &Config, effect: Effect, list: List) -> anyhow::Result<()> {
    let limit = usize::from(list.limit);
    let found = match Client::find(&list.target, config).await? {
        Some(client) => {
            let asked =
                json!({ "effect": effect.as_str(), "kind": list.kind, "full_numbers": list.full_numbers });
            asked_for(&client, asked, limit).await?
        }
        None => {
            let (app, store) = offline(config).await?;
            let filter =
                ListFilter { effect: Some(effect), kind: list.kind.clone(), ..ListFilter::default() };
            let window = Window { limit, after: None };
            let page = admission::list_entries(&app.admission, &filter, &window).await;
            store.close().await;
            page?.items.iter().map(view).collect()
        }
    };
    let found: Vec<Value> = found.into_iter().map(|one| masked(one, list.full_numbers)).collect();
    match list.json {
        true => outln!("{:#}", json!({ "blocks": found })),
        false => found.iter().for_each(|one| outln!("{}", line(one))),
    }
    Ok(())
}

async fn take(config: &Config, effect: Effect, remove: Remove) -> anyhow::Result<()> {
    let named = remove.whom.named();
    let was_any = match Client::find(&remove.target, config).await? {
        Some(client) => taken_by_server(&client, effect, &remove.whom, &named).await?,
        None => {
            let (app, store) = offline(config).await?;
            let was_any = taken(&app, effect, &remove.whom, &named).await;
            store.close().await;
            was_any?
        }
    };
    let text = remove.whom.text();
    let is_number = named.number.is_some() && remove.whom.id().is_none();
    let whom = if is_number { mask(text) } else { text.to_owned() };
    match (was_any, effect) {
        (true, Effect::Block) => errln!("{whom} is not blocked any more"),
        (true, Effect::Allow) => errln!("{whom} is not allowed any more"),
        (false, _) => errln!("{whom} is not on the list: `dialback {effect} list` shows who is"),
    }
    Ok(())
}

async fn taken_by_server(
    client: &Client,
    effect: Effect,
    whom: &Whom,
    named: &NamedTarget,
) -> anyhow::Result<bool> {
    let ids: Vec<String> = match whom.id() {
        Some(id) => vec![id.to_owned()],
        None => {
            let mut asked = fields(named);
            asked["effect"] = effect.as_str().into();
            asked["service"] = json!(whom.service);
            let found = asked_for(client, asked, ListEntry::MOST).await?;
            let is_meant = |one: &&Value| whom.service.is_some() || one["service"].is_null();
            found.iter().filter(is_meant).filter_map(|one| one["id"].as_str().map(str::to_owned)).collect()
        }
    };
    let mut was_any = false;
    for id in ids {
        let answer = client.delete(&format!("/v1/blocks/{id}")).await?;
        if answer.status != 404 {
            answer.done()?;
            was_any = true;
        }
    }
    Ok(was_any)
}

async fn taken(app: &App, effect: Effect, whom: &Whom, named: &NamedTarget) -> anyhow::Result<bool> {
    let (admission, actor) = (&app.admission, Actor::operator());
    if let Some(id) = whom.id() {
        return match admission::remove_entry(admission, &actor, id).await {
            Err(AdmissionError::Fault(Fault::NotFound)) => Ok(false),
            done => Ok(done.map(|()| true)?),
        };
    }
    let Some(target) = named.sought(admission)? else { return Ok(false) };
    let service = whom.service(app).await?;
    Ok(admission::remove_entry_of(admission, &actor, effect, &target, service.as_ref()).await?)
}

async fn asked_for(client: &Client, mut asked: Value, limit: usize) -> anyhow::Result<Vec<Value>> {
    let mut found = Vec::new();
    asked["limit"] = PAGE.into();
    // In the body: what stands in a URL is kept by logs.
    while found.len() < limit {
        let page = client.post("/v1/blocks/search", &asked).await?.done()?;
        found.extend(page["blocks"].as_array().into_iter().flatten().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => asked["cursor"] = next.into(),
            None => break,
        }
    }
    found.truncate(limit);
    Ok(found)
}

impl Whom {
    /// As it was written; a command without it does not come here.
    fn text(&self) -> &str {
        self.whom.as_deref().unwrap_or_default()
    }

    fn named(&self) -> NamedTarget {
        NamedTarget::of_text(self.text(), self.channel)
    }

    /// The id of an entry that it is instead.
    fn id(&self) -> Option<&str> {
        let id = self.text().trim();
        let is_one = id.len() == 34 && (id.starts_with("LE") || id.starts_with("GN"));
        is_one.then_some(id)
    }

    async fn service(&self, app: &App) -> Result<Option<crate::model::id::ServiceId>, AdmissionError> {
        match &self.service {
            Some(name) => admission::service_called(&app.admission, name).await.map(Some),
            None => Ok(None),
        }
    }
}

fn fields(named: &NamedTarget) -> Value {
    named.fields().into_iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect()
}

/// An entry as the API shows it, as far as it is shown here.
fn view(line: &ListLine) -> Value {
    let sort = line.target.sort();
    let mut view = json!({
        "id": line.id, "effect": line.effect, "kind": sort, "number": null, "range": null,
        "network": null, "country": null, "channel": line.target.channel(), "service": line.service,
        "reason": line.reason, "ends_at": line.ends_at, "created_by": line.actor,
        "created_at": line.created_at,
        "erased": matches!(line.target, crate::model::lists::Target::ErasedNumber(_)),
    });
    view[sort] = json!(line.target.in_full());
    view
}

fn masked(mut one: Value, full_numbers: bool) -> Value {
    if let Some(number) = one["number"].as_str().filter(|_| !full_numbers) {
        one["number"] = mask(number).into();
    }
    one
}

/// Whom an entry names.
fn shown(one: &Value, full_numbers: bool) -> String {
    let text = |name: &str| one[name].as_str();
    match (text("number"), text("range").or(text("network")).or(text("country"))) {
        (Some(number), _) if !full_numbers => mask(number),
        (Some(whom), _) | (None, Some(whom)) => whom.to_owned(),
        (None, None) => "an erased number".to_owned(),
    }
}

fn until(one: &Value) -> String {
    one["ends_at"].as_str().map_or_else(String::new, |end| format!(" until {end:.19}"))
}

fn line(one: &Value) -> String {
    let text = |name: &str| one[name].as_str().unwrap_or("");
    let whom = shown(one, true);
    let of = |name: &str, before: &str| match text(name) {
        "" => String::new(),
        value => format!("  {before}{value}"),
    };
    let until = one["ends_at"].as_str().map_or_else(String::new, |end| format!("  until {end:.19}"));
    let (channel, service) = (of("channel", "by "), of("service", "of "));
    format!(
        "{:.19}  {}  {whom:<18}{channel}{service}{until}  ({}){}",
        text("created_at"),
        text("id"),
        if text("created_by").is_empty() { "unknown" } else { text("created_by") },
        of("reason", ""),
    )
}
