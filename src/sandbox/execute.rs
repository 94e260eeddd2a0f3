//! A line that is open: TwiML is fetched and done, verb by verb, while keys
//! and hang-ups come in.
//!
//! Speech takes a few milliseconds a word and pauses take seconds, both at the
//! sandbox's pace; how long a `<Gather>` listens goes by the clock, so that
//! under a stopped clock it listens until the clock is moved. Keys pressed
//! before a `<Gather>` listens are kept for it, and so they are for a `<Record>`.

use super::behaviour::Speech;
use super::call_text;
use super::callbacks::call_params;
use super::cookies::Pair;
use super::fetch::{Fault, document, read, resolve};
use super::line::{Line, Stop};
use super::next::Next;
use super::outgoing::bare;
use super::resource::Hook;
use super::script::Script;
use super::tape::Tape;
use super::verb::{Gather, Record, Reply, Say, Verb};
use super::webhook::Webhook;
use reqwest::Url;
use std::time::Duration;

/// The most documents one call may go through.
const DOCUMENTS: u32 = 500;
/// What `loop="0"` comes to at most.
const LOOPS: u32 = 1_000;
/// Milliseconds a word takes, at pace 1, when nobody wished otherwise.
const WORD_MS: u64 = 60;
/// What a caller hears when the TwiML cannot be had.
const APOLOGY: &str = "We are sorry, an application error has occurred. Goodbye.";

fn not_played(name: &str) -> String {
    format!("<{name}> is not played by the sandbox: a call ends where it is its turn")
}

/// What came of an inbound call's first document.
pub(super) enum Opening {
    /// It begins with `<Reject>`.
    Rejected {
        /// Sound busy.
        busy: bool,
    },
    /// It is there; go on with it.
    Taken(Box<Next>),
    /// It could not be had.
    Failed,
    /// The caller put down first.
    Over,
}

/// What a call is told to do, and how far that is.
pub(super) struct Execution {
    /// The open line.
    pub line: Line,
    /// The URL of the document being done.
    base: Option<Hook>,
    documents: u32,
    /// True once it was the turn of a verb that is not played.
    is_broken: bool,
    /// The `<Record>` that is under way.
    tape: Option<Tape>,
}

impl Execution {
    /// Nothing yet, on a line that is open.
    pub fn new(line: Line) -> Self {
        Self { line, base: None, documents: 0, is_broken: false, tape: None }
    }

    /// Gets an inbound call's first document.
    pub async fn open(&mut self, next: Next) -> Opening {
        match self.load(next, "ringing").await {
            Err(Stop::Over) => Opening::Over,
            Err(Stop::Goto(next)) => Opening::Taken(Box::new(next)),
            Ok(None) => Opening::Failed,
            Ok(Some(script)) => match (script.verbs.first(), self.base.clone()) {
                (Some(Verb::Reject { busy }), _) => Opening::Rejected { busy: *busy },
                (_, Some(base)) => Opening::Taken(Box::new(Next::Ready(script.verbs, Box::new(base)))),
                (_, None) => Opening::Failed,
            },
        }
    }

    /// Does a document and all that follow from it, until the call is over.
    pub async fn run(&mut self, next: Next) {
        let mut next = Some(next);
        while let Some(step) = next.take() {
            let script = match self.load(step, "in-progress").await {
                Ok(Some(script)) => script,
                Ok(None) => {
                    self.line.caption(APOLOGY, None, None);
                    return;
                }
                Err(Stop::Goto(other)) => {
                    next = Some(other);
                    continue;
                }
                Err(Stop::Over) => return,
            };
            next = match self.play(script).await {
                Ok(next) => next,
                Err(Stop::Goto(other)) => Some(other),
                Err(Stop::Over) => None,
            };
        }
    }

    /// Gets a document; from the fallback URL when the first cannot be had.
    /// Nothing when both failed, and then the call is marked.
    async fn load(&mut self, next: Next, status: &'static str) -> Result<Option<Script>, Stop> {
        self.documents += 1;
        if self.documents > DOCUMENTS {
            self.line.fault(&Fault::new(11215, format!("more than {DOCUMENTS} documents in one call")), None);
            return Ok(None);
        }
        let (hook, extra) = match next {
            Next::Ready(verbs, base) => {
                self.base = Some(*base);
                return Ok(Some(Script { verbs, warnings: Vec::new() }));
            }
            Next::Inline(text) => {
                self.base = None;
                let script = read(&text).map_err(|fault| self.line.fault(&fault, None)).ok();
                script.iter().for_each(|script| self.announce(script, None));
                return Ok(script);
            }
            Next::Fetch { hook, extra } => (hook, extra),
        };
        let fault = match self.fetch(hook.clone(), extra, status).await? {
            Ok(script) => return Ok(Some(script)),
            Err(fault) => fault,
        };
        self.line.alert(&fault, Some(&hook.url));
        let fallback = self.line.world.with(|state| state.calls.get(&self.line.sid)?.order.fallback.clone());
        if let Some(fallback) = fallback.filter(|fallback| *fallback != hook) {
            let why = [("ErrorCode", fault.code.to_string()), ("ErrorUrl", bare(&hook.url).to_string())];
            let why = why.map(|(name, value)| (name.to_owned(), value)).into();
            match self.fetch(fallback.clone(), why, status).await? {
                Ok(script) => return Ok(Some(script)),
                Err(fault) => self.line.fault(&fault, Some(&fallback.url)),
            }
        } else {
            self.line.mark(fault.code);
        }
        Ok(None)
    }

