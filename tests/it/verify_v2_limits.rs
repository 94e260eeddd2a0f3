//! Verify's limits that applications set, and the rules that a safe number
//! passes: counted truly, also by many at once.

use crate::verify_v2::{TO, Verify, failed};
use crate::wire::{answer, form, text};
use crate::world::{ACCOUNT_SID, API_KEY, World};
use dialback::app::admin;
use dialback::model::audit::Actor;
use dialback::model::compat::Compat;
use futures_util::future::join_all;
use reqwest::Client;
use serde_json::json;
use std::time::Duration;

/// A service with a limit named `ip`, of so many in so many seconds.
async fn limited(verify: &Verify<'_>, max: &str, interval: &str) -> String {
    let service = verify.service(&[]).await;
    let limit = verify.post(&format!("/Services/{service}/RateLimits"), &[("UniqueName", "ip")]).await.json();
    let buckets = format!("/Services/{service}/RateLimits/{}/Buckets", text(&limit["sid"]));
    let bucket = verify.post(&buckets, &[("Max", max), ("Interval", interval)]).await;
    assert_eq!(bucket.status, 201, "{}", bucket.text);
    service
}

#[tokio::test]
async fn a_limit_that_is_reached_says_which_and_until_when() {
    let world = World::start().await;
    let verify = Verify::of(&world);
    let service = limited(&verify, "2", "3600").await;
    let from = |ip: &str| json!({ "ip": ip }).to_string();
    for _ in 0..2 {
        assert_eq!(verify.start(&service, &[("RateLimits", &from("1.2.3.4"))]).await.status, 201);
    }
    let refused = verify.start(&service, &[("RateLimits", &from("1.2.3.4"))]).await;
    assert_eq!(failed(&refused, 429, 20429), "Too many requests");
    // It is half past: in another hour half of the two is out of sight.
    assert_eq!((refused.header("retry-after"), refused.header("twilio-reached-rate-limit")), ("3600", "ip"));
    assert_eq!(verify.start(&service, &[("RateLimits", &from("5.6.7.8"))]).await.status, 201);
    assert_eq!(verify.start(&service, &[]).await.status, 201);
    world.clock.advance(Duration::from_secs(3599));
    let refused = verify.start(&service, &[("RateLimits", &from("1.2.3.4"))]).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, "1"));
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(verify.start(&service, &[("RateLimits", &from("1.2.3.4"))]).await.status, 201);
    let refused = verify.start(&service, &[("RateLimits", &from("1.2.3.4"))]).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, "1800"));
}

