//! How long a code is good, in the unit that people would say it in.
//!
//! Nobody is promised more than there is: what is left is told in whole units
//! and never rounded up. This module refuses to know the words for them.

use super::template::Kind;

/// From so many minutes on only hours are told: "2 hours" may hide another half
/// of one, "23 hours" not much.
const HOURS_FROM: u32 = 3 * 60;

/// A span in seconds as a number of seconds, minutes or hours: seconds under a
/// minute, hours where they are whole or many, else minutes.
pub(super) fn in_units(seconds: u32) -> (Kind, u32) {
    let minutes = seconds / 60;
    match minutes {
        0 => (Kind::Seconds, seconds.max(1)),
        _ if minutes.is_multiple_of(60) || minutes >= HOURS_FROM => (Kind::Hours, minutes / 60),
        _ => (Kind::Minutes, minutes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_told_in_its_unit_and_never_rounded_up() {
        for (seconds, told) in [
            (1, (Kind::Seconds, 1)),
            (59, (Kind::Seconds, 59)),
            (60, (Kind::Minutes, 1)),
            (99, (Kind::Minutes, 1)),
            (119, (Kind::Minutes, 1)),
            (120, (Kind::Minutes, 2)),
            (600, (Kind::Minutes, 10)),
            (3599, (Kind::Minutes, 59)),
            (3600, (Kind::Hours, 1)),
            (5400, (Kind::Minutes, 90)),
            (10_799, (Kind::Minutes, 179)),
            (10_800, (Kind::Hours, 3)),
            (86_399, (Kind::Hours, 23)),
            (86_400, (Kind::Hours, 24)),
        ] {
            assert_eq!(in_units(seconds), told, "{seconds}");
        }
    }
}
