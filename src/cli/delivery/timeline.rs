//! A delivery as lines of text: who, where it stands, what happened, what it
//! means and what to do.

use crate::model::phone::mask;
use serde_json::Value;
use std::fmt::Write;

/// The timeline of a delivery as the API shows it.
pub fn text(delivery: &Value, full_numbers: bool) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = head(&mut out, delivery, full_numbers);
    let _ = tries(&mut out, delivery);
    let _ = events(&mut out, delivery);
    let _ = error(&mut out, delivery);
    out
}

fn head(out: &mut String, delivery: &Value, full_numbers: bool) -> std::fmt::Result {
    let number = |name: &str| match delivery[name].as_str() {
        Some(address) if full_numbers => address.to_owned(),
        Some(address) => mask(address),
        None => "-".to_owned(),
    };
    let name = delivery["sid"].as_str().or(delivery["id"].as_str()).unwrap_or("-");
    writeln!(out, "{name}  {}", delivery["channel"].as_str().unwrap_or("-"))?;
    writeln!(out, "  status  {}", delivery["status"].as_str().unwrap_or("unknown"))?;
    writeln!(out, "  to      {}", number("to"))?;
    if delivery["from"].is_string() {
        writeln!(out, "  from    {}", number("from"))?;
    }
    if let Some(verification) = delivery["verification"].as_str() {
        writeln!(out, "  for     {verification}")?;
    }
    if let Some(segments) = delivery["segments"].as_u64() {
        let unit = if segments == 1 { "segment" } else { "segments" };
        let encoding = delivery["encoding"].as_str().map(|name| format!(" of {name}")).unwrap_or_default();
        writeln!(out, "  cost    {segments} {unit}{encoding}")?;
    }
    if let (Some(amount), Some(currency)) =
        (delivery["price"]["amount"].as_str(), delivery["price"]["currency"].as_str())
    {
        writeln!(out, "  price   {amount} {currency}")?;
    }
    if let Some(who) = delivery["answered_by"].as_str() {
        writeln!(out, "  answered by {who}")?;
    }
    if delivery["shadow_blocked"].as_bool() == Some(true) {
        writeln!(out, "  shadow blocked: it was never sent, and what follows is made up")?;
    }
    if delivery["unproved"].as_bool() == Some(true) {
        writeln!(out, "  unproved: anybody may have said so (signature.mode is report-only)")?;
    }
    call(out, delivery)
}

/// What a call came to.
fn call(out: &mut String, delivery: &Value) -> std::fmt::Result {
    let call = &delivery["call"];
    if call.is_object() {
        writeln!(out, "  keys    {} right, {} wrong", call["right_keys"], call["wrong_keys"])?;
        let (begun, finished) = (&call["readings_begun"], &call["readings_finished"]);
        writeln!(out, "  code    begun to be read {begun}x, read to the end {finished}x")?;
    }
    match (delivery["heard"].as_bool(), delivery["unheard"]["meaning"].as_str()) {
        (Some(true), _) => writeln!(out, "  heard   yes")?,
        (_, Some(why)) => writeln!(out, "  heard   no: {why}")?,
        _ => {}
    }
    Ok(())
}

/// How sending it went, where it did not succeed at once: what each try came to,
/// in order, and when the next one is.
fn tries(out: &mut String, delivery: &Value) -> std::fmt::Result {
    let times = |times: u64| if times == 1 { "once".to_owned() } else { format!("{times} times") };
    let failed = delivery["tries"].as_array().map(Vec::as_slice).unwrap_or_default();
    if let Some(made) = delivery["attempts"].as_u64().filter(|made| *made > 0 && !failed.is_empty()) {
        writeln!(out, "  tried   {}, of which did not succeed:", times(made))?;
    }
    for run in failed {
        let why = run["error"]["detail"].as_str().or(run["error"]["name"].as_str()).unwrap_or("-");
        let (first, last) = (&run["first_at"], &run["last_at"]);
        let until = last.as_str().filter(|_| first != last).map(|last| format!(" to {last}"));
        let at = format!("{}{}", first.as_str().unwrap_or("-"), until.unwrap_or_default());
        writeln!(out, "          {at}  {}: {why}", times(run["times"].as_u64().unwrap_or(1)))?;
    }
    match (delivery["last_error"].is_object(), delivery["next_attempt_at"].as_str()) {
        (true, Some(next)) => writeln!(out, "          again at {next}"),
        _ => Ok(()),
    }
}

