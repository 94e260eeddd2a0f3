//! What the pure core costs: reading a callback, deciding, merging, and
//! writing a record down.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use dialback::entropy::Entropy;
use dialback::model::audit::Actor;
use dialback::model::channel::Channel;
use dialback::model::code::{CodeKey, CodeKeys};
use dialback::model::delivery::{Delivery, Report, Source};
use dialback::model::id::{ListEntryId, ServiceId, VerificationId};
use dialback::model::lists::{Asked, Effect, ListEntry, Matcher, Target};
use dialback::model::phone::{NumberPolicy, PhoneNumber};
use dialback::model::policy::Policy;
use dialback::model::pseudonym::Pseudonyms;
use dialback::model::verification::{Details, Input, Outcome, Start, Step, Verification, decide};
use dialback::secret::Secret;
use dialback::store::records;
use dialback::twilio::{callback, form};
use jiff::Timestamp;
use std::hint::black_box;
use std::time::Duration;

const SID: &str = "d097c097bfa960e81c522ab2518e135c";

fn message(status: &str) -> Report {
    let body = format!(
        "SmsSid=SM{SID}&SmsStatus={status}&MessageStatus={status}&To=%2B447700900123\
         &MessagingServiceSid=MG{SID}&MessageSid=SM{SID}&AccountSid=AC{SID}&From=%2B447700900999\
         &ApiVersion=2010-04-01"
    );
    callback::report(&form::parse(body.as_bytes()), Source::StatusCallback, None).expect("a callback")
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).expect("a time")
}

fn deliveries(c: &mut Criterion) {
    let call = format!(
        "CallSid=CA{SID}&CallStatus=completed&Timestamp=Thu%2C%2024%20Aug%202023%2005%3A01%3A45%20%2B0000\
         &SequenceNumber=3&CallDuration=15&Duration=1&SipResponseCode=200&AnsweredBy=human&To=%2B447700900123\
         &From=%2B447700900999&Direction=outbound-api&AccountSid=AC{SID}&CallbackSource=call-progress-events"
    );
    let call = form::parse(call.as_bytes());
    let decoded = callback::report(&call, Source::StatusCallback, None).expect("a callback");
    assert_eq!((decoded.fact.sequence, decoded.fact.carrier_at.is_some()), (Some(3), true));
    c.bench_function("callback decode", |b| {
        b.iter(|| callback::report(black_box(&call), Source::StatusCallback, None))
    });

    let (first, rest) = (message("queued"), ["sending", "sent"].map(message));
    let known = rest
        .into_iter()
        .fold(Delivery::new(first, at(0)), |delivery, report| delivery.merge(report, at(1)).expect("news"));
    let (news, known_already) = (message("delivered"), message("sent"));
    assert!(known.merge(known_already.clone(), at(2)).is_none());
    let merge = |report: Report| known.merge(black_box(report), at(2)).is_some();
    c.bench_function("merge news", |b| b.iter_batched(|| news.clone(), merge, BatchSize::SmallInput));
    c.bench_function("merge a repetition", |b| {
        b.iter_batched(|| known_already.clone(), merge, BatchSize::SmallInput)
    });
    let change = || records::put(None, black_box(&known));
    c.bench_function("record write", |b| b.iter(change));
}

fn verifications(c: &mut Criterion) {
    let key = CodeKey { id: "bench".into(), secret: Secret::new(SID) };
    let keys = CodeKeys::new(vec![key]).expect("a key that is long enough");
    let policy = Policy::default();
    let start = Start {
        session: None,
        id: VerificationId::from_random(Entropy::seeded(1).bytes()),
        to: PhoneNumber::parse("+14155552671", &NumberPolicy::default()).expect("a number"),
        locale: None,
        channel: Channel::Call,
        code: keys.seed([7; 16], 6),
        gate_key: None,
        service: None,
        details: Details::default(),
        test: false,
    };
    let waiting = Verification::start(&policy, start, at(0));
    let sid = format!("CA{SID}").parse().expect("a sid");
    let asks = Input::CallAsks { number: 1, sid, machine: false, step: Step::Answered };
    assert_eq!(decide(&policy, &waiting, asks.clone(), at(1)).outcome, Outcome::SayGate);

    let mut bench = |name, input: Input| {
        c.bench_function(name, |b| {
            b.iter_batched(
                || input.clone(),
                |input| decide(&policy, black_box(&waiting), input, at(1)),
                BatchSize::SmallInput,
            );
        });
    };
    bench("decide a check", Input::Check { matches: false });
    bench("decide a claim", Input::Claim { number: 1, routes: Vec::new() });
    bench("decide for a call", asks);
    c.bench_function("code derive", |b| b.iter(|| keys.derive(&waiting.id, black_box(&waiting.code))));
}

/// Ten thousand entries: numbers, erased numbers, ranges and networks of both versions.
fn entries(names: &Pseudonyms) -> Vec<ListEntry> {
    let entry = |effect, target: Target| ListEntry {
        key: ListEntry::key(names, effect, &target, None),
        id: ListEntryId::from_random([1; 16]),
        effect,
        target,
        service: None,
        reason: Some("pumping".to_owned()),
        ends_at: Some(at(3600)),
        actor: Actor::operator(),
        created_at: at(0),
    };
    let range = |text: String| Target::Range(text.parse().expect("a range"));
    let network = |text: String| Target::Network(text.parse().expect("a network"));
    let mut all = Vec::new();
    for n in 0..2_500u32 {
        let number: PhoneNumber = format!("+44740{:07}", n * 31).parse().expect("a number");
        let own = entry(Effect::Block, Target::number(&number));
        all.push(if n % 2 == 0 { own.erased(names, number.in_full()) } else { own });
        all.push(entry(Effect::Block, range(format!("+49{}", (1_000 + n * 7) / 10u32.pow(n % 3)))));
        let v4 = network(format!("10.{}.{}.0/{}", n / 250, n % 250, 24 + n % 2));
        all.push(entry(Effect::Allow, v4));
        all.push(entry(Effect::Block, network(format!("2001:db8:{n:x}::/{}", 48 + n % 17))));
    }
    all
}

fn lists(c: &mut Criterion) {
    let names = Pseudonyms::new(&Secret::new("k".repeat(32)));
    let mut entries = entries(&names);
    let service = ServiceId::from_name("shop");
    let number: PhoneNumber = "+5511987654321".parse().expect("a number");
    let address = "2001:db9::1".parse().expect("an address");
    let judge = |matcher: &Matcher| {
        let person = number.person();
        matcher.judge(&Asked {
            person: &person,
            service: &service,
            address: Some(address),
            now: at(1),
            region: &|| number.region(),
            name: &|| ListEntry::name_of(&names, person.as_str()),
        })
    };
    c.bench_function("lists compile", |b| b.iter(|| Matcher::new(black_box(&entries), [])));
    let matcher = Matcher::new(&entries, []);
    c.bench_function("lists look up", |b| b.iter(|| judge(black_box(&matcher))));
    entries[0].target = Target::country("KP", None).expect("a country");
    let matcher = Matcher::new(&entries, []);
    c.bench_function("lists look up with a country", |b| b.iter(|| judge(black_box(&matcher))));
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = deliveries, verifications, lists
}
criterion_main!(benches);
