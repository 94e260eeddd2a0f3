//! `twilio.senders`: what stands in the list, and what cannot.

use super::*;
use crate::model::channel::Channel;

const MAIN: &str = "AC11111111111111111111111111111111";
const SUB: &str = "AC22222222222222222222222222222222";

fn load(senders: &str) -> Result<Config, String> {
    let text = format!(
        "[services.shop]\nname = \"Shop\"\n[twilio]\naccount_sid = \"{MAIN}\"\n\
         [twilio.accounts.{SUB}]\nauth_token = \"S3CRET\"\napi_key_sid = \"SK{:032x}\"\napi_key_secret = \"S3CRET2\"\n{senders}",
        7
    );
    let loaded = parse(Some(("config.toml", &text)), &Env::default());
    loaded
        .map(|loaded| {
            assert!(!loaded.show().contains("S3CRET"), "{}", loaded.show());
            loaded.config
        })
        .map_err(|problems| problems.to_string())
}

#[test]
fn a_sender_has_what_it_says_and_else_what_it_can() {
    let config = load(&format!(
        "[[twilio.senders]]\nsender = \"+15017122661\"\n\
         [[twilio.senders]]\nsender = \"Acme\"\naccount_sid = \"{SUB}\"\ncountries = [\"DE\"]\nservices = [\"shop\", \"default\"]\nweight = 7\n\
         [[twilio.senders]]\nsender = \"whatsapp:+15017122661\"\n\
         [[twilio.senders]]\nsender = \"MG{:032x}\"\nchannels = [\"sms\", \"whatsapp\"]\n",
        1
    ))
    .unwrap();
    let twilio = &config.twilio;
    let [number, name, whatsapp, pool] = &twilio.senders[..] else { panic!("{:?}", twilio.senders) };
    assert_eq!((&*number.channels, number.weight), (&[Channel::Sms, Channel::Call][..], 1));
    assert_eq!(
        (&*name.channels, name.weight, &*name.countries),
        (&[Channel::Sms][..], 7, &["DE".to_owned()][..])
    );
    assert_eq!((twilio.other_account(name), twilio.other_account(number)), (Some(SUB), None));
    assert_eq!(name.services, ["shop", "default"]);
    assert_eq!(&*whatsapp.channels, [Channel::Whatsapp]);
    assert_eq!(&*pool.channels, [Channel::Sms, Channel::Whatsapp]);
    assert_eq!(twilio.accounts[SUB].api_key.as_ref().unwrap().1.expose(), "S3CRET2");
}

#[test]
fn what_a_sender_cannot_be_is_said_where_it_stands() {
    let two = "senders = [{ sender = \"+15017122661\" }, { sender = \"+15017122661\" }]";
    let of_two = format!(
        "senders = [{{ sender = \"+15017122661\" }}, {{ sender = \"whatsapp:+15017122661\", account_sid = \"{SUB}\" }}]"
    );
    for (list, path, what) in [
        ("senders = [\"+15017122661\"]", "senders[0]", "is no table"),
        ("senders = [{}]", "senders[0].sender", "is missing"),
        ("senders = [{ sender = \"5017122661\" }]", "senders[0].sender", "without + and country code"),
        ("senders = [{ sender = \"messenger:1\" }]", "senders[0].sender", "sends no codes"),
        ("senders = [{ sender = \"Acme\", form = 1 }]", "senders[0].form", "there is no such key"),
        (
            "senders = [{ sender = \"Acme\", channels = [\"call\"] }]",
            "channels[0]",
            "no channel of such a sender",
        ),
        ("senders = [{ sender = \"Acme\", channels = [\"fax\"] }]", "channels[0]", "does not fit here"),
        ("senders = [{ sender = \"Acme\", countries = [\"UK\"] }]", "countries[0]", "did you mean GB?"),
        ("senders = [{ sender = \"Acme\", countries = \"DE\" }]", "countries", "is no list of texts"),
        ("senders = [{ sender = \"Acme\", weight = 0 }]", "weight", "is no weight"),
        ("senders = [{ sender = \"Acme\", services = [\"shob\"] }]", "services[0]", "did you mean shop?"),
        ("senders = [{ sender = \"Acme\", account_sid = \"AC1\" }]", "account_sid", "is not AC and 32"),
        (
            "senders = [{ sender = \"Acme\", account_sid = \"AC33333333333333333333333333333333\" }]",
            "account_sid",
            "is no account of twilio.accounts",
        ),
        (two, "senders[1].sender", "stands in the list already"),
        (of_two.as_str(), "senders[1].sender", "is a sender of more than one account"),
    ] {
        let found = load_list(list).unwrap_err();
        assert!(found.contains(path) && found.contains(what), "{list}: {found}");
    }
}

fn load_list(list: &str) -> Result<(), String> {
    let text = format!(
        "[services.shop]\nname = \"Shop\"\n[twilio]\naccount_sid = \"{MAIN}\"\n{list}\n\
         [twilio.accounts.{SUB}]\nauth_token = \"S3CRET\"\n"
    );
    parse(Some(("config.toml", &text)), &Env::default()).map(|_| ()).map_err(|problems| problems.to_string())
}
