//! A disk: what of a journal's steps is durable, and what else may be there
//! after the power was cut.
//!
//! A sync of a file makes its content durable that was written before the sync
//! began, and a sync of a directory the names in it. Of everything else any part
//! may be there: each block of a file as it was at one moment since the last
//! sync, in no order, its size as it was at another, and of the changes of names
//! any. That a file's sync keeps its name, or that names keep their order, as
//! on ext4, is not assumed. A rename is one change: the new name is never empty.
//!
//! It refuses to know stores.

use super::journal::{Step, Sync};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Numbers that can be repeated (splitmix64).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// One of `0..end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// True so many times in a hundred.
    pub fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }
}

/// What a disk only pretends to do, to see that it is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// It is honest.
    None,
    /// `fdatasync` does what `sync_file_range` does.
    Datasync,
    /// Syncs of directories do nothing.
    Names,
}

/// How much of what was not synced is there after a cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Survival {
    Nothing,
    Everything,
    /// Each file and directory by a rule of its own.
    Mixed,
}

#[derive(Clone)]
pub struct Disk {
    root: PathBuf,
    top: usize,
    lie: Lie,
    objects: Vec<Object>,
    by_inode: HashMap<u64, usize>,
}

#[derive(Clone)]
struct Object {
    content: Content,
    /// How many changes have become durable.
    settled: u64,
    /// Up to which change the syncs under way reach.
    syncing: VecDeque<u64>,
}

#[derive(Clone)]
enum Content {
    File { durable: Vec<u8>, pending: Vec<Change> },
    Dir { live: Names, durable: Names, pending: Vec<NameChange> },
}

type Names = BTreeMap<String, usize>;

#[derive(Clone)]
enum Change {
    Write { at: usize, data: Vec<u8> },
    Size(usize),
}

#[derive(Clone)]
enum NameChange {
    Set(String, usize),
    Remove(String),
    Move { from: String, to: String, object: usize },
}

impl Disk {
    /// What is in a directory, all of it durable.
    pub fn of(root: &Path) -> Self {
        let (objects, by_inode) = (Vec::new(), HashMap::new());
        let mut disk = Self { root: root.to_owned(), top: 0, lie: Lie::None, objects, by_inode };
        disk.top = disk.read(root);
        disk
    }

    /// The same, with that lie.
    pub fn telling(self, lie: Lie) -> Self {
        Self { lie, ..self }
    }

    fn read(&mut self, path: &Path) -> usize {
        let meta = fs::symlink_metadata(path).unwrap();
        if meta.is_file() {
            let durable = fs::read(path).unwrap();
            return self.add(meta.ino(), Content::File { durable, pending: Vec::new() });
        }
        let mut names = Names::new();
        for entry in fs::read_dir(path).unwrap() {
            let entry = entry.unwrap();
            let object = self.read(&entry.path());
            names.insert(entry.file_name().into_string().unwrap(), object);
        }
        self.add(meta.ino(), Content::Dir { live: names.clone(), durable: names, pending: Vec::new() })
    }

    fn add(&mut self, inode: u64, content: Content) -> usize {
        self.objects.push(Object { content, settled: 0, syncing: VecDeque::new() });
        self.by_inode.insert(inode, self.objects.len() - 1);
        self.objects.len() - 1
    }

    /// Does what was done.
    pub fn apply(&mut self, step: &Step) {
        match step {
            Step::Begun => self.objects.iter_mut().for_each(|object| object.syncing.clear()),
            Step::Mark(_) => {}
            Step::FileMade { path, inode } => {
                let file = self.add(*inode, Content::File { durable: Vec::new(), pending: Vec::new() });
                self.name(path, |name| NameChange::Set(name, file));
            }
            Step::DirMade { path, inode } => {
                let (live, durable) = (Names::new(), Names::new());
                let dir = self.add(*inode, Content::Dir { live, durable, pending: Vec::new() });
                self.name(path, |name| NameChange::Set(name, dir));
            }
            Step::Renamed { from, to } => {
                let (object, from, to) = (self.find(from), Path::new(from), Path::new(to));
                assert_eq!(from.parent(), to.parent(), "a rename across directories is not modelled");
                let from = from.file_name().unwrap().to_str().unwrap().to_owned();
                self.name(to.to_str().unwrap(), |to| NameChange::Move { from, to, object });
            }
            Step::Linked { from, to } => {
                let object = self.find(from);
                self.name(to, |name| NameChange::Set(name, object));
            }
            Step::Gone(path) => self.name(path, NameChange::Remove),
            Step::Written { inode, at, data } => {
                self.change(*inode, Change::Write { at: *at as usize, data: data.clone() });
            }
            Step::Cut { inode, size } => self.change(*inode, Change::Size(*size as usize)),
            Step::SyncBegun { inode } => {
                if let Some(&object) = self.by_inode.get(inode) {
                    self.objects[object].begin_sync();
                }
            }
            Step::SyncEnded { inode, kind } => {
                if let Some(&object) = self.by_inode.get(inode) {
                    let keeps = !self.objects[object].is_lied_about(self.lie, *kind);
                    self.objects[object].end_sync(keeps);
                }
            }
        }
    }

