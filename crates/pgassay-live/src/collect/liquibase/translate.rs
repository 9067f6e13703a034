//! A changelog's own changesets as SQL that keeps its places.
//!
//! In: a changelog in XML, YAML or JSON. Out: the SQL that Liquibase sends for it, as substitutions in the file: SQL that stands in the
//! file is copied, a change is replaced by its statements, and the rest is left out. So every place in the SQL is one of the file, and a
//! finding points at the change that it is about.

use std::ops::Range;

use super::change::{Cutting, FileOf, Part as Sent, Sql, sql};
use super::changelog::{Changelog, Changeset, Item};
use super::choice::Choice;
use super::formatted::{Manner, delimiter};
use super::place::{file_text, resolve};
use super::tree::Text;
use super::values::Values;
use crate::collect::Direction;
use crate::collect::folder::{File, Folder};
use crate::collect::tools::{Part, Split, Translation, Unit};
use crate::collect::variables::{Style, Variables, substitutions};
use crate::source::Substitution;

/// A changelog and what it is read with.
pub(super) struct Source<'a> {
    pub folder: &'a Folder,
    pub file: &'a File,
    pub text: &'a str,
    pub changelog: &'a Changelog,
    pub variables: &'a Variables,
    pub choice: &'a Choice,
}

/// The changesets of a changelog with the number of the run of them that each is in: between two of one run Liquibase runs no other
/// file.
pub(super) fn runs(changelog: &Changelog) -> impl Iterator<Item = (usize, &Changeset)> {
    let mut run = 0;
    changelog.items.iter().filter_map(move |item| match item {
        Item::Changeset(changeset) if changeset.only_file().is_none() => Some((run, changeset)),
        _ => {
            run += 1;
            None
        }
    })
}

impl Source<'_> {
    /// The changesets of one run, or of all.
    pub fn translate(&self, run: Option<usize>) -> Translation {
        let mut writer = Writer { text: self.text, at: 0, length: 0, found: Vec::new(), variables: self.variables };
        let mut split = Split::default();
        let wanted = runs(self.changelog).filter(|(own, _)| run.is_none_or(|run| run == *own));
        for (_, changeset) in wanted {
            if let Some(why) = changeset.is_passed_over(self.choice) {
                let place = writer.put(changeset.element.range.clone(), "\n".to_owned());
                split.notes.push((place, format!("liquibase does not run {}: {why}", changeset.name)));
                continue;
            }
            self.changeset(changeset, &mut writer, &mut split);
        }
        writer.gap_to(self.text.len());
        Translation { substitutions: writer.found, split }
    }

    fn changeset(&self, changeset: &Changeset, writer: &mut Writer, split: &mut Split) {
        let values = Values { variables: self.variables, quoting: changeset.quoting };
        let (start, mut pieces) = (writer.length, Vec::new());
        writer.gap_to(changeset.element.range.start);
        for change in changeset.changes() {
            let from = writer.length;
            match sql(change, values) {
                Ok(Sql::Parts(parts)) => {
                    let as_one = self.parts(parts, writer, split);
                    pieces.push((from..writer.length, as_one));
                }
                Ok(_) => {}
                Err(missing) => {
                    let place = writer.put(change.range.clone(), "\n".to_owned());
                    split.notes.push((place, format!("liquibase stops: {} {}", change.name, missing.0)));
                }
            }
        }
        let in_transaction = changeset.runs_in_transaction();
        // Only what is sent in no transaction is looked at again.
        let text = if in_transaction { String::new() } else { writer.sql() };
        let conditional = changeset.may_be_passed_over();
        let unit = |direction: Direction, parts: Vec<Part>| Unit {
            name: Some(changeset.name.clone()),
            conditional,
            ..Unit::new(direction, parts)
        };
        if let Some(last) = pieces.last().map(|(range, _)| range.end) {
            split.units.push(unit(Direction::Up, parts_of(&pieces, start..last, in_transaction, &text)));
        }
        let start = writer.length;
        for rollback in changeset.element.children.iter().filter(|child| child.name == "rollback") {
            if let Some(text) = &rollback.text {
                writer.copy(text, &Cutting::default());
            }
            for change in &rollback.children {
                if let Ok(Sql::Parts(parts)) = sql(change, values) {
                    self.parts(parts, writer, split);
                }
            }
        }
        if writer.length > start {
            let parts = parts_of(&[], start..writer.length, in_transaction, "");
            split.units.push(unit(Direction::Down, parts));
        }
    }

    /// Whether all of it is sent as one string.
    fn parts(&self, parts: Vec<Sent>, writer: &mut Writer, split: &mut Split) -> bool {
        let mut as_one = !parts.is_empty();
        for part in parts {
            match part {
                Sent::Made(range, sql) => {
                    as_one = false;
                    writer.put(range, sql);
                }
                Sent::Written(text, cutting) => {
                    as_one &= cutting.as_one;
                    writer.copy(&text, &cutting);
                }
                Sent::File(file) => {
                    as_one &= file.cutting.as_one;
                    self.file(file, writer, split);
                }
            }
        }
        as_one
    }

    /// A file that a change names beside other changes: its text in the place of the change.
    fn file(&self, file: FileOf, writer: &mut Writer, split: &mut Split) {
        match resolve(self.folder, self.file, &file.path, file.is_relative).and_then(|found| file_text(&found)) {
            Some(text) => {
                let values = Values { variables: self.variables, quoting: Default::default() };
                let cut = Manner::of(&file.cutting).masked(&values.expand(&text));
                writer.put(file.range, format!("{cut}\n;\n"));
            }
            None => {
                let place = writer.put(file.range, "\n".to_owned());
                split.notes.push((place, format!("liquibase stops: the file {} is not there", file.path)));
            }
        }
    }
}

