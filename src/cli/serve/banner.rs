//! What a person sees who starts the server at a terminal.

use super::app::App;
use std::fmt::Write as _;
use std::io::Write as _;

/// Prints where everything is, on standard output. Nobody needs to read it: a
/// closed output is no reason not to serve.
pub fn print(app: &App) {
    let _ = std::io::stdout().write_all(text(app).as_bytes());
}

fn text(app: &App) -> String {
    let mut text = String::new();
    let server = app.server_addr().map(|addr| format!("http://{addr}")).unwrap_or_default();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "dialback {} listens on {server}", env!("CARGO_PKG_VERSION"));
    if app.public_url().to_string() != server {
        let _ = writeln!(text, "Twilio reaches it at {} (dialback urls)", app.public_url());
    }
    if let (Some(sandbox), Some(key)) = (app.sandbox_addr(), app.sandbox_key()) {
        let key = key.expose();
        let _ = write!(
            text,
            "\n  Telephones   http://{sandbox}/          <- open this page\n  \
             API key      {key}   (of this sandbox)\n\n  \
             curl {server}/v1/verifications -H 'Authorization: Bearer {key}' \\\n    \
             -H 'Content-Type: application/json' -d '{{\"to\":\"+15551234567\",\"channel\":\"sms\"}}'\n\n"
        );
    }
    text
}
