//! `dialback urls`: what to paste where in Twilio's console.

use super::Global;
use super::configured::load;
use super::out::out;
use super::replay::target::running;
use crate::config::Config;
use crate::twilio::url::{CALLBACK_OVERRIDES, TWIML_OVERRIDES};
use anyhow::{Context, bail};
use std::fmt::Write;
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

/// Arguments of `dialback urls`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where a running ngrok agent answers
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:4040")]
    ngrok_api: String,
}

/// Runs the command.
///
/// # Errors
/// What stopped it, in words for the person at the terminal.
pub async fn run(global: &Global, args: Args) -> anyhow::Result<ExitCode> {
    let mut config = load(global)?.config;
    if config.server.listen.port() == 0 {
        match running(&config)?.and_then(|server| address(&server.url)) {
            Some(address) => config.server.listen = address,
            None if config.public_url.is_some() => {}
            None => bail!(
                "server.listen takes a free port at each start, and no server is running: \
                 start one with `dialback serve`, or set a port"
            ),
        }
    }
    let tunnels = tunnels(&args.ngrok_api).await;
    if let Err(error) = &tunnels {
        tracing::debug!(%error, "no ngrok agent");
    }
    out!("{}", report(&config, tunnels.ok().as_deref()));
    Ok(ExitCode::SUCCESS)
}

/// The address of a server that listens there.
fn address(url: &str) -> Option<SocketAddr> {
    let addr = url.strip_prefix("http://")?.parse().ok()?;
    // What a server left outlives one that was killed.
    TcpStream::connect_timeout(&addr, AGENT_TIMEOUT).is_ok().then_some(addr)
}

/// A webhook: the field it belongs in, what it is for, its path, and whether
/// Twilio reads connection overrides from its fragment.
struct Hook {
    place: &'static str,
    field: &'static str,
    path: &'static str,
    overrides: &'static str,
}

const HOOKS: [Hook; 5] = [
    Hook {
        place: "Messaging > Services > (service) > Integration",
        field: "Delivery Status Callback",
        path: "/twilio/status",
        overrides: CALLBACK_OVERRIDES,
    },
    Hook {
        place: "Phone Numbers > (number) > Messaging Configuration",
        field: "A message comes in",
        path: "/twilio/sms",
        overrides: TWIML_OVERRIDES,
    },
    Hook {
        place: "Phone Numbers > (number) > Voice Configuration",
        field: "A call comes in",
        path: "/twilio/voice",
        overrides: TWIML_OVERRIDES,
    },
    Hook {
        place: "Phone Numbers > (number) > Voice Configuration",
        field: "Call status changes",
        path: "/twilio/call-status",
        overrides: CALLBACK_OVERRIDES,
    },
    // A sink is no webhook URL of the console's: it has its own retries.
    Hook {
        place: "Event Streams > Sinks > Create > Webhook",
        field: "Destination URL",
        path: "/twilio/events",
        overrides: "",
    },
];

fn report(config: &Config, tunnels: Option<&[Tunnel]>) -> String {
    let listen = config.server.listen;
    let tunnel = tunnels.unwrap_or_default().iter().find(|tunnel| tunnel.leads_to(listen));
    let configured = config.public_url.as_deref();
    let local = configured.is_none_or(is_local);
    let bound = format!("http://{listen}");
    let base = match (configured, tunnel) {
        (_, Some(tunnel)) if local => &tunnel.public_url,
        (Some(url), _) => url,
        (None, _) => &bound,
    };

    let mut out = format!("webhooks at {base}, each with HTTP POST\n");
    for Hook { place, field, path, overrides } in HOOKS {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "\n  {field}\n    {place}\n    {base}{path}{overrides}");
    }
    out.push_str(
        "\nmessages and calls that dialback sends bring their callback along: nothing to paste for them\n",
    );
    out.push_str(&advice(config, tunnels, tunnel));
    out
}

/// What to do about `public_url`, knowing what ngrok says.
fn advice(config: &Config, tunnels: Option<&[Tunnel]>, tunnel: Option<&Tunnel>) -> String {
    let configured = config.public_url.as_deref();
    let listen = config.server.listen;
    match (tunnel, tunnels) {
        (Some(tunnel), _) if configured == Some(&tunnel.public_url) => {
            format!("ngrok leads {} to {listen}, as public_url says\n", tunnel.public_url)
        }
        (Some(tunnel), _) => {
            format!(
                "ngrok leads to {listen}: set public_url = \"{}\" in the configuration\n",
                tunnel.public_url
            )
        }
        _ if !configured.is_none_or(is_local) => String::new(),
        (None, Some(_)) => format!(
            "ngrok runs, but leads no https address to {listen}: start `ngrok http {}`\n",
            listen.port()
        ),
        (None, None) => format!(
            "twilio cannot reach this address: set public_url, or start `ngrok http {}` and look here again\n",
            listen.port()
        ),
    }
}

/// True for addresses of this machine alone.
fn is_local(url: &str) -> bool {
    let host = reqwest::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
    host.is_none_or(|host| {
        let ip = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
        ip.map_or(host == "localhost", |ip| ip.is_loopback() || ip.is_unspecified())
    })
}

