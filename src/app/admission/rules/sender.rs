//! A channel needs somebody to send as. Texts and calls go by the account's sender where
//! the service names none; a WhatsApp message does so only by a messaging service. Where
//! there is a list of senders, one of them has to be for the number.

use crate::app::admission::AdmissionError;
use crate::app::admission::finding::Finding;
use crate::app::admission::rule::{OfWay, Rule};
use crate::app::admission::way::Way;

pub(super) const RULE: OfWay = Rule { name: "sender", code: "channel_not_offered", judge };

fn judge(way: &Way<'_>) -> Option<Finding> {
    let is_missing = !way.senders.has_any(way.service, way.channel, way.to);
    is_missing.then(|| Finding::never(AdmissionError::NoSender(way.channel)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, found};
    use super::RULE;
    use crate::app::admission::way::Way;
    use crate::model::channel::Channel;
    use crate::model::senders::Senders;

    #[test]
    fn whatsapp_needs_a_sender_of_its_own_or_a_messaging_service() {
        let (number, service) = ("+15005550006", "MG0123456789abcdef0123456789abcdef");
        for (channel, own, sender, is_refused) in [
            (Channel::Whatsapp, None, Some(number), true),
            (Channel::Whatsapp, None, Some(service), false),
            (Channel::Whatsapp, None, None, false),
            (Channel::Whatsapp, Some(number), Some(number), false),
            (Channel::Sms, None, Some(number), false),
            (Channel::Call, None, Some(number), false),
        ] {
            let case = Case::of(|settings| settings.whatsapp_from = own.map(str::to_owned));
            let senders = Senders::only(sender.map(str::to_owned));
            let way = Way { senders: &senders, ..case.way(channel) };
            let said = found((RULE.judge)(&way));
            assert_eq!(said.contains("no sender"), is_refused, "{channel} {own:?} {sender:?}: {said}");
        }
    }
}
