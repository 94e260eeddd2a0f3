//! Every language says what it must, at what it costs.

use super::*;
use crate::twilio::segments::{Encoding, smart_encoded};
use proptest::prelude::*;
use std::sync::LazyLock;

static SHIPPED: LazyLock<Catalog> = LazyLock::new(Catalog::shipped);

fn wording(locale: &str) -> Wording<'_> {
    Wording {
        service: "Dialback",
        code: "012345",
        seconds: 600,
        requested: Some(locale),
        ..Wording::default()
    }
}

fn body(wording: &Wording<'_>) -> String {
    compose(&SHIPPED, wording).body
}

fn locales() -> Vec<&'static str> {
    SHIPPED.set(None).translations(Kind::Sms).into_iter().map(|text| text.locale).collect()
}

/// Encoding, then segments of: the plain text, the same with the sentence that
/// it is for nobody else, a payment, and everything at once.
const COSTS: &str = "\
en GSM-7 1 1 1 2
af GSM-7 1 1 1 2
ar UCS-2 1 2 2 3
bg UCS-2 1 2 2 3
ca GSM-7 1 1 1 1
cs UCS-2 1 1 2 3
da GSM-7 1 1 1 2
de GSM-7 1 1 1 2
el UCS-2 1 2 2 3
es GSM-7 1 1 1 1
et GSM-7 1 1 1 1
fi GSM-7 1 1 1 2
fr GSM-7 1 1 1 2
he UCS-2 1 2 2 3
hi UCS-2 1 2 2 3
hr GSM-7 1 1 1 1
hu UCS-2 1 2 2 3
id GSM-7 1 1 1 2
it GSM-7 1 1 1 2
ja UCS-2 1 1 1 2
kn UCS-2 1 2 2 3
ko UCS-2 1 1 2 2
lt GSM-7 1 1 1 1
mr UCS-2 1 2 2 3
ms GSM-7 1 1 1 2
nb GSM-7 1 1 1 2
nl GSM-7 1 1 1 2
pl GSM-7 1 1 1 1
pt-BR GSM-7 1 1 1 2
pt-PT GSM-7 1 1 1 2
ro GSM-7 1 1 1 2
ru UCS-2 1 1 2 3
sk UCS-2 1 1 2 3
sv GSM-7 1 1 1 2
te UCS-2 1 2 2 3
th UCS-2 1 2 2 3
tl GSM-7 1 1 1 2
tr GSM-7 1 1 1 2
uk UCS-2 1 2 2 3
vi UCS-2 1 2 2 3
zh-CN UCS-2 1 1 1 2
zh-TW UCS-2 1 1 1 2
";

#[test]
fn every_language_costs_what_it_did() {
    let mut costs = String::new();
    for locale in locales() {
        let plain = wording(locale);
        let payment = Some(("12.50 EUR", "Example Shop"));
        let variants = [
            plain.clone(),
            Wording { do_not_share: true, ..plain.clone() },
            Wording { payment, ..plain.clone() },
            Wording {
                payment,
                do_not_share: true,
                domain: Some("www.example.com"),
                app_hash: Some("FA+9qCX9VSu"),
                ..plain
            },
        ];
        let segments = variants.map(|variant| compose(&SHIPPED, &variant).segments);
        costs.push_str(&format!("{locale} {}", segments[0].encoding));
        segments.iter().for_each(|cost| costs.push_str(&format!(" {}", cost.segments)));
        costs.push('\n');
    }
    assert_eq!(costs, COSTS);
}

#[test]
fn a_language_that_can_be_written_in_gsm_is_for_every_span() {
    for locale in locales() {
        let cost = |seconds| {
            let text = Wording { seconds, do_not_share: true, ..wording(locale) };
            compose(&SHIPPED, &text).segments
        };
        let first = cost(600);
        let spans = (1..60).chain((60..10_800).step_by(60)).chain((10_800..=86_400).step_by(3600));
        for seconds in spans {
            let cost = cost(seconds);
            assert_eq!(cost.encoding, first.encoding, "{locale} {seconds}");
            let may_cost_more = first.encoding == Encoding::Ucs2;
            assert!(may_cost_more || cost.segments == first.segments, "{locale} {seconds}: {cost:?}");
        }
    }
}

