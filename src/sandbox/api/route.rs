//! What there is of Twilio's API, as data: a method, a path template as Twilio
//! publishes it, and who answers.
//!
//! Routes go by path: SDKs that were pointed here send the paths of all products
//! to one address. Where `Host` names a product of Twilio's, it alone is meant: what
//! Sync has at `/v1/Services` is no messaging service.

use super::ask::{Ask, Parts};
use super::outcome::Outcome;

/// Who answers a request.
pub(super) type Handler = fn(&Ask<'_>) -> Outcome;

/// An operation of Twilio's API, as the table of its product lists it.
pub(super) struct Route {
    /// The product: the first label of its host, such as `api` of `api.twilio.com`.
    pub product: &'static str,
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: &'static str,
    /// Its path, with a name in braces for each part that varies, as in Twilio's
    /// published documents: `/2010-04-01/Accounts/{AccountSid}/Keys/{Sid}.json`.
    pub path: &'static str,
    /// The function that answers whoever may ask.
    pub run: Handler,
    /// Whether anybody may ask it.
    pub is_public: bool,
}

/// Where a request leads.
pub(super) enum Found {
    /// To an operation.
    Operation(&'static Route, Parts),
    /// To a path that has other methods.
    OtherMethod(&'static Route),
    /// Nowhere, as no operation has its path: 404, with a password or without.
    Nothing,
}

impl Route {
    /// The operation's host: `api.twilio.com`.
    pub fn host(&self) -> String {
        format!("{}.twilio.com", self.product)
    }

    /// The parts that vary, when the path is of this operation.
    fn parts(&self, segments: &[String]) -> Option<Parts> {
        let template = self.path.trim_start_matches('/').split('/');
        if template.clone().count() != segments.len() {
            return None;
        }
        let mut parts = Parts::new();
        for (wanted, segment) in template.zip(segments) {
            match wanted.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
                Some((name, end)) => {
                    let value = segment.strip_suffix(end).filter(|value| !value.is_empty())?;
                    parts.push((name, value.to_owned()));
                }
                None if wanted == segment => {}
                None => return None,
            }
        }
        Some(parts)
    }
}

/// Finds the operation among tables. `product` is what `Host` says, if it says one, and
/// then no other is looked for; among templates that fit, the one that says most of the
/// path itself is meant.
pub(super) fn find(
    tables: &[&'static [Route]],
    method: &str,
    segments: &[String],
    product: Option<&str>,
) -> Found {
    let all = tables.iter().flat_map(|table| table.iter());
    let meant = all.filter(|route| product.is_none_or(|product| route.product == product));
    let mut fitting: Vec<(&'static Route, Parts)> =
        meant.filter_map(|route| Some((route, route.parts(segments)?))).collect();
    let Some(least) = fitting.iter().map(|(_, parts)| parts.len()).min() else { return Found::Nothing };
    fitting.retain(|(_, parts)| parts.len() == least);
    // Of two products with one path the first in the tables has it.
    let first = fitting[0].0;
    fitting.retain(|(route, _)| route.product == first.product);
    match fitting.into_iter().find(|(route, _)| route.method == method) {
        Some((route, parts)) => Found::Operation(route, parts),
        None => Found::OtherMethod(first),
    }
}

/// The product that a `Host` names: the first label of Twilio's names, with or
/// without an edge and a region (`messaging.dublin.ie1.twilio.com`).
pub(in crate::sandbox) fn product(host: &str) -> Option<&str> {
    let name = host.split(':').next().unwrap_or_default().strip_suffix(".twilio.com")?;
    name.split('.').next()
}

/// An operation that reads.
pub(super) const fn get(product: &'static str, path: &'static str, run: Handler) -> Route {
    Route { product, method: "GET", path, run, is_public: false }
}

/// An operation that reads what anybody may have who knows where it is.
pub(super) const fn public(product: &'static str, path: &'static str, run: Handler) -> Route {
    Route { product, method: "GET", path, run, is_public: true }
}

/// An operation that makes or changes.
pub(super) const fn post(product: &'static str, path: &'static str, run: Handler) -> Route {
    Route { product, method: "POST", path, run, is_public: false }
}

/// An operation that puts something in the place of what was there.
pub(super) const fn put(product: &'static str, path: &'static str, run: Handler) -> Route {
    Route { product, method: "PUT", path, run, is_public: false }
}

/// An operation that changes a part.
pub(super) const fn patch(product: &'static str, path: &'static str, run: Handler) -> Route {
    Route { product, method: "PATCH", path, run, is_public: false }
}

/// An operation that takes away.
pub(super) const fn delete(product: &'static str, path: &'static str, run: Handler) -> Route {
    Route { product, method: "DELETE", path, run, is_public: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::api::outcome::Done;

    fn gone(_: &Ask<'_>) -> Outcome {
        Ok(Done::Gone)
    }

    const MESSAGING: &[Route] = &[
        get("messaging", "/v1/Services", gone),
        get("messaging", "/v1/Services/{Sid}", gone),
        post("messaging", "/v1/Services/{Sid}", gone),
        post("messaging", "/v1/Services/Usecases", gone),
    ];
    const CONVERSATIONS: &[Route] = &[get("conversations", "/v1/Services", gone)];
    const CORE: &[Route] = &[get("api", "/2010-04-01/Accounts/{Sid}.json", gone)];

    fn found(method: &str, path: &str, host: &str) -> String {
        let segments: Vec<String> = path.trim_start_matches('/').split('/').map(str::to_owned).collect();
        match find(&[CORE, MESSAGING, CONVERSATIONS], method, &segments, product(host)) {
            Found::Operation(route, parts) => {
                let parts: Vec<&str> = parts.iter().map(|(_, value)| value.as_str()).collect();
                format!("{} {} {}", route.product, route.path, parts.join(","))
            }
            Found::OtherMethod(route) => format!("not {}", route.path),
            Found::Nothing => "nothing".to_owned(),
        }
    }

    #[test]
    fn a_path_leads_to_its_operation() {
        let here = "127.0.0.1:8001";
        for (method, path, host, wanted) in [
            ("GET", "/2010-04-01/Accounts/AC1.json", here, "api /2010-04-01/Accounts/{Sid}.json AC1"),
            ("GET", "/2010-04-01/Accounts/AC1", here, "nothing"),
            ("GET", "/2010-04-01/Accounts/.json", here, "nothing"),
            ("GET", "/v1/Services", here, "messaging /v1/Services "),
            ("GET", "/v1/Services", "conversations.twilio.com", "conversations /v1/Services "),
            ("GET", "/v1/Services", "conversations.dublin.ie1.twilio.com:80", "conversations /v1/Services "),
            ("GET", "/v1/Services/MG1", "conversations.twilio.com", "nothing"),
            ("POST", "/v1/Services", "sync.twilio.com", "nothing"),
            ("GET", "/v1/Services/MG1", "messaging.twilio.com", "messaging /v1/Services/{Sid} MG1"),
            ("POST", "/v1/Services/Usecases", here, "messaging /v1/Services/Usecases "),
            ("GET", "/v1/Services/Usecases", here, "not /v1/Services/Usecases"),
            ("DELETE", "/v1/Services/MG1", here, "not /v1/Services/{Sid}"),
            ("GET", "/v1/Services/", here, "nothing"),
            ("GET", "/v9/Nothing", here, "nothing"),
        ] {
            assert_eq!(found(method, path, host), wanted, "{method} {path} at {host}");
        }
    }
}
