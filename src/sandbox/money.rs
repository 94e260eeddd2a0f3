//! Money, counted without fractions.

/// Money in hundred-thousandths of a dollar, the fifth place that Twilio writes.
pub(super) type Money = u64;

/// Millionths of a dollar in one of them.
pub(super) const MICROS: u64 = 10;

/// Money as Twilio writes it, with five places: `0.00750`.
pub(super) fn dollars(money: Money) -> String {
    format!("{}.{:05}", money / 100_000, money % 100_000)
}
