//! TwiML as a list of things to do, and what is wrong with it.
//!
//! Names are case-sensitive. What is unknown is skipped with a warning, as
//! Twilio does; what has no form at all is an error. This module refuses to
//! know calls and time.

use super::verb::{Gather, RECORDING_EVENTS, Record, Reply, Say, Verb};
use super::xml::{self, Element, Node};
use crate::twilio::voices;

/// The verbs of Twilio's that are not played: a call ends where one is its turn.
const NOT_PLAYED: [&str; 9] =
    ["Dial", "Enqueue", "Leave", "Queue", "Refer", "Connect", "Start", "Stop", "Pay"];
/// The longest that `<Record>` records when nobody said, and at most, in seconds.
const RECORD_SECONDS: [u64; 2] = [3_600, 86_400];
/// The keys that end a `<Record>` when nobody said which.
const ANY_KEY: &str = "1234567890*#";
/// The longest recording that is transcribed, in seconds.
const TRANSCRIBED: u64 = 120;

/// What a document asks for, in order, with what was skipped.
#[derive(Clone, Debug, Default)]
pub(super) struct Script {
    /// The verbs in their order, without what was skipped.
    pub verbs: Vec<Verb>,
    /// Error codes and texts of what was skipped or mended.
    pub warnings: Vec<(u32, String)>,
}

/// Reads a document, or says which error it is.
pub(super) fn read(text: &str) -> Result<Script, (u32, String)> {
    let root = xml::parse(text).map_err(|why| (12100, format!("document parse failure: {why}")))?;
    if root.name != "Response" {
        return Err((12102, format!("the root element must be Response, not {}", root.name)));
    }
    let mut script = Script::default();
    if !root.text().is_empty() {
        script.warn(12200, "text outside of verbs is ignored");
    }
    for element in root.elements() {
        let verb = script.verb(element);
        script.verbs.extend(verb);
    }
    Ok(script)
}

impl Script {
    fn warn(&mut self, code: u32, text: impl Into<String>) {
        self.warnings.push((code, text.into()));
    }

    fn verb(&mut self, element: &Element) -> Option<Verb> {
        match element.name.as_str() {
            "Say" | "Play" | "Pause" => self.sound(element),
            "Gather" => Some(Verb::Gather(Box::new(self.gather(element)))),
            "Record" => Some(Verb::Record(Box::new(self.record(element)))),
            "Redirect" => {
                Some(Verb::Redirect { url: element.text(), get: self.is_get(element, "method", 13710) })
            }
            "Hangup" => Some(Verb::Hangup),
            "Reject" => Some(Verb::Reject { busy: element.attribute("reason") == Some("busy") }),
            "Message" => Some(Verb::Message(reply(element))),
            "Sms" => Some(Verb::Sms(reply(element))),
            name if NOT_PLAYED.contains(&name) => Some(Verb::NotPlayed(name.to_owned())),
            name => {
                self.warn(12200, format!("schema validation warning: <{name}> is not a verb and is skipped"));
                None
            }
        }
    }

    fn sound(&mut self, element: &Element) -> Option<Verb> {
        match element.name.as_str() {
            "Say" => self.say(element).map(Verb::Say),
            "Play" => {
                let name = match element.attribute("digits") {
                    Some(digits) => format!("[keys: {digits}]"),
                    None => format!("[sound: {}]", element.text()),
                };
                Some(Verb::Play { name, loops: self.number(element, "loop", 1, 0, 13410) })
            }
            "Pause" => Some(Verb::Pause(self.number(element, "length", 1, 1, 13910))),
            _ => None,
        }
    }

    fn say(&mut self, element: &Element) -> Option<Say> {
        let mut voice = element.attribute("voice").map(str::to_owned);
        if let Some(unknown) = voice.take_if(|voice| !voices::is_known(voice)) {
            self.warn(
                13511,
                format!("<Say> has a voice that does not exist, and is said by the default one: {unknown}"),
            );
        }
        let basic = matches!(voice.as_deref(), Some("man" | "woman" | "alice"));
        if basic && element.elements().next().is_some() {
            self.warn(13520, "the voices man and woman do not understand SSML");
        }
        let mut text = String::new();
        self.flatten(element, basic, &mut text);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.is_empty() {
            self.warn(13520, "<Say> without text");
            return None;
        }
        let limit = match voice.as_deref() {
            Some(voice) if voice.starts_with("Google.") => 5_000,
            Some(voice) if voice.starts_with("Polly.") => 3_000,
            _ => 4_000,
        };
        if text.chars().count() > limit {
            self.warn(13521, format!("<Say> is longer than {limit} characters"));
            return None;
        }
        let language = element.attribute("language").map(str::to_owned);
        Some(Say { text, language, voice, loops: self.number(element, "loop", 1, 0, 13510) })
    }

