//! Live databases: what is read of them, what is not, and what that does to `check`.

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use crate::support::servers;
use pgassay::change::QualifiedName;
use pgassay::contract::Subject;
use pgassay::db::{self, Limits, Parameters, Reading, Wanted};
use pgassay::facts::{Topic, Values};
use pgassay::shadow::{Options, Server, Session};
use pgassay::source::Sources;

const SHOP: &str = include_str!("../database/shop.sql");

/// A server with a database `shop`, and a way to reach it from outside.
struct Shop {
    server: Server,
    runtime: tokio::runtime::Runtime,
}

impl Shop {
    fn start(installation: &pgassay::shadow::Installation, settings: &[(&str, &str)]) -> Shop {
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let options = Options { settings, ..Options::default() };
        let server = Server::start(installation, &options).unwrap_or_else(|error| panic!("{error}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let shop = Shop { server, runtime };
        shop.run("postgres", "CREATE DATABASE shop");
        shop.run("shop", SHOP);
        shop
    }

    fn folder(&self) -> String {
        match &self.server.config("shop").get_hosts()[0] {
            tokio_postgres::config::Host::Unix(path) => path.display().to_string(),
            tokio_postgres::config::Host::Tcp(_) => panic!("a socket"),
        }
    }

    fn string(&self, user: &str, database: &str) -> String {
        format!("host={} user={user} dbname={database} password=s3cret", self.folder())
    }

    fn run(&self, database: &str, sql: &str) {
        self.runtime.block_on(async {
            let session = self.server.connect(database).await.expect("a session");
            session.batch_execute(sql).await.unwrap_or_else(|error| panic!("{error:?} in {sql:.200}"));
            session.close().await;
        });
    }

    fn session(&self, database: &str) -> Session {
        self.runtime.block_on(self.server.connect(database)).expect("a session")
    }

    fn read(&self, user: &str, database: &str, values: Values) -> Reading {
        let parameters = Parameters::read(&self.string(user, database)).expect("parameters");
        let limits = Limits { lock: Duration::from_millis(300), ..Limits::default() };
        let wanted = Wanted { values, limits, ..Wanted::default() };
        self.runtime.block_on(db::read(&parameters, wanted)).unwrap_or_else(|error| panic!("{error}"))
    }
}

fn pgassay(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgassay"));
    command.current_dir(folder).args(arguments);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PG")) {
        command.env_remove(name);
    }
    command.output().expect("pgassay runs")
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Without the first line, which has the time.
fn body(ddl: &str) -> &str {
    ddl.split_once('\n').map_or(ddl, |(_, rest)| rest)
}

/// The statements, where their order says nothing.
fn sorted(ddl: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = body(ddl).split(";\n").collect();
    lines.sort_unstable();
    lines
}

#[test]
fn the_ddl_makes_the_same_schema_again_on_every_version() {
    for installation in servers::all() {
        let shop = Shop::start(&installation, &[]);
        let first = shop.read("postgres", "shop", Values::None);
        shop.run("postgres", "CREATE DATABASE copy");
        shop.run("copy", &first.ddl);
        let second = shop.read("postgres", "copy", Values::None);
        let (one, other) = (sorted(&first.ddl), sorted(&second.ddl));
        let lost: Vec<_> = one.iter().filter(|line| !other.contains(line)).collect();
        let new: Vec<_> = other.iter().filter(|line| !one.contains(line)).collect();
        assert!(lost.is_empty() && new.is_empty(), "{}: lost {lost:#?}, new {new:#?}", installation.version());

        // All of it goes through our own reader and model.
        let mut sources = Sources::default();
        let database = db::Database::new(first, &mut sources);
        let unread: Vec<_> = database.facts.unread.iter().filter(|it| it.topic == Topic::Definitions).collect();
        assert!(unread.is_empty(), "{}: {unread:#?}", installation.version());
        assert!(database.schema.complete);
        let orders = database.schema.relation_at(&"shop.orders".parse().expect("a name")).expect("the table");
        assert!(orders.system_triggers_off, "foreign keys are not checked");
        let inserts =
            database.schema.publications.get(&pgassay::change::Name::from("inserts")).expect("the publication");
        assert!(!inserts.updates.any() && inserts.tables == [orders.id]);
        let total = orders.column(&"total".into()).expect("the column").id;
        let place = database.places.of(&Subject::Column(orders.id, total)).expect("a place");
        assert!(sources.slice(place).starts_with("total "), "{}", sources.slice(place));
        assert_eq!(database.label, "database shop");
    }
}

/// The definitions of keys' indexes are put together from the constraints, those of plain ones from their parts.
#[test]
fn indexes_are_as_the_server_prints_them() {
    const INDEXES: &str = r#"
        CREATE SCHEMA "Odd ""schema""";
        CREATE TABLE "Odd ""schema"""."Odd, (table)" ("A) DEFERRABLE" int, "select" text, c int, d text COLLATE "C",
            CONSTRAINT "odd key" PRIMARY KEY ("A) DEFERRABLE", "select") INCLUDE (c), UNIQUE (d) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT filled UNIQUE (c) WITH (fillfactor = 70), CONSTRAINT "out" EXCLUDE USING btree (c WITH =), UNIQUE (c, d) DEFERRABLE);
        CREATE TABLE parts (id int, at date, PRIMARY KEY (id, at), UNIQUE (at, id)) PARTITION BY RANGE (at);
        CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
        CREATE UNIQUE INDEX plain ON parts_1 (at DESC, (id + 1)) WHERE id > 0;
        CREATE UNIQUE INDEX named ON parts_1 (id);
        ALTER TABLE parts_1 ADD CONSTRAINT renamed UNIQUE USING INDEX named;
        CREATE TYPE mood AS ENUM ('good', 'bad');
        CREATE DOMAIN small AS int;
        CREATE TABLE "Plain" (a int, "User" varchar(9), c text COLLATE "C", d bpchar(3), e mood, f int[], g small, h text);
        CREATE INDEX ON "Plain" (a, "User" DESC, e DESC NULLS LAST, f NULLS FIRST, g);
        CREATE INDEX "Named" ON "Plain" (a) WHERE "User" = 'it''s' AND e <> 'bad';
        CREATE INDEX broken ON "Plain" (a) WHERE CASE WHEN a > 1 THEN a < 5 ELSE a IN (0, 1) END;
        CREATE INDEX lines ON "Plain" (a) WHERE h = E'two\nlines';
        CREATE INDEX collated ON "Plain" (a, c, h COLLATE "C");
        CREATE TABLE likes (a varchar(9), b bpchar(3), c text, d int, e int);
        CREATE INDEX patterns ON likes (a text_pattern_ops, b, c varchar_ops);
        CREATE INDEX foreign_class ON likes (a bpchar_ops);
        CREATE INDEX own_collation ON likes (c COLLATE "C");
        CREATE INDEX brins ON likes USING brin (d);
        CREATE INDEX hashes ON likes USING hash (d);
        CREATE INDEX filled ON likes (d) WITH (fillfactor = 60);
        CREATE INDEX covering ON likes (d) INCLUDE (e);
        CREATE INDEX expressed ON likes (d, (d + e));
        CREATE INDEX rooted ON parts (id);
        CREATE UNIQUE INDEX single ON likes (d, e);"#;
    for installation in servers::all() {
        let shop = Shop::start(&installation, &[]);
        shop.run("shop", INDEXES);
        if installation.major() >= 15 {
            shop.run("shop", "CREATE TABLE nulls (a int, b int, UNIQUE NULLS NOT DISTINCT (a) INCLUDE (b))");
        }
        if installation.major() >= 18 {
            shop.run("shop", "CREATE TABLE spans (a int4range, during int4range, UNIQUE (a, during WITHOUT OVERLAPS))");
        }
        let reading = shop.read("postgres", "shop", Values::None);
        let session = shop.session("shop");
        let sql = "SELECT schemaname::text, indexname::text, indexdef FROM pg_indexes WHERE schemaname !~ '^(pg_|information_schema)'";
        shop.runtime.block_on(session.batch_execute("SET search_path = pg_catalog")).expect("the names of types whole");
        let rows = shop.runtime.block_on(session.query(sql, &[])).expect("the indexes");
        assert!(rows.len() > 20, "{}", rows.len());
        for row in rows {
            let name = QualifiedName::new(row.get::<_, &str>(0), row.get::<_, &str>(1));
            let found = reading.facts.indexes.get(&name).map(|index| index.definition.as_str());
            assert_eq!(found, Some(row.get::<_, &str>(2)), "{}: {name}", installation.version());
        }
    }
}

/// How many queries it takes does not hang on how much there is. Ten thousand tables are in scripts/many-tables.
#[test]
fn more_tables_are_no_more_queries() {
    let shop = Shop::start(&servers::newest(), &[("log_statement", "all"), ("log_line_prefix", "%a|")]);
    let queries = |database: &str| {
        let log = Path::new(&shop.folder()).join("log");
        let number = || {
            let log = std::fs::read_to_string(&log).expect("the server's log");
            let is_query = |line: &&str| line.starts_with("pgassay|") && line.contains("execute <unnamed>: ");
            log.lines().filter(is_query).count()
        };
        let before = number();
        let reading = shop.read("postgres", database, Values::None);
        (number() - before, reading.facts.relations.len())
    };
    shop.run("postgres", "CREATE DATABASE few");
    shop.run("postgres", "CREATE DATABASE many");
    let make = |tables: usize| {
        let table = |n| {
            format!(
                "CREATE TABLE t{n} (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a text DEFAULT 'x' CHECK (a <> ''));
                 CREATE INDEX ON t{n} (a) WHERE id > 1; CREATE VIEW v{n} AS SELECT id FROM t{n};"
            )
        };
        (0..tables).map(table).collect::<String>()
    };
    shop.run("few", &make(1));
    shop.run("many", &make(150));
    let ((few, _), (many, relations)) = (queries("few"), queries("many"));
    assert!(relations >= 300, "{relations}");
    assert_eq!(few, many);
    assert!((10..=27).contains(&many), "{many} queries");
}

#[test]
fn statistics_are_read_with_values_only_where_asked_for() {
    let shop = Shop::start(&servers::newest(), &[]);
    let reading = shop.read("postgres", "shop", Values::None);
    let customers = "shop.customers".parse().expect("a name");
    let relation = &reading.facts.relations[&customers];
    assert_eq!(relation.rows, Some(2000.0));
    assert!(relation.heap_bytes > Some(100_000) && relation.index_bytes > Some(50_000), "{relation:?}");
    let name = &relation.columns["name"];
    assert!(name.values_left_out && name.most_common_values.is_none() && name.n_distinct == 8.0);
    let (empty, share) = &name.sentinels[0];
    assert!(empty.is_empty() && (0.3..0.36).contains(share));
    let sequence = &reading.facts.sequences[&"shop.orders_id_seq".parse().expect("a name")];
    assert_eq!((sequence.last_value, sequence.max_value), (Some(500), i64::from(i32::MAX)));
    assert_eq!(reading.facts.activity.transactions, []);
    assert_eq!(reading.applied[0].versions, ["20240101"]);

    let reading = shop.read("postgres", "shop", Values::All);
    let name = &reading.facts.relations[&customers].columns["name"];
    assert_eq!(name.common().next().map(|(value, _)| value).as_deref(), Some(""));
}

#[test]
fn a_role_that_may_only_connect_is_told_what_it_cannot_see() {
    let shop = Shop::start(&servers::newest(), &[]);
    shop.run("shop", "CREATE ROLE plain LOGIN; CREATE ROLE watcher LOGIN; GRANT pg_monitor TO watcher");
    for (user, hidden_activity) in [("plain", true), ("watcher", false)] {
        let reading = shop.read(user, "shop", Values::None);
        let facts = &reading.facts;
        assert!(facts.is_unread(Topic::ColumnStatistics) && facts.is_unread(Topic::AppliedMigrations), "{user}");
        assert_eq!(facts.is_unread(Topic::Activity), hidden_activity, "{user}");
        assert!(!facts.is_unread(Topic::Definitions) && !facts.is_unread(Topic::Sizes), "{:#?}", facts.unread);
        let statistics = facts.unread.iter().find(|unread| unread.topic == Topic::ColumnStatistics).expect("one");
        assert!(statistics.reason.contains("pg_read_all_data") && !statistics.objects.is_empty(), "{statistics:?}");
        // The schema and the sizes are there all the same.
        assert_eq!(
            reading.ddl.matches("CREATE TABLE ").count(),
            shop.read("postgres", "shop", Values::None).ddl.matches("CREATE TABLE ").count()
        );
        assert!(facts.relations[&"shop.customers".parse().expect("a name")].heap_bytes > Some(0));
    }
}

#[test]
fn a_locked_table_holds_up_nothing_but_itself() {
    for installation in servers::all() {
        let shop = Shop::start(&installation, &[]);
        let other = shop.session("shop");
        let lock = "BEGIN; LOCK TABLE shop.orders, shop.events_1 IN ACCESS EXCLUSIVE MODE";
        shop.runtime.block_on(other.batch_execute(lock)).expect("locks");
        let started = Instant::now();
        let reading = shop.read("postgres", "shop", Values::None);
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
        let facts = &reading.facts;
        let orders = &facts.relations[&"shop.orders".parse().expect("a name")];
        assert!(orders.locked && orders.bytes_estimated && orders.heap_bytes > Some(0), "{orders:?}");
        assert!(facts.is_unread(Topic::Definitions) && facts.is_unread(Topic::Sizes));
        let told: Vec<&String> = facts.unread.iter().flat_map(|unread| &unread.objects).collect();
        for object in ["shop.orders", "shop.open_orders", "shop.a_first"] {
            assert!(told.iter().any(|told| told.contains(object)), "{object}: {told:?}");
        }
        assert!(
            reading.ddl.contains("CREATE TABLE shop.orders (") && reading.ddl.contains("CREATE TABLE shop.customers (")
        );
        assert!(!db::Database::new(reading, &mut Sources::default()).schema.complete);
    }
}

#[test]
fn only_reads_reach_the_server_and_no_password_the_user() {
    let shop = Shop::start(&servers::newest(), &[("log_statement", "all"), ("log_line_prefix", "%a|")]);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("shop.snapshot");
    let url = shop.string("postgres", "shop");
    let output = pgassay(&["snapshot", "--db", &url, "-o", &file.display().to_string()], folder.path());
    assert!(output.status.success() && !text(&output).contains("s3cret"), "{}", text(&output));

    let migration = folder.path().join("V1__a.sql");
    std::fs::write(&migration, "ALTER TABLE shop.orders ADD COLUMN note text;").expect("written");
    for arguments in
        [&["audit", "--db", &url, "--sample"][..], &["check", "--db", &url, &migration.display().to_string()]]
    {
        let output = pgassay(arguments, folder.path());
        assert!(output.status.code() != Some(2) && !text(&output).contains("s3cret"), "{}", text(&output));
    }

    let log = std::fs::read_to_string(Path::new(&shop.folder()).join("log")).expect("the server's log");
    // A statement goes on behind a tab.
    let log = log.replace("\n\t", " ");
    let ours = log.lines().filter_map(|line| line.strip_prefix("pgassay|"));
    let statements: Vec<&str> = ours
        .filter_map(|line| line.split_once("statement: ").or(line.split_once("execute <unnamed>: ")))
        .map(|(_, sql)| sql.trim())
        .collect();
    assert!(statements.len() > 20, "{statements:?}");
    for statement in statements {
        let first = statement.split_whitespace().next().unwrap_or_default();
        let reads = ["BEGIN", "SELECT", "WITH", "SAVEPOINT", "ROLLBACK"].contains(&first.trim_end_matches(';'));
        let holds = statement.starts_with("LOCK TABLE ONLY ") && statement.ends_with(" IN ACCESS SHARE MODE");
        assert!(reads || holds, "{statement}");
    }

    // Wrong in every way: the message has the place, not the password.
    for wrong in [
        format!("{url} port=1"),
        url.replace("dbname=shop", "dbname=gone"),
        "postgres://ann:s3cret@127.0.0.1:1/x".to_owned(),
        "postgres://ann:s3%zzcret@h/x".to_owned(),
        // What is no URL is the name of a database, unless it looks like one; what is not encoded ends up in host, port or path.
        "postgres:/ann:s3cret@127.0.0.1/x".to_owned(),
        "ann:s3cret@127.0.0.1/x".to_owned(),
        "postgres://ann:s3cret/x@127.0.0.1:1/x".to_owned(),
        "postgres://ann:1/s3cret@127.0.0.1:1/x".to_owned(),
        "postgres://ann:s3cret?x@127.0.0.1:1/x".to_owned(),
        format!("{url} passwort=s3cret"),
        format!("{url} sslmode=s3cret-mode"),
    ] {
        let output = pgassay(&["snapshot", "--db", &wrong, "-o", "x"], folder.path());
        let said = text(&output).replace("s3cret-mode", "");
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(!said.contains("s3cret") && !said.contains("s3%"), "{said}");
    }
}

#[test]
fn a_connection_that_is_cut_is_an_error_that_says_so() {
    let shop = Shop::start(&servers::newest(), &[]);
    // Something to wait for: every statement of ours is slow.
    let admin = shop.session("shop");
    let parameters = Parameters::read(&shop.string("postgres", "shop")).expect("parameters");
    let error = shop.runtime.block_on(async {
        let session = db::Session::open(&parameters, &Limits::default()).await.expect("a session");
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pgassay'";
        admin.batch_execute(cut).await.expect("cut");
        tokio::time::sleep(Duration::from_millis(200)).await;
        db::read_in(&session, Wanted::default()).await.expect_err("the connection is gone")
    });
    let message = error.to_string();
    assert!(matches!(error, db::DbError::Lost { .. }), "{message}");
    assert!(message.contains("database \"shop\"") && message.contains("user \"postgres\""), "{message}");
}

#[test]
fn a_snapshot_holds_what_was_read_and_no_personal_values() {
    let shop = Shop::start(&servers::newest(), &[]);
    let reading = shop.read("postgres", "shop", Values::All);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("shop.snapshot");
    let areas = pgassay::config::parse("[areas]\npersonal-data = [\"shop.events*\"]").expect("areas").settings.areas;

    db::snapshot::write(&file, reading.clone(), true, &areas).expect("written");
    let kept = db::snapshot::read(&file).expect("read");
    assert_eq!((&kept.ddl, &kept.workload, &kept.applied), (&reading.ddl, &reading.workload, &reading.applied));
    let column = |reading: &Reading, table: &str, column: &str| {
        reading.facts.relations[&table.parse().expect("a name")].columns[column].clone()
    };
    assert_eq!(column(&kept, "shop.orders", "status"), column(&reading, "shop.orders", "status"));
    assert!(column(&kept, "shop.orders", "status").most_common_values.is_some());
    for (table, name) in [("shop.customers", "mail"), ("shop.customers", "name"), ("shop.events_1", "kind")] {
        let (was, is) = (column(&reading, table, name), column(&kept, table, name));
        assert!(was.most_common_values.is_some() || was.histogram.is_some(), "{table}.{name}");
        assert!(is.most_common_values.is_none() && is.histogram.is_none() && is.values_left_out, "{table}.{name}");
        assert_eq!(is.n_distinct, was.n_distinct);
    }

    db::snapshot::write(&file, reading, false, &areas).expect("written");
    let without = db::snapshot::read(&file).expect("read");
    assert!(column(&without, "shop.orders", "status").most_common_values.is_none());
    std::fs::write(&file, b"no gzip").expect("written");
    assert!(db::snapshot::read(&file).expect_err("no snapshot").to_string().contains("no snapshot"));
}

#[test]
fn check_knows_sizes_and_what_ran_before() {
    let shop = Shop::start(&servers::newest(), &[]);
    shop.run(
        "shop",
        "CREATE TABLE tiny (id int PRIMARY KEY, n int); INSERT INTO tiny VALUES (1, 1);
         CREATE TABLE large (id bigint, note text); INSERT INTO large SELECT n, repeat('x', 800) FROM generate_series(1, 150000) n;
         CREATE TABLE gaps (id int PRIMARY KEY, n int, full_of int); INSERT INTO gaps SELECT i, nullif(i % 2, 0), i FROM generate_series(1, 1000) i;
         CREATE TABLE empty (id int PRIMARY KEY)",
    );
    shop.run("shop", "ANALYZE");
    let folder = tempfile::tempdir().expect("a folder");
    let migrations = folder.path().join("db/migrations");
    std::fs::create_dir_all(&migrations).expect("a folder");
    let write = |name: &str, sql: &str| {
        std::fs::write(migrations.join(name), format!("-- migrate:up\n{sql}\n")).expect("written")
    };
    // Ran before: its table is there, and would be a duplicate.
    write("20240101_orders.sql", "CREATE TABLE shop.orders (id int);");
    write("20240102_tiny.sql", "SET lock_timeout = '2s';\nALTER TABLE tiny ALTER n TYPE bigint;");
    write("20240103_large.sql", "SET lock_timeout = '2s';\nALTER TABLE large ALTER id TYPE text;");

    write(
        "20240104_gaps.sql",
        "SET lock_timeout = '2s';\nALTER TABLE gaps ALTER n SET NOT NULL, ALTER full_of SET NOT NULL;",
    );
    write("20240105_empty.sql", "SET lock_timeout = '2s';\nALTER TABLE empty ADD COLUMN n int NOT NULL;");

    let url = shop.string("postgres", "shop");
    let check = |arguments: &[&str]| {
        let output = pgassay(&[&["check", "db/migrations", "--format", "json"], arguments].concat(), folder.path());
        let report: serde_json::Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", text(&output)));
        let findings = report["findings"].as_array().expect("findings").clone();
        let of = |rule: &str, object: &str| {
            let found = findings
                .iter()
                .find(|it| it["rule"] == rule && it["object"].as_str().is_some_and(|it| it.starts_with(object)));
            found.cloned()
        };
        let found = (
            of("blocking-rewrite", "public.tiny"),
            of("blocking-rewrite", "public.large"),
            of("duplicate-object", "shop.orders"),
            of("lock-behind-transaction", "public.tiny"),
        );
        (found, text(&output))
    };
    let ((tiny, large, duplicate, waiting), said) = check(&["--db", &url]);
    let (tiny, large) = (tiny.expect("a rewrite"), large.expect("a rewrite"));
    assert_eq!((tiny["severity"].as_str(), large["severity"].as_str()), (Some("info"), Some("error")), "{said}");
    assert!(large["message"].as_str().is_some_and(|it| it.contains("MB)") && it.contains("about")), "{large}");
    assert!(
        tiny["evidence"].to_string().contains("measured") && tiny["evidence"].to_string().contains("about 1 rows"),
        "{tiny}"
    );
    assert!(duplicate.is_none() && waiting.is_none(), "{said}");
    assert!(said.contains("1 migrations ran there before"), "{said}");
    assert!(said.contains("fails on the rows that are there: column \\\"n\\\""), "{said}");
    assert!(
        said.contains("fails if a row breaks it: column \\\"full_of\\\"")
            && said.contains("has no page, and so no row"),
        "{said}"
    );

    // Someone sits in a transaction that read the tiny table.
    let other = shop.session("shop");
    shop.runtime.block_on(other.batch_execute("BEGIN; SELECT * FROM tiny")).expect("a transaction");
    std::thread::sleep(Duration::from_millis(2200));
    std::fs::write(folder.path().join("pgassay.toml"), "[rules.lock-behind-transaction]\nseconds = 2\n[rules.blocking-rewrite]\nbrief-milliseconds = 600000\nquiet-calls = 100000000\n").expect("written");
    let ((_, large, _, waiting), said) = check(&["--db", &url]);
    assert_eq!(waiting.expect("a warning")["severity"], "warning", "{said}");
    // The limits are the team's.
    assert_eq!(large.expect("a rewrite")["severity"], "info", "{said}");
    shop.runtime.block_on(other.close());

    // A snapshot says the same.
    std::fs::remove_file(folder.path().join("pgassay.toml")).expect("removed");
    let written = pgassay(&["snapshot", "--db", &url, "-o", "shop.snapshot"], folder.path());
    assert!(written.status.success(), "{}", text(&written));
    let ((tiny, large, ..), said) = check(&["--snapshot", "shop.snapshot"]);
    let severity = |finding: Option<serde_json::Value>| finding.expect("a rewrite")["severity"].clone();
    assert_eq!((severity(tiny), severity(large)), ("info".into(), "error".into()), "{said}");
}
