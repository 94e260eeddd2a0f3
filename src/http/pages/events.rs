//! `GET /verify/{session}/events`: what is happening with the message, live, as
//! server-sent events. A stream says something when there is news, and ends
//! after a while: browsers come again by themselves, and a server that stops
//! need not wait for them.

use super::now::{Way, now, ways};
use super::show::{gone, known};
use super::visit::Visit;
use super::words::Words;
use crate::http::context::Context;
use crate::http::error::Error;
use crate::http::request::Request;
use crate::model::channel::Channel;
use crate::model::id::SessionId;
use crate::model::session::Step;
use crate::secret::Secret;
use crate::service::SessionView;
use futures_util::stream::poll_fn;
use serde_json::json;
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use warp::http::header::CONTENT_TYPE;
use warp::http::{HeaderValue, StatusCode};
use warp::reply::{Reply, Response};

/// Streams of all sessions at once.
const MOST_STREAMS: usize = 1000;
/// Streams of one session at once: a page or two, and one that is closing.
const MOST_OF_ONE: usize = 4;
/// How long a stream lasts: less than a stopping server waits.
const LASTS: Duration = Duration::from_secs(12);
/// How often it looks.
const LOOK: Duration = Duration::from_millis(700);
/// How long a browser waits before it comes again.
const COME_AGAIN: Duration = Duration::from_millis(500);

/// The open streams.
#[derive(Default, Clone)]
pub struct Streams(Arc<Mutex<HashMap<SessionId, usize>>>);

/// `GET /verify/{session}/events`
pub async fn stream(context: Arc<Context>, request: Request) -> Result<Response, Error> {
    let visit = Visit::of(&request);
    let Some((id, browser)) = known(&visit) else {
        return gone(&context, &visit, None);
    };
    let first = match context.service.session(id, Some(browser)).await {
        // Who may only look at the first page has nothing to hear.
        Ok(view) if view.session.browser.is_some() => view,
        _ => return gone(&context, &visit, None),
    };
    let Some(seat) = context.pages.streams.open(id) else {
        return Ok(StatusCode::TOO_MANY_REQUESTS.into_response());
    };
    let (tell, mut told) = mpsc::channel(1);
    let speaker = Speaker {
        context: context.clone(),
        id: id.clone(),
        browser: browser.clone(),
        words: visit.words(Some(&first)),
        tell,
        _seat: seat,
    };
    // A body must be shareable between threads, which waiting for the store is not.
    tokio::spawn(speaker.speak());
    let mut response = warp::reply::stream(poll_fn(move |cx| told.poll_recv(cx))).into_response();
    super::guard::dress(&mut response, None, None);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    Ok(response)
}

/// Says what is new for as long as somebody listens.
struct Speaker {
    context: Arc<Context>,
    id: SessionId,
    browser: Secret,
    words: &'static Words,
    tell: mpsc::Sender<Result<String, Infallible>>,
    _seat: Seat,
}

impl Speaker {
    async fn speak(self) {
        let ends = Instant::now() + LASTS;
        let mut text = format!("retry: {}\n\n", COME_AGAIN.as_millis());
        let mut said = String::new();
        loop {
            if !text.is_empty() && self.tell.send(Ok(std::mem::take(&mut text))).await.is_err() {
                return;
            }
            let view = self.context.service.session(&self.id, Some(&self.browser)).await.ok();
            let news = self.news(view.as_ref());
            if news != said {
                text = format!("event: now\ndata: {news}\n\n");
                said = news;
                continue;
            }
            let is_over = view.is_none_or(|view| view.step != Step::Code);
            if is_over || Instant::now() >= ends {
                return;
            }
            tokio::select! {
                () = self.tell.closed() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    fn news(&self, view: Option<&SessionView>) -> String {
        let now = view.filter(|view| view.step == Step::Code).and_then(|view| {
            let now = now(view, self.words, self.context.service.now())?;
            Some((now, ways(view)))
        });
        match now {
            None => json!({ "over": true }).to_string(),
            Some((now, ways)) => {
                let named = |takes: fn(&Way) -> bool| -> Vec<Channel> {
                    ways.iter().filter(|way| takes(way)).map(|way| way.channel).collect()
                };
                json!({
                    "over": false, "state": now.state, "text": now.text, "failed": now.failed,
                    "ways": named(|way| way.offered), "open": named(|way| way.at_once),
                })
                .to_string()
            }
        }
    }
}

impl Streams {
    fn open(&self, id: &SessionId) -> Option<Seat> {
        let mut open = self.0.lock().unwrap_or_else(|broken| broken.into_inner());
        let of_one = open.get(id).copied().unwrap_or(0);
        if open.values().sum::<usize>() >= MOST_STREAMS || of_one >= MOST_OF_ONE {
            return None;
        }
        open.insert(id.clone(), of_one + 1);
        Some(Seat { streams: self.clone(), id: id.clone() })
    }
}

/// A stream's place among the open ones, given back when it ends.
struct Seat {
    streams: Streams,
    id: SessionId,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.streams.0.lock().unwrap_or_else(|broken| broken.into_inner());
        match open.get_mut(&self.id) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(open.remove(&self.id)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_session_cannot_take_every_stream() {
        let streams = Streams::default();
        let (one, other) = (SessionId::from_random([1; 16]), SessionId::from_random([2; 16]));
        let seats: Vec<_> = (0..MOST_OF_ONE).map(|_| streams.open(&one).unwrap()).collect();
        assert!(streams.open(&one).is_none() && streams.open(&other).is_some());
        drop(seats);
        assert!(streams.open(&one).is_some());
        assert!(streams.0.lock().unwrap().is_empty());
    }
}
