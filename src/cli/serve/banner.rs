//! What a person sees who starts the server at a terminal.

use super::running::Running;
use crate::cli::Global;
use std::fmt::Write as _;
use std::io::Write as _;

/// Prints where everything is, on standard output. Nobody needs to read it: a
/// closed output is no reason not to serve.
pub fn print(running: &Running, needs_key: Option<&str>) {
    let _ = std::io::stdout().write_all(text(running, needs_key).as_bytes());
}

/// The very words with which the first key is made.
pub fn how_to_make_a_key(running: &Running, global: &Global) -> String {
    if !running.keeps_keys() {
        return "this store forgets keys, so start with one in DIALBACK_API_KEY (`openssl rand -hex 32` makes one)"
            .to_owned();
    }
    let config = global.config.as_ref().map(|path| format!("--config {} ", path.display()));
    format!("`dialback {}key create NAME` makes one", config.unwrap_or_default())
}

fn text(running: &Running, needs_key: Option<&str>) -> String {
    let mut text = String::new();
    let server = running.server_addr().map(|addr| format!("http://{addr}")).unwrap_or_default();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "dialback {} listens on {server}", env!("CARGO_PKG_VERSION"));
    if running.public_url().to_string() != server {
        let _ = writeln!(text, "Twilio reaches it at {} (dialback urls)", running.public_url());
    }
    if let Some(how) = needs_key {
        let _ = writeln!(text, "No application is let in yet: {how}");
    }
    if let (Some(sandbox), Some(account_sid), Some(key)) =
        (running.sandbox_addr(), running.sandbox_account(), running.sandbox_key())
    {
        let key = key.expose();
        let token = match running.sandbox_token_file() {
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
