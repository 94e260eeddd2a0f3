//! Guesses at the URL: where it leads, and how its path and query were written.

use super::found::{Hints, shown};
use super::guess::{Cause, Guess};
use crate::twilio::form::{self, Space, percent_decoded};
use crate::twilio::mac::tail as sorted;
use crate::twilio::url::{self, Parts};

/// The most combinations of scheme, host, port and path that are tried.
const MAX_COMBINED: usize = 160;

/// The most slashes of a path that may have been two, and parameters of a query
/// that may have been added.
const MAX_SLASHES: usize = 8;
const MAX_ADDED: usize = 8;
/// The most parameters whose every order is tried.
const MAX_ORDERED: usize = 4;

/// The most hosts and prefixes that are taken from hints.
const MAX_HINTS: usize = 4;

/// Ports that services and tunnels listen on.
const PORTS: [&str; 6] = ["443", "80", "8080", "8443", "3000", "5000"];

/// One thing is different.
pub(super) fn simple<'a>(
    url: &'a str,
    hints: &'a Hints<'_>,
    tail: &'a str,
) -> impl Iterator<Item = Guess> + 'a {
    places(url, hints)
        .into_iter()
        .filter(|place| place.changes.len() == 1)
        .map(move |place| place.guess(tail))
        .chain(merged(url, tail))
}

/// A double slash that something merged: a base with a slash at its end, say.
fn merged(url: &str, tail: &str) -> Vec<Guess> {
    let Some(Parts { scheme, userinfo, host, port, rest }) = Parts::split(url) else { return Vec::new() };
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    let doubled = |(at, _): (usize, &str)| {
        let rest = format!("{}/{}", &rest[..at], &rest[at..]);
        let url = Parts { scheme, userinfo, host, port, rest: &rest }.to_string();
        Guess::new(Cause::PathSpelling, "with a double slash in the path", &url, tail)
    };
    path.match_indices('/').take(MAX_SLASHES).map(doubled).collect()
}

/// Several things are different: the internal name of a service behind a proxy.
pub(super) fn combined<'a>(
    url: &'a str,
    hints: &'a Hints<'_>,
    tail: &'a str,
) -> impl Iterator<Item = Guess> + 'a {
    let mut places = places(url, hints);
    places.retain(|place| place.changes.len() > 1);
    places.sort_by_key(|place| place.changes.len());
    places.into_iter().take(MAX_COMBINED).map(move |place| place.guess(tail))
}

