//! What is allowed, and what only looks so.

use super::*;

fn permits(allowed: &[&str], url: &str) -> bool {
    let allowed: Vec<String> = allowed.iter().map(|text| (*text).to_owned()).collect();
    permit(&allowed, url).is_ok()
}

#[test]
fn people_are_sent_only_where_the_service_says() {
    let allowed = ["https://a.example/done", "https://b.example/in/*", "https://c.example?from=us"];
    for url in [
        "https://a.example/done",
        "HTTPS://A.Example:443/done",
        "https://a.example/d%6fne",
        "https://a.example/d%256fne",
        "https://b.example/in/",
        "https://b.example/in/x?y=1",
        "https://b.example/in/x?y=../..%2f",
        "https://b.example/%69n/x",
        "https://c.example/?from=us",
        "https://b.example/in/100%25",
        "https://b.example/in/100%25%20sure",
        "https://b.example/in/%C3%A4?q=%25",
        "https://b.example/in/v1.2...3",
    ] {
        assert!(permits(&allowed, url), "{url}");
    }
    for url in [
        "https://a.example/done2",
        "https://a.example/done/",
        "https://a.example/done?next=1",
        "https://a.example/Done",
        "https://a.example",
        "https://a.example./done",
        "https://a.example:444/done",
        "http://a.example/done",
        "http://a.example:443/done",
        "http://b.example/in/x",
        "https://b.example/out",
        "https://b.example/in",
        "https://b.example/in/../out",
        "https://b.example/in/%2E%2e/out",
        "https://b.example/in/.%2e/out",
        "https://b.example/in/%252e%252e/out",
        "https://b.example/in/%25252e%25252e/out",
        "https://b.example/in/..%2fout",
        "https://b.example/in/..%252fout",
        "https://b.example/in/%5c..%5cout",
        "https://b.example/in/..;/out",
        "https://b.example/in/..;x=1/out",
        "https://b.example/in/%c0%ae%c0%ae/out",
        "https://b.example/in/%ef%bc%8e%ef%bc%8e/out",
        "https://b.example/in/．．/out",
        "https://b.example/in/x%2f..%2f..",
        "https://b.example/in/x\\..\\..",
        "https://b.example/in/%u002e%u002e/out",
        "https://b.example/in/%25u002e%25u002e/out",
        "https://b.example/in/%U002e%U002e/out",
        "https://b.example/in/x%",
        "https://b.example/in/%2",
        "https://b.example/in/%2/x",
        "https://b.example/in/%zz",
        "https://b.example/in/%%32%65",
        "https://b.example/in/x?y=%",
        "https://b.example/in/x?y=%2",
        "https://b.example/in/‥/out",
        "https://b.example/in/%E2%80%A5/out",
        "https://b.example/in/…/out",
        "https://b.example/in/x…",
        "https://b.example/in/⒈/out",
        "https://b.example/in/℅out",
        "https://b.example/in/½",
        "https://b.example/in/％2e％2e/out",
        "https://b.example/in/﹪2e/out",
        "https://b.example/in/..；x/out",
        "https://b.example/in/︙/out",
        "https://b.example/in/.\u{200b}./out",
        "https://b.example/in/.%E2%80%8B./out",
        "https://b.example\\@evil.example/in/x",
        "https://evil.example\\.b.example/in/x",
        "https://b.example/in/%0d%0aSet-Cookie:x",
        "https://b.example/in/%00",
        "https://b.example/in/x#y",
        "https://b.example/in/x#",
        "https://b.example/in/x y",
        "https://b.example/in/x\ty",
        "https://b.exa\tmple/in/x",
        "https://b.example/in/\r\nSet-Cookie:x",
        " https://b.example/in/x",
        "https://b.example/in/x\n",
        "https://b.example.evil.example/in/x",
        "https://b.example@evil.example/in/x",
        "https://b.example:443@evil.example/in/x",
        "https://@b.example/in/x",
        "https://user:word@b.example/in/x",
        "https:b.example/in/x",
        "https:/b.example/in/x",
        "https:///b.example/in/x",
        "https://b.example:x/in/",
        "//b.example/in/",
        "/in/x",
        "javascript:alert(1)",
        "javascript://b.example/in/%0aalert(1)",
        "data:text/html,x",
        "https://",
        "",
    ] {
        assert!(!permits(&allowed, url), "{url}");
    }
    assert!(!permits(&allowed, &format!("https://b.example/in/{}", "x".repeat(MOST))));
}

#[test]
fn a_host_is_the_same_in_every_script_that_it_is_written_in() {
    let allowed = ["https://bücher.example/*", "https://xn--mnchen-3ya.example/"];
    for url in ["https://xn--bcher-kva.example/x", "https://BÜCHER.example/x", "https://münchen.example/"] {
        assert!(permits(&allowed, url), "{url}");
    }
    assert!(!permits(&allowed, "https://bucher.example/x"));
    // What the browser will be sent is plain.
    let told = permit(&["https://bücher.example/*".to_owned()], "https://bücher.example/ä?ö").unwrap();
    assert_eq!(told, "https://xn--bcher-kva.example/%C3%A4?%C3%B6");
    // Digits and dots of another script are an address of the network, to a browser.
    assert!(!permits(&["https://127.0.0.2/"], "https://１２７.0.0.1/"));
}

