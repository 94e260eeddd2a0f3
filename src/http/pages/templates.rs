//! The pages' templates: those of the binary, each of which may be replaced by
//! a file of a directory. All are compiled, and rendered once with everything
//! that a page may say, before anybody asks for one.

use super::words::{self, fill};
use minijinja::value::Kwargs;
use minijinja::{Environment, HtmlEscape, UndefinedBehavior, Value, context};
use std::path::Path;

/// The first of them are parts of the others, and no pages.
const PARTS: usize = 5;
/// Name and text of every template.
const TEMPLATES: [(&str, &str); 12] = [
    ("layout.html", include_str!("templates/layout.html")),
    ("problem.html", include_str!("templates/problem.html")),
    ("cancel.html", include_str!("templates/cancel.html")),
    ("facts.html", include_str!("templates/facts.html")),
    ("entry.html", include_str!("templates/entry.html")),
    ("start.html", include_str!("templates/start.html")),
    ("number.html", include_str!("templates/number.html")),
    ("channel.html", include_str!("templates/channel.html")),
    ("captcha.html", include_str!("templates/captcha.html")),
    ("code.html", include_str!("templates/code.html")),
    ("done.html", include_str!("templates/done.html")),
    ("gone.html", include_str!("templates/gone.html")),
];

/// Where a heading may break, in a language that has no spaces.
const BREAK: char = '\u{200b}';

/// A template file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadTemplate {
    /// It cannot be read.
    #[error("pages.templates: {path}: {error}")]
    Unreadable {
        /// The file or directory.
        path: String,
        /// What the file system said.
        error: std::io::Error,
    },
    /// No page has this name.
    #[error("pages.templates: {path}: there is no such page; there are {known}")]
    Unknown {
        /// The path of the file.
        path: String,
        /// The names there are.
        known: String,
    },
    /// It does not compile, or says what no page knows.
    #[error("pages.templates: {path}: line {line}: {what}")]
    Wrong {
        /// The path of the file.
        path: String,
        /// The line, from 1 on; 0 when it is not known.
        line: usize,
        /// What is wrong.
        what: String,
    },
}

/// The compiled templates.
pub struct Templates(Environment<'static>);

impl Templates {
    /// Those of the binary, replaced by the files of a directory where there
    /// is one.
    ///
    /// # Errors
    /// The first file that cannot be used, and its line.
    pub fn load(directory: Option<&Path>) -> Result<Self, BadTemplate> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.add_filter("fill", filled);
        environment.add_filter("mark", marked);
        environment.add_filter("phrases", phrases);
        environment.add_filter("whole", |text: &str| text.replace(BREAK, ""));
        for (name, text) in TEMPLATES {
            add(&mut environment, name, text.to_owned(), name)?;
        }
        if let Some(directory) = directory {
            for (name, path, text) in files(directory)? {
                add(&mut environment, name, text, &path)?;
            }
        }
        let templates = Self(environment);
        templates.try_all(directory)?;
        Ok(templates)
    }

    /// A page.
    ///
    /// # Errors
    /// What the template asks for and the page does not say.
    pub fn render(&self, name: &str, values: Value) -> Result<String, minijinja::Error> {
        self.0.get_template(name)?.render(values)
    }

    /// Renders everything with samples, so that a slip shows at the start.
    fn try_all(&self, directory: Option<&Path>) -> Result<(), BadTemplate> {
        for (name, _) in &TEMPLATES[PARTS..] {
            for values in samples() {
                self.render(name, values).map_err(|error| {
                    let place = error.name().unwrap_or(name);
                    let path =
                        directory.map_or_else(|| place.to_owned(), |at| at.join(place).display().to_string());
                    wrong(path, &error)
                })?;
            }
        }
        Ok(())
    }
}

/// `{{ words.start.lead | fill(service=service) }}`
fn filled(text: &str, values: Kwargs) -> Result<String, minijinja::Error> {
    let names: Vec<String> = values.args().map(str::to_owned).collect();
    let pairs: Vec<(String, String)> = names
        .into_iter()
        .map(|name| values.get::<Value>(&name).map(|value| (name, value.to_string())))
        .collect::<Result<_, _>>()?;
    let pairs: Vec<(&str, &str)> =
        pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    Ok(fill(text, &pairs))
}

/// `{{ words.code.title | phrases }}`: a heading that breaks between its phrases.
fn phrases(text: &str) -> Value {
    Value::from_safe_string(HtmlEscape(text).to_string().replace(BREAK, "<wbr>"))
}

/// `{{ words.channel.lead | mark(number=number) }}`: the text with values that stay
/// together and read from the left, whatever is around them.
fn marked(text: &str, values: Kwargs) -> Result<Value, minijinja::Error> {
    let mut marked = HtmlEscape(text).to_string();
    for name in values.args() {
        let value: String = values.get(name)?;
        let value = format!("<bdi dir=\"ltr\">{}</bdi>", HtmlEscape(&value));
        marked = marked.replace(&format!("{{{name}}}"), &value);
    }
    Ok(Value::from_safe_string(marked))
}

