//! A channel reaches the countries that the service says, and numbers on the safe list
//! wherever they are.

use crate::app::admission::AdmissionError;
use crate::app::admission::finding::Finding;
use crate::app::admission::rule::{OfWay, Rule};
use crate::app::admission::way::{Countries, Way, region_of};
use crate::model::service::Reach;

pub(super) const RULE: OfWay = Rule { name: "country", code: "country_not_offered", judge };

fn judge(way: &Way<'_>) -> Option<Finding> {
    // To read a number's country costs more than all the other rules together.
    let region = || region_of(way.to);
    match way.service.reach(way.channel, way.to) {
        Reach::Yes => None,
        Reach::Watched => Some(Finding::Flag(format!("{} is a watched country", region()))),
        Reach::No if way.countries == Countries::All => None,
        Reach::No => {
            Some(Finding::never(AdmissionError::CountryOff { channel: way.channel, region: region() }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, found};
    use super::RULE;
    use crate::app::admission::way::{Countries, Way};
    use crate::model::channel::Channel;
    use crate::model::service;

    #[test]
    fn a_channel_reaches_the_countries_that_are_set_and_safe_numbers_everywhere() {
        let list = |countries: &[&str]| countries.iter().map(|country| (*country).to_owned()).collect();
        let off = "the channel sms is not offered in DE";
        for (allow, refuse, watch, countries, finds) in [
            (&[][..], &[][..], &[][..], Countries::AsSet, ""),
            (&["DE"], &[], &[], Countries::AsSet, ""),
            (&["AT"], &[], &[], Countries::AsSet, off),
            (&["AT"], &[], &[], Countries::All, ""),
            (&["DE"], &["DE"], &[], Countries::AsSet, off),
            (&[], &[], &["DE"], Countries::AsSet, "flag: DE is a watched country"),
        ] {
            let own = service::Countries { allow: list(allow), refuse: list(refuse), watch: list(watch) };
            let case = Case::of(|settings| drop(settings.countries.insert(Channel::Sms, own)));
            let case = case.to("+4915123456789");
            let way = Way { countries, ..case.way(Channel::Sms) };
            assert_eq!(found((RULE.judge)(&way)), finds, "{allow:?} {refuse:?} {watch:?} {countries:?}");
        }
    }
}
