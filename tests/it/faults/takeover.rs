//! A process that is killed while it sends: how soon another one looks after what it had
//! begun, and that what arrived is not sent again. Twilio is a stand-in here that takes
//! messages and answers nobody, so that the sends are under way when the process dies.

use super::cluster::{Cluster, within};
use super::say;
use crate::instance::ACCOUNT;
use crate::postgres::database;
use crate::wire::{poll, try_answer, with_json};
use reqwest::Method;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What is promised.
const PROMISED: Duration = Duration::from_secs(15);
/// How much later it may be noticed on a machine that others use.
const SLACK: Duration = Duration::from_secs(10);
/// Sends that are under way.
const SENDS: usize = 20;

/// What the stand-in knows of a number.
#[derive(Default)]
struct Known {
    bodies: Vec<String>,
    looked_up: Option<Instant>,
}

#[derive(Default)]
struct Twilio(Mutex<BTreeMap<String, Known>>);

impl Twilio {
    async fn start() -> (Arc<Self>, String) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let twilio = Arc::<Self>::default();
        let serving = Arc::clone(&twilio);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(Arc::clone(&serving).connection(stream));
            }
        });
        (twilio, url)
    }

    async fn connection(self: Arc<Self>, mut stream: TcpStream) {
        let mut text = String::new();
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = stream.read(&mut buffer).await {
            text += &String::from_utf8_lossy(&buffer[..read]);
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = head
                .lines()
                .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() < length.unwrap_or(0) {
                continue;
            }
            let json = match head.starts_with("POST") {
                true => self.take(body),
                false => Some(self.list(head)),
            };
            let Some(json) = json else { return std::future::pending().await };
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{json}",
                json.len()
            );
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
            text.clear();
        }
    }

    /// Takes a message; only the second to a number is answered.
    fn take(&self, form: &str) -> Option<String> {
        let pairs: BTreeMap<String, String> = serde_urlencoded::from_str(form).unwrap();
        let mut all = self.0.lock().unwrap();
        let known = all.entry(pairs["To"].clone()).or_default();
        known.bodies.push(pairs["Body"].clone());
        (known.bodies.len() > 1).then(|| resource(&pairs["To"], &pairs["Body"]).to_string())
    }

    /// What there is to a number. Messages to odd numbers were lost on the way.
    fn list(&self, head: &str) -> String {
        let to = head.split("To=%2B").nth(1).and_then(|rest| rest.split('&').next()).unwrap_or_default();
        let to = format!("+{to}");
        let mut all = self.0.lock().unwrap();
        let known = all.entry(to.clone()).or_default();
        known.looked_up.get_or_insert_with(Instant::now);
        let arrived = known.bodies.iter().take(if is_lost(&to) { 0 } else { 1 });
        let messages: Vec<_> = arrived.map(|body| resource(&to, body)).collect();
        json!({ "messages": messages, "next_page_uri": null }).to_string()
    }

    /// Of each number how often something was sent to it, and when that was looked up.
    fn known(&self) -> BTreeMap<String, (usize, Option<Instant>)> {
        let all = self.0.lock().unwrap();
        all.iter().map(|(to, known)| (to.clone(), (known.bodies.len(), known.looked_up))).collect()
    }
}

fn is_lost(to: &str) -> bool {
    to.ends_with(['1', '3', '5', '7', '9'])
}

fn resource(to: &str, body: &str) -> serde_json::Value {
    let now = jiff::Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S +0000").to_string();
    json!({
        "sid": format!("SM{:0>32}", to.trim_start_matches('+')), "status": "queued", "to": to,
        "from": "+15017122661", "account_sid": ACCOUNT, "direction": "outbound-api", "body": body,
        "num_segments": "1", "date_created": now,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_process_was_sending_is_taken_up_within_fifteen_seconds_and_sent_once() {
    let Some(database) = database("sends of a process that is killed").await else { return };
    let (twilio, url) = Twilio::start().await;
    let env = [("TWILIO__BASE_URL", url.as_str()), ("TWILIO__REQUEST_TIMEOUT_SECONDS", "60")];
    let env = [env[0], env[1], ("TWILIO__MAX_IN_FLIGHT", "100")];
    let mut cluster = Cluster::on(vec![database.url(); 2], 51, &env).await;
    // So that all is begun by the one that will be killed.
    cluster.kill(1);
    for n in 0..SENDS {
        let node = cluster.faces.node(0).unwrap();
        let request = cluster.faces.api(&node, Method::POST, "/v1/verifications");
        let started = json!({ "to": format!("+14155551{n:03}"), "channel": "sms" });
        let answer = try_answer(with_json(request, &started)).await.unwrap();
        assert_eq!(answer.status, 201, "{}", answer.text);
    }
    let under_way = poll(|| async { (twilio.known().len() == SENDS).then_some(()) }).await;
    under_way.expect("all are under way");
    cluster.run(1, &[]).await;
    let killed = Instant::now();
    cluster.kill(0);
    let times = |to: &str| if is_lost(to) { 2 } else { 1 };
    within(2 * (PROMISED + SLACK), || async {
        let known = twilio.known();
        known.iter().all(|(to, (sent, looked_up))| looked_up.is_some() && *sent >= times(to))
    })
    .await;
    let known = twilio.known();
    let mut spans: Vec<Duration> = Vec::new();
    for (to, (sent, looked_up)) in &known {
        assert_eq!(*sent, times(to), "{to}: what arrived is sent once, what was lost again");
        spans.push(looked_up.expect("it is looked up").duration_since(killed));
    }
    spans.sort();
    say(format!(
        "{SENDS} sends of a killed process were looked up {:.1} to {:.1} s after its death",
        spans[0].as_secs_f64(),
        spans[SENDS - 1].as_secs_f64()
    ));
    assert!(spans[SENDS - 1] <= PROMISED + SLACK, "{spans:?}");
    cluster.stop().await;
}
