//! The command line: one file per command.
//!
//! It may import everything; it alone takes the configuration apart and hands
//! on pieces. Each command says what went wrong and what to do on standard
//! error, and answers with an exit code: 0 done, 1 not as wanted, 2 misuse.

mod audit;
mod care;
mod client;
mod config;
mod configured;
mod delivery;
mod endpoint;
mod erase;
mod event;
mod export;
mod fraud;
mod global;
mod health;
mod import;
mod kept;
mod key;
mod limits;
mod listed;
mod local;
mod moment;
#[cfg(not(feature = "sandbox"))]
mod no_sandbox;
mod number;
mod operator;
mod opt_out;
mod out;
#[cfg(feature = "sandbox")]
mod parent;
mod policy;
mod private;
mod process;
mod queue;
mod reconcile;
pub mod replay;
#[cfg(feature = "sandbox")]
mod sandbox;
mod serve;
mod signature;
mod store;
mod told;
mod until;
mod urls;
mod verify;
#[cfg(feature = "sandbox")]
mod verifying;
mod whole_file;

use crate::config::Problems;
use crate::model::lists::Effect;
use clap::{Parser, Subcommand};
pub use global::Global;
#[cfg(not(feature = "sandbox"))]
use no_sandbox as sandbox;
use out::errln;
use std::process::ExitCode;

/// Phone verification for teams on Twilio, with a Twilio of its own to try it on.
#[derive(Debug, Parser)]
#[command(name = "dialback", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service, and the sandbox when it is enabled
    Serve(serve::Args),
    /// Say whether the server is ready: 0 if it is, 1 and why if not
    Health(health::Args),
    /// Run the sandbox alone: a Twilio with telephones on this machine
    Sandbox(sandbox::Args),
    /// Verify a number from the terminal: send a code, ask for it, check it
    Verify(verify::Args),
    /// Say how numbers are read, which are refused and why, and by which channels they are reached
    Number(number::Args),
    /// Show what became of a message or call
    Delivery(delivery::Args),
    /// Where events are sent to: add, list, try, rotate, redrive
    Endpoint(endpoint::Args),
    /// What happened: list it, follow it, send it again
    Event(event::Args),
    /// Sign, check or explain an X-Twilio-Signature
    Signature(signature::Args),
    /// Send recorded webhooks, signed afresh
    Replay(replay::Args),
    /// Print the webhook URLs to paste into Twilio's console
    Urls(urls::Args),
    /// Check, show or print the configuration
    Config(config::Args),
    /// Create, list and revoke API keys
    Key(key::Args),
    /// Who did what to keys, settings and people's data
    Audit(audit::Args),
    /// Who does not want to be texted: list, add, remove
    OptOut(opt_out::Args),
    /// What is used of the limits of a number, an address or a key: show, reset
    Limits(limits::Args),
    /// Who gets no codes: numbers, ranges, networks, countries; add, list, remove
    Block(listed::Args),
    /// Whom nothing that looks like fraud keeps from codes: add, list, remove
    Allow(listed::Args),
    /// What was decided about requests for codes: report, try another policy, explain
    Fraud(fraud::Args),
    /// What is done about what did not arrive: show the table, explain a code
    Policy(policy::Args),
    /// Compare what is known with Twilio's lists: what was never heard of, what moved, prices
    Reconcile(reconcile::Args),
    /// Erase all that is kept under a number, here and at Twilio, with a receipt
    Erase(erase::Args),
    /// What waits to be done, and what was set aside: list, retry, drop
    Queue(queue::Args),
    /// Write all data to a file, while the server runs or not
    Export(export::Args),
    /// Take the data of an export in
    Import(import::Args),
    /// Check the store, count what is in it, give space back
    Store(store::Args),
}

/// Parses the arguments and runs the command they name.
pub fn main() -> ExitCode {
    process::keep_to_ourselves();
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            errln!("dialback: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(cli)) {
        Ok(code) => code,
        Err(error) => {
            // A line for each, and each begins with its place.
            match error.downcast_ref::<Problems>() {
                Some(problems) => errln!("{problems}"),
                None => errln!("dialback: {error:#}"),
            }
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let global = cli.global;
    match cli.command {
        Command::Serve(args) => serve::run(&global, args).await,
        Command::Health(args) => health::run(&global, args).await,
        Command::Sandbox(args) => sandbox::run(&global, args).await,
        Command::Verify(args) => verify::run(&global, args).await,
        Command::Number(args) => number::run(&global, args).await,
        Command::Delivery(args) => delivery::run(&global, args).await,
        Command::Endpoint(args) => endpoint::run(&global, args).await,
        Command::Event(args) => event::run(&global, args).await,
        Command::Signature(args) => signature::run(&global, args).await,
        Command::Replay(args) => replay::run(&global, args).await,
        Command::Urls(args) => urls::run(&global, args).await,
        Command::Config(args) => config::run(&global, args).await,
        Command::Key(args) => key::run(&global, args).await,
        Command::Audit(args) => audit::run(&global, args).await,
        Command::OptOut(args) => opt_out::run(&global, args).await,
        Command::Limits(args) => limits::run(&global, args).await,
        Command::Block(args) => listed::run(&global, Effect::Block, args).await,
        Command::Allow(args) => listed::run(&global, Effect::Allow, args).await,
        Command::Fraud(args) => fraud::run(&global, args).await,
        Command::Policy(args) => policy::run(&global, args).await,
        Command::Reconcile(args) => reconcile::run(&global, args).await,
        Command::Erase(args) => erase::run(&global, args).await,
        Command::Queue(args) => queue::run(&global, args).await,
        Command::Export(args) => export::run(&global, args).await,
        Command::Import(args) => import::run(&global, args).await,
        Command::Store(args) => store::run(&global, args).await,
    }
}
