//! Status callbacks of messages and calls, read into the model's reports.