/// The most limits that a service has, all of them in one request, and more buckets
/// than a counter holds, one after the other.
#[tokio::test]
async fn as_many_limits_as_there_may_be_count_in_one_request() {
    let world = World::start().await;
    let verify = Verify::of(&world);
    let service = verify.service(&[]).await;
    let limits = format!("/Services/{service}/RateLimits");
    let (mut values, mut last) = (serde_json::Map::new(), String::new());
    for n in 0..Compat::MOST_RATE_LIMITS {
        let limit = verify.post(&limits, &[("UniqueName", &format!("n{n}"))]).await.json();
        last = format!("{limits}/{}/Buckets", text(&limit["sid"]));
        assert_eq!(verify.post(&last, &[("Max", "1"), ("Interval", "60")]).await.status, 201);
        values.insert(format!("n{n}"), json!("192.0.2.1"));
    }
    let all = serde_json::Value::Object(values).to_string();
    let taken = verify.start(&service, &[("RateLimits", &all)]).await;
    assert_eq!(taken.status, 201, "{}", taken.text);
    failed(&verify.start(&service, &[("RateLimits", &all)]).await, 429, 20429);

    let path = format!("/Services/{service}/Verifications");
    let by = r#"{"n19":"192.0.2.9"}"#;
    for n in 0..70 {
        let bucket = verify.post(&last, &[("Max", "1"), ("Interval", "2592000")]).await;
        assert_eq!(bucket.status, 201, "{}", bucket.text);
        let ask = async |to: String| {
            verify.post(&path, &[("To", &to), ("Channel", "sms"), ("RateLimits", by)]).await
        };
        world.clock.advance(Duration::from_secs(120));
        let taken = ask(format!("+150055504{n:02}")).await;
        assert_eq!(taken.status, 201, "{n}: {}", taken.text);
        failed(&ask("+15005550500".to_owned()).await, 429, 20429);
        let bucket = format!("{last}/{}", text(&bucket.json()["sid"]));
        assert_eq!(verify.delete(&bucket).await.status, 204);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_do_not_exceed_a_limit() {
    let world = World::start().await;
    let verify = Verify::of(&world);
    let service = limited(&verify, "3", "3600").await;
    let http = Client::builder().no_proxy().build().unwrap();
    let start = |n: usize| {
        let body = form(&[
            ("To", &format!("+150055503{n:02}")),
            ("Channel", "sms"),
            ("RateLimits", r#"{"ip":"1.2.3.4"}"#),
        ]);
        let url = format!("{}/v2/Services/{service}/Verifications", world.base_url);
        answer(http.post(url).basic_auth(ACCOUNT_SID, Some(API_KEY)).body(body))
    };
    let answers = join_all((0..12).map(start)).await;
    let taken = answers.iter().filter(|answer| answer.status == 201).count();
    let texts: Vec<&str> = answers.iter().map(|answer| answer.text.as_str()).collect();
    assert_eq!(taken, 3, "{texts:#?}");
    assert!(answers.iter().all(|answer| matches!(answer.status, 201 | 429)), "{texts:#?}");
    world.post.nth(3).await;
    assert_eq!(world.post.count(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_for_one_number_are_one_verification() {
    let world = World::start().await;
    let verify = Verify::of(&world);
    let service = verify.service(&[]).await;
    let answers = join_all((0..8).map(|_| verify.start(&service, &[]))).await;
    let sids: std::collections::BTreeSet<String> = answers
        .iter()
        .filter(|answer| answer.status == 201)
        .map(|answer| text(&answer.json()["sid"]))
        .collect();
    assert_eq!(sids.len(), 1, "{answers:#?}");
    for refused in answers.iter().filter(|answer| answer.status != 201) {
        let code = refused.json()["code"].as_u64().unwrap();
        assert!(matches!(code, 60212 | 60203), "{}", refused.text);
    }
    let shown = verify.get(&format!("/Services/{service}/Verifications/{TO}")).await.json();
    let sent = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(shown["send_code_attempts"].as_array().unwrap().len(), sent);
}

#[tokio::test]
async fn limits_of_the_limits_are_twilios() {
    let world = World::start().await;
    let verify = Verify::of(&world);
    let service = verify.service(&[]).await;
    let limits = format!("/Services/{service}/RateLimits");
    failed(&verify.post(&limits, &[("UniqueName", "no spaces")]).await, 400, 60209);
    failed(&verify.post(&limits, &[]).await, 400, 20001);
    let first = verify.post(&limits, &[("UniqueName", "n0"), ("Description", "first")]).await.json();
    failed(&verify.post(&limits, &[("UniqueName", "n0")]).await, 400, 60208);
    for n in 1..20 {
        assert_eq!(verify.post(&limits, &[("UniqueName", &format!("n{n}"))]).await.status, 201);
    }
    failed(&verify.post(&limits, &[("UniqueName", "n20")]).await, 400, 60207);
    let buckets = format!("{limits}/{}/Buckets", text(&first["sid"]));
    failed(&verify.post(&buckets, &[("Max", "1")]).await, 400, 20001);
    failed(&verify.post(&buckets, &[("Max", "1"), ("Interval", "0")]).await, 400, 60200);
    for n in 1..=10 {
        let made = verify.post(&buckets, &[("Max", "1"), ("Interval", &n.to_string())]).await;
        assert_eq!(made.status, 201, "{}", made.text);
        failed(&verify.post(&buckets, &[("Max", "2"), ("Interval", &n.to_string())]).await, 400, 60211);
    }
    failed(&verify.post(&buckets, &[("Max", "1"), ("Interval", "11")]).await, 400, 60210);
    let page = verify.get(&format!("{limits}?PageSize=15&Page=1")).await.json();
    assert_eq!(page["rate_limits"].as_array().unwrap().len(), 5);
    assert_eq!(page["rate_limits"][4]["description"], "first");
}

#[tokio::test]
async fn a_safe_number_and_a_waived_check_pass_rules_about_countries() {
    let world = World::start().await;
    let verify = Verify::of(&world);
    let service = verify.service(&[]).await;
    let id = service.parse().unwrap();
    let countries = json!({ "sms": { "allow": ["DE"], "refuse": [], "watch": [] } });
    let settings = serde_json::Map::from_iter([("countries".to_owned(), countries)]);
    admin::change_service(&world.app.directory, &Actor::operator(), &id, settings).await.unwrap();
    let refused = verify.start(&service, &[]).await;
    assert!(failed(&refused, 403, 60605).contains("is blocked for sms channel"), "{}", refused.text);
    assert_eq!(verify.start(&service, &[("RiskCheck", "disable")]).await.status, 201);
    failed(&verify.start(&service, &[("RiskCheck", "enable")]).await, 403, 60605);
    let safe = verify.post("/SafeList/Numbers", &[("PhoneNumber", TO)]).await;
    assert_eq!((safe.status, &safe.json()["phone_number"]), (201, &json!(TO)), "{}", safe.text);
    assert_eq!(verify.start(&service, &[]).await.status, 201);
    assert_eq!(verify.delete(&format!("/SafeList/Numbers/{TO}")).await.status, 204);
    failed(&verify.delete(&format!("/SafeList/Numbers/{TO}")).await, 404, 20404);
    failed(&verify.start(&service, &[]).await, 403, 60605);
}

#[tokio::test]
async fn texts_to_a_country_go_through_its_own_messaging_service() {
    let world = World::start().await;
    let verify = Verify::of(&world);
    let service = verify.service(&[]).await;
    let path = format!("/Services/{service}/MessagingConfigurations");
    let (all, german) = (format!("MG{}", "a".repeat(32)), format!("MG{}", "b".repeat(32)));
    for (country, sid) in [("all", &all), ("DE", &german)] {
        assert_eq!(
            verify.post(&path, &[("Country", country), ("MessagingServiceSid", sid)]).await.status,
            201
        );
    }
    failed(&verify.post(&path, &[("Country", "DE"), ("MessagingServiceSid", &all)]).await, 409, 20409);
    failed(&verify.post(&path, &[("Country", "Germany"), ("MessagingServiceSid", &all)]).await, 400, 60200);
    let verifications = format!("/Services/{service}/Verifications");
    for (n, to, sid) in [(1, "+4915123456789", &german), (2, TO, &all)] {
        verify.post(&verifications, &[("To", to), ("Channel", "sms")]).await;
        let order = world.post.nth(n).await.0;
        assert_eq!(order.service.settings.messaging_service_sid.as_deref(), Some(sid.as_str()));
    }
    assert_eq!(verify.delete(&format!("{path}/DE")).await.status, 204);
    failed(&verify.get(&format!("{path}/DE")).await, 404, 20404);
}

#[tokio::test]
async fn limits_and_senders_that_together_fill_a_record_are_refused_as_twilio_refuses() {
    let world = World::start().await;
    let verify = Verify::of(&world);
    let service = verify.service(&[]).await;
    let limits = format!("/Services/{service}/RateLimits");
    let long = "x".repeat(200);
    let mut refused = None;
    'full: for n in 0..20 {
        let name = format!("limit_{n}_{}", "n".repeat(40));
        let limit = verify.post(&limits, &[("UniqueName", &name), ("Description", &long)]).await;
        assert_eq!(limit.status, 201, "{}", limit.text);
        for m in 1..=10 {
            let buckets = format!("{limits}/{}/Buckets", text(&limit.json()["sid"]));
            let bucket =
                verify.post(&buckets, &[("Max", "1000"), ("Interval", &format!("{}", m * 60))]).await;
            if bucket.status != 201 {
                refused = Some(bucket);
                break 'full;
            }
        }
    }
    for n in 0..250 {
        if refused.is_some() {
            break;
        }
        let path = format!("/Services/{service}/MessagingConfigurations");
        let codes = dialback_countries();
        let Some(country) = codes.get(n) else { break };
        let sid = format!("MG{:032x}", n);
        let sender = verify.post(&path, &[("Country", country), ("MessagingServiceSid", &sid)]).await;
        if sender.status != 201 {
            refused = Some(sender);
        }
    }
    let refused = refused.expect("all that is legal is more than a record holds");
    assert!(failed(&refused, 400, 60200).contains("65536"), "{}", refused.text);
}

/// Countries by two letters; Verify takes any that there are.
fn dialback_countries() -> Vec<&'static str> {
    "AD AE AF AG AI AL AM AO AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BW BY BZ CA CC CD \
     CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD \
     GE GF GG GH GI GL GM GN GP GQ GR GT GU GW GY HK HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI \
     KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW \
     MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PR PS PT PW PY QA RE RO RS RU RW SA SB SC \
     SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG US UY UZ \
     VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW"
        .split_whitespace()
        .collect()
}