    fn change(&mut self, inode: u64, change: Change) {
        match &mut self.objects[self.by_inode[&inode]].content {
            Content::File { pending, .. } => pending.push(change),
            Content::Dir { .. } => panic!("a directory was written"),
        }
    }

    fn name(&mut self, path: &str, change: impl FnOnce(String) -> NameChange) {
        let path = Path::new(path);
        let dir = self.find(path.parent().unwrap().to_str().unwrap());
        let change = change(path.file_name().unwrap().to_str().unwrap().to_owned());
        match &mut self.objects[dir].content {
            Content::Dir { live, pending, .. } => {
                change.apply(live);
                pending.push(change);
            }
            Content::File { .. } => panic!("{} is a file", path.display()),
        }
    }

    /// What has a path now.
    fn find(&self, path: &str) -> usize {
        let below = Path::new(path).strip_prefix(&self.root).unwrap();
        below.iter().fold(self.top, |dir, name| match &self.objects[dir].content {
            Content::Dir { live, .. } => live[name.to_str().unwrap()],
            Content::File { .. } => panic!("{path} goes through a file"),
        })
    }

    /// Writes into an empty directory what the disk may have after a cut now.
    pub fn cut(&self, into: &Path, survival: Survival, random: &mut Random) {
        self.write(self.top, into, survival, random);
    }

    fn write(&self, object: usize, into: &Path, survival: Survival, random: &mut Random) {
        match &self.objects[object].content {
            Content::File { durable, pending } => {
                fs::write(into, file_after(durable, pending, survival, random)).unwrap();
            }
            Content::Dir { durable, pending, .. } => {
                fs::create_dir_all(into).unwrap();
                let mut names = durable.clone();
                let chance = [0, 50, 100][random.below(3)];
                for change in pending {
                    if survival.keeps(chance, random) {
                        change.apply(&mut names);
                    }
                }
                for (name, object) in names {
                    self.write(object, &into.join(name), survival, random);
                }
            }
        }
    }
}

impl Object {
    fn pending(&self) -> usize {
        match &self.content {
            Content::File { pending, .. } => pending.len(),
            Content::Dir { pending, .. } => pending.len(),
        }
    }

    fn is_lied_about(&self, lie: Lie, kind: Sync) -> bool {
        match lie {
            Lie::None => false,
            Lie::Datasync => kind == Sync::Data,
            Lie::Names => matches!(self.content, Content::Dir { .. }),
        }
    }

    fn begin_sync(&mut self) {
        self.syncing.push_back(self.settled + self.pending() as u64);
    }

    /// Of two syncs under way the one that reaches less is taken to end first.
    fn end_sync(&mut self, keeps: bool) {
        let reached = self.syncing.pop_front().expect("a sync that ends has begun");
        let count = reached.saturating_sub(self.settled) as usize;
        if !keeps || count == 0 {
            return;
        }
        self.settled += count as u64;
        match &mut self.content {
            Content::File { durable, pending } => {
                pending.drain(..count).for_each(|change| change.apply(durable));
            }
            Content::Dir { durable, pending, .. } => {
                pending.drain(..count).for_each(|change| change.apply(durable));
            }
        }
    }
}

impl Survival {
    fn keeps(self, chance: usize, random: &mut Random) -> bool {
        match self {
            Self::Nothing => false,
            Self::Everything => true,
            Self::Mixed => random.percent(chance),
        }
    }
}

