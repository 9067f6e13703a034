//! `pgassay fix` on migrations whose statements hold each other: nobody sees a table without what one takes away and another puts back,
//! and no step refuses what code of today writes.

use super::*;

const GIVEN: &str = "CREATE TABLE firms (id bigint PRIMARY KEY);\n\
    CREATE TABLE orders (id bigint PRIMARY KEY, firm_id bigint NOT NULL, no text NOT NULL, state text NOT NULL DEFAULT 'new', price integer, \
    CONSTRAINT orders_firm_fk FOREIGN KEY (firm_id) REFERENCES firms (id), CONSTRAINT orders_no_key UNIQUE (no), CONSTRAINT orders_state CHECK (state <> ''));\n\
    CREATE TABLE pairs (x integer NOT NULL, y text NOT NULL, PRIMARY KEY (x, y));\n\
    CREATE INDEX orders_firm_idx ON orders (firm_id);\n\
    CREATE VIEW open_orders AS SELECT id FROM orders;\n";

fn sqlx(new: &str) -> (Repository, String) {
    let old = [
        ("Cargo.toml", "[package]\nname = \"a\"\n[dependencies]\nsqlx = \"0.8\"\n"),
        ("migrations/0001_given.sql", GIVEN),
    ];
    fixed(&old, &[("migrations/0002_new.sql", joined(&[new]))])
}

/// The part of each file, by what stands in it.
fn in_order(text: &str, words: &[&str]) {
    let mut from = 0;
    for word in words {
        let found = text.get(from..).and_then(|rest| rest.find(word));
        from += found.unwrap_or_else(|| panic!("{word} does not come there in {text}"));
    }
}

/// The file that holds some words.
fn file_with<'t>(text: &'t str, words: &str) -> &'t str {
    text.split("==== ").skip(1).find(|file| file.contains(words)).unwrap_or_else(|| panic!("{words} in {text}"))
}

#[test]
fn a_key_stays_until_its_successors_are_built() {
    let (repository, text) = sqlx(
        "ALTER TABLE pairs ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY;\nALTER TABLE pairs DROP CONSTRAINT pairs_pkey;\nALTER TABLE pairs ADD PRIMARY KEY (id);\nALTER TABLE pairs ADD CONSTRAINT pairs_xy UNIQUE (x, y);\n",
    );
    let last = file_with(&text, "DROP CONSTRAINT pairs_pkey");
    assert!(last.contains("PRIMARY KEY USING INDEX") && last.contains("UNIQUE USING INDEX"), "{text}");
    in_order(&text, &["UNIQUE INDEX CONCURRENTLY", "UNIQUE INDEX CONCURRENTLY", "DROP CONSTRAINT pairs_pkey"]);
    assert_eq!(errors(&repository), [""; 0]);
}

#[test]
fn a_constraint_stays_until_the_new_one_is_proved() {
    let new = "ALTER TABLE orders DROP CONSTRAINT orders_firm_fk;\nALTER TABLE orders ADD CONSTRAINT orders_firm_fk FOREIGN KEY (firm_id) REFERENCES firms (id) ON DELETE CASCADE;\n";
    let (_, text) = sqlx(new);
    in_order(&text, &["NOT VALID", "VALIDATE CONSTRAINT", "DROP CONSTRAINT orders_firm_fk", "RENAME CONSTRAINT"]);
    let last = file_with(&text, "DROP CONSTRAINT orders_firm_fk");
    assert!(last.contains("RENAME CONSTRAINT"), "{text}");

    let new = "ALTER TABLE orders DROP CONSTRAINT orders_state;\nCREATE TABLE beside (id bigint PRIMARY KEY);\nALTER TABLE orders ADD CONSTRAINT orders_state CHECK (state <> 'gone');\n";
    let (_, text) = sqlx(new);
    in_order(&text, &["VALIDATE CONSTRAINT", "DROP CONSTRAINT orders_state"]);

    let new = "ALTER TABLE orders DROP CONSTRAINT orders_no_key;\nALTER TABLE orders ADD CONSTRAINT orders_no_key UNIQUE (firm_id, no);\n";
    let (_, text) = sqlx(new);
    in_order(&text, &["CREATE UNIQUE INDEX CONCURRENTLY", "DROP CONSTRAINT orders_no_key"]);
    assert!(file_with(&text, "DROP CONSTRAINT orders_no_key").contains("UNIQUE USING INDEX"), "{text}");
}

