//! `dialback sandbox`: the simulated Twilio alone, for any application. It
//! refuses to know the service.

use super::Global;
use super::serve::{begin, bind, fit, rules, stopped};
use super::whole_file::write_private;
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::sandbox::{Inbound, Profile, Sandbox, Senders, Settings};
use crate::secret::Secret;
use crate::server;
use crate::trust::Trust;
use anyhow::{Context, ensure};
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `dialback sandbox`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address and port to listen on; port 0 takes a free one [default: sandbox.listen]
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    listen: Option<SocketAddr>,
    /// Where the seed of its awkwardness starts [default: sandbox.seed]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    seed: Option<u64>,
    /// How fast the network, speech and pauses go: 1 is real time, 0 is at once [default: sandbox.pace]
    #[arg(long, value_name = "FACTOR", allow_negative_numbers = true)]
    pace: Option<f64>,
    /// The senders that exist, numbers or messaging services; without any, every valid one does
    #[arg(long = "number", value_name = "E.164")]
    numbers: Vec<String>,
    /// Which senders pass: any that is well formed, or owned ones only [default: sandbox.senders]
    #[arg(long, value_name = "any|owned", value_parser = senders)]
    senders: Option<Senders>,
    /// Which limits hold: unlimited, paid or trial [default: sandbox.profile]
    #[arg(long, value_name = "PROFILE", value_parser = profile)]
    profile: Option<Profile>,
    /// Where inbound texts are told
    #[arg(long, value_name = "URL")]
    sms_url: Option<String>,
    /// Where inbound calls are told
    #[arg(long, value_name = "URL")]
    voice_url: Option<String>,
    /// A name other than loopback's by which the controls may be called
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
    /// Let webhooks leave this machine
    #[arg(long)]
    allow_remote_callbacks: bool,
    /// Write {"sandbox":"ADDRESS","account_sid":"AC…"} here once the port accepts
    #[arg(long, value_name = "PATH")]
    ready_file: Option<PathBuf>,
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "write an address and a port, such as 127.0.0.1:8001 or [::1]:0".to_owned())
}

fn senders(text: &str) -> Result<Senders, String> {
    match text {
        "any" => Ok(Senders::Any),
        "owned" => Ok(Senders::Owned),
        _ => Err("write any or owned".to_owned()),
    }
}

fn profile(text: &str) -> Result<Profile, String> {
    match text {
        "unlimited" => Ok(Profile::Unlimited),
        "paid" => Ok(Profile::Paid),
        "trial" => Ok(Profile::Trial),
        _ => Err("write unlimited, paid or trial".to_owned()),
    }
}

/// Descriptors kept back for callbacks that go out, and for files.
const CALLBACKS: u64 = 128;

/// Runs the command.
///
/// # Errors
/// What stopped it, in words for the person at the terminal.
pub async fn run(global: &Global, args: Args) -> anyhow::Result<ExitCode> {
    let config = begin(global)?.config;
    let listen = args.listen.unwrap_or(config.sandbox.listen);
    ensure!(
        listen.ip().is_loopback() || config.sandbox.allow_public.is_some(),
        "the sandbox shows every code, and {listen} can be reached by others: \
         listen on 127.0.0.1, or say in sandbox.allow_public why it has to be so"
    );
    let pace = args.pace.unwrap_or(config.sandbox.pace);
    ensure!((0.0..=100.0).contains(&pace), "--pace is a number from 0 to 100");
    let (senders, profile) = rules(&config);
    let (senders, profile) = (args.senders.unwrap_or(senders), args.profile.unwrap_or(profile));
    let entropy = Entropy::system();
    // An account of its own where none is configured; then, and only then, its
    // made-up token is shown.
    let made = config.twilio.auth_token.is_none();
    let account = config.twilio.account_sid.unwrap_or_else(|| format!("AC{}", entropy.hex::<16>()));
    let token = config.twilio.auth_token.unwrap_or_else(|| Secret::new(entropy.hex::<16>()));
    let shown = if made { token.expose().to_owned() } else { "as configured".to_owned() };
    let settings = Settings {
        api_key: config.twilio.api_key_sid.zip(config.twilio.api_key_secret),
        own_numbers: if args.numbers.is_empty() {
            let owned = senders == Senders::Owned;
            config.twilio.from.into_iter().filter(|from| owned || !from.starts_with("MG")).collect()
        } else {
            args.numbers
        },
        seed: args.seed.unwrap_or(config.sandbox.seed),
        pace,
        senders,
        profile,
        inbound: Inbound { sms_url: args.sms_url, voice_url: args.voice_url, voice_status_url: None },
        hosts: args.hosts.into_iter().chain([listen.ip().to_string()]).collect(),
        allow_remote_callbacks: args.allow_remote_callbacks,
        trust: Trust::from_env()?,
        ..Settings::new(account.clone(), token)
    };
    let sandbox = Sandbox::new(settings, Clock::real(), entropy)?;
    let mut limits = Sandbox::limits();
    fit(&mut [&mut limits], CALLBACKS)?;
    let stop = stopped()?;
    let listener = bind(listen, "--listen or sandbox.listen")?;
    let address = listener.local_addr()?;
    if let Some(path) = args.ready_file {
        let ready = serde_json::json!({ "sandbox": address.to_string(), "account_sid": account });
        write_private(&path, ready.to_string().as_bytes())
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    // Nobody needs to read it: a closed output is no reason not to serve.
    let _ = write!(
        std::io::stdout(),
        "telephones   http://{address}/\n\
         rest api     http://{address}/2010-04-01/Accounts/{account}\n\
         account sid  {account}\n\
         auth token   {shown}\n"
    );
    let service = warp::service(sandbox.filter());
    let (tell, told) = tokio::sync::oneshot::channel::<()>();
    let beside = tokio::spawn(sandbox.run(async move {
        stop.await;
        let _ = tell.send(());
    }));
    server::serve(listener, service, limits, async move {
        let _ = told.await;
    })
    .await;
    beside.await?;
    Ok(ExitCode::SUCCESS)
}
