//! A small set of distinct members, each with the time when it was last met.
//!
//! Members are pseudonyms: a keyed hash that is made elsewhere, so that a record
//! alone says of nobody whether they are in it. The module refuses to know keys.

use super::asked::Asked;
use super::limit::{Limit, Pseudonym, length, slack};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Who was met within a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Members {
    /// How long the window is, in seconds.
    pub seconds: u32,
    /// When each was met last, in milliseconds since 1970.
    pub met: BTreeMap<Pseudonym, i64>,
}

impl Members {
    /// The most that are kept for one limit.
    pub const MOST: usize = 16;

    /// A set and the members that are asked for, if they are not too many together; those
    /// who are all in it already are not. Else the first time when they are few enough;
    /// `None` when they never are. A limit that refuses nobody adds those for whom there
    /// is a place.
    pub(super) fn with(
        stored: Option<&Self>,
        limit: &Limit,
        asked: &Asked,
        now: i64,
    ) -> Result<Self, Option<i64>> {
        let seconds = limit.seconds.max(1);
        let mut met = stored
            .filter(|stored| stored.seconds == seconds)
            .map(|stored| stored.alive(now))
            .unwrap_or_default();
        let members: BTreeSet<Pseudonym> = asked.members.iter().copied().collect();
        if !limit.track {
            let news = members.iter().any(|member| !met.contains_key(member));
            if news || asked.room {
                // Room is for one who is not among them.
                let wanted = members.len().max(usize::from(members.is_empty()));
                refuse_crowd(&met, &members, wanted, limit)?;
            }
        }
        for member in members {
            if met.len() < Self::MOST || met.contains_key(&member) {
                let at = met.entry(member).or_insert(now);
                *at = now.max(*at);
            }
        }
        Ok(Self { seconds, met })
    }

    /// Those who still count, and were not met by a clock that was wrong.
    fn alive(&self, now: i64) -> BTreeMap<Pseudonym, i64> {
        let length = length(self.seconds);
        let counts = |at: i64| at.saturating_add(length) > now && at <= now + length + slack();
        self.met.iter().filter(|(_, at)| counts(**at)).map(|(member, at)| (*member, *at)).collect()
    }

    /// When nobody counts any more, in milliseconds.
    pub(super) fn end(&self) -> i64 {
        self.met.values().max().map_or(i64::MIN, |at| at.saturating_add(length(self.seconds)))
    }
}

/// Refuses so many members beside those of a set who are not among them: the first time
/// when there is room, `None` where there never is.
fn refuse_crowd(
    met: &BTreeMap<Pseudonym, i64>,
    members: &BTreeSet<Pseudonym>,
    wanted: usize,
    limit: &Limit,
) -> Result<(), Option<i64>> {
    let most = usize::try_from(limit.max).unwrap_or(Members::MOST).min(Members::MOST);
    let room = most.checked_sub(wanted).ok_or(None)?;
    let others = met.iter().filter(|(member, _)| !members.contains(member));
    let mut ends: Vec<i64> = others.map(|(_, at)| at.saturating_add(length(limit.seconds))).collect();
    ends.sort_unstable();
    // So many of the others have to go first, and the last of those at that time.
    match ends.len().checked_sub(room + 1) {
        None => Ok(()),
        Some(last) => Err(ends.get(last).copied()),
    }
}
