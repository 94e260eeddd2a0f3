//! The `.http` format of editors (VS Code's REST Client, JetBrains' HTTP
//! Client), as far as webhooks need it, and three comments of our own.
//!
//! ```text
//! @public_url = http://127.0.0.1:8000
//!
//! ### The carrier confirms
//! # @expect 204
//! POST {{public_url}}/twilio/status HTTP/1.1
//! Content-Type: application/x-www-form-urlencoded
//! X-Twilio-Signature: {{signature}}
//!
//! MessageSid=SM…&MessageStatus=delivered
//! ```
//!
//! | comment | meaning |
//! |---|---|
//! | `# @expect 204` | the status that the answer must have |
//! | `# @signed-url URL` | what Twilio signed, where another URL is requested |
//! | `# @signed-body BODY` | what Twilio signed, where another body arrives |
//!
//! This module reads text and nothing else: it refuses to know files,
//! signatures and what the variables stand for.

use std::borrow::Cow;

/// A file's requests, not yet expanded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HttpFile {
    /// `@name = value`, in the order of the file.
    pub variables: Vec<(String, String)>,
    /// The requests, at least one.
    pub requests: Vec<Request>,
}

/// A request as written, with its `{{names}}`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The line of `POST …`, counted from one.
    pub line: usize,
    /// What stands after `###`; often empty.
    pub title: String,
    /// The status of `# @expect`, if the request has one.
    pub expect: Option<u16>,
    /// The URL of `# @signed-url`, where that is not the one that it goes to.
    pub signed_url: Option<String>,
    /// The body of `# @signed-body`, where that is not the one that is sent.
    pub signed_body: Option<String>,
    /// In upper case.
    pub method: String,
    /// A URL, or a path alone.
    pub url: String,
    /// Names as written; a name may come more than once.
    pub headers: Vec<(String, String)>,
    /// The body, without line breaks at its end.
    pub body: String,
}

/// What is wrong with a file, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Misread {
    /// The line, counted from one.
    pub line: usize,
    /// What was found or expected.
    pub what: String,
}

impl HttpFile {
    /// Reads a file's text.
    ///
    /// # Errors
    /// [`Misread`] with the first line that does not fit.
    pub fn parse(text: &str) -> Result<Self, Misread> {
        let mut file = Self::default();
        let mut block = Block::default();
        for (number, line) in (1..).zip(text.lines()) {
            if let Some(title) = line.strip_prefix("###") {
                file.requests.extend(std::mem::take(&mut block).finish());
                block.request.title = title.trim().to_owned();
            } else {
                block.take(&mut file.variables, number, line)?;
            }
        }
        file.requests.extend(block.finish());
        if file.requests.is_empty() {
            return misread(1, "expected a request, such as POST {{public_url}}/twilio/status");
        }
        Ok(file)
    }
}

impl Request {
    /// The first value of a header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }
}

/// Replaces each `{{name}}` by its value.
///
/// # Errors
/// The first name without a value, or what is not closed.
pub fn expand<'v>(
    text: &str,
    value: impl Fn(&str) -> Result<Cow<'v, str>, String>,
) -> Result<String, String> {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, from)) = rest.split_once("{{") {
        let (name, after) = from.split_once("}}").ok_or("a {{ has no }}")?;
        out.push_str(before);
        out.push_str(&value(name.trim())?);
        rest = after;
    }
    Ok(out + rest)
}

/// What stands between two `###`.
#[derive(Default)]
struct Block {
    request: Request,
    part: Part,
}

#[derive(Default, PartialEq)]
enum Part {
    #[default]
    Preamble,
    Head,
    Body,
}

impl Block {
    fn take(
        &mut self,
        variables: &mut Vec<(String, String)>,
        number: usize,
        line: &str,
    ) -> Result<(), Misread> {
        match self.part {
            Part::Preamble => self.preamble(variables, number, line),
            Part::Head => self.head(number, line),
            Part::Body => self.body(number, line),
        }
    }

    fn preamble(
        &mut self,
        variables: &mut Vec<(String, String)>,
        number: usize,
        line: &str,
    ) -> Result<(), Misread> {
        let line = line.trim();
        if let Some(comment) = comment(line) {
            return self.directive(number, comment);
        }
        if let Some(definition) = line.strip_prefix('@') {
            let pair = definition.split_once('=').map(|(name, value)| (name.trim(), value.trim()));
            let (name, value) = pair
                .filter(|(name, _)| !name.is_empty())
                .ok_or_else(|| Misread { line: number, what: "expected @name = value".to_owned() })?;
            variables.push((name.to_owned(), value.to_owned()));
        } else if !line.is_empty() {
            self.request_line(number, line)?;
        }
        Ok(())
    }

    fn directive(&mut self, number: usize, comment: &str) -> Result<(), Misread> {
        let (name, value) = comment.split_once(char::is_whitespace).unwrap_or((comment, ""));
        let value = value.trim();
        match name {
            "@expect" => match value.parse() {
                Ok(status @ 100..=599) => self.request.expect = Some(status),
                _ => return misread(number, "expected a status, such as # @expect 204"),
            },
            "@signed-url" => self.request.signed_url = Some(value.to_owned()),
            "@signed-body" => self.request.signed_body = Some(value.to_owned()),
            _ => {}
        }
        Ok(())
    }

