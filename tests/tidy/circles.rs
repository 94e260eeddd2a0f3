//! No circles between the files of a folder, nor between folders.
//!
//! The members of a folder are its files, each with the folder of its name as one,
//! and the folder's own file (`mod.rs`, or `name.rs` beside the folder `name`).
//! A member needs another when its code names what the other defines, wherever a
//! re-export lets it be found; `impl` blocks for a type of another file count as
//! that. So a child needs its parent only for what the parent's file itself defines,
//! and a parent needs its child when its code uses it: to declare it (`mod`), or to
//! hand it on (`pub use`), is not to need it. Tests may need what they like.
//! What needs what has to be a tree or a net without circles, of any length.

use crate::Violation;
use crate::modules::{Modules, Name, Need};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;

/// A member of a folder: the path of a module, the folder's own for its own file.
type Member = Name;

/// What the members of one folder need of each other, with the first place that
/// says so.
type Folder = BTreeMap<Member, BTreeMap<Member, Place>>;

#[derive(Clone)]
struct Place {
    file: PathBuf,
    line: usize,
    /// What is named, as it is written.
    path: String,
}

/// A folder and a shortest way around in it.
pub struct Circle {
    folder: Name,
    around: Vec<(Member, Place)>,
}

impl Circle {
    pub fn violation(&self) -> Violation {
        let name = |member: &Member| match member.last() {
            Some(_) if *member == self.folder => format!("{} itself", member.join("::")),
            Some(last) => last.clone(),
            None => "the crate itself".to_owned(),
        };
        let names: Vec<String> =
            self.around.iter().chain(self.around.first()).map(|(member, _)| name(member)).collect();
        let mut what =
            format!("a circle, {}: move what both need below both, or pass it in", names.join(" → "));
        for (member, place) in &self.around {
            what += &format!(
                "\n    {} names `{}` at {}:{}",
                name(member),
                place.path,
                place.file.display(),
                place.line
            );
        }
        let Place { file, line, .. } = self.around[0].1.clone();
        Violation { file, line, what }
    }
}

/// One circle for each knot of members that need each other.
pub fn circles(modules: &Modules) -> Vec<Circle> {
    let mut folders: BTreeMap<Name, Folder> = BTreeMap::new();
    for (name, module) in modules.all() {
        for need in modules.needs(name, module) {
            note(modules, name, need, &mut folders);
        }
    }
    let mut circles = Vec::new();
    for (name, folder) in folders {
        circles.extend(around(&folder).into_iter().map(|around| Circle { folder: name.clone(), around }));
    }
    circles
}

/// Notes a need in the folder where the ways to both part.
fn note(modules: &Modules, name: &Name, need: Need, folders: &mut BTreeMap<Name, Folder>) {
    // A module alone is a way to what it holds, and nothing is needed of it yet.
    if need.target.item.is_none() {
        return;
    }
    let (from, to) = (modules.file_module(name), modules.file_module(&need.target.module));
    if from == to {
        return;
    }
    let shared = from.iter().zip(to).take_while(|(one, other)| one == other).count();
    let member = |of: &Name| of[..of.len().min(shared + 1)].to_vec();
    let place = Place { file: modules.file(from).to_owned(), line: need.line, path: need.path };
    let folder = folders.entry(from[..shared].to_vec()).or_default();
    folder.entry(member(from)).or_default().entry(member(to)).or_insert(place);
}

/// A shortest way around through each knot.
fn around(folder: &Folder) -> Vec<Vec<(Member, Place)>> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for member in folder.keys() {
        if !seen.contains(member)
            && let Some(way) = way_back(folder, member)
        {
            seen.extend(knot(folder, member));
            found.push(way);
        }
    }
    found
}

/// The shortest way from a member to itself.
fn way_back(folder: &Folder, start: &Member) -> Option<Vec<(Member, Place)>> {
    let mut waiting = VecDeque::from([vec![start]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = waiting.pop_front() {
        for next in folder.get(way[way.len() - 1]).into_iter().flat_map(BTreeMap::keys) {
            if next == start {
                let ends = way.iter().skip(1).copied().chain([start]);
                let steps = way.iter().zip(ends);
                return Some(steps.map(|(from, to)| ((*from).clone(), folder[*from][to].clone())).collect());
            }
            if seen.insert(next) {
                waiting.push_back(way.iter().copied().chain([next]).collect());
            }
        }
    }
    None
}

/// What can be reached from a member, and reaches it.
fn knot(folder: &Folder, start: &Member) -> BTreeSet<Member> {
    let reach = |start: &Member| {
        let mut seen = BTreeSet::new();
        let mut waiting = vec![start.clone()];
        while let Some(member) = waiting.pop() {
            for next in folder.get(&member).into_iter().flat_map(BTreeMap::keys) {
                if seen.insert(next.clone()) {
                    waiting.push(next.clone());
                }
            }
        }
        seen
    };
    reach(start).into_iter().filter(|member| reach(member).contains(start)).collect()
}
