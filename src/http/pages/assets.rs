//! The files that pages name: styles, script, icon. Each has a hash of what is
//! in it in its name, so that browsers may keep it for ever; a brand's style
//! sheet is made of the colour in its name.

use super::colour::Colour;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const ICON: &str = "image/svg+xml";

struct File {
    name: String,
    kind: &'static str,
    text: &'static str,
}

static FILES: LazyLock<[File; 3]> = LazyLock::new(|| {
    [
        file("pages", "css", CSS, include_str!("static/pages.css")),
        file("pages", "js", SCRIPT, include_str!("static/pages.js")),
        file("icon", "svg", ICON, include_str!("static/icon.svg")),
    ]
});

/// The addresses that a page names, below the public URL's path.
#[derive(Debug, Clone, Serialize)]
pub struct Assets {
    css: String,
    js: String,
    icon: String,
    brand: String,
}

impl Assets {
    /// Those of a brand with that colour, `#1a6f4e`.
    pub fn of(prefix: &str, colour: Option<&str>) -> Self {
        let at = |name: &str| format!("{prefix}/verify/static/{name}");
        let colour = colour.and_then(|colour| colour.strip_prefix('#')).unwrap_or(super::colour::DEFAULT);
        let [css, js, icon] = &*FILES;
        Self {
            css: at(&css.name),
            js: at(&js.name),
            icon: at(&icon.name),
            brand: at(&format!("brand-{}.css", colour.to_ascii_lowercase())),
        }
    }
}

/// The file of a name, a brand's style sheet too: its type, and its text.
pub fn find(name: &str) -> Option<(&'static str, String)> {
    if let Some(file) = FILES.iter().find(|file| file.name == name) {
        return Some((file.kind, file.text.to_owned()));
    }
    let hex = name.strip_prefix("brand-").and_then(|rest| rest.strip_suffix(".css"));
    hex.and_then(Colour::parse).map(|colour| (CSS, colour.style_sheet()))
}

fn file(stem: &str, ending: &str, kind: &'static str, text: &'static str) -> File {
    let hash = hex::encode(&Sha256::digest(text.as_bytes())[..8]);
    File { name: format!("{stem}-{hash}.{ending}"), kind, text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_never_becomes_markup() {
        for file in &*FILES {
            for way in
                ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "http:", "https:"]
            {
                let is_name = way.starts_with("http") && file.kind == ICON;
                assert!(is_name || !file.text.contains(way), "{} uses {way}", file.name);
            }
        }
    }
}
