//! What never reaches a handler leaves a line that says what to mend: paths
//! that nearly fit, heads that are too large, and what is no HTTP.

use crate::instance::{Instance, Setup};
use crate::wire::PATIENCE;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn raw(app: &Instance, request: &str) -> String {
    raw_to(&app.server, request).await
}

async fn raw_to(listener: &str, request: &str) -> String {
    let address = listener.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer));
    read.await.unwrap_or_else(|_| panic!("no end of the answer to {request:?}")).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_webhooks_path_that_nearly_fits_is_named_with_the_right_one() {
    let app = Setup::live().set("PUBLIC_URL", "https://otp.example.com/door").start().await;
    let missed = app.webhook("/door/twilio/status", &[("MessageSid", "SM1")]).await;
    assert_eq!(missed.status, 404, "it is said, and not forgiven");
    let log = app.logged("nearly fits").await;
    let line = log.lines().find(|line| line.contains("nearly fits")).unwrap();
    assert!(line.contains("/door/twilio/status"), "{line}");
    assert!(line.contains("https://otp.example.com/door/twilio/status"), "{line}");
    app.stop().await;
}

#[tokio::test]
async fn heads_that_are_refused_are_told_with_the_setting() {
    let app = Setup::live().start().await;
    let lines = "X-Mesh: 1\r\n".repeat(65);
    let answer = raw(&app, &format!("GET /healthz HTTP/1.1\r\nHost: h\r\n{lines}\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    app.logged("server.max_headers").await;
    let proxied = "PROXY TCP4 203.0.113.7 203.0.113.9 5000 443\r\nGET /healthz HTTP/1.1\r\nHost: h\r\n\r\n";
    let answer = raw(&app, proxied).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    app.logged("PROXY protocol").await;
    app.stop().await;
}

/// The value of a header in an answer, read by hand.
fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split("\r\n\r\n").next()?;
    let lines = head.split("\r\n").filter_map(|line| line.split_once(": "));
    let mut found = lines.filter(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    let value = found.next();
    assert_eq!(found.next(), None, "{name} is there twice in {head}");
    value
}

#[tokio::test]
async fn no_listener_takes_what_is_not_http_to_the_letter() {
    let app = Setup::sandbox().start().await;
    let listeners = [&app.server, &app.admin, &app.sandbox];
    for request in [
        "GET / HTTP/1.1\n\n",
        "GET / HTTP/1.1\r\nHost: localhost\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: local host\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nX: 1\r\n folded\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",
        "GET http://other.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}",
    ] {
        for listener in listeners {
            let answer = raw_to(listener, request).await;
            assert!(answer.starts_with("HTTP/1.1 400 "), "{listener} to {request:?}: {answer}");
            assert_eq!(header(&answer, "x-content-type-options"), Some("nosniff"), "{request:?}");
            assert_eq!(header(&answer, "connection"), Some("close"), "{request:?}");
        }
    }
    // Who came before on the same connection is answered, and nothing behind it.
    let good = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for bad in ["GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\nHost: h\n\n"] {
        let answer = raw_to(&app.server, &format!("{good}{good}{bad}{good}")).await;
        let statuses: Vec<&str> =
            answer.matches("HTTP/1.1 200").chain(answer.matches("HTTP/1.1 400")).collect();
        assert_eq!(statuses, ["HTTP/1.1 200", "HTTP/1.1 200", "HTTP/1.1 400"], "{answer}");
    }
    // A body whose chunks are none is the reader's to refuse.
    let chunks = "POST /v1/verifications HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\
                  Content-Type: application/json\r\nAuthorization: Bearer KEY\r\n\r\n2\n{}\r\n0\r\n\r\n";
    let answer = raw_to(&app.server, &chunks.replace("KEY", crate::instance::KEY)).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    app.stop().await;
}

#[tokio::test]
async fn every_answer_tells_browsers_to_make_nothing_more_of_it() {
    let over_tls = Setup::live().start().await;
    let sandbox = Setup::sandbox().start().await;
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let post = |path: &str| {
        format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    };
    let listeners = [
        (&over_tls.server, true),
        (&over_tls.admin, false),
        (&sandbox.server, false),
        (&sandbox.admin, false),
        (&sandbox.sandbox, false),
    ];
    for (listener, is_over_tls) in listeners {
        for request in [
            get("/healthz"),
            get("/nowhere"),
            get("/v1/verifications"),
            get("/v2/Services"),
            post("/twilio/status"),
            post("/twilio/voice/VE1/DL1"),
            get("/verify/PS1"),
            get("/verify/static/page.css"),
            get("/sandbox/state"),
            get("/2010-04-01/Accounts.json"),
            get("/"),
            "GET / HTTP/1.1\r\n\r\n".to_owned(),
            format!("GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "X: 1\r\n".repeat(70)),
            format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(17_000)),
            format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "x".repeat(40_000)),
        ] {
            let answer = raw_to(listener, &request).await;
            assert!(answer.starts_with("HTTP/1.1 "), "{listener} to {request:.80}: {answer}");
            for name in [
                "x-content-type-options",
                "cache-control",
                "referrer-policy",
                "x-frame-options",
                "content-security-policy",
            ] {
                assert!(header(&answer, name).is_some(), "{name} of {request:.80}: {answer}");
            }
            let hsts = header(&answer, "strict-transport-security").is_some();
            assert_eq!(hsts, is_over_tls, "{request:.80}: {answer}");
        }
    }
    over_tls.stop().await;
    sandbox.stop().await;
}

#[tokio::test]
async fn no_number_of_a_url_is_logged() {
    let app = Setup::sandbox().set("LOG__LEVEL", "info,dialback=trace").start().await;
    let ask = |line: &str| format!("{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    for number in ["4915155501234", "15555501234"] {
        // Whatever is logged is searched for it at the end.
        app.learn(number);
        for listener in [&app.server, &app.admin, &app.sandbox] {
            for line in [
                format!("GET /v1/verifications?to=%2B{number}"),
                format!("GET /v1/deliveries?to=+{number}"),
                format!("GET /v1/opt-outs/+{number}"),
                format!("GET /v1/opt-outs/%2b{number}"),
                format!("DELETE /sandbox/phones/%2B{number}"),
                format!("GET /+{number}/twilio/status"),
                format!("POST /twilio/sms?From=%2B{number}"),
                format!("POST /twilio/voice/VE{number}/DL{number}"),
                format!("GET /v2/Services/VA1/SafeList/Numbers/+{number}"),
                format!("{number} /healthz"),
                format!("GET /2010-04-01/Accounts/AC1/Messages.json?To=%2B{number}"),
                format!("GET http://{number}/healthz"),
            ] {
                assert!(raw_to(listener, &ask(&line)).await.starts_with("HTTP/1.1 "), "{line}");
            }
        }
    }
    app.stop().await;
}

#[tokio::test]
async fn over_tls_the_pages_cookies_are_this_hosts_alone() {
    let services = "{ default = { pages = { return_urls = [\"https://shop.example/*\"] } } }";
    let app = Setup::live().set("SERVICES", services).start().await;
    let asked = serde_json::json!({ "return_url": "https://shop.example/done" });
    let made = app.post("/v1/sessions", &asked).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let id = crate::instance::text(&made.json()["id"]);
    let page = raw(&app, &format!("GET /verify/{id} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")).await;
    let set: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("set-cookie: ")).collect();
    assert!(!set.is_empty(), "{page}");
    for line in set {
        assert!(line.starts_with("__Host-dialback_") && line.contains(&id), "{line}");
        for part in ["; Path=/;", "; Secure", "; HttpOnly", "; SameSite=Lax"] {
            assert!(line.contains(part) && !line.contains("Domain"), "{line}");
        }
    }
    app.stop().await;
}

