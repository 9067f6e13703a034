//! One file of a collection anew, with another text: nothing else is read, neither from the disk nor from the other files.
//!
//! In: a path and a text. Out: the migrations that the file's tool makes of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::collected::{CollectOptions, Collected};
use super::collector::Collector;
use super::folder::Folder;
use super::tools::{Entry, Tool};
use super::{Age, Migration};
use crate::source::Sources;

/// Who reads a file, and what he knows of the folder.
#[derive(Clone)]
pub(super) struct Reader {
    tool: &'static dyn Tool,
    /// Of its files only those of the tool itself: settings.
    folder: Arc<Folder>,
    entry: Entry,
    history: Option<PathBuf>,
    age: Age,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Reader").field("path", &self.entry.file.path).finish_non_exhaustive()
    }
}

impl Reader {
    pub fn new(tool: &'static dyn Tool, folder: &Folder, entry: &Entry, collector: &mut Collector) -> Reader {
        let known = collector.settings.entry(folder.path.clone()).or_insert_with(|| Arc::new(folder.settings()));
        let (folder, mut entry) = (known.clone(), entry.clone());
        entry.file.text = None;
        Reader { tool, folder, entry, history: collector.history.clone(), age: collector.age }
    }
}

impl Collected {
    /// The migrations of one of the files, as they are with this text; `None` for a file that is not among them. The text, which is of
    /// a file of its own in `sources`, has no byte order mark.
    pub fn reread(
        &self,
        path: &Path,
        text: Arc<str>,
        options: &CollectOptions,
        sources: &mut Sources,
    ) -> Option<Vec<Migration>> {
        let reader = self.readers.get(path)?;
        let options = CollectOptions { contents: Default::default(), remembers: false, ..options.clone() };
        let mut collector = Collector::new(&options, sources);
        (collector.history, collector.age) = (reader.history.clone(), reader.age);
        let mut entry = reader.entry.clone();
        entry.file.text = Some(text);
        collector.add(reader.tool, &reader.folder, &entry);
        Some(collector.finish().migrations)
    }

    /// Whether a file, by its path without links, was read.
    pub fn has(&self, path: &Path) -> bool {
        self.readers.contains_key(path)
    }
}
