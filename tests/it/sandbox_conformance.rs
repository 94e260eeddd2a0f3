//! Every answer of the sandbox against Twilio's published operations: a line for each
//! operation that is here, by its name in the fixtures. One that is here and has no
//! line fails; one that is not here has to say so as Twilio does.
//!
//! `cargo test --test it sandbox_conformance -- --nocapture` prints the table.

mod judge;
mod numbers;
mod operations;
mod services;
mod stage;

use reqwest::Method;
use serde_json::json;
use stage::{ACCOUNT, Stage};
use std::fmt::Write;

const PHONE: &str = "%2B15551230001";
const SERVICE: &str = "MG0123456789abcdef0123456789abcdef";

#[tokio::test]
async fn every_answer_is_as_twilio_published_it() {
    let mut stage = Stage::start().await;
    accounts(&mut stage).await;
    keys(&mut stage).await;
    messages(&mut stage).await;
    calls(&mut stage).await;
    numbers::all(&mut stage).await;
    applications(&mut stage).await;
    services::services(&mut stage).await;
    services::channels(&mut stage).await;
    services::contents(&mut stage).await;
    services::permissions(&mut stage).await;
    records(&mut stage).await;
    lookups(&mut stage).await;
    pricing(&mut stage).await;
    streams(&mut stage).await;
    alerts(&mut stage).await;
    stage.product = "api_v2010";
    used(&mut stage).await;
    newer_keys(&mut stage).await;
    sub_accounts(&mut stage).await;
    tokens(&mut stage).await;
    stage.ask_the_rest().await;
    let (table, faults) = table(&stage);
    println!("{table}");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

async fn accounts(stage: &mut Stage) {
    stage.ask("ListAccount", "FriendlyName=Dialback+sandbox&Status=active&PageSize=1").await;
    stage.ask("FetchAccount", "").await;
    stage.ask("UpdateAccount", "FriendlyName=Tests").await;
    stage.refused("UpdateAccount", &format!("Sid={ACCOUNT}&Status=closed"), 20001).await;
}

async fn keys(stage: &mut Stage) {
    stage.ask("CreateNewKey", "FriendlyName=tests").await;
    stage.ask("ListKey", "").await;
    stage.ask("FetchKey", "").await;
    stage.ask("UpdateKey", "FriendlyName=other").await;
    stage.ask("DeleteKey", "").await;
    stage.refused("FetchKey", "", 20404).await;
}

async fn used(stage: &mut Stage) {
    stage.ask("FetchBalance", "").await;
    stage.ask("ListUsageRecord", "Category=sms").await;
    for period in ["AllTime", "Daily", "LastMonth", "Monthly", "ThisMonth", "Today", "Yearly", "Yesterday"] {
        stage.ask(&format!("ListUsageRecord{period}"), "PageSize=2").await;
    }
}

async fn newer_keys(stage: &mut Stage) {
    stage.product = "iam_v1";
    let account = format!("AccountSid={ACCOUNT}");
    stage.ask("CreateNewKey", &format!("{account}&FriendlyName=newer")).await;
    stage.ask("ListGetKeys", &account).await;
    stage.ask("FetchKey", "").await;
    stage.ask("UpdateKey", "FriendlyName=other").await;
    stage.ask("DeleteKey", "").await;
    stage.product = "api_v2010";
}

async fn sub_accounts(stage: &mut Stage) {
    let sub = stage.ask("CreateAccount", "FriendlyName=Sub").await;
    let sub = sub["sid"].as_str().unwrap_or_default().to_owned();
    for status in ["suspended", "active", "closed"] {
        stage.ask("UpdateAccount", &format!("Sid={sub}&Status={status}")).await;
    }
    stage.refused("UpdateAccount", &format!("Sid={sub}&Status=active"), 20001).await;
    stage.ask("ListAccount", "Status=closed").await;
}

async fn tokens(stage: &mut Stage) {
    stage.product = "accounts_v1";
    stage.ask("CreateSecondaryAuthToken", "").await;
    stage.ask("DeleteSecondaryAuthToken", "").await;
    stage.ask("CreateSecondaryAuthToken", "").await;
    let promoted = stage.ask("UpdateAuthTokenPromotion", "").await;
    stage.token = promoted["auth_token"].as_str().unwrap_or_default().to_owned();
    stage.product = "api_v2010";
}

async fn messages(stage: &mut Stage) {
    let text = format!("To={PHONE}&From=%2B15005550006&Body=hello");
    for number in 1..=3 {
        stage.ask("CreateMessage", &format!("{text}+{number}")).await;
        stage.until("FetchMessage", "", "status", "delivered").await;
    }
    stage.ask("ListMessage", &format!("To={PHONE}&PageSize=1&Page=1")).await;
    stage.ask("CreateMessageFeedback", "Outcome=confirmed").await;
    stage.ask("UpdateMessage", "Body=").await;
    stage.ask("DeleteMessage", "").await;
    // One by a service waits, has no sender yet, and is canceled.
    let by_service = format!("To={PHONE}&MessagingServiceSid={SERVICE}&Body=later");
    let at = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(2);
    stage.ask("CreateMessage", &format!("{by_service}&ScheduleType=fixed&SendAt={at}")).await;
    stage.ask("UpdateMessage", "Status=canceled").await;
    stage.ask("CreateMessage", &by_service).await;
    stage.until("FetchMessage", "", "status", "delivered").await;
    // What fails says why, and media, names, WhatsApp and people have documents too.
    let picture = "MediaUrl=http://127.0.0.1/a.png&MediaUrl=http://127.0.0.1/b.png";
    stage.ask("CreateMessage", &format!("{text}&{picture}")).await;
    stage.ask("CreateMessage", &format!("To={PHONE}&From=Dialback&Body=hello")).await;
    let whatsapp = "From=whatsapp:%2B15005550006&Body=hello";
    stage.ask("CreateMessage", &format!("To=whatsapp:{PHONE}&{whatsapp}")).await;
    for outcome in ["undelivered", "failed"] {
        stage.phone(Method::PUT, "phones/15551230002", json!({ "message": { "outcome": outcome } })).await;
        stage.ask("CreateMessage", "To=%2B15551230002&From=%2B15005550006&Body=hello").await;
        stage.until("FetchMessage", "", "status", outcome).await;
    }
    stage.phone(Method::POST, "phones/15551230001/messages", json!({ "body": "hello" })).await;
    stage.ask("FetchMessage", "").await;
    stage.ask("ListMessage", "").await;
    stage.refused("CreateMessage", "To=me&From=%2B15005550006&Body=hello", 21211).await;
    stage.refused("ListMessage", "PageSize=0", 20007).await;
}

async fn calls(stage: &mut Stage) {
    let say = "Twiml=<Response><Say>hello</Say></Response>&From=%2B15005550006";
    let ends = [
        (json!({ "answers": "person", "answer_after_ms": 0 }), "completed"),
        (json!({ "answers": "machine", "answer_after_ms": 0 }), "completed"),
        (json!({ "answers": "busy" }), "busy"),
        (json!({ "answers": "fails" }), "failed"),
    ];
    for (behaviour, status) in ends {
        stage.phone(Method::PUT, "phones/15551230003", behaviour).await;
        stage.ask("CreateCall", &format!("{say}&To=%2B15551230003&MachineDetection=Enable")).await;
        stage.until("FetchCall", "", "status", status).await;
    }
    stage.ask("ListCall", "Status=completed&PageSize=1").await;
    stage.ask("DeleteCall", "").await;
    // It rings until somebody picks up, or is ended before.
    stage.ask("CreateCall", &format!("{say}&To={PHONE}")).await;
    stage.until("FetchCall", "", "status", "ringing").await;
    stage.ask("UpdateCall", "Status=completed").await;
    let url = json!({ "voice_url": "http://127.0.0.1:9/voice" });
    stage.phone(Method::PUT, "inbound", url).await;
    stage.phone(Method::POST, "phones/15551230001/calls", json!({})).await;
    stage.ask("FetchCall", "").await;
    stage.ask("ListCall", "").await;
    stage.refused("CreateCall", &format!("{say}&To=me"), 21211).await;
    stage.refused("FetchCall", &format!("Sid=CA{}", "0".repeat(32)), 20404).await;
}

async fn applications(stage: &mut Stage) {
    let urls = "VoiceUrl=https://example.com/voice&MessageStatusCallback=https://example.com/told";
    stage.ask("CreateApplication", &format!("FriendlyName=tests&{urls}")).await;
    stage.ask("CreateApplication", "").await;
    stage.ask("ListApplication", "FriendlyName=tests&PageSize=1").await;
    stage.ask("ListApplication", "").await;
    stage.ask("FetchApplication", "").await;
    stage.ask("UpdateApplication", "SmsUrl=https://example.com/sms&SmsMethod=GET").await;
    stage.refused("UpdateApplication", "SmsUrl=x", 21402).await;
    stage.ask("DeleteApplication", "").await;
    stage.ask("ListConference", "Status=in-progress").await;
    stage.ask("ListTranscription", "PageSize=1").await;
}

/// Media, recordings, notifications and the events of calls.
async fn records(stage: &mut Stage) {
    let picture = json!({ "content_type": "image/png", "base64": "cGljdHVyZQ==" });
    stage.phone(Method::POST, "phones/15551230001/messages", json!({ "media": [picture] })).await;
    stage.ask("FetchMessage", "").await;
    stage.ask("ListMedia", "").await;
    stage.ask("FetchMedia", "").await;
    stage.ask("DeleteMedia", "").await;
    stage.refused("FetchMedia", &format!("Sid=ME{}", "0".repeat(32)), 20404).await;
    let twiml = "Twiml=<Response><Say>hello</Say><Message>no</Message></Response>";
    stage.phone(Method::PUT, "phones/15551230003", json!({ "answer_after_ms": 0 })).await;
    let order = format!("{twiml}&From=%2B15005550006&To=%2B15551230003&Record=true");
    for (fetch, delete) in
        [("FetchRecording", "DeleteRecording"), ("FetchCallRecording", "DeleteCallRecording")]
    {
        stage.ask("CreateCall", &order).await;
        stage.until("FetchCall", "", "status", "completed").await;
        stage.until_rows("ListCallRecording", "recordings").await;
        stage.ask("ListRecording", "").await;
        stage.ask("ListRecordingTranscription", "").await;
        stage.ask(fetch, "").await;
        stage.ask(delete, "").await;
    }
    stage.refused("FetchRecording", &format!("Sid=RE{}", "0".repeat(32)), 20404).await;
    recordings(stage).await;
    stage.ask("ListCallNotification", "").await;
    stage.ask("FetchCallNotification", "").await;
    stage.ask("ListNotification", "Log=1").await;
    stage.ask("FetchNotification", "").await;
    stage.ask("ListCallEvent", "").await;
}

/// Recordings of a call in progress, and those of `<Record>`.
async fn recordings(stage: &mut Stage) {
    let waits = "Twiml=<Response><Gather timeout=\"3000\"/></Response>&From=%2B15005550006&To=%2B15551230003";
    stage.ask("CreateCall", waits).await;
    stage.refused("CreateCallRecording", "RecordingTrack=mine", 20001).await;
    stage.until("FetchCall", "", "status", "in-progress").await;
    stage.ask("CreateCallRecording", "RecordingChannels=dual&RecordingTrack=outbound&Trim=do-not-trim").await;
    stage.ask("CreateCallRecording", "").await;
    stage.ask("ListCallRecording", "").await;
    stage.ask("FetchRecording", "").await;
    for change in ["Status=paused&PauseBehavior=skip", "Status=in-progress"] {
        stage.ask("UpdateCallRecording", &format!("Sid=Twilio.CURRENT&{change}")).await;
    }
    stage.refused("UpdateCallRecording", "Sid=Twilio.CURRENT&Status=completed", 20001).await;
    stage.ask("UpdateCallRecording", "Sid=Twilio.CURRENT&Status=stopped").await;
    stage.ask("FetchRecording", "").await;
    stage.ask("DeleteRecording", "").await;
    stage.ask("ListRecording", "IncludeSoftDeleted=true").await;
    stage.ask("UpdateCall", "Status=completed").await;
    stage.until("FetchCall", "", "status", "completed").await;
    stage.refused("CreateCallRecording", "", 21220).await;
    let silent = json!({ "answer_after_ms": 0, "press": ["#"], "speaks_ms": 0 });
    stage.phone(Method::PUT, "phones/15551230003", silent).await;
    let record = "Twiml=<Response><Record/></Response>&From=%2B15005550006&To=%2B15551230003";
    stage.ask("CreateCall", record).await;
    stage.until("FetchCall", "", "status", "completed").await;
    stage.until_rows("ListCallRecording", "recordings").await;
    stage.phone(Method::PUT, "phones/15551230003", json!({ "answer_after_ms": 0 })).await;
    // Notifications are asked for below, of the newest call.
    let twiml = "Twiml=<Response><Say>hello</Say><Message>no</Message></Response>";
    stage.ask("CreateCall", &format!("{twiml}&From=%2B15005550006&To=%2B15551230003")).await;
    stage.until("FetchCall", "", "status", "completed").await;
}

async fn alerts(stage: &mut Stage) {
    stage.product = "monitor_v1";
    stage.ask("ListAlert", "LogLevel=warning&PageSize=2&StartDate=2020-01-01T00:00:00Z").await;
    stage.ask("FetchAlert", "").await;
    stage.ask("ListAlert", "LogLevel=error").await;
    stage.ask("ListAlert", "EndDate=2020-01-01").await;
    stage.refused("ListAlert", "StartDate=soon", 20001).await;
    stage.refused("FetchAlert", &format!("Sid=NO{}", "0".repeat(32)), 20404).await;
}

async fn overrides(stage: &mut Stage) {
    let field = "Field=line_type_intelligence&PhoneNumber=14155552671";
    stage.refused("FetchLookupPhoneNumberOverrides", field, 20404).await;
    stage
        .refused("UpdateLookupPhoneNumberOverrides", &format!("{field}&line_type=uan&reason=why"), 20404)
        .await;
    stage.ask("CreateLookupPhoneNumberOverrides", &format!("{field}&line_type=fixedVoip&reason=seen")).await;
    stage.ask("UpdateLookupPhoneNumberOverrides", &format!("{field}&line_type=landline&reason=asked")).await;
    stage.ask("FetchLookupPhoneNumberOverrides", field).await;
    let looked_up = stage.ask("FetchPhoneNumber", "Fields=line_type_intelligence").await;
    assert_eq!(looked_up["line_type_intelligence"]["type"], "landline");
    for wrong in ["line_type=cell&reason=why", "reason=why", "line_type=mobile"] {
        stage.refused("CreateLookupPhoneNumberOverrides", &format!("{field}&{wrong}"), 20001).await;
    }
    let other = "Field=sim_swap&PhoneNumber=14155552671";
    stage.refused("FetchLookupPhoneNumberOverrides", other, 20001).await;
    stage.ask("DeleteLookupPhoneNumberOverrides", field).await;
    stage.refused("DeleteLookupPhoneNumberOverrides", field, 20404).await;
}

async fn lookups(stage: &mut Stage) {
    stage.product = "lookups_v2";
    let fields = "caller_name,sim_swap,call_forwarding,line_type_intelligence,line_status,identity_match,\
                  reassigned_number,sms_pumping_risk";
    stage.ask("FetchPhoneNumber", "").await;
    stage.ask("FetchPhoneNumber", &format!("Fields={fields}&FirstName=Ann")).await;
    stage.ask("FetchPhoneNumber", "PhoneNumber=141555501&Fields=sim_swap").await;
    stage.refused("FetchPhoneNumber", "Fields=age", 20001).await;
    let words: Vec<&str> = fields.split(',').collect();
    let numbers =
        json!([{ "correlation_id": "a", "phone_number": "+14155552671", "fields": words }]).to_string();
    stage.ask("CreateBulkLookup", &format!("phone_numbers={}", numbers.replace('+', "%2B"))).await;
    overrides(stage).await;
}

async fn pricing(stage: &mut Stage) {
    stage.product = "pricing_v1";
    for kind in ["Messaging", "PhoneNumber", "Voice"] {
        stage.ask(&format!("List{kind}Country"), "PageSize=3&Page=1").await;
        stage.ask(&format!("Fetch{kind}Country"), "").await;
        stage.refused(&format!("Fetch{kind}Country"), "IsoCountry=XX", 20404).await;
    }
    stage.ask("FetchVoiceNumber", "").await;
    stage.product = "pricing_v2";
    stage.ask("ListVoiceCountry", "").await;
    stage.ask("FetchVoiceCountry", "").await;
    stage.ask("FetchVoiceNumber", "OriginationNumber=%2B15005550006").await;
}

async fn streams(stage: &mut Stage) {
    stage.product = "events_v1";
    stage.ask("ListEventType", "").await;
    let kind = "Type=com.twilio.messaging.message.delivered";
    stage.ask("FetchEventType", kind).await;
    let schema = "Id=Messaging.MessageStatus";
    stage.ask("FetchSchema", schema).await;
    stage.ask("ListSchemaVersion", schema).await;
    stage.ask("FetchSchemaVersion", &format!("{schema}&SchemaVersion=1")).await;
    stage.refused("FetchSchemaVersion", &format!("{schema}&SchemaVersion=9"), 20404).await;
    stage.refused("FetchSchema", "Id=Nothing.AtAll", 20404).await;
    let sink = "SinkConfiguration={\"destination\":\"http://127.0.0.1:9/\"}&Description=tests";
    stage.refused("CreateSink", &format!("{sink}&SinkType=kinesis"), 20001).await;
    stage.ask("CreateSink", &format!("{sink}&SinkType=webhook")).await;
    stage.ask("UpdateSink", "Description=other").await;
    stage.ask("ListSink", "Status=initialized").await;
    stage.ask("CreateSinkTest", "").await;
    stage.refused("CreateSinkValidate", "TestId=0", 20001).await;
    let word = stage.sink_word().await;
    stage.ask("CreateSinkValidate", &format!("TestId={word}")).await;
    let sink = stage.ask("FetchSink", "").await;
    let sink = sink["sid"].as_str().unwrap_or_default().to_owned();
    let types = "Types={\"type\":\"com.twilio.messaging.message.sent\",\"schema_version\":1}";
    stage.ask("CreateSubscription", &format!("Description=tests&SinkSid={sink}&{types}")).await;
    stage.ask("UpdateSubscription", "Description=other").await;
    stage.ask("FetchSubscription", "").await;
    stage.ask("ListSubscription", "").await;
    stage.ask("CreateSubscribedEvent", &format!("{kind}&SchemaVersion=1")).await;
    stage.ask("ListSubscribedEvent", "").await;
    stage.ask("FetchSubscribedEvent", kind).await;
    stage.ask("UpdateSubscribedEvent", &format!("{kind}&SchemaVersion=2")).await;
    stage.ask("DeleteSubscribedEvent", kind).await;
    stage.refused("DeleteSink", "", 20409).await;
    stage.ask("DeleteSubscription", "").await;
    stage.ask("DeleteSink", "").await;
}

/// The table of operations, and what is wrong, each with its operation.
fn table(stage: &Stage) -> (String, Vec<String>) {
    let (mut table, mut faults, mut counts) = (String::new(), Vec::new(), [0; 3]);
    let mut host = "";
    for (product, operation) in stage.operations() {
        if host != product.host {
            host = &product.host;
            let _ = writeln!(table, "{host}");
        }
        let entry = stage.ledger.get(&(product.name.clone(), operation.id.clone()));
        let (asked, succeeded) = entry.map_or((0, 0), |entry| (entry.asked, entry.succeeded));
        let own: Vec<&String> = entry.into_iter().flat_map(|entry| &entry.faults).collect();
        let (at, verdict) = match (own.len(), succeeded) {
            (0, 0) => (0, "not here, and says so".to_owned()),
            (0, _) => (1, format!("conforms in {asked} answers")),
            (n, _) => (2, format!("{n} FAULTS")),
        };
        counts[at] += 1;
        let line = format!("  {:<13}{:<42}{:<7}{verdict}", product.name, operation.id, operation.method);
        let _ = writeln!(table, "{line}");
        faults.extend(own.iter().map(|fault| format!("{} {}: {fault}", product.name, operation.id)));
    }
    let [absent, good, bad] = counts;
    let _ = writeln!(table, "{good} operations conform, {bad} do not, {absent} are not here");
    (table, faults)
}
