//! Events as Twilio's documentation shows them.

use super::*;
use crate::model::status::Status;
use serde_json::json;

const SID: &str = "SM5629a724cf3acc3d9dcd56e449ebabde";
const CALL: &str = "CA5629a724cf3acc3d9dcd56e449ebabde";

fn report_of(event: &Value) -> Option<Report> {
    match read(event) {
        Told::Report(report) => Some(*report),
        _ => None,
    }
}

#[test]
fn an_event_of_a_stream_is_read_and_others_are_passed_over() {
    let event = serde_json::json!({
        "specversion": "1.0", "type": "com.twilio.messaging.message.delivered", "time": "2026-11-20T09:31:00Z",
        "data": {"messageSid": SID, "to": "+15005550010", "errorCode": 30003, "nested": {"a": 1}}
    });
    let report = report_of(&event).unwrap();
    assert_eq!((report.fact.status, report.fact.error_code), (Some(Status::Delivered), Some(30003)));
    assert_eq!(report.about.to.as_deref(), Some("+15005550010"));
    assert_eq!(read(&serde_json::json!({"type": "com.twilio.video.room.created", "data": {}})), Told::Other);
    assert_eq!(read(&serde_json::json!(17)), Told::Other);
}

#[test]
fn an_event_s_account_stands_in_its_data_or_its_source() {
    let account = |data: &str, params: &str, source: &str| {
        let kind = "com.twilio.voice.status-callback.call.completed";
        let params =
            serde_json::json!({ "CallSid": "CA5629a724cf3acc3d9dcd56e449ebabde", "AccountSid": params });
        let data = serde_json::json!({ "accountSid": data, "request": { "parameters": params } });
        let event = serde_json::json!({ "type": kind, "source": source, "data": data });
        report_of(&event).map(|report| report.about.account_sid.unwrap_or_default())
    };
    let source = "/2010-04-01/Accounts/AC1/Calls/CA1.json";
    assert_eq!(account("", "", "/").as_deref(), Some(""));
    assert_eq!(account("", "", source).as_deref(), Some("AC1"));
    assert_eq!(account("AC1", "", "/").as_deref(), Some("AC1"));
    assert_eq!(account("", "AC1", "/").as_deref(), Some("AC1"));
    assert_eq!(account("AC1", "AC1", source).as_deref(), Some("AC1"));
    for (data, params) in [("AC2", ""), ("", "AC2"), ("AC1", "AC2")] {
        assert_eq!(account(data, params, source), None, "{data} {params}");
    }
}

