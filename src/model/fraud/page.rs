//! A page of the log: what one process wrote at once. It refuses to know where it is kept.

use super::{About, Entry};
use crate::model::counter::Pseudonym;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A page of the log. Its id begins with the time at which it was begun, so that pages are
/// in order by their ids.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// Its id: eleven hexadecimal digits of the milliseconds since 1970, and twelve by chance.
    pub id: String,
    /// When it was written.
    pub at: Timestamp,
    /// Its lines, nearly in the order of their times.
    pub lines: Vec<Entry>,
}

/// Hexadecimal digits of the time in an id.
const DIGITS: usize = 11;

/// The name of a number that was erased.
const NOBODY: Pseudonym = Pseudonym([0; 8]);

impl Page {
    /// The beginning of the ids of pages that were begun then.
    pub fn id_at(at: Timestamp) -> String {
        format!("{:0DIGITS$x}", at.as_millisecond().max(0))
    }

    /// When a page of that id was begun; nothing for what is no id of one.
    pub fn began_at(id: &str) -> Option<Timestamp> {
        let millis = i64::from_str_radix(id.get(..DIGITS)?, 16).ok()?;
        Timestamp::from_millisecond(millis).ok()
    }

    /// The numbers that its lines are about, each once.
    pub fn numbers(&self) -> BTreeSet<Pseudonym> {
        self.lines.iter().map(|line| line.about().number).filter(|number| *number != NOBODY).collect()
    }

    /// The same with nobody in the place of whoever has that number; nothing where no line
    /// is about it.
    pub fn without(&self, number: Pseudonym) -> Option<Self> {
        let mut page = self.clone();
        let mut is_changed = false;
        for line in &mut page.lines {
            is_changed |= line.forget(number);
        }
        is_changed.then_some(page)
    }
}

impl Entry {
    /// Puts nobody in the place of whoever has that number: what is left says that somebody
    /// of a range and a country asked, and what was decided. False where the line is about
    /// somebody else.
    pub fn forget(&mut self, number: Pseudonym) -> bool {
        if self.about().number != number || number == NOBODY {
            return false;
        }
        let nobody = |about: &mut About| {
            about.number = NOBODY;
            (about.address, about.subnet, about.device, about.session) = (None, None, None, None);
        };
        match self {
            Self::Decision(decision) => {
                nobody(&mut decision.about);
                decision.verification = None;
            }
            Self::Verified { about, .. } | Self::Unsent { about, .. } | Self::Verdict { about, .. } => {
                nobody(about);
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::channel::Channel;

    fn line(number: u8) -> Entry {
        let name = Pseudonym([number; 8]);
        let about = About {
            number: name,
            block100: name,
            block1000: name,
            range: "+4479".into(),
            country: "GB".into(),
            is_voip: false,
            looked_up: None,
            address: Some(name),
            subnet: Some(name),
            device: Some(name),
            session: Some(name),
            key: Some("shop".into()),
            service: "VA1".into(),
            sender: None,
            channel: Channel::Sms,
            face: "api".into(),
            is_resend: false,
            micros: 0,
        };
        let at = Timestamp::UNIX_EPOCH;
        Entry::Unsent { at, asked_at: at, about: Box::new(about) }
    }

    #[test]
    fn a_page_knows_when_it_was_begun_and_whom_it_is_about() {
        let at: Timestamp = "2026-11-20T09:00:00.123Z".parse().unwrap();
        let id = format!("{}0123456789ab", Page::id_at(at));
        assert_eq!((id.len(), Page::began_at(&id)), (23, Some(at)));
        assert_eq!((Page::began_at("zz"), Page::began_at("")), (None, None));
        assert!(Page::id_at(at) < Page::id_at("2026-11-20T09:00:00.124Z".parse().unwrap()));
        let page = Page { id, at, lines: vec![line(1), line(2), line(1)] };
        assert_eq!(page.numbers().len(), 2);
    }

    #[test]
    fn whoever_is_forgotten_leaves_a_line_that_is_nobodys() {
        let at = Timestamp::UNIX_EPOCH;
        let page = Page { id: "0".repeat(23), at, lines: vec![line(1), line(2)] };
        let without = page.without(Pseudonym([1; 8])).unwrap();
        assert_eq!(without.numbers(), BTreeSet::from([Pseudonym([2; 8])]));
        let about = without.lines[0].about();
        assert_eq!((about.address, about.subnet, about.device, about.session), (None, None, None, None));
        assert_eq!((&*about.range, &without.lines[1]), ("+4479", &page.lines[1]));
        assert_eq!(without.without(Pseudonym([1; 8])), None);
        assert_eq!(without.without(NOBODY), None, "nobody is nobody's");
    }
}
