//! `/v1/verifications`

use super::body::Fields;
use super::fields::{Field, Shape};
use super::operation::{Answer, Body, Call, Operation, Repeats};
use super::paging::{self, CURSOR, LIMIT};
use super::views::verification::{Verification, Verifications};
use super::words::{ChannelWord, StatusWord};
use super::{repeats, search};
use crate::app::admission::AdmissionError;
use crate::app::fault::Fault;
use crate::app::keyed;
use crate::app::verification::{
    Again, CaptchaOffer, StartRequest, VerificationError, VerificationFilter, View,
};
use crate::http::caller::Caller;
use crate::http::context::CallContext;
use crate::http::error::Error;
use crate::http::{problem, reply};
use crate::model::key::Scope;
use crate::model::service::MOST_NAME;
use crate::model::verification::{Details, Status};
use crate::secret::Secret;
use std::net::IpAddr;
use warp::http::header::RETRY_AFTER;
use warp::http::{HeaderValue, StatusCode};
use warp::reply::Response;

/// The chapter of the documentation.
pub const TAG: &str = "Verifications";
/// A verification's id, in a path.
pub const ID: Field = Field::needed("id", "The verification's id.", Shape::Id(&["VE"]));
/// A telephone number; that nothing is none is said by who reads numbers.
const NUMBER: Shape = Shape::Typed { least: 0, most: 64 };
/// The longest proof, in characters; those of the providers have up to 4096.
const MOST_TOKEN: usize = 8192;
const CHANNEL: Shape = Shape::Word(ChannelWord::all);
/// What is to be paid and who is, as far as a check says it.
pub const AMOUNT: Field = Field::new(
    "amount",
    "What is to be paid, as it is shown. The code is bound to it: a check has to name the same (PSD2). Needed where the service has `psd2`.",
    Shape::Text { least: 1, most: 64 },
);
/// Who is to be paid, beside the [`AMOUNT`].
pub const PAYEE: Field = Field::new(
    "payee",
    "Who is to be paid. The code is bound to it: a check has to name the same (PSD2). Needed where the service has `psd2`.",
    Shape::Text { least: 1, most: 64 },
);
/// The service that something is for.
pub const SERVICE: Field = Field::new(
    "service",
    "The service: its id; or its key in the configuration file, `default` for the one of its top level; or its name, where no other has that. Left out: the default one, or the only one that the key is for.",
    Shape::Text { least: 1, most: 64 },
)
.example("\"shop\"");
/// The name in the message.
pub const FRIENDLY_NAME: Field = Field::new(
    "friendly_name",
    "The name in the message, instead of the service's.",
    Shape::Text { least: 1, most: MOST_NAME },
);
/// The application's own name for the person.
pub const USER: Field = Field::new(
    "user",
    "Your own name for the person. Nobody else sees it; it is in the events.",
    Shape::Text { least: 1, most: 128 },
);
/// The application's own marks.
pub const TAGS: Field = Field::new(
    "tags",
    "Your own marks, at most ten. They are in the events.",
    Shape::Map {
        names: &Shape::Text { least: 1, most: 64 },
        of: &Shape::Text { least: 0, most: 128 },
        most: 10,
    },
);
/// The person's device.
const DEVICE: Field = Field::new(
    "device_id",
    "The person's device, as you name it: any text that stays the same, such as an installation's id. Limits count by it (`device_unverified`). What is kept is a pseudonym.",
    Shape::Text { least: 1, most: 128 },
);
/// A proof that a person is asking.
const CAPTCHA_TOKEN: Field = Field::new(
    "captcha_token",
    "A proof that a person is asking, where one was asked for (`captcha_required`): what the provider's widget gave, or the word that your application signs. It counts once.",
    Shape::Chars { class: "!-~", least: 1, most: MOST_TOKEN },
);
const FROM_CREATE: &[(&str, &str, &str)] = &[
    ("fetchVerification", "id", "/id"),
    ("checkVerification", "id", "/id"),
    ("resendVerification", "id", "/id"),
    ("stopFailover", "id", "/id"),
    ("cancelVerification", "id", "/id"),
];

