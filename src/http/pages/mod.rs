//! The pages for people: one address for each session, which shows the step
//! that the session is at. A step is a form; its answer leads back to that
//! address, so that a reload, a prefetch or a way back sends nothing.
//!
//! This folder refuses to know how a step is decided, and what a code is.

mod assets;
mod astray;
mod colour;
mod events;
mod guard;
mod locale;
mod note;
mod now;
mod page_request;
mod regions;
mod show;
mod start;
mod steps;
mod streams;
mod templates;
mod values;
mod words;

pub use assets::serve as asset;
pub use astray::{is_page, no_form, nowhere};
pub use events::stream as events;
pub use show::page;
pub use steps::{Action, take};
pub use templates::{BadTemplate, Templates};

use std::collections::HashMap;
use std::path::Path;

/// What the pages share.
pub struct Pages {
    templates: Templates,
    /// Each language's words and the list of languages, as templates see them.
    words: HashMap<&'static str, minijinja::Value>,
    languages: minijinja::Value,
    regions: HashMap<&'static str, minijinja::Value>,
    starts: start::Starts,
    streams: streams::Streams,
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
