//! From a request as written to one that can be sent: names replaced, the URL
//! put on the server's public one, and signed as Twilio would.
//!
//! It refuses to know files, sockets and where the token comes from.

use super::http_file::{HttpFile, Request, expand};
use crate::secret::Secret;
use crate::twilio::form::{self, Pairs, Params};
use crate::twilio::signature::{Algorithm, Signed, body_hash, sign, sign_request};
use crate::twilio::url::{Medium, PublicUrl, signing_url};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// How often a variable may stand for a variable.
const MAX_DEPTH: u8 = 8;

/// What requests are made for.
#[derive(Debug, Clone)]
pub struct Signer {
    /// What the server believes its URL to be.
    pub public_url: PublicUrl,
    /// The auth token; needed only where a request is to be signed.
    pub token: Option<Secret>,
    /// Values that go before those of the file: `account_sid` and others.
    pub values: BTreeMap<String, String>,
}

/// A request that can be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// In upper case.
    pub method: String,
    /// Path and query below the public URL, exactly as signed.
    pub path_and_query: String,
    /// In the order of the file, its repetitions included.
    pub headers: Vec<(String, String)>,
    /// The raw body.
    pub body: String,
    /// The status that the answer must have.
    pub expect: Option<u16>,
}

impl Signer {
    /// Makes a request ready.
    ///
    /// # Errors
    /// What the file or the configuration lacks, in words for whoever wrote it.
    pub fn prepare(&self, file: &HttpFile, request: &Request) -> Result<Prepared, String> {
        let filled = |text: &str| expand(text, |name| self.value(file, name, 0));
        let body = filled(&request.body)?;
        let signed_body = request.signed_body.as_deref().map(filled).transpose()?;
        // What Twilio hashed is what Twilio signed, whatever arrives.
        let hash = body_hash(signed_body.as_ref().unwrap_or(&body).as_bytes());
        let with_hash = |text: &str| {
            expand(text, |name| match name {
                "body_sha256" => Ok(Cow::Borrowed(&*hash)),
                _ => self.value(file, name, 0),
            })
        };
        let path_and_query = self.path_and_query(&with_hash(&request.url)?)?;
        let full = match &request.signed_url {
            Some(url) => with_hash(url)?,
            None => self.public_url.join(&path_and_query),
        };
        let signed_body = signed_body.as_ref().unwrap_or(&body);
        let mut headers = Vec::with_capacity(request.headers.len());
        for (name, value) in &request.headers {
            let value = expand(value, |name| match name {
                "signature" => self.signature(request, &full, signed_body).map(Cow::Owned),
                _ => self.value(file, name, 0),
            })?;
            headers.push((name.clone(), value));
        }
        let (method, expect) = (request.method.clone(), request.expect);
        Ok(Prepared { method, path_and_query, headers, body, expect })
    }

    fn value<'v>(&'v self, file: &'v HttpFile, name: &str, depth: u8) -> Result<Cow<'v, str>, String> {
        if name == "public_url" {
            return Ok(Cow::Owned(self.public_url.to_string()));
        }
        if let Some(value) = self.values.get(name) {
            return Ok(Cow::Borrowed(value));
        }
        let defined = file.variables.iter().rev().find(|(other, _)| other == name);
        match defined {
            Some((_, value)) if depth < MAX_DEPTH => {
                expand(value, |inner| self.value(file, inner, depth + 1)).map(Cow::Owned)
            }
            Some(_) => Err(format!("{{{{{name}}}}} stands for itself")),
            None => Err(format!("{{{{{name}}}}} has no value: write @{name} = … or give --set {name}=…")),
        }
    }

