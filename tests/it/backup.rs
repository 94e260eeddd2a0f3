//! Backup and restore by the command line, of a running server and of a store
//! that nobody has open.

use crate::instance::{Instance, KEY, Setup, answer, binary, text};
use crate::stored::put;
use dialback::store::Store;
use dialback::store::sled::{Options, Sled};
use reqwest::Method;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use tempfile::TempDir;

/// A directory with stores in it, and commands on them.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A store with the samples in it, closed.
    async fn filled(&self, name: &str) -> String {
        let store = Sled::open(&self.path(name), Options::default()).unwrap();
        put(&store).await;
        store.close().await;
        self.store(name)
    }

    fn store(&self, name: &str) -> String {
        format!("sled:{}", self.path(name).display())
    }

    fn run(&self, store: &str, args: &[&str]) -> Output {
        binary(self.0.path()).env("DIALBACK_STORE__URL", store).args(args).output().unwrap()
    }

    /// The same, which has to succeed; what it printed.
    fn done(&self, store: &str, args: &[&str]) -> String {
        let output = self.run(store, args);
        assert!(output.status.success(), "{args:?}: {}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The same, which has to fail; what it said.
    fn refused(&self, store: &str, args: &[&str]) -> String {
        let output = self.run(store, args);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {}", said(&output));
        said(&output)
    }

    fn stats(&self, store: &str) -> Value {
        let mut stats: Value =
            serde_json::from_str(&self.done(store, &["store", "stats", "--json"])).unwrap();
        stats["kinds"].take()
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_nobody_has_open_is_exported_imported_and_checked() {
    let desk = Desk::new();
    let from = desk.filled("from").await;
    desk.done(&from, &["export", "all.ndjson"]);
    let mode = fs::metadata(desk.path("all.ndjson")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // A file that is there is not written over, and a whole one is not gone on with.
    assert!(desk.refused(&from, &["export", "all.ndjson"]).contains("is there already"));
    let whole = fs::read(desk.path("all.ndjson")).unwrap();
    assert!(said(&desk.run(&from, &["export", "all.ndjson", "--resume"])).contains("is whole already"));

    let to = desk.store("to");
    assert!(desk.refused(&to, &["store", "check"]).contains("is no store"));
    assert!(desk.done(&to, &["import", "all.ndjson"]).contains("added"));
    assert!(desk.done(&to, &["store", "check"]).ends_with("ok\n"));
    assert_eq!(desk.stats(&to), desk.stats(&from));
    assert!(desk.done(&to, &["store", "stats"]).contains("verification"));
    assert!(desk.done(&to, &["store", "compact"]).contains("before"));
    assert!(desk.done(&to, &["import", "all.ndjson", "--dry-run"]).contains("there already"));

    // By way of pipes, too.
    let piped = desk.run(&to, &["export"]).stdout;
    let lines = |file: &[u8]| {
        String::from_utf8(file.to_vec()).unwrap().lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    let (all, again) = (lines(&whole), lines(&piped));
    assert_eq!(all[..all.len() - 1], again[..again.len() - 1]);
    let third = desk.store("third");
    let mut import = binary(desk.0.path());
    import.env("DIALBACK_STORE__URL", &third).args(["import", "-"]);
    let imported =
        import.stdin(Stdio::from(fs::File::open(desk.path("all.ndjson")).unwrap())).output().unwrap();
    assert!(imported.status.success(), "{}", said(&imported));
    assert_eq!(desk.stats(&third), desk.stats(&from));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_was_cut_off_is_gone_on_with_and_until_then_refused() {
    let desk = Desk::new();
    let from = desk.filled("from").await;
    desk.done(&from, &["export", "all.ndjson"]);
    let whole = fs::read(desk.path("all.ndjson")).unwrap();
    let to = desk.store("to");
    for (nth, cut) in [0, 10, whole.len() / 3, whole.len() / 2, whole.len() - 3].into_iter().enumerate() {
        let name = format!("cut-{nth}.ndjson");
        fs::write(desk.path(&name), &whole[..cut]).unwrap();
        let refused = desk.refused(&to, &["import", &name]);
        let is_clear = ["cut off", "line 1 is not the head", "altered or damaged"];
        assert!(is_clear.iter().any(|words| refused.contains(words)), "{cut}: {refused}");
        assert!(!desk.path("to").exists(), "nothing was begun");
        desk.done(&from, &["export", &name, "--resume"]);
        let resumed = fs::read(desk.path(&name)).unwrap();
        let head = whole.iter().position(|byte| *byte == b'\n').unwrap();
        if cut > head {
            assert!(resumed == whole, "cut at {cut}: the same file, digest and all");
        }
        desk.done(&desk.store(&format!("to-{nth}")), &["import", &name]);
    }
    // One letter of one record.
    let altered = String::from_utf8(whole.clone()).unwrap().replacen("\"shop\"", "\"shoq\"", 1);
    fs::write(desk.path("altered.ndjson"), altered).unwrap();
    assert!(desk.refused(&to, &["import", "altered.ndjson"]).contains("the file was altered or damaged"));
    let newer =
        String::from_utf8(whole).unwrap().replacen("\"dialback_export\":1", "\"dialback_export\":2", 1);
    fs::write(desk.path("newer.ndjson"), newer).unwrap();
    assert!(desk.refused(&to, &["import", "newer.ndjson"]).contains("use a newer one"));
    assert!(!desk.path("to").exists(), "nothing was begun");
}

/// A server with some life in it.
async fn lively(dir: &Path) -> (Instance, Vec<(String, String)>) {
    let app = Setup::sandbox().dir(dir).start().await;
    let mut started = Vec::new();
    for n in 0..8 {
        let number = format!("+1555123{:04}", 7100 + n);
        let begun = app.begin(&number, "sms").await;
        let code = app.texted_code(&number, 1).await;
        started.push((text(&begun["id"]), code));
    }
    (app, started)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_server_is_backed_up_and_another_one_goes_on_from_it() {
    let (here, there, desk) = (TempDir::new().unwrap(), TempDir::new().unwrap(), Desk::new());
    let (app, started) = lively(here.path()).await;
    desk.done(&app.store, &["export", "all.ndjson"]);
    let checked = desk.done(&app.store, &["store", "check"]);
    assert!(checked.ends_with("ok\n"), "{checked}");
    assert_eq!(desk.stats(&app.store)["verification"]["records"], 8);
    assert!(desk.done(&app.store, &["store", "compact"]).contains("after"));
    // What the operator may ask, nobody else may.
    let admin = app.key(&["admin"]).await;
    for key in [KEY, &admin] {
        for (method, path) in
            [(Method::GET, "export"), (Method::POST, "import"), (Method::POST, "store/check")]
        {
            let asked =
                |base| app.http.request(method.clone(), format!("{base}/operator/{path}")).bearer_auth(key);
            assert_eq!(answer(asked(&app.admin)).await.status, 401, "{path}");
        }
    }
    let operator = app.operator();
    let broken = app.http.post(format!("{}/operator/import?line=5", app.admin)).bearer_auth(&operator);
    let broken = answer(broken.body("{\"kind\":\"moon\",\"id\":\"1\",\"body\":{}}\n")).await;
    assert!(broken.status == 422 && broken.text.contains("line 5"), "{}", broken.text);
    app.stop().await;

    // Into an empty directory, with the key that codes are derived from.
    let restored = format!("sled:{}", there.path().join("data").display());
    desk.done(&restored, &["import", "all.ndjson"]);
    assert!(desk.done(&restored, &["store", "check"]).ends_with("ok\n"));
    fs::copy(here.path().join("data/local.json"), there.path().join("data/local.json")).unwrap();
    let app = Setup::sandbox().dir(there.path()).start().await;
    for (id, code) in &started {
        app.learn(code);
        assert_eq!(app.check(id, code).await.json()["valid"], true);
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_server_takes_a_backup_in() {
    let (dir, desk) = (TempDir::new().unwrap(), Desk::new());
    let from = desk.filled("from").await;
    desk.done(&from, &["export", "all.ndjson"]);
    let app = Setup::live().dir(dir.path()).start().await;
    assert!(desk.done(&app.store, &["import", "all.ndjson", "--dry-run"]).starts_with("would be: "));
    // The server's own start is in the audit log, and it holds a lease.
    let own = ["audit", "lease"];
    let mut begun = desk.stats(&app.store);
    begun.as_object_mut().unwrap().retain(|kind, _| !own.contains(&kind.as_str()));
    assert_eq!(begun, json!({}));
    assert!(desk.done(&app.store, &["import", "all.ndjson"]).contains("added"));
    let delivery = app.get("/v1/deliveries/SM00000000000000000000000000000100").await;
    assert_eq!(delivery.status, 200, "{}", delivery.text);
    let checked = desk.done(&app.store, &["store", "check"]);
    assert!(checked.ends_with("ok\n"), "{checked}");
    assert!(desk.refused("memory:", &["export"]).contains("memory:"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_store_is_said_to_be_one() {
    let desk = Desk::new();
    let store = Sled::open(&desk.path("data"), Options::default()).unwrap();
    put(&store).await;
    let key =
        dialback::store::Key::new(dialback::store::Kind::Delivery, "SM00000000000000000000000000000100");
    let stored = store.read(&key).await.unwrap().unwrap();
    let change = dialback::store::Change {
        key,
        expected: stored.version,
        body: Some(b"{\"format\":1,\"record\":{}}".to_vec()),
        due_before: None,
        due_after: None,
        entries_added: Vec::new(),
        entries_removed: Vec::new(),
    };
    store.commit(vec![change]).await.unwrap();
    store.close().await;
    let refused = desk.refused(&desk.store("data"), &["store", "check"]);
    assert!(
        refused.contains("damaged: record Delivery SM") && refused.contains("dialback import"),
        "{refused}"
    );
}
