//! What one send adds by one rule. It refuses to know counters, and whether there is room.

use super::counters::CountedFor;
use crate::model::counter::Addition;
use crate::model::limits::{Counted, LimitRule};

/// What the last send of a verification counts by a rule, under a word; nothing where the
/// rule does not count it.
pub(in crate::app) fn addition_of(rule: &LimitRule, who: &CountedFor<'_>, of: String) -> Option<Addition> {
    let send = who.sends.last()?;
    let is_first = send.number == 1;
    let amount = match rule.counted {
        counted if !who.counts(counted) => 0,
        Counted::Sends => 1,
        Counted::Unverified => u64::from(is_first),
        Counted::UnaskedCalls => u64::from(send.unasked),
        Counted::FailoverCalls => u64::from(send.is_failover_call()),
        Counted::Money => send.micros,
        Counted::Countries if is_first => {
            return Some(Addition::Member {
                of,
                member: who.names.member("country", &who.standing().region),
            });
        }
        Counted::Countries | Counted::WrongCodes => 0,
    };
    (amount > 0).then_some(Addition::Amount { of, amount })
}
