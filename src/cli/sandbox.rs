//! `dialback sandbox`: the simulated Twilio alone, for any application, with the
//! service beside it for those that use Verify. It refuses to know how either works.

use super::Global;
use super::parent;
use super::serve::verify::Twilio;
use super::serve::{begin, bind, fit, keep, reachable, rules, stopped};
use super::verifying::{self, Recipe};
use super::whole_file::write_private;
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::sandbox::{Inbound, Profile, Sandbox, Senders, Settings};
use crate::secret::Secret;
use crate::server::{self, Limits};
use crate::trust::Trust;
use anyhow::{Context, ensure};
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::sync::watch;

/// Arguments of `dialback sandbox`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address and port to listen on; port 0 takes a free one [default: sandbox.listen]
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    listen: Option<SocketAddr>,
    /// Where the seed of its awkwardness starts [default: sandbox.seed]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    seed: Option<u64>,
    /// How long the network, speech and pauses take: 1 is real time, 2 twice as long, 0 no time [default: sandbox.pace]
    #[arg(long, value_name = "FACTOR", allow_negative_numbers = true)]
    pace: Option<f64>,
    /// How fast they go: 1 is real time, 10 ten times as fast
    #[arg(long, value_name = "FACTOR", conflicts_with = "pace", allow_negative_numbers = true)]
    speed: Option<f64>,
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
    /// For tests: a free port, one line of JSON in place of words, no log but warnings, and an end with
    /// whoever started it
    #[arg(long)]
    ci: bool,
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
    let config = begin(global, args.ci)?.config;
    let any_port = args.ci.then(|| (Ipv4Addr::LOCALHOST, 0).into());
    let listen = args.listen.or(any_port).unwrap_or(config.sandbox.listen);
    ensure!(
        listen.ip().is_loopback() || config.sandbox.allow_public.is_some(),
        "the sandbox shows every code, and {listen} can be reached by others: \
         listen on 127.0.0.1, or say in sandbox.allow_public why it has to be so"
    );
    ensure!(args.speed.is_none_or(|speed| speed >= 0.01), "--speed is a number from 0.01");
    let pace = args.speed.map(|speed| 1.0 / speed).or(args.pace).unwrap_or(config.sandbox.pace);
    ensure!((0.0..=100.0).contains(&pace), "--pace is a number from 0 to 100");
    let (senders, profile) = rules(&config);
    let (senders, profile) = (args.senders.unwrap_or(senders), args.profile.unwrap_or(profile));
    let entropy = Entropy::system();
    // An account of its own where none is configured; then, and only then, its
    // made-up token is shown.
    let made = config.twilio.auth_token.is_none();
    let account = config.twilio.account_sid.clone().unwrap_or_else(|| format!("AC{}", entropy.hex::<16>()));
    let token = config.twilio.auth_token.clone().unwrap_or_else(|| Secret::new(entropy.hex::<16>()));
    let shown = made.then(|| token.expose().to_owned());
    let twilio = &config.twilio;
    let settings = Settings {
        api_key: twilio.api_key_sid.clone().zip(twilio.api_key_secret.clone()),
        own_numbers: if args.numbers.is_empty() {
            let owned = senders == Senders::Owned;
            twilio.from.iter().filter(|from| owned || !from.starts_with("MG")).cloned().collect()
        } else {
            args.numbers.clone()
        },
        seed: args.seed.unwrap_or(config.sandbox.seed),
        pace,
        senders,
        profile,
        inbound: Inbound { sms_url: args.sms_url, voice_url: args.voice_url, voice_status_url: None },
        hosts: args.hosts.into_iter().chain([listen.ip().to_string()]).collect(),
        allow_remote_callbacks: args.allow_remote_callbacks,
        keep: keep(&config),
        trust: Trust::from_env()?,
        ..Settings::new(account.clone(), token.clone())
    };
    let clock = Clock::real();
    let sandbox = Sandbox::new(settings, clock.clone(), entropy)?;
    let (mut limits, mut verify_limits) = (Sandbox::limits(), Limits::from(&config));
    fit(&mut [&mut limits, &mut verify_limits], CALLBACKS)?;
    let stop = stopped()?;
    let gone = args.ci.then(parent::gone);
    let listener = bind(listen, "--listen or sandbox.listen")?;
    let address = listener.local_addr()?;
    let opens = sandbox.clone();
    let twilio = Twilio {
        base_url: format!("http://{}", reachable(address)),
        account_sid: account.clone(),
        auth_token: token,
        sender: args.numbers.into_iter().find(|number| number.starts_with('+')),
        opens: Arc::new(move |user, password| opens.opens(user, password)),
    };
    let recipe = Recipe { config, twilio, clock, limits: verify_limits };
    let verify = recipe.open().await.context("Verify beside it")?;
    sandbox.set_verify(verify.base_url());
    let afresh = sandbox.afresh();
    if let Some(path) = args.ready_file {
        let ready = serde_json::json!({ "sandbox": address.to_string(), "account_sid": account });
        write_private(&path, ready.to_string().as_bytes())
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    let said =
        if args.ci { in_one_line(address, &account, shown) } else { in_words(address, &account, shown) };
    // Nobody needs to read it: a closed output is no reason not to serve.
    let _ = write!(std::io::stdout(), "{said}");
    let _ = std::io::stdout().flush();
    let service = warp::service(sandbox.filter());
    let (tell, told) = tokio::sync::oneshot::channel::<()>();
    let (stopping, all_stopped) = watch::channel(());
    let verifying = tokio::spawn(verifying::run(recipe, verify, afresh, all_stopped));
    let beside = tokio::spawn(sandbox.run(async move {
        match gone {
            Some(gone) => tokio::select! {
                () = stop => {}
                () = gone => {}
            },
            None => stop.await,
        }
        drop(stopping);
        let _ = tell.send(());
    }));
    server::serve(listener, service, limits, async move {
        let _ = told.await;
    })
    .await;
    beside.await?;
    verifying.await?;
    Ok(ExitCode::SUCCESS)
}

fn in_words(address: SocketAddr, account: &str, token: Option<String>) -> String {
    format!(
        "telephones   http://{address}/\n\
         rest api     http://{address}/2010-04-01/Accounts/{account}\n\
         verify       http://{address}/v2/Services\n\
         account sid  {account}\n\
         auth token   {}\n",
        token.as_deref().unwrap_or("as configured")
    )
}

/// For a program that reads it: a configured token is not repeated.
fn in_one_line(address: SocketAddr, account: &str, token: Option<String>) -> String {
    let url = format!("http://{}", reachable(address));
    let line = serde_json::json!({
        "sandbox": address.to_string(), "url": url, "account_sid": account, "auth_token": token,
    });
    format!("{line}\n")
}
