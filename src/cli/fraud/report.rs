//! A report as lines of text, at most 80 columns wide.

use super::figures::{WIDTH, count, cut, money, of, share, time};
use crate::model::fraud::Dimension;
use serde_json::Value;
use std::fmt::Write;

/// A report as the API answers it: all of it, or by one thing alone.
pub(super) fn text(report: &Value, by: Option<Dimension>) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = head(&mut out, report);
    if of(&report["total"], "requests") == 0 {
        return out;
    }
    for table in Dimension::ALL.into_iter().filter(|table| by.is_none_or(|by| by == *table)) {
        let _ = rows(&mut out, table, &report["by"][table.as_str()]);
    }
    out
}

fn head(out: &mut String, report: &Value) -> std::fmt::Result {
    let total = &report["total"];
    let n = |name: &str| of(total, name);
    writeln!(out, "requests for codes from {} to {} UTC", time(&report["since"]), time(&report["until"]))?;
    let (all, sent) = (n("requests"), n("taken") + n("flagged"));
    if all == 0 {
        return writeln!(out, "none was decided about in this time");
    }
    writeln!(out)?;
    writeln!(out, "  asked for    {:>12}", count(all))?;
    writeln!(
        out,
        "  sent         {:>12}  {}, of them {} flagged",
        count(sent),
        share(sent, all),
        count(n("flagged"))
    )?;
    let held: Vec<String> = [
        ("refused", "refused"),
        ("slowed", "slowed down"),
        ("captcha_required", "asked for a proof"),
        ("shadow_blocked", "shadow blocked"),
    ]
    .into_iter()
    .filter(|(name, _)| n(name) > 0)
    .map(|(name, said)| format!("{} {said}", count(n(name))))
    .collect();
    let held = if held.is_empty() { String::new() } else { format!("  {}", held.join(", ")) };
    writeln!(out, "  not sent     {:>12}{held}", count(all - sent))?;
    let started = n("started");
    let verified = format!("{} of {} that were begun", share(n("verified"), started), count(started));
    writeln!(out, "  verified     {:>12}  {verified}", count(n("verified")))?;
    writeln!(out, "  money        {:>12}  for what was sent", money(n("sent_micros")))?;
    writeln!(out, "               {:>12}  for what was not", money(n("saved_micros")))?;
    for (name, said) in [
        ("never_left", "of those sent certainly never left"),
        ("verdicts", "the provider took for fraud (30450, 30453, 60410)"),
    ] {
        if n(name) > 0 {
            writeln!(out, "               {:>12}  {said}", count(n(name)))?;
        }
    }
    later(out, report)
}

/// Who was kept back and proved the number after all.
fn later(out: &mut String, report: &Value) -> std::fmt::Result {
    let later = &report["total"]["later"];
    let kinds = [
        ("refused", "after a refusal"),
        ("slowed", "after a wait"),
        ("captcha_required", "after a proof was asked for"),
        ("shadow_blocked", "after a shadow block"),
        ("flagged", "after being flagged, and sent all the same"),
    ];
    let met: Vec<_> = kinds.into_iter().filter(|(name, _)| of(later, name) > 0).collect();
    if !met.is_empty() {
        writeln!(out, "\n  people that proved their number within a day, probably honest:")?;
    }
    for (name, said) in met {
        writeln!(out, "               {:>12}  {said}", count(of(later, name)))?;
    }
    match of(report, "not_followed") {
        0 => Ok(()),
        missed => {
            writeln!(out, "               {:>12}  requests could not be followed so long", count(missed))
        }
    }
}

/// The columns behind a name.
const COLUMNS: [(&str, usize); 6] =
    [("asked", 9), ("flagged", 9), ("not sent", 9), ("honest", 8), ("verified", 10), ("not spent", 12)];
/// Columns of a name.
const NAME: usize = WIDTH - 57;

fn rows(out: &mut String, by: Dimension, table: &Value) -> std::fmt::Result {
    let rows = table["rows"].as_array().map(Vec::as_slice).unwrap_or_default();
    if rows.is_empty() {
        return Ok(());
    }
    write!(out, "\n{:<NAME$}", format!("by {by}"))?;
    for (title, columns) in COLUMNS {
        write!(out, "{title:>columns$}")?;
    }
    writeln!(out)?;
    for row in rows {
        let n = |name: &str| of(row, name);
        let sent = n("taken") + n("flagged");
        let honest: u64 = ["refused", "slowed", "captcha_required", "shadow_blocked"]
            .map(|name| of(&row["later"], name))
            .iter()
            .sum();
        let cells = [
            count(n("requests")),
            count(n("flagged")),
            count(n("requests") - sent),
            count(honest),
            share(n("verified"), n("started")),
            money(n("saved_micros")),
        ];
        write!(out, "{:<NAME$}", cut(row["name"].as_str().unwrap_or("-"), NAME - 1))?;
        for (cell, (_, columns)) in cells.iter().zip(COLUMNS) {
            write!(out, "{cell:>columns$}")?;
        }
        writeln!(out)?;
    }
    match of(table, "more") {
        0 => Ok(()),
        more => writeln!(out, "… and {} more", count(more)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn figures(requests: u64, refused: u64) -> Value {
        json!({ "requests": requests, "taken": requests - refused, "flagged": 0, "slowed": 0, "captcha_required": 0,
            "refused": refused, "shadow_blocked": 0, "never_left": 0, "verdicts": 2, "started": requests - refused,
            "verified": 10, "later": { "refused": 1 }, "sent_micros": 1_234_560_000u64, "saved_micros": 40_000 })
    }

    #[test]
    fn a_report_is_read_aloud_and_fits_a_terminal() {
        let mut row = figures(12_345, 345);
        row["name"] = json!("a name that is longer than its column is");
        let report = json!({
            "since": "2026-11-20T00:00:00Z", "until": "2026-11-27T00:00:00Z", "total": figures(12_345, 345),
            "by": { "rule": { "rows": [row], "more": 12 }, "country": { "rows": [], "more": 0 } }, "not_followed": 0,
        });
        let said = text(&report, None);
        for line in [
            "requests for codes from 2026-11-20 00:00:00 to 2026-11-27 00:00:00 UTC",
            "  sent               12,000  97.2 %, of them 0 flagged",
            "  not sent              345  345 refused",
            "  verified               10  0.1 % of 12,000 that were begun",
            "  money          $ 1,234.56  for what was sent",
            "                          1  after a refusal",
            "by rule                    asked  flagged not sent  honest  verified   not spent",
            "a name that is longer…    12,345        0      345       1     0.1 %      $ 0.04",
            "… and 12 more",
        ] {
            assert!(said.lines().any(|said| said == line), "no {line:?} in\n{said}");
        }
        assert!(said.lines().all(|line| line.chars().count() <= WIDTH), "{said}");
        assert!(!text(&report, Some(Dimension::Country)).contains("by rule"));
        let none = json!({ "since": null, "until": null, "total": {}, "by": {} });
        assert_eq!(text(&none, None).lines().last(), Some("none was decided about in this time"));
    }
}
