//! What a webhook, a verification, a check and a page cost, end to end:
//! `cargo bench --bench webhooks`.
//!
//! This process drives `dialback serve` (a process of its own, its store on
//! the disk) over loopback with signed callbacks and an application's requests, and beside it, in
//! alternating runs, the same accept loop answering 204 without doing
//! anything. What counts are the ratios: both share the machine, the client
//! and the noise of the moment.
//!
//! ```text
//! cargo bench --bench webhooks -- [--quick] [--seconds N] [--rounds N]
//!     [--connections N,N] [--only TEXT] [--targets empty,off,json,memory]
//! ```
//!
//! Targets: `empty` (no work), `off` (the store on disk, no log), `json` (the
//! same with the log of `serve` at level info, as JSON, into a file), `memory`
//! (no log, no disk: what is left is not the store's), `before` (as `off`, by the
//! binary that `DIALBACK_BENCH_BEFORE` names: another commit beside this one), and
//! `limited` (as `off`, with every rule of `[limits]` on, those of keys, services and
//! countries as wide as the load; all others count nothing, for they would end it):
//! `-- --only create --targets off,limited` says what limits cost a start.
//!
//! ```text
//! cargo bench --bench webhooks -- --stored 1000,1000000,5000000
//!     [--seconds N] [--rounds N] [--connections N]
//! cargo bench --bench webhooks -- --processes 1,3 [--postgres URL] […]
//! cargo bench --bench webhooks -- --verifications 1,3 [--postgres URL] […]
//! ```
//!
//! measure durable status callbacks where so many deliveries are stored
//! already; over several processes on one PostgreSQL (the URL, or
//! `DIALBACK_TEST_POSTGRES`); and whole verifications there, each from its start to
//! the right code, with the ratio of each number of processes to the first.

mod load;
mod report;
mod requests;
mod stored;
mod target;
mod verified;

use load::Load;
use report::{Row, Run};
use requests::{Kind, Order, Script};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;
use target::Target;

/// Requests made ready for a second of load: more than this machine answers.
const PER_SECOND: usize = 60_000;

/// What one line of the table is about.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Scenario {
    kind: Kind,
    order: Order,
    /// Whether a connection carries many requests or one.
    kept: bool,
    connections: usize,
}

impl Scenario {
    fn name(&self) -> String {
        let connection = if self.kept { "kept" } else { "new" };
        format!("{} {} {connection} {}", self.kind, self.order, self.connections)
    }
}

struct Options {
    seconds: f64,
    rounds: usize,
    connections: Vec<usize>,
    only: String,
    targets: Vec<Target>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(path) = value(&arguments, target::EMPTY) {
        target::serve_empty(path.as_ref());
        return ExitCode::SUCCESS;
    }
    let options = options(&arguments);
    if let Some(counts) = value(&arguments, "--stored") {
        stored::deliveries(&numbers(counts), &options);
        return ExitCode::SUCCESS;
    }
    let url = || {
        let url = value(&arguments, "--postgres").cloned();
        url.or_else(|| std::env::var("DIALBACK_TEST_POSTGRES").ok()).expect("--postgres URL")
    };
    if let Some(counts) = value(&arguments, "--processes") {
        stored::processes(&numbers(counts), &url(), &options);
        return ExitCode::SUCCESS;
    }
    if let Some(counts) = value(&arguments, "--verifications") {
        verified::processes(&numbers(counts), &url(), &options);
        return ExitCode::SUCCESS;
    }
    let mut rows = Vec::new();
    for scenario in scenarios(&options) {
        let runs = measure(&scenario, &options);
        let row = Row::of(scenario, runs);
        if rows.is_empty() {
            println!("{}", report::HEAD);
        }
        print!("{row}");
        rows.push(row);
    }
    report::limits(&rows);
    report::summary(&rows);
    ExitCode::SUCCESS
}

fn value<'a>(arguments: &'a [String], name: &str) -> Option<&'a String> {
    let at = arguments.iter().position(|argument| argument == name)?;
    arguments.get(at + 1)
}

/// A text in a JSON object.
fn value_of(json: &str, name: &str) -> String {
    let object: serde_json::Value = serde_json::from_str(json).expect(json);
    object[name].as_str().expect(json).to_owned()
}

fn numbers(list: &str) -> Vec<usize> {
    list.split(',').map(|text| text.parse().expect("a number")).collect()
}

fn options(arguments: &[String]) -> Options {
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let number = |name, usual| value(arguments, name).map_or(usual, |text| text.parse().expect("a number"));
    let list = |name, usual: &str| {
        let text = value(arguments, name).map_or(usual, String::as_str);
        text.split(',').map(str::to_owned).collect::<Vec<_>>()
    };
    let connections = list("--connections", if quick { "32" } else { "1,32,256" });
    Options {
        seconds: number("--seconds", if quick { 1.0 } else { 2.0 }),
        rounds: number("--rounds", if quick { 1.0 } else { 3.0 }) as usize,
        connections: numbers(&connections.join(",")),
        only: value(arguments, "--only").cloned().unwrap_or_default(),
        targets: list("--targets", "empty,off,json").iter().map(|name| Target::named(name)).collect(),
    }
}

fn scenarios(options: &Options) -> Vec<Scenario> {
    let mut all = Vec::new();
    for kept in [true, false] {
        for &connections in &options.connections {
            for order in [Order::InOrder, Order::Shuffled] {
                all.push(Scenario { kind: Kind::Status, order, kept, connections });
            }
            for kind in [Kind::Rejected, Kind::Voice, Kind::Create, Kind::Check, Kind::Page] {
                all.push(Scenario { kind, order: Order::InOrder, kept, connections });
            }
        }
    }
    all.retain(|scenario| scenario.name().contains(&options.only));
    all
}

/// One after the other, round by round, so that no target has the quiet hour.
fn measure(scenario: &Scenario, options: &Options) -> Vec<Run> {
    let span = Duration::from_secs_f64(options.seconds);
    let (kind, kept) = (scenario.kind, scenario.kept);
    let most = (options.seconds * PER_SECOND as f64) as usize;
    let prepared = (!kind.needs_making()).then(|| {
        Rc::new(match kind {
            Kind::Create => requests::create(kept, most),
            kind => requests::status(kind, scenario.order, kept, most, requests::SEED),
        })
    });
    let mut runs = Vec::new();
    for _ in 0..options.rounds {
        for target in &options.targets {
            let server = target.start();
            let load = |script: &Rc<Script>, span| {
                load::drive(Load {
                    addrs: vec![server.addr],
                    script: Rc::clone(script),
                    kept: scenario.kept,
                    connections: scenario.connections,
                    span,
                    expected: if *target == Target::Empty { 204 } else { scenario.kind.answer() },
                })
            };
            let script = prepared.clone().unwrap_or_else(|| {
                // Checks take the most making, and are answered more slowly.
                let most = if kind == Kind::Check { most / 3 } else { most };
                let script = server.script(*target, kind, kept, most);
                // Each call is bound by its first request; the rest is reading.
                if kind == Kind::Voice {
                    load(&Rc::new(script.head(target::CALLS)), Duration::from_secs(60));
                }
                Rc::new(script)
            });
            let before = server.cpu();
            let done = load(&script, span);
            let cpu = server.cpu() - before;
            runs.push(Run::of(*target, done, cpu, server.bytes_on_disk(), server.peak_memory()));
            server.stop();
        }
    }
    runs
}
