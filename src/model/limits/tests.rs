//! What rules say, and how they are changed.

use super::*;
use std::collections::BTreeSet;

fn changes(json: serde_json::Value) -> LimitChanges {
    serde_json::from_value(json).unwrap()
}

#[test]
fn an_allowance_reads_back_as_it_was_written() {
    for text in ["5/hour", "10/day", "600/minute", "1000000000/day", "12.50/day", "0.000001/hour"] {
        assert_eq!(text.parse::<Allowance>().unwrap().to_string(), text);
    }
    assert_eq!(" 5 / hour ".parse(), Ok(Allowance::hour(5)));
    for text in [
        "",
        "5",
        "5/",
        "/hour",
        "0/hour",
        "-1/hour",
        "+5/hour",
        "5/week",
        "5/hours",
        "1e3/day",
        "0.0000001/day",
        "0.0/day",
        "1./day",
        "1000000001/day",
        "99999999999999999999/day",
        "5/hour/day",
    ] {
        assert_eq!(text.parse::<Allowance>(), Err(BadAllowance), "{text:?}");
    }
}

#[test]
fn every_rule_has_a_name_of_its_own_and_fits_into_a_counter() {
    let limits = Limits::default();
    let names: BTreeSet<_> = limits.rules().iter().map(|rule| rule.name).collect();
    assert_eq!(names.len(), limits.rules().len());
    let all = [Allowance::minute(1), Allowance::hour(1), Allowance::day(1)];
    for rule in limits.rules() {
        let rule = LimitRule { windows: all.to_vec(), ..rule.clone() };
        for limit in rule.limits("0123456789ab") {
            assert!(limit.name.len() <= 64, "{}", limit.name);
            assert_eq!(LimitRule::name_of(&limit.name), rule.name);
        }
    }
}

#[test]
fn money_is_counted_in_millionths_of_a_dollar() {
    let limits = Limits::default().with(&changes(serde_json::json!({ "country_money": ["12.50/day"] })));
    let [limit] = &limits.rule("country_money").unwrap().limits("")[..] else { panic!() };
    assert_eq!((limit.max, limit.of.as_str()), (12_500_000, "money"));
    assert_eq!(limits.rule("whole_money").unwrap().limits("")[0].max, 1_000_000_000);
    assert_eq!(limits.rule("country_calls").unwrap().limits("")[0].max, 20);
}

#[test]
fn a_change_names_what_it_changes_and_leaves_the_rest() {
    let base = Limits::default();
    let changed = base.with(&changes(serde_json::json!({
        "number_sends": ["20/hour"], "block100_sends": [], "track_only": ["whole_sends"], "number_lock_after": 50,
    })));
    assert_eq!(changed.rule("number_sends").unwrap().windows, [Allowance::hour(20)]);
    assert_eq!(changed.of(Subject::Block100, Counted::Sends).count(), 0);
    assert_eq!(changed.rule("whole_sends").unwrap().action, Action::Track);
    assert_eq!(changed.rule("address_unverified").unwrap().action, Action::Flag);
    assert_eq!(changed.rule("key_sends"), base.rule("key_sends"));
    assert_eq!((changed.lock_after(), base.lock_after()), (50, 100));
    assert_eq!(base.with(&LimitChanges::default()), base);
}

#[test]
fn a_list_that_is_said_anew_holds_what_it_says() {
    let refuses = Limits::default().with(&changes(serde_json::json!({ "flag": [] })));
    assert!(refuses.rules().iter().all(|rule| rule.action == Action::Refuse));
    let flags = refuses.with(&changes(serde_json::json!({ "flag": ["number_sends"], "track_only": [] })));
    let flagged: Vec<_> = flags.rules().iter().filter(|rule| rule.action == Action::Flag).collect();
    assert_eq!(flagged.len(), 1);
    let both = changes(serde_json::json!({ "flag": ["number_sends"], "track_only": ["number_sends"] }));
    assert_eq!(Limits::default().with(&both).rule("number_sends").unwrap().action, Action::Track);
}

#[test]
fn what_cannot_be_is_named() {
    let wrong = |json| changes(json).mistakes();
    assert_eq!(wrong(serde_json::json!({ "number_sends": ["5/hour", "9/day"] })), []);
    let [(key, what)] = &wrong(serde_json::json!({ "number_send": ["5/hour"] }))[..] else { panic!() };
    assert!(key == "number_send" && what.contains("number_sends"), "{what}");
    let twice = wrong(serde_json::json!({ "number_sends": ["5/hour", "9/hour"] }));
    assert_eq!(twice[0].0, "number_sends");
    assert_eq!(wrong(serde_json::json!({ "flag": ["nothing"] }))[0].0, "flag");
    assert_eq!(wrong(serde_json::json!({ "country_money": ["12.50/day", "2/hour"] })), []);
    let [(key, what)] = &wrong(serde_json::json!({ "number_sends": ["1.5/day"] }))[..] else { panic!() };
    assert!(key == "number_sends" && what.contains("only money has parts"), "{what}");
    let unread = serde_json::from_value::<LimitChanges>(serde_json::json!({ "number_sends": ["5/week"] }));
    assert!(unread.unwrap_err().to_string().contains("minute, hour or day"));
}

#[test]
fn an_address_counts_for_its_line_and_its_network() {
    for (address, own, around) in [
        ("192.0.2.77", "192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2ff:3:4:5:6", "2001:db8:1:2ff::/64", "2001:db8:1:200::/56"),
    ] {
        let address = address.parse().unwrap();
        assert_eq!((address_of(address), subnet_of(address)), (own.to_owned(), around.to_owned()));
    }
}
