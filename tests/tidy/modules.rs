//! The modules of a crate as its source says: what each defines, what it imports,
//! what it names, and where a name leads, through imports, re-exports and globs. It
//! knows none of the rules.

use crate::tokens::{Is, Token, tokens};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The path of a module below the crate: `["model", "phone"]`; empty for the crate.
pub type Name = Vec<String>;

/// How far a re-export of a re-export is followed.
const MOST_HOPS: usize = 16;

/// The modules by their paths.
pub struct Modules(BTreeMap<Name, Module>);

#[derive(Default)]
pub struct Module {
    /// The file it stands in.
    pub file: PathBuf,
    /// The module that the file begins with; another one for `mod a { … }`.
    pub file_module: Name,
    /// What is defined here.
    items: Vec<String>,
    pub imports: Vec<Import>,
    /// Every path and name in the code, outside of imports, once.
    pub mentions: Vec<Mention>,
}

/// One name that a `use` brings.
pub struct Import {
    pub line: usize,
    /// As it is written, `self` at the end left out.
    pub path: Name,
    /// What it is called here; nothing for a glob.
    name: Option<String>,
    /// With `pub`, however far.
    is_shown: bool,
}

/// A path, or a single name, in the code.
pub struct Mention {
    pub line: usize,
    pub path: Name,
}

/// Where a path leads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// The module that defines what is named, or that is named itself.
    pub module: Name,
    /// What is named in it; nothing for the module itself.
    pub item: Option<String>,
    /// The modules that the path goes through as it is written, without
    /// re-exports.
    pub through: Vec<Name>,
}

impl Modules {
    /// Reads the modules from `src/lib.rs` on; files are got by their paths.
    pub fn read(file: impl Fn(&Path) -> Option<String>) -> Self {
        let mut modules = Self(BTreeMap::new());
        let root = PathBuf::from("src/lib.rs");
        let mut waiting = vec![(Name::new(), root.clone())];
        while let Some((name, path)) = waiting.pop() {
            let Some(text) = file(&path) else { continue };
            let found = Reader::read(name.clone(), &path, &tokens(&text));
            for child in found.children {
                let below: PathBuf = std::iter::once("src").chain(child.iter().map(String::as_str)).collect();
                let flat = below.with_extension("rs");
                let place = if file(&flat).is_some() { flat } else { below.join("mod.rs") };
                waiting.push((child, place));
            }
            modules.0.extend(found.modules);
        }
        modules
    }

    pub fn all(&self) -> impl Iterator<Item = (&Name, &Module)> {
        self.0.iter()
    }

    pub fn file(&self, name: &Name) -> &Path {
        &self.0[name].file
    }

    /// The module that the file of a module begins with.
    pub fn file_module(&self, name: &Name) -> &Name {
        &self.0[name].file_module
    }

    /// Where a path in a module leads; nothing where it leads out of the crate, or
    /// is a name of the function around it.
    pub fn resolve(&self, from: &Name, path: &[String]) -> Option<Target> {
        self.follow(from, path, MOST_HOPS)
    }

    fn follow(&self, from: &Name, path: &[String], hops: usize) -> Option<Target> {
        let hops = hops.checked_sub(1)?;
        let (mut module, mut rest) = match path.first()?.as_str() {
            "crate" => (Name::new(), &path[1..]),
            "self" => (from.clone(), &path[1..]),
            "super" => {
                let up = path.iter().take_while(|segment| *segment == "super").count();
                (from[..from.len().checked_sub(up)?].to_vec(), &path[up..])
            }
            first => {
                let known = self.member(from, first, hops)?;
                return self.further(known, path, hops);
            }
        };
        let mut through = vec![module.clone()];
        while let Some((first, behind)) = rest.split_first() {
            let child = child(&module, first);
            let is_module =
                self.0.contains_key(&child) && !(behind.is_empty() && self.shadows(&module, first, hops));
            if !is_module {
                let found = self.member(&module, first, hops);
                // What a macro makes stands in the module that calls it.
                let found =
                    found.unwrap_or(Target { module, item: Some(first.clone()), through: Vec::new() });
                let mut target = self.further(found, rest, hops)?;
                through.append(&mut target.through);
                return Some(Target { through, ..target });
            }
            through.push(child.clone());
            module = child;
            rest = behind;
        }
        Some(Target { module, item: None, through })
    }

