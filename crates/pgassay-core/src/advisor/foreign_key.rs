//! What foreign keys make a DELETE or an UPDATE of a key do that is in no plan.
//!
//! Their triggers search the referring table for each row (ri_triggers.c). The search is planned as a statement of its own, and gets its part of the
//! time that the statement took.

use super::choose::{Advised, Part, Work, reads_whole};
use super::tables::Reference;
use crate::change::{Name, QualifiedName};

impl Work<'_> {
    /// Parts for the searches of the triggers that each statement fires.
    pub(super) fn add_foreign_keys(&mut self, advised: &[Advised]) {
        for (query, result) in advised.iter().enumerate() {
            let Ok(plan) = &result.plan else { continue };
            let estimated = || {
                let below = plan.children(crate::plan::NodeId(0)).filter_map(|child| child.estimate);
                below.map(|it| it.rows).fold(1.0, f64::max)
            };
            let rows = self.queries[query].rows.unwrap_or_else(estimated);
            if rows <= 0.0 {
                continue;
            }
            let mut searches: Vec<(usize, f64)> = Vec::new();
            for reference in self.searched(query) {
                let Some(part) = self.planner.add(&search(&reference)) else { continue };
                let plan = self.planner.plan(part, &[], &[]);
                let cost = plan.as_ref().map_or(0.0, |plan| self.weigh(query, plan));
                let plain = plan.as_ref().map_or(0.0, |plan| self.plainly(query, plan));
                debug_assert_eq!(part, self.parts.len(), "the planner knows as many queries as there are parts");
                let foreign_key =
                    Some(format!("{}.{} ({})", reference.schema, reference.table, reference.columns.join(", ")));
                let reads_whole = plan.as_ref().is_ok_and(reads_whole);
                self.parts.push(Part { query, values: None, foreign_key, cost, plain, weight: 0.0, reads_whole });
                searches.push((part, rows * cost));
            }
            self.share_time(query, &searches);
        }
    }

    /// The time of a statement in parts: what its own plan and what each search costs.
    fn share_time(&mut self, query: usize, searches: &[(usize, f64)]) {
        let own = self.parts[query].cost;
        let all = own + searches.iter().map(|(_, cost)| cost).sum::<f64>();
        let whole = self.parts[query].weight;
        // Not measured: the weight is that of the plan alone.
        let measured = self.queries[query].mean_milliseconds.is_some();
        let unit = if measured { whole / all.max(f64::MIN_POSITIVE) } else { whole / own.max(f64::MIN_POSITIVE) };
        self.parts[query].weight = unit * own;
        for (part, cost) in searches {
            self.parts[*part].weight = unit * cost;
        }
    }

    /// Foreign keys whose columns are searched when a statement runs.
    fn searched(&self, query: usize) -> Vec<Reference> {
        let sets = &self.queries[query].sets;
        let of = |(table, operation): &(QualifiedName, String)| {
            let info = self.tables.tables.get(table);
            let references = info.map(|info| info.referenced_by.clone()).unwrap_or_default();
            let fires = |reference: &Reference| match operation.as_str() {
                "Delete" => true,
                "Update" => sets.iter().any(|column| reference.referenced.contains(column)),
                _ => false,
            };
            references.into_iter().filter(fires).collect::<Vec<_>>()
        };
        self.written[query].iter().flat_map(of).collect()
    }
}

/// As RI_FKey_noaction_del asks.
fn search(reference: &Reference) -> String {
    let table = QualifiedName::new(Name::new(&reference.schema), Name::new(&reference.table));
    let columns = reference.columns.iter().enumerate();
    let conditions: Vec<String> =
        columns.map(|(place, column)| format!("x.{} = ${}", Name::new(column), place + 1)).collect();
    format!("SELECT 1 FROM {table} x WHERE {} FOR KEY SHARE OF x", conditions.join(" AND "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_referring_table_is_searched_by_all_columns_of_the_key() {
        let reference = Reference {
            schema: "public".to_owned(),
            table: "Lines".to_owned(),
            columns: vec!["order".to_owned(), "shop_id".to_owned()],
            referenced: vec!["id".to_owned(), "shop_id".to_owned()],
        };
        assert_eq!(
            search(&reference),
            "SELECT 1 FROM public.\"Lines\" x WHERE x.\"order\" = $1 AND x.shop_id = $2 FOR KEY SHARE OF x"
        );
    }
}
