//! `dialback policy silence`: for how long a server waits for news of a message, by country
//! and channel, as it has learned so far.

use crate::cli::client::{Client, Target};
use crate::config::Config;
use anyhow::Context;
use serde_json::Value;

/// What the server that runs here has learned.
///
/// # Errors
/// When no server runs here, for nobody else knows; or when it gives no answer.
pub async fn asked(config: &Config) -> anyhow::Result<Value> {
    let client = Client::find(&Target::default(), config).await?;
    let client = client.context(
        "no server is running: what it has learned of arrivals ends with it; start one with `dialback serve`",
    )?;
    client.admin_get("/operator/silence").await?.done()
}

/// The same as lines.
pub fn shown(silence: &Value) -> String {
    let seconds = |value: &Value| value.as_f64().unwrap_or_default();
    let mut out = String::new();
    for line in silence["learned"].as_array().into_iter().flatten() {
        let word = |name: &str| line[name].as_str().unwrap_or("-").to_owned();
        let arrived = line["arrived_seconds"].as_f64();
        let why = match arrived {
            Some(arrived) => format!("95 of 100 arrived within {arrived:.1} s"),
            None => "too few to go by".to_owned(),
        };
        out += &format!(
            "{:<3} {:<9} {:>5.0} s   {:>3} seen, {why}\n",
            word("country"),
            word("channel"),
            seconds(&line["silence_seconds"]),
            line["seen"].as_u64().unwrap_or(0)
        );
    }
    out += &format!(
        "{:<13} {:>5.0} s   never below {:.0} s or above {:.0} s\n",
        if out.is_empty() { "everywhere" } else { "elsewhere" },
        seconds(&silence["usual_seconds"]),
        seconds(&silence["least_seconds"]),
        seconds(&silence["most_seconds"]),
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_was_learned_is_said_by_country_and_channel() {
        let spans =
            json!({ "usual_seconds": 45.0, "least_seconds": 20.0, "most_seconds": 120.0, "learned": [] });
        assert_eq!(shown(&spans), "everywhere       45 s   never below 20 s or above 120 s\n");
        let mut learned = spans;
        learned["learned"] = json!([
            { "country": "BR", "channel": "whatsapp", "seen": 3, "arrived_seconds": null, "silence_seconds": 45.0 },
            { "country": "DE", "channel": "sms", "seen": 200, "arrived_seconds": 20.25, "silence_seconds": 30.375 },
        ]);
        assert_eq!(
            shown(&learned),
            "BR  whatsapp     45 s     3 seen, too few to go by\n\
             DE  sms          30 s   200 seen, 95 of 100 arrived within 20.2 s\n\
             elsewhere        45 s   never below 20 s or above 120 s\n"
        );
    }
}