    /// From what the first segment of a path means to what the whole means.
    fn further(&self, known: Target, path: &[String], hops: usize) -> Option<Target> {
        if known.item.is_some() || path.len() == 1 {
            return Some(known);
        }
        let whole: Name =
            std::iter::once("crate".to_owned()).chain(known.module).chain(path[1..].to_vec()).collect();
        self.follow(&Name::new(), &whole, hops)
    }

    /// What a name means in a module.
    fn member(&self, of: &Name, name: &str, hops: usize) -> Option<Target> {
        let module = self.0.get(of)?;
        if module.items.iter().any(|item| item == name) {
            return Some(Target { module: of.clone(), item: Some(name.to_owned()), through: Vec::new() });
        }
        let bound = self.bound(module, of, name, hops);
        if let Some(target) = bound.as_ref().filter(|target| target.item.is_some()) {
            return Some(target.clone());
        }
        let child = child(of, name);
        if self.0.contains_key(&child) {
            return Some(Target { module: child.clone(), item: None, through: vec![child] });
        }
        if bound.is_some() || module.imports.iter().any(|import| import.name.as_deref() == Some(name)) {
            return bound;
        }
        module.imports.iter().filter(|import| import.name.is_none()).find_map(|import| {
            let all = self.follow(of, &import.path, hops)?;
            let hops = hops.checked_sub(1)?;
            let inside = if all.item.is_none() { self.member(&all.module, name, hops) } else { None };
            inside.map(|target| Target { through: Vec::new(), ..target })
        })
    }

    /// What a name means by an import of a module.
    fn bound(&self, module: &Module, of: &Name, name: &str, hops: usize) -> Option<Target> {
        // `use a;` is the module `a` of here, or a crate: not itself again.
        let is_it = |import: &&Import| import.name.as_deref() == Some(name) && import.path != [name];
        let mut imports = module.imports.iter().filter(is_it);
        let target = imports.find_map(|import| self.follow(of, &import.path, hops))?;
        Some(Target { through: Vec::new(), ..target })
    }

    /// Whether a module's name is also that of something else there, which a path means
    /// that ends with it: `mask::mask` handed on as `mask`.
    fn shadows(&self, of: &Name, name: &str, hops: usize) -> bool {
        self.member(of, name, hops).is_some_and(|target| target.item.is_some())
    }

    /// What a module needs of others: each path and import with what it leads to,
    /// without what it only hands on from below itself.
    pub fn needs<'m>(&'m self, name: &'m Name, module: &'m Module) -> impl Iterator<Item = Need> + 'm {
        let imported = module.imports.iter().filter_map(move |import| {
            let target = self.resolve(name, &import.path)?;
            let hands_on = import.is_shown && target.module.starts_with(name);
            (!hands_on).then(|| Need { line: import.line, path: import.path.join("::"), target })
        });
        let mentioned = module.mentions.iter().filter_map(move |mention| {
            let target = self.resolve(name, &mention.path)?;
            Some(Need { line: mention.line, path: mention.path.join("::"), target })
        });
        imported.chain(mentioned)
    }

    /// The names of crates that a module's paths begin with, with their lines; also
    /// names that are neither a crate's nor anything else that is known.
    pub fn foreign<'m>(
        &'m self,
        name: &'m Name,
        module: &'m Module,
    ) -> impl Iterator<Item = (usize, &'m str)> {
        let imported = module.imports.iter().map(|import| (import.line, &import.path));
        let mentioned = module.mentions.iter().filter(|mention| mention.path.len() > 1);
        let mentioned = mentioned.map(|mention| (mention.line, &mention.path));
        imported.chain(mentioned).filter_map(|(line, path)| {
            let first = path.first()?.as_str();
            let is_ours = ["crate", "self", "super"].contains(&first) || self.resolve(name, path).is_some();
            // `use std::fmt;` makes `fmt::Display` no crate's.
            let is_bound = |import: &Import| import.name.as_deref() == Some(first) && import.path[0] != first;
            let is_bound = path.len() > 1 && module.imports.iter().any(is_bound);
            let is_known = is_ours || is_bound || BUILT_IN.contains(&first);
            (first.starts_with(char::is_lowercase) && !is_known).then_some((line, first))
        })
    }
}

