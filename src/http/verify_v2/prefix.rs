//! Where all of Verify is.

/// Where everything of Twilio's begins.
pub const PREFIX: &str = "/v2/";