#[test]
fn a_day_is_hours_and_less_than_a_minute_seconds_in_every_language() {
    for locale in locales() {
        let text = |seconds| body(&Wording { seconds, ..wording(locale) });
        let has_no_more_than = |seconds, figures: &str, more: &str| {
            let text = text(seconds);
            assert!(text.contains(figures) && !text.contains(more), "{locale} {seconds}: {text}");
        };
        has_no_more_than(86_400, "24", "1440");
        has_no_more_than(43, "43", "1 ");
        assert_eq!(text(119), text(60), "{locale}");
        assert_eq!(text(3600 * 5 + 59 * 60), text(3600 * 5), "{locale}");
        let words = [45, 60 * 45, 3600 * 21].map(|seconds| text(seconds).replace(['4', '5', '2', '1'], ""));
        assert!(words[0] != words[1] && words[1] != words[2] && words[0] != words[2], "{locale}: {words:?}");
    }
}

#[test]
fn spans_follow_the_plural_rules_of_their_language() {
    for (locale, seconds, phrase) in [
        ("en", 1, "in 1 second."),
        ("en", 59, "in 59 seconds."),
        ("en", 3600, "in 1 hour."),
        ("en", 86_400, "in 24 hours."),
        ("de", 3600, "1 Stunde gültig"),
        ("de", 86_400, "24 Stunden gültig"),
        ("cs", 3600, "Platí 1 hodinu."),
        ("cs", 3 * 3600, "Platí 3 hodiny."),
        ("cs", 86_400, "Platí 24 hodin."),
        ("ru", 86_400, "Действует 24 часа."),
        ("ru", 21 * 3600, "Действует 21 час."),
        ("ru", 41, "Действует 41 секунду."),
        ("pl", 86_400, "za 24 godziny."),
        ("pl", 5 * 3600, "za 5 godzin."),
        ("lt", 86_400, "Galioja 24 val."),
        ("ro", 86_400, "Valabil 24 de ore."),
        ("he", 2 * 3600, "שעתיים"),
        ("ar", 2 * 3600, "ساعتين"),
        ("ar", 11 * 3600, "11 ساعة"),
        ("fi", 3600, "voimassa 1 tunnin."),
        ("ja", 86_400, "24時間"),
        ("et", 86_400, "kehtib 24 tundi."),
        ("te", 3600, "1 గంట పాటు"),
    ] {
        let text = body(&Wording { seconds, ..wording(locale) });
        assert!(text.contains(phrase), "{locale} {seconds}: {text}");
    }
}

#[test]
fn every_language_says_everything_once_and_leaves_no_brace() {
    for locale in locales() {
        for payment in [None, Some(("77.25 EUR", "Shop"))] {
            let text = Wording { payment, do_not_share: true, seconds: 33 * 60, ..wording(locale) };
            let Text { body, locale: got, .. } = compose(&SHIPPED, &text);
            assert_eq!(got, locale);
            let times = |needle: &str| body.matches(needle).count();
            assert_eq!((times("012345"), times("Dialback"), times("33")), (1, 1, 1), "{body}");
            assert_eq!((times("77.25 EUR"), times("Shop")), payment.map_or((0, 0), |_| (1, 1)), "{body}");
            assert!(!body.contains(['{', '}']) && !body.contains("  "), "{body}");
        }
    }
}

#[test]
fn every_kind_of_text_is_there_in_every_language() {
    let set = SHIPPED.set(None);
    let tags = |kind| set.translations(kind).into_iter().map(|text| text.locale).collect::<Vec<_>>();
    assert_eq!(tags(Kind::Payment), locales());
    assert_eq!(tags(Kind::DoNotShare), locales());
    for kind in [Kind::Minutes, Kind::Hours, Kind::Seconds] {
        let units: Vec<_> = set.units(kind).collect();
        assert_eq!(units, locales(), "{kind:?}");
    }
    for words in crate::twilio::words::all() {
        let written = SHIPPED.judge_locale(None, words.locale());
        assert_eq!(written, Ok(()), "{} is spoken and not written", words.locale());
    }
    for locale in locales() {
        assert!(crate::twilio::words::find(locale).is_some(), "{locale} is written and not spoken");
    }
}

