//! Where plans stand in the lines of a text, and in which format each is.

use super::undecorate::Line;
use super::{ReadError, json, text, text_summary};
use crate::plan::read::undecorate::is_rule;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Text,
    Json,
    Yaml,
    Xml,
}

/// The lines of one plan, or of one document, which may hold several.
pub(super) struct Found {
    pub format: Format,
    /// Places in the lines: from the first to behind the last.
    pub lines: std::ops::Range<usize>,
    /// Without costs and times.
    pub bare: bool,
    pub query: Option<String>,
    pub duration: Option<f64>,
}

/// A JSON document says within so many lines that it is a plan.
const MOST_LINES_BEFORE_PLAN: usize = 50;

/// Goes from one plan to the next.
pub(super) struct Finder<'a> {
    lines: &'a [Line],
    at: usize,
    bare: bool,
    query: Option<String>,
    duration: Option<f64>,
}

impl Iterator for Finder<'_> {
    /// With its lines.
    type Item = (std::ops::Range<usize>, Result<Found, ReadError>);

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(line) = self.lines.get(self.at) {
            let start = self.at;
            let content = line.text.trim_start();
            if line.begins_entry {
                (self.query, self.duration) = (None, None);
            }
            let found = if let Some(duration) = logged_duration(content) {
                self.duration = Some(duration);
                self.at += 1;
                None
            } else if let Some(query) = content.strip_prefix("Query Text: ") {
                self.query(query);
                None
            } else if content.starts_with(['{', '[']) {
                self.json()
            } else if content.starts_with("<explain") {
                Some(self.xml())
            } else if self.is_yaml() {
                Some(Ok(self.yaml()))
            } else if text::is_root(&line.text, self.bare) || text::is_arrow(content) {
                Some(Ok(self.text()))
            } else if text::has_numbers(content) {
                self.at += 1;
                let message = "this line has the costs or times of a node, and no node that is known";
                Some(Err(ReadError::at(line, 0, message)))
            } else {
                self.at += 1;
                None
            };
            if let Some(found) = found {
                return Some((start..self.at, found));
            }
        }
        None
    }
}

