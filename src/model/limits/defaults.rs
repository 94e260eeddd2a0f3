//! The rules that hold where nobody says anything, each with its reason.
//!
//! What a person needs is tight: the number, and wrong codes for it. What a whole team
//! shares is so wide that no launch of a small one reaches it, and still a bound on what
//! a stolen key or a forgotten loop costs: at 0.05 to 0.10 dollars a message, ten
//! thousand are 500 to 1,000 dollars. What many honest people may stand behind, an
//! address or its network, is flagged and refuses nobody.

use super::allowance::Allowance;
use super::rule::{Action, LimitRule, Limits};
use super::subject::{Counted, Subject};

/// From how many wrong codes on a number waits (NIST SP 800-63B-4 §3.2.2: at most a
/// hundred consecutive failures).
const LOCK_AFTER: u32 = 100;

impl Default for Limits {
    fn default() -> Self {
        use Action::{Flag, Refuse};
        use Counted::{Countries, FailoverCalls, Money, Sends, UnaskedCalls, Unverified, WrongCodes};
        let rule = |name, subject, counted, windows: &[Allowance], action| LimitRule {
            name,
            subject,
            counted,
            windows: windows.to_vec(),
            action,
        };
        let (minute, hour, day) = (Allowance::minute, Allowance::hour, Allowance::day);
        let rules = vec![
            // Nobody needs a sixth code within an hour: who does not get five does not
            // get the sixth. More is somebody else who floods their telephone.
            rule("number_sends", Subject::Number, Sends, &[hour(5), day(10)], Refuse),
            // As number_sends, which is over all services, holds already.
            rule("number_service_sends", Subject::NumberOfService, Sends, &[], Refuse),
            // For those who want to give a number less than its sends allow.
            rule("number_unverified", Subject::Number, Unverified, &[], Refuse),
            // Two verifications' worth; with the hundred a day of `number_lock_after`, of six
            // digits right once in some 27 years.
            rule("number_wrong_codes", Subject::Number, WrongCodes, &[hour(10)], Refuse),
            // Who was called once because a text did not arrive is not called for the next
            // one: somebody may ask for texts in another's name.
            rule("number_failover_calls", Subject::Number, FailoverCalls, &[hour(1)], Refuse),
            rule("address_sends", Subject::Address, Sends, &[], Refuse),
            // Behind one address may be a school or a country's mobile network: marked,
            // and nobody is refused.
            rule("address_unverified", Subject::Address, Unverified, &[hour(20)], Flag),
            // A household that travels has two; who mixes more sells traffic.
            rule("address_countries", Subject::Address, Countries, &[hour(3)], Flag),
            // 256 addresses of a provider, most of them idle.
            rule("subnet_unverified", Subject::Subnet, Unverified, &[hour(100)], Flag),
            // One device begins for one person, perhaps for a family.
            rule("device_unverified", Subject::Device, Unverified, &[hour(20)], Flag),
            // A person at the pages: their own number, a wrong one before, and each again.
            rule("session_sends", Subject::Session, Sends, &[hour(10)], Refuse),
            // Ten a second: an application in a loop, or a stolen key, ends there.
            rule("key_sends", Subject::Key, Sends, &[minute(600), hour(6000)], Refuse),
            // A range holds 100,000 numbers and more. A launch in one country spreads over
            // some ten of them.
            rule("range_sends", Subject::Range, Sends, &[hour(2000)], Refuse),
            // A company's own hundred numbers, all of them in one hour, half of them twice.
            rule("block100_sends", Subject::Block100, Sends, &[hour(150)], Refuse),
            // Half of a thousand neighbours within an hour is nobody's customers.
            rule("block1000_sends", Subject::Block1000, Sends, &[hour(500)], Refuse),
            // Half of what the whole may be: one country is never all that there is.
            rule("country_sends", Subject::Country, Sends, &[hour(5000)], Refuse),
            // As wide as the whole; for those who have several, to be made narrower.
            rule("service_sends", Subject::Service, Sends, &[hour(10_000)], Refuse),
            // What the bill of an hour and of a day can come to at most.
            rule("whole_sends", Subject::Whole, Sends, &[minute(1000), hour(10_000), day(100_000)], Refuse),
            // A call costs more than a text, and pays whoever owns the number by the minute:
            // low until somebody raises it who has calls first.
            rule("country_calls", Subject::Country, UnaskedCalls, &[day(20)], Refuse),
            // Dollars. Some 10,000 texts of 0.10 dollars, ten times what a small team's launch
            // sends in a day; what a stolen key or a thief of traffic costs ends there.
            rule("whole_money", Subject::Whole, Money, &[day(1000)], Refuse),
            // As of sends: half of what the whole may cost, so that fraud in one country
            // leaves the others the rest.
            rule("country_money", Subject::Country, Money, &[day(500)], Refuse),
            // As whole_money, which holds already; for those who have several.
            rule("service_money", Subject::Service, Money, &[], Refuse),
        ];
        Self { rules, lock_after: LOCK_AFTER }
    }
}
