//! `/v1/messages`: messages of their own, which carry no code.

use super::fields::{Field, Shape};
use super::message_settings::WORD;
use super::operation::{Answer, Body, Call, Operation, Repeats};
use super::paging::{self, CURSOR, LIMIT};
use super::verifications::{SERVICE, TAGS, USER};
use super::views::message::{Message, MessageStatistics, Messages};
use super::words::{MessageStatusWord, PriorityWord};
use super::{repeats, search};
use crate::app::keyed;
use crate::app::messages::{MessageFilter, MessageRequest, RetryRequest, StatisticsQuery};
use crate::http::context::CallContext;
use crate::http::error::Error;
use crate::http::{problem, reply};
use crate::model::key::Scope;
use crate::model::message::{self, MOST_TEXT, MessageStatus, Priority};
use std::time::Duration;
use warp::http::StatusCode;
use warp::reply::Response;

/// The chapter of the documentation.
const TAG: &str = "Messages";
const ID: Field = Field::needed("id", "The message's id.", Shape::Id(&["OM"]));
const NUMBER: Shape = Shape::Typed { least: 0, most: 64 };
const CHANNEL: Shape = Shape::Word(|| vec!["sms", "whatsapp"]);
/// How long messages may be counted, well within the time of a request.
const LONGEST_COUNT: Duration = Duration::from_secs(8);
const EXPIRES_AT: Field = Field::new(
    "expires_at",
    "The deadline: nothing leaves, and nothing is tried again, after it. A minute to 24 hours after `send_at`, or after now. Left out: 4 hours.",
    Shape::Time,
);
const FROM_CREATE: &[(&str, &str, &str)] =
    &[("fetchMessage", "id", "/id"), ("cancelMessage", "id", "/id"), ("retryMessage", "id", "/id")];

/// `POST /v1/messages`: takes a message, which leaves later.
pub const CREATE: Operation = Operation {
    method: "POST",
    id: "sendMessage",
    tag: TAG,
    summary: "Send a message",
    about: "Takes a message that is no code, made of one of the service's `message_templates`, or of `text` where the service has `free_text`. The answer comes before it leaves: what becomes of it is in its `status` and in the events `message.*`.\n\nThe rules of codes hold: lists, countries, kinds of numbers, senders, opt-outs and budgets. A number gets no more of a type than `message_types` says, and none of a type that it wants none of (`PUT /v1/opt-outs/{number}` with `sender` = `type:NAME`), unless the type is one of `security`; who told a sender to stop gets nothing from it. What a number may get of codes is not touched.\n\nA message that a channel does not bring goes by the next one of its plan, as `failover` of the service says.",
    scope: Scope::Message,
    path: &[],
    query: &[],
    body: Body::Needed(&[
        Field::needed("to", "The number, best in international form: `+14155550123`.", NUMBER)
            .example("\"+14155550123\""),
        Field::new(
            "channel",
            "The only channel to try: `sms` or `whatsapp`. Left out: the service's, in their order.",
            CHANNEL,
        ),
        SERVICE,
        Field::new("template", "The template, by its name in `message_templates`.", WORD)
            .example("\"order_shipped\""),
        Field::new(
            "variables",
            "What the template's variables are, all of them: `{\"order\": \"4711\"}`. No links, unless the service has `allow_links`.",
            Shape::Map { names: &WORD, of: &Shape::Text { least: 1, most: 256 }, most: 20 },
        )
        .example("{\"order\": \"4711\"}"),
        Field::new(
            "text",
            "The whole text, in the place of a template, where the service has `free_text`.",
            Shape::Typed { least: 1, most: MOST_TEXT },
        ),
        Field::new(
            "type",
            "What sort of message it is, by its name in `message_types`. Left out: the template's, else `transactional`.",
            WORD,
        ),
        Field::new(
            "priority",
            "`high` goes among the codes, for what somebody waits for; `normal` keeps no code waiting. Left out: `normal`.",
            Shape::Word(PriorityWord::all),
        ),
        Field::new(
            "locale",
            "The language, like `pt-BR`: the closest one that the template has. Left out: that of the number's country.",
            Shape::Chars { class: "A-Za-z0-9_-", least: 2, most: 35 },
        ),
        Field::new(
            "send_at",
            "It leaves no sooner; at most 35 days ahead. Left out, or in the past: at once.",
            Shape::Time,
        ),
        EXPIRES_AT,
        USER,
        TAGS,
    ]),
    answer: Answer::json::<Message>(201, "It is taken.").leading_to(FROM_CREATE),
    problems: &[
        &problem::INVALID_NUMBER,
        &problem::CHANNEL_NOT_OFFERED,
        &problem::COUNTRY_NOT_OFFERED,
        &problem::NO_CHANNEL,
        &problem::NOT_ALLOWED,
        &problem::SERVICE_NOT_FOUND,
        &problem::RECIPIENT_OPTED_OUT,
        &problem::LIMIT_REACHED,
        &problem::BLOCKED,
    ],
    repeats: Repeats::KeptByHandler,
};

