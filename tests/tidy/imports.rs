//! Who may import whom: parts of the crate, and crates.
//!
//! A part is a module right under `src/`. A path of another part begins with
//! `crate::`, goes at most one file deep behind the part's own, and leads to a part
//! that the table allows. Tests may import what they like.

use crate::Violation;
use crate::modules::{Module, Modules, Name};
use std::collections::BTreeSet;

/// Names, and for each the names that go with it.
pub type Table<'t> = &'t [(&'t str, &'t [&'t str])];

/// Which parts of the crate a part may name, besides itself; `model::id` lets in that
/// module only.
///
/// This is the table of `ARCHITECTURE.md`; change both together, with a reason.
pub const MAY_IMPORT: Table<'static> = &[
    // The pure core.
    ("model", &["secret"]),
    ("twilio", &["model", "secret"]),
    // What messages say; Twilio's part is how they are counted.
    ("texts", &["model", "twilio", "secret"]),
    // The ports and what stands behind them.
    ("store", &["model", "telemetry"]),
    // The console gateway makes names, for which it needs randomness.
    ("gateway", &["model", "twilio", "texts", "secret", "entropy", "telemetry", "trust"]),
    ("app", &["model", "store", "gateway", "clock", "entropy", "secret", "telemetry"]),
    ("jobs", &["app", "model", "store", "clock", "telemetry"]),
    // The faces. `server::Incoming` says where a request came from.
    ("http", &["app", "twilio", "texts", "model", "secret", "server", "telemetry"]),
    ("sandbox", &["twilio", "model::id", "model::price", "server", "clock", "entropy", "secret", "trust"]),
    // The leaves.
    ("clock", &[]),
    ("entropy", &[]),
    ("secret", &[]),
    ("server", &[]),
    ("telemetry", &[]),
    ("trust", &[]),
    // Putting it together.
    // Services are checked by the model's own rules, as in the API.
    ("config", &["secret", "model"]),
    ("cli", &["*"]),
];

/// Which parts may name a crate. All dependencies of `Cargo.toml` stand here.
pub const CRATES: Table<'static> = &[
    ("anyhow", &["sandbox", "cli"]),
    ("async_trait", &["store", "gateway", "jobs"]),
    ("base64", &["twilio", "gateway", "http", "sandbox", "config", "cli"]),
    ("bytes", &["store", "http", "sandbox", "server", "cli"]),
    ("clap", &["cli"]),
    ("cookie_store", &["sandbox"]),
    ("crc32fast", &["store"]),
    ("futures_util", &["store", "app", "jobs", "http", "sandbox", "cli"]),
    ("getrandom", &["store", "entropy"]),
    ("hex", &["model", "twilio", "texts", "store", "app", "http", "sandbox", "entropy"]),
    ("hmac", &["model", "twilio", "gateway"]),
    ("hyper", &["server"]),
    ("hyper_util", &["server"]),
    ("icu_locale", &["texts"]),
    ("icu_plurals", &["texts"]),
    ("indicatif", &["cli"]),
    ("ipnet", &["gateway", "http", "server", "config"]),
    (
        "jiff",
        &[
            "model", "twilio", "store", "gateway", "app", "jobs", "http", "sandbox", "clock", "server",
            "config", "cli",
        ],
    ),
    // The program's own, in `main.rs`: a library chooses no allocator.
    ("mimalloc", &[]),
    ("minijinja", &["http"]),
    ("percent_encoding", &["model", "twilio", "store", "gateway", "http", "sandbox", "config", "cli"]),
    ("psl", &["model"]),
    ("quick_xml", &["twilio", "sandbox"]),
    // The configuration parses URLs with its type, and sends nothing.
    ("regex", &["sandbox"]),
    ("reqwest", &["gateway", "sandbox", "config", "cli"]),
    // The sandbox reads numbers as Twilio does, whatever the service makes of them.
    ("rlibphonenumber", &["model", "sandbox"]),
    ("rustix", &["store", "cli"]),
    ("rustls", &["store", "gateway", "sandbox", "trust"]),
    ("schemars", &["model", "http"]),
    ("serde", &["model", "twilio", "store", "gateway", "app", "http", "sandbox", "secret", "cli"]),
    ("serde_json", &["model", "twilio", "store", "gateway", "app", "http", "sandbox", "config", "cli"]),
    ("serde_urlencoded", &["twilio", "gateway", "http", "sandbox"]),
    ("sha1", &["twilio"]),
    ("sha2", &["model", "twilio", "texts", "store", "gateway", "app", "http", "sandbox", "entropy"]),
    ("sled", &["store"]),
    ("strsim", &["texts", "http", "config"]),
    ("subtle", &["model", "twilio", "http", "secret"]),
    (
        "thiserror",
        &[
            "model",
            "twilio",
            "store",
            "gateway",
            "app",
            "jobs",
            "http",
            "sandbox",
            "telemetry",
            "trust",
            "cli",
        ],
    ),
    ("tokio", &["store", "gateway", "app", "jobs", "http", "sandbox", "clock", "server", "cli"]),
    ("tokio_postgres", &["store"]),
    ("tokio_postgres_rustls", &["store"]),
    ("toml", &["twilio", "texts", "http", "config"]),
    ("tower_service", &["server"]),
    ("tracing", &["store", "gateway", "app", "jobs", "http", "sandbox", "server", "telemetry", "cli"]),
    // The configuration asks whether a level can be read.
    ("tracing_subscriber", &["telemetry", "config"]),
    ("unicode_normalization", &["model"]),
    ("unicode_segmentation", &["twilio"]),
    ("url", &["model"]),
    ("uuid", &["sandbox"]),
    ("warp", &["http", "sandbox", "server", "cli"]),
    ("webpki_roots", &["store"]),
];

/// What breaks a rule of imports, part by part and line by line.
pub fn violations(modules: &Modules, may_import: Table<'_>, crates: Table<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    for (name, module) in modules.all() {
        let Some(part) = name.first() else { continue };
        match may_import.iter().find(|(known, _)| known == part) {
            Some((_, allowed)) => found.extend(of_parts(modules, name, module, allowed)),
            None if name.len() == 1 => {
                let what = format!("`{part}` has no line in the table MAY_IMPORT: say what it may import");
                found.push(at(module, 1, what));
            }
            None => {}
        }
        found.extend(of_crates(modules, name, module, crates));
    }
    // A line may say the same thing twice.
    let mut seen = BTreeSet::new();
    found.retain(|v: &Violation| seen.insert((v.file.clone(), v.line, v.what.clone())));
    found
}

