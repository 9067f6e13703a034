//! What stands before every line: stamps of logs, marks of comments and quotes, line numbers.

use super::{Line, plan_lines};
use crate::plan::read::{number_line, text_node};

/// How many bytes of a line are a prefix of one kind; `None` if it has none.
pub(super) type Prefix = fn(&str) -> Option<usize>;

/// Every kind that a line of JSON may have before it.
pub(super) const ALL: &[Prefix] = &[pod, cri, priority, syslog, stamp, compose, mark, comment, line_number];

/// The first three need a stamp; line numbers are tried last, and have to count up.
const PREFIXES: &[Prefix] = &[pod, cri, priority, syslog, stamp, compose, mark, comment];

/// Takes the first kind of prefix off that all plan lines have. A line without it stands outside; whether there was one.
pub(super) fn strip(chunk: &mut [Line]) -> bool {
    let plan = plan_lines(chunk);
    let bare = |line: &Line| text_node::read(line.text.trim_start(), false).is_some();
    // Most plans stand as they are.
    let Some(first) = plan.first() else { return other_in_log(chunk) };
    if bare(&chunk[*first]) {
        return false;
    }
    let has = |prefix: &Prefix| plan.iter().all(|at| prefix(&chunk[*at].text).is_some());
    // A lone number may be anything.
    let counted: Vec<usize> = if plan.len() > 1 { plan.clone() } else { (*first..chunk.len()).collect() };
    let several = counted.len() > 1 && counted.iter().all(|at| line_number(&chunk[*at].text).is_some());
    let numbered = || several && counts_up(chunk, &counted);
    let found = PREFIXES.iter().copied().find(has).or_else(|| numbered().then_some(line_number as Prefix));
    let Some(prefix) = found else {
        return strip_common(chunk, &plan) || lead_in(chunk, &plan);
    };
    for line in chunk.iter_mut() {
        match prefix(&line.text) {
            Some(bytes) => line.skip(bytes),
            None => line.begins_entry = true,
        }
    }
    true
}

/// A log around plans as YAML or XML has no plan line to learn from: its stamps have to be on all lines.
fn other_in_log(chunk: &mut [Line]) -> bool {
    if !chunk.iter().any(|line| line.text.contains("plan:")) {
        return false;
    }
    let kinds = [pod as Prefix, cri, priority, syslog, stamp, compose];
    let Some(prefix) = kinds.into_iter().find(|prefix| chunk.iter().all(|line| prefix(&line.text).is_some())) else {
        return false;
    };
    // The server's own stamp is on the first line of an entry only.
    if chunk.len() < 2 {
        return false;
    }
    for line in chunk.iter_mut() {
        if let Some(bytes) = prefix(&line.text) {
            line.skip(bytes);
        }
    }
    true
}

/// Prose that quotes numbers of a plan begins with a mark of a list or a word that is no node.
pub(super) fn is_prose(text: &str) -> bool {
    let content = text.trim_start_matches([' ', '*', '-', '#', '>', '/', '|']);
    let words = content.split([' ', '\t']).take_while(|word| !word.starts_with('(')).count();
    content.starts_with(|c: char| c.is_lowercase())
        && words > 2
        && !content.contains("  (")
        && place_of_node(text, true).is_none()
}

fn is_stamp(text: &str) -> Option<usize> {
    // 2024-05-01T10:00:00.123456789Z, 2024-05-01 10:00:00.123+00:00
    let bytes = text.as_bytes();
    let pattern = b"0000-00-00T00:00:00";
    let fits = bytes.len() >= pattern.len()
        && pattern.iter().zip(bytes).all(|(wanted, is)| match wanted {
            b'0' => is.is_ascii_digit(),
            b'T' => matches!(is, b'T' | b' '),
            other => other == is,
        });
    if !fits {
        return None;
    }
    let rest = &text[pattern.len()..];
    let end = rest
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',' | 'Z' | '+' | ':' | '-')))
        .unwrap_or(rest.len());
    Some(pattern.len() + end)
}

/// `docker logs --timestamps`, CloudWatch: a stamp before each line.
fn stamp(line: &str) -> Option<usize> {
    let end = is_stamp(line)?;
    let rest = &line[end..];
    rest.starts_with([' ', '\t']).then_some(end + usize::from(rest.starts_with(' ')))
}

/// Kubernetes: `2024-05-01T10:00:00.1Z stderr F `.
fn cri(line: &str) -> Option<usize> {
    let end = is_stamp(line)?;
    ["stdout F ", "stderr F ", "stdout P ", "stderr P "]
        .iter()
        .find(|stream| line[end..].trim_start().starts_with(**stream))
        .map(|stream| end + (line[end..].len() - line[end..].trim_start().len()) + stream.len())
        .or_else(|| (line[end..].trim() == "stderr F" || line[end..].trim() == "stdout F").then_some(line.len()))
}

/// `kubectl logs --prefix`: `[pod/db-0/postgres] `.
fn pod(line: &str) -> Option<usize> {
    let inside = line.strip_prefix("[pod/")?;
    let end = inside.find(']')?;
    let end = "[pod/".len() + end + 1;
    Some(end + usize::from(line[end..].starts_with(' ')))
}

