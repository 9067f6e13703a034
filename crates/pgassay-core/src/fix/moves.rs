//! New migrations that were not rewritten, and the numbers that are left for them: where a migration that is taken apart needs theirs they
//! move up, and what depends on them by name says the new one.
//!
//! What ran before stays where it is, and so does code: a number that would reach one of those is refused.

use std::path::Path;

use super::Rewritten;
use super::files::Writer;
use super::number::Number;
use super::place::Place;
use crate::migration::{Framework, Migration};

impl Writer<'_> {
    /// The numbers of migrations in the folder that are code, with their files: they are nobody's to take, and stay where they are.
    fn numbers_of_code(&self, place: &Place) -> Vec<(Number, &Path)> {
        let own = self.folder.keys().filter(|path| path.parent() == Some(place.folder()));
        own.filter_map(|path| Some((Place::number_of_code(path)?, path.as_path()))).collect()
    }

    /// Refuses numbers that reach one of code, which runs after the migration.
    fn before_code(&self, migration: &Migration, place: &Place, last: &Number) -> Result<(), String> {
        let comparable = |number: &Number| number.clone().compared_as(&place.number).key();
        let (own, last) = (place.number.key(), last.key());
        let in_the_way = self
            .numbers_of_code(place)
            .into_iter()
            .find(|(number, _)| own < comparable(number) && comparable(number) <= last);
        match in_the_way {
            Some((number, path)) => Err(format!(
                "{}: no number is left before {}, which is code and has {}: move that up first",
                migration.path.display(),
                path.display(),
                number.text()
            )),
            None => Ok(()),
        }
    }

    /// Gives a migration its numbers, after those that pieces before it took.
    pub(super) fn place(
        &mut self,
        migration: &Migration,
        own: Option<&Rewritten>,
        taken: &mut Option<Number>,
    ) -> Result<(), String> {
        let Some(place) = Place::of(migration) else {
            return match own {
                None => Ok(()),
                Some(_) => Err(format!(
                    "{}: its name has no number that another migration could follow",
                    migration.path.display()
                )),
            };
        };
        let is_free = taken.as_ref().is_none_or(|taken| taken.key() < place.number.key());
        if is_free {
            *taken = None;
        }
        if !super::is_rewritable(migration) {
            if !is_free {
                return Err(format!("{}: no number is left before it, and it ran before", migration.path.display()));
            }
            return Ok(());
        }
        let number = match taken.as_ref() {
            None => place.number.clone(),
            Some(taken) => taken
                .next()
                .ok_or_else(|| format!("{}: there is no number after {}", migration.path.display(), taken.text()))?,
        };
        match own {
            None => {
                self.before_code(migration, &place, &number)?;
                self.moved(migration, &place, &place.with(number.clone(), ""))?;
                *taken = Some(number).filter(|_| !is_free);
            }
            Some(own) => {
                let is_more = own.pieces.len() > 1 || !is_free;
                let last = self.pieces(migration, own, &place, number)?;
                if let Some(last) = &last {
                    self.before_code(migration, &place, last)?;
                }
                *taken = last.filter(|_| is_more).or_else(|| taken.take());
            }
        }
        Ok(())
    }

    /// A file that moves up keeps its text.
    fn moved(&mut self, migration: &Migration, from: &Place, to: &Place) -> Result<(), String> {
        let framework = migration.framework;
        if framework == Framework::Yoyo {
            self.depend_on_renamed(migration)?;
        }
        if from.up() == to.up() {
            return Ok(());
        }
        let pairs = [
            (Some(from.up()), Some(to.up())),
            (from.down(framework), to.down(framework)),
            (from.settings(framework), to.settings(framework)),
        ];
        for (old, new) in pairs {
            let (Some(old), Some(new)) = (old, new) else { continue };
            let known = self.changes.get(&old).cloned().flatten();
            let text = self.limited.remove(&old).or(known).or_else(|| self.folder.get(&old).cloned());
            if let Some(text) = text {
                self.changes.insert(old, None);
                self.changes.insert(new, Some(text));
            }
        }
        if framework == Framework::Yoyo {
            self.rename(&from.stem(), &to.stem())?;
        }
        self.paths.push(to.up());
        Ok(())
    }

    /// What depends on one migration has to say another name now.
    pub(super) fn rename(&mut self, old: &str, new: &str) -> Result<(), String> {
        let quoted = [format!("\"{old}\""), format!("'{old}'")];
        let is_code = |path: &Path| path.extension().is_some_and(|ending| ending == "py");
        let user =
            self.folder.iter().find(|(path, text)| is_code(path) && quoted.iter().any(|name| text.contains(name)));
        if let Some((path, _)) = user {
            return Err(format!(
                "{old} is now {new}, and {}, which is code, depends on it: split it by hand",
                path.display()
            ));
        }
        self.renamed.insert(old.to_owned(), new.to_owned());
        Ok(())
    }

    /// A file's `depends:` in the names of today.
    fn depend_on_renamed(&mut self, migration: &Migration) -> Result<(), String> {
        let path = &migration.path;
        let Some(text) = self.limited.get(path).or_else(|| self.folder.get(path)).cloned() else { return Ok(()) };
        let new: String = text.split_inclusive('\n').map(|line| self.depends(line)).collect();
        if new != text {
            if let Some(limited) = self.limited.get_mut(path) {
                *limited = new;
            } else {
                self.changes.insert(path.clone(), Some(new));
            }
        }
        Ok(())
    }

    pub(super) fn depends(&self, line: &str) -> String {
        let Some((before, names)) = line.split_once("depends:").filter(|_| line.trim_start().starts_with("--")) else {
            return line.to_owned();
        };
        let name =
            |name: &str| self.renamed.get(name.trim_end()).cloned().unwrap_or_else(|| name.trim_end().to_owned());
        let names: Vec<String> = names.split_whitespace().map(name).collect();
        let end = if line.ends_with('\n') { "\n" } else { "" };
        format!("{before}depends: {}{end}", names.join(" "))
    }
}