/// Takes a message.
pub async fn create(context: CallContext, mut call: Call) -> Result<Response, Error> {
    let whole = call.body.to_string();
    let idempotency = repeats::key(&call.headers, &call.caller)?.map(|own| (own.key, whole));
    let body = &mut call.body;
    let request = MessageRequest {
        to: body.needed("to")?,
        service: context.app.service_named(body.text("service")).await?,
        channel: body.parsed("channel")?,
        template: body.text("template"),
        variables: body.map("variables").unwrap_or_default(),
        text: body.text("text"),
        message_type: body.text("type"),
        priority: priority(body.text("priority").as_deref()),
        locale: body.text("locale"),
        send_at: body.time("send_at"),
        expires_at: body.time("expires_at"),
        user: body.text("user"),
        tags: body.map("tags").unwrap_or_default(),
        caller: None,
        idempotency,
    };
    let (message, is_replayed) = keyed::send_message(&context.app, request).await?;
    let mut response = reply::created(&format!("/v1/messages/{}", message.id), &shown(&context, &message));
    if is_replayed {
        repeats::mark(&mut response);
    }
    Ok(response)
}

/// A word of another kind was refused when the body was read.
fn priority(word: Option<&str>) -> Priority {
    let is_it = |one: &Priority| Some(one.as_str()) == word;
    Priority::ALL.into_iter().find(is_it).unwrap_or_default()
}

fn shown(context: &CallContext, message: &message::Message) -> Message {
    Message::of(message, context.app.default_service().as_str())
}

/// `GET /v1/messages`: messages, the newest first.
pub const LIST: Operation = Operation {
    method: "GET",
    id: "listMessages",
    tag: TAG,
    summary: "List messages",
    about: "The newest first. Those that left are kept for `retention.messages_hours` after their end, those that failed for `retention.failed_messages_days`.",
    scope: Scope::Message,
    path: &[],
    query: &[
        Field::new("to", "Those to this number, in any writing.", NUMBER),
        Field::new("status", "Those in this status now.", Shape::Word(MessageStatusWord::all)),
        Field::new("type", "Those of this type.", WORD),
        Field::new("service", "Those of this service, by its id or name.", SERVICE.shape),
        Field::new("since", "Those that were taken at this time or later.", Shape::Time),
        Field::new("until", "Those that were taken before this time.", Shape::Time),
        LIMIT,
        CURSOR,
    ],
    body: Body::None,
    answer: Answer::list::<Messages>("A page of them."),
    problems: &[&problem::INVALID_NUMBER, &problem::SERVICE_NOT_FOUND],
    repeats: Repeats::OnlyReads,
};

/// `POST /v1/messages/search`: the same list, with the number in the body.
pub const SEARCH: Operation = search::of(&LIST, "searchMessages", "Search messages");

/// Lists the messages that the query's filters take.
pub async fn list(context: CallContext, mut call: Call) -> Result<Response, Error> {
    let asked = paging::asked(&mut call)?;
    let query = &mut call.query;
    let service = context.app.service_listed(query.text("service")).await?;
    let status = query.text("status");
    let filter = MessageFilter {
        to: query.text("to"),
        status: status.and_then(|word| MessageStatus::ALL.into_iter().find(|status| status.as_str() == word)),
        message_type: query.text("type"),
        service,
        since: query.time("since"),
        until: query.time("until"),
    };
    let page = keyed::messages(&context.app, &filter, &asked.window).await?;
    Ok(paging::answer(&call, &asked, page, |items: Vec<message::Message>, next_cursor| Messages {
        messages: items.iter().map(|message| shown(&context, message)).collect(),
        next_cursor,
    }))
}

