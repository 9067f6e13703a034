//! Plans that real servers made (tests/plans/cases.sql says of what): read, understood, advised on, drawn.

use std::fs;
use std::path::{Path, PathBuf};

use pgassay::plan::draw::{self, Assayed, Options};
use pgassay::plan::node::KnownType;
use pgassay::plan::{self, Plan, Shares};

const VERSIONS: [u16; 5] = [14, 15, 16, 17, 18];

fn folder(version: u16) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans").join(version.to_string())
}

pub(crate) fn text(version: u16, file: &str) -> String {
    let path = folder(version).join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn all(version: u16, file: &str) -> Vec<Plan> {
    plan::read(&text(version, file)).unwrap_or_else(|error| panic!("{version}/{file}: {error}"))
}

fn one(version: u16, file: &str) -> Plan {
    let [plan] = <[Plan; 1]>::try_from(all(version, file)).unwrap_or_else(|all| panic!("{file}: {} plans", all.len()));
    plan
}

/// The cases that a version has, by the names of their files.
pub(crate) fn cases(version: u16) -> Vec<String> {
    let entries = fs::read_dir(folder(version)).expect("tests/plans has a folder for the version");
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut cases: Vec<String> = names.filter_map(|name| name.strip_suffix(".json").map(str::to_owned)).collect();
    cases.sort();
    assert!(cases.len() >= 50, "{version}: {} cases", cases.len());
    cases
}

fn every_plan() -> impl Iterator<Item = (String, Plan)> {
    VERSIONS.into_iter().flat_map(|version| {
        cases(version).into_iter().map(move |case| (format!("{version}/{case}"), one(version, &format!("{case}.json"))))
    })
}

/// Two runs differ in their times; what else differs by chance is left out too.
fn comparable(mut plan: Plan) -> Plan {
    let parallel = plan.nodes.iter().any(|node| node.is(KnownType::Gather) || node.is(KnownType::GatherMerge));
    let writes = plan.nodes.iter().any(|node| node.is(KnownType::ModifyTable));
    plan.fractional_rows = false;
    for node in &mut plan.nodes {
        // Only JSON says these: which tables a trigger is on, whether a scan could be asynchronous.
        node.async_capable = false;
        if writes && let Some(estimate) = &mut node.estimate {
            // The first of the two runs left dead rows behind.
            (estimate.startup_cost, estimate.total_cost, estimate.rows) = (0.0, 0.0, 0.0);
        }
        let counters =
            std::iter::once(&mut node.counters).chain(node.workers.iter_mut().map(|worker| &mut worker.counters));
        for counters in counters {
            counters.io = Default::default();
            counters.wal = Default::default();
            counters.buffers = Default::default();
            if parallel || writes {
                *counters = Default::default();
            }
        }
        if let Some(sort) = &mut node.counters.sort {
            sort.kilobytes = 0.0;
        }
        if let Some(aggregate) = &mut node.counters.hash_aggregate {
            aggregate.kilobytes = 0.0;
        }
        let actuals = node.actual.iter_mut().chain(node.workers.iter_mut().filter_map(|worker| worker.actual.as_mut()));
        for actual in actuals {
            (actual.startup_time, actual.total_time) =
                (actual.startup_time.map(|_| 0.0), actual.total_time.map(|_| 0.0));
            if parallel || writes {
                (actual.rows, actual.loops) = (0.0, 1.0);
            }
        }
        if parallel {
            node.removed_by_filter = None;
            node.heap_fetches = None;
            node.index_searches = None;
        }
    }
    plan.planning_time = plan.planning_time.map(|_| 0.0);
    plan.execution_time = plan.execution_time.map(|_| 0.0);
    plan.planning = Default::default();
    for trigger in &mut plan.triggers {
        (trigger.time, trigger.relation) = (trigger.time.map(|_| 0.0), None);
    }
    if let Some(serialization) = &mut plan.serialization {
        serialization.time = serialization.time.map(|_| 0.0);
    }
    if let Some(jit) = &mut plan.jit {
        let times = [&mut jit.generation_time, &mut jit.inlining_time, &mut jit.optimization_time];
        times.into_iter().for_each(|time| *time = 0.0);
        (jit.emission_time, jit.total_time) = (0.0, 0.0);
    }
    plan
}

#[test]
fn text_and_json_read_alike() {
    for version in VERSIONS {
        for case in cases(version) {
            let (from_text, from_json) = (one(version, &format!("{case}.txt")), one(version, &format!("{case}.json")));
            let (from_text, from_json) = (comparable(from_text), comparable(from_json));
            assert_eq!(from_text.nodes.len(), from_json.nodes.len(), "{version}/{case}");
            for (text, json) in from_text.nodes.iter().zip(&from_json.nodes) {
                assert_eq!(text, json, "{version}/{case}");
            }
            assert_eq!(from_text, from_json, "{version}/{case}");
        }
    }
}

#[test]
fn what_nodes_took_for_themselves_adds_up_to_the_whole() {
    let mut timed = 0;
    for (name, plan) in every_plan().filter(|(_, plan)| plan.is_timed()) {
        timed += 1;
        let shares = Shares::of(&plan);
        let own: f64 = plan.ids().filter_map(|id| shares[id].own_time).sum();
        let ids = plan.ids().next().expect("a root");
        let root = shares[ids].time.expect("a time");
        // Times are averages of loops, rounded to microseconds, and a CTE that writes may run on after the root.
        let rounding: f64 = plan.nodes.iter().map(|node| node.loops() * 0.0006).sum();
        let detached: f64 =
            plan.ids().filter(|id| plan.node(*id).subplan_name.is_some()).filter_map(|id| shares[id].time).sum();
        assert!(own <= root * 1.02 + rounding + detached, "{name}: {own} of {root}");
        assert!(own >= root * 0.98 - rounding, "{name}: {own} of {root}");
        let blocks = plan.ids().fold(0.0, |sum, id| sum + shares[id].own_buffers.accessed());
        let whole = plan.root().counters.buffers.accessed();
        assert!(blocks + 1.0 >= whole && blocks <= whole * 1.05 + 50.0, "{name}: {blocks} blocks of {whole}");
    }
    assert!(timed > 200, "{timed}");
}

#[test]
fn costs_are_shared_out_in_full() {
    for (name, plan) in every_plan().filter(|(_, plan)| plan.root().estimate.is_some()) {
        let shares = Shares::of(&plan);
        let own: f64 = plan.ids().map(|id| shares[id].own_cost).sum();
        let whole = plan.root().estimate.expect("costs").total_cost % 1e10;
        assert!((own - whole).abs() <= 0.01 * whole + 0.02, "{name}: {own} of {whole}");
    }
}

#[test]
fn plans_are_found_in_logs() {
    for version in VERSIONS {
        let files = ["auto_explain.log", "auto_explain.csv", "auto_explain.jsonlog"];
        let files = files.iter().filter(|file| version >= 15 || **file != "auto_explain.jsonlog");
        let mut first: Option<Vec<Plan>> = None;
        for file in files {
            let plans = all(version, file);
            assert_eq!(plans.len(), 8, "{version}/{file}");
            let queries: Vec<&str> = plans.iter().filter_map(|plan| plan.query.as_deref()).collect();
            assert!(plans.iter().all(|plan| plan.duration.is_some()), "{version}/{file}");
            // The text format's query keeps its own line breaks and blank lines.
            for at in [1, 5] {
                assert_eq!(queries[at].lines().count(), 6, "{version}/{file}: {}", queries[at]);
                assert!(
                    queries[at].contains("-- a comment\n WHERE") && queries[at].ends_with("LIMIT 3;"),
                    "{}",
                    queries[at]
                );
                assert!(plans[at].nodes.len() >= 6 && plans[at].has_buffers(), "{version}/{file}");
            }
            assert_eq!(queries[3], "SELECT sum(quantity) FROM items WHERE product_id = 3");
            let first = first.get_or_insert_with(|| plans.clone());
            for (one, other) in first.iter().zip(&plans) {
                assert_eq!((&one.nodes, one.duration), (&other.nodes, other.duration), "{version}/{file}");
            }
        }
    }
}

#[test]
fn plans_are_found_in_what_psql_prints() {
    let shapes: Vec<Vec<Option<f64>>> = [
        "psql_text.txt",
        "psql_text_border.txt",
        "psql_text_unicode.txt",
        "psql_text_expanded.txt",
        "psql_json.txt",
        "psql_json_border.txt",
        "psql_json_unicode.txt",
        "psql_json_expanded.txt",
        "psql_json_unaligned.txt",
    ]
    .iter()
    .map(|file| {
        let plan = one(15, file);
        assert!(plan.execution_time.is_some() && plan.planning_time.is_some(), "{file}");
        plan.nodes.iter().map(|node| node.actual_rows()).collect()
    })
    .collect();
    assert_eq!(shapes[0].len(), 3);
    assert!(shapes.iter().all(|shape| *shape == shapes[0]), "{shapes:?}");
}

#[test]
fn plans_are_found_where_people_paste_them() {
    let lines = text(16, "hash_join_in_batches.txt");
    let plain = one(16, "hash_join_in_batches.txt");
    let moved: String = lines.lines().map(|line| format!("        {line}\n")).collect();
    let quoted: String = lines.lines().map(|line| format!("\"{}\"\n", line.replace('"', "\"\""))).collect();
    let syslog: String =
        lines.lines().map(|line| format!("Nov 23 22:00:00 host postgres[123]: [7-2] #011{line}\n")).collect();
    // The first line lost its indentation when it was marked with the mouse.
    let trimmed = lines.lines().map(|line| format!(" {line}\n")).collect::<String>().trim_start().to_owned();
    let windows = lines.replace('\n', "\r\n");
    let among = format!("Hello,\n\nwhy is this slow?\n\n{lines}\n\nThank you\n");
    for pasted in [moved, quoted, syslog, trimmed, windows, among] {
        let plans = plan::read(&pasted).unwrap_or_else(|error| panic!("{error}\n{pasted}"));
        assert_eq!(plans.len(), 1, "{pasted}");
        assert_eq!(plans[0], plain, "{pasted}");
    }
    let json = text(16, "hash_join_in_batches.json");
    let rows = format!("[{{\"QUERY PLAN\": {json}}}]");
    assert_eq!(plan::read(&rows).expect("a plan in a row"), all(16, "hash_join_in_batches.json"));
    let twice = format!("{json}\n{json}");
    assert_eq!(plan::read(&twice).expect("two plans").len(), 2);
}

#[test]
fn what_is_no_plan_is_refused_with_its_place() {
    let error = |text: &str| plan::read(text).expect_err(text).to_string();
    assert!(error("").starts_with("line 1, column 1: there is nothing to read"), "{}", error(""));
    assert_eq!(error("\n  SELECT 1"), "line 2, column 3: no plan was found: none of EXPLAIN's formats");
    assert_eq!(
        error("[\n  {\"Plan\": {\"Plan Rows\": 1}}\n]"),
        "line 2, column 27: a node of the plan without \"Node Type\""
    );
    let wrong = "[{\"Plan\": {\"Node Type\": \"Result\",\n  \"Plan Rows\": \"many\"}}]";
    assert_eq!(error(wrong), "line 2, column 21: invalid type: string \"many\", expected f64");
    let cut = "[{\"Plan\": {\"Node Type\": \"Result\",\n  \"Plan Rows\": 3";
    assert_eq!(error(cut), "line 2, column 17: the JSON ends before the plan does");
    let arrow = "  Sort  (cost=0.00..1.00 rows=1 width=4)\n    ->  Seq Scan on t  (cost=0.00..x rows=1 width=4)";
    assert_eq!(error(arrow), "line 2, column 5: the node's costs or times cannot be read");
    let lost = "Append  (cost=0.00..1.00 rows=1 width=4)\n->  Seq Scan on t  (cost=0.00..1.00 rows=1 width=4)\n->  Seq Scan on u  (cost=0.00..1.00 rows=1 width=4)";
    assert!(error(lost).starts_with("line 2, column 1: the indentation is lost"), "{}", error(lost));
    let cut = "<explain xmlns=\"http://www.postgresql.org/2009/explain\">\n  <Query>\n    <Plan>";
    assert_eq!(error(cut), "line 3, column 11: the XML ends before the plan does");
    let odd = "- Plan:\n    Node Type: \"Result\"\n    Alias: [";
    assert!(error(odd).contains("this YAML cannot be read"), "{}", error(odd));
    let deep = format!("[{{\"Plan\": {}{}}}]", "[".repeat(5000), "]".repeat(5000));
    assert!(error(&deep).contains("levels deep"), "{}", error(&deep));
}

#[test]
fn yaml_and_xml_read_as_json_does() {
    let json = one(15, "psql_json.txt");
    for file in ["psql_yaml.txt", "psql_xml.txt"] {
        let plan = one(15, file);
        assert_eq!(plan.nodes.len(), json.nodes.len(), "{file}");
        for (node, json) in plan.nodes.iter().zip(&json.nodes) {
            assert_eq!(
                (&node.kind, node.parent, &node.relation, node.estimate),
                (&json.kind, json.parent, &json.relation, json.estimate),
                "{file}"
            );
            assert_eq!((&node.conditions, &node.sort_key), (&json.conditions, &json.sort_key), "{file}");
        }
        assert!(plan.execution_time.is_some(), "{file}");
    }
}

/// Where each node has as many inputs as its type has, the tree can be told without the columns.
#[test]
fn a_lost_indentation_is_rebuilt_where_it_can_be() {
    let whole = one(16, "hash_join_in_batches.txt");
    let flat: String = text(16, "hash_join_in_batches.txt").lines().map(|line| format!("{}\n", line.trim())).collect();
    assert_eq!(plan::read(&flat).expect("a plan").remove(0).nodes, whole.nodes);
}

#[test]
fn a_deep_plan_is_read() {
    let mut json = "{\"Node Type\": \"Result\"}".to_owned();
    for _ in 0..1500 {
        json = format!("{{\"Node Type\": \"Limit\", \"Plans\": [{json}]}}");
    }
    let plans = plan::read(&format!("[{{\"Plan\": {json}}}]")).expect("a plan");
    assert_eq!(plans[0].nodes.len(), 1501);
    let assayed: Vec<Assayed> = plans.into_iter().map(Assayed::new).collect();
    let mut out = Vec::new();
    draw::text(&assayed, Options { width: 60, verbose: true, ..Options::default() }, &mut out).expect("drawn");
}

/// Cut anywhere, a plan is read in part or refused: never a panic.
#[test]
fn what_is_cut_off_does_no_harm() {
    for file in
        ["many_scans.txt", "parallel_verbose.txt", "grouping_sets.json", "auto_explain.log", "psql_json_border.txt"]
    {
        let text = text(15, file);
        let cuts = text.char_indices().map(|(at, _)| at).step_by(97);
        for cut in cuts {
            for part in [&text[..cut], &text[cut..]] {
                for plan in plan::read(part).unwrap_or_default() {
                    let assayed = [Assayed::new(plan)];
                    let mut out = Vec::new();
                    draw::text(&assayed, Options { width: 80, verbose: true, ..Options::default() }, &mut out)
                        .expect("drawn");
                    draw::json(&assayed, &mut out).expect("written");
                }
            }
        }
    }
}

fn drawn(plans: Vec<Plan>, options: Options) -> String {
    let assayed: Vec<Assayed> = plans.into_iter().map(Assayed::new).collect();
    let mut out = Vec::new();
    draw::text(&assayed, options, &mut out).expect("drawn");
    String::from_utf8(anstream::adapter::strip_bytes(&out).into_vec()).expect("UTF-8")
}

#[test]
fn no_line_is_wider_than_asked_for() {
    for (name, plan) in every_plan() {
        for width in [40, 50, 60, 80, 100, 120, 200] {
            // Whole conditions get twenty columns at least, however deep they stand.
            for verbose in [false, true].into_iter().filter(|verbose| !verbose || width >= 60) {
                let drawn = drawn(vec![plan.clone()], Options { width, verbose, ..Options::default() });
                // Statements to paste, and words of a condition longer than a line, are never broken.
                let unbroken = |line: &&str| {
                    let content = line.trim_start_matches([' ', '│']);
                    let is_sql = ["CREATE", "SET", "ANALYZE", "VACUUM"].iter().any(|word| content.starts_with(word));
                    !is_sql && content.trim().contains(' ')
                };
                for line in drawn.lines().filter(unbroken) {
                    let columns = line.chars().count();
                    let longest = line.split(' ').map(|word| word.chars().count()).max().unwrap_or(0);
                    assert!(columns <= width || longest * 2 > width, "{name} at {width}: {columns}\n{line}");
                }
            }
        }
    }
}

/// What is said of each kind of plan; nothing else is.
#[test]
fn advice_names_what_is_wrong() {
    let expected: &[(u16, &str, &[&str])] = &[
        (16, "primary_key", &[]),
        (16, "sequential_scan", &["sequential-scan-filter"]),
        (16, "filter_behind_index", &["filter-behind-index"]),
        (16, "lossy_bitmap", &["lossy-bitmap"]),
        (16, "heap_fetches", &["heap-fetches"]),
        (16, "sort_on_disk", &["sort-on-disk"]),
        (16, "top_n", &["sort-for-limit"]),
        (16, "hash_join_in_batches", &["sort-on-disk"]),
        (16, "join_reads_all", &["join-reads-all"]),
        (16, "sequential_scan_inside_a_nested_loop", &["join-reads-all"]),
        (16, "hash_aggregate_on_disk", &["aggregate-on-disk"]),
        (16, "workers_not_launched", &["workers-not-launched"]),
        (16, "subplan_per_row", &["subplan-per-row"]),
        (16, "not_in", &["subplan-not-hashed"]),
        (16, "window_functions", &[]),
        (16, "partitions", &[]),
        (16, "large_offset", &["large-offset"]),
        (16, "order_by_limit_on_the_wrong_index", &["order-by-limit-filter"]),
        (15, "just_in_time", &["jit"]),
        (16, "delete_with_triggers", &["trigger-time"]),
        (16, "function_on_column", &["column-in-expression"]),
        (16, "implicit_cast", &["column-in-expression"]),
        (16, "json_path", &["column-in-expression"]),
        (18, "disabled_nodes", &["inner-sequential-scan"]),
        (16, "plain", &[]),
    ];
    let mut wrong = Vec::new();
    for (version, case, kinds) in expected {
        let assayed = Assayed::new(one(*version, &format!("{case}.json")));
        let found: Vec<&str> = assayed.tips.iter().map(|tip| tip.kind).collect();
        let main = |kind: &&str| !["rows-misestimated", "heap-fetches"].contains(kind) || kinds.contains(kind);
        let main: Vec<&str> = found.iter().copied().filter(main).collect();
        let mut sorted = (main.clone(), kinds.to_vec());
        sorted.0.sort_unstable();
        sorted.1.sort_unstable();
        if sorted.0 != sorted.1 {
            wrong.push(format!("{version}/{case}: {main:?}, not {kinds:?}"));
        }
        for tip in &assayed.tips {
            assert!(!tip.message.is_empty() && !tip.advice.is_empty() && (0.0..=1.0).contains(&tip.share), "{tip:?}");
            let numbered = tip.kind == "disabled-node" || !tip.numbers.is_empty();
            assert!(numbered && tip.numbers.iter().all(|(_, number)| number.is_finite()), "{tip:?}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn suggested_indexes_name_the_tables_and_columns_of_the_plan() {
    let sql = |version: u16, case: &str, kind: &str| {
        let assayed = Assayed::new(one(version, &format!("{case}.json")));
        let tip = assayed.tips.iter().find(|tip| tip.kind == kind).unwrap_or_else(|| panic!("{case}: no {kind}"));
        tip.sql.clone()
    };
    assert_eq!(
        sql(16, "sequential_scan", "sequential-scan-filter"),
        ["CREATE INDEX CONCURRENTLY ON orders (note, status, total);"]
    );
    assert_eq!(sql(16, "join_reads_all", "join-reads-all"), ["CREATE INDEX CONCURRENTLY ON items (order_id);"]);
    assert_eq!(
        sql(16, "json_path", "column-in-expression"),
        ["CREATE INDEX CONCURRENTLY ON orders ((meta ->> 'sku'::text));", "ANALYZE orders;"]
    );
    assert_eq!(
        sql(16, "function_on_column", "column-in-expression"),
        ["CREATE INDEX CONCURRENTLY ON customers ((lower(email)));", "ANALYZE customers;"]
    );
}

/// One drawing for each kind of plan.
#[test]
fn drawings() {
    let pictures: &[(u16, &str, usize)] = &[
        (14, "hash_join_in_batches", 100),
        (14, "merge_join", 80),
        (14, "workers_not_launched", 100),
        (15, "just_in_time", 80),
        (15, "materialized_cte", 100),
        (15, "merge", 80),
        (15, "never_executed", 80),
        (16, "nested_loop_misestimated", 100),
        (16, "join_reads_all", 80),
        (16, "order_by_limit_on_the_wrong_index", 80),
        (16, "not_in", 80),
        (16, "grouping_sets", 80),
        (16, "generic_plan", 80),
        (17, "recursive_cte", 80),
        (17, "hashed_subplan_and_init_plan", 100),
        (17, "memoize", 80),
        (17, "foreign_scans", 100),
        (17, "delete_with_triggers", 80),
        (17, "plain", 80),
        (17, "costs_off", 80),
        (17, "timing_off", 80),
        (18, "parallel_aggregate", 120),
        (18, "parallel_verbose", 60),
        (18, "window_functions", 80),
        (18, "many_scans", 60),
        (18, "odd_names", 80),
        (18, "large_offset", 80),
        (18, "lossy_bitmap", 80),
        (18, "partitions", 60),
        (18, "disabled_nodes", 100),
    ];
    for (version, case, width) in pictures {
        let plan = one(*version, &format!("{case}.txt"));
        let drawn = drawn(vec![plan], Options { width: *width, verbose: false, ..Options::default() });
        insta::assert_snapshot!(format!("plan_{version}_{case}_{width}"), drawn);
    }
    // The same plans as a terminal grows: columns come, and lines are cut later.
    for (version, case) in
        [(16, "sequential_scan_inside_a_nested_loop"), (18, "parallel_verbose"), (17, "hashed_subplan_and_init_plan")]
    {
        for width in [80, 120, 200] {
            let plan = one(version, &format!("{case}.txt"));
            let drawn = drawn(vec![plan], Options { width, verbose: false, ..Options::default() });
            insta::assert_snapshot!(format!("plan_{version}_{case}_{width}"), drawn);
        }
    }
    let verbose =
        drawn(vec![one(18, "parallel_verbose.json")], Options { width: 100, verbose: true, ..Options::default() });
    insta::assert_snapshot!("plan_verbose", verbose);
}

#[test]
fn markdown_and_json() {
    let assayed = [Assayed::new(one(16, "sequential_scan.json"))];
    let mut out = Vec::new();
    draw::markdown(&assayed, false, &mut out).expect("written");
    insta::assert_snapshot!("plan_markdown", String::from_utf8(out).expect("UTF-8"));
    let mut out = Vec::new();
    draw::json(&assayed, &mut out).expect("written");
    insta::assert_snapshot!("plan_json", String::from_utf8(out).expect("UTF-8"));
}

#[test]
fn html() {
    for (version, case) in [(16, "sequential_scan_inside_a_nested_loop"), (18, "parallel_verbose")] {
        let mut out = Vec::new();
        draw::html(&[Assayed::new(one(version, &format!("{case}.json")))], &mut out).expect("written");
        insta::assert_snapshot!(format!("plan_html_{version}_{case}"), String::from_utf8(out).expect("UTF-8"));
    }
    let [before, after] =
        ["deep_nested_loop", "deep_hash_join"].map(|case| Assayed::new(one(16, &format!("{case}.json"))));
    let mut out = Vec::new();
    draw::comparison_html(&before, &after, &plan::compare(&before, &after), &mut out).expect("written");
    insta::assert_snapshot!("plan_html_compare", String::from_utf8(out).expect("UTF-8"));
}

#[test]
fn comparisons() {
    let pairs = [
        ("deep_nested_loop", "deep_hash_join"),
        ("deep_hash_join", "deep_nested_loop"),
        ("sequential_scan", "sequential_scan"),
        ("sequential_scan_inside_a_nested_loop", "primary_key"),
    ];
    for (before, after) in pairs {
        let before_plan = Assayed::new(one(16, &format!("{before}.json")));
        let after_plan = Assayed::new(one(16, &format!("{after}.json")));
        let comparison = plan::compare(&before_plan, &after_plan);
        let mut out = Vec::new();
        let options = Options { width: 100, verbose: false, ..Options::default() };
        draw::comparison_text(&before_plan, &after_plan, &comparison, options, &mut out).expect("drawn");
        draw::comparison_markdown(&comparison, &mut out).expect("written");
        draw::comparison_json(&before_plan, &after_plan, &comparison, &mut Vec::new()).expect("written");
        let text = String::from_utf8(anstream::adapter::strip_bytes(&out).into_vec()).expect("UTF-8");
        insta::assert_snapshot!(format!("compare_{before}_{after}"), text);
        let own = |of: fn(&plan::Difference) -> f64| comparison.differences.iter().map(of).sum::<f64>();
        let difference = own(|part| part.own_after) - own(|part| part.own_before);
        let whole = comparison.after - comparison.before;
        let executor = 0.05 * comparison.after.max(comparison.before) + 1.0;
        assert!((difference - whole).abs() <= executor, "{before} {after}: {difference} of {whole}");
    }
}
