//! Deliveries as lines of text: when, which, how, where it stands, and in a few
//! words what became of it.

use crate::model::phone::mask;
use serde_json::Value;

/// A page of deliveries as the API shows it, a line for each.
pub fn text(page: &Value, full_numbers: bool) -> String {
    let deliveries = page["deliveries"].as_array();
    deliveries.into_iter().flatten().map(|delivery| line(delivery, full_numbers) + "\n").collect()
}

fn line(delivery: &Value, full_numbers: bool) -> String {
    let word = |name: &str| delivery[name].as_str().unwrap_or("-");
    let name = delivery["sid"].as_str().or(delivery["id"].as_str()).unwrap_or("-");
    let to = match delivery["to"].as_str() {
        Some(to) if full_numbers => to.to_owned(),
        Some(to) => mask(to),
        None => "-".to_owned(),
    };
    let line = format!(
        "{:<30}  {name:<34}  {:<9}  {:<12}  {to:<14}  {}",
        word("created_at"),
        word("channel"),
        word("status"),
        became(delivery)
    );
    line.trim_end().to_owned()
}

/// Why it did not arrive, or that a call was heard.
fn became(delivery: &Value) -> String {
    let error = &delivery["error"];
    let had_arrived = delivery["delivered"].as_bool() == Some(true);
    let error = error["name"].as_str().map(|name| match error["code"].as_u64() {
        Some(code) if had_arrived => format!("after error {code}: {name}"),
        Some(code) => format!("error {code}: {name}"),
        None => name.to_owned(),
    });
    let unheard = delivery["unheard"]["meaning"].as_str().map(|why| format!("not heard: {why}"));
    let heard = delivery["heard"].as_bool().filter(|heard| *heard).map(|_| "heard".to_owned());
    // A code says more than that it was not heard, and that more than "failed".
    let (coded, bare) = if delivery["error"]["code"].is_u64() { (error, None) } else { (None, error) };
    coded.or(unheard).or(bare).or(heard).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_line_says_what_became_of_each_and_no_number_in_full() {
        let page = json!({ "deliveries": [
            { "created_at": "2026-11-20T09:31:00Z", "sid": null, "id": "DL1", "channel": "sms", "status": "failed",
              "to": "+14155550123", "error": { "code": 21211, "name": "Invalid number" } },
            { "created_at": "2026-11-20T09:30:00Z", "sid": "CA1", "channel": "call", "status": "completed",
              "to": "+14155550123", "heard": false, "unheard": { "reason": "no_key", "meaning": "no key was pressed" } },
            { "created_at": "2026-11-20T09:29:00Z", "sid": "CA2", "channel": "call", "status": "completed",
              "to": "+14155550123", "heard": true, "unheard": null },
        ]});
        let masked = text(&page, false);
        let ends: Vec<&str> = masked.lines().filter_map(|line| line.rsplit("  ").next()).collect();
        assert_eq!(ends, ["error 21211: Invalid number", "not heard: no key was pressed", "heard"]);
        assert!(masked.starts_with("2026-11-20T09:31:00Z") && masked.contains("DL1"), "{masked}");
        assert!(!masked.contains("4155550123") && text(&page, true).contains("+14155550123"));
    }
}
