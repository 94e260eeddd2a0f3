//! Records of every kind, the first of each with everything that it can have:
//! what `fixtures/stored` is made of. Always the same, and nobody's.

use dialback::model::active_verification::ActiveVerification;
use dialback::model::audit::{Action, Actor, AuditEntry};
use dialback::model::channel::{Channel, DeliveryChannel};
use dialback::model::code::CodeSeed;
use dialback::model::compat::{Bucket, Compat, CountrySender, OpaqueFields, RateLimit};
use dialback::model::counter::{Counter, WindowCount};
use dialback::model::delivery::{About, Delivery, Entry, Fact, Source};
use dialback::model::dispatch::{Dispatch, State, Try};
use dialback::model::endpoint::{Disabled, Endpoint, SigningKey, Why};
use dialback::model::event::{Event, EventBody, EventType, Reason};
use dialback::model::id::{AuditId, EventId};
use dialback::model::idempotency::IdempotencyRecord;
use dialback::model::key::{Access, ApiKey, Scope, ServiceSet};
use dialback::model::limits::LimitChanges;
use dialback::model::opt_out::OptOut;
use dialback::model::phone::PhoneNumber;
use dialback::model::policy::Gate;
use dialback::model::safe_number::SafeNumber;
use dialback::model::service::{ContentSids, Countries, Origin, Pages, Pending, Service, Settings};
use dialback::model::session::{End, Session};
use dialback::model::session_window::SessionWindow;
use dialback::model::status::Status as Delivered;
use dialback::model::verification::{
    Attempts, Details, Effect, OutboxStep, Send, SendState, Status, Verification,
};
use dialback::secret::Secret;
use dialback::store::records::{Facts, facts_of};
use dialback::twilio::verify::Webhook;
use dialback::twilio::verify::{self, Features};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

mod elsewhere;
mod erasure;
mod page;
mod routed;
mod silent;
mod stays;

/// All of them.
pub fn all() -> Vec<Facts> {
    let mut all = Vec::new();
    all.extend([facts_of(&service())]);
    all.extend([facts_of(&compat()), facts_of(&bare_compat())]);
    all.extend([facts_of(&api_key())]);
    all.extend([facts_of(&safe_number())]);
    all.extend([facts_of(&opt_out(1)), facts_of(&opt_out(2))]);
    all.extend([facts_of(&endpoint()), facts_of(&quiet_endpoint())]);
    all.extend((1..=4).map(|n| facts_of(&verification(n))));
    all.extend([facts_of(&elsewhere::elsewhere()), facts_of(&routed::routed())]);
    all.extend([facts_of(&stays::stays())]);
    all.extend([facts_of(&routed::turned()), facts_of(&routed::erased())]);
    all.extend([facts_of(&pending())]);
    all.extend([facts_of(&delivery(1)), facts_of(&delivery(2))]);
    all.extend([facts_of(&silent::stranger()), facts_of(&silent::silent())]);
    all.extend([facts_of(&answer(1)), facts_of(&answer(2))]);
    all.extend([facts_of(&counter())]);
    all.extend([facts_of(&session()), facts_of(&new_session())]);
    all.extend([facts_of(&contact())]);
    all.extend([facts_of(&event(1)), facts_of(&event(2))]);
    all.extend([facts_of(&dispatch(1)), facts_of(&dispatch(2))]);
    all.extend([facts_of(&audit()), facts_of(&erasure::erasure()), facts_of(&erasure::erased())]);
    all.extend([facts_of(&page::page())]);
    all.extend(crate::list_samples::all());
    all.extend(crate::message_samples::all());
    all
}

fn at(seconds: i64) -> Timestamp {
    let start: Timestamp = "2026-11-20T09:00:00.123Z".parse().unwrap();
    start.checked_add(SignedDuration::from_secs(seconds)).unwrap()
}

fn id<T: FromStr<Err: std::fmt::Debug>>(prefix: &str, n: u32) -> T {
    format!("{prefix}{n:030x}00").parse().unwrap()
}

fn number(n: u32) -> PhoneNumber {
    format!("+1415555{n:04}").parse().unwrap()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn texts<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn list<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).into()
}

fn details() -> Details {
    Details {
        friendly_name: some("Shop \u{2068}né\u{2069}"),
        template: some("shop"),
        amount: some("12.50 EUR"),
        payee: some("A \"quoted\" payee\nof two lines"),
        purpose: some("payment"),
        app_hash: some("FA+9qCX9VSu"),
        send_digits: some("w12#"),
        device_ip: some("192.0.2.7"),
        user: None,
        tags: texts([("order", "17"), ("empty", "")]),
    }
}

