use crate::sql::read::testing::read;

#[test]
fn names_fold_and_keep_quotes_apart() {
    let name = read("db.\"Sch ema\".TaBle", |reader| reader.object_name()).unwrap();
    assert_eq!(name.to_string(), "\"Sch ema\".\"table\"");
    assert_eq!((name.span.start, name.span.end), (0, 18));
    assert!(read("values", |reader| reader.ident()).is_ok());
    assert_eq!(read(" user", |reader| reader.ident()).unwrap_err().message, "expected a name, found 'user'");
    assert_eq!(
        read("", |reader| reader.ident()).unwrap_err().message,
        "expected a name, found the end of the statement"
    );
}

#[test]
fn a_default_stops_before_the_next_constraint() {
    for (written, expected) in [
        ("now() NOT NULL", "now()"),
        ("NULL NULL", "NULL"),
        ("'a'::character varying(3) COLLATE \"C\" CHECK (x > 0)", "'a'::character varying(3)"),
        ("CASE WHEN a IS NOT NULL THEN 1 END UNIQUE", "CASE WHEN a IS NOT NULL THEN 1 END"),
        ("1 + 2, b int", "1 + 2"),
        ("(a IS NOT NULL))", "(a IS NOT NULL)"),
        ("nextval('s'::regclass) PRIMARY KEY", "nextval('s'::regclass)"),
    ] {
        let found = read(written, |reader| reader.b_expression()).unwrap();
        assert_eq!(&*found.text, expected, "{written}");
    }
}

#[test]
fn literals_lose_their_quotes() {
    for (written, expected) in [("'it''s'", "it's"), (r"E'a\nb'", "a\nb"), ("$t$x$t$", "x"), (r"U&'\0041'", "A")] {
        assert_eq!(&*read(written, |reader| reader.string_literal()).unwrap(), expected);
    }
    assert_eq!(read("-9223372036854775808", |reader| reader.integer()).unwrap(), i64::MIN);
    assert!(read("x", |reader| reader.integer()).is_err());
}

#[test]
fn words_are_taken_together_or_not_at_all() {
    read("IF NOT \"EXISTS\"", |reader| {
        assert!(!reader.take_words(&["IF", "NOT", "EXISTS"]) && reader.position() == 0);
        assert!(reader.take_words(&["if", "not"]));
        assert!(reader.expect_word("EXISTS").is_err());
        reader.restore(1);
        assert!(reader.at_word("not"));
        Ok(())
    })
    .unwrap();
}

#[test]
fn an_error_of_the_parser_names_the_token_and_its_place() {
    let error = read("é + ) x", |reader| reader.expression()).unwrap_err();
    assert_eq!(error.message, "expected an expression, found ')'");
    assert_eq!((error.span.start, error.span.end), (5, 6));
}
