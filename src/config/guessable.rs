//! What somebody guesses first: secrets that were made up, codes that are a pattern.
//!
//! A text is taken apart into what was new when it was written down, and what any
//! guesser writes down by themselves: repetitions, runs, walks over a keyboard,
//! well-known words. It refuses to know what a text is for.

use std::collections::BTreeSet;

/// The fewest characters of a secret that strangers may try to guess at.
pub const LEAST_SECRET: usize = 20;
/// The fewest different characters in one.
const LEAST_VARIETY: usize = 5;
/// So long is what counts as written by itself; what is shorter happens by chance.
const LEAST_RUN: usize = 4;
/// The fewest digits or letters of a code that is none of the first ones tried.
const LEAST_CODE: usize = 6;
/// The fewest different characters in one.
const LEAST_CODE_VARIETY: usize = 4;

/// Rows of keyboards and of alphabets, walked in both directions.
const WALKS: [&str; 10] = [
    "0123456789abcdef",
    "abcdefghijklmnopqrstuvwxyz",
    "1234567890",
    "1234567890qwertyuiop",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "qazwsxedcrfvtgbyhnujmikolp",
    "!@#$%^&*()",
];

/// Words that made-up secrets are made of, each of four letters or more.
const WORDS: [&str; 48] = [
    "password",
    "passwort",
    "passwd",
    "passphrase",
    "secret",
    "geheim",
    "token",
    "auth",
    "twilio",
    "dialback",
    "changeme",
    "change",
    "change-me",
    "replace",
    "default",
    "example",
    "sample",
    "test",
    "testing",
    "admin",
    "root",
    "user",
    "login",
    "welcome",
    "letmein",
    "hello",
    "world",
    "please",
    "sandbox",
    "production",
    "staging",
    "company",
    "monkey",
    "dragon",
    "master",
    "shadow",
    "sunshine",
    "iloveyou",
    "football",
    "dummy",
    "fake",
    "placeholder",
    "your",
    "this",
    "that",
    "deadbeef",
    "cafebabe",
    "notsecure",
];

/// Codes with a story that no rule here tells.
const STORIES: [&str; 8] = ["314159", "271828", "112358", "141421", "161803", "159753", "159357", "420690"];

/// How easily a secret is found, and why; never itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Weakness {
    /// Anybody finds it: it is refused.
    Guessed(String),
    /// It looks made up, as the tokens of examples do: a warning.
    Doubtful(String),
}

/// What is wrong with a secret that strangers may try to guess at; never itself.
///
/// Of what a generator makes almost nothing is refused: of 32 hexadecimal digits it
/// takes seven chances of about 1 in 20 at once, or as many as half of them alike,
/// which is less than once in 10^9.
pub(super) fn weakness(secret: &str) -> Option<Weakness> {
    let text: Vec<char> = secret.chars().map(|c| c.to_ascii_lowercase()).collect();
    let repeats = |times: usize| (1..=text.len() / times).any(|period| has_period(&text, period));
    if text.len() < LEAST_SECRET {
        Some(Weakness::Guessed(format!("is shorter than {LEAST_SECRET} characters")))
    } else if variety(&text) < LEAST_VARIETY {
        Some(Weakness::Guessed(format!("has fewer than {LEAST_VARIETY} different characters")))
    } else if repeats(3) {
        Some(Weakness::Guessed("is the same again and again".to_owned()))
    } else if repeats(2) {
        Some(Weakness::Doubtful("is the same twice".to_owned()))
    } else if pieces(&text) < least_pieces(text.len()) {
        let what = "is made of repetitions, runs and well-known words".to_owned();
        Some(if is_of_words(&text) { Weakness::Guessed(what) } else { Weakness::Doubtful(what) })
    } else {
        None
    }
}

/// Whether a code is among those that are tried first: it is short, of few
/// characters, repeated, a run, a count, a date-like row of pairs, a word, a walk over
/// the keys, the same from behind, or but one character away from a run.
pub(super) fn is_first_tried(code: &str) -> bool {
    let text: Vec<char> = code.chars().map(|c| c.to_ascii_lowercase()).collect();
    text.len() < LEAST_CODE
        || variety(&text) < LEAST_CODE_VARIETY
        || (1..=text.len() / 2).any(|period| has_period(&text, period))
        || text.iter().eq(text.iter().rev())
        || STORIES.iter().any(|story| code.contains(story))
        || pieces(&text) * 2 <= text.len() / 2
        || is_stepped(&text)
        || is_nearly_a_run(&text)
        || is_counted(code)
}