/// `POST /v1/verifications`: starts a verification, whose code is sent.
pub const CREATE: Operation = Operation {
    method: "POST",
    id: "startVerification",
    tag: TAG,
    summary: "Start a verification",
    about: "Sends a code to a number. The answer comes before the code is sent: what becomes of it is in `deliveries` of the verification.\n\nWhile a verification that your key began for the number waits for its code, another start for the same purpose and payment is that verification, with 200: it is sent again, or, where that is too soon, only shown, with `Retry-After` and `resend_at`. For another purpose or payment it is refused (`verification_pending`). What other keys began is nothing to it. A service with `pending` = `many` makes a verification of each start.",
    scope: Scope::Send,
    path: &[],
    query: &[],
    body: Body::Needed(&[
        Field::needed("to", "The number, best in international form: `+14155550123`.", NUMBER)
            .example("\"+14155550123\""),
        Field::new("channel", "How. Left out: the service's preferred way to this number.", CHANNEL)
            .example("\"sms\""),
        SERVICE,
        Field::new(
            "locale",
            "The language of the message, like `pt-BR`: one that there are texts in, in any region. Left out: that of the number's country.",
            Shape::Chars { class: "A-Za-z0-9_-", least: 2, most: 35 },
        )
        .example("\"de\""),
        FRIENDLY_NAME,
        Field::new(
            "template",
            "The set of message templates, instead of the service's.",
            Shape::Chars { class: "A-Za-z0-9_-", least: 1, most: 64 },
        ),
        AMOUNT,
        PAYEE,
        Field::new(
            "purpose",
            "What the code is for, in the person's language: `to sign in`.",
            Shape::Text { least: 1, most: 100 },
        ),
        Field::new(
            "app_hash",
            "The 11 characters by which an Android application is told of the message.",
            Shape::Chars { class: "A-Za-z0-9+/", least: 11, most: 11 },
        ),
        Field::new(
            "custom_code",
            "A code of your own, where the service allows it.",
            Shape::Chars { class: "0-9A-Za-z", least: 4, most: 10 },
        ),
        Field::new(
            "send_digits",
            "Digits to dial once a call is answered; `w` waits half a second.",
            Shape::Chars { class: "0-9#*wW", least: 1, most: 32 },
        ),
        Field::new(
            "device_ip",
            "The address of the person's device.",
            Shape::Ip,
        ),
        DEVICE,
        CAPTCHA_TOKEN,
        USER,
        TAGS,
    ]),
    answer: Answer::json::<Verification>(201, "It has begun.")
        .or(200, "It had begun before: it was sent again, or, with `Retry-After`, nothing was sent.")
        .leading_to(FROM_CREATE),
    problems: &[
        &problem::INVALID_NUMBER,
        &problem::CHANNEL_NOT_OFFERED,
        &problem::COUNTRY_NOT_OFFERED,
        &problem::NO_CHANNEL,
        &problem::NOT_ALLOWED,
        &problem::PAYMENT_MISSING,
        &problem::SERVICE_NOT_FOUND,
        &problem::RECIPIENT_OPTED_OUT,
        &problem::VERIFICATION_PENDING,
        &problem::NO_SENDS_LEFT,
        &problem::LIMIT_REACHED,
        &problem::FRAUD_SUSPECTED,
        &problem::BLOCKED,
        &problem::SLOW_DOWN,
        &problem::CAPTCHA_REQUIRED,
        &problem::CAPTCHA_UNAVAILABLE,
    ],
    repeats: Repeats::KeptByHandler,
};

