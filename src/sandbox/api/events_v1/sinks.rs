//! The Sinks resource: where events go. Only webhooks are played here.

use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome};
use crate::sandbox::api::paging;
use crate::sandbox::fields::web_url;
use crate::sandbox::grounds;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::resource::iso8601;
use crate::sandbox::sinks::Sink;
use crate::sandbox::streams;
use serde_json::{Value, json};

/// `POST Sinks`: a new webhook, `initialized`, which gets nothing but tests until it is validated.
pub(super) fn create(ask: &Ask<'_>) -> Outcome {
    let (world, form) = (ask.world, ask.form());
    let needed = |name: &str| {
        form.get(name).ok_or_else(|| Refusal::bad(20001, format!("Missing required parameter {name}")))
    };
    let (description, kind) = (needed("Description")?, needed("SinkType")?);
    if kind != "webhook" {
        let why =
            format!("Invalid parameter value for SinkType: {kind}: the sandbox has webhook sinks alone");
        return Err(Refusal::bad(20001, why));
    }
    let configuration: Value = serde_json::from_str(needed("SinkConfiguration")?)
        .map_err(|_| Refusal::bad(20001, "Invalid parameter value for SinkConfiguration: it is not JSON"))?;
    let url = configuration["destination"].as_str().and_then(web_url).ok_or_else(|| {
        Refusal::bad(20001, "Invalid parameter value for SinkConfiguration: destination is not a URL")
    })?;
    let sid = world.sid("DG");
    let mut sink = Sink::new(sid.clone(), ask.account.to_owned(), description.to_owned(), configuration, url);
    let now = world.clock.now();
    (sink.created, sink.updated) = (now, now);
    let shown = document(ask, &sink);
    world.change(|state| state.streams.sinks.push(sid.clone(), sink));
    if !world.spawn(streams::pump(world.clone(), sid.clone())) {
        world.change(|state| state.streams.sinks.remove(&sid));
        return Err(grounds::too_much());
    }
    Ok(Done::Created(shown))
}

/// `GET Sinks`: the account's, youngest first; with `InUse` those that have a subscription.
pub(super) fn list(ask: &Ask<'_>) -> Outcome {
    let query = ask.query();
    let status = query.get("Status");
    ask.world.with(|state| {
        let in_use = |sink: &Sink| state.streams.subscriptions.newest_first().any(|one| one.sink == sink.sid);
        let wanted = |sink: &&Sink| {
            status.is_none_or(|status| status == sink.status) && (!query.is_true("InUse") || in_use(sink))
        };
        let rows: Vec<&Sink> = state.streams.sinks.of(ask.account).filter(wanted).collect();
        paging::list(ask.request, "sinks", &rows, |sink| sink.sid.clone(), |sink| document(ask, sink))
            .map(Done::Found)
    })
}

/// `GET Sinks/{Sid}`: one sink, with links to its test and validation.
pub(super) fn fetch(ask: &Ask<'_>) -> Outcome {
    let sid = ask.sid();
    let found =
        ask.world.with(|state| state.streams.sinks.its(ask.account, sid).map(|sink| document(ask, sink)));
    found.map(Done::Found).ok_or_else(|| ask.missing())
}

/// `POST Sinks/{Sid}`: a new `Description`, which is required; the rest stays as it was.
pub(super) fn update(ask: &Ask<'_>) -> Outcome {
    let (form, now) = (ask.form(), ask.world.clock.now());
    let description = form.get("Description");
    let description =
        description.ok_or_else(|| Refusal::bad(20001, "Missing required parameter Description"))?;
    let changed = ask.world.change(|state| {
        let sink = state.streams.sinks.its_mut(ask.account, ask.sid())?;
        (sink.description, sink.updated) = (description.to_owned(), now);
        Some(())
    });
    changed.ok_or_else(|| ask.missing())?;
    fetch(ask)
}

/// `DELETE Sinks/{Sid}`, once nothing is subscribed to for it.
pub(super) fn delete(ask: &Ask<'_>) -> Outcome {
    let sid = ask.sid();
    let used = |state: &mut crate::sandbox::world::State| {
        state.streams.subscriptions.of(ask.account).any(|one| one.sink == sid)
    };
    if ask.world.with(used) {
        return Err(Refusal::new(409, 20409, "The sink is used by a subscription"));
    }
    let gone = ask.world.change(|state| state.streams.sinks.remove_its(ask.account, sid));
    gone.map(|_| Done::Gone).ok_or_else(|| ask.missing())
}

/// `POST Sinks/{Sid}/Test`: sends a test event with a word in it.
pub(super) fn test(ask: &Ask<'_>) -> Outcome {
    fetch(ask)?;
    streams::test(ask.world, ask.sid());
    Ok(Done::Created(json!({ "result": "submitted" })))
}

/// `POST Sinks/{Sid}/Validate`: whoever knows that word receives what is sent there.
pub(super) fn validate(ask: &Ask<'_>) -> Outcome {
    fetch(ask)?;
    let (form, now) = (ask.form(), ask.world.clock.now());
    let word = form.get("TestId").ok_or_else(|| Refusal::bad(20001, "Missing required parameter TestId"))?;
    let valid = ask.world.change(|state| {
        let sink = state.streams.sinks.its_mut(ask.account, ask.sid())?;
        let valid = sink.test.as_deref() == Some(word);
        if valid {
            (sink.status, sink.updated) = ("active", now);
        }
        Some(valid)
    });
    if valid != Some(true) {
        return Err(Refusal::bad(20001, "Invalid parameter value for TestId"));
    }
    Ok(Done::Created(json!({ "result": "valid" })))
}

fn document(ask: &Ask<'_>, sink: &Sink) -> Value {
    let url = format!("{}/v1/Sinks/{}", ask.request.base(), sink.sid);
    json!({
        "date_created": iso8601(sink.created),
        "date_updated": iso8601(sink.updated),
        "description": sink.description,
        "sid": sink.sid,
        "sink_configuration": sink.configuration,
        "sink_type": "webhook",
        "status": sink.status,
        "url": url,
        "links": { "sink_test": format!("{url}/Test"), "sink_validate": format!("{url}/Validate") },
    })
}
