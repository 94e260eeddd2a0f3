//! `/v1/channels`

use super::fields::{Field, Shape};
use super::operation::{Answer, Body, Call, Operation, Repeats};
use super::verifications::SERVICE;
use super::views::channel::ChannelsView;
use crate::app::admission::OfferQuery;
use crate::app::keyed;
use crate::http::context::CallContext;
use crate::http::error::Error;
use crate::http::pages::words;
use crate::http::{problem, reply};
use crate::model::key::Scope;
use warp::http::StatusCode;
use warp::reply::Response;

/// `GET /v1/channels`: what a service offers, and why not the rest.
pub const LIST: Operation = Operation {
    method: "GET",
    id: "listChannels",
    tag: "Services",
    summary: "See which channels are offered",
    about: "Every channel there is, the service's in their order first, each with whether a start by it would be taken and, if not, with the code of the rule that refuses it. For a country, or for a number: then by what the plan of its country says of it, such as that it is a landline.\n\nIt goes by country and kind of number alone, and says nothing about a person: opt-outs, lists of who is allowed or blocked, limits, signals of fraud, look-ups and what is pending are not asked. So a start may still be refused by these; and a number on the list of those who are allowed may be reached where its country is not offered.",
    scope: Scope::Send,
    path: &[],
    query: &[
        SERVICE,
        Field::new(
            "country",
            "The country, as an ISO 3166 code. Left out, without `to`: wherever, so that no country is refused.",
            Shape::Chars { class: "A-Za-z", least: 2, most: 3 },
        )
        .example("\"DE\""),
        Field::new(
            "to",
            "A number, read as a start's; its own country goes before `country`. It is never shown again. Numbers in URLs stay in the logs of proxies: where the country is enough, name that.",
            Shape::Typed { least: 0, most: 64 },
        )
        .example("\"+4915123456789\""),
        Field::new(
            "locale",
            "The language of the labels, like `pt-BR`: one that there are texts in, in any region. Left out: the service's, else English.",
            Shape::Chars { class: "A-Za-z0-9_-", least: 2, most: 35 },
        )
        .example("\"de\""),
    ],
    body: Body::None,
    answer: Answer::json::<ChannelsView>(200, "Every channel."),
    problems: &[&problem::INVALID_NUMBER, &problem::SERVICE_NOT_FOUND],
    repeats: Repeats::OnlyReads,
};

/// Shows which channels are offered.
pub async fn list(context: CallContext, mut call: Call) -> Result<Response, Error> {
    let locale = call.query.text("locale");
    let query = OfferQuery {
        service: context.app.service_named(call.query.text("service")).await?,
        country: call.query.text("country"),
        to: call.query.text("to"),
        locale: locale.clone(),
    };
    let offers = keyed::offers(&context.app, query).await?;
    let known = |tag: Option<&str>| tag.and_then(words::find);
    let words = known(locale.as_deref())
        .or_else(|| known(offers.service.settings.locale.as_deref()))
        .unwrap_or_else(|| &words::all()[0]);
    Ok(reply::json(StatusCode::OK, &ChannelsView::new(&offers, words)))
}
