//! A request's head, to the letter of RFC 9112: what is not exactly that is
//! refused, and never mended, for a proxy in front may mend it otherwise.
//!
//! It refuses to know where bytes come from and what is served.

use warp::http::StatusCode;

/// Why a request is refused before anybody looked at where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// What it is answered with.
    pub(super) status: StatusCode,
    /// What is wrong with it, for its sender and the log.
    pub(super) what: &'static str,
}

/// What comes behind a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// So many bytes; mostly none.
    Length(u64),
    /// Chunks that each say their length (RFC 9112 §7.1).
    Chunked,
}

const fn bad(what: &'static str) -> Refusal {
    Refusal { status: StatusCode::BAD_REQUEST, what }
}

/// Too much of a head.
pub(super) const fn too_large(what: &'static str) -> Refusal {
    Refusal { status: StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, what }
}

/// A line that does not end in CR and LF.
pub(super) const BARE_LF: Refusal = bad("a line does not end in CR LF");
/// What may be TLS, HTTP/2 or the PROXY protocol.
pub(super) const NO_HTTP: Refusal = bad("the request line is not one of http/1.1");

/// The request line (§3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// False for HTTP/1.0, where `Host` may be missing and nothing comes in chunks.
    is_1_1: bool,
    /// The host and port of a target in absolute form.
    authority: Option<Authority<'a>>,
}

/// A host and port, and the port that is meant where none is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Authority<'a> {
    text: &'a [u8],
    usual: u16,
}

impl Authority<'_> {
    /// Whether a `Host` names the same: the case of letters and the scheme's own
    /// port make no difference (RFC 3986 §6.2.2.1, §6.2.3).
    fn is(&self, host: &[u8]) -> bool {
        let read = |text| parts(text).and_then(|(name, port)| Some((name, number(port, self.usual)?)));
        match (read(self.text), read(host)) {
            (Some((own, port)), Some((other, theirs))) => own.eq_ignore_ascii_case(other) && port == theirs,
            _ => false,
        }
    }
}

impl<'a> Line<'a> {
    /// Reads it, without its end.
    pub(super) fn read(line: &'a [u8]) -> Result<Self, Refusal> {
        let mut parts = line.split(|byte| *byte == b' ');
        let (Some(method), Some(target), Some(version), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NO_HTTP);
        };
        if !is_token(method) {
            return Err(NO_HTTP);
        }
        let is_1_1 = match version {
            b"HTTP/1.1" => true,
            b"HTTP/1.0" => false,
            [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
                if major.is_ascii_digit() && minor.is_ascii_digit() && method != b"PRI" =>
            {
                let status = StatusCode::HTTP_VERSION_NOT_SUPPORTED;
                return Err(Refusal { status, what: "this is a server of http/1.1" });
            }
            _ => return Err(NO_HTTP),
        };
        if !target.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'#') {
            return Err(bad("the request target has characters that no url has"));
        }
        Ok(Self { is_1_1, authority: authority(method, target)? })
    }
}

/// The authority of a target in absolute form; none of one in origin form (§3.2).
fn authority<'a>(method: &[u8], target: &'a [u8]) -> Result<Option<Authority<'a>>, Refusal> {
    if target.starts_with(b"/") || (target == b"*" && method == b"OPTIONS") {
        return Ok(None);
    }
    let lower = target.to_ascii_lowercase();
    let schemes = [(&b"http://"[..], 80), (b"https://", 443)];
    let Some((scheme, usual)) = schemes.into_iter().find(|(scheme, _)| lower.starts_with(scheme)) else {
        return Err(bad("the request target is neither a path nor an http url"));
    };
    let rest = &target[scheme.len()..];
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
    match is_host(&rest[..end]) {
        true => Ok(Some(Authority { text: &rest[..end], usual })),
        false => Err(bad("the request target names no valid host")),
    }
}

/// What of the header lines decides where the request goes and where it ends.
#[derive(Default)]
struct Fields<'a> {
    host: Option<&'a [u8]>,
    length: Option<&'a [u8]>,
    coding: Option<&'a [u8]>,
}

/// Judges a whole head, from its request line to its empty line, and says what
/// comes behind it. `max_headers` are the lines that there may be.
pub(super) fn judge(head: &[u8], max_headers: usize) -> Result<Body, Refusal> {
    let head = head.strip_suffix(b"\r\n\r\n").unwrap_or(head);
    let mut lines = Lines(Some(head));
    let line = Line::read(lines.next().unwrap_or_default())?;
    let mut fields = Fields::default();
    for (at, field) in lines.enumerate() {
        if at >= max_headers {
            return Err(too_large("there are too many header lines"));
        }
        fields.take(field)?;
    }
    match (fields.host, line.authority) {
        (None, _) if line.is_1_1 => return Err(bad("there is no host header")),
        // The target's would count (RFC 9112 §3.2.2), but of two names a proxy in
        // front may have gone by the other.
        (Some(host), Some(authority)) if !authority.is(host) => {
            return Err(bad("the host header is not the request target's host"));
        }
        _ => {}
    }
    fields.body(line.is_1_1)
}