#[test]
fn an_index_stays_until_the_new_one_is_built() {
    let (repository, text) =
        sqlx("DROP INDEX orders_firm_idx;\nCREATE INDEX orders_firm_idx ON orders (firm_id, no);\n");
    in_order(
        &text,
        &["CREATE INDEX CONCURRENTLY orders_firm_idx_new", "DROP INDEX orders_firm_idx", "RENAME TO orders_firm_idx"],
    );
    assert!(
        file_with(&text, "DROP INDEX orders_firm_idx").contains("ALTER INDEX orders_firm_idx_new RENAME"),
        "{text}"
    );
    assert_eq!(errors(&repository), [""; 0]);

    let (_, text) = sqlx("DROP INDEX orders_firm_idx;\nCREATE INDEX orders_firm_no_idx ON orders (firm_id, no);\n");
    in_order(&text, &["CREATE INDEX CONCURRENTLY orders_firm_no_idx", "DROP INDEX orders_firm_idx"]);
}

#[test]
fn a_view_is_not_away_while_something_is_built() {
    let (_, text) = sqlx(
        "DROP VIEW open_orders;\nCREATE INDEX orders_state_idx ON orders (state);\nCREATE VIEW open_orders AS SELECT id, no FROM orders;\n",
    );
    let file = file_with(&text, "DROP VIEW open_orders");
    assert!(file.contains("CREATE VIEW open_orders"), "{text}");
    in_order(&text, &["CONCURRENTLY", "DROP VIEW"]);
}

#[test]
fn a_default_stays_while_the_type_changes() {
    let (_, text) = sqlx(
        "ALTER TABLE orders ALTER COLUMN state DROP DEFAULT;\nALTER TABLE orders ALTER COLUMN state TYPE integer USING length(state);\nALTER TABLE orders ALTER COLUMN state SET DEFAULT 0;\n",
    );
    assert!(!text.contains("state DROP DEFAULT;\n==== "), "{text}");
}

#[test]
fn rows_that_change_in_between_are_left_to_a_person() {
    let new = "ALTER TABLE orders DROP CONSTRAINT orders_state;\nUPDATE orders SET state = 'open' WHERE state = '';\nALTER TABLE orders ADD CONSTRAINT orders_state CHECK (state <> 'gone');\n";
    let old = [
        ("Cargo.toml", "[package]\nname = \"a\"\n[dependencies]\nsqlx = \"0.8\"\n"),
        ("migrations/0001_given.sql", GIVEN),
    ];
    let repository = branch(&old, &[("migrations/0002_new.sql", new)]);
    let output = pgassay(repository.path(), &["fix", "--since", "main"]);
    assert!(stderr(&output).contains("rows of orders change between"), "{}", stderr(&output));
    assert!(written(&repository).contains(new), "{}", written(&repository));
}

#[test]
fn a_column_that_is_dropped_and_added_stays_one_migration() {
    let (_, text) = sqlx("ALTER TABLE orders DROP COLUMN price;\nALTER TABLE orders ADD COLUMN price text;\n");
    assert!(file_with(&text, "DROP COLUMN price").contains("ADD COLUMN price text"), "{text}");
    assert!(text.contains("dropped-data"), "{text}");
}

