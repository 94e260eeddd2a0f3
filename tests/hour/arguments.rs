//! What the command takes, and what it says of the rest.

use crate::world::{Arguments, WORLD};

fn read(args: &[&str]) -> Result<Arguments, String> {
    Arguments::read(&args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>())
}

/// What is wrong with an hour in which that text of the file is another.
fn mistake(text: &str, other: &str) -> String {
    assert!(WORLD.contains(text), "{text}");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), WORLD.replacen(text, other, 1)).unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    read(&["--world", &path]).unwrap().world(WORLD).unwrap_err()
}

#[test]
fn what_is_asked_for_is_read() {
    let asked = read(&["--seed", "3,4", "--minutes", "5", "--policies", "none,failover"]).unwrap();
    assert_eq!((asked.seeds.clone(), asked.policies.len(), asked.healthy), (Some(vec![3, 4]), 2, false));
    assert_eq!(asked.world(WORLD).unwrap().minutes, 5);
    let healthy = read(&["--healthy"]).unwrap().world(WORLD).unwrap();
    assert!(healthy.carriers.is_empty() && healthy.away.is_empty() && healthy.busy.is_empty());
    assert!(healthy.network.receipts_lost == 0.0 && healthy.paused.is_empty());
}

#[test]
fn what_is_wrong_is_named() {
    for (args, said) in [
        (&["--seed"][..], "needs a value"),
        (&["--seed", "x"], "whole numbers"),
        (&["--policies", "luck"], "none, retries, failover, silence"),
        (&["--sead", "1"], "--seed"),
    ] {
        let wrong = read(args).unwrap_err();
        assert!(wrong.contains(said), "{wrong}");
    }
    let missing = read(&["--world", "/no/such/file"]).unwrap().world(WORLD).unwrap_err();
    assert!(missing.contains("/no/such/file cannot be read"), "{missing}");
}

#[test]
fn what_cannot_be_in_the_file_is_named_by_its_key() {
    for (text, other, said) in [
        ("minutes = 60", "minutes = 0", "minutes: 1 to 1440"),
        ("country = \"ES\"", "country = \"XX\"", "XX is none of the countries"),
        ("service = \"games\"", "service = \"none\"", "none is none of the services"),
        ("receipts_lost = 0.05", "receipts_lost = 5", "network.receipts_lost"),
        ("country_calls", "county_calls", "limits.county_calls"),
        ("unanswered", "unanserwed", "unknown field"),
    ] {
        let wrong = mistake(text, other);
        assert!(wrong.contains(said), "{wrong}");
    }
}
