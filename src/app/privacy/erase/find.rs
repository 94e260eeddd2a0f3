//! Finding a number in records, and taking it out of those that only mention it.
//!
//! A number is found where its digits stand alone: not as part of a longer
//! number and not inside an id. It is looked for as it is written everywhere
//! here, with its country's code; what an application wrote otherwise into a tag
//! is not found.

use crate::model::phone::{PersonKey, PhoneNumber, address_key};
use crate::store::records::Record;
use serde_json::Value;

/// What stands in the place of a number that was taken out.
pub const ERASED: &str = "erased";

/// A number that is looked for.
pub struct Wanted {
    person: PersonKey,
    /// Each spelling, without its plus.
    digits: Vec<String>,
}

impl Wanted {
    /// Looks for this number, in each of its spellings.
    pub fn new(number: PhoneNumber) -> Self {
        let person = number.person();
        let digit = |spelling: String| spelling.trim_start_matches('+').to_owned();
        Self { digits: person.spellings().into_iter().map(digit).collect(), person }
    }

    /// The person's number.
    pub fn number(&self) -> &PhoneNumber {
        self.person.number()
    }

    /// The spellings of the number.
    pub fn spellings(&self) -> Vec<String> {
        self.person.spellings()
    }

    /// The number as a rate limit's value may have it.
    pub fn writings(&self) -> Vec<String> {
        let writings =
            |digits: &String| [format!("+{digits}"), digits.clone(), format!("whatsapp:+{digits}")];
        self.digits.iter().flat_map(writings).collect()
    }

    /// Whether a number is the person's.
    pub fn has(&self, number: &PhoneNumber) -> bool {
        number.person() == self.person
    }

    /// Whether an address is the person's, on any channel.
    pub fn is(&self, address: &str) -> bool {
        let number = address.rsplit_once(':').map_or(address, |(_, number)| number);
        address_key(number) == self.person.as_str()
    }

    /// Whether it may be in a record's bytes: quick, and wrong where the digits
    /// are part of something else.
    pub fn may_be_in(&self, body: &[u8]) -> bool {
        std::str::from_utf8(body).is_ok_and(|text| self.digits.iter().any(|digits| text.contains(digits)))
    }

    /// Whether a text names it.
    pub fn is_named_in(&self, text: &str) -> bool {
        self.next_in(text, 0).is_some()
    }

    /// The record without it; `None` where it does not stand in it, and an
    /// error where the record is none without it.
    pub fn taken_out<T: Record>(&self, record: &T) -> Result<Option<T>, serde_json::Error> {
        let mut value = serde_json::to_value(record)?;
        match self.take_out(&mut value) {
            true => serde_json::from_value(value).map(Some),
            false => Ok(None),
        }
    }

    /// A text without the number.
    pub fn out_of(&self, text: &str) -> String {
        self.without(text).unwrap_or_else(|| text.to_owned())
    }

    fn take_out(&self, value: &mut Value) -> bool {
        match value {
            Value::String(text) => match self.without(text) {
                Some(without) => {
                    *text = without;
                    true
                }
                None => false,
            },
            Value::Array(items) => items.iter_mut().fold(false, |found, item| self.take_out(item) | found),
            Value::Object(map) => {
                let mut found = false;
                *map = std::mem::take(map)
                    .into_iter()
                    .map(|(name, mut value)| {
                        found |= self.take_out(&mut value);
                        let without = self.without(&name);
                        found |= without.is_some();
                        (without.unwrap_or(name), value)
                    })
                    .collect();
                found
            }
            _ => false,
        }
    }

    fn without(&self, text: &str) -> Option<String> {
        let (mut out, mut from) = (String::new(), 0);
        while let Some((start, end)) = self.next_in(text, from) {
            out.push_str(&text[from..start]);
            out.push_str(ERASED);
            from = end;
        }
        (from > 0).then(|| out + &text[from..])
    }

    /// Where the number stands next, with its plus, in any spelling.
    fn next_in(&self, text: &str, from: usize) -> Option<(usize, usize)> {
        self.digits.iter().filter_map(|digits| next_of(digits, text, from)).min()
    }
}

/// Where digits stand next alone, with their plus.
fn next_of(digits: &str, text: &str, from: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut from = from;
    while let Some(at) = text[from..].find(digits) {
        let (start, end) = (from + at, from + at + digits.len());
        let before = &bytes[..start];
        // In addresses a plus is `%2B`.
        let encoded = before.len() >= 3 && before[before.len() - 3..].eq_ignore_ascii_case(b"%2B");
        let alone = |at: Option<&u8>| at.is_none_or(|byte| !byte.is_ascii_alphanumeric());
        if (encoded || alone(before.last())) && alone(bytes.get(end)) {
            let plus = if encoded { 3 } else { usize::from(before.ends_with(b"+")) };
            return Some((start - plus, end));
        }
        from = start + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wanted() -> Wanted {
        Wanted::new("+14155550123".parse().unwrap())
    }

    #[test]
    fn it_is_found_alone_and_nowhere_else() {
        let wanted = wanted();
        for (text, without) in [
            ("+14155550123", "erased"),
            ("14155550123", "erased"),
            ("whatsapp:+14155550123", "whatsapp:erased"),
            ("https://example.com/?to=%2B14155550123&x=1", "https://example.com/?to=erased&x=1"),
            ("from +14155550123 to +14155550124, +14155550123", "from erased to +14155550124, erased"),
        ] {
            assert_eq!(wanted.without(text).as_deref(), Some(without));
        }
        for text in
            ["+141555501234", "+514155550123", "SM14155550123aaaaaaaaaaaaaaaaaaaaa", "a14155550123", "é"]
        {
            assert_eq!(wanted.without(text), None, "{text}");
        }
        assert!(wanted.is("whatsapp:+14155550123") && !wanted.is("+14155550124"));
    }

    #[test]
    fn it_is_found_in_every_spelling() {
        let wanted = Wanted::new("+5511987654321".parse().unwrap());
        assert!(wanted.is("whatsapp:+551187654321") && wanted.is("+5511987654321"));
        assert!(
            wanted.has(&"+551187654321".parse().unwrap()) && !wanted.has(&"+551137654321".parse().unwrap())
        );
        let text = "whatsapp:+551187654321, +5511987654321, +5511987654322";
        assert_eq!(wanted.without(text).as_deref(), Some("whatsapp:erased, erased, +5511987654322"));
        assert_eq!(wanted.writings().len(), 6);
    }

    proptest! {
        #[test]
        fn no_other_number_is_ever_found(other in "\\+[1-9][0-9]{6,14}", around in "[ ,;:/]{0,2}") {
            let wanted = wanted();
            let text = format!("{around}{other}{around}");
            prop_assert_eq!(wanted.is_named_in(&text), other == "+14155550123");
            prop_assert_eq!(wanted.is(&other), other == "+14155550123");
        }
    }
}