#[test]
fn a_column_that_code_does_not_write_yet_waits_for_code() {
    let (repository, text) = sqlx(
        "ALTER TABLE orders ADD COLUMN total integer;\nUPDATE orders SET total = price * 2;\nALTER TABLE orders ALTER COLUMN total SET NOT NULL;\n",
    );
    assert!(text.contains("once all running code writes total"), "{text}");
    assert!(!file_with(&text, "UPDATE orders SET total").contains("total_not_null"), "{text}");
    assert_eq!(errors(&repository), [""; 0]);
    let later = pgassay(repository.path(), &["fix", "--since", "main", "--deploy", "2"]);
    let text = written(&repository);
    in_order(&text, &["UPDATE orders SET total = price * 2\nWHERE total IS NULL", "NOT VALID", "VALIDATE"]);
    assert_eq!(errors(&repository), [""; 0], "{}\n{text}", stderr(&later));
}

#[test]
fn the_rows_of_between_are_filled_before_the_proof() {
    let (_, text) = sqlx(
        "UPDATE orders SET price = 0 WHERE price IS NULL OR price < 0;\nALTER TABLE orders ALTER COLUMN price SET NOT NULL;\n",
    );
    let again = "WHERE (price IS NULL OR price < 0) AND price IS NULL";
    in_order(&text, &["UPDATE orders", "NOT VALID", again, "VALIDATE CONSTRAINT"]);
}

#[test]
fn a_column_required_one_migration_later_is_required_all_the_same() {
    let new = [
        ("migrations/0002_a.sql", "SET lock_timeout = '1s';\nALTER TABLE orders ADD COLUMN total integer;\n"),
        (
            "migrations/0003_b.sql",
            "SET lock_timeout = '1s';\nALTER TABLE orders ADD CONSTRAINT total_is_there CHECK (total IS NOT NULL) NOT VALID;\n",
        ),
    ];
    let repository = branch(&[("migrations/0001_given.sql", GIVEN)], &new);
    let found = errors(&repository);
    assert!(found.len() == 1 && found[0].starts_with("required-column"), "{found:?}");
}

#[test]
fn names_stay_as_they_are_written() {
    let (_, text) = sqlx(
        "CREATE INDEX orders_state_idx ON orders (state);\nALTER TABLE orders ALTER COLUMN price SET NOT NULL;\nALTER TABLE orders ALTER COLUMN firm_id TYPE numeric;\n",
    );
    assert!(!text.contains("public."), "{text}");
    let (_, text) = sqlx("CREATE INDEX orders_state_idx ON public.orders (state);\n");
    assert!(text.contains("ON public.orders (state)"), "{text}");
}

#[test]
fn deploys_that_are_asked_for_at_once_are_allowed() {
    let old = [
        ("Cargo.toml", "[package]\nname = \"a\"\n[dependencies]\nsqlx = \"0.8\"\n"),
        ("migrations/0001_given.sql", GIVEN),
    ];
    let repository = branch(&old, &[("migrations/0002_new.sql", "ALTER TABLE orders DROP COLUMN price;\n")]);
    let output = pgassay(repository.path(), &["fix", "--since", "main", "--deploy", "2"]);
    assert!(
        written(&repository).contains("-- pgassay: allow(dropped-data) no running code"),
        "{}",
        written(&repository)
    );
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(errors(&repository), [""; 0]);
}

#[test]
fn a_generated_column_is_left_as_it_is_written() {
    let (_, text) = sqlx("ALTER TABLE orders ADD COLUMN twice integer GENERATED ALWAYS AS (price * 2) STORED;\n");
    assert!(text.contains("in place of a stored generated column") && !text.contains("CREATE FUNCTION"), "{text}");
}

#[test]
fn numbers_that_code_has_are_not_taken() {
    let given = joined(&["-- +goose Up\n", GIVEN]);
    let new = "-- +goose Up\nCREATE INDEX orders_state_idx ON orders (state);\nALTER TABLE orders ADD COLUMN a int;\n";
    let code = "package migrations\n\nfunc init() {}\n";
    let repository =
        branch(&[("migrations/001_given.sql", given)], &[("migrations/002_b.sql", new), ("migrations/003_c.go", code)]);
    let output = pgassay(repository.path(), &["fix", "--since", "main"]);
    assert!(stderr(&output).contains("003_c.go, which is code and has 003"), "{}", stderr(&output));
    assert!(!written(&repository).contains("003_b_2.sql"), "{}", written(&repository));
}

