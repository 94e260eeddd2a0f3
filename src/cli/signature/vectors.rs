//! `dialback signature check --vectors FILE`: the verifier against a list of
//! requests whose verdict is known.
//!
//! It refuses to mend a file: what is missing or of the wrong kind is named
//! by vector and field.

use crate::secret::Secret;
use crate::twilio::form::{self, Space};
use crate::twilio::signature::{Algorithm, Rejection, SharedKey, Signed, Token, Verified, Verifier};
use crate::twilio::signature::{SETTINGS_HEADER, SIGNATURE_HEADER, sign_request};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use std::borrow::Cow;

/// How a file's vectors fared.
#[derive(Debug, PartialEq, Eq)]
pub struct Report {
    /// A line for each disagreement, and one for each vector of tier `may`.
    pub lines: Vec<String>,
    /// Vectors of any tier with the verdict expected.
    pub agreed: usize,
    /// Vectors of tier `must` or `should` with the other one.
    pub disagreed: usize,
}

/// Why a file cannot be checked.
#[derive(Debug, thiserror::Error)]
pub enum BadVectors {
    /// The file as a whole.
    #[error("not JSON")]
    Json(#[from] serde_json::Error),
    /// No list to check, or an empty one.
    #[error("field vectors: expected a list with something in it")]
    NoVectors,
    /// A vector lacks a field, or has another value there.
    #[error("vector {id}: field {field}: expected {expected}")]
    Field {
        /// Its id, or its place in the list counted from 1.
        id: String,
        /// The field's name.
        field: &'static str,
        /// What belongs there.
        expected: &'static str,
    },
}

/// Checks every vector of a file in the format of `fixtures/signatures/vectors.json`.
///
/// # Errors
/// [`BadVectors`] when the file is not in that format.
pub fn check_vectors(text: &str) -> Result<Report, BadVectors> {
    let file: Value = serde_json::from_str(text)?;
    let list = file.get("vectors").and_then(Value::as_array).filter(|list| !list.is_empty());
    let mut report = Report { lines: Vec::new(), agreed: 0, disagreed: 0 };
    for (place, value) in list.ok_or(BadVectors::NoVectors)?.iter().enumerate() {
        let vector = Vector::read(value, place + 1)?;
        let verdict = vector.verdict();
        let agrees = verdict.is_ok() == vector.expected_valid;
        report.agreed += usize::from(agrees);
        report.disagreed += usize::from(!agrees && vector.tier != Tier::May);
        if !agrees || vector.tier == Tier::May {
            report.lines.push(vector.line(&verdict));
        }
    }
    Ok(report)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tier {
    Must,
    Should,
    May,
}

/// One request with the verdict expected.
struct Vector<'a> {
    id: String,
    title: &'a str,
    tier: Tier,
    expected_valid: bool,
    auth_token: &'a str,
    method: &'a str,
    url: &'a str,
    content_type: Option<&'a str>,
    body: Cow<'a, [u8]>,
    signatures: Vec<&'a str>,
    settings: Option<&'a str>,
}

impl<'a> Vector<'a> {
    fn read(value: &'a Value, number: usize) -> Result<Self, BadVectors> {
        let id = value.get("id").and_then(Value::as_str).map_or_else(|| format!("{number}"), str::to_owned);
        let fields = Fields { id: &id, vector: value };
        fields.text("id")?;
        let headers = Headers::read(&fields)?;
        Ok(Self {
            title: fields.optional_text("title")?.unwrap_or_default(),
            tier: fields.tier()?,
            expected_valid: fields.flag("expected_valid")?,
            auth_token: fields.text("auth_token")?,
            method: fields.text("method")?,
            url: fields.text("url")?,
            content_type: fields.optional_text("content_type")?,
            body: fields.body()?,
            signatures: headers.signatures,
            settings: headers.settings,
            id,
        })
    }

    /// The vector's token plays the auth token, and the SharedKey that the
    /// settings header names.
    fn verdict(&self) -> Result<Verified, Rejection> {
        let secret = || Secret::new(self.auth_token);
        let token = Token { label: "auth_token".into(), account: None, secret: secret() };
        let named = self.settings.into_iter().flat_map(|header| header.split(','));
        let id = named.filter_map(|part| part.split_once('=')).find(|(name, _)| name.trim() == "key");
        let shared =
            id.map(|(_, id)| SharedKey { id: id.trim().to_owned(), account: None, secret: secret() });
        let verifier = Verifier::new(vec![token], shared.into_iter().collect());
        // The one thing that can be wrong with a single token is that it is empty.
        let verifier = verifier.map_err(|_| Rejection::NoToken)?;
        let signatures: Vec<&[u8]> = self.signatures.iter().map(|text| text.as_bytes()).collect();
        verifier.verify(&self.signed(&signatures))
    }

