//! The search_path that a tool's session keeps from one migration to the next.

use std::path::PathBuf;
use std::sync::Arc;

use super::MigrationRun;
use super::replay::Unit;
use crate::change::Name;
use crate::migration::{Age, Direction, Framework, Migration};
use crate::schema::Session;

/// A search_path that a migration leaves to the next one of its tool's session.
///
/// Of all settings only this one is followed: each migration may also be deployed by itself, and then a limit that an earlier one set is
/// not there; a name that is looked up elsewhere shows wherever the whole history is run, as in tests and on a new machine.
#[derive(Debug, Clone)]
pub(super) struct LeftPath {
    pub(super) search_path: Vec<Name>,
    pub(super) from: Arc<str>,
    pub(super) folder: Option<PathBuf>,
    pub(super) framework: Framework,
    pub(super) age: Age,
}

impl LeftPath {
    pub(super) fn of(
        unit: &Unit,
        before: Option<&LeftPath>,
        run: &MigrationRun,
        session: &Session,
    ) -> Option<LeftPath> {
        let migration = &unit.migration;
        let keeps = migration.framework.keeps_session() && migration.direction == Direction::Up;
        // Where the tool stops, what comes after is deployed by itself.
        let stops = run.search_path_from.is_some() && run.steps.iter().any(|step| step.is_refused());
        if !keeps || stops || session.search_path == Session::started(&run.before).search_path {
            return None;
        }
        let same = before.filter(|left| left.search_path == session.search_path);
        Some(LeftPath {
            search_path: session.search_path.clone(),
            from: same.map_or_else(|| Arc::from(&*migration.name), |left| left.from.clone()),
            folder: migration.folder.clone(),
            framework: migration.framework,
            age: migration.age,
        })
    }

    /// Whether this migration runs in the same session. An old one that left no schema at all to look into did so only once.
    pub(super) fn reaches(&self, migration: &Migration) -> bool {
        let leads_nowhere = self.search_path.iter().all(|schema| *schema == "pg_temp");
        self.framework == migration.framework
            && self.folder == migration.folder
            && self.age == migration.age
            && migration.direction == Direction::Up
            && !(leads_nowhere && migration.age != Age::New)
    }
}
