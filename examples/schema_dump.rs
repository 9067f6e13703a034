//! Prints what a script leaves in the schema, one line a relation, column and constraint, to be held against a real server's catalog.

use pgassay::apply::Applied;
use pgassay::schema::{Schema, Session};
use pgassay::source::{SourceFile, Sources};
use pgassay::sql::read_script;

fn load(sql: &str) -> (Schema, Vec<String>) {
    let mut sources = Sources::default();
    let source = SourceFile::new("t.sql", sql);
    let file = sources.add(source.clone());
    let script = read_script(file, &source);
    let mut schema = Schema::new(true);
    let mut session = Session::default();
    let mut said = Vec::new();
    for statement in &script.statements {
        let change = match &statement.change {
            Ok(change) => change,
            Err(unreadable) => {
                said.push(format!("unreadable: {unreadable}"));
                continue;
            }
        };
        match change {
            pgassay::change::Change::Set(set) => session.set(set),
            _ => {
                let version = pgassay::version::PgVersion::new(15).expect("15 is supported");
                let Applied { problems, .. } = pgassay::apply::apply(&mut schema, change, &session, version);
                said.extend(problems.into_iter().map(|problem| problem.message));
            }
        }
    }
    (schema, said)
}

fn main() {
    let path = std::env::args().nth(1).expect("a file");
    let sql = std::fs::read_to_string(path).expect("readable");
    let start = std::time::Instant::now();
    let (schema, said) = load(&sql);
    eprintln!("loaded in {:?}", start.elapsed());
    for message in said {
        println!("PROBLEM {message}");
    }
    for relation in schema.relations.values() {
        println!("R {} {}", relation.name, relation.noun());
        if relation.is_table() {
            for (at, column) in relation.columns.iter().enumerate() {
                println!(
                    "C {} {} {} {} {}",
                    relation.name,
                    at,
                    column.name,
                    column.not_null.enforced(),
                    column.default.is_some()
                );
            }
        }
        for constraint in &relation.constraints {
            println!("K {} {} {}", relation.name, constraint.name, constraint.validated);
        }
    }
}
