//! What stands around a line: quotes, borders of tables, marks of psql, tabs.

use super::{Line, plan_lines};
use crate::plan::read::number_line;

/// Takes quotes and borders off; whether there were some.
pub(super) fn strip(chunk: &mut [Line]) -> bool {
    let plan = plan_lines(chunk);
    if plan.is_empty() {
        return false;
    }
    let mut changed = quotes(chunk) | escapes(chunk, &plan);
    let all = |chunk: &[Line], is: &dyn Fn(&str) -> bool| plan.iter().all(|at| is(chunk[*at].text.trim_end()));
    for quote in ['"', '\''] {
        let ends = [format!("{quote}"), format!("{quote},"), format!("{quote}+"), format!("{quote} +")];
        for end in &ends {
            if all(chunk, &|text| text.ends_with(end.as_str())) {
                for line in chunk.iter_mut() {
                    strip_end(line, end);
                }
                changed = true;
            }
        }
        if all(chunk, &|text| text.starts_with(quote)) {
            chunk.iter_mut().filter(|line| line.text.starts_with(quote)).for_each(|line| line.skip(1));
            changed = true;
        }
    }
    for border in ["|", "│", "║", "\\n"] {
        if all(chunk, &|text| text.ends_with(border) && !text.starts_with(border)) {
            chunk.iter_mut().for_each(|line| strip_end(line, border));
            changed = true;
        }
    }
    changed | common_tail(chunk, &plan)
}

/// Takes off what all nodes end with behind their numbers: `$` of `cat -A`, `\` of a shell, `}` of a map.
fn common_tail(chunk: &mut [Line], plan: &[usize]) -> bool {
    let Some(tail) = number_line::tail(&chunk[plan[0]].text).map(|tail| tail.trim().to_owned()) else { return false };
    let same = |at: &usize| number_line::tail(&chunk[*at].text).is_some_and(|other| other.trim() == tail);
    let ending = chunk.iter().filter(|line| line.text.trim_end().ends_with(&tail)).count();
    if tail.is_empty() || !plan.iter().all(same) || plan.len() < 2 && ending < 3 {
        return false;
    }
    chunk.iter_mut().for_each(|line| strip_end(line, &tail));
    true
}

/// Markdown's escapes: no name of a node has a backslash outside of quotes.
fn escapes(chunk: &mut [Line], plan: &[usize]) -> bool {
    let escaped = |at: &usize| {
        let text = &chunk[*at].text;
        let head = &text[..number_line::start(text).unwrap_or(text.len())];
        let outside = head.split('"').step_by(2);
        outside.into_iter().any(|part| ["\\_", "\\*", "\\>", "\\-"].iter().any(|escape| part.contains(escape)))
    };
    // In quoted names too, where none of these characters stands by itself.
    let head = |at: &usize| {
        let text = &chunk[*at].text;
        text[..number_line::start(text).unwrap_or(text.len())].to_owned()
    };
    let heads: String = plan.iter().map(head).collect();
    let all = ["_", "*"].iter().all(|mark| heads.matches(mark).count() == heads.matches(&format!("\\{mark}")).count());
    if !plan.iter().any(escaped) && !(all && (heads.contains("\\_") || heads.contains("\\*"))) {
        return false;
    }
    for line in chunk {
        let mut text = String::with_capacity(line.text.len());
        let mut chars = line.text.chars().peekable();
        while let Some(c) = chars.next() {
            if c != '\\' || !chars.peek().is_some_and(char::is_ascii_punctuation) {
                text.push(c);
            } else if let Some(c) = chars.next() {
                text.push(c);
            }
        }
        line.text = text;
    }
    true
}

fn strip_end(line: &mut Line, end: &str) {
    if let Some(rest) = line.text.trim_end().strip_suffix(end) {
        line.text = rest.trim_end().to_owned();
    }
}

/// DataGrip and `psql --csv` quote the lines that hold a comma or a quote, pgAdmin all of them. No line of a plan begins with a quote.
fn quotes(chunk: &mut [Line]) -> bool {
    let mut changed = false;
    for line in chunk.iter_mut() {
        let trimmed = line.text.trim_end().trim_end_matches([',', ';']);
        if trimmed.len() >= 2 && trimmed.starts_with('"') && trimmed.ends_with('"') {
            let inside = trimmed[1..trimmed.len() - 1].replace("\"\"", "\"");
            (line.text, line.offset) = (inside, line.offset + 1);
            changed = true;
        }
    }
    changed
}

