//! Guesses at the body: what became of a form's pairs, and of hashed bytes.

use super::found::{Explanation, shown};
use super::guess::{Cause, Guess};
use crate::twilio::form::{self, Pairs, Params, Space};
use crate::twilio::mac::{concatenated, tail};
use crate::twilio::signature::{Rejection, Signed, body_hash, claimed_hash};
use std::collections::BTreeMap;

/// The most pairs that are left out in turn.
const MAX_LEFT_OUT: usize = 64;

/// Parameters that Twilio sends empty; frameworks like to drop those.
const OFTEN_EMPTY: [&str; 9] =
    ["FromCity", "FromState", "FromZip", "FromCountry", "ToCity", "ToState", "ToZip", "ToCountry", "Body"];

/// Parameters that Twilio sends beside another of the same value.
const TWINS: [(&str, &str); 7] = [
    ("SmsSid", "MessageSid"),
    ("SmsMessageSid", "MessageSid"),
    ("SmsStatus", "MessageStatus"),
    ("MessageSid", "SmsSid"),
    ("MessageStatus", "SmsStatus"),
    ("Caller", "From"),
    ("Called", "To"),
];

/// What may have been signed instead of this body's pairs. A body that is no
/// form is read as one, in case its type was lost.
pub(super) fn guesses<'a>(request: &Signed<'a>, readable: bool) -> impl Iterator<Item = Guess> + 'a {
    let url = request.url;
    let body = request.body;
    let pairs = if readable { form::parse(body) } else { Pairs::new() };
    let hashed = {
        let pair = [("bodySHA256", body_hash(body))];
        let what = "with bodySHA256 in the query";
        Guess::new(Cause::QueryDropped, what, &form::append_to_query(url, &pair, Space::Plus), "")
    };
    let moved = {
        let joined = form::append_to_query(url, &pairs, Space::Plus);
        Guess::new(Cause::QueryAsBody, "with the body's parameters in the query", &joined, "")
    };
    let ignored = [
        Guess::new(Cause::BodyIgnored, "without the body", url, ""),
        Guess::new(Cause::BodyIgnored, "with the body read as a form", url, &tail(&pairs)),
        moved,
        hashed,
    ];
    let altered = altered(body, &pairs).into_iter();
    let missing = missing(&pairs).into_iter();
    let one_less = (0..pairs.len().min(MAX_LEFT_OUT)).map({
        let pairs = pairs.clone();
        move |place| {
            let mut fewer = pairs.clone();
            let (name, _) = fewer.remove(place);
            let what = format!("without the parameter {}", shown(&name));
            Guess::new(Cause::ParameterAdded, &what, url, &tail(&fewer))
        }
    });
    let tails = altered.chain(missing).map(move |(cause, what, tail)| Guess::new(cause, &what, url, &tail));
    // A JSON body has bytes, no pairs: then only the first guesses are left.
    ignored.into_iter().chain(tails.chain(one_less).take(if pairs.is_empty() { 0 } else { usize::MAX }))
}

type Altered = (Cause, String, String);

fn altered(body: &[u8], pairs: &Pairs) -> Vec<Altered> {
    let raw = raw_pairs(body);
    let plus_kept: Pairs = raw.iter().map(|(n, v)| (decoded(n), decoded(v))).collect();
    let twice: Pairs = pairs.iter().map(|(n, v)| (once_more(n), once_more(v))).collect();
    let valued = |change: &dyn Fn(&str) -> String| -> Pairs {
        pairs.iter().map(|(n, v)| (n.clone(), change(v))).collect()
    };
    let filled: Pairs = pairs.iter().filter(|(_, v)| !v.is_empty()).cloned().collect();
    let mut by_text: Vec<String> = pairs.iter().map(|(n, v)| format!("{n}{v}")).collect();
    by_text.sort_unstable();
    let mut by_name: Vec<&(String, String)> = pairs.iter().collect();
    by_name.sort_by_key(|(name, _)| name);
    let stable = by_name.iter().map(|(n, v)| format!("{n}{v}")).collect();
    let mut by_both: Vec<&(String, String)> = pairs.iter().collect();
    by_both.sort_unstable();
    let repeated = by_both.iter().map(|(n, v)| format!("{n}{v}")).collect();
    let with = |(cause, what, tail): (Cause, &str, String)| (cause, what.to_owned(), tail);
    [
        (
            Cause::RepeatedNames,
            "with the first of repeated names alone",
            tail(&merged(pairs, |first, _| first)),
        ),
        (Cause::RepeatedNames, "with the last of repeated names alone", tail(&merged(pairs, |_, last| last))),
        (
            Cause::RepeatedNames,
            "with repeated names joined by a comma",
            tail(&merged(pairs, |a, b| format!("{a},{b}"))),
        ),
        (Cause::RepeatedNames, "with repeated pairs signed each time", repeated),
        (Cause::RepeatedNames, "with repeated names in order of arrival", stable),
        (Cause::BodyEncoding, "with the body not decoded", tail(&raw)),
        (Cause::BodyEncoding, "with + not decoded to a space", tail(&plus_kept)),
        (Cause::BodyEncoding, "with the body decoded twice", tail(&twice)),
        (Cause::ValueAltered, "with values trimmed", tail(&valued(&|v| v.trim().to_owned()))),
        (Cause::ValueAltered, "without empty values", tail(&filled)),
        (
            Cause::ValueAltered,
            "with newlines as CR LF",
            tail(&valued(&|v| v.replace("\r\n", "\n").replace('\n', "\r\n"))),
        ),
        (Cause::ValueAltered, "with newlines as LF", tail(&valued(&|v| v.replace("\r\n", "\n")))),
        (Cause::BodyOrder, "with parameters in order of arrival", concatenated(pairs)),
        (Cause::BodyOrder, "sorted by name and value joined", by_text.concat()),
        (Cause::BodyOrder, "sorted without regard to case", without_case(pairs)),
    ]
    .map(with)
    .into_iter()
    .filter(|(_, _, text)| *text != tail(pairs))
    .collect()
}