impl<'a> Finder<'a> {
    pub fn new(lines: &'a [Line], bare: bool) -> Finder<'a> {
        Finder { lines, at: 0, bare, query: None, duration: None }
    }

    /// The query before a plan goes on until the plan begins.
    fn query(&mut self, first: &str) {
        let mut query = first.to_owned();
        self.at += 1;
        while let Some(line) = self.lines.get(self.at).filter(|line| !line.begins_entry) {
            if line.text.starts_with("Query Parameters: ")
                || text::is_root(&line.text, false)
                || self.is_yaml()
                || line.text.starts_with("<explain")
            {
                break;
            }
            query.push('\n');
            query.push_str(&line.text);
            self.at += 1;
        }
        // YAML has it in quotes.
        self.query = Some(serde_json::from_str(query.trim()).unwrap_or(query));
    }

    fn json(&mut self) -> Option<Result<Found, ReadError>> {
        let start = self.at;
        let mut scan = json::Scan::default();
        let mut plan = false;
        for (count, line) in self.lines[start..].iter().enumerate() {
            let new_entry = count > 0 && line.begins_entry;
            plan |= json::looks_like_plan(&line.text);
            if !new_entry && scan.ends(&line.text) {
                // Brackets around a plan as text, or of something else.
                self.at = if plan { start + count + 1 } else { start + 1 };
                let before = self.lines[..start].iter().rev().find(|line| !line.text.trim().is_empty());
                if plan && before.is_some_and(|line| goes_on_in_json(line.text.trim())) {
                    let message = "the JSON begins in the middle of a document";
                    return Some(Err(ReadError::at(&self.lines[start], 0, message)));
                }
                return plan.then(|| Ok(self.found(Format::Json, start..start + count + 1)));
            }
            if new_entry || !plan && count > MOST_LINES_BEFORE_PLAN {
                return self.unended(start, start + count, plan);
            }
        }
        self.unended(start, self.lines.len(), plan)
    }

    fn unended(&mut self, start: usize, end: usize, plan: bool) -> Option<Result<Found, ReadError>> {
        self.at = if plan { end } else { start + 1 };
        let last = self.lines[start..end].last().filter(|_| plan)?;
        Some(Err(ReadError::at(last, last.text.chars().count(), "the JSON ends before the plan does")))
    }

    fn xml(&mut self) -> Result<Found, ReadError> {
        let start = self.at;
        let lines = &self.lines[start..];
        let length = lines.iter().skip(1).position(|line| line.begins_entry).map_or(lines.len(), |at| at + 1);
        match lines[..length].iter().position(|line| line.text.contains("</explain>")) {
            Some(last) => {
                self.at = start + last + 1;
                Ok(self.found(Format::Xml, start..start + last + 1))
            }
            None => {
                self.at = start + length;
                let last = &lines[length - 1];
                Err(ReadError::at(last, last.text.chars().count(), "the XML ends before the plan does"))
            }
        }
    }

    /// `- Plan:` or, in a log, `Plan:`, and below it the node's type.
    fn is_yaml(&self) -> bool {
        let content = self.lines[self.at].text.trim();
        let next = self.lines.get(self.at + 1).map(|line| line.text.trim()).unwrap_or_default();
        matches!(content, "- Plan:" | "Plan:") && next.starts_with("Node Type:")
            || content.starts_with("- Query Text:") && next.starts_with("Plan:")
    }

    fn yaml(&mut self) -> Found {
        let start = self.at;
        let column = indentation(&self.lines[start].text);
        self.at += 1;
        while let Some(line) = self.lines.get(self.at).filter(|line| !line.begins_entry) {
            let content = line.text.trim();
            let inside = indentation(&line.text) > column;
            if content.is_empty() || is_footer(content) && !inside || is_fence(content) {
                break;
            }
            let key =
                content.trim_start_matches("- ").split_once(':').is_some_and(|(key, _)| !key.contains(['(', '\'']));
            if indentation(&line.text) <= column && !key {
                break;
            }
            self.at += 1;
        }
        self.found(Format::Yaml, start..self.at)
    }

    fn text(&mut self) -> Found {
        let start = self.at;
        let root = indentation(&self.lines[start].text);
        // A part of a plan: what stands beside it is not below it.
        let part = text::is_arrow(self.lines[start].text.trim_start());
        let mut summary = false;
        let mut literal = Literal::default();
        self.at += 1;
        while let Some(line) = self.lines.get(self.at) {
            let content = line.text.trim();
            let column = indentation(&line.text);
            if line.begins_entry || is_footer(content) || is_fence(content) {
                break;
            }
            let arrow = content.starts_with("->");
            if arrow && column <= root && (part || summary) {
                break;
            }
            let goes_on = text_summary::is_summary(content) || arrow || column > root || content.is_empty();
            let detail = summary && text_summary::is_detail(content);
            let own = detail
                || !summary && (text::begins_property(content) || literal.is_open() || text::has_numbers(content));
            if !goes_on && !own || column <= root && text::is_root(&line.text, self.bare) {
                break;
            }
            if content.is_empty() && !self.goes_on_after_blank(root) {
                break;
            }
            if !self.bare && column > root && summary && text::is_root(&line.text, false) {
                break;
            }
            literal.line(content);
            summary |= text_summary::is_summary(content);
            self.at += 1;
        }
        self.found(Format::Text, start..self.at)
    }

    fn goes_on_after_blank(&self, root: usize) -> bool {
        let next = self.lines[self.at..].iter().find(|line| !line.text.trim().is_empty());
        next.is_some_and(|line| {
            text_summary::is_summary(line.text.trim())
                || line.text.trim_start().starts_with("->") && indentation(&line.text) > root
                || indentation(&line.text) > root && !text::is_root(&line.text, self.bare)
        })
    }

    fn found(&mut self, format: Format, lines: std::ops::Range<usize>) -> Found {
        Found { format, lines, bare: self.bare, query: self.query.take(), duration: self.duration.take() }
    }
}

/// Whether a line of a JSON document goes on in the next one.
fn goes_on_in_json(content: &str) -> bool {
    let in_document = content.starts_with(['"', '}', ']', '{', '[']);
    in_document && (content.ends_with(['[', '{', ',']) || content.ends_with("\":"))
}

/// Whether a condition goes on behind the end of a line.
#[derive(Default)]
struct Literal {
    quoted: bool,
    depth: usize,
}

impl Literal {
    fn line(&mut self, content: &str) {
        if text::begins_property(content) || content.starts_with("->") {
            *self = Literal::default();
        }
        for c in content.chars() {
            match c {
                '\'' => self.quoted = !self.quoted,
                '(' if !self.quoted => self.depth += 1,
                ')' if !self.quoted => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
    }

    fn is_open(&self) -> bool {
        self.quoted || self.depth > 0
    }
}

/// Whether a condition's literal or parenthesis is open at its end.
pub(super) fn is_open(condition: &str) -> bool {
    let mut literal = Literal::default();
    literal.line(condition);
    literal.is_open()
}

pub(super) fn join(lines: &[Line]) -> String {
    let mut joined = String::with_capacity(lines.iter().map(|line| line.text.len() + 1).sum());
    for line in lines {
        joined.push_str(&line.text);
        joined.push('\n');
    }
    joined
}

fn indentation(text: &str) -> usize {
    text.chars().take_while(|c| c.is_whitespace()).count()
}

fn is_fence(content: &str) -> bool {
    content.starts_with("```") || content.starts_with("~~~")
}

/// `duration: 1.5 ms  plan:` at the end of a log line.
pub(super) fn logged_duration(line: &str) -> Option<f64> {
    let rest = &line[line.find("duration: ")? + "duration: ".len()..];
    let (time, behind) = rest.split_once(" ms")?;
    behind.trim().starts_with("plan:").then(|| time.parse().ok())?
}

/// Whether a line of a log of any kind begins the entry of a plan, also inside of a record.
pub(super) fn logs_plan(line: &str) -> bool {
    line.match_indices("duration: ").any(|(at, word)| {
        let behind = line[at + word.len()..].split_once(" ms  plan:");
        behind.is_some_and(|(time, _)| time.parse::<f64>().is_ok())
    })
}

/// `(7 rows)` in any language, `Time: 1.5 ms`, the header of the next result.
pub(super) fn is_footer(content: &str) -> bool {
    let rows = content.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    let rows = rows.and_then(|rows| rows.split_once(' ')).is_some_and(|(count, _)| count.parse::<u64>().is_ok());
    rows || content.starts_with("Time: ") || content == "QUERY PLAN" || is_rule(content)
}
