//! Twilio's error codes: what they mean and what may be done.
