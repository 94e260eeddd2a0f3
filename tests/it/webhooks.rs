//! What Twilio calls, over real HTTP: who is believed, and what is said of
//! those who are not.

use crate::instance::{ACCOUNT, Answer, Instance, PUBLIC_URL, Setup, TOKEN, answer, form, sign, text};
use reqwest::Method;
use serde_json::json;
use sha2::{Digest, Sha256};

const SID: &str = "SM00000000000000000000000000000001";
const SPENT: &str = "This code is no longer valid. Goodbye.";
const SIGNATURE: &str = "x-twilio-signature";

/// The parameters of a status callback.
fn status<'a>(sid: &'a str, status: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("MessageSid", sid),
        ("MessageStatus", status),
        ("To", "+15551230501"),
        ("From", "+15017122661"),
        ("AccountSid", ACCOUNT),
    ]
}

async fn is_unknown(app: &Instance, sid: &str) {
    app.get(&format!("/v1/deliveries/{sid}")).await.problem(404, "not_found");
}

/// A GET with this signature.
async fn fetch(app: &Instance, path: &str, signature: &str) -> Answer {
    answer(app.http.get(format!("{}{path}", app.server)).header(SIGNATURE, signature)).await
}

#[tokio::test]
async fn what_is_not_signed_is_refused_on_every_route_and_kept_nowhere() {
    let app = Setup::live().start().await;
    let voice = "/twilio/voice/VE0123456789abcdef0123456789abcdef/1";
    let posts = [
        "/twilio/status".to_owned(),
        "/twilio/status?delivery=VE0123456789abcdef0123456789abcdef-1".to_owned(),
        "/twilio/call-status".to_owned(),
        "/twilio/sms".to_owned(),
        "/twilio/voice".to_owned(),
        "/twilio/events".to_owned(),
        voice.to_owned(),
        format!("{voice}/code"),
        format!("{voice}/read"),
        format!("{voice}/again"),
    ];
    let mut params = status(SID, "delivered");
    params.extend([("Body", "STOP"), ("CallSid", "CA00000000000000000000000000000001"), ("Digits", "1")]);
    for path in &posts {
        let right = sign(TOKEN, &format!("{PUBLIC_URL}{path}"), &params);
        let unpadded = right.trim_end_matches('=').to_owned();
        let other_token = sign("00000000000000000000000000000000", &format!("{PUBLIC_URL}{path}"), &params);
        let no_token = sign("", &format!("{PUBLIC_URL}{path}"), &params);
        app.forged(path, &params, &[]).await.problem(403, "signature_rejected");
        for wrong in ["", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=", &unpadded, &other_token, &no_token] {
            app.forged(path, &params, &[(SIGNATURE, wrong)]).await.problem(403, "signature_rejected");
        }
        // Two of them, of which one is right, prove nothing.
        let twice = [(SIGNATURE, right.as_str()), (SIGNATURE, right.as_str())];
        app.forged(path, &params, &twice).await.problem(403, "signature_rejected");
        // A signature for another body.
        let mut altered = params.clone();
        altered[1].1 = "failed";
        app.forged(path, &altered, &[(SIGNATURE, &right)]).await.problem(403, "signature_rejected");
    }
    for path in ["/twilio/sms", "/twilio/voice", voice] {
        let path = format!("{path}?{}", form(&params));
        let elsewhere = sign(TOKEN, &format!("{PUBLIC_URL}/elsewhere?{}", form(&params)), &[]);
        fetch(&app, &path, &elsewhere).await.problem(403, "signature_rejected");
    }
    is_unknown(&app, SID).await;
    is_unknown(&app, "CA00000000000000000000000000000001").await;
    assert_eq!(app.get("/v1/deliveries").await.json()["deliveries"], json!([]));
    let counts = app.rejected().await;
    // An empty header is as good as none.
    assert_eq!(
        (&counts["missing_header"], &counts["duplicate_header"]),
        (&json!(20), &json!(10)),
        "{counts}"
    );
    // And the same, rightly signed, is believed.
    assert_eq!(app.webhook("/twilio/status", &status(SID, "delivered")).await.status, 204);
    assert_eq!(app.delivery(SID, |_| true).await["status"], "delivered");
    app.stop().await;
}

