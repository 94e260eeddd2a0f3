//! What a million messages leave in the memory of the sandbox: they are sent in-process,
//! each to a telephone of its own, which is the worst that can come.
//!
//! `cargo bench --bench messages` prints the resident memory after 100,000, 300,000 and
//! 1,000,000, and fails when that has grown by more than the configuration states
//! (`Keep::bytes`). `-- --messages N` sends fewer, `--keep N` keeps so many.

#[path = "common/memory.rs"]
mod memory;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use dialback::clock::Clock;
use dialback::entropy::Entropy;
use dialback::sandbox::{Keep, Sandbox, Settings};
use dialback::secret::Secret;
use http_body_util::Full;
use memory::memory;
use std::time::{Duration, Instant};
use tower_service::Service as _;
use warp::http::{Request, StatusCode};

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
const TOKEN: &str = "8f0e6c2d4b1a39587766554433221100";
const MESSAGES: u64 = 1_000_000;
const MIB: u64 = 1024 * 1024;

fn main() {
    // Run as a test, it is only there to be compiled.
    let args: Vec<String> = std::env::args().collect();
    if args.iter().any(|arg| arg == "--test") {
        return;
    }
    let after = |name: &str| args.get(args.iter().position(|arg| arg == name)? + 1);
    let number = |name: &str| after(name).map(|number| number.parse::<u64>().expect("a number"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let messages = number("--messages").unwrap_or(MESSAGES);
    runtime.block_on(measure(messages, number("--keep").and_then(|keep| keep.try_into().ok())));
}

async fn measure(messages: u64, kept: Option<usize>) {
    let keep = kept.map_or_else(Keep::default, |messages| Keep { messages, ..Keep::default() });
    let settings = Settings { pace: 0.0, keep, ..Settings::new(ACCOUNT, Secret::new(TOKEN)) };
    let sandbox = Sandbox::new(settings, Clock::real(), Entropy::system()).expect("a sandbox");
    // What is read once, such as the numbering plans, is no message's.
    send(&sandbox, 0).await;
    let (before, bound) = (memory("VmRSS"), keep.bytes());
    println!("kept: {} messages, {} telephones, {} exchanges", keep.messages, keep.phones, keep.exchanges);
    println!("messages  resident  grown by  at most  seconds");
    let begun = Instant::now();
    for n in 1..=messages {
        send(&sandbox, n).await;
        if [100_000, 300_000, MESSAGES, messages].contains(&n) {
            let now = memory("VmRSS");
            let (grown, seconds) = (now.saturating_sub(before), begun.elapsed().as_secs());
            println!(
                "{n:>8} {:>5} MiB {:>5} MiB {:>4} MiB {seconds:>8}",
                now / MIB,
                grown / MIB,
                bound / MIB
            );
            assert!(grown <= bound, "after {n} messages: {grown} bytes, and {bound} are stated");
        }
    }
}

/// Sends one, once it is taken: only so many are on their way at a time.
async fn send(sandbox: &Sandbox, n: u64) {
    let mut service = warp::service(sandbox.filter());
    let credentials = STANDARD.encode(format!("{ACCOUNT}:{TOKEN}"));
    let body =
        format!("To=%2B1{}&From=%2B15005550006&Body=Your+code+is+{:06}", 2_000_000_000 + n, n % MESSAGES);
    loop {
        let request = Request::post(format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json"))
            .header("authorization", format!("Basic {credentials}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Full::<Bytes>::from(body.clone()))
            .expect("a request");
        let answer = match service.call(request).await {
            Ok(answer) => answer,
            Err(never) => match never {},
        };
        match answer.status() {
            StatusCode::CREATED => return,
            StatusCode::TOO_MANY_REQUESTS => tokio::time::sleep(Duration::from_millis(1)).await,
            other => panic!("the message was answered with {other}"),
        }
    }
}
