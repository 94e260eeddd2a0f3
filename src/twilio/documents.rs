//! The documents of a code call, and the answers to calls and texts that come
//! in: pure functions of words and what the caller hands in.
//!
//! This module refuses to know verifications, routes and attempts: where a key
//! press goes and whether a code may still be read is the caller's to say. Only
//! [`read_code`] and [`read_code_once_more`] ever see a code.

use crate::model::opt_out::Keyword;
use crate::twilio::twiml::{Gather, Method, Part, Prompt, Response, Say, Verb};
use crate::twilio::words::{self, BadCode, Character, Digit, Piece, Words, characters, fill, pieces};

/// Seconds that the gate waits for a key.
const GATE_SECONDS: u8 = 15;

/// The key that asks for the code again; the prompts call it by its word, so
/// that no figure but the code's is heard.
pub const AGAIN_KEY: &str = "1";

/// Seconds that "press one to hear it again" waits.
const AGAIN_SECONDS: u8 = 10;

/// What a person must do before a code is read, so that voicemail never hears
/// one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum GatePolicy {
    /// Any key opens.
    AnyKey,
    /// This key opens; it is named aloud, and a recording cannot guess it.
    Key(Digit),
    /// Nothing: the call goes straight on.
    None,
}

impl GatePolicy {
    /// Whether the pressed keys (Twilio's `Digits`) open the gate.
    pub fn opens(self, pressed: &str) -> bool {
        match self {
            Self::AnyKey => !pressed.is_empty(),
            Self::Key(key) => pressed.chars().eq([key.as_char()]),
            Self::None => true,
        }
    }
}

/// The first document of a call: greets, and waits for a key that goes to
/// `action`, and so does it that none was pressed. The code is not in it.
pub fn gate(words: &Words, policy: GatePolicy, action: &str, service: &str) -> Response {
    let greeting = template(words, &words.call().greeting, service, None);
    ask_for_key(words, policy, action, greeting)
}

/// The gate again, after a key that does not open it.
pub fn wrong_key(words: &Words, policy: GatePolicy, action: &str) -> Response {
    ask_for_key(words, policy, action, vec![Part::Text(words.call().wrong_key.clone())])
}

/// What a call says before the code.
#[derive(Clone, Copy, Default)]
pub struct Before<'a> {
    /// What is paid and to whom, for a code that confirms a payment.
    pub payment: Option<(&'a str, &'a str)>,
    /// What introduces the code, instead of the shipped words.
    pub intro: Option<&'a str>,
}

/// The code itself: each character alone and slowly. The document goes on at
/// `then`, where [`read_code_once_more`] is to be had: who asks for it says that
/// the call has lasted a whole reading.
///
/// # Errors
/// [`BadCode`] when it is not 4 to 10 ASCII digits and letters: better no answer
/// than half a code in somebody's ear.
pub fn read_code(words: &Words, code: &str, before: Before<'_>, then: &str) -> Result<Response, BadCode> {
    let characters = characters(code)?;
    let call = words.call();
    let mut response = Response::new();
    if let Some((amount, payee)) = before.payment {
        let payment = fill(&call.payment, &[("amount", amount), ("payee", payee)]);
        response = response.then(say(words, &payment)).then(Prompt::pause(1));
    }
    response = one_by_one(words, response, before.intro.unwrap_or(&call.intro), &characters);
    Ok(response.then(Verb::Redirect(then.to_owned())))
}

/// The code once more, then an offer to hear it again if the caller gives a URL
/// for that (the cap on repetitions is the caller's), and goodbye.
///
/// # Errors
/// As [`read_code`].
pub fn read_code_once_more(words: &Words, code: &str, again: Option<&str>) -> Result<Response, BadCode> {
    let characters = characters(code)?;
    let call = words.call();
    let mut response = one_by_one(words, Response::new(), &call.repeat, &characters);
    if let Some(url) = again {
        let prompts = vec![say(words, &call.again).into()];
        response = response.then(one_key(url, AGAIN_SECONDS, false, prompts));
    }
    Ok(goodbye(response, say(words, &call.goodbye)))
}

/// For a code that is spent, expired or cancelled: one sentence for all, so
/// that it says nothing about which.
pub fn not_valid(words: &Words) -> Response {
    goodbye(Response::new(), say(words, &words.call().not_valid))
}

