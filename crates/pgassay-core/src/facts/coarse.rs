//! Statistics without values of columns, for those who may not see them.
//!
//! What stays is enough for generic plans: shares of NULL, numbers of values, widths, correlations. Conditions on constants are then
//! estimated as those on `$1` are, by averages. Slots with values go as a whole: the server refuses frequencies without values.

use crate::change::QualifiedName;
use crate::facts::planner::{ColumnStatistics, ExtendedStatistics, Slot, Statistics};

impl Statistics {
    /// Takes out the values of columns that are not kept, and says so in `unread`. `table_of` tells the table of extended statistics;
    /// those of several columns stay only if all their columns do.
    pub fn leave_out_values(
        &mut self,
        keeps: impl Fn(&QualifiedName, &str) -> bool,
        table_of: impl Fn(&ExtendedStatistics) -> Option<QualifiedName>,
    ) {
        let mut left_out = 0;
        for column in &mut self.columns {
            let relation = QualifiedName::new(column.schema.as_str(), column.relation.as_str());
            // The name of an expression's column says little of what it is made of.
            if column.of_index || !keeps(&relation, &column.column) {
                left_out += usize::from(leave_out(column));
            }
        }
        for object in &mut self.extended {
            let of_columns = object.expressions.is_none()
                && table_of(object).is_some_and(|table| object.columns.iter().all(|(_, column)| keeps(&table, column)));
            if !of_columns {
                left_out += usize::from(object.most_common.take().is_some());
                object.expressions.iter_mut().flatten().for_each(|column| left_out += usize::from(leave_out(column)));
            }
        }
        if self.extended.iter().all(|object| object.most_common.is_none()) {
            self.types.clear();
            self.enum_labels.clear();
        }
        if left_out > 0 {
            self.unread.push(format!(
                "values of {left_out} columns: the snapshot leaves them out, so conditions on constants are estimated by averages, as \
                 those on $1 are"
            ));
        }
    }
}

/// Whether there were values.
fn leave_out(column: &mut ColumnStatistics) -> bool {
    let mut any = false;
    for slot in column.slots.iter_mut().filter(|slot| slot.values.is_some()) {
        any = true;
        *slot = Slot { operator: "0".to_owned(), collation: "-".to_owned(), ..Slot::default() };
    }
    any
}
