//! The life of a call: queued, ringing, answered or not, and what is told
//! about it on the way. What is said once it is answered is
//! [`execute`](super::execute)'s.

use super::behaviour::{Answers, Behaviour};
use super::callbacks::{CallEvent, Courier, Params, call_params, of_call, progress};
use super::cookies::Pair;
use super::execute::{Execution, Opening};
use super::line::{Line, Stop};
use super::next::Next;
use super::outgoing::{bare, send};
use super::resource::{Bill, Call, CallOrder, CallStatus, Detection, Hook};
use super::shown::call_view;
use super::validation;
use super::webhook::Webhook;
use super::world::{Control, World};
use super::{recorded, streams};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// One hop of the network, at pace 1.
const HOP: Duration = Duration::from_millis(150);
/// How long a machine rings before it picks up, at pace 1.
const MACHINE: Duration = Duration::from_secs(2);
/// How long a busy or dead line takes to say so, at pace 1.
const SIGNAL: Duration = Duration::from_millis(600);
/// How long finding out who picked up takes, at pace 1.
const DETECTION: Duration = Duration::from_millis(1_500);
/// How many controls may wait for a call to take them.
const CONTROLS: usize = 64;

/// A call of which nothing has happened yet.
pub(super) fn queued(
    world: &World,
    account: String,
    to: String,
    from: String,
    direction: &'static str,
    order: CallOrder,
) -> Call {
    let now = world.clock.now();
    let own = if direction == "inbound" { &to } else { &from };
    let number_sid = world.with(|state| state.numbers.sid_of(&account, own));
    Call {
        sid: world.sid("CA"),
        number_sid,
        account,
        to,
        from,
        direction,
        status: CallStatus::Queued,
        created: now,
        updated: now,
        start: None,
        end: None,
        answered_by: None,
        captions: Vec::new(),
        said_through: 0,
        error: None,
        recording: Vec::new(),
        order,
        bill: Bill::default(),
    }
}

/// Takes a call in and starts it; false when too much is going on already, and
/// then it was not taken.
pub(super) fn launch(world: &Arc<World>, call: Call) -> bool {
    let (sid, number) = (call.sid.clone(), call.phone().to_owned());
    let behaviour = world.behaviour(&number);
    let (ear, controls) = mpsc::channel(CONTROLS);
    let view = call_view(&call);
    let chance = world.change(|state| {
        let peer = if call.direction == "inbound" { call.to.clone() } else { call.from.clone() };
        let phone = state.phone(&number, world.settings.seed);
        phone.ring(&sid);
        if !call.order.validates {
            phone.peer = Some(peer);
        }
        let chance = phone.fork();
        state.lines.insert(sid.clone(), ear);
        state.calls.push(sid.clone(), call);
        chance
    });
    world.tell("call", view);
    let courier = Courier::new(world, behaviour.callbacks.clone(), chance);
    let line = Line::new(world.clone(), sid.clone(), controls, &behaviour);
    let execution = Execution::new(line);
    let life = Life {
        world: world.clone(),
        sid: sid.clone(),
        behaviour,
        courier,
        execution,
        number: 0,
        whole: None,
    };
    let taken = world.spawn(life.live());
    if !taken {
        world.change(|state| {
            state.calls.remove(&sid);
            state.lines.remove(&sid)
        });
    }
    taken
}

/// Tells a live call something; false when it is not live.
pub(super) fn control(world: &World, sid: &str, control: Control) -> bool {
    let ear = world.with(|state| state.lines.get(sid).cloned());
    ear.is_some_and(|ear| ear.try_send(control).is_ok())
}

struct Life {
    world: Arc<World>,
    sid: String,
    behaviour: Behaviour,
    courier: Courier,
    execution: Execution,
    /// How many progress events there were, asked for or not.
    number: u32,
    /// The recording of the whole call, if it is recorded.
    whole: Option<String>,
}

