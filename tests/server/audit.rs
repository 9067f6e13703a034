//! The demonstration database on a real server: every planted defect is found, no healthy twin is spoken of, and nothing else is
//! more than an info.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use pgassay::audit::{AuditJob, Filter, audit};
use pgassay::change::QualifiedName;
use pgassay::config;
use pgassay::db::sample::{self, Bounds};
use pgassay::db::{self, Database, Parameters, Reading, Wanted};
use pgassay::facts::{Facts, Samples, Values, Workload};
use pgassay::finding::Severity;
use pgassay::report::Report;
use pgassay::shadow::{Installation, Options, Server, Session};
use pgassay::source::{SourceFile, Sources};
use pgassay::sql::read_script;
use tokio_postgres::config::Host;

/// A database with planted defects and healthy twins.
struct Demonstration {
    database: &'static str,
    scripts: [&'static str; 2],
    planted: &'static str,
    /// It is made at this fraction of its size.
    scale: u32,
}

const SHOP: Demonstration =
    Demonstration { database: "shop", scripts: ["shop.sql", "workload.sql"], planted: "planted.tsv", scale: 100 };

/// Another trade, other names, and what each finding has to say.
const CLINIC: Demonstration = Demonstration {
    database: "clinic",
    scripts: ["clinic.sql", "clinic-workload.sql"],
    planted: "clinic.tsv",
    scale: 1,
};

/// A theatre: planted from the trade before anybody looked at what there are rules for.
const PLAYHOUSE: Demonstration = Demonstration {
    database: "playhouse",
    scripts: ["playhouse.sql", "playhouse-workload.sql"],
    planted: "playhouse.tsv",
    scale: 1,
};

const CONFIGURATION: &str = "[areas]\npayments = [\"billing.*\"]\npersonal-data = [\"shop.customers\"]\n";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/demo-database")
}

