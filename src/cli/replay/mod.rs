//! `dialback replay`: recorded webhooks, signed afresh and sent.

pub mod http_file;
pub mod prepare;
pub mod send;
pub mod target;

use super::Global;
use super::out::{errln, out, outln};
use crate::secret::Secret;
use anyhow::{Context, bail};
use http_file::HttpFile;
use indicatif::{ProgressBar, ProgressStyle};
use prepare::{Prepared, Signer};
use send::{Plan, Sender, Totals};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use target::{Target, Wishes};

/// The longest file that is read, in bytes.
const MAX_FILE: u64 = 16 * 1024 * 1024;
/// The most requests of one run, repetitions included.
const MAX_REQUESTS: usize = 10_000_000;
/// The most mismatches that are listed.
const MAX_LISTED: usize = 50;

/// Arguments of `dialback replay`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Each request is signed for the server's public URL and its own path, because
that is what the server checks, and sent to --to: `public_url` of the
configuration may lead through a proxy or a tunnel, and --to past it. Where no
public URL is configured it is the server's own address.

Requests are signed with the auth token of --token-file, of the server that
runs on the configured store, or of the configuration (TWILIO_AUTH_TOKEN). One
that brings a signature instead of {{signature}} goes out as it is.

A repeated request is the same request: same SIDs, same idempotency token. A
server counts it once.

Exit code: 0 when every answer was the one of its `# @expect`, 1 when not, 2
when nothing could be sent.")]
pub struct Args {
    /// .http files, or directories of them
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Where to send them [default: the server that runs here; never another machine]
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// Send each request so many times, unchanged
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    repeat: u32,
    /// Mix the order, the same way for the same seed
    #[arg(long, value_name = "SEED")]
    shuffle: Option<u64>,
    /// Requests under way at once; with 1 they go out in order
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    concurrency: u16,
    /// A value for a {{name}} of the files, before their own
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pair)]
    values: Vec<(String, String)>,
    /// A file with the auth token to sign with
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// None: what stopped it is printed, and the exit code is 2.
pub async fn run(global: &Global, args: Args) -> anyhow::Result<ExitCode> {
    match replay(global, args).await {
        Ok(true) => Ok(ExitCode::SUCCESS),
        Ok(false) => Ok(ExitCode::from(1)),
        Err(error) => {
            errln!("dialback: {error:#}");
            Ok(ExitCode::from(2))
        }
    }
}

/// A request with the place it came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// Where it stands, as `FILE:LINE`.
    pub place: String,
    /// What stands after `###`.
    pub title: String,
    /// What is sent.
    pub prepared: Prepared,
}

/// Reads and signs all requests of these files; of a directory, those of its
/// `.http` files in order of their names.
///
/// # Errors
/// The first file that cannot be read or used, with its line.
pub fn load(paths: &[PathBuf], signer: &Signer) -> anyhow::Result<Vec<Loaded>> {
    let mut loaded = Vec::new();
    for path in files(paths)? {
        let name = path.display();
        let file = HttpFile::parse(&read(&path)?)
            .map_err(|misread| anyhow::anyhow!("{name}:{}: {}", misread.line, misread.what))?;
        for request in &file.requests {
            let place = format!("{name}:{}", request.line);
            let prepared =
                signer.prepare(&file, request).map_err(|what| anyhow::anyhow!("{place}: {what}"))?;
            loaded.push(Loaded { place, title: request.title.clone(), prepared });
        }
    }
    Ok(loaded)
}

/// Sends loaded requests, and calls `each` after every answer.
///
/// # Errors
/// The first request that HTTP cannot carry, before any is sent.
pub async fn send(to: &str, requests: &[Loaded], plan: Plan, each: impl FnMut()) -> anyhow::Result<Totals> {
    let prepared: Vec<Prepared> = requests.iter().map(|request| request.prepared.clone()).collect();
    let sender = Sender::new(to, &prepared).map_err(|(place, what)| match place {
        Some(place) => anyhow::anyhow!("{}: {what}", requests[place].place),
        None => anyhow::anyhow!(what),
    })?;
    Ok(sender.send_all(plan, each).await)
}

