//! Expectations come from real servers of 14 to 18.

mod expressions;
mod proofs;
mod queries;
mod truths;

use std::collections::BTreeMap;
use std::sync::Arc;

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::names::built_in;
use super::scope::built_in_type;
use super::*;
use crate::change::{
    Argument, ArgumentMode, Expression, IndexElement, IndexTarget, PartitionStrategy, Persistence, QualifiedName,
    ReplicaIdentity, TypeName,
};
use crate::schema::*;

fn parse(sql: &str) -> ast::Expr {
    Parser::new(&PostgreSqlDialect {})
        .try_with_sql(sql)
        .and_then(|mut parser| parser.parse_expr())
        .unwrap_or_else(|error| panic!("{sql}: {error}"))
}

fn expression(sql: &str) -> Expression {
    Expression { span: names::NOWHERE, text: sql.into(), tree: Arc::new(parse(sql)) }
}

fn ident(name: &str) -> crate::change::Ident {
    crate::change::Ident { name: name.into(), span: names::NOWHERE }
}

/// `a int4, b _text`.
fn table(id: u32, name: &str, columns: &str) -> Relation {
    let column = |(index, text): (usize, &str)| {
        let (name, of) = text.trim().split_once(' ').unwrap();
        Column {
            id: ColumnId(index as u16 + 1),
            name: name.into(),
            data_type: built_in_type(of),
            collation: None,
            not_null: NotNull::No,
            default: None,
            identity: None,
            generated: None,
            sequence: None,
            local: true,
            inherited: 0,
            comment: None,
            statistics_target: None,
            storage: None,
            compression: None,
            options: BTreeMap::new(),
        }
    };
    Relation {
        id: RelationId(id),
        name: QualifiedName::new("public", name),
        kind: RelationKind::Table,
        persistence: Persistence::Permanent,
        known: true,
        owner: None,
        columns: columns.split(',').enumerate().map(column).collect(),
        next_column: 99,
        constraints: crate::schema::List::default(),
        indexes: Vec::new(),
        referenced_by: Vec::new(),
        parents: Vec::new(),
        children: Vec::new(),
        bound: None,
        bounds: None,
        triggers: crate::schema::List::default(),
        system_triggers_off: false,
        rules: crate::schema::List::default(),
        policies: crate::schema::List::default(),
        row_security: false,
        force_row_security: false,
        replica_identity: ReplicaIdentity::Default,
        options: BTreeMap::new(),
        access_method: None,
        tablespace: None,
        privileges: crate::schema::List::default(),
        comment: None,
        of_type: None,
        server: None,
        clustered_on: None,
    }
}

fn routine(id: u32, name: &str, arguments: &[(&str, Option<&str>)], returns: &str, volatility: Volatility) -> Routine {
    let argument = |(of, default): &(&str, Option<&str>)| Argument {
        mode: if of.starts_with('_') { ArgumentMode::Variadic } else { ArgumentMode::In },
        name: None,
        data_type: built_in(of),
        default: default.map(expression),
    };
    Routine {
        id: RoutineId(id),
        name: QualifiedName::new("public", name),
        seen: crate::schema::Seen::Whole,
        procedure: false,
        arguments: arguments.iter().map(argument).collect(),
        returns: Some(built_in(returns)),
        returns_table: Vec::new(),
        language: "plpgsql".into(),
        volatility,
        strict: false,
        security_definer: false,
        settings: Vec::new(),
        may_change_schema: false,
        body: "".into(),
        code: crate::schema::Kept::default(),
        statements: Arc::from([]),
        atomic: false,
        uses: Vec::new(),
        owner: None,
        privileges: crate::schema::List::default(),
        comment: None,
    }
}

/// A function in language SQL with the body `SELECT expression`.
fn sql_routine(id: u32, name: &str, body: &str, volatility: Volatility) -> Routine {
    let tree = Parser::parse_sql(&PostgreSqlDialect {}, body).unwrap().remove(0);
    let select =
        crate::change::Select { span: names::NOWHERE, uses: Vec::new(), tree: crate::change::Tree(Arc::new(tree)) };
    let statement = crate::change::Statement {
        span: names::NOWHERE,
        change: Ok(crate::change::Change::Select(select)),
        conditional: false,
        newer: Vec::new(),
        sent: None,
    };
    Routine {
        language: "sql".into(),
        statements: Arc::from([statement]),
        ..routine(id, name, &[], "float8", volatility)
    }
}

fn schema() -> Schema {
    use Volatility::{Immutable, Stable, Volatile};
    let mut schema = Schema::new(true);
    schema.put_relation(table(1, "orders", "id int4, total numeric, placed timestamptz, customer_id int4"));
    schema.put_relation(table(2, "customers", "id int4, name text, tags _text"));
    for extension in ["hstore", "uuid-ossp", "pgcrypto", "citext"] {
        schema.extensions.insert(extension.into(), Extension { schema: "public".into() });
    }
    schema.put_type(Type {
        id: TypeId(1),
        name: QualifiedName::new("public", "mood"),
        definition: TypeDefinition::Enum(vec!["a".into(), "b".into()]),
        known: true,
        owner: None,
        privileges: crate::schema::List::default(),
        comment: None,
    });
    schema.put_routine(routine(1, "now", &[], "timestamptz", Volatile));
    schema.put_routine(routine(2, "user_volatile", &[], "int4", Volatile));
    schema.put_routine(routine(3, "user_stable", &[], "int4", Stable));
    schema.put_routine(routine(4, "user_immutable", &[("int4", None)], "int4", Immutable));
    schema.put_routine(routine(5, "user_immutable", &[("text", None)], "int4", Volatile));
    schema.put_routine(sql_routine(6, "user_sql_inlined", "SELECT 1", Volatile));
    schema.put_routine(sql_routine(7, "user_sql_volatile", "SELECT random()", Volatile));
    schema.put_routine(sql_routine(8, "user_sql_lies", "SELECT random()", Stable));
    schema.put_routine(routine(
        9,
        "user_default_arg",
        &[("timestamptz", Some("clock_timestamp()"))],
        "int4",
        Immutable,
    ));
    schema.put_routine(routine(10, "user_default_const", &[("int4", Some("3"))], "int4", Immutable));
    schema.put_routine(routine(11, "user_variadic", &[("_int4", None)], "int4", Stable));
    schema
}

fn with_scope<T>(relation: Option<&str>, test: impl Fn(Scope) -> T) -> T {
    let schema = schema();
    let session = Session::default();
    let relation = relation.map(|name| schema.relation_at(&QualifiedName::new("public", name)).unwrap().clone());
    test(Scope {
        schema: &schema,
        session: &session,
        version: PgVersion::NEWEST,
        relation: relation.as_deref(),
        value: None,
    })
}