fn text(name: &str) -> String {
    fs::read_to_string(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A line of planted.tsv.
struct Planted {
    is_twin: bool,
    rule: String,
    object: String,
    /// What is in the message.
    says: String,
}

fn planted(file: &str) -> Vec<Planted> {
    let text = text(file);
    let line = |line: &str| {
        let mut parts = line.split('\t').map(str::to_owned);
        let kind = parts.next()?;
        let (rule, object, says) = (parts.next()?, parts.next()?, parts.next().unwrap_or_default());
        Some(Planted { is_twin: kind == "twin", rule, object, says })
    };
    text.lines()
        .skip(1)
        .map(|it| line(it).unwrap_or_else(|| panic!("not a line of three or four columns: {it}")))
        .collect()
}

fn server(installation: &Installation) -> Server {
    let settings = [
        ("shared_preload_libraries", "pg_stat_statements"),
        ("pg_stat_statements.track", "all"),
        ("track_counts", "on"),
        ("autovacuum", "on"),
        // It would analyse what is planted as never analysed.
        ("autovacuum_naptime", "1h"),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    Server::start(installation, &Options { settings, ..Options::default() }).unwrap_or_else(|error| panic!("{error}"))
}

/// Makes the demonstration database and reads it.
fn demonstration(server: &Server, of: &Demonstration) -> Reading {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let admin = server.connect("postgres").await.expect("a session");
        admin.batch_execute(&format!("CREATE DATABASE {}", of.database)).await.expect("a database");
        admin.close().await;
        let session = server.connect(of.database).await.expect("a session");
        let begin = format!("CREATE EXTENSION pg_stat_statements; SET demo.scale = '{}'", 1.0 / f64::from(of.scale));
        session.batch_execute(&begin).await.expect("pg_stat_statements");
        for name in of.scripts {
            let sql = text(name);
            let mut sources = Sources::default();
            let file = sources.add(SourceFile::new(name, sql.as_str()));
            for statement in read_script(file, sources.file(file)).statements {
                let sql = sources.slice(statement.span);
                session.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
            }
        }
        session.close().await;
        let wanted = Wanted { values: Values::All, ..Wanted::default() };
        let mut reading = db::read(&parameters(server, of), wanted).await.unwrap_or_else(|error| panic!("{error}"));
        as_on_a_busy_machine(&mut reading.workload);
        reading
    })
}

/// What takes 5 ms on one machine takes 2 on another: a planted slow query is to be slow on both.
fn as_on_a_busy_machine(workload: &mut Workload) {
    for statement in &mut workload.statements {
        for milliseconds in
            [&mut statement.mean_milliseconds, &mut statement.total_milliseconds, &mut statement.max_milliseconds]
        {
            *milliseconds *= 4.0;
        }
    }
}

fn parameters(server: &Server, of: &Demonstration) -> Parameters {
    let config = server.config(of.database);
    let host = config.get_hosts().iter().find_map(|host| match host {
        Host::Unix(path) => path.to_str().map(str::to_owned),
        Host::Tcp(_) => None,
    });
    let (host, user) = (host.expect("a socket"), config.get_user().expect("a user"));
    let port = config.get_ports().first().copied().unwrap_or(5432);
    Parameters::read(&format!("host={host} port={port} user={user} dbname={}", of.database))
        .unwrap_or_else(|error| panic!("{error}"))
}

/// The facts of the database at its full size: shares stay, sizes and counts grow, and the counting began a month ago.
fn at_full_scale(facts: &mut Facts, scale: u32) {
    let times = u64::from(scale);
    let grow = |number: &mut u64| *number *= times;
    for relation in facts.relations.values_mut() {
        relation.rows.iter_mut().for_each(|rows| *rows *= f64::from(scale));
        grow(&mut relation.pages);
        [&mut relation.heap_bytes, &mut relation.toast_bytes, &mut relation.index_bytes]
            .into_iter()
            .flatten()
            .for_each(grow);
        if let Some(activity) = &mut relation.activity {
            [
                &mut activity.live_rows,
                &mut activity.dead_rows,
                &mut activity.modified_since_analyze,
                &mut activity.inserts,
                &mut activity.updates,
                &mut activity.deletes,
            ]
            .into_iter()
            .for_each(grow);
        }
    }
    for index in facts.indexes.values_mut() {
        index.rows.iter_mut().for_each(|rows| *rows *= f64::from(scale));
        grow(&mut index.pages);
        index.bytes.iter_mut().for_each(grow);
    }
    facts.database.stats_reset = Some(pgassay::facts::Timestamp(facts.server.read_at.0 - 30.0 * 86_400.0));
}

fn judge(reading: Reading, samples: Option<Samples>, sources: &mut Sources) -> Report {
    let settings = config::parse(CONFIGURATION).expect("a configuration").settings;
    let database = Database::new(reading, sources);
    audit(&AuditJob { settings, samples, single: true, ..database.audit_job(sources) }, sources)
}

/// What a sample of the rows says.
fn samples(server: &Server, of: &Demonstration, reading: &Reading) -> Samples {
    let database = Database::new(reading.clone(), &mut Sources::default());
    let settings = config::parse(CONFIGURATION).expect("a configuration").settings;
    let references = database.references(&settings);
    let targets = sample::targets(&database.schema, &database.facts, &references);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    // A busy machine is no reason to leave one out.
    let bounds = Bounds { statement: std::time::Duration::from_secs(30), ..Bounds::default() };
    runtime
        .block_on(sample::sample(&parameters(server, of), &targets, &bounds))
        .unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn planted_defects_are_found_and_healthy_twins_are_not() {
    let all = crate::support::servers::all();
    let (oldest, newest) = (&all[0], &all[all.len() - 1]);
    on_version(oldest);
    if newest.major() != oldest.major() {
        on_version(newest);
    }
}

fn on_version(installation: &Installation) {
    for of in [&PLAYHOUSE, &CLINIC] {
        let server = server(installation);
        let mut reading = demonstration(&server, of);
        let samples = samples(&server, of, &reading);
        at_full_scale(&mut reading.facts, of.scale);
        let report = judge(reading, Some(samples), &mut Sources::default());
        println!("PostgreSQL {}, {}", installation.version(), of.database);
        compare(&report, of);
        steps_run(&report, &server, of);
    }

    let server = server(installation);
    let mut reading = demonstration(&server, &SHOP);
    at_full_scale(&mut reading.facts, SHOP.scale);
    let mut sources = Sources::default();
    let report = judge(reading, None, &mut sources);
    println!("PostgreSQL {}, shop", installation.version());
    compare(&report, &SHOP);
    filters_choose(&report);
    documents_are_sampled_within_bounds(&server);
    // Last, for it changes the database.
    steps_run(&report, &server, &SHOP);
}

/// Prints what is planted, found and false, and insists on all of it.
fn compare(report: &Report, of: &Demonstration) {
    let planted = planted(of.planted);
    // A finding about several columns of a table is known by the first; an object may also be the printed name of a constraint.
    let is_found = |it: &Planted| {
        report.findings.iter().any(|finding| {
            finding.rule.name == it.rule
                && finding.object.as_deref().unwrap_or_default() == it.object
                && finding.message.contains(&it.says)
        })
    };
    let expected: BTreeSet<(&str, &str)> =
        planted.iter().filter(|it| !it.is_twin).map(|it| (it.rule.as_str(), it.object.as_str())).collect();
    let mut table: BTreeMap<&str, [usize; 4]> = BTreeMap::new();
    for it in &planted {
        let row = table.entry(&it.rule).or_default();
        match (it.is_twin, is_found(it)) {
            (false, found) => {
                row[0] += 1;
                row[1] += usize::from(found);
            }
            (true, found) => {
                row[2] += 1;
                row[3] += usize::from(found);
            }
        }
    }
    println!("{:<32} planted found twins false", "rule");
    for (rule, [planted, found, twins, wrong]) in &table {
        println!("{rule:<32} {planted:>7} {found:>5} {twins:>5} {wrong:>5}");
    }
    let missed: Vec<String> = planted
        .iter()
        .filter(|it| !it.is_twin && !is_found(it))
        .map(|it| format!("{} {} {}", it.rule, it.object, it.says))
        .collect();
    let wrong: Vec<String> =
        planted.iter().filter(|it| it.is_twin && is_found(it)).map(|it| format!("{} {}", it.rule, it.object)).collect();
    let unplanted: Vec<String> = report
        .findings
        .iter()
        .filter(|it| {
            it.severity > Severity::Info
                && !expected.contains(&(it.rule.name, it.object.as_deref().unwrap_or_default()))
        })
        .map(|it| format!("{} {}: {}", it.rule, it.object.as_deref().unwrap_or_default(), it.message))
        .collect();
    for finding in report.findings.iter().filter(|it| {
        it.severity == Severity::Info && !expected.contains(&(it.rule.name, it.object.as_deref().unwrap_or_default()))
    }) {
        println!("info besides: {} {}", finding.rule, finding.message);
    }
    assert!(
        missed.is_empty() && wrong.is_empty() && unplanted.is_empty(),
        "missed: {missed:#?}\ntwins: {wrong:#?}\nnot planted: {unplanted:#?}"
    );
}

/// Contents are told by keys and types; no value leaves the server, and no more is read than the bounds allow.
fn documents_are_sampled_within_bounds(server: &Server) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let wanted = Wanted { values: Values::None, ..Wanted::default() };
    let reading =
        runtime.block_on(db::read(&parameters(server, &SHOP), wanted)).unwrap_or_else(|error| panic!("{error}"));
    let mut sources = Sources::default();
    let database = Database::new(reading, &mut sources);
    let settings = config::parse(CONFIGURATION).expect("a configuration").settings;
    let references = database.references(&settings);
    let targets = sample::targets(&database.schema, &database.facts, &references);
    let take = |bounds: Bounds| {
        runtime
            .block_on(sample::sample(&parameters(server, &SHOP), &targets, &bounds))
            .unwrap_or_else(|error| panic!("{error}"))
    };
    let metadata = (QualifiedName::new("shop", "products"), "metadata".into());
    let few = take(Bounds { rows: 50, pages: 3, ..Bounds::default() });
    let sample = few.columns.get(&metadata).unwrap_or_else(|| panic!("{:?}", few.skipped));
    assert!(sample.rows <= 50 && sample.pages <= 3 && sample.objects > 0, "{sample:?}");
    let none = take(Bounds { bytes: 0, ..Bounds::default() });
    assert_eq!(none.columns.get(&metadata).map(|it| it.objects), Some(0));

    let samples = take(Bounds::default());
    assert!(samples.skipped.is_empty(), "{:?}", samples.skipped);
    let job = AuditJob { settings, samples: Some(samples), single: true, ..database.audit_job(&sources) };
    let report = audit(&job, &sources);
    let drawer = report
        .findings
        .iter()
        .find(|it| it.object.as_deref() == Some("shop.products.metadata") && it.rule.name == "json-junk-drawer");
    let drawer = drawer.expect("the finding on the column");
    assert_eq!(drawer.severity, Severity::Warning);
    assert!(drawer.message.contains("more than one type in weight"), "{}", drawer.message);
    let told = format!("{drawer:?}");
    assert!(told.contains("colour string") && !told.contains("\"red"), "{told}");

    let null = |object: &str| {
        let found =
            report.findings.iter().find(|it| it.rule.name == "ambiguous-null" && it.object.as_deref() == Some(object));
        found.map(|finding| finding.message.clone()).unwrap_or_default()
    };
    assert!(
        null("shop.media_links.product_id").contains("is set where page_id is not"),
        "{}",
        null("shop.media_links.product_id")
    );
    assert!(
        null("shop.dispatches.sent_to").contains("is always set where status is 'sent'"),
        "{}",
        null("shop.dispatches.sent_to")
    );
    assert_eq!((null("shop.media_embeds.product_id"), null("shop.deliveries.sent_to")), (String::new(), String::new()));
    let reference = report
        .findings
        .iter()
        .find(|it| it.rule.name == "missing-foreign-key" && it.object.as_deref() == Some("shop.returns.order_id"));
    let told = format!("{:?}", reference.map(|finding| &finding.evidence));
    assert!(told.contains("sampled values have no row in shop.orders"), "{told}");
}

/// The steps of every finding run on the database that it speaks of, in their order.
fn steps_run(report: &Report, server: &Server, of: &Demonstration) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut refused = Vec::new();
    runtime.block_on(async {
        let session = server.connect(of.database).await.expect("a session");
        for finding in &report.findings {
            for step in &finding.advice.steps {
                // What belongs to the server is left out.
                if step.sql.starts_with("ALTER SYSTEM") {
                    continue;
                }
                // It shows what has to be settled first: here nobody does.
                if step.sql.starts_with("SELECT") && shows_rows(&session, &step.sql).await {
                    break;
                }
                // A batch is repeated until it changes no row.
                let times = if step.sql.starts_with("UPDATE") { BATCHES } else { 1 };
                let mut result = Ok(());
                for _ in 0..times {
                    result = session.batch_execute(&step.sql).await;
                }
                if let Err(error) = result {
                    let message =
                        error.as_db_error().map(|it| it.message().to_owned()).unwrap_or_else(|| error.to_string());
                    // An earlier finding's steps may have taken the object away, or made it.
                    if !message.contains("does not exist") && !message.contains("already exists") {
                        refused.push(format!(
                            "{} {}: {}: {message}",
                            finding.rule,
                            finding.object.as_deref().unwrap_or_default(),
                            step.sql
                        ));
                    }
                }
            }
        }
        session.close().await;
    });
    assert!(refused.is_empty(), "{refused:#?}");
}

