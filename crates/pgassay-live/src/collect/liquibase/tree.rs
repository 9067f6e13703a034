//! A changelog in XML, YAML or JSON as one tree, with the place of every part.
//!
//! Liquibase reads the three formats into the same nodes (`ParsedNode`): an attribute and a child with a value are the same, and the
//! items of a list are children of what holds the list.

use std::collections::HashMap;
use std::ops::Range;

use granit_parser::{Event, Parser, Span};

/// An element, an attribute, a key with its value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub name: String,
    /// Its bytes in the file.
    pub range: Range<usize>,
    pub text: Option<Text>,
    pub children: Vec<Element>,
    /// An attribute of XML, which is never a change.
    pub is_attribute: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Text {
    /// With references and escapes replaced.
    pub value: String,
    /// Where it is written; with the quotes or the mark of a block where it has those.
    pub range: Range<usize>,
}

/// Why a changelog cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TreeError {
    pub at: usize,
    pub message: String,
}

/// Deeper and larger than any changelog: what goes beyond is not one.
const DEEPEST: usize = 64;
const MOST: usize = 200_000;

impl Element {
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The value of a child, unless it is blank.
    pub fn value(&self, name: &str) -> Option<&str> {
        let text = self.child(name)?.text.as_ref()?;
        Some(text.value.trim()).filter(|value| !value.is_empty())
    }

    pub fn says(&self, name: &str) -> Option<bool> {
        match self.value(name)?.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => Some(true),
            "false" | "0" | "no" => Some(false),
            _ => None,
        }
    }

    /// Takes in the bracket that ends it; what is written in lines ends where the next thing begins.
    fn close(&mut self, end: Range<usize>) {
        if !end.is_empty() {
            self.range.end = self.range.end.max(end.end);
        }
    }

    /// The children of a name, which YAML and JSON keep in a list of its own: `columns` for `column`.
    pub fn listed<'a>(&'a self, list: &'a str, name: &'a str) -> impl Iterator<Item = &'a Element> {
        let in_lists = self.children.iter().filter(move |child| child.name == list).flat_map(|list| &list.children);
        self.children.iter().chain(in_lists).filter(move |child| child.name == name)
    }
}

pub(super) fn read_xml(text: &str) -> Result<Element, TreeError> {
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..roxmltree::ParsingOptions::default() };
    let document = roxmltree::Document::parse_with_options(text, options).map_err(|error| {
        let position = error.pos();
        let at = offset(text, position.row as usize, position.col as usize - 1);
        TreeError { at, message: format!("is not well-formed XML: {error}") }
    })?;
    element(document.root_element(), DEEPEST)
}

/// The byte at a line, from 1, and characters after its start.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let rest = text.get(start..).unwrap_or_default();
    start + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at)
}

fn element(node: roxmltree::Node, depth: usize) -> Result<Element, TreeError> {
    let range = node.range();
    if depth == 0 {
        return Err(TreeError { at: range.start, message: "is nested too deeply".to_owned() });
    }
    let mut found = Element { name: node.tag_name().name().to_owned(), range, ..Element::default() };
    for attribute in node.attributes() {
        let text = Text { value: attribute.value().to_owned(), range: attribute.range_value() };
        let name = attribute.name().to_owned();
        let (range, text) = (attribute.range(), Some(text));
        found.children.push(Element { name, range, text, children: Vec::new(), is_attribute: true });
    }
    let mut text = Text::default();
    for child in node.children() {
        if child.is_element() {
            found.children.push(element(child, depth - 1)?);
        } else if let Some(value) = child.text().filter(|_| child.is_text()) {
            let start = if text.value.is_empty() { child.range().start } else { text.range.start };
            text.value.push_str(value);
            text.range = start..child.range().end;
        }
    }
    found.text = Some(text).filter(|text| !text.value.trim().is_empty());
    Ok(found)
}

/// JSON too, which YAML contains but for tabs between tokens.
pub(super) fn read_yaml(text: &str) -> Result<Element, TreeError> {
    let untabbed = text.trim_start().starts_with('{').then(|| text.replace('\t', " "));
    let mut reader =
        Yaml { events: Parser::new_from_str(untabbed.as_deref().unwrap_or(text)), anchors: HashMap::new(), made: 0 };
    let Some((event, span)) = reader.next()? else { return Ok(Element::default()) };
    let mut root = Element { range: 0..text.len(), ..Element::default() };
    reader.fill(&mut root, event, span, DEEPEST)?;
    Ok(root)
}

struct Yaml<'t> {
    events: Parser<'t, granit_parser::StrInput<'t>>,
    anchors: HashMap<usize, Element>,
    made: usize,
}

impl<'t> Yaml<'t> {
    /// The next event that is data.
    fn next(&mut self) -> Result<Option<(Event<'t>, Span)>, TreeError> {
        for event in self.events.by_ref() {
            let (event, span) = event.map_err(|error| TreeError {
                at: error.marker().byte_offset().unwrap_or_default(),
                message: format!("cannot be read as YAML: {}", error.info()),
            })?;
            match event {
                Event::Nothing | Event::StreamStart | Event::DocumentStart(..) | Event::Comment(..) => {}
                Event::StreamEnd | Event::DocumentEnd => return Ok(None),
                event => return Ok(Some((event, span))),
            }
        }
        Ok(None)
    }

