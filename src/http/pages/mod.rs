//! What the hosted pages are made of: templates, words in each language, regions,
//! styles, and what is rendered once for all who see the same.
//!
//! This folder refuses to know requests and who asks.

pub(super) mod assets;
mod colour;
pub(super) mod regions;
pub(super) mod start;
pub(super) mod streams;
mod templates;
pub(super) mod words;

pub use templates::{BadTemplate, Templates};

use std::collections::HashMap;
use std::path::Path;

/// What the pages share.
pub struct Pages {
    pub(super) templates: Templates,
    /// Each language's words and the list of languages, as templates see them.
    pub(super) words: HashMap<&'static str, minijinja::Value>,
    pub(super) languages: minijinja::Value,
    pub(super) regions: HashMap<&'static str, minijinja::Value>,
    pub(super) starts: start::Starts,
    pub(super) streams: streams::Streams,
}

impl Pages {
    /// The pages, with the templates of a directory where there is one.
    ///
    /// # Errors
    /// A template that cannot be used, with its file and line.
    pub fn load(directory: Option<&Path>) -> Result<Self, BadTemplate> {
        use minijinja::{Value, context};
        let all = words::all();
        let language = |words: &words::Words| context! { locale => words.locale, name => words.name };
        let regions = |words: &words::Words| Value::from_serialize(regions::lines(&words.locale));
        Ok(Self {
            templates: Templates::load(directory)?,
            words: all.iter().map(|words| (words.locale.as_str(), Value::from_serialize(words))).collect(),
            languages: all.iter().map(language).collect(),
            regions: all.iter().map(|words| (words.locale.as_str(), regions(words))).collect(),
            starts: start::Starts::default(),
            streams: streams::Streams::default(),
        })
    }
}