/// What a path may begin with that is neither a module's name nor a dependency's: the
/// standard library, the compiler's tools, and types.
const BUILT_IN: [&str; 22] = [
    "std", "core", "alloc", "clippy", "rustfmt", "rustdoc", "bool", "char", "str", "u8", "u16", "u32", "u64",
    "u128", "usize", "i8", "i16", "i32", "i64", "i128", "f32", "f64",
];

/// One thing that a module needs.
pub struct Need {
    pub line: usize,
    /// As it is written.
    pub path: String,
    pub target: Target,
}

fn child(of: &Name, name: &str) -> Name {
    of.iter().map(String::as_str).chain([name]).map(str::to_owned).collect()
}

/// Reads one file.
struct Reader {
    modules: BTreeMap<Name, Module>,
    /// The modules that are files of their own.
    children: Vec<Name>,
    file: PathBuf,
    file_module: Name,
}

impl Reader {
    fn read(name: Name, file: &Path, tokens: &[Token]) -> Self {
        let mut reader = Self {
            modules: BTreeMap::new(),
            children: Vec::new(),
            file: file.to_owned(),
            file_module: name.clone(),
        };
        reader.module(name, tokens);
        reader
    }

    /// Reads the tokens of one module.
    fn module(&mut self, name: Name, tokens: &[Token]) {
        let mut module =
            Module { file: self.file.clone(), file_module: self.file_module.clone(), ..Module::default() };
        let mut depth = 0;
        let mut is_shown = false;
        let mut is_enum = false;
        let mut at = 0;
        while at < tokens.len() {
            let rest = &tokens[at..];
            let length = match rest[0].word() {
                Some("pub") => {
                    is_shown = true;
                    at += visibility(rest);
                    continue;
                }
                // Not `impl use<'_>`, which is a bound.
                Some("use") if !rest.get(1).is_some_and(|next| next.is('<')) => {
                    let end = rest.iter().position(|token| token.is(';')).unwrap_or(rest.len());
                    imports(&rest[1..end], &Name::new(), is_shown, &mut module.imports);
                    end
                }
                Some("mod") if depth == 0 => self.inner(&name, rest),
                Some(word) if depth == 0 && defines(word) => {
                    is_enum = word == "enum";
                    let defined = rest[1..].iter().find(|token| !token.is('!')).and_then(Token::word);
                    module.items.extend(defined.filter(|word| !defines(word)).map(str::to_owned));
                    1
                }
                Some(_) if is_enum && depth == 1 && begins_variant(&tokens[at - 1]) => 1,
                Some(_) => mention(tokens, at, &mut module.mentions),
                None => 1,
            };
            is_shown = false;
            depth += if length == 1 { rest[0].depth() } else { 0 };
            at += length;
        }
        // Where a path stands first is enough.
        let mut seen = BTreeSet::new();
        module.mentions.retain(|mention| seen.insert(mention.path.clone()));
        self.modules.insert(name, module);
    }

    /// Reads `mod a;` or `mod a { … }`, and says how long it is.
    fn inner(&mut self, of: &Name, rest: &[Token]) -> usize {
        let Some(name) = rest.get(1).and_then(Token::word) else { return 1 };
        if !rest.get(2).is_some_and(|token| token.is('{')) {
            self.children.push(child(of, name));
            return 2;
        }
        let end = 2 + closing(&rest[2..]);
        self.module(child(of, name), &rest[3..end]);
        end + 1
    }
}

