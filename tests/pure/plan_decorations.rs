//! What carries a plan is taken off: every decoration around every plan gives the tree and the times of the plan by itself, or is
//! refused in so many words. Never anything else.

use std::fmt::Write as _;

use pgassay::plan::{self, Plan};

use crate::plans::{cases, text};

/// How much of the plan a decoration leaves.
#[derive(Clone, Copy, PartialEq)]
enum Kept {
    /// All of it.
    All,
    /// The tree and its numbers: blanks inside of conditions may be lost.
    Numbers,
    /// The tree cannot always be told: then it is refused.
    OrRefused,
}

type Decorate = fn(&str) -> String;

fn each_line(text: &str, decorate: impl Fn(usize, &str) -> String) -> String {
    text.lines().enumerate().map(|(at, line)| decorate(at, line) + "\n").collect()
}

fn log(text: &str) -> String {
    format!(
        "2024-05-01 10:00:00.000 UTC [7] LOG:  duration: 421.500 ms  plan:\n\tQuery Text: SELECT *\n\t  FROM a\n{}2024-05-01 10:00:01.000 UTC [7] LOG:  statement: SELECT 1\n",
        each_line(text, |_, line| format!("\t{line}"))
    )
}

fn json_string(text: &str) -> String {
    serde_json::to_string(text).expect("a string")
}

/// Breaks lines at blanks, as a mail does.
fn mail(text: &str, width: usize) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        let mut current = " ".repeat(indent);
        let mut empty = true;
        for word in line.trim_start().split(' ') {
            if !empty && current.len() + 1 + word.len() > width {
                out.push_str(current.trim_end());
                out.push('\n');
                current.clear();
            } else if !empty {
                current.push(' ');
            }
            current.push_str(word);
            empty = false;
        }
        out.push_str(&current);
        out.push('\n');
    }
    out
}

/// Breaks lines after so many characters, as a terminal does.
fn terminal(text: &str, width: usize) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let characters: Vec<char> = line.chars().collect();
        for part in characters.chunks(width) {
            out.extend(part);
            out.push('\n');
        }
    }
    out
}

fn unexpanded(text: &str) -> String {
    each_line(text, |_, line| {
        let blanks = line.len() - line.trim_start().len();
        format!("{}{}{}", "\t".repeat(blanks / 8), " ".repeat(blanks % 8), line.trim_start())
    })
}