/// Starts a verification, or repeats the answer of a request of the same name.
pub async fn create(context: CallContext, mut call: Call) -> Result<Response, Error> {
    let idempotency = repeats::key(&call.headers, &call.caller)?;
    let body = &mut call.body;
    let template = body.text("template");
    if let Some(name) = &template
        && context.sets().await?.find(name).is_none()
    {
        let what = "there is no such set of texts: `messages.dir` holds them";
        return Err(
            VerificationError::Admission(AdmissionError::NotAllowed { field: "template", what }).into()
        );
    }
    // A field is taken out as it is read.
    let address = body.parsed::<IpAddr>("device_ip")?;
    let request = StartRequest {
        to: body.needed("to")?,
        channel: body.parsed("channel")?,
        service: context.app.service_named(body.text("service")).await?,
        session: None,
        caller: None,
        address,
        device: body.text("device_id"),
        captcha: captcha(body),
        locale: body.text("locale"),
        custom_code: body.text("custom_code").map(Secret::new),
        details: Details {
            friendly_name: body.text("friendly_name"),
            template,
            amount: body.text("amount"),
            payee: body.text("payee"),
            purpose: body.text("purpose"),
            app_hash: body.text("app_hash"),
            send_digits: body.text("send_digits"),
            device_ip: address.map(|address| address.to_string()),
            user: body.text("user"),
            tags: body.map("tags").unwrap_or_default(),
        },
    };
    let started = keyed::start(&context.app, request, idempotency).await?;
    let (path, shown) =
        (format!("/v1/verifications/{}", started.view.verification.id), Verification::from(&started.view));
    let mut response = match started.is_same {
        true => reply::json(StatusCode::OK, &shown),
        false => reply::created(&path, &shown),
    };
    if started.replayed {
        repeats::mark(&mut response);
    }
    if let Some(seconds) = started.wait {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    Ok(response)
}

/// The proof that a body brings.
fn captcha(body: &mut Fields) -> Option<CaptchaOffer> {
    let token = Secret::new(body.text("captcha_token")?);
    Some(CaptchaOffer { token, made_for: None })
}

/// `GET /v1/verifications`: verifications, the newest first.
pub const LIST: Operation = Operation {
    method: "GET",
    id: "listVerifications",
    tag: TAG,
    summary: "List verifications",
    about: "The newest first.",
    scope: Scope::Read,
    path: &[],
    query: &[
        Field::new("to", "Those of this number, in any writing.", NUMBER),
        Field::new("status", "Those in this status now.", Shape::Word(StatusWord::all)),
        Field::new("service", "Those of this service, by its id or name.", SERVICE.shape),
        Field::new("since", "Those that began at this time or later.", Shape::Time),
        Field::new("until", "Those that began before this time.", Shape::Time),
        LIMIT,
        CURSOR,
    ],
    body: Body::None,
    answer: Answer::list::<Verifications>("A page of them."),
    problems: &[&problem::INVALID_NUMBER, &problem::SERVICE_NOT_FOUND],
    repeats: Repeats::OnlyReads,
};

/// `POST /v1/verifications/search`: the same list, with the number in the body.
pub const SEARCH: Operation = search::of(&LIST, "searchVerifications", "Search verifications");

/// Lists the verifications that the query's filters take.
pub async fn list(context: CallContext, mut call: Call) -> Result<Response, Error> {
    let asked = paging::asked(&mut call)?;
    let query = &mut call.query;
    let service = context.app.service_listed(query.text("service")).await?;
    let status = query.text("status");
    let filter = VerificationFilter {
        to: query.text("to"),
        status: status.and_then(|word| Status::ALL.into_iter().find(|status| status.as_str() == word)),
        service,
        since: query.time("since"),
        until: query.time("until"),
    };
    let page = keyed::verifications(&context.app, &filter, &asked.window).await?;
    Ok(paging::answer(&call, &asked, page, |items: Vec<View>, next_cursor| Verifications {
        verifications: items.iter().map(|view| Verification::seen_by(&call.caller, view)).collect(),
        next_cursor,
    }))
}

/// `GET /v1/verifications/{id}`: one verification with its sends.
pub const FETCH: Operation = Operation {
    method: "GET",
    id: "fetchVerification",
    tag: TAG,
    summary: "Look at a verification",
    about: "",
    scope: Scope::Read,
    path: &[ID],
    query: &[],
    body: Body::None,
    answer: Answer::json::<Verification>(200, "It, as it stands."),
    problems: &[&problem::NOT_FOUND],
    repeats: Repeats::OnlyReads,
};

/// Shows one verification with its sends.
pub async fn fetch(context: CallContext, call: Call) -> Result<Response, Error> {
    let view = keyed::fetch(&context.app, &call.id()?).await?;
    Ok(reply::json(StatusCode::OK, &Verification::seen_by(&call.caller, &view)))
}

/// `POST /v1/verifications/{id}/resend`: sends its code again.
pub const RESEND: Operation = Operation {
    method: "POST",
    id: "resendVerification",
    tag: TAG,
    summary: "Send again",
    about: "By the same channel or another. The code is the same, unless the service makes a new one each time.\n\nTo a key without the scope `read`, a verification that has ended is one that does not exist.",
    scope: Scope::Send,
    path: &[ID],
    query: &[],
    body: Body::Optional(&[
        Field::new("channel", "How. Left out: as before.", CHANNEL),
        Field::new("device_ip", "The address of the person's device.", Shape::Ip),
        DEVICE,
        CAPTCHA_TOKEN,
    ]),
    answer: Answer::json::<Verification>(200, "It is on its way."),
    problems: &[
        &problem::NOT_FOUND,
        &problem::VERIFICATION_ENDED,
        &problem::PAYMENT_MISSING,
        &problem::CHANNEL_NOT_OFFERED,
        &problem::COUNTRY_NOT_OFFERED,
        &problem::RECIPIENT_OPTED_OUT,
        &problem::RESEND_TOO_SOON,
        &problem::NO_SENDS_LEFT,
        &problem::LIMIT_REACHED,
        &problem::FRAUD_SUSPECTED,
        &problem::BLOCKED,
        &problem::SLOW_DOWN,
        &problem::CAPTCHA_REQUIRED,
        &problem::CAPTCHA_UNAVAILABLE,
    ],
    repeats: Repeats::Kept,
};

/// Sends one again.
pub async fn resend(context: CallContext, mut call: Call) -> Result<Response, Error> {
    let body = &mut call.body;
    let again = Again {
        channel: body.parsed("channel")?,
        address: body.parsed("device_ip")?,
        device: body.text("device_id"),
        captcha: captcha(body),
        ..Again::default()
    };
    let sent = keyed::resend(&context.app, &call.id()?, again).await;
    let view = sent.map_err(|error| blurred(error, &call.caller))?;
    Ok(reply::json(StatusCode::OK, &Verification::from(&view)))
}

/// `POST /v1/verifications/{id}/stop-failover`: sends nothing more by itself.
pub const STOP_FAILOVER: Operation = Operation {
    method: "POST",
    id: "stopFailover",
    tag: TAG,
    summary: "Send nothing else by itself",
    about: "For the person who reads \"We are about to call you\" and does not want that: nothing takes the place of what does not arrive any more, and what was about to by itself is dropped, unless it has begun to leave. The code stays good, and another message or call is sent when it is asked for. Said twice, it stays so.\n\nTo a key without the scope `read`, a verification that has ended is one that does not exist.",
    scope: Scope::Send,
    path: &[ID],
    query: &[],
    body: Body::None,
    answer: Answer::json::<Verification>(200, "Nothing follows by itself."),
    problems: &[&problem::NOT_FOUND, &problem::VERIFICATION_ENDED],
    repeats: Repeats::Ignored,
};

/// Lets nothing follow by itself.
pub async fn stop_failover(context: CallContext, call: Call) -> Result<Response, Error> {
    let stopped = keyed::stay(&context.app, &call.id()?).await;
    let view = stopped.map_err(|error| blurred(error, &call.caller))?;
    Ok(reply::json(StatusCode::OK, &Verification::from(&view)))
}

/// `DELETE /v1/verifications/{id}`: calls a verification off.
pub const CANCEL: Operation = Operation {
    method: "DELETE",
    id: "cancelVerification",
    tag: TAG,
    summary: "Call a verification off",
    about: "Its code is worth nothing from then on. One that was called off stays so.\n\nTo a key without the scope `read`, a verification that has ended is one that does not exist.",
    scope: Scope::Send,
    path: &[ID],
    query: &[],
    body: Body::None,
    answer: Answer::json::<Verification>(200, "It has ended."),
    problems: &[&problem::NOT_FOUND, &problem::VERIFICATION_ENDED],
    repeats: Repeats::Ignored,
};

/// Calls one off.
pub async fn cancel(context: CallContext, call: Call) -> Result<Response, Error> {
    let ended = keyed::cancel(&context.app, &call.id()?).await;
    let view = ended.map_err(|error| blurred(error, &call.caller))?;
    Ok(reply::json(StatusCode::OK, &Verification::from(&view)))
}

/// What has ended and what never was look alike to who may not read.
fn blurred(error: VerificationError, caller: &Caller) -> VerificationError {
    match error {
        VerificationError::Ended(_) if !caller.may(Scope::Read) => VerificationError::Fault(Fault::NotFound),
        error => error,
    }
}
