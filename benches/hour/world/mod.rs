//! An hour in which Twilio is awkward: people who verify their numbers, at the real service
//! with its jobs and webhooks, over the real gateway and the real sandbox, in virtual time.

pub mod arguments;
#[path = "../../fraud/world/chance.rs"]
mod chance;
mod far;
mod house;
mod life;
pub mod network;
pub mod parameters;
pub mod people;
pub mod policy;
pub mod report;
mod stage;
pub mod tally;
mod wire;

pub use arguments::Arguments;
use parameters::World;
use policy::Policy;
use report::Report;
use tally::Tally;

use std::sync::Arc;
use std::time::Instant;

/// The parameters that there are without a file.
pub const WORLD: &str = include_str!("../hour.toml");

/// Runs the hour once for each seed.
pub fn run(arguments: &Arguments) -> Result<Vec<Report>, String> {
    let world = Arc::new(arguments.world(WORLD)?);
    let seeds = arguments.seeds.clone().unwrap_or_else(|| world.seeds.clone());
    let one = |seed: &u64| run_once(&world, *seed, &arguments.policies, arguments.healthy);
    seeds.iter().map(one).collect()
}

/// Lets the same people live through the hour under each of these policies.
pub fn run_once(world: &Arc<World>, seed: u64, policies: &[Policy], healthy: bool) -> Result<Report, String> {
    let begun = Instant::now();
    let people = people::people(world, seed);
    let mut tallies = Vec::new();
    for policy in policies {
        let lived = life::live(world, &people, *policy, seed)?;
        tallies.push(Tally::of(world, &people, lived));
    }
    Ok(Report { seed, minutes: world.minutes, healthy, tallies, took: begun.elapsed() })
}
