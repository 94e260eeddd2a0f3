//! Connection overrides: what a URL's fragment wishes of the requests to it.
//!
//! <https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides>.
//! The connect timeout (`ct`), the edges and SNI are not heeded: everything is
//! on this machine.

use super::trouble::Trouble;
use super::webhook::Answer;
use reqwest::Url;
use std::time::Duration;

/// The longest any request may take, with its repetitions: a ceiling that no
/// wish can lift.
const CEILING: Duration = Duration::from_secs(15);

/// What a URL's fragment wishes: `#rc=2&rp=all&rt=3000&tt=10000`.
pub(super) struct Overrides {
    /// How often it is tried again.
    pub retries: u8,
    /// How long one answer may take.
    pub read: Duration,
    /// How long all tries together may take.
    pub total: Duration,
    policies: Vec<String>,
}

impl Overrides {
    /// Reads a URL's fragment; what makes no sense in it counts as not said.
    pub fn read(url: &Url) -> Self {
        let pairs: Vec<(String, String)> =
            serde_urlencoded::from_str(url.fragment().unwrap_or_default()).unwrap_or_default();
        let find = |key: &str| pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
        let span = |key| {
            let ms = find(key).and_then(|value| value.parse::<u64>().ok());
            ms.map_or(CEILING, |ms| Duration::from_millis(ms.clamp(100, 15_000)))
        };
        Self {
            retries: find("rc").and_then(|value| value.parse().ok()).map_or(1, |n: u8| n.min(5)),
            policies: find("rp").unwrap_or("ct").split(',').map(str::to_owned).collect(),
            read: span("rt"),
            total: span("tt"),
        }
    }

    /// Whether an outcome is one to try again.
    pub fn repeats(&self, outcome: &Result<Answer, Trouble>) -> bool {
        let cause = match outcome {
            Ok(answer) if (400..500).contains(&answer.status) => "4xx",
            Ok(answer) if answer.status >= 500 => "5xx",
            Err(Trouble::Connect) => "ct",
            Err(Trouble::Timeout) => "rt",
            _ => return false,
        };
        self.policies.iter().any(|policy| policy == cause || policy == "all")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_fragment_says_what_is_tried_again() {
        let wishes = Overrides::read(&url("http://h/a#rc=9&rp=5xx,rt&rt=20"));
        assert_eq!((wishes.retries, wishes.read), (5, Duration::from_millis(100)));
        assert!(wishes.repeats(&Err(Trouble::Timeout)));
        assert!(!wishes.repeats(&Err(Trouble::Connect)));
        let plain = Overrides::read(&url("http://h/a"));
        assert!(plain.repeats(&Err(Trouble::Connect)) && plain.retries == 1);
        assert!(!plain.repeats(&Err(Trouble::Timeout)));
    }
}