    fn request_line(&mut self, number: usize, line: &str) -> Result<(), Misread> {
        let mut words = line.split_whitespace();
        let (method, url, version) = (words.next().unwrap_or_default(), words.next(), words.next());
        let known = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"].contains(&method);
        match (known, url, version, words.next()) {
            (true, Some(url), None | Some("HTTP/1.1" | "HTTP/1.0"), None) => {
                self.request.line = number;
                self.request.method = method.to_owned();
                self.request.url = url.to_owned();
                self.part = Part::Head;
                Ok(())
            }
            _ => misread(number, "expected a request, such as POST {{public_url}}/twilio/status HTTP/1.1"),
        }
    }

    fn head(&mut self, number: usize, line: &str) -> Result<(), Misread> {
        let text = line.trim();
        let goes_on = line.starts_with([' ', '\t']) && text.starts_with(['?', '&']);
        if text.is_empty() {
            self.part = Part::Body;
        } else if goes_on && self.request.headers.is_empty() {
            self.request.url.push_str(text);
        } else if comment(text).is_none() {
            let pair = text.split_once(':').filter(|(name, _)| is_token(name));
            let Some((name, value)) = pair else {
                return misread(
                    number,
                    "expected a header, such as User-Agent: TwilioProxy/1.1, or an empty line",
                );
            };
            self.request.headers.push((name.to_owned(), value.trim().to_owned()));
        }
        Ok(())
    }

    fn body(&mut self, number: usize, line: &str) -> Result<(), Misread> {
        if line.starts_with("< ") || line.starts_with("> ") {
            return misread(number, "bodies from files and scripts are not read here: write the body itself");
        }
        let body = &mut self.request.body;
        // As in editors: a form may be written one pair to a line.
        if !(body.is_empty() || line.starts_with('&')) {
            body.push('\n');
        }
        body.push_str(line);
        Ok(())
    }

    fn finish(mut self) -> Option<Request> {
        let end = self.request.body.trim_end_matches('\n').len();
        self.request.body.truncate(end);
        (self.part != Part::Preamble).then_some(self.request)
    }
}

/// The text of a comment line.
fn comment(line: &str) -> Option<&str> {
    line.strip_prefix('#').or_else(|| line.strip_prefix("//")).map(str::trim)
}

/// RFC 9110 §5.6.2
fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

fn misread<T>(line: usize, what: impl Into<String>) -> Result<T, Misread> {
    Err(Misread { line, what: what.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "\
# for everybody
@public_url = http://127.0.0.1:8000
@sid=SM1

### First
// @expect 204
# @name first
POST {{public_url}}/twilio/status HTTP/1.1
Content-Type: application/x-www-form-urlencoded
# a comment among headers
X-Twilio-Signature: {{signature}}

MessageSid={{sid}}
&Body=a%20b


###
# @signed-url http://h/x
# @signed-body A=1&B=2
GET /twilio/voice
    ?A=1
    &B=2
Accept: a:b
";

    #[test]
    fn requests_are_read_with_all_that_belongs_to_them() {
        let file = HttpFile::parse(TWO).unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(file.variables, [pair("public_url", "http://127.0.0.1:8000"), pair("sid", "SM1")]);
        let [first, second] = &file.requests[..] else { panic!("{:?}", file.requests) };
        assert_eq!((first.line, &*first.title, first.expect), (8, "First", Some(204)));
        assert_eq!((&*first.method, &*first.url), ("POST", "{{public_url}}/twilio/status"));
        assert_eq!(first.header("x-twilio-signature"), Some("{{signature}}"));
        assert_eq!((first.headers.len(), &*first.body), (2, "MessageSid={{sid}}&Body=a%20b"));
        assert_eq!((&*second.url, second.header("Accept")), ("/twilio/voice?A=1&B=2", Some("a:b")));
        assert_eq!(second.signed_url.as_deref(), Some("http://h/x"));
        assert_eq!(second.signed_body.as_deref(), Some("A=1&B=2"));
        assert_eq!((second.expect, &*second.body), (None, ""));
    }

    #[test]
    fn a_body_keeps_its_lines() {
        let file =
            HttpFile::parse("POST /e\r\nContent-Type: application/json\r\n\r\n[\r\n\r\n 1]\r\n\r\n").unwrap();
        assert_eq!(file.requests[0].body, "[\n\n 1]");
    }

    #[test]
    fn what_is_no_http_file_is_refused_with_its_line() {
        let cases = [
            ("", 1, "expected a request"),
            ("# only a comment\n###\n", 1, "expected a request"),
            ("{\n  \"a\": 1\n}", 1, "expected a request"),
            ("\nFETCH /a", 2, "expected a request"),
            ("POST /a b HTTP/1.1", 1, "expected a request"),
            ("POST /a HTTP/2", 1, "expected a request"),
            ("@ = 1", 1, "@name = value"),
            ("POST /a\nno header", 2, "expected a header"),
            ("POST /a\nno header: x", 2, "expected a header"),
            ("# @expect soon\nPOST /a", 1, "expected a status"),
            ("POST /a\n\n< ./body.json", 3, "write the body itself"),
            ("POST /a\n\nx\n> {% test %}", 4, "write the body itself"),
        ];
        for (text, line, what) in cases {
            let misread = HttpFile::parse(text).unwrap_err();
            assert_eq!(misread.line, line, "{text}");
            assert!(misread.what.contains(what), "{text}: {misread}");
        }
    }

    #[test]
    fn names_are_replaced_by_their_values() {
        let value = |name: &str| match name {
            "a" => Ok(Cow::Borrowed("1")),
            other => Err(format!("no {other}")),
        };
        assert_eq!(expand("x{{a}}y{{ a }}", value).as_deref(), Ok("x1y1"));
        assert_eq!(expand("{{a}}{{b}}", value), Err("no b".to_owned()));
        assert!(expand("{{a", value).is_err());
    }
}
