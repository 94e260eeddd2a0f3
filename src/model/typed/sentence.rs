//! The code in what somebody pasted around it: a whole message, a prefix, a
//! sign. It never chooses: where two pieces may be the code, there are several.
//!
//! A piece of an amount, a date, a time or a telephone number is none. What a
//! code is made of stands in its [`Form`]; what it is for, this module refuses
//! to know.

use super::plain;
use std::collections::BTreeSet;

/// What a code looks like.
#[derive(Debug, Clone, Copy)]
pub struct Form<'a> {
    /// How many characters it has.
    pub length: usize,
    /// Capitals and digits that it is made of; nothing for any letters and
    /// digits of ASCII, small ones too.
    pub alphabet: Option<&'a str>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nothing that may be the code.
    Nothing,
    /// One piece alone has its form.
    One(String),
    /// More than one has.
    Several,
}

/// Letters by which currencies go beside an amount (ISO 4217). One that is
/// missing makes an amount as long as the code a second candidate, no more.
const CURRENCIES: [&str; 30] = [
    "AED", "AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EGP", "EUR", "GBP", "HKD", "HUF", "IDR", "ILS",
    "INR", "JPY", "KRW", "MXN", "NOK", "PLN", "RON", "RUB", "SAR", "SEK", "THB", "TRY", "UAH", "USD", "ZAR",
];

/// Finds a code of that form in a text of any language.
pub fn find(text: &str, form: Form<'_>) -> Found {
    let text: Vec<char> = plain(text).chars().collect();
    let pieces = pieces(&text);
    let mut found = BTreeSet::new();
    for at in 0..pieces.len() {
        let own = pieces[at].code(form).filter(|code| code.len() == form.length);
        found.extend(own.filter(|_| !is_of_a_number(&text, &pieces, at)));
        found.extend(joined(&text, &pieces, at, form));
    }
    match (found.pop_first(), found.is_empty()) {
        (None, _) => Found::Nothing,
        (Some(code), true) => Found::One(code),
        (Some(_), false) => Found::Several,
    }
}

/// A run of letters and digits. Scripts without capitals end it: Chinese, Thai
/// or Arabic words may stand right beside a code.
struct Piece {
    from: usize,
    to: usize,
    text: String,
}

impl Piece {
    fn is_digits(&self) -> bool {
        self.text.bytes().all(|byte| byte.is_ascii_digit())
    }

    /// The piece as a code's, or a part of one. A word of a sentence is none:
    /// codes are written in capitals, or have a digit.
    fn code(&self, form: Form<'_>) -> Option<String> {
        let has_small = self.text.bytes().any(|byte| byte.is_ascii_lowercase());
        let has_digit = self.text.bytes().any(|byte| byte.is_ascii_digit());
        if !self.text.is_ascii() || (has_small && !has_digit) {
            return None;
        }
        let Some(alphabet) = form.alphabet else { return Some(self.text.clone()) };
        let code = self.text.to_ascii_uppercase();
        code.chars().all(|c| alphabet.contains(c)).then_some(code)
    }
}

fn pieces(text: &[char]) -> Vec<Piece> {
    let is_inside = |c: &char| c.is_ascii_alphanumeric() || c.is_lowercase() || c.is_uppercase();
    let mut pieces: Vec<Piece> = Vec::new();
    for (at, c) in text.iter().enumerate().filter(|(_, c)| is_inside(c)) {
        match pieces.last_mut().filter(|last| last.to == at) {
            Some(last) => {
                last.to += 1;
                last.text.push(*c);
            }
            None => pieces.push(Piece { from: at, to: at + 1, text: c.to_string() }),
        }
    }
    pieces
}

/// A code that is written in groups, `152 774` or `DWF-4P3`, and nothing before
/// or behind it is another group.
fn joined(text: &[char], pieces: &[Piece], first: usize, form: Form<'_>) -> Option<String> {
    let is_joined = |at: usize| {
        let (Some(one), Some(two)) = (pieces.get(at), pieces.get(at + 1)) else { return false };
        let is_group = |piece: &Piece| piece.code(form).is_some();
        let sign = if one.to + 1 == two.from { text[one.to] } else { '\n' };
        match sign {
            '-' => is_group(one) && is_group(two),
            ' ' => one.is_digits() && two.is_digits(),
            _ => false,
        }
    };
    if first.checked_sub(1).is_some_and(is_joined) || !is_joined(first) {
        return None;
    }
    let last = (first..).find(|at| !is_joined(*at))?;
    let groups = &pieces[first..=last];
    let length: usize = groups.iter().map(|piece| piece.text.len()).sum();
    let is_number = (first..=last).any(|at| has_signs_of_a_number(text, pieces, at));
    (length == form.length && !is_number).then(|| groups.iter().filter_map(|it| it.code(form)).collect())
}

/// Whether a piece is a part of an amount, a date, a time or a telephone number.
fn is_of_a_number(text: &[char], pieces: &[Piece], at: usize) -> bool {
    // Groups that hyphens join are one number, and so are those behind a plus.
    let joins = |at: usize, signs: &str| {
        let (Some(one), Some(two)) = (pieces.get(at), pieces.get(at + 1)) else { return false };
        one.is_digits() && two.is_digits() && one.to + 1 == two.from && signs.contains(text[one.to])
    };
    let is_hyphened = joins(at, "-") || at.checked_sub(1).is_some_and(|before| joins(before, "-"));
    let mut first = at;
    while first > 0 && joins(first - 1, " -") {
        first -= 1;
    }
    is_hyphened || before(text, pieces[first].from, 1) == Some('+') || has_signs_of_a_number(text, pieces, at)
}

