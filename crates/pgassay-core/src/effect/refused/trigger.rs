//! Triggers: what relations, events and transition tables they may have, their functions and conditions (CreateTriggerFiringOn,
//! trigger.c).

use super::super::predictor::Predictor;
use super::table::is_plain_table;
use crate::catalog;
use crate::change::{CreateTrigger, Expression, Ident, TriggerEvent, TriggerTiming, TypeName};
use crate::expression::{self, Place, Scope};
use crate::schema::{Relation, RelationKind};

impl Predictor<'_> {
    pub(super) fn refuse_trigger(&mut self, create: &CreateTrigger) {
        let Some(found) = self.find(&create.table) else { return };
        let Some(table) = self.relation(found.id).filter(|it| it.known).cloned() else { return };
        let name = table.name.name.as_str();
        let is_view = matches!(table.kind, RelationKind::View(_));
        let message = match create.timing {
            _ if matches!(table.kind, RelationKind::Sequence(_) | RelationKind::Index(_)) => {
                Some(format!("relation \"{name}\" cannot have triggers"))
            }
            TriggerTiming::InsteadOf if table.is_table() => Some(format!("\"{name}\" is a table")),
            TriggerTiming::InsteadOf if !create.for_each_row => {
                Some("INSTEAD OF triggers must be FOR EACH ROW".to_owned())
            }
            TriggerTiming::InsteadOf if create.condition.is_some() => {
                Some("INSTEAD OF triggers cannot have WHEN conditions".to_owned())
            }
            TriggerTiming::InsteadOf if columns_named(create).next().is_some() => {
                Some("INSTEAD OF triggers cannot have column lists".to_owned())
            }
            TriggerTiming::Before | TriggerTiming::After
                if is_view && (create.for_each_row || create.events.contains(&TriggerEvent::Truncate)) =>
            {
                Some(format!("\"{name}\" is a view"))
            }
            _ if matches!(table.kind, RelationKind::MaterializedView(_)) => {
                Some(format!("relation \"{name}\" cannot have triggers"))
            }
            _ if create.for_each_row && create.events.contains(&TriggerEvent::Truncate) => {
                Some("TRUNCATE FOR EACH ROW triggers are not supported".to_owned())
            }
            _ => unfit_transitions(create, &table),
        };
        if let Some(message) = message {
            return self.refused(create.table.span, &create.table, message);
        }
        for event in &create.events {
            let TriggerEvent::Update(columns) = event else { continue };
            if let Some(column) = columns.iter().find(|it| table.column(&it.name).is_none()) {
                let message = format!("column \"{}\" of relation \"{name}\" does not exist", column.name.as_str());
                return self.refused(column.span, &column.name, message);
            }
            let twice = (1..columns.len()).find(|at| columns[..*at].iter().any(|it| it.name == columns[*at].name));
            if let Some(column) = twice.map(|at| &columns[at]) {
                let message = format!("column \"{}\" specified more than once", column.name.as_str());
                return self.refused(column.span, &column.name, message);
            }
        }
        self.refuse_trigger_function(create);
        self.refuse_trigger_condition(create, &table);
    }

    fn refuse_trigger_function(&mut self, create: &CreateTrigger) {
        let function = &create.function;
        let found: Vec<_> = self.schema().find_routines(function, self.context.session).cloned().collect();
        let is_trigger = |of: &TypeName| of.name == "trigger";
        let name = function.name.as_str();
        if let [only] = &found[..] {
            if only.inputs().next().is_some() {
                let message = format!("function {name}() does not exist");
                return self.refused(function.span, function, message);
            }
            if !only.returns.as_ref().is_some_and(is_trigger) {
                let message = format!("function {name} must return type trigger");
                self.refused(function.span, function, message);
            }
            return;
        }
        let built_in = catalog::functions(name, self.context.version);
        let plain = function.schema.as_ref().is_none_or(|it| *it == "pg_catalog");
        let without = built_in.iter().find(|it| it.arguments.is_empty());
        let of_extension = self.schema().extensions.keys().any(|extension| {
            catalog::extension(extension.as_str()).is_none_or(|it| !it.functions_named(name).is_empty())
        });
        if found.is_empty() && plain && !of_extension && without.is_some_and(|it| it.returns != "trigger") {
            let message = format!("function {name} must return type trigger");
            self.refused(function.span, function, message);
        }
    }

    /// WHEN names columns of OLD and NEW; before the row is made, its generated columns are not there (CreateTrigger, trigger.c).
    fn refuse_trigger_condition(&mut self, create: &CreateTrigger, table: &Relation) {
        let Some(condition) = &create.condition else { return };
        let rows = expression::row_columns(&*condition.tree);
        let before =
            create.timing == TriggerTiming::Before && create.for_each_row && is_plain_table_or_partitioned(table);
        let generated = |name: &Option<crate::change::Name>| match name {
            Some(name) => table.column(name).is_some_and(|it| it.generated.is_some()),
            None => table.columns.iter().any(|it| it.generated.is_some()),
        };
        if before && rows.iter().any(|(new, name)| *new && generated(name)) {
            let message = "BEFORE trigger's WHEN condition cannot reference NEW generated columns";
            return self.refused(condition.span, &create.name, message);
        }
        for (new, name) in &rows {
            let Some(name) = name.as_ref().filter(|name| table.column(name).is_none()) else { continue };
            let row = if *new { "new" } else { "old" };
            let system = super::output::is_system_column(name);
            let called = self.schema().routines.values().any(|it| it.name.name == *name);
            if !system && !called {
                let message = format!("column {row}.{} does not exist", name.as_str());
                return self.refused(condition.span, &create.name, message);
            }
        }
        let events = |test: fn(&TriggerEvent) -> bool| create.events.iter().any(test);
        let uses = |new: bool| rows.iter().any(|(it, _)| *it == new);
        let message = match () {
            () if !rows.is_empty() && !create.for_each_row => {
                Some("statement trigger's WHEN condition cannot reference column values")
            }
            () if uses(false) && events(|it| *it == TriggerEvent::Insert) => {
                Some("INSERT trigger's WHEN condition cannot reference OLD values")
            }
            () if uses(true) && events(|it| *it == TriggerEvent::Delete) => {
                Some("DELETE trigger's WHEN condition cannot reference NEW values")
            }
            () => None,
        };
        if let Some(message) = message {
            return self.refused(condition.span, &create.name, message);
        }
        self.refuse_trigger_expression(create, condition, table);
    }

    /// Subqueries, system columns of a row that is not made yet, and what is no condition.
    fn refuse_trigger_expression(&mut self, create: &CreateTrigger, condition: &Expression, table: &Relation) {
        let system = expression::row_columns(&*condition.tree)
            .into_iter()
            .any(|(new, name)| new && name.is_some_and(|it| super::output::is_system_column(&it) && it != "tableoid"));
        if system && create.timing == TriggerTiming::Before {
            let message = "BEFORE trigger's WHEN condition cannot reference NEW system columns";
            return self.refused(condition.span, &create.name, message);
        }
        let scope = Scope { schema: self.context.schema, relation: Some(table), ..self.scope(None) };
        self.refuse_expression(condition, Place::TriggerWhen, scope);
    }
}

