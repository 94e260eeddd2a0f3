//! The rules of the house, checked by reading the source: who may import whom,
//! and what no file may hold. Each violation is printed with its place and
//! what to do about it.

mod circles;
mod docs;
mod foreign_words;
mod imports;
mod links;
mod modules;
mod sources;
mod tests;
mod tokens;

use modules::Modules;
use sources::{files, outside_quotes, root, sources, words};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The longest file, in lines.
const MOST_LINES: usize = 550;

/// Where a file broke a rule, and what to do.
pub(crate) struct Violation {
    file: PathBuf,
    line: usize,
    what: String,
}

/// The library's modules, read once for all the tests.
static MODULES: LazyLock<Modules> =
    LazyLock::new(|| Modules::read(|path| fs::read_to_string(root().join(path)).ok()));

#[test]
fn every_part_imports_only_what_it_may() {
    verdict(imports::violations(&MODULES, imports::MAY_IMPORT, imports::CRATES));
}

#[test]
fn the_table_of_crates_allows_nothing_that_no_part_does() {
    let idle = imports::unused(&MODULES, imports::CRATES);
    assert!(idle.is_empty(), "tests/tidy/imports.rs:\n{}", idle.join("\n"));
}

#[test]
fn every_dependency_has_a_line_in_the_table_of_crates() {
    let text = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = text.parse().unwrap();
    let mut there: Vec<String> =
        manifest["dependencies"].as_table().unwrap().keys().map(|name| name.replace('-', "_")).collect();
    there.sort();
    let listed: Vec<&str> = imports::CRATES.iter().map(|(name, _)| *name).collect();
    assert_eq!(listed, there, "tests/tidy/imports.rs: say which part may name it, in order");
}

#[test]
fn nothing_needs_what_needs_it() {
    verdict(circles::circles(&MODULES).iter().map(circles::Circle::violation).collect());
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
    const GIVEN_UP: [(&str, &str); 23] = [
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
        ("AppError", "the error of the folder: `Fault`, `AdmissionError`, `VerificationError`, …"),
        ("By", "the actor, as a parameter"),
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
    const MAKERS: [&str; 3] =
        ["src/model/account.rs", "src/twilio/signature.rs", "src/gateway/relay/callback.rs"];
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

/// A doc of one or two words says no more than the name below it.
#[test]
fn every_public_item_says_more_than_its_name() {
    let violations = sources("src").flat_map(|file| docs::violations(&file)).collect();
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
    const LOOKED_AT: [&str; 12] = [
        "src/entropy.rs",
        "src/texts/catalog.rs",
        "src/model/code.rs",
        "src/model/pseudonym.rs",
        "src/store/records.rs",
        "src/twilio/errors.rs",
        "src/twilio/form.rs",
        "src/twilio/mac.rs",
        "src/twilio/remedies.rs",
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
