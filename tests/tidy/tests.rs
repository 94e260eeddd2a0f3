//! The checker, checked: small made-up sources, and what it says of them.

use crate::circles::circles;
use crate::imports::{Table, violations};
use crate::modules::Modules;
use std::path::Path;

/// The modules of made-up files: their paths below `src/`, and their texts.
fn modules(files: &[(&str, &str)]) -> Modules {
    Modules::read(|path| {
        let is_it = |(name, _): &&(&str, &str)| Path::new("src").join(name) == path;
        files.iter().find(is_it).map(|(_, text)| (*text).to_owned())
    })
}

/// The circles that they have, each by the members in its first line.
fn found(files: &[(&str, &str)]) -> Vec<String> {
    let said = circles(&modules(files)).into_iter().map(|circle| circle.violation());
    said.map(|v| v.what.split(':').next().unwrap().strip_prefix("a circle, ").unwrap().to_owned()).collect()
}

const NONE: [&str; 0] = [];

#[test]
fn a_tree_and_a_net_without_circles_have_none() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "use crate::b::B; use crate::c::{self, C}; fn f(_: B, _: C) { c::g() }"),
        ("b.rs", "use super::c::C; pub struct B(C);"),
        ("c.rs", "pub struct C; pub fn g() {}"),
    ];
    assert_eq!(found(&files), NONE);
}

#[test]
fn a_variant_is_not_what_has_its_name_elsewhere() {
    let files = |variant: &str| {
        [
            ("lib.rs", "mod p;".to_owned()),
            ("p/mod.rs", format!("mod a; pub use a::A; pub enum E {{ #[x] B, {variant} }}")),
            ("p/a.rs", "use super::E; pub struct A(E);".to_owned()),
        ]
    };
    let found = |variant: &str| {
        let files = files(variant);
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
        self::found(&files)
    };
    for variant in ["A", "A(u8)", "#[y] A { b: u8 }", "A = 1"] {
        assert_eq!(found(variant), NONE, "{variant}");
    }
    assert_eq!(found("C(A)"), ["p itself → a → p itself"]);
}

#[test]
fn two_that_name_each_other_are_a_circle_wherever_they_stand() {
    let both = |a: &str, b: &str| {
        let files = [("lib.rs", "mod p;"), ("p/mod.rs", "mod a; mod b;"), ("p/a.rs", a), ("p/b.rs", b)];
        found(&files)
    };
    let circle = ["a → b → a"];
    let (a, b) = ("pub struct A; use super::b::B;", "pub struct B; use crate::p::a::A;");
    assert_eq!(both(a, b), circle);
    assert_eq!(both(a, "pub struct B(super::a::A);"), circle, "a path in the code");
    assert_eq!(
        both(a, "pub struct B; use super::{a::{A as Other}};"),
        circle,
        "nested braces and another name"
    );
    assert_eq!(
        both(a, "pub struct B; use super::a; fn f(_: a::A) {}"),
        circle,
        "by way of the module's name"
    );
    assert_eq!(both(a, "pub struct B; use super::a::*; fn f(_: A) {}"), circle, "a glob");
    assert_eq!(both(a, "pub struct B; fn f() { use crate::p::a::A; }"), circle, "inside a function");
    assert_eq!(
        both(a, "pub struct B; mod inner { use super::super::a::A; }"),
        circle,
        "in a module of the file"
    );
    assert_eq!(both(a, "pub struct B; use super::a;"), NONE, "a module's name alone needs nothing of it");
    assert_eq!(both(a, "pub struct B; // super::a::A\nconst T: &str = \"super::a::A\";"), NONE, "words");
    assert_eq!(both(a, "pub struct B;\n#[cfg(test)]\nmod tests { use super::super::a::A; }"), NONE, "tests");
}

#[test]
fn three_in_a_ring_are_a_circle() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "pub struct A; use crate::b::B;"),
        ("b.rs", "pub struct B; use crate::c::C;"),
        ("c.rs", "pub struct C; use crate::a::A;"),
    ];
    assert_eq!(found(&files), ["a → b → c → a"]);
}

