//! The country picker: every region with its name in the person's language, in
//! that language's order, its calling code and a number to go by.

use crate::model::region;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::LazyLock;

/// One line of the picker.
#[derive(Debug, Serialize)]
pub struct Line {
    /// ISO 3166: `DE`.
    pub id: String,
    /// In the person's language.
    pub name: String,
    /// The calling code, without the plus.
    pub code: u16,
    /// As people there write a number.
    pub example: &'static str,
}

/// The picker in a language; English where it has none.
pub fn lines(locale: &str) -> &'static [Line] {
    LINES.get(locale).or_else(|| LINES.get("en")).map_or(&[], Vec::as_slice)
}

/// A region's name in a language, or its code.
pub fn name<'a>(locale: &str, id: &'a str) -> &'a str
where
    'static: 'a,
{
    lines(locale).iter().find(|line| line.id == id).map_or(id, |line| line.name.as_str())
}

/// Names by language, sorted as that language sorts them: the data of the
/// Unicode CLDR, release 48; `words/regions.mjs` writes the file.
const NAMES: &str = include_str!("words/regions.json");

static LINES: LazyLock<HashMap<String, Vec<Line>>> = LazyLock::new(|| {
    // The file is embedded and a test reads it.
    let names: HashMap<String, Vec<(String, String)>> = serde_json::from_str(NAMES).unwrap_or_default();
    let lines = |names: Vec<(String, String)>| {
        let line = |(id, name): (String, String)| {
            let region = region::find(&id)?;
            Some(Line { id, name, code: region.calling_code, example: &region.example })
        };
        names.into_iter().filter_map(line).collect()
    };
    names.into_iter().map(|(locale, names)| (locale, lines(names))).collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_region_has_a_name_in_every_language() {
        for words in super::super::words::all() {
            assert!(LINES.contains_key(&words.locale), "{} has no names of regions", words.locale);
            let lines = lines(&words.locale);
            assert_eq!(lines.len(), region::all().len(), "{}", words.locale);
            assert!(lines.iter().all(|line| !line.name.is_empty() && line.code > 0), "{}", words.locale);
        }
        assert_eq!(name("de", "CH"), "Schweiz");
        assert_eq!(name("de", "??"), "??");
    }
}
