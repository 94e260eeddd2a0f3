//! Content templates: which the sandbox knows, what their words become, and
//! whether WhatsApp lets them out.
//!
//! Every well-formed SID names an approved template, so that nobody has to set
//! one up; a control gives one its words or takes its approval away, and those that
//! are made as contents are here too. This module refuses to know messages and phones.

use super::content::{AUTHENTICATION_BODY, Made};
use super::fields::is_sid;
use super::incoming::Form;
use super::refusal::Refusal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, VecDeque};

/// The authentication template that every sandbox has: `HX` and the words
/// "dialback sandbox" in hexadecimal ASCII. Its one variable, `1`, is the code.
pub const AUTHENTICATION: &str = "HX6469616c6261636b2073616e64626f78";

/// What a message was asked to be made from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Content {
    /// The template, `HX…`.
    pub sid: String,
    /// The variables with their values, in the order in which they were given.
    pub variables: Vec<(String, String)>,
}

impl Content {
    /// Reads `ContentSid` and `ContentVariables`; nothing without either.
    ///
    /// # Errors
    /// 21655 for what is no SID, 21656 for variables that are not an object of
    /// texts, 21654 for variables without a template.
    pub fn read(form: &Form) -> Result<Option<Self>, Refusal> {
        let variables = form.get("ContentVariables").map(variables).transpose()?;
        match (form.get("ContentSid"), variables) {
            (Some(sid), variables) if is_sid(sid, "HX") => {
                Ok(Some(Self { sid: sid.to_owned(), variables: variables.unwrap_or_default() }))
            }
            (Some(_), _) => Err(Refusal::bad(21655, "The ContentSid is Invalid")),
            (None, Some(_)) => Err(Refusal::bad(21654, "ContentSid Required")),
            (None, None) => Ok(None),
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.variables.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

fn variables(text: &str) -> Result<Vec<(String, String)>, Refusal> {
    let wrong = || Refusal::bad(21656, "The ContentVariables Parameter is invalid");
    let object: Map<String, Value> = serde_json::from_str(text).map_err(|_| wrong())?;
    let texts = object.into_iter().map(|(name, value)| match value {
        Value::String(value) if !value.is_empty() => Ok((name, value)),
        _ => Err(wrong()),
    });
    texts.collect()
}

/// How a template stands with WhatsApp.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Approval {
    /// It may open a conversation.
    #[default]
    Approved,
    /// Nobody asked WhatsApp for its approval.
    Unapproved,
    /// WhatsApp thinks about it.
    Pending,
    /// WhatsApp refused it.
    Rejected,
    /// Too many people complained of it.
    Paused,
    /// Too many people complained of it again.
    Disabled,
    /// WhatsApp does not have it in this language.
    Missing,
}

impl Approval {
    /// Twilio's word, which for one that nobody submitted is `unsubmitted`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Unapproved => "unsubmitted",
            Self::Pending => "pending",
            Self::Rejected | Self::Missing => "rejected",
            Self::Paused => "paused",
            Self::Disabled => "disabled",
        }
    }
}

/// A template as it was made.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Template {
    /// How it stands.
    #[serde(default)]
    pub status: Approval,
    /// Its words with `{{name}}` for each variable; without words it shows its
    /// SID and its variables.
    #[serde(default)]
    pub body: Option<String>,
    /// The variable that its button copies, if it has a button.
    #[serde(default)]
    pub copy_code: Option<String>,
    /// What it was made of, if it was made as a content.
    #[serde(skip)]
    pub made: Option<Made>,
}

/// What became of a template in a message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Filled {
    /// The template, `HX…`.
    pub sid: String,
    /// The words; a variable that was not given stays as it is written.
    pub words: String,
    /// What the button copies.
    pub copy_code: Option<String>,
    /// True when every variable was given.
    pub complete: bool,
}

