//! `dialback export`: all data as lines of JSON, to keep it or to take it
//! elsewhere. What the lines are is `store::transfer`'s.

use super::Global;
use super::care::{Absent, Place, in_words, progress};
use super::client::Client;
use super::out::{Stdout, errln};
use super::private::take_file;
use super::told::Told;
use crate::store::transfer::{self, Ledger, Line, MAX_LINE};
use crate::store::{Key, Maintenance};
use anyhow::{Context, bail, ensure};
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Arguments of `dialback export`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The file holds telephone numbers, the hashes of API keys and the secrets that sign
events: it is made readable by its owner only; keep it as you keep the store. The
key that codes are derived from is not in it (codes.keys, or local.json beside the
store).

The server may go on running. Each record is whole; what is changed meanwhile is in
the file as it was before or as it is after.")]
pub struct Args {
    /// The file to make, or - for standard output
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,
    /// Go on with a file whose export was cut off
    #[arg(long)]
    resume: bool,
}

/// How often a server that broke off is asked again before any record came, and
/// how long is waited between.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_secs(2);

/// Runs the command.
///
/// # Errors
/// What stopped it, in words for the person at the terminal.
pub async fn run(global: &Global, args: Args) -> anyhow::Result<ExitCode> {
    let config = super::configured::load(global)?.config;
    let Some((mut out, mut ledger)) = begin(&args)? else {
        errln!("{} is whole already", args.file.display());
        return Ok(ExitCode::SUCCESS);
    };
    let place = match Place::find(&config, Absent::Refused).await {
        Ok(place) => place,
        Err(error) => return Err(discarded(&args, &ledger, error)),
    };
    let written = write(&place, &mut *out, &mut ledger).await;
    place.close().await;
    let go_on = || match args.file == Path::new("-") {
        true => "the export was cut off".to_owned(),
        false => {
            format!("the export was cut off; go on with `dialback export {} --resume`", args.file.display())
        }
    };
    written.with_context(go_on)?;
    errln!("exported {}", in_words(ledger.counts().iter().map(|(name, count)| (*name, *count))));
    Ok(ExitCode::SUCCESS)
}

/// A file that was made for nothing is taken away again.
fn discarded(args: &Args, ledger: &Ledger, error: anyhow::Error) -> anyhow::Error {
    if args.file != Path::new("-") && ledger.lines() == 0 {
        let _ = std::fs::remove_file(&args.file);
    }
    error
}

async fn write(place: &Place, out: &mut dyn Output, ledger: &mut Ledger) -> anyhow::Result<()> {
    let bar = progress("exporting", None);
    if ledger.lines() == 0 {
        let header = transfer::header(Timestamp::now(), env!("CARGO_PKG_VERSION"));
        ledger.take(&header)?;
        out.write_all(&header)?;
    }
    let mut source = Source::behind(place, ledger.last());
    while let Some(lines) = source.next(ledger.last()).await? {
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            ledger.take(line)?;
        }
        out.write_all(&lines).context("cannot write")?;
        bar.set_position(ledger.records());
    }
    out.write_all(&ledger.end()).and_then(|()| out.finish()).context("cannot write")?;
    bar.finish_and_clear();
    Ok(())
}

/// Where lines of records come from.
enum Source<'p> {
    Server { client: &'p Client, told: Option<Told>, tries: u32 },
    Store { store: &'p Arc<dyn Maintenance>, export: transfer::Export },
}

impl<'p> Source<'p> {
    fn behind(place: &'p Place, last: Option<Key>) -> Self {
        match place {
            Place::Server(client) => Self::Server { client, told: None, tries: 0 },
            Place::Store(store) => Self::Store { store, export: transfer::Export::after(last) },
        }
    }

    /// The next lines, behind the last record that came.
    async fn next(&mut self, last: Option<Key>) -> anyhow::Result<Option<Vec<u8>>> {
        let (client, told, tries) = match self {
            Self::Store { store, export } => return Ok(export.next(&***store).await?.map(|page| page.lines)),
            Self::Server { client, told, tries } => (client, told, tries),
        };
        loop {
            let event = match told {
                Some(told) => told.next().await,
                None => match client.told(Method::GET, &path(last.as_ref())).await {
                    Ok(begun) => {
                        *told = Some(begun);
                        continue;
                    }
                    Err(error) => Err(error),
                },
            };
            let broken = match event {
                Ok(Some(event)) => match event.name.as_str() {
                    "records" => {
                        *tries = 0;
                        return Ok(Some(event.data));
                    }
                    "done" => return Ok(None),
                    "error" => bail!("{}", event.text()),
                    _ => continue,
                },
                Ok(None) => anyhow::anyhow!("the server's answer broke off"),
                Err(error) => error,
            };
            *told = None;
            *tries += 1;
            ensure!(*tries < TRIES, broken);
            tokio::time::sleep(PAUSE).await;
        }
    }
}

fn path(last: Option<&Key>) -> String {
    match last {
        None => "/operator/export".to_owned(),
        Some(Key { kind, id }) => {
            let id = utf8_percent_encode(id, NON_ALPHANUMERIC);
            format!("/operator/export?kind={}&id={id}", kind.name())
        }
    }
}

/// Where lines go to.
trait Output: Write {
    /// Makes what was written durable.
    fn finish(&mut self) -> io::Result<()>;
}

impl Output for File {
    fn finish(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

impl Output for Stdout {
    fn finish(&mut self) -> io::Result<()> {
        self.flush()
    }
}

/// The output and what is in it already; `None` when it is whole.
fn begin(args: &Args) -> anyhow::Result<Option<(Box<dyn Output>, Ledger)>> {
    let path = &args.file;
    if path == Path::new("-") {
        ensure!(!args.resume, "--resume needs the file that was cut off");
        return Ok(Some((Box::new(Stdout::new()), Ledger::default())));
    }
    if args.resume && path.exists() {
        let resumed = resume(path).with_context(|| format!("cannot go on with {}", path.display()))?;
        return Ok(resumed.map(|(file, ledger)| (Box::new(file) as Box<dyn Output>, ledger)));
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(file) => Ok(Some((Box::new(file), Ledger::default()))),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            bail!("{} is there already: name another file, or add --resume to go on with it", path.display())
        }
        Err(error) => Err(error).with_context(|| format!("cannot make {}", path.display())),
    }
}

/// A file that was cut off, cut behind its last whole line.
fn resume(path: &Path) -> anyhow::Result<Option<(File, Ledger)>> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    take_file(path, &file)?;
    let (mut ledger, mut whole) = (Ledger::default(), 0);
    let mut lines = BufReader::new(&file);
    while let Some(line) = next_line(&mut lines)? {
        if line.last() != Some(&b'\n') {
            break;
        }
        if let Line::Header { version, .. } = ledger.take(&line)? {
            let ours = env!("CARGO_PKG_VERSION");
            ensure!(version == ours, "version {version} began it, and this is {ours}: begin a new file");
        }
        whole += line.len() as u64;
    }
    if ledger.has_ended() {
        return Ok(None);
    }
    file.set_len(whole)?;
    file.seek(SeekFrom::Start(whole))?;
    Ok(Some((file, ledger)))
}

/// The next line with its end, where it has one; `None` when there is nothing
/// more. What is longer than a line may be comes in pieces that are too long.
///
/// # Errors
/// When it cannot be read.
pub fn next_line(from: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let read = from.take(MAX_LINE as u64 + 2).read_until(b'\n', &mut line)?;
    Ok((read > 0).then_some(line))
}