/// How ringing ended.
enum Pickup {
    Answered { machine: bool },
    Over(CallStatus),
}

impl Life {
    async fn live(mut self) {
        let call = self.world.with(|state| state.calls.get(&self.sid).cloned());
        let Some(call) = call else { return };
        let status =
            if call.direction == "inbound" { self.inbound(&call).await } else { self.outbound(&call).await };
        self.end(status);
    }

    async fn outbound(&mut self, call: &Call) -> CallStatus {
        if let Some(at) = call.order.leaves
            && self.execution.line.until(at).await.is_err()
        {
            return CallStatus::Canceled;
        }
        let delay = Duration::from_secs(u64::from(call.order.delay));
        if self.execution.line.wait(delay).await.is_err() || self.execution.line.pace(HOP).await.is_err() {
            return CallStatus::Canceled;
        }
        self.event(call, CallEvent::Initiated);
        if self.execution.line.pace(HOP).await.is_err() {
            return CallStatus::Canceled;
        }
        let machine = match self.ring(call).await {
            Pickup::Answered { machine } => machine,
            Pickup::Over(status) => return status,
        };
        let Some(call) = self.answered() else { return CallStatus::Canceled };
        self.record(&call);
        self.event(&call, CallEvent::Answered);
        if let Some(digits) = &call.order.send_digits {
            self.execution.line.caption(&format!("[keys: {digits}]"), None, None);
        }
        if call.order.validates {
            validation::converse(&self.world, &mut self.execution, &call.sid).await;
            return CallStatus::Completed;
        }
        let detected = match &call.order.detection {
            Some(detection) => self.detect(detection, machine).await,
            None => Ok(()),
        };
        let next = match (detected, &call.order.url, &call.order.twiml) {
            // Whoever sends a call elsewhere does not wait for who picked up.
            (Err(Stop::Goto(next)), ..) => next,
            (Err(Stop::Over), ..) => return CallStatus::Completed,
            (Ok(()), Some(hook), _) => Next::Fetch { hook: hook.clone(), extra: Vec::new() },
            (Ok(()), None, Some(twiml)) => Next::Inline(twiml.clone()),
            (Ok(()), None, None) => return CallStatus::Completed,
        };
        self.within_limit(call.order.time_limit, next).await
    }

    /// An inbound call is answered by executing its first document, unless
    /// that one rejects it.
    async fn inbound(&mut self, call: &Call) -> CallStatus {
        self.changed(CallStatus::Ringing);
        let Some(hook) = call.order.url.clone() else { return CallStatus::Failed };
        let next = Next::Fetch { hook, extra: Vec::new() };
        match self.execution.open(next).await {
            Opening::Rejected { busy: true } => CallStatus::Busy,
            Opening::Rejected { busy: false } => CallStatus::NoAnswer,
            Opening::Over => CallStatus::NoAnswer,
            Opening::Failed => CallStatus::Failed,
            Opening::Taken(next) => {
                if self.answered().is_none() {
                    return CallStatus::Completed;
                }
                self.within_limit(call.order.time_limit, *next).await
            }
        }
    }

    /// Lets the line play. A call that asks for what is not played here has not
    /// been completed, and does not say so.
    async fn within_limit(&mut self, seconds: u32, next: Next) -> CallStatus {
        let limit = self.world.clock.sleep(Duration::from_secs(u64::from(seconds)));
        tokio::select! {
            () = self.execution.run(next) => {}
            () = limit => tracing::info!(sid = self.sid, seconds, "sandbox call ended by its time limit"),
        }
        if self.execution.is_broken() { CallStatus::Failed } else { CallStatus::Completed }
    }

