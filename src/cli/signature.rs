//! `dialback signature`: sign a request, check one, or explain why it fails.

mod known;
#[cfg(test)]
mod tests;
mod vectors;

use super::Global;
use super::out::{errln, outln};
use crate::secret::Secret;
use crate::twilio::explain::{Hints, explain};
use crate::twilio::form::{self, Space};
use crate::twilio::signature::{Algorithm, SharedKey, Signed, Token, Verifier, body_hash, sign_request};
use crate::twilio::url::{Medium, PublicUrl, signing_url};
use anyhow::Context;
use known::Known;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The largest request body or file of vectors that is read, in bytes.
const MAX_FILE: u64 = 64 * 1024 * 1024;

/// Arguments of `dialback signature`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Print the signature of a request
    Sign {
        /// The URL as it is configured at Twilio
        url: String,
        #[command(flatten)]
        request: Box<Request>,
        /// How: HMAC_SHA1, or HMAC_SHA256 for a SharedKey
        #[arg(long, default_value = "HMAC_SHA1", value_parser = read_algorithm)]
        algorithm: Algorithm,
        /// Sign as Twilio does for calls, which leaves the port of an https URL out
        #[arg(long)]
        voice: bool,
    },
    /// Say whether a request's signature is right, or check a file of vectors
    Check {
        /// The full public URL as Twilio uses it
        #[arg(required_unless_present = "vectors")]
        url: Option<String>,
        #[command(flatten)]
        signed: Box<SignedRequest>,
        /// Check every request of a JSON file
        #[arg(long, value_name = "FILE", conflicts_with_all = ["url", "signature"])]
        vectors: Option<PathBuf>,
    },
    /// Say why a request's signature is wrong, by trying what usually goes wrong
    Explain {
        /// The full public URL as the server believes it to be
        url: String,
        #[command(flatten)]
        signed: Box<SignedRequest>,
        /// A host the request may have been for
        #[arg(long = "host", value_name = "HOST[:PORT]")]
        hosts: Vec<String>,
        /// A path prefix that a proxy may have stripped or added
        #[arg(long = "prefix", value_name = "PATH")]
        prefixes: Vec<String>,
        /// Another token that may have signed, such as the secondary one
        #[arg(long = "other-token", value_name = "TOKEN")]
        others: Vec<String>,
    },
}

/// A request and the key it is signed with.
#[derive(Debug, clap::Args)]
struct Request {
    /// A parameter of the form, not encoded; repeat it for more
    #[arg(short = 'd', long = "data", value_name = "NAME=VALUE", conflicts_with = "body_file")]
    data: Vec<String>,
    /// The raw body as it goes over the wire; - is standard input
    #[arg(long, value_name = "FILE")]
    body_file: Option<PathBuf>,
    /// The body is JSON, covered by bodySHA256 in the URL; `sign` adds it where it is missing
    #[arg(long, requires = "body_file")]
    json: bool,
    /// The request's method
    #[arg(long, default_value = "POST", value_parser = |text: &str| Ok::<_, String>(text.to_ascii_uppercase()))]
    method: String,
    /// The auth token; better in a file, where no shell history keeps it
    /// [default: those of the configuration, which has TWILIO_AUTH_TOKEN in it]
    #[arg(long, hide_env_values = true)]
    token: Option<String>,
    /// A file with the auth token
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Of the configured tokens, that of this account
    #[arg(long, value_name = "AC…", conflicts_with_all = ["token", "token_file"])]
    account: Option<String>,
}

#[derive(Debug, clap::Args)]
struct SignedRequest {
    #[command(flatten)]
    request: Request,
    /// The value of X-Twilio-Signature
    #[arg(long, default_value = "", hide_default_value = true)]
    signature: String,
    /// The value of X-Twilio-Webhooks-Signature-Settings; the token is then the key's secret
    #[arg(long, value_name = "VALUE")]
    settings: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// A file that cannot be read or is not what it should be.
pub async fn run(global: &Global, args: Args) -> anyhow::Result<ExitCode> {
    match act(args.action, &|| Known::configured(global)) {
        Ok(outcome) => {
            for line in &outcome.lines {
                outln!("{line}");
            }
            for note in &outcome.notes {
                errln!("{note}");
            }
            Ok(if outcome.good { ExitCode::SUCCESS } else { ExitCode::from(1) })
        }
        Err(error) => {
            errln!("dialback: {error:#}");
            Ok(ExitCode::from(2))
        }
    }
}

/// What is printed where, and whether all is well.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    lines: Vec<String>,
    notes: Vec<String>,
    good: bool,
}

