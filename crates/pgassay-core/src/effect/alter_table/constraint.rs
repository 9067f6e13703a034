//! Actions on constraints: ADD, VALIDATE, DROP, RENAME, ALTER.

use std::sync::Arc;

use super::Alter;
use super::same_command::{
    adds_default, adds_value, breaks_on_new_columns, check_added_here, is_added_here, rows_with_new_types,
};
use crate::catalog::LockMode::{AccessExclusive, RowShare, Share, ShareRowExclusive};
use crate::change::{
    AlterTableActionKind, Constraint, ConstraintKind, Expression, ForeignKey, Ident, IndexElement, IndexTarget, Key,
    Name,
};
use crate::effect::FailsWhen;
use crate::effect::predictor::{Predictor, rows_of, violating, violating_rows};
use crate::schema::{self, NotNull, Object, Relation};
use crate::source::Span;

impl Predictor<'_> {
    pub(super) fn add_constraint(&mut self, state: &Alter, constraint: &Constraint) {
        let of_existing =
            |columns: &[Ident]| constraint.inline && columns.iter().any(|column| state.existing.contains(&column.name));
        // Since 18 the children are locked for whatever constraint (ATPrepAddPrimaryKey, tablecmds.c).
        let of_index = matches!(
            constraint.kind,
            ConstraintKind::Unique(_) | ConstraintKind::UsingIndex { .. } | ConstraintKind::Exclude { .. }
        );
        if of_index && self.at_least(18) && !state.relation.is_partitioned() {
            self.recurse(state);
        }
        match &constraint.kind {
            ConstraintKind::Check(expression) => {
                if constraint.inline && !state.existing.is_empty() && state.added.is_empty() {
                    return;
                }
                self.add_check(state, constraint, expression);
            }
            ConstraintKind::NotNull(column) => self.add_not_null(state, constraint, column),
            ConstraintKind::Unique(key) if !of_existing(&key.columns) => self.add_key(state, key, false),
            ConstraintKind::PrimaryKey(key) if !of_existing(&key.columns) => self.add_key(state, key, true),
            ConstraintKind::UsingIndex { primary_key, index } => self.add_using_index(state, *primary_key, index),
            ConstraintKind::Exclude { elements, predicate, .. } => {
                self.fail_on_conflicts(state, elements, predicate.as_ref());
            }
            ConstraintKind::ForeignKey(key) if !of_existing(&key.columns) => {
                self.add_foreign_key(state, constraint, key);
            }
            _ => {}
        }
    }

    fn add_check(&mut self, state: &Alter, constraint: &Constraint, expression: &crate::change::Expression) {
        if !constraint.no_inherit || self.at_least(18) {
            self.recurse(state);
        }
        if constraint.not_valid || constraint.not_enforced {
            return;
        }
        for table in self.family(&state.relation, state.only || constraint.no_inherit) {
            self.scan(&table, constraint.span, "the CHECK is checked on every row");
            if breaks_on_new_columns(state, expression) {
                let message =
                    format!("check constraint of relation \"{}\" is violated by some row", table.name.name.as_str());
                self.fail_on_rows(&table, FailsWhen::AnyRow, constraint.span, &table.name, message);
            } else if table.has_storage() && state.added.is_empty() {
                let query = violating(&rows_with_new_types(state, &table), expression);
                let message =
                    format!("check constraint of relation \"{}\" is violated by some row", table.name.name.as_str());
                self.fail_on_rows(&table, FailsWhen::SomeRow { query }, constraint.span, &table.name, message);
            }
        }
    }

    fn add_not_null(&mut self, state: &Alter, constraint: &Constraint, column: &Ident) {
        if !constraint.no_inherit {
            self.recurse(state);
        }
        if constraint.not_valid {
            return;
        }
        for table in self.family(&state.relation, state.only || constraint.no_inherit) {
            if !state.added.contains(&column.name) && self.may_hold_nulls(&table, &column.name) {
                self.check_not_null(&table, column, constraint.span);
            }
        }
    }

    /// UNIQUE and PRIMARY KEY; the index itself is found in the schema after the statement.
    fn add_key(&mut self, state: &Alter, key: &Key, primary_key: bool) {
        let columns = &key.columns[..];
        let span = state.action.span;
        let nullable = |table: &Relation| {
            let columns = columns.iter().filter(|column| !state.added.contains(&column.name));
            let may = |column: &&Ident| self.may_hold_nulls(table, &column.name);
            columns.filter(may).cloned().collect::<Vec<_>>()
        };
        let family = self.targets(state);
        let checks: Vec<_> = family.iter().map(|table| (table.clone(), nullable(table))).collect();
        if primary_key && checks.iter().any(|(_, columns)| !columns.is_empty()) {
            self.recurse(state);
            for (table, columns) in &checks {
                columns.iter().for_each(|column| self.check_not_null(table, column, span));
            }
        }
        // With ONLY the children have to be NOT NULL already, and are looked at where the table itself is not (ATPrepAddPrimaryKey;
        // before 18 ATPrepSetNotNull, with all that is below them).
        let becomes_required = checks.first().is_some_and(|(_, columns)| !columns.is_empty());
        if primary_key && state.only && state.relation.is_partitioned() && becomes_required {
            let children = match self.at_least(18) {
                true => state.relation.children.clone(),
                false => self.schema().children_closure(state.relation.id),
            };
            children.into_iter().for_each(|child| self.lock_id(child, AccessExclusive, span));
        }
        if state.relation.is_partitioned() {
            // 18 prepares a PRIMARY KEY's NOT NULLs, and looks at the children for UNIQUE too (ATPrepAddPrimaryKey).
            let deferrable = matches!(&state.action.kind, AlterTableActionKind::AddConstraint(it) if it.deferrable);
            // A deferrable key's triggers take more (CreateTrigger, trigger.c).
            let mode = match self.at_least(18) {
                true => AccessExclusive,
                false if deferrable => ShareRowExclusive,
                false => Share,
            };
            family.iter().skip(1).for_each(|table| self.lock(table, mode, span));
        }
        // No query can tell of values that the statement itself makes.
        if !key.without_overlaps && !columns.iter().any(|column| state.added.contains(&column.name)) {
            let elements: Vec<String> = columns.iter().map(Ident::to_string).collect();
            self.fail_on_duplicates(&state.relation, &elements, None, key.nulls_not_distinct, span);
        }
    }

    /// Two rows that an EXCLUDE constraint does not let stand beside each other.
    fn fail_on_conflicts(
        &mut self,
        state: &Alter,
        elements: &[(IndexElement, Arc<str>)],
        predicate: Option<&Expression>,
    ) {
        let table = &state.relation.clone();
        let names = |element: &IndexElement| match &element.target {
            IndexTarget::Column(column) => column.to_string(),
            IndexTarget::Expression(expression) => format!("({})", expression.text),
        };
        let keys = elements.iter().enumerate().map(|(at, (element, _))| format!("{} AS key{at}", names(element)));
        let keys: Vec<String> = keys.collect();
        let conflicts =
            elements.iter().enumerate().map(|(at, (_, operator))| format!("a.key{at} {operator} b.key{at}"));
        let conflicts: Vec<String> = conflicts.collect();
        let condition = predicate.map(|it| format!(" WHERE {}", it.text)).unwrap_or_default();
        let rows = format!("SELECT ctid AS place, {} FROM {}{condition}", keys.join(", "), rows_of(table));
        let query = format!(
            "WITH rows AS ({rows}) SELECT a.*, b.* FROM rows AS a JOIN rows AS b ON a.place < b.place AND {} LIMIT 1",
            conflicts.join(" AND ")
        );
        let message = "could not create exclusion constraint: some key conflicts with another".to_owned();
        self.fail_on_rows(table, FailsWhen::SomeRow { query }, state.action.span, &table.name, message);
    }

    /// `elements` are columns, and expressions in parentheses.
    pub fn fail_on_duplicates(
        &mut self,
        table: &Relation,
        elements: &[String],
        predicate: Option<&Expression>,
        nulls_not_distinct: bool,
        span: Span,
    ) {
        if elements.is_empty() {
            return;
        }
        let columns = elements.join(", ");
        let condition = predicate.map(|it| format!("({})", it.text)).into_iter();
        let filled = elements.iter().filter(|_| !nulls_not_distinct).map(|element| format!("{element} IS NOT NULL"));
        let conditions: Vec<String> = condition.chain(filled).collect();
        let condition =
            if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
        let query = format!(
            "SELECT {columns}, count(*) FROM {}{condition} GROUP BY {columns} HAVING count(*) > 1 LIMIT 1",
            rows_of(table)
        );
        let message = format!("could not create unique index: some key ({columns}) is duplicated");
        self.fail_on_rows(table, FailsWhen::SomeRow { query }, span, &table.name, message);
    }

    fn add_using_index(&mut self, state: &Alter, primary_key: bool, index: &Ident) {
        let found = self.schema().indexes_of(state.relation.id).find(|it| it.name.name == index.name);
        let columns = found.and_then(|it| it.as_index()).map(|it| it.columns.clone()).unwrap_or_default();
        for id in columns.into_iter().flatten().filter(|_| primary_key) {
            let name = state.relation.column_by_id(id).map(|column| column.name.clone());
            let Some(name) = name.filter(|name| self.may_hold_nulls(&state.relation, name)) else { continue };
            let column = Ident { name, span: index.span };
            self.check_not_null(&state.relation.clone(), &column, state.action.span);
        }
    }

    /// ATAddForeignKeyConstraint (tablecmds.c): both tables, and the partitions of both.
    fn add_foreign_key(&mut self, state: &Alter, constraint: &Constraint, key: &ForeignKey) {
        let span = constraint.span;
        // 18 prepares every ADD CONSTRAINT for the children too.
        let recurses = state.relation.is_partitioned() || (self.at_least(18) && !state.only);
        for part in self.family(&state.relation, !recurses) {
            self.lock(&part, ShareRowExclusive, span);
        }
        let Some(referenced) = self.find(&key.referenced) else { return };
        for part in self.family(&referenced, !referenced.is_partitioned()) {
            self.lock(&part, ShareRowExclusive, key.referenced.span);
        }
        // A new column without a default is NULL everywhere: nothing to look up (ATPrepAddConstraint's skip_validation).
        let all_null = constraint.inline && !state.added.is_empty() && !adds_default(state, key);
        if constraint.not_valid || constraint.not_enforced || all_null {
            return;
        }
        // RI_Initial_Check's join never opens the other side when every key is NULL.
        if constraint.inline && !state.added.is_empty() && !adds_value(state, key) {
            for part in self.family(&state.relation, !state.relation.is_partitioned()) {
                self.scan(&part, span, "the new column's keys are looked up");
            }
            self.lock(&referenced, RowShare, span);
            return;
        }
        if self.partitions_have(state, &referenced, key) {
            // The partitions' own triggers on the referenced table are dropped.
            return self.lock(&referenced, AccessExclusive, span);
        }
        self.check_orphans(&state.relation.clone(), &referenced, span);
        self.fail_on_orphans(&state.relation.clone(), &referenced, key, span);
    }

    /// Whether every partition has the foreign key already, valid: the parent's takes theirs over
    /// (`tryAttachPartitionForeignKey`, tablecmds.c).
    fn partitions_have(&self, state: &Alter, referenced: &Relation, key: &ForeignKey) -> bool {
        let family = self.family(&state.relation, !state.relation.is_partitioned());
        let mut leaves = family.iter().filter(|part| part.has_storage()).peekable();
        let has = |part: &Relation| {
            part.foreign_keys().any(|(constraint, own)| {
                let columns = own.columns.iter().filter_map(|id| part.column_by_id(*id)).map(|column| &column.name);
                constraint.validated
                    && constraint.enforced
                    && own.referenced == referenced.id
                    && (own.on_delete, own.on_update) == (key.on_delete, key.on_update)
                    && columns.eq(key.columns.iter().map(|column| &column.name))
            })
        };
        state.relation.is_partitioned() && leaves.peek().is_some() && leaves.all(|part| has(part))
    }

    fn fail_on_orphans(&mut self, table: &Relation, referenced: &Relation, key: &ForeignKey, span: Span) {
        let names = self.referenced_names(referenced, key);
        if names.len() != key.columns.len() || key.columns.iter().any(|it| table.column(&it.name).is_none()) {
            return;
        }
        let pairs = key.columns.iter().zip(&names);
        let on: Vec<String> = pairs.map(|(own, other)| format!("r.{other} = t.{}", own)).collect();
        let filled: Vec<String> = key.columns.iter().map(|own| format!("t.{own} IS NOT NULL")).collect();
        // MATCH FULL takes a key that is NULL as a whole, and no other NULL.
        let looked_up = if key.match_full { format!("({})", filled.join(" OR ")) } else { filled.join(" AND ") };
        let query = format!(
            "SELECT t.* FROM {} AS t WHERE {looked_up} AND NOT EXISTS (SELECT FROM {} AS r WHERE {}) LIMIT 1",
            rows_of(table),
            referenced.name,
            on.join(" AND ")
        );
        let message = format!(
            "some key of \"{}\" is not present in table \"{}\"",
            table.name.name.as_str(),
            referenced.name.name.as_str()
        );
        self.fail_on_rows(table, FailsWhen::SomeRow { query }, span, &table.name, message);
    }

    fn referenced_names(&self, referenced: &Relation, key: &ForeignKey) -> Vec<Name> {
        if !key.referenced_columns.is_empty() {
            return key.referenced_columns.iter().map(|it| it.name.clone()).collect();
        }
        let Some(schema::ConstraintKind::PrimaryKey { columns, .. }) = referenced.primary_key().map(|it| &it.kind)
        else {
            return Vec::new();
        };
        columns.iter().filter_map(|id| referenced.column_by_id(*id)).map(|it| it.name.clone()).collect()
    }

    #[deny(clippy::wildcard_enum_match_arm, reason = "a new constraint says what it does")]
    pub(super) fn validate_constraint(&mut self, state: &Alter, name: &Ident) {
        let span = state.action.span;
        let added_here = is_added_here(state, &name.name);
        let Some(constraint) = state.relation.constraint(&name.name).cloned() else {
            if added_here || !state.relation.known {
                self.scan(&state.relation.clone(), span, "every row is checked");
            }
            if let Some(expression) = check_added_here(state, &name.name).filter(|_| state.relation.has_storage()) {
                let query = violating(&rows_with_new_types(state, &state.relation), expression);
                let message = format!("check constraint \"{}\" is violated by some row", name.name.as_str());
                let object = state.relation.name.clone();
                self.fail_on_rows(&state.relation.clone(), FailsWhen::SomeRow { query }, span, &object, message);
            }
            return;
        };
        if constraint.validated && !matches!(constraint.kind, schema::ConstraintKind::NotNull(_)) {
            return;
        }
        match &constraint.kind {
            schema::ConstraintKind::ForeignKey(key) => {
                let Some(referenced) = self.relation(key.referenced).cloned() else { return };
                self.lock(&referenced, RowShare, span);
                self.check_orphans(&state.relation.clone(), &referenced, span);
            }
            schema::ConstraintKind::Check { expression, .. } => {
                if !constraint.no_inherit {
                    self.recurse(state);
                }
                for table in self.family(&state.relation, state.only || constraint.no_inherit) {
                    let own = table.constraint(&name.name);
                    if own.is_none_or(|own| !own.validated) {
                        self.scan(&table, span, "the CHECK is checked on every row");
                        let query = violating_rows(&table, expression);
                        let message = format!("check constraint \"{}\" is violated by some row", name.name.as_str());
                        self.fail_on_rows(&table, FailsWhen::SomeRow { query }, span, &table.name, message);
                    }
                }
            }
            schema::ConstraintKind::NotNull(column) => self.validate_not_null(state, *column),
            schema::ConstraintKind::Unique { .. }
            | schema::ConstraintKind::PrimaryKey { .. }
            | schema::ConstraintKind::Exclude { .. } => {}
        }
    }

    fn validate_not_null(&mut self, state: &Alter, column: schema::ColumnId) {
        let Some(column) = state.relation.column_by_id(column).cloned() else { return };
        if column.not_null != NotNull::NotValid {
            return;
        }
        self.recurse(state);
        let ident = Ident { name: column.name.clone(), span: state.action.span };
        for table in self.targets(state) {
            if table.column(&column.name).is_some_and(|it| it.not_null != NotNull::Yes) {
                self.check_not_null(&table, &ident, state.action.span);
            }
        }
    }

    #[deny(clippy::wildcard_enum_match_arm, reason = "a new constraint says what it does")]
    pub(super) fn drop_constraint(&mut self, state: &Alter, name: &Name) {
        let span = state.action.span;
        let Some(constraint) = state.relation.constraint(name).cloned() else { return };
        let recurses = match &constraint.kind {
            schema::ConstraintKind::Check { .. } => !constraint.no_inherit,
            schema::ConstraintKind::NotNull(_) => true,
            schema::ConstraintKind::Unique { .. }
            | schema::ConstraintKind::PrimaryKey { .. }
            | schema::ConstraintKind::Exclude { .. }
            | schema::ConstraintKind::ForeignKey(_) => state.relation.is_partitioned(),
        };
        if recurses {
            self.lock_those_that_inherit(state);
        }
        // ATExecDropConstraint locks the referenced table itself.
        if let schema::ConstraintKind::ForeignKey(key) = &constraint.kind {
            self.lock_id(key.referenced, AccessExclusive, span);
        }
        self.lock_dropped(&Object::Constraint(state.relation.id, name.clone()), span);
    }

    /// Children keep with ONLY what they inherited as their own, and are locked for it (dropconstraint_internal); a partitioned table is
    /// locked with all that is below it (ATCheckPartitionsNotInUse, tablecmds.c).
    pub(super) fn lock_those_that_inherit(&mut self, state: &Alter) {
        let relation = state.relation.clone();
        if relation.is_partitioned() || !state.only {
            for table in self.family(&relation, false) {
                self.lock(&table, AccessExclusive, state.action.span);
            }
        } else {
            relation.children.iter().for_each(|child| self.lock_id(*child, AccessExclusive, state.action.span));
        }
    }

    pub(super) fn rename_constraint(&mut self, state: &Alter, name: &Name) {
        let constraint = state.relation.constraint(name);
        // rename_constraint_internal (tablecmds.c): only inheritable CHECKs are renamed in children.
        let inherits = constraint.is_some_and(|it| {
            matches!(it.kind, schema::ConstraintKind::Check { .. } | schema::ConstraintKind::NotNull(_))
                && !it.no_inherit
        });
        if inherits {
            self.recurse(state);
        }
    }

    pub(super) fn alter_constraint(&mut self, state: &Alter, name: &Name, enforced: Option<bool>) {
        let Some(constraint) = state.relation.constraint(name).cloned() else { return };
        let schema::ConstraintKind::ForeignKey(key) = &constraint.kind else { return };
        if state.relation.is_partitioned() {
            self.recurse(state);
        }
        if enforced.is_some_and(|enforced| enforced != constraint.enforced) {
            // NOT ENFORCED drops the triggers on the referenced table (DropForeignKeyConstraintTriggers), ENFORCED makes them.
            let mode = if enforced == Some(false) { AccessExclusive } else { ShareRowExclusive };
            self.lock_id(key.referenced, mode, state.action.span);
            if let (Some(true), Some(referenced)) = (enforced, self.relation(key.referenced).cloned()) {
                self.check_orphans(&state.relation.clone(), &referenced, state.action.span);
            }
        }
    }
}