impl<'a> Fields<'a> {
    /// One header line (§5).
    fn take(&mut self, line: &'a [u8]) -> Result<(), Refusal> {
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            return Err(bad("a header line begins with white space"));
        }
        let colon = line.iter().position(|byte| *byte == b':');
        let Some((name, value)) = colon.map(|colon| (&line[..colon], &line[colon + 1..])) else {
            return Err(bad("a header line has no colon"));
        };
        if !is_token(name) {
            return Err(bad("a header's name has characters that no name has"));
        }
        if !value.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~' | 0x80..)) {
            return Err(bad("a header's value has control characters"));
        }
        let value = trimmed(value);
        let (place, twice) = match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => (&mut self.host, "there is more than one host header"),
            14 if name.eq_ignore_ascii_case(b"content-length") => {
                (&mut self.length, "there is more than one content-length")
            }
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                (&mut self.coding, "there is more than one transfer-encoding")
            }
            _ => return Ok(()),
        };
        if place.replace(value).is_some() {
            return Err(bad(twice));
        }
        match self.host {
            Some(host) if !is_host(host) => Err(bad("the host header is no host")),
            _ => Ok(()),
        }
    }

    /// Where the request ends (§6.3).
    fn body(&self, is_1_1: bool) -> Result<Body, Refusal> {
        match (self.length, self.coding) {
            (None, None) => Ok(Body::Length(0)),
            (Some(_), Some(_)) => Err(bad("there are both a content-length and a transfer-encoding")),
            (Some(length), None) => {
                let text = std::str::from_utf8(length).unwrap_or_default();
                let digits = (1..=18).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
                let length = text.parse().ok().filter(|_| digits);
                length.map(Body::Length).ok_or(bad("the content-length is no number of bytes"))
            }
            (None, Some(_)) if !is_1_1 => Err(bad("http/1.0 has no transfer-encoding")),
            (None, Some(coding)) if coding.eq_ignore_ascii_case(b"chunked") => Ok(Body::Chunked),
            (None, Some(coding)) => Err(unknown_coding(coding)),
        }
    }
}

/// A coding that ends in chunks is one that we do not know; of another nobody can
/// tell where it ends.
fn unknown_coding(coding: &[u8]) -> Refusal {
    let chunked = |part: &[u8]| trimmed(part).eq_ignore_ascii_case(b"chunked");
    let parts: Vec<bool> = coding.split(|byte| *byte == b',').map(chunked).collect();
    match parts.split_last() {
        Some((true, others)) if !others.contains(&true) => Refusal {
            status: StatusCode::NOT_IMPLEMENTED,
            what: "the transfer-encoding is not known here: send chunked alone",
        },
        _ => bad("the transfer-encoding does not end in chunked"),
    }
}

/// Lines that end in CR LF.
struct Lines<'a>(Option<&'a [u8]>);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.0.take()?;
        match rest.windows(2).position(|pair| pair == b"\r\n") {
            Some(end) => {
                self.0 = Some(&rest[end + 2..]);
                Some(&rest[..end])
            }
            None => Some(rest),
        }
    }
}

fn trimmed(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// A token (RFC 9110 §5.6.2).
fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().copied().all(is_tchar)
}

/// A character of a token.
pub(super) fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// A host with or without a port (RFC 3986 §3.2); an empty one is none.
fn is_host(text: &[u8]) -> bool {
    parts(text).is_some_and(|(host, port)| number(port, 0).is_some() && is_name(host))
}

/// A host, and the digits of its port, which may be missing.
fn parts(text: &[u8]) -> Option<(&[u8], &[u8])> {
    match (text.first(), text.iter().rposition(|byte| *byte == b':')) {
        (Some(b'['), colon) => match text.iter().position(|byte| *byte == b']') {
            Some(end) if end + 1 == text.len() => Some((text, b"")),
            Some(end) if colon == Some(end + 1) => Some((&text[..=end], &text[end + 2..])),
            _ => None,
        },
        (_, Some(colon)) => Some((&text[..colon], &text[colon + 1..])),
        (_, None) => Some((text, b"")),
    }
}

/// A port that there can be; the usual one where none is named.
fn number(port: &[u8], usual: u16) -> Option<u16> {
    let digits = port.len() <= 5 && port.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(port).ok().filter(|_| digits)?;
    if text.is_empty() { Some(usual) } else { text.parse().ok() }
}

fn is_name(host: &[u8]) -> bool {
    if let Some(literal) = host.strip_prefix(b"[").and_then(|host| host.strip_suffix(b"]")) {
        let literal = std::str::from_utf8(literal).unwrap_or_default();
        return literal.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let is_escape = |at: usize| {
        let digits = host.get(at + 1..at + 3);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    let fits = |(at, byte): (usize, &u8)| match byte {
        b'%' => is_escape(at),
        byte => byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(byte),
    };
    !host.is_empty() && host.iter().enumerate().all(fits)
}

#[cfg(test)]
mod tests;
