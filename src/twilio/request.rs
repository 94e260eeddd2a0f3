//! Requests to Twilio's REST API as values.
