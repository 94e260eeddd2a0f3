//! What is told of lives and deliveries, event by event.

use super::*;
use crate::model::channel::Channel;
use crate::model::code::CodeSeed;
use crate::model::delivery::{About, CallSoFar, Delivery, Fact, Report, Source, Told};
use crate::model::opt_out::OptOut;
use crate::model::policy::Policy;
use crate::model::remedy::Remedy;
use crate::model::status::Status as Standing;
use crate::model::verification::{Details, Input, Start, Verification, decide};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + second).unwrap()
}

/// The code of a provider that nobody has, by which a person asks for silence.
const SILENCE: u32 = 7;

fn is_opt_out(code: u32) -> bool {
    code == SILENCE
}

fn begun(test: bool) -> Verification {
    let start = Start {
        session: None,
        id: VerificationId::from_random([7; 15]),
        to: "+14155550123".parse().unwrap(),
        locale: None,
        channel: Channel::Sms,
        code: CodeSeed {
            key_id: "a".into(),
            nonce: "00".repeat(16),
            generation: 1,
            length: 6,
            alphabet: None,
            context: None,
            custom: None,
        },
        service: None,
        details: Details::default(),
        test,
        gate_key: None,
    };
    Verification::start(&Policy::default(), start, at(0))
}

/// What is told while these events happen, one second after another.
fn told(verification: Verification, inputs: Vec<Input>) -> Vec<Vec<(EventType, Option<Reason>)>> {
    let brief = |body: Vec<EventBody>| body.into_iter().map(|body| (body.event_type, body.reason)).collect();
    let mut all = vec![brief(of_verification(None, &verification, is_opt_out, at(0)))];
    let mut old = verification;
    for (second, input) in (1..).zip(inputs) {
        let new = decide(&Policy::default(), &old, input, at(second)).verification;
        all.push(brief(of_verification(Some(&old), &new, is_opt_out, at(second))));
        old = new;
    }
    all
}

fn accepted() -> Input {
    Input::Accepted { number: 1, sid: format!("SM{:032x}", 1).parse().unwrap(), silent_at: None }
}

#[test]
fn a_life_is_told_once_each() {
    let claim = Input::Claim { number: 1, routes: Vec::new() };
    let check = |matches| Input::Check { matches };
    let story =
        told(begun(false), vec![claim, accepted(), accepted(), check(false), check(true), check(true)]);
    let plain = |event_type| vec![(event_type, None)];
    let expected = [
        plain(EventType::Started),
        vec![],
        plain(EventType::Sent),
        vec![],
        vec![],
        plain(EventType::Approved),
        vec![],
    ];
    assert_eq!(story, expected);
}

#[test]
fn every_end_has_its_name() {
    let of = |inputs| told(begun(true), inputs).concat()[1..].to_vec();
    assert_eq!(of(vec![Input::Cancel]), [(EventType::Canceled, None)]);
    // Only a code that the application chose is approved by its word.
    assert!(of(vec![Input::Approve]).is_empty());
    let mut chosen = begun(false);
    chosen.code.custom = Some("00".into());
    assert_eq!(told(chosen, vec![Input::Approve]).concat()[1..], [(EventType::Approved, None)]);
    let wrong = vec![Input::Check { matches: false }; 6];
    assert_eq!(of(wrong), [(EventType::Failed, Some(Reason::TooManyChecks))]);
    let old = begun(true);
    let expired = decide(&Policy::default(), &old, Input::Deadline, at(86_400)).verification;
    let body = of_verification(Some(&old), &expired, is_opt_out, at(86_400));
    assert_eq!((body.len(), body[0].event_type, body[0].test), (1, EventType::Expired, true));
}

