//! Values that a type change refuses: the query that finds them, where SQL can say it.

use std::ops::ControlFlow;

use sqlparser::ast;

use crate::change::{Expression, PrintedName, TypeName};
use crate::effect::FailsWhen;
use crate::effect::predictor::{Predictor, rows_of};
use crate::schema::{Column, Domain, DomainConstraint, Relation, ResolvedType, TypeDefinition};
use crate::source::Span;
use crate::text::quoting::literal;
use crate::walk;

impl Predictor<'_> {
    /// ALTER COLUMN … TYPE without USING, or with a plain cast of the column.
    pub(super) fn fail_on_cast(
        &mut self,
        table: &Relation,
        column: &Column,
        new: &TypeName,
        using: Option<&Expression>,
        span: Span,
    ) {
        let explicit = using.is_some();
        if !using.is_none_or(|using| is_cast_of(&using.tree, column)) || !table.has_storage() {
            return;
        }
        let Some(refused) = self.refused_values(column, new, explicit) else { return };
        let query = format!("SELECT * FROM {} WHERE {refused} LIMIT 1", rows_of(table));
        let message = format!("some value of column \"{}\" isn't a valid {new}", column.name.as_str());
        self.fail_on_rows(
            table,
            FailsWhen::SomeRow { query },
            span,
            PrintedName::part(&table.name, &column.name),
            message,
        );
    }

    /// A condition on the column that holds for values which the cast refuses.
    fn refused_values(&self, column: &Column, new: &TypeName, explicit: bool) -> Option<String> {
        let old = self.schema().base_type(&column.data_type);
        if old.resolved != ResolvedType::BuiltIn || old.written.array_dimensions > 0 || new.array_dimensions > 0 {
            return None;
        }
        let name = &column.name;
        let user = self.schema().find_type(&new.schema, &new.name, self.context.session);
        let from = old.written.name.as_str();
        let is_text = matches!(from, "text" | "varchar" | "bpchar");
        if let Some(TypeDefinition::Enum(labels)) = user.map(|found| &found.definition) {
            let labels: Vec<String> = labels.iter().map(|label| literal(label)).collect();
            return (is_text && !labels.is_empty()).then(|| format!("{name}::text NOT IN ({})", labels.join(", ")));
        }
        if let Some(TypeDefinition::Domain(domain)) = user.map(|found| &found.definition) {
            return self.refused_by_domain(column, domain);
        }
        if user.is_some() {
            return None;
        }
        if always_fits(from, &old.written.modifiers, new) {
            return None;
        }
        match (from, new.name.as_str()) {
            (_, "varchar" | "bpchar") if is_text => {
                // Spaces beyond the length are cut; an explicit cast cuts everything.
                let length = new.modifiers.first().filter(|_| !explicit)?;
                Some(format!("length(rtrim({name}, ' ')) > {length}"))
            }
            (_, "text" | "varchar" | "bpchar") => None,
            _ if is_text => self.refused_text(&name.to_string(), new),
            (_, "int2" | "int4" | "int8") if is_number(from) => {
                let (least, most) = limits(new.name.as_str())?;
                let whole = matches!(from, "int2" | "int4" | "int8");
                let value = if whole { name.to_string() } else { format!("round({name}::numeric)") };
                Some(format!("{value} NOT BETWEEN {least} AND {most}"))
            }
            (_, "numeric") if is_number(from) => {
                let (precision, scale) = (new.modifiers.first()?, new.modifiers.get(1).unwrap_or(&0));
                let digits = usize::try_from(precision - scale).ok()?;
                Some(format!("abs(round({name}::numeric, {scale})) >= 1{}", "0".repeat(digits)))
            }
            _ => None,
        }
    }

    /// The values of a column that the checks of a domain refuse, where they are of the domain's own base type.
    fn refused_by_domain(&self, column: &Column, domain: &Domain) -> Option<String> {
        let (old, base) = (self.schema().base_type(&column.data_type), self.schema().base_type(&domain.base));
        if old.written.name != base.written.name || base.resolved != ResolvedType::BuiltIn {
            return None;
        }
        let named = ast::Expr::Identifier(ast::Ident::new(column.name.to_string()));
        let of_column = |constraint: &DomainConstraint| {
            let mut tree = (*constraint.expression.tree).clone();
            let _: ControlFlow<()> = walk::visit_expressions_mut(&mut tree, |part| {
                if matches!(part, ast::Expr::Identifier(name) if name.quote_style.is_none() && name.value.eq_ignore_ascii_case("value"))
                {
                    *part = named.clone();
                }
                ControlFlow::Continue(())
            });
            format!("NOT ({tree})")
        };
        let checks = domain.constraints.iter().map(of_column);
        let null = domain.not_null.then(|| format!("{} IS NULL", column.name));
        let refused: Vec<String> = null.into_iter().chain(checks).collect();
        (!refused.is_empty()).then(|| refused.join(" OR "))
    }

    /// From 16 the server can be asked; before, the usual spellings are told from all others.
    fn refused_text(&self, column: &str, new: &TypeName) -> Option<String> {
        if self.at_least(16) {
            return Some(format!("NOT pg_input_is_valid({column}, {})", literal(&new.to_string())));
        }
        let pattern = match new.name.as_str() {
            "int2" | "int4" | "int8" => r"^\s*[-+]?\d+\s*$",
            "numeric" | "float4" | "float8" => {
                r"^\s*([-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?|[-+]?[iI]nfinity|[nN]a[nN])\s*$"
            }
            "uuid" => r"^\{?([0-9a-fA-F]{4}-?){8}\}?$",
            "date" => r"^\s*\d{4}-\d{1,2}-\d{1,2}\s*$",
            _ => return None,
        };
        Some(format!("{column} !~ '{pattern}'"))
    }
}