/// The columns of `UPDATE OF …`.
fn columns_named(create: &CreateTrigger) -> impl Iterator<Item = &Ident> {
    create.events.iter().flat_map(|event| match event {
        TriggerEvent::Update(columns) => &columns[..],
        _ => &[],
    })
}

/// Why a trigger may not have the transition tables that it asks for.
fn unfit_transitions(create: &CreateTrigger, table: &Relation) -> Option<String> {
    if create.transitions.is_empty() {
        return None;
    }
    let name = table.name.name.as_str();
    let any = |test: fn(&TriggerEvent) -> bool| create.events.iter().any(test);
    let update = any(|it| matches!(it, TriggerEvent::Update(_)));
    let (insert, delete) = (any(|it| *it == TriggerEvent::Insert), any(|it| *it == TriggerEvent::Delete));
    let asks = |new: bool| create.transitions.iter().any(|it| it.new == new);
    let words = match () {
        () if create.timing != TriggerTiming::After => {
            "transition table name can only be specified for an AFTER trigger"
        }
        () if any(|it| *it == TriggerEvent::Truncate) => "TRUNCATE triggers with transition tables are not supported",
        () if create.events.len() > 1 => "transition tables cannot be specified for triggers with more than one event",
        () if columns_named(create).next().is_some() => {
            "transition tables cannot be specified for triggers with column lists"
        }
        () if create.for_each_row && table.is_partitioned() => {
            return Some(format!("\"{name}\" is a partitioned table"));
        }
        () if create.for_each_row && table.is_partition() => {
            "ROW triggers with transition tables are not supported on partitions"
        }
        () if create.for_each_row && !table.parents.is_empty() => {
            "ROW triggers with transition tables are not supported on inheritance children"
        }
        () if asks(true) && !(insert || update) => "NEW TABLE can only be specified for an INSERT or UPDATE trigger",
        () if asks(false) && !(delete || update) => "OLD TABLE can only be specified for a DELETE or UPDATE trigger",
        () => return None,
    };
    Some(words.to_owned())
}

fn is_plain_table_or_partitioned(table: &Relation) -> bool {
    is_plain_table(table) || table.is_partitioned()
}