    async fn fetch(
        &mut self,
        hook: Hook,
        extra: Vec<(String, String)>,
        status: &'static str,
    ) -> Result<Result<Script, Fault>, Stop> {
        let Some(call) = self.line.world.with(|state| state.calls.get(&self.line.sid).cloned()) else {
            return Err(Stop::Over);
        };
        let mut params = call_params(&call, status);
        params.0.extend(extra);
        let webhook = Webhook {
            kind: if call.direction == "inbound" && self.base.is_none() { "inbound-call" } else { "twiml" },
            sid: self.line.sid.clone(),
            account: call.account.clone(),
            pair: Pair::new(&call.from, &call.to),
            hook,
            params: params.0,
            token: self.line.world.token(),
            voice: true,
            bad_signature: false,
            port: None,
        };
        let webhook = webhook.with_faults(&self.line.behaviour.callbacks);
        let world = self.line.world.clone();
        let get = webhook.hook.get;
        let fetched = self.line.unless_stopped(async move { document(&world, &webhook).await }).await?;
        Ok(fetched.map(|(script, url)| {
            self.announce(&script, Some(&url));
            self.base = Some(Hook { url, get });
            script
        }))
    }

    /// Says what is wrong with a document, and at once also which of its verbs the
    /// call will end at.
    fn announce(&self, script: &Script, url: Option<&Url>) {
        for (code, why) in &script.warnings {
            self.line.alert(&Fault::new(*code, why.clone()), url);
        }
        for verb in &script.verbs {
            if let Verb::NotPlayed(name) = verb {
                self.line.alert(&Fault::new(Verb::not_played_code(name), not_played(name)), url);
            }
        }
    }

    /// Whether the call broke off at a verb that is not played.
    pub fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Does the verbs; gives where to go on, or nothing at the end.
    async fn play(&mut self, script: Script) -> Result<Option<Next>, Stop> {
        for verb in script.verbs {
            if !matches!(verb, Verb::Say(_) | Verb::Play { .. } | Verb::Pause(_) | Verb::Gather(_)) {
                self.line.said_through();
            }
            match verb {
                Verb::Say(_) | Verb::Play { .. } | Verb::Pause(_) => self.sound(&verb, false).await?,
                Verb::Gather(gather) => {
                    if let Some(next) = self.gather(&gather).await? {
                        return Ok(next);
                    }
                }
                Verb::Record(record) => {
                    if let Some(next) = self.record(*record).await? {
                        return Ok(next);
                    }
                }
                Verb::Redirect { url, get } => return Ok(self.follow(&url, get, Vec::new())),
                Verb::Hangup | Verb::Reject { .. } => return Ok(None),
                Verb::Message(_) => {
                    self.line.alert(&Fault::new(12200, "<Message> means nothing in a call"), None);
                }
                Verb::Sms(reply) => self.text(reply),
                Verb::NotPlayed(name) => {
                    tracing::warn!(
                        sid = self.line.sid,
                        verb = name,
                        "sandbox call ended: the verb is not played"
                    );
                    self.line.caption(&format!("[{}]", not_played(&name)), None, None);
                    self.line.mark(Verb::not_played_code(&name));
                    self.is_broken = true;
                    return Ok(None);
                }
            }
        }
        self.line.said_through();
        Ok(None)
    }

    /// Sends a text, to the telephone and from the number of the call unless the
    /// document says otherwise.
    fn text(&self, reply: Reply) {
        let call = self.line.world.with(|state| state.calls.get(&self.line.sid).cloned());
        let base = self.base.as_ref().map(|base| &base.url);
        if let Some(Err(fault)) = call.map(|call| call_text::send(&self.line.world, &call, base, reply)) {
            self.line.alert(&fault, base);
        }
    }

    /// Speaks, plays or is silent; with `barge_in`, until a key is pressed.
    async fn sound(&mut self, verb: &Verb, barge_in: bool) -> Result<(), Stop> {
        let (loops, word_ms) = match verb {
            Verb::Say(Say { loops, .. }) | Verb::Play { loops, .. } => (
                if *loops == 0 { LOOPS } else { (*loops).min(LOOPS) },
                self.line.behaviour.word_ms.unwrap_or(WORD_MS),
            ),
            _ => (1, 0),
        };
        for _ in 0..loops {
            if barge_in && !self.line.typed.is_empty() {
                return Ok(());
            }
            let span = match verb {
                Verb::Say(say) => {
                    self.line.caption(&say.text, say.language.as_deref(), say.voice.as_deref());
                    Duration::from_millis(word_ms.saturating_mul(say.text.split_whitespace().count() as u64))
                }
                Verb::Play { name, .. } => {
                    self.line.caption(name, None, None);
                    Duration::from_millis(word_ms.saturating_mul(10))
                }
                Verb::Pause(seconds) => Duration::from_secs(*seconds),
                _ => Duration::ZERO,
            };
            if self.line.behaviour.speech == Some(Speech::Instant) {
                continue;
            }
            let world = self.line.world.clone();
            if barge_in {
                self.line.unless_key(async move { world.pace(span).await }).await?;
            } else {
                self.line.unless_stopped(async move { world.pace(span).await }).await?;
            }
        }
        Ok(())
    }

