//! The Services resource: what a messaging service is called, where it tells of
//! messages, and how it picks its senders.

use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::core::accounts::name;
use crate::sandbox::api::outcome::{Done, Outcome};
use crate::sandbox::api::paging::list as newer;
use crate::sandbox::fields::web_url;
use crate::sandbox::incoming::Form;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::resource::{VALIDITY, iso8601};
use crate::sandbox::service::{Options, RequestUrl, Service};
use serde_json::{Value, json};

/// What a service may be for, as Twilio lists it.
const USECASES: [(&str, &str, &str); 6] = [
    ("notifications", "Notify my users.", "Transactional notifications and alerts."),
    ("marketing", "Market my services.", "Offers and calls to action."),
    ("verification", "Verify users.", "One-time passwords and verification codes."),
    ("discussion", "Engage in a discussion.", "Conversations between people."),
    ("poll", "Poll users.", "Polls, surveys and votes."),
    ("undeclared", "Not declared.", "Everything else."),
];

/// `GET /v1/Services`: the account's messaging services, youngest first.
pub(super) fn list(ask: &Ask<'_>) -> Outcome {
    let base = ask.request.base();
    ask.world.with(|state| {
        let rows: Vec<&Service> = state.services.of(ask.account).collect();
        let shown = |row: &Service| document(&base, row);
        newer(ask.request, "services", &rows, |row| row.sid.clone(), shown).map(Done::Found)
    })
}

/// `POST /v1/Services`: a new service, `MG…`; only `FriendlyName` is required.
pub(super) fn create(ask: &Ask<'_>) -> Outcome {
    let form = ask.form();
    if form.get("FriendlyName").is_none() {
        return Err(Refusal::bad(20001, "Missing required parameter FriendlyName in the post body"));
    }
    let options = read(&form, usual())?;
    let (sid, now) = (ask.world.sid("MG"), ask.world.clock.now());
    let service = Service::new(sid.clone(), ask.account.to_owned(), options, now);
    let document = document(&ask.request.base(), &service);
    ask.world.change(|state| state.services.push(sid, service));
    Ok(Done::Created(document))
}

/// `GET /v1/Services/{sid}`: one service, with links to its senders.
pub(super) fn fetch(ask: &Ask<'_>) -> Outcome {
    let base = ask.request.base();
    let found = ask
        .world
        .with(|state| state.services.its(ask.account, ask.sid()).map(|service| document(&base, service)));
    found.map(Done::Found).ok_or_else(|| ask.missing())
}

/// `POST /v1/Services/{sid}`: what is not said stays.
pub(super) fn update(ask: &Ask<'_>) -> Outcome {
    let (form, base, now) = (ask.form(), ask.request.base(), ask.world.clock.now());
    ask.world.change(|state| {
        let service = state.services.its_mut(ask.account, ask.sid()).ok_or_else(|| ask.missing())?;
        service.options = read(&form, service.options.clone())?;
        service.updated = now;
        Ok(Done::Found(document(&base, service)))
    })
}

/// `DELETE /v1/Services/{sid}`: its senders are free again.
pub(super) fn delete(ask: &Ask<'_>) -> Outcome {
    let gone = ask.world.change(|state| state.services.remove_its(ask.account, ask.sid()));
    gone.map(|_| Done::Gone).ok_or_else(|| ask.missing())
}

/// `GET /v1/Services/Usecases`: what a service may be for, the same for every account.
pub(super) fn usecases(_: &Ask<'_>) -> Outcome {
    let all = USECASES.map(|(usecase, purpose, description)| {
        json!({ "usecase": usecase, "description": description, "purpose": purpose })
    });
    Ok(Done::Found(json!({ "usecases": all })))
}

/// What a service does that nobody said otherwise of.
fn usual() -> Options {
    Options {
        sticky_sender: true,
        mms_converter: true,
        smart_encoding: true,
        scan_message_content: "inherit".to_owned(),
        fallback_to_long_code: true,
        area_code_geomatch: true,
        validity: VALIDITY,
        usecase: "undeclared".to_owned(),
        ..Options::default()
    }
}