fn parts_of(pieces: &[(Range<usize>, bool)], all: Range<usize>, in_transaction: bool, text: &str) -> Vec<Part> {
    let manner = |as_one: bool| Manner { in_transaction, as_one, delimiter: None };
    if in_transaction || pieces.is_empty() {
        let as_one = matches!(pieces, [(_, true)]);
        return manner(as_one).parts(text, all);
    }
    let mut start = all.start;
    let mut parts = Vec::new();
    for (range, as_one) in pieces {
        parts.extend(manner(*as_one).parts(text, start..range.end));
        start = range.end;
    }
    parts
}

/// The text that substitutions make, while they are put together.
struct Writer<'a> {
    text: &'a str,
    /// Up to where the file is used.
    at: usize,
    /// Bytes written so far.
    length: usize,
    found: Vec<Substitution>,
    variables: &'a Variables,
}

impl Writer<'_> {
    /// The SQL so far.
    fn sql(&self) -> String {
        let text = self.text.get(..self.at).unwrap_or_default();
        crate::source::SourceFile::substituted("", text, &self.found).text.to_string()
    }

    fn push(&mut self, range: Range<usize>, value: String) {
        self.length += value.len();
        self.found.push(Substitution { start: range.start as u32, end: range.end as u32, value });
        self.at = range.end;
    }

    /// Leaves out what is between, but for comments to pgassay.
    fn gap_to(&mut self, end: usize) {
        while let Some(found) = self.text.get(self.at..end).and_then(|gap| gap.find("pgassay:")) {
            let start = self.at + found;
            let line_end = self.text[start..end].find('\n').map_or(end, |length| start + length);
            let directive = self.text[start..line_end].trim_end().trim_end_matches("-->").trim_end().to_owned();
            self.push(self.at..start, String::new());
            self.push(start..line_end, format!("-- {directive}\n"));
        }
        if end > self.at {
            self.push(self.at..end, String::new());
        }
    }

    /// SQL in the place of an element. Returns where it is.
    fn put(&mut self, range: Range<usize>, value: String) -> Range<usize> {
        self.gap_to(range.start);
        let start = self.length;
        let (from, to) = (range.start.max(self.at), range.end.max(self.at));
        self.push(from..to, value);
        start..self.length
    }

    /// SQL that stands in the file, up to where the change ends.
    fn copy(&mut self, text: &Text, cutting: &Cutting) {
        for (range, value) in aligned(self.text, text) {
            match value {
                None => self.copy_line(range, cutting),
                Some(value) => {
                    let values = Values { variables: self.variables, quoting: Default::default() };
                    self.put(range, values.expand(&value));
                }
            }
        }
        let end = self.at.max(text.range.end);
        self.put(end..end, "\n;\n".to_owned());
    }

    fn copy_line(&mut self, range: Range<usize>, cutting: &Cutting) {
        self.gap_to(range.start);
        let line = self.text.get(range.clone()).unwrap_or_default();
        let mut found = substitutions(self.text, range.clone(), Style::Braces, self.variables);
        if let Some(delimiter) = delimiter(cutting.delimiter.as_deref()) {
            found.extend(line.match_indices(delimiter).map(|(at, _)| {
                let start = range.start + at;
                let is_closed = line[..at].trim_end().ends_with(';');
                let value = if is_closed { String::new() } else { ";".to_owned() };
                Substitution { start: start as u32, end: (start + delimiter.len()) as u32, value }
            }));
            found.sort_by_key(|substitution| substitution.start);
        }
        for one in found.into_iter().filter(|one| one.end as usize <= range.end) {
            self.keep_to(one.start as usize);
            if one.start as usize >= self.at {
                self.push(one.start as usize..one.end as usize, one.value);
            }
        }
        self.keep_to(range.end);
    }

    /// What stands there up to an offset.
    fn keep_to(&mut self, end: usize) {
        self.length += end.saturating_sub(self.at);
        self.at = self.at.max(end);
    }
}

