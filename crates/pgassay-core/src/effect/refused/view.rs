//! Statements on rows of what has none to give them to: views that take no writes, materialized views, sequences, indexes.

use sqlparser::ast;

use super::super::predictor::Predictor;
use crate::change::{
    Cluster, Copy, Insert, LockTable, Name, ObjectName, RuleEvent, TriggerEvent, TriggerTiming, Truncate, Update,
};
use crate::expression::{self, Place, Shown};
use crate::schema::{Relation, RelationKind, rewrite};

/// Views on views on views, further than anybody builds them.
const DEEPEST_VIEW: usize = 64;

impl Predictor<'_> {
    pub(super) fn refuse_inserted(&mut self, insert: &Insert) {
        let listed: Vec<Name> = match &insert.columns[..] {
            [] => self.first_columns(insert),
            columns => columns.iter().map(|column| column.name.clone()).collect(),
        };
        self.refuse_write(&insert.table, RuleEvent::Insert, &listed);
    }

    pub(super) fn refuse_updated(&mut self, update: &Update) {
        let columns: Vec<Name> = update.columns.iter().map(|column| column.name.clone()).collect();
        self.refuse_write(&update.table, RuleEvent::Update, &columns);
    }

    /// The columns that get the values of a VALUES list without names.
    fn first_columns(&self, insert: &Insert) -> Vec<Name> {
        let ast::Statement::Insert(tree) = &*insert.tree.0 else { return Vec::new() };
        let Some(ast::SetExpr::Values(values)) = tree.source.as_ref().map(|source| &*source.body) else {
            return Vec::new();
        };
        let given = values.rows.first().map_or(0, |row| row.content.len());
        let table = self.find(&insert.table);
        table.iter().flat_map(|it| it.columns.iter().take(given)).map(|column| column.name.clone()).collect()
    }

    /// `CheckValidResultRel` (execMain.c) and `rewriteTargetView` (rewriteHandler.c).
    pub(super) fn refuse_write(&mut self, table: &ObjectName, event: RuleEvent, columns: &[Name]) {
        let Some(found) = self.find(table).filter(|it| it.known) else { return };
        let name = found.name.name.as_str();
        let message = match &found.kind {
            RelationKind::MaterializedView(_) => format!("cannot change materialized view \"{name}\""),
            RelationKind::Sequence(_) => format!("cannot change sequence \"{name}\""),
            RelationKind::Index(_) => format!("cannot open relation \"{name}\""),
            RelationKind::View(_) => match self.unwritable(&found, event, columns) {
                Some(message) => message,
                None => return,
            },
            RelationKind::Table | RelationKind::PartitionedTable(_) | RelationKind::ForeignTable => return,
        };
        self.refused(table.span, &found.name, message);
    }

    /// Why a write of these columns does not go through a view.
    fn unwritable(&self, view: &Relation, event: RuleEvent, columns: &[Name]) -> Option<String> {
        let (schema, version) = (self.context.schema, self.context.version);
        let (does, into) = match event {
            RuleEvent::Insert => ("insert into", "insert into column"),
            RuleEvent::Update => ("update", "update column"),
            RuleEvent::Delete => ("delete from", ""),
            RuleEvent::Select => return None,
        };
        let (mut at, mut columns) = (view, columns.to_vec());
        for _ in 0..DEEPEST_VIEW {
            let name = at.name.name.as_str();
            let RelationKind::View(made) = &at.kind else { return None };
            if !at.known || stands_in(at, event) {
                return None;
            }
            let refused = || Some(format!("cannot {does} view \"{name}\""));
            if expression::takes_no_writes(&made.query.tree, schema, version) {
                return refused();
            }
            let beneath = expression::relation_beneath(schema, made)?;
            if beneath.as_view().is_some_and(|_| !matches!(beneath.kind, RelationKind::View(_))) {
                return refused();
            }
            let shown = expression::columns_shown(made, at, beneath);
            if event != RuleEvent::Delete && shown.iter().flatten().all(|it| *it == Shown::Computed) && shown.is_some()
            {
                return refused();
            }
            let mut passed = Vec::new();
            for column in &columns {
                let position = at.columns.iter().position(|it| it.name == *column)?;
                match shown.as_ref()?.get(position)? {
                    Shown::Column(name) => passed.push(name.clone()),
                    Shown::Computed => {
                        return Some(format!("cannot {into} \"{}\" of view \"{name}\"", column.as_str()));
                    }
                    Shown::Unknown => return None,
                }
            }
            (at, columns) = (beneath, passed);
        }
        None
    }

    /// MERGE goes through views since 17 (`transformMergeStmt`, parse_merge.c).
    pub(super) fn refuse_merged(&mut self, table: &ObjectName) {
        let Some(found) = self.find(table).filter(|it| it.known) else { return };
        let takes_it = found.is_table() || matches!(found.kind, RelationKind::View(_)) && self.at_least(17);
        if !takes_it {
            let message = format!("cannot execute MERGE on relation \"{}\"", found.name.name.as_str());
            self.refused(table.span, &found.name, message);
        }
    }

    /// `truncate_check_rel` (tablecmds.c).
    pub(super) fn refuse_truncated_kind(&mut self, truncate: &Truncate) {
        for (name, _) in &truncate.tables {
            let Some(found) = self.find(name).filter(|it| it.known && !it.is_table()) else { continue };
            self.refused(name.span, name, format!("\"{}\" is not a table", found.name.name.as_str()));
        }
    }

    /// `RangeVarCallbackForLockTable` (lockcmds.c).
    pub(super) fn refuse_locked_kind(&mut self, lock: &LockTable) {
        for (name, _) in &lock.tables {
            let Some(found) = self.find(name).filter(|it| it.known) else { continue };
            let lockable =
                matches!(found.kind, RelationKind::Table | RelationKind::PartitionedTable(_) | RelationKind::View(_));
            if !lockable {
                let relation = found.name.name.as_str();
                let message = match self.at_least(15) {
                    true => format!("cannot lock relation \"{relation}\""),
                    false => format!("\"{relation}\" is not a table or view"),
                };
                self.refused(name.span, name, message);
            }
        }
    }

    /// CLUSTER without an index wants one that was marked before (`cluster`, cluster.c).
    pub(super) fn refuse_cluster(&mut self, cluster: &Cluster) {
        let Some(name) = cluster.table.as_ref().filter(|_| cluster.index.is_none()) else { return };
        let Some(found) = self.find(name).filter(|it| it.known && it.has_storage()) else { return };
        if found.clustered_on.is_none() {
            let message = format!("there is no previously clustered index for table \"{}\"", found.name.name.as_str());
            self.refused(name.span, name, message);
        }
    }

    /// nextval, currval and setval of what is no sequence, in a SELECT of one row (`init_sequence`, sequence.c).
    pub(super) fn refuse_no_sequence(&mut self, statement: &ast::Statement, span: crate::source::Span) {
        let ast::Statement::Query(query) = statement else { return };
        let ast::SetExpr::Select(select) = &*query.body else { return };
        if !select.from.is_empty() || select.selection.is_some() {
            return;
        }
        for item in &select.projection {
            let (ast::SelectItem::UnnamedExpr(expression) | ast::SelectItem::ExprWithAlias { expr: expression, .. }) =
                item
            else {
                continue;
            };
            for (schema, name) in rewrite::sequences(expression) {
                let name = ObjectName { schema, name, span };
                let Some(found) = self.schema().find_relation(&name, self.context.session).cloned() else { continue };
                if found.known && !matches!(found.kind, RelationKind::Sequence(_)) {
                    let relation = found.name.name.as_str();
                    let message = match self.at_least(16) {
                        true => format!("cannot open relation \"{relation}\""),
                        false => format!("\"{relation}\" is not a sequence"),
                    };
                    return self.refused(span, &found.name, message);
                }
            }
        }
    }

    /// COPY reads and fills tables; a view takes rows where a trigger stands in for them (`BeginCopyTo`, copyto.c; `CopyFrom`,
    /// copyfrom.c).
    pub(super) fn refuse_copied(&mut self, copy: &Copy) {
        if let Some(query) = &copy.query {
            self.refuse_query(&query.tree, query.span);
        }
        let Some(name) = &copy.table else { return };
        let Some(found) = self.find(name).filter(|it| it.known) else { return };
        let triggered = found.triggers.iter().any(|it| fires_instead(it, TriggerEvent::Insert));
        let fits = match &found.kind {
            RelationKind::Table => true,
            RelationKind::PartitionedTable(_) | RelationKind::ForeignTable => copy.from,
            RelationKind::View(_) => copy.from && triggered,
            RelationKind::MaterializedView(view) => !copy.from && view.populated && self.at_least(18),
            RelationKind::Index(_) | RelationKind::Sequence(_) => false,
        };
        if !fits {
            let way = if copy.from { "to" } else { "from" };
            let message = format!("cannot copy {way} {} \"{}\"", found.noun(), found.name.name.as_str());
            return self.refused(name.span, name, message);
        }
        if let Some(predicate) = &copy.predicate {
            self.refuse_expression(predicate, Place::CopyWhere, self.scope_on(self.schema(), Some(&found)));
        }
    }
}

/// An INSTEAD OF trigger or an INSTEAD rule takes the write.
fn stands_in(view: &Relation, event: RuleEvent) -> bool {
    let fired = match event {
        RuleEvent::Insert => TriggerEvent::Insert,
        RuleEvent::Delete => TriggerEvent::Delete,
        _ => TriggerEvent::Update(Vec::new()),
    };
    view.triggers.iter().any(|it| fires_instead(it, fired.clone()))
        || view.rules.iter().any(|rule| rule.instead && rule.event == event)
}

fn fires_instead(trigger: &crate::schema::Trigger, event: TriggerEvent) -> bool {
    let is_it = |own: &TriggerEvent| std::mem::discriminant(own) == std::mem::discriminant(&event);
    trigger.timing == TriggerTiming::InsteadOf && trigger.events.iter().any(is_it)
}
