//! `/v1/services`

use super::fields::{Field, Shape};
use super::operation::{Answer, Body, Call, Operation, Repeats};
use super::paging::{self, CURSOR, LIMIT};
use super::settings::SETTINGS;
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
use crate::model::service::{BadSetting, Service};
use warp::http::StatusCode;
use warp::reply::Response;

const TAG: &str = "Services";
const ID: Field =
    Field::needed("id", "The service's id, or a name by which requests name it.", Shape::Id(&["VA"]));
const FROM_CREATE: &[(&str, &str, &str)] =
    &[("fetchService", "id", "/id"), ("changeService", "id", "/id"), ("deleteService", "id", "/id")];

/// The same for a new one, which needs a name.
const NEW: [Field; SETTINGS.len()] = {
    let mut settings = SETTINGS;
    settings[0].needed = true;
    settings
};

/// `POST /v1/services`: makes a service.
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

/// Makes a service of the body's settings.
pub async fn create(context: CallContext, call: Call) -> Result<Response, Error> {
    let service =
        admin::create_service(&context.app.whole()?.directory, context.app.actor(), call.body.rest()).await?;
    Ok(reply::created(&format!("/v1/services/{}", service.id), &shown(&context, &service)))
}

/// `GET /v1/services`: those of the configuration and of the store.
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

/// Lists the services that the caller may see.
pub async fn list(context: CallContext, mut call: Call) -> Result<Response, Error> {
    let asked = paging::asked(&mut call)?;
    let page = keyed::services(&context.app, &asked.window).await?;
    Ok(paging::answer(&call, &asked, page, |items, next_cursor| ServiceList {
        services: items.iter().map(|service| shown(&context, service)).collect(),
        next_cursor,
    }))
}

/// `GET /v1/services/{id}`: one service with its settings.
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

/// Shows one service with its settings.
pub async fn fetch(context: CallContext, call: Call) -> Result<Response, Error> {
    let id = named(&context, &call).await?;
    let service = keyed::service(&context.app, &id).await.map_err(not_found)?;
    Ok(reply::json(StatusCode::OK, &shown(&context, &service)))
}

/// `PATCH /v1/services/{id}`: changes the settings that are named.
pub const CHANGE: Operation = Operation {
    method: "PATCH",
    id: "changeService",
    tag: TAG,
    summary: "Change a service",
    about: "Changes what is named. `countries`, `whatsapp_variables`, `channel_labels`, `message_templates`, `message_types` and `pages` are changed as a whole. Other servers on the same store go by it after two seconds at most.",
    scope: Scope::Admin,
    path: &[ID],
    query: &[],
    body: Body::Needed(&SETTINGS),
    answer: Answer::json::<ServiceView>(200, "It is changed."),
    problems: &[&problem::NOT_FOUND, &problem::SERVICE_READ_ONLY],
    repeats: Repeats::Ignored,
};

/// Changes a service by the settings that the body has.
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

/// `DELETE /v1/services/{id}`: its verifications go on by the default one's rules.
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

/// Deletes a service that was made through the API.
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