/// True when every answer was the expected one.
async fn replay(global: &Global, args: Args) -> anyhow::Result<bool> {
    let config = super::configured::load(global)?.config;
    let wishes = Wishes {
        to: args.to,
        token: args.token_file.as_deref().map(token).transpose()?,
        values: args.values.into_iter().collect(),
    };
    let target = Target::find(&config, target::running(&config)?, wishes)?;
    let requests = load(&args.files, &target.signer)?;
    let count = requests.len().saturating_mul(usize::try_from(args.repeat).unwrap_or(usize::MAX));
    if count > MAX_REQUESTS {
        bail!("{count} requests are too many: at most {MAX_REQUESTS} in one run");
    }
    let plan =
        Plan { repeat: args.repeat, shuffle: args.shuffle, concurrency: usize::from(args.concurrency) };
    // Draws nothing when standard error is not a terminal.
    let bar = ProgressBar::new(count as u64).with_style(style()).with_message(target.to.clone());
    let totals = send(&target.to, &requests, plan, || bar.inc(1)).await?;
    bar.finish_and_clear();
    if let (true, Some(answer)) = (totals.times.is_empty(), totals.answers.keys().next()) {
        bail!("{}: {answer}: is `dialback serve` running? --to URL names another place", target.to);
    }
    outln!("{} to {}, signed for {}", counted(count, "request"), target.to, target.signer.public_url);
    out!("{}", summary(&requests, &totals));
    Ok(totals.mismatches.is_empty())
}

fn summary(requests: &[Loaded], totals: &Totals) -> String {
    let mut text = String::new();
    let mut line = |line: String| _ = writeln!(text, "{line}");
    let answers: Vec<String> =
        totals.answers.iter().map(|(answer, count)| format!("{answer} × {count}")).collect();
    line(answers.join(", "));
    for ((place, answer), count) in totals.mismatches.iter().take(MAX_LISTED) {
        let Loaded { place, title, prepared } = &requests[*place];
        let expected = prepared.expect.map_or("an answer".to_owned(), |status| status.to_string());
        let times = if *count == 1 { String::new() } else { format!(" × {count}") };
        let title = if title.is_empty() { String::new() } else { format!(" ({title})") };
        line(format!("{place}: expected {expected}, got {answer}{times}{title}"));
    }
    if totals.mismatches.len() > MAX_LISTED {
        line(format!("… and {} more", totals.mismatches.len() - MAX_LISTED));
    }
    if let (Some(half), Some(most)) = (totals.percentile(50), totals.percentile(99)) {
        line(format!("p50 {}, p99 {}", milliseconds(half), milliseconds(most)));
    }
    text
}

fn milliseconds(span: Duration) -> String {
    format!("{:.1} ms", span.as_secs_f64() * 1000.0)
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{msg} [{wide_bar}] {pos}/{len} {per_sec} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

fn files(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        let cannot = || path.display().to_string();
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let mut inside = Vec::new();
        for entry in std::fs::read_dir(path).with_context(cannot)? {
            let entry = entry.with_context(cannot)?.path();
            if entry.extension().is_some_and(|extension| extension == "http") {
                inside.push(entry);
            }
        }
        if inside.is_empty() {
            bail!("{}: there is no .http file in this directory", path.display());
        }
        inside.sort_unstable();
        files.append(&mut inside);
    }
    Ok(files)
}

fn read(path: &Path) -> anyhow::Result<String> {
    use std::io::Read;
    let name = || path.display().to_string();
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).with_context(name)?;
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).with_context(name)?;
    if bytes.len() as u64 > MAX_FILE {
        bail!("{}: longer than {MAX_FILE} bytes", path.display());
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) => {
            let line = 1 + error.as_bytes()[..error.utf8_error().valid_up_to()]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count();
            bail!("{}:{line}: expected an .http file, which is UTF-8 text", path.display())
        }
    }
}

fn token(path: &Path) -> anyhow::Result<Secret> {
    let text = read(path)?;
    let token = text.trim_start_matches('\u{feff}').trim_end_matches(['\r', '\n']);
    if token.is_empty() {
        bail!("{}: there is no token in it", path.display());
    }
    Ok(Secret::new(token))
}

fn pair(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
    pair.map(|(name, value)| (name.to_owned(), value.to_owned())).ok_or("expected NAME=VALUE".to_owned())
}

#[cfg(test)]
mod tests;