/// Whether every value of the old built-in type is one of the new type: nothing has to be looked for.
fn always_fits(from: &str, modifiers: &[i32], new: &TypeName) -> bool {
    let to = new.name.as_str();
    if let (Some(before), Some(after)) = (whole_digits(from, modifiers), whole_digits(to, &new.modifiers)) {
        return match (from, to) {
            ("int2" | "int4" | "int8", "int2" | "int4" | "int8") => before <= after,
            // Rounding to fewer digits behind the point can carry into one more before it.
            ("numeric", "numeric") if scale(modifiers) > scale(&new.modifiers) => before < after,
            (_, "numeric") => before <= after,
            _ => false,
        };
    }
    match (from, to) {
        (_, "numeric") => new.modifiers.is_empty(),
        ("varchar" | "bpchar", "varchar" | "bpchar") => {
            matches!((modifiers.first(), new.modifiers.first()), (Some(before), Some(after)) if before <= after)
        }
        _ => false,
    }
}

/// The most digits that a value has before the point; `None` for no bound.
fn whole_digits(name: &str, modifiers: &[i32]) -> Option<i32> {
    match name {
        "int2" => Some(5),
        "int4" => Some(10),
        "int8" => Some(19),
        "numeric" => modifiers.first().map(|precision| precision - scale(modifiers)),
        _ => None,
    }
}

fn scale(modifiers: &[i32]) -> i32 {
    modifiers.get(1).copied().unwrap_or(0)
}

fn is_number(name: &str) -> bool {
    matches!(name, "int2" | "int4" | "int8" | "numeric" | "float4" | "float8")
}

fn limits(name: &str) -> Option<(&'static str, &'static str)> {
    match name {
        "int2" => Some(("-32768", "32767")),
        "int4" => Some(("-2147483648", "2147483647")),
        "int8" => Some(("-9223372036854775808", "9223372036854775807")),
        _ => None,
    }
}

/// `column::type`, whatever the type: the ALTER's own is what counts.
fn is_cast_of(tree: &ast::Expr, column: &Column) -> bool {
    match tree {
        ast::Expr::Nested(inner) => is_cast_of(inner, column),
        ast::Expr::Cast { expr, .. } => is_cast_of(expr, column),
        ast::Expr::Identifier(ident) => {
            let folded =
                if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_ascii_lowercase() };
            column.name == *folded.as_str()
        }
        _ => false,
    }
}
