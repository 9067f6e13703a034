//! Where plans stand in a text: in a server's log, in the output of psql, among other lines.
//!
//! Takes off what a log or a client put around a plan, and says of every plan which lines it has and in which format.

use serde_json::Value;

use super::{ReadError, json, text};

/// A line without what stood around it, and where it stood.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub text: String,
    /// From 1.
    pub number: usize,
    /// Characters that were taken off at the start.
    pub offset: usize,
    /// The first of a log entry: nothing goes on across it.
    pub begins_entry: bool,
}

/// The lines of one plan, or of one JSON document, which may hold several.
pub(super) struct Found {
    pub json: bool,
    pub lines: Vec<Line>,
    /// Without costs and times.
    pub bare: bool,
    pub query: Option<String>,
    pub duration: Option<f64>,
}

/// Every plan of the text.
///
/// # Errors
/// When a format was asked of EXPLAIN that is not read, or JSON does not end.
pub(super) fn find(text: &str) -> Result<Vec<Found>, ReadError> {
    let lines = undecorated(text);
    refuse_other_formats(&lines)?;
    let found = Finder::new(&lines, false).run()?;
    if !found.is_empty() {
        return Ok(found);
    }
    Finder::new(&lines, true).run()
}

fn refuse_other_formats(lines: &[Line]) -> Result<(), ReadError> {
    for line in lines {
        let content = line.text.trim();
        let format = if content.starts_with("<explain ") || content.starts_with("<Plan>") {
            "XML"
        } else if content.starts_with("<table") {
            "HTML"
        } else if content == "- Plan:" || content.starts_with("Plan:") && !content.contains('{') {
            "YAML"
        } else {
            continue;
        };
        let message = format!("this plan is {format}: use EXPLAIN (FORMAT JSON), or the default text format");
        return Err(ReadError::at(line, 0, message));
    }
    Ok(())
}

/// Characters that are looked through for marks before a line.
const MOST_MARKS: usize = 8;

struct Finder<'a> {
    lines: &'a [Line],
    at: usize,
    bare: bool,
    query: Option<String>,
    duration: Option<f64>,
    found: Vec<Found>,
}

