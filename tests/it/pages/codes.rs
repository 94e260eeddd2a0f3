//! The page that asks for the code: what it says of it, what it takes for it, and
//! what the person is told of one that does not do.

use super::*;

#[tokio::test]
async fn a_browser_is_told_what_became_of_its_code() {
    let world = world().await;
    let wrong_one = "This is not the right code. Check it and type it again.";
    let (_, browser) = session(&world, json!({ "to": NUMBER, "channels": ["sms"] })).await;
    browser.go("begin", &[]).await;
    let code = sent_code(&world).await;
    let page = browser.go("code", &[("code", "12")]).await;
    let told = problem(&page).unwrap();
    assert!(told.starts_with("This is not a whole code.") && told.ends_with(" (6 digits)"), "{told}");
    for left in [4, 3, 2, 1] {
        let page = browser.go("code", &[("code", &wrong(&code))]).await;
        assert_eq!(problem(&page).as_deref(), Some(wrong_one));
        assert_eq!(page.text.contains(&format!("Attempts left: {left}")), left <= 2, "{left}");
    }
    let used_up = browser.go("code", &[("code", &wrong(&code))]).await;
    assert_eq!(heading(&used_up), "Your number is not confirmed");
    assert!(used_up.text.contains("A wrong code was entered too many times. You can get a new code."));
    assert!(used_up.text.contains("Get a new code") && problem(&used_up).is_none());
    // Once more: a new code, and then too late.
    assert_eq!(heading(&browser.go("again", &[]).await), "Enter your code");
    world.clock.advance(Duration::from_secs(460));
    assert!(browser.look().await.text.contains("This code is valid for 2:20 more."));
    world.clock.advance(Duration::from_secs(141));
    let late = browser.go("code", &[("code", &code)]).await;
    assert_eq!((heading(&late), problem(&late)), (heading(&used_up), None));
    assert!(late.text.contains("The code has expired. You can get a new code."), "{}", late.text);
    assert!(!late.text.contains("use another number"), "the application gave it");
}

/// How long the answer takes is rounded where it is made (`pages::steps`); here, that
/// no answer goes past that.
#[tokio::test]
async fn no_answer_to_a_code_comes_before_its_time() {
    let world = world().await;
    let (_, browser) = session(&world, json!({ "to": NUMBER, "channels": ["sms"] })).await;
    browser.go("begin", &[]).await;
    let code = sent_code(&world).await;
    let page = browser.look().await;
    let token = between(&page.text, "name=\"token\" value=\"", "\"").unwrap();
    let spent = async |token: &str, code: &str| {
        let began = std::time::Instant::now();
        browser.send(Method::POST, "/code", Some(&[("token", token), ("code", code)])).await;
        began.elapsed().as_millis()
    };
    let several = format!("{code} or {}", wrong(&code));
    for typed in [&wrong(&code), "12", "12345a", several.as_str(), ""] {
        assert!(spent(&token, typed).await >= 300, "{typed}");
    }
    assert!(spent("another browser's", &code).await >= 300);
    world.clock.advance(Duration::from_secs(660));
    assert!(spent(&token, &code).await >= 300, "one that is too old");
    assert!(spent(&token, &wrong(&code)).await >= 300, "a wrong one, later still");
}

#[tokio::test]
async fn letters_that_are_typed_for_digits_are_said_to_be_none() {
    let world = world().await;
    let (_, browser) = session(&world, json!({ "to": NUMBER, "channels": ["sms"] })).await;
    browser.go("begin", &[]).await;
    for typed in ["ABCDEF", "12a456", "O12345"] {
        let page = browser.go("code", &[("code", typed)]).await;
        assert_eq!(problem(&page).as_deref(), Some("The code has digits only."), "{typed}");
    }
    let page = browser.go("code", &[("code", "123")]).await;
    assert!(problem(&page).unwrap().starts_with("This is not a whole code."));
    let world = World::with_service(|settings| {
        shop(settings);
        settings.code_alphabet = "ABCDEFGHJKMNPQRSTUVWXYZ23456789".into();
        settings.code_length = 8;
    })
    .await;
    let (_, browser) = session(&world, json!({ "to": NUMBER, "channels": ["sms"] })).await;
    browser.go("begin", &[]).await;
    let page = browser.go("code", &[("code", "ABC")]).await;
    assert!(problem(&page).unwrap().starts_with("This is not a whole code."));
}

