//! Whether a request for a code may be, and by which way: every rule is asked, and says
//! so in every face alike. This module refuses to know what is read and written.

use crate::app::admission::AdmissionError;
use crate::app::admission::finding::{Admitted, Finding, Reason, Verdict};
use crate::app::admission::request::Request;
use crate::app::admission::rules;
use crate::app::admission::ways::Ways;
use crate::model::channel::Channel;

/// What all rules come to for a request. The first rule that refuses decides what is
/// said; the reasons name all that have something to say.
///
/// What is refused is told, whatever else there is. Where a request is to be answered as
/// usual and not sent, a wait of another rule comes first: a request that is taken would
/// be told of it, too. Then come a proof that a person asks, and a wait.
pub(in crate::app) fn admit(request: &Request<'_>) -> Admitted {
    let mut reasons = rules::first(request);
    let channel = match request.number {
        Ok(_) => {
            let (channel, of_ways) = chosen(request);
            reasons.extend(of_ways);
            channel
        }
        Err(_) => None,
    };
    reasons.extend(rules::last(request));
    let verdict = hardest(&reasons, channel).unwrap_or(match channel {
        Some(channel) if reasons.is_empty() => Verdict::Taken(channel),
        Some(channel) => Verdict::Flagged(channel),
        // Where no way was chosen, a rule has said why.
        None => Verdict::Refused { code: "no_channel", until: None, why: AdmissionError::NoChannel },
    });
    Admitted { verdict, reasons }
}

/// What the rules of numbers, lists and ways come to for words that are no code.
pub(in crate::app) fn admit_words(request: &Request<'_>) -> Admitted {
    let mut reasons = rules::first(request);
    let (channel, of_ways) = match request.number {
        Ok(_) => chosen(request),
        Err(_) => (None, Vec::new()),
    };
    reasons.extend(of_ways);
    let verdict = hardest(&reasons, channel).unwrap_or(match channel {
        Some(channel) => Verdict::Taken(channel),
        None => Verdict::Refused { code: "no_channel", until: None, why: AdmissionError::NoChannel },
    });
    Admitted { verdict, reasons }
}

/// What the hardest of the findings comes to; nothing where all let the request pass.
fn hardest(reasons: &[Reason], channel: Option<Channel>) -> Option<Verdict> {
    let first = |of: &dyn Fn(&Reason) -> Option<Verdict>| reasons.iter().find_map(of);
    let refused = first(&|Reason { code, finding, .. }| match finding {
        Finding::Refuse { until, why } => Some(Verdict::Refused { code, until: *until, why: why.clone() }),
        _ => None,
    });
    let slowed = first(&|Reason { code, finding, .. }| match finding {
        Finding::Slow { until, why } => Some(Verdict::Slowed { code, until: *until, why: why.clone() }),
        _ => None,
    });
    let asked = first(&|Reason { code, finding, .. }| match finding {
        Finding::Captcha { why } => Some(Verdict::CaptchaRequired { code, why: why.clone() }),
        _ => None,
    });
    let shadowed = first(&|Reason { code, finding, .. }| match finding {
        // Whom no way reaches is refused.
        Finding::Shadow { until } => Some(Verdict::ShadowBlocked { channel: channel?, code, until: *until }),
        _ => None,
    });
    refused.or_else(|| shadowed.map(|shadowed| slowed.clone().unwrap_or(shadowed))).or(asked).or(slowed)
}

/// The channel that was asked for, or the best that may be used, with what the rules say
/// of it; or why none may be.
fn chosen(request: &Request<'_>) -> (Option<Channel>, Vec<Reason>) {
    if let Some(channel) = request.channel {
        let (may_be, reasons) = judged(request, channel);
        return (may_be.then_some(channel), reasons);
    }
    if let Some(plan) = request.plan {
        return next_of(request, plan);
    }
    let ways = Ways::of(request.service.clone(), request.countries, request.senders).leading_to(request.line);
    let channels = &request.service.settings.channels;
    let mut refused = Vec::new();
    for channel in channels.iter().copied() {
        if request.number.is_ok_and(|to| ways.is_makeshift(channel, channels, to)) {
            continue;
        }
        match judged(request, channel) {
            (true, reasons) => return (Some(channel), reasons),
            (false, reasons) => refused.extend(reasons),
        }
    }
    if refused.is_empty() {
        refused.push(rules::no_way());
    }
    (None, refused)
}

