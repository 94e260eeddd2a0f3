//! Whether a request for a code may be, and by which way: every rule is asked, and says
//! so in every face alike. This module refuses to know what is read and written.

use crate::app::admission::finding::{Admitted, Finding, Reason, Verdict};
use crate::app::admission::request::Request;
use crate::app::admission::rules;
use crate::app::admission::ways::Ways;
use crate::model::channel::Channel;

/// What all rules come to for a request. The first rule that refuses decides what is
/// said; the reasons name all that have something to say.
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
    let refusal = reasons.iter().find(|reason| matches!(reason.finding, Finding::Refuse { .. }));
    let verdict = match (refusal, channel) {
        (Some(reason), _) => refused(reason),
        (None, Some(channel)) => unrefused(channel, &reasons),
        // Where no way was chosen, a rule has said why.
        (None, None) => refused(&rules::no_way()),
    };
    Admitted { verdict, reasons }
}

fn refused(reason: &Reason) -> Verdict {
    match &reason.finding {
        Finding::Refuse { until, why } => {
            Verdict::Refused { code: reason.code, until: *until, why: why.clone() }
        }
        Finding::Slow { until, why } => Verdict::Slowed { until: *until, why: why.clone() },
        Finding::Flag(_) => refused(&rules::no_way()),
    }
}

fn unrefused(channel: Channel, reasons: &[Reason]) -> Verdict {
    let slow = reasons.iter().find_map(|reason| match &reason.finding {
        Finding::Slow { until, why } => Some(Verdict::Slowed { until: *until, why: why.clone() }),
        _ => None,
    });
    slow.unwrap_or(match reasons.is_empty() {
        true => Verdict::Taken(channel),
        false => Verdict::Flagged(channel),
    })
}

/// The channel that was asked for, or the best that may be used, with what the rules say
/// of it; or why none may be.
fn chosen(request: &Request<'_>) -> (Option<Channel>, Vec<Reason>) {
    if let Some(channel) = request.channel {
        let (may_be, reasons) = judged(request, channel);
        return (may_be.then_some(channel), reasons);
    }
    let ways = Ways::of(request.service.clone(), request.countries, request.sender);
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

/// Whether a channel may be used, and what the rules say of it.
fn judged(request: &Request<'_>, channel: Channel) -> (bool, Vec<Reason>) {
    let reasons = request.way(channel).map(|way| rules::of_way(&way)).unwrap_or_default();
    (reasons.iter().all(|reason| reason.finding.refusal().is_none()), reasons)
}
