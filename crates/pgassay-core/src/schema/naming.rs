//! Names that the server makes up: `t_pkey`, `t_a_b_key`, `t_lower_idx`, `t_a_fkey`, `t_id_seq` and their numbered forms.

use std::collections::BTreeSet;

use sqlparser::ast::{self, Expr};

use super::Schema;
use crate::change::{IndexElement, IndexTarget, Name, QualifiedName};

const LONGEST_NAME: usize = 63;

/// `name1_name2_label`, the longer name shortened until it fits (`makeObjectName`, indexcmds.c).
pub(crate) fn make_object_name(name1: &str, name2: Option<&str>, label: &str) -> Name {
    let overhead = label.len() + 1 + usize::from(name2.is_some());
    let available = LONGEST_NAME.saturating_sub(overhead);
    let (mut first, mut second) = (name1.len(), name2.map_or(0, str::len));
    while first + second > available {
        if first > second { first -= 1 } else { second -= 1 }
    }
    let first = clip(name1, first);
    match name2 {
        Some(name2) => Name::new(&format!("{first}_{}_{label}", clip(name2, second))),
        None => Name::new(&format!("{first}_{label}")),
    }
}

fn clip(text: &str, mut bytes: usize) -> &str {
    while !text.is_char_boundary(bytes) {
        bytes -= 1;
    }
    &text[..bytes]
}

/// The first of `…_label`, `…_label1`, `…_label2` … that is free.
fn choose(name1: &str, name2: Option<&str>, label: &str, taken: impl Fn(&Name) -> bool) -> Name {
    let mut name = make_object_name(name1, name2, label);
    let mut pass = 0;
    while taken(&name) {
        pass += 1;
        name = make_object_name(name1, name2, &format!("{label}{pass}"));
    }
    name
}

impl Schema {
    /// `ChooseRelationName`: free among relations, and among constraints when it names one too.
    pub(crate) fn choose_relation_name(
        &self,
        name1: &Name,
        name2: Option<&str>,
        label: &str,
        namespace: &Name,
        is_constraint: bool,
    ) -> Name {
        choose(name1.as_str(), name2, label, |name| {
            let name = QualifiedName { schema: namespace.clone(), name: name.clone() };
            self.relation_name_taken(&name) || is_constraint && self.constraint_name_taken(&name)
        })
    }

    /// `ChooseConstraintName`: free among all constraints of the schema, and not in `others`.
    pub(crate) fn choose_constraint_name(
        &self,
        name1: &Name,
        name2: Option<&str>,
        label: &str,
        namespace: &Name,
        others: &BTreeSet<Name>,
    ) -> Name {
        choose(name1.as_str(), name2, label, |name| {
            let taken = QualifiedName { schema: namespace.clone(), name: name.clone() };
            others.contains(name) || self.constraint_name_taken(&taken)
        })
    }
}

impl Schema {
    /// `ChooseExtendedStatisticName`.
    pub(crate) fn choose_statistics_name(&self, table: &QualifiedName, columns: &str) -> Name {
        choose(table.name.as_str(), Some(columns), "stat", |name| {
            let taken = QualifiedName { schema: table.schema.clone(), name: name.clone() };
            self.statistics.contains_key(&taken)
        })
    }
}

/// Column names joined by `_`, as index and foreign key names have them (`ChooseIndexNameAddition`).
pub(crate) fn name_addition<'a>(columns: impl IntoIterator<Item = &'a Name>) -> String {
    let mut joined = String::new();
    for column in columns {
        if !joined.is_empty() {
            joined.push('_');
        }
        joined.push_str(column.as_str());
        if joined.len() > LONGEST_NAME {
            break;
        }
    }
    joined
}