/// The first has everything; the others stand elsewhere.
pub fn verification(n: u32) -> Verification {
    let send = |number: u8, channel, state, sid: Option<&str>| Send {
        number,
        channel,
        generation: 1,
        asked_at: at(i64::from(number) * 30),
        state,
        listed: false,
        sid: sid.map(|prefix| id(prefix, n)),
        gate_key: (channel == Channel::Call).then_some(7),
        readings: u8::from(channel == Channel::Call),
        shadow: false,
        wrong_keys: 2,
        right_keys: 0,
        finished: 0,
        attempts: Attempts::default(),
        micros: 0,
        unasked: false,
        follows: None,
        not_followed: None,
        route: None,
        not_by: Vec::new(),
        redacted: false,
    };
    let refused = SendState::Failed { code: Some(30003), reason: "unreachable handset".into() };
    let lost = SendState::Failed { code: None, reason: "given up".into() };
    let sends = match n {
        1 => vec![
            send(1, Channel::Sms, SendState::Accepted, Some("SM")),
            send(2, Channel::Call, SendState::Accepted, Some("CA")),
            send(3, Channel::Whatsapp, refused, None),
            send(4, Channel::Sms, SendState::Waiting, None),
            send(5, Channel::Sms, SendState::Sending, None),
        ],
        2 => vec![send(1, Channel::Sms, SendState::Accepted, Some("SM")), send(2, Channel::Sms, lost, None)],
        3 => vec![send(1, Channel::Sms, SendState::Dropped, None)],
        _ => vec![send(1, Channel::Sms, SendState::Test, None)],
    };
    let outbox_step =
        |effect, attempts| OutboxStep { effect, due: at(200), attempts, doubt: None, begun_at: None };
    let whole = n == 1;
    let seed = CodeSeed {
        key_id: "2026-11".into(),
        nonce: "000102030405060708090a0b0c0d0e0f".into(),
        generation: n,
        length: 6,
        alphabet: whole.then(|| "23456789CFGHJMPQRVWX".into()),
        context: whole.then(|| "c0ffee".into()),
        custom: whole.then(|| "a1b2c3".into()),
    };
    Verification {
        id: id("VE", n),
        service: whole.then(|| id("VA", 1)),
        session: None,
        to: number(n),
        locale: whole.then(|| "pt-BR".into()),
        status: [Status::Pending, Status::Approved, Status::Canceled, Status::MaxAttemptsReached]
            [n as usize - 1],
        created_at: at(0),
        expires_at: at(600),
        ended_at: (n > 1).then(|| at(60)).or(Some(at(61))),
        code: seed,
        details: if whole { details() } else { Details::default() },
        test: n == 1 || n == 4,
        admitted: None,
        reference: None,
        checks: n,
        open_checks: Vec::new(),
        stays: false,
        sends,
        outbox: match whole {
            true => {
                vec![outbox_step(Effect::Send { number: 4 }, 0), outbox_step(Effect::LookUp { number: 5 }, 3)]
            }
            false => Vec::new(),
        },
    }
}

/// That of a verification's first message.
pub fn delivery(n: u32) -> Delivery {
    let fact = |status, error_code| Fact {
        status: Some(status),
        source: Source::Api,
        error_code,
        sequence: Some(2),
        carrier_at: Some(at(3)),
        carrier_time: some("2611200901"),
        answered_by: some("human"),
        sip_code: Some(200),
        duration_seconds: Some(17),
        billed_minutes: Some(1),
        detection_ms: Some(2300),
        call: None,
        other: texts([("RawDlrDoneDate", "2611200901"), ("ApiVersion", "2010-04-01")]),
    };
    let about = About {
        account_sid: some("AC0123456789abcdef0123456789abcdef"),
        from: some("+15005550006"),
        to: some(number(n).in_full()),
        messaging_service_sid: some("MG0123456789abcdef0123456789abcdef"),
        direction: some("outbound-api"),
        encoding: some("GSM-7"),
        counted_segments: Some(1),
        num_segments: Some(1),
        ..About::default()
    };
    let events = [fact(Delivered::Delivered, None), fact(Delivered::Sent, Some(30003)), Fact::default()];
    Delivery {
        sid: id("SM", n),
        id: Some(format!("DL{n:030x}01").parse().unwrap()),
        first_seen: at(1),
        about,
        events: events.into_iter().map(|fact| Entry { received_at: at(2), fact }).collect(),
        unproved: false,
        erased: None,
        asking: None,
    }
}

