//! What a world cannot be: each with its key, and what it may be.

use super::attack::{Attack, Numbers};
use super::parameters::{Country, Delay, Range, World};

/// The longest world, in days.
const LONGEST: u32 = 366;

/// The most crowds, brands and attacks, and the most that anybody asks in one world.
const MOST_KINDS: usize = 250;
const MOST_ASKED: f64 = 2e7;

/// What is found so far.
struct Found(Vec<String>);

impl Found {
    fn share(&mut self, key: String, value: f64) {
        self.between(key, value, (0.0, 1.0));
    }

    fn between(&mut self, key: String, value: f64, (least, most): (f64, f64)) {
        if !(least..=most).contains(&value) {
            self.0.push(format!("{key} is from {least} to {most}"));
        }
    }

    fn one_of<'a>(&mut self, key: String, name: &str, known: impl Iterator<Item = &'a str> + Clone) {
        if known.clone().all(|one| one != name) {
            self.0.push(format!("{key} is one of {}", known.collect::<Vec<_>>().join(", ")));
        }
    }

    fn delay(&mut self, key: &str, delay: Delay) {
        self.between(format!("{key}.median"), delay.median, (1.0, 86_400.0));
        self.between(format!("{key}.sigma"), delay.sigma, (0.0, 4.0));
    }

    fn ranges(&mut self, key: &str, ranges: &[Range]) {
        if ranges.is_empty() {
            self.0.push(format!("{key} has one range at least: [\"+4474\", 8, 1.0]"));
        }
        for Range(prefix, digits, share) in ranges {
            let known = prefix.strip_prefix('+').unwrap_or_default();
            let is_number = !known.is_empty() && known.bytes().all(|digit| digit.is_ascii_digit());
            if !is_number || known.len() + *digits as usize > 15 || *digits == 0 {
                self.0.push(format!(
                    "{key}: {prefix} begins with + and has with its {digits} digits behind it 15 at most"
                ));
            }
            self.between(format!("{key}: share of {prefix}"), *share, (0.0, 1e9));
        }
    }
}

impl World {
    /// What it cannot be; nothing where all is well.
    pub fn mistakes(&self) -> Vec<String> {
        let mut found = Found(Vec::new());
        found.between("days".into(), self.days.into(), (1.0, LONGEST.into()));
        if self.record_days >= self.days {
            found.0.push("record_days is less than days".into());
        }
        found.between("scale".into(), self.scale, (0.0, 1000.0));
        if self.start.parse::<jiff::Timestamp>().is_err() {
            found.0.push("start is a time like 2026-03-02T00:00:00Z".into());
        }
        self.check_sizes(&mut found);
        self.check_people(&mut found);
        for brand in &self.brands {
            found.between(format!("brands.{}.share", brand.name), brand.share, (0.0, 1e9));
        }
        if self.brands.is_empty() || self.countries.is_empty() {
            found.0.push("brands and countries have one each at least".into());
        }
        self.countries.iter().for_each(|country| check_country(country, &mut found));
        self.check_happenings(&mut found);
        self.attacks.iter().for_each(|attack| self.check_attack(attack, &mut found));
        found.0
    }

    /// So much that no run of it would come to an end.
    fn check_sizes(&self, found: &mut Found) {
        if self.seeds.is_empty() {
            found.0.push("seeds has one at least".into());
        }
        for (key, count) in
            [("brands", self.brands.len()), ("crowds", self.crowds.len()), ("attacks", self.attacks.len())]
        {
            if count > MOST_KINDS {
                found.0.push(format!("{key} are {MOST_KINDS} at most"));
            }
        }
        let rates: f64 = self.countries.iter().map(|country| country.rate).sum();
        let crowds: u64 = self.crowds.iter().map(|crowd| crowd.people).sum();
        let phases = self.attacks.iter().flat_map(|attack| &attack.phases);
        let messages: f64 = phases.map(|phase| phase.per_hour * phase.hours).sum();
        let asked = rates * self.scale * f64::from(self.days) + crowds as f64 + messages;
        if asked > MOST_ASKED {
            found.0.push(format!(
                "scale, rates, days, crowds and attacks come to {MOST_ASKED} requests at most"
            ));
        }
        for (key, weights) in
            [("clock.hours", &self.clock.hours[..]), ("clock.weekdays", &self.clock.weekdays)]
        {
            if weights.iter().any(|weight| !(0.0..=1e9).contains(weight))
                || weights.iter().sum::<f64>() <= 0.0
            {
                found.0.push(format!("{key} are weights from 0 on, one of them above"));
            }
        }
    }

