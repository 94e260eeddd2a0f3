//! When something stops, as people say it at the terminal. It refuses to know what.

use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};

/// When something stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// At this time.
    At(Timestamp),
    /// So long from now.
    In(SignedDuration),
}

/// Reads a time as in RFC 3339, or how long it is until then, like `30m` or `2d`.
///
/// # Errors
/// What would be right.
pub fn end(text: &str) -> Result<End, String> {
    if let Ok(at) = text.parse() {
        return Ok(End::At(at));
    }
    let span: Option<Span> = text.parse().ok();
    let days = SpanRelativeTo::days_are_24_hours();
    match span.and_then(|span| span.to_duration(days).ok()).filter(|span| span.is_positive()) {
        Some(span) => Ok(End::In(span)),
        None => {
            Err("write a time like 2026-11-20T00:00:00Z, or how long from now, like 30m, 12h or 2d"
                .to_owned())
        }
    }
}

impl End {
    /// The time that it is, where it is this now.
    ///
    /// # Errors
    /// A time that no calendar has.
    pub fn after(self, now: Timestamp) -> anyhow::Result<Timestamp> {
        match self {
            Self::At(at) => Ok(at),
            Self::In(span) => Ok(now.checked_add(span)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_a_time_or_a_span() {
        let now: Timestamp = "2026-11-20T00:00:00Z".parse().unwrap();
        for (text, at) in [
            ("30m", "2026-11-20T00:30:00Z"),
            ("2d", "2026-11-22T00:00:00Z"),
            ("1w", "2026-11-27T00:00:00Z"),
            ("1h30m", "2026-11-20T01:30:00Z"),
            ("90s", "2026-11-20T00:01:30Z"),
            ("2026-12-01T09:00:00+01:00", "2026-12-01T08:00:00Z"),
        ] {
            assert_eq!(end(text).unwrap().after(now).unwrap().to_string(), at, "{text}");
        }
        for text in ["", "30", "-2d", "0m", "tomorrow", "2026-13-01T00:00:00Z", "1mo"] {
            assert!(end(text).unwrap_err().contains("30m"), "{text}");
        }
        assert!(end("9999999d").map_or(true, |end| end.after(now).is_err()));
    }
}
