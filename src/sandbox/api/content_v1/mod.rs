//! `content.twilio.com`: contents, which are templates, and their approval by WhatsApp.

mod approvals;
mod contents;

use super::route::{Route, delete, get, post, put};

const PRODUCT: &str = "content";

/// The whole product on one screen.
pub(super) const ROUTES: &[Route] = &[
    get(PRODUCT, "/v1/Content", contents::list),
    post(PRODUCT, "/v1/Content", contents::create),
    get(PRODUCT, "/v1/Content/{Sid}", contents::fetch),
    put(PRODUCT, "/v1/Content/{Sid}", contents::update),
    delete(PRODUCT, "/v1/Content/{Sid}", contents::delete),
    get(PRODUCT, "/v1/Content/{Sid}/ApprovalRequests", approvals::fetch),
    post(PRODUCT, "/v1/Content/{ContentSid}/ApprovalRequests/whatsapp", approvals::create),
    get(PRODUCT, "/v1/ContentAndApprovals", approvals::list),
];