#[test]
fn what_depends_on_a_migration_depends_on_its_last_piece() {
    let old = [("yoyo.ini", "[DEFAULT]\nsources = steps\n"), ("steps/0001.a.sql", GIVEN)];
    let new = [
        (
            "steps/0002.b.sql",
            "-- depends: 0001.a\nCREATE INDEX orders_state_idx ON orders (state);\nALTER TABLE orders ADD COLUMN a int;\n",
        ),
        ("steps/0003.c.sql", "-- depends: 0002.b\nCREATE TABLE c (id bigint PRIMARY KEY);\n"),
        ("steps/0004.d.sql", "-- depends: 0003.c\nCREATE TABLE d (id bigint PRIMARY KEY);\n"),
    ];
    let (_, text) = fixed(&old, &new);
    assert!(file_with(&text, "steps/0003.b_2.sql\n").contains("-- depends: 0002.b\n"), "{text}");
    assert!(file_with(&text, "CREATE TABLE c").contains("-- depends: 0003.b_2\n"), "{text}");
    let name = file_with(&text, "CREATE TABLE c").split(".sql").next().unwrap_or_default().replace("steps/", "");
    assert!(file_with(&text, "CREATE TABLE d").contains(&format!("-- depends: {name}\n")), "{text}");
}

#[test]
fn a_comment_after_a_statement_stays_with_it_and_line_ends_stay() {
    let (_, text) = sqlx(
        "ALTER TABLE orders ADD COLUMN a int; -- for the shop\r\nCREATE INDEX orders_state_idx ON orders (state); -- looked up\r\n",
    );
    assert!(text.contains("-- for the shop\r\nALTER TABLE orders ADD COLUMN a int;\r\n"), "{text:?}");
    assert!(text.contains("-- looked up\r\nCREATE INDEX CONCURRENTLY"), "{text:?}");
}

#[test]
fn statements_with_a_delimiter_of_their_own_are_left() {
    let head = "-- atlas:delimiter -- end\n\n";
    let old = [("migrations/atlas.sum", "h1:x\n"), ("migrations/20240101000000_a.sql", GIVEN)];
    let new = joined(&[
        head,
        "CREATE INDEX orders_state_idx ON orders (state)\n-- end\nALTER TABLE orders ADD COLUMN a int\n-- end\n",
    ]);
    let repository = branch(&old, &[("migrations/20240201000000_b.sql", new)]);
    let output = pgassay(repository.path(), &["fix", "--since", "main"]);
    assert!(stderr(&output).contains("a delimiter of its own"), "{}", stderr(&output));
    assert!(!written(&repository).contains("CONCURRENTLY"), "{}", written(&repository));
}

#[test]
fn rows_are_filled_from_another_table_once_more_before_their_proof() {
    let new = "UPDATE orders SET price = f.id FROM firms f WHERE f.id = orders.firm_id RETURNING orders.id;\nALTER TABLE orders ALTER COLUMN price SET NOT NULL;\n";
    let (repository, text) = sqlx(new);
    in_order(
        &text,
        &["RETURNING orders.id", "NOT VALID", "WHERE (f.id = orders.firm_id) AND orders.price IS NULL", "VALIDATE"],
    );
    assert_eq!(errors(&repository), [""; 0]);
}

#[test]
fn a_proof_waits_for_the_trigger_that_fills_its_column() {
    let new = "ALTER TABLE orders ADD COLUMN total integer;\nUPDATE orders SET total = price;\nALTER TABLE orders ALTER COLUMN total SET NOT NULL;\nCREATE FUNCTION total_of_price() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.total := coalesce(NEW.price, 0); RETURN NEW; END $$;\nCREATE TRIGGER orders_total BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION total_of_price();\n";
    let (repository, text) = sqlx(new);
    in_order(&text, &["CREATE TRIGGER orders_total", "NOT VALID", "VALIDATE CONSTRAINT"]);
    assert_eq!(errors(&repository), [""; 0]);
}