fn variety(text: &[char]) -> usize {
    text.iter().collect::<BTreeSet<_>>().len()
}

fn has_period(text: &[char], period: usize) -> bool {
    text.iter().zip(&text[period..]).all(|(one, other)| one == other)
}

/// The fewest pieces of a secret of so many characters.
fn least_pieces(length: usize) -> usize {
    (8 + length.saturating_sub(LEAST_SECRET) / 3).min(12)
}

/// Of how many pieces a text is: each is a character, or as much as is foretold. A
/// word is none: guessers begin with them.
fn pieces(text: &[char]) -> usize {
    let both = WALKS.iter().flat_map(|walk| [walk.chars().collect(), walk.chars().rev().collect()]);
    let walks: Vec<Vec<char>> = both.collect();
    let (mut at, mut pieces) = (0, 0);
    while at < text.len() {
        let rest = &text[at..];
        let foretold = said_before(text, at).max(stepped(rest)).max(walked(rest, &walks));
        let word = word(rest);
        if word >= foretold && word > 0 {
            at += word;
        } else {
            at += if foretold >= LEAST_RUN { foretold } else { 1 };
            pieces += 1;
        }
    }
    pieces
}

/// Whether well-known words are half of it or more.
fn is_of_words(text: &[char]) -> bool {
    let (mut at, mut known) = (0, 0);
    while at < text.len() {
        let word = word(&text[at..]);
        known += word;
        at += word.max(1);
    }
    known * 2 >= text.len()
}

/// How much of what begins at `at` was there before.
fn said_before(text: &[char], at: usize) -> usize {
    let same = |from: usize| text[from..].iter().zip(&text[at..]).take_while(|(a, b)| a == b).count();
    (0..at).map(same).max().unwrap_or_default()
}

/// How much goes on in equal steps.
fn stepped(text: &[char]) -> usize {
    let step = |two: &[char]| i64::from(u32::from(two[1])) - i64::from(u32::from(two[0]));
    match text.windows(2).next().map(step) {
        Some(first) if first.abs() <= 2 => 1 + text.windows(2).take_while(|two| step(two) == first).count(),
        _ => 0,
    }
}

/// How much is a part of a walk.
fn walked(text: &[char], walks: &[Vec<char>]) -> usize {
    let longest = |walk: &Vec<char>| {
        let from = |at: usize| walk[at..].iter().zip(text).take_while(|(a, b)| a == b).count();
        (0..walk.len()).map(from).max().unwrap_or_default()
    };
    walks.iter().map(longest).max().unwrap_or_default()
}

/// How much is a word, also one with digits and signs for letters.
fn word(text: &[char]) -> usize {
    let plain = |c: char| match c {
        '@' => 'a',
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '$' | '5' => 's',
        '7' => 't',
        c => c,
    };
    let is_here = |word: &&&str| {
        word.len() <= text.len()
            && word.chars().zip(text).all(|(letter, c)| letter == plain(*c) || letter == *c)
    };
    WORDS.iter().filter(is_here).map(|word| word.len()).max().unwrap_or_default()
}

/// Whether it goes on in no more than two steps, counted round from 9 to 0, or its
/// pairs go on in one.
fn is_stepped(text: &[char]) -> bool {
    let values: Vec<i64> = text.iter().map(|c| value(*c)).collect();
    let steps: BTreeSet<i64> = values.windows(2).map(|two| (two[1] - two[0]).rem_euclid(10)).collect();
    let pairs: Vec<i64> = values.chunks_exact(2).map(|two| two[0] * 10 + two[1]).collect();
    let of_pairs: BTreeSet<i64> = pairs.windows(2).map(|two| two[1] - two[0]).collect();
    steps.len() <= 2 || text.len().is_multiple_of(2) && of_pairs.len() == 1
}

fn value(c: char) -> i64 {
    c.to_digit(36).map_or(0, i64::from)
}

/// Whether all but one of its characters go on in one small step.
fn is_nearly_a_run(text: &[char]) -> bool {
    let begins = 0..10_i64;
    let runs = begins.flat_map(|begin| (-2..=2).map(move |step| (begin, step)));
    runs.into_iter().any(|(begin, step)| {
        let run = (0_i64..).map(|at| (begin + at * step).rem_euclid(10));
        text.iter().zip(run).filter(|(c, due)| c.to_digit(10).map(i64::from) != Some(*due)).count() <= 1
    })
}