/// The first channel that may take the place of what did not arrive. None is a call where a
/// rule speaks against a message: who may not be written to is not called instead.
fn next_of(request: &Request<'_>, plan: &[Channel]) -> (Option<Channel>, Vec<Reason>) {
    let mut refused = Vec::new();
    for channel in plan.iter().copied() {
        let (may_be, reasons) = judged(request, channel);
        let against = if channel == Channel::Call { against_messages(request) } else { Vec::new() };
        match may_be && against.is_empty() {
            true => return (Some(channel), reasons),
            false => refused.extend(reasons.into_iter().chain(against)),
        }
    }
    if refused.is_empty() {
        refused.push(rules::no_way());
    }
    (None, refused)
}

/// What rules have against the messages of the service, beside that the telephone takes
/// none or that there is nobody to send as.
fn against_messages(request: &Request<'_>) -> Vec<Reason> {
    let messages = request.service.settings.channels.iter().copied().filter(|channel| channel.is_message());
    let is_against = |reason: &Reason| {
        let refusal = reason.finding.refusal();
        refusal.is_some_and(|why| !matches!(why, AdmissionError::Landline | AdmissionError::NoSender(_)))
    };
    messages.flat_map(|channel| judged(request, channel).1).filter(is_against).collect()
}

/// Whether a channel may be used, and what the rules say of it.
fn judged(request: &Request<'_>, channel: Channel) -> (bool, Vec<Reason>) {
    let reasons = request.way(channel).map(|way| rules::of_way(&way)).unwrap_or_default();
    (reasons.iter().all(|reason| reason.finding.refusal().is_none()), reasons)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::admission::listed::Listed;
    use crate::app::admission::request::Open;
    use crate::app::admission::rules::tests::{Case, signal};
    use crate::model::fraud::{Action, Signal};
    use crate::model::senders::Senders;
    use crate::model::service::{Countries, Settings};
    use std::sync::Arc;

    /// What all rules come to, and the names of those that had something to say.
    fn said(request: &Request<'_>) -> (String, Vec<&'static str>) {
        let admitted = admit(request);
        let verdict = match admitted.verdict {
            Verdict::Taken(channel) => format!("taken by {channel}"),
            Verdict::Flagged(channel) => format!("flagged by {channel}"),
            Verdict::Slowed { .. } => "slowed".to_owned(),
            Verdict::CaptchaRequired { .. } => "captcha required".to_owned(),
            Verdict::ShadowBlocked { channel, .. } => format!("shadow blocked by {channel}"),
            Verdict::Refused { code, .. } => code.to_owned(),
        };
        (verdict, admitted.reasons.iter().map(|reason| reason.rule).collect())
    }

    fn countries(settings: &mut Settings, refuse: &[&str], watch: &[&str]) {
        let list = |countries: &[&str]| countries.iter().map(|country| (*country).to_owned()).collect();
        let own = Countries { refuse: list(refuse), watch: list(watch), ..Countries::default() };
        settings.countries.insert(Channel::Sms, own);
    }

    #[test]
    fn the_first_rule_that_refuses_is_said_and_every_reason_kept() {
        let case = Case::of(|settings| countries(settings, &["US"], &[]));
        let mut request = case.request();
        (request.channel, request.unwanted) = (Some(Channel::Sms), vec![Channel::Sms]);
        request.has_code = true;
        let expected = ("country_not_offered".to_owned(), vec!["country", "opt_out", "custom_code"]);
        assert_eq!(said(&request), expected);
    }

    #[test]
    fn the_best_way_is_taken_and_no_call_in_the_place_of_a_text() {
        let (sms, call, whatsapp) = (Channel::Sms, Channel::Call, Channel::Whatsapp);
        for (channels, unwanted, verdict) in [
            (vec![sms, call], vec![], "taken by sms"),
            (vec![sms, whatsapp], vec![sms], "taken by whatsapp"),
            (vec![sms, call], vec![sms], "recipient_opted_out"),
            (vec![call, sms], vec![sms], "taken by call"),
        ] {
            let case = Case::of(|settings| settings.channels = channels.clone());
            let mut request = case.request();
            request.unwanted = unwanted;
            assert_eq!(said(&request).0, verdict, "{channels:?}");
        }
    }

    /// Whatever a rule has against the text, no call takes its place: only a landline, which
    /// takes none, is called.
    #[test]
    fn a_call_never_follows_where_a_rule_refused_the_text() {
        type Change = fn(&mut Settings);
        let nothing: Change = |_| ();
        let two: Change = |settings| settings.channels = vec![Channel::Sms, Channel::Call];
        let whatsapp: Change = |settings| settings.channels = vec![Channel::Whatsapp, Channel::Call];
        let refused: Change = |settings| countries(settings, &["US"], &[]);
        let deaf: Change = |settings| settings.skip_sms_to_landlines = true;
        let landline = "+493012345678";
        for (why, channels, change, to, unwanted, verdict) in [
            ("a country", two, refused, "+14155550123", false, "country_not_offered"),
            ("an opt-out", two, nothing, "+14155550123", true, "recipient_opted_out"),
            ("no sender", whatsapp, nothing, "+14155550123", false, "channel_not_offered"),
            ("a landline", two, deaf, landline, false, "taken by call"),
            ("nothing", two, nothing, "+14155550123", false, "taken by sms"),
        ] {
            let case = Case::of(|settings| {
                channels(settings);
                change(settings);
            })
            .to(to);
            let mut request = case.request();
            let senders = Arc::new(Senders::only(Some("+15005550006".to_owned())));
            request.senders = &senders;
            request.unwanted = if unwanted { vec![Channel::Sms] } else { Vec::new() };
            assert_eq!(said(&request).0, verdict, "{why}");
            // What is asked of the request as a whole is asked of a call, too.
            request.has_code = true;
            let first = if verdict.starts_with("taken") { "not_allowed" } else { verdict };
            assert_eq!(said(&request).0, first, "{why}");
            request.has_code = false;
            request.listed = Listed::Blocked { until: None };
            assert_eq!(said(&request).0, "blocked", "{why}");
            request.listed = Listed::Nothing;
            let signals = [signal(Action::Refuse)];
            request.signals = &signals;
            assert_eq!(
                said(&request).0,
                if verdict.starts_with("taken") { "fraud_suspected" } else { verdict }
            );
        }
    }

    #[test]
    fn what_is_flagged_goes_on_and_what_is_slowed_does_not_pass_a_refusal() {
        let case = Case::of(|settings| countries(settings, &[], &["US"]));
        assert_eq!(said(&case.request()), ("flagged by sms".to_owned(), vec!["country"]));
        let verification = case.verification();
        let mut request = case.request_after(1);
        request.open = Some(Open { verification: &verification, failed: None });
        assert_eq!(said(&request), ("slowed".to_owned(), vec!["country", "cooldown"]));
        request.has_code = true;
        assert_eq!(said(&request).0, "not_allowed");
    }

    #[test]
    fn the_hardest_that_is_asked_for_follows_and_a_refusal_of_another_rule_before_it() {
        let (shadow, captcha, slow) = (Action::ShadowBlock, Action::Captcha, Action::Slow);
        for (actions, is_refused, waits, verdict) in [
            (&[Action::Record][..], false, false, "flagged by sms"),
            (&[slow, Action::Record], false, false, "slowed"),
            (&[slow, captcha], false, false, "captcha required"),
            (&[captcha], false, true, "captcha required"),
            (&[captcha, Action::Refuse], false, false, "fraud_suspected"),
            (&[Action::Refuse, shadow, slow], false, false, "shadow blocked by sms"),
            (&[shadow], true, false, "not_allowed"),
            (&[captcha], true, false, "not_allowed"),
            // As it would be without the signal.
            (&[shadow], false, true, "slowed"),
        ] {
            let case = Case::of(|_| ());
            let verification = case.verification();
            let signals: Vec<Signal> = actions.iter().map(|action| signal(*action)).collect();
            let mut request = case.request_after(1);
            (request.signals, request.has_code) = (&signals, is_refused);
            request.open = waits.then_some(Open { verification: &verification, failed: None });
            assert_eq!(said(&request).0, verdict, "{actions:?} {is_refused} {waits}");
        }
    }
}
