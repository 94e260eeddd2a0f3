//! The table of remedies against that of codes, and against what each kind of failure
//! asks for.

use super::*;
use crate::model::remedy::Remedy::*;
use crate::twilio::errors::{self, Disposition};

#[test]
fn every_code_that_is_known_is_judged_once() {
    let named: Vec<u32> = errors::codes();
    let judged: Vec<u32> = codes().collect();
    assert_eq!((named.len(), &judged), (226, &named));
    let file: File = toml::from_str(include_str!("../remedies.toml")).unwrap();
    let written: usize = file.group.iter().map(|group| group.codes.len()).sum();
    assert_eq!(written, named.len(), "a code stands in two groups");
}

#[test]
fn codes_of_each_kind_have_the_remedy_of_their_kind() {
    let expected: [(Remedy, &[u32]); 8] = [
        (Again, &[20429, 21611, 30001, 30022, 20500, 20503, 63018]),
        (NextSender, &[21612]),
        (NextSenderAndAlert, &[21606, 21212, 63007, 21703]),
        (NextChannel, &[30003, 30005, 30006, 30008, 21614, 21635, 21214, 63003, 32016, 63032]),
        (
            NextChannelAndAlert,
            &[
                30007, 30018, 30032, 30033, 30034, 30035, 30037, 21408, 21215, 21203, 63013, 63016, 63041,
                63042, 32017, 11200, 12100, 30023,
            ],
        ),
        (Stop, &[30004, 63014, 63033, 30450, 30453, 60410, 21216, 21211, 30036, 60202, 30038]),
        (StopAndAlert, &[20003, 20005, 30002, 21608, 21219, 20404]),
        (OptOut, &[21610]),
    ];
    for (remedy, codes) in expected {
        for code in codes {
            assert_eq!((super::remedy(*code), is_known(*code)), (remedy, true), "{code}");
        }
    }
    assert!(Remedy::ALL.iter().all(|remedy| expected.iter().any(|(own, _)| own == remedy)));
}

#[test]
fn nobody_who_is_blocked_or_has_said_no_is_tried_by_another_way() {
    let moved: Vec<u32> = codes()
        .filter(|code| {
            use Disposition::{Expired, Fraud, None, User};
            let is_over = matches!(errors::lookup(*code).disposition, Fraud | None | User | Expired);
            is_over && remedy(*code).moves_on()
        })
        .collect();
    assert_eq!(moved, Vec::<u32>::new());
    let out: Vec<u32> = codes().filter(|code| remedy(*code) == OptOut).collect();
    assert_eq!(out, codes().filter(|code| errors::is_opt_out(*code)).collect::<Vec<_>>());
}

#[test]
fn what_is_filtered_never_goes_by_the_next_number_of_the_pool() {
    for code in codes().filter(|code| errors::lookup(*code).disposition == Disposition::Filtered) {
        assert_eq!(remedy(code), NextChannelAndAlert, "{code}");
    }
}

#[test]
fn only_what_may_be_the_same_again_is_sent_again() {
    let never: Vec<u32> =
        codes().filter(|code| remedy(*code) == Again && !errors::lookup(*code).retry_same_channel).collect();
    // A failure of Twilio's own while it asked a webhook.
    assert_eq!(never, [12400]);
}

#[test]
fn an_unknown_code_is_judged_by_its_range() {
    for (code, remedy, from, to) in [
        (429, Again, 429, 429),
        (400, StopAndAlert, 400, 499),
        (404, StopAndAlert, 400, 499),
        (500, Again, 500, 599),
        (503, Again, 500, 599),
        (11999, NextChannelAndAlert, 11000, 15999),
        (20599, Again, 20500, 20599),
        (20999, StopAndAlert, 20000, 20999),
        (21999, NextChannelAndAlert, 21000, 21999),
        (30999, NextChannel, 30000, 30999),
        (60999, StopAndAlert, 60000, 60999),
        (63999, NextChannel, 0, u32::MAX),
        (0, NextChannel, 0, u32::MAX),
        (u32::MAX, NextChannel, 0, u32::MAX),
    ] {
        let judged = judged(code);
        assert_eq!((judged.remedy, judged.range), (remedy, Some((from, to))), "{code}");
        assert!(!is_known(code) && !judged.why.is_empty());
    }
}

#[test]
fn what_has_no_code_is_judged_by_its_word() {
    use Status::*;
    for (status, is_call, remedy) in [
        (Undelivered, false, NextChannel),
        (Failed, false, NextChannel),
        (Canceled, false, Stop),
        (Busy, true, NextChannel),
        (NoAnswer, true, NextChannel),
        (Failed, true, NextChannel),
        (Canceled, true, Stop),
        (Busy, false, NextChannel),
        (Undelivered, true, NextChannel),
        (Delivered, false, Stop),
        (Queued, true, Stop),
    ] {
        assert_eq!(remedy_of_status(status, is_call), remedy, "{status} {is_call}");
    }
    let is_judged =
        |status: &Status| judged_status(*status, true).or(judged_status(*status, false)).is_some();
    assert!(Status::all().all(|status| is_judged(&status) == status.is_failure()));
    assert_eq!(["not-connected", "broken"].map(|word| judged_word(word).unwrap().remedy), [Again, Again]);
    assert_eq!(judged_word("melted"), None);
    let followed: Vec<Unheard> =
        Unheard::ALL.into_iter().filter(|unheard| remedy_of_unheard(*unheard).is_some()).collect();
    assert_eq!(followed, [Unheard::Machine, Unheard::NoKey], "a person who took it has been reached");
    assert!(followed.into_iter().all(|unheard| remedy_of_unheard(unheard) == Some(NextChannel)));
}