/// Names of an index's columns, each different (`ChooseIndexColumnNames`).
pub(crate) fn index_column_names<'a>(
    elements: &[IndexElement],
    include: impl IntoIterator<Item = &'a Name>,
) -> Vec<Name> {
    let wanted = elements.iter().map(|element| match &element.target {
        IndexTarget::Column(column) => column.name.clone(),
        IndexTarget::Expression(expression) => figure_name(&expression.tree).unwrap_or_else(|| Name::from("expr")),
    });
    let mut names: Vec<Name> = Vec::new();
    for name in wanted.chain(include.into_iter().cloned()) {
        let mut candidate = name.clone();
        let mut number = 1;
        while names.contains(&candidate) {
            let suffix = number.to_string();
            let kept = clip(name.as_str(), name.as_str().len().min(LONGEST_NAME - suffix.len()));
            candidate = Name::new(&format!("{kept}{suffix}"));
            number += 1;
        }
        names.push(candidate);
    }
    names
}

/// The name an expression gives to an index column (`FigureIndexColname`, parse_target.c).
fn figure_name(tree: &Expr) -> Option<Name> {
    let name = |text: &str| Some(Name::from(text));
    match tree {
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => figure_name(inner),
        Expr::Identifier(ident) => Some(Name::of_ident(ident)),
        Expr::CompoundIdentifier(parts) => parts.last().map(Name::of_ident),
        Expr::Function(function) => match function.name.0.last()? {
            ast::ObjectNamePart::Identifier(ident) => Some(Name::of_ident(ident)),
            _ => None,
        },
        Expr::Cast { expr, data_type, .. } => figure_name(expr).or_else(|| type_label(data_type)),
        Expr::Case { else_result, .. } => else_result.as_deref().and_then(figure_name).or_else(|| name("case")),
        Expr::Array(_) => name("array"),
        Expr::Tuple(_) => name("row"),
        Expr::Extract { .. } => name("extract"),
        Expr::Position { .. } => name("position"),
        Expr::Substring { .. } => name("substring"),
        Expr::Overlay { .. } => name("overlay"),
        Expr::Trim { trim_where, .. } => name(match trim_where {
            Some(ast::TrimWhereField::Leading) => "ltrim",
            Some(ast::TrimWhereField::Trailing) => "rtrim",
            _ => "btrim",
        }),
        Expr::AtTimeZone { .. } => name("timezone"),
        Expr::Ceil { .. } => name("ceil"),
        Expr::Floor { .. } => name("floor"),
        Expr::CompoundFieldAccess { root, access_chain } => {
            let field = access_chain.iter().rev().find_map(|access| match access {
                ast::AccessExpr::Dot(Expr::Identifier(ident)) => Some(Name::of_ident(ident)),
                _ => None,
            });
            field.or_else(|| figure_name(root))
        }
        _ => None,
    }
}

/// The catalog's name of a type that a cast names.
fn type_label(data_type: &ast::DataType) -> Option<Name> {
    let text = data_type.to_string().to_ascii_lowercase();
    let base = text.split(['(', '[']).next().unwrap_or(&text).trim();
    Some(Name::new(match base {
        "int" | "integer" => "int4",
        "bigint" => "int8",
        "smallint" => "int2",
        "boolean" => "bool",
        "real" => "float4",
        "double precision" | "float" => "float8",
        "decimal" | "dec" => "numeric",
        "character varying" | "char varying" => "varchar",
        "character" | "char" => "bpchar",
        "timestamp with time zone" => "timestamptz",
        "timestamp without time zone" => "timestamp",
        "time with time zone" => "timetz",
        "time without time zone" => "time",
        other => other.rsplit('.').next().unwrap_or(other).trim_matches('"'),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_as_the_server_cuts_them() {
        let long = "a".repeat(60);
        assert_eq!(make_object_name(&long, None, "pkey").as_str(), format!("{}_pkey", "a".repeat(58)));
        let cut = make_object_name(&long, Some("column"), "key");
        assert_eq!(cut.as_str(), format!("{}_column_key", "a".repeat(52)));
        assert_eq!(choose("t", Some("a"), "check", |name| *name == "t_a_check").as_str(), "t_a_check1");
    }
}
