//! The rules of the house, checked by reading the source: who may import whom,
//! and what no file may hold. Each violation is printed with its place and
//! what to do about it.

#[path = "tidy/foreign_words.rs"]
mod foreign_words;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// Which parts of the crate a part may name, besides itself. A part is a
/// module right under `src/`; `model::id` lets in that module only.
///
/// This is the table of `ARCHITECTURE.md`; change both together, with a reason.
const MAY_IMPORT: [(&str, &[&str]); 18] = [
    // The pure core.
    ("model", &["secret"]),
    ("twilio", &["model", "secret"]),
    // What messages say; Twilio's part is how they are counted.
    ("texts", &["model", "twilio", "secret"]),
    // The ports and what stands behind them.
    ("store", &["model", "telemetry"]),
    // The console gateway makes names, for which it needs randomness.
    ("gateway", &["model", "twilio", "texts", "secret", "entropy", "telemetry", "trust"]),
    ("app", &["model", "store", "gateway", "clock", "entropy", "secret", "telemetry"]),
    ("jobs", &["app", "model", "store", "clock", "telemetry"]),
    // The faces. `server::Incoming` says where a request came from.
    ("http", &["app", "twilio", "texts", "model", "secret", "server", "telemetry"]),
    ("sandbox", &["twilio", "model::id", "server", "clock", "entropy", "secret", "trust"]),
    // The leaves.
    ("clock", &[]),
    ("entropy", &[]),
    ("secret", &[]),
    ("server", &[]),
    ("telemetry", &[]),
    ("trust", &[]),
    // Putting it together.
    // Services are checked by the model's own rules, as in the API.
    ("config", &["secret", "model"]),
    ("cli", &["*"]),
    ("main", &["*"]),
];

/// The longest file, in lines.
const MOST_LINES: usize = 700;

/// Where a file broke a rule, and what to do.
struct Violation {
    file: PathBuf,
    line: usize,
    what: String,
}

#[test]
fn every_part_imports_only_what_it_may() {
    let mut violations = Vec::new();
    for file in sources("src") {
        let part = part_of(&file);
        if part == "lib" {
            continue;
        }
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == part) else {
            violations.push(file.at(1, format!("`{part}` has no line in the table: say what it may import")));
            continue;
        };
        for (line, path) in file.crate_paths() {
            let is_own = path.split("::").next() == Some(part.as_str());
            let is_allowed = |allowed: &&str| {
                *allowed == "*" || path == **allowed || path.starts_with(&format!("{allowed}::"))
            };
            if !is_own && !allowed.iter().any(is_allowed) {
                let to_do =
                    format!("`{part}` must not know `{path}`: turn the dependency round, or pass it in");
                violations.push(file.at(line, to_do));
            }
        }
    }
    verdict(violations);
}

#[test]
fn what_a_part_must_not_know_is_not_named_in_it() {
    /// Foreign crates that belong to one part only.
    const FOREIGN: [(&str, &[&str]); 6] = [
        ("sled", &["store", "cli"]),
        // The configuration parses URLs with reqwest's type, and sends nothing.
        ("reqwest", &["gateway", "cli", "sandbox", "config"]),
        ("warp", &["http", "sandbox", "server", "cli"]),
        ("hyper", &["server", "sandbox"]),
        ("quick_xml", &["twilio", "sandbox"]),
        ("tokio", &["store", "gateway", "app", "jobs", "http", "sandbox", "server", "clock", "cli", "main"]),
    ];
    let mut violations = Vec::new();
    for file in sources("src") {
        let part = part_of(&file);
        for (line, text) in file.code() {
            for (name, parts) in FOREIGN {
                let is_named = words(text, name)
                    .any(|at| text[at + name.len()..].starts_with("::") && !text[..at].ends_with("::"));
                if is_named && !parts.contains(&part.as_str()) {
                    violations.push(file.at(line, format!("`{part}` must not know the crate `{name}`")));
                }
            }
        }
    }
    verdict(violations);
}

/// Of the faces of keys, only the way in may reach what is everybody's: it knows
/// who asks, and hands on the service as they may use it.
#[test]
fn handlers_of_keys_get_the_service_as_the_key_sees_it_and_nothing_else() {
    const FACES: [&str; 2] = ["src/http/api", "src/http/verify_v2"];
    const WAYS_IN: [&str; 4] = ["gate.rs", "repeats.rs", "auth.rs", "resource.rs"];
    let mut violations = Vec::new();
    for file in FACES.into_iter().flat_map(sources) {
        if WAYS_IN.iter().any(|name| file.path.ends_with(name)) {
            continue;
        }
        for (line, text) in file.code() {
            let is_import = text.trim_start().starts_with("use ") && text.contains("http::context::");
            if is_import && words(text, "Context").next().is_some() {
                violations.push(file.at(line, "take `CallContext`: it holds what the caller may see".into()));
            }
        }
    }
    verdict(violations);
}