    /// Where a URL leads below the public one. A recorded URL of another
    /// server keeps its path and query: what is replayed is what it said.
    fn path_and_query(&self, url: &str) -> Result<String, String> {
        let public = self.public_url.to_string();
        let own = url.strip_prefix(&public).filter(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
        let rest = match (own, url.split_once("://")) {
            (Some(rest), _) => rest,
            (None, Some((_, after))) => &after[after.find(['/', '?', '#']).unwrap_or(after.len())..],
            (None, None) if url.starts_with('/') => url,
            (None, None) => return Err(format!("{url} is neither a full url nor a path")),
        };
        // The fragment is Twilio's to read; it is neither sent nor signed.
        let rest = rest.split('#').next().unwrap_or_default();
        let slash = if rest.starts_with('/') { "" } else { "/" };
        Ok(format!("{slash}{rest}"))
    }

    fn signature(&self, request: &Request, url: &str, body: &str) -> Result<String, String> {
        let token = self.token.as_ref().filter(|token| !token.is_empty()).ok_or(
            "there is no auth token to sign with: set twilio.auth_token or TWILIO_AUTH_TOKEN, \
             give --token-file FILE, or start the server with its sandbox",
        )?;
        let is_get = matches!(&*request.method, "GET" | "HEAD");
        let said = if is_get { url.split_once('?').map_or("", |(_, query)| query) } else { body };
        let is_call = Params::new(&form::parse(said.as_bytes())).first("CallSid").is_some();
        let url = signing_url(url, if is_call { Medium::Voice } else { Medium::Message });
        let signed = Signed {
            method: &request.method,
            url: &url,
            content_type: request.header("content-type"),
            body: body.as_bytes(),
            signatures: &[],
            settings: None,
        };
        // What no signature can cover goes out with one over its URL alone:
        // it is for the server to notice.
        Ok(sign_request(token, Algorithm::HmacSha1, &signed)
            .unwrap_or_else(|_| sign(token, Algorithm::HmacSha1, &url, &Pairs::new())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "Content-Type: application/x-www-form-urlencoded\nX-Twilio-Signature: {{signature}}";

    fn signer(public_url: &str) -> Signer {
        let values = BTreeMap::from([("account_sid".to_owned(), "AC2".to_owned())]);
        let token = Some(Secret::new("12345"));
        Signer { public_url: PublicUrl::parse(public_url).unwrap(), token, values }
    }

    fn prepare(signer: &Signer, text: &str) -> Result<Prepared, String> {
        let file = HttpFile::parse(text).unwrap();
        signer.prepare(&file, &file.requests[0])
    }

    /// The example of <https://www.twilio.com/docs/usage/security#validating-requests>.
    #[test]
    fn twilios_own_example_gets_its_signature() {
        let text = format!(
            "POST {{{{public_url}}}}?foo=1&bar=2\n{FORM}\n\n\
             CallSid=CA1234567890ABCDE&Caller=%2B14158675310&Digits=1234&From=%2B14158675310&To=%2B18005551212"
        );
        let prepared = prepare(&signer("https://example.com/myapp.php"), &text).unwrap();
        // A base always has a path after it, so this one is signed with a slash.
        assert_eq!(prepared.path_and_query, "/?foo=1&bar=2");
        let text = text.replace("{{public_url}}", "/myapp.php");
        let prepared = prepare(&signer("https://example.com"), &text).unwrap();
        assert_eq!(prepared.headers[1].1, "L/OH5YylLD5NRKLltdqwSvS0BnU=");
    }

    #[test]
    fn values_come_from_the_caller_then_from_the_file() {
        let text = "@account_sid = AC1\n@sid = SM{{n}}\n@n = 7\n\nPOST {{public_url}}/a?b={{account_sid}}\nX: {{sid}}";
        let prepared = prepare(&signer("https://h/p/"), text).unwrap();
        assert_eq!(prepared.path_and_query, "/a?b=AC2");
        assert_eq!(prepared.headers, [("X".to_owned(), "SM7".to_owned())]);
        let lacking = prepare(&signer("https://h"), "POST /{{nobody}}").unwrap_err();
        assert!(lacking.contains("--set nobody="), "{lacking}");
        assert!(prepare(&signer("https://h"), "@a = {{a}}\nPOST /{{a}}").unwrap_err().contains("itself"));
    }

    #[test]
    fn a_url_of_another_server_keeps_its_path() {
        let path = |url: &str| signer("https://h/p").path_and_query(url);
        assert_eq!(path("https://h/p/a?b"), Ok("/a?b".into()));
        assert_eq!(path("https://h/px"), Ok("/px".into()));
        assert_eq!(path("http://u@other:1/a?b=%2f#rc=1"), Ok("/a?b=%2f".into()));
        assert_eq!(path("https://other"), Ok("/".into()));
        assert_eq!(path("/a"), Ok("/a".into()));
        assert!(path("a").is_err());
    }

    #[test]
    fn a_request_that_brings_its_signature_needs_no_token() {
        let without = Signer { token: None, ..signer("https://h") };
        let literal = "POST /a\nX-Twilio-Signature: abc=\n\nA=1";
        assert_eq!(prepare(&without, literal).unwrap().headers[0].1, "abc=");
        let error = prepare(&without, &format!("POST /a\n{FORM}\n\nA=1")).unwrap_err();
        assert!(error.contains("TWILIO_AUTH_TOKEN"), "{error}");
    }

    #[test]
    fn what_was_signed_may_differ_from_what_is_sent() {
        let honest = prepare(&signer("https://h"), &format!("POST /a\n{FORM}\n\nA=1")).unwrap();
        let altered = format!("# @signed-body A=1\n# @signed-url https://h/a\nPOST /b\n{FORM}\n\nA=2");
        let altered = prepare(&signer("https://h"), &altered).unwrap();
        assert_eq!((&*altered.body, &*altered.path_and_query), ("A=2", "/b"));
        assert_eq!(altered.headers, honest.headers);
        let json = "# @signed-body []\nPOST /e?bodySHA256={{body_sha256}}\nX: {{signature}}\n\n[1]";
        let json = prepare(&signer("https://h"), json).unwrap();
        assert!(json.path_and_query.ends_with(&body_hash(b"[]")));
    }
}