#[tokio::test]
async fn after_a_wrong_code_the_empty_field_has_the_focus_and_the_error_is_at_it() {
    let world = world().await;
    let (_, browser) = session(&world, json!({ "to": NUMBER, "channels": ["sms"] })).await;
    let fresh = browser.go("begin", &[]).await;
    let hint = "<p class=\"hint\" id=\"form-of-code\">6 digits</p>";
    let field = |page: &Answer| between(&page.text, "<input class=\"code\"", ">").unwrap();
    assert!(fresh.text.contains(hint) && field(&fresh).contains(" autofocus"), "{}", fresh.text);
    assert!(field(&fresh).contains("aria-describedby=\"form-of-code\""));
    let code = sent_code(&world).await;
    for typed in [wrong(&code), "12".into(), "152774 or 140682".into()] {
        let page = browser.go("code", &[("code", &typed)]).await;
        let field = field(&page);
        assert!(field.contains(" autofocus") && field.contains("aria-invalid=\"true\""), "{field}");
        assert!(field.contains("aria-describedby=\"problem form-of-code\"") && !field.contains("value"));
        assert_eq!(page.text.matches(" autofocus").count(), 1, "the error takes no focus away");
        let at = page.text.find("id=\"problem\"").unwrap();
        let between = &page.text[at..page.text.find("<input class=\"code\"").unwrap()];
        assert_eq!(between.matches("</p>").count(), 1, "right at the field: {between}");
    }
}

#[tokio::test]
async fn what_is_pasted_gives_up_its_code() {
    let world = world().await;
    for (n, paste) in [
        "Your code is {}.",
        "G-{}",
        "{} is your code. It expires in 10 minutes. You pay 1,234.56 €.",
        "您的验证码是{}，10分钟内有效。",
    ]
    .into_iter()
    .enumerate()
    {
        // More wrong codes than one number may have in an hour.
        let to = format!("+1500555020{n}");
        let (_, browser) = session(&world, json!({ "to": to, "channels": ["sms"] })).await;
        browser.go("begin", &[]).await;
        let code = world.post.nth(n + 1).await.0.code().unwrap().expose().to_owned();
        let several = browser.go("code", &[("code", &format!("{code} or {}", wrong(&code)))]).await;
        assert!(problem(&several).unwrap().starts_with("More than one part of this text"), "{paste}");
        // Neither that nor a text without a code was a guess; a wrong one is.
        for _ in 0..6 {
            let none = browser.go("code", &[("code", "Where is my code?")]).await;
            assert!(problem(&none).unwrap().starts_with("This is not a whole code."));
        }
        for _ in 0..4 {
            browser.go("code", &[("code", &paste.replace("{}", &wrong(&code)))]).await;
        }
        let page = browser.go("code", &[("code", &paste.replace("{}", &code))]).await;
        assert_eq!(heading(&page), "Your number is confirmed", "{paste}");
    }
}

#[tokio::test]
async fn an_arabic_message_gives_up_its_arabic_digits() {
    let world = world().await;
    let (_, browser) = session(&world, json!({ "to": NUMBER, "channels": ["sms"] })).await;
    browser.go("begin", &[]).await;
    let code = sent_code(&world).await;
    let arabic = |c: char| char::from_u32(0x660 + c.to_digit(10).unwrap()).unwrap();
    let pasted = format!("رمزكم هو {} وهو صالح لمدة ١٠ دقائق", code.chars().map(arabic).collect::<String>());
    assert_eq!(heading(&browser.go("code", &[("code", &pasted)]).await), "Your number is confirmed");
}

#[tokio::test]
async fn a_code_with_letters_is_said_to_have_them() {
    let world = World::with_service(|settings| {
        shop(settings);
        settings.code_alphabet = "ABCDEFGHJKMNPQRSTUVWXYZ23456789".into();
        settings.code_length = 8;
    })
    .await;
    let (_, browser) = session(&world, json!({ "to": NUMBER, "channels": ["sms"] })).await;
    let page = browser.go("begin", &[]).await;
    assert!(page.text.contains(">8 letters and digits</p>"), "{}", page.text);
}
