//! Tests of look-ups, and of the prices that the tester sets.

use super::*;
use serde_json::json;

/// Asks one of the newer products.
pub(super) async fn product(stage: &Stage, method: Method, path: &str, form: &str) -> (u16, Value) {
    let request = stage.http.request(method, format!("{}{path}", stage.base));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    answer(request.basic_auth(ACCOUNT, Some(TOKEN)).body(form.to_owned())).await
}

async fn get(stage: &Stage, path: &str) -> (u16, Value) {
    product(stage, Method::GET, path, "").await
}

#[tokio::test]
async fn a_number_is_told_by_the_plan_and_only_what_was_asked_for_beyond() {
    let stage = Stage::new().await;
    let (status, found) = get(&stage, "/v2/PhoneNumbers/+14159929960?Fields=line_type_intelligence").await;
    assert_eq!(status, 200, "{found}");
    assert_eq!((&found["valid"], &found["country_code"]), (&json!(true), &json!("US")));
    assert_eq!(found["national_format"], "(415) 992-9960");
    assert_eq!(found["line_type_intelligence"]["type"], "mobile");
    assert_eq!((&found["sim_swap"], &found["caller_name"]), (&Value::Null, &Value::Null));
    for (number, kind) in
        [("+18005550199", "tollFree"), ("+442079460018", "landline"), ("+447400123456", "mobile")]
    {
        let path = format!("/v2/PhoneNumbers/{number}?Fields=line_type_intelligence,sim_swap");
        let (_, found) = get(&stage, &path).await;
        assert_eq!(found["line_type_intelligence"]["type"], kind, "{found}");
        assert_eq!(found["sim_swap"]["last_sim_swap"]["swapped_in_period"], false);
    }
    let (status, wrong) = get(&stage, "/v2/PhoneNumbers/+1415?Fields=sim_swap").await;
    assert_eq!((status, &wrong["valid"], &wrong["sim_swap"]), (200, &json!(false), &Value::Null));
    assert_eq!(wrong["validation_errors"], json!(["TOO_SHORT"]));
    assert_eq!(get(&stage, "/v1/PhoneNumbers/+1415").await.1["code"], 20404);
    assert_eq!(get(&stage, "/v2/PhoneNumbers/+14159929960?Fields=age").await.1["code"], 20001);
    let (_, old) = get(&stage, "/v1/PhoneNumbers/4159929960?CountryCode=US&Type=carrier").await;
    assert_eq!((&old["phone_number"], &old["carrier"]["type"]), (&json!("+14159929960"), &json!("mobile")));
    assert_eq!(old["caller_name"], Value::Null);
}

#[tokio::test]
async fn the_tester_says_what_is_told_of_one_number_and_of_all() {
    let stage = Stage::new().await;
    let said = r#"{"sms_pumping_risk":{"sms_pumping_risk_score":97,"number_blocked":true}}"#;
    assert_eq!(stage.steer(Method::PUT, "lookups", said).await.0, 200);
    let said = r#"{"valid":true,"line_type_intelligence":{"type":"nonFixedVoip"}}"#;
    assert_eq!(stage.steer(Method::PUT, &format!("lookups/{PHONE}"), said).await.0, 200);
    let path = format!("/v2/PhoneNumbers/{PHONE}?Fields=sms_pumping_risk,line_type_intelligence");
    let (_, found) = get(&stage, &path).await;
    assert_eq!((&found["valid"], &found["validation_errors"]), (&json!(true), &json!([])));
    assert_eq!(found["sms_pumping_risk"]["sms_pumping_risk_score"], 97);
    assert_eq!(found["sms_pumping_risk"]["carrier_risk_category"], "low");
    assert_eq!(found["line_type_intelligence"]["type"], "nonFixedVoip");
    let (_, old) = get(&stage, &format!("/v1/PhoneNumbers/{PHONE}?Type=carrier&Type=caller-name")).await;
    assert_eq!((&old["carrier"]["type"], old["caller_name"].is_object()), (&json!("voip"), true));
    let body = json!({ "phone_numbers": [{
        "correlation_id": "a", "phone_number": PHONE, "fields": ["identity_match"],
        "identity_match": { "first_name": "Ann" },
    }] });
    let (_, batch) = product(&stage, Method::POST, "/v2/batch/query", &body.to_string()).await;
    let row = &batch["phone_numbers"][0];
    assert_eq!((&row["correlation_id"], &row["valid"]), (&json!("a"), &json!(true)));
    assert_eq!(row["identity_match"]["first_name_match"], "exact_match");
    for wrong in ["[]", r#"{"age":{}}"#, r#"{"sim_swap":1}"#] {
        assert_eq!(stage.steer(Method::PUT, "lookups", wrong).await.0, 400, "{wrong}");
    }
    assert_eq!(stage.steer(Method::DELETE, &format!("lookups/{PHONE}"), "").await.0, 204);
    assert_eq!(get(&stage, &path).await.1["valid"], false);
}

