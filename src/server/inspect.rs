//! Looks at a connection's bytes before hyper does: finds each head, judges it,
//! and counts its body to find the next one.
//!
//! hyper takes a lone LF for a line's end and goes on where two lines contradict
//! each other. What passes here is what hyper reads in the same way. It refuses to
//! know sockets.

use super::head::{BARE_LF, Body, Line, NO_HTTP, Refusal, is_tchar, judge, too_large};

/// The most bytes of all chunk extensions of a body, and of its trailers.
const MAX_EXTRAS: usize = 8 * 1024;

/// Where in a request we are.
#[derive(Debug)]
enum State {
    /// In a head, of which so much was seen; its request line was read or not.
    Head { seen: Vec<u8>, has_line: bool },
    /// In a body of so many more bytes.
    Length(u64),
    /// In a body of chunks.
    Chunks { at: Chunk, extras: usize },
}

/// Where in a body of chunks (RFC 9112 §7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chunk {
    /// Its size so far, of so many digits.
    Size { size: u64, digits: u8 },
    /// White space before an extension.
    Blank { size: u64 },
    /// An extension, which means nothing here.
    Extension { size: u64 },
    /// The LF behind a size.
    SizeEnd { size: u64 },
    /// So many more bytes.
    Data(u64),
    /// The CR behind them.
    DataEnd,
    /// The LF behind that.
    DataLf,
    /// The beginning of a trailer line, or of the last, empty line.
    TrailerStart,
    /// A trailer line.
    Trailer,
    /// The LF behind one.
    TrailerLf,
    /// The LF behind all.
    LastLf,
}

/// Looks at the bytes of one connection.
#[derive(Debug)]
pub(super) struct Inspector {
    state: State,
    max_head_bytes: usize,
    max_headers: usize,
}

/// What was found wrong, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// A head: nobody has seen the request.
    Head(Refusal),
    /// A body, which somebody reads already.
    Body,
}

impl Inspector {
    /// One for a new connection.
    pub(super) fn new(max_head_bytes: usize, max_headers: usize) -> Self {
        Self { state: State::head(), max_head_bytes, max_headers }
    }

    /// How many of these bytes may be passed on; fewer than all with what is wrong
    /// behind them, after which nothing may be asked any more.
    pub(super) fn pass(&mut self, bytes: &[u8]) -> (usize, Option<Wrong>) {
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            match &mut self.state {
                State::Head { .. } => match self.head(rest) {
                    Ok(taken) => at += taken,
                    Err(refusal) => return (at, Some(Wrong::Head(refusal))),
                },
                State::Length(left) => {
                    let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(rest.len());
                    *left -= taken as u64;
                    at += taken;
                    if *left == 0 {
                        self.state = State::head();
                    }
                }
                State::Chunks { at: chunk, extras } => match chunk.pass(rest, extras) {
                    Some((taken, Some(next))) => {
                        *chunk = next;
                        at += taken;
                    }
                    Some((taken, None)) => {
                        self.state = State::head();
                        at += taken;
                    }
                    None => return (at, Some(Wrong::Body)),
                },
            }
        }
        (at, None)
    }

    /// Takes bytes of a head, up to its end at most; says how many.
    fn head(&mut self, bytes: &[u8]) -> Result<usize, Refusal> {
        let State::Head { seen, has_line } = &mut self.state else { return Ok(0) };
        let mut taken = 0;
        while taken < bytes.len() {
            let rest = &bytes[taken..];
            let end = rest.iter().position(|byte| *byte == b'\n').map(|end| end + 1);
            let piece = &rest[..end.unwrap_or(rest.len())];
            let begins = seen.is_empty();
            seen.extend_from_slice(piece);
            taken += piece.len();
            if seen.len() > self.max_head_bytes {
                return Err(too_large("the head is too long"));
            }
            if begins && !matches!(piece.first(), Some(&first) if first == b'\r' || is_tchar(first)) {
                // At once: what speaks TLS waits for an answer before it says more.
                return Err(if piece.first() == Some(&b'\n') { BARE_LF } else { NO_HTTP });
            }
            if end.is_none() {
                continue;
            }
            if !seen.ends_with(b"\r\n") {
                return Err(BARE_LF);
            }
            if seen.len() == 2 {
                // An empty line before a request is passed over (§2.2).
                seen.clear();
            } else if !*has_line {
                Line::read(&seen[..seen.len() - 2])?;
                *has_line = true;
            } else if seen.ends_with(b"\r\n\r\n") {
                self.state = State::behind(judge(seen, self.max_headers)?);
                return Ok(taken);
            }
        }
        Ok(taken)
    }
}

impl State {
    /// At the beginning of a head.
    fn head() -> Self {
        Self::Head { seen: Vec::new(), has_line: false }
    }

    fn behind(body: Body) -> Self {
        match body {
            Body::Length(0) => Self::head(),
            Body::Length(left) => Self::Length(left),
            Body::Chunked => Self::Chunks { at: Chunk::Size { size: 0, digits: 0 }, extras: 0 },
        }
    }
}

