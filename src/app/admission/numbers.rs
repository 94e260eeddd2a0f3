//! Numbers as people write them: the one reader for all faces, and what a number is
//! to tests.

use crate::app::admission::{Admission, AdmissionError};
use crate::model::phone::{NumberPolicy, PhoneError, PhoneNumber, address_spellings};
use crate::model::test_number::TestNumber;

/// The number that a text is, and what it is to tests.
pub(in crate::app) fn number<'a>(
    admission: &'a Admission,
    text: &str,
) -> Result<(PhoneNumber, Option<&'a TestNumber>), AdmissionError> {
    Ok(read(admission, text)?)
}

/// The same, or what is wrong with the text.
pub(in crate::app) fn read<'a>(
    admission: &'a Admission,
    text: &str,
) -> Result<(PhoneNumber, Option<&'a TestNumber>), PhoneError> {
    let policy = &admission.numbers;
    let is_test = |number: &PhoneNumber| test_of(admission, number).is_some();
    let number = PhoneNumber::parse_or_known(text, policy, is_test);
    Ok(known(admission, number.map_err(|error| error.read_by(text, policy))?))
}

/// What a number that was read is to tests.
pub(in crate::app) fn known(
    admission: &Admission,
    number: PhoneNumber,
) -> (PhoneNumber, Option<&TestNumber>) {
    let test = test_of(admission, &number);
    (number, test)
}

/// The number that a text is, by other rules: the one reader of numbers for all faces.
pub(in crate::app) fn number_by<'a>(
    admission: &'a Admission,
    text: &str,
    policy: &NumberPolicy,
) -> Result<(PhoneNumber, Option<&'a TestNumber>), AdmissionError> {
    let is_test = |number: &PhoneNumber| test_of(admission, number).is_some();
    Ok(known(admission, PhoneNumber::parse_or_known(text, policy, is_test)?))
}

/// The number that a field of a form or a query holds: where a plus was
/// left unencoded, a space came in its place. Read as it came or with the
/// plus, and not at all where these are two numbers.
///
/// # Errors
/// What is no number.
pub fn number_of_form(admission: &Admission, text: &str) -> Result<PhoneNumber, AdmissionError> {
    let own = number(admission, text).map(|(number, _)| number);
    let lost = text.strip_prefix(' ').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let Some(rest) = lost else { return own };
    let meant = number(admission, &format!("+{rest}")).map(|(number, _)| number);
    match (own, meant) {
        (Ok(own), Ok(meant)) if own != meant => Err(PhoneError::NotANumber.into()),
        (Ok(own), _) => Ok(own),
        (Err(_), meant) => meant,
    }
}

/// The test number that a number is now.
fn test_of<'a>(admission: &'a Admission, number: &PhoneNumber) -> Option<&'a TestNumber> {
    admission.test_numbers.iter().find(|test| test.covers(number, admission.base.now()))
}

/// An address as it stands in listings: a number in any writing, or
/// something else as it is, like `whatsapp:+…` and short codes.
pub(in crate::app) fn address(admission: &Admission, text: Option<&str>) -> Result<String, AdmissionError> {
    let Some(text) = text else {
        return Ok(String::new());
    };
    // In a query, a plus that was meant as itself is a space.
    let plus = text.strip_prefix(' ').map(|rest| format!("+{rest}"));
    let text = plus.as_deref().unwrap_or(text);
    if text.contains(':') {
        return Ok(text.to_owned());
    }
    // A number of few digits may be one of the country that is written for.
    match PhoneNumber::parse_to_find(text, &admission.numbers) {
        Ok(number) => Ok(number.in_full().to_owned()),
        Err(_) if is_short_code(text) => Ok(text.to_owned()),
        Err(refused) => Err(refused.into()),
    }
}

/// The scopes of a listing by numbers: those of a number in each of its spellings, or all.
///
/// # Errors
/// What is no number: nothing is listed under an address of another kind.
pub(in crate::app) fn scopes(admission: &Admission, to: Option<&str>) -> Result<Vec<String>, AdmissionError> {
    match to.map(|to| address(admission, Some(to))).transpose()? {
        None => Ok(vec![String::new()]),
        Some(address) if address.starts_with('+') => Ok(address_spellings(&address)),
        Some(_) => Err(PhoneError::NotANumber.into()),
    }
}

/// Three to eight digits are a network's own number, in one country or another.
pub(in crate::app) fn is_short_code(text: &str) -> bool {
    (3..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}
