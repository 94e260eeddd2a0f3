//! What a voice answer costs: building and writing the documents of a call.

use criterion::{Criterion, criterion_group, criterion_main};
use dialback::twilio::documents::{Before, GatePolicy, gate, read_code};
use dialback::twilio::words::resolve;
use std::hint::black_box;
use std::time::Duration;

fn documents(c: &mut Criterion) {
    let words = resolve(Some("de"));
    c.bench_function("twiml/resolve", |b| b.iter(|| resolve(black_box(Some("de_CH"))).locale().len()));
    c.bench_function("twiml/gate", |b| {
        b.iter(|| gate(black_box(words), GatePolicy::AnyKey, "/voice/VE0/1/key", "Dialback").render())
    });
    c.bench_function("twiml/read six digits", |b| {
        b.iter(|| {
            read_code(words, black_box("054321"), Before::default(), "/voice/VE0/1/read")
                .map(|read| read.render())
        })
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = documents
}
criterion_main!(benches);