    /// The words of an element, as a listener would write them down: digits
    /// and letters that are spelled stand apart.
    fn flatten(&mut self, element: &Element, basic: bool, out: &mut String) {
        for node in &element.children {
            let child = match node {
                Node::Text(text) => {
                    out.push_str(text);
                    continue;
                }
                Node::Element(child) => child,
            };
            match child.name.as_str() {
                "break" => out.push(' '),
                "sub" => out.push_str(child.attribute("alias").unwrap_or_default()),
                "say-as" if !basic && is_spelled(child) => {
                    let mut inner = String::new();
                    self.flatten(child, basic, &mut inner);
                    if out.ends_with(|c: char| c.is_alphanumeric()) {
                        out.push(' ');
                    }
                    for letter in inner.chars().filter(|c| !c.is_whitespace()) {
                        out.push(letter);
                        out.push(' ');
                    }
                    // What follows, such as a full stop, belongs to the last one.
                    if out.ends_with(' ') {
                        out.pop();
                    }
                }
                "p" | "s" => {
                    out.push(' ');
                    self.flatten(child, basic, out);
                    out.push(' ');
                }
                name => {
                    let known = ["emphasis", "lang", "phoneme", "prosody", "say-as", "w"].contains(&name);
                    if !known && !name.starts_with("amazon:") {
                        self.warn(
                            12200,
                            format!("schema validation warning: <{name}> is not known in <Say>"),
                        );
                    }
                    self.flatten(child, basic, out);
                }
            }
        }
    }

    fn gather(&mut self, element: &Element) -> Gather {
        let mut prompts = Vec::new();
        for child in element.elements() {
            match self.sound(child) {
                Some(verb) => prompts.push(verb),
                None if matches!(child.name.as_str(), "Say" | "Play" | "Pause") => {}
                None => self.warn(13320, format!("<{}> may not be in <Gather>", child.name)),
            }
        }
        let input = element.attribute("input").unwrap_or("dtmf");
        if input.split_whitespace().any(|kind| kind != "dtmf" && kind != "speech") {
            self.warn(13326, format!("<Gather> has an invalid input: {input}"));
        }
        if element.attribute("language").is_some_and(|language| !language.contains('-')) {
            self.warn(13512, "<Gather> needs a language with its region, such as en-US");
        }
        let digits: u32 = self.number(element, "numDigits", 0, 1, 13314);
        Gather {
            action: element.attribute("action").filter(|url| !url.is_empty()).map(str::to_owned),
            get: self.is_get(element, "method", 13312),
            num_digits: usize::try_from(digits).ok().filter(|digits| *digits > 0),
            timeout: self.number(element, "timeout", 5, 0, 13313),
            finish_on: self.finish_key(element),
            on_empty: element.attribute("actionOnEmptyResult") == Some("true"),
            keys: !input.split_whitespace().all(|kind| kind == "speech"),
            prompts,
        }
    }

    fn record(&mut self, element: &Element) -> Record {
        for child in element.elements() {
            self.warn(12200, format!("schema validation warning: <{}> may not be in <Record>", child.name));
        }
        let url = |name| element.attribute(name).filter(|url| !url.is_empty()).map(str::to_owned);
        let [usual, most] = RECORD_SECONDS;
        let max_length = self.number(element, "maxLength", usual, 1, 13612);
        if max_length > most {
            self.warn(13612, format!("<Record> has an invalid maxLength: more than {most}"));
        }
        let transcribes =
            self.yes(element, "transcribe", false, 13614) || url("transcribeCallback").is_some();
        if transcribes && element.attribute("maxLength").is_some() && max_length > TRANSCRIBED {
            self.warn(13615, format!("<Record> has a maxLength above {TRANSCRIBED} and is not transcribed"));
        }
        Record {
            action: url("action"),
            get: self.is_get(element, "method", 13610),
            timeout: self.number(element, "timeout", 5, 0, 13611),
            finish_on: self.finish_keys(element),
            max_length: max_length.min(most),
            beep: self.yes(element, "playBeep", true, 13616),
            trims: element.attribute("trim") != Some("do-not-trim"),
            callback: url("recordingStatusCallback"),
            callback_get: self.is_get(element, "recordingStatusCallbackMethod", 12200),
            events: self.record_events(element),
            transcribes,
        }
    }

