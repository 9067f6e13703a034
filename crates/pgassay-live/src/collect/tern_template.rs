//! What tern makes of the actions of Go's templates in a migration.
//!
//! In: a migration, the folder around it, values. Out: the text in the place of each action that is read here: a value of `tern.conf`,
//! another file, a comment. Any other action stays as it is, with a note: what it prints is not known.

use std::ops::Range;

use super::folder::Folder;
use super::variables::Variables;
use crate::source::{SourceFile, Substitution};

/// How deep files include others.
const DEEPEST: usize = 16;

/// What actions print, and notes about those that are not read.
#[derive(Debug, Default)]
pub(super) struct Evaluated {
    pub substitutions: Vec<Substitution>,
    pub notes: Vec<(Range<usize>, String)>,
}

/// An action of a template.
enum Action<'t> {
    Comment,
    /// `{{ .name }}`: a value of the section `[data]` of `tern.conf`.
    Value(&'t str),
    /// `{{ template "shared/a.sql" . }}`: a file below the folder.
    File(&'t str),
    Other,
}

pub(super) fn evaluate(text: &str, folder: &Folder, values: &Variables) -> Evaluated {
    evaluate_within(text, folder, values, DEEPEST)
}

fn evaluate_within(text: &str, folder: &Folder, values: &Variables, depth: usize) -> Evaluated {
    let mut all = Evaluated::default();
    for (range, inside) in actions(text) {
        let printed = match action(inside) {
            Action::Comment => Ok(String::new()),
            Action::Value(name) => {
                values.get(name).map(str::to_owned).ok_or_else(|| format!("tern.conf gives .{name} no value"))
            }
            Action::File(path) => match folder.file(path).filter(|file| depth > 0 && file.text.is_some()) {
                Some(file) => {
                    let inner = evaluate_within(file.text(), folder, values, depth - 1);
                    all.notes.extend(inner.notes.into_iter().map(|(_, message)| (range.clone(), message)));
                    Ok(SourceFile::substituted("shared", file.text(), &inner.substitutions).text.to_string())
                }
                None => Err(format!("tern stops: there is no {path} to include")),
            },
            Action::Other => Err(format!("what {{{{{inside}}}}} prints is not read")),
        };
        match printed {
            Ok(value) => {
                all.substitutions.push(Substitution { start: range.start as u32, end: range.end as u32, value })
            }
            Err(message) => all.notes.push((range, message)),
        }
    }
    all
}

/// The actions of a template, each with the blanks that `{{-` and `-}}` take away, and what is between the braces.
fn actions(text: &str) -> Vec<(Range<usize>, &str)> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(open) = text[from..].find("{{").map(|at| from + at) {
        let Some(close) = text[open..].find("}}").map(|at| open + at) else { break };
        let inside = &text[open + 2..close];
        let (mut start, mut end) = (open, close + 2);
        if inside.starts_with("- ") {
            start = text[..open].trim_end().len().max(from);
        }
        if inside.ends_with(" -") {
            end = text.len() - text[end..].trim_start().len();
        }
        found.push((start..end, inside));
        from = end;
    }
    found
}

fn action(inside: &str) -> Action<'_> {
    let words = inside.strip_prefix('-').unwrap_or(inside);
    let words = words.strip_suffix('-').unwrap_or(words).trim();
    if words.starts_with("/*") && words.ends_with("*/") {
        return Action::Comment;
    }
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|it| it.is_alphanumeric() || it == '_');
    if let Some(name) = words.strip_prefix('.').filter(|name| is_name(name)) {
        return Action::Value(name);
    }
    let path = words.strip_prefix("template").and_then(|rest| rest.trim_start().strip_prefix('"')?.split_once('"'));
    match path {
        Some((path, data)) if matches!(data.trim(), "" | ".") => Action::File(path),
        _ => Action::Other,
    }
}

/// The values of the section `[data]` of `tern.conf`. What is taken from the environment has none here.
pub(super) fn data(conf: &str) -> Variables {
    let mut section = "";
    let mut values = Variables::default();
    for line in conf.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.trim();
        } else if let Some((key, value)) = line.split_once('=')
            && section == "data"
            && !value.contains("{{")
        {
            values.set(key.trim(), value.trim());
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::folder::File;
    use std::path::{Path, PathBuf};

    fn evaluated(text: &str) -> (String, Vec<String>) {
        let shared = |name: &str, text: &str| {
            let mut file = File::new(PathBuf::from(name), PathBuf::from(name));
            file.text = Some(text.into());
            file
        };
        let files = vec![shared("shared/v.sql", "create view v as select 1 as {{.prefix}}_n;")];
        let folder = Folder::of_files(Path::new(""), files);
        let values = data("[database]\nhost = x\n[data]\nprefix = shop\nhome = {{env \"HOME\"}}\n");
        let found = evaluate(text, &folder, &values);
        let notes = found.notes.into_iter().map(|(_, message)| message).collect();
        (SourceFile::substituted("1.sql", text, &found.substitutions).text.to_string(), notes)
    }

    #[test]
    fn values_files_and_comments_are_printed() {
        let text = "{{/* why */}}create table {{.prefix}}_a (id int);\n  {{- template \"shared/v.sql\" . }}\n";
        let (sql, notes) = evaluated(text);
        assert_eq!(sql, "create table shop_a (id int);create view v as select 1 as shop_n;\n");
        assert!(notes.is_empty(), "{notes:?}");
    }

    #[test]
    fn what_is_not_known_stays_and_is_named() {
        let text = "create table {{.home}} (id int); {{if .x}}drop table a;{{end}} {{template \"none.sql\"}}";
        let (sql, notes) = evaluated(text);
        assert_eq!(sql, text);
        let expected = [
            "tern.conf gives .home no value",
            "what {{if .x}} prints is not read",
            "what {{end}} prints is not read",
            "tern stops: there is no none.sql to include",
        ];
        assert_eq!(notes, expected);
    }
}
