//! What the process writes is its owner's alone, whatever was there before and
//! whatever the shell's mask was; and its memory goes to no disk.

use crate::instance::{Setup, binary};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// Everything below a directory, itself included; links are not followed.
fn below(dir: &Path) -> Vec<PathBuf> {
    let mut found = vec![dir.to_owned()];
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => found.extend(below(&entry.path())),
            false => found.push(entry.path()),
        }
    }
    found
}

/// What others than the owner can read or write of it.
fn open_to_others(dir: &Path) -> Vec<String> {
    let mode = |path: &PathBuf| fs::symlink_metadata(path).unwrap().mode();
    let open = below(dir).into_iter().filter(|path| mode(path) & 0o077 != 0);
    open.map(|path| format!("{} {:o}", path.display(), mode(&path) & 0o7777)).collect()
}

/// The binary started by a shell whose mask takes nothing away.
fn unmasked(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "umask 000; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_dialback")]).args(args);
    command.current_dir(dir).env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn refused(dir: &Path, store: &str) -> String {
    let output =
        binary(dir).env("DIALBACK_STORE__URL", store).args(["key", "create", "shop"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_open_to_others_is_tightened_at_start() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    // A directory that was there before the first start.
    fs::create_dir(&data).unwrap();
    chmod(&data, 0o777);
    let app = Setup::sandbox().dir(dir.path()).start().await;
    assert_eq!(open_to_others(&data), Vec::<String>::new());
    let limits = fs::read_to_string(format!("/proc/{}/limits", app.pid())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{limits}");
    app.stop().await;
    // A store as an older version left it there, with what a cut left of a copy.
    fs::create_dir(data.join("generation-7")).unwrap();
    fs::write(data.join("generation-7/db"), "").unwrap();
    for path in below(&data) {
        chmod(&path, if path.is_dir() { 0o755 } else { 0o644 });
    }
    let app = Setup::sandbox().dir(dir.path()).start().await;
    assert_eq!(open_to_others(&data), Vec::<String>::new());
    app.logged("could be read by others: now by its owner alone").await;
    assert_eq!(fs::metadata(dir.path().join("ready.json")).unwrap().mode() & 0o777, 0o600);
    app.stop().await;
}

#[test]
fn no_mask_of_a_shell_opens_what_commands_write() {
    let dir = TempDir::new().unwrap();
    let run = |args: &[&str]| {
        let output = unmasked(dir.path(), args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    chmod(dir.path(), 0o755);
    fs::create_dir(dir.path().join("data")).unwrap();
    run(&["key", "create", "shop"]);
    run(&["export", "backup.ndjson"]);
    assert_eq!(open_to_others(&dir.path().join("data")), Vec::<String>::new());
    let backup = dir.path().join("backup.ndjson");
    assert_eq!(fs::metadata(&backup).unwrap().mode() & 0o777, 0o600);
    // One that was cut off, and was open to others, is gone on with in private.
    let whole = fs::read(&backup).unwrap();
    fs::write(&backup, &whole[..whole.len() - 10]).unwrap();
    chmod(&backup, 0o644);
    run(&["export", "backup.ndjson", "--resume"]);
    assert_eq!(fs::metadata(&backup).unwrap().mode() & 0o777, 0o600);
}

#[test]
fn a_directory_with_other_uses_is_refused_and_left_as_it_is() {
    let dir = TempDir::new().unwrap();
    let shared = dir.path().join("shared");
    fs::create_dir(&shared).unwrap();
    fs::write(shared.join("index.html"), "").unwrap();
    chmod(&shared, 0o755);
    let store = format!("sled:{}", shared.display());
    let said = refused(dir.path(), &store);
    assert!(said.contains("store.url: ") && said.contains("(mode 0755) and holds index.html too"), "{said}");
    assert_eq!(fs::metadata(&shared).unwrap().mode() & 0o777, 0o755);
    fs::remove_file(shared.join("index.html")).unwrap();
    chmod(&shared, 0o1777);
    assert!(refused(dir.path(), &store).contains("(mode 1777) and is everybody's"));
    // Whoever says that it is theirs alone may have anything in it.
    fs::write(shared.join("index.html"), "").unwrap();
    chmod(&shared, 0o700);
    let mut create = binary(dir.path());
    create.env("DIALBACK_STORE__URL", &store).args(["key", "create", "shop"]);
    assert!(create.status().unwrap().success());
}

#[test]
fn a_link_of_ones_own_is_followed_and_what_is_somebody_else_s_refused() {
    let dir = TempDir::new().unwrap();
    let (real, link) = (dir.path().join("real"), dir.path().join("link"));
    fs::create_dir(&real).unwrap();
    chmod(&real, 0o755);
    symlink(&real, &link).unwrap();
    let store = format!("sled:{}", link.display());
    let create = |store: &str| {
        binary(dir.path()).env("DIALBACK_STORE__URL", store).args(["key", "create", "shop"]).output().unwrap()
    };
    assert!(create(&store).status.success());
    assert_eq!(open_to_others(&real), Vec::<String>::new());

    const SOMEBODY: u32 = 12_345;
    if std::os::unix::fs::lchown(&link, Some(SOMEBODY), None).is_err() {
        crate::instance::skipped("only root can give a file to somebody else");
        return;
    }
    let said = refused(dir.path(), &store);
    assert!(said.contains("is a symbolic link of user 12345: name the directory itself"), "{said}");
    let store = format!("sled:{}", real.display());
    let give = |path: &Path| std::os::unix::fs::chown(path, Some(SOMEBODY), None).unwrap();
    let take = |path: &Path| std::os::unix::fs::chown(path, Some(0), None).unwrap();
    for path in [real.join("db"), real.clone()] {
        give(&path);
        let said = refused(dir.path(), &store);
        let told = format!("{} belongs to user 12345, and dialback runs as user 0: ", path.display());
        assert!(said.contains(&told), "{said}");
        take(&path);
    }
    // A link that somebody laid in the directory is not written through.
    let planted = real.join("local.json");
    symlink(dir.path().join("elsewhere"), &planted).unwrap();
    std::os::unix::fs::lchown(&planted, Some(SOMEBODY), None).unwrap();
    assert!(refused(dir.path(), &store).contains("local.json belongs to user 12345"));
    assert!(!dir.path().join("elsewhere").exists());
}