    /// The keys of which each ends a `<Record>`.
    fn finish_keys(&mut self, element: &Element) -> String {
        let Some(text) = element.attribute("finishOnKey") else { return ANY_KEY.to_owned() };
        if text.chars().all(super::behaviour::is_key) {
            return text.to_owned();
        }
        self.warn(13613, format!("<Record> has an invalid finishOnKey: {text}"));
        ANY_KEY.to_owned()
    }

    /// What is told of a `<Record>`: words with spaces between them.
    fn record_events(&mut self, element: &Element) -> Vec<String> {
        let text = element.attribute("recordingStatusCallbackEvent").unwrap_or("completed");
        let (known, unknown): (Vec<&str>, Vec<&str>) =
            text.split_whitespace().partition(|event| RECORDING_EVENTS.contains(event));
        for event in unknown {
            self.warn(12200, format!("<Record> has an invalid recordingStatusCallbackEvent: {event}"));
        }
        known.into_iter().map(str::to_owned).collect()
    }

    fn yes(&mut self, element: &Element, name: &str, usual: bool, code: u32) -> bool {
        match element.attribute(name) {
            None => usual,
            Some(text) if text.eq_ignore_ascii_case("true") => true,
            Some(text) if text.eq_ignore_ascii_case("false") => false,
            Some(text) => {
                self.warn(code, format!("<{}> has an invalid {name}: {text}", element.name));
                usual
            }
        }
    }

    fn finish_key(&mut self, element: &Element) -> Option<char> {
        let Some(text) = element.attribute("finishOnKey") else { return Some('#') };
        let mut keys = text.chars();
        match (keys.next(), keys.next()) {
            (None, _) => None,
            (Some(key), None) if super::behaviour::is_key(key) => Some(key),
            _ => {
                self.warn(13310, format!("<Gather> has an invalid finishOnKey: {text}"));
                Some('#')
            }
        }
    }

    fn is_get(&mut self, element: &Element, name: &str, code: u32) -> bool {
        match element.attribute(name) {
            None | Some("POST") => false,
            Some("GET") => true,
            Some(other) => {
                self.warn(code, format!("<{}> has an invalid {name}: {other}", element.name));
                false
            }
        }
    }

    fn number<N: std::str::FromStr + PartialOrd>(
        &mut self,
        element: &Element,
        name: &str,
        usual: N,
        least: N,
        code: u32,
    ) -> N {
        let Some(text) = element.attribute(name) else { return usual };
        match text.trim().parse() {
            Ok(number) if number >= least => number,
            _ => {
                self.warn(code, format!("<{}> has an invalid {name}: {text}", element.name));
                usual
            }
        }
    }
}

fn is_spelled(element: &Element) -> bool {
    let how = element.attribute("interpret-as").unwrap_or_default();
    matches!(how, "digits" | "characters" | "spell-out" | "telephone" | "verbatim")
}

