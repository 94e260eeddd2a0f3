//! A message out of a template and its values.
//!
//! Nothing here fails: what cannot be used (a language that there is no text
//! in, a hash that is none) is left out or replaced by the next best, because
//! the person waits for a code. This module refuses to know who is written to.

use super::catalog::{Catalog, Set, fallback};
use super::clean::clean;
use super::language::{self, Language, Wanted};
use super::template::{Kind, Template, Variable};
use super::validity::in_units;
use crate::twilio::segments::{self, Segments};
use std::fmt;

/// First Strong Isolate and Pop Directional Isolate (Unicode Annex 9).
const ISOLATE: (char, char) = ('\u{2068}', '\u{2069}');

/// What a message is to say.
#[derive(Clone, Default)]
pub struct Wording<'a> {
    /// The set of texts; the shipped one where there is none of that name.
    pub set: Option<&'a str>,
    /// Whether it goes by WhatsApp instead of as a text message.
    pub is_whatsapp: bool,
    /// The service's name.
    pub service: &'a str,
    /// The code that is written.
    pub code: &'a str,
    /// How long it is still good, in seconds.
    pub seconds: u32,
    /// What is paid and to whom.
    pub payment: Option<(&'a str, &'a str)>,
    /// What the code is for, a few words of the application.
    pub purpose: Option<&'a str>,
    /// The domain that the code is bound to.
    pub domain: Option<&'a str>,
    /// The hash of an Android application, 11 characters.
    pub app_hash: Option<&'a str>,
    /// Whether it says that the code is for nobody else.
    pub do_not_share: bool,
    /// The language that was asked for.
    pub requested: Option<&'a str>,
    /// The country of the number: `CH`.
    pub country: Option<&'a str>,
    /// The service's own language.
    pub default_locale: Option<&'a str>,
}

/// A message. Its `Debug` hides the body, because a code is in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Text {
    /// What is sent.
    pub body: String,
    /// What it costs as a text message.
    pub segments: Segments,
    /// The language it is in.
    pub locale: String,
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { body: _, segments, locale } = self;
        f.debug_struct("Text").field("segments", segments).field("locale", locale).finish_non_exhaustive()
    }
}

/// The message that carries a code.
///
/// A text message ends, where they are wanted, with the line of Google's SMS
/// Retriever and then the line of origin-bound codes
/// (<https://wicg.github.io/sms-one-time-codes/>), which must be the last.
pub fn compose(catalog: &Catalog, wording: &Wording<'_>) -> Text {
    let set = catalog.set(wording.set);
    let kind = match (wording.payment, wording.is_whatsapp) {
        (Some(_), _) => Kind::Payment,
        (None, true) => Kind::Whatsapp,
        (None, false) => Kind::Sms,
    };
    let Some((language, template)) = choose(&catalog.texts(set, kind), wording) else {
        // The shipped texts are never empty; without them the code is enough.
        let body = wording.code.to_owned();
        return Text { segments: segments::count(&body), body, locale: String::new() };
    };
    let values = Values { catalog, set, language, wording };
    let mut body = values.fill(template);
    if wording.purpose.is_some() && !template.holds(Variable::Purpose) {
        let purpose = values.of(Variable::Purpose);
        // A line of its own: right in every grammar and every direction.
        body = if purpose.is_empty() { body } else { format!("{purpose}\n{body}") };
    }
    if let Some(sentence) = catalog.do_not_share(set, language).filter(|_| wording.do_not_share) {
        // Full-width full stops bring their own blank.
        body.push_str(if body.ends_with('。') { "" } else { " " });
        body.push_str(&values.fill(sentence));
    }
    if !wording.is_whatsapp {
        body = with_lines(body, template, wording);
    }
    Text { segments: segments::count(&body), body, locale: language.tag().to_owned() }
}

/// Whether that is the hash of an Android application: 11 characters of base64
/// (<https://developers.google.com/identity/sms-retriever/verify>).
pub fn is_app_hash(text: &str) -> bool {
    text.len() == 11 && text.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '+' | '/'))
}