/// The query was lost, written otherwise, or taken for a form.
pub(super) fn query<'a>(url: &'a str, tail: &'a str) -> impl Iterator<Item = Guess> + 'a {
    let bare = url::without_fragment(url);
    let (front, query) = bare.split_once('?').unwrap_or((bare, ""));
    let pairs = form::parse(query.as_bytes());
    let escapes = |upper| with_escapes_in_case(query, upper);
    let mut names: Vec<&str> = query.split('&').collect();
    names.sort_unstable();
    let reencoded = |space| form::encode(&pairs, space);
    let spellings = [
        (Cause::QueryEncoding, "with the query decoded", percent_decoded(query).into_owned()),
        (Cause::QueryEncoding, "with the query encoded again", reencoded(Space::Plus)),
        (Cause::QueryEncoding, "with the query encoded again", reencoded(Space::Percent)),
        (Cause::QueryEncoding, "with %20 for + in the query", query.replace('+', "%20")),
        (Cause::QueryEncoding, "with %2B for + in the query", query.replace('+', "%2B")),
        (Cause::QueryEncoding, "with + for %20 in the query", query.replace("%20", "+")),
        (Cause::QueryEncoding, "with an apostrophe for %27 in the query", query.replace("%27", "'")),
        (Cause::QueryEncoding, "with the query's escapes in upper case", escapes(true)),
        (Cause::QueryEncoding, "with the query's escapes in lower case", escapes(false)),
        (Cause::QueryOrder, "with the query in order of names", names.join("&")),
    ];
    let orders =
        orders(query).into_iter().map(|order| (Cause::QueryOrder, "with the query in another order", order));
    let spelt =
        spellings.into_iter().chain(orders).filter(move |(_, _, spelling)| spelling != query).map(
            move |(cause, what, spelling)| Guess::new(cause, what, &format!("{front}?{spelling}"), tail),
        );
    let toggled = match bare.contains('?') {
        true if query.is_empty() => Guess::new(Cause::QueryAdded, "without the empty query", front, tail),
        true => Guess::new(Cause::QueryAdded, "without the query", front, tail),
        false => Guess::new(Cause::QueryDropped, "with an empty query", &format!("{bare}?"), tail),
    };
    let shorter = |(at, _): (usize, &str)| {
        let kept = query.split('&').enumerate().filter(|(other, _)| *other != at).map(|(_, pair)| pair);
        let url = format!("{front}?{}", kept.collect::<Vec<_>>().join("&"));
        Guess::new(Cause::QueryAdded, "without one of the query's parameters", &url, tail)
    };
    let added: Vec<Guess> = match query.contains('&') {
        true => query.split('&').enumerate().take(MAX_ADDED).map(shorter).collect(),
        false => Vec::new(),
    };
    let doubled = {
        let both = format!("{tail}{}", sorted(&pairs));
        let what = "with the query's parameters signed again as if they were a form's";
        (!pairs.is_empty()).then(|| Guess::new(Cause::QueryAsBody, what, url, &both))
    };
    let extras = (bare != url).then(|| Guess::new(Cause::UrlExtras, "without the fragment", bare, tail));
    let userinfo = Parts::split(url).filter(|parts| parts.userinfo.is_some()).map(|parts| {
        let plain = Parts { userinfo: None, ..parts }.to_string();
        Guess::new(Cause::UrlExtras, "without user name and password", &plain, tail)
    });
    [toggled].into_iter().chain(added).chain(spelt).chain(doubled).chain(extras).chain(userinfo)
}

/// The orders in which a query's few parameters may have been.
fn orders(query: &str) -> Vec<String> {
    let pairs: Vec<&str> = query.split('&').collect();
    if pairs.len() > MAX_ORDERED {
        return Vec::new();
    }
    let mut orders: Vec<Vec<&str>> = vec![Vec::new()];
    for pair in pairs {
        let mut longer = Vec::new();
        for order in &orders {
            for place in 0..=order.len() {
                let mut order = order.clone();
                order.insert(place, pair);
                longer.push(order);
            }
        }
        orders = longer;
    }
    orders.into_iter().map(|order| order.join("&")).collect()
}

/// A URL that differs, and how.
struct Place {
    url: String,
    changes: Vec<(Cause, String)>,
}

impl Place {
    fn guess(self, tail: &str) -> Guess {
        let whats: Vec<&str> = self.changes.iter().map(|(_, what)| what.as_str()).collect();
        let cause = self.changes.first().map_or(Cause::PathSpelling, |(cause, _)| *cause);
        Guess { either_port: false, ..Guess::new(cause, &whats.join(" and "), &self.url, tail) }
    }
}

/// A value for one part of the URL; no change is written down as `None`.
type Choice = (Option<(Cause, String)>, String);

/// Every combination of what schemes, hosts, ports and paths may have been.
fn places(url: &str, hints: &Hints<'_>) -> Vec<Place> {
    let Some(parts) = Parts::split(url) else { return Vec::new() };
    let (path, query) = parts.path_and_query();
    let paths = paths(path, hints);
    let (schemes, hosts, ports) = (schemes(&parts), hosts(&parts, hints), ports(&parts, hints));
    let mut places = Vec::new();
    for (scheme_change, scheme) in &schemes {
        for (host_change, host) in &hosts {
            for (port_change, port) in &ports {
                for (path_change, path) in &paths {
                    let changes = [scheme_change, host_change, port_change, path_change];
                    let changes = changes.into_iter().flatten().cloned().collect();
                    places.push(Place { url: format!("{scheme}://{host}{port}{path}{query}"), changes });
                }
            }
        }
    }
    places
}