    fn signed<'s>(&'s self, signatures: &'s [&'s [u8]]) -> Signed<'s> {
        Signed {
            method: self.method,
            url: self.url,
            content_type: self.content_type,
            body: &self.body,
            signatures,
            settings: self.settings,
        }
    }

    fn line(&self, verdict: &Result<Verified, Rejection>) -> String {
        let word = |valid| if valid { "valid" } else { "invalid" };
        let tier = match self.tier {
            Tier::Must => "must",
            Tier::Should => "should",
            Tier::May => "may",
        };
        let (ours, expected) = (word(verdict.is_ok()), word(self.expected_valid));
        let why = self.why(verdict);
        format!("{tier} {}: ours {ours}, expected {expected}: {why} ({})", self.id, self.title)
    }

    fn why(&self, verdict: &Result<Verified, Rejection>) -> Cow<'static, str> {
        match verdict {
            Err(rejection) => rejection.to_string().into(),
            Ok(_) if self.is_over_url_as_written() => "signed over the url as written".into(),
            Ok(_) => "signed over the other spelling of the port or of an apostrophe".into(),
        }
    }

    fn is_over_url_as_written(&self) -> bool {
        let secret = Secret::new(self.auth_token);
        let lengths = [Algorithm::HmacSha1, Algorithm::HmacSha256];
        let mut signed = lengths.iter().filter_map(|a| sign_request(&secret, *a, &self.signed(&[])).ok());
        signed.any(|text| self.signatures == [text.as_str()])
    }
}

/// What the vector's headers say of signatures, whatever their case.
struct Headers<'a> {
    signatures: Vec<&'a str>,
    settings: Option<&'a str>,
}

impl<'a> Headers<'a> {
    /// Headers are as received; a file without them gives the signature alone.
    fn read(fields: &Fields<'a, '_>) -> Result<Self, BadVectors> {
        let wrong = || fields.wrong("headers", "an object of texts or lists of texts");
        let Some(value) = fields.present("headers") else {
            return Ok(Self { signatures: vec![fields.text("signature")?], settings: None });
        };
        let (mut signatures, mut settings) = (Vec::new(), None);
        for (name, value) in value.as_object().ok_or_else(wrong)? {
            let lines = match value {
                Value::Array(lines) => lines.as_slice(),
                one => std::slice::from_ref(one),
            };
            for line in lines {
                let line = line.as_str().ok_or_else(wrong)?;
                match name.to_ascii_lowercase().as_str() {
                    SIGNATURE_HEADER => signatures.push(line),
                    SETTINGS_HEADER => settings = Some(line),
                    _ => {}
                }
            }
        }
        Ok(Self { signatures, settings })
    }
}

/// Reads fields, and names the one that is wrong.
struct Fields<'a, 'i> {
    id: &'i str,
    vector: &'a Value,
}

