//! Where to send, what URL to sign for, and with which token.
//!
//! It refuses to send anywhere but to this machine unless it is told to by
//! name: a replayed webhook changes what a server believes.

use super::prepare::Signer;
use crate::cli::kept::store_dir;
use crate::cli::operator::Operator;
use crate::cli::serve::reachable;
use crate::config::Config;
use crate::secret::Secret;
use crate::twilio::url::PublicUrl;
use anyhow::{Context, bail};
use reqwest::Url;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// A server and how Twilio would talk to it.
#[derive(Debug, Clone)]
pub struct Target {
    /// Where requests go; no slash at its end.
    pub to: String,
    /// Who signs the requests, with the account's token.
    pub signer: Signer,
}

/// What the person at the terminal said.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// The address of `--to`, if it was given.
    pub to: Option<String>,
    /// The contents of `--token-file`.
    pub token: Option<Secret>,
    /// The values of `--set`, by their names in the file.
    pub values: BTreeMap<String, String>,
}

/// The server that runs on this configuration's store, if its file is there.
///
/// # Errors
/// The file is there and cannot be read.
pub fn running(config: &Config) -> anyhow::Result<Option<Operator>> {
    Ok(store_dir(config).map(Operator::read).transpose()?.flatten())
}

impl Target {
    /// Puts together what was asked for, what runs, and what is configured.
    ///
    /// # Errors
    /// What is missing or not allowed, and what to do.
    pub fn find(config: &Config, running: Option<Operator>, wishes: Wishes) -> anyhow::Result<Self> {
        let Wishes { to: asked, token, mut values } = wishes;
        let asked = asked.map(|url| url.trim_end_matches('/').to_owned());
        // The file is about one server: another one's token is not in it.
        let running = running.filter(|server| asked.as_ref().is_none_or(|to| *to == server.url));
        let to = match (asked, &running) {
            (Some(to), _) => to,
            (None, Some(server)) => loopback(server.url.clone())?,
            (None, None) => configured(config)?,
        };
        let public_url = running.as_ref().map(|server| server.public_url.clone());
        let public_url = public_url.or_else(|| config.public_url.clone()).unwrap_or_else(|| to.clone());
        let (account_sid, own_token) = match running {
            Some(server) => (server.account_sid, server.auth_token),
            None => (None, None),
        };
        if let Some(sid) = account_sid.or_else(|| config.twilio.account_sid.clone()) {
            values.entry("account_sid".to_owned()).or_insert(sid);
        }
        Ok(Self {
            signer: Signer {
                public_url: PublicUrl::parse(&public_url)
                    .with_context(|| format!("public url {public_url}"))?,
                token: token.or(own_token).or_else(|| config.twilio.auth_token.clone()),
                values,
            },
            to: base(&to)?,
        })
    }
}

/// `public_url` if it leads to this machine, else the address to listen on.
fn configured(config: &Config) -> anyhow::Result<String> {
    match &config.public_url {
        Some(url) => loopback(url.clone()),
        None if config.server.listen.port() == 0 => {
            bail!("no server is running here: start one with `dialback serve`, or name it with --to URL")
        }
        None => Ok(format!("http://{}", reachable(config.server.listen))),
    }
}

fn loopback(url: String) -> anyhow::Result<String> {
    let parsed = Url::parse(&url).with_context(|| url.clone())?;
    let host = parsed.host_str().unwrap_or_default();
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    if host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback()) {
        return Ok(url);
    }
    bail!(
        "{url} is not on this machine: to send there, say --to {url}; to send here, say --to http://127.0.0.1:PORT"
    )
}

fn base(url: &str) -> anyhow::Result<String> {
    let parsed = Url::parse(url).with_context(|| format!("--to {url}"))?;
    let is_base = matches!(parsed.scheme(), "http" | "https") && parsed.query().is_none();
    if !is_base || parsed.fragment().is_some() {
        bail!("--to {url}: expected a base such as http://127.0.0.1:8000");
    }
    Ok(url.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Env, parse};

    fn config(text: &str) -> Config {
        parse(Some(("test.toml", text)), &Env::default()).unwrap().config
    }

    fn server() -> Operator {
        Operator {
            url: "http://127.0.0.1:4711".into(),
            admin: None,
            key: Secret::new("k"),
            public_url: "https://hooks.example.org/otp".into(),
            account_sid: Some("AC7".into()),
            auth_token: Some(Secret::new("own")),
        }
    }

    fn to(url: &str) -> Wishes {
        Wishes { to: Some(url.to_owned()), ..Wishes::default() }
    }

    #[test]
    fn the_running_server_is_the_target_unless_another_is_named() {
        let config = config("[twilio]\nauth_token = \"configured\"");
        let target = Target::find(&config, Some(server()), Wishes::default()).unwrap();
        assert_eq!(target.to, "http://127.0.0.1:4711");
        assert_eq!(target.signer.public_url.to_string(), "https://hooks.example.org/otp");
        assert_eq!(target.signer.token, Some(Secret::new("own")));
        assert_eq!(target.signer.values["account_sid"], "AC7");
        let other = Target::find(&config, Some(server()), to("http://10.0.0.1:8000/")).unwrap();
        assert_eq!(other.to, "http://10.0.0.1:8000");
        assert_eq!(other.signer.public_url.to_string(), other.to);
        assert_eq!(other.signer.token, Some(Secret::new("configured")));
        assert_eq!(other.signer.values.get("account_sid"), None);
    }

    #[test]
    fn without_a_running_server_the_configuration_says_where() {
        let find = |text: &str| Target::find(&config(text), None, Wishes::default());
        assert_eq!(find("").unwrap().to, "http://127.0.0.1:8000");
        assert_eq!(find("[server]\nlisten = \"127.0.0.1:9000\"").unwrap().to, "http://127.0.0.1:9000");
        assert_eq!(find("public_url = \"http://localhost:81\"").unwrap().to, "http://localhost:81");
        assert_eq!(find("public_url = \"http://[::1]:81\"").unwrap().to, "http://[::1]:81");
        let error = find("[server]\nlisten = \"127.0.0.1:0\"").unwrap_err().to_string();
        assert!(error.contains("dialback serve"), "{error}");
    }

    #[test]
    fn another_machine_must_be_named() {
        let config = config("public_url = \"https://hooks.example.org\"");
        let error = Target::find(&config, None, Wishes::default()).unwrap_err().to_string();
        assert!(error.contains("--to https://hooks.example.org"), "{error}");
        let local = Target::find(&config, None, to("http://127.0.0.1:8000")).unwrap();
        assert_eq!(local.signer.public_url.to_string(), "https://hooks.example.org");
        assert_eq!(
            Target::find(&config, None, to("https://hooks.example.org")).unwrap().to,
            "https://hooks.example.org"
        );
        for wrong in ["hooks.example.org", "ftp://h", "http://h/?a", "http://h#a"] {
            assert!(Target::find(&config, None, to(wrong)).is_err(), "{wrong}");
        }
    }
}