/// The keywords before a name that is defined, `macro_rules!` among them.
fn defines(word: &str) -> bool {
    ["const", "enum", "fn", "macro_rules", "static", "struct", "trait", "type", "union"].contains(&word)
}

/// Whether what stands behind it between the braces of an enum is a variant's name: it
/// is behind the first brace, a comma or an attribute.
fn begins_variant(before: &Token) -> bool {
    ['{', ',', ']'].into_iter().any(|sign| before.is(sign))
}

/// The length of `pub`, `pub(crate)`, `pub(in a::b)`.
fn visibility(rest: &[Token]) -> usize {
    let is_limited = rest.get(1).is_some_and(|token| token.is('('))
        && rest.get(2).and_then(Token::word).is_some_and(|word| {
            ["crate", "self", "super", "in"].contains(&word)
                && rest.get(3).is_some_and(|t| t.is != Is::Colons)
        });
    if is_limited { 2 + closing(&rest[1..]) } else { 1 }
}

/// Where the group ends that begins with the first token.
fn closing(rest: &[Token]) -> usize {
    let mut depth = 0;
    let is_end = |token: &Token| {
        depth += token.depth();
        depth == 0
    };
    rest.iter().position(is_end).unwrap_or(rest.len())
}

/// Reads the tree of a `use`.
fn imports(rest: &[Token], before: &Name, is_shown: bool, into: &mut Vec<Import>) {
    let mut path = before.clone();
    let mut at = 0;
    while let Some(token) = rest.get(at) {
        match &token.is {
            Is::Word(word) if word == "as" => break,
            Is::Word(word) if word == "self" && !path.is_empty() => {}
            Is::Word(word) => path.push(word.clone()),
            Is::Sign('*') => {
                into.push(Import { line: token.line, path, name: None, is_shown });
                return;
            }
            Is::Sign('{') => {
                let inside = &rest[at + 1..at + closing(&rest[at..])];
                for branch in branches(inside) {
                    imports(branch, &path, is_shown, into);
                }
                return;
            }
            _ => {}
        }
        at += 1;
    }
    let Some(token) = rest.first() else { return };
    let renamed = rest.get(at + 1).and_then(Token::word).map(str::to_owned);
    let name = renamed.or_else(|| path.last().cloned());
    into.push(Import { line: token.line, path, name, is_shown });
}

/// What stands between the commas of a group.
fn branches(inside: &[Token]) -> Vec<&[Token]> {
    let mut depth = 0;
    let is_comma = |token: &Token| {
        depth += token.depth();
        depth == 0 && token.is(',')
    };
    inside.split(is_comma).filter(|branch| !branch.is_empty()).collect()
}

/// Reads the path that begins at a word, and says how long it is.
fn mention(tokens: &[Token], at: usize, into: &mut Vec<Mention>) -> usize {
    let is_inside =
        at > 0 && (tokens[at - 1].is == Is::Colons || tokens[at - 1].is('.') || tokens[at - 1].is('$'));
    let mut path: Name = tokens[at].word().map(str::to_owned).into_iter().collect();
    let mut length = 1;
    while let [colons, next, ..] = &tokens[at + length..]
        && colons.is == Is::Colons
        && let Some(word) = next.word()
    {
        path.push(word.to_owned());
        length += 2;
    }
    // `name: value` of a struct, `let name`: a thing of the function's own.
    let is_field = path.len() == 1 && tokens.get(at + length).is_some_and(|token| token.is(':'));
    let is_own = at > 0 && matches!(tokens[at - 1].word(), Some("let" | "mut" | "ref"));
    if !(is_inside || is_field || is_own) {
        into.push(Mention { line: tokens[at].line, path });
    }
    length
}
