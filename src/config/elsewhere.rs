//! `[gateway.verify]`: what cannot be had where codes are made, sent and compared there. It
//! refuses to know which settings these are.

use super::file::join;
use super::gateway::GatewayKind;
use super::reader::Reader;
use super::settings::plainly;
use super::whole::Config;
use crate::model::service::Complaint;

/// Texts of one's own, and what services have that Verify does not.
pub(super) fn check(config: &Config, refused: &mut Reader<'_>) {
    let (gateway, services) = (&config.gateway, &config.services);
    if gateway.kind != GatewayKind::Verify {
        return;
    }
    if config.messages.dir.is_some() {
        refused.note("messages.dir", "has texts that verify does not send", "leave it empty");
    }
    let lifetime = gateway.verify.lifetime_seconds();
    let of_default = services.default.not_elsewhere(lifetime);
    for wrong in &of_default {
        let key = place_of(refused, &wrong.wrong.field);
        note(refused, &key, wrong);
    }
    for (key, own) in &services.others {
        // What they have of the default is told once.
        for wrong in own.not_elsewhere(lifetime).iter().filter(|wrong| !of_default.contains(wrong)) {
            note(refused, &join(&join("services", key), &wrong.wrong.field), wrong);
        }
    }
}

fn note(refused: &mut Reader<'_>, key: &str, wrong: &Complaint) {
    let mend = format!("it {}", plainly(&wrong.wrong.what));
    refused.note(key, "cannot be had with gateway.kind = \"verify\"", mend);
}

/// Where a setting of the default service stands: in a section of its own, if it has one.
fn place_of(refused: &Reader<'_>, field: &str) -> String {
    let of_service = join("services.default", field);
    let of_section = match field {
        "gate" => "voice.gate".to_owned(),
        field => join("verification", field),
    };
    let is_there = refused.has(&of_section) && !refused.is_placed(&of_service);
    if is_there { of_section } else { of_service }
}
