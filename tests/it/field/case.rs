//! A case as its file has it.

use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
pub struct Case {
    /// What is right, in one line.
    pub say: String,
    /// Settings by their dotted names; null takes one away that is set otherwise.
    pub config: Map<String, Value>,
    pub steps: Vec<Step>,
}

#[derive(Deserialize)]
pub struct Step {
    #[serde(flatten)]
    pub act: Act,
    #[serde(default)]
    pub expect: Expect,
}

/// What is done.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "lowercase")]
pub enum Act {
    /// A request with an application's key.
    Api {
        method: Option<String>,
        path: String,
        json: Option<Value>,
    },
    /// A request to the Verify face.
    V2 {
        method: Option<String>,
        path: String,
        body: Option<String>,
    },
    /// Starts at the service just made and checks with the plus unencoded.
    V2Check,
    /// A form, signed over `signed` or over the public URL and `path`, and sent
    /// to `target` or to `path`.
    Hook(Hook),
    /// A batch of events, signed with `bodySHA256`.
    Events {
        json: Value,
    },
    /// A person's way through the pages.
    Page(Page),
    /// `signature explain` of `url`, signed over `signed`.
    Explain {
        url: String,
        signed: String,
        form: Vec<(String, String)>,
    },
    /// A code for the verification just begun.
    Check {
        code: String,
    },
    Wait {
        seconds: f64,
    },
}

#[derive(Debug, Deserialize)]
pub struct Hook {
    pub path: String,
    pub target: Option<String>,
    pub signed: Option<String>,
    pub form: Vec<(String, String)>,
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    #[serde(default)]
    pub more_headers: usize,
}

#[derive(Debug, Deserialize)]
pub struct Page {
    pub lang: Option<String>,
    /// What is chosen; without it, what is preselected.
    pub region: Option<String>,
    pub number: String,
    pub code_before: Option<String>,
    pub code_after: Option<String>,
}

/// What has to hold of a step; of `any`, one.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    pub any: Option<Vec<Expect>>,
    pub status: Option<u16>,
    /// A pattern for the log at its default level.
    pub log: Option<String>,
    pub text: Option<String>,
    pub not_text: Option<String>,
    /// Values by their paths, such as `deliveries.0.status`.
    pub json: Option<Map<String, Value>>,
}
