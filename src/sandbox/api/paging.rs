//! Lists in pages: a page size, and a token that keeps its place while new
//! resources arrive. The 2010 API leads on by relative URIs, the newer products by
//! absolute URLs.

use crate::sandbox::incoming::{Form, Request};
use crate::sandbox::refusal::Refusal;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use serde_json::{Value, json};

/// The page of `rows` (newest first) that the request asks for, under `key`, as the
/// 2010 API writes it.
///
/// # Errors
/// 20007 for a page size that is none or above 1000.
pub(super) fn page<T>(
    request: &Request,
    key: &str,
    rows: &[&T],
    sid: impl Fn(&T) -> String,
    document: impl Fn(&T) -> Value,
) -> Result<Value, Refusal> {
    let cut = Cut::new(request, rows, sid)?;
    let first = cut.number.saturating_mul(cut.size);
    Ok(json!({
        "end": (first + cut.rows.len()).saturating_sub(1),
        "first_page_uri": cut.first,
        "next_page_uri": cut.next,
        "page": cut.number,
        "page_size": cut.size,
        "previous_page_uri": cut.previous,
        key: cut.rows.iter().map(|row| document(row)).collect::<Vec<_>>(),
        "start": first,
        "uri": cut.own,
    }))
}

/// The same as the newer products write it: a `meta` with absolute URLs.
///
/// # Errors
/// 20007 for a page size that is none or above 1000.
pub(super) fn list<T>(
    request: &Request,
    key: &str,
    rows: &[&T],
    sid: impl Fn(&T) -> String,
    document: impl Fn(&T) -> Value,
) -> Result<Value, Refusal> {
    let cut = Cut::new(request, rows, sid)?;
    let base = request.base();
    let absolute = |uri: &String| format!("{base}{uri}");
    Ok(json!({
        key: cut.rows.iter().map(|row| document(row)).collect::<Vec<_>>(),
        "meta": {
            "first_page_url": absolute(&cut.first),
            "key": key,
            "next_page_url": cut.next.as_ref().map(absolute),
            "page": cut.number,
            "page_size": cut.size,
            "previous_page_url": cut.previous.as_ref().map(absolute),
            "url": absolute(&cut.own),
        },
    }))
}

/// A page, and the paths and queries of those around it.
struct Cut<'a, T> {
    rows: &'a [&'a T],
    number: usize,
    size: usize,
    first: String,
    previous: Option<String>,
    own: String,
    next: Option<String>,
}

impl<'a, T> Cut<'a, T> {
    fn new(request: &Request, rows: &'a [&'a T], sid: impl Fn(&T) -> String) -> Result<Self, Refusal> {
        let query = request.query();
        let size = size(&query)?;
        let number: usize = query.get("Page").and_then(|page| page.parse().ok()).unwrap_or(0);
        let place = |token: &str| rows.iter().position(|row| sid(row) == token);
        let start = match query.get("PageToken").map(|token| token.split_at_checked(2)) {
            Some(Some(("PA", last))) => place(last).map_or(rows.len(), |at| at + 1),
            Some(Some(("PB", first))) => place(first).unwrap_or(0).saturating_sub(size),
            _ => number.saturating_mul(size).min(rows.len()),
        };
        let shown = &rows[start..rows.len().min(start.saturating_add(size))];
        let uri = |page: usize, token: Option<String>| uri(request, &query, size, page, token);
        let more = start + shown.len() < rows.len();
        let next = shown.last().filter(|_| more);
        let back = shown.first().filter(|_| number > 0 && start > 0);
        Ok(Self {
            rows: shown,
            number,
            size,
            first: uri(0, None),
            previous: back.map(|row| uri(number - 1, Some(format!("PB{}", sid(row))))),
            own: uri(number, query.get("PageToken").map(str::to_owned)),
            next: next.map(|row| uri(number + 1, Some(format!("PA{}", sid(row))))),
        })
    }
}

fn size(query: &Form) -> Result<usize, Refusal> {
    match query.get("PageSize").map(str::parse) {
        None => Ok(50),
        Some(Ok(size @ 1..=1000)) => Ok(size),
        Some(Ok(size)) if size > 1000 => {
            Err(Refusal::bad(20007, format!("Page size {size} is too large: the maximum is 1000")))
        }
        Some(_) => Err(Refusal::bad(20007, "Invalid page size")),
    }
}

