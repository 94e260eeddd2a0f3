//! A server's clock jumps, by seconds and by hours, and back again.
//!
//! What may differ then: a verification ends early, on a server whose clock is
//! an hour ahead, or because it began on one an hour behind; a message waits
//! while its server's clock is behind. Nothing else.

use super::clients::{Workload, World};
use super::cluster::Cluster;
use super::kills::open;
use super::say;
use super::verdict::{Grace, Line, dissect, judge, settle};
use crate::instance::skipped;
use crate::postgres::database;
use dialback::entropy::Entropy;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// Where a clock jumps to, in seconds off the true time.
const JUMPS: [i64; 8] = [3, -3, AHEAD, 0, -3600, 3, -3, 0];
/// So far ahead that what is due then is not waited for.
const AHEAD: i64 = 3600;
/// How long it stays there, in milliseconds.
const STAY: u64 = 1500;

/// A clock that can be moved from outside.
struct Offset {
    dir: TempDir,
    library: PathBuf,
}

impl Offset {
    /// Builds what moves it; says so where nobody can.
    fn build(what: &str) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let library = dir.path().join("clock.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/faults/clock.c");
        let mut command = Command::new("cc");
        command.args(["-O1", "-shared", "-fPIC", "-o"]).arg(&library).arg(source).stderr(Stdio::null());
        if !command.status().is_ok_and(|status| status.success()) {
            skipped(&format!("{what}: install a C compiler (`cc`) to turn it on"));
            return None;
        }
        let offset = Self { dir, library };
        offset.set(0);
        Some(offset)
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("offset")
    }

    /// Lets the clock show so many seconds more than it is.
    fn set(&self, seconds: i64) {
        use std::os::unix::fs::FileExt;
        let open = std::fs::OpenOptions::new().create(true).truncate(false).write(true).open(self.file());
        open.unwrap().write_all_at(&(seconds * 1_000_000_000).to_ne_bytes(), 0).unwrap();
    }

    /// Starts the first server anew, with this clock.
    async fn give_to_the_first(&self, cluster: &mut Cluster) {
        let (library, file) = (self.library.display().to_string(), self.file().display().to_string());
        cluster.kill(0);
        cluster.run(0, &[("LD_PRELOAD", &library), ("FAULTS_CLOCK", &file)]).await;
    }
}

/// Jumps under load; gives what was found.
async fn jumping(mut cluster: Cluster, offset: &Offset, seed: u64, what: &str) {
    offset.give_to_the_first(&mut cluster).await;
    let world = World::new(&cluster.faces, &Arc::default(), seed);
    let moments = Entropy::seeded(seed + 1);
    let mut workload = Workload::begin(world.clone());
    let mut was = 0;
    for seconds in JUMPS {
        workload.feed();
        tokio::time::sleep(Duration::from_millis(500 + moments.below(STAY))).await;
        if was == AHEAD {
            // What was begun in that hour is due in it: taken back before it is
            // sent, it waits until then, and no verdict can wait so long. Nothing
            // is begun before the clock is back.
            workload.end().await;
            settle(&cluster, &world).await;
            offset.set(seconds);
            workload = Workload::begin(world.clone());
        } else {
            offset.set(seconds);
        }
        was = seconds;
        world.ledger.hear(cluster.told().await);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    workload.end().await;
    let found = judge(&cluster, &world, Grace { may_expire: true }).await;
    cluster.stop().await;
    dissect(open(cluster.store()).await, &world).await;
    say(Line { what: &format!("{} jumps of {what}", JUMPS.len()), world: &world, found: &found });
    assert!(found.approved > 0, "{found:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_the_clock_jumps_on_sled() {
    let Some(offset) = Offset::build("a clock that jumps on sled") else { return };
    jumping(Cluster::sled(81, &[]).await, &offset, 82, "the clock on sled").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_one_clock_of_three_jumps() {
    let Some(offset) = Offset::build("a clock that jumps beside others") else { return };
    let Some(database) = database("a clock that jumps beside others").await else { return };
    let cluster = Cluster::on(vec![database.url(); 3], 84, &[]).await;
    jumping(cluster, &offset, 85, "one clock of three on PostgreSQL").await;
}