impl<'a> Finder<'a> {
    fn new(lines: &'a [Line], bare: bool) -> Finder<'a> {
        Finder { lines, at: 0, bare, query: None, duration: None, found: Vec::new() }
    }

    fn run(mut self) -> Result<Vec<Found>, ReadError> {
        while let Some(line) = self.lines.get(self.at) {
            let content = line.text.trim_start();
            if line.begins_entry {
                (self.query, self.duration) = (None, None);
            }
            if let Some(duration) = logged_duration(content) {
                self.duration = Some(duration);
                self.at += 1;
            } else if let Some(query) = content.strip_prefix("Query Text: ") {
                self.query(query);
            } else if content.starts_with(['{', '[']) {
                self.json()?;
            } else if text::is_root(&line.text, self.bare) {
                self.text();
            } else {
                self.at += 1;
            }
        }
        Ok(self.found)
    }

    /// The query before a plan in the text format goes on until the plan begins.
    fn query(&mut self, first: &str) {
        let mut query = first.to_owned();
        self.at += 1;
        while let Some(line) = self.lines.get(self.at).filter(|line| !line.begins_entry) {
            if line.text.starts_with("Query Parameters: ") || text::is_root(&line.text, false) {
                break;
            }
            query.push('\n');
            query.push_str(&line.text);
            self.at += 1;
        }
        self.query = Some(query);
    }

    fn json(&mut self) -> Result<(), ReadError> {
        let start = self.at;
        let rest = &self.lines[start..];
        let length = rest.iter().skip(1).position(|line| line.begins_entry).map_or(rest.len(), |at| at + 1);
        let joined = join(&rest[..length]);
        let end = json::value_end(joined.trim_start()).map(|end| end + joined.len() - joined.trim_start().len());
        let Some(end) = end else {
            self.at += length;
            if json::looks_like_plan(&joined) {
                let last = &rest[length - 1];
                let message = "the JSON ends before the plan does";
                return Err(ReadError::at(last, last.text.chars().count(), message));
            }
            return Ok(());
        };
        let count = joined[..end].matches('\n').count() + 1;
        self.at += count;
        if json::looks_like_plan(&joined[..end]) {
            self.push(true, &rest[..count]);
        }
        Ok(())
    }

    fn text(&mut self) {
        let start = self.at;
        let root = indentation(&self.lines[start].text);
        let mut summary = false;
        self.at += 1;
        while let Some(line) = self.lines.get(self.at) {
            let content = line.text.trim();
            let column = indentation(&line.text);
            if line.begins_entry || is_footer(content) {
                break;
            }
            let goes_on = content.is_empty()
                || text::is_summary(content)
                || content.starts_with("->")
                || column > root
                || (!summary && !text::is_root(&line.text, self.bare));
            if !goes_on || column <= root && text::is_root(&line.text, self.bare) {
                break;
            }
            if content.is_empty() && !self.goes_on_after_blank(root) {
                break;
            }
            summary |= text::is_summary(content);
            self.at += 1;
        }
        let lines = &self.lines[start..self.at];
        self.push(false, lines);
    }

    fn goes_on_after_blank(&self, root: usize) -> bool {
        let next = self.lines[self.at..].iter().find(|line| !line.text.trim().is_empty());
        next.is_some_and(|line| {
            text::is_summary(line.text.trim())
                || line.text.trim_start().starts_with("->")
                || indentation(&line.text) > root
        })
    }

    fn push(&mut self, json: bool, lines: &[Line]) {
        self.found.push(Found {
            json,
            lines: lines.to_vec(),
            bare: self.bare,
            query: self.query.take(),
            duration: self.duration.take(),
        });
    }
}

pub(super) fn join(lines: &[Line]) -> String {
    lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n")
}

fn indentation(text: &str) -> usize {
    text.chars().take_while(|c| c.is_whitespace()).count()
}

/// `(7 rows)` in any language, `Time: 1.5 ms`, a prompt, the header of the next result.
fn is_footer(content: &str) -> bool {
    let rows = content.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    let rows = rows.and_then(|rows| rows.split_once(' ')).is_some_and(|(count, _)| count.parse::<u64>().is_ok());
    rows || content.starts_with("Time: ") || content == "QUERY PLAN" || is_rule(content)
}

/// `----`, `+----+`, `════`.
fn is_rule(content: &str) -> bool {
    content.chars().count() >= 3 && content.chars().all(|c| "-+─═┌┐└┘├┤┬┴┼╞╪╡".contains(c))
}

/// `duration: 1.5 ms  plan:` at the end of a log line.
fn logged_duration(line: &str) -> Option<f64> {
    let rest = &line[line.find("duration: ")? + "duration: ".len()..];
    let (time, behind) = rest.split_once(" ms")?;
    behind.trim().starts_with("plan:").then(|| time.parse().ok())?
}

fn undecorated(text: &str) -> Vec<Line> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // Chats and web pages keep indentation with spaces that do not break.
    let text = &text.replace('\u{a0}', " ");
    let marks = marks_throughout(text);
    let mut lines: Vec<Line> = Vec::new();
    let mut psql = false;
    let mut csv = false;
    let quoted = quoted_throughout(text);
    for (at, raw) in text.split('\n').enumerate() {
        let raw = raw.strip_suffix('\r').unwrap_or(raw);
        let number = at + 1;
        let line = |text: &str, offset: usize| Line { text: text.to_owned(), number, offset, begins_entry: false };
        if let Some(message) = json_log_message(raw) {
            let entry = message.split('\n').enumerate();
            lines.extend(entry.map(|(at, text)| Line { begins_entry: at == 0, ..line(text, 0) }));
            continue;
        }
        if csv || raw.contains(",\"duration: ") && logged_duration(raw).is_some() {
            let begins_entry = !csv;
            let start = if csv { 0 } else { raw.find(",\"duration: ").map_or(0, |at| at + 2) };
            let (field, ended) = csv_field(&raw[start..]);
            csv = !ended;
            lines.push(Line { begins_entry, ..line(&field, start) });
            continue;
        }
        if let (true, Some(rest), Some(last)) = (psql, wrapped(raw), lines.last_mut())
            && last.text.ends_with('.')
        {
            last.text.pop();
            last.text.push_str(rest);
            continue;
        }
        let (raw, skipped) = without_marks(raw, marks);
        let (content, offset) = without_frame(raw, quoted);
        let offset = offset + skipped;
        psql |= content.trim() == "QUERY PLAN" || raw.starts_with("QUERY PLAN | ");
        let content = if psql { without_continuation(&content) } else { &content };
        if psql && (is_rule(content.trim()) || raw.starts_with("-[ RECORD")) {
            continue;
        }
        let begins_entry = begins_log_entry(content);
        lines.push(Line { begins_entry, ..line(content, offset) });
    }
    lines
}

