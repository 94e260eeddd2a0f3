//! Tests of `<Record>` and of recordings that are begun, steered and deleted by the API.

use super::super::Inbound;
use super::*;
use serde_json::json;

/// Everything that is told of a recording.
const ALL: &str =
    "recordingStatusCallback=\"/told\" recordingStatusCallbackEvent=\"in-progress completed absent\"";

/// A stage whose clock stands and whose telephone answers at once and does this.
async fn recorded(wish: &str, attributes: &str) -> (Stage, String) {
    let stage = Stage::new().await;
    stage.clock.stop();
    stage.behave(PHONE, wish).await;
    let record = format!("<Record action=\"/done\" {attributes} {ALL}/>");
    stage.app.says("/voice", &format!("<Response>{record}<Say>nothing</Say></Response>"));
    stage.app.says("/done", "<Response><Say>thanks</Say></Response>");
    let sid = stage.call(&[("Url", &stage.url("/voice")), ("TimeLimit", "120")]).await;
    (stage, sid)
}

const ANSWERS: &str = r#"{"answer_after_ms":0}"#;

async fn press(stage: &Stage, sid: &str, keys: &str) {
    let body = json!({ "digits": keys }).to_string();
    assert_eq!(stage.steer(Method::POST, &format!("calls/{sid}/press"), &body).await.0, 200);
}

