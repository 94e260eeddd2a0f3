//! What came of a world under each model, as figures, and which aims were met.

use super::attack::Attack;
use super::parameters::World;
use super::tally::Tally;
use super::visits::{Group, Stream};
use std::time::Duration;

/// What came of a world.
#[derive(Debug)]
pub struct Report {
    /// The world in a line.
    pub head: String,
    pub models: Vec<Figures>,
    /// What was to be reached, what was, and whether it is.
    pub aims: Vec<(String, bool)>,
    pub why: bool,
}

/// What came of it under one model.
#[derive(Debug, Clone)]
pub struct Figures {
    pub model: &'static str,
    pub attacks: Vec<AttackFigures>,
    /// All attacks together.
    pub all: AttackFigures,
    pub people: usize,
    pub hindered: usize,
    /// Of each group that there is: how many there are, and how many were hindered.
    pub groups: Vec<(Group, usize, usize)>,
    pub requests: u64,
    pub requests_refused: u64,
    pub verified: u64,
    pub micros_each: f64,
    /// Which rules hindered whom, the most frequent first.
    pub reasons: Vec<(String, u64)>,
    pub countries: Vec<(String, u64)>,
}

/// What came of an attack.
#[derive(Debug, Clone, Default)]
pub struct AttackFigures {
    pub name: String,
    pub about: String,
    pub asked: u64,
    pub refused: u64,
    pub dollars: f64,
    /// How many were sent before the first that was refused, of each burst.
    pub first_refusals: Vec<u64>,
    /// The loss in normal days of the country, where it pumps slowly.
    pub normal_days: Option<f64>,
    pub reasons: Vec<(String, u64)>,
}

impl AttackFigures {
    /// What of it was refused; all where nothing was asked.
    pub fn share(&self) -> f64 {
        if self.asked == 0 { 1.0 } else { self.refused as f64 / self.asked as f64 }
    }

    /// The worst of its bursts.
    pub fn first_refusal(&self) -> Option<u64> {
        self.first_refusals.iter().max().copied()
    }
}

impl Figures {
    /// What of honest people were hindered.
    pub fn hindered_share(&self) -> f64 {
        self.hindered as f64 / self.people.max(1) as f64
    }
}

