//! The way back of migrations of no tool that is known: a file beside the way there, or a part of the file below a mark.

use std::collections::HashSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::Direction;
use super::folder::File;
use super::line::{Line, lines};
use super::scan::is_quoted;

const UP: [&str; 7] = ["up", "do", "deploy", "apply", "upgrade", "forward", "migrate"];
const DOWN: [&str; 7] = ["down", "undo", "rollback", "revert", "downgrade", "backward", "undeploy"];

/// The files that go back: called as another one is but for the direction, `x.down.sql` beside `x.up.sql` or `x.sql`, or in a folder
/// `down` beside a folder `up`. Where a folder has such pairs, a file that is called so by itself is one too.
pub(super) fn down_files(files: &[File]) -> HashSet<PathBuf> {
    let key = |path: &Path| path.to_string_lossy().to_lowercase();
    let known: HashSet<String> = files.iter().filter(|file| file.is_sql()).map(|file| key(&file.relative)).collect();
    let called = |file: &&File| file.is_sql() && !spellings(&key(&file.relative)).is_empty();
    let candidates: Vec<&File> = files.iter().filter(called).collect();
    let has_pair = |file: &File| spellings(&key(&file.relative)).iter().any(|there| known.contains(there));
    let paired: HashSet<PathBuf> =
        candidates.iter().filter(|file| has_pair(file)).map(|file| folder_of(&file.path)).collect();
    let folders_up: HashSet<String> = known.iter().filter_map(|name| up_folder(name)).collect();
    let is_down = |file: &&&File| {
        let name = key(&file.relative);
        has_pair(file)
            || (is_suffixed(file.name()) && paired.contains(&folder_of(&file.path)))
            || down_folder(&name).is_some_and(|around| folders_up.contains(&around))
    };
    candidates.iter().filter(is_down).map(|file| file.path.clone()).collect()
}

fn folder_of(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).to_owned()
}

/// `x.down.sql`: the direction is a part of its own at the end.
fn is_suffixed(name: &str) -> bool {
    let stem = name.strip_suffix(".sql").unwrap_or(name);
    stem.rsplit(['.', '_', '-']).next().is_some_and(|last| DOWN.contains(&last.to_lowercase().as_str()))
}

/// What is around the folder `up` of a path.
fn up_folder(path: &str) -> Option<String> {
    around(path, &UP)
}

fn down_folder(path: &str) -> Option<String> {
    around(path, &DOWN)
}

fn around(path: &str, names: &[&str]) -> Option<String> {
    let parts: Vec<&str> = path.split('/').collect();
    let at = parts[..parts.len() - 1].iter().position(|part| names.contains(part))?;
    Some(parts[..at].join("/"))
}

/// The paths that the way there may have, where a word of this one is that of a way back: with a word for up in its place, or without
/// it. Only one word is changed, and only the last such.
fn spellings(path: &str) -> Vec<String> {
    let is_part = |character: char| character.is_alphanumeric();
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = path[from..].find(is_part).map(|at| from + at) {
        let end = path[start..].find(|character| !is_part(character)).map_or(path.len(), |at| start + at);
        if DOWN.contains(&&path[start..end]) {
            let (before, after) = (&path[..start], &path[end..]);
            found.extend(UP.iter().map(|up| format!("{before}{up}{after}")));
            // Without the word and what sets it off on one side.
            if let Some((last, _)) = before.char_indices().next_back() {
                found.push(format!("{}{after}", &before[..last]));
            }
            if let Some(first) = after.chars().next().filter(|first| *first != '.' || before.is_empty()) {
                found.push(format!("{before}{}", &after[first.len_utf8()..]));
            }
        }
        from = end;
    }
    found
}

/// A file in parts, by the marks in it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Halves {
    pub up: Vec<Range<usize>>,
    pub down: Vec<Range<usize>>,
}

