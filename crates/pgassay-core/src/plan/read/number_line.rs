//! Which lines have the costs or times of a node: such a line is a node or an error, never anything else.

/// What begins the numbers of a node.
const STARTS: &[&str] = &["(cost=", "(actual time=", "(actual rows=", "(never executed)"];

/// Whether a line has the numbers of a node outside of quotes; those of a parallel worker are none.
pub(super) fn is_one(line: &str) -> bool {
    // Cheap first: most lines of a log have none.
    if !line.contains('(') {
        return false;
    }
    start(line).is_some()
}

/// Where the numbers of a node begin, in bytes.
pub(super) fn start(line: &str) -> Option<usize> {
    groups(line)
        .find(|(at, start)| is_number(&line[at + start.len()..], start) && !is_quoted(line, *at))
        .map(|(at, _)| at)
}

/// Where numbers may begin, and with what. A line has few parentheses, and is asked often.
fn groups(line: &str) -> impl Iterator<Item = (usize, &'static str)> {
    let start_at = |at: usize| STARTS.iter().find(|start| line[at..].starts_with(**start));
    line.match_indices('(').filter_map(move |(at, _)| Some((at, *start_at(at)?)))
}

/// Whether the numbers of a node are anywhere in a line, also inside of quotes.
pub(super) fn is_marked(line: &str) -> bool {
    groups(line).any(|(at, start)| {
        let rest = &line[at + start.len()..];
        !rest.is_empty() && is_number(rest, start)
    })
}

/// What stands behind the numbers of a node.
pub(super) fn tail(line: &str) -> Option<&str> {
    let mut rest = &line[start(line)?..];
    while STARTS.iter().any(|start| rest.starts_with(start)) {
        rest = &rest[rest.find(')')? + 1..];
        let trimmed = rest.trim_start();
        if STARTS.iter().any(|start| trimmed.starts_with(start)) {
            rest = trimmed;
        }
    }
    Some(rest.trim_end())
}

fn is_number(rest: &str, start: &str) -> bool {
    start.ends_with(')') || rest.is_empty() || rest.starts_with(|c: char| c.is_ascii_digit() || c == '-')
}

/// Inside of a literal of a condition: behind `Key: ` an odd number of quotes.
fn is_quoted(line: &str, at: usize) -> bool {
    let before = &line[..at];
    before.contains(": ") && before.matches('\'').count() % 2 == 1
}

/// Whether the numbers begin and do not end: the line was broken or cut.
pub(super) fn is_open(line: &str) -> bool {
    let trimmed = line.trim_end();
    // Cut inside of the words that begin them.
    let begun = trimmed.rfind(" (").map(|at| &trimmed[at + 1..]).filter(|group| !group.contains(')'));
    begun.is_some_and(|group| {
        // Nothing but the parenthesis, behind costs.
        if group == "(" {
            return start(trimmed).is_some();
        }
        ["(cost=", "(actual time=", "(actual rows=", "(never executed)"]
            .iter()
            .any(|start| group.starts_with(start) || (group.len() > 1 && start.starts_with(group)))
    })
}

/// Whether a line begins with the numbers of a node, or in the middle of them: the rest of a line that was broken.
pub(super) fn is_rest(content: &str) -> bool {
    const PARTS: &[&str] = &[
        "(cost=",
        "(actual ",
        "(never executed)",
        "actual time=",
        "actual rows=",
        "never executed)",
        "cost=",
        "time=",
        "rows=",
        "loops=",
        "width=",
    ];
    PARTS.iter().any(|part| content.starts_with(part)) && (content.contains(')') || content.starts_with('('))
}

/// Whether all words of a line's numbers so far are such as EXPLAIN prints, those of the last, open group too.
pub(super) fn open_is_plausible(line: &str) -> bool {
    let Some(start) = line.rfind(" (").filter(|at| !line[*at..].contains(')')) else { return false };
    let numbers = self::start(line).unwrap_or(start).min(start + 1);
    let words = line[numbers..].split([' ', '(', ')']).filter(|word| !word.is_empty());
    words.into_iter().all(|word| match word.split_once('=') {
        Some(("cost" | "time", range)) => {
            let mut ends = range.splitn(2, "..");
            ends.all(|end| end.trim_end_matches('.').is_empty() || end.trim_end_matches('.').parse::<f64>().is_ok())
        }
        Some(("rows" | "width" | "loops", number)) => {
            number.is_empty() || number.trim_end_matches('.').parse::<f64>().is_ok()
        }
        Some(_) => false,
        None => word.chars().all(|c| c.is_ascii_lowercase()),
    })
}
