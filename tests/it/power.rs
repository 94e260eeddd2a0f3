//! The power is cut while a store is made, written, opened and opened again:
//! whatever was acknowledged is there afterwards, and nothing is half there.
//!
//! A process of ours writes with `tests/power/interpose.c` loaded, which keeps a
//! journal of all that it does to files (`journal.rs`). From the journal a disk
//! is built as it may be after a cut at any place (`disk.rs`), and the store in it
//! opened and compared with what was acknowledged before that place (`work.rs`).
//! In rounds: each begins with what a cut of the one before has left.
//!
//! `DIALBACK_TEST_CUTS` says how many cuts, `DIALBACK_TEST_SEED` which.

mod disk;
mod journal;
mod work;

use crate::instance::{binary, skipped};
use crate::lengths::length;
use disk::{Disk, Lie, Random, Survival};
use journal::{Death, Recorder, Step};
use std::env;
use std::fs;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use work::{Job, Promised};

/// How many cuts of an honest disk, and how many at most of one that lies.
const CUTS: u64 = 32;
const CUTS_OF_A_LIAR: usize = 40;

/// How many of one round.
const CUTS_A_ROUND: usize = 16;

/// How many rounds until a new store is made.
const ROUNDS_A_STORE: usize = 2;

/// How many commits each writer does between two starts.
const COMMITS: [u64; 3] = [5, 150, 30];

/// Every other round compacts the store while it writes, so often.
const COMPACT_EVERY: u64 = 20;

/// How long a process may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many steps after its start a process may still be opening the store.
const OPENING: usize = 60;

const JOB: &str = "DIALBACK_TEST_POWER_JOB";
const ROOT: &str = "DIALBACK_TEST_POWER_ROOT";
const MARK: &str = "DIALBACK_TEST_POWER_MARK";

#[test]
fn nothing_acknowledged_is_lost_to_a_power_cut() {
    // This very test, started by itself, is the process whose power is cut.
    if let Ok(job) = env::var(JOB) {
        return be_cut(&job);
    }
    let Some(mut world) = World::new() else { return };
    let began = Instant::now();
    let cuts = length("DIALBACK_TEST_CUTS", CUTS) as usize;
    let (mut done, mut steps, mut copies, mut lost) = (0, 0, 0, Vec::new());
    for round in 0.. {
        let run = world.run(round);
        if round == 0 {
            for lie in [Lie::Datasync, Lie::Names] {
                // What is cut is drawn: of the cuts of one try in 250 all miss what was lied about.
                let is_lost = (0..8).any(|_| world.is_lost_by(lie, &run));
                assert!(is_lost, "nothing is lost by {lie:?}, seed {}", world.seed);
            }
        }
        let count = CUTS_A_ROUND.min(cuts - done);
        lost.extend(world.cuts(&run, count));
        (done, steps, copies) = (done + count, steps + run.steps.len(), copies + run.copies());
        if done == cuts {
            break;
        }
    }
    let (lost_count, took, seed) = (lost.len(), began.elapsed().as_secs_f64(), world.seed);
    let wide = format!("{steps} steps with {copies} compactions");
    say(&format!("power: {done} cuts, {lost_count} lost, in {wide}; {took:.0} s, seed {seed}"));
    assert!(lost.is_empty(), "{}", lost.join("\n"));
}

