//! What the command is asked for, and the file that it names.

use super::parameters::World;
use super::policy::Policy;
use std::fs;

/// What the command is asked for.
#[derive(Debug, Clone)]
pub struct Arguments {
    world: Option<String>,
    minutes: Option<u32>,
    pub seeds: Option<Vec<u64>>,
    pub policies: Vec<Policy>,
    pub healthy: bool,
}

impl Arguments {
    /// Reads them, or says which is wrong and what it may be.
    pub fn read(args: &[String]) -> Result<Self, String> {
        let mut read =
            Self { world: None, minutes: None, seeds: None, policies: Policy::ALL.to_vec(), healthy: false };
        let mut args = args.iter();
        while let Some(name) = args.next() {
            let mut value = || args.next().cloned().ok_or_else(|| format!("{name} needs a value behind it"));
            match name.as_str() {
                "--world" => read.world = Some(value()?),
                "--minutes" => read.minutes = Some(number(name, &value()?)?),
                "--seed" => {
                    let seeds = value()?;
                    read.seeds =
                        Some(seeds.split(',').map(|seed| number(name, seed)).collect::<Result<_, _>>()?);
                }
                "--policies" => {
                    read.policies = value()?.split(',').map(Policy::named).collect::<Result<_, _>>()?;
                }
                "--healthy" => read.healthy = true,
                other => {
                    return Err(format!(
                        "{other} is none of --world FILE, --seed N[,N…], --minutes N, --policies NAME[,NAME…] and --healthy"
                    ));
                }
            }
        }
        Ok(read)
    }

    /// The hour, with what was said otherwise.
    pub fn world(&self, default: &str) -> Result<World, String> {
        let (name, text) = match &self.world {
            Some(path) => {
                let text = fs::read_to_string(path);
                (path.as_str(), text.map_err(|wrong| format!("{path} cannot be read: {wrong}"))?)
            }
            None => ("hour.toml", default.to_owned()),
        };
        let mut world: World = toml::from_str(&text).map_err(|wrong| format!("{name}: {wrong}"))?;
        world.minutes = self.minutes.unwrap_or(world.minutes);
        let mistakes = world.mistakes();
        match (mistakes.is_empty(), self.healthy) {
            (true, true) => Ok(world.healthy()),
            (true, false) => Ok(world),
            (false, _) => Err(format!("{name}:\n  {}", mistakes.join("\n  "))),
        }
    }
}

fn number<T: std::str::FromStr>(name: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{name} takes whole numbers, not {text:?}"))
}
