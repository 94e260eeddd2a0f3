//! Rust's text as words and signs, without comments, and without what is only for
//! tests. It knows nothing of what they mean.

/// A word or a sign, and the line it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub line: usize,
    pub is: Is,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Is {
    /// A name or a keyword, without `r#`.
    Word(String),
    /// `::`.
    Colons,
    Sign(char),
    /// Something in quotes, a number or a lifetime.
    Literal,
}

impl Token {
    pub fn word(&self) -> Option<&str> {
        match &self.is {
            Is::Word(word) => Some(word),
            _ => None,
        }
    }

    pub fn is(&self, sign: char) -> bool {
        self.is == Is::Sign(sign)
    }

    /// Whether it opens or closes a group, as 1 or -1.
    pub fn depth(&self) -> i32 {
        match self.is {
            Is::Sign('(' | '[' | '{') => 1,
            Is::Sign(')' | ']' | '}') => -1,
            _ => 0,
        }
    }
}

/// The tokens of a file, without the items under `#[cfg(test)]`.
pub fn tokens(text: &str) -> Vec<Token> {
    without_tests(all(text))
}

fn all(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut line = 1;
    let mut at = 0;
    while at < chars.len() {
        let (length, is) = next(&chars[at..]);
        if let Some(is) = is {
            found.push(Token { line, is });
        }
        line += chars[at..at + length].iter().filter(|c| **c == '\n').count();
        at += length;
    }
    found
}

/// How long the next token is, and what; nothing for white space and comments.
fn next(rest: &[char]) -> (usize, Option<Is>) {
    let starts = |text: &str| text.chars().enumerate().all(|(at, c)| rest.get(at) == Some(&c));
    let first = rest[0];
    if first.is_whitespace() {
        return (1, None);
    }
    if starts("//") {
        return (rest.iter().position(|c| *c == '\n').unwrap_or(rest.len()), None);
    }
    if starts("/*") {
        return (comment(rest), None);
    }
    if starts("::") {
        return (2, Some(Is::Colons));
    }
    if let Some(length) = quoted(rest) {
        return (length, Some(Is::Literal));
    }
    if starts("r#") {
        let length = word(&rest[2..]);
        return (2 + length, Some(Is::Word(rest[2..2 + length].iter().collect())));
    }
    match word(rest) {
        0 => (1, Some(Is::Sign(first))),
        length if first.is_ascii_digit() => (length, Some(Is::Literal)),
        length => (length, Some(Is::Word(rest[..length].iter().collect()))),
    }
}

fn word(rest: &[char]) -> usize {
    rest.iter().take_while(|c| c.is_alphanumeric() || **c == '_').count()
}

/// The length of a comment, which may hold others.
fn comment(rest: &[char]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        match (rest[at], rest.get(at + 1)) {
            ('/', Some('*')) => depth += 1,
            ('*', Some('/')) => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            break;
        }
    }
    at
}

/// The length of a text, a character or a lifetime, if one begins here.
fn quoted(rest: &[char]) -> Option<usize> {
    let prefix = rest.iter().take_while(|c| matches!(c, 'b' | 'c' | 'r')).count();
    let hashes = rest[prefix..].iter().take_while(|c| **c == '#').count();
    let is_raw = rest[..prefix].contains(&'r');
    let open = prefix + hashes;
    match rest.get(open)? {
        '"' if is_raw => {
            let is_end = |at: &usize| {
                rest[*at] == '"' && rest[at + 1..].iter().take_while(|c| **c == '#').count() >= hashes
            };
            let end = (open + 1..rest.len()).find(is_end)?;
            Some(end + 1 + hashes)
        }
        '"' if hashes == 0 => Some(open + 1 + until('"', &rest[open + 1..])),
        '\'' if hashes == 0 && prefix < 2 => {
            let is_lifetime = rest.get(open + 1) != Some(&'\\') && rest.get(open + 2) != Some(&'\'');
            Some(
                open + 1 + if is_lifetime { word(&rest[open + 1..]) } else { until('\'', &rest[open + 1..]) },
            )
        }
        _ => None,
    }
}

/// The length up to and with the quote that closes.
fn until(quote: char, rest: &[char]) -> usize {
    let mut at = 0;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

fn without_tests(all: Vec<Token>) -> Vec<Token> {
    let mut kept: Vec<Token> = Vec::new();
    let mut at = 0;
    while at < all.len() {
        if is_for_tests(&all[at..]) {
            at += item(&all[at..]);
        } else {
            kept.push(all[at].clone());
            at += 1;
        }
    }
    kept
}

/// Whether `#[cfg(test)]` begins here.
fn is_for_tests(rest: &[Token]) -> bool {
    let said = rest.iter().take(7).map(|token| match &token.is {
        Is::Word(word) => word.clone(),
        Is::Sign(sign) => sign.to_string(),
        _ => String::new(),
    });
    said.collect::<String>() == "#[cfg(test)]"
}

/// The length of an item with its attributes: to its `;` or `}`, or to the comma
/// of a field.
fn item(rest: &[Token]) -> usize {
    const ITEMS: [&str; 8] = ["const", "enum", "fn", "impl", "mod", "static", "struct", "use"];
    let mut depth = 0;
    let mut is_field = true;
    for (at, token) in rest.iter().enumerate() {
        depth += token.depth();
        is_field &= !token.word().is_some_and(|word| ITEMS.contains(&word));
        let ends = match token.is {
            Is::Sign('}') => depth <= 0,
            Is::Sign(';') => depth == 0,
            Is::Sign(',') => depth == 0 && is_field,
            _ => false,
        };
        if depth < 0 {
            return at;
        }
        if ends {
            return at + 1;
        }
    }
    rest.len()
}

#[test]
fn the_reader_of_tokens_leaves_out_comments_texts_and_tests() {
    let words = |text: &str| {
        tokens(text).iter().filter_map(|token| token.word().map(str::to_owned)).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(words("a // b\n/* c /* d */ e */ f"), "a f");
    assert_eq!(words(r##"a "b \" c" d r#"e " f"# g b'h' '\'' i 'j' k"##), "a d g i k");
    assert_eq!(words("fn a<'b>(c: &'b str) {}"), "fn a c str");
    assert_eq!(words("r#type 1u8 0x1f a1"), "type a1");
    assert_eq!(words("a! { b }\n#[cfg(test)]\n#[path = \"c\"]\nmod d { fn e() {} }\nf"), "a b f");
    assert_eq!(words("#[cfg(test)]\nfn a<B, C>() -> [u8; 3] { d }\ne"), "e");
    assert_eq!(words("#[cfg(test)] use a::{b, c}; d { #[cfg(test)] e: f, g: h }"), "d g h");
    assert_eq!(tokens("a\n\n\"b\nc\"\n::d").last().map(|token| token.line), Some(5));
}
