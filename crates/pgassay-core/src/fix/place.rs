//! Where a migration's files are, and how another one is named after it.

use std::path::{Path, PathBuf};

use super::number::Number;
use crate::migration::{Framework, Migration};

/// A migration's name in parts.
#[derive(Debug, Clone)]
pub(super) struct Place {
    folder: PathBuf,
    /// `V` of Flyway and refinery; Flyway's is what its settings say, which may be nothing.
    letter: String,
    pub number: Number,
    /// From the number on, without the ending: `_add_note`.
    words: String,
    form: Form,
}

#[derive(Debug, Clone)]
enum Form {
    /// `0042_add_note.sql`, with its ending.
    File(&'static str),
    /// `0042_add_note/up.sql`, with the file's name.
    Folder(&'static str),
}

impl Place {
    /// `None` where the names of the tool's files carry no number that another could follow.
    pub fn of(migration: &Migration) -> Option<Place> {
        Place::read(migration.framework, &migration.path)
    }

    pub fn read(framework: Framework, path: &Path) -> Option<Place> {
        let name = path.file_name()?.to_str()?;
        let folder_form = ["up.sql", "migration.sql"].into_iter().find(|known| *known == name);
        if let Some(file) = folder_form {
            let own = path.parent()?;
            let (number, words) = Number::read(own.file_name()?.to_str()?, &['-'])?;
            let folder = own.parent().unwrap_or(Path::new("")).to_owned();
            let number = number.compared_as_text(by_text(framework, words));
            return Some(Place {
                folder,
                letter: String::new(),
                number,
                words: words.to_owned(),
                form: Form::Folder(file),
            });
        }
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let ending = if name.ends_with(".up.sql") { ".up.sql" } else { ".sql" };
        let stem = name.strip_suffix(ending)?;
        let (letter, read) = match framework {
            Framework::Flyway => {
                let (letter, rest) = stem.split_at(stem.find(|letter: char| letter.is_ascii_digit())?);
                // A repeatable one has no version before its words.
                (letter, Number::read_version(rest).filter(|_| !letter.contains("__")))
            }
            Framework::Refinery => ("V", Number::read(stem.strip_prefix('V')?, &[])),
            _ => ("", Number::read(stem, &[])),
        };
        // A server's name stands between the words and the ending.
        let (number, words) = read.filter(|(_, words)| framework != Framework::Pop || !words.contains('.'))?;
        let number = number.compared_as_text(by_text(framework, words));
        let letter = letter.to_owned();
        Some(Place { folder, letter, number, words: words.to_owned(), form: Form::File(ending) })
    }

    /// The number of a migration that is code: `003_c.go`, `V3__c.rs`, `003.do.c.js`.
    pub fn number_of_code(path: &Path) -> Option<Number> {
        const ENDINGS: [&str; 12] = ["go", "rs", "js", "cjs", "mjs", "ts", "py", "java", "kt", "rb", "cs", "php"];
        let ending = path.extension()?.to_str()?;
        let name = path.file_name()?.to_str()?;
        let versioned = name.strip_prefix('V').filter(|rest| rest.contains("__"));
        let number = match versioned {
            Some(rest) => Number::read_version(rest)?.0,
            None => Number::read(name, &[])?.0,
        };
        ENDINGS.contains(&ending).then_some(number)
    }

    /// The same name with another number, and some words more: `_add_note` to `_add_note_2`.
    pub fn with(&self, number: Number, more: &str) -> Place {
        Place { number, words: format!("{}{more}", self.words), ..self.clone() }
    }

    pub fn up(&self) -> PathBuf {
        match self.form {
            Form::File(ending) => self.folder.join(format!("{}{ending}", self.stem())),
            Form::Folder(file) => self.folder.join(self.stem()).join(file),
        }
    }

    /// The file of the way back, where the tool keeps it apart.
    pub fn down(&self, framework: Framework) -> Option<PathBuf> {
        match (framework, &self.form) {
            (Framework::Diesel | Framework::Hasura, Form::Folder(_)) => {
                Some(self.folder.join(self.stem()).join("down.sql"))
            }
            (Framework::Postgrator, _) => {
                let words = self.words.strip_prefix(".do")?;
                Some(self.folder.join(format!("{}.undo{words}.sql", self.number.text())))
            }
            (Framework::Yoyo, _) => Some(self.folder.join(format!("{}.rollback.sql", self.stem()))),
            (_, Form::File(".up.sql")) => Some(self.folder.join(format!("{}.down.sql", self.stem()))),
            (Framework::Flyway, _) => Some(self.folder.join(format!("U{}{}.sql", self.number.text(), self.words))),
            _ => None,
        }
    }

    /// The file that says how the tool runs it, where that is one beside it.
    pub fn settings(&self, framework: Framework) -> Option<PathBuf> {
        match (framework, &self.form) {
            (Framework::Diesel, Form::Folder(_)) => Some(self.folder.join(self.stem()).join("metadata.toml")),
            (Framework::Flyway, _) => {
                let mut name = self.up().into_os_string();
                name.push(".conf");
                Some(name.into())
            }
            _ => None,
        }
    }

    /// Its name without an ending.
    pub fn stem(&self) -> String {
        format!("{}{}{}", self.letter, self.number.text(), self.words)
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Where the tool runs its migrations in the order of their names as texts, be they numbers or not: what comes after the number there.
fn by_text(framework: Framework, words: &str) -> Option<u8> {
    match framework {
        // The version alone is compared.
        Framework::Diesel => Some(0),
        Framework::Atlas
        | Framework::Dbmate
        | Framework::Prisma
        | Framework::Rambler
        | Framework::Supabase
        | Framework::Yoyo => Some(words.bytes().next().unwrap_or(0)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(framework: Framework, path: &str) -> Option<(String, Option<String>)> {
        let place = Place::read(framework, Path::new(path))?;
        let next = place.with(place.number.next()?, "_2");
        let shown = |path: PathBuf| path.display().to_string();
        Some((shown(next.up()), next.down(framework).map(shown)))
    }

    #[test]
    fn code_has_numbers_too() {
        let number = |path: &str| Place::number_of_code(Path::new(path)).map(|number| number.text().to_owned());
        assert_eq!(number("m/003_c.go").as_deref(), Some("003"));
        assert_eq!(number("m/V3__c.rs").as_deref(), Some("3"));
        assert_eq!(number("m/003.do.c.js").as_deref(), Some("003"));
        assert_eq!(number("m/003_c.sql"), None);
        assert_eq!(number("m/helper.go"), None);
    }

    #[test]
    fn each_tool_names_the_next_in_its_way() {
        let named = |up: &str, down: Option<&str>| Some((up.to_owned(), down.map(str::to_owned)));
        assert_eq!(next(Framework::Goose, "m/00007_a.sql"), named("m/00008_a_2.sql", None));
        assert_eq!(
            next(Framework::Sqlx, "m/20240101000000_a.up.sql"),
            named("m/20240101000001_a_2.up.sql", Some("m/20240101000001_a_2.down.sql"))
        );
        assert_eq!(
            next(Framework::Diesel, "m/2024-03-01-080000_a/up.sql"),
            named("m/2024-03-01-080001_a_2/up.sql", Some("m/2024-03-01-080001_a_2/down.sql"))
        );
        assert_eq!(
            next(Framework::Prisma, "m/20240101000000_a/migration.sql"),
            named("m/20240101000001_a_2/migration.sql", None)
        );
        assert_eq!(next(Framework::Flyway, "m/V5__a.sql"), named("m/V5.1__a_2.sql", Some("m/U5.1__a_2.sql")));
        assert_eq!(
            next(Framework::Flyway, "m/20240101__a.sql").map(|it| it.0).as_deref(),
            Some("m/20240101.1__a_2.sql")
        );
        assert_eq!(next(Framework::Flyway, "m/M5--a1.sql").map(|it| it.0).as_deref(), Some("m/M5.1--a1_2.sql"));
        assert_eq!(next(Framework::Flyway, "m/R__a1.sql"), None);
        assert_eq!(next(Framework::Refinery, "m/V5__a.sql"), named("m/V6__a_2.sql", None));
        assert_eq!(
            next(Framework::Postgrator, "m/003.do.a.sql"),
            named("m/004.do.a_2.sql", Some("m/004.undo.a_2.sql"))
        );
        assert_eq!(next(Framework::Yoyo, "m/0003.a.sql"), named("m/0004.a_2.sql", Some("m/0004.a_2.rollback.sql")));
        assert_eq!(next(Framework::Dbmate, "m/9_a.sql"), None);
        assert_eq!(next(Framework::Yoyo, "m/9.a.sql").map(|it| it.0).as_deref(), Some("m/91.a_2.sql"));
        assert_eq!(next(Framework::Plain, "m/a.sql"), None);
    }
}