impl Chunk {
    /// Takes one byte, or as many as are data: how many, and where we are then,
    /// `None` behind the last chunk. Nothing when that is no chunk.
    fn pass(self, bytes: &[u8], extras: &mut usize) -> Option<(usize, Option<Self>)> {
        let byte = *bytes.first()?;
        let next = match (self, byte) {
            (Self::Data(left), _) => {
                let taken = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                let left = left - taken as u64;
                return Some((taken, Some(if left == 0 { Self::DataEnd } else { Self::Data(left) })));
            }
            (Self::Size { size, digits: digits @ ..15 }, digit) if digit.is_ascii_hexdigit() => {
                let digit = char::from(digit).to_digit(16)?;
                Self::Size { size: size * 16 + u64::from(digit), digits: digits + 1 }
            }
            (Self::Size { size, digits: 1.. } | Self::Extension { size }, b'\r') => Self::SizeEnd { size },
            (Self::Size { size, digits: 1.. } | Self::Blank { size }, b';') => Self::Extension { size },
            (Self::Size { size, digits: 1.. } | Self::Blank { size }, b' ' | b'\t') => Self::Blank { size },
            (Self::Extension { .. }, b'\t' | b' '..=b'~' | 0x80..) => self,
            (Self::SizeEnd { size: 0 }, b'\n') => Self::TrailerStart,
            (Self::SizeEnd { size }, b'\n') => Self::Data(size),
            (Self::DataEnd, b'\r') => Self::DataLf,
            (Self::DataLf, b'\n') => Self::Size { size: 0, digits: 0 },
            (Self::TrailerStart, b'\r') => Self::LastLf,
            (Self::TrailerStart, first) if is_tchar(first) => Self::Trailer,
            (Self::Trailer, b'\r') => Self::TrailerLf,
            (Self::Trailer, b'\t' | b' '..=b'~' | 0x80..) => Self::Trailer,
            (Self::TrailerLf, b'\n') => Self::TrailerStart,
            (Self::LastLf, b'\n') => return Some((1, None)),
            _ => return None,
        };
        if matches!(next, Self::Blank { .. } | Self::Extension { .. } | Self::Trailer) {
            *extras += 1;
        }
        (*extras <= MAX_EXTRAS).then_some((1, Some(next)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: &str = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

    /// What passes of a text that comes in pieces of so many bytes, and the status
    /// of what is behind it; 0 for a wrong body.
    fn passed(text: &str, piece: usize) -> (usize, Option<u16>) {
        let mut inspector = Inspector::new(512, 8);
        let mut all = 0;
        for piece in text.as_bytes().chunks(piece) {
            let (passed, wrong) = inspector.pass(piece);
            all += passed;
            if let Some(wrong) = wrong {
                let status = match wrong {
                    Wrong::Head(refusal) => refusal.status.as_u16(),
                    Wrong::Body => 0,
                };
                return (all, Some(status));
            }
        }
        (all, None)
    }

    #[test]
    fn requests_behind_one_another_pass_whatever_their_bodies_hold() {
        let body = "GET / HTTP/1.1\nno head\n\n";
        let chunks = format!("{:x};a=\"b\"\r\n{body}\r\n1 ;x\r\n\n\r\n0\r\nT: 1\r\n\r\n", body.len());
        let head = "POST / HTTP/1.1\r\nHost: h\r\n";
        let text = format!(
            "{GET}\r\n{head}Content-Length: {}\r\n\r\n{body}{GET}{head}Transfer-Encoding: chunked\r\n\r\n{chunks}{GET}",
            body.len()
        );
        for piece in [1, 2, 3, 7, 64, 4096] {
            assert_eq!(passed(&text, piece), (text.len(), None), "{piece}");
            // What comes behind is looked at again.
            let (at, wrong) = passed(&format!("{text}GET / HTTP/1.1\nHost: h\r\n\r\n"), piece);
            assert!(at >= text.len() && wrong == Some(400), "{piece}: {at}");
        }
    }

    #[test]
    fn a_wrong_head_keeps_its_last_bytes_back() {
        for (head, status) in [
            ("GET / HTTP/1.1\nHost: h\n\n", 400),
            ("GET / HTTP/1.1\r\nHost: h\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: h\r\n\n", 400),
            ("\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
            ("\u{16}\u{3}\u{1}", 400),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\n\r\n", 400),
            ("\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n", 400),
        ] {
            for piece in [1, 5, 4096] {
                let text = format!("{GET}{head}");
                let (at, wrong) = passed(&text, piece);
                assert_eq!(wrong, Some(status), "{head:?} in pieces of {piece}");
                assert!(at < text.len(), "{head:?} in pieces of {piece}");
            }
            assert_eq!(passed(&format!("{GET}{head}"), 4096).0, GET.len(), "{head:?}");
        }
        let long = format!("GET / HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n", "x".repeat(512));
        assert_eq!(passed(&long, 4096), (0, Some(431)));
    }

    #[test]
    fn chunks_are_chunks() {
        let head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
        for body in [
            "\r\n",
            "x\r\n",
            "+1\r\n",
            "0x1\r\n",
            "1\na\r\n",
            "1 \r\na\r\n",
            "1\r\nab",
            "1\r\na\n",
            "1\r\na\r1",
            "-1\r\n",
            "10000000000000000\r\n",
            "1;a\nb\r\n",
            "0\r\n\n",
            "0\r\n: 1\r\n",
            "0\r\nT: 1\n\r\n",
            "0\r\n\r1",
        ] {
            for piece in [1, 4096] {
                assert_eq!(passed(&format!("{head}{body}"), piece).1, Some(0), "{body:?}");
            }
        }
        let endless = format!("{head}1;{}", "x".repeat(MAX_EXTRAS + 1));
        assert_eq!(passed(&endless, 4096).1, Some(0));
    }
}