#[test]
fn on_ones_own_machine_any_port_may_do() {
    let allowed = ["http://127.0.0.1:*/*", "http://localhost:*/done", "http://[::1]:*/*"];
    for url in [
        "http://127.0.0.1:5000/",
        "http://127.0.0.1:5000",
        "http://127.0.0.1/",
        "http://127.0.0.1:3000/x?y=1:2",
        "http://localhost:8080/done",
        "http://[::1]:3000/",
    ] {
        assert!(permits(&allowed, url), "{url}");
    }
    for url in [
        "http://127.0.0.1:*/",
        "http://127.0.0.1:5000@evil.example/",
        "http://127.0.0.1:5000.evil.example/",
        "http://127.0.0.1:@evil.example:80/",
        "http://127.0.0.1.evil.example:5000/",
        "https://127.0.0.1:5000/",
        "http://localhost:8080/other",
        "http://localhost.evil.example:80/done",
    ] {
        assert!(!permits(&allowed, url), "{url}");
    }
}

#[test]
fn a_wildcard_is_one_label_of_ones_own_domain() {
    let allowed = ["https://*.shop.example/*", "https://*.shop.co.uk/done"];
    for url in ["https://a.shop.example/", "https://A.shop.example/x", "https://b.shop.co.uk/done"] {
        assert!(permits(&allowed, url), "{url}");
    }
    for url in [
        "https://shop.example/",
        "https://a.b.shop.example/",
        "https://.shop.example/",
        "https://ashop.example/",
        "https://a.shop.example.evil.example/",
        "https://evil.example/.shop.example/",
        "https://a.shop.example:8443/",
    ] {
        assert!(!permits(&allowed, url), "{url}");
    }
}

#[test]
fn what_would_allow_too_much_is_not_to_be_allowed() {
    for good in [
        "https://example.com",
        "https://example.com/",
        "https://example.com/done?a=b",
        "https://example.com:8443/*",
        "https://*.example.com",
        "https://*.example.com:8443/*",
        "https://*.example.co.uk/",
        "https://*.team.github.io/",
        "https://*.hill.school.sch.uk/",
        "https://*.city.kawasaki.jp/",
        "https://*.www.ck/",
        "http://localhost:3000/*",
        "http://app.localhost:3000/",
        "http://127.0.0.1:*/*",
        "https://localhost:*/x",
    ] {
        assert!(Allowed::read(good).is_ok(), "{good}: {:?}", Allowed::read(good));
    }
    for (bad, why) in [
        ("https://*", "has * only"),
        ("https://*/", "has * only"),
        ("https://*:8443/", "has * only"),
        ("https://*:*/", "has * only"),
        ("https://*.com", "one's own"),
        ("https://*.com:8443/*", "one's own"),
        ("https://*.co.uk/", "one's own"),
        ("https://*.github.io/", "one's own"),
        ("https://*.xn--p1ai/", "one's own"),
        ("https://*.example", "one's own"),
        ("https://*.localhost/", "one's own"),
        // Rules of the list with a wildcard: every label is somebody else's.
        ("https://*.sch.uk/", "one's own"),
        ("https://*.kawasaki.jp/*", "one's own"),
        ("https://*.kobe.jp/", "one's own"),
        ("https://*.ck/", "one's own"),
        ("https://*.bd/", "one's own"),
        ("https://*.compute-1.amazonaws.com/", "one's own"),
        ("https://*.compute.amazonaws.com/", "one's own"),
        ("https://*.elb.amazonaws.com/", "one's own"),
        ("https://*.school.sch.uk/", "one's own"),
        ("https://*.SCH.uk:8443/*", "one's own"),
        ("https://*.com./", "one's own"),
        ("https://*.sch.uk./", "one's own"),
        ("https://example.com/%2", "two hexadecimal"),
        ("https://example.com/x?%", "two hexadecimal"),
        ("https://*.127.0.0.1/", "whole address"),
        ("https://*.*.example.com/", "has * only"),
        ("https://a.*.example.com/", "has * only"),
        ("https://a*.example.com/", "has * only"),
        ("https://*example.com/", "has * only"),
        ("https://example.*/", "has * only"),
        ("https://example.com/*/done", "has * only"),
        ("https://example.com/x*", "has * only"),
        ("https://example.com*", "has * only"),
        ("https://example.com/?*", "has * only"),
        ("https://example.com:*/", "own machine"),
        ("http://example.com/", "begins with https"),
        ("http://192.168.0.1/", "begins with https"),
        ("http://*.example.com/", "begins with https"),
        ("http://localhost.example.com/", "begins with https"),
        ("*", "begin with https"),
        ("example.com", "begin with https"),
        ("ftp://example.com/", "whole address"),
        ("https://user@example.com/", "neither user"),
        ("https://example.com/#x", "no fragment"),
        ("https://example.com/../*", "without . and .."),
        ("https://example.com/a b", "neither spaces"),
        ("https:///", "has a host"),
    ] {
        let told = Allowed::read(bad).expect_err(bad);
        assert!(told.contains(why), "{bad}: {told}");
    }
}

#[test]
fn a_refusal_names_what_is_allowed_and_what_differs() {
    let refusal = |allowed: &[&str], url: &str| {
        let allowed: Vec<String> = allowed.iter().map(|text| (*text).to_owned()).collect();
        permit(&allowed, url).unwrap_err()
    };
    let told = refusal(&["https://a.example/done", "https://b.example/*"], "https://a.example:8443/done");
    assert!(told.contains("(https://a.example/done, https://b.example/*)"), "{told}");
    assert!(told.ends_with("from https://a.example/done it differs in its port"), "{told}");
    let told = refusal(&["http://localhost/done"], "https://localhost/don");
    assert!(told.ends_with("it differs in its scheme and path"), "{told}");
    assert!(refusal(&[], "https://a.example/").contains("allows none yet"));
    // Those of before there were rules are not offered.
    assert!(refusal(&["https://*"], "https://a.example/").contains("allows none yet"));
}
