//! Which area every finding of a run touches.
//!
//! In: the findings of a migration, its run, the areas of the configuration. Out: the findings, each with its [`Area`].

use crate::area::{Area, Areas};
use crate::catalog::LockMode;
use crate::change::{PrintedName, QualifiedName};
use crate::finding::Finding;
use crate::history::{MigrationRun, Step};
use crate::schema::RelationId;

/// Says of every finding of a run which area it touches.
pub(super) fn mark(areas: &Areas, findings: &mut [Finding], run: &MigrationRun) {
    if areas.patterns.is_empty() {
        return;
    }
    for finding in findings {
        finding.area = of_all(areas, &touched(finding, run));
    }
}

/// A protected one wins. A finding that also touches a table of no area is not an internal affair.
fn of_all(areas: &Areas, tables: &[Table]) -> Option<Area> {
    let area = |table: &Table| table.iter().filter_map(|name| areas.of(name)).min();
    let areas: Vec<Option<Area>> = tables.iter().map(area).collect();
    let protected = areas.iter().flatten().filter(|area| area.is_protected()).min();
    let all_known = || areas.iter().copied().collect::<Option<Vec<Area>>>()?.into_iter().min();
    protected.copied().or_else(all_known)
}

/// The names by which a table is known: its own, the one that it had before the migration, those of its parents.
type Table = Vec<QualifiedName>;

/// What a finding is about: its object, and the tables locked where its related places stand. Without an object, the
/// tables that its statement locks.
fn touched(finding: &Finding, run: &MigrationRun) -> Vec<Table> {
    let step = step_at(finding, run);
    let mut names: Vec<QualifiedName> = finding.object.as_ref().and_then(PrintedName::object).into_iter().collect();
    let locks = || run.steps.iter().flat_map(|step| &step.prediction.locks);
    let related = |span| finding.related.iter().any(|(related, _)| *related == span);
    names.extend(locks().filter(|lock| related(lock.span)).filter_map(|lock| lock.name.object()));
    if names.is_empty() {
        let own = step.into_iter().flat_map(|step| &step.prediction.locks);
        let changing = own.filter(|lock| lock.mode >= LockMode::RowExclusive);
        names.extend(changing.filter_map(|lock| lock.name.object()));
    }
    names.into_iter().map(|name| table_of(name, step, run)).collect()
}

/// The innermost statement around a finding: those of a DO block follow the block.
fn step_at<'r, 's>(finding: &Finding, run: &'r MigrationRun<'s>) -> Option<&'r Step<'s>> {
    run.steps.iter().rfind(|step| step.span().contains(finding.span))
}

/// An index stands for its table, a partition also for the partitioned table.
fn table_of(name: QualifiedName, step: Option<&Step>, run: &MigrationRun) -> Table {
    let mut schemas = step.map(|step| &step.schema).into_iter().chain([&run.before, &run.after]);
    let found = schemas.find_map(|schema| schema.relation_at(&name).map(|relation| (schema, relation)));
    let Some((schema, relation)) = found else { return vec![name] };
    let id = relation.as_index().map_or(relation.id, |index| index.table);
    let all = [id].into_iter().chain(schema.parents_closure(id));
    let names = |id: RelationId| {
        let relations = [schema.relation(id), run.before.relation(id)];
        relations.into_iter().flatten().map(|relation| relation.name.clone()).collect::<Vec<_>>()
    };
    all.flat_map(names).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::area::TablePattern;
    use crate::source::Located;

    fn areas(list: &[(Area, &[&str])]) -> Areas {
        let patterns = list.iter().map(|(area, patterns)| {
            let patterns = patterns.iter().map(|text| TablePattern::new(text).unwrap()).collect();
            (*area, Located { value: patterns, line: 1 })
        });
        Areas { patterns: patterns.collect() }
    }

    fn name(text: &str) -> QualifiedName {
        text.parse().unwrap()
    }

    #[test]
    fn a_table_of_no_area_keeps_a_finding_from_being_internal() {
        let areas = areas(&[(Area::Internal, &["ops.*"]), (Area::Payments, &["billing.*"])]);
        assert_eq!(of_all(&areas, &[vec![name("ops.jobs")]]), Some(Area::Internal));
        assert_eq!(of_all(&areas, &[vec![name("ops.jobs")], vec![name("public.orders")]]), None);
        assert_eq!(of_all(&areas, &[vec![name("ops.jobs")], vec![name("billing.charges")]]), Some(Area::Payments));
        assert_eq!(of_all(&areas, &[]), None);
    }
}