/// Enough for every table of the demonstrations.
const BATCHES: usize = 25;

/// Whether a query finds rows, or counts some.
async fn shows_rows(session: &Session, sql: &str) -> bool {
    let rows = session.query(sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    match rows.first() {
        Some(first) if sql.starts_with("SELECT count(*)") => first.get::<_, i64>(0) > 0,
        first => first.is_some(),
    }
}

fn filters_choose(report: &Report) {
    let chosen = |filter: Filter| {
        let mut report = report.clone();
        filter.apply(&mut report);
        report.findings
    };
    let orders = chosen(Filter { tables: vec!["orders".to_owned()], ..Filter::default() });
    assert!(!orders.is_empty() && orders.iter().all(|it| it.table.as_deref() == Some("shop.orders")));
    let billing = chosen(Filter { schemas: vec!["billing".to_owned()], ..Filter::default() });
    assert!(
        !billing.is_empty()
            && billing.iter().all(|it| it.table.as_deref().is_some_and(|table| table.starts_with("billing.")))
    );
    let rule = chosen(Filter { rules: vec!["duplicate-index".to_owned()], ..Filter::default() });
    assert!(!rule.is_empty() && rule.iter().all(|it| it.rule.name == "duplicate-index"));
    let serious = chosen(Filter { min_severity: Some(Severity::Warning), ..Filter::default() });
    assert!(!serious.is_empty() && serious.len() < report.findings.len());
}
