//! The operator's texts: what is taken, and how mistakes are told.

use super::*;
use crate::messages::{Wording, compose};

fn directory(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn shop() -> Catalog {
    Catalog::load(&directory("fixtures/messages/good")).unwrap()
}

fn body(catalog: &Catalog, change: impl FnOnce(&mut Wording<'static>)) -> String {
    let mut wording =
        Wording { set: Some("shop"), service: "Shop", code: "4711", minutes: 5, ..Wording::default() };
    change(&mut wording);
    compose(catalog, &wording).body
}

#[test]
fn a_set_of_ones_own_is_used_and_filled_up_from_the_shipped() {
    let catalog = shop();
    let text = |requested: &'static str| body(&catalog, |wording| wording.requested = Some(requested));
    assert_eq!(text("de"), "4711 ist Ihr Code bei Shop und gilt 5 Minuten.");
    assert_eq!(text("sw-KE"), "Nambari yako ya Shop ni 4711. Itaisha baada ya dakika 5.");
    assert_eq!(text("fr"), text("de"), "the first there is, where English is not");
    assert_eq!(
        body(&catalog, |wording| wording.purpose = Some("zum Anmelden")),
        "4711 ist Ihr Code bei Shop zum Anmelden und gilt 5 Minuten."
    );
    assert_eq!(body(&catalog, |wording| wording.is_whatsapp = true), "*4711* ist Ihr Code bei Shop.");
    assert_eq!(
        body(&catalog, |wording| {
            wording.payment = Some(("1 EUR", "Ida"));
            wording.do_not_share = true;
        }),
        "4711: 1 EUR an Ida. Geben Sie ihn nie weiter."
    );
    assert_eq!(
        body(&catalog, |wording| {
            wording.requested = Some("sw");
            wording.do_not_share = true;
        }),
        "Nambari yako ya Shop ni 4711. Itaisha baada ya dakika 5. Usimpe mtu mwingine."
    );
    assert_eq!(
        body(&catalog, |wording| wording.set = Some("none")),
        "Your Shop code is 4711. It expires in 5 minutes."
    );
}

#[test]
fn a_call_is_introduced_in_the_words_of_its_set() {
    let catalog = shop();
    let intro = |set, locale| catalog.call_intro(set, locale, "Shop");
    assert_eq!(intro(Some("shop"), "de-AT").as_deref(), Some("Der Code von Shop lautet:"));
    assert_eq!((intro(Some("shop"), "fr-FR"), intro(None, "de-DE")), (None, None));
}

#[test]
fn a_set_has_a_name_for_twilio_that_stays() {
    let catalog = shop();
    let sids: Vec<_> = catalog.sets().iter().map(|set| (set.name(), set.sid())).collect();
    assert_eq!(
        sids,
        [("default", "HJc78352d5becdf3ba6e3707683fb2fe3e"), ("shop", "HJcc3ea3df55cff4d413c9df8884be4285"),]
    );
    let shop = catalog.find(sids[1].1).unwrap();
    assert_eq!((shop.name(), shop.channels()), ("shop", vec![Channel::Sms, Channel::Call]));
    let texts: Vec<_> =
        shop.translations(Kind::Sms).iter().map(|text| (text.locale, text.is_default)).collect();
    assert_eq!(texts, [("de", true), ("sw", false)]);
    let english = &catalog.set(None).translations(Kind::Sms)[0];
    assert_eq!((english.locale, english.is_default), ("en", true));
    assert_eq!(english.text, "Your {service} code is {code}. It expires in {minutes}.");
    assert!(shop.speaks("de-CH") && !shop.speaks("fr"));
}

#[test]
fn every_mistake_is_named_by_its_place() {
    let wrong = Catalog::load(&directory("fixtures/messages/broken")).unwrap_err().to_string();
    let prefix = format!("{}/", directory("fixtures/messages/broken").display());
    assert_eq!(
        wrong.replace(&prefix, ""),
        include_str!("../../../fixtures/messages/broken/mistakes.txt").trim_end()
    );
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let wrong = Catalog::load(&directory("fixtures/messages/nowhere")).unwrap_err().to_string();
    assert!(wrong.contains("fixtures/messages/nowhere:1:1: cannot be read: "), "{wrong}");
    assert!(wrong.ends_with("; name a directory of toml files in messages.dir"), "{wrong}");
}

#[test]
fn a_service_that_names_what_is_not_there_is_told_so() {
    let settings = Settings {
        template: Some("shpo".into()),
        locale: Some("klingon".into()),
        whatsapp_variables: [("1", "cod"), ("2", "minutes")].map(|(a, b)| (a.into(), b.into())).into(),
        ..Settings::default()
    };
    assert_eq!(
        shop().wrong_in(&settings).iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "template: \"shpo\" is no set of texts; did you mean \"shop\"?",
            "locale: \"klingon\" is no language; write a tag such as de or pt-BR",
            "whatsapp_variables.1: \"cod\" is no variable; did you mean \"code\"?",
        ]
    );
    assert_eq!(shop().wrong_in(&Settings::default()), Vec::new());
}