/// Whether it is a row of three numbers or more in equal steps, as 246810 is, or the
/// squares.
fn is_counted(code: &str) -> bool {
    if !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let number = |digits: &str| digits.parse::<i64>().unwrap_or_default();
    let counted = |first: usize, second: usize| {
        let (one, two) = (number(&code[..first]), number(&code[first..first + second]));
        is_row(code, (0_i64..).map(|at| one + at * (two - one)).take_while(|number| *number >= 0))
    };
    let lengths = (1..=3).flat_map(|first| (1..=3).map(move |second| (first, second)));
    lengths.into_iter().any(|(first, second)| first + second < code.len() && counted(first, second))
        || (1..=12_i64).any(|from| is_row(code, (from..).map(|number| number * number)))
}

/// Whether a code is what a row of numbers begins with.
fn is_row(code: &str, row: impl Iterator<Item = i64>) -> bool {
    let (mut rest, mut terms) = (code, 0);
    for number in row.take(code.len()).map(|number| number.to_string()) {
        terms += 1;
        match rest.strip_prefix(number.as_str()) {
            Some("") => return terms > 2,
            Some(more) => rest = more,
            None => return terms > 3 && number.starts_with(rest),
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_everybody_finds_is_refused() {
        for weak in [
            "",
            "a",
            "short",
            "0123456789",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "abababababababababababab",
            "passwordpasswordpassword",
            "PasswordPasswordPassword",
            "P@ssw0rdP@ssw0rd!P@ssw0rd",
            "password123password456",
            "hunter2!hunter2!hunter2!",
            "changemechangemechangeme",
            "ThisIsMyTwilioAuthToken1",
            "01234567890123456789012345678901",
            "deadbeefdeadbeefcafebabecafebabe",
            "00000000000000000000000000000001",
        ] {
            let Some(Weakness::Guessed(what)) = weakness(weak) else { panic!("{weak}") };
            assert!(!what.contains(weak) || weak.len() < 8, "{weak}");
        }
    }

    #[test]
    fn what_looks_made_up_is_a_warning() {
        for weak in [
            "my-secret-token-my-secret-token",
            "abcdefghijklmnopqrstuvwxyz",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ123456",
            "0123456789abcdef0123456789abcdef",
            "0123456789abcdef0123456789abcde0",
            "fedcba98765432100123456789abcdef",
            "qwertyuiopasdfghjklzxcvbnm",
            "1q2w3e4r5t6y7u8i1q2w3e4r5t6y7u8i",
            "11112222333344445555666677778888",
            "aaaaaaaabbbbbbbbccccccccddddddddeeee",
            "field-00000000000000000000000000000000",
        ] {
            assert!(weakness(weak).is_some(), "{weak}");
        }
    }

    #[test]
    fn what_was_drawn_is_strong() {
        for strong in [
            "dbk_tests_3b1f0c7ad2e94586",
            "3b1f0c7ad2e945861f9b72c05d8ea364",
            "mXn4mEwJ0rXrV1yQWl7Hc2aZ0b6uPq9s",
            "correct-battery-under-7-purple-lakes",
        ] {
            assert_eq!(weakness(strong), None, "{strong}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]
        #[test]
        fn no_random_key_is_refused(bytes in proptest::collection::vec(any::<u8>(), 16..48)) {
            use base64::Engine;
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            prop_assert_eq!(weakness(&hex), None, "{}", hex);
            for engine in [base64::engine::general_purpose::STANDARD, base64::engine::general_purpose::URL_SAFE_NO_PAD] {
                let text = engine.encode(&bytes);
                prop_assert_eq!(weakness(&text), None, "{}", text);
            }
        }
    }

    #[test]
    fn codes_that_are_tried_first() {
        for code in [
            "0000",
            "4928",
            "000000",
            "123456",
            "654321",
            "123123",
            "121212",
            "112233",
            "000001",
            "246810",
            "135791",
            "101112",
            "102030",
            "010203",
            "123321",
            "147258",
            "159753",
            "314159",
            "123457",
            "234567",
            "890123",
            "369121",
            "5101520",
            "149162536",
            "11223344",
            "12341234",
            "87654321",
            "12345679",
            "999998",
            "SECRET",
            "QWERTY",
            "ABCDEF",
            "1234567890",
            "55555555",
            "901234",
        ] {
            assert!(is_first_tried(code), "{code}");
        }
        for code in ["492817", "49281736", "830472", "719406", "264098", "K4M9T2", "5820374196"] {
            assert!(!is_first_tried(code), "{code}");
        }
    }

    /// Whoever draws a code by lot need not draw often.
    #[test]
    fn most_codes_are_good() {
        let refused = (0..2_000).filter(|n| is_first_tried(&format!("{:06}", n * 499 + 7))).count();
        assert!(refused < 400, "{refused}");
    }
}
