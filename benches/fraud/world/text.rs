//! The tables that are printed. It refuses to know how the figures came about.

use super::report::{AttackFigures, Figures, Report};
use super::visits::Group;
use std::fmt;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.head)?;
        self.attacks(f)?;
        self.honest(f)?;
        if self.why {
            self.models.iter().try_for_each(|figures| why(f, figures))?;
        }
        let width = self.aims.iter().map(|(text, _)| text.len()).max().unwrap_or(0);
        for (text, met) in &self.aims {
            writeln!(f, "{text:<width$}  {}", if *met { "met" } else { "MISSED" })?;
        }
        Ok(())
    }
}

impl Report {
    fn attacks(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.models.first().filter(|figures| !figures.attacks.is_empty()) else {
            return Ok(());
        };
        for attack in &first.attacks {
            writeln!(f, "{:<20} {}", attack.name, attack.about)?;
        }
        writeln!(
            f,
            "\n{:<20} {:<9} {:>8} {:>9} {:>10} {:>11}  sent before the first refusal",
            "attack", "model", "messages", "refused", "lost $", "normal days"
        )?;
        for place in 0..first.attacks.len() {
            for figures in &self.models {
                attack(f, figures.model, &figures.attacks[place])?;
            }
        }
        for figures in &self.models {
            attack(f, figures.model, &figures.all)?;
        }
        writeln!(f)
    }

    fn honest(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<9} {:>9} {:>18} {:>18} {:>18} {:>18} {:>9} {:>9} {:>9} {:>8}",
            "model",
            "people",
            "hindered",
            "of the launch",
            "of the campaign",
            "of the crowd",
            "requests",
            "refused",
            "verified",
            "µs each"
        )?;
        for figures in &self.models {
            let of = |group: Group| {
                let found = figures.groups.iter().find(|(of, _, _)| *of == group);
                found.map_or_else(|| "-".to_owned(), |(_, all, hindered)| share(*hindered, *all))
            };
            let Figures { model, people, requests, requests_refused, verified, micros_each, .. } = figures;
            let hindered = share(figures.hindered, *people);
            let [launch, campaign, crowd] = Group::ALL.map(of);
            writeln!(
                f,
                "{model:<9} {people:>9} {hindered:>18} {launch:>18} {campaign:>18} {crowd:>18} {requests:>9} {requests_refused:>9} {verified:>9} {micros_each:>8.2}"
            )?;
        }
        writeln!(f)
    }
}

fn attack(f: &mut fmt::Formatter<'_>, model: &str, figures: &AttackFigures) -> fmt::Result {
    let AttackFigures { name, asked, dollars, .. } = figures;
    let refused = format!("{:.2} %", figures.share() * 100.0);
    let days = figures.normal_days.map_or_else(String::new, |days| format!("{days:.2}"));
    let each: Vec<String> = figures.first_refusals.iter().map(u64::to_string).collect();
    writeln!(
        f,
        "{name:<20} {model:<9} {asked:>8} {refused:>9} {dollars:>10.2} {days:>11}  {}",
        each.join(" ")
    )
}

fn share(part: usize, all: usize) -> String {
    format!("{part} ({:.3} %)", part as f64 * 100.0 / all.max(1) as f64)
}

fn why(f: &mut fmt::Formatter<'_>, figures: &Figures) -> fmt::Result {
    let line = |counts: &[(String, u64)]| {
        let first = counts.iter().take(12).map(|(name, count)| format!("{name} {count}"));
        first.collect::<Vec<_>>().join(", ")
    };
    for attack in &figures.attacks {
        writeln!(f, "{}: {} was refused by {}", figures.model, attack.name, line(&attack.reasons))?;
    }
    writeln!(f, "{}: honest requests were refused by {}", figures.model, line(&figures.reasons))?;
    writeln!(f, "{}: people were hindered in {}\n", figures.model, line(&figures.countries))
}
