//! Extended statistics.

use super::Applier;
use crate::change::{CreateStatistics, IndexTarget, QualifiedName};
use crate::schema::{ExtendedStatistics, naming};

impl Applier<'_> {
    pub(super) fn create_statistics(&mut self, create: &CreateStatistics) {
        let table = create.table.as_ref().and_then(|table| self.relation(table, false));
        let mut columns = Vec::new();
        let expressions = create.elements.iter().any(|it| matches!(it.target, IndexTarget::Expression(_)));
        if let Some(table) = table {
            for element in &create.elements {
                match &element.target {
                    IndexTarget::Column(column) => columns.extend(self.column(table, column)),
                    IndexTarget::Expression(expression) => columns.extend(self.expression_columns(table, expression)),
                }
            }
        }
        let name = match &create.name {
            Some(name) => self.new_name(name),
            None => {
                let Some(of) = table.map(|table| self.full_name(table)) else { return };
                let addition = naming::name_addition(&naming::index_column_names(&create.elements, []));
                let name = self.schema.choose_statistics_name(&of, &addition);
                QualifiedName { schema: of.schema, name }
            }
        };
        if self.schema.statistics.contains_key(&name) {
            if !create.if_not_exists {
                let span = create.name.as_ref().map(|name| name.span);
                let message = format!("statistics object \"{}\" already exists", name.name.as_str());
                if let Some(span) = span {
                    self.duplicate(span, &name, message);
                }
            }
            return;
        }
        self.schema
            .statistics
            .insert(name, ExtendedStatistics { table, columns, kinds: create.kinds.clone(), expressions });
    }
}