#[test]
fn a_store_whose_making_was_cut_is_made_again() {
    let Some(mut world) = World::new() else { return };
    let mut lost = Vec::new();
    for death in [Death::AtMark, Death::After(1 + world.random.below(OPENING))] {
        let root = &world.recorder.root;
        fs::remove_dir_all(root).unwrap();
        fs::create_dir(root).unwrap();
        let before = Disk::of(root);
        world.start(1, 0, death);
        world.start(1, 0, Death::AtMark);
        let run = Run { before, promised: Promised::new(), steps: world.recorder.take() };
        let made = run.steps.iter().position(|step| matches!(step, Step::Mark(_))).unwrap();
        let mut cutter = Cutter::new(&run, Lie::None);
        for place in 0..=made {
            cutter.advance(&run, place);
            for survival in [Survival::Nothing, Survival::Everything, Survival::Mixed] {
                let image = image_dir();
                cutter.disk.cut(image.path(), survival, &mut world.random);
                let left = files(image.path()).join(", ");
                if let Err(error) = world.runtime.block_on(work::verify(image.path(), &Promised::new())) {
                    lost.push(format!("cut at {place} of {made} ({survival:?}): {error}; there were {left}"));
                }
            }
        }
        say(&format!("power: {} cuts of a store being made, {} lost", 3 * (made + 1), lost.len()));
    }
    assert!(lost.is_empty(), "seed {}:\n{}", world.seed, lost.join("\n"));
}

#[test]
fn the_key_of_codes_outlives_a_power_cut() {
    let Some(mut world) = World::new() else { return };
    // To its end, and again killed where the file has just got its name.
    let (whole, key) = world.serve(&[Death::AtMark]);
    outlives(&mut world.random, &whole, &key);
    let is_named = |step: &Step| matches!(step, Step::Linked { to, .. } if to.ends_with("local.json"));
    let named = whole.steps.iter().position(is_named).expect("local.json gets its name");
    let (killed, key) = world.serve(&[Death::After(named + 1), Death::AtMark]);
    outlives(&mut world.random, &killed, &key);
}

/// Whether what a server has used since it was ready is there after a cut.
fn outlives(random: &mut Random, run: &Run, key: &[u8]) {
    let mut is_left = |survival, lie| {
        let mut cutter = Cutter::new(run, lie);
        cutter.advance(run, run.steps.len());
        let image = image_dir();
        cutter.disk.cut(image.path(), survival, random);
        fs::read(work::store_dir(image.path()).join("local.json")).is_ok_and(|left| left == key)
    };
    assert!(is_left(Survival::Everything, Lie::Names), "it is not what the server has used");
    assert!(!is_left(Survival::Nothing, Lie::Names), "nothing is lost by a disk that lies");
    assert!(is_left(Survival::Nothing, Lie::None), "the key is lost");
    assert!((0..CUTS_A_ROUND).all(|_| is_left(Survival::Mixed, Lie::None)), "the key is lost");
}

/// What happened between two cuts.
struct Run {
    before: Disk,
    /// What had been acknowledged before.
    promised: Promised,
    steps: Vec<Step>,
}

impl Run {
    /// How often the store's files were replaced.
    fn copies(&self) -> usize {
        let replaced = |step: &&Step| matches!(step, Step::Renamed { to, .. } if to.ends_with("/current"));
        self.steps.iter().filter(replaced).count()
    }

    /// Where to cut: anywhere, but often where something becomes durable, gets
    /// a name or is acknowledged, and while the store is being opened.
    fn places(&self, count: usize, random: &mut Random) -> Vec<usize> {
        let all: Vec<usize> = (0..=self.steps.len()).collect();
        let after = |wanted: fn(&Step) -> bool| -> Vec<usize> {
            let found = self.steps.iter().enumerate().filter(|(_, step)| wanted(step));
            found.map(|(place, _)| place + 1).collect()
        };
        let begun = after(|step| matches!(step, Step::Begun));
        let opening =
            begun.iter().flat_map(|begun| (*begun..begun + OPENING).take_while(|at| *at < all.len()));
        let syncs = after(|step| matches!(step, Step::SyncBegun { .. } | Step::SyncEnded { .. }));
        let kinds = [
            opening.collect(),
            syncs.iter().flat_map(|place| [place - 1, *place]).collect(),
            after(|step| {
                matches!(
                    step,
                    Step::FileMade { .. }
                        | Step::DirMade { .. }
                        | Step::Linked { .. }
                        | Step::Renamed { .. }
                        | Step::Gone(_)
                )
            }),
            after(|step| matches!(step, Step::Mark(_))),
            all,
        ];
        let mut places: Vec<usize> = (0..count)
            .map(|nth| &kinds[nth % kinds.len()])
            .map(|kind| kind.get(random.below(kind.len().max(1))).copied().unwrap_or(self.steps.len()))
            .collect();
        places.sort_unstable();
        places
    }
}

