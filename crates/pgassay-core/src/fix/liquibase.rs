//! Formatted SQL of Liquibase: changesets that follow one another in a file.

use super::files::changed;
use super::plan_file::Due;
use super::text::Down;
use super::{Piece, Written};

/// The changeset of a file that holds `at`: where it starts and ends.
fn block(text: &str, at: usize) -> Option<(usize, usize)> {
    let starts: Vec<usize> = line_starts(text).filter(|start| header(line_at(text, *start)).is_some()).collect();
    let start = *starts.iter().rfind(|start| **start <= at)?;
    Some((start, starts.iter().find(|other| **other > start).copied().unwrap_or(text.len())))
}

/// The first line of the changeset that holds `at`, and the lines of its way back.
pub(super) fn found(text: &str, at: usize) -> Option<(String, String)> {
    let (start, end) = block(text, at)?;
    Some((line_at(text, start).to_owned(), rollback(text.get(start..end)?)))
}

/// A file with one changeset, the one that holds `at`, replaced by its pieces; `ends` where nothing waits after them. `None` where no
/// changeset is there.
pub(super) fn replace(text: &str, at: usize, pieces: &[Piece], ends: bool) -> Option<String> {
    let (start, end) = block(text, at)?;
    let head = line_at(text, start);
    let back = rollback(text.get(start..end)?);
    let id = |number: usize| if number == 0 { String::new() } else { format!("-{}", number + 1) };
    let new = changesets(head, pieces, id, &back, ends)?;
    let rest = text.get(end..)?;
    let new = if rest.is_empty() { format!("{}\n", new.trim_end()) } else { new };
    Some(format!("{}{new}{rest}", text.get(..start)?))
}

/// A deploy that waited, as changesets at the end of the file that it comes from.
pub(super) fn append(due: &Due) -> Result<Written, String> {
    let Due { waiting, pieces, is_last, folder, .. } = *due;
    let path = &waiting.migration;
    let text = folder.get(path).ok_or_else(|| format!("{}: its file was not found", path.display()))?;
    let next = waiting.next;
    let id = |number: usize| match number {
        0 => format!("-deploy{next}"),
        _ => format!("-deploy{next}-{}", number + 1),
    };
    let new = changesets(&waiting.header, pieces, id, &waiting.down, is_last)
        .ok_or_else(|| format!("{}: its changeset has no name", path.display()))?;
    let new = format!("{}\n\n{}\n", text.trim_end(), new.trim_end());
    let changes = [(path.clone(), Some(new))].into();
    Ok(Written { changes: changed(changes, folder), paths: vec![path.clone()] })
}

/// Each piece with the first line of its own; the last takes all of it back where nothing comes after it.
fn changesets(head: &str, pieces: &[Piece], id: impl Fn(usize) -> String, back: &str, ends: bool) -> Option<String> {
    let mut new = String::new();
    for (number, piece) in pieces.iter().enumerate() {
        let down = Down::of(piece);
        new.push_str(&named(head, &id(number), piece.alone)?);
        // Liquibase cuts at every semicolon; the driver knows which of them are in quotes.
        if !piece.alone && piece.statements.iter().any(|it| it.contains(';')) {
            new.push_str(" splitStatements:false");
        }
        new.push('\n');
        piece.statements.iter().for_each(|it| new.push_str(&format!("{it};\n")));
        let is_last = ends && number + 1 == pieces.len();
        if is_last && !back.is_empty() {
            new.push_str(back);
        } else if !down.is_empty() {
            down.text.lines().for_each(|line| new.push_str(&format!("--rollback {line}\n")));
        } else if !back.is_empty() {
            // Nothing to take back; without the line Liquibase refuses to go back over it.
            new.push_str("--rollback SELECT 1;\n");
        }
        new.push('\n');
    }
    Some(new)
}

fn line_starts(text: &str) -> impl Iterator<Item = usize> + '_ {
    std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).filter(|at| *at < text.len())
}

fn line_at(text: &str, start: usize) -> &str {
    text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default()
}

/// What follows `--changeset`.
fn header(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("--")?.trim_start();
    let word = rest.get(..9)?;
    word.eq_ignore_ascii_case("changeset").then(|| rest.get(9..).unwrap_or_default().trim_start_matches(':'))
}

/// The header of a piece: the id with a few letters more.
fn named(head: &str, more: &str, alone: bool) -> Option<String> {
    let rest = header(head)?.trim_start();
    let (id, attributes) = rest.split_once(' ').unwrap_or((rest, ""));
    let kept = attributes.split_whitespace().filter(|it| {
        !["runintransaction:", "splitstatements:", "enddelimiter:"]
            .iter()
            .any(|name| it.to_lowercase().starts_with(name))
    });
    let mut header = format!("--changeset {id}{more}");
    kept.for_each(|it| header.push_str(&format!(" {it}")));
    if alone {
        header.push_str(" runInTransaction:false splitStatements:false");
    }
    Some(header)
}

/// The lines of the way back.
fn rollback(block: &str) -> String {
    let mut back = String::new();
    let mut inside = false;
    for line in block.lines() {
        let bare = line.trim_start().to_lowercase();
        let opens = bare.starts_with("/*") && bare.contains("liquibase rollback");
        if inside
            || opens
            || bare.trim_start_matches("--").trim_start().starts_with("rollback") && bare.starts_with("--")
        {
            back.push_str(line);
            back.push('\n');
        }
        inside = (inside || opens) && !bare.contains("*/");
    }
    back
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changeset_becomes_several() {
        let text = "--liquibase formatted sql\n\n--changeset ann:one\nCREATE TABLE a ();\n\n--changeset ann:two dbms:postgresql\nCREATE INDEX i ON a (x);\n--rollback DROP INDEX i;\n\n--changeset ben:three\nSELECT 1;\n";
        let piece = |sql: &str, alone: bool| Piece {
            statements: vec![sql.to_owned()],
            alone,
            together: !alone,
            down: Vec::new(),
        };
        let at = text.find("CREATE INDEX").expect("the statement");
        let new =
            replace(text, at, &[piece("SELECT 0", false), piece("CREATE INDEX CONCURRENTLY i ON a (x)", true)], true);
        assert_eq!(
            new.as_deref(),
            Some(
                "--liquibase formatted sql\n\n--changeset ann:one\nCREATE TABLE a ();\n\n--changeset ann:two dbms:postgresql\nSELECT 0;\n--rollback SELECT 1;\n\n--changeset ann:two-2 dbms:postgresql runInTransaction:false splitStatements:false\nCREATE INDEX CONCURRENTLY i ON a (x);\n--rollback DROP INDEX i;\n\n--changeset ben:three\nSELECT 1;\n"
            )
        );
    }
}
