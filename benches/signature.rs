//! What a webhook costs before anything is done with it: reading the form,
//! proving the signature, and finding out why it fails.

use criterion::{Criterion, criterion_group, criterion_main};
use dialback::secret::Secret;
use dialback::twilio::explain::{Hints, explain};
use dialback::twilio::form;
use dialback::twilio::signature::{Algorithm, Signed, Token, Verifier, sign_request};
use std::hint::black_box;
use std::time::Duration;

/// A status callback as Twilio sends it, 361 bytes.
const BODY: &[u8] = b"ErrorCode=30003&RawDlrDoneDate=2611200000&SmsSid=SMd097c097bfa960e81c522ab2518e135c\
&SmsStatus=undelivered&MessageStatus=undelivered&To=%2B447700900123\
&MessagingServiceSid=MGd097c097bfa960e81c522ab2518e135c&MessageSid=SMd097c097bfa960e81c522ab2518e135c\
&AccountSid=ACd097c097bfa960e81c522ab2518e135c&From=%2B447700900999&ApiVersion=2010-04-01";

fn signature(c: &mut Criterion) {
    let secret = Secret::new("0af657d0e70acabaf35ab0f0f84481e5");
    let account = Some("ACd097c097bfa960e81c522ab2518e135c".to_owned());
    let token = Token { label: "auth_token".into(), account, secret: secret.clone() };
    let verifier = Verifier::new(vec![token], vec![]).expect("one token that is not empty");
    let unsigned = Signed {
        method: "POST",
        url: "https://otp.example.net/twilio/status",
        content_type: Some("application/x-www-form-urlencoded"),
        body: BODY,
        signatures: &[],
        settings: None,
    };
    let right = sign_request(&secret, Algorithm::HmacSha1, &unsigned).expect("a form can be signed");
    let (right, wrong) = ([right.as_bytes()], [&b"RSOYDt4T1cUTdK1PDd93/VVr8B8="[..]]);
    let valid = Signed { signatures: &right, ..unsigned };
    let invalid = Signed { signatures: &wrong, ..unsigned };
    let missing = Signed { signatures: &[], ..unsigned };
    assert!(verifier.verify(&valid).is_ok() && verifier.verify(&invalid).is_err());

    c.bench_function("form parse", |b| b.iter(|| form::parse(black_box(BODY))));
    c.bench_function("signature valid", |b| b.iter(|| verifier.verify(black_box(&valid)).is_ok()));
    c.bench_function("signature invalid", |b| b.iter(|| verifier.verify(black_box(&invalid)).is_ok()));
    c.bench_function("signature missing", |b| b.iter(|| verifier.verify(black_box(&missing)).is_ok()));
    c.bench_function("explain in vain", |b| b.iter(|| explain(&verifier, &invalid, &Hints::default())));
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = signature
}
criterion_main!(benches);
