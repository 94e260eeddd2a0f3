//! Lists of the application's API: pages, cursors, filters, for every list.

use crate::instance::{Answer, Instance, KEY, Setup, poll, text};
use reqwest::Method;
use serde_json::{Value, json};

const NUMBER: &str = "+15551230440";

#[tokio::test]
async fn every_list_is_paged_alike_and_stable_under_inserts() {
    let app = Setup::sandbox()
        .set("TEST_NUMBERS", &test_numbers(&["+1555123900?", "+15551239100", "+15551239101"]))
        .start()
        .await;
    let key = app.operator();
    for n in 0..3 {
        add(&app, &key, n).await;
    }
    let lists = [
        ("/v1/verifications", "verifications", "id"),
        ("/v1/deliveries", "deliveries", "id"),
        ("/v1/services", "services", "id"),
        ("/v1/keys", "keys", "id"),
        ("/v1/opt-outs", "opt_outs", "number"),
        ("/v1/test-numbers", "test_numbers", "number"),
    ];
    for (nth, (path, name, id)) in lists.into_iter().enumerate() {
        let all = names(&app.ask(&key, Method::GET, path, None).await, name, id);
        assert!(all.len() >= 3, "{path}: {all:?}");
        let (mut seen, mut next) = (Vec::new(), format!("{path}?limit=1"));
        for page in 0..20 {
            let told = app.ask(&key, Method::GET, &next, None).await;
            assert_eq!(told.status, 200, "{next}: {}", told.text);
            seen.extend(names(&told, name, id));
            if page == 0 {
                add(&app, &key, 10 + nth).await;
            }
            let Some(cursor) = told.json()["next_cursor"].as_str().map(str::to_owned) else {
                assert_eq!(told.header("link"), "");
                break;
            };
            let link = told.header("link").strip_prefix('<').unwrap();
            let (target, relation) = link.split_once(">; ").unwrap();
            assert_eq!(relation, "rel=\"next\"");
            assert!(target.contains(&format!("cursor={cursor}")) && target.contains("limit=1"), "{target}");
            next = target.to_owned();
        }
        assert_eq!(seen, all, "{path}");
        // Another list's cursor, other filters', and what is none.
        let cursor =
            text(&app.ask(&key, Method::GET, &format!("{path}?limit=1"), None).await.json()["next_cursor"]);
        let other = lists[(nth + 1) % lists.len()].0;
        let strayed = app.ask(&key, Method::GET, &format!("{other}?cursor={cursor}"), None).await;
        let problem = strayed.problem(422, "invalid_cursor");
        assert!(text(&problem["detail"]).contains("another list"), "{problem}");
        for wrong in ["x", "%2B", "AAAA", &cursor[2..]] {
            let refused = app.ask(&key, Method::GET, &format!("{path}?cursor={wrong}"), None).await;
            refused.problem(422, "invalid_cursor");
        }
        for wrong in ["limit=0", "limit=101", "limit=x", "limit=", "cursor=", "limit=1&limit=1", "pages=1"] {
            let refused = app.ask(&key, Method::GET, &format!("{path}?{wrong}"), None).await;
            refused.problem(422, "invalid_request");
        }
    }
    let cursor = text(&app.get("/v1/verifications?limit=1").await.json()["next_cursor"]);
    let other = format!("/v1/verifications?status=pending&cursor={cursor}");
    app.get(&other).await.problem(422, "invalid_cursor");
}

#[tokio::test]
async fn verifications_are_filtered() {
    let app = Setup::sandbox().set("SERVICES", "{ shop = { name = \"Shop\" } }").start().await;
    let services = app.get("/v1/services").await.json();
    let shop =
        text(&services["services"].as_array().unwrap().iter().find(|s| s["name"] == "Shop").unwrap()["id"]);
    let start = async |to: &str, service: Option<&str>| {
        let body = json!({ "to": to, "channel": "sms", "service": service });
        let started = app.post("/v1/verifications", &body).await;
        assert_eq!(started.status, 201, "{}", started.text);
        let id = text(&started.json()["id"]);
        app.advance(60).await;
        id
    };
    let one = start(NUMBER, None).await;
    let two = start("+15551230441", Some(&shop)).await;
    let three = start(NUMBER, Some(&shop)).await;
    app.ask(KEY, Method::DELETE, &format!("/v1/verifications/{two}"), None).await;
    let listed = async |query: &str| {
        names(&app.get(&format!("/v1/verifications?{query}")).await, "verifications", "id")
    };
    assert_eq!(listed("").await, [&*three, &*two, &*one]);
    assert_eq!(listed("to=%2B15551230440").await, [&*three, &*one]);
    assert_eq!(listed("to=+1 (555) 123-0440").await, [&*three, &*one]);
    assert_eq!(listed("status=canceled").await, [&*two]);
    assert_eq!(listed(&format!("service={shop}")).await, [&*three, &*two]);
    assert_eq!(listed(&format!("service={shop}&status=pending")).await, [&*three]);
    let created = text(&app.get(&format!("/v1/verifications/{two}")).await.json()["created_at"]);
    assert_eq!(listed(&format!("since={created}")).await, [&*three, &*two]);
    assert_eq!(listed(&format!("until={created}")).await, [&*one]);
    // Expired by now, whether that was written down or not.
    app.advance(600).await;
    assert_eq!(listed("status=expired").await, [&*three, &*one]);
    app.get("/v1/verifications?to=hello-there").await.problem(422, "invalid_number");
    app.get("/v1/verifications?status=gone").await.problem(422, "invalid_request");
}

