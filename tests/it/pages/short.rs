//! Few pages to the code, a way back from each, and none that is for programs.

use super::*;

#[tokio::test]
async fn the_code_is_two_pages_away() {
    // The application gave the number: each way has a button.
    let both = world().await;
    let (_, browser) = session(&both, json!({ "to": NUMBER })).await;
    let start = browser.look().await;
    assert!(
        start.text.contains("value=\"sms\">Text me a code") && start.text.contains("value=\"call\">Call me")
    );
    assert_eq!(heading(&browser.go("begin", &[("channel", "call")]).await), "Enter your code");
    assert_eq!(both.post.first().await.0.channel, Channel::Call);
    // The service has one channel: the number is asked for at once.
    let one = World::with_service(|settings| {
        shop(settings);
        settings.channels = vec![Channel::Sms];
    })
    .await;
    let (_, browser) = session(&one, json!({})).await;
    let start = browser.look().await;
    assert!(start.text.contains("id=\"number\"") && start.text.contains("Text me a code"), "{}", start.text);
    let page = browser.go("number", &[("region", "US"), ("number", NUMBER)]).await;
    assert_eq!(heading(&page), "Enter your code");
}

#[tokio::test]
async fn every_page_can_be_turned_back_from() {
    let world = world().await;
    let (id, browser) = session(&world, json!({})).await;
    let start = browser.look().await;
    assert!(start.text.contains("&#x2f;cancel\"") || start.text.contains("/cancel\""), "{}", start.text);
    let back = browser.leave("cancel").await;
    assert_eq!(exchange(&world, &id, &back["result"]).await.json()["status"], "canceled");
    assert_eq!(world.post.count(), 0);
    // Another browser turns nothing back.
    let (_, own) = session(&world, json!({})).await;
    own.go("begin", &[]).await;
    let stranger = Browser::at(&own.url);
    stranger.look().await;
    stranger.send(Method::POST, "/cancel", Some(&[])).await;
    assert_eq!(heading(&own.look().await), "What is your phone number?");
}

#[tokio::test]
async fn a_payment_shows_amount_and_payee_on_every_page() {
    let world = world().await;
    let (_, browser) = session(&world, json!({ "amount": "49.90 €", "payee": "Bob & Co" })).await;
    let shows = |page: &Answer, title: &str| {
        assert_eq!(heading(page), title);
        let text = page.text.replace("&amp;", "&");
        assert!(text.contains(">49.90 €<") && text.contains(">Bob & Co<"), "{title}: {text}");
    };
    let title = "Confirm your payment";
    shows(&browser.look().await, title);
    shows(&browser.go("begin", &[]).await, title);
    shows(&browser.go("number", &[("number", "12")]).await, title);
    shows(&browser.go("number", &[("region", "US"), ("number", NUMBER)]).await, title);
    shows(&browser.go("channel", &[("channel", "sms")]).await, title);
    let code = sent_code(&world).await;
    let page = browser.go("code", &[("code", &wrong(&code))]).await;
    shows(&page, title);
    assert!(page.text.contains("<h2 class=\"question\">Enter your code</h2>"), "{}", page.text);
    shows(&browser.go("code", &[("code", &code)]).await, "Your payment is confirmed");
}

#[tokio::test]
async fn a_browser_is_shown_a_page_where_there_is_none() {
    let world = world().await;
    let (_, browser) = session(&world, json!({})).await;
    let id = browser.url.rsplit_once('/').unwrap().1;
    let ask = |path: &str, accept: &'static str| {
        let request = browser.http.get(format!("{}{path}", world.base_url)).header("accept", accept);
        answer(request.header("accept-language", "de"))
    };
    let paths = [
        "/verify",
        "/verify/",
        "/verify/nonsense",
        "/verify/a/b/c",
        "/verify/static/x.css",
        &format!("/verify/{id}/x"),
    ];
    for path in paths {
        let page = ask(path, "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8").await;
        assert_eq!(
            (page.status, heading(&page).as_str()),
            (404, "Diese Seite ist nicht verfügbar"),
            "{path}"
        );
        assert!(page.header("content-security-policy").contains("default-src 'none'"), "{path}");
    }
    // At a step's address nothing is done; the session's page is shown.
    let step = ask(&format!("/verify/{id}/code"), "text/html").await;
    assert_eq!((step.status, step.header("location")), (303, format!("/verify/{id}").as_str()));
    assert_eq!(ask("/verify/static/x.css", "*/*").await.json()["code"], "not_found");
    assert_eq!(ask("/verifying", "text/html").await.json()["code"], "not_found");
}
