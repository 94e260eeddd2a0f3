//! The rows of a report: names as small numbers while it is under way, and the worst
//! ones in the end. There may be more addresses than anybody reads, so there is a row for
//! all that come after so many.

use super::Figures;
use crate::model::fraud::About;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::str::FromStr;

/// What rows are told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "DecisionReportDimension")]
pub enum Dimension {
    /// The rule that had something to say.
    Rule,
    /// The country, by its ISO 3166 code; `??` where no plan knows the number.
    Country,
    /// The range of numbers, as its plan writes it.
    Range,
    /// The person's address, by a name that is nobody's.
    Address,
    /// The service, by its id.
    Service,
    /// The channel by which the code was to go.
    Channel,
    /// The face: `api`, `verify`, `pages`.
    Face,
}

impl Dimension {
    /// Every one there is.
    pub const ALL: [Self; 7] =
        [Self::Rule, Self::Country, Self::Range, Self::Address, Self::Service, Self::Channel, Self::Face];

    /// As it is written on the command line and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Country => "country",
            Self::Range => "range",
            Self::Address => "address",
            Self::Service => "service",
            Self::Channel => "channel",
            Self::Face => "face",
        }
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Dimension {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = || Self::ALL.map(Self::as_str).join(", ");
        Self::ALL.into_iter().find(|by| by.as_str() == text).ok_or_else(|| format!("is one of {}", names()))
    }
}

/// Rows, the worst first: by what was not sent, then by what was flagged, then by all.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "DecisionTable")]
pub struct Table {
    /// The first of them.
    pub rows: Vec<Row>,
    /// How many more there are.
    pub more: u64,
}

/// What is counted of those of one name.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "DecisionRow")]
pub struct Row {
    /// The name: `GB`, `+4479`, `block_burst`; `(others)` for all that came after many.
    pub name: String,
    /// What is counted.
    #[serde(flatten)]
    pub figures: Figures,
}

/// A row while a report is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(Dimension, u32);

/// All rows, by what they are told apart by.
#[derive(Debug, Default)]
pub(super) struct Tables(BTreeMap<Dimension, (HashMap<String, u32>, Vec<Figures>)>);

/// Most rows of one table while a report is under way.
const MOST_ROWS: usize = 20 * 1_000;
/// The row of all that come after so many.
const OTHERS: &str = "(others)";

impl Tables {
    /// Where a request stands, but for its rules.
    pub(super) fn of(&mut self, about: &About) -> Vec<Place> {
        let address = about.address.map(|address| hex::encode(address.0));
        let named = [
            (Dimension::Country, Some(about.country.as_str())),
            (Dimension::Range, Some(about.range.as_str())),
            (Dimension::Address, address.as_deref()),
            (Dimension::Service, Some(about.service.as_str())),
            (Dimension::Channel, Some(about.channel.as_str())),
            (Dimension::Face, Some(about.face.as_str())),
        ];
        named.into_iter().filter_map(|(by, name)| Some(self.place(by, name?))).collect()
    }

    /// Where those of a rule stand.
    pub(super) fn of_rule(&mut self, rule: &str) -> Place {
        self.place(Dimension::Rule, rule)
    }

    /// What is counted there.
    pub(super) fn figures(&mut self, Place(by, row): Place) -> &mut Figures {
        let (_, rows) = self.0.entry(by).or_default();
        let row = row as usize;
        if rows.len() <= row {
            rows.resize(row + 1, Figures::default());
        }
        &mut rows[row]
    }

    /// At most so many rows of each, the worst first.
    pub(super) fn done(self, most: usize) -> BTreeMap<Dimension, Table> {
        let mut tables: BTreeMap<Dimension, Table> =
            Dimension::ALL.into_iter().map(|by| (by, Table::default())).collect();
        for (by, (names, tallies)) in self.0 {
            let row = |(name, place): (String, u32)| {
                let mut figures = tallies.get(place as usize).cloned().unwrap_or_default();
                figures.finish();
                Row { name, figures }
            };
            let mut rows: Vec<Row> = names.into_iter().map(row).collect();
            let worst = |row: &Row| (row.figures.not_sent(), row.figures.flagged, row.figures.requests);
            rows.sort_by(|one, other| worst(other).cmp(&worst(one)).then_with(|| one.name.cmp(&other.name)));
            let more = rows.len().saturating_sub(most) as u64;
            rows.truncate(most);
            tables.insert(by, Table { rows, more });
        }
        tables
    }

    fn place(&mut self, by: Dimension, name: &str) -> Place {
        let (names, _) = self.0.entry(by).or_default();
        let name = if names.len() >= MOST_ROWS && !names.contains_key(name) { OTHERS } else { name };
        let next = names.len() as u32;
        Place(by, *names.entry(name.to_owned()).or_insert(next))
    }
}