/// The templates that have words or a status of their own.
pub(super) struct Templates {
    /// By SID.
    known: BTreeMap<String, Template>,
    /// All but the one that is always there, in the order in which they came.
    order: VecDeque<String>,
    limit: usize,
    /// What WhatsApp says to whoever asks for approval, by language; it approves
    /// the others.
    pub answers: BTreeMap<String, Approval>,
    /// The last that were deleted: they name nothing any more.
    deleted: VecDeque<String>,
}

impl Templates {
    /// The template that is always there; `limit` are kept beside it.
    pub fn new(limit: usize) -> Self {
        let shipped = Template {
            status: Approval::Approved,
            body: Some(AUTHENTICATION_BODY.to_owned()),
            copy_code: Some("1".to_owned()),
            made: None,
        };
        let known = BTreeMap::from([(AUTHENTICATION.to_owned(), shipped)]);
        let (order, deleted) = (VecDeque::new(), VecDeque::new());
        Self { known, order, limit, answers: BTreeMap::new(), deleted }
    }

    /// Makes a message's words of its content; a variable that the message does not
    /// give has the template's own value.
    pub fn fill(&self, content: &Content) -> Filled {
        let template = self.known.get(&content.sid);
        let copied = template.and_then(|template| template.copy_code.as_deref());
        let made = template.and_then(|template| template.made.as_ref());
        let value = |name: &str| content.get(name).or_else(|| made.and_then(|made| made.variable(name)));
        let (words, complete) = match template.and_then(|template| template.body.as_deref()) {
            Some(body) => fill(body, value),
            None => (listed(content), true),
        };
        let copy_code = copied.and_then(value).map(str::to_owned);
        Filled { sid: content.sid.clone(), words, copy_code, complete }
    }

    /// Whether a SID names a template: one that is known, or any that was not
    /// deleted where `all` do.
    pub fn names(&self, sid: &str, all: bool) -> bool {
        self.known.contains_key(sid) || (all && !self.deleted.iter().any(|gone| gone == sid))
    }

    /// Takes one away.
    pub fn remove(&mut self, sid: &str) -> Option<Template> {
        let gone = self.known.remove(sid)?;
        self.order.retain(|kept| kept != sid);
        self.deleted.push_back(sid.to_owned());
        if self.deleted.len() > self.limit {
            self.deleted.pop_front();
        }
        Some(gone)
    }

