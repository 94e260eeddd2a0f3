//! How a template stands with WhatsApp.

use super::*;
use crate::gateway::Approval;

const TEMPLATE: &str = "HXaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

async fn told(said: Scripted) -> (Result<Option<Approval>, SendError>, String) {
    let fake = fake(said);
    let told = Twilio::new(settings(), fake).approval(TEMPLATE, None).await;
    let url = fake.asked.lock().unwrap()[0].url.clone();
    (told, url)
}

fn stands(status: &str, reason: &str) -> Scripted {
    let whatsapp = json!({ "status": status, "rejection_reason": reason, "category": "AUTHENTICATION" });
    answer(200, &json!({ "sid": TEMPLATE, "whatsapp": whatsapp }))
}

#[tokio::test]
async fn a_template_is_approved_or_says_where_it_stands() {
    let (approved, url) = told(stands("approved", "")).await;
    assert_eq!(url, format!("https://content.twilio.com/v1/Content/{TEMPLATE}/ApprovalRequests"));
    assert_eq!(approved, Ok(Some(Approval::Approved)));
    for (status, reason, expected, code) in [
        ("paused", "", "paused", 63041),
        ("disabled", "", "disabled", 63042),
        ("pending", "", "pending", 63016),
        ("rejected", "TAG <b>\nCONTENT", "rejected: TAG bCONTENT", 63016),
    ] {
        let Ok(Some(approval)) = told(stands(status, reason)).await.0 else { panic!("{status}") };
        assert_eq!((&approval, approval.code()), (&Approval::Not { status: expected.to_owned() }, code));
    }
    let never = told(answer(200, &json!({ "sid": TEMPLATE }))).await.0;
    assert_eq!(never, Ok(Some(Approval::Not { status: "unsubmitted".to_owned() })));
}

#[tokio::test]
async fn what_is_not_there_is_missing_and_what_is_no_answer_is_unknown() {
    let missing = told(answer(404, &json!({ "code": 20404 }))).await.0;
    assert_eq!((missing, Approval::Missing.code()), (Ok(Some(Approval::Missing)), 63027));
    assert!(matches!(told(answer(200, &json!([]))).await.0, Err(SendError::Unknown { .. })));
    assert!(matches!(told(answer(500, &json!({}))).await.0, Err(SendError::Unknown { .. })));
    assert!(matches!(told(answer(401, &json!({ "code": 20003 }))).await.0, Err(SendError::Refused { .. })));
}
