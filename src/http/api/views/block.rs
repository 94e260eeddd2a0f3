//! Who is allowed or blocked, as the API shows it.

use crate::model::lists::{Effect, ListLine, Target};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// Somebody who is allowed or blocked. One of number, range, network and country is there.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Block")]
pub struct BlockView {
    /// Its id: `LE` and 32 hexadecimal digits; of a safe number its name, `GN` and as many.
    pub id: String,
    /// What it does: no code is sent, or signals of fraud and rules about countries let it pass.
    pub effect: Effect,
    /// Whom it names: `number`, `range`, `network` or `country`.
    pub kind: String,
    /// The number, in lists masked unless `full_numbers` asks for it; null of others, and of
    /// one that was erased.
    pub number: Option<String>,
    /// Whether the number was erased. The entry stays without it.
    pub erased: bool,
    /// What its numbers begin with, like `+4479*`; null of others.
    pub range: Option<String>,
    /// The network, like `203.0.113.0/24`; null of others.
    pub network: Option<String>,
    /// The country, ISO 3166; null of others.
    pub country: Option<String>,
    /// The channel alone by which the country is meant; null for all.
    pub channel: Option<String>,
    /// For codes of this service alone, by its id; null for all.
    pub service: Option<String>,
    /// Why, in the words of whoever made it; null where nobody said.
    pub reason: Option<String>,
    /// When it stops; null where somebody has to take it away.
    pub ends_at: Option<Timestamp>,
    /// Who said so last: an API key's id, or a word such as `operator`; null where that is not known.
    pub created_by: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A page of them.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Blocks {
    /// Those that are in force, the newest first.
    pub blocks: Vec<BlockView>,
    /// Where to go on; null at the end.
    pub next_cursor: Option<String>,
}

impl BlockView {
    /// An entry, its number in full or masked.
    pub fn new(line: &ListLine, is_full: bool) -> Self {
        let of = |kind: &str| Some(line.target.in_full()?).filter(|_| line.target.sort() == kind);
        Self {
            id: line.id.clone(),
            effect: line.effect,
            kind: line.target.sort().to_owned(),
            number: of("number").map(|full| if is_full { full } else { line.target.shown() }),
            erased: matches!(line.target, Target::ErasedNumber(_)),
            range: of("range"),
            network: of("network"),
            country: of("country"),
            channel: line.target.channel().map(|channel| channel.to_string()),
            service: line.service.as_ref().map(ToString::to_string),
            reason: line.reason.clone(),
            ends_at: line.ends_at,
            created_by: line.actor.as_ref().map(ToString::to_string),
            created_at: line.created_at,
        }
    }
}
