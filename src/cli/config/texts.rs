//! What the messages of each service cost, for `config check`: segments by
//! channel and language, and why one is more than one.

use crate::cli::serve::parts;
use crate::config::Config;
use crate::model::channel::Channel;
use crate::model::service::Settings;
use crate::texts::{Catalog, DEFAULT_SET, Kind, Wording, compose};
use crate::twilio::segments::{Encoding, Segments, count, not_gsm, smart_encoded};
use std::collections::BTreeMap;

/// A payment to count by, of ordinary length.
const PAYMENT: (&str, &str) = ("1,234.56 EUR", "Example Shop");

/// What there is to say about messages.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What each service's messages cost.
    pub lines: Vec<String>,
    /// What costs more than it could, or will not be sent.
    pub warnings: Vec<String>,
}

/// Counts the messages of every service in every language that they may be in.
pub fn report(config: &Config, catalog: &Catalog) -> Report {
    let services = parts::services(config);
    let others = services.others.iter().map(|(key, settings)| (key.as_str(), settings));
    let mut report = Report::default();
    for (key, settings) in std::iter::once(("default", &services.default)).chain(others) {
        let service = format!("services.{key}");
        for channel in &settings.channels {
            match channel {
                Channel::Sms => {
                    sms(&mut report, &service, settings, catalog, None);
                    if settings.psd2 {
                        sms(&mut report, &service, settings, catalog, Some(PAYMENT));
                    }
                }
                Channel::Whatsapp => whatsapp(&mut report, &service, settings, config),
                // A call is paid for by the minute.
                Channel::Call => {}
            }
        }
        if let Some(set) = settings.template.as_deref().filter(|set| *set != DEFAULT_SET) {
            report.lines.push(format!("{service}: what {set} leaves out is in the shipped texts"));
        }
    }
    report
}

fn sms(
    report: &mut Report,
    service: &str,
    settings: &Settings,
    catalog: &Catalog,
    payment: Option<(&str, &str)>,
) {
    let (kind, what) =
        if payment.is_some() { (Kind::Payment, "sms of a payment") } else { (Kind::Sms, "sms") };
    let code: String = settings.code_alphabet.chars().cycle().take(settings.code_length.into()).collect();
    let mut languages: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for locale in catalog.languages(settings.template.as_deref(), kind) {
        let text = compose(
            catalog,
            &Wording {
                set: settings.template.as_deref(),
                service: &settings.name,
                code: &code,
                seconds: settings.lifetime_seconds,
                payment,
                domain: settings.domain.as_deref(),
                do_not_share: settings.do_not_share,
                requested: Some(locale),
                ..Wording::default()
            },
        );
        languages.entry(text.segments.segments).or_default().push(locale);
        if text.segments.segments > 1 {
            report
                .warnings
                .push(format!("{service}: {what} in {locale}: {}", why(&text.body, text.segments)));
        }
    }
    let costs = languages.iter().map(|(segments, locales)| {
        let unit = if *segments == 1 { "segment" } else { "segments" };
        format!("{segments} {unit} in {}", locales.join(", "))
    });
    report.lines.push(format!("{service}: {what}: {}", costs.collect::<Vec<_>>().join("; ")));
}

/// Why a text costs more than one segment, and what would save some.
fn why(body: &str, cost: Segments) -> String {
    let Segments { encoding, units, segments } = cost;
    let mut text =
        format!("{segments} segments: {units} units of {encoding}, {} too many for one", cost.over());
    if encoding == Encoding::Ucs2 {
        let outside = not_gsm(body);
        let shown: Vec<_> = outside.iter().take(3).map(|char| format!("{char:?}")).collect();
        let more = if outside.len() > shown.len() { " and others" } else { "" };
        text.push_str(&format!("; not GSM-7 for {}{more}", shown.join(", ")));
    }
    let smart = count(&smart_encoded(body));
    if smart.segments < segments {
        text.push_str(&format!("; {} with Twilio's smart encoding", smart.segments));
    }
    text
}