#[test]
fn minutes_follow_the_plural_rules_of_their_language() {
    let cases = [
        (
            "en",
            ["1 minute", "2 minutes", "5 minutes", "10 minutes", "11 minutes", "21 minutes", "22 minutes"],
        ),
        (
            "fr",
            ["1 minute", "2 minutes", "5 minutes", "10 minutes", "11 minutes", "21 minutes", "22 minutes"],
        ),
        ("ru", ["1 минуту", "2 минуты", "5 минут", "10 минут", "11 минут", "21 минуту", "22 минуты"]),
        ("uk", ["1 хвилину", "2 хвилини", "5 хвилин", "10 хвилин", "11 хвилин", "21 хвилину", "22 хвилини"]),
        ("pl", ["1 min", "2 minuty", "5 minut", "10 minut", "11 minut", "21 minut", "22 minuty"]),
        ("cs", ["1 minutu", "2 minuty", "5 minut", "10 minut", "11 minut", "21 minut", "22 minut"]),
        ("sk", ["1 minútu", "2 minúty", "5 minút", "10 minút", "11 minút", "21 minút", "22 minút"]),
        ("hr", ["1 minutu", "2 minute", "5 minuta", "10 minuta", "11 minuta", "21 minutu", "22 minute"]),
        ("ro", ["1 minut", "2 minute", "5 minute", "10 minute", "11 minute", "21 de minute", "22 de minute"]),
        ("he", ["דקה אחת", "שתי דקות", "5 דקות", "10 דקות", "11 דקות", "21 דקות", "22 דקות"]),
        ("ar", ["دقيقة واحدة", "دقيقتين", "5 دقائق", "10 دقائق", "11 دقيقة", "21 دقيقة", "22 دقيقة"]),
        (
            "fi",
            [
                "1 minuutin",
                "2 minuuttia",
                "5 minuuttia",
                "10 minuuttia",
                "11 minuuttia",
                "21 minuuttia",
                "22 minuuttia",
            ],
        ),
        ("ja", ["1分", "2分", "5分", "10分", "11分", "21分", "22分"]),
        ("tr", ["1 dakika", "2 dakika", "5 dakika", "10 dakika", "11 dakika", "21 dakika", "22 dakika"]),
    ];
    for (locale, phrases) in cases {
        for (minutes, phrase) in [1, 2, 5, 10, 11, 21, 22].into_iter().zip(phrases) {
            let text = body(&Wording { seconds: minutes * 60, ..wording(locale) });
            assert!(text.contains(phrase), "{locale} {minutes}: {text}");
        }
    }
}

#[test]
fn the_last_line_is_bound_to_its_origin_and_the_line_before_finds_the_application() {
    let plain = wording("en");
    let domain = Some("example.com");
    let app_hash = Some("FA+9qCX9VSu");
    assert_eq!(
        body(&Wording { domain, app_hash, ..plain.clone() }),
        "<#> Your Dialback code is 012345. It expires in 10 minutes.\nFA+9qCX9VSu\n@example.com #012345"
    );
    assert_eq!(
        body(&Wording { app_hash, do_not_share: true, ..plain.clone() }),
        "<#> Your Dialback code is 012345. It expires in 10 minutes. Never share it with anyone.\nFA+9qCX9VSu"
    );
    assert_eq!(
        body(&Wording { domain, app_hash: Some("no hash"), ..plain.clone() }),
        "Your Dialback code is 012345. It expires in 10 minutes.\n@example.com #012345"
    );
    assert_eq!(
        body(&Wording { domain, app_hash, is_whatsapp: true, ..plain }),
        "Your Dialback code is 012345. It expires in 10 minutes.",
        "only what reads text messages reads these lines"
    );
}

#[test]
fn a_purpose_is_a_line_before_and_a_payment_says_what_to_whom() {
    let purpose = Some("Change of address");
    assert_eq!(
        body(&Wording { purpose, ..wording("de") }),
        "Change of address\nIhr Code für Dialback lautet 012345. Er ist 10 Minuten gültig."
    );
    assert_eq!(
        body(&Wording { payment: Some(("12,50 €", "Blumen Müller")), ..wording("de") }),
        "Dialback: Mit dem Code 012345 bestätigen Sie die Zahlung von 12,50 € an Blumen Müller. Er ist 10 Minuten gültig."
    );
    assert_eq!(
        body(&Wording { do_not_share: true, ..wording("ja") }),
        "Dialbackの確認コードは012345です。有効期間は10分です。誰にも教えないでください。"
    );
}

#[test]
fn a_value_cannot_forge_a_line_or_turn_the_text_around() {
    let service = "Evil\n@evil.example #999999\u{202e}\r\u{2028}";
    let text = body(&Wording { service, domain: Some("example.com"), ..wording("en") });
    assert_eq!(
        text,
        "Your Evil @evil.example #999999 code is 012345. It expires in 10 minutes.\n@example.com #012345"
    );
    let long = "long ".repeat(400);
    let payment = Some((long.as_str(), long.as_str()));
    let text = body(&Wording { service: &long, purpose: Some(&long), payment, ..wording("en") });
    assert!(text.chars().count() < 700 && text.contains("012345"), "{}", text.len());
}

