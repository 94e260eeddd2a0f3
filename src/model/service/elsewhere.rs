//! What a service cannot have where the provider makes the codes, sends them in its own
//! words and compares them. Whether it does is not known here.

use super::pending::Pending;
use super::{BadSetting, Complaint, DIGITS, Settings, bad};
use crate::model::policy::{Failover, Gate};

/// How many codes may be offered, and how many sends there are, of one verification there.
pub const MOST_ELSEWHERE: u32 = 5;

impl Settings {
    /// The settings that cannot be had where the provider makes the codes, which live for so
    /// many seconds there. What would be right is the same for all who ask.
    pub fn not_elsewhere(&self, lifetime_seconds: u32) -> Vec<Complaint> {
        let most = MOST_ELSEWHERE;
        let none = |field, is_set: bool| (field, is_set, "is not set where the gateway makes the codes");
        let off = |field, is_set: bool| (field, is_set, "is false where the gateway makes the codes");
        let words = |field, is_set: bool| (field, is_set, "is not set where the gateway has its own words");
        let plain = [
            off("custom_code", self.custom_code),
            off("new_code_on_resend", self.new_code_on_resend),
            (
                "code_alphabet",
                self.code_alphabet != DIGITS,
                "is 0123456789 where the gateway makes the codes",
            ),
            words("template", self.template.is_some()),
            words("domain", self.domain.is_some()),
            words("tts_name", self.tts_name.is_some()),
            off("do_not_share", self.do_not_share),
            ("gate", self.gate != Gate::AnyKey, "is any-key: calls are the gateway's, which asks for a key"),
            off("redact", self.redact),
            ("failover", self.failover == Failover::OnSilence, "is on-failure or off: the gateway is silent"),
            ("pending", self.pending == Pending::Many, "is one: the gateway has one code for a number"),
            none("from", self.from.is_some()),
            none("messaging_service_sid", self.messaging_service_sid.is_some()),
            none("whatsapp_from", self.whatsapp_from.is_some()),
            none("whatsapp_content_sid", self.whatsapp_content_sid.is_some()),
            off("free_text", self.free_text),
            words("message_templates", !self.message_templates.is_empty()),
        ];
        let mut wrong: Vec<BadSetting> = plain
            .into_iter()
            .filter(|(_, is_set, _)| *is_set)
            .map(|(field, _, what)| bad(field, what))
            .collect();
        if self.lifetime_seconds != lifetime_seconds {
            let what = format!("is {lifetime_seconds}, as long as the gateway's codes live");
            wrong.push(bad("lifetime_seconds", what));
        }
        for (field, own) in [("max_checks", self.max_checks), ("max_sends", self.max_sends.into())] {
            if own > most {
                wrong.push(bad(field, format!("is {most} at most where the gateway makes the codes")));
            }
        }
        wrong.into_iter().map(|wrong| self.complaint(wrong)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Map, Value, json};

    #[test]
    fn what_the_gateway_owns_cannot_be_set() {
        assert_eq!(Settings::default().not_elsewhere(600), []);
        let set = json!({
            "custom_code": true, "new_code_on_resend": true, "code_alphabet": "ABCDEFGH", "template": "mine",
            "domain": "example.com", "tts_name": "Acme", "do_not_share": true, "gate": "none", "redact": true,
            "failover": "on-silence", "pending": "many", "from": "Acme", "free_text": true,
            "messaging_service_sid": format!("{}{:032x}", crate::model::id::given::MESSAGING_SERVICE, 1),
            "whatsapp_from": "+15005550006",
            "whatsapp_content_sid": format!("{}{:032x}", crate::model::id::given::CONTENT, 1),
            "message_templates": { "ready": { "type": "notice", "texts": { "en": "It is ready." } } },
            "lifetime_seconds": 300, "max_checks": 6, "max_sends": 6,
        });
        let Value::Object(set) = set else { panic!("{set}") };
        for (name, value) in &set {
            let changes = Map::from_iter([(name.clone(), value.clone())]);
            let wrong = Settings::default().set(changes).unwrap().not_elsewhere(600);
            let fields: Vec<&str> = wrong.iter().map(|wrong| wrong.wrong.field.as_str()).collect();
            assert_eq!(fields, [name.as_str()]);
        }
        assert_eq!(Settings::default().set(set.clone()).unwrap().not_elsewhere(600).len(), set.len());
        assert_eq!(Settings::default().not_elsewhere(1200)[0].wrong.field, "lifetime_seconds");
    }
}
