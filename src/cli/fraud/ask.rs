//! Asking for decisions: the running server, or its store where none runs. Both answer
//! the same.

use crate::app::decisions::{self, DecisionQuery, Stretch};
use crate::app::fault::Fault;
use crate::app::{App, Window, admission};
use crate::cli::client::{Client, Target};
use crate::cli::serve::offline;
use crate::config::Config;
use crate::http::decision_view;
use crate::model::fraud::FraudChanges;
use crate::model::id::VerificationId;
use crate::model::key::ServiceSet;
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

/// From when until when; nothing where the server knows better.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) since: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
}

/// What was asked for.
#[derive(Debug)]
pub(super) enum Asked {
    Report { times: Times, rows: u16 },
    Replay { times: Times, changes: FraudChanges },
    One(String),
    Of { verification: VerificationId, limit: u16 },
    About { number: String, limit: u16 },
}

impl Asked {
    /// Those that a name leads to.
    ///
    /// # Errors
    /// A name that leads nowhere.
    pub(super) fn of(name: &str, limit: u16) -> anyhow::Result<Self> {
        let name = name.trim();
        if let Ok(verification) = name.parse() {
            return Ok(Self::Of { verification, limit });
        }
        // No number has so many digits before a hyphen as the name of a page.
        let is_id = name.split_once('-').is_some_and(|(page, place)| {
            page.len() >= 20
                && page.bytes().all(|byte| byte.is_ascii_hexdigit())
                && place.bytes().all(|byte| byte.is_ascii_digit())
        });
        if is_id {
            return Ok(Self::One(name.to_owned()));
        }
        anyhow::ensure!(
            name.starts_with(|c: char| matches!(c, '+' | '(' | '＋') || c.is_numeric()),
            "this is no verification, number or decision: give VE and 32 hexadecimal digits, a number like \
             +14155550123, or a decision's id as a report of yours has it"
        );
        Ok(Self::About { number: name.to_owned(), limit })
    }

    /// What the server answers, or what its store says.
    ///
    /// # Errors
    /// What stopped it.
    pub(super) async fn answer(&self, target: &Target, config: &Config) -> anyhow::Result<Value> {
        if let Some(client) = Client::find(target, config).await? {
            return self.ask(&client).await;
        }
        let (app, store) = offline(config).await?;
        let found = self.look_up(&app).await;
        store.close().await;
        found
    }

    async fn ask(&self, client: &Client) -> anyhow::Result<Value> {
        let answer = match self {
            Self::Report { times, rows } => {
                let at = |name: &str, at: Option<Timestamp>| {
                    let text =
                        at.map(|at| utf8_percent_encode(&at.to_string(), NON_ALPHANUMERIC).to_string());
                    text.map_or_else(String::new, |text| format!("&{name}={text}"))
                };
                let (since, until) = (at("since", times.since), at("until", times.until));
                client.get_slowly(&format!("/v1/decisions/report?rows={rows}{since}{until}")).await?
            }
            Self::Replay { times, changes } => {
                let body = json!({ "since": times.since, "until": times.until, "fraud": changes });
                client.post_slowly("/v1/decisions/replay", &body).await?
            }
            Self::One(id) => client.get(&format!("/v1/decisions/{id}")).await?,
            // A number stands in the body: what stands in a URL is kept by logs.
            Self::Of { verification, limit } => {
                return search(client, json!({ "verification": verification, "limit": limit })).await;
            }
            Self::About { number, limit } => {
                return search(client, json!({ "number": number, "limit": limit })).await;
            }
        };
        match (self, answer.status) {
            (Self::One(_), 404) => Ok(json!({ "decisions": [] })),
            _ => answer.done(),
        }
    }

    async fn look_up(&self, app: &App) -> anyhow::Result<Value> {
        let all = ServiceSet::all();
        let (query, limit) = match self {
            Self::Report { times, rows } => {
                let report = decisions::report(app, &all, times.stretch(), usize::from(*rows)).await?;
                return Ok(serde_json::to_value(report)?);
            }
            Self::Replay { times, changes } => {
                return Ok(serde_json::to_value(decisions::replay(app, times.stretch(), changes).await?)?);
            }
            Self::One(id) => {
                return match decisions::decision(app, &all, id).await {
                    Err(Fault::NotFound) => Ok(json!({ "decisions": [] })),
                    found => Ok(decision_view(&found?)),
                };
            }
            Self::Of { verification, limit } => {
                let verification = Some(verification.clone());
                (DecisionQuery { verification, ..DecisionQuery::default() }, limit)
            }
            Self::About { number, limit } => {
                let number = Some(admission::number_of_form(&app.admission, number)?);
                (DecisionQuery { number, ..DecisionQuery::default() }, limit)
            }
        };
        let mut window = Window { limit: usize::from(*limit), after: None };
        let mut page = decisions::decisions(app, &all, &query, &window).await?;
        while page.items.is_empty() && page.next.is_some() {
            window.after = page.next;
            page = decisions::decisions(app, &all, &query, &window).await?;
        }
        let shown: Vec<Value> = page.items.iter().map(decision_view).collect();
        Ok(json!({ "decisions": shown, "next_cursor": page.next.map(|(_, id)| id) }))
    }
}

/// The first that are found: a page may be empty while there are more.
async fn search(client: &Client, mut body: Value) -> anyhow::Result<Value> {
    loop {
        let found = client.post("/v1/decisions/search", &body).await?.done()?;
        let is_empty = found["decisions"].as_array().is_none_or(Vec::is_empty);
        if !is_empty || found["next_cursor"].is_null() {
            return Ok(found);
        }
        body["cursor"] = found["next_cursor"].clone();
    }
}

impl Times {
    fn stretch(self) -> Stretch {
        Stretch { since: self.since, until: self.until }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_verification_a_number_or_a_decision() {
        let said = |name: &str| match Asked::of(name, 10) {
            Ok(Asked::Of { .. }) => "verification",
            Ok(Asked::About { .. }) => "number",
            Ok(Asked::One(_)) => "decision",
            _ => "nothing",
        };
        assert_eq!(said("VE0123456789abcdef0123456789abcdef"), "verification");
        for number in ["+14155550123", "(415) 555-0123", "0415 555 0123"] {
            assert_eq!(said(number), "number", "{number}");
        }
        assert_eq!(said("0193f5b2c4e0123456789ab-12"), "decision");
        for wrong in ["", "nobody", "VE12", "../keys", "a-b/c"] {
            assert_eq!(said(wrong), "nothing", "{wrong}");
        }
    }
}