/// Marks that stand before every line of a plan: `> ` of a quoted mail, `|` of a table without a border at its end.
fn marks_throughout(text: &str) -> usize {
    let is_node = |line: &&str| line.contains("(cost=") || line.contains("(actual ");
    let mut lines = text.lines().filter(is_node).filter(|line| !line.trim_end().ends_with('|')).peekable();
    if lines.peek().is_none() {
        return 0;
    }
    lines
        .map(|line| line.len() - line.trim_start_matches(['>', '|', ' ']).len())
        .map(|at| at.min(MOST_MARKS))
        .fold(usize::MAX, |least, length| least.min(length))
}

/// Without the marks at the start, and how many characters they are. What comes before the first mark is no mark.
fn without_marks(raw: &str, marks: usize) -> (&str, usize) {
    let start = raw.get(..marks).unwrap_or(raw);
    let end = start.rfind(['>', '|']).map_or(0, |at| at + 1);
    if marks == 0 || !start[..end].chars().all(|c| matches!(c, '>' | '|' | ' ')) {
        (raw, 0)
    } else {
        (&raw[end..], end)
    }
}

/// What psql continues on another line, where the last one was too long for the terminal: `|.rest   |`, `.rest`.
fn wrapped(raw: &str) -> Option<&str> {
    let rest = raw.strip_prefix('|').or(raw.strip_prefix('│')).unwrap_or(raw);
    let rest = rest.strip_prefix('.')?;
    Some(rest.trim_end().trim_end_matches(['|', '│']).trim_end())
}

/// pgAdmin copies each line in quotes.
fn quoted_throughout(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty()).peekable();
    lines.peek().is_some() && lines.all(|line| line.len() >= 2 && line.starts_with('"') && line.ends_with('"'))
}

/// A line without borders, quotes, a log's tab and the like; and how many characters went at its start.
fn without_frame(raw: &str, quoted: bool) -> (String, usize) {
    // The last line may be empty.
    if quoted && raw.len() >= 2 {
        return (raw[1..raw.len() - 1].replace("\"\"", "\""), 1);
    }
    for (border, end) in [("| ", '|'), ("│ ", '│'), ("║ ", '║')] {
        if let Some(inside) = raw.strip_prefix(border).and_then(|rest| rest.trim_end().strip_suffix(end)) {
            return (inside.trim_end().to_owned(), 2);
        }
    }
    for field in ["QUERY PLAN | ", "           | "] {
        if let Some(inside) = raw.strip_prefix(field) {
            return (inside.to_owned(), field.len());
        }
    }
    if let Some(tab) = raw.strip_prefix('\t') {
        return (tab.replace('\t', "        "), 1);
    }
    // syslog: `Jan  1 00:00:00 host postgres[1]: [5-2] #011Seq Scan …`
    if let Some((before, rest)) = raw.split_once("]: [")
        && before.contains("postgres[")
        && let Some((_, content)) = rest.split_once("] ")
        && let Some(content) = content.strip_prefix("#011")
    {
        return (content.replace("#011", "        "), raw.len() - content.len());
    }
    (raw.to_owned(), 0)
}

/// psql marks lines of a value that goes on.
fn without_continuation(content: &str) -> &str {
    let content = content.trim_end();
    content.strip_suffix(['+', '↵']).map_or(content, str::trim_end)
}

/// What `log_line_prefix` may hold cannot be told; how serious a message is, always follows it.
fn begins_log_entry(content: &str) -> bool {
    ["LOG:  ", "NOTICE:  ", "WARNING:  ", "ERROR:  ", "INFO:  ", "CONTEXT:  ", "STATEMENT:  ", "DETAIL:  ", "HINT:  "]
        .iter()
        .any(|level| content.split_once(level).is_some_and(|(prefix, _)| !prefix.contains(['\'', '"', '('])))
        && !content.starts_with(' ')
}

/// The message of a line of a log in JSON.
fn json_log_message(raw: &str) -> Option<String> {
    if !raw.starts_with('{') || !raw.contains("\"message\"") {
        return None;
    }
    match serde_json::from_str::<Value>(raw).ok()?.get("message")? {
        Value::String(message) => Some(message.clone()),
        _ => None,
    }
}

/// The text of a quoted field up to its end or the end of the line, and whether it ended.
fn csv_field(raw: &str) -> (String, bool) {
    let mut field = String::new();
    let mut chars = raw.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' => return (field, true),
            '\t' => field.push_str("        "),
            c => field.push(c),
        }
    }
    (field, false)
}