fn service() -> Service {
    let countries = Countries { allow: list(["US", "DE"]), refuse: list(["KP"]), watch: list(["BR"]) };
    let pages = Pages {
        return_urls: list(["https://app.example.com/"]),
        colour: some("#336699"),
        logo: some("https://app.example.com/logo.svg"),
        success_url: None,
        register: false,
        retry: false,
    };
    let settings = Settings {
        name: "Shop".into(),
        code_length: 6,
        code_alphabet: "0123456789".into(),
        lifetime_seconds: 600,
        max_checks: 5,
        max_sends: 5,
        resend_cooldown_seconds: vec![30, 60, 120],
        resend_cooldown_is_set: false,
        new_code_on_resend: true,
        channels: Channel::ALL.into(),
        countries: [(Channel::Sms, countries)].into(),
        template: some("shop"),
        locale: some("de"),
        from: some("+15005550006"),
        messaging_service_sid: some("MG0123456789abcdef0123456789abcdef"),
        whatsapp_from: some("whatsapp:+15005550006"),
        whatsapp_content_sid: some("HX0123456789abcdef0123456789abcdef").map(ContentSids::One),
        whatsapp_variables: texts([("1", "{code}")]),
        domain: some("example.com"),
        do_not_share: true,
        failover: dialback::model::policy::Failover::default(),
        redact: false,
        gate: Gate::NamedKey,
        tts_name: some("shop"),
        custom_code: true,
        psd2: true,
        skip_sms_to_landlines: true,
        pages,
        allow_links: false,
        psd2_block_seconds: 900,
        pending: Pending::One,
        limits: LimitChanges::default(),
        voip: dialback::model::service::OnVoip::default(),
        fraud: dialback::model::fraud::FraudChanges::default(),
        remedies: BTreeMap::default(),
        channel_labels: dialback::model::service::ChannelLabels::default(),
        free_text: false,
        message_templates: BTreeMap::default(),
        message_types: BTreeMap::default(),
    };
    Service { id: id("VA", 1), settings, origin: Origin::Api, created_at: at(-9000), updated_at: at(-8000) }
}

fn compat() -> Compat {
    let (created_at, updated_at) = (at(-7000), at(-6000));
    let features = Features {
        lookup_enabled: true,
        event_subscription_enabled: true,
        push_include_date: true,
        push_apn_credential: some("CR01"),
        push_fcm_credential: some("CR02"),
        totp_issuer: some("Shop"),
        totp_time_step: Some(30),
        totp_code_length: Some(6),
        totp_skew: Some(1),
        whatsapp_messaging_service: some("MG01"),
        passkeys_id: some("example.com"),
        passkeys_name: some("Shop"),
        passkeys_origins: some("https://example.com"),
        passkeys_attachment: some("platform"),
        passkeys_discoverable: some("preferred"),
        passkeys_user_verification: some("required"),
    };
    let bucket = Bucket { sid: "BL01".into(), max: 5, interval: 60, created_at, updated_at };
    let rate_limit = RateLimit {
        sid: "RK01".into(),
        unique_name: "by_address".into(),
        description: "one address".into(),
        buckets: vec![bucket],
        created_at,
        updated_at,
    };
    let webhook = Webhook {
        sid: "YW01".into(),
        friendly_name: "Shop".into(),
        event_types: list(["*"]),
        url: "https://app.example.com/verify".into(),
        enabled: true,
        version: "v2".into(),
        created_at,
        updated_at,
    };
    let sender =
        CountrySender { country: "all".into(), messaging_service_sid: "MG01".into(), created_at, updated_at };
    Compat {
        service: id("VA", 1),
        features: OpaqueFields::of(&features),
        rate_limits: vec![rate_limit],
        webhooks: vec![OpaqueFields::of(&webhook)],
        senders: vec![sender],
    }
}

/// One with nothing set, as the compatible API writes it.
fn bare_compat() -> Compat {
    let mut compat = Compat::new(id("VA", 2));
    verify::fill(&mut compat);
    compat
}

fn api_key() -> ApiKey {
    let services = ServiceSet::of(BTreeSet::from([id("VA", 1)]));
    let access = Access { scopes: BTreeSet::from(Scope::ALL), services };
    ApiKey::generate("shop", access, [7; 6], [9; 32], at(-5000)).0
}

fn safe_number() -> SafeNumber {
    SafeNumber { sid: "GN01".into(), number: number(77), created_at: at(-4000), actor: None, reason: None }
}

fn opt_out(n: u32) -> OptOut {
    OptOut {
        number: number(n).in_full().to_owned(),
        sender: "+15005550006".into(),
        opted_out: n == 1,
        at: at(70),
    }
}