#[tokio::test]
async fn what_answers_get_answers_head_with_its_headers_alone() {
    let app = Setup::sandbox().start().await;
    let admin = ["/healthz", "/readyz", "/openapi.json"];
    let server = ["/healthz", "/readyz", "/openapi.json", "/v1/verifications", "/v1/keys", "/verify/PS1"];
    let sandbox = ["/", "/sandbox/state"];
    let ask = |method: &str, path: &str| {
        let key = crate::instance::KEY;
        format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\
             Connection: close\r\n\r\n"
        )
    };
    for (listener, paths) in
        [(&app.admin, &admin[..]), (&app.server, &server[..]), (&app.sandbox, &sandbox[..])]
    {
        for path in paths {
            let got = raw_to(listener, &ask("GET", path)).await;
            let head = raw_to(listener, &ask("HEAD", path)).await;
            let status = |answer: &str| answer.lines().next().unwrap_or_default().to_owned();
            assert_eq!(status(&head), status(&got), "{listener}{path}");
            // What stands in there is of its moment, and as long as it is then.
            let same: &[&str] = if *path == "/sandbox/state" {
                &["content-type"]
            } else {
                &["content-type", "content-length"]
            };
            for name in same {
                assert_eq!(header(&head, name), header(&got, name), "{listener}{path}");
            }
            assert!(head.ends_with("\r\n\r\n") && !head.trim_end().contains("\r\n\r\n"), "{path}: {head}");
        }
    }
    // What changes something is asked by no HEAD.
    for path in ["/twilio/sms", "/v1/verifications/VE1/check"] {
        let refused = raw_to(&app.server, &ask("HEAD", path)).await;
        assert!(refused.starts_with("HTTP/1.1 405 "), "{path}: {refused}");
        assert!(!header(&refused, "allow").unwrap().contains("HEAD"), "{path}: {refused}");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_body_that_says_it_is_too_long_is_refused_at_once_by_every_listener() {
    let app = Setup::sandbox().start().await;
    let posts = [
        (&app.sandbox, "/sandbox/seed"),
        (&app.sandbox, "/2010-04-01/Accounts/AC1/Messages.json"),
        (&app.server, "/v1/verifications"),
    ];
    for (listener, path) in posts {
        let key = crate::instance::KEY;
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\
             Content-Type: application/json\r\nContent-Length: 9999999\r\n\r\n"
        );
        // Nothing of the body is ever sent, and the connection ends.
        let answer = raw_to(listener, &head).await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{listener}{path}: {answer}");
    }
    app.stop().await;
}