#[test]
fn an_event_that_shouts_its_status_is_understood() {
    let event = |kind: &str, data: &str| {
        let mut data: serde_json::Value = serde_json::from_str(data).unwrap();
        data["messageSid"] = SID.into();
        data["timestamp"] = "2026-11-20T09:30:59.125Z".into();
        let event = serde_json::json!({"type": kind, "time": "2026-11-20T09:31:00Z", "data": data});
        report_of(&event).unwrap().fact
    };
    let rows = [
        ("com.twilio.messaging.message.delivered", r#"{"messageStatus":"DELIVERED"}"#, Status::Delivered),
        ("com.twilio.messaging.message.delivered", r#"{"messageStatus":"QUEUED"}"#, Status::Delivered),
        ("com.twilio.messaging.message.updated", r#"{"messageStatus":"UNDELIVERED"}"#, Status::Undelivered),
        ("com.twilio.messaging.inbound-message.received", "{}", Status::Received),
        (
            "com.twilio.voice.status-callback.call.completed",
            r#"{"callStatus":"no-answer"}"#,
            Status::NoAnswer,
        ),
        ("com.twilio.voice.status-callback.call.completed", "{}", Status::Completed),
    ];
    for (kind, data, status) in rows {
        let fact = event(kind, data);
        assert_eq!(fact.status, Some(status), "{kind} {data}");
        assert_eq!(fact.carrier_at.unwrap().to_string(), "2026-11-20T09:30:59.125Z");
        assert!(fact.other.is_empty(), "{:?}", fact.other);
    }
}

fn summary(data: Value) -> Option<Report> {
    let kind = "com.twilio.voice.insights.call-summary.complete";
    report_of(&json!({"type": kind, "time": "2026-11-20T09:31:00Z", "data": data}))
}

#[test]
fn a_call_s_summary_says_what_its_last_callback_would_have() {
    let snake = json!({
        "account_sid": "AC1", "call_sid": CALL, "call_state": "completed", "call_type": "carrier",
        "answered_by": "human", "connect_duration": 12, "duration": 19, "end_time": "2026-11-20T09:30:30Z",
        "from": {"caller": "+15005550006"}, "to": {"callee": "+14155550123", "country_code": "US"},
        "properties": {"direction": "outbound_api", "last_sip_response_num": 200},
    });
    let camel = json!({
        "accountSid": "AC1", "callSid": CALL, "callState": "completed", "answeredBy": "human",
        "connectDuration": "12", "endTime": "2026-11-20T09:30:30Z", "from": "+15005550006", "to": "+14155550123",
        "properties": {"direction": "outbound_api", "lastSipResponseNum": 200},
    });
    for data in [snake, camel] {
        let Report { sid, about, fact, .. } = summary(data).unwrap();
        assert_eq!((sid.as_str(), about.account_sid.as_deref()), (CALL, Some("AC1")));
        assert_eq!(
            (about.from.as_deref(), about.to.as_deref()),
            (Some("+15005550006"), Some("+14155550123"))
        );
        assert_eq!(about.direction.as_deref(), Some("outbound-api"));
        assert_eq!((fact.status, fact.duration_seconds), (Some(Status::Completed), Some(12)));
        assert_eq!((fact.answered_by.as_deref(), fact.sip_code), (Some("human"), Some(200)));
        assert_eq!(fact.carrier_at.unwrap().to_string(), "2026-11-20T09:30:30Z");
    }
    let states = [
        ("busy", Some(Status::Busy)),
        ("fail", Some(Status::Failed)),
        ("noanswer", Some(Status::NoAnswer)),
        ("canceled", Some(Status::Canceled)),
        ("undialed", Some(Status::Failed)),
        ("answered", Some(Status::InProgress)),
        ("new word", None),
    ];
    for (word, status) in states {
        assert_eq!(
            summary(json!({"call_sid": CALL, "call_state": word})).unwrap().fact.status,
            status,
            "{word}"
        );
    }
    assert_eq!(summary(json!({"call_sid": SID, "call_state": "busy"})), None, "a message is no call");
    assert_eq!(summary(json!({"call_state": "busy"})), None);
}

#[test]
fn an_error_log_is_read_wherever_it_names_its_message_or_call() {
    let log = |data: Value| {
        read(
            &json!({"type": "com.twilio.error-logs.error.logged", "time": "2026-11-20T09:31:00Z", "data": data}),
        )
    };
    let error = |data: Value| match log(data) {
        Told::Error(error) => error,
        other => panic!("{other:?}"),
    };
    let payload = json!({"resource_sid": CALL, "error_code": "12100", "more_info": {"Msg": "Document parse failure for +14155550123"}});
    for data in [
        json!({"account_sid": "AC1", "level": "ERROR", "error_code": "12100", "correlation_sid": CALL, "description": "Document parse failure for +14155550123"}),
        json!({"account_sid": "AC1", "level": "WARNING", "error_code": 12100, "payload": payload}),
        json!({"account_sid": "AC1", "payload": payload.to_string()}),
        json!({"account_sid": "AC1", "error_code": "12100", "error_message": "Document parse failure for +14155550123",
               "webhook": {"request": {"parameters": {"CallSid": CALL}}}}),
    ] {
        let ErrorLog { code, words, report } = error(data);
        let report = report.unwrap();
        assert_eq!((code, words.as_deref()), (12100, Some("Document parse failure for …")));
        assert_eq!(
            (report.sid.as_str(), report.fact.status, report.fact.error_code),
            (CALL, None, Some(12100))
        );
        assert_eq!(report.about.account_sid.as_deref(), Some("AC1"));
        assert!(report.fact.error_text().is_some());
    }
    assert_eq!(error(json!({"error_code": 11200})).report, None);
    for data in
        [json!({"level": "INFO", "error_code": "82005"}), json!({}), json!({"error_code": "x"}), json!(3)]
    {
        assert_eq!(log(data.clone()), Told::Other, "{data}");
    }
}

#[test]
fn a_sinks_test_gives_its_word_and_no_other_text() {
    let test =
        |id: &str| read(&json!({"type": "com.twilio.eventstreams.test-event", "data": {"test_id": id}}));
    assert_eq!(test("NO5c1f"), Told::Test("NO5c1f".into()));
    assert_eq!(test("a b\n"), Told::Other);
}

#[test]
fn metrics_and_signalling_of_calls_are_not_read() {
    for kind in ["call-event.gateway", "call-metrics.gateway", "conference-summary.complete"] {
        let event = json!({"type": format!("com.twilio.voice.insights.{kind}"), "data": {"call_sid": CALL, "callSid": CALL, "level": "INFO"}});
        assert_eq!(read(&event), Told::Other, "{kind}");
    }
}
