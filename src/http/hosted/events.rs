//! `GET /verify/{session}/events`: what is happening with the message, live, as
//! server-sent events. A stream says something when there is news, and ends
//! after a while: browsers come again by themselves, and a server that stops
//! need not wait for them.

use super::now::{Way, is_opted_out, now, stop, ways};
use super::page_request::PageRequest;
use super::show::{gone, known};
use crate::app::verification::{self, SessionView};
use crate::http::context::Context;
use crate::http::error::Error;
use crate::http::pages::streams::Seat;
use crate::http::pages::words::Words;
use crate::http::request::Request;
use crate::model::channel::Channel;
use crate::model::id::SessionId;
use crate::model::session::Step;
use crate::secret::Secret;
use futures_util::stream::poll_fn;
use serde_json::json;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use warp::http::HeaderValue;
use warp::http::header::CONTENT_TYPE;
use warp::reply::{Reply, Response};

/// How long a stream lasts: less than a stopping server waits.
const LASTS: Duration = Duration::from_secs(12);
/// How often it looks.
const LOOK: Duration = Duration::from_millis(700);
/// How long a browser waits before it comes again.
const COME_AGAIN: Duration = Duration::from_millis(500);
/// The same of one for which there is no stream, and that asks each time instead.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// `GET /verify/{session}/events`: tells a page, as it happens, what it has to show.
pub async fn stream(context: Arc<Context>, request: Request) -> Result<Response, Error> {
    let page_request = PageRequest::of(&context, &request);
    let Some((id, browser)) = known(&page_request) else {
        return gone(&context, &page_request, None);
    };
    let first = match verification::session(&context.app.admission, id, Some(browser)).await {
        // Who may only look at the first page has nothing to hear.
        Ok(view) if view.session.browser.is_some() => view,
        _ => return gone(&context, &page_request, None),
    };
    let seat = context.pages.streams.open(id, request.client(&context.settings.trusted_proxies));
    let (tell, mut told) = mpsc::channel(1);
    let speaker = Speaker {
        context: context.clone(),
        id: id.clone(),
        browser: browser.clone(),
        words: page_request.words(Some(&first)),
        tell,
        seat,
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
    /// Its place; without one it says how things stand, and ends.
    seat: Option<Seat>,
}

impl Speaker {
    async fn speak(self) {
        let ends = Instant::now() + LASTS;
        let Some(seat) = &self.seat else {
            let view =
                verification::session(&self.context.app.admission, &self.id, Some(&self.browser)).await.ok();
            let text = format!("{}event: now\ndata: {}\n\n", retry(ASK_AGAIN), self.now(view.as_ref()));
            // Who left does not want to know.
            let _ = self.tell.send(Ok(text)).await;
            return;
        };
        let mut text = retry(COME_AGAIN);
        let mut said = String::new();
        loop {
            if !text.is_empty() && self.tell.send(Ok(std::mem::take(&mut text))).await.is_err() {
                return;
            }
            let view =
                verification::session(&self.context.app.admission, &self.id, Some(&self.browser)).await.ok();
            let now = self.now(view.as_ref());
            if now != said {
                text = format!("event: now\ndata: {now}\n\n");
                said = now;
                continue;
            }
            let is_over = view.is_none_or(|view| view.step != Step::Code);
            if is_over || Instant::now() >= ends {
                return;
            }
            tokio::select! {
                () = self.tell.closed() => return,
                () = seat.lost() => {
                    let _ = self.tell.send(Ok(retry(ASK_AGAIN))).await;
                    return;
                }
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    fn now(&self, view: Option<&SessionView>) -> String {
        let now = view.filter(|view| view.step == Step::Code).and_then(|view| {
            let now = now(view, self.words, self.context.app.base.now())?;
            Some((now, ways(view, is_opted_out(view)), stop(view, self.words)))
        });
        match now {
            None => json!({ "over": true }).to_string(),
            Some((now, ways, stop)) => {
                let named = |takes: fn(&Way) -> bool| -> Vec<Channel> {
                    ways.iter().filter(|way| takes(way)).map(|way| way.channel).collect()
                };
                json!({
                    "over": false, "state": now.state, "text": now.text, "failed": now.failed,
                    "ways": named(|way| way.offered), "open": named(|way| way.at_once), "stop": stop,
                })
                .to_string()
            }
        }
    }
}

/// How long a browser is to wait before it comes again.
fn retry(after: Duration) -> String {
    format!("retry: {}\n\n", after.as_millis())
}
