//! What was used and what it cost, by account and day: the ledger behind balances
//! and usage records. It outlives the messages and calls that are in it.

use super::money::Money;
use super::prices::Prices;
use super::resource::{Call, Message};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// A kind of use that is counted.
pub(super) struct Category {
    /// Twilio's name for it, by which records are asked for: `sms-inbound`.
    pub name: &'static str,
    /// What records call it in words: `Inbound SMS`.
    pub description: &'static str,
    /// What its `count` counts; nothing for a sum of money.
    pub count_unit: Option<&'static str>,
    /// What its `usage` measures.
    pub usage_unit: &'static str,
}

/// Every category, in the order of their names.
pub(super) const CATEGORIES: [Category; 13] = [
    category("calls", "Voice Minutes", Some("calls"), "minutes"),
    category("calls-inbound", "Inbound Voice Minutes", Some("calls"), "minutes"),
    category("calls-outbound", "Outbound Voice Minutes", Some("calls"), "minutes"),
    category("channels", "Channels", Some("messages"), "messages"),
    category("channels-whatsapp-inbound", "WhatsApp Inbound", Some("messages"), "messages"),
    category("channels-whatsapp-outbound", "WhatsApp Outbound", Some("messages"), "messages"),
    category("mms", "MMS", Some("messages"), "messages"),
    category("mms-inbound", "Inbound MMS", Some("messages"), "messages"),
    category("mms-outbound", "Outbound MMS", Some("messages"), "messages"),
    category("sms", "SMS", Some("messages"), "segments"),
    category("sms-inbound", "Inbound SMS", Some("messages"), "segments"),
    category("sms-outbound", "Outbound SMS", Some("messages"), "segments"),
    category("totalprice", "Total Price", None, "usd"),
];

const fn category(
    name: &'static str,
    description: &'static str,
    count_unit: Option<&'static str>,
    usage_unit: &'static str,
) -> Category {
    Category { name, description, count_unit, usage_unit }
}

/// How much of a category was used.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Amount {
    /// How many messages or calls.
    pub count: u64,
    /// How many segments or begun minutes.
    pub usage: u64,
    /// What it cost.
    pub price: Money,
}

impl Amount {
    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.usage += other.usage;
        self.price += other.price;
    }
}

/// One use, to be booked once.
#[derive(Clone)]
pub(super) struct Use {
    categories: [&'static str; 2],
    amount: Amount,
}

impl Use {
    /// What it costs.
    pub fn price(&self) -> Money {
        self.amount.price
    }

    /// A message's, once it costs something.
    pub fn of_message(message: &Message, prices: &Prices) -> Option<Self> {
        let categories = match (message.to.whatsapp, message.media.is_empty(), message.direction) {
            (true, _, "inbound") => ["channels", "channels-whatsapp-inbound"],
            (true, ..) => ["channels", "channels-whatsapp-outbound"],
            (false, false, "inbound") => ["mms", "mms-inbound"],
            (false, false, _) => ["mms", "mms-outbound"],
            (false, true, "inbound") => ["sms", "sms-inbound"],
            (false, true, _) => ["sms", "sms-outbound"],
        };
        let is_text = categories[0] == "sms";
        let usage = if is_text { u64::from(message.segments.max(1)) } else { 1 };
        Some(Self { categories, amount: Amount { count: 1, usage, price: message.cost(prices)? } })
    }

