//! What would make the embedded store quicker, side by side: the store as it is, with
//! less to write, with a journal in front, and with another allocator.
//!
//! `cargo bench --bench speed` prints the tables of `docs/performance.md`, in about four
//! minutes. Each measurement is a process of its own on a fresh store, on the disk that
//! holds `target`; the variants alternate, round by round, and what is printed are the
//! medians, and those of the ratios of runs that stood side by side.
//!
//! `-- [--rounds N] [--writers N,N] [--only TEXT]`: fewer of everything.

mod allocator;
#[path = "../common/footprint.rs"]
mod footprint;
mod journal;
mod lives;
#[path = "../common/memory.rs"]
mod memory;
mod replay;

use lives::Lives;
use replay::{Figures, Variant};
use std::process::Command;
use tempfile::TempDir;

#[global_allocator]
static CHOSEN: allocator::Chosen = allocator::Chosen;

/// Lives that are run through the service, from which all others are made.
const RECORDED: usize = 64;

fn main() {
    // Run as a test, it is only there to be compiled.
    let args: Vec<String> = std::env::args().collect();
    if args.iter().any(|arg| arg == "--test") {
        return;
    }
    let after = |name: &str| args.get(args.iter().position(|arg| arg == name)? + 1);
    let number = |name: &str| after(name).map(|number| number.parse::<usize>().expect("a number"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let lives = runtime.block_on(Lives::record(RECORDED));
    if let Some(variant) = after("--variant") {
        let writers = number("--of").expect("a number of writers");
        let figures =
            runtime.block_on(replay::run(Variant::named(variant), lives, writers, directory().path()));
        return println!("{figures}");
    }
    sets(&lives);
    let writers: Vec<usize> = after("--writers").map_or_else(
        || vec![1, 16, 64, 256],
        |list| list.split(',').map(|text| text.parse().expect("a number")).collect(),
    );
    let only = after("--only").map(String::as_str).unwrap_or_default();
    let variants: Vec<Variant> = Variant::ALL
        .into_iter()
        .filter(|variant| *variant == Variant::AsItIs || variant.name().contains(only))
        .collect();
    table(&variants, &writers, number("--rounds").unwrap_or(3));
}

/// What a commit of each kind puts into the store.
fn sets(lives: &Lives) {
    println!("| commit | records | their bytes | lines of listings | due entries |");
    println!("|---|---|---|---|---|");
    for step in lives.first() {
        let bytes: usize = step.changes.iter().filter_map(|change| change.body.as_ref()).map(Vec::len).sum();
        let lines =
            |change: &dialback::store::Change| change.entries_added.len() + change.entries_removed.len();
        let lines: usize = step.changes.iter().map(lines).sum();
        let moved = step.changes.iter().filter(|change| change.due_before != change.due_after);
        let due: usize = moved
            .map(|change| usize::from(change.due_before.is_some()) + usize::from(change.due_after.is_some()))
            .sum();
        let kinds: Vec<String> = step.changes.iter().map(|change| format!("{:?}", change.key.kind)).collect();
        println!("| {} | {} | {bytes} | {lines} | {due} |", step.name, kinds.join(", "));
    }
    println!();
}

fn table(variants: &[Variant], writers: &[usize], rounds: usize) {
    let mut medians: Vec<Vec<(Figures, f64)>> = variants.iter().map(|_| Vec::new()).collect();
    for &writers in writers {
        let all: Vec<Vec<Figures>> =
            (0..rounds).map(|_| variants.iter().map(|variant| again(*variant, writers)).collect()).collect();
        for (nth, medians) in medians.iter_mut().enumerate() {
            let ratio = median(all.iter().map(|round| round[nth].rate / round[0].rate));
            let of = |figure: fn(&Figures) -> f64| median(all.iter().map(|round| figure(&round[nth])));
            let figures = Figures {
                rate: of(|f| f.rate),
                cpu: of(|f| f.cpu),
                memory: of(|f| f.memory),
                disk: of(|f| f.disk),
            };
            medians.push((figures, ratio));
        }
    }
    let heads: String =
        writers.iter().map(|n| format!(" {n} writers: commits/s | of it | cpu µs |")).collect();
    println!("| store |{heads} memory MB | bytes on disk |");
    println!("|---|{}---|---|", "---|---|---|".repeat(writers.len()));
    for (variant, medians) in variants.iter().zip(medians) {
        let cells: String = medians
            .iter()
            .map(|(figures, ratio)| format!(" {:.0} | {ratio:.2} | {:.1} |", figures.rate, figures.cpu))
            .collect();
        let Some((last, _)) = medians.last() else { continue };
        println!("| {} |{cells} {:.0} | {:.0} |", variant.name(), last.memory / 1e6, last.disk);
    }
}

/// One measurement, by this program again.
fn again(variant: Variant, writers: usize) -> Figures {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--variant", variant.name(), "--of", &writers.to_string()]);
    command.env_remove(allocator::VARIABLE);
    if variant.has_mimalloc() {
        command.env(allocator::VARIABLE, "1");
    }
    let output = command.output().expect("this program starts");
    let text = String::from_utf8_lossy(&output.stdout);
    Figures::parse(&text)
        .unwrap_or_else(|| panic!("{}: {text}{}", variant.name(), String::from_utf8_lossy(&output.stderr)))
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// On the disk that holds `target`.
fn directory() -> TempDir {
    let base = std::env::current_dir().expect("a directory to work in").join("target");
    tempfile::tempdir_in(base).expect("a directory on the disk")
}