/// A tunnel of the ngrok agent (<https://ngrok.com/docs/agent/api/>).
#[derive(Debug, serde::Deserialize)]
struct Tunnel {
    public_url: String,
    config: TunnelConfig,
}

#[derive(Debug, serde::Deserialize)]
struct TunnelConfig {
    addr: String,
}

#[derive(serde::Deserialize)]
struct Tunnels {
    tunnels: Vec<Tunnel>,
}

impl Tunnel {
    /// True when it brings https to the port that we listen on. The agent says
    /// "http://localhost:8000", "localhost:8000" or "8000".
    fn leads_to(&self, listen: SocketAddr) -> bool {
        let port =
            self.config.addr.trim_end_matches('/').rsplit(':').next().and_then(|port| port.parse().ok());
        self.public_url.starts_with("https://") && listen.port() != 0 && port == Some(listen.port())
    }
}

/// How long an agent on this machine may take, and how many bytes.
const AGENT_TIMEOUT: Duration = Duration::from_secs(1);
const AGENT_BYTES: usize = 1024 * 1024;

/// Asks the agent what it leads where.
async fn tunnels(api: &str) -> anyhow::Result<Vec<Tunnel>> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(AGENT_TIMEOUT)
        .build()?;
    let url = format!("{}/api/tunnels", api.trim_end_matches('/'));
    let mut response = client.get(url).send().await?.error_for_status()?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        anyhow::ensure!(body.len() + chunk.len() <= AGENT_BYTES, "the answer is too long");
        body.extend_from_slice(&chunk);
    }
    let answer: Tunnels = serde_json::from_slice(&body).context("not an ngrok agent")?;
    Ok(answer.tunnels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Env, parse};
    use crate::server::{Limits, serve};
    use warp::Filter;

    fn config(pairs: &[(&str, &str)]) -> Config {
        parse(None, &pairs.iter().copied().collect::<Env>()).unwrap().config
    }

    async fn agent(answer: &'static str) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let service = warp::service(warp::path!("api" / "tunnels").map(move || answer));
        tokio::spawn(serve(listener, service, Limits::default(), std::future::pending()));
        url
    }

    const NGROK: &str = r#"{"tunnels":[
        {"name":"a","uri":"/api/tunnels/a","public_url":"http://a.ngrok.app","proto":"http","config":{"addr":"http://localhost:8000","inspect":true}},
        {"name":"b","uri":"/api/tunnels/b","public_url":"https://b.ngrok.app","proto":"https","config":{"addr":"http://localhost:8000","inspect":true}}
    ],"uri":"/api/tunnels"}"#;

    #[tokio::test]
    async fn a_running_ngrok_gives_the_public_url() {
        let found = tunnels(&agent(NGROK).await).await.unwrap();
        let said = report(&config(&[]), Some(&found));
        assert!(said.contains("set public_url = \"https://b.ngrok.app\""), "{said}");
        assert!(said.contains("\n    https://b.ngrok.app/twilio/status#rc=5&rp=5xx,ct,rt"), "{said}");

        let other = report(&config(&[("DIALBACK_SERVER__LISTEN", "127.0.0.1:9000")]), Some(&found));
        assert!(other.contains("start `ngrok http 9000`"), "{other}");
        let set = report(&config(&[("DIALBACK_PUBLIC_URL", "https://b.ngrok.app")]), Some(&found));
        assert!(set.contains("as public_url says"), "{set}");
    }

    #[tokio::test]
    async fn what_is_no_agent_is_no_agent() {
        assert!(tunnels(&agent("<html>").await).await.is_err());
        assert!(tunnels("http://127.0.0.1:1").await.is_err());
    }

    #[test]
    fn every_webhook_is_printed_under_the_configured_address() {
        let said = report(&config(&[("DIALBACK_PUBLIC_URL", "https://example.com/dialback/")]), None);
        for path in ["status#rc=", "call-status#rc=", "sms#rc=", "voice#rc=", "events\n"] {
            assert!(
                said.contains(&format!("    https://example.com/dialback/twilio/{path}")),
                "{path}: {said}"
            );
        }
        assert!(!said.contains("ngrok"), "{said}");
    }

    /// Ranges as Twilio documents them.
    #[test]
    fn the_overrides_are_within_twilio_s_ranges() {
        for fragment in HOOKS.iter().filter_map(|hook| hook.overrides.strip_prefix('#')) {
            for (key, value) in fragment.split('&').filter_map(|pair| pair.split_once('=')) {
                let number = value.parse::<u32>();
                let fits = match key {
                    "rc" => number.is_ok_and(|n| n <= 5),
                    "ct" => number.is_ok_and(|n| (100..=10_000).contains(&n)),
                    "rt" | "tt" => number.is_ok_and(|n| (100..=15_000).contains(&n)),
                    "rp" => {
                        value.split(',').all(|policy| ["4xx", "5xx", "ct", "rt", "all"].contains(&policy))
                    }
                    _ => false,
                };
                assert!(fits, "{key}={value}");
            }
        }
    }
}
