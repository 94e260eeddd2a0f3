//! What an operation is asked: the request, whose resources it is about, and who
//! asks.

use super::caller::Caller;
use crate::sandbox::incoming::{Form, Request};
use crate::sandbox::refusal::Refusal;
use crate::sandbox::world::World;
use std::sync::Arc;

/// The parts of a path that vary, by their names in the template.
pub(super) type Parts = Vec<(&'static str, String)>;

/// A request that is allowed to ask what it asks.
pub(super) struct Ask<'a> {
    /// Everything that the sandbox's parts share: its state, clock and settings.
    pub world: &'a Arc<World>,
    /// The request as it came in, with its query, headers and body.
    pub request: &'a Request,
    /// Who proved who they are; on a public path nobody did, and it is the path's account.
    pub caller: &'a Caller,
    /// The account whose resources are meant: that of the path, else the caller's.
    pub account: &'a str,
    /// The parts of the path that vary.
    pub parts: Parts,
}

impl Ask<'_> {
    /// A part of the path, by its name in the template; empty when the template has
    /// no such part.
    pub fn part(&self, name: &str) -> &str {
        self.parts.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }

    /// The `{Sid}` of the path.
    pub fn sid(&self) -> &str {
        self.part("Sid")
    }

    /// The pairs of the form body.
    pub fn form(&self) -> Form {
        self.request.form()
    }

    /// The pairs of the query.
    pub fn query(&self) -> Form {
        self.request.query()
    }

    /// 20404: there is no such resource.
    pub fn missing(&self) -> Refusal {
        Refusal::not_found(&self.request.path)
    }
}