impl Outcome {
    fn line(good: bool, line: impl Into<String>) -> Self {
        Self { lines: vec![line.into()], notes: Vec::new(), good }
    }
}

/// Where tokens come from that nobody gave.
type Configured<'a> = &'a dyn Fn() -> anyhow::Result<Known>;

/// An error is misuse.
fn act(action: Action, configured: Configured<'_>) -> anyhow::Result<Outcome> {
    match action {
        Action::Sign { url, request, algorithm, voice } => {
            print_signature(&url, &request, algorithm, voice, configured)
        }
        Action::Check { vectors: Some(file), .. } => check_file(&file),
        Action::Check { url, signed, .. } => {
            signed.check(&url.context("give a url or --vectors")?, configured)
        }
        Action::Explain { url, signed, hosts, prefixes, others } => {
            signed.explain(&url, &hosts, &prefixes, others, configured)
        }
    }
}

fn print_signature(
    as_configured: &str,
    request: &Request,
    algorithm: Algorithm,
    voice: bool,
    configured: Configured<'_>,
) -> anyhow::Result<Outcome> {
    let body = request.body(as_configured)?;
    let medium = if voice { Medium::Voice } else { Medium::Message };
    let mut url = signing_url(as_configured, medium);
    if request.json && !url.contains("bodySHA256=") {
        url = form::append_to_query(&url, &[("bodySHA256", body_hash(&body))], Space::Plus);
    }
    let mut notes = if url == as_configured { vec![] } else { vec![format!("signed url: {url}")] };
    let secret = match request.secret()? {
        Some(secret) => secret,
        None if algorithm == Algorithm::HmacSha256 => {
            let key = configured()?.shared_key()?;
            notes.push(format!(
                "signed with the shared key {}",
                known::in_words(&key.id, key.account.as_deref())
            ));
            key.secret
        }
        None => {
            let token = configured()?.token(request.account.as_deref())?;
            notes.push(format!("signed with {}", known::in_words(&token.label, token.account.as_deref())));
            token.secret
        }
    };
    let signature = sign_request(&secret, algorithm, &request.signed(&url, &body))?;
    Ok(Outcome { lines: vec![signature], notes, good: true })
}

fn check_file(file: &Path) -> anyhow::Result<Outcome> {
    let name = || file.display().to_string();
    let text = String::from_utf8(read(file)?).with_context(name)?;
    let mut report = vectors::check_vectors(&text).with_context(name)?;
    report.lines.push(format!("{} agreed, {} disagreed", report.agreed, report.disagreed));
    Ok(Outcome { lines: report.lines, notes: vec![], good: report.disagreed == 0 })
}

impl SignedRequest {
    fn check(&self, url: &str, configured: Configured<'_>) -> anyhow::Result<Outcome> {
        let body = self.request.body(url)?;
        let signatures = self.signatures();
        Ok(match self.verifier(configured)?.verify(&self.signed(url, &body, &signatures)) {
            Ok(verified) => {
                let notes = match self.request.secret()? {
                    Some(_) => vec![],
                    None => vec![format!("signed with {}", verified.proof.signer())],
                };
                Outcome { notes, ..Outcome::line(true, "valid") }
            }
            Err(rejection) => Outcome::line(false, format!("not valid: {}: {rejection}", rejection.cause())),
        })
    }

    fn explain(
        &self,
        url: &str,
        hosts: &[String],
        prefixes: &[String],
        others: Vec<String>,
        configured: Configured<'_>,
    ) -> anyhow::Result<Outcome> {
        let body = self.request.body(url)?;
        let signatures = self.signatures();
        let verifier = self.verifier(configured)?;
        let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
        let prefixes: Vec<&str> = prefixes.iter().map(String::as_str).collect();
        let named =
            |(place, secret): (usize, String)| named_token(format!("--other-token {}", place + 1), &secret);
        let tokens: Vec<Token> = others.into_iter().enumerate().map(named).collect();
        let hints = Hints { hosts: &hosts, prefixes: &prefixes, tokens: &tokens };
        let request = self.signed(url, &body, &signatures);
        let found = explain(&verifier, &request, &hints);
        let good = verifier.verify(&request).is_ok();
        Ok(Outcome::line(good, format!("{}: {}", found.cause.code(), found.text)))
    }

