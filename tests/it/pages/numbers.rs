//! The number that a person enters: what is guessed, what is shown of it, and what
//! they are told of one that is none.

use super::*;

#[tokio::test]
async fn a_number_that_is_none_is_explained_and_kept() {
    let world = World::with_service(|settings| {
        shop(settings);
        settings.channels = vec![Channel::Sms];
        settings
            .countries
            .insert(Channel::Sms, service::Countries { refuse: vec!["KP".into()], ..Default::default() });
    })
    .await;
    let (_, browser) = session(&world, json!({ "locale": "de-AT" })).await;
    let page = browser.go("begin", &[]).await;
    assert!(page.text.contains("<html lang=\"de\" dir=\"ltr\">"), "{}", page.text);
    assert!(
        page.text
            .contains("<option value=\"AT\" data-example=\"0664 123456\" selected>Österreich &#x2066;+43&#x2069;</option>"),
        "{}",
        page.text
    );
    let rows = [
        ("DE", "hallo", "Das ist keine Telefonnummer."),
        (
            "DE",
            "+49 3",
            "Diese Nummer ist zu kurz für +49. Sie wurde als Nummer dieses Landes gelesen: Deutschland (+49).",
        ),
        (
            "DE",
            "0151 234567",
            "Diese Nummer ist zu kurz für +49. Sie wurde als Nummer dieses Landes gelesen: Deutschland (+49).",
        ),
        (
            "CH",
            "+41 52 420 42 42 42 42",
            "Diese Nummer ist zu lang für +41. Sie wurde als Nummer dieses Landes gelesen: Schweiz (+41).",
        ),
        ("US", "+999 123456", "Kein Land hat diese Ländervorwahl."),
        (
            "US",
            "+1 900 234 5678",
            "Diese Art von Nummer kann nicht verwendet werden. Bitte nehmen Sie eine Mobilnummer.",
        ),
        ("US", "+1 205 555 1234 ext. 7", "Eine Nummer mit Durchwahl kann nicht verwendet werden."),
        ("KP", "0192 123 4567", "Dorthin senden wir keine Codes: Nordkorea."),
        (
            "XX",
            "030 123456",
            "Die Ländervorwahl fehlt. Wählen Sie Ihr Land oder Ihre Region, oder beginnen Sie mit + und der Ländervorwahl.",
        ),
    ];
    for (region, number, expected) in rows {
        let page = browser.go("number", &[("region", region), ("number", number)]).await;
        assert_eq!(problem(&page).as_deref(), Some(expected), "{number}");
        assert!(page.text.contains(&format!("value=\"{number}\"")), "{number} is not kept: {}", page.text);
        assert!(page.text.contains("aria-describedby=\"problem hint\" aria-invalid=\"true\" autofocus"));
        assert_eq!(browser.go("number", &[("number", "<b>\"&;")]).await.text.matches("<b>").count(), 0);
    }
    assert_eq!(
        heading(&browser.go("number", &[("region", "DE"), ("number", "٠٣٠ 123456")]).await),
        "Geben Sie Ihren Code ein"
    );
    assert_eq!(world.post.first().await.0.to.in_full(), "+4930123456");
}

#[tokio::test]
async fn a_number_may_be_changed_three_times_and_a_given_one_never() {
    let world = world().await;
    let (_, browser) = session(&world, json!({})).await;
    browser.go("begin", &[]).await;
    for n in 1..=3 {
        let number = format!("+1 500 555 000{n}");
        let page = browser.go("number", &[("region", "US"), ("number", &number)]).await;
        assert_eq!(heading(&page), "How do you want to get the code?");
        assert_eq!(page.text.contains("Use another number"), n < 3);
        let page = browser.go("change", &[]).await;
        assert_eq!(heading(&page) == "What is your phone number?", n < 3);
        assert_eq!(problem(&page).is_some(), n == 3);
    }
    let (_, given) = session(&world, json!({ "to": NUMBER })).await;
    let page = given.go("begin", &[]).await;
    assert!(!page.text.contains("Use another number"), "{}", page.text);
    assert_eq!(heading(&given.go("change", &[]).await), heading(&page));
    given.go("number", &[("region", "US"), ("number", "+15005550001")]).await;
    given.go("channel", &[("channel", "sms")]).await;
    assert_eq!(world.post.first().await.0.to.in_full(), NUMBER);
}

#[tokio::test]
async fn a_typed_number_is_shown_in_full_to_its_browser_and_kept() {
    let world = world().await;
    let (_, browser) = session(&world, json!({})).await;
    browser.look().await;
    let page = browser.go("number", &[("region", "DE"), ("number", "0151 23456789")]).await;
    assert_eq!(heading(&page), "How do you want to get the code?", "the first page takes a number");
    assert!(page.text.contains("+49 1512 3456789"), "{}", page.text);
    let page = browser.go("channel", &[("channel", "sms")]).await;
    assert!(page.text.contains("Text message to <bdi dir=\"ltr\">+49 1512 3456789</bdi>"), "{}", page.text);
    let other = Browser::at(&browser.url).look().await;
    assert!(other.status == 404 && !other.text.contains("3456789"));
    let page = browser.go("change", &[]).await;
    assert!(page.text.contains("value=\"+49 1512 3456789\""), "{}", page.text);
    assert!(page.text.contains("<option value=\"DE\" data-example=\"01512 3456789\" selected>"));
    assert_eq!(problem(&page), None);
}

#[tokio::test]
async fn a_given_number_is_masked_behind_its_country() {
    let world = world().await;
    let (_, browser) = session(&world, json!({ "to": NUMBER })).await;
    let start = browser.look().await;
    let code = browser.go("begin", &[("channel", "sms")]).await;
    for page in [&start, &code] {
        assert!(page.text.contains("+1 ••••••••06") && !page.text.contains("0006"), "{}", page.text);
    }
}

#[tokio::test]
async fn no_country_is_chosen_that_nothing_speaks_for() {
    let world = world().await;
    for (accepts, region) in [("de,en-US;q=0.7", "DE"), ("ja", "JP"), ("fr", "FR"), ("en", ""), ("es", "")] {
        let (_, browser) = session(&world, json!({})).await;
        let page = answer(browser.http.get(&browser.url).header("accept-language", accepts)).await;
        let chosen = between(&page.text, "<select", "</select>").unwrap();
        let chosen: Vec<&str> = chosen.lines().filter(|line| line.contains(" selected>")).collect();
        let [chosen] = chosen.as_slice() else { panic!("{accepts}: {chosen:?}") };
        assert!(chosen.contains(&format!("<option value=\"{region}\"")), "{accepts}: {chosen}");
    }
}

#[tokio::test]
async fn a_number_of_many_countries_is_read_as_the_chosen_one() {
    let world = world().await;
    let (_, browser) = session(&world, json!({})).await;
    browser.look().await;
    for (region, number, expected) in [
        ("CA", "416 555", "This number is too short for +1. It was read as a number of Canada (+1)."),
        ("DE", "+1 416 555", "This number is too short for +1."),
        (
            "US",
            "999 555 0123",
            "No number with +1 begins like this. It was read as a number of United States (+1).",
        ),
        (
            "US",
            "+44 7400 1",
            "This number is too short for +44. It was read as a number of United Kingdom (+44).",
        ),
    ] {
        let page = browser.go("number", &[("region", region), ("number", number)]).await;
        assert_eq!(heading(&page), "Confirm your phone number");
        assert_eq!(problem(&page).as_deref(), Some(expected), "{number}");
        assert!(page.text.contains(&format!("value=\"{number}\"")), "{}", page.text);
    }
}