/// The halves of a text that marks divide; none where there is no mark of a way back.
pub(super) fn halves(text: &str) -> Option<Halves> {
    let marks: Vec<(Line<'_>, Mark)> = lines(text).filter_map(|line| Some((line, mark(line.text)?))).collect();
    let has_up = marks.iter().any(|(_, mark)| mark.direction == Direction::Up);
    let counts = |(line, mark): &(Line<'_>, Mark)| (mark.is_sure || has_up) && !is_quoted(text, line.start);
    let marks: Vec<(Line<'_>, Mark)> = marks.into_iter().filter(counts).collect();
    if !marks.iter().any(|(_, mark)| mark.direction == Direction::Down) {
        return None;
    }
    let mut found = Halves::default();
    let first = marks.first().map_or(0, |(line, _)| line.start);
    if text[..first].lines().any(|line| !line.trim().is_empty() && !line.trim_start().starts_with(['-', '#'])) {
        found.up.push(0..first);
    }
    for (index, (line, mark)) in marks.iter().enumerate() {
        let end = marks.get(index + 1).map_or(text.len(), |(next, _)| next.start);
        match mark.direction {
            Direction::Up => found.up.push(line.next..end),
            Direction::Down => found.down.push(line.next..end),
        }
    }
    Some(found)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    direction: Direction,
    /// By its form; a mere comment counts only beside a mark of the way there.
    is_sure: bool,
}

/// Words that may stand beside the direction.
const BESIDE: [&str; 22] = [
    "migrate",
    "migration",
    "migrations",
    "goose",
    "rambler",
    "micrate",
    "shmig",
    "begin",
    "start",
    "section",
    "script",
    "sql",
    "part",
    "schema",
    "changes",
    "notransaction",
    "transaction",
    "no",
    "false",
    "true",
    "create",
    "apply",
];

/// A comment that divides a file: `-- +migrate Down`, `-- migrate:down`, `-- //@UNDO`, `# --- !Downs`, `---- create above / drop below ----`.
fn mark(line: &str) -> Option<Mark> {
    let text = line.trim();
    let rest = text.strip_prefix("--").or_else(|| text.strip_prefix('#'))?;
    let words: Vec<String> = super::dialect::words(rest).collect();
    if words == ["create", "above", "drop", "below"] {
        return Some(Mark { direction: Direction::Down, is_sure: true });
    }
    if words.is_empty() || words.len() > 4 {
        return None;
    }
    let direction = |word: &str| match word {
        "up" | "ups" | "do" => Some(Direction::Up),
        "down" | "downs" | "undo" | "rollback" | "revert" => Some(Direction::Down),
        _ => None,
    };
    let mut directions = words.iter().filter_map(|word| direction(word));
    let (first, second) = (directions.next()?, directions.next());
    let are_known = words.iter().all(|word| direction(word).is_some() || BESIDE.contains(&word.as_str()));
    let has_form =
        rest.contains(['+', '@', '!', '=', '{', '[']) || rest.contains("--") || is_joined(rest) || words.len() > 1;
    (second.is_none() && are_known).then_some(Mark { direction: first, is_sure: has_form })
}

/// `migrate:down`.
fn is_joined(text: &str) -> bool {
    text.split_once(':').is_some_and(|(before, after)| {
        before.ends_with(char::is_alphanumeric) && after.starts_with(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn down(names: &[&str]) -> Vec<String> {
        let files: Vec<File> = names.iter().map(|name| File::new(PathBuf::from(name), PathBuf::from(name))).collect();
        let found = down_files(&files);
        names.iter().filter(|name| found.contains(Path::new(name))).map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn pairs_are_found_by_their_names() {
        assert_eq!(down(&["V1.a.up.sql", "V1.a.down.sql"]), ["V1.a.down.sql"]);
        assert_eq!(down(&["001.do.a.sql", "001.undo.a.sql"]), ["001.undo.a.sql"]);
        assert_eq!(down(&["1-a.sql", "1-a.rollback.sql"]), ["1-a.rollback.sql"]);
        assert_eq!(down(&["001_a/up.sql", "001_a/down.sql"]), ["001_a/down.sql"]);
        assert_eq!(down(&["up/1.sql", "down/1.sql", "down/2.sql"]), ["down/1.sql", "down/2.sql"]);
        assert_eq!(down(&["20-a-up.sql", "20-a-down.sql"]), ["20-a-down.sql"]);
        assert_eq!(down(&["rollback_1.sql", "1.sql"]), ["rollback_1.sql"]);
        assert_eq!(down(&["1.up.sql", "1.down.sql", "0.down.sql"]), ["1.down.sql", "0.down.sql"]);
        assert_eq!(down(&["1_a.sql", "1_a_down.sql", "V1_UP.sql", "V1_DOWN.sql"]), ["1_a_down.sql", "V1_DOWN.sql"]);
    }

    #[test]
    fn a_name_that_has_such_a_word_is_no_way_back_by_itself() {
        assert!(down(&["1_add_rollback_reason.sql", "2_take_down_requests.sql"]).is_empty());
        assert!(down(&["3_undo.sql", "4_b.sql"]).is_empty());
        assert!(down(&["rollback/1.sql"]).is_empty());
    }

    #[test]
    fn marks_divide_a_file() {
        let parts = |text: &str| {
            halves(text).map(|found| {
                let texts = |ranges: Vec<Range<usize>>| {
                    ranges.into_iter().map(|range| text[range].trim().to_owned()).collect::<Vec<_>>()
                };
                (texts(found.up), texts(found.down))
            })
        };
        let found = Some((vec!["a;".to_owned()], vec!["b;".to_owned()]));
        for text in [
            "-- +migrate Up notransaction\na;\n-- +migrate Down\nb;\n",
            "a;\n\n---- create above / drop below ----\n\nb;\n",
            "-- // first\n-- Migration SQL that makes the change goes here.\na;\n-- //@UNDO\nb;",
            "# --- !Ups\na;\n# --- !Downs\nb;",
            "-- ==== UP ====\na;\n-- ==== DOWN ====\nb;",
            "-- rambler up\na;\n-- rambler down\nb;",
            "-- up\na;\n-- down\nb;",
            "-- migrate:up\na;\n-- migrate:down transaction:false\nb;",
        ] {
            let is_first = text.starts_with("-- //");
            let now = parts(text).map(|(up, down)| {
                (if is_first { vec![up[0].lines().last().unwrap_or_default().to_owned()] } else { up }, down)
            });
            assert_eq!(now, found, "{text}");
        }
    }

    #[test]
    fn a_comment_is_no_mark() {
        assert_eq!(halves("a;\n-- rollback\n-- drop table a;\n"), None);
        assert_eq!(halves("-- take down the old table\na;\n"), None);
        assert_eq!(halves("select $$\n-- +x Down\n$$;"), None);
        assert_eq!(halves("-- rollback plan: call us\na;"), None);
    }
}
