//! The operator's texts: what is taken, and how mistakes are told.

use super::*;
use crate::texts::{Wording, compose};

fn directory(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn shop() -> Catalog {
    Catalog::load(&directory("fixtures/messages/good")).unwrap()
}

fn body(catalog: &Catalog, change: impl FnOnce(&mut Wording<'static>)) -> String {
    let mut wording =
        Wording { set: Some("shop"), service: "Shop", code: "4711", seconds: 300, ..Wording::default() };
    change(&mut wording);
    compose(catalog, &wording).body
}

#[test]
fn a_set_of_ones_own_is_used_and_filled_up_from_the_shipped() {
    let catalog = shop();
    let text = |requested: &'static str| body(&catalog, |wording| wording.requested = Some(requested));
    assert_eq!(text("de"), "4711 ist Ihr Code bei Shop und gilt 5 Minuten.");
    assert_eq!(text("sw-KE"), "Nambari yako ya Shop ni 4711. Itaisha baada ya dakika 5.");
    assert_eq!(text("fr"), "Votre code Shop est 4711. Il expire dans 5 minutes.", "what it leaves out");
    assert_eq!(
        body(&catalog, |wording| wording.country = Some("CZ")),
        "Váš kód Shop je 4711. Platí 5 minut."
    );
    assert_eq!(body(&catalog, |_| ()), text("de"), "the first there is, where English is not");
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
    const ALL: &str = "af, ar, bg, ca, cs, da, de, el, en, es, et, fi, fr, he, hi, hr, hu, id, it, ja, kn, ko, \
                       lt, mr, ms, nb, nl, pl, pt-BR, pt-PT, ro, ru, sk, sv, te, th, tl, tr, uk, vi, zh-CN, zh-TW";
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
            &format!("locale: \"klingon\" is no language that there are texts in; there are {ALL}"),
            "whatsapp_variables.1: \"cod\" is no variable; did you mean \"code\"?",
        ]
    );
    assert_eq!(shop().wrong_in(&Settings::default()), Vec::new());
    let of = |template: Option<&str>, locale: &str| {
        let (template, locale) = (template.map(str::to_owned), Some(locale.to_owned()));
        shop()
            .wrong_in(&Settings { template, locale, ..Settings::default() })
            .first()
            .map(ToString::to_string)
    };
    assert_eq!((of(None, "de-CH"), of(Some("shop"), "sw-KE"), of(Some("shop"), "fr")), (None, None, None));
    assert!(of(None, "sw").is_some(), "only a set of one's own is in Swahili");
    assert_eq!(
        of(None, "de_DE").as_deref(),
        Some("locale: \"de_DE\" is no language tag; did you mean \"de-DE\"?")
    );
}

#[test]
fn every_locale_of_twilio_verify_is_a_language_of_the_shipped_texts() {
    // https://www.twilio.com/docs/verify/supported-languages
    let verify = "af ar ca zh zh-CN zh-HK hr cs da nl en en-GB et fi fr de el he hi hu id it ja kn ko lt ms mr \
                  nb pl pt pt-BR ro ru sk es sv te th tl tr uk vi";
    for locale in verify.split(' ') {
        assert_eq!(Catalog::shipped().judge_locale(None, locale), Ok(()), "{locale}");
    }
}

#[test]
fn a_set_in_english_alone_leaves_german_german() {
    let source = "[sms]\nen = \"{code} for {service}, {minutes}.\"\n[whatsapp]\nen = \"*{code}*\"\n";
    let mut catalog = Catalog::shipped();
    let texts = Texts::read("plain.toml", source, Some(&catalog.shipped_set().texts)).unwrap();
    catalog.sets.push(Set::new("plain", texts));
    let text = |change: &dyn Fn(&mut Wording<'static>)| {
        let mut wording = Wording {
            set: Some("plain"),
            service: "Shop",
            code: "4711",
            seconds: 86_400,
            ..Wording::default()
        };
        change(&mut wording);
        compose(&catalog, &wording).body
    };
    assert_eq!(text(&|_| ()), "4711 for Shop, 24 hours.");
    assert_eq!(text(&|wording| wording.requested = Some("en-GB")), "4711 for Shop, 24 hours.");
    let german = "Ihr Code für Shop lautet 4711. Er ist 24 Stunden gültig.";
    assert_eq!(text(&|wording| wording.requested = Some("de")), german);
    assert_eq!(text(&|wording| wording.country = Some("AT")), german);
    assert_eq!(text(&|wording| wording.default_locale = Some("de-DE")), german);
    let whatsapp = |locale| text(&|wording| (wording.is_whatsapp, wording.requested) = (true, Some(locale)));
    assert_eq!((whatsapp("en"), whatsapp("de")), ("*4711*".to_owned(), german.to_owned()));
    assert_eq!(catalog.languages(Some("plain"), Kind::Sms), ["en"]);
}

#[test]
fn a_set_of_another_script_does_not_stand_in_for_the_shipped_text() {
    let mut catalog = Catalog::shipped();
    let source = "[sms]\nzh-CN = \"{code}（{service}）\"\npt-BR = \"{code} {service}\"\n";
    let texts = Texts::read("own.toml", source, None).unwrap();
    catalog.sets.push(Set::new("own", texts));
    let text = |locale| {
        let wording = Wording {
            set: Some("own"),
            service: "Shop",
            code: "4711",
            requested: Some(locale),
            ..Wording::default()
        };
        compose(&catalog, &wording).locale
    };
    assert_eq!(["zh-SG", "zh-HK", "pt-PT"].map(text), ["zh-CN", "zh-TW", "pt-BR"]);
}