/// Waits until the call is recorded.
async fn until_recorded(stage: &Stage, sid: &str) -> Value {
    for _ in 0..3_000 {
        let call = stage.look(&format!("calls/{sid}")).await;
        if !call["recording"].is_null() {
            return call;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it is never recorded");
}

fn get(told: &Told, name: &str) -> String {
    told.get(name).unwrap_or_else(|| panic!("no {name} in {told:?}"))
}

#[tokio::test]
async fn silence_ends_a_record_and_its_action_goes_on() {
    let (stage, sid) = recorded(ANSWERS, "timeout=\"3\"").await;
    stage.clock.until_somebody_sleeps_for(Duration::from_secs(1)).await;
    let call = stage.look(&format!("calls/{sid}")).await;
    assert_eq!((&call["recording"], &call["spoken"]), (&json!("in-progress"), &json!(["[beep]"])));
    let (_, list) = stage.fetch(&format!("Calls/{sid}/Recordings.json")).await;
    let one = &list["recordings"][0];
    assert_eq!((&one["status"], &one["source"]), (&json!("in-progress"), &json!("RecordVerb")));
    assert_eq!(one["duration"], Value::Null);
    let sound = format!("Recordings/{}", one["sid"].as_str().unwrap());
    assert_eq!(stage.fetch(&format!("{sound}.mp3")).await.0, 404, "it is not there yet");
    stage.clock.advance(Duration::from_secs(1));
    stage.clock.until_somebody_sleeps_for(Duration::from_secs(3)).await;
    stage.clock.advance(Duration::from_secs(3));
    let call = stage.call_in("completed").await;
    assert_eq!((&call["spoken"], &call["recording"]), (&json!(["[beep]", "thanks"]), &Value::Null));
    let done = stage.app.told("/done").pop().unwrap();
    assert!(done.signed);
    assert_eq!(
        (get(&done, "RecordingSid"), get(&done, "RecordingDuration")),
        (one["sid"].as_str().unwrap().into(), "1".into())
    );
    assert_eq!((get(&done, "Digits"), get(&done, "CallStatus")), ("".into(), "in-progress".into()));
    let told = stage.app.wait("/told", 2).await;
    assert_eq!(stage.app.values("/told", "RecordingStatus"), ["in-progress", "completed"]);
    assert!(told.iter().all(|told| told.signed && get(told, "RecordingSource") == "RecordVerb"));
    assert_eq!((told[0].get("RecordingDuration"), get(&told[1], "RecordingDuration")), (None, "1".into()));
    // The sound is where it was said to be.
    let url = get(&done, "RecordingUrl");
    for (end, kind) in [("", "audio/x-wav"), (".wav", "audio/x-wav"), (".mp3", "audio/mpeg")] {
        let answer = stage.http.get(format!("{url}{end}")).send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), answer.headers()["content-type"].to_str().unwrap()),
            (200, kind)
        );
        assert!(!answer.bytes().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_key_ends_a_record_if_it_is_one_that_does() {
    let (stage, sid) = recorded(ANSWERS, "finishOnKey=\"*#\"").await;
    stage.clock.until_somebody_sleeps_for(Duration::from_secs(1)).await;
    press(&stage, &sid, "12").await;
    stage.clock.advance(Duration::from_secs(1));
    stage.clock.until_somebody_sleeps_for(Duration::from_secs(5)).await;
    press(&stage, &sid, "3#").await;
    assert_eq!(stage.call_in("completed").await["spoken"], json!(["[beep]", "thanks"]));
    assert_eq!(stage.app.values("/done", "Digits"), ["#"]);
}

#[tokio::test]
async fn a_telephone_presses_a_key_by_itself_when_it_has_spoken() {
    let wish = r##"{"answer_after_ms":0,"speaks_ms":12000,"press":["#"]}"##;
    let (stage, _) = recorded(wish, "playBeep=\"false\"").await;
    stage.clock.until_somebody_sleeps_for(Duration::from_secs(12)).await;
    stage.clock.advance(Duration::from_secs(12));
    assert_eq!(stage.call_in("completed").await["spoken"], json!(["thanks"]));
    let done = stage.app.told("/done").pop().unwrap();
    assert_eq!((get(&done, "Digits"), get(&done, "RecordingDuration")), ("#".into(), "12".into()));
}

#[tokio::test]
async fn the_longest_time_ends_a_record_and_silence_that_is_not_trimmed_counts() {
    let wish = r#"{"answer_after_ms":0,"speaks_ms":90000}"#;
    let (stage, _) = recorded(wish, "maxLength=\"30\"").await;
    stage.clock.until_somebody_sleeps_for(Duration::from_secs(30)).await;
    stage.clock.advance(Duration::from_secs(30));
    stage.call_in("completed").await;
    assert_eq!(stage.app.values("/done", "RecordingDuration"), ["30"]);
    let (stage, _) = recorded(ANSWERS, "trim=\"do-not-trim\" timeout=\"4\"").await;
    stage.clock.until_somebody_sleeps_for(Duration::from_secs(1)).await;
    // Far beyond, and still within the call's own limit.
    stage.clock.advance(Duration::from_secs(100));
    stage.call_in("completed").await;
    assert_eq!(stage.app.values("/done", "RecordingDuration"), ["5"]);
}

#[tokio::test]
async fn what_nobody_speaks_into_is_absent_and_the_next_verb_is_done() {
    let (stage, sid) = recorded(r#"{"answer_after_ms":0,"speaks_ms":0}"#, "").await;
    stage.clock.until_somebody_sleeps_for(Duration::from_secs(5)).await;
    stage.clock.advance(Duration::from_secs(5));
    assert_eq!(stage.call_in("completed").await["spoken"], json!(["[beep]", "nothing"]));
    assert_eq!(stage.app.told("/done").len(), 0);
    stage.app.wait("/told", 2).await;
    assert_eq!(stage.app.values("/told", "RecordingStatus"), ["in-progress", "absent"]);
    let (_, list) = stage.fetch(&format!("Recordings.json?CallSid={sid}")).await;
    assert_eq!(list["recordings"][0]["status"], "absent");
}

#[tokio::test]
async fn who_hangs_up_ends_a_record_and_its_action_is_told_all_the_same() {
    for end in ["telephone", "api", "limit"] {
        let (stage, sid) = recorded(ANSWERS, "timeout=\"600\"").await;
        stage.clock.until_somebody_sleeps_for(Duration::from_secs(1)).await;
        stage.clock.advance(Duration::from_secs(1));
        stage.clock.until_somebody_sleeps_for(Duration::from_secs(600)).await;
        match end {
            "telephone" => {
                stage.steer(Method::POST, &format!("calls/{sid}/hang-up"), "").await;
            }
            "api" => {
                stage.create(&format!("Calls/{sid}.json"), &[("Status", "completed")]).await;
            }
            _ => stage.clock.advance(Duration::from_secs(120)),
        }
        let done = stage.app.wait("/done", 1).await.pop().unwrap();
        assert!(done.signed);
        assert_eq!((get(&done, "Digits"), get(&done, "CallStatus")), ("hangup".into(), "completed".into()));
        stage.app.wait("/told", 2).await;
        assert_eq!(stage.app.values("/told", "RecordingStatus"), ["in-progress", "completed"]);
        assert_eq!(stage.call_in("completed").await["spoken"], json!(["[beep]"]), "{end}");
    }
}

#[tokio::test]
async fn a_call_that_is_sent_elsewhere_is_no_longer_recorded() {
    let (stage, sid) = recorded(ANSWERS, "").await;
    until_recorded(&stage, &sid).await;
    stage
        .create(&format!("Calls/{sid}.json"), &[("Twiml", "<Response><Say>elsewhere</Say></Response>")])
        .await;
    let call = stage.call_in("completed").await;
    assert_eq!((&call["spoken"], &call["recording"]), (&json!(["[beep]", "elsewhere"]), &Value::Null));
    stage.app.wait("/told", 2).await;
    assert_eq!(stage.app.told("/done").len(), 0);
}

#[tokio::test]
async fn an_inbound_call_is_recorded_and_what_shall_be_read_is_not() {
    let stage = Stage::new().await;
    let voice_url = Some(stage.url("/in"));
    stage.sandbox.set_inbound(Inbound { voice_url, ..Inbound::default() });
    stage.behave(PHONE, r#"{"press":["1"],"speaks_ms":1}"#).await;
    let record = "<Record action=\"/done\" transcribe=\"true\" transcribeCallback=\"/read\"/>";
    stage.app.says("/in", &format!("<Response>{record}</Response>"));
    stage.app.says("/done", "<Response/>");
    stage.steer(Method::POST, &format!("phones/{PHONE}/calls"), "").await;
    stage.call_in("completed").await;
    assert_eq!(stage.app.values("/done", "Direction"), ["inbound"]);
    assert_eq!((stage.alerts().await, stage.app.told("/read").len()), (vec![13617], 0));
}

/// A call that goes on until somebody ends it.
async fn going_on(stage: &Stage, more: &[(&str, &str)]) -> String {
    stage.behave(PHONE, ANSWERS).await;
    let twiml = ("Twiml", "<Response><Gather timeout=\"9000\"/></Response>");
    let sid = stage.call(&[&[twiml], more].concat()).await;
    stage.clock.until_somebody_sleeps_for(Duration::from_secs(9_000)).await;
    sid
}

#[tokio::test]
async fn a_request_begins_pauses_resumes_and_stops_a_recording() {
    let stage = Stage::new().await;
    stage.clock.stop();
    let sid = going_on(&stage, &[]).await;
    let all = format!("Calls/{sid}/Recordings.json");
    let told = stage.url("/told");
    let wish = [
        ("RecordingStatusCallback", told.as_str()),
        ("RecordingStatusCallbackEvent", "in-progress completed"),
        ("RecordingChannels", "dual"),
        ("RecordingTrack", "inbound"),
    ];
    let (status, begun) = stage.create(&all, &wish).await;
    assert_eq!(
        (status, &begun["status"], &begun["source"]),
        (201, &json!("in-progress"), &json!("StartCallRecordingAPI"))
    );
    assert_eq!(
        (&begun["channels"], &begun["track"], &begun["duration"]),
        (&json!(2), &json!("inbound"), &Value::Null)
    );
    // A second one is the first.
    let (status, again) = stage.create(&all, &[]).await;
    assert_eq!((status, &again["sid"]), (200, &begun["sid"]));
    let current = format!("Calls/{sid}/Recordings/Twilio.CURRENT.json");
    let own = format!("Calls/{sid}/Recordings/{}.json", begun["sid"].as_str().unwrap());
    let go = async |path: &str, fields: &[(&str, &str)], wanted: &str, seconds: u64| {
        let (status, document) = stage.create(path, fields).await;
        assert_eq!((status, &document["status"]), (200, &json!(wanted)), "{document}");
        stage.clock.advance(Duration::from_secs(seconds));
    };
    stage.clock.advance(Duration::from_secs(3));
    go(&current, &[("Status", "paused"), ("PauseBehavior", "skip")], "paused", 60).await;
    assert_eq!(stage.look(&format!("calls/{sid}")).await["recording"], "paused");
    go(&own, &[("Status", "in-progress")], "in-progress", 2).await;
    // A pause that is not skipped is silence.
    go(&current, &[("Status", "paused")], "paused", 10).await;
    go(&current, &[("Status", "in-progress")], "in-progress", 1).await;
    go(&current, &[("Status", "stopped")], "stopped", 0).await;
    let (_, ended) = stage.fetch(&own).await;
    assert_eq!((&ended["status"], &ended["duration"]), (&json!("completed"), &json!("16")));
    let told = stage.app.wait("/told", 2).await;
    assert_eq!(stage.app.values("/told", "RecordingStatus"), ["in-progress", "completed"]);
    assert!(told[1].signed && get(&told[1], "RecordingTrack") == "inbound");
    assert_eq!(
        (get(&told[1], "RecordingChannels"), get(&told[1], "RecordingDuration")),
        ("2".into(), "16".into())
    );
    // What is over is not steered any more, and another one may begin.
    for path in [&current, &own] {
        let (status, document) = stage.create(path, &[("Status", "paused")]).await;
        assert!(
            matches!((status, document["code"].as_u64()), (404, Some(20404)) | (400, Some(21220))),
            "{document}"
        );
    }
    let (status, next) = stage.create(&all, &[]).await;
    assert!(status == 201 && next["sid"] != begun["sid"]);
    stage.clock.advance(Duration::from_secs(4));
    stage.create(&format!("Calls/{sid}.json"), &[("Status", "completed")]).await;
    stage.call_in("completed").await;
    stage.settle().await;
    let (_, list) = stage.fetch(&all).await;
    let of = |one: &Value| (one["status"].clone(), one["duration"].clone());
    let rows: Vec<_> = list["recordings"].as_array().unwrap().iter().map(of).collect();
    assert_eq!(rows, [(json!("completed"), json!("4")), (json!("completed"), json!("16"))]);
}

#[tokio::test]
async fn a_call_that_is_recorded_from_its_beginning_says_so_from_then_on() {
    let stage = Stage::new().await;
    stage.clock.stop();
    let told = stage.url("/told");
    let ended = stage.url("/ended");
    let sid = going_on(
        &stage,
        &[
            ("Record", "true"),
            ("StatusCallback", &ended),
            ("RecordingStatusCallback", &told),
            ("RecordingStatusCallbackEvent", "in-progress"),
            ("RecordingStatusCallbackEvent", "completed"),
        ],
    )
    .await;
    let (_, list) = stage.fetch("Recordings.json").await;
    assert_eq!(
        (&list["recordings"][0]["status"], &list["recordings"][0]["source"]),
        (&json!("in-progress"), &json!("OutboundAPI"))
    );
    stage.clock.advance(Duration::from_secs(7));
    stage.steer(Method::POST, &format!("calls/{sid}/hang-up"), "").await;
    stage.app.wait("/told", 2).await;
    assert_eq!(stage.app.values("/told", "RecordingStatus"), ["in-progress", "completed"]);
    let ended = stage.app.wait("/ended", 1).await.pop().unwrap();
    assert_eq!(get(&ended, "RecordingSid"), get(&stage.app.told("/told")[1], "RecordingSid"));
    assert_eq!((get(&ended, "RecordingDuration"), get(&ended, "CallDuration")), ("7".into(), "7".into()));
}

#[tokio::test]
async fn what_cannot_be_recorded_is_refused_as_twilio_refuses_it() {
    let stage = Stage::new().await;
    let over = stage.call(&[("Twiml", "<Response/>")]).await;
    stage.call_in("ringing").await;
    let all = format!("Calls/{over}/Recordings.json");
    assert_eq!(stage.create(&all, &[]).await.1["code"], 21220, "it rings");
    stage.steer(Method::POST, &format!("calls/{over}/answer"), "").await;
    stage.call_in("completed").await;
    assert_eq!(stage.create(&all, &[]).await.1["code"], 21220, "it is over");
    stage.clock.stop();
    let sid = going_on(&stage, &[]).await;
    let all = format!("Calls/{sid}/Recordings.json");
    for wrong in [
        ("RecordingChannels", "stereo"),
        ("RecordingTrack", "mine"),
        ("Trim", "yes"),
        ("RecordingStatusCallbackEvent", "completed failed"),
    ] {
        assert_eq!(stage.create(&all, &[wrong]).await.1["code"], 20001, "{wrong:?}");
    }
    assert_eq!(stage.create(&all, &[("RecordingStatusCallback", "nowhere")]).await.1["code"], 21205);
    let current = format!("Calls/{sid}/Recordings/Twilio.CURRENT.json");
    assert_eq!(stage.create(&current, &[("Status", "paused")]).await.0, 404, "nothing is recorded");
    stage.create(&all, &[]).await;
    for wrong in [("Status", "completed"), ("Status", "off"), ("PauseBehavior", "loud"), ("Nothing", "")] {
        let fields = [wrong];
        assert_eq!(stage.create(&current, &fields).await.1["code"], 20001, "{wrong:?}");
    }
    let nowhere = format!("Calls/CA{}/Recordings.json", "0".repeat(32));
    assert_eq!(stage.create(&nowhere, &[]).await.0, 404);
}

#[tokio::test]
async fn a_deleted_recording_is_listed_for_forty_days_to_who_asks_for_it() {
    let stage = Stage::new().await;
    stage.clock.stop();
    let sid = going_on(&stage, &[]).await;
    let (_, begun) = stage.create(&format!("Calls/{sid}/Recordings.json"), &[]).await;
    let path = format!("Recordings/{}", begun["sid"].as_str().unwrap());
    stage.clock.advance(Duration::from_secs(5));
    let delete = async || answer(stage.api(Method::DELETE, &format!("{path}.json"))).await.0;
    assert_eq!((delete().await, delete().await), (204, 404));
    assert_eq!(stage.look(&format!("calls/{sid}")).await["recording"], Value::Null, "it was stopped");
    let found = async |query: &str| stage.fetch(&format!("{path}.json{query}")).await;
    assert_eq!((found("").await.0, stage.fetch(&path).await.0), (404, 404));
    let (status, shown) = found("?IncludeSoftDeleted=true").await;
    assert_eq!((status, &shown["status"], &shown["duration"]), (200, &json!("deleted"), &json!("5")));
    let rows = async |query: &str| {
        stage.fetch(&format!("Recordings.json{query}")).await.1["recordings"].as_array().unwrap().len()
    };
    assert_eq!((rows("").await, rows("?IncludeSoftDeleted=true").await), (0, 1));
    assert_eq!(rows("?IncludeSoftDeleted=true&ConferenceSid=CF1").await, 0);
    stage.clock.advance(Duration::from_secs(41 * 86_400));
    assert_eq!(rows("?IncludeSoftDeleted=true").await, 0);
}
