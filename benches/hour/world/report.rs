//! The table of an hour.

use super::tally::{Tally, WITHIN};
use std::fmt;
use std::time::Duration;

/// An hour with one seed, under each policy.
#[derive(Debug, Clone)]
pub struct Report {
    pub seed: u64,
    pub minutes: u32,
    pub healthy: bool,
    pub tallies: Vec<Tally>,
    pub took: Duration,
}

impl Report {
    /// What must not be and is, in words: of each policy, and where all is healthy that one
    /// of them sent more than another.
    pub fn wrong(&self) -> Vec<String> {
        let cases = self.tallies.iter().flat_map(|tally| {
            tally.wrong.all().map(move |case| format!("{}: {case}", tally.policy.as_str()))
        });
        let mut wrong: Vec<String> = cases.collect();
        let counts = self.tallies.iter().map(|tally| (tally.policy.as_str(), tally.messages()));
        if self.healthy
            && let (Some(least), Some(most)) =
                (counts.clone().min_by_key(|(_, count)| *count), counts.max_by_key(|(_, count)| *count))
            && least.1 != most.1
        {
            wrong.push(format!("healthy: {} sent {}, {} sent {}", least.0, least.1, most.0, most.1));
        }
        wrong
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.healthy { "everything healthy" } else { "awkward" };
        let people = self.tallies.first().map_or(0, |tally| tally.people);
        writeln!(f, "Seed {}, {} minutes, {people} people, {state}:\n", self.seed, self.minutes)?;
        let within = WITHIN.map(|seconds| format!("{seconds} s")).join(" | ");
        writeln!(
            f,
            "| policy | {within} | ever | approved | texts | whatsapp | calls | messages per verification | cost per approved | after death | without reason | over limits |"
        )?;
        writeln!(f, "|{}", "---|".repeat(14))?;
        self.tallies.iter().try_for_each(|tally| row(f, tally))?;
        for tally in &self.tallies {
            for (why, count) in &tally.refused {
                writeln!(f, "- {}, {count} times: {why}", tally.policy.as_str())?;
            }
        }
        Ok(())
    }
}

fn row(f: &mut fmt::Formatter<'_>, tally: &Tally) -> fmt::Result {
    let share = |count: usize| format!("{:.1} %", 100.0 * count as f64 / tally.people.max(1) as f64);
    let [thirty, sixty, hundred, ever] = tally.reached.map(share);
    let [texts, whatsapps, calls] = tally.made;
    let each = tally.messages() as f64 / tally.verifications.max(1) as f64;
    let cost = tally.micros as f64 / 1e6 / tally.approved.max(1) as f64;
    let wrong = &tally.wrong;
    writeln!(
        f,
        "| {} | {thirty} | {sixty} | {hundred} | {ever} | {} | {texts} | {whatsapps} | {calls} | {each:.3} | ${cost:.4} | {} | {} | {} |",
        tally.policy.as_str(),
        share(tally.approved),
        wrong.after_death.len(),
        wrong.without_reason.len(),
        wrong.exceeded.len(),
    )
}