fn collapsed(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

const DECORATIONS: &[(&str, Kept, Decorate)] = &[
    ("plain", Kept::All, str::to_owned),
    ("windows", Kept::All, |t| t.replace('\n', "\r\n")),
    ("byte order mark", Kept::All, |t| format!("\u{feff}{t}")),
    ("moved right", Kept::All, |t| each_line(t, |_, l| format!("      {l}"))),
    ("first line marked without its indentation", Kept::All, |t| {
        each_line(t, |_, l| format!(" {l}")).trim_start().to_owned()
    }),
    ("among prose", Kept::All, |t| format!("Hello,\n\nwhy is this slow?\n\n{t}\n\nThank you\n")),
    ("fence", Kept::All, |t| format!("# Plan\n\n```\n{t}```\n\nText.\n")),
    ("fence with a language", Kept::All, |t| format!("```text\n{t}```\n")),
    ("tilde fence", Kept::All, |t| format!("~~~\n{t}~~~\n")),
    ("pgAdmin", Kept::All, |t| each_line(t, |_, l| format!("\"{}\"", l.replace('"', "\"\"")))),
    ("pgAdmin with a header", Kept::All, |t| {
        format!("\"QUERY PLAN\"\n{}", each_line(t, |_, l| format!("\"{}\"", l.replace('"', "\"\""))))
    }),
    ("quoted with commas", Kept::All, |t| each_line(t, |_, l| format!("\"{}\",", l.replace('"', "\"\"")))),
    ("single quotes", Kept::All, |t| each_line(t, |_, l| format!("'{l}'"))),
    ("DataGrip", Kept::All, |t| {
        each_line(
            t,
            |_, l| if l.contains([',', '"']) { format!("\"{}\"", l.replace('"', "\"\"")) } else { l.to_owned() },
        )
    }),
    ("psql --csv", Kept::All, |t| {
        let rows = each_line(t, |_, l| {
            if l.contains([',', '"', '\'']) { format!("\"{}\"", l.replace('"', "\"\"")) } else { l.to_owned() }
        });
        format!("QUERY PLAN\n{rows}")
    }),
    ("quote behind each line", Kept::All, |t| each_line(t, |_, l| format!("{l}\""))),
    ("quote before each line", Kept::All, |t| each_line(t, |_, l| format!("\"{l}"))),
    ("DBeaver", Kept::All, |t| {
        let width = t.lines().map(|l| l.chars().count()).max().unwrap_or(0);
        let rows = each_line(t, |_, l| format!("{l:<width$}|"));
        format!("{:<width$}|\n{}+\n{rows}", "QUERY PLAN", "-".repeat(width))
    }),
    ("psql", Kept::All, |t| {
        format!(
            "                QUERY PLAN\n{}\n{}({} rows)\n\n",
            "-".repeat(60),
            each_line(t, |_, l| format!(" {l}")),
            t.lines().count()
        )
    }),
    ("psql with a border", Kept::All, |t| {
        let width = t.lines().map(|l| l.chars().count()).max().unwrap_or(0);
        let rule = format!("+{}+", "-".repeat(width + 2));
        let rows = each_line(t, |_, l| format!("| {l:<width$} |"));
        format!("{rule}\n| {:^width$} |\n{rule}\n{rows}{rule}\n(5 rows)\n", "QUERY PLAN")
    }),
    ("mysql's look", Kept::All, |t| each_line(t, |_, l| format!("| {l}"))),
    ("SQL comment", Kept::All, |t| format!("-- slow one\n{}SELECT 1;\n", each_line(t, |_, l| format!("-- {l}")))),
    ("shell comment", Kept::All, |t| each_line(t, |_, l| format!("# {l}"))),
    ("C comment", Kept::All, |t| each_line(t, |_, l| format!("// {l}"))),
    ("block comment", Kept::All, |t| format!("/*\n{} */\n", each_line(t, |_, l| format!(" * {l}")))),
    ("comment in code", Kept::All, |t| each_line(t, |_, l| format!("    # {l}"))),
    ("quoted mail", Kept::All, |t| each_line(t, |_, l| format!("> {l}"))),
    ("twice quoted mail", Kept::All, |t| each_line(t, |_, l| format!("> > {l}"))),
    ("quoted mail without a blank", Kept::All, |t| each_line(t, |_, l| format!(">{l}"))),
    ("quoted comment", Kept::All, |t| each_line(t, |_, l| format!("> -- {l}"))),
    ("mail at 72", Kept::OrRefused, |t| mail(t, 72)),
    ("quoted mail at 72", Kept::OrRefused, |t| each_line(&mail(t, 72), |_, l| format!("> {l}"))),
    ("terminal of 100", Kept::OrRefused, |t| terminal(t, 100)),
    ("terminal of 132", Kept::OrRefused, |t| terminal(t, 132)),
    ("cat -n", Kept::All, |t| each_line(t, |at, l| format!("{:>6}\t{l}", at + 1))),
    ("grep -n", Kept::All, |t| each_line(t, |at, l| format!("{}:{l}", at + 1))),
    ("numbered", Kept::All, |t| each_line(t, |at, l| format!("{:>3} {l}", at + 1))),
    ("numbered with a bar", Kept::All, |t| each_line(t, |at, l| format!("{:>3} | {l}", at + 40))),
    ("numbered with points", Kept::All, |t| each_line(t, |at, l| format!("{}. {l}", at + 1))),
    ("HTML entities", Kept::All, |t| t.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")),
    ("pre", Kept::All, |t| format!("<pre>{t}</pre>\n")),
    ("blanks that do not break", Kept::All, |t| t.replace("  ", "\u{a0}\u{a0}")),
    ("arrows", Kept::All, |t| {
        each_line(t, |_, l| if l.trim_start().starts_with("->") { l.replacen("->", "→ ", 1) } else { l.to_owned() })
    }),
    ("colours", Kept::All, |t| each_line(t, |_, l| format!("\u{1b}[32m{l}\u{1b}[0m"))),
    ("tabs", Kept::All, unexpanded),
    ("a tab before each", Kept::All, |t| each_line(t, |_, l| format!("\t{l}"))),
    ("annotation at the root", Kept::Numbers, |t| t.replacen('\n', "     <-- this one\n", 1)),
    ("annotations", Kept::Numbers, |t| {
        each_line(t, |_, l| if l.trim_start().starts_with("->") { format!("{l}  <--- slow") } else { l.to_owned() })
    }),
    ("Plan: before it", Kept::All, |t| format!("Plan:\n\n{t}")),
    ("a table tag before it", Kept::All, |t| format!("<table class=\"x\">\n\n{t}")),
    ("numbers in prose", Kept::All, |t| format!("* there are 3 rows (actual time=1..2 rows=3 loops=1) of it\n\n{t}")),
    ("log", Kept::All, log),
    ("docker compose", Kept::All, |t| each_line(&log(t), |_, l| format!("db-1  | {l}"))),
    ("docker logs -t", Kept::All, |t| each_line(&log(t), |_, l| format!("2024-05-01T10:00:00.123456789Z {l}"))),
    ("Kubernetes", Kept::All, |t| each_line(&log(t), |_, l| format!("2024-05-01T10:00:00.123456789Z stderr F {l}"))),
    ("kubectl --prefix", Kept::All, |t| each_line(&log(t), |_, l| format!("[pod/db-0/postgres] {l}"))),
    ("journald", Kept::All, |t| each_line(&log(t), |_, l| format!("May 01 10:00:00 host postgres[7]: {l}"))),
    ("journald with an ISO stamp", Kept::All, |t| {
        each_line(&log(t), |_, l| format!("2024-05-01T10:00:00+0200 host postgres[7]: {l}"))
    }),
    ("syslog", Kept::All, |t| {
        each_line(&log(t), |at, l| {
            format!("May  1 10:00:00 host postgres[7]: [5-{}] {}", at + 1, l.replace('\t', "#011"))
        })
    }),
    ("Heroku", Kept::All, |t| {
        each_line(&log(t), |at, l| {
            format!("2024-05-01T10:00:00.000000+00:00 app[postgres.7]: [DATABASE] [5-{}] {l}", at + 1)
        })
    }),
    ("an unknown stamp", Kept::All, |t| each_line(t, |at, l| format!("<{:04}> db01 :: {l}", at + 1))),
    ("docker's JSON", Kept::All, |t| {
        each_line(&log(t), |_, l| {
            format!(
                "{{\"log\":{},\"stream\":\"stderr\",\"time\":\"2024-05-01T10:00:00Z\"}}",
                json_string(&format!("{l}\n"))
            )
        })
    }),
    ("jsonlog", Kept::All, |t| {
        let message = format!("duration: 1.500 ms  plan:\nQuery Text: SELECT 1\n{}", t.trim_end());
        format!(
            "{{\"timestamp\":\"x\",\"error_severity\":\"LOG\",\"message\":{}}}\n{{\"error_severity\":\"LOG\",\"message\":\"statement: SELECT 1\"}}\n",
            json_string(&message)
        )
    }),
    ("CloudNativePG", Kept::All, |t| {
        let message = format!("duration: 1.500 ms  plan:\nQuery Text: SELECT 1\n{}", t.trim_end());
        format!(
            "{{\"level\":\"info\",\"msg\":\"record\",\"record\":{{\"error_severity\":\"LOG\",\"message\":{}}}}}\n",
            json_string(&message)
        )
    }),
    ("Google Cloud", Kept::All, |t| {
        let entries: Vec<String> =
            log(t).lines().map(|l| format!("{{\"insertId\":\"x\",\"textPayload\":{}}}", json_string(l))).collect();
        format!("[\n  {}\n]\n", entries.join(",\n  "))
    }),
    ("CloudWatch", Kept::All, |t| {
        let entries: Vec<String> =
            log(t).lines().map(|l| format!("{{\"timestamp\":1,\"message\":{}}}", json_string(l))).collect();
        format!("{{\"events\":[{}]}}\n", entries.join(","))
    }),
    ("CloudWatch's tail", Kept::All, |t| each_line(&log(t), |_, l| format!("2024-05-01T10:00:00.123000+00:00 {l}"))),
    ("csvlog", Kept::All, |t| {
        let message = format!("duration: 1.500 ms  plan:\nQuery Text: SELECT 1\n{}", t.trim_end());
        format!(
            "2024-05-01 10:00:00.000 UTC,\"u\",\"d\",7,\"x\",1,\"SELECT\",,LOG,00000,\"{}\",,,,\n",
            message.replace('"', "\"\"")
        )
    }),
    ("CSV of messages", Kept::All, |t| {
        let rows = each_line(&log(t), |_, l| format!("1714557600000,\"{}\"", l.replace('"', "\"\"")));
        format!("timestamp,message\n{rows}")
    }),
    ("rows of a client", Kept::All, |t| {
        let rows: Vec<String> = t.lines().map(|l| format!("{{\"QUERY PLAN\": {}}}", json_string(l))).collect();
        format!("[{}]", rows.join(","))
    }),
    ("two of them", Kept::All, |t| format!("{t}\n{t}")),
    ("blanks run together", Kept::OrRefused, |t| {
        each_line(t, |_, l| {
            let first = if l.starts_with(' ') { " " } else { "" };
            format!("{first}{}", collapsed(l))
        })
    }),
    ("carriage returns", Kept::All, |t| t.replace('\n', "\r")),
    ("empty lines between", Kept::All, |t| t.replace('\n', "\n\n")),
    ("one literal of a program", Kept::All, |t| format!("{}\n", json_string(t))),
    ("a list of Python", Kept::OrRefused, |t| {
        let rows: Vec<String> =
            t.lines().map(|l| format!("('{}',)", l.replace('\\', "\\\\").replace('\'', "\\'"))).collect();
        format!("[{}]\n", rows.join(",\n "))
    }),
    ("an array of JavaScript", Kept::OrRefused, |t| {
        let rows: Vec<String> = t
            .lines()
            .map(|l| format!("  {{ 'QUERY PLAN': '{}' }}", l.replace('\\', "\\\\").replace('\'', "\\'")))
            .collect();
        format!("[\n{}\n]\n", rows.join(",\n"))
    }),
    ("hashes of Ruby", Kept::OrRefused, |t| {
        let rows: Vec<String> = t.lines().map(|l| format!("{{\"QUERY PLAN\"=>{}}}", json_string(l))).collect();
        format!("[{}]\n", rows.join(", "))
    }),
    ("strings put together", Kept::OrRefused, |t| {
        each_line(t, |_, l| format!("        + {}", json_string(&format!("{l}\n"))))
    }),
    ("a map of Java", Kept::All, |t| each_line(t, |_, l| format!("{{QUERY PLAN={l}}}"))),
    ("an assignment", Kept::All, |t| format!("plan = \"\"\"{t}\"\"\"\n")),
    ("a raw string", Kept::All, |t| format!("let plan = r#\"{t}\"#;\n")),
    ("a tag of a forum", Kept::All, |t| format!("[code]{}[/code]\n", t.trim_end())),
    ("first after a log's words", Kept::All, |t| format!("10:00:00.123 [main] INFO  c.e.Query - {t}")),
    ("a list under any key", Kept::All, |t| {
        let rows: Vec<String> = t.lines().map(json_string).collect();
        format!("[{{\"field\":\"a\",\"sql\":\"SELECT 1\",\"plan\":[{}]}}]\n", rows.join(","))
    }),
    ("text of an answer", Kept::All, |t| {
        format!("{{\"content\":[{{\"type\":\"text\",\"text\":{}}}]}}\n", json_string(t))
    }),
    ("rows of a page", Kept::All, |t| {
        let rows = each_line(t, |_, l| {
            let escaped = l.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace("  ", "&nbsp; ");
            format!("  <tr valign=\"top\">\n    <td align=\"left\">{escaped}</td>\n  </tr>")
        });
        format!(
            "<table border=\"1\">\n  <tr>\n    <th align=\"center\">QUERY PLAN</th>\n  </tr>\n{rows}</table>\n<p>(5 rows)<br />\n</p>\n"
        )
    }),
    ("a page's block of code", Kept::All, |t| {
        let escaped = t.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\'', "&#x27;");
        format!("<div><pre class=\"x\"><code class=\"sql\">{escaped}</code></pre></div>\n")
    }),
    ("a tight table", Kept::All, |t| format!("|QUERY PLAN|\n|----------|\n{}", each_line(t, |_, l| format!("|{l}|")))),
    ("records of a client", Kept::All, |t| {
        each_line(t, |at, l| {
            format!("***************************[ {} ]***************************\nQUERY PLAN | {l}", at + 1)
        })
    }),
    ("ends of lines shown", Kept::All, |t| each_line(t, |_, l| format!("{l}$"))),
    ("a shell's continuation", Kept::All, |t| each_line(t, |_, l| format!("{l} \\"))),
    ("blanks shown", Kept::All, |t| t.replace(' ', "·")),
    ("points run together", Kept::All, |t| t.replace("..", "…")),
    ("bold of a terminal", Kept::All, |t| t.replace("Scan", "S\u{8}Sc\u{8}ca\u{8}an\u{8}n")),
    ("added lines of a patch", Kept::OrRefused, |t| {
        format!("--- a/p\n+++ b/p\n@@ -0,0 +1,5 @@\n{}", each_line(t, |_, l| format!("+{l}")))
    }),
    ("Markdown's escapes", Kept::OrRefused, |t| t.replace('_', "\\_").replace('*', "\\*")),
    ("the last line first", Kept::OrRefused, |t| t.lines().rev().fold(String::new(), |all, line| all + line + "\n")),
    ("every line twice", Kept::OrRefused, |t| each_line(t, |_, l| format!("{l}\n{l}"))),
    ("small letters", Kept::OrRefused, |t| t.to_lowercase()),
    ("a column of percentages", Kept::OrRefused, |t| each_line(t, |at, l| format!("{:5.1}% {l}", at as f64 * 3.1))),
    ("two backends at once", Kept::OrRefused, |t| {
        each_line(t, |at, l| {
            let line = |pid: usize| format!("May  1 10:00:00 h postgres[{pid}]: [5-{}] {l}", at + 1);
            format!("{}\n{}", line(7), line(9))
        })
    }),
    ("indentation lost", Kept::OrRefused, |t| each_line(t, |_, l| l.trim_start().to_owned())),
];

fn number_of(plan: &Plan) -> String {
    let mut out = String::new();
    for node in &plan.nodes {
        let (actual, buffers) = (node.actual, node.counters.buffers);
        let removed = (node.removed_by_filter, node.removed_by_join_filter, node.heap_fetches);
        let sort = node.counters.sort.as_ref().map(|sort| (sort.on_disk, sort.kilobytes));
        let hash = node.counters.hash.map(|hash| (hash.batches, hash.kilobytes));
        let names =
            (&node.relation, &node.alias, &node.index, &node.subplan_name, node.conditions.len(), node.sort_key.len());
        writeln!(
            out,
            "{:?} {:?} {names:?} {actual:?} {:?} {removed:?} {buffers:?} {sort:?} {hash:?}",
            node.parent, node.kind, node.estimate
        )
        .expect("written");
    }
    out
}

#[test]
fn whatever_carries_a_plan_is_taken_off() {
    let (mut right, mut refused, mut wrong) = (0, 0, Vec::new());
    let mut seen = 0;
    for version in [14, 16, 18] {
        for case in cases(version) {
            let plain = text(version, &format!("{case}.txt"));
            // Without costs and times, little tells a plan from prose.
            if !plain.contains("(cost=") && !plain.contains("(actual ") {
                continue;
            }
            seen += 1;
            let expected = plan::read(&plain).unwrap_or_else(|error| panic!("{case}: {error}")).remove(0);
            for (name, kept, decorate) in DECORATIONS {
                let decorated = decorate(&plain);
                let reading = plan::read_all(&decorated);
                let prose = usize::from(*name == "numbers in prose");
                let is_right = match (&reading.plans[..], kept) {
                    (_, Kept::OrRefused) if reading.plans.is_empty() && plan::read(&decorated).is_err() => {
                        refused += 1;
                        continue;
                    }
                    ([one], Kept::All) => one.nodes == expected.nodes && reading.problems.len() <= prose,
                    ([one, two], Kept::All) => {
                        *name == "two of them" && one.nodes == expected.nodes && two.nodes == expected.nodes
                    }
                    ([one], _) => number_of(one) == number_of(&expected) && reading.problems.is_empty(),
                    _ => false,
                };
                match is_right {
                    true => right += 1,
                    false => {
                        let found = reading.plans.first().map(number_of).unwrap_or_default();
                        let wanted = number_of(&expected);
                        let first = wanted.lines().zip(found.lines()).find(|(wanted, found)| wanted != found);
                        let problem = reading.problems.first().map(ToString::to_string);
                        wrong.push(format!(
                            "{version}/{case}: {name}: {} plans, {problem:?}, {first:#?}",
                            reading.plans.len()
                        ));
                    }
                }
            }
        }
    }
    assert!(seen >= 30 && DECORATIONS.len() >= 60, "{seen} plans, {} decorations", DECORATIONS.len());
    println!("{right} right, {refused} refused, {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{} wrong of {}:\n{}", wrong.len(), wrong.len() + right + refused, wrong.join("\n"));
}

#[test]
fn a_bad_plan_in_a_log_costs_that_plan_only() {
    let good = |n: usize| {
        log(&format!("Seq Scan on t{n}  (cost=0.00..1.00 rows=1 width=4) (actual time=0.1..0.2 rows=1 loops=1)\n"))
    };
    let bad = log("Sort  (cost=0.00..1.00 rows=1 width=4)\n  ->  Seq Scan on t  (cost=0.00..x rows=1 width=4)\n");
    let xml = log(
        "<explain xmlns=\"http://www.postgresql.org/2009/explain\">\n  <Plan>\n    <Node-Type>Result</Node-Type>\n",
    );
    let reading = plan::read_all(&format!("{}{bad}{}{xml}{}", good(1), good(2), good(3)));
    let tables: Vec<_> = reading.plans.iter().filter_map(|plan| plan.root().relation.as_deref()).collect();
    assert_eq!(tables, ["t1", "t2", "t3"]);
    let problems: Vec<String> = reading.problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].contains("cannot be read") && problems[1].contains("XML ends"), "{problems:?}");
}