fn add(
    environment: &mut Environment<'static>,
    name: &'static str,
    text: String,
    path: &str,
) -> Result<(), BadTemplate> {
    environment.add_template_owned(name, text).map_err(|error| wrong(path.to_owned(), &error))
}

fn wrong(path: String, error: &minijinja::Error) -> BadTemplate {
    let what = match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    };
    BadTemplate::Wrong { path, line: error.line().unwrap_or(0), what }
}

/// The files of a directory: each template's name, the file's, and its text.
fn files(directory: &Path) -> Result<Vec<(&'static str, String, String)>, BadTemplate> {
    let unreadable = |path: &Path, error| BadTemplate::Unreadable { path: path.display().to_string(), error };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(|error| unreadable(directory, error))? {
        let path = entry.map_err(|error| unreadable(directory, error))?.path();
        if path.extension().is_none_or(|ending| ending != "html") {
            continue;
        }
        let known = TEMPLATES.iter().find(|(name, _)| path.ends_with(name));
        let Some((name, _)) = known else {
            let known = TEMPLATES.map(|(name, _)| name).join(", ");
            return Err(BadTemplate::Unknown { path: path.display().to_string(), known });
        };
        let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
        files.push((*name, path.display().to_string(), text));
    }
    Ok(files)
}

/// Everything that any page may say, and as little as it may.
fn samples() -> [Value; 2] {
    let words = Value::from_serialize(&words::all()[0]);
    let common = |rich: bool| {
        let some = |text: &str| rich.then(|| text.to_owned());
        context! {
            lang => "en", dir => "ltr", words, service => "Shop", base => "/verify/PS0", token => "0",
            logo => some("https://shop.example/logo.svg"),
            assets => super::assets::Assets::of("", None),
            languages => [context! { locale => "en", name => "English" }],
            problem => rich.then(|| context! { text => "No.", field => "number" }),
            number => some("+41 •• 42"), purpose => some("Log in"), amount => some("1 €"), payee => some("Bob"),
            enters => rich, payment => rich, go => "Continue", may_change => rich, may_cancel => rich, end => if rich { "approved" } else { "failed" },
            may_retry => rich, may_leave => rich, told => some("The code has expired."), message => some("Back"),
        }
    };
    let steps = |rich: bool| {
        context! {
            regions => [context! { id => "CH", name => "Switzerland", code => 41, example => "078 123 45 67" }],
            region => rich.then_some("CH"), example => "078 123 45 67", anywhere => "+44 7700 900123", input => "",
            channels => ["sms", "call"], labels => context! { sms => "SMS", call => "Call", whatsapp => "WhatsApp" },
            channel => "sms", length => 6, kind => if rich { "digits" } else { "characters" }, digits => rich, now => rich.then(|| context! { state => "sent", text => "Sent.", failed => false }),
            ways => [context! { channel => "sms", again => true, offered => true, at_once => rich }], wait => i64::from(rich) * 30,
            proof => context! { step => "channel", channel => "sms", bound_to => "0", kind => if rich { "turnstile" } else { "signed" }, class => "cf-turnstile", script => "https://captcha.example/api.js", site_key => Some("0x4").filter(|_| rich), action => Some("send").filter(|_| rich), word => (!rich).then_some("a.b.c") },
            stop => rich.then_some("Do not call me"), wait_text => "0:30", wait_line => "{time}", wait_one => "{time}", expires => "2:00", expires_seconds => if rich { 120 } else { 300 }, expires_soon => rich, attempts => rich.then_some(2),
        }
    };
    [true, false].map(|rich| context! { ..common(rich), ..steps(rich) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_templates_say_only_what_pages_know() {
        Templates::load(None).map(drop).unwrap();
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named_with_its_line() {
        for (name, text, expected) in [
            ("gone.html", "<p>\n{{ words.gone.titel }}", "gone.html: line 2"),
            ("gone.html", "<p>\n\n{% if %}", "gone.html: line 3"),
            ("gon.html", "", "gon.html: there is no such page"),
        ] {
            let directory = tempfile::tempdir().unwrap();
            std::fs::write(directory.path().join(name), text).unwrap();
            let error = Templates::load(Some(directory.path())).map(drop).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let nowhere = Templates::load(Some(Path::new("/nowhere/at/all"))).map(drop).unwrap_err().to_string();
        assert!(nowhere.contains("/nowhere/at/all"), "{nowhere}");
    }

    #[test]
    fn a_marked_value_is_text_all_the_same() {
        let mut environment = Environment::new();
        environment.add_filter("mark", marked);
        environment.add_template("x.html", "{{ text | mark(number=number) }}").unwrap();
        let page = environment.get_template("x.html").unwrap();
        let page = page.render(context! { text => "<To> {number}", number => "<b>" }).unwrap();
        assert_eq!(page, "&lt;To&gt; <bdi dir=\"ltr\">&lt;b&gt;</bdi>");
    }

    #[test]
    fn a_file_takes_the_place_of_a_page() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("gone.html"), "<p>{{ service }}</p>").unwrap();
        let templates = Templates::load(Some(directory.path())).unwrap();
        let page = templates.render("gone.html", context! { service => "<Shop>" }).unwrap();
        assert_eq!(page, "<p>&lt;Shop&gt;</p>");
    }
}