/// Reads what a form says of a service; the rest stays as it was.
fn read(form: &Form, old: Options) -> Result<Options, Refusal> {
    Ok(Options {
        name: name(form)?.unwrap_or(old.name),
        inbound: place(form, "InboundRequestUrl", "InboundMethod", old.inbound)?,
        fallback: place(form, "FallbackUrl", "FallbackMethod", old.fallback)?,
        status_callback: url(form, "StatusCallback", old.status_callback)?,
        sticky_sender: flag(form, "StickySender", old.sticky_sender)?,
        mms_converter: flag(form, "MmsConverter", old.mms_converter)?,
        smart_encoding: flag(form, "SmartEncoding", old.smart_encoding)?,
        scan_message_content: word(form, "ScanMessageContent", &["inherit", "enable", "disable"])?
            .unwrap_or(old.scan_message_content),
        fallback_to_long_code: flag(form, "FallbackToLongCode", old.fallback_to_long_code)?,
        area_code_geomatch: flag(form, "AreaCodeGeomatch", old.area_code_geomatch)?,
        validity: validity(form)?.unwrap_or(old.validity),
        synchronous_validation: flag(form, "SynchronousValidation", old.synchronous_validation)?,
        usecase: word(form, "Usecase", &USECASES.map(|(usecase, ..)| usecase))?.unwrap_or(old.usecase),
        number_webhook: flag(form, "UseInboundWebhookOnNumber", old.number_webhook)?,
    })
}

fn wrong(name: &str, value: &str) -> Refusal {
    let value: String = value.chars().take(100).collect();
    Refusal::bad(20001, format!("Invalid parameter value for {name}: {value}"))
}

fn flag(form: &Form, name: &str, old: bool) -> Result<bool, Refusal> {
    match form.get(name) {
        None => Ok(old),
        Some(word) if word.eq_ignore_ascii_case("true") => Ok(true),
        Some(word) if word.eq_ignore_ascii_case("false") => Ok(false),
        Some(word) => Err(wrong(name, word)),
    }
}

fn word(form: &Form, name: &str, words: &[&str]) -> Result<Option<String>, Refusal> {
    match form.get(name) {
        Some(word) if !words.contains(&word) => Err(wrong(name, word)),
        word => Ok(word.map(str::to_owned)),
    }
}

fn validity(form: &Form) -> Result<Option<u32>, Refusal> {
    match form.get("ValidityPeriod").map(str::parse) {
        None => Ok(None),
        Some(Ok(seconds @ 1..=VALIDITY)) => Ok(Some(seconds)),
        Some(_) => Err(wrong("ValidityPeriod", form.get("ValidityPeriod").unwrap_or_default())),
    }
}

/// A URL; an empty one takes it away.
fn url(form: &Form, name: &str, old: Option<String>) -> Result<Option<String>, Refusal> {
    match form.raw(name) {
        None => Ok(old),
        Some("") => Ok(None),
        Some(text) if web_url(text).is_none() => Err(wrong(name, text)),
        Some(text) => Ok(Some(text.to_owned())),
    }
}

fn place(form: &Form, name: &str, method: &str, old: RequestUrl) -> Result<RequestUrl, Refusal> {
    let get = match form.get(method) {
        None => old.get,
        Some(word) if word.eq_ignore_ascii_case("GET") => true,
        Some(word) if word.eq_ignore_ascii_case("POST") => false,
        Some(word) => return Err(wrong(method, word)),
    };
    Ok(RequestUrl { url: url(form, name, old.url)?, get })
}

fn document(base: &str, service: &Service) -> Value {
    let (options, own) = (&service.options, format!("{base}/v1/Services/{}", service.sid));
    let method = |place: &RequestUrl| if place.get { "GET" } else { "POST" };
    json!({
        "account_sid": service.account,
        "area_code_geomatch": options.area_code_geomatch,
        "date_created": iso8601(service.created),
        "date_updated": iso8601(service.updated),
        "fallback_method": method(&options.fallback),
        "fallback_to_long_code": options.fallback_to_long_code,
        "fallback_url": options.fallback.url,
        "friendly_name": options.name,
        "inbound_method": method(&options.inbound),
        "inbound_request_url": options.inbound.url,
        "links": {
            "alpha_senders": format!("{own}/AlphaSenders"),
            "channel_senders": format!("{own}/ChannelSenders"),
            "destination_alpha_senders": format!("{own}/DestinationAlphaSenders"),
            "phone_numbers": format!("{own}/PhoneNumbers"),
            "short_codes": format!("{own}/ShortCodes"),
        },
        "mms_converter": options.mms_converter,
        "scan_message_content": options.scan_message_content,
        "sid": service.sid,
        "smart_encoding": options.smart_encoding,
        "status_callback": options.status_callback,
        "sticky_sender": options.sticky_sender,
        "synchronous_validation": options.synchronous_validation,
        "url": own,
        "us_app_to_person_registered": false,
        "use_inbound_webhook_on_number": options.number_webhook,
        "usecase": options.usecase,
        "validity_period": options.validity,
    })
}