/// Where it all is.
struct World {
    recorder: Recorder,
    runtime: tokio::runtime::Runtime,
    random: Random,
    seed: u64,
    /// What the next round begins with, and what is promised of it.
    base: TempDir,
    promised: Promised,
    dir: TempDir,
}

impl World {
    fn new() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let Some(recorder) = Recorder::new(dir.path()) else {
            skipped("power cuts: install a C compiler, or name it with CC");
            return None;
        };
        let seed = env::var("DIALBACK_TEST_SEED").map_or_else(|_| fresh_seed(), |text| text.parse().unwrap());
        Some(Self {
            recorder,
            runtime: tokio::runtime::Runtime::new().unwrap(),
            random: Random(seed),
            seed,
            base: image_dir(),
            promised: Promised::new(),
            dir,
        })
    }

    /// Starts the process a few times over what the last round left, and most
    /// times kills it: a kill leaves the disk what was written, unsynced.
    fn run(&mut self, round: usize) -> Run {
        if round.is_multiple_of(ROUNDS_A_STORE) {
            self.base = image_dir();
            self.promised.clear();
        }
        let root = &self.recorder.root;
        fs::remove_dir_all(root).unwrap();
        copy(self.base.path(), root);
        let before = Disk::of(root);
        let compact = if round % 2 == 1 { COMPACT_EVERY } else { 0 };
        for commits in COMMITS {
            let death = match self.random.below(4) {
                0 => Death::After(1 + self.random.below(80)),
                1 | 2 => Death::After(1 + self.random.below(3000)),
                _ => Death::Never,
            };
            self.start(commits, compact, death);
        }
        Run { before, promised: self.promised.clone(), steps: self.recorder.take() }
    }

    /// Starts the process once and waits for its end.
    fn start(&self, commits: u64, compact: u64, death: Death) {
        let mut command = Command::new(env::current_exe().unwrap());
        command
            .args(["power::nothing_acknowledged_is_lost_to_a_power_cut", "--exact", "--nocapture"])
            .env(JOB, format!("{commits} {compact}"))
            .env(ROOT, &self.recorder.root)
            .env(MARK, &self.recorder.mark);
        end(self.recorder.watch(&mut command, death), death != Death::Never);
    }

    /// Starts the server over an empty directory, as often as it is to die, the
    /// last time when it is ready; what it did, and its secrets' file.
    fn serve(&mut self, deaths: &[Death]) -> (Run, Vec<u8>) {
        let root = &self.recorder.root;
        fs::remove_dir_all(root).unwrap();
        fs::create_dir(root).unwrap();
        let before = Disk::of(root);
        let store = work::store_dir(root);
        for death in deaths {
            let mut command = binary(self.dir.path());
            command
                .env("DIALBACK_STORE__URL", format!("sled:{}", store.display()))
                .env("DIALBACK_SERVER__LISTEN", "127.0.0.1:0")
                .env("DIALBACK_SANDBOX__LISTEN", "127.0.0.1:0")
                .args(["serve", "--ready-file"])
                .arg(&self.recorder.mark);
            end(self.recorder.watch(&mut command, *death), true);
        }
        let run = Run { before, promised: Promised::new(), steps: self.recorder.take() };
        (run, fs::read(store.join("local.json")).unwrap())
    }

    /// Cuts at some places of a run and says what was lost. One of the places is
    /// where the next round begins.
    fn cuts(&mut self, run: &Run, count: usize) -> Vec<String> {
        let places = run.places(count, &mut self.random);
        let chosen = self.random.below(count);
        let mut cutter = Cutter::new(run, Lie::None);
        let mut lost = Vec::new();
        for (nth, place) in places.into_iter().enumerate() {
            cutter.advance(run, place);
            let survival = survival(&mut self.random);
            let image = image_dir();
            cutter.disk.cut(image.path(), survival, &mut self.random);
            let left = files(image.path()).join(", ");
            if nth == chosen {
                self.base = image_dir();
                copy(image.path(), self.base.path());
                self.promised = cutter.promised.clone();
            }
            if let Err(error) = self.runtime.block_on(work::verify(image.path(), &cutter.promised)) {
                let steps = run.steps.len();
                lost.push(format!("cut at {place} of {steps} ({survival:?}): {error}; there were {left}"));
            }
        }
        lost
    }

    /// Whether anything is lost by a disk that lies.
    fn is_lost_by(&mut self, lie: Lie, run: &Run) -> bool {
        let mut cutter = Cutter::new(run, lie);
        run.places(CUTS_OF_A_LIAR, &mut self.random).into_iter().any(|place| {
            cutter.advance(run, place);
            let image = image_dir();
            cutter.disk.cut(image.path(), Survival::Mixed, &mut self.random);
            self.runtime.block_on(work::verify(image.path(), &cutter.promised)).is_err()
        })
    }
}