    /// Listens for keys. Nothing when execution goes on after the `<Gather>`;
    /// else where it goes, which may be nowhere.
    async fn gather(&mut self, gather: &Gather) -> Result<Option<Option<Next>>, Stop> {
        let (digits, finished_on) = self.keys(gather).await?;
        if digits.is_empty() && !gather.on_empty {
            return Ok(None);
        }
        let extra = [
            ("msg", "Gather End".to_owned()),
            ("Digits", digits),
            ("FinishedOnKey", finished_on.map(String::from).unwrap_or_default()),
        ];
        let extra = extra.map(|(name, value)| (name.to_owned(), value)).into();
        Ok(Some(self.follow(gather.action.as_deref().unwrap_or_default(), gather.get, extra)))
    }

    /// Says what a `<Gather>` says and listens for keys: which were pressed, and which
    /// of them ended it.
    pub async fn keys(&mut self, gather: &Gather) -> Result<(String, Option<char>), Stop> {
        for prompt in &gather.prompts {
            self.sound(prompt, gather.keys).await?;
        }
        self.line.said_through();
        if gather.keys
            && let Some(keys) = self.line.own_keys.pop_front()
        {
            self.line.typed.extend(keys.chars());
        }
        let (mut digits, mut finished_on) = (String::new(), None);
        let enough = |digits: &str| gather.num_digits.is_some_and(|number| digits.len() >= number);
        while !enough(&digits) && finished_on.is_none() {
            let key = if gather.keys { self.line.typed.pop_front() } else { None };
            match key {
                Some(key) if gather.finish_on == Some(key) => finished_on = Some(key),
                Some(key) => digits.push(key),
                None => {
                    let clock = self.line.world.clock.clone();
                    let patience = Duration::from_secs(gather.timeout);
                    let listening = async move { clock.sleep(patience).await };
                    let heard = if gather.keys {
                        self.line.unless_key(listening).await?
                    } else {
                        self.line.unless_stopped(listening).await?;
                        false
                    };
                    if !heard {
                        break;
                    }
                }
            }
        }
        Ok((digits, finished_on))
    }

    /// Records what the telephone says. Nothing when that is nothing, and execution goes
    /// on after the `<Record>`; else where it goes, which may be nowhere.
    async fn record(&mut self, verb: Record) -> Result<Option<Option<Next>>, Stop> {
        let callback = verb.callback.as_deref().map(|url| self.resolved(url, verb.callback_get));
        let callback = callback.and_then(|hook| hook.map_err(|fault| self.line.alert(&fault, None)).ok());
        if verb.beep {
            self.line.caption("[beep]", None, None);
        }
        let (action, get) = (verb.action.clone().unwrap_or_default(), verb.get);
        self.tape = Tape::begin(&self.line, verb, callback);
        // Without a call there is nothing to record.
        let Some(tape) = &self.tape else { return Err(Stop::Over) };
        let key = match tape.listen(&mut self.line).await {
            Ok(key) => key,
            // What is recorded until the end of a call is told once that is over.
            Err(Stop::Over) => return Err(Stop::Over),
            Err(elsewhere) => {
                self.cut("");
                return Err(elsewhere);
            }
        };
        let told = self.cut(&key.map(String::from).unwrap_or_default());
        Ok(told.map(|told| self.follow(&action, get, told)))
    }

    fn cut(&mut self, digits: &str) -> Option<Vec<(String, String)>> {
        self.tape.take()?.end(&self.line.world, digits)
    }

    /// Ends what was recorded until the call was over: where that is told, and what.
    pub fn part(&mut self) -> Option<(Hook, Vec<(String, String)>)> {
        let (action, get) = self.tape.as_ref()?.action();
        let told = self.cut("hangup")?;
        let hook = self.resolved(&action, get).map_err(|fault| self.line.alert(&fault, None)).ok()?;
        Some((hook, told))
    }

    fn resolved(&self, url: &str, get: bool) -> Result<Hook, Fault> {
        resolve(self.base.as_ref().map(|base| &base.url), url, get)
    }

    /// Where a URL in the document leads; nowhere, with an alert, when it is none.
    fn follow(&mut self, url: &str, get: bool, extra: Vec<(String, String)>) -> Option<Next> {
        match self.resolved(url, get) {
            Ok(hook) => Some(Next::Fetch { hook, extra }),
            Err(fault) => {
                self.line.fault(&fault, None);
                self.line.caption(APOLOGY, None, None);
                None
            }
        }
    }
}
