//! A document read back as a small tree, for tests to compare: attribute
//! order and white space between elements do not count.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::collections::BTreeMap;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node {
    pub name: String,
    pub attributes: BTreeMap<String, String>,
    /// The text in this element and in all below it, in order.
    pub text: String,
    pub children: Vec<Node>,
}

impl Node {
    /// The names of the children, in order.
    pub fn shape(&self) -> Vec<&str> {
        self.children.iter().map(|child| child.name.as_str()).collect()
    }
}

/// Parses a document; an error is the first thing wrong with it.
pub fn parse(xml: &str) -> Result<Node, String> {
    let mut reader = Reader::from_str(xml);
    let mut open = vec![Node::default()];
    loop {
        match reader.read_event().map_err(|e| e.to_string())? {
            Event::Start(start) => open.push(node(&start)?),
            Event::Empty(start) => open.last_mut().ok_or("no root")?.children.push(node(&start)?),
            Event::End(_) => {
                let done = open.pop().ok_or("closed too often")?;
                let parent = open.last_mut().ok_or("closed too often")?;
                parent.text.push_str(&done.text);
                parent.children.push(done);
            }
            Event::Text(text) => {
                let text = text.decode().map_err(|e| e.to_string())?;
                if !(text.trim().is_empty() && text.contains('\n')) {
                    open.last_mut().ok_or("no root")?.text.push_str(&text);
                }
            }
            Event::GeneralRef(name) => {
                let name = name.decode().map_err(|e| e.to_string())?;
                let char = quick_xml::escape::unescape(&format!("&{name};"))
                    .map_err(|e| e.to_string())?
                    .into_owned();
                open.last_mut().ok_or("no root")?.text.push_str(&char);
            }
            Event::Decl(_) => {}
            Event::Eof => break,
            other => return Err(format!("not expected in twiml: {other:?}")),
        }
    }
    match open.as_mut_slice() {
        [top] if top.children.len() == 1 && top.text == top.children[0].text => Ok(top.children.remove(0)),
        _ => Err("not one root element".to_owned()),
    }
}

fn node(start: &BytesStart<'_>) -> Result<Node, String> {
    let mut node =
        Node { name: String::from_utf8_lossy(start.name().as_ref()).into_owned(), ..Node::default() };
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|e| e.to_string())?;
        let name = String::from_utf8_lossy(attribute.key.as_ref()).into_owned();
        let value =
            attribute.normalized_value(quick_xml::XmlVersion::Explicit1_0).map_err(|e| e.to_string())?;
        node.attributes.insert(name, value.into_owned());
    }
    Ok(node)
}
