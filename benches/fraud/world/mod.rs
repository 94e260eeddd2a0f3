//! A world that asks for codes, made of one file of parameters, and what becomes of it
//! under each model of fraud. It knows nothing of a server: requests are told as the
//! signals are told of them.

mod arguments;
mod asked;
mod attack;
mod attackers;
mod authgear;
mod chance;
mod checks;
mod honest;
mod life;
mod limits;
mod models;
mod ours;
mod parameters;
mod people;
mod policy;
mod report;
mod tally;
mod text;
mod visits;

pub use arguments::Arguments;
pub use report::Report;

use std::time::Instant;

/// The parameters that there are without a file.
const WORLD: &str = include_str!("../world.toml");

/// Runs the world once for each seed.
pub fn run(arguments: &Arguments) -> Result<Vec<Report>, String> {
    let world = arguments.world(WORLD)?;
    let mut policy = arguments.policy()?;
    policy.stale_seconds = world.provider.stale_seconds;
    let seeds = arguments.seeds.clone().unwrap_or_else(|| world.seeds.clone());
    let one = |seed: u64| {
        let begun = Instant::now();
        let stream = visits::Stream::new(&world, seed);
        let generated = begun.elapsed();
        let mut lives = Vec::new();
        for name in &arguments.models {
            let mut model = models::named(name, &policy)?;
            lives.push((*name, life::live(&world, &stream, seed, model.as_mut())));
        }
        Ok(Report::new(&world, &stream, (seed, generated), lives, arguments.why))
    };
    seeds.into_iter().map(one).collect()
}
