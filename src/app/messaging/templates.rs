//! Whether the templates that services send by WhatsApp are approved: looked at at the start
//! and again and again, so that an operator knows before people wait for their codes.
//!
//! It refuses to know where a template is approved. A template that is not is sent all the
//! same: the provider's own answer leads to the next channel.

use crate::app::admission::Admission;
use crate::app::messages::alert::tell;
use crate::app::messaging::Messaging;
use crate::gateway::Approval;
use crate::model::channel::Channel;
use crate::model::senders::Senders;
use crate::model::service::{ContentSids, Service};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The most templates that one process looks at in a round.
const MOST: usize = 500;
/// From one question to the next.
const PACE: Duration = Duration::from_millis(200);
/// From one round to the next.
const EVERY: Duration = Duration::from_secs(60 * 60);
/// The same where one is not approved, or could not be asked about: people wait for it.
const SOON: Duration = Duration::from_secs(5 * 60);

/// What was known of the templates at the last round.
#[derive(Debug, Default)]
pub struct Templates(BTreeMap<Template, Approval>);

/// A template, and the account that has it; nothing for the main one.
type Template = (String, Option<String>);

impl Templates {
    /// Looks at the templates of all services of the configuration, and tells what has
    /// changed. Answers how long to wait until the next round.
    pub async fn look(&mut self, messaging: &Messaging) -> Duration {
        let mut wait = EVERY;
        let senders = &messaging.admission.senders;
        let named = named(senders, messaging.directory.services.of_configuration());
        self.0.retain(|template, _| named.contains_key(template));
        for (template, services) in named.iter().take(MOST) {
            let (sid, account) = template;
            match messaging.gateway.approval(sid, account.as_deref()).await {
                Ok(Some(approval)) => {
                    if approval != Approval::Approved {
                        wait = SOON;
                    }
                    self.learn(&messaging.admission, (template, services), approval);
                }
                // Nobody can say: there is nothing to be approved.
                Ok(None) => return EVERY,
                Err(error) => {
                    tracing::warn!(template = sid, %error, "cannot ask whether a template is approved");
                    wait = SOON;
                }
            }
            messaging.base.clock.sleep(PACE).await;
        }
        wait
    }

    fn learn(
        &mut self,
        admission: &Admission,
        (template, services): (&Template, &[Arc<Service>]),
        approval: Approval,
    ) {
        let (sid, account) = template;
        let is_new = self.0.get(template) != Some(&approval);
        let names: Vec<&str> = services.iter().map(|service| service.settings.name.as_str()).collect();
        let services_told = names.join(", ");
        match &approval {
            Approval::Approved if self.0.contains_key(template) && is_new => {
                tracing::info!(template = sid, services = services_told, "whatsapp takes a template again");
            }
            Approval::Approved => {
                tracing::debug!(template = sid, services = services_told, "whatsapp has approved a template");
            }
            Approval::Not { status } if is_new => tracing::error!(
                template = sid,
                account = account.as_deref(),
                status,
                services = services_told,
                "whatsapp has not approved a template: codes by it do not arrive, and go by the next channel where there is one"
            ),
            Approval::Missing if is_new => tracing::error!(
                template = sid,
                account = account.as_deref(),
                services = services_told,
                "there is no such template at twilio: set whatsapp_content_sid to one of the account that sends"
            ),
            Approval::Not { .. } | Approval::Missing => {}
        }
        if approval != Approval::Approved {
            services.iter().for_each(|service| alert(admission, service, (sid, &approval)));
        }
        self.0.insert(template.clone(), approval);
    }
}

/// The templates of services in the accounts by which they send, each with those services.
fn named<'s>(
    senders: &Senders,
    services: impl Iterator<Item = &'s Arc<Service>>,
) -> BTreeMap<Template, Vec<Arc<Service>>> {
    let mut named: BTreeMap<Template, Vec<Arc<Service>>> = BTreeMap::new();
    for service in services {
        let settings = &service.settings;
        let of_messages =
            settings.message_templates.values().filter_map(|template| template.whatsapp_content_sid.as_ref());
        let all = settings.whatsapp_content_sid.iter().chain(of_messages).flat_map(ContentSids::all);
        let accounts = senders.accounts(service, Channel::Whatsapp);
        for (_, sid) in all {
            for account in &accounts {
                let of = named.entry((sid.to_owned(), account.clone())).or_default();
                if of.iter().all(|known| known.id != service.id) {
                    of.push(service.clone());
                }
            }
        }
    }
    named
}

fn alert(admission: &Admission, service: &Service, (sid, approval): (&str, &Approval)) {
    let mark = format!("template:{}:{sid}", service.id);
    tell(admission, (&service.id, Channel::Whatsapp, None), approval.code(), mark);
}