fn reply(element: &Element) -> Reply {
    let part = |name: &'static str| element.elements().filter(move |child| child.name == name);
    let body: Vec<String> = part("Body").map(Element::text).collect();
    let attribute = |name| element.attribute(name).filter(|value| !value.is_empty()).map(str::to_owned);
    Reply {
        to: attribute("to"),
        from: attribute("from"),
        body: if body.is_empty() { element.text() } else { body.join("\n") },
        media: part("Media").map(Element::text).collect(),
        callback: attribute("action").or_else(|| attribute("statusCallback")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(ssml: &str) -> String {
        let script = read(&format!("<Response><Say voice=\"Polly.Joanna\">{ssml}</Say></Response>")).unwrap();
        match &script.verbs[0] {
            Verb::Say(say) => say.text.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn ssml_becomes_what_a_listener_would_write_down() {
        let digits =
            "Your code is <prosody rate=\"slow\"><say-as interpret-as=\"digits\">0421</say-as></prosody>.";
        assert_eq!(said(digits), "Your code is 0 4 2 1.");
        let apart = "<say-as interpret-as=\"digits\">4</say-as><break time=\"700ms\"/><say-as interpret-as=\"digits\">8</say-as>";
        assert_eq!(said(apart), "4 8");
        let close = apart.replace("<break time=\"700ms\"/>", "");
        assert_eq!(said(&close), "4 8");
        assert_eq!(said("<s>One &amp; two</s><s><sub alias=\"three\">3</sub></s>"), "One & two three");
        assert_eq!(said("<say-as interpret-as=\"cardinal\">42</say-as>"), "42");
    }

    #[test]
    fn a_basic_voice_reads_digits_as_one_number_and_is_warned_about() {
        let text =
            "<Response><Say voice=\"man\"><say-as interpret-as=\"digits\">42</say-as></Say></Response>";
        let script = read(text).unwrap();
        assert!(matches!(&script.verbs[0], Verb::Say(say) if say.text == "42"));
        assert_eq!(script.warnings[0].0, 13520);
    }

    #[test]
    fn a_voice_that_does_not_exist_is_warned_about_and_another_speaks() {
        let script = read("<Response><Say voice=\"Polly.Nobody\">hello</Say></Response>").unwrap();
        assert!(matches!(&script.verbs[0], Verb::Say(say) if say.text == "hello" && say.voice.is_none()));
        assert_eq!(script.warnings.iter().map(|(code, _)| *code).collect::<Vec<_>>(), [13511]);
    }

    #[test]
    fn what_is_unknown_is_skipped_with_a_warning() {
        let script = read("<Response><say>x</say><Blink/><Hangup/></Response>").unwrap();
        assert_eq!(script.verbs, [Verb::Hangup]);
        assert_eq!(script.warnings.iter().map(|(code, _)| *code).collect::<Vec<_>>(), [12200; 2]);
    }

    #[test]
    fn what_is_twilios_and_not_played_is_no_warning_but_a_verb() {
        for name in NOT_PLAYED {
            let script = read(&format!("<Response><{name}>1</{name}></Response>")).unwrap();
            assert_eq!(script.verbs, [Verb::NotPlayed(name.to_owned())]);
            assert!(script.warnings.is_empty());
            assert!(crate::twilio::errors::lookup(Verb::not_played_code(name)).known, "{name}");
        }
    }

    #[test]
    fn what_has_no_form_is_an_error() {
        assert_eq!(read("<Response><Say>").unwrap_err().0, 12100);
        assert_eq!(read("<html></html>").unwrap_err().0, 12102);
        assert_eq!(read("{}").unwrap_err().0, 12100);
    }

    #[test]
    fn a_record_is_read_with_twilios_defaults_and_limits() {
        let record = |attributes: &str| {
            let script = read(&format!("<Response><Record {attributes}/></Response>")).unwrap();
            match script.verbs.into_iter().next() {
                Some(Verb::Record(record)) => (record, script.warnings),
                other => panic!("{other:?}"),
            }
        };
        let (plain, warnings) = record("");
        assert_eq!((plain.timeout, plain.max_length, plain.finish_on.as_str()), (5, 3_600, ANY_KEY));
        assert!(plain.beep && plain.trims && !plain.transcribes && !plain.get);
        assert_eq!((plain.events, warnings), (vec!["completed".to_owned()], Vec::new()));
        let own = "finishOnKey='#*' timeout='0' maxLength='20' trim='do-not-trim' playBeep='false' method='GET' \
                   recordingStatusCallbackEvent='in-progress absent'";
        let (own, warnings) = record(own);
        assert_eq!((own.timeout, own.max_length, own.finish_on.as_str()), (0, 20, "#*"));
        assert!(!own.beep && !own.trims && own.get && warnings.is_empty());
        assert_eq!(own.events, ["in-progress", "absent"]);
        let (_, warnings) = record(
            "finishOnKey='x' timeout='-1' maxLength='0' playBeep='1' transcribe='fast' method='PUT' \
             recordingStatusCallbackEvent='failed'",
        );
        let codes: Vec<u32> = warnings.into_iter().map(|(code, _)| code).collect();
        assert_eq!(codes, [13612, 13614, 13610, 13611, 13613, 13616, 12200]);
        assert_eq!(record("transcribe='true' maxLength='121'").1[0].0, 13615);
    }

    #[test]
    fn a_gather_is_read_with_twilios_defaults_and_limits() {
        let gather = |attributes: &str| {
            let script =
                read(&format!("<Response><Gather {attributes}><Hangup/></Gather></Response>")).unwrap();
            match script.verbs.into_iter().next() {
                Some(Verb::Gather(gather)) => (gather, script.warnings),
                other => panic!("{other:?}"),
            }
        };
        let (plain, warnings) = gather("");
        assert_eq!((plain.timeout, plain.finish_on, plain.num_digits), (5, Some('#'), None));
        assert_eq!(warnings[0].0, 13320);
        let (own, _) = gather("numDigits=\"1\" finishOnKey=\"\" timeout=\"9\" actionOnEmptyResult=\"true\"");
        assert_eq!((own.timeout, own.finish_on, own.num_digits, own.on_empty), (9, None, Some(1), true));
        let (_, warnings) = gather("numDigits=\"x\" timeout=\"-1\" finishOnKey=\"##\"");
        let codes: Vec<u32> = warnings.into_iter().map(|(code, _)| code).collect();
        assert_eq!(codes, [13320, 13314, 13313, 13310]);
    }
}