fn uri(request: &Request, query: &Form, size: usize, page: usize, token: Option<String>) -> String {
    let filters =
        query.0.iter().filter(|(name, _)| !matches!(name.as_str(), "Page" | "PageSize" | "PageToken"));
    let mut pairs: Vec<(String, String)> = filters.cloned().collect();
    pairs.push(("PageSize".to_owned(), size.to_string()));
    pairs.push(("Page".to_owned(), page.to_string()));
    pairs.extend(token.map(|token| ("PageToken".to_owned(), token)));
    // Who puts a slash between the host and a page's path asks with one more for each.
    let path = request.path.trim_start_matches('/');
    // Pairs of texts can always be encoded.
    format!("/{path}?{}", serde_urlencoded::to_string(pairs).unwrap_or_default())
}

/// A filter by date: `Name`, `Name<` and `Name>` (at or before, at or after).
pub(super) struct Span {
    from: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl Span {
    /// Reads a filter from the query.
    ///
    /// # Errors
    /// 20001 for what is neither a date nor a time.
    pub fn read(query: &Form, name: &str) -> Result<Self, Refusal> {
        let on = bounds(query, name)?.map(whole_day);
        let from = on.or(bounds(query, &format!("{name}>"))?).map(|(from, _)| from);
        let until = on.or(bounds(query, &format!("{name}<"))?).map(|(_, until)| until);
        Ok(Self { from, until })
    }

    /// Reads the two ends of a filter by their names, at or after the first and at or
    /// before the second.
    ///
    /// # Errors
    /// 20001 for what is neither a date nor a time.
    pub fn between(query: &Form, first: &str, last: &str) -> Result<Self, Refusal> {
        let (from, until) = (bounds(query, first)?, bounds(query, last)?);
        Ok(Self { from: from.map(|(from, _)| from), until: until.map(|(_, until)| until) })
    }

    /// Whether a time lies within; without bounds everything does.
    pub fn holds(&self, at: Option<Timestamp>) -> bool {
        let after = self.from.is_none_or(|from| at.is_some_and(|at| at >= from));
        after && self.until.is_none_or(|until| at.is_some_and(|at| at <= until))
    }
}

/// The first and the last moment that a parameter names.
fn bounds(query: &Form, name: &str) -> Result<Option<(Timestamp, Timestamp)>, Refusal> {
    let Some(text) = query.get(name) else { return Ok(None) };
    let wrong = || Refusal::bad(20001, format!("Invalid parameter value for {name}: {text}"));
    day_or_moment(text).map(Some).ok_or_else(wrong)
}

/// "On" a midnight is on its day: the SDKs have no other way to say a date.
fn whole_day((from, until): (Timestamp, Timestamp)) -> (Timestamp, Timestamp) {
    let is_midnight = from.as_millisecond() % 86_400_000 == 0;
    let end = from.checked_add(86_399_999.milliseconds()).unwrap_or(until);
    (from, if is_midnight { end } else { until })
}

/// The first and the last moment that a text names.
fn day_or_moment(text: &str) -> Option<(Timestamp, Timestamp)> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        // Twilio's times have whole seconds.
        return Some((moment, moment.checked_add(999.milliseconds()).ok()?));
    }
    let day: Date = text.parse().ok()?;
    let start = day.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Some((start, start.checked_add(86_399_999.milliseconds()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use warp::http::{HeaderMap, Method};

    fn request(query: &str) -> Request {
        Request {
            method: Method::GET,
            path: "/2010-04-01/Accounts/AC1/Messages.json".to_owned(),
            query: query.to_owned(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    fn list(query: &str, rows: &[&String]) -> Result<Value, Refusal> {
        page(&request(query), "messages", rows, |row| row.clone(), |row| json!(row))
    }

    #[test]
    fn pages_follow_each_other_and_lose_nothing() {
        let rows: Vec<String> = (0..5).map(|n| format!("SM{n}")).collect();
        let mut rows: Vec<&String> = rows.iter().collect();
        let first = list("To=%2B1&PageSize=2", &rows).unwrap();
        assert_eq!(first["messages"], json!(["SM0", "SM1"]));
        assert_eq!(first["previous_page_uri"], Value::Null);
        let next = first["next_page_uri"].as_str().unwrap();
        assert_eq!(next, "/2010-04-01/Accounts/AC1/Messages.json?To=%2B1&PageSize=2&Page=1&PageToken=PASM1");
        // A message that arrives in between does not shift the page.
        let newest = "SM9".to_owned();
        rows.insert(0, &newest);
        let second = list(next.split_once('?').unwrap().1, &rows).unwrap();
        assert_eq!(second["messages"], json!(["SM2", "SM3"]));
        assert_eq!((&second["start"], &second["end"]), (&json!(2), &json!(3)));
        let third =
            list(second["next_page_uri"].as_str().unwrap().split_once('?').unwrap().1, &rows).unwrap();
        assert_eq!((&third["messages"], &third["next_page_uri"]), (&json!(["SM4"]), &Value::Null));
        let back =
            list(third["previous_page_uri"].as_str().unwrap().split_once('?').unwrap().1, &rows).unwrap();
        assert_eq!(back["messages"], json!(["SM2", "SM3"]));
    }

    #[test]
    fn the_newer_products_lead_on_by_absolute_urls() {
        let rows: Vec<String> = (0..3).map(|n| format!("SK{n}")).collect();
        let rows: Vec<&String> = rows.iter().collect();
        let at = |host: &'static str, query: &str| {
            let mut request = request(query);
            request.headers.insert("host", host.parse().unwrap());
            super::list(&request, "keys", &rows, |row| row.clone(), |row| json!(row)).unwrap()
        };
        let first = at("127.0.0.1:8001", "AccountSid=AC1&PageSize=2");
        assert_eq!(first["keys"], json!(["SK0", "SK1"]));
        let base =
            "http://127.0.0.1:8001/2010-04-01/Accounts/AC1/Messages.json?AccountSid=AC1&PageSize=2&Page=";
        let meta = json!({
            "first_page_url": format!("{base}0"),
            "key": "keys",
            "next_page_url": format!("{base}1&PageToken=PASK1"),
            "page": 0,
            "page_size": 2,
            "previous_page_url": null,
            "url": format!("{base}0"),
        });
        assert_eq!(first["meta"], meta);
        let next = meta["next_page_url"].as_str().unwrap().split_once('?').unwrap().1;
        assert_eq!(at("iam.twilio.com", next)["keys"], json!(["SK2"]));
        let url = at("iam.twilio.com", next)["meta"]["url"].as_str().unwrap().to_owned();
        assert!(url.starts_with("https://iam.twilio.com/2010-04-01/"), "{url}");
    }

    #[test]
    fn a_slash_too_many_is_not_led_on_with() {
        let rows: Vec<String> = (0..2).map(|n| format!("SM{n}")).collect();
        let rows: Vec<&String> = rows.iter().collect();
        let mut request = request("PageSize=1");
        request.path.insert(0, '/');
        let first = page(&request, "messages", &rows, |row| row.clone(), |row| json!(row)).unwrap();
        let next = first["next_page_uri"].as_str().unwrap();
        assert!(next.starts_with("/2010-04-01/Accounts/AC1/Messages.json?"), "{next}");
    }

    #[test]
    fn a_page_size_out_of_range_is_refused() {
        for size in ["0", "1001", "x", "-1"] {
            assert_eq!(list(&format!("PageSize={size}"), &[]).unwrap_err().code, 20007, "{size}");
        }
    }

    #[test]
    fn dates_bound_a_list_on_both_sides() {
        let span = |query: &str| Span::read(&request(query).query(), "DateSent").unwrap();
        let at = Some("2026-11-20T12:00:00.500Z".parse().unwrap());
        assert!(span("DateSent=2026-11-20").holds(at));
        assert!(!span("DateSent=2026-11-19").holds(at));
        assert!(span("DateSent=2026-11-20T00:00:00Z").holds(at), "as the SDKs write a date");
        assert!(!span("DateSent=2026-11-19T00:00:00Z").holds(at));
        assert!(
            span("DateSent=2026-11-20T12:00:00Z").holds(at)
                && !span("DateSent=2026-11-20T11:59:59Z").holds(at)
        );
        assert!(!span("DateSent%3C=2026-11-20T00:00:00Z").holds(at));
        assert!(span("DateSent%3E=2026-11-20").holds(at) && span("DateSent%3C=2026-11-20").holds(at));
        assert!(!span("DateSent%3E=2026-11-21").holds(at) && !span("DateSent%3C=2026-11-19").holds(at));
        assert!(span("DateSent%3E=2026-11-20T12:00:00Z").holds(at));
        assert!(!span("DateSent=2026-11-20").holds(None) && span("").holds(None));
        assert!(Span::read(&request("DateSent=soon").query(), "DateSent").is_err());
    }
}