/// The lines of a text where they stand in the file; a line that is written otherwise, with references or escapes, with its value.
fn aligned(file: &str, text: &Text) -> Vec<(Range<usize>, Option<String>)> {
    let raw = file.get(text.range.clone()).unwrap_or_default();
    if let Some(at) = raw.find(&text.value) {
        let start = text.range.start + at;
        return vec![(start..start + text.value.len(), None)];
    }
    let mut found = Vec::new();
    let mut at = text.range.start;
    for line in text.value.split('\n') {
        let kept = line.trim_end();
        let rest = file.get(at..text.range.end).unwrap_or_default();
        let own_line = rest.find('\n').map_or(rest.len(), |end| end + 1);
        // The header of a block scalar comes first.
        let next = rest[own_line..].find('\n').map_or(rest.len(), |end| own_line + end + 1);
        match [own_line, next].into_iter().find_map(|end| Some((rest[..end].find(kept)?, end))) {
            Some((_, end)) if kept.is_empty() => {
                found.push((at..at, Some("\n".to_owned())));
                at += end;
            }
            Some((start, _)) => {
                let start = at + start;
                found.push((start..start + kept.len(), None));
                found.push((start + kept.len()..start + kept.len(), Some("\n".to_owned())));
                let after = start + kept.len();
                let line_end = file.get(after..text.range.end).and_then(|rest| rest.find('\n'));
                // A string of JSON goes on in the same line.
                let is_end = line_end.is_some_and(|end| file[after..after + end].trim().is_empty());
                at = if is_end { after + line_end.unwrap_or_default() + 1 } else { after };
            }
            None => {
                found.push((at..at + own_line, Some(format!("{line}\n"))));
                at += own_line;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::super::changelog;
    use super::*;
    use crate::source::SourceFile;

    /// The SQL of a changelog, and for some words of it the text of the file that they stand for.
    fn translated(name: &str, text: &str, words: &[&str]) -> (String, Vec<String>) {
        let mut file = File::new(PathBuf::from(name), PathBuf::from(name));
        file.text = Some(text.into());
        let changelog = changelog::read(name, text).unwrap();
        let variables = Variables::from_iter(changelog.properties.clone());
        let (folder, choice) = (Folder::empty(Path::new("/nonexistent")), Choice::default());
        let source = Source {
            folder: &folder,
            file: &file,
            text,
            changelog: &changelog,
            variables: &variables,
            choice: &choice,
        };
        let found = source.translate(None);
        let made = SourceFile::substituted(name, text, &found.substitutions);
        let place = |word: &&str| {
            let start = made.text.find(word).unwrap();
            let span = crate::source::Span::new(crate::source::FileId(0), start, start + word.len());
            text[made.original_range(span)].to_owned()
        };
        let up = found.split.units.iter().filter(|unit| unit.direction == Direction::Up);
        let parts = up.flat_map(|unit| &unit.parts).map(|part| made.text[part.range.clone()].to_owned());
        let lines: Vec<String> = parts.collect::<String>().lines().map(|line| line.trim().to_owned()).collect();
        let sql: Vec<String> = lines.into_iter().filter(|line| !line.is_empty() && line != ";").collect();
        (sql.join("\n"), words.iter().map(place).collect())
    }

    #[test]
    fn changes_become_sql_at_their_places() {
        let xml = "<databaseChangeLog>\n<property name=\"t\" value=\"people\"/>\n<changeSet id=\"1\" author=\"a\">\n<createTable tableName=\"${t}\">\n<column name=\"id\" type=\"bigint\" autoIncrement=\"true\"><constraints primaryKey=\"true\" nullable=\"false\"/></column>\n<column name=\"email\" type=\"varchar(255)\"/>\n</createTable>\n<!-- pgassay: allow(dropped-data) gone -->\n<dropColumn tableName=\"${t}\" columnName=\"old\"/>\n<sql>UPDATE ${t} SET email = 'a' WHERE id &lt; 3;\nSELECT 1</sql>\n<rollback>DROP TABLE x</rollback>\n</changeSet></databaseChangeLog>";
        let (sql, places) = translated("c.xml", xml, &["email VARCHAR", "DROP COLUMN", "SELECT 1", "people SET"]);
        assert_eq!(
            sql,
            "CREATE TABLE people (id BIGINT GENERATED BY DEFAULT AS IDENTITY NOT NULL, email VARCHAR(255), CONSTRAINT people_pkey PRIMARY KEY (id));\n-- pgassay: allow(dropped-data) gone\nALTER TABLE people DROP COLUMN old;\nUPDATE people SET email = 'a' WHERE id < 3;\nSELECT 1"
        );
        assert_eq!(places[0], "<column name=\"email\" type=\"varchar(255)\"/>");
        assert_eq!(places[1], "<dropColumn tableName=\"${t}\" columnName=\"old\"/>");
        assert_eq!(places[2], "SELECT 1");
    }

    #[test]
    fn blocks_of_yaml_and_strings_of_json_are_copied() {
        let yaml = "databaseChangeLog:\n- changeSet:\n    id: 1\n    author: a\n    changes:\n    - sql:\n        sql: |\n          ALTER TABLE a\n            ADD b int;\n\n          SELECT 2;\n    - addColumn:\n        tableName: a\n        columns:\n        - column: {name: c, type: int, constraints: {nullable: false}}\n";
        let (sql, places) = translated("c.yaml", yaml, &["ADD b", "SELECT 2", "ADD c INTEGER"]);
        assert_eq!(sql, "ALTER TABLE a\nADD b int;\nSELECT 2;\nALTER TABLE a ADD c INTEGER NOT NULL;");
        assert_eq!(places[0], "ADD b");
        assert!(places[2].starts_with("column: {name: c"), "{}", places[2]);
        let json = r#"{"databaseChangeLog": [{"changeSet": {"id": "1", "author": "a", "changes": [{"sql": {"sql": "ALTER TABLE a\nDROP COLUMN \"B\";"}}]}}]}"#;
        let (sql, places) = translated("c.json", json, &["ALTER TABLE a"]);
        assert_eq!(sql, "ALTER TABLE a\nDROP COLUMN \"B\";");
        assert_eq!(places[0], "ALTER TABLE a");
    }
}
