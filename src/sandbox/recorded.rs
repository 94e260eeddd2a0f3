//! The end of a call that was recorded: its recording is kept, and told where that was
//! asked for. It refuses to know what a recording sounds like.

use super::callbacks::Params;
use super::cookies::Pair;
use super::recording::Recording;
use super::resource::{Call, Hook, rfc2822};
use super::webhook::Webhook;
use super::world::World;

/// Keeps the recording of a call that has ended, if one was wished and somebody
/// answered; gives what is told of it.
pub(super) fn keep(world: &World, call: &Call) -> Option<Webhook> {
    let wish = call.order.record.as_ref()?;
    let recording = Recording {
        sid: world.sid("RE"),
        account: call.account.clone(),
        call: call.sid.clone(),
        start: call.start?,
        created: world.clock.now(),
        seconds: call.seconds(),
        channels: wish.channels,
    };
    let webhook = wish.callback.clone().map(|hook| told(world, call, &recording, hook));
    world.change(|state| state.recordings.push(recording.sid.clone(), recording));
    webhook
}

fn told(world: &World, call: &Call, recording: &Recording, hook: Hook) -> Webhook {
    let Recording { account, sid, .. } = recording;
    let mut params = Params::default();
    params.add("RecordingSource", "OutboundAPI").add("RecordingTrack", "both").add("RecordingSid", sid);
    params.add(
        "RecordingUrl",
        format!("https://api.twilio.com/2010-04-01/Accounts/{account}/Recordings/{sid}"),
    );
    params.add("RecordingStatus", "completed").add("RecordingChannels", recording.channels.to_string());
    params.add("ErrorCode", "0").add("CallSid", &call.sid);
    params.add("RecordingStartTime", rfc2822(recording.start)).add("AccountSid", account);
    params.add("RecordingDuration", recording.seconds.to_string());
    Webhook {
        kind: "recording-callback",
        sid: call.sid.clone(),
        account: account.clone(),
        pair: Pair::new(&call.from, &call.to),
        hook,
        params: params.0,
        token: world.token(),
        voice: true,
        bad_signature: false,
        port: None,
    }
}
