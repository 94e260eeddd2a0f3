//! What is wrong with a configuration: where, what, and the mend.

use std::fmt;
use std::sync::Arc;

/// A place in a file, both counted from one, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct At {
    /// The line in the file, from 1.
    pub line: usize,
    /// The column in that line, in characters from 1.
    pub column: usize,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The embedded `config.toml`.
    Default,
    /// A file, and where the key stands in it; nothing when it stands nowhere.
    File {
        /// The file as it was named.
        path: Arc<str>,
        /// The place in it.
        at: Option<At>,
    },
    /// An environment variable.
    Env(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, at: Some(At { line, column }) } => write!(f, "{path}:{line}:{column}"),
            Self::File { path, at: None } => f.write_str(path),
            Self::Env(name) => write!(f, "environment variable {name}"),
        }
    }
}

/// One thing that is wrong. Its texts never hold the value of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where the value stands, or would have to.
    pub origin: Origin,
    /// The key, as in `twilio.auth_token`; empty for a file as a whole.
    pub key: String,
    /// What is wrong with it.
    pub what: String,
    /// What to do about it.
    pub mend: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, key, what, mend } = self;
        write!(f, "{origin}: ")?;
        if !key.is_empty() {
            write!(f, "{key}: ")?;
        }
        write!(f, "{what}; {mend}")
    }
}

/// Everything that is wrong with a configuration, found in one go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// In the order in which one mends them: down the file, then what is missing
    /// in it, then the environment.
    #[must_use]
    pub fn in_order(mut self) -> Self {
        let rank = |origin: &Origin| match origin {
            Origin::File { at: Some(at), .. } => (0, Some(*at)),
            Origin::File { at: None, .. } => (1, None),
            Origin::Default => (2, None),
            Origin::Env(_) => (3, None),
        };
        self.0.sort_by_key(|problem| rank(&problem.origin));
        self
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.0.iter().map(Problem::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Problems {}

/// The one of `known` that `name` was probably meant to be: the same name in
/// another section, or one that is spelt almost alike.
pub(super) fn did_you_mean<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let last = |key: &str| key.rsplit('.').next().map(str::to_owned);
    known
        .map(|candidate| {
            let misplaced = last(candidate) == last(name);
            (if misplaced { 0 } else { strsim::damerau_levenshtein(name, candidate) }, candidate)
        })
        .min()
        .filter(|(distance, candidate)| {
            *distance <= 2.max(candidate.len() / 5) && distance * 2 <= candidate.len()
        })
        .map(|(_, candidate)| candidate)
}

/// What to do where a name is none of `known`: the one that was meant, or all.
pub(super) fn one_of<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    match did_you_mean(name, known.clone()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("there are {}", known.collect::<Vec<_>>().join(", ")),
    }
}
