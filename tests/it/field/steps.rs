//! The steps of a case, each done as the people did it that reported it.

use super::case::{Act, Hook};
use super::page;
use super::server::{KEY, Server, TOKEN};
use crate::instance::ACCOUNT;
use crate::wire::{form, sign};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::time::Duration;

/// What came of a step: the status of an answer, or of a command, and its text.
pub struct Seen {
    pub status: u16,
    pub body: String,
}

pub async fn act(server: &Server, act: &Act) -> Seen {
    match act {
        Act::Api { method, path, json } => {
            api(server, method.as_deref().unwrap_or("POST"), path, json.as_ref()).await
        }
        Act::V2 { method, path, body } => {
            let body = body.as_deref().unwrap_or_default();
            v2(server, method.as_deref().unwrap_or("POST"), path, body).await
        }
        Act::V2Check => v2_check(server).await,
        Act::Hook(hook) => webhook(server, hook).await,
        Act::Events { json } => events(server, json).await,
        Act::Page(page) => page::walk(server, page).await,
        Act::Explain { url, signed, form } => explain(server, url, signed, form).await,
        Act::Check { code } => {
            let path = format!("/v1/verifications/{}/check", server.last["id"].as_str().unwrap());
            api(server, "POST", &path, Some(&serde_json::json!({ "code": code }))).await
        }
        Act::Wait { seconds } => {
            tokio::time::sleep(Duration::from_secs_f64(*seconds)).await;
            Seen { status: 0, body: String::new() }
        }
    }
}

/// A request of the application.
pub async fn api(server: &Server, method: &str, path: &str, json: Option<&Value>) -> Seen {
    let headers =
        headers(&[("Authorization", &format!("Bearer {KEY}")), ("Content-Type", "application/json")]);
    let body = json.map(Value::to_string).unwrap_or_default();
    seen(server.raw(method, path, &headers, body.as_bytes()).await)
}

async fn v2(server: &Server, method: &str, path: &str, body: &str) -> Seen {
    let credentials = STANDARD.encode(format!("{ACCOUNT}:{KEY}"));
    let headers = headers(&[("Authorization", &format!("Basic {credentials}")), FORM]);
    seen(server.raw(method, path, &headers, body.as_bytes()).await)
}

async fn v2_check(server: &Server) -> Seen {
    let service = format!("/v2/Services/{}", server.last["sid"].as_str().unwrap());
    v2(server, "POST", &format!("{service}/Verifications"), "To=%2B14155550505&Channel=sms").await;
    v2(server, "POST", &format!("{service}/VerificationCheck"), "To=+14155550505&Code=000000").await
}

async fn webhook(server: &Server, hook: &Hook) -> Seen {
    let pairs = owned(&hook.form);
    let pairs: Vec<(&str, &str)> =
        pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let url = hook.signed.clone().unwrap_or_else(|| format!("{}{}", server.public, hook.path));
    let mut headers = headers(&[FORM, ("X-Twilio-Signature", &sign(TOKEN, &url, &pairs))]);
    headers.extend(hook.headers.iter().cloned());
    headers.extend((0..hook.more_headers).map(|n| (format!("X-Mesh-{n}"), "1".to_owned())));
    let target = hook.target.as_ref().unwrap_or(&hook.path);
    seen(server.raw("POST", target, &headers, form(&pairs).as_bytes()).await)
}

async fn events(server: &Server, batch: &Value) -> Seen {
    let body = batch.to_string();
    let path = format!("/twilio/events?bodySHA256={}", hex::encode(Sha256::digest(&body)));
    let signature = sign(TOKEN, &format!("{}{path}", server.public), &[]);
    let headers = headers(&[("Content-Type", "application/json"), ("X-Twilio-Signature", &signature)]);
    seen(server.raw("POST", &path, &headers, body.as_bytes()).await)
}

async fn explain(server: &Server, url: &str, signed: &str, pairs: &[(String, String)]) -> Seen {
    let pairs: Vec<(&str, &str)> =
        pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut command = server.command();
    command.args([
        "signature",
        "explain",
        url,
        "--token",
        TOKEN,
        "--signature",
        &sign(TOKEN, signed, &pairs),
    ]);
    for (name, value) in pairs {
        command.arg("-d").arg(format!("{name}={value}"));
    }
    let ended = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = [ended.stdout, ended.stderr].concat();
    let status = ended.status.code().and_then(|code| code.try_into().ok()).unwrap_or(u16::MAX);
    Seen { status, body: String::from_utf8_lossy(&said).into_owned() }
}

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

fn headers(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A form with the account's name in its places.
fn owned(pairs: &[(String, String)]) -> Vec<(String, String)> {
    let fill = |value: &String| value.replace("{{account_sid}}", ACCOUNT);
    pairs.iter().map(|(name, value)| (name.clone(), fill(value))).collect()
}

fn seen((status, body): (u16, String)) -> Seen {
    Seen { status, body }
}
