//! Tests of the account, of its keys, and of what `twilio login` does with both.

use super::*;
use serde_json::json;

/// A request to the REST API with whatever credentials.
pub(super) async fn ask(
    stage: &Stage,
    user: &str,
    password: &str,
    method: Method,
    path: &str,
    body: &str,
) -> (u16, Value) {
    let request = stage.http.request(method, format!("{}/2010-04-01/{path}", stage.base));
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(body.to_owned());
    answer(request.basic_auth(user, Some(password))).await
}

#[tokio::test]
async fn the_account_is_answered_in_twilios_shape() {
    let stage = Stage::new().await;
    let own = format!("Accounts/{ACCOUNT}.json");
    let (status, account) = ask(&stage, ACCOUNT, TOKEN, Method::GET, &own, "").await;
    assert_eq!(status, 200, "{account}");
    let mut names: Vec<&str> = account.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    let wanted = [
        "auth_token",
        "date_created",
        "date_updated",
        "friendly_name",
        "owner_account_sid",
        "sid",
        "status",
        "subresource_uris",
        "type",
        "uri",
    ];
    assert_eq!(names, wanted);
    assert_eq!((&account["sid"], &account["owner_account_sid"]), (&json!(ACCOUNT), &json!(ACCOUNT)));
    assert_eq!((&account["status"], &account["type"]), (&json!("active"), &json!("Full")));
    assert_eq!(account["auth_token"], TOKEN);
    assert_eq!(account["uri"], format!("/2010-04-01/{own}"));
    assert!(account["date_created"].as_str().unwrap().ends_with("+0000"), "{account}");
    // What it leads to is there.
    for uri in account["subresource_uris"].as_object().unwrap().values() {
        let path = uri.as_str().unwrap().strip_prefix("/2010-04-01/").unwrap();
        assert_eq!(ask(&stage, ACCOUNT, TOKEN, Method::GET, path, "").await.0, 200, "{path}");
    }
    let (_, list) = ask(&stage, ACCOUNT, TOKEN, Method::GET, "Accounts.json?PageSize=1", "").await;
    assert_eq!((&list["accounts"], &list["page_size"]), (&json!([account]), &json!(1)));
    assert_eq!((&list["next_page_uri"], &list["end"]), (&Value::Null, &json!(0)));
    assert_eq!(list["uri"], "/2010-04-01/Accounts.json?PageSize=1&Page=0");
    let (_, none) = ask(&stage, ACCOUNT, TOKEN, Method::GET, "Accounts.json?Status=closed", "").await;
    assert_eq!(none["accounts"], json!([]));
}

#[tokio::test]
async fn the_account_is_renamed_and_nothing_else() {
    let stage = Stage::new().await;
    let own = format!("Accounts/{ACCOUNT}.json");
    let change = async |body: &str| ask(&stage, ACCOUNT, TOKEN, Method::POST, &own, body).await;
    let (status, account) = change("FriendlyName=My+tests&Status=active").await;
    assert_eq!((status, &account["friendly_name"]), (200, &json!("My tests")));
    let long = format!("FriendlyName={}", "x".repeat(65));
    for wrong in ["Status=closed", "Status=suspended", "Status=asleep", &long] {
        let (status, document) = change(wrong).await;
        assert_eq!((status, &document["code"]), (400, &json!(20001)), "{wrong}");
    }
    let (_, account) = ask(&stage, ACCOUNT, TOKEN, Method::GET, &own, "").await;
    assert_eq!((&account["friendly_name"], &account["status"]), (&json!("My tests"), &json!("active")));
    stage.steer(Method::DELETE, "state", "").await;
    let (_, account) = ask(&stage, ACCOUNT, TOKEN, Method::GET, &own, "").await;
    assert_eq!(account["friendly_name"], "Dialback sandbox");
}

