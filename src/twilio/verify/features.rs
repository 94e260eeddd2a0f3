//! Settings of a service that nothing here goes by.
//!
//! Source: <https://www.twilio.com/docs/verify/api/service>.

use crate::model::compat::Compat;
use serde::{Deserialize, Serialize};

/// Settings that nothing here goes by. Each field says which parameter it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Features {
    /// `LookupEnabled`: whether numbers are looked up first.
    pub lookup_enabled: bool,
    /// `VerifyEventSubscriptionEnabled`: whether Event Streams are told.
    pub event_subscription_enabled: bool,
    /// `Push.IncludeDate`: whether a push challenge shows its date.
    pub push_include_date: bool,
    /// `Push.ApnCredentialSid`: the credential for Apple's notifications.
    pub push_apn_credential: Option<String>,
    /// `Push.FcmCredentialSid`: the credential for Google's notifications.
    pub push_fcm_credential: Option<String>,
    /// `Totp.Issuer`: who an authenticator app says that codes are of.
    pub totp_issuer: Option<String>,
    /// `Totp.TimeStep`: how long a code holds, in seconds.
    pub totp_time_step: Option<u32>,
    /// `Totp.CodeLength`: how many digits a code has.
    pub totp_code_length: Option<u32>,
    /// `Totp.Skew`: how many steps a clock may be off.
    pub totp_skew: Option<u32>,
    /// `Whatsapp.MsgServiceSid`: the messaging service of WhatsApp's senders.
    pub whatsapp_messaging_service: Option<String>,
    /// `Passkeys.RelyingParty.Id`: the domain that passkeys are for.
    pub passkeys_id: Option<String>,
    /// `Passkeys.RelyingParty.Name`: who people are told that they are for.
    pub passkeys_name: Option<String>,
    /// `Passkeys.RelyingParty.Origins`, separated by commas
    pub passkeys_origins: Option<String>,
    /// `Passkeys.AuthenticatorAttachment`: which authenticators may hold one.
    pub passkeys_attachment: Option<String>,
    /// `Passkeys.DiscoverableCredentials`: whether they are found without a name.
    pub passkeys_discoverable: Option<String>,
    /// `Passkeys.UserVerification`: whether the authenticator proves its user.
    pub passkeys_user_verification: Option<String>,
}

impl Features {
    /// Those that are kept with a service.
    pub fn of(compat: &Compat) -> Self {
        compat.features.read().unwrap_or_default()
    }

    /// Keeps these settings with the service's others.
    pub fn keep(&self, compat: &mut Compat) {
        compat.features.set(self);
    }
}

/// Gives each setting that was never set its place in the record, so that it is
/// written with all of them.
pub fn fill(compat: &mut Compat) {
    compat.features.fill(&Features::default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::ServiceId;

    #[test]
    fn what_is_kept_is_read_again_and_the_rest_was_never_set() {
        let mut compat = Compat::new(ServiceId::from_name("shop"));
        assert_eq!(Features::of(&compat), Features::default());
        let unset = compat.clone();
        fill(&mut compat);
        assert_eq!(compat, unset, "it says as much as before");
        let written = serde_json::to_value(&compat).unwrap();
        assert_eq!(written["features"], serde_json::to_value(Features::default()).unwrap());
        let features = Features { totp_skew: Some(0), ..Features::default() };
        features.keep(&mut compat);
        assert_eq!(Features::of(&compat), features);
        assert_ne!(compat, unset);
        let before = compat.clone();
        fill(&mut compat);
        assert_eq!(compat, before);
    }
}
