//! What is a link, and what only has a dot in it.

use super::*;

#[test]
fn a_link_or_an_address_is_seen_in_every_disguise() {
    for text in [
        "to win at https://evil.example/x",
        "HTTP://EVIL",
        "hxxp://evil",
        "hxxps:evil",
        "see evil.com",
        "see evil.com/x",
        "see evil.com.",
        "(evil.com)",
        "evil.com:8080/x",
        "EVIL.COM",
        "sub.evil.co.uk",
        "www.evil.nonsense",
        "bit.ly/x",
        "t.me/evil",
        "Booking.com",
        "evil.zip",
        "evil.рф",
        "пример.рф",
        "xn--e1afmkfd.xn--p1ai",
        "例え.みんな",
        "भारत.भारत",
        "evil。com",
        "evil．com",
        "evil｡com",
        "evil․com",
        "evil﹒com",
        "evil·com/x",
        "evil・com",
        "ｅｖｉｌ．ｃｏｍ",
        "𝐞𝐯𝐢𝐥.𝐜𝐨𝐦",
        "ev\u{200b}il.c\u{200d}om",
        "evil\u{2060}.\u{202e}com",
        "evil.\u{feff}com",
        "evil.соm",
        "evil[.]com",
        "evil(dot)com",
        "evil [dot] com",
        "me@evil.com",
        "me@mail.intranet",
        "mailto:me",
        "tel:+4915112345678",
        "javascript:alert(1)",
        "192.0.2.7",
        "192.0.2.7/x",
        "http://3221225991",
        "[2001:db8::7]",
        "2001:db8::7",
    ] {
        assert!(has_link(text), "{text:?}");
    }
}

#[test]
fn what_only_has_dots_is_none() {
    for text in [
        "",
        "Dr. Smith",
        "Dr.Smith",
        "No. 5",
        "No.5",
        "Nr. 7",
        "St. Gallen",
        "St.Gallen",
        "v2.0",
        "3.50 EUR",
        "EUR 3.50",
        "1.234,56 €",
        "1.234.567,00",
        "$1,234.56",
        "50.00USD",
        "J.P. Morgan",
        "J.P.Morgan",
        "U.S.A.",
        "S.p.A.",
        "z.B. heute",
        "Müller GmbH & Co.KG",
        "Acme Co.,Ltd.",
        "Acme Co.Ltd",
        "Acme Pvt.Ltd.",
        "Done. It works",
        "and so on...",
        "…",
        "Node.js",
        "12:30",
        "from 12:30 to 13:00",
        "ratio 3:4:5",
        "Note: mind the gap",
        "Tel: ask us",
        "C++ & C#",
        "@shop",
        "me@home",
        "M@nhattan",
        "г.Москва",
        "支払い。確認",
        "楽天・ポイント",
        "Café·Bar",
        "Apple·Pay",
        "col·lecció",
        "ships·company",
        "登录您的账户。谢谢",
        "می\u{200c}خواهم",
        "to sign in",
        "um sich anzumelden",
    ] {
        assert!(!has_link(text), "{text:?}");
    }
}

#[test]
fn what_shows_nothing_is_not_shown() {
    for (text, expected) in [
        ("\u{202e}emca\u{202c}", "emca"),
        ("A\u{200b}c\u{200d}me\u{feff}", "Acme"),
        ("\u{2066}Shop\u{2069}\u{200f}", "Shop"),
        (" a\u{a0}b\u{2028}c ", "a b c"),
        ("\u{200b}\u{200e}\u{2800}", ""),
        ("می\u{200c}خواهم", "می\u{200c}خواهم"),
        ("\u{200c}خ", "خ"),
        ("Straße 5", "Straße 5"),
    ] {
        assert_eq!(shown(text), expected, "{text:?}");
    }
}