#[tokio::test]
async fn the_log_says_why_a_signature_did_not_match() {
    let app = Setup::live().start().await;
    let params = status(SID, "sent");
    let cases = [
        ("http://otp.example.com/twilio/status", "with http instead of https"),
        ("https://otp.example.com/twilio/status/", "with a slash at the path's end"),
        ("https://other.example.com/twilio/status", "with the host other.example.com"),
    ];
    for (url, why) in cases {
        let signature = sign(TOKEN, url, &params);
        let headers = [(SIGNATURE, signature.as_str()), ("x-forwarded-host", "other.example.com")];
        app.forged("/twilio/status", &params, &headers).await.problem(403, "signature_rejected");
        let log = app.logged(why).await;
        assert!(log.contains("would have matched"), "{log}");
    }
    app.forged("/twilio/status", &params, &[]).await.problem(403, "signature_rejected");
    app.logged("cause=\"missing_header\"").await;
    // A GET has everything in its URL, and the log must not.
    let path = format!("/twilio/sms?{}", form(&params));
    let wrong = sign(TOKEN, &format!("http://otp.example.com{path}"), &[]);
    app.learn(sign(TOKEN, &format!("{PUBLIC_URL}{path}"), &[]));
    fetch(&app, &path, &wrong).await.problem(403, "signature_rejected");
    app.logged("/twilio/sms\"").await;
    app.stop().await;
}

#[tokio::test]
async fn a_flood_of_forgeries_is_refused_without_ado() {
    let app = Setup::live().start().await;
    let params = status(SID, "sent");
    let forgeries = (0..200).map(|_| app.forged("/twilio/status", &params, &[(SIGNATURE, "forged")]));
    let answers = futures_util::future::join_all(forgeries).await;
    assert!(answers.iter().all(|answer| answer.status == 403));
    assert_eq!(app.webhook("/twilio/status", &params).await.status, 204);
    let explained = app.log().matches("webhook signature rejected").count();
    assert!((1..100).contains(&explained), "{explained} of 200 explained");
    assert_eq!(app.rejected().await["mismatch"], 200);
}

#[tokio::test]
async fn report_only_lets_pass_and_counts() {
    let setup = Setup::live().set("SIGNATURE__MODE", "report-only");
    let app = setup.set("SIGNATURE__ALLOW_REPORT_ONLY_ON_PUBLIC", "true").start().await;
    let params = status(SID, "delivered");
    assert_eq!(app.forged("/twilio/status", &params, &[(SIGNATURE, "forged")]).await.status, 204);
    let delivery = app.delivery(SID, |_| true).await;
    assert_eq!((&delivery["status"], &delivery["unproved"]), (&json!("delivered"), &json!(true)));
    assert_eq!(app.forged("/twilio/status", &params, &[]).await.status, 204);
    let path = format!("/twilio/sms?{}", form(&[("MessageSid", SID), ("Body", "HELP")]));
    assert_eq!(fetch(&app, &path, "forged").await.status, 200);
    let counts = app.rejected().await;
    assert_eq!(counts, json!({ "mismatch": 2, "missing_header": 1 }));
    app.logged("enforced=false").await;
}

#[tokio::test]
async fn while_rotating_both_tokens_are_accepted() {
    let second = "1d84c02f6b3e4795a8f0e27c9b51d360";
    let (sub, subs) = ("ACffffffffffffffffffffffffffffffff", "2c9d41f07b6e4a83951fd0e7c28b3a64");
    let list = format!("[\"{second}\", {{ account_sid = \"{sub}\", token = \"{subs}\" }}]");
    let app = Setup::live().set("TWILIO__AUTH_TOKENS", &list).start().await;
    app.learn(second);
    app.learn(subs);
    let url = format!("{PUBLIC_URL}/twilio/status");
    let send = async |sid: &str, account: &str, token: &str| {
        let params = [("MessageSid", sid), ("MessageStatus", "sent"), ("AccountSid", account)];
        app.forged("/twilio/status", &params, &[(SIGNATURE, &sign(token, &url, &params))]).await.status
    };
    let sids: Vec<String> = (1..=5).map(|n| format!("SM{n:032}")).collect();
    assert_eq!(send(&sids[0], ACCOUNT, TOKEN).await, 204);
    assert_eq!(send(&sids[1], ACCOUNT, second).await, 204);
    assert_eq!(send(&sids[2], sub, subs).await, 204);
    // The sub-account's token speaks for nobody else.
    assert_eq!(send(&sids[3], ACCOUNT, subs).await, 403);
    assert_eq!(send(&sids[4], ACCOUNT, "3e70b5c1942f4d68a7039ce1f5d28b46").await, 403);
    for sid in &sids[..3] {
        assert_eq!(app.delivery(sid, |_| true).await["status"], "sent");
    }
    is_unknown(&app, &sids[3]).await;
}

