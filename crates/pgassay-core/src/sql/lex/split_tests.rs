use super::*;
use crate::sql::lex::lexer::Rules;

fn split(text: &str) -> Split {
    super::split(text, Rules::default(), Sender::Psql)
}

fn pieces(text: &str) -> Vec<&str> {
    split(text).pieces.into_iter().map(|piece| &text[piece.range]).collect()
}

fn problem(text: &str) -> (String, &str) {
    let Problem { message, range, .. } = split(text).pieces.into_iter().find_map(|piece| piece.problem).unwrap();
    (message, &text[range])
}

#[test]
fn semicolons_inside_literals_and_comments_do_not_cut() {
    let text = "SELECT ';', E'\\';', \"a;\"\";\" -- c;\n/* ; /* ; */ */ , $x$ ; $$ $x$ ; ;; SELECT 2";
    assert_eq!(pieces(text), [&text[..text.find(" ; ;;").unwrap()], "SELECT 2"]);
    let comments: Vec<&str> = split(text).comments.into_iter().map(|range| &text[range]).collect();
    assert_eq!(comments, ["-- c;", "/* ; /* ; */ */"]);
}

#[test]
fn a_backslash_ends_nothing_in_a_plain_string() {
    assert_eq!(pieces(r"SELECT '\'; SELECT 'a'"), [r"SELECT '\'", "SELECT 'a'"]);
    assert_eq!(pieces(r"SELECT name'x\'; SELECT 2"), [r"SELECT name'x\'", "SELECT 2"]);
}

#[test]
fn bodies_keep_their_semicolons() {
    let atomic = "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END";
    assert_eq!(pieces(&format!("{atomic}; SELECT 3")), [atomic, "SELECT 3"]);
    let rule = "CREATE OR REPLACE RULE r AS ON INSERT TO t DO ALSO (DELETE FROM a; DELETE FROM b)";
    assert_eq!(pieces(&format!("{rule};SELECT 3;")), [rule, "SELECT 3"]);
    assert_eq!(pieces("BEGIN; SELECT (1; COMMIT;"), ["BEGIN", "SELECT (1", "COMMIT"]);
}

#[test]
fn rows_of_copy_belong_to_their_statement() {
    let text = "COPY t (a) FROM stdin;\r\n1;\t'\r\n\\.x\r\n\\.\r\nSELECT 1;";
    let split = split(text);
    assert_eq!(&text[split.pieces[0].data.clone().unwrap()], "1;\t'\r\n\\.x\r\n");
    assert_eq!(&text[split.pieces[1].range.clone()], "SELECT 1");
    assert_eq!(pieces("COPY t FROM STDIN;\nSELECT 1;"), ["COPY t FROM STDIN", "SELECT 1"]);
}

#[test]
fn what_is_on_the_line_behind_copy_is_read_after_the_rows() {
    let text = "COPY t FROM stdin; DROP TABLE u;\n1\n\\.\nSELECT 1;";
    assert_eq!(pieces(text), ["COPY t FROM stdin", "DROP TABLE u", "SELECT 1"]);
    assert_eq!(&text[split(text).pieces[0].data.clone().unwrap()], "1\n");
    let two = "COPY t FROM stdin; COPY u FROM stdin;\n1\n\\.\n2\n\\.\nSELECT 1;";
    let data: Vec<&str> = split(two).pieces.into_iter().filter_map(|piece| piece.data).map(|data| &two[data]).collect();
    assert_eq!(data, ["1\n", "2\n"]);
}

#[test]
fn only_copy_from_stdin_has_rows() {
    let query = "COPY (SELECT * FROM stdin) TO STDOUT;\nDROP TABLE u;\nSELECT $a$$\n\\.\n-- $a$;";
    assert_eq!(pieces(query)[1], "DROP TABLE u");
}

#[test]
fn both_newlines_count_and_continued_strings_keep_their_kind() {
    assert_eq!(pieces("-- harmless\rDROP TABLE users;"), ["DROP TABLE users"]);
    assert_eq!(pieces("DELETE FROM users --x\rWHERE id = 1"), ["DELETE FROM users --x\rWHERE id = 1"]);
    assert_eq!(pieces("SELECT E'a'\n'b\\''; DROP TABLE users; --';"), ["SELECT E'a'\n'b\\''", "DROP TABLE users"]);
    assert_eq!(pieces("SELECT 'a' -- c\r 'b'; DROP TABLE t;"), ["SELECT 'a' -- c\r 'b'", "DROP TABLE t"]);
}

#[test]
fn a_backslash_escapes_where_strings_do_not_conform() {
    let off = "SET standard_conforming_strings = off;\nSELECT '\\''; DROP TABLE users; -- ';";
    assert_eq!(pieces(off)[1..], ["SELECT '\\''", "DROP TABLE users"]);
    let on = "SET standard_conforming_strings = off; RESET ALL; SELECT '\\'; DROP TABLE users; -- ';";
    assert_eq!(pieces(on)[2..], ["SELECT '\\'", "DROP TABLE users"]);
}

#[test]
fn names_in_an_atomic_body_open_and_close_nothing() {
    let atomic = "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT a.end, b.case AS end FROM t; SELECT 2; END";
    assert_eq!(pieces(&format!("{atomic}; SELECT 3")), [atomic, "SELECT 3"]);
}