#[tokio::test]
async fn prices_are_set_and_told_and_booked() {
    let stage = Stage::new().await;
    let (status, told) =
        stage.steer(Method::PUT, "prices/us", r#"{"sms":["0.5","0.1"],"voice":["1","0.2"]}"#).await;
    assert_eq!((status, &told["sms"]), (200, &json!(["0.50000", "0.10000"])), "{told}");
    assert_eq!(stage.steer(Method::PUT, "prices/usa", "{}").await.0, 400);
    assert_eq!(stage.steer(Method::PUT, "prices/us", r#"{"sms":["-1","0"]}"#).await.0, 400);
    let (_, country) = get(&stage, "/v1/Messaging/Countries/US").await;
    assert_eq!(country["outbound_sms_prices"][0]["prices"][0]["current_price"], 0.5);
    let (_, country) = get(&stage, "/v2/Voice/Countries/US").await;
    assert_eq!(country["outbound_prefix_prices"][0]["destination_prefixes"], json!(["1"]));
    let (_, number) = get(&stage, "/v1/Voice/Numbers/+14155550123").await;
    assert_eq!(number["outbound_call_price"]["current_price"], 1.0, "{number}");
    let (_, list) = get(&stage, "/v1/PhoneNumbers/Countries?PageSize=2").await;
    assert_eq!((list["countries"].as_array().unwrap().len(), &list["meta"]["key"]), (2, &json!("countries")));
    assert_eq!(get(&stage, "/v1/Voice/Countries/XX").await.1["code"], 20404);
    // What no line of the table says, the line of all others does.
    let (status, estonia) = get(&stage, "/v2/Voice/Countries/EE").await;
    assert_eq!((status, &estonia["country"]), (200, &json!("Estonia")));
    let (_, all) = get(&stage, "/v1/Messaging/Countries?PageSize=1000").await;
    assert!(all["countries"].as_array().unwrap().len() > 230);

    let sid = stage.text(&[]).await;
    assert_eq!(stage.message_in(&sid, "delivered").await["price"], Value::Null);
    stage.settle_prices().await;
    assert_eq!(stage.fetch(&format!("Messages/{sid}.json")).await.1["price"], "-0.50000");
    assert_eq!(stage.fetch("Balance.json").await.1["balance"], "99.50000");
    stage.steer(Method::DELETE, "state", "").await;
    assert_eq!(get(&stage, "/v1/Messaging/Countries/US").await.1["price_unit"], "USD");
    assert_eq!(stage.look("prices").await, json!({}));
}

#[tokio::test]
async fn an_accounts_own_word_on_a_line_goes_before_all_others() {
    let stage = Stage::new().await;
    let own = "/v2/PhoneNumbers/+14155552671/Overrides/line_type_intelligence";
    let said = json!({ "line_type_intelligence": { "type": "fixedVoip" } }).to_string();
    stage.steer(Method::PUT, "lookups/+14155552671", &said).await;
    let body = json!({ "line_type": "landline", "reason": "it stands on my desk" });
    let (status, made) = stage.newer_json(Method::POST, own, &body).await;
    assert_eq!((status, &made["original_line_type"]), (201, &json!("fixedVoip")), "{made}");
    let line = async |path: &str| stage.newer(Method::GET, path, &[]).await.1;
    let v2 = "/v2/PhoneNumbers/+14155552671?Fields=line_type_intelligence";
    assert_eq!(line(v2).await["line_type_intelligence"]["type"], "landline");
    let v1 = "/v1/PhoneNumbers/+14155552671?Type=carrier";
    assert_eq!(line(v1).await["carrier"]["type"], "landline");
    let batch = json!({ "phone_numbers": [{ "phone_number": "+14155552671", "fields": ["line_type_intelligence"] }] });
    let (_, batch) = stage.newer_json(Method::POST, "/v2/batch/query", &batch).await;
    assert_eq!(batch["phone_numbers"][0]["line_type_intelligence"]["type"], "landline");
    // Another account of the same owner has not said so.
    let (_, sub) = stage.newer(Method::POST, "/2010-04-01/Accounts.json", &[]).await;
    let request = stage.http.get(format!("{}{v2}", stage.base));
    let (user, password) = (sub["sid"].as_str().unwrap(), sub["auth_token"].as_str().unwrap());
    let (_, others) = answer(request.basic_auth(user, Some(password))).await;
    assert_eq!(others["line_type_intelligence"]["type"], "fixedVoip");
    assert_eq!(stage.newer(Method::DELETE, own, &[]).await.0, 204);
    assert_eq!(line(v2).await["line_type_intelligence"]["type"], "fixedVoip");
    for wrong in [json!([]), json!({ "line_type": "cell", "reason": "x" }), json!({ "line_type": "mobile" })]
    {
        assert_eq!(stage.newer_json(Method::POST, own, &wrong).await.1["code"], 20001, "{wrong}");
    }
}
