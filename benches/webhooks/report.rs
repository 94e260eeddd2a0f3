//! Figures as people read them: medians of alternating rounds, and ratios.

use crate::Scenario;
use crate::load::Done;
use crate::requests::{Kind, Order};
use crate::target::Target;
use std::fmt;
use std::time::Duration;

pub const HEAD: &str = "\
scenario                    target   req/s  ratio  p50 ms  p99 ms  cpu µs/req  cpu ratio  bytes/event  peak MB";

/// One target, once.
pub struct Run {
    target: Target,
    rate: f64,
    p50: f64,
    p99: f64,
    /// Of the server, in microseconds for each request.
    cpu: f64,
    bytes: f64,
    memory: f64,
}

impl Run {
    pub fn of(target: Target, done: Done, cpu: Duration, bytes: u64, memory: u64) -> Self {
        let requests = done.requests.max(1) as f64;
        let millis = |quantile| done.latency.value_at_quantile(quantile) as f64 / 1000.0;
        Self {
            target,
            rate: done.requests as f64 / done.elapsed.as_secs_f64(),
            p50: millis(0.5),
            p99: millis(0.99),
            cpu: cpu.as_micros() as f64 / requests,
            bytes: bytes as f64 / requests,
            memory: memory as f64 / 1e6,
        }
    }
}

/// A scenario with the median of each figure of each target.
pub struct Row {
    scenario: Scenario,
    medians: Vec<Run>,
}

impl Row {
    pub fn of(scenario: Scenario, runs: Vec<Run>) -> Self {
        let mut targets = Vec::new();
        for run in &runs {
            if !targets.contains(&run.target) {
                targets.push(run.target);
            }
        }
        let of = |target| {
            let median = |figure: fn(&Run) -> f64| {
                let runs = runs.iter().filter(|run| run.target == target);
                let mut figures: Vec<f64> = runs.map(figure).collect();
                figures.sort_by(f64::total_cmp);
                figures[figures.len() / 2]
            };
            Run {
                target,
                rate: median(|run| run.rate),
                p50: median(|run| run.p50),
                p99: median(|run| run.p99),
                cpu: median(|run| run.cpu),
                bytes: median(|run| run.bytes),
                memory: median(|run| run.memory),
            }
        };
        Self { scenario, medians: targets.into_iter().map(of).collect() }
    }

    fn run(&self, target: Target) -> Option<&Run> {
        self.medians.iter().find(|run| run.target == target)
    }

    /// What the store grew by for an event, where events were stored.
    fn bytes(&self, run: &Run) -> String {
        let stored = self.scenario.kind == Kind::Status
            && matches!(run.target, Target::Off | Target::Json | Target::Limited | Target::Before);
        if stored { format!("{:.0}", run.bytes) } else { "-".to_owned() }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let empty = self.run(Target::Empty);
        for run in &self.medians {
            let ratio = |figure: fn(&Run) -> f64| {
                empty.map_or("-".to_owned(), |empty| format!("{:.2}", figure(run) / figure(empty)))
            };
            writeln!(
                out,
                "{:<26}  {:<7} {:>6.0}  {:>5}  {:>6.2}  {:>6.2}  {:>10.1}  {:>9}  {:>11}  {:>7.0}",
                self.scenario.name(),
                run.target,
                run.rate,
                ratio(|run| run.rate),
                run.p50,
                run.p99,
                run.cpu,
                ratio(|run| run.cpu),
                self.bytes(run),
                run.memory,
            )?;
        }
        Ok(())
    }
}

/// What limits cost, where both were measured: the aim is three quarters.
pub fn limits(rows: &[Row]) {
    for row in rows {
        if let (Some(off), Some(limited)) = (row.run(Target::Off), row.run(Target::Limited)) {
            let ratio = limited.rate / off.rate;
            println!("{}: with all limits on {ratio:.2} of the requests without any", row.scenario.name());
        }
    }
}

/// The lines for the README: the aims beside what was reached.
pub fn summary(rows: &[Row]) {
    println!(
        "\n| | requests/s | of the empty server | p50 ms | p99 ms | server CPU µs |\n|---|---|---|---|---|---|"
    );
    for row in rows.iter().filter(|row| row.scenario.order == Order::InOrder) {
        let Some(empty) = row.run(Target::Empty) else {
            continue;
        };
        for run in row
            .medians
            .iter()
            .filter(|run| matches!(run.target, Target::Off | Target::Json | Target::Limited | Target::Before))
        {
            println!(
                "| {}, log {} | {:.0} | {:.0} % | {:.1} | {:.1} | {:.0} |",
                words(&row.scenario),
                match run.target {
                    Target::Json => "json",
                    Target::Before => "off, the build before",
                    Target::Limited => "off, all limits on",
                    _ => "off",
                },
                run.rate,
                100.0 * run.rate / empty.rate,
                run.p50,
                run.p99,
                run.cpu,
            );
        }
    }
}

fn words(scenario: &Scenario) -> String {
    let what = match scenario.kind {
        Kind::Status => "status callback, durable",
        Kind::Rejected => "rejected signature",
        Kind::Voice => "voice answer",
        Kind::Create => "verification started, durable",
        Kind::Check => "code checked, durable",
        Kind::Page => "first hosted page",
    };
    let how = if scenario.kept { "kept alive" } else { "a new connection each" };
    format!("{what}, {} {how}", scenario.connections)
}
