//! The limits that a service sets, as the API reads and describes them.

use super::fields::{Field, Shape};
use crate::model::limits::Limits;

const WINDOWS: Shape =
    Shape::List { of: &Shape::Text { least: 5, most: 32 }, least: 0, most: 3, distinct: true };

const RULES: Shape = Shape::List { of: &Shape::Word(rules), least: 0, most: 32, distinct: true };

/// The rules that there are, by name.
fn rules() -> Vec<&'static str> {
    Limits::default().rules().iter().map(|rule| rule.name).collect()
}

/// What may be said of limits: a list like `["5/hour", "10/day"]` for each rule.
pub const LIMITS: [Field; 25] = [
    Field::new("track_only", "Every rule that is only counted; it refuses nobody.", RULES).solid(),
    Field::new("flag", "Every rule that marks what is one too many; it refuses nobody.", RULES).solid(),
    Field::new(
        "number_lock_after",
        "After so many wrong codes since its last approval a number waits; 0 for never.",
        Shape::Number { least: 0, most: 1_000_000 },
    )
    .solid(),
    Field::new(
        "number_sends",
        "Texts and calls to one number, over all services, channels and ways in.",
        WINDOWS,
    )
    .solid(),
    Field::new("number_service_sends", "The same for this service by itself.", WINDOWS).solid(),
    Field::new("number_unverified", "Verifications of one number that nobody has proved.", WINDOWS).solid(),
    Field::new("number_wrong_codes", "Wrong codes for one number, over all its verifications.", WINDOWS)
        .solid(),
    Field::new(
        "number_failover_calls",
        "Calls to one number that took the place of something that did not arrive.",
        WINDOWS,
    )
    .solid(),
    Field::new("address_sends", "Texts and calls for one address of a person's device.", WINDOWS).solid(),
    Field::new("address_unverified", "Verifications from one address that nobody has proved.", WINDOWS)
        .solid(),
    Field::new("address_countries", "Different countries of the numbers from one address.", WINDOWS).solid(),
    Field::new("subnet_unverified", "Verifications from one network that nobody has proved.", WINDOWS)
        .solid(),
    Field::new("device_unverified", "Verifications from one device that nobody has proved.", WINDOWS).solid(),
    Field::new("session_sends", "Texts and calls within one session of the pages.", WINDOWS).solid(),
    Field::new("key_sends", "What one API key may send.", WINDOWS).solid(),
    Field::new("range_sends", "Texts and calls to one range of numbers.", WINDOWS).solid(),
    Field::new("block100_sends", "Texts and calls to a hundred consecutive numbers.", WINDOWS).solid(),
    Field::new("block1000_sends", "Texts and calls to a thousand consecutive numbers.", WINDOWS).solid(),
    Field::new("country_sends", "Texts and calls to one country.", WINDOWS).solid(),
    Field::new("service_sends", "What one service may send.", WINDOWS).solid(),
    Field::new("whole_sends", "What all services together may send.", WINDOWS).solid(),
    Field::new("country_calls", "Calls to one country that nobody asked for by name.", WINDOWS).solid(),
    Field::new("whole_money", "What all services together may cost, in US dollars: `12.50/day`.", WINDOWS)
        .solid(),
    Field::new("country_money", "What messages and calls to one country may cost, in US dollars.", WINDOWS)
        .solid(),
    Field::new("service_money", "What one service may cost, in US dollars.", WINDOWS).solid(),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_its_field() {
        let named: Vec<_> = LIMITS.iter().skip(3).map(|field| field.name).collect();
        assert_eq!(named, rules());
    }
}
