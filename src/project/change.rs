//! What a project takes in after it was read: other texts of its files, and the parts of its histories that nobody asked for yet.
//!
//! In: a file and its text. Out: the tracks with the file's migrations as they are now; what comes before them stays replayed.

use std::path::Path;
use std::sync::Arc;

use pgassay::migration::{Direction, Migration, Section};
use pgassay::source::{FileId, SourceFile, Sources, Span};

use super::{Project, is_pending, place};

impl Project {
    /// Takes another text for a file. False: the file is in no history, or its migrations are not one after the other.
    pub fn change(&mut self, path: &Path, text: Arc<str>) -> bool {
        let mut own = Sources::default();
        let Some(migrations) = self.collected.reread(path, text, &self.options, &mut own) else { return false };
        if self.is_same(path, &own) {
            return true;
        }
        let ids = self.take_over(path, own);
        let moved = |span: Span| Span { file: ids.get(span.file.0 as usize).copied().unwrap_or(span.file), ..span };
        let migrations: Vec<Migration> = migrations
            .into_iter()
            .filter(|migration| migration.direction == Direction::Up)
            .map(|migration| Migration {
                file: moved(Span { file: migration.file, start: 0, end: 0 }).file,
                sections: migration
                    .sections
                    .iter()
                    .map(|section| Section { span: moved(section.span), ..*section })
                    .collect(),
                ..migration
            })
            .collect();
        let Some((shown, _)) = self.files.get(path) else { return false };
        for pair in &mut self.tracks {
            let Some(range) = place(&pair.declared, shown) else { continue };
            if let Some(live) = &mut pair.live
                && let Some(range) = place(live, shown)
                && live.history.migrations[range.clone()].iter().any(is_pending)
            {
                live.replace(range, migrations.clone());
            }
            pair.declared.replace(range, migrations);
            return true;
        }
        false
    }

    /// Whether the path has these texts already: then all that was replayed after it holds.
    fn is_same(&self, path: &Path, own: &Sources) -> bool {
        let Some((_, known)) = self.files.get(path) else { return false };
        let same = |((_, file), id): ((FileId, &SourceFile), &FileId)| self.sources.file(*id).text == file.text;
        own.iter().count() == known.len() && own.iter().zip(known).all(same)
    }

    /// Replays a part of the histories that no question asked for yet; false where nothing is left.
    pub fn advance(&mut self) -> bool {
        let (declared, live) = (&self.declared, &self.live);
        self.tracks.iter_mut().any(|pair| {
            let live =
                pair.live.as_mut().zip(live.as_ref()).is_some_and(|(track, job)| track.advance(job, &self.sources));
            live || pair.declared.advance(declared, &self.sources)
        })
    }

    /// Puts the files of other sources in the place of those that the path has; where there were fewer, new ones are made.
    fn take_over(&mut self, path: &Path, own: Sources) -> Vec<FileId> {
        let (_, known) = self.files.entry(path.to_owned()).or_default();
        let mut ids = Vec::new();
        for (number, file) in own.iter() {
            let id = match known.get(number.0 as usize) {
                Some(id) => *id,
                None => {
                    let id = self.sources.reserve();
                    known.push(id);
                    id
                }
            };
            self.sources.fill(id, file.clone());
            ids.push(id);
        }
        ids
    }
}
