//! The changes of files that SARIF offers.

use super::*;

/// A text with a fix done to it.
fn mended(text: &str, fix: &Value) -> String {
    let replacement = &fix["artifactChanges"][0]["replacements"][0];
    let region = &replacement["deletedRegion"];
    let offset = |line: &str, column: &str| {
        let (line, column) = (region[line].as_u64().unwrap() as usize, region[column].as_u64().unwrap() as usize);
        let before: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
        before + text[before..].chars().take(column - 1).map(char::len_utf8).sum::<usize>()
    };
    let mut text = text.to_owned();
    let range = offset("startLine", "startColumn")..offset("endLine", "endColumn");
    text.replace_range(range, replacement["insertedContent"]["text"].as_str().unwrap());
    text
}

#[test]
fn a_sarif_fix_does_away_with_its_finding() {
    let judged = |text: &str| {
        let mut sources = Sources::default();
        let files = [("1.sql", "CREATE TABLE orders (id bigint PRIMARY KEY, note text);"), ("2.sql", text)];
        let migrations = files.map(|(name, text)| {
            let file = sources.add(SourceFile::new(name, text));
            Migration::plain(name, file, text.len())
        });
        let report = check(&Job { migrations: migrations.into(), ..Job::default() }, &sources);
        (report, sources)
    };
    let rules = |(report, _): &(Report, Sources)| -> Vec<&'static str> {
        report.findings.iter().map(|finding| finding.rule.name).collect()
    };
    for (text, fixed) in [
        (
            "-- Größe\nCREATE INDEX orders_note_idx ON orders (note);\n",
            vec!["blocking-index-build", "missing-lock-timeout"],
        ),
        ("/* é */ ALTER TABLE orders ALTER note SET NOT NULL;", vec!["blocking-scan", "missing-lock-timeout"]),
        ("BEGIN; CREATE INDEX orders_note_idx ON orders (note); COMMIT;", vec!["missing-lock-timeout"]),
    ] {
        let before = judged(text);
        let log = json(&Sarif::default(), &before);
        let results = log["runs"][0]["results"].as_array().unwrap();
        let with_fix: Vec<&Value> = results.iter().filter(|result| result.get("fixes").is_some()).collect();
        let mut names: Vec<&str> = with_fix.iter().map(|result| result["ruleId"].as_str().unwrap()).collect();
        names.sort();
        assert_eq!(names, fixed, "{text}");
        for result in with_fix {
            let (rule, after) = (result["ruleId"].as_str().unwrap(), mended(text, &result["fixes"][0]));
            let after_rules = rules(&judged(&after));
            assert!(!after_rules.contains(&rule), "{after}: {after_rules:?}");
            assert!(!after_rules.contains(&"unreadable-statement"), "{after}");
        }
    }
}
