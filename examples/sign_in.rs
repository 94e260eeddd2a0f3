//! Confirms a telephone number by way of Dialback's pages. README.md here says how to run it.

use anyhow::Context;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;
use subtle::ConstantTimeEq;
use warp::http::StatusCode;
use warp::reply::{Reply, Response, html, with_header, with_status};
use warp::{Filter, path};

const HOME: &str = r#"<form method="post" action="/confirm"><button>Confirm my phone number</button></form>"#;
const PORT: &str = "5001";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    env("DIALBACK_API_KEY", "").context("set DIALBACK_API_KEY to the key that `serve` printed")?;
    let port: u16 = env("PORT", PORT)?.parse().context("PORT is no port")?;
    let home = path::end().map(|| html(HOME));
    let confirm = path!("confirm").and(warp::post()).then(|| async { shown(begin().await) });
    let back = path!("back").and(warp::query()).and(warp::cookie::optional("phone"));
    let back = back.then(|query, cookie| async { shown(finish(query, cookie).await) });
    println!("open {}", app_url()?);
    warp::serve(home.or(confirm).or(back)).run(([127, 0, 0, 1], port)).await;
    Ok(())
}

/// The browser keeps what it must bring back, and goes to Dialback.
async fn begin() -> anyhow::Result<Response> {
    let state = uuid::Uuid::new_v4().simple().to_string();
    let return_url = format!("{}/back", app_url()?);
    let begun = dialback("sessions", json!({ "return_url": return_url, "state": state })).await?;
    let (id, url) = begun["id"].as_str().zip(begun["url"].as_str()).context("no session")?;
    let away = with_header(StatusCode::SEE_OTHER, "location", url);
    Ok(with_header(away, "set-cookie", cookie(&format!("{id}.{state}"), 3600)?).into_response())
}

/// What came back must be this browser's, and only Dialback says what came of it.
async fn finish(query: HashMap<String, String>, ours: Option<String>) -> anyhow::Result<Response> {
    // People can write their cookies: what goes into an address is letters and digits.
    let ours = ours.as_deref().and_then(|cookie| cookie.split_once('.'));
    let ours = ours.filter(|(id, _)| id.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let state = query.get("state").map(String::as_bytes).unwrap_or_default();
    let Some((id, _)) = ours.filter(|(_, ours)| ours.as_bytes().ct_eq(state).into()) else {
        let text = "This is not an answer to a question of yours. Please begin again.";
        return Ok(with_status(text, StatusCode::BAD_REQUEST).into_response());
    };
    let told = dialback(&format!("sessions/{id}/result"), json!({ "result": query.get("result") })).await?;
    let text = match (told["status"].as_str(), told["to"].as_str()) {
        // Here the number goes to the person's account.
        (Some("approved"), Some(number)) => format!("{number} is proved."),
        (status, _) => format!("Your number is not proved: {}.", status.unwrap_or("failed")),
    };
    Ok(with_header(text, "set-cookie", cookie("", 0)?).into_response())
}

/// Asks Dialback, with the key that no browser sees.
async fn dialback(path: &str, body: Value) -> anyhow::Result<Value> {
    let url = format!("{}/v1/{path}", env("DIALBACK_URL", "http://127.0.0.1:8000")?);
    let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build()?;
    let request = client.post(url).bearer_auth(env("DIALBACK_API_KEY", "")?);
    let answer = request.header("content-type", "application/json").body(body.to_string()).send().await?;
    let (status, text) = (answer.status(), answer.text().await?);
    anyhow::ensure!(status.is_success(), "{status}: {text}");
    Ok(serde_json::from_str(&text)?)
}

/// Why something went wrong is for the log; the person reads that it did.
fn shown(answer: anyhow::Result<Response>) -> Response {
    answer.unwrap_or_else(|error| {
        eprintln!("dialback: {error:#}");
        let text = "Your number could not be confirmed. Please try again.";
        with_status(text, StatusCode::BAD_GATEWAY).into_response()
    })
}

fn cookie(value: &str, seconds: u32) -> anyhow::Result<String> {
    let secure = if app_url()?.starts_with("https:") { "; Secure" } else { "" };
    Ok(format!("phone={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"))
}

fn app_url() -> anyhow::Result<String> {
    env("APP_URL", &format!("http://127.0.0.1:{}", env("PORT", PORT)?))
}

fn env(name: &str, default: &str) -> anyhow::Result<String> {
    let value = std::env::var(name).unwrap_or_else(|_| default.to_owned());
    anyhow::ensure!(!value.is_empty(), "{name} is not set");
    Ok(value)
}
