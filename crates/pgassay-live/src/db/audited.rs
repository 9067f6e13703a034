//! A database as what `audit` judges.

use std::collections::BTreeSet;

use super::Database;
use crate::audit::{self, AuditJob, Made};
use crate::config::Settings;
use crate::facts::Reference;
use crate::history::Completeness;
use crate::migration::Migration;
use crate::source::Sources;

impl Database {
    /// The job of judging the database, with the default settings.
    pub fn audit_job(self, sources: &Sources) -> AuditJob {
        let Database { label, version, file, schema, places, facts, workload, samples, .. } = self;
        AuditJob {
            migrations: vec![Migration::plain(&label, file, sources.file(file).text.len())],
            made: Some(Made { schema, places }),
            version,
            completeness: Completeness::Complete,
            facts: Some(facts),
            workload: Some(workload),
            samples,
            ..AuditJob::default()
        }
    }

    /// Columns that look like references and have no foreign key, for a sample to measure.
    pub fn references(&self, settings: &Settings) -> Vec<Reference> {
        audit::references(&self.schema, self.version, &self.facts, settings)
    }

    /// See [`audit::columns_compared`].
    pub fn columns_compared(&self) -> Vec<BTreeSet<String>> {
        audit::columns_compared(&self.schema, self.version, &self.workload)
    }
}