#[tokio::test]
async fn forwarded_headers_count_only_from_trusted_proxies() {
    let params = status(SID, "sent");
    let headers = [
        ("x-forwarded-proto", "http"),
        ("x-forwarded-host", "tunnel.example.net"),
        ("x-forwarded-port", "8443"),
    ];
    let send = async |app: &Instance, url: &str| {
        let signature = sign(TOKEN, url, &params);
        let mut headers = headers.to_vec();
        headers.push((SIGNATURE, &signature));
        app.forged("/twilio/status", &params, &headers).await.status
    };
    let (forwarded, configured) =
        ("http://tunnel.example.net:8443/twilio/status", format!("{PUBLIC_URL}/twilio/status"));
    let trusted = || Setup::live().set("SIGNATURE__TRUSTED_PROXIES", "127.0.0.0/8,::1");
    let trusting = trusted().set("SIGNATURE__HOSTS", "tunnel.example.net").start().await;
    assert_eq!(send(&trusting, forwarded).await, 204);
    // Whatever the headers say, and without them, the configured address holds.
    assert_eq!(send(&trusting, &configured).await, 204);
    assert_eq!(trusting.webhook("/twilio/status", &params).await.status, 204);
    for elsewhere in [
        "https://tunnel.example.net/twilio/status",
        "http://otp.example.com:8443/twilio/status",
        "http://127.0.0.1:8443/twilio/status",
    ] {
        assert_eq!(send(&trusting, elsewhere).await, 403, "{elsewhere}");
    }
    // A host that nobody listed is not ours, whoever names it.
    let strict = trusted().start().await;
    assert_eq!(send(&strict, forwarded).await, 403);
    strict.logged("signature.hosts").await;
    assert_eq!(send(&strict, &configured).await, 204);
    let other = Setup::live().set("SIGNATURE__TRUSTED_PROXIES", "10.0.0.0/8").start().await;
    assert_eq!(send(&other, forwarded).await, 403);
    assert_eq!(send(&other, &configured).await, 204);
}

#[tokio::test]
async fn the_public_url_may_have_a_port_and_a_path() {
    let app = Setup::live().set("PUBLIC_URL", "https://otp.example.com:8443/dialback/").start().await;
    let params = status(SID, "sent");
    for url in [
        "https://otp.example.com:8443/dialback/twilio/status",
        "https://otp.example.com/dialback/twilio/status",
    ] {
        let signature = sign(TOKEN, url, &params);
        assert_eq!(
            app.forged("/twilio/status", &params, &[(SIGNATURE, &signature)]).await.status,
            204,
            "{url}"
        );
    }
    let signature = sign(TOKEN, "https://otp.example.com:8443/twilio/status", &params);
    app.forged("/twilio/status", &params, &[(SIGNATURE, &signature)])
        .await
        .problem(403, "signature_rejected");
    app.logged("would have matched").await;
}