fn of_parts(modules: &Modules, name: &Name, module: &Module, allowed: &[&str]) -> Vec<Violation> {
    let part = &name[0];
    let mut found = Vec::new();
    for need in modules.needs(name, module) {
        let path = &need.path;
        let up = path.split("::").take_while(|segment| *segment == "super").count();
        if up >= name.len() {
            let what = format!("`{path}` leaves the part by `super::`: write it from `crate::` on");
            found.push(at(module, need.line, what));
        }
        // What the path goes through last says where it leads, as it is written.
        let Some(way) = need.target.through.last().filter(|way| way.first().is_some_and(|to| to != part))
        else {
            continue;
        };
        let full = way.join("::");
        let lets_in = |allowed: &&str| {
            *allowed == "*" || full == **allowed || full.starts_with(&format!("{allowed}::"))
        };
        if !allowed.iter().any(lets_in) {
            let what = format!("`{part}` must not know `{full}`: turn the dependency round, or pass it in");
            found.push(at(module, need.line, what));
        }
        if way.len() > 2 {
            let what = format!(
                "`{full}` is a room of `{}`'s own: let `{}` hand on (`pub use`) what others may have of it",
                way[0],
                way[..2].join("::")
            );
            found.push(at(module, need.line, what));
        }
    }
    found
}

fn of_crates(modules: &Modules, name: &Name, module: &Module, crates: Table<'_>) -> Vec<Violation> {
    let part = &name[0];
    let wrong = |(line, krate): (usize, &str)| match crates.iter().find(|(known, _)| *known == krate) {
        Some((_, parts)) if parts.contains(&part.as_str()) => None,
        Some((_, parts)) => {
            let what = format!(
                "`{part}` must not know the crate `{krate}`, which is for {}: ask one of these, or say in the \
                 table CRATES why not",
                parts.join(", ")
            );
            Some(at(module, line, what))
        }
        None => {
            let what = format!("`{krate}` is no part and no crate of the table CRATES: say who may name it");
            Some(at(module, line, what))
        }
    };
    modules.foreign(name, module).filter_map(wrong).collect()
}

/// What the table of crates allows and no part does.
pub fn unused(modules: &Modules, crates: Table<'_>) -> Vec<String> {
    let mut used = BTreeSet::new();
    for (name, module) in modules.all() {
        let Some(part) = name.first() else { continue };
        used.extend(modules.foreign(name, module).map(|(_, krate)| (krate, part.as_str())));
    }
    let pairs = crates.iter().flat_map(|(row, parts)| parts.iter().map(move |part| (*row, *part)));
    let idle = pairs.filter(|pair| !used.contains(pair));
    idle.map(|(row, part)| format!("`{part}` does not name `{row}`: take it out of the row")).collect()
}

fn at(module: &Module, line: usize, what: String) -> Violation {
    Violation { file: module.file.clone(), line, what }
}
