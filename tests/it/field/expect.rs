//! Whether what was seen is what was expected.

use super::case::Expect;
use super::server::Server;
use super::steps::Seen;
use crate::wire::poll;
use regex::{Regex, RegexBuilder};
use serde_json::{Value, json};
use std::time::Duration;

/// How long a line is waited for that is known not to come.
const GRACE: Duration = Duration::from_millis(600);

/// Whether everything holds. What is in the log is looked for last and waited
/// for, because a line may come after the answer.
pub async fn holds(expect: &Expect, seen: &Seen, server: &Server, is_known: bool) -> bool {
    if let Some(any) = &expect.any {
        if any.iter().any(|one| one.log.is_none() && holds_at_once(one, seen)) {
            return true;
        }
        for one in any.iter().filter(|one| one.log.is_some()) {
            if holds_at_once(one, seen) && logged(one, server, is_known).await {
                return true;
            }
        }
        return false;
    }
    holds_at_once(expect, seen) && logged(expect, server, is_known).await
}

fn holds_at_once(expect: &Expect, seen: &Seen) -> bool {
    let finds = |wanted: &Option<String>| wanted.as_ref().map(|wanted| pattern(wanted).is_match(&seen.body));
    expect.status.is_none_or(|status| status == seen.status)
        && finds(&expect.text) != Some(false)
        && finds(&expect.not_text) != Some(true)
        && expect.json.as_ref().is_none_or(|wanted| {
            let Ok(told) = serde_json::from_str::<Value>(&seen.body) else { return false };
            wanted.iter().all(|(path, value)| at(&told, path) == *value)
        })
}

async fn logged(expect: &Expect, server: &Server, is_known: bool) -> bool {
    let Some(wanted) = &expect.log else { return true };
    let wanted = pattern(wanted);
    if is_known {
        tokio::time::sleep(GRACE).await;
        return wanted.is_match(&server.log());
    }
    poll(|| async { wanted.is_match(&server.log()).then_some(()) }).await.is_some()
}

fn pattern(text: &str) -> Regex {
    RegexBuilder::new(text).case_insensitive(true).build().unwrap()
}

/// A value by its path; `length` is how many there are of a list.
fn at(told: &Value, path: &str) -> Value {
    path.split('.').fold(told.clone(), |here, part| match &here {
        Value::Array(list) if part == "length" => json!(list.len()),
        Value::Array(list) => part.parse().ok().and_then(|n: usize| list.get(n).cloned()).unwrap_or_default(),
        _ => here.get(part).cloned().unwrap_or_default(),
    })
}

#[test]
fn values_are_found_by_their_paths() {
    let told = json!({ "list": [{ "a": 1 }, { "a": 2 }] });
    assert_eq!((at(&told, "list.1.a"), at(&told, "list.length")), (json!(2), json!(2)));
    assert_eq!((at(&told, "list.7.a"), at(&told, "nothing.a")), (Value::Null, Value::Null));
}