/// Whether what stands right beside a piece makes it a number of something.
fn has_signs_of_a_number(text: &[char], pieces: &[Piece], at: usize) -> bool {
    let piece = &pieces[at];
    let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let is_inner = |c: Option<char>| c.is_some_and(|c| ".,:/'\u{2019}\u{66b}\u{66c}".contains(c));
    let (left, right) = (before(text, piece.from, 1), text.get(piece.to).copied());
    let goes_on = (is_inner(left) && is_digit(before(text, piece.from, 2)))
        || (is_inner(right) && is_digit(text.get(piece.to + 1).copied()));
    let beside = |c: Option<char>, further: Option<char>| if c == Some(' ') { further } else { c };
    let signs = [beside(left, before(text, piece.from, 2)), beside(right, text.get(piece.to + 1).copied())];
    let is_money = signs.into_iter().flatten().any(is_currency);
    let names = [at.checked_sub(1).and_then(|at| pieces.get(at)), pieces.get(at + 1)];
    let is_beside = |other: &&Piece| other.to + 1 == piece.from || piece.to + 1 == other.from;
    let mut names = names.into_iter().flatten().filter(is_beside);
    left == Some('+') || goes_on || is_money || names.any(|name| CURRENCIES.contains(&name.text.as_str()))
}

fn before(text: &[char], at: usize, steps: usize) -> Option<char> {
    text.get(at.checked_sub(steps)?).copied()
}

/// Unicode's currency signs, per cent, and the words that stand for a currency
/// without a space.
fn is_currency(c: char) -> bool {
    matches!(c,
        '$' | '%' | '\u{a2}'..='\u{a5}' | '\u{58f}' | '\u{60b}' | '\u{9f2}' | '\u{9f3}' | '\u{af1}'
        | '\u{bf9}' | '\u{e3f}' | '\u{17db}' | '\u{20a0}'..='\u{20cf}' | '\u{fdfc}' | '\u{fe69}'
        | '\u{ff04}' | '\u{ffe0}' | '\u{ffe1}' | '\u{ffe5}' | '\u{ffe6}' | '円' | '元' | '원')
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGITS: Form<'_> = Form { length: 6, alphabet: Some("0123456789") };

    fn one(code: &str) -> Found {
        Found::One(code.to_owned())
    }

    #[test]
    fn a_sentence_gives_up_its_code() {
        for text in [
            "Your code is 152774.",
            "152774 is your Shop code. It expires in 10 minutes.",
            "G-152774",
            "Shop: 152 774 (10 min)",
            "Code: 152-774, expires 27.11.2026 12:30",
            "Ihr Code lautet 152774. Er gilt 10 Minuten. Zahlung: 1.234,56 € an Bob",
            "You pay EUR 100000 to Bob with 152774",
            "You pay $100000 to Bob with 152774",
            "Ödemeniz 1234,56 TL. Kodunuz 152774'tür",
            "您的验证码是152774，10分钟内有效。",
            "確認コードは152774です。お支払い100000円",
            "인증 번호는 152774입니다.",
            "رمزكم هو ١٥٢٧٧٤ وهو صالح لمدة ١٠ دقائق",
            "आपका कोड १५२७७४ है",
            "Код: 152774. Никому его не сообщайте. Телефон: +7 812 345678",
            "\u{2068}152774\u{2069} is your code\n\n@shop.example #152774",
            "Your code is 152774\n20 sec",
        ] {
            assert_eq!(find(text, DIGITS), one("152774"), "{text}");
        }
    }

    #[test]
    fn of_two_candidates_none_is_chosen() {
        for text in [
            "152774 or 140682",
            "Code 152774, order 140682",
            "152774, help: 0800 123456",
            "code 152 774, was 140682",
        ] {
            assert_eq!(find(text, DIGITS), Found::Several, "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_a_code_is_none() {
        for text in [
            "",
            "hello",
            "12345",
            "1234567",
            "15277A",
            "A152774",
            "+49 151 234567",
            "1234.56",
            "12,34,56",
            "152774.50 €",
            "€152774",
            "2026-11-27",
            "0800-123456",
            "about 152774%",
            "1 234 567",
            "12:34:56",
            "secure",
        ] {
            assert_eq!(find(text, DIGITS), Found::Nothing, "{text}");
        }
    }

    #[test]
    fn letters_are_told_from_words() {
        let letters = Form { length: 6, alphabet: Some("ABCDEFGHJKLMNPQRSTUVWXYZ23456789") };
        for text in ["Your secure code: DWF4P3", "the code is dwf4p3 for ten minutes", "DWF-4P3 is your code"]
        {
            assert_eq!(find(text, letters), one("DWF4P3"), "{text}");
        }
        assert_eq!(find("please enter secure", letters), Found::Nothing);
        assert_eq!(find("TWELVE or DWF4P3", letters), Found::Several);
        let chosen = Form { length: 6, alphabet: None };
        assert_eq!(find("Your code is aB34xy.", chosen), one("aB34xy"));
        assert_eq!(find("Your code is 152774.", chosen), one("152774"));
    }
}
