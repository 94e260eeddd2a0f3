//! What is known of a request before its head is read as HTTP.

use std::net::SocketAddr;
use warp::http::Uri;

/// A request as it came in, for filters: `warp::ext::get::<Incoming>()`.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// The other end of the connection: a client, or the proxy in front.
    pub peer: SocketAddr,
    /// The request target exactly as received: path and query neither decoded
    /// nor normalised. Twilio signs the exact URL.
    pub uri: Uri,
}