fn events(out: &mut String, delivery: &Value) -> std::fmt::Result {
    let Some(events) = delivery["events"].as_array().filter(|events| !events.is_empty()) else {
        // Of what never left nothing can be reported.
        return match delivery["error"].is_null() && delivery["unheard"].is_null() {
            true => writeln!(out, "\n  nothing was reported yet"),
            false => Ok(()),
        };
    };
    writeln!(out)?;
    for event in events {
        let at = event["received_at"].as_str().unwrap_or("-");
        let status = event["status"].as_str().unwrap_or("-");
        let source = event["source"].as_str().unwrap_or("-").replace('_', " ");
        writeln!(out, "  {at:<26} {status:<13} {source}{}", details(event))?;
    }
    Ok(())
}

fn details(event: &Value) -> String {
    let mut parts = Vec::new();
    let mut add = |name: &str, say: &dyn Fn(String) -> String| {
        let text = match &event[name] {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return,
        };
        parts.push(say(text));
    };
    add("carrier_at", &|at| format!("at Twilio {at}"));
    add("carrier_time", &|time| format!("at the carrier {time} (YYMMDDhhmm)"));
    add("answered_by", &|who| format!("answered by {who}"));
    add("told", &|told| format!("told: {}", told.replace('_', " ")));
    add("sip_code", &|code| format!("SIP {code}"));
    add("duration_seconds", &|seconds| format!("{seconds} s"));
    add("billed_minutes", &|minutes| format!("{minutes} min billed"));
    if let Some(code) = event["error"]["code"].as_u64() {
        parts.push(format!("error {code}"));
    }
    if parts.is_empty() { String::new() } else { format!("  ({})", parts.join(", ")) }
}

fn error(out: &mut String, delivery: &Value) -> std::fmt::Result {
    let error = &delivery["error"];
    let Some(name) = error["name"].as_str() else {
        return unheard(out, delivery);
    };
    // What arrived after all had gone wrong before.
    let when = if delivery["delivered"].as_bool() == Some(true) { "before it arrived: " } else { "" };
    match error["code"].as_u64() {
        Some(code) => writeln!(out, "\n  {when}error {code}: {name}")?,
        None => writeln!(out, "\n  {when}error: {name}")?,
    }
    sentences(out, error)
}

/// What to do about a call that was not heard and has no error.
fn unheard(out: &mut String, delivery: &Value) -> std::fmt::Result {
    match delivery["unheard"]["advice"].as_str() {
        Some(advice) => writeln!(out, "\n  what to do       {advice}"),
        None => Ok(()),
    }
}

