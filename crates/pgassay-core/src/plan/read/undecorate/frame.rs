//! What stands around a line: quotes, borders of tables, marks of psql, tabs.

use super::{Line, plan_lines};

/// Takes quotes and borders off; whether there were some.
pub(super) fn strip(chunk: &mut [Line]) -> bool {
    let plan = plan_lines(chunk);
    if plan.is_empty() {
        return false;
    }
    let mut changed = quotes(chunk);
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
    changed
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
    let mut in_result = false;
    let mut out: Vec<Line> = Vec::with_capacity(lines.len());
    for mut line in lines.drain(..) {
        if let (true, Some(rest), Some(last)) = (in_result, broken(&line.text), out.last_mut())
            && last.text.ends_with('.')
        {
            last.text.pop();
            last.text.push_str(rest);
            continue;
        }
        let expanded = line.text.starts_with("QUERY PLAN | ");
        border(&mut line);
        in_result |= line.text.trim() == "QUERY PLAN" || expanded;
        if in_result {
            let content = line.text.trim_end();
            line.text = content.strip_suffix(['+', '↵']).map_or(content, str::trim_end).to_owned();
        }
        if is_rule(line.text.trim()) && line.text.contains(['+', '|', '─', '═'])
            || in_result && (is_rule(line.text.trim()) || line.text.starts_with("-[ RECORD"))
        {
            continue;
        }
        out.push(line);
    }
    *lines = out;
}

fn border(line: &mut Line) {
    for (border, end) in [("| ", '|'), ("│ ", '│'), ("║ ", '║')] {
        let inside = line.text.strip_prefix(border).and_then(|rest| rest.trim_end().strip_suffix(end));
        if let Some(inside) = inside {
            (line.text, line.offset) = (inside.trim_end().to_owned(), line.offset + 2);
            return;
        }
    }
    for field in ["QUERY PLAN | ", "           | "] {
        if line.text.starts_with(field) {
            return line.skip(field.len());
        }
    }
}

/// What psql continues on another line, where the last one was too long for the terminal: `|.rest   |`, `.rest`.
fn broken(raw: &str) -> Option<&str> {
    let rest = raw.strip_prefix('|').or(raw.strip_prefix('│')).unwrap_or(raw);
    let rest = rest.strip_prefix('.')?;
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
