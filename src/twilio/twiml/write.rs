//! Documents into XML: escaping, forbidden characters and lengths.
//!
//! This module refuses to know what a document is for.

use super::{
    DOCUMENT_MAX, Gather, MESSAGE_MAX, Method, Part, Prompt, Reason, Response, SAY_MAX, Say, TooLong, Verb,
};
use quick_xml::Writer;
use quick_xml::escape::partial_escape;
use quick_xml::events::{BytesDecl, BytesText, Event};
use quick_xml::writer::ElementWriter;
use std::borrow::Cow;
use std::io;

type Xml = Writer<Vec<u8>>;

impl Response {
    /// The document as XML, with its declaration, in UTF-8.
    ///
    /// # Errors
    /// [`TooLong`] above [`DOCUMENT_MAX`], [`SAY_MAX`] or [`MESSAGE_MAX`].
    pub fn render(&self) -> Result<String, TooLong> {
        document(self)
    }
}

fn document(response: &Response) -> Result<String, TooLong> {
    response.verbs().iter().try_for_each(texts_fit)?;
    let mut xml = Writer::new(Vec::with_capacity(1024));
    write(&mut xml, response).expect("a vector takes every write");
    let text = String::from_utf8(xml.into_inner()).expect("every piece written was a string");
    fits("Response", text.len(), DOCUMENT_MAX).map(|()| text)
}

fn texts_fit(verb: &Verb) -> Result<(), TooLong> {
    match verb {
        Verb::Prompt(prompt) => prompt_fits(prompt),
        Verb::Gather(gather) => gather.prompts.iter().try_for_each(prompt_fits),
        Verb::Message(text) => fits("Message", text.chars().count(), MESSAGE_MAX),
        Verb::Redirect(_) | Verb::Hangup | Verb::Reject(_) => Ok(()),
    }
}

fn prompt_fits(prompt: &Prompt) -> Result<(), TooLong> {
    match prompt {
        Prompt::Say(say) => fits("Say", say.text().chars().count(), SAY_MAX),
        Prompt::Pause(_) | Prompt::Play(_) => Ok(()),
    }
}

fn fits(element: &'static str, length: usize, limit: usize) -> Result<(), TooLong> {
    if length <= limit { Ok(()) } else { Err(TooLong { element, length, limit }) }
}

fn write(xml: &mut Xml, response: &Response) -> io::Result<()> {
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let root = xml.create_element("Response");
    if response.verbs().is_empty() {
        root.write_empty()?;
    } else {
        root.write_inner_content(|xml| response.verbs().iter().try_for_each(|each| verb(xml, each)))?;
    }
    Ok(())
}

fn verb(xml: &mut Xml, verb: &Verb) -> io::Result<()> {
    match verb {
        Verb::Prompt(each) => prompt(xml, each),
        Verb::Gather(each) => gather(xml, each),
        Verb::Redirect(url) => text_element(attribute(xml.create_element("Redirect"), "method", "POST"), url),
        Verb::Hangup => xml.create_element("Hangup").write_empty().map(drop),
        Verb::Reject(reason) => {
            let reason = match reason {
                Reason::Rejected => "rejected",
                Reason::Busy => "busy",
            };
            attribute(xml.create_element("Reject"), "reason", reason).write_empty().map(drop)
        }
        Verb::Message(text) => text_element(xml.create_element("Message"), text),
    }
}

fn prompt(xml: &mut Xml, prompt: &Prompt) -> io::Result<()> {
    match prompt {
        Prompt::Say(each) => say(xml, each),
        Prompt::Pause(seconds) => {
            let length = seconds.to_string();
            attribute(xml.create_element("Pause"), "length", &length).write_empty().map(drop)
        }
        Prompt::Play(url) => text_element(xml.create_element("Play"), url),
    }
}

fn say(xml: &mut Xml, say: &Say) -> io::Result<()> {
    let mut element = attribute(xml.create_element("Say"), "voice", &say.voice);
    if let Some(language) = &say.language {
        element = attribute(element, "language", language);
    }
    element.write_inner_content(|xml| say.parts.iter().try_for_each(|each| part(xml, each))).map(drop)
}

/// Slowly, and as what it is: a voice left alone may read "1." as "first" and
/// "A" as a word.
fn part(xml: &mut Xml, part: &Part) -> io::Result<()> {
    match part {
        Part::Text(text) => xml.write_event(Event::Text(escaped(text))),
        Part::Digit(digit) => spelled(xml, "digits", digit.as_char()),
        Part::Letter(letter) => spelled(xml, "characters", letter.as_char()),
    }
}

fn spelled(xml: &mut Xml, kind: &str, char: char) -> io::Result<()> {
    attribute(xml.create_element("prosody"), "rate", "slow")
        .write_inner_content(|xml| {
            let element = attribute(xml.create_element("say-as"), "interpret-as", kind);
            text_element(element, &char.to_string())
        })
        .map(drop)
}

fn gather(xml: &mut Xml, gather: &Gather) -> io::Result<()> {
    let method = match gather.method {
        Method::Get => "GET",
        Method::Post => "POST",
    };
    // An empty `finishOnKey` is not the same as none: without it `#` would end
    // the input and not count as a key.
    let finish_on_key = gather.finish_on_key.map(String::from).unwrap_or_default();
    let mut element = xml.create_element("Gather");
    for (name, value) in [
        ("input", "dtmf"),
        ("action", &gather.action),
        ("method", method),
        ("numDigits", &gather.num_digits.to_string()),
        ("timeout", &gather.timeout.to_string()),
        ("finishOnKey", &finish_on_key),
    ] {
        element = attribute(element, name, value);
    }
    if gather.action_on_empty_result {
        element = attribute(element, "actionOnEmptyResult", "true");
    }
    element.write_inner_content(|xml| gather.prompts.iter().try_for_each(|each| prompt(xml, each))).map(drop)
}

fn attribute<'a>(element: ElementWriter<'a, Vec<u8>>, name: &str, value: &str) -> ElementWriter<'a, Vec<u8>> {
    element.with_attribute((name, legal(value).as_ref()))
}

fn text_element(element: ElementWriter<'_, Vec<u8>>, text: &str) -> io::Result<()> {
    element.write_text_content(escaped(text)).map(drop)
}

/// `&`, `<` and `>` only, as Twilio's SDKs do: quotes need no escape in text.
fn escaped(text: &str) -> BytesText<'_> {
    BytesText::from_escaped(partial_escape(legal(text)))
}

/// Without the characters that XML 1.0 §2.2 forbids even as references.
fn legal(text: &str) -> Cow<'_, str> {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..);
    if text.chars().all(allowed) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.chars().filter(|c| allowed(*c)).collect())
    }
}
