//! What queries use.

use super::*;

fn analyze(sql: &str) -> (String, String) {
    with_scope(None, |scope| {
        let statement = Parser::parse_sql(&PostgreSqlDialect {}, sql).unwrap().remove(0);
        let analysis = analyze_statement(&statement, scope);
        let mut uses: Vec<_> = analysis
            .uses
            .iter()
            .map(|(id, columns)| format!("{}{:?}", id.0, columns.iter().map(|c| c.0).collect::<Vec<_>>()))
            .collect();
        uses.sort();
        let output = analysis.output.map_or("unknown".to_owned(), |output| {
            let column = |(name, of): &(Name, Option<ColumnType>)| {
                format!("{}:{}", name.as_str(), of.as_ref().map_or("?".to_owned(), |of| of.written.to_string()))
            };
            output.iter().map(column).collect::<Vec<_>>().join(" ")
        });
        (uses.join(" "), output)
    })
}

#[test]
fn queries_use_the_columns_they_name_and_no_others() {
    let cases = [
        ("SELECT * FROM customers", "2[1, 2, 3]", "id:integer name:text tags:text[]"),
        ("SELECT count(*) FROM orders", "1[]", "count:bigint"),
        (
            "SELECT o.id, c.name AS who FROM orders o JOIN customers c ON c.id = o.customer_id",
            "1[1, 4] 2[1, 2]",
            "id:integer who:text",
        ),
        (
            "SELECT total::text, 1, 'x', total > 1 FROM orders",
            "1[2]",
            "total:text ?column?:integer ?column?:text ?column?:boolean",
        ),
        ("WITH x AS (SELECT id AS k FROM orders) SELECT k FROM x WHERE k > 1", "1[1]", "k:integer"),
        ("WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT n FROM r", "", "n:integer"),
        (
            "SELECT name FROM customers WHERE EXISTS (SELECT 1 FROM orders WHERE customer_id = customers.id)",
            "1[4] 2[1, 2]",
            "name:text",
        ),
        ("SELECT s.a FROM (SELECT id AS a, total FROM orders) s", "1[1, 2]", "a:integer"),
        (
            "SELECT * FROM orders JOIN customers USING (id)",
            "1[1, 2, 3, 4] 2[1, 2, 3]",
            "id:integer total:numeric placed:timestamp with time zone customer_id:integer name:text tags:text[]",
        ),
        (
            "SELECT c.id, t.tag FROM customers c, LATERAL (SELECT unnest(c.tags) AS tag) t",
            "2[1, 3]",
            "id:integer tag:text",
        ),
        ("SELECT id FROM orders UNION SELECT id FROM customers", "1[1] 2[1]", "id:integer"),
        ("SELECT row_to_json(orders) FROM orders", "1[]", "row_to_json:json"),
        (
            "SELECT orders.* FROM orders, customers",
            "1[1, 2, 3, 4] 2[]",
            "id:integer total:numeric placed:timestamp with time zone customer_id:integer",
        ),
        ("SELECT g FROM generate_series(1, 3) g", "", "g:integer"),
        ("SELECT key, value FROM json_each('{}')", "", "key:text value:json"),
        ("VALUES (1, 'a'), (2, 'b')", "", "column1:integer column2:text"),
        ("SELECT sum(total) AS s FROM orders GROUP BY customer_id ORDER BY s", "1[2, 4]", "s:numeric"),
        (
            "SELECT CASE WHEN true THEN 1 END, coalesce(id, 0), now()::date FROM orders",
            "1[1]",
            "case:integer coalesce:integer now:date",
        ),
        ("SELECT * FROM nowhere", "", "unknown"),
        ("UPDATE orders SET total = 0 WHERE id = 1 RETURNING placed", "1[1, 2, 3]", "placed:timestamp with time zone"),
        ("INSERT INTO customers (name) SELECT 'x' RETURNING id", "2[1, 2]", "id:integer"),
        ("DELETE FROM orders USING customers c WHERE c.id = customer_id", "1[4] 2[1]", ""),
    ];
    for (sql, uses, output) in cases {
        assert_eq!(analyze(sql), (uses.to_owned(), output.to_owned()), "{sql}");
    }
}

#[test]
fn missing_relations_are_named_once_and_system_ones_are_not() {
    with_scope(None, |scope| {
        let sql = "SELECT * FROM nowhere a, nowhere b, pg_class, information_schema.columns";
        let statement = Parser::parse_sql(&PostgreSqlDialect {}, sql).unwrap().remove(0);
        let missing: Vec<_> =
            analyze_statement(&statement, scope).missing.iter().map(|name| name.to_string()).collect();
        assert_eq!(missing, ["nowhere"]);
    });
}

#[test]
fn type_names_are_the_catalogs() {
    let name = |sql: &str| {
        let ast::Expr::Cast { data_type, .. } = parse(&format!("x::{sql}")) else { unreachable!() };
        type_name(&data_type).map(|found: TypeName| (found.name.to_string(), found.modifiers, found.array_dimensions))
    };
    assert_eq!(name("varchar(20)"), Some(("\"varchar\"".into(), vec![20], 0)));
    assert_eq!(name("numeric(10,2)[]"), Some(("\"numeric\"".into(), vec![10, 2], 1)));
    assert_eq!(name("timestamp with time zone"), Some(("timestamptz".into(), vec![], 0)));
    assert_eq!(name("hstore"), Some(("hstore".into(), vec![], 0)));
}
