//! Tests of reading, signing and sending `.http` files.

use super::send::Answer;
use super::*;
use crate::twilio::url::PublicUrl;
use std::collections::BTreeMap;
use std::fs;

fn signer() -> Signer {
    let public_url = PublicUrl::parse("https://h").unwrap();
    Signer { public_url, token: Some(Secret::new("12345")), values: BTreeMap::new() }
}

#[test]
fn a_directory_stands_for_its_files_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    write("b.http", "POST /b\n");
    write("a.http", "### one\nPOST /a1\n\n### two\nPOST /a2\n");
    write("README.md", "not for us");
    let single = dir.path().join("b.http");
    let loaded = load(&[dir.path().to_owned(), single], &signer()).unwrap();
    let paths: Vec<&str> = loaded.iter().map(|one| &*one.prepared.path_and_query).collect();
    assert_eq!(paths, ["/a1", "/a2", "/b", "/b"]);
    assert!(loaded[1].place.ends_with("a.http:5"), "{}", loaded[1].place);
    assert_eq!(loaded[1].title, "two");
    let empty = tempfile::tempdir().unwrap();
    assert!(load(&[empty.path().to_owned()], &signer()).is_err());
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.http");
    let cases: [(&[u8], &str); 3] = [
        (b"{\"json\": true}", "x.http:1: expected a request"),
        (b"\n\nPOST /\xff", "x.http:3: expected an .http file"),
        (b"# c\nPOST /{{who}}", "x.http:2: {{who}} has no value"),
    ];
    for (bytes, expected) in cases {
        fs::write(&path, bytes).unwrap();
        let error = format!("{:#}", load(std::slice::from_ref(&path), &signer()).unwrap_err());
        assert!(error.contains(expected), "{error}");
    }
    let missing = format!("{:#}", load(&[dir.path().join("no.http")], &signer()).unwrap_err());
    assert!(missing.contains("no.http"), "{missing}");
}

#[test]
fn the_summary_lists_what_was_not_as_expected() {
    let prepared = Prepared {
        method: "POST".into(),
        path_and_query: "/".into(),
        headers: vec![],
        body: String::new(),
        expect: Some(204),
    };
    let requests = [Loaded { place: "a.http:3".into(), title: "Sent".into(), prepared }];
    let totals = Totals {
        answers: BTreeMap::from([(Answer::Status(204), 27), (Answer::Status(403), 3)]),
        mismatches: BTreeMap::from([((0, Answer::Status(403)), 3)]),
        times: vec![Duration::from_micros(1500)],
    };
    assert_eq!(
        summary(&requests, &totals),
        "204 × 27, 403 × 3\na.http:3: expected 204, got 403 × 3 (Sent)\np50 1.5 ms, p99 1.5 ms\n"
    );
}

#[test]
fn a_value_is_a_name_and_what_it_stands_for() {
    assert_eq!(pair("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
    assert!(pair("a").is_err() && pair("=b").is_err());
}
