//! Configuration: file, then environment, then checked values.
//!
//! What comes out is either whole, with every pair of settings possible
//! together, or a list of all that is wrong: where, what, and the mend. It
//! refuses to know who uses the values; the command line takes them apart and
//! hands on the pieces.

mod accounts;
mod check;
mod dangers;
mod env;
mod exposure;
mod layers;
mod problem;
mod reader;
mod retention;
mod sections;
mod services;
mod show;
mod store;
mod stray;

pub use self::accounts::Account;
pub use self::env::Env;
pub use self::exposure::LEAST_SECRET;
pub use self::problem::{Origin, Problem, Problems};
pub use self::retention::Retention;
pub use self::sections::{
    AcceptedToken, CodeKey, Codes, Config, Events, Gate, Gateway, GatewayKind, Log, LogFormat,
    MachineDetection, Messages, NumberKind, Numbers, Openapi, Pages, Sandbox, Server, Signature,
    SignatureMode, Twilio, Verification, Voice,
};

pub use self::services::Services;
pub use self::store::{Store, StoreUrl};

use self::layers::{File, Layers};
use self::reader::Reader;
use crate::secret::Secret;
use std::path::Path;

/// The embedded `config.toml`: documentation, defaults and the sandbox's
/// settings in one.
pub const DEFAULT: &str = include_str!("../../config.toml");

/// The file that is read when none is named.
pub const FILE: &str = "config.toml";

#[cfg(test)]
mod tests;

/// A configuration that can be run, and what is known about it.
#[derive(Debug)]
pub struct Loaded {
    /// The values.
    pub config: Config,
    /// What is allowed but probably not meant.
    pub warnings: Vec<Problem>,
    /// What must not be served with it. A command that serves nobody goes on.
    pub dangers: Vec<Problem>,
    /// The file that was read; `None` for the embedded one alone.
    pub file: Option<String>,
    layers: Layers,
}

impl Loaded {
    /// The configuration, if others may be served with it.
    ///
    /// # Errors
    /// What is dangerous where others can reach the server.
    pub fn fit_to_serve(self) -> Result<Self, Problems> {
        if self.dangers.is_empty() { Ok(self) } else { Err(Problems(self.dangers)) }
    }

    /// The configuration in force as TOML, each line with where it comes from,
    /// without secrets.
    pub fn show(&self) -> String {
        show::show(&self.layers)
    }

    /// Every setting in force with its value as text, and whether that is secret
    /// or holds a secret: for telling whether it has changed.
    pub fn settings(&self) -> Vec<(String, Secret, bool)> {
        show::settings(&self.layers)
    }
}

/// Loads the configuration: the embedded file, `file` or else `./config.toml`
/// if there is one, and the environment, each over the one before.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load(file: Option<&Path>, env: &Env) -> Result<Loaded, Problems> {
    let path = match file {
        Some(path) => path,
        None if Path::new(FILE).exists() => Path::new(FILE),
        None => return parse(None, env),
    };
    let name = path.display().to_string();
    match std::fs::read_to_string(path) {
        // Editors put a byte-order mark in front of what they save.
        Ok(text) => parse(Some((&name, text.strip_prefix('\u{feff}').unwrap_or(&text))), env),
        Err(error) => Err(Problems(vec![Problem {
            origin: Origin::File { path: name.into(), line: None },
            key: String::new(),
            what: format!("cannot be read: {error}"),
            mend: "name a file that exists, or leave out --config".to_owned(),
        }])),
    }
}

/// The same from the text of a file and its name.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(file: Option<(&str, &str)>, env: &Env) -> Result<Loaded, Problems> {
    let mut problems = Vec::new();
    let layers = Layers::new(DEFAULT, file.map(|(name, text)| File { name, text }), env, &mut problems);
    let mut reader = Reader::new(&layers);
    let config = Config::read(&mut reader);
    problems.append(&mut reader.problems);
    let (mut warnings, mut dangers) = (Vec::new(), Vec::new());
    if let Some(config) = &config {
        let found = check::check(config, &layers);
        (warnings, dangers) = (found.unwise, found.dangers);
        let shared = env.get("DIALBACK_API_KEY").filter(|key| !key.is_empty());
        if config.is_public() || !config.sandbox.enabled {
            dangers.extend(shared.and_then(dangers::api_key));
        }
        // What is known to be broken need not be called missing too.
        let known: Vec<String> = problems.iter().map(|problem| problem.key.clone()).collect();
        let news = |problem: &Problem| !known.iter().any(|key| key.starts_with(&problem.key));
        problems.extend(found.refused.into_iter().filter(news));
    }
    match config {
        Some(config) if problems.is_empty() => {
            let file = file.map(|(name, _)| name.to_owned());
            Ok(Loaded { config, warnings, dangers, file, layers })
        }
        _ => {
            problems.extend(dangers);
            Err(Problems(problems))
        }
    }
}
