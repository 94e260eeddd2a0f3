//! A world that asks for codes, made of one file of parameters, and what becomes of it
//! under each model of fraud. It knows nothing of a server: requests are told as the
//! signals are told of them.

pub mod arguments;
mod asked;
mod attack;
pub mod attackers;
pub mod authgear;
pub mod chance;
mod checks;
mod honest;
mod life;
mod limits;
pub mod models;
mod ours;
pub mod parameters;
pub mod people;
pub mod policy;
pub mod report;
mod tally;
mod text;
pub mod visits;

pub use arguments::Arguments;
use parameters::World;
use policy::Policy;
use report::Report;

use std::time::Instant;

/// The parameters that there are without a file.
pub const WORLD: &str = include_str!("../world.toml");

/// Runs the world once for each seed.
pub fn run(arguments: &Arguments) -> Result<Vec<Report>, String> {
    let world = arguments.world(WORLD)?;
    let policy = arguments.policy()?;
    let seeds = arguments.seeds.as_ref().unwrap_or(&world.seeds);
    let one = |seed: &u64| run_once(&world, &policy, *seed, &arguments.models);
    let reports: Result<Vec<Report>, String> = seeds.iter().map(one).collect();
    Ok(reports?.into_iter().map(|report| Report { why: arguments.why, ..report }).collect())
}

/// Lets each of these models live through the world.
pub fn run_once(world: &World, policy: &Policy, seed: u64, names: &[&'static str]) -> Result<Report, String> {
    let begun = Instant::now();
    let stream = visits::Stream::new(world, seed);
    let generated = begun.elapsed();
    let policy = Policy { stale_seconds: world.provider.stale_seconds, ..policy.clone() };
    let mut lives = Vec::new();
    for name in names {
        let mut model = models::named(name, &policy)?;
        lives.push((*name, life::live(world, &stream, seed, model.as_mut())));
    }
    Ok(Report::new(world, &stream, (seed, generated), lives))
}
