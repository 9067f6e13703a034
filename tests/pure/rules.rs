//! Every rule's own examples: the one that fires does, its twin does not, and what the user sees of it is held in a snapshot.

use std::collections::BTreeSet;
use std::path::Path;

use pgassay::report::{Renderer, Report, Text, View};
use pgassay::rules::{self, Example, Rule};

const WIDTH: u16 = 100;

fn rules_of(report: &Report) -> BTreeSet<&'static str> {
    report.findings.iter().map(|finding| finding.rule.name).collect()
}

/// Names of the rules whose examples are not as `right` wants them, with what was found.
fn wrong(of: impl Fn(&Rule) -> &Example, right: impl Fn(&Rule, &BTreeSet<&str>) -> bool) -> Vec<String> {
    let judged =
        rules::ALL.iter().filter(|rule| rule.runs_examples()).map(|rule| (rule, rules_of(&rule.judge(of(rule)).0)));
    let wrong = judged.filter(|(rule, found)| !right(rule, found));
    wrong.map(|(rule, found)| format!("{} found {found:?}", rule.name)).collect()
}

/// A rule that the registry leaves out is never asked.
#[test]
fn every_rule_is_in_the_registry() {
    let mut missing = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/pgassay-core/src/rules")];
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("a source file");
            let rules = text
                .split("\npub static ")
                .skip(1)
                .filter(|rest| rest.lines().next().is_some_and(|line| line.contains(": Rule = ")));
            let name = |rule: &str| rule.split('"').nth(1).unwrap_or_default().to_owned();
            missing.extend(rules.map(name).filter(|name| rules::find(name).is_none()));
        }
    }
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn every_rule_fires_on_its_example() {
    let silent = wrong(|rule| &rule.fires, |rule, found| found.contains(rule.name));
    assert!(silent.is_empty(), "{}", silent.join("\n"));
}

#[test]
fn no_rule_fires_on_its_twin() {
    let loud = wrong(|rule| &rule.quiet, |rule, found| !found.contains(rule.name));
    assert!(loud.is_empty(), "{}", loud.join("\n"));
}

#[test]
fn a_finding_has_the_category_of_its_rule_evidence_and_a_place_in_the_migration() {
    for rule in rules::ALL {
        let (report, sources) = rule.judge(&rule.fires);
        for finding in &report.findings {
            let told = finding.rule;
            assert_eq!(finding.category, told.category, "{}", finding.rule);
            assert!(finding.severity <= told.severity, "{} is worse than its rule says", finding.rule);
            assert_eq!(sources.file(finding.span.file).name, "migration.sql", "{}", finding.rule);
            assert!(finding.span.start < finding.span.end, "{} points at nothing", finding.rule);
            assert!(!finding.message.is_empty() && !finding.advice.text.is_empty(), "{} says nothing", finding.rule);
        }
    }
}

#[test]
fn hygiene_is_never_an_error() {
    let hygiene = rules::ALL.iter().filter(|rule| rule.category == pgassay::finding::Category::Hygiene);
    let errors: Vec<_> =
        hygiene.filter(|rule| rule.severity == pgassay::finding::Severity::Error).map(|rule| rule.name).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

/// Which rules speak on which examples: one cause is one finding, so few lines have more than one name.
#[test]
fn rules_that_fire_on_the_examples() {
    let mut list = String::new();
    for rule in rules::ALL {
        let names = |example| rules_of(&rule.judge(example).0).into_iter().collect::<Vec<_>>().join(", ");
        list.push_str(&format!("{}\n  fires: {}\n  quiet: {}\n", rule.name, names(&rule.fires), names(&rule.quiet)));
    }
    insta::assert_snapshot!(list);
}

/// What the user sees.
#[test]
fn rendered_examples() {
    for rule in rules::ALL {
        let (report, sources) = rule.judge(&rule.fires);
        let mut text = Vec::new();
        Text { verbose: false, width: WIDTH, styled: false, pages: None, view: View::Full }
            .render(&report, &sources, &mut text)
            .expect("a vector takes all");
        let text = String::from_utf8(text).expect("UTF-8");
        let sql = format!("{}\n{}", rule.fires.given, rule.fires.migration);
        insta::with_settings!({ description => sql.trim(), omit_expression => true, snapshot_path => "snapshots/rules" }, {
            insta::assert_snapshot!(rule.name, text);
        });
    }
}
