//! The telephones page, at `/`.

use super::control::is_local;
use super::incoming::{Request, complaint};
use super::world::World;
use warp::reply::Response;

/// Answers what is neither the REST API nor a control.
pub(super) fn answer(world: &World, request: &Request) -> Response {
    if !is_local(request.header("host").unwrap_or_default(), &world.settings.hosts) {
        let hint = "call it by 127.0.0.1, localhost or the address it listens on";
        return complaint(403, "the sandbox does not answer to this name", hint);
    }
    complaint(404, "no such page", "the REST API is at /2010-04-01/, the controls are at /sandbox/")
}
