//! TwiML documents: the verbs we use, written as well-formed XML.
//!
//! What Twilio would refuse cannot be built: a [`Gather`] holds prompts only,
//! a [`Say`] holds no pause, and text loses the characters that XML 1.0
//! forbids. This module refuses to know HTTP, and whether a code is still good.
//!
//! Nothing here has a `Debug` that shows its text, because a code may be in it.
//!
//! Source: <https://www.twilio.com/docs/voice/twiml>.

mod write;

use crate::twilio::words::{Digit, Letter};
use std::fmt;

/// Longest document that Twilio takes, in bytes (error 11750).
pub const DOCUMENT_MAX: usize = 64 * 1024;

/// Longest text of one `<Say>`, in characters: the least of what the voices
/// allow (Polly's 3000; the basic voices take 4000, Google's 5000).
pub const SAY_MAX: usize = 3000;

/// Longest text of one `<Message>`, in characters (error 21617).
pub const MESSAGE_MAX: usize = 1600;

/// A whole document: what Twilio is to do, in order.
#[derive(Clone, Default)]
pub struct Response {
    verbs: Vec<Verb>,
}

/// One instruction of a document.
#[derive(Clone)]
pub enum Verb {
    /// `<Say>`, `<Pause>` or `<Play>`.
    Prompt(Prompt),
    /// Waits for keys.
    Gather(Gather),
    /// Goes on with another document, fetched by POST; absolute or relative.
    Redirect(String),
    /// Ends the call.
    Hangup,
    /// Refuses an inbound call, which then costs nothing. Counts only as the
    /// first verb.
    Reject(Reason),
    /// Answers an inbound text.
    Message(String),
}

/// What is heard, and may therefore stand inside a [`Gather`] (error 13320).
#[derive(Clone)]
pub enum Prompt {
    /// Words that are spoken: `<Say>`.
    Say(Say),
    /// Silence, in seconds; at least 1 (error 13910).
    Pause(std::num::NonZeroU8),
    /// An audio file at this URL.
    Play(String),
}

/// Speech in one voice.
#[derive(Clone)]
pub struct Say {
    /// Twilio's name of the voice, such as `Polly.Vicki`.
    pub voice: String,
    /// `de-DE`; nothing where the voice alone says it.
    pub language: Option<String>,
    /// What is said, in order.
    pub parts: Vec<Part>,
}

/// A piece of speech.
#[derive(Clone)]
pub enum Part {
    /// Words, in the clear; escaped when written.
    Text(String),
    /// A digit said slowly as a digit, by SSML: for voices that take it.
    Digit(Digit),
    /// A letter said slowly by its name, by SSML: for voices that take it.
    Letter(Letter),
}

/// `<Gather input="dtmf">`: plays its prompts, waits for keys and hands them
/// to `action`. Without keys the document goes on after it.
#[derive(Clone)]
pub struct Gather {
    /// Where the keys go; absolute or relative to the document.
    pub action: String,
    /// How they go there.
    pub method: Method,
    /// Keys to wait for.
    pub num_digits: u8,
    /// Seconds of silence before giving up, counted after the prompts.
    pub timeout: u8,
    /// The key that ends the input early; `None` makes every key count, `#`
    /// too.
    pub finish_on_key: Option<char>,
    /// Asks `action` also when no key was pressed.
    pub action_on_empty_result: bool,
    /// What is heard meanwhile; any key interrupts it.
    pub prompts: Vec<Prompt>,
}

/// How Twilio asks for the next document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Parameters in the query.
    Get,
    /// Parameters in the body.
    Post,
}

/// Why an inbound call is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// "Not in service".
    Rejected,
    /// A busy signal.
    Busy,
}

/// A document or a text in it that Twilio would refuse for its length.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("twiml too long")]
pub struct TooLong {
    /// The element: `Response`, `Say` or `Message`.
    pub element: &'static str,
    /// What it measures: bytes for `Response`, characters for the others.
    pub length: usize,
    /// What it may measure.
    pub limit: usize,
}

impl Response {
    /// A document that does nothing, for [`Response::then`] to add to.
    pub fn new() -> Self {
        Self::default()
    }

    /// The document with one more verb.
    #[must_use]
    pub fn then(mut self, verb: impl Into<Verb>) -> Self {
        self.verbs.push(verb.into());
        self
    }

    /// The verbs in order.
    pub fn verbs(&self) -> &[Verb] {
        &self.verbs
    }

    /// What would be heard if no key were pressed: the text of each `<Say>` in
    /// document order, digits as figures.
    pub fn spoken(&self) -> Vec<String> {
        self.verbs.iter().flat_map(Verb::prompts).filter_map(Prompt::spoken).collect()
    }
}

impl Verb {
    fn prompts(&self) -> &[Prompt] {
        match self {
            Self::Prompt(prompt) => std::slice::from_ref(prompt),
            Self::Gather(gather) => &gather.prompts,
            Self::Redirect(_) | Self::Hangup | Self::Reject(_) | Self::Message(_) => &[],
        }
    }
}

impl Prompt {
    /// A silence of so many seconds; zero is one, the least there is.
    pub fn pause(seconds: u8) -> Self {
        Self::Pause(std::num::NonZeroU8::new(seconds).unwrap_or(std::num::NonZeroU8::MIN))
    }

    fn spoken(&self) -> Option<String> {
        match self {
            Self::Say(say) => Some(say.text()),
            Self::Pause(_) | Self::Play(_) => None,
        }
    }
}

impl Say {
    /// The text without SSML, digits as figures.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(words) => text.push_str(words),
                Part::Digit(digit) => text.push(digit.as_char()),
                Part::Letter(letter) => text.push(letter.as_char()),
            }
        }
        text
    }
}

impl From<Prompt> for Verb {
    fn from(prompt: Prompt) -> Self {
        Self::Prompt(prompt)
    }
}

impl From<Say> for Prompt {
    fn from(say: Say) -> Self {
        Self::Say(say)
    }
}

impl From<Say> for Verb {
    fn from(say: Say) -> Self {
        Self::Prompt(say.into())
    }
}

impl From<Gather> for Verb {
    fn from(gather: Gather) -> Self {
        Self::Gather(gather)
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({} verbs)", self.verbs.len())
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tree;