    /// The one secret given plays the auth token, and the SharedKey that the settings
    /// name. Without one those of the configuration are tried, whatever account the
    /// request names: that is not asked here.
    fn verifier(&self, configured: Configured<'_>) -> anyhow::Result<Verifier> {
        let Some(secret) = self.request.secret()? else {
            let Known { tokens, shared } = configured()?;
            let only = self.request.account.as_deref();
            let tokens =
                tokens.into_iter().filter(|token| only.is_none() || token.account.as_deref() == only);
            let tokens = tokens.map(|token| {
                let label = known::in_words(&token.label, token.account.as_deref());
                Token { label, account: None, secret: token.secret }
            });
            let shared = shared.into_iter().map(|key| SharedKey { account: None, ..key });
            return Ok(Verifier::new(tokens.collect(), shared.collect())?);
        };
        let parts = self.settings.iter().flat_map(|value| value.split(','));
        let id = parts.filter_map(|part| part.split_once('=')).find(|(name, _)| name.trim() == "key");
        let shared =
            id.map(|(_, id)| SharedKey { id: id.trim().to_owned(), account: None, secret: secret.clone() });
        let token = named_token("the token".to_owned(), secret.expose());
        Ok(Verifier::new(vec![token], shared.into_iter().collect())?)
    }

    fn signatures(&self) -> [&[u8]; 1] {
        [self.signature.trim().as_bytes()]
    }

    fn signed<'a>(&'a self, url: &'a str, body: &'a [u8], signatures: &'a [&'a [u8]]) -> Signed<'a> {
        let settings = self.settings.as_deref();
        Signed { signatures, settings, ..self.request.signed(url, body) }
    }
}

impl Request {
    fn signed<'a>(&'a self, url: &'a str, body: &'a [u8]) -> Signed<'a> {
        let content_type =
            if self.json { "application/json" } else { "application/x-www-form-urlencoded; charset=UTF-8" };
        let content_type = Some(content_type);
        Signed { method: &self.method, url, content_type, body, signatures: &[], settings: None }
    }

    fn body(&self, url: &str) -> anyhow::Result<Vec<u8>> {
        if !url_is_full(url) {
            anyhow::bail!("the url must be a full one, such as https://example.org/twilio/status");
        }
        if self.method == "GET" && !self.data.is_empty() {
            anyhow::bail!("a GET has its parameters in the url: put them there as they were encoded");
        }
        if let Some(file) = &self.body_file {
            return read(file);
        }
        let pair = |text: &String| {
            let pair = text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
            pair.with_context(|| "-d takes NAME=VALUE")
        };
        let pairs = self.data.iter().map(pair).collect::<anyhow::Result<Vec<_>>>()?;
        Ok(form::encode(&pairs, Space::Plus).into_bytes())
    }

    /// The secret that was given; a file wins, because it keeps it better.
    fn secret(&self) -> anyhow::Result<Option<Secret>> {
        let text = match &self.token_file {
            Some(file) => {
                let text = String::from_utf8(read(file)?).with_context(|| file.display().to_string())?;
                text.trim_start_matches('\u{feff}').trim_end_matches(['\r', '\n']).to_owned()
            }
            None => match &self.token {
                Some(token) => token.clone(),
                None => return Ok(None),
            },
        };
        let secret = Secret::new(text);
        if secret.is_empty() {
            anyhow::bail!("the token is empty, which proves nothing");
        }
        Ok(Some(secret))
    }
}

fn named_token(label: String, secret: &str) -> Token {
    Token { label, account: None, secret: Secret::new(secret) }
}

/// Twilio also signs ws and wss; otherwise what is no public URL is misuse.
fn url_is_full(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let known = ["http", "https", "ws", "wss"].iter().any(|name| scheme.eq_ignore_ascii_case(name));
    let place = rest.split(['/', '?', '#']).next().unwrap_or_default();
    known && PublicUrl::parse(&format!("http://{place}")).is_ok()
}

fn read_algorithm(text: &str) -> Result<Algorithm, String> {
    let name = text.replace('-', "_");
    Algorithm::from_name(&name).ok_or_else(|| "expected HMAC_SHA1 or HMAC_SHA256".to_owned())
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let source: Box<dyn Read> = if file == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(file).with_context(|| file.display().to_string())?)
    };
    source.take(MAX_FILE + 1).read_to_end(&mut bytes).with_context(|| file.display().to_string())?;
    if bytes.len() as u64 > MAX_FILE {
        anyhow::bail!("{}: more than {MAX_FILE} bytes", file.display());
    }
    Ok(bytes)
}
