//! Statements of clients that touch every column, and which of them the server takes.

use pgassay::schema::{Column, NotNull, Relation, ResolvedType, Schema};
use tokio_postgres::{Client as Session, SimpleQueryMessage};

/// One statement of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Printed names of the relation that it uses, of its parents and of the types of its columns.
    pub names: Vec<String>,
    pub text: String,
}

/// Runs each text in a subtransaction that is taken back, and gives the places and SQLSTATEs of those that are refused.
pub const TRIES: &str =
    "CREATE FUNCTION pg_temp.tries(texts text[]) RETURNS TABLE (place int, code text) LANGUAGE plpgsql AS $$
    BEGIN
        FOR at IN 1..cardinality(texts) LOOP
            BEGIN
                EXECUTE texts[at];
                RAISE EXCEPTION USING ERRCODE = 'UNDO1';
            EXCEPTION WHEN OTHERS THEN
                IF SQLSTATE <> 'UNDO1' THEN
                    place := at;
                    code := SQLSTATE;
                    RETURN NEXT;
                END IF;
            END;
        END LOOP;
    END $$";

/// Reads, writes, comparisons with a value of the column's type, and rows as a client inserts them.
pub fn of_schema(schema: &Schema) -> Vec<Client> {
    schema
        .relations
        .values()
        .filter(|it| it.known && it.as_index().is_none())
        .flat_map(|it| of_relation(schema, it))
        .collect()
}

fn of_relation(schema: &Schema, relation: &Relation) -> Vec<Client> {
    let name = &relation.name.name;
    let names = names(schema, relation);
    let client = |text| Client { names: names.clone(), text };
    let mut clients = Vec::new();
    for column in &relation.columns {
        let (column, of) = (&column.name, &column.data_type.written);
        clients.push(client(format!("SELECT {column} FROM {name} LIMIT 1")));
        clients.push(client(format!("SELECT 1 FROM {name} WHERE {column} = NULL::{of} LIMIT 1")));
        if relation.is_table() {
            clients.push(client(format!("UPDATE {name} SET {column} = {column} WHERE false")));
        }
    }
    if relation.is_table() {
        clients.push(client(format!("DELETE FROM {name} WHERE false")));
        clients.push(client(insert(relation, false)));
        clients.push(client(insert(relation, true)));
    }
    clients
}

fn names(schema: &Schema, relation: &Relation) -> Vec<String> {
    let parents = schema.parents_closure(relation.id).into_iter().filter_map(|id| schema.relation(id).map(|it| &**it));
    let relations = std::iter::once(relation).chain(parents).map(|it| it.name.to_string());
    let types = relation.columns.iter().filter_map(|column| match column.data_type.resolved {
        ResolvedType::User(id) => schema.types.get(&id).map(|it| it.name.to_string()),
        _ => None,
    });
    relations.chain(types).collect()
}

/// A row with what must be given, or with every column that takes a value. What a sequence would number is given too: the same row each
/// time.
fn insert(relation: &Relation, whole: bool) -> String {
    let numbered =
        |it: &Column| it.identity.is_some() || it.default.as_ref().is_some_and(|it| it.text.contains("nextval"));
    let required = |it: &Column| it.not_null != NotNull::No && it.default.is_none();
    let given = relation.columns.iter().filter(|it| it.generated.is_none());
    let given = given.filter(|it| whole || numbered(it) || required(it));
    let (mut columns, mut values) = (Vec::new(), Vec::new());
    for column in given {
        columns.push(column.name.to_string());
        values.push(value(&column.data_type.written.to_string()));
    }
    let name = &relation.name.name;
    match columns.is_empty() {
        true => format!("INSERT INTO {name} DEFAULT VALUES"),
        false => format!(
            "INSERT INTO {name} ({}) OVERRIDING SYSTEM VALUE VALUES ({})",
            columns.join(", "),
            values.join(", ")
        ),
    }
}

fn value(of: &str) -> String {
    let text = match of.split('(').next().unwrap_or_default().trim() {
        _ if of.ends_with("[]") => "{}",
        "boolean" | "bool" => "t",
        "date" | "timestamp" | "timestamptz" => "2025-01-01",
        "uuid" => "00000000-0000-0000-0000-000000000007",
        "json" | "jsonb" => "{}",
        "interval" => "1 day",
        "bytea" => "\\x00",
        "inet" => "10.0.0.1",
        "text" | "varchar" | "char" => "a",
        _ => "7",
    };
    format!("'{text}'")
}

/// The statements that are refused, by place, with their SQLSTATE.
pub async fn refused(session: &Session, clients: &[Client]) -> Result<Vec<(usize, String)>, tokio_postgres::Error> {
    let texts: Vec<String> = clients.iter().map(|it| format!("'{}'", it.text.replace('\'', "''"))).collect();
    let query = format!("SELECT place, code FROM pg_temp.tries(ARRAY[{}]::text[])", texts.join(", "));
    let refused = |message: &SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) => {
            Some((row.get(0)?.parse::<usize>().ok()?.checked_sub(1)?, row.get(1)?.to_owned()))
        }
        _ => None,
    };
    Ok(session.simple_query(&query).await?.iter().filter_map(refused).collect())
}
