//! The application's API, version 1: JSON in, JSON or a problem document out.

mod body;
pub mod deliveries;
pub mod endpoints;
pub mod events;
pub mod keys;
pub mod sessions;
pub mod verifications;
pub mod views;

use super::error::Error;
use super::request::Request;
use body::Body;

/// The query's parameters, decoded. Names that are not among `known` are
/// refused: a filter with a slip in its name would show everything.
fn query(request: &Request, known: &[&str]) -> Result<Vec<(String, String)>, Error> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(request.query())
        .map_err(|error| Error::Invalid { field: None, detail: format!("the query: {error}") })?;
    match pairs.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        None => Ok(pairs),
        Some((name, _)) => Err(Error::Invalid {
            field: None,
            detail: format!("unknown parameter {:?}; known are {}", shortened(name), known.join(", ")),
        }),
    }
}

fn shortened(name: &str) -> String {
    name.chars().take(40).collect()
}
