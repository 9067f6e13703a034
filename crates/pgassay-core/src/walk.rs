//! Walks over the parser's trees that are compiled once.
//!
//! In: a tree and a visitor. Out: what the visitor broke off with. The parser derives its walk as generic code, which the compiler writes
//! out whole, for every type of node, for each visitor: with some fifty visitors that was a third of the program. Here the walk meets one
//! visitor, which calls the other through a pointer.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, GroupByExpr, Ident, ObjectName, OrderBy, OrderByExpr, Query, Select, Statement, TableFactor, ValueWithSpan,
    Visit, VisitMut, Visitor, VisitorMut,
};

/// Every expression, before those inside of it.
pub fn visit_expressions<B>(
    tree: &(impl Visit + ?Sized),
    visit: impl FnMut(&Expr) -> ControlFlow<B>,
) -> ControlFlow<B> {
    struct Expressions<F>(F);
    impl<B, F: FnMut(&Expr) -> ControlFlow<B>> Visitor for Expressions<F> {
        type Break = B;
        fn pre_visit_expr(&mut self, node: &Expr) -> ControlFlow<B> {
            self.0(node)
        }
    }
    walk(tree, &mut Expressions(visit))
}

/// Every name of a relation.
pub fn visit_relations<B>(
    tree: &(impl Visit + ?Sized),
    visit: impl FnMut(&ObjectName) -> ControlFlow<B>,
) -> ControlFlow<B> {
    struct Relations<F>(F);
    impl<B, F: FnMut(&ObjectName) -> ControlFlow<B>> Visitor for Relations<F> {
        type Break = B;
        fn pre_visit_relation(&mut self, node: &ObjectName) -> ControlFlow<B> {
            self.0(node)
        }
    }
    walk(tree, &mut Relations(visit))
}

/// Every statement, before those inside of it.
pub fn visit_statements<B>(
    tree: &(impl Visit + ?Sized),
    visit: impl FnMut(&Statement) -> ControlFlow<B>,
) -> ControlFlow<B> {
    struct Statements<F>(F);
    impl<B, F: FnMut(&Statement) -> ControlFlow<B>> Visitor for Statements<F> {
        type Break = B;
        fn pre_visit_statement(&mut self, node: &Statement) -> ControlFlow<B> {
            self.0(node)
        }
    }
    walk(tree, &mut Statements(visit))
}

/// Every expression, after those inside of it.
pub fn visit_expressions_mut<B>(
    tree: &mut (impl VisitMut + ?Sized),
    visit: impl FnMut(&mut Expr) -> ControlFlow<B>,
) -> ControlFlow<B> {
    struct Expressions<F>(F);
    impl<B, F: FnMut(&mut Expr) -> ControlFlow<B>> VisitorMut for Expressions<F> {
        type Break = B;
        fn post_visit_expr(&mut self, node: &mut Expr) -> ControlFlow<B> {
            self.0(node)
        }
    }
    walk_mut(tree, &mut Expressions(visit))
}

/// Takes a visitor through a tree, as `tree.visit(visitor)` does.
pub fn walk<V: Visitor>(tree: &(impl Visit + ?Sized), visitor: &mut V) -> ControlFlow<V::Break> {
    let mut keeping = Keeping { visitor, found: None };
    let _ = tree.visit(&mut Pointer(&mut keeping));
    keeping.found.map_or(ControlFlow::Continue(()), ControlFlow::Break)
}

/// The same with a visitor that changes the tree.
pub fn walk_mut<V: VisitorMut>(tree: &mut (impl VisitMut + ?Sized), visitor: &mut V) -> ControlFlow<V::Break> {
    let mut keeping = KeepingMut { visitor, found: None };
    let _ = VisitMut::visit(tree, &mut PointerMut(&mut keeping));
    keeping.found.map_or(ControlFlow::Continue(()), ControlFlow::Break)
}

/// Keeps what a visitor breaks off with, so that all of them break off with the same type.
struct Keeping<'v, V: Visitor> {
    visitor: &'v mut V,
    found: Option<V::Break>,
}

struct KeepingMut<'v, V: VisitorMut> {
    visitor: &'v mut V,
    found: Option<V::Break>,
}

/// The visitor that the walk is compiled for.
struct Pointer<'v>(&'v mut dyn Visitor<Break = ()>);

struct PointerMut<'v>(&'v mut dyn VisitorMut<Break = ()>);

fn keep<B>(result: ControlFlow<B>, found: &mut Option<B>) -> ControlFlow<()> {
    match result {
        ControlFlow::Continue(()) => ControlFlow::Continue(()),
        ControlFlow::Break(value) => {
            *found = Some(value);
            ControlFlow::Break(())
        }
    }
}

