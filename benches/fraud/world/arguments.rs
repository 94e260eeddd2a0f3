//! What the command is asked for, and the files that it names.

use super::parameters::World;
use super::policy::Policy;
use super::{models, policy};
use std::fs;

/// What the command is asked for.
#[derive(Debug, Clone)]
pub struct Arguments {
    world: Option<String>,
    policy: Option<String>,
    days: Option<u32>,
    only: Option<Vec<String>>,
    pub seeds: Option<Vec<u64>>,
    pub models: Vec<&'static str>,
    pub why: bool,
}

impl Arguments {
    /// Reads them, or says which is wrong and what it may be.
    pub fn read(args: &[String]) -> Result<Self, String> {
        let mut read = Self {
            world: None,
            policy: None,
            days: None,
            only: None,
            seeds: None,
            models: models::NAMES.to_vec(),
            why: false,
        };
        let mut args = args.iter();
        while let Some(name) = args.next() {
            let mut value = || args.next().cloned().ok_or_else(|| format!("{name} needs a value behind it"));
            match name.as_str() {
                "--world" => read.world = Some(value()?),
                "--policy" => read.policy = Some(value()?),
                "--days" => read.days = Some(number(name, &value()?)?),
                "--only" => read.only = Some(value()?.split(',').map(str::to_owned).collect()),
                "--seed" => {
                    read.seeds =
                        Some(value()?.split(',').map(|seed| number(name, seed)).collect::<Result<_, _>>()?)
                }
                "--models" => {
                    read.models = value()?.split(',').map(models::name).collect::<Result<_, _>>()?
                }
                "--why" => read.why = true,
                other => {
                    return Err(format!(
                        "{other} is none of --world FILE, --seed N[,N…], --days N, --only ATTACK[,ATTACK…]|all|none, --policy FILE, --models NAME[,NAME…] and --why"
                    ));
                }
            }
        }
        Ok(read)
    }

    /// The world, with what was said otherwise.
    pub fn world(&self, default: &str) -> Result<World, String> {
        let (name, text) = match &self.world {
            Some(path) => (path.as_str(), read(path)?),
            None => ("world.toml", default.to_owned()),
        };
        let mut world: World = toml::from_str(&text).map_err(|wrong| format!("{name}: {wrong}"))?;
        world.days = self.days.unwrap_or(world.days);
        if let Some(only) = &self.only {
            world.attack_only(only)?;
        }
        let mistakes = world.mistakes();
        match mistakes.is_empty() {
            true => Ok(world),
            false => Err(format!("{name}:\n  {}", mistakes.join("\n  "))),
        }
    }

    /// The policy that is tried.
    pub fn policy(&self) -> Result<Policy, String> {
        match &self.policy {
            Some(path) => policy::read(path, &read(path)?),
            None => Ok(Policy::default()),
        }
    }
}

fn number<T: std::str::FromStr>(name: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{name} takes whole numbers, not {text:?}"))
}

fn read(path: &str) -> Result<String, String> {
    fs::read_to_string(path).map_err(|wrong| format!("{path} cannot be read: {wrong}"))
}

impl World {
    /// Only these attacks are made, whether the file has them on or not.
    fn attack_only(&mut self, names: &[String]) -> Result<(), String> {
        let known: Vec<String> = self.attacks.iter().map(|attack| attack.name.clone()).collect();
        let is_word = |name: &str| name == "all" || name == "none";
        if let Some(other) = names.iter().find(|name| !is_word(name) && !known.contains(name)) {
            return Err(format!(
                "--only {other}: no attack of the world; it has {}, and all and none",
                known.join(", ")
            ));
        }
        for attack in &mut self.attacks {
            attack.on = names.iter().any(|name| name == "all" || *name == attack.name);
        }
        Ok(())
    }
}
