//! The applications of `examples/`, walked through by a person whose browser
//! keeps cookies, sends forms and runs no scripts.
//!
//! Flask runs where `DIALBACK_TEST_PYTHON` has flask and requests, Express
//! where `DIALBACK_TEST_NODE_MODULES` has express and cookie-parser; the Rust
//! example is built by `cargo test` beside these tests.

use crate::instance::{Instance, KEY, Setup, form, poll, skipped};
use crate::output::{Collected, tells};
use crate::ports::{self, Port};
use crate::wire::{Answer, PATIENCE, answer, try_answer};
use reqwest::{Client, Method, Url};
use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
const NUMBER: &str = "+14155552671";
const NOT_YOURS: &str = "not an answer to a question of yours";
const NOT_NOW: &str = "Your number could not be confirmed";

#[tokio::test]
async fn the_flask_application_proves_a_number() {
    let has_flask = |python: &String| {
        let tried =
            Command::new(python).args(["-c", "import flask, requests"]).stderr(Stdio::null()).status();
        tried.is_ok_and(|status| status.success())
    };
    let Some(python) = env::var("DIALBACK_TEST_PYTHON").ok().filter(has_flask) else {
        return skipped(
            "the Flask example: set DIALBACK_TEST_PYTHON to a Python that has flask and requests to turn it on",
        );
    };
    let mut command = Command::new(python);
    command.arg(format!("{HERE}/flask/app.py"));
    tell_the_story(command).await;
}

#[tokio::test]
async fn the_express_application_proves_a_number() {
    let has_express =
        |modules: &PathBuf| modules.join("express").is_dir() && modules.join("cookie-parser").is_dir();
    let Some(modules) = env::var_os("DIALBACK_TEST_NODE_MODULES").map(PathBuf::from).filter(has_express)
    else {
        return skipped(
            "the Express example: set DIALBACK_TEST_NODE_MODULES to a node_modules that has express and cookie-parser to turn it on",
        );
    };
    // Modules are looked for beside the file that imports them.
    let dir = tempfile::tempdir().unwrap();
    std::fs::copy(format!("{HERE}/express/app.mjs"), dir.path().join("app.mjs")).unwrap();
    std::os::unix::fs::symlink(modules, dir.path().join("node_modules")).unwrap();
    let mut command = Command::new("node");
    command.arg(dir.path().join("app.mjs"));
    tell_the_story(command).await;
}

#[tokio::test]
async fn the_rust_application_proves_a_number() {
    let example = Path::new(env!("CARGO_BIN_EXE_dialback")).with_file_name("examples").join("sign_in");
    if !example.is_file() {
        return skipped(
            "the Rust example: `cargo build --example sign_in`, or a whole `cargo test`, turns it on",
        );
    }
    tell_the_story(Command::new(example)).await;
}

async fn tell_the_story(command: Command) {
    let app = Setup::sandbox().start().await;
    app.learn(NUMBER);
    let example = Example::start(command, &app).await;
    let mut person = Person::at(&example).await;
    assert!(person.page.text.contains("Confirm my phone number"), "{}", person.page.text);

    let way_back = prove(&app, &mut person).await;
    let mut stranger = Person::at(&example).await;
    stranger.open(way_back.as_str()).await;
    stranger.sees(400, NOT_YOURS);
    // One who has begun has a state, but another.
    stranger.open(&example.url).await;
    stranger.send("confirm", &[]).await;
    stranger.open(way_back.as_str()).await;
    stranger.sees(400, NOT_YOURS);

    let cookies = person.cookies.clone();
    person.open(way_back.as_str()).await;
    person.sees(200, &format!("{NUMBER} is proved"));
    person.open(way_back.as_str()).await;
    person.sees(400, NOT_YOURS);
    // A browser can keep what it was told to forget; Dialback does not.
    person.cookies = cookies;
    person.open(way_back.as_str()).await;
    person.sees(502, NOT_NOW);
    example.logged("no_such_result").await;

    person.open(&example.url).await;
    person.send("confirm", &[]).await;
    person.send("cancel", &[]).await;
    person.sees(200, "not proved: canceled");

    app.stop().await;
    person.open(&example.url).await;
    person.send("confirm", &[]).await;
    person.sees(502, NOT_NOW);
    example.end();
}

/// From the application's button to the address that leads back to it.
async fn prove(app: &Instance, person: &mut Person) -> Url {
    person.send("confirm", &[]).await;
    assert!(person.url.as_str().starts_with(&format!("{}/verify/PS", app.server)), "{}", person.url);
    person.send("number", &[("region", "US"), ("number", NUMBER)]).await;
    person.send("channel", &[("channel", "sms")]).await;
    let code = app.texted_code(NUMBER, 1).await;
    person.send("code", &[("code", &code)]).await;
    let left = person.submit("return", &[]).await;
    person.url.join(left.header("location")).unwrap()
}

/// A running application. It is killed when it is dropped.
struct Example {
    child: Child,
    url: String,
    _port: Port,
    out: Collected,
    err: Collected,
}