fn schemes(parts: &Parts<'_>) -> Vec<Choice> {
    let other = if parts.scheme.eq_ignore_ascii_case("https") { "http" } else { "https" };
    let what = format!("with {other} instead of {}", shown(parts.scheme));
    vec![(None, parts.scheme.to_owned()), (Some((Cause::Scheme, what)), other.to_owned())]
}

fn hosts(parts: &Parts<'_>, hints: &Hints<'_>) -> Vec<Choice> {
    let lower = parts.host.to_ascii_lowercase();
    let hinted = hints.hosts.iter().take(MAX_HINTS).map(|hint| url::split_port(hint).0.to_owned());
    let mut choices = vec![(None, parts.host.to_owned())];
    for host in hinted.chain([lower]) {
        let what = format!("with the host {} instead of {}", shown(&host), shown(parts.host));
        add(&mut choices, Cause::Host, what, host);
    }
    choices
}

fn ports(parts: &Parts<'_>, hints: &Hints<'_>) -> Vec<Choice> {
    let written = parts.port.map_or_else(String::new, |port| format!(":{port}"));
    let instead = parts.port.map_or_else(|| "none".to_owned(), shown);
    let mut choices = vec![(None, written)];
    add(&mut choices, Cause::Port, format!("without a port instead of {instead}"), String::new());
    let hinted = hints.hosts.iter().take(MAX_HINTS).filter_map(|hint| url::split_port(hint).1);
    for port in hinted.chain(PORTS) {
        let what = format!("with the port {} instead of {instead}", shown(port));
        add(&mut choices, Cause::Port, what, format!(":{port}"));
    }
    choices
}

fn paths(path: &str, hints: &Hints<'_>) -> Vec<Choice> {
    let mut choices = vec![(None, path.to_owned())];
    let slash = match path.strip_suffix('/') {
        Some(shorter) => ("without the slash at the path's end", shorter.to_owned()),
        None => ("with a slash at the path's end", format!("{path}/")),
    };
    add(&mut choices, Cause::TrailingSlash, slash.0.to_owned(), slash.1);
    for prefix in hints.prefixes.iter().take(MAX_HINTS).map(|prefix| prefix.trim_end_matches('/')) {
        let added = format!("with {} in front of the path", shown(prefix));
        add(&mut choices, Cause::PathPrefix, added, format!("{prefix}{path}"));
        let stripped = path.strip_prefix(prefix).filter(|rest| rest.starts_with('/')).unwrap_or(path);
        let what = format!("without {} in front of the path", shown(prefix));
        add(&mut choices, Cause::PathPrefix, what, stripped.to_owned());
    }
    if let Some(second) = path.get(1..).and_then(|rest| rest.find('/')) {
        let what = "without the first segment of the path".to_owned();
        add(&mut choices, Cause::PathPrefix, what, path[second + 1..].to_owned());
    }
    let spelling = |what: &str| format!("with the path {what}");
    add(&mut choices, Cause::PathSpelling, spelling("without double slashes"), path.replace("//", "/"));
    add(&mut choices, Cause::PathSpelling, spelling("decoded"), percent_decoded(path).into_owned());
    add(&mut choices, Cause::PathSpelling, spelling("in lower case"), path.to_ascii_lowercase());
    choices
}

/// Adds a choice that is not there yet.
fn add(choices: &mut Vec<Choice>, cause: Cause, what: String, value: String) {
    if !choices.iter().any(|(_, known)| *known == value) {
        choices.push((Some((cause, what)), value));
    }
}

fn with_escapes_in_case(text: &str, upper: bool) -> String {
    let mut left = 0;
    let recased = |c: char| {
        let escaped = left > 0;
        left = if c == '%' { 2 } else { left.max(1) - 1 };
        match (escaped, upper) {
            (false, _) => c,
            (true, true) => c.to_ascii_uppercase(),
            (true, false) => c.to_ascii_lowercase(),
        }
    };
    text.chars().map(recased).collect()
}
