//! What Dialback does not have yet: entities, factors, challenges, access
//! tokens and passkeys. A service that exists answers as Twilio's does where
//! the feature is off.

use super::call::Call;
use super::failure::Failure;
use warp::reply::Response;

/// The paths of what is not offered, each with the names in it.
pub const PATHS: [&str; 13] = [
    "/v2/Services/{service}/AccessTokens",
    "/v2/Services/{service}/AccessTokens/{sid}",
    "/v2/Services/{service}/Entities",
    "/v2/Services/{service}/Entities/{identity}",
    "/v2/Services/{service}/Entities/{identity}/Factors",
    "/v2/Services/{service}/Entities/{identity}/Factors/{sid}",
    "/v2/Services/{service}/Entities/{identity}/Challenges",
    "/v2/Services/{service}/Entities/{identity}/Challenges/{sid}",
    "/v2/Services/{service}/Entities/{identity}/Challenges/{sid}/Notifications",
    "/v2/Services/{service}/Passkeys/Factors",
    "/v2/Services/{service}/Passkeys/VerifyFactor",
    "/v2/Services/{service}/Passkeys/Challenges",
    "/v2/Services/{service}/Passkeys/ApproveChallenge",
];

/// 60204, or 20404 for a service that is none.
pub async fn any(call: Call) -> Result<Response, Failure> {
    call.service().await?;
    Err(Failure::unsupported())
}
