//! Expressions of definitions, and the expressions and names of queries and statements on rows.

use sqlparser::ast;

use super::super::predictor::Predictor;
use crate::catalog::Volatility;
use crate::change::{Change, CreateDomain, Expression, IndexElement, IndexTarget, ObjectName, RuleEvent};
use crate::expression::{self, Place, QueryAnalysis, Scope, Unfit};
use crate::schema::{ColumnType, Relation, RelationKind, ResolvedType};
use crate::source::Span;
use crate::walk;

impl Predictor<'_> {
    /// A query, where columns, functions, operators and literals are those of the schema.
    pub(super) fn refuse_query(&mut self, query: &ast::Query, whole: Span) {
        let analysis = expression::judge_query(query, self.scope(None));
        self.refuse_analysis(&analysis, whole);
    }

    /// A statement on rows; relations that are missing are told by `schema`.
    pub(super) fn refuse_statement(&mut self, statement: &ast::Statement, whole: Span) {
        let analysis = expression::judge_statement(statement, self.scope(None));
        self.refuse_analysis(&analysis, whole);
    }

    fn refuse_analysis(&mut self, analysis: &QueryAnalysis, whole: Span) {
        // What a missing relation or column would have been is not known.
        if !analysis.missing.is_empty() || !analysis.unknown_columns.is_empty() {
            return;
        }
        if let Some(first) = analysis.refusals.first() {
            let span = self.place_of(first.span, whole);
            self.refused(span, "", first.message.clone());
        }
    }

    /// DEFAULT of a column of this type (cookDefault, heap.c).
    pub(super) fn refuse_default(&mut self, column: &str, of: &ColumnType, default: &Expression, scope: Scope) {
        if self.refuse_expression(default, Place::Default, scope) {
            return;
        }
        match expression::unfit(&default.tree, of, scope) {
            Some(Unfit::Type(is)) => {
                let wanted = expression::type_word(of, scope);
                let message = format!("column \"{column}\" is of type {wanted} but default expression is of type {is}");
                self.refused(default.span, column, message);
            }
            Some(Unfit::Literal(message)) => self.refused(default.span, column, message),
            None => {}
        }
    }

    /// GENERATED ALWAYS AS of a column.
    pub(super) fn refuse_generated(
        &mut self,
        table: &Relation,
        column: &str,
        generated: &Expression,
        stored: bool,
        scope: Scope,
    ) {
        let named = crate::schema::columns_named(&generated.tree, table);
        let mut other = named.iter().filter_map(|id| table.column_by_id(*id));
        let other = other.find(|it| it.generated.is_some());
        if let Some(other) = other {
            let message =
                format!("cannot use generated column \"{}\" in column generation expression", other.name.as_str());
            return self.refused(generated.span, column, message);
        }
        if self.refuse_expression(generated, Place::Generated, scope) {
            return;
        }
        if self.is_certainly_mutable(generated, scope) {
            return self.refused(generated.span, column, "generation expression is not immutable");
        }
        if !stored {
            self.refuse_virtual(table, column, generated, scope);
        }
        let Some(of) = table.columns.iter().find(|it| it.name == *column).map(|it| &it.data_type) else { return };
        match expression::unfit(&generated.tree, of, scope) {
            Some(Unfit::Type(is)) => {
                let wanted = expression::type_word(of, scope);
                let message = format!("column \"{column}\" is of type {wanted} but default expression is of type {is}");
                self.refused(generated.span, column, message);
            }
            Some(Unfit::Literal(message)) => self.refused(generated.span, column, message),
            None => {}
        }
    }

    /// Virtual columns are computed by whoever reads them: only with what the server brings (`check_virtual_generated_security`).
    fn refuse_virtual(&mut self, table: &Relation, column: &str, generated: &Expression, scope: Scope) {
        if !expression::routines(&generated.tree, scope).is_empty() {
            return self.refused(generated.span, column, "generation expression uses user-defined function");
        }
        let of = table.columns.iter().find(|it| it.name == *column).map(|it| &it.data_type);
        if of.is_some_and(|of| matches!(of.resolved, crate::schema::ResolvedType::User(_))) {
            let message = format!("virtual generated column \"{column}\" cannot have a user-defined type");
            self.refused(generated.span, column, message);
        }
    }

    pub(super) fn is_certainly_mutable(&self, expression: &Expression, scope: Scope) -> bool {
        scope.schema.complete && expression::least_volatility(&expression.tree, scope) != Volatility::Immutable
    }

    pub(super) fn refuse_check(&mut self, check: &Expression, scope: Scope) {
        self.refuse_expression(check, Place::Check, scope);
    }

    /// Expressions and predicate of an index (ComputeIndexAttrs, CheckPredicate, indexcmds.c).
    pub(super) fn refuse_index_expressions(
        &mut self,
        elements: &[IndexElement],
        predicate: Option<&Expression>,
        scope: Scope,
    ) {
        if let Some(predicate) = predicate
            && !self.refuse_expression(predicate, Place::IndexPredicate, scope)
            && self.is_certainly_mutable(predicate, scope)
        {
            self.refused(predicate.span, "", "functions in index predicate must be marked IMMUTABLE");
        }
        for element in elements {
            let IndexTarget::Expression(expression) = &element.target else { continue };
            if !self.refuse_expression(expression, Place::IndexExpression, scope)
                && self.is_certainly_mutable(expression, scope)
            {
                self.refused(expression.span, "", "functions in index expression must be marked IMMUTABLE");
            }
        }
    }

    pub(super) fn refuse_domain(&mut self, create: &CreateDomain) {
        let scope = self.scope(None);
        let base = expression::resolve_type(&create.base, scope);
        if let Some(collation) = &create.collation
            && self.refuse_collation(collation, &base)
        {
            return;
        }
        if let Some(message) = self.wrong_modifier(&create.base).filter(|_| base.resolved == ResolvedType::BuiltIn) {
            return self.refused(create.base.span, &create.name, message);
        }
        if let Some(default) = &create.default {
            self.refuse_default(create.name.name.as_str(), &base, default, scope);
        }
        for constraint in &create.constraints {
            if let crate::change::ConstraintKind::Check(check) = &constraint.kind {
                self.refuse_domain_check(check, &base);
            }
        }
    }

    /// What checks every value of a domain looks at columns of the domain, not into arrays and rows (validateDomainCheckConstraint and
    /// find_composite_type_dependencies, typecmds.c and tablecmds.c).
    pub(super) fn refuse_alter_domain(&mut self, alter: &crate::change::AlterDomain) {
        use crate::change::AlterDomainAction;
        let Some(found) = self.schema().find_type(&alter.name.schema, &alter.name.name, self.context.session) else {
            return;
        };
        let (id, name) = (found.id, found.name.name.as_str().to_owned());
        if let crate::schema::TypeDefinition::Domain(domain) = &found.definition {
            let base = domain.base.clone();
            match &alter.action {
                AlterDomainAction::SetDefault(default) => {
                    return self.refuse_default(&name, &base, default, self.scope(None));
                }
                AlterDomainAction::AddConstraint(constraint) => {
                    if let crate::change::ConstraintKind::Check(check) = &constraint.kind {
                        self.refuse_domain_check(check, &base);
                    }
                }
                _ => {}
            }
        }
        let looks = match &alter.action {
            AlterDomainAction::AddConstraint(constraint) => !constraint.not_valid,
            AlterDomainAction::SetNotNull => true,
            _ => false,
        };
        if let Some(column) = self.column_holding(id).filter(|_| looks) {
            self.refused(
                alter.span,
                name.as_str(),
                format!("cannot alter type \"{name}\" because column \"{column}\" uses it"),
            );
        }
    }

    pub(super) fn refuse_statistics(&mut self, create: &crate::change::CreateStatistics) {
        if self.refuse_elements_of_statistics(create) {
            return;
        }
        let Some(name) = create.table.as_ref().filter(|_| self.at_least(18)) else { return };
        let Some(table) = self.find(name).and_then(|it| self.relation(it.id)).cloned() else { return };
        let is_virtual = |element: &IndexElement| match &element.target {
            IndexTarget::Column(column) => {
                table.column(&column.name).is_some_and(|it| it.generated.as_ref().is_some_and(|it| !it.stored))
            }
            IndexTarget::Expression(_) => false,
        };
        if let Some(element) = create.elements.iter().find(|it| is_virtual(it)) {
            let message = "statistics creation on virtual generated columns is not supported";
            self.refused(element.span, name, message);
        }
    }

    /// `CreateStatistics` (statscmds.c).
    fn refuse_elements_of_statistics(&mut self, create: &crate::change::CreateStatistics) -> bool {
        let column = |element: &IndexElement| match &element.target {
            IndexTarget::Column(column) => Some(column.name.clone()),
            IndexTarget::Expression(_) => None,
        };
        let kind = create.kinds.iter().find(|it| !matches!(it.as_str(), "ndistinct" | "dependencies" | "mcv"));
        let twice = create.elements.iter().enumerate().find(|(at, element)| {
            let name = column(element);
            name.is_some() && create.elements[..*at].iter().any(|other| column(other) == name)
        });
        let message = match (kind, twice, &create.elements[..]) {
            (Some(kind), ..) => format!("unrecognized statistics kind \"{}\"", kind.as_str()),
            (_, Some(_), _) => "duplicate column name in statistics definition".to_owned(),
            (.., [only]) if column(only).is_some() => "extended statistics require at least 2 columns".to_owned(),
            _ => return false,
        };
        let Some(first) = create.elements.first() else { return false };
        self.refused(first.span, "", message);
        true
    }

    /// CREATE POLICY: rows that are written are checked, rows that are read are not (`CreatePolicy`, policy.c).
    pub(super) fn refuse_command_of_policy(&mut self, create: &crate::change::CreatePolicy) {
        let message = match create.command {
            Some(RuleEvent::Insert) if create.using.is_some() => "only WITH CHECK expression allowed for INSERT",
            Some(RuleEvent::Select | RuleEvent::Delete) if create.with_check.is_some() => {
                "WITH CHECK cannot be applied to SELECT or DELETE"
            }
            _ => return,
        };
        self.refused(create.name.span, &create.name.name, message);
    }

    pub(super) fn refuse_altered_policy(&mut self, alter: &crate::change::AlterPolicy) {
        let Some(table) = self.find(&alter.table).and_then(|it| self.relation(it.id)) else { return };
        let policy = table.policies.iter().find(|it| it.name == alter.name.name);
        let message = match policy.and_then(|it| it.command) {
            Some(RuleEvent::Insert) if alter.using.is_some() => "only WITH CHECK expression allowed for INSERT",
            Some(RuleEvent::Select | RuleEvent::Delete) if alter.with_check.is_some() => {
                "only USING expression allowed for SELECT, DELETE"
            }
            _ => return,
        };
        self.refused(alter.name.span, &alter.name.name, message);
    }

    /// The CHECK of a domain names VALUE and nothing else.
    pub(super) fn refuse_domain_check(&mut self, check: &Expression, base: &ColumnType) {
        let scope = Scope { value: Some(base), ..self.scope(None) };
        if let Some(ident) = stray_column(&check.tree) {
            let span = self.place_of(ident.span, check.span);
            let message = format!("column \"{}\" does not exist", ident.value);
            return self.refused(span, ident.value.as_str(), message);
        }
        self.refuse_expression(check, Place::DomainCheck, scope);
    }

    pub(super) fn refuse_policy(
        &mut self,
        table: &ObjectName,
        using: &Option<Expression>,
        with_check: &Option<Expression>,
    ) {
        let Some(relation) = self.find(table) else { return };
        let Some(relation) = self.relation(relation.id) else { return };
        if relation.known && !matches!(relation.kind, RelationKind::Table | RelationKind::PartitionedTable(_)) {
            let message = format!("\"{}\" is not a table", relation.name.name.as_str());
            return self.refused(table.span, table, message);
        }
        for condition in using.iter().chain(with_check) {
            let scope = self.scope(Some(&**relation));
            let analysis = expression::judge_expression(&condition.tree, scope);
            for name in &analysis.missing {
                self.refuse_missing(name, condition.span);
            }
            if analysis.missing.is_empty() {
                self.refuse_expression(condition, Place::Policy, scope);
            }
        }
    }

    /// Relations that a body or a rule names and that do not exist.
    pub(super) fn refuse_missing_relations(&mut self, change: &Change, whole: Span) {
        let (tree, target) = match change {
            Change::Insert(it) => (&it.tree, Some(&it.table)),
            Change::Update(it) => (&it.tree, Some(&it.table)),
            Change::Delete(it) => (&it.tree, Some(&it.table)),
            Change::Merge(it) => (&it.tree, Some(&it.table)),
            Change::Select(it) => (&it.tree, None),
            _ => return,
        };
        let analysis = expression::analyze_statement(&tree.0, self.scope(None));
        let missing = analysis.missing.iter().filter(|name| target.is_none_or(|target| target.name != name.name));
        for name in missing.chain(target.filter(|target| self.find(target).is_none())) {
            self.refuse_missing(name, whole);
        }
    }

    fn refuse_missing(&mut self, name: &ObjectName, whole: Span) {
        let schema = self.schema();
        if !schema.lacks(name, self.context.session) || schema.may_have_relation(name, self.context.session) {
            return;
        }
        let written = name.schema.as_ref().map(|it| format!("{}.", it.as_str())).unwrap_or_default();
        let span = if whole.contains(name.span) { name.span } else { whole };
        self.refused(span, name, format!("relation \"{written}{}\" does not exist", name.name.as_str()));
    }
}

/// A name that is not VALUE.
fn stray_column(tree: &ast::Expr) -> Option<ast::Ident> {
    // `(VALUE).a` names an attribute.
    let mut attributes: Vec<ast::Ident> = Vec::new();
    let _ = walk::visit_expressions(tree, |part| {
        if let ast::Expr::CompoundFieldAccess { access_chain, .. } = part {
            attributes.extend(access_chain.iter().filter_map(|access| match access {
                ast::AccessExpr::Dot(ast::Expr::Identifier(name)) => Some(name.clone()),
                _ => None,
            }));
        }
        std::ops::ControlFlow::<()>::Continue(())
    });
    let found = walk::visit_expressions(tree, |part| match part {
        ast::Expr::Identifier(ident)
            if ident.quote_style.is_none()
                && !attributes.contains(ident)
                && !ident.value.eq_ignore_ascii_case("value")
                && crate::sql::can_name_column(&ident.value) =>
        {
            std::ops::ControlFlow::Break(ident.clone())
        }
        _ => std::ops::ControlFlow::Continue(()),
    });
    match found {
        std::ops::ControlFlow::Break(ident) => Some(ident),
        std::ops::ControlFlow::Continue(()) => None,
    }
}