    /// Rings until somebody or something picks up, or nobody does.
    async fn ring(&mut self, call: &Call) -> Pickup {
        let answers = self.behaviour.answers.unwrap_or_default();
        if answers == Answers::Fails {
            return self.signal(SIGNAL, CallStatus::Failed).await;
        }
        self.changed(CallStatus::Ringing);
        self.event(call, CallEvent::Ringing);
        let own = self.behaviour.answer_after_ms.map(Duration::from_millis);
        match answers {
            Answers::Busy => self.signal(SIGNAL, CallStatus::Busy).await,
            Answers::Declines => self.signal(own.unwrap_or(SIGNAL), CallStatus::Busy).await,
            Answers::Machine => self.wait_for_pickup(call, own, Some(MACHINE), true).await,
            Answers::Person => self.wait_for_pickup(call, own, None, false).await,
            Answers::Nobody | Answers::Fails => {
                let timeout = own.unwrap_or(Duration::from_secs(u64::from(call.order.timeout)));
                self.ring_out(timeout).await
            }
        }
    }

    async fn signal(&mut self, after: Duration, status: CallStatus) -> Pickup {
        match self.execution.line.pace(after).await {
            Ok(()) => Pickup::Over(status),
            Err(_) => Pickup::Over(CallStatus::Canceled),
        }
    }

    /// Waits by the clock when a time was wished, at the pace when there is
    /// only a habit, and for a control in any case; never beyond the timeout.
    async fn wait_for_pickup(
        &mut self,
        call: &Call,
        own: Option<Duration>,
        habit: Option<Duration>,
        machine: bool,
    ) -> Pickup {
        let timeout = Duration::from_secs(u64::from(call.order.timeout));
        let (clock, world) = (self.world.clock.clone(), self.world.clone());
        let pickup = async {
            match (own, habit) {
                (Some(span), _) => clock.sleep(span).await,
                (None, Some(span)) => world.pace(span).await,
                (None, None) => std::future::pending().await,
            }
        };
        tokio::select! {
            () = pickup => Pickup::Answered { machine },
            heard = self.execution.line.picked_up() => match heard {
                // Whoever answers by hand is a person.
                Control::Answer => Pickup::Answered { machine: false },
                Control::Decline | Control::HangUp => Pickup::Over(CallStatus::Busy),
                _ => Pickup::Over(CallStatus::Canceled),
            },
            () = clock.sleep(timeout) => Pickup::Over(CallStatus::NoAnswer),
        }
    }

    async fn ring_out(&mut self, timeout: Duration) -> Pickup {
        let clock = self.world.clock.clone();
        tokio::select! {
            () = clock.sleep(timeout) => Pickup::Over(CallStatus::NoAnswer),
            () = self.execution.line.canceled() => Pickup::Over(CallStatus::Canceled),
        }
    }

    /// Finds out who picked up: before the TwiML is fetched, or beside the call.
    async fn detect(&mut self, detection: &Detection, machine: bool) -> Result<(), Stop> {
        let by = match (machine, detection.message_end) {
            (false, _) => "human",
            (true, false) => "machine_start",
            (true, true) => "machine_end_beep",
        };
        match &detection.aside {
            None => {
                self.execution.line.pace(DETECTION).await?;
                self.world.change_call(&self.sid, |call| call.answered_by = Some(by));
            }
            Some(told) => {
                let (world, sid, told) = (self.world.clone(), self.sid.clone(), told.clone());
                let faults = self.behaviour.callbacks.clone();
                self.world.spawn(async move {
                    world.pace(DETECTION).await;
                    let call = world.change_call(&sid, |call| call.answered_by = Some(by));
                    if let Some((hook, call)) = told.zip(call) {
                        let webhook = detected(&world, &call, by, hook).with_faults(&faults);
                        // The answer is ignored, and the exchange is noted.
                        let _ = send(&world, &webhook).await;
                    }
                });
            }
        }
        Ok(())
    }

    fn changed(&self, status: CallStatus) -> Option<Call> {
        self.world.change_call(&self.sid, |call| call.status = status)
    }

    fn answered(&self) -> Option<Call> {
        let now = self.world.clock.now();
        self.world.change_call(&self.sid, |call| {
            call.status = CallStatus::InProgress;
            call.start = Some(now);
        })
    }

