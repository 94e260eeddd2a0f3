//! `dialback config`: what is configured, whether it is right, and what could
//! be. Also the one place where every command gets its configuration from.

mod texts;

use super::Global;
use super::out::{errln, out, outln};
use super::serve::{parts, preflight};
use crate::config::{self, Config, Env, Loaded, LogFormat, Problems};
use crate::server::Limits;
use crate::telemetry::Format;
use crate::trust::Trust;
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

/// The configuration that the arguments and the environment ask for.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn load(global: &Global) -> Result<Loaded, Problems> {
    config::load(global.config.as_deref(), &Env::of_process())
}

/// The same, with what is wrong told beside it.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn look(global: &Global) -> Result<Loaded, Problems> {
    config::look(global.config.as_deref(), &Env::of_process())
}

// The pieces that are handed on: a leaf does not know the configuration, and the
// configuration does not know its users.

impl From<&Config> for Limits {
    fn from(config: &Config) -> Self {
        let server = &config.server;
        Self {
            max_connections: server.max_connections,
            max_connections_per_peer: server.max_connections_per_peer,
            uncounted_peers: config.signature.trusted_proxies.as_slice().into(),
            max_body_bytes_in_flight: server.max_body_bytes_in_flight,
            max_head_bytes: server.max_head_bytes,
            max_headers: server.max_headers,
            head_timeout: server.head_timeout,
            idle_timeout: server.idle_timeout,
            request_timeout: server.request_timeout,
            write_stall_timeout: server.write_stall_timeout,
            drain_timeout: server.drain_timeout,
            over_tls: config.public_url.as_deref().is_some_and(|url| url.starts_with("https:")),
        }
    }
}

impl From<LogFormat> for Format {
    fn from(format: LogFormat) -> Self {
        match format {
            LogFormat::Human => Self::Human,
            LogFormat::Json => Self::Json,
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
        (false, config::GatewayKind::Twilio) => {
            let base = twilio.base_url.as_deref().unwrap_or("https://api.twilio.com");
            format!("texts and calls go out through {base}")
        }
    };
    [read, format!("the server listens on {} and is reached at {at}", server.listen), goes]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_in_the_file_are_the_server_s_own() {
        let loaded = config::parse(None, &Env::default()).unwrap();
        assert_eq!(Limits::from(&loaded.config), Limits::default());
    }
}