    fn count(&mut self, more: usize, at: usize) -> Result<(), TreeError> {
        self.made += more;
        match self.made > MOST {
            true => Err(TreeError { at, message: "is too large".to_owned() }),
            false => Ok(()),
        }
    }

    /// Puts a value into the element that has it.
    fn fill(&mut self, into: &mut Element, event: Event<'t>, span: Span, depth: usize) -> Result<(), TreeError> {
        let range = span.byte_range().unwrap_or_default();
        self.count(1, range.start)?;
        if depth == 0 {
            return Err(TreeError { at: range.start, message: "is nested too deeply".to_owned() });
        }
        into.range.end = into.range.end.max(range.end);
        let anchor = match event {
            Event::Scalar(value, _, anchor, _) => {
                into.text = Some(Text { value: value.into_owned(), range });
                anchor
            }
            Event::SequenceStart(_, anchor, _) => {
                self.items(into, depth)?;
                anchor
            }
            Event::MappingStart(_, anchor, _) => {
                self.entries(into, depth)?;
                anchor
            }
            Event::Alias(id) => {
                if let Some(known) = self.anchors.get(&id).cloned() {
                    self.count(size(&known), range.start)?;
                    into.text = known.text;
                    into.children.extend(known.children);
                }
                0
            }
            _ => 0,
        };
        if anchor > 0 {
            self.anchors.insert(anchor, into.clone());
        }
        Ok(())
    }

    fn items(&mut self, into: &mut Element, depth: usize) -> Result<(), TreeError> {
        while let Some((event, span)) = self.next()? {
            let range = span.byte_range().unwrap_or_default();
            if matches!(event, Event::SequenceEnd) {
                into.close(range);
                return Ok(());
            }
            into.range.end = into.range.end.max(range.end);
            let mut item = Element { range, ..Element::default() };
            self.fill(&mut item, event, span, depth - 1)?;
            into.range.end = into.range.end.max(item.range.end);
            match item.text {
                Some(_) => into.children.push(item),
                None => into.children.extend(item.children),
            }
        }
        Ok(())
    }

    fn entries(&mut self, into: &mut Element, depth: usize) -> Result<(), TreeError> {
        while let Some((event, span)) = self.next()? {
            let range = span.byte_range().unwrap_or_default();
            let name = match event {
                Event::MappingEnd => {
                    into.close(range);
                    return Ok(());
                }
                Event::Scalar(name, ..) => name.into_owned(),
                _ => return Err(TreeError { at: range.start, message: "has a key that is not a word".to_owned() }),
            };
            let Some((event, span)) = self.next()? else { return Ok(()) };
            let mut entry = Element { name, range, ..Element::default() };
            self.fill(&mut entry, event, span, depth - 1)?;
            into.range.end = into.range.end.max(entry.range.end);
            match entry.name.as_str() {
                "<<" => into.children.extend(entry.children),
                _ => into.children.push(entry),
            }
        }
        Ok(())
    }
}

fn size(element: &Element) -> usize {
    1 + element.children.iter().map(size).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(element: &Element) -> String {
        let text = element.text.as_ref().map(|text| format!("={}", text.value)).unwrap_or_default();
        let children: Vec<String> = element.children.iter().map(shape).collect();
        let below = if children.is_empty() { String::new() } else { format!("({})", children.join(" ")) };
        format!("{}{text}{below}", element.name)
    }

    #[test]
    fn the_three_formats_give_one_tree() {
        let xml = "<changeSet id=\"1\"><sql splitStatements='false'>a &lt; <![CDATA[b]]></sql></changeSet>";
        assert_eq!(shape(&read_xml(xml).unwrap()), "changeSet(id=1 sql=a < b(splitStatements=false))");
        let yaml = "# c\nchangeSet:\n  id: 1\n  changes:\n    - sql: {sql: a, splitStatements: false}\n    - tag: &x {tag: v1}\n  other: *x\n";
        assert_eq!(
            shape(&read_yaml(yaml).unwrap()),
            "(changeSet(id=1 changes(sql(sql=a splitStatements=false) tag(tag=v1)) other(tag=v1)))"
        );
        let json = "{\t\"changeSet\": {\"id\": 1, \"sql\": \"a\\n\\u00e9 \\ud83d\\ude00\"}}";
        assert_eq!(shape(&read_yaml(json).unwrap()), "(changeSet(id=1 sql=a\né 😀))");
    }

    #[test]
    fn places_are_those_of_the_file() {
        let yaml = "a:\n  - b: {c: é}\n  - d: |\n      x;\n      y;\n  - e: z\n";
        let root = read_yaml(yaml).unwrap();
        let d = root.children[0].child("d").unwrap();
        assert_eq!(yaml[d.range.clone()].trim_end(), "d: |\n      x;\n      y;");
        let b = root.children[0].child("b").unwrap();
        assert_eq!(&yaml[b.range.clone()], "b: {c: é}");
    }

    #[test]
    fn what_cannot_be_read_is_an_error_with_its_place() {
        assert_eq!(read_xml("<a>\n<b></a>").unwrap_err().at, 7);
        assert!(read_yaml("a: [1, 2\nb: }").is_err());
        let bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n";
        assert_eq!(read_yaml(bomb).unwrap_err().message, "is too large");
        let deep = format!("a: {}", "[".repeat(5000));
        assert!(read_yaml(&deep).is_err());
    }
}
