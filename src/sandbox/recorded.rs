//! The life of recordings: begun and ended, paused and resumed, and told where that was
//! asked for. It refuses to know why a recording is made and what it sounds like.

use super::callbacks::{Courier, Params};
use super::cookies::Pair;
use super::recording::{Recording, RecordingStatus};
use super::resource::{Call, RecordingRequest, Turn, UnderWay, rfc2822};
use super::webhook::Webhook;
use super::world::World;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// Begins a recording of a call that was answered.
pub(super) fn begin(
    world: &Arc<World>,
    call: &Call,
    source: &'static str,
    wish: RecordingRequest,
    at: Timestamp,
) -> Recording {
    let recording = Recording {
        sid: world.sid("RE"),
        account: call.account.clone(),
        call: call.sid.clone(),
        base: call.order.base.clone(),
        source,
        wish,
        start: at,
        updated: at,
        status: RecordingStatus::InProgress,
        recorded: SignedDuration::ZERO,
        since: Some(at),
        deleted: None,
        turn: Turn::default(),
    };
    world.change(|state| state.recordings.push(recording.sid.clone(), recording.clone()));
    world.change_call(&call.sid, |call| {
        call.recording.push(UnderWay { sid: recording.sid.clone(), paused: false });
    });
    tell(world, call, &recording);
    recording
}

/// Pauses or resumes a recording. What is not recorded meanwhile counts as silence, unless
/// it is skipped. Gives the recording, if it is under way.
pub(super) fn pause(world: &World, sid: &str, paused: bool, skips: bool) -> Option<Recording> {
    let now = world.clock.now();
    let recording = world.change(|state| {
        let recording = state.recordings.get_mut(sid).filter(|one| one.status.is_under_way())?;
        if paused {
            recording.pause(now, skips)
        } else {
            recording.resume(now)
        }
        Some(recording.clone())
    })?;
    world.change_call(&recording.call, |call| {
        call.recording.iter_mut().filter(|one| one.sid == sid).for_each(|one| one.paused = paused);
    });
    Some(recording)
}

/// Ends a recording of which so much was heard, or all of it with [`SignedDuration::MAX`];
/// of nothing there is none. Gives the recording, under way until now or not.
pub(super) fn end(world: &Arc<World>, sid: &str, heard: Option<SignedDuration>) -> Option<Recording> {
    let now = world.clock.now();
    let (was_under_way, recording) = world.change(|state| {
        let recording = state.recordings.get_mut(sid)?;
        let was_under_way = recording.status.is_under_way();
        if was_under_way {
            recording.end(now, heard);
        }
        Some((was_under_way, recording.clone()))
    })?;
    if was_under_way {
        let call = world.change_call(&recording.call, |call| call.recording.retain(|one| one.sid != sid));
        if let Some(call) = call {
            tell(world, &call, &recording);
        }
    }
    Some(recording)
}

/// Ends what is still recorded of a call that is over.
pub(super) fn end_all(world: &Arc<World>, call: &Call) {
    for one in &call.recording {
        let began = world.with(|state| state.recordings.get(&one.sid).map(|recording| recording.start));
        let heard = call.end.zip(began).map_or(SignedDuration::MAX, |(end, began)| end.duration_since(began));
        end(world, &one.sid, Some(heard));
    }
}

/// Tells what a recording has become, if somebody wants to hear that.
fn tell(world: &Arc<World>, call: &Call, recording: &Recording) {
    let RecordingRequest { callback, events, .. } = &recording.wish;
    let Some(hook) = callback.clone().filter(|_| events.iter().any(|event| event == recording.status.word()))
    else {
        return;
    };
    let webhook = Webhook {
        kind: "recording-callback",
        sid: call.sid.clone(),
        account: call.account.clone(),
        pair: Pair::new(&call.from, &call.to),
        hook,
        params: params(recording).0,
        token: world.token(),
        voice: true,
        bad_signature: false,
        port: None,
    };
    let (number, seed) = (call.phone(), world.settings.seed);
    let chance = world.with(|state| state.phone(number, seed).fork());
    Courier::in_turn(world, world.behaviour(number).callbacks, chance, &recording.turn).post(webhook);
}

fn params(recording: &Recording) -> Params {
    let mut params = Params::default();
    params.add("RecordingSource", recording.source).add("RecordingTrack", recording.wish.track);
    params.add("RecordingSid", &recording.sid).add("RecordingUrl", recording.url());
    params.add("RecordingStatus", recording.status.word());
    params.add("RecordingChannels", recording.wish.channels.to_string());
    params.add("ErrorCode", "0").add("CallSid", &recording.call);
    params.add("RecordingStartTime", rfc2822(recording.start)).add("AccountSid", &recording.account);
    if let Some(seconds) = recording.seconds() {
        params.add("RecordingDuration", seconds.to_string());
    }
    params
}
