//! `[limits]`: how often something may happen to whom, rule by rule.
//!
//! It refuses to know what a rule counts; the model has the rules and their reasons.

use super::reader::Reader;
use crate::model::limits::{Allowance, LimitChanges, Limits};

const MEND: &str =
    "write limits like \"5/hour\", of money \"12.50/day\": a number, a slash, and minute, hour or day";
const NAMES: &str = "write names of rules, the keys of [limits], such as \"number_sends\"";

/// The rules of the configuration.
pub(super) fn read(r: &mut Reader<'_>) -> Limits {
    let known = Limits::default();
    let mut changes = LimitChanges::default();
    for rule in known.rules() {
        let key = format!("limits.{}", rule.name);
        let windows: Vec<Allowance> = r.parsed_list(&key, MEND, |text| text.parse().ok());
        changes.windows.insert(rule.name.to_owned(), windows);
    }
    let is_rule = |name: &str| known.rule(name).map(|rule| rule.name.to_owned());
    changes.track_only = Some(r.parsed_list("limits.track_only", NAMES, is_rule));
    changes.flag = Some(r.parsed_list("limits.flag", NAMES, is_rule));
    changes.number_lock_after = Some(r.number("limits.number_lock_after", 0..=1_000_000));
    for (name, what) in changes.mistakes() {
        let mend = format!("it {what}");
        r.note(&format!("limits.{name}"), "does not fit here", mend);
        changes.windows.remove(&name);
    }
    known.with(&changes)
}