#[test]
fn a_cut_plan_is_read_and_called_cut() {
    let cut = |text: &str| plan::read(text).unwrap_or_else(|error| panic!("{error}")).remove(0);
    let join =
        cut("Hash Join  (cost=1.00..2.00 rows=1 width=4)\n  ->  Seq Scan on a  (cost=0.00..1.00 rows=1 width=4)\n");
    assert_eq!(join.cut.as_deref(), Some("the plan is cut: Hash Join (node 1) has two inputs, and one is here"));
    let line = cut("Sort  (cost=1.00..2.00 rows=1 width=4)\n  ->  Seq Scan on a  (cost=0");
    assert_eq!((line.cut.as_deref(), line.nodes.len()), (Some("the plan is cut in its last line"), 2));
    assert_eq!(line.nodes[1].relation.as_deref(), Some("a"));
    let part = cut("        ->  Seq Scan on a  (cost=0.00..1.00 rows=1 width=4)\n              Filter: (x = 1)\n");
    assert_eq!(part.nodes.len(), 1);
    assert_eq!(part.root().conditions.len(), 1);
}

#[test]
fn nodes_of_extensions_are_read() {
    let citus = plan::read(
        "Custom Scan (Citus Adaptive)  (cost=0.00..0.00 rows=0 width=0) (actual time=4.000..4.500 rows=10 loops=1)
  Task Count: 4
  Tasks Shown: One of 4
  ->  Task
        Tuple data received from node: 28 bytes
        Node: host=localhost port=5432 dbname=d
        ->  Seq Scan on t_102008 t  (cost=0.00..10.00 rows=4 width=8) (actual time=0.010..0.020 rows=4 loops=1)
  ->  Distributed Subplan 3_1
        Subplan Duration: 1.5 ms
        ->  Future Scan on u  (cost=0.00..10.00 rows=4 width=8) (actual time=0.010..0.020 rows=4 loops=1)
",
    )
    .expect("a plan")
    .remove(0);
    let parents: Vec<_> = citus.nodes.iter().map(|node| node.parent.map(|parent| parent.0)).collect();
    assert_eq!(parents, [None, Some(0), Some(1), Some(0), Some(3)]);
    assert!(citus.nodes[1].other.iter().any(|(key, value)| key == "Node" && value.contains("localhost")));
}

