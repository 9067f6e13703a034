//! Which files a root changelog leads to, in the order in which Liquibase runs them.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;

use super::changelog::{self, Changelog, Changeset, Include, Item};
use super::choice::Choice;
use super::formatted::{self, Manner, is_formatted};
use super::place::{all_of, resolve};
use super::translate::runs;
use super::{ListedFile, unreadable};
use crate::collect::folder::{File, Folder};
use crate::collect::read::read;
use crate::collect::tools::{Entry, Listed, Order};

/// How deep changelogs may include each other.
const DEPTH: usize = 16;

pub(super) fn order(folder: &Folder) -> Order {
    let choice = Choice::of(&folder.project);
    let formatted = || folder.files.iter().filter(|file| file.is_sql() && is_formatted(file));
    let mut walk = Walk::new(folder, &choice);
    let roots: Vec<File> = roots(folder, &choice).into_iter().cloned().collect();
    for root in &roots {
        walk.changelog(root, DEPTH);
    }
    if roots.is_empty() {
        let mut files: Vec<&File> = formatted().collect();
        files.sort_by(|a, b| a.relative.cmp(&b.relative));
        files.into_iter().for_each(|file| walk.sql(file.clone()));
    }
    let mut order = walk.end();
    order.note_ignored("liquibase", "no changelog that could be followed includes it", formatted());
    order
}

/// As [`order`], of what one changelog leads to.
pub(in crate::collect) fn led_to(folder: &Folder, changelog: &File) -> Order {
    let choice = Choice::of(&folder.project);
    let mut walk = Walk::new(folder, &choice);
    walk.changelog(changelog, DEPTH);
    walk.end()
}

/// The changelogs that Liquibase is pointed at: the one that the settings name, one that is called so, or those that no other one
/// includes.
pub(super) fn roots<'f>(folder: &'f Folder, choice: &Choice) -> Vec<&'f File> {
    let lists: Vec<&File> = folder.own().filter(|file| file.is_changelog() && changelog::is_one(file)).collect();
    let is_set = |file: &&&File| {
        choice
            .changelog
            .as_deref()
            .is_some_and(|path| file.path.ends_with(path.trim_start_matches("classpath:").trim_start_matches('/')))
    };
    let is_called =
        |file: &&&File| ["master", "root", "main"].iter().any(|word| file.name().to_lowercase().contains(word));
    if let Some(root) = lists.iter().find(is_set).or_else(|| lists.iter().find(is_called)) {
        return vec![root];
    }
    let mut included: HashSet<PathBuf> = HashSet::new();
    for file in &lists {
        let items = changelog::read(file.name(), file.text()).unwrap_or_default().items;
        for item in items {
            let Item::Include(include) = item else { continue };
            let found = match include.all {
                None => resolve(folder, file, &include.path, include.is_relative).into_iter().collect(),
                Some((depth, _)) => all_of(folder, file, &include.path, include.is_relative, depth).unwrap_or_default(),
            };
            included.extend(found.into_iter().map(|other| other.path).filter(|path| *path != file.path));
        }
    }
    lists.into_iter().filter(|file| !included.contains(&file.path)).collect()
}

struct Walk<'a> {
    folder: &'a Folder,
    choice: &'a Choice,
    order: Order,
    seen: HashSet<PathBuf>,
    contexts: BTreeSet<String>,
}

