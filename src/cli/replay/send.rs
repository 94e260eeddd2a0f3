//! Sending requests as Twilio does, each on a connection of its own, and
//! counting what comes back.
//!
//! It refuses to know files and signatures.

use super::prepare::Prepared;
use crate::entropy::Entropy;
use crate::gateway::http::client;
use crate::trust::Trust;
use futures_util::StreamExt;
use reqwest::header::{CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Url};
use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

/// Twilio's own limits: 5 s to connect, 15 s in all.
const CONNECT: Duration = Duration::from_secs(5);
const TOTAL: Duration = Duration::from_secs(15);

/// In which order, and how many at once.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// How often each request is sent, unchanged.
    pub repeat: u32,
    /// Mixes the order, the same way for the same seed.
    pub shuffle: Option<u64>,
    /// Requests under way at once; with one, the order is kept strictly.
    pub concurrency: usize,
}

/// What came back for one request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// The HTTP status that came back.
    Status(u16),
    /// Nothing, and why.
    None(String),
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => status.fmt(f),
            Self::None(why) => write!(f, "no answer ({why})"),
        }
    }
}

/// What came back for all.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// How often each answer came.
    pub answers: BTreeMap<Answer, usize>,
    /// How often each answer was not the expected one, by the request's place.
    pub mismatches: BTreeMap<(usize, Answer), usize>,
    /// How long each answer took, in no order.
    pub times: Vec<Duration>,
}

impl Totals {
    /// The time within which so many of a hundred answers came, if any did.
    pub fn percentile(&self, percent: usize) -> Option<Duration> {
        let mut times = self.times.clone();
        times.sort_unstable();
        let rank = (times.len() * percent).div_ceil(100).max(1);
        times.get(rank - 1).copied()
    }

    fn add(&mut self, place: usize, expect: Option<u16>, answer: Answer, took: Duration) {
        let fits = match (&answer, expect) {
            (Answer::None(_), _) => false,
            (Answer::Status(status), Some(expected)) => *status == expected,
            (Answer::Status(_), None) => true,
        };
        if !fits {
            *self.mismatches.entry((place, answer.clone())).or_default() += 1;
        }
        if matches!(answer, Answer::Status(_)) {
            self.times.push(took);
        }
        *self.answers.entry(answer).or_default() += 1;
    }
}

/// Requests with all that can be wrong with them found beforehand.
pub struct Sender {
    client: Client,
    requests: Vec<(reqwest::Request, Option<u16>)>,
}

impl Sender {
    /// Makes requests for the server at `to` ready to be sent.
    ///
    /// # Errors
    /// The place of a request that HTTP cannot carry, and why; or that there
    /// can be no client at all.
    pub fn new(to: &str, prepared: &[Prepared]) -> Result<Self, (Option<usize>, String)> {
        let trust = Trust::from_env().map_err(|error| (None, error.to_string()))?;
        let client = client(&trust)
            .map_err(|error| (None, error.to_string()))?
            .http1_only()
            .pool_max_idle_per_host(0)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .timeout(TOTAL)
            .build()
            .map_err(|error| (None, error.to_string()))?;
        let mut requests = Vec::with_capacity(prepared.len());
        for (place, one) in prepared.iter().enumerate() {
            let request = request(to, one).map_err(|what| (Some(place), what))?;
            requests.push((request, one.expect));
        }
        Ok(Self { client, requests })
    }

    /// Sends all of them, and calls `each` after every answer.
    pub async fn send_all(&self, plan: Plan, mut each: impl FnMut()) -> Totals {
        let sending = order(self.requests.len(), plan).into_iter().map(|place| async move {
            let start = Instant::now();
            let answer = self.send(place).await;
            (place, answer, start.elapsed())
        });
        let mut answers = futures_util::stream::iter(sending).buffer_unordered(plan.concurrency.max(1));
        let mut totals = Totals::default();
        while let Some((place, answer, took)) = answers.next().await {
            totals.add(place, self.requests[place].1, answer, took);
            each();
        }
        totals
    }

    async fn send(&self, place: usize) -> Answer {
        // The bodies are texts, which can always be cloned.
        let Some(request) = self.requests[place].0.try_clone() else {
            return Answer::None("the request cannot be repeated".to_owned());
        };
        match self.client.execute(request).await {
            Ok(mut response) => {
                let status = response.status().as_u16();
                // An answer has come when all of it has, but nobody reads it.
                loop {
                    match response.chunk().await {
                        Ok(Some(_)) => {}
                        Ok(None) => return Answer::Status(status),
                        Err(error) => return Answer::None(why(&error)),
                    }
                }
            }
            Err(error) => Answer::None(why(&error)),
        }
    }
}

