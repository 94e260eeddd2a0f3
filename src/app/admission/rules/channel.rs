//! A service uses the channels of its settings alone.

use super::{OfWay, Rule};
use crate::app::admission::AdmissionError;
use crate::app::admission::finding::{Finding, Reason};
use crate::app::admission::way::Way;

pub(super) const RULE: OfWay = Rule { name: "channel", code: "channel_not_offered", judge };

fn judge(way: &Way<'_>) -> Option<Finding> {
    let is_on = way.service.settings.channels.contains(&way.channel);
    (!is_on).then(|| Finding::never(AdmissionError::ChannelOff(way.channel)))
}

/// That no way is left.
pub(super) fn no_way() -> Reason {
    let finding = Finding::never(AdmissionError::NoChannel);
    Reason { rule: RULE.name, code: "no_channel", channel: None, finding }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, found};
    use super::RULE;
    use crate::model::channel::Channel;

    #[test]
    fn a_channel_is_one_of_the_services() {
        for (channels, channel, finds) in [
            (vec![Channel::Sms], Channel::Sms, ""),
            (vec![Channel::Sms, Channel::Call], Channel::Call, ""),
            (vec![Channel::Sms], Channel::Call, "the channel call is not offered"),
            (vec![Channel::Call], Channel::Whatsapp, "the channel whatsapp is not offered"),
        ] {
            let case = Case::of(|settings| settings.channels = channels.clone());
            assert_eq!(found((RULE.judge)(&case.way(channel))), finds, "{channels:?} {channel}");
        }
    }
}
