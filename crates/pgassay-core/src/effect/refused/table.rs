//! CREATE TABLE, CREATE INDEX, and what a column definition may say.

use super::super::predictor::Predictor;
use crate::change::{
    AlterSequence, Change, ColumnDefinition, CreateIndex, CreateTable, CreateType, ObjectName, Persistence,
    SequenceOptions, TypeDefinition, TypeName,
};
use crate::schema::{ColumnType, Relation, RelationKind, ResolvedType, Schema};
use crate::source::Span;

impl Predictor<'_> {
    pub(super) fn refuse_create_table(&mut self, change: &Change, create: &CreateTable) {
        let name = self.schema().qualify(&create.name, self.context.session);
        if self.schema().relation_at(&name).is_some() {
            return;
        }
        if self.refuse_inherits(create) || self.refuse_like(create) {
            return;
        }
        let after = self.after(change);
        let temporary = crate::change::QualifiedName { schema: "pg_temp".into(), name: name.name.clone() };
        let made = after.relation_at(&name).or_else(|| after.relation_at(&temporary));
        let Some(table) = made.filter(|it| self.relation(it.id).is_none() && it.is_table()).cloned() else { return };
        for column in &create.columns {
            self.refuse_column(&after, &table, column);
        }
        for constraint in &create.constraints {
            self.refuse_constraint(&after, &table, constraint);
        }
        if create.partition_by.is_some() {
            self.refuse_options_of_partitioned(&create.options);
        } else if create.foreign_server.is_none() && create.access_method.is_none() {
            self.refuse_options(&create.options);
        }
        let elsewhere = create.name.schema.as_ref().filter(|schema| **schema != "pg_temp");
        if let Some(schema) = elsewhere.filter(|_| create.persistence == Persistence::Temporary) {
            let message = "cannot create temporary relation in non-temporary schema";
            self.refused(create.name.span, schema, message);
        }
        if let Some(key) = &create.partition_by {
            self.refuse_partition_key(&after, &table, key);
        }
        if let Some((parent, bound)) = &create.partition_of {
            self.refuse_partition(parent, &create.name, bound);
        }
    }

    /// A column of CREATE TABLE or ADD COLUMN, on the table as it is afterwards.
    pub(super) fn refuse_column(&mut self, after: &Schema, table: &Relation, column: &ColumnDefinition) {
        if super::output::is_system_column(&column.name.name) {
            let message = super::output::system_column(&column.name.name);
            return self.refused(column.name.span, &column.name.name, message);
        }
        let Some(found) = table.column(&column.name.name) else { return };
        let (name, scope) = (column.name.name.as_str(), self.scope_on(after, Some(table)));
        if let Some(written) = column.data_type.as_ref().filter(|it| !is_serial(it))
            && self.refuse_column_type(&column.name, &found.data_type, written)
        {
            return;
        }
        if let Some(collation) = &column.collation
            && self.refuse_collation(collation, &found.data_type)
        {
            return;
        }
        let both = |one: &str, other: &str| {
            format!("both {one} and {other} specified for column \"{name}\" of table \"{}\"", table.name.name.as_str())
        };
        let serial = column.data_type.as_ref().is_some_and(is_serial);
        match (&column.default, &column.generated, &column.identity) {
            (Some(default), Some(_), _) => {
                return self.refused(default.span, name, both("default", "generation expression"));
            }
            (Some(default), _, Some(_)) => return self.refused(default.span, name, both("default", "identity")),
            (_, Some(generated), Some(_)) => {
                return self.refused(generated.span, name, both("identity", "generation expression"));
            }
            (Some(default), _, _) if serial => {
                let message = format!(
                    "multiple default values specified for column \"{name}\" of table \"{}\"",
                    table.name.name.as_str()
                );
                return self.refused(default.span, name, message);
            }
            _ => {}
        }
        if let Some(default) = &column.default {
            self.refuse_default(name, &found.data_type, default, scope);
        }
        if let Some(generated) = &column.generated {
            let stored = generated.stored || !self.at_least(18);
            self.refuse_generated(table, name, &generated.expression, stored, scope);
        }
        if let Some(identity) = &column.identity {
            self.refuse_identity_type(name, &found.data_type, after, identity.span);
        }
    }

    /// Only integers count (`identity column type must be …`, sequence.c).
    pub(super) fn refuse_identity_type(&mut self, column: &str, of: &ColumnType, after: &Schema, span: Span) {
        let base = after.base_type(of);
        let counts =
            matches!(base.written.name.as_str(), "int2" | "int4" | "int8") && base.written.array_dimensions == 0;
        let known = !matches!(base.resolved, ResolvedType::Unknown);
        if known && !(counts && base.resolved == ResolvedType::BuiltIn) {
            self.refused(span, column, "identity column type must be smallint, integer, or bigint");
        }
    }

    pub(super) fn refuse_create_index(&mut self, create: &CreateIndex) {
        let Some(table) = self.find(&create.table) else { return };
        let Some(table) = self.relation(table.id).cloned() else { return };
        if create.if_not_exists
            && let Some(name) = &create.name
            && self.schema().relations_in(&table.name.schema).any(|it| it.name.name == name.name)
        {
            return;
        }
        let method = create.method.as_str();
        const METHODS: &[&str] = &["btree", "hash", "gin", "gist", "spgist", "brin"];
        let schema = self.schema();
        let own_method = schema.others.iter().any(|(kind, _)| *kind == crate::change::ObjectKind::AccessMethod);
        if !METHODS.contains(&method) && schema.complete && schema.extensions.is_empty() && !own_method {
            let message = format!("access method \"{method}\" does not exist");
            return self.refused(create.table.span, &create.table, message);
        }
        let system = create.elements.iter().find_map(|element| match &element.target {
            crate::change::IndexTarget::Column(column) if super::output::is_system_column(&column.name) => Some(column),
            _ => None,
        });
        if let Some(column) = system {
            return self.refused(column.span, &column.name, "index creation on system columns is not supported");
        }
        let ability = |what: &str| format!("access method \"{method}\" does not support {what}");
        let many = create.elements.len() > 1;
        // amcanunique, amcanmulticol, amcaninclude of the access methods that the server brings.
        if create.unique && matches!(method, "hash" | "gin" | "gist" | "spgist" | "brin") {
            return self.refused(create.table.span, &create.table, ability("unique indexes"));
        }
        if many && matches!(method, "hash" | "spgist") {
            return self.refused(create.table.span, &create.table, ability("multicolumn indexes"));
        }
        if !create.include.is_empty() && matches!(method, "hash" | "gin" | "brin") {
            return self.refused(create.table.span, &create.table, ability("included columns"));
        }
        let directed = create.elements.iter().find(|it| it.descending || it.nulls_first.is_some());
        if let Some(element) = directed.filter(|_| matches!(method, "hash" | "gin" | "gist" | "spgist" | "brin")) {
            let what = if element.descending { "ASC/DESC options" } else { "NULLS FIRST/LAST options" };
            return self.refused(element.span, &create.table, ability(what));
        }
        self.refuse_options_of_index(create);
        let scope = self.scope_on(self.context.schema, Some(&*table));
        self.refuse_index_expressions(&create.elements, create.predicate.as_ref(), scope);
        self.refuse_virtual_in_index(&table, create);
        if create.unique {
            let columns = create.elements.iter().filter_map(|element| match &element.target {
                crate::change::IndexTarget::Column(column) => table.column(&column.name).map(|it| it.id),
                crate::change::IndexTarget::Expression(_) => None,
            });
            let columns: Vec<_> = columns.collect();
            self.refuse_key_of_partitioned(&table, &columns, create.table.span);
        }
        self.refuse_operator_classes(&create.elements, method);
    }

    /// Storage parameters of the access methods that the server brings (reloptions.c).
    fn refuse_options_of_index(&mut self, create: &CreateIndex) {
        let taken: &[&str] = match create.method.as_str() {
            "btree" => &["fillfactor", "deduplicate_items", "vacuum_cleanup_index_scale_factor"],
            "hash" | "spgist" => &["fillfactor"],
            "gist" => &["fillfactor", "buffering"],
            "gin" => &["fastupdate", "gin_pending_list_limit"],
            "brin" => &["pages_per_range", "autosummarize"],
            _ => return,
        };
        for option in &create.storage {
            if !taken.contains(&&*option.name) {
                let message = format!("unrecognized parameter \"{}\"", option.name);
                return self.refused(option.span, &*option.name, message);
            }
            let number = option.value.as_deref().and_then(|value| value.parse::<i64>().ok());
            if let Some(number) = number.filter(|it| &*option.name == "fillfactor" && !(10..=100).contains(it)) {
                let message = format!("value {number} out of bounds for option \"fillfactor\"");
                return self.refused(option.span, &*option.name, message);
            }
        }
    }

    fn refuse_virtual_in_index(&mut self, table: &Relation, create: &CreateIndex) {
        if !self.at_least(18) {
            return;
        }
        let is_virtual = |id| {
            let column = table.column_by_id(id);
            column.is_some_and(|it| it.generated.as_ref().is_some_and(|it| !it.stored))
        };
        let mut named: Vec<crate::schema::ColumnId> = Vec::new();
        for element in &create.elements {
            match &element.target {
                crate::change::IndexTarget::Column(column) => named.extend(table.column(&column.name).map(|it| it.id)),
                crate::change::IndexTarget::Expression(it) => {
                    named.extend(crate::schema::columns_named(&it.tree, table))
                }
            }
        }
        named.extend(create.predicate.iter().flat_map(|it| crate::schema::columns_named(&it.tree, table)));
        if named.into_iter().any(is_virtual) {
            let message = "indexes on virtual generated columns are not supported";
            self.refused(create.table.span, &create.table, message);
        }
    }

    /// Operator classes of an extension that is not there.
    fn refuse_operator_classes(&mut self, elements: &[crate::change::IndexElement], method: &str) {
        const OF_EXTENSIONS: &[(&str, &str)] = &[
            ("gin_trgm_ops", "pg_trgm"),
            ("gist_trgm_ops", "pg_trgm"),
            ("gin_hstore_ops", "hstore"),
            ("gist_ltree_ops", "ltree"),
            ("gist__ltree_ops", "ltree"),
            ("gin__int_ops", "intarray"),
            ("gist__int_ops", "intarray"),
        ];
        let schema = self.schema();
        let made = schema.others.iter().any(|(kind, _)| *kind == crate::change::ObjectKind::OperatorClass);
        if !schema.complete || !schema.vouched || made {
            return;
        }
        for element in elements {
            let Some(class) = &element.operator_class else { continue };
            let of = OF_EXTENSIONS.iter().find(|(name, _)| class.name == *name);
            if let Some((name, _)) =
                of.filter(|(_, it)| !schema.extensions.contains_key(&crate::change::Name::from(*it)))
            {
                let message = format!("operator class \"{name}\" does not exist for access method \"{method}\"");
                self.refused(class.span, class, message);
            }
        }
    }

    /// ALTER SEQUENCE, on what the sequence has already. Where a limit was written once and may be taken back by NO MINVALUE or
    /// NO MAXVALUE, it is not held against the rest.
    pub(super) fn refuse_altered_sequence(&mut self, alter: &AlterSequence) {
        let Some(found) = self.find(&alter.name).filter(|it| it.known) else { return };
        let RelationKind::Sequence(sequence) = &found.kind else { return };
        let options = &alter.options;
        let may_be_lifted = |old: Option<i64>, new: Option<i64>| old.is_some() && new.is_none();
        if may_be_lifted(sequence.min_value, options.min_value) || may_be_lifted(sequence.max_value, options.max_value)
        {
            return;
        }
        let ascending = options.increment.unwrap_or(sequence.increment) > 0;
        // Without START it started at its end.
        let started = match (sequence.increment > 0, ascending) {
            (true, true) => Some(sequence.start.or(sequence.min_value).unwrap_or(1)),
            (false, false) => Some(sequence.start.or(sequence.max_value).unwrap_or(-1)),
            _ => None,
        };
        let whole = SequenceOptions {
            data_type: options.data_type.clone().or_else(|| {
                let plain = TypeName::named(&ObjectName {
                    schema: None,
                    name: sequence.data_type.clone(),
                    span: alter.name.span,
                });
                Some(plain)
            }),
            increment: Some(options.increment.unwrap_or(sequence.increment)),
            min_value: options.min_value,
            max_value: options.max_value,
            start: options.start.or(started),
            cache: options.cache,
            ..SequenceOptions::default()
        };
        let before = self.out.failures.len();
        self.refuse_sequence(&alter.name, &whole);
        let least = options.min_value.unwrap_or(1);
        if let Some(Some(restart)) = options.restart
            && self.out.failures.len() == before
            && ascending
            && restart < least
        {
            let message = format!("RESTART value ({restart}) cannot be less than MINVALUE ({least})");
            self.refused(alter.name.span, &alter.name, message);
        }
    }

    pub(super) fn refuse_sequence(&mut self, name: &ObjectName, options: &SequenceOptions) {
        let increment = options.increment.unwrap_or(1);
        let (least, most) = match options.data_type.as_ref().map(|it| it.name.as_str()) {
            Some("int2") => (i64::from(i16::MIN), i64::from(i16::MAX)),
            Some("int4") => (i64::from(i32::MIN), i64::from(i32::MAX)),
            None | Some("int8") => (i64::MIN, i64::MAX),
            Some(_) => {
                return self.refused(name.span, name, "sequence type must be smallint, integer, or bigint");
            }
        };
        let ascending = increment > 0;
        let min = options.min_value.unwrap_or(if ascending { 1 } else { least });
        let max = options.max_value.unwrap_or(if ascending { most } else { -1 });
        let message = if increment == 0 {
            "INCREMENT must not be zero".to_owned()
        } else if max < least || max > most {
            format!(
                "MAXVALUE ({max}) is out of range for sequence data type {}",
                options.data_type.as_ref().map_or_else(|| "bigint".to_owned(), ToString::to_string)
            )
        } else if min < least || min > most {
            format!(
                "MINVALUE ({min}) is out of range for sequence data type {}",
                options.data_type.as_ref().map_or_else(|| "bigint".to_owned(), ToString::to_string)
            )
        } else if min >= max {
            format!("MINVALUE ({min}) must be less than MAXVALUE ({max})")
        } else {
            match options.start {
                Some(start) if start < min => format!("START value ({start}) cannot be less than MINVALUE ({min})"),
                Some(start) if start > max => format!("START value ({start}) cannot be greater than MAXVALUE ({max})"),
                _ if options.cache.is_some_and(|it| it <= 0) => {
                    format!("CACHE ({}) must be greater than zero", options.cache.unwrap_or_default())
                }
                _ => return,
            }
        };
        self.refused(name.span, name, message);
    }

    pub(super) fn refuse_type(&mut self, create: &CreateType) {
        match &create.definition {
            TypeDefinition::Enum(labels) => {
                for (at, (label, span)) in labels.iter().enumerate() {
                    if labels[..at].iter().any(|(other, _)| other == label) {
                        // 18 says it better; the older ones run into the unique index of pg_enum.
                        let message = format!("enum label \"{label}\" used more than once");
                        return self.refused(*span, &create.name, message);
                    }
                    if label.len() > 63 {
                        return self.refused(*span, &create.name, format!("invalid enum label \"{label}\""));
                    }
                }
            }
            TypeDefinition::Composite(fields) => {
                for (at, (field, _)) in fields.iter().enumerate() {
                    if fields[..at].iter().any(|(other, _)| other.name == field.name) {
                        let message = format!("column \"{}\" specified more than once", field.name.as_str());
                        return self.refused(field.span, &create.name, message);
                    }
                }
            }
            _ => {}
        }
    }
}

fn is_serial(of: &TypeName) -> bool {
    matches!(of.name.as_str(), "serial" | "serial2" | "serial4" | "serial8" | "bigserial" | "smallserial")
}

/// Whether a relation may have rows of its own.
pub(super) fn is_plain_table(relation: &Relation) -> bool {
    matches!(relation.kind, RelationKind::Table)
}
