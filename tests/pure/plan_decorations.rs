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

/// The plan beside itself.
fn beside(text: &str, between: &str) -> String {
    let width = text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    each_line(text, |_, line| format!("{line:<width$}{between}{line}").trim_end().to_owned())
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
    ("comment before a statement", Kept::All, |t| format!("/* {} */\nSELECT 1;\n", t.trim_end())),
    ("comment beside a statement", Kept::All, |t| format!("/* {} */ SELECT 1;\n", t.trim_end())),
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
    ("Loki", Kept::All, |t| {
        let rows: Vec<String> =
            log(t).lines().map(|l| format!("[\"1714557600000000000\",{}]", json_string(l))).collect();
        format!("{{\"streams\":[{{\"stream\":{{\"job\":\"pg\"}},\"values\":[{}]}}]}}\n", rows.join(","))
    }),
    ("a string in a string", Kept::All, |t| format!("{}\n", json_string(&json_string(t)))),
    ("braces of a wiki", Kept::All, |t| format!("{{{{{{\n{t}}}}}}}\n")),
    ("a table of a page's blanks", Kept::OrRefused, |t| {
        each_line(t, |_, l| format!("|{}|", l.replace("  ", "&nbsp;&nbsp;").replace("&nbsp; ->", "&nbsp;&nbsp;->")))
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
    ("side by side", Kept::All, |t| beside(t, "    ")),
    ("side by side with a border", Kept::All, |t| beside(t, " | ")),
    ("side by side by paste", Kept::All, |t| each_line(t, |_, l| format!("{l}\t{l}"))),
    ("side by side and cut", Kept::OrRefused, |t| each_line(&beside(t, "    "), |_, l| l.chars().take(90).collect())),
    ("side by side without room", Kept::OrRefused, |t| each_line(t, |_, l| format!("{l} {l}"))),
    ("one line", Kept::OrRefused, |t| t.lines().map(str::trim).collect::<Vec<_>>().join(" ")),
    ("one line with its blanks", Kept::OrRefused, |t| t.lines().collect::<Vec<_>>().join("")),
    ("cut by a pager", Kept::Numbers, |t| {
        let width = t.lines().map(|l| l.chars().count()).max().unwrap_or(0);
        format!(
            "| {:<width$}>\n|{}>\n{}",
            "QUERY PLAN",
            "-".repeat(width + 1),
            each_line(t, |_, l| format!("| {l:<width$}>"))
        )
    }),
    ("a table of a page on one line", Kept::All, |t| {
        let rows: String =
            t.lines().map(|l| format!("<tr><td>{}</td></tr>", escaped(l).replace(' ', "&nbsp;"))).collect();
        format!("<table class=\"x\"><thead><tr><th>QUERY PLAN</th></tr></thead><tbody>{rows}</tbody></table>\n")
    }),
    ("a table of a page with line numbers", Kept::All, |t| {
        let row = |(at, l): (usize, &str)| {
            format!("<tr><td>{}</td><td>{}</td></tr>", at + 1, escaped(l).replace("  ", "&nbsp;&nbsp;"))
        };
        format!("<table><tbody>{}</tbody></table>\n", t.lines().enumerate().map(row).collect::<String>())
    }),
    ("coloured numbers of a page", Kept::All, |t| {
        let coloured = escaped(t).replace("cost=", "cost=<span class=\"n\">").replace("..", "</span>..");
        format!("<pre><code>{}</code></pre>\n", coloured.replace("time=", "time=<span class=\"n\">"))
    }),
    ("entities in numbers", Kept::All, |t| escaped(t).replace("&gt;", "&#x3E;").replace("&#x27;", "&#39;")),
    ("entities of entities", Kept::All, |t| escaped(&escaped(t))),
    ("wide blanks", Kept::All, |t| each_line(t, |_, l| indented_with(l, "  ", "\u{3000}"))),
    ("blanks of a typesetter", Kept::All, |t| t.replace("  ", "\u{2002}\u{2002}")),
    ("an arrow of a symbol font", Kept::All, |t| {
        each_line(
            t,
            |_, l| {
                if l.trim_start().starts_with("->") { l.replacen("->", "\u{f0e0}", 1) } else { l.to_owned() }
            },
        )
    }),
    ("quotes of a word processor", Kept::All, |t| {
        let mut open = false;
        let curly = |c: char| match c {
            '\'' => {
                open = !open;
                if open { '‘' } else { '’' }
            }
            '"' => '”',
            c => c,
        };
        t.chars().map(curly).collect()
    }),
    ("syslog as it is sent", Kept::All, |t| {
        each_line(&log(t), |at, l| {
            let text = l.replace('\t', "#011");
            format!("<134>1 2024-05-01T10:00:00.123456+02:00 host postgres 7 - - [5-{}] {text}", at + 1)
        })
    }),
    ("syslog with its priority", Kept::All, |t| {
        each_line(&log(t), |_, l| format!("<134>May  1 10:00:00 host postgres[7]: {}", l.replace('\t', "#011")))
    }),
    ("rows that name their field", Kept::OrRefused, |t| {
        t.lines().map(|l| format!("QUERY PLAN|{l}")).collect::<Vec<_>>().join("\n\n") + "\n"
    }),
    ("rows of PHP", Kept::OrRefused, |t| {
        let row = |(at, l)| format!("    [{at}] => Array\n        (\n            [QUERY PLAN] => {l}\n        )\n\n");
        format!("Array\n(\n{})\n", t.lines().enumerate().map(row).collect::<String>())
    }),
    ("CSV of a log viewer", Kept::All, |t| {
        let field = log(t).replace('"', "\"\"");
        format!("labels,Time,Line\n\"{{\"\"app\"\":\"\"pg\"\"}}\",2024-05-01 10:00:00,\"{field}\"\n")
    }),
    ("CSV with numbers", Kept::OrRefused, |t| {
        let field =
            |l: &str| if l.contains([',', '"']) { format!("\"{}\"", l.replace('"', "\"\"")) } else { l.to_owned() };
        format!("n,QUERY PLAN\n{}", each_line(t, |at, l| format!("{at},{}", field(l))))
    }),
    ("wrapped by psql in a frame", Kept::All, |t| {
        let mut out = format!("┌{0}┐\n│{1:^102}│\n├{0}┤\n", "─".repeat(102), "QUERY PLAN");
        for line in t.lines() {
            let characters: Vec<char> = line.chars().collect();
            let parts: Vec<String> = characters.chunks(100).map(|part| part.iter().collect()).collect();
            for (at, part) in parts.iter().enumerate() {
                let (before, mark) = (if at > 0 { '…' } else { ' ' }, if at + 1 < parts.len() { '…' } else { ' ' });
                writeln!(out, "│{before}{part:<100}{mark}│").expect("written");
            }
        }
        format!("{out}└{}┘\n", "─".repeat(102))
    }),
    ("wrapped by psql", Kept::All, |t| {
        let mut out = format!("{:^120}\n{}\n", "QUERY PLAN", "-".repeat(120));
        for line in t.lines() {
            let characters: Vec<char> = line.chars().collect();
            let parts: Vec<String> = characters.chunks(118).map(|part| part.iter().collect()).collect();
            for (at, part) in parts.iter().enumerate() {
                let (before, mark) = (if at > 0 { '.' } else { ' ' }, if at + 1 < parts.len() { "." } else { "" });
                writeln!(out, "{before}{part:<118}{mark}").expect("written");
            }
        }
        out
    }),
    ("indentation lost", Kept::OrRefused, |t| each_line(t, |_, l| l.trim_start().to_owned())),
];

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('\'', "&#x27;").replace('"', "&quot;")
}

fn indented_with(line: &str, blanks: &str, with: &str) -> String {
    let content = line.trim_start();
    format!("{}{content}", line[..line.len() - content.len()].replace(blanks, with))
}

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
                        (*name == "two of them" || name.starts_with("side by side"))
                            && one.nodes == expected.nodes
                            && two.nodes == expected.nodes
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

fn json_log(text: &str) -> String {
    format!(
        "2024-05-01 10:00:00.000 UTC [7] LOG:  duration: 421.500 ms  plan:\n{}2024-05-01 10:00:01.000 UTC [7] LOG:  statement: SELECT 1\n",
        each_line(text, |_, line| format!("\t{line}"))
    )
}

/// The document on one line, as a driver returns it.
fn compact(text: &str) -> String {
    text.lines().map(str::trim).collect()
}

/// As Python prints what a driver made of the document, in its order.
fn python(json: &str) -> String {
    let mut out = String::new();
    let mut rest = json;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '"' => {
                let mut strings = serde_json::Deserializer::from_str(rest).into_iter::<String>();
                let string = strings.next().expect("a string").expect("a string");
                let quote = if string.contains('\'') && !string.contains('"') { '"' } else { '\'' };
                let escaped = string.replace('\\', "\\\\").replace('\n', "\\n").replace(quote, &format!("\\{quote}"));
                write!(out, "{quote}{escaped}{quote}").expect("written");
                strings.byte_offset()
            }
            't' | 'f' | 'n' => {
                let length = rest.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(rest.len());
                out.push_str(match &rest[..length] {
                    "true" => "True",
                    "false" => "False",
                    _ => "None",
                });
                length
            }
            ',' | ':' => {
                out.push(c);
                out.push(' ');
                1
            }
            c => {
                if !c.is_whitespace() {
                    out.push(c);
                }
                c.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    out
}

const JSON_DECORATIONS: &[(&str, Kept, Decorate)] = &[
    ("plain", Kept::All, str::to_owned),
    ("windows", Kept::All, |t| t.replace('\n', "\r\n")),
    ("byte order mark", Kept::All, |t| format!("\u{feff}{t}")),
    ("compact", Kept::All, compact),
    ("fence", Kept::All, |t| format!("# Plan\n\n```json\n{t}\n```\n\nText.\n")),
    ("among prose", Kept::All, |t| format!("Hello,\n\nwhy is this slow?\n\n{t}\n\nThank you\n")),
    ("moved right", Kept::All, |t| each_line(t, |_, l| format!("      {l}"))),
    ("tabs", Kept::All, |t| {
        each_line(t, |_, l| format!("{}{}", "\t".repeat((l.len() - l.trim_start().len()) / 2), l.trim_start()))
    }),
    ("indentation lost", Kept::All, |t| each_line(t, |_, l| l.trim_start().to_owned())),
    ("psql", Kept::All, |t| {
        format!("QUERY PLAN\n{}\n{}(1 row)\n", "-".repeat(60), each_line(t, |_, l| format!(" {l:<70}+")))
    }),
    ("psql with a border", Kept::All, |t| {
        let width = t.lines().map(|l| l.chars().count()).max().unwrap_or(0);
        let rule = format!("+{}+", "-".repeat(width + 2));
        format!(
            "{rule}\n| {:^width$} |\n{rule}\n{}{rule}\n(1 row)\n",
            "QUERY PLAN",
            each_line(t, |_, l| format!("| {l:<width$}+|"))
        )
    }),
    ("psql --csv", Kept::All, |t| format!("QUERY PLAN\n\"{}\"\n", t.trim_end().replace('"', "\"\""))),
    ("pgAdmin", Kept::All, |t| format!("\"{}\"\n", t.trim_end().replace('"', "\"\""))),
    ("single quotes", Kept::All, |t| format!("'{}'\n", t.trim_end().replace('\'', "''"))),
    ("single quotes around a compact one", Kept::All, |t| format!("'{}'\n", compact(t).replace('\'', "''"))),
    ("single quotes around each line", Kept::All, |t| each_line(t, |_, l| format!("'{l}'"))),
    ("an assignment", Kept::All, |t| format!("plan = '''{t}'''\n")),
    ("an assignment of a shell", Kept::All, |t| format!("PLAN='{}'\n", compact(t).replace('\'', "'\\''"))),
    ("a literal of a program", Kept::All, |t| format!("{}\n", json_string(t))),
    ("a literal of a compact one", Kept::All, |t| format!("const plan = {};\n", json_string(&compact(t)))),
    ("escaped ends of lines", Kept::All, |t| t.trim_end().replace('\n', "\\n")),
    ("escaped ends of lines in a log", Kept::All, |t| {
        format!("2024-05-01 10:00:00 INFO explain: {}\n", t.trim_end().replace('\n', "\\n"))
    }),
    ("quoted mail", Kept::All, |t| each_line(t, |_, l| format!("> {l}"))),
    ("SQL comment", Kept::All, |t| each_line(t, |_, l| format!("-- {l}"))),
    ("block comment", Kept::All, |t| format!("/*\n{} */\n", each_line(t, |_, l| format!(" * {l}")))),
    ("cat -n", Kept::All, |t| each_line(t, |at, l| format!("{:>6}\t{l}", at + 1))),
    ("grep -n", Kept::All, |t| each_line(t, |at, l| format!("{}:{l}", at + 1))),
    ("HTML entities", Kept::All, |t| {
        t.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
    }),
    ("pre", Kept::All, |t| format!("<pre>{t}</pre>\n")),
    ("blanks that do not break", Kept::All, |t| t.replace("  ", "\u{a0}\u{a0}")),
    ("log", Kept::All, json_log),
    ("docker compose", Kept::All, |t| each_line(&json_log(t), |_, l| format!("db-1  | {l}"))),
    ("docker logs -t", Kept::All, |t| each_line(&json_log(t), |_, l| format!("2024-05-01T10:00:00.123456789Z {l}"))),
    ("Kubernetes", Kept::All, |t| {
        each_line(&json_log(t), |_, l| format!("2024-05-01T10:00:00.123456789Z stderr F {l}"))
    }),
    ("kubectl --prefix", Kept::All, |t| each_line(&json_log(t), |_, l| format!("[pod/db-0/postgres] {l}"))),
    ("journald", Kept::All, |t| each_line(&json_log(t), |_, l| format!("May 01 10:00:00 host postgres[7]: {l}"))),
    ("syslog", Kept::All, |t| {
        each_line(&json_log(t), |at, l| {
            format!("May  1 10:00:00 host postgres[7]: [5-{}] {}", at + 1, l.replace('\t', "#011"))
        })
    }),
    ("Heroku", Kept::All, |t| {
        each_line(&json_log(t), |at, l| {
            format!("2024-05-01T10:00:00.000000+00:00 app[postgres.7]: [DATABASE] [5-{}] {l}", at + 1)
        })
    }),
    ("docker compose without a log", Kept::All, |t| each_line(t, |_, l| format!("web-1  | {l}"))),
    ("Kubernetes without a log", Kept::All, |t| {
        each_line(t, |_, l| format!("2024-05-01T10:00:00.123456789Z stdout F {l}"))
    }),
    ("journald without a log", Kept::All, |t| each_line(t, |_, l| format!("May 01 10:00:00 host app[7]: {l}"))),
    ("docker's JSON", Kept::All, |t| {
        each_line(&json_log(t), |_, l| {
            format!(
                "{{\"log\":{},\"stream\":\"stderr\",\"time\":\"2024-05-01T10:00:00Z\"}}",
                json_string(&format!("{l}\n"))
            )
        })
    }),
    ("jsonlog", Kept::All, |t| {
        let message = format!("duration: 1.500 ms  plan:\n{}", t.trim_end());
        format!("{{\"timestamp\":\"x\",\"error_severity\":\"LOG\",\"message\":{}}}\n", json_string(&message))
    }),
    ("csvlog", Kept::All, |t| {
        let message = format!("duration: 1.500 ms  plan:\n{}", t.trim_end());
        format!(
            "2024-05-01 10:00:00.000 UTC,\"u\",\"d\",7,\"x\",1,\"SELECT\",,LOG,00000,\"{}\",,,,\n",
            message.replace('"', "\"\"")
        )
    }),
    ("rows of a client", Kept::All, |t| format!("[{{\"QUERY PLAN\": {}}}]", compact(t))),
    ("rows of a client as a string", Kept::All, |t| format!("[{{\"QUERY PLAN\": {}}}]", json_string(t))),
    ("Python", Kept::All, python),
    ("Python's rows", Kept::All, |t| format!("[({},)]", python(t))),
    ("DBeaver", Kept::All, |t| {
        let width = t.lines().map(|l| l.chars().count()).max().unwrap_or(0);
        format!("{:<width$}|\n{}+\n{}", "QUERY PLAN", "-".repeat(width), each_line(t, |_, l| format!("{l:<width$}|")))
    }),
    ("rows of a table of psql", Kept::All, |t| {
        let lines = t.trim_end().lines().count();
        each_line(t, |at, l| format!("| {l:<90}{}|", if at + 1 < lines { '+' } else { ' ' }))
    }),
    ("a document in Python's row", Kept::All, |t| {
        format!("[('{}',)]\n", t.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n"))
    }),
    ("Ruby's hash", Kept::All, |t| compact(t).replace("\":", "\"=>")),
    ("a string in a string", Kept::All, |t| json_string(&json_string(t))),
    ("a string in a string in a field", Kept::All, |t| {
        format!("{{\"id\":7,\"result\":{}}}", json_string(&format!("{{\"rows\":[{}]}}", json_string(t))))
    }),
    ("without its list", Kept::All, |t| compact(t).trim_start_matches('[').trim_end_matches(']').to_owned()),
    ("typographic quotes", Kept::OrRefused, |t| t.replace('"', "\u{201d}")),
    ("cut", Kept::OrRefused, |t| t[..t.len() * 2 / 3].to_owned()),
    ("a comma behind the last", Kept::OrRefused, |t| t.replace("\n    }", ",\n    }")),
];

#[test]
fn whatever_carries_a_plan_in_json_is_taken_off() {
    let (mut right, mut refused, mut wrong) = (0, 0, Vec::new());
    for version in [14, 18] {
        for case in cases(version) {
            let plain = text(version, &format!("{case}.json"));
            let expected = plan::read(&plain).unwrap_or_else(|error| panic!("{case}: {error}")).remove(0);
            for (name, kept, decorate) in JSON_DECORATIONS {
                let decorated = decorate(&plain);
                let reading = plan::read_all(&decorated);
                match &reading.plans[..] {
                    [] if *kept == Kept::OrRefused && plan::read(&decorated).is_err() => refused += 1,
                    [one] if one.nodes == expected.nodes && reading.problems.is_empty() => right += 1,
                    plans => {
                        let problem = reading.problems.first().map(ToString::to_string);
                        wrong.push(format!("{version}/{case}: {name}: {} plans, {problem:?}", plans.len()));
                    }
                }
            }
        }
    }
    println!("{right} right, {refused} refused, {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{} wrong of {}:\n{}", wrong.len(), wrong.len() + right + refused, wrong.join("\n"));
}

/// As EXPLAIN writes it (ExplainPropertyText and the like in explain_format.c).
fn yaml(value: &serde_json::Value, indent: usize) -> String {
    use serde_json::Value;
    let pad = " ".repeat(indent);
    match value {
        Value::Array(items) => items
            .iter()
            .map(|item| match item {
                Value::Object(_) => format!("{pad}- {}", yaml(item, indent + 2).trim_start()),
                item => format!("{pad}- {item}\n"),
            })
            .collect(),
        Value::Object(fields) => {
            let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
            fields.sort_by_key(|(key, _)| !["Plan", "Node Type"].contains(&key.as_str()));
            let field = |(key, value): &(&String, &Value)| match value {
                Value::Array(_) | Value::Object(_) => format!("{pad}{key}: \n{}", yaml(value, indent + 2)),
                value => format!("{pad}{key}: {value}\n"),
            };
            fields.iter().map(field).collect()
        }
        value => format!("{pad}{value}\n"),
    }
}

#[test]
fn whatever_carries_a_plan_in_yaml_is_taken_off() {
    type Frame = (&'static str, Decorate);
    let frames: &[Frame] = &[
        ("quoted mail", |t| each_line(t, |_, l| format!("> {l}"))),
        ("SQL comment", |t| each_line(t, |_, l| format!("-- {l}"))),
        ("shell comment", |t| each_line(t, |_, l| format!("# {l}"))),
        ("fence", |t| format!("```yaml\n{t}```\n")),
        ("pre", |t| format!("<pre>{}</pre>\n", t.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"))),
        ("numbered", |t| each_line(t, |at, l| format!("{:>4}  {l}", at + 1))),
        ("numbered with a bar", |t| each_line(t, |at, l| format!("{:>4}   │ {l}", at + 1))),
        ("psql", |t| each_line(t, |_, l| format!(" {l:<70}+"))),
        ("docker compose", |t| each_line(t, |_, l| format!("db-1  | {l}"))),
        ("one field", |t| format!("\"{}\"\n", t.replace('"', "\"\""))),
        ("a literal of JSON", |t| format!("{}\n", json_string(t))),
    ];
    let (mut right, mut wrong) = (0, Vec::new());
    for case in cases(18) {
        let json: serde_json::Value = serde_json::from_str(&text(18, &format!("{case}.json"))).expect("JSON");
        let plain = yaml(&json, 0);
        let expected = plan::read(&plain).unwrap_or_else(|error| panic!("{case}: {error}")).remove(0);
        for (name, decorate) in frames {
            let reading = plan::read_all(&decorate(&plain));
            match &reading.plans[..] {
                [one] if one.nodes == expected.nodes && reading.problems.is_empty() => right += 1,
                plans => wrong.push(format!("{case}: {name}: {} plans, {:?}", plans.len(), reading.problems.first())),
            }
        }
    }
    assert!(right > 0 && wrong.is_empty(), "{} wrong, {right} right:\n{}", wrong.len(), wrong.join("\n"));
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
    assert_eq!(part.cut.as_deref(), Some("the plan is cut: what is above node 1 is not here"));
}

#[test]
fn a_condition_that_one_line_too_many_broke_is_whole() {
    let text = "Gather  (cost=1.00..9.00 rows=9 width=4)\n  Workers Planned: 2\n  ->  Parallel Seq Scan on t  (cost=0.00..1.00 rows=1 width=4)\n        Filter: ((genre ~ '^a'::text) AND (title = 'x'::text)\n)\n";
    let plan = plan::read(text).expect("a plan").remove(0);
    assert_eq!(plan.nodes[1].conditions[0].text, "((genre ~ '^a'::text) AND (title = 'x'::text))");
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
fn long_plans_are_read_and_drawn() {
    let mut long = "Append  (cost=0.00..1.00 rows=1 width=4) (actual time=0.1..9000.0 rows=1 loops=1)\n".to_owned();
    for n in 0..20_000 {
        writeln!(long, "  ->  Seq Scan on t{n}  (cost=0.00..1.00 rows=1 width=4) (actual time=0.1..0.2 rows=1 loops=1)\n        Filter: (a = 1)\n        Rows Removed by Filter: 100000").expect("written");
    }
    let plan = plan::read(&long).expect("a plan").remove(0);
    assert_eq!(plan.nodes.len(), 20_001);
    let assayed = [plan::draw::Assayed::new(plan)];
    plan::draw::text(&assayed, plan::draw::Options { width: 100, ..plan::draw::Options::default() }, &mut Vec::new())
        .expect("drawn");
}

#[test]
fn what_somebody_left_out_or_added_is_read_or_refused() {
    // Headings of lines of their own.
    let heading = "Foreign Scan on chunk_2  (cost=0.00..0.00 rows=2 width=20)\n  Filter: (ts < '2017-01-01'::date)\n  Matched: 1\n  Row Groups:\n    _hyper_2_4_chunk: 0\n";
    let plan = plan::read(heading).expect("a plan").remove(0);
    assert_eq!((plan.nodes.len(), plan.root().conditions.len()), (1, 1));
    // Without the number of loops, what runs once is known, and what may run again is not.
    let once = "Aggregate  (actual time=579.5..579.5 rows=1)\n  ->  Seq Scan on rents  (actual time=4.4..403.1 rows=187901)\n        Filter: (day > 5)\n";
    let plan = plan::read(once).expect("a plan").remove(0);
    assert!(plan.nodes.iter().all(|node| node.loops() == 1.0), "{plan:?}");
    for text in [
        "Nested Loop  (actual time=0.1..9.0 rows=9)\n  ->  Seq Scan on a  (actual time=0.1..1.0 rows=9)\n  ->  Seq Scan on b  (actual time=0.1..1.0 rows=1)\n",
        "Aggregate  (actual time=579.5..579.5)\n  ->  Seq Scan on rents  (actual time=4.4..403.1 rows=187901)\n",
    ] {
        let error = plan::read(text).expect_err(text).to_string();
        assert!(error.contains("loops="), "{error}");
    }
    // Prose about nodes.
    for text in ["Before\n\nSequential Scan\n\nAfter\n\nIndex Scan\n", "Scan Type:\nIndex Scan\n\nRows: 5\n"] {
        assert!(plan::read(text).is_err(), "{text}");
    }
}

#[test]
fn a_plan_on_one_line_gets_its_tree_back() {
    let line = "Merge on acts a (cost=34.06..280379.97 rows=0 width=0) (actual time=76.8..76.8 rows=0 loops=1) Tuples: inserted=5175 -> Hash Left Join (cost=34.06..280379.97 rows=1098137 width=28) (actual time=8.1..12.8 rows=5175 loops=1) Hash Cond: (r.p = a.p) -> Index Scan using tmp on r (cost=0.56..274581.25 rows=1098137 width=22) (actual time=8.0..11.4 rows=5175 loops=1) Index Cond: (d > 5) -> Hash (cost=19.40..19.40 rows=940 width=14) (actual time=0.003..0.004 rows=0 loops=1) Buckets: 1024 Batches: 1 Memory Usage: 8kB -> Seq Scan on acts a_1 (cost=0.00..19.40 rows=940 width=14) (actual time=0.003..0.003 rows=0 loops=1) Planning Time: 0.4 ms Execution Time: 77.9 ms\n";
    let plan = plan::read(line).expect("a plan").remove(0);
    let parents: Vec<_> = plan.nodes.iter().map(|node| node.parent.map(|parent| parent.0)).collect();
    assert_eq!(parents, [None, Some(0), Some(1), Some(1), Some(3)]);
    assert_eq!(plan.nodes[2].conditions.len(), 1);
    // An Append takes any number: which node ends it cannot be told.
    let append = "Hash Join (cost=1.0..2.0 rows=1 width=4) -> Append (cost=0.0..1.0 rows=1 width=4) -> Seq Scan on a (cost=0.0..1.0 rows=1 width=4) -> Hash (cost=0.0..1.0 rows=1 width=4) -> Seq Scan on b (cost=0.0..1.0 rows=1 width=4)\n";
    assert!(plan::read(append).expect_err("refused").to_string().contains("indentation is lost"));
}

#[test]
fn decimal_commas_are_read() {
    let plan = "Gather  (cost=1000,00..14606,60 rows=6 width=90) (actual time=2,382..272,957 rows=1200 loops=1)
  ->  Parallel Seq Scan on visits  (cost=0,00..13606,00 rows=2 width=90) (actual time=0,046..210,007 rows=400 loops=3)
        Filter: (f(a,1,2) = 3)
Planning Time: 0,383 ms
Execution Time: 273,060 ms
";
    let read = plan::read(plan).expect("a plan").remove(0);
    let point = plan.replace(',', ".").replace("f(a.1.2)", "f(a,1,2)");
    assert_eq!(read.nodes, plan::read(&point).expect("a plan").remove(0).nodes);
    assert_eq!(read.execution_time, Some(273.06));
}