    /// Begins to record the whole call, if that was wished.
    fn record(&mut self, call: &Call) {
        if let Some((wish, start)) = call.order.record.clone().zip(call.start) {
            self.whole = Some(recorded::begin(&self.world, call, "OutboundAPI", wish, start).sid);
        }
    }

    /// What the end of a call says of the recording of all of it.
    fn recording(&self, told: &mut Params) {
        let found = |sid: &String| self.world.with(|state| state.recordings.get(sid).cloned());
        if let Some(recording) = self.whole.as_ref().and_then(found)
            && let Some(seconds) = recording.seconds()
        {
            told.add("RecordingUrl", recording.url()).add("RecordingSid", recording.sid);
            told.add("RecordingDuration", seconds.to_string());
        }
    }

    /// Counts an event and tells it if it was asked for.
    fn event(&mut self, call: &Call, event: CallEvent) {
        let number = self.number;
        self.number += 1;
        let mut told = progress(&self.world, call, event, number);
        if event == CallEvent::Completed {
            self.recording(&mut told);
        }
        streams::of_call(&self.world, call, event.name(), &told.0);
        if call.order.events.iter().any(|asked| asked == event.name())
            && let Some(webhook) = of_call(&self.world, call, call.order.callback.as_ref(), told)
        {
            self.courier.post(webhook);
        }
    }

    fn tell_of_hanging_up(&self, hook: Hook, told: Vec<(String, String)>) {
        let Some(call) = self.world.with(|state| state.calls.get(&self.sid).cloned()) else { return };
        let mut params = call_params(&call, call.status.word());
        params.0.extend(told);
        let webhook = of_call(&self.world, &call, Some(&hook), params);
        let Some(webhook) = webhook else { return };
        let webhook = Webhook { kind: "twiml", ..webhook }.with_faults(&self.behaviour.callbacks);
        let world = self.world.clone();
        self.world.spawn(async move { parted(&world, webhook).await });
    }

    fn end(mut self, status: CallStatus) {
        let now = self.world.clock.now();
        let ended = self.world.change_call(&self.sid, |call| {
            call.status = status;
            call.end = Some(now);
        });
        self.world.change(|state| state.lines.remove(&self.sid));
        if let Some((hook, told)) = self.execution.part() {
            self.tell_of_hanging_up(hook, told);
        }
        if let Some(call) = ended {
            recorded::end_all(&self.world, &call);
            if call.direction == "inbound" {
                // A number's own callback comes once, at the end, as number 0.
                self.number = 0;
            }
            self.event(&call, CallEvent::Completed);
            if let Some(webhook) = validation::end(&self.world, &call) {
                self.courier.post(webhook);
            }
        }
    }
}

/// Tells the action of what was recorded until the call was over; what it answers is not
/// done any more.
async fn parted(world: &World, webhook: Webhook) {
    let (code, why) = match send(world, &webhook).await {
        Ok(answer) if answer.status < 400 => return,
        Ok(answer) => (11200, format!("answered with status {}", answer.status)),
        Err(trouble) => (trouble.code(), trouble.words().to_owned()),
    };
    world.alert(code, &webhook.sid, Some(bare(&webhook.hook.url).as_str()), why);
}

fn detected(world: &World, call: &Call, by: &str, hook: Hook) -> Webhook {
    let mut params = Params::default();
    params.add("CallSid", &call.sid).add("AccountSid", &call.account).add("AnsweredBy", by);
    params.add("MachineDetectionDuration", DETECTION.as_millis().to_string());
    Webhook {
        kind: "amd-callback",
        sid: call.sid.clone(),
        account: call.account.clone(),
        pair: Pair::new(&call.from, &call.to),
        hook,
        params: params.0,
        token: world.token(),
        voice: true,
        bad_signature: false,
        port: None,
    }
}