#[test]
fn rows_are_changed_at_once_where_a_second_time_would_change_them_again() {
    let batched = |new: &str| sqlx(new).1.contains("$batches$");
    assert!(!batched("UPDATE orders SET state = lower(state || no);\n"));
    assert!(!batched("UPDATE orders SET price = price + 1;\n"));
    assert!(!batched("UPDATE orders SET id = firm_id;\n"));
    assert!(!batched("UPDATE orders o SET price = (SELECT max(x.price) FROM orders x);\n"));
    assert!(!batched("UPDATE orders SET no = gen_random_uuid()::text;\n"));
    // Both of them were to commit together.
    assert!(!batched("UPDATE orders SET price = 1;\nUPDATE firms SET id = 1 WHERE id = 2;\n"));
    assert!(batched("UPDATE orders AS o SET price = o.firm_id % 7;\n"));
    assert!(batched("UPDATE orders SET price = random() WHERE price IS NULL;\n"));
    assert!(!batched("UPDATE pairs SET y = x::text;\n"));
}

#[test]
fn who_runs_it_goes_with_what_commits_by_itself() {
    let given = "CREATE ROLE keeper;\nCREATE TABLE ports (id bigint PRIMARY KEY, country text);\n";
    let new = "SET ROLE keeper;\nCREATE INDEX ports_country ON ports (country);\nRESET ROLE;\nCREATE INDEX ports_id ON ports (id);\n";
    let (_, text) = fixed(&[("migrations/0001_ports.sql", given)], &[("migrations/0002_index.sql", new)]);
    let statements: Vec<&str> =
        text.lines().filter(|line| line.ends_with(';') && !line.contains("lock_timeout")).collect();
    let expected = [
        "SET ROLE keeper;",
        "CREATE INDEX CONCURRENTLY ports_country ON ports (country);",
        "RESET ROLE;",
        "CREATE INDEX CONCURRENTLY ports_id ON ports (id);",
    ];
    assert!(statements.windows(4).any(|four| four == expected), "{text}");
    // Another file would be run by another role.
    let (_, text) = fixed(&[SQLX, ("migrations/0001_ports.sql", given)], &[("migrations/0002_index.sql", new)]);
    assert!(text.contains("where SET ROLE does not reach"), "{text}");
}

#[test]
fn names_stay_as_they_were_written() {
    let given = "CREATE TABLE ports (id bigint PRIMARY KEY);\nCREATE INDEX ports_id ON ports (id);\n";
    for (new, expected) in [
        ("REINDEX TABLE ports;\n", "REINDEX TABLE CONCURRENTLY ports;"),
        ("REINDEX INDEX ports_id;\n", "REINDEX INDEX CONCURRENTLY ports_id;"),
        ("REINDEX TABLE public.ports;\n", "REINDEX TABLE CONCURRENTLY public.ports;"),
    ] {
        let (_, text) = fixed(&[("migrations/0001_ports.sql", given)], &[("migrations/0002_new.sql", new)]);
        assert!(text.contains(expected), "{new}{text}");
    }
}

#[test]
fn tern_is_known_by_its_line_in_each_piece() {
    let given = "CREATE TABLE ports (id bigint PRIMARY KEY, name text);\n\n---- create above / drop below ----\n\nDROP TABLE ports;\n";
    let new = "ALTER TABLE ports ADD COLUMN slug text;\nALTER TABLE ports ADD CHECK (name <> '');\n\n---- create above / drop below ----\n";
    let (repository, text) = fixed(&[("migrations/001_ports.sql", given)], &[("migrations/002_slug.sql", new)]);
    for entry in std::fs::read_dir(repository.path().join("migrations")).unwrap() {
        let path = entry.unwrap().path();
        let piece = std::fs::read_to_string(&path).unwrap();
        assert!(piece.contains("---- create above / drop below ----"), "{}: {piece}{text}", path.display());
    }
}

