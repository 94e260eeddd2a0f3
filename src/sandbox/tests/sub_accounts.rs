//! Tests of sub-accounts, of second tokens, and of what belongs to whom.

use super::accounts::ask;
use super::*;
use serde_json::json;

/// A sub-account: its SID and its token.
async fn below(stage: &Stage, name: &str) -> (String, String) {
    let body = format!("FriendlyName={name}");
    let (status, made) = ask(stage, ACCOUNT, TOKEN, Method::POST, "Accounts.json", &body).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!((&made["owner_account_sid"], &made["status"]), (&json!(ACCOUNT), &json!("active")));
    let text = |field: &str| made[field].as_str().unwrap().to_owned();
    (text("sid"), text("auth_token"))
}

/// A request to a product beside the 2010 API.
async fn newer(stage: &Stage, user: (&str, &str), method: Method, path: &str, body: &str) -> (u16, Value) {
    let request = stage.http.request(method, format!("{}{path}", stage.base));
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(body.to_owned());
    answer(request.basic_auth(user.0, Some(user.1))).await
}

fn words(to: &str) -> String {
    format!("To={to}&From={SENDER}&Body=hello").replace('+', "%2B")
}

#[tokio::test]
async fn credentials_open_what_is_theirs_and_what_is_below() {
    let stage = Stage::new().await;
    let ((one, one_token), (two, two_token)) = (below(&stage, "one").await, below(&stage, "two").await);
    let own = |sid: &str| format!("Accounts/{sid}.json");
    let texts = |sid: &str| format!("Accounts/{sid}/Messages.json");
    for (user, password, account, wanted) in [
        (ACCOUNT, TOKEN, one.as_str(), 200),
        (&one, &one_token, &one, 200),
        (&two, &two_token, &two, 200),
        (&one, &one_token, &two, 401),
        (&one, &one_token, ACCOUNT, 401),
        (&one, &two_token, &one, 401),
        (&one, TOKEN, &one, 401),
        (ACCOUNT, &one_token, ACCOUNT, 401),
    ] {
        for path in [own(account), texts(account)] {
            let (status, document) = ask(&stage, user, password, Method::GET, &path, "").await;
            assert_eq!(status, wanted, "{user} {path} {document}");
            assert!(status == 200 || document["code"] == 20003, "{document}");
        }
    }
    // A key opens what its account opens, and the account below.
    let made = async |sid: &str, user: &str, token: &str| {
        let path = format!("Accounts/{sid}/Keys.json");
        let (status, key) = ask(&stage, user, token, Method::POST, &path, "").await;
        assert_eq!(status, 201, "{key}");
        (key["sid"].as_str().unwrap().to_owned(), key["secret"].as_str().unwrap().to_owned())
    };
    let (main_key, main_secret) = made(ACCOUNT, ACCOUNT, TOKEN).await;
    let (one_key, one_secret) = made(&one, ACCOUNT, TOKEN).await;
    let opens = async |key: &str, secret: &str, sid: &str| {
        ask(&stage, key, secret, Method::GET, &own(sid), "").await.0 == 200
    };
    assert!(opens(&main_key, &main_secret, ACCOUNT).await && opens(&main_key, &main_secret, &one).await);
    assert!(opens(&one_key, &one_secret, &one).await);
    assert!(!opens(&one_key, &one_secret, ACCOUNT).await && !opens(&one_key, &one_secret, &two).await);
    assert!(stage.sandbox.opens(&main_key, &Secret::new(main_secret.as_str())));
    assert!(
        !stage.sandbox.opens(&one_key, &Secret::new(one_secret.as_str())),
        "the service is the main one's"
    );
    assert!(!stage.sandbox.opens(&one, &Secret::new(one_token.as_str())));
    // Nobody sees another account's keys.
    let keys = format!("Accounts/{two}/Keys.json");
    assert_eq!(ask(&stage, &two, &two_token, Method::GET, &keys, "").await.1["keys"], json!([]));
    let foreign = format!("Accounts/{two}/Keys/{one_key}.json");
    assert_eq!(ask(&stage, &two, &two_token, Method::DELETE, &foreign, "").await.0, 404);
}

