//! What is counted while a model lives through the stream.

use super::visits::{Group, Visit};
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

/// What came of everything under one model.
#[derive(Debug, Default)]
pub struct Tally {
    pub attacks: Vec<Attacked>,
    pub honest: Honest,
    pub decisions: u64,
    /// What judging and recording took together.
    pub took: Duration,
}

/// What came of one attack.
#[derive(Debug, Default, Clone)]
pub struct Attacked {
    pub asked: u64,
    pub refused: u64,
    /// What its messages cost, in millionths of a dollar.
    pub lost: u64,
    /// Of each of its phases.
    pub phases: Vec<Burst>,
    /// How often which rule refused.
    pub reasons: BTreeMap<String, u64>,
}

/// What came of a phase of an attack.
#[derive(Debug, Default, Clone, Copy)]
pub struct Burst {
    pub asked: u64,
    /// How many had been sent before the first that was refused.
    pub first_refusal: Option<u64>,
}

impl Burst {
    /// How many were sent before the first that was refused: all, where none was.
    pub fn passed(&self) -> u64 {
        self.first_refusal.unwrap_or(self.asked)
    }
}

/// What came of honest people.
#[derive(Debug, Default)]
pub struct Honest {
    pub asked: u64,
    pub refused: u64,
    pub verified: u64,
    /// Different people of whom anything was refused: all, and of each group.
    pub hindered: HashSet<u64>,
    pub of_groups: [HashSet<u64>; 3],
    pub reasons: BTreeMap<String, u64>,
    pub countries: BTreeMap<String, u64>,
}

impl Tally {
    /// An attacker's message was decided about.
    pub fn attacker(&mut self, (attack, phase): (usize, usize), cost: u64, refused_by: Option<&str>) {
        let attacked = &mut self.attacks[attack];
        let burst = &mut attacked.phases[phase];
        if let Some(rule) = refused_by {
            attacked.refused += 1;
            *attacked.reasons.entry(rule.to_owned()).or_default() += 1;
            burst.first_refusal.get_or_insert(burst.asked);
        } else {
            attacked.lost += cost;
        }
        burst.asked += 1;
        attacked.asked += 1;
    }

    /// An honest person's request was decided about.
    pub fn honest(&mut self, visit: &Visit, country: &str, refused_by: Option<&str>) {
        self.honest.asked += 1;
        let Some(rule) = refused_by else { return };
        self.honest.refused += 1;
        *self.honest.reasons.entry(rule.to_owned()).or_default() += 1;
        if self.honest.hindered.insert(visit.person()) {
            *self.honest.countries.entry(country.to_owned()).or_default() += 1;
        }
        for (group, hindered) in Group::ALL.into_iter().zip(&mut self.honest.of_groups) {
            if visit.is_of(group) {
                hindered.insert(visit.person());
            }
        }
    }
}
