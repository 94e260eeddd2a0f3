//! What another policy would have made of recorded traffic, as lines of text.

use super::figures::{WIDTH, count, cut, money, of, share, time, wrapped};
use serde_json::Value;
use std::fmt::Write;

/// A replay as the API answers it.
pub(super) fn text(replayed: &Value, policy: &str) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = head(&mut out, replayed, policy);
    if of(replayed, "requests") > 0 {
        let _ = unknown(&mut out, replayed);
        let _ = rows(&mut out, "by rule", &replayed["rules"]);
        let _ = rows(&mut out, "by country", &replayed["countries"]);
        let _ = examples(&mut out, replayed);
    }
    out
}

fn head(out: &mut String, replayed: &Value, policy: &str) -> std::fmt::Result {
    let n = |name: &str| of(replayed, name);
    let (since, until) = (time(&replayed["since"]), time(&replayed["until"]));
    writeln!(out, "traffic from {since} to {until} UTC")?;
    writeln!(out, "by {}, against the policy in force; nothing is changed", cut(policy, 30))?;
    if n("requests") == 0 {
        return writeln!(out, "no request was decided about in this time");
    }
    writeln!(out, "\n{:<34}{:>10}{:>16}{:>20}", "", "requests", "verified later", "money")?;
    for (name, said, what) in
        [("now_refused", "not sent any more", "saved"), ("no_longer_refused", "sent again", "spent")]
    {
        let change = &replayed[name];
        let verified = match name {
            "now_refused" => {
                format!("{} ({})", of(change, "verified"), share(of(change, "verified"), n("verified")))
            }
            _ => count(of(change, "verified")),
        };
        let micros = format!("{} {what}", money(of(change, "micros")));
        writeln!(out, "{said:<34}{:>10}{verified:>16}{micros:>20}", count(of(change, "requests")))?;
    }
    for (name, said) in [
        ("sent_by_both", "sent by both"),
        ("held_by_both", "not sent by both"),
        ("held_otherwise", "not sent by both, in other ways"),
        ("refused_by_others", "refused by lists, limits, rules"),
    ] {
        writeln!(out, "{said:<34}{:>10}", count(n(name)))?;
    }
    let verified = format!("of {} verified in this time", count(n("verified")));
    writeln!(out, "{:<34}{:>10}  {verified}", "all", count(n("requests")))
}

/// What nobody can know.
fn unknown(out: &mut String, replayed: &Value) -> std::fmt::Result {
    let unknown = of(&replayed["now_refused"], "unknown") + of(&replayed["no_longer_refused"], "unknown");
    let mut said = Vec::new();
    if unknown > 0 {
        said.push(format!(
            "{} of those that differ had not been sent when they were recorded: what would have become of them \
             nobody knows, and they count as not verified.",
            count(unknown)
        ));
    }
    if of(replayed, "not_followed") > 0 {
        said.push(format!("{} could not be followed for a whole day.", count(of(replayed, "not_followed"))));
    }
    if !said.is_empty() {
        writeln!(out)?;
    }
    for line in said.iter().flat_map(|said| wrapped(said, WIDTH)) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// Rows of a table at most.
const ROWS: usize = 10;

fn rows(out: &mut String, title: &str, table: &Value) -> std::fmt::Result {
    let mut rows: Vec<(&String, &Value)> = table.as_object().into_iter().flatten().collect();
    if rows.is_empty() {
        return Ok(());
    }
    let worst = |row: &Value| of(&row["now_refused"], "requests") + of(&row["no_longer_refused"], "requests");
    rows.sort_by_key(|(name, row)| (std::cmp::Reverse(worst(row)), (*name).clone()));
    let (not, again) = ("not sent any more", "sent again");
    writeln!(out, "\n{title:<24}{not:>18}{:>10}{:>12}{again:>16}", "verified", "saved")?;
    for (name, row) in rows.iter().take(ROWS) {
        let (refused, spared) = (&row["now_refused"], &row["no_longer_refused"]);
        let cells = [refused, refused, spared].map(|change| count(of(change, "requests")));
        let (verified, saved) = (count(of(refused, "verified")), money(of(refused, "micros")));
        writeln!(out, "{:<24}{:>18}{verified:>10}{saved:>12}{:>16}", cut(name, 23), cells[0], cells[2])?;
    }
    match rows.len().saturating_sub(ROWS) {
        0 => Ok(()),
        more => writeln!(out, "… and {} more", count(more as u64)),
    }
}

fn examples(out: &mut String, replayed: &Value) -> std::fmt::Result {
    let examples = replayed["examples"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !examples.is_empty() {
        writeln!(out, "\nthe first that differ; `dialback fraud explain ID` tells the rest")?;
    }
    for example in examples {
        let word = |name: &str| example[name].as_str().unwrap_or("-");
        let rules: Vec<&str> =
            example["rules"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let verified = if example["verified"] == true { ", and the number was proved" } else { "" };
        writeln!(
            out,
            "{}  {}  {} {}",
            time(&example["at"]),
            word("decision"),
            word("country"),
            word("range")
        )?;
        let (now, then) = (word("candidate").replace('_', " "), word("current").replace('_', " "));
        let said = format!("{now} instead of {then} by {}{verified}", rules.join(", "));
        for line in wrapped(&said, WIDTH - 4) {
            writeln!(out, "    {line}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_replay_says_what_differs_who_of_it_was_honest_and_what_nobody_knows() {
        let refused = json!({ "requests": 340, "verified": 2, "unknown": 5, "micros": 98_200_000 });
        let spared = json!({ "requests": 12, "verified": 7, "unknown": 0, "micros": 3_000_000 });
        let both = json!({ "now_refused": refused, "no_longer_refused": spared });
        let replayed = json!({
            "since": "2026-11-20T00:00:00Z", "until": "2026-11-27T00:00:00Z", "requests": 12_345, "verified": 10_000,
            "sent_by_both": 11_900, "held_by_both": 40, "held_otherwise": 3, "refused_by_others": 50,
            "now_refused": refused, "no_longer_refused": spared, "not_followed": 0,
            "rules": { "block_burst": both }, "countries": { "GB": both },
            "examples": [{ "decision": "page-1", "at": "2026-11-20T09:31:00Z", "range": "+4479", "country": "GB",
                "recorded": "taken", "current": "taken", "candidate": "captcha_required", "rules": ["block_burst"],
                "verified": true }],
        });
        let said = text(&replayed, "policy.toml");
        for line in [
            "not sent any more                        340       2 (0.0 %)       $ 98.20 saved",
            "sent again                                12               7        $ 3.00 spent",
            "refused by lists, limits, rules           50",
            "block_burst                            340         2     $ 98.20              12",
            "    captcha required instead of taken by block_burst, and the number was proved",
        ] {
            assert!(said.lines().any(|said| said == line), "no {line:?} in\n{said}");
        }
        assert!(said.contains("5 of those that differ had not been sent"), "{said}");
        assert!(said.lines().all(|line| line.chars().count() <= WIDTH), "{said}");
    }
}