    /// A call's, once it costs something.
    pub fn of_call(call: &Call, prices: &Prices) -> Option<Self> {
        let way = if call.direction == "inbound" { "calls-inbound" } else { "calls-outbound" };
        let amount = Amount { count: 1, usage: call.minutes(), price: call.cost(prices)? };
        Some(Self { categories: ["calls", way], amount })
    }
}

/// A use whose price is not said yet.
pub(super) struct Unpaid {
    /// When it will be.
    pub due: Timestamp,
    /// When it was used.
    pub at: Timestamp,
    /// Whose it is.
    pub account: String,
    /// The message or call.
    pub sid: String,
    /// What was used.
    pub used: Use,
}

/// What was used, by day and account; the oldest days go first.
pub(super) struct Ledger {
    limit: usize,
    days: BTreeMap<(Date, String), BTreeMap<&'static str, Amount>>,
    spent: Money,
}

impl Ledger {
    /// Nothing used yet; `limit` days of accounts are kept at most.
    pub fn new(limit: usize) -> Self {
        Self { limit, days: BTreeMap::new(), spent: 0 }
    }

    /// The days of accounts that are kept, oldest first.
    #[cfg(test)]
    pub fn days(&self) -> impl Iterator<Item = &(Date, String)> {
        self.days.keys()
    }

    /// Books a use of an account's.
    pub fn book(&mut self, at: Timestamp, account: &str, used: &Use) {
        self.spent += used.amount.price;
        let day = self.days.entry((day(at), account.to_owned())).or_default();
        for name in used.categories {
            day.entry(name).or_default().add(used.amount);
        }
        let price = used.amount.price;
        day.entry("totalprice").or_default().add(Amount { count: 0, usage: price, price });
        while self.days.len() > self.limit {
            self.days.pop_first();
        }
    }

    /// What all accounts ever spent.
    pub fn spent(&self) -> Money {
        self.spent
    }

    /// What some accounts used from one day to another, both included.
    pub fn sum(&self, from: Date, to: Date, of: impl Fn(&str) -> bool) -> BTreeMap<&'static str, Amount> {
        let mut sum: BTreeMap<&'static str, Amount> = BTreeMap::new();
        let days = self.days.range((from, String::new())..).take_while(|((day, _), _)| *day <= to);
        for (name, amount) in days.filter(|((_, account), _)| of(account)).flat_map(|(_, day)| day) {
            sum.entry(*name).or_default().add(*amount);
        }
        sum
    }
}

/// The day of a time, in UTC as on Twilio's bills.
pub(super) fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::money::dollars;

    fn used(categories: [&'static str; 2], usage: u64) -> Use {
        Use { categories, amount: Amount { count: 1, usage, price: 750 * usage } }
    }

    #[test]
    fn days_and_accounts_are_kept_apart_and_summed() {
        let mut ledger = Ledger::new(99);
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        ledger.book(at("2026-11-26T23:59:59Z"), "AC1", &used(["sms", "sms-outbound"], 2));
        ledger.book(at("2026-11-27T00:00:00Z"), "AC1", &used(["sms", "sms-outbound"], 1));
        ledger.book(at("2026-11-27T12:00:00Z"), "AC2", &used(["sms", "sms-inbound"], 1));
        let (first, second) = (day(at("2026-11-26T00:00:00Z")), day(at("2026-11-27T00:00:00Z")));
        let of_one = ledger.sum(second, second, |account| account == "AC1");
        assert_eq!(of_one["sms"], Amount { count: 1, usage: 1, price: 750 });
        assert!(!of_one.contains_key("sms-inbound"));
        let all = ledger.sum(first, second, |_| true);
        assert_eq!(all["sms"], Amount { count: 3, usage: 4, price: 3_000 });
        assert_eq!(all["totalprice"], Amount { count: 0, usage: 3_000, price: 3_000 });
        assert_eq!((ledger.spent(), dollars(ledger.spent()).as_str()), (3_000, "0.03000"));
    }

    #[test]
    fn the_oldest_days_go_and_what_was_spent_stays() {
        let mut ledger = Ledger::new(20);
        for n in 0..23 {
            ledger.book(Timestamp::UNIX_EPOCH, &format!("AC{n:08}"), &used(["sms", "sms-outbound"], 1));
        }
        assert_eq!(ledger.days.len(), 20);
        assert_eq!(ledger.spent(), 750 * 23);
    }
}