#[tokio::test]
async fn json_events_are_proved_by_the_hash_of_their_body() {
    let app = Setup::live().start().await;
    app.learn("+15551230502");
    let event = |sid: &str, status: &str| {
        json!({ "specversion": "1.0", "type": format!("com.twilio.messaging.message.{status}"), "source": "/",
                "id": "EZ1", "time": "2026-11-20T10:00:00Z",
                "data": { "messageSid": sid, "to": "+15551230502", "messageStatus": status } })
    };
    let send = async |body: &str, hash: &str| {
        let path = format!("/twilio/events?bodySHA256={hash}");
        let signature = sign(TOKEN, &format!("{PUBLIC_URL}{path}"), &[]);
        let request = app.http.post(format!("{}{path}", app.server)).header(SIGNATURE, signature);
        answer(request.header("content-type", "application/json").body(body.to_owned())).await
    };
    let hash = |body: &str| hex::encode(Sha256::digest(body));
    let batch =
        json!([event(SID, "sent"), { "type": "com.example.other" }, event(SID, "delivered")]).to_string();
    assert_eq!(send(&batch, &hash(&batch)).await.status, 204);
    let delivery = app.delivery(SID, |_| true).await;
    assert_eq!((&delivery["status"], &delivery["to"]), (&json!("delivered"), &json!("+15551230502")));
    assert_eq!(delivery["events"].as_array().unwrap().len(), 2);
    // One byte more, the same signature.
    let other = "SM00000000000000000000000000000002";
    let forged = json!([event(other, "delivered")]).to_string();
    send(&forged, &hash(&batch)).await.problem(403, "signature_rejected");
    send(&forged, &hash(&forged).to_uppercase()).await.problem(403, "signature_rejected");
    is_unknown(&app, other).await;
    send("{}", &hash("{}")).await.problem(422, "invalid_request");
}

#[tokio::test]
async fn twilios_strangest_callbacks_are_kept_and_answered() {
    let app = Setup::live().start().await;
    let callback = async |params: &[(&str, &str)]| {
        assert_eq!(app.webhook("/twilio/status", params).await.status, 204, "{params:?}");
    };
    callback(&[
        ("MessageSid", SID),
        ("MessageStatus", "undelivered"),
        ("ErrorCode", "30008"),
        ("AccountSid", ACCOUNT),
    ])
    .await;
    callback(&[("MessageSid", SID), ("MessageStatus", "sent"), ("AccountSid", ACCOUNT)]).await;
    let delivery = app.delivery(SID, |_| true).await;
    assert_eq!((&delivery["status"], &delivery["error"]["code"]), (&json!("undelivered"), &json!(30008)));
    callback(&[
        ("MessageSid", SID),
        ("MessageStatus", "delivered"),
        ("Novelty", "naïve & co=1"),
        ("AccountSid", ACCOUNT),
    ])
    .await;
    callback(&[("MessageSid", SID), ("MessageStatus", "dreamt"), ("AccountSid", ACCOUNT)]).await;
    let delivery = app.delivery(SID, |_| true).await;
    assert_eq!((&delivery["status"], &delivery["error"]["code"]), (&json!("delivered"), &json!(30008)));
    let events = delivery["events"].as_array().unwrap();
    assert!(events.iter().any(|event| event["other"]["Novelty"] == "naïve & co=1"), "{delivery}");
    // Proved, and about nothing that could be kept.
    callback(&[("AccountSid", ACCOUNT)]).await;
    callback(&[("MessageSid", "SM1"), ("MessageStatus", "sent"), ("AccountSid", ACCOUNT)]).await;
    callback(&[("AccountSid", ACCOUNT), ("MessageSid", ""), ("MessageStatus", "")]).await;
    assert_eq!(app.get("/v1/deliveries").await.json()["deliveries"].as_array().unwrap().len(), 1);
    app.stop().await;
}