/// The text in the language that was asked for; else in that of the number's
/// country, else the service's own; else English, else the first there is. In
/// each language the operator's words go before the shipped ones, and never a
/// language before another for its words.
fn choose<'a>(
    texts: &[&'a [(Language, Template)]],
    wording: &Wording<'_>,
) -> Option<&'a (Language, Template)> {
    let wishes = [
        wording.requested.and_then(Wanted::tag),
        wording.country.and_then(Wanted::country),
        wording.default_locale.and_then(Wanted::tag),
    ];
    let wished = wishes.iter().flatten().find_map(|wanted| language::closest_in(texts, wanted));
    wished.or_else(|| texts.iter().find_map(|texts| fallback(texts)))
}

/// The lines by which telephones recognize the message.
fn with_lines(mut body: String, template: &Template, wording: &Wording<'_>) -> String {
    let hash = wording.app_hash.filter(|hash| is_app_hash(hash));
    if let Some(hash) = hash.filter(|_| !template.holds(Variable::AppHash)) {
        body = format!("<#> {body}\n{hash}");
    }
    if let Some(domain) = wording.domain.map(clean).filter(|domain| !domain.is_empty()) {
        body.push_str(&format!("\n@{domain} #{}", wording.code));
    }
    body
}

struct Values<'a> {
    catalog: &'a Catalog,
    set: &'a Set,
    language: &'a Language,
    wording: &'a Wording<'a>,
}

impl Values<'_> {
    fn fill(&self, template: &Template) -> String {
        template.fill(|variable| self.of(variable))
    }

    fn of(&self, variable: Variable) -> String {
        let wording = self.wording;
        let (amount, payee) = wording.payment.unzip();
        match variable {
            // Nothing around the code: telephones look for it by what stands
            // next to it, and digits run the same way in every script.
            Variable::Code => wording.code.to_owned(),
            // The bare number stands in the forms of units, which fill it in.
            Variable::Minutes | Variable::N => self.validity(),
            Variable::Service => self.isolated(wording.service),
            Variable::Amount => self.isolated(amount.unwrap_or_default()),
            Variable::Payee => self.isolated(payee.unwrap_or_default()),
            Variable::Purpose => self.isolated(wording.purpose.unwrap_or_default()),
            Variable::Domain => clean(wording.domain.unwrap_or_default()),
            Variable::AppHash => {
                wording.app_hash.filter(|hash| is_app_hash(hash)).unwrap_or_default().to_owned()
            }
        }
    }

    /// How long the code is good. A set of one's own in a language that is not
    /// shipped need not have words for hours and seconds: the first are told in
    /// minutes then, the others by the unit's sign, which is the same everywhere.
    fn validity(&self) -> String {
        let (unit, number) = in_units(self.wording.seconds);
        let told = |unit, number| {
            let (language, forms) = self.catalog.unit(self.set, unit, self.language)?;
            Some(forms.phrase(language, number))
        };
        told(unit, number).unwrap_or_else(|| match unit {
            Kind::Hours => told(Kind::Minutes, self.wording.seconds / 60).unwrap_or(format!("{number} h")),
            Kind::Seconds => format!("{number} s"),
            _ => format!("{number} min"),
        })
    }

    /// A value that runs the other way than the text around it, with the marks
    /// that keep its punctuation and figures together. Only where it would come
    /// apart without them, since old telephones show the marks as boxes, and
    /// they are in no GSM alphabet: a text that needs them is not in it anyway.
    fn isolated(&self, value: &str) -> String {
        let value = clean(value);
        let comes_apart = if self.language.is_rtl() {
            let is_plain = |char: char| char.is_alphanumeric() || char == ' ';
            let is_name = value.starts_with(char::is_alphabetic) && value.chars().all(is_plain);
            !value.starts_with(is_rtl) && !is_name
        } else {
            value.contains(is_rtl)
        };
        if comes_apart && !value.is_empty() {
            let (open, close) = ISOLATE;
            return format!("{open}{value}{close}");
        }
        value
    }
}

/// Whether a character is of a script written from right to left: the blocks
/// that Unicode keeps for them.
fn is_rtl(char: char) -> bool {
    matches!(char, '\u{0590}'..='\u{08FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFE}'
        | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}')
}

#[cfg(test)]
mod tests;
