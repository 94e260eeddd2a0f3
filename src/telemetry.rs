//! Logging, and what is measured ([`metrics`]).
//!
//! The log is human or JSON: one line for each change of a verification, each end of
//! a delivery, and each request that fails or is slow; at debug, for all of them.
//!
//! It goes to standard error, so that a command's output stays its own. This
//! module refuses to know what is logged; whoever logs keeps codes, tokens and
//! whole phone numbers out of it.

pub mod metrics;

use std::io::{IsTerminal, stderr};
use tracing::subscriber::SetGlobalDefaultError;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt::{MakeWriter, fmt};

/// For whom the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// People: coloured where the terminal can.
    Human,
    /// Machines: one object on each line, fields beside the message.
    Json,
}

/// Why logging did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The level cannot be read.
    #[error("log level {level:?} cannot be read")]
    Level {
        /// As it was given.
        level: String,
        /// What the directives' parser says.
        source: ParseError,
    },
    /// Logging was started before.
    #[error("logging was started before")]
    Twice(#[from] SetGlobalDefaultError),
}

/// Starts logging for the process. `level` is a level, or levels per module as
/// in `info,dialback::store=debug`.
///
/// # Errors
/// When the level cannot be read, or logging was started before.
pub fn init(format: Format, level: &str) -> Result<(), Error> {
    let subscriber = subscriber(format, level, stderr().is_terminal(), stderr)?;
    Ok(tracing::dispatcher::set_global_default(subscriber)?)
}

fn subscriber<W>(format: Format, level: &str, colours: bool, to: W) -> Result<tracing::Dispatch, Error>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter =
        EnvFilter::try_new(level).map_err(|source| Error::Level { level: level.to_owned(), source })?;
    // A line that cannot be written is lost: to say so on standard error, where
    // it was to go, panics when that is closed.
    let builder = fmt().with_env_filter(filter).with_writer(to).with_ansi(colours).log_internal_errors(false);
    Ok(match format {
        Format::Human => builder.finish().into(),
        Format::Json => builder.json().flatten_event(true).with_current_span(false).finish().into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: Format, level: &str) -> String {
        let page = Page::default();
        let to = page.clone();
        let dispatch = subscriber(format, level, false, move || to.clone()).unwrap();
        tracing::dispatcher::with_default(&dispatch, || {
            tracing::info!(status = 204, "request answered");
            tracing::debug!("unheard");
        });
        let bytes = page.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_line_is_for_people_or_an_object() {
        let human = logged(Format::Human, "info");
        assert!(human.trim_end().ends_with("request answered status=204"), "{human}");
        let json: serde_json::Value = serde_json::from_str(&logged(Format::Json, "info")).unwrap();
        assert_eq!((&json["message"], &json["status"]), (&"request answered".into(), &204.into()));
        assert_eq!(logged(Format::Json, "warn"), "");
    }

    #[test]
    fn a_level_that_cannot_be_read_is_refused() {
        assert!(matches!(subscriber(Format::Human, "a=b=c", false, stderr), Err(Error::Level { .. })));
    }
}
