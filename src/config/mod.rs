//! Configuration: file, then environment, then checked values.
//!
//! What comes out is either whole, with every pair of settings possible
//! together, or a list of all that is wrong: where, what, and the mend. It
//! refuses to know who uses the values; the command line takes them apart and
//! hands on the pieces.

mod accounts;
mod captcha;
mod check;
mod codes;
mod dangers;
mod elsewhere;
mod env;
mod events;
mod exposure;
mod file;
mod fraud;
mod gateway;
mod guessable;
mod jobs;
mod layers;
mod limits;
mod lookup;
mod loopback;
mod networks;
mod owners;
mod policy_file;
mod prices;
mod problem;
mod reader;
mod reconcile;
mod retention;
mod sections;
mod senders;
mod services;
mod settings;
mod show;
mod store;
mod stray;
mod test_numbers;
mod twilio;
mod unanswered;
mod whole;

pub use self::accounts::Account;
pub use self::codes::{CodeKey, Codes};
pub use self::env::Env;
pub use self::events::Events;
pub use self::gateway::{Gateway, GatewayKind, HttpGateway, VerifyGateway};
pub use self::guessable::LEAST_SECRET;
pub use self::jobs::Jobs;
pub use self::policy_file::fraud_policy;
pub use self::problem::{At, Origin, Problem, Problems};
pub use self::retention::Retention;
pub use self::sections::{
    Gate, Log, LogFormat, MachineDetection, Messages, NumberKind, Numbers, Openapi, Pages, Sandbox,
    SandboxProfile, SandboxSenders, Server, Signature, SignatureMode, Verification, Voice,
};

pub use self::senders::Sender;
pub use self::services::Services;
pub use self::store::{Store, StoreUrl};
pub use self::twilio::{AcceptedToken, Twilio};
pub use self::whole::Config;

use self::file::File;
use self::layers::Layers;
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

/// A configuration, and what is known about it.
#[derive(Debug)]
pub struct Loaded {
    /// The values; where one is wrong, some other that could be.
    pub config: Config,
    /// What is wrong with it.
    pub refused: Vec<Problem>,
    /// What is allowed but probably not meant.
    pub warnings: Vec<Problem>,
    /// What must not be served with it. A command that serves nobody goes on.
    pub dangers: Vec<Problem>,
    /// The file that was read; `None` for the embedded one alone.
    pub file: Option<String>,
    layers: Layers,
}

impl Loaded {
    /// The configuration, if nothing is wrong with it.
    ///
    /// # Errors
    /// Everything that is, what is dangerous to serve with too.
    pub fn sound(self) -> Result<Self, Problems> {
        if self.refused.is_empty() {
            return Ok(self);
        }
        Err(Problems(self.refused.into_iter().chain(self.dangers).collect()).in_order())
    }

    /// The configuration, if others may be served with it.
    ///
    /// # Errors
    /// What is wrong with it, and what is dangerous where others can reach the
    /// server.
    pub fn fit_to_serve(self) -> Result<Self, Problems> {
        let all: Vec<Problem> = self.refused.iter().chain(&self.dangers).cloned().collect();
        if all.is_empty() { Ok(self) } else { Err(Problems(all).in_order()) }
    }

    /// Whether the file could be read as TOML, so that its values are known.
    pub fn is_read(&self) -> bool {
        !self.layers.broken
    }

    /// Refuses the value at a path for a reason that only its user knows: what is
    /// known to be wrong already is not said twice.
    pub fn refuse(&mut self, path: &[&str], what: impl ToString, mend: impl ToString) {
        let key = path.iter().fold(String::new(), |path, name| file::join(&path, name));
        let problem =
            Problem { origin: self.layers.place(&key), key, what: what.to_string(), mend: mend.to_string() };
        if is_news(&self.refused, &problem) {
            self.refused.push(problem);
        }
    }

    /// The configuration in force as TOML, each line with where it comes from,
    /// without secrets.
    pub fn show(&self) -> String {
        show::show(&self.layers)
    }

    /// Whether somebody set a key, `section.name`, in the file or the environment, to
    /// whatever value but the empty text, which says nothing.
    pub fn is_set(&self, key: &str) -> bool {
        let set = self.layers.get(key).filter(|entry| !matches!(entry.origin, Origin::Default));
        set.is_some_and(|entry| entry.value.as_str() != Some(""))
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
    look(file, env).and_then(Loaded::sound)
}

/// The same, with what is wrong told beside it.
///
/// # Errors
/// When the file cannot be read.
pub fn look(file: Option<&Path>, env: &Env) -> Result<Loaded, Problems> {
    let path = match file {
        Some(path) => path,
        None if Path::new(FILE).exists() => Path::new(FILE),
        None => return Ok(examine(None, env)),
    };
    let name = path.display().to_string();
    match std::fs::read_to_string(path) {
        // Editors put a byte-order mark in front of what they save.
        Ok(text) => Ok(examine(Some((&name, text.strip_prefix('\u{feff}').unwrap_or(&text))), env)),
        Err(error) => Err(Problems(vec![Problem {
            origin: Origin::File { path: name.into(), at: None },
            key: String::new(),
            what: format!("cannot be read: {error}"),
            mend: "name a file of text that exists, or leave out --config".to_owned(),
        }])),
    }
}

/// The same from the text of a file and its name.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(file: Option<(&str, &str)>, env: &Env) -> Result<Loaded, Problems> {
    examine(file, env).sound()
}

/// The same, with what is wrong told beside it.
pub fn examine(file: Option<(&str, &str)>, env: &Env) -> Loaded {
    let mut refused = Vec::new();
    let layers = Layers::new(DEFAULT, file.map(|(name, text)| File { name, text }), env, &mut refused);
    let mut reader = Reader::new(&layers);
    let config = Config::read(&mut reader);
    refused.append(&mut reader.problems);
    let (mut warnings, mut dangers) = (Vec::new(), Vec::new());
    // Of a file that is no TOML nobody knows what it wants.
    if !layers.broken {
        let found = check::check(&config, &layers);
        (warnings, dangers) = (found.unwise, found.dangers);
        let shared = env.get("DIALBACK_API_KEY").filter(|key| !key.is_empty());
        if config.is_public() || !config.sandbox.enabled {
            let (danger, unwise) = shared.map(dangers::api_key).unwrap_or_default();
            dangers.extend(danger);
            warnings.extend(unwise);
        }
        for problem in found.refused {
            if is_news(&refused, &problem) {
                refused.push(problem);
            }
        }
        // A variable has no key of its own.
        dangers.retain(|danger| danger.key.is_empty() || is_news(&refused, danger));
    }
    let file = file.map(|(name, _)| name.to_owned());
    Loaded { config, refused, warnings, dangers, file, layers }
}

/// Whether something is not known yet: what is broken need not be called missing
/// too, nor its parts.
fn is_news(known: &[Problem], problem: &Problem) -> bool {
    !known.iter().any(|other| {
        !other.key.is_empty() && (other.key.starts_with(&problem.key) || is_part(&problem.key, &other.key))
    })
}

/// Whether a path leads into what another one names.
fn is_part(path: &str, of: &str) -> bool {
    path.strip_prefix(of).is_some_and(|rest| rest.starts_with(['.', '[']))
}