#[test]
fn a_send_that_fails_says_why_and_a_late_callback_corrects_it() {
    let refused = Input::Refused {
        number: 1,
        claim: 1,
        code: Some(21211),
        reason: "no number".into(),
        remedy: Remedy::Stop,
    };
    let story =
        told(begun(false), vec![Input::Claim { number: 1, routes: Vec::new() }, refused.clone(), accepted()]);
    assert_eq!(story[2], [(EventType::Failed, Some(Reason::SendFailed))]);
    assert_eq!(story[3], [(EventType::Sent, None)]);
    let old =
        decide(&Policy::default(), &begun(false), Input::Claim { number: 1, routes: Vec::new() }, at(1))
            .verification;
    let new = decide(&Policy::default(), &old, refused, at(2)).verification;
    let body = of_verification(Some(&old), &new, is_opt_out, at(2)).remove(0);
    assert_eq!((body.error_code, body.detail.as_deref()), (Some(21211), Some("no number")));
    assert_eq!(body.delivery, Some(new.delivery_id(1)));
}

#[test]
fn a_delivery_is_told_where_its_status_changes_and_its_verification_once() {
    let id = VerificationId::from_random([7; 15]).delivery(1);
    let report = |status, id: Option<&DeliveryId>| Report {
        sid: format!("SM{:032x}", 1).parse().unwrap(),
        id: id.cloned(),
        about: About { to: Some("+14155550123".into()), ..About::default() },
        fact: Fact { status: Some(status), ..Fact::default() },
    };
    let tell = |reports: Vec<Report>| {
        let mut old: Option<Delivery> = None;
        let mut all = Vec::new();
        for report in reports {
            let new = match &old {
                None => Delivery::new(report, at(0)),
                Some(old) => old.merge(report, at(1)).unwrap_or_else(|| old.clone()),
            };
            let body = of_delivery(old.as_ref(), &new, is_opt_out, at(1));
            all.push(body.into_iter().map(|body| body.event_type.as_str()).collect::<Vec<_>>().join(" "));
            old = Some(new);
        }
        all
    };
    use Standing::*;
    let ours =
        |statuses: &[Standing]| tell(statuses.iter().map(|status| report(*status, Some(&id))).collect());
    assert_eq!(
        ours(&[Queued, Delivered, Sent, Delivered, Read]),
        ["delivery.updated", "delivery.updated verification.delivered", "", "", "delivery.updated"]
    );
    assert_eq!(
        ours(&[Sent, Undelivered, Delivered]),
        [
            "delivery.updated",
            "delivery.updated verification.failed",
            "delivery.updated verification.delivered"
        ]
    );
    // Nobody's, and known to be ours only later.
    assert_eq!(
        tell(vec![report(Sent, None), report(Delivered, None), report(Delivered, Some(&id))]),
        ["delivery.updated", "delivery.updated", "verification.delivered"]
    );
}

/// What is told of a call of ours while these facts arrive, one after another.
fn told_of_call(facts: Vec<Fact>) -> Vec<(EventType, Option<Reason>)> {
    let id = VerificationId::from_random([7; 15]).delivery(1);
    let (mut old, mut all): (Option<Delivery>, Vec<_>) = (None, Vec::new());
    for fact in facts {
        let sid = format!("CA{:032x}", 1).parse().unwrap();
        let report = Report { sid, id: Some(id.clone()), about: About::default(), fact };
        let new = match &old {
            None => Delivery::new(report, at(0)),
            Some(old) => old.merge(report, at(1)).unwrap_or_else(|| old.clone()),
        };
        let body = of_delivery(old.as_ref(), &new, is_opt_out, at(1)).into_iter();
        all.extend(
            body.filter(|body| body.event_type != EventType::DeliveryUpdated)
                .map(|body| (body.event_type, body.reason)),
        );
        old = Some(new);
    }
    all
}

