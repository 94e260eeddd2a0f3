//! What a service's settings may be: every rule that they break, each by itself,
//! so that what was broken before is told from what a change breaks. This module
//! refuses to know who changes them.

use super::messages::mistakes;
use super::{BadSetting, ContentSids, MOST_NAME, Settings, bad};
use crate::model::channel::Channel;
use crate::model::fraud::Action;
use crate::model::id::{given, is_sid};
use crate::model::region;
use crate::model::return_url::{self, Allowed};
use crate::model::sender::{self, NoSender};
use crate::model::wording;
use serde_json::Value;

/// The most codes of failures that a service says something about.
pub const MOST_REMEDIES: usize = 100;

/// The most digits of such a code.
const MOST_DIGITS: usize = 5;

/// The longest name as it is said in calls.
const MOST_SPOKEN: usize = 64;

/// A rule that settings break, and by which value.
#[derive(Debug, Clone, PartialEq)]
pub struct Complaint {
    /// The rule that is broken.
    pub wrong: BadSetting,
    /// The value that breaks it. It is compared, and never told.
    pub value: Value,
}

impl Settings {
    /// Looks for what cannot be.
    ///
    /// # Errors
    /// The first setting that cannot.
    pub fn check(&self) -> Result<(), BadSetting> {
        self.complaints().into_iter().next().map_or(Ok(()), |first| Err(first.wrong))
    }

    /// Everything that cannot be.
    pub fn complaints(&self) -> Vec<Complaint> {
        let one_by_one = [
            check_name(&self.name),
            self.check_spoken(),
            within("code_length", u64::from(self.code_length), 4, 10),
            self.check_alphabet(),
            within("lifetime_seconds", u64::from(self.lifetime_seconds), 60, 86_400),
            within("max_checks", u64::from(self.max_checks), 1, 20),
            within("max_sends", u64::from(self.max_sends), 1, 20),
            within("psd2_block_seconds", u64::from(self.psd2_block_seconds), 60, 86_400),
            self.check_cooldown(),
            self.check_channels(),
        ];
        let mut all: Vec<Complaint> =
            one_by_one.into_iter().filter_map(Result::err).map(|wrong| self.complaint(wrong)).collect();
        all.extend(self.wrong_countries());
        let senders_and_pages = [
            self.check_messaging_service(),
            self.check_content(),
            self.check_whatsapp_from(),
            self.check_from(),
            self.check_domain(),
            self.check_colour(),
            self.check_logo(),
            self.check_count_of_urls(),
        ];
        all.extend(senders_and_pages.into_iter().filter_map(Result::err).map(|wrong| self.complaint(wrong)));
        all.extend(self.wrong_urls());
        all.extend(self.wrong_limits());
        all.extend(self.wrong_fraud());
        all.extend(self.wrong_remedies());
        all.extend(self.wrong_labels());
        all.extend(self.wrong_messages());
        all
    }

    /// The complaint about a setting, with its value as it stands.
    pub fn complaint(&self, wrong: BadSetting) -> Complaint {
        let all = Value::Object(self.all());
        let value = wrong.field.split('.').try_fold(&all, |value, name| value.get(name));
        Complaint { value: value.cloned().unwrap_or_default(), wrong }
    }

    fn check_spoken(&self) -> Result<(), BadSetting> {
        match self.tts_name.as_ref().is_some_and(|name| !(1..=MOST_SPOKEN).contains(&name.chars().count())) {
            true => Err(bad("tts_name", format!("has 1 to {MOST_SPOKEN} characters"))),
            false => Ok(()),
        }
    }

    fn check_alphabet(&self) -> Result<(), BadSetting> {
        let letters = self.code_alphabet.as_bytes();
        let fits = |byte: &u8| byte.is_ascii_digit() || byte.is_ascii_uppercase();
        let twice = letters.iter().enumerate().any(|(at, byte)| letters[..at].contains(byte));
        if !(8..=36).contains(&letters.len()) || !letters.iter().all(fits) || twice {
            return Err(bad("code_alphabet", "has 8 to 36 different digits and capital letters"));
        }
        Ok(())
    }

    fn check_cooldown(&self) -> Result<(), BadSetting> {
        let spans = &self.resend_cooldown_seconds;
        if !(1..=20).contains(&spans.len()) || spans.iter().any(|span| *span > 3600) {
            return Err(bad("resend_cooldown_seconds", "has 1 to 20 spans, each of 0 to 3600 seconds"));
        }
        Ok(())
    }

