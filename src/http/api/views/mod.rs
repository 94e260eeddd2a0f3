//! What the API shows: types that are both written into answers and described
//! in `/openapi.json`.

pub mod block;
pub mod channel;
pub mod decision;
pub mod delivery;
pub mod endpoint;
pub mod message;
pub mod session;
pub mod things;
pub mod verification;