/// `May  1 10:00:00 host postgres[7]: [5-2] #011`, with a stamp of any kind; Heroku's `app[postgres.7]: [DATABASE] [5-2] `.
fn syslog(line: &str) -> Option<usize> {
    let start = is_stamp(line).or_else(|| month_stamp(line))?;
    let (before, _) = line[start..].split_once("]: ").or_else(|| Some((line[start..].strip_suffix("]:")?, "")))?;
    let program = before.rsplit(' ').next()?;
    if !program.contains('[')
        || before.len() > 100
        || before.contains(['(', '\'', '"'])
        || before.trim_start().starts_with('[')
    {
        return None;
    }
    let mut end = (start + before.len() + "]: ".len()).min(line.len());
    while let Some(inside) = line[end..].strip_prefix('[') {
        let Some(close) = inside.find(']').filter(|at| *at <= 20) else { break };
        end += close + 2;
        end += usize::from(line[end..].starts_with(' '));
    }
    if line[end..].trim_start().starts_with("sql_error_code = ") {
        end += line[end..].find("sql_error_code = ")? + "sql_error_code = 00000 ".len();
    }
    Some(end.min(line.len()))
}

/// A message of syslog as it is sent, with its priority: `<134>1 2024-05-01T10:00:00Z host postgres 7 - - [5-1] ` (RFC 5424), and the older
/// kind that has `<134>` before the line of a file.
fn priority(line: &str) -> Option<usize> {
    let (number, behind) = line.strip_prefix('<')?.split_once('>')?;
    if number.is_empty() || number.len() > 3 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let start = line.len() - behind.len();
    let Some(versioned) = behind.strip_prefix("1 ") else { return syslog(behind).map(|length| start + length) };
    is_stamp(versioned)?;
    // The stamp, the host, the program, its process and the kind of message have no blanks.
    let mut rest = versioned;
    for _ in 0..5 {
        rest = rest.split_once(' ')?.1;
    }
    // Structured data: none, or elements in brackets.
    rest = match rest.strip_prefix('-') {
        Some(rest) => rest,
        None => &rest[rest.find("] ")? + 1..],
    };
    rest = rest.strip_prefix(' ').unwrap_or(rest).trim_start_matches('\u{feff}');
    let counted = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let is_count = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    if let Some((_, behind)) = counted.filter(|(count, _)| is_count(count)) {
        rest = behind.strip_prefix(' ').unwrap_or(behind);
    }
    Some(line.len() - rest.len())
}

fn month_stamp(line: &str) -> Option<usize> {
    const MONTHS: &[&str] = &["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let bytes = line.as_bytes();
    let fits =
        MONTHS.iter().any(|month| line.starts_with(month)) && bytes.len() > 16 && bytes[9] == b':' && bytes[12] == b':';
    (fits && line.is_char_boundary(15)).then_some(15)
}

/// `docker compose logs`: `db-1  | `.
fn compose(line: &str) -> Option<usize> {
    let name =
        line.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))).filter(|end| *end > 0)?;
    let blanks = line[name..].len() - line[name..].trim_start_matches(' ').len();
    let bar = line[name + blanks..].strip_prefix('|')?;
    Some(name + blanks + 1 + usize::from(bar.starts_with(' ')))
}

/// `> ` of a quoted mail, `|` of a table without a border at its end.
fn mark(line: &str) -> Option<usize> {
    let end = line.find(|c: char| !matches!(c, '>' | '|' | '│' | ' ')).unwrap_or(line.len());
    line[..end].rfind(['>', '|', '│']).map(|at| at + line[at..].chars().next().map_or(1, char::len_utf8))
}

/// Marks of comments and lists.
fn comment(line: &str) -> Option<usize> {
    let blanks = line.len() - line.trim_start().len();
    let content = &line[blanks..];
    if content.starts_with("-> ") {
        return None;
    }
    let marks = ["---", "--", "//", "#", "*", ";", "%", "'", "REM ", "+"];
    marks.iter().find(|mark| content.starts_with(**mark)).map(|mark| {
        // `--->` is a mark and an arrow.
        let length = if content.starts_with("--->") { 2 } else { mark.len() };
        blanks + length
    })
}

/// `12  `, `12: `, `12. `, `12 | `: of an editor, or of grep.
fn line_number(line: &str) -> Option<usize> {
    let blanks = line.len() - line.trim_start().len();
    let digits = line[blanks..].find(|c: char| !c.is_ascii_digit()).unwrap_or(line[blanks..].len());
    if digits == 0 {
        return None;
    }
    let end = blanks + digits;
    let rest = &line[end..];
    let bar = rest.trim_start_matches(' ');
    if let Some(bar) = bar.strip_prefix(['|', '│']) {
        return Some(line.len() - bar.len());
    }
    match rest.chars().next() {
        Some(':' | '.' | ')') => Some(end + 1),
        Some(' ' | '\t') | None => Some(end),
        _ => None,
    }
}

