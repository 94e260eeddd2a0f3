//! `dialback config`: what is configured, whether it is right, and what could
//! be.

mod texts;

use super::Global;
use super::configured::{load, look};
use super::out::{errln, out, outln};
use super::serve::{parts, preflight, verify_base_url};
use crate::config::{self, Config, Loaded, Problems};
use crate::trust::Trust;
use reqwest::Url;
use std::process::ExitCode;

/// Arguments of `dialback config`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Say whether the configuration is right, or all that is wrong with it
    Check,
    /// Print the configuration in force and where it comes from, without secrets
    Show,
    /// Print the embedded config.toml, which explains every key
    Default,
}

/// Runs the command.
///
/// # Errors
/// What stopped it, in words for the person at the terminal.
pub async fn run(global: &Global, args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Check => {
            let looked = look(global).map(|mut loaded| {
                preflight::look(&mut loaded);
                loaded
            });
            Ok(check(looked.and_then(Loaded::fit_to_serve)))
        }
        Command::Show => {
            out!("{}", load(global)?.show());
            Ok(ExitCode::SUCCESS)
        }
        Command::Default => {
            out!("{}", config::DEFAULT);
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn check(loaded: Result<Loaded, Problems>) -> ExitCode {
    match loaded {
        Ok(loaded) => {
            if let Err(wrong) = Trust::from_env() {
                errln!("{wrong}");
                return ExitCode::FAILURE;
            }
            // All is looked at before anything is called right.
            let messages = match parts::messages(&loaded.config) {
                Ok(messages) => messages,
                Err(wrong) => {
                    errln!("{wrong}");
                    return ExitCode::FAILURE;
                }
            };
            let texts::Report { lines, warnings } = texts::report(&loaded.config, &messages);
            verdict(&loaded).iter().chain(&lines).for_each(|line| outln!("ok: {line}"));
            loaded.warnings.iter().for_each(|warning| outln!("warning: {warning}"));
            warnings.iter().for_each(|warning| outln!("warning: {warning}"));
            ExitCode::SUCCESS
        }
        Err(problems) => {
            errln!("{problems}");
            ExitCode::FAILURE
        }
    }
}

fn verdict(loaded: &Loaded) -> [String; 3] {
    let Config { server, sandbox, public_url, twilio, gateway, .. } = &loaded.config;
    let read = match &loaded.file {
        Some(file) => format!("{file} is complete"),
        None => "no file, the embedded configuration is complete".to_owned(),
    };
    let at = public_url.as_deref().unwrap_or("the same address");
    let goes = match (sandbox.enabled && twilio.base_url.is_none(), gateway.kind) {
        (true, _) => format!("everything goes to the sandbox on {}, nothing to twilio", sandbox.listen),
        (false, config::GatewayKind::Console) => "codes go to the log, nothing to twilio".to_owned(),
        (false, config::GatewayKind::Http) => {
            // A path or a query may have a key in it.
            let url = gateway.http.url.as_deref().and_then(|url| Url::parse(url).ok());
            let place = url.map_or_else(String::new, |url| url.origin().ascii_serialization());
            format!("texts go out through the gateway at {place}, nothing to twilio")
        }
        (false, config::GatewayKind::Verify) => {
            let place = verify_base_url(&loaded.config);
            format!("codes are made, sent and compared by verify at {place}")
        }
        (false, config::GatewayKind::Twilio) => {
            let base = twilio.base_url.as_deref().unwrap_or("https://api.twilio.com");
            format!("texts and calls go out through {base}")
        }
    };
    [read, format!("the server listens on {} and is reached at {at}", server.listen), goes]
}