/// For a path, an id or a call that is not ours: word for word what a spent
/// code answers, so that nothing can be learnt by trying.
pub fn not_for_you() -> Response {
    not_valid(words::resolve(None))
}

/// For somebody who pressed no key.
pub fn no_key(words: &Words) -> Response {
    goodbye(Response::new(), say(words, &words.call().no_key))
}

/// For somebody who has heard all there is, or pressed too many wrong keys.
pub fn farewell(words: &Words) -> Response {
    goodbye(Response::new(), say(words, &words.call().goodbye))
}

/// For an answering machine: hangs up without a word.
pub fn machine() -> Response {
    Response::new().then(Verb::Hangup)
}

/// For somebody who calls our number back.
pub fn inbound_call(words: &Words) -> Response {
    goodbye(Response::new(), say(words, &words.call().inbound))
}

/// For a text that says `STOP`, `START` or `HELP`. Where Twilio answers these
/// itself (it sent `OptOutType`), [`empty`] is right.
pub fn inbound_text(words: &Words, keyword: Keyword, service: &str) -> Response {
    Response::new().then(Verb::Message(words.reply(keyword, service)))
}

/// `<Response/>`: nothing to do, nothing to say.
pub fn empty() -> Response {
    Response::new()
}

fn ask_for_key(words: &Words, policy: GatePolicy, action: &str, mut parts: Vec<Part>) -> Response {
    let call = words.call();
    let request = match policy {
        GatePolicy::AnyKey => template(words, &call.press_any, "", None),
        GatePolicy::Key(key) => template(words, &call.press_key, "", Some(key)),
        GatePolicy::None => return Response::new().then(Verb::Redirect(action.to_owned())),
    };
    parts.push(Part::Text(" ".to_owned()));
    parts.extend(request);
    let gather = one_key(action, GATE_SECONDS, true, vec![spoken(words, parts).into()]);
    // Silence goes to the action as well, so nothing comes after it.
    Response::new().then(gather)
}

/// An introduction and the characters, each in its own `<Say>` with a pause
/// after it: no voice can then run them together into a number or a word.
fn one_by_one(words: &Words, response: Response, intro: &str, characters: &[Character]) -> Response {
    let parts = characters.iter().map(|character| vec![character_part(words, *character)]);
    std::iter::once(vec![Part::Text(intro.to_owned())])
        .chain(parts)
        .fold(response, |response, parts| response.then(spoken(words, parts)).then(Prompt::pause(1)))
}

/// One key for `action`, which is asked without one too if silence counts.
fn one_key(action: &str, timeout: u8, silence: bool, prompts: Vec<Prompt>) -> Gather {
    Gather {
        action: action.to_owned(),
        method: Method::Post,
        num_digits: 1,
        timeout,
        finish_on_key: None,
        action_on_empty_result: silence,
        prompts,
    }
}

fn goodbye(response: Response, last: Say) -> Response {
    response.then(last).then(Verb::Hangup)
}

fn say(words: &Words, text: &str) -> Say {
    spoken(words, vec![Part::Text(text.to_owned())])
}

fn spoken(words: &Words, parts: Vec<Part>) -> Say {
    Say { voice: words.voice().to_owned(), language: words.language().map(str::to_owned), parts }
}

fn template(words: &Words, template: &str, service: &str, key: Option<Digit>) -> Vec<Part> {
    pieces(template)
        .into_iter()
        .filter_map(|piece| match piece {
            Piece::Words(text) => Some(Part::Text(text.to_owned())),
            Piece::Slot("service") => Some(Part::Text(service.to_owned())),
            Piece::Slot("key") => key.map(|key| digit_part(words, key)),
            Piece::Slot(_) => None,
        })
        .collect()
}

fn character_part(words: &Words, character: Character) -> Part {
    match character {
        Character::Digit(digit) => digit_part(words, digit),
        Character::Letter(letter) if words.takes_ssml() => Part::Letter(letter),
        Character::Letter(letter) => Part::Text(letter.as_char().to_string()),
    }
}

fn digit_part(words: &Words, digit: Digit) -> Part {
    let names_it_rightly = words.takes_ssml() && !words.is_borrowed();
    if names_it_rightly { Part::Digit(digit) } else { Part::Text(words.digit(digit).to_owned()) }
}