#[test]
fn a_call_is_told_as_delivered_once_it_was_heard_and_else_as_unheard() {
    let status = |status| Fact { status: Some(status), ..Fact::default() };
    let asked = |told, readings, finished| Fact {
        source: Source::VoiceRequest,
        call: Some(CallSoFar { told, readings, finished, right_keys: readings, wrong_keys: 0 }),
        ..status(Standing::InProgress)
    };
    let (ringing, over) = (status(Standing::Ringing), status(Standing::Completed));
    let gate = asked(Told::Gate, 0, 0);
    let (read, heard) = (asked(Told::Code, 1, 0), asked(Told::Code, 1, 1));
    let delivered = (EventType::Delivered, None);
    let unheard = |reason| (EventType::Unheard, Some(reason));
    assert_eq!(told_of_call(vec![ringing.clone(), gate.clone(), read.clone()]), [], "it is still being read");
    let whole = vec![ringing.clone(), gate.clone(), read.clone(), heard.clone(), over.clone(), heard.clone()];
    assert_eq!(told_of_call(whole), [delivered]);
    let cut = vec![gate.clone(), read.clone(), over.clone(), over.clone()];
    assert_eq!(told_of_call(cut), [unheard(Reason::CutShort)]);
    let silent = vec![gate.clone(), asked(Told::NoKey, 0, 0), over.clone()];
    assert_eq!(told_of_call(silent), [unheard(Reason::NoKey)]);
    let machine = Fact { answered_by: Some("machine_end_beep".into()), ..asked(Told::Nothing, 0, 0) };
    assert_eq!(told_of_call(vec![machine, over.clone()]), [unheard(Reason::Machine)]);
    let busy = vec![ringing, status(Standing::Busy)];
    assert_eq!(told_of_call(busy), [(EventType::Failed, Some(Reason::NotDelivered)), unheard(Reason::Busy)]);
    // A request whose answer was written late corrects what was said.
    assert_eq!(told_of_call(vec![gate, read, over, heard]), [unheard(Reason::CutShort), delivered]);
}

#[test]
fn only_a_wish_that_changes_something_is_told() {
    let wish = |opted_out| OptOut {
        number: "whatsapp:+14155550123".into(),
        sender: "+15005550006".into(),
        opted_out,
        at: at(0),
    };
    let of =
        |old: Option<bool>, new| of_opt_out(old.map(wish).as_ref(), &wish(new)).map(|body| body.event_type);
    assert_eq!((of(None, true), of(Some(true), true)), (Some(EventType::OptOutCreated), None));
    assert_eq!((of(Some(true), false), of(None, false)), (Some(EventType::OptOutRemoved), None));
    assert_eq!(of_opt_out(None, &wish(true)).unwrap().channel, Some(DeliveryChannel::Whatsapp));
}

#[test]
fn a_wish_takes_a_name_all_below_one_or_all() {
    let takes = |filter: &str| {
        let filter: EventFilter = filter.parse().unwrap();
        EventType::ALL.iter().filter(|event_type| filter.takes(**event_type)).count()
    };
    assert_eq!((takes("*"), takes("verification.*"), takes("opt_out.removed")), (EventType::ALL.len(), 8, 1));
    for wrong in
        ["", "verification", "verification.", "verif*", "*.*", "verification.*.*", "fax.*", "Verification.*"]
    {
        assert_eq!(wrong.parse::<EventFilter>(), Err(NoSuchEventType), "{wrong}");
    }
    for event_type in EventType::ALL {
        assert_eq!(serde_json::to_value(event_type).unwrap(), event_type.as_str());
    }
}

#[test]
fn who_has_opted_out_is_told_apart_from_what_failed() {
    let refused = |code| Input::Refused {
        number: 1,
        claim: 1,
        code: Some(code),
        reason: "no".into(),
        remedy: Remedy::Stop,
    };
    for (code, reason) in [(SILENCE, Reason::OptedOut), (8, Reason::SendFailed)] {
        let story = told(begun(false), vec![Input::Claim { number: 1, routes: Vec::new() }, refused(code)]);
        assert_eq!(story[2], [(EventType::Failed, Some(reason))]);
    }
    for (code, reason) in [(SILENCE, Reason::OptedOut), (8, Reason::NotDelivered)] {
        let report = Report {
            sid: format!("SM{:032x}", 1).parse().unwrap(),
            id: Some(VerificationId::from_random([7; 15]).delivery(1)),
            about: About::default(),
            fact: Fact { status: Some(Standing::Undelivered), error_code: Some(code), ..Fact::default() },
        };
        let body = of_delivery(None, &Delivery::new(report, at(0)), is_opt_out, at(1));
        assert_eq!(body.last().and_then(|body| body.reason), Some(reason));
    }
}

mod of_decisions {
    use crate::model::channel::{Channel, DeliveryChannel};
    use crate::model::counter::Pseudonym;
    use crate::model::event::{EventType, Once, Payload, of_findings, of_refusal};
    use crate::model::fraud::{About, Action, Decision, DecisionId, Outcome, Reason};
    use jiff::Timestamp;

