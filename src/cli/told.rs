//! An answer that comes bit by bit, as server-sent events.

use anyhow::{Context, bail, ensure};
use bytes::BytesMut;
use serde_json::Value;
use std::time::Duration;

/// How long the server may be silent; it says every few seconds that it lives.
const SILENCE: Duration = Duration::from_secs(60);
/// The longest event, in bytes: a page of records.
const MAX_EVENT: usize = 128 * 1024 * 1024;

/// A stream of events under way.
pub struct Told {
    response: reqwest::Response,
    /// What came and is no whole event yet, and how far there is no end in it.
    rest: BytesMut,
    looked: usize,
}

/// One server-sent event, as it came.
#[derive(Debug, PartialEq, Eq)]
pub struct Event {
    /// What it is called.
    pub name: String,
    /// Its lines, each with its end.
    pub data: Vec<u8>,
}

impl Told {
    /// The events of a response.
    pub fn of(response: reqwest::Response) -> Self {
        Self { response, rest: BytesMut::new(), looked: 0 }
    }

    /// The next event; `None` at the stream's end.
    ///
    /// # Errors
    /// When the stream breaks off.
    pub async fn next(&mut self) -> anyhow::Result<Option<Event>> {
        loop {
            let end = self.rest[self.looked..].windows(2).position(|two| two == b"\n\n");
            if let Some(end) = end {
                let block = self.rest.split_to(self.looked + end + 2);
                self.looked = 0;
                let event = event(&block);
                if !event.name.is_empty() || !event.data.is_empty() {
                    return Ok(Some(event));
                }
                continue;
            }
            self.looked = self.rest.len().saturating_sub(1);
            ensure!(self.rest.len() < MAX_EVENT, "the server's answer is no stream of events");
            let chunk = tokio::time::timeout(SILENCE, self.response.chunk());
            match chunk.await.context("the server fell silent")?.context("the server's answer broke off")? {
                Some(chunk) => self.rest.extend_from_slice(&chunk),
                None => return Ok(None),
            }
        }
    }

    /// What comes of it in the end; what was told on the way goes to `progress`.
    ///
    /// # Errors
    /// The server's own words, or that the stream broke off.
    pub async fn done(mut self, progress: impl Fn(u64)) -> anyhow::Result<Value> {
        while let Some(event) = self.next().await? {
            match event.name.as_str() {
                "progress" => progress(event.text().parse().unwrap_or_default()),
                "done" => return serde_json::from_slice(&event.data).context("the server's answer"),
                "error" => bail!("{}", event.text()),
                _ => {}
            }
        }
        bail!("the server's answer broke off")
    }
}

impl Event {
    /// Its data as one text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.data).trim_end().to_owned()
    }
}

fn event(block: &[u8]) -> Event {
    let mut event = Event { name: String::new(), data: Vec::new() };
    for line in block.split(|byte| *byte == b'\n') {
        if let Some(name) = line.strip_prefix(b"event:") {
            event.name = String::from_utf8_lossy(name).trim().to_owned();
        } else if let Some(data) = line.strip_prefix(b"data:") {
            event.data.extend_from_slice(data);
            event.data.push(b'\n');
        }
    }
    event
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_a_name_and_lines() {
        let read = event(b"event:records\ndata:{\"a\":1}\ndata:{\"b\":2}\n\n");
        assert_eq!(read, Event { name: "records".into(), data: b"{\"a\":1}\n{\"b\":2}\n".to_vec() });
        assert_eq!(event(b":alive\n\n"), Event { name: String::new(), data: Vec::new() });
    }
}