    fn check_people(&self, found: &mut Found) {
        let (people, networks) = (&self.people, &self.networks);
        for (key, share) in [
            ("people.returning", people.returning),
            ("people.resend_verified", people.resend_verified),
            ("people.resend_abandoned", people.resend_abandoned),
            ("people.resend_by_call", people.resend_by_call),
            ("people.wrong_number", people.wrong_number),
            ("people.retry", people.retry),
            ("people.voip", people.voip),
            ("networks.mobile", networks.mobile),
            ("networks.office", networks.office),
            ("networks.vpn", networks.vpn),
            ("networks.ipv6", networks.ipv6),
            ("provider.unsent", self.provider.unsent),
        ] {
            found.share(key.to_owned(), share);
        }
        found.delay("people.verify_delay", people.verify_delay);
        found.delay("people.resend_delay", people.resend_delay);
        found.delay("people.correct_delay", people.correct_delay);
        found.delay("provider.verdict_delay", self.provider.verdict_delay);
    }

    fn check_happenings(&self, found: &mut Found) {
        let codes = self.countries.iter().map(|country| country.code.as_str());
        let brands = self.brands.iter().map(|brand| brand.name.as_str());
        for launch in &self.launches {
            found.one_of("launches.country".into(), &launch.country, codes.clone());
        }
        for crowd in &self.crowds {
            found.one_of("crowds.country".into(), &crowd.country, codes.clone());
            found.one_of("crowds.brand".into(), &crowd.brand, brands.clone());
        }
        for campaign in &self.campaigns {
            found.between("campaigns.factor".into(), campaign.factor, (1.0, 1000.0));
            if let Some(brand) = &campaign.brand {
                found.one_of("campaigns.brand".into(), brand, brands.clone());
            }
        }
        for outage in &self.outages {
            found.one_of("outages.country".into(), &outage.country, codes.clone());
            found.share("outages.conversion".into(), outage.conversion);
            let ranges = self.country(&outage.country).map(|place| &self.countries[place].ranges);
            for range in ranges.iter().flat_map(|_| &outage.ranges) {
                let known = ranges.into_iter().flatten().map(|known| known.0.as_str());
                found.one_of("outages.ranges".into(), range, known);
            }
        }
    }

    fn check_attack(&self, attack: &Attack, found: &mut Found) {
        let key = |of: &str| format!("attacks.{}.{of}", attack.name);
        found.one_of(key("brand"), &attack.brand, self.brands.iter().map(|brand| brand.name.as_str()));
        for code in &attack.countries {
            found.one_of(key("countries"), code, self.countries.iter().map(|country| country.code.as_str()));
        }
        if attack.countries.is_empty() && attack.targets.is_empty() {
            found.0.push(format!("{} or {} names one at least", key("countries"), key("targets")));
        }
        for target in &attack.targets {
            found.ranges(&key("targets"), &target.ranges);
            if target.price.is_none() && self.country(&target.country).is_none() {
                found.0.push(format!(
                    "{}: {} is no country of the world and needs a price",
                    key("targets"),
                    target.country
                ));
            }
        }
        if matches!(attack.numbers, Numbers::Consecutive { block: 0 } | Numbers::Pool { count: 0 }) {
            found.0.push(format!("{} has block or count of one at least", key("numbers")));
        }
        found.share(key("resends"), attack.resends);
        found.share(key("verdicts"), attack.verdicts);
        for phase in &attack.phases {
            found.share(key("phases.verifies"), phase.verifies);
            found.between(key("phases.per_hour"), phase.per_hour, (0.0, 1e6));
            found.between(key("phases.hours"), phase.hours, (0.0, f64::from(LONGEST) * 24.0));
        }
    }
}

fn check_country(country: &Country, found: &mut Found) {
    let key = |of: &str| format!("countries.{}.{of}", country.code);
    found.share(key("conversion"), country.conversion);
    found.between(key("rate"), country.rate, (0.0, 1e7));
    found.between(key("price"), country.price, (0.0, 100.0));
    found.between(key("offset"), country.offset.into(), (-12.0, 14.0));
    found.ranges(&key("ranges"), &country.ranges);
}
