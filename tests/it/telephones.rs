//! The telephones in a headless browser, against the real binary.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const CHROMIUM: &str = "DIALBACK_TEST_CHROMIUM";
const NODE_MODULES: &str = "DIALBACK_TEST_NODE_MODULES";
/// The sandboxes' account, so that the driver can send as an application does.
const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
const TOKEN: &str = "8f0e6c2d4b1a39587766554433221100";
/// How long the binary may take until its ports accept.
const START: Duration = Duration::from_secs(90);

/// A running `dialback`, ended with its guard.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, and then there is nothing to end.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a command in a directory of its own and gives the sandbox's URL.
fn start(command: &str, directory: &Path) -> (Running, String) {
    let ready = directory.join(format!("{command}.json"));
    let mut dialback = Command::new(env!("CARGO_BIN_EXE_dialback"));
    for name in std::env::vars().map(|(name, _)| name) {
        if name.starts_with("DIALBACK_") || name.starts_with("TWILIO_") {
            dialback.env_remove(name);
        }
    }
    let child = dialback
        .args([command, "--ready-file"])
        .arg(&ready)
        .current_dir(directory)
        .env("DIALBACK_STORE__URL", "memory:")
        // What the page shows last is what it was asked to send.
        .env("DIALBACK_SERVICES", "{ default = { failover = \"off\" } }")
        .env("DIALBACK_TWILIO__ACCOUNT_SID", ACCOUNT)
        .env("DIALBACK_TWILIO__AUTH_TOKEN", TOKEN)
        .env("DIALBACK_SERVER__LISTEN", "127.0.0.1:0")
        .env("DIALBACK_SANDBOX__LISTEN", "127.0.0.1:0")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let running = Running(child);
    let began = Instant::now();
    loop {
        let text = std::fs::read_to_string(&ready).unwrap_or_default();
        if let Ok(ready) = serde_json::from_str::<serde_json::Value>(&text) {
            return (running, format!("http://{}", ready["sandbox"].as_str().unwrap()));
        }
        assert!(began.elapsed() < START, "dialback {command} was not ready in time");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_whole_story_is_one_page() {
    let Some((chromium, modules)) = std::env::var(CHROMIUM).ok().zip(std::env::var(NODE_MODULES).ok()) else {
        return crate::instance::skipped(&format!(
            "the page in a browser: set {CHROMIUM} and {NODE_MODULES} (with playwright-core) to turn it on"
        ));
    };
    let directory = tempfile::tempdir().unwrap();
    let (_together, together) = start("serve", directory.path());
    let (_alone, alone) = start("sandbox", directory.path());
    let driver: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "browser", "telephones.mjs"].iter().collect();
    let told = Command::new("node")
        .arg(driver)
        .args([&together, &alone, ACCOUNT, TOKEN])
        .env(CHROMIUM, chromium)
        .env(NODE_MODULES, modules)
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&told.stdout), String::from_utf8_lossy(&told.stderr));
    assert!(told.status.success(), "{said}");
    assert_eq!(said.lines().filter(|line| line.starts_with("ok ")).count(), 11, "{said}");
}
