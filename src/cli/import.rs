//! `dialback import`: takes the data of an export into a store, whatever store
//! it came from.

use super::Global;
use super::care::{Absent, Place, in_words, progress};
use super::client::Client;
use super::export::next_line;
use super::out::{errln, outln};
use crate::store::transfer::{self, Imported, Ledger, Line, Rules};
use crate::store::{Change, Key, Maintenance};
use anyhow::{Context, bail};
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Arguments of `dialback import`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A file is read through and verified before anything is written; from standard input
that is known only at its end. Records that are there and the same are passed over,
so an import that was stopped is simply started again. The server may be running.

What was still to be sent when the export was made is sent by the server that runs
on the store: let only one of two copies send.")]
pub struct Args {
    /// The file of an export, or - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Let records that are there and different become as in the file
    #[arg(long)]
    overwrite: bool,
    /// Write nothing; say what would be done
    #[arg(long)]
    dry_run: bool,
}

/// Records that are handed over together, the bytes at which there are no more
/// of them, and how many such pieces are under way.
const PIECE: usize = Change::MAX_COMMIT;
const PIECE_BYTES: usize = 1024 * 1024;
const IN_FLIGHT: usize = 8;

/// How often a server that cannot be asked now is asked again, and how long is
/// waited between.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_secs(1);

/// Runs the command.
///
/// # Errors
/// What stopped it, in words for the person at the terminal.
pub async fn run(global: &Global, args: Args) -> anyhow::Result<ExitCode> {
    let config = super::configured::load(global)?.config;
    let is_file = args.file != Path::new("-");
    let named = || args.file.display().to_string();
    let records = match is_file {
        true => Some(verify(&mut open(&args.file)?).with_context(named)?),
        false => None,
    };
    let place = Place::find(&config, if args.dry_run { Absent::Empty } else { Absent::Made }).await?;
    let rules = Rules { overwrite: args.overwrite, dry_run: args.dry_run };
    let imported = match is_file {
        true => take_in(&place, &mut open(&args.file)?, records, rules).await,
        false => take_in(&place, &mut io::stdin().lock(), records, rules).await,
    };
    place.close().await;
    let imported = imported
        .with_context(named)
        .context("not all was taken in; what was stays, and the same command goes on with the rest")?;
    say(&imported, rules);
    Ok(ExitCode::SUCCESS)
}

fn open(path: &Path) -> anyhow::Result<BufReader<File>> {
    Ok(BufReader::new(File::open(path).with_context(|| format!("cannot read {}", path.display()))?))
}

/// Reads a file to its end, and each record as what it is; how many there are.
fn verify(from: &mut impl BufRead) -> anyhow::Result<u64> {
    let bar = progress("verifying", None);
    let mut ledger = Ledger::default();
    while let Some(line) = next_line(from)? {
        if let Line::Record(key, body) = ledger.take(&line)? {
            transfer::facts(&key, &body, ledger.lines())?;
        }
        bar.set_position(ledger.records());
    }
    ledger.finish()?;
    bar.finish_and_clear();
    Ok(ledger.records())
}

/// Some records on their way, and the line of the first.
#[derive(Default)]
struct Piece {
    line: u64,
    bytes: usize,
    records: Vec<(Key, Vec<u8>)>,
}

async fn take_in(
    place: &Place,
    from: &mut impl BufRead,
    of: Option<u64>,
    rules: Rules,
) -> anyhow::Result<Imported> {
    let bar = progress("importing", of);
    let (mut ledger, mut imported) = (Ledger::default(), Imported::default());
    let mut under_way = FuturesUnordered::new();
    let mut piece = Piece::default();
    loop {
        let line = next_line(from)?;
        if let Some(line) = &line
            && let Line::Record(key, body) = ledger.take(line)?
        {
            if piece.records.is_empty() {
                piece.line = ledger.lines();
            }
            piece.bytes += line.len();
            piece.records.push((key, body));
        }
        let is_full = piece.records.len() == PIECE || piece.bytes >= PIECE_BYTES;
        if is_full || line.is_none() && !piece.records.is_empty() {
            under_way.push(hand_over(place, std::mem::take(&mut piece), rules));
        }
        while under_way.len() >= IN_FLIGHT || line.is_none() {
            let Some(done) = under_way.next().await else { break };
            imported.add(done?);
            bar.set_position(imported.records());
        }
        if line.is_none() {
            break;
        }
    }
    ledger.finish()?;
    bar.finish_and_clear();
    Ok(imported)
}

async fn hand_over(place: &Place, piece: Piece, rules: Rules) -> anyhow::Result<Imported> {
    match place {
        Place::Store(store) => {
            let store: &dyn Maintenance = &**store;
            Ok(transfer::import(store, &piece.records, piece.line, rules).await?)
        }
        Place::Server(client) => hand_in(client, piece, rules).await,
    }
}

async fn hand_in(client: &Client, piece: Piece, rules: Rules) -> anyhow::Result<Imported> {
    let mut lines = Vec::with_capacity(piece.bytes);
    for (key, body) in &piece.records {
        lines.extend(transfer::record(key, body)?);
    }
    let Rules { overwrite, dry_run } = rules;
    let path = format!("/operator/import?line={}&overwrite={overwrite}&dry_run={dry_run}", piece.line);
    for attempt in 1.. {
        let problem = match client.lines(&path, lines.clone()).await {
            // Busy, or gone for a moment: to hand the same in twice does no harm.
            Ok(answer) if answer.status == 503 => answer.done().map(|_| ()).err(),
            Ok(answer) => return Ok(serde_json::from_value(answer.done()?)?),
            Err(error) => Some(error),
        };
        if let Some(problem) = problem.filter(|_| attempt >= TRIES) {
            return Err(problem);
        }
        tokio::time::sleep(PAUSE).await;
    }
    bail!("the server could not be asked")
}

fn say(imported: &Imported, rules: Rules) {
    let Imported { added, equal, replaced, kept, different } = imported;
    let words = [
        ("added", *added),
        ("there already", *equal),
        ("replaced", *replaced),
        ("different and kept", *kept),
    ];
    let words = words.into_iter().filter(|(_, count)| *count > 0);
    outln!("{}{}", if rules.dry_run { "would be: " } else { "" }, in_words(words));
    if *kept > 0 {
        errln!("kept as they are in the store, --overwrite takes them from the file; the first are:");
        different.iter().for_each(|key| errln!("  {key}"));
    }
}
