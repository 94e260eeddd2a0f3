//! What goes out by WhatsApp.

use super::*;
use crate::model::service::ContentSids;

fn on_whatsapp(own: service::Settings) -> SendRequest {
    let settings = service::Settings { name: "Acme".into(), ..own };
    SendRequest { service: Arc::new(Service { settings, ..acme() }), ..send_request(Channel::Whatsapp) }
}

fn approved() -> service::Settings {
    service::Settings {
        whatsapp_from: Some("+15005550009".into()),
        whatsapp_content_sid: Some(ContentSids::One("HXaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".into())),
        ..service::Settings::default()
    }
}

#[tokio::test]
async fn whatsapp_gets_an_approved_template_with_the_code_in_it() {
    let send_request = on_whatsapp(approved());
    let code = send_request.code().unwrap().expose().to_owned();
    let request = asked(send_request).await.unwrap();
    assert_eq!(value(&request, "To"), [format!("whatsapp:{TO}")]);
    assert_eq!(value(&request, "From"), ["whatsapp:+15005550009"]);
    assert_eq!(value(&request, "ContentSid"), ["HXaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]);
    assert_eq!(value(&request, "ContentVariables"), [format!("{{\"1\":\"{code}\"}}")]);
    assert_eq!(value(&request, "Body"), [""; 0]);
    assert_eq!(value(&request, "ValidityPeriod"), ["421"]);
}

#[tokio::test]
async fn each_person_gets_the_template_that_is_closest_to_their_language() {
    let sids = ["de", "en", "pt-BR"].map(|tag| (tag.to_owned(), format!("HX{tag:0>32}")));
    let own =
        service::Settings { whatsapp_content_sid: Some(ContentSids::ByLanguage(sids.into())), ..approved() };
    for (asked_for, to, usual, tag) in [
        (Some("de-AT"), TO, None, "de"),
        (Some("pt"), "+4915112345678", None, "pt-BR"),
        (None, "+4915112345678", None, "de"),
        (Some("xx"), "+5511912345678", None, "pt-BR"),
        (None, "+819012345678", Some("de"), "de"),
        (Some("ja"), "+819012345678", None, "en"),
    ] {
        let own = service::Settings { locale: usual.map(str::to_owned), ..own.clone() };
        let (locale, to) = (asked_for.map(str::to_owned), to.parse().unwrap());
        let request = asked(SendRequest { locale, to, ..on_whatsapp(own) }).await.unwrap();
        assert_eq!(value(&request, "ContentSid"), [format!("HX{tag:0>32}")], "{asked_for:?} {usual:?}");
    }
}

#[tokio::test]
async fn a_template_gets_the_variables_that_the_service_maps() {
    let map = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect();
    let whatsapp_variables = map(&[("code", "code"), ("who", "service"), ("2", "minutes"), ("at", "domain")]);
    let send_request = on_whatsapp(service::Settings { whatsapp_variables, ..approved() });
    let code = send_request.code().unwrap().expose().to_owned();
    let request = asked(send_request.clone()).await.unwrap();
    let variables: Value = serde_json::from_str(value(&request, "ContentVariables")[0]).unwrap();
    assert_eq!(variables, json!({"code": code, "who": "Acme", "2": "7", "at": ""}));

    let details = Details { amount: Some("1 EUR".into()), payee: Some("Shop".into()), ..Details::default() };
    let paid = asked(paid_by(details.clone(), send_request)).await.unwrap_err();
    assert_eq!(
        paid.to_string(),
        "refused: a payment's message says what is paid to whom: give amount and payee a place in whatsapp_variables"
    );
    let whatsapp_variables = map(&[("1", "code"), ("2", "amount"), ("3", "payee")]);
    let send_request = on_whatsapp(service::Settings { whatsapp_variables, ..approved() });
    let request = asked(paid_by(details, send_request)).await.unwrap();
    let variables: Value = serde_json::from_str(value(&request, "ContentVariables")[0]).unwrap();
    assert_eq!(variables, json!({"1": code, "2": "1 EUR", "3": "Shop"}));

    let odd = on_whatsapp(service::Settings { whatsapp_variables: map(&[("1", "kode")]), ..approved() });
    assert_eq!(
        asked(odd).await.unwrap_err().to_string(),
        "refused: whatsapp_variables has kode, which is no variable"
    );
}

#[tokio::test]
async fn without_a_template_whatsapp_takes_free_text_only_while_its_window_is_open() {
    let own =
        service::Settings { whatsapp_content_sid: None, domain: Some("acme.example".into()), ..approved() };
    let send_request = on_whatsapp(own);
    let fake = fake(created(Channel::Whatsapp));
    let closed = Twilio::new(settings(), fake).send(&send_request).await.unwrap_err();
    assert!(
        matches!(&closed, SendError::Refused { code: Some(63016), reason }
        if reason.ends_with("set whatsapp_content_sid to an approved authentication template")),
        "{closed}"
    );
    assert!(fake.asked.lock().unwrap().is_empty(), "refused before it is sent");
    let code = send_request.code().unwrap().expose().to_owned();
    let open = asked(SendRequest { window_open: true, ..send_request }).await.unwrap();
    assert_eq!(value(&open, "Body"), [format!("Your Acme code is {code}. It expires in 7 minutes.")]);
    assert_eq!(value(&open, "ContentSid"), [""; 0]);
}

#[tokio::test]
async fn whatsapp_needs_a_sender_of_its_own_or_a_messaging_service() {
    let own = service::Settings { whatsapp_from: None, ..approved() };
    let refused = asked(on_whatsapp(own.clone())).await.unwrap_err();
    assert_eq!(refused.to_string(), "refused: no whatsapp sender: set the service's whatsapp_from");
    let service = "MGaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    let own = service::Settings { messaging_service_sid: Some(service.into()), ..own };
    let request = asked(on_whatsapp(own)).await.unwrap();
    assert_eq!((value(&request, "MessagingServiceSid"), value(&request, "From")), (vec![service], vec![]));
}

#[tokio::test]
async fn a_look_up_on_whatsapp_goes_by_recipient_time_and_direction() {
    let message = |sid: u8, direction: &str, at: &str| {
        json!({"sid": format!("MM{sid:032x}"), "direction": direction, "status": "read",
            "to": format!("whatsapp:{TO}"), "date_created": at, "error_code": null, "body": null})
    };
    let soon = "Fri, 20 Nov 2026 09:30:02 +0000";
    let list = json!({"messages": [
        message(1, "inbound", soon),
        message(3, "outbound-api", "Fri, 20 Nov 2026 09:20:00 +0000"),
        message(5, "outbound-api", soon),
    ]});
    let look_up = async |send_request: &SendRequest| {
        let fake = fake(answer(200, &list));
        let found = Twilio::new(settings(), fake).look_up(send_request, since(), &[]).await.unwrap();
        (found, fake.asked.lock().unwrap()[0].url.clone())
    };
    let (found, url) = look_up(&on_whatsapp(approved())).await;
    let report = found.unwrap();
    assert_eq!(
        (report.sid.as_str(), report.fact.status),
        (format!("MM{:032x}", 5).as_str(), Some(Status::Read))
    );
    assert_eq!(report.about.encoding, None, "no segments are paid for");
    assert!(url.ends_with("/Messages.json?To=whatsapp%3A%2B14155550123&PageSize=100"), "{url}");
    let own = service::Settings { whatsapp_content_sid: None, ..approved() };
    assert_eq!(look_up(&on_whatsapp(own)).await.0, None, "free text of ours has the code in it");
}
