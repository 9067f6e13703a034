//! What no index can do as a query is written, and how to write it.

use std::ops::ControlFlow;

use crate::walk::visit_expressions;
use sqlparser::ast::Expr;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::{Token, Tokenizer};

use super::atom::{self, Use};
use super::candidate::table_of;
use super::observe::{Observation, SCANS};
use super::tables::{TableInfo, Tables};
use crate::plan::expression::{conjuncts, parse, plain};
use crate::plan::node::{ConditionKind, KnownType};
use crate::plan::{Node, Plan};

/// Functions of the date and time of day that change with the session's time zone, so that no index is on them.
const OF_TIME: &[&str] = &["date_trunc", "date_part", "to_char", "date", "extract", "timezone"];
/// Milliseconds from which a page far back is felt; the cost of that, where nothing was measured.
const FELT: f64 = 2.0;
const COSTLY: f64 = 500.0;

/// What one query's plan and text tell. `helped`: an index is advised for it.
pub fn rewrites(text: &str, plan: &Plan, tables: &Tables, mean: Option<f64>, helped: bool) -> Vec<Observation> {
    let mut found = Vec::new();
    for node in plan.nodes.iter().filter(|node| node.is_any(SCANS)) {
        let Some((table, info)) = table_of(node, tables).filter(|(_, info)| info.pages >= 100) else { continue };
        let of = |column: &str| format!("{table}.{column}");
        for told in of_conditions(node, info, &of, tables, helped) {
            if !found.contains(&told) {
                found.push(told);
            }
        }
    }
    let cost = plan.root().estimate.map_or(0.0, |it| it.total_cost);
    let slow = mean.map_or(cost >= COSTLY, |mean| mean >= FELT);
    if slow && plan.nodes.iter().any(|node| node.is(KnownType::Limit)) && skips(text) {
        found.push(Observation::PageByOffset);
    }
    found
}

fn of_conditions(
    node: &Node,
    info: &TableInfo,
    of: &dyn Fn(&str) -> String,
    tables: &Tables,
    helped: bool,
) -> Vec<Observation> {
    let alias = node.reference().unwrap_or_default();
    let mut found = Vec::new();
    for condition in node.conditions.iter().filter(|it| it.kind == ConditionKind::Filter) {
        let Some(expression) = parse(&condition.text) else { continue };
        let mut parts = Vec::new();
        conjuncts(&expression, &mut parts);
        for part in parts {
            let Expr::BinaryOp { left, right, .. } = plain(part) else { continue };
            found.extend([left, right].into_iter().filter_map(|side| of_side(side, alias, info, of)));
        }
        if helped {
            continue;
        }
        for atom in atom::atoms(&condition.text, alias, info).iter().filter(|atom| atom.usage == Use::Pattern) {
            // Of an expression, as it is written.
            let column = atom.column.as_deref().map_or_else(|| atom.key.clone(), of);
            let trigrams = tables.operators.iter().any(|it| it.name == "~~" && it.method == "gin");
            if !trigrams && tables.available.iter().any(|name| name == "pg_trgm") {
                found.push(Observation::ExtensionMissing { column, extension: "pg_trgm".to_owned() });
            } else if atom.operator == "~~" && atom.parameter_is_pattern() {
                found.push(Observation::PatternUnknown { column });
            }
        }
    }
    found
}

/// A side of a comparison that is a column as something else.
fn of_side(side: &Expr, alias: &str, info: &TableInfo, of: &dyn Fn(&str) -> String) -> Option<Observation> {
    let side = plain(side);
    let column = column_in(side, alias)?;
    let data_type = info.columns.get(column)?.data_type.as_str();
    let in_zone = data_type == "timestamp with time zone";
    match side {
        Expr::Cast { expr, data_type: to, .. } if is_column(plain(expr), alias) => {
            let to = to.to_string().to_lowercase();
            if in_zone && to == "date" {
                return Some(Observation::TimeAsDate { column: of(column) });
            }
            let text_of_text = to == "text" && (data_type.starts_with("character") || data_type == "text");
            let day_of_time = to == "date" && data_type == "timestamp without time zone";
            if day_of_time {
                return Some(Observation::DayOfTime { column: of(column) });
            }
            (!text_of_text && !in_zone).then(|| Observation::ColumnCast {
                column: of(column),
                data_type: data_type.to_owned(),
                to,
            })
        }
        Expr::Function(function) if in_zone => {
            let name = function.name.to_string().to_lowercase();
            let name = name.rsplit('.').next().unwrap_or_default();
            OF_TIME.contains(&name).then(|| Observation::TimeAsDate { column: of(column) })
        }
        Expr::Extract { .. } if in_zone => Some(Observation::TimeAsDate { column: of(column) }),
        _ => None,
    }
}

