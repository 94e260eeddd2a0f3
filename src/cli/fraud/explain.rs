//! A decision in plain words: when, by whom, what was asked, why it came to what it came
//! to, what became of it, and what can be done.

use super::figures::{WIDTH, figure, money, time, wrapped};
use crate::model::fraud::{Outcome, in_words};
use serde_json::Value;
use std::fmt::Write;

/// Decisions as the API shows them, the newest first.
pub(super) fn text(decisions: &[Value], is_more: bool) -> String {
    let mut out = String::new();
    for decision in decisions {
        if !out.is_empty() {
            out.push('\n');
        }
        // Writing to a string cannot fail.
        let _ = one(&mut out, decision);
    }
    if is_more {
        let _ = writeln!(out, "\n… and more before these: --limit shows them");
    }
    out
}

fn one(out: &mut String, decision: &Value) -> std::fmt::Result {
    let word = |name: &str| decision[name].as_str().unwrap_or("-");
    writeln!(out, "{}  {} UTC", word("id"), time(&decision["at"]))?;
    let cost = match decision["cost_micros"].as_u64() {
        None | Some(0) => String::new(),
        Some(micros) => format!(", {} by the price table", money(micros)),
    };
    let again = if decision["resend"] == true { "one more code" } else { "a code" };
    let voip = if decision["voip"] == true { ", internet telephony" } else { "" };
    let (range, country) = (word("range"), word("country"));
    let asked = format!("{again} by {} to a number of {range} ({country}{voip}){cost}", word("channel"));
    say(out, "asked", &asked)?;
    let by = [
        ("key", "key"),
        ("service", "service"),
        ("address", "a person at the address"),
        ("device", "device"),
    ];
    let by = by.into_iter().filter_map(|(name, said)| Some(format!("{said} {}", decision[name].as_str()?)));
    let by: Vec<String> = std::iter::once(format!("the face {}", word("face"))).chain(by).collect();
    say(out, "by", &by.join(", "))?;
    say(out, "came to", &came_to(decision))?;
    for reason in decision["reasons"].as_array().into_iter().flatten() {
        say(out, "because", &because(reason))?;
    }
    say(out, "became", &became(decision))?;
    for advice in decision["advice"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        say(out, "to do", advice)?;
    }
    Ok(())
}

/// Columns of a line's title.
const TITLE: usize = 11;

fn say(out: &mut String, title: &str, text: &str) -> std::fmt::Result {
    for (at, line) in wrapped(text, WIDTH - TITLE).iter().enumerate() {
        let title = if at == 0 { title } else { "" };
        writeln!(out, "  {title:<9}{line}")?;
    }
    Ok(())
}

fn came_to(decision: &Value) -> String {
    let outcome: Option<Outcome> = serde_json::from_value(decision["outcome"].clone()).ok();
    let mut said = outcome.map_or("-", in_words).to_owned();
    if let Some(code) = decision["code"].as_str() {
        said += &format!(", with the code {code}");
    }
    if decision["retry_at"].is_string() {
        said += &format!(", until {} UTC", time(&decision["retry_at"]));
    }
    said
}

fn because(reason: &Value) -> String {
    let mut said = reason["rule"].as_str().unwrap_or("-").to_owned();
    if let Some(subject) = reason["subject"].as_str() {
        said += &format!(" of {subject}");
    }
    if let Some(action) = reason["action"].as_str() {
        said += match action {
            "record" => " notes it",
            "slow" => " asks to slow down",
            "captcha" => " asks for a proof",
            "refuse" => " asks to refuse",
            _ => " asks for a shadow block",
        };
    }
    match (reason["value"].as_f64(), reason["threshold"].as_f64()) {
        (Some(value), Some(threshold)) => {
            said += &format!(": {}, and it begins at {}", figure(value), figure(threshold));
        }
        (Some(value), None) => said += &format!(": {}", figure(value)),
        _ => {}
    }
    if reason["until"].is_string() {
        said += &format!(", until {} UTC", time(&reason["until"]));
    }
    if let Some(meaning) = reason["meaning"].as_str() {
        said += &format!(" ({meaning})");
    }
    said
}

fn became(decision: &Value) -> String {
    let at = |name: &str| decision[name].is_string().then(|| time(&decision[name]));
    let is_sent = matches!(decision["outcome"].as_str(), Some("taken" | "flagged"));
    let mut said = Vec::new();
    if let Some(verification) = decision["verification"].as_str() {
        said.push(format!("verification {verification}"));
    }
    if let Some(at) = at("never_left_at") {
        said.push(format!("it certainly never left, as was known at {at} UTC"));
    }
    if let Some(code) = decision["provider_code"].as_u64() {
        said.push(format!("the provider took it for fraud ({code})"));
    }
    match (at("verified_at"), is_sent) {
        (Some(at), true) => said.push(format!("the number was proved at {at} UTC")),
        (Some(at), false) => {
            said.push(format!("nothing was sent, and the number was proved at {at} UTC: probably honest"));
        }
        (None, true) => said.push("the number was not proved within a day, or not yet".to_owned()),
        (None, false) => said.push("nothing was sent".to_owned()),
    }
    said.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_decision_is_told_in_plain_words() {
        let decision = json!({
            "id": "page-3", "at": "2026-11-20T09:31:00.123Z", "outcome": "refused", "code": "fraud_suspected",
            "retry_at": "2026-11-20T10:01:00Z", "verification": null, "service": "VA1", "channel": "sms",
            "face": "api", "key": "0a1b2c3d4e5f", "resend": false, "range": "+4479", "country": "GB", "voip": false,
            "address": "6565656565656565", "device": null, "cost_micros": 40_000, "verified_at": "2026-11-20T11:00:00Z",
            "reasons": [{ "rule": "block_burst", "action": "refuse", "value": 9.0, "threshold": 8.0, "subject": null,
                "until": "2026-11-20T10:01:00Z", "meaning": "many numbers" }],
            "advice": ["`dialback allow` lets it pass"],
        });
        let said = text(&[decision.clone(), decision], true);
        let expected = "\
page-3  2026-11-20 09:31:00 UTC
  asked    a code by sms to a number of +4479 (GB), $ 0.04 by the price table
  by       the face api, key 0a1b2c3d4e5f, service VA1, a person at the address
           6565656565656565
  came to  refused, with the code fraud_suspected, until 2026-11-20 10:01:00 UTC
  because  block_burst asks to refuse: 9, and it begins at 8, until 2026-11-20
           10:01:00 UTC (many numbers)
  became   nothing was sent, and the number was proved at 2026-11-20 11:00:00
           UTC: probably honest
  to do    `dialback allow` lets it pass
";
        assert!(said.starts_with(expected), "{said}");
        assert!(said.ends_with("\n… and more before these: --limit shows them\n"), "{said}");
        assert!(said.lines().all(|line| line.chars().count() <= WIDTH), "{said}");
    }
}