fn counts_up(chunk: &[Line], plan: &[usize]) -> bool {
    let numbers = plan.iter().map(|at| {
        let digits: String = chunk[*at].text.trim_start().chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u64>().map(|number| (*at as u64, number))
    });
    let Ok(numbers) = numbers.collect::<Result<Vec<_>, _>>() else { return false };
    numbers.windows(2).all(|pair| pair[1].1.checked_sub(pair[0].1) == Some(pair[1].0 - pair[0].0))
}

/// What all plan lines begin with, digits being alike.
fn common_length(chunk: &[Line], plan: &[usize]) -> usize {
    let alike = |a: char, b: char| a == b || a.is_ascii_digit() && b.is_ascii_digit();
    let first: Vec<char> = chunk[plan[0]].text.chars().collect();
    let mut length = first.len();
    for at in &plan[1..] {
        let same = first.iter().zip(chunk[*at].text.chars()).take_while(|(a, b)| alike(**a, *b)).count();
        length = length.min(same);
    }
    // The blanks at the end are the plan's own.
    first[..length].iter().rposition(|c| !c.is_whitespace()).map_or(0, |at| at + 1)
}

/// Takes off what all plan lines begin with, if a node begins behind it: of a plan without a prefix, the nodes' names are all that is
/// alike.
fn strip_common(chunk: &mut [Line], plan: &[usize]) -> bool {
    // A lone node has its conditions beside it.
    let all: Vec<usize> = (0..chunk.len()).collect();
    let length = match (plan.len(), all.len()) {
        (2.., _) => common_length(chunk, plan),
        (_, 3..) => common_length(chunk, &all),
        _ => 0,
    };
    let rest: String = chunk[plan[0]].text.chars().skip(length).collect();
    let node = rest.trim_start().trim_start_matches("->").trim_start();
    if length == 0 || text_node::read(node, false).is_none() {
        return false;
    }
    let shape = |text: &str| -> String {
        text.chars().take(length).map(|c| if c.is_ascii_digit() { '0' } else { c }).collect()
    };
    let wanted = shape(&chunk[plan[0]].text);
    for line in chunk.iter_mut() {
        if shape(&line.text) == wanted {
            let bytes = line.text.char_indices().nth(length).map_or(line.text.len(), |(at, _)| at);
            line.skip(bytes);
        } else if wanted.starts_with(shape(&line.text).trim_end()) && line.text.chars().count() < length {
            line.text.clear();
        } else {
            line.begins_entry = true;
        }
    }
    true
}

/// Takes off what stands before the first node only: `plan = """`, `[code]`, a log's own words.
fn lead_in(chunk: &mut [Line], plan: &[usize]) -> bool {
    let by_itself = |at: &usize| {
        let content = chunk[*at].text.trim_start();
        content.starts_with("->") || text_node::read(content, false).is_some()
    };
    let text = &chunk[plan[0]].text;
    if text.trim_start().starts_with("->") || !plan[1..].iter().all(by_itself) {
        return false;
    }
    let place = place_of_node(text, chunk.len() == 1);
    let Some(place) = place else { return false };
    // A comment ends at its mark, whatever follows on the line.
    if text[..place].trim_end().ends_with("/*")
        && let Some((line, end)) = chunk.iter().enumerate().skip(plan[0]).find_map(|(at, line)| {
            let from = if at == plan[0] { place } else { 0 };
            Some((at, from + line.text.get(from..)?.find("*/")?))
        })
    {
        chunk[line].text.truncate(end);
    }
    let first = &mut chunk[plan[0]];
    first.skip(place);
    first.begins_entry = true;
    if let Some(last) = chunk.last_mut()
        && let Some(closing) = CLOSING.iter().find(|closing| last.text.trim_end().ends_with(**closing))
    {
        let length = last.text.trim_end().len() - closing.len();
        last.text.truncate(length);
    }
    true
}

/// What such a quotation ends with, where it ends on the last line of the plan.
const CLOSING: &[&str] =
    &["[/code]", "[/pre]", "\"\"\"", "'''", "```", "`", "\"#;", "\"#", "]]>", "{code}", "{noformat}", "\"", "';", "*/"];

/// Where a node begins behind what opens a quotation; `glued`: with no blank between.
fn place_of_node(text: &str, glued: bool) -> Option<usize> {
    let opens = |before: &str| {
        let trimmed = before.trim_end();
        !trimmed.ends_with("->") && trimmed.ends_with(OPENING) && (!glued || trimmed.len() == before.len())
    };
    let is_node = |rest: &str| {
        rest.starts_with(|c: char| c.is_ascii_uppercase())
            && text_node::read(rest, false).is_some()
            && number_line::tail(rest).is_some_and(str::is_empty)
    };
    text.char_indices().map(|(at, _)| at).find(|at| opens(&text[..*at]) && is_node(&text[*at..]))
}

/// What a quotation of any kind opens with.
const OPENING: &[char] = &['"', '\'', '`', '>', ']', ')', '}', ':', '=', '|', '#', '(', '[', '-', '{', '*'];
