use super::*;

fn pieces(text: &str) -> Vec<&str> {
    split(text).pieces.into_iter().map(|piece| &text[piece.range]).collect()
}

fn problem(text: &str) -> (String, &str) {
    let (message, range) = split(text).pieces.into_iter().find_map(|piece| piece.problem).unwrap();
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
fn psql_commands_are_skipped() {
    let text = "\\set ON_ERROR_STOP on\r\nSELECT 1 \\gexec\n  \\connect db\nSELECT 2;";
    assert_eq!(pieces(text), ["SELECT 1", "SELECT 2"]);
    let found: Vec<&str> = split(text).meta_commands.into_iter().map(|range| &text[range]).collect();
    assert_eq!(found, ["\\set ON_ERROR_STOP on", "\\gexec", "\\connect db"]);
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
