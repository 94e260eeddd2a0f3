//! Sessions of the pages, as the application sees them.

use crate::app::fault::Fault;
use crate::app::keyed::narrowed::Narrowed;
use crate::app::verification::{NewSession, SessionError, SessionView};
use crate::model::id::SessionId;
use crate::model::session::Session;
use crate::store::records;

use crate::app::verification;

/// See [`verification::create_session`](crate::app::verification::create_session).
///
/// # Errors
/// As there.
pub async fn create_session(key: &Narrowed, request: NewSession) -> Result<Session, SessionError> {
    let service = key.named(request.service.clone())?;
    verification::create_session(&key.all.admission, NewSession { service, ..request }).await
}

/// See [`verification::end_session`](crate::app::verification::end_session).
///
/// # Errors
/// As there; another service's session is not there.
pub async fn end_session(key: &Narrowed, id: &SessionId) -> Result<Session, SessionError> {
    if !key.services.is_all() {
        let found = records::get::<Session>(key.all.base.store(), id.as_str()).await?;
        key.own(found.ok_or(Fault::NotFound)?.record).await?;
    }
    verification::end_session(&key.all.admission, id).await
}

/// See [`verification::session_result`](crate::app::verification::session_result).
///
/// # Errors
/// As there; another service's session has no such result.
pub async fn session_result(
    key: &Narrowed,
    id: &SessionId,
    result: &str,
) -> Result<SessionView, SessionError> {
    if !key.services.is_all() {
        let found = records::get::<Session>(key.all.base.store(), id.as_str()).await?;
        let session = found.ok_or(SessionError::NoSuchResult)?.record;
        key.own(session).await.map_err(|error| match error {
            Fault::NotFound => SessionError::NoSuchResult,
            error => error.into(),
        })?;
    }
    verification::session_result(&key.all.admission, id, result).await
}
