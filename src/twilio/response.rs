//! Answers of Twilio's REST API as values.
