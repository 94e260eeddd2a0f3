//! XML as a small tree: enough for TwiML, strict about form, bounded in depth.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// How deep elements may be nested.
const DEPTH: usize = 32;

/// An element with what is in it.
#[derive(Clone, Debug, Default)]
pub(super) struct Element {
    /// Its name, case as written.
    pub name: String,
    /// Its attributes in order.
    pub attributes: Vec<(String, String)>,
    /// What is in it.
    pub children: Vec<Node>,
}

/// What an element holds; comments are left out.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// Text, unescaped, with what stood in CDATA.
    Text(String),
    /// Another element, with what is in it.
    Element(Element),
}

impl Element {
    /// An attribute's value.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The elements in it.
    pub fn elements(&self) -> impl Iterator<Item = &Element> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// The text directly in it, trimmed.
    pub fn text(&self) -> String {
        let texts = self.children.iter().filter_map(|node| match node {
            Node::Text(text) => Some(text.as_str()),
            Node::Element(_) => None,
        });
        texts.collect::<String>().trim().to_owned()
    }
}

/// Reads a document; what is wrong with it otherwise, in words.
pub(super) fn parse(text: &str) -> Result<Element, String> {
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}').trim_start());
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    loop {
        let event = reader.read_event().map_err(|error| error.to_string())?;
        match event {
            Event::Start(_) | Event::Empty(_) if root.is_some() => {
                return Err("more than one root element".to_owned());
            }
            Event::Start(start) if open.len() < DEPTH => open.push(element(&start)?),
            Event::Start(_) => return Err(format!("nested deeper than {DEPTH} elements")),
            Event::Empty(start) => close(element(&start)?, &mut open, &mut root),
            Event::End(_) => {
                // The reader has checked that the end matches an open start.
                let done = open.pop().ok_or("an end without a start")?;
                close(done, &mut open, &mut root);
            }
            Event::Text(text) => {
                add(text.xml10_content().map_err(|e| e.to_string())?.into_owned(), &mut open)?
            }
            Event::CData(text) => {
                add(text.xml10_content().map_err(|e| e.to_string())?.into_owned(), &mut open)?
            }
            Event::GeneralRef(name) => {
                let name = name.decode().map_err(|error| error.to_string())?;
                let escaped = format!("&{name};");
                let text = quick_xml::escape::unescape(&escaped).map_err(|error| error.to_string())?;
                add(text.into_owned(), &mut open)?;
            }
            Event::Eof => break,
            Event::DocType(_) => return Err("a document type is not allowed".to_owned()),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
        }
    }
    match (open.last(), root) {
        (Some(open), _) => Err(format!("<{}> is not closed", open.name)),
        (None, Some(root)) => Ok(root),
        (None, None) => Err("no element".to_owned()),
    }
}

fn element(start: &BytesStart<'_>) -> Result<Element, String> {
    let name = String::from_utf8_lossy(start.name().as_ref()).into_owned();
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let key = String::from_utf8_lossy(attribute.key.as_ref()).into_owned();
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|error| error.to_string())?
            .into_owned();
        attributes.push((key, value));
    }
    Ok(Element { name, attributes, children: Vec::new() })
}

fn close(done: Element, open: &mut [Element], root: &mut Option<Element>) {
    match open.last_mut() {
        Some(parent) => parent.children.push(Node::Element(done)),
        None => *root = Some(done),
    }
}

fn add(text: String, open: &mut [Element]) -> Result<(), String> {
    match open.last_mut() {
        Some(parent) => parent.children.push(Node::Text(text)),
        None if text.trim().is_empty() => {}
        None => return Err("text outside the root element".to_owned()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_keeps_text_and_order() {
        let root =
            parse("<?xml version=\"1.0\"?><A x='1 &amp; 2'>a &lt; <B/><![CDATA[<c>]]>&#49;</A>").unwrap();
        assert_eq!(root.attribute("x"), Some("1 & 2"));
        assert_eq!(root.text(), "a < <c>1");
        assert_eq!(root.elements().count(), 1);
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        let deep = "<a>".repeat(40);
        let wrong =
            ["", "hello", "<A>", "<A></B>", "<A/><B/>", "<A>&nope;</A>", "<!DOCTYPE a><A/>", "<A/>x", &deep];
        for text in wrong {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
