//! An open line as it is listened to: what comes in on it ends a wait or is kept, and
//! what is heard on it is written down. It refuses to know what is said on it, and why.

use super::behaviour::{Behaviour, is_key};
use super::fetch::Fault;
use super::next::Next;
use super::outgoing::bare;
use super::resource::Caption;
use super::world::{Control, World};
use jiff::Timestamp;
use reqwest::Url;
use std::collections::VecDeque;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// The most captions that are kept of one call.
const CAPTIONS: usize = 1_000;

/// Why a line stopped doing what it did.
pub(super) enum Stop {
    /// One side put down.
    Over,
    /// The API sent it elsewhere.
    Goto(Next),
}

/// An open line.
pub(super) struct Line {
    /// The world that it is in.
    pub world: Arc<World>,
    /// The call, `CA…`.
    pub sid: String,
    controls: mpsc::Receiver<Control>,
    /// Keys that nothing has taken yet.
    pub typed: VecDeque<char>,
    /// Keys that the phone presses by itself, one entry for each time that is listened.
    pub own_keys: VecDeque<String>,
    /// How the telephone behaves.
    pub behaviour: Behaviour,
}

impl Line {
    /// A line that listens to `controls`.
    pub fn new(
        world: Arc<World>,
        sid: String,
        controls: mpsc::Receiver<Control>,
        behaviour: &Behaviour,
    ) -> Self {
        let own_keys = behaviour.press.clone().unwrap_or_default().into();
        let behaviour = behaviour.clone();
        Self { world, sid, controls, typed: VecDeque::new(), own_keys, behaviour }
    }

    /// Waits at the sandbox's pace.
    pub async fn pace(&mut self, span: Duration) -> Result<(), Stop> {
        let world = self.world.clone();
        self.unless_stopped(async move { world.pace(span).await }).await
    }

    /// Waits until the clock shows a time.
    pub async fn until(&mut self, at: Timestamp) -> Result<(), Stop> {
        let clock = self.world.clock.clone();
        self.unless_stopped(async move { clock.sleep_until(at).await }).await
    }

    /// Waits by the clock.
    pub async fn wait(&mut self, span: Duration) -> Result<(), Stop> {
        if span.is_zero() {
            return Ok(());
        }
        let clock = self.world.clock.clone();
        self.unless_stopped(async move { clock.sleep(span).await }).await
    }

    /// Waits for what decides a ringing call: anything but keys.
    pub async fn picked_up(&mut self) -> Control {
        loop {
            match self.controls.recv().await {
                Some(Control::Press(keys)) => self.typed.extend(keys.chars().filter(|key| is_key(*key))),
                Some(control) => return control,
                None => return Control::Complete,
            }
        }
    }

    /// Waits for the caller to give up: what the called side does is not heard.
    pub async fn canceled(&mut self) {
        while self.picked_up().await != Control::Complete {}
    }

    /// Writes down what is heard and tells the page.
    pub fn caption(&self, text: &str, language: Option<&str>, voice: Option<&str>) {
        let at = self.world.clock.now();
        let caption = Caption {
            text: text.to_owned(),
            language: language.map(str::to_owned),
            voice: voice.map(str::to_owned),
            at,
        };
        let news = serde_json::json!({
            "sid": self.sid,
            "text": text,
            "language": language,
            "voice": voice,
            "at": at.to_string(),
        });
        self.world.tell("caption", news);
        self.world.change_call(&self.sid, |call| {
            call.captions.push(caption);
            if call.captions.len() > CAPTIONS {
                call.captions.remove(0);
                call.said_through = call.said_through.saturating_sub(1);
            }
        });
    }

    /// What was said is at its end: what follows is no part of it.
    pub fn said_through(&self) {
        self.world.change_call(&self.sid, |call| call.said_through = call.captions.len());
    }

    /// Notes what Twilio's debugger would show of the call.
    pub fn alert(&self, fault: &Fault, url: Option<&Url>) {
        let url = url.map(bare);
        self.world.alert(fault.code, &self.sid, url.as_ref().map(Url::as_str), fault.message.clone());
    }

    /// Gives the call its error.
    pub fn mark(&self, code: u32) {
        self.world.change_call(&self.sid, |call| call.error = Some(code));
    }

    /// Notes an error, and gives it to the call.
    pub fn fault(&self, fault: &Fault, url: Option<&Url>) {
        self.alert(fault, url);
        self.mark(fault.code);
    }

    /// Does something unless the line is stopped meanwhile; keys are kept.
    pub async fn unless_stopped<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Stop> {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                biased;
                control = self.controls.recv() => self.heed(control)?,
                done = &mut work => return Ok(done),
            }
        }
    }

    /// Waits for something or for a key; true when a key came first.
    pub async fn unless_key(&mut self, wait: impl Future<Output = ()>) -> Result<bool, Stop> {
        let mut wait = std::pin::pin!(wait);
        while self.typed.is_empty() {
            tokio::select! {
                biased;
                control = self.controls.recv() => self.heed(control)?,
                () = &mut wait => return Ok(false),
            }
        }
        Ok(true)
    }

    fn heed(&mut self, control: Option<Control>) -> Result<(), Stop> {
        match control {
            Some(Control::Press(keys)) => {
                self.typed.extend(keys.chars().filter(|key| is_key(*key)));
                Ok(())
            }
            Some(Control::Answer) => Ok(()),
            Some(Control::Redirect(next)) => Err(Stop::Goto(next)),
            Some(Control::HangUp | Control::Decline | Control::Complete) | None => Err(Stop::Over),
        }
    }
}