#[test]
fn a_line_with_numbers_is_a_node_or_an_error() {
    for line in [
        "   Seq Scan on b  (cost=0.00..1.00 rows=1 width=4)",
        "  Mystery of b  (cost=0.00..1.00 rows=1 width=4)",
        "  ->  Seq Scan on b  (cost=0.00..1.00 rows=x width=4)",
    ] {
        let text = format!("Sort  (cost=1.00..2.00 rows=1 width=4)\n  Sort Key: a\n{line}\n  Filter: (a = 1)\n");
        let reading = plan::read_all(&text);
        assert!(reading.plans.is_empty() && reading.problems.len() == 1, "{line}: {reading:?}");
        assert_eq!(reading.problems[0].line, 3, "{line}: {reading:?}");
    }
}

#[test]
fn long_plans_are_read_in_time() {
    let mut long = "Append  (cost=0.00..1.00 rows=1 width=4) (actual time=0.1..9000.0 rows=1 loops=1)\n".to_owned();
    for n in 0..20_000 {
        writeln!(long, "  ->  Seq Scan on t{n}  (cost=0.00..1.00 rows=1 width=4) (actual time=0.1..0.2 rows=1 loops=1)\n        Filter: (a = 1)\n        Rows Removed by Filter: 100000").expect("written");
    }
    let start = std::time::Instant::now();
    let plan = plan::read(&long).expect("a plan").remove(0);
    assert_eq!(plan.nodes.len(), 20_001);
    let assayed = [plan::draw::Assayed::new(plan)];
    plan::draw::text(&assayed, plan::draw::Options { width: 100, ..plan::draw::Options::default() }, &mut Vec::new())
        .expect("drawn");
    // Unoptimized, on a machine with other work; what grows with the square of the nodes takes minutes.
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
}
