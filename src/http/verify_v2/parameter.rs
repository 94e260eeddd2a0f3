//! The names that Twilio has for what is ours.

/// Twilio's name for a setting of ours.
pub fn parameter(field: &str) -> &str {
    match field {
        "name" => "FriendlyName",
        "code_length" => "CodeLength",
        "tts_name" => "TtsName",
        "skip_sms_to_landlines" => "SkipSmsToLandlines",
        "psd2" => "Psd2Enabled",
        "do_not_share" => "DoNotShareWarningEnabled",
        "custom_code" => "CustomCodeEnabled",
        "gate" => "DtmfInputRequired",
        "whatsapp_from" => "Whatsapp.From",
        "template" => "DefaultTemplateSid",
        "friendly_name" => "CustomFriendlyName",
        "purpose" => "TemplateCustomSubstitutions",
        "amount" => "Amount",
        "payee" => "Payee",
        other => other,
    }
}
