//! Logging: human or JSON, one line per request and per delivery change.