/// One word for one thing: what was renamed does not come back under the old name.
#[test]
fn no_name_that_was_given_up_is_used_again() {
    /// A type's old name, and what it is called now.
    const GIVEN_UP: [(&str, &str); 22] = [
        ("Act", "Action"),
        ("Brand", "Service"),
        ("Brands", "ServiceDirectory"),
        ("Contact", "SessionWindow"),
        ("Count", "WindowCount"),
        ("Desk", "InFlight"),
        ("Errand", "OutboxStep"),
        ("News", "EventBody"),
        ("NoTopic", "NoSuchEventType"),
        ("Notice", "Event"),
        ("Order", "SendRequest"),
        ("Rung", "the try of a retry schedule"),
        ("Ladder", "the retry schedule, or the cooldown"),
        ("ServiceError", "AppError"),
        ("Tally", "Counter"),
        ("Tide", "Watermarks"),
        ("Tongue", "LocaleHints"),
        ("Topic", "EventType"),
        ("Visit", "PageRequest"),
        ("Wish", "EventFilter"),
        ("Worker", "Runner, or Job"),
        ("WorkerLimits", "jobs::Settings"),
    ];
    let mut violations = Vec::new();
    for file in sources("src") {
        for (line, text) in file.code() {
            let text = outside_quotes(text);
            for (old, new) in GIVEN_UP {
                if words(&text, old).next().is_some() {
                    violations.push(file.at(line, format!("`{old}` was given up: say `{new}`")));
                }
            }
        }
    }
    verdict(violations);
}

#[test]
fn only_a_verified_signature_makes_a_proof() {
    const MAKERS: [&str; 2] = ["src/model/account.rs", "src/twilio/signature.rs"];
    let mut violations = Vec::new();
    for file in sources("src").filter(|file| MAKERS.iter().all(|maker| file.path != Path::new(maker))) {
        for (line, text) in file.code() {
            if text.contains("Proof::new(") {
                let what = "a proof is what a verified signature gives: take it from `verify`".into();
                violations.push(file.at(line, what));
            }
        }
    }
    verdict(violations);
}

#[test]
fn every_file_says_what_it_is_and_is_short_enough_to_be_read() {
    let mut violations = Vec::new();
    for file in sources("src").chain(sources("tests")).chain(sources("benches")) {
        if !file.text.starts_with("//!") && file.path != Path::new("src/main.rs") {
            violations.push(file.at(1, "begin with `//!`: what it is, and what it refuses to know".into()));
        }
        let lines = file.text.lines().count();
        if lines > MOST_LINES {
            violations.push(file.at(lines, format!("{lines} lines, {MOST_LINES} at most: split it")));
        }
    }
    verdict(violations);
}

#[test]
fn no_file_holds_what_must_not_stay() {
    // In pieces, so that this file does not find itself.
    let everywhere: [(String, &str); 8] = [
        (["todo", "!("].concat(), "write it"),
        (["unimplemented", "!("].concat(), "write it"),
        (["dbg", "!("].concat(), "take it out"),
        (["#[", "ignore"].concat(), "mend the test or take it out: an ignored one tells nothing"),
        (["allow(", "dead_code"].concat(), "take out what nobody uses"),
        (["TO", "DO"].concat(), "do it, or leave it to the tracker"),
        (["FIX", "ME"].concat(), "mend it, or leave it to the tracker"),
        (["/ho", "me/"].concat(), "no path of one person's machine belongs here"),
    ];
    let mut violations = Vec::new();
    for file in sources("src").chain(sources("tests")).chain(sources("benches")) {
        for (at, text) in file.text.lines().enumerate() {
            for (needle, to_do) in &everywhere {
                if text.contains(needle.as_str()) {
                    violations.push(file.at(at + 1, format!("`{needle}`: {to_do}")));
                }
            }
        }
    }
    verdict(violations);
}

#[test]
fn commands_print_by_the_one_writer_that_bears_a_closed_pipe() {
    let mut violations = Vec::new();
    for file in sources("src") {
        for (line, text) in file.code() {
            for name in ["print", "println", "eprint", "eprintln"] {
                if words(text, name).any(|at| text[at + name.len()..].starts_with('!')) {
                    let to_do = format!("`{name}!` panics in a closed pipe: use `cli::out`'s macros");
                    violations.push(file.at(line, to_do));
                }
            }
        }
    }
    verdict(violations);
}

