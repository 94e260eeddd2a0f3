//! One client for messages and for Verify: what opens the sandbox's REST API
//! opens `/v2` beside it, and a key of Dialback's can be shown as one of Twilio's.

use crate::instance::{Instance, KEY, Setup};
use crate::wire::{Answer, answer, form, text};
use reqwest::{Method, RequestBuilder};
use serde_json::json;

fn request(
    app: &Instance,
    method: Method,
    url: &str,
    who: (&str, &str),
    params: &[(&str, &str)],
) -> RequestBuilder {
    let request = app.http.request(method.clone(), url).basic_auth(who.0, Some(who.1));
    match method {
        Method::POST => {
            request.header("content-type", "application/x-www-form-urlencoded").body(form(params))
        }
        _ => request,
    }
}

/// A service is made at Verify.
async fn verify(app: &Instance, who: (&str, &str)) -> Answer {
    let url = format!("{}/v2/Services", app.server);
    answer(request(app, Method::POST, &url, who, &[("FriendlyName", "Shop")])).await
}

/// A message is sent by the REST API.
async fn message(app: &Instance, who: (&str, &str)) -> Answer {
    let url = format!("{}/2010-04-01/Accounts/{}/Messages.json", app.sandbox, app.account);
    let params = [("To", "+15551230001"), ("From", "+15005550006"), ("Body", "hello")];
    answer(request(app, Method::POST, &url, who, &params)).await
}

#[tokio::test]
async fn the_sandboxs_token_and_keys_open_both() {
    let app = Setup::sandbox().start().await;
    let keys = format!("{}/2010-04-01/Accounts/{}/Keys", app.sandbox, app.account);
    let by_token = (app.account.as_str(), app.token.as_str());
    let made = answer(request(&app, Method::POST, &format!("{keys}.json"), by_token, &[])).await;
    let (sid, secret) = (text(&made.json()["sid"]), text(&made.json()["secret"]));
    app.learn(&secret);
    let by_key = (sid.as_str(), secret.as_str());
    for who in [by_token, by_key] {
        let service = verify(&app, who).await;
        assert_eq!(
            (service.status, &service.json()["account_sid"]),
            (201, &json!(app.account)),
            "{}",
            service.text
        );
        assert_eq!(message(&app, who).await.status, 201);
    }
    for who in [
        (app.account.as_str(), secret.as_str()),
        (sid.as_str(), app.token.as_str()),
        (sid.as_str(), KEY),
        (sid.as_str(), ""),
        (app.account.as_str(), ""),
        ("AC00000000000000000000000000000000", app.token.as_str()),
    ] {
        let refused = verify(&app, who).await;
        assert_eq!((refused.status, &refused.json()["code"]), (401, &json!(20003)), "{}", refused.text);
    }
    let gone = answer(request(&app, Method::DELETE, &format!("{keys}/{sid}.json"), by_token, &[])).await;
    assert_eq!(gone.status, 204);
    assert_eq!((verify(&app, by_key).await.status, message(&app, by_key).await.status), (401, 401));
    app.stop().await;
}

#[tokio::test]
async fn a_key_of_dialbacks_is_shown_as_one_of_twilios_also_live() {
    let app = Setup::live().start().await;
    let key = app.key(&["admin"]).await;
    let [_, id, secret] = key.split('_').collect::<Vec<_>>()[..] else { panic!("a key has three parts") };
    let (sid, short) = (format!("SK{id:0>32}"), format!("SK{id}"));
    for who in [(&*sid, secret), (&*short, secret), (&*sid, &*key), (&*app.account, &*key)] {
        let made = verify(&app, who).await;
        assert_eq!((made.status, &made.json()["account_sid"]), (201, &json!(app.account)), "{}", made.text);
    }
    let other = app.key(&["read"]).await;
    let few = format!("SK{}", other.split('_').nth(1).unwrap());
    let may_not = verify(&app, (&*few, &*other)).await;
    assert_eq!(
        (may_not.status, &may_not.json()["code"]),
        (403, &json!(20003)),
        "what it may do is what it may"
    );
    // Live, Twilio's own token opens nothing here.
    for who in [(&*app.account, &*app.token), (&*sid, &*other), (&*few, secret), (&*sid, KEY), ("SK", secret)]
    {
        let refused = verify(&app, who).await;
        assert_eq!((refused.status, &refused.json()["code"]), (401, &json!(20003)), "{}", refused.text);
    }
    app.stop().await;
}