/// What Twilio usually sends and is not there.
fn missing(pairs: &Pairs) -> Vec<Altered> {
    let params = Params::new(pairs);
    let absent = |name: &str| params.first(name).is_none();
    let with = |added: &[(&str, &str)]| {
        let known = pairs.iter().map(|(n, v)| (n.as_str(), v.as_str()));
        tail(&known.chain(added.iter().copied()).collect::<Vec<_>>())
    };
    let guess = |name: &str, tail| (Cause::ParameterMissing, format!("with the parameter {name}"), tail);
    let mut guesses = Vec::new();
    if absent("ApiVersion") {
        guesses.push(guess("ApiVersion", with(&[("ApiVersion", "2010-04-01")])));
    }
    for (name, twin) in TWINS {
        if let Some(value) = params.first(twin).filter(|_| absent(name)) {
            guesses.push(guess(name, with(&[(name, value)])));
        }
    }
    let empty: Vec<(&str, &str)> = OFTEN_EMPTY.into_iter().filter(|n| absent(n)).map(|n| (n, "")).collect();
    guesses.extend(empty.iter().map(|(name, _)| guess(name, with(&[(name, "")]))));
    let geography: Vec<_> = empty.into_iter().filter(|(name, _)| *name != "Body").collect();
    guesses.push((
        Cause::ParameterMissing,
        "with the empty parameters for city, state, zip and country".to_owned(),
        with(&geography),
    ));
    guesses
}

/// One value for each name, folded from all it has.
fn merged(pairs: &Pairs, fold: impl Fn(String, String) -> String) -> Pairs {
    let mut values: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in pairs {
        let folded = match values.remove(name.as_str()) {
            Some(before) => fold(before, value.clone()),
            None => value.clone(),
        };
        values.insert(name, folded);
    }
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn without_case(pairs: &Pairs) -> String {
    let mut sorted = pairs.clone();
    sorted.sort_by_key(|(name, value)| (name.to_lowercase(), value.clone()));
    concatenated(&sorted)
}

fn raw_pairs(body: &[u8]) -> Pairs {
    let text = String::from_utf8_lossy(body);
    let pieces = text.split('&').filter(|piece| !piece.is_empty());
    let pairs = pieces.map(|piece| piece.split_once('=').unwrap_or((piece, "")));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn decoded(text: &str) -> String {
    form::percent_decoded(text).into_owned()
}

fn once_more(text: &str) -> String {
    decoded(&text.replace('+', " "))
}

/// Why hashed bytes are not the ones received; the signature itself was right.
pub(super) fn altered_bytes(request: &Signed<'_>) -> Explanation {
    let claimed = claimed_hash(request.url).unwrap_or_default();
    let body = request.body;
    let is = |bytes: &[u8]| body_hash(bytes) == claimed;
    let text = String::from_utf8_lossy(body);
    let trimmed = text.trim_end();
    let spellings = [
        ("a newline was taken from its end", format!("{text}\n")),
        ("white space was added at its end", trimmed.to_owned()),
        ("its newlines were CR LF", text.replace('\n', "\r\n")),
        ("its newlines were LF", text.replace("\r\n", "\n")),
        ("it was written as JSON again, and had no white space before", respaced(trimmed, "")),
        ("it was written as JSON again, and had spaces before", respaced(trimmed, " ")),
        ("it is empty now, and was {}: something read it before", "{}".to_owned()),
    ];
    if body_hash(body) == claimed.to_ascii_lowercase() {
        let text = "bodySHA256 is right but for its case: twilio writes lower-case hex";
        return Explanation::new(Cause::HashSpelling, text);
    }
    let known = spellings.iter().find(|(_, bytes)| is(bytes.as_bytes()));
    match known {
        Some((what, _)) => {
            let text = format!(
                "the body was rewritten after it was hashed ({what}): pass the bytes on as they came"
            );
            Explanation::new(Cause::BodyRewritten, text)
        }
        None if body.is_empty() => {
            let text = "the body is empty, and was not when it was hashed: something read it before";
            Explanation::new(Cause::BodyRewritten, text)
        }
        None => {
            let text =
                "the url is twilio's, and the body is not the one that was hashed: it was altered on its way";
            Explanation::new(Cause::Rejected(Rejection::BodyHashMismatch), text)
        }
    }
}

/// JSON text with this after each comma and colon, and no other white space
/// outside of strings: as JavaScript (nothing) or Python (a space) write it.
fn respaced(json: &str, gap: &str) -> String {
    let mut text = String::with_capacity(json.len() * 2);
    let (mut quoted, mut escaped) = (false, false);
    for c in json.chars() {
        if !quoted && c.is_ascii_whitespace() {
            continue;
        }
        text.push(c);
        if !quoted && matches!(c, ',' | ':') {
            text.push_str(gap);
        }
        if c == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = quoted && c == '\\' && !escaped;
    }
    text
}