fn order(count: usize, plan: Plan) -> Vec<usize> {
    let mut order: Vec<usize> = (0..plan.repeat).flat_map(|_| 0..count).collect();
    if let Some(seed) = plan.shuffle {
        let entropy = Entropy::seeded(seed);
        for last in (1..order.len()).rev() {
            // Below a usize, so it fits into one.
            order.swap(last, entropy.below(last as u64 + 1) as usize);
        }
    }
    order
}

fn request(to: &str, prepared: &Prepared) -> Result<reqwest::Request, String> {
    let text = format!("{to}{}", prepared.path_and_query);
    let url = Url::parse(&text).map_err(|error| format!("{text}: {error}"))?;
    // What parsing changed on the way would not be what was signed.
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let sent = format!("{}{query}", url.path());
    if !text.ends_with(&sent) || sent.len() < prepared.path_and_query.len() {
        return Err(format!(
            "{} cannot be sent as it is written, but only as {sent}: write it that way",
            prepared.path_and_query
        ));
    }
    let method = Method::from_bytes(prepared.method.as_bytes()).map_err(|error| error.to_string())?;
    let mut request = reqwest::Request::new(method, url);
    *request.headers_mut() = headers(prepared)?;
    if !prepared.body.is_empty() {
        *request.body_mut() = Some(prepared.body.clone().into());
    }
    Ok(request)
}

fn headers(prepared: &Prepared) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in &prepared.headers {
        let cannot = || format!("the header {name} cannot be sent as it is written");
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| cannot())?;
        // The length is that of the body as it is now.
        if name != CONTENT_LENGTH {
            headers.append(name, HeaderValue::from_str(value).map_err(|_| cannot())?);
        }
    }
    headers.entry(CONNECTION).or_insert(HeaderValue::from_static("close"));
    Ok(headers)
}

fn why(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "time ran out".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(path_and_query: &str) -> Prepared {
        Prepared {
            method: "POST".into(),
            path_and_query: path_and_query.into(),
            headers: vec![
                ("Content-Length".into(), "7".into()),
                ("X-A".into(), "1".into()),
                ("x-a".into(), "2".into()),
            ],
            body: "A=1".into(),
            expect: None,
        }
    }

    #[test]
    fn a_url_is_sent_as_it_was_signed_or_not_at_all() {
        for path in ["/", "/a?", "/a?b=%2b&c=+%20", "//a/"] {
            let request = request("http://127.0.0.1:8000/base", &prepared(path)).unwrap();
            assert_eq!(request.url().as_str(), format!("http://127.0.0.1:8000/base{path}"));
        }
        for path in ["/a/../b", "/a?b='c'", "/ü"] {
            let error = request("http://127.0.0.1:8000", &prepared(path)).unwrap_err();
            assert!(error.contains("write it that way"), "{error}");
        }
    }

    #[test]
    fn headers_keep_their_repetitions_and_the_length_is_the_bodys() {
        let headers = headers(&prepared("/")).unwrap();
        assert_eq!(headers.get_all("X-A").iter().collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(
            (headers.get(CONTENT_LENGTH), &headers[CONNECTION]),
            (None, &HeaderValue::from_static("close"))
        );
        let broken = Prepared { headers: vec![("X-A".into(), "a\u{7}".into())], ..prepared("/") };
        assert!(super::headers(&broken).unwrap_err().contains("X-A"));
    }

    #[test]
    fn a_seed_mixes_the_same_way_each_time_and_loses_nothing() {
        let plan = Plan { repeat: 3, shuffle: Some(7), concurrency: 1 };
        let mixed = order(10, plan);
        assert_eq!(mixed, order(10, plan));
        assert_ne!(mixed, order(10, Plan { shuffle: Some(8), ..plan }));
        let straight = order(10, Plan { shuffle: None, ..plan });
        assert_ne!(mixed, straight);
        assert_eq!(straight[..11], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0]);
        let sorted = |mut order: Vec<usize>| {
            order.sort_unstable();
            order
        };
        assert_eq!(sorted(mixed), sorted(straight));
    }

    #[test]
    fn answers_are_counted_and_compared() {
        let mut totals = Totals::default();
        let ms = Duration::from_millis;
        (1..=100).for_each(|n| totals.add(0, Some(204), Answer::Status(204), ms(n)));
        totals.add(1, Some(403), Answer::Status(204), ms(1000));
        totals.add(2, None, Answer::Status(500), ms(1000));
        totals.add(3, None, Answer::None("gone".into()), ms(1000));
        assert_eq!(totals.answers[&Answer::Status(204)], 101);
        let places: Vec<usize> = totals.mismatches.keys().map(|(place, _)| *place).collect();
        assert_eq!(places, [1, 3]);
        assert_eq!((totals.percentile(50), totals.percentile(99)), (Some(ms(51)), Some(ms(1000))));
        assert_eq!(Totals::default().percentile(99), None);
    }
}