#[tokio::test]
async fn accounts_have_twilios_refusals() {
    let stage = Stage::new().await;
    let own = format!("Accounts/{ACCOUNT}.json");
    for (user, password) in [(ACCOUNT, "wrong"), (ACCOUNT, ""), ("SK0", TOKEN)] {
        let (status, document) = ask(&stage, user, password, Method::GET, &own, "").await;
        assert_eq!((status, &document["code"]), (401, &json!(20003)), "{user}");
    }
    let other = format!("Accounts/AC{}.json", "0".repeat(32));
    assert_eq!(ask(&stage, ACCOUNT, TOKEN, Method::GET, &other, "").await.0, 401);
    for (method, path) in [(Method::DELETE, own.as_str()), (Method::DELETE, "Accounts.json")] {
        let (status, document) = ask(&stage, ACCOUNT, TOKEN, method, path, "FriendlyName=x").await;
        assert_eq!((status, &document["code"]), (405, &json!(20004)), "{path}");
    }
    for path in ["Accounts", "Nothing.json", &format!("Accounts/{ACCOUNT}")] {
        assert_eq!(ask(&stage, ACCOUNT, TOKEN, Method::GET, path, "").await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn a_key_opens_the_api_until_it_is_deleted() {
    let stage = Stage::new().await;
    let keys = format!("Accounts/{ACCOUNT}/Keys.json");
    let (own, texts) = (format!("Accounts/{ACCOUNT}.json"), format!("Accounts/{ACCOUNT}/Messages.json"));
    let (status, key) = ask(&stage, ACCOUNT, TOKEN, Method::POST, &keys, "FriendlyName=twilio-cli").await;
    assert_eq!((status, &key["friendly_name"]), (201, &json!("twilio-cli")), "{key}");
    let (sid, secret) = (key["sid"].as_str().unwrap(), key["secret"].as_str().unwrap());
    assert!(sid.starts_with("SK") && sid.len() == 34, "{sid}");
    let body = format!("To={PHONE}&From={SENDER}&Body=hello").replace('+', "%2B");
    assert_eq!(ask(&stage, sid, secret, Method::POST, &texts, &body).await.0, 201);
    assert_eq!(ask(&stage, sid, "wrong", Method::GET, &texts, "").await.0, 401);
    let (status, account) = ask(&stage, sid, secret, Method::GET, &own, "").await;
    assert_eq!((status, &account["auth_token"]), (200, &Value::Null), "a key does not tell the token");

    let one = format!("Accounts/{ACCOUNT}/Keys/{sid}.json");
    let (_, shown) = ask(&stage, ACCOUNT, TOKEN, Method::GET, &one, "").await;
    assert_eq!((&shown["sid"], shown.get("secret")), (&json!(sid), None));
    let (_, renamed) = ask(&stage, ACCOUNT, TOKEN, Method::POST, &one, "FriendlyName=other").await;
    assert_eq!(renamed["friendly_name"], "other");
    let (_, list) = ask(&stage, ACCOUNT, TOKEN, Method::GET, &keys, "").await;
    assert_eq!(list["keys"], json!([renamed]));
    assert_eq!(ask(&stage, ACCOUNT, TOKEN, Method::DELETE, &one, "").await.0, 204);
    assert_eq!(ask(&stage, ACCOUNT, TOKEN, Method::GET, &one, "").await.0, 404);
    assert_eq!(ask(&stage, sid, secret, Method::GET, &texts, "").await.0, 401);
}

#[tokio::test]
async fn the_log_of_exchanges_shows_neither_token_nor_secret() {
    let stage = Stage::new().await;
    ask(&stage, ACCOUNT, TOKEN, Method::GET, &format!("Accounts/{ACCOUNT}.json"), "").await;
    ask(&stage, ACCOUNT, TOKEN, Method::GET, "Accounts.json", "").await;
    let keys = format!("Accounts/{ACCOUNT}/Keys.json");
    let (_, key) = ask(&stage, ACCOUNT, TOKEN, Method::POST, &keys, "").await;
    let log = stage.look("exchanges?kind=api").await.to_string();
    assert!(log.contains("Dialback sandbox") && log.contains(key["sid"].as_str().unwrap()), "{log}");
    assert!(!log.contains(TOKEN), "{log}");
    assert!(!log.contains(key["secret"].as_str().unwrap()), "{log}");
}