#[tokio::test]
async fn accounts_are_listed_filtered_and_bound_to_their_rules() {
    let stage = Stage::new().await;
    let (one, one_token) = below(&stage, "one").await;
    let (_, made) = ask(&stage, ACCOUNT, TOKEN, Method::POST, "Accounts.json", "").await;
    assert!(made["friendly_name"].as_str().unwrap().starts_with("SubAccount Created at 20"), "{made}");
    let listed = async |user: &str, password: &str, query: &str| {
        let path = format!("Accounts.json{query}");
        let (status, list) = ask(&stage, user, password, Method::GET, &path, "").await;
        assert_eq!(status, 200, "{list}");
        let rows = list["accounts"].as_array().unwrap().clone();
        rows.into_iter().map(|row| row["sid"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let all = [made["sid"].as_str().unwrap(), &one, ACCOUNT].map(str::to_owned);
    assert_eq!(listed(ACCOUNT, TOKEN, "").await, all);
    assert_eq!(listed(ACCOUNT, TOKEN, "?FriendlyName=one").await, std::slice::from_ref(&one));
    assert_eq!(listed(&one, &one_token, "").await, std::slice::from_ref(&one));
    assert_eq!(listed(ACCOUNT, TOKEN, "?PageSize=1&Page=1").await, std::slice::from_ref(&one));
    let refused = ask(&stage, &one, &one_token, Method::POST, "Accounts.json", "FriendlyName=x").await;
    assert_eq!((refused.0, &refused.1["code"]), (403, &json!(20006)));
    // A sub-account names itself, and its parent alone says how it stands.
    let own = format!("Accounts/{one}.json");
    let (_, named) = ask(&stage, &one, &one_token, Method::POST, &own, "FriendlyName=mine").await;
    assert_eq!(named["friendly_name"], "mine");
    let refused = ask(&stage, &one, &one_token, Method::POST, &own, "Status=suspended").await;
    assert_eq!((refused.0, &refused.1["code"]), (403, &json!(20006)));
    stage.steer(Method::DELETE, "state", "").await;
    assert_eq!(listed(ACCOUNT, TOKEN, "").await, [ACCOUNT]);
    assert_eq!(ask(&stage, &one, &one_token, Method::GET, &own, "").await.0, 401);
}

#[tokio::test]
async fn a_suspended_account_does_nothing_until_it_is_active_and_a_closed_one_never() {
    let stage = Stage::new().await;
    let (one, token) = below(&stage, "one").await;
    let (own, texts) = (format!("Accounts/{one}.json"), format!("Accounts/{one}/Messages.json"));
    let become_ = async |status: &str| {
        let body = format!("Status={status}");
        ask(&stage, ACCOUNT, TOKEN, Method::POST, &own, &body).await
    };
    for (status, wanted) in [("suspended", 401), ("active", 201), ("closed", 401)] {
        let (code, account) = become_(status).await;
        assert_eq!((code, &account["status"]), (200, &json!(status)), "{account}");
        for (user, password) in [(one.as_str(), token.as_str()), (ACCOUNT, TOKEN)] {
            let (code, document) = ask(&stage, user, password, Method::POST, &texts, &words(PHONE)).await;
            assert_eq!(code, wanted, "{status} {document}");
            assert!(code == 201 || document["code"] == 20005, "{status} {document}");
        }
        // Its parent can still look.
        assert_eq!(ask(&stage, ACCOUNT, TOKEN, Method::GET, &texts, "").await.0, 200);
        let own_look = ask(&stage, &one, &token, Method::GET, &texts, "").await;
        assert_eq!(own_look.0, if status == "active" { 200 } else { 401 });
        let filtered = format!("Accounts.json?Status={status}&FriendlyName=one");
        let (_, list) = ask(&stage, ACCOUNT, TOKEN, Method::GET, &filtered, "").await;
        assert_eq!(list["accounts"][0]["sid"], json!(one));
    }
    assert_eq!(become_("active").await.0, 400, "what is closed stays closed");
}

#[tokio::test]
async fn messages_calls_and_their_webhooks_are_their_accounts() {
    let stage = Stage::new().await;
    let (one, token) = below(&stage, "one").await;
    let messages = format!("Accounts/{one}/Messages.json");
    let body = format!("{}&StatusCallback={}", words(PHONE), stage.url("/status"));
    let (status, text) = ask(&stage, &one, &token, Method::POST, &messages, &body).await;
    assert_eq!((status, &text["account_sid"]), (201, &json!(one)), "{text}");
    assert!(text["uri"].as_str().unwrap().starts_with(&format!("/2010-04-01/Accounts/{one}/Messages/")));
    let told = stage.app.wait("/status", 3).await;
    let is_signed = |told: &Told, token: &str| {
        let headers = (told.headers.clone(), told.body.clone());
        super::is_signed_with(token, "POST", &stage.url("/status"), &headers.0, headers.1.as_bytes())
    };
    for told in &told {
        assert_eq!(told.get("AccountSid"), Some(one.clone()));
        assert!(is_signed(told, &token) && !told.signed, "signed with its own token");
    }
    let calls = format!("Accounts/{one}/Calls.json");
    let body =
        format!("To={PHONE}&From={SENDER}&Url={}&StatusCallback={}", stage.url("/voice"), stage.url("/call"));
    let (status, call) = ask(&stage, ACCOUNT, TOKEN, Method::POST, &calls, &body.replace('+', "%2B")).await;
    assert_eq!((status, &call["account_sid"]), (201, &json!(one)), "{call}");
    stage.app.says("/voice", "<Response><Say>hi</Say></Response>");
    let sid = call["sid"].as_str().unwrap();
    stage.call_in("ringing").await;
    stage.steer(Method::POST, &format!("calls/{sid}/answer"), "").await;
    let told = stage.app.wait("/call", 1).await;
    assert_eq!((told[0].get("AccountSid"), told[0].signed), (Some(one.clone()), false));
    assert_eq!(stage.app.told("/voice")[0].get("AccountSid"), Some(one.clone()));
    // Neither is the main account's.
    let text_sid = text["sid"].as_str().unwrap();
    for path in [format!("Messages/{text_sid}.json"), format!("Calls/{sid}.json")] {
        assert_eq!(stage.fetch(&path).await.0, 404, "{path}");
        assert_eq!(answer(stage.api(Method::DELETE, &path)).await.0, 404, "{path}");
        assert_eq!(answer(stage.api(Method::POST, &path).body("Status=canceled")).await.0, 404, "{path}");
        let below = format!("Accounts/{one}/{path}");
        assert_eq!(ask(&stage, ACCOUNT, TOKEN, Method::GET, &below, "").await.0, 200, "{path}");
    }
    let feedback = format!("Messages/{text_sid}/Feedback.json");
    assert_eq!(answer(stage.api(Method::POST, &feedback)).await.0, 404);
    assert_eq!(stage.fetch("Messages.json").await.1["messages"], json!([]));
    assert_eq!(stage.fetch("Calls.json").await.1["calls"], json!([]));
    let (_, list) = ask(&stage, &one, &token, Method::GET, &messages, "").await;
    assert_eq!(list["messages"][0]["sid"], text["sid"]);
    let state = stage.look("state").await;
    assert_eq!(state["messages"][0]["account_sid"], json!(one));
    assert_eq!(state["accounts"][0]["friendly_name"], "one");
}

#[tokio::test]
async fn a_configured_number_is_the_main_accounts_alone() {
    let stage = Stage::with(|settings| settings.own_numbers = vec!["+15017122661".to_owned()]).await;
    let (one, token) = below(&stage, "one").await;
    let messages = format!("Accounts/{one}/Messages.json");
    let from = |number: &str| format!("To={PHONE}&From={number}&Body=x").replace('+', "%2B");
    let refused = ask(&stage, &one, &token, Method::POST, &messages, &from("+15017122661")).await;
    assert_eq!((refused.0, &refused.1["code"]), (400, &json!(21606)));
    assert_eq!(ask(&stage, &one, &token, Method::POST, &messages, &from(SENDER)).await.0, 201);
    assert_eq!(
        stage.create("Messages.json", &[("To", PHONE), ("From", "+15017122661"), ("Body", "x")]).await.0,
        201
    );
}

#[tokio::test]
async fn a_second_token_opens_and_becomes_the_first() {
    let stage = Stage::new().await;
    let (one, token) = below(&stage, "one").await;
    let (own, secondary) = (format!("Accounts/{one}.json"), "/v1/AuthTokens/Secondary");
    let opens = async |token: &str| ask(&stage, &one, token, Method::GET, &own, "").await.0 == 200;
    let first = (one.as_str(), token.as_str());
    assert_eq!(newer(&stage, first, Method::DELETE, secondary, "").await.0, 404);
    assert_eq!(newer(&stage, first, Method::POST, "/v1/AuthTokens/Promote", "").await.0, 404);
    let (status, made) = newer(&stage, first, Method::POST, secondary, "").await;
    assert_eq!((status, &made["account_sid"]), (201, &json!(one)), "{made}");
    assert_eq!(made["url"], json!(format!("{}{secondary}", stage.base)));
    assert!(made["date_created"].as_str().unwrap().ends_with('Z'), "{made}");
    assert_eq!(newer(&stage, first, Method::POST, secondary, "").await.0, 400, "there is one already");
    let second = made["secondary_auth_token"].as_str().unwrap().to_owned();
    assert!(opens(&token).await && opens(&second).await);
    assert_eq!(newer(&stage, first, Method::DELETE, secondary, "").await.0, 204);
    assert!(opens(&token).await && !opens(&second).await);

    let (_, made) = newer(&stage, first, Method::POST, secondary, "").await;
    let second = made["secondary_auth_token"].as_str().unwrap().to_owned();
    let callback = async |path: &str| {
        let body = format!("{}&StatusCallback={}", words(PHONE), stage.url(path));
        let messages = format!("Accounts/{one}/Messages.json");
        assert_eq!(ask(&stage, &one, &second, Method::POST, &messages, &body).await.0, 201);
        let told = stage.app.wait(path, 1).await.remove(0);
        let is_signed = |token: &str| {
            super::is_signed_with(token, "POST", &stage.url(path), &told.headers, told.body.as_bytes())
        };
        (is_signed(&token), is_signed(&second))
    };
    assert_eq!(callback("/before").await, (true, false), "the second signs nothing");
    let (status, promoted) = newer(&stage, (&one, &second), Method::POST, "/v1/AuthTokens/Promote", "").await;
    assert_eq!((status, promoted["auth_token"].as_str()), (200, Some(second.as_str())), "{promoted}");
    assert!(!opens(&token).await && opens(&second).await);
    assert_eq!(callback("/after").await, (false, true));
    assert_eq!(stage.alerts().await, [0u64; 0], "a sub-account's token is nobody else's matter");
    let log = stage.look("exchanges?kind=api&limit=1000").await.to_string();
    assert!(!log.contains(&second) && !log.contains(&token), "{log}");
}

#[tokio::test]
async fn a_promoted_token_of_the_main_account_is_told_aloud() {
    let stage = Stage::new().await;
    let (_, made) = newer(&stage, (ACCOUNT, TOKEN), Method::POST, "/v1/AuthTokens/Secondary", "").await;
    let second = made["secondary_auth_token"].as_str().unwrap().to_owned();
    assert!(stage.sandbox.opens(ACCOUNT, &Secret::new(second.as_str())));
    assert_eq!(newer(&stage, (ACCOUNT, TOKEN), Method::POST, "/v1/AuthTokens/Promote", "").await.0, 200);
    assert_eq!(stage.alerts().await, [57012]);
    assert!(!stage.sandbox.opens(ACCOUNT, &Secret::new(TOKEN)));
    stage.steer(Method::DELETE, "state", "").await;
    assert!(stage.sandbox.opens(ACCOUNT, &Secret::new(TOKEN)), "the configured token is back");
    assert!(!stage.sandbox.opens(ACCOUNT, &Secret::new(second.as_str())));
}

#[tokio::test]
async fn keys_have_a_newer_form_too() {
    let stage = Stage::new().await;
    let (one, token) = below(&stage, "one").await;
    let main = (ACCOUNT, TOKEN);
    let body = format!("AccountSid={one}&FriendlyName=cli");
    let (status, key) = newer(&stage, main, Method::POST, "/v1/Keys", &body).await;
    assert_eq!((status, &key["friendly_name"], &key["policy"]), (201, &json!("cli"), &Value::Null), "{key}");
    let (sid, secret) = (key["sid"].as_str().unwrap(), key["secret"].as_str().unwrap());
    let own = format!("Accounts/{one}.json");
    assert_eq!(ask(&stage, sid, secret, Method::GET, &own, "").await.0, 200);
    let listed = |account: &str| format!("/v1/Keys?AccountSid={account}");
    let (_, list) = newer(&stage, main, Method::GET, &listed(&one), "").await;
    assert_eq!((&list["keys"][0]["sid"], &list["meta"]["key"]), (&json!(sid), &json!("keys")), "{list}");
    let wanted = format!("{}/v1/Keys?AccountSid={one}&PageSize=50&Page=0", stage.base);
    assert_eq!(list["meta"]["first_page_url"], json!(wanted));
    assert_eq!(newer(&stage, main, Method::GET, &listed(ACCOUNT), "").await.1["keys"], json!([]));
    assert_eq!(newer(&stage, (&one, &token), Method::GET, &listed(ACCOUNT), "").await.0, 401);
    assert_eq!(newer(&stage, main, Method::GET, "/v1/Keys", "").await.0, 400);
    let path = format!("/v1/Keys/{sid}");
    let (_, renamed) = newer(&stage, main, Method::POST, &path, "FriendlyName=other").await;
    assert_eq!((&renamed["friendly_name"], renamed.get("secret")), (&json!("other"), None));
    assert_eq!(newer(&stage, (&one, &token), Method::GET, &path, "").await.1, renamed);
    assert_eq!(newer(&stage, main, Method::DELETE, &path, "").await.0, 204);
    assert_eq!(newer(&stage, main, Method::GET, &path, "").await.0, 404);
}
