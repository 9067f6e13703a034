use crate::change::{Change, TransactionControl};
use crate::source::{FileId, SourceFile};
use crate::sql::read_script;

fn change(text: &str) -> Result<Change, String> {
    let script = read_script(FileId(0), &SourceFile::new("t.sql", text));
    script.statements.into_iter().next().unwrap().change.map_err(|error| error.to_string())
}

#[test]
fn settings_lose_their_quotes() {
    for (text, parameter, values, local) in [
        ("SET LOCAL lock_timeout = '5s'", "lock_timeout", &["5s"][..], true),
        ("SET search_path TO \"A b\", public", "search_path", &["A b", "public"], false),
        ("SET SESSION my.Param TO DEFAULT", "my.param", &[], false),
        ("SET TIME ZONE 'UTC'", "timezone", &["UTC"], false),
        ("SET ROLE admin", "role", &["admin"], false),
        ("SET x = -1.5", "x", &["-1.5"], false),
    ] {
        let Ok(Change::Set(set)) = change(text) else { panic!("{text}") };
        let found: Vec<&str> = set.values.iter().map(|value| &**value).collect();
        assert_eq!((&*set.parameter, found.as_slice(), set.local), (parameter, values, local), "{text}");
    }
    assert_eq!(change("SET x").unwrap_err(), "expected TO or '=', found the end of the statement");
}

#[test]
fn transactions_in_their_spellings() {
    for (text, expected) in [
        ("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY", TransactionControl::Begin),
        ("START TRANSACTION", TransactionControl::Begin),
        ("END AND CHAIN", TransactionControl::Commit { chain: true }),
        ("ABORT", TransactionControl::Rollback { chain: false }),
        ("ROLLBACK WORK TO SAVEPOINT a", TransactionControl::RollbackTo("a".into())),
        ("RELEASE A", TransactionControl::Release("a".into())),
        ("COMMIT PREPARED 'x'", TransactionControl::FinishPrepared { commit: true }),
        ("SET CONSTRAINTS ALL DEFERRED", TransactionControl::Constraints { names: Vec::new(), deferred: true }),
        ("SET TRANSACTION READ ONLY", TransactionControl::Characteristics),
    ] {
        assert_eq!(change(text), Ok(Change::Transaction(expected)), "{text}");
    }
    assert!(change("BEGIN nonsense").is_err());
}