impl NameChange {
    fn apply(&self, names: &mut Names) {
        match self {
            Self::Set(name, object) => drop(names.insert(name.clone(), *object)),
            Self::Remove(name) => drop(names.remove(name)),
            Self::Move { from, to, object } => {
                if names.get(from) == Some(object) {
                    names.remove(from);
                }
                names.insert(to.clone(), *object);
            }
        }
    }
}

impl Change {
    fn apply(&self, file: &mut Vec<u8>) {
        file.resize(self.size_after(file.len()), 0);
        if let Self::Write { at, data } = self {
            file[*at..*at + data.len()].copy_from_slice(data);
        }
    }

    fn size_after(&self, before: usize) -> usize {
        match self {
            Self::Write { at, data } => before.max(at + data.len()),
            Self::Size(size) => *size,
        }
    }

    /// Does to the bytes from `start` to `end` what it does to the whole.
    fn apply_within(&self, file: &mut [u8], start: usize, end: usize) {
        match self {
            Self::Write { at, data } => {
                let (from, to) = (start.max(*at), end.min(at + data.len()));
                if from < to {
                    file[from..to].copy_from_slice(&data[from - at..to - at]);
                }
            }
            Self::Size(size) => file[start.max(*size).min(end)..end].fill(0),
        }
    }
}

/// How far the changes of one file have come, block by block.
enum Rule {
    /// All blocks to the same change.
    UpTo(usize),
    /// Each block by itself: wholly with this chance, else to any change.
    Pieces(usize),
    /// Each change wholly or not, with all before it in the same block.
    Changes(Vec<bool>),
    /// All but the last change, and pieces of that.
    TornEnd,
}

impl Rule {
    fn of(count: usize, survival: Survival, random: &mut Random) -> Self {
        match (survival, random.below(6)) {
            (Survival::Nothing, _) => Self::UpTo(0),
            (Survival::Everything, _) => Self::UpTo(count),
            (Survival::Mixed, 0) => Self::UpTo(random.below(count + 1)),
            (Survival::Mixed, 1) => Self::TornEnd,
            // The end without the beginning.
            (Survival::Mixed, 2) => Self::Changes((0..count).map(|nth| nth >= count / 2).collect()),
            (Survival::Mixed, 3) => Self::Changes((0..count).map(|_| random.percent(50)).collect()),
            (Survival::Mixed, _) => Self::Pieces([10, 50, 90, 99][random.below(4)]),
        }
    }

    /// Up to which of all changes a block has come that these have touched.
    fn reach(&self, touched: &[usize], count: usize, random: &mut Random) -> usize {
        match self {
            Self::UpTo(reach) => *reach,
            Self::Pieces(chance) if random.percent(*chance) => count,
            Self::Pieces(_) => random.below(count + 1),
            Self::Changes(kept) => touched.iter().rev().find(|nth| kept[**nth]).map_or(0, |nth| nth + 1),
            Self::TornEnd => count - random.below(2),
        }
    }
}

fn file_after(durable: &[u8], pending: &[Change], survival: Survival, random: &mut Random) -> Vec<u8> {
    let count = pending.len();
    let mut file = durable.to_vec();
    if count == 0 {
        return file;
    }
    let rule = Rule::of(count, survival, random);
    let block = [512, 4096][random.below(2)];
    let mut sizes = vec![durable.len()];
    for change in pending {
        sizes.push(change.size_after(sizes[sizes.len() - 1]));
    }
    let sized = match rule {
        Rule::UpTo(reach) => reach,
        _ => [0, random.below(count + 1), count, count][random.below(4)],
    };
    // What was cut off and has become room again holds nothing of before.
    let least = (0..sized).rev().find(|nth| sizes[nth + 1] < sizes[*nth]).map_or(0, |nth| nth + 1);
    let longest = sizes.iter().copied().max().unwrap_or(0);
    file.resize(longest, 0);
    let mut touched: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (nth, change) in pending.iter().enumerate() {
        let (start, end) = match change {
            Change::Write { at, data } => (*at, at + data.len()),
            Change::Size(size) => (*size, longest),
        };
        for number in start / block..end.div_ceil(block) {
            touched.entry(number).or_default().push(nth);
        }
    }
    for (number, changes) in touched {
        let reach = rule.reach(&changes, count, random).max(least);
        let (start, end) = (number * block, ((number + 1) * block).min(longest));
        for nth in changes.into_iter().take_while(|nth| *nth < reach) {
            pending[nth].apply_within(&mut file, start, end);
        }
    }
    file.truncate(sizes[sized]);
    file
}
