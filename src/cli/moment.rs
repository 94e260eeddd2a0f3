//! Times as people write them at a terminal: so long ago, or a time with its zone.

use jiff::{SignedDuration, Timestamp};

/// A time, as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// So long ago.
    Ago(SignedDuration),
    /// At that time.
    At(Timestamp),
}

impl Moment {
    /// When that is.
    pub fn at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Ago(span) => now.checked_sub(span).unwrap_or(Timestamp::MIN),
        }
    }
}

/// Reads one.
///
/// # Errors
/// What could be written.
pub fn moment(text: &str) -> Result<Moment, String> {
    if let Ok(at) = text.parse() {
        return Ok(Moment::At(at));
    }
    let mend = || "write a span like 7d, 12h or 30m, or a time like 2026-11-20T09:30:00Z".to_owned();
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(mend)?;
    let minutes: i64 = match unit {
        "m" => 1,
        "h" => 60,
        "d" => 24 * 60,
        "w" => 7 * 24 * 60,
        _ => return Err(mend()),
    };
    let number: u16 = number.parse().map_err(|_| mend())?;
    Ok(Moment::Ago(SignedDuration::from_mins(i64::from(number) * minutes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_span_or_a_date_and_nothing_else() {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let at = |text: &str| moment(text).map(|moment| moment.at(now).to_string());
        assert_eq!(at("7d").unwrap(), "2026-11-13T12:00:00Z");
        assert_eq!(at("90m").unwrap(), "2026-11-20T10:30:00Z");
        assert_eq!(at("2026-11-01T00:00:00Z").unwrap(), "2026-11-01T00:00:00Z");
        for wrong in ["", "d", "7", "7y", "-7d", "7.5h", "yesterday", "7 d", "99999999d", "ö", "2026-11-20"]
        {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }
}
