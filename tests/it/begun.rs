//! Verifications of one number by several callers, who are strangers to each other.

use dialback::app::App;
use dialback::app::verification::{self, StartRequest, VerificationError};
use dialback::model::verification::Verification;

/// Begins one, as this caller.
pub async fn by(app: &App, request: StartRequest, caller: &str) -> Result<Verification, VerificationError> {
    let mut request = request;
    request.caller = Some(caller.to_owned());
    Ok(verification::start(&app.verifying, request, None).await?.view.verification)
}