#[test]
fn a_re_export_hides_no_circle_and_makes_none() {
    let hidden = [
        ("lib.rs", "mod p;"),
        ("p/mod.rs", "mod a; mod b; pub use a::A; pub use self::b::B;"),
        ("p/a.rs", "use super::B; pub struct A;"),
        ("p/b.rs", "use crate::p::A; pub struct B;"),
    ];
    assert_eq!(found(&hidden), ["a → b → a"]);
    let handed_on = [
        ("lib.rs", "mod p;"),
        ("p/mod.rs", "mod a; mod mask; pub use a::A; pub use mask::mask;"),
        ("p/a.rs", "use crate::p::mask; pub struct A; fn f() { mask() }"),
        ("p/mask.rs", "pub fn mask() {}"),
    ];
    assert_eq!(found(&handed_on), NONE, "a module and a function of one name");
}

#[test]
fn a_child_and_what_its_folder_defines_are_a_circle_if_the_folder_uses_the_child() {
    let folder =
        |own: &str, child: &str| found(&[("lib.rs", "mod p;"), ("p.rs", own), ("p/child.rs", child)]);
    let child = "use super::Own; pub struct Child; pub fn run() {}";
    let circle = ["p itself → child → p itself"];
    assert_eq!(folder("mod child; pub struct Own; fn f() { child::run() }", child), circle);
    assert_eq!(folder("mod child; pub use child::Child; pub struct Own(Child);", child), circle);
    assert_eq!(
        folder("mod child; pub use child::Child; pub struct Own;", child),
        NONE,
        "it only hands it on"
    );
    assert_eq!(folder("mod child; use child::Child; pub struct Own(Child);", "pub struct Child;"), NONE);
}

#[test]
fn folders_are_one_with_all_that_is_below_them() {
    let files = [
        ("lib.rs", "mod a; mod b;"),
        ("a/mod.rs", "pub mod deep;"),
        ("a/deep.rs", "pub struct A; use crate::b::low::Low;"),
        ("b/mod.rs", "pub mod low; pub mod high;"),
        ("b/low.rs", "pub struct Low;"),
        ("b/high.rs", "use crate::a::deep::A;"),
    ];
    assert_eq!(found(&files), ["a → b → a"]);
}

#[test]
fn a_circle_is_told_with_its_places() {
    let files = [
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "pub struct A;\n\nuse crate::b::B;"),
        ("b.rs", "pub struct B;\nfn f(_: crate::a::A) {}"),
    ];
    let circle = circles(&modules(&files)).remove(0).violation();
    assert_eq!((circle.file.to_str().unwrap(), circle.line), ("src/a.rs", 3));
    let expected = "a circle, a → b → a: move what both need below both, or pass it in\n    \
                    a names `crate::b::B` at src/a.rs:3\n    b names `crate::a::A` at src/b.rs:2";
    assert_eq!(circle.what, expected);
}

#[test]
fn imports_are_held_to_the_tables() {
    const PARTS: Table<'static> = &[("a", &["b", "c::low"]), ("b", &[]), ("c", &[])];
    const CRATES: Table<'static> = &[("tokio", &["b"])];
    let told = |a: &str| {
        let files = [
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a/mod.rs", "mod own;"),
            ("a/own.rs", a),
            ("b/mod.rs", "pub mod low; pub use low::deep::Deep; pub struct B; use tokio::time;"),
            ("b/low.rs", "pub mod deep;"),
            ("b/low/deep.rs", "pub struct Deep;"),
            ("c/mod.rs", "pub mod low; pub struct C;"),
            ("c/low.rs", "pub struct Low;"),
        ];
        let said = violations(&modules(&files), PARTS, CRATES).into_iter();
        said.map(|v| format!("{} {}", v.line, v.what.split(':').next().unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(
        told("use crate::b::{B, Deep};\nuse crate::c::low::Low;\nuse std::fmt; fn f(_: fmt::Error) {}"),
        NONE
    );
    assert_eq!(told("\nfn f(_: crate::c::C) {}"), ["2 `a` must not know `c`"]);
    assert_eq!(told("use crate::{b::{B,\nlow::deep::Deep}};"), ["2 `b"], "deeper than the part shows");
    assert_eq!(told("use super::super::b::B;"), ["1 `super"], "out of the part by its back door");
    assert_eq!(told("use tokio::time;"), ["1 `a` must not know the crate `tokio`, which is for b"]);
    assert_eq!(told("fn f() { rand::random() }"), ["1 `rand` is no part and no crate of the table CRATES"]);
    let stranger = modules(&[("lib.rs", "mod d;"), ("d.rs", "")]);
    let said = violations(&stranger, PARTS, CRATES).remove(0).what;
    assert_eq!(said, "`d` has no line in the table MAY_IMPORT: say what it may import");
}
