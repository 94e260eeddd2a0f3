//! `/v1/services`

use super::fields::{Field, Shape};
use super::operation::{Answer, Body, Call, Operation, Repeats};
use super::paging::{self, CURSOR, LIMIT};
use super::views::ChannelWord;
use super::views::things::{ServiceList, ServiceView};
use crate::app::admission::AdmissionError;
use crate::app::fault::Fault;
use crate::app::services::ServiceError;
use crate::app::{admin, keyed};
use crate::http::context::CallContext;
use crate::http::error::Error;
use crate::http::{problem, reply};
use crate::model::id::ServiceId;
use crate::model::key::Scope;
use crate::model::return_url;
use crate::model::service::{BadSetting, MOST_NAME, Service};
use warp::http::StatusCode;
use warp::reply::Response;

const TAG: &str = "Services";
const ID: Field =
    Field::needed("id", "The service's id, or a name by which requests name it.", Shape::Id(&["VA"]));
const FROM_CREATE: &[(&str, &str, &str)] =
    &[("fetchService", "id", "/id"), ("changeService", "id", "/id"), ("deleteService", "id", "/id")];

const CHANNEL: Shape = Shape::Word(ChannelWord::all);
const SHORT: Shape = Shape::Text { least: 1, most: 64 };
const URL: Shape = Shape::Text { least: 1, most: 500 };
const COUNTRIES: Shape = Shape::List {
    of: &Shape::Chars { class: "A-Z", least: 2, most: 2 },
    least: 0,
    most: 300,
    distinct: true,
};

/// What can be set of a service, in the words of the configuration file.
pub const SETTINGS: [Field; 26] = [
    Field::new(
        "name",
        "The name in texts, calls and pages; no more than 4 digits in a row.",
        Shape::Text { least: 1, most: MOST_NAME },
    )
    .solid()
    .example("\"Shop\""),
    Field::new("code_length", "Characters of a code.", Shape::Number { least: 4, most: 10 }).solid(),
    Field::new(
        "code_alphabet",
        "What a code is made of: 8 to 36 different digits and capital letters.",
        Shape::Chars { class: "0-9A-Z", least: 8, most: 36 },
    )
    .solid()
    .example("\"0123456789\""),
    Field::new(
        "lifetime_seconds",
        "How long a verification lives.",
        Shape::Number { least: 60, most: 86_400 },
    )
    .solid(),
    Field::new("max_checks", "How many codes may be offered.", Shape::Number { least: 1, most: 20 }).solid(),
    Field::new("max_sends", "How many messages and calls may be sent.", Shape::Number { least: 1, most: 20 })
        .solid(),
    Field::new(
        "resend_cooldown_seconds",
        "How long to wait after the first send, the second, and so on; the last one repeats.",
        Shape::List { of: &Shape::Number { least: 0, most: 3600 }, least: 1, most: 20, distinct: false },
    )
    .solid(),
    Field::new(
        "new_code_on_resend",
        "Whether sending again makes a new code and kills the old one.",
        Shape::Flag,
    )
    .solid(),
    Field::new(
        "channels",
        "The channels, the preferred one first.",
        Shape::List { of: &CHANNEL, least: 1, most: 3, distinct: true },
    )
    .solid(),
    Field::new(
        "countries",
        "Which countries a channel reaches, as ISO 3166 codes. A channel that is not named reaches all.",
        Shape::Map {
            names: &CHANNEL,
            of: &Shape::Object(&[
                Field::new("allow", "These alone; empty for all.", COUNTRIES).solid(),
                Field::new("refuse", "Not these.", COUNTRIES).solid(),
                Field::new("watch", "These too, and the log says so each time.", COUNTRIES).solid(),
            ]),
            most: 3,
        },
    )
    .solid(),
    Field::new("template", "The set of message templates; null for the shipped one.", SHORT),
    Field::new("locale", "The language where nothing else names one.", Shape::Text { least: 2, most: 35 }),
    Field::new(
        "from",
        "The number, short code or name that texts come from; null for the account's.",
        Shape::Text { least: 1, most: 16 },
    ),
    Field::new("messaging_service_sid", "The messaging service that texts go through.", Shape::Id(&["MG"])),
    Field::new(
        "whatsapp_from",
        "The number that WhatsApp messages come from.",
        Shape::Chars { class: "+0-9", least: 6, most: 16 },
    )
    .example("\"+14155550123\""),
    Field::new("whatsapp_content_sid", "The approved authentication template.", Shape::Id(&["HX"])),
    Field::new(
        "whatsapp_variables",
        "Which of our variables fill which of the template's: `{\"1\": \"code\"}`.",
        Shape::Map { names: &SHORT, of: &SHORT, most: 20 },
    )
    .solid(),
    Field::new(
        "domain",
        "The web site whose pages may fill the code in.",
        Shape::Text { least: 1, most: 253 },
    )
    .example("\"example.com\""),
    Field::new("do_not_share", "Whether messages say that the code is not to be shared.", Shape::Flag)
        .solid(),
    Field::new(
        "gate",
        "What a call waits for before it says the code.",
        Shape::Word(|| vec!["any-key", "named-key", "none"]),
    )
    .solid(),
    Field::new("tts_name", "The name as it is said in calls.", SHORT),
    Field::new("custom_code", "Whether applications may bring their own codes.", Shape::Flag).solid(),
    Field::new(
        "psd2",
        "Whether a code is bound to an amount and a payee, which every verification then needs.",
        Shape::Flag,
    )
    .solid(),
    Field::new("skip_sms_to_landlines", "Whether landlines are offered calls only.", Shape::Flag).solid(),
    Field::new(
        "pages",
        "The hosted pages.",
        Shape::Object(&[
            Field::new(
                "return_urls",
                "Where people may be sent back to: exact https addresses, or ones that end in `/*`; `*.` before your own domain is any one label.",
                Shape::List { of: &URL, least: 0, most: return_url::MOST_ALLOWED, distinct: true },
            )
            .solid(),
            Field::new(
                "success_url",
                "Your own page for people whose number is proved, where a session names no `return_url`.",
                URL,
            ),
            Field::new(
                "colour",
                "The accent colour, like `#1a6f4e`.",
                Shape::Chars { class: "#0-9a-fA-F", least: 7, most: 7 },
            ),
            Field::new("logo", "The logo's address.", URL),
            Field::new("register", "Whether people may enter a number themselves.", Shape::Flag).solid(),
            Field::new("retry", "Whether they may begin anew after a failure.", Shape::Flag).solid(),
        ]),
    )
    .solid(),
    Field::new(
        "allow_links",
        "Whether names, purposes, amounts and payees that applications give may hold links and addresses.",
        Shape::Flag,
    )
    .solid(),
];