    const NUMBER: &str = "+447911123456";

    fn decision(outcome: Outcome, code: &str, reasons: &[(&str, Option<Action>, Option<&str>)]) -> Decision {
        let at = Timestamp::from_second(1_800_000_000).unwrap();
        let reason = |(rule, action, subject): &(&str, Option<Action>, Option<&str>)| Reason {
            rule: (*rule).to_owned(),
            action: *action,
            value: Some(9.0),
            threshold: Some(7.0),
            subject: subject.map(str::to_owned),
            until: None,
        };
        Decision {
            id: DecisionId("page-1".to_owned()),
            at,
            about: About {
                number: Pseudonym([1; 8]),
                block100: Pseudonym([2; 8]),
                block1000: Pseudonym([3; 8]),
                range: "+4479".to_owned(),
                country: "GB".to_owned(),
                is_voip: false,
                looked_up: None,
                address: Some(Pseudonym([4; 8])),
                subnet: None,
                device: None,
                session: None,
                key: None,
                service: format!("VA{}", "0".repeat(32)),
                sender: None,
                channel: Channel::Sms,
                face: "api".to_owned(),
                is_resend: false,
                micros: 0,
            },
            outcome,
            code: (!outcome.is_sent()).then(|| code.to_owned()),
            until: None,
            reasons: reasons.iter().map(reason).collect(),
            verification: None,
        }
    }

    #[test]
    fn what_was_not_sent_is_told_by_the_rule_that_decided() {
        let burst = ("block_burst", Some(Action::Refuse), None);
        let noted = ("range_burst", Some(Action::Record), Some("+4479"));
        let country = ("country", None, None);
        for (outcome, code, reasons, rule) in [
            (Outcome::Refused, "fraud_suspected", vec![noted, burst], "block_burst"),
            (Outcome::Refused, "country_not_offered", vec![burst, country], "country"),
            (Outcome::Slowed, "resend_too_soon", vec![("cooldown", None, None)], "cooldown"),
        ] {
            let body = of_refusal(&decision(outcome, code, &reasons), NUMBER).unwrap();
            let told = body.admission.as_ref().unwrap();
            assert_eq!((told.rule.as_deref(), told.code.as_deref()), (Some(rule), Some(code)));
            assert_eq!((told.outcome, body.event_type), (Some(outcome), EventType::AdmissionRefused));
            assert_eq!((body.channel, body.to.as_deref()), (Some(DeliveryChannel::Sms), Some(NUMBER)));
            assert!(body.service.is_some() && !format!("{body:?}").contains("7911123456"));
        }
        assert_eq!(of_refusal(&decision(Outcome::Flagged, "", &[noted]), NUMBER), None);
    }

    #[test]
    fn a_finding_has_a_name_of_its_rule_and_whom_it_is_about_and_an_end() {
        let reasons = [
            ("block_burst", Some(Action::Record), None),
            ("client_numbers", Some(Action::Refuse), None),
            ("country_hour", Some(Action::Record), Some("GB")),
            ("number_sends", None, None),
        ];
        let found = of_findings(&decision(Outcome::Flagged, "", &reasons));
        let names: Vec<&str> = found.iter().map(|once| once.name.as_str()).collect();
        assert_eq!(
            names,
            ["block_burst:0303030303030303", "client_numbers:0404040404040404", "country_hour:GB"]
        );
        for Once { until, body, .. } in &found {
            assert!(*until > body.at && body.to.is_none() && body.service.is_none());
            assert_eq!(body.event_type, EventType::FraudDetected);
        }
        let event = crate::model::event::Event {
            id: "EV000000000000000000000000000000ab".parse().unwrap(),
            body: found[2].body.clone(),
            expires_at: Timestamp::MAX,
        };
        let told = serde_json::to_value(Payload::new(&event, true, |_| None)).unwrap();
        assert_eq!(told["data"]["admission"]["subject"], "GB");
        let again: crate::model::event::Event =
            serde_json::from_str(&serde_json::to_string(&event).unwrap()).unwrap();
        assert_eq!(again, event);
    }
}