fn whatsapp(report: &mut Report, service: &str, settings: &Settings, config: &Config) {
    let twilio = &config.twilio;
    let through_service = settings.messaging_service_sid.is_some() || twilio.messaging_service_sid.is_some();
    let is_listed = twilio.senders.iter().any(|sender| sender.channels.contains(&Channel::Whatsapp));
    if settings.whatsapp_from.is_none() && !through_service && !is_listed {
        report
            .warnings
            .push(format!("{service}: whatsapp: there is no sender, so nothing is sent; set whatsapp_from"));
    }
    match &settings.whatsapp_content_sid {
        Some(sids) => report.lines.extend(sids.all().into_iter().map(|(language, sid)| {
            let language = language.map(|tag| format!(" in {tag}")).unwrap_or_default();
            format!("{service}: whatsapp: codes go out by the template {sid}{language}")
        })),
        None => report.warnings.push(format!(
            "{service}: whatsapp: without a template codes go only to people who wrote within 24 hours; \
             set whatsapp_content_sid"
        )),
    }
    let holds = |name: &str| settings.whatsapp_variables.values().any(|known| known == name);
    if settings.psd2 && settings.whatsapp_content_sid.is_some() && !(holds("amount") && holds("payee")) {
        report.warnings.push(format!(
            "{service}: whatsapp: payments are refused, because the template does not say what is paid to whom; \
             give amount and payee a place in whatsapp_variables"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Env};
    use std::path::Path;

    fn of(text: &str) -> Report {
        let config = config::parse(Some(("config.toml", text)), &Env::default()).unwrap().config;
        let good = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/messages/good");
        report(&config, &Catalog::load(&good).unwrap())
    }

    // The sandbox has a sender and a template for WhatsApp.
    #[cfg(feature = "sandbox")]
    #[test]
    fn the_defaults_cost_one_segment_in_every_language() {
        let report = of("");
        assert_eq!(report.warnings, Vec::<String>::new());
        let [sms, whatsapp] = &report.lines[..] else { panic!("{report:?}") };
        assert!(sms.starts_with("services.default: sms: 1 segment in en, af, ar, bg, "), "{sms}");
        assert!(sms.ends_with(", zh-CN, zh-TW") && !sms.contains(';'), "{sms}");
        assert!(
            whatsapp.starts_with("services.default: whatsapp: codes go out by the template HX"),
            "{whatsapp}"
        );
    }

    #[test]
    fn whatsapp_without_a_sender_or_a_template_is_warned_about() {
        let twilio = "[sandbox]\nenabled = false\n[gateway]\nkind = \"console\"\n[codes]\n\
                      keys = [{ id = \"a\", secret = \"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\" }]\n";
        let warnings =
            |own: &str| of(&format!("{twilio}[services.default]\nchannels = [\"whatsapp\"]\n{own}")).warnings;
        assert_eq!(
            warnings(""),
            [
                "services.default: whatsapp: there is no sender, so nothing is sent; set whatsapp_from",
                "services.default: whatsapp: without a template codes go only to people who wrote within 24 hours; set whatsapp_content_sid",
            ]
        );
        let approved = format!("whatsapp_from = \"+15005550006\"\nwhatsapp_content_sid = \"HX{:032}\"\n", 1);
        assert_eq!(warnings(&approved), Vec::<String>::new());
        assert_eq!(
            warnings(&format!("{approved}psd2 = true\n")),
            [
                "services.default: whatsapp: payments are refused, because the template does not say what is paid to whom; give amount and payee a place in whatsapp_variables",
            ]
        );
    }

    // The sandbox has a sender and a template for WhatsApp.
    #[cfg(feature = "sandbox")]
    #[test]
    fn what_costs_more_is_named_with_its_reason() {
        let report = of(
            "[services.shop]\nname = \"L’Étoile\"\ntemplate = \"shop\"\ndo_not_share = true\npsd2 = true\n\
             domain = \"www.a-rather-long-name-of-a-domain-for-a-shop.example.com\"\nchannels = [\"sms\", \"whatsapp\"]\n",
        );
        assert_eq!(
            report.lines[2..4],
            ["services.shop: sms: 3 segments in de, sw", "services.shop: sms of a payment: 1 segment in de",]
        );
        assert_eq!(
            report.warnings,
            [
                "services.shop: sms in de: 3 segments: 146 units of UCS-2, 76 too many for one; not GSM-7 for '’'; 1 with Twilio's smart encoding",
                "services.shop: sms in sw: 3 segments: 151 units of UCS-2, 81 too many for one; not GSM-7 for '’'; 1 with Twilio's smart encoding",
                "services.shop: whatsapp: payments are refused, because the template does not say what is paid to whom; give amount and payee a place in whatsapp_variables",
            ]
        );
    }
}