impl<'a> Fields<'a, '_> {
    fn present(&self, field: &str) -> Option<&'a Value> {
        self.vector.get(field).filter(|value| !value.is_null())
    }

    fn text(&self, field: &'static str) -> Result<&'a str, BadVectors> {
        self.optional_text(field)?.ok_or_else(|| self.wrong(field, "a text"))
    }

    fn optional_text(&self, field: &'static str) -> Result<Option<&'a str>, BadVectors> {
        let text = |value: &'a Value| value.as_str().ok_or_else(|| self.wrong(field, "a text"));
        self.present(field).map(text).transpose()
    }

    fn flag(&self, field: &'static str) -> Result<bool, BadVectors> {
        let flag = self.present(field).and_then(Value::as_bool);
        flag.ok_or_else(|| self.wrong(field, "true or false"))
    }

    fn tier(&self) -> Result<Tier, BadVectors> {
        match self.text("tier")? {
            "must" => Ok(Tier::Must),
            "should" => Ok(Tier::Should),
            "may" => Ok(Tier::May),
            _ => Err(self.wrong("tier", "must, should or may")),
        }
    }

    /// The wire form; where there is none, bytes in base64 or pairs to encode.
    fn body(&self) -> Result<Cow<'a, [u8]>, BadVectors> {
        if let Some(body) = self.optional_text("body")? {
            return Ok(body.as_bytes().into());
        }
        if let Some(text) = self.optional_text("body_base64")? {
            let bytes = STANDARD.decode(text).map_err(|_| self.wrong("body_base64", "base64"))?;
            return Ok(bytes.into());
        }
        let Some(params) = self.present("params") else { return Ok(Cow::Borrowed(b"")) };
        let pairs: Result<form::Pairs, _> = serde_json::from_value(params.clone());
        let pairs = pairs.map_err(|_| self.wrong("params", "a list of pairs of texts"))?;
        Ok(form::encode(&pairs, Space::Plus).into_bytes().into())
    }

    fn wrong(&self, field: &'static str, expected: &'static str) -> BadVectors {
        BadVectors::Field { id: self.id.to_owned(), field, expected }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const FILE: &str = include_str!("../../../fixtures/signatures/vectors.json");

    #[test]
    fn every_official_vector_agrees() {
        let report = check_vectors(FILE).unwrap();
        let beside: Vec<_> = report.lines.iter().filter(|line| !line.starts_with("may ")).collect();
        assert_eq!(beside, Vec::<&String>::new());
        assert_eq!((report.agreed, report.disagreed, report.lines.len()), (160, 0, 6));
    }

    #[test]
    fn our_own_signatures_are_those_of_the_vectors() {
        let file: Value = serde_json::from_str(FILE).unwrap();
        let mut checked = 0;
        for (place, value) in file["vectors"].as_array().unwrap().iter().enumerate() {
            let vector = Vector::read(value, place).unwrap();
            let Some(algorithm) = Algorithm::from_name(value["algorithm"].as_str().unwrap()) else {
                continue;
            };
            let signed = sign_request(&Secret::new(vector.auth_token), algorithm, &vector.signed(&[]));
            // What cannot be covered cannot be signed.
            let Ok(signed) = signed else { continue };
            assert_eq!(signed, value["expected_signature"].as_str().unwrap(), "{}", vector.id);
            checked += 1;
        }
        assert!(checked > 140, "{checked}");
    }

    fn vector(changes: &Value) -> String {
        let mut vector = json!({
            "id": "x-1", "title": "t", "tier": "must", "expected_valid": true, "auth_token": "qwerty",
            "method": "POST", "url": "https://h.example/p", "signature": "nDhLO2oMFRD9GMzhIP4oGpLTrHY=",
            "content_type": "application/x-www-form-urlencoded", "params": [["A", "1"]],
        });
        for (field, value) in changes.as_object().unwrap() {
            vector[field] = value.clone();
        }
        json!({ "vectors": [vector] }).to_string()
    }

    #[test]
    fn a_disagreement_is_a_line_and_counts_by_tier() {
        let disagree = |tier: &str| {
            check_vectors(&vector(&json!({ "tier": tier, "signature": "AAAAAAAAAAAAAAAAAAAAAAAAAAA=" })))
                .unwrap()
        };
        let line = "x-1: ours invalid, expected valid: the signature does not match (t)";
        let must = Report { lines: vec![format!("must {line}")], agreed: 0, disagreed: 1 };
        let may = Report { lines: vec![format!("may {line}")], agreed: 0, disagreed: 0 };
        assert_eq!((disagree("must"), disagree("may")), (must, may));
    }

    #[test]
    fn an_empty_token_is_never_valid() {
        let secret = Secret::new("");
        let signed = crate::twilio::signature::sign(
            &secret,
            Algorithm::HmacSha1,
            "https://h.example/p",
            &[("A", "1")],
        );
        let file = vector(&json!({ "auth_token": "", "signature": signed, "expected_valid": false }));
        assert_eq!(check_vectors(&file).unwrap().agreed, 1);
    }

    #[test]
    fn headers_count_as_received() {
        let twice = json!({ "headers": { "x-twilio-signature": ["a", "b"] }, "expected_valid": false });
        assert_eq!(check_vectors(&vector(&twice)).unwrap().agreed, 1);
        let none = json!({ "headers": {} });
        let line = &check_vectors(&vector(&none)).unwrap().lines[0];
        assert!(line.contains("the signature header is missing"), "{line}");
    }

    #[test]
    fn what_is_wrong_with_a_file_is_named_by_vector_and_field() {
        let wrong = |changes: Value| check_vectors(&vector(&changes)).unwrap_err().to_string();
        assert_eq!(wrong(json!({ "url": null })), "vector x-1: field url: expected a text");
        assert_eq!(wrong(json!({ "tier": "most" })), "vector x-1: field tier: expected must, should or may");
        assert_eq!(
            wrong(json!({ "expected_valid": 1 })),
            "vector x-1: field expected_valid: expected true or false"
        );
        assert_eq!(
            wrong(json!({ "params": { "A": 1 } })),
            "vector x-1: field params: expected a list of pairs of texts"
        );
        assert_eq!(wrong(json!({ "id": 7 })), "vector 1: field id: expected a text");
        assert_eq!(check_vectors("{}").unwrap_err().to_string(), BadVectors::NoVectors.to_string());
        assert_eq!(check_vectors("[").unwrap_err().to_string(), "not JSON");
    }
}