    fn check_channels(&self) -> Result<(), BadSetting> {
        let channels = &self.channels;
        let twice = channels.iter().enumerate().any(|(at, channel)| channels[..at].contains(channel));
        if channels.is_empty() || twice {
            return Err(bad("channels", "names each channel once, and at least one of sms, call, whatsapp"));
        }
        Ok(())
    }

    fn wrong_countries(&self) -> Vec<Complaint> {
        let mut wrong = Vec::new();
        for (channel, countries) in &self.countries {
            let all = countries.allow.iter().chain(&countries.refuse).chain(&countries.watch);
            for country in all {
                if let Err(mend) = region::check(country) {
                    let field = format!("countries.{channel}");
                    let what = "has ISO 3166 codes of two capital letters, like DE, of countries that exist";
                    let value = Value::from(country.as_str());
                    wrong.push(Complaint { wrong: bad(&field, format!("{what}: {mend}")), value });
                }
            }
        }
        wrong
    }

    fn check_messaging_service(&self) -> Result<(), BadSetting> {
        match self.messaging_service_sid.as_deref().is_none_or(|sid| is_sid(sid, given::MESSAGING_SERVICE)) {
            true => Ok(()),
            false => Err(bad(
                "messaging_service_sid",
                format!("is {} and 32 hexadecimal digits", given::MESSAGING_SERVICE),
            )),
        }
    }

    fn check_content(&self) -> Result<(), BadSetting> {
        match self.whatsapp_content_sid.as_ref().and_then(ContentSids::mistake) {
            None => Ok(()),
            Some((language, what)) => {
                let dot = if language.is_empty() { "" } else { "." };
                Err(bad(&format!("whatsapp_content_sid{dot}{language}"), what))
            }
        }
    }

    fn check_whatsapp_from(&self) -> Result<(), BadSetting> {
        match self.whatsapp_from.as_deref().is_some_and(|from| sender::check_number(from).is_err()) {
            true => Err(bad("whatsapp_from", "is a number in international form, like +14155550123")),
            false => Ok(()),
        }
    }

    fn check_from(&self) -> Result<(), BadSetting> {
        match self.from.as_deref().map(sender::check) {
            Some(Err(NoSender { what, mend })) => {
                let rule = "is a number, a short code, or a name of at most 11 characters";
                Err(bad("from", format!("{rule}; this {what}: {mend}")))
            }
            _ => Ok(()),
        }
    }

    fn check_domain(&self) -> Result<(), BadSetting> {
        match self.domain.as_deref().is_some_and(|domain| !is_domain(domain)) {
            true => Err(bad("domain", "is a host name alone, like example.com")),
            false => Ok(()),
        }
    }

    fn check_colour(&self) -> Result<(), BadSetting> {
        let is_colour = |text: &str| {
            text.strip_prefix('#')
                .is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
        };
        match self.pages.colour.as_deref().is_some_and(|text| !is_colour(text)) {
            true => Err(bad("pages.colour", "is written like #1a6f4e")),
            false => Ok(()),
        }
    }

    fn check_logo(&self) -> Result<(), BadSetting> {
        match self.pages.logo.as_deref().is_some_and(|logo| !is_picture(logo)) {
            true => Err(bad("pages.logo", "is an https address, or a path of this server like /logo.svg")),
            false => Ok(()),
        }
    }

    fn check_count_of_urls(&self) -> Result<(), BadSetting> {
        let most = return_url::MOST_ALLOWED;
        match self.pages.return_urls.len() > most {
            true => Err(bad("pages.return_urls", format!("has at most {most} addresses"))),
            false => Ok(()),
        }
    }

    fn wrong_limits(&self) -> Vec<Complaint> {
        let mistakes = self.limits.mistakes().into_iter();
        mistakes.map(|(name, what)| self.complaint(bad(&format!("limits.{name}"), what))).collect()
    }

    fn wrong_labels(&self) -> Vec<Complaint> {
        let mistakes = self.channel_labels.mistakes().into_iter();
        mistakes.map(|(name, what)| self.complaint(bad(&format!("channel_labels.{name}"), what))).collect()
    }

    fn wrong_messages(&self) -> Vec<Complaint> {
        let mistakes = mistakes(&self.message_templates, &self.message_types).into_iter();
        mistakes.map(|(field, what)| self.complaint(bad(&field, what))).collect()
    }