/// The same for a new one, which needs a name.
const NEW: [Field; 26] = {
    let mut settings = SETTINGS;
    settings[0].needed = true;
    settings
};

/// `POST /v1/services`
pub const CREATE: Operation = Operation {
    method: "POST",
    id: "createService",
    tag: TAG,
    summary: "Make a service",
    about: "What is left out is as in the default service.",
    scope: Scope::Admin,
    path: &[],
    query: &[],
    body: Body::Needed(&NEW),
    answer: Answer::json::<ServiceView>(201, "It is made.").leading_to(FROM_CREATE),
    problems: &[],
    repeats: Repeats::Kept,
};

/// Makes one.
pub async fn create(context: CallContext, call: Call) -> Result<Response, Error> {
    let service =
        admin::create_service(&context.app.whole()?.directory, context.app.actor(), call.body.rest()).await?;
    Ok(reply::created(&format!("/v1/services/{}", service.id), &shown(&context, &service)))
}

/// `GET /v1/services`
pub const LIST: Operation = Operation {
    method: "GET",
    id: "listServices",
    tag: TAG,
    summary: "List services",
    about: "Those that were made here, the newest first; then those of the configuration file.",
    scope: Scope::Read,
    path: &[],
    query: &[LIMIT, CURSOR],
    body: Body::None,
    answer: Answer::list::<ServiceList>("A page of them."),
    problems: &[],
    repeats: Repeats::OnlyReads,
};

/// Lists them.
pub async fn list(context: CallContext, mut call: Call) -> Result<Response, Error> {
    let asked = paging::asked(&mut call)?;
    let page = keyed::services(&context.app, &asked.window).await?;
    Ok(paging::answer(&call, &asked, page, |items, next_cursor| ServiceList {
        services: items.iter().map(|service| shown(&context, service)).collect(),
        next_cursor,
    }))
}

