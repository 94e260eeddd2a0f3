//! Addresses as records and the API write them: a number, a short code, a name; or
//! one of these behind the word of a channel, as in `whatsapp:+14155550123`.
//!
//! A provider's report brings its addresses in the same form. This module refuses to
//! know who has an address, and how people write numbers.

use crate::model::channel::{Channel, DeliveryChannel};
use crate::model::phone::PhoneNumber;

/// What may stand before a telephone number in an address of a message: the
/// channels on which people have their telephone number for a name.
const BEFORE_NUMBERS: [&str; 3] = ["", "whatsapp:", "rcs:"];

/// An address in its two parts: what stands before the first colon, if that is
/// a word, and the rest.
pub fn split(address: &str) -> (Option<&str>, &str) {
    match address.split_once(':') {
        Some((prefix, rest))
            if !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_alphabetic()) =>
        {
            (Some(prefix), rest)
        }
        _ => (None, address),
    }
}

/// The address of a number on a channel.
pub fn of_number(number: &PhoneNumber, channel: Channel) -> String {
    let prefix = if channel == Channel::Whatsapp { "whatsapp:" } else { "" };
    format!("{prefix}{}", number.in_full())
}

/// The channel of a message by one of its addresses; `None` when the address
/// names none, which both a text and half of the others do.
pub fn named_channel(address: &str) -> Option<DeliveryChannel> {
    let (prefix, _) = split(address);
    prefix.map(|prefix| DeliveryChannel::of_prefix(Some(prefix)))
}

/// The scopes under which the verifications of a number are listed: each way to
/// write it down that a person's number has.
pub fn numbers_of(number: &PhoneNumber) -> Vec<String> {
    number.person().spellings()
}

/// The addresses under which deliveries to a number are listed, on all channels
/// or behind one prefix.
pub fn addresses_of(number: &PhoneNumber, prefix: Option<&str>) -> Vec<String> {
    let prefix = prefix.map(|prefix| format!("{}:", prefix.to_ascii_lowercase()));
    let prefixes: Vec<&str> = match &prefix {
        Some(prefix) => vec![prefix.as_str()],
        None => BEFORE_NUMBERS.to_vec(),
    };
    let spelled = numbers_of(number);
    prefixes.iter().flat_map(|prefix| spelled.iter().map(move |number| format!("{prefix}{number}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_its_channel_by_what_stands_before_the_colon() {
        use DeliveryChannel::{Messenger, Rcs, Unknown, Whatsapp};
        for (address, channel) in [
            ("whatsapp:+14155550123", Some(Whatsapp)),
            ("WhatsApp:+14155550123", Some(Whatsapp)),
            ("rcs:brand_agent", Some(Rcs)),
            ("messenger:1234567890", Some(Messenger)),
            ("viber:1234567890", Some(Unknown)),
            ("+14155550123", None),
            ("12345", None),
            (":+14155550123", None),
            ("", None),
        ] {
            assert_eq!(named_channel(address), channel, "{address}");
        }
    }

    #[test]
    fn a_number_is_listed_under_every_address_that_it_can_have() {
        let number: PhoneNumber = "+14155550123".parse().unwrap();
        assert_eq!(
            addresses_of(&number, None),
            ["+14155550123", "whatsapp:+14155550123", "rcs:+14155550123"]
        );
        assert_eq!(addresses_of(&number, Some("WhatsApp")), ["whatsapp:+14155550123"]);
        assert_eq!(numbers_of(&number), ["+14155550123"]);
    }
}
