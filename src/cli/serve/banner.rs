//! What a person sees who starts the server at a terminal.

use super::app::App;
use crate::cli::Global;
use std::fmt::Write as _;
use std::io::Write as _;

/// Prints where everything is, on standard output. Nobody needs to read it: a
/// closed output is no reason not to serve.
pub fn print(app: &App, needs_key: Option<&str>) {
    let _ = std::io::stdout().write_all(text(app, needs_key).as_bytes());
}

/// The very words with which the first key is made.
pub fn how_to_make_a_key(app: &App, global: &Global) -> String {
    if !app.keeps_keys() {
        return "this store forgets keys, so start with one in DIALBACK_API_KEY (`openssl rand -hex 32` makes one)"
            .to_owned();
    }
    let config = global.config.as_ref().map(|path| format!("--config {} ", path.display()));
    format!("`dialback {}key create NAME` makes one", config.unwrap_or_default())
}

fn text(app: &App, needs_key: Option<&str>) -> String {
    let mut text = String::new();
    let server = app.server_addr().map(|addr| format!("http://{addr}")).unwrap_or_default();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "dialback {} listens on {server}", env!("CARGO_PKG_VERSION"));
    if app.public_url().to_string() != server {
        let _ = writeln!(text, "Twilio reaches it at {} (dialback urls)", app.public_url());
    }
    if let Some(how) = needs_key {
        let _ = writeln!(text, "No application is let in yet: {how}");
    }
    if let (Some(sandbox), Some(account_sid), Some(key)) =
        (app.sandbox_addr(), app.sandbox_account(), app.sandbox_key())
    {
        let key = key.expose();
        let token = match app.sandbox_token_file() {
            Some(file) => format!("in {}", file.display()),
            None => "as configured".to_owned(),
        };
        let _ = write!(
            text,
            "\n  Telephones   http://{sandbox}/          <- open this page\n  \
             API key      {key}   (of this sandbox)\n  \
             Account SID  {account_sid}\n  \
             Auth token   {token}\n  \
             Base URLs    http://{sandbox} for Twilio's API, {server} for Verify's\n\n  \
             curl {server}/v1/verifications -H 'Authorization: Bearer {key}' \\\n    \
             -H 'Content-Type: application/json' -d '{{\"to\":\"+15551234567\",\"channel\":\"sms\"}}'\n\n"
        );
    }
    text
}
