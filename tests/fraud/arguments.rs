//! What the command and its files may say, and what is said where they may not.

use crate::world::{Arguments, WORLD, policy, run};
use dialback::model::fraud::Action;

fn read(text: &str) -> Result<Arguments, String> {
    Arguments::read(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
}

#[test]
fn what_is_wrong_is_named_with_what_it_may_be() {
    let wrong = |text: &str| read(text).unwrap_err();
    assert!(wrong("--speed 3").contains("--seed N"));
    assert!(wrong("--seed").contains("needs a value"));
    assert!(wrong("--seed 1,x").contains("\"x\""));
    assert!(wrong("--models theirs").contains("authgear"));
    let only = read("--only nothing").unwrap().world(WORLD).unwrap_err();
    assert!(only.contains("slow_pumping"), "{only}");
    let missing = read("--world no/such/file").unwrap().world(WORLD).unwrap_err();
    assert!(missing.contains("no/such/file"), "{missing}");
}

#[test]
fn only_the_named_attacks_are_made() {
    let on = |text: &str| {
        let world = read(text).unwrap().world(WORLD).unwrap();
        let on = world.attacks.iter().filter(|attack| attack.on);
        on.map(|attack| attack.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(on(""), ["consecutive", "slow_pumping", "residential", "broken_client"]);
    assert_eq!(on("--only warm_up,residential"), ["residential", "warm_up"]);
    assert!(on("--only none").is_empty());
    assert_eq!(on("--only all").len(), 9);
}

#[test]
fn what_cannot_be_is_named_by_its_key() {
    let wrong = |from: &str, to: &str| {
        let text = WORLD.replacen(from, to, 1);
        assert_ne!(text, WORLD, "{from}");
        read("").unwrap().world(&text).unwrap_err()
    };
    let unknown = wrong("returning =", "returnning =");
    assert!(unknown.contains("returnning") && unknown.contains("`returning`"), "{unknown}");
    assert!(wrong("returning = ", "returning = 7").contains("people.returning is from 0 to 1"));
    assert!(wrong("brand = \"shop\"", "brand = \"shob\"").contains("shop, bank, games"));
    assert!(wrong("days = 21", "days = 0").contains("days is from 1 to"));
    assert!(wrong("record_days = 7", "record_days = 21").contains("record_days is less"));
    assert!(wrong("country = \"VN\"", "country = \"XX\"").contains("launches.country"));
    assert!(wrong("price = 0.0780, ranges", "ranges").contains("needs a price"));
    assert!(wrong("[\"+37120\", 6,", "[\"37120\", 6,").contains("begins with +"));
    assert!(wrong("seeds = [1]", "seeds = []").contains("seeds has one"));
    assert!(wrong("scale = 1.0", "scale = 900").contains("requests at most"));
    assert!(wrong("weekdays = [1.0", "weekdays = [-1.0").contains("clock.weekdays"));
    let outage =
        "[[outages]]\ncountry = 'ES'\nranges = ['+341']\nday = 1\nhour = 1\nhours = 1\nconversion = 0\n";
    assert!(wrong("# [[outages]]", outage).contains("outages.ranges is one of +3460"));
    assert!(wrong("block = 400", "block = 0").contains("attacks.consecutive.numbers"));
    assert!(wrong("verifies = 0.3", "verifies = 3").contains("attacks.verifies.phases.verifies"));
}

#[test]
fn a_policy_changes_what_it_names_and_nothing_else() {
    let text = "[fraud.signals.block_burst]\naction = 'record'\n[limits]\nwhole_sends = []";
    let changed = policy::read("p.toml", text).unwrap();
    let action = |policy: &policy::Policy| {
        policy.fraud.rules().iter().find(|rule| rule.spec.name == "block_burst").unwrap().action
    };
    assert_eq!(action(&changed), Action::Record);
    assert_eq!(action(&policy::Policy::default()), Action::Refuse);
    assert!(changed.limits.rule("whole_sends").unwrap().windows.is_empty());
    assert!(!changed.limits.rule("number_sends").unwrap().windows.is_empty());
    let wrong = policy::read("p.toml", "[fraud.signals.no]\n[limits]\nnone = []").unwrap_err();
    assert!(wrong.contains("fraud.signals.no ") && wrong.contains("limits.none "), "{wrong}");
    assert!(policy::read("p.toml", "[frauds]").unwrap_err().contains("`fraud`"));
}

#[test]
fn the_command_prints_each_model_each_attack_and_the_aims_for_each_seed() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), WORLD.replacen("scale = 1.0", "scale = 0.01", 1)).unwrap();
    let arguments = read("--seed 5,6 --days 17 --only residential,slow_pumping --why --world").err();
    assert!(arguments.unwrap().contains("--world needs a value"));
    let text = format!(
        "--seed 5,6 --days 17 --only residential,slow_pumping --why --world {}",
        file.path().display()
    );
    let reports = run(&read(&text).unwrap()).unwrap();
    assert_eq!(reports.len(), 2);
    let printed = reports[0].to_string();
    assert!(printed.starts_with("seed 5: 17 days from 2026-03-02T00:00:00Z"), "{printed}");
    for part in [
        "slow_pumping         dialback",
        "all                  authgear",
        "none      ",
        "hindered",
        "at least 98 %",
    ] {
        assert!(printed.contains(part), "{part} in {printed}");
    }
    assert_ne!(printed, reports[1].to_string());
}
