//! `dialback verify`: a whole verification from the terminal.

use super::Global;
use super::client::{Client, Target};
use super::out::{out, outln};
use anyhow::Context;
use serde_json::{Value, json};
use std::io::BufRead;
use std::process::ExitCode;
use std::time::Duration;

/// Arguments of `dialback verify`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The number, like +14155550123
    number: String,
    /// Call instead of sending a text
    #[arg(long, conflicts_with = "whatsapp")]
    call: bool,
    /// Send a WhatsApp message instead of a text
    #[arg(long)]
    whatsapp: bool,
    /// The service, by its id or its name in the configuration
    #[arg(long, value_name = "SERVICE")]
    service: Option<String>,
    /// The language of text or call, like de or pt-BR
    #[arg(long, value_name = "LOCALE")]
    locale: Option<String>,
    /// What is to be paid, for a service that binds codes to payments
    #[arg(long, value_name = "TEXT", requires = "payee")]
    amount: Option<String>,
    /// Who is to be paid
    #[arg(long, value_name = "TEXT", requires = "amount")]
    payee: Option<String>,
    #[command(flatten)]
    target: Target,
}

/// How long to watch the message leave before asking for the code.
const WATCH: Duration = Duration::from_secs(6);
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// Runs the command. Success is a number that was proved.
///
/// # Errors
/// What stopped it, in words for the person at the terminal.
pub async fn run(global: &Global, args: Args) -> anyhow::Result<ExitCode> {
    let config = super::configured::load(global)?.config;
    let client = Client::need(&args.target, &config).await?;
    let channel = match (args.call, args.whatsapp) {
        (true, _) => "call",
        (_, true) => "whatsapp",
        _ => "sms",
    };
    let mut request = json!({
        "to": args.number, "channel": channel, "locale": args.locale, "service": args.service,
    });
    let payment = [("amount", &args.amount), ("payee", &args.payee)];
    with_payment(&mut request, payment);
    let started = client.post("/v1/verifications", &request).await?.done()?;
    let path =
        format!("/v1/verifications/{}", started["id"].as_str().context("the server's answer holds no id")?);
    outln!("{} to {}, good until {}", channel, shown(&started, "to"), shown(&started, "expires_at"));
    watch(&client, &path).await?;
    loop {
        let Some(code) = ask("code: ").await? else {
            outln!("no code was given; the verification stays open until it expires");
            return Ok(ExitCode::FAILURE);
        };
        let mut offer = json!({ "code": code });
        with_payment(&mut offer, payment);
        let answer = client.post(&format!("{path}/check"), &offer).await?;
        // It was no code, or could not be compared: another one may be given, or the same.
        if answer.status == 422 || answer.body["code"] == "check_unavailable" {
            outln!("{}", shown(&answer.body, "detail"));
            continue;
        }
        let checked = answer.done()?;
        if checked["valid"] == true {
            outln!("approved: the number is proved");
            return Ok(ExitCode::SUCCESS);
        }
        if checked["status"] != "pending" {
            outln!("wrong, and that was the last one: {}", shown(&checked, "status"));
            return Ok(ExitCode::FAILURE);
        }
        outln!("wrong; {} left", checked["checks_left"]);
    }
}

/// Names what the code is bound to, if it is.
fn with_payment(request: &mut Value, payment: [(&str, &Option<String>); 2]) {
    for (name, text) in payment {
        if let Some(text) = text {
            request[name] = json!(text);
        }
    }
}

/// Says how the message gets on, until there is nothing more to wait for.
async fn watch(client: &Client, path: &str) -> anyhow::Result<()> {
    let mut last = String::new();
    let end = tokio::time::Instant::now() + WATCH;
    while tokio::time::Instant::now() < end {
        let view = client.get(path).await?.done()?;
        let delivery = &view["deliveries"][0];
        let status = shown(delivery, "status");
        if status != last {
            outln!("  {status}{}", why(delivery));
            last = status;
        }
        if matches!(
            last.as_str(),
            "delivered" | "undelivered" | "failed" | "ringing" | "in-progress" | "canceled"
        ) {
            break;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}

fn why(delivery: &Value) -> String {
    let error = &delivery["error"];
    match (error["meaning"].as_str(), error["advice"].as_str()) {
        (Some(meaning), Some(advice)) => format!(": {meaning} {advice}"),
        _ => error["name"].as_str().map(|name| format!(": {name}")).unwrap_or_default(),
    }
}

fn shown(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or("?").to_owned()
}

/// One line from the terminal; `None` at its end.
async fn ask(prompt: &'static str) -> anyhow::Result<Option<String>> {
    let line = tokio::task::spawn_blocking(move || {
        out!("{prompt}");
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line)?;
        Ok::<_, std::io::Error>((read > 0).then(|| line.trim().to_owned()))
    });
    Ok(line.await??)
}