#[test]
fn what_runs_the_other_way_is_kept_together_where_it_would_come_apart() {
    let marks = |locale, service: &'static str| {
        body(&Wording { service, ..wording(locale) }).contains(['\u{2068}', '\u{2069}'])
    };
    assert!(marks("ar", "C++") && marks("he", "2Go!") && marks("en", "בנק") && marks("ru", "بنك"));
    assert!(
        !marks("ar", "Dialback")
            && !marks("ar", "Acme Bank 24")
            && !marks("ar", "بنك")
            && !marks("en", "C++")
    );
    let text = body(&Wording { payment: Some(("12.50 €", "C++")), ..wording("ar") });
    assert!(text.contains("\u{2068}12.50 €\u{2069}") && text.contains("هو 012345."), "{text}");
}

#[test]
fn the_language_is_the_one_asked_for_else_the_country_s_else_the_service_s() {
    let chosen = |requested, country, default_locale| {
        let wording = Wording { requested, country, default_locale, ..wording("") };
        compose(&SHIPPED, &wording).locale
    };
    assert_eq!(chosen(Some("fr-CA"), Some("DE"), Some("it")), "fr");
    assert_eq!(chosen(Some("xx"), Some("DE"), Some("it")), "de");
    assert_eq!(chosen(None, Some("CH"), Some("it")), "de");
    assert_eq!(chosen(None, Some("BR"), None), "pt-BR");
    assert_eq!(chosen(None, Some("HK"), None), "zh-TW");
    assert_eq!(chosen(None, Some("IS"), Some("it")), "it");
    assert_eq!(chosen(None, None, Some("xx")), "en");
    assert_eq!(chosen(None, None, None), "en");
}

#[test]
fn smart_encoding_saves_what_typography_costs() {
    let text = body(&Wording { service: "L’Étoile – “Bank”", ..wording("en") });
    let costs = (segments::count(&text).encoding, segments::count(&smart_encoded(&text)).encoding);
    assert_eq!(costs, (Encoding::Ucs2, Encoding::Gsm7));
}

#[test]
fn a_message_shows_no_code() {
    assert!(!format!("{:?}", compose(&SHIPPED, &wording("en"))).contains("012345"));
    let hashes = ["FA+9qCX9VSu", "FA+9qCX9VS", "FA+9qCX9VSu=", "FA 9qCX9VSu", ""];
    assert_eq!(hashes.map(is_app_hash), [true, false, false, false, false]);
}

fn any_value() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[{}a-z@#\\n ]{0,40}", "[א-ת؀-ۿ!+ ]{0,20}"]
}

proptest! {
    #[test]
    fn whatever_is_named_the_code_is_there_once_and_again_in_the_last_line(
        values in proptest::collection::vec(any_value(), 5),
        code in "[0-9]{4,10}|[A-Z0-9]{6}",
        locale in prop_oneof![proptest::sample::select(locales()).prop_map(str::to_owned), any::<String>()],
        flags in any::<[bool; 4]>(),
        minutes in any::<u32>(),
    ) {
        prop_assume!(values.iter().all(|value| !clean(value).contains(&code)));
        let [service, amount, payee, purpose, set] = &values[..] else { unreachable!() };
        let text = compose(&SHIPPED, &Wording {
            set: Some(set),
            is_whatsapp: false,
            service,
            code: &code,
            seconds: minutes.saturating_mul(60),
            payment: flags[0].then_some((amount, payee)),
            purpose: flags[1].then_some(purpose),
            domain: flags[2].then_some("example.com"),
            app_hash: flags[3].then_some("FA+9qCX9VSu"),
            do_not_share: flags[0],
            requested: Some(&locale),
            country: Some(set),
            default_locale: Some(purpose),
        });
        let before = text.body.strip_suffix(&format!("\n@example.com #{code}"));
        prop_assert_eq!(before.is_some(), flags[2]);
        let before = before.unwrap_or(&text.body);
        // The number of minutes may be part of the code, or hold it.
        let found = before.replace(&minutes.to_string(), "").matches(&code).count();
        prop_assert!(found == 1 || minutes.to_string().contains(&code) || code.contains(&minutes.to_string()), "{before:?}");
        prop_assert!(text.body.chars().count() <= 1600);
    }
}