/// Takes psql's table off: borders, the field's name, marks of lines that go on, lines broken for the terminal.
pub(super) fn psql(lines: &mut Vec<Line>) {
    keyed(lines);
    // Without blanks beside its borders, a table's are taken off line by line later.
    let tight = lines
        .iter()
        .any(|line| line.text.starts_with('|') && !line.text.starts_with("| ") && number_line::is_marked(&line.text));
    let mut in_result = false;
    let mut out: Vec<Line> = Vec::with_capacity(lines.len());
    for mut line in lines.drain(..) {
        if let (true, Some(rest), Some(last)) = (in_result, broken(&line.text), out.last_mut())
            && last.text.ends_with(['.', '…'])
        {
            last.text.pop();
            last.text.push_str(rest);
            continue;
        }
        let expanded = ["QUERY PLAN | ", "QUERY PLAN: "].iter().any(|field| line.text.starts_with(field));
        if is_record(&line.text) && line.text.starts_with('*') {
            continue;
        }
        if !tight {
            border(&mut line);
        }
        in_result |= line.text.trim() == "QUERY PLAN" || expanded;
        if in_result {
            let content = line.text.trim_end();
            line.text = content.strip_suffix(['+', '↵']).map_or(content, str::trim_end).to_owned();
        }
        if is_rule(line.text.trim()) && line.text.contains(['+', '|', '─', '═'])
            || in_result && (is_rule(line.text.trim()) || is_record(&line.text))
        {
            continue;
        }
        out.push(line);
    }
    *lines = out;
}

/// Rows that each name their field, with whatever a client puts between them: `QUERY PLAN|…` of psql's expanded unaligned format,
/// `[QUERY PLAN] => …` of PHP.
fn keyed(lines: &mut Vec<Line>) {
    for field in ["QUERY PLAN|", "[QUERY PLAN] => "] {
        let value = |line: &Line| {
            if !line.text.contains(field) {
                return None;
            }
            let content = line.text.trim_start();
            content.starts_with(field).then(|| line.text.len() - content.len() + field.len())
        };
        let Some(first) = lines.iter().position(|line| value(line).is_some()) else { continue };
        let last = lines.iter().rposition(|line| value(line).is_some()).unwrap_or(first);
        if !lines[first..=last].iter().any(|line| number_line::is_marked(&line.text)) {
            continue;
        }
        let mut at = 0;
        lines.retain_mut(|line| {
            let inside = (first..=last).contains(&at);
            at += 1;
            match value(line) {
                Some(start) => line.skip(start),
                None if inside => return !is_between_rows(&line.text),
                None => {}
            }
            true
        });
    }
}

/// What stands between the rows of a client, in brackets or by itself.
fn is_between_rows(text: &str) -> bool {
    let content = text.trim();
    content.is_empty() || matches!(content, "(" | ")") || content.starts_with('[') && content.ends_with("=> Array")
}

/// psql's `-[ RECORD 1 ]---`, `***[ 1 ]***` and `*** 1. row ***` of other clients.
fn is_record(text: &str) -> bool {
    text.starts_with("-[ RECORD") || text.starts_with("***") && text.ends_with("***")
}

fn border(line: &mut Line) {
    for (border, end) in [("| ", '|'), ("│ ", '│'), ("║ ", '║')] {
        let inside = line.text.strip_prefix(border).and_then(|rest| rest.trim_end().strip_suffix(end));
        if let Some(inside) = inside {
            (line.text, line.offset) = (inside.trim_end().to_owned(), line.offset + 2);
            return;
        }
    }
    for field in ["QUERY PLAN | ", "QUERY PLAN: ", "           | "] {
        if line.text.starts_with(field) {
            return line.skip(field.len());
        }
    }
}

/// What psql continues on another line, where the last one was too long for the terminal: `|.rest   |`, `.rest`, `│…rest   │`.
fn broken(raw: &str) -> Option<&str> {
    let rest = raw.strip_prefix('|').or(raw.strip_prefix('│')).unwrap_or(raw);
    let rest = rest.strip_prefix(['.', '…'])?;
    Some(rest.trim_end().trim_end_matches(['|', '│']).trim_end())
}

/// `----`, `+----+`, `════`.
pub(in crate::plan::read) fn is_rule(content: &str) -> bool {
    content.chars().count() >= 3
        && content.chars().all(|c| "-+|─═┌┐└┘├┤┬┴┼╞╪╡".contains(c))
        && content.chars().any(|c| matches!(c, '-' | '─' | '═'))
}

/// syslog writes a tab as `#011`.
pub(super) fn escaped_tabs(line: &mut Line) {
    if line.text.starts_with("#011") {
        line.text = line.text.replace("#011", "\t");
    }
}

/// A log puts a tab before each line that goes on; other tabs stand for blanks up to the next column of eight.
pub(super) fn tabs(chunk: &mut [Line]) {
    if !chunk.iter().any(|line| line.text.contains('\t')) {
        return;
    }
    let plan = plan_lines(chunk);
    let log = plan.iter().all(|at| chunk[*at].text.starts_with('\t'));
    for line in chunk.iter_mut() {
        if log && line.text.starts_with('\t') {
            line.skip(1);
        }
        if line.text.contains('\t') {
            line.text = expanded(&line.text);
        }
    }
}

fn expanded(text: &str) -> String {
    const STOP: usize = 8;
    let mut out = String::with_capacity(text.len() + STOP);
    let mut column = 0;
    for c in text.chars() {
        if c == '\t' {
            let blanks = STOP - column % STOP;
            out.extend(std::iter::repeat_n(' ', blanks));
            column += blanks;
        } else {
            out.push(c);
            column += 1;
        }
    }
    out
}
