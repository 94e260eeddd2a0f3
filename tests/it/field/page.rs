//! A person's way through the hosted pages: begin, number, channel, code.

use super::case::Page;
use super::server::Server;
use super::steps::{Seen, api};
use crate::wire::{Answer, answer, code_in, form};
use regex::Regex;
use reqwest::{Method, Url};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub async fn walk(server: &Server, page: &Page) -> Seen {
    let session = json!({ "return_url": "http://localhost:9/back", "state": "x".repeat(20) });
    let made = api(server, "POST", "/v1/sessions", Some(&session)).await;
    let made: Value = serde_json::from_str(&made.body).unwrap();
    let mut browser = Browser::new(page.lang.as_deref().unwrap_or("en"));
    browser.open(Method::GET, made["url"].as_str().unwrap().parse().unwrap(), None).await;
    browser.submit("/begin", &[]).await;
    let region = page.region.clone().or_else(|| browser.preselected()).unwrap_or_default();
    browser.submit("/number", &[("region", &region), ("number", &page.number)]).await;
    if browser.html.contains("id=\"problem\"") {
        let words = Regex::new(r"<[^>]+>|\s+").unwrap().replace_all(&browser.html, " ").into_owned();
        return Seen { status: 422, body: words };
    }
    browser.submit("/channel", &[("channel", "sms")]).await;
    let mut begun = newest(server).await;
    if page.code_before.is_some() || page.code_after.is_some() {
        let code = texted(server, begun["to"].as_str().unwrap()).await;
        let [before, after] =
            [&page.code_before, &page.code_after].map(|part| part.clone().unwrap_or_default());
        browser.submit("/code", &[("code", &format!("{before}{code}{after}"))]).await;
        begun = newest(server).await;
    }
    Seen { status: 200, body: begun.to_string() }
}

/// The verification that was begun last.
async fn newest(server: &Server) -> Value {
    let list = api(server, "GET", "/v1/verifications?limit=1", None).await;
    let list: Value = serde_json::from_str(&list.body).unwrap();
    list["verifications"][0].clone()
}

/// The code in the newest text of a telephone.
async fn texted(server: &Server, number: &str) -> String {
    let sandbox = server.sandbox.as_ref().expect("a sandbox");
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let texts = answer(http.get(format!("{sandbox}/sandbox/phones/{number}/messages?wait=30"))).await.json();
    code_in(texts.as_array().unwrap().last().expect("a text")["body"].as_str().unwrap())
}

/// A browser that keeps cookies, follows and sends forms.
struct Browser {
    http: reqwest::Client,
    language: String,
    cookies: BTreeMap<String, String>,
    url: Option<Url>,
    html: String,
}

impl Browser {
    fn new(language: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        let http = http.build().unwrap();
        Self { http, language: language.to_owned(), cookies: BTreeMap::new(), url: None, html: String::new() }
    }

    async fn open(&mut self, method: Method, url: Url, body: Option<String>) {
        let (mut method, mut url, mut body) = (method, url, body);
        for _ in 0..10 {
            let answer = self.send(method, &url, body.take()).await;
            let place = answer.header("location").to_owned();
            if !(300..400).contains(&answer.status) || place.is_empty() {
                (self.url, self.html) = (Some(url), answer.text);
                return;
            }
            (method, url) = (Method::GET, url.join(&place).unwrap());
        }
        panic!("no end of redirects at {url}");
    }

    async fn send(&mut self, method: Method, url: &Url, body: Option<String>) -> Answer {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = self.http.request(method, url.clone()).header("cookie", cookies.join("; "));
        request = request.header("accept-language", &self.language).header("sec-fetch-site", "same-origin");
        if let Some(body) = body {
            request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        }
        let answer = answer(request).await;
        for line in answer.headers.get_all("set-cookie") {
            let pair = line.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }

    /// Sends the form whose action ends so, if the page has one.
    async fn submit(&mut self, end: &str, fields: &[(&str, &str)]) {
        let forms = Regex::new(r"(?s)<form\b([^>]*)>(.*?)</form>").unwrap();
        let found = forms.captures_iter(&self.html).find_map(|found| {
            let action = unescape(&first(r#"action="([^"]*)""#, &found[1])?);
            let token = first(r#"name="token" value="([^"]*)""#, &found[2])?;
            action.ends_with(end).then_some((action, token))
        });
        let Some((action, token)) = found else { return };
        let fields = [&[("token", token.as_str())], fields].concat();
        let url = self.url.as_ref().unwrap().join(&action).unwrap();
        self.open(Method::POST, url, Some(form(&fields))).await;
    }

    /// The region that the page chose by itself.
    fn preselected(&self) -> Option<String> {
        first(r#"<option value="(\w*)"[^>]*selected"#, &self.html)
    }
}

fn first(pattern: &str, text: &str) -> Option<String> {
    Some(Regex::new(pattern).unwrap().captures(text)?[1].to_owned())
}

fn unescape(text: &str) -> String {
    let signs =
        [("&#x2f;", "/"), ("&#x27;", "'"), ("&quot;", "\""), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
    signs.iter().fold(text.to_owned(), |text, (name, sign)| text.replace(name, sign))
}
