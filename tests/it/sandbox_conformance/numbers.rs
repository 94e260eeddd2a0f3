//! The operations on numbers.

use super::stage::Stage;
use reqwest::Method;
use serde_json::json;

/// Asks for every one of them.
pub async fn all(stage: &mut Stage) {
    available(stage).await;
    incoming(stage).await;
    short_codes(stage).await;
    caller_ids(stage).await;
}

async fn available(stage: &mut Stage) {
    stage.ask("ListAvailablePhoneNumberCountry", "").await;
    for country in ["US", "GB", "DE", "FR", "IT"] {
        let country = format!("CountryCode={country}");
        let found = stage.ask("FetchAvailablePhoneNumberCountry", &country).await;
        if found["subresource_uris"]["shared_cost"].is_string() {
            stage.ask("ListAvailablePhoneNumberSharedCost", &format!("{country}&PageSize=2")).await;
        }
    }
    let narrow = "AreaCode=415&SmsEnabled=true&VoiceEnabled=true&PageSize=2";
    stage.ask("ListAvailablePhoneNumberLocal", narrow).await;
    stage.ask("ListAvailablePhoneNumberLocal", "InRegion=TX&Contains=77&PageSize=2").await;
    stage.ask("ListAvailablePhoneNumberTollFree", "PageSize=2").await;
    for kind in ["Local", "Mobile", "TollFree", "National", "Voip"] {
        let id = format!("ListAvailablePhoneNumber{kind}");
        stage.ask(&id, "CountryCode=GB&PageSize=2").await;
    }
    stage.refused("ListAvailablePhoneNumberMobile", "CountryCode=US", 20404).await;
}

async fn incoming(stage: &mut Stage) {
    let urls = "SmsUrl=https://example.com/sms&SmsMethod=GET&VoiceUrl=https://example.com/voice\
                &StatusCallback=https://example.com/status&FriendlyName=desk";
    stage.ask("CreateIncomingPhoneNumberLocal", &format!("PhoneNumber=%2B14155550199&{urls}")).await;
    stage.ask("CreateIncomingPhoneNumberMobile", "PhoneNumber=%2B447400123456").await;
    stage.ask("CreateIncomingPhoneNumberTollFree", "PhoneNumber=%2B18005550199").await;
    stage.ask("CreateIncomingPhoneNumber", "AreaCode=559").await;
    stage.ask("FetchIncomingPhoneNumber", "").await;
    stage.ask("UpdateIncomingPhoneNumber", urls).await;
    stage.ask("UpdateIncomingPhoneNumber", "SmsUrl=&VoiceApplicationSid=").await;
    stage.ask("ListIncomingPhoneNumber", "PhoneNumber=415&Beta=false&PageSize=1").await;
    for kind in ["", "Local", "Mobile", "TollFree"] {
        stage.ask(&format!("ListIncomingPhoneNumber{kind}"), "").await;
    }
    stage.ask("DeleteIncomingPhoneNumber", "").await;
    stage.refused("CreateIncomingPhoneNumber", "PhoneNumber=%2B14155550199", 21422).await;
    stage.refused("CreateIncomingPhoneNumber", "PhoneNumber=me", 21421).await;
    stage.refused("FetchIncomingPhoneNumber", &format!("Sid=PN{}", "0".repeat(32)), 20404).await;
}

async fn short_codes(stage: &mut Stage) {
    stage.phone(Method::PUT, "numbers/12345", json!({ "friendly_name": "votes" })).await;
    stage.ask("ListShortCode", "ShortCode=12345").await;
    stage.ask("FetchShortCode", "").await;
    stage.ask("UpdateShortCode", "SmsUrl=https://example.com/votes&SmsMethod=GET").await;
    stage.refused("FetchShortCode", &format!("Sid=SC{}", "0".repeat(32)), 20404).await;
}

async fn caller_ids(stage: &mut Stage) {
    stage.ask("CreateValidationRequest", "PhoneNumber=%2B14155550142&FriendlyName=me&CallDelay=0").await;
    stage.phone(Method::POST, "numbers/14155550142/validate", json!({})).await;
    stage.ask("ListOutgoingCallerId", "PhoneNumber=%2B14155550142").await;
    stage.ask("FetchOutgoingCallerId", "").await;
    stage.ask("UpdateOutgoingCallerId", "FriendlyName=home").await;
    stage.refused("CreateValidationRequest", "PhoneNumber=%2B14155550142", 21450).await;
    stage.ask("DeleteOutgoingCallerId", "").await;
    stage.refused("FetchOutgoingCallerId", &format!("Sid=PN{}", "0".repeat(32)), 20404).await;
}