/// Every method of both kinds of visitors, passed on.
macro_rules! pass_on {
    ($($method:ident: $node:ty),+ $(,)?) => {
        impl<V: Visitor> Visitor for Keeping<'_, V> {
            type Break = ();
            $(fn $method(&mut self, node: &$node) -> ControlFlow<()> {
                keep(self.visitor.$method(node), &mut self.found)
            })+
        }

        impl<V: VisitorMut> VisitorMut for KeepingMut<'_, V> {
            type Break = ();
            $(fn $method(&mut self, node: &mut $node) -> ControlFlow<()> {
                keep(self.visitor.$method(node), &mut self.found)
            })+
        }

        impl Visitor for Pointer<'_> {
            type Break = ();
            $(fn $method(&mut self, node: &$node) -> ControlFlow<()> {
                self.0.$method(node)
            })+
        }

        impl VisitorMut for PointerMut<'_> {
            type Break = ();
            $(fn $method(&mut self, node: &mut $node) -> ControlFlow<()> {
                self.0.$method(node)
            })+
        }
    };
}

pass_on! {
    pre_visit_query: Query,
    post_visit_query: Query,
    pre_visit_select: Select,
    post_visit_select: Select,
    pre_visit_relation: ObjectName,
    post_visit_relation: ObjectName,
    pre_visit_table_factor: TableFactor,
    post_visit_table_factor: TableFactor,
    pre_visit_expr: Expr,
    post_visit_expr: Expr,
    pre_visit_statement: Statement,
    post_visit_statement: Statement,
    pre_visit_value: ValueWithSpan,
    post_visit_value: ValueWithSpan,
    pre_visit_ident: Ident,
    post_visit_ident: Ident,
    pre_visit_order_by: OrderBy,
    post_visit_order_by: OrderBy,
    pre_visit_order_by_expr: OrderByExpr,
    post_visit_order_by_expr: OrderByExpr,
    pre_visit_group_by: GroupByExpr,
    post_visit_group_by: GroupByExpr,
}

#[cfg(test)]
mod tests {
    use sqlparser::dialect::PostgreSqlDialect;
    use sqlparser::parser::Parser;

    use super::*;

    const SQL: &str =
        "SELECT a + 1 FROM t JOIN u ON t.x = u.x WHERE b IN (SELECT c FROM v WHERE d > 2) GROUP BY a ORDER BY a";

    /// Writes down what it meets.
    #[derive(Default)]
    struct Diary(Vec<String>);

    macro_rules! writes_down {
        ($($method:ident: $node:ty),+ $(,)?) => {
            impl Visitor for Diary {
                type Break = String;
                $(fn $method(&mut self, node: &$node) -> ControlFlow<String> {
                    self.0.push(format!("{} {node}", stringify!($method)));
                    ControlFlow::Continue(())
                })+
            }
        };
    }

    writes_down! {
        pre_visit_query: Query, post_visit_query: Query, pre_visit_select: Select, post_visit_select: Select,
        pre_visit_relation: ObjectName, post_visit_relation: ObjectName, pre_visit_table_factor: TableFactor,
        post_visit_table_factor: TableFactor, pre_visit_expr: Expr, post_visit_expr: Expr,
        pre_visit_statement: Statement, post_visit_statement: Statement, pre_visit_value: ValueWithSpan,
        post_visit_value: ValueWithSpan, pre_visit_ident: Ident, post_visit_ident: Ident, pre_visit_order_by: OrderBy,
        post_visit_order_by: OrderBy, pre_visit_order_by_expr: OrderByExpr, post_visit_order_by_expr: OrderByExpr,
        pre_visit_group_by: GroupByExpr, post_visit_group_by: GroupByExpr,
    }

    #[test]
    fn a_visitor_meets_what_the_parsers_own_walk_shows_it() {
        let tree = Parser::parse_sql(&PostgreSqlDialect {}, SQL).unwrap();
        let (mut own, mut ours) = (Diary::default(), Diary::default());
        let _ = tree.visit(&mut own);
        let _ = walk(&tree, &mut ours);
        assert!(own.0.len() > 60);
        assert_eq!(own.0, ours.0);
    }

    #[test]
    fn what_it_breaks_off_with_is_kept() {
        let mut tree = Parser::parse_sql(&PostgreSqlDialect {}, SQL).unwrap();
        let found = visit_expressions(&tree, |part| match part {
            Expr::InSubquery { expr, .. } => ControlFlow::Break(expr.to_string()),
            _ => ControlFlow::Continue(()),
        });
        assert_eq!(found, ControlFlow::Break("b".to_owned()));
        let mut names = Vec::new();
        let all: ControlFlow<()> = visit_relations(&tree, |name| {
            names.push(name.to_string());
            ControlFlow::Continue(())
        });
        assert_eq!((all, names.join(" ").as_str()), (ControlFlow::Continue(()), "t u v"));
        let _: ControlFlow<()> = visit_expressions_mut(&mut tree, |part| {
            if matches!(part, Expr::Value(_)) {
                *part = Expr::Identifier(Ident::new("z"));
            }
            ControlFlow::Continue(())
        });
        assert!(tree[0].to_string().contains("a + z") && tree[0].to_string().contains("d > z"), "{}", tree[0]);
    }
}