    /// The signals that ask for proofs, for where nobody gives any.
    pub fn unanswerable(&self) -> Vec<Complaint> {
        self.asking_for(Action::Captcha, "is not captcha while [captcha] of the configuration is empty")
    }

    /// A channel that is not among those that can be had; nothing where all can.
    pub fn uncarried(&self, carried: &[Channel]) -> Option<Complaint> {
        let mut channels = self.channels.iter();
        let missing = channels.find(|channel| !carried.contains(channel))?;
        let what = format!("has no {missing}, which the gateway does not carry: see gateway.http.channels");
        Some(self.complaint(bad("channels", what)))
    }

    fn wrong_fraud(&self) -> Vec<Complaint> {
        let mistakes = self.fraud.mistakes().into_iter();
        let mistakes = mistakes.map(|(name, what)| bad(&format!("fraud.signals.{name}"), what));
        let mut wrong: Vec<Complaint> = mistakes.map(|wrong| self.complaint(wrong)).collect();
        if self.psd2 {
            // Whoever pays is never told that a code is on its way which is not.
            let what = "is not shadow_block where the service has psd2";
            wrong.extend(self.asking_for(Action::ShadowBlock, what));
        }
        wrong
    }

    fn wrong_remedies(&self) -> Vec<Complaint> {
        let is_code = |text: &str| {
            let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
            is_number && !text.starts_with('0') && (1..=MOST_DIGITS).contains(&text.len())
        };
        let what = format!("is named by a code: a whole number above 0, of at most {MOST_DIGITS} digits");
        let strange = self.remedies.keys().filter(|code| !is_code(code));
        let mut wrong: Vec<Complaint> =
            strange.map(|code| self.complaint(bad(&format!("remedies.{code}"), what.as_str()))).collect();
        if self.remedies.len() > MOST_REMEDIES {
            wrong.push(self.complaint(bad("remedies", format!("has at most {MOST_REMEDIES} codes"))));
        }
        wrong
    }

    /// A complaint about each place that sets this action.
    fn asking_for(&self, action: Action, what: &str) -> Vec<Complaint> {
        let of_all = self.fraud.action.filter(|own| *own == action).map(|_| "fraud.action".to_owned());
        let signals = self.fraud.signals.iter().filter(|(_, rule)| rule.action == Some(action));
        let signals = signals.map(|(name, _)| format!("fraud.signals.{name}.action"));
        of_all.into_iter().chain(signals).map(|field| self.complaint(bad(&field, what))).collect()
    }

    /// Each address by itself, so that one that is refused today keeps no other
    /// one from being changed.
    fn wrong_urls(&self) -> Vec<Complaint> {
        let wrong = |field, url: &str, what| Complaint { wrong: bad(field, what), value: Value::from(url) };
        let allowed = self.pages.return_urls.iter();
        let allowed =
            allowed.filter_map(|url| Some(wrong("pages.return_urls", url, Allowed::read(url).err()?)));
        let success = self.pages.success_url.iter();
        let success =
            success.filter_map(|url| Some(wrong("pages.success_url", url, return_url::page(url).err()?)));
        allowed.chain(success).collect()
    }
}

/// Looks for what cannot be a service's name.
///
/// # Errors
/// What is wrong with it.
pub fn check_name(name: &str) -> Result<(), BadSetting> {
    let name = name.trim();
    let length = name.chars().count();
    if !(1..=MOST_NAME).contains(&length) || name.chars().any(char::is_control) {
        return Err(bad("name", "has 1 to 32 characters"));
    }
    if wording::shown(name) != name {
        return Err(bad("name", "has no marks that show nothing or turn the direction of writing"));
    }
    // It would look like the code.
    let run = name.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or(0);
    if run > 4 {
        return Err(bad("name", "has no more than 4 digits in a row, or it would look like a code"));
    }
    Ok(())
}

fn within(field: &str, value: u64, least: u64, most: u64) -> Result<(), BadSetting> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(bad(field, format!("is a whole number from {least} to {most}")))
}

/// Whether a browser gets a picture there and nothing else.
fn is_picture(logo: &str) -> bool {
    let is_plain = !logo.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\');
    is_plain && (logo.starts_with('/') && !logo.starts_with("//") || return_url::page(logo).is_ok())
}

fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    text.len() <= 253 && text.contains('.') && text.split('.').all(label)
}
