use crate::source::{FileId, SourceFile};
use crate::sql::read_script;

fn readable(text: String) -> bool {
    read_script(FileId(0), &SourceFile::new("t.sql", text)).statements.iter().all(|statement| statement.change.is_ok())
}

#[test]
fn deep_and_long_statements_do_not_overflow_the_stack() {
    assert!(!readable(format!("SELECT {}1{}", "(".repeat(10_000), ")".repeat(10_000))));
    assert!(!readable(format!("SELECT 1{}", " + 1".repeat(100_000))));
    assert!(!readable(format!("SELECT {}true", "NOT ".repeat(100_000))));
    assert!(readable(format!("DELETE FROM t WHERE a = 0{}", " OR a = 1".repeat(500))));
    assert!(readable(format!("INSERT INTO t VALUES (0){}", ", (1 + 1)".repeat(10_000))));
}

#[test]
fn every_cut_of_a_text_is_read_without_panic() {
    let text = "DO $$ BEGIN EXECUTE format('é %I', 'x'); END $$; COPY t FROM stdin;\n1\n\\.\nSELECT E'\\'', U&\"\\0041\", :'v';";
    for (end, _) in text.char_indices() {
        readable(text[..end].to_string());
        readable(text[end..].to_string());
    }
}

#[test]
fn places_are_those_of_the_file() {
    let text = "-- é\nSELECT 1;\r\nSELECT ) FROM t;";
    let source = SourceFile::new("t.sql", text);
    let script = read_script(FileId(0), &source);
    let error = script.statements[1].change.as_ref().unwrap_err();
    assert_eq!((source.slice(script.statements[1].span), source.slice(error.span)), ("SELECT ) FROM t", ")"));
    assert_eq!(source.position(error.span.start).line, 3);
}