#[tokio::test]
async fn a_call_that_is_not_ours_hears_what_a_spent_one_hears() {
    let app = Setup::sandbox().start().await;
    let number = "+15551230503";
    let id = text(&app.begin(number, "call").await["id"]);
    app.begin("+15551230504", "sms").await;
    app.texted_code("+15551230504", 1).await;
    let call = text(&app.call(number, |call| call["status"] == "ringing").await["sid"]);
    app.verification(&id, |view| !view["deliveries"][0]["sid"].is_null()).await;
    let ask = async |path: &str, sid: &str| {
        let params = [("CallSid", sid), ("AccountSid", app.account.as_str()), ("Digits", "1")];
        let answer = app.webhook(path, &params).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, "text/xml; charset=utf-8"),
            "{path}: {}",
            answer.text
        );
        assert_eq!(answer.header("cache-control"), "no-store");
        answer.text
    };
    let (other, strange) = ("CA00000000000000000000000000000009", "VE0123456789abcdef0123456789abcdef");
    let mut heard = Vec::new();
    for below in ["", "/code", "/read", "/again"] {
        heard.push(ask(&format!("/twilio/voice/{id}/1{below}"), other).await);
        heard.push(ask(&format!("/twilio/voice/{id}/2{below}"), &call).await);
        heard.push(ask(&format!("/twilio/voice/{id}/0{below}"), &call).await);
        heard.push(ask(&format!("/twilio/voice/{id}/999{below}"), &call).await);
        heard.push(ask(&format!("/twilio/voice/{strange}/1{below}"), &call).await);
        heard.push(ask(&format!("/twilio/voice/nonsense/x{below}"), &call).await);
        heard.push(ask(&format!("/twilio/voice/{id}/1{below}"), "SM00000000000000000000000000000009").await);
        heard.push(ask(&format!("/twilio/voice/{id}/1{below}"), "").await);
    }
    // The very call is still asked for a key, by POST and by GET.
    let path = format!("/twilio/voice/{id}/1");
    assert!(ask(&path, &call).await.contains("<Gather"));
    let get = format!("{path}?CallSid={call}&AccountSid={}", app.account);
    let gate = fetch(&app, &get, &sign(&app.token, &format!("{}{get}", app.server), &[])).await;
    assert!(gate.status == 200 && gate.text.contains("<Gather"), "{}", gate.text);
    // Now it is spent, and sounds the same to the letter.
    answer(app.api(Method::DELETE, &format!("/v1/verifications/{id}"))).await;
    let spent = ask(&path, &call).await;
    assert!(spent.contains(SPENT) && spent.contains("<Hangup"), "{spent}");
    for (at, other) in heard.iter().enumerate() {
        assert_eq!(other, &spent, "case {at}");
    }
    assert_eq!(app.get(&format!("/v1/verifications/{id}")).await.json()["status"], "canceled");
}

#[tokio::test]
async fn no_wrong_header_of_a_proxy_beats_a_right_public_url() {
    let app = Setup::live().set("SIGNATURE__TRUSTED_PROXIES", "::ffff:127.0.0.0/104").start().await;
    let params = status(SID, "sent");
    let right = sign(TOKEN, &format!("{PUBLIC_URL}/twilio/status"), &params);
    for wrong in [
        ("x-forwarded-proto", "http"),
        ("x-forwarded-proto", "gopher"),
        ("x-forwarded-host", "dialback.default.svc.cluster.local"),
        ("x-forwarded-host", "10.0.0.1:8000"),
        ("x-forwarded-host", "not a host"),
        ("x-forwarded-port", "80"),
        ("x-forwarded-port", "none"),
        ("x-forwarded-prefix", "/otp"),
        ("forwarded", "for=192.0.2.1;proto=http;host=elsewhere.example"),
    ] {
        let sent = app.forged("/twilio/status", &params, &[(SIGNATURE, &right), wrong]).await;
        assert_eq!(sent.status, 204, "{wrong:?}");
    }
    // The proxy is known, also where it is written as a part of IPv6.
    let over_http = sign(TOKEN, "http://otp.example.com/twilio/status", &params);
    let headers = [(SIGNATURE, over_http.as_str()), ("x-forwarded-proto", "http")];
    assert_eq!(app.forged("/twilio/status", &params, &headers).await.status, 204);
}

#[tokio::test]
async fn a_stop_that_came_to_the_wrong_url_is_heard() {
    let app = Setup::sandbox().start().await;
    for (n, path) in ["/twilio/status", "/twilio/call-status", "/twilio/voice"].into_iter().enumerate() {
        let (sid, from) = (format!("SM{n:032}"), format!("+1415555012{n}"));
        let params = [
            ("AccountSid", app.account.as_str()),
            ("Body", "STOP"),
            ("From", from.as_str()),
            ("MessageSid", sid.as_str()),
            ("SmsStatus", "received"),
            ("To", "+15005550006"),
        ];
        let answer = app.webhook(path, &params).await;
        assert!(answer.status == 204 || answer.status == 200, "{path}: {}", answer.text);
        let wishes = app.get(&format!("/v1/opt-outs/%2B1415555012{n}")).await;
        assert_eq!(wishes.json()["opt_outs"][0]["opted_out"], true, "{path}: {}", wishes.text);
    }
    app.stop().await;
}
