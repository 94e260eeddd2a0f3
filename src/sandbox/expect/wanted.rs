//! What a test awaits, as the query says it. Patterns are regular expressions that
//! look for no case.

use crate::sandbox::incoming::Form;
use crate::sandbox::phone::Text;
use crate::sandbox::resource::{Call, Caption, Message};
use regex::{Regex, RegexBuilder};
use serde_json::{Value, json};

/// What the query may say.
const NAMES: [&str; 7] = ["to", "from", "body~", "said~", "channel", "since", "within"];
/// The channels.
const CHANNELS: [&str; 3] = ["sms", "whatsapp", "call"];
/// The longest pattern, in bytes, and the largest that it may become.
const PATTERN: usize = 1_000;
const COMPILED: usize = 1024 * 1024;

/// What is awaited.
#[derive(Default)]
pub(super) struct Wanted {
    to: Option<String>,
    from: Option<String>,
    body: Option<Regex>,
    said: Option<Regex>,
    channel: Option<String>,
    since: Option<String>,
}

impl Wanted {
    /// Reads it from the query, or says what is wrong with that.
    pub fn read(query: &Form) -> Result<Self, String> {
        if let Some((other, _)) = query.0.iter().find(|(name, _)| !NAMES.contains(&name.as_str())) {
            return Err(format!("{other} is not known: write {}", NAMES.join(", ")));
        }
        let (to, on_whatsapp) = number(query.get("to"));
        let (from, from_whatsapp) = number(query.get("from"));
        let channel = query.get("channel").map(str::to_owned);
        if let Some(other) = channel.as_deref().filter(|channel| !CHANNELS.contains(channel)) {
            return Err(format!("channel={other}: it is one of {}", CHANNELS.join(", ")));
        }
        let channel = channel.or((on_whatsapp || from_whatsapp).then(|| "whatsapp".to_owned()));
        let wanted = Self {
            to,
            from,
            body: pattern(query, "body~")?,
            said: pattern(query, "said~")?,
            channel,
            since: query.get("since").map(str::to_owned),
        };
        match (&wanted.body, &wanted.said, wanted.channel.as_deref()) {
            (Some(_), Some(_), _) => {
                Err("body~ is of texts and said~ of calls: write one of them".to_owned())
            }
            (Some(_), _, Some("call")) => Err("a call has no body: write said~".to_owned()),
            (_, Some(_), Some("sms" | "whatsapp")) => Err("said~ is of calls".to_owned()),
            _ => Ok(wanted),
        }
    }

    /// Whether a telephone is the one, or any is.
    pub fn is_to(&self, number: &str) -> bool {
        self.to.as_ref().is_none_or(|to| to == number)
    }

    /// Whether this is the last one that does not count.
    pub fn is_since(&self, sid: &str) -> bool {
        self.since.as_deref() == Some(sid)
    }

    /// Whether words of a call are as wanted.
    pub fn is_said(&self, words: &str) -> bool {
        self.said.as_ref().is_none_or(|said| said.is_match(words))
    }

    /// What a text lacks; nothing when it is as wanted.
    pub fn faults_of_text(&self, text: &Text) -> Vec<String> {
        self.faults_of_words(&text.from, &text.to, text.channel(), &text.body)
    }

    /// The same of a message that is on no telephone.
    pub fn faults_of_message(&self, message: &Message) -> Vec<String> {
        let from = message.from.as_ref().map(ToString::to_string).unwrap_or_default();
        let channel = if message.to.whatsapp { "whatsapp" } else { "sms" };
        self.faults_of_words(&from, &message.to.to_string(), channel, &message.words)
    }

    fn faults_of_words(&self, from: &str, to: &str, channel: &str, body: &str) -> Vec<String> {
        let mut faults = self.faults_of_ends(from, to, channel);
        if self.said.is_some() {
            faults.push("it is no call".to_owned());
        }
        if self.body.as_ref().is_some_and(|pattern| !pattern.is_match(body)) {
            faults.push("its body is another".to_owned());
        }
        faults
    }

    /// What a call lacks. Unless a call or its words are asked for, none is wanted.
    pub fn faults_of_call(&self, call: &Call) -> Vec<String> {
        let mut faults = self.faults_of_ends(&call.from, &call.to, "call");
        if self.said.is_none() && self.channel.is_none() {
            faults.push("it is no text".to_owned());
        }
        if let Some(said) = &self.said
            && !call.captions.iter().any(|words| said.is_match(&words.text))
            && !said.is_match(&in_one(&call.captions))
        {
            faults.push("something else was said".to_owned());
        }
        faults
    }

    fn faults_of_ends(&self, from: &str, to: &str, channel: &str) -> Vec<String> {
        let bare = |address: &str| address.strip_prefix("whatsapp:").unwrap_or(address).to_owned();
        let mut faults = Vec::new();
        if !self.is_to(&bare(to)) {
            faults.push(format!("it is to {to}"));
        }
        if self.from.as_ref().is_some_and(|wanted| *wanted != bare(from)) {
            faults.push(format!("it is from {from}"));
        }
        if self.channel.as_deref().is_some_and(|wanted| wanted != channel) {
            faults.push(format!("its channel is {channel}"));
        }
        faults
    }

    /// What is wanted, for whoever did not get it.
    pub fn document(&self) -> Value {
        let pattern = |regex: &Option<Regex>| regex.as_ref().map(|regex| regex.as_str().to_owned());
        let all = [
            ("to", self.to.clone()),
            ("from", self.from.clone()),
            ("body~", pattern(&self.body)),
            ("said~", pattern(&self.said)),
            ("channel", self.channel.clone()),
            ("since", self.since.clone()),
        ];
        let said = all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value?))));
        Value::Object(said.collect())
    }
}

/// A number as it stands in a query, where a plus that nobody encoded is a blank;
/// and whether it is one on WhatsApp.
fn number(text: Option<&str>) -> (Option<String>, bool) {
    let Some(text) = text else { return (None, false) };
    let (bare, on_whatsapp) = match text.strip_prefix("whatsapp:") {
        Some(bare) => (bare, true),
        None => (text, false),
    };
    let lost_plus = bare.starts_with(' ') && bare.trim().bytes().all(|byte| byte.is_ascii_digit());
    let number = if lost_plus { format!("+{}", bare.trim()) } else { bare.trim().to_owned() };
    (Some(number), on_whatsapp)
}

fn pattern(query: &Form, name: &str) -> Result<Option<Regex>, String> {
    let Some(text) = query.get(name) else { return Ok(None) };
    if text.len() > PATTERN {
        return Err(format!("{name} is longer than {PATTERN} bytes"));
    }
    let built = RegexBuilder::new(text).case_insensitive(true).size_limit(COMPILED).build();
    built.map(Some).map_err(|error| {
        let why = error.to_string();
        format!("{name} is no regular expression: {}", why.lines().last().unwrap_or_default())
    })
}

/// All that was said.
pub fn in_one(captions: &[Caption]) -> String {
    captions.iter().map(|said| said.text.as_str()).collect::<Vec<_>>().join(" ")
}