impl<'a> Walk<'a> {
    fn new(folder: &'a Folder, choice: &'a Choice) -> Walk<'a> {
        Walk { folder, choice, order: Order::default(), seen: HashSet::new(), contexts: BTreeSet::new() }
    }

    /// What was found, with a note where it depends on contexts that nothing chooses.
    fn end(self) -> Order {
        let Walk { folder, choice, mut order, contexts, .. } = self;
        if let Some(first) = contexts.first().filter(|_| !choice.says_contexts()) {
            let list: Vec<&str> = contexts.iter().map(String::as_str).collect();
            let message = format!(
                "changesets have contexts ({}); all of these are judged, for nothing here says which Liquibase runs with: `contexts={first}` in liquibase.properties does",
                list.join("; ")
            );
            order.notes.push((folder.path.clone(), message));
        }
        order
    }

    fn changelog(&mut self, file: &File, depth: usize) {
        if depth == 0 || !self.seen.insert(file.path.clone()) {
            return;
        }
        let changelog = match changelog::read(file.name(), file.text()) {
            Ok(changelog) => changelog,
            Err(error) => return self.order.errors.push(unreadable(file, &error)),
        };
        self.note_unread(file, &changelog);
        let mut run = 0;
        let mut is_open = false;
        for item in &changelog.items {
            match item {
                Item::Include(include) => self.include(file, include, depth),
                Item::Changeset(changeset) => match changeset.only_file() {
                    Some(_) => self.named_file(file, changeset),
                    None => {
                        if !is_open {
                            self.push(file.stem().to_owned(), file.clone(), Some(Listed::Run(run)));
                        }
                        is_open = true;
                        continue;
                    }
                },
            }
            run += 1;
            is_open = false;
        }
    }

    fn push(&mut self, name: String, file: File, listed: Option<Listed>) {
        self.order.entries.push(Entry { name, file, direction: None, listed });
    }

    fn include(&mut self, from: &File, include: &Include, depth: usize) {
        if !self.choice.runs_context(&include.context) || !self.choice.runs_labels(&include.labels) {
            let message = format!(
                "liquibase does not run {}: its context or labels are not among those that are run",
                include.path
            );
            return self.order.notes.push((from.path.clone(), message));
        }
        self.note_context(&include.context);
        let found = match &include.all {
            None => resolve(self.folder, from, &include.path, include.is_relative).map(|file| vec![file]),
            Some((depth, ending)) => all_of(self.folder, from, &include.path, include.is_relative, *depth)
                .map(|files| files.into_iter().filter(|file| file.name().ends_with(ending.as_str())).collect()),
        };
        let Some(files) = found else {
            let message = format!("liquibase stops: {}, which it includes, is not there", include.path);
            return self.order.notes.push((from.path.clone(), message));
        };
        for file in files.into_iter().filter(|file| file.path != from.path) {
            if file.is_sql() { self.sql(file) } else { self.changelog(&file, depth - 1) }
        }
    }

    fn sql(&mut self, file: File) {
        if !self.is_read(&file) || !self.seen.insert(file.path.clone()) {
            return;
        }
        formatted::contexts(file.text()).for_each(|context| self.note_context(context));
        self.push(file.stem().to_owned(), file, None);
    }

    /// The SQL file that is all that a changeset does.
    fn named_file(&mut self, from: &File, changeset: &Changeset) {
        let Some(named) = changeset.only_file() else { return };
        if let Some(why) = changeset.is_passed_over(self.choice) {
            let message = format!("liquibase does not run {}: {why}", changeset.name);
            return self.order.notes.push((from.path.clone(), message));
        }
        self.note_context(changeset.context());
        let Some(file) = resolve(self.folder, from, &named.path, named.is_relative) else {
            let message = format!("liquibase stops: {}, which {} names, is not there", named.path, changeset.name);
            return self.order.notes.push((from.path.clone(), message));
        };
        if self.is_read(&file) {
            let manner = Manner { in_transaction: changeset.runs_in_transaction(), ..Manner::of(&named.cutting) };
            let listed = ListedFile { manner, conditional: changeset.may_be_passed_over() };
            self.push(changeset.name.clone(), file, Some(Listed::File(listed)));
        }
    }

    /// Whether the text is there; why not is an error.
    fn is_read(&mut self, file: &File) -> bool {
        let error = file.text.is_none().then(|| read(&file.path).err()).flatten();
        self.order.errors.extend(error);
        file.text.is_some()
    }

    fn note_context(&mut self, context: &str) {
        if !context.trim().is_empty() {
            self.contexts.insert(context.trim().to_owned());
        }
    }

    /// Changes whose SQL a changelog does not tell.
    fn note_unread(&mut self, file: &File, changelog: &Changelog) {
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        for (_, changeset) in runs(changelog).filter(|(_, it)| it.is_passed_over(self.choice).is_none()) {
            self.note_context(changeset.context());
            changeset.unknown().into_iter().for_each(|kind| *kinds.entry(kind).or_default() += 1);
        }
        if !kinds.is_empty() {
            let list: Vec<String> = kinds
                .iter()
                .map(|(kind, count)| if *count == 1 { (*kind).to_owned() } else { format!("{count} {kind}") })
                .collect();
            let verb = if kinds.values().sum::<usize>() == 1 { "is" } else { "are" };
            self.order.unread.push((file.path.clone(), format!("{} {verb} not in SQL", list.join(", "))));
        }
    }
}