/// A disk on the way through a run.
struct Cutter {
    disk: Disk,
    promised: Promised,
    at: usize,
}

impl Cutter {
    fn new(run: &Run, lie: Lie) -> Self {
        Self { disk: run.before.clone().telling(lie), promised: run.promised.clone(), at: 0 }
    }

    fn advance(&mut self, run: &Run, to: usize) {
        for step in &run.steps[self.at..to] {
            self.disk.apply(step);
            if let Step::Mark(text) = step {
                work::learn(&mut self.promised, text);
            }
        }
        self.at = to;
    }
}

fn survival(random: &mut Random) -> Survival {
    match random.below(6) {
        0 => Survival::Nothing,
        1 => Survival::Everything,
        _ => Survival::Mixed,
    }
}

/// The process: what [`World::run`] told it.
fn be_cut(job: &str) {
    let (commits, compact) = job.split_once(' ').unwrap();
    let compact_every = Some(compact.parse().unwrap()).filter(|every| *every > 0);
    let job = Job { commits: commits.parse().unwrap(), compact_every };
    let path = |name| PathBuf::from(env::var_os(name).unwrap());
    tokio::runtime::Runtime::new().unwrap().block_on(work::work(&path(ROOT), &path(MARK), job));
}

/// Waits until it has ended, well or by the kill that it was told.
fn end(command: &mut Command, may_die: bool) {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let deadline = Instant::now() + PATIENCE;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let ended = child.wait_with_output().unwrap();
    let died = may_die && ended.status.signal() == Some(9);
    assert!(
        Instant::now() < deadline && (ended.status.success() || died),
        "{}: {}",
        ended.status,
        String::from_utf8_lossy(&ended.stderr)
    );
}

/// In memory where there is a place for it: nobody pulls its plug.
fn image_dir() -> TempDir {
    let memory = Path::new("/dev/shm");
    let builder = tempfile::Builder::new();
    if memory.is_dir() { builder.tempdir_in(memory) } else { builder.tempdir() }.unwrap()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Names and sizes.
fn files(dir: &Path) -> Vec<String> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            all.extend(files(&entry.path()));
        } else {
            let size = entry.metadata().unwrap().len();
            all.push(format!("{} ({size} bytes)", entry.file_name().display()));
        }
    }
    all
}

fn fresh_seed() -> u64 {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).unwrap();
    u32::from_le_bytes(bytes).into()
}

/// Past the harness, which keeps what passing tests print to itself.
fn say(what: &str) {
    let _ = writeln!(std::io::stderr(), "{what}");
}
