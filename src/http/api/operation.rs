//! What an operation of the API is: who may do it, what it takes, what it
//! answers. One value lets a request in, reads it, and describes it in
//! `/openapi.json`.

use super::body::Fields;
use super::fields::Field;
use crate::http::caller::Caller;
use crate::http::problem::{self, Kind};
use crate::model::key::Scope;
use schemars::{Schema, SchemaGenerator};
use warp::http::HeaderMap;

/// An operation of the API.
pub struct Operation {
    /// `GET`, `POST`, ….
    pub method: &'static str,
    /// Its name for generated clients.
    pub id: &'static str,
    /// The chapter it stands in.
    pub tag: &'static str,
    /// What it does, in a few words.
    pub summary: &'static str,
    /// What else there is to know.
    pub about: &'static str,
    /// What the caller's key must be allowed.
    pub scope: Scope,
    /// The names in its path, in order.
    pub path: &'static [Field],
    /// The parameters of its query.
    pub query: &'static [Field],
    /// What its body may be.
    pub body: Body,
    /// What it answers when it went well.
    pub answer: Answer,
    /// What it may answer besides what every operation may.
    pub problems: &'static [&'static Kind],
    /// What an `Idempotency-Key` does.
    pub repeats: Repeats,
}

impl Operation {
    /// Every problem that an operation may answer with.
    pub fn all_problems(&self) -> Vec<&'static Kind> {
        let mut kinds = vec![
            &problem::UNAUTHORIZED,
            &problem::SCOPE_MISSING,
            &problem::KEY_BOUND,
            &problem::RATE_LIMITED,
            &problem::WRONG_KEYS,
            &problem::INVALID_REQUEST,
            &problem::INTERNAL,
            &problem::CONTENDED,
            &problem::STORE_UNAVAILABLE,
        ];
        if self.body.fields().is_some() {
            kinds.extend([&problem::BODY_BROKEN, &problem::BODY_LATE, &problem::BODY_TOO_LARGE]);
            kinds.push(&problem::RECORD_TOO_LARGE);
        }
        if self.answer.is_list {
            kinds.push(&problem::INVALID_CURSOR);
        }
        if self.repeats.is_kept() {
            kinds.extend([&problem::IDEMPOTENCY_KEY_REUSED, &problem::IDEMPOTENCY_IN_PROGRESS]);
        }
        kinds.extend(self.problems);
        kinds
    }

    /// What there is none of, where nothing is found.
    pub fn nothing(&self) -> &'static str {
        match self.tag {
            "Verifications" => "no verification has this id",
            "Messages" => "no message has this id, or it was forgotten by retention.messages_hours",
            "Deliveries" => "no delivery has this name: SM…, MM…, CA… of Twilio's, or DL… or DM… of ours",
            "Sessions" => "no session has this id, or its time is over",
            "Services" => "no service has this id or name; `GET /v1/services` lists them",
            "Opt-outs" => "this number has said nothing to any sender, or not to this one",
            "Endpoints" => "no endpoint has this id",
            "Events" => "no event has this id, or it was forgotten by retention.events_days",
            "Blocks" => "no entry has this id, or it has ended; `GET /v1/blocks` lists them",
            "Decisions" => {
                "no decision has this id, or it was forgotten by retention.decisions_days; one is there some \
                 seconds after it was taken"
            }
            "Keys" => "no API key has this id; `GET /v1/keys` lists them",
            "Erasures" => "no erasure has this id",
            _ => "nothing has this name",
        }
    }
}

/// The body of a request.
pub enum Body {
    /// None; one that comes is not read.
    None,
    /// An object of these fields.
    Needed(&'static [Field]),
    /// The same, or nothing at all.
    Optional(&'static [Field]),
}

impl Body {
    /// Its fields, when it has one.
    pub fn fields(&self) -> Option<&'static [Field]> {
        match self {
            Self::None => None,
            Self::Needed(fields) | Self::Optional(fields) => Some(fields),
        }
    }
}

/// What is answered when it went well.
#[derive(Clone, Copy)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// What it is.
    pub about: &'static str,
    /// Its media type; nothing for an answer without body.
    pub media: Option<&'static str>,
    /// Makes its JSON Schema.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
    /// Whether it is one page of a list.
    pub is_list: bool,
    /// The other status that a like answer may have, and what it is then.
    pub also: Option<(u16, &'static str)>,
    /// Where one may go from here: an operation, the name in its path, and
    /// where that name's value is in this answer, as a JSON pointer.
    pub links: &'static [(&'static str, &'static str, &'static str)],
}

impl Answer {
    /// JSON of a type's form.
    pub const fn json<T: schemars::JsonSchema>(status: u16, about: &'static str) -> Self {
        Self {
            status,
            about,
            media: Some("application/json"),
            schema: SchemaGenerator::subschema_for::<T>,
            is_list: false,
            also: None,
            links: &[],
        }
    }

    /// A page of a list.
    pub const fn list<T: schemars::JsonSchema>(about: &'static str) -> Self {
        Self { is_list: true, ..Self::json::<T>(200, about) }
    }

    /// 204, without a body.
    pub const fn nothing(about: &'static str) -> Self {
        Self { media: None, ..Self::json::<()>(204, about) }
    }

    /// The same, which may come with another status, too, and with `Retry-After`.
    pub const fn or(self, status: u16, about: &'static str) -> Self {
        Self { also: Some((status, about)), ..self }
    }

    /// The same, with the ways on from here.
    pub const fn leading_to(self, links: &'static [(&'static str, &'static str, &'static str)]) -> Self {
        Self { links, ..self }
    }
}

impl Repeats {
    /// Whether an `Idempotency-Key` does anything.
    pub fn is_kept(self) -> bool {
        matches!(self, Self::KeptByHandler | Self::Kept)
    }
}

/// What an `Idempotency-Key` does to an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeats {
    /// Nothing: it only reads, by whichever method, and stops when nobody waits for
    /// its answer any more.
    OnlyReads,
    /// Nothing: doing it twice is the same as once, or it is no POST.
    Ignored,
    /// The handler keeps the answer, in the very write that does the thing.
    KeptByHandler,
    /// The answer is kept beside the thing.
    Kept,
}

/// A request to an operation, let in and read.
pub struct Call {
    /// The key that asks, with its scopes and services.
    pub caller: Caller,
    /// The segments that stand for names in the path, raw.
    pub params: Vec<String>,
    /// The path as received.
    pub path: String,
    /// The query as received, without its question mark.
    pub raw_query: String,
    /// The query's parameters.
    pub query: Fields,
    /// The body's fields.
    pub body: Fields,
    /// Its headers, as they came.
    pub headers: HeaderMap,
    /// Whether a list's next page has an address, for a `Link` header.
    pub is_linked: bool,
}

impl Call {
    /// The first name in the path.
    pub fn name(&self) -> &str {
        self.params.first().map_or("", String::as_str)
    }

    /// The first name in the path, as an id.
    ///
    /// # Errors
    /// Not found: an id that is none is one that does not exist.
    pub fn id<T: std::str::FromStr>(&self) -> Result<T, crate::http::error::Error> {
        self.name().parse().map_err(|_| crate::app::fault::Fault::NotFound.into())
    }
}