/// One more of everything that can be added.
async fn add(app: &Instance, key: &str, n: usize) {
    app.begin(&format!("+155512304{:02}", 50 + n), "sms").await;
    app.texted_code(&format!("+155512304{:02}", 50 + n), 1).await;
    app.ask(key, Method::POST, "/v1/services", Some(&json!({ "name": format!("Shop {n}") }))).await;
    app.key(&["read"]).await;
    let number = format!("+155512304{:02}", 50 + n);
    assert_eq!(app.ask(key, Method::PUT, &format!("/v1/opt-outs/{number}"), None).await.status, 200);
    app.ask(key, Method::PUT, &format!("/v1/opt-outs/{number}"), Some(&json!({ "opted_out": false }))).await;
}

fn names(page: &Answer, list: &str, id: &str) -> Vec<String> {
    assert_eq!(page.status, 200, "{}", page.text);
    page.json()[list].as_array().unwrap().iter().map(|item: &Value| text(&item[id])).collect()
}

fn test_numbers(patterns: &[&str]) -> String {
    let one =
        |pattern: &&str| format!("{{ number = \"{pattern}\", code = \"123456\", until = \"2099-12-31\" }}");
    format!("[{}]", patterns.iter().map(one).collect::<Vec<_>>().join(", "))
}

#[tokio::test]
async fn a_search_is_its_list_with_nothing_in_the_url() {
    let app = Setup::sandbox().start().await;
    let key = app.operator();
    for n in 0..3 {
        add(&app, &key, n).await;
    }
    // From here on nothing of what is listed changes.
    let are_delivered = poll(async || {
        let listed = app.ask(&key, Method::GET, "/v1/deliveries", None).await.json();
        let all = listed["deliveries"].as_array().filter(|all| all.len() >= 3)?;
        all.iter().all(|one| one["status"] == "delivered").then_some(())
    });
    are_delivered.await.expect("all texts arrive");
    let search = async |path: &str, body: Value| {
        app.ask(&key, Method::POST, &format!("{path}/search"), Some(&body)).await
    };
    for (path, name) in [
        ("/v1/verifications", "verifications"),
        ("/v1/deliveries", "deliveries"),
        ("/v1/opt-outs", "opt_outs"),
    ] {
        let listed = app.ask(&key, Method::GET, path, None).await.json();
        assert!(listed[name].as_array().is_some_and(|all| all.len() >= 3), "{listed}");
        assert_eq!(search(path, json!({})).await.json()[name], listed[name], "{path}");
        // Page by page, each asked for in a body again.
        let (mut seen, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let body = match &cursor {
                Some(cursor) => json!({ "limit": 1, "cursor": cursor }),
                None => json!({ "limit": 1 }),
            };
            let page = search(path, body).await;
            assert_eq!((page.status, page.header("link")), (200, ""), "{}", page.text);
            seen.extend(page.json()[name].as_array().unwrap().iter().cloned());
            cursor = page.json()["next_cursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(Value::Array(seen), listed[name], "{path}");
        search(path, json!({ "limit": 0 })).await.problem(422, "invalid_request");
        search(path, json!({ "nonsense": 1 })).await.problem(422, "invalid_request");
    }
    for (path, name) in [("/v1/verifications", "verifications"), ("/v1/deliveries", "deliveries")] {
        let found = search(path, json!({ "to": NUMBER })).await.json();
        let listed = app.ask(&key, Method::GET, &format!("{path}?to=%2B{}", &NUMBER[1..]), None).await.json();
        assert_eq!(found[name], listed[name], "{path}");
        let none = search(path, json!({ "to": "+15551239999" })).await.json();
        assert_eq!(none[name], json!([]), "{path}");
        search(path, json!({ "to": 15_551_230_440_u64 })).await.problem(422, "invalid_request");
    }
    app.stop().await;
}
