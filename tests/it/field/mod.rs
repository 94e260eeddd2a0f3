//! What people in the field met, as small cases: `fixtures/field/README.md` says
//! what a case holds. Each is played to a server of its own, the real binary.
//!
//! A case of a kind that is not mended yet is named here with the reason. One
//! that passes all the same fails the test, so that its name is taken off.

mod case;
mod expect;
mod page;
mod server;
mod steps;

use case::Case;
use futures_util::StreamExt;
use server::Server;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The cases that are known to fail, and why.
const KNOWN: [(&str, &str); 0] = [];

/// How many servers run beside each other.
const BESIDE: usize = 3;

#[tokio::test]
async fn what_people_met_in_the_field_goes_right() {
    let known = BTreeMap::from(KNOWN);
    let cases = cases();
    let strangers: Vec<_> = known.keys().filter(|name| !cases.contains_key(**name)).collect();
    assert!(strangers.is_empty(), "no such cases, but known to fail: {strangers:?}");
    let played = futures_util::stream::iter(&cases).map(|(name, case)| {
        let is_known = known.contains_key(name.as_str());
        async move { (name, is_known, play(case, is_known).await) }
    });
    let played: Vec<_> = played.buffer_unordered(BESIDE).collect().await;
    let mut verdict = Vec::new();
    for (name, is_known, outcome) in played {
        match outcome {
            Err(saw) if !is_known => {
                verdict.push(format!("{name}\n  wanted: {}\n  saw:    {saw}", cases[name].say));
            }
            Ok(()) if is_known => verdict.push(format!("{name} passes: take it off the list of known ones")),
            _ => {}
        }
    }
    verdict.sort();
    assert!(verdict.is_empty(), "{} of {}:\n{}", verdict.len(), cases.len(), verdict.join("\n"));
}

/// All of them, by their names.
fn cases() -> BTreeMap<String, Case> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/field");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let cases = files.filter(|path| path.extension().is_some_and(|kind| kind == "json")).map(|path| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let case = serde_json::from_slice(&std::fs::read(&path).unwrap());
        let case = case.unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, case)
    });
    cases.collect()
}

/// Plays a case; an error says which step went wrong, and what was seen.
async fn play(case: &Case, is_known: bool) -> Result<(), String> {
    let mut server = Server::start(&case.config).await;
    for step in &case.steps {
        let seen = steps::act(&server, &step.act).await;
        server.last = serde_json::from_str(&seen.body).unwrap_or_default();
        if !expect::holds(&step.expect, &seen, &server, is_known).await {
            let body: String = seen.body.chars().take(300).collect();
            return Err(format!("{:?}: {} {body}", step.act, seen.status));
        }
    }
    Ok(())
}