impl Example {
    async fn start(mut command: Command, app: &Instance) -> Self {
        // Its own address is in what it asks of Dialback, so it is known before.
        let port = ports::take();
        let mut child = command
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("DIALBACK_URL", &app.server)
            .env("DIALBACK_API_KEY", KEY)
            .env("PORT", port.number.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = Collected::from(child.stdout.take().unwrap());
        let err = Collected::from(child.stderr.take().unwrap());
        let url = format!("http://127.0.0.1:{}/", port.number);
        let mut example = Self { child, url, _port: port, out, err };
        let http = Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        let serves = poll(|| {
            let ended = example.child.try_wait().unwrap();
            assert!(ended.is_none(), "the application ended: {ended:?} {}", example.err.text());
            let request = http.get(&example.url);
            async { try_answer(request).await.ok() }
        });
        let serves = serves.await;
        assert!(serves.is_some(), "the application does not serve: {}", example.err.text());
        example
    }

    async fn logged(&self, text: &str) {
        let found = poll(|| async { self.err.text().contains(text).then_some(()) }).await;
        assert!(found.is_some(), "{text:?} was not logged: {}", self.err.text());
    }

    /// Ends it. It must not have told the key.
    fn end(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        for text in [self.out.whole(), self.err.whole()] {
            assert!(!text.lines().any(|line| tells(line, KEY)), "the API key is in the output: {text}");
        }
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        // It may have ended by itself, and then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Somebody at a browser. Cookies know hosts and no ports, so all here share a jar.
struct Person {
    http: Client,
    cookies: BTreeMap<String, String>,
    url: Url,
    page: Answer,
}

impl Person {
    async fn at(example: &Example) -> Self {
        let http = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let page = answer(http.get(&example.url)).await;
        Self { http, cookies: BTreeMap::new(), url: Url::parse(&example.url).unwrap(), page }
    }

    async fn open(&mut self, url: &str) {
        self.url = Url::parse(url).unwrap();
        let page = self.ask(Method::GET, &self.url.clone(), None).await;
        self.follow(page).await;
    }

    /// Fills in the form of that step, sends it, and goes where it leads.
    async fn send(&mut self, step: &str, fields: &[(&str, &str)]) {
        let sent = self.submit(step, fields).await;
        self.follow(sent).await;
    }

    /// Fills in and sends the form of that step, with what is hidden in it.
    async fn submit(&mut self, step: &str, fields: &[(&str, &str)]) -> Answer {
        let forms = self.page.text.split("<form").skip(1).filter_map(|text| text.split("</form>").next());
        let found = forms.map(str::to_owned).find(|text| attribute(text, "action").ends_with(step));
        let found = found.unwrap_or_else(|| panic!("no form {step:?} at {}: {}", self.url, self.page.text));
        let hidden = found.split("<input").filter(|input| attribute(input, "type") == "hidden");
        let hidden: Vec<_> =
            hidden.map(|input| (attribute(input, "name"), attribute(input, "value"))).collect();
        let hidden = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let all: Vec<_> = hidden.chain(fields.iter().copied()).collect();
        let url = self.url.join(&attribute(&found, "action")).unwrap();
        self.ask(Method::POST, &url, Some(form(&all))).await
    }

    async fn follow(&mut self, mut page: Answer) {
        const MOST_REDIRECTS: u8 = 5;
        for _ in 0..MOST_REDIRECTS {
            if !matches!(page.status, 302 | 303) {
                self.page = page;
                return;
            }
            self.url = self.url.join(page.header("location")).unwrap();
            page = self.ask(Method::GET, &self.url.clone(), None).await;
        }
        panic!("too many redirects, the last to {}", self.url);
    }

    async fn ask(&mut self, method: Method, url: &Url, body: Option<String>) -> Answer {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = self.http.request(method, url.clone()).header("accept-language", "en");
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        }
        let answer = answer(request).await;
        for line in answer.headers.get_all("set-cookie") {
            self.keep(line.to_str().unwrap());
        }
        answer
    }

    fn keep(&mut self, line: &str) {
        let (cookie, attributes) = line.split_once(';').unwrap();
        let (name, value) = cookie.split_once('=').unwrap();
        assert!(attributes.contains("HttpOnly"), "{line}");
        assert!(attributes.contains("SameSite=Lax"), "{line}");
        match attributes.contains("Max-Age=0") || attributes.contains("Expires=Thu, 01 Jan 1970") {
            true => drop(self.cookies.remove(name)),
            false => drop(self.cookies.insert(name.to_owned(), value.to_owned())),
        }
    }

    fn sees(&self, status: u16, text: &str) {
        assert_eq!(self.page.status, status, "{}: {}", self.url, self.page.text);
        assert!(self.page.text.contains(text), "{}: {}", self.url, self.page.text);
    }
}

/// The first attribute of that name in a piece of HTML.
fn attribute(html: &str, name: &str) -> String {
    let value = html.split_once(&format!(" {name}=\"")).and_then(|(_, rest)| rest.split('"').next());
    value.unwrap_or_default().replace("&#x2f;", "/").replace("&quot;", "\"").replace("&amp;", "&")
}