#[test]
fn nothing_outside_tests_panics_without_saying_why_it_cannot() {
    /// Where `expect` stands with an invariant that was looked at.
    const LOOKED_AT: [&str; 10] = [
        "src/entropy.rs",
        "src/texts/catalog.rs",
        "src/model/code.rs",
        "src/store/records.rs",
        "src/twilio/errors.rs",
        "src/twilio/form.rs",
        "src/twilio/mac.rs",
        "src/twilio/segments.rs",
        "src/twilio/twiml/write.rs",
        "src/twilio/words.rs",
    ];
    let mut violations = Vec::new();
    for file in sources("src") {
        let is_looked_at = LOOKED_AT.iter().any(|path| file.path == Path::new(path));
        for (line, text) in file.code() {
            if text.contains(".expect(") && !is_looked_at {
                let to_do = "`.expect(`: return an error; or say why it cannot fail, and list the file here";
                violations.push(file.at(line, to_do.into()));
            }
            if text.contains(".unwrap()") {
                violations
                    .push(file.at(line, "`.unwrap()`: return an error, or `expect` the invariant".into()));
            }
            if text.contains("panic!(") || text.contains("unreachable!(") {
                violations.push(file.at(line, "do not panic: return an error".into()));
            }
        }
    }
    verdict(violations);
}

#[test]
fn every_fixture_is_used() {
    let mut texts = String::new();
    for file in sources("src").chain(sources("tests")).chain(sources("benches")) {
        texts.push_str(&file.text);
    }
    let mut violations = Vec::new();
    for path in files("fixtures") {
        // By its own name, without what is put behind it, or by its folder
        // where that is read whole.
        let name = path.file_name().unwrap().to_str().unwrap();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let folder = path.parent().unwrap().to_str().unwrap();
        let is_used = texts.contains(name)
            || texts.contains(&format!("\"{stem}\""))
            || folder != "fixtures"
                && [format!("{folder}\""), format!("{folder}/{{")].iter().any(|whole| texts.contains(whole));
        if !is_used {
            let what = "no test or source file names it: use it or take it out".into();
            violations.push(Violation { file: path, line: 1, what });
        }
    }
    verdict(violations);
}

/// A step is run by its name in CI and by the recipe of that name at home, so that
/// neither does what the other does not.
#[test]
fn every_step_of_ci_has_its_recipe_and_no_recipe_a_command_of_its_own() {
    let ci = fs::read_to_string(root().join(".ci/run")).unwrap();
    let steps = ci.lines().find_map(|line| line.strip_prefix("steps=(")?.strip_suffix(')')).unwrap();
    let mut wanted: Vec<String> = steps.split(' ').map(|step| format!("{step}: .ci/run {step}")).collect();
    wanted.insert(0, "all: .ci/run".to_owned());
    let text = fs::read_to_string(root().join("justfile")).unwrap();
    let mut recipes: Vec<String> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with(['#', '_']) && !line.trim().is_empty()) {
        match recipes.last_mut() {
            Some(recipe) if line.starts_with(' ') => *recipe = format!("{recipe} {}", line.trim()),
            _ => recipes.push(line.to_owned()),
        }
    }
    // The list of recipes, which just itself makes.
    recipes.retain(|recipe| !recipe.contains("@just"));
    assert_eq!(recipes, wanted);
}

/// Prints every violation, and fails if there is one.
fn verdict(violations: Vec<Violation>) {
    let mut said = String::new();
    for Violation { file, line, what } in &violations {
        let _ = writeln!(said, "{}:{line}: {what}", file.display());
    }
    assert!(violations.is_empty(), "{} violations:\n{said}", violations.len());
}

/// A source file.
struct Source {
    /// Relative to the root.
    path: PathBuf,
    text: String,
}

impl Source {
    fn at(&self, line: usize, what: String) -> Violation {
        Violation { file: self.path.clone(), line, what }
    }

    /// Lines with their numbers, up to the tests, without comments.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let is_tests =
            self.path.ends_with("tests.rs") || self.path.components().any(|c| c.as_os_str() == "tests");
        let lines: Vec<&str> = if is_tests { Vec::new() } else { self.text.lines().collect() };
        // Tests come last in a file: what is behind `mod tests {` is theirs.
        let end = lines.windows(2).position(|two| two[0].trim() == "#[cfg(test)]" && two[1].ends_with('{'));
        let end = end.unwrap_or(lines.len());
        lines.into_iter().take(end).enumerate().filter_map(|(at, line)| {
            let code = &line[..comment(line)];
            (!code.trim().is_empty()).then_some((at + 1, code))
        })
    }

    /// Every path into our own crate: `crate::a::b` as `a::b`, one for each
    /// name of a group, and what `super::` leads to where it leaves the part.
    fn crate_paths(&self) -> Vec<(usize, String)> {
        // Statements may go over several lines; a group's names count alone.
        let mut paths = Vec::new();
        let code: Vec<(usize, &str)> = self.code().collect();
        for (nth, (line, text)) in code.iter().enumerate() {
            for at in words(text, "crate") {
                let rest = &text[at + "crate".len()..];
                if let Some(rest) = rest.strip_prefix("::") {
                    let more: String = code[nth + 1..].iter().take(30).map(|(_, text)| text.trim()).collect();
                    paths.extend(heads(&format!("{rest}{more}")).into_iter().map(|path| (*line, path)));
                }
            }
            if let Some(path) = self.above(text) {
                paths.push((*line, path));
            }
        }
        paths
    }

    /// Where a chain of `super::` leads, when it leads out of the file's part.
    fn above(&self, text: &str) -> Option<String> {
        let at = words(text, "super").next()?;
        let mut rest = &text[at..];
        let mut up = 0;
        while let Some(further) = rest.strip_prefix("super::") {
            rest = further;
            up += 1;
        }
        // `src/a/b.rs` is two deep, and so is `src/a/b/mod.rs`.
        let deep = self.path.components().count() - 1 - usize::from(self.path.ends_with("mod.rs"));
        (up >= deep && up > 0).then(|| heads(rest).concat())
    }
}