/// `GET /v1/services/{id}`
pub const FETCH: Operation = Operation {
    method: "GET",
    id: "fetchService",
    tag: TAG,
    summary: "Look at a service",
    about: "",
    scope: Scope::Read,
    path: &[ID],
    query: &[],
    body: Body::None,
    answer: Answer::json::<ServiceView>(200, "It, with all its settings."),
    problems: &[&problem::NOT_FOUND],
    repeats: Repeats::OnlyReads,
};

/// Looks at one.
pub async fn fetch(context: CallContext, call: Call) -> Result<Response, Error> {
    let id = named(&context, &call).await?;
    let service = keyed::service(&context.app, &id).await.map_err(not_found)?;
    Ok(reply::json(StatusCode::OK, &shown(&context, &service)))
}

/// `PATCH /v1/services/{id}`
pub const CHANGE: Operation = Operation {
    method: "PATCH",
    id: "changeService",
    tag: TAG,
    summary: "Change a service",
    about: "Changes what is named. `countries`, `whatsapp_variables` and `pages` are changed as a whole. Other servers on the same store go by it after two seconds at most.",
    scope: Scope::Admin,
    path: &[ID],
    query: &[],
    body: Body::Needed(&SETTINGS),
    answer: Answer::json::<ServiceView>(200, "It is changed."),
    problems: &[&problem::NOT_FOUND, &problem::SERVICE_READ_ONLY],
    repeats: Repeats::Ignored,
};

/// Changes one.
pub async fn change(context: CallContext, call: Call) -> Result<Response, Error> {
    let id = named(&context, &call).await?;
    let changes = call.body.rest();
    // Other services' texts are not there for a key of some services.
    if let Some(name) = changes.get("template").and_then(|name| name.as_str())
        && context.sets().await?.hides(name)
    {
        let what = format!("{name:?} is no set of texts");
        return Err(AdmissionError::Setting(BadSetting { field: "template".to_owned(), what }).into());
    }
    let service = keyed::change_service(&context.app, &id, changes).await?;
    Ok(reply::json(StatusCode::OK, &shown(&context, &service)))
}

/// `DELETE /v1/services/{id}`
pub const DELETE: Operation = Operation {
    method: "DELETE",
    id: "deleteService",
    tag: TAG,
    summary: "Delete a service",
    about: "Its verifications go on by the rules of the default service.",
    scope: Scope::Admin,
    path: &[ID],
    query: &[],
    body: Body::None,
    answer: Answer::nothing("It is gone."),
    problems: &[&problem::NOT_FOUND, &problem::SERVICE_READ_ONLY],
    repeats: Repeats::Ignored,
};

/// Deletes one.
pub async fn delete(context: CallContext, call: Call) -> Result<Response, Error> {
    let id = named(&context, &call).await?;
    keyed::delete_service(&context.app, &id).await?;
    Ok(reply::no_content())
}

/// The service that the path names.
async fn named(context: &CallContext, call: &Call) -> Result<ServiceId, Error> {
    let name = percent_encoding::percent_decode_str(call.name()).decode_utf8_lossy().into_owned();
    let id = context.app.service_named(Some(name)).await.map_err(not_found)?;
    id.ok_or_else(|| Fault::NotFound.into())
}

fn not_found(error: ServiceError) -> ServiceError {
    match error {
        ServiceError::NoSuchService => Fault::NotFound.into(),
        error => error,
    }
}

fn shown(context: &CallContext, service: &Service) -> ServiceView {
    ServiceView::new(service, context.app.is_default(service))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::service::Settings;
    use serde_json::{Value, json};

    #[test]
    fn the_table_has_every_setting_and_the_default_ones_fit_it() {
        let settings = Settings::default().all();
        let names: Vec<&str> = SETTINGS.iter().map(|field| field.name).collect();
        assert_eq!(settings.keys().collect::<Vec<_>>(), names);
        for field in &SETTINGS {
            assert!(field.check(field.name, &settings[field.name]).is_ok(), "{}", field.name);
        }
    }

    #[test]
    fn what_the_table_takes_or_refuses_at_its_limits_the_model_does_too() {
        let set = |name: &str, value: Value| {
            let changes = [(name.to_owned(), value)].into_iter().collect();
            Settings::default().with(changes).is_ok()
        };
        for field in &SETTINGS {
            if let Shape::Number { least, most } = field.shape {
                let taken = [least - 1, least, most, most + 1].map(|n| set(field.name, json!(n)));
                assert_eq!(taken, [false, true, true, false], "{}", field.name);
            }
            assert_eq!(set(field.name, Value::Null), field.nullable, "{}", field.name);
        }
    }
}
