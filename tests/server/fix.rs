//! `pgassay fix --prove`: on a server the original and the new form leave the same database.

use std::path::Path;
use std::process::{Command, Output};

use crate::support::servers;

const GIVEN: &str = "CREATE TABLE customers (id bigint PRIMARY KEY, name text NOT NULL, email text);\n\
    CREATE TABLE orders (id serial PRIMARY KEY, customer_id int NOT NULL DEFAULT 7, code int, note text NOT NULL, placed date);\n\
    CREATE INDEX orders_code_idx ON orders (code) WHERE placed IS NULL;\n\
    INSERT INTO customers SELECT i, 'c' || i FROM generate_series(1, 20) i;\n\
    INSERT INTO orders (customer_id, code, note) SELECT i, i, 'n' FROM generate_series(1, 20) i;\n";

/// Each is one new migration.
const NEW: &[&str] = &[
    "CREATE INDEX orders_customer_id_idx ON orders (customer_id);\nALTER TABLE orders ADD COLUMN state text;\n",
    "ALTER TABLE orders ALTER COLUMN code SET NOT NULL;\n",
    "ALTER TABLE orders ADD CONSTRAINT orders_code CHECK (code > 0), ADD CONSTRAINT orders_note CHECK (note <> '');\n",
    "ALTER TABLE customers ADD CONSTRAINT customers_email_key UNIQUE (email);\n",
    "ALTER TABLE orders ALTER COLUMN code TYPE bigint;\n",
    "ALTER TABLE orders ALTER COLUMN id TYPE bigint;\n",
    "ALTER TABLE customers RENAME COLUMN name TO full_name;\n",
    "ALTER TABLE orders RENAME COLUMN id TO number;\n",
    "ALTER TABLE customers RENAME TO people;\n",
    "ALTER TABLE orders ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid();\n",
    "ALTER TABLE orders ADD COLUMN kind text NOT NULL DEFAULT 'a', DROP COLUMN note;\n",
    "ALTER TABLE orders ADD COLUMN loud text;\nUPDATE orders SET loud = upper(note) WHERE note <> '';\nALTER TABLE orders DROP COLUMN note;\n",
    "CREATE TYPE mood AS ENUM ('fine');\nALTER TABLE orders ADD COLUMN mood mood DEFAULT 'fine';\nCREATE INDEX orders_mood_idx ON orders (mood);\n",
    "SET lock_timeout = '1s';\nDROP TABLE orders;\nCREATE TABLE baskets (id bigint PRIMARY KEY);\n",
    "ALTER TABLE orders ADD CONSTRAINT orders_code_fk FOREIGN KEY (code) REFERENCES customers (id) ON DELETE CASCADE;\n",
    "ALTER TABLE orders DROP CONSTRAINT orders_pkey;\nALTER TABLE orders ADD COLUMN key bigint GENERATED ALWAYS AS IDENTITY;\nALTER TABLE orders ADD PRIMARY KEY (key);\nALTER TABLE orders ADD CONSTRAINT orders_id_key UNIQUE (id);\n",
    "DROP INDEX orders_code_idx;\nCREATE INDEX orders_code_idx ON orders (code);\n",
    "UPDATE orders SET code = 0 WHERE code IS NULL;\nALTER TABLE orders ALTER COLUMN code SET NOT NULL;\n",
    "UPDATE orders AS o SET code = c.id FROM customers c WHERE c.id = o.customer_id AND o.code IS NULL;\nALTER TABLE orders ALTER COLUMN code SET NOT NULL;\n",
    "UPDATE orders SET placed = '2024-01-01' RETURNING id;\nALTER TABLE orders ALTER COLUMN placed SET NOT NULL;\n",
    "UPDATE orders AS o SET note = c.name FROM customers AS c WHERE c.id = o.customer_id;\n",
    "UPDATE customers c SET email = c.name || '@example.org';\n",
    "ALTER TABLE orders ADD COLUMN state text DEFAULT 'new';\nUPDATE orders SET state = CASE WHEN placed IS NULL THEN 'open' ELSE 'done' END;\nALTER TABLE orders ADD CONSTRAINT orders_state CHECK (state <> '');\n",
    "ALTER TABLE orders ADD COLUMN total int;\nUPDATE orders SET total = code;\nALTER TABLE orders ALTER COLUMN total SET NOT NULL;\nCREATE FUNCTION total_of_code() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.total := coalesce(NEW.total, NEW.code, 0); RETURN NEW; END $$;\nCREATE TRIGGER orders_total BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION total_of_code();\n",
];

fn git(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    let named = ["-c", "user.name=A Tester", "-c", "user.email=tester@example.org", "-c", "commit.gpgsign=false"];
    let output = command.arg("-C").arg(folder).args(named).args(arguments).output().expect("git");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A project of sqlx with one migration that ran and one that is new.
fn project(new: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    };
    git(folder.path(), &["init", "-q", "-b", "main"]);
    write("Cargo.toml", "[package]\nname = \"a\"\n[dependencies]\nsqlx = \"0.8\"\n");
    write("migrations/0001_given.sql", GIVEN);
    git(folder.path(), &["add", "-A"]);
    git(folder.path(), &["commit", "-q", "-m", "given"]);
    git(folder.path(), &["checkout", "-q", "-b", "branch"]);
    write("migrations/0002_new.sql", new);
    git(folder.path(), &["add", "-A"]);
    git(folder.path(), &["commit", "-q", "-m", "new"]);
    folder
}

fn fix(folder: &Path, bin: &Path, major: u16) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pgassay"))
        .current_dir(folder)
        .args(["fix", "--since", "main", "--prove", "--pg-version", &major.to_string(), "--pg-bin"])
        .arg(bin)
        .output()
        .expect("the binary runs")
}

#[test]
fn the_new_form_leaves_what_the_original_leaves() {
    let all = servers::all();
    let (first, last) = (all.first().expect("a server"), all.last().expect("a server"));
    let mut wrong = Vec::new();
    for server in [first, last] {
        for new in NEW {
            let folder = project(new);
            let output = fix(folder.path(), server.bin(), server.major());
            let said = String::from_utf8_lossy(&output.stderr);
            let is_proved = said.contains("leave the same") && said.contains("nothing of it works long under a lock");
            if !is_proved || said.contains("not proved") {
                wrong.push(format!("{new} on {}:\n{said}", server.major()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
