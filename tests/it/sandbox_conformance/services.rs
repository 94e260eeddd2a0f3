//! What an account sets up to send: services and their senders, contents, permissions.

use super::stage::Stage;

/// The channel of the number that is always there: a name of the seed 0.
const CHANNEL: &str = "XEf8c6e1c35d572fbc35cc700bd9c7e139";
pub async fn services(stage: &mut Stage) {
    let own = stage.ask("ListIncomingPhoneNumber", "PhoneNumber=%2B15005550006").await;
    let number = own["incoming_phone_numbers"][0]["sid"].as_str().unwrap_or_default().to_owned();
    let own = stage.ask("ListShortCode", "ShortCode=12345").await;
    let code = own["short_codes"][0]["sid"].as_str().unwrap_or_default().to_owned();
    // What all operations of one kind of sender are called, and how one is made.
    let senders = [
        ("PhoneNumber", "PhoneNumberSid", number.as_str()),
        ("ShortCode", "ShortCodeSid", code.as_str()),
        ("AlphaSender", "AlphaSender", "Dialback"),
        ("DestinationAlphaSender", "IsoCountryCode=FR&AlphaSender", "Dialback"),
        ("ChannelSender", "Sid", CHANNEL),
    ];
    stage.product = "messaging_v1";
    let urls = "InboundRequestUrl=https://example.com/in&StatusCallback=https://example.com/status";
    stage.ask("CreateService", &format!("FriendlyName=tests&Usecase=verification&{urls}")).await;
    stage.ask("CreateService", "FriendlyName=plain").await;
    stage.ask("ListService", "PageSize=1").await;
    stage.ask("FetchService", "").await;
    stage.ask("UpdateService", "StickySender=false&ValidityPeriod=600").await;
    stage.ask("FetchUsecase", "").await;
    stage.refused("CreateService", "", 20001).await;
    for (name, field, value) in senders {
        let made = stage.ask(&format!("Create{name}"), &format!("{field}={value}")).await;
        let own = format!("Sid={}", made["sid"].as_str().unwrap_or_default());
        stage.ask(&format!("Fetch{name}"), &own).await;
        stage.ask(&format!("List{name}"), "").await;
        stage.ask(&format!("Delete{name}"), &own).await;
    }
    stage.ask("DeleteService", "").await;
    stage.product = "api_v2010";
}

/// The senders of WhatsApp, by their numbers.
pub async fn channels(stage: &mut Stage) {
    stage.product = "messaging_v2";
    stage.ask("ListChannelsSender", "Channel=whatsapp&PageSize=1").await;
    stage.ask("FetchChannelsSender", &format!("Sid={CHANNEL}")).await;
    let webhook = r#"webhook={"callback_url":"https://example.com/in"}&profile={"name":"Acme"}"#;
    stage.ask("UpdateChannelsSender", &format!("Sid={CHANNEL}&{webhook}")).await;
    stage.ask("DeleteChannelsSender", &format!("Sid={CHANNEL}")).await;
    stage.refused("FetchChannelsSender", &format!("Sid={CHANNEL}"), 20404).await;
    stage.ask("CreateChannelsSender", "sender_id=whatsapp:%2B15005550006").await;
    stage.product = "api_v2010";
}

pub async fn contents(stage: &mut Stage) {
    stage.product = "content_v1";
    let types = r#"types={"twilio/text":{"body":"Hello {{1}}"}}"#;
    stage.ask("CreateContent", &format!("friendly_name=tests&language=en&{types}")).await;
    stage.ask("ListContent", "").await;
    stage.ask("FetchContent", "").await;
    stage.ask("UpdateContent", &format!("friendly_name=other&{types}")).await;
    stage.ask("FetchApprovalFetch", "").await;
    stage.ask("CreateApprovalCreate", "name=tests&category=UTILITY").await;
    stage.ask("FetchApprovalFetch", "").await;
    stage.ask("ListContentAndApprovals", "").await;
    stage.ask("DeleteContent", "").await;
    stage.product = "api_v2010";
}

pub async fn permissions(stage: &mut Stage) {
    stage.product = "accounts_v1";
    stage.ask("CreateSafelist", "PhoneNumber=%2B37121234567").await;
    stage.ask("FetchSafelist", "PhoneNumber=%2B37121234567").await;
    stage.ask("DeleteSafelist", "PhoneNumber=%2B37121234567").await;
    stage.ask("FetchMessagingGeopermissions", "CountryCode=LV").await;
    let off = r#"Permissions={"country_code":"LV","type":"country","enabled":false}"#;
    stage.ask("UpdateMessagingGeopermissions", off).await;
    stage.product = "voice_v1";
    stage.ask("ListDialingPermissionsCountry", "IsoCode=LV").await;
    stage.ask("FetchDialingPermissionsCountry", "").await;
    stage.ask("ListDialingPermissionsHrsPrefixes", "IsoCode=LV").await;
    let wish = r#"UpdateRequest=[{"iso_code":"LV","low_risk_numbers_enabled":"true"}]"#;
    stage.ask("CreateDialingPermissionsCountryBulkUpdate", wish).await;
    stage.ask("FetchDialingPermissionsSettings", "").await;
    stage.ask("UpdateDialingPermissionsSettings", "DialingPermissionsInheritance=true").await;
    stage.product = "api_v2010";
}
