//! Confirms a telephone number by way of Dialback's pages. README.md here says how to run it.

use anyhow::Context;
use serde_json::{Value, json};
use std::collections::HashMap;
use subtle::ConstantTimeEq;
use warp::Filter;
use warp::http::{Response, StatusCode};

type Page = Response<String>;

const PORT: &str = "5001";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    anyhow::ensure!(
        !env("DIALBACK_API_KEY", "").is_empty(),
        "set DIALBACK_API_KEY to the key that `serve` printed"
    );
    let port: u16 = env("PORT", PORT).parse().context("PORT is no port")?;
    let home = warp::path::end().map(|| {
        warp::reply::html("<form method=post action=/confirm><button>Confirm my phone number</button></form>")
    });
    let confirm = warp::path!("confirm").and(warp::post()).then(|| async { shown(confirm().await) });
    let back = warp::path!("back")
        .and(warp::query())
        .and(warp::cookie::optional("phone"))
        .then(|query, cookie| async { shown(back(query, cookie).await) });
    println!("open {}", app_url());
    warp::serve(home.or(confirm).or(back)).run(([127, 0, 0, 1], port)).await;
    Ok(())
}

/// Begins: the browser keeps what it must bring back, and goes to Dialback.
async fn confirm() -> anyhow::Result<Page> {
    let state = uuid::Uuid::new_v4().simple().to_string();
    let url = app_url();
    let begun = dialback("sessions", json!({ "return_url": format!("{url}/back"), "state": state })).await?;
    let (id, location) = (begun["id"].as_str().context("no id")?, begun["url"].as_str().context("no url")?);
    let secure = if url.starts_with("https:") { "; Secure" } else { "" };
    let cookie = format!("phone={id}.{state}; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax{secure}");
    let answer = Response::builder().status(303).header("location", location).header("set-cookie", cookie);
    Ok(answer.body(String::new())?)
}

/// Ends: what came back must be this browser's; only Dialback says what came of it.
async fn back(query: HashMap<String, String>, cookie: Option<String>) -> anyhow::Result<Page> {
    // A browser can write its cookies: what becomes part of an address has letters and digits alone.
    let ours = cookie.as_deref().and_then(|cookie| cookie.split_once('.'));
    let ours = ours.filter(|(id, _)| id.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let theirs = query.get("state").map(String::as_bytes).unwrap_or_default();
    let Some((id, _)) = ours.filter(|(_, state)| state.as_bytes().ct_eq(theirs).into()) else {
        return Ok(page(400, "This is not an answer to a question of yours. Please begin again."));
    };
    let told = dialback(&format!("sessions/{id}/result"), json!({ "result": query.get("result") })).await?;
    let (status, number) = (told["status"].as_str().unwrap_or("failed"), told["to"].as_str());
    let Some(number) = number.filter(|_| status == "approved") else {
        return Ok(page(200, &format!("Your number is not proved: {status}. Please try again.")));
    };
    // Here the number goes to the person's account.
    Ok(page(200, &format!("{number} is proved.")))
}

/// Asks Dialback, from here, with the key that no browser sees.
async fn dialback(path: &str, body: Value) -> anyhow::Result<Value> {
    let url = format!("{}/v1/{path}", env("DIALBACK_URL", "http://127.0.0.1:8000"));
    let request = reqwest::Client::new().post(url).bearer_auth(env("DIALBACK_API_KEY", ""));
    let request = request.timeout(std::time::Duration::from_secs(10));
    let answer = request.header("content-type", "application/json").body(body.to_string()).send().await?;
    let (status, text) = (answer.status(), answer.text().await?);
    anyhow::ensure!(status.is_success(), "{status}: {text}");
    Ok(serde_json::from_str(&text)?)
}

/// Why something went wrong is for the log; the person reads that it did.
fn shown(answer: anyhow::Result<Page>) -> Page {
    answer.unwrap_or_else(|error| {
        eprintln!("dialback: {error:#}");
        page(502, "Your number could not be confirmed. Please try again.")
    })
}

fn page(status: u16, text: &str) -> Page {
    let mut page = Response::new(text.to_owned());
    *page.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    page
}

fn env(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.to_owned())
}

fn app_url() -> String {
    env("APP_URL", &format!("http://127.0.0.1:{}", env("PORT", PORT)))
}