impl Report {
    /// What came of it, of each model that lived through it.
    pub fn new(
        world: &World,
        stream: &Stream,
        (seed, generated): (u64, Duration),
        lives: Vec<(&'static str, Tally)>,
    ) -> Self {
        let people = stream.people(None);
        let groups: Vec<(Group, usize)> =
            Group::ALL.map(|group| (group, stream.people(Some(group)))).to_vec();
        let figures = |(model, tally)| figures(world, model, tally, (people, &groups));
        let models: Vec<Figures> = lives.into_iter().map(figures).collect();
        let head = format!(
            "seed {seed}: {} days from {}, {} of them looked on; {} countries, {people} honest people after that, {} visits in all, {} messages of attackers; generated in {:.1} s",
            world.days,
            world.start,
            world.record_days,
            world.countries.len(),
            stream.visits.len(),
            stream.messages.len(),
            generated.as_secs_f64(),
        );
        let mut report = Self { head, models, aims: Vec::new(), why: false };
        report.aims = aims(world, &report);
        report
    }

    /// What came of it under the model of that name.
    pub fn of(&self, model: &str) -> Option<&Figures> {
        self.models.iter().find(|figures| figures.model == model)
    }
}

fn figures(
    world: &World,
    model: &'static str,
    tally: Tally,
    (people, groups): (usize, &[(Group, usize)]),
) -> Figures {
    let mut attacks = Vec::new();
    for (attack, came) in world.attacks.iter().zip(&tally.attacks).filter(|(attack, _)| attack.on) {
        let bursts = attack.phases.iter().zip(&came.phases);
        let bursts = bursts.filter(|(phase, burst)| phase.burst && !attack.slow && burst.asked > 0);
        let dollars = came.lost as f64 / 1e6;
        attacks.push(AttackFigures {
            name: attack.name.clone(),
            about: attack.about.clone(),
            asked: came.asked,
            refused: came.refused,
            dollars,
            first_refusals: bursts.map(|(_, burst)| burst.passed()).collect(),
            normal_days: normal_day(world, attack).filter(|_| attack.slow).map(|day| dollars / day),
            reasons: sorted(&came.reasons),
        });
    }
    let honest = tally.honest;
    let hindered = honest.of_groups.iter().map(|hindered| hindered.len());
    let groups = groups.iter().zip(hindered).map(|((group, all), hindered)| (*group, *all, hindered));
    Figures {
        model,
        all: together(&attacks),
        attacks,
        people,
        hindered: honest.hindered.len(),
        groups: groups.filter(|(_, all, _)| *all > 0).collect(),
        requests: honest.asked,
        requests_refused: honest.refused,
        verified: honest.verified,
        micros_each: tally.took.as_secs_f64() * 1e6 / tally.decisions.max(1) as f64,
        reasons: sorted(&honest.reasons),
        countries: sorted(&honest.countries),
    }
}

fn together(attacks: &[AttackFigures]) -> AttackFigures {
    let mut all = AttackFigures { name: "all".to_owned(), ..AttackFigures::default() };
    for attack in attacks {
        all.asked += attack.asked;
        all.refused += attack.refused;
        all.dollars += attack.dollars;
        all.first_refusals.extend(attack.first_refusal());
        let days = attack.normal_days.into_iter().chain(all.normal_days);
        all.normal_days = days.reduce(f64::max);
    }
    all
}

/// What a normal day of the countries of an attack costs; nothing where nobody is there.
fn normal_day(world: &World, attack: &Attack) -> Option<f64> {
    let mut codes: Vec<&str> = attack.countries.iter().map(String::as_str).collect();
    codes.extend(attack.targets.iter().map(|target| target.country.as_str()));
    codes.sort_unstable();
    codes.dedup();
    let of = |code: &&str| {
        let country = &world.countries[world.country(code)?];
        Some(country.rate * world.scale * country.price)
    };
    let day: f64 = codes.iter().filter_map(of).sum();
    (day > 0.0).then_some(day)
}

fn sorted(counts: &std::collections::BTreeMap<String, u64>) -> Vec<(String, u64)> {
    let mut sorted: Vec<(String, u64)> = counts.iter().map(|(name, count)| (name.clone(), *count)).collect();
    sorted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    sorted
}

/// What was to be reached by Dialback's own, alone and beside authgear's.
fn aims(world: &World, report: &Report) -> Vec<(String, bool)> {
    let Some(ours) = report.of("dialback") else { return Vec::new() };
    let aims = &world.aims;
    let mut all = Vec::new();
    let mut aim = |text: String, met: bool| all.push((text, met));
    if ours.all.asked > 0 {
        let text = format!(
            "refused {:.2} % of attackers' messages, at least {} %",
            ours.all.share() * 100.0,
            aims.refused * 100.0
        );
        aim(text, ours.all.share() >= aims.refused);
    }
    let text = format!(
        "hindered {:.3} % of honest people, under {} %",
        ours.hindered_share() * 100.0,
        aims.hindered * 100.0
    );
    aim(text, ours.hindered_share() < aims.hindered);
    if let Some(worst) = ours.all.first_refusal() {
        aim(
            format!("{worst} sent before the first refusal of a burst, at most {}", aims.first_refusal),
            worst <= aims.first_refusal,
        );
    }
    if let Some(days) = ours.all.normal_days {
        aim(
            format!("slow pumping cost {days:.2} normal days, under {}", aims.normal_days),
            days < aims.normal_days,
        );
    }
    let Some(theirs) = report.of("authgear") else { return all };
    if ours.all.asked > 0 {
        let shares = (ours.all.share(), theirs.all.share());
        aim(
            format!("refused {:.2} % beside authgear's {:.2} %", shares.0 * 100.0, shares.1 * 100.0),
            shares.0 > shares.1,
        );
        let dollars = (ours.all.dollars, theirs.all.dollars);
        aim(
            format!("lost {:.2} dollars beside authgear's {:.2}", dollars.0, dollars.1),
            dollars.0 < dollars.1,
        );
    }
    let shares = (ours.hindered_share() * 100.0, theirs.hindered_share() * 100.0);
    aim(format!("hindered {:.3} % beside authgear's {:.3} %", shares.0, shares.1), shares.0 < shares.1);
    if let (Some(ours), Some(theirs)) = (ours.all.first_refusal(), theirs.all.first_refusal()) {
        aim(format!("first refusal after {ours} beside authgear's {theirs}"), ours < theirs);
    }
    all
}
