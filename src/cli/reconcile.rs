//! `dialback reconcile`: the account's lists at Twilio are compared with what is known, by
//! the running server, or on its store where none runs.

use super::Global;
use super::care::progress;
use super::client::{Client, Target};
use super::moment::{Moment, moment};
use super::out::{errln, out, outln};
use super::serve::offline;
use crate::app::App;
use crate::app::messaging::{Changed, Counts, Sweep, SweepPlan, Swept};
use crate::config::Config;
use crate::model::status::Status;
use anyhow::Context;
use indicatif::ProgressBar;
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::json;
use std::process::ExitCode;

/// Arguments of `dialback reconcile`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// From when on: so long ago, as 7d, 12h or 30m, or a time
    #[arg(long, value_name = "SPAN|TIME", value_parser = moment, default_value = "24h")]
    since: Moment,
    /// Write nothing: only tell what would be
    #[arg(long)]
    dry_run: bool,
    /// Print JSON instead of lines for people
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// What stopped it, in words for the person at the terminal.
pub async fn run(global: &Global, args: Args) -> anyhow::Result<ExitCode> {
    let config = super::configured::load(global)?.config;
    let now = Timestamp::now();
    let since = args.since.at(now);
    anyhow::ensure!(since < now, "--since is not in the past: write a time before now, as in --since 7d");
    let bar = progress("comparing", None);
    let swept = swept(&config, since, args.dry_run, &bar).await;
    bar.finish_and_clear();
    let swept = swept?;
    match args.json {
        true => outln!("{:#}", json!(swept)),
        false => out!("{}", text(&swept)),
    }
    let Some(why) = &swept.stopped else { return Ok(ExitCode::SUCCESS) };
    errln!("not read to the end: {why}");
    errln!("what was found is kept: mend that, or wait, and run the same again");
    Ok(ExitCode::FAILURE)
}

async fn swept(config: &Config, since: Timestamp, is_dry: bool, bar: &ProgressBar) -> anyhow::Result<Swept> {
    if let Some(client) = Client::find(&Target::default(), config).await? {
        let since = utf8_percent_encode(&since.to_string(), NON_ALPHANUMERIC).to_string();
        let path = format!("/operator/reconcile?since={since}&dry_run={is_dry}");
        let bar = bar.clone();
        let told = client.told(Method::POST, &path).await?;
        let done = told.done(move |seen| bar.set_position(seen)).await?;
        return serde_json::from_value(done).context("the server's answer");
    }
    let (app, store) = offline(config).await?;
    let swept = on_store(&app, since, is_dry, bar).await;
    store.close().await;
    swept
}

async fn on_store(app: &App, since: Timestamp, is_dry: bool, bar: &ProgressBar) -> anyhow::Result<Swept> {
    let plan = SweepPlan { since, kept: app.privacy.retention.deliveries, is_dry };
    let mut sweep = Sweep::new(&app.messaging, plan);
    while sweep.step().await? {
        bar.set_position(sweep.seen());
    }
    Ok(sweep.end())
}

fn text(swept: &Swept) -> String {
    let mut text = format!("since {:.0}\n", swept.since);
    for (list, of) in [("messages", &swept.messages), ("calls", &swept.calls)] {
        let Counts { seen, new, changed, moved, priced, passed_over } = of;
        text += &format!(
            "{list:<9} {seen} seen, {new} never heard of, {changed} known better ({moved} with another status), \
             the price of {priced} told\n"
        );
        if *passed_over > 0 {
            text +=
                &format!("{:<9} {passed_over} passed over: they do not read, or are another account's\n", "");
        }
    }
    swept.changes.iter().for_each(|change| text += &line(change));
    let all = swept.messages.new + swept.messages.changed + swept.calls.new + swept.calls.changed;
    match all.saturating_sub(swept.changes.len() as u64) {
        0 => {}
        more => text += &format!("  and {more} more\n"),
    }
    if swept.dry_run {
        text += "nothing was written: this is what would have been\n";
    }
    text
}

fn line(Changed { sid, to, was, is, is_new }: &Changed) -> String {
    let word = |status: &Option<Status>| status.map_or("unknown", |status| status.as_str());
    let to = to.as_deref().unwrap_or("-");
    match (is_new, was == is) {
        (true, _) => format!("  {sid}  {to}  {} (never heard of)\n", word(is)),
        (false, true) => format!("  {sid}  {to}  {} (more is known)\n", word(is)),
        (false, false) => format!("  {sid}  {to}  {} -> {}\n", word(was), word(is)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_told_in_lines() {
        let counts = Counts { seen: 60, new: 1, changed: 59, moved: 1, priced: 60, passed_over: 2 };
        let changed = |was, is_new| Changed {
            sid: "SM1".to_owned(),
            to: Some("+1 *******0123".to_owned()),
            was,
            is: Some(Status::Delivered),
            is_new,
        };
        let swept = Swept {
            since: "2026-11-20T09:00:00.5Z".parse().unwrap(),
            dry_run: true,
            messages: counts,
            calls: Counts::default(),
            changes: vec![
                changed(None, true),
                changed(Some(Status::Sent), false),
                changed(Some(Status::Delivered), false),
            ],
            stopped: None,
        };
        let wanted = "\
since 2026-11-20T09:00:00Z
messages  60 seen, 1 never heard of, 59 known better (1 with another status), the price of 60 told
          2 passed over: they do not read, or are another account's
calls     0 seen, 0 never heard of, 0 known better (0 with another status), the price of 0 told
  SM1  +1 *******0123  delivered (never heard of)
  SM1  +1 *******0123  sent -> delivered
  SM1  +1 *******0123  delivered (more is known)
  and 57 more
nothing was written: this is what would have been
";
        assert_eq!(text(&swept), wanted);
    }
}
