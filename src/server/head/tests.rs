//! Heads that are right, and every way to be wrong that RFC 9112 names.

use super::*;

fn judged(head: &str) -> Result<Body, u16> {
    judge(head.as_bytes(), 8).map_err(|refusal| refusal.status.as_u16())
}

#[test]
fn what_is_right_passes_with_where_it_ends() {
    for (head, body) in [
        ("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Body::Length(0)),
        ("GET / HTTP/1.1\r\nhOsT:h\r\n\r\n", Body::Length(0)),
        ("GET / HTTP/1.1\r\nHost:\t otp.example.com:8443 \t\r\n\r\n", Body::Length(0)),
        ("GET /a?b=%2B%7C{}|' HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", Body::Length(0)),
        ("GET / HTTP/1.0\r\n\r\n", Body::Length(0)),
        ("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", Body::Length(0)),
        ("GET http://Otp.example/a HTTP/1.1\r\nHost: otp.example\r\n\r\n", Body::Length(0)),
        ("GET http://otp.example:80/a HTTP/1.1\r\nHost: OTP.example\r\n\r\n", Body::Length(0)),
        ("GET HTTP://otp.example HTTP/1.1\r\nHost: otp.example:80\r\n\r\n", Body::Length(0)),
        ("GET https://otp.example:/a HTTP/1.1\r\nHost: otp.example:443\r\n\r\n", Body::Length(0)),
        ("GET http://[::1]:8000/ HTTP/1.1\r\nHost: [::1]:8000\r\n\r\n", Body::Length(0)),
        ("GET / HTTP/1.1\r\nHost: h:65535\r\n\r\n", Body::Length(0)),
        ("GET / HTTP/1.1\r\nHost: h:\r\n\r\n", Body::Length(0)),
        ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 12\r\n\r\n", Body::Length(12)),
        ("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n", Body::Chunked),
        ("GET / HTTP/1.1\r\nHost: h\r\nX: caf\u{e9} a\tb\r\nEmpty:\r\n\r\n", Body::Length(0)),
    ] {
        assert_eq!(judged(head), Ok(body), "{head:?}");
    }
}

#[test]
fn request_lines_are_three_words() {
    for (line, status) in [
        ("", 400),
        ("GET /", 400),
        ("GET  / HTTP/1.1", 400),
        (" GET / HTTP/1.1", 400),
        ("GET / HTTP/1.1 ", 400),
        ("GET\t/ HTTP/1.1", 400),
        ("GET /a b HTTP/1.1", 400),
        ("G(T / HTTP/1.1", 400),
        ("GET / http/1.1", 400),
        ("GET / HTTP/1.1x", 400),
        ("GET / HTTP/2.0", 505),
        ("GET / HTTP/1.2", 505),
        ("PRI * HTTP/2.0", 400),
        ("GET * HTTP/1.1", 400),
        ("GET a/b HTTP/1.1", 400),
        ("GET /a#b HTTP/1.1", 400),
        ("GET /\u{e9} HTTP/1.1", 400),
        ("GET /\u{7f} HTTP/1.1", 400),
        ("GET ftp://h/ HTTP/1.1", 400),
        ("GET http:/// HTTP/1.1", 400),
        ("GET http://user@h/ HTTP/1.1", 400),
        ("GET http://other/ HTTP/1.1", 400),
        ("GET http://h:443/ HTTP/1.1", 400),
        ("GET https://h:80/ HTTP/1.1", 400),
        ("GET http://h:99999/ HTTP/1.1", 400),
        ("CONNECT h:443 HTTP/1.1", 400),
        ("PROXY TCP4 203.0.113.7 203.0.113.9 5000 443", 400),
    ] {
        assert_eq!(judged(&format!("{line}\r\nHost: h\r\n\r\n")), Err(status), "{line:?}");
    }
}

#[test]
fn header_lines_are_a_name_a_colon_and_a_value() {
    for line in [
        "X : 1",
        "X\t: 1",
        ": 1",
        "X",
        "X Y: 1",
        "X(: 1",
        "X: a\u{0}b",
        "X: a\u{7f}",
        "X: a\rb",
        "X: 1\r\n folded",
        "X: 1\r\n\tfolded",
        "\u{e9}: 1",
    ] {
        assert_eq!(judged(&format!("GET / HTTP/1.1\r\nHost: h\r\n{line}\r\n\r\n")), Err(400), "{line:?}");
    }
    // Also before there is a header that it could belong to.
    assert_eq!(judged("GET / HTTP/1.1\r\n Host: h\r\n\r\n"), Err(400));
    let lines = "X: 1\r\n".repeat(8);
    assert_eq!(judged(&format!("GET / HTTP/1.1\r\nHost: h\r\n{lines}\r\n")), Err(431));
}

#[test]
fn there_is_one_host_and_it_is_one() {
    for hosts in ["", "Host: h\r\nHost: h\r\n", "Host: h\r\nhost: other\r\n", "Host:\r\n", "Host: \r\n"] {
        assert_eq!(judged(&format!("GET / HTTP/1.1\r\n{hosts}\r\n")), Err(400), "{hosts:?}");
    }
    for host in [
        "a b",
        "a/b",
        "a?b",
        "a@b",
        "http://h",
        "h:port",
        "h:80:80",
        "h:123456",
        "h:99999",
        "h:65536",
        "[::1]:65536",
        "[::1",
        "::1",
        "[nonsense]",
        "[::1]x",
        "%zz",
        "h\\i",
        "\u{e9}",
        "<h>",
    ] {
        assert_eq!(judged(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")), Err(400), "{host:?}");
    }
    assert_eq!(judged("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"), Err(400));
}

#[test]
fn where_a_request_ends_is_said_once() {
    for (fields, status) in [
        ("Content-Length: 1\r\nContent-Length: 2", 400),
        ("Content-Length: 1\r\nContent-Length: 1", 400),
        ("Content-Length: 1, 1", 400),
        ("Content-Length: +1", 400),
        ("Content-Length: -1", 400),
        ("Content-Length: 0x1", 400),
        ("Content-Length: 1 1", 400),
        ("Content-Length:", 400),
        ("Content-Length: 99999999999999999999", 400),
        ("Content-Length: 1\r\nTransfer-Encoding: chunked", 400),
        ("Transfer-Encoding: chunked\r\nContent-Length: 1", 400),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 400),
        ("Transfer-Encoding: chunked, chunked", 400),
        ("Transfer-Encoding: chunked, identity", 400),
        ("Transfer-Encoding: identity", 400),
        ("Transfer-Encoding: xchunked", 400),
        ("Transfer-Encoding: \u{b}chunked", 400),
        ("Transfer-Encoding:", 400),
        ("Transfer-Encoding: gzip, chunked", 501),
    ] {
        assert_eq!(
            judged(&format!("POST / HTTP/1.1\r\nHost: h\r\n{fields}\r\n\r\n")),
            Err(status),
            "{fields:?}"
        );
    }
    assert_eq!(judged("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), Err(400));
}