fn endpoint() -> Endpoint {
    let key = |n: u8, until| SigningKey {
        secret: Secret::new(format!("whsec_{}", "A".repeat(31 + n as usize))),
        until,
    };
    Endpoint {
        id: id("EP", 1),
        url: "https://app.example.com/hooks".into(),
        description: some("the shop"),
        filters: ["verification.*", "opt_out.created"].map(|filter| filter.parse().unwrap()).into(),
        full_numbers: true,
        keys: vec![key(1, None), key(2, Some(at(86_400)))],
        disabled: Some(Disabled { at: at(90), why: Why::Failing }),
        failing_since: Some(at(80)),
        created_at: at(-3000),
        updated_at: at(90),
    }
}

fn quiet_endpoint() -> Endpoint {
    Endpoint {
        id: id("EP", 2),
        description: None,
        disabled: None,
        failing_since: None,
        full_numbers: false,
        ..endpoint()
    }
}

fn pending() -> ActiveVerification {
    ActiveVerification {
        service: id("VA", 1),
        number: number(1),
        caller: None,
        verification: id("VE", 1),
        expires_at: at(600),
    }
}

fn answer(n: u32) -> IdempotencyRecord {
    IdempotencyRecord {
        id: format!("dbk|{n}"),
        fingerprint: "5f".repeat(32),
        verification: (n == 1).then(|| verification(1)),
        is_same: false,
        until: None,
        reply: some("{\"status\":201}"),
        expires_at: at(86_400),
    }
}

fn counter() -> Counter {
    let counts =
        [("BL01".to_owned(), WindowCount { since: 1_795_000_000, taken: 3, ..WindowCount::default() })];
    Counter { counts: counts.into(), ends_at: at(60), ..Counter::new("RK01|192.0.2.7".into()) }
}

fn session() -> Session {
    Session {
        id: id("PS", 1),
        service: Some(id("VA", 1)),
        to: Some(number(1)),
        channels: vec![Channel::Sms, Channel::Call],
        return_url: some("https://app.example.com/back"),
        state: some("xyz"),
        locale: some("de"),
        details: details(),
        created_at: at(0),
        expires_at: at(1800),
        browser: some("ab"),
        number: Some(number(1)),
        numbers: 1,
        verification: Some(id("VE", 1)),
        starts: 1,
        end: Some(End::Approved),
        result: some("cd"),
        exchanged_at: Some(at(100)),
    }
}

fn new_session() -> Session {
    Session {
        id: id("PS", 2),
        service: None,
        to: None,
        channels: Vec::new(),
        state: None,
        locale: None,
        details: Details::default(),
        browser: None,
        number: None,
        numbers: 0,
        verification: None,
        starts: 0,
        end: None,
        result: None,
        exchanged_at: None,
        ..session()
    }
}

fn contact() -> SessionWindow {
    SessionWindow {
        number: number(1).in_full().to_owned(),
        sender: "whatsapp:+15005550006".into(),
        at: at(20),
    }
}

fn event(n: u32) -> Event {
    let body = EventBody {
        event_type: EventType::Failed,
        at: at(61),
        verification: Some(id("VE", n)),
        message: None,
        message_type: None,
        service: Some(id("VA", 1)),
        session: None,
        user: None,
        tags: BTreeMap::new(),
        delivery: Some(format!("DL{n:030x}01").parse().unwrap()),
        sid: Some(id("SM", n)),
        channel: Some(DeliveryChannel::Sms),
        to: some(number(n).in_full()),
        sender: some("+15005550006"),
        status: some("undelivered"),
        reason: Some(Reason::NotDelivered),
        error_code: Some(30003),
        detail: some("unreachable handset"),
        test: true,
        endpoint: some("EP00000000000000000000000000000100"),
        admission: None,
    };
    let body = if n == 1 { body } else { EventBody::new(EventType::Expired, at(600)) };
    Event { id: EventId::new(at(61), u128::from(n)), body, expires_at: at(30 * 86_400) }
}

fn dispatch(n: u32) -> Dispatch {
    let attempt = Try { at: at(62), status: Some(503), error: some("overloaded"), millis: 38 };
    Dispatch {
        event: event(1).id,
        endpoint: id("EP", n),
        created_at: at(61),
        state: if n == 1 { State::Pending } else { State::Delivered },
        attempts: n,
        next_at: (n == 1).then(|| at(67)),
        last: (n == 1).then_some(attempt),
        expires_at: at(30 * 86_400),
    }
}

fn audit() -> AuditEntry {
    AuditEntry {
        id: AuditId::new(at(70), 7),
        at: at(70),
        actor: Actor::caller("0123456789ab"),
        action: Action::ALL[0],
        subject: "VA00000000000000000000000000000100".into(),
        details: texts([("settings", "code_length, lifetime")]),
        marks: texts([("server.listen", "0af657d0")]),
    }
}