fn sentences(out: &mut String, error: &Value) -> std::fmt::Result {
    for (label, field) in [
        ("what happened  ", "detail"),
        ("what this means", "meaning"),
        ("what to do     ", "advice"),
        ("more           ", "docs"),
    ] {
        if let Some(text) = error[field].as_str() {
            writeln!(out, "  {label}  {text}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_failed_message_is_told_whole_and_masked() {
        let delivery = json!({
            "sid": "SM0123456789abcdef0123456789abcdef", "channel": "sms", "status": "undelivered",
            "to": "+14155550123", "from": "+15005550006", "segments": 2, "encoding": "UCS-2",
            "price": {"amount": "0.0158", "currency": "USD"},
            "error": {"code": 30005, "name": "Unknown destination handset", "meaning": "Nobody has it.", "advice": "Ask.", "docs": "https://…"},
            "events": [{"received_at": "2026-11-20T09:31:00Z", "status": "undelivered", "source": "status_callback",
                        "carrier_time": "2611200931", "error": {"code": 30005}}],
        });
        let text = text(&delivery, false);
        assert!(text.contains("+1********23") && !text.contains("+14155550123"), "{text}");
        assert!(text.contains("  cost    2 segments of UCS-2\n  price   0.0158 USD\n"), "{text}");
        assert!(text.contains("what this means  Nobody has it."), "{text}");
        assert!(text.contains("at the carrier 2611200931 (YYMMDDhhmm), error 30005"), "{text}");
    }

    #[test]
    fn a_send_that_is_tried_again_says_why_and_when() {
        let last = json!({"code": 20429, "name": "Too Many Requests", "detail": "twilio answered 429 (Too Many Requests)"});
        let delivery = json!({"id": "DL1", "channel": "sms", "status": "pending", "events": [], "attempts": 3,
            "tries": [
                {"times": 1, "first_at": "2026-11-20T09:30:00Z", "last_at": "2026-11-20T09:30:00Z", "error": {"name": "twilio answered 500"}},
                {"times": 2, "first_at": "2026-11-20T09:30:05Z", "last_at": "2026-11-20T09:30:09Z", "error": last}],
            "last_error": last, "next_attempt_at": "2026-11-20T09:31:00Z"});
        let text = text(&delivery, false);
        let lines = "  tried   3 times, of which did not succeed:\n\
                    \x20         2026-11-20T09:30:00Z  once: twilio answered 500\n\
                    \x20         2026-11-20T09:30:05Z to 2026-11-20T09:30:09Z  2 times: twilio answered 429 (Too Many Requests)\n\
                    \x20         again at 2026-11-20T09:31:00Z\n";
        assert!(text.contains(lines), "{text}");
    }

    #[test]
    fn what_tries_came_to_stays_when_twilio_has_it_and_says_of_what_arrived_that_it_did() {
        let delivery = json!({"sid": "SM1", "channel": "sms", "status": "delivered", "delivered": true, "attempts": 2,
            "tries": [{"times": 1, "first_at": "2026-11-20T09:30:00Z", "last_at": "2026-11-20T09:30:00Z", "error": {"name": "500"}}],
            "events": [{"received_at": "2026-11-20T09:31:00Z", "status": "delivered", "source": "status_callback"}],
            "error": {"code": 30003, "name": "Unreachable destination handset"}});
        let text = text(&delivery, false);
        assert!(
            text.contains(
                "  tried   2 times, of which did not succeed:\n          2026-11-20T09:30:00Z  once: 500\n\n"
            ),
            "{text}"
        );
        assert!(text.contains("  before it arrived: error 30003: "), "{text}");
    }

    #[test]
    fn a_call_that_a_machine_took_says_what_to_do() {
        let delivery = json!({"sid": "CA1", "channel": "call", "status": "completed", "heard": false, "events": [],
            "unheard": {"reason": "machine", "meaning": "a machine answered", "advice": "Send a text."}});
        let text = text(&delivery, false);
        assert!(text.ends_with("\n  what to do       Send a text.\n"), "{text}");
        assert!(!text.contains("nothing was reported"), "{text}");
    }

    #[test]
    fn a_send_that_failed_is_not_said_to_be_waited_for() {
        let error = json!({"code": 20500, "name": "Internal Server Error", "detail": "twilio answered 500, at each of 9 tries"});
        let text = text(
            &json!({"id": "DL1", "channel": "sms", "status": "failed", "events": [], "error": error}),
            false,
        );
        assert!(!text.contains("nothing was reported") && text.contains("at each of 9 tries"), "{text}");
    }

    #[test]
    fn a_send_that_never_left_has_a_timeline_too() {
        let text = text(&json!({"id": "DL1", "channel": "call", "status": "pending", "events": []}), false);
        assert!(text.contains("nothing was reported yet"), "{text}");
    }
}