/// A browser's cookies over TLS, the oldest first.
#[derive(Default)]
struct Jar(Vec<(String, String)>);

impl Jar {
    fn line(&self) -> String {
        let pairs: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if pairs.is_empty() { String::new() } else { format!("Cookie: {}\r\n", pairs.join("; ")) }
    }

    fn take(&mut self, answer: &str) {
        for line in answer.lines().filter_map(|line| line.strip_prefix("set-cookie: ")) {
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            let at = self.0.iter().position(|(own, _)| own == name);
            match (at, line.contains("; Max-Age=0;")) {
                (Some(at), true) => drop(self.0.remove(at)),
                (None, true) => {}
                // One that is there already keeps its place (RFC 6265 §5.3).
                (Some(at), false) => self.0[at].1 = value.to_owned(),
                (None, false) => self.0.push((name.to_owned(), value.to_owned())),
            }
        }
    }
}

#[tokio::test]
async fn one_browser_goes_through_any_number_of_sessions() {
    let services = "{ default = { pages = { return_urls = [\"https://shop.example/*\"] } } }";
    let setup = Setup::live().set("SERVICES", services).set("API__REQUESTS_PER_MINUTE", "10000");
    let app = setup.start().await;
    let asked = serde_json::json!({ "return_url": "https://shop.example/done" });
    let mut jar = Jar::default();
    // The application's own, which stay.
    jar.0.push(("shop".into(), "1".into()));
    let look = async |jar: &mut Jar, id: &str, query: &str| {
        let lines = jar.line();
        let request =
            format!("GET /verify/{id}{query} HTTP/1.1\r\nHost: h\r\n{lines}Connection: close\r\n\r\n");
        let answer = raw(&app, &request).await;
        jar.take(&answer);
        answer
    };
    let mut ids = Vec::new();
    for n in 0..210 {
        let made = app.post("/v1/sessions", &asked).await;
        assert_eq!(made.status, 201, "{}", made.text);
        ids.push(crate::instance::text(&made.json()["id"]));
        let page = look(&mut jar, &ids[n], "?lang=de").await;
        assert!(page.starts_with("HTTP/1.1 200 "), "session {n}: {page:.300}");
        assert!(jar.0.len() <= 8 * 3 + 1, "session {n}: {:?}", jar.0.len());
    }
    // The newest are the browser's still, and in its language.
    for id in &ids[203..] {
        let page = look(&mut jar, id, "").await;
        assert!(
            page.contains("lang=\"de\"") && !page.contains("set-cookie: __Host-dialback_browser"),
            "{id}"
        );
    }
    assert!(jar.0.iter().any(|(name, _)| name == "shop"));
    // Of one that is unknown nothing is kept.
    let unknown = "PS00000000000000000000000000000000";
    jar.0.push((format!("__Host-dialback_browser_{unknown}"), "0".repeat(64)));
    assert!(look(&mut jar, unknown, "").await.starts_with("HTTP/1.1 404 "));
    assert!(jar.0.iter().all(|(name, _)| !name.contains(unknown)));
    app.stop().await;
}
