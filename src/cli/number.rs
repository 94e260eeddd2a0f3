//! `dialback number`: how numbers are read, one line each, without a server.

use super::Global;
use super::out::Stdout;
use super::serve::parts::{self, service_id};
use crate::config::Config;
use crate::model::phone::{NumberPolicy, PhoneError, PhoneNumber};
use crate::model::region;
use crate::model::service::Service;
use crate::model::test_number::TestNumber;
use anyhow::{Context, bail};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::ExitCode;
use std::sync::Arc;

/// Arguments of `dialback number`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Numbers as people write them; - reads them from standard input, one a line,
    /// and answers each line with one
    #[arg(required = true, value_name = "NUMBER")]
    numbers: Vec<String>,
    /// The country of numbers that are written without one, like DE [default: numbers.default_region]
    #[arg(long, value_name = "REGION", value_parser = region_of)]
    region: Option<String>,
    /// The service of the configuration whose channels are shown, by its key there, its name or its id
    #[arg(long, value_name = "SERVICE")]
    service: Option<String>,
    /// Print a JSON object a line
    #[arg(long)]
    json: bool,
}

/// What numbers are judged by.
struct Judge {
    policy: NumberPolicy,
    tests: Vec<TestNumber>,
    now: Timestamp,
    service: Arc<Service>,
}

/// How one number was read.
struct Reading {
    /// What was given.
    given: String,
    /// The number, also one of a kind that is refused.
    number: Option<PhoneNumber>,
    /// Whether it is for tests.
    test: bool,
    /// Why it is refused.
    refused: Option<PhoneError>,
    /// The channels that the service would use, the preferred one first.
    channels: Vec<&'static str>,
}

/// Runs the command. A number that is refused makes it fail.
///
/// # Errors
/// What stopped it, in words for the person at the terminal.
pub async fn run(global: &Global, args: Args) -> anyhow::Result<ExitCode> {
    let config = super::configured::load(global)?.config;
    let judge = Judge::of(&config, &args)?;
    let written = tokio::task::spawn_blocking(move || judge.all(&args)).await?;
    match written {
        Ok(true) => Ok(ExitCode::SUCCESS),
        Ok(false) => Ok(ExitCode::FAILURE),
        Err(error) => Err(error).context("cannot read the numbers"),
    }
}

impl Judge {
    fn of(config: &Config, args: &Args) -> anyhow::Result<Self> {
        let mut policy = parts::numbers(config);
        policy.default_region = args.region.clone().or(policy.default_region);
        let now = Timestamp::now();
        let directory = parts::directory(config, now);
        let service = match &args.service {
            None => directory.default_service().clone(),
            Some(name) => {
                let id = service_id(config, name)?;
                let Some(service) = directory.of_configuration().find(|service| service.id == id) else {
                    bail!("{id} is no service of the configuration: see `services` there");
                };
                service.clone()
            }
        };
        Ok(Self { policy, tests: config.test_numbers.clone(), now, service })
    }

    /// Reads all, and says whether none was refused.
    fn all(&self, args: &Args) -> std::io::Result<bool> {
        let mut out = std::io::BufWriter::new(Stdout::new());
        let (mut all_taken, mut all_named) = (true, true);
        let mut one = |given: &str, out: &mut dyn Write| {
            let reading = self.read(given);
            // A blank line is answered with one, so that answers stand beside what
            // was asked; it is nobody's number, and none that was refused.
            let is_blank = given.trim().is_empty();
            all_taken &= is_blank || reading.refused.is_none();
            match args.json {
                false if is_blank => writeln!(out),
                true => writeln!(out, "{}", reading.json()),
                false => writeln!(out, "{}", reading.line()),
            }
        };
        for number in &args.numbers {
            if number == "-" {
                let mut input = BufReader::new(std::io::stdin().lock());
                let mut line = Vec::new();
                while input.read_until(b'\n', &mut line)? > 0 {
                    let text = String::from_utf8_lossy(&line);
                    one(text.trim_end_matches(['\r', '\n']), &mut out)?;
                    line.clear();
                }
            } else {
                one(number, &mut out)?;
                all_named &= !number.trim().is_empty();
            }
        }
        out.flush()?;
        Ok(all_taken && all_named)
    }

    fn read(&self, given: &str) -> Reading {
        let is_test = |number: &PhoneNumber| self.tests.iter().any(|test| test.covers(number, self.now));
        let read = |policy: &NumberPolicy| PhoneNumber::parse_or_known(given, policy, is_test);
        let (number, refused) = match read(&self.policy) {
            Ok(number) => (Some(number), None),
            Err(refused @ PhoneError::RefusedKind(_)) => {
                let open = NumberPolicy { refuse: [].into(), ..self.policy.clone() };
                (read(&open).ok(), Some(refused))
            }
            Err(refused) => (None, Some(refused)),
        };
        let usable = number.as_ref().filter(|_| refused.is_none());
        let channels = usable.map(|number| self.service.channels_for(number)).unwrap_or_default();
        Reading {
            given: given.to_owned(),
            test: number.as_ref().is_some_and(is_test),
            number,
            refused,
            channels: channels.into_iter().map(|channel| channel.as_str()).collect(),
        }
    }
}

impl Reading {
    /// For a person, and for `cut`: columns with a tab between.
    fn line(&self) -> String {
        // What was given may hold anything; a terminal is to show it.
        let given: String = self.given.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        let mut columns = vec![given];
        if let Some(number) = &self.number {
            let kind = if self.test { "test number".to_owned() } else { number.line().to_string() };
            let region = number.region().unwrap_or_else(|| "-".to_owned());
            columns.extend([number.in_full().to_owned(), region, kind]);
        }
        columns.push(match (&self.refused, self.channels.is_empty()) {
            (Some(refused), _) => format!("refused: {refused}"),
            (None, true) => "no channel of the service goes there".to_owned(),
            (None, false) => self.channels.join(", "),
        });
        columns.join("\t")
    }

    fn json(&self) -> Value {
        let number = self.number.as_ref();
        json!({
            "given": self.given,
            "number": number.map(PhoneNumber::in_full),
            "region": number.and_then(PhoneNumber::region),
            "kind": number.map(|number| number.line().to_string()),
            "test": self.test,
            "valid": self.refused.is_none(),
            "refused": self.refused.as_ref().map(|refused| json!({
                "code": refused.code(),
                "detail": refused.to_string(),
            })),
            "channels": self.channels,
        })
    }
}

fn region_of(text: &str) -> Result<String, String> {
    let id = text.to_ascii_uppercase();
    match region::find(&id) {
        Some(region) => Ok(region.id.clone()),
        None => Err("no country has this code; write two letters, like DE".to_owned()),
    }
}
