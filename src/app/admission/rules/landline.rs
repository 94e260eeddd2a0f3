//! Where a service says so, a landline gets calls alone.

use crate::app::admission::AdmissionError;
use crate::app::admission::finding::Finding;
use crate::app::admission::rule::{OfWay, Rule};
use crate::app::admission::way::Way;

pub(super) const RULE: OfWay = Rule { name: "landline", code: "channel_not_offered", judge };

fn judge(way: &Way<'_>) -> Option<Finding> {
    let is_deaf = way.service.is_deaf(way.channel, way.to, way.line);
    is_deaf.then(|| Finding::never(AdmissionError::Landline))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, found};
    use super::{RULE, Way};
    use crate::model::channel::Channel;
    use crate::model::phone::Line;

    #[test]
    fn a_landline_is_called_where_the_service_says_so() {
        let (landline, mobile) = ("+493012345678", "+4915123456789");
        for (skips, number, channel, is_refused) in [
            (true, landline, Channel::Sms, true),
            (true, landline, Channel::Whatsapp, true),
            (true, landline, Channel::Call, false),
            (true, mobile, Channel::Sms, false),
            (false, landline, Channel::Sms, false),
        ] {
            let case = Case::of(|settings| settings.skip_sms_to_landlines = skips).to(number);
            let said = found((RULE.judge)(&case.way(channel)));
            assert_eq!(said.contains("landline"), is_refused, "{skips} {number} {channel}: {said}");
        }
    }

    #[test]
    fn a_look_up_knows_of_landlines_that_the_plan_does_not_tell() {
        let case = Case::of(|settings| settings.skip_sms_to_landlines = true);
        for (number, line, is_refused) in [
            ("+14155550123", Line::Landline, true),
            ("+14155550123", Line::Mobile, false),
            ("+493012345678", Line::Mobile, true),
            ("+493012345678", Line::Unknown, true),
        ] {
            let number = number.parse().unwrap();
            let way = Way { to: &number, line, ..case.way(Channel::Sms) };
            assert_eq!(found((RULE.judge)(&way)).contains("landline"), is_refused, "{number} {line}");
        }
    }
}