#[test]
fn a_fill_that_is_left_alone_goes_in_batches() {
    let (_, text) =
        sqlx("UPDATE orders SET price = 0 WHERE price IS NULL;\nALTER TABLE orders ALTER COLUMN price SET NOT NULL;\n");
    assert!(file_with(&text, "DO $batches$").contains("SET price = 0 WHERE (price IS NULL) AND id BETWEEN"), "{text}");
    let again = file_with(&text, "pgassay: allow(unbatched-backfill)");
    assert!(again.ends_with("UPDATE orders SET price = 0 WHERE price IS NULL;\n"), "{text}");
}

#[test]
fn a_fill_that_commits_with_others_is_left_and_said() {
    let (_, text) = sqlx("UPDATE orders SET price = 0;\nUPDATE orders SET state = 'a';\n");
    assert_eq!(text.matches("it commits with what stands beside it").count(), 2, "{text}");
    let (_, text) = sqlx("UPDATE orders SET price = price + 1;\n");
    assert!(text.contains("it cannot be walked through in batches"), "{text}");
}

#[test]
fn a_fill_from_another_table_is_walked_by_the_key_of_its_own() {
    let (_, text) = sqlx("UPDATE orders o SET price = f.id FROM firms f WHERE f.id = o.firm_id OR f.id = 1;\n");
    let batch = "UPDATE orders o SET price = f.id FROM firms f WHERE (f.id = o.firm_id OR f.id = 1) AND o.id BETWEEN batch_from.id AND batch_to.id;";
    assert!(text.contains(batch), "{text}");
    let (_, text) = sqlx("UPDATE pairs SET y = orders.no FROM orders WHERE orders.price = x;\n");
    assert!(text.contains("it cannot be walked through"), "the key changes: {text}");
    let (_, text) = sqlx("UPDATE orders SET price = orders.price + f.id FROM firms f WHERE f.id = firm_id;\n");
    assert!(text.contains("it cannot be walked through"), "a second run adds once more: {text}");
}

#[test]
fn a_key_that_something_in_between_needs_gone_is_left() {
    for between in [
        "DROP TABLE firms;\nCREATE TABLE firms (id bigint PRIMARY KEY);\n",
        "ALTER TABLE firms RENAME TO old_firms;\nCREATE TABLE firms (id bigint PRIMARY KEY);\n",
        "ALTER TABLE firms DROP CONSTRAINT firms_pkey;\nALTER TABLE firms ADD PRIMARY KEY (id);\n",
        "ALTER TABLE firms ALTER COLUMN id TYPE numeric;\n",
    ] {
        let key = "ALTER TABLE orders DROP CONSTRAINT orders_firm_fk;\n";
        let again = "ALTER TABLE orders ADD CONSTRAINT orders_firm_fk FOREIGN KEY (firm_id) REFERENCES firms (id) NOT VALID;\n\
             ALTER TABLE orders VALIDATE CONSTRAINT orders_firm_fk;\n";
        let (_, text) = sqlx(&[key, between, again].concat());
        in_order(
            &text,
            &["DROP CONSTRAINT orders_firm_fk", between.split('\n').next().unwrap_or_default(), "ADD CONSTRAINT"],
        );
    }
    let (_, text) = sqlx(
        "ALTER TABLE orders DROP CONSTRAINT orders_firm_fk;\nDROP TABLE firms;\nCREATE TABLE firms (id bigint PRIMARY KEY);\nALTER TABLE orders ADD CONSTRAINT orders_firm_fk FOREIGN KEY (firm_id) REFERENCES firms (id);\n",
    );
    assert!(text.contains("may need that to be gone: take it apart by hand"), "{text}");
}