    /// Keeps a template, in place of the one that had its SID; the oldest goes when there
    /// are too many.
    pub fn push(&mut self, sid: String, template: Template) {
        let is_new = self.known.insert(sid.clone(), template).is_none();
        if is_new {
            self.order.push_back(sid);
        }
        while self.order.len() > self.limit
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    /// One of them.
    pub fn get(&self, sid: &str) -> Option<&Template> {
        self.known.get(sid)
    }

    /// All of them, youngest first, and last the one that is always there. They stand as
    /// they came: a clock has two in one millisecond, and may be set back between two.
    pub fn youngest_first(&self) -> impl Iterator<Item = (&String, &Template)> {
        let shipped = Some(AUTHENTICATION).filter(|sid| self.order.iter().all(|kept| kept != sid));
        let sids = self.order.iter().rev().map(String::as_str).chain(shipped);
        sids.filter_map(|sid| self.known.get_key_value(sid))
    }

    /// The SIDs of those that can go, oldest first.
    #[cfg(test)]
    pub fn sids(&self) -> impl Iterator<Item = &String> {
        self.order.iter()
    }

    /// How a template stands with WhatsApp.
    pub fn approval(&self, sid: &str) -> Approval {
        self.known.get(sid).map_or(Approval::Approved, |template| template.status)
    }

    /// All of them as the controls show them.
    pub fn document(&self) -> Value {
        self.known.iter().map(|(sid, template)| view(sid, template)).collect()
    }
}

/// A template as the controls show it.
pub(super) fn view(sid: &str, template: &Template) -> Value {
    let mut view = json!(template);
    view["sid"] = sid.into();
    if let Some(made) = &template.made {
        view["account_sid"] = json!(made.account);
        view["friendly_name"] = json!(made.name);
        view["language"] = json!(made.language);
    }
    view
}

/// A template whose words nobody told: its SID, and its variables line by line.
fn listed(content: &Content) -> String {
    let lines = content.variables.iter().map(|(name, value)| format!("\n{name}: {value}"));
    format!("[template {}]{}", content.sid, lines.collect::<String>())
}

/// Puts values in the places of their names; also whether all were found.
fn fill<'a>(body: &str, value: impl Fn(&str) -> Option<&'a str>) -> (String, bool) {
    let (mut words, mut complete, mut rest) = (String::new(), true, body);
    while let Some((before, place)) = rest.split_once("{{") {
        let Some((name, after)) = place.split_once("}}") else { break };
        words.push_str(before);
        match value(name.trim()) {
            Some(value) => words.push_str(value),
            None => {
                complete = false;
                words.push_str(&format!("{{{{{name}}}}}"));
            }
        }
        rest = after;
    }
    words.push_str(rest);
    (words, complete)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(pairs: &[(&str, &str)]) -> Form {
        Form(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn the_shipped_sid_is_its_name_in_hexadecimal() {
        assert_eq!(AUTHENTICATION, format!("HX{}", hex::encode("dialback sandbox")));
        assert!(is_sid(AUTHENTICATION, "HX"));
    }

    #[test]
    fn content_is_read_or_refused_with_twilios_code() {
        let read = |pairs: &[(&str, &str)]| Content::read(&form(pairs)).map_err(|refusal| refusal.code);
        let (sid, one) = (("ContentSid", AUTHENTICATION), ("ContentVariables", r#"{"1":"0421"}"#));
        let content = read(&[sid, one]).unwrap().unwrap();
        assert_eq!(content.variables, [("1".to_owned(), "0421".to_owned())]);
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[("ContentSid", "HX1")]), Err(21655));
        assert_eq!(read(&[one]), Err(21654));
        for wrong in ["", "1", "[\"1\"]", r#"{"1":421}"#, r#"{"1":null}"#, r#"{"1":""}"#, r#"{"1":"a""#] {
            let refused = read(&[sid, ("ContentVariables", wrong)]);
            let expected = if wrong.is_empty() { None } else { Some(21656) };
            assert_eq!(refused.err(), expected, "{wrong}");
        }
    }

    #[test]
    fn variables_fill_their_places_and_a_missing_one_shows() {
        let value = |name: &str| (name == "1").then_some("42");
        assert_eq!(fill("*{{1}}* and {{ 1 }}", value), ("*42* and 42".to_owned(), true));
        assert_eq!(fill("{{1}} {{2}}", value), ("42 {{2}}".to_owned(), false));
        assert_eq!(fill("{{1", value), ("{{1".to_owned(), true));
        // A value is text, and never a place.
        assert_eq!(fill("{{1}}", |_| Some("{{1}}")), ("{{1}}".to_owned(), true));
    }

    #[test]
    fn the_youngest_comes_first_whatever_its_sid_and_the_shipped_one_once() {
        let mut templates = Templates::new(2);
        let shown = |templates: &Templates| -> Vec<String> {
            templates.youngest_first().map(|(sid, _)| sid.clone()).collect()
        };
        for sid in ["HXb", "HXa", "HXc", "HXa"] {
            templates.push(sid.to_owned(), Template::default());
        }
        assert_eq!(shown(&templates), ["HXc", "HXa", AUTHENTICATION]);
        templates.remove(AUTHENTICATION);
        assert_eq!(shown(&templates), ["HXc", "HXa"]);
        templates.push(AUTHENTICATION.to_owned(), Template::default());
        assert_eq!(shown(&templates), [AUTHENTICATION, "HXc"]);
    }

    #[test]
    fn an_unknown_template_shows_its_variables() {
        let content = Content {
            sid: format!("HX{}", "a".repeat(32)),
            variables: vec![("name".to_owned(), "Ann".to_owned()), ("1".to_owned(), "0421".to_owned())],
        };
        let filled = Templates::new(9).fill(&content);
        assert_eq!(filled.words, format!("[template {}]\nname: Ann\n1: 0421", content.sid));
        assert_eq!((filled.copy_code, filled.complete), (None, true));
    }
}
