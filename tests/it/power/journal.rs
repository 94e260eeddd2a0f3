//! The journal that `tests/power/interpose.c` writes, and how to have it
//! written.
//!
//! It refuses to know what a disk makes of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One thing that happened, in the order of the journal.
#[derive(Debug)]
pub enum Step {
    /// A process started.
    Begun,
    FileMade {
        path: String,
        inode: u64,
    },
    DirMade {
        path: String,
        inode: u64,
    },
    Renamed {
        from: String,
        to: String,
    },
    /// A file's name or an empty directory went.
    Gone(String),
    Linked {
        from: String,
        to: String,
    },
    Written {
        inode: u64,
        at: u64,
        data: Vec<u8>,
    },
    /// A file got this size.
    Cut {
        inode: u64,
        size: u64,
    },
    SyncBegun {
        inode: u64,
    },
    SyncEnded {
        inode: u64,
        kind: Sync,
    },
    /// Something that the process says to us.
    Mark(String),
}

/// How it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sync {
    /// `fsync`.
    All,
    /// `fdatasync`.
    Data,
}

/// When a process kills itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    Never,
    /// After so many steps, at least one.
    After(usize),
    AtMark,
}

/// Where one run is written down.
pub struct Recorder {
    library: PathBuf,
    /// What is watched.
    pub root: PathBuf,
    journal: PathBuf,
    /// What is written to files of this name and longer ones becomes a mark.
    pub mark: PathBuf,
}

impl Recorder {
    /// Builds the library; `None` where there is no compiler.
    pub fn new(dir: &Path) -> Option<Self> {
        let dir = dir.canonicalize().unwrap();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/power/interpose.c");
        let library = dir.join("interpose.so");
        let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
        let mut words = compiler.split_whitespace();
        let built = Command::new(words.next()?)
            .args(words)
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-o"])
            .arg(&library)
            .arg(source)
            .status();
        let built = built.ok()?;
        assert!(built.success(), "{compiler} does not build {source}");
        let root = dir.join("root");
        fs::create_dir(&root).unwrap();
        Some(Self { library, root, journal: dir.join("journal"), mark: dir.join("mark") })
    }

    /// The same command, watched; it kills itself when it is told.
    pub fn watch<'a>(&self, command: &'a mut Command, death: Death) -> &'a mut Command {
        let command = command
            .env("LD_PRELOAD", &self.library)
            .env("POWER_ROOT", &self.root)
            .env("POWER_JOURNAL", &self.journal)
            .env("POWER_MARK", &self.mark);
        match death {
            Death::Never => command,
            Death::After(steps) => command.env("POWER_DIE", steps.to_string()),
            Death::AtMark => command.env("POWER_DIE", "mark"),
        }
    }

    /// What was written down since it was last asked.
    pub fn take(&self) -> Vec<Step> {
        let bytes = fs::read(&self.journal).unwrap();
        fs::remove_file(&self.journal).unwrap();
        let mut rest = bytes.as_slice();
        let mut steps = Vec::new();
        while !rest.is_empty() {
            steps.push(step(&mut rest));
        }
        steps
    }
}

/// A line; its head is `struct line` in the C file.
fn step(rest: &mut &[u8]) -> Step {
    let u32 = |bytes: &[u8]| u32::from_ne_bytes(bytes.try_into().unwrap());
    let u64 = |bytes: &[u8]| u64::from_ne_bytes(bytes.try_into().unwrap());
    let head = take(rest, 32);
    let (op, name, data) = (u32(&head[..4]), u32(&head[4..8]), u32(&head[8..12]));
    let (inode, at) = (u64(&head[16..24]), u64(&head[24..]));
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let path = text(take(rest, name as usize));
    let data = take(rest, data as usize);
    match op {
        0 => Step::Begun,
        1 => Step::FileMade { path, inode },
        2 => Step::DirMade { path, inode },
        3 => Step::Renamed { from: path, to: text(data) },
        4 => Step::Gone(path),
        5 => Step::Linked { from: path, to: text(data) },
        6 => Step::Written { inode, at, data: data.to_vec() },
        7 => Step::Cut { inode, size: at },
        8 | 10 => Step::SyncBegun { inode },
        9 => Step::SyncEnded { inode, kind: Sync::All },
        11 => Step::SyncEnded { inode, kind: Sync::Data },
        12 => Step::Mark(text(data)),
        other => panic!("the journal has a line of kind {other}"),
    }
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (taken, left) = rest.split_at(length);
    *rest = left;
    taken
}