/// `GET /v1/messages/statistics`: what messages of each type came to.
pub const STATISTICS: Operation = Operation {
    method: "GET",
    id: "countMessages",
    tag: TAG,
    summary: "Count messages by type",
    about: "How many messages of each type stand how, and what they cost by the price table. It counts the messages there are: those that left are kept for `retention.messages_hours`, those that failed for `retention.failed_messages_days`.",
    scope: Scope::Message,
    path: &[],
    query: &[
        Field::new("service", "Those of this service, by its id or name.", SERVICE.shape),
        Field::new("since", "Those that were taken at this time or later.", Shape::Time),
        Field::new("until", "Those that were taken before this time.", Shape::Time),
    ],
    body: Body::None,
    answer: Answer::json::<MessageStatistics>(200, "What they came to."),
    problems: &[&problem::SERVICE_NOT_FOUND],
    repeats: Repeats::OnlyReads,
};

/// Counts messages by type.
pub async fn statistics(context: CallContext, mut call: Call) -> Result<Response, Error> {
    let query = &mut call.query;
    let query = StatisticsQuery {
        service: context.app.service_listed(query.text("service")).await?,
        since: query.time("since"),
        until: query.time("until"),
    };
    let counted = keyed::message_statistics(&context.app, &query, LONGEST_COUNT).await?;
    Ok(reply::json(StatusCode::OK, &MessageStatistics::from(&counted)))
}

/// `GET /v1/messages/{id}`: one message with its sends.
pub const FETCH: Operation = Operation {
    method: "GET",
    id: "fetchMessage",
    tag: TAG,
    summary: "Look at a message",
    about: "",
    scope: Scope::Message,
    path: &[ID],
    query: &[],
    body: Body::None,
    answer: Answer::json::<Message>(200, "It, as it stands."),
    problems: &[&problem::NOT_FOUND],
    repeats: Repeats::OnlyReads,
};

/// Shows one message with its sends.
pub async fn fetch(context: CallContext, call: Call) -> Result<Response, Error> {
    let message = keyed::fetch_message(&context.app, &call.id()?).await?;
    Ok(reply::json(StatusCode::OK, &shown(&context, &message)))
}

/// `DELETE /v1/messages/{id}`: calls a message off.
pub const CANCEL: Operation = Operation {
    method: "DELETE",
    id: "cancelMessage",
    tag: TAG,
    summary: "Call a message off",
    about: "One that has not left does not leave any more. One that was called off stays so; of one whose send is under way right now the provider may have it already: then its status becomes `sent`.",
    scope: Scope::Message,
    path: &[ID],
    query: &[],
    body: Body::None,
    answer: Answer::json::<Message>(200, "It is called off."),
    problems: &[&problem::NOT_FOUND, &problem::MESSAGE_STATUS],
    repeats: Repeats::Ignored,
};

/// Calls one off.
pub async fn cancel(context: CallContext, call: Call) -> Result<Response, Error> {
    let message = keyed::cancel_message(&context.app, &call.id()?).await?;
    Ok(reply::json(StatusCode::OK, &shown(&context, &message)))
}

/// `POST /v1/messages/{id}/retry`: has a message sent again that failed.
pub const RETRY: Operation = Operation {
    method: "POST",
    id: "retryMessage",
    tag: TAG,
    summary: "Send a failed message again",
    about: "One that is `failed` or `expired` begins anew, with its words and by its plan. The rules are asked again.",
    scope: Scope::Message,
    path: &[ID],
    query: &[],
    body: Body::Optional(&[
        Field::new(
            "channel",
            "The channel to try first, one of its plan. Left out: the first of these.",
            CHANNEL,
        ),
        EXPIRES_AT,
    ]),
    answer: Answer::json::<Message>(200, "It is on its way."),
    problems: &[
        &problem::NOT_FOUND,
        &problem::MESSAGE_STATUS,
        &problem::NO_SENDS_LEFT,
        &problem::INVALID_NUMBER,
        &problem::CHANNEL_NOT_OFFERED,
        &problem::COUNTRY_NOT_OFFERED,
        &problem::NO_CHANNEL,
        &problem::NOT_ALLOWED,
        &problem::RECIPIENT_OPTED_OUT,
        &problem::LIMIT_REACHED,
        &problem::BLOCKED,
    ],
    repeats: Repeats::Kept,
};

/// Has one sent again.
pub async fn retry(context: CallContext, mut call: Call) -> Result<Response, Error> {
    let id = call.id()?;
    let body = &mut call.body;
    let request = RetryRequest { id, channel: body.parsed("channel")?, expires_at: body.time("expires_at") };
    let message = keyed::retry_message(&context.app, &request).await?;
    Ok(reply::json(StatusCode::OK, &shown(&context, &message)))
}