/// Where a line's comment begins: at the first two slashes that are not an address's.
fn comment(line: &str) -> usize {
    let mut slashes = line.match_indices("//").map(|(at, _)| at);
    slashes.find(|at| !line[..*at].ends_with(':')).unwrap_or(line.len())
}

/// The first two segments of a path, or of each path of a group.
fn heads(rest: &str) -> Vec<String> {
    if let Some(group) = rest.strip_prefix('{') {
        let mut depth = 0;
        let mut names = vec![String::new()];
        for c in group.chars() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => names.push(String::new()),
                _ if depth == 0 => names.last_mut().unwrap().push(c),
                _ => {}
            }
        }
        return names.iter().flat_map(|name| heads(name.trim())).filter(|name| !name.is_empty()).collect();
    }
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let first: String = rest.chars().take_while(|c| is_part(*c)).collect();
    let behind = rest[first.len()..].strip_prefix("::").unwrap_or_default();
    let second: String = behind.chars().take_while(|c| is_part(*c)).collect();
    if behind.starts_with('{') {
        return heads(behind).into_iter().map(|name| format!("{first}::{name}")).collect();
    }
    vec![if second.is_empty() { first } else { format!("{first}::{second}") }]
}

/// A line of code without what stands in quotes.
fn outside_quotes(line: &str) -> String {
    line.split('"').step_by(2).collect::<Vec<_>>().join("\"\"")
}

/// Where a word begins in a text, as a whole word.
fn words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |at| !text[..*at].ends_with(is_part) && !text[at + word.len()..].starts_with(is_part))
}

/// The module right under `src/` that a file belongs to.
fn part_of(file: &Source) -> String {
    let second = file.path.iter().nth(1).unwrap().to_str().unwrap();
    second.strip_suffix(".rs").unwrap_or(second).to_owned()
}

fn sources(folder: &str) -> impl Iterator<Item = Source> {
    files(folder).into_iter().filter(|path| path.extension().is_some_and(|end| end == "rs")).map(|path| {
        let text = fs::read_to_string(root().join(&path)).unwrap();
        Source { path, text }
    })
}

/// Every file below a folder, relative to the root, in order.
fn files(folder: &str) -> Vec<PathBuf> {
    let mut waiting = vec![PathBuf::from(folder)];
    let mut found: BTreeMap<PathBuf, ()> = BTreeMap::new();
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(root().join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                waiting.push(path);
            } else {
                found.insert(path, ());
            }
        }
    }
    assert!(!found.is_empty(), "there is nothing in {folder}");
    found.into_keys().collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_reader_of_paths_reads_them() {
    let source = |path: &str, text: &str| Source { path: path.into(), text: text.into() };
    let paths = |path, text| {
        source(path, text)
            .crate_paths()
            .into_iter()
            .map(|(line, path)| format!("{line} {path}"))
            .collect::<Vec<_>>()
    };
    let text = "use crate::store::{self, Change};\nuse crate::{\n    clock::Clock,\n    model::id,\n};\n// crate::cli\nlet x = crate::http::run();\nuse super::super::config::Config;\nuse super::own;\n#[cfg(test)]\nmod tests {\n    use crate::cli;\n}\n";
    let expected = [
        "1 store::self",
        "1 store::Change",
        "2 clock::Clock",
        "2 model::id",
        "7 http::run",
        "8 config::Config",
    ];
    assert_eq!(paths("src/app/start.rs", text), expected);
    assert_eq!(paths("src/app/mod.rs", "use super::config::Config;"), ["1 config::Config"]);
    assert_eq!(paths("src/clock.rs", "use super::config::Config;"), ["1 config::Config"]);
    assert_eq!(paths("src/twilio/words/tests.rs", text), Vec::<String>::new());
}
