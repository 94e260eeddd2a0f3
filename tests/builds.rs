//! What each build says of the parts that it has not: the same questions to all
//! builds, with and without the sandbox and PostgreSQL.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const HAS_SANDBOX: bool = cfg!(feature = "sandbox");
const HAS_POSTGRES: bool = cfg!(feature = "postgres");
/// A start takes a part of a second; a busy machine may take longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The binary in a directory of its own, with these settings and no others.
fn dialback(dir: &Path, settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dialback"));
    command.current_dir(dir).env_clear();
    command.env("DIALBACK_SERVER__LISTEN", "127.0.0.1:0").env("DIALBACK_SANDBOX__LISTEN", "127.0.0.1:0");
    command.envs(settings.iter().copied());
    command
}

/// A directory whose configuration has what every server without a sandbox needs.
fn configured() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let keys =
        "[codes]\nkeys = [{ id = \"own\", secret = \"0af657d0e70acabaf35ab0f0f84481e50af657d0e70acaba\" }]\n";
    std::fs::write(dir.path().join("config.toml"), keys).unwrap();
    dir
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&*output.stdout, &*output.stderr].concat()).into_owned()
}

#[test]
fn a_sandbox_that_was_left_out_is_named_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let checked = dialback(dir.path(), &[]).args(["config", "check"]).output().unwrap();
    let text = said(&checked);
    assert_eq!(checked.status.success(), HAS_SANDBOX, "{text}");
    assert_eq!(text.contains("this build has no sandbox"), !HAS_SANDBOX, "{text}");
    if HAS_SANDBOX {
        return;
    }
    assert!(
        text.contains("sandbox") && text.contains("enabled") && text.contains("--features sandbox"),
        "{text}"
    );
    for args in [&["serve"][..], &["sandbox", "--listen", "127.0.0.1:0", "--pace", "-1"]] {
        let refused = dialback(dir.path(), &[]).args(args).output().unwrap();
        let text = said(&refused);
        assert!(!refused.status.success() && text.contains("this build has no sandbox"), "{args:?}: {text}");
    }
}

#[test]
fn a_store_that_was_left_out_is_named_with_what_to_do_and_nothing_is_made() {
    let dir = configured();
    let settings = [
        ("DIALBACK_STORE__URL", "postgres://somebody:hunter2@127.0.0.1:1/none"),
        ("DIALBACK_SANDBOX__ENABLED", "false"),
        ("DIALBACK_GATEWAY__KIND", "console"),
    ];
    let text = said(&dialback(dir.path(), &settings).args(["config", "check"]).output().unwrap());
    assert_eq!(text.contains("this build has no PostgreSQL"), !HAS_POSTGRES, "{text}");
    assert!(!text.contains("hunter2"), "{text}");
    if HAS_POSTGRES {
        return;
    }
    assert!(text.contains("url") && text.contains("--features postgres"), "{text}");
    for args in [&["serve"][..], &["store", "stats"], &["export", "-"]] {
        let refused = dialback(dir.path(), &settings).args(args).output().unwrap();
        let text = said(&refused);
        assert!(
            !refused.status.success() && text.contains("this build has no PostgreSQL"),
            "{args:?}: {text}"
        );
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "the configuration alone");
}

#[test]
fn every_build_serves() {
    let dir = configured();
    let settings = [
        ("DIALBACK_STORE__URL", "sled:data"),
        ("DIALBACK_SANDBOX__ENABLED", "false"),
        ("DIALBACK_GATEWAY__KIND", "console"),
        ("DIALBACK_API_KEY", "0af657d0e70acabaf35ab0f0f84481e5"),
    ];
    let mut command = dialback(dir.path(), &settings);
    command.args(["serve", "--ready-file", "ready"]).stdout(Stdio::null());
    let mut server = Server(command.spawn().unwrap());
    let ready = server.ready(&dir.path().join("ready"));
    let address = ready.split('"').skip_while(|word| *word != "server").nth(2).unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// A server that ends with its test.
struct Server(Child);

impl Server {
    /// What it wrote once it was there.
    fn ready(&mut self, file: &Path) -> String {
        let start = Instant::now();
        loop {
            match std::fs::read_to_string(file) {
                Ok(text) if text.ends_with('}') => return text,
                _ => assert!(start.elapsed() < PATIENCE && self.0.try_wait().unwrap().is_none(), "no server"),
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