/// The only column of a relation in an expression.
fn column_in<'e>(expression: &'e Expr, alias: &str) -> Option<&'e str> {
    let mut found: Vec<String> = Vec::new();
    let _ = visit_expressions(expression, |part| {
        if let Expr::CompoundIdentifier(names) = part
            && let [qualifier, name] = &names[..]
            && qualifier.value == alias
            && !found.contains(&name.value)
        {
            found.push(name.value.clone());
        }
        ControlFlow::<()>::Continue(())
    });
    match &found[..] {
        [_] => first_column(expression, alias),
        _ => None,
    }
}

fn first_column<'e>(expression: &'e Expr, alias: &str) -> Option<&'e str> {
    match expression {
        Expr::CompoundIdentifier(names) => match &names[..] {
            [qualifier, name] if qualifier.value == alias => Some(&name.value),
            _ => None,
        },
        Expr::Nested(inside) => first_column(inside, alias),
        Expr::Cast { expr, .. } | Expr::Extract { expr, .. } => first_column(expr, alias),
        Expr::AtTimeZone { timestamp, .. } => first_column(timestamp, alias),
        Expr::Function(function) => match &function.args {
            sqlparser::ast::FunctionArguments::List(list) => list.args.iter().find_map(|argument| match argument {
                sqlparser::ast::FunctionArg::Unnamed(sqlparser::ast::FunctionArgExpr::Expr(expression)) => {
                    first_column(expression, alias)
                }
                _ => None,
            }),
            _ => None,
        },
        _ => None,
    }
}

fn is_column(expression: &Expr, alias: &str) -> bool {
    matches!(expression, Expr::CompoundIdentifier(names) if names.first().is_some_and(|name| name.value == alias))
}

/// `OFFSET $2`, or a large number.
fn skips(text: &str) -> bool {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, text).tokenize().unwrap_or_default();
    let solid: Vec<&Token> = tokens.iter().filter(|token| !matches!(token, Token::Whitespace(_))).collect();
    solid.windows(2).any(|pair| {
        let offset = matches!(pair[0], Token::Word(word) if word.value.eq_ignore_ascii_case("offset"));
        let far = match pair[1] {
            Token::Placeholder(_) => true,
            Token::Number(number, _) => number.parse::<f64>().is_ok_and(|number| number >= 1000.0),
            _ => false,
        };
        offset && far
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisor::ColumnInfo;

    fn told(side: &str) -> Option<Observation> {
        let column = |data_type: &str| ColumnInfo { data_type: data_type.to_owned(), ..ColumnInfo::default() };
        let columns = [
            ("at", "timestamp with time zone"),
            ("day", "timestamp without time zone"),
            ("id", "bigint"),
            ("name", "character varying(20)"),
        ];
        let columns = columns.into_iter().map(|(name, data_type)| (name.to_owned(), column(data_type)));
        let info = TableInfo { columns: columns.collect(), ..TableInfo::default() };
        of_side(&parse(side).expect("an expression"), "t", &info, &str::to_owned)
    }

    #[test]
    fn a_time_as_a_date_depends_on_the_session() {
        let wanted = Some(Observation::TimeAsDate { column: "at".to_owned() });
        assert_eq!(told("date_trunc('day'::text, t.at)"), wanted);
        assert_eq!(told("(t.at)::date"), wanted);
        assert_eq!(told("(t.day)::date"), Some(Observation::DayOfTime { column: "day".to_owned() }));
        assert_eq!(told("date_trunc('day'::text, t.day)"), None);
    }

    #[test]
    fn a_cast_of_a_column_is_one_and_a_text_as_text_is_none() {
        assert!(matches!(told("(t.id)::text"), Some(Observation::ColumnCast { .. })));
        assert_eq!(told("(t.name)::text"), None);
        assert_eq!(told("t.id"), None);
    }

    #[test]
    fn pages_far_back_are_seen_in_the_text() {
        assert!(skips("SELECT a FROM t ORDER BY a LIMIT $1 OFFSET $2") && skips("SELECT a FROM t offset 5000"));
        assert!(!skips("SELECT a FROM t LIMIT 10 OFFSET 20") && !skips("SELECT offset_at FROM t"));
    }
}