#[test]
fn psql_commands_are_skipped() {
    let text = "\\set ON_ERROR_STOP on\r\nSELECT 1 \\gexec\n  \\connect db\nSELECT 2;";
    assert_eq!(pieces(text), ["SELECT 1", "\\gexec", "\\connect db", "SELECT 2"]);
    let found: Vec<&str> = split(text).meta_commands.into_iter().map(|range| &text[range]).collect();
    assert_eq!(found, ["\\set ON_ERROR_STOP on", "\\gexec", "\\connect db"]);
}

#[test]
fn psql_commands_that_run_something_are_not_passed_over() {
    assert_eq!(pieces("\\ir a.sql\nSELECT 1;"), ["\\ir a.sql", "SELECT 1"]);
    assert!(problem("SELECT 1;\n\\! rm x").0.starts_with("the shell runs"));
    let gexec = split("SELECT f() \\gexec\n");
    assert_eq!((gexec.pieces.len(), &gexec.pieces[1].kind), (2, &PieceKind::RunsResult));
    assert_eq!(pieces("\\echo x \\\\ DROP TABLE u;"), ["DROP TABLE u"]);
    assert_eq!(pieces("SELECT 1;\n\\q\nDROP TABLE u;"), ["SELECT 1"]);
    assert_eq!(pieces("\\copy (DELETE FROM t RETURNING *) to 'x'\n"), ["DELETE FROM t RETURNING *"]);
    assert_eq!(pieces("\\pset a \\echo b \\ir c.sql\n"), ["\\ir c.sql"]);
    let branch = split("\\if :x\nSELECT 1;\n\\q\n\\else\nSELECT 2;\n\\endif\nSELECT 3;");
    let conditional: Vec<bool> = branch.pieces.iter().map(|piece| piece.conditional).collect();
    assert_eq!(conditional, [true, true, false]);
}

#[test]
fn a_tool_sends_what_only_psql_reads() {
    let sent = |text: &str, sender| -> Vec<(String, Option<UnreadableKind>)> {
        let pieces = super::split(text, Rules::default(), sender).pieces.into_iter();
        pieces.map(|piece| (text[piece.range].to_owned(), piece.problem.map(|problem| problem.kind))).collect()
    };
    let refused = Some(UnreadableKind::Refused);
    let text = "\\restrict a\nSELECT 1;\nSELECT E'\\n', '\\i';";
    let rest = ("SELECT E'\\n', '\\i'".to_owned(), None);
    assert_eq!(sent(text, Sender::Plain), [("\\restrict a\nSELECT 1".to_owned(), refused), rest.clone()]);
    assert_eq!(sent(text, Sender::CopyData)[0].1, refused);
    assert_eq!(sent(text, Sender::Psql), [("SELECT 1".to_owned(), None), rest]);
    let rows = "COPY t FROM stdin;\n1\n\\.\nSELECT 1;";
    assert_eq!(sent(rows, Sender::CopyData).len(), 2);
    assert_eq!(sent(rows, Sender::Plain)[1], ("1\n\\.\nSELECT 1".to_owned(), refused));
}

#[test]
fn placeholders_are_a_problem_of_their_statement() {
    assert_eq!(
        problem("SELECT 1; CREATE TABLE ${schema}.t (a int)"),
        ("the placeholder ${schema} has no value".into(), "${schema}")
    );
    assert_eq!(problem("SELECT * FROM \"${s}\".t").1, "${s}");
    assert_eq!(problem("GRANT a TO {{ .Role }}").0, "the placeholder {{ .Role }} has no value");
    assert_eq!(problem("SET x = :'v'").0, "the psql variable :'v' has no value");
    assert_eq!(problem("INSERT INTO t VALUES (:v)").1, ":v");
    for fine in ["SELECT a[1:n], b::text, '${x}', c := 1, $1", "SELECT $$ ${x} :y $$"] {
        assert!(split(fine).pieces.iter().all(|piece| piece.problem.is_none()), "{fine}");
    }
}

#[test]
fn what_is_never_closed_does_not_hide_the_rest() {
    let text = "SELECT 1;\nSELECT $a$ x;\nSELECT 2;\n";
    assert_eq!(pieces(text), ["SELECT 1", "SELECT $a$ x", "SELECT 2"]);
    assert_eq!(problem(text), ("the dollar-quoted string that begins here is never closed".into(), "$a$"));
    assert_eq!(problem("SELECT 'a").1, "'");
    assert_eq!(problem("/* /* */ SELECT 1").0, "the comment that begins here is never closed");
}

/// Texts of strings, tags, comments and bodies, with the places where the server's own grammar cuts them (`scripts/compare-cutting`).
#[test]
fn texts_are_cut_where_the_server_cuts_them() {
    let cuts: Vec<(String, Vec<(usize, usize)>)> = serde_json::from_str(include_str!("cuts.json")).unwrap();
    for (text, expected) in &cuts {
        let found: Vec<(usize, usize)> =
            split(text).pieces.into_iter().map(|piece| (piece.range.start, piece.range.end)).collect();
        assert_eq!(&found, expected, "{text:?}");
    }
    assert_eq!(cuts.len(), 300);
}
