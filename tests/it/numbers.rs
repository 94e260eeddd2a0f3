//! How numbers are read, against libphonenumber itself: `fixtures/field` has
//! 7,262 writings with what its release 9.0.43 reads.

use dialback::model::phone::{NumberPolicy, PhoneNumber};
use dialback::model::region;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// A default region (`-` for none), a writing, what it is, and more.
const EXAMPLES: &str = include_str!("../../fixtures/field/phone-examples.tsv");

struct Row {
    region: Option<String>,
    writing: &'static str,
    number: &'static str,
}

fn rows() -> Vec<Row> {
    let row = |line: &'static str| {
        let columns: Vec<&str> = line.split('\t').collect();
        let region = Some(columns[0].to_owned()).filter(|region| region != "-");
        Row { region, writing: columns[1], number: columns[2] }
    };
    EXAMPLES.lines().filter(|line| !line.starts_with('#')).map(row).collect()
}

/// Whatever is a number is taken: kinds are no matter of reading.
fn read(text: &str, region: Option<&str>) -> String {
    let policy = NumberPolicy {
        default_region: region.map(str::to_owned),
        refuse: BTreeSet::new(),
        ..NumberPolicy::default()
    };
    match PhoneNumber::parse(text, &policy) {
        Ok(number) => number.in_full().to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn every_example_is_read_as_the_reference_reads_it() {
    let rows = rows();
    let wrong: Vec<String> = rows
        .iter()
        .map(|row| (row, read(row.writing, row.region.as_deref())))
        .filter(|(row, read)| read != row.number)
        .map(|(row, read)| format!("{:?} {}: {read}, not {}", row.region, row.writing, row.number))
        .collect();
    assert_eq!(rows.len(), 7262);
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[test]
fn no_region_changes_a_number_with_a_plus() {
    let numbers: BTreeSet<&str> = rows().iter().map(|row| row.number).collect();
    let regions = region::all();
    assert!(numbers.len() > 500 && regions.len() > 240);
    for region in regions {
        let policy = NumberPolicy {
            default_region: Some(region.id.clone()),
            refuse: BTreeSet::new(),
            ..NumberPolicy::default()
        };
        for number in &numbers {
            let read = PhoneNumber::parse(number, &policy);
            assert_eq!(read.as_ref().map(PhoneNumber::in_full), Ok(*number), "{}", region.id);
        }
    }
}

#[test]
fn every_regions_example_is_read_in_it_as_people_there_write_it() {
    for region in region::all() {
        let number = read(&region.example, Some(&region.id));
        assert!(number.starts_with(&format!("+{}", region.calling_code)), "{}: {number}", region.id);
    }
}

proptest! {
    /// Whatever stands there: a number or an error, and what is taken is E.164.
    #[test]
    fn no_text_makes_the_reader_panic(text in "(\\PC|[-+0-9(). /;,x#*]){0,40}", nth in 0usize..245) {
        let region = &region::all()[nth % region::all().len()].id;
        for region in [None, Some(region.as_str())] {
            let number = read(&text, region);
            if number.starts_with('+') {
                prop_assert_eq!(read(&number, region), number);
            }
        }
    }

    /// Any valid number, with any region, in any script's digits and between any marks.
    #[test]
    fn a_number_is_the_same_in_every_script(
        nth in 0usize..7262,
        region in 0usize..245,
        zero in prop::sample::select(vec!['\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}', '\u{ff10}', '\u{1e950}']),
        mark in prop::sample::select(vec!['\u{200e}', '\u{202f}', '\u{2060}', '\u{feff}', '\u{a0}', '\u{2011}']),
    ) {
        let number = rows()[nth].number;
        let other = |c: char| match c.to_digit(10) {
            Some(value) => char::from_u32(u32::from(zero) + value).unwrap(),
            None => '\u{ff0b}',
        };
        let text: String = number.chars().flat_map(|c| [other(c), mark]).collect();
        let region = &region::all()[region % region::all().len()].id;
        prop_assert_eq!(read(&text, Some(region)), number);
    }
}
