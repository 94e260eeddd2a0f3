//! Who told a sender to stop gets no messages from it.

use super::{OfWay, Rule};
use crate::app::admission::AdmissionError;
use crate::app::admission::finding::Finding;
use crate::app::admission::way::Way;

pub(super) const RULE: OfWay = Rule { name: "opt_out", code: "recipient_opted_out", judge };

fn judge(way: &Way<'_>) -> Option<Finding> {
    way.is_unwanted.then(|| Finding::never(AdmissionError::OptedOut))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, found};
    use super::RULE;
    use crate::app::admission::way::Way;
    use crate::model::channel::Channel;

    #[test]
    fn who_said_stop_gets_nothing() {
        for (is_unwanted, finds) in
            [(false, ""), (true, "the recipient has opted out of messages from this sender")]
        {
            let case = Case::of(|_| ());
            let way = Way { is_unwanted, ..case.way(Channel::Sms) };
            assert_eq!(found((RULE.judge)(&way)), finds);
        }
    }
}
